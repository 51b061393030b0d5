"""Tests as a person who asks for a function would show them: few, telling, and written in one of many ways.

A few examples pin a function down as far as they tell it from functions that are nearly it. So they are chosen by
broken variants of it, as test suites are by mutants: first the one that most variants get wrong, then the one that most
of the others do. What is shown is what the test was recorded with; nothing is worked out here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from retroweave.pipeline.errors import Drop
from retroweave.verifiers.mutants import UNTOLD, Behaviour
from retroweave.verifiers.plain import printed
from retroweave.verifiers.suites import Suite, Test

__all__ = ["STYLES", "result", "shown", "telling"]

_EASY = 30
"""Characters of a call that is easily read."""
_INLINE = 100
"""Characters of a call and its value that fit into a sentence."""


def telling(suite: Suite, variants: Sequence[Behaviour], *, fewest: int, most: int, hidden: int, share: float) -> Suite:
    """The suite with those tests shown that tell the function from its broken variants, and about so many hidden.

    `variants` are what the suite makes of them. Raises `Drop` where `most` tests do not tell it from this share of
    those that the whole suite tells it from, where they all give the same, or where the suite is blind to half of them.
    """
    tests = (*suite.shown, *suite.hidden)
    caught = _caught(suite, variants)
    if 2 * len(caught) < len({one.identity for one in variants}):
        raise Drop("its tests are blind to half of what could be wrong with it")
    chosen = _choose(tests, caught, most)
    if len([one for one in caught if one & chosen]) < share * len(caught):
        raise Drop(f"{most} examples do not pin it down")
    _pad(tests, chosen, fewest)
    if len({result(tests[place]) for place in chosen}) < 2:
        raise Drop("its examples all give the same")
    # Those that were shown come first: they reach all of it, and so does what is returned.
    rest = [test for place, test in enumerate(tests) if place not in chosen]
    reaching = sum(place not in chosen for place in range(len(suite.shown)))
    examples = tuple(tests[place] for place in sorted(chosen))
    return replace(suite, shown=examples, hidden=tuple(rest[: max(hidden, reaching)]))


def _caught(suite: Suite, variants: Sequence[Behaviour]) -> list[frozenset[int]]:
    """Of each variant that some test tells from the function, no two alike, the places of the tests that do."""
    kinds = {one.identity: one for one in variants if one.symptom != UNTOLD}
    places = [one.shown | {len(suite.shown) + place for place in one.hidden} for one in kinds.values()]
    return [frozenset(found) for found in places if found]


def _choose(tests: Sequence[Test], caught: Sequence[frozenset[int]], most: int) -> set[int]:
    """Always the test that tells most of what is left; each variant is to be told twice, if it can be."""
    chosen: set[int] = set()
    for times in (1, 2):
        while len(chosen) < most:
            left = [found - chosen for found in caught if len(found & chosen) < min(times, len(found))]
            if not left:
                break
            counts = Counter(place for found in left for place in found)
            chosen.add(min(counts, key=lambda place: (-counts[place], _oddness(tests[place]), place)))
    return chosen


def _pad(tests: Sequence[Test], chosen: set[int], fewest: int) -> None:
    """Further ones until there are enough: first those that give something new, then the ones that are easily read."""
    while len(chosen) < min(fewest, len(tests)):
        told = {result(tests[place]) for place in chosen}
        left = set(range(len(tests))) - chosen
        chosen.add(min(left, key=lambda place: (result(tests[place]) in told, _oddness(tests[place]), place)))


def _oddness(test: Test) -> int:
    """How far it is from what is easily read: an empty argument says little, and a long one or its result too much."""
    return abs(len(test.text) - _EASY) + max(0, len(test.value) - 2 * _EASY)


def shown(tests: Sequence[Test], style: str) -> str | None:
    """The tests in a style of `STYLES`; nothing where one of them cannot be written so."""
    return STYLES[style](tests)


def result(test: Test) -> str:
    """What must come of a call, in a few words of English and Python."""
    if test.raises:
        return f"raises {test.value}"
    if not test.changes_arguments:
        return test.value
    return f"{test.value}, and its arguments are then {_arguments(test)}"


def _arguments(test: Test) -> str:
    """All of them, as they are after the call."""
    call, outcome = test.call, test.outcome
    args = call.args if outcome.args is None else outcome.args
    kwargs = call.kwargs if outcome.kwargs is None else outcome.kwargs
    return ", ".join([*map(printed, args), *(f"{name}={printed(one)}" for name, one in kwargs.items())])


def _asserts(tests: Sequence[Test]) -> str | None:
    if any(test.changes_arguments or test.raises for test in tests):
        return None
    lines = [f"assert {test.text} {'is' if test.value in _SINGLETONS else '=='} {test.value}" for test in tests]
    return _fenced(lines, "python")


def _session(tests: Sequence[Test]) -> str | None:
    if any(test.changes_arguments or (not test.raises and repr(test.outcome.value) != test.value) for test in tests):
        return None
    return _fenced([line for test in tests for line in (f">>> {test.text}", *_reply(test))], "pycon")


def _reply(test: Test) -> list[str]:
    if test.raises:
        return ["Traceback (most recent call last):", "  ...", test.value]
    return [] if test.value == "None" else [test.value]


def _arrows(tests: Sequence[Test]) -> str:
    return _fenced([f"{test.text} -> {result(test)}" for test in tests], "")


def _comments(tests: Sequence[Test]) -> str:
    return _fenced([f"{test.text}  # {result(test)}" for test in tests], "python")


def _bullets(tests: Sequence[Test]) -> str | None:
    return _lines(tests, lambda call, value: f"- `{call}` gives `{value}`", "- `{}` raises `{}`")


def _wishes(tests: Sequence[Test]) -> str | None:
    return _lines(tests, lambda call, value: f"* for `{call}` I expect `{value}`", "* for `{}` I expect `{}`")


def _equations(tests: Sequence[Test]) -> str | None:
    return _lines(tests, lambda call, value: f"`{call}` = `{value}`  ", "`{}` raises `{}`  ")


def _table(tests: Sequence[Test]) -> str | None:
    rows = _lines(tests, lambda call, value: f"| `{call}` | `{value}` |", "| `{}` | raises `{}` |")
    if rows is None or any("|" in test.text + test.value for test in tests):
        return None
    return f"| call | result |\n| --- | --- |\n{rows}"


def _lines(tests: Sequence[Test], line: Callable[[str, str], str], raising: str) -> str | None:
    """Lines of prose that quote code; nothing where a quote would be long or hold the mark that ends it."""
    if any(
        test.changes_arguments or "`" in test.text + test.value or len(test.text + test.value) > _INLINE
        for test in tests
    ):
        return None
    return "\n".join(
        raising.format(test.text, test.value) if test.raises else line(test.text, test.value) for test in tests
    )


def _fenced(lines: Sequence[str], language: str) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


_SINGLETONS = frozenset({"None", "True", "False"})
STYLES: Mapping[str, Callable[[Sequence[Test]], str | None]] = {
    "asserts": _asserts,
    "session": _session,
    "arrows": _arrows,
    "comments": _comments,
    "bullets": _bullets,
    "wishes": _wishes,
    "equations": _equations,
    "table": _table,
}
"""Ways to write tests down."""
