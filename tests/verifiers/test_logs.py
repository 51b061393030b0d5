"""Logs are those of real runs, the same each time, and tell of the failures that the suite's own outcomes make out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from random import Random
from typing import Any

import pytest
from tests.verifiers.sandbox.ordinary import as_ordinary_user
from tests.verifiers.trusted import Trusted

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.sandbox import Call, Outcome, SandboxFailed
from retroweave.verifiers.logs import NEEDS_TESTS, STYLES, Log, Run, Told, agrees, cleaned, logs, told
from retroweave.verifiers.sandbox.layers import NAMESPACES
from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox
from retroweave.verifiers.sandbox.programs import run_program
from retroweave.verifiers.suite_files import WRITERS, SuiteFile
from retroweave.verifiers.suites import Suite, Test, write_suite

GRADE = """
class OutOfRange(ValueError):
    pass


def grade(points: int, bonus: bool = False) -> str:
    if points < 0 or points > 100:
        raise OutOfRange(points)
    if bonus:
        points = min(100, points + 5)
    for limit, letter in ((90, "A"), (80, "B"), (70, "C")):
        if points >= limit:
            return letter
    return "F"
"""
SHARE = """
import json


def share(parts: list[int]) -> list[float]:
    whole = sum(parts)
    if not whole:
        return json.loads("[]")
    return [part / whole for part in parts]
"""
DRAIN = """
def drain(items: list[int], most: int):
    taken = []
    while items and len(taken) < most:
        taken.append(items.pop())
    if not taken:
        return None
    return taken
