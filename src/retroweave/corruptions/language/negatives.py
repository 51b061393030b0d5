"""Second negatives: did not see nothing, could not never.

A second negative in a clause of its own is right (he did not go, and nobody knew), and so there must be no other verb
between the two.
"""

from __future__ import annotations

from random import Random

from retroweave.corruptions.language.grouped import (
    COORDINATORS,
    OPENS_A_CLAUSE,
    PRONOUNS,
    Groups,
    pick_grouped,
    replaced,
)
from retroweave.corruptions.lexicon import (
    ARTICLES,
    NEGATORS,
    POSSESSIVES,
    PREPOSITIONS,
    UNDETERMINED,
)
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose

__all__: list[str] = []


_NOT_AFTER = words("did do does could would will should can")
_CONTRACTED = words("didn't don't doesn't couldn't wouldn't won't shouldn't can't cannot")
_SPLITS_NOT = PRONOUNS | ARTICLES | POSSESSIVES | words("only be have been always quite necessarily yet even just but")
_NEGATIVES = words("no nothing nobody nowhere never")
_NOT_BEFORE = words("was were is are had has could would did")
_NEGATIVE_REACH = 10
"""How many words a negative may stand before the word that it calls for."""
_INSIDE_A_CLAUSE = (" ", "\n", "\r\n")
_FIRST = NEGATORS - {"no", "nothing", "nowhere", "nor", "neither"}
"""Negatives that bear on the whole clause. In “no longer of any use” it is the use that is denied, and may be twice."""
_BEGINS_ANOTHER = (
    OPENS_A_CLAUSE | (COORDINATORS - {"or"}) | words("may might must can could will would shall should is are")
)
"""Words between a negative and its second that show another clause."""


def second_negatives(prose: Prose) -> Groups:
    """Words beside which, or in whose place, people put a second negative."""
    lowered = prose.lowered
    found = [
        index
        for index in range(1, len(lowered) - 1)
        if (lowered[index] in UNDETERMINED and _negative_before(prose, index) is not None)
        or (_is_negated_verb(prose, index) and lowered[index + 1] not in _SPLITS_NOT and prose.spaced(index))
        or (lowered[index] in _NEGATIVES and lowered[index - 1] in _NOT_BEFORE and prose.spaced(index - 1))
    ]
    return prose.grouped(set(lowered), found)


def _is_negated_verb(prose: Prose, index: int) -> bool:
    word = prose.lowered[index]
    return word in _CONTRACTED or (word == "not" and prose.lowered[index - 1] in _NOT_AFTER and prose.spaced(index - 1))


def _negative_before(prose: Prose, index: int) -> int | None:
    """The negative that stands before a word in the same clause."""
    lowered = prose.lowered
    if lowered[index] == "any" and lowered[index - 1] in PREPOSITIONS - {"without"} and lowered[index - 2] in NEGATORS:
        return None
    for other in range(index - 1, max(-1, index - 1 - _NEGATIVE_REACH), -1):
        if prose.between(other, other + 1) not in _INSIDE_A_CLAUSE:
            return None
        if lowered[other] in NEGATORS:
            return other if lowered[other] in _FIRST else None
        if lowered[other] in _BEGINS_ANOTHER:
            return None
    return None


@operation(severity=3)
def doubled_negative(prose: Prose, rng: Random) -> list[Edit] | None:
    """A second negative: did not see nothing, could not never, was not nothing.

    The edit is the stretch that holds both, though only one of them is new: quoted alone it is no double negative.
    """
    index = pick_grouped(rng, prose.places(second_negatives))
    if index is None:
        return None
    word = prose.lowered[index]
    first = _negative_before(prose, index) if word in UNDETERMINED else None
    if first is not None:
        second = replaced(prose, index, UNDETERMINED[word])
        return [Edit(prose.starts[first], second.end, f"{prose.text[prose.starts[first] : second.start]}{second.new}")]
    start, end = prose.starts[index if word in _CONTRACTED else index - 1], prose.ends[index]
    if word in _NEGATIVES:
        return [Edit(start, end, f"{prose.word(index - 1)} not {prose.word(index)}")]
    return [Edit(start, end, f"{prose.text[start:end]} never")]
