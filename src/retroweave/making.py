"""Making a dataset: a recipe's run, from an empty folder to data, card and report.

This is what `retroweave run` calls, and what a program may call. It holds the run directory: one run at a time, one
fingerprint, nothing half-written under a final name.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import platform
import shlex
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import orjson
from filelock import FileLock, Timeout

from retroweave.export.card import write_card
from retroweave.export.dataset import DatasetWriter
from retroweave.export.report import write_report
from retroweave.export.survey import Survey
from retroweave.models.desk import open_desk
from retroweave.models.licensing import require_terms, terms_for
from retroweave.models.named import entry_of, named
from retroweave.pipeline import loop
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.calls import Spent
from retroweave.pipeline.describe import calls_tools, describe, judges, trained_fields
from retroweave.pipeline.errors import RunStopped, UserError
from retroweave.pipeline.fingerprint import differences, fingerprint
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.gate import Verdict
from retroweave.pipeline.journal import JOURNAL, Journal
from retroweave.pipeline.licenses import combine
from retroweave.pipeline.model import ModelSpec
from retroweave.pipeline.pipeline import Pipeline
from retroweave.pipeline.recipe import Config, Recipe
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.rules import require_judges_hold, require_valid
from retroweave.pipeline.run import Tally, run
from retroweave.pipeline.runner import InProcess, Processes, Runner
from retroweave.quality.lint import Habits, Shares

__all__ = ["make"]

T = TypeVar("T")

RUN = "run.json"
NOTICE = "NOTICE"


def make(
    recipe: Recipe,
    config: Config,
    rows: int,
    out: Path,
    *,
    seed: int = 0,
    workers: int | None = None,
    again: bool = False,
    budget: Budget | None = None,
    models: Mapping[str, ModelSpec] | None = None,
    shares: Shares | None = None,
    watch: Callable[[Tally], None] = lambda tally: None,
    meet: Callable[[Desk], None] = lambda desk: None,
) -> dict[str, Any]:
    """Make `rows` accepted samples of a recipe in the folder `out`, and give back what `run.json` says.

    Goes on where an earlier run into `out` stopped, and refuses where anything changed that the rows depend on, unless
    `again`. `budget` bounds what models may take in all the run's life; `models` are those that a config file names;
    `shares` are those above which the lints speak up; `meet` is handed the models when they are found. Raises
    `UserError` for what a person can mend before it begins, `RunStopped` for what stopped it on the way; all finished
    rows are kept in either case.
    """
    if rows < 1:
        raise UserError(f"--rows is how many accepted samples to make, 1 or more, not {rows}.")
    if workers is not None and workers < 1:
        raise UserError(f"--workers is how many processes work on rows, 1 or more, not {workers}.")
    pipeline = recipe.pipeline(config)
    require_valid(pipeline, recipe.name)
    specs = {name: named(reference, models or {}) for name, reference in pipeline.models.items()}
    require_terms(specs)
    order = _Order(
        recipe, config, pipeline, rows, out, seed, workers or _cores(), again, budget or Budget(), specs, shares or {}
    )
    interrupts = _Interrupts()
    with _held(_folder(out)), _seldom_collected():
        try:
            return interrupts.apart(lambda: _make(order, interrupts, watch, meet))
        except OSError as error:
            raise _stopped(error, out) from error


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the garbage collector look less often: it costs a run of many small rows a tenth of its time.

    What rows leave behind is mostly no cycle, and goes without it. What stands before the run is not looked at again.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(frozen=True)
class _Order:
    """What was asked for."""

    recipe: Recipe
    config: Config
    pipeline: Pipeline
    rows: int
    out: Path
    seed: int
    workers: int
    again: bool
    budget: Budget
    models: Mapping[str, ModelSpec]
    shares: Shares


def _make(
    order: _Order, interrupts: _Interrupts, watch: Callable[[Tally], None], meet: Callable[[Desk], None]
) -> dict[str, Any]:
    began = time.monotonic()
    path = order.out / JOURNAL
    with closing(Journal(path)) as journal:
        try:
            valid_under = _same_run(journal, order)
            taker = _Taker(order.out, order.shares, tools=calls_tools(order.pipeline))
            with taker.writer, interrupts.heard():
                tally, desk = interrupts.run(_run(order, journal, taker, watch, meet))
                taker.hand_on()
                # It marks a finished run, and what it says of data/ would be wrong from here on.
                (order.out / RUN).unlink(missing_ok=True)
            _no_sample(tally, order.out)
            found = _summary(order, tally, desk, valid_under, time.monotonic() - began)
            found["lint"] = dict(order.shares)
            found["findings"] = [asdict(finding) for finding in taker.habits.findings()]
            _write_notice(order.out / NOTICE, order.pipeline.resources.values())
            _write_json(order.out / RUN, found)
            write_card(order.out, taker.survey)
            write_report(order.out, taker.survey)
            return found
        except KeyboardInterrupt:
            raise Interrupted(
                f"Stopped by Ctrl-C. {len(journal)} source rows are finished and kept in {str(path)!r}; the same "
                "command goes on from there."
            ) from None


def _cores() -> int:
    """The cores that this process may use, which a container or a batch system makes fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Interrupted(RunStopped):
    """A person stopped the run."""

    exit_code = 130


