"""Calibration tells a judge's rates with honest intervals, and a threshold that it does not make better than it is."""

from __future__ import annotations

import itertools
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retroweave.judges.calibration import Label, Method, calibrate, describe_calibration, read_labels
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.odds import JudgeRates, wilson

labels = st.builds(Label, st.floats(0, 1), st.booleans())
enough = st.lists(labels, min_size=20, max_size=60).filter(
    lambda rows: 5 <= sum(row.right for row in rows) <= len(rows) - 5
)


def drawn(count: int = 400, seed: int = 0, power: float = 1.0) -> list[Label]:
    """Rows that are right with the probability score ** power: with 1 the scores are calibrated as they are."""
    rng = random.Random(seed)
    scores = [rng.random() for _ in range(count)]
    return [Label(score, rng.random() < score**power) for score in scores]


def rows(*groups: tuple[int, float, bool], **more: Any) -> list[Label]:
    return [Label(score, right, **more) for count, score, right in groups for _ in range(count)]


SEPARATE = rows((45, 0.9, True), (5, 0.2, True), (6, 0.9, False), (44, 0.2, False))


# Intervals


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
        (0, 50, 0.0, 0.0713),
    ],
)
def test_wilsons_interval_is_that_of_the_tables(right: int, count: int, low: float, high: float) -> None:
    assert wilson(right, count) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_the_share_and_is_mirrored_with_it(right: int, count: int) -> None:
    assume(right <= count)
    low, high = wilson(right, count)
    assert 0 <= low <= right / count <= high <= 1
    assert wilson(count - right, count) == pytest.approx((1 - high, 1 - low))


def test_nothing_is_known_of_a_share_of_nothing() -> None:
    assert wilson(0, 0) == (0, 1)


# Rates


def test_rates_are_shares_of_the_right_and_of_the_wrong_rows() -> None:
    found = calibrate(SEPARATE)
    assert (found.labels, found.right, found.threshold) == (100, 50, 0.5)
    assert (found.accepts_right.value, found.accepts_right.count) == (0.9, 50)
    assert (found.accepts_wrong.value, found.accepts_wrong.count) == (0.12, 50)
    assert (found.precision.value, found.precision.count) == pytest.approx((45 / 51, 51))
    assert found.yield_ == pytest.approx(0.51)
    assert found.accepts_right.low == pytest.approx(wilson(45, 50)[0])


def test_the_odds_take_the_rates_as_measured_or_at_their_worst() -> None:
    found = calibrate(SEPARATE)
    assert found.rates(0.5) == JudgeRates(0.9, 0.12, 0.5)
    assert found.worst_rates() == JudgeRates(wilson(45, 50)[0], wilson(6, 50)[1])


def test_what_the_labels_say_was_accepted_goes_before_the_scores_unless_a_threshold_is_given() -> None:
    told = [Label(row.score, row.right, accepted=row.score < 0.5) for row in SEPARATE]
    assert calibrate(told).threshold is None
    assert calibrate(told).accepts_right.value == pytest.approx(0.1)
    assert calibrate(told, threshold=0.5).accepts_right.value == pytest.approx(0.9)


def test_a_weight_stands_for_so_many_rows_and_promises_no_more_labels() -> None:
    sure = rows((40, 0.9, True), (10, 0.9, False))
    weighted = calibrate([*sure, *rows((20, 0.1, True), (50, 0.1, False), weight=9.0)])
    same = calibrate([*sure, *rows((180, 0.1, True), (450, 0.1, False))])
    assert weighted.accepts_right.value == pytest.approx(same.accepts_right.value) == pytest.approx(40 / 220)
    assert weighted.accepts_wrong.value == pytest.approx(same.accepts_wrong.value) == pytest.approx(10 / 460)
    assert weighted.yield_ == pytest.approx(same.yield_)
    assert weighted.precision.value == pytest.approx(same.precision.value)
    assert weighted.accepts_wrong.high > same.accepts_wrong.high


