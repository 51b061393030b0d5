"""What a person sees in the terminal: pipelines drawn, progress, summaries, a few rows walked backwards.

Everything here writes text that came from sources or models as text: no markup in it is ever obeyed.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from retroweave.estimating import Estimate, Range
from retroweave.export.excerpt import Shown, visible
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.client import Client
from retroweave.pipeline.describe import StepLine, TrainedField, describe, trained_fields, worths
from retroweave.pipeline.layout import Turn
from retroweave.pipeline.pipeline import Pipeline
from retroweave.pipeline.row import Row
from retroweave.pipeline.run import Tally
from retroweave.pipeline.trial import Walk
from retroweave.sources.functions import Survey
from retroweave.sources.standalone import REASONS
from retroweave.text.tool_calls import spoken

__all__ = ["Progress", "mermaid", "show_estimate", "show_functions", "show_pipeline", "show_summary", "show_walk"]

FIRST_LOOK = (
    "The embedded model is for a first look. For data that is worth keeping name a larger one, such as "
    "--model openai:NAME@http://127.0.0.1:8000/v1."
)

MOVE_STYLE = {
    "given": "cyan",
    "compute": "white",
    "corrupt": "red",
    "verify": "green",
    "judge": "yellow",
    "prompt": "magenta",
    "reverse": "bold blue",
    "layout": "bold blue",
}


def show_pipeline(console: Console, pipeline: Pipeline) -> None:
    """The numbered steps, what each reads and writes, what that is worth, the turns, and why they may be trained."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for heading in ("", "move", "step", "reads", "writes (worth)", ""):
        table.add_column(heading, overflow="fold")
    known = worths(pipeline)
    for line in describe(pipeline):
        reads = ", ".join(f"about {name}" if name in line.about else name for name in line.reads)
        written = [f"{name} ({known[line.name, name]})" for name in line.writes]
        writes = ", ".join((*written, *(f"raises {name}" for name in line.raises)))
        move = Text(line.move, MOVE_STYLE.get(line.move, "dim"))
        table.add_row("  " * line.depth + line.number, move, line.name, reads, writes, Text(line.text, "dim"))
        for turn in line.turns:
            table.add_row(
                "", "", Text(f"  {turn.role}"), _template(turn), Text("trained", "bold green") if turn.train else ""
            )
    console.print(table)
    console.print()
    show_evidence(console, trained_fields(pipeline))


def _template(turn: Turn) -> Text:
    """A turn's template on one line, and the field that holds the tool call it makes."""
    called = f"{{{turn.call}}} is called" if turn.call else ""
    return Text(" ".join([*turn.template.text.split(), called]).strip(), "bold" if turn.train else "dim")


