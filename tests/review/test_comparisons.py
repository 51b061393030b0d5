"""Versions side by side: hidden by lot, kept at once, and told apart by shares whose intervals are tested."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import orjson
import pytest

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.odds import wilson
from retroweave.review.comparing import Answered, Comparison, Version
from retroweave.review.comparisons import paired_difference
from tests.review.recipes import EXPLAIN

OLD, NEW = Version("old", EXPLAIN), Version("new", EXPLAIN + "\n")


def _answered(row: str, version: str, kind: str = "sample") -> Answered:
    return Answered(
        row,
        version,
        {"proverb": row},
        ({"role": "user", "content": "?"},),
        f"{version} on {row}",
        kind,  # type: ignore[arg-type]
        "",
        "",
        {"clear": 0.7},
        False,
        0.5,
        12,
    )


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """Forty rows, of which the judge accepts every other of the old one's answers, and all of the new one's."""
    found = Comparison.begin(tmp_path, "explain", [OLD, NEW], seed=5)
    for number in range(40):
        found.add(_answered(f"0-{number}", "new"))
        found.add(_answered(f"0-{number}", "old", "sample" if number % 2 else "reject"))
    return found


def _letter(comparison: Comparison, row: str, version: str) -> str:
    return next(letter for letter, one in comparison.side_by_side(row) if one.version == version)


def test_letters_stand_for_another_version_in_each_row(comparison: Comparison) -> None:
    first = [comparison.side_by_side(row)[0][1].version for row in comparison.rows()]
    assert 10 < first.count("old") < 30
    assert [comparison.side_by_side(row)[0][1].version for row in comparison.rows()] == first


def test_rows_are_those_that_all_versions_answered_in_their_order(comparison: Comparison) -> None:
    comparison.add(_answered("0-40", "new"))
    assert comparison.rows() == [f"0-{number}" for number in range(40)]
    with pytest.raises(UserError, match="Not every version"):
        comparison.side_by_side("0-40")


def test_what_is_said_is_kept_at_once_and_the_latest_counts(comparison: Comparison, tmp_path: Path) -> None:
    comparison.pick("0-1", "ann", "A")
    comparison.pick("0-1", "ann", "B")
    comparison.mark("0-1", "ann", "A", True)
    comparison.mark("0-1", "ann", "A", False)
    comparison.pick("0-2", "ann", None)
    again = Comparison.find(tmp_path, comparison.id)
    assert again.said("0-1", "ann") == {"picked": "B", "marks": {"A": False}}
    assert again.said("0-2", "ann") == {"picked": "", "marks": {}}
    assert again.said("0-3", "ann") == {"picked": None, "marks": {}}
    assert again.said("0-1", "bob") == {"picked": None, "marks": {}}
    assert again.versions == comparison.versions
    assert [one.id for one in Comparison.all(tmp_path)] == [comparison.id]


def test_results_tell_the_shares_and_the_difference(comparison: Comparison) -> None:
    for number, row in enumerate(comparison.rows()):
        comparison.mark(row, "ann", _letter(comparison, row, "old"), number < 20)
        comparison.mark(row, "ann", _letter(comparison, row, "new"), number < 30)
        if number < 10:
            comparison.pick(row, "ann", _letter(comparison, row, "new" if number < 8 else "old"))
        elif number < 12:
            comparison.pick(row, "ann", None)
    (old, new), (difference,) = comparison.results()
    assert old.passed is not None
    assert (old.passed.value, old.passed.low, old.passed.high) == (0.5, *wilson(20, 40))
    assert new.passed is not None
    assert new.passed.value == 0.75
    assert old.accepted is not None
    assert old.accepted.value == 0.5
    assert new.preferred is not None
    assert (new.preferred.value, new.preferred.count) == (0.8, 10)
    assert comparison.choices() == (10, 2)
    assert (difference.first, difference.second) == ("old", "new")
    assert difference.marks is not None
    assert difference.marks.value == 0.25
    assert 0 < difference.marks.low < 0.25 < difference.marks.high < 0.45
    assert difference.accepted is not None
    assert difference.accepted.value == 0.5


def test_of_several_persons_marks_the_majoritys_counts(comparison: Comparison) -> None:
    letter = _letter(comparison, "0-1", "new")
    for person, passes in (("ann", True), ("bob", False), ("cy", True)):
        comparison.mark("0-1", person, letter, passes)
    comparison.mark("0-2", "ann", _letter(comparison, "0-2", "new"), True)
    comparison.mark("0-2", "bob", _letter(comparison, "0-2", "new"), False)
    (_, new), _ = comparison.results()
    assert new.passed is not None
    assert (new.passed.value, new.passed.count) == (1, 1)


def test_answers_that_failed_are_not_held_against_a_version(tmp_path: Path) -> None:
    found = Comparison.begin(tmp_path, "explain", [OLD, NEW])
    found.add(_answered("0-1", "old", "failure"))
    found.add(_answered("0-1", "new"))
    (old, new), (difference,) = found.results()
    assert old.accepted is None
    assert new.accepted is not None
    assert difference.accepted is None


def test_the_winner_is_saved_with_its_evidence(comparison: Comparison, tmp_path: Path) -> None:
    comparison.pick("0-1", "ann", _letter(comparison, "0-1", "new"))
    prompt = tmp_path / "explain.prompt"
    prompt.write_text("%% user\nbefore\n")
    beside = comparison.save_winner("new", prompt)
    assert prompt.read_text() == NEW.text
    assert beside == tmp_path / "explain.evidence.json"
    evidence = orjson.loads(beside.read_bytes())
    assert evidence["winner"] == "new"
    assert evidence["before"] == "%% user\nbefore\n"
    assert [one["text"] for one in evidence["versions"]] == [OLD.text, NEW.text]
    assert evidence["results"][1]["preferred"]["value"] == 1
    assert evidence["people"] == ["ann"]
    assert evidence["rows"]["0-3"] == {"old": "old on 0-3", "new": "new on 0-3"}


def test_what_is_none_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no answer 'C'"):
        comparison.pick("0-1", "ann", "C")
    with pytest.raises(UserError, match="no row '0-99'"):
        comparison.pick("0-99", "ann", "A")
    with pytest.raises(UserError, match="no version 'newest'"):
        comparison.save_winner("newest", tmp_path / "explain.prompt")
    with pytest.raises(UserError, match="no comparison 'x'"):
        Comparison.find(tmp_path, "x")
    with pytest.raises(UserError, match="two versions or more"):
        Comparison.begin(tmp_path, "explain", [OLD])
    assert Comparison.all(tmp_path / "nowhere") == []


def test_without_a_bond_the_difference_is_newcombes_for_independent_shares() -> None:
    """Wilson's intervals squared and added: 20 of 40 against 10 of 40, where both pass as often as by chance."""
    difference, low, high = paired_difference(5, 15, 5, 15)
    (least, most), (lowest, highest) = wilson(20, 40), wilson(10, 40)
    assert difference == pytest.approx(0.25)
    assert low == pytest.approx(0.25 - math.hypot(0.5 - least, highest - 0.25))
    assert high == pytest.approx(0.25 + math.hypot(most - 0.5, 0.25 - lowest))


