"""A verdict with its score, what a judge may answer in the place of a bare yes or no; and what a bare no is told as."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Score", "bare_no", "is_bare_no"]

_NOT_SO, _SAYS_NO = "not so: ", " says no"
_MOST = 110
"""Characters of a docstring that make a reason; rejects are read as lists and counted in tables."""


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
    reason: str = ""
    """Why, where it did not pass; rejects are counted by it, so it names no row. Left out, the judge's docstring."""

    def __bool__(self) -> bool:
        return self.passed


def bare_no(check: Callable[..., Any], name: str) -> str:
    """The reason of a check that gives none: what its docstring says does not hold, or it says no, under its name."""
    while isinstance(check, functools.partial):
        check = check.func
    own = check if inspect.isroutine(check) else type(check).__call__
    said = " ".join(inspect.cleandoc(own.__doc__ or "").partition("\n\n")[0].split())
    if not said:
        return f"{name}{_SAYS_NO}"
    return _NOT_SO + (said.removesuffix(".") if len(said) <= _MOST else f"{said[:_MOST].rsplit(' ', 1)[0]} …")


def is_bare_no(reason: str) -> bool:
    """Whether a check gave no reason but this: it said no, and was not kept from an answer."""
    return reason.startswith(_NOT_SO) or reason.endswith(_SAYS_NO)
