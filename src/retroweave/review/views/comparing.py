"""The view that compares prompts: versions of one step's prompt on the same rows, their names hidden, side by side.

A person writes a version in the page, it is run on a few rows and the answers come in as they are made; then the
answers of a row stand beside each other in random order. Which version is which is said when it has been judged. Texts
of versions and answers go out as text; what runs them, keeps them and reckons with them is `comparing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from retroweave.export.excerpt import shorten, visible
from retroweave.pipeline.budget import Budget, dollars
from retroweave.pipeline.errors import RetroweaveError, UserError
from retroweave.review.bench import Workbench
from retroweave.review.comparing import Answered, Compared, Comparison, Difference, PromptStep, Trial, Version
from retroweave.review.page import Told, address, form_list, goes_on, number, render
from retroweave.review.shown import pieces_of

__all__ = ["choose", "compare", "judge", "judge_one", "results", "run", "save"]

STANDING = "as it is"
"""What the version is called that the recipe uses now."""
_MOST_ROWS = 200
_MOST_VERSIONS = 6
STATES = {"sample": "accepted", "reject": "rejected", "failure": "failed"}


async def compare(request: Request) -> Response:
    """The steps that ask with a prompt, and what was compared before."""
    bench: Workbench = request.app.state.bench
    return render(
        "compare.html.j2",
        request,
        "Compare",
        steps=bench.trial.steps() if bench.trial else (),
        earlier=Comparison.all(bench.folder),
        told=_told(request) or (Told(bench.no_trial) if bench.no_trial else None),
    )


async def choose(request: Request) -> Response:
    """Write versions of one step's prompt, to be run."""
    bench: Workbench = request.app.state.bench
    step = _step(bench, request.query_params.get("step", ""))
    return _writing(request, bench, step, [Version("", step.text)])


async def run(request: Request) -> Response:
    """Run the versions: answers as a stream of JSON lines where the page asked for that, or else all at once."""
    bench: Workbench = request.app.state.bench
    step = _step(bench, request.query_params.get("step", ""))
    fields = await form_list(request)
    given = dict(fields)
    versions = _versions(fields)
    streams = "application/x-ndjson" in request.headers.get("accept", "")
    try:
        comparison, answers = _begin(bench, step, versions, given)
    except RetroweaveError as error:
        if streams:
            return Response(_line({"wrong": str(error)}), media_type="application/x-ndjson")
        return _writing(request, bench, step, versions, str(error))
    if streams:
        return StreamingResponse(_streamed(comparison, answers), media_type="application/x-ndjson")
    kept = []
    try:
        async for answered in answers:
            comparison.add(answered)
            kept.append(answered)
    except RetroweaveError as error:
        return _writing(request, bench, step, versions, str(error))
    return goes_on(f"/compare/seen/{comparison.id}", told=_spent(kept))


async def judge(request: Request) -> Response:
    """The next row of a comparison that a person has not judged, or the one that they ask for."""
    bench: Workbench = request.app.state.bench
    comparison = Comparison.find(bench.folder, request.path_params["id"])
    person = request.query_params.get("as", "").strip() or bench.person
    rows = comparison.rows()
    judged = [row for row in rows if comparison.said(row, person).get("picked") is not None]
    wanted = request.query_params.get("row", "")
    row = wanted if wanted in rows else next((row for row in rows if row not in judged), None)
    if row is None:
        return goes_on(f"/compare/seen/{comparison.id}/results", **{"as": person})
    sides = comparison.side_by_side(row)
    return render(
        "versus.html.j2",
        request,
        "Compare",
        comparison=comparison,
        row=row,
        sides=[(letter, answered, pieces_of(answered.answer)) for letter, answered in sides],
        same=len({answered.answer for _, answered in sides}) == 1,
        fields=_fields(sides[0][1]),
        said=comparison.said(row, person),
        person=person,
        place=rows.index(row) + 1,
        rows=rows,
        judged=len(judged),
        states=STATES,
        told=_told(request),
    )


async def judge_one(request: Request) -> Response:
    """Keep which answer is the better, or whether one passes."""
    bench: Workbench = request.app.state.bench
    comparison = Comparison.find(bench.folder, request.path_params["id"])
    given = dict(await form_list(request))
    person = given.get("as", "").strip() or bench.person
    row = given.get("row", "")
    if row not in comparison.rows():
        raise UserError(f"The comparison has no row {row[:40]!r}.")
    what, _, letter = given.get("act", "").partition(" ")
    back = f"/compare/seen/{comparison.id}"
    if what in ("passes", "fails"):
        comparison.mark(row, person, letter, what == "passes")
        return goes_on(back, **{"as": person, "row": row})
    if what == "better":
        comparison.pick(row, person, letter or None)
    return goes_on(back, **{"as": person})


async def results(request: Request) -> Response:
    """Which version did how well; here the names are told."""
    bench: Workbench = request.app.state.bench
    comparison = Comparison.find(bench.folder, request.path_params["id"])
    person = request.query_params.get("as", "").strip() or bench.person
    rows = comparison.rows()
    judged = sum(comparison.said(row, person).get("picked") is not None for row in rows)
    compared, differences = comparison.results()
    return render(
        "results.html.j2",
        request,
        "Compare",
        comparison=comparison,
        compared=compared,
        differences=differences,
        choices=comparison.choices(),
        best=_best(compared),
        scale=_scale(differences),
        texts={version.name: version.text for version in comparison.versions},
        rows=rows,
        judged=judged,
        person=person,
        path=_path(bench, comparison.step),
        told=_told(request),
    )


