"""Families about the shape of sentences: lengths, longest words, what is repeated, what the initials say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, permutations
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal, shuffled
from retroweave.verifiers.questions.reading import Text, agreed_words

__all__: list[str] = []


def cut(text: Text) -> list[tuple[str, ...]]:
    """The words of each sentence, where all of them are agreed upon."""
    found = [agreed_words(sentence) for sentence in text.sentences[:10]]
    return found if all(found) else []


@family(same=True)
def longer_sentence(text: Text, rng: Random) -> Claims:
    """One sentence has more words than another."""
    lengths = [len(words) for words in cut(text)]
    for one, other in shuffled(permutations(range(len(lengths)), 2), rng)[:8]:
        if lengths[one] != lengths[other]:
            values = {"place": ordinal(one), "place_other": ordinal(other)}
            yield Claim(lengths[one] > lengths[other], values, {"found": lengths[one], "found_other": lengths[other]})


@family(same=True, weight=2)
def longest_sentence(text: Text, rng: Random) -> Claims:
    """A certain sentence has the most words; if not, it comes second."""
    lengths = [len(words) for words in cut(text)]
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    if 3 <= len(order) == len(text.sentences) and lengths[order[0]] > lengths[order[1]]:
        found = {"found": ordinal(order[0])}
        yield Claim(True, {"place": ordinal(order[0])}, found)
        yield Claim(False, {"place": ordinal(order[1])}, found)


@family()
def longest_word(text: Text, rng: Random) -> Claims:
    """A word has more letters than any other word of a certain sentence; if not, it comes second."""
    for place, words in enumerate(cut(text)):
        order = sorted(set(words), key=len, reverse=True)
        plain = [word for word in order if word.isalpha()]
        if len(order) >= 4 and order == plain and len(order[1]) > len(order[2]) and len(order[0]) > len(order[1]):
            values = {"place": ordinal(place)}
            yield Claim(True, {**values, "word": order[0]}, {"found": order[0]})
            yield Claim(False, {**values, "word": order[1]}, {"found": order[0]})


@family()
def word_of_length(text: Text, rng: Random) -> Claims:
    """A certain sentence has a word of more than so many letters."""
    for place, words in enumerate(cut(text)):
        longest = max(words, key=len)
        if longest.isalpha() and all(word.isalpha() for word in words):
            values, found = {"place": ordinal(place)}, {"longest": longest, "letters": len(longest)}
            yield Claim(True, {**values, "number": len(longest) - 1}, found)
            yield Claim(False, {**values, "number": len(longest)}, found)


@family(weight=2)
def repeated_word(text: Text, rng: Random) -> Claims:
    """A certain sentence has some word twice."""
    for place, words in enumerate(cut(text)):
        counts = Counter(word.lower() for word in words)
        twice = sorted(word for word, count in counts.items() if count > 1)
        if len(words) >= 6:
            yield Claim(bool(twice), {"place": ordinal(place)}, {"twice": twice[0]} if twice else {})


@family(weight=2)
def alliteration(text: Text, rng: Random) -> Claims:
    """In a certain sentence two words that stand next to each other begin with the same letter."""
    for place, words in enumerate(cut(text)):
        pairs = [(one, other) for one, other in pairwise(words) if one[0].lower() == other[0].lower()]
        if len(words) >= 5 and all(word[0].isascii() for word in words):
            found = dict(zip(("one", "other"), pairs[0], strict=True)) if pairs else {}
            yield Claim(bool(pairs), {"place": ordinal(place)}, found)


@family(weight=2)
def acrostic(text: Text, rng: Random) -> Claims:
    """The first letters of the sentences spell these; if not, two of them have changed places."""
    initials = "".join(words[0][0].upper() for words in cut(text))
    if 3 <= len(initials) <= 8 and len(initials) == len(text.sentences):
        yield Claim(True, {"letters": initials}, {"found": initials})
        for at, (one, other) in enumerate(pairwise(initials)):
            if one != other:
                yield Claim(False, {"letters": f"{initials[:at]}{other}{one}{initials[at + 2 :]}"}, {"found": initials})


@family(same=True, weight=2)
def palindrome(text: Text, rng: Random) -> Claims:
    """Some word of three letters or more reads the same backwards."""
    if text.words:
        found = sorted({word.lower() for word in text.words if len(word) > 2 and _mirrored(word)})
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


def _mirrored(word: str) -> bool:
    return word.isalpha() and word.lower() == word.lower()[::-1]


@family(same=True)
def readability(text: Text, rng: Random) -> Claims:
    """The Automated Readability Index is above a certain number."""
    for index in _index(text):
        for number in range(max(2, round(index) - 3), round(index) + 4):
            if 0.3 <= abs(index - number) <= 3:
                yield Claim(index > number, {"number": number}, {"found": f"{index:.1f}"})


def _index(text: Text) -> Iterator[float]:
    """Smith and Senter's formula of 1967; nothing where words or sentences could be counted in another way."""
    words, sentences = text.words, text.sentences
    letters = sum(map(str.isalnum, text.shown))
    if words and sentences:
        yield 4.71 * letters / len(words) + 0.5 * len(words) / len(sentences) - 21.43


@family(weight=4)
def is_question(text: Text, rng: Random) -> Claims:
    """A certain sentence ends with a question mark."""
    for place, sentence in enumerate(text.sentences[:10]):
        if len(text.sentences) > 1:
            yield Claim(sentence.rstrip("”\"’')").endswith("?"), {"place": ordinal(place)})
