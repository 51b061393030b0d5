"""Code debugging: broken functions and what their tests print, and the originals that they were broken from.

The steps are in `debugging_bugs` (functions, tests and bugs), `debugging_runs` (logs), `debugging_words` (what a user
says), `debugging_answers` and `debugging_turns`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from retroweave import (
    Config,
    Pipeline,
    also,
    assistant,
    compute,
    corrupt,
    each,
    family,
    mix,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.pipeline.layout import Layout, Variants
from retroweave.pipeline.pipeline import Cap, Node
from retroweave.pipeline.step import Step
from retroweave.recipes.debugging_answers import (
    all_pass,
    cut_function,
    diagnose,
    diagnosis_holds,
    function_repairs,
    patch_repairs,
    say_clean,
    write_patch,
)
from retroweave.recipes.debugging_asked import ask_for_calls, asked_bug, write_tests_with
from retroweave.recipes.debugging_bugs import (
    bugs_are_all,
    caught,
    choose,
    dress,
    dress_once,
    is_no_benchmark,
    nothing_planted,
    passes_its_tests,
    plant_one,
    plant_several,
    suite_is_its_own,
    write_tests,
)
from retroweave.recipes.debugging_examples import EXAMPLE, SUITE, no_bug, one_bug, two_turns
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
    tell_log,
    tell_one_test,
    tell_run,
    tell_tests,
    words,
)
from retroweave.sources.functions import Corpus, Notices
from retroweave.text.diffs import unified_diff
from retroweave.verifiers.sandbox.shared import Sandboxes

__all__ = ["CodeDebugging", "code_debugging"]


class CodeDebugging(Config):
    code: Path | None = None
    """A folder or a .py file of your own code to break; the standard library if left out."""
    license: str | None = None
    """The SPDX licence of your code, such as MIT, for files that do not name their own."""
    installed: bool = False
    """Whether to take in each installed distribution that is permissive by its metadata."""
    standard: bool | None = None
    """Whether to take in the standard library; so it is where nothing else is named."""
    unsafe: bool = False
    """Whether to run code even where the sandbox lacks a property that it needs."""
    names: bool = True
    """Whether a function that is called like one of a benchmark is left out for its name alone."""
    shown: int = Field(5, ge=3, le=20)
    """About how many tests a user has; more where fewer do not reach all of the function."""
    hidden: int = Field(12, ge=1, le=40)
    """How many further tests are kept back, at most."""
    sites: int = Field(40, ge=1, le=500)
    """How many broken versions of a function are tried, with its docstring and again without."""
    most: int = Field(6, ge=1, le=50)
    """How many of them are kept, at most; no two behave alike."""
    several: int = Field(2, ge=0, le=20)
    """How many versions with two or three bugs are kept besides, at most."""
    model: str | None = None
    """A model that breaks functions too, and thinks of calls: openai:NAME@URL, embedded:NAME; none if left out."""
    asked: int = Field(2, ge=1, le=20)
    """With a model, how many of its bugs are kept of a function, at most; it is asked up to twice as often."""
    no_bug: float = Field(0.05, ge=0, le=1)
    """The largest share of samples whose code has no bug."""
    obvious: float = Field(0.15, ge=0, le=1)
    """The largest share of samples whose code does not parse or ends in a NameError."""
    easy: float = Field(0.6, ge=0, le=1)
    """The largest share of samples whose code fails half of its tests or more."""
    whole: float = Field(3, ge=0)
    """Weight of answers that are the whole code, with or without a few words before it."""
    whole_only: float = Field(1, ge=0)
    """Weight of answers that are the whole code in a fence and nothing else."""
    whole_raw: float = Field(0.5, ge=0)
    """Weight of answers that are the whole code as plain text, with no fence."""
    patch: float = Field(2, ge=0)
    """Weight of answers that are a unified diff."""
    function: float = Field(1, ge=0)
    """Weight of answers that are just the function that changes, where the code has more than that."""
    diagnosed: float = Field(2, ge=0)
    """Weight of answers that say first what is wrong."""
    predicted: float = Field(1, ge=0)
    """Weight of answers that begin with what the tests print."""
    located: float = Field(1, ge=0)
    """Weight of answers that say which line is wrong, and why, and mend nothing."""
    in_turns: float = Field(2, ge=0)
    """Of samples with several bugs, weight of those that are mended over several turns; it is 6 for all at once."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of functions held out for validation, near-duplicates together."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if not any(getattr(self, name) for name in ANSWERS):
            raise ValueError(f"one of the weights {', '.join(ANSWERS)} must be above 0")
        return self


