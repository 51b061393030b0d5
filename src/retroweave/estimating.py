"""An estimate: a few rows worked on, and what they say of a whole run's yield, cost and time.

This is what `retroweave run --estimate` calls. What it asked stands in the journal of calls, so that the run that
follows has those answers already. Where a recipe substitutes a prompt, the same rows are made with the plain one too,
under the same judges: the two pass rates are what the substitution is worth.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from retroweave.models.desk import open_desk
from retroweave.models.licensing import require_terms
from retroweave.models.named import named
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.flow import Bench, work
from retroweave.pipeline.model import ModelSpec, Price
from retroweave.pipeline.odds import wilson
from retroweave.pipeline.pipeline import Family, Pipeline, walk
from retroweave.pipeline.row import Leaf
from retroweave.pipeline.rules import require_judges_hold
from retroweave.pipeline.run import draws
from retroweave.pipeline.step import Step

__all__ = ["Estimate", "Range", "Rate", "estimate"]

ROWS = 20
RESAMPLES = 2000


@dataclass(frozen=True)
class Range:
    """A projection with its 95 % interval."""

    likely: float
    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """How many of how many passed."""

    passed: int
    of: int

    @property
    def range(self) -> Range:
        low, high = wilson(self.passed, self.of)
        return Range(self.passed / self.of if self.of else 0.0, low, high)


@dataclass(frozen=True)
class Estimate:
    """What a run of so many rows will take, judged by a few."""

    rows: int
    """Samples that would be asked for."""
    source_rows: int
    """Source rows that were worked on."""
    accepted: Rate
    """Outcomes that were samples."""
    gives: int | None
    """About how many samples the source gives in all, where it has no more rows than were worked on."""
    failures: int
    reasons: tuple[tuple[str, int], ...]
    """Why others were not, and how often."""
    plain: Rate | None
    """The same rows with the plain prompts, where the recipe substitutes any."""
    calls: Range
    tokens: Range
    cost: Range | None
    """Dollars; `None` where a model has no price."""
    seconds: Range | None
    """`None` where some of the answers stood in the journal, and were not waited for."""
    examined: Mapping[str, int]
    """Each model's calls in the estimate, those among them that the journal answered too."""


async def estimate(
    pipeline: Pipeline, recipe: str, seed: int, rows: int, budget: Budget, table: Mapping[str, ModelSpec]
) -> Estimate:
    """Work on the first source rows, with their plain prompts too where there are any."""
    specs = {name: named(reference, table) for name, reference in pipeline.models.items()}
    require_terms(specs)
    async with open_desk(specs, f"estimate-{secrets.token_hex(6)}", budget) as desk:
        bench = Bench(pipeline, recipe, seed, together=pipeline.awaits, desk=desk)
        await require_judges_hold(bench)
        began, known = time.monotonic(), _known(desk)
        leaves = await _worked(bench)
        seconds = time.monotonic() - began if _known(desk) == known else None
        asked = {name: client.pace.limit for name, client in desk.clients.items()}
        plain = None
        if any(isinstance(node, Step) and node.plain for node in walk(pipeline.steps)):
            plain = _rate(await _worked(Bench(pipeline, recipe, seed, True, desk, plainly=True)))
        dry = len(leaves) < ROWS and not pipeline.source.again
        return _reckoned(rows, leaves, plain, seconds, _prices(desk), asked, dry)


async def _worked(bench: Bench) -> list[list[Leaf]]:
    """The leaves of each of the first source rows; that a family came out too small only sums others up."""
    drawn = list(islice(draws(bench.pipeline), ROWS))
    if not drawn:
        raise RunStopped("The source gives no row to judge by. Give the recipe some text.")
    sums = {node.name for node in walk(bench.pipeline.steps) if isinstance(node, Family)}
    worked = await asyncio.gather(*(work(row, bench) for row in drawn))
    return [[leaf for leaf in leaves if leaf.step not in sums] for leaves in worked]


def _known(desk: Desk) -> int:
    """Answers that came out of the journal so far."""
    return sum(client.cached for client in desk.clients.values())


