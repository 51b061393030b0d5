"""Plain values are printed as Python that gives them back, and what cannot stand in a test says why."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.verifiers.plain import Unprintable, call_text, printed, rebuilt

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(max_size=20)
)
HASHABLE = st.none() | st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.sets(HASHABLE, max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(HASHABLE, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_printed_is_the_value_with_its_types(value: Any) -> None:
    try:
        text = printed(value)
    except Unprintable:
        return
    again = eval(text)  # noqa: S307 - an empty set is a call
    assert again == value
    assert printed(again) == text


@given(VALUES)
def test_a_value_that_is_built_anew_is_printed_the_same(value: Any) -> None:
    try:
        text = printed(value)
    except Unprintable:
        return
    assert printed(rebuilt(value)) == printed(rebuilt(value, backwards=True)) == text


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0.0, -0.0), ((1,), [1]), ({1}, frozenset({1})), ("1", b"1"), ("", None)]
)
def test_values_that_are_equal_and_of_other_types_are_printed_otherwise(one: Any, other: Any) -> None:
    assert printed(one) != printed(other)


def test_sets_are_printed_in_one_order() -> None:
    assert printed({"b", "a", "c"}) == "{'a', 'b', 'c'}"
    assert printed([set(), frozenset(), frozenset({2})]) == "[set(), frozenset(), frozenset({2})]"


class Sly(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "not finite"),
        ([float("-inf")], "not finite"),
        (complex(-0.0, 1), "no literal"),
        (object, "not plain"),
        (Sly("x"), "not plain"),
        (bytearray(b"x"), "not plain"),
        ({"a": (print,)}, "not plain"),
        ("<object object at 0x7f3a12345678>", "address"),
        (10**2000, "too long"),
        (ast.literal_eval("[" * 30 + "]" * 30), "too deep"),
    ],
)
def test_what_cannot_stand_in_a_test_says_why(value: Any, why: str) -> None:
    with pytest.raises(Unprintable, match=why):
        printed(value)


def test_a_call_is_printed_with_its_named_arguments_last() -> None:
    assert call_text("f", (1, "a"), {"sep": None}) == "f(1, 'a', sep=None)"
