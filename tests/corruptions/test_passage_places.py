"""A passage knows where its words, sentences, paragraphs and marks are."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.corruptions.prose import Prose, cuts_a_cluster, like, token_around


def words(text: str) -> list[str]:
    prose = Prose(text)
    return [prose.word(index) for index in range(len(prose.starts))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It isn't, it’s well-known—so.", ["It", "isn't", "it’s", "well-known", "so"]),
        ("'tis the dogs' day", ["tis", "the", "dogs", "day"]),
        ("cafe\u0301 हिन्दी", ["cafe\u0301", "हिन्दी"]),
        ("Run `the code` <b>now</b> at https://example.org/the/end and `", ["Run", "now", "at", "and"]),
        ("So ```\nall of it\n``` is", ["So", "is"]),
        ("x" * 41 + " " + "y" * 40, ["y" * 40]),
        ("👩‍👩‍👧 !? 12th", ["12th"]),
    ],
)
def test_words_hold_their_marks_and_code_has_none(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_no_word_begins_or_ends_inside_a_letter_and_its_marks(text: str) -> None:
    prose = Prose(text)
    for place in (*prose.starts, *prose.ends):
        assert place in (0, len(text)) or unicodedata.category(text[place])[0] != "M" or text[place - 1].isspace()


def test_sentences_end_in_a_mark_and_cross_no_paragraph() -> None:
    text = "One is. “Two is!” he said.\n\nA heading\n\nThree is… Four is\n- five. Six is.\r\n\r\nSeven"
    prose = Prose(text)
    assert [text[start:end] for start, end in prose.sentences] == [
        "One is.", "“Two is!”", "he said.", "Three is…", "- five.", "Six is.",
    ]  # fmt: skip


def test_paragraphs_are_parted_by_blank_lines_and_list_items() -> None:
    text = "One\ntwo\n\n- three\n- four\r\n\r\nfive\n\n"
    prose = Prose(text)
    found = [text[slice(*prose.paragraph_at(text.index(word)))] for word in ("two", "three", "four", "five")]
    assert found == ["One\ntwo", "- three", "- four", "five\n\n"]


def test_a_text_that_was_seen_is_not_looked_through_again() -> None:
    Prose.of.cache_clear()
    assert Prose.of("some text") is Prose.of("".join(["some", " text"]))
    assert Prose.of("some text") is not Prose.of("some texts")
    looked = []

    def find(prose: Prose) -> int:
        looked.append(prose.text)
        return len(prose.text)

    assert Prose.of("some text").places(find) == Prose.of("some text").places(find) == 9
    assert Prose.of("some texts").places(find) == 10
    assert looked == ["some text", "some texts"]


@pytest.mark.parametrize("text", ["e\u0301", "👩\u200d👧", "👍🏽", "❤\ufe0f", "हि"])
def test_what_a_reader_sees_as_one_character_is_not_cut(text: str) -> None:
    assert all(cuts_a_cluster(text, position) for position in range(1, len(text)))
    assert not cuts_a_cluster(f"{text}a", len(text))
    assert not cuts_a_cluster(text, 0)


def test_a_word_takes_the_case_of_another() -> None:
    assert [like("there", model) for model in ("their", "Their", "THEIR", "I")] == ["there", "There", "THERE", "There"]


def test_a_token_reaches_to_the_whitespace_but_not_beyond_its_limit() -> None:
    assert token_around("ab (cd), ef", 4, 5, 80) == (3, 8)
    assert token_around("x" * 100, 50, 51, 10) == (40, 61)