class _Interrupts:
    """Ctrl-C, heard once: the run is cancelled and winds up, whoever presses again in the next moment.

    Later than that, a second one ends the run where it stands: in a step that does not come back. It too is heard once.
    """

    PATIENCE = 2.0

    def __init__(self) -> None:
        self._cancel: Callable[[], object] | None = None
        self._heard: float | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """In the main thread: no other is told."""
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, self._hear) if in_main else None
        try:
            yield
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)

    def apart(self, work: Callable[[], T]) -> T:
        """Do the work, and in a thread of its own where an event loop runs here already, as in a notebook."""
        if not _in_a_loop():
            return work()
        with self.heard(), ThreadPoolExecutor(1, "making") as threads:
            return threads.submit(work).result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises `KeyboardInterrupt` when what was cancelled has wound up."""
        try:
            return loop.run(self._cancellable(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            self._cancel = None

    async def _cancellable(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
        return await work

    def _hear(self, *_: object) -> None:
        before, now = self._heard, time.monotonic()
        if before is not None and now - before <= self.PATIENCE:
            return
        self._heard = now
        if before is not None or self._cancel is None:
            raise KeyboardInterrupt
        self._cancel()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _run(
    order: _Order,
    journal: Journal,
    taker: _Taker,
    watch: Callable[[Tally], None],
    meet: Callable[[Desk], None],
) -> tuple[Tally, Desk]:
    pipeline, recipe = order.pipeline, order.recipe
    async with open_desk(order.models, journal.run_id(), order.budget, meet=meet) as desk:
        bench = Bench(pipeline, recipe.name, order.seed, together=pipeline.awaits, desk=desk)
        await require_judges_hold(bench)
        runner: Runner
        if order.workers == 1 or bench.together or not recipe.reference:
            runner = InProcess(bench)
        else:
            runner = Processes(recipe.reference, order.config.model_dump_json(), order.seed, order.workers)
        try:
            return await run(bench, order.rows, journal, runner, taker.take, watch), desk
        finally:
            runner.close()


class _Taker:
    """Where the gate's leaves end up: the files, and in the same pass what card, report and lints say of them.

    Each of these has its turn with some leaves at once. Taking turns at every leaf, they take a tenth of a run longer:
    what one needs at hand is gone when it comes round again.
    """

    AT_ONCE = 128

    def __init__(self, out: Path, shares: Shares, *, tools: bool) -> None:
        self.writer = DatasetWriter(out, tools=tools)
        self.survey = Survey()
        self.habits = Habits(shares)
        self._taken: list[tuple[str, dict[str, Any]]] = []
        """A side of the split with its sample, or "" with a reject."""

    def take(self, verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> None:
        if verdict == "sample":
            self._taken.append((drawn.side, leaf.sample))
        else:
            self._taken.append(("", _reject(verdict, reason, leaf, drawn)))
        if len(self._taken) >= self.AT_ONCE:
            self.hand_on()

    def hand_on(self) -> None:
        """All that was taken goes where it belongs, now."""
        taken, self._taken = self._taken, []
        for side, one in taken:
            if side:
                self.writer.write(side, one)
            else:
                self.writer.reject(one)
        for side, one in taken:
            if side:
                self.survey.add({**one, "split": side})
            else:
                self.survey.reject(one)
        self.habits.see([one for side, one in taken if side])


def _reject(verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> dict[str, Any]:
    """A row that is no sample, as it stands in `rejects.parquet`."""
    asked = leaf.sample.get("provenance", leaf.sample)  # a duplicate is a whole sample
    return {
        "row": "/".join(str(part) for part in leaf.path),
        "step": leaf.step,
        "kind": verdict,
        "reason": reason,
        "trace": leaf.trace,
        "source": drawn.place,
        "calls": asked.get("calls", []),
        "verdicts": asked.get("verdicts", []),
    }


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        strangers = [path.name for path in out.iterdir() if path.name not in (JOURNAL, ".lock")]
    except OSError as error:
        raise UserError(f"The folder {str(out)!r} cannot be used for the run: {error.strerror}.") from error
    if strangers and not (out / JOURNAL).exists():
        raise UserError(
            f"The folder {str(out)!r} is not empty and holds no run of ours (there is {sorted(strangers)[0]!r}). "
            "Name an empty or a new folder with --out."
        )
    return out


def _held(out: Path) -> Any:
    lock = FileLock(out / ".lock", timeout=0)
    try:
        return lock.acquire()
    except Timeout:
        raise UserError(
            f"Another run is working in {str(out)!r}. Wait for it, stop it, or name another folder with --out."
        ) from None
    except OSError as error:
        raise UserError(f"The folder {str(out)!r} cannot be written: {error.strerror}.") from error


def _same_run(journal: Journal, order: _Order) -> dict[str, Any]:
    """The fingerprint, which is that of the journal or becomes it."""
    made_by = version("retroweave")
    now = fingerprint(order.recipe, order.config, order.pipeline, order.seed, made_by, order.models)
    before = journal.fingerprint()
    if before is None or order.again or journal.empty:
        journal.begin(now)
    elif changed := differences(before, orjson.loads(orjson.dumps(now))):
        shown = "; ".join(changed[:6]) + (f"; and {len(changed) - 6} more" if len(changed) > 6 else "")
        raise UserError(
            f"The run in {str(order.out)!r} was made otherwise. What changed: {shown}. Pass --again to make the rows "
            "anew there, or name another folder with --out."
        )
    return now


def _no_sample(tally: Tally, out: Path) -> None:
    if tally.samples:
        return
    reasons = "; ".join(
        f"{count:,} {verdict.replace('_', ' ')} at {step!r}: {reason}"
        for (verdict, step, reason), count in tally.reasons.most_common(3)
    )
    said = f"No sample was accepted of {tally.source_rows:,} source rows. {reasons or 'No row was finished'}."
    shown = f"`{shlex.join(['retroweave', 'review', str(out)])}` shows what was thrown away, and why."
    raise RunStopped(" ".join(filter(None, (said, tally.out_of_budget, shown))))


def _stopped(error: OSError, out: Path) -> RunStopped:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        advice = "Make room, and the same command goes on."
    else:
        advice = "Mend that, and the same command goes on."
    where = error.filename or out
    return RunStopped(f"The run stopped at {str(where)!r}: {error.strerror}. Finished rows are kept. {advice}")


def _summary(order: _Order, tally: Tally, desk: Desk, valid_under: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What `run.json` says."""
    recipe, config, pipeline = order.recipe, order.config, order.pipeline
    return {
        "retroweave": version("retroweave"),
        "recipe": recipe.name,
        "reference": recipe.called,
        "title": recipe.title,
        "description": recipe.doc,
        "config": config.model_dump(mode="json"),
        "config_changed": config.model_dump(mode="json", exclude_defaults=True),
        "seed": order.seed,
        "rows": tally.rows,
        "seconds": round(seconds, 2),
        "license": combine(tally.license_counts),
        "source": {"name": pipeline.source.name, "fingerprint": valid_under["source"]},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("pyarrow", "orjson", "pygit2")},
        },
        "steps": [
            {"number": line.number, "move": line.move, "name": line.name, "text": line.text}
            | {"reads": line.reads, "writes": line.writes, "raises": line.raises}
            for line in describe(pipeline)
        ],
        "evidence": [
            {"layout": one.layout, "field": one.field, "worth": one.worth, "checks": one.checks}
            for one in trained_fields(pipeline)
        ],
        "judges": [
            {"step": step.name, "accepts_right": step.accepts_right, "accepts_wrong": step.accepts_wrong}
            for step in judges(pipeline)
        ],
        "resources": dict(_told(pipeline.resources)),
        "models": _models(desk, pipeline.models),
        "out_of_budget": tally.out_of_budget,
        "counts": _counts(tally),
        "reasons": [
            {"kind": verdict, "step": step, "reason": reason, "count": count}
            for (verdict, step, reason), count in tally.reasons.most_common()
        ],
        "splits": dict(sorted(tally.sides.items())),
    }


