"""Of code debugging: what a user says who brings broken code: a request, the code, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from retroweave import About, Drop
from retroweave.pipeline.sandbox import Outcome
from retroweave.pipeline.step import Resource
from retroweave.recipes.debugging_bugs import Record
from retroweave.recipes.debugging_bugs import told as rejected
from retroweave.text.variants import Words
from retroweave.verifiers.guessing import guessed
from retroweave.verifiers.logs import Log, told
from retroweave.verifiers.mutants import outcomes
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, Test, passes

__all__ = [
    "Report",
    "ask",
    "can_be_quoted",
    "filled",
    "log_frame",
    "tell",
    "tell_all",
    "tell_form",
    "tell_log",
    "tell_one_test",
    "tell_passing",
    "tell_passing_test",
    "tell_run",
    "words",
]

_QUOTED = 100
"""Characters of a call and its value."""

words = Words(Path(__file__).with_name("code_debugging"))

Report = Callable[[Log, Suite, list[Record], Sequence[Outcome], Random], tuple[str, list[str]]]
"""How a failure is told: a word for that, and the parts that a user shows."""


def ask(
    pools: tuple[str, ...],
    report: Report,
    brought: About[str],
    original: About[str],
    ran: Log,
    suite: Suite,
    bugs: About[list[Record]],
    sandboxes: Resource[Sandboxes],
    rng: Random,
) -> tuple[str, str, str]:
    """Put a request into words: what stands before the code and after it, and how the failure is told.

    What the repair puts in must follow from the request. A number may be worked out from results; a text that stands
    nowhere could only be made up.
    """
    kind, parts = report(ran, suite, bugs, outcomes(brought, suite, sandboxes.one)[: len(suite.shown)], rng)
    pool = rng.choice(pools) if kind != "words" else f"{pools[0]}_said"
    request = rng.choice(words(pool)).replace("{command}", ran.command)
    head, tail = _code_frame(rng)
    after = rng.random() < 0.7
    if unsaid := [one for one in guessed(original, "\n".join([request, brought, *parts])) if not _is_number(one)]:
        raise rejected("the repair holds a text that the request does not", brought, *parts, *unsaid)
    before = [request, *([] if after else parts), head]
    return "\n\n".join(before[:-1]) + "\n\n" + head, tail + "".join(f"\n\n{part}" for part in parts if after), kind


def _is_number(literal: str) -> bool:
    return literal.lstrip("-")[0].isdigit()


def _code_frame(rng: Random) -> tuple[str, str]:
    """What stands around the code."""
    frame = rng.choice((*words("code_frames"), *words("code_named"))).replace("{file}", "solution.py")
    head, tail = frame.split("{code}")
    return head, tail.rstrip("\n")


def tell(ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random) -> tuple[str, list[str]]:
    """The log, often with the tests; now and then the user's own words for what goes wrong."""
    if rng.random() < 0.15 and (said := _said(suite, found, rng)):
        return "words", [said]
    return tell_run(ran, suite, bugs, found, rng)


def tell_run(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """The log, often with the tests; always with them where it does not show what was called."""
    if not ran.shows_calls or rng.random() < 0.4:
        return tell_all(ran, suite, bugs, found, rng)
    return tell_log(ran, suite, bugs, found, rng)


def tell_all(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """The log and the tests: of several bugs the log may show one alone. A session shows its tests itself."""
    if not ran.file:
        return tell_log(ran, suite, bugs, found, rng)
    parts = [log_frame(ran, rng), _tests_frame(ran.file, ran.tests, rng)]
    return "log and tests", parts[:: rng.choice((1, -1))]


def tell_log(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """The log, and never the tests."""
    return "log", [log_frame(ran, rng)]


def tell_form(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """The tests, and not what they print: of that they say how it is to be written down."""
    if not ran.file:
        raise Drop("a session has no file of tests")
    form = filled(rng.choice(words("form_pytest" if "pytest" in ran.command else "form_other")), command=ran.command)
    return "tests", [form, _tests_frame(ran.file, ran.tests, rng)]


def tell_one_test(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """One test that fails, and not what it prints."""
    failing = [test for test, outcome in zip(suite.shown, found, strict=True) if not passes(test, outcome)]
    return _one_test(suite, rng.choice(failing), rng)


def _one_test(suite: Suite, test: Test, rng: Random) -> tuple[str, list[str]]:
    return "one test", [_tests_frame("test_solution.py", pytest_file(suite.function, [test]), rng)]


def tell_passing(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """The log of a run that passes, and as often as elsewhere the tests."""
    return (tell_all if rng.random() < 0.4 else tell_log)(ran, suite, bugs, found, rng)


def tell_passing_test(
    ran: Log, suite: Suite, bugs: list[Record], found: Sequence[Outcome], rng: Random
) -> tuple[str, list[str]]:
    """One test, of which the user thinks that it fails."""
    quotable = [test for test in suite.shown if can_be_quoted(test)]
    if not quotable:
        raise Drop("no test can be quoted in a sentence")
    return _one_test(suite, rng.choice(quotable), rng)


def can_be_quoted(test: Test) -> bool:
    """Whether a sentence has room for the call and for what it returns, which is all that the test looks at."""
    told = test.text + test.value
    return not test.raises and not test.changes_arguments and "`" not in told and len(told) <= _QUOTED


def log_frame(ran: Log, rng: Random, *, headed: bool = True) -> str:
    """A log as it is pasted; without a heading where a sentence leads up to it."""
    pools = ("log_bare", "log_typed", "log_headed") if headed else ("log_bare", "log_typed")
    frame = rng.choice([frame for pool in pools for frame in words(pool)])
    return filled(frame, log=ran.text, command=ran.command)


def _tests_frame(file: str, tests: str, rng: Random) -> str:
    frame = rng.choice(words("tests_named"))
    return filled(frame if file.endswith(".py") else frame.replace("```python", "```text"), file=file, tests=tests)


def filled(frame: str, **values: str) -> str:
    """A phrasing with its values, which may hold braces of their own."""
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], frame).rstrip("\n")


def _said(suite: Suite, found: Sequence[Outcome], rng: Random) -> str:
    """What fails, in the user's own words; nothing where it takes too many."""
    failing = [(test, outcome) for test, outcome in zip(suite.shown, found, strict=True) if not passes(test, outcome)]
    facts = list(dict.fromkeys(_fact(test, outcome) for test, outcome in failing[:3]))
    if None in facts:
        return ""
    lines = [filled(rng.choice(words(pool)), **dict(fields)) for pool, fields in filter(None, facts)]
    if len(lines) == 1:
        return lines[0]
    return "\n".join([rng.choice(words("said_intro")), *(f"- {line}" for line in lines)])


def _fact(test: Test, outcome: Outcome) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    one = told(test, outcome)
    return None if one is None else (one.pool, tuple(one.fields.items()))
