"""A threshold is written where the next run reads it, and nothing else in the file is touched."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from retroweave.cli import cli
from retroweave.making import make
from retroweave.models.named import read_table
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.recipe import find_recipe, read_config
from retroweave.review.bench import Reviewed
from retroweave.review.drawing import Drawing
from retroweave.review.labels import Labels
from retroweave.review.rows import Rows
from retroweave.review.threshold import _edited, default_judge, threshold_key, use_threshold
from tests.review.recipes import write_recipe


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    monkeypatch.chdir(tmp_path)
    recipe = find_recipe(str(write_recipe(tmp_path)))
    make(recipe, recipe.configure({"short": 11, "sure": 0.45}), 5, tmp_path / "out", workers=1)
    with Rows(Path("out")) as found:
        yield found


def test_the_key_is_the_one_that_moves_the_judges_threshold(rows: Rows) -> None:
    assert threshold_key(rows, "clear") == "sure"


def test_a_judge_whose_threshold_no_key_sets_is_an_error_that_says_what_mends_it(rows: Rows) -> None:
    with pytest.raises(UserError, match=r"threshold=config\.sure"):
        threshold_key(rows, "is_short")
    with pytest.raises(UserError):
        threshold_key(rows, "nobody")


SECOND = """\
            judge(
                yes_no(words.prompt("kind"), model="writer"),
                raises="explanation",
                good={"explanation": "GOOD", "proverb": "p"},
                spoiled={"explanation": "BAD"},
                name="kind",
            ),
            want=1,
"""


@pytest.fixture
def judged_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    """By a judge whose threshold a key sets, and then by one whose threshold none does."""
    monkeypatch.chdir(tmp_path)
    path = write_recipe(tmp_path)
    path.write_text(path.read_text().replace("            want=1,\n", SECOND))
    recipe = find_recipe(str(path))
    make(recipe, recipe.configure({}), 5, tmp_path / "out", workers=1)
    with Rows(Path("out")) as found:
        found.index()
        yield found


def test_the_judge_that_is_meant_where_none_is_named_is_the_last_whose_threshold_a_key_sets(judged_twice: Rows) -> None:
    assert list(judged_twice.judges()) == ["clear", "kind"]
    assert default_judge(judged_twice) == "clear"
    with Labels(judged_twice.run_dir) as labels:
        assert Drawing(judged_twice, labels).judge == "clear"
        assert Drawing(judged_twice, labels, judge="kind").judge == "kind"
        assert Reviewed(judged_twice, labels).judge() == "clear"
        assert Reviewed(judged_twice, labels).judge("nobody") == "clear"
        assert Reviewed(judged_twice, labels).judge("kind") == "kind"


def test_where_the_recipe_is_gone_the_last_judge_is_meant(judged_twice: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged_twice, "run", {**judged_twice.run, "reference": "gone.py"})
    assert default_judge(judged_twice) == "kind"


def test_a_new_file_holds_what_the_run_set_otherwise(rows: Rows) -> None:
    written = use_threshold(rows, "clear", 0.7, Path("new.yaml"))
    assert read_config(Path("new.yaml")) == {"short": 11, "sure": 0.7}
    assert (written.key, written.before, written.after, written.backup) == ("sure", None, 0.7, None)


def test_the_next_run_uses_it(rows: Rows, tmp_path: Path) -> None:
    written = use_threshold(rows, "clear", 0.7, Path("new.yaml"))
    words = shlex.split(written.command)
    assert words[:5] == ["retroweave", "run", "proverbs.py", "--config", "new.yaml"]
    assert words[-1] == "--again"
    recipe = find_recipe(str(tmp_path / "proverbs.py"))
    make(recipe, recipe.configure(read_config(Path("new.yaml"))), 8, tmp_path / "out", workers=1, again=True)
    with Rows(tmp_path / "out") as after:
        assert after.run["config"]["sure"] == 0.7
        lines = after.page().lines
        assert {line.reason for line in lines if line.kind == "reject"} >= {"scored below 0.7"}
        assert all(line.scores["clear"] >= 0.7 for line in lines if line.kind == "sample")


FILE = """\
# The config of our proverbs.
model: scripted:answers.yaml   # for now

sure:   0.5     # how sure the judge must be
models:
    mine: {use: "scripted:answers.yaml"}
