"""Which rows a person wants to see: a filter, and the condition that it is on the index. Reading them is `rows`'s."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from retroweave.pipeline.errors import UserError

__all__ = ["NONE", "Filter", "condition"]

Words = Callable[[str], Mapping[str, int]]
"""Of a sort, such as `layout`, each value and the number by which the index knows it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows: those that fit all that is set. What is empty or `None` lets all through."""

    kinds: tuple[str, ...] = ()
    """Of sample, reject, failure, duplicate, over_cap."""
    split: str = ""
    recipe: str = ""
    layout: str = ""
    step: str = ""
    """Where a row that is no sample ended."""
    reason: str = ""
    judge: str = ""
    """The judge whose score and verdict are meant; the run's last one that gave scores where it is left out."""
    verdict: Literal["", "accepted", "rejected"] = ""
    """What that judge said."""
    least: float | None = None
    most: float | None = None
    """Its score, both ends included."""
    measures: tuple[tuple[str, str], ...] = ()
    """Name and value, as `Rows.facets` gives them: `("kind", "name")`."""
    text: str = ""
    """A text that stands in the conversation, or in what models were asked and answered for a row that is no sample;
    capitals do not matter."""


NONE = Filter()


def condition(chosen: Filter, words: Words, slot: Callable[[str], int | None]) -> str:
    """The filter as a condition on the index's `marks`; values of words are numbers there, so nothing of a person's
    stands in it. `slot` gives a judge's column."""
    parts = [_one_of(words("kind"), "kind", chosen.kinds)] if chosen.kinds else []
    for sort in ("split", "recipe", "layout", "step", "reason"):
        if value := getattr(chosen, sort):
            parts.append(_one_of(words(sort), sort, (value,)))
    parts += [_measured(words("measures"), name, value) for name, value in chosen.measures]
    parts += _judged(chosen, slot)
    if len(parts) == 1:
        return parts[0]
    return " and ".join(f"+{part}" for part in parts) or "1"  # by "+" none is looked up, which pays for one alone


def _one_of(words: Mapping[str, int], sort: str, values: Sequence[str]) -> str:
    return f"{sort} in ({', '.join(str(words[value]) for value in values if value in words)})"


def _measured(words: Mapping[str, int], name: str, value: str) -> str:
    fitting = [str(id) for combination, id in words.items() if [name, value] in orjson.loads(combination)]
    return f"measures in ({', '.join(fitting)})"


def _judged(chosen: Filter, slot: Callable[[str], int | None]) -> list[str]:
    if not chosen.verdict and chosen.least is None and chosen.most is None:
        return []
    column = slot(chosen.judge)
    if column is None:
        return ["0"]
    parts = []
    if chosen.verdict:
        parts.append(f"({'passed' if chosen.verdict == 'accepted' else 'failed'} & {1 << column})")
    for sign, bound in ((">=", chosen.least), ("<=", chosen.most)):
        if bound is not None and not math.isfinite(bound):
            raise UserError(f"A score to filter by is a number such as 0.5, not {bound!r}.")
        if bound is not None:
            parts.append(f"s{column} {sign} {float(bound)!r}")
    return parts
