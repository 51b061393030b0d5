"""What one text takes from another word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["copied_share", "copies_run"]


def copies_run(text: str, source: str, length: int) -> bool:
    """Whether `length` words in a row stand in both, capitals and marks aside."""
    return not set(_runs(text, length)).isdisjoint(_runs(source, length))


def copied_share(text: str, source: str, length: int = 4) -> float:
    """The share of the runs of `length` words in `text` that stand in `source` too, from 0 to 1."""
    own, others = list(_runs(text, length)), set(_runs(source, length))
    return sum(run in others for run in own) / len(own) if own else 0.0


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower())
    return zip(*(words[start:] for start in range(length)), strict=False)
