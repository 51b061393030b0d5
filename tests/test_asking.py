"""Runs that ask models, against a real server: whatever it does, nothing is lost, paid for twice or exceeded."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from typing import Any

import pytest

from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import InvalidPipeline, RunStopped
from retroweave.pipeline.model import ModelSpec, Price
from retroweave.pipeline.odds import wilson
from tests.conftest import Project
from tests.model_server import Asked, ModelServer, Reply

RECIPE = '''"""A teacher writes about numbers, and a judge says whether it is right."""

from __future__ import annotations

from collections.abc import Iterator

from retroweave import Config, Pipeline, assistant, family, given, judge, prompt, recipe, reverse, user
from retroweave.pipeline.model import Model
from retroweave.pipeline.source import SourceRow


class Teaching(Config):
    model: str
    """The teacher, and its judge."""
    count: int = 2000
    """How many numbers there are."""
    tries: int = 1
    """How many answers are drawn for one number."""
    judged: bool = True
    """Whether they are judged."""


def rows(count: int) -> Iterator[SourceRow]:
    for n in range(count):
        yield SourceRow(key=str(n), fields={"number": f"number {n}"}, license="CC0-1.0", place=f"row {n}")


async def teach(number: str, model: Model) -> str:
    answer = await model.chat([{"role": "user", "content": f"Teach me {number}."}], max_tokens=20)
    return answer.text


async def is_right(number: str, lesson: str, model: Model) -> bool:
    question = f"Is this right of {number}? {lesson}"
    answer = await model.chat([{"role": "user", "content": question}], max_tokens=1, temperature=0.0)
    return answer.text == "yes"


@recipe(example=Teaching(model="scripted:none.yaml"))
def teaching(config: Teaching) -> Pipeline:
    """Name the number that a lesson is about."""
    verdict = judge(
        is_right,
        raises="lesson",
        accepts_right=0.8,
        accepts_wrong=0.2,
        good={"number": "the example", "lesson": "good"},
        spoiled={"lesson": "spoiled"},
    )
    steps = (prompt(teach, writes="lesson"), *((verdict,) if config.judged else ()))
    return Pipeline(
        given(
            lambda: rows(config.count),
            {"number": str},
            licenses=("CC0-1.0",),
            fingerprint=lambda: str(config.count),
            again=False,
        ),
        family(*steps, want=1, tries=config.tries),
        reverse(user("{lesson}"), assistant("{number}")),
        models={"model": config.model},
        keep=["lesson"],
    )
'''


def classroom(asked: Asked) -> Reply:
    """A teacher that is right four times in five; a judge that accepts 0.8 of what is right and 0.2 of what is not."""
    if asked.prompt.startswith("Is this right of the example"):
        said = "yes" if asked.prompt.endswith("good") else "no"
        return Reply(said, {said: -0.01})
    if asked.prompt.startswith("Is this right of"):
        right = " right (" in asked.prompt
        accepted = asked.rng.random() < (0.8 if right else 0.2)
        return Reply("yes" if accepted else "no", {"yes": -0.5, "no": -0.9})
    told = "right" if asked.rng.random() < 0.8 else "wrong"
    return Reply(f"a lesson that is {told} ({asked.rng.randrange(10**9)})")


def agreeable(asked: Asked) -> Reply:
    """A judge that finds everything right but what was spoiled."""
    if asked.prompt.startswith("Is this right of"):
        return Reply("no" if asked.prompt.endswith("spoiled") else "yes")
    return classroom(asked)


@pytest.fixture
def desk(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with the recipe, which is the working folder of this process too: the journal of calls stands there."""
    monkeypatch.chdir(project.folder)
    project.write("teaching.py", RECIPE)
    return project


def make(desk: Project, server: ModelServer, rows: int, **options: Any) -> dict[str, Any]:
    return desk.make("teaching.py", rows, model=f"openai:small@{server.url}", **options)


