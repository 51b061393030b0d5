"""Where rows are worked on changes nothing; a worker that dies takes one row with it, and none outlives its run."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Project, processes_at_work

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.journal import decode
from retroweave.pipeline.recipe import Recipe, find_recipe
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.run import draws
from retroweave.pipeline.runner import CHUNK, InProcess, Outcome, Processes, outcome


def recipe_of(project: Project, ask: str) -> Recipe:
    return find_recipe(project.counting(ask))


def step(body: str) -> str:
    return f"def ask(number: str, rng: Random) -> str:\n    {body}"


def first_rows(recipe: Recipe, count: int) -> list[Drawn]:
    return list(islice(draws(recipe.pipeline(recipe.example)), count))


@contextmanager
def processes(recipe: Recipe, workers: int = 1) -> Iterator[Processes]:
    runner = Processes(recipe.reference, recipe.example.model_dump_json(), 0, workers)
    try:
        yield runner
    finally:
        runner.close()


def in_process(recipe: Recipe) -> InProcess:
    pipeline = recipe.pipeline(recipe.example)
    return InProcess(Bench(pipeline, recipe.name, 0, together=pipeline.awaits))


def work(runner: InProcess | Processes, *chunks: Sequence[Drawn]) -> list[list[Outcome]]:
    async def all_chunks() -> list[list[Outcome]]:
        return await asyncio.gather(*(runner.work(chunk) for chunk in chunks))

    return asyncio.run(all_chunks())


def leaves(outcomes: Sequence[Outcome]) -> list[Leaf]:
    return [leaf for one in outcomes for leaf in decode(one.leaves)]


def children(process: int) -> list[int]:
    """The processes that this one started and that are at work."""
    return [child for child, parent, _ in processes_at_work() if parent == process]


def test_a_worker_gives_the_outcomes_that_this_process_would(project: Project) -> None:
    recipe = recipe_of(project, step("return f'{number} {rng.random()}'"))
    rows = first_rows(recipe, 40)
    with processes(recipe, 2) as runner:
        there = work(runner, rows[:10], rows[10:40])
    assert there == work(in_process(recipe), rows[:10], rows[10:40])


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("os._exit(3)", "it ended with code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9 (Killed), perhaps for want of memory"),
    ],
)
def test_only_the_row_that_ends_its_worker_is_a_failure(project: Project, end: str, reason: str) -> None:
    recipe = recipe_of(project, step(f"return {end} if number == '4' else number"))
    rows = first_rows(recipe, 12)
    with processes(recipe) as runner:
        first, second = (leaves(chunk) for chunk in work(runner, rows[:6], rows[6:]))
    assert [leaf.kind for leaf in first] == ["sample"] * 4 + ["failure", "sample"]
    assert first[4].reason == f"the worker process died on this row: {reason}"
    assert first[4].step == "worker"
    assert [leaf.kind for leaf in second] == ["sample"] * 6


def test_a_worker_that_cannot_build_the_recipe_stops_the_run_and_says_why(project: Project) -> None:
    recipe = recipe_of(project, step("return number"))
    rows = first_rows(recipe, 2)
    project.write("counting.py", "raise ValueError('not today')")
    with processes(recipe) as runner, pytest.raises(RunStopped, match=r"could not be started.*not today.*--workers 1"):
        work(runner, rows)


def test_a_worker_that_dies_before_its_first_row_stops_the_run(project: Project) -> None:
    recipe = recipe_of(project, step("return number"))
    rows = first_rows(recipe, 2)
    project.write("counting.py", "import os\nos._exit(7)")
    with processes(recipe) as runner, pytest.raises(RunStopped, match=r"could not be started.*ended with code 7"):
        work(runner, rows)


def test_a_row_that_cannot_be_handed_over_stops_the_run_and_says_why(project: Project) -> None:
    recipe = recipe_of(project, step("return number"))
    [row] = first_rows(recipe, 1)
    held = replace(row, fields={"number": (n for n in "1")})
    with processes(recipe) as runner, pytest.raises(RunStopped, match=r"cannot be handed to a worker.*generator"):
        work(runner, [held])


def test_what_stops_the_run_stops_it_from_a_worker_too(project: Project) -> None:
    body = "from retroweave.pipeline.errors import RunStopped; raise RunStopped('the budget is spent')"
    recipe = recipe_of(project, step(body))
    with processes(recipe) as runner, pytest.raises(RunStopped, match=r"^the budget is spent$"):
        work(runner, first_rows(recipe, 3))


def test_closing_waits_for_no_row_and_leaves_no_process(project: Project) -> None:
    begun = project.folder / "begun"
    recipe = recipe_of(project, step(f"Path({str(begun)!r}).touch(); time.sleep(60)"))

    async def begin_and_close(runner: Processes) -> float:
        task = asyncio.ensure_future(runner.work(first_rows(recipe, 1)))
        while not begun.exists():
            await asyncio.sleep(0.01)
        closing = time.monotonic()
        task.cancel()
        runner.close()
        return time.monotonic() - closing

    with processes(recipe) as runner:
        assert asyncio.run(begin_and_close(runner)) < 2
    assert not [process for process in children(os.getpid()) if is_worker(process)]


def is_worker(process: int) -> bool:
    return b"spawn_main" in (Path("/proc") / str(process) / "cmdline").read_bytes()


@pytest.mark.parametrize(("seconds", "chunk"), [(0.02, range(2, CHUNK)), (0.0, range(CHUNK, CHUNK + 1))])
def test_chunks_of_slow_rows_are_short_and_chunks_of_quick_rows_are_whole(
    project: Project, seconds: float, chunk: range
) -> None:
    recipe = recipe_of(project, step(f"time.sleep({seconds}); return number"))
    runner = in_process(recipe)
    work(runner, first_rows(recipe, 20))
    assert runner.chunk in chunk


@pytest.mark.parametrize(
    ("value", "said"), [("\ud800", "surrogates not allowed"), ({1, 2}, "set"), (2**70, "64-bit"), (object(), "object")]
)
def test_a_kept_value_that_cannot_be_written_makes_the_row_a_failure_that_says_so(value: Any, said: str) -> None:
    row = Drawn(0, 5, "key", "a place", "CC0-1.0", "train", {})
    found = outcome(row, [Leaf("sample", (0, 5), sample={"provenance": {"kept": {"value": value}}})])
    [leaf] = decode(found.leaves)
    assert found.failed
    assert (leaf.kind, leaf.step, leaf.path, leaf.place) == ("failure", "journal", (0, 5), "a place")
    assert "cannot be written as JSON" in leaf.reason
    assert said in leaf.reason


@pytest.mark.parametrize("kind", ["reject", "failure"])
def test_half_a_character_in_a_reason_or_a_place_is_shown_escaped(kind: Any) -> None:
    row = Drawn(0, 5, "key", "caf\udce9.txt", "CC0-1.0", "train", {})
    found = outcome(row, [Leaf(kind, (0, 5), "step", "no \ud800", "trace \ud800", place=row.place)])
    [leaf] = decode(found.leaves)
    assert (leaf.kind, leaf.reason, leaf.place) == (kind, "no \\ud800", "caf\\udce9.txt")
    assert found.failed == (kind == "failure")
