"""Lists in a model's answer: the items, without the marks and the line that announces them."""

from __future__ import annotations

import re

from retroweave.pipeline.errors import Drop

__all__ = ["listed", "numbered"]

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


def numbered(items: list[str]) -> str:
    """The items as a numbered list."""
    return "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))
