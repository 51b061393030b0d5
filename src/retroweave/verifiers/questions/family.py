"""A family of questions, and the two questions in contrast that it gives about a passage.

A family is a function of a text that gives *claims*: an answer, what the question names, and what the reason names. The
wanted answer comes first and the question is made for it: for each passage a family is asked for a question with yes
and for one with no, and where it has only one of them it has none. So each family, and each phrasing of it, is answered
with yes as often as with no, and neither the question nor the passage by itself tells which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from retroweave.text.headings import is_heading
from retroweave.text.spans import sentences
from retroweave.verifiers.questions.reading import Text

__all__ = ["FAMILIES", "ORDINALS", "Claim", "Family", "Question", "contrast", "family", "ordinal", "shuffled"]

T = TypeVar("T")
Claims = Iterable["Claim"]
Values = Mapping[str, Any]


class Claim(NamedTuple):
    """A question about a text with its answer."""

    answer: bool
    values: Values = MappingProxyType({})
    """What the question names."""
    found: Values = MappingProxyType({})
    """What the reason names."""


class Question(NamedTuple):
    """A claim, and the text that it is about."""

    text: str
    claim: Claim


@dataclass(frozen=True)
class Family:
    """One kind of question."""

    name: str
    claims: Callable[[Text, Random], Claims]
    same: bool
    """Whether both answers are given to the same question, about two texts; else to two questions, about one text."""
    weight: float
    """How much sooner than others it is tried: for what few passages allow."""
    extra: str
    """The optional extra that it needs."""

    @property
    def about(self) -> str:
        return str(self.claims.__doc__).strip()


FAMILIES: dict[str, Family] = {}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
SHORTEST = 60
"""Characters of what is shown."""
FEW = 3
"""How many questions are drawn, of those that have two answers in a passage; of them the texts nearest in length."""
WINDOWS = 24
"""How many stretches of a passage are looked at before a family is given up there."""


def family(
    *, same: bool = False, weight: float = 1, extra: str = ""
) -> Callable[[Callable[[Text, Random], Claims]], Family]:
    """Register a function that gives claims about a text. Its docstring is the family's line in the documentation."""

    def register(claims: Callable[[Text, Random], Claims]) -> Family:
        made = Family(claims.__name__, claims, same, weight, extra)
        FAMILIES[made.name] = made
        return made

    return register


def ordinal(place: int) -> str:
    """`third` for 2."""
    return ORDINALS[place]


def contrast(passage: str, asked: Family, rng: Random) -> tuple[Question, Question] | None:
    """A question with yes and one with no, each about a stretch of the passage; nothing where it has not both."""
    texts = windows(passage, rng)
    return _two_texts(texts, asked, rng) if asked.same else _two_questions(texts, asked, rng)


def _two_questions(texts: Iterator[Text], asked: Family, rng: Random) -> tuple[Question, Question] | None:
    """Of two texts about which both could be asked, so that nothing about a text tells its answer; or of one."""
    found: list[tuple[Question, Question]] = []
    for text in texts:
        yes, no = _by_answer(asked.claims(text, rng))
        if yes and no:
            found.append((Question(text.shown, rng.choice(yes)), Question(text.shown, rng.choice(no))))
        if len(found) == 2:
            break
    return (found[0][0], found[-1][1]) if found else None


def _two_texts(texts: Iterator[Text], asked: Family, rng: Random) -> tuple[Question, Question] | None:
    """Of a few questions that have two answers one, about the two texts whose lengths are nearest."""
    found: dict[tuple[Any, ...], tuple[list[Question], list[Question]]] = {}
    for text in texts:
        for claim in asked.claims(text, rng):
            sides = found.setdefault(tuple(claim.values.items()), ([], []))
            sides[not claim.answer].append(Question(text.shown, claim))
    both = shuffled([sides for sides in found.values() if all(sides)], rng)[:FEW]
    pairs = [pair for yes, no in both for pair in product(yes, no)]
    return min(pairs, key=lambda pair: abs(len(pair[0].text) - len(pair[1].text)), default=None)


def _by_answer(claims: Claims) -> tuple[list[Claim], list[Claim]]:
    found: dict[bool, list[Claim]] = {True: [], False: []}
    for claim in claims:
        found[claim.answer].append(claim)
    return found[True], found[False]


def windows(passage: str, rng: Random) -> Iterator[Text]:
    """Stretches of the passage in random order: runs of paragraphs, and of sentences within one paragraph.

    None ends on a heading while there is something that it heads.
    """
    paragraphs = list(_bounds(passage))
    runs = [list(_sentence_bounds(passage, *bounds)) for bounds in paragraphs]
    for _ in range(WINDOWS):
        pieces: Sequence[tuple[int, int]] = paragraphs if rng.random() < 0.4 else rng.choice(runs)
        start = rng.randrange(len(pieces))
        end = min(len(pieces), start + rng.choice((1, 2, 2, 3, 3, 4, 5, 6)))
        while end < len(pieces) and is_heading(passage[slice(*pieces[end - 1])]):
            end += 1
        begin, stop = pieces[start][0], pieces[end - 1][1]
        if stop - begin >= SHORTEST:
            yield Text(passage[begin:stop], f"{passage[:begin]}\n\n{passage[stop:]}")


def _bounds(passage: str) -> Iterator[tuple[int, int]]:
    for piece in re.finditer(r"\S.*?(?=\s*\n[^\S\n]*\n|\s*\Z)", passage, re.DOTALL):
        yield piece.span()


def _sentence_bounds(passage: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    return ((begin + start, begin + end) for start, end in sentences(passage[begin:stop]))


def shuffled(things: Iterable[T], rng: Random) -> list[T]:
    """In random order."""
    listed = list(things)
    rng.shuffle(listed)
    return listed
