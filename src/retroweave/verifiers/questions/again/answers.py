"""What the second answers share: their table, a way to read a text that no family uses, and answers that many have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "AGAIN",
    "CLOSING",
    "PLACES",
    "Answer",
    "Values",
    "again",
    "among",
    "bare",
    "named",
    "numbers_of",
    "paragraphs_of",
    "pieces_of",
    "same_word",
    "sentence_at",
    "sentences_of",
    "told",
    "words_of",
]

Values = Mapping[str, Any]
Answer = Callable[[str, Values, Values], bool | None]

AGAIN: dict[str, Answer] = {}


def again(*names: str) -> Callable[[Answer], Answer]:
    def register(answer: Answer) -> Answer:
        AGAIN.update(dict.fromkeys(names, answer))
        return answer

    return register


def told(answer: bool, reason: Values, /, **facts: object) -> bool | None:
    """The answer, if the reason says what is the case."""
    return answer if all(facts[name] == value for name, value in reason.items()) else None


# Reading, a character at a time

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
CLOSING = "”\"’')"


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, with the apostrophes and hyphens between two of them."""
    found, word = [], ""
    for at, char in enumerate(text):
        between = char in "'’-" and word and at + 1 < len(text) and text[at + 1].isalnum()
        if char.isalnum() or between:
            word += char
        elif word:
            found.append(word)
            word = ""
    return [*found, word] if word else found


def pieces_of(text: str) -> list[str]:
    """Runs of letters, small."""
    return "".join(char if char.isalpha() else " " for char in text.lower()).split()


def sentences_of(text: str) -> list[str]:
    """A sentence is over with the word that ends in a mark."""
    found: list[str] = []
    current: list[str] = []
    for token in text.split():
        current.append(token)
        if token.rstrip(CLOSING)[-1:] in (".", "!", "?"):
            found.append(" ".join(current))
            current = []
    return [*found, " ".join(current)] if current else found


def paragraphs_of(text: str) -> list[str]:
    found = [""]
    for line in text.split("\n"):
        if line.strip():
            found[-1] += line
        elif found[-1]:
            found.append("")
    return [one for one in found if one]


def numbers_of(text: str) -> list[int]:
    return [int(run) for run in "".join(char if char.isdecimal() else " " for char in text).split()]


def sentence_at(text: str, place: str) -> str:
    return sentences_of(text)[PLACES.index(place)]


def bare(token: str) -> str:
    """A word without what stands around it, small."""
    while token and not token[0].isalnum():
        token = token[1:]
    while token and not token[-1].isalnum():
        token = token[:-1]
    return token.lower()


# Answers of a kind


def same_word(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def named(facts: Callable[[str, Values], Sequence[str]]) -> Answer:
    """Is there something of this kind? If there is, the reason names one."""

    def answer(text: str, values: Values, found: Values) -> bool | None:
        seen = facts(text, values)
        return None if found and found["found"] not in seen else bool(seen)

    return answer


def among(words: str) -> Answer:
    """Is one of these words there, capitals aside?"""
    listed = words.split()
    return named(lambda text, values: [one for one in _separate(text) if one.lower() in listed])


def _separate(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text).split()
