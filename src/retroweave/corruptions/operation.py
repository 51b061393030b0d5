"""What a damage operation is, and the table of all of them.

An operation is a function that looks at a clean passage and says which characters it would replace by which; the
decorator `operation` puts it into `OPERATIONS` under its name. An operation changes nothing itself and knows nothing of
the others: `damage` gives each its room. How the damage of an operation is put into words stands in
`words/<operation>.txt`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from random import Random
from typing import Literal, NamedTuple

from retroweave.corruptions.prose import Prose
from retroweave.pipeline.errors import UserError
from retroweave.text.variants import read_variants

__all__ = ["OPERATIONS", "VOICES", "Edit", "NamedBy", "Operation", "operation"]


class Edit(NamedTuple):
    """Replace `clean[start:end]` by `new`; offsets count code points of the clean text."""

    start: int
    end: int
    new: str


VOICES = ("neutral", "imperative", "conversational")
"""Who speaks in a diagnosis in plain words: a colleague, an editor, or a friend who likes a figure of speech.

Each has its own quotation marks: “ ”, " " and ‘ ’. Only the last may play with causes, and only as a simile."""

NamedBy = Literal["words", "itself", "neighbours"]
"""What a diagnosis quotes to name the place: the whole words round the edit, only what was put there, or, where nothing
is left to quote, the words before and after."""

Find = Callable[..., list[Edit] | None]


@dataclass(frozen=True)
class Operation:
    """A kind of damage."""

    name: str
    function: Find
    severity: int
    """From 1, a blemish, to 5, the sense is lost."""
    recoverable: bool
    """Whether a careful reader can tell what stood there."""
    named_by: NamedBy
    wants_pool: bool
    """Whether it also takes other passages to draw from."""

    def find(self, prose: Prose, rng: Random, pool: Sequence[str]) -> list[Edit]:
        """The edits of one such damage at a place of its own choice; none where it cannot be done."""
        found = self.function(prose, rng, pool) if self.wants_pool else self.function(prose, rng)
        return found or []

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The phrasings of its diagnosis, a group for each of `VOICES`."""
        file = files("retroweave.corruptions") / "words" / f"{self.name}.txt"
        groups = tuple(tuple(group.splitlines()) for group in read_variants(file))
        if len(groups) != len(VOICES):
            raise UserError(
                f"{file} holds {len(groups)} groups of phrasings. Write one for each voice ({', '.join(VOICES)}), "
                "one phrasing a line, and a line of just % between the groups."
            )
        return groups


OPERATIONS: dict[str, Operation] = {}


def operation(*, severity: int, recoverable: bool = True, named_by: NamedBy = "words") -> Callable[[Find], Find]:
    """Register a function `(prose, rng)` or `(prose, rng, pool)` as the damage operation of its name."""

    def register(function: Find) -> Find:
        name = function.__name__
        wants_pool = len(inspect.signature(function).parameters) == 3
        OPERATIONS[name] = Operation(name, function, severity, recoverable, named_by, wants_pool)
        return function

    return register
