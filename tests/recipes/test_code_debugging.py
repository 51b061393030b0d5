"""Code debugging: what was broken fails as its log says, what is taught is right, and nothing that is read is fatal."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from retroweave import Drop
from retroweave.corruptions.bugs.planting import planted
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.describe import describe
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Abilities, Answer, Model
from retroweave.pipeline.pipeline import Mix, walk
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.rules import check
from retroweave.pipeline.sandbox import Limits
from retroweave.recipes.code_debugging import CodeDebugging, code_debugging
from retroweave.recipes.code_options import CodeOptions
from retroweave.recipes.code_transform import CodeTransform
from retroweave.recipes.debugging_answers import (
    CLEAN,
    all_pass,
    cut_function,
    diagnose_all,
    diagnosis_holds,
    function_repairs,
    patch_repairs,
    say_clean,
    say_clean_of_one,
)
from retroweave.recipes.debugging_asked import ask_for_calls
from retroweave.recipes.debugging_bugs import caught, dress
from retroweave.recipes.debugging_examples import EXAMPLE, SUITE, no_bug, one_bug, two_turns
from retroweave.recipes.debugging_functions import Functions, Version, choose, dress_next, plant_next, write_tests
from retroweave.recipes.debugging_runs import log_is_real, measure, run_tests
from retroweave.recipes.debugging_turns import fixes_repair, stage_hidden
from retroweave.recipes.debugging_words import (
    ask,
    filled,
    log_frame,
    tell_form,
    tell_log,
    tell_passing,
    tell_passing_test,
    words,
)
from retroweave.text.diffs import unified_diff
from retroweave.verifiers.mutants import DOES_NOT_PARSE, Behaviour
from retroweave.verifiers.sandbox.shared import Sandboxes

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src/retroweave/recipes/code_debugging.py"
SANDBOXES = Sandboxes()
Sample = Mapping[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All that the recipe makes of its example's functions."""
    out = tmp_path_factory.mktemp("code") / "out"
    config = code_debugging.configure(
        code_debugging.example.model_dump(exclude_defaults=True)
        | {"most": 5, "several": 7, "easy": 1, "obvious": 1, "no_bug": 0.2, "in_turns": 12, "validation": 0.3}
    )
    return out, make(find_recipe(str(FILE)), config, 500, out, workers=1)


@pytest.fixture(scope="module")
def samples(run: tuple[Path, dict[str, Any]]) -> list[Sample]:
    return list(read_samples(run[0]))


def kept(sample: Sample) -> dict[str, Any]:
    found: dict[str, Any] = sample["provenance"]["kept"]
    return found


def trained(sample: Sample) -> list[str]:
    return [turn["content"] for turn in sample["messages"] if turn["train"]]


# A whole run


def test_a_program_that_knows_nothing_of_the_pipeline_finds_each_sample_to_be_what_it_says(
    run: tuple[Path, dict[str, Any]],
) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/code_debugging.py", run[0], "--sample", "14"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held, looked_at = re.findall(r"(\d+) of (\d+) samples hold", done.stdout)[0]
    assert held == looked_at
    assert int(held) >= 14


