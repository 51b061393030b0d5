"""The journal of calls: what left the process and was paid for.

One SQLite file in the working folder (WAL) holds each answer under a key of exactly what was asked, and each request
that was sent with what it may cost at most, written before it is sent. It outlives runs and `--again`: an answer that
stands here is never paid for twice, and a request that died with the process still counts against its run's budget.

What comes to it in one turn of the event loop is written in one transaction.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.model import Abilities, Answer

__all__ = ["CallJournal", "Spent"]

FOLDER = ".retroweave"
"""In the working folder: all its runs share what was paid for."""

ATTEMPTS = 100
"""At opening a file that another process is just making."""
UNDER_WAY, KNOWN, UNKNOWN = 0, 1, 2
"""What became of a request: nothing yet, or its process died; known what it took; not known, and booked at most."""

_TABLES = """
pragma journal_mode = wal;
pragma synchronous = normal;
pragma busy_timeout = 20000;
create table if not exists answers (key blob primary key, answer blob not null);
create table if not exists sends (
    number integer primary key, run text not null, model text not null, key blob not null,
    tokens integer not null, cost real not null, settled integer not null
);
create table if not exists abilities (identity text primary key, found text not null);
"""


@dataclass
class Spent:
    """What requests took: as it was told of those that were answered, at most of those that were not."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    """Dollars."""
    unknown: int = 0
    """Calls among them of which nobody knows what they took; they stand here with the most that it may be."""


def _set_up(database: sqlite3.Connection) -> None:
    """Make the tables. Of two processes that open a new file at once, one is turned away, whatever its patience."""
    for _ in range(ATTEMPTS):
        try:
            database.executescript(_TABLES)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.05)
    database.executescript(_TABLES)


class CallJournal:
    """Answers by key, and what was sent. It belongs to one event loop; other processes may write to the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._stopped(error) from error
        try:
            _set_up(self._database)
        except sqlite3.Error as error:
            self._database.close()
            raise self._stopped(error) from error
        self._number = secrets.randbits(42) << 20  # of its own, whichever other process writes to the file
        self._begun: list[tuple[int, str, str, bytes, int, float]] = []
        self._settled: list[tuple[int, float, int, int]] = []
        self._answers: dict[bytes, bytes] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._due = False

    @classmethod
    def here(cls) -> CallJournal:
        """That of the working folder."""
        return cls(Path(FOLDER) / "calls.sqlite")

    def get(self, key: bytes) -> Answer | None:
        """The answer that stands under this key, or waits to be written there."""
        if (waiting := self._answers.get(key)) is not None:
            return Answer.decoded(waiting)
        found = self._execute("select answer from answers where key = ?", (key,)).fetchone()
        return Answer.decoded(found[0]) if found else None

    async def begin(self, run: str, model: str, key: bytes, tokens: int, cost: float) -> int:
        """Note that a request will be sent, and what it takes at most. It stands in the file when this returns."""
        self._number += 1
        number = self._number
        self._begun.append((number, run, model, key, tokens, cost))
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(written)
        self._soon()
        try:
            await written
        except asyncio.CancelledError:  # it will stand there all the same, and is not sent
            self.settle(number, 0, 0.0)
            raise
        return number

    def settle(
        self,
        number: int,
        tokens: int,
        cost: float,
        key: bytes = b"",
        answer: Answer | None = None,
        *,
        known: bool = True,
    ) -> None:
        """Note what a request took in the end, if that is known, and its answer. It is in the file a moment later."""
        self._settled.append((tokens, cost, KNOWN if known else UNKNOWN, number))
        if answer is not None:
            self._answers[key] = answer.encoded()
        self._soon()

    def _soon(self) -> None:
        """Write all that waits at the loop's next turn, with what else comes until then.

        A transaction takes as long for one request as for twenty. A busy loop brings many in a turn, and one that has
        nothing else to do need not wait for more.
        """
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._due = False
        waiting, self._waiting = self._waiting, []
        fault: RunStopped | None = None
        try:
            self.flush()
        except RunStopped as error:  # what could not be written waits on, for those that come next to hear of it
            fault = error
        for one in waiting:
            if one.done():  # called off meanwhile
                continue
            if fault is None:
                one.set_result(None)
            else:
                one.set_exception(fault)

    def flush(self) -> None:
        """Write what waits, now."""
        begun, settled, answers = self._begun, self._settled, self._answers
        if not (begun or settled or answers):
            return
        try:
            with self._database:
                self._database.execute("begin immediate")
                self._database.executemany("insert into sends values (?, ?, ?, ?, ?, ?, 0)", begun)
                self._database.executemany(
                    "update sends set tokens = ?, cost = ?, settled = ? where number = ?", settled
                )
                self._database.executemany("insert or replace into answers values (?, ?)", answers.items())
        except (sqlite3.Error, OverflowError) as error:
            raise self._stopped(error) from error
        self._begun, self._settled, self._answers = [], [], {}

    def spent(self, run: str) -> dict[str, Spent]:
        """What a run has taken so far, by model, those requests too that died with their process."""
        rows = self._execute(
            "select model, count(*), sum(tokens), sum(cost), sum(settled != ?) from sends where run = ? "
            "group by model order by model",
            (KNOWN, run),
        )
        return {model: Spent(*spent) for model, *spent in rows}

    def abilities(self, identity: str) -> Abilities | None:
        """What an endpoint was found to be able to do."""
        found = self._execute("select found from abilities where identity = ?", (identity,)).fetchone()
        return Abilities(**orjson.loads(found[0])) if found else None

    def keep_abilities(self, identity: str, abilities: Abilities) -> None:
        self._execute("insert or replace into abilities values (?, ?)", (identity, orjson.dumps(abilities).decode()))

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._database.close()

    def _execute(self, statement: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, tuple(parameters))
        except sqlite3.Error as error:
            raise self._stopped(error) from error

    def _stopped(self, error: Exception) -> RunStopped:
        return RunStopped(
            f"The journal of calls {str(self._path)!r} cannot be used: {error}. Answers that stand in it are kept; "
            "make room or mend the folder's permissions, and the same command goes on."
        )
