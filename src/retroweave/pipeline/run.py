"""One run: source rows out, outcomes back in order, through the journal and the gate, until there are N samples.

`run` decides what is worked on next and takes what comes back in source order. It does not know where rows are worked
on (the runner), what a row becomes (`flow`) or what is done with a sample (the sink).
"""

from __future__ import annotations

import asyncio
import itertools
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from retroweave.pipeline.budget import OutOfBudget
from retroweave.pipeline.errors import RetroweaveError, RunStopped, SourceError
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.gate import Gate, Seen, Verdict
from retroweave.pipeline.journal import Journal, decode
from retroweave.pipeline.pipeline import Pipeline
from retroweave.pipeline.row import Drawn, Leaf, digest, side_of
from retroweave.pipeline.runner import CHUNK, Outcome, Runner
from retroweave.pipeline.source import Source, SourceRow

__all__ = ["Sink", "Tally", "draws", "run"]

Sink = Callable[[Verdict, str, Leaf, Drawn], None]
"""Takes each leaf that passed the gate's eyes: its verdict, the reason, the leaf, its source row."""

HANDFULS = 8
"""A window of rows is filled up again when so great a part of it is free."""
BREATH = 16
"""After so many rows in a row that were finished already, those under way get a turn."""
HOPELESS = 50
"""After this many leaves, all of them failures, a run stops and shows the first error."""
IN_VAIN = 100
"""After so many rows in a row without a new sample, a draw that gave none was the last."""
REASONS = 200
"""Different reasons counted apart; those beyond are counted together, so that memory stays flat."""