"""
WRONG_VALUE = GRADE.replace("points >= limit", "points > limit")
NOT_RAISED = GRADE.replace("raise OutOfRange(points)", "return 'F'")
CRASHES = GRADE.replace('return "F"', "return limits[points]")
UNREADABLE = GRADE.replace('"C")):', '"C"))')
BREAKS_AT_IMPORT = GRADE + "\nLIMIT = least\n"
RUN_THE_TESTS = [name for name in STYLES if name != "itself"]
ALL_BUT_DOCTEST = [name for name in RUN_THE_TESTS if name != "doctest"]
LOCAL = re.compile(r"0x[0-9a-f]{6}|scratch|\d\.\d\ds|site-packages|/lib/|platform |log_program|<string>")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    with open_sandbox() as sandbox:
        yield sandbox


@cache
def suite(code: str, function: str) -> Suite:
    return write_suite(code, function, Trusted(), Trusted(), Random(0))


@cache
def grade() -> tuple[Test, ...]:
    return suite(GRADE, "grade").shown


@cache
def calm() -> tuple[Test, ...]:
    """Those that want no exception."""
    return tuple(test for test in grade() if not test.raises)


def each(sandbox: LocalSandbox, code: str, tests: tuple[Test, ...], styles: Sequence[str]) -> list[Log]:
    function = tests[0].text.split("(")[0]
    return logs([Run(code, function, tests, style) for style in styles], sandbox.run_program)


def one(sandbox: LocalSandbox, code: str, style: str, tests: tuple[Test, ...] | None = None, **options: Any) -> Log:
    tests = grade() if tests is None else tests
    (log,) = logs([Run(code, tests[0].text.split("(")[0], tests, style, **options)], sandbox.run_program)
    return log


def outcomes(sandbox: LocalSandbox, code: str, tests: Sequence[Test]) -> list[Outcome]:
    return sandbox.call(code, tests[0].text.split("(")[0], [test.call for test in tests])


def hand_made(text: str, call: Call, value: Any, **more: Any) -> Test:
    return Test(call, text, repr(value), Outcome("returned", value, **more))


class TestWhatTheyTell:
    @pytest.mark.parametrize("code", [WRONG_VALUE, NOT_RAISED, CRASHES, UNREADABLE, BREAKS_AT_IMPORT])
    def test_they_tell_of_the_failures_that_the_suite_makes_out(self, code: str, sandbox: LocalSandbox) -> None:
        wanted = outcomes(sandbox, code, grade())
        for log in each(sandbox, code, grade(), ALL_BUT_DOCTEST):
            assert log.failed
            assert agrees(log, grade(), wanted), log.style
            assert not agrees(log, grade(), outcomes(sandbox, GRADE, grade()))

    def test_a_run_that_passes_says_so(self, sandbox: LocalSandbox) -> None:
        for log in each(sandbox, GRADE, grade(), ALL_BUT_DOCTEST):
            assert log.failed == ()
            assert agrees(log, grade(), outcomes(sandbox, GRADE, grade()))
            assert not agrees(log, grade(), outcomes(sandbox, WRONG_VALUE, grade()))
            assert any(word in log.text for word in ("5 passed", "OK", "all checks passed", ">>> grade("))

    @pytest.mark.parametrize("code", [WRONG_VALUE, CRASHES, UNREADABLE, BREAKS_AT_IMPORT])
    def test_examples_tell_of_them_where_no_exception_of_the_module_s_own_is_wanted(
        self, code: str, sandbox: LocalSandbox
    ) -> None:
        log = one(sandbox, code, "doctest", calm())
        assert agrees(log, calm(), outcomes(sandbox, code, calm()))

    def test_a_run_that_prints_nothing_is_no_log(self, sandbox: LocalSandbox) -> None:
        with pytest.raises(Drop, match="prints nothing"):
            one(sandbox, GRADE, "doctest", calm())
        with pytest.raises(Drop, match="prints nothing"):
            one(sandbox, GRADE, "itself")

    def test_arguments_that_should_have_been_changed_are_looked_at(self, sandbox: LocalSandbox) -> None:
        tests = suite(DRAIN, "drain").shown
        broken = DRAIN.replace("while items", "items = list(items)\n    while items")
        for log in each(sandbox, broken, tests, ["quiet", "unittest", "doctest", "script"]):
            assert log.failed
            assert agrees(log, tests, outcomes(sandbox, broken, tests))

    def test_a_module_that_cannot_be_read_is_told_by_its_line(self, sandbox: LocalSandbox) -> None:
        assert one(sandbox, UNREADABLE, "itself").text == (
            '  File "solution.py", line 11\n'
            '    for limit, letter in ((90, "A"), (80, "B"), (70, "C"))\n'
            "                                                          ^\n"
            "SyntaxError: expected ':'\n"
        )

    def test_whether_the_calls_can_be_seen_is_told(self, sandbox: LocalSandbox) -> None:
        assert one(sandbox, CRASHES, "short").shows_calls
        assert not one(sandbox, CRASHES, "summary").shows_calls
        assert all(style in STYLES for style in NEEDS_TESTS)


class TestCaps:
    def test_a_cap_is_the_run_s_own(self, sandbox: LocalSandbox) -> None:
        broken = GRADE.replace("return letter", "return limit")
        whole = one(sandbox, broken, "short")
        capped = one(sandbox, broken, "short", most=1)
        assert whole.whole
        assert len(whole.failed) > 1
        assert capped.command == "pytest -q --tb=short --maxfail=1 test_solution.py"
        assert "stopping after 1 failures" in capped.text
        assert capped.failed == whole.failed[:1]
        assert not capped.whole
        assert agrees(capped, grade(), outcomes(sandbox, broken, grade()))

    def test_a_capped_log_of_a_later_failure_does_not_agree(self, sandbox: LocalSandbox) -> None:
        broken = GRADE.replace("return letter", "return limit")
        whole, capped = one(sandbox, broken, "short"), one(sandbox, broken, "first")
        wanted = outcomes(sandbox, broken, grade())
        assert agrees(capped, grade(), wanted)
        assert not agrees(replace(capped, failed=whole.failed[1:2]), grade(), wanted)
        assert not agrees(replace(capped, failed=()), grade(), wanted)

    @pytest.mark.parametrize("style", ["unittest", "doctest"])
    def test_other_runners_stop_at_the_first_failure(self, style: str, sandbox: LocalSandbox) -> None:
        broken = GRADE.replace("return letter", "return limit").replace('return "F"', "return 5")
        log = one(sandbox, broken, style, calm(), most=1)
        assert len(log.failed) == 1
        assert " -f " in log.command

    def test_a_cap_that_a_runner_does_not_know_is_refused(self, sandbox: LocalSandbox) -> None:
        with pytest.raises(UserError, match="cannot be told to stop after 2"):
            one(sandbox, CRASHES, "unittest", most=2)
        with pytest.raises(UserError, match="cannot be told to stop after 1"):
            one(sandbox, CRASHES, "script", most=1)


class TestSameness:
    def test_all_styles_in_one_process_are_those_of_a_process_each(self, sandbox: LocalSandbox) -> None:
        codes = {"quiet": CRASHES, "long": UNREADABLE, "unittest": UNREADABLE, "doctest": CRASHES, "script": CRASHES}
        runs = [Run(code, "grade", calm(), style) for style, code in codes.items()]
        together = logs(runs, sandbox.run_program)
        assert together == [log for run in runs for log in logs([run], sandbox.run_program)]

    def test_nothing_hangs_on_the_machine_or_the_minute(self, sandbox: LocalSandbox) -> None:
        leaky = SHARE.replace("whole = sum(parts)", "whole = (part for part in parts)\n    print(whole)")
        tests = suite(SHARE, "share").shown
        first = each(sandbox, leaky, tests, RUN_THE_TESTS)
        assert first == each(sandbox, leaky, tests, RUN_THE_TESTS)
        assert any("at 0x..." in log.text for log in first)
        for log in first:
            assert not LOCAL.search(log.text), log.style

    def test_nothing_hangs_on_the_layers_of_the_sandbox(self, sandbox: LocalSandbox) -> None:
        runs = [Run(CRASHES, "grade", calm(), style) for style in ("quiet", "native", "unittest", "script")]
        program = partial(run_program, popen=as_ordinary_user, without={NAMESPACES})
        assert logs(runs, program) == logs(runs, sandbox.run_program)

    def test_a_set_s_order_does_not_hang_on_our_hash_seed(
        self, sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = "def names(text):\n    return set(text.split())\n"
        tests = (hand_made("names('d c b a')", Call(("d c b a",)), {"x"}),)
        found = set()
        for seed in ("1", "2", "3"):
            monkeypatch.setenv("PYTHONHASHSEED", seed)
            found.add(one(sandbox, code, "quiet", tests).text)
        assert len(found) == 1

    def test_the_frames_of_libraries_are_left_out(self, sandbox: LocalSandbox) -> None:
        tests = (hand_made("share([])", Call(([],)), []),)
        for log in each(sandbox, SHARE.replace('"[]"', '"["'), tests, RUN_THE_TESTS):
            assert "JSONDecodeError" in log.text
            assert "decoder.py" not in log.text
            if log.style not in NEEDS_TESTS:
                assert "json.loads" in log.text


class TestRealness:
    COMMANDS = {  # noqa: RUF012
        "script": ["check.py"],
        "quiet": ["-m", "pytest", "-q", "test_solution.py"],
        "native": ["-m", "pytest", "-q", "--tb=native", "test_solution.py"],
        "long": ["-m", "pytest", "--no-header", "test_solution.py"],
        "unittest": ["-m", "unittest", "test_solution.py"],
        "doctest": ["-m", "doctest", "test_solution.txt"],
    }

    @pytest.mark.parametrize("code", [WRONG_VALUE, CRASHES, UNREADABLE, BREAKS_AT_IMPORT])
    def test_a_log_is_what_the_command_prints(self, code: str, sandbox: LocalSandbox) -> None:
        for log in each(sandbox, code, calm(), list(self.COMMANDS)):
            files = {"solution.py": code, log.file: log.tests}
            assert log.text == self.printed(sandbox, self.COMMANDS[log.style], files), log.style

    @pytest.mark.parametrize("code", [UNREADABLE, BREAKS_AT_IMPORT])
    def test_so_is_that_of_a_module_by_itself(self, code: str, sandbox: LocalSandbox) -> None:
        files = {"solution.py": code}
        assert one(sandbox, code, "itself").text == self.printed(sandbox, ["solution.py"], files)

    def printed(self, sandbox: LocalSandbox, argv: list[str], files: dict[str, str]) -> str:
        environment = {"COLUMNS": "80", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = sandbox.run_program([sys.executable, *argv], files, 60.0, environment=environment)
        text = done.out + done.err
        folder = re.search(r"(/[^\s\"']*)/(?:test_solution|solution|check)\.", text)
        return cleaned(text, folder[1] if folder else "/none")

    def test_a_wider_terminal_cuts_off_less(self, sandbox: LocalSandbox) -> None:
        narrow, wide = (one(sandbox, CRASHES, "long", width=width).text for width in (60, 120))
        assert "NameError: name 'limits'" in wide.splitlines()[-2]
        assert "NameError: name 'limits'" not in narrow.splitlines()[-2]
        assert {len(text.splitlines()[-1]) for text in (narrow, wide)} == {60, 120}

    def test_a_session_is_what_the_prompt_would_show(self, sandbox: LocalSandbox) -> None:
        tests = (hand_made("grade(3)", Call((3,)), "F"), hand_made("grade(95)", Call((95,)), "A"))
        assert one(sandbox, CRASHES, "repl", tests).text == (
            ">>> from solution import grade\n"
            ">>> grade(3)  # should be 'F'\n"
            "Traceback (most recent call last):\n"
            '  File "<stdin>", line 1, in <module>\n'
            '  File "solution.py", line 14, in grade\n'
            "    return limits[points]\n"
            "           ^^^^^^\n"
            "NameError: name 'limits' is not defined. Did you mean: 'limit'?\n"
            ">>> grade(95)  # should be 'A'\n"
            "'A'\n"
        )


class TestFiles:
    """What is run says of the tests what pytest's file says of them."""

    TESTS = (
        hand_made("take([1], n=2)", Call(([1],), {"n": 2}), None, args=([],)),
        hand_made("take([], n=0)", Call(([],), {"n": 0}), [0.5]),
        Test(Call(("x",)), "take('x')", "ValueError", Outcome("raised", error="ValueError", message="no")),
    )

    def written(self, runner: str, tests: Sequence[Test] = TESTS) -> SuiteFile:
        return WRITERS[runner]("take", tests, "solution")

    def test_of_unittest(self) -> None:
        assert self.written("unittest").text == (
            "import unittest\n\nfrom solution import take\n\n\n"
            "class TestTake(unittest.TestCase):\n"
            "    def test_take_1(self):\n"
            "        args = ([1],)\n"
            "        kwargs = {'n': 2}\n"
            "        self.assertIsNone(take(*args, **kwargs))\n"
            "        self.assertEqual(args, ([],))\n\n"
            "    def test_take_2(self):\n"
            "        self.assertEqual(take([], n=0), [0.5])\n\n"
            "    def test_take_3(self):\n"
            "        with self.assertRaises(ValueError):\n"
            "            take('x')\n\n\n"
            'if __name__ == "__main__":\n    unittest.main()\n'
        )

    def test_of_a_script(self) -> None:
        file = self.written("script")
        assert file.name == "check.py"
        assert file.text == (
            "from solution import take\n\n"
            "args = ([1],)\n"
            "kwargs = {'n': 2}\n"
            "assert take(*args, **kwargs) is None\n"
            "assert args == ([],)\n"
            "assert take([], n=0) == [0.5]\n"
            "try:\n    take('x')\nexcept ValueError:\n    pass\n"
            "else:\n    raise AssertionError(\"take('x') did not raise ValueError\")\n\n"
            'print("all checks passed")\n'
        )
        assert file.lines == ((3, 4, 5, 6), (7,), tuple(range(8, 14)))

    def test_of_doctest(self) -> None:
        assert self.written("doctest").text == (
            ">>> from solution import take\n\n"
            ">>> args = ([1],)\n"
            ">>> kwargs = {'n': 2}\n"
            ">>> take(*args, **kwargs)\n"
            ">>> args\n([],)\n\n"
            ">>> take([], n=0)\n[0.5]\n\n"
            ">>> take('x')\nTraceback (most recent call last):\n    ...\nValueError: no\n"
        )

    def test_of_what_is_typed(self) -> None:
        assert self.written("prompt", self.TESTS[1:]).text == (
            "from solution import take\ntake([], n=0)  # should be [0.5]\ntake('x')  # should raise ValueError\n"
        )
        with pytest.raises(Drop, match="arguments after the call"):
            self.written("prompt")


