"""What labels say of a run: precision of the accepted set, the judge's rates, what each threshold would give.

Only rows that came by lot count (`drawing`), each for as many rows as its stratum has for one that was labelled, or its
part of the stratum where it was drawn under another threshold (`weighing`). The precision is that of the samples. The
judge's rates, its curve and the table of thresholds take in what it rejected, and are those of `judges.calibration`, by
the same labels.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retroweave.judges.labels import Label as Scored
from retroweave.judges.rates import Bin, Choice, Rate, auc_of, bins_of, choice_of, choices_of, parted
from retroweave.review.drawing import Drawing, Judged, Stratum
from retroweave.review.intervals import stratified_interval
from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Rows

__all__ = ["At", "Figures", "figures", "scored_labels", "stratified"]

ENTRIES = 100
"""Thresholds in the table, at most."""
FEW = 30
"""Labels of samples, below which the precision is hardly known."""


@dataclass(frozen=True, slots=True)
class At:
    """A threshold and what it would give, for the slider."""

    threshold: float
    precision: Rate
    yield_: float
    """Of the rows that the judge saw, the share that it would accept."""
    cost: float | None
    """Dollars for each accepted row, all that was spent over what would be accepted; `None` where nothing was paid."""
    accepts_right: Rate
    accepts_wrong: Rate


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the labels say."""

    judge: str
    """Empty where no judge gave scores."""
    labels: int
    """Rows that came by lot, and of which most persons say right or wrong."""
    unsure: int
    """Rows of which they were unsure, or at odds; they count nowhere else."""
    picked: int
    """Labels of rows that somebody picked; they count nowhere else, since they came by no lot."""
    stale: int
    """Labels of rows whose content is another by now, or that are gone, and that `standing` did not find again; they
    count nowhere."""
    people: int
    precision: Rate | None
    """Of the accepted set (samples). `None` before the first label of a sample."""
    how: str
    """How its interval was reckoned, in words."""
    yield_: float
    """Samples over all outcomes."""
    threshold: float | None
    """The lowest score that the judge let pass; `None` where it is not the score alone that decides."""
    accepts_right: Rate | None
    accepts_wrong: Rate | None
    auc: float | None
    bins: tuple[Bin, ...]
    """The reliability curve."""
    table: tuple[At, ...]
    """From the lowest threshold to the highest."""
    roc: tuple[tuple[float, float], ...]
    """accepts-wrong and accepts-right at each threshold, from (0, 0) to (1, 1)."""
    strata: tuple[Stratum, ...]
    notes: tuple[str, ...]
    """What to know before the numbers are trusted, and what is still missing for those that are `None`."""


def figures(rows: Rows, labels: Labels, drawing: Drawing, person: str | None = None) -> Figures:
    """From the labels of one person, or of all. Never raises for too few labels: what cannot be told is `None`, and
    `notes` says what it takes."""
    judged = drawing.judged(person)
    strata = drawing.strata(person)
    given = labels.counting(person)
    standing = drawing.standing.labels(person)
    scored = scored_labels(drawing, person)
    told = _told(scored) if _both(scored) and not all(one.passed for one in strata if one.labelled) else None
    table = choices_of(scored) if _both(scored) else []
    precision = stratified([one for one in strata if one.accepted])
    stale = [label for label in given if drawing.is_stale(label)]
    return Figures(
        judge=drawing.judge,
        labels=sum(one.right is not None for one in judged),
        unsure=sum(one.right is None for one in judged),
        picked=sum(not label.lots for label in standing),
        stale=len(stale),
        people=len({label.person for label in given}),
        precision=precision,
        how=_how([one for one in strata if one.accepted]),
        yield_=_yield(rows),
        threshold=_threshold(rows, drawing.judge),
        accepts_right=told.accepts_right if told else None,
        accepts_wrong=told.accepts_wrong if told else None,
        auc=auc_of(scored) if _both(scored) else None,
        bins=tuple(bins_of(scored)),
        table=tuple(_table(rows, drawing.judge, table)),
        roc=_roc(table),
        strata=tuple(strata),
        notes=tuple(_notes(strata, judged, standing, stale, told)),
    )


def stratified(strata: Sequence[Stratum]) -> Rate | None:
    """The precision of all strata together; `None` before the first label."""
    labelled = sum(one.labelled for one in strata)
    if not labelled:
        return None
    return Rate(*stratified_interval([one.counted for one in strata]), labelled)