def test_what_versions_have_in_common_narrows_the_difference() -> None:
    _, low, high = paired_difference(10, 10, 0, 20)
    _, least, most = paired_difference(5, 15, 5, 15)
    assert high - low < 0.75 * (most - least)


def test_turned_round_the_difference_is_its_opposite() -> None:
    difference, low, high = paired_difference(12, 7, 3, 8)
    assert paired_difference(12, 3, 7, 8) == pytest.approx((-difference, -high, -low))


@pytest.mark.parametrize("cells", [(0.6, 0.1, 0.05, 0.25), (0.85, 0.08, 0.02, 0.05), (0.25, 0.25, 0.25, 0.25)])
def test_the_interval_of_a_paired_difference_covers_what_it_claims(cells: tuple[float, float, float, float]) -> None:
    """Exactly, over all that 24 rows can give."""
    rows, true = 24, cells[1] - cells[2]
    covered = 0.0
    for both, one, other in itertools.product(range(rows + 1), repeat=3):
        neither = rows - both - one - other
        if neither < 0:
            continue
        counts = (both, one, other, neither)
        ways = math.factorial(rows) // math.prod(math.factorial(count) for count in counts)
        chance = ways * math.prod(share**count for share, count in zip(cells, counts, strict=True))
        _, low, high = paired_difference(*counts)
        covered += chance * (low <= true <= high)
    assert 0.93 < covered < 0.995
