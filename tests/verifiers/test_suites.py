"""Suites reach all of a function, say what it does and no more, and are refused with a reason where that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import coverage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.verifiers.trusted import Trusted

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.sandbox import Call, Limits, Outcome
from retroweave.verifiers.branches import Branches
from retroweave.verifiers.inputs import LONGEST_CALL, LONGEST_OUTPUT, Effort, Found
from retroweave.verifiers.oddness import oddness
from retroweave.verifiers.plain import call_text, printed, rebuilt
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox import open_sandbox
from retroweave.verifiers.suites import UNSTABLE, Suite, Test, agree, failing, passes, write_suite

GRADE = '''
class OutOfRange(ValueError):
    pass


def grade(points: int, bonus: bool = False) -> str:
    """The grade for some points.

    >>> grade(77)
    'C'
    """
    if points < 0 or points > 100: raise OutOfRange(points)
    if bonus:
        points = min(100, points + 5)
    for limit, letter in ((90, "A"), (80, "B"), (70, "C")):
        if points >= limit:
            return letter
    return "F"
'''
DRAIN = """
def drain(items: list[int], most: int):
    taken = []
    while items and len(taken) < most:
        taken.append(items.pop())
    if not taken:
        return None
    return taken
"""
HAS = """
def has(items: set[str], item: str):
    if item in items:
        return len(items)
    return sorted(items)[:1]
"""
PARSE = r"""
import re

_ENTRY = re.compile(r"(\w+)=(\d{1,3})(px|em)?;?")


def parse(text):
    found = {}
    for name, number, unit in _ENTRY.findall(text):
        if unit == "em":
            number = int(number) * 16
        found[name] = int(number)
    if not found:
        return None
    return found
