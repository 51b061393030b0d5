"""Spans of a text that could answer a question: a name, a number, a date, a quotation, a reason, a sentence.

A question is derived from its answer, so the answer is found first, by rules that a person can read. They know English,
and they look for what is worth asking for and not for all that could be: who wants another kind adds a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Span", "candidates", "points_back", "sentences"]


class Span(NamedTuple):
    """A stretch of the text, and the kind of answer that it is."""

    start: int
    end: int
    kind: str


_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_UNIT = (
    "(?:per cent|percent|years?|days?|hours?|minutes?|seconds?|months?|weeks?|miles?|metres?|feet|inches|yards?|"
    "kilometres?|centimetres?|millimetres?|litres?|gallons?|kilograms?|grams?|tons?|tonnes?|pounds?|shillings?|pence|"
    "francs?|dollars?|degrees?|bags?|bales?|men|women|people|children|passengers?|pages?|copies|ships?|houses?)"
)
_NO_NAME = (
    "A|After|An|And|As|At|Before|But|By|During|For|From|He|Her|His|I|If|In|Into|It|Its|My|No|Of|On|Or|Our|She|Since|So|"
    "That|The|Their|They|This|To|Under|Until|We|When|While|With|"
    "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
)
_NAME = rf"(?!(?:{_NO_NAME}|{_MONTH})\b)[A-Z][\w-]*[a-z]\w*(?![’'][a-z])"

_YEAR = r"1[5-9]\d\d|20\d\d"
_DATE = rf"\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?|{_MONTH} \d{{4}}|{_YEAR}"
_AMOUNT = rf"[£$€]?\d[\d,.]*\d(?: ?%| {_UNIT}\b)?|[£$€]?\d(?: ?%| {_UNIT}\b)"
_CAUSE = "because|so that|in order to|for fear of|owing to|on account of"

_PATTERNS = {
    "date": rf"\b(?:{_DATE})\b",
    "number": rf"(?<![\w.,:/–-])(?:{_AMOUNT})(?![\w:/–-]|[.,]\d)",
    "name": rf"\b{_NAME}(?: (?:of |the |de |van |von )?{_NAME})+\b|(?<=[a-z,;] ){_NAME}\b",
    "quotation": r"(?<=[“\"])[A-Z][^“”\"\n]{8,80}[\w!?](?=[,.]?[”\"])",
    "reason": rf"\b(?:{_CAUSE}) [^.;:!?\n“”\"()]{{12,110}}(?=[.;!?])",
}
_BOUND = re.compile(r"(?<=[.!?])[”\"’')\]]*\s+(?=[“\"‘(\[]?[A-Z0-9])|\n{2,}")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Messrs|Prof|Capt|Rev|No|Nos|vol|cf|e\.g|i\.e|[A-Z])\.$")
_POINTING = frozenset(
    {
        *("he", "she", "it", "they", "we", "i", "you", "this", "that", "these", "those", "his", "her", "its", "their"),
        *("but", "and", "so", "then", "such", "both", "neither"),
    }
)
"""Words that begin a sentence which cannot be understood without the one before."""
_WORDS_OF_A_SENTENCE = range(8, 31)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, without the white space around it."""
    start = 0
    for bound in _BOUND.finditer(text):
        end = bound.start() + len(bound[0].rstrip())
        if _ABBREVIATION.search(text, start, end):
            continue
        yield from _trimmed(text, start, end)
        start = bound.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    inner = text[start:end].strip()
    if inner:
        begin = text.index(inner, start)
        yield begin, begin + len(inner)


def candidates(text: str) -> list[Span]:
    """The spans that could be answers, in the order of the text.

    What stands in the text more than once is left out: a question could not tell which of them it is about.
    """
    found: list[Span] = []
    for kind, pattern in _PATTERNS.items():  # a year is a date, and not a number once more
        spans = (Span(match.start(), match.end(), kind) for match in re.finditer(pattern, text))
        found += [span for span in spans if kind != "number" or not any(_inside(span, other) for other in found)]
    whole = [Span(start, end, "sentence") for start, end in sentences(text) if _asks_for_itself(text[start:end])]
    unique = [span for span in (*found, *whole) if text.count(text[span.start : span.end]) == 1]
    return sorted(unique)


def _inside(span: Span, other: Span) -> bool:
    return other.start <= span.start and span.end <= other.end


def _asks_for_itself(sentence: str) -> bool:
    """Whether a sentence says something whole: no question, no speech, and no word that points outside of it."""
    return (
        len(sentence.split()) in _WORDS_OF_A_SENTENCE
        and sentence.endswith(".")
        and not re.search(r"[“”\"\n]", sentence)
        and not points_back(sentence)
    )


def points_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that means something said before: a pronoun, a `but`."""
    return sentence.split(maxsplit=1)[0].lower().strip("“\"'‘,") in _POINTING
