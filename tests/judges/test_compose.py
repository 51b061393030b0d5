"""A judge of judges reads what they read, keeps their scores, and asks no more of them than it needs."""

from __future__ import annotations

import asyncio
import functools
import inspect
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judges.models import Scripted

from retroweave.judges.compose import Composed, ComposedPrograms, all_of, any_of, weighted
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.step import About, judge
from retroweave.pipeline.verdict import Score


def short(answer: str) -> bool:
    return len(answer) < 10


def scored(answer: str) -> Score:
    return Score(0.75, True, {"why": "so"})


def dull(answer: str, question: About[str]) -> Score:
    return Score(0.25, False, {}, "too dull")


def dropped(answer: str) -> bool:
    raise Drop("no answer at all")


async def costly(answer: str, model: Model, rng: Random) -> Score:
    said = await model.chat([{"role": "user", "content": answer}])
    return Score(0.6, said.text == "fine")


def called(judge: Any, **given: Any) -> Score:
    verdict = judge(**given)
    return asyncio.run(verdict) if inspect.isawaitable(verdict) else verdict  # type: ignore[arg-type,no-any-return]


def constant(value: float, passed: bool) -> Any:
    return lambda answer: Score(value, passed)


scores = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=5)


# All, any, weighted


@given(scores)
def test_all_accepts_what_each_accepts_and_any_what_one_accepts(given_: list[tuple[float, bool]]) -> None:
    judges = {f"j{number}": constant(*one) for number, one in enumerate(given_)}
    every, some = called(all_of(**judges), answer="x"), called(any_of(**judges), answer="x")
    assert every.passed == all(passed for _, passed in given_)
    assert some.passed == any(passed for _, passed in given_)
    assert every.value == min(part["score"] for part in every.parts.values() if part != "not asked")
    assert some.value == max(part["score"] for part in some.parts.values() if part != "not asked")


@given(scores, st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5), st.floats(0, 1))
def test_a_weighted_score_lies_among_those_it_is_made_of(
    given_: list[tuple[float, bool]], weights: list[float], threshold: float
) -> None:
    judges = {f"j{number}": (weights[number], constant(*one)) for number, one in enumerate(given_)}
    score = called(weighted(judges, threshold=threshold), answer="x")
    values = [value for value, _ in given_]
    assert 0 <= score.value <= 1
    assert min(values) - 1e-9 <= score.value <= max(values) + 1e-9
    assert score.passed == (score.value >= threshold)


def test_a_weighted_score_is_the_weighted_mean() -> None:
    score = called(weighted({"a": (3, scored), "b": (1, dull)}, threshold=0.7), answer="x", question="?")
    assert score.value == pytest.approx((3 * 0.75 + 0.25) / 4)
    assert (score.passed, score.reason) == (False, "scored below 0.7")


def test_parts_are_nested_by_name() -> None:
    score = called(all_of(scored, dull), answer="x", question="?")
    assert score.parts == {
        "scored": {"score": 0.75, "passed": True, "parts": {"why": "so"}},
        "dull": {"score": 0.25, "passed": False, "reason": "too dull"},
    }
    assert (score.value, score.reason) == (0.25, "too dull")


def test_a_member_that_gives_no_reason_is_told_by_its_docstring_or_its_name() -> None:
    def polite(answer: str) -> bool:
        """It is polite."""
        return False

    assert called(all_of(polite), answer="x").reason == "not so: It is polite"
    score = called(all_of(brief=short), answer="much too long")
    assert score.parts == {"brief": {"score": 0.0, "passed": False, "reason": "brief says no"}}


def test_judges_of_judges_may_be_judges() -> None:
    score = called(all_of(short, either=any_of(dull, scored)), answer="x", question="?")
    assert score
    assert score.parts["either"]["parts"]["scored"]["parts"] == {"why": "so"}


# What is asked