def _rate(leaves: Sequence[Sequence[Leaf]]) -> Rate:
    kinds = [leaf.kind for row in leaves for leaf in row if leaf.kind != "failure"]
    return Rate(kinds.count("sample"), len(kinds))


def _prices(desk: Desk) -> dict[str, Price | None]:
    """Name of a model to its price; what runs here is free."""
    return {
        name: client.spec.price or (None if client.spec.kind == "openai" else Price())
        for name, client in desk.clients.items()
    }


@dataclass(frozen=True)
class _Took:
    """What one source row took, and gave."""

    samples: int
    calls: int
    tokens: int
    cost: float


def _reckoned(
    rows: int,
    leaves: Sequence[Sequence[Leaf]],
    plain: Rate | None,
    seconds: float | None,
    prices: Mapping[str, Price | None],
    limits: Mapping[str, float],
    dry: bool,
) -> Estimate:
    took = [_took(row, prices) for row in leaves]
    accepted = _rate(leaves)
    every = [leaf for row in leaves for leaf in row]
    lost = [f"{leaf.kind} at {leaf.step}: {leaf.reason}" for leaf in every if leaf.kind != "sample"]
    calls = _projected(rows, took, [one.calls for one in took], accepted)
    needed = _projected(rows, took, [1] * len(took), accepted)
    return Estimate(
        rows=rows,
        source_rows=len(leaves),
        accepted=accepted,
        gives=sum(one.samples for one in took) if dry else None,
        failures=sum(leaf.kind == "failure" for leaf in every),
        reasons=tuple(sorted(((reason, lost.count(reason)) for reason in set(lost)), key=lambda one: -one[1])),
        plain=plain,
        calls=calls,
        tokens=_projected(rows, took, [one.tokens for one in took], accepted),
        cost=None if None in prices.values() else _projected(rows, took, [one.cost for one in took], accepted),
        seconds=None if seconds is None else _time(seconds, len(leaves), needed, limits),
        examined=_by_model(leaves),
    )


def _time(seconds: float, rows: int, needed: Range, limits: Mapping[str, float]) -> Range:
    """Of a run, by the time that so many rows took; with more of them at once it may be less."""
    per_row = seconds / rows
    wider = max([1.0, *(limit / min(rows, limit) for limit in limits.values())])
    return Range(needed.likely * per_row, needed.low * per_row / wider, needed.high * per_row)


def _took(leaves: Sequence[Leaf], prices: Mapping[str, Price | None]) -> _Took:
    notes = list(_notes(leaves))
    tokens = [note.get("tokens") or (0, 0) for note in notes]
    counted = [(prompt or 0, completion or 0) for prompt, completion in tokens]
    free = Price()
    cost = sum((prices[note["model"]] or free).of(*pair) for note, pair in zip(notes, counted, strict=True))
    return _Took(sum(leaf.kind == "sample" for leaf in leaves), len(notes), sum(map(sum, counted)), cost)


def _notes(leaves: Sequence[Leaf]) -> Iterator[dict[str, Any]]:
    """What was asked for a source row; siblings share what was asked before they parted."""
    seen: set[int] = set()
    for leaf in leaves:
        for note in leaf.row.calls if leaf.row else ():
            if id(note) not in seen:
                seen.add(id(note))
                yield note


def _by_model(leaves: Sequence[Sequence[Leaf]]) -> dict[str, int]:
    names = [note["model"] for row in leaves for note in _notes(row)]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _projected(rows: int, took: Sequence[_Took], spent: Sequence[float], accepted: Rate) -> Range:
    """What `rows` samples take, where each source row took `spent`.

    The interval joins two: that of the mean by the bootstrap, and that of the yield by Wilson, which is the wider one
    and does not vanish where all rows passed.
    """
    samples = sum(one.samples for one in took)
    share = accepted.range
    mean = sum(spent) / len(took)
    per_row = samples / len(took)
    if not samples:
        endless = float("inf") if mean else 0.0
        return Range(endless, rows * mean / share.high, endless)
    rng = random.Random(0)
    means = sorted(sum(rng.choices(spent, k=len(spent))) / len(spent) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
    scale = rows / per_row
    return Range(scale * mean, scale * low * share.likely / share.high, scale * high * share.likely / share.low)
