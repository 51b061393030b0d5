"""Values are drawn of the kind that was asked for, small and printable, and changed into others near them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.verifiers.kinds import Kind, Literals, changed, drawn, fits, related
from retroweave.verifiers.plain import printed

LITERALS = Literals({int: [7, 64], float: [0.25], str: ["left", ",", "%d"], bytes: [b"GIF"]}, (r"\d+px",))
SCALARS = [Kind(name) for name in ("none", "bool", "int", "float", "complex", "str", "bytes")] + [
    Kind("int", flavour="index"),
    Kind("choice", values=("a", 1, None)),
    *(Kind("str", flavour=flavour) for flavour in ("character", "word", "path", "url", "base64", "html", "unheard-of")),
]
KINDS = [
    *SCALARS,
    *(Kind(name, (kind,)) for name in ("list", "set", "frozenset", "dict") for kind in SCALARS),
    Kind("list"),
    Kind("dict", values=("key", 3)),
    Kind("tuple", (Kind("int"), Kind("str"))),
    Kind("tuple", (Kind("int"),), flavour="many"),
    Kind("list", (Kind("dict", (Kind("list", (Kind("int"),)),)),)),
]


@given(st.sampled_from(KINDS), st.integers(), st.booleans())
def test_a_value_is_of_its_kind_and_can_be_printed(kind: Kind, seed: int, bare: bool) -> None:
    value = drawn(kind, Random(seed), Literals() if bare else LITERALS)
    assert fits(value, kind)
    assert len(printed(value)) < 2_000


@given(st.sampled_from(KINDS), st.integers())
def test_a_changed_value_is_of_the_same_type_and_the_old_one_stays_as_it_was(kind: Kind, seed: int) -> None:
    rng = Random(seed)
    value = drawn(kind, rng, LITERALS)
    before = printed(value)
    for _ in range(5):
        other = changed(value, rng, LITERALS)
        assert type(other) is type(value)
        assert printed(value) == before
        value, before = other, printed(other)


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.integers())
def test_a_related_value_is_of_its_kind_or_there_is_none(kind: Kind, other: Kind, seed: int) -> None:
    rng = Random(seed)
    value = related(kind, [drawn(other, rng, LITERALS)], rng, LITERALS)
    assert value is None or fits(value, kind)


def test_what_a_search_needs_is_drawn_often() -> None:
    rng = Random(0)
    texts = [drawn(Kind("str"), rng, LITERALS) for _ in range(400)]
    assert sum("left" in text for text in texts) > 20
    assert sum("px" in text for text in texts) > 40
    ints = Counter(drawn(Kind("int"), rng, LITERALS) for _ in range(400))
    assert {0, 1, 7, 64, 63, 65} <= ints.keys()
    assert all(abs(number) <= 100_000 for number in ints)


@pytest.mark.parametrize(
    ("kind", "other", "possible"),
    [
        (Kind("int"), "abcd", {2, 3, 4, 5}),
        (Kind("int"), 9, {8, 9, 10}),
        (Kind("str"), ["x", "y"], {"x", "y"}),
        (Kind("str"), {"k": 1}, {"k"}),
        (Kind("float"), [1], {None}),
    ],
)
def test_a_value_may_have_to_do_with_another_argument(kind: Kind, other: Any, possible: set[Any]) -> None:
    assert {related(kind, [other], Random(seed), LITERALS) for seed in range(60)} == possible


def test_a_part_of_a_text_is_related_to_it() -> None:
    found = [related(Kind("str"), ["needle"], Random(seed), LITERALS) for seed in range(60)]
    assert any(text in "needle" for text in found)
    assert any("needle" in text and text != "needle" for text in found)


def test_sets_are_so_small_that_a_literal_has_their_order() -> None:
    rng = Random(0)
    value = {1}
    for _ in range(200):
        value = changed(value, rng, LITERALS)
        assert len(value) <= 4
        assert len(drawn(Kind("set", (Kind("int"),)), rng, LITERALS)) <= 4
