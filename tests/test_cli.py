"""The command line answers at once, takes options where a person puts them, and says in a paragraph what is wrong."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from retroweave.cli import main
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.run import Tally
from retroweave.terminal import Progress
from tests.conftest import COUNTING, Project

Said = tuple[int, str, str]
Command = Callable[..., Said]


@pytest.fixture
def retroweave(project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Give a command in the project's folder, in this process: its exit code, what it printed, and its errors."""
    monkeypatch.chdir(project.folder)

    def command(*arguments: Any) -> Said:
        find_recipe.cache_clear()
        monkeypatch.setattr(sys, "argv", ["retroweave", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return command


def best_of(times: int, command: Sequence[str]) -> float:
    """The shortest time that a command took."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


# Help


def test_help_answers_at_once() -> None:
    least = best_of(5, [sys.executable, "-c", "import click"])
    assert best_of(5, [sys.executable, "-m", "retroweave", "--help"]) < 0.25 + 2 * least


def test_help_loads_nothing_heavy() -> None:
    script = """
import sys
from retroweave.cli import main
sys.argv = ["retroweave", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "click" in loaded
    assert loaded.isdisjoint({"pyarrow", "pydantic", "rich", "yaml", "orjson", "jinja2", "pygit2", "asyncio"})


@pytest.mark.parametrize("command", ["run", "recipes", "show", "check", "try", "odds", "export", "lint", "new"])
def test_every_command_explains_itself(retroweave: Command, command: str) -> None:
    code, out, err = retroweave(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: retroweave {command} ")


@pytest.mark.parametrize("command", ["run", "show", "check", "try"])
def test_help_of_a_recipe_lists_its_own_options_with_defaults(retroweave: Command, command: str) -> None:
    code, out, _ = retroweave(command, "prose-repair", "--help")
    assert code == 0
    assert re.search(r"--shortest VALUE +The shortest passage, in characters\.\s+\[default: 600\]", out)
    assert "--set KEY=VALUE" in out


@pytest.mark.parametrize(("given", "shown"), [((), False), (("--installed",), True), (("--installed", "false"), False)])
def test_an_option_that_is_yes_or_no_may_stand_alone(retroweave: Command, given: tuple[str, ...], shown: bool) -> None:
    code, out, _ = retroweave("show", "code-debugging", *given, "--names")
    assert code == 0
    assert f"installed = {shown} " in out


def test_the_version_is_told(retroweave: Command) -> None:
    code, out, _ = retroweave("--version")
    assert code == 0
    assert re.search(r"\d+\.\d+", out)


# What each command does where all is well


def test_run_makes_a_dataset_and_says_where_it_is(project: Project, retroweave: Command) -> None:
    code, out, err = retroweave("run", project.counting(), "--rows", 7, "--out", "out", "--workers", 1)
    assert (code, err) == (0, "")
    assert "7 samples of counting in out" in out
    assert "7 outcomes of 7 source rows = 7 samples + 0 rejects + 0 failures + 0 duplicates + 0 over cap" in out
    assert "out/report.html" in out
    assert len(project.samples()) == 7


def test_recipes_lists_what_is_installed(retroweave: Command) -> None:
    assert "\nprose-repair  " in retroweave("recipes")[1]
    listed = {one["name"]: one["title"] for one in orjson.loads(retroweave("recipes", "--json")[1])}
    assert listed["prose-repair"].startswith("Repair damaged prose")


def test_show_draws_the_steps_and_the_worth_of_what_is_trained(
    retroweave: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")  # in a narrow terminal names are folded
    code, out, _ = retroweave("show", "prose-repair")
    assert code == 0
    for said in ("damage_passage", "about damaged", "raises patch", "--preset gentle", "shortest = 600"):
        assert said in out


MIXED = """
    return Pipeline(
        given(
            lambda: rows(config.count),
            {"number": str},
            licenses=("CC0-1.0",),
            fingerprint=lambda: str(config.count),
        ),
        family(compute(ask, writes="question", name='say "it"'), into="asked"),
        over("asked"),
        mix(
            left=(1, compute(str.strip if False else ask, writes="other", name="l"), arm("one")),
            right=(2, compute(ask, writes="other", name="r"), mix("deep", a=(1, arm("two")), b=(1, arm("three")))),
        ),
    )


def arm(name):
    return reverse(user("{question}"), assistant("{number}"), name=name)
"""


@pytest.mark.parametrize("recipe", ["prose-repair", "mixed"])
def test_the_graph_is_one_piece(project: Project, retroweave: Command, recipe: str) -> None:
    if recipe == "mixed":
        text = COUNTING.replace("ASK", "def ask(number: str) -> str:\n    return number")
        text = text.partition("    return Pipeline(")[0] + MIXED.strip("\n")
        recipe = project.write("mixed.py", text.replace("import Config", "import family, mix, over, Config"))
    code, out, _ = retroweave("show", recipe, "--mermaid")
    assert code == 0
    first, *drawn = out.splitlines()
    assert first == "flowchart TD"
    nodes = {match[1] for line in drawn if (match := re.fullmatch(r'    (\w+)\["[^"]*"\]', line))}
    edges = [match.groups() for line in drawn if (match := re.fullmatch(r"    (\w+) --> (\w+)", line))]
    assert len(nodes) + len(edges) == len(drawn)
    assert all(end in nodes for edge in edges for end in edge)
    reached = {"s1"}
    for _ in nodes:
        reached |= {below for above, below in edges if above in reached}
    assert reached == nodes
    assert len(nodes) > 8


def test_check_says_that_a_recipe_is_valid_and_why(retroweave: Command) -> None:
    code, out, _ = retroweave("check", "prose-repair")
    assert code == 0
    assert "prose-repair is valid" in out
    assert "patch_restores" in out


def test_check_ends_with_two_and_names_the_broken_rule(project: Project, retroweave: Command) -> None:
    recipe = project.write("counting.py", Path(project.counting()).read_text().replace("{number}", "{question}"))
    code, out, err = retroweave("check", recipe)
    assert (code, out) == (2, "")
    assert err.startswith("Error: The pipeline of 'counting' breaks rules of evidence:\n  - ")


def test_try_shows_each_row_backwards_with_rejects_and_failures(
    project: Project, retroweave: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python's own, of any module that it loads
    fates = "{'0': lambda: number, '1': lambda: str(1 // 0)}.get(number, unlucky)()"
    unlucky = "def unlucky():\n    raise Drop('unlucky')\n\n\n"
    recipe = project.counting(f"{unlucky}def ask(number: str) -> str:\n    return {fates}")
    code, out, err = retroweave("try", recipe)
    assert (code, err) == (0, "")
    assert "number 0 · sample" in out
    assert "failure at ask: ZeroDivisionError" in out
    assert "Traceback (most recent call last)" in out  # the step's own, which its author wants to see
    assert "reject at ask: unlucky" in out
    assert "compute ask wrote question" in out
    assert "given number 0 wrote number" in out
    assert list(project.folder.iterdir()) == [Path(recipe)]


def test_export_and_lint_read_a_finished_run(project: Project, retroweave: Command) -> None:
    project.make(project.counting(), 30)
    for form in ("messages", "prompt-completion", "sharegpt", "alpaca", "text"):
        code, out, _ = retroweave("export", "out", "--format", form, "--to", f"{form}.jsonl")
        assert code == 0
        assert f"{form}.jsonl" in out
        assert len((project.folder / f"{form}.jsonl").read_bytes().splitlines()) == 30
    assert retroweave("export", "out", "--to", "train.parquet", "--split", "train")[0] == 0
    code, out, _ = retroweave("lint", "out")
    assert code == ("warning:" in out)
    code, out, _ = retroweave("lint", "out", "--json")
    findings = orjson.loads(out)
    assert code == any(finding["severity"] == "warning" for finding in findings)


def test_new_writes_a_recipe_that_is_checked_tried_and_run_as_it_is(project: Project, retroweave: Command) -> None:
    code, out, _ = retroweave("new", "spoken-times")
    assert code == 0
    commands = re.findall(r"^  retroweave (.*)$", out, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["check", "try", "run"]
    for command in commands:
        code, _, err = retroweave(*command.split())
        assert (code, err) == (0, "")
    assert len(project.samples("out-spoken_times")) == 20
    written = (project.folder / "spoken_times.py").read_text()
    assert "starter" not in written.lower().replace("starterconfig", "")


def test_new_overwrites_nothing(project: Project, retroweave: Command) -> None:
    mine = Path(project.write("mine.py", "my work"))
    code, _, err = retroweave("new", "mine")
    assert code == 2
    assert "There is a file 'mine.py' already" in err
    assert mine.read_text() == "my work"


@pytest.mark.parametrize("name", ["Mine", "1st", "my recipe", "../mine", "", "class", "-x", "ümlaut"])
def test_new_refuses_a_name_that_is_none(project: Project, retroweave: Command, name: str) -> None:
    code, _, err = retroweave("new", "--", name)
    assert code == 2
    assert "A recipe's name is lower-case letters, digits and hyphens" in err
    assert not list(project.folder.iterdir())


def test_new_says_where_it_cannot_write(project: Project, retroweave: Command) -> None:
    code, _, err = retroweave("new", "mine", "--dir", "nowhere")
    assert code == 2
    assert "'nowhere/mine.py' cannot be written: No such file or directory" in err


# Where options come from


def config_of(project: Project, retroweave: Command, *arguments: Any) -> dict[str, Any]:
    """The config as `show` prints it."""
    code, out, err = retroweave("show", *arguments)
    assert (code, err) == (0, "")
    return dict(re.findall(r"^  (\w+) = (\S+)", out, re.MULTILINE))


def test_an_option_beats_set_which_beats_the_file_which_beats_the_preset(project: Project, retroweave: Command) -> None:
    project.write("config.yaml", "most: 5\nfewest: 2\nshortest: 700\n")
    given: list[Any] = ["prose-repair", "--preset", "hard"]
    assert config_of(project, retroweave, *given)["fewest"] == "5"
    given += ["--config", "config.yaml"]
    found = config_of(project, retroweave, *given)
    assert (found["fewest"], found["most"], found["unrecoverable"]) == ("2", "5", "0.1")
    given += ["--set", "most=6", "--set", "fewest=3"]
    found = config_of(project, retroweave, *given)
    assert (found["fewest"], found["most"], found["shortest"]) == ("3", "6", "700")
    found = config_of(project, retroweave, *given, "--most", 8)
    assert (found["fewest"], found["most"], found["shortest"]) == ("3", "8", "700")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--most", "7", "--json-like=1", "prose-repair"],
        ["prose-repair", "--most", "7"],
        ["--most=7", "prose-repair"],
        ["--set", "most=7", "prose-repair"],
        ["--preset", "gentle", "--most", "7", "prose-repair"],
        ["--mermaid", "prose-repair", "--most", "7"],
    ],
)
def test_options_stand_before_the_recipe_or_after_it(retroweave: Command, arguments: list[str]) -> None:
    code, out, err = retroweave("show", *[one for one in arguments if not one.startswith("--json-like")])
    assert (code, err) == (0, "")
    assert "most = 7" in out or out.startswith("flowchart")


TYPED = '''"""Config fields of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from retroweave import Config, Pipeline, assistant, compute, given, recipe, reverse, user


def turned(text: str) -> str:
    return text[::-1]


class Typed(Config):
    word: str = "a"
    path: Path | None = Path("a")
    number: int = 0
    share: float = 0.0
    flag: bool = False
    words: list[str] = []
    step: Literal[1, 2] = 1
    rows: int = 3
    set: str = "free"


@recipe
def typed(config: Typed) -> Pipeline:
    """Show a config."""
    return Pipeline(
        given(lambda: iter(()), {"text": str}, licenses=("CC0-1.0",), fingerprint=str),
        compute(turned, writes="question"),
        reverse(user("{question}"), assistant("{text}")),
    )
'''


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("word", "2024", "'2024'"),
        ("word", "on", "'on'"),
        ("word", "12:30", "'12:30'"),
        ("word", "a: b", "'a:"),
        ("path", "2024", "PosixPath('2024')"),
        ("path", "null", "None"),
        ("number", "-5", "-5"),
        ("share", "0.25", "0.25"),
        ("flag", "true", "True"),
        ("words", "[a, b]", "['a',"),
        ("step", "2", "2"),
    ],
)
@pytest.mark.parametrize("way", ["--set", "option"])
def test_a_value_is_read_as_the_type_of_its_key_says(
    project: Project, retroweave: Command, key: str, value: str, read: str, way: str
) -> None:
    given = ["--set", f"{key}={value}"] if way == "--set" else [f"--{key}", value]
    assert config_of(project, retroweave, project.write("typed.py", TYPED), *given)[key] == read


def test_a_key_whose_option_is_taken_is_set_by_set(project: Project, retroweave: Command) -> None:
    recipe = project.write("typed.py", TYPED)
    code, out, _ = retroweave("try", recipe, "--help")
    assert code == 0
    assert (out.count("--rows"), out.count("--set ")) == (1, 1)
    found = config_of(project, retroweave, recipe, "--set", "rows=9", "--set", "set=x")
    assert (found["rows"], found["set"]) == ("9", "'x'")


# What is wrong


RUN = ("run", "prose-repair", "--out", "out", "--rows", "3")
WRONG: dict[str, tuple[Sequence[str], str]] = {
    "no rows": ((*RUN[:4], "--rows", "0"), "--rows is how many accepted samples to make, 1 or more, not 0."),
    "fewer than no rows": ((*RUN[:4], "--rows", "-3"), "1 or more, not -3."),
    "rows that are no number": ((*RUN[:4], "--rows", "many"), "'many' is not a valid integer"),
    "no rows in a trial": (("try", "prose-repair", "--rows", "0"), "--rows is how many source rows to work on"),
    "no workers": ((*RUN, "--workers", "0"), "--workers is how many processes work on rows, 1 or more, not 0."),
    "no --out": (("run", "prose-repair", "--rows", "3"), "Missing option '--out'"),
    "no --rows": (("run", "prose-repair", "--out", "out"), "Missing option '--rows'"),
    "no recipe": (("run", "--rows", "3", "--out", "out"), "Missing argument 'RECIPE'"),
    "an unknown command": (("runn",), "No such command 'runn'"),
    "an unknown recipe": (("run", "prose-repare", *RUN[2:]), "Did you mean 'prose-repair'?"),
    "an unknown recipe's help": (("run", "prose-repare", "--help"), "Did you mean 'prose-repair'?"),
    "a recipe file that is not there": (("run", "mine.py", *RUN[2:]), "There is no recipe file 'mine.py'"),
    "a recipe file that is a folder": (("run", "./", *RUN[2:]), "There is no recipe file"),
    "a recipe file with a slip": (("run", "slip.py", *RUN[2:]), "has a syntax error in line 2: "),
    "a recipe file that breaks": (("run", "breaks.py", *RUN[2:]), "cannot be loaded: KeyError in line 3: 'x'"),
    "a recipe file that ends": (("run", "ends.py", *RUN[2:]), "cannot be loaded: SystemExit in line 1: 5"),
    "a recipe that cannot be built": (("check", "unbuilt.py"), "cannot be built: KeyError: 'x' (in line "),
    "a recipe that gives nothing": (("check", "nothing.py"), "gives NoneType, where a Pipeline is expected"),
    "a recipe file without a recipe": (("run", "empty.py", *RUN[2:]), "holds one function marked @recipe"),
    "an unknown key": ((*RUN, "--set", "mots=3"), "has no config key 'mots'. Did you mean 'most'?"),
    "an unknown key in a file": ((*RUN, "--config", "mots.yaml"), "has no config key 'mots'. Did you mean 'most'?"),
    "an unknown option": ((*RUN, "--mots", "3"), "No such option '--mots'"),
    "a wrong value": ((*RUN, "--most", "many"), "most: Input should be a valid integer"),
    "a value out of range": ((*RUN, "--set", "most=99"), "most: Input should be less than or equal to 30 (it is 99)"),
    "values that do not go together": ((*RUN, "--most", "2", "--fewest", "3"), "fewest (3) is more than most (2)"),
    "an unknown preset": ((*RUN, "--preset", "gentel"), "has no preset 'gentel'. Did you mean 'gentle'?"),
    "--set without a value": ((*RUN, "--set", "most"), "--set takes key=value, not 'most'."),
    "a config file that is not there": ((*RUN, "--config", "none.yaml"), "'none.yaml' cannot be read"),
    "a config file that is no mapping": ((*RUN, "--config", "list.yaml"), "must hold `key: value` lines, not a list"),
    "a config file that is no YAML": ((*RUN, "--config", "slip.yaml"), "'slip.yaml' is no YAML"),
    "texts that are not there": ((*RUN, "--texts", "none"), "There is no file or folder none"),
    "--out that is a file": (("run", "prose-repair", "--rows", "3", "--out", "slip.py"), "'slip.py' is a file"),
    "--out that cannot be made": (("run", "prose-repair", "--rows", "3", "--out", "slip.py/out"), "'slip.py/out'"),
    "an export of nothing": (("export", "nothing", "--to", "x.jsonl"), "There is no directory nothing"),
    "an export of no run": (("export", ".", "--to", "x.jsonl"), "holds no finished run of retroweave"),
    "an export without --to": (("export", "."), "Missing option '--to'"),
    "a lint of no run": (("lint", "."), "holds no finished run of retroweave"),
    "odds that are none": (("odds", "--generator", "1.5"), "--generator is a probability between 0 and 1, not 1.5."),
    "odds that are no number": (("odds", "--generator", "nan"), "--generator is a probability between 0 and 1"),
    "half a judge": (("odds", "--generator", ".5", "--accepts-right", ".5"), "Each judge has both rates"),
    "a cost without a judge": (("odds", "--generator", ".5", "--judge-cost", "1"), "--judge-cost goes with a judge"),
    "a judge of nothing": (
        ("odds", "--generator", ".5", "--accepts-right", "0", "--accepts-wrong", "0"),
        "With these rates no row is ever accepted",
    ),
    "a target of certainty": (("odds", "--generator", ".5", "--target", "1"), "--target is a precision above 0 and"),
    "a target from nothing": (("odds", "--generator", "0", "--target", ".9"), "never right"),
    "odds for no rows": (("odds", "--generator", ".5", "--rows", "0"), "--rows is how many accepted rows you want"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_input_ends_with_two_and_a_paragraph_that_says_what_is_wrong(
    project: Project, retroweave: Command, wrong: str
) -> None:
    project.write("slip.py", "x = 1\ndef (\n")
    project.write("breaks.py", "x = {}\n\nx['x']\n")
    project.write("ends.py", "import sys; sys.exit(5)\n")
    project.write("empty.py", "x = 1\n")
    head, _, _ = COUNTING.partition("    return Pipeline(")
    project.write("unbuilt.py", head.replace("ASK", "") + "    return {}['x']\n")
    project.write("nothing.py", head.replace("ASK", ""))
    project.write("list.yaml", "- most\n")
    project.write("mots.yaml", "mots: 3\n")
    project.write("slip.yaml", "most: [\n")
    arguments, said = WRONG[wrong]
    code, out, err = retroweave(*arguments)
    assert (code, out) == (2, ""), err
    usage, _, message = f"\n{err}".partition("\nError: ")
    assert said in message
    assert len(message.splitlines()) == 1
    assert not usage or usage.startswith("\nUsage: ")
    assert not (project.folder / "out").exists()


@pytest.mark.parametrize("to", ["slip.py/x.jsonl", "/proc/x.jsonl", "/proc/x.parquet"])
def test_an_export_to_where_nothing_can_be_written_is_a_wrong_input(
    project: Project, retroweave: Command, to: str
) -> None:
    project.write("slip.py", "")
    project.make(project.counting(), 3)
    code, out, err = retroweave("export", "out", "--to", to)
    assert (code, out) == (2, "")
    assert to.rpartition("/")[0] in err
    assert len(err.splitlines()) == 1


def test_a_run_that_is_not_finished_is_told_how_to_go_on(project: Project, retroweave: Command) -> None:
    with pytest.raises(RunStopped, match="Stopped by Ctrl-C"):
        project.make(project.counting(), 3, watch=interrupt)
    code, _, err = retroweave("lint", "out")
    assert code == 2
    assert "The run in out is not finished" in err


def interrupt(tally: Any) -> None:
    raise KeyboardInterrupt


def test_an_error_leaves_the_process_with_its_code(project: Project) -> None:
    refused = project.retroweave("run", "prose-repare", "--rows", 3, "--out", "out", code=2)
    assert refused.stdout == ""
    assert refused.stderr.startswith("Error: There is no recipe 'prose-repare'.")
    assert len(refused.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_error(project: Project) -> None:
    process = project.start("show", "prose-repair")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(20) in (0, 1)
    assert process.stderr.read() == ""


# Progress


def test_progress_is_silent_where_errors_go_to_a_file(project: Project) -> None:
    done = project.retroweave("run", project.counting(), "--rows", 3, "--out", "out", "--workers", 1)
    assert done.stderr == ""


def test_progress_shows_what_was_accepted_the_rate_and_the_time_that_is_left(project: Project) -> None:
    recipe = project.counting("def ask(number: str) -> str:\n    time.sleep(0.01)\n    return number")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "retroweave", "run", recipe, "--rows", "150", "--out", "out", "--workers", "1"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(slave)
    shown = b""
    while process.poll() is None:
        if select.select([master], [], [], 0.1)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the other end is closed
                break
    process.communicate()
    os.close(master)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"\d+ of 150 accepted +\d+/s +\d+ s left", text)


def test_what_the_journal_held_is_not_counted_into_the_rate() -> None:
    out = io.StringIO()
    progress = Progress(Console(file=out, force_terminal=True, width=120), 100)
    tally = Tally(100)
    with progress.shown():
        for samples, replayed in ((50, 50), (52, 50)):
            tally.verdicts["sample"] = tally.source_rows = samples
            tally.replayed_rows = replayed
            progress.watch(tally)
            time.sleep(0.3)
    shown = [int(seconds) for seconds in re.findall(r"(\d+) s left", out.getvalue())]
    assert shown
    assert min(shown) >= 6  # 48 samples at 2 in 0.3 seconds or more; with those of the journal it were one second


# Odds


def odds(retroweave: Command, *arguments: str) -> dict[str, Any]:
    code, out, _ = retroweave("odds", *arguments, "--json")
    assert code == 0
    found: dict[str, Any] = orjson.loads(out)
    return found


GUIDE = ("--generator", "0.8", "--accepts-right", "0.8", "--accepts-wrong", "0.2")


def test_odds_say_what_the_guide_says(retroweave: Command) -> None:
    code, out, _ = retroweave("odds", *GUIDE)
    assert code == 0
    assert out.splitlines() == [
        "precision  94.12% of the accepted rows are right",
        "yield      68.00% of the generated rows are accepted",
        "recall     80.00% of the right rows are accepted",
        "work       1.47 generated rows for each accepted one",
    ]


def test_odds_are_told_backward_too(retroweave: Command) -> None:
    out = retroweave("odds", *GUIDE, "--target", "0.99")[1]
    assert "To reach 99.00%:" in out
    assert "accepts-right must be at least 24.75 times accepts-wrong" in out
    assert "with accepts-right 0.8, accepts-wrong at most 0.03232" in out
    assert "of judges like the first, 3 in a row, if their mistakes are independent" in out
    out = retroweave("odds", "--generator", "0.8", "--target", "0.99")[1]
    assert "in a row" not in out
    out = retroweave("odds", "--generator", ".5", "--accepts-right", ".5", "--accepts-wrong", ".5", "--target", ".9")[1]
    assert "no number will do" in out


def test_a_chain_of_judges_is_given_by_repeating_its_rates(retroweave: Command) -> None:
    one = odds(retroweave, *GUIDE)
    two = odds(
        retroweave, *GUIDE, "--accepts-right", "0.9", "--accepts-wrong", "0.1", "--judge-cost", "1", "--cost", "2"
    )
    assert two["precision"] == pytest.approx(0.576 / 0.58)
    assert two["yield"] == pytest.approx(0.58)
    assert two["cost_per_accepted"] == pytest.approx(3 / 0.58)
    assert one.keys() == {"precision", "yield", "recall", "generated_per_accepted", "cost_per_accepted"}


def test_odds_for_a_number_of_rows_say_what_they_take(retroweave: Command) -> None:
    found = odds(retroweave, *GUIDE, "--rows", "680", "--cost", "0.5", "--target", "0.9")
    assert found["generated"] == pytest.approx(1000)
    assert found["cost"] == pytest.approx(500)
    assert found["need"]["judges_in_a_chain"] == 1
    out = retroweave("odds", *GUIDE, "--rows", "680", "--cost", "0.5")[1]
    assert "680 rows   1,000 generated, 500 in all" in out


@pytest.mark.parametrize(("generator", "precision"), [("0", 0), ("1", 1)])
def test_odds_at_the_edges(retroweave: Command, generator: str, precision: float) -> None:
    found = odds(retroweave, "--generator", generator, *GUIDE[2:])
    assert found["precision"] == precision


def test_a_smaller_run_says_how_to_bring_back_the_larger_one(project: Project, retroweave: Command) -> None:
    recipe = project.counting()
    assert "before" not in retroweave("run", recipe, "--rows", 9, "--out", "out", "--workers", 1)[1]
    code, out, _ = retroweave("run", recipe, "--rows", 4, "--out", "out", "--workers", 1)
    assert code == 0
    kept = "9 samples stood here before. Their rows are in the journal: --rows 9 brings them back, and makes none anew."
    assert kept in out
    _, out, _ = retroweave("run", recipe, "--rows", 9, "--out", "out", "--workers", 1)
    assert "before" not in out
    assert orjson.loads(Path("out/run.json").read_bytes())["counts"]["replayed_rows"] >= 9


def test_a_smaller_run_that_begins_anew_promises_no_larger_one(project: Project, retroweave: Command) -> None:
    recipe = project.counting()
    retroweave("run", recipe, "--rows", 9, "--out", "out", "--workers", 1)
    code, out, _ = retroweave("run", recipe, "--rows", 4, "--out", "out", "--workers", 1, "--again")
    assert code == 0
    assert "before" not in out


def test_a_run_of_which_most_rows_fail_says_that_what_is_left_may_be_biased(
    project: Project, retroweave: Command
) -> None:
    recipe = project.counting("def ask(number: str) -> str:\n    return number if int(number) % 4 == 0 else 1 / 0\n")
    code, out, _ = retroweave("run", recipe, "--rows", 5, "--out", "out", "--workers", 1)
    assert code == 0
    assert "warning: 12 of 17 outcomes failed by an error of a step" in " ".join(out.split())


def test_check_names_the_types_that_are_not_said(project: Project, retroweave: Command) -> None:
    code, out, _ = retroweave("check", project.counting("def ask(number):\n    return f'Count {number + 1}.'\n"))
    assert code == 0
    assert "note: the function of step 'ask' does not say the type of number and its result" in out


@pytest.mark.parametrize(
    "signature", ["number: str) -> str", "number: Any) -> object", "number: str, rng: Random) -> str"]
)
def test_check_has_no_note_where_all_types_are_said(project: Project, retroweave: Command, signature: str) -> None:
    ask = f"from random import Random\nfrom typing import Any\n\ndef ask({signature}:\n    return number\n"
    code, out, _ = retroweave("check", project.counting(ask))
    assert code == 0
    assert "note" not in out


@pytest.mark.parametrize(
    ("parameters", "mend"),
    [
        ("number, rng", "annotate the parameter, rng: random.Random"),
        ("number, side", "annotate the parameter, side: Side"),
        ("nomber: str", "Did you mean 'number'? Else write the field first"),
    ],
)
def test_a_read_of_nothing_is_told_what_was_meant(
    project: Project, retroweave: Command, parameters: str, mend: str
) -> None:
    code, _, err = retroweave("check", project.counting(f"def ask({parameters}) -> str:\n    return 'x'\n"))
    assert code == 2
    assert mend in err


def test_functions_counts_what_stands_alone_and_why_the_rest_does_not(project: Project, retroweave: Command) -> None:
    project.write(
        "code/mine.py",
        "import os\n\n\n"
        "def clamp(value, low, high):\n    if value < low:\n        return low\n    return min(value, high)\n\n\n"
        "def gone(path):\n    a = 1\n    os.remove(path)\n    return a\n",
    )
    code, out, _ = retroweave("functions", "code")
    assert code == 0
    assert "1 files, 2 functions, 2 at the top level" in out
    assert "1 stand alone (50.0% of those)" in out
    found = orjson.loads(retroweave("functions", "code", "--json")[1])
    assert found["standalone"] == 1


def test_sandbox_says_what_holds_here(retroweave: Command) -> None:
    code, out, _ = retroweave("sandbox", "--unsafe")
    assert code == 0
    assert "suites a second" in out
