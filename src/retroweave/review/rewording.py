"""A pipeline with other words: one step asks with another version of its prompt file, and all else is as it was.

Steps that ask with a prompt file are those of `text.generation` and the yes/no judges. Others word their prompts in
code, which no page can edit.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from retroweave.judges.yes_no import YesNo
from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.pipeline import Family, Mix, Node, Pipeline, walk
from retroweave.pipeline.rules import require_valid
from retroweave.pipeline.step import Step, judge, prompt
from retroweave.text.generation import Generate
from retroweave.text.prompts import Prompt, read_prompt

__all__ = ["Answered", "PromptStep", "Version", "behind", "prompt_steps", "read_version", "reworded", "stopped_at"]


@dataclass(frozen=True, slots=True)
class PromptStep:
    """A step that asks with a prompt file."""

    step: str
    """The step's name; of a judge that has several phrasings, with the file's after a slash."""
    path: Path
    text: str
    """The file's."""
    model: str
    """What the pipeline calls it."""
    reads: tuple[str, ...]
    """Fields that the prompt reads."""


@dataclass(frozen=True, slots=True)
class Version:
    """A prompt as somebody would have it."""

    name: str
    """What its author calls it; hidden while people judge."""
    text: str
    """A whole `.prompt` file."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one version gave on one row."""

    row: str
    """The row's way, safe in a URL: `0-17-2`, as a reject's id."""
    version: str
    fields: Mapping[str, str]
    """What the versions' templates read of the row, the same for all of them: it can be shown while names are
    hidden."""
    prompt: tuple[Mapping[str, str], ...]
    """Turns: role and content; a document is one turn of the role `document`. It tells which version it is."""
    answer: str
    kind: Literal["sample", "reject", "failure"]
    """What the rest of the pipeline made of it; `sample` too where it only came to the end of its family."""
    step: str
    reason: str
    scores: Mapping[str, float]
    """By judge, of those that came after it."""
    cached: bool
    """Whether all its answers stood in the journal already, and cost nothing."""
    seconds: float
    tokens: int


def prompt_steps(pipeline: Pipeline) -> list[PromptStep]:
    """The steps whose prompts can be worded otherwise, in the pipeline's order."""
    return [found for found, _, _ in _found(pipeline)]


def _found(pipeline: Pipeline) -> Iterator[tuple[PromptStep, Step, Prompt]]:
    for node in walk(pipeline.steps):
        if not isinstance(node, Step):
            continue
        function = node.function
        prompts = [function.prompt] if isinstance(function, Generate) else getattr(function, "prompts", ())
        for one in prompts if isinstance(function, (Generate, YesNo)) else ():
            path = _path(one)
            if path.is_file():
                name = node.name if len(prompts) == 1 else f"{node.name}/{one.name}"
                model = next(iter(node.models.values()), "")
                yield PromptStep(name, path, path.read_text("utf-8"), model, one.reads), node, one


def _path(found: Prompt) -> Path:
    section = next(iter(found.turns), found.document)
    assert section is not None
    return Path(section.where)


def named_step(pipeline: Pipeline, name: str) -> tuple[PromptStep, Step, Prompt]:
    """Raises `UserError` where no step of the name asks with a prompt file."""
    found = list(_found(pipeline))
    for one in found:
        if one[0].step == name:
            return one
    known = [one.step for one, _, _ in found]
    raise UserError(
        f"No step {name!r} asks with a prompt file. {nearest(name, known) or 'The pipeline has none that does.'} "
        "A step asks with one by prompt(generate(words.prompt('name')), ...)."
    )


