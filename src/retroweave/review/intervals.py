"""Intervals for a share that was estimated from strata: from so many labels in each, to all rows together.

One stratum alone has Wilson's interval (`pipeline.odds`). Several have Beta quantiles: each stratum's share is
uncertain as a Beta distribution says, the shares are added up weighted by how many rows each stratum has, and the sum
is taken for a Beta with the same mean and variance.

The customary Beta(r + 1/2, w + 1/2) of r right and w wrong labels in *each* stratum does not do. Five strata then bring
five doubtful rows along, half of each wrong, and where 99 % of the rows are right and 30 are labelled, the interval
lies below 99 % every time: its coverage is 0. Here one doubtful row is spread over all strata, in the shares w_h / n_h
by which a single label of a stratum moves the estimate. It counts as wrong for the low end and as right for the high
end; with one stratum that is the interval of Clopper and Pearson (1934). `tests/review/test_coverage.py` tells how it
covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retroweave.pipeline.odds import wilson

__all__ = ["Counted", "beta_quantile", "stratified_interval"]

_TAIL = 0.025
_HARDLY = 1e-6
"""In the place of a count of 0, which no Beta distribution has."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A stratum: its size in rows, and what was said of those labelled; whole numbers or not."""

    size: float
    right: float
    labelled: float


def stratified_interval(strata: Sequence[Counted]) -> tuple[float, float, float]:
    """The share that is right of all rows, with the ends of its 95 % interval.

    What stands in a stratum without labels is not known at all: it may all be wrong, or right. The share itself is that
    of the others.
    """
    total = math.fsum(one.size for one in strata)
    seen = [one for one in strata if one.labelled > 0 and one.size > 0]
    if not seen:
        return 0.0, 0.0, 1.0
    known = math.fsum(one.size for one in seen)
    value = math.fsum(one.size * one.right / one.labelled for one in seen) / known
    if len(seen) == 1:
        low, high = wilson(seen[0].right, seen[0].labelled)
    else:
        leverage = [one.size / one.labelled for one in seen]
        doubt = [one / math.fsum(leverage) for one in leverage]
        low = _quantile(seen, [(0.0, one) for one in doubt], _TAIL)
        high = _quantile(seen, [(one, 0.0) for one in doubt], 1 - _TAIL)
    share = known / total
    return value, min(value, low) * share, 1 - share + max(value, high) * share


def _quantile(strata: Sequence[Counted], doubts: Sequence[tuple[float, float]], share: float) -> float:
    """Of the weighted sum of the strata's Beta distributions, each with a doubtful row in addition."""
    total = math.fsum(one.size for one in strata)
    mean = variance = 0.0
    for one, (more_right, more_wrong) in zip(strata, doubts, strict=True):
        right = one.right + more_right + _HARDLY
        wrong = one.labelled - one.right + more_wrong + _HARDLY
        weight, count = one.size / total, right + wrong
        mean += weight * right / count
        variance += weight * weight * right * wrong / (count * count * (count + 1))
    worth = mean * (1 - mean) / variance - 1
    return beta_quantile(share, mean * worth, (1 - mean) * worth)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Where a Beta distribution has this share below, to ten digits: Newton's steps, halved where they lead astray."""
    low, high, at = 0.0, 1.0, a / (a + b)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(200):
        over = beta_below(at, a, b) - share
        low, high = (low, at) if over > 0 else (at, high)
        if high - low < 1e-13 or not over:
            break
        density = math.exp(scale + (a - 1) * math.log(at) + (b - 1) * math.log1p(-at))
        step = at - over / density if density > 0 else low
        if abs(step - at) < 1e-14:
            break
        at = step if low < step < high else (low + high) / 2
    return at


def beta_below(x: float, a: float, b: float) -> float:
    """The share of a Beta distribution below `x`: the regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, the other side's does not
        return 1 - beta_below(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22)."""
    tiny = 1e-300
    value, upper, lower = 1.0, 1.0, 0.0
    for step in range(1, 1000):
        half = step // 2
        if step % 2:
            factor = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1 + factor * lower
        lower = 1 / (lower if abs(lower) > tiny else tiny)
        upper = 1 + factor / upper
        upper = upper if abs(upper) > tiny else tiny
        value *= lower * upper
        if abs(lower * upper - 1) < 1e-13:
            break
    return value