class TestHostileCode:
    @pytest.mark.parametrize("style", ["quiet", "unittest", "script", "repl"])
    def test_code_that_ends_the_process_leaves_no_log(self, style: str, sandbox: LocalSandbox) -> None:
        with pytest.raises(SandboxFailed, match="left no log"):
            one(sandbox, f"import os\nos._exit(0)\n{GRADE}", style, calm())

    @pytest.mark.parametrize("style", ["quiet", "unittest", "script", "repl", "doctest"])
    def test_code_that_exits_has_a_log(self, style: str, sandbox: LocalSandbox) -> None:
        tests = (hand_made("grade(3)", Call((3,)), "F"),)
        broken = GRADE.replace('return "F"', "raise SystemExit(0)")
        assert [one.error for one in one(sandbox, broken, style, tests).failed] == ["SystemExit"]

    def test_a_run_beside_one_that_ends_the_process_keeps_its_log(self, sandbox: LocalSandbox) -> None:
        calls = []

        def program(*args: Any, **more: Any) -> Any:
            done = sandbox.run_program(*args, **more)
            calls.append(done)
            if len(calls) == 1:
                raise SandboxFailed("it died")
            return done

        runs = [Run(CRASHES, "grade", grade(), style) for style in ("quiet", "script")]
        assert logs(runs, program) == logs(runs, sandbox.run_program)
        assert len(calls) == 3

    @pytest.mark.parametrize("said", ["[]", "{", '{"failed": 3, "folder": ""}', '{"failed": [[1]], "folder": ""}'])
    def test_a_report_that_is_none_is_a_failure(self, said: str, sandbox: LocalSandbox) -> None:
        def program(*args: Any, **more: Any) -> Any:
            class Done:
                files = {"0.json": said.encode(), "0.log": b"1 passed"}  # noqa: RUF012
                err = ""

            return Done

        with pytest.raises(SandboxFailed, match="not in its form"):
            logs([Run(GRADE, "grade", grade(), "quiet")], program)

    def test_a_log_that_the_code_forged_does_not_agree(self, sandbox: LocalSandbox) -> None:
        said = '{"failed": [], "folder": "x"}'
        forged = f"import json\njson.dump = lambda _, file: file.write({said!r})\n{CRASHES}"
        log = one(sandbox, forged, "quiet")
        assert log.failed == ()
        assert not agrees(log, grade(), outcomes(sandbox, CRASHES, grade()))


