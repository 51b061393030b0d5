"""Of code debugging: the rows on which its checks are tried: a function with a bug, and one with two."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from retroweave.corruptions.bugs.diagnosis import describe
from retroweave.corruptions.bugs.planting import Bug, planted
from retroweave.corruptions.bugs.site import OPERATORS
from retroweave.corruptions.code import Code
from retroweave.pipeline.sandbox import Call, Outcome
from retroweave.recipes.debugging_turns import write_fixes
from retroweave.recipes.debugging_words import filled, words
from retroweave.text.diffs import unified_diff
from retroweave.verifiers.logs import Failure, Log
from retroweave.verifiers.mutants import Behaviour
from retroweave.verifiers.suites import Suite, Test

__all__ = ["EXAMPLE", "SUITE", "no_bug", "one_bug", "two_turns"]


EXAMPLE = """def scaled(values, factor):
    total = []
    for value in values:
        if value > 0:
            total.append(value * factor)
    return total
"""


def _test(values: list[int], factor: int, *result: int) -> Test:
    wanted = Outcome("returned", list(result))
    return Test(Call((values, factor)), f"scaled({values}, {factor})", str(list(result)), wanted)


SUITE = Suite(
    "scaled",
    (_test([1, 2], 3, 3, 6), _test([], 3), _test([-1, 5], 2, 10), _test([0], 4)),
    (_test([4, 0], 1, 4), _test([6], 5, 30)),
    goals=0,
    calls=6,
)


def _bug(operator: str, quote: str) -> Bug:
    sites = OPERATORS[operator].sites(Code.of(EXAMPLE))
    return Bug(operator, next(site for site in sites if EXAMPLE[slice(*site.shown)].startswith(quote)))


def _log(*failed: Failure) -> Log:
    text = "1 error\n" if UNREAD in failed else f"{len(failed)} failed\n"
    return Log(
        text, "quiet", "pytest -q test_solution.py", "test_solution.py", "", failed, failed[:1] != (UNREAD,), True
    )


UNREAD = Failure(-1, "SyntaxError")


@cache
def one_bug() -> dict[str, Any]:
    """A function with a boundary that is wrong, and all that is said of it."""
    boundary = _bug("boundary", "value > 0")
    brought, bugs = planted(EXAMPLE, [boundary])
    seen = Behaviour(frozenset({3}), frozenset({0}), 6, "wrong value", frozenset(), "", "")
    log = _log(Failure(3, "AssertionError"))
    return {
        "code": f"{EXAMPLE}\n\n{EXAMPLE.replace('scaled', 'has_close_elements')}",  # the name of a benchmark's
        "original": EXAMPLE,
        "function": "scaled",
        "docstring": "",
        "turn": 0,
        "suite": SUITE,
        "brought": brought,
        "bugs": bugs,
        "seen": seen,
        "alone": (seen,),
        "sites": [boundary],
        "log": log.text,
        "ran": log,
        "before": "Mend this.\n\n",
        "after": "",
        "patch": unified_diff(brought, EXAMPLE),
        "changed": EXAMPLE,
        "diagnosis": describe(bugs, Random(0))[0],
    }


@cache
def two_turns() -> dict[str, Any]:
    """The same function with a missing colon besides, which hides the boundary until it is mended."""
    row = one_bug()
    colon = _bug("colon_dropped", "for")
    states = [planted(EXAMPLE, [colon, *row["sites"]])[0], row["brought"]]
    sites = [colon, *row["sites"]]
    first, rest, reruns = write_fixes(states[0], states, [row["ran"]], EXAMPLE, sites, Random(0))
    return row | {
        "brought": states[0],
        "sites": sites,
        "states": states,
        "by_turn": [planted(EXAMPLE, [colon])[0], row["brought"]],
        "later": [row["ran"]],
        "ran": _log(UNREAD),
        "first_fix": first,
        "fixes": rest,
        "reruns": reruns,
        "rerun": reruns[0],
    }


@cache
def no_bug() -> dict[str, Any]:
    """The function as it is, and that it is called clean."""
    log = _log()
    answer = filled(words("clean")[0], count=str(len(SUITE.shown)))
    return one_bug() | {"brought": EXAMPLE, "ran": log, "after": log.text, "answer": answer}