def read_version(path: Path, text: str) -> Prompt:
    """A prompt's text as if it stood in the file at `path`, with the examples beside that."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(text, "utf-8", newline="")
        examples = path.with_suffix(".examples.yaml")
        if examples.is_file():
            shutil.copy(examples, copy.with_suffix(".examples.yaml"))
        try:
            return read_prompt(copy)
        except UserError as error:
            raise UserError(str(error).replace(folder, str(path.parent))) from error


def reworded(pipeline: Pipeline, name: str, text: str, recipe: str) -> Step:
    """The step of a pipeline with another text of its prompt. Raises `UserError` where that breaks a rule, or is
    none."""
    found, step, before = named_step(pipeline, name)
    after = read_version(found.path, text)
    new = _asking_with(step, before, after)
    require_valid(_with_step(pipeline, new), recipe)
    return new


def _asking_with(step: Step, before: Prompt, after: Prompt) -> Step:
    """Declared anew, since its fields are those that the prompt reads."""
    function = step.function
    if isinstance(function, Generate):
        generate = function.reworded(after)
        writes = tuple(name for name in step.writes if name != step.plain)
        hidden = tuple(step.hidden & {*after.reads, *step.reads.values()})
        return prompt(
            generate,
            writes=writes,
            hidden=hidden,
            plain=step.plain,
            many=step.many,
            reads=_renames(step, generate.__signature__.parameters),
            name=step.name,
        )
    assert isinstance(function, YesNo)
    about = sorted(parameter for parameter, field in step.reads.items() if field in step.about)
    asks = function.reworded(before, after, about)
    return judge(
        asks,
        raises=step.raises,
        score=step.score,
        accepts_right=step.accepts_right,
        accepts_wrong=step.accepts_wrong,
        good=step.good,
        spoiled=step.spoiled,
        reads=_renames(step, asks.__signature__.parameters),
        name=step.name,
    )


def _renames(step: Step, parameters: Mapping[str, Any]) -> dict[str, str]:
    return {name: field for name, field in step.reads.items() if name != field and name in parameters}


def _with_step(pipeline: Pipeline, step: Step) -> Pipeline:
    return _like(pipeline, _mapped(pipeline.steps, lambda node: step if node.name == step.name else node))


def stopped_at(pipeline: Pipeline, name: str, stop: Callable[..., Any]) -> Pipeline:
    """The pipeline in which each row that comes to a step meets `stop` in its place, once in each family."""

    def stopping(node: Node) -> Node:
        if isinstance(node, Step) and node.name == name:
            return replace(node, function=stop, reads={}, services={}, models={}, resources={}, hidden=frozenset())
        if isinstance(node, Family) and any(inner.name == name for inner in walk(node.steps)):
            return replace(node, tries=1, want=None, pick=None)
        return node

    return _like(pipeline, _mapped(pipeline.steps, stopping))


def behind(steps: Sequence[Node], name: str) -> tuple[Node, ...] | None:
    """What a row goes through after a step: to its layout, or to the end of a family that is folded into a field.

    `None` where the step is not among them.
    """
    for index, node in enumerate(steps):
        if node.name == name and isinstance(node, Step):
            return tuple(steps[index + 1 :])
        inside = node.steps if isinstance(node, Family) else ()
        arms = [arm.steps for arm in node.arms] if isinstance(node, Mix) else [inside]
        for arm in arms:
            rest = behind(arm, name)
            if rest is not None:
                folds = isinstance(node, Family) and node.into is not None
                return rest if folds else (*rest, *steps[index + 1 :])
    return None


def _mapped(steps: Sequence[Node], change: Callable[[Node], Node]) -> tuple[Node, ...]:
    """Each node changed, those inside others first."""
    found: list[Node] = []
    for node in steps:
        if isinstance(node, Family):
            found.append(change(replace(node, steps=_mapped(node.steps, change))))
        elif isinstance(node, Mix):
            arms = tuple(replace(arm, steps=_mapped(arm.steps, change)) for arm in node.arms)
            found.append(change(replace(node, arms=arms)))
        else:
            found.append(change(node))
    return tuple(found)


def _like(pipeline: Pipeline, steps: Sequence[Node]) -> Pipeline:
    return Pipeline(
        pipeline.source,
        *steps,
        resources=pipeline.resources,
        models=pipeline.models,
        caps=pipeline.caps,
        keep=pipeline.keep,
        measures=pipeline.measures,
        validation=pipeline.validation,
    )
