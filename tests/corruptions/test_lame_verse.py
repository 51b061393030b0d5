"""Verse is spoilt so that the words stay sensible, the lines stay in place, and the same numbers give the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.corruptions.verse import lame
from retroweave.pipeline.errors import Drop

VERSE = """We put to sea at half past three
with porridge in the pan,
and not a soul aboard awake
excepting little Dan."""


def tried(poem: str) -> set[str]:
    return {lame(poem, Random(seed)) for seed in range(60)}


def test_lines_stay_lines_and_one_at_least_is_spoilt() -> None:
    for spoilt in tried(VERSE):
        assert spoilt.count("\n") == 3
        assert spoilt != VERSE


def test_the_same_numbers_spoil_it_in_the_same_way() -> None:
    assert lame(VERSE, Random(7)) == lame(VERSE, Random(7))


@pytest.mark.parametrize(
    ("line", "never"),
    [
        ("we put to sea", "ocean"),  # nobody goes to ocean
        ("the green and I", "greenish"),
        ("the Book of Job was old, I said", "Volume"),
        ("as someone winds the clock", "breeze"),
        ("tell you this and you will", "you just this"),
    ],
)
def test_a_word_gives_way_only_where_the_other_can_stand(line: str, never: str) -> None:
    assert not any(never in spoilt for spoilt in tried(f"{line}\nI walked and we don't know"))


def test_an_article_follows_the_word_that_comes_to_stand_behind_it() -> None:
    assert "It was an enormous dog" in tried("It was a big dog")
    assert not any("a enormous" in spoilt for spoilt in tried("It was a big dog"))


def test_an_object_at_the_start_of_a_line_is_not_taken_for_a_subject() -> None:
    spoilt = tried("it grinds\nyou into dust, and then I walked")
    assert not any(
        line.startswith("you ") and not line.startswith("you into") for each in spoilt for line in each.split("\n")
    )


def test_a_capital_stays_one() -> None:
    assert "Nobody" not in "".join(tried("Nobody knows"))
    assert "No one at all knows" in tried("Nobody knows")


def test_a_poem_that_has_no_other_words_is_dropped() -> None:
    with pytest.raises(Drop):
        lame("frost on the spade's edge", Random(0))


@given(st.text(max_size=300), st.integers(0, 99))
def test_any_text_keeps_its_number_of_lines(text: str, seed: int) -> None:
    try:
        assert lame(text, Random(seed)).count("\n") == text.count("\n")
    except Drop:
        return
