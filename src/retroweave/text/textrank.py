"""TextRank: which sentences of a text have most in common with its others.

An ordinary extractive algorithm (Mihalcea and Tarau, "TextRank: Bringing Order into Texts", 2004): sentences are the
nodes of a graph, the words that two of them share are the weight between them, and the rank is PageRank's. It needs no
model and knows nothing of what a text is about, so that it finds what a text keeps coming back to and misses what it
says just once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import log
from typing import NamedTuple

from retroweave.text.spans import sentences

__all__ = ["Ranked", "extract", "prose_share", "rank"]

DAMPING = 0.85
ROUNDS = 60
_SMALL = frozenset(
    """
    a about after all also an and are as at be been before but by can could did do for from had has have he her him his
    how i if in into is it its like me more my no not of on one or other our out over said she so some such than that
    the their them then there these they this those to up upon us was we were what when which who will with would you
    your
    """.split()  # noqa: SIM905 - as a list it would be a page
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_WHOLE = re.compile(r"[A-ZÀ-Þ][^\n“”\"]*[.!?…]")
_NUMBERED = re.compile(r"(?:^|\n)[ \t]*\(?\w{1,3}(?:\.\d)?[.)]?[ \t]+\Z")
"""A number before a sentence: it is an item of a list."""
_FEWEST_WORDS = 4
_IN_SPEECH = frozenset("“”\"‘’'")
_POINTS_BACK = re.compile(
    r"(?:He|She|It|They|His|Her|Its|Their|This|That|These|Those|Such|But|And|So|Then|Yet|Or|Nor|Both|Neither"
    r"|Here|There|Instead|Otherwise|However|Besides)\b"
)


class Ranked(NamedTuple):
    """A sentence, where it stands, and how central it is: the ranks of a text's sentences have the mean 1."""

    start: int
    end: int
    text: str
    rank: float


def rank(text: str) -> list[Ranked]:
    """The sentences of a text in their order, with their ranks."""
    bounds = list(sentences(text))
    words = [_words(text[start:end]) for start, end in bounds]
    ranks = _page_rank([[_likeness(one, other) for other in words] for one in words])
    return [Ranked(start, end, text[start:end], score) for (start, end), score in zip(bounds, ranks, strict=True)]


def _words(sentence: str) -> frozenset[str]:
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


def extract(text: str, fits: Callable[[Sequence[Ranked]], bool]) -> list[Ranked]:
    """Central sentences in the order of the text, as many as `fits` lets in, the most central first.

    Only whole sentences are taken: on one line, of four words or more, with no speech in them, and none that follows
    speech. One that points back (`It`, `But`) is taken along with what it points to.
    """
    ranked = rank(text)
    whole = _whole(text, ranked)
    chosen: set[int] = set()
    for place in sorted(range(len(ranked)), key=lambda place: -ranked[place].rank):
        if place in chosen or (wanted := _with_what_it_points_to(ranked, place)) - whole:
            continue
        more = chosen | wanted
        if fits([ranked[one] for one in sorted(more)]):
            chosen = more
    return [ranked[place] for place in sorted(chosen)]


def prose_share(text: str) -> float:
    """What share of a text's words stands in sentences that could be taken: of a play, a form or a list a small one."""
    bounds = [(start, end, text[start:end]) for start, end in sentences(text)]
    whole = [said for start, _, said in bounds if _is_whole(text, start, said)]
    return sum(len(said.split()) for said in whole) / max(1, len(text.split()))


def _whole(text: str, ranked: Sequence[Ranked]) -> set[int]:
    return {place for place, one in enumerate(ranked) if _is_whole(text, one.start, one.text)}


def _is_whole(text: str, start: int, sentence: str) -> bool:
    after_speech = text[max(0, start - 2) : start].rstrip()[-1:] in _IN_SPEECH
    if after_speech or _NUMBERED.search(text[max(0, start - 7) : start]):
        return False
    return len(sentence.split()) >= _FEWEST_WORDS and _WHOLE.fullmatch(sentence) is not None


def _with_what_it_points_to(ranked: Sequence[Ranked], place: int) -> set[int]:
    """The sentence and those of its paragraph before it that it cannot do without; -1 where they are not there."""
    wanted = {place}
    while _POINTS_BACK.match(ranked[place].text):
        if place == 0 or ranked[place].start - ranked[place - 1].end > 1:
            return {-1}
        place -= 1
        wanted.add(place)
    return wanted
