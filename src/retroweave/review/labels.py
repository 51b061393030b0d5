"""What persons said of rows: `labels.sqlite` of a run directory, where nothing is ever changed or taken out.

A label is an entry, and so is an undo. Each is on the disk before anybody sees the next row (WAL, every commit synced),
and several processes and threads may write at once. The labels of each person are kept apart. With a label stands a
hash of the row's content, and one of what a blind page showed of it; what has become of the row since `standing` tells.

Nothing here knows what is to be labelled, or what follows from it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

import orjson

from retroweave.pipeline.errors import RunStopped, UserError
from retroweave.review.databases import connected
from retroweave.review.rows import Row

__all__ = ["Decision", "Label", "Labels"]

Decision = Literal["accept", "reject", "unsure"]

FILE = "labels.sqlite"
UNDO = "undo"
LONGEST_NAME = 60
LONGEST_NOTE = 10_000
MOST_TAGS = 20

_TABLES = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists entries (
    number integer primary key autoincrement, row text not null, person text not null, decision text not null,
    tags text not null, note text not null, blind integer not null, judge text not null, score real, passed integer,
    kind text not null, drawn text not null, content text not null, at text not null, undoes integer,
    seen text not null default ''
);
create index if not exists by_row on entries (row);
create index if not exists by_person on entries (person);
create index if not exists by_undone on entries (undoes) where undoes is not null;
"""
_COLUMNS = "number, row, person, decision, tags, note, blind, judge, score, passed, kind, drawn, content, at, seen"
# A plus before a column keeps its index out: a row has few labels, and a person thousands.
_LOTS = (
    "(select json_group_array(same.drawn) from entries as same where same.row = entries.row and +same.person = "
    f"entries.person and same.content = entries.content and same.drawn != '' and same.decision != '{UNDO}' and not "
    "exists (select 1 from entries as other where other.undoes = same.number))"
)
_SEEN = "alter table entries add column seen text not null default ''"
"""For a file of a version that did not keep it."""
_STANDS = f"decision != '{UNDO}' and not exists (select 1 from entries as other where other.undoes = entries.number)"
_COUNTS = (
    f"{_STANDS} and not exists (select 1 from entries as later where later.row = entries.row and +later.person = "
    f"entries.person and later.number > entries.number and later.decision != '{UNDO}' and not exists "
    "(select 1 from entries as other where other.undoes = later.number))"
)


@dataclass(frozen=True, slots=True)
class Label:
    """One entry, as it stands in the file."""

    number: int
    row: str
    """The row's permanent id."""
    person: str
    decision: Decision
    tags: tuple[str, ...] = ()
    note: str = ""
    blind: bool = False
    """Whether the judge's verdict was hidden."""
    judge: str = ""
    score: float | None = None
    """The judge's score at the time."""
    passed: bool | None = None
    kind: str = ""
    """What had become of the row: sample, reject, ..."""
    drawn: str = ""
    """How the row came before the person: the key of its drawing and stratum; empty where they chose it themselves."""
    content: str = ""
    """The hash of the row's content (`Row.content`)."""
    at: str = ""
    """ISO time, UTC."""
    lots: tuple[str, ...] = ()
    """Every such key under which this person labelled the row as it is; a later label takes none of them away."""
    seen: str = ""
    """A hash of what a blind page showed of the row (`Rows.seen`), by which the label finds it again when it has become
    a reject, or a sample. Empty where the person saw more than that."""

    @property
    def right(self) -> bool | None:
        """Whether the person took the row to be right; `None` where they were not sure."""
        return {"accept": True, "reject": False, "unsure": None}[self.decision]


