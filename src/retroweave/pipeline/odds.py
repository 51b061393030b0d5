"""Odds: what a generator and its judges will give, forward, and what judge is needed, backward.

A generator that is right with probability p, and a judge that accepts right rows with probability s and wrong ones with
probability f, yield ps + (1-p)f of the rows, of which ps / (ps + (1-p)f) are right: Bayes' rule. A chain multiplies the
rates of its judges, which holds as far as their mistakes are independent; two judges that share a blind spot give less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retroweave.pipeline.errors import UserError

__all__ = ["Forecast", "JudgeRates", "Need", "forecast", "needed", "wilson"]


@dataclass(frozen=True)
class JudgeRates:
    """How a judge treats right and wrong rows, and what one verdict costs."""

    accepts_right: float
    accepts_wrong: float
    cost: float = 0.0

    def __post_init__(self) -> None:
        _probability(self.accepts_right, "accepts-right")
        _probability(self.accepts_wrong, "accepts-wrong")
        _cost(self.cost, "judge-cost")


@dataclass(frozen=True)
class Forecast:
    """What to expect of a generator and its judges."""

    precision: float
    """The share of the accepted rows that are right."""
    yield_: float
    """The share of the generated rows that are accepted."""
    recall: float
    """The share of the right rows that are accepted."""
    cost_per_accepted: float
    """The cost of all generated and judged rows, for each accepted one."""

    @property
    def generated_per_accepted(self) -> float:
        return 1 / self.yield_


@dataclass(frozen=True)
class Need:
    """What a judge must be like to reach a precision."""

    likelihood_ratio: float
    """accepts-right over accepts-wrong, at least."""
    accepts_wrong: float
    """At most, for a judge with the given accepts-right."""
    chain: int | None
    """How many judges like the given one in a row would do; `None` where no number would."""


def forecast(generator: float, judges: Sequence[JudgeRates], cost: float = 0.0) -> Forecast:
    """Forward: precision, yield and cost of a generator followed by a chain of judges.

    `cost` is what one generated row costs. A judge is asked only for rows that those before it accepted.
    """
    _probability(generator, "generator")
    _cost(cost, "cost")
    right, wrong, spent = generator, 1 - generator, cost
    for judge in judges:
        spent += (right + wrong) * judge.cost
        right *= judge.accepts_right
        wrong *= judge.accepts_wrong
    if right + wrong == 0:
        raise UserError("With these rates no row is ever accepted: raise --generator or --accepts-right.")
    recall = right / generator if generator else 0.0
    return Forecast(right / (right + wrong), right + wrong, recall, spent / (right + wrong))


def needed(generator: float, target: float, judge: JudgeRates) -> Need:
    """Backward: what it takes to reach the precision `target`, and how many judges like `judge` would do."""
    _probability(generator, "generator")
    if not 0 < target < 1:
        raise UserError(f"--target is a precision above 0 and below 1, not {target}.")
    if generator == 0:
        raise UserError("A generator that is never right cannot be mended by any judge: raise --generator above 0.")
    ratio = target * (1 - generator) / (generator * (1 - target))
    return Need(ratio, min(1.0, judge.accepts_right / ratio) if ratio else 1.0, _chain(ratio, judge))


def wilson(passed: float, of: float, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share: 95 % unless `z` says otherwise. The whole range where nothing is known.

    It holds near 0 and 1, where most of ours lie. Wilson, "Probable inference, the law of succession, and statistical
    inference" (1927).
    """
    if of <= 0:
        return 0.0, 1.0
    share = passed / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    low = 0.0 if share <= 0 else max(0.0, (middle - spread) / scale)
    high = 1.0 if share >= 1 else min(1.0, (middle + spread) / scale)
    return low, high


def _chain(ratio: float, judge: JudgeRates) -> int | None:
    if ratio <= 1:
        return 0
    if judge.accepts_right == 0 or judge.accepts_right <= judge.accepts_wrong:
        return None
    if judge.accepts_wrong == 0:
        return 1
    step = math.log(judge.accepts_right / judge.accepts_wrong)
    return math.ceil(math.log(ratio) / step - 1e-9)


def _probability(value: float, option: str) -> None:
    if not 0 <= value <= 1:
        raise UserError(f"--{option} is a probability between 0 and 1, not {value}.")


def _cost(value: float, option: str) -> None:
    if not value >= 0 or math.isinf(value):
        raise UserError(f"--{option} is a cost of 0 or more, not {value}.")
