"""Runners: where a source row is worked on, never what is done to it.

`InProcess` works on rows in this process; steps that wait for something outside wait together. `Processes` hands chunks
of rows to spawned workers, each of which rebuilds the recipe from its name and config. Both give back the encoded
leaves of each row; the order in which they are taken is the gate's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Protocol

from retroweave.pipeline.flow import Bench, drive, work
from retroweave.pipeline.journal import encode
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.row import Drawn, Leaf

__all__ = ["InProcess", "Outcome", "Processes", "Runner"]

CHUNK = 32
"""Rows handed to a worker process at a time: one at a time costs five times as much."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source row."""

    leaves: bytes
    """Encoded as the journal keeps them."""
    failed: bool


class Runner(Protocol):
    chunk: int
    """Rows worth handing over at a time."""
    window: int
    """Rows worth having under way."""

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        """The outcomes of `rows`, in their order."""
        ...

    def close(self) -> None: ...


class InProcess:
    """Works on rows here: one after the other, or side by side where steps wait."""

    def __init__(self, bench: Bench, together: int = 256) -> None:
        self._bench = bench
        self.chunk = 1 if bench.together else CHUNK
        self.window = together if bench.together else 2 * CHUNK

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        return [outcome(row, await work(row, self._bench)) for row in rows]

    def close(self) -> None:
        return


class Processes:
    """Works on rows in spawned processes."""

    def __init__(self, reference: str, config: str, seed: int, workers: int) -> None:
        self.chunk = CHUNK
        self.window = 4 * CHUNK * workers
        self._recipe = (reference, config, seed)
        self._workers = workers
        self._pool = self._new_pool(workers)
        self._alone = asyncio.Lock()

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=self._recipe,
        )

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _work_chunk, rows)
        except BrokenProcessPool:
            async with self._alone:
                if self._pool is pool:
                    pool.shutdown(wait=False)
                    self._pool = self._new_pool(self._workers)
                return [await self._work_alone(row) for row in rows]

    async def _work_alone(self, row: Drawn) -> Outcome:
        """A row of a chunk whose worker died: by itself, so that only the row that kills is a failure."""
        with self._new_pool(1) as pool:
            try:
                return (await asyncio.get_running_loop().run_in_executor(pool, _work_chunk, [row]))[0]
            except BrokenProcessPool:
                reason = "the worker process died on this row (killed by the system, out of memory, or crashed)"
                return outcome(row, [Leaf("failure", (row.draw, row.index), "worker", reason, place=row.place)])

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def outcome(row: Drawn, leaves: list[Leaf]) -> Outcome:
    """Encode the leaves; a value that cannot be written as JSON makes the row a failure that says so."""
    failed = any(leaf.kind == "failure" for leaf in leaves)
    try:
        return Outcome(encode(leaves), failed)
    except TypeError as error:
        reason = f"a kept field cannot be written as JSON: {error}"
        return Outcome(
            encode([Leaf("failure", (row.draw, row.index), "journal", reason, place=row.place)]), failed=True
        )


_bench: Bench | None = None
_worker_recipe: tuple[str, str, int] | None = None


def _start_worker(reference: str, config: str, seed: int) -> None:
    """Ctrl-C is the parent's to handle, and a worker does not outlive a parent that was killed."""
    global _worker_recipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _worker_recipe = (reference, config, seed)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        with contextlib.suppress(OSError):
            multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _work_chunk(rows: Sequence[Drawn]) -> list[Outcome]:
    global _bench
    if _bench is None:
        assert _worker_recipe is not None
        reference, config, seed = _worker_recipe
        recipe = find_recipe(reference)
        pipeline = recipe.pipeline(recipe.config_type.model_validate_json(config))
        _bench = Bench(pipeline, recipe.name, seed)
    return [outcome(row, drive(work(row, _bench))) for row in rows]
