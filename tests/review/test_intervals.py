"""Quantiles of the Beta distribution, and intervals of shares that were estimated from strata."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from retroweave.pipeline.odds import wilson
from retroweave.review.intervals import Counted, beta_below, beta_quantile, stratified_interval

SHAPES = st.floats(1e-3, 1e4)
STRATA = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(0, 60), st.integers(0, 60)).map(
        lambda drawn: Counted(drawn[0], drawn[1], drawn[1] + drawn[2])
    ),
    min_size=1,
    max_size=8,
)


@given(x=st.floats(0, 1, allow_subnormal=False), a=SHAPES, b=SHAPES)
def test_the_share_below_is_scipys(x: float, a: float, b: float) -> None:
    assert beta_below(x, a, b) == pytest.approx(beta.cdf(x, a, b), abs=1e-9)


@given(share=st.floats(0.001, 0.999), a=st.floats(0.05, 1e4), b=st.floats(0.05, 1e4))
def test_below_a_quantile_lies_its_share(share: float, a: float, b: float) -> None:
    assert beta_quantile(share, a, b) == pytest.approx(beta.ppf(share, a, b), abs=1e-8)


@given(strata=STRATA)
def test_the_estimate_lies_in_its_interval_and_that_between_0_and_1(strata: list[Counted]) -> None:
    value, low, high = stratified_interval(strata)
    assert 0 <= low <= high <= 1 + 1e-12
    if all(one.labelled for one in strata):
        assert low <= value <= high


def test_one_stratum_has_wilsons_interval() -> None:
    assert stratified_interval([Counted(5_000, 45, 50)]) == pytest.approx((0.9, *wilson(45, 50)))


def test_strata_are_weighted_by_their_rows() -> None:
    value, _, _ = stratified_interval([Counted(900, 20, 20), Counted(100, 0, 20)])
    assert value == pytest.approx(0.9)


def test_what_nobody_looked_at_may_all_be_right_or_wrong() -> None:
    _, low, high = stratified_interval([Counted(600, 5_000, 5_000), Counted(400, 0, 0)])
    assert low == pytest.approx(0.6, abs=0.002)
    assert high == pytest.approx(1.0)


def test_nothing_is_known_before_the_first_label() -> None:
    assert stratified_interval([Counted(10, 0, 0)]) == (0.0, 0.0, 1.0)


def test_two_strata_of_which_one_is_tiny_are_nearly_clopper_and_pearsons() -> None:
    """With one stratum the doubtful row is whole: Beta(47, 3 + 1) and Beta(47 + 1, 3) have the exact ends."""
    _, low, high = stratified_interval([Counted(10**9, 47, 50), Counted(1, 1, 1)])
    assert low == pytest.approx(beta.ppf(0.025, 47, 4), abs=1e-4)
    assert high == pytest.approx(beta.ppf(0.975, 48, 3), abs=1e-4)


@given(strata=STRATA, times=st.integers(2, 9))
def test_more_labels_of_the_same_kind_narrow_the_interval(strata: list[Counted], times: int) -> None:
    more = [Counted(one.size, one.right * times, one.labelled * times) for one in strata]
    (_, low, high), (_, least, most) = stratified_interval(strata), stratified_interval(more)
    assert most - least <= high - low + 1e-9
    assert math.isfinite(most)