class TestRefusals:
    def test_a_style_that_is_none_is_refused(self, sandbox: LocalSandbox) -> None:
        with pytest.raises(UserError, match="quite"):
            one(sandbox, GRADE, "quite")

    @pytest.mark.parametrize("module", ["json", "a-b", "pytest", "check"])
    def test_a_module_does_not_hide_another(self, module: str, sandbox: LocalSandbox) -> None:
        with pytest.raises(UserError, match=module):
            one(sandbox, GRADE, "quiet", module=module)

    def test_a_module_has_any_other_name(self, sandbox: LocalSandbox) -> None:
        text = one(sandbox, CRASHES, "quiet", module="marks").text
        assert "marks.py:14: NameError" in text
        assert "FAILED test_marks.py::test_grade_1 - " in text

    @pytest.mark.parametrize(
        ("test", "reason"),
        [
            (hand_made("f()", Call(), {1, 2}), "set"),
            (hand_made("f()", Call(), [({1, 2},)]), "set"),
            (hand_made("f()", Call(), 1, printed="x"), "prints"),
            (Test(Call(), "f()", "ValueError", Outcome("raised", error="ValueError", message="a\nb")), "one line"),
        ],
    )
    @pytest.mark.parametrize("style", ["doctest", "repl"])
    def test_what_is_not_printed_the_same_is_not_tested_by_it(
        self, style: str, test: Test, reason: str, sandbox: LocalSandbox
    ) -> None:
        with pytest.raises(Drop, match=reason):
            one(sandbox, "def f():\n    return 1\n", style, (test,))