def test_that_program_finds_a_sample_that_is_not_what_it_says(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    [path] = (run[0] / "data").glob("train-*.parquet")
    table = pq.read_table(path)
    rows = table.to_pylist()
    place = next(place for place, row in enumerate(rows) if row["layout"] == "whole")
    rows[place]["provenance"] = rows[place]["provenance"].replace("passed", "pa55ed").replace("failed", "fai1ed")
    (tmp_path / "data").mkdir()
    pq.write_table(table.from_pylist(rows[place : place + 1], table.schema), tmp_path / "data" / path.name)
    (tmp_path / "run.json").write_bytes((run[0] / "run.json").read_bytes())
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/code_debugging.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "0 of 1 samples hold" in done.stdout
    assert "does not print" in done.stdout


def test_no_row_fails_and_the_survivors_are_rejects_with_their_operator(run: tuple[Path, dict[str, Any]]) -> None:
    counts = run[1]["counts"]
    assert counts["failures"] == 0
    assert counts["samples"] > 20
    reasons = {one["reason"] for one in run[1]["reasons"] if one["step"] == "caught"}
    assert any(reason.startswith("no test fails: ") for reason in reasons)
    assert any(reason.startswith("only shown tests fail: ") for reason in reasons)


def test_no_two_samples_of_a_function_show_the_same_broken_code(samples: list[Sample]) -> None:
    shown = Counter(kept(sample)["states"][0] for sample in samples if kept(sample)["bugs"])
    assert set(shown.values()) == {1}


def test_each_function_has_a_sample_before_any_has_its_second(samples: list[Sample]) -> None:
    in_order = sorted(samples, key=lambda sample: sample["provenance"]["source"]["index"])
    places = [sample["provenance"]["source"]["place"] for sample in in_order]
    functions = len(set(places))
    assert functions > 3
    turns = Counter(places[:functions])
    assert max(turns.values()) <= 2
    assert len(turns) >= functions - 1


def test_what_is_called_clean_is_the_original_itself_and_all_else_is_not(samples: list[Sample]) -> None:
    assert {sample["layout"] for sample in samples} >= {"sound", "turns", "several"}
    for sample in samples:
        is_sound = sample["layout"] == "sound"
        assert (kept(sample)["states"] == [kept(sample)["original"]]) == is_sound
        assert (kept(sample)["bugs"] == []) == is_sound


def test_the_number_of_bugs_is_the_same_in_record_and_measure(samples: list[Sample]) -> None:
    for sample in samples:
        measures = sample["provenance"]["measures"]
        assert measures["bug_count"] == len(kept(sample)["bugs"])
        assert measures["turns"] == len(kept(sample)["states"]) == len(kept(sample)["runs"])
        assert (measures["bug_count"] > 1) == (sample["layout"] in SEVERAL)


SEVERAL = {"several", "several_patch", "several_diagnosed", "turns", "finish"}


def test_a_turn_that_is_trained_adds_no_line_that_is_not_of_the_original(samples: list[Sample]) -> None:
    several = [sample for sample in samples if sample["layout"] in ("turns", "several_patch")]
    assert several
    for sample in several:
        original = kept(sample)["original"].splitlines()
        for answer in trained(sample):
            patch = answer.partition("```diff\n")[2].splitlines()[2:]
            assert all(line[1:] in original for line in patch if line.startswith("+"))


def test_half_mended_code_is_never_trained(samples: list[Sample]) -> None:
    for sample in samples:
        for state in kept(sample)["states"][1:]:
            assert not any(state in answer for answer in trained(sample))


def test_functions_of_one_kind_stand_on_one_side_of_the_split(samples: list[Sample]) -> None:
    sides: dict[str, set[str]] = {}
    for sample in samples:
        sides.setdefault(sample["provenance"]["source"]["place"], set()).add(sample["split"])
    assert all(len(found) == 1 for found in sides.values())


def test_no_doctest_is_shown(samples: list[Sample]) -> None:
    assert not any(">>> " in kept(sample)["original"] for sample in samples)


def test_manifest_and_card_say_what_held_the_code(run: tuple[Path, dict[str, Any]]) -> None:
    told = run[1]["resources"]["sandboxes"]
    assert told["unsafe"] is False
    assert set(told["layers"]) >= {"files", "network", "processes", "limits"}
    card = (run[0] / "README.md").read_text("utf-8")
    assert "## How untrusted code was run" in card
    assert "| network | " in card


def test_the_same_run_on_two_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    found = []
    few = {"most": 1, "several": 1, "no_bug": 0, "easy": 1}
    config = code_debugging.configure(code_debugging.example.model_dump(exclude_defaults=True) | few)
    for workers in (1, 2):
        out = tmp_path / str(workers)
        make(find_recipe(str(FILE)), config, 5, out, workers=workers)
        found.append({path.name: path.read_bytes() for path in (out / "data").iterdir()})
    assert found[0] == found[1]


# What is read is never fatal

HOSTILE = {
    "broken.py": "def broken(:\n",
    "python2.py": "def old(x):\n    print x\n    y = x\n    return y\n",
    "binary.py": "\0\1\2",
    "deletes.py": """
        import os
        import shutil


        def tidy(folder):
            for name in os.listdir(folder):
                shutil.rmtree(folder + "/" + name)
            return folder
        """,
    "deep.py": """
        def deep(n):
            if n == "stop":
                return 0
            found = deep(n)
            return found + 1
        """,
    "huge.py": """
        def huge(n: int):
            found = "x" * 10 ** 9
            more = found * 9
            return more
        """,
    "power.py": """
        def power(n: int):
            found = 10 ** 10 ** 9
            found = found + n
            return found
        """,
    "crash.py": """
        from functools import reduce


        def crash(n: int):
            if n < 1000:
                return n
            found = reduce(zip, [()] * 500_000, ())
            return len(list(found))
        """,
    "sleepy.py": """
        import time

        time.sleep(3600)


        def sleepy(n: int):
            found = n + 1
            if found > 3:
                return 3
            return found
        """,
    "good.py": """
        def signs(numbers: list[int]) -> dict[str, int]:
            found = {"less": 0, "more": 0}
            for number in numbers:
                if number < 0:
                    found["less"] += 1
                elif number > 0:
                    found["more"] += 1
            return found
        """,
}


def test_code_that_is_broken_hostile_or_endless_is_counted_and_never_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retroweave.quality.behaviour.LIMITS", Limits(steps=20_000, seconds=3))
    folder = tmp_path / "code"
    folder.mkdir()
    for name, text in HOSTILE.items():
        (folder / name).write_text(dedent(text), encoding="utf-8")
    (folder / "LICENSE").write_text("Keep this notice.\n")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    config = CodeDebugging.model_validate({"code": folder, "license": "MIT", "easy": 1, "most": 6, "several": 0})
    made = make(find_recipe(str(FILE)), config, 500, tmp_path / "out", workers=1)
    sources = Counter(
        sample["provenance"]["source"]["place"].partition(",")[0] for sample in read_samples(tmp_path / "out")
    )
    assert set(sources) <= {"good.py", "sleepy.py"}
    assert sources["good.py"] > 2
    reasons = {(one["kind"], one["step"], one["reason"].partition(" ran out")[0]) for one in made["reasons"]}
    assert reasons >= {
        ("reject", "functions", "the file is not read: Python 2"),
        ("reject", "functions", "the file is not read: syntax"),
        ("reject", "write_tests", "nothing returns: limit: memory"),
        ("reject", "write_tests", "coverage is not full"),
        ("failure", "is_no_benchmark", "SandboxFailed: 3 s of wall clock"),
    }
    assert sorted(path.name for path in folder.parent.rglob("*") if "out" not in path.parts) == before
    assert (tmp_path / "out" / "NOTICE").read_text("utf-8") == "the code (MIT)\n\nKeep this notice.\n"
    assert "They belong to the code (MIT)." in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_a_function_that_is_no_use_is_one_reject_a_turn_and_says_why_once(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(dedent(HOSTILE["good.py"]), encoding="utf-8")
    (tmp_path / "huge.py").write_text(dedent(HOSTILE["huge.py"]), encoding="utf-8")
    config = CodeDebugging.model_validate({"code": tmp_path, "license": "MIT", "most": 3, "several": 0, "no_bug": 0})
    made = make(find_recipe(str(FILE)), config, 500, tmp_path / "out", workers=1)
    reasons = {one["reason"]: one["count"] for one in made["reasons"] if one["step"] == "write_tests"}
    assert reasons == {
        "nothing returns: limit: memory": 1,
        "the function is no use, as was said at its first turn": 2,
    }


# Steps


def test_both_recipes_about_code_take_it_in_by_the_same_options() -> None:
    shared = CodeOptions.model_fields
    assert {"code", "license", "installed", "standard", "unsafe", "names", "validation"} == shared.keys()
    for config in (CodeDebugging, CodeTransform):
        assert issubclass(config, CodeOptions)
        assert all(config.model_fields[name].description == field.description for name, field in shared.items())
        assert not shared.keys() & config.__annotations__.keys()


def test_a_config_without_any_answer_is_refused() -> None:
    weights = dict.fromkeys(
        ("whole", "whole_only", "whole_raw", "patch", "function", "diagnosed", "predicted", "located"), 0
    )
    with pytest.raises(UserError, match="must be above 0"):
        code_debugging.configure(weights)


@pytest.mark.parametrize(
    ("options", "arms"),
    [
        ({}, ["one", "several", "none"]),
        ({"several": 0, "no_bug": 0}, ["one"]),
        ({"no_bug": 1}, ["one", "several", "none"]),
    ],
)
def test_a_turn_is_of_one_bug_or_of_several_or_of_none_as_the_options_say(options: Any, arms: list[str]) -> None:
    pipeline = code_debugging.pipeline(code_debugging.configure(options))
    assert check(pipeline) == []
    [bugs] = [node for node in walk(pipeline.steps) if isinstance(node, Mix) and node.name == "bugs"]
    assert [arm.name for arm in bugs.arms] == arms


def test_a_function_is_shown_with_its_docstring_and_without() -> None:
    code = '# Much said.\ndef f(x):\n    """Add one.\n\n    >>> f(1)\n    2\n    """\n    return x + 1  # one\n'
    shown = {form for seed in range(20) for form, _ in dress(code, "f", Random(seed))}
    assert len(shown) == 4
    assert not any(">>>" in form for form in shown)
    assert all(('"""' in form) == told for seed in range(5) for form, told in dress(code, "f", Random(seed)))


def test_code_that_holds_a_fence_is_dropped() -> None:
    with pytest.raises(Drop, match="fence"):
        list(dress('def f(x):\n    """```"""\n    return x\n', "f", Random(0)))


def version(share: float, identity: str, operator: str, symptom: str = "wrong value") -> Version:
    tests = 20
    failing = frozenset(range(round(share * tests) - 1))
    found = Behaviour(failing, frozenset({0}), tests, symptom, frozenset(), "", identity)
    return Version("", ("", [{"operator": operator}], [], found, (found,), {}))


def seen(one: Version) -> Behaviour:
    return one.broken[3]


def test_one_of_each_behaviour_and_two_of_each_operator_are_chosen() -> None:
    versions = [version(0.6, "a", "boundary"), version(0.6, "a", "range_bound")]
    versions += [version(0.6, name, "boundary") for name in "bcd"]
    assert [seen(one).identity for one in choose(versions, 6)] == ["a", "b"]


def test_what_few_tests_catch_is_chosen_first_and_one_that_is_obvious_at_most() -> None:
    versions = [version(1, str(place), str(place), DOES_NOT_PARSE) for place in range(3)]
    versions += [version(1, f"easy {place}", f"easy {place}") for place in range(9)]
    versions += [version(0.2, f"hard {place}", f"hard {place}") for place in range(9)]
    chosen = choose(versions, 6)
    assert sum(seen(one).share < 0.5 for one in chosen) == 4
    assert sum(seen(one).symptom == DOES_NOT_PARSE for one in chosen) == 1


def functions(turns: int = 4) -> Functions:
    return Functions(SANDBOXES, shown=4, hidden=6, sites=20, most=turns, turns=turns)


def test_each_turn_of_a_function_has_a_bug_of_its_own_until_there_is_none_left() -> None:
    known = functions(turns=9)
    suite, _, _ = write_tests(EXAMPLE, "scaled", 0, known)
    count = len(known.bred(EXAMPLE, "scaled", suite).kept)
    assert 1 < count <= 9
    texts = []
    for turn in range(count):
        original, _ = dress_next(EXAMPLE, "scaled", suite, turn, known)
        texts += [plant_next(original, EXAMPLE, "scaled", suite, turn, known)[0][0]]
    assert len(set(texts)) == count
    with pytest.raises(Drop, match="no further bug"):
        dress_next(EXAMPLE, "scaled", suite, count, known)


def test_a_process_that_has_forgotten_a_function_finds_the_same_bugs() -> None:
    one, other = functions(), functions()
    suite, _, _ = write_tests(EXAMPLE, "scaled", 0, one)
    again, _, _ = write_tests(EXAMPLE, "scaled", 3, other)
    assert suite == again
    found = [[version.broken[:2] for version in known.bred(EXAMPLE, "scaled", suite).kept] for known in (other, one)]
    assert found[0] == found[1]


def test_each_bug_that_no_test_catches_has_one_turn_in_which_it_is_told() -> None:
    code = EXAMPLE.replace("total = []", "total = list([])")
    known = functions()
    suite, _, _ = write_tests(code, "scaled", 0, known)
    lost = known.bred(code, "scaled", suite).lost
    told = [text for turn in range(4) for text, *_ in plant_next("", code, "scaled", suite, turn, known)[1:]]
    assert lost
    assert sorted(told) == sorted(one.broken[0] for one in lost)


def test_why_a_function_is_no_use_is_said_at_its_first_turn_and_at_no_other() -> None:
    known = functions()
    endless = "def endless(x):\n    while True:\n        x = x + 1\n    return x\n"
    with pytest.raises(Drop, match="nothing returns") as drop:
        write_tests(endless, "endless", 0, known)
    assert drop.value.__notes__ == [endless]
    with pytest.raises(Drop, match="as was said at its first turn"):
        write_tests(endless, "endless", 1, known)


def test_functions_are_forgotten_beyond_some_hundreds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retroweave.recipes.debugging_functions.REMEMBERED", 2)
    known = functions()
    for number in range(9):
        known.benchmark(f"def f():\n    return {number}\n", "f", "")
    assert len(known._known) == 6


@pytest.mark.parametrize(
    ("shown", "hidden", "symptom", "reason"),
    [
        (set(), set(), "none", "no test fails: boundary"),
        ({1}, set(), "wrong value", "only shown tests fail: boundary"),
        (set(), {1}, "none", "only hidden tests fail: boundary"),
        ({1}, {1}, "does not end", "no log: does not end"),
    ],
)
def test_a_mutant_that_is_not_kept_has_a_reason(shown: set[int], hidden: set[int], symptom: str, reason: str) -> None:
    unended = symptom if symptom == "does not end" else ""
    one = Behaviour(frozenset(shown), frozenset(hidden), 10, symptom, frozenset(), unended, "")
    bug = {"operator": "boundary", "edits": [{"line": 3, "was": ">", "now": ">="}]}
    with pytest.raises(Drop, match=reason) as drop:
        caught("def f():\n    pass\n", [bug], one, (one,))
    [note] = drop.value.__notes__
    assert note.startswith("def f():\n    pass\n\nboundary, line 3: '>' became '>='\n\nOf 10 tests there fail, ")
    assert f"of the hidden ones: {2 if hidden else 'none'}." in note


def test_a_log_of_another_run_is_not_real() -> None:
    row = one_bug()
    log, ran, states, _ = run_tests(row["brought"], "scaled", SUITE, row["bugs"], SANDBOXES, Random(1))
    assert states == [row["brought"]]
    assert log_is_real(log, ran, row["brought"], SUITE, SANDBOXES)
    assert not log_is_real(log.replace("1", "2"), ran, row["brought"], SUITE, SANDBOXES)
    other = EXAMPLE.replace("value * factor", "value + factor")
    with pytest.raises(Drop, match="other failures") as drop:
        log_is_real(log, ran, other, SUITE, SANDBOXES)
    assert drop.value.__notes__ == [f"{other}\n$ {ran.command}\n{ran.text}"]
    with pytest.raises(Drop, match="passes its tests"):
        log_is_real(log, ran, EXAMPLE, SUITE, SANDBOXES)


def test_a_patch_whose_line_stands_in_the_request_repairs_nothing() -> None:
    original = EXAMPLE.replace("value * factor", "value * factor * len(values)")
    brought = original.replace(" * len(values)", "")
    patch = unified_diff(brought, original)
    assert patch_repairs(brought, patch, original, "Mend this.", "")
    assert not patch_repairs(brought, patch, original, "Mend this.", "total.append(value * factor * len(values))")


def test_the_function_that_changes_is_cut_out_where_there_is_more_than_that() -> None:
    helper = "def double(value):\n    return value + value\n\n\n"
    original = helper + EXAMPLE
    row = one_bug()
    with pytest.raises(Drop, match="hardly more"):
        cut_function(row["brought"], EXAMPLE, row["bugs"])
    bug = row["sites"][0]
    brought, records = planted(EXAMPLE, [bug])
    for edit in records[0]["edits"]:
        edit["start"] += len(helper)
    changed = cut_function(helper + brought, original, records)
    assert changed == EXAMPLE
    assert function_repairs(helper + brought, changed, original, "", "")
    assert not function_repairs(helper + brought, changed, original, f"It was:\n{EXAMPLE}", "")


def test_turns_are_parted_where_the_first_bug_hides_the_second() -> None:
    row = two_turns()
    states, by_turn = stage_hidden(row["brought"], EXAMPLE, row["sites"], SUITE, SANDBOXES, Random(0))
    assert states == row["states"]
    assert by_turn == row["by_turn"]


def test_most_pairs_of_bugs_are_not_parted_so_that_not_each_turn_mends_just_one() -> None:
    row = two_turns()

    def parted(seed: int) -> list[str]:
        with suppress(Drop):
            return stage_hidden(row["brought"], EXAMPLE, row["sites"], SUITE, SANDBOXES, Random(seed))[0]
        return []

    assert 4 <= sum(bool(parted(seed)) for seed in range(30)) <= 16
    with pytest.raises(Drop, match="there are enough of them"):
        stage_hidden(row["brought"], EXAMPLE, row["sites"], SUITE, SANDBOXES, Random(1))


def test_turns_are_not_parted_where_one_run_shows_both_bugs() -> None:
    row = two_turns()
    boundary = row["sites"][1]
    other = next(bug for bug in every_bug() if bug.operator == "wrong_arithmetic")
    with pytest.raises(Drop, match="mended in one turn"):
        stage_hidden(row["brought"], EXAMPLE, [boundary, other], SUITE, SANDBOXES, Random(0))


def every_bug() -> list[Any]:
    from retroweave.corruptions.bugs.planting import Bug
    from retroweave.corruptions.bugs.site import OPERATORS
    from retroweave.corruptions.code import Code

    return [Bug(name, site) for name, kind in OPERATORS.items() for site in kind.sites(Code.of(EXAMPLE))]


def turns(**other: Any) -> bool:
    names = ("brought", "first_fix", "fixes", "reruns", "before", "after", "original", "sites", "by_turn", "later")
    given = {name: two_turns()[name] for name in names} | {"suite": SUITE, "sandboxes": SANDBOXES}
    return fixes_repair(**given | other)


@pytest.mark.parametrize("spoil", ["first_fix", "fixes", "reruns", "by_turn"])
def test_turns_hold_only_as_a_whole(spoil: str) -> None:
    row = two_turns()
    assert turns()
    worse = {
        "first_fix": row["first_fix"].replace("+    for value in values:", "+    for value in values :"),
        "fixes": [row["fixes"][0].replace("line 4", "line 5").replace("Line 4", "Line 5")],
        "reruns": ["It says nothing."],
        "by_turn": [row["by_turn"][1], row["by_turn"][1]],
    }
    assert not turns(**{spoil: worse[spoil]})


def test_turns_do_not_hold_with_the_run_of_another_turn() -> None:
    row = two_turns()
    with pytest.raises(Drop, match="other failures"):
        turns(later=[row["ran"]], reruns=[row["ran"].text])


def test_how_hard_it_is_is_measured() -> None:
    row = one_bug()
    found = measure(row["brought"], row["bugs"], SUITE, [row["brought"]], row["ran"], SANDBOXES)
    assert found == (1, 1, 1, ["logic"], ["boundary"], 0.333, False, "wrong value", False, "quiet")


def test_values_with_braces_are_told_as_they_are() -> None:
    assert filled("{call} gives {came}.", call="f('{came}')", came="{}") == "f('{came}') gives {}."


def test_who_is_to_foretell_a_log_is_told_in_what_form() -> None:
    bare = one_bug()["ran"]
    for command, pool in (("pytest -q test_solution.py", "form_pytest"), ("python -m unittest t.py", "form_other")):
        ran = replace(bare, command=command, file="test_solution.py", tests="import solution\n")
        kind, parts = tell_form(ran, SUITE, [], [], Random(0))
        assert kind == "tests"
        assert parts[0] in {filled(form, command=command) for form in words(pool)}
        assert "import solution" in parts[1]


@pytest.mark.parametrize("pool", ["form_pytest", "form_other"])
def test_each_form_of_a_log_says_that_times_and_folders_and_frames_are_left_out(pool: str) -> None:
    assert len(words(pool)) > 20
    for form in words(pool):
        assert re.search(r"(?i)second|tim(?:e|ing)|duration|how long|different tomorrow", form), form
        assert re.search(r"(?i)folder|director|path|file name|by its name alone|where the files|dirs", form), form
        assert re.search(
            r"(?i)frame|traceback|libraries|in these two files|as deep as|inside imported modules", form
        ), form


@pytest.mark.parametrize("pool", ["diagnose", "diagnose_said", "locate"])
def test_who_is_given_a_diagnosis_did_not_ask_for_more_than_a_line_and_what_is_wrong_there(pool: str) -> None:
    more = re.compile(
        r"step through|walk|expla(in|nation)|\bwhy\b|reason|understand|account|unaided|plain words|justify|"
        r"without (the|a) fix|not the whole fix|n't (fix|mend|correct) anything|in (a|one) sentence\b",
        re.IGNORECASE,
    )
    assert len(words(pool)) >= 20
    assert [one for one in words(pool) if more.search(one)] == []
    assert all("explain" not in one and not re.search(r"\bwhy\b", one) for one in words("sound"))


# Words


POOLS = sorted(path.stem for path in (FILE.parent / "code_debugging").glob("*.txt"))


@pytest.mark.parametrize("pool", [one for one in POOLS if not one.startswith(("log_", "code_", "tests_"))])
def test_there_are_many_voices_and_no_two_alike(pool: str) -> None:
    phrases = words(pool)
    assert len(phrases) >= 20
    assert len({" ".join(one.lower().split()) for one in phrases}) == len(phrases)
    openings = [" ".join(one.split()[:2]) for one in phrases]
    assert max(map(openings.count, openings)) <= 0.16 * len(phrases)


@pytest.mark.parametrize("pool", [one for one in POOLS if one.startswith("said_")])
def test_no_article_stands_before_a_name_that_may_begin_with_a_vowel_or_not(pool: str) -> None:
    assert not re.search(r"(?i)\ban? \{", "\n".join(words(pool)))


def test_what_stands_before_an_answer_says_nothing_of_how_many_faults_there_were() -> None:
    assert not re.search(r"(?i)\b(fault|mistake|bug|error|change|fix|correction)\b", "\n".join(words("lead")))


@pytest.mark.parametrize("seed", range(30))
def test_a_log_that_a_sentence_leads_up_to_has_no_heading_of_its_own(seed: int) -> None:
    row = two_turns()
    frame = log_frame(row["later"][0], Random(seed), headed=False)
    assert {frame} <= {
        filled(one, log=row["later"][0].text, command=row["later"][0].command)
        for one in (*words("log_bare"), *words("log_typed"))
    }
    assert all(not re.search(r"[:.]\n+\S", one) for one in (*words("log_bare"), *words("log_typed")))


def asked_of(original: str, brought: str, log: str = "1 failed\n") -> str:
    ran = replace(one_bug()["ran"], text=log)
    before, after, _ = ask(("whole",), tell_log, brought, original, ran, SUITE, [], SANDBOXES, Random(0))
    return before + after


def test_a_repair_that_only_who_knows_the_original_could_write_is_dropped() -> None:
    original = EXAMPLE.replace("return total", "return total or 'parcel'")
    brought = EXAMPLE.replace("return total", "return total or 'crate'")
    with pytest.raises(Drop, match="the repair holds a text") as drop:
        asked_of(original, brought)
    assert drop.value.__notes__[0].endswith("'parcel'")
    assert "'parcel'" in asked_of(original, brought, "assert [] == 'parcel'\n")
    assert asked_of(original.replace("'parcel'", "[4711]"), brought)


# What is said where nothing is wrong, and where more is wrong than was asked for


@pytest.mark.parametrize(("asked", "pool"), CLEAN.items())
def test_who_asks_for_the_repair_of_sound_code_is_told_in_words_that_fit(asked: str, pool: str) -> None:
    about = {"patch": "patch|hunk|diff", "function": "function|definition|which one"}
    about["diagnose"] = "line|fault|mistake|slip|bug|finding|diagnosis"
    answers = words(pool)
    assert all("{count}" in one for one in answers)
    fitting = [one for one in answers if re.search(about.get(asked, "test|fail|pass"), one, re.IGNORECASE)]
    assert len(fitting) >= 0.6 * len(answers)


def passes(answer: str, after: str) -> bool:
    row = no_bug()
    return all_pass(answer, row["ran"], EXAMPLE, "", after, SUITE, SANDBOXES)


@pytest.mark.parametrize("pool", CLEAN.values())
def test_that_all_pass_is_said_of_a_log_that_the_user_shows(pool: str) -> None:
    row = no_bug()
    _, parts = tell_passing(row["ran"], SUITE, [], [], Random(3))
    answer = say_clean(SUITE, Random(1), pool)
    assert passes(answer, "\n".join(parts))
    assert not passes(answer, "")
    assert not passes(answer.replace("4", "5"), "\n".join(parts))


@pytest.mark.parametrize("seed", range(6))
def test_of_sound_code_and_one_test_it_is_said_that_no_line_is_to_blame(seed: int) -> None:
    row = no_bug()
    told_by, [part] = tell_passing_test(row["ran"], SUITE, [], [], Random(seed))
    answer = say_clean_of_one("", part, SUITE, Random(seed))
    assert told_by == "one test"
    assert passes(answer, part)
    assert any(f"`{test.text}`" in answer and f"`{test.value}`" in answer for test in SUITE.shown)
    other = next(test for test in SUITE.shown if test.text not in answer)
    assert not passes(filled(words("clean_test")[0], call=other.text, wanted=other.value), part)


def test_who_asks_for_the_mistake_is_told_first_that_there_are_more() -> None:
    row = two_turns()
    records = planted(EXAMPLE, row["sites"])[1]
    said = [diagnose_all(row["brought"], records, Random(seed)) for seed in range(40)]
    assert all(re.match(r"(?s)\S.*\n\n- .*\n- ", one) for one in said)
    assert any("two" in one.lower().partition("\n")[0] for one in said)
    assert all(diagnosis_holds(row["brought"], records, one, EXAMPLE, "", "") for one in said)
    assert not diagnosis_holds(
        row["brought"], records, f"All three:\n\n{said[0].partition(chr(10) * 2)[2]}", EXAMPLE, "", ""
    )
    assert not diagnosis_holds(row["brought"], records[:1], said[0], EXAMPLE, "", "")


# With a model

BREAKS = '''
- when: ["clock"]
  answer: |
    ```python
    def clock(minutes: int) -> str:
        """Minutes since midnight as a clock on the wall shows them."""
        if minutes < 0:
            raise ValueError("the clock does not go back")
        hours, rest = divmod(minutes, 60)
        half = "am" if hours % 24 < 12 else "pm"
        shown = hours % 12
        if shown == 0:
            shown = 12
        return f"{rest:02}:{shown} {half}"
    ```
'''


def test_a_bug_that_a_model_wrote_is_kept_where_tests_catch_it_and_has_no_diagnosis(tmp_path: Path) -> None:
    example = (FILE.parent / "code_debugging/example.py").read_text("utf-8")
    clock = example[example.index("def clock") : example.index("def initials")]
    (tmp_path / "clock.py").write_text(clock, encoding="utf-8")
    (tmp_path / "answers.yaml").write_text(BREAKS, encoding="utf-8")
    config = code_debugging.configure(
        {"code": tmp_path / "clock.py", "license": "CC0-1.0", "model": f"scripted:{tmp_path / 'answers.yaml'}"}
        | {"asked": 1, "most": 1, "several": 0, "no_bug": 0, "easy": 1}
    )
    made = make(find_recipe(str(FILE)), config, 9, tmp_path / "out")
    [sample] = [one for one in read_samples(tmp_path / "out") if one["layout"].startswith("asked_")]
    assert [bug["operator"] for bug in kept(sample)["bugs"]] == ["by_model"]
    assert "{rest:02}:{shown}" in kept(sample)["states"][0]
    assert made["models"][0]["calls"] > 1
    assert all("by_model" not in one["reason"] for one in made["reasons"])


class Says:
    """A model that gives these answers, one after the other."""

    name, form, abilities = "says", "chat", Abilities()

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def ask(self, request: Any, hidden: Any = (), plain: str = "", **more: Any) -> Answer:
        return Answer(self.answers.pop(0))


CALLS = '{"calls": ["scaled([1, 2], 3)", "scaled(open(1), 2)", "scaled([], 1)"]}'
ASSERTS = "from solution import scaled\n\n\ndef test_none():\n    assert scaled([], 4) == []\n"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((CALLS, ASSERTS), ["[1, 2], 3", "[], 1", "[], 4"]),
        ((CALLS, "I would rather not."), ["[1, 2], 3", "[], 1"]),
        ((CALLS, ASSERTS.replace("== []", "== [1]")), ["[1, 2], 3", "[], 1"]),
        (("no", "no, really", ASSERTS), ["[], 4"]),
        (("no", "no, really", "no"), []),
    ],
)
def test_what_a_model_says_of_tests_is_used_as_far_as_it_can_be(answers: tuple[str, ...], found: list[str]) -> None:
    calls = asyncio.run(ask_for_calls(EXAMPLE, "scaled", SANDBOXES, cast(Model, Says(*answers))))
    assert [", ".join(map(repr, call.args)) for call in calls] == found


def test_each_step_says_what_it_does_on_the_card() -> None:
    steps = [line for line in describe(code_debugging.pipeline(CodeDebugging.model_validate({}))) if line.reads]
    assert len(steps) > 40
    assert all(line.text and "partial(" not in line.text for line in steps)
