"""Words for words that sound or look alike.

Some of them fit where the right one stood and say another thing (for years, four years; off course, of course). There
nobody could tell which was meant, so there they are not put.
"""

from __future__ import annotations

from random import Random

from retroweave.corruptions.language.grouped import Groups, pick_grouped, replaced
from retroweave.corruptions.lexicon import ARTICLES, CONFUSED_WORDS, HOMOPHONES, POSSESSIVES, PREPOSITIONS
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose

__all__: list[str] = []

_BEFORE_HAVE = frozenset({"could", "would", "should", "might", "must", "couldn't", "wouldn't", "shouldn't"})
_COUNTED = frozenset({"people", "men", "women", "children", "feet", "hundred", "thousand", "million", "dozen", "more"})
_BEFORE_BASES = frozenset({"to", "will", "would", "can", "could", "may", "might", "must", "should", "shall", "not"})
_SINGULAR = frozenset({"he", "she", "it", "who", "that"})
_HELPED = frozenset({"was", "were", "been", "be", "had", "have", "has", "is", "are"})
_TAKES_OFF = frozenset({"take", "took", "taken", "takes", "cut", "fell", "got", "went", "set", "put", "came", "turned"})
_AT_REST = PREPOSITIONS | {"there", "here", "still", "flat", "open", "awake", "dead", "asleep", "down"}


def _is_wrong(prose: Prose, index: int, new: str) -> bool:
    """Whether `new` is wrong in the place of a word, as far as the words beside it tell."""
    lowered = prose.lowered
    before = lowered[index - 1] if prose.spaced(index - 1) else ""
    after = lowered[index + 1] if prose.spaced(index) else ""
    match lowered[index], new:
        case ("for", "four") | ("to", "two"):
            return not after.endswith("s") and after not in _COUNTED
        case ("of", "off"):
            return after != "course"
        case ("off", "of"):
            return before in _TAKES_OFF or after not in ARTICLES | POSSESSIVES
        case ("wander" | "wandered" | "wandering" | "wonder" | "wondered" | "wondering", _):
            return after not in ("about", "at")
        case ("choose", "chose") | ("lead", "led"):
            return before in _BEFORE_BASES
        case ("chose", "choose"):
            return before in _SINGULAR
        case ("led", "lead"):
            return before in _SINGULAR | _HELPED
        case ("lay", "lie"):
            return False
        case ("later", "latter"):
            return before not in ARTICLES
        case ("quiet", "quite"):
            return before in ARTICLES or not after
    return True


def homophone_places(prose: Prose) -> Groups:
    return prose.grouped(HOMOPHONES, (i for i, word in enumerate(prose.lowered) if _choices(prose, i, word)))


def _choices(prose: Prose, index: int, word: str) -> list[str]:
    others = HOMOPHONES.get(word, ())
    return [new for new in others if _is_wrong(prose, index, new)]


@operation(severity=2)
def homophone(prose: Prose, rng: Random) -> list[Edit] | None:
    """Another word of the same sound."""
    index = pick_grouped(rng, prose.places(homophone_places))
    if index is None:
        return None
    return [replaced(prose, index, rng.choice(_choices(prose, index, prose.lowered[index])))]


def confused_places(prose: Prose) -> Groups:
    lowered = prose.lowered
    found = (i for i, word in enumerate(lowered) if word in CONFUSED_WORDS and _taken_for(prose, i))
    haves = (
        i for i, word in enumerate(lowered) if word == "have" and lowered[i - 1] in _BEFORE_HAVE and prose.spaced(i - 1)
    )
    return prose.grouped(CONFUSED_WORDS, found) + prose.grouped({"have"}, haves)


def _taken_for(prose: Prose, index: int) -> list[str]:
    """What a word is taken for; lay, where it is the past of lie, for laid."""
    word = prose.lowered[index]
    if word == "have":
        return ["of"]
    found = [new for new in CONFUSED_WORDS[word] if _is_wrong(prose, index, new)]
    if word == "lay" and prose.spaced(index) and prose.lowered[index + 1] in _AT_REST:
        found.append("laid")
    return found


@operation(severity=2)
def confused_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A word that is often taken for the right one, though it sounds otherwise; after could and would, of for have."""
    index = pick_grouped(rng, prose.places(confused_places))
    return None if index is None else [replaced(prose, index, rng.choice(_taken_for(prose, index)))]
