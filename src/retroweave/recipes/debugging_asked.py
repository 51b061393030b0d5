"""Of code debugging: bugs and tests that a model writes, where one is named.

Bugs are asked for in three ways: a mistake of a kind that makes a test fail, a mistake of its own choice, and the
function written anew, of which those are kept that are wrong. Whatever it says, the tests decide, and of what it
changed only the edits stay that they notice. There is no diagnosis of such a bug: nobody vouches for one.

Of tests it gives the calls: those that it would make, and those of assertions that the function passes. What they
give, the function is run to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from retroweave import Drop, compute, corrupt, mix, prompt
from retroweave.corruptions.bugs.planting import Bug
from retroweave.corruptions.rewriting import broken_by, code_in, least, put_into
from retroweave.pipeline.model import Model
from retroweave.pipeline.pipeline import Mix
from retroweave.pipeline.sandbox import Call
from retroweave.pipeline.step import Resource, Step
from retroweave.recipes.debugging_words import words
from retroweave.text.generation import generate
from retroweave.verifiers.asked import calls_asserted, read_calls
from retroweave.verifiers.mutants import Behaviour, behaviour
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox.assertions import run_tests
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite

__all__ = ["ask_for_calls", "asked_bug"]


async def ask_for_calls(code: str, function: str, sandboxes: Resource[Sandboxes], breaker: Model) -> list[Call]:
    """Ask for calls as JSON, and for a test file; take what can be used of either, be it nothing."""
    given = {"original": code, "function": function, "breaker": breaker}
    found: list[Call] = []
    with suppress(Drop):  # of an answer that cannot be used: the search finds calls by itself
        said = await generate(words.prompt("calls"), model="breaker")(**given)
        found += read_calls([str(one) for one in said], function)
    with suppress(Drop):
        said = await generate(words.prompt("assertions"), model="breaker")(**given)
        found += calls_asserted(run_tests(sandboxes.one, code, function, _test_file(said, function)))
    return found


def _test_file(said: str, function: str) -> str:
    """A model's test file; a base model goes on after the import."""
    text = code_in(said)
    return text if "solution" in text else f"from solution import {function}\n\n{text}"


def wish(function: str, suite: Suite, rng: Random) -> tuple[str, str]:
    """Choose what the mistake is to be, and a test that is to fail."""
    lines = pytest_file(function, [rng.choice(suite.shown)]).strip().split("\n")
    return rng.choice(words("wishes")), "\n".join(line.removeprefix("    ") for line in lines[_body(lines) :])


def asked_bug() -> Mix:
    """From a function with its suite to a version of it that the model `breaker` broke."""
    return mix(
        "how a model is asked",
        so=(2, compute(wish, writes=("kind", "test")), *_broken("break_so")),
        freely=(2, *_broken("break_freely")),
        anew=(1, *_broken("rewrite")),
    )


def _body(lines: Sequence[str]) -> int:
    """Where the body of the only test begins."""
    return next(number for number, line in enumerate(lines, 1) if line.startswith("def test_"))


def _broken(name: str) -> tuple[Step, Step]:
    ask = generate(words.prompt(name), model="breaker", parse=code_in)
    log = ("bugs", "sites", "seen", "alone", "bred")
    return prompt(ask, writes="answer", name=name), corrupt(
        plant_answer, into="brought", log=log, name=f"{name}: plant"
    )


def plant_answer(
    original: str, function: str, answer: str, suite: Suite, sandboxes: Resource[Sandboxes]
) -> tuple[str, list[dict[str, Any]], list[Bug], Behaviour, tuple[Behaviour, ...], dict[str, list[int]]]:
    """Of what the model changed keep those edits that the tests notice."""

    def behaves(texts: Sequence[str]) -> list[str]:
        return [behaviour(text, suite, sandboxes.one).identity for text in texts]

    text, record = broken_by(original, least(original, put_into(original, answer), function, behaves))
    seen = behaviour(text, suite, sandboxes.one)
    return text, record, [], seen, (seen,), {"by_model": [1, int(seen.is_caught)]}
