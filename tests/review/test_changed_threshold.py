"""Labels stay of use when the threshold changes: they find their rows again, and the figures stay true."""

from __future__ import annotations

import math
import random
import re
import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.review.agreement import agreement
from retroweave.review.drawing import Drawing, Stratum, wanted_shares
from retroweave.review.exports import calibration_rows, classifier_rows
from retroweave.review.intervals import Counted, stratified_interval
from retroweave.review.labels import Label, Labels
from retroweave.review.precision import figures
from retroweave.review.rows import Rows
from retroweave.review.weighing import counted, weights
from tests.review.conftest import Review, Reviews, label_rows, retroweave
from tests.review.runs import JUDGE, make_run, reject, said, sample


def made_anew(project: Path, sure: float) -> None:
    """The run again, with another threshold."""
    words = ["run", "sums.py", "--rows", 9999, "--workers", 1, "--out", "out", "--again", "--set", f"sure={sure}"]
    retroweave(*words, cwd=project, code=1)


def label_in_the_page(review: Review, count: int) -> None:
    for number in range(count):
        alias = re.search(r'name="row" value="([^"]+)"', review.text("/label"))
        assert alias
        fields = {"row": alias[1], "act": "reject" if number % 4 == 0 else "accept", "as": "ann"}
        assert review.ask("/label", method="POST", fields=fields)[0] == 303


def test_all_labels_still_count_after_the_threshold_was_raised_and_lowered(
    project: Path, sums: Path, reviews: Reviews
) -> None:
    label_in_the_page(reviews.start(sums, cwd=project), 60)
    before = _kinds(sums)
    made_anew(project, 0.7)
    after = _kinds(sums)
    assert len(after) == 60
    assert sum(before.values()) > sum(after.values()) > 0
    label_rows(sums, 30)
    made_anew(project, 0.4)
    assert len(_kinds(sums)) == 90
    assert sum(_kinds(sums).values()) > sum(after.values()) + 10


def _kinds(run_dir: Path) -> dict[str, bool]:
    """Each row that is labelled to whether it is a sample, when all labels count and none of these rows is drawn."""
    with Rows(run_dir) as rows, Labels(run_dir) as labels:
        rows.index()
        drawing = Drawing(rows, labels)
        found = figures(rows, labels, drawing)
        judged = drawing.judged()
        assert (found.labels, found.stale, found.picked) == (len(labels), 0, 0)
        assert len({one.row for one in judged}) == len(list(calibration_rows(drawing))) == len(labels)
        assert len(list(classifier_rows(rows, labels))) == len(labels)
        assert not {one.row for one in judged} & {ticket.row for ticket in drawing.next("ann", 1_000)}
        return {one.row: rows.row(one.row).kind == "sample" for one in judged}


# A label and its row


def judged(number: int, score: float, threshold: float, **more: Any) -> dict[str, Any]:
    """A row as the judge left it, under a threshold: a sample with the score, or a reject."""
    if score >= threshold:
        return sample(number, score, **more)
    return reject(number, score, source=f"letters/{number % 7}.txt", **more)


def run_of(folder: Path, scores: Sequence[float], threshold: float) -> Path:
    rows = [judged(number, score, threshold) for number, score in enumerate(scores)]
    samples, rejects = ([row for row in rows if ("messages" in row) is so] for so in (True, False))
    return make_run(folder, samples, rejects)


class Opened:
    """A run as it stands, with its labels."""

    def __init__(self, folder: Path) -> None:
        self.rows = Rows(folder)
        self.rows.index()
        self.labels = Labels(folder)
        self.drawing = Drawing(self.rows, self.labels)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.rows.close()
        self.labels.close()

    def of_number(self, number: int) -> str:
        """The id of the row that says this number, whatever has become of it."""
        found = [row for row in self.rows.at(range(self.rows.count)) if row.calls[0]["answer"] == f"What {number}?"]
        return found[0].id

    def label(self, number: int, decision: Any, person: str = "ann", **more: Any) -> Label:
        row = self.rows.row(self.of_number(number))
        values: dict[str, Any] = {
            "blind": True,
            "seen": self.rows.seen(row, JUDGE),
            "judge": JUDGE,
            "drawn": f"{JUDGE}|0|x|own",
        } | more
        return self.labels.add(row, person, decision, **values)