def show_evidence(console: Console, trained: list[TrainedField]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("trained in", "field", "worth", "because of"):
        table.add_column(heading)
    for one in trained:
        reason = ", ".join(one.checks) or ("the source" if one.worth == "given" else "how it was made")
        table.add_row(one.layout, one.field, Text(one.worth, "bold green"), reason)
    console.print(table)


def mermaid(lines: list[StepLine]) -> str:
    """The pipeline as a Mermaid flowchart: what follows is drawn below what it follows."""
    drawn = ["flowchart TD"]
    last: dict[int, str] = {}
    for line in lines:
        key = "s" + line.number.replace(".", "_")
        writes = ", ".join((*line.writes, *(f"raises {name}" for name in line.raises)))
        label = f"{line.number} {line.move}<br/>{line.name}" + (f"<br/>→ {writes}" if writes else "")
        drawn.append(f'    {key}["{label.replace(chr(34), "#quot;")}"]')
        above = last.get(line.depth - 1)
        before = above if line.move == "arm" else last.get(line.depth, above)
        if before:
            drawn.append(f"    {before} --> {key}")
        last = {depth: other for depth, other in last.items() if depth < line.depth} | {line.depth: key}
    return "\n".join(drawn)


class Progress:
    """A line that lives while a run works, on a terminal; silence elsewhere."""

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._tally = Tally(rows)
        self._began = time.monotonic()
        self._held = 0
        self._desk = Desk()

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, get_renderable=self._draw, refresh_per_second=5, transient=True):
            yield self

    def meet(self, desk: Desk) -> None:
        """The models of the run are found: what it waits for is theirs to say."""
        self._desk = desk
        if any(client.spec.kind == "embedded" for client in desk.clients.values()):
            self._console.print(FIRST_LOOK, style="yellow")

    def watch(self, tally: Tally) -> None:
        self._tally = tally
        if tally.replayed_rows == tally.source_rows:  # how fast a journal is read says nothing of what is to come
            self._began, self._held = time.monotonic(), tally.samples

    def _draw(self) -> Table:
        tally = self._tally
        seconds = max(time.monotonic() - self._began, 1e-6)
        fresh = (tally.samples - self._held) / seconds
        waits_for = "models" if self._desk.clients else "starting workers"
        left = f"{(tally.rows - tally.samples) / fresh:,.0f} s left" if fresh else waits_for
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(total=tally.rows, completed=tally.samples, width=30),
            f"{tally.samples:,} of {tally.rows:,} accepted",
            f"{fresh:,.0f}/s",
            left,
        )
        reasons = Counter(dict(tally.reasons))  # a copy: this is drawn in a thread, while the run goes on counting
        lost = [
            f"{count:,} {verdict.replace('_', ' ')} at {step}: {reason}"
            for (verdict, step, reason), count in reasons.most_common(3)
        ]
        for line in (*map(_client_line, dict.fromkeys(self._desk.clients.values())), *lost):
            grid.add_row("", Text(visible(line[:100]), "dim"))
        return grid


def _client_line(client: Client) -> str:
    """What a model is doing, and what is waited for."""
    pace = client.pace
    parts = [f"{client.name}: {pace.under_way} under way of {int(pace.limit)} at once"]
    if pace.waiting:
        parts.append(f"{pace.waiting:,} waiting")
    if pause := pace.pause_left(time.monotonic()):
        parts.append(f"asked to wait {pause:.0f} s more")
    if client.cached:
        parts.append(f"{client.cached:,} known already")
    if client.retries:
        parts.append(f"{client.retries:,} sent again")
    if client.trouble:
        parts.append(client.trouble)
    return ", ".join(parts)


def show_estimate(console: Console, found: Estimate) -> None:
    """What a run would take, with the intervals."""
    accepted = found.accepted.range
    console.print(
        f"{counted(found.source_rows, 'source row')} gave {counted(found.accepted.of, 'outcome')}, of which "
        f"{found.accepted.passed:,} became samples: a yield of {accepted.likely:.0%} "
        f"({accepted.low:.0%} to {accepted.high:.0%})."
    )
    if found.gives is not None and found.gives < found.rows:
        said = f"The source has no more rows: it gives about {found.gives:,} samples, not {found.rows:,}."
        console.print(said, style="yellow")
    if found.failures:
        console.print(f"{found.failures} more failed by an error.", style="yellow")
    for reason, count in found.reasons[:5]:
        console.print(Text(visible(f"  {count:,} {reason}"), "dim"))
    if found.plain is not None:
        plain = found.plain.range
        console.print(
            f"With the plain prompts in their place {found.plain.passed} of {found.plain.of} pass: {plain.likely:.0%} "
            f"({plain.low:.0%} to {plain.high:.0%})."
        )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (f"{found.rows:,} samples take", "likely", "at least", "at most"):
        table.add_column(heading, justify="left" if heading.endswith("take") else "right")
    table.add_row("calls", *_bounds(found.calls, "{:,.0f}"))
    table.add_row("tokens", *_bounds(found.tokens, "{:,.0f}"))
    if found.cost is None:
        table.add_row("dollars", "no price is named", "", "")
    else:
        table.add_row("dollars", *_bounds(found.cost, "{:,.2f}"))
    if found.seconds is None:
        table.add_row("minutes", "not measured", "", "")
    else:
        table.add_row("minutes", *_bounds(found.seconds, "{:,.1f}", 1 / 60))
    console.print(table)
    if found.seconds is None:
        console.print("Some answers stood in the journal already, so it was not seen how long they take.", style="dim")
    console.print(
        "Intervals of 95 %, for rows like the first ones of the source. Answers are kept for the run.", style="dim"
    )


