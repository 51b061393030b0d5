"""The poem is found in an answer, whatever a model puts around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import Drop
from retroweave.text.verse import as_long, copies_little, verse_in, verse_lines

POEM = "A snail can climb\na wall of glass."


@pytest.mark.parametrize(
    "answer",
    [
        POEM,
        f"\n{POEM}\n\n",
        f"Here is the draft:\n\n{POEM}",
        f"Of course.\n```\n{POEM}\n```\nWould you like another?",
        f"```text\n{POEM}\n```",
        "A snail can climb  \na wall of glass.",
    ],
)
def test_the_poem_is_what_is_left_of_an_answer(answer: str) -> None:
    assert verse_in(answer) == POEM


@pytest.mark.parametrize(
    "answer",
    [
        f"# Draft\n{POEM}",
        f"**The Snail**\n{POEM}",
        f"{POEM}\n\nNote: I kept the lines.",
        f"{POEM}\n(Note that it stumbles.)",
        f"{POEM}\nSubject: a dog",
        f"{POEM}\n===\nmore",
        f"```\n{POEM}",
        "   ",
    ],
)
def test_an_answer_that_is_more_than_a_poem_is_dropped(answer: str) -> None:
    with pytest.raises(Drop):
        verse_in(answer)


def test_a_poem_that_announces_something_itself_is_left_alone() -> None:
    assert verse_in("He said:\ngo home.") == "He said:\ngo home."


def test_about_as_many_lines_are_as_long_and_a_line_without_end_is_not() -> None:
    assert as_long("a\n\nb\nc", "a\nb")
    assert not as_long("a\nb\nc\nd", "a\nb")
    assert as_long("\n".join("abcdefghij"), "\n".join("abcdefghijkl"))
    assert not as_long("\n".join("abcdefgh"), "\n".join("abcdefghijkl"))
    assert not as_long("a" * 161, "a")


def test_a_third_of_the_words_in_a_row_may_be_the_others_however_lines_are_broken() -> None:
    snail = "the snail takes all night\nto cross the step. I take it\nin one, with my keys"
    assert not copies_little("The snail takes all night to cross the step.\nI take it in one, with my keys", snail)
    assert copies_little("A snail needs the whole night for one step\nand I just need one second with my keys", snail)
    assert copies_little("the snail takes all of the time that it has\nto get over that step, and so do I", snail)
    assert copies_little("x", "")


@given(st.text())
def test_any_answer_is_a_poem_or_dropped(answer: str) -> None:
    try:
        assert verse_lines(verse_in(answer))
    except Drop:
        return
