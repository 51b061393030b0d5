"""Odds are Bayes' rule: precision, yield and cost forward, and backward the judge that a precision takes."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.odds import JudgeRates, forecast, needed

probability = st.floats(0, 1)
middling = st.floats(0.01, 0.99)
judges = st.builds(JudgeRates, probability, probability, st.floats(0, 100))


def test_the_example_of_the_guide_gives_its_94_percent() -> None:
    found = forecast(0.8, [JudgeRates(0.8, 0.2)])
    assert found.precision == pytest.approx(0.9412, abs=1e-4)
    assert found.yield_ == pytest.approx(0.68)
    assert found.recall == pytest.approx(0.8)
    assert found.generated_per_accepted == pytest.approx(1 / 0.68)


@given(probability, st.lists(judges, max_size=4))
def test_precision_yield_and_recall_are_probabilities(generator: float, chain: list[JudgeRates]) -> None:
    try:
        found = forecast(generator, chain)
    except UserError as error:
        assert "no row is ever accepted" in str(error)  # noqa: PT017
        return
    assert 0 <= found.precision <= 1
    assert 0 < found.yield_ <= 1 + 1e-9
    assert 0 <= found.recall <= 1


@given(middling, middling, middling)
def test_a_chain_of_one_is_the_formula(p: float, s: float, f: float) -> None:
    found = forecast(p, [JudgeRates(s, f)])
    assert found.precision == pytest.approx(p * s / (p * s + (1 - p) * f))
    assert found.yield_ == pytest.approx(p * s + (1 - p) * f)


@given(middling, st.lists(st.builds(JudgeRates, middling, middling), max_size=4))
def test_the_order_of_judges_changes_neither_precision_nor_yield(generator: float, chain: list[JudgeRates]) -> None:
    one, other = forecast(generator, chain), forecast(generator, chain[::-1])
    assert one.precision == pytest.approx(other.precision)
    assert one.yield_ == pytest.approx(other.yield_)


def test_without_a_judge_the_generator_is_what_you_get() -> None:
    found = forecast(0.3, [], cost=2)
    assert (found.precision, found.yield_, found.recall, found.cost_per_accepted) == (0.3, 1.0, 1.0, 2.0)


def test_a_judge_is_paid_for_the_rows_that_those_before_it_accepted() -> None:
    found = forecast(0.5, [JudgeRates(1.0, 0.0, cost=1), JudgeRates(1.0, 1.0, cost=10)], cost=100)
    assert found.cost_per_accepted == pytest.approx((100 + 1 + 0.5 * 10) / 0.5)


@given(middling, middling, middling, middling)
def test_a_judge_at_the_bound_reaches_the_target(p: float, target: float, s: float, f: float) -> None:
    need = needed(p, target, JudgeRates(s, f))
    assume(need.accepts_wrong > 0)
    found = forecast(p, [JudgeRates(s, need.accepts_wrong)])
    assert found.precision >= target - 1e-9 or need.accepts_wrong == 1
    if need.accepts_wrong < 1:
        assert s / need.accepts_wrong == pytest.approx(need.likelihood_ratio)
        assert found.precision == pytest.approx(target)


@given(middling, middling, middling, middling)
def test_a_chain_of_so_many_reaches_the_target_and_one_less_does_not(
    p: float, target: float, s: float, f: float
) -> None:
    judge = JudgeRates(s, f)
    chain = needed(p, target, judge).chain
    if chain is None:
        assert s <= f
        return
    assume(chain <= 200)  # beyond, the share that is accepted is no number that a float holds
    assert forecast(p, [judge] * chain).precision >= target - 1e-6
    assert chain == 0 or forecast(p, [judge] * (chain - 1)).precision < target + 1e-6


@pytest.mark.parametrize(
    ("right", "wrong", "chain"), [(0.0, 0.5, None), (0.5, 0.5, None), (0.5, 0.9, None), (0.5, 0.0, 1)]
)
def test_how_many_judges_at_the_edges(right: float, wrong: float, chain: int | None) -> None:
    assert needed(0.5, 0.9, JudgeRates(right, wrong)).chain == chain


def test_a_generator_that_is_right_enough_needs_no_judge() -> None:
    need = needed(0.95, 0.9, JudgeRates(0.8, 0.2))
    assert need.chain == 0
    assert need.accepts_wrong == 1.0
    assert needed(1.0, 0.9, JudgeRates(0.8, 0.2)).likelihood_ratio == 0


def test_one_judge_that_just_reaches_the_target_is_enough_in_spite_of_rounding() -> None:
    assert needed(0.5, 0.9, JudgeRates(0.9, 0.1)).chain == 1
    assert needed(0.5, 0.99, JudgeRates(0.99, 0.01)).chain == 1


@pytest.mark.parametrize(
    ("generator", "judge"), [(0.0, JudgeRates(1.0, 0.0)), (1.0, JudgeRates(0.0, 1.0)), (0.5, JudgeRates(0.0, 0.0))]
)
def test_rates_at_which_nothing_is_ever_accepted_are_an_error(generator: float, judge: JudgeRates) -> None:
    with pytest.raises(UserError, match="no row is ever accepted"):
        forecast(generator, [judge])


@pytest.mark.parametrize("generator", [0.0, 1.0])
def test_a_generator_that_is_always_wrong_or_always_right_stays_so(generator: float) -> None:
    assert forecast(generator, [JudgeRates(0.8, 0.2)]).precision == generator


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_what_is_no_probability_is_refused_by_its_option(value: float) -> None:
    with pytest.raises(UserError, match="--generator is a probability between 0 and 1"):
        forecast(value, [])
    with pytest.raises(UserError, match="--accepts-right is a probability"):
        JudgeRates(value, 0.5)
    with pytest.raises(UserError, match="--accepts-wrong is a probability"):
        JudgeRates(0.5, value)
    with pytest.raises(UserError, match="--target is a precision above 0 and below 1"):
        needed(0.5, value, JudgeRates(0.5, 0.5))


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_what_is_no_cost_is_refused_by_its_option(value: float) -> None:
    with pytest.raises(UserError, match="--cost is a cost of 0 or more"):
        forecast(0.5, [], cost=value)
    with pytest.raises(UserError, match="--judge-cost is a cost of 0 or more"):
        JudgeRates(0.5, 0.5, cost=value)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_target_of_nothing_or_of_certainty_is_refused(target: float) -> None:
    with pytest.raises(UserError, match="--target"):
        needed(0.5, target, JudgeRates(0.5, 0.5))


def test_no_judge_mends_a_generator_that_is_never_right() -> None:
    with pytest.raises(UserError, match="never right"):
        needed(0.0, 0.9, JudgeRates(0.9, 0.1))
