"""The journal of outcomes: what survives a crash.

One SQLite file in the run directory (WAL, one writer) holds the leaves of every finished source row. It is valid under
a fingerprint; files are rendered from it. It knows nothing of what a leaf means.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import zstandard

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.row import Drawn, Leaf

__all__ = ["JOURNAL", "Journal", "decode", "encode"]

JOURNAL = "outcomes.sqlite"
"""Its name in the run directory, which is known by it."""

_DRAW = 1 << 40
"""Rows of one draw have consecutive keys; no source has more rows than this."""

# Level 1 takes 18 µs for 7 kB where zlib's lightest takes 67, and both leave a third of it.
_COMPRESS = zstandard.ZstdCompressor(level=1)
_DECOMPRESS = zstandard.ZstdDecompressor()


def encode(leaves: list[Leaf]) -> bytes:
    """The leaves of one source row as they are kept: JSON, compressed lightly. `TypeError` where a sample is none."""
    return _COMPRESS.compress(
        orjson.dumps(
            [
                [leaf.kind, leaf.path, leaf.step, _said(leaf.reason), _said(leaf.trace), leaf.sample, _said(leaf.place)]
                for leaf in leaves
            ]
        )
    )


def _said(text: str) -> str:
    """What an error says may hold half a character, of a file's name or of the text that it complains about."""
    return text.encode("utf-8", "backslashreplace").decode()


def decode(record: bytes) -> list[Leaf]:
    return [
        Leaf(kind, tuple(path), step, reason, trace, sample, place)
        for kind, path, step, reason, trace, sample, place in orjson.loads(_DECOMPRESS.decompress(record))
    ]


class Journal:
    """Outcomes by draw and source index. Each `put` is one transaction: there after it returns, whatever dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        try:
            self._database.executescript(
                """
                pragma journal_mode = wal;
                pragma synchronous = normal;
                create table if not exists facts (name text primary key, value text not null);
                create table if not exists outcomes (
                    row integer primary key, failed integer not null, leaves blob not null
                );
                """
            )
        except sqlite3.Error as error:
            self._database.close()
            raise self._stopped(error) from error

    def fingerprint(self) -> dict[str, Any] | None:
        """What the outcomes are valid under; `None` in a new journal."""
        found = self._one("select value from facts where name = 'fingerprint'")
        return orjson.loads(found) if found else None

    def begin(self, fingerprint: dict[str, Any]) -> None:
        """Start anew under this fingerprint; outcomes of another one are forgotten."""
        with self._transaction():
            self._database.execute("delete from outcomes")
            self._database.execute(
                "insert or replace into facts values ('fingerprint', ?)", (orjson.dumps(fingerprint).decode(),)
            )

    def run_id(self) -> str:
        """A name for this run, however often it is stopped or begun anew: what it has spent is counted under it."""
        known = self._one("select value from facts where name = 'run'")
        if known is None:
            known = secrets.token_hex(8)
            with self._transaction():
                self._database.execute("insert into facts values ('run', ?)", (known,))
        return str(known)

    def get(self, drawn: Drawn) -> bytes | None:
        """The finished outcome of a source row; one with a failure does not count, so that it is tried again."""
        found: bytes | None = self._one(
            "select leaves from outcomes where row = ? and not failed", drawn.draw * _DRAW + drawn.index
        )
        return found

    def put(self, outcomes: Iterable[tuple[Drawn, bytes, bool]]) -> None:
        """Keep outcomes: source row, its leaves encoded, and whether one of them is a failure."""
        with self._transaction():
            self._database.executemany(
                "insert or replace into outcomes values (?, ?, ?)",
                ((drawn.draw * _DRAW + drawn.index, failed, leaves) for drawn, leaves, failed in outcomes),
            )

    @property
    def empty(self) -> bool:
        """Whether it holds no row at all, be it finished or failed: nothing hangs on its fingerprint then."""
        return self._one("select 1 from outcomes limit 1") is None

    def __len__(self) -> int:
        count: int = self._one("select count(*) from outcomes where not failed")
        return count

    def _one(self, query: str, *parameters: Any) -> Any:
        """The first value of the first row that is found, or `None`."""
        try:
            found = self._database.execute(query, parameters).fetchone()
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        return found[0] if found else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing: what a full disk cut short is taken back, so that the next one can begin."""
        try:
            with self._database:
                self._database.execute("begin")
                yield
        except sqlite3.Error as error:
            raise self._stopped(error) from error

    def close(self) -> None:
        self._database.close()

    def _stopped(self, error: sqlite3.Error) -> RunStopped:
        return RunStopped(
            f"The journal {str(self._path)!r} cannot be used: {error}. Rows that were finished before are kept; "
            "make room or mend the folder's permissions, and the same command goes on."
        )
