"""TextRank finds the sentences that have most in common with the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.textrank import rank

FERRY = (
    "The ferry to Gunnarsholm carries cars, coal and hay. A goat once swam over. The ferry is driven by a cable, which "
    "carries it over the strait. Coal and hay go over on Fridays, when the ferry has room. My aunt keeps bees. It is "
    "said that the cable of the ferry was laid in 1911."
)


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