def show_functions(console: Console, survey: Survey) -> None:
    """How many functions stand alone, and by reason how many do not; then what was not read or let in."""
    share = f" ({survey.standalone / survey.top_level:.1%} of those)" if survey.top_level else ""
    console.print(f"{survey.files:,} files, {survey.functions:,} functions, {survey.top_level:,} at the top level")
    console.print(f"{survey.standalone:,} stand alone{share}, in {survey.clusters:,} clusters", style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("dropped", justify="right")
    table.add_column("reason")
    table.add_column("", style="dim", overflow="fold")
    for reason, count in survey.reasons.most_common():
        table.add_row(f"{count:,}", reason, REASONS[reason])
    console.print(table)
    for license, count in survey.licenses.most_common():
        console.print(Text(visible(f"{count:,} under {license}"), "dim"))
    for reason, count in survey.unread.most_common():
        console.print(f"{count:,} files were not read: {reason}", style="yellow")
    for one in survey.skipped:
        console.print(Text(visible(f"{one.name} was not let in: {one.why}"), "yellow"))


def counted(count: int, noun: str) -> str:
    """A number of things: `1 sample`, `1,200 samples`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _bounds(found: Range, form: str, scale: float = 1.0) -> list[str]:
    values = (found.likely, found.low, found.high)
    return ["no end" if math.isinf(value) else form.format(value * scale) for value in values]


def _pace(samples: int, seconds: float) -> str:
    per_second = samples / max(seconds, 0.01)  # it is told in hundredths
    return f"{per_second:,.0f} a second" if per_second >= 1 else f"{60 * per_second:,.0f} a minute"


def show_summary(console: Console, run: dict[str, Any], out: str) -> None:
    """What a run made, with the sum that promise 2 keeps."""
    counts = run["counts"]
    splits = ", ".join(f"{count:,} {side}" for side, count in run["splits"].items())
    console.print(
        f"[bold green]{counted(counts['samples'], 'sample')}[/] of {escape(run['recipe'])} in {escape(out)} ({splits}; "
        f"{escape(run['license'])}), {run['seconds']:.1f} s, {_pace(counts['samples'], run['seconds'])}."
    )
    lost = ("rejects", "failures", "duplicates", "over_cap")
    total = " + ".join(f"{counts[part]:,} {part.replace('_', ' ')}" for part in lost)
    console.print(
        f"{counted(counts['leaves'], 'outcome')} of {counted(counts['source_rows'], 'source row')} = "
        f"{counted(counts['samples'], 'sample')} + {total}.",
        style="dim",
    )
    if counts["surplus_rows"]:
        more = counted(counts["surplus_rows"], "source row")
        console.print(f"Finished beyond these, for a longer run: {more}.", style="dim")
    for model in run["models"]:
        cost = f", ${model['cost']:,.4f}" if model["cost"] else ""
        console.print(
            Text(visible(f"  {model['use']}: {model['calls']:,} calls, {model['tokens']:,} tokens{cost}"), "dim")
        )
    for one in run["reasons"][:5]:
        kind = one["kind"].replace("_", " ")
        console.print(Text(visible(f"  {one['count']:,} {kind} at {one['step']}: {one['reason']}"), "dim"))
    if rest := sum(one["count"] for one in run["reasons"][5:]):
        console.print(f"  {rest:,} more for other reasons, see rejects.parquet", style="dim")
    if counts["failures"] > counts["leaves"] / 10:
        console.print(
            f"warning: {counts['failures']:,} of {counts['leaves']:,} outcomes failed by an error of a step: what is "
            "left may be a biased choice. rejects.parquet has the traces.",
            style="bold yellow",
        )
    for finding in run["findings"]:
        console.print(Text(visible(f"  {finding['severity']}: {finding['message']}"), "yellow"))
    console.print(f"Look at {out}/report.html and {out}/README.md; the samples are in {out}/data/.", markup=False)


def show_walk(console: Console, walk: Walk, shown: Shown) -> None:
    """One row, backwards: what became of it, then each step's output, the last first, less what was `shown` of it."""
    leaf = walk.leaf
    console.rule(Text(visible(f"{leaf.place} · {leaf.kind}")))
    if leaf.kind == "sample":
        for message in leaf.sample["messages"]:
            _show_message(console, message, shown)
    else:
        console.print(Text(visible(f"{leaf.kind} at {leaf.step}: {leaf.reason}"), "bold red"))
        if leaf.trace:
            console.print(Text(visible(shown.new(leaf.trace)), "dim"))
    for one in reversed(walk.written):
        move = (f"{one.move} ", MOVE_STYLE.get(one.move, "dim"))
        console.print(Text.assemble("↑ ", move, visible(one.step), (" wrote ", "dim"), (one.field, "bold")))
        text = visible(shown.new(one.value))
        console.print(Text(text if len(text) <= 1200 else f"{text[:1000]} … ({len(text):,} characters)", "dim"))
    if leaf.row is not None:
        _show_asked(console, leaf.row, shown)


def _show_message(console: Console, message: Mapping[str, Any], shown: Shown) -> None:
    """A turn, all of it: a sample is judged by what stands in it."""
    text = spoken(message)
    shown.note(text)
    title = message["role"] + (" · trained" if message["train"] else "")
    style = "blue" if message["train"] else "dim"
    panel = Panel(Text(visible(text)), title=title, title_align="left", border_style=style)
    console.print(panel, soft_wrap=False)  # its frame would cut off what is not folded


def _show_asked(console: Console, row: Row, shown: Shown) -> None:
    """What models were asked for the row, and how judges scored it, the last first."""
    for verdict in reversed(row.verdicts):
        parts = ", ".join(f"{name} {value}" for name, value in verdict["parts"].items())
        word = "passed" if verdict["passed"] else "rejected"
        text = visible(f"{verdict['step']} gave {verdict['score']:.3f}: {word} ({parts})")
        console.print(Text.assemble("↑ ", ("judge ", MOVE_STYLE["judge"]), text))
    for call in reversed(row.calls):
        console.print(Text.assemble("↑ ", (visible(f"{call['step']} asked {call['model']}"), "magenta")))
        console.print(Text(visible(_end_of(call["prompt"], shown)), "dim"))
        answer = shown.new(call.get("answer", call.get("error", "")))
        console.print(Text(visible(f"  ▸ {answer}"), "none" if "answer" in call else "red"))


def _end_of(prompt: Any, shown: Shown) -> str:
    """The last part of a prompt: what is particular to the row mostly stands there."""
    asked = prompt if isinstance(prompt, str) else "\n".join(f"[{one['role']}] {one['content']}" for one in prompt)
    text = shown.new(asked)
    return text if len(text) <= 800 else f"({len(text):,} characters) … {text[-700:]}"


def console_for(stream: TextIO | None = None) -> Console:
    """A console that folds nothing when its output goes to a file or a pipe."""
    out = stream or sys.stdout
    width = None if out.isatty() else int(os.environ.get("COLUMNS", "100"))
    return Console(file=out, highlight=False, soft_wrap=not out.isatty(), width=width)