def scored_labels(drawing: Drawing, person: str | None = None) -> list[Scored]:
    """The rows with a score and a clear verdict of persons, as `retroweave calibrate` takes them."""
    if not drawing.judge:
        return []
    strata = drawing.strata(person)
    judged = [one for one in drawing.judged(person) if one.right is not None]
    lines = {line.number: line for line in drawing.rows.lines([one.number for one in judged])}
    found = []
    for one in judged:
        stratum, score = strata[one.stratum], lines[one.number].scores.get(drawing.judge)
        if score is not None and 0 <= score <= 1:
            found.append(Scored(score, bool(one.right), accepted=stratum.passed, weight=one.stands_for))
    return found


def _both(scored: Sequence[Scored]) -> bool:
    """Whether there are right rows and wrong ones."""
    return len({one.right for one in scored}) == 2


def _told(scored: Sequence[Scored]) -> Choice:
    return choice_of(0.0, *parted(one for one in scored if one.accepted), *parted(scored))


def _table(rows: Rows, judge: str, choices: Sequence[Choice]) -> Iterator[At]:
    """The thresholds; how many rows are at or above each is known of all rows, labelled or not."""
    scores = rows.scores(judge) if choices else ()
    spent = sum(model.get("cost", 0.0) for model in rows.run.get("models", ()))
    step = -(-len(choices) // ENTRIES)
    for choice in choices[:: step or 1]:
        accepted = len(scores) - bisect_left(scores, choice.threshold)
        cost = spent / accepted if spent and accepted else None
        share = accepted / len(scores)
        yield At(choice.threshold, choice.precision, share, cost, choice.accepts_right, choice.accepts_wrong)


def _roc(choices: Sequence[Choice]) -> tuple[tuple[float, float], ...]:
    if not choices:
        return ()
    points = [(one.accepts_wrong.value, one.accepts_right.value) for one in reversed(choices)]
    return tuple(dict.fromkeys([(0.0, 0.0), *points, (1.0, 1.0)]))


def _yield(rows: Rows) -> float:
    counts = {facet.value: facet.count for facet in rows.facets().get("kind", ())}
    return counts.get("sample", 0) / max(1, sum(counts.values()))


def _threshold(rows: Rows, judge: str) -> float | None:
    lowest, highest = rows.bounds(judge)
    return lowest if lowest is not None and (highest is None or highest < lowest) else None


def _how(strata: Sequence[Stratum]) -> str:
    if len(strata) < 2:
        return "Wilson's interval, of rows drawn at random."
    before = "; labels from before a change of threshold stand for their part of one" if _weighed(strata) else ""
    return (
        f"Rows drawn at random within {len(strata)} strata of the judge's score, each weighted by how many rows it "
        f"has{before}; Beta quantiles, with one doubtful row spread over the strata."
    )


def _weighed(strata: Sequence[Stratum]) -> bool:
    return any(one.weighed for one in strata)


def _notes(
    strata: Sequence[Stratum],
    judged: Sequence[Judged],
    standing: Sequence[Label],
    stale: Sequence[Label],
    told: Choice | None,
) -> Iterator[str]:
    samples = [one for one in strata if one.accepted]
    labelled = sum(one.labelled for one in samples)
    if not labelled:
        yield "No sample has been labelled yet: label some that are drawn."
    elif labelled < FEW:
        yield f"{labelled} samples are labelled. With fewer than {FEW} the precision is hardly known."
    if labelled and (unseen := [one.name for one in samples if not one.labelled]):
        yield f"No row of {' or of '.join(unseen)} is labelled yet; the interval lets all of them be right, or wrong."
    if told is None and any(one.passed for one in strata) and strata:
        yield (
            "The judge's rates take labels of rows that it rejected as well as of rows that it accepted, and right and "
            "wrong ones among them."
        )
    if (unsure := sum(one.right is None for one in judged)) * 10 > len(judged) and unsure:
        yield (
            f"Of {unsure} of {len(judged)} rows persons were unsure, or at odds, and they are left out. If these are "
            "the harder ones, the figures flatter."
        )
    if stale:
        yield f"{len(stale)} labels are of rows that were made anew since, or are gone; they are left out."
    if knowing := sum(not label.seen for label in stale):
        yield (
            f"{knowing} of these {'were' if knowing > 1 else 'was'} given with more in sight than the judge saw, such "
            "as its verdict. Where a row has become a sample or a reject since, only a blind label is carried over."
        )
    if picked := sum(not label.lots for label in standing):
        yield f"{picked} labels are of rows that somebody picked, and not of rows drawn; they are left out."
