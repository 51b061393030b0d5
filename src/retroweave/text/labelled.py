"""Answers of several fields, each on a line that begins with its label: what base models write as readily as others."""

from __future__ import annotations

import re
from collections.abc import Callable

from retroweave.pipeline.errors import Drop

__all__ = ["labelled"]


def labelled(*labels: str) -> Callable[[str], tuple[str, ...]]:
    """A `parse` for `generate`: the texts behind these labels, each of which stands there once and in this order.

    Raises `Drop` where one is missing, is empty or stands twice, and where there is more than these lines.
    """
    found = re.compile(
        r"\s*" + r"\s*\n\s*".join(rf"(?:\*\*)?{re.escape(label)}:(?:\*\*)?[ \t]*(\S.*)" for label in labels) + r"\s*"
    )

    def parse(answer: str) -> tuple[str, ...]:
        match = found.fullmatch(answer)
        if match is None:
            raise Drop(f"the answer has not the lines {', '.join(labels)}")
        return tuple(text.strip() for text in match.groups())

    return parse
