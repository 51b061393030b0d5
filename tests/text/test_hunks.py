"""Differences as edits that can each be left out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.hunks import edited, hunks

lines = st.lists(st.sampled_from(["a = 1\n", "b = 2\n", "\n", "    return a\n", "if a:\n", "ö"]), max_size=8).map(
    "".join
)


@given(lines, lines)
def test_all_edits_together_make_the_newer_text(old: str, new: str) -> None:
    assert edited(old, hunks(old, new)) == new


@given(lines, lines)
def test_edits_are_in_order_and_do_not_touch_so_any_of_them_make_a_text(old: str, new: str) -> None:
    found = hunks(old, new)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for left_out in found:
        assert edited(old, [one for one in found if one is not left_out]) != new


def test_no_edit_stands_for_two_texts_that_are_the_same() -> None:
    assert hunks("a\nb\n", "a\nb\n") == []


def test_of_a_changed_line_only_what_differs_is_in_the_edit() -> None:
    [one] = hunks("    if count > most:\n", "    if count >= most:\n")
    assert (one.start, one.end, one.text) == (14, 14, "=")


def test_two_changed_lines_beside_each_other_are_two_edits() -> None:
    assert len(hunks("a = 1\nb = 2\nc\n", "a = 2\nb = 3\nc\n")) == 2
