"""An estimate says what a run will take from a few of its rows, and what a substituted prompt is worth."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from retroweave.estimating import ROWS, Estimate, Rate, _projected, _Took, estimate
from retroweave.models import desk
from retroweave.models.scripted import Scripted
from retroweave.pipeline.budget import Budget, OutOfBudget
from retroweave.pipeline.errors import InvalidPipeline, RunStopped, UserError
from retroweave.pipeline.layout import assistant, layout, user
from retroweave.pipeline.model import Answer, Model, ModelSpec, Price, Request
from retroweave.pipeline.pipeline import Node, Pipeline, also
from retroweave.pipeline.step import compute, judge, prompt, verify
from retroweave.terminal import show_estimate
from retroweave.text.generation import generate
from retroweave.text.prompts import read_prompt
from tests.pipeline.small import source

PROMPT = "%% user\nTake care, and go step by step. {{ passage }}\n%% plain\n{{ passage }}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def right(passage: str, answer: str) -> bool:
    return answer == passage.upper()


CHECKED = verify(right, raises="answer", good={"passage": "a", "answer": "A"}, spoiled={"answer": "B"})
SHOWN = layout(user("{passage}"), assistant("{answer}"))
INSTRUCTED = layout(user("{instruction}"), assistant("{answer}"))


async def shout(passage: str, model: Model) -> str:
    return (await model.chat([{"role": "user", "content": passage}], max_tokens=20)).text


def pipeline(*steps: Node, rows: int = ROWS, model: str = "scripted:answers.yaml") -> Pipeline:
    passages = source(*({"passage": f"row {n}."} for n in range(rows)), passage=str)
    return Pipeline(passages, *steps, models={"model": model})


class Answering:
    """Stands in for the file of a scripted model, with a function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, reply: Callable[[Request], Answer | str]) -> None:
        self.asked: list[Request] = []

        def scripted(spec: ModelSpec) -> Scripted:
            model = Scripted(reply, identity=spec.use)
            model.asked = self.asked
            return model

        monkeypatch.setattr("retroweave.models.scripted.scripted_from", scripted)


def estimated(pipeline: Pipeline, rows: int = 1000, budget: Budget | None = None, **table: ModelSpec) -> Estimate:
    return asyncio.run(estimate(pipeline, "small", 0, rows, budget or Budget(), table))


def spoken(request: Request) -> str:
    return request.messages[-1]["content"].rpartition("step by step. ")[2]


def now_and_then(share: Callable[[Request], float]) -> Callable[[Request], Answer]:
    """Right answers for a share of the rows, which falls out the same each time; ten tokens read and five written."""

    def reply(request: Request) -> Answer:
        text = spoken(request)
        row = int(text.removeprefix("row ").removesuffix("."))
        wrong = row % 10 >= 10 * share(request)
        return Answer("no" if wrong else text.upper(), "stop", 10, 5)

    return reply


class TestRange:
    def test_the_pass_rate_is_that_of_the_rows_with_its_interval(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 0.5))
        found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN))
        assert found.accepted == Rate(10, 20)
        assert found.accepted.range.low == pytest.approx(0.299, abs=0.001)
        assert found.accepted.range.high == pytest.approx(0.701, abs=0.001)
        assert found.reasons == (("reject at right: right says no", 10),)
        assert (found.rows, found.source_rows, found.failures, found.plain) == (1000, 20, 0, None)

    def test_what_a_run_takes_is_what_a_row_takes_over_the_yield(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 0.5))
        spec = ModelSpec("scripted:answers.yaml", price=Price(1.0, 2.0))
        found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN, model="mine"), mine=spec)
        assert found.calls.likely == 2000
        assert found.calls.low == pytest.approx(2000 * 0.5 / 0.701, rel=0.01)
        assert found.calls.high == pytest.approx(2000 * 0.5 / 0.299, rel=0.01)
        assert found.tokens.likely == 30000
        assert found.cost is not None
        assert found.cost.likely == pytest.approx(2000 * (10 * 1.0 + 5 * 2.0) / 1e6)
        assert found.seconds is not None
        assert 0 < found.seconds.low < found.seconds.likely < found.seconds.high
        assert found.examined == {"model": 20}

    def test_rows_that_all_pass_leave_room_for_doubt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 1.0))
        found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN))
        assert found.calls.likely == 1000
        assert found.calls.low == pytest.approx(1000)
        assert found.calls.high > 1150

    def test_without_a_yield_there_is_no_end_but_a_least(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 0.0))
        found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN))
        assert found.accepted == Rate(0, 20)
        assert math.isinf(found.calls.likely)
        assert math.isinf(found.calls.high)
        assert 1000 < found.calls.low < 1000 * 20
        assert found.cost is not None
        assert found.cost.high == 0  # what runs here is free, however long it goes on

    def test_failures_are_counted_and_are_no_part_of_the_yield(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, lambda request: "never asked")

        def fails(passage: str) -> str:
            if passage.endswith("3."):
                raise ValueError("three")
            return passage.upper()

        found = estimated(pipeline(compute(fails, writes="answer"), CHECKED, SHOWN))
        assert (found.failures, found.accepted) == (2, Rate(18, 18))
        assert found.reasons == (("failure at fails: ValueError: three", 2),)
        assert found.calls.likely == 0

    def test_what_siblings_were_asked_before_they_parted_counts_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 1.0))
        two = also(
            one=(SHOWN,),
            two=(layout(user("Again: {passage}"), assistant("{answer}"), name="two"),),
        )
        found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, two), rows=100)
        assert found.accepted == Rate(40, 40)
        assert found.calls.likely == 50

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=20), st.integers(1, 10**6))
    def test_the_likely_value_stands_between_the_bounds(self, rows: list[tuple[int, int]], wanted: int) -> None:
        took = [_Took(samples, calls, calls, 0.0) for samples, calls in rows]
        of = sum(max(1, samples) for samples, _ in rows)
        accepted = Rate(sum(samples for samples, _ in rows), of)
        found = _projected(wanted, took, [one.calls for one in took], accepted)
        assert found.low <= found.likely * (1 + 1e-9)
        assert found.likely <= found.high * (1 + 1e-9)

    def test_the_interval_holds_what_it_promises(self) -> None:
        """Of many estimates, each from 20 rows of which seven in ten pass, most hold the true number of calls."""
        rng = random.Random(1)
        held = 0
        for _ in range(100):
            took = [_Took(int(rng.random() < 0.7), rng.choice([1, 2, 3]), 0, 0.0) for _ in range(20)]
            samples = sum(one.samples for one in took)
            found = _projected(1000, took, [one.calls for one in took], Rate(samples, 20))
            held += found.low <= 1000 * 2 / 0.7 <= found.high
        assert held >= 93


