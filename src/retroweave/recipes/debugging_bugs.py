"""Of code debugging: functions with their tests, and broken versions of them that the tests catch."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from retroweave import About, Drop
from retroweave.corruptions.bugs.planting import Bug, planted, undo
from retroweave.corruptions.bugs.quotas import chain, draw
from retroweave.corruptions.damage import replay
from retroweave.pipeline.step import Resource
from retroweave.quality.contamination import screen
from retroweave.text.python_code import without_comments, without_docstrings, without_examples
from retroweave.verifiers.mutants import DOES_NOT_PARSE, Behaviour, behaviour, behaviours, each_is_needed
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, write_suite

__all__ = [
    "OBVIOUS",
    "Record",
    "bugs_are_all",
    "caught",
    "choose",
    "dress",
    "dress_once",
    "has_log",
    "is_no_benchmark",
    "nothing_planted",
    "passes_its_tests",
    "plant_one",
    "plant_several",
    "suite_is_its_own",
    "write_tests",
]

Record = dict[str, Any]
"""A bug as `planted` tells it, or a run as a sample keeps it."""

OBVIOUS = frozenset({DOES_NOT_PARSE, "NameError", "UnboundLocalError"})


def is_no_benchmark(
    code: str, function: str, docstring: str, sandboxes: Resource[Sandboxes], names: bool = True
) -> bool:
    """The function is none of HumanEval, MBPP and QuixBugs: by its code, its docstring, what it does, its name."""
    found = screen(code, function, docstring, sandboxes.one, names=names)
    if found:
        raise Drop(found.reason)
    return True


def write_tests(
    code: str, function: str, sandboxes: Resource[Sandboxes], rng: Random, shown: int, hidden: int
) -> tuple[Suite, str, str]:
    """Find calls that reach all of the function, record what it makes of them, and keep some of them hidden."""
    suite = write_suite(code, function, sandboxes.one, sandboxes.other, rng, shown=shown, hidden=hidden)
    return suite, pytest_file(function, suite.shown), pytest_file(function, suite.hidden)


def suite_is_its_own(suite: Suite, code: str, sandboxes: Resource[Sandboxes]) -> bool:
    """What the tests ask for is what the function gives, whoever thought of the calls."""
    return passes_its_tests(code, suite, sandboxes)


def dress(code: str, function: str, rng: Random) -> Iterator[tuple[str, bool]]:
    """The function with its docstring and again without, each with or without its comments; never with doctests."""
    if "```" in code:
        raise Drop("the code holds a fence")
    bare = without_docstrings(code)
    forms = [one if rng.random() < 0.5 else without_comments(one) for one in (without_examples(code), bare)]
    for one in dict.fromkeys(forms):
        yield one, _has_docstring(one, function)


def _has_docstring(code: str, function: str) -> bool:
    nodes = (node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))
    return any(node.name == function and ast.get_docstring(node) is not None for node in nodes)


def dress_once(code: str, function: str, rng: Random) -> tuple[str, bool]:
    """The function in one of the forms of `dress`."""
    return rng.choice(list(dress(code, function, rng)))


def passes_its_tests(original: str, suite: Suite, sandboxes: Resource[Sandboxes]) -> bool:
    """The function passes the shown and the hidden tests, under two hash seeds."""
    return not any(behaviour(original, suite, one).failing for one in (sandboxes.one, sandboxes.other))


Candidate = tuple[str, list[Record], list[Bug], Behaviour, tuple[Behaviour, ...], dict[str, list[int]]]


def plant_one(original: str, suite: Suite, sandboxes: Resource[Sandboxes], rng: Random, tries: int) -> list[Candidate]:
    """Break the function in many ways, by one bug of up to three edits each, and see what its tests make of each."""
    bugs = [bug for bug in (draw(original, rng) for _ in range(tries)) if bug]
    found = {planted(original, [bug])[0]: bug for bug in bugs}
    seen = behaviours(list(found), suite, sandboxes.one)
    bred: dict[str, list[int]] = {}
    for bug, one in zip(found.values(), seen, strict=True):
        counts = bred.setdefault(bug.operator, [0, 0])
        counts[0] += 1
        counts[1] += one.is_caught
    return [
        (text, planted(original, [bug])[1], [bug], one, (one,), bred)
        for (text, bug), one in zip(found.items(), seen, strict=True)
    ]


def plant_several(
    original: str, suite: Suite, sandboxes: Resource[Sandboxes], rng: Random, tries: int
) -> list[Candidate]:
    """Break the function by two or three bugs at once, and see what its tests make of all of them and of each."""
    drawn = (chain(original, rng, rng.choice((2, 2, 3))) for _ in range(tries))
    chains = [bugs for bugs in drawn if len(bugs) > 1]
    found = {planted(original, bugs)[0]: bugs for bugs in chains}
    texts = [[text, *(planted(original, [bug])[0] for bug in bugs)] for text, bugs in found.items()]
    seen = iter(behaviours([one for each in texts for one in each], suite, sandboxes.one))
    alone = [[next(seen) for _ in each] for each in texts]
    return [
        (text, planted(original, bugs)[1], bugs, whole, tuple(rest), {})
        for (text, bugs), (whole, *rest) in zip(found.items(), alone, strict=True)
    ]


def caught(bugs: list[Record], seen: Behaviour, alone: tuple[Behaviour, ...]) -> bool:
    """Shown and hidden tests fail; of several bugs each fails by itself, and a test that no other one fails."""
    named = bugs[0]["operator"] if len(bugs) == 1 else "several"
    if not seen.failing:
        raise Drop(f"no test fails: {named}")
    if not seen.is_caught:
        raise Drop(f"only {'shown' if seen.shown else 'hidden'} tests fail: {named}")
    if not has_log(seen):
        raise Drop(f"no log: {seen.unended}")
    if len(alone) > 1 and not each_is_needed(alone):
        raise Drop("one of several bugs makes no test fail that no other does")
    return True


def has_log(seen: Behaviour) -> bool:
    """Whether the tests fail, and each of them comes to its end on every machine."""
    return bool(seen.shown) and not seen.unended


def choose(members: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """One for each behaviour, at most two of an operator and one that is obvious; first those that few tests catch."""
    kept: list[dict[str, Any]] = []
    operators: Counter[str] = Counter()
    behaviours: set[str] = set()
    obvious = 0
    for one in sorted(members, key=_place):
        seen, name = one["seen"], one["bugs"][0]["operator"]
        if seen.identity in behaviours or operators[name] > 1 or (obvious and seen.symptom in OBVIOUS):
            continue
        kept.append(one)
        behaviours.add(seen.identity)
        operators[name] += 1
        obvious += seen.symptom in OBVIOUS
    return _mixed(kept, most)


def _place(member: Mapping[str, Any]) -> tuple[bool, bool]:
    """Those that few tests catch come first; of several bugs last those that hide behind what is obvious."""
    seen = member["seen"]
    return seen.share >= 0.5, len(member["bugs"]) > 1 and seen.symptom in OBVIOUS


def _mixed(kept: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Those that few tests catch first, up to two thirds; the rest in the order in which they were drawn."""
    hard = [one for one in kept if one["seen"].share < 0.5]
    easy = [one for one in kept if one["seen"].share >= 0.5]
    count = max(most - len(easy), (2 * most + 2) // 3)
    return (hard[:count] + easy)[:most]


def bugs_are_all(original: str, brought: About[str], bugs: list[Record]) -> bool:
    """The record, applied to the function, gives the broken code and nothing else, and leads back."""
    try:
        return replay(original, bugs) == brought and undo(brought, bugs) == original != brought
    except ValueError:
        return False


def nothing_planted(original: str, rng: Random, share: float) -> tuple[str, list[Record], dict[str, list[int]]]:
    """A share of the functions as they are, for a user who thinks that they might be broken."""
    if rng.random() >= share:
        raise Drop("its bugs are enough")
    return original, [], {}
