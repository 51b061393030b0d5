"""The engine's loop: what one source row becomes, and nothing about where or when it is worked on.

`flow` sends a row through steps. Every kind of node is the same to it: a row goes in, rows and leaves come out, and
the rows go on. A row that is dropped or that fails becomes a leaf with its step and reason; it never stops the rest.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import traceback
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, singledispatch
from typing import Any, TypeVar

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.errors import Drop, RunStopped
from retroweave.pipeline.layout import LEAK_LENGTH, Conversation, Layout, texts
from retroweave.pipeline.pipeline import Family, Mix, Node, Over, Pipeline
from retroweave.pipeline.row import Drawn, Leaf, LeafKind, Row, digest, numbers
from retroweave.pipeline.step import Step
from retroweave.pipeline.verdict import Score, bare_no

__all__ = ["Bench", "drive", "flow", "work"]

T = TypeVar("T")

UNUSED = random.Random(0)
"""For layouts that draw nothing: to seed numbers takes longer than to lay out a short row."""
WAITS = "this step waits for something; declare it with `async def`"


@dataclass(frozen=True)
class Bench:
    """What a row is worked on with: the same in every process."""

    pipeline: Pipeline
    recipe: str
    seed: int
    together: bool = False
    """Whether the rows that a step gave go on at the same time; they wait for something outside."""
    desk: Desk = field(default_factory=Desk)
    """Where models are asked."""
    plainly: bool = False
    """Whether steps that substitute a prompt ask with the plain one, to compare the two."""

    @cached_property
    def salt(self) -> bytes:
        return digest(self.seed, self.recipe)

    async def all(self, waiting: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        if self.together:
            return list(await asyncio.gather(*waiting))
        return [await one for one in waiting]


async def work(drawn: Drawn, bench: Bench) -> list[Leaf]:
    """All leaves of one source row, in path order."""
    row = Row.first(drawn)
    if drawn.reject:
        return [Leaf("reject", row.path, bench.pipeline.source.name, drawn.reject, place=drawn.place)]
    outcomes = await flow(bench.pipeline.steps, row, bench)
    return [outcome for outcome in outcomes if isinstance(outcome, Leaf)]


async def flow(steps: Sequence[Node], row: Row, bench: Bench) -> list[Leaf | Row]:
    """Every leaf, and every row still under way, that comes of sending `row` through `steps`."""
    for index, node in enumerate(steps):
        try:
            outcomes = await advance(node, row, bench)
        except Drop as drop:
            notes = "\n\n".join(getattr(drop, "__notes__", ()))
            return [_lost("reject", row, node, str(drop), notes)]
        except BaseException as error:
            if not _is_failure(error):
                raise
            reason = f"{type(error).__name__}: {error}"
            return [_lost("failure", row, node, reason, traceback.format_exc())]
        if len(outcomes) == 1 and isinstance(outcomes[0], Row):
            row = outcomes[0]
            continue
        rest = steps[index + 1 :]
        rows = [one for one in outcomes if isinstance(one, Row)]
        following = iter(await bench.all(flow(rest, one, bench) for one in rows) if rows else ())
        return [leaf for one in outcomes for leaf in (next(following) if isinstance(one, Row) else [one])]
    return [row]


def _lost(kind: LeafKind, row: Row, node: Node, reason: str, trace: str = "") -> Leaf:
    """A row that ends here, with what models and judges said of it."""
    return Leaf(kind, row.path, node.name, reason, trace, sample=row.asked, place=row.drawn.place, row=row)


def _is_failure(error: BaseException) -> bool:
    """Whether the step failed; Ctrl-C is none, nor is what stops the run, which cancels what waits."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, (Exception, SystemExit)) and not isinstance(error, RunStopped)


