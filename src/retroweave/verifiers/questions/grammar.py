"""Families about the small words of English, whose class and sense nobody disputes.

There are few of them, and they are listed here or in the question itself. Words that can be of two classes (*that*,
*but*, *before*, *like*, *her*) are in no list of a class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal
from retroweave.verifiers.questions.reading import Text, agreed_words

__all__: list[str] = []

CLASSES: Mapping[str, frozenset[str]] = {
    "an article": frozenset({"a", "an", "the"}),
    "a preposition": frozenset({"of", "from", "with", "into", "at", "among", "upon", "towards", "beside", "despite"}),
    "a pronoun": frozenset(
        {"he", "she", "they", "we", "him", "them", "us", "itself", "himself", "herself", "themselves"}
    ),
    "a conjunction": frozenset({"and", "or", "nor", "because", "although", "unless", "whereas"}),
}


@family(same=True)
def word_class(text: Text, rng: Random) -> Claims:
    """A certain word of a certain sentence is an article, a preposition, a pronoun or a conjunction."""
    for place, sentence in enumerate(text.sentences[:6]):
        for at, word in enumerate(agreed_words(sentence)[:10]):
            own = next((name for name, members in CLASSES.items() if word.lower() in members), None)
            if own and not (word.lower() == "us" and word != "us"):
                values, found = {"nth": ordinal(at), "place": ordinal(place)}, {"word": word, "own": own}
                for name in CLASSES:
                    yield Claim(name == own, {**values, "class_name": name}, found)


def listed(text: Text, words: frozenset[str]) -> Claims:
    """Does one of these words stand there? The question lists them all."""
    found = [word for word in re.findall(r"[^\W\d_]+", text.shown) if word.lower() in words]
    if text.words and "US" not in found and not re.search(_NUMBERED, text.shown):
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


_NUMBERED = r"\b(?:Chapter|Part|Book|Act|Scene|King|Volume|Article|Section|Class|Type|Phase|[IVX]{2,}) ?I\b|\bII"
"""A Roman numeral, which is no pronoun."""


@family(same=True, weight=2)
def first_person(text: Text, rng: Random) -> Claims:
    """One of the words I, me, my, we, us and our stands there."""
    return listed(text, frozenset({"i", "me", "my", "we", "us", "our"}))


@family(same=True, weight=2)
def third_person(text: Text, rng: Random) -> Claims:
    """One of the words he, him, his, she and her stands there."""
    return listed(text, frozenset({"he", "him", "his", "she", "her"}))


@family(same=True, weight=2)
def second_person(text: Text, rng: Random) -> Claims:
    """One of the words you, your and yours stands there."""
    return listed(text, frozenset({"you", "your", "yours"}))


@family(same=True)
def negation(text: Text, rng: Random) -> Claims:
    """One of the words no, not, never, nothing and nobody, or a word that ends in n't, stands there."""
    if text.words:
        small = [word.lower().replace("’", "'") for word in text.words]
        found = [word for word in small if word in _NEGATIONS or word.endswith("n't")]
        others = [word for word in small if word in {"none", "nor", "neither", "nowhere", "cannot"}]
        if not others:
            yield Claim(bool(found), {}, {"found": found[0]} if found else {})


_NEGATIONS = frozenset({"no", "not", "never", "nothing", "nobody"})


@family(same=True, weight=2)
def past_marker(text: Text, rng: Random) -> Claims:
    """One of the past forms was, were and had stands there."""
    if not re.search(r"\b(?:was|were|had)n['’]t\b", text.shown, re.IGNORECASE):
        yield from listed(text, frozenset({"was", "were", "had"}))


@family(same=True)
def present_marker(text: Text, rng: Random) -> Claims:
    """One of the present forms is, are, has and have stands there."""
    if not re.search(r"[’'](?:s|re|ve)\b|n[’']t\b", text.shown):
        yield from listed(text, frozenset({"is", "are", "has", "have"}))


@family(same=True, weight=4)
def future_marker(text: Text, rng: Random) -> Claims:
    """One of the words will and shall stands there."""
    if not re.search(r"[’'](?:ll|t)\b", text.shown):
        yield from listed(text, frozenset({"will", "shall"}))


@family(same=True, weight=4)
def condition(text: Text, rng: Random) -> Claims:
    """The word if or the word unless stands there."""
    return listed(text, frozenset({"if", "unless"}))


@family(same=True, weight=4)
def contrast_word(text: Text, rng: Random) -> Claims:
    """One of the words but, although, though and however stands there."""
    return listed(text, frozenset({"but", "although", "though", "however"}))


@family(same=True, weight=2)
def question_word(text: Text, rng: Random) -> Claims:
    """One of the words who, what, when, where, why and how stands there."""
    return listed(text, frozenset({"who", "what", "when", "where", "why", "how"}))
