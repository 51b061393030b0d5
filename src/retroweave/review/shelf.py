"""Where a run's rows stand: in groups of a thousand that can be read one by one, whichever files hold them.

A finished run has Parquet files, whose footers say what stands where, so that any row is one row group away. A run that
is under way, or was stopped, has its journal: there rows stand as they came, before duplicates were taken out. Nothing
here looks into a row further than to tell its parts apart.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retroweave.export.dataset import REJECT_SCHEMA, SAMPLE_SCHEMA, SPLITS, TOOL_SCHEMA, read_run
from retroweave.export.labelled import signature
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.journal import JOURNAL, decode
from retroweave.pipeline.row import Leaf, digest
from retroweave.text.tool_calls import spoken

__all__ = [
    "Group",
    "JournalShelf",
    "ParquetShelf",
    "Shelf",
    "Stored",
    "open_shelf",
    "signature_of",
    "stamps_of",
]

UNFINISHED = "unfinished"
"""The signature of a run whose rows may be others in a moment."""
_OUTCOMES = 200
"""Source rows of a journal in one group."""
_ROOM = 1 << 20
"""Numbers that a group of a journal may give its rows: how many there are is not known before it is read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it is stored: JSON is not read yet."""

    number: int
    id: str
    kind: str
    split: str
    recipe: str
    layout: str
    license: str
    place: str
    step: str
    reason: str
    trace: str
    turns: Sequence[Mapping[str, Any]]
    """Role, content and train; and what is called, where a turn calls a tool."""
    variants: str | bytes
    provenance: str | bytes
    """Of a sample; empty for a reject."""
    calls: str | bytes
    verdicts: str | bytes
    """Of a reject; a sample has them in its provenance."""
    tools: Sequence[str] = ()
    """The schemas of the tools that may be called, as JSON."""

    @property
    def content(self) -> bytes:
        """A hash of what a person judges: the conversation, or what models answered, or why there is neither."""
        if self.turns:
            parts = (part for turn in self.turns for part in (turn["role"], spoken(turn)))
            return digest("turns", *parts, *self.tools)
        if len(self.calls) > 2:
            return digest("calls", self.calls)
        return digest("lost", self.place, self.step, self.reason)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are read together."""

    place: int
    """Its own, among all groups."""
    first: int
    """The number of its first row."""
    count: int
    """How many numbers it has; in a journal it may use fewer."""
    part: Any
    """Where a shelf finds it."""


class Shelf(Protocol):
    """A run's rows, in groups."""

    @property
    def signature(self) -> str:
        """Tells this state of the files from others."""

    @property
    def groups(self) -> Sequence[Group]: ...

    @property
    def judges(self) -> frozenset[str]:
        """The steps that judge, as far as they are known: what models answer there is no part of a row."""

    @property
    def dense(self) -> bool:
        """Whether each number below the count is a row's."""

    def read(self, group: Group) -> list[Stored]: ...

    def holding(self, group: Group, text: str) -> list[int]:
        """The numbers of the rows in which a text stands; capitals do not matter."""

    def seek(self, id: str) -> int | None:
        """The number of a row, found without an index."""

    def close(self) -> None: ...


def open_shelf(run_dir: Path) -> tuple[Shelf, Mapping[str, Any]]:
    """The rows of a run directory, and what `run.json` says or would say. Raises `UserError` where there is no run."""
    journal = run_dir / JOURNAL
    if not (run_dir / "run.json").is_file() and journal.is_file():
        shelf = JournalShelf(journal)
        return shelf, shelf.run
    run = read_run(run_dir)
    return ParquetShelf(run_dir, frozenset(judge["step"] for judge in run["judges"])), run


def signature_of(run_dir: Path) -> str:
    """That of the files as they stand now."""
    return signature(run_dir) if (run_dir / "run.json").is_file() else UNFINISHED


def stamps_of(run_dir: Path) -> list[tuple[str, int, int]]:
    """When the files were written, and how long they are: while this stays as it is, so do they."""
    files = [path for path in (*_files(run_dir), run_dir / "run.json") if path.is_file()]
    return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files]


def _files(run_dir: Path) -> list[Path]:
    shards = [path for split in SPLITS for path in sorted((run_dir / "data").glob(f"{split}-*.parquet"))]
    return [*shards, run_dir / "rejects.parquet"]


