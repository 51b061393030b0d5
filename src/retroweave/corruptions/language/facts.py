"""Numbers and names, which nobody can guess: what is changed here cannot be told from the text."""

from __future__ import annotations

from array import array
from random import Random

from retroweave.corruptions.language.grouped import Groups, pick_grouped, replaced
from retroweave.corruptions.lexicon import NUMBER_WORDS, OPENERS
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose

__all__: list[str] = []


@operation(severity=4, recoverable=False)
def changed_number(prose: Prose, rng: Random) -> list[Edit] | None:
    """Another number, in digits or in words."""
    spelt = prose.places(spelt_numbers)
    if prose.numbers and (not spelt or rng.random() < 0.6):
        start, end = rng.choice(prose.numbers)
        return [Edit(start, end, _other_number(prose.text[start:end], rng))]
    index = pick_grouped(rng, spelt)
    return None if index is None else [replaced(prose, index, rng.choice(NUMBER_WORDS[prose.lowered[index]]))]


def spelt_numbers(prose: Prose) -> Groups:
    return prose.grouped(NUMBER_WORDS)


def _other_number(number: str, rng: Random) -> str:
    """One or two digits changed, in the script of the number; it gets no leading zero that it had not."""
    digits = list(number)
    for _ in range(1 if len(digits) < 3 or rng.random() < 0.7 else 2):
        place = rng.randrange(len(digits))
        zero = ord(digits[place]) - int(digits[place])
        least = 1 if place == 0 and len(digits) > 1 and digits[0] != chr(zero) else 0
        digits[place] = chr(zero + rng.randint(least, 9))
    return "".join(digits)


_NEVER_NAMES = words(
    "i i'm i'll i've i'd mr mrs ms dr sir st god monday tuesday wednesday thursday friday saturday sunday january "
    "february march april may june july august september october november december jan feb mar apr jun jul aug sept "
    "sep oct nov dec article chapter section part figure table act scene street road miss father mother sister doctor "
    "english french german chinese japanese korean indian spanish italian portuguese dutch danish swedish norwegian "
    "finnish russian polish turkish greek roman latin arabic american british scottish irish welsh european african "
    "christmas easter sabbath north south east west"
)


def recurring_names(prose: Prose) -> Groups:
    """The names that stand at least twice in a passage where there are two such names.

    A name is a capitalised word, seen inside a sentence at least once and never in small letters.
    """
    small, inside = set(), set()
    capitalised = []
    for index, lowered in enumerate(prose.lowered):
        name = lowered.removesuffix("'s")
        first = prose.text[prose.starts[index]]
        if not first.isupper() or len(name) < 3:
            small.add(name)
        elif name not in _NEVER_NAMES and name.isalpha() and _name(prose, index)[1:].islower():
            capitalised.append(index)
            if prose.spaced(index - 1):
                inside.add(name)
    groups: dict[str, array[int]] = {}
    for index in capitalised:
        name = prose.lowered[index].removesuffix("'s")
        if name in inside and name not in small and name not in OPENERS:
            groups.setdefault(name, array("I")).append(index)
    names = tuple(group for group in groups.values() if len(group) > 1)
    return names if len(names) > 1 else ()


@operation(severity=4, recoverable=False)
def mixed_up_names(prose: Prose, rng: Random) -> list[Edit] | None:
    """One name of the passage in the place of another."""
    names = prose.places(recurring_names)
    if not names:
        return None
    right, wrong = rng.sample(names, 2)
    index = rng.choice(right)
    return [Edit(prose.starts[index], prose.starts[index] + len(_name(prose, index)), _name(prose, wrong[0]))]


def _name(prose: Prose, index: int) -> str:
    return prose.word(index).removesuffix("'s").removesuffix("’s")
