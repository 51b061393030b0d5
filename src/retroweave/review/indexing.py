"""Making the index of a run: group by group, by a connection of its own, so that nobody who looks has to wait for
it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from retroweave.export.excerpt import visible
from retroweave.review.databases import connected
from retroweave.review.seen import Standpoint
from retroweave.review.shelf import Group, Shelf, Stored
from retroweave.text.tool_calls import spoken

__all__ = ["DRAWS", "JUDGES", "Told", "beginnings", "last_answer", "make_index", "measures_of", "said_of", "set_up"]

VERSION = "3"
JUDGES = 8
"""Judges whose scores are kept; more than a pipeline has."""
REASONS = 500
"""Different reasons that are told apart; a failure's may be another one in each row."""
COMBINATIONS = 5_000
"""Different combinations of measures, and of all else."""
OTHERS = "other reasons"
DRAWS = 1 << 20
"""More draws of one row of the source than these are not told apart."""
MOST_SOURCES = 1 << 40
BREATH = 0.002
"""Seconds between two groups, in which whoever waits for a page gets the lock."""
BEGINNING = 200
"""Characters of a row that a list shows."""

_SCORES = [f"s{slot}" for slot in range(JUDGES)]
SETTINGS = """
pragma journal_mode = wal;
pragma synchronous = off;
"""
"""What a crash takes of an index is made again."""
_TABLES = {
    "facts": "name text primary key, value text not null",
    "done": "place integer primary key, rows integer not null",
    "words": "id integer primary key, sort text not null, value text not null, unique (sort, value)",
    "marks": "number integer primary key, kind integer, split integer, recipe integer, layout integer, step integer, "
    "reason integer, measures integer, passed integer, failed integer, "
    f"{', '.join(f'{name} real' for name in _SCORES)}",
    "lines": "number integer primary key, id text not null, content blob not null, asked text not null, "
    "answered text not null, source integer",
    "seen": "hash integer not null, number integer not null",
    "tallies": "word integer primary key, count integer not null",
}
_LOOKED_UP = {
    "by_id": "lines (id)",
    "by_kind": "marks (kind)",
    "by_step": "marks (step)",
    "by_reason": "marks (reason)",
    "by_source": "lines (source)",
    "by_seen": "seen (hash)",
}
"""Made last, when all rows are there: it takes a tenth of the time."""
Said = Mapping[str, tuple[float | None, bool]]
"""What `said_of` gives."""
_SORTS = ("kind", "split", "recipe", "layout", "step", "reason")


def set_up(database: sqlite3.Connection, signature: str) -> None:
    """Make the tables, anew where they are of another state of the files."""
    of = f"{VERSION} {signature}"
    with database:
        database.execute("begin immediate")
        database.execute("create table if not exists facts (name text primary key, value text not null)")
        if database.execute("select value from facts where name = 'of'").fetchone() == (of,):
            return
        for name, columns in _TABLES.items():
            database.execute(f"drop table if exists {name}")
            database.execute(f"create table {name} ({columns})")
        database.execute("insert into facts values ('of', ?)", (of,))


def make_index(
    path: Path, shelf: Shelf, moves: Mapping[str, str], stop: threading.Event, watch: Callable[[], None]
) -> None:
    """Make what is missing. Returns when it is whole, or told to stop. `moves` are those of the run's steps."""
    with closing(connected(path, SETTINGS)) as database:
        maker = _Maker(database, shelf.judges, moves)
        known = {place for (place,) in database.execute("select place from done")}
        for group in shelf.groups:
            if stop.is_set():
                return
            if group.place not in known:
                maker.add(group, shelf.read(group))
                watch()
                time.sleep(BREATH)
        for name, column in _LOOKED_UP.items():
            database.execute(f"create index if not exists {name} on {column}")
        database.execute("insert or ignore into facts values ('whole', '')")


