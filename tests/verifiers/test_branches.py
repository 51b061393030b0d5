"""All that a suite must reach is known beforehand, and what a call reached is told by its lines and jumps."""

from __future__ import annotations

from textwrap import dedent

import pytest
from tests.verifiers.trusted import Trusted

from retroweave.pipeline.errors import Drop
from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.branches import Branches, Goal


def missing(code: str, *args: object) -> set[Goal]:
    """What calls of `f`, each with one argument, do not reach."""
    branches = Branches.of(dedent(code))
    outcomes, coverages = Trusted().covered(branches.text, "f", [Call((one,)) for one in args])
    pairs = zip(coverages, outcomes, strict=True)
    return set(branches.goals.difference(*(branches.reached(coverage, outcome) for coverage, outcome in pairs)))


IF = "def f(a):\n    if a: return 1\n    return 2\n"
LAST = "def f(a):\n    b = []\n    if a:\n        b.append(1)\n"
LOOP = "def f(a):\n    for b in a:\n        if b:\n            break\n    else:\n        b = 2\n    return a\n"
WHILE = "def f(a):\n    while True:\n        a -= 1\n        if a < 0:\n            return a\n"
CATCH = "def f(a):\n    try:\n        return int(a)\n    except ValueError:\n        return 0\n"


@pytest.mark.parametrize(
    ("code", "some", "lacking", "rest"),
    [
        (IF, [1], {(2, "out"), (4, "runs")}, [0]),
        (LAST, [1], {(3, "out")}, [0]),
        (LAST, [0], {(3, "in"), (4, "runs")}, [1]),
        (LOOP, [[1]], {(2, "out"), (3, "out"), (6, "runs")}, [[0]]),
        (WHILE, [0], {(4, "out")}, [1]),
        (CATCH, ["1"], {(5, "runs")}, ["x"]),
        ("def f(a):\n    '''Doc.'''\n    global b\n    return (a if\n        a else\n        2)\n", [1], set(), []),
        ("def f(a):\n    if a: 'nothing'\n    return a\n", [1], {(2, "out")}, [0]),
        ("def f(a):\n    g = lambda: 1\n    def h():\n        return 2\n    return a\n", [1], {(5, "runs")}, []),
    ],
)
def test_lines_and_both_ways_out_of_each_condition_are_wanted(
    code: str, some: list[object], lacking: set[Goal], rest: list[object]
) -> None:
    assert missing(code, *some) == lacking
    if rest:
        assert missing(code, *some, *rest) == set()


def test_helpers_are_to_be_reached_too() -> None:
    code = "def g(a):\n    if a:\n        return 1\n    return 2\n\ndef f(a):\n    return g(a)\n"
    assert missing(code, 1) == {(2, "out"), (4, "runs")}


def test_a_condition_that_raises_on_the_last_line_is_not_false() -> None:
    assert (3, "out") in missing("def f(a):\n    b = []\n    if a < 1:\n        b.append(a)\n", 0, "x")


@pytest.mark.parametrize(
    ("line", "argument", "meant"),
    [
        ("raise ValueError(a)", 1, True),
        ("raise ValueError", 1, True),
        ("raise KeyError(a) from None", 1, True),
        ("int(a)", "x", False),
        ("a.x", 1, False),
        ("assert not a", 1, False),
        ("raise ValueError(a.x)", 1, False),
    ],
)
def test_an_exception_is_meant_where_the_source_raises_it_by_name(line: str, argument: object, meant: bool) -> None:
    branches = Branches.of(f"def f(a):\n    {line}\n")
    (outcome,) = Trusted().call(branches.text, "f", [Call((argument,))])
    assert outcome.ended == "raised"
    assert branches.is_meant(outcome) == meant


def test_an_exception_that_is_raised_again_is_no_meant_one() -> None:
    branches = Branches.of("def f(a):\n    try:\n        int(a)\n    except ValueError:\n        raise\n")
    (outcome,) = Trusted().call(branches.text, "f", [Call(("x",))])
    assert not branches.is_meant(outcome)


@pytest.mark.parametrize("code", ["def f(:", "return 1", "x = '\0'", "x = " + "-" * 20_000 + "1"])
def test_what_cannot_be_laid_out_is_dropped_with_a_reason(code: str) -> None:
    with pytest.raises(Drop, match="cannot be laid out"):
        Branches.of(code)
