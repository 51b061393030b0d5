"""A trial: a few rows worked on in the open, for the author of a recipe to look at. Nothing is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.flow import Bench, work
from retroweave.pipeline.pipeline import Family, Pipeline, walk
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.run import draws
from retroweave.pipeline.step import Step

__all__ = ["Walk", "Written", "trial"]


@dataclass(frozen=True)
class Written:
    """A field and who wrote it."""

    move: str
    step: str
    field: str
    value: Any


@dataclass(frozen=True)
class Walk:
    """What became of a row, and each field that it held by then, in the order of writing."""

    leaf: Leaf
    written: tuple[Written, ...]


async def trial(pipeline: Pipeline, recipe: str, seed: int, rows: int, desk: Desk | None = None) -> AsyncIterator[Walk]:
    """Work on the first `rows` source rows, one after the other."""
    bench = Bench(pipeline, recipe, seed, desk=desk or Desk())
    writers = _writers(pipeline)
    for drawn in islice(draws(pipeline), rows):
        for leaf in await work(drawn, bench):
            yield Walk(leaf, tuple(_written(leaf, drawn, writers)))


def _writers(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    """Field, move and step, for each step of each arm that writes a field."""
    found: list[tuple[str, str, str]] = []
    for node in walk(pipeline.steps):
        if isinstance(node, Step):
            found += [(name, node.move, node.name) for name in node.writes]
        elif isinstance(node, Family) and node.into:
            found.append((node.into, "family", node.name))
    return found


def _written(leaf: Leaf, drawn: Drawn, writers: list[tuple[str, str, str]]) -> Iterator[Written]:
    fields, trail = (leaf.row.fields, leaf.row.trail) if leaf.row else (drawn.fields, ())
    writer = {field: (move, step) for field, move, step in writers if step in trail or move == "family"}
    for name, value in fields.items():
        move, step = writer.get(name, ("given", leaf.place))
        yield Written(move, step, name, value)
