"""Two or more versions of one step's prompt on the same rows, asked as the run would ask.

A row is brought to the step by the pipeline's own steps, and what follows the step says what becomes of the answer. The
seeds are those of a run, so what a run has asked already, with the same words on the same row, stands in the journal of
calls and costs nothing; what is asked here a run will find there. How people judge the answers stands in `comparisons`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Self

from retroweave.models.desk import open_desk
from retroweave.models.licensing import require_terms
from retroweave.models.named import named, open_endpoint
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.flow import Bench, flow, work
from retroweave.pipeline.model import Answer, Endpoint, ModelSpec, Request
from retroweave.pipeline.pipeline import Node
from retroweave.pipeline.recipe import Config, Recipe
from retroweave.pipeline.row import Leaf, Row
from retroweave.pipeline.run import draws
from retroweave.pipeline.step import Step
from retroweave.review.comparisons import Compared, Comparison, Difference
from retroweave.review.indexing import said_of
from retroweave.review.rewording import (
    Answered,
    PromptStep,
    Version,
    behind,
    named_step,
    prompt_steps,
    reworded,
    stopped_at,
)
from retroweave.review.threshold import recipe_of

__all__ = ["Answered", "Compared", "Comparison", "Difference", "PromptStep", "Trial", "Version"]

HERE = "the row has come to the step"
FURTHEST = 50
"""Source rows that are worked on for each row wanted, before it is said that none comes to the step."""

_sent: ContextVar[list[str]] = ContextVar("sent")
"""The requests that went out for one version on one row."""


def _stop() -> Any:
    raise Drop(HERE)


@dataclass(frozen=True)
class Trial:
    """A recipe's prompt steps, to be tried with other words."""

    recipe: Recipe
    config: Config
    seed: int = 0
    models: Mapping[str, ModelSpec] | None = None
    """The table of a config file, for models that go by a name of its own."""

    @classmethod
    def of_run(cls, run: Mapping[str, Any], models: Mapping[str, ModelSpec] | None = None) -> Self:
        """That of `Rows.run`: its recipe, config and seed. Raises `UserError` where the recipe is not to be found."""
        return cls(*recipe_of(run), int(run["seed"]), models)

    def steps(self) -> Sequence[PromptStep]:
        """Those that ask with a prompt file."""
        return prompt_steps(self.recipe.pipeline(self.config))

    def check(self, step: str, text: str) -> None:
        """Raises `UserError` that says what is wrong with a prompt's text, or which field it reads that is not
        there."""
        reworded(self.recipe.pipeline(self.config), step, text, self.recipe.name)

    async def run(
        self, step: str, versions: Sequence[Version], *, rows: int = 10, skip: int = 0, budget: Budget | None = None
    ) -> AsyncIterator[Answered]:
        """Each version on the same rows, as the answers come; what the journal of calls holds is free.

        The rows are the first that come to the step, but for `skip` of them; one try of each family. Every step before
        and after is the pipeline's own. Raises `UserError`, and `RunStopped` where a model cannot be asked.
        """
        _require_apart(versions)
        pipeline = self.recipe.pipeline(self.config)
        _, own, _ = named_step(pipeline, step)
        steps = {one.name: reworded(pipeline, step, one.text, self.recipe.name) for one in versions}
        rest = behind(pipeline.steps, own.name)
        assert rest is not None
        specs = {name: named(reference, self.models or {}) for name, reference in pipeline.models.items()}
        require_terms(specs)
        run = f"review-{secrets.token_hex(6)}"
        async with open_desk(specs, run, budget or Budget(), opener=_noting) as desk:
            bench = Bench(pipeline, self.recipe.name, self.seed, together=True, desk=desk)
            here = await self._come_to(own.name, bench, rows, skip)
            shown = {name: _shown(here, steps) for name in steps}
            tasks = [
                asyncio.create_task(_tried(name, (one, *rest), row, bench, shown[name]))
                for row in here
                for name, one in steps.items()
            ]
            try:
                for task in asyncio.as_completed(tasks):
                    yield await task
            finally:
                for one_task in tasks:
                    one_task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _come_to(self, step: str, bench: Bench, rows: int, skip: int) -> list[Row]:
        """Rows as they are when they come to the step."""
        stopping = replace(bench, pipeline=stopped_at(bench.pipeline, step, _stop))
        found: list[Row] = []
        for drawn in islice(draws(stopping.pipeline), FURTHEST * (rows + skip)):
            leaves = await work(drawn, stopping)
            found += [leaf.row for leaf in leaves if leaf.row and leaf.step == step and leaf.reason == HERE]
            if len(found) >= rows + skip:
                break
        if len(found) <= skip:
            raise UserError(
                f"No {'more rows come' if found else 'row comes'} to the step {step!r}: each one was lost "
                "before. `retroweave try` shows one at a time."
            )
        return found[skip : skip + rows]