SCORES = (0.9, 0.8, 0.6, 0.55, 0.3, 0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_of(tmp_path / "run", SCORES, 0.5)


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.7), (0.7, 0.5)])
def test_a_blind_label_follows_its_row_from_sample_to_reject_and_back(
    tmp_path: Path, before: float, after: float
) -> None:
    folder = run_of(tmp_path / "run", SCORES, before)
    with Opened(folder) as found:
        label = found.label(2, "accept", tags=["odd"])
    with Opened(run_of(folder, SCORES, after)) as found:
        (standing,) = found.drawing.standing.labels()
        now = found.rows.row(found.of_number(2))
        assert standing.row == now.id != label.row
        assert (standing.content, standing.tags, standing.at) == (now.content, ("odd",), label.at)
        assert not found.drawing.is_stale(label)
        assert [one.row for one in found.drawing.judged()] == [now.id]
        assert found.drawing.standing.of(now.id) == [standing]


def test_a_label_given_in_sight_of_the_verdict_or_to_a_whole_conversation_does_not(folder: Path) -> None:
    with Opened(folder) as found:
        labels = [
            found.label(2, "accept", blind=False),
            found.label(3, "accept", seen=""),
            found.label(1, "accept", seen=""),
        ]
        assert [bool(label.seen) for label in labels] == [False, False, False]
    with Opened(run_of(folder, SCORES, 0.7)) as found:
        assert [found.drawing.is_stale(label) for label in labels] == [True, True, False]
        assert any("only a blind label" in note for note in figures(found.rows, found.labels, found.drawing).notes)
        asked = {ticket.row for ticket in found.drawing.next("ann", 10)}
        assert asked == {found.of_number(number) for number in (0, 2, 3, 4, 5)}


def test_what_two_rows_show_is_neithers(folder: Path) -> None:
    with Opened(folder) as found:
        label = found.label(2, "accept")
    rows = [judged(2, 0.6, 0.7), judged(2, 0.6, 0.7, row="0/2/1"), sample(0)]
    with Opened(make_run(folder, rows[2:], rows[:2])) as found:
        assert found.drawing.is_stale(label)


def test_the_same_words_of_another_place_are_another_row(folder: Path) -> None:
    with Opened(folder) as found:
        label = found.label(2, "accept")
    with Opened(make_run(folder, [sample(0)], [reject(2, 0.6, source="elsewhere.txt")])) as found:
        assert found.drawing.is_stale(label)


def test_a_row_whose_answer_is_another_has_none_of_its_old_labels(folder: Path) -> None:
    with Opened(folder) as found:
        label = found.label(2, "accept")
    other = said(2, 0.6, passed=False)
    other["calls"][0]["answer"] = "When 2?"
    with Opened(make_run(folder, [sample(0)], [reject(2, 0.6, **other)])) as found:
        assert found.drawing.is_stale(label)


def test_of_two_labels_that_come_to_one_row_the_last_counts_and_an_undo_brings_back_the_first(folder: Path) -> None:
    with Opened(folder) as found:
        found.label(2, "accept")
    with Opened(run_of(folder, SCORES, 0.7)) as found:
        id = found.of_number(2)
        found.labels.add(found.rows.row(id), "ann", "reject")  # on the row's own page
        (standing,) = found.drawing.standing.labels()
        assert (standing.decision, standing.lots) == ("reject", (f"{JUDGE}|0|x|own",))
        assert [one.right for one in found.drawing.judged()] == [False]
        assert figures(found.rows, found.labels, found.drawing).picked == 0
        found.labels.undo("ann")
        assert [one.right for one in found.drawing.judged()] == [True]
        found.labels.undo("ann")
        assert found.drawing.judged() == []
        assert found.labels.undo("ann") is None


def test_persons_agree_on_a_row_that_was_a_sample_for_one_and_a_reject_for_the_other(folder: Path) -> None:
    with Opened(folder) as found:
        found.label(2, "accept")
    with Opened(run_of(folder, SCORES, 0.7)) as found:
        found.label(2, "accept", "bob")
        agreed = agreement(found.drawing.standing.labels())
        assert (agreed.rows, agreed.people) == (1, ("ann", "bob"))
        (row,) = calibration_rows(found.drawing)
        assert (row["accepted"], row["right"], len(row["labels"])) == (False, True, 2)
        (text,) = classifier_rows(found.rows, found.labels)
        assert (text["text"], text["right"]) == ("What 2?", True)


