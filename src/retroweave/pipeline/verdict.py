"""A verdict with its score: what a judge may answer in the place of a bare yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Score"]


@dataclass(frozen=True, slots=True)
class Score:
    """A judge's score, whether it is enough, and the parts that it is made of. As a condition it means the latter.

    It is kept with the row, whether that was accepted or not: thresholds are chosen, and precision is estimated, by it.
    """

    value: float
    """From 0 to 1; the higher, the surer the judge is that the row is right."""
    passed: bool
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What it was made from, as JSON values: the verdict of each phrasing, item or judge."""
    reason: str = "rejected"
    """Why, where it did not pass; rejects are counted by it, so it names no row."""

    def __bool__(self) -> bool:
        return self.passed
