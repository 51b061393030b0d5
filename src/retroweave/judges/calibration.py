"""Calibration: a judge's scores held against what people said of the same rows.

A score orders rows; how right a row with this score is, only labels tell. From them come the judge's two rates for the
odds, the reliability curve, a probability for each score, and the threshold for a wanted precision.

The labels must be of rows that the judge saw, those that it rejected among them, drawn at random: at random within
strata of the score, with a `weight` for how many rows each stands for, does as well and costs fewer labels. Labels of
accepted rows alone tell their precision and nothing about the judge. Nothing here draws rows or asks anybody.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from retroweave.judges.extras import extra
from retroweave.judges.reading import within
from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.odds import JudgeRates, wilson

__all__ = [
    "Bin",
    "Calibration",
    "Choice",
    "Isotonic",
    "Label",
    "Platt",
    "Rate",
    "calibrate",
    "describe_calibration",
    "read_labels",
]

Method = Literal["isotonic", "platt"]
METHODS = ("isotonic", "platt")

NEEDED = "Calibration needs scikit-learn"

FEWEST = 20
"""Labels in all. With fewer, each interval is half the scale."""
FEWEST_EACH = 5
"""Right rows, and wrong ones."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one row that a judge has scored."""

    score: float
    right: bool
    accepted: bool | None = None
    """Whether the judge let it through; by the threshold where it is not said."""
    weight: float = 1.0
    """How many rows it stands for."""
    method: str = ""
    """How the judge came by its score, as its parts tell: `logprobs`, `sampled 8`."""


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


@dataclass(frozen=True)
class Calibration:
    """What the labels tell of a judge."""

    labels: int
    right: int
    """How many of the labels say right."""
    threshold: float | None
    """The one that the rates are at; `None` where the labels themselves say what was accepted."""
    accepts_right: Rate
    """The share of the right rows that the judge accepts."""
    accepts_wrong: Rate
    precision: Rate
    """Of the rows that it accepts."""
    yield_: float
    auc: float
    """The probability that a right row scores higher than a wrong one; 0.5 is chance."""
    brier: float
    """The mean squared distance of score and truth: 0 is best, and always saying 0.5 gives 0.25."""
    bins: tuple[Bin, ...]
    """The reliability curve, without tenths that no label falls in."""
    curve: Curve
    target: float | None = None
    at_point: Choice | None = None
    """The lowest threshold at which the precision reaches the target; `None` where none does."""
    at_low: Choice | None = None
    """The lowest at which the low end of its interval does."""
    notes: tuple[str, ...] = ()
    """What to know before the numbers are trusted."""

    @property
    def chosen(self) -> Choice | None:
        """The threshold to use: the one whose interval reaches the target; where none does, the one that just may.

        It was picked among many for looking good on these labels, so the truth is a little worse; that is why the
        interval goes before the point.
        """
        return self.at_low or self.at_point

    def probability(self, score: float) -> float:
        """That a row with this score is right."""
        return self.curve(score)

    def rates(self, cost: float = 0.0) -> JudgeRates:
        """For the odds, as measured."""
        return JudgeRates(self.accepts_right.value, self.accepts_wrong.value, cost)

    def worst_rates(self, cost: float = 0.0) -> JudgeRates:
        """For the odds, as bad as the intervals allow."""
        return JudgeRates(self.accepts_right.low, self.accepts_wrong.high, cost)

    def as_json(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in found.items():
            if isinstance(value, (Rate, Choice)):
                found[name] = asdict(value)
        found |= {"bins": [asdict(one) for one in self.bins], "curve": self.curve.as_json(), "notes": list(self.notes)}
        found["chosen"] = self.chosen.threshold if self.chosen else None
        return _renamed(found)


def _renamed(found: dict[str, Any]) -> dict[str, Any]:
    """`yield` is a word of Python's and none of JSON's."""
    return {name.rstrip("_"): _renamed(value) if isinstance(value, dict) else value for name, value in found.items()}


# Labels


def read_labels(path: Path) -> list[Label]:
    """The labels of a JSONL file, each line `{"score": 0.83, "right": true}`.

    A line may have `accepted`, `weight` and `method` too, and whatever else its writer wants to keep. Raises
    `UserError` with the line that is wrong.
    """
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, and labels are a JSONL file. Those of a run are written by "
            f"`retroweave labels {path} --to labels.jsonl`."
        )
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f"There are no labels to read at {path}: {error}.") from error
    return [_label(line, f"{path}, line {number}") for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]


def _label(line: bytes, where: str) -> Label:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(f"{where}, is no JSON: {error}. Each line is one label, {_LIKE}.") from error
    if not isinstance(found, dict):
        raise UserError(f"{where}, is a {type(found).__name__}. Each line is one label, {_LIKE}.")
    return label_of(found, where)


