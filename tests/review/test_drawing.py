"""Rows come by lot: the same lot for the same seed, each row once for a person, and where Neyman would have them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from retroweave.pipeline.errors import UserError
from retroweave.review.drawing import Drawing, NotIndexed
from retroweave.review.labels import Decision, Labels
from retroweave.review.rows import Row, Rows
from tests.review.runs import JUDGE, make_run, reject, sample, turned_away


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with Rows(make_run(tmp_path_factory.mktemp("run"), 400, 160)) as found:
        found.index()
        yield found


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[Labels]:
    with Labels(tmp_path) as found:
        yield found


Say = Callable[[Row], Decision]


def _by_score(row: Row) -> Decision:
    """Right as often as the score says."""
    return "accept" if random.Random(row.id).random() < (row.score(JUDGE) or 0) else "reject"


def label_some(drawing: Drawing, person: str, count: int, say: Say = _by_score) -> list[str]:
    """Label what is drawn, and give the rows."""
    found = []
    for _ in range(count):
        for ticket in drawing.next(person):
            row = drawing.rows.row(ticket.row)
            drawing.labels.add(row, person, say(row), judge=drawing.judge, drawn=ticket.key)
            found.append(ticket.row)
    return found


def test_strata_part_all_rows_that_the_judge_accepted_or_turned_away(rows: Rows, labels: Labels) -> None:
    strata = Drawing(rows, labels).strata()
    assert [one.size for one in strata] == [80] * 5 + [40] * 3
    assert [one.accepted for one in strata] == [True] * 5 + [False] * 3
    assert [one.passed for one in strata] == [True] * 5 + [False] * 3
    assert all(one.high < other.low for one, other in pairwise(strata[:5]))
    assert strata[0].name.startswith("samples, 0.5")


def test_the_same_seed_and_labels_give_the_same_rows(rows: Rows, tmp_path: Path) -> None:
    found = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        with Labels(tmp_path / folder) as labels:
            found.append(label_some(Drawing(rows, labels, seed=seed), "ann", 30))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_asked_again_without_a_label_it_gives_the_same_and_after_an_undo_the_one_before(
    rows: Rows, labels: Labels
) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 5)
    (sixth,) = drawing.next("ann")
    assert drawing.next("ann", 3)[0] == sixth
    row = rows.row(sixth.row)
    labels.add(row, "ann", "accept", drawn=sixth.key)
    labels.undo("ann")
    assert drawing.next("ann") == [sixth]


def test_a_person_gets_each_row_once_until_there_is_none_left(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", 25, 12)) as rows:
        rows.index()
        drawing = Drawing(rows, labels, shared=0.5)
        for person in ("ann", "bob"):
            found = label_some(drawing, person, 100)
            assert len(set(found)) == len(found) == 25 + 9  # a quarter of the rejects, no judge has seen
            assert drawing.next(person, 5) == []


def test_rows_within_a_stratum_are_drawn_equally_often(rows: Rows, labels: Labels) -> None:
    """Chi-squared over 400 drawings of 20 rows each, well within what chance gives."""
    counts: Counter[str] = Counter()
    strata = Counter[str]()
    for seed in range(400):
        for ticket in Drawing(rows, labels, seed=seed).next("ann", 20):
            counts[ticket.row] += 1
            strata[ticket.stratum] += 1
    first = Drawing(rows, labels).strata()[0]
    chosen = [line.id for line in rows.page(size=400).lines if first.low <= line.scores[JUDGE] <= first.high]
    expected = strata[first.name] / len(chosen)
    chi = sum((counts[id] - expected) ** 2 / expected for id in chosen)
    assert len(chosen) == 80
    assert 45 < chi < 125  # 79 degrees of freedom: 99.9 % lie there


def test_a_share_of_rows_goes_to_everybody_and_the_rest_to_one(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels, shared=0.3)
    ann, bob = (set(label_some(drawing, person, 80)) for person in ("ann", "bob"))
    shared = {label.row for label in labels.counting() if label.drawn.endswith("|shared")}
    assert 10 <= len(ann & bob) <= 40
    assert len(ann & bob & shared) > len((ann & bob) - shared)


def test_without_rejects_only_samples_are_drawn(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels, rejects=False)
    assert all(one.accepted for one in drawing.strata())
    assert {rows.row(id).kind for id in label_some(drawing, "ann", 30)} == {"sample"}


def test_more_labels_go_where_rows_are_in_doubt(rows: Rows, labels: Labels) -> None:
    """The lowest fifth of the samples is right half the time, and all others always."""
    drawing = Drawing(rows, labels)
    doubtful = drawing.strata()[0]

    def say(row: Row) -> Decision:
        in_doubt = doubtful.low <= (row.score(JUDGE) or 0) <= doubtful.high
        return "reject" if in_doubt and random.Random(row.id).random() < 0.5 else "accept"

    label_some(drawing, "ann", 150, say)
    strata = [one for one in drawing.strata() if one.accepted]
    assert strata[0].labelled > 1.5 * max(one.labelled for one in strata[1:])
    assert min(one.labelled for one in strata) >= 5


def test_the_order_does_not_tell_samples_from_rejects(rows: Rows, labels: Labels) -> None:
    """Whether a row is a sample does not hang on whether the one before was."""
    drawing = Drawing(rows, labels)
    kinds = [rows.row(id).kind == "sample" for id in label_some(drawing, "ann", 200)]
    after = {so: [kind for before, kind in pairwise(kinds) if before is so] for so in (True, False)}
    assert 0.5 < sum(kinds) / len(kinds) < 0.8
    assert all(0.3 < sum(found) / len(found) < 0.95 for found in after.values())


def test_what_several_say_of_a_row_is_the_majoritys_and_a_tie_is_none(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels, shared=1.0)
    (ticket,) = drawing.next("ann")
    row = rows.row(ticket.row)
    for person, decision, expected in (
        ("ann", "accept", True),
        ("bob", "reject", None),
        ("cy", "reject", False),
        ("di", "unsure", False),
    ):
        assert decision in ("accept", "reject", "unsure")
        labels.add(row, person, decision, drawn=ticket.key)  # type: ignore[arg-type]
        assert [one.right for one in drawing.judged()] == [expected]
    assert sum(one.labelled for one in drawing.strata()) == 1
    assert sum(one.labelled for one in drawing.strata("di")) == 0


def test_rows_that_a_person_picked_do_not_count_and_may_still_be_drawn(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    picked = rows.at([0])[0]
    labels.add(picked, "ann", "accept")
    assert drawing.judged() == []
    assert picked.id in [ticket.row for ticket in drawing.next("ann", 600)]


def test_a_row_that_was_drawn_stays_so_when_the_person_comes_back_to_it(rows: Rows, labels: Labels) -> None:
    drawing = Drawing(rows, labels)
    (id,) = label_some(drawing, "ann", 1)
    labels.add(rows.row(id), "ann", "unsure")
    assert [(one.row, one.right) for one in drawing.judged()] == [(id, None)]
    assert id not in [ticket.row for ticket in drawing.next("ann", 600)]


def _two_judges(folder: Path, count: int = 12) -> Path:
    samples = [sample(number, 0.5 + number / 100) for number in range(count)]
    for one in samples:
        other = one["provenance"]["verdicts"][0] | {"step": "clear", "score": 0.9}
        one["provenance"]["verdicts"] = [*one["provenance"]["verdicts"], other]
    return make_run(folder, samples, 0)


def test_a_row_that_comes_by_lot_for_a_second_judge_still_counts_for_the_first(tmp_path: Path, labels: Labels) -> None:
    with Rows(_two_judges(tmp_path / "run")) as rows:
        rows.index()
        first, second = Drawing(rows, labels, judge=JUDGE), Drawing(rows, labels, judge="clear")
        label_some(first, "ann", 12, lambda row: "accept")
        before = sum(one.right for one in first.strata())
        (again,) = label_some(second, "ann", 1, lambda row: "reject")
        assert (len(first.judged()), len(second.judged())) == (12, 1)
        assert sum(one.right for one in first.strata()) == before - 1  # the last verdict is what they think
        labels.add(rows.row(again), "ann", "accept")
        assert (len(first.judged()), len(second.judged())) == (12, 1)
        labels.undo("ann")
        labels.undo("ann")
        assert (len(first.judged()), len(second.judged())) == (12, 0)


def test_labels_of_rows_made_anew_with_another_content_are_stale(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", [sample(number) for number in range(20)], 0)
    with Labels(folder) as labels:
        with Rows(folder) as rows:
            rows.index()
            label_some(Drawing(rows, labels), "ann", 20)
        changed = [sample(number) for number in range(20)]
        for one in changed[:5]:
            one["messages"][1]["content"] += ", or so"
        make_run(folder, [*changed[:18]], 0)  # two are gone
        with Rows(folder) as rows:
            rows.index()
            drawing = Drawing(rows, labels)
            assert len(drawing.judged()) == 13
            assert sum(drawing.is_stale(label) for label in labels.counting()) == 7


def test_a_run_without_a_judge_is_one_stratum(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", [sample(number, None) for number in range(30)], 0)) as rows:
        rows.index()
        drawing = Drawing(rows, labels)
        assert drawing.judge == ""
        assert [(one.name, one.size) for one in drawing.strata()] == [("samples", 30)]
        labels.add(rows.at([3])[0], "bob", "accept")
        assert drawing.judged() == []
        assert len(label_some(drawing, "ann", 10)) == 10
        assert drawing.strata()[0].labelled == 10


def test_samples_that_no_judge_scored_are_drawn_too(tmp_path: Path, labels: Labels) -> None:
    samples = [sample(number, None if number % 3 == 0 else 0.8) for number in range(30)]
    with Rows(make_run(tmp_path / "run", samples, 0)) as rows:
        rows.index()
        strata = Drawing(rows, labels).strata()
    assert [(one.name, one.size) for one in strata] == [("samples", 20), ("samples without a score", 10)]


def test_rows_that_the_judge_let_through_and_a_later_step_did_not_are_a_stratum_of_their_own(
    tmp_path: Path, labels: Labels
) -> None:
    later = [reject(number, 0.9, step="later", reason="no") for number in range(4)]
    for one in later:
        one["verdicts"][0]["passed"] = True
    with Rows(make_run(tmp_path / "run", 20, [*later, *turned_away(8)])) as rows:
        rows.index()
        strata = Drawing(rows, labels).strata()
    (lost,) = [one for one in strata if one.name == "accepted, and lost later"]
    assert (lost.size, lost.passed, lost.accepted) == (4, True, False)


def test_equal_scores_stay_in_one_stratum(tmp_path: Path, labels: Labels) -> None:
    samples = [sample(number, 0.9 if number < 70 else 1.0) for number in range(100)]
    with Rows(make_run(tmp_path / "run", samples, 0)) as rows:
        rows.index()
        assert [(one.low, one.size) for one in Drawing(rows, labels).strata()] == [(0.9, 70), (1.0, 30)]


def test_rows_are_not_drawn_before_all_of_them_are_known(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", 20, 0)) as rows, pytest.raises(NotIndexed, match="being indexed"):
        Drawing(rows, labels)


def test_a_need_is_met_when_so_many_more_are_labelled(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", 3_000, 900)) as rows:
        rows.index()
        drawing = Drawing(rows, labels)
        label_some(drawing, "ann", 60)
        need = drawing.need(0.12)
        assert need.now > 0.12
        assert need.more > sum(more for _, more in need.where) / 2
        label_some(drawing, "ann", need.more)
        after = drawing.need(0.12)
        assert after.now == pytest.approx(0.12, abs=0.03)
        assert drawing.need(0.5).more == 0
        assert drawing.need(0.05).more > need.more
        with pytest.raises(UserError, match="above 0 and below 1"):
            drawing.need(0)


def test_a_need_before_the_first_label_is_a_number(rows: Rows, labels: Labels) -> None:
    need = Drawing(rows, labels).need(0.1)
    assert need.now == 1.0
    assert 50 < need.more < 2_000


def test_a_need_says_whether_the_set_has_so_many_samples(tmp_path: Path, labels: Labels) -> None:
    for samples, rejects, within_reach in ((11, 900, False), (3_000, 90, True)):
        with Rows(make_run(tmp_path / f"{samples}", samples, rejects)) as rows:
            rows.index()
            need = Drawing(rows, labels).need(0.1)
            assert (need.more > 0, need.within_reach) == (True, within_reach)


def test_samples_that_are_labelled_already_are_not_counted_on_again(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", 60, 0)) as rows:
        rows.index()
        drawing = Drawing(rows, labels)
        assert drawing.need(0.3).within_reach
        label_some(drawing, "ann", 50, lambda row: "unsure")
        assert not drawing.need(0.3).within_reach


def test_what_run_json_says_is_not_needed_to_draw(tmp_path: Path, labels: Labels) -> None:
    with Rows(make_run(tmp_path / "run", 20, 5, steps=[])) as rows:
        rows.index()
        assert Drawing(rows, labels).judge == JUDGE
