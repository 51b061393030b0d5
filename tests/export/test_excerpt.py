"""What a person has before him is not put there twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retroweave.export.excerpt import Shown

LONG = "\n".join(f"{number}. a line of forty characters or nearly so" for number in range(8))


def shown(*texts: str) -> Shown:
    made = Shown()
    for text in texts:
        made.note(text)
    return made


@given(st.lists(st.text("ab\n", max_size=300), max_size=4))
def test_what_is_short_or_new_is_told_as_it_is(texts: list[str]) -> None:
    assert shown(*texts).new("abba\n\nab") == "abba\n\nab"
    assert shown(*texts).new(LONG) == LONG
    assert shown(*texts).new(["a", 1]) == "['a', 1]"


def test_what_stands_there_is_told_by_its_beginning() -> None:
    assert shown(f"Before.\n{LONG}\nAfter.").new(LONG) == f"{LONG.splitlines()[0]} … ({len(LONG)} characters, as above)"


def test_lines_that_are_new_stand_among_those_that_are_not() -> None:
    old = f"{LONG.splitlines()[0]} … ({len(LONG)} characters, as above)"
    assert shown(LONG).new(f"One.\n\n{LONG}\n\nTwo.\n{LONG}\n") == f"One.\n\n{old}\n\nTwo.\n{old}\n"


def test_many_short_lines_that_stand_here_and_there_are_no_text_that_stands_there() -> None:
    digits = "\n".join("0123456789" * 30)
    assert shown("9876543210").new(digits) == digits


def test_what_was_told_is_not_told_again() -> None:
    made = shown()
    assert made.new(LONG) == LONG
    assert "as above" in made.new(LONG)


def test_long_texts_in_a_value_are_told_by_their_beginnings() -> None:
    told = shown(LONG).new({"parts": [(LONG, 1), "x"]})
    assert told == f"{{'parts': [('{LONG.splitlines()[0]} … ({len(LONG)} characters, as above)', 1), 'x']}}"


def test_a_value_that_stands_there_is_not_told_again() -> None:
    made, value = shown(), [{"number": number} for number in range(30)]
    assert made.new(value) == repr(value)
    assert made.new(value).endswith(f"({len(repr(value))} characters, as above)")
