"""What an operator of bugs is, where it could break a function, and the table of all of them.

An operator is a function that looks at a sound `Code` and yields its sites: the few edits of each, what a diagnosis
quotes of it, and facts in words. The decorator `operator` puts it into `OPERATORS` under its name. An operator changes
nothing and knows nothing of the others, and it need not care for what must stay or whether the result parses:
`planting` refuses a site that breaks these rules. How a bug is put into words stands in `words/<operator>.txt`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from string import Formatter
from typing import Literal

from retroweave.corruptions.code import Code, Span
from retroweave.corruptions.operation import Edit
from retroweave.pipeline.errors import UserError
from retroweave.text.variants import read_variants

__all__ = [
    "KINDS",
    "OPERATORS",
    "VOICES",
    "Edit",
    "Kind",
    "Operator",
    "Site",
    "Sites",
    "added",
    "change",
    "operator",
    "removed",
    "removed_lines",
    "swap",
]

Kind = Literal["syntax", "name", "type", "access", "logic"]
KINDS: tuple[Kind, ...] = ("syntax", "name", "type", "access", "logic")
"""In the order in which a person meets them: what does not parse, what does not run, what runs and is wrong."""

VOICES = ("reviewer", "teacher", "chat", "tracker")
"""Who speaks in a diagnosis: a terse reviewer, a patient teacher, a colleague in chat, a report in a bug tracker."""


@dataclass(frozen=True)
class Site:
    """A place where a function could be broken in one way."""

    edits: tuple[Edit, ...]
    """One to three, in order and apart."""
    shown: Span
    """What a diagnosis quotes as it stands (`{now}`) and as it should stand (`{was}`)."""
    at: int
    """The offset whose line a diagnosis names: what is shown or, where nothing is left to show, the line before."""
    facts: dict[str, str] = field(default_factory=dict)
    """Names and numbers that a diagnosis tells besides."""
    quotes: dict[str, Span] = field(default_factory=dict)
    """Other code that a diagnosis quotes, which no other bug may then change."""


Sites = Iterator[Site]
Find = Callable[[Code], Sites]


def change(span: Span, new: str, shown: Span | None = None, **facts: str) -> Site:
    """A site that puts `new` in the place of a stretch."""
    shown = shown or span
    return Site((Edit(*span, new),), shown, shown[0], facts)


def added(at: int, new: str, shown: Span | None = None, **facts: str) -> Site:
    return change((at, at), new, shown, **facts)


def removed(span: Span, shown: Span | None = None, **facts: str) -> Site:
    return change(span, "", shown, **facts)


def swap(code: Code, first: Span, second: Span, shown: Span, **facts: str) -> Site:
    """A site that makes two stretches change places."""
    text = code.text
    return Site((Edit(*first, text[slice(*second)]), Edit(*second, text[slice(*first)])), shown, shown[0], facts)


def removed_lines(code: Code, statement: ast.stmt, **facts: str) -> Sites:
    """The site that takes a statement out with its lines, if another one is left in its block.

    Its diagnosis names the line after which the statement is missing.
    """
    lines = code.lines_of(statement)
    if lines is not None and len(code.block(statement)) > 1:
        yield Site((Edit(*lines, ""),), code.span(statement), lines[0] - 1, facts)


@dataclass(frozen=True)
class Operator:
    """A kind of mistake that people make."""

    name: str
    kind: Kind
    function: Find
    title: str
    """A few words that name the bug, as a heading would."""
    effect: str | None
    """What goes wrong at run time, where one can say so for every site."""

    @property
    def summary(self) -> str:
        """What a person would say of such a bug, in a sentence or two."""
        return " ".join((self.function.__doc__ or "").split())

    def sites(self, code: Code) -> tuple[Site, ...]:
        """Where it could break a function, in an order that hangs on nothing but the text."""
        return code.places(self._all_sites)

    @cached_property
    def _all_sites(self) -> Callable[[Code], tuple[Site, ...]]:
        return lambda code: tuple(self.function(code))

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The phrasings of its diagnosis, a group for each of `VOICES`."""
        file = files("retroweave.corruptions.bugs") / "words" / f"{self.name}.txt"
        groups = tuple(tuple(group.splitlines()) for group in read_variants(file))
        if len(groups) != len(VOICES):
            raise UserError(
                f"{file} holds {len(groups)} groups of phrasings. Write one for each voice ({', '.join(VOICES)}), "
                "one phrasing a line, and a line of just % between the groups."
            )
        return groups

    @cached_property
    def tells(self) -> frozenset[str]:
        """What its phrasings tell, by placeholder."""
        phrasings = (phrasing for group in self.words for phrasing in group)
        return frozenset(name for phrasing in phrasings for _, name, _, _ in Formatter().parse(phrasing) if name)


OPERATORS: dict[str, Operator] = {}


def operator(kind: Kind, title: str, *, effect: str | None = None) -> Callable[[Find], Find]:
    """Register a function `(code)` that yields sites as the operator of its name."""

    def register(function: Find) -> Find:
        OPERATORS[function.__name__] = Operator(function.__name__, kind, function, title, effect)
        return function

    return register
