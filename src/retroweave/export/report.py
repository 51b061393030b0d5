"""The report: `report.html` of a run directory, one page that opens from disk and asks the network for nothing.

It is here so that a person can see at a glance what a set holds, what was thrown away, and whether to trust it. No
script runs in it, and its policy forbids all but its own style. Every text in it is text: samples, reasons and names
are hostile, and nothing that they hold becomes markup. It judges nothing itself: findings are the lints', evidence
is the pipeline's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup

from retroweave.export import facts, remaking, templates
from retroweave.export.charts import bar_chart, histogram, stacked_histogram
from retroweave.export.conversation import conversation
from retroweave.export.dataset import SPLITS, read_run
from retroweave.export.labelled import Labelled, read_labelled
from retroweave.export.survey import Bar, Judged, Spread, Survey, Tally, survey
from retroweave.export.trace import Stop, has_trace, trace

__all__ = ["write_report"]

_EXAMPLES = 6
_BARS = 32
_REASONS = 20
_LINES = 30


@dataclass(frozen=True)
class Chart:
    """A drawing, and the same as the rows of a table."""

    name: str
    caption: str
    svg: Markup
    label: str
    """What the labels are."""
    bars: list[Bar]


@dataclass(frozen=True)
class Scores:
    """What a judge was seen to do, with a drawing of its scores."""

    one: facts.Measured
    svg: Markup | None
    """`None` where there is no score to draw."""
    rows: list[tuple[str, int, int]]
    """From where on, how many were accepted, and how many rejected."""


@dataclass(frozen=True)
class Found:
    """What a lint found, with a drawing of what it counted."""

    severity: str
    lint: str
    message: str
    examples: list[str]
    svg: Markup | None
    """`None` where there is but one count, which the message says."""
    bars: list[Bar]


@dataclass(frozen=True)
class Walk:
    """One sample on its way back."""

    id: str
    place: str
    stops: list[Stop]


def write_report(run_dir: Path, found: Survey | None = None) -> Path:
    """Write `report.html` of a finished run and give back its path; `found` spares a pass over the samples."""
    run = read_run(run_dir)
    return templates.write_whole(
        run_dir / "report.html", _render(run, found or survey(run_dir), *read_labelled(run_dir))
    )


def _render(run: Mapping[str, Any], found: Survey, labelled: Labelled | None, labels_fit: bool) -> str:
    html = templates.html()
    html.filters |= {"code_runs": facts.code_runs, "number": _number}
    walk = _walk(run, found)
    return html.get_template("report.html.j2").render(
        css=Markup("".join(_styles(walk))),
        run=run,
        survey=found,
        title=facts.title(run),
        cautions=facts.cautions(run, found),
        duration=_duration(run["seconds"]),
        paragraphs=facts.paragraphs(run),
        figures=list(_figures(run, found, labelled if labels_fit else None)),
        losses=facts.losses(run),
        findings=[_finding(finding) for finding in run["findings"]],
        moves=facts.MOVES,
        evidence=facts.evidence(run),
        worths=facts.WORTHS,
        rests_on=facts.rests_on(run),
        sandbox=facts.sandbox(run),
        splits=[(split, run["splits"][split]) for split in SPLITS if run["splits"].get(split)],
        models=facts.models(run),
        spent=facts.spent(run),
        labelled=facts.labelled(labelled, labels_fit),
        money=facts.money,
        scores=[_scores(one) for one in facts.measured(run, found)],
        walk=walk,
        kinds=list(_kinds(found)),
        lengths=list(_lengths(found)),
        difficulty=[(_words(name), spread) for name, spread in found.numbers.items()],
        numbers=[_histogram(_words(name), "samples", spread) for name, spread in found.numbers.items()],
        examples=[conversation(sample) for sample in found.choose(_EXAMPLES)],
        reasons=facts.reasons(run, _REASONS),
        reason_chart=_reason_chart(run),
        licenses=found.licenses.bars(_LINES),
        origins=found.origins.bars(_LINES),
        config=[(name, orjson.dumps(value).decode()) for name, value in run["config"].items()],
        command=remaking.command(run),
        model_table=remaking.model_table(run),
        config_file=remaking.CONFIG_FILE,
    )


def _figures(run: Mapping[str, Any], found: Survey, labelled: Labelled | None) -> Iterator[tuple[str, str, str]]:
    """The headline figures: name, figure, what it is a part of."""
    counts = run["counts"]
    yield "samples", f"{counts['samples']:,}", f"of {run['rows']:,} asked for"
    sources = found.sources
    times = "once" if sources.passes == 1 else f"up to {sources.passes:,} times"
    yield "source rows", f"{sources.count:,}{' +' * sources.more}", f"drawn {times}{' each' * (sources.count != 1)}"
    share = counts["samples"] / counts["leaves"] if counts["leaves"] else 0
    yield "kept", f"{share:.1%}", f"of {counts['leaves']:,} outcomes"
    yield "tokens, about", _short(found.whole.total / 4), f"{_short(found.answer.total / 4)} of them trained"
    worths = [worth for worth, _ in facts.rests_on(run)]
    yield "least evidence", worths[-1] if worths else "none", "of a trained field"
    if labelled:
        yield "right", f"{labelled.precision.value:.1%}", f"{labelled.precision.interval}, by labels"
    yield "licence", run["license"], "of the set"


def _kinds(found: Survey) -> Iterator[Chart]:
    if len(found.layouts.counts) > 1:
        yield _bars("Layouts", "samples in each layout", "Layout", found.layouts)
    for name, tally in sorted(found.words.items(), key=lambda item: len(item[1].counts)):  # so columns fill evenly
        yield _bars(_words(name), f"{tally.total:,} in {found.samples:,} samples", _words(name), tally)


def _lengths(found: Survey) -> Iterator[Chart]:
    yield _histogram("Prompt", "samples by characters that are not trained", found.prompt)
    yield _histogram("Answer", "samples by characters that are trained", found.answer)


def _scores(one: facts.Measured) -> Scores:
    judged = one.judged
    labels = [f"{place / Judged.STEPS:.2f}" for place in range(Judged.STEPS)]
    name = f"Scores of {one.step}"
    svg = stacked_histogram(name, labels, judged.accepted, judged.rejected) if judged.scored else None
    rows = list(zip(labels, judged.accepted, judged.rejected, strict=True))
    return Scores(one, svg, [row for row in rows if row[1] or row[2]])


def _finding(finding: Mapping[str, Any]) -> Found:
    bars = [Bar(label, count) for label, count in finding.get("bars", ())]
    svg = bar_chart(f"Counts of {finding['lint']}", bars) if len(bars) > 1 else None
    return Found(finding["severity"], finding["lint"], finding["message"], finding.get("examples", []), svg, bars)


def _walk(run: Mapping[str, Any], found: Survey) -> Walk | None:
    """The first of the examples that models had to do with."""
    for sample in filter(has_trace, found.choose(_EXAMPLES)):
        return Walk(sample["id"], sample["provenance"]["source"]["place"], trace(sample, run))
    return None


def _styles(walk: Walk | None) -> Iterator[str]:
    here = Path(__file__).parent
    yield (here / "report.css").read_text(encoding="utf-8")
    if walk and any(call.tree for stop in walk.stops for call in stop.calls):
        yield (here / "tree.css").read_text(encoding="utf-8")


def _bars(name: str, caption: str, label: str, tally: Tally) -> Chart:
    bars = [Bar(bar.label.replace("_", " "), bar.count) for bar in tally.bars(_BARS)]
    return Chart(name, caption, bar_chart(name, bars), label, bars)


def _histogram(name: str, caption: str, spread: Spread) -> Chart:
    bars = spread.bars()
    return Chart(name, caption, histogram(name, bars), name, bars)


def _reason_chart(run: Mapping[str, Any]) -> Markup | None:
    bars = [Bar(reason["reason"], reason["count"]) for reason in run["reasons"][:_REASONS]]
    return bar_chart("Reasons", bars) if bars else None


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def _short(value: float) -> str:
    for bound, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= bound:
            unit = {"G": 1e9, "M": 1e6, "k": 1e3}[suffix]
            return f"{value / unit:,.1f} {suffix}" if value / unit < 100 else f"{value / unit:,.0f} {suffix}"
    return f"{value:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
