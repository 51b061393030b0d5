"""Labels handed on: as lines, as training data, as few-shot examples; and the command that does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import yaml
from click.testing import CliRunner

from retroweave.cli import cli
from retroweave.judges.classifier import train_classifier
from retroweave.pipeline.errors import UserError
from retroweave.review.drawing import Drawing
from retroweave.review.exports import classifier_rows, example_rows, label_rows, write_examples
from retroweave.review.labels import Labels
from retroweave.review.rows import Rows
from retroweave.text.prompts import read_prompt
from tests.review.recipes import EXAMPLES, EXPLAIN
from tests.review.runs import make_run
from tests.review.test_drawing import label_some
from tests.review.test_precision import say

ASKING = EXPLAIN.replace("example.proverb", "example.passage").replace("example.explanation", "example.question")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", 100, 40)


@pytest.fixture
def rows(run_dir: Path) -> Iterator[Rows]:
    with Rows(run_dir) as found:
        found.index()
        yield found


@pytest.fixture
def labels(run_dir: Path) -> Iterator[Labels]:
    with Labels(run_dir) as found:
        yield found


def test_each_label_is_a_line_with_all_that_is_known_of_it(rows: Rows, labels: Labels) -> None:
    label_some(Drawing(rows, labels), "ann", 5, say)
    labels.add(rows.at([0])[0], "bob", "unsure", tags=["odd"], note="what?", blind=True)
    found = list(label_rows(labels))
    assert len(found) == 6
    assert found[-1]["person"] == "bob"
    assert (found[-1]["tags"], found[-1]["note"], found[-1]["blind"]) == (["odd"], "what?", True)
    assert found[0]["score"] is not None


def test_a_classifier_can_be_trained_on_what_persons_said(rows: Rows, labels: Labels) -> None:
    for row in rows.at(range(60)):
        labels.add(row, "ann", "accept" if row.number % 2 else "reject")
    labels.add(rows.at([60])[0], "ann", "unsure")
    labels.add(rows.at([100])[0], "ann", "reject")
    found = list(classifier_rows(rows, labels))
    assert len(found) == 61
    assert found[3] == {"text": "the answer 3", "right": True, "id": rows.at([3])[0].id}
    assert found[-1]["text"].startswith("What 1000")
    trained = train_classifier([one["right"] for one in found], texts=[one["text"] for one in found])
    assert trained.classifier.labels == 61


def test_a_field_of_the_row_may_be_the_text(rows: Rows, labels: Labels) -> None:
    labels.add(rows.at([3])[0], "ann", "accept")
    labels.add(rows.at([100])[0], "ann", "reject")
    assert [one["text"] for one in classifier_rows(rows, labels, "question")] == ["Question 3?"]
    assert [one["text"] for one in classifier_rows(rows, labels, "answer")] == ["the answer 3"]


def test_the_best_rows_are_those_that_all_accept_most_of_them_first(rows: Rows, labels: Labels, tmp_path: Path) -> None:
    prompt = tmp_path / "ask.prompt"
    prompt.write_text(ASKING)
    for number, said in ((1, "accept"), (2, "accept"), (3, "reject"), (4, "accept"), (5, "unsure")):
        labels.add(rows.at([number])[0], "ann", said)  # type: ignore[arg-type]
    labels.add(rows.at([2])[0], "bob", "accept")
    labels.add(rows.at([4])[0], "bob", "reject")
    found = example_rows(rows, labels, prompt)
    assert found == [{"passage": f"Passage {n}", "question": f"Question {n}?"} for n in (2, 1)]
    assert example_rows(rows, labels, prompt, most=1) == found[:1]


def test_examples_are_added_to_those_that_stand_there_and_the_prompt_draws_them(
    rows: Rows, labels: Labels, tmp_path: Path
) -> None:
    prompt, beside = tmp_path / "ask.prompt", tmp_path / "ask.examples.yaml"
    prompt.write_text(ASKING)
    beside.write_text(EXAMPLES.replace("proverb:", "passage:").replace("explanation:", "question:"))
    labels.add(rows.at([1])[0], "ann", "accept")
    found = example_rows(rows, labels, prompt)
    made = write_examples(beside, found)
    assert (made.rows, made.notes) == (1, ())
    assert beside.read_text().startswith("# Written by hand.")
    assert read_prompt(prompt).examples[-1] == {"passage": "Passage 1", "question": "Question 1?"}
    assert write_examples(beside, found).notes == ("1 stand there already.",)
    assert len(yaml.safe_load(beside.read_text())) == 3


def test_a_key_that_no_sample_tells_is_an_error_that_says_what_to_keep(
    rows: Rows, labels: Labels, tmp_path: Path
) -> None:
    prompt = tmp_path / "ask.prompt"
    prompt.write_text(EXPLAIN)
    labels.add(rows.at([1])[0], "ann", "accept")
    with pytest.raises(UserError, match=r"keep=\['proverb'\]"):
        example_rows(rows, labels, prompt)
    prompt.write_text("%% user\nhello\n")
    with pytest.raises(UserError, match="shows no examples"):
        example_rows(rows, labels, prompt)


def _command(*words: object) -> str:
    done = CliRunner().invoke(cli, ["labels", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_tells_writes_and_publishes(rows: Rows, labels: Labels, run_dir: Path, tmp_path: Path) -> None:
    drawing = Drawing(rows, labels)
    label_some(drawing, "ann", 60, say)
    told = _command(run_dir)
    assert "60 labels (ann 60)" in told
    assert "precision" in told
    assert "accepts-wrong" in told
    assert "fewer rows than it takes" in told
    for form, lines in (("calibration", 60), ("all", 60), ("classifier", 60)):
        to = tmp_path / f"{form}.jsonl"
        assert f"60 of 60 labels in {to}" in _command(run_dir, "--to", to, "--format", form)
        assert len([orjson.loads(line) for line in to.read_bytes().splitlines()]) == lines
    assert "measured.json" in _command(run_dir, "--publish")
    assert "of this set is right" in (run_dir / "README.md").read_text()


@pytest.mark.parametrize(("samples", "within_reach"), [(11, False), (400, True)])
def test_the_command_does_not_ask_for_more_labels_than_the_set_has_rows(
    samples: int, within_reach: bool, tmp_path: Path
) -> None:
    folder = make_run(tmp_path / "other", samples, 4)
    with Rows(folder) as rows, Labels(folder) as labels:
        rows.index()
        label_some(Drawing(rows, labels), "ann", 8, say)
    told = _command(folder)
    assert ("labels more would narrow the precision to ± 5 points" in told) is within_reach
    assert ("fewer rows than it takes to tell the precision to within ± 5 points" in told) is not within_reach


def test_the_command_writes_examples_for_a_prompt(rows: Rows, labels: Labels, run_dir: Path, tmp_path: Path) -> None:
    prompt, to = tmp_path / "ask.prompt", tmp_path / "ask.examples.yaml"
    prompt.write_text(ASKING)
    labels.add(rows.at([1])[0], "ann", "accept")
    _command(run_dir, "--format", "examples", "--prompt", prompt, "--to", to)
    assert yaml.safe_load(to.read_text()) == [{"passage": "Passage 1", "question": "Question 1?"}]
    with pytest.raises(UserError, match="give --prompt"):
        CliRunner().invoke(cli, ["labels", str(run_dir), "--format", "examples"], catch_exceptions=False)


def test_a_run_that_nobody_labelled_is_an_error_that_says_how_to(run_dir: Path) -> None:
    with pytest.raises(UserError, match="retroweave review"):
        CliRunner().invoke(cli, ["labels", str(run_dir)], catch_exceptions=False)
    assert not (run_dir / "labels.sqlite").exists()