def test_a_cheap_judge_that_says_no_saves_the_costly_one() -> None:
    model = Scripted(lambda sent: "fine")
    composed = all_of(short, costly)
    score = called(composed, answer="much too long a text", model=model, rng=Random(0))
    assert (model.asked, score.value, score.parts["costly"]) == ([], 0, "not asked")
    assert called(composed, answer="brief", model=model, rng=Random(0))
    assert len(model.asked) == 1


def test_any_stops_at_the_first_yes() -> None:
    model = Scripted(lambda sent: "fine")
    score = called(any_of(short, costly), answer="brief", model=model, rng=Random(0))
    assert (score.passed, score.parts["costly"], model.asked) == (True, "not asked", [])


def test_where_none_accepts_the_reason_names_the_judges() -> None:
    assert called(any_of(dull, dropped), answer="x", question="?").reason == "none of dull, dropped accepts it"


def test_a_judge_that_drops_the_row_has_said_no() -> None:
    score = called(all_of(dropped), answer="x")
    assert (score.passed, score.value, score.reason) == (False, 0, "no answer at all")
    assert called(any_of(dropped, scored), answer="x")


# The step


def test_the_signature_is_what_they_read_between_them() -> None:
    step = judge(all_of(short, dull, costly), raises="answer")
    assert step.reads == {"answer": "answer", "question": "question"}
    assert step.about == {"question"}
    assert step.types == {"answer": str, "question": str}
    assert (step.models, step.services, step.awaits) == ({"model": "model"}, {"rng": "rng"}, True)


def test_judges_that_wait_for_nothing_make_one_that_waits_for_nothing() -> None:
    assert isinstance(all_of(short, dull), ComposedPrograms)
    assert isinstance(all_of(short, costly), Composed)
    assert not judge(all_of(short, dull)).awaits


def test_a_read_that_one_judge_rests_on_is_a_support_of_the_whole() -> None:
    def rests(question: str) -> bool:
        return bool(question)

    assert judge(all_of(dull, rests)).about == frozenset()
    assert judge(all_of(rests, dull)).about == frozenset()


def test_what_a_partial_binds_is_no_field() -> None:
    def longer(answer: str, than: int) -> bool:
        return len(answer) > than

    composed = all_of(functools.partial(longer, than=3))
    assert judge(composed).reads == {"answer": "answer"}
    assert called(composed, answer="four")


def test_a_field_and_a_model_of_one_name_are_refused() -> None:
    def reads(model: str) -> bool:
        return bool(model)

    with pytest.raises(UserError, match="The judge 'reads' takes 'model' as str, and one before it takes it as Model"):
        all_of(costly, reads)


def test_two_judges_of_one_name_are_refused_and_may_be_named() -> None:
    with pytest.raises(UserError, match=r"Two of the judges are called 'short'. Name one: all_of\(..., again=judge\)"):
        all_of(short, short)
    assert set(called(all_of(short, shorter=short), answer="x").parts) == {"short", "shorter"}


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), True, "2"])
def test_a_weight_that_is_none_is_refused(weight: Any) -> None:
    with pytest.raises(UserError, match="The weight of the judge 'a' is a number above 0"):
        weighted({"a": (weight, short)})


def test_no_judge_is_not_a_judge() -> None:
    with pytest.raises(UserError, match="needs one at least"):
        all_of()
    with pytest.raises(UserError, match="needs one at least"):
        weighted({})


def test_a_judge_that_takes_anything_is_refused() -> None:
    def anything(**fields: Any) -> bool:
        return True

    with pytest.raises(UserError, match="wrap it in a function that names each"):
        all_of(anything)


def test_the_fingerprint_knows_the_members() -> None:
    def of(*judges: Any) -> str:
        return all_of(*judges).fingerprint()

    one, other = (weighted({"a": (1, short)}, threshold=least) for least in (0.4, 0.5))
    assert of(short, dull) == of(short, dull) != of(dull, short)
    assert all_of(it=one).fingerprint() != all_of(it=other).fingerprint()
