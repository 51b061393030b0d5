"""Counting many things in little memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

__all__ = ["COUNTERS", "EXAMPLES", "Spread", "Tally"]

COUNTERS = 4096
"""How many different openings, answers or lengths are counted at once."""
EXAMPLES = 3
"""How many samples are named where something is found."""


class Tally:
    """How often each of many things was seen, in bounded memory.

    Where more than `COUNTERS` are under way all counts are lowered by one and those at zero forgotten (Misra and Gries
    1982), so that a count is at most a 4096th of all things seen too low and what is frequent is never missed.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._counts: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}

    def add(self, thing: str, id: str) -> None:
        self.seen += 1
        if thing not in self._counts and len(self._counts) >= COUNTERS:
            self._lower()
            return
        self._counts[thing] = self._counts.get(thing, 0) + 1
        ids = self._ids.setdefault(thing, [])
        if len(ids) < EXAMPLES and id not in ids:
            ids.append(id)

    def _lower(self) -> None:
        self._counts = {thing: count - 1 for thing, count in self._counts.items() if count > 1}
        self._ids = {thing: self._ids[thing] for thing in self._counts}

    def most_common(self) -> tuple[str, int, tuple[str, ...]]:
        """What was seen most often, how often, and in which samples; nothing where nothing was seen."""
        if not self._counts:
            return "", 0, ()
        thing = max(self._counts, key=self._counts.__getitem__)
        return thing, self._counts[thing], tuple(self._ids[thing])

    def bars(self, number: int) -> tuple[tuple[str, int], ...]:
        """The most frequent things with their counts; what was seen once is left out, unless all were."""
        ordered = sorted(self._counts.items(), key=lambda item: -item[1])[:number]
        return tuple(ordered[:1] + [item for item in ordered[1:] if item[1] > 1])


@dataclass(slots=True)
class Spread:
    """Mean and standard deviation of numbers seen one by one (Welford 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, number: int) -> None:
        self.count += 1
        off = number - self.mean
        self.mean += off / self.count
        self.squares += off * (number - self.mean)

    @property
    def variation(self) -> float:
        return sqrt(self.squares / self.count) / self.mean
