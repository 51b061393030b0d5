"""A pipeline: an ordered list of steps that begins with a source and ends in layouts.

Besides single steps there are four ways to arrange them: `family`, `over`, `mix` and `also`. All of them mean one
thing to the engine: a row goes in, and rows and leaves come out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.layout import Layout
from retroweave.pipeline.source import Source
from retroweave.pipeline.step import Step

__all__ = [
    "Arm",
    "Cap",
    "Family",
    "Mix",
    "Node",
    "Over",
    "Pipeline",
    "also",
    "best",
    "family",
    "lines",
    "mix",
    "over",
    "walk",
]


@dataclass(frozen=True)
class Family:
    """A nested pipeline that runs to its end before the row goes on, so that siblings can be seen together."""

    steps: tuple[Node, ...]
    into: str | None
    want: int | None
    tries: int
    pick: Callable[[list[dict[str, Any]]], Sequence[dict[str, Any]]] | None
    name: str


@dataclass(frozen=True)
class Over:
    """The members of a family become rows again."""

    table: str

    @property
    def name(self) -> str:
        return f"over {self.table}"


@dataclass(frozen=True)
class Arm:
    name: str
    weight: float
    steps: tuple[Node, ...]


@dataclass(frozen=True)
class Mix:
    """Several ways on: one of them by weight, or all."""

    arms: tuple[Arm, ...]
    all: bool
    name: str


Node = Step | Layout | Family | Over | Mix

ARM = "{}=(weight, step, step, ...)"


def family(
    *steps: Node,
    into: str | None = None,
    want: int | None = None,
    tries: int = 1,
    pick: Callable[[list[dict[str, Any]]], Sequence[dict[str, Any]]] | None = None,
    name: str = "family",
) -> Family:
    """Run `steps` to their end and gather the rows that survive.

    With `into` they are folded into that field, a list of dicts; without it they go on as rows. `pick` sees the
    siblings together and chooses among them: drops twins, caps kinds. Where fewer than `want` survive, the family is
    drawn again, at most `tries` times; a table that stays too small is a reject, rows go on as many as came.
    """
    if tries < 1 or (want is not None and want < 1):
        raise UserError(f"The family {name!r} needs tries and want of at least 1, not {tries} and {want}.")
    if into is not None and not into.isidentifier():
        raise UserError(f"The family {name!r} folds into {into!r}; a field's name is a Python identifier.")
    return Family(_nodes(steps), into, want, tries, pick, name)


def best(score: str, count: int = 1) -> Callable[[list[dict[str, Any]]], Sequence[dict[str, Any]]]:
    """A `pick` for a family: of the siblings those with the highest `score`, a field that a judge wrote."""

    def pick(members: list[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        return sorted(members, key=lambda one: one[score], reverse=True)[:count]

    return pick


def over(table: str) -> Over:
    """Make each member of the family folded into `table` a row of its own."""
    return Over(table)


def mix(name: str = "mix", /, **arms: tuple[float, *tuple[Node, ...]]) -> Mix:
    """Go on by one of several arms, `name=(weight, step, step, ...)`, drawn by weight for each row."""
    for arm, given in arms.items():
        if not (isinstance(given, (tuple, list)) and given and isinstance(given[0], (int, float))):
            raise UserError(f"The arm {arm!r} of the mix {name!r} is its weight, then its steps: {ARM.format(arm)}.")
    declared = tuple(Arm(arm, float(weight), _nodes(steps)) for arm, (weight, *steps) in arms.items())
    if not declared or min(arm.weight for arm in declared) < 0 or not any(arm.weight for arm in declared):
        raise UserError(f"The mix {name!r} needs arms with weights of at least 0, and one above.")
    return Mix(declared, all=False, name=name)


def also(name: str = "also", /, **arms: tuple[Node, ...]) -> Mix:
    """Go on by all of several arms: each gives samples of its own."""
    if not arms:
        raise UserError(f"{name!r} has no arms: each row that comes to it would be lost.")
    for arm, steps in arms.items():
        if not isinstance(steps, (tuple, list)) or any(isinstance(step, (int, float)) for step in steps):
            raise UserError(f"The arm {arm!r} of {name!r} is its steps: {arm}=(step, step, ...). It has no weight.")
    return Mix(tuple(Arm(arm, 1.0, _nodes(steps)) for arm, steps in arms.items()), all=True, name=name)


def _nodes(steps: Sequence[Any]) -> tuple[Node, ...]:
    for step in steps:
        if not isinstance(step, Node):
            raise UserError(
                f"{step!r} is no step. A pipeline holds steps (compute, prompt, corrupt, verify, judge), arrangements "
                "of them (family, over, mix, also) and layouts."
            )
    return tuple(steps)


@dataclass(frozen=True)
class Cap:
    """At the gate: of the N samples asked for, at most a share may have a measure's value."""

    measure: str
    shares: Mapping[Any, float]
    """Value to share between 0 and 1; `"*"` stands for every value that is not named."""

    def bound(self, value: Any, rows: int) -> int | None:
        """How many of `rows` samples may have this value. Rounded down, unless the named shares make up a whole."""
        share = self.shares.get(value, self.shares.get("*"))
        return None if share is None else _floor(share * rows) + (value in self._rounded_up(rows))

    def _rounded_up(self, rows: int) -> list[Any]:
        """Of shares that make up a whole, those with the largest remainders, so that there is room for every sample."""
        exact = {value: share * rows for value, share in self.shares.items() if value != "*"}
        left = rows - sum(map(_floor, exact.values()))
        if sum(exact.values()) < rows - 1e-6 or left <= 0:
            return []
        return sorted(exact, key=lambda value: _floor(exact[value]) - exact[value])[:left]


