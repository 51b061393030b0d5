"""Ranges of lines that an editor would replace: carried out, they give the new text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.line_ranges import Range, in_turn, ranges

LINES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12)


def carried_out(old: list[str], wanted: list[Range]) -> list[str]:
    lines = list(old)
    for start, end, new in wanted:
        lines[start:end] = new
    return lines


@given(LINES, LINES, st.integers(1, 4), st.booleans())
def test_carried_out_one_by_one_they_give_the_new_text(
    old: list[str], new: list[str], apart: int, upwards: bool
) -> None:
    assert carried_out(old, list(in_turn(ranges(old, new, apart=apart), upwards=upwards))) == new


@given(LINES, LINES, st.integers(1, 4))
def test_none_is_empty_and_none_touches_another(old: list[str], new: list[str], apart: int) -> None:
    found = ranges(old, new, apart=apart)
    assert all(start < end for start, end, _ in found)
    assert all(first.end <= second.start for first, second in pairwise(found))


@given(LINES)
def test_nothing_is_to_be_done_where_nothing_differs(lines: list[str]) -> None:
    assert ranges(lines, lines) == []


def test_ranges_that_lie_near_each_other_become_one() -> None:
    old, new = list("abcdefgh"), list("aBcDefgH")
    assert ranges(old, new) == [Range(1, 2, ("B",)), Range(3, 4, ("D",)), Range(7, 8, ("H",))]
    assert ranges(old, new, apart=2) == [Range(1, 4, ("B", "c", "D")), Range(7, 8, ("H",))]


def test_a_lost_line_takes_in_the_one_before_it_or_the_first_one_behind() -> None:
    assert ranges(["a", "c"], ["a", "b", "c"]) == [Range(0, 1, ("a", "b"))]
    assert ranges(["b"], ["a", "b"]) == [Range(0, 1, ("a", "b"))]


def test_downwards_each_range_is_where_the_edits_before_have_left_it() -> None:
    wanted = [Range(0, 1, ("x", "y", "z")), Range(4, 6, ()), Range(8, 9, ("w",))]
    assert list(in_turn(wanted)) == [Range(0, 1, ("x", "y", "z")), Range(6, 8, ()), Range(8, 9, ("w",))]
    assert list(in_turn(wanted, upwards=True)) == wanted[::-1]
