"""Words missing, doubled, or in the wrong order.

Much of English may be said in another order (smoked lamb, lamb smoked; read it over, read over it), or with a word less
or more (a good many, a good many many). So small words go, come twice or change places, whose place is fixed.
"""

from __future__ import annotations

from random import Random

from retroweave.corruptions.language.grouped import COORDINATORS, OPENS_A_CLAUSE, PRONOUNS, Groups, pick_grouped
from retroweave.corruptions.lexicon import (
    ARTICLES,
    NEEDED,
    OF_A_WHOLE,
    OPENERS,
    PAST_TENSE,
    POSSESSIVES,
    PREPOSITIONS,
    PRESENT_TENSE,
)
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose, cuts_a_cluster

__all__: list[str] = []

_TRIES = 8


# Missing

_BEFORE_NOUNS = words("same whole only")


def needed_words(prose: Prose) -> Groups:
    """Function words that their sentence cannot do without, with nothing but spaces round them."""
    lowered = prose.lowered
    found = (
        index
        for index in range(1, len(lowered) - 1)
        if (frames := NEEDED.get(lowered[index])) is not None
        and prose.spaced(index - 1)
        and prose.spaced(index)
        and (
            any(lowered[index - 1] in frame.before and lowered[index + 1] in frame.after for frame in frames)
            or _is_the_of(prose, index)
        )
        and (lowered[index] != "the" or _is_no_adjective(prose, index + 1))
    )
    return prose.grouped(NEEDED, found)


def _is_the_of(prose: Prose, index: int) -> bool:
    """A preposition, "the", what there is but one of, and "of": at the edge of."""
    the_of = prose.lowered[index - 1 : index + 3]
    if len(the_of) < 4 or the_of[1] != "the" or the_of[3] != "of":
        return False
    return the_of[0] in PREPOSITIONS and the_of[2] in OF_A_WHOLE


def _is_no_adjective(prose: Prose, noun: int) -> bool:
    """Whether a noun is not followed by another: in the morning, but not in the morning light."""
    if prose.lowered[noun] in _BEFORE_NOUNS or not prose.spaced(noun):
        return True
    return prose.lowered[noun + 1] in OPENERS | PREPOSITIONS | OPENS_A_CLAUSE | COORDINATORS | PRONOUNS


@operation(severity=3, named_by="neighbours")
def dropped_function_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A small word is missing that the sentence needs: one of houses, began walk."""
    index = pick_grouped(rng, prose.places(needed_words))
    if index is None:
        return None
    return [Edit(prose.starts[index], prose.starts[index + 1], "")]


# Doubled

_MAY_STAND_TWICE = words(
    "had that very so no yes again more ha oh bye now well there her what who many much long far old deep big little "
    "is was really quite please never"
)
_PARTICLES = words("on in up over by down off out")


@operation(severity=2)
def doubled_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A word was written twice; mostly a small one, which the eye skips."""
    for attempt in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        word, end = prose.lowered[index], prose.ends[index]
        if word in _MAY_STAND_TWICE or not word.isalpha() or cuts_a_cluster(prose.text, end):
            continue
        if word in _PARTICLES and _follows_a_verb(prose, index):
            continue  # they moved on on foot
        if (len(word) < 5 and word in OPENERS) or (attempt > 4 and prose.word(index).islower()):
            return [Edit(end, end, f" {word}")]
    return None


def _follows_a_verb(prose: Prose, index: int) -> bool:
    before = prose.lowered[index - 1] if index else ""
    verbs = before in PAST_TENSE or before in PRESENT_TENSE or before.endswith(("ed", "ing", "s"))
    return verbs or before in words("go come stay live move walk carry look sit stand get put take turn be it them")


# Swapped

_FLOATS = words(
    "only just even not all both then now still often never always also almost quite rather such once too ever so soon "
    "here there away back up down out off over in on by through along around across about again half what how"
)
"""Words that may stand before their neighbour as well as behind it: saw only the man, saw the only man."""
_FIXED = words("of at from with for into onto between among during upon against toward towards beneath beside")
"""Prepositions that are nothing else, and so stand before their noun."""
_MODALS = words("could would should must might can will shall may")


@operation(severity=3)
def swapped_words(prose: Prose, rng: Random) -> list[Edit] | None:
    """Two words stand in the wrong order, one of which has a fixed place: house the, rain of, they go could."""
    for _ in range(_TRIES * 2):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if not (prose.spaced(index) and prose.word(index).islower() and prose.word(index + 1).islower()):
            continue
        if _order_is_fixed(prose, index):
            return [Edit(prose.starts[index], prose.ends[index + 1], f"{prose.word(index + 1)} {prose.word(index)}")]
    return None


def _order_is_fixed(prose: Prose, index: int) -> bool:
    """Whether a word and its next cannot change places, as far as they tell themselves."""
    first, second = prose.lowered[index : index + 2]
    if first == second or first in _FLOATS or second in _FLOATS or "ly" in (first[-2:], second[-2:]):
        return False
    if first in _MODALS:
        return index > 0 and prose.lowered[index - 1] in PRONOUNS and second not in PRONOUNS
    small = OPENERS | PREPOSITIONS | OPENS_A_CLAUSE | PRONOUNS
    if first in ARTICLES | (POSSESSIVES - {"his", "her"}):
        return second not in small
    if second in ARTICLES:
        return first not in words("many with and or but")
    return first in _FIXED and second not in OPENS_A_CLAUSE
