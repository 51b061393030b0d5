"""The lints on the command line: a run takes their shares from its config file, and `lint` has the last word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.conftest import Project

Said = tuple[int, str, str]
Command = Callable[..., Said]

HABIT = '''
from retroweave import Config, Pipeline, assistant, compute, recipe, reverse, user
from retroweave.sources.texts import passages


def count_words(passage: str) -> str:
    return str(len(passage.split()))


@recipe
def habit(config: Config) -> Pipeline:
    """Count words."""
    return Pipeline(
        passages(),
        compute(count_words, writes="count"),
        reverse(user("{passage}"), assistant("Certainly! I make it {count} words.")),
    )
'''


@pytest.fixture
def retroweave(project: Project) -> Command:
    """Give a command: its exit code, what it printed on whichever lines, and its errors."""

    def command(*arguments: Any) -> Said:
        done = project.retroweave(*arguments, code=None)
        return done.returncode, " ".join(done.stdout.split()), " ".join(done.stderr.split())

    return command


@pytest.fixture
def out(project: Project, retroweave: Command) -> str:
    """A run of a set with a habit, whose config file lets it pass."""
    project.write("habit.py", HABIT)
    project.write("shares.yaml", "lint:\n  praise: off\n  one-length: 1\n  one-opening: 1\n")
    code, said, _ = retroweave("run", "habit.py", "--rows", "40", "--out", "made", "--config", "shares.yaml")
    assert code == 0
    assert "warning" not in said
    return "made"


def test_the_shares_of_a_run_are_those_of_its_config_file(project: Project, retroweave: Command, out: str) -> None:
    run = orjson.loads((project.folder / out / "run.json").read_bytes())
    assert run["lint"] == {"praise": None, "one-length": 1.0, "one-opening": 1.0}
    assert run["findings"] == []
    assert retroweave("lint", out)[:2] == (0, "No bad habit found.")


def test_set_has_the_last_word(retroweave: Command, out: str) -> None:
    code, said, _ = retroweave("lint", out, "--set", "praise=0.5", "--set", "one-opening=0.9")
    assert code == 1
    assert "praise: 40 of 40 (100%)" in said
    assert "one-opening: 40 of 40 (100%)" in said
    assert "one-length" not in said
    assert said.count(" Look at ") == 2


def test_json_has_counts_and_rows(retroweave: Command, out: str) -> None:
    code, said, _ = retroweave("lint", out, "--set", "praise=on", "--json")
    (finding,) = orjson.loads(said)
    assert code == 1
    assert (finding["lint"], finding["of"]) == ("praise", 40)
    assert finding["bars"] == [["certainly!", 40]]
    assert len(finding["examples"]) == 3


def test_other_shares_do_not_make_a_run_begin_anew(project: Project, retroweave: Command, out: str) -> None:
    project.write("shares.yaml", "lint:\n  praise: 0.9\n")
    code, said, _ = retroweave("run", "habit.py", "--rows", "40", "--out", out, "--config", "shares.yaml")
    assert code == 0
    assert "praise or gush" in said


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("praise", "--set takes key=value"),
        ("prase=1", "There is no lint 'prase'. Did you mean 'praise'?"),
        ("praise=often", "takes a share from 0 to 1, or off, and not 'often'"),
        ("praise=3", "not 3.0"),
    ],
)
def test_a_share_that_is_none_is_refused(retroweave: Command, out: str, settings: str, told: str) -> None:
    code, _, err = retroweave("lint", out, "--set", settings)
    assert code == 2
    assert told in err


def test_a_table_that_is_none_is_refused_before_anything_is_made(project: Project, retroweave: Command) -> None:
    project.write("habit.py", HABIT)
    project.write("shares.yaml", "lint: [praise]\n")
    code, _, err = retroweave("run", "habit.py", "--rows", "40", "--out", "made", "--config", "shares.yaml")
    assert code == 2
    assert "`lint` holds names of lints and shares" in err
    assert not (project.folder / "made").exists()
