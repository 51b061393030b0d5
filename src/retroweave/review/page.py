"""What all views share: pages rendered under one base, forms read, and a person's words brought back to them.

Each string in a page is escaped and its control characters made visible, as in the report. Forms are read here and not
by Starlette, which would want another package for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from retroweave.export import facts, templates
from retroweave.judges.rates import Rate

__all__ = ["HERE", "Told", "address", "form", "form_list", "goes_on", "money", "number", "render"]

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence at the top of a page: what was done, or what went wrong."""

    text: str
    wrong: bool = False


@cache
def _environment() -> Environment:
    environment = templates.html().overlay(loader=FileSystemLoader(HERE / "pages"))
    environment.filters |= {"percent": percent, "count": count, "interval": interval, "money": money}
    environment.globals |= {"address": address, "moves": facts.MOVES}
    return environment


def render(name: str, request: Request, view: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of `pages/`, under the base that shows which view it is."""
    bench = request.app.state.bench
    common = {
        "view": view,
        "views": bench.views(),
        "heading": bench.heading,
        "place": bench.place,
        "told": None,
        "query": request.query_params,
    }
    return HTMLResponse(_environment().get_template(name).render(common | values), status)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; the last where one comes twice."""
    return dict(await form_list(request))


async def form_list(request: Request) -> list[tuple[str, str]]:
    body = await request.body()
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)


def goes_on(path: str, **query: Any) -> Response:
    """After something was changed: the page to look at next, so that a reload changes nothing again."""
    return RedirectResponse(address(path, **query), status_code=303)


def address(path: str, **query: Any) -> str:
    """A path of ours with a query, from which what is empty is left out."""
    given = [(name, str(value)) for name, value in query.items() if value not in ("", None, ())]
    return f"{path}?{urlencode(given)}" if given else path


def number(text: str | None) -> float | None:
    """A number that a person typed, with a comma even; `None` for what is none."""
    try:
        found = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) < 1e12 else None


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}"


def count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def interval(rate: Rate | None, digits: int = 1) -> str:
    """The ends, in per cent, of what a share may be."""
    return "" if rate is None else f"{100 * rate.low:.{digits}f} to {100 * rate.high:.{digits}f} %"


def money(cost: float | None) -> str:
    return "–" if cost is None else facts.money(cost)
