"""How changes are written down. That the patches apply is tested with the appliers, in tests/verifiers."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from retroweave.text.diffs import dmp_patch, git_diff, unified_diff

Write = Callable[[str, str], str]
FORMATS = pytest.mark.parametrize("write", [unified_diff, git_diff, dmp_patch])
BY_LINES = pytest.mark.parametrize("write", [unified_diff, git_diff])


def _benchmark(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


real_tools = _benchmark("real_tools")


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed on this machine")


def sea(*changed: tuple[int, str]) -> str:
    lines = [f"line {number} of the sea\n" for number in range(1, 21)]
    for number, line in changed:
        lines[number - 1] = line
    return "".join(lines)


def test_a_unified_diff_looks_as_gnu_diff_prints_it() -> None:
    patch = unified_diff(sea((4, "line 4 off the see\n")), sea(), name="sea.txt")
    assert patch == (
        "--- sea.txt\n"
        "+++ sea.txt\n"
        "@@ -1,7 +1,7 @@\n"
        " line 1 of the sea\n"
        " line 2 of the sea\n"
        " line 3 of the sea\n"
        "-line 4 off the see\n"
        "+line 4 of the sea\n"
        " line 5 of the sea\n"
        " line 6 of the sea\n"
        " line 7 of the sea\n"
    )


def test_a_git_diff_has_gits_header_and_neither_hashes_nor_text_after_a_hunks_ranges() -> None:
    patch = git_diff(sea((12, ""), (13, "")), sea())
    assert patch.startswith(
        "diff --git a/passage.txt b/passage.txt\n"
        "--- a/passage.txt\n"
        "+++ b/passage.txt\n"
        "@@ -9,6 +9,8 @@\n"
        " line 9 of the sea\n"
    )


def test_changes_far_apart_are_hunks_of_their_own() -> None:
    patch = unified_diff(sea((2, "two\n"), (18, "eighteen\n")), sea())
    assert [line for line in patch.split("\n") if line.startswith("@@")] == [
        "@@ -1,5 +1,5 @@",
        "@@ -15,6 +15,6 @@",
    ]


def test_a_dmp_patch_has_positions_in_the_text_that_earlier_hunks_left() -> None:
    old = "The quick brown fox jumps over the lazy dog."
    new = "The very quick brown fox jumps over the lazy cat."
    assert dmp_patch(old, new) == (
        "@@ -1,12 +1,17 @@\n The \n+very \n quick br\n@@ -42,8 +42,8 @@\n azy \n-dog\n+cat\n .\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ("", "abc", "@@ -0,0 +1,3 @@\n+abc\n"),
        ("abc", "", "@@ -1,3 +0,0 @@\n-abc\n"),
        ("a", "b", "@@ -1 +1 @@\n-a\n+b\n"),
        ("", "%", "@@ -0,0 +1 @@\n+%25\n"),
        ("", "\0", "@@ -0,0 +1 @@\n+%00\n"),
        ("", "é\n\u2028", "@@ -0,0 +1,3 @@\n+%C3%A9%0A%E2%80%A8\n"),
        ("\U0001f600", "\U0001f600!", "@@ -1 +1,2 @@\n %F0%9F%98%80\n+!\n"),
        ("", "A z 0 !~*'();/?:@&=+$,# -_.", "@@ -0,0 +1,27 @@\n+A z 0 !~*'();/?:@&=+$,# -_.\n"),
    ],
)
def test_a_dmp_patch_counts_code_points_and_escapes_as_encode_uri_does(old: str, new: str, patch: str) -> None:
    assert dmp_patch(old, new) == patch


@FORMATS
def test_texts_that_are_the_same_give_the_empty_patch(write: Write) -> None:
    assert write("", "") == write("a\nb", "a\nb") == ""


@BY_LINES
@pytest.mark.parametrize(
    ("old", "new", "hunk"),
    [
        ("a\nb", "a\nc\n", " a\n-b\n\\ No newline at end of file\n+c\n"),
        ("a\nb\n", "a\nb", " a\n-b\n+b\n\\ No newline at end of file\n"),
        ("x\nb", "y\nb", "-x\n+y\n b\n\\ No newline at end of file\n"),
    ],
)
def test_a_missing_final_newline_is_told_by_a_backslash_line(write: Write, old: str, new: str, hunk: str) -> None:
    assert write(old, new).endswith(" @@\n" + hunk)


@BY_LINES
@pytest.mark.parametrize("inside", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\t"])
def test_only_a_line_feed_ends_a_line(write: Write, inside: str) -> None:
    assert write(f"one{inside}two\nthree\n", f"one{inside}too\nthree\n").endswith(
        f"@@ -1,2 +1,2 @@\n-one{inside}two\n+one{inside}too\n three\n"
    )


@BY_LINES
def test_crlf_stays_crlf(write: Write) -> None:
    assert write("a\r\nb\r\n", "a\r\nc\r\n").endswith("@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n")


@BY_LINES
def test_a_patch_of_long_lines_holds_the_lines_of_its_texts_and_nothing_else(write: Write) -> None:
    """libgit2 reads its input again while printing; input already freed shows as rubbish in the long lines."""
    for number in range(50):
        old = f"{number} {'é' * 20_000}\n{'y' * 15_000}\n"
        new = f"{number} {'é' * 20_000}.\n{'y' * 15_000}\n"
        first, second, _ = new.split("\n")
        removed = old.split("\n")[0]
        assert write(old, new).endswith(f"@@ -1,2 +1,2 @@\n-{removed}\n+{first}\n {second}\n")


@FORMATS
def test_a_lone_surrogate_is_refused_with_its_place(write: Write) -> None:
    for old, new in [("ab\ud800", "ab"), ("ab", "ab\ud800")]:
        with pytest.raises(ValueError, match=r"character 3 of the text is the lone surrogate U\+D800"):
            write(old, new)


@pytest.mark.parametrize("name", ["", "two words.txt", "tab\t.txt", 'quo"te', "back\\slash", "é.txt", "new\nline"])
@pytest.mark.parametrize("write", [unified_diff, git_diff])
def test_a_name_that_tools_would_quote_is_refused(write: Callable[[str, str, str], str], name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name in a patch's header"):
        write("a", "b", name)


def _run(*command: str, folder: Path) -> bytes:
    environment = {**os.environ, "LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).stdout


@needs("git")
def test_git_prints_the_same_patches_but_for_hashes_and_sections(tmp_path: Path) -> None:
    pairs = list(islice(real_tools.with_edges(real_tools.damaged_passages(seed=1)), 300))
    names = [f"{number:03}.txt" for number in range(len(pairs))]
    _run("git", "init", "--quiet", folder=tmp_path)
    for side in (0, 1):
        for name, pair in zip(names, pairs, strict=True):
            (tmp_path / name).write_bytes(pair[side].encode())
        if side == 0:
            _run("git", "add", ".", folder=tmp_path)
    theirs = [line for line in _run("git", "diff", "--text", folder=tmp_path).split(b"\n") if line[:6] != b"index "]
    theirs = [line[: line.index(b" @@", 3) + 3] if line[:3] == b"@@ " else line for line in theirs]
    ours = "".join(git_diff(old, new, name) for (old, new), name in zip(pairs, names, strict=True))
    assert ours.encode().split(b"\n") == theirs


@needs("diff")
def test_gnu_diff_prints_the_same_patch_where_only_one_can_be_shortest(tmp_path: Path) -> None:
    rng = random.Random(2)
    old, new = tmp_path / "old", tmp_path / "new"
    label = ("--label", "passage.txt") * 2
    for _ in range(100):
        lines = [f"{number} {'wörd ' * rng.randint(0, 60)}" for number in range(rng.randint(1, 30))]
        changed = [line + "!" if rng.random() < 0.2 else line for line in lines]
        ends = "\n" if rng.random() < 0.7 else "", "\n" if rng.random() < 0.7 else ""
        texts = "\n".join(lines) + ends[0], "\n".join(changed) + ends[1]
        old.write_bytes(texts[0].encode())
        new.write_bytes(texts[1].encode())
        assert _run("diff", "-u", *label, "old", "new", folder=tmp_path).decode() == unified_diff(*texts)


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(real_tools.by_gnu_patch, marks=needs("patch")),
        pytest.param(real_tools.by_git_apply, marks=needs("git")),
        real_tools.by_diff_match_patch,
        real_tools.by_our_own,
    ],
)
def test_the_tools_that_people_have_make_the_clean_text(tool: Callable[[list[tuple[str, str]]], list[str]]) -> None:
    assert tool(list(islice(real_tools.with_edges(real_tools.damaged_passages(seed=0)), 300))) == []


@pytest.mark.parametrize(
    ("tool", "write"),
    [
        pytest.param(real_tools.by_gnu_patch, unified_diff, marks=needs("patch")),
        pytest.param(real_tools.by_git_apply, git_diff, marks=needs("git")),
    ],
)
def test_a_tool_that_has_to_look_for_the_place_is_a_complaint(
    tool: Callable[..., list[str]], write: Callable[[str, str, str], str]
) -> None:
    def a_line_too_far(old: str, new: str, name: str) -> str:
        return write(old, new, name).replace("@@ -1,7 +1,7 @@", "@@ -2,7 +2,7 @@")

    assert any("offset" in line for line in tool([(sea((4, "four\n")), sea())], a_line_too_far))


def test_a_dmp_patch_that_does_not_fit_is_a_complaint() -> None:
    def of_another_text(old: str, new: str) -> str:
        return dmp_patch(new[::-1], old[::-1])

    assert real_tools.by_diff_match_patch([("over the sea", "over the bridge")], of_another_text)