@dataclass
class Tally:
    """What a run has done so far. Leaves are the sum of samples, rejects, failures, duplicates and over-cap."""

    rows: int
    """Samples asked for."""
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[tuple[Verdict, str, str]] = field(default_factory=Counter)
    """Verdict, step and reason to how many leaves."""
    source_rows: int = 0
    """Source rows whose leaves went through the gate."""
    replayed_rows: int = 0
    """Those of them that the journal held already."""
    surplus_rows: int = 0
    """Source rows worked on beyond the last that was needed; they wait in the journal."""
    unfinished_rows: int = 0
    """Source rows that a budget stopped midway; they go on from the answers that they have."""
    surplus_leaves: int = 0
    """Leaves of the last source row that came after the N-th sample."""
    license_counts: Counter[str] = field(default_factory=Counter)
    sides: Counter[str] = field(default_factory=Counter)
    """Samples on each side of the train and validation split."""
    exhausted: bool = False
    """Whether the source ran dry before there were N."""
    out_of_budget: str = ""
    """What limit stopped it before there were N, and how to go on."""
    started: float = field(default_factory=time.monotonic)

    @property
    def samples(self) -> int:
        return self.verdicts["sample"]

    @property
    def leaves(self) -> int:
        return sum(self.verdicts.values())

    def count(self, verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> None:
        self.verdicts[verdict] += 1
        if verdict == "sample":
            self.license_counts[drawn.license] += 1
            self.sides[drawn.side] += 1
            return
        key = (verdict, leaf.step, reason)
        if key not in self.reasons and len(self.reasons) >= REASONS:
            key = (verdict, leaf.step, "other reasons")
        self.reasons[key] += 1

    def room(self, at_most: int) -> int:
        """How many rows are worth having under way: the samples still wanted, over the yield so far."""
        wanted = self.rows - self.samples
        return min(at_most, max(1, -(-wanted * max(self.source_rows, 1) // max(self.samples, 1))))


@dataclass
class Batch:
    """Some source rows in order, with the outcomes that the journal holds, and the rest under way."""

    rows: list[Drawn]
    known: list[bytes | None]
    task: asyncio.Task[list[Outcome]] | None

    @property
    def fresh(self) -> list[Drawn]:
        return [row for row, record in zip(self.rows, self.known, strict=True) if record is None]


async def run(
    bench: Bench,
    rows: int,
    journal: Journal,
    runner: Runner,
    sink: Sink,
    watch: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Make `rows` samples. Raises `RunStopped` where every row fails; what was finished is in the journal."""
    tally = Tally(rows)
    gate = Gate(bench.pipeline.caps, rows)
    supply = _Supply(draws(bench.pipeline))
    keeper = _Keeper(journal, bench.together)
    under_way: deque[Batch] = deque()
    drought = _Drought()
    try:
        while not gate.full and not tally.exhausted:
            if not tally.out_of_budget:
                _hand_out(supply, under_way, tally, keeper, runner)
            if not under_way:
                if tally.out_of_budget:
                    break
                if supply.fault is not None:
                    raise supply.fault
                tally.exhausted = True
                break
            batch = under_way[0]
            try:
                records = await _records(batch)
            except OutOfBudget as stop:  # rows behind it may be finished all the same
                tally.out_of_budget = str(stop)
                tally.unfinished_rows += supply.back(under_way.popleft())
                continue
            supply.back(under_way.popleft())
            for position, (drawn, record) in enumerate(zip(batch.rows, records, strict=True)):
                tally.exhausted = drought.lasts(drawn.draw, tally)
                if gate.full or tally.exhausted:
                    tally.surplus_rows += len(batch.rows) - position
                    break
                _pass(drawn, record, gate, tally, sink)
                tally.replayed_rows += batch.known[position] is not None
            _stop_if_hopeless(tally)
            watch(tally)
            if tally.source_rows % BREATH == 0:
                await asyncio.sleep(0)
    finally:
        gate.close()
        supply.close()
        tally.surplus_rows += await _wind_up(under_way)
        keeper.flush()
    if tally.leaves and tally.verdicts["failure"] == tally.leaves:
        _stop_if_hopeless(tally, after=1)
    return tally


class _Drought:
    """Tells when a source has run dry: a whole draw gave nothing new, and of so many rows that it was not by chance."""

    def __init__(self) -> None:
        self._draw = 0
        self._samples = 0
        self._began = 0

    def lasts(self, draw: int, tally: Tally) -> bool:
        """Asked before each row, which is of this draw."""
        if draw == self._draw:
            return False
        self._draw = draw
        if tally.samples > self._samples:
            self._samples, self._began = tally.samples, tally.source_rows
            return False
        return tally.source_rows - self._began >= IN_VAIN


def draws(pipeline: Pipeline) -> Generator[Drawn]:
    """The source's rows, then the same again as the next draw, for as long as the recipe allows."""
    source = pipeline.source
    small = _Small()
    for draw in itertools.count() if source.again else (0,):
        index = -1
        for index, row in enumerate(small.rows or (_read(source) if draw else _checked(source))):
            if draw == 0:
                small.offer(row)
            reject = row.reject
            if not reject and row.license not in source.licenses:
                reject = f"the licence {row.license} is not let in, only {', '.join(source.licenses)}"
            side = side_of(row.cluster or row.key, pipeline.validation)
            yield Drawn(draw, index, row.key, row.place, row.license, side, row.fields, reject)
        if index < 0:
            return
        small.close()


def _read(source: Source) -> Iterator[SourceRow]:
    """The source's rows. Raises `RunStopped` where its own code fails."""
    try:
        yield from source.rows()
    except RetroweaveError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise RunStopped(
            f"The source {source.name!r} cannot be read on: {type(error).__name__}: {error} (in line {frame.lineno} of "
            f"{frame.filename}). Finished rows are kept."
        ) from error


def _checked(source: Source) -> Iterator[SourceRow]:
    """The source's rows, which must have the fields that it declares and a key each of its own."""
    with closing(Seen()) as keys:
        for row in _read(source):
            if row.fields.keys() != source.fields.keys():
                raise SourceError(
                    f"The source {source.name!r} declares the fields {', '.join(source.fields)}, but its row "
                    f"{row.key!r} has {', '.join(row.fields) or 'none'}. Make the two agree."
                )
            if not keys.add(digest(row.key)):
                raise SourceError(
                    f"Two rows of the source {source.name!r} have the key {row.key!r}. Give each a key of its own: ids "
                    "and random numbers hang on it."
                )
            yield row


class _Small:
    """Keeps the rows of a source that is small, so that it is read and cut once and not at every draw."""

    LARGEST = 8_000_000
    """Characters of text, all rows together."""
    PLAIN = (str, int, float, type(None))
    """What has a known size, and what no step can change for the next draw."""

    def __init__(self) -> None:
        self.rows: list[SourceRow] = []
        self._offered: list[SourceRow] = []
        self._room = self.LARGEST

    def offer(self, row: SourceRow) -> None:
        values = row.fields.values()
        if all(isinstance(value, self.PLAIN) for value in values):
            self._room -= 200 + sum(len(value) for value in values if isinstance(value, str))
        else:
            self._room = 0
        if self._room > 0:
            self._offered.append(row)
        else:
            self._offered.clear()

    def close(self) -> None:
        """The first draw is over: from here on the rows are known, if they were few."""
        if self._room > 0:
            self.rows = self._offered


class _Supply:
    """The rows to hand out. What breaks the source is kept until all rows before it are through the gate."""

    def __init__(self, rows: Generator[Drawn]) -> None:
        self.fault: RetroweaveError | None = None
        self.out = 0
        """Rows handed out, and not yet through the gate."""
        self._rows = rows

    def take(self, count: int) -> list[Drawn]:
        taken: list[Drawn] = []
        try:
            for row in itertools.islice(self._rows, count):
                taken.append(row)
        except RetroweaveError as fault:
            self.fault = fault
        self.out += len(taken)
        return taken

    def close(self) -> None:
        """End the reading here, and not wherever the garbage collector comes upon it."""
        self._rows.close()

    def back(self, batch: Batch) -> int:
        """A batch is under way no longer; how many rows it has."""
        self.out -= len(batch.rows)
        return len(batch.rows)


class _Keeper:
    """Puts finished rows into the journal, those of one turn of the event loop in one transaction.

    A transaction takes as long for one row as for twenty. Rows that wait for models come singly and by the thousand;
    chunks of others are kept at once, since nothing else goes on meanwhile.
    """

    def __init__(self, journal: Journal, together: bool) -> None:
        self._journal = journal
        self._empty = journal.empty
        self._together = together
        self._finished: list[tuple[Drawn, bytes, bool]] = []
        self._waiting: list[asyncio.Future[None]] = []

    def known(self, rows: Sequence[Drawn]) -> list[bytes | None]:
        """The outcomes that were there before this run, which works on no row twice."""
        return [None if self._empty else self._journal.get(row) for row in rows]

    async def keep(self, rows: Sequence[Drawn], outcomes: Sequence[Outcome]) -> None:
        """The outcomes stand in the journal when this returns."""
        self._finished += [(row, one.leaves, one.failed) for row, one in zip(rows, outcomes, strict=True)]
        if not self._together:
            self.flush()
            return
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._write)
        kept = loop.create_future()
        self._waiting.append(kept)
        await kept

    def _write(self) -> None:
        waiting, self._waiting = [one for one in self._waiting if not one.done()], []
        try:
            self.flush()
        except RunStopped as error:
            for one in waiting:
                one.set_exception(error)
        else:
            for one in waiting:
                one.set_result(None)

    def flush(self) -> None:
        finished, self._finished = self._finished, []
        if finished:
            self._journal.put(finished)


def _hand_out(supply: _Supply, under_way: deque[Batch], tally: Tally, keeper: _Keeper, runner: Runner) -> None:
    """Keep as many rows under way as are worth it, and no more; they are handed out some at a time, not one by one."""
    allowed = tally.room(runner.window)
    size = max(1, min(runner.chunk, CHUNK * allowed // runner.window))  # as many batches as a full window has
    room = allowed - supply.out
    if under_way and room < allowed // HANDFULS:
        return
    while room >= size or (room > 0 and not under_way):
        drawn = supply.take(size)
        if not drawn:
            return
        batch = Batch(drawn, keeper.known(drawn), None)
        if fresh := batch.fresh:
            batch.task = asyncio.create_task(_worked_on(fresh, runner, keeper))
        under_way.append(batch)
        room -= len(drawn)


async def _worked_on(rows: Sequence[Drawn], runner: Runner, keeper: _Keeper) -> list[Outcome]:
    """The outcomes of rows. They are in the journal at once, however long the rows before them take."""
    outcomes = await runner.work(rows)
    await keeper.keep(rows, outcomes)
    return outcomes


async def _records(batch: Batch) -> list[bytes]:
    """The outcomes of a batch in order, those that the journal held and the new ones."""
    fresh = iter(await batch.task if batch.task is not None else ())
    return [record if record is not None else next(fresh).leaves for record in batch.known]


def _pass(drawn: Drawn, record: bytes, gate: Gate, tally: Tally, sink: Sink) -> None:
    tally.source_rows += 1
    for leaf in decode(record):
        if gate.full:
            tally.surplus_leaves += 1
            continue
        verdict, reason = gate.take(leaf)
        tally.count(verdict, reason, leaf, drawn)
        sink(verdict, reason, leaf, drawn)


def _stop_if_hopeless(tally: Tally, after: int = HOPELESS) -> None:
    if tally.leaves >= after and tally.verdicts["failure"] == tally.leaves:
        (_, step, reason), _ = next(iter(tally.reasons.items()))
        raise RunStopped(
            f"All of the first {tally.leaves} rows failed, the first at step {step!r}: {reason}. "
            "Mend the recipe and run the same command again; `retroweave try` shows one row at a time."
        )


async def _wind_up(under_way: Sequence[Batch]) -> int:
    """Take back what is not finished, and count the rows that were worked on in vain."""
    tasks = {batch.task: len(batch.fresh) for batch in under_way if batch.task is not None}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    return sum(rows for task, rows in tasks.items() if not task.cancelled() and task.exception() is None)
