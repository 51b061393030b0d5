"""Lists: found in a model's answer, without the marks and the line that announces them, and written down in a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from retroweave.pipeline.errors import Drop

__all__ = ["FORMS", "Form", "listed", "numbered"]

_ITEM = re.compile(r"[ \t]*(?:\d{1,3}[.):]|[-*•–])[ \t]+(?P<text>\S.*)")
_MARKS = re.compile(r"\*\*|__|`")


def listed(answer: str) -> list[str]:
    """The items of a list, one a line, which an introducing line may stand before.

    Raises `Drop` where there is more than a list, or none.
    """
    lines = [line for line in answer.strip().splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].rstrip().endswith(":") and not _ITEM.fullmatch(lines[0]):
        lines = lines[1:]
    found = [_ITEM.fullmatch(line) for line in lines]
    if not found or not all(found):
        raise Drop("the answer is no list, or more than one")
    return [_MARKS.sub("", item["text"]).strip() for item in found if item]


def numbered(items: Sequence[str]) -> str:
    """The items as a numbered list."""
    return "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))


class Form(NamedTuple):
    """How a list is written down, and how it is read again."""

    write: Callable[[Sequence[str]], str]
    read: Callable[[str], list[str]]


FORMS: Mapping[str, Form] = {
    "bullets": Form(
        lambda items: "\n".join(f"- {item}" for item in items),
        lambda text: [line.removeprefix("- ") for line in text.split("\n")],
    ),
    "numbered": Form(numbered, lambda text: [line.split(". ", 1)[1] for line in text.split("\n")]),
    "line": Form(", ".join, lambda text: text.split(", ")),
}
"""Forms by name. One line's items are told apart by commas, and so hold none."""
