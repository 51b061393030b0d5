"""A pipeline in words: the numbered steps as a person would list them, and why each trained field is right."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from retroweave.pipeline.layout import Each, Layout, Turn
from retroweave.pipeline.pipeline import Family, Mix, Node, Over, Pipeline, walk
from retroweave.pipeline.rules import traces
from retroweave.pipeline.step import Step

__all__ = [
    "StepLine",
    "TrainedField",
    "calls_tools",
    "describe",
    "judges",
    "outline",
    "trained_fields",
    "untyped",
    "worths",
]


@dataclass(frozen=True)
class StepLine:
    """One numbered line."""

    number: str
    depth: int
    move: str
    name: str
    reads: tuple[str, ...]
    about: tuple[str, ...]
    writes: tuple[str, ...]
    raises: tuple[str, ...]
    text: str
    """What the function's docstring says first, or what the arrangement does."""
    turns: tuple[Turn, ...] = ()
    """The turns of a layout."""


@dataclass(frozen=True)
class TrainedField:
    layout: str
    field: str
    worth: str
    checks: tuple[str, ...]
    """The steps that vouch for it."""


def describe(pipeline: Pipeline) -> list[StepLine]:
    """The steps in order, numbered 1, 2, 2.1 ..."""
    source = pipeline.source
    text = f"rows of {source.name}, under {', '.join(source.licenses)}"
    first = StepLine("1", 0, "given", source.name, (), (), tuple(source.fields), (), text)
    return [first, *_lines(pipeline.steps, "", 2, 0)]


def _lines(steps: Sequence[Node], prefix: str, start: int, depth: int) -> Iterator[StepLine]:
    for count, node in enumerate(steps, start):
        number = f"{prefix}{count}"
        yield _line(node, number, depth)
        if isinstance(node, Family):
            yield from _lines(node.steps, f"{number}.", 1, depth + 1)
        elif isinstance(node, Mix):
            for index, arm in enumerate(node.arms):
                letter = ascii_lowercase[index % 26] * (index // 26 + 1)
                share = "always" if node.all else f"{arm.weight / sum(other.weight for other in node.arms):.0%} of rows"
                yield StepLine(f"{number}{letter}", depth + 1, "arm", arm.name, (), (), (), (), share)
                yield from _lines(arm.steps, f"{number}{letter}.", 1, depth + 2)


def _line(node: Node, number: str, depth: int) -> StepLine:
    if isinstance(node, Step):
        reads = tuple(dict.fromkeys(node.reads.values()))
        about = tuple(name for name in reads if name in node.about)
        function = node.function.func if isinstance(node.function, functools.partial) else node.function
        doc = (function.__doc__ or "").strip().partition("\n")[0]
        return StepLine(number, depth, node.move, node.name, reads, about, node.writes, node.raises, doc)
    if isinstance(node, Layout):
        shown = tuple(dict.fromkeys(name for turn in node.flat() for name in node.fields(turn)))
        trained = tuple(dict.fromkeys(name for turn in node.flat() if turn.train for name in node.fields(turn)))
        move = "reverse" if node.reversed else "layout"
        text = "trains " + ", ".join(trained) + f"; floor {node.floor}"
        return StepLine(number, depth, move, node.name, shown, (), (), (), text, tuple(node.flat()))
    if isinstance(node, Family):
        into = (node.into,) if node.into else ()
        text = f"until {node.want} survive, {node.tries} tries" if node.want else f"{node.tries} tries"
        return StepLine(number, depth, "family", node.name, (), (), into, (), text)
    if isinstance(node, Over):
        return StepLine(number, depth, "over", node.name, (node.table,), (), (), (), "each member a row of its own")
    text = "all of" if node.all else "one of, by weight"
    return StepLine(number, depth, "also" if node.all else "mix", node.name, (), (), (), (), text)


def trained_fields(pipeline: Pipeline) -> list[TrainedField]:
    """Each field that some layout trains, with its worth. The pipeline must be valid."""
    found: dict[TrainedField, None] = {}
    for line, evidence in traces(pipeline):
        layout = line[-1]
        assert isinstance(layout, Layout)
        for turn in layout.flat():
            for name in layout.fields(turn) if turn.train else ():
                checks = tuple(check.step for check in evidence[name].checks)
                found[TrainedField(layout.name, name, str(evidence.worth(name)), checks)] = None
    return list(found)


def worths(pipeline: Pipeline) -> dict[tuple[str, str], str]:
    """The worth of each field, and the mark of damage, by the step that wrote it. The pipeline must be valid."""
    found = {}
    for _, evidence in traces(pipeline):
        for name, fact in evidence.facts.items():
            worth = str(evidence.worth(name))
            step = pipeline.source.name if fact.move == "given" else fact.step
            found[step, name.rpartition(".")[2]] = f"{worth}, damaged" if fact.damaged else worth
    return found


def judges(pipeline: Pipeline) -> list[Step]:
    """The judged steps, in order."""
    return [node for node in walk(pipeline.steps) if isinstance(node, Step) and node.move == "judge"]


def untyped(pipeline: Pipeline) -> dict[str, list[str]]:
    """Steps whose function leaves types unsaid, and of what: a read or a result without one fits anything in rule 1."""
    found = {node.name: _unsaid(node) for node in walk(pipeline.steps) if isinstance(node, Step)}
    return {name: unsaid for name, unsaid in found.items() if unsaid}


def _unsaid(step: Step) -> list[str]:
    signature = inspect.signature(step.function)
    reads = [name for name in step.reads if signature.parameters[name].annotation is inspect.Parameter.empty]
    result = not step.checks and signature.return_annotation is inspect.Signature.empty
    return [*reads, *(["its result"] if result else [])]


def calls_tools(pipeline: Pipeline) -> bool:
    """Whether some layout calls tools."""
    return any(isinstance(node, Layout) and node.tools for node in walk(pipeline.steps))


def outline(pipeline: Pipeline) -> Iterator[str]:
    """Everything declared, as text for a hash: steps, templates with their words, weights, caps; no addresses."""
    yield repr(sorted(pipeline.models))
    yield repr((pipeline.caps, pipeline.keep, pipeline.measures, pipeline.validation, pipeline.source.licenses))
    yield from _outline(pipeline.steps)


def _outline(steps: Sequence[Node]) -> Iterator[str]:
    for node in steps:
        if isinstance(node, Step):
            yield repr(
                (
                    node.move,
                    node.name,
                    sorted(node.reads.items()),
                    node.writes,
                    node.raises,
                    node.many,
                    node.plain,
                    node.score,
                    int(node.strength),
                )
            )
            if callable(tell := getattr(node.function, "fingerprint", None)):  # such as a rubric from a file
                yield str(tell())
        elif isinstance(node, Layout):
            yield repr((node.name, node.extractive, [_turn(turn) for turn in node.turns], *filter(None, (node.tools,))))
            for name, words in node.words.items():
                yield repr((name, [template.text for template in words.templates]))
        elif isinstance(node, Family):
            yield repr((node.name, node.into, node.want, node.tries, "{"))
            yield from _outline(node.steps)
            yield "}"
        elif isinstance(node, Mix):
            for arm in node.arms:
                yield repr((node.name, node.all, arm.name, arm.weight, "{"))
                yield from _outline(arm.steps)
                yield "}"
        else:
            yield repr(node.table)


def _turn(turn: Any) -> Any:
    if isinstance(turn, Each):
        return (turn.lists, [_turn(inner) for inner in turn.turns])
    return (turn.role, turn.template.text, turn.train, *filter(None, (turn.call,)))
