"""The index of a run: which rows there are of each kind, so that a page of a million rows comes at once.

It is a SQLite file, `review.sqlite`, beside the data, made group by group while somebody looks at the first page. It
holds nothing that the run's files do not: it may be deleted at any time, and is made anew where it is of other files.
Two processes that make it at once each do a part. Texts are not in it, but for how each row begins.

`marks` is narrow on purpose: a filter that few rows fit looks at all of it, a million rows in less than 100 ms.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from retroweave.pipeline.errors import UserError
from retroweave.review.databases import connected
from retroweave.review.indexing import DRAWS, JUDGES, SETTINGS, make_index, set_up
from retroweave.review.shelf import UNFINISHED, Shelf

__all__ = ["Index"]

_SCORES = [f"s{slot}" for slot in range(JUDGES)]


class Index:
    """The index of one state of a run's files, to be read."""

    def __init__(self, path: Path, shelf: Shelf, moves: Mapping[str, str]) -> None:
        """`moves` are those of the run's steps, in order."""
        self._shelf = shelf
        self._moves = moves
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._folder: Path | None = None
        self._path, self._database = self._opened(path)
        self._counts: dict[str, int] = {}
        self._whole = False

    def _opened(self, path: Path) -> tuple[Path, sqlite3.Connection]:
        """In the run directory; in a folder of its own, and for this time only, where that cannot be written."""
        if self._shelf.signature == UNFINISHED:  # it is another run's in a moment, and nobody else's
            return self._in_a_folder_of_its_own(path.name)
        try:
            return path, self._connected(path)
        except sqlite3.OperationalError as error:
            if not any(said in str(error) for said in ("readonly", "unable to open", "disk is full")):
                raise UserError(f"The index {path} cannot be used: {error}. Delete it; it is made anew.") from error
        except sqlite3.DatabaseError:  # cut short, or none of ours
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return path, self._connected(path)
        return self._in_a_folder_of_its_own(path.name)

    def _in_a_folder_of_its_own(self, name: str) -> tuple[Path, sqlite3.Connection]:
        self._folder = Path(tempfile.mkdtemp(prefix="retroweave-review-"))
        return self._folder / name, self._connected(self._folder / name)

    def _connected(self, path: Path) -> sqlite3.Connection:
        database = connected(path, SETTINGS)
        try:
            set_up(database, self._shelf.signature)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def close(self) -> None:
        self._stop.set()
        with self._lock:
            self._database.close()
        if self._folder is not None:
            shutil.rmtree(self._folder)

    @property
    def done(self) -> int:
        """Groups that it knows."""
        return int(self._one("select count(*) from done"))

    @property
    def whole(self) -> bool:
        """Whether it knows all rows, and can look them up without looking at each."""
        self._whole = self._whole or bool(self._one("select count(*) from facts where name = 'whole'"))
        return self._whole

    def has(self, place: int) -> bool:
        """Whether it knows a group."""
        return bool(self._one("select count(*) from done where place = ?", place))

    @property
    def rows(self) -> int:
        """Rows that it knows."""
        return int(self._one("select coalesce(sum(rows), 0) from done"))

    def make(self, watch: Callable[[], None] = lambda: None) -> None:
        """Make what is missing. Returns when it is whole, or closed."""
        if not self._stop.is_set():
            make_index(self._path, self._shelf, self._moves, self._stop, watch)

    def judges(self) -> tuple[str, ...]:
        """Steps that gave verdicts with scores, each at the place of its column."""
        found = self._one("select value from facts where name = 'judges'")
        return tuple(orjson.loads(found)) if found else ()

    def words(self, sort: str) -> dict[str, int]:
        with self._lock:
            found = self._database.execute("select value, id from words where sort = ?", (sort,))
            return dict(found)

    def numbers(self, where: str, *, above: int, below: int, limit: int, backwards: bool = False) -> list[int]:
        """Rows between two numbers, ends excluded, in their order."""
        order = "desc" if backwards else "asc"
        query = (
            f"select number from marks where number > ? and number < ? and ({where}) order by number {order} limit ?"
        )
        found = [number for (number,) in self._all(query, above, below, limit)]
        return found[::-1] if backwards else found

    def count(self, where: str) -> int:
        """How many rows fit; to be asked of a whole index."""
        if where not in self._counts:
            self._counts[where] = int(self._one(f"select count(*) from marks where {where}"))
        return self._counts[where]

    def lines(self, numbers: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Number to all that a list shows of it, words by their numbers."""
        places = ", ".join("?" * len(numbers))
        query = (
            f"select number, id, asked, answered, kind, split, layout, step, reason, {', '.join(_SCORES)} "
            f"from lines join marks using (number) where number in ({places})"
        )
        return {row[0]: row for row in self._all(query, *numbers)}

    def number_of(self, id: str) -> int | None:
        found: int | None = self._one("select number from lines where id = ?", id)
        return found

    def contents(self, ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Id to number and content hash, of those that there are."""
        found: dict[str, tuple[int, bytes]] = {}
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            query = f"select id, number, content from lines where id in ({', '.join('?' * len(some))})"
            found |= {id: (number, content) for id, number, content in self._all(query, *some)}
        return found

    def seen(self, hashes: Sequence[int]) -> dict[int, list[tuple[str, int, bytes]]]:
        """Hash of what is seen blind to id, number and content hash of each row of which just that is seen."""
        found: dict[int, list[tuple[str, int, bytes]]] = {}
        for at in range(0, len(hashes), 500):
            some = hashes[at : at + 500]
            places = ", ".join("?" * len(some))
            query = f"select hash, id, number, content from seen join lines using (number) where hash in ({places})"
            for hash, *row in self._all(query, *some):
                found.setdefault(hash, []).append(tuple(row))
        return found

    def beside(self, number: int, most: int) -> tuple[list[int], int]:
        """Other rows that came of the same row of the source, and how many there are: those of the same draw first."""
        own = self._one("select source from lines where number = ?", number)
        if own is None:
            return [], 0
        first = own - own % DRAWS
        others = "from lines where source between ? and ? and number != ?"
        within = (first, first + DRAWS - 1, number)
        found = self._all(f"select number {others} order by source != ?, number limit ?", *within, own, most)
        return [one for (one,) in found], int(self._one(f"select count(*) {others}", *within))

    def tallies(self) -> list[tuple[str, str, int]]:
        """Sort of word, word, and how many rows have it."""
        return self._all("select sort, value, count from words join tallies on word = id")

    def bounds(self, slot: int) -> tuple[float | None, float | None]:
        """The lowest score of a judge that passed, and the highest that did not."""
        passed, failed = f"passed & {1 << slot}", f"failed & {1 << slot}"
        return (
            self._one(f"select min(s{slot}) from marks where {passed}"),
            self._one(f"select max(s{slot}) from marks where {failed}"),
        )

    def column(self, expression: str, where: str) -> list[tuple[Any, ...]]:
        """Number and an expression of the columns, of all rows that fit."""
        return self._all(f"select number, {expression} from marks where {where} order by number")

    def _all(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def _one(self, query: str, *values: Any) -> Any:
        with self._lock:
            found = self._database.execute(query, values).fetchone()
        return found[0] if found else None