ANSWERS = ("whole", "whole_only", "whole_raw", "patch", "function", "diagnosed", "predicted", "located")


# The pipeline

LOG = ("bugs", "sites", "seen", "alone", "bred")
KEPT = ("function", "url", "original", "states", "runs", "shown_tests", "hidden_tests", "bugs", "bred")
MEASURES = (*MEASURED, "told_by", "has_docstring", "statements")
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


def diagnosed(name: str, *pools: str, report: Report, answer: str = "{diagnosis}\n\n" + WHOLE) -> tuple[Node, ...]:
    checked = held(diagnosis_holds, "diagnosis", diagnosis="Line 3 is wrong.")
    return asked(*pools, report=report), compute(diagnose, writes="diagnosis"), checked, laid_out(name, answer)


def only_function(name: str) -> tuple[Node, ...]:
    checked = held(function_repairs, "changed", "proved", changed=EXAMPLE.replace("> 0", ">= 0"))
    answer = laid_out(name, "```python\n{changed}```")
    return asked("function", report=tell), compute(cut_function, writes="changed"), checked, answer


def bred(plant: Callable[..., Any], tries: int, most: int) -> tuple[Node, ...]:
    """Broken versions of a function, of which the tests catch each, and no two behave alike."""
    survivor = replace(one_bug()["seen"], shown=frozenset(), hidden=frozenset())
    siblings = family(
        compute(dress, writes=("original", "has_docstring"), many=True),
        held(passes_its_tests, "original", original=one_bug()["brought"]),
        corrupt(partial(plant, tries=tries), into="brought", log=LOG, many=True, name=plant.__name__),
        held(caught, seen=survivor),
        pick=partial(choose, most=most),
        name=f"{plant.__name__}, and see",
    )
    return siblings, held(bugs_are_all, "bugs", "proved", bugs=[])


def real() -> Step:
    return held(log_is_real, "log", log="1 failed, 5 passed\n")


def run_once() -> tuple[Step, ...]:
    return compute(run_tests, writes=("log", "ran", "states", "runs")), real(), measured()


def measured() -> Step:
    return compute(measure, writes=MEASURED)


def single(config: CodeDebugging) -> tuple[Node, ...]:
    """One bug, one turn."""
    plain = ["diagnose"] * 9
    answers = {
        "whole": whole("whole", *["whole"] * 6, "multi_all", report=tell),
        "whole_only": (asked("whole_only"), laid_out("whole_only", WHOLE)),
        "whole_raw": (asked("whole_raw"), laid_out("whole_raw", "{original}")),
        "patch": patched("patch", *["patch"] * 6, "multi_all_patch", report=tell),
        "function": only_function("function"),
        "diagnosed": diagnosed("diagnosed", *plain, "sound", report=tell),
        "predicted": (asked("predict", report=tell_tests), laid_out("predicted", "```text\n{log}```\n\n" + WHOLE)),
        "located": diagnosed("located", "locate", report=tell_one_test, answer="{diagnosis}"),
    }
    arms: dict[str, Any] = {name: (getattr(config, name), *steps) for name, steps in answers.items()}
    return *bred(plant_one, config.sites, config.most), *run_once(), mix("answer", **arms)


def several(config: CodeDebugging) -> tuple[Node, ...]:
    """Two or three bugs: mended at once, or over several turns."""
    return *bred(plant_several, 4 * config.several, config.several), mix(
        "turns",
        at_once=(6, *at_once()),
        turns=(config.in_turns, *by_patches()),
        finish=(config.in_turns / 2, *finished()),
    )


