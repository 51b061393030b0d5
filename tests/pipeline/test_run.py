"""A run makes exactly N samples, in source order, whoever works on the rows; and loses sight of none."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from retroweave import Drop, Pipeline, assistant, compute, given, reverse, user
from retroweave.pipeline.errors import RunStopped, SourceError
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.gate import Verdict
from retroweave.pipeline.journal import Journal
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.run import HOPELESS, IN_VAIN, REASONS, Tally, draws, run
from retroweave.pipeline.runner import CHUNK_SECONDS, InProcess, Outcome, Runner
from retroweave.pipeline.source import Source, SourceRow
from retroweave.pipeline.step import Step

LICENSES = ("CC0-1.0",)


def numbers(count: int, *, again: bool = True) -> Source:
    """Rows 0 to `count` - 1, each with its number as text."""

    def rows() -> Iterator[SourceRow]:
        for n in range(count):
            yield SourceRow(str(n), {"number": str(n)}, "CC0-1.0", f"number {n}")

    return given(rows, {"number": str}, licenses=LICENSES, fingerprint=lambda: str(count), again=again)


def pipeline(source: Source, *steps: Step, **rest: Any) -> Pipeline:
    return Pipeline(source, *steps, reverse(user("{question}"), assistant("{number}")), **rest)


def plain(number: str) -> str:
    return f"the number {number}"


def chance(number: str, rng: random.Random) -> str:
    return f"the number {number}, {rng.random()}"


PLAIN, CHANCE = compute(plain, writes="question"), compute(chance, writes="question")


@dataclass
class Kept:
    """What a run gave, leaf by leaf."""

    tally: Tally = field(default_factory=lambda: Tally(0))
    leaves: list[tuple[Verdict, str, Leaf, Drawn]] = field(default_factory=list)

    def take(self, verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> None:
        self.leaves.append((verdict, reason, leaf, drawn))

    @property
    def questions(self) -> list[str]:
        return [leaf.sample["messages"][0]["content"] for verdict, _, leaf, _ in self.leaves if verdict == "sample"]

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(verdict for verdict, *_ in self.leaves)

    @property
    def rows(self) -> list[tuple[int, int]]:
        """The source rows behind the leaves, each once, in order."""
        return list(dict.fromkeys((drawn.draw, drawn.index) for *_, drawn in self.leaves))


def made(
    pipeline: Pipeline,
    rows: int,
    journal: Path | str = ":memory:",
    runner: Callable[[Bench], Runner] = InProcess,
    kept: Kept | None = None,
) -> Kept:
    kept = kept or Kept()
    bench = Bench(pipeline, "numbers", 0, together=pipeline.awaits)
    held = Journal(Path(journal))
    try:
        kept.tally = asyncio.run(run(bench, rows, held, runner(bench), kept.take))
    finally:
        held.close()
    return kept


class OutOfOrder(InProcess):
    """Ends with its chunks in another order than it began them."""

    def __init__(self, bench: Bench, order: random.Random, chunk: int) -> None:
        super().__init__(bench)
        self._order, self._fixed = order, chunk
        self.chunk, self.window = chunk, 64

    async def work(self, rows: Sequence[Drawn]) -> list[Outcome]:
        for _ in range(self._order.randrange(6)):
            await asyncio.sleep(0)
        outcomes = await super().work(rows)
        self.chunk, self.window = self._fixed, 64
        return outcomes


FATES = ("sample", "reject", "failure", "twin", "three", "none", "rare")


def fated(fates: Sequence[str]) -> Pipeline:
    """Row n meets the fate n; a twin says what its neighbour says."""

    def meet(number: str) -> list[str]:
        fate = fates[int(number)]
        if fate == "reject":
            raise Drop("fated")
        if fate == "failure":
            raise ValueError("fated")
        if fate in ("three", "none"):
            return [f"{number}.{part}" for part in range(3 if fate == "three" else 0)]
        return ["twin" if fate == "twin" else number]

    def kind(number: str) -> str:
        return "rare" if fates[int(number)] == "rare" else "common"

    return pipeline(
        numbers(len(fates), again=False),
        compute(meet, writes="question", many=True),
        compute(kind, writes="kind"),
        caps=[Cap("kind", {"rare": 0.2})],
        measures=["kind"],
    )


def account(kept: Kept) -> None:
    """Promise 2."""
    tally, verdicts = kept.tally, kept.verdicts
    assert tally.leaves == len(kept.leaves) == sum(verdicts.values())
    assert dict(tally.verdicts) == dict(verdicts)
    assert sum(tally.reasons.values()) == tally.leaves - tally.samples
    assert len(kept.rows) == tally.source_rows
    assert kept.rows == sorted(kept.rows)
    assert [leaf.path for *_, leaf, _ in kept.leaves] == sorted(leaf.path for *_, leaf, _ in kept.leaves)


@settings(max_examples=60, deadline=None)
@for_all(
    st.lists(st.sampled_from(FATES), min_size=1, max_size=60),
    st.integers(1, 25),
    st.integers(1, 40),
    st.randoms(use_true_random=False),
)
def test_every_row_is_accounted_for_and_the_order_of_working_changes_nothing(
    fates: list[str], rows: int, chunk: int, order: random.Random
) -> None:
    if set(fates) == {"failure"}:
        return
    kept = made(fated(fates), rows)
    account(kept)
    assert kept.rows == [(0, index) for index in range(len(kept.rows))]
    assert kept.tally.samples == rows or (kept.tally.exhausted and len(kept.rows) == len(fates))
    assert sum(leaf.path[1] == n for n in range(len(fates)) for *_, leaf, _ in kept.leaves) == len(kept.leaves)
    shuffled = made(fated(fates), rows, runner=lambda bench: OutOfOrder(bench, order, chunk))
    assert [one[:3] for one in shuffled.leaves] == [one[:3] for one in kept.leaves]
    account(shuffled)


def test_the_leaves_of_a_row_that_come_after_the_last_sample_are_told_apart() -> None:
    kept = made(fated(["sample", "three", "sample"]), 2)
    assert kept.questions == ["0", "1.0"]
    assert kept.tally.surplus_leaves == 2
    assert kept.tally.source_rows == 2
    account(kept)


def test_a_cap_is_held_exactly_over_the_samples_that_were_asked_for() -> None:
    kept = made(fated(["rare"] * 20 + ["sample"] * 20), 20)
    assert Counter(leaf.sample["provenance"]["measures"]["kind"] for v, _, leaf, _ in kept.leaves if v == "sample") == {
        "rare": 4,
        "common": 16,
    }
    assert kept.verdicts == {"sample": 20, "over_cap": 16}
    assert kept.tally.reasons["over_cap", "reverse", "kind = rare"] == 16


def test_a_source_is_drawn_again_with_other_random_numbers() -> None:
    kept = made(pipeline(numbers(10), CHANCE), 25)
    assert len(set(kept.questions)) == 25
    assert kept.rows[:11] == [*((0, index) for index in range(10)), (1, 0)]
    assert len(kept.rows) == 25
    account(kept)


def test_what_a_second_draw_says_again_is_dropped_and_counted() -> None:
    def one_of_three(number: str, rng: random.Random) -> str:
        return f"the number {number}, {rng.randrange(3)}"

    kept = made(pipeline(numbers(4), compute(one_of_three, writes="question")), 12)
    assert len(set(kept.questions)) == len(kept.questions) == 12
    assert kept.verdicts["duplicate"] > 0
    account(kept)


def test_a_source_that_may_be_read_once_runs_dry() -> None:
    kept = made(pipeline(numbers(10, again=False), CHANCE), 25)
    assert kept.tally.exhausted
    assert kept.tally.samples == 10
    account(kept)


def test_a_source_that_gives_nothing_new_runs_dry() -> None:
    kept = made(pipeline(numbers(7), PLAIN), 25)
    assert kept.tally.exhausted
    assert kept.verdicts == {"sample": 7, "duplicate": kept.tally.leaves - 7}
    assert IN_VAIN <= kept.verdicts["duplicate"] < IN_VAIN + 14
    account(kept)


def test_a_large_source_that_gives_nothing_new_is_dry_after_one_more_draw() -> None:
    kept = made(pipeline(numbers(300), PLAIN), 400)
    assert kept.tally.exhausted
    assert kept.verdicts == {"sample": 300, "duplicate": 300}


def test_bad_luck_with_the_whole_of_a_small_source_is_not_the_end_of_it() -> None:
    def seldom(number: str, rng: random.Random) -> str:
        if rng.random() < 0.9:
            raise Drop("bad luck")
        return f"{number} {rng.random()}"

    kept = made(pipeline(numbers(2), compute(seldom, writes="question")), 30)
    assert kept.tally.samples == 30
    assert not kept.tally.exhausted


def test_an_empty_source_ends_at_once() -> None:
    kept = made(pipeline(numbers(0), PLAIN), 3)
    assert kept.tally.exhausted
    assert kept.tally.source_rows == 0


def test_a_row_under_another_licence_is_a_reject_that_names_it() -> None:
    def rows() -> Iterator[SourceRow]:
        yield SourceRow("a", {"number": "1"}, "CC-BY-NC-4.0", "a place")
        yield SourceRow("b", {"number": "2"}, "CC0-1.0", "b place", reject="too short")
        yield SourceRow("c", {"number": "3"}, "CC0-1.0", "c place")

    source = given(rows, {"number": str}, licenses=LICENSES, fingerprint=str, name="mine")
    kept = made(pipeline(source, PLAIN), 1)
    assert [(verdict, leaf.step, reason) for verdict, reason, leaf, _ in kept.leaves] == [
        ("reject", "mine", "the licence CC-BY-NC-4.0 is not let in, only CC0-1.0"),
        ("reject", "mine", "too short"),
        ("sample", "reverse", ""),
    ]


class Flaw(Exception):
    pass


@pytest.mark.parametrize(
    "flaw", [ValueError("no"), Flaw("no"), SystemExit("no"), MemoryError("no"), RecursionError("no")]
)
def test_a_step_that_raises_makes_its_row_a_failure_with_step_reason_and_trace(flaw: BaseException) -> None:
    def raising(number: str) -> str:
        if number == "1":
            raise flaw
        return number

    kept = made(pipeline(numbers(3), compute(raising, writes="question")), 2)
    verdict, reason, leaf, drawn = kept.leaves[1]
    assert (verdict, leaf.step, reason) == ("failure", "raising", f"{type(flaw).__name__}: no")
    assert "raise flaw" in leaf.trace
    assert drawn.place == leaf.place == "number 1"
    assert kept.questions == ["0", "2"]


def test_a_step_whose_own_task_was_cancelled_is_a_failure_and_not_the_end() -> None:
    async def cancelled(number: str) -> str:
        if number == "1":
            raise asyncio.CancelledError
        if number == "2":
            raise CancelledError
        await asyncio.sleep(0)
        return number

    kept = made(pipeline(numbers(9), compute(cancelled, writes="question")), 4)
    assert kept.questions == ["0", "3", "4", "5"]
    assert kept.verdicts["failure"] == 2


def test_a_failure_is_tried_again_when_the_run_goes_on_and_what_was_finished_is_not(tmp_path: Path) -> None:
    worked: list[str] = []
    down = True

    def shaky(number: str) -> str:
        worked.append(number)
        if down and number in ("2", "5"):
            raise ConnectionError("down")
        return number

    recipe = pipeline(numbers(20), compute(shaky, writes="question"))
    first = made(recipe, 6, tmp_path / "journal")
    assert first.questions == ["0", "1", "3", "4", "6", "7"]
    assert first.verdicts["failure"] == 2
    worked.clear()
    down = False
    second = made(recipe, 6, tmp_path / "journal")
    assert second.questions == ["0", "1", "2", "3", "4", "5"]
    assert worked == ["2", "5"]
    assert second.tally.replayed_rows == 4
    assert second.tally.source_rows == 6


def test_a_larger_run_goes_on_from_a_finished_one_and_gives_what_a_fresh_one_would(tmp_path: Path) -> None:
    recipe = pipeline(numbers(30), CHANCE)
    small = made(recipe, 20, tmp_path / "journal")
    large = made(recipe, 70, tmp_path / "journal")
    assert large.tally.replayed_rows >= 20
    assert large.questions[:20] == small.questions
    assert large.questions == made(recipe, 70).questions


def test_what_was_worked_on_beyond_the_last_sample_waits_in_the_journal(tmp_path: Path) -> None:
    def half(number: str) -> str:
        if int(number) < 40 and int(number) % 2:
            raise Drop("odd")
        return number

    recipe = pipeline(numbers(1000), compute(half, writes="question"))
    kept = made(recipe, 30, tmp_path / "journal")
    journal = Journal(tmp_path / "journal")
    assert len(journal) == kept.tally.source_rows + kept.tally.surplus_rows
    journal.close()


def test_a_run_whose_rows_all_fail_stops_early_and_shows_the_first_error() -> None:
    def raising(number: str) -> str:
        raise ValueError(f"row {number}")

    with pytest.raises(RunStopped, match=r"failed, the first at step 'raising': ValueError: row 0\.") as stop:
        made(pipeline(numbers(100_000), compute(raising, writes="question")), 1000)
    assert int(str(stop.value).split()[4]) < 4 * HOPELESS


def test_fewer_rows_than_that_which_all_fail_stop_the_run_too() -> None:
    def raising(number: str) -> str:
        raise ValueError(f"row {number}")

    with pytest.raises(RunStopped, match="All of the first 3 rows failed"):
        made(pipeline(numbers(3, again=False), compute(raising, writes="question")), 1)


def test_one_sample_among_many_failures_is_hope() -> None:
    def seldom(number: str) -> str:
        if int(number) % 40:
            raise ValueError("no")
        return number

    assert made(pipeline(numbers(1000), compute(seldom, writes="question")), 5).tally.samples == 5


def test_many_different_reasons_are_counted_together_beyond_a_bound() -> None:
    def talkative(number: str) -> str:
        if number != "999":
            raise Drop(f"no to {number}")
        return number

    tally = made(pipeline(numbers(1000), compute(talkative, writes="question")), 1).tally
    assert len(tally.reasons) == REASONS + 1
    assert tally.reasons["reject", "talkative", "other reasons"] == 999 - REASONS


def test_a_source_that_breaks_stops_the_run_says_where_and_loses_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[SourceRow]:
        for n in range(100):
            if n == 70:
                raise KeyError("gone")
            yield SourceRow(str(n), {"number": str(n)}, "CC0-1.0", f"number {n}")

    source = given(rows, {"number": str}, licenses=LICENSES, fingerprint=str, name="mine")
    kept = Kept()
    with pytest.raises(
        RunStopped, match=r"source 'mine' cannot be read on: KeyError: 'gone' \(in line \d+ of .*test_run"
    ):
        made(pipeline(source, PLAIN), 90, tmp_path / "journal", kept=kept)
    journal = Journal(tmp_path / "journal")
    assert len(journal) >= len(kept.rows) > 0
    journal.close()


def test_a_source_that_breaks_beyond_the_last_row_that_is_needed_is_no_matter() -> None:
    def rows() -> Iterator[SourceRow]:
        for n in range(70):
            yield SourceRow(str(n), {"number": str(n)}, "CC0-1.0", f"number {n}")
        raise KeyError("gone")

    def late(number: str) -> str:
        if int(number) < 16:
            raise Drop("early")
        return number

    recipe = pipeline(
        given(rows, {"number": str}, licenses=LICENSES, fingerprint=str), compute(late, writes="question")
    )
    for chunk in (1, 7, 16):
        kept = made(recipe, 54, runner=partial(OutOfOrder, order=random.Random(0), chunk=chunk))
        assert len(kept.questions) == 54
    with pytest.raises(RunStopped, match="KeyError: 'gone'"):
        made(recipe, 55)


def test_what_a_source_says_of_itself_is_left_as_it_is() -> None:
    def rows() -> Iterator[SourceRow]:
        yield SourceRow("a", {"number": "1"}, "CC0-1.0", "a place")
        raise SourceError("line 7 is no JSON")

    source = given(rows, {"number": str}, licenses=LICENSES, fingerprint=str)
    with pytest.raises(SourceError, match="line 7 is no JSON"):
        made(pipeline(source, PLAIN), 9)


@pytest.mark.parametrize(("extra", "readings"), [("text", 1), (["a list"], 3)])
def test_a_small_source_is_read_once_unless_a_step_could_change_its_values(extra: Any, readings: int) -> None:
    read: list[None] = []

    def rows() -> Iterator[SourceRow]:
        read.append(None)
        for n in range(10):
            yield SourceRow(str(n), {"number": str(n), "extra": extra}, "CC0-1.0", f"number {n}")

    source = given(rows, {"number": str, "extra": type(extra)}, licenses=LICENSES, fingerprint=str)
    assert made(pipeline(source, CHANCE), 25).tally.samples == 25
    assert len(read) == readings


def test_rows_that_wait_wait_together_and_give_what_rows_that_do_not_would() -> None:
    waiting, most = 0, 0

    async def waits(number: str, rng: random.Random) -> str:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(random.random() / 100)
        waiting -= 1
        return f"the number {number}, {rng.random()}"

    def quick(number: str, rng: random.Random) -> str:
        return f"the number {number}, {rng.random()}"

    slept = made(pipeline(numbers(500), compute(waits, writes="question", name="ask")), 400)
    assert slept.questions == made(pipeline(numbers(500), compute(quick, writes="question", name="ask")), 400).questions
    assert most > 100
    assert waiting == 0


def test_slow_rows_are_in_the_journal_and_before_the_gate_one_by_one() -> None:
    kept = Kept()
    finished: list[int] = []

    def slow(number: str) -> str:
        finished.append(len(kept.leaves))
        time.sleep(CHUNK_SECONDS + 0.01)
        return number

    made(pipeline(numbers(9), compute(slow, writes="question")), 3, kept=kept)
    assert finished == [0, 1, 2]


def test_a_row_that_takes_long_keeps_no_finished_one_out_of_the_journal() -> None:
    async def waits(number: str) -> str:
        await asyncio.sleep(60 if number == "0" else 0)
        return number

    recipe = pipeline(numbers(500), compute(waits, writes="question"))
    journal = Journal(Path(":memory:"))

    async def watched() -> int:
        runner = InProcess(Bench(recipe, "numbers", 0, together=True))
        task = asyncio.ensure_future(run(Bench(recipe, "numbers", 0, together=True), 400, journal, runner, Kept().take))
        await asyncio.sleep(0.3)
        finished = len(journal)
        task.cancel()
        await asyncio.wait([task])
        return finished

    assert asyncio.run(watched()) == 255
    journal.close()


def test_a_run_that_is_cancelled_leaves_no_task_and_keeps_what_was_finished(tmp_path: Path) -> None:
    async def waits(number: str) -> str:
        await asyncio.sleep(0.01 if int(number) < 100 else 60)
        return number

    recipe = pipeline(numbers(500), compute(waits, writes="question"))
    journal = Journal(tmp_path / "journal")
    kept = Kept()

    async def cancelled() -> int:
        bench = Bench(recipe, "numbers", 0, together=True)
        task = asyncio.ensure_future(run(bench, 400, journal, InProcess(bench), kept.take))
        while len(kept.rows) < 100:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(cancelled()) == 1
    assert len(journal) == len(kept.rows) == 100
    journal.close()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([{"number": "1"}, {"nomber": "2"}], "declares the fields number, but its row '1' has nomber"),
        ([{"number": "1"}, {}], "but its row '1' has none"),
    ],
)
def test_a_source_whose_rows_are_not_what_it_declares_is_told_so(fields: list[dict[str, str]], message: str) -> None:
    rows = [SourceRow(str(index), one, "CC0-1.0", f"row {index}") for index, one in enumerate(fields)]
    source = given(lambda: iter(rows), {"number": str}, licenses=("CC0-1.0",), fingerprint=lambda: "1")
    with pytest.raises(SourceError, match=message):
        list(itertools.islice(draws(pipeline(source)), 5))


def test_two_rows_with_one_key_are_an_error_and_not_twins() -> None:
    rows = [SourceRow("x", {"number": str(index)}, "CC0-1.0", f"row {index}") for index in range(2)]
    source = given(lambda: iter(rows), {"number": str}, licenses=("CC0-1.0",), fingerprint=lambda: "1")
    with pytest.raises(SourceError, match="Two rows of the source 'given' have the key 'x'"):
        list(itertools.islice(draws(pipeline(source)), 5))
