"""A test suite for a function that is right by decree: what it does now is what it must go on doing.

The search finds calls that reach every line and both ways out of every condition. Of these a few are chosen to be
shown, which together reach all of it; further ones are hidden, to tell who only learnt the shown ones by heart. What a
call must give is never worked out or guessed: it is what the source gave, three times, in two processes whose hash
seeds differ, in one order and in the other.

Such tests tell that a function still does what it did, and not that this is what its author wanted ("characterisation
tests": Feathers, *Working Effectively with Legacy Code*).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from retroweave.pipeline.errors import Drop
from retroweave.pipeline.sandbox import Call, Outcome, Sandbox
from retroweave.verifiers.branches import Branches, Goal
from retroweave.verifiers.inputs import LIMITS, Effort, Found, Search, settled
from retroweave.verifiers.parameters import Signature
from retroweave.verifiers.plain import Unprintable, printed, rebuilt

__all__ = ["UNSTABLE", "Suite", "Test", "agree", "failing", "passes", "write_suite"]

UNSTABLE = "unstable: not the same in another process"
_ROUNDS = 5
"""How often unstable calls are replaced by others."""


@dataclass(frozen=True, slots=True)
class Test:
    """A call, and what must come of it."""

    call: Call
    text: str
    """The call as source."""
    value: str
    """What it must return, as source; the name of the exception where it must raise one."""
    outcome: Outcome

    __test__ = False  # pytest collects what is called so

    @property
    def raises(self) -> bool:
        return self.outcome.ended == "raised"

    @property
    def changes_arguments(self) -> bool:
        return self.outcome.args is not None or self.outcome.kwargs is not None


@dataclass(frozen=True, slots=True)
class Suite:
    function: str
    shown: tuple[Test, ...]
    """They reach all that there is to be reached."""
    hidden: tuple[Test, ...]
    goals: int
    """How many lines and ways out of conditions there are to be reached."""
    calls: int
    """How many were made to find these."""

    @property
    def changes_arguments(self) -> bool:
        return any(test.changes_arguments for test in (*self.shown, *self.hidden))


def write_suite(
    code: str,
    function: str,
    sandbox: Sandbox,
    other: Sandbox,
    rng: Random,
    *,
    fewest: int = 3,
    shown: int = 5,
    hidden: int = 8,
    effort: Effort | None = None,
    further: Sequence[Call] = (),
) -> Suite:
    """Tests for a function at the top level of a source that stands alone.

    `other` is a sandbox whose processes have another hash seed. At least `fewest` tests are shown, and `shown` where
    fewer reach all; up to `hidden` further ones are kept back, at least one. The arguments of each call are its own.
    `further` are calls that somebody else thought of: they are tried first.
    Raises `Drop` with a reason that can be counted where there is no such suite, and `SandboxFailed`.
    """
    branches = Branches.of(code)
    signature = Signature.of(code, function)
    signature = replace(signature, examples=(*further, *signature.examples))
    search = Search(signature, branches, rng, effort or Effort())
    search.run(sandbox)
    _require_reached(search)
    found = search.found
    for _ in range(_ROUNDS):
        chosen = _chosen(found, branches.goals, fewest, shown, hidden)
        tests, unstable = _recorded(code, function, [*chosen.shown, *chosen.hidden], sandbox, other)
        if not unstable:
            count = len(chosen.shown)
            return Suite(function, tuple(tests[:count]), tuple(tests[count:]), len(branches.goals), search.calls)
        # A set's order, say: where that hangs on some inputs only, others will do.
        found = [one for one in found if one.text not in unstable]
    raise Drop(UNSTABLE)


@dataclass(frozen=True, slots=True)
class _Chosen:
    shown: list[Found]
    hidden: list[Found]


def _chosen(found: Sequence[Found], goals: frozenset[Goal], fewest: int, shown: int, hidden: int) -> _Chosen:
    """Calls to show, and calls to hide. Raises `Drop` where there are too few."""
    if not goals <= frozenset[Goal]().union(*(one.reached for one in found)):
        raise Drop(UNSTABLE)
    first = _covering(found, goals)
    first += _varied(found, first, max(0, shown - len(first)))
    rest = _varied(found, first, hidden)
    if len(first) < fewest or not rest:
        raise Drop(f"fewer than {fewest + 1} tests")
    if len({one.result for one in first}) < 2:
        raise Drop("fewer than 2 different outputs")
    return _Chosen(first, rest)


def _require_reached(search: Search) -> None:
    if not search.found:
        reason = search.refused.most_common(1)[0][0] if search.refused else "no input was found"
        raise Drop(f"nothing returns: {reason}")
    if search.missing:
        raise Drop("coverage is not full")


def _covering(found: Sequence[Found], goals: frozenset[Goal]) -> list[Found]:
    """A few of the calls that reach all goals together: always the one that reaches most of what is missing."""
    missing = set(goals)
    chosen: list[Found] = []
    while missing:
        best = max(found, key=lambda one: (len(missing & one.reached), -one.cost))
        missing -= best.reached
        chosen.append(best)
    return [one for one in chosen if not _is_needless(one, chosen, goals)] if len(chosen) > 1 else chosen


def _is_needless(one: Found, chosen: list[Found], goals: frozenset[Goal]) -> bool:
    """Whether the others reach all without it; then it is taken out of them at once."""
    others = [other for other in chosen if other is not one]
    if frozenset[Goal]().union(*(other.reached for other in others)) >= goals:
        chosen.remove(one)
        return True
    return False


def _varied(found: Sequence[Found], taken: Sequence[Found], count: int) -> list[Found]:
    """Further calls: first those that differ from all before in output, then in what they reach, then the plain."""
    results = {one.result for one in taken}
    ways = {one.reached for one in taken}
    texts = {one.text for one in taken}
    left = sorted((one for one in found if one.text not in texts), key=lambda one: one.cost)
    chosen: list[Found] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda one: (one.result in results, one.reached in ways))
        left.remove(best)
        chosen.append(best)
        results.add(best.result)
        ways.add(best.reached)
    return chosen


def _recorded(
    code: str, function: str, every: Sequence[Found], sandbox: Sandbox, other: Sandbox
) -> tuple[list[Test], set[str]]:
    """The tests, with what the source itself gave; and the calls of which it did not give the same each time."""
    recorded = sandbox.call(code, function, [_call(one) for one in every], LIMITS)
    # The other way round: what one call leaves behind for the next shows.
    backwards = [_call(one, backwards=True) for one in reversed(every)]
    again = other.call(code, function, backwards, LIMITS)[::-1]
    tests: list[Test] = []
    unstable: set[str] = set()
    for one, given, second in zip(every, recorded, again, strict=True):
        first = settled(one.call, given)
        if agree(first, one.outcome) and agree(first, settled(one.call, second)):
            tests.append(Test(one.call, one.text, one.value, first))
        else:
            unstable.add(one.text)
    return tests, unstable


def _call(one: Found, *, backwards: bool = False) -> Call:
    args = rebuilt(one.call.args, backwards=backwards)
    return Call(args, rebuilt(dict(one.call.kwargs), backwards=backwards))


def agree(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are the same by type and value; lines and steps may differ."""
    return _essence(one) == _essence(other)


