"""Families about letters: is one there, how do words end, what do they begin with."""

from __future__ import annotations

import re
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal
from retroweave.verifiers.questions.reading import Text, agreed_words

__all__: list[str] = []


@family(same=True)
def letter_present(text: Text, rng: Random) -> Claims:
    """A letter occurs somewhere in the text."""
    if text.shown.translate(_MARKS).isascii():
        for letter in "bfgjkpqvxyz":
            yield Claim(letter in text.shown.lower(), {"letter": letter})


_MARKS = str.maketrans("", "", "“”‘’–—…£")


@family(same=True)
def word_ending(text: Text, rng: Random) -> Claims:
    """Some word of the text ends in certain letters."""
    if text.words:
        small = [word.lower() for word in text.words]
        for ending in _ENDINGS:
            found = sorted(word for word in small if word.endswith(ending) and len(word) > len(ending))
            yield Claim(bool(found), {"ending": ending}, {"found": found[0]} if found else {})


_ENDINGS = ("ing", "ed", "ly", "er", "est", "tion", "ness", "ous", "ful", "al", "y", "ers", "s", "th", "ck", "ght")


@family(same=True)
def double_letter(text: Text, rng: Random) -> Claims:
    """A letter stands twice in a row somewhere in a word."""
    if text.shown.translate(_MARKS).isascii():
        for letter in "bcdefglmnoprst":
            found = sorted(word for word in text.loose if letter * 2 in word)
            yield Claim(bool(found), {"letters": letter * 2}, {"found": found[0]} if found else {})


@family()
def vowel_first(text: Text, rng: Random) -> Claims:
    """A certain sentence begins with one of the letters a, e, i, o and u."""
    for place, sentence in enumerate(text.sentences[:8]):
        words = agreed_words(sentence)
        if words and words[0][0].isascii() and len(text.sentences) > 1:
            yield Claim(words[0][0].lower() in "aeiou", {"place": ordinal(place)}, {"found": words[0]})


@family()
def any_word_begins(text: Text, rng: Random) -> Claims:
    """In a certain sentence some word begins with a certain letter; if none does, it is inside of one."""
    for place, sentence in enumerate(text.sentences[:8]):
        words = [word.lower() for word in agreed_words(sentence)]
        if len(words) >= 4 and "".join(words).replace("’", "").isascii():
            initials = {word[0] for word in words}
            for letter in sorted(set(re.findall("[a-z]", "".join(words)))):
                found = {"found": min(word for word in words if word[0] == letter)} if letter in initials else {}
                yield Claim(letter in initials, {"place": ordinal(place), "letter": letter}, found)