def _require_apart(versions: Sequence[Version]) -> None:
    names = [one.name for one in versions]
    if not names or len(set(names)) < len(names) or not all(names):
        raise UserError(f"Each version of a prompt has a name of its own, not {', '.join(map(repr, names)) or 'none'}.")


def _shown(rows: Sequence[Row], steps: Mapping[str, Step]) -> Sequence[str]:
    """The fields that any of the versions reads, in the order in which they came."""
    read = {field for step in steps.values() for field in step.reads.values()}
    return [name for name in rows[0].fields if name in read]


def _noting(spec: ModelSpec) -> Endpoint:
    """An endpoint that notes what is sent, for whom it is sent."""
    endpoint = open_endpoint(spec)
    send = endpoint.send

    async def noted(request: Request, timeout: float) -> Answer:
        if (sent := _sent.get(None)) is not None:
            sent.append(spec.use)
        return await send(request, timeout)

    setattr(endpoint, "send", noted)  # noqa: B010 - an endpoint's own method, which a protocol does not let one assign
    return endpoint


async def _tried(version: str, steps: Sequence[Node], row: Row, bench: Bench, shown: Sequence[str]) -> Answered:
    """What a version makes of a row; of several leaves the first that is a sample."""
    sent: list[str] = []
    _sent.set(sent)
    own = replace(row, fields=dict(row.fields))
    fields = {name: str(row.fields[name]) for name in shown}
    began = time.monotonic()
    outcomes = await flow(steps, own, bench)
    seconds = time.monotonic() - began
    leaf = next((one for one in outcomes if not isinstance(one, Leaf) or one.kind == "sample"), outcomes[0])
    end = leaf.row if isinstance(leaf, Leaf) else leaf
    calls = end.calls[len(row.calls) :] if end else ()
    asked: Mapping[str, Any] = next((one for one in reversed(calls) if one["step"] == steps[0].name), {})
    scores = said_of(end.verdicts[len(row.verdicts) :]) if end else {}
    is_lost = isinstance(leaf, Leaf) and leaf.kind != "sample"
    return Answered(
        "-".join(map(str, row.path)),
        version,
        fields,
        _turns(asked.get("prompt", ())),
        asked.get("answer") or asked.get("error", ""),
        kind=leaf.kind if isinstance(leaf, Leaf) else "sample",
        step=leaf.step if isinstance(leaf, Leaf) and is_lost else "",
        reason=leaf.reason if isinstance(leaf, Leaf) and is_lost else "",
        scores={name: score for name, (score, _) in scores.items() if score is not None},
        cached=not sent,
        seconds=seconds,
        tokens=sum(number or 0 for call in calls for number in call.get("tokens", ())),
    )


def _turns(prompt: Any) -> tuple[Mapping[str, str], ...]:
    return ({"role": "document", "content": prompt},) if isinstance(prompt, str) else tuple(prompt)
