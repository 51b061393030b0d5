"""Families about the order of things: what comes first, what stands next to what, what is in one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal, shuffled
from retroweave.verifiers.questions.reading import Text, agreed_words

__all__: list[str] = []


def earlier(names: Sequence[str], rng: Random) -> Claims:
    """Of two that stand in this order: is the one before the other?"""
    for one, other in shuffled(combinations(names, 2), rng)[:6]:
        yield Claim(True, {"word": one, "other": other}, {"found": one})
        yield Claim(False, {"word": other, "other": one}, {"found": one})


@family()
def word_before(text: Text, rng: Random) -> Claims:
    """One word comes before another."""
    return earlier(once(text), rng)


def once(text: Text) -> list[str]:
    """The words that stand there just once, in the order of the text."""
    found = {word for word in text.plain if text.loose[word] == 1}
    return [word for word in text.loose if word in found]  # a counter keeps the order in which it met them


@family()
def first_of_three(text: Text, rng: Random) -> Claims:
    """Of three words a certain one comes first; if not, it is the second of them."""
    for three in shuffled(combinations(once(text)[:24], 3), rng)[:6]:
        listed = ", ".join(f'"{word}"' for word in rng.sample(three, 3))
        yield Claim(True, {"word": three[0], "listed": listed}, {"found": three[0]})
        yield Claim(False, {"word": three[1], "listed": listed}, {"found": three[0]})


@family()
def name_first(text: Text, rng: Random) -> Claims:
    """One name is mentioned before another."""
    inside = re.findall(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b(?![’'-])", text.shown)
    names = {name.lower(): name for name in inside if name not in _TITLES and _only_a_name(name, text)}
    return earlier([names[word] for word in text.loose if word in names], rng)


_TITLES = frozenset({"Miss", "Mrs", "Sir", "Madam", "Lord", "Lady"})
"""What stands before a name, and is none."""


def _only_a_name(name: str, text: Text) -> bool:
    """It stands there once, by itself, and nowhere in small letters."""
    alone = re.findall(rf"(?<![\w’'-]){name}(?![\w’'-])", text.shown)
    return len(alone) == text.shown.count(name) == text.loose[name.lower()] == 1


@family()
def next_word(text: Text, rng: Random) -> Claims:
    """A word is followed at once by another; if not, then there is a word between them."""
    for sentence in text.sentences:
        words = agreed_words(sentence)
        for at, (one, other) in enumerate(pairwise(words[:-1])):
            if one in text.plain and text.loose[one] == 1 and f"{one} {other} {words[at + 2]}" in sentence:
                yield Claim(True, {"word": one, "other": other}, {"found": other})
                if words[at + 2] != other:
                    yield Claim(False, {"word": one, "other": words[at + 2]}, {"found": other})


@family()
def same_sentence(text: Text, rng: Random) -> Claims:
    """Two words stand in the same sentence; if not, then in two that follow one another."""
    words = set(once(text))
    parts = [[word for word in agreed_words(sentence) if word in words] for sentence in text.sentences]
    for one, following in pairwise(parts):
        for part in (one, following):
            yield from (Claim(True, _in_any_order(*two, rng)) for two in shuffled(combinations(part, 2), rng)[:2])
        across = [(word, other) for word in one for other in following]
        yield from (Claim(False, _in_any_order(*two, rng)) for two in shuffled(across, rng)[:4])


def _in_any_order(one: str, other: str, rng: Random) -> dict[str, str]:
    return dict(zip(("word", "other"), rng.sample((one, other), 2), strict=True))


@family(same=True)
def alphabetical(text: Text, rng: Random) -> Claims:
    """The first word of a certain sentence comes before its last word in a dictionary."""
    for place, sentence in enumerate(text.sentences[:4]):
        words = [word.lower() for word in agreed_words(sentence)]
        if words and all(word.isascii() and word.isalpha() for word in (words[0], words[-1])) and words[0] != words[-1]:
            yield Claim(words[0] < words[-1], {"place": ordinal(place)}, {"first": words[0], "last": words[-1]})


@family(weight=2)
def same_start(text: Text, rng: Random) -> Claims:
    """Two certain sentences begin with the same word."""
    starts = [words[0] if (words := agreed_words(sentence)) else "" for sentence in text.sentences[:8]]
    for one, other in combinations(range(len(starts)), 2):
        if starts[one].isalpha() and starts[other].isalpha():
            same = starts[one].lower() == starts[other].lower()
            found = {"found": starts[one], "found_other": starts[other]}
            yield Claim(same, {"place": ordinal(one), "place_other": ordinal(other)}, found)
