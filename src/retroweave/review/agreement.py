"""How far persons agree on the rows that several of them labelled.

The raw share counts what agrees by chance too; Cohen's kappa (1960) takes that out for two persons, Krippendorff's
alpha (2004) for any number, some of whom left rows out. 1 is full agreement, 0 what chance would give. `unsure` is an
answer like the others. The intervals are of a bootstrap over rows, with a seed of its own: the same labels give the
same figures.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from retroweave.judges.rates import Rate
from retroweave.pipeline.odds import wilson
from retroweave.review.labels import Label, Labels

__all__ = ["Agreement", "agreement", "alpha", "kappa", "raw"]

Unit = Mapping[str, str]
"""Person to answer, for one row."""

RESAMPLES = 1000
FEWEST = 10
"""Rows. With fewer, the interval is the whole scale."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two or more persons agree on the rows that several of them labelled."""

    people: tuple[str, ...]
    rows: int
    """That two or more of them labelled."""
    raw: Rate | None
    """The share of pairs of labels that are the same; its interval is Wilson's for so many rows."""
    kappa: Rate | None
    """Cohen's, where there are two persons; -1 to 1. `None` too where all said the same: chance explains all then."""
    alpha: Rate | None
    """Krippendorff's (nominal), of any number."""
    disputed: tuple[str, ...]
    """Ids of the rows on which they differ."""


def agreement(labels: Labels | Sequence[Label], people: Sequence[str] | None = None) -> Agreement:
    """Of these persons, or of all; labels of one row that speak of different contents are not held against each
    other. Give the labels of a `Standing`, and a row that was a sample for one and a reject for another is one row."""
    given = labels.counting() if isinstance(labels, Labels) else labels
    by_row: dict[tuple[str, str], dict[str, str]] = {}
    for label in given:
        if people is None or label.person in people:
            by_row.setdefault((label.row, label.content), {})[label.person] = label.decision
    several = {row: unit for (row, _), unit in by_row.items() if len(unit) > 1}
    units = list(several.values())
    who = tuple(dict.fromkeys(person for unit in units for person in unit))
    share = raw(units)
    return Agreement(
        who,
        len(units),
        None if share is None else Rate(share, *wilson(share * len(units), len(units)), len(units)),
        _with_interval(_kappa_parts, units) if len(who) == 2 else None,
        _with_interval(_alpha_parts, units),
        tuple(row for row, unit in several.items() if len(set(unit.values())) > 1),
    )


def raw(units: Sequence[Unit]) -> float | None:
    """The mean share of pairs that are the same, over rows."""
    shares = []
    for unit in units:
        pairs = list(combinations(unit.values(), 2))
        shares.append(sum(one == other for one, other in pairs) / len(pairs))
    return sum(shares) / len(shares) if shares else None


def kappa(units: Sequence[Unit]) -> float | None:
    """Cohen's, of the two persons of the units. `None` where both always gave the one same answer."""
    return _beyond(_kappa_parts(units))


def alpha(units: Sequence[Unit]) -> float | None:
    """Krippendorff's, for answers without an order. `None` where there is only one answer."""
    return _beyond(_alpha_parts(units))


Parts = tuple[float, float]
"""How far persons agree, and how far they would by chance."""


def _beyond(parts: Parts) -> float | None:
    """What is beyond chance, of what could be."""
    observed, chance = parts
    return (observed - chance) / (1 - chance) if chance < 1 else None


def _kappa_parts(units: Sequence[Unit]) -> Parts:
    first, second = sorted({person for unit in units for person in unit})
    answers: list[Counter[str]] = [Counter(unit[person] for unit in units) for person in (first, second)]
    observed = sum(unit[first] == unit[second] for unit in units) / len(units)
    return observed, sum(count * answers[1][answer] for answer, count in answers[0].items()) / len(units) ** 2


def _alpha_parts(units: Sequence[Unit]) -> Parts:
    counts = [Counter(unit.values()) for unit in units if len(unit) > 1]
    each: Counter[str] = Counter()
    apart = 0.0
    for count in counts:
        each.update(count)
        size = count.total()
        apart += sum(some * (size - some) for some in count.values()) / (size - 1)
    total = each.total()
    if total < 2:
        return 1.0, 1.0
    expected = sum(some * (total - some) for some in each.values()) / (total - 1)
    return 1 - apart / total, 1 - expected / total


def _with_interval(measure: Callable[[Sequence[Unit]], Parts], units: Sequence[Unit]) -> Rate | None:
    """The wider of two intervals at each end: the bootstrap's, and Wilson's for the agreement, chance left as it is.

    Where nobody disagrees the bootstrap draws nothing but agreement, and would be sure of it after ten rows.
    """
    parts = measure(units) if units else (1.0, 1.0)
    value = _beyond(parts)
    if value is None:
        return None
    if len(units) < FEWEST:
        return Rate(value, -1.0, 1.0, len(units))
    rng = random.Random(0)
    drawn = [_beyond(measure(rng.choices(units, k=len(units)))) for _ in range(RESAMPLES)]
    found = sorted(1.0 if one is None else one for one in drawn)  # all of them said the one same thing
    least, most = (_beyond((end, parts[1])) for end in wilson(parts[0] * len(units), len(units)))
    assert least is not None
    assert most is not None
    low, high = found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1]
    return Rate(value, max(-1.0, min(low, least)), min(1.0, max(high, most)), len(units))
