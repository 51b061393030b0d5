"""The review page as an ASGI application: which address leads to which view. Who may ask is `guard`'s to say."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from retroweave.pipeline.errors import RetroweaveError
from retroweave.review.bench import Workbench
from retroweave.review.page import HERE, Told, render
from retroweave.review.views import calibrating, comparing, exporting, labelling, reading

__all__ = ["application"]

STATIC = {
    "review.css": HERE / "static" / "review.css",
    "review.js": HERE / "static" / "review.js",
    "icon.svg": HERE / "static" / "icon.svg",
    "report.css": HERE.parent / "export" / "report.css",
    "tree.css": HERE.parent / "export" / "tree.css",
}
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def application(bench: Workbench) -> Starlette:
    """All views of what `bench` has opened."""
    routes = [
        Route("/", reading.index),
        Route("/static/{name}", static),
        Route("/favicon.ico", icon),
        *(of_rows() if bench.has_run else ()),
        *of_prompts(),
    ]
    app = Starlette(routes=routes, exception_handlers={RetroweaveError: failed, 404: missing})
    app.state.bench = bench
    return app


def of_rows() -> list[Route]:
    return [
        Route("/rows", reading.rows),
        Route("/rows/{id}", reading.row),
        Route("/rows/{id}/turns/{number:int}", reading.turn),
        Route("/rows/{id}/everything", reading.everything),
        Route("/rows/{id}/label", labelling.keep_of_row, methods=["POST"]),
        Route("/label", labelling.label, methods=["GET"]),
        Route("/label", labelling.keep, methods=["POST"]),
        Route("/calibrate", calibrating.calibrate),
        Route("/threshold", calibrating.use, methods=["POST"]),
        Route("/publish", calibrating.put_on_the_card, methods=["POST"]),
        Route("/export", exporting.export),
        Route("/export/labels.jsonl", exporting.labels),
        Route("/export/calibration.jsonl", exporting.calibration),
        Route("/export/classifier.jsonl", exporting.classifier),
        Route("/export/examples.yaml", exporting.examples),
    ]


def of_prompts() -> list[Route]:
    return [
        Route("/compare", comparing.compare),
        Route("/compare/seen/{id}", comparing.judge, methods=["GET"]),
        Route("/compare/seen/{id}", comparing.judge_one, methods=["POST"]),
        Route("/compare/seen/{id}/results", comparing.results),
        Route("/compare/seen/{id}/winner", comparing.save, methods=["POST"]),
        Route("/compare/prompt", comparing.choose, methods=["GET"]),
        Route("/compare/prompt", comparing.run, methods=["POST"]),
    ]


async def static(request: Request) -> Response:
    """One of our own files, and nothing else: names are looked up and not made into paths."""
    path: Path | None = STATIC.get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("There is no such file.", 404)
    return Response(path.read_bytes(), media_type=KINDS[path.suffix])


async def icon(request: Request) -> Response:
    """What browsers ask for by themselves."""
    return Response(STATIC["icon.svg"].read_bytes(), media_type=KINDS[".svg"])


async def failed(request: Request, error: Exception) -> Response:
    """An error that we know is a paragraph at the top of a page, as it is in the terminal."""
    return render("failed.html.j2", request, "", 400, told=Told(str(error), wrong=True))


async def missing(request: Request, error: Exception) -> Response:
    return render("failed.html.j2", request, "", 404, told=Told("There is no such page.", wrong=True))