def test_unequal_weights_widen_an_interval() -> None:
    equal = calibrate(drawn()).accepts_right
    rng = random.Random(1)
    uneven = calibrate([Label(row.score, row.right, weight=rng.choice([1, 30])) for row in drawn()]).accepts_right
    assert uneven.high - uneven.low > 1.2 * (equal.high - equal.low)


@given(enough, st.floats(0.01, 0.99))
def test_every_number_is_a_probability_and_every_interval_holds_its_share(found: list[Label], target: float) -> None:
    made = calibrate(found, target=target)
    rates = [made.accepts_right, made.accepts_wrong, made.precision, *(one.right for one in made.bins)]
    assert all(0 <= rate.low <= rate.value <= rate.high <= 1 for rate in rates)
    assert all(0 <= number <= 1 for number in (made.yield_, made.auc, made.brier))
    assert sum(one.right.count for one in made.bins) == len(found)
    assert all(0 <= one.low <= one.score <= one.high <= 1 for one in made.bins)


@given(enough)
def test_auc_is_the_share_of_pairs_in_which_the_right_row_scores_higher(found: list[Label]) -> None:
    pairs = [(one.score, other.score) for one in found if one.right for other in found if not other.right]
    wins = sum(1.0 if one > other else 0.5 if one == other else 0.0 for one, other in pairs)
    assert calibrate(found).auc == pytest.approx(wins / len(pairs))


def test_brier_is_the_mean_squared_distance_from_the_truth() -> None:
    assert calibrate(rows((10, 1.0, True), (10, 0.0, False))).brier == 0
    assert calibrate(rows((10, 0.5, True), (10, 0.5, False))).brier == 0.25


# Probabilities


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_a_higher_score_is_never_less_probable(method: Method) -> None:
    curve = calibrate(drawn(power=3), method=method).curve
    steps = [curve(step / 200) for step in range(201)]
    assert steps == sorted(steps)
    assert all(0 <= one <= 1 for one in steps)


