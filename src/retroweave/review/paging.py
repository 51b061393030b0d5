"""Pages of rows: from where to where, and a search that goes through groups of rows until a page is full."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from retroweave.review.row import Line
from retroweave.review.shelf import Group

__all__ = ["ALL", "EVERY", "Found", "Page", "Progress", "Span", "search"]

ALL = 1 << 62
"""Above every row's number."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows, as far as they are done."""

    done: int
    of: int

    @property
    def finished(self) -> bool:
        return self.done >= self.of


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in their order."""

    lines: tuple[Line, ...]
    after: int | None
    """Give it as `after=` for what follows; `None` at the end. It may be set on an empty page: a search that was cut
    off by its patience goes on from here."""
    before: int | None
    """Give it as `before=` for what comes before; `None` at the beginning."""
    total: int | None
    """How many rows the filter lets through; `None` where that is not known (a text, or an unfinished index)."""
    looked: Progress
    """How far a search has read; finished where the page is whole."""


@dataclass(frozen=True, slots=True)
class Span:
    """Between two numbers, ends excluded, and from which of them a page begins."""

    above: int
    below: int
    backwards: bool

    def inside(self, groups: Sequence[Group]) -> Iterator[Group]:
        """The groups that have rows in it, from the end at which a page begins."""
        found = [group for group in groups if group.first + group.count > self.above + 1 and group.first < self.below]
        yield from reversed(found) if self.backwards else found


EVERY = Span(-1, ALL, False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and how far it came: `Page` without its lines."""

    numbers: Sequence[int]
    after: int | None
    before: int | None
    looked: Progress


def search(
    groups: Sequence[Group], span: Span, size: int, patience: float, hits: Callable[[Group], list[int] | None]
) -> Found:
    """Group by group, until a page is full or `patience` seconds are up.

    `hits` gives the rows of a group that fit, in their order; `None` where that cannot be told yet.
    """
    until = time.monotonic() + patience
    found: list[int] = []
    reached: int | None = None
    for group in span.inside(groups):
        some = hits(group)
        if some is None:
            reached = group.first + group.count if span.backwards else group.first - 1
            break
        found = some + found if span.backwards else found + some
        reached = group.first if span.backwards else group.first + group.count - 1
        if len(found) > size or time.monotonic() > until:
            break
    else:
        reached = None
    return _found(groups, found, span, size, reached)


def _found(groups: Sequence[Group], found: list[int], span: Span, size: int, reached: int | None) -> Found:
    """Where a page is full it goes on after its last row, and otherwise after the last group that was read."""
    if len(found) > size:
        found = found[-size:] if span.backwards else found[:size]
        reached = found[0] if span.backwards else found[-1]
    count = groups[-1].first + groups[-1].count if groups else 0
    done = count if reached is None else count - reached if span.backwards else reached + 1
    first, last = (found[0], found[-1]) if found else (None, None)
    before = reached if span.backwards else (first if span.above >= 0 else None)
    after = (last if last is not None else span.below - 1) if span.backwards else reached
    return Found(found, after, before, Progress(min(done, count), count))
