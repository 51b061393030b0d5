"""What the labels say, handed to the card and the report of the run: `measured.json`, and both written anew."""

from __future__ import annotations

from pathlib import Path

from retroweave.export.card import write_card
from retroweave.export.labelled import Labelled, Share, signature, write_labelled
from retroweave.export.report import write_report
from retroweave.export.survey import survey
from retroweave.judges.rates import Rate
from retroweave.pipeline.errors import UserError
from retroweave.review.agreement import agreement
from retroweave.review.drawing import Drawing
from retroweave.review.labels import Labels
from retroweave.review.precision import figures
from retroweave.review.rows import Rows

__all__ = ["measured", "publish"]


def publish(rows: Rows, labels: Labels, drawing: Drawing) -> Path:
    """Write `measured.json` of a finished run, and its card and report with it; gives the path of the first.

    Reads all samples once. Raises `UserError` where there is nothing to say.
    """
    if not rows.finished:
        raise UserError(f"The run in {rows.run_dir} has not come to its end: it has no card to put figures on.")
    path = write_labelled(rows.run_dir, measured(rows, labels, drawing))
    found = survey(rows.run_dir)
    write_card(rows.run_dir, found)
    write_report(rows.run_dir, found)
    return path


def measured(rows: Rows, labels: Labels, drawing: Drawing) -> Labelled:
    """What the labels of all people say, as the card has it."""
    found = figures(rows, labels, drawing)
    if found.precision is None:
        raise UserError("No sample that was drawn is labelled yet, so nothing is measured. Label some, and come back.")
    given = [label for one in drawing.judged() for label in one.labels]
    return Labelled(
        of=signature(rows.run_dir),
        judge=found.judge,
        precision=_share(found.precision),
        how=found.how,
        accepts_right=_share(found.accepts_right) if found.accepts_right else None,
        accepts_wrong=_share(found.accepts_wrong) if found.accepts_wrong else None,
        people=len({label.person for label in given}),
        blind=sum(label.blind for label in given) / len(given),
        unsure=found.unsure,
        alpha=_share(agreed.alpha) if (agreed := agreement(given)).alpha else None,
    )


def _share(rate: Rate) -> Share:
    low, value, high = (max(-1.0, min(1.0, end)) for end in (rate.low, rate.value, rate.high))
    return Share(value=value, low=low, high=high, count=rate.count)
