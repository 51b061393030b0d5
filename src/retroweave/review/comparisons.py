"""Comparisons of prompts: answers side by side with their names hidden, what persons said of them, and what follows.

They are kept in `comparisons.sqlite`, where nothing is changed or taken out: a person who thinks again adds an entry,
and the latest counts. A letter stands for another version in each row, by lot, so that it tells nothing.
"""

from __future__ import annotations

import math
import random
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson

from retroweave.export.templates import write_whole
from retroweave.judges.rates import Rate
from retroweave.pipeline.errors import RunStopped, UserError
from retroweave.pipeline.odds import wilson
from retroweave.review.databases import connected
from retroweave.review.rewording import Answered, Version

__all__ = ["Compared", "Comparison", "Difference", "paired_difference"]

FILE = "comparisons.sqlite"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TABLES = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists comparisons (
    id text primary key, step text not null, seed integer not null, versions text not null, at text not null
);
create table if not exists answers (
    comparison text not null, row text not null, version integer not null, answered text not null,
    primary key (comparison, row, version)
);
create table if not exists said (
    number integer primary key autoincrement, comparison text not null, row text not null, person text not null,
    version integer not null, passes integer not null, picked integer not null, at text not null
);
create index if not exists by_comparison on said (comparison);
"""
_NONE = -1
"""The version that is picked where none is the better."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one version."""

    version: str
    answered: int
    """Rows."""
    passed: Rate | None
    """Rows marked as passing, of those marked (Wilson)."""
    accepted: Rate | None
    """Rows that the pipeline's own checks and judges accepted, of those that did not fail (Wilson)."""
    preferred: Rate | None
    """Rows where it was picked, of those where one was picked as the better (Wilson)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the second of two versions is than the first; on the rows that tell of both."""

    first: str
    second: str
    marks: Rate | None
    """Of the shares marked as passing, from -1 to 1: Newcombe's interval for paired shares (1998, method 10)."""
    accepted: Rate | None
    """The same of what the pipeline accepted."""


