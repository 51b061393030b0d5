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
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, Protocol

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.flow import Bench, drive, work
from retroweave.pipeline.journal import encode
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.row import Drawn, Leaf

__all__ = ["InProcess", "Outcome", "Processes", "Runner"]

CHUNK = 32
"""Rows worked on at a time, at most: handed to a worker one by one they cost five times as much."""
TOGETHER = 256
"""Rows that wait together, at least. There are twice as many as a model has requests at once: a slow row holds back
those behind it, which then stand finished in the window."""
CHUNK_SECONDS = 0.25
"""Chunks of slow rows are cut to about this long: a run that is killed loses those under way."""


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
    """Works on rows here: side by side where steps wait, and else one chunk after the other.

    Of rows that do not wait there is one chunk under way: a second could only stand between the first and the journal.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.chunk = 1
        in_flight = max((client.in_flight for client in bench.desk.clients.values()), default=0)
        self.window = max(TOGETHER, 2 * in_flight) if bench.together else self.chunk

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        began = time.monotonic()
        outcomes = [outcome(row, await work(row, self._bench)) for row in rows]
        if not self._bench.together:
            self.chunk = self.window = _fitting(len(rows), time.monotonic() - began)
        return outcomes

    def close(self) -> None:
        return


class Processes:
    """Works on rows in spawned processes, each of which a thread of this process looks after."""

    def __init__(self, reference: str, config: str, seed: int, workers: int) -> None:
        self.chunk = 4
        self.window = 4 * CHUNK * workers
        self._recipe = (reference, config, seed)
        self._idle: list[Worker] = []
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(workers, "worker", initializer=_shield_from_interrupts)

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, rows)
        except WorkerDied as death:
            if len(rows) > 1:
                # By itself each, so that only the row that kills is a failure.
                return [one for row in rows for one in await self.work([row])]
            reason = f"the worker process died on this row: {death}"
            [row] = rows
            return [outcome(row, [Leaf("failure", (row.draw, row.index), "worker", reason, place=row.place)])]

    def _work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        """In a thread: on an idle worker, or on a new one. There are no more of them than threads."""
        worker = self._idle.pop() if self._idle else Worker(self._recipe, self._stop)
        try:
            began = time.monotonic()
            outcomes = worker.work(rows)
            self.chunk = _fitting(len(rows), time.monotonic() - began)
        except BaseException:
            worker.kill()
            raise
        self._idle.append(worker)
        return outcomes

    def close(self) -> None:
        """End all workers, those too that are in the midst of a row: nobody waits for it any more."""
        self._stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._idle:
            worker.dismiss()
        for worker in self._idle:
            worker.wait()


def _fitting(rows: int, seconds: float) -> int:
    """How many rows make a chunk, where so many took so long."""
    return max(1, min(CHUNK, int(rows * CHUNK_SECONDS / max(seconds, 1e-6))))


def outcome(row: Drawn, leaves: list[Leaf]) -> Outcome:
    """Encode the leaves; a sample that cannot be written as JSON makes the row a failure that says so."""
    failed = any(leaf.kind == "failure" for leaf in leaves)
    try:
        return Outcome(encode(leaves), failed)
    except TypeError as error:
        reason = f"a field of the sample cannot be written as JSON: {error}"
        return Outcome(
            encode([Leaf("failure", (row.draw, row.index), "journal", reason, place=row.place)]), failed=True
        )


class WorkerDied(Exception):
    """A worker process ended with rows in its hands."""


class Worker:
    """A spawned process with a pipe to it. It has one chunk of rows at a time, so that its death concerns no other."""

    def __init__(self, recipe: tuple[str, str, int], stop: threading.Event) -> None:
        """Start the process and wait until it has built the recipe. Raises `RunStopped` where it cannot."""
        self._stop = stop
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, *recipe))
        self._process.start()
        there.close()
        try:
            fault = self._receive()
        except WorkerDied as death:
            fault = f"{death}; a program of your own calls `make` under `if __name__ == '__main__':`"
        if fault:
            self.kill()
            raise RunStopped(f"A worker process could not be started: {fault}. `--workers 1` does without them.")

    def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        try:
            self._pipe.send(rows)
        except OSError:
            raise WorkerDied(self._death()) from None
        except Exception as error:
            raise RunStopped(
                f"A source row cannot be handed to a worker process: {type(error).__name__}: {error}. Let the source "
                "give plain values, or pass --workers 1."
            ) from error
        reply: list[Outcome] | RunStopped = self._receive()
        if isinstance(reply, RunStopped):
            raise reply
        return reply

    def _receive(self) -> Any:
        """What the process sends next. It is looked after meanwhile: a child of its own may hold the pipe open."""
        while not self._pipe.poll(0.1):
            if self._stop.is_set():
                raise WorkerDied("the run was stopped")
            if not self._process.is_alive() and not self._pipe.poll():
                raise WorkerDied(self._death())
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerDied(self._death()) from None

    def _death(self) -> str:
        self._process.join(5)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"it ended with code {code}"
        return f"signal {-code} ({signal.strsignal(-code)})" + (", perhaps for want of memory" if code == -9 else "")

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def dismiss(self) -> None:
        """Let a process that has nothing to do come to its end."""
        self._pipe.close()

    def wait(self) -> None:
        self._process.join(5)
        self._process.kill()
        self._process.join()


def _shield_from_interrupts() -> None:
    """In the threads that start workers: what they start does not hear Ctrl-C, which is this process's to handle.

    The process that tracks multiprocessing's resources goes first, since starting it lifts the block.
    """
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _serve(pipe: Any, reference: str, config: str, seed: int) -> None:
    """The life of a worker process: build the recipe, say so, and work on rows until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        recipe = find_recipe(reference)
        bench = Bench(recipe.pipeline(recipe.config_type.model_validate_json(config)), recipe.name, seed)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
        return
    with contextlib.suppress(EOFError, OSError):  # the parent closed the pipe, or died
        pipe.send("")
        while True:
            rows = pipe.recv()
            try:
                reply: Any = [outcome(row, drive(work(row, bench))) for row in rows]
            except RunStopped as stop:
                reply = stop
            pipe.send(reply)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        with contextlib.suppress(OSError):
            multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