@singledispatch
async def advance(node: Any, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    """One node: a row goes in, rows and leaves come out, in path order."""
    raise TypeError(f"A pipeline holds steps, families, mixes and layouts, not {node!r}.")


@advance.register
async def _step(step: Step, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    if step.hidden:
        row.hidden = (*row.hidden, *_long_texts(row.fields[name] for name in sorted(step.hidden)))
    before = len(row.calls)
    try:
        result = await _called(step, _function(step, bench), _arguments(step, row, bench))
    finally:
        row.settle_calls(before)
    row.trail = (*row.trail, step.name)
    if step.checks:
        _judged(step, result, row)
        return (row,)
    if step.many:
        children = [row.child(step.name, ordinal, _written(step, one)) for ordinal, one in enumerate(result)]
        if not children:
            raise Drop("gave no rows")
        return children
    row.fields.update(_written(step, result))
    return (row,)


def _long_texts(values: Iterable[Any]) -> Iterator[str]:
    """Those that do not show in a sample by chance."""
    return (value for value in values if isinstance(value, str) and len(value) > LEAK_LENGTH)


def _function(step: Step, bench: Bench) -> Callable[..., Any]:
    if step.plain and bench.plainly:
        plainly: Callable[..., Any] = getattr(step.function, "plainly", step.function)
        return plainly
    return step.function


def _judged(step: Step, verdict: Any, row: Row) -> None:
    """Note a verdict that has a score; raises `Drop` where the answer is no."""
    if isinstance(verdict, Score):
        note = {"step": step.name, "score": verdict.value, "passed": verdict.passed, "parts": dict(verdict.parts)}
        row.verdicts = (*row.verdicts, note)
    if step.score is not None:
        row.fields[step.score] = verdict.value if isinstance(verdict, Score) else float(bool(verdict))
    if not verdict:
        said = verdict.reason if isinstance(verdict, Score) else ""
        raise Drop(said or bare_no(step.function, step.name))


async def _called(step: Step, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What the function gives. One that waits without saying so was held for a pure program's, and is refused."""
    result = function(**arguments)
    if step.awaits:
        return await result
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise RuntimeError(WAITS)
    return result


def _arguments(step: Step, row: Row, bench: Bench) -> dict[str, Any]:
    arguments = {parameter: row.fields[name] for parameter, name in step.reads.items()}
    for parameter, name in step.resources.items():
        arguments[parameter] = bench.pipeline.resources[name]
    for parameter, name in step.models.items():
        arguments[parameter] = bench.desk.model(name, step.name, row, bench.salt)
    for parameter, service in step.services.items():
        arguments[parameter] = numbers(bench.salt, step.name, row.id) if service == "rng" else row.drawn.side
    return arguments


def _written(step: Step, result: Any) -> dict[str, Any]:
    if len(step.writes) == 1:
        return {step.writes[0]: result}
    return dict(zip(step.writes, result, strict=True))


@advance.register
async def _layout(layout: Layout, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    rng = numbers(bench.salt, layout.name, row.id) if layout.draws else UNUSED
    conversation = layout.render(row.fields, rng)
    _require_hidden(row, conversation)
    drawn = row.drawn
    sample: dict[str, Any] = {
        "id": digest(bench.salt, row.id, layout.name, *row.path).hex(),
        "messages": conversation.messages,
        "recipe": bench.recipe,
        "layout": layout.name,
        "variants": conversation.variants,
        "license": drawn.license,
        "provenance": {
            "source": {"key": drawn.key, "place": drawn.place, "draw": drawn.draw, "index": drawn.index},
            "seed": bench.seed,
            "steps": [*row.trail, layout.name],
            "spans": conversation.spans,
            "kept": {name: row.fields[name] for name in bench.pipeline.keep},
            "measures": {name: row.fields[name] for name in bench.pipeline.measures},
            **row.asked,
        },
    }
    if layout.extractive:
        sample["provenance"]["extractive"] = True
    if conversation.tools:
        sample["tools"] = conversation.tools
    return (Leaf("sample", row.path, layout.name, sample=sample, place=drawn.place, row=row),)


def _require_hidden(row: Row, conversation: Conversation) -> None:
    """Rule 6 at run time: what only a generator saw does not show, copied by it or by anything else."""
    for secret in dict.fromkeys(row.hidden):
        if any(secret in text for message in conversation.messages for text in texts(message)):
            raise Drop("the generator's hidden context shows in the sample")


@advance.register
async def _mix(mix: Mix, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    """A row that goes one way is the same row; those that go every way are siblings."""
    if not mix.all:
        rng = numbers(bench.salt, mix.name, row.id)
        (arm,) = rng.choices(mix.arms, [arm.weight for arm in mix.arms])
        return await flow(arm.steps, replace(row, path=(*row.path, 0)), bench)
    branches = [flow(arm.steps, row.child(mix.name, ordinal, {}), bench) for ordinal, arm in enumerate(mix.arms)]
    return [outcome for branch in await bench.all(branches) for outcome in branch]


@advance.register
async def _over(over: Over, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    members = row.fields[over.table]
    if not members:
        raise Drop("gave no rows")
    return [row.child(over.name, ordinal, member) for ordinal, member in enumerate(members)]


@advance.register
async def _family(family: Family, row: Row, bench: Bench) -> Sequence[Leaf | Row]:
    """Draw siblings until enough survive; what was rejected on the way stays a leaf."""
    leaves: list[Leaf | Row] = []
    kept: list[Row] = []
    for attempt in range(family.tries):
        outcomes = await flow(family.steps, row.child(family.name, attempt, {}), bench)
        leaves += [one for one in outcomes if isinstance(one, Leaf)]
        kept += [one for one in outcomes if isinstance(one, Row)]
        if family.want and len(_picked(family, row, kept)) >= family.want:
            break
    members = _picked(family, row, kept)[: family.want]
    if family.into:
        _take_over(row, kept)
    if not members or (family.into and len(members) < (family.want or 0)):
        reason = f"{len(members)} of {family.want or 'at least 1'} came out of {family.tries} tries"
        return [*leaves, _lost("reject", row, family, reason)]
    if family.into is None:
        return [*leaves, *members]
    new = [{name: value for name, value in one.fields.items() if name not in row.fields} for one in members]
    row.fields[family.into] = new
    row.trail = members[0].trail
    return [*leaves, row]


def _take_over(row: Row, members: Sequence[Row]) -> None:
    """What models and judges had to do with the members of a family is now told of the row that they fold into."""
    calls, verdicts, hidden = len(row.calls), len(row.verdicts), len(row.hidden)
    for member in members:
        row.calls += member.calls[calls:]
        row.verdicts += member.verdicts[verdicts:]
        row.hidden += member.hidden[hidden:]


def _picked(family: Family, row: Row, kept: list[Row]) -> list[Row]:
    if family.pick is None:
        return kept
    new = [{name: value for name, value in one.fields.items() if name not in row.fields} for one in kept]
    places = {id(fields): place for place, fields in enumerate(new)}
    chosen = [places.get(id(one)) for one in family.pick(new)]
    if None in chosen:
        raise TypeError("pick chooses among the members that it is given; it gave back something else")
    return [kept[place] for place in chosen if place is not None]


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits: the same loop with no event loop under it, for worker processes.

    A step that waits all the same is told so where it stands, and is a failure of its row.
    """
    try:
        coroutine.send(None)
        while True:
            coroutine.throw(RuntimeError(WAITS))
    except StopIteration as done:
        result: T = done.value
        return result
