"""`variants` asks a real server for phrasings, judges them, and writes a file that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retroweave.cli import cli
from retroweave.pipeline.budget import OutOfBudget
from retroweave.pipeline.errors import UserError
from retroweave.text.variants import read_variants
from tests.model_server import Asked, ModelServer, Reply

LINES = [
    "Somebody broke this: {lame}",
    "{lame}\n\nthe beat went. bring it back",
    "Translate this poem: {lame}",
    "What does it take to make this sing? {language} {lame}",
    "Set this poem on its feet again. {lame}",
    "This limps, and it need not: {lame}",
    "Write a story.",
]


def helper(asked: Asked) -> Reply:
    """Offers one of a few phrasings, and takes all for the same that do not translate or joke."""
    told = "".join(turn["content"] for turn in asked.messages[:1])
    if "You compare two requests" in told:
        other = asked.prompt.partition("Second request:")[2]
        same = "Translate" not in other and "joke" not in other
        return Reply("Yes" if same else "No", {"Yes": -0.1 if same else -3.0, "No": -3.0 if same else -0.1})
    return Reply(asked.rng.choice(LINES), {"Yes": -1.0, "No": -1.0})


def blind(asked: Asked) -> Reply:
    told = "".join(turn["content"] for turn in asked.messages[:1])
    return Reply("Yes", {"Yes": -0.1, "No": -3.0}) if "You compare" in told else helper(asked)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(server: ModelServer, *more: Any) -> Result:
    arguments = ["poetry", "--pool", "mend", "--model", f"openai:small@{server.url}", "--to", "more.txt", *more]
    return CliRunner().invoke(cli, ["variants", *map(str, arguments)], catch_exceptions=False)


def test_what_holds_is_written_with_its_score_and_what_does_not_is_counted(folder: Path) -> None:
    with ModelServer(helper) as server:
        done = command(server, "--count", 4, "--tries", 80)
    assert done.exit_code == 0, done.output
    assert "4 of 4 phrasings for 'mend' in more.txt. Read them" in done.output
    assert "left out" in done.output
    text = (folder / "more.txt").read_text("utf-8")
    lines = text.splitlines()
    assert sum(line.startswith("%% 0.95, beside: ") for line in lines) == 4
    assert text.count("{lame}") - "".join(line for line in lines if line.startswith("%% ")).count("{lame}") == 4
    assert "Translate" not in text.replace("% ", "")
    assert "{language}" not in text


def test_the_same_seed_and_answers_give_the_same_file_and_cost_nothing_twice(folder: Path) -> None:
    with ModelServer(helper) as server:
        command(server, "--count", 3, "--tries", 20)
        first, asked = (folder / "more.txt").read_text(), server.total
        (folder / "more.txt").unlink()
        command(server, "--count", 3, "--tries", 20)
        assert server.total == asked
    assert (folder / "more.txt").read_text() == first


def test_a_judge_that_tells_nothing_apart_is_named(folder: Path) -> None:
    with ModelServer(blind) as server:
        done = command(server, "--count", 1, "--tries", 20)
    assert "The judge does not tell the same from something else" in done.output


def test_a_file_that_is_there_is_left_alone(folder: Path) -> None:
    (folder / "more.txt").write_text("mine")
    with ModelServer(helper) as server, pytest.raises(UserError, match="is there already"):
        command(server)
    assert server.total == 0
    assert (folder / "more.txt").read_text() == "mine"


def test_nothing_kept_is_an_error_that_says_why(folder: Path) -> None:
    def story(asked: Asked) -> Reply:
        return helper(asked) if "You compare" in str(asked.messages[:1]) else Reply("Write a story.")

    with ModelServer(story) as server, pytest.raises(UserError, match=r"Of 8 phrasings none was kept: 8 lost \{lame\}"):
        command(server, "--count", 2)
    assert not (folder / "more.txt").exists()


def test_a_pool_that_there_is_not_is_named_with_those_that_there_are(folder: Path) -> None:
    with ModelServer(helper) as server, pytest.raises(UserError, match=r"has no pool 'mendd'\. Did you mean 'mended'"):
        command(server, "--pool", "mendd")


def test_a_limit_of_calls_holds(folder: Path) -> None:
    with ModelServer(helper) as server, pytest.raises(OutOfBudget):
        command(server, "--max-calls", 9)
    assert server.total <= 9


def test_nothing_is_written_into_the_recipe(folder: Path) -> None:
    from retroweave.recipes.poetry import words

    before = (words.folder / "mend.txt").read_bytes()
    with ModelServer(helper) as server:
        command(server, "--count", 2, "--tries", 20)
    assert (words.folder / "mend.txt").read_bytes() == before
    assert read_variants(words.folder / "mend.txt") == words("mend")
