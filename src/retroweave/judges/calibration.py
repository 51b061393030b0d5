"""Calibration: a judge's scores held against what people said of the same rows.

A score orders rows; how right a row with this score is, only labels tell. From them come the judge's two rates for the
odds, the reliability curve, a probability for each score, and the threshold for a wanted precision.

The labels must be of rows that the judge saw, those that it rejected among them, drawn at random: at random within
strata of the score, with a `weight` for how many rows each stands for, does as well and costs fewer labels. Labels of
accepted rows alone tell their precision and nothing about the judge. Nothing here draws rows or asks anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from retroweave.judges.curves import Curve, Isotonic, Platt, isotonic, platt
from retroweave.judges.labels import Label, read_labels, require_numbers
from retroweave.judges.rates import Bin, Choice, Rate, auc_of, bins_of, choice_of, choices_of, mean_of, parted
from retroweave.judges.reading import within
from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.odds import JudgeRates

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

FEWEST = 20
"""Labels in all. With fewer, each interval is half the scale."""
FEWEST_EACH = 5
"""Right rows, and wrong ones."""


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
        require_numbers(label, f"Label {number}")
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
        brier=mean_of((row.weight, (row.score - row.right) ** 2) for row in rows),
        bins=tuple(bins_of(rows)),
        curve=isotonic(rows) if method == "isotonic" else platt(rows),
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