def sends(desk: Project) -> list[tuple[bytes, int]]:
    """Each request that was written down before it was sent: its key, and whether its end is known."""
    database = sqlite3.connect(desk.folder / ".retroweave" / "calls.sqlite")
    try:
        return list(database.execute("select key, settled from sends"))
    finally:
        database.close()


def test_a_teacher_and_a_judge_of_known_accuracy_give_the_odds_that_were_reckoned(desk: Project) -> None:
    with ModelServer(classroom) as server:
        made = make(desk, server, 5000, count=5000)
    lessons = [sample["provenance"]["kept"]["lesson"] for sample in desk.samples()]
    right = sum(" right (" in lesson for lesson in lessons)
    low, high = wilson(right, len(lessons))
    assert low < 0.9412 < high
    low, high = wilson(made["counts"]["samples"], 5000)
    assert low < 0.68 < high
    assert made["counts"]["samples"] + made["counts"]["rejects"] // 2 == 5000  # a reject of the judge, and its family's


def test_the_best_of_three_has_the_same_precision_and_a_yield_that_was_reckoned(desk: Project) -> None:
    with ModelServer(classroom) as server:
        made = make(desk, server, 2000, count=2000, tries=3)
    lessons = [sample["provenance"]["kept"]["lesson"] for sample in desk.samples()]
    low, high = wilson(sum(" right (" in lesson for lesson in lessons), len(lessons))
    assert low < 0.9412 < high
    low, high = wilson(made["counts"]["samples"], 2000)
    assert low < 1 - (1 - 0.68) ** 3 < high


def test_all_rows_come_back_from_a_server_that_misbehaves(desk: Project) -> None:
    faults = {"busy": 0.05, "error": 0.02, "truncated": 0.01, "dropped": 0.01}
    with ModelServer(classroom, faults=faults) as server:
        made = make(desk, server, 2000, judged=False)
        struck = Counter(server.struck)
        total = server.total
    assert made["counts"]["samples"] == 2000
    assert made["counts"]["failures"] == 0
    assert set(struck) == set(faults)
    assert made["models"][0]["calls"] == total  # each attempt counts, those too that came to nothing
    assert made["models"][0]["unknown"] == struck["error"] + struck["truncated"] + struck["dropped"]
    assert total == 2000 + sum(struck.values()) + len(PROBES)
    found = sends(desk)
    assert len(found) == total
    assert all(settled for _, settled in found)


PROBES = ("chat", "chat with logprobs", "schema", "completion", "completion with logprobs", "embedding")
"""What finds out what a server can do: once."""


@pytest.mark.parametrize("kills", [1, 4])
def test_after_a_kill_no_answer_that_the_journal_holds_is_asked_for_again(desk: Project, kills: int) -> None:
    with ModelServer(classroom, latency=0.03, keep=100_000) as server:
        command: tuple[Any, ...] = (
            "run",
            "teaching.py",
            "--rows",
            1000,
            "--out",
            "out",
            "--model",
            f"openai:small@{server.url}",
        )
        command += ("--judged", "false", "--count", 1000)
        for _ in range(kills):
            before = server.total
            process = desk.start(*command)
            until(lambda before=before: server.total > before + 150, process)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        desk.retroweave(*command)
        asked = Counter(body_key(one) for one in server.asked if one.kind == "chat")
    assert desk.counts()["samples"] == 1000
    twice = sum(count - 1 for key, count in asked.items() if key[0].startswith("Teach"))
    assert twice <= kills * server.most_in_flight  # those whose answer died between the socket and the journal
    settled = Counter(key for key, done in sends(desk) if done)
    assert all(count == 1 for count in settled.values())  # none that was answered was sent once more
    written = len(sends(desk))
    assert server.total <= written <= server.total + kills * server.most_in_flight  # some were not sent any more


def body_key(asked: Asked) -> tuple[str, int | None]:
    return asked.prompt, asked.seed


