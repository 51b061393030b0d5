"""What a person would write looks less odd than what a search comes to, and plainer values are of the same type."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.verifiers.oddness import oddness, plainer


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        ("river", "aaa0"),
        ("Anna", "aNnA"),
        ("a/b.txt", "0-river.level0x1f"),
        ("one two", "235959.20240131"),
        ("hello", "hellobananahello"),
        ("stone", "...;;"),
        ("cat", "xzq"),
        ("Anna", "Annat"),
        ("level", "levelend"),
        ("noon", "caf\u00e9"),
        ("world", "12"),
        (b"blue", b"\x01\xff"),
        (3, 9_223_372_036_854_775_808),
        (100, 137),
        (7, 8534),
        (2, -2),
        (0.5, -7.87),
        (2.0, 3.14159),
        ([1, 2, 3], [1, 2, 3, 4, 5, 6, 7]),
        (["a", "b"], ["a", 1]),
        ({"one": 1}, {"0x": 8063}),
        ((1, "a"), (1, "D1WPRO3N")),
    ],
)
def test_what_a_search_comes_to_looks_odder_than_what_a_person_writes(plain: Any, odd: Any) -> None:
    assert oddness(plain) < oddness(odd)


def test_the_marks_that_the_function_is_about_are_wanted_and_its_words_are_words() -> None:
    own = [";", "utf-8", "%s of %s", "<>"]
    assert oddness("one;two", own) < oddness("one;two")
    assert oddness("a <> b", own) < oddness("a <> b")
    assert oddness("one utf-8 two", own) == oddness("one blue two", own)


def test_what_runs_into_the_words_of_the_function_or_is_its_pattern_looks_odd() -> None:
    own = ["ascii", "%s of %s"]
    assert oddness("helloasciiend", own) > oddness("hello", own)
    assert oddness("%s of %sseven", own) > oddness("seven", own)


def test_what_is_no_plain_value_does_not_look_odd() -> None:
    assert [oddness(one) for one in (None, True, 2j, ...)] == [0, 0, 0, 0]


VALUES = st.recursive(
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text()
    | st.binary()
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, st.integers(0, 1000))
def test_a_plainer_value_is_of_the_same_type_and_the_old_one_stays_as_it_was(value: Any, seed: int) -> None:
    before = repr(value)
    assert type(plainer(value, Random(seed))) is type(value)
    assert repr(value) == before


@pytest.mark.parametrize("odd", ["12a.river0x1f", 8534, -7.87, [549, 36, 0, 549, 7], {"0x1f": "1e3"}, b"9ZAFLAGS"])
def test_an_odd_value_becomes_less_odd_step_by_step(odd: Any) -> None:
    rng = Random(0)
    value = odd
    for _ in range(60):
        value = min(value, plainer(value, rng), key=oddness)
    assert oddness(value) <= 1 < oddness(odd)
