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

_TABLES = """
pragma journal_mode = wal;
pragma synchronous = normal;
pragma busy_timeout = 20000;
create table if not exists answers (key blob primary key, answer blob not null);
create table if not exists sends (
    number integer primary key, run text not null, model text not null, key blob not null,
    tokens integer not null, cost real not null, settled integer not null
);
create index if not exists sends_of_run on sends (run);
create table if not exists abilities (identity text primary key, found text not null);
"""


@dataclass
class Spent:
    """What requests took: as it was told of those that were answered, at most of those that were not."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    """Dollars."""


class CallJournal:
    """Answers by key, and what was sent. It belongs to one event loop; other processes may write to the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise self._stopped(error) from error
        self._number = secrets.randbits(42) << 20  # of its own, whichever other process writes to the file
        self._begun: list[tuple[int, str, str, bytes, int, float]] = []
        self._settled: list[tuple[int, float, int]] = []
        self._answers: list[tuple[bytes, bytes]] = []
        self._written: asyncio.Future[None] | None = None

    @classmethod
    def here(cls) -> CallJournal:
        """That of the working folder."""
        return cls(Path(FOLDER) / "calls.sqlite")

    def get(self, key: bytes) -> Answer | None:
        found = self._execute("select answer from answers where key = ?", (key,)).fetchone()
        return Answer.decoded(found[0]) if found else None

    async def begin(self, run: str, model: str, key: bytes, tokens: int, cost: float) -> int:
        """Note that a request will be sent, and what it takes at most. It stands in the file when this returns."""
        self._number += 1
        number = self._number
        self._begun.append((number, run, model, key, tokens, cost))
        await asyncio.shield(self._soon())
        return number

    def settle(self, number: int, tokens: int, cost: float, key: bytes = b"", answer: Answer | None = None) -> None:
        """Note what a request took in the end, and its answer. It stands in the file a moment later."""
        self._settled.append((tokens, cost, number))
        if answer is not None:
            self._answers.append((key, answer.encoded()))
        self._soon()

    def _soon(self) -> asyncio.Future[None]:
        """Done when all that waits is written: after this turn of the loop, with what else comes in it."""
        if self._written is None:
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            loop.call_soon(self._write)
        return self._written

    def _write(self) -> None:
        written, self._written = self._written, None
        assert written is not None
        try:
            self.flush()
        except RunStopped as error:
            written.set_exception(error)
            written.exception()  # where nobody waits for it, the next one that does hears of the same fault
        else:
            written.set_result(None)

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
                    "update sends set tokens = ?, cost = ?, settled = 1 where number = ?", settled
                )
                self._database.executemany("insert or replace into answers values (?, ?)", answers)
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        self._begun, self._settled, self._answers = [], [], []

    def spent(self, run: str) -> dict[str, Spent]:
        """What a run has taken so far, by model, those requests too that died with their process."""
        rows = self._execute(
            "select model, count(*), sum(tokens), sum(cost) from sends where run = ? group by model order by model",
            (run,),
        )
        return {model: Spent(calls, tokens, cost) for model, calls, tokens, cost in rows}

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
