"""Of code transformation: the functions that can be asked for, and ways from one to another by near ones."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from random import Random
from typing import Any

from retroweave import Drop
from retroweave.corruptions.bugs.planting import planted
from retroweave.corruptions.bugs.quotas import draw
from retroweave.pipeline.row import digest
from retroweave.pipeline.sandbox import Outcome, Sandbox, SandboxFailed
from retroweave.pipeline.step import Resource
from retroweave.quality.contamination import screen
from retroweave.sources.neighbours import Neighbour, Neighbours
from retroweave.text.python_code import without_examples
from retroweave.verifiers.examples import telling
from retroweave.verifiers.guessing import guessed
from retroweave.verifiers.inputs import LIMITS, Effort
from retroweave.verifiers.mutants import behaviours
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, Test, failing, write_suite

__all__ = ["State", "Tested", "Wanted", "called", "find_ways", "is_apart"]

TESTS = 60
"""So many tests of a function are written, and its examples chosen among them."""
BROKEN = 60
"""So many bugs are planted to choose them by."""
KINDS = {"logic": 3.0, "access": 1.0}
"""Bugs of other kinds are noticed by any test."""


@dataclass(frozen=True)
class State:
    """A function on the way, with its tests."""

    name: str
    signature: str
    docstring: str
    code: str
    url: str
    suite: Suite

    @property
    def tests(self) -> tuple[Test, ...]:
        return (*self.suite.shown, *self.suite.hidden)


class Tested:
    """The functions that can be a state: their tests are written once in a process, for each is on many ways."""

    def __init__(self, sandboxes: Sandboxes, *, examples: int, hidden: int, pinned: float, names: bool) -> None:
        """At most so many tests are examples, and about so many hidden; for `pinned` see `telling`."""
        self._sandboxes = sandboxes
        self._bounds: dict[str, Any] = {"fewest": 5, "most": examples, "hidden": hidden, "share": pinned}
        self._names = names
        self._found: dict[str, State | Drop | SandboxFailed] = {}
        self._steps: dict[tuple[str, str], bool] = {}

    def state(self, one: Neighbour) -> State:
        """Raises `Drop` where it cannot be one, and `SandboxFailed`, each time the same."""
        if one.key not in self._found:
            try:
                self._found[one.key] = self._made(one)
            except (Drop, SandboxFailed) as error:
                self._found[one.key] = error
        found = self._found[one.key]
        if isinstance(found, State):
            return found
        raise type(found)(str(found))

    def follows(self, one: Neighbour, other: Neighbour) -> bool:
        """Whether a user could ask for `other` who has `one`: it is not there yet, and does something else."""
        pair = (one.key, other.key)
        if pair not in self._steps:
            self._steps[pair] = self._is_step(one, other)
        return self._steps[pair]

    def _made(self, one: Neighbour) -> State:
        sandbox = self._sandboxes.one
        if "```" in one.code:
            raise Drop("the code holds a fence")
        if match := screen(one.code, one.name, one.docstring, sandbox, names=self._names):
            raise Drop(match.reason)
        rng = Random(digest("tests", one.code, one.name))
        effort = Effort(enough=TESTS)
        suite = write_suite(one.code, one.name, sandbox, self._sandboxes.other, rng, hidden=TESTS, effort=effort)
        bugs = [bug for bug in (draw(one.code, rng, KINDS) for _ in range(BROKEN)) if bug]
        broken = list(dict.fromkeys(planted(one.code, [bug])[0] for bug in bugs))
        suite = telling(suite, behaviours(broken, suite, sandbox), **self._bounds)
        return State(one.name, one.signature, one.docstring, one.code, one.url, suite)

    def _is_step(self, one: Neighbour, other: Neighbour) -> bool:
        if _brings(one.code, other.name):
            return False
        try:
            before, after = self.state(one), self.state(other)
            outcomes = called(before.code, before.name, after.suite.shown, self._sandboxes.one)
        except Drop:
            return False  # why it is no state is told where it is a target itself
        return bool(failing(after.suite.shown, outcomes)) and is_told(after, before)

    def fingerprint(self) -> str:
        """Nothing of its own: it holds what the config and the functions make it hold."""
        return "the tests"


def is_told(one: State, before: State) -> bool:
    """Whether the code before, its head, its docstring and its examples leave nothing of a function to guess."""
    tests = (f"{test.text} {test.value}" for test in one.suite.shown)
    return not guessed(without_examples(one.code), " ".join([before.code, one.signature, one.docstring, *tests]))


def called(code: str, name: str, tests: Sequence[Test], sandbox: Sandbox) -> list[Outcome]:
    return sandbox.call(code, name, [test.call for test in tests], LIMITS)


# The way

Way = tuple[Neighbour, ...]


@dataclass(frozen=True)
class Wanted:
    """What kind of ways are wanted; see the options of the recipe."""

    near: float
    fewest: int
    longest: int
    ways: int


def find_ways(
    code: str,
    function: str,
    neighbours: Resource[Neighbours],
    tested: Resource[Tested],
    wanted: Resource[Wanted],
    rng: Random,
) -> list[tuple[list[State], float]]:
    """Find ways that lead to the function by others, each nearer to it than the one before."""
    target = neighbours.of(code, function)
    tested.state(target)  # which may be dropped, for a reason of its own
    found = islice(neighbours.paths(target, wanted.near, wanted.longest, tested.follows), 400)
    long_enough = [path for path in found if len(path) > wanted.fewest and is_apart(path)]
    if not long_enough:
        raise Drop("no way leads to it by near functions")
    several = [path for path in long_enough if len(path) > 2] or long_enough

    def crowd(path: Way) -> int:
        return sum(len(neighbours.near(one, wanted.near)) for one in path[1:-1])

    return [
        (
            [tested.state(one) for one in path],
            round(min(neighbours.nearness(*pair) for pair in pairwise(path)), 3),
        )
        for path in _choose(several, wanted.ways, crowd, rng)
    ]


def is_apart(path: Way) -> bool:
    """Whether no function brings a later one along: else the answer would stand there already."""
    names = [one.name for one in path]
    return len(set(names)) == len(names) and not any(
        _brings(one.code, later) for place, one in enumerate(path) for later in names[place + 1 :]
    )


def _brings(code: str, name: str) -> bool:
    """Whether a code defines or imports a function of this name."""
    return any(
        (isinstance(node, ast.FunctionDef) and node.name == name)
        or (isinstance(node, ast.alias) and name in (node.name, node.asname))
        for node in ast.walk(ast.parse(code))
    )


def _choose(paths: list[Way], most: int, crowd: Callable[[Way], int], rng: Random) -> list[Way]:
    """A few that begin at different functions, of as many lengths as there are, past others than everybody's."""
    rng.shuffle(paths)
    chosen: list[Way] = []
    while len(chosen) < most:
        begun = {path[0] for path in chosen}
        passed = {one for path in chosen for one in path[1:-1]}
        lengths = [len(path) for path in chosen]
        left = [path for path in paths if path[0] not in begun]
        if not left:
            break
        chosen.append(min(left, key=lambda path: (lengths.count(len(path)), len(passed & {*path}), crowd(path))))
    return chosen
