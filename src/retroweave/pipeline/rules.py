"""The rules of the game: which pipelines teach only what there is evidence for.

`check` holds a pipeline to rules 1 to 8 before anything runs or is paid for. It tries every program that verifies on
the rows that it brings (rule 7) and otherwise runs nothing. Rule 5 is also held at run time, by the layouts; rule 9
looks at the finished set, in `quality.lint`.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.errors import Drop, InvalidPipeline, RetroweaveError, UserError
from retroweave.pipeline.evidence import Broken, Evidence, FlowBroken, trace
from retroweave.pipeline.flow import Bench, drive
from retroweave.pipeline.layout import Each, Layout, Turn
from retroweave.pipeline.licenses import combine, validate
from retroweave.pipeline.pipeline import Cap, Mix, Node, Pipeline, lines, walk
from retroweave.pipeline.row import Drawn, Row
from retroweave.pipeline.step import Step, fits
from retroweave.pipeline.verdict import Score

__all__ = ["Broken", "check", "require_judges_hold", "require_valid", "traces", "try_judges"]


def require_valid(pipeline: Pipeline, name: str) -> None:
    """Raise `InvalidPipeline`, which lists every broken rule, unless the pipeline is valid."""
    if broken := check(pipeline):
        listed = "\n".join(f"  - {one}" for one in broken)
        raise InvalidPipeline(f"The pipeline of {name!r} breaks rules of evidence:\n{listed}")


def check(pipeline: Pipeline) -> list[Broken]:
    """Every broken rule, each once."""
    found = itertools.chain(
        _structure(pipeline), _evidence(pipeline), _checks_can_fail(pipeline), _licenses_add_up(pipeline)
    )
    return list(dict.fromkeys(found))


def traces(pipeline: Pipeline) -> Iterator[tuple[tuple[Node, ...], Evidence]]:
    """Each straight line of the pipeline with its evidence. Raises `FlowBroken` where a line cannot be followed."""
    for line in lines(pipeline.steps):
        yield line, trace(pipeline.source.fields, line)


def _structure(pipeline: Pipeline) -> Iterator[Broken]:
    for line in lines(pipeline.steps):
        last = line[-1] if line else None
        if not isinstance(last, Layout):
            yield Broken(
                1,
                last.name if last else "given",
                None,
                "the line ends here, without a layout.",
                "end each arm with reverse(...) or layout(...).",
            )
    for node in walk(pipeline.steps):
        if isinstance(node, Step):
            for parameter, resource in node.resources.items():
                if resource not in pipeline.resources:
                    yield Broken(
                        1,
                        node.name,
                        parameter,
                        f"it asks for the resource {resource!r}, which the pipeline does not have.",
                        f"pass it: Pipeline(..., resources={{{resource!r}: ...}}).",
                    )
            for parameter, model in node.models.items():
                if model not in pipeline.models:
                    yield Broken(
                        1,
                        node.name,
                        parameter,
                        f"it asks the model {model!r}, which the pipeline does not have.",
                        f"name it: Pipeline(..., models={{{model!r}: config.model}}).",
                    )
    yield from _twins(pipeline)
    yield from _nothing_behind_layouts(pipeline.steps)
    if not 0 <= pipeline.validation < 1:
        problem = f"the share held out for validation is {pipeline.validation}."
        yield Broken(1, "given", None, problem, "choose a share from 0 to below 1.")
    for cap in pipeline.caps:
        yield from _cap_holds(cap, pipeline)


def _twins(pipeline: Pipeline) -> Iterator[Broken]:
    """Layouts of one name could not be told apart, and mixes of one name would draw the same arms."""
    nodes = list(walk(pipeline.steps))
    layouts = Counter(node.name for node in nodes if isinstance(node, Layout))
    mixes = Counter(node.name for node in nodes if isinstance(node, Mix) and not node.all)
    for name in [name for name, count in layouts.items() if count > 1]:
        yield Broken(1, name, None, "two layouts have this name.", "give each layout a name of its own, name=....")
    for name in [name for name, count in mixes.items() if count > 1]:
        yield Broken(1, name, None, "two mixes have this name.", 'give one of them a name: mix("another name", ...).')


def _nothing_behind_layouts(steps: Sequence[Node]) -> Iterator[Broken]:
    """A row ends in its layout: what stands behind one in the same list is never reached."""
    for node, behind in itertools.zip_longest(steps, steps[1:]):
        if isinstance(node, Layout) and behind is not None:
            problem = f"a row ends in its layout, and never comes to {behind.name!r} behind it."
            yield Broken(1, node.name, None, problem, "put it before the layout, or give it an arm: also(...).")
        if isinstance(node, Mix):
            for arm in node.arms:
                yield from _nothing_behind_layouts(arm.steps)


def _cap_holds(cap: Cap, pipeline: Pipeline) -> Iterator[Broken]:
    if cap.measure != "layout" and cap.measure not in pipeline.measures:
        problem = f"a cap looks at {cap.measure!r}, which is no measure."
        yield Broken(1, "cap", cap.measure, problem, f"add it: Pipeline(..., measures=[..., {cap.measure!r}]).")
    for value, share in cap.shares.items():
        if not 0 <= share <= 1:
            problem = f"the cap on {value!r} is {share}."
            yield Broken(1, "cap", cap.measure, problem, "a cap is a share of the samples, from 0 to 1.")
    if cap.measure == "layout":
        yield from _cap_on_layouts(cap, [node.name for node in walk(pipeline.steps) if isinstance(node, Layout)])


def _cap_on_layouts(cap: Cap, layouts: Sequence[str]) -> Iterator[Broken]:
    for name in cap.shares.keys() - {*layouts, "*"}:
        problem = f"a cap looks at the layout {name!r}, which there is not."
        yield Broken(1, "cap", "layout", problem, f"there is {', '.join(map(repr, layouts))}.")
    shares = [cap.shares.get(name, cap.shares.get("*", 1.0)) for name in layouts]
    if sum(shares) < 1 - 1e-9:
        problem = f"the caps on all layouts together are {sum(shares):g} of the samples, so the rest could never come."
        yield Broken(
            1, "cap", "layout", problem, "let the shares add up to 1 or more, or leave a layout without a cap."
        )


def _evidence(pipeline: Pipeline) -> Iterator[Broken]:
    for line in lines(pipeline.steps):
        try:
            evidence = trace(pipeline.source.fields, line)
        except FlowBroken as stop:
            yield stop.broken
            continue
        if not line or not isinstance(line[-1], Layout):
            continue
        for name in (*pipeline.keep, *pipeline.measures):
            if name not in evidence.fields:
                problem = f"the pipeline keeps {name!r}, which nothing on the way to {line[-1].name!r} writes."
                yield Broken(1, line[-1].name, name, problem, "write it on every line, or do not keep it.")
        yield from _layout(line[-1], evidence)


def _layout(layout: Layout, evidence: Evidence) -> Iterator[Broken]:
    """Rules 1 to 6 for one layout, turn by turn."""
    yield from _rounds(layout, evidence)
    if not any(turn.train for turn in layout.flat()):
        problem = "it trains no turn."
        yield Broken(3, layout.name, None, problem, "let assistant(...) say what is to be learnt, and train it.")
    # What tools there are is known from the first turn on, and each call is held to them when it is laid out.
    tools = [layout.tools] if layout.tools in evidence else []
    shown = tools.copy()
    untrained: list[str] = []
    yield from _hidden_context(layout, tools, evidence)
    if layout.tools and not tools:
        yield Broken(
            1,
            layout.name,
            layout.tools,
            f"it takes its tools from {layout.tools!r}, which nothing writes.",
            "write the tools' JSON schemas into a field before the layout.",
        )
    for turn in layout.flat():
        fields = layout.fields(turn)
        missing = [name for name in fields if name not in evidence]
        for name in missing:
            there = ", ".join(evidence.fields)
            problem = f"its {turn.role} turn shows {name!r}, which nothing writes; there is {there}."
            yield Broken(1, layout.name, name, problem, "write it before the layout, or show another field.")
        present = [name for name in fields if name not in missing]
        yield from _hidden_context(layout, present, evidence)
        if turn.train:
            if not missing:
                yield from _has_ground(layout, turn, present, shown)
            yield from _untied(layout, present, evidence, untrained)
            for name in present:
                yield from _trained_field(layout, name, evidence, shown, untrained)
        else:
            untrained += present
        shown += present


def _rounds(layout: Layout, evidence: Evidence) -> Iterator[Broken]:
    """Of turns that repeat: what they repeat over is a list, and no round shows what the next one trains."""
    for part in layout.turns:
        if not isinstance(part, Each):
            continue
        for name in part.lists:
            found = evidence[name].type if name in evidence.fields else None
            if found is str or not any(fits(found, kind) for kind in (list, tuple, Sequence)):
                kind = "which nothing writes" if found is None else f"which {evidence[name].step!r} writes as no list"
                problem = f"its turns repeat over {name!r}, {kind}."
                yield Broken(1, layout.name, name, problem, "each(...) takes the names of fields that hold a list.")
        said = {name for turn in part.turns if not turn.train for name in layout.fields(turn)}
        trained = {name for turn in part.turns if turn.train for name in layout.fields(turn)}
        if not layout.extractive:
            yield from (_leak(layout, name) for name in sorted(said & trained - set(part.lists)))


def _leak(layout: Layout, name: str) -> Broken:
    return Broken(
        5,
        layout.name,
        name,
        "it stands in an earlier untrained turn: the answer is in the question.",
        "take it out of the question, or say extractive=True where copying is the task.",
    )


def _has_ground(layout: Layout, turn: Turn, fields: Sequence[str], shown: Sequence[str]) -> Iterator[Broken]:
    said = turn.template.text or f"call={turn.call!r}"
    text = said if len(said) <= 40 else said[:37] + "..."
    if not fields:
        yield Broken(
            3,
            layout.name,
            None,
            f"the trained turn {text!r} holds no field: nothing says that it is right.",
            "train a field that a step wrote and a check raised, even where it always says the same.",
        )
    if not shown:
        yield Broken(
            3,
            layout.name,
            None,
            f"no field stands before the trained turn {text!r}: the answer would be learnt from nothing.",
            "show in an earlier turn what the answer is about or descends from.",
        )


def _untied(layout: Layout, fields: Sequence[str], evidence: Evidence, untrained: Sequence[str]) -> Iterator[Broken]:
    """What was shown must have to do with the answer: with one of its fields, where a turn holds several."""
    for other in untrained:
        if fields and other not in fields and not any(evidence.tied(other, name) for name in fields):
            yield Broken(
                3,
                layout.name,
                fields[0],
                f"nothing ties {other!r}, shown before it, to this answer.",
                f"derive one from the other, or add a check that reads {other!r} and raises {fields[0]!r}.",
            )


def _trained_field(
    layout: Layout, name: str, evidence: Evidence, shown: Sequence[str], untrained: Sequence[str]
) -> Iterator[Broken]:
    fact = evidence[name]
    worth = evidence.worth(name)
    if worth < layout.floor:
        yield Broken(
            2,
            layout.name,
            name,
            f"it is trained and worth only {worth}; the floor is {layout.floor}.",
            f"raise it with a verify or judge step of at least that strength whose other supports are worth as much, "
            f'do not train that turn (train=False), or lower the floor (floor="{worth}") and say so.',
        )
    if bad := evidence.unshown(name, shown):
        yield Broken(
            3,
            layout.name,
            name,
            f"it is a statement about {bad!r}, which no earlier turn shows.",
            f"show {{{bad}}} in an earlier turn, or read it as a support if the field does not speak of it.",
        )
    elif unseen := evidence.unseen_by_checks(name, shown):
        check, other = unseen
        yield Broken(
            3,
            layout.name,
            name,
            f"its check {check!r} is a statement about {other!r}, which no earlier turn shows.",
            f"show {{{other}}} in an earlier turn, or let {check!r} read it as a support, so that its worth counts.",
        )
    if layout.reversed and untrained and not _descends(name, evidence, untrained):
        yield Broken(
            3,
            layout.name,
            name,
            f"reverse promises a question that descends from the answer, but none of {', '.join(untrained)} descends "
            "from it or from what it rests on.",
            "derive the question from the answer, or use layout(...), which promises less.",
        )
    if fact.damaged:
        yield Broken(
            4,
            layout.name,
            name,
            f"it is trained, and {fact.step!r} damaged it or built it on damage.",
            "train the clean field; where the result only speaks of the damaged text, mark that read About[...].",
        )
    elif about := evidence.unchecked_damage(name):
        yield Broken(
            4,
            layout.name,
            name,
            f"it speaks of {about!r}, which is damaged, and no check raises it.",
            "add verify(..., raises=...) that replays the operations or runs the log again.",
        )
    if name in untrained and not layout.extractive:
        yield _leak(layout, name)


def _descends(name: str, evidence: Evidence, untrained: Sequence[str]) -> bool:
    grounds = evidence.rests_on(name)
    return any(grounds & evidence.origins(other) for other in untrained)


def _hidden_context(layout: Layout, fields: Sequence[str], evidence: Evidence) -> Iterator[Broken]:
    for name in fields:
        for secret in sorted(other for other in evidence.may_copy(name) if evidence[other].hidden):
            yield Broken(
                6,
                layout.name,
                name,
                f"it shows {secret!r}, which only the generator may see.",
                "show the plain instruction in its place; the generator's context stays in the provenance.",
            )


def _checks_can_fail(pipeline: Pipeline) -> Iterator[Broken]:
    for step in walk(pipeline.steps):
        if isinstance(step, Step) and step.checks:
            yield from _can_fail(step, pipeline.resources)


def _can_fail(step: Step, resources: Mapping[str, Any]) -> Iterator[Broken]:
    reads = set(step.reads.values())
    example = "good={...} with every field that it reads, and spoiled={field: value} for each field that it raises"
    if step.good is None or not reads <= set(step.good):
        missing = sorted(reads - set(step.good or {}))
        yield Broken(7, step.name, None, f"it brings no good row with {', '.join(missing)}.", f"give it {example}.")
        return
    unspoiled = sorted(reads & set(step.raises) - set(step.spoiled))
    if unspoiled or not step.spoiled:
        problem = (
            f"nothing shows that it looks at {', '.join(unspoiled)}."
            if unspoiled
            else "nothing shows that it can reject a row."
        )
        yield Broken(7, step.name, unspoiled[0] if unspoiled else None, problem, f"give it {example}.")
    for name in sorted(set(step.spoiled) - reads):
        yield Broken(7, step.name, name, "it spoils a field that it does not read.", "spoil a field that it reads.")
    if step.move == "verify" and not step.awaits and resources.keys() >= set(step.resources.values()):
        yield from drive(_tried(step, resources))


async def require_judges_hold(bench: Bench) -> None:
    """Rule 7 for the checks that may cost money: a run's first calls. Raises `InvalidPipeline` where one does not."""
    if broken := await try_judges(bench.pipeline, bench.desk):
        # A judge that stands in several arms of the pipeline errs in each of them alike.
        listed = "\n".join(dict.fromkeys(f"  - {one}" for one in broken))
        perhaps = _perhaps_the_model(bench, {one.step for one in broken})
        raise InvalidPipeline(f"The judges of {bench.recipe!r} were tried, and do not hold{perhaps}:\n{listed}")


