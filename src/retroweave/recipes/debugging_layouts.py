"""Of code debugging: how a bug is asked about and answered, layout by layout, and the checks that each answer needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from retroweave import assistant, compute, each, mix, reverse, user, verify
from retroweave.pipeline.layout import Layout, Variants
from retroweave.pipeline.pipeline import Mix, Node
from retroweave.pipeline.step import Step
from retroweave.recipes.debugging_answers import (
    CLEAN,
    all_pass,
    cut_function,
    diagnose,
    diagnose_all,
    diagnosis_holds,
    function_repairs,
    patch_repairs,
    say_clean,
    say_clean_of_one,
    write_patch,
)
from retroweave.recipes.debugging_examples import EXAMPLE, no_bug, one_bug, two_turns
from retroweave.recipes.debugging_runs import MEASURED, log_is_real, measure, run_each, run_tests
from retroweave.recipes.debugging_turns import (
    fixes_repair,
    rest_is_told,
    stage,
    stage_hidden,
    write_fixes,
    write_partly,
)
from retroweave.recipes.debugging_words import (
    Report,
    ask,
    tell,
    tell_all,
    tell_form,
    tell_log,
    tell_one_test,
    tell_passing,
    tell_passing_test,
    tell_run,
    words,
)
from retroweave.text.diffs import unified_diff

__all__ = ["ANSWERS", "answers_for_a_models", "answers_for_none", "answers_for_one", "answers_for_several", "held"]

ASKED = "{before}{brought}{after}"
WHOLE = "```python\n{original}```"
PATCH = "```diff\n{patch}```"
LEADS = Variants.of("lead", [*[""] * 40, *(f"{one}\n\n" for one in words("lead"))])


def held(
    check: Callable[..., bool], raises: str | tuple[str, ...] = (), strength: Any = "tested", **spoiled: Any
) -> Step:
    """A check with a row that it accepts, and what spoils it."""
    row = two_turns() if check in (fixes_repair, rest_is_told) else no_bug() if check is all_pass else one_bug()
    return verify(check, raises=raises, strength=strength, good=row, spoiled=spoiled)


# Parts


def asked(*pools: str, report: Report = tell_run) -> Step:
    """A request in words of one of the pools; those that are named more than once are drawn more often."""
    return compute(partial(ask, pools=pools, report=report), writes=("before", "after", "told_by"), name="ask")


def laid_out(name: str, answer: str) -> Layout:
    if "{lead}" in answer:
        return reverse(user(ASKED), assistant(answer), name=name, lead=LEADS)
    return reverse(user(ASKED), assistant(answer), name=name)


def whole(name: str, *pools: str, report: Report) -> tuple[Node, ...]:
    return asked(*pools, report=report), laid_out(name, "{lead}" + WHOLE)


def patched(name: str, *pools: str, report: Report) -> tuple[Node, ...]:
    wrong = unified_diff(one_bug()["brought"], EXAMPLE.replace("> 0", "> 1"))
    checked = held(patch_repairs, "patch", "proved", patch=wrong)
    return asked(*pools, report=report), compute(write_patch, writes="patch"), checked, laid_out(name, PATCH)


def diagnosed(
    name: str,
    *pools: str,
    report: Report,
    say: Callable[..., str] = diagnose,
    answer: str = "{diagnosis}\n\n" + WHOLE,
) -> tuple[Node, ...]:
    checked = held(diagnosis_holds, "diagnosis", diagnosis="Line 3 is wrong.")
    return asked(*pools, report=report), compute(say, writes="diagnosis"), checked, laid_out(name, answer)


def only_function(name: str) -> tuple[Node, ...]:
    checked = held(function_repairs, "changed", "proved", changed=EXAMPLE.replace("> 0", ">= 0"))
    answer = laid_out(name, "```python\n{changed}```")
    return asked("function", report=tell), compute(cut_function, writes="changed"), checked, answer


def real() -> Step:
    return held(log_is_real, "log", log="1 failed, 5 passed\n")


def run_once() -> tuple[Step, ...]:
    return compute(run_tests, writes=("log", "ran", "states", "runs")), real(), measured()


def measured() -> Step:
    return compute(measure, writes=MEASURED)


# Answers

ANSWERS = ("whole", "whole_only", "whole_raw", "patch", "function", "diagnosed", "predicted", "located")
"""To code with one bug; a recipe's config has a weight of this name for each."""


