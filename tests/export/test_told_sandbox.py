"""Card, report and cautions say what held untrusted code, and nothing where none was run."""

from __future__ import annotations

from pathlib import Path

from tests.export.conftest import MakeRun

from retroweave.export.card import write_card
from retroweave.export.dataset import read_run
from retroweave.export.facts import cautions, sandbox
from retroweave.export.report import write_report
from retroweave.export.survey import survey

HELD = {"files": "Landlock (version 7)", "network": "seccomp", "processes": "seccomp", "limits": "rlimits"}


def told(layers: dict[str, str]) -> dict[str, object]:
    return {"sandboxes": {"layers": layers, "not_on": {}, "unsafe": False}}


def card(run: Path) -> str:
    return write_card(run).read_text("utf-8")


def report(run: Path) -> str:
    return write_report(run).read_text("utf-8")


def test_a_run_that_ran_no_code_says_nothing_of_it(make_run: MakeRun) -> None:
    run = make_run()
    assert sandbox(read_run(run)) == []
    assert "untrusted" not in card(run)
    assert "untrusted" not in report(run)


def test_each_property_is_told_with_what_held_it(make_run: MakeRun) -> None:
    text = card(make_run(resources=told(HELD)))
    assert "## How untrusted code was run" in text
    assert "| files | Landlock (version 7) |" in text
    assert "| limits | rlimits |" in text


def test_the_report_tells_them_too_and_as_text(make_run: MakeRun) -> None:
    html = report(make_run(resources=told(HELD | {"files": "<b>Landlock</b>"})))
    assert html.count("How untrusted code was run") == 1
    assert '<tr><th scope="row">limits</th><td>rlimits</td></tr>' in html
    assert '<tr><th scope="row">files</th><td>&lt;b&gt;Landlock&lt;/b&gt;</td></tr>' in html


def test_a_property_that_nothing_held_comes_first_on_the_card(make_run: MakeRun) -> None:
    run = make_run(resources=told(HELD | {"files": "nothing (--unsafe)", "network": "nothing (--unsafe)"}))
    found = cautions(read_run(run), survey(run))
    assert any("with nothing that held its files and network" in caution for caution in found)
    assert "**Read this first.** Code that nobody trusts was run" in card(run)


def test_layers_are_no_markup(make_run: MakeRun) -> None:
    text = card(make_run(resources=told({"files": "a | b <img src=x> [c](d)"})))
    assert r"| files | a \| b \<img src=x\> \[c\](d) |" in text
