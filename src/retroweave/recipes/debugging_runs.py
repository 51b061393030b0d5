"""Of code debugging: what the tests print when they are run on broken code, and how hard the bug is to find."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from retroweave import About, Drop
from retroweave.pipeline.step import Resource
from retroweave.recipes.debugging_bugs import OBVIOUS, Record, told
from retroweave.verifiers.logs import Log, Run, agrees, logs
from retroweave.verifiers.mutants import DOES_NOT_PARSE, Behaviour, behaviour, made_of, outcomes
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite

__all__ = ["MEASURED", "fails_as_told", "log_is_real", "measure", "run_each", "run_tests"]

STYLES: dict[str, float] = {
    "quiet": 6,
    "short": 4,
    "long": 3,
    "verbose": 2,
    "native": 2,
    "locals": 1,
    "first": 2,
    "line": 1,
}
STYLES |= {"summary": 0.5, "unittest": 3, "doctest": 1, "script": 1.5, "repl": 1.5}
PASSING: dict[str, float] = {"quiet": 4, "long": 3, "verbose": 3, "unittest": 2}
MEASURED = ("bug_count", "edit_count", "turns", "kinds", "operators", "failing", "easy", "shows", "obvious", "style")


def run_tests(
    brought: About[str],
    function: str,
    suite: Suite,
    bugs: About[list[Record]],
    sandboxes: Resource[Sandboxes],
    rng: Random,
) -> tuple[str, Log, list[str], list[Record]]:
    """Run the shown tests on the code behind the sandbox's layers, in one of many styles, and keep what is printed."""
    style, most = _style(suite, bugs, rng)
    found = _run([brought], function, suite, style, most, sandboxes)
    return found[0].text, found[0], [brought], [_ran(one) for one in found]


def run_each(
    brought: About[str],
    states: About[list[str]],
    function: str,
    suite: Suite,
    bugs: About[list[Record]],
    sandboxes: Resource[Sandboxes],
    rng: Random,
) -> tuple[str, Log, list[Log], list[Record]]:
    """Run the shown tests on the code as it stands before each turn, each time in the same style."""
    style, most = _style(suite, bugs, rng)
    found = _run(states, function, suite, style, most, sandboxes)
    return found[0].text, found[0], found[1:], [_ran(one) for one in found]


def _style(suite: Suite, bugs: Sequence[Record], rng: Random) -> tuple[str, int]:
    weights = STYLES if bugs else PASSING
    style = rng.choices(list(weights), list(weights.values()))[0]
    capped = style in ("quiet", "short", "long", "native") and len(suite.shown) > 3 and rng.random() < 0.4
    return style, rng.choice((1, 2, 2, 3)) if capped and bugs else 0


def _run(states: Sequence[str], function: str, suite: Suite, style: str, most: int, sandboxes: Sandboxes) -> list[Log]:
    """The logs of some states of the code; where the tests cannot be put in a style, they are run by plain pytest."""
    try:
        return _logs(states, function, suite, style, most, sandboxes)
    except Drop:
        return _logs(states, function, suite, "quiet", 0, sandboxes)


def _logs(states: Sequence[str], function: str, suite: Suite, style: str, most: int, sandboxes: Sandboxes) -> list[Log]:
    return logs([Run(one, function, suite.shown, style, most) for one in states], sandboxes.one.run_program)


def _ran(log: Log) -> Record:
    return {"command": log.command, "style": log.style, "file": log.file, "tests": log.tests, "log": log.text}


def log_is_real(log: str, ran: Log, brought: About[str], suite: Suite, sandboxes: Resource[Sandboxes]) -> bool:
    """Called by itself under two hash seeds, the code fails shown and hidden tests, and just those of the log."""
    return log == ran.text and fails_as_told(ran, brought, suite, sandboxes)


def fails_as_told(ran: Log, code: str, suite: Suite, sandboxes: Sandboxes) -> bool:
    found = outcomes(code, suite, sandboxes.one)
    seen = made_of(suite, found)
    reason = ""
    if seen != behaviour(code, suite, sandboxes.other):
        reason = "the bug shows otherwise under another hash seed"
    elif not seen.is_caught:
        reason = "by itself it passes its tests"
    elif not agrees(ran, suite.shown, found[: len(suite.shown)]):
        reason = "the log tells of other failures than the sandbox"
    if reason:
        raise told(reason, code, f"$ {ran.command}\n{ran.text}")
    return True


def measure(
    brought: About[str],
    bugs: About[list[Record]],
    suite: Suite,
    states: About[list[str]],
    ran: Log,
    sandboxes: Resource[Sandboxes],
) -> tuple[int, int, int, list[str], list[str], float, bool, str, bool, str]:
    """How hard it is: bugs, edits, turns, kinds, operators, the share of tests that fail, and how the bug shows."""
    seen = behaviour(brought, suite, sandboxes.one)
    at = {edit["line"] for bug in bugs for edit in bug["edits"]} | {bug["line"] for bug in bugs}
    return (
        len(bugs),
        sum(len(bug["edits"]) for bug in bugs),
        len(states),
        sorted({bug["kind"] for bug in bugs}),
        [bug["operator"] for bug in bugs],
        round(seen.share, 3),
        seen.share >= 0.5,
        _shows(seen, at),
        seen.symptom in OBVIOUS,
        ran.style,
    )


def _shows(seen: Behaviour, at: set[int]) -> str:
    if not seen.lines or seen.symptom == DOES_NOT_PARSE:
        return seen.symptom
    return "exception in its line" if seen.lines & at else "exception elsewhere"
