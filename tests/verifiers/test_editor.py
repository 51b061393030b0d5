"""The editor really does what it is told, and says what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.recipes.repair_by_editor import TOOLSETS
from retroweave.text.diffs import unified_diff
from retroweave.verifiers.editor import Editor, EditorError, Toolset, lines_of, read_toolsets

PLAIN = TOOLSETS["plain"]
FILES = {"a.txt": "one\ntwo\n\nfour\n", "b.txt": "other\n"}
LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))
TEXT = st.lists(LINE, min_size=1).map(lambda lines: "".join(f"{line}\n" for line in lines))


@pytest.fixture(params=sorted(TOOLSETS))
def tools(request: pytest.FixtureRequest) -> Toolset:
    return TOOLSETS[request.param]


def test_it_lists_the_files_in_their_order(tools: Toolset) -> None:
    assert Editor(FILES, tools).run(tools.call("list")).endswith("a.txt\nb.txt")


def test_it_shows_a_file_with_its_lines_numbered() -> None:
    assert Editor(FILES, PLAIN).run(PLAIN.call("open", path="a.txt")) == "1\tone\n2\ttwo\n3\t\n4\tfour"


@given(TEXT, st.sampled_from(sorted(TOOLSETS)))
def test_what_is_shown_can_be_read_back(text: str, name: str) -> None:
    tools = TOOLSETS[name]
    assert tools.read(Editor({"a.txt": text}, tools).run(tools.call("open", path="a.txt")), "a.txt") == text


@pytest.mark.parametrize("shown", ["1\tone\n3\ttwo", "1\tone\n2 two", "one\ntwo", "", "2\tone"])
def test_a_listing_with_other_numbers_is_not_read(shown: str) -> None:
    assert PLAIN.read(shown, "a.txt") is None


@given(TEXT, TEXT, st.data(), st.sampled_from(sorted(TOOLSETS)))
def test_lines_are_replaced_and_the_rest_stays(text: str, new: str, data: Any, name: str) -> None:
    tools, lines = TOOLSETS[name], lines_of(text)
    first = data.draw(st.integers(1, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    editor = Editor({"a": text, "b": "other"}, tools)
    editor.run(tools.call("replace", path="a", first=first, last=last, text=new))
    expected = [*lines[: first - 1], *lines_of(new), *lines[last:]]
    assert editor.files == {"a": "".join(f"{line}\n" for line in expected), "b": "other"}


def test_an_empty_text_deletes(tools: Toolset) -> None:
    editor = Editor(FILES, tools)
    editor.run(tools.call("replace", path="a.txt", first=2, last=3, text=""))
    assert editor.files["a.txt"] == "one\nfour\n"


def test_a_diff_is_applied_and_the_answer_says_how_long_the_file_is() -> None:
    editor = Editor(FILES, PLAIN)
    diff = unified_diff(FILES["a.txt"], "one\ntwo\nthree\nfour\nfive\n", "a.txt")
    assert editor.run(PLAIN.call("patch", path="a.txt", diff=diff)) == "Applied to a.txt, which now has 5 lines."
    assert editor.files["a.txt"] == "one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"name": "delete", "arguments": {}}, "no tool 'delete'; there is list_files"),
        (PLAIN.call("open", path="c.txt"), "no file 'c.txt'; there is a.txt, b.txt"),
        ({"name": "open_file", "arguments": {}}, "open_file takes path"),
        (PLAIN.call("replace", path="a.txt", first=0, last=1, text=""), "lines 1 to 4, and 0 to 1"),
        (PLAIN.call("replace", path="a.txt", first=3, last=2, text=""), "3 to 2"),
        (PLAIN.call("replace", path="a.txt", first=4, last=5, text=""), "4 to 5"),
        (PLAIN.call("patch", path="a.txt", diff="--- a\n+++ a\n@@ -1 +1 @@\n-two\n+one\n"), "does not apply to a.txt"),
        (PLAIN.call("patch", path="a.txt", diff="nonsense"), "does not apply"),
    ],
)
def test_a_call_that_cannot_be_carried_out_changes_nothing(call: Any, told: str) -> None:
    editor = Editor(FILES, PLAIN)
    with pytest.raises(EditorError, match=told):
        editor.run(call)
    assert editor.files == FILES


def test_a_schema_names_what_a_tool_must_be_told() -> None:
    (schema,) = TOOLSETS["desk"].schemas("replace")
    parameters = schema["function"]["parameters"]
    assert schema["function"]["name"] == "rewrite_lines"
    assert parameters["required"] == ["document", "from_line", "to_line", "lines"]
    assert parameters["properties"]["lines"]["type"] == "array"
    assert parameters["properties"]["from_line"]["type"] == "integer"


def test_a_call_has_the_arguments_of_its_schema(tools: Toolset) -> None:
    told_by: dict[str, dict[str, Any]] = {
        "list": {},
        "open": {"path": "a"},
        "replace": {"path": "a", "first": 1, "last": 1, "text": "x\n"},
        "patch": {"path": "a", "diff": ""},
    }
    for does, told in told_by.items():
        function = tools.schemas(does)[0]["function"]
        call = tools.call(does, **told)
        assert call["name"] == function["name"]
        assert list(call["arguments"]) == function["parameters"]["required"]


@pytest.mark.parametrize("text", ["plain: {}", "plain: [1]", "- x", "plain: {numbered: 3, list: {}}", "{"])
def test_a_file_that_holds_no_toolsets_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tools.yaml").write_text(text, "utf-8")
    with pytest.raises(UserError, match=r"tools\.yaml holds no toolsets"):
        read_toolsets(tmp_path / "tools.yaml")