async def try_judges(pipeline: Pipeline, desk: Desk | None = None) -> list[Broken]:
    """What the judges make of the rows that they bring, side by side."""
    checks = [node for node in walk(pipeline.steps) if isinstance(node, Step) and node.checks]
    costly = [step for step in checks if step.move == "judge" or step.awaits]
    tried = await asyncio.gather(*(_tried(step, pipeline.resources, desk) for step in costly))
    return [broken for found in tried for broken in found]


async def _tried(step: Step, resources: Mapping[str, Any], desk: Desk | None = None) -> list[Broken]:
    """The check on its own good row, and on that row with one field spoiled at a time."""
    found = []
    assert step.good is not None
    if not (verdict := await _verdict(step, step.good, resources, desk)):
        why = f": {verdict.reason}" if isinstance(verdict, Score) and verdict.reason else ""
        found.append(Broken(7, step.name, None, f"it rejects its own good row{why}.", "mend the check or the row."))
    for name, value in step.spoiled.items():
        if name in step.reads.values() and await _verdict(step, {**step.good, name: value}, resources, desk):
            problem = f"it accepts its good row with {name!r} spoiled: it does not depend on that field."
            mend = "make the check look at the field, or spoil it so that it is wrong."
            found.append(Broken(7, step.name, name, problem, mend))
    return found