def at_once() -> tuple[Node, ...]:
    return *run_once(), mix(
        "answer for several",
        several=(3, *whole("several", "multi_all", "multi_all", "whole", report=tell_all)),
        several_patch=(2, *patched("several_patch", "multi_all_patch", "multi_all_patch", "patch", report=tell_all)),
        several_diagnosed=(2, *diagnosed("several_diagnosed", "diagnose", report=tell_all)),
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


def by_model(most: int) -> tuple[Node, ...]:
    """A bug that a model wrote. Nobody vouches for a diagnosis of it."""
    survivor = replace(one_bug()["seen"], shown=frozenset(), hidden=frozenset())
    siblings = family(
        compute(dress_once, writes=("original", "has_docstring")),
        held(passes_its_tests, "original", original=one_bug()["brought"]),
        asked_bug(),
        held(caught, seen=survivor),
        pick=partial(choose, most=most),
        want=most,
        tries=2 * most,
        name="ask a model, and see",
    )
    answer = mix(
        "answer for a model's bug",
        asked_whole=(3, *whole("asked_whole", "whole", report=tell)),
        asked_patch=(2, *patched("asked_patch", "patch", report=tell)),
    )
    return siblings, held(bugs_are_all, "bugs", "proved", bugs=[]), *run_once(), answer


def tested(config: CodeDebugging) -> tuple[Step, ...]:
    """The tests, with calls that a model thought of where there is one."""
    writes = ("suite", "shown_tests", "hidden_tests")
    shown, hidden = config.shown, config.hidden
    if config.model is None:
        return (compute(partial(write_tests, shown=shown, hidden=hidden), writes=writes, name="write_tests"),)
    wrong = replace(SUITE, hidden=(replace(SUITE.hidden[0], outcome=SUITE.hidden[1].outcome),))
    return (
        compute(ask_for_calls, writes="further"),
        compute(partial(write_tests_with, shown=shown, hidden=hidden), writes=writes, name="write_tests"),
        held(suite_is_its_own, "suite", suite=wrong),
    )


def sound(share: float) -> tuple[Node, ...]:
    """No bug at all."""
    return (
        compute(dress_once, writes=("original", "has_docstring")),
        held(passes_its_tests, "original", original=one_bug()["brought"]),
        compute(partial(nothing_planted, share=share), writes=("brought", "bugs", "bred"), name="nothing_planted"),
        compute(run_tests, writes=("log", "ran", "states", "runs")),
        measured(),
        asked("sound", "whole", "patch", "diagnose", "function", "locate", report=tell_log),
        compute(say_clean, writes="answer"),
        held(all_pass, "answer", answer="There is a bug in line 3."),
        laid_out("sound", "{answer}"),
    )


OURS = {"code": Path(__file__).with_suffix("") / "example.py", "license": "CC0-1.0"}


@recipe(example=CodeDebugging.model_validate(OURS))
def code_debugging(config: CodeDebugging) -> Pipeline:
    """Mend broken Python functions by what their tests print.

    Functions that work are broken on purpose, in ways and shares like those of real fixes, and kept where their tests
    catch it. They are laid out in reverse: the broken code and its real error log, then the original. A model learns to
    mend them as whole code, as a patch, as the one function that changes, with a diagnosis first and over several
    turns, to foretell what the tests print, to find the line that is wrong, and to say where nothing is.

    Guaranteed: the original passes all its tests, shown and hidden, and the broken code fails some of each, in a
    sandbox and under two hash seeds; the bugs of the record are the only difference between the two; each log is of a
    real run. Not guaranteed: that the original is right. Its tests were recorded from it and prove only that it still
    does what it did, so the evidence is `tested`. Another repair than the original may be as good.

    After the code debugging pipeline of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data.
    """
    code = Corpus.of(config.code, license=config.license, standard=config.standard, installed=config.installed)
    often = 0.9 * (config.most + config.several) * config.no_bug  # a function with bugs gives many samples
    caps = [Cap("obvious", {True: config.obvious}), Cap("easy", {True: config.easy})]
    arms = {"one": single(config)}
    if config.several:
        arms["several"] = several(config)
    if config.model:
        arms["by_model"] = by_model(config.asked)
    if config.no_bug:
        arms["none"] = sound(often)
        caps.append(Cap("layout", {"sound": config.no_bug}))
    return Pipeline(
        replace(code.source(), again=False),  # a second draw would break the same functions again, beyond their caps
        verify(
            partial(is_no_benchmark, names=config.names),
            good=one_bug(),
            spoiled={"function": "has_close_elements"},
            name="is_no_benchmark",
        ),
        *tested(config),
        also("bugs", **arms),
        models={"breaker": config.model} if config.model else {},
        resources={"config": config, "sandboxes": Sandboxes(config.unsafe), "notices": Notices(code)},
        caps=caps,
        keep=KEPT,
        measures=MEASURES,
        validation=config.validation,
    )
