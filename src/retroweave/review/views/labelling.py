"""The view that labels: one row after the other, drawn at random, by keys or by buttons.

A label is on the disk before the answer goes out, and the answer is the next row. So what a person saw to be labelled
is labelled, whatever happens to the server after. Blind, nothing of the row is in the page but what `shown.blind_view`
gives: no id, no outcome, no score, and no figure that moves with the verdict of the row before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from retroweave.pipeline.errors import UserError
from retroweave.review.bench import Reviewed, Workbench
from retroweave.review.drawing import NotIndexed, Ticket
from retroweave.review.labels import Label
from retroweave.review.page import Told, address, form, goes_on, number, render
from retroweave.review.rows import NoRow
from retroweave.review.shown import blind_view, shown, without_style

__all__ = ["keep", "keep_of_row", "label"]

DECISIONS = ("accept", "reject", "unsure")
SAID = {
    "accept": "Accepted",
    "reject": "Rejected",
    "unsure": "Marked as unsure",
    "skip": "Passed over",
    "undo": "Taken back",
}
WIDTHS = (0.04, 0.1, 0.2)
"""Of the whole interval: ± 2, 5 and 10 points."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Who labels, which judge's strata rows are drawn in, and what of it they see. It stands in the address."""

    person: str
    judge: str
    blind: bool
    rejects: bool
    width: float
    keys: bool
    """Whether single letters are verdicts: who speaks to the machine, or types with a stick, may want them off."""

    @property
    def uniform(self) -> bool:
        """Whether blind pages show what the judge saw, and not the whole conversations of samples."""
        return self.rejects and bool(self.judge)

    def query(self) -> dict[str, Any]:
        return {
            "as": self.person,
            "judge": self.judge,
            "verdicts": "" if self.blind else "shown",
            "among": "" if self.rejects else "samples",
            "keys": "" if self.keys else "off",
            "width": "" if self.width == WIDTHS[1] else self.width,
        }


async def label(request: Request) -> Response:
    """The row to label now."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    setting = _setting(bench, reviewed, request.query_params)
    values: dict[str, Any] = {"setting": setting, "judges": reviewed.rows.judges(), "widths": WIDTHS}
    try:
        await reviewed.is_indexed()
        drawing = await run_in_threadpool(reviewed.drawing, setting.judge, setting.rejects)
        ticket = bench.ticket(drawing, setting.person)
    except NotIndexed:
        return render("counting.html.j2", request, "Label", progress=reviewed.rows.indexed, again="/label", **values)
    except UserError as error:
        return render(
            "counting.html.j2",
            request,
            "Label",
            progress=None,
            again="/label",
            told=Told(str(error), wrong=True),
            **values,
        )
    own = reviewed.labels.people().get(setting.person, 0)
    values |= {
        "own": own,
        "passed_over": bench.passed_over(setting.person),
        "said": SAID.get(request.query_params.get("said", ""), ""),
        "need": reviewed.need(setting.judge, setting.rejects, setting.width),
        "tags": reviewed.labels.tags()[:20],
        "told": _told(request),
    }
    if ticket is None:
        return render("labelled.html.j2", request, "Label", **values)
    return render("label.html.j2", request, "Label", **values, **_shown(bench, reviewed, setting, ticket))


async def keep(request: Request) -> Response:
    """Keep a label of the row that was drawn, pass it over, or take the last one back; then go on to the next row."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    given = await form(request)
    setting = _setting(bench, reviewed, given)
    try:
        await reviewed.is_indexed()
        drawing = reviewed.drawing(setting.judge, setting.rejects)
    except NotIndexed:  # the run was made anew while its person looked at a row of it
        return goes_on("/label", **setting.query(), told="anew")
    act = given.get("act", "")
    if act == "undo":
        return _undo(bench, reviewed, setting)
    ticket = bench.ticket(drawing, setting.person)
    if ticket is None or bench.alias(ticket.row) != given.get("row"):
        return goes_on("/label", **setting.query(), told="other")
    if act == "skip":
        bench.pass_over(setting.person, ticket.row)
    elif act in DECISIONS:
        try:
            _add(reviewed, ticket, setting, act, given)
        except UserError as error:
            return goes_on("/label", **setting.query(), told=str(error))
    else:
        return goes_on("/label", **setting.query())
    return goes_on("/label", **setting.query(), said=act)


async def keep_of_row(request: Request) -> Response:
    """Keep a label of a row that a person chose themselves."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    given = await form(request)
    id = request.path_params["id"]
    kept = {name[2:]: value for name, value in given.items() if name.startswith("q.")}
    try:
        found = reviewed.rows.row(id)
    except NoRow:
        return goes_on("/rows")
    act = given.get("act", "")
    if act in DECISIONS:
        reviewed.labels.add(
            found,
            given.get("as") or bench.person,
            act,  # type: ignore[arg-type]  # one of them, as was just seen
            tags=_tags(given),
            note=given.get("note", ""),
            judge=reviewed.judge(),
        )
    return goes_on(f"/rows/{id}", **{"as": given.get("as", "")}, **kept)


def _setting(bench: Workbench, reviewed: Reviewed, given: Mapping[str, str]) -> Setting:
    width = number(given.get("width"))
    return Setting(
        given.get("as", "").strip()[:60] or bench.person,
        reviewed.judge(given.get("judge")),
        given.get("verdicts") != "shown",
        given.get("among") != "samples",
        width if width in WIDTHS else WIDTHS[1],
        given.get("keys") != "off",
    )


def _shown(bench: Workbench, reviewed: Reviewed, setting: Setting, ticket: Ticket) -> dict[str, Any]:
    row = reviewed.rows.row(ticket.row)
    common = {"alias": bench.alias(ticket.row), "text_address": ""}
    if setting.blind:
        return common | {
            "blind": blind_view(row, setting.judge, reviewed.rows.moves, uniform=setting.uniform),
            "row": None,
        }
    return common | {
        "row": row,
        "shown": shown(row),
        "stops": without_style(row.stops),
        "text_address": address(f"/rows/{row.id}"),
        "blind": None,
    }


def _add(reviewed: Reviewed, ticket: Ticket, setting: Setting, act: str, given: Mapping[str, str]) -> Label:
    row = reviewed.rows.row(ticket.row)
    return reviewed.labels.add(
        row,
        setting.person,
        act,  # type: ignore[arg-type]  # one of `DECISIONS`, as its caller saw
        tags=_tags(given),
        note=given.get("note", ""),
        blind=setting.blind,
        judge=setting.judge,
        drawn=ticket.key,
        seen=reviewed.rows.seen(row, setting.judge) if setting.uniform else "",
    )


def _undo(bench: Workbench, reviewed: Reviewed, setting: Setting) -> Response:
    """The last thing that was done: a row that was passed over comes back, or else a label is taken back."""
    if bench.come_back(setting.person) is None and reviewed.labels.undo(setting.person) is None:
        return goes_on("/label", **setting.query(), told="nothing")
    return goes_on("/label", **setting.query(), said="undo")


def _tags(given: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()))


def _told(request: Request) -> Told | None:
    told = request.query_params.get("told", "")
    if told == "other":
        return Told(
            "Nothing was kept: this row was labelled already, from another window it may be. Here is the next.", True
        )
    if told == "anew":
        return Told("Nothing was kept: the run was made anew meanwhile. Here is a row of it as it is now.", True)
    if told == "nothing":
        return Told("There is nothing to take back.")
    return Told(told[:400], True) if told else None