class TestPlain:
    def test_the_same_rows_with_the_plain_prompt_say_what_the_clever_one_is_worth(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        share = now_and_then(lambda request: 0.9 if "Take care" in request.messages[0]["content"] else 0.6)
        Answering(monkeypatch, share)
        (folder / "shout.prompt").write_text(PROMPT, "utf-8")
        step = prompt(generate(read_prompt(folder / "shout.prompt")), writes="answer", plain="instruction")
        found = estimated(pipeline(step, CHECKED, INSTRUCTED))
        assert found.accepted == Rate(18, 20)
        assert found.plain == Rate(12, 20)
        assert found.examined == {"model": 20}


class TestWhatItAsks:
    def test_what_was_answered_is_there_for_the_next_estimate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answering = Answering(monkeypatch, now_and_then(lambda request: 0.5))
        made = pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN)
        first, second = estimated(made), estimated(made)
        assert len(answering.asked) == 20
        assert (first.calls, first.tokens, first.examined) == (second.calls, second.tokens, second.examined)

    def test_how_long_answers_of_the_journal_take_was_not_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, now_and_then(lambda request: 0.5))
        made = pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN)
        first, second = estimated(made), estimated(made)
        assert first.seconds is not None
        assert second.seconds is None
        told = StringIO()
        show_estimate(Console(file=told, width=100), second)
        assert "not measured" in told.getvalue()

    def test_a_budget_holds_for_it_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answering = Answering(monkeypatch, now_and_then(lambda request: 0.5))
        with pytest.raises(OutOfBudget, match="7 of 7 calls"):
            estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN), budget=Budget(calls=7))
        assert len(answering.asked) <= 7

    def test_a_judge_that_does_not_hold_is_told_before_anything_else_is_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def nods(answer: str, model: Model) -> bool:
            return bool((await model.chat([{"role": "user", "content": answer}])).text)

        answering = Answering(monkeypatch, lambda request: "Yes")
        step = judge(nods, raises="answer", good={"answer": "a"}, spoiled={"answer": "b"})
        with pytest.raises(InvalidPipeline, match=r"The judges of 'small' were tried, and do not hold.*:\n  - Rule 7"):
            estimated(pipeline(prompt(shout, writes="answer"), step, SHOWN))
        assert [spoken(request) for request in answering.asked] == ["a", "b"]

    def test_a_source_without_rows_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Answering(monkeypatch, lambda request: "never asked")
        with pytest.raises(RunStopped, match="The source gives no row to judge by"):
            estimated(pipeline(prompt(shout, writes="answer"), SHOWN, rows=0))

    def test_a_model_that_is_none_is_told(self) -> None:
        with pytest.raises(UserError, match="There is no model 'gpt'"):
            estimated(pipeline(SHOWN, model="gpt"))

    def test_without_a_price_there_is_no_cost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reply = now_and_then(lambda request: 1.0)
        made = pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN, model="openai:apertus@http://127.0.0.1:1/v1")
        monkeypatch.setattr("retroweave.estimating.open_desk", with_model(reply))
        assert estimated(made).cost is None


def with_model(reply: Callable[[Request], Answer]) -> Any:
    """`open_desk` with this model behind every name."""

    def opened(models: Any, run: str, budget: Budget) -> Any:
        return desk.open_desk(models, run, budget, opener=lambda spec: Scripted(reply))

    return opened


def test_a_script_in_a_file_does_as_well(folder: Path) -> None:
    script = [{"when": f"row {n}.", "answer": f"ROW {n}."} for n in range(10)]
    (folder / "answers.yaml").write_text(yaml.safe_dump(script), "utf-8")
    found = estimated(pipeline(prompt(shout, writes="answer"), CHECKED, SHOWN))
    assert found.accepted == Rate(10, 10)
    assert found.failures == 10
    assert "no entry of the script is about" in found.reasons[0][0]
