"""Each operator makes the very change that it says, and none where it should not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retroweave.corruptions.bugs.planting import Bug, is_sound, planted
from retroweave.corruptions.bugs.quotas import WEIGHTS
from retroweave.corruptions.bugs.site import KINDS, OPERATORS
from retroweave.corruptions.code import Code

CASES = Path(__file__).parent / "cases"
"""Functions as diffs, three for each operator: two with a bug of it, and one in which it finds no place."""

Case = tuple[str, str]


def read_cases() -> Iterator[tuple[str, list[str]]]:
    for path in sorted(CASES.glob("*.txt")):
        for part in path.read_text(encoding="utf-8").removeprefix("## ").split("\n## "):
            name, _, diffs = part.partition("\n")
            yield name, [f"{diff.strip(chr(10))}\n" for diff in f"\n{diffs}\n".split("\n%\n")]


def sides(diff: str) -> Case:
    """The text before and after."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] or "\n" for line in lines if line[:1] in (" ", "-", "\n"))
    return before, "".join(line[1:] or "\n" for line in lines if line[:1] in (" ", "+", "\n"))


READ = dict(read_cases())
CHANGES = [(name, *sides(diff)) for name, diffs in READ.items() for diff in diffs[:-1]]
NOWHERE = [(name, diffs[-1]) for name, diffs in READ.items()]


def texts_with(name: str, source: str) -> set[str]:
    """All texts that an operator makes of a function."""
    code, kind = Code.of(source), OPERATORS[name]
    return {planted(source, [Bug(name, site)])[0] for site in kind.sites(code) if is_sound(code, kind, site)}


def test_every_operator_has_its_cases_and_its_weight() -> None:
    assert set(READ) == set(OPERATORS) == set(WEIGHTS)
    assert all(len(diffs) == 3 for diffs in READ.values())
    assert len(OPERATORS) >= 45


@pytest.mark.parametrize(("name", "before", "after"), CHANGES)
def test_an_operator_makes_exactly_this_of_a_function(name: str, before: str, after: str) -> None:
    assert before != after
    assert after in texts_with(name, before)


@pytest.mark.parametrize(("name", "source"), NOWHERE)
def test_an_operator_leaves_a_function_alone_in_which_it_has_no_place(name: str, source: str) -> None:
    before, after = sides(source)
    assert before == after
    assert texts_with(name, before) == set()


def test_an_operator_says_what_it_is() -> None:
    for operator in OPERATORS.values():
        assert operator.kind in KINDS
        assert operator.summary.endswith(".")
        assert operator.title[0].islower() or operator.title.startswith("True")
        assert operator.effect is None or (operator.effect[0].isupper() and operator.effect.endswith("."))


def test_each_kind_has_several_operators() -> None:
    kinds = [operator.kind for operator in OPERATORS.values()]
    assert all(kinds.count(kind) >= 8 for kind in KINDS)


SAME_ANYWAY = [
    ("operands_swapped", "def f(a, b):\n    return a + b * a\n"),
    ("operands_swapped", "def f(a):\n    return a - a\n"),
    ("arguments_swapped", "def f(a, b):\n    return max(a, b)\n"),
    ("wrong_arithmetic", "def f(a):\n    return a + 0\n"),
    ("wrong_arithmetic", "def f(a):\n    return a * 1\n"),
    ("flipped_comparison", "def f(a):\n    return a < a\n"),
    ("parentheses_dropped", "def f(a, b, c):\n    return a + (b - c), a and (b and c), a * (b * c)\n"),
    ("slice_bound_dropped", "def f(a):\n    return a[0:]\n"),
    ("keyword_dropped", "def f(a):\n    return sorted(a, key=None, reverse=False)\n"),
    ("guard_deleted", "def f(a):\n    for x in a:\n        g(x)\n        if x:\n            continue\n    return a\n"),
]
"""Changes that would change nothing, as can be told from the text."""


@pytest.mark.parametrize(("name", "source"), SAME_ANYWAY)
def test_what_would_do_the_same_anyway_is_no_bug(name: str, source: str) -> None:
    assert texts_with(name, source) == set()


def test_what_the_compiler_takes_for_the_same_is_no_bug() -> None:
    source = "def f(a):\n    if a:\n        return 1\n    elif not a:\n        return 2\n    return (a)\n"
    assert texts_with("elif_to_if", source) == set()
    assert texts_with("parentheses_dropped", source) == set()
