"""Of code debugging: several bugs that are mended over several turns, with a real run between them.

A model that learns to mend what a log shows and no more learns to stop early: in most pairs of bugs the log tells of
one alone. So most samples with several bugs have one turn, in which all of them are mended. Where there are more turns

- each trained turn mends all that its run shows: without the bugs that are left every call would end as it did;
- or it is the last one, after an untrained turn that mended a part, and mends all that is left;
- nobody says how many bugs there are, and the tests are run again on the code as it stands;
- the order is that in which bugs are met: what cannot be read, what stops, what is wrong.

A trained turn is not the half-mended code, which is known to be wrong, but the patch that leads to it: what it adds is
the original's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random

from retroweave import About, Drop
from retroweave.corruptions.bugs.diagnosis import describe, description_holds
from retroweave.corruptions.bugs.planting import Bug, planted
from retroweave.corruptions.bugs.rounds import groupings
from retroweave.corruptions.bugs.site import VOICES
from retroweave.pipeline.step import Resource
from retroweave.recipes.debugging_answers import is_news, listed
from retroweave.recipes.debugging_bugs import has_log, passes_its_tests
from retroweave.recipes.debugging_runs import fails_as_told
from retroweave.recipes.debugging_words import log_frame, words
from retroweave.text.diffs import unified_diff
from retroweave.verifiers.logs import Log
from retroweave.verifiers.mutants import behaviour, behaviours
from retroweave.verifiers.patches import PatchError, apply_unified
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite

__all__ = ["fixes_repair", "rest_is_told", "stage", "stage_hidden", "write_fixes", "write_partly"]

PAIRS_LEFT = 2 / 3


def stage_hidden(
    brought: About[str], original: str, sites: list[Bug], suite: Suite, sandboxes: Resource[Sandboxes], rng: Random
) -> tuple[list[str], list[str]]:
    """Part the bugs into turns, so that each run shows those that its turn mends and nothing of those that are left.

    A run shows nothing of a bug where each call ends as it would without it: the log tells just what is mended next.
    Of three bugs two are mended in one turn where that can be, and most pairs are left to other layouts: who sees one
    bug a turn and nothing else learns to stop at the first.
    """
    if len(sites) == 2 and rng.random() < PAIRS_LEFT:
        raise Drop("two bugs, one a turn: there are enough of them")
    for groups in sorted(groupings(sites, rng), key=len):
        states, alone = _states(original, groups)
        seen = behaviours([*states, *alone], suite, sandboxes.one)
        with_rest, without = seen[: len(states)], seen[len(states) :]
        if all(one.identity == other.identity and has_log(one) for one, other in zip(with_rest, without, strict=True)):
            return states, alone
    raise Drop("each run shows all bugs that are left, so they are mended in one turn")


def stage(
    brought: About[str], original: str, sites: list[Bug], suite: Suite, sandboxes: Resource[Sandboxes], rng: Random
) -> tuple[list[str], list[str]]:
    """Part the bugs into two turns, whatever the runs show: what is left after the first is mended in the second."""
    for groups in groupings(sites, rng):
        states, alone = _states(original, groups)
        if len(groups) == 2 and all(has_log(one) for one in behaviours(states, suite, sandboxes.one)):
            return states, alone
    raise Drop("no log of what is left")


def _states(original: str, groups: Sequence[Sequence[Bug]]) -> tuple[list[str], list[str]]:
    """The code before each turn, and the code with nothing but the bugs that the turn mends."""
    left = [[bug for group in groups[place:] for bug in group] for place in range(len(groups))]
    return [planted(original, bugs)[0] for bugs in left], [planted(original, group)[0] for group in groups]


def write_fixes(
    brought: About[str],
    states: About[list[str]],
    later: list[Log],
    original: str,
    sites: list[Bug],
    rng: Random,
) -> tuple[str, list[str], list[str]]:
    """For each turn say what is wrong and write the patch, and let the user come back with the next run."""
    nexts = [*states[1:], original]
    voice = rng.choice(VOICES)
    fixes = []
    for old, new in zip(states, nexts, strict=True):
        here, there = (_planted_in(text, original, sites) for text in (old, new))
        mended = [record for bug, record in zip(here, planted(original, here)[1], strict=True) if bug not in there]
        fixes.append(f"{listed(describe(mended, rng, voice))}\n\n```diff\n{unified_diff(old, new, 'solution.py')}```")
    reruns = [f"{rng.choice(words('multi_next'))}\n\n{log_frame(one, rng, headed=False)}" for one in later]
    return fixes[0], fixes[1:], reruns


def _planted_in(text: str, original: str, sites: Sequence[Bug]) -> list[Bug]:
    """Which of the bugs a text holds, from top to bottom."""
    ordered = sorted(sites, key=lambda bug: bug.site.edits[0])
    every = (list(some) for count in range(len(ordered) + 1) for some in combinations(ordered, count))
    return next(some for some in every if planted(original, some)[0] == text)


def fixes_repair(
    brought: About[str],
    first_fix: str,
    fixes: list[str],
    reruns: About[list[str]],
    before: About[str],
    after: About[str],
    original: str,
    sites: list[Bug],
    by_turn: About[list[str]],
    later: list[Log],
    suite: Suite,
    sandboxes: Resource[Sandboxes],
) -> bool:
    """Patch by patch the broken code becomes the original, and no patch adds a line that is not of it.

    What stands before a patch is true. Each state in between fails as its run says, and all that its run shows is
    mended in its turn.
    """
    code, said = brought, f"{before}\n{after}"
    for place, fix in enumerate([first_fix, *fixes]):
        if place:
            if not _is_told(later[place - 1], reruns[place - 1], code, suite, sandboxes):
                return False
            said += f"\n{reruns[place - 1]}"
        shows_no_more = behaviour(by_turn[place], suite, sandboxes.one).identity
        mended = _mended(code, fix, original, sites, said)
        if mended is None or behaviour(code, suite, sandboxes.one).identity != shows_no_more:
            return False
        code = mended
    return code == original


def _is_told(run: Log, rerun: str, code: str, suite: Suite, sandboxes: Sandboxes) -> bool:
    """Whether a user shows a run, and the code fails as it says."""
    return run.text.strip() in rerun and fails_as_told(run, code, suite, sandboxes)


def _mended(code: str, fix: str, original: str, sites: Sequence[Bug], said: str) -> str | None:
    """The code after a turn's patch; None where the turn says what is not so."""
    sentences, _, patch = fix.partition("\n\n```diff\n")
    patch = patch.removesuffix("```")
    try:
        mended = apply_unified(code, patch)
        left = _planted_in(mended, original, sites)
    except (PatchError, StopIteration):
        return None
    here = _planted_in(code, original, sites)
    records = [one for bug, one in zip(here, planted(original, here)[1], strict=True) if bug not in left]
    found = [line.removeprefix("- ") for line in sentences.split("\n")]
    lines = set(original.splitlines())
    if len(found) != len(records) or not is_news([patch], said):
        return None
    if not all(description_holds(one, record, code) for one, record in zip(found, records, strict=True)):
        return None
    added = [line[1:] for line in patch.splitlines()[3:] if line.startswith("+")]
    return mended if all(line in lines for line in added) else None


def write_partly(states: About[list[str]], later: list[Log], rng: Random) -> tuple[str, str]:
    """The code as somebody gave it back who mended a part, and the run that the user comes back with."""
    return states[1], f"{rng.choice(words('multi_again'))}\n\n{log_frame(later[0], rng, headed=False)}"


def rest_is_told(
    original: str,
    states: About[list[str]],
    ran: Log,
    later: list[Log],
    rerun: About[str],
    suite: Suite,
    sandboxes: Resource[Sandboxes],
) -> bool:
    """What was given back fails as the second run says, and not as the first; and the original passes."""
    if later[0].text == ran.text:
        raise Drop("the second run says the same as the first")
    told = _is_told(later[0], rerun, states[1], suite, sandboxes)
    return told and passes_its_tests(original, suite, sandboxes)
