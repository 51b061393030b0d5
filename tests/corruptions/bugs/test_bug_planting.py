"""A bug changes the characters that it says and no others, whatever the function: tried on the standard library."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import tokenize
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest

from retroweave.corruptions.bugs.diagnosis import describe, description_holds
from retroweave.corruptions.bugs.planting import Bug, are_apart, is_sound, planted, undo
from retroweave.corruptions.bugs.quotas import chain, draw
from retroweave.corruptions.bugs.site import OPERATORS, VOICES
from retroweave.corruptions.code import Code

MODULES = (
    *("argparse", "ast", "base64", "bisect", "calendar", "cmd", "colorsys", "configparser", "copy", "csv", "datetime"),
    *("dataclasses", "difflib", "dis", "email.utils", "fnmatch", "fractions", "functools", "gettext", "glob", "heapq"),
    *("html", "inspect", "ipaddress", "json.encoder", "linecache", "locale", "mimetypes", "optparse", "pickletools"),
    *("platform", "plistlib", "pprint", "quopri", "random", "shlex", "shutil", "statistics", "string", "tarfile"),
    *("textwrap", "tokenize", "traceback", "urllib.parse", "uuid", "warnings", "zipfile"),
)
FUNCTIONS = 120
SITES = 12
"""How many sites of a function are tried, of as many operators."""


@cache
def functions() -> list[str]:
    """Top-level functions of the standard library, the same ones each time on one version of Python."""
    found = [source for module in MODULES for source in functions_of(module)]
    return Random(1).sample(found, FUNCTIONS)


def functions_of(module: str) -> Iterator[str]:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield "".join(lines[node.lineno - 1 : node.end_lineno])


def sound_bugs(source: str, rng: Random) -> Iterator[Bug]:
    """Some bugs of a function, of operators drawn alike."""
    code = Code.of(source)
    for name in rng.sample(sorted(OPERATORS), len(OPERATORS)):
        sites = OPERATORS[name].sites(code)
        if sites:
            site = rng.choice(sites)
            if is_sound(code, OPERATORS[name], site):
                yield Bug(name, site)


def parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<function>", "exec")
            return ast.parse(text)
        except SyntaxError:
            return None


def comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def assert_it_is_as_recorded(source: str, bugs: list[Bug]) -> None:
    text, log = planted(source, bugs)
    assert undo(text, log) == source
    assert json.loads(json.dumps(log)) == log
    clean = at = 0
    for edit in sorted((edit for record in log for edit in record["edits"]), key=lambda edit: edit["start"]):
        assert source[clean : edit["start"]] == text[at : edit["at"]]
        assert source[edit["start"] : edit["end"]] == edit["was"] != edit["now"]
        assert text.startswith(edit["now"], edit["at"])
        assert edit["line"] == text[: edit["at"]].count("\n") + 1
        clean, at = edit["end"], edit["at"] + len(edit["now"])
    assert source[clean:] == text[at:]
    lines = text.split("\n")
    for record in log:
        assert 1 <= len(record["edits"]) <= 3
        assert record["told"].get("now", "") in lines[record["line"] - 1]
        for voice in VOICES:
            (description,) = describe([record], Random(0), voice)
            assert description_holds(description, record, text)


def assert_it_parses_as_promised(source: str, bugs: list[Bug]) -> None:
    text, _ = planted(source, bugs)
    tree = parsed(text)
    if any(bug.kind == "syntax" for bug in bugs):
        assert tree is None
    else:
        assert tree is not None
        assert ast.dump(tree) != ast.dump(ast.parse(source))
        assert comments(text) == comments(source)


def test_a_bug_in_a_real_function_is_exactly_as_recorded() -> None:
    rng, tried = Random(2), 0
    for source in functions():
        for bug, _ in zip(sound_bugs(source, rng), range(SITES), strict=False):
            assert_it_is_as_recorded(source, [bug])
            assert_it_parses_as_promised(source, [bug])
            tried += 1
    assert tried > FUNCTIONS * SITES // 2


def outside_ascii(source: str) -> str:
    """A function with names, texts and comments of more than one byte a character before and in the code."""
    tree = ast.parse(source)
    assert isinstance(tree.body[0], ast.FunctionDef)
    names = sorted(
        {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    )
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    renamed = {name: f"ñ_{name}" for name in names}
    lines = source.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.type == tokenize.NAME and token.string in renamed:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + renamed[token.string] + line[column + len(token.string) :]
    return "# ünïcödé 😀\n" + "".join(lines)


def test_offsets_are_right_where_characters_take_several_bytes() -> None:
    rng, tried = Random(3), 0
    for source in functions()[:40]:
        wide = outside_ascii(source)
        if parsed(wide) is None:
            continue
        for bug, _ in zip(sound_bugs(wide, rng), range(SITES), strict=False):
            assert_it_is_as_recorded(wide, [bug])
            assert_it_parses_as_promised(wide, [bug])
            tried += 1
    assert tried > 200


def test_several_bugs_in_a_real_function_are_exactly_as_recorded() -> None:
    rng, tried = Random(4), 0
    for source in functions()[:60]:
        bugs = chain(source, rng, 4)
        assert len({bug.operator for bug in bugs}) == len(bugs) <= 4
        assert sum(bug.kind == "syntax" for bug in bugs) <= 1
        assert all(are_apart([*bugs[:at], *bugs[at + 1 :]], bug) for at, bug in enumerate(bugs))
        assert_it_is_as_recorded(source, bugs)
        assert_it_parses_as_promised(source, bugs)
        tried += len(bugs) > 2
    assert tried > 40


def test_a_text_with_some_of_the_bugs_has_a_record_of_its_own() -> None:
    source = "def f(a, n):\n    if not a:\n        return 0\n    b = a[0] + n\n    return b\n"
    guard = only("guard_deleted", source)
    returned = only("return_deleted", source, "return b")
    both, log = planted(source, [returned, guard])
    assert both == "def f(a, n):\n    b = a[0] + n\n"
    assert [(record["operator"], record["line"]) for record in log] == [("guard_deleted", 1), ("return_deleted", 2)]
    one, log = planted(source, [returned])
    assert one == "def f(a, n):\n    if not a:\n        return 0\n    b = a[0] + n\n"
    assert [(record["operator"], record["line"]) for record in log] == [("return_deleted", 4)]


def only(name: str, source: str, was: str | None = None) -> Bug:
    """The one bug of an operator in a function, or the one whose deletion or change concerns a text."""
    code = Code.of(source)
    bugs = [Bug(name, site) for site in OPERATORS[name].sites(code) if is_sound(code, OPERATORS[name], site)]
    (bug,) = [bug for bug in bugs if was is None or source[slice(*bug.site.shown)] == was]
    return bug


def test_a_line_that_is_missing_is_named_by_the_line_before_it() -> None:
    source = "def f(a):\n    # first\n    a = a + 1\n    return a\n"
    _, log = planted(source, [only("statement_deleted", source)])
    assert log[0]["line"] == 2
    assert log[0]["told"]["was"] == "a = a + 1"
    assert "now" not in log[0]["told"]


WINDOWS = "def f(a):\r\n    n = 0\r\n    for x in a:\r\n        n += x\r\n    return n\r\n"


@pytest.mark.parametrize("name", ["reset_in_loop", "early_return", "moved_into_loop", "assignment_split"])
def test_a_bug_keeps_the_line_ends_of_the_text(name: str) -> None:
    source = WINDOWS.replace("return n", "n, x = x, n\r\n    return n") if name == "assignment_split" else WINDOWS
    source = source.replace("return n", "n = n + 1\r\n    return n") if name == "moved_into_loop" else source
    text, log = planted(source, [only(name, source)])
    assert text.count("\n") == text.count("\r\n") > 0
    assert undo(text, log) == source


def test_a_text_of_many_lines_or_with_a_backtick_is_not_quoted() -> None:
    source = "def f(a):\n    return a < '`' or g(\n        a\n    )\n"
    code = Code.of(source)
    assert not any(is_sound(code, OPERATORS["boundary"], site) for site in OPERATORS["boundary"].sites(code))
    assert not any(
        is_sound(code, OPERATORS["return_forgotten"], site) for site in OPERATORS["return_forgotten"].sites(code)
    )


def test_no_edit_makes_one_word_of_two() -> None:
    source = "def f(a, b):\n    if not(a and b):\n        return(a,b)\n    return [a,b]\n"
    for name in ("parentheses_dropped", "comma_dropped", "return_forgotten", "negated_condition"):
        code = Code.of(source)
        for site in OPERATORS[name].sites(code):
            if is_sound(code, OPERATORS[name], site):
                text = planted(source, [Bug(name, site)])[0]
                assert "nota" not in text
                assert "ab" not in text


def test_a_line_of_a_real_function_is_told_truly_and_a_wrong_one_is_noticed() -> None:
    rng = Random(5)
    for source in functions()[:30]:
        bug = draw(source, rng)
        assert bug is not None
        text, (record,) = planted(source, [bug])
        (description,) = describe([record], rng)
        assert description_holds(description, record, text)
        moved = record | {"line": record["line"] + 1}
        assert not description_holds(description, moved, text)
        assert not description_holds(f"{description} Really.", record, text)


COMMENTED = """def f(a, b):
    if (a  # the first
            and b):
        return 0
    if not a:
        # nothing there
        return 1
    try:
        c = int(a)  # may fail
    except ValueError:
        return 2
    c += 1  # one more
    return [c, # so
            b]
"""


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_no_bug_takes_a_comment_with_it(name: str) -> None:
    code, kind = Code.of(COMMENTED), OPERATORS[name]
    for site in kind.sites(code):
        if is_sound(code, kind, site):
            text, _ = planted(COMMENTED, [Bug(name, site)])
            assert [text.count(comment) for comment in comments(COMMENTED)] == [1] * 5


def test_bugs_that_touch_are_not_apart() -> None:
    source = "def f(a, n):\n    a = a + n\n    n = n - 1\n    return a - n\n"
    first, second = (only("statement_deleted", source, was) for was in ("a = a + n", "n = n - 1"))
    assert first.site.edits[0].end == second.site.edits[0].start
    assert not are_apart([first], second)
    assert are_apart([first], only("wrong_arithmetic", source, "a - n"))
    assert not are_apart([first], only("wrong_arithmetic", source, "a + n"))
