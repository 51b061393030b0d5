"""What the lints found stands in the report with its counts drawn and its rows named, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from retroweave.export.report import write_report

MakeRun = Callable[..., Path]

FINDING = {"lint": "one-opening", "severity": "warning", "message": "62 of 200 begin with 'sure'."}


def section(make_run: MakeRun, **fields: Any) -> str:
    html = write_report(make_run(findings=[FINDING | fields])).read_text("utf-8")
    return html[html.index('<section id="findings"') : html.index('<section id="odds"')]


def test_counts_are_drawn_and_stand_in_a_table(make_run: MakeRun) -> None:
    shown = section(make_run, bars=[["sure, here is", 62], ["the text has", 31]], of=200)
    assert 'aria-label="Counts of one-opening"' in shown
    assert shown.count("<svg") == 1
    assert '<th scope="row">sure, here is</th><td class="n">62</td>' in shown.replace("\n", "")


def test_one_count_alone_is_not_drawn(make_run: MakeRun) -> None:
    assert "<svg" not in section(make_run, bars=[["sure", 62]])


def test_rows_are_named(make_run: MakeRun) -> None:
    shown = section(make_run, examples=["abc", "def"])
    assert "Look at <code>abc</code>, <code>def</code>." in shown


def test_a_finding_of_an_older_run_has_neither(make_run: MakeRun) -> None:
    shown = section(make_run)
    assert "62 of 200 begin" in shown
    assert "Look at" not in shown
    assert "<svg" not in shown


def test_a_label_becomes_no_markup(make_run: MakeRun) -> None:
    shown = section(make_run, bars=[["<script>alert(1)</script>", 3], ["\x1b[31m", 2]], examples=["<b>"])
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "<b>" not in shown
