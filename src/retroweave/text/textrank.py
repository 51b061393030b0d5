"""TextRank: which sentences of a text have most in common with its others.

An ordinary extractive algorithm (Mihalcea and Tarau, "TextRank: Bringing Order into Texts", 2004): sentences are the
nodes of a graph, the words that two of them share are the weight between them, and the rank is PageRank's. It needs no
model and knows nothing of what a text is about, so that it finds what a text keeps coming back to and misses what it
says just once. Which sentences to take by their ranks is for `extracts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log
from typing import NamedTuple

from retroweave.text.spans import sentences

__all__ = ["Ranked", "rank", "telling_words"]

DAMPING = 0.85
ROUNDS = 60
_SMALL = frozenset(
    """
    a about after all also an and are as at be been before but by can could did do does for from had has have he her him
    his how i if in into is it its like me more my no not of on one or other our out over said she so some such than
    that the their them then there these they this those to up upon us was we were what when which who will with would
    you your
    """.split()  # noqa: SIM905 - as a list it would be a page
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


class Ranked(NamedTuple):
    """A sentence, where it stands, and how central it is: the ranks of a text's sentences have the mean 1."""

    start: int
    end: int
    text: str
    rank: float


def rank(text: str) -> list[Ranked]:
    """The sentences of a text in their order, with their ranks."""
    bounds = list(sentences(text))
    words = [telling_words(text[start:end]) for start, end in bounds]
    ranks = _page_rank([[_likeness(one, other) for other in words] for one in words])
    return [Ranked(start, end, text[start:end], score) for (start, end), score in zip(bounds, ranks, strict=True)]


def telling_words(sentence: str) -> frozenset[str]:
    """Its words but the small ones, without a plural's s."""
    found = (word.lower() for word in _WORD.findall(sentence))
    return frozenset(word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in found if word not in _SMALL)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Words in common, by the lengths of both, so that long sentences are not like everything."""
    if one is other or len(one) < 2 or len(other) < 2:
        return 0.0
    return len(one & other) / (log(len(one)) + log(len(other)))


def _page_rank(weights: Sequence[Sequence[float]]) -> list[float]:
    totals = [sum(row) for row in weights]
    ranks = [1.0] * len(weights)
    for _ in range(ROUNDS):
        handed_on = [rank / total if total else 0.0 for rank, total in zip(ranks, totals, strict=True)]
        ranks = [
            1 - DAMPING + DAMPING * sum(part * weight for part, weight in zip(handed_on, row, strict=True))
            for row in weights
        ]
    return ranks
