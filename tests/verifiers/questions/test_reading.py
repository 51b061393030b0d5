"""A text is cut into sentences and words only where every reasonable reading cuts it alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.verifiers.questions.reading import Text, agreed_sentences, agreed_words, kin


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It rained. Nobody came.", 2),
        ("“Put it back,” the provost told him, “or roof it.” He roofed it.", 2),
        ("Who came? Nobody did! It rained.", 3),
        ("It rained.\n\nNobody came.", 2),
    ],
)
def test_plain_sentences_are_told_apart(text: str, count: int) -> None:
    assert len(agreed_sentences(text)) == count


@pytest.mark.parametrize(
    "text",
    [
        "He met Mr. Obuya. They talked.",
        "It closed at 3.30 p.m. on Friday.",
        "“Go!” he said. She went.",
        "A heading\n\nIt rained all day.",
        "It rained... Nobody came.",
        "1. The roof leaks. It is old.",
        "Roses are red,\nviolets are blue.",
        "He said: “It rained. Nobody came.” Then he left.",
        "The firm is Obuya and Sons Ltd. The mill is theirs.",
        "See `a.py`. It runs.",
        "It rained, and",
        "",
    ],
)
def test_where_readings_differ_there_are_no_sentences(text: str) -> None:
    assert agreed_sentences(text) == ()


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ("I don’t know.", ("I", "don’t", "know")),
        ("“Here,” she says – and waits.", ("Here", "she", "says", "and", "waits")),
        ("The smoke-house fell.", ()),
        ("It fell in 1871.", ()),
        ("Rum & raisins.", ()),
        ("He came—she left.", ()),
    ],
)
def test_words_are_given_where_nobody_would_count_otherwise(piece: str, words: tuple[str, ...]) -> None:
    assert agreed_words(piece) == words


@pytest.mark.parametrize(
    "pair", [("walk", "walked"), ("harbour", "harbours"), ("see", "sees"), ("travel", "traveller")]
)
def test_forms_of_a_word_are_kin(pair: tuple[str, str]) -> None:
    assert kin(*pair)
    assert kin(*reversed(pair))


@pytest.mark.parametrize("pair", [("art", "party"), ("heron", "reed"), ("stone", "bone")])
def test_words_that_only_look_alike_inside_are_not_kin(pair: tuple[str, str]) -> None:
    assert not kin(*pair)


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_its_sentences_stand_in_it(text: str) -> None:
    read = Text(text, text)
    fewest, most = read.word_range
    assert fewest <= most
    assert all(sentence in text for sentence in read.sentences)
    assert all(read.loose[word] and not read.lacks(word) for word in read.plain)
    assert not set(read.plain) & set(read.plain_outside)