def label_of(found: Mapping[str, Any], where: str) -> Label:
    """A label from its keys, each of the type that it should have."""
    for key in found:
        if key not in _KEYS and difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.8):
            raise UserError(f"{where}, has a key {key!r}. {nearest(key, _KEYS)}")
    for key in ("score", "right"):
        if key not in found:
            raise UserError(f"{where}, has no {key!r}. A label is like {_LIKE}.")
    for key, (kind, called) in _KEYS.items():
        value = found.get(key)
        if key in found and (type(value) not in kind):
            raise UserError(f"{where}: {key} is {called}, not {value!r}.")
    label = Label(**{key: value for key, value in found.items() if key in _KEYS})
    _require_numbers(label, where)
    return label


_LIKE = '{"score": 0.83, "right": true}'
_KEYS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "score": ((int, float), "a number from 0 to 1"),
    "right": ((bool,), "true or false"),
    "accepted": ((bool,), "true or false"),
    "weight": ((int, float), "a number above 0"),
    "method": ((str,), "a text"),
}


def _require_numbers(label: Label, where: str) -> None:
    within(label.score, f"{where}: a score")
    if not 0 < label.weight < math.inf:
        raise UserError(f"{where}: a weight is a number above 0, not {label.weight!r}.")


def _require_enough(labels: Sequence[Label]) -> None:
    right = sum(label.right for label in labels)
    wrong = len(labels) - right
    for count, kind, other in ((right, "right", "wrong"), (wrong, "wrong", "right")):
        if labels and not count:
            raise UserError(
                f"All {len(labels)} labels say {other}, so nothing tells what the judge does with {kind} rows. Label "
                "rows that it rejected as well as rows that it accepted."
            )
    if len(labels) < FEWEST or min(right, wrong) < FEWEST_EACH:
        raise UserError(
            f"There are {len(labels)} labels, {right} right and {wrong} wrong. It takes {FEWEST}, with "
            f"{FEWEST_EACH} of each, to say anything, and a hundred or two to say much. Label more rows."
        )


# What they tell


def calibrate(
    labels: Iterable[Label],
    *,
    target: float | None = None,
    method: Method = "isotonic",
    threshold: float | None = None,
) -> Calibration:
    """Hold scores against labels.

    The rates are at `threshold`; where it is not given, by what the labels say was accepted, or at 0.5 where they do
    not say. `target` is the precision to find a threshold for. Raises `UserError` where the labels do not suffice.
    """
    rows = list(labels)
    for number, label in enumerate(rows, 1):
        _require_numbers(label, f"Label {number}")
    _require_enough(rows)
    if method not in METHODS:
        raise UserError(f"There is no way {method!r} to calibrate. {nearest(str(method), METHODS)}")
    if target is not None and not 0 < target < 1:
        raise UserError(f"--target is a precision above 0 and below 1, not {target}.")
    told = _told(rows)
    least = threshold if threshold is not None else None if told else 0.5
    if least is not None:
        within(least, "--threshold")
    accepted = [bool(row.accepted) if least is None else row.score >= least for row in rows]
    kept = [row for row, yes in zip(rows, accepted, strict=True) if yes]
    at = choice_of(0.0, *parted(kept), *parted(rows))
    choices = choices_of(rows) if target is not None else []
    return Calibration(
        labels=len(rows),
        right=sum(row.right for row in rows),
        threshold=least,
        accepts_right=at.accepts_right,
        accepts_wrong=at.accepts_wrong,
        precision=at.precision,
        yield_=at.yield_,
        auc=auc_of(rows),
        brier=_mean((row.weight, (row.score - row.right) ** 2) for row in rows),
        bins=tuple(bins_of(rows)),
        curve=_isotonic(rows) if method == "isotonic" else _platt(rows),
        target=target,
        at_point=next((one for one in choices if target and one.precision.value >= target), None),
        at_low=next((one for one in choices if target and one.precision.low >= target), None),
        notes=tuple(_notes(rows, accepted)),
    )


def _told(rows: Sequence[Label]) -> bool:
    """Whether the labels say what was accepted."""
    silent = sum(row.accepted is None for row in rows)
    if 0 < silent < len(rows):
        raise UserError(
            f"Of the labels {len(rows) - silent} say whether the row was `accepted` and {silent} do not. Say it of "
            "all, or of none."
        )
    return not silent


@dataclass
class _Sum:
    """Weights added up."""

    total: float = 0.0
    squares: float = 0.0
    count: int = 0

    @classmethod
    def of(cls, rows: Iterable[Label]) -> _Sum:
        found = cls()
        for row in rows:
            found.add(row)
        return found

    def add(self, row: Label) -> None:
        self.total += row.weight
        self.squares += row.weight * row.weight
        self.count += 1

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.total + other.total, self.squares + other.squares, self.count + other.count)


def _rate(part: _Sum, whole: _Sum) -> Rate:
    """The weighted share of a part.

    With unequal weights the labels tell as much as fewer equal ones would (Kish 1965), and the interval is of so many.
    """
    if not whole.count:
        return Rate(0.0, 0.0, 1.0, 0)
    share = min(1.0, part.total / whole.total)
    worth = whole.total * whole.total / whole.squares
    return Rate(share, *wilson(share * worth, worth), whole.count)