"""


def test_all_else_in_the_file_stays_as_it_is_and_its_text_is_kept(rows: Rows) -> None:
    path = Path("ours.yaml")
    path.write_text(FILE)
    path.chmod(0o640)
    written = use_threshold(rows, "clear", 0.62345678, path)
    assert path.read_text() == FILE.replace("0.5 ", "0.623456 ")
    assert path.stat().st_mode & 0o777 == 0o640
    assert written.before == 0.5
    assert written.backup is not None
    assert written.backup.read_text() == FILE
    assert "--set short=11" in written.command
    assert "sure=" not in written.command  # what stands in a command goes before the file
    again = use_threshold(rows, "clear", 0.7, path)
    assert again.backup != written.backup


def test_a_threshold_is_rounded_down_so_that_the_row_with_this_score_passes(rows: Rows) -> None:
    assert use_threshold(rows, "clear", 0.89999999999, Path("new.yaml")).after == 0.899999


def test_what_is_no_threshold_is_refused(rows: Rows) -> None:
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(UserError, match="from 0 to 1"):
            use_threshold(rows, "clear", wrong, Path("new.yaml"))
    assert not Path("new.yaml").exists()


ENTRY = {"use": "scripted:answers.yaml", "price": {"prompt": 0.5, "completion": 1.5}, "in_flight": 8}
"""A model of which a command line cannot say all."""


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    """Made by a model of a config file that has since been lost."""
    monkeypatch.chdir(tmp_path)
    recipe = find_recipe(str(write_recipe(tmp_path)))
    make(recipe, recipe.configure({"model": "mine"}), 3, Path("out"), models=read_table({"mine": ENTRY}), workers=1)
    with Rows(Path("out")) as found:
        yield found


@pytest.mark.parametrize("text", [None, "# ours\nshort: 12\n"])
def test_a_models_price_and_options_go_along(configured: Rows, text: str | None) -> None:
    path = Path("ours.yaml")
    if text is not None:
        path.write_text(text)
    written = use_threshold(configured, "clear", 0.7, path)
    assert read_config(path)["models"] == {"mine": ENTRY}
    made = CliRunner().invoke(cli, shlex.split(written.command)[1:])
    assert made.exit_code == 0, made.output
    with Rows(Path("out")) as after:
        assert after.run["config"]["sure"] == 0.7
        assert [model["entry"] for model in after.run["models"]] == [ENTRY]


def test_models_that_a_file_has_stay_as_they_are(configured: Rows) -> None:
    Path("ours.yaml").write_text(text := "models:\n  mine: {use: 'scripted:answers.yaml'}  # cheap\n")
    use_threshold(configured, "clear", 0.7, Path("ours.yaml"))
    assert Path("ours.yaml").read_text() == text + "sure: 0.7\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "short: 3",
        "short: 3\n\n# the end\n",
        "{short: 3, model: x}\n",
        "{}\n",
        "sure: 0.1\r\nshort: 3\r\n",
        "---\nshort: 3\n",
        '"sure": .5\nshort: 3\n',
        "sure:\n  0.25\nshort: 3\n",
        "sure: &here 0.5\nshort: 3\n",
        "text: |\n  sure: 0.9\n",
        "nested:\n  sure: 0.9\n",
        "sure: 0.1\nsure: 0.2\n",
        "sure:\nshort: 3\n",
    ],
)
def test_however_a_file_is_written_only_the_key_changes(text: str) -> None:
    before = yaml.safe_load(text) or {}
    changed = _edited(text, "sure", "0.75")
    assert yaml.safe_load(changed) == {**before, "sure": 0.75}
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in changed.splitlines() if line.startswith("#")
    ]


def test_a_file_that_cannot_be_edited_safely_is_left_alone(rows: Rows) -> None:
    path = Path("odd.yaml")
    path.write_text("short: &n 3\nsure: *n\n...\n")
    with pytest.raises(UserError, match="by hand"):
        use_threshold(rows, "clear", 0.6, path)
    assert path.read_text() == "short: &n 3\nsure: *n\n...\n"
    assert not list(Path().glob("*.bak"))


KEYS = st.text("abcdefgh_", min_size=1, max_size=8)
VALUES = st.one_of(st.integers(), st.booleans(), st.text(max_size=20), st.none(), st.lists(st.integers(), max_size=3))


@given(config=st.dictionaries(KEYS, VALUES, max_size=5), flow=st.booleans(), at=st.integers(0, 4))
def test_any_config_keeps_its_other_keys(config: dict[str, object], flow: bool, at: int) -> None:
    if at < len(config):
        config[list(config)[at]] = 0.5
    key = list(config)[at] if at < len(config) else "sure"
    text = yaml.safe_dump(config, default_flow_style=flow, sort_keys=False)
    assert yaml.safe_load(_edited(text, key, "0.75")) == {**config, key: 0.75}
