"""One pass over a run's outcomes that gathers what its card and its report say of them.

It is here so that both say the same. Its memory does not grow with the run: counts of strings are kept for a
limited number of different ones, numbers are counted in steps that grow tenfold when there are too many, source rows
are told apart up to a hundred thousand, and a few samples of each layout are kept as examples. Of rejects it counts
only what judges said. It draws no conclusion: findings are the lints'.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import orjson

from retroweave.export.conversation import damage_span
from retroweave.export.outcomes import SourceRow, by_source_row, source_row
from retroweave.pipeline.layout import texts
from retroweave.pipeline.row import digest

__all__ = ["Bar", "Judged", "Sources", "Spread", "Survey", "Tally", "survey"]

_DIFFERENT_STRINGS = 200
_DIFFERENT_NUMBERS = 2_000
_DIFFERENT_MEASURES = 50
_DIFFERENT_SOURCES = 100_000
_EXAMPLES_OF_A_LAYOUT = 6
_READABLE = 4_000
"""Characters up to which a sample is preferred as an example."""


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: how many samples, or occurrences, fall under a label."""

    label: str
    count: int


class Tally:
    """How often each string came, for the first 200 different ones; the others are counted together."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.others = 0

    def add(self, value: str) -> None:
        if value in self.counts or len(self.counts) < _DIFFERENT_STRINGS:
            self.counts[value] = self.counts.get(value, 0) + 1
        else:
            self.others += 1

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.others

    def most_common(self) -> list[Bar]:
        """All strings that were told apart, the most frequent first, equals by name."""
        return [Bar(name, n) for name, n in sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))]

    def bars(self, limit: int) -> list[Bar]:
        """At most `limit` bars, the last of which stands for all that have none of their own."""
        ranked = self.most_common()
        if len(ranked) <= limit and not self.others:
            return ranked
        shown = ranked[: limit - 1]
        return [*shown, Bar("all others", self.total - sum(bar.count for bar in shown))]


class Spread:
    """How numbers are spread, in at most 2,000 steps of a power of ten, exact while that suffices."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.low = 0.0
        self.high = 0.0
        self.whole = True
        self._steps: dict[int, int] = {}
        self._exponent = -6

    def add(self, value: float) -> None:
        if not self.count:
            self.low = self.high = value
        elif value < self.low:
            self.low = value
        elif value > self.high:
            self.high = value
        self.count += 1
        self.total += value
        self.whole = self.whole and value == int(value)
        step = self._millionths(value) // 10 ** (self._exponent + 6)
        self._steps[step] = self._steps.get(step, 0) + 1
        while len(self._steps) > _DIFFERENT_NUMBERS:
            self._widen()

    @property
    def mean(self) -> float:
        return self.total / self.count

    def quantile(self, share: float) -> float:
        """The least number that at least `share` of all do not exceed, to the step's width."""
        wanted = ceil(share * self.count)
        passed = 0
        for step in sorted(self._steps):
            passed += self._steps[step]
            if passed >= wanted:
                return min(max(step * 10.0**self._exponent, self.low), self.high)
        return self.high

    def bars(self, limit: int = 20) -> list[Bar]:
        """A histogram of about `limit` bars of one round width; a far tail is one bar, the last."""
        if self.low == self.high:
            return [Bar(f"{self.low:,.0f}" if self.whole else f"{self.low:,g}", self.count)]
        top = self.quantile(0.99)
        if top == self.low or self.high - self.low <= 1.5 * (top - self.low):
            top = self.high
        width, exponent = self._round_width((top - self.low) / limit)
        first, last = (self._millionths(edge) // width for edge in (self.low, top))
        counts = dict.fromkeys(range(first, last + 1), 0)
        scale = 10 ** (self._exponent + 6)
        for step, count in self._steps.items():
            counts[min(max(step * scale // width, first), last)] += count
        return [
            Bar(self._label(place * width, width, exponent, place == last and top < self.high), count)
            for place, count in counts.items()
        ]

    def _round_width(self, least: float) -> tuple[int, int]:
        """The next of 1, 2, 5, 10, 20 ... that is no less, in millionths: a multiple of the step."""
        exponent = max(self._exponent, 0 if self.whole else -6)
        while True:
            for factor in (1, 2, 5):
                if factor * 10.0**exponent >= least * 0.999:
                    return factor * 10 ** (exponent + 6), exponent
            exponent += 1

    def _label(self, start: int, width: int, exponent: int, is_open: bool) -> str:
        digits = max(0, -exponent)
        low = f"{start / 1e6:,.{digits}f}"
        if is_open:
            return f"{low} +"
        if self.whole:
            last = (start + width) // 10**6 - 1
            return low if width == 10**6 else f"{low}–{last:,}"
        return f"{low}–{(start + width) / 1e6:,.{digits}f}"

    def _widen(self) -> None:
        self._exponent += 1
        widened: dict[int, int] = {}
        for step, count in self._steps.items():
            widened[step // 10] = widened.get(step // 10, 0) + count
        self._steps = widened

    @staticmethod
    def _millionths(value: float) -> int:
        return value * 10**6 if isinstance(value, int) else round(value * 1e6)


class Sources:
    """How many different source rows the samples come from, exactly up to 100,000, and how often one was used."""

    def __init__(self) -> None:
        self.passes = 0
        """How often the source was gone through: a row was drawn so many times at most."""
        self.more = False
        """Whether there are more than could be counted."""
        self._seen: set[bytes] = set()

    def add(self, key: str, draw: int) -> None:
        self.passes = max(self.passes, draw + 1)
        if self.more:
            return
        self._seen.add(digest(key))
        self.more = len(self._seen) > _DIFFERENT_SOURCES
        if self.more:
            self._seen.clear()

    @property
    def count(self) -> int:
        """Exact, or 100,000 where there are more."""
        return _DIFFERENT_SOURCES if self.more else len(self._seen)

    def __str__(self) -> str:
        """As in "12 source rows, each drawn up to 3 times"."""
        rows = f"{'more than ' * self.more}{self.count:,} source row{'s' * (self.count != 1)}"
        each = "drawn" if self.count == 1 else "each drawn"
        return f"{rows}, {each} {'once' if self.passes == 1 else f'up to {self.passes:,} times'}"


class Judged:
    """What one judge said in all: how often it accepted, and how its scores are spread, in twenty steps from 0 to 1."""

    STEPS = 20

    def __init__(self) -> None:
        self.verdicts = 0
        self.passed = 0
        self.scored = 0
        self.accepted = [0] * self.STEPS
        self.rejected = [0] * self.STEPS
        self.methods = Tally()
        """How a model's answers were read, an entry for each way in a verdict: `logprobs`, `sampled 8`."""
        self._total = 0.0

    def add(self, verdict: Mapping[str, Any]) -> None:
        passed, score = bool(verdict["passed"]), verdict["score"]
        self.verdicts += 1
        self.passed += passed
        for method in sorted(set(_methods(verdict["parts"]))):
            self.methods.add(method)
        if isinstance(score, int | float) and isfinite(score):
            step = min(max(int(score * self.STEPS), 0), self.STEPS - 1)
            (self.accepted if passed else self.rejected)[step] += 1
            self.scored += 1
            self._total += score

    @property
    def share(self) -> float:
        """Of the verdicts, those that accepted."""
        return self.passed / self.verdicts

    @property
    def mean(self) -> float | None:
        return self._total / self.scored if self.scored else None

    @property
    def sampled(self) -> dict[int, int]:
        """Where answers were sampled and counted: how many of them at a time, and in how many verdicts."""
        found = {method: re.fullmatch(r"sampled (\d+)", method) for method in self.methods.counts}
        return {int(number[1]): self.methods.counts[method] for method, number in found.items() if number}


def _methods(parts: object) -> Iterator[str]:
    """Each way of reading answers that the parts of a score name, those of a judge made of judges too."""
    if isinstance(parts, Mapping):
        if isinstance(said := parts.get("method"), str):
            yield from said.split(", ")
        for part in parts.values():
            yield from _methods(part)


class Examples:
    """A few samples to show: those in which damage can be marked first, then those of a readable length.

    They are the same in every pass, and as different in layout as there are.
    """

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[tuple[bool, bool, str], dict[str, Any]]]] = {}

    def add(self, sample: dict[str, Any], length: int) -> None:
        rank = (damage_span(sample) is None, length > _READABLE, sample["id"])
        kept = self._kept.setdefault(sample["layout"], [])
        if len(kept) < _EXAMPLES_OF_A_LAYOUT or rank < kept[-1][0]:
            kept.append((rank, sample))
            kept.sort(key=lambda ranked: ranked[0])
            del kept[_EXAMPLES_OF_A_LAYOUT:]

    def choose(self, number: int, layouts: Tally) -> list[dict[str, Any]]:
        """The first of each layout, the most frequent layout first, then the second of each, and so on."""
        by_layout = [self._kept[bar.label] for bar in layouts.most_common() if bar.label in self._kept]
        rounds = (kept[place] for place in range(number) for kept in by_layout if place < len(kept))
        return [sample for (_, sample), _ in zip(rounds, range(number), strict=False)]


@dataclass
class Survey:
    """What one pass over the samples found."""

    samples: int = 0
    layouts: Tally = field(default_factory=Tally)
    licenses: Tally = field(default_factory=Tally)
    origins: Tally = field(default_factory=Tally)
    """Where the text comes from: people's own by file, what is built in by folder."""
    sources: Sources = field(default_factory=Sources)
    prompt: Spread = field(default_factory=Spread)
    """Characters of the turns that are not trained, a sample at a time."""
    answer: Spread = field(default_factory=Spread)
    """Characters of the trained turns."""
    whole: Spread = field(default_factory=Spread)
    trained_last_only: bool = True
    """Whether in every sample the last turn is trained and no other."""
    calls_tools: bool = False
    """Whether there are samples in which tools are called."""
    numbers: dict[str, Spread] = field(default_factory=lambda: defaultdict(Spread))
    words: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    """Measures that are strings, lists of strings or yes and no."""
    examples: Examples = field(default_factory=Examples)
    judges: dict[str, Judged] = field(default_factory=lambda: defaultdict(Judged))
    """By step: what judges said that gave a score, of samples and of rejects."""
    _row: SourceRow | None = None
    _heard: set[bytes] = field(default_factory=set)
    """The verdicts on that source row."""

    def add(self, sample: dict[str, Any]) -> None:
        turns = sample["messages"]
        answer = sum(_size(turn) for turn in turns if turn["train"])
        whole = sum(map(_size, turns))
        self.samples += 1
        self.layouts.add(sample["layout"])
        self.licenses.add(sample["license"])
        source = sample["provenance"]["source"]
        self.origins.add(_origin(source["place"]))
        self.sources.add(source["key"], source["draw"])
        self.prompt.add(whole - answer)
        self.answer.add(answer)
        self.whole.add(whole)
        last_only = [turn["train"] for turn in turns] == [False] * (len(turns) - 1) + [True]
        self.trained_last_only = self.trained_last_only and last_only
        self.calls_tools = self.calls_tools or "tools" in sample
        for name, value in sample["provenance"]["measures"].items():
            self._measure(name, value)
        self.examples.add(sample, whole)
        self._hear(source_row(sample), sample["provenance"])

    def reject(self, reject: Mapping[str, Any]) -> None:
        """Count what judges said of a row that is no sample; outcomes of one source row come one after the other."""
        self._hear(source_row(reject), reject)

    def choose(self, number: int) -> list[dict[str, Any]]:
        """At most `number` samples to show."""
        return self.examples.choose(number, self.layouts)

    def _hear(self, row: SourceRow, said: Mapping[str, Any]) -> None:
        """Note each verdict once. A no ends its row; a yes is shared by the rows that fanned out after it.

        Those have in common too what was asked before it.
        """
        if row != self._row:
            self._row = row
            self._heard.clear()
        for verdict in said.get("verdicts", ()):
            heard = digest(orjson.dumps(verdict), orjson.dumps(_asked_by(verdict["step"], said.get("calls", ()))))
            if not verdict["passed"] or heard not in self._heard:
                self._heard.add(heard)
                self.judges[verdict["step"]].add(verdict)

    def _measure(self, name: str, value: object) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isfinite(value) and _has_room(self.numbers, name):
                self.numbers[name].add(value)
        elif _has_room(self.words, name):
            for word in _words(value):
                self.words[name].add(word)


def survey(run_dir: Path) -> Survey:
    """Read all outcomes of a finished run once."""
    found = Survey()
    for outcomes in by_source_row(run_dir):
        for sample in outcomes.samples:
            found.add(sample)
        for reject in outcomes.rejects:
            found.reject(reject)
    return found


def _size(turn: Mapping[str, Any]) -> int:
    """Characters of a turn, with those that stand in its tool calls."""
    return sum(map(len, texts(turn)))


def _asked_by(step: str, calls: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """What had been asked when a judge gave its verdict: up to its own last call, or else all."""
    own = [place for place, call in enumerate(calls) if call["step"] == step]
    return calls[: own[-1] + 1] if own else calls


def _has_room(measures: Mapping[str, object], name: str) -> bool:
    return name in measures or len(measures) < _DIFFERENT_MEASURES


def _words(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (word for word in value if isinstance(word, str))


def _origin(place: str) -> str:
    """The file of a place within one ("mine/a.jsonl, record 3"), else the folder ("builtin:letters/x.txt")."""
    inside = (re.search(r", (record|line) \d", place) or re.search(", ", place)) if ", " in place else None
    file = place[: inside.start()] if inside else place
    scheme = re.match(r"[a-z][a-z0-9+.-]+:", place) if ":" in place else None
    if inside and not scheme:
        return file
    folder, slash, _ = file.rpartition("/")
    if slash:
        return folder
    return scheme[0][:-1] if scheme else file
