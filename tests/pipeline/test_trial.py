"""A trial shows what became of each row, and who wrote what on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from retroweave import Drop, Pipeline, assistant, compute, corrupt, family, mix, reverse, user
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.pipeline import Mix, Node
from retroweave.pipeline.source import SourceRow, given
from retroweave.pipeline.trial import Walk, Written, trial


def walks(*steps: Node, rows: int = 1, seed: int = 0, count: int = 9) -> list[Walk]:
    def read() -> Any:
        for n in range(count):
            yield SourceRow(str(n), {"number": str(n)}, "CC0-1.0", f"number {n}")

    source = given(read, {"number": str}, licenses=("CC0-1.0",), fingerprint=str)
    return asyncio.run(taken(trial(Pipeline(source, *steps), "numbers", seed, rows)))


async def taken(walking: AsyncIterator[Walk]) -> list[Walk]:
    return [walk async for walk in walking]


def ask(number: str) -> str:
    return f"Write {number}."


def write(number: str) -> str:
    return f"Say {number}."


def halve(number: str, rng: random.Random) -> tuple[str, str]:
    return number[: rng.randrange(1, 9)], "cut"


def never(number: str) -> str:
    raise Drop("not today")


def broken(number: str) -> str:
    return str(1 // 0)


LAYOUT = reverse(user("{question}"), assistant("{number}"))


def test_each_field_is_shown_with_the_step_that_wrote_it_in_the_order_of_writing() -> None:
    steps = (corrupt(halve, into="half", log="note"), compute(ask, writes="question"), LAYOUT)
    [walk] = walks(*steps)
    assert walk.leaf.kind == "sample"
    assert walk.written == (
        Written("given", "number 0", "number", "0"),
        Written("corrupt", "halve", "half", "0"),
        Written("corrupt", "halve", "note", "cut"),
        Written("compute", "ask", "question", "Write 0."),
    )


def test_of_two_arms_that_write_a_field_the_one_that_was_taken_is_named() -> None:
    arms = both_ways()
    found = {walk.written[-1].step: walk.written[-1].value for walk in walks(arms, rows=9)}
    assert found.keys() == {"ask", "write"}
    assert found["ask"].startswith("Write")
    assert found["write"].startswith("Say")


def both_ways() -> Mix:
    other = reverse(user("{question}"), assistant("{number}"), name="other")
    return mix(one=(1, compute(ask, writes="question"), LAYOUT), two=(1, compute(write, writes="question"), other))


def test_a_family_is_shown_as_the_writer_of_its_field() -> None:
    [walk] = walks(family(compute(ask, writes="question"), into="asked"), compute(write, writes="question"), LAYOUT)
    assert Written("family", "family", "asked", [{"question": "Write 0."}]) in walk.written


@pytest.mark.parametrize(
    ("step", "kind", "reason"),
    [(never, "reject", "not today"), (broken, "failure", "ZeroDivisionError: integer division or modulo by zero")],
)
def test_a_row_that_was_lost_is_shown_with_what_it_held_by_then(
    step: Callable[..., str], kind: str, reason: str
) -> None:
    [walk] = walks(compute(ask, writes="question"), compute(step, writes="answer"), LAYOUT)
    assert (walk.leaf.kind, walk.leaf.step, walk.leaf.reason) == (kind, step.__name__, reason)
    assert [one.field for one in walk.written] == ["number", "question"]
    assert bool(walk.leaf.trace) == (kind == "failure")


def test_so_many_source_rows_are_worked_on_as_were_asked_for_whatever_becomes_of_them() -> None:
    assert [walk.leaf.place for walk in walks(compute(never, writes="question"), LAYOUT, rows=3)] == [
        "number 0",
        "number 1",
        "number 2",
    ]


def test_it_is_the_same_each_time_and_another_under_another_seed() -> None:
    def random_number(number: str, rng: random.Random) -> str:
        return str(rng.random())

    def shown(seed: int) -> list[tuple[Written, ...]]:
        return [walk.written for walk in walks(compute(random_number, writes="question"), LAYOUT, rows=3, seed=seed)]

    assert shown(0) == shown(0)
    assert shown(0) != shown(1)


def test_steps_that_wait_share_one_loop() -> None:
    loops = set()

    async def waits(number: str) -> str:
        await asyncio.sleep(0)
        loops.add(asyncio.get_running_loop())
        return number

    assert len(walks(compute(waits, writes="question"), LAYOUT, rows=3)) == 3
    assert len(loops) == 1


def test_a_source_that_breaks_ends_the_trial_with_where_it_broke() -> None:
    def read() -> Any:
        yield SourceRow("a", {"number": "1"}, "CC0-1.0", "a place")
        raise ValueError("gone")

    source = given(read, {"number": str}, licenses=("CC0-1.0",), fingerprint=str)
    found: list[Walk] = []

    async def walk_on() -> None:
        async for walk in trial(Pipeline(source, compute(ask, writes="question"), LAYOUT), "numbers", 0, 5):
            found.append(walk)

    with pytest.raises(RunStopped, match="cannot be read on: ValueError: gone"):
        asyncio.run(walk_on())
    assert [walk.leaf.kind for walk in found] == ["sample"]
