"""TextRank finds the sentences that have most in common with the others, and takes whole ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.textrank import Ranked, extract, prose_share, rank

FERRY = (
    "The ferry to Gunnarsholm carries cars, coal and hay. A goat once swam over. The ferry is driven by a cable, which "
    "carries it over the strait. Coal and hay go over on Fridays, when the ferry has room. My aunt keeps bees. It is "
    "said that the cable of the ferry was laid in 1911."
)


def taken(text: str, count: int) -> list[str]:
    return [one.text for one in extract(text, lambda chosen: len(chosen) <= count)]


def test_sentences_that_share_words_rank_above_those_that_share_none() -> None:
    ranks = {one.text: one.rank for one in rank(FERRY)}
    assert max(ranks, key=ranks.__getitem__).startswith("The ferry")
    assert ranks["A goat once swam over."] == ranks["My aunt keeps bees."] == min(ranks.values())


def test_ranks_are_shares_of_a_mean_of_one_where_all_are_tied_together() -> None:
    ranks = [one.rank for one in rank("The red goat ate hay. The red goat slept late. The red hay and goat burnt.")]
    assert sum(ranks) == pytest.approx(len(ranks), abs=1e-3)


@given(st.text("ab AB.!?\n“”", max_size=200))
def test_each_sentence_is_where_it_says(text: str) -> None:
    assert all(text[one.start : one.end] == one.text for one in rank(text))
    assert 0 <= prose_share(text) <= 1


@given(st.integers(0, 5))
def test_an_extract_is_in_the_order_of_the_text_and_fits(count: int) -> None:
    chosen = extract(FERRY, lambda chosen: len(chosen) <= count)
    assert len(chosen) == min(count, 5)
    assert chosen == sorted(chosen)


def test_what_fits_is_asked_of_the_whole_choice() -> None:
    def few_words(chosen: Sequence[Ranked]) -> bool:
        return sum(len(one.text.split()) for one in chosen) <= 14

    assert sum(len(one.text.split()) for one in extract(FERRY, few_words)) <= 14


def test_a_sentence_that_points_back_brings_what_it_points_to() -> None:
    text = "Old Ruben built the mill by the weir. It burnt down twice by the mill weir. Nobody knows much of hens."
    assert taken(text, 1) == ["Old Ruben built the mill by the weir."]
    assert taken(text, 2) == text.split(" Nobody")[0].replace(". It", ".|It").split("|")


def test_a_sentence_that_points_out_of_its_paragraph_is_not_taken() -> None:
    text = "Old Ruben built the mill by the weir.\n\nIt burnt down twice by the mill weir and was built again."
    assert taken(text, 2) == ["Old Ruben built the mill by the weir."]


@pytest.mark.parametrize(
    "sentence",
    [
        "“The mill burnt down by the weir.”",
        "the mill burnt down by the weir.",
        "The mill burnt down by the weir",
        "The mill burnt.",
        "The mill\nburnt down by the weir.",
        "4. The mill burnt down by the weir.",
    ],
)
def test_only_whole_sentences_are_taken(sentence: str) -> None:
    assert taken(f"{sentence}\n\nOld Ruben built the mill by the weir.", 5) == ["Old Ruben built the mill by the weir."]


def test_what_follows_speech_is_part_of_it() -> None:
    assert taken("“Who burnt the mill down?” Ruben asked them by the weir. Nobody at the mill would say.", 5) == [
        "Nobody at the mill would say."
    ]


def test_little_of_a_play_is_prose_and_all_of_an_essay() -> None:
    assert prose_share(FERRY) == 1.0
    assert prose_share("ANNA. No.\nBERT. Yes, I did.\nANNA. When?\n\n(They leave by the window.)") < 0.4
    assert prose_share("") == 0.0
