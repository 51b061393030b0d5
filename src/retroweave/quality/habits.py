"""What a lint is, and how a set's findings come out of many lints that each read it once.

A lint is a class with a name, a docstring that says what it looks for, a sentence on what a model would learn, and one
share: the part of what it counts above which it speaks up. Each keeps counts and a few ids, and nothing that grows with
the set. To add one is to write a class, and to name it in `lint`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from retroweave.quality.seen import Seen
from retroweave.quality.tallies import EXAMPLES

__all__ = ["BARS", "FEWEST", "Counted", "Finding", "Lint", "share_of"]

FEWEST = 20
"""Below this many a share means little: of 20 coins 11 or more fall heads up two times in five."""
BARS = 5
"""How many counts a finding has to draw."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A habit that the samples have in common, with samples to look at."""

    lint: str
    severity: Literal["warning", "note"]
    message: str
    examples: tuple[str, ...] = ()
    """Ids of samples."""
    bars: tuple[tuple[str, int], ...] = ()
    """What was counted, the most frequent first."""
    of: int = 0
    """How many there are in all of what was counted."""


class Lint:
    """One habit that is looked for; its docstring is its line in the documentation."""

    name: ClassVar[str]
    share: ClassVar[float]
    """The share above which it is a finding, unless a config says otherwise."""
    counts: ClassVar[str]
    """What the share is of."""
    teaches: ClassVar[str]
    """What a model would learn of it, behind `which a model would learn` or `and a model would learn`."""
    mend: ClassVar[str]
    """What to do about it."""

    def __init__(self, share: float | None = None) -> None:
        self.limit = self.share if share is None else share

    def see(self, sample: Seen) -> None:
        raise NotImplementedError

    def findings(self) -> Iterator[Finding]:
        raise NotImplementedError

    def found(
        self, what: str, ids: tuple[str, ...] | list[str], bars: tuple[tuple[str, int], ...] = (), of: int = 0
    ) -> Finding:
        """A finding, in the words of the lint."""
        return Finding(self.name, "warning", f"{what}, {self.teaches}; {self.mend}.", tuple(ids), bars, of)


@dataclass(slots=True)
class _Count:
    of: int = 0
    hits: int = 0
    ids: list[str] = field(default_factory=list)
    bars: Counter[str] = field(default_factory=Counter)


class Counted(Lint):
    """A lint that looks at each sample, or at each trained turn of it, and counts those that have something."""

    fewest: ClassVar[int] = FEWEST
    what: ClassVar[str]
    """What those have, behind their number: `of the trained turns apologise`, say."""

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._by_layout: defaultdict[str, _Count] = defaultdict(_Count)

    def hits(self, sample: Seen) -> Iterator[str | None]:
        """For each thing that is counted, what was found in it (a bar's label), or None."""
        raise NotImplementedError

    def see(self, sample: Seen) -> None:
        count = self._by_layout[sample.layout]
        for hit in self.hits(sample):
            count.of += 1
            if hit is None:
                continue
            count.hits += 1
            if hit in count.bars or len(count.bars) < 10 * BARS:
                count.bars[hit] += 1
            if len(count.ids) < EXAMPLES and sample.id not in count.ids:
                count.ids.append(sample.id)

    def findings(self) -> Iterator[Finding]:
        for layout, count in self._by_layout.items():
            if count.hits and count.of >= self.fewest and count.hits > self.limit * count.of:
                what = f"{share_of(count.hits, count.of)} {self.what.format(layout=repr(layout))}"
                yield self.found(what, count.ids, tuple(count.bars.most_common(BARS)), count.of)


def share_of(count: int, of: int) -> str:
    return f"{count} of {of} ({count / of:.0%})"