class Comparison:
    """One comparison: versions of a step's prompt, their answers, what persons say."""

    def __init__(self, folder: Path, id: str, step: str, versions: Sequence[Version], seed: int, at: str) -> None:
        self.id = id
        self.step = step
        self.versions = tuple(versions)
        self.at = at
        self._seed = seed
        self._path = folder / FILE
        self._lock = threading.RLock()

    @classmethod
    def begin(cls, folder: Path, step: str, versions: Sequence[Version], seed: int | None = None) -> Comparison:
        """A new one; it is on the disk at once. `folder` is the run directory, or whatever there is instead."""
        if not 2 <= len(versions) <= len(_LETTERS):
            raise UserError(f"A comparison has two versions or more, {len(_LETTERS)} at most, not {len(versions)}.")
        if len({one.name for one in versions}) < len(versions):
            raise UserError("Each version of a comparison has a name of its own.")
        drawn = secrets.randbits(40) if seed is None else seed
        found = cls(folder, secrets.token_hex(6), step, versions, drawn, _now())
        texts = orjson.dumps([asdict(one) for one in versions]).decode()
        with found._writing() as database:
            values = (found.id, step, drawn, texts, found.at)
            database.execute("insert into comparisons values (?, ?, ?, ?, ?)", values)
        return found

    @classmethod
    def find(cls, folder: Path, id: str) -> Comparison:
        """Raises `UserError` where there is none."""
        for one in cls.all(folder):
            if one.id == id:
                return one
        raise UserError(f"There is no comparison {id!r} in {folder}.")

    @classmethod
    def all(cls, folder: Path) -> list[Comparison]:
        """The latest first."""
        if not (folder / FILE).exists():
            return []
        with _opened(folder / FILE) as database:
            found = database.execute(
                "select id, step, versions, seed, at from comparisons order by rowid desc"
            ).fetchall()
        return [
            cls(folder, id, step, [Version(**one) for one in orjson.loads(versions)], seed, at)
            for id, step, versions, seed, at in found
        ]

    def add(self, answered: Answered) -> None:
        """Keep an answer; a later one of the same version on the same row takes its place."""
        with self._writing() as database:
            values = (self.id, answered.row, self._place(answered.version), orjson.dumps(asdict(answered)).decode())
            database.execute("insert or replace into answers values (?, ?, ?, ?)", values)

    def rows(self) -> list[str]:
        """Rows that every version has answered, in their order."""
        return [row for row, found in self._answers().items() if len(found) == len(self.versions)]

    def side_by_side(self, row: str) -> list[tuple[str, Answered]]:
        """`[("A", …), ("B", …)]` in random order, another one in each row: a letter tells nothing of the version."""
        found = self._answers().get(row, {})
        order = self._order(row)
        if len(found) < len(order):
            raise UserError(f"Not every version has answered the row {row!r} of the comparison {self.id} yet.")
        return [(letter, found[place]) for letter, place in zip(_LETTERS, order, strict=False)]

    def pick(self, row: str, person: str, letter: str | None) -> None:
        """This one is the better; `None` where none is. On the disk when it returns."""
        self._say(row, person, _NONE if letter is None else self._meant(row, letter), passes=False, picked=True)

    def mark(self, row: str, person: str, letter: str, passes: bool) -> None:
        """This answer will do, or will not. On the disk when it returns."""
        self._say(row, person, self._meant(row, letter), passes=passes, picked=False)

    def said(self, row: str, person: str) -> Mapping[str, Any]:
        """`{"picked": "A" or "" or None, "marks": {"A": True}}`; picked is "" where none is better, `None` unsaid."""
        letters = {place: letter for letter, place in zip(_LETTERS, self._order(row), strict=False)}
        picked = self._picks().get((row, person))
        marks = {
            letters[place]: passes for (at, who, place), passes in self._marks().items() if (at, who) == (row, person)
        }
        return {"picked": None if picked is None else letters.get(picked, ""), "marks": marks}

    def results(self) -> tuple[list[Compared], list[Difference]]:
        """Each version, and each two of them, by what all persons said; of several persons' marks the majority's."""
        places = range(len(self.versions))
        marks, accepted = [self._marked(place) for place in places], [self._accepted(place) for place in places]
        picks = [place for place in self._picks().values() if place != _NONE]
        answers = list(self._answers().values())
        compared = [
            Compared(
                one.name,
                sum(place in found for found in answers),
                _share(marks[place].values()),
                _share(accepted[place].values()),
                _share(pick == place for pick in picks),
            )
            for place, one in enumerate(self.versions)
        ]
        differences = [
            Difference(
                self.versions[one].name,
                self.versions[other].name,
                _paired(marks[one], marks[other]),
                _paired(accepted[one], accepted[other]),
            )
            for one, other in combinations(places, 2)
        ]
        return compared, differences

    def choices(self) -> tuple[int, int]:
        """How often persons picked an answer as the better, and how often they said that neither is: each person and
        row is one choice."""
        picks = self._picks().values()
        equal = sum(place == _NONE for place in picks)
        return len(picks) - equal, equal

    def save_winner(self, version: str, path: Path) -> Path:
        """Write the version's text to the prompt file, and why as `NAME.evidence.json` beside it, whose path is given.

        The evidence holds every version's text, and the file's from before.
        """
        text = self.versions[self._place(version)].text
        compared, differences = self.results()
        evidence = {
            "comparison": self.id,
            "step": self.step,
            "begun": self.at,
            "saved": _now(),
            "winner": version,
            "before": path.read_text("utf-8") if path.exists() else None,
            "versions": [asdict(one) for one in self.versions],
            "results": [asdict(one) for one in compared],
            "differences": [asdict(one) for one in differences],
            "choices": dict(zip(("one", "neither"), self.choices(), strict=True)),
            "intervals": "95 %: Wilson's for shares, Newcombe's paired ones (1998, method 10) for differences",
            "people": sorted({person for _, person, _ in self._marks()} | {person for _, person in self._picks()}),
            "rows": {
                row: {self.versions[place].name: one.answer for place, one in found.items()}
                for row, found in self._answers().items()
            },
        }
        beside = path.with_suffix(".evidence.json")
        write_whole(beside, orjson.dumps(evidence, option=orjson.OPT_INDENT_2).decode() + "\n")
        write_whole(path, text)
        return beside

    def _place(self, version: str) -> int:
        names = [one.name for one in self.versions]
        if version not in names:
            raise UserError(f"The comparison {self.id} has no version {version!r}; it has {', '.join(names)}.")
        return names.index(version)

    def _order(self, row: str) -> list[int]:
        order = list(range(len(self.versions)))
        random.Random(f"{self._seed} {row}").shuffle(order)
        return order

    def _meant(self, row: str, letter: str) -> int:
        order = self._order(row)
        if letter not in _LETTERS[: len(order)] or len(letter) != 1:
            raise UserError(f"There is no answer {letter!r}; there are {', '.join(_LETTERS[: len(order)])}.")
        return order[_LETTERS.index(letter)]

    def _say(self, row: str, person: str, version: int, *, passes: bool, picked: bool) -> None:
        if row not in self._answers():
            raise UserError(f"The comparison {self.id} has no row {row!r}.")
        with self._writing() as database:
            database.execute(
                "insert into said (comparison, row, person, version, passes, picked, at) values (?, ?, ?, ?, ?, ?, ?)",
                (self.id, row, person, version, int(passes), int(picked), _now()),
            )

    def _answers(self) -> dict[str, dict[int, Answered]]:
        """Row to version to answer."""
        query = "select row, version, answered from answers where comparison = ? order by rowid"
        found: dict[str, dict[int, Answered]] = {}
        for row, version, answered in self._all(query):
            found.setdefault(row, {})[version] = _answered(answered)
        return dict(sorted(found.items(), key=lambda one: [int(part) for part in one[0].split("-")]))

    def _picks(self) -> dict[tuple[str, str], int]:
        """Row and person to the version picked last."""
        query = "select row, person, version from said where comparison = ? and picked order by number"
        return {(row, person): version for row, person, version in self._all(query)}

    def _marks(self) -> dict[tuple[str, str, int], bool]:
        query = "select row, person, version, passes from said where comparison = ? and not picked order by number"
        return {(row, person, version): bool(passes) for row, person, version, passes in self._all(query)}

    def _marked(self, place: int) -> dict[str, bool]:
        """Row to what most persons said of a version's answer; rows on which they are at odds are left out."""
        balance: dict[str, int] = {}
        for (row, _, version), passes in self._marks().items():
            if version == place:
                balance[row] = balance.get(row, 0) + (1 if passes else -1)
        return {row: value > 0 for row, value in balance.items() if value}

    def _accepted(self, place: int) -> dict[str, bool]:
        """Row to whether the pipeline accepted a version's answer; what failed tells nothing."""
        kinds = {row: found[place].kind for row, found in self._answers().items() if place in found}
        return {row: kind == "sample" for row, kind in kinds.items() if kind != "failure"}

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        with self._lock, _opened(self._path) as database:
            return database.execute(query, (self.id,)).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _opened(self._path) as database, database:
            database.execute("begin immediate")
            yield database


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = connected(path, _TABLES)
    except (OSError, sqlite3.Error) as error:
        raise _stopped(path, error) from error
    try:
        yield database
    except sqlite3.Error as error:
        raise _stopped(path, error) from error
    finally:
        database.close()


