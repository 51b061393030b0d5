"""A run directory opened for looking: its samples and rejects by number, by filter and by a permanent id.

Pages come from the index as far as that is made, and from the run's own files before; single rows always come from the
files. A text is searched for in the files, group by group, and what was found so far can be shown meanwhile. Nothing in
a run is ever written here but the index.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from retroweave.export.trace import Stop, trace
from retroweave.pipeline.errors import UserError
from retroweave.review.index import Index
from retroweave.review.indexing import beginnings, last_answer, said_of
from retroweave.review.shelf import Group, Stored, open_shelf, signature_of, stamps_of

__all__ = ["Facet", "Filter", "Line", "NoRow", "Page", "Progress", "Row", "Rows"]

INDEX = "review.sqlite"
_ALL = 1 << 62
"""Above every row's number."""
FACETS = 200
_KEPT = 4
"""Groups read last that stay in memory."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows: those that fit all that is set. What is empty or `None` lets all through."""

    kinds: tuple[str, ...] = ()
    """Of sample, reject, failure, duplicate, over_cap."""
    split: str = ""
    recipe: str = ""
    layout: str = ""
    step: str = ""
    """Where a row that is no sample ended."""
    reason: str = ""
    judge: str = ""
    """The judge whose score and verdict are meant; the run's last one that gave scores where it is left out."""
    verdict: Literal["", "accepted", "rejected"] = ""
    """What that judge said."""
    least: float | None = None
    most: float | None = None
    """Its score, both ends included."""
    measures: tuple[tuple[str, str], ...] = ()
    """Name and value, as `Rows.facets` gives them: `("kind", "name")`."""
    text: str = ""
    """A text that stands in the conversation, or in what models were asked and answered for a row that is no sample;
    capitals do not matter."""


NONE = Filter()


