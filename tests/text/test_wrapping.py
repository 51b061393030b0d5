"""Wrapping changes spaces to line ends, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.wrapping import is_wrapped, wrapped

PROSE = st.lists(st.text("abc .,\n*-|", max_size=30), max_size=20).map(" ".join)


@given(PROSE, st.integers(0, 40))
def test_a_wrapped_text_is_the_text(text: str, width: int) -> None:
    page = wrapped(text, width)
    assert is_wrapped(page, text)
    assert page.replace("\n", " ") == text.replace("\n", " ")


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=60).map(" ".join))
def test_no_line_of_prose_is_wider_and_each_is_as_full_as_it_may_be(text: str) -> None:
    lines = wrapped(text, 20).split("\n")
    assert all(len(line) <= 20 for line in lines)
    assert all(len(f"{line} {after.split()[0]}") > 20 for line, after in pairwise(lines))


@pytest.mark.parametrize(
    "line", ["- one two three four", "| a | table of four |", "    code and more code", "# A heading"]
)
def test_what_is_no_prose_stays_as_it_is(line: str) -> None:
    assert wrapped(line, 8) == line


def test_emphasis_at_a_line_is_prose_and_a_long_word_stays_whole() -> None:
    assert wrapped("*Anna Karenina* begins", 10) == "*Anna\nKarenina*\nbegins"
    assert wrapped("incomprehensibilities, they say", 10) == "incomprehensibilities,\nthey say"


@pytest.mark.parametrize("page", ["a b c", "a\nb  d", "a\nb\td", "a\nb", "a b\nd "])
def test_anything_else_is_no_wrapping(page: str) -> None:
    assert not is_wrapped(page, "a b d")
