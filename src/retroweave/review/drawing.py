"""Which row a person labels next: drawn at random within strata of the judge's score.

Where rows are labelled that somebody happened to open, the numbers mean nothing. So each row comes by lot: first a
stratum, and in it a row. A stratum comes up the more often the further it is behind the share of labels that Neyman
(1934) would give it, which is as its rows are many and as its doubt is great. All hangs on the seed and the labels
given so far. The order tells nothing about a row, and never is a row drawn twice for a person; some of them are drawn
for everybody, so that it can be told how persons agree.
"""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from retroweave.pipeline.errors import UserError
from retroweave.review.intervals import Counted, stratified_interval
from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Filter, Rows
from retroweave.review.standing import Standing
from retroweave.review.threshold import default_judge
from retroweave.review.weighing import counted, weights

__all__ = ["Drawing", "Judged", "Need", "NotIndexed", "Stratum", "Ticket", "majority", "wanted_shares"]

ACCEPTED = 5
"""Strata of the samples. More would leave each with too few labels for its interval to hold."""
REJECTED = 3
TURNED_AWAY = 0.35
"""The share of labels that goes to rejects, where they are drawn too."""
LEAST = 0.05
"""The least share of a stratum, however few rows it has."""
MOST_MORE = 1_000_000


@dataclass(frozen=True, slots=True)
class Stratum:
    """Rows with scores near each other, and what was said of them."""

    name: str
    """In words: `samples, 0.90 to 1.00`."""
    accepted: bool
    """Whether its rows are in the accepted set (samples)."""
    low: float
    high: float
    """The judge's scores; 0 and 1 where there is no judge."""
    size: int
    """Rows."""
    passed: bool = True
    """Whether the judge let its rows through; what came of them later is another thing."""
    labelled: int = 0
    """Rows, not counting those of which persons were unsure or at odds."""
    right: int = 0
    weighed: Counted | None = None
    """What they tell, where they do not all stand for as many rows (`weighing`)."""

    @property
    def counted(self) -> Counted:
        """What is known of it."""
        return self.weighed or Counted(self.size, self.right, self.labelled)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A row to label."""

    row: str
    """Its id."""
    stratum: str
    key: str
    """To be handed to `Labels.add(drawn=...)`."""
    shared: bool
    """Whether every person gets this row, so that their agreement can be told."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many labels more would narrow the interval of the precision to a width."""

    width: float
    """The wanted width of the whole interval, 0.1 for ± 0.05."""
    now: float
    """How wide it is."""
    more: int
    """Labels, those of rejects that are drawn meanwhile among them. 0 where it is narrow enough."""
    where: Sequence[tuple[str, int]]
    """Stratum of samples and how many of the labels, by Neyman's allocation: most where rows and doubt are many."""
    within_reach: bool = True
    """Whether there are so many samples that nobody labelled yet."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What persons said of a row, taken together."""

    row: str
    number: int
    stratum: int
    right: bool | None
    """As most of them say; `None` where they were unsure, or as many say the one as the other."""
    labels: tuple[Label, ...]
    stands_for: float = 0.0
    """How many rows of its stratum; 0 where `right` is `None`."""


class NotIndexed(UserError):
    """Rows cannot be drawn before all of them are known."""


