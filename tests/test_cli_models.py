"""The commands that have to do with models and judges, as a person gives them."""

from __future__ import annotations

import json
import random
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Project
from tests.model_server import ModelServer
from tests.test_asking import RECIPE, agreeable


@pytest.fixture
def desk(project: Project) -> Project:
    project.write("teaching.py", RECIPE)
    return project


def labels(project: Project, count: int = 200) -> str:
    """Labels of a judge whose score tells right from wrong, if not always."""
    rng = random.Random(7)
    rows = []
    for _ in range(count):
        right = rng.random() < 0.7
        score = min(1.0, max(0.0, rng.gauss(0.75 if right else 0.35, 0.2)))
        rows.append(json.dumps({"score": score, "right": right}))
    return project.write("labels.jsonl", "\n".join(rows) + "\n")


def test_calibrate_tells_the_rates_and_the_threshold_for_a_precision(project: Project) -> None:
    said = project.retroweave("calibrate", labels(project), "--target", 0.95, "--plot", "curve.svg").stdout
    found = json.loads(project.retroweave("calibrate", "labels.jsonl", "--target", 0.95, "--json").stdout)
    assert found["accepts_right"]["value"] > 0.8 > 0.4 > found["accepts_wrong"]["value"]
    assert f"{found['accepts_right']['value']:.1%}" in said
    svg = (project.folder / "curve.svg").read_text("utf-8")
    assert svg.startswith("<")
    assert "</svg>" in svg


def test_odds_take_a_judges_rates_from_labels(project: Project) -> None:
    path = labels(project)
    rates = json.loads(project.retroweave("calibrate", path, "--json").stdout)
    found = json.loads(project.retroweave("odds", "--generator", 0.7, "--labels", path, "--json").stdout)
    right, wrong = rates["accepts_right"]["value"], rates["accepts_wrong"]["value"]
    assert found["precision"] == pytest.approx(0.7 * right / (0.7 * right + 0.3 * wrong))
    assert found["precision_at_worst"] < found["precision"]
    refused = project.retroweave("odds", "--generator", 0.7, "--labels", path, "--accepts-right", 0.8, code=2)
    assert "leave out --accepts-right" in refused.stderr


