"""How often the 95 % intervals hold what they claim: exactly for one stratum, by simulation for several.

The simulation draws as the workbench does, five strata of the judge's score, at the precisions and numbers of labels
that people work with. "Never far below" means 92 % or more in each case, and 94.5 % on the whole.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from retroweave.pipeline.odds import wilson
from retroweave.review.drawing import LEAST, Stratum, wanted_shares
from retroweave.review.intervals import Counted, beta_quantile, stratified_interval

PRECISIONS = (0.8, 0.95, 0.99)
FAR = 0.92
RUNS = 1_000


def _exactly_covered(share: float, labels: int) -> float:
    """How often Wilson's interval of so many labels holds the true share: summed over all that can come."""
    covered = 0.0
    for right in range(labels + 1):
        low, high = wilson(right, labels)
        if low <= share <= high:
            covered += math.comb(labels, right) * share**right * (1 - share) ** (labels - right)
    return covered


# By scipy, as the chance that the score test at the true share lets pass what comes: the same interval, turned round.
WILSON = {
    (0.8, 30): 0.9639,
    (0.8, 100): 0.9405,
    (0.8, 200): 0.9585,
    (0.95, 30): 0.9392,
    (0.95, 100): 0.9659,
    (0.95, 200): 0.9672,
    (0.99, 30): 0.9639,
    (0.99, 100): 0.9206,
    (0.99, 200): 0.9483,
}


@pytest.mark.parametrize(("share", "labels"), WILSON)
def test_wilsons_interval_has_its_exact_binomial_coverage(share: float, labels: int) -> None:
    assert _exactly_covered(share, labels) == pytest.approx(WILSON[share, labels], abs=5e-4)


@pytest.mark.parametrize("share", PRECISIONS)
def test_one_stratum_is_never_far_below_nominal(share: float) -> None:
    covered = [_stratum_covered(share, labels) for labels in range(30, 201)]
    assert covered == [pytest.approx(_exactly_covered(share, labels), abs=1e-9) for labels in range(30, 201)]
    assert min(covered) >= 0.89  # at 0.99, just where one more wrong row comes to be likely
    assert sum(covered) / len(covered) >= 0.94


def _stratum_covered(share: float, labels: int) -> float:
    covered = 0.0
    for right in range(labels + 1):
        _, low, high = stratified_interval([Counted(1_000, right, labels)])
        if low <= share <= high:
            covered += math.comb(labels, right) * share**right * (1 - share) ** (labels - right)
    return covered


def _shares(precision: float, slope: float, weights: Sequence[float]) -> list[float]:
    """The precision of each stratum, rising with the score the more the better the judge, and `precision` in all."""
    places = [4 * place / (len(weights) - 1) - 2 for place in range(len(weights))]
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        found = [1 / (1 + math.exp(-(slope * place + middle))) for place in places]
        low, high = (
            (middle, high) if sum(w * p for w, p in zip(weights, found, strict=True)) < precision else (low, middle)
        )
    return found


def _allocated(weights: Sequence[float], shares: Sequence[float], labels: int, neyman: bool) -> list[int]:
    """Labels for each stratum: as it has rows, or as it has rows and doubt, and no stratum hardly any."""
    wanted = [
        weight * (math.sqrt(share * (1 - share)) if neyman else 1.0)
        for weight, share in zip(weights, shares, strict=True)
    ]
    parts = [max(LEAST, one / sum(wanted)) for one in wanted]
    return [max(2, round(labels * part / sum(parts))) for part in parts]


def _covered(weights: Sequence[float], precision: float, slope: float, labels: int, neyman: bool, seed: int) -> float:
    shares = _shares(precision, slope, weights)
    counts = _allocated(weights, shares, labels, neyman)
    rng = random.Random(seed)
    known: dict[tuple[int, ...], bool] = {}  # what came before need not be reckoned again
    held = 0
    for _ in range(RUNS):
        right = tuple(sum(rng.random() < share for _ in range(n)) for share, n in zip(shares, counts, strict=True))
        if right not in known:
            strata = [Counted(w, r, n) for w, r, n in zip(weights, right, counts, strict=True)]
            _, low, high = stratified_interval(strata)
            known[right] = low <= precision <= high
        held += known[right]
    return held / RUNS


CASES = [
    (weights, precision, slope, labels, neyman)
    for weights in ((0.2, 0.2, 0.2, 0.2, 0.2), (0.05, 0.1, 0.15, 0.25, 0.45))
    for precision in PRECISIONS
    for slope in (0.0, 1.0)
    for labels in (30, 80, 200)
    for neyman in (False, True)
]


def test_the_stratified_interval_is_never_far_below_nominal() -> None:
    covered = {case: _covered(*case, seed=number) for number, case in enumerate(CASES)}
    least = min(covered, key=covered.__getitem__)
    assert covered[least] >= FAR, (least, covered[least])
    assert sum(covered.values()) / len(covered) >= 0.945


@pytest.mark.parametrize("precision", PRECISIONS)
def test_where_labels_go_by_what_came_before_the_interval_holds_too(precision: float) -> None:
    """Drawn as the workbench draws, stratum by stratum, by the labels so far."""
    weights = (0.05, 0.1, 0.15, 0.25, 0.45)
    strata = [Stratum(str(weight), True, 0, 1, round(10_000 * weight)) for weight in weights]
    shares = _shares(precision, 1.0, weights)
    rng = random.Random(3)
    held = [_adaptively_held(strata, shares, precision, labels, rng) for labels in (30, 80) for _ in range(200)]
    assert sum(held) / len(held) >= FAR


def _adaptively_held(
    strata: Sequence[Stratum], shares: Sequence[float], precision: float, labels: int, rng: random.Random
) -> bool:
    counts = [[0.0, 0.0] for _ in strata]
    for _ in range(labels):
        (place,) = rng.choices(range(len(strata)), wanted_shares(strata, counts))
        counts[place][0] += 1
        counts[place][1] += rng.random() < shares[place]
    found = [Counted(one.size, right, labelled) for one, (labelled, right) in zip(strata, counts, strict=True)]
    _, low, high = stratified_interval(found)
    return low <= precision <= high


def test_half_a_row_of_each_kind_in_every_stratum_would_not_do() -> None:
    """Why the doubtful row is spread: the customary prior, by itself, holds 99 % out of the interval each time."""
    right = [Counted(0.2, 6, 6)] * 5
    mean = sum(one.size * (one.right + 0.5) / (one.labelled + 1) for one in right)
    variance = sum(one.size**2 * 6.5 * 0.5 / (49 * 8) for one in right)
    worth = mean * (1 - mean) / variance - 1
    assert beta_quantile(0.975, mean * worth, (1 - mean) * worth) < 0.99  # even where all 30 labels are right
    _, low, high = stratified_interval(right)
    assert low < 0.99 < high