def until(happened: Any, process: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_budget_of_calls_holds_through_kills_and_restarts(desk: Project) -> None:
    with ModelServer(agreeable, latency=0.2) as server:
        command: tuple[Any, ...] = (
            "run",
            "teaching.py",
            "--rows",
            1000,
            "--out",
            "out",
            "--model",
            f"openai:small@{server.url}",
        )
        command += ("--count", 1000, "--max-calls", 200)
        for at in (40, 90, 150):
            process = desk.start(*command)
            until(lambda at=at: server.total >= at, process)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stopped = desk.retroweave(*command, code=1)
        assert "The budget is used up: 200 of 200 calls are made. Pass a larger --max-calls" in stopped.stderr
        again = desk.retroweave(*command, code=1)
        assert "200 of 200 calls" in again.stderr
        assert server.total <= 200
        assert server.total >= 200 - 3 * server.most_in_flight  # what was written down and died before it was sent
        desk.retroweave(*command[:-2], "--max-calls", 100_000)
    assert desk.counts()["samples"] == 1000


def test_what_a_budget_stopped_is_a_dataset_already_and_goes_on(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        made = make(desk, server, 300, budget=Budget(calls=200))
        assert 0 < made["counts"]["samples"] < 300
        assert made["out_of_budget"].startswith("The budget is used up: 200 of 200 calls are made.")
        assert len(desk.samples()) == made["counts"]["samples"]
        first = {sample["id"] for sample in desk.samples()}
        whole = make(desk, server, 300)
        assert whole["counts"]["samples"] == 300
        assert first < {sample["id"] for sample in desk.samples()}
        assert server.total == whole["models"][0]["calls"]


def test_tokens_and_dollars_are_never_exceeded_either(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        table = {"small": ModelSpec(f"openai:small@{server.url}", price=Price(prompt=1.0, completion=10.0))}
        made = desk.make("teaching.py", 300, "cheap", model="small", models=table, budget=Budget(cost=0.015))
        assert 0.012 < made["models"][0]["cost"] <= 0.015
        assert "of $0.015 is spent" in made["out_of_budget"]
        made = desk.make("teaching.py", 300, "short", seed=1, model="small", models=table, budget=Budget(tokens=9000))
        assert 6000 < made["models"][0]["tokens"] <= 9000


def test_the_bytes_are_the_same_whatever_the_server_does(desk: Project) -> None:
    server = ModelServer(classroom)
    with server:
        make(desk, server, 200, out="plain")
    shutil.rmtree(".retroweave")  # or every answer would be known
    server.latency, server.faults = 0.01, {"busy": 0.1, "error": 0.1}
    with server:
        make(desk, server, 200, out="troubled")
    assert server.struck["error"] > 10
    assert desk.data("plain") == desk.data("troubled")


def test_the_bytes_are_the_same_however_many_requests_are_under_way(desk: Project) -> None:
    def uneven(asked: Asked) -> Reply:
        reply = classroom(asked)
        reply.seconds = server.latency * (os.urandom(1)[0] % 8)
        return reply

    server = ModelServer(uneven)
    for in_flight, server.latency in ((1, 0.0), (16, 0.002), (300, 0.02)):
        with server:
            table = {"small": ModelSpec(f"openai:small@{server.url}", in_flight=in_flight)}
            desk.make("teaching.py", 500, f"out-{in_flight}", model="small", models=table)
        shutil.rmtree(".retroweave")
    assert desk.data("out-1") == desk.data("out-16") == desk.data("out-300")


def test_the_order_in_which_answers_come_is_not_in_the_data(desk: Project) -> None:
    def uneven(asked: Asked) -> Reply:
        reply = agreeable(asked)
        reply.seconds = server.latency * (int.from_bytes(os.urandom(1)) % 8)
        return reply

    gathering = RECIPE.replace("from collections.abc", "import asyncio\nfrom collections.abc").replace(
        """    answer = await model.chat([{"role": "user", "content": question}], max_tokens=1, temperature=0.0)
""",
        """    asked = [[{"role": "user", "content": f"{question}{end}"}] for end in ("", " ", "  ", "   ")]
    answer, *_ = await asyncio.gather(*(model.chat(one, max_tokens=1, temperature=0.0) for one in asked))
""",
    )
    assert "gather" in gathering
    desk.write("teaching.py", gathering)
    server = ModelServer(uneven)
    with server:
        make(desk, server, 60, out="even")
    shutil.rmtree(".retroweave")
    server.latency = 0.01
    with server:
        make(desk, server, 60, out="uneven")
    assert desk.data("even") == desk.data("uneven")


def test_a_judge_that_does_not_hold_its_own_example_stops_the_run_before_it_begins(desk: Project) -> None:
    def blind(asked: Asked) -> Reply:
        return Reply("yes")

    with ModelServer(blind) as server, pytest.raises(InvalidPipeline, match="with 'lesson' spoiled"):
        make(desk, server, 10)


CALLS_OF_NONE: dict[str, tuple[dict[str, Any], str]] = {
    "wrong key": ({"key": "right"}, "key"),
    "unknown model": ({"models": ["large"]}, "'small'"),
    "no LLM": ({"lacks": ["chat", "completions", "embeddings", "models"]}, "/v1"),
}


@pytest.mark.parametrize("case", CALLS_OF_NONE)
def test_a_server_that_will_not_answer_is_an_error_that_says_how_to_mend_it(desk: Project, case: str) -> None:
    options, word = CALLS_OF_NONE[case]
    with ModelServer(classroom, **options) as server:
        done = desk.retroweave(
            "run", "teaching.py", "--rows", 5, "--out", "out", "--model", f"openai:small@{server.url}", code=2
        )
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")


def test_no_server_at_all_is_an_error_that_names_its_address(desk: Project) -> None:
    with ModelServer(classroom) as server:
        url = server.url
    done = desk.retroweave("run", "teaching.py", "--rows", 5, "--out", "out", "--model", f"openai:small@{url}", code=2)
    assert url in done.stderr
    assert "Start it" in done.stderr


def test_a_run_that_never_began_does_not_stand_in_the_way_of_the_corrected_one(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        command = ("run", "teaching.py", "--rows", 5, "--out", "out", "--model")
        desk.retroweave(*command, "openai:small@http://127.0.0.1:9/v1", code=2)
        desk.retroweave(*command, f"openai:small@{server.url}")
        refused = desk.retroweave(*command, f"openai:other@{server.url}", code=2)
    assert "What changed: config.model:" in refused.stderr
    assert "models." not in refused.stderr  # one change is told once


def test_a_source_that_gives_too_few_is_told_by_the_estimate(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        command = ("run", "teaching.py", "--rows", 1000, "--count", 12, "--model", f"openai:small@{server.url}")
        said = desk.retroweave(*command, "--estimate").stdout
    assert "The source has no more rows: it gives about 12 samples, not 1,000." in said


def test_prompts_that_are_too_long_are_rejects_with_that_reason(desk: Project) -> None:
    with ModelServer(classroom, context=23) as server, pytest.raises(RunStopped, match="longer than the context"):
        make(desk, server, 5, count=20)


def test_a_changed_parser_or_judge_costs_no_call_for_what_was_answered(desk: Project) -> None:
    with ModelServer(classroom) as server:
        make(desk, server, 100)
        paid = server.total
        changed = RECIPE.replace("return answer.text\n", 'return answer.text.replace("lesson", "LESSON")\n', 1)
        desk.write("teaching.py", changed.replace("? {lesson}", "? {lesson.lower()}"))
        make(desk, server, 100, again=True)
        assert server.total == paid
    assert all("LESSON" in sample["provenance"]["kept"]["lesson"] for sample in desk.samples())


def test_a_recipe_that_asks_nothing_leaves_no_journal_of_calls(project: Project, monkeypatch: Any) -> None:
    monkeypatch.chdir(project.folder)
    project.counting()
    project.make("counting.py", 5)
    assert ".retroweave" not in [path.name for path in project.folder.iterdir()]
