"""The view that calibrates: what the labels say of the set and of its judge, and what another threshold would give.

Every figure is reckoned elsewhere (`precision`); here it is laid out so that precision, yield and cost move together.
The table of thresholds is the slider's data, and does without the slider where there is no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from retroweave.pipeline.errors import UserError
from retroweave.review.agreement import agreement
from retroweave.review.bench import Workbench
from retroweave.review.drawing import NotIndexed
from retroweave.review.page import Told, form, goes_on, money, number, render
from retroweave.review.plots import Frame, Plot, curve, scatter
from retroweave.review.precision import At, Figures, figures
from retroweave.review.publishing import publish
from retroweave.review.threshold import threshold_key, use_threshold

__all__ = ["calibrate", "put_on_the_card", "use"]


@dataclass(frozen=True, slots=True)
class Charts:
    precision: Plot
    yield_: Plot
    cost: Plot | None
    roc: Plot | None
    reliability: Plot | None

    def moving(self) -> Iterator[Plot]:
        """Those that have the threshold on their ground line."""
        yield self.precision
        yield self.yield_
        if self.cost:
            yield self.cost


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the table, with where the marks stand for it."""

    at: At
    marks: dict[str, str]


async def calibrate(request: Request) -> Response:
    """All that the labels say."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    judges = reviewed.rows.judges()
    query = request.query_params
    judge = reviewed.judge(query.get("judge"))
    people = reviewed.labels.people()
    person = query.get("as") if query.get("as") in people else None
    try:
        await reviewed.is_indexed()
        drawing = await run_in_threadpool(reviewed.drawing, judge, True)
    except NotIndexed:
        return render("counting.html.j2", request, "Calibrate", progress=reviewed.rows.indexed, again="/calibrate")
    found = figures(reviewed.rows, reviewed.labels, drawing, person)
    charts = _charts(found) if found.table else None
    wanted = number(query.get("threshold"))
    key, reason = _key(bench, judge)
    chosen = _at(found.table, found.threshold if wanted is None else wanted)
    return render(
        "calibrate.html.j2",
        request,
        "Calibrate",
        found=found,
        judges=judges,
        people=people,
        person=person,
        charts=charts,
        steps=_steps(found.table, charts) if charts else [],
        chosen=chosen,
        start=chosen.threshold if chosen else 0.5,
        key=key,
        reason=reason,
        here=dict(_marks(chosen, charts)) if chosen and charts else {},
        config_file=str(bench.config_file),
        need=need if (need := drawing.need(0.1)).more else None,
        agreed=agreement(drawing.standing.labels()) if len(people) > 1 else None,
        told=_told(request),
    )


async def use(request: Request) -> Response:
    """Write a threshold to the recipe's config."""
    bench: Workbench = request.app.state.bench
    given = await form(request)
    threshold = number(given.get("threshold"))
    judge = given.get("judge", "")
    if threshold is None or not 0 <= threshold <= 1:
        return goes_on("/calibrate", judge=judge, wrong="A threshold is a number from 0 to 1.")
    try:
        written = use_threshold(bench.reviewed.rows, judge, threshold, bench.config_file)
    except UserError as error:
        return goes_on("/calibrate", judge=judge, threshold=threshold, wrong=str(error)[:600])
    before = "" if written.before is None else f" It was {written.before:g}."
    kept = "" if written.backup is None else f" The file from before is {written.backup}."
    told = f"{written.key} is {written.after:g} in {written.path} now.{before}{kept} The next run: {written.command}"
    return goes_on("/calibrate", judge=judge, threshold=threshold, told=told)


async def put_on_the_card(request: Request) -> Response:
    """Write what the labels say on the run's card and report."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    judge = (await form(request)).get("judge", "")
    try:
        drawing = reviewed.drawing(judge, True)
        path = await run_in_threadpool(publish, reviewed.rows, reviewed.labels, drawing)  # it reads every sample
    except UserError as error:
        return goes_on("/calibrate", judge=judge, wrong=str(error)[:600])
    told = f"The card and the report have these figures now; they stand in {path} too."
    return goes_on("/calibrate", judge=judge, told=told)


def _key(bench: Workbench, judge: str) -> tuple[str, str]:
    """The config key of a judge's threshold, or why there is none."""
    try:
        return threshold_key(bench.reviewed.rows, judge), ""
    except UserError as error:
        return "", str(error)


def _at(table: Sequence[At], threshold: float | None) -> At | None:
    """The line of the table that a threshold falls on: the next one above."""
    if not table:
        return None
    wanted = 0.5 if threshold is None else threshold
    return next((one for one in table if one.threshold >= wanted - 1e-9), table[-1])


def _charts(found: Figures) -> Charts:
    table = found.table
    costs = [(one.threshold, one.cost) for one in table if one.cost]
    least = min(one.precision.low for one in table)
    frame = Frame(ys=(min(0.5, int(least * 10) / 10), 1))
    return Charts(
        curve(
            "Precision",
            "of the rows that would be accepted",
            [(one.threshold, one.precision.value) for one in table],
            band=[(one.threshold, one.precision.low, one.precision.high) for one in table],
            frame=frame,
            mark="precision",
            x_name="threshold",
        ),
        curve(
            "Yield",
            "of the rows that the judge saw",
            [(one.threshold, one.yield_) for one in table],
            mark="yield",
            x_name="threshold",
        ),
        curve(
            "Cost",
            "for each accepted row",
            costs,
            frame=Frame(ys=(0, max(cost for _, cost in costs)), left=62),
            shown=money,
            mark="cost",
            x_name="threshold",
        )
        if costs
        else None,
        curve(
            "ROC",
            "right rows accepted, by wrong rows accepted",
            found.roc,
            diagonal=True,
            mark="roc",
            x_shown=lambda value: f"{value:.0%}",
            x_name="wrong rows accepted",
        )
        if len(found.roc) > 2
        else None,
        scatter(
            "Reliability",
            "how many rows are right, by the judge’s score",
            [(one.score, one.right.value, one.right.low, one.right.high) for one in found.bins],
            x_name="mean score",
        )
        if found.bins
        else None,
    )


def _steps(table: Sequence[At], charts: Charts) -> list[Step]:
    return [Step(one, dict(_marks(one, charts))) for one in table]


def _marks(one: At, charts: Charts) -> Iterator[tuple[str, str]]:
    yield "precision", charts.precision.frame.at((one.threshold, one.precision.value))
    yield "yield", charts.yield_.frame.at((one.threshold, one.yield_))
    if charts.cost and one.cost:
        yield "cost", charts.cost.frame.at((one.threshold, one.cost))
    if charts.roc:
        yield "roc", charts.roc.frame.at((one.accepts_wrong.value, one.accepts_right.value))


def _told(request: Request) -> Told | None:
    if wrong := request.query_params.get("wrong"):
        return Told(wrong, wrong=True)
    return Told(told) if (told := request.query_params.get("told")) else None
