"""A prompt worded otherwise is asked as a run would ask it, on the same rows, and what a run has asked is free."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from retroweave.making import make
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import InvalidPipeline, RunStopped, UserError
from retroweave.pipeline.model import ModelSpec
from retroweave.pipeline.pipeline import Family, also
from retroweave.pipeline.recipe import find_recipe
from retroweave.review.comparing import Answered, Trial, Version
from retroweave.review.rewording import behind
from retroweave.review.rows import Rows
from tests.model_server import Asked, ModelServer, Raw
from tests.review.recipes import EXPLAIN, write_recipe

BETTER = EXPLAIN.replace("You explain", "Better yet: you explain")
OLD, NEW = Version("old", EXPLAIN), Version("new", BETTER)


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.chdir(tmp_path)
    found = find_recipe(str(write_recipe(tmp_path)))
    return Trial(found, found.configure({}))


def answers(trial: Trial, step: str, versions: Sequence[Version], **more: object) -> list[Answered]:
    async def gathered() -> list[Answered]:
        return [one async for one in trial.run(step, versions, **more)]  # type: ignore[arg-type]

    found = asyncio.run(gathered())
    return sorted(found, key=lambda one: (one.row, [version.name for version in versions].index(one.version)))


def test_the_steps_are_those_that_ask_with_a_prompt_file(trial: Trial, tmp_path: Path) -> None:
    found = trial.steps()
    assert [one.step for one in found] == ["explain", "clear/clear", "clear/kind"]
    assert found[0].path == tmp_path / "proverbs" / "explain.prompt"
    assert found[0].text == EXPLAIN
    assert found[0].model == "writer"
    assert found[0].reads == ("mood", "proverb")


def test_each_version_is_asked_on_the_same_rows(trial: Trial) -> None:
    found = answers(trial, "explain", [OLD, NEW], rows=6)
    assert [one.row for one in found[::2]] == [one.row for one in found[1::2]]
    assert len({one.row for one in found}) == 6
    first, second = found[:2]
    assert first.fields == second.fields == {"proverb": "A watched pot never boils.", "mood": "merry"}
    assert (first.answer, second.answer) == ("Waiting is long, ha!", "Do something else and it will boil.")
    assert second.prompt[0] == {"role": "system", "content": "Better yet: you explain proverbs in a merry way."}
    assert first.tokens > 0


def test_what_follows_the_step_says_what_becomes_of_an_answer(trial: Trial) -> None:
    found = {(one.row, one.version): one for one in answers(trial, "explain", [OLD, NEW], rows=8)}
    ends = {(row[:3], row[4], version): (one.kind, one.step) for (row, version), one in found.items()}
    assert ends["0-0", "0", "old"] == ("sample", "")
    assert ends["0-2", "0", "old"] == ("reject", "is_short")
    assert ends["0-2", "0", "new"] == ("sample", "")
    assert ends["0-3", "0", "old"] == ("sample", "")
    lost = found["0-3-0-0", "old"]
    assert lost.scores["clear"] == pytest.approx(0.55)  # the mean of both phrasings


def test_what_a_run_has_asked_is_free_and_what_is_asked_here_is_free_for_a_run(trial: Trial, tmp_path: Path) -> None:
    run = make(trial.recipe, trial.config, 5, tmp_path / "out", workers=1)
    with Rows(tmp_path / "out") as rows:
        again = Trial.of_run(rows.run)
    found = answers(again, "explain", [OLD, NEW], rows=3)
    assert [one.cached for one in found] == [True, False] * 3
    assert [one.cached for one in answers(again, "explain", [OLD, NEW], rows=3)] == [True] * 6
    assert run["counts"]["samples"] == 5


def test_a_row_goes_on_to_its_layout_or_to_the_end_of_a_family_that_is_folded(trial: Trial) -> None:
    steps = trial.recipe.pipeline(trial.config).steps
    rest = behind(steps, "explain")
    assert rest is not None
    assert [node.name for node in rest] == ["clear", "is_short", "layout"]
    assert behind(steps, "nobody") is None
    (inner,) = [node for node in steps if isinstance(node, Family)]
    folded = behind([replace(inner, into="several"), *steps[3:]], "explain")
    assert folded is not None
    assert [node.name for node in folded] == ["clear", "is_short"]
    (arm,) = [behind([also("both", one=(inner,), two=()), steps[2]], "explain")]
    assert arm is not None
    assert [node.name for node in arm] == ["clear", "is_short", "layout"]


def test_rows_may_begin_further_on(trial: Trial) -> None:
    every = answers(trial, "explain", [OLD], rows=5)
    assert [one.row for one in answers(trial, "explain", [OLD], rows=3, skip=2)] == [one.row for one in every[2:]]
    with pytest.raises(UserError, match="No more rows come"):
        answers(trial, "explain", [OLD], skip=100)


def test_a_judges_prompt_may_be_compared_too(trial: Trial, tmp_path: Path) -> None:
    text = (tmp_path / "proverbs" / "kind.prompt").read_text()
    harsh = text.replace("Is it kind?", "Is it kind? BAD?")
    found = answers(trial, "clear/kind", [Version("old", text), Version("harsh", harsh)], rows=2)
    assert [one.scores["clear"] for one in found] == pytest.approx([0.8, 0.45, 0.8, 0.45])
    assert [one.kind for one in found] == ["sample", "reject", "sample", "reject"]
    assert "explanation" in found[0].fields


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EXPLAIN.replace("{{ proverb }}", "{{ proverbs }}"), "Did you mean 'proverb'"),
        (EXPLAIN.replace("%% user", "%% usr"), "has a section 'usr'"),
        (EXPLAIN.replace("max_tokens", "max_token"), "no setting 'max_token'"),
        (EXPLAIN.partition("%% plain")[0], "its prompt has none"),
        (EXPLAIN.replace("example.explanation", "example.answer"), "'answer' of its examples"),
        ("", "neither turns nor a document"),
    ],
)
def test_a_prompt_that_cannot_be_asked_is_refused_and_names_its_own_file(trial: Trial, text: str, said: str) -> None:
    with pytest.raises((UserError, InvalidPipeline), match=said) as caught:
        trial.check("explain", text)
    assert "/tmp/tmp" not in str(caught.value)
    with pytest.raises((UserError, InvalidPipeline), match=said):
        answers(trial, "explain", [OLD, Version("new", text)])
    trial.check("explain", BETTER)


def test_a_step_without_a_prompt_file_is_an_error_that_names_those_that_have_one(trial: Trial) -> None:
    with pytest.raises(UserError, match="Did you mean 'explain'"):
        trial.check("explains", EXPLAIN)


def test_versions_have_names_of_their_own(trial: Trial) -> None:
    with pytest.raises(UserError, match="a name of its own"):
        answers(trial, "explain", [OLD, OLD])


def test_a_budget_holds(trial: Trial) -> None:
    with pytest.raises(RunStopped, match="max-calls"):
        answers(trial, "explain", [OLD, NEW], rows=4, budget=Budget(calls=3))


def test_over_a_real_server_answers_come_as_they_are_made_and_are_paid_for_once(trial: Trial) -> None:
    def model(asked: Asked) -> str:
        return "Yes" if "Is it" in asked.prompt else "Short enough."

    async def gathered(over: Trial, server: ModelServer) -> tuple[list[Answered], list[int]]:
        """The answers, and how much the server had been asked when each came."""
        pairs = [(one, server.total) async for one in over.run("explain", [OLD, NEW], rows=3)]
        return [one for one, _ in pairs], [total for _, total in pairs]

    with ModelServer(model) as server:
        models = {"slowly": ModelSpec(f"openai:some@{server.url}", in_flight=1)}
        over = replace(trial, config=trial.recipe.configure({"model": "slowly"}), models=models)
        found, totals = asyncio.run(gathered(over, server))
        assert {one.answer for one in found} == {"Short enough."}
        assert [one.cached for one in found] == [False] * 6
        assert [one.scores["clear"] for one in found] == pytest.approx([0.9] * 6)  # eight answers, all of them yes
        assert totals[0] < totals[-1] == server.total
        again, _ = asyncio.run(gathered(over, server))
        assert [one.cached for one in again] == [True] * 6
        assert server.total == totals[-1]


def test_a_server_that_answers_nothing_is_a_failure_of_the_row_and_not_of_the_page(trial: Trial) -> None:
    with ModelServer(lambda asked: Raw(400, {"error": {"message": "too odd"}})) as server:
        over = replace(trial, config=trial.recipe.configure({"model": f"openai:some@{server.url}"}))
        with pytest.raises((RunStopped, UserError)):
            answers(over, "explain", [OLD, NEW], rows=2)


def test_the_files_are_not_touched(trial: Trial, tmp_path: Path) -> None:
    answers(trial, "explain", [OLD, NEW], rows=1)
    assert (tmp_path / "proverbs" / "explain.prompt").read_text() == EXPLAIN


def test_who_stops_reading_stops_the_asking(trial: Trial) -> None:
    async def first() -> Answered:
        found = trial.run("explain", [OLD, NEW], rows=8)
        try:
            return await anext(found)
        finally:
            await found.aclose()  # type: ignore[attr-defined]

    assert asyncio.run(first()).version in ("old", "new")


def test_a_run_whose_recipe_is_not_here_is_an_error_that_says_so(trial: Trial) -> None:
    run = {"reference": "gone.py", "recipe": "gone", "config": {}, "seed": 0}
    with pytest.raises(UserError, match=r"no recipe file 'gone\.py'"):
        Trial.of_run(run)
    assert replace(trial, seed=3).seed == 3