def _stopped(path: Path, error: Exception) -> RunStopped:
    return RunStopped(
        f"The comparisons {str(path)!r} cannot be used: {error}. Make room or mend the folder's permissions."
    )


def _answered(text: str) -> Answered:
    found = orjson.loads(text)
    return Answered(**{**found, "prompt": tuple(found["prompt"])})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _share(passed: Any) -> Rate | None:
    found = list(passed)
    if not found:
        return None
    return Rate(sum(found) / len(found), *wilson(sum(found), len(found)), len(found))


def _paired(first: Mapping[str, bool], second: Mapping[str, bool]) -> Rate | None:
    rows = [row for row in first if row in second]
    if not rows:
        return None
    counts = dict.fromkeys(((True, True), (True, False), (False, True), (False, False)), 0)
    for row in rows:
        counts[second[row], first[row]] += 1
    return Rate(*paired_difference(*counts.values()), len(rows))


def paired_difference(both: int, one: int, other: int, neither: int) -> tuple[float, float, float]:
    """Of two shares on the same rows, the one less the other, with the ends of its 95 % interval.

    `one` counts the rows where only the one passes. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data" (1998), method 10: Wilson's intervals squared and added, less what the
    two have in common.
    """
    rows = both + one + other + neither
    share, against = (both + one) / rows, (both + other) / rows
    (low, high), (least, most) = wilson(both + one, rows), wilson(both + other, rows)
    phi = _phi(both, one, other, neither)
    down = _joined(share - low, most - against, phi)
    up = _joined(high - share, against - least, phi)
    difference = share - against
    return difference, max(-1.0, difference - down), min(1.0, difference + up)


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _phi(both: int, one: int, other: int, neither: int) -> float:
    """How far the two go together, a little less than it looks like where they do (Newcombe's continuity
    correction)."""
    product = (both + one) * (other + neither) * (both + other) * (one + neither)
    if not product:
        return 0.0
    more = both * neither - one * other
    if more > 0:
        more = max(0, 2 * more - (both + one + other + neither)) / 2  # type: ignore[assignment]
    return more / math.sqrt(product)
