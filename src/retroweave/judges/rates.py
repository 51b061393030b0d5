"""What labels say in shares, with their intervals: of all rows, of each tenth of the scale, at each threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from retroweave.judges.labels import Label
from retroweave.pipeline.odds import wilson

__all__ = ["Bin", "Choice", "Rate", "auc_of", "bins_of", "choice_of", "choices_of", "mean_of", "parted"]

BINS = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, and where it may lie: Wilson's interval at 95 %."""

    value: float
    low: float
    high: float
    count: int
    """Labels that it was taken from."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The labels with scores in one tenth of the scale."""

    low: float
    high: float
    score: float
    """Their mean score."""
    right: Rate
    """How many of them are right."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold, and what it would give."""

    threshold: float
    precision: Rate
    """Of the rows accepted."""
    yield_: float
    """The share of all rows that is accepted."""
    accepts_right: Rate
    accepts_wrong: Rate


@dataclass
class Sum:
    """Weights added up."""

    total: float = 0.0
    squares: float = 0.0
    count: int = 0

    @classmethod
    def of(cls, rows: Iterable[Label]) -> Sum:
        found = cls()
        for row in rows:
            found.add(row)
        return found

    def add(self, row: Label) -> None:
        self.total += row.weight
        self.squares += row.weight * row.weight
        self.count += 1

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.total + other.total, self.squares + other.squares, self.count + other.count)


def rate_of(part: Sum, whole: Sum) -> Rate:
    """The weighted share of a part.

    With unequal weights the labels tell as much as fewer equal ones would (Kish 1965), and the interval is of so many.
    """
    if not whole.count:
        return Rate(0.0, 0.0, 1.0, 0)
    share = min(1.0, part.total / whole.total)
    worth = whole.total * whole.total / whole.squares
    return Rate(share, *wilson(share * worth, worth), whole.count)


def mean_of(rows: Iterable[tuple[float, float]]) -> float:
    found = list(rows)
    return math.fsum(weight * value for weight, value in found) / math.fsum(weight for weight, _ in found)


def choice_of(threshold: float, right: Sum, wrong: Sum, all_right: Sum, all_wrong: Sum) -> Choice:
    """What comes of accepting these right and wrong rows of all."""
    return Choice(
        threshold,
        precision=rate_of(right, right + wrong),
        yield_=min(1.0, (right.total + wrong.total) / (all_right.total + all_wrong.total)),
        accepts_right=rate_of(right, all_right),
        accepts_wrong=rate_of(wrong, all_wrong),
    )


def parted(rows: Iterable[Label]) -> tuple[Sum, Sum]:
    found = list(rows)
    return Sum.of(row for row in found if row.right), Sum.of(row for row in found if not row.right)


def choices_of(rows: Sequence[Label]) -> list[Choice]:
    """What each threshold that makes a difference would give, from the lowest."""
    whole = parted(rows)
    right, wrong = Sum(), Sum()
    found = []
    for score, tied in groupby(sorted(rows, key=lambda row: -row.score), lambda row: row.score):
        for row in tied:
            (right if row.right else wrong).add(row)
        found.append(choice_of(score, right, wrong, *whole))
    return found[::-1]


def bins_of(rows: Sequence[Label]) -> Iterator[Bin]:
    def tenth(row: Label) -> int:
        return min(BINS - 1, int(row.score * BINS))

    for number, group in groupby(sorted(rows, key=tenth), tenth):
        inside = list(group)
        mean = mean_of((row.weight, row.score) for row in inside)
        yield Bin(number / BINS, (number + 1) / BINS, mean, rate_of(parted(inside)[0], Sum.of(inside)))


def auc_of(rows: Sequence[Label]) -> float:
    """Counted over the scores from the lowest; equal scores are half a win."""
    below = wins = 0.0
    for _, group in groupby(sorted(rows, key=lambda row: row.score), lambda row: row.score):
        tied = list(group)
        wrong = math.fsum(row.weight for row in tied if not row.right)
        wins += math.fsum(row.weight for row in tied if row.right) * (below + wrong / 2)
        below += wrong
    return min(1.0, wins / (below * math.fsum(row.weight for row in rows if row.right)))