def _perhaps_the_model(bench: Bench, broken: Set[str]) -> str:
    """A judge's verdict is its model's, and whoever runs the recipe has chosen that."""
    steps = [node for node in walk(bench.pipeline.steps) if isinstance(node, Step) and node.name in broken]
    asked = dict.fromkeys(bench.desk.clients[name].spec.use for step in steps for name in step.models.values())
    if not asked:
        return ""
    return f" (where the recipe is not yours, it is the model that errs: name a better one than {', '.join(asked)})"


async def _verdict(step: Step, row: Mapping[str, Any], resources: Mapping[str, Any], desk: Desk | None) -> Any:
    """What the check says of a row. A check that crashes on its own example has not rejected it."""
    arguments = {parameter: row[name] for parameter, name in step.reads.items()}
    arguments |= {parameter: resources[name] for parameter, name in step.resources.items()}
    if desk is not None:
        example = Row.first(Drawn(0, 0, "example", "the step's own example", "", "train", dict(row)))
        arguments |= {parameter: desk.model(name, step.name, example, b"") for parameter, name in step.models.items()}
    services = {"rng": random.Random(0), "side": "train"}
    arguments |= {parameter: services[service] for parameter, service in step.services.items()}
    try:
        verdict = step.function(**arguments)
        return await verdict if inspect.isawaitable(verdict) else verdict
    except Drop as drop:
        return Score(0.0, False, reason=str(drop))
    except RetroweaveError:
        raise
    except Exception as error:
        raise UserError(
            f"Step {step.name!r} crashed on the example that it brings: {type(error).__name__}: {error}. "
            "A check answers True or False, or raises Drop; mend it before running."
        ) from error


def _licenses_add_up(pipeline: Pipeline) -> Iterator[Broken]:
    source = pipeline.source
    if not source.licenses:
        yield Broken(
            8,
            source.name,
            None,
            "it lets in no licence.",
            'declare the SPDX licences: licenses=("CC0-1.0",).',
        )
        return
    try:
        combine([validate(license) for license in source.licenses])
    except UserError as error:
        yield Broken(8, source.name, None, str(error), "let in only licences that can stand in one dataset.")
