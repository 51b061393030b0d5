"""The view that reads: a list of rows under a filter, and a row's own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from retroweave.review.bench import Reviewed, Workbench
from retroweave.review.page import Told, address, number, render
from retroweave.review.rows import Facet, Filter, NoRow
from retroweave.review.shown import shown, whole_turn, without_style

__all__ = ["everything", "index", "row", "rows", "turn"]

KINDS = {
    "sample": "sample",
    "reject": "reject",
    "failure": "failure",
    "duplicate": "duplicate",
    "over_cap": "over cap",
}
_MOST_CHOICES = 200
_SIZE = 40
_MEASURES = 3
_BESIDE = 12
_MOST_VALUES = 40
"""A measure of more values than these is a number, and no list to choose from."""


async def index(request: Request) -> Response:
    """The first view that there is."""
    from starlette.responses import RedirectResponse

    bench: Workbench = request.app.state.bench
    return RedirectResponse(bench.views()[0][0] if bench.views() else "/rows", status_code=303)


async def rows(request: Request) -> Response:
    """The list."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    query = request.query_params
    chosen = filter_of(query)
    page = reviewed.rows.page(chosen, after=_place(query.get("after")), before=_place(query.get("before")), size=_SIZE)
    kept = kept_query(query)
    return render(
        "rows.html.j2",
        request,
        "Read",
        page=page,
        labelled=reviewed.said([line.id for line in page.lines]),
        rows=reviewed.rows,
        chosen=chosen,
        kept=kept,
        is_filtered=bool(kept),
        selects=list(_selects(reviewed, query)),
        measures=list(_measures(reviewed, query)),
        judge=_judge(reviewed, chosen),
        judges=reviewed.rows.judges(),
        kinds=KINDS,
        said={"accept": "right", "reject": "wrong", "unsure": "unsure"},
        layouts=len(reviewed.rows.facets().get("layout", ())),
        here=address("/rows", **kept),
        onwards=address("/rows", **kept, after=page.after) if page.after is not None else None,
        back=address("/rows", **kept, before=page.before) if page.before is not None else None,
    )


async def row(request: Request) -> Response:
    """One row: what it says, how it came to be, and what people said of it."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    id = request.path_params["id"]
    try:
        found = reviewed.rows.row(id)
    except NoRow:
        return lost(request, id)
    chosen = filter_of(request.query_params)
    before, after = reviewed.rows.neighbours(id, chosen)
    kept = kept_query(request.query_params)
    person = request.query_params.get("as") or bench.person
    said = reviewed.said([id])[id]
    beside, others = reviewed.rows.beside(found.number, _BESIDE)
    return render(
        "row.html.j2",
        request,
        "Read",
        row=found,
        shown=shown(found),
        stops=without_style(found.stops),
        judge=_judge(reviewed, chosen),
        before=address(f"/rows/{before}", **kept) if before else None,
        after=address(f"/rows/{after}", **kept) if after else None,
        up=address("/rows", **kept),
        kept=kept,
        kinds=KINDS,
        person=person,
        said=said,
        beside=[(one, address(f"/rows/{one.id}", **kept)) for one in beside],
        others=others,
        mine=next((one for one in said if one.person == person), None),
        tags=reviewed.labels.tags()[:8],
    )


async def turn(request: Request) -> Response:
    """All of a turn, as nothing but text."""
    bench: Workbench = request.app.state.bench
    try:
        text = whole_turn(bench.reviewed.rows.row(request.path_params["id"]), request.path_params["number"])
    except NoRow:
        text = None
    return PlainTextResponse("There is no such turn." if text is None else text, 404 if text is None else 200)


async def everything(request: Request) -> Response:
    """All that is stored of a row, as JSON that a browser shows as text."""
    bench: Workbench = request.app.state.bench
    try:
        found = bench.reviewed.rows.row(request.path_params["id"])
    except NoRow:
        return PlainTextResponse("There is no such row.", 404)
    whole = {
        "id": found.id,
        "kind": found.kind,
        "step": found.step,
        "reason": found.reason,
        "trace": found.trace,
        "messages": list(found.messages),
        "variants": found.variants,
        "provenance": found.provenance,
    }
    return PlainTextResponse(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode())


def lost(request: Request, id: str) -> Response:
    """A permanent link leads to a row of this run or says what else it may be."""
    return render(
        "lost.html.j2",
        request,
        "Read",
        404,
        told=Told(
            f"This run has no row {id[:80]!r}. A link holds for as long as the run is not made anew.", wrong=True
        ),
    )


def filter_of(query: Mapping[str, str]) -> Filter:
    """What the address asks for; what it spells wrongly is left out."""
    verdict = query.get("verdict", "")
    chosen = Filter(
        kinds=(query["kind"],) if query.get("kind") in KINDS else (),
        split=query.get("split", ""),
        recipe=query.get("recipe", ""),
        layout=query.get("layout", ""),
        step=query.get("step", ""),
        reason=query.get("reason", ""),
        judge=query.get("judge", ""),
        least=number(query.get("least")),
        most=number(query.get("most")),
        measures=tuple((name[2:], value) for name, value in query.items() if name.startswith("m.") and value),
        text=query.get("text", ""),
    )
    if verdict == "accepted":
        return replace(chosen, verdict="accepted")
    return replace(chosen, verdict="rejected") if verdict == "rejected" else chosen


def kept_query(query: Mapping[str, str]) -> dict[str, str]:
    """The part of an address that is a filter."""
    names = {"kind", "split", "recipe", "layout", "step", "reason", "judge", "verdict", "least", "most", "text"}
    return {name: value for name, value in query.items() if value and (name in names or name.startswith("m."))}


def _place(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 15 else None


def _judge(reviewed: Reviewed, chosen: Filter) -> str:
    judges = reviewed.rows.judges()
    return chosen.judge if chosen.judge in judges else judges[-1] if judges else ""


def _selects(reviewed: Reviewed, query: Mapping[str, str]) -> Iterator[tuple[str, str, list[Facet], str]]:
    """Name, label, values and the one that is chosen; of what has one value alone nothing can be chosen."""
    facets = reviewed.rows.facets()
    for name in ("recipe", "layout", "split", "step", "reason"):
        values = list(facets.get(name, ()))[:_MOST_CHOICES]
        values = [one for one in values if one.value]
        if len(values) > 1 or query.get(name):
            yield name, name.capitalize(), values, query.get(name, "")


def _measures(reviewed: Reviewed, query: Mapping[str, str]) -> Iterator[tuple[str, str, list[Facet], str]]:
    measured = [(name[8:], values) for name, values in reviewed.rows.facets().items() if name.startswith("measure:")]
    few = [(name, values) for name, values in measured if 1 < len(values) <= _MOST_VALUES]
    for name, values in few[:_MEASURES]:
        yield f"m.{name}", name.replace("_", " ").capitalize(), list(values), query.get(f"m.{name}", "")
