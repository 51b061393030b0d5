"""Curves from a judge's score to the probability that its row is right, and how they are fitted to labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from retroweave.judges.extras import extra
from retroweave.judges.labels import Label

__all__ = ["Curve", "Isotonic", "Platt", "isotonic", "platt"]

NEEDED = "Calibration needs scikit-learn"


class Curve(Protocol):
    """From a score to the probability that its row is right."""

    def __call__(self, score: float) -> float: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Isotonic:
    """The rising curve that fits the labels best; straight between its points, and level beyond them."""

    points: tuple[tuple[float, float], ...]
    """Score and probability."""

    def __call__(self, score: float) -> float:
        before, after = self.points[0], self.points[-1]
        if score <= before[0]:
            return before[1]
        for point in self.points:
            if point[0] >= score:
                after = point
                break
            before = point
        if after[0] <= score:
            return after[1]
        share = (score - before[0]) / (after[0] - before[0])
        return before[1] + share * (after[1] - before[1])

    def as_json(self) -> dict[str, Any]:
        return {"method": "isotonic", "points": [list(point) for point in self.points]}


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve in the score (Platt 1999)."""

    slope: float
    intercept: float

    def __call__(self, score: float) -> float:
        logit = self.slope * score + self.intercept
        less = math.exp(-abs(logit))
        return (1.0 if logit >= 0 else less) / (1.0 + less)

    def as_json(self) -> dict[str, Any]:
        return {"method": "platt", "slope": self.slope, "intercept": self.intercept}


def isotonic(rows: Sequence[Label]) -> Isotonic:
    with extra("calibration", NEEDED):
        from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(y_min=0, y_max=1).fit(
        [row.score for row in rows], [float(row.right) for row in rows], sample_weight=[row.weight for row in rows]
    )
    points = zip(found.X_thresholds_, found.y_thresholds_, strict=True)
    return Isotonic(tuple((float(score), float(probability)) for score, probability in points))


def platt(rows: Sequence[Label]) -> Platt:
    """Each label counts as right by a little less than 1, or by a little more than 0, so that none is quite sure."""
    with extra("calibration", NEEDED):
        from sklearn.linear_model import LogisticRegression

    right = sum(row.right for row in rows)
    sure = {True: (right + 1) / (right + 2), False: 1 / (len(rows) - right + 2)}
    scores, classes, weights = [], [], []
    for row in rows:
        for so in (True, False):
            scores.append([row.score])
            classes.append(so)
            weights.append(row.weight * (sure[row.right] if so else 1 - sure[row.right]))
    found = LogisticRegression(C=1e6, max_iter=1000).fit(scores, classes, sample_weight=weights)
    return Platt(float(found.coef_[0][0]), float(found.intercept_[0]))