@given(enough, st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_the_isotonic_curve_rises_whatever_the_labels(found: list[Label], scores: list[float]) -> None:
    curve = calibrate(found).curve
    values = [curve(score) for score in sorted(scores)]
    assert all(0 <= one <= 1 for one in values)
    assert all(one <= other + 1e-12 for one, other in itertools.pairwise(values))


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_probabilities_come_nearer_to_the_truth_than_scores_that_are_not_calibrated(method: Method) -> None:
    curve = calibrate(drawn(1000, seed=1, power=3), method=method).curve
    unseen = drawn(1000, seed=2, power=3)
    before = sum((row.score - row.right) ** 2 for row in unseen)
    after = sum((curve(row.score) - row.right) ** 2 for row in unseen)
    assert after < 0.9 * before


def test_the_isotonic_curve_is_that_of_scikit_learn() -> None:
    from sklearn.isotonic import IsotonicRegression

    found = drawn(100)
    theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    theirs.fit([row.score for row in found], [float(row.right) for row in found])
    asked = [step / 97 for step in range(98)]
    curve = calibrate(found).curve
    assert [curve(score) for score in asked] == pytest.approx(list(theirs.predict(asked)))


def test_platts_curve_is_not_quite_sure_where_the_labels_are_parted_clean() -> None:
    curve = calibrate(rows((10, 0.9, True), (10, 0.1, False)), method="platt").curve
    assert 0.8 < curve(0.9) < 0.95
    assert 0.05 < curve(0.1) < 0.2


# A threshold


def test_the_threshold_to_use_is_the_one_whose_interval_reaches_the_target() -> None:
    found = calibrate(drawn(1000), target=0.8)
    assert found.at_point is not None
    assert found.at_low is not None
    assert found.at_point.precision.value >= 0.8
    assert found.at_low.precision.low >= 0.8
    assert found.at_point.threshold <= found.at_low.threshold
    assert found.chosen is found.at_low


@given(enough, st.floats(0.05, 0.95))
def test_a_choice_tells_what_its_threshold_would_give(found: list[Label], target: float) -> None:
    made = calibrate(found, target=target)
    for choice in (made.at_point, made.at_low):
        if choice is not None:
            at = calibrate(found, threshold=choice.threshold)
            assert choice.precision.value == pytest.approx(at.precision.value)
            assert choice.yield_ == pytest.approx(at.yield_)
            assert choice.accepts_right.value == pytest.approx(at.accepts_right.value)
            assert choice.accepts_wrong.value == pytest.approx(at.accepts_wrong.value)


@given(enough, st.floats(0.05, 0.95))
def test_no_lower_threshold_reaches_the_target(found: list[Label], target: float) -> None:
    made = calibrate(found, target=target)
    below = [row.score for row in found if made.at_point is None or row.score < made.at_point.threshold]
    assert all(calibrate(found, threshold=score).precision.value < target for score in set(below))


def test_where_only_the_point_reaches_the_target_it_is_chosen_and_said_to_be_unsure() -> None:
    found = calibrate(rows((20, 0.9, True), (10, 0.2, True), (20, 0.2, False)), target=0.95)
    assert found.at_low is None
    assert found.chosen is found.at_point
    assert "no threshold is sure to reach it" in "\n".join(describe_calibration(found))


def test_a_target_that_no_threshold_reaches_is_said_so() -> None:
    found = calibrate(rows((20, 0.5, True), (20, 0.5, False)), target=0.9)
    assert found.chosen is None
    assert "No threshold reaches a precision of 90.0%" in "\n".join(describe_calibration(found))


# Notes and words


def test_labels_of_accepted_rows_alone_are_warned_of() -> None:
    found = calibrate(rows((20, 0.9, True), (20, 0.8, False)))
    assert "both rates are 1 by the choice of the rows" in found.notes[0]


def test_scores_from_sampled_answers_are_told() -> None:
    sampled = rows((10, 0.9, True), (10, 0.2, False), method="sampled 8")
    found = calibrate([*sampled, *SEPARATE])
    assert found.notes == (
        "20 of 120 scores were counted from sampled answers, because the model tells no log-probabilities: they come "
        "in steps, and differ from one run to another.",
    )


def test_a_judge_that_is_worse_than_chance_is_told() -> None:
    found = calibrate([Label(1 - row.score, row.right) for row in drawn()])
    assert "is the judge asked for the opposite?" in found.notes[0]


def test_what_was_found_can_be_read_on_a_terminal() -> None:
    lines = describe_calibration(calibrate(SEPARATE, target=0.8))
    assert lines[0] == "100 labels: 50 right, 50 wrong"
    assert "  accepts-right  90.0% [78.6%, 95.7%] of 50" in lines
    assert "  0.9 to 1.0       51        0.90  88.2% [76.6%, 94.5%]" in lines
    assert "  threshold 0.9, as likely as not: precision 88.2% [76.6%, 94.5%], yield 51.0%" in lines


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_it_is_json_and_says_all_that_it_holds(method: Method) -> None:
    made = calibrate(drawn(), target=0.8, method=method).as_json()
    assert json.loads(orjson.dumps(made)) == made
    assert made["curve"]["method"] == method
    assert made["at_low"]["yield"] <= made["yield"]
    assert made["chosen"] == made["at_low"]["threshold"]
    assert not any(key.endswith("_") for key in (*made, *made["at_low"]))


# What is refused


def test_labels_of_one_kind_are_refused() -> None:
    with pytest.raises(
        UserError, match="All 30 labels say right, so nothing tells what the judge does with wrong rows"
    ):
        calibrate(rows((30, 0.5, True)))
    with pytest.raises(UserError, match="All 30 labels say wrong"):
        calibrate(rows((30, 0.5, False)))


@pytest.mark.parametrize("found", [[], rows((9, 0.5, True), (9, 0.5, False)), rows((4, 0.5, True), (60, 0.5, False))])
def test_too_few_labels_are_refused(found: list[Label]) -> None:
    with pytest.raises(UserError, match="It takes 20, with 5 of each"):
        calibrate(found)


def test_labels_that_say_only_in_part_what_was_accepted_are_refused() -> None:
    with pytest.raises(UserError, match="Of the labels 100 say whether the row was `accepted` and 20 do not"):
        calibrate([*(Label(row.score, row.right, accepted=True) for row in SEPARATE), *rows((20, 0.5, True))])


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0, math.nan])
def test_a_target_that_is_no_precision_is_refused(target: float) -> None:
    with pytest.raises(UserError, match="--target is a precision above 0 and below 1"):
        calibrate(SEPARATE, target=target)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_a_threshold_that_is_no_score_is_refused(threshold: float) -> None:
    with pytest.raises(UserError, match="--threshold is a number from 0 to 1"):
        calibrate(SEPARATE, threshold=threshold)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match=r"no way 'isotone' to calibrate\. Did you mean 'isotonic'?"):
        calibrate(SEPARATE, method="isotone")  # type: ignore[arg-type]