def _essence(outcome: Outcome) -> tuple[Any, ...]:
    value = _text(outcome.value) if outcome.plain else outcome.value
    changed = (_text(outcome.args), _text(None if outcome.kwargs is None else dict(outcome.kwargs)))
    return outcome.ended, value, outcome.plain, outcome.error, outcome.message, changed, outcome.printed


def _text(value: Any) -> str:
    """A value as text that tells its types; one that cannot stand in a test, as Python shows it."""
    try:
        return printed(value)
    except Unprintable as error:
        return f"{type(value).__name__} that {error}"


def passes(test: Test, outcome: Outcome) -> bool:
    """Whether an outcome is what the written test asks for.

    As pytest would say: `==` for values, `is` for True, False and None; the arguments, where the original changed them.
    """
    wanted = test.outcome
    if wanted.ended != outcome.ended or wanted.error != outcome.error or not outcome.plain:
        return False
    if wanted.ended != "returned":
        return True
    if isinstance(wanted.value, bool | None) and outcome.value is not wanted.value:
        return False
    return bool(wanted.value == outcome.value) and _leaves(test, outcome)


def _leaves(test: Test, outcome: Outcome) -> bool:
    """Whether the arguments are after the call what the original made of them, where it changed them."""
    wanted, call = test.outcome, test.call
    args = call.args if outcome.args is None else outcome.args
    kwargs = call.kwargs if outcome.kwargs is None else outcome.kwargs
    return (wanted.args is None or wanted.args == args) and (wanted.kwargs is None or wanted.kwargs == kwargs)


def failing(tests: Iterable[Test], outcomes: Iterable[Outcome]) -> list[Test]:
    """The tests that do not pass."""
    return [test for test, outcome in zip(tests, outcomes, strict=True) if not passes(test, outcome)]