BAD_LABELS = {
    "one class": ('{"score": 0.9, "right": true}\n' * 30, "wrong"),
    "no JSON": ('{"score": 0.9, "right": true}\nnonsense\n', "line 2"),
    "a score beyond 1": ('{"score": 9, "right": true}\n', "line 1"),
    "no label": ('{"score": 0.9}\n', "right"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_labels_that_tell_nothing_are_refused_with_what_mends_them(project: Project, case: str) -> None:
    text, word = BAD_LABELS[case]
    project.write("labels.jsonl", text)
    done = project.retroweave("calibrate", "labels.jsonl", code=2)
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_an_estimate_needs_no_folder_and_says_what_a_run_will_take(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        model = f"openai:small@{server.url}"
        said = desk.retroweave("run", "teaching.py", "--rows", 1000, "--estimate", "--model", model).stdout
        asked = server.total
        desk.retroweave("run", "teaching.py", "--rows", 20, "--out", "out", "--model", model)
        assert server.total == asked  # the run has the estimate's answers
    assert "20 source rows gave 20 outcomes, of which 20 became samples: a yield of 100%" in said
    assert "no price is named" in said


def test_the_card_tells_how_a_model_of_the_config_file_was_asked_and_what_it_cost(desk: Project) -> None:
    with ModelServer(agreeable) as server:
        entry = {"use": f"openai:small@{server.url}", "price": {"prompt": 1.0, "completion": 10.0}, "timeout": 30.0}
        desk.write("config.yaml", json.dumps({"models": {"mine": entry}, "model": "mine"}))
        desk.retroweave("run", "teaching.py", "--rows", 20, "--out", "out", "--config", "config.yaml")
        card = (desk.folder / "out" / "README.md").read_text("utf-8")
        command, table = re.findall(r"```(?:sh|yaml)\n(retroweave run .*?|models:.*?)```", card, re.DOTALL)
        assert f'<pre class="command">{table}' in (desk.folder / "out" / "report.html").read_text("utf-8")
        desk.write("models.yaml", table)
        desk.retroweave(*shlex.split(command.replace("\\\n", " "))[1:])
    assert yaml.safe_load(table) == {"models": {"mine": entry}}
    made, again = (json.loads((desk.folder / out / "run.json").read_bytes()) for out in ("out", "teaching"))
    assert again["models"][0]["entry"] == made["models"][0]["entry"] == entry
    assert again["counts"] == made["counts"]


def test_a_run_without_a_folder_is_told_so(desk: Project) -> None:
    done = desk.retroweave("run", "teaching.py", "--rows", 5, "--model", "scripted:none.yaml", code=2)
    assert "--out" in done.stderr


def test_a_probe_says_what_a_server_can_do_and_asks_once(desk: Project) -> None:
    with ModelServer(agreeable, lacks=["completions", "embeddings"]) as server:
        first = desk.retroweave("models", "probe", f"openai:small@{server.url}").stdout
        asked = server.total
        second = desk.retroweave("models", "probe", f"openai:small@{server.url}").stdout
        assert server.total == asked
    assert "chat               yes" in first
    assert "complete           no" in first
    assert "calls were made to find out" in first
    assert "no call was made" in second


CONFIGS: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "an unknown model": ("model: writer\n", (), "There is no model 'writer'"),
    "an unknown setting": ("models: {a: {use: 'openai:x', pirce: 1}}\n", ("--model", "a"), "Did you mean 'price'?"),
    "no price": (
        "models: {a: 'openai:x@http://127.0.0.1:9/v1'}\n",
        ("--model", "a", "--budget", "$1"),
        "needs the price of the model",
    ),
    "a key in the place of its name": (
        "models: {a: {use: 'openai:x', key: sk-0123-secret}}\n",
        ("--model", "a"),
        "is the name of an environment variable",
    ),
    "no amount": ("", ("--model", "openai:x", "--budget", "cheap"), "takes an amount of dollars"),
    "below nothing": ("", ("--model", "openai:x", "--max-calls", -1), "--max-calls is a limit of 0 or more"),
    "terms that forbid it": ("", ("--model", "openai:google/gemma-3-27b-it@http://127.0.0.1:9/v1"), "Gemma"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_wrong_model_or_limit_is_one_paragraph_that_says_how_to_mend_it(desk: Project, case: str) -> None:
    config, options, word = CONFIGS[case]
    desk.write("config.yaml", config)
    command = ("run", "teaching.py", "--rows", 5, "--out", "out", "--config", "config.yaml", *options)
    done = desk.retroweave(*command, code=2)
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_key_stands_nowhere(desk: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret-0123456789")
    with ModelServer(agreeable, key="sk-very-secret-0123456789") as server:
        desk.write("config.yaml", f"models: {{a: {{use: 'openai:small@{server.url}', key: MY_KEY}}}}\n")
        command = ("run", "teaching.py", "--rows", 5, "--config", "config.yaml", "--model", "a", "--out")
        desk.retroweave(*command, "out")
        monkeypatch.setenv("MY_KEY", "sk-another-secret-456")
        (desk.folder / ".retroweave" / "calls.sqlite").unlink()
        refused = desk.retroweave(*command, "other", code=2)
    assert "MY_KEY" in refused.stderr
    assert "secret" not in refused.stderr
    kept = [path for path in desk.folder.rglob("*") if path.is_file()]
    assert len(kept) > 5
    assert not [path for path in kept if b"very-secret" in path.read_bytes()]


def test_weights_that_are_not_there_name_the_one_command_that_gets_them(desk: Project, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    empty = tmp_path / "cache"
    command = ("run", "teaching.py", "--rows", 5, "--out", "out", "--model", "embedded:smollm2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROWEAVE_CACHE", str(empty))
        done = desk.retroweave(*command, code=2)
    assert "retroweave models get smollm2" in done.stderr