async def save(request: Request) -> Response:
    """Write the winner's text into the prompt file."""
    bench: Workbench = request.app.state.bench
    comparison = Comparison.find(bench.folder, request.path_params["id"])
    given = dict(await form_list(request))
    step = _step(bench, comparison.step)
    evidence = comparison.save_winner(given.get("version", ""), step.path)
    told = f"{step.path} is {given.get('version')!r} now. Its evidence stands in {evidence}."
    return goes_on(f"/compare/seen/{comparison.id}/results", told=told)


def _best(compared: Sequence[Compared]) -> str:
    """The version to offer first: the one that was preferred, then the one that passed most, then the pipeline's."""
    return max(
        compared, key=lambda one: [rate.value if rate else 0.0 for rate in (one.preferred, one.passed, one.accepted)]
    ).version


def _scale(differences: Sequence[Difference]) -> float:
    """How far the drawn intervals reach to either side, all on one scale."""
    rates = [rate for one in differences for rate in (one.marks, one.accepted) if rate]
    widest = max((abs(end) for rate in rates for end in (rate.low, rate.high)), default=1.0)
    return next(step for step in (0.1, 0.25, 0.5, 1.0) if step >= min(widest, 1.0))


def _trial(bench: Workbench) -> Trial:
    if bench.trial is None:
        raise UserError(bench.no_trial)
    return bench.trial


def _step(bench: Workbench, name: str) -> PromptStep:
    steps = _trial(bench).steps()
    found = next((step for step in steps if step.step == name), None)
    if found is None:
        known = ", ".join(step.step for step in steps) or "none"
        raise UserError(f"No step {name[:60]!r} asks with a prompt file. There is {known}.")
    return found


def _path(bench: Workbench, step: str) -> str:
    try:
        return str(_step(bench, step).path)
    except UserError:
        return ""


def _versions(fields: Sequence[tuple[str, str]]) -> list[Version]:
    """The versions of the form, in order; browsers send line ends of their own."""
    names = [value.strip()[:60] for name, value in fields if name == "name"]
    texts = [value.replace("\r\n", "\n") for name, value in fields if name == "text"]
    return [
        Version(name or f"version {place}", text)
        for place, (name, text) in enumerate(zip(names, texts, strict=False), 1)
    ][:_MOST_VERSIONS]


def _begin(
    bench: Workbench, step: PromptStep, versions: Sequence[Version], given: Mapping[str, str]
) -> tuple[Comparison, AsyncIterator[Answered]]:
    """Hold the versions to what a prompt must be, and set them to work beside the one that stands."""
    trial = _trial(bench)
    for version in versions:
        trial.check(step.step, version.text)
    together = [Version(STANDING, step.text), *versions] if given.get("standing") else list(versions)
    names = [version.name for version in together]
    if len(set(names)) < len(names):
        raise UserError("Two versions have the same name. Give each its own.")
    rows = int(min(max(number(given.get("rows")) or 10, 1), _MOST_ROWS))
    budget = Budget(None, None, dollars(given["budget"])) if given.get("budget", "").strip() else None
    comparison = Comparison.begin(bench.folder, step.step, together)
    return comparison, trial.run(step.step, together, rows=rows, budget=budget)


async def _streamed(comparison: Comparison, answers: AsyncIterator[Answered]) -> AsyncIterator[bytes]:
    kept = []
    try:
        async for answered in answers:
            comparison.add(answered)
            kept.append(answered)
            yield _line(_told_of(answered))
    except RetroweaveError as error:
        yield _line({"wrong": str(error)})
        return
    yield _line({"next": address(f"/compare/seen/{comparison.id}", told=_spent(kept))})


def _spent(answers: Sequence[Answered]) -> str:
    free = sum(answered.cached for answered in answers)
    tokens = sum(answered.tokens for answered in answers if not answered.cached)
    return f"{len(answers)} answers: {free} stood in the journal and were free, the others took {tokens:,} tokens."


def _told_of(answered: Answered) -> dict[str, Any]:
    """An answer and nothing that tells whose it is: not the version, what it cost (an old one is free), or what the
    pipeline made of it."""
    head, left_out, _ = shorten(answered.answer, 2_000)
    rest = f" … {left_out:,} characters more" if left_out else ""
    return {
        "place": f"row {answered.row}",
        "text": visible(head) + rest if answered.answer else f"no answer: {visible(answered.reason)}",
    }


def _line(found: Mapping[str, Any]) -> bytes:
    return orjson.dumps(found) + b"\n"


def _fields(answered: Answered) -> dict[str, Any]:
    """What the row gave to the prompts, which says nothing of the version."""
    return {name: pieces_of(value) for name, value in answered.fields.items()}


def _writing(
    request: Request, bench: Workbench, step: PromptStep, versions: Sequence[Version], wrong: str = ""
) -> Response:
    more = bool(request.query_params.get("more"))
    return render(
        "writing.html.j2",
        request,
        "Compare",
        400 if wrong else 200,
        step=step,
        versions=[*versions, Version("", step.text)] if more else versions,
        more=address("/compare/prompt", step=step.step, more=1),
        told=Told(wrong, wrong=True) if wrong else None,
    )


def _told(request: Request) -> Told | None:
    return Told(told) if (told := request.query_params.get("told")) else None
