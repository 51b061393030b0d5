"""Episodes in which a file is found and mended: what is answered is true, and what is mended is whole."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from retroweave.corruptions.damage import undo
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import UserError
from retroweave.quality.lint import lint
from retroweave.recipes import repair_by_editor as recipe_file
from retroweave.recipes.repair_by_editor import (
    EXAMPLE,
    NUMBERS,
    SCENE,
    SPOILT_EDITS,
    TOOLSETS,
    edits_restore,
    fitting,
    last_look_shows,
    repair_by_editor,
    report_holds,
    words,
)
from retroweave.verifiers.editor import Editor, Toolset

PLAIN = TOOLSETS["plain"]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("episodes") / "out"
    made = make(repair_by_editor, repair_by_editor.config_type(), 300, out, workers=1)
    assert made["counts"]["failures"] == 0
    assert made["counts"]["rejects"] < 20
    return list(read_samples(out))


def toolset_of(sample: dict[str, Any]) -> Toolset:
    names = {tool["function"]["name"] for tool in sample["tools"]}
    return next(tools for tools in TOOLSETS.values() if names <= {tool.name for tool in tools.tools.values()})


def calls(sample: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Each call with its answer."""
    turns = sample["messages"]
    return [
        (turn["tool_calls"][0]["function"], answer["content"])
        for turn, answer in pairwise(turns)
        if "tool_calls" in turn
    ]


