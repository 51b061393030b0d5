"""A judge of lists: one question of yes or no, put to each item by itself.

An outline is right where each of its points is, and a rubric where each of its items is. A model that is asked about
all of them at once lets one wrong item pass among six good ones; so each is asked about alone, all at the same time,
and one no is enough. What is asked of an item is a `yes_no` judge's affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from retroweave.judges.reading import hints_of, signature_of
from retroweave.judges.yes_no import YesNo
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.row import digest
from retroweave.pipeline.step import About
from retroweave.pipeline.verdict import Score

__all__ = ["Every", "every"]

UNEVEN = "the lists that are judged item by item are empty, or of different lengths"


def every(judge: YesNo, **lists: str) -> Every:
    """A judge that accepts lists of which `judge` accepts every item:

        judge(every(yes_no(words.prompt("covers")), point="points", paragraph="paragraphs"), raises="points", ...)

    `lists` are the judge's parameter and the field with the list that its values are taken from: the first point is
    judged with the first paragraph, and so on. What else the judge reads is the same for all items. The score is that
    of the worst item, so that it passes where the whole does; it is no probability that the list is right.
    """
    return Every(judge, lists)


class Every:
    """Asks about each item of a list. A step's function, with the signature that its judge and its lists give it."""

    def __init__(self, judge: YesNo, lists: Mapping[str, str]) -> None:
        hints = hints_of(judge)
        if unknown := [name for name in lists if name not in hints] or not lists:
            said = ", ".join(unknown) if isinstance(unknown, list) else "nothing"
            raise UserError(f"The judge {judge.__name__!r} reads {', '.join(hints)}, and is given lists for {said}.")
        self.__name__ = f"every_{judge.__name__}"
        self.__doc__ = f"Of each item of {' and '.join(lists.values())}: {judge.__doc__}"
        of_lists: Any = About[list[Any]]
        self.__signature__ = signature_of(
            {
                lists.get(name, name): (of_lists if hasattr(hint, "__metadata__") else list) if name in lists else hint
                for name, hint in hints.items()
            }
        )
        self._judge = judge
        self._lists = dict(lists)
        self._rest = [name for name in hints if name not in lists]

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, but for the model."""
        return digest(self._judge.fingerprint(), repr(sorted(self._lists.items()))).hex()

    async def __call__(self, **given: Any) -> Score:
        columns = [given[field] for field in self._lists.values()]
        if not columns[0] or len({len(column) for column in columns}) > 1:
            raise Drop(UNEVEN)
        rest = {name: given[name] for name in self._rest}
        items = [dict(zip(self._lists, values, strict=True)) for values in zip(*columns, strict=True)]
        scores = await asyncio.gather(*(self._judge(**item, **rest) for item in items))
        parts = {"each": [{"score": one.value, "passed": one.passed, **one.parts} for one in scores]}
        worst = min(scores, key=lambda one: (one.passed, one.value))
        return Score(worst.value, worst.passed, parts, f"an item is refused: {worst.reason}")