class Labels:
    """The labels of a run directory. Several processes and threads may use them at once."""

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir / FILE
        self._lock = threading.RLock()
        self._read_up_to = 0
        self._counting: list[Label] = []
        try:
            self._database = connected(self.path, _TABLES)
            self._add_what_is_missing()
        except sqlite3.Error as error:
            raise self._stopped(error) from error

    def _add_what_is_missing(self) -> None:
        if "seen" not in self._columns():
            with self._database:
                self._database.execute("begin immediate")
                if "seen" not in self._columns():  # another process may have been quicker
                    self._database.execute(_SEEN)

    def _columns(self) -> set[str]:
        return {name for _, name, *_ in self._database.execute("pragma table_info(entries)")}

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self,
        row: Row,
        person: str,
        decision: Decision,
        *,
        tags: Iterable[str] = (),
        note: str = "",
        blind: bool = False,
        judge: str = "",
        drawn: str = "",
        seen: str = "",
    ) -> Label:
        """Label a row. It is on the disk when this returns. A later label of the same person takes its place.

        `seen` is what `Rows.seen` gives, where nothing but that was shown; it is kept of a blind label alone.

        A person who thinks again of a row that was drawn for them says something of a drawn row, wherever they do it.

        Raises `UserError` for a person without a name (1 to 60 characters), a decision, a tag or a note that is none.
        """
        if decision not in get_args(Decision):
            raise UserError(f"A label is one of {', '.join(get_args(Decision))}, not {decision!r}.")
        given = tuple(dict.fromkeys(_named(tag, "A tag") for tag in tags))
        if len(given) > MOST_TAGS:
            raise UserError(f"A label has at most {MOST_TAGS} tags, not {len(given)}. Put the rest into the note.")
        values = {
            "row": row.id,
            "person": _named(person, "A person's name"),
            "decision": decision,
            "tags": orjson.dumps(given).decode(),
            "note": _note(note),
            "blind": int(blind),
            "judge": judge,
            "score": row.score(judge) if judge else None,
            "passed": row.passed(judge) if judge else None,
            "kind": row.kind,
            "drawn": drawn,
            "content": row.content,
            "seen": seen if blind else "",
        }
        with self._writing():
            before = self.of(row.id, str(values["person"]))
            if before and not drawn and before[0].content == row.content:
                values["drawn"] = before[0].drawn
            return self._label(self._entered(values))

    def undo(self, person: str) -> Label | None:
        """Take the person's last label back, and give it; the one before it of that row counts again.

        `None` where there is nothing left to undo. What is undone stays in the file, with the entry that undid it.
        """
        with self._writing():
            found = self._all(f"person = ? and {_STANDS} order by number desc limit 1", person)
            if not found:
                return None
            last = found[0]
            blank = dict.fromkeys(("note", "judge", "kind", "drawn", "content"), "")
            entry = {"row": last.row, "person": person, "decision": UNDO, "tags": "[]", "blind": 0, **blank}
            self._entered({**entry, "undoes": last.number})
            return last

    def of(self, row: str, person: str | None = None) -> list[Label]:
        """The labels of a row that count, one a person at most."""
        return [one for one in self._all(f"row = ? and {_COUNTS} order by number", row) if person in (None, one.person)]

    @property
    def newest(self) -> int:
        """The number of the last entry: while it is the same, so are all labels."""
        with self._lock:
            found: int = self._database.execute("select coalesce(max(number), 0) from entries").fetchone()[0]
        return found

    def counting(self, person: str | None = None) -> list[Label]:
        """All labels that count, in the order of entry."""
        with self._lock:
            newest = self.newest
            if newest != self._read_up_to:  # entries are only added, so that nothing else can have changed
                self._counting = self._all(f"{_COUNTS} order by number")
                self._read_up_to = newest
            return [one for one in self._counting if person in (None, one.person)]

    def history(self, person: str | None = None, limit: int = 50) -> list[Label]:
        """The latest labels that count, the latest first."""
        if person is None:
            return self._all(f"{_COUNTS} order by number desc limit ?", limit)
        return self._all(f"person = ? and {_COUNTS} order by number desc limit ?", person, limit)

    def people(self) -> Mapping[str, int]:
        """Person to number of labels that count, in the order in which they came."""
        return Counter(one.person for one in self.counting())

    def tags(self) -> Sequence[str]:
        """Tags that were given, the most frequent first."""
        return [tag for tag, _ in Counter(tag for one in self.counting() for tag in one.tags).most_common()]

    def __len__(self) -> int:
        """Labels that count."""
        with self._lock:
            count: int = self._database.execute(f"select count(*) from entries where {_COUNTS}").fetchone()[0]
        return count

    def _entered(self, values: Mapping[str, Any]) -> int:
        entry = {**values, "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        statement = f"insert into entries ({', '.join(entry)}) values ({', '.join('?' * len(entry))})"
        number = self._database.execute(statement, tuple(entry.values())).lastrowid
        assert number is not None
        return number

    def _label(self, number: int) -> Label:
        return self._all("number = ?", number)[0]

    def _all(self, where: str, *values: Any) -> list[Label]:
        try:
            with self._lock:
                statement = f"select {_COLUMNS}, {_LOTS} from entries where {where}"
                found = self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        return [_read(row) for row in found]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: on the disk when it ends, or nothing of it."""
        with self._lock:
            try:
                with self._database:
                    self._database.execute("begin immediate")
                    yield
            except sqlite3.Error as error:
                raise self._stopped(error) from error

    def _stopped(self, error: sqlite3.Error) -> RunStopped:
        return RunStopped(
            f"The labels {str(self.path)!r} cannot be used: {error}. Those that were given before are kept; make room "
            "or mend the folder's permissions, and go on."
        )


def _read(row: Sequence[Any]) -> Label:
    *entry, tags, note, blind, judge, score, passed, kind, drawn, content, at, seen, lots = row
    number, id, person, decision = entry
    return Label(
        number,
        id,
        person,
        decision,
        tuple(orjson.loads(tags)),
        note,
        bool(blind),
        judge,
        score,
        None if passed is None else bool(passed),
        kind,
        drawn,
        content,
        at,
        tuple(sorted(set(orjson.loads(lots)))),
        seen,
    )


def _named(text: str, what: str) -> str:
    """A name without the white space around it."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise UserError(f"{what} is 1 to {LONGEST_NAME} characters that can be seen, not {name[:80]!r}.")
    return name


def _note(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"A note is a text that can be stored; this one holds half a character: {error}.") from error
    if len(text) > LONGEST_NOTE:
        raise UserError(f"A note has at most {LONGEST_NOTE:,} characters, not {len(text):,}.")
    return text
