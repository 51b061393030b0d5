"""What a model says for a suite: read, and not believed."""

from __future__ import annotations

from typing import Any

import pytest

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.asked import calls_asserted, read_calls
from retroweave.verifiers.sandbox import LocalSandbox, open_sandbox
from retroweave.verifiers.sandbox.assertions import run_tests

DOUBLE = "def double(text, times=2):\n    return text * times\n"


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("double('a')", Call(("a",))),
        (">>> double('a', times=3)", Call(("a",), {"times": 3})),
        ("solution.double((1, {2: b'x'}), -1)", Call(((1, {2: b"x"}), -1))),
    ],
)
def test_a_call_is_read_as_its_literals(line: str, call: Call) -> None:
    assert read_calls([line], "double") == [call]


@pytest.mark.parametrize(
    "line",
    [
        "double(open('/etc/passwd').read())",
        "double(__import__('os'))",
        "double(*'abc')",
        "double(**{'text': 1})",
        "double(x for x in 'ab')",
        "other('a')",
        "double",
        "double('a'",
        "double('a'); double('b')",
        "double(" + "[" * 5000 + "]" * 5000 + ")",
        "double(-" + "-" * 900 + "1)",
        "double(1 if 1 else 2)",
        "double(float('nan'))",
    ],
)
def test_what_is_no_call_with_literals_is_left_out(line: str) -> None:
    assert read_calls([line], "double") == []


def test_a_call_that_comes_twice_counts_once_and_true_is_not_1() -> None:
    assert len(read_calls(["double(1)", "double( 1 )", "double(True)"], "double")) == 2


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with open_sandbox() as opened:
        yield opened


def heard(sandbox: LocalSandbox, tests: str) -> Any:
    return run_tests(sandbox, DOUBLE, "double", f"from solution import double\n\n{tests}")


def test_the_calls_of_assertions_that_hold_are_taken(sandbox: LocalSandbox) -> None:
    tests = "def test_it():\n    assert double('ab') == 'abab'\n\ndef test_more():\n    assert double(3) == 6\n"
    assert calls_asserted(heard(sandbox, tests)) == [Call(("ab",)), Call((3,))]


def test_of_tests_that_are_wrong_in_one_place_nothing_is_taken(sandbox: LocalSandbox) -> None:
    tests = "def test_it():\n    assert double('ab') == 'abab'\n\ndef test_more():\n    assert double([1], 3) == [1]\n"
    assert calls_asserted(heard(sandbox, tests)) == []


def test_tests_that_end_before_they_assert_give_nothing(sandbox: LocalSandbox) -> None:
    assert calls_asserted(heard(sandbox, "import sys\nsys.exit(0)\nassert double('a') == 'aa'\n")) == []
