"""How persons agree, against figures reckoned by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.review.agreement import agreement, alpha, kappa, raw
from retroweave.review.labels import Label


def _units(*pairs: tuple[str, str, int]) -> list[dict[str, str]]:
    return [{"ann": ann, "bob": bob} for ann, bob, count in pairs for _ in range(count)]


# 50 rows: both yes 20, ann alone 5, bob alone 10, both no 15. They agree on 35 of 50, 0.7. Ann says yes to 25, bob to
# 30: by chance they would agree on 0.5 * 0.6 + 0.5 * 0.4 = 0.5. Kappa is (0.7 - 0.5) / (1 - 0.5) = 0.4.
FIFTY = _units(("accept", "accept", 20), ("accept", "reject", 5), ("reject", "accept", 10), ("reject", "reject", 15))


def test_kappa_is_cohens() -> None:
    assert raw(FIFTY) == pytest.approx(0.7)
    assert kappa(FIFTY) == pytest.approx(0.4)


def test_alpha_of_two_persons_is_krippendorffs() -> None:
    """100 answers, 55 yes and 45 no; 15 rows apart. Observed 15 / 50; expected 2 * 55 * 45 / (100 * 99) = 0.5."""
    assert alpha(FIFTY) == pytest.approx(1 - 0.3 / 0.5)


def test_alpha_takes_rows_that_some_left_out() -> None:
    """Three persons, four rows, by hand:

    row 1: a a a, row 2: a b -, row 3: b b b, row 4: a - - (one answer tells nothing).
    Answers that count: a 4, b 4, of 8. Apart: row 2 gives 2 * 1 * 1 / (2 - 1) = 2 of 8 answers, so observed is 1/4.
    Expected: 2 * 4 * 4 / (8 * 7) = 4/7. Alpha is 1 - (1/4) / (4/7) = 9/16.
    """
    units = [
        {"x": "a", "y": "a", "z": "a"},
        {"x": "a", "y": "b"},
        {"x": "b", "y": "b", "z": "b"},
        {"x": "a"},
    ]
    assert alpha(units) == pytest.approx(9 / 16)


def test_chance_agreement_is_about_0_and_full_agreement_is_1() -> None:
    even = _units(("a", "a", 25), ("a", "b", 25), ("b", "a", 25), ("b", "b", 25))
    assert kappa(even) == pytest.approx(0)
    assert alpha(even) == pytest.approx(0, abs=0.01)
    same = _units(("a", "a", 5), ("b", "b", 5))
    assert kappa(same) == alpha(same) == 1


def test_where_all_say_the_one_same_thing_chance_explains_it_all() -> None:
    same = _units(("a", "a", 12))
    assert kappa(same) is None
    assert alpha(same) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_neither_hangs_on_who_is_who(pairs: list[tuple[str, str]]) -> None:
    units = [{"ann": one, "bob": other} for one, other in pairs]
    turned = [{"ann": other, "bob": one} for one, other in pairs]
    for measure in (raw, kappa, alpha):
        found, other_way = measure(units), measure(turned)
        assert (found is None) == (other_way is None)
        assert found is None or found == pytest.approx(other_way)
        assert found is None or found <= 1 + 1e-12


def _labels(units: list[dict[str, str]]) -> list[Label]:
    decided = {"a": "accept", "b": "reject"}
    return [
        Label(0, f"r{number}", person, decided.get(said, said), content="same")  # type: ignore[arg-type]
        for number, unit in enumerate(units)
        for person, said in unit.items()
    ]


def test_an_agreement_has_intervals_that_hold_it_and_names_what_is_disputed() -> None:
    found = agreement(_labels(FIFTY))
    assert found.people == ("ann", "bob")
    assert found.rows == 50
    assert found.disputed == tuple(f"r{number}" for number in range(20, 35))
    for rate in (found.raw, found.kappa, found.alpha):
        assert rate is not None
        assert rate.low < rate.value < rate.high
    assert found.kappa is not None
    assert found.kappa.high - found.kappa.low == pytest.approx(0.5, abs=0.1)  # 4 * sqrt(0.7 * 0.3 / 50) / 0.5
    assert agreement(_labels(FIFTY)) == found


def test_that_nobody_disagreed_on_a_few_rows_is_not_taken_for_certain() -> None:
    found = agreement(_labels(_units(("a", "a", 8), ("b", "b", 8))))
    assert found.alpha is not None
    assert (found.alpha.value, found.alpha.high) == (1, 1)
    assert 0.4 < found.alpha.low < 0.8


def test_of_more_than_two_persons_there_is_alpha_and_no_kappa() -> None:
    units = [unit | {"cy": unit["ann"]} for unit in FIFTY]
    found = agreement(_labels(units))
    assert found.kappa is None
    assert found.alpha is not None
    assert agreement(_labels(units), ["ann", "bob"]).kappa == agreement(_labels(FIFTY)).kappa


def test_labels_of_different_contents_are_not_held_against_each_other() -> None:
    old = Label(1, "r", "ann", "accept", content="old")
    new = Label(2, "r", "bob", "reject", content="new")
    assert agreement([old, new]).rows == 0
    assert agreement([old, new]).raw is None
