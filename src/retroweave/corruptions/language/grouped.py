"""What the operations on language share: places grouped by word, and a word replaced in its own case."""

from __future__ import annotations

from array import array
from random import Random
from typing import TypeAlias

from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit
from retroweave.corruptions.prose import Prose, like, pick

__all__ = ["COORDINATORS", "OPENS_A_CLAUSE", "PRONOUNS", "Groups", "pick_grouped", "replaced", "sentence_words"]

Groups: TypeAlias = "tuple[array[int], ...]"
"""Word indexes that belong together, by word."""

OPENS_A_CLAUSE = words(
    """
    that which who whom whose what where when why how whether if unless because as than since while until till before
    after though although lest once
    """
)
"""Words whose clause may go its own way: she was right that I lose."""
COORDINATORS = words("and but or then so now")
PRONOUNS = words("i he she it we you they")
_SENTENCE_MARKS = ".!?;:"


def pick_grouped(rng: Random, groups: Groups) -> int | None:
    group = pick(rng, groups)
    return None if group is None else pick(rng, group)


def replaced(prose: Prose, index: int, new: str) -> Edit:
    """Put `new` for a word, in its case and with its kind of apostrophe."""
    old = prose.word(index)
    if "'" in new and "'" not in prose.text and "’" in prose.text:
        new = new.replace("'", "’")
    return Edit(prose.starts[index], prose.ends[index], like(new, old))


def sentence_words(prose: Prose, index: int, reach: int, *, forward: bool = False) -> list[str]:
    """The words before a word in its sentence, or after it, nearest first and at most so many."""
    step = 1 if forward else -1
    found: list[str] = []
    for other in range(index + step, index + step * (reach + 1), step):
        if not 0 <= other < len(prose.lowered):
            break
        first, last = min(other, other - step), max(other, other - step)
        if any(mark in prose.between(first, last) for mark in _SENTENCE_MARKS):
            break
        found.append(prose.lowered[other])
    return found
