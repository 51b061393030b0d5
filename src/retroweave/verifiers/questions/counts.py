"""Families that count: words, sentences, paragraphs, letters, marks. A wrong number is wrong by one.

The same number is asked about two texts, so that a small one is as often right as a large one.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal, shuffled
from retroweave.verifiers.questions.reading import Text, agreed_words

__all__: list[str] = []


def exactly(count: int, least: int = 2, most: int = 40, **values: object) -> Claims:
    """Is it this number? The number itself, and those beside it."""
    if least <= count <= most:
        for number in range(max(least, count - 1), count + 2):
            yield Claim(number == count, {**values, "number": number}, {"found": count})


@family(same=True)
def sentence_count(text: Text, rng: Random) -> Claims:
    """There are exactly so many sentences."""
    return exactly(len(text.sentences))


@family(same=True)
def sentences_more(text: Text, rng: Random) -> Claims:
    """There are more than so many sentences."""
    count = len(text.sentences)
    for number in range(max(2, count - 2), count + 2 if count else 0):
        yield Claim(count > number, {"number": number}, {"found": count})


@family(same=True)
def words_more(text: Text, rng: Random) -> Claims:
    """There are more than so many words; near the border, by a twentieth or less."""
    fewest, most = text.word_range
    for number in _around(fewest, most):
        if not fewest <= number < most:
            yield Claim(fewest > number, {"number": number}, {"found": fewest if fewest > number else most})


@family(same=True)
def words_fewer(text: Text, rng: Random) -> Claims:
    """There are fewer than so many words; near the border, by a twentieth or less."""
    fewest, most = text.word_range
    for number in _around(fewest, most):
        if not fewest < number <= most:
            yield Claim(most < number, {"number": number}, {"found": most if most < number else fewest})


def _around(fewest: int, most: int) -> range:
    room = 2 + most // 20
    return range(fewest - room, most + room + 1) if fewest >= 12 else range(0)


@family(same=True)
def sentence_words(text: Text, rng: Random) -> Claims:
    """A certain sentence has exactly so many words."""
    for place, sentence in enumerate(text.sentences[:10]):
        yield from exactly(len(agreed_words(sentence)), least=3, most=25, place=ordinal(place))


@family(same=True)
def paragraph_count(text: Text, rng: Random) -> Claims:
    """There are exactly so many paragraphs."""
    return exactly(len(text.paragraphs))


@family(same=True)
def word_times(text: Text, rng: Random) -> Claims:
    """A word stands there exactly so many times."""
    for word in text.plain:
        yield from exactly(text.loose[word], word=word)
    for word in shuffled(_SMALL_WORDS & text.loose.keys(), rng):
        if text.words:
            yield from exactly(text.loose[word], most=12, word=word)


_SMALL_WORDS = frozenset({"the", "and", "of", "in", "to", "with", "from", "was", "had", "were", "for", "his", "her"})


@family(same=True)
def letter_times(text: Text, rng: Random) -> Claims:
    """A letter stands exactly so many times in a certain sentence."""
    for place, sentence in enumerate(text.sentences[:6]):
        if sentence.isascii() or sentence.translate(_CURLY).isascii():
            counts = Counter(letter for letter in sentence.lower() if letter.isalpha())
            for letter in shuffled(sorted(counts), rng)[:6]:
                yield from exactly(counts[letter], most=8, place=ordinal(place), letter=letter)


_CURLY = str.maketrans("", "", "“”‘’–—")


@family(same=True)
def comma_count(text: Text, rng: Random) -> Claims:
    """There are exactly so many commas."""
    digits = any(one.isdigit() for one in text.shown)
    return exactly(0 if digits else text.shown.count(","), most=15)


@family(same=True)
def capital_words(text: Text, rng: Random) -> Claims:
    """Exactly so many words of a certain sentence begin with a capital letter."""
    for place, sentence in enumerate(text.sentences[:10]):
        capitals = [word for word in agreed_words(sentence) if word[0].isupper()]
        yield from exactly(len(capitals), most=9, place=ordinal(place))


@family(same=True, weight=4)
def question_count(text: Text, rng: Random) -> Claims:
    """Exactly so many sentences end with a question mark."""
    if text.sentences:
        count = sum(sentence.rstrip("”\"’')").endswith("?") for sentence in text.sentences)
        for number in range(max(1, count - 1), count + 2):
            yield Claim(number == count, {"number": number}, {"found": count})
