"""The view that exports: labels to calibrate with, a classifier's training data, and the best rows as examples.

Each is a file that the browser saves; nothing is written beside the run. A prompt's examples are offered where its step
can still be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response

from retroweave.pipeline.errors import UserError
from retroweave.review.bench import Workbench
from retroweave.review.exports import calibration_rows, classifier_rows, example_rows, label_rows
from retroweave.review.page import number, render

__all__ = ["calibration", "classifier", "examples", "export", "labels"]

_MOST_EXAMPLES = 64


async def export(request: Request) -> Response:
    """What can be had, and from how many labels."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    return render(
        "export.html.j2",
        request,
        "Export",
        labels=len(reviewed.labels),
        people=reviewed.labels.people(),
        fields=_fields(bench),
        steps=[step for step in bench.trial.steps() if "example." in step.text] if bench.trial else (),
        judges=reviewed.rows.judges(),
        judge=reviewed.judge(),
        run_dir=bench.place,
    )


async def labels(request: Request) -> Response:
    """Each label as a line of JSON."""
    bench: Workbench = request.app.state.bench
    return _jsonl("labels.jsonl", label_rows(bench.reviewed.labels))


async def calibration(request: Request) -> Response:
    """Each row that came by lot, as `retroweave calibrate` and `odds --labels` read it."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    await reviewed.is_indexed()
    drawing = reviewed.drawing(reviewed.judge(request.query_params.get("judge")), True)
    return _jsonl("calibration.jsonl", calibration_rows(drawing))


async def classifier(request: Request) -> Response:
    """Texts with whether they are right."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    await reviewed.is_indexed()
    found = classifier_rows(reviewed.rows, reviewed.labels, request.query_params.get("field", ""))
    return _jsonl("classifier.jsonl", found)


async def examples(request: Request) -> Response:
    """The best rows as a prompt's few-shot examples."""
    bench: Workbench = request.app.state.bench
    reviewed = bench.reviewed
    name = request.query_params.get("step", "")
    step = next((one for one in (bench.trial.steps() if bench.trial else ()) if one.step == name), None)
    if step is None:
        raise UserError(f"No step {name[:60]!r} of this recipe asks with a prompt file.")
    await reviewed.is_indexed()
    most = int(min(max(number(request.query_params.get("most")) or 8, 1), _MOST_EXAMPLES))
    found = example_rows(reviewed.rows, reviewed.labels, step.path, most)
    text = yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=110) if found else ""
    return _file(f"{step.path.stem}.examples.yaml", text.encode(), "application/yaml")


def _fields(bench: Workbench) -> list[str]:
    """Fields whose place in the conversation is known, so that their text can be had of a sample."""
    evidence = bench.reviewed.rows.run.get("evidence", ())
    return sorted({one["field"] for one in evidence if one.get("field")})


def _jsonl(name: str, rows: Iterable[Mapping[str, Any]]) -> Response:
    return _file(name, b"".join(orjson.dumps(row) + b"\n" for row in rows), "application/jsonl")


def _file(name: str, body: bytes, kind: str) -> Response:
    return Response(body, media_type=kind, headers={"content-disposition": f'attachment; filename="{_plain(name)}"'})


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "._-"))