def _floor(number: float) -> int:
    return math.floor(number + 1e-9)  # 0.29 * 100 is a little less than 29


@dataclass(frozen=True)
class Pipeline:
    """What a recipe gives: a source, the steps, and what the finished set must keep to."""

    source: Source
    steps: tuple[Node, ...]
    resources: Mapping[str, Any]
    """Name to something built before rows flow; steps ask for it by `Resource[...]`."""
    models: Mapping[str, str]
    """Name to a model, as `--model` names it; steps ask it by a parameter of that name annotated `Model`."""
    caps: tuple[Cap, ...]
    keep: tuple[str, ...]
    """Fields that each sample's provenance keeps."""
    measures: tuple[str, ...]
    """Fields (numbers, strings, flags, lists of strings) that the report counts and the caps look at."""
    validation: float
    """The share of source clusters whose samples are held out."""

    def __init__(
        self,
        source: Source,
        *steps: Node,
        resources: Mapping[str, Any] | None = None,
        models: Mapping[str, str] | None = None,
        caps: Sequence[Cap] = (),
        keep: Sequence[str] = (),
        measures: Sequence[str] = (),
        validation: float = 0.05,
    ) -> None:
        set_ = object.__setattr__
        if not isinstance(source, Source):
            raise UserError(f"A pipeline begins with a source, such as given(...), and not with {source!r}.")
        set_(self, "source", source)
        set_(self, "steps", _nodes(steps))
        set_(self, "resources", dict(resources or {}))
        set_(self, "models", dict(models or {}))
        set_(self, "caps", tuple(caps))
        set_(self, "keep", tuple(keep))
        set_(self, "measures", tuple(measures))
        set_(self, "validation", validation)

    @property
    def awaits(self) -> bool:
        """Whether any step waits for something outside the process."""
        return any(isinstance(node, Step) and node.awaits for node in walk(self.steps))


def walk(steps: Sequence[Node]) -> Iterator[Node]:
    """Every node, those inside families and mixes after the one that holds them."""
    for node in steps:
        yield node
        if isinstance(node, Family):
            yield from walk(node.steps)
        elif isinstance(node, Mix):
            for arm in node.arms:
                yield from walk(arm.steps)


def lines(steps: Sequence[Node], before: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
    """Every straight line that a row may take through the mixes, up to its layout."""
    for index, node in enumerate(steps):
        if isinstance(node, Mix):
            for arm in node.arms:
                yield from lines((*arm.steps, *steps[index + 1 :]), before)
            return
        if isinstance(node, Family):
            for inside in lines(node.steps):
                yield from lines(steps[index + 1 :], (*before, replace(node, steps=inside)))
            return
        before = (*before, node)
        if isinstance(node, Layout):
            break
    yield before