@dataclass(frozen=True, slots=True)
class Line:
    """A row as a list shows it."""

    number: int
    """Its place in the run, from 0; it changes when the run is made anew, and the id does not. In a run that has not
    come to its end numbers have gaps."""
    id: str
    """Permanent, and safe in a URL: a sample's own id, or a reject's way with hyphens, `0-17-2`."""
    kind: str
    split: str
    layout: str
    step: str
    reason: str
    scores: Mapping[str, float]
    """By judge."""
    asked: str
    """How what is not trained begins, on one line (200 characters at most, control characters made visible)."""
    answered: str
    """How what is trained begins; of a reject, the last answer of a model that is no judge's."""


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
class Facet:
    """A value that rows have, and how many of them."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """All of a row."""

    number: int
    id: str
    kind: str
    split: str
    recipe: str
    layout: str
    license: str
    place: str
    """Where a person finds the source row."""
    step: str
    reason: str
    trace: str
    """Of a failure, the traceback."""
    messages: tuple[Mapping[str, Any], ...]
    """role, content, train, and `tool_calls` and the like where tools are called; none of a reject."""
    variants: Mapping[str, Any]
    provenance: Mapping[str, Any]
    """Of a sample as it is stored; of a reject its `calls` and `verdicts`."""
    content: str
    """A hash of what a person judges: labels that were given to another content are stale."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """The schemas of the tools that a sample may call."""
    answered: str = ""
    """Of a reject, what a model answered last that is a part of the row, and no judge's yes or no."""
    stops: tuple[Stop, ...] = ()
    """How it came to be, walked backwards: `export.trace.trace`. Texts are shortened there, and whole in `calls`."""

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        """step, model, prompt (a text, or turns), plain, answer, finish, tokens, error: as far as there are any."""
        found: Sequence[Mapping[str, Any]] = self.provenance.get("calls", ())
        return found

    @property
    def verdicts(self) -> Sequence[Mapping[str, Any]]:
        """step, score, passed, parts."""
        found: Sequence[Mapping[str, Any]] = self.provenance.get("verdicts", ())
        return found

    def score(self, judge: str) -> float | None:
        """The judge's last score of it."""
        return said_of(self.verdicts).get(judge, (None, False))[0]

    def passed(self, judge: str) -> bool | None:
        """What the judge said last of it; `None` where it said nothing."""
        return said_of(self.verdicts).get(judge, (None, None))[1]

    def sample(self) -> dict[str, Any]:
        """As `export.conversation.conversation` takes it; only of a row with messages."""
        named = {name: getattr(self, name) for name in ("id", "recipe", "layout", "license", "split")}
        tools = {"tools": list(self.tools)} if self.tools else {}
        return {
            **named,
            **tools,
            "messages": list(self.messages),
            "variants": self.variants,
            "provenance": self.provenance,
        }


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
        self._index = Index(run_dir / INDEX, self._shelf)

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
        groups = self._shelf.groups
        if self._index.whole or not self.finished:
            return Progress(self._index.done, len(groups))
        return Progress(min(self._index.rows, self.count - 1), self.count)

    def index(self, watch: Callable[[Progress], None] = lambda progress: None) -> None:
        """Make the index, or the rest of it; for a thread in the background. Returns when it is whole, or closed."""
        self._index.make(lambda: watch(self.indexed))

    def changed(self) -> bool:
        """Whether the run directory has another rendering than the one that was opened: then open it again."""
        stamps = stamps_of(self.run_dir)
        if stamps != self._stamps and signature_of(self.run_dir) == self._shelf.signature:
            self._stamps = stamps  # written again, and the same as before
        return stamps != self._stamps

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
        span = _Span(-1 if after is None else after, _ALL if before is None else before, before is not None)
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
            total=len(numbers) if span == _EVERY and not more and self._index.whole else self.total(chosen),
            looked=self.indexed,
        )

    def total(self, chosen: Filter = NONE) -> int | None:
        """How many rows a filter lets through; `None` where that takes reading them, or the index is not made."""
        if chosen.text:
            return None
        if chosen == NONE and self.finished:
            return self.count
        return self._index.count(self._where(chosen)) if self._index.whole else None

    def _numbers(self, chosen: Filter, span: _Span, limit: int) -> list[int]:
        if replace(chosen, text="") == NONE and not self._index.whole:
            return self._unindexed(span, limit)
        return self._index.numbers(
            self._where(chosen), above=span.above, below=span.below, limit=limit, backwards=span.backwards
        )

    def _unindexed(self, span: _Span, limit: int) -> list[int]:
        """Rows in their order, straight from where they stand."""
        if self._shelf.dense:
            low, high = span.above + 1, min(span.below, self.count)
            return list(range(max(low, high - limit), high) if span.backwards else range(low, min(high, low + limit)))
        found: list[int] = []
        for group in self._groups(span):
            inside = [row.number for row in self._read(group) if span.above < row.number < span.below]
            found = inside + found if span.backwards else found + inside
            if len(found) >= limit:
                break
        return found[-limit:] if span.backwards else found[:limit]

    def _groups(self, span: _Span) -> Iterator[Group]:
        """Those that have rows between two numbers, from the end at which a page begins."""
        groups = self._shelf.groups
        inside = [group for group in groups if group.first + group.count > span.above + 1 and group.first < span.below]
        yield from reversed(inside) if span.backwards else inside

    def _where(self, chosen: Filter) -> str:
        """The filter as a condition; values of words are numbers there, so nothing of a person's stands in it."""
        parts = [self._one_of("kind", chosen.kinds)] if chosen.kinds else []
        for sort in ("split", "recipe", "layout", "step", "reason"):
            if value := getattr(chosen, sort):
                parts.append(self._one_of(sort, (value,)))
        parts += [self._measured(name, value) for name, value in chosen.measures]
        parts += self._judged(chosen)
        if len(parts) == 1:
            return parts[0]
        return " and ".join(f"+{part}" for part in parts) or "1"  # by "+" none is looked up, which pays for one alone

    def _one_of(self, sort: str, values: Sequence[str]) -> str:
        words = self._index.words(sort)
        return f"{sort} in ({', '.join(str(words[value]) for value in values if value in words)})"

    def _measured(self, name: str, value: str) -> str:
        words = self._index.words("measures")
        fitting = [str(id) for combination, id in words.items() if [name, value] in orjson.loads(combination)]
        return f"measures in ({', '.join(fitting)})"

    def _judged(self, chosen: Filter) -> list[str]:
        if not chosen.verdict and chosen.least is None and chosen.most is None:
            return []
        slot = self.slot(chosen.judge)
        if slot is None:
            return ["0"]
        parts = []
        if chosen.verdict:
            parts.append(f"({'passed' if chosen.verdict == 'accepted' else 'failed'} & {1 << slot})")
        for sign, bound in ((">=", chosen.least), ("<=", chosen.most)):
            if bound is not None and not math.isfinite(bound):
                raise UserError(f"A score to filter by is a number such as 0.5, not {bound!r}.")
            if bound is not None:
                parts.append(f"s{slot} {sign} {float(bound)!r}")
        return parts

    def slot(self, judge: str = "") -> int | None:
        """The index's column for a judge, or for the last one; `None` where there is none of the name."""
        judges = self._index.judges()
        name = judge or (self.judges() or [""])[-1]
        return judges.index(name) if name in judges else None

    # Searching

    def _searched(self, chosen: Filter, span: _Span, size: int, patience: float) -> Page:
        """Group by group, until a page is full or the time is up."""
        until = time.monotonic() + patience
        others = replace(chosen, text="")
        found: list[int] = []
        reached: int | None = None
        for group in self._groups(span):
            if others != NONE and not self._index.has(group.place):  # which of its rows fit is not known yet
                reached = group.first + group.count if span.backwards else group.first - 1
                break
            hits = self._hits(group, others, chosen.text, span)
            found = hits + found if span.backwards else found + hits
            reached = group.first if span.backwards else group.first + group.count - 1
            if len(found) > size or time.monotonic() > until:
                break
        else:
            reached = None
        return self._search_page(found, span, size, reached)

    def _search_page(self, found: list[int], span: _Span, size: int, reached: int | None) -> Page:
        """Where a page is full it goes on after its last row, and otherwise after the last group that was read."""
        if len(found) > size:
            found = found[-size:] if span.backwards else found[:size]
            reached = found[0] if span.backwards else found[-1]
        count = self._shelf.groups[-1].first + self._shelf.groups[-1].count if self._shelf.groups else 0
        done = count if reached is None else count - reached if span.backwards else reached + 1
        first, last = (found[0], found[-1]) if found else (None, None)
        before = reached if span.backwards else (first if span.above >= 0 else None)
        after = (last if last is not None else span.below - 1) if span.backwards else reached
        return Page(tuple(self.lines(found)), after, before, None, Progress(min(done, count), count))

    def _hits(self, group: Group, others: Filter, text: str, span: _Span) -> list[int]:
        low, high = max(span.above, group.first - 1), min(span.below, group.first + group.count)
        allowed = None
        if others != NONE:
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
            {sort: {id: value for value, id in self._index.words(sort).items()} for sort in _SHOWN} if indexed else {}
        )
        judges = self._index.judges()
        found = []
        for number in numbers:
            if number in indexed:
                found.append(_indexed_line(indexed[number], words, judges))
            else:
                found.append(_line(self._stored(number), self._shelf.judges))
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
        return self._row(self._stored(number))

    def at(self, numbers: Sequence[int]) -> list[Row]:
        """Rows by number, in the order of `numbers`."""
        return [self._row(self._stored(number)) for number in numbers]

    def neighbours(self, id: str, chosen: Filter = NONE) -> tuple[str | None, str | None]:
        """The ids of the row before and after under a filter (its text left aside)."""
        number = self.row(id).number
        others = replace(chosen, text="")
        before = self._numbers(others, _Span(-1, number, True), 1)
        after = self._numbers(others, _Span(number, _ALL, False), 1)
        ids = [self.lines(found)[0].id if found else None for found in (before, after)]
        return ids[0], ids[1]

    def contents(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Id to number and content hash, of the rows that there are; only where the index is whole."""
        return {id: (number, content.hex()) for id, (number, content) in self._index.contents(ids).items()}

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

    def _row(self, stored: Stored) -> Row:
        provenance = _provenance(stored)
        recipe = stored.recipe or str(self.run.get("recipe", ""))
        row = Row(
            stored.number,
            stored.id,
            stored.kind,
            stored.split,
            recipe,
            stored.layout,
            stored.license,
            stored.place,
            stored.step,
            stored.reason,
            stored.trace,
            tuple(stored.turns),
            orjson.loads(stored.variants) if stored.variants else {},
            provenance,
            stored.content.hex(),
            tuple(orjson.loads(tool) for tool in stored.tools),
            "" if stored.turns else last_answer(provenance["calls"], provenance["verdicts"], self._shelf.judges),
        )
        steps = provenance.get("steps") or _steps(row)
        return replace(row, stops=tuple(trace({"provenance": {**provenance, "steps": steps}}, self.run)))


@dataclass(frozen=True, slots=True)
class _Span:
    """Between two numbers, ends excluded, and from which of them a page begins."""

    above: int
    below: int
    backwards: bool


_EVERY = _Span(-1, _ALL, False)

_SHOWN = ("kind", "split", "layout", "step", "reason")


def _indexed_line(row: tuple[Any, ...], words: Mapping[str, Mapping[int, str]], judges: Sequence[str]) -> Line:
    number, id, asked, answered, *rest = row
    kind, split, layout, step, reason = (words[sort].get(one, "") for sort, one in zip(_SHOWN, rest, strict=False))
    scores = {judge: score for judge, score in zip(judges, rest[len(_SHOWN) :], strict=False) if score is not None}
    return Line(number, id, kind, split, layout, step, reason, scores, asked, answered)


def _line(stored: Stored, judges: frozenset[str]) -> Line:
    said = said_of(_provenance(stored).get("verdicts", ()))
    scores = {judge: score for judge, (score, _) in said.items() if score is not None}
    own = (stored.kind, stored.split, stored.layout, stored.step, stored.reason)
    return Line(stored.number, stored.id, *own, scores, *beginnings(stored, judges))


def _provenance(stored: Stored) -> dict[str, Any]:
    if stored.provenance:
        found: dict[str, Any] = orjson.loads(stored.provenance)
        return found
    return {name: orjson.loads(getattr(stored, name) or "[]") for name in ("calls", "verdicts")}


def _steps(row: Row) -> list[str]:
    """The steps that a reject is known to have come by: those that said something, and the one where it ended."""
    said = [one["step"] for one in (*row.calls, *row.verdicts)]
    return list(dict.fromkeys([step for step in said if step != row.step] + [row.step]))
