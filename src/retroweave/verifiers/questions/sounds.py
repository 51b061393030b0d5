"""Families about sounds, by the CMU pronouncing dictionary: rhymes and syllables.

They need the extra `prosody`. Only words count of which all the pronunciations in the dictionary agree.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal
from retroweave.verifiers.questions.reading import Text, agreed_words, these

__all__ = ["can_be_asked"]


def can_be_asked() -> bool:
    """Whether the dictionary is installed."""
    return find_spec("pronouncing") is not None


@cache
def said(word: str) -> tuple[str, ...]:
    """How a word may be said; nothing for one that the dictionary lacks."""
    import pronouncing

    return tuple(pronouncing.phones_for_word(word.lower()))


def _rhymes(word: str) -> str:
    """The part of a word that a rhyme repeats, where there is one way to say it; else nothing."""
    import pronouncing

    parts = {pronouncing.rhyming_part(phones) for phones in said(word)}
    return parts.pop() if len(parts) == 1 else ""


def _last_words(text: Text) -> list[tuple[str, str]]:
    ends = [(ordinal(place), words[-1]) for place, one in enumerate(text.sentences[:8]) if (words := agreed_words(one))]
    return [(place, word.lower()) for place, word in ends if word.isascii() and word.isalpha()]


@family(extra="prosody")
def rhyme(text: Text, rng: Random) -> Claims:
    """The last word of a certain sentence rhymes with a word; if not, that is spelt alike, or rhymes with another."""
    for place, end in _last_words(text):
        part = _rhymes(end)
        for word in _RHYMES if part else ():
            other = _rhymes(word)
            if other == part and not word.endswith(end) and not end.endswith(word):
                yield Claim(True, {"place": place, "word": word}, {"found": end})
            elif other and _far(part, other) and word[-2:] == end[-2:] and word != end:
                yield Claim(False, {"place": place, "word": word}, {"found": end})


def _far(part: str, other: str) -> bool:
    """The vowels that are stressed differ, and so does what an ear would forgive."""
    return part.split()[0][:2] != other.split()[0][:2]


_RHYMES = sorted(
    these(
        "night light day way say stone bone tone done gone one none love move prove dove wood food good blood "
        "flood mood head bread said red bead dead lead word cord lord sword bird third heard beard hour flower "
        "four door poor moor floor more store sea key tea tree free eye high sky by tie come home some foam room "
        "town down known own grown cough though rough bough through enough dough plough ear fear near wear bear "
        "tear pear hair care air there here where were house mouse blouse horse worse course nurse force hand "
        "land wand band wind mind kind find pinned river ever never clever fever water daughter later after table "
        "able cable ring sing thing king long song wrong young among tongue back black track lack ten men pen hen "
        "again rain train plain pane mane heat seat meat great sweat threat boat coat note vote cold old told "
        "fold hold sold salt bolt fall all ball call shall wall tall shore war star car far bar jar warm arm farm "
        "harm storm form charm walls times mines signs days ways stones doors hours years ears nights lights "
        "boats coats hands lands books looks took book look foot boot root soot cut put but nut shut out shout "
        "doubt route date late wait weight height eight state plate gate mate"
    )
)


@family(same=True, extra="prosody")
def syllables(text: Text, rng: Random) -> Claims:
    """The last word of a certain sentence has exactly so many syllables; if not, it is one more or less."""
    import pronouncing

    for place, end in _last_words(text):
        counts = {pronouncing.syllable_count(phones) for phones in said(end)}
        if len(counts) == 1:
            count = counts.pop()
            for number in range(max(1, count - 1), count + 2):
                yield Claim(number == count, {"place": place, "number": number}, {"found": end, "count": count})