def answers_for_one(weights: Mapping[str, float]) -> tuple[Node, ...]:
    """One bug, one turn."""
    plain = ["diagnose"] * 9
    answers = {
        "whole": whole("whole", *["whole"] * 6, "multi_all", report=tell),
        "whole_only": (asked("whole_only"), laid_out("whole_only", WHOLE)),
        "whole_raw": (asked("whole_raw"), laid_out("whole_raw", "{original}")),
        "patch": patched("patch", *["patch"] * 6, "multi_all_patch", report=tell),
        "function": only_function("function"),
        "diagnosed": diagnosed("diagnosed", *plain, "sound", report=tell),
        "predicted": (asked("predict", report=tell_form), laid_out("predicted", "```text\n{log}```\n\n" + WHOLE)),
        "located": diagnosed("located", "locate", report=tell_one_test, answer="{diagnosis}"),
    }
    arms: dict[str, Any] = {name: (weights[name], *steps) for name, steps in answers.items()}
    return *run_once(), mix("answer", **arms)


def answers_for_several(in_turns: float) -> Mix:
    """Two or three bugs: mended at once, or over several turns."""
    return mix(
        "turns",
        at_once=(6, *at_once()),
        turns=(in_turns, *by_patches()),
        finish=(in_turns / 2, *finished()),
    )


def at_once() -> tuple[Node, ...]:
    return *run_once(), mix(
        "answer for several",
        several=(3, *whole("several", "multi_all", "multi_all", "whole", report=tell_all)),
        several_patch=(2, *patched("several_patch", "multi_all_patch", "multi_all_patch", "patch", report=tell_all)),
        several_diagnosed=(2, *diagnosed("several_diagnosed", "diagnose", report=tell_all, say=diagnose_all)),
    )


def staged(stages: Callable[..., Any], pool: str) -> tuple[Node, ...]:
    runs = compute(run_each, writes=("log", "ran", "later", "runs"))
    parted = compute(stages, writes=("states", "by_turn"))
    return parted, runs, real(), measured(), asked(pool, report=tell_log)


def by_patches() -> tuple[Node, ...]:
    """Each turn mends what its run shows, by a patch."""
    spoiled = {"first_fix": two_turns()["fixes"][0], "fixes": [two_turns()["first_fix"]]}
    return (
        *staged(stage_hidden, "multi_first"),
        compute(write_fixes, writes=("first_fix", "fixes", "reruns")),
        held(fixes_repair, ("first_fix", "fixes"), **spoiled),
        reverse(
            user(ASKED),
            assistant("{first_fix}"),
            each(("reruns", "fixes"), user("{reruns}"), assistant("{fixes}")),
            name="turns",
        ),
    )


def finished() -> tuple[Node, ...]:
    """Somebody mended a part, which is not learnt; the last turn mends all that is left."""
    return (
        *staged(stage, "whole"),
        compute(write_partly, writes=("partly", "rerun")),
        held(rest_is_told, "original", original=two_turns()["brought"]),
        reverse(
            user(ASKED),
            assistant("```python\n{partly}```", train=False),
            user("{rerun}"),
            assistant("{lead}" + WHOLE),
            name="finish",
            lead=LEADS,
        ),
    )


def answers_for_a_models() -> tuple[Node, ...]:
    """A bug that a model wrote. Nobody vouches for a diagnosis of it."""
    return *run_once(), mix(
        "answer for a model's bug",
        asked_whole=(3, *whole("asked_whole", "whole", report=tell)),
        asked_patch=(2, *patched("asked_patch", "patch", report=tell)),
    )


def answers_for_none() -> tuple[Node, ...]:
    """No bug at all, though a user may ask for its repair, and an answer that fits what they asked for."""
    arms: dict[str, Any] = {pool: (1, *asked_for_nothing(pool, clean)) for pool, clean in CLEAN.items()}
    arms["locate"] = (1, asked("locate", report=tell_passing_test), compute(say_clean_of_one, writes="answer"))
    return (
        compute(run_tests, writes=("log", "ran", "states", "runs")),
        measured(),
        mix("what is asked of sound code", **arms),
        held(all_pass, "answer", answer="There is a bug in line 3."),
        laid_out("sound", "{answer}"),
    )


def asked_for_nothing(pool: str, clean: str) -> tuple[Step, ...]:
    say = compute(partial(say_clean, pool=clean), writes="answer", name="say_clean")
    return asked(pool, report=tell_passing), say