"""


def suite_of(code: str, function: str, seed: int = 0, **options: Any) -> Suite:
    return write_suite(dedent(code), function, Trusted(), Trusted(), Random(seed), **options)


@cache
def grade() -> Suite:
    return suite_of(GRADE, "grade")


def refused(code: str, function: str = "f", **options: Any) -> str:
    with pytest.raises(Drop) as drop:
        suite_of(code, function, **{"effort": Effort(calls=400, without_news=300, without_result=150), **options})
    return str(drop.value)


class TestWhatIsFound:
    @pytest.mark.parametrize(("code", "name"), [(GRADE, "grade"), (DRAIN, "drain"), (PARSE, "parse")])
    def test_the_shown_tests_reach_every_line_and_both_ways_out_of_every_condition(self, code: str, name: str) -> None:
        suite = suite_of(code, name)
        branches = Branches.of(code)
        calls = [test.call for test in suite.shown]
        outcomes, coverages = Trusted().covered(branches.text, name, calls)
        pairs = zip(coverages, outcomes, strict=True)
        assert branches.goals <= frozenset().union(*(branches.reached(*pair) for pair in pairs))
        assert suite.goals == len(branches.goals)

    def test_what_is_recorded_is_what_the_original_gives(self) -> None:
        suite = grade()
        space: dict[str, Any] = {}
        exec(GRADE, space)  # noqa: S102
        for test in (*suite.shown, *suite.hidden):
            try:
                result = printed(space["grade"](*test.call.args, **test.call.kwargs))
            except ValueError as error:
                result = type(error).__name__
            assert result == test.value

    def test_shown_and_hidden_tests_are_different_calls(self) -> None:
        suite = grade()
        texts = [test.text for test in (*suite.shown, *suite.hidden)]
        assert len(texts) == len(set(texts))
        assert len(suite.shown) >= 3
        assert len(suite.hidden) == 8

    def test_annotations_are_kept_to(self) -> None:
        for test in (*grade().shown, *grade().hidden):
            assert type(test.call.args[0]) is int
            assert {type(value) for value in test.call.kwargs.values()} <= {bool}

    def test_an_exception_that_the_source_raises_by_name_may_be_wanted(self) -> None:
        assert {test.value for test in grade().shown if test.raises} == {"OutOfRange"}

    def test_an_accident_is_never_wanted(self) -> None:
        suite = suite_of("def f(a, b):\n    c = a / b\n    if c > 2:\n        return int(c)\n    return c\n", "f")
        assert not any(test.raises for test in (*suite.shown, *suite.hidden))
        assert all(test.call.args[1] for test in (*suite.shown, *suite.hidden))

    def test_values_are_short_and_printed_as_python(self) -> None:
        for code, name in ((GRADE, "grade"), (DRAIN, "drain"), (PARSE, "parse")):
            suite = suite_of(code, name)
            for test in (*suite.shown, *suite.hidden):
                assert test.text == call_text(name, test.call.args, test.call.kwargs)
                assert len(test.text) <= LONGEST_CALL + len(name)
                assert len(test.value) <= LONGEST_OUTPUT

    def test_what_a_call_does_to_its_arguments_is_part_of_it(self) -> None:
        suite = suite_of(DRAIN, "drain")
        assert suite.changes_arguments
        test = next(test for test in suite.shown if test.changes_arguments)
        before, most = test.call.args
        assert test.outcome.args == (before[: len(before) - most] if most < len(before) else [], most)

    def test_a_function_that_works_in_place_has_different_outputs_by_its_arguments(self) -> None:
        code = "def f(items):\n    items.sort()\n    items.reverse()\n    del items[3:]\n"
        assert suite_of(code, "f").changes_arguments


def test_what_is_shown_looks_as_if_a_person_had_written_it() -> None:
    shown = [
        test
        for code, name in ((GRADE, "grade"), (DRAIN, "drain"), (PARSE, "parse"))
        for test in suite_of(code, name).shown
    ]
    odd = [test.text for test in shown if sum(map(oddness, test.call.args)) > 12]
    assert len(odd) < len(shown) / 5, odd


@pytest.mark.parametrize("value", ["2.4699999999999998", "8.881784197001252e-16", "(1, 0.30000000000000004)"])
def test_a_number_that_rounding_spoiled_is_hard_to_read(value: str) -> None:
    plain = Found(Call((1,)), "f(1)", "(2.47, 0.3333, 1e-3)", Outcome("returned"), frozenset(), 0)
    assert replace(plain, value=value).cost > plain.cost == 0


def test_plainer_calls_are_looked_for_only_where_all_is_reached() -> None:
    rounds = [len(suite_of(PARSE, "parse", effort=Effort(rounds=count)).shown) for count in (0, 3)]
    assert min(rounds) >= 3
    calls = [suite_of(PARSE, "parse", effort=Effort(rounds=count)).calls for count in (0, 3)]
    assert calls[0] < calls[1] <= calls[0] + 3 * Effort().batch


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("def f(a):\n    b = a.children\n    return b\n", "nothing returns: accidental exception"),
            ("def f(a: int):\n    return lambda: a\n", "nothing returns: output is not plain"),
            ("def f(a: int):\n    while True:\n        a += 1\n", "nothing returns: limit: steps"),
            ("def f(a: int):\n    return f(a)\n", "nothing returns: limit: depth"),
            ("def f(a: int):\n    return list(range(1000))\n", "nothing returns: output is too long"),
            ("def f(a: int):\n    return repr(object())\n", "nothing returns: output holds an address"),
            ("def f(a: int):\n    return float('nan')\n", "nothing returns: output is not finite"),
            ("def f(a: int):\n    if a * a == -1:\n        a = 1\n    return a\n", "coverage is not full"),
            ("def f(a: int):\n    return 7\n", "fewer than 2 different outputs"),
            ("def f(a: bool):\n    return not a\n", "fewer than 4 tests"),
            ("COUNT = [0]\ndef f(a: int):\n    COUNT[0] += 1\n    return COUNT[0] * 7 + a\n", UNSTABLE),
            ("import os\ndef f(a: int):\n    return os.urandom(4).hex()\n", UNSTABLE),
        ],
    )
    def test_where_there_is_no_suite_a_reason_says_so(self, code: str, reason: str) -> None:
        assert refused(code) == reason

    def test_a_limit_of_tests_may_be_asked_for(self) -> None:
        assert (
            refused("def f(a: bool):\n    b = a\n    return not b\n", fewest=1, shown=1)
            == "fewer than 2 different outputs"
        )

    def test_few_calls_are_made_where_nothing_ever_returns(self) -> None:
        sandbox = Trusted()
        with pytest.raises(Drop):
            write_suite("def f(a):\n    return a.x\n", "f", sandbox, sandbox, Random(0))
        assert sandbox.called <= Effort().without_result + Effort().batch

    def test_the_calls_are_bounded(self) -> None:
        sandbox = Trusted()
        with pytest.raises(Drop, match="coverage is not full"):
            write_suite(
                "def f(a: int):\n    if a == 9.5:\n        return 1\n    return a\n", "f", sandbox, sandbox, Random(0)
            )
        assert sandbox.called <= Effort().calls + Effort().batch


@dataclass
class Unsteady(Trusted):
    """Goes through a set of strings in another order, as a process with another hash seed does."""

    def call(self, source: str, function: str, calls: Sequence[Call], limits: Limits = Limits()) -> list[Outcome]:  # noqa: B008
        found = super().call(source, function, calls, limits)
        return [
            replace(one, value=one.value[::-1])
            if isinstance(call.args[0], set) and len(call.args[0]) > 1 and isinstance(one.value, list)
            else one
            for call, one in zip(calls, found, strict=True)
        ]


def test_calls_that_hang_on_the_hash_seed_are_replaced_by_others() -> None:
    code = "def f(a):\n    b = isinstance(a, (set, list))\n    if b:\n        return list(a)[:3]\n    return b\n"
    suite = write_suite(code, "f", Trusted(), Unsteady(), Random(0))
    assert not any(
        isinstance(test.call.args[0], set) and len(test.call.args[0]) > 1 for test in (*suite.shown, *suite.hidden)
    )


def test_calls_that_hang_on_how_a_set_was_filled_are_replaced_by_others() -> None:
    code = '''
        def first(items: set[int]):
            """
            >>> first({8, 16}), first({1, 9}), first({2, 10}), first({3, 11}), first({4, 12, 20})
            """
            found = list(items)
            if not found:
                return None
            return found
        '''
    suite = suite_of(code, "first", shown=12, hidden=12)
    tried = [test.call.args[0] for test in (*suite.shown, *suite.hidden)]
    assert all(list(rebuilt(one)) == list(rebuilt(one, backwards=True)) for one in tried)
    assert list(rebuilt({8, 16})) != list(rebuilt({8, 16}, backwards=True))


def test_what_a_call_leaves_behind_for_the_next_shows() -> None:
    code = "LAST = {}\ndef f(a: int):\n    b = LAST.get('a', 0) > a\n    LAST['a'] = a\n    return [a, b]\n"
    assert refused(code) == UNSTABLE


class TestTheSame:
    @settings(max_examples=6)
    @given(st.integers(0, 2**32))
    def test_a_suite_hangs_on_the_random_numbers_alone(self, seed: int) -> None:
        assert suite_of(PARSE, "parse", seed) == suite_of(PARSE, "parse", seed)

    def test_other_random_numbers_give_other_tests(self) -> None:
        assert len({tuple(test.text for test in suite_of(PARSE, "parse", seed).shown) for seed in range(4)}) > 1

    def test_the_hash_seed_of_our_own_process_does_not_matter(self) -> None:
        script = """if True:
            from tests.verifiers.test_suites import *
            for code, name in ((GRADE, "grade"), (PARSE, "parse"), (HAS, "has")):
                suite = suite_of(code, name)
                print([test.text for test in (*suite.shown, *suite.hidden)])
            """
        root = Path(__file__).parents[2]
        said = {
            subprocess.run(
                [sys.executable, "-c", script],
                capture_output=True,
                check=True,
                cwd=root,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(said) == 1


def wanting(value: Any, *, args: tuple[Any, ...] = (), after: tuple[Any, ...] | None = None) -> Test:
    return Test(Call(args), "f()", printed(value), Outcome("returned", value, args=after))


class TestPassing:
    @pytest.mark.parametrize(
        ("wanted", "given", "passed"),
        [
            (1, 1, True),
            (1, 1.0, True),
            (1, True, True),
            (True, 1, False),
            (False, 0, False),
            (None, 0, False),
            (None, None, True),
            ([True], [1], True),
            ("a", b"a", False),
            (0.1 + 0.2, 0.3, False),
        ],
    )
    def test_a_value_passes_as_the_written_test_would_have_it(self, wanted: Any, given: Any, passed: bool) -> None:
        assert passes(wanting(wanted), Outcome("returned", given)) == passed

    @pytest.mark.parametrize(
        "outcome",
        [
            Outcome("raised", error="ValueError"),
            Outcome("steps"),
            Outcome("crashed"),
            Outcome("returned", "1", plain=False),
        ],
    )
    def test_what_is_no_value_does_not_pass(self, outcome: Outcome) -> None:
        assert not passes(wanting("1"), outcome)

    def test_an_exception_passes_by_its_name(self) -> None:
        test = Test(Call((1,)), "f(1)", "ValueError", Outcome("raised", error="ValueError", message="no"))
        assert passes(test, Outcome("raised", error="ValueError", message="another"))
        assert not passes(test, Outcome("raised", error="KeyError"))
        assert not passes(test, Outcome("returned", None))

    def test_arguments_are_looked_at_where_the_original_changed_them(self) -> None:
        test = wanting(1, args=([1, 2],), after=([1],))
        assert passes(test, Outcome("returned", 1, args=([1],)))
        assert not passes(test, Outcome("returned", 1))
        assert not passes(test, Outcome("returned", 1, args=([],)))
        assert passes(wanting(1, args=([1],)), Outcome("returned", 1, args=([],)))

    def test_outcomes_agree_by_type_and_not_by_line_or_steps(self) -> None:
        assert agree(Outcome("returned", [1], steps=3, line=1), Outcome("returned", [1], steps=9, line=4))
        assert not agree(Outcome("returned", [1]), Outcome("returned", [1.0]))
        assert not agree(Outcome("raised", error="A", message="x"), Outcome("raised", error="A", message="y"))

    def test_a_bug_is_caught_by_the_shown_and_by_the_hidden_tests(self) -> None:
        broken = GRADE.replace("points >= limit", "points < limit")
        suite = grade()
        for tests in (suite.shown, suite.hidden):
            outcomes = Trusted().call(broken, "grade", [test.call for test in tests])
            assert failing(tests, outcomes)


class TestFiles:
    def test_a_file_reads_as_a_person_would_write_it(self) -> None:
        tests = [
            wanting("x"),
            wanting(None),
            Test(Call((1,)), "f(1)", "Wrong", Outcome("raised", error="Wrong")),
            Test(Call(([2, 1],), {"key": []}), "f([2, 1], key=[])", "2", Outcome("returned", 2, args=([1],))),
        ]
        assert pytest_file("f", tests) == dedent(
            """\
            import pytest

            from solution import Wrong, f


            def test_f_1():
                assert f() == 'x'


            def test_f_2():
                assert f() is None


            def test_f_3():
                with pytest.raises(Wrong):
                    f(1)


            def test_f_4():
                args = ([2, 1],)
                kwargs = {'key': []}
                assert f(*args, **kwargs) == 2
                assert args == ([1],)
            """
        )

    def test_a_long_value_stands_on_a_line_of_its_own(self) -> None:
        text = pytest_file("_f", [wanting("x" * 90)])
        assert "def test_f_1():\n    expected = 'xxx" in text
        assert text.endswith("    assert f() == expected\n")


@pytest.mark.parametrize(
    ("code", "name"), [(GRADE, "grade"), (DRAIN, "drain"), (PARSE, "parse")], ids=["grade", "drain", "parse"]
)
def test_the_written_file_passes_and_coverage_certifies_it(tmp_path: Path, code: str, name: str) -> None:
    suite = suite_of(code, name)
    (tmp_path / "solution.py").write_text(code)
    (tmp_path / "test_shown.py").write_text(pytest_file(name, suite.shown))
    (tmp_path / "test_hidden.py").write_text(pytest_file(name, suite.hidden))
    # What this run of the tests was told, of coverage and of options, is not meant for that one.
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    covering = ["-m", "coverage", "run", "--branch", "--include=solution.py", "-m", "pytest", "-q", "test_shown.py"]
    for command in (covering, ["-m", "pytest", "-q", "test_hidden.py"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=quiet | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
    seen = coverage.Coverage(data_file=str(tmp_path / ".coverage"))
    seen.load()
    assert seen.report(file=StringIO()) == 100.0


def test_in_the_real_sandbox_it_is_the_same() -> None:
    try:
        sandbox = open_sandbox()
    except UserError as error:
        pytest.skip(str(error))
    with sandbox:
        for code, name in ((GRADE, "grade"), (DRAIN, "drain"), (PARSE, "parse")):
            suite = write_suite(code, name, sandbox, sandbox, Random(0))
            trusted = suite_of(code, name)
            assert [test.text for test in suite.shown] == [test.text for test in trusted.shown]
            assert [test.value for test in suite.hidden] == [test.value for test in trusted.hidden]
            assert suite.changes_arguments == trusted.changes_arguments
