"""Of code debugging: what answers rest on besides the original, and the checks that they are right."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from retroweave import About, Drop
from retroweave.corruptions.bugs.diagnosis import describe, description_holds
from retroweave.pipeline.step import Resource
from retroweave.recipes.debugging_bugs import Record, bugs_are_all, passes_its_tests
from retroweave.recipes.debugging_words import can_be_quoted, filled, words
from retroweave.text.diffs import unified_diff
from retroweave.text.python_code import function_text, top_functions
from retroweave.verifiers.logs import Log
from retroweave.verifiers.patches import unified_restores
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, Test

__all__ = [
    "CLEAN",
    "all_pass",
    "cut_function",
    "diagnose",
    "diagnose_all",
    "diagnosis_holds",
    "function_repairs",
    "is_news",
    "listed",
    "patch_repairs",
    "say_clean",
    "say_clean_of_one",
    "write_patch",
]

CLEAN = {
    "sound": "clean",
    "whole": "clean_whole",
    "patch": "clean_patch",
    "diagnose": "clean_diagnose",
    "function": "clean_function",
}
"""Pools of requests to the pools of answers where nothing is wrong: who wants a patch is told that there is none."""


def write_patch(brought: About[str], original: str) -> str:
    """The repair as `diff -u` writes it."""
    return unified_diff(brought, original, "solution.py")


def patch_repairs(brought: About[str], patch: str, original: str, before: About[str], after: About[str]) -> bool:
    """Applied to the broken code the patch gives the original, and no line that it adds stands in the request."""
    return unified_restores(brought, patch, original) and is_news([patch], f"{before}\n{after}")


def is_news(patches: Sequence[str], request: str) -> bool:
    """Whether no line that a patch adds, if it is long enough to be told, stands in what was said before."""
    added = [line[1:].strip() for patch in patches for line in patch.splitlines() if line.startswith("+")]
    return not any(len(line) > 30 and not line.startswith("++ ") and line in request for line in added)


def cut_function(brought: About[str], original: str, bugs: About[list[Record]]) -> str:
    """The function of the original in which the bug is."""
    places = top_functions(original)
    inside = [
        name
        for name, (first, last) in places.items()
        if all(first <= original.count("\n", 0, edit["start"]) + 1 <= last for bug in bugs for edit in bug["edits"])
    ]
    changed = function_text(original, places[inside[0]]) if inside else ""
    if not changed or len(changed.strip()) > 0.9 * len(original.strip()):
        raise Drop("the code is hardly more than the function")
    return changed


def function_repairs(brought: About[str], changed: str, original: str, before: About[str], after: About[str]) -> bool:
    """It is a function of the original, what stands around it is the same in the broken code, and nobody said it."""
    start = original.find(changed)
    head, tail = original[:start], original[start + len(changed) :]
    found = start >= 0 and brought.startswith(head) and brought.endswith(tail) and "def " in changed
    return found and changed not in before + after and len(head) + len(tail) < len(brought)


def diagnose(brought: About[str], bugs: list[Record], rng: Random) -> str:
    """Say what is wrong, bug by bug, in the words of their operators and in one voice."""
    return listed(describe(bugs, rng))


def diagnose_all(brought: About[str], bugs: list[Record], rng: Random) -> str:
    """Say what is wrong, and first that it is more than one thing: the user may have asked for the mistake."""
    return f"{filled(rng.choice(words('multi_found')), **_counted(bugs))}\n\n{diagnose(brought, bugs, rng)}"


def _counted(bugs: Sequence[Record]) -> dict[str, str]:
    count = {2: "two", 3: "three"}.get(len(bugs), str(len(bugs)))
    return {"count": count, "Count": count.title()}


def listed(sentences: Sequence[str]) -> str:
    return sentences[0] if len(sentences) == 1 else "\n".join(f"- {one}" for one in sentences)


def diagnosis_holds(
    brought: About[str], bugs: list[Record], diagnosis: str, original: str, before: About[str], after: About[str]
) -> bool:
    """Each sentence is true of its bug and names its line, and the bugs are all that is wrong with the code."""
    before_list, _, listed_ones = diagnosis.rpartition("\n\n")
    found = [line.removeprefix("- ") for line in listed_ones.split("\n")] if len(bugs) > 1 else [diagnosis]
    known = {filled(one, **_counted(bugs)) for one in words("multi_found")} if len(bugs) > 1 else {""}
    return (
        len(found) == len(bugs)
        and (not before_list or before_list in known)
        and all(description_holds(one, bug, brought) for one, bug in zip(found, bugs, strict=True))
        and bugs_are_all(original, brought, bugs)
        and diagnosis not in before + after
    )


def say_clean(suite: Suite, rng: Random, pool: str) -> str:
    """Say that the tests pass and that nothing points to a bug, in words that fit what was asked for."""
    return filled(rng.choice(words(pool)), count=str(len(suite.shown)))


def say_clean_of_one(before: About[str], after: About[str], suite: Suite, rng: Random) -> str:
    """Say that the one test that is shown is met, and that no line is to blame."""
    test = next(test for test in suite.shown if _is_shown(test, suite, before + after))
    return filled(rng.choice(words("clean_test")), call=test.text, wanted=test.value)


def _is_shown(test: Test, suite: Suite, said: str) -> bool:
    return can_be_quoted(test) and pytest_file(suite.function, [test]).strip() in said


def all_pass(
    answer: str,
    ran: Log,
    brought: str,
    before: About[str],
    after: About[str],
    suite: Suite,
    sandboxes: Resource[Sandboxes],
) -> bool:
    """All tests pass; the answer says so of the log that the user shows, or of the one test."""
    said = before + after
    if ran.failed or not passes_its_tests(brought, suite, sandboxes):
        return False
    if ran.text.strip() in said:
        count = str(len(suite.shown))
        return answer in {filled(one, count=count) for pool in CLEAN.values() for one in words(pool)}
    tests = [test for test in suite.shown if _is_shown(test, suite, said)]
    return answer in {filled(one, call=test.text, wanted=test.value) for test in tests for one in words("clean_test")}
