"""What labels say of a run: held against a truth that the test knows, and against figures reckoned by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from retroweave.export.card import write_card
from retroweave.export.labelled import read_labelled
from retroweave.judges.calibration import calibrate, read_labels
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.odds import wilson
from retroweave.review.drawing import Drawing
from retroweave.review.exports import calibration_rows, write_jsonl
from retroweave.review.labels import Decision, Labels
from retroweave.review.precision import figures
from retroweave.review.publishing import publish
from retroweave.review.rows import Row, Rows
from tests.review.runs import JUDGE, make_run, sample, turned_away
from tests.review.test_drawing import label_some


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = [{"cost": 3.0}, {"cost": 1.0}]
    return make_run(tmp_path_factory.mktemp("run"), 1_000, 400, models=models)


@pytest.fixture
def rows(run_dir: Path) -> Iterator[Rows]:
    with Rows(run_dir) as found:
        found.index()
        yield found


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[Labels]:
    with Labels(tmp_path) as found:
        yield found


def truth(row: Row) -> bool:
    """A row is right as often as the square root of its score says."""
    return random.Random(f"truth {row.id}").random() < math.sqrt(row.score(JUDGE) or 0)


def say(row: Row) -> Decision:
    return "accept" if truth(row) else "reject"


def _right(rows: Rows, first: int, count: int) -> list[bool]:
    return [truth(row) for row in rows.at(range(first, first + count)) if row.score(JUDGE) is not None]


def test_the_figures_hold_the_truth(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 300, say)
    found = figures(rows, labels, drawing)
    samples, rejects = _right(rows, 0, 1_000), _right(rows, 1_000, 400)
    accepted, right = sum(samples), sum(samples) + sum(rejects)
    wrong = len(samples) + len(rejects) - right
    for rate, true in (
        (found.precision, accepted / 1_000),
        (found.accepts_right, accepted / right),
        (found.accepts_wrong, (1_000 - accepted) / wrong),
    ):
        assert rate is not None
        assert rate.low < true < rate.high
        assert rate.value == pytest.approx(true, abs=0.08)
    assert found.labels == 300
    assert found.yield_ == 1_000 / 1_400
    assert found.auc is not None
    assert 0.6 < found.auc < 0.9
    assert found.threshold == pytest.approx(0.5, abs=0.01)
    assert not found.notes


def test_yield_and_cost_of_a_threshold_are_those_of_all_rows(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 250, say)
    found = figures(rows, labels, drawing)
    scores = [score for _, score in rows.scored(JUDGE)]
    assert len(scores) == 1_300
    assert 20 < len(found.table) <= 100
    for at in found.table:
        accepted = sum(score >= at.threshold for score in scores)
        assert at.yield_ == accepted / 1_300
        assert at.cost == pytest.approx(4.0 / accepted)
    precisions = [at.precision.value for at in found.table]
    assert precisions[-10] > precisions[0]
    assert [at.threshold for at in found.table] == sorted(at.threshold for at in found.table)


def test_the_roc_rises_from_nothing_to_everything(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 120, say)
    roc = figures(rows, labels, drawing).roc
    assert roc[0] == (0, 0)
    assert roc[-1] == pytest.approx((1, 1))
    assert list(roc) == sorted(roc)


def test_labels_written_out_calibrate_the_judge_to_the_same_rates(rows: Rows, labels: Labels, tmp_path: Path) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 200, say)
    label_some(drawing, "bob", 40, say)
    written = write_jsonl(tmp_path / "labels.jsonl", calibration_rows(drawing))
    found, calibration = figures(rows, labels, drawing), calibrate(read_labels(written.path))
    assert calibration.labels == written.rows == found.labels
    assert calibration.accepts_right == found.accepts_right
    assert calibration.accepts_wrong == found.accepts_wrong
    assert calibration.auc == found.auc
    assert calibration.bins == found.bins


def test_one_stratum_has_wilsons_interval(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", [sample(number, None) for number in range(90)], 0)) as rows:
        rows.index()
        drawing = Drawing(rows, labels)
        label_some(drawing, "ann", 40, lambda row: "reject" if row.number < 9 else "accept")
        found = figures(rows, labels, drawing)
    assert found.precision is not None
    right = round(found.precision.value * 40)
    assert (found.precision.low, found.precision.high) == pytest.approx(wilson(right, 40))
    assert found.how.startswith("Wilson's")
    assert found.judge == ""
    assert found.accepts_right is None
    assert found.table == ()


def test_before_the_first_label_nothing_is_told_and_the_notes_say_what_it_takes(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    found = figures(rows, labels, drawing)
    assert (found.precision, found.accepts_right, found.auc, found.table, found.bins) == (None, None, None, (), ())
    assert any("label some" in note for note in found.notes)
    with pytest.raises(UserError, match="nothing is measured"):
        publish(rows, labels, drawing)


def test_labels_of_samples_alone_tell_their_precision_and_nothing_of_the_judge(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels, rejects=False)
    label_some(drawing, "ann", 60, say)
    found = figures(rows, labels, drawing)
    assert found.precision is not None
    assert found.accepts_wrong is None
    assert any("rejected as well" in note for note in found.notes)


def test_notes_say_what_was_left_out(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 12, lambda row: "unsure")
    label_some(drawing, "ann", 10, say)
    labels.add(rows.at([3])[0], "ann", "accept")
    found = figures(rows, labels, drawing)
    assert (found.unsure, found.picked) == (12, 1)
    for said in ("unsure, or at odds", "picked", "hardly known"):
        assert any(said in note for note in found.notes), said


def test_each_person_has_figures_of_their_own(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 60, lambda row: "accept")
    label_some(drawing, "bob", 40, lambda row: "reject")
    ann, bob = (figures(rows, labels, drawing, person) for person in ("ann", "bob"))
    assert ann.precision is not None
    assert bob.precision is not None
    assert (ann.precision.value, bob.precision.value) == (1, 0)
    assert figures(rows, labels, drawing).people == 2


def test_card_and_report_say_what_was_measured(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 200, turned_away(80))
    with Rows(folder) as rows, Labels(folder) as labels:
        rows.index()
        drawing = Drawing(rows, labels, shared=1.0)
        label_some(drawing, "ann", 80, say)
        label_some(drawing, "bob", 40, lambda row: "unsure" if row.number % 19 == 0 else say(row))
        found = figures(rows, labels, drawing)
        path = publish(rows, labels, drawing)
    assert found.precision is not None
    said = f"{found.precision.value:.1%} of this set is right (95% interval: {found.precision.low:.1%} to"
    card, report = ((folder / name).read_text() for name in ("README.md", "report.html"))
    for text in (card, report):
        assert said in text
        assert "By what 2 people said of" in text
        assert "It accepts" in text
        assert "alpha is" in text
        assert "All labels were given in sight of what the judge had said." in text
    assert f"{found.precision.high:.1%}, by labels" in report
    labelled, fits = read_labelled(folder)
    assert path == folder / "measured.json"
    assert fits
    assert labelled is not None
    assert labelled.precision.value == found.precision.value


def test_figures_of_an_earlier_state_of_the_set_are_not_repeated(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 60, 20)
    with Rows(folder) as rows, Labels(folder) as labels:
        rows.index()
        drawing = Drawing(rows, labels)
        label_some(drawing, "ann", 40, say)
        publish(rows, labels, drawing)
    make_run(folder, 61, 20)
    card = write_card(folder).read_text()
    assert "of this set is right" not in card
    assert "People labelled an earlier state of this set" in card


def test_figures_that_somebody_wrote_otherwise_are_refused(tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text('{"of": "x", "precision": {"value": 2}}')
    with pytest.raises(UserError, match="not as it was written"):
        read_labelled(tmp_path)