def test_each_label_stands_for_its_part_of_a_stratum_after_a_change(tmp_path: Path) -> None:
    scores = [round(0.2 + number / 500, 4) for number in range(380)]
    folder = run_of(tmp_path / "run", scores, 0.8)
    with Opened(folder) as found:
        for _ in range(120):
            (ticket,) = found.drawing.next("ann")
            row = found.rows.row(ticket.row)
            found.labels.add(
                row,
                "ann",
                "accept" if (row.score(JUDGE) or 0) > 0.6 else "reject",
                blind=True,
                judge=JUDGE,
                drawn=ticket.key,
                seen=found.rows.seen(row, JUDGE),
            )
        assert not any(one.weighed for one in found.drawing.strata())
    with Opened(run_of(folder, scores, 0.55)) as found:
        judged, strata = found.drawing.judged(), found.drawing.strata()
        assert len(judged) == 120
        for place, one in enumerate(strata):
            inside = [each.stands_for for each in judged if each.stratum == place]
            assert math.fsum(inside) == pytest.approx(one.size if inside else 0)
            assert one.counted.labelled <= one.labelled + 1e-9
        assert any(one.weighed for one in strata)
        told = figures(found.rows, found.labels, found.drawing)
        assert "before a change of threshold" in told.how
        assert told.precision is not None
        assert told.precision.low <= sum(score > 0.6 for score in scores) / sum(score >= 0.55 for score in scores)
        written = [row["weight"] for row in calibration_rows(found.drawing)]
        assert math.fsum(written) == pytest.approx(sum(one.size for one in strata if one.labelled))


OLD = """
create table entries (
    number integer primary key autoincrement, row text not null, person text not null, decision text not null,
    tags text not null, note text not null, blind integer not null, judge text not null, score real, passed integer,
    kind text not null, drawn text not null, content text not null, at text not null, undoes integer
);
insert into entries values
    (1, 'x', 'ann', 'accept', '[]', '', 1, 'j', 0.5, 1, 'sample', 'j|0|samples|own', 'c', '', null);
"""


def test_a_file_of_labels_from_before_opens_and_takes_new_ones(folder: Path) -> None:
    with sqlite3.connect(folder / "labels.sqlite") as database:
        database.executescript(OLD)
    database.close()
    with Opened(folder) as found:
        (old,) = found.labels.counting()
        assert (old.row, old.seen, old.lots) == ("x", "", ("j|0|samples|own",))
        assert found.drawing.is_stale(old)
        assert found.label(2, "accept").seen
    with Opened(folder) as found:
        assert [bool(label.seen) for label in found.labels.counting()] == [False, True]


def test_a_lot_that_is_none_of_ours_is_no_cut(folder: Path) -> None:
    with Opened(folder) as found:
        for number, low in enumerate(("", "x", "nan", "1e999", "0.85")):
            found.label(number, "accept", drawn=f"{JUDGE}|0|x|{low}|own")
        assert sum(one.labelled for one in found.drawing.strata()) == 5


def test_an_index_of_a_version_before_is_made_anew(folder: Path) -> None:
    with Opened(folder) as found:
        found.label(2, "accept")
    with sqlite3.connect(folder / "review.sqlite") as database:
        database.execute("update facts set value = '2' || substr(value, 2) where name = 'of'")
        database.execute("drop table seen")
    database.close()
    with Opened(folder) as found:
        assert len(found.rows.showing([label.seen for label in found.labels.counting()])) == 1


# Figures


