"""What one text takes from another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.copying import copied_share, copies_run

SOURCE = "The ferry left without its captain, who had gone back for his pipe."


def test_a_run_is_words_in_a_row_whatever_their_capitals_and_marks() -> None:
    assert copies_run("A captain WHO had gone back", SOURCE, 5)
    assert not copies_run("A captain who had gone home", SOURCE, 5)
    assert not copies_run("", SOURCE, 1)


def test_the_share_is_of_the_runs_of_the_text() -> None:
    assert copied_share(SOURCE, SOURCE) == 1
    assert copied_share("gone back for his hat", SOURCE) == 0.5
    assert copied_share("too short", SOURCE) == 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_text_shares_a_run_with_another_where_the_share_is_not_zero(one: str, other: str) -> None:
    assert copies_run(one, other, 2) == (copied_share(one, other, 2) > 0)
