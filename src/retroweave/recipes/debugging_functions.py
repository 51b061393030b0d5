"""Of code debugging: what is worked out once for a function and used at each of its turns.

A function has a turn in each round through the source, so that a small set is of many functions. Its tests and its bugs
hang on the function alone: each turn takes the next bug, and no two of them behave alike. They are remembered for some
hundred functions; what is forgotten is worked out anew, and comes out the same.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from retroweave import Drop
from retroweave.corruptions.bugs.planting import planted
from retroweave.corruptions.bugs.quotas import draw
from retroweave.pipeline.row import digest
from retroweave.pipeline.sandbox import Call, SandboxFailed
from retroweave.pipeline.step import Resource
from retroweave.quality.contamination import screen
from retroweave.recipes.debugging_bugs import OBVIOUS, Candidate, caught, dress, has_docstring
from retroweave.verifiers.mutants import behaviours
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, write_suite

__all__ = [
    "Functions",
    "Version",
    "choose",
    "dress_next",
    "is_first_turn",
    "is_no_benchmark",
    "plant_next",
    "write_tests",
    "write_tests_with",
]

T = TypeVar("T")

REMEMBERED = 300
"""Functions; of the standard library fewer can be used."""
HARD_FIRST = 0.5
"""Of so many functions the bugs that few tests catch come first: by chance alone they are too few in a small set."""


@dataclass(frozen=True, slots=True)
class Version:
    """A function with a bug."""

    original: str
    broken: Candidate


@dataclass(frozen=True, slots=True)
class Bred:
    """The broken versions of a function."""

    kept: tuple[Version, ...]
    """One for each of the first turns."""
    lost: tuple[Version, ...]
    """Those that the tests do not catch."""


class Functions:
    """What each process remembers of functions."""

    def __init__(
        self, sandboxes: Sandboxes, *, shown: int, hidden: int, sites: int, most: int, turns: int, names: bool = True
    ) -> None:
        """The numbers and `names` are those of the recipe's options."""
        self._sandboxes = sandboxes
        self._sizes: dict[str, Any] = {"shown": shown, "hidden": hidden}
        self._sites = sites
        self._most = most
        self._names = names
        self._known = OrderedDict[tuple[Any, ...], Any]()
        self.turns = turns

    def benchmark(self, code: str, function: str, docstring: str) -> str:
        """Why it may be a benchmark's; empty where nothing says so."""

        def made() -> str:
            found = screen(code, function, docstring, self._sandboxes.one, names=self._names)
            return found.reason if found else ""

        return self._once(("benchmark", code, function, docstring), made)

    def suite(self, code: str, function: str, further: Sequence[Call] = ()) -> Suite:
        """Its tests, for which `further` calls are tried first. Raises `Drop` where there are none."""

        def made() -> Suite:
            one, other = self._sandboxes.one, self._sandboxes.other
            rng = Random(digest("tests", code, function))
            return write_suite(code, function, one, other, rng, further=further, **self._sizes)

        return self._once(("suite", code, function, digest(repr(further))), made)

    def bred(self, code: str, function: str, suite: Suite) -> Bred:
        """Its versions with one bug, drawn in the forms in which it is shown, with its docstring and without."""

        def made() -> Bred:
            rng = Random(digest("bugs", code, function, self._sites))
            found = [one for form, _ in dress(code, function, rng) for one in self._broken(form, suite, rng)]
            kept = choose([one for one in found if _is_caught(one)], self._most)
            rng.shuffle(kept)  # or the first turns would have all that few tests catch
            if rng.random() < HARD_FIRST:
                kept.sort(key=lambda one: not _is_hard(one))
            return Bred(tuple(kept), tuple(one for one in found if not _is_caught(one)))

        return self._once(("bred", code, function, digest(repr(suite))), made)

    def _broken(self, original: str, suite: Suite, rng: Random) -> list[Version]:
        bugs = [bug for bug in (draw(original, rng) for _ in range(self._sites)) if bug]
        found = {planted(original, [bug])[0]: bug for bug in bugs}
        seen = behaviours(list(found), suite, self._sandboxes.one)
        bred: dict[str, list[int]] = {}
        for bug, one in zip(found.values(), seen, strict=True):
            counts = bred.setdefault(bug.operator, [0, 0])
            counts[0] += 1
            counts[1] += one.is_caught
        return [
            Version(original, (text, planted(original, [bug])[1], [bug], one, (one,), bred))
            for (text, bug), one in zip(found.items(), seen, strict=True)
        ]

    def _once(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What `make` gives, or the `Drop` or `SandboxFailed` that it raises, worked out once."""
        if key not in self._known:
            try:
                self._known[key] = make()
            except (Drop, SandboxFailed) as error:
                self._known[key] = error
            while len(self._known) > 3 * REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        found = self._known[key]
        if isinstance(found, (Drop, SandboxFailed)):
            raise type(found)(str(found))
        made: T = found
        return made

    def fingerprint(self) -> str:
        """Nothing of its own: it holds what the config and the functions make it hold."""
        return "the functions"


def _is_caught(one: Version) -> bool:
    brought, bugs, _, seen, alone, _ = one.broken
    try:
        return caught(brought, bugs, seen, alone)
    except Drop:
        return False


def choose(versions: Sequence[Version], most: int) -> list[Version]:
    """One for each behaviour, at most two of an operator and one that is obvious; first those that few tests catch."""
    kept: list[Version] = []
    operators: Counter[str] = Counter()
    behaviours: set[str] = set()
    obvious = 0
    for one in sorted(versions, key=lambda one: not _is_hard(one)):
        _, bugs, _, seen, *_ = one.broken
        name = bugs[0]["operator"]
        if seen.identity in behaviours or operators[name] > 1 or (obvious and seen.symptom in OBVIOUS):
            continue
        kept.append(one)
        behaviours.add(seen.identity)
        operators[name] += 1
        obvious += seen.symptom in OBVIOUS
    return _mixed(kept, most)


def _is_hard(one: Version) -> bool:
    return one.broken[3].share < 0.5


def _mixed(kept: list[Version], most: int) -> list[Version]:
    """Those that few tests catch first, up to two thirds; the rest in the order in which they were drawn."""
    hard = [one for one in kept if _is_hard(one)]
    easy = [one for one in kept if not _is_hard(one)]
    count = max(most - len(easy), (2 * most + 2) // 3)
    return (hard[:count] + easy)[:most]


# Steps


@contextmanager
def said_once(code: str, turn: int) -> Iterator[None]:
    """A function that is no use is none at each of its turns, and only at the first one it is said why."""
    try:
        yield
    except (Drop, SandboxFailed) as error:
        if turn:
            raise Drop("the function is no use, as was said at its first turn") from None
        error.add_note(code)
        raise


def is_first_turn(turn: int) -> bool:
    if turn:
        raise Drop("a model is asked at a function's first turn")
    return True


def is_no_benchmark(code: str, function: str, docstring: str, turn: int, functions: Resource[Functions]) -> bool:
    """The function is none of HumanEval, MBPP and QuixBugs: by its code, its docstring, what it does, its name."""
    with said_once(code, turn):
        if reason := functions.benchmark(code, function, docstring):
            raise Drop(reason)
    return True


def write_tests(code: str, function: str, turn: int, functions: Resource[Functions]) -> tuple[Suite, str, str]:
    """Find calls that reach all of the function, record what it makes of them, and keep some of them hidden."""
    return write_tests_with(code, function, [], turn, functions)


def write_tests_with(
    code: str, function: str, further: list[Call], turn: int, functions: Resource[Functions]
) -> tuple[Suite, str, str]:
    """Find calls that reach all of the function, a model's among them, and record what it makes of them."""
    with said_once(code, turn):
        suite = functions.suite(code, function, further)
    return suite, pytest_file(function, suite.shown), pytest_file(function, suite.hidden)


def dress_next(code: str, function: str, suite: Suite, turn: int, functions: Resource[Functions]) -> tuple[str, bool]:
    """The function in the form in which the bug of this turn was planted; see `dress`."""
    kept = functions.bred(code, function, suite).kept
    if turn >= len(kept):
        raise Drop("no further bug of the function behaves otherwise than those before")
    return kept[turn].original, has_docstring(kept[turn].original, function)


def plant_next(
    original: str, code: str, function: str, suite: Suite, turn: int, functions: Resource[Functions]
) -> list[Candidate]:
    """Break the function by the bug of this turn; and by its part of those that the tests do not catch."""
    bred = functions.bred(code, function, suite)
    return [bred.kept[turn].broken, *(one.broken for one in bred.lost[turn :: functions.turns])]
