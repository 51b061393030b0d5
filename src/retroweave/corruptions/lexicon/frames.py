"""Between which words a small word cannot be left out: one [of] the boats, began [to] write.

A frame is a place where English has no other reading. Where the sentence would be right without the word, though it
said another thing (in [the] future, go to [the] sea, wanted [to] help, led [to] the war, out [of] the door), there is
no frame: nobody could tell that a word is missing.
"""

from __future__ import annotations

from typing import NamedTuple

from retroweave.corruptions.lexicon.small_words import ARTICLES, POSSESSIVES
from retroweave.corruptions.lexicon.tables import words

__all__ = ["NEEDED", "OF_A_WHOLE", "Frame"]


class Frame(NamedTuple):
    """Words of which one stands before, and words of which one stands after."""

    before: frozenset[str]
    after: frozenset[str]


def _frame(before: str, after: str | frozenset[str]) -> Frame:
    return Frame(words(before), words(after) if isinstance(after, str) else after)


_OBJECTS = ARTICLES | POSSESSIVES | words("this that these those it them us him me")
_NAMED = ARTICLES | POSSESSIVES | words("this these those")

NEEDED: dict[str, tuple[Frame, ...]] = {
    "the": (
        _frame("of in at on to from through for with by over", "same"),
        _frame("of in to from through for with over during", "whole only"),
        _frame("to from near by under in through at", "door window floor kitchen station forest village"),
        _frame("on to from into", "ground floor street road"),
        _frame("on from", "table"),
        _frame("of in into from through across to", "room world house moon sky"),
        _frame("at from near to toward towards", "end beginning bottom edge top"),
        _frame("in into", "middle morning evening afternoon past garden sky"),
        _frame("on", "wall roof edge bottom whole"),
    ),
    "of": (
        _frame(
            "one part parts kind kinds sort sorts some many most none several edge rest number middle top bottom "
            "instead front piece pieces pair couple cup lots thousands hundreds millions members centre center form",
            _OBJECTS,
        ),
    ),
    "to": (
        _frame(
            "want wanted wants ought able began begin begins tried try tries used seemed seems seem needed needs "
            "decided hoped order learned allowed continued refused managed supposed likely ready going enough",
            "be do see make take get have find keep give know say tell stay hear eat become bring read write "
            "speak understand learn remember carry build",
        ),
        _frame("had has", "be do see make take get have find keep give know say tell hear eat speak write learn"),
        _frame("according due next similar thanks belonged belong belongs listened listen listening opposed", _OBJECTS),
        _frame("went", _NAMED),
    ),
    "a": (
        _frame(
            "for in after was such quite had took take made of as",
            "while moment long dozen hundred thousand handful couple week month year minute pair piece number bit lot",
        ),
        _frame("was is such quite had", "single small large tall big different young long"),
    ),
    "be": (
        _frame("will would can could must should might may", "a an the able no in used made seen found done told"),
        _frame("to", "able used made seen found done told given taken called"),
    ),
    "from": (_frame("away far apart different", _OBJECTS), _frame("came come comes", "my your his its our their her")),
    "with": (_frame("filled covered together", _OBJECTS),),
    "on": (_frame("depends depend depended based insisted relied", _OBJECTS),),
    "at": (_frame("looked look looking looks stared smiled laughed arrived", _OBJECTS),),
    "for": (_frame("waited waiting wait looking reason responsible", _OBJECTS),),
    "than": (_frame("more less better worse larger smaller higher lower older younger longer greater", _OBJECTS),),
}
"""A function word, to the frames in which it cannot be left out."""

OF_A_WHOLE = words(
    "edge end foot bottom middle centre center beginning mouth corner bank shore roof door king queen son "
    "daughter brother wife owner author size shape length height age"
)
"""What something has but one of: at [the] edge of the wood. Where “in case of” says another thing, it is not here."""