def strata_of(scores: Sequence[float], threshold: float) -> list[tuple[bool, int, int]]:
    """As a drawing lays them out: five of the samples and three of the rejects, each from one place to another."""
    cut = bisect_left(scores, threshold)
    sides = ((True, cut, len(scores) - cut, 5), (False, 0, cut, 3))
    return [
        (accepted, first + count * part // parts, first + count * (part + 1) // parts)
        for accepted, first, count, parts in sides
        for part in range(parts)
    ]


@dataclass
class Simulated:
    """Rows with scores, of which the judge lets through those above a threshold; drawn as the workbench draws them."""

    scores: Sequence[float]
    right: Sequence[bool]
    rng: random.Random
    labelled: list[int] = field(default_factory=list)
    cuts: set[float] = field(default_factory=set)

    @classmethod
    def of(cls, rng: random.Random, mean: float, slope: float, middle: float) -> Simulated:
        scores = sorted(min(0.999, max(0.001, rng.gauss(mean, 0.22))) for _ in range(2_000))
        return cls(scores, [rng.random() < 1 / (1 + math.exp(-slope * (one - middle))) for one in scores], rng)

    def draw(self, threshold: float, count: int) -> None:
        parts = strata_of(self.scores, threshold)
        strata = [Stratum("", accepted, 0, 1, end - start) for accepted, start, end in parts]
        given = [[row for row in self.labelled if start <= row < end] for _, start, end in parts]
        for _ in range(count):
            counts = [[len(rows), sum(self.right[row] for row in rows)] for rows in given]
            wanted = wanted_shares(strata, counts)
            left = [one for one, (_, start, end) in enumerate(parts) if len(given[one]) < end - start]
            (place,) = self.rng.choices(left, [wanted[one] for one in left])
            _, start, end = parts[place]
            row = self.rng.choice([one for one in range(start, end) if one not in given[place]])
            given[place].append(row)
            self.labelled.append(row)
            self.cuts.add(self.scores[start])

    def holds(self, threshold: float, accepted: bool, weighed: bool = True) -> bool:
        """Whether the interval of one side holds the truth."""
        parts = [(start, end) for side, start, end in strata_of(self.scores, threshold) if side is accepted]
        told = []
        for start, end in parts:
            rows = [row for row in self.labelled if start <= row < end]
            right, scores = [self.right[row] for row in rows], self.scores[start:end]
            cuts = [cut for cut in self.cuts if scores[0] < cut] if weighed else []
            told.append(counted(end - start, right, weights(scores, [self.scores[row] for row in rows], cuts)))
        _, low, high = stratified_interval(told)
        whole = self.right[parts[0][0] : parts[-1][1]]
        return low <= sum(whole) / len(whole) <= high


CHANGES = [
    (0.62, 0.5, 0.7, 150, 0, 8, 0.4),
    (0.62, 0.5, 0.7, 150, 60, 3, 0.2),
    (0.62, 0.7, 0.5, 150, 0, 12, 0.55),
    (0.62, 0.8, 0.5, 300, 0, 3, 0.2),
    (0.45, 0.85, 0.6, 200, 0, 20, 0.8),
    (0.8, 0.3, 0.75, 200, 0, 30, 0.35),
    (0.8, 0.3, 0.75, 100, 100, 12, 0.7),
]
"""Mean score, threshold before and after, labels before and after, and how steep the judge is, and where."""


def _held(change: Sequence[float], runs: int, **how: bool) -> list[bool]:
    mean, before, after, first, more, slope, middle = change
    rng = random.Random(4)
    held = []
    for _ in range(runs):
        simulated = Simulated.of(rng, mean, slope, middle)
        simulated.draw(before, int(first))
        simulated.draw(after, int(more))
        held += [simulated.holds(after, accepted, **how) for accepted in (True, False)]
    return held


def test_intervals_hold_the_truth_when_labels_were_drawn_under_another_threshold() -> None:
    """Of samples and of rejects, whichever way the threshold was moved."""
    held = {change: _held(change, 60) for change in CHANGES}
    least = min(held, key=lambda change: sum(held[change]))
    assert sum(held[least]) >= 0.9 * len(held[least]), least
    assert sum(map(sum, held.values())) >= 0.95 * sum(map(len, held.values()))


def test_taken_as_equal_such_labels_would_lead_astray() -> None:
    """Rejects that were mostly drawn when they were samples: a stratum takes in right rows that were drawn seldom."""
    steep = CHANGES[5]
    rejects = slice(1, None, 2)
    assert sum(_held(steep, 30)[rejects]) >= 28
    assert sum(_held(steep, 30, weighed=False)[rejects]) <= 5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40).map(sorted), st.data(), st.sets(st.floats(0, 1), max_size=5))
def test_labels_together_stand_for_all_rows(scores: list[float], data: Any, cuts: set[float]) -> None:
    labelled = data.draw(st.lists(st.sampled_from(scores), min_size=1, max_size=12))
    found = weights(scores, labelled, cuts)
    assert math.fsum(found) == pytest.approx(len(scores))
    assert min(found) > 0
    assert weights(scores, labelled, ()) == [len(scores) / len(labelled)] * len(labelled)


def test_each_piece_of_a_stratum_is_shared_by_its_own_labels() -> None:
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert weights(scores, [0.1, 0.6, 0.7, 0.8], [0.4]) == [3.0, 5 / 3, 5 / 3, 5 / 3]
    assert weights(scores, [0.1, 0.2], [0.4]) == [4.0, 4.0]  # nobody labelled above, so these speak for it
    assert weights(scores, [0.8], [0.4, 0.6]) == [8.0]
    assert counted(8, [True, False], [6.0, 2.0]) == Counted(8, 0.75 * 1.6, 1.6)