def opened(sample: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that are opened, in order, with their texts."""
    tools = toolset_of(sample)
    found = []
    for call, answer in calls(sample):
        if call["name"] == tools.tools["open"].name:
            (path,) = call["arguments"].values()
            text = tools.read(answer, path)
            assert text is not None
            found.append((path, text))
    return found


def test_the_last_look_shows_what_stood_there_before_the_damage(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        *_, (name, damaged), (again, mended) = opened(sample)
        assert name == again
        assert damaged != mended
        assert undo(damaged, sample["provenance"]["kept"]["operations"]) == mended


def test_every_answer_is_what_the_call_comes_to(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        tools, looks = toolset_of(sample), dict(opened(sample)[:-1])
        listing = next((answer for call, answer in calls(sample) if not call["arguments"]), "")
        names = re.findall(r"\S+\.\w+", listing) or looks
        editor = Editor({name: looks.get(name, "") for name in names}, tools)
        assert [editor.run(call) for call, _ in calls(sample)] == [answer for _, answer in calls(sample)]


def test_only_the_file_that_is_damaged_is_edited(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        tools = toolset_of(sample)
        looking = (tools.tools["open"].name, tools.tools["list"].name)
        edited = {next(iter(call["arguments"].values())) for call, _ in calls(sample) if call["name"] not in looking}
        assert edited == {opened(sample)[-1][0]}


def test_a_number_of_edits_in_a_report_is_the_number_of_those_made(samples: list[dict[str, Any]]) -> None:
    told = 0
    for sample in samples:
        found = re.search(r"\b(\w+) (edit|patch)(es|s)?\b", sample["messages"][-1]["content"])
        if found and found[1] in NUMBERS:
            assert NUMBERS.index(found[1]) == sample["provenance"]["measures"]["edit_count"]
            told += 1
    assert told > 150


def test_a_file_that_the_user_names_is_opened_at_once_and_no_other(samples: list[dict[str, Any]]) -> None:
    named = [sample for sample in samples if sample["provenance"]["measures"]["asked"] == "ask_named"]
    assert 40 < len(named) < 110
    for sample in named:
        assert [path for path, _ in opened(sample)] == [opened(sample)[0][0]] * 2
        assert opened(sample)[0][0] in sample["messages"][0]["content"]


def test_names_are_asked_for_where_the_user_gives_none_and_only_there(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        asked = not calls(sample)[0][0]["arguments"]
        assert asked == (sample["provenance"]["measures"]["asked"] == "ask_any")
        shown = sum(path in sample["messages"][0]["content"] for path in {path for path, _ in opened(sample)})
        assert bool(shown) != asked


def test_episodes_differ_in_length_tools_and_words(samples: list[dict[str, Any]]) -> None:
    edits = Counter(sample["provenance"]["measures"]["edit_count"] for sample in samples)
    looks = Counter(sample["provenance"]["measures"]["look_count"] for sample in samples)
    tools = Counter(sample["provenance"]["measures"]["edited_with"] for sample in samples)
    assert len(edits) >= 3
    assert set(looks) == {1, 2, 3, 4}
    assert len(tools) == 2 * len(TOOLSETS)
    assert max(Counter(sample["messages"][-1]["content"] for sample in samples).values()) <= 5
    silent = [all(not turn["content"] for turn in sample["messages"] if "tool_calls" in turn) for sample in samples]
    assert 60 < sum(silent) < 140


def test_the_report_names_the_file_and_it_is_the_last_turn(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        last = sample["messages"][-1]
        assert last["train"]
        assert "tool_calls" not in last
        assert opened(sample)[-1][0] in last["content"]


def test_a_set_teaches_no_habit(samples: list[dict[str, Any]]) -> None:
    assert lint(samples) == []


@pytest.mark.parametrize(("lines", "diffs"), [(1, 0), (0, 1)])
def test_a_weight_of_nothing_leaves_a_tool_out(tmp_path: Path, lines: float, diffs: float) -> None:
    config = repair_by_editor.configure({"lines": lines, "diffs": diffs})
    make(repair_by_editor, config, 20, tmp_path / "out", workers=1)
    used = {sample["provenance"]["measures"]["edited_with"] for sample in read_samples(tmp_path / "out")}
    does = "replace" if lines else "patch"
    assert used <= {tools.tools[does].name for tools in TOOLSETS.values()}


@pytest.mark.parametrize("wrong", [{"lines": 0, "diffs": 0}, {"fewest": 3, "most": 2}])
def test_a_config_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="does not fit"):
        repair_by_editor.configure(wrong)


class TestChecks:
    def check(self, **fields: Any) -> bool:
        row = EXAMPLE | fields
        return edits_restore(row["edits"], row["seen"], row["scene"], row["page"])

    def test_edits_that_restore_are_accepted_and_others_are_not(self) -> None:
        assert self.check()
        assert not self.check(**SPOILT_EDITS)
        assert not self.check(edits=[])

    def test_an_edit_that_changes_nothing_is_padding(self) -> None:
        idle = PLAIN.call("replace", path="b.txt", first=2, last=2, text="Nobody had lit the fire.\n")
        assert not self.check(edits=[*EXAMPLE["edits"], idle])

    def test_an_edit_that_is_taken_back_is_padding(self) -> None:
        there = PLAIN.call("replace", path="b.txt", first=2, last=2, text="x\n")
        back = PLAIN.call("replace", path="b.txt", first=2, last=2, text="Nobody had lit the fire.\n")
        assert not self.check(edits=[there, back, *EXAMPLE["edits"]])

    def test_the_other_files_must_stay_as_they_are(self) -> None:
        other = PLAIN.call("replace", path="a.txt", first=1, last=1, text="All is lost.\n")
        assert not self.check(edits=[other, *EXAMPLE["edits"]])

    def test_a_call_that_cannot_be_carried_out_is_a_no(self) -> None:
        assert not self.check(edits=[PLAIN.call("replace", path="b.txt", first=9, last=9, text="x\n")])
        assert not self.check(seen=["nothing numbered"])

    def test_the_damage_must_have_been_seen(self) -> None:
        assert last_look_shows(EXAMPLE["seen"], EXAMPLE["damaged"], SCENE)
        assert not last_look_shows([], EXAMPLE["damaged"], SCENE)
        assert not last_look_shows([*EXAMPLE["seen"], PLAIN.show("All is well.\n")], EXAMPLE["damaged"], SCENE)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"report": "a.txt is mended. It took one edit."},
            {"report": "a.txt or b.txt is mended, by one edit."},
            {"report": "b.txt is mended. It took nine edits."},
            {"seen_again": EXAMPLE["seen"][0]},
        ],
    )
    def test_a_report_that_is_not_so_is_rejected(self, wrong: dict[str, Any]) -> None:
        row = EXAMPLE | wrong
        names = ("report", "diagnosis", "edits", "scene", "seen", "answers", "seen_again", "page")
        assert report_holds(*(EXAMPLE[name] for name in names))
        assert not report_holds(*(row[name] for name in names))


class TestWords:
    @pytest.mark.parametrize(
        ("pool", "names"),
        [
            ("ask_any", {"folder"}),
            ("ask_named", {"name", "folder"}),
            ("ask_some", {"files"}),
            ("first", set()),
            ("open", {"name"}),
            ("open_only", {"name"}),
            ("onward", {"name", "before"}),
            ("found", {"name"}),
            ("found_searched", {"name"}),
            ("found_diagnosis", {"name", "diagnosis"}),
            ("found_diagnosis_searched", {"name", "diagnosis"}),
            ("next", set()),
            ("again", {"name"}),
            ("report", {"name", "edits"}),
            ("report_searched", {"name", "edits"}),
            ("report_diagnosis", {"name", "edits", "diagnosis"}),
            ("report_diagnosis_searched", {"name", "edits", "diagnosis"}),
        ],
    )
    def test_a_pool_names_what_it_may_name_and_what_it_must(self, pool: str, names: set[str]) -> None:
        said = words(pool)
        assert len(said) == len(set(said))
        for one in said:
            assert set(re.findall(r"\{(\w+)\}", one)) <= names
            assert not one[0].islower() or pool.startswith("ask")
        always = {"ask_any": "{folder}", "ask_named": "{name}", "ask_some": "{files}", "report": "{edits}"}
        assert all(always.get(pool, "") in one for one in said)

    @pytest.mark.parametrize("pool", ["found", "found_diagnosis", "report", "report_diagnosis"])
    def test_who_named_the_file_is_not_told_which_one_it_is(self, pool: str) -> None:
        found_out = re.compile(r"\bthe one\b|(?i:here|that|so|it) (is|was) {name}|{name} (it )?was\b|(was|in) {name}\.")
        assert [one for one in fitting(pool, {"ask": "ask_named"}) if found_out.search(one)] == []
        assert len(fitting(pool, {"ask": "ask_any"})) > len(fitting(pool, {"ask": "ask_named"})) >= 7

    @pytest.mark.parametrize("pool", ["ask_any", "ask_named", "ask_some"])
    def test_no_request_asks_for_a_list_of_the_faults_which_only_some_reports_have(self, pool: str) -> None:
        assert len(words(pool)) > 30
        assert [one for one in words(pool) if re.search(r"what you (did|found|changed)|report|list", one)] == []

    def test_a_folder_has_three_files_or_more_whose_names_are_no_part_of_one_another(self) -> None:
        for line in words("folders"):
            names = line.partition(": ")[2].split()
            assert len(set(names)) == len(names) >= 3
            assert not any(one != other and one in other for one in names for other in names), line

    def test_every_toolset_is_used_by_name(self) -> None:
        assert set(TOOLSETS) == {"plain", "short", "desk", "api"}
        assert recipe_file.WIDTHS.count(0) < len(recipe_file.WIDTHS) / 2
