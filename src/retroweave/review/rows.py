"""A run directory opened for looking: its samples and rejects by number, by filter and by a permanent id.

Pages come from the index as far as that is made, and from the run's own files before; single rows always come from the
files. A text is searched for in the files, group by group, and what was found so far can be shown meanwhile. Nothing in
a run is ever written here but the index.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import orjson

from retroweave.pipeline.errors import UserError
from retroweave.review.filters import NONE, Filter, condition
from retroweave.review.index import Index
from retroweave.review.paging import ALL, EVERY, Page, Progress, Span, search
from retroweave.review.row import SHOWN, Line, Row, indexed_line, line_of, row_of
from retroweave.review.seen import Standpoint
from retroweave.review.shelf import Group, Stored, open_shelf, signature_of, stamps_of

__all__ = ["Facet", "Filter", "Line", "NoRow", "Page", "Progress", "Row", "Rows"]

INDEX = "review.sqlite"
FACETS = 200
_KEPT = 4
"""Groups read last that stay in memory."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A value that rows have, and how many of them."""

    value: str
    count: int


class NoRow(UserError):
    """There is no row of this id."""


class Rows:
    """A run's rows. Safe to use from several threads; open it once and keep it."""

    def __init__(self, run_dir: Path) -> None:
        """Raises `UserError` where the folder holds no run."""
        self.run_dir = run_dir
        self._stamps = stamps_of(run_dir)
        self._shelf, self.run = open_shelf(run_dir)
        self.finished = self._shelf.dense
        """Whether the run came to its end; otherwise its journal is read, before duplicates are taken out."""
        self._firsts = [group.first for group in self._shelf.groups]
        self._lock = threading.RLock()
        self._kept: dict[int, list[Stored]] = {}
        self._bounds: dict[str, tuple[float | None, float | None]] = {}
        self._scores: dict[str, array[float]] = {}
        self._index = Index(run_dir / INDEX, self._shelf, self.moves)

    def close(self) -> None:
        self._index.close()
        with self._lock:
            self._shelf.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def count(self) -> int:
        """Rows in all; of a run that has not come to its end those that the index knows."""
        if not self.finished:
            return self._index.rows
        return sum(group.count for group in self._shelf.groups)

    @property
    def indexed(self) -> Progress:
        """How far the index is; in groups of rows, where the run has not come to its end."""
        of = self.count if self.finished else len(self._shelf.groups)
        if self._index.whole:
            return Progress(of, of)
        done = self._index.rows if self.finished else self._index.done
        return Progress(max(0, min(done, of - 1)), of)

    def index(self, watch: Callable[[Progress], None] | None = None) -> None:
        """Make the index, or the rest of it; for a thread in the background. Returns when it is whole, or closed.

        `watch` is told how far it is, by the thread that makes it.
        """
        if watch is None:
            self._index.make()
        else:
            self._index.make(lambda: watch(self.indexed))

    def changed(self) -> bool:
        """Whether the run directory has another rendering than the one that was opened: then open it again."""
        stamps = stamps_of(self.run_dir)
        if stamps != self._stamps and signature_of(self.run_dir) == self._shelf.signature:
            self._stamps = stamps  # written again, and the same as before
        return stamps != self._stamps

    @property
    def moves(self) -> dict[str, str]:
        """Of each step of the pipeline the move, in their order; none of a run that has not come to its end."""
        return {step["name"]: step["move"] for step in self.run.get("steps", ())}

    def judges(self) -> Sequence[str]:
        """Steps that gave scores, in their order in the pipeline, as far as the index is made."""
        order = {step["name"]: place for place, step in enumerate(self.run["steps"])}
        return sorted(self._index.judges(), key=lambda name: order.get(name, len(order)))

    def facets(self) -> Mapping[str, Sequence[Facet]]:
        """Name to values by frequency: kind, split, recipe, layout, step, reason, and each measure as `measure:NAME`.

        As far as the index is made, and the most frequent 200 of each.
        """
        found: dict[str, Counter[str]] = {}
        for sort, value, count in self._index.tallies():
            pairs = (
                [(sort, value)]
                if sort != "measures"
                else [(f"measure:{name}", one) for name, one in orjson.loads(value)]
            )
            for name, one in pairs:
                if one:
                    found.setdefault(name, Counter())[one] += count
        return {name: [Facet(*one) for one in values.most_common(FACETS)] for name, values in found.items()}

    # Pages

    def page(
        self,
        chosen: Filter = NONE,
        *,
        after: int | None = None,
        before: int | None = None,
        size: int = 50,
        patience: float = 0.5,
    ) -> Page:
        """A page of rows: the first, or what follows `after` or comes before `before` (row numbers, exclusive).

        A search that takes longer than `patience` seconds gives what it found so far, and where to go on.
        """
        span = Span(-1 if after is None else after, ALL if before is None else before, before is not None)
        if chosen.text:
            return self._searched(chosen, span, size, patience)
        numbers = self._numbers(chosen, span, size + 1)
        more = len(numbers) > size
        numbers = (numbers[1:] if span.backwards else numbers[:size]) if more else numbers
        first, last = (numbers[0], numbers[-1]) if numbers else (None, None)
        return Page(
            tuple(self.lines(numbers)),
            after=last if (more or span.backwards) and last is not None else None,
            before=first if (more if span.backwards else span.above >= 0) and first is not None else None,
            total=len(numbers) if span == EVERY and not more and self._index.whole else self.total(chosen),
            looked=self.indexed,
        )

    def total(self, chosen: Filter = NONE) -> int | None:
        """How many rows a filter lets through; `None` where that takes reading them, or the index is not made."""
        if chosen.text:
            return None
        if chosen == NONE and self.finished:
            return self.count
        return self._index.count(self._where(chosen)) if self._index.whole else None

    def _numbers(self, chosen: Filter, span: Span, limit: int) -> list[int]:
        if replace(chosen, text="") == NONE and not self._index.whole:
            return self._unindexed(span, limit)
        return self._index.numbers(
            self._where(chosen), above=span.above, below=span.below, limit=limit, backwards=span.backwards
        )

    def _unindexed(self, span: Span, limit: int) -> list[int]:
        """Rows in their order, straight from where they stand."""
        if self._shelf.dense:
            low, high = span.above + 1, min(span.below, self.count)
            return list(range(max(low, high - limit), high) if span.backwards else range(low, min(high, low + limit)))
        found: list[int] = []
        for group in span.inside(self._shelf.groups):
            inside = [row.number for row in self._read(group) if span.above < row.number < span.below]
            found = inside + found if span.backwards else found + inside
            if len(found) >= limit:
                break
        return found[-limit:] if span.backwards else found[:limit]

    def _where(self, chosen: Filter) -> str:
        return condition(chosen, self._index.words, self.slot)

    def slot(self, judge: str = "") -> int | None:
        """The index's column for a judge, or for the last one; `None` where there is none of the name."""
        judges = self._index.judges()
        name = judge or (self.judges() or [""])[-1]
        return judges.index(name) if name in judges else None

    def _searched(self, chosen: Filter, span: Span, size: int, patience: float) -> Page:
        others = replace(chosen, text="")
        found = search(
            self._shelf.groups, span, size, patience, lambda group: self._hits(group, others, chosen.text, span)
        )
        return Page(tuple(self.lines(found.numbers)), found.after, found.before, None, found.looked)

    def _hits(self, group: Group, others: Filter, text: str, span: Span) -> list[int] | None:
        """The rows of a group in which a text stands; `None` where it is not known yet which of them the rest of
        the filter lets through."""
        low, high = max(span.above, group.first - 1), min(span.below, group.first + group.count)
        allowed = None
        if others != NONE:
            if not self._index.has(group.place):
                return None
            allowed = set(self._index.numbers(self._where(others), above=low, below=high, limit=group.count))
            if not allowed:
                return []
        with self._lock:
            hits = self._shelf.holding(group, text)
        return [number for number in hits if low < number < high and (allowed is None or number in allowed)]

    # Rows

    def lines(self, numbers: Sequence[int]) -> list[Line]:
        """Rows by number as a list shows them, in the order of `numbers`."""
        indexed = self._index.lines(numbers) if numbers else {}
        words = (
            {sort: {id: value for value, id in self._index.words(sort).items()} for sort in SHOWN} if indexed else {}
        )
        judges = self._index.judges()
        found = []
        for number in numbers:
            if number in indexed:
                found.append(indexed_line(indexed[number], words, judges))
            else:
                found.append(line_of(self._stored(number), self._shelf.judges))
        return found

    def row(self, id: str) -> Row:
        """Raises `NoRow`."""
        number = self._index.number_of(id) if self._index.whole else None
        if number is None and not self._index.whole:
            with self._lock:
                number = self._shelf.seek(id)
        if number is None:
            raise NoRow(
                f"There is no row {id!r} in {self.run_dir}. It may have been made anew since: look for its text."
            )
        return row_of(self._stored(number), self.run, self._shelf.judges)

    def at(self, numbers: Sequence[int]) -> list[Row]:
        """Rows by number, in the order of `numbers`."""
        return [row_of(self._stored(number), self.run, self._shelf.judges) for number in numbers]

    def neighbours(self, id: str, chosen: Filter = NONE) -> tuple[str | None, str | None]:
        """The ids of the row before and after under a filter (its text left aside)."""
        number = self.row(id).number
        others = replace(chosen, text="")
        before = self._numbers(others, Span(-1, number, True), 1)
        after = self._numbers(others, Span(number, ALL, False), 1)
        ids = [self.lines(found)[0].id if found else None for found in (before, after)]
        return ids[0], ids[1]

    def contents(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Id to number and content hash, of the rows that there are; only where the index is whole."""
        return {id: (number, content.hex()) for id, (number, content) in self._index.contents(ids).items()}

    def seen(self, row: Row, judge: str) -> str:
        """A hash of what is seen of a row by who labels it blind; empty where nothing is."""
        judged = {verdict["step"] for verdict in row.verdicts}
        found = Standpoint.of(judge, self.moves).view(row.calls, judged).hash(row.place)
        return "" if found is None else str(found)

    def showing(self, seen: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Such a hash to id and content hash of the one row that shows just that; only where the index is whole.

        What several rows show, or none, is not there.
        """
        found = self._index.seen([int(one) for one in set(seen)])
        return {str(hash): (rows[0][0], rows[0][2].hex()) for hash, rows in found.items() if len(rows) == 1}

    def beside(self, number: int, most: int) -> tuple[list[Line], int]:
        """Other outcomes of the same row of the source, those of the same draw first, and how many there are in all;
        none before the index is whole."""
        if not self._index.whole:
            return [], 0
        found, count = self._index.beside(number, most)
        return self.lines(found), count

    def numbers(self, chosen: Filter) -> list[int]:
        """All rows that fit, by number; only where the index is whole."""
        return [number for number, _ in self._index.column("0", self._where(chosen))]

    def scored(self, judge: str, chosen: Filter = NONE) -> list[tuple[int, float]]:
        """Number and score of each row that fits and that a judge gave a score; only where the index is whole."""
        slot = self.slot(judge)
        if slot is None:
            return []
        return self._index.column(f"s{slot}", f"s{slot} is not null and ({self._where(chosen)})")

    def bounds(self, judge: str) -> tuple[float | None, float | None]:
        """The lowest score that a judge let pass, and the highest that it did not, of the rows that are indexed."""
        slot = self.slot(judge) if judge else None
        if slot is None:
            return None, None
        if judge not in self._bounds or not self.indexed.finished:
            self._bounds[judge] = self._index.bounds(slot)
        return self._bounds[judge]

    def scores(self, judge: str) -> array[float]:
        """The scores that a judge gave, of all rows, from the lowest; only where the index is whole."""
        if judge not in self._scores:
            self._scores[judge] = array("d", sorted(score for _, score in self.scored(judge)))
        return self._scores[judge]

    def _stored(self, number: int) -> Stored:
        group = self._shelf.groups[bisect_right(self._firsts, number) - 1]
        rows = self._read(group)
        place = number - group.first
        if not 0 <= place < len(rows):
            raise NoRow(f"There is no row of the number {number} in {self.run_dir}.")
        return rows[place]

    def _read(self, group: Group) -> list[Stored]:
        with self._lock:
            if group.place not in self._kept:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[group.place] = self._shelf.read(group)
            return self._kept[group.place]
