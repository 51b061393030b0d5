"""Of code debugging: a function as it is shown, broken versions of it, and whether the tests catch them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from retroweave import About, Drop
from retroweave.corruptions.bugs.planting import Bug, planted, undo
from retroweave.corruptions.bugs.quotas import chain
from retroweave.corruptions.damage import replay
from retroweave.pipeline.row import digest
from retroweave.pipeline.step import Resource
from retroweave.text.python_code import without_comments, without_docstrings, without_examples
from retroweave.verifiers.mutants import DOES_NOT_PARSE, Behaviour, behaviour, behaviours, each_is_needed
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite

__all__ = [
    "OBVIOUS",
    "Candidate",
    "Record",
    "bugs_are_all",
    "caught",
    "dress",
    "dress_once",
    "hardest",
    "has_docstring",
    "has_log",
    "nothing_planted",
    "passes_its_tests",
    "plant_several",
    "suite_is_its_own",
    "told",
]

Record = dict[str, Any]
"""A bug as `planted` tells it, or a run as a sample keeps it."""

OBVIOUS = frozenset({DOES_NOT_PARSE, "NameError", "UnboundLocalError"})


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
        yield one, has_docstring(one, function)


def has_docstring(code: str, function: str) -> bool:
    nodes = (node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))
    return any(node.name == function and ast.get_docstring(node) is not None for node in nodes)


def dress_once(code: str, function: str, rng: Random) -> tuple[str, bool]:
    """The function in one of the forms of `dress`."""
    return rng.choice(list(dress(code, function, rng)))


def passes_its_tests(original: str, suite: Suite, sandboxes: Resource[Sandboxes]) -> bool:
    """The function passes the shown and the hidden tests, under two hash seeds."""
    return not any(behaviour(original, suite, one).failing for one in (sandboxes.one, sandboxes.other))


Candidate = tuple[str, list[Record], list[Bug], Behaviour, tuple[Behaviour, ...], dict[str, list[int]]]


def _turn_of(what: str, turns: int) -> int:
    """What is alike has the same turn, so that nobody need remember what the other turns gave."""
    return int.from_bytes(digest("turn", what)[:4]) % turns


def plant_several(
    original: str,
    suite: Suite,
    turn: int,
    sandboxes: Resource[Sandboxes],
    rng: Random,
    tries: int,
    turns: int,
) -> list[Candidate]:
    """Break the function by two or three bugs at once, and see what its tests make of all of them and of each.

    Which operators go together at a turn no other turn has.
    """
    drawn = (chain(original, rng, rng.choice((2, 2, 3))) for _ in range(tries * turns))
    chains = [bugs for bugs in drawn if len(bugs) > 1 and _turn_of(_operators(bugs), turns) == turn][:tries]
    if not chains:
        raise Drop("no several bugs fall to this turn")
    found = {planted(original, bugs)[0]: bugs for bugs in chains}
    texts = [[text, *(planted(original, [bug])[0] for bug in bugs)] for text, bugs in found.items()]
    seen = iter(behaviours([one for each in texts for one in each], suite, sandboxes.one))
    alone = [[next(seen) for _ in each] for each in texts]
    return [
        (text, planted(original, bugs)[1], bugs, whole, tuple(rest), {})
        for (text, bugs), (whole, *rest) in zip(found.items(), alone, strict=True)
    ]


def _operators(bugs: Sequence[Bug]) -> str:
    return " ".join(sorted(bug.operator for bug in bugs))


def caught(brought: About[str], bugs: list[Record], seen: Behaviour, alone: tuple[Behaviour, ...]) -> bool:
    """Shown and hidden tests fail; of several bugs each fails by itself, and a test that no other one fails."""
    reason = _uncaught(bugs, seen, alone)
    if reason:
        raise told(reason, brought, *map(_name, bugs), _verdict(seen))
    return True


def _uncaught(bugs: Sequence[Record], seen: Behaviour, alone: Sequence[Behaviour]) -> str:
    named = bugs[0]["operator"] if len(bugs) == 1 else "several"
    if not seen.failing:
        return f"no test fails: {named}"
    if not seen.is_caught:
        return f"only {'shown' if seen.shown else 'hidden'} tests fail: {named}"
    if not has_log(seen):
        return f"no log: {seen.unended}"
    if len(alone) > 1 and not each_is_needed(alone):
        return "one of several bugs makes no test fail that no other does"
    return ""


def told(reason: str, code: str, *more: str) -> Drop:
    """A reason with what a person wants to see who asks about it: the code, and what is to be said of it."""
    drop = Drop(reason)
    drop.add_note("\n\n".join([code.rstrip("\n"), *more]))
    return drop


def _name(bug: Record) -> str:
    edits = "; ".join(f"line {edit['line']}: {edit['was']!r} became {edit['now']!r}" for edit in bug["edits"])
    return f"{bug['operator']}, {edits}"


def _verdict(seen: Behaviour) -> str:
    numbers = [", ".join(str(one + 1) for one in sorted(some)) or "none" for some in (seen.shown, seen.hidden)]
    return f"Of {seen.tests} tests there fail, of the shown ones: {numbers[0]}; of the hidden ones: {numbers[1]}."


def has_log(seen: Behaviour) -> bool:
    """Whether the tests fail, and each of them comes to its end on every machine."""
    return bool(seen.shown) and not seen.unended


def hardest(members: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """One for each behaviour: first those that few tests catch, last those that the interpreter reports by itself."""
    kept: dict[str, dict[str, Any]] = {}
    for one in members:
        kept.setdefault(one["seen"].identity, one)
    return sorted(kept.values(), key=lambda one: (one["seen"].share >= 0.5, one["seen"].symptom in OBVIOUS))[:most]


def bugs_are_all(original: str, brought: About[str], bugs: list[Record]) -> bool:
    """The record, applied to the function, gives the broken code and nothing else, and leads back."""
    try:
        return replay(original, bugs) == brought and undo(brought, bugs) == original != brought
    except ValueError:
        return False


def nothing_planted(original: str) -> tuple[str, list[Record], dict[str, list[int]]]:
    """The function as it is, for a user who thinks that it might be broken."""
    return original, [], {}
