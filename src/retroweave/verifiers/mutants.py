"""What a suite makes of broken variants of a function: which tests fail, how it shows, and which variants are one.

Variants are run many at a time, in one process, for a first look; what is kept is run again by itself. Two of which
every call ends alike have one behaviour, whatever their text, and only one of them is worth keeping. This module knows
nothing of how a variant was made.
"""

from __future__ import annotations

import marshal
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from retroweave.pipeline.row import digest
from retroweave.pipeline.sandbox import Call, Limits, Outcome, Sandbox, SandboxFailed
from retroweave.verifiers.inputs import LIMITS
from retroweave.verifiers.plain import Unprintable, printed
from retroweave.verifiers.suites import Suite, Test, passes

__all__ = ["DOES_NOT_PARSE", "UNTOLD", "Behaviour", "behaviour", "behaviours", "each_is_needed", "made_of", "outcomes"]

DOES_NOT_PARSE = "does not parse"
_UNREADABLE = frozenset({"SyntaxError", "IndentationError", "TabError"})
_ENDED = ("returned", "raised")
_BATCH = 16
_SECONDS = 2.0
_LINES = 500_000
"""Lines in a second on a slow machine: on a quick one ten million run and more."""


UNTOLD = "out of time"
"""What can be said of code that hangs inside a single operation: nothing."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a suite makes of some code."""

    shown: frozenset[int]
    """Which of the shown tests fail, counted from 0."""
    hidden: frozenset[int]
    """Which of the hidden ones fail."""
    tests: int
    """How many there are of both."""
    symptom: str
    """How most of the failing shown tests fail: an exception's name, `wrong value` and the like."""
    lines: frozenset[int]
    """The lines in which exceptions came up."""
    unended: str
    """What became of a call that neither returned nor raised, shown or hidden: no log would tell of it."""
    identity: str
    """The same for all code of which each call ends alike."""

    @property
    def is_caught(self) -> bool:
        return bool(self.shown and self.hidden)

    @property
    def share(self) -> float:
        """The share of all tests that fail."""
        return (len(self.shown) + len(self.hidden)) / self.tests

    @property
    def failing(self) -> frozenset[tuple[bool, int]]:
        """The failing tests: whether they are shown, and which."""
        return frozenset({(True, one) for one in self.shown} | {(False, one) for one in self.hidden})


_UNTOLD = Behaviour(frozenset({0}), frozenset({0}), 2, UNTOLD, frozenset(), UNTOLD, UNTOLD)


def outcomes(code: str, suite: Suite, sandbox: Sandbox) -> list[Outcome]:
    """What comes of each call of a suite, the shown ones first; the code runs in a process of its own."""
    return sandbox.call(code, suite.function, _calls(suite), Limits(steps=_steps(suite)))


def behaviour(code: str, suite: Suite, sandbox: Sandbox) -> Behaviour:
    """What a suite makes of some code by itself."""
    return made_of(suite, outcomes(code, suite, sandbox))


def behaviours(codes: Sequence[str], suite: Suite, sandbox: Sandbox) -> list[Behaviour]:
    """What a suite makes of many variants of one source. One over which the clock runs out has the symptom `UNTOLD`."""
    found: list[Behaviour] = []
    for start in range(0, len(codes), _BATCH):
        found += _together(codes[start : start + _BATCH], suite, sandbox)
    return found


def _together(codes: Sequence[str], suite: Suite, sandbox: Sandbox) -> list[Behaviour]:
    """A few variants in one process; where its clock runs out, each in its own, to find the one that hangs."""
    limits = Limits(steps=_steps(suite), seconds=_seconds(suite))
    try:
        each = sandbox.variants(codes, suite.function, _calls(suite), limits)
    except SandboxFailed:
        if len(codes) == 1:
            return [_UNTOLD]
        return [one for code in codes for one in _together([code], suite, sandbox)]
    return [made_of(suite, one) for one in each]


def _steps(suite: Suite) -> int:
    """Lines in which a call ends or never will: ten times as many as the longest one of the original took.

    Beyond those that it takes to load the module, which may compile regular expressions.
    """
    longest = max(test.outcome.steps for test in (*suite.shown, *suite.hidden))
    return min(LIMITS.steps, 20_000 + 10 * longest)


def _seconds(suite: Suite) -> float:
    """Time for each call to run all the lines that it may, and no more: beyond that no loop is at work.

    What hangs then is one operation, such as a power with a thousand million digits, and that has no end worth waiting
    for: it is waited for twice, in the batch and alone.
    """
    return _SECONDS + _steps(suite) * len(_calls(suite)) / _LINES


def _calls(suite: Suite) -> list[Call]:
    return [test.call for test in (*suite.shown, *suite.hidden)]


def made_of(suite: Suite, found: Sequence[Outcome]) -> Behaviour:
    """What a suite makes of the outcomes of its calls."""
    tests = (*suite.shown, *suite.hidden)
    failing = [place for place, test in enumerate(tests) if not passes(test, found[place])]
    shown = len(suite.shown)
    seen = [(tests[place], found[place]) for place in failing if place < shown]
    return Behaviour(
        frozenset(place for place in failing if place < shown),
        frozenset(place - shown for place in failing if place >= shown),
        len(tests),
        _symptom(seen),
        frozenset(outcome.line for _, outcome in seen if outcome.ended == "raised"),
        next((_one_symptom(test, one) for test, one in zip(tests, found, strict=True) if one.ended not in _ENDED), ""),
        digest(*(_ending(outcome) for outcome in found)).hex(),
    )


def _ending(outcome: Outcome) -> str:
    """How a call ended, as text; where and after how many lines does not count."""
    values = (outcome.value, outcome.args, None if outcome.kwargs is None else dict(outcome.kwargs))
    return repr((outcome.ended, outcome.error, outcome.message, *map(_text, values)))


def _text(value: Any) -> str:
    """A value as text in which the members of a set are in order; what is too long for that, as it is kept."""
    try:
        return printed(value)
    except Unprintable:
        return marshal.dumps(value, 2).hex()


def _symptom(seen: Sequence[tuple[Test, Outcome]]) -> str:
    """The most frequent one; of equal ones the first."""
    counted = Counter(_one_symptom(test, outcome) for test, outcome in seen)
    return max(counted, key=lambda one: counted[one]) if counted else "none"


def _one_symptom(test: Test, outcome: Outcome) -> str:
    if outcome.ended == "raised":
        return DOES_NOT_PARSE if outcome.error in _UNREADABLE else outcome.error
    if outcome.ended != "returned":
        return {"steps": "does not end", "depth": "RecursionError", "crashed": "crash"}.get(outcome.ended, "too large")
    if test.raises:
        return "no exception"
    wanted = test.outcome
    return "wrong value" if wanted.value != outcome.value else "arguments left wrong"


def each_is_needed(alone: Sequence[Behaviour]) -> bool:
    """Whether each of several bugs fails by itself, and makes a test fail that no other one does.

    One that fails every test, because nothing runs before it, hides the others, and is not held against them.
    """
    if not all(one.is_caught for one in alone):
        return False
    open_ones = [one for one in alone if one.share < 1]
    return len({one.identity for one in alone}) == len(alone) and all(
        one.failing - _union(other.failing for other in open_ones if other is not one) for one in open_ones
    )


def _union(sets: Iterable[frozenset[tuple[bool, int]]]) -> frozenset[tuple[bool, int]]:
    return frozenset[tuple[bool, int]]().union(*sets)