class _Maker:
    """Writes groups into the index. Another process may do the same; each group is written once."""

    def __init__(self, database: sqlite3.Connection, judges: frozenset[str], moves: Mapping[str, str]) -> None:
        self._database = database
        self._judges = judges
        self._moves = moves
        self._words: dict[tuple[str, str], int] = {}
        self._combinations: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._measures: dict[tuple[tuple[str, str], ...], int] = {}
        self._standpoints: dict[str, Standpoint] = {}

    def add(self, group: Group, rows: Sequence[Stored]) -> None:
        with self._database:  # all of the group or nothing
            self._database.execute("begin immediate")
            if not self._one("select count(*) from done where place = ?", group.place):
                self._insert(rows)
                self._database.execute("insert into done values (?, ?)", (group.place, len(rows)))

    def _insert(self, rows: Sequence[Stored]) -> None:
        marks: list[tuple[Any, ...]] = []
        lines: list[tuple[Any, ...]] = []
        seen: list[tuple[int, int]] = []
        for row in rows:  # what its JSON held is let go of at once: a group's would keep the garbage collector busy
            told = Told.of(row)
            said = said_of(told.verdicts)
            marks.append(self._marks(told, said))
            lines.append((row.number, row.id, row.content, *beginnings(told, self._judges), told.source))
            seen += self._seen(told, said)
        places = ", ".join("?" * (10 + JUDGES))
        self._database.executemany(f"insert into marks values ({places})", marks)
        self._database.executemany(
            "insert into tallies values (?, ?) on conflict (word) do update set count = count + excluded.count",
            Counter(word for row in marks for word in row[1 : 2 + len(_SORTS)]).items(),
        )
        self._database.executemany("insert into lines values (?, ?, ?, ?, ?, ?)", lines)
        self._database.executemany("insert into seen values (?, ?)", seen)

    def _marks(self, told: Told, said: Said) -> tuple[Any, ...]:
        measures = self._measured(measures_of(told.provenance))
        passed = failed = 0
        scores: list[float | None] = [None] * JUDGES
        for step, (score, accepted) in said.items():
            slot = self._slot(step)
            if slot is not None:
                scores[slot] = score
                passed, failed = passed | (accepted << slot), failed | ((not accepted) << slot)
        return (told.row.number, *self._sorted(told.row), measures, passed, failed, *scores)

    def _seen(self, told: Told, said: Said) -> Iterator[tuple[int, int]]:
        """What of a row is seen blind, by each judge that gave a score."""
        for judge, (score, _) in said.items():
            if score is not None:
                if judge not in self._standpoints:
                    self._standpoints[judge] = Standpoint.of(judge, self._moves)
                found = self._standpoints[judge].view(told.calls, said).hash(told.row.place)
                if found is not None:
                    yield found, told.row.number

    def _measured(self, pairs: list[tuple[str, str]]) -> int:
        key = tuple(pairs)
        found = self._measures.get(key)
        if found is None:
            found = self._word("measures", orjson.dumps(pairs).decode())
            if len(self._measures) < COMBINATIONS:
                self._measures[key] = found
        return found

    def _sorted(self, row: Stored) -> tuple[int, ...]:
        """The numbers of its kind, split and so on, which many rows have in common."""
        key = (row.kind, row.split, row.recipe, row.layout, row.step, row.reason)
        found = self._combinations.get(key)
        if found is None:
            found = tuple(self._word(sort, value) for sort, value in zip(_SORTS, key, strict=True))
            if len(self._combinations) < COMBINATIONS:
                self._combinations[key] = found
        return found

    def _word(self, sort: str, value: str) -> int:
        """The number by which a word stands in `marks`; it is given one where it has none."""
        found = self._words.get((sort, value))
        if found is None:
            value = self._bounded(sort, value)
            self._database.execute("insert or ignore into words (sort, value) values (?, ?)", (sort, value))
            found = int(self._one("select id from words where sort = ? and value = ?", sort, value))
            self._words[sort, value] = found
        return found

    def _bounded(self, sort: str, value: str) -> str:
        """The word itself, or what stands for all others where there are too many of them."""
        bound, others = {"reason": (REASONS, OTHERS), "measures": (COMBINATIONS, "[]")}.get(sort, (1 << 30, ""))
        many = self._one("select count(*) from words where sort = ?", sort) >= bound
        known = not many or self._one("select count(*) from words where sort = ? and value = ?", sort, value)
        return value if known else others

    def _slot(self, judge: str) -> int | None:
        """The column of a judge's scores; `None` where there are too many judges."""
        found = self._words.get(("judge", judge))
        if found is None:
            known = self._one("select value from facts where name = 'judges'")
            slots = orjson.loads(known) if known else []
            if judge not in slots:
                if len(slots) >= JUDGES:
                    return None
                slots = [*slots, judge]
                self._database.execute(
                    "insert or replace into facts values ('judges', ?)", (orjson.dumps(slots).decode(),)
                )
            found = self._words["judge", judge] = slots.index(judge)
        return found

    def _one(self, query: str, *values: Any) -> Any:
        found = self._database.execute(query, values).fetchone()
        return found[0] if found else None