@pytest.mark.parametrize("label", [Label(1.5, True), Label(math.nan, True), Label(0.5, True, weight=0)])
def test_a_label_that_is_none_is_refused_by_its_number(label: Label) -> None:
    with pytest.raises(UserError, match="Label 2: a "):
        calibrate([Label(0.5, True), label])


# Read


def test_labels_are_read_with_what_else_their_writer_keeps(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(
        '{"score": 0.83, "right": true, "id": "x", "note": "a good one"}\n\n'
        '{"score": 1, "right": false, "accepted": true, "weight": 3, "method": "sampled 8"}',
        "utf-8",
    )
    assert read_labels(path) == [Label(0.83, True), Label(1, False, True, 3, "sampled 8")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "{path}, line 2, is no JSON"),
        ("7", '{path}, line 2, is a int. Each line is one label, {{"score": 0.83'),
        ('{"right": true}', "{path}, line 2, has no 'score'. A label is like"),
        ('{"score": 0.5}', "{path}, line 2, has no 'right'"),
        ('{"score": "high", "right": true}', "{path}, line 2: score is a number from 0 to 1, not 'high'"),
        ('{"score": true, "right": true}', "score is a number from 0 to 1, not True"),
        ('{"score": 0.5, "right": "yes"}', "{path}, line 2: right is true or false, not 'yes'"),
        ('{"score": 0.5, "right": 1}', "right is true or false, not 1"),
        ('{"score": 1.2, "right": true}', "{path}, line 2: a score is a number from 0 to 1, not 1.2"),
        ('{"score": 0.5, "right": true, "accepted": null}', "accepted is true or false, not None"),
        ('{"score": 0.5, "right": true, "weight": 0}', "{path}, line 2: a weight is a number above 0, not 0"),
        ('{"score": 0.5, "right": true, "wieght": 2}', "{path}, line 2, has a key 'wieght'. Did you mean 'weight'?"),
    ],
)
def test_a_line_that_is_no_label_is_refused_by_its_number(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f'{{"score": 0.5, "right": true}}\n{line}\n', "utf-8")
    with pytest.raises(UserError) as error:
        read_labels(path)
    assert message.format(path=path) in str(error.value)


def test_a_folder_is_told_how_a_runs_labels_are_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a folder.*`retroweave labels .* --to labels\.jsonl`"):
        read_labels(tmp_path)


def test_labels_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There are no labels to read at"):
        read_labels(tmp_path / "none.jsonl")


@pytest.mark.parametrize(("method", "module"), [("isotonic", "sklearn.isotonic"), ("platt", "sklearn.linear_model")])
def test_without_scikit_learn_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, method: Method, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=r"Calibration needs scikit-learn.*pip install .*\[calibration\]'"):
        calibrate(SEPARATE, method=method)
