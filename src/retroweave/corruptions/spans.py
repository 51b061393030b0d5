"""Damage to stretches of text and to paragraphs: replaced, deleted, swapped, broken.

A stretch is some words of a line or a few sentences of a paragraph, and never more than half of the passage.
"""

from __future__ import annotations

import string
from bisect import bisect_left
from collections.abc import Sequence
from random import Random

from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose, pick

__all__: list[str] = []

Span = tuple[int, int]

_SHARE = 4
"""A stretch is at most this part of the passage, counted in words or sentences."""


def _stretch(prose: Prose, rng: Random, fewest: int, most: int) -> Span | None:
    """A stretch of sentences as often as one of words."""
    if rng.random() < 0.5:
        return _sentences(prose, rng, 3) or _phrase(prose, rng, fewest, most)
    return _phrase(prose, rng, fewest, most)


def _phrase(prose: Prose, rng: Random, fewest: int, most: int) -> Span | None:
    """Some words of a line, short stretches more often than long ones, with a word before and one after."""
    index = prose.pick_word(rng)
    if index is None:
        return None
    size = int(fewest * ((most + 1) / fewest) ** rng.random())
    first, last = prose.words_of_line(index)
    start = max(first + 1, index)
    end = min(start + min(size, len(prose.starts) // _SHARE) - 1, last - 1)
    if end - start + 1 < fewest or not prose.spaced(start - 1):
        return None
    span = prose.starts[start], prose.ends[end]
    # No end inside a number or a compound: 29.80, and/or.
    return span if any(char.isspace() for char in prose.text[span[1] : span[1] + 2]) else None


def _sentences(prose: Prose, rng: Random, most: int) -> Span | None:
    """One to `most` sentences that follow each other in a paragraph, with words before and after in the passage."""
    sentences = prose.sentences
    allowed = min(most, len(sentences) // _SHARE)
    if allowed < 1:
        return None
    first = rng.randrange(len(sentences))
    start, border = sentences[first][0], prose.paragraph_at(sentences[first][0])[1]
    last = first + rng.randrange(allowed)
    while last >= len(sentences) or sentences[last][1] > border:
        last -= 1
    return _with_neighbours(prose, (start, sentences[last][1]))


def _with_neighbours(prose: Prose, span: Span) -> Span | None:
    """A span that opens with more than the number of a list item, has words on both sides and is not too long."""
    start, end = span
    first, after = bisect_left(prose.starts, start), bisect_left(prose.starts, end)
    if not 0 < first < after - 2 or after == len(prose.starts) or (end - start) * 2 > len(prose.text):
        return None
    return span if prose.text[start:end][:1] not in _OPENS_A_BLOCK and prose.spaced(first) else None


@operation(severity=5, recoverable=False)
def foreign_span(prose: Prose, rng: Random, pool: Sequence[str]) -> list[Edit] | None:
    """A stretch of another passage stands in the place of one of this, about as long."""
    other = pick(rng, pool)
    span = _stretch(prose, rng, 3, 40)
    if other is None or other == prose.text or span is None:
        return None
    size = int((span[1] - span[0]) * rng.uniform(0.7, 1.4))
    foreign = _excerpt(other, rng.randrange(len(other) + 1), size)
    return [Edit(*span, foreign)] if foreign else None


def _excerpt(text: str, position: int, size: int) -> str:
    """About `size` characters of whole words of one paragraph, on one line; it looks at no more than it takes."""
    window = text[position : position + size + 80].replace("\r\n", "\n").split("\n\n")[0]
    words = window.split()[1:-1]  # the window may have cut the first and the last
    while words and len(" ".join(words)) > size + 8:
        words.pop()
    return " ".join(words)


@operation(severity=5, recoverable=False)
def gibberish_span(prose: Prose, rng: Random) -> list[Edit] | None:
    """Nonsense in the place of a stretch: letters at random, keys hit at random, or each character shifted."""
    span = _stretch(prose, rng, 2, 25)
    if span is None:
        return None
    noise = rng.choice(
        (string.ascii_lowercase, "asdfghjkl;", "asdfjklqweruiop", string.ascii_letters + "0123456789$%#&")
    )
    words = prose.text[span[0] : span[1]].split(" ")
    return [Edit(*span, " ".join("".join(rng.choices(noise, k=max(1, len(word)))) for word in words))]


@operation(severity=5, recoverable=False, named_by="neighbours")
def deleted_span(prose: Prose, rng: Random) -> list[Edit] | None:
    """A stretch is gone, with one of the spaces beside it."""
    span = _stretch(prose, rng, 3, 40)
    if span is None:
        return None
    start, end = span
    if prose.text[end] == " ":
        return [Edit(start, end + 1, "")]
    if prose.text[start - 1] == " ":
        return [Edit(start - 1, end, "")]
    return None


@operation(severity=4)
def swapped_spans(prose: Prose, rng: Random) -> list[Edit] | None:
    """Two stretches of a kind changed places."""
    whole = rng.random() < 0.5
    if whole:
        first, second = _sentences(prose, rng, 1), _sentences(prose, rng, 1)
    else:
        first, second = _phrase(prose, rng, 2, 8), _phrase(prose, rng, 2, 8)
    if first is None or second is None:
        return None
    if whole and prose.paragraph_at(first[0]) == prose.paragraph_at(second[0]):
        return None  # of two sentences on one thing either may come first
    text = prose.text
    return [Edit(*first, text[slice(*second)]), Edit(*second, text[slice(*first)])]


@operation(severity=3)
def swapped_halves(prose: Prose, rng: Random) -> list[Edit] | None:
    """The second half of a stretch stands before the first."""
    span = _stretch(prose, rng, 4, 20)
    if span is None:
        return None
    start, end = span
    first, after = bisect_left(prose.starts, start), bisect_left(prose.starts, end)
    middle = first + (after - first) // 2
    if not first < middle < after or not prose.spaced(middle - 1):
        return None
    cut = prose.starts[middle]
    text = prose.text
    return [Edit(start, end, f"{text[cut:end]} {text[start : cut - 1]}")]


# Paragraphs

_OPENS_A_BLOCK = frozenset("#-*+>|`=~•<\t ")
"""What opens a heading, a list, a quotation or a table: a paragraph break there belongs to the layout."""


_SPEECH_ENDS = '"”’»'
_SPEECH_OPENS = '"“‘«'


def speech_breaks(prose: Prose) -> tuple[Span, ...]:
    """The single blank lines before the speech of another than spoke in the paragraph before.

    There a break is due, whoever writes; elsewhere it is the writer's choice, and nobody could miss it.
    """
    return tuple(
        (start, end)
        for start, end in prose.breaks
        if prose.text[start:end] in ("\n\n", "\r\n\r\n")
        and not prose.text[start - 1].isspace()
        and prose.text[start - 1] in ".!?…\"”’')]"
        and prose.text[end] not in _OPENS_A_BLOCK
        and not prose.text[end].isdigit()
        and prose.text[end] in _SPEECH_OPENS
        and any(mark in prose.text[prose.paragraph_at(start - 1)[0] : start] for mark in _SPEECH_ENDS)
    )


@operation(severity=2, named_by="neighbours")
def lost_paragraph_break(prose: Prose, rng: Random) -> list[Edit] | None:
    """Two paragraphs became one, in which two people speak."""
    span = pick(rng, prose.places(speech_breaks))
    return None if span is None else [Edit(*span, " ")]


@operation(severity=2, named_by="neighbours")
def stray_paragraph_break(prose: Prose, rng: Random) -> list[Edit] | None:
    """A blank line in the middle of a sentence."""
    for _ in range(8):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if prose.spaced(index) and prose.word(index + 1).islower():
            return [Edit(prose.ends[index], prose.starts[index + 1], prose.newline * 2)]
    return None