def _mean(rows: Iterable[tuple[float, float]]) -> float:
    found = list(rows)
    return math.fsum(weight * value for weight, value in found) / math.fsum(weight for weight, _ in found)


def choice_of(threshold: float, right: _Sum, wrong: _Sum, all_right: _Sum, all_wrong: _Sum) -> Choice:
    """What comes of accepting these right and wrong rows of all."""
    return Choice(
        threshold,
        precision=_rate(right, right + wrong),
        yield_=min(1.0, (right.total + wrong.total) / (all_right.total + all_wrong.total)),
        accepts_right=_rate(right, all_right),
        accepts_wrong=_rate(wrong, all_wrong),
    )


def parted(rows: Iterable[Label]) -> tuple[_Sum, _Sum]:
    found = list(rows)
    return _Sum.of(row for row in found if row.right), _Sum.of(row for row in found if not row.right)


def choices_of(rows: Sequence[Label]) -> list[Choice]:
    """What each threshold that makes a difference would give, from the lowest."""
    whole = parted(rows)
    right, wrong = _Sum(), _Sum()
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
        mean = _mean((row.weight, row.score) for row in inside)
        yield Bin(number / BINS, (number + 1) / BINS, mean, _rate(parted(inside)[0], _Sum.of(inside)))


def auc_of(rows: Sequence[Label]) -> float:
    """Counted over the scores from the lowest; equal scores are half a win."""
    below = wins = 0.0
    for _, group in groupby(sorted(rows, key=lambda row: row.score), lambda row: row.score):
        tied = list(group)
        wrong = math.fsum(row.weight for row in tied if not row.right)
        wins += math.fsum(row.weight for row in tied if row.right) * (below + wrong / 2)
        below += wrong
    return min(1.0, wins / (below * math.fsum(row.weight for row in rows if row.right)))


def _isotonic(rows: Sequence[Label]) -> Isotonic:
    with extra("calibration", NEEDED):
        from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(y_min=0, y_max=1).fit(
        [row.score for row in rows], [float(row.right) for row in rows], sample_weight=[row.weight for row in rows]
    )
    points = zip(found.X_thresholds_, found.y_thresholds_, strict=True)
    return Isotonic(tuple((float(score), float(probability)) for score, probability in points))


def _platt(rows: Sequence[Label]) -> Platt:
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


def _notes(rows: Sequence[Label], accepted: Sequence[bool]) -> Iterator[str]:
    if all(accepted):
        yield (
            "Every labelled row was accepted, so both rates are 1 by the choice of the rows. Label rejected ones too, "
            "or give a higher threshold."
        )
    sampled = [row.method for row in rows if row.method.startswith("sampled")]
    if sampled:
        yield (
            f"{len(sampled)} of {len(rows)} scores were counted from sampled answers, because the model tells no "
            "log-probabilities: they come in steps, and differ from one run to another."
        )
    auc = auc_of(rows)
    if auc < 0.4:  # nearer to a half it may be chance
        yield f"Right rows score lower than wrong ones (AUC {auc:.2f}): is the judge asked for the opposite?"


# In words


def describe_calibration(found: Calibration) -> list[str]:
    """The lines that a terminal shows."""
    at = "as the labels say" if found.threshold is None else f"at the threshold {found.threshold:g}"
    lines = [
        f"{found.labels} labels: {found.right} right, {found.labels - found.right} wrong",
        "",
        f"What the judge does, {at} (in brackets: 95 % intervals):",
        f"  accepts-right  {_shown(found.accepts_right)} of {found.accepts_right.count}",
        f"  accepts-wrong  {_shown(found.accepts_wrong)} of {found.accepts_wrong.count}",
        f"  precision      {_shown(found.precision)} of the {found.precision.count} accepted",
        f"  yield          {found.yield_:.1%}",
        f"  AUC            {found.auc:.3f}",
        f"  Brier          {found.brier:.3f}",
        "",
        "  scores       labels  mean score  right",
    ]
    for one in found.bins:
        lines.append(f"  {one.low:.1f} to {one.high:.1f}   {one.right.count:6}  {one.score:10.2f}  {_shown(one.right)}")
    return [*lines, *_target_lines(found), *(f"\nNote: {note}" for note in found.notes)]


def _target_lines(found: Calibration) -> Iterator[str]:
    if found.target is None:
        return
    yield ""
    if found.chosen is None:
        yield f"No threshold reaches a precision of {found.target:.1%} on these labels: this judge alone will not do."
        return
    yield f"For a precision of {found.target:.1%}:"
    if found.at_low:
        yield f"  threshold {found.at_low.threshold:.4g}, to be sure of it: {_given(found.at_low)}"
    else:
        yield "  no threshold is sure to reach it: there are too few labels, or the judge is not good enough."
    if found.at_point and found.at_point != found.at_low:
        yield f"  threshold {found.at_point.threshold:.4g}, as likely as not: {_given(found.at_point)}"


def _given(choice: Choice) -> str:
    return f"precision {_shown(choice.precision)}, yield {choice.yield_:.1%}"


def _shown(rate: Rate) -> str:
    return f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]"
