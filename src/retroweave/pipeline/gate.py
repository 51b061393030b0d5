"""The gate: the one place where samples see one another.

It takes leaves in path order, whoever worked on them and whenever, and alone drops duplicates, holds caps and stops at
N. That is why the bytes are the same at any concurrency and after any crash.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.layout import texts
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.row import Leaf, digest

__all__ = ["Gate", "Seen", "Verdict"]

Verdict = Literal["sample", "reject", "failure", "duplicate", "over_cap"]


class Gate:
    """Lets samples through until there are `rows` of them."""

    def __init__(self, caps: Sequence[Cap], rows: int) -> None:
        self.rows = rows
        self.taken = 0
        self._caps = caps
        self._held: Counter[tuple[str, Any]] = Counter()
        self._seen = Seen()

    @property
    def full(self) -> bool:
        return self.taken >= self.rows

    def take(self, leaf: Leaf) -> tuple[Verdict, str]:
        """The verdict on the next leaf, with its reason."""
        if leaf.kind != "sample":
            return leaf.kind, leaf.reason
        messages = leaf.sample["messages"]
        content = [text for message in messages for text in (message["role"], *texts(message))]
        identity = digest(*content)
        if not self._seen.add(identity):
            return "duplicate", "the same conversation stands already"
        held = [(cap, value) for cap in self._caps for value in _measured(cap, leaf.sample)]
        for cap, value in held:
            bound = cap.bound(value, self.rows)
            if bound is not None and self._held[cap.measure, value] >= bound:
                self._seen.forget(identity)
                return "over_cap", f"{cap.measure} = {value}"
        self._held.update({(cap.measure, value) for cap, value in held})
        self.taken += 1
        return "sample", ""

    def close(self) -> None:
        self._seen.close()


def _measured(cap: Cap, sample: dict[str, Any]) -> list[Any]:
    """The values that a sample counts under: one, or of a measure that is a list, each in it."""
    value = sample["layout"] if cap.measure == "layout" else sample["provenance"]["measures"][cap.measure]
    return value if isinstance(value, list) else [value]


class Seen:
    """A set of digests that grows on disk, not in memory: a private temporary file that dies with the process.

    The newest are held in memory, as many as make the writing of them all at once cheap.
    """

    NEWEST = 1 << 15

    def __init__(self) -> None:
        self._newest: set[bytes] = set()
        self._on_disk = False
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            "pragma journal_mode = off; pragma synchronous = off;"
            "create table seen (digest blob primary key) without rowid; begin;"
        )

    def add(self, identity: bytes) -> bool:
        """Whether it is new."""
        if identity in self._newest or (self._on_disk and self._stands(identity)):
            return False
        self._newest.add(identity)
        if len(self._newest) >= self.NEWEST:
            self._write()
        return True

    def forget(self, identity: bytes) -> None:
        self._newest.discard(identity)
        if self._on_disk:
            with self._told():
                self._database.execute("delete from seen where digest = ?", (identity,))

    def _stands(self, identity: bytes) -> bool:
        with self._told():
            found = self._database.execute("select 1 from seen where digest = ?", (identity,)).fetchone()
        return found is not None

    def _write(self) -> None:
        with self._told():
            self._database.executemany("insert into seen values (?)", ((each,) for each in sorted(self._newest)))
        self._newest.clear()
        self._on_disk = True

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RunStopped(
                f"What was seen cannot be noted in the folder for temporary files: {error}. Finished rows are kept. "
                "Make room there, or name another folder by SQLITE_TMPDIR, and the same command goes on."
            ) from error

    def close(self) -> None:
        self._database.close()
