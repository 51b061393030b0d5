"""What a real run leaves of its models and judges is what card, report and exports are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.conftest import Project

from retroweave.export.card import write_card
from retroweave.export.formats import export_samples
from retroweave.export.report import write_report

RECIPE = '''
from random import Random

from retroweave import Config, Pipeline, assistant, family, given, judge, layout, prompt, recipe, user
from retroweave.pipeline.model import Model, Request
from retroweave.pipeline.source import SourceRow
from retroweave.pipeline.verdict import Score

THINGS = [f"thing {number}" for number in range(12)]


class Riddles(Config):
    model: str


async def riddle(thing: str, rng: Random, writer: Model) -> tuple[str, str]:
    plain = f"A riddle about {thing}."
    turn = {"role": "user", "content": f"{plain} Be {rng.choice(['good', 'bad'])}."}
    answer = await writer.ask(Request("chat", messages=(turn,)), plain=plain)
    return answer.text, plain


def keeps_its_secret(riddle: str) -> Score:
    bad = "bad" in riddle
    return Score(0.1 if bad else 0.8, not bad)


@recipe(example=Riddles(model="scripted:answers.yaml"))
def riddles(config: Riddles) -> Pipeline:
    """Write riddles."""
    rows = [SourceRow(key=thing, fields={"thing": thing}, license="CC0-1.0", place=thing) for thing in THINGS]
    return Pipeline(
        given(lambda: rows, {"thing": str}, licenses=("CC0-1.0",), fingerprint=lambda: "12"),
        family(
            prompt(riddle, writes="riddle", plain="request"),
            judge(keeps_its_secret, raises="riddle", good={"riddle": "good"}, spoiled={"riddle": "bad"}),
            want=1,
            tries=3,
        ),
        layout(user("{request}"), assistant("{riddle}"), floor="judged"),
        models={"writer": config.model},
    )
'''
ANSWERS = """
- {when: [A riddle, Be good], answer: "A good one."}
- {when: [A riddle, Be bad], answer: "A bad one: <script>alert(1)</script>"}
"""


@pytest.fixture
def out(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that asked for one sample more than there are, so that a second draw gave duplicates."""
    monkeypatch.chdir(project.folder)
    project.write("answers.yaml", ANSWERS)
    made = project.make(project.write("riddles.py", RECIPE), 13, model="scripted:answers.yaml")
    assert made["counts"]["duplicates"] > 0 < made["counts"]["rejects"]
    return project.folder / "out"


def test_a_duplicate_keeps_what_was_said_of_it(out: Path, project: Project) -> None:
    duplicates: list[Any] = [reject for reject in project.rejects() if reject["kind"] == "duplicate"]
    for duplicate in duplicates:
        assert [one["answer"] for one in duplicate["calls"]] == ["A good one."]
        assert [one["score"] for one in duplicate["verdicts"]] == [0.8]


def test_card_and_report_say_the_same_in_the_run_and_when_its_files_are_read(out: Path) -> None:
    for name, write in (("README.md", write_card), ("report.html", write_report)):
        in_the_run = (out / name).read_bytes()
        assert b"keeps_" in in_the_run
        assert b"<script" not in in_the_run
        write(out)
        assert (out / name).read_bytes() == in_the_run


def test_the_verdicts_on_the_card_are_those_of_all_rows(out: Path, project: Project) -> None:
    verdicts = [one for sample in project.samples() for one in sample["provenance"]["verdicts"]]
    verdicts += [one for reject in project.rejects() for one in list[Any](reject["verdicts"])]
    share = sum(one["passed"] for one in verdicts) / len(verdicts)
    mean = sum(one["score"] for one in verdicts) / len(verdicts)
    shown = f"| `keeps_its_secret` | {len(verdicts)} | {share:.1%} | {mean:.2f} |"
    assert shown in (out / "README.md").read_text("utf-8")


def test_each_answer_that_the_judge_rejected_is_exported_with_its_plain_prompt(out: Path, project: Project) -> None:
    export_samples(out, "labelled", out.parent / "rows.jsonl")
    rows = [orjson.loads(line) for line in (out.parent / "rows.jsonl").read_bytes().splitlines()]
    judged = [reject for reject in project.rejects() if reject["step"] == "keeps_its_secret"]
    rejected = {tuple(reject["row"].split("/")[:2]) for reject in judged}  # tries of one row had one answer
    assert sum(row["label"] is False for row in rows) == len(rejected) > 0
    assert all(row["prompt"][0]["content"].startswith("A riddle about thing") for row in rows)
    assert {(row["completion"][0]["content"][:5], row["label"]) for row in rows} == {("A goo", True), ("A bad", False)}