class Drawing:
    """Rows in the order in which a person is to label them; the same for the same seed and labels."""

    def __init__(
        self,
        rows: Rows,
        labels: Labels,
        *,
        judge: str = "",
        seed: int = 0,
        rejects: bool = True,
        shared: float = 0.2,
    ) -> None:
        """`judge` is that of `Filter`, or else `default_judge`; `rejects` says whether rejects are drawn too, and
        `shared` the share of rows that every person gets. Raises `NotIndexed`.
        """
        if not rows.indexed.finished:
            raise NotIndexed(
                "The run's rows are being indexed. Rows can be drawn when that is done; look at some until then."
            )
        self.rows = rows
        self.labels = labels
        self.standing = Standing(rows, labels)
        self.judge = judge or default_judge(rows)
        self.seed = seed
        self._shared = shared
        self._strata: list[Stratum] = []
        self._members: list[array[int]] = []
        self._scores: list[array[float]] = []
        """Of the members, in their order."""
        self._sorted: dict[int, array[float]] = {}
        self._orders: dict[tuple[int, str], _Shuffled] = {}
        self._known: dict[str, tuple[int, int]] = {}
        self._lay_out(rejects)

    def _lay_out(self, rejects: bool) -> None:
        samples = Filter(kinds=("sample",))
        scored = self.rows.scored(self.judge, samples)
        self._add("samples", scored, ACCEPTED)
        if len(scored) < (self.rows.total(samples) or 0):
            known = {number for number, _ in scored}
            rest = [(number, 0.0) for number in self.rows.numbers(samples) if number not in known]
            self._add("samples without a score" if scored else "samples", rest, 1)
        if rejects:
            said = Filter(kinds=("reject",), judge=self.judge)
            turned_away = self.rows.scored(self.judge, replace(said, verdict="rejected"))
            later = self.rows.scored(self.judge, replace(said, verdict="accepted"))
            self._add("rejects", turned_away, REJECTED, accepted=False, passed=False)
            self._add("accepted, and lost later", later, 1, accepted=False)

    def _add(
        self, name: str, scored: list[tuple[int, float]], parts: int, *, accepted: bool = True, passed: bool = True
    ) -> None:
        """Rows of neighbouring scores as strata of about one size; rows of one score stay together."""
        if not scored:
            return
        scored.sort(key=itemgetter(1))
        scores = [score for _, score in scored]
        starts = sorted({bisect_left(scores, scores[len(scores) * part // parts]) for part in range(parts)})
        for start, end in zip(starts, [*starts[1:], len(scores)], strict=True):
            low, high = (scores[start], scores[end - 1]) if self.judge else (0.0, 1.0)
            shown = name if len(starts) == 1 else f"{name}, {low:.3g} to {high:.3g}"
            self._strata.append(Stratum(shown, accepted, low, high, end - start, passed))
            members = sorted(scored[start:end])
            self._members.append(array("q", (number for number, _ in members)))
            self._scores.append(array("d", (score for _, score in members)))

    def next(self, person: str, count: int = 1) -> list[Ticket]:
        """The next rows for a person, none that they labelled already; fewer at the end. Nothing is written down:
        asked again without a label between, it gives the same."""
        judged = self.judged(None)
        own = {label.row for label in self.standing.labels(person) if self._is_own(label)}
        self._find(own)
        counts = [[0.0, 0.0] for _ in self._strata]
        for one in judged:
            if one.right is not None:
                counts[one.stratum][0] += 1
                counts[one.stratum][1] += one.right
        mine = {self._known[row][0] for row in own if row in self._known}
        found: list[Ticket] = []
        for place in range(len(own), len(own) + count):
            ticket = self._drawn(person, place, counts, mine)
            if ticket is None:
                break
            number, stratum, shared = ticket
            mine.add(number)
            counts[stratum][0] += 1
            counts[stratum][1] += 0.5
            found.append(self._ticket(number, stratum, shared))
        return found

    def _drawn(
        self, person: str, place: int, counts: Sequence[Sequence[float]], mine: set[int]
    ) -> tuple[int, int, bool] | None:
        """Row, stratum, and whether it is everybody's."""
        rng = random.Random(f"{self.seed} {person} {place}")
        left = [number for number, members in enumerate(self._members) if self._left(members, mine)]
        if not left:
            return None
        wanted = wanted_shares(self._strata, counts)
        (stratum,) = rng.choices(left, [wanted[number] for number in left])
        shared = rng.random() < self._shared
        order = self._order(stratum, "" if shared else person)
        return next(number for number in order if number not in mine), stratum, shared

    @staticmethod
    def _left(members: array[int], mine: set[int]) -> bool:
        """Whether there is a row that the person has not labelled."""
        return len(members) > len(mine) or any(number not in mine for number in members)

    def _order(self, stratum: int, person: str) -> _Shuffled:
        """The rows of a stratum by lot: for one person, or for all."""
        if (stratum, person) not in self._orders:
            seed = f"{self.seed} {self._strata[stratum].name} {person}"
            self._orders[stratum, person] = _Shuffled(self._members[stratum], seed)
        return self._orders[stratum, person]

    def _ticket(self, number: int, stratum: int, shared: bool) -> Ticket:
        name = self._strata[stratum].name
        low = self._strata[stratum].low
        key = f"{self.judge}|{self.seed}|{name}|{low!r}|{'shared' if shared else 'own'}"
        return Ticket(self.rows.lines([number])[0].id, name, key, shared)

    def strata(self, person: str | None = None) -> Sequence[Stratum]:
        """With the labels of one person, or of all (the majority where several labelled a row)."""
        inside: list[list[Judged]] = [[] for _ in self._strata]
        for one in self.judged(person):
            if one.right is not None:
                inside[one.stratum].append(one)
        return [_with(one, found) for one, found in zip(self._strata, inside, strict=True)]

    def is_stale(self, label: Label) -> bool:
        """Whether the row that was labelled is gone, or shows another thing now."""
        return self.standing.is_stale(label)

    def judged(self, person: str | None = None) -> list[Judged]:
        """The rows that were drawn and labelled, as they are now; what is stale or was picked by hand is not there."""
        by_row: dict[str, list[Label]] = {}
        for label in self.standing.labels(person):
            if self._is_own(label):
                by_row.setdefault(label.row, []).append(label)
        self._find(by_row)
        found = []
        for row, labels in by_row.items():
            number, stratum = self._known.get(row, (-1, -1))
            if stratum >= 0:
                found.append(Judged(row, number, stratum, majority(labels), tuple(labels)))
        return self._weighed(found)

    def _weighed(self, judged: Sequence[Judged]) -> list[Judged]:
        """Each with the rows that it stands for."""
        inside: dict[int, list[Judged]] = {}
        for one in judged:
            if one.right is not None:
                inside.setdefault(one.stratum, []).append(one)
        cuts = {low for one in judged for low in self._lows(one)}
        known: dict[int, float] = {}
        for place, found in inside.items():
            scores = [self._scores[place][bisect_left(self._members[place], one.number)] for one in found]
            within = [cut for cut in cuts if self._strata[place].low < cut <= self._strata[place].high]
            every = self._rising(place) if within else self._scores[place]
            known |= dict(zip((one.number for one in found), weights(every, scores, within), strict=True))
        return [replace(one, stands_for=known.get(one.number, 0.0)) for one in judged]

    def _rising(self, stratum: int) -> array[float]:
        """The scores of a stratum from the lowest, sorted once: there may be a million."""
        if stratum not in self._sorted:
            self._sorted[stratum] = array("d", sorted(self._scores[stratum]))
        return self._sorted[stratum]

    def _lows(self, judged: Judged) -> Iterator[float]:
        """The lowest scores of the strata in which a row was drawn; keys of earlier versions do not tell them."""
        for lot in {lot for label in judged.labels for lot in label.lots}:
            judge, *told = lot.split("|")
            if judge == self.judge and len(told) == 4 and (low := _number(told[2])) is not None:
                yield low

    def _is_own(self, label: Label) -> bool:
        """Whether the row came by lot, within strata of this judge's score."""
        return any(lot.partition("|")[0] == self.judge for lot in label.lots)

    def _find(self, rows: Iterable[str]) -> None:
        """Look up where rows stand that were not looked up before."""
        new = [row for row in rows if row not in self._known]
        for row, (number, _) in self.rows.contents(new).items():
            self._known[row] = (number, self._stratum(number))

    def _stratum(self, number: int) -> int:
        for place, members in enumerate(self._members):
            at = bisect_left(members, number)
            if at < len(members) and members[at] == number:
                return place
        return -1

    def need(self, width: float = 0.1) -> Need:
        """How many labels more it takes, if what comes is as right as what was labelled so far."""
        if not 0 < width < 1:
            raise UserError(f"The width of an interval is above 0 and below 1, not {width}.")
        strata = [one for one in self.strata() if one.accepted]
        now = _width(strata, [0.0] * len(strata))
        shares = _neyman(strata)
        if now <= width or not strata:
            return Need(width, now, 0, ())
        low, high = 0, 1
        while high < MOST_MORE and _width(strata, _spread(strata, shares, high)) > width:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _width(strata, _spread(strata, shares, middle)) <= width else (middle, high)
        added = _spread(strata, shares, high)
        where = sorted(
            ((one.name, math.ceil(more)) for one, more in zip(strata, added, strict=True)), key=lambda p: -p[1]
        )
        rejects = any(not one.accepted for one in self._strata)
        every = math.ceil(high / (1 - TURNED_AWAY * rejects))
        within_reach = high <= self._samples_left()
        return Need(width, now, every, [(name, more) for name, more in where if more], within_reach)

    def _samples_left(self) -> int:
        """Samples of which nobody said anything yet."""
        labelled = sum(self._strata[one.stratum].accepted for one in self.judged())
        return sum(one.size for one in self._strata if one.accepted) - labelled


def _with(stratum: Stratum, judged: Sequence[Judged]) -> Stratum:
    """With what was said of its rows."""
    right = [bool(one.right) for one in judged]
    stands_for = [one.stands_for for one in judged]
    weighed = counted(stratum.size, right, stands_for) if len(set(stands_for)) > 1 else None
    return replace(stratum, labelled=len(right), right=sum(right), weighed=weighed)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # a file of labels may come from anywhere
        return None


def majority(labels: Sequence[Label]) -> bool | None:
    """What most of those say who were sure; `None` where nobody was, or as many say the one as the other."""
    said = [label.right for label in labels if label.right is not None]
    balance = 2 * sum(said) - len(said)
    return balance > 0 if balance else None


def wanted_shares(strata: Sequence[Stratum], counts: Sequence[Sequence[float]]) -> list[float]:
    """How likely each stratum comes up next, by how far it is behind; `counts` has rows labelled, and right ones."""
    shares = _shares(strata, counts)
    total = math.fsum(labelled for labelled, _ in counts) + 1
    return [
        max(0.0, share * total - labelled) + 0.01 * share for share, (labelled, _) in zip(shares, counts, strict=True)
    ]


def _shares(strata: Sequence[Stratum], counts: Sequence[Sequence[float]]) -> list[float]:
    """Each stratum's share of the labels: Neyman's among the samples, and among the rejects."""
    sides = {one.accepted for one in strata}
    part = {True: 1 - TURNED_AWAY * (False in sides), False: TURNED_AWAY if True in sides else 1.0}
    weights = [one.size * _doubt(*counted) for one, counted in zip(strata, counts, strict=True)]
    both = list(zip(strata, weights, strict=True))
    sums = {side: math.fsum(weight for one, weight in both if one.accepted is side) for side in sides}
    return [max(LEAST, weight / sums[one.accepted]) * part[one.accepted] for one, weight in both]


def _doubt(labelled: float, right: float) -> float:
    """The standard deviation of a row's being right, never quite 0."""
    share = (right + 1) / (labelled + 2)
    return math.sqrt(share * (1 - share))


def _neyman(strata: Sequence[Stratum]) -> list[float]:
    weights = [one.size * _doubt(one.labelled, one.right) for one in strata]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _spread(strata: Sequence[Stratum], shares: Sequence[float], more: int) -> list[float]:
    """So many labels more, so that all of them together come as near to the shares as they can."""
    total = sum(one.labelled for one in strata) + more
    behind = [max(0.0, share * total - one.labelled) for one, share in zip(strata, shares, strict=True)]
    scale = more / math.fsum(behind)
    return [one * scale for one in behind]


def _width(strata: Sequence[Stratum], more: Sequence[float]) -> float:
    """Of the interval, if the labels that come are right as often as those that are there (or as all, where none
    is)."""
    labelled = sum(one.labelled for one in strata)
    every = (sum(one.right for one in strata) + 1) / (labelled + 2)
    expected = []
    for one, new in zip(strata, more, strict=True):
        known = one.counted
        share = known.right / known.labelled if known.labelled else every
        expected.append(Counted(one.size, known.right + new * share, known.labelled + new))
    _, low, high = stratified_interval(expected)
    return high - low


class _Shuffled:
    """The members of a stratum by lot, as far as somebody asks (Fisher and Yates, with what moved kept aside)."""

    def __init__(self, members: array[int], seed: str) -> None:
        self._members = members
        self._rng = random.Random(seed)
        self._moved: dict[int, int] = {}
        self._drawn: list[int] = []

    def __iter__(self) -> Iterator[int]:
        place = 0
        while place < len(self._members):
            if place == len(self._drawn):
                self._draw(place)
            yield self._drawn[place]
            place += 1

    def _draw(self, place: int) -> None:
        other = self._rng.randrange(place, len(self._members))
        self._drawn.append(self._moved.get(other, self._members[other]))
        self._moved[other] = self._moved.get(place, self._members[place])