class TestCleaning:
    def test_the_last_line_of_pytest_is_centred_anew(self) -> None:
        was = "=" * 20 + " 1 failed, 2 passed in 0.02s " + "=" * 20
        assert cleaned(was, "/x") == " 1 failed, 2 passed ".center(80, "=") + "\n"

    def test_durations_that_the_code_prints_stay(self) -> None:
        assert cleaned("E   assert 'a in 3.50s' == 'b'", "/x") == "E   assert 'a in 3.50s' == 'b'\n"

    def test_a_library_s_frame_goes_with_its_source_and_no_more(self) -> None:
        text = (
            "Traceback (most recent call last):\n"
            '  File "/x/0/solution.py", line 2, in f\n'
            "    g()\n"
            '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n'
            "    raise JSONDecodeError\n"
            "    ^^^^^\n"
            "  [Previous line repeated 3 more times]\n"
            "json.decoder.JSONDecodeError: no\n"
        )
        assert cleaned(text, "/x/0") == (
            "Traceback (most recent call last):\n"
            '  File "solution.py", line 2, in f\n'
            "    g()\n"
            "json.decoder.JSONDecodeError: no\n"
        )


class TestWhatAUserSays:
    CALL = hand_made("f(1)", Call((1,)), 2)

    @pytest.mark.parametrize(
        ("outcome", "pool", "fields"),
        [
            (Outcome("returned", 3), "said_value", {"call": "f(1)", "wanted": "2", "came": "3"}),
            (
                Outcome("raised", error="IndexError", message="list index out of range"),
                "said_error",
                {"call": "f(1)", "wanted": "2", "error": "IndexError", "message": "list index out of range"},
            ),
            (
                Outcome("raised", error="StopIteration"),
                "said_bare_error",
                {"call": "f(1)", "wanted": "2", "error": "StopIteration"},
            ),
            (
                Outcome("depth", error="RecursionError", message="maximum recursion depth exceeded"),
                "said_bare_error",
                {"call": "f(1)", "wanted": "2", "error": "RecursionError"},
            ),
            (Outcome("steps"), "said_endless", {"call": "f(1)", "wanted": "2"}),
            (
                Outcome("raised", error="SyntaxError", message="expected ':' (<source>, line 3)", line=3),
                "said_syntax",
                {"line": "3", "message": "expected ':'"},
            ),
        ],
    )
    def test_the_facts_are_those_of_the_outcome(self, outcome: Outcome, pool: str, fields: dict[str, str]) -> None:
        assert told(self.CALL, outcome) == Told(pool, fields)

    def test_an_exception_that_was_wanted_is_told_as_one(self) -> None:
        test = Test(Call((1,)), "f(1)", "KeyError", Outcome("raised", error="KeyError"))
        assert told(test, Outcome("returned", 3)) == Told(
            "said_not_raised", {"call": "f(1)", "wanted": "KeyError", "came": "3"}
        )
        assert told(test, Outcome("raised", error="ValueError", message="x")) == Told(
            "said_other_error", {"call": "f(1)", "wanted": "KeyError", "error": "ValueError"}
        )

    def test_an_argument_that_was_not_changed_is_told_as_it_is_left(self) -> None:
        test = hand_made("f([3, 1])", Call(([3, 1],)), None, args=([1, 3],))
        assert told(test, Outcome("returned", None)) == Told(
            "said_arguments", {"call": "f([3, 1])", "wanted": "[1, 3]", "came": "[3, 1]"}
        )

    @pytest.mark.parametrize(
        "outcome",
        [
            Outcome("returned", "x" * 200),
            Outcome("returned", "<object at 0x7f0000000000>", plain=False),
            Outcome("raised", error="ValueError", message="two\nlines"),
            Outcome("crashed"),
            Outcome("output"),
        ],
    )
    def test_what_cannot_be_said_briefly_is_not_said(self, outcome: Outcome) -> None:
        assert told(self.CALL, outcome) is None


def test_the_number_of_a_value_that_holds_itself_is_cleaned_away() -> None:
    was = "- ({'a': <Recursion on dict with id=139805500796608>},\n"
    assert cleaned(was, "/x") == "- ({'a': <Recursion on dict with id=...>},\n"