class ParquetShelf:
    """A finished run's files. One row group is kept, since the next page mostly wants the same one."""

    dense = True

    def __init__(self, run_dir: Path, judges: frozenset[str]) -> None:
        self._run_dir = run_dir
        self.judges = judges
        self.signature = signature_of(run_dir)
        self._open: dict[Path, pq.ParquetFile] = {}
        self.groups = tuple(self._grouped())
        self._firsts = [group.first for group in self.groups]
        self.count = self.groups[-1].first + self.groups[-1].count if self.groups else 0

    def _grouped(self) -> Iterator[Group]:
        first = place = 0
        for path in _files(self._run_dir):
            file = self._file(path)
            for part in range(file.num_row_groups):
                count = file.metadata.row_group(part).num_rows
                yield Group(place, first, count, (path, part))
                first, place = first + count, place + 1

    def _file(self, path: Path) -> pq.ParquetFile:
        if path not in self._open:
            expected = (REJECT_SCHEMA,) if _is_rejects(path) else (SAMPLE_SCHEMA, TOOL_SCHEMA)
            try:
                file = pq.ParquetFile(path)
            except (OSError, pa.ArrowInvalid) as error:
                raise UserError(f"{path} cannot be read: {error}. {_again(self._run_dir)}") from error
            if not any(file.schema_arrow.equals(schema) for schema in expected):
                raise UserError(f"{path} has other columns than a run writes. {_again(self._run_dir)}")
            self._open[path] = file
        return self._open[path]

    def close(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def read(self, group: Group) -> list[Stored]:
        path, _ = group.part
        table = self._table(group)
        return list(_rejects(table, group.first) if _is_rejects(path) else _samples(table, group.first, _split(path)))

    def _table(self, group: Group, columns: list[str] | None = None) -> pa.Table:
        path, part = group.part
        return self._file(path).read_row_group(part, columns=columns, use_threads=False)

    def holding(self, group: Group, text: str) -> list[int]:
        path, _ = group.part
        in_json = orjson.dumps(text).decode()[1:-1]
        if _is_rejects(path):
            table = self._table(group, ["row", "step", "reason", "source", "calls"])
            within = [(name, in_json if name == "calls" else text) for name in table.column_names]
            found = {place for name, sought in within for place in _matches(table[name].combine_chunks(), sought)}
        else:
            turns = self._table(group, ["messages"])["messages"].combine_chunks()
            as_json = isinstance(turns.values, pa.ExtensionArray)
            contents = turns.values.storage if as_json else turns.values.field("content")
            offsets = turns.offsets.to_pylist()
            found = {bisect_right(offsets, hit) - 1 for hit in _matches(contents, in_json if as_json else text)}
        return [group.first + place for place in sorted(found)]

    def seek(self, id: str) -> int | None:
        for group in self.groups:
            path, _ = group.part
            column, value = ("row", id.replace("-", "/")) if _is_rejects(path) else ("id", id)
            place = pc.index(self._table(group, [column])[column], value).as_py()
            if place >= 0:
                return group.first + int(place)
        return None


def _is_rejects(path: Path) -> bool:
    return path.name == "rejects.parquet"


def _split(path: Path) -> str:
    return path.name.partition("-")[0]


def _matches(column: Any, text: str) -> list[int]:
    """The places of the texts that hold another; where it has no letters, capitals need not be minded, which is
    faster."""
    folds = text.lower() != text.upper()
    found: list[int] = pc.indices_nonzero(pc.match_substring(column, text, ignore_case=folds)).to_pylist()
    return found


def _samples(table: pa.Table, first: int, split: str) -> Iterator[Stored]:
    conversations = _conversations(table["messages"].combine_chunks())
    tools = table["tools"].to_pylist() if "tools" in table.column_names else [()] * len(table)
    names = ("id", "recipe", "layout", "license", "source", "variants", "provenance")
    columns = zip(*(table[name].to_pylist() for name in names), strict=True)
    for place, (id, recipe, layout, license, source, variants, provenance) in enumerate(columns):
        own = (id, "sample", split, recipe, layout, license, source, "", "", "")
        turns = conversations[place]
        yield Stored(first + place, *own, turns, variants, provenance, "", "", tools[place])


def _conversations(column: Any) -> list[list[Mapping[str, Any]]]:
    """The turns of each row; column by column, which takes a tenth of the time of Arrow's own dictionaries."""
    turns: list[Mapping[str, Any]]
    if isinstance(column.values, pa.ExtensionArray):
        turns = [orjson.loads(turn) for turn in column.values.storage.to_pylist()]
    else:
        parts = (column.values.field(name).to_pylist() for name in ("role", "content", "train"))
        turns = [{"role": role, "content": text, "train": train} for role, text, train in zip(*parts, strict=True)]
    offsets = column.offsets.to_pylist()
    return [turns[start:end] for start, end in pairwise(offsets)]


def _rejects(table: pa.Table, first: int) -> Iterator[Stored]:
    columns = zip(*(table[name].to_pylist() for name in REJECT_SCHEMA.names), strict=True)
    for place, (row, step, kind, reason, trace, source, calls, verdicts) in enumerate(columns):
        id = row.replace("/", "-")
        yield Stored(first + place, id, kind, "", "", "", "", source, step, reason, trace, (), "", "", calls, verdicts)


class JournalShelf:
    """The journal of a run that has not come to its end, as it stood when it was opened."""

    dense = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.signature = UNFINISHED
        self.judges: frozenset[str] = frozenset()
        with self._database() as database:
            found = database.execute("select value from facts where name = 'fingerprint'").fetchone()
            keys = [key for (key,) in database.execute("select row from outcomes order by row")]
        known = orjson.loads(found[0]) if found else {}
        self.run: Mapping[str, Any] = {
            "recipe": known.get("recipe", ""),
            "config": known.get("config", {}),
            "seed": known.get("seed", 0),
            "steps": [],
            "judges": [],
            "unfinished": True,
        }
        chunks = [keys[at : at + _OUTCOMES] for at in range(0, len(keys), _OUTCOMES)]
        self.groups = tuple(Group(place, place * _ROOM, _ROOM, chunk) for place, chunk in enumerate(chunks))

    def _database(self) -> _Closing:
        return _Closing(self._path)

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, group: Group) -> list[Stored]:
        keys: Sequence[int] = group.part
        with self._database() as database:
            query = "select row, leaves from outcomes where row between ? and ? order by row"
            records = database.execute(query, (keys[0], keys[-1])).fetchall()
        known = set(keys)
        leaves = [leaf for key, record in records if key in known for leaf in decode(record)]
        return [self._stored(group.first + place, leaf) for place, leaf in enumerate(leaves[:_ROOM])]

    def _stored(self, number: int, leaf: Leaf) -> Stored:
        sample, recipe = leaf.sample, str(self.run["recipe"])
        if leaf.kind == "sample":
            own = (sample["recipe"], sample["layout"], sample["license"])
            parts = (orjson.dumps(sample["variants"]), orjson.dumps(sample["provenance"]))
            head = (number, sample["id"], "sample", "", *own, leaf.place, "", "", "")
            tools = [orjson.dumps(one).decode() for one in sample.get("tools", ())]
            return Stored(*head, sample["messages"], *parts, "", "", tools)
        calls, verdicts = (orjson.dumps(sample.get(name, [])) for name in ("calls", "verdicts"))
        id = "-".join(map(str, leaf.path))
        lost = (leaf.step, leaf.reason, leaf.trace)
        return Stored(number, id, leaf.kind, "", recipe, "", "", leaf.place, *lost, (), b"", b"", calls, verdicts)

    def holding(self, group: Group, text: str) -> list[int]:
        sought = text.lower()
        return [row.number for row in self.read(group) if any(sought in part.lower() for part in _texts(row))]

    def seek(self, id: str) -> int | None:
        rows = (row for group in self.groups for row in self.read(group))
        return next((row.number for row in rows if row.id == id), None)


def _texts(row: Stored) -> Iterator[str]:
    yield from (spoken(turn) for turn in row.turns)
    if not row.turns:
        yield from (row.id.replace("-", "/"), row.step, row.reason, row.place)
        for call in orjson.loads(row.calls or "[]"):
            prompt = call.get("prompt", "")
            yield from ([prompt] if isinstance(prompt, str) else [turn["content"] for turn in prompt])
            yield call.get("answer") or ""


class _Closing:
    """A database that is only read, open for as long as a `with` lasts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=20)
        except sqlite3.Error as error:
            raise UserError(f"The journal {self._path} cannot be read: {error}.") from error
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


def _again(run_dir: Path) -> str:
    return f"Give the retroweave run command that made it again, with --out {run_dir}, to write it anew."