def _told(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What resources say of themselves for the manifest: those that have a method `manifest`."""
    for name, resource in resources.items():
        if callable(manifest := getattr(resource, "manifest", None)):
            yield name, manifest()


def _models(desk: Desk, references: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each model with what it took in all the run's life; a model of two names stands here once."""
    found = []
    for client in dict.fromkeys(desk.clients.values()):
        spent = desk.ledger.models.get(client.name, Spent())
        found.append(
            {
                "names": [name for name, other in desk.clients.items() if other is client],
                "use": client.spec.use,
                "reference": references[client.name],
                "entry": entry_of(client.spec),
                "form": client.form,
                "abilities": asdict(client.abilities),
                "terms": asdict(terms_for(client.spec)),
                "left_out": list(getattr(client.endpoint, "left_out", ())),
                "calls": spent.calls,
                "tokens": spent.tokens,
                "cost": round(spent.cost, 6),
                "unknown": spent.unknown,
                "from_journal": client.cached,
            }
        )
    return found


def _counts(tally: Tally) -> Mapping[str, int]:
    return {
        "source_rows": tally.source_rows,
        "replayed_rows": tally.replayed_rows,
        "leaves": tally.leaves,
        "samples": tally.samples,
        "rejects": tally.verdicts["reject"],
        "failures": tally.verdicts["failure"],
        "duplicates": tally.verdicts["duplicate"],
        "over_cap": tally.verdicts["over_cap"],
        "surplus_rows": tally.surplus_rows,
        "unfinished_rows": tally.unfinished_rows,
        "surplus_leaves": tally.surplus_leaves,
    }


def _write_notice(path: Path, resources: Iterable[Any]) -> None:
    """What must be passed on with a set, from the resources that have a method `notice`."""
    texts = [one.notice() for one in resources if callable(getattr(one, "notice", None))]
    if texts:
        path.write_text("\n\n".join(texts), "utf-8")


def _write_json(path: Path, value: Any) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    temporary.replace(path)
