"""Plain versions: about as long, in other words, with the same numbers."""

from __future__ import annotations

import pytest

from retroweave.text.plainness import about_as_long, in_other_words, same_numbers

PASSAGE = "Of the 1,200 who came by the ferry in 1911, it was said that two could swim, and 43 thought they could."


@pytest.mark.parametrize(
    ("plain", "same"),
    [
        ("In 1911 there were 1200 people. 2 of them were able to swim. 43 believed that they were.", True),
        ("In 1911 there were 1,200 people, of whom few were able to swim.", False),
        ("In 1919 there were 1,200 people. 43 believed that they were able to swim.", False),
        ("In 1911 there were 1,200 people and 43 swimmers, 24 of them men.", False),
    ],
)
def test_numbers_are_kept_and_none_is_made_up(plain: str, same: bool) -> None:
    assert same_numbers(plain, PASSAGE) is same


def test_half_as_long_to_a_third_longer_is_about_as_long() -> None:
    assert about_as_long("a " * 50, "b " * 100)
    assert not about_as_long("a " * 49, "b " * 100)
    assert about_as_long("a " * 133, "b " * 100)
    assert not about_as_long("a " * 134, "b " * 100)


def test_an_excerpt_is_not_in_other_words() -> None:
    assert in_other_words("In that year 1,200 people arrived, of whom two knew how to swim.", PASSAGE)
    assert not in_other_words("Of the 1,200 who came by the ferry in 1911, two could swim.", PASSAGE)
