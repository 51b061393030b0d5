"""Of code debugging: what answers rest on besides the original, and the checks that they are right."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from retroweave import About, Drop
from retroweave.corruptions.bugs.diagnosis import describe, description_holds
from retroweave.pipeline.step import Resource
from retroweave.recipes.debugging_bugs import Record, bugs_are_all, passes_its_tests
from retroweave.recipes.debugging_words import filled, words
from retroweave.text.diffs import unified_diff
from retroweave.text.python_code import function_text, top_functions
from retroweave.verifiers.logs import Log
from retroweave.verifiers.patches import unified_restores
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite

__all__ = [
    "all_pass",
    "cut_function",
    "diagnose",
    "diagnosis_holds",
    "function_repairs",
    "is_news",
    "listed",
    "patch_repairs",
    "say_clean",
    "write_patch",
]


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


def listed(sentences: Sequence[str]) -> str:
    return sentences[0] if len(sentences) == 1 else "\n".join(f"- {one}" for one in sentences)


def diagnosis_holds(
    brought: About[str], bugs: list[Record], diagnosis: str, original: str, before: About[str], after: About[str]
) -> bool:
    """Each sentence is true of its bug and names its line, and the bugs are all that is wrong with the code."""
    found = [line.removeprefix("- ") for line in diagnosis.split("\n")] if len(bugs) > 1 else [diagnosis]
    return (
        len(found) == len(bugs)
        and all(description_holds(one, bug, brought) for one, bug in zip(found, bugs, strict=True))
        and bugs_are_all(original, brought, bugs)
        and diagnosis not in before + after
    )


def say_clean(suite: Suite, rng: Random) -> str:
    """Say that the tests pass and that nothing points to a bug."""
    return filled(rng.choice(words("clean")), count=str(len(suite.shown)))


def all_pass(
    answer: str,
    ran: Log,
    brought: str,
    before: About[str],
    after: About[str],
    suite: Suite,
    sandboxes: Resource[Sandboxes],
) -> bool:
    """All tests pass, the log that the user shows says so, and the answer tells how many of them there are."""
    passing = not ran.failed and ran.text.strip() in before + after and passes_its_tests(brought, suite, sandboxes)
    return passing and answer in {filled(one, count=str(len(suite.shown))) for one in words("clean")}