@dataclass(slots=True)
class Told:
    """A stored row, and what its JSON tells of how it came to be: read once, which is what indexing mostly does."""

    row: Stored
    provenance: Mapping[str, Any]
    """Of a sample; empty for a reject."""
    calls: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, row: Stored) -> Self:
        if row.provenance:
            provenance = orjson.loads(row.provenance)
            return cls(row, provenance, provenance.get("calls", ()), provenance.get("verdicts", ()))
        return cls(row, {}, *(orjson.loads(part) if len(part) > 2 else () for part in (row.calls, row.verdicts)))

    @property
    def source(self) -> int | None:
        """Which row of the source it came of and with which draw, as one number, so that the draws of a row stand
        together; `None` where that is not kept."""
        if self.row.kind == "sample":
            source = self.provenance.get("source") or {}
            index, draw = source.get("index"), source.get("draw")
        else:
            draw, index = (int(one) if one.isdecimal() else None for one in (*self.row.id.split("-"), "")[:2])
        if type(index) is int and type(draw) is int and 0 <= index < MOST_SOURCES and draw >= 0:
            return index * DRAWS + min(draw, DRAWS - 1)
        return None


def beginnings(told: Told, judges: frozenset[str]) -> tuple[str, str]:
    """How what is asked begins, and what is answered."""
    turns = told.row.turns
    if turns:
        asked = next((spoken(turn) for turn in turns if not turn["train"] and turn["role"] != "system"), "")
        return _begin(asked), _begin(next((spoken(turn) for turn in turns if turn["train"]), ""))
    return _begin(told.row.place), _begin(last_answer(told.calls, told.verdicts, judges))


def last_answer(
    calls: Sequence[Mapping[str, Any]], verdicts: Sequence[Mapping[str, Any]], judges: frozenset[str]
) -> str:
    """What a model answered last that is a part of the row: what a judge was told, such as a bare yes, is none."""
    judging = judges | {one["step"] for one in verdicts}
    return next((one["answer"] for one in reversed(calls) if one.get("answer") and one["step"] not in judging), "")


def _begin(text: str) -> str:
    line = " ".join(text[: 2 * BEGINNING].split())
    short = line if len(line) <= BEGINNING else line[: BEGINNING - 1] + "…"
    return short if short.isprintable() else visible(short)


def measures_of(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Measures that are words, yes and no, or small whole numbers: each name with its value; lists give several."""
    return sorted({pair for name, value in provenance.get("measures", {}).items() for pair in _measured(name, value)})


def _measured(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield name, "yes" if value else "no"
    elif isinstance(value, int) and abs(value) < 100:
        yield name, str(value)
    elif isinstance(value, str) and len(value) <= 60:
        yield name, value
    elif isinstance(value, list):
        yield from ((name, one) for one in value if isinstance(one, str) and len(one) <= 60)


def said_of(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float | None, bool]]:
    """Judge to its last score of a row, where it is a number, and whether it passed."""
    return {one["step"]: (_number(one["score"]), bool(one["passed"])) for one in verdicts}


def _number(score: Any) -> float | None:
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    return float(score) if is_number and abs(score) < float("inf") else None
