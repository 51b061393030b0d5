"""Code debugging: broken functions and what their tests print, and the originals that they were broken from.

The steps are in `debugging_functions` (tests, and bugs turn by turn), `debugging_bugs`, `debugging_runs` (logs),
`debugging_words` (what a user says), `debugging_answers` and `debugging_turns`; what is asked and answered is made of
them in `debugging_layouts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from retroweave import Pipeline, also, compute, corrupt, family, mix, recipe
from retroweave.pipeline.pipeline import Cap, Mix, Node
from retroweave.pipeline.step import Step
from retroweave.recipes.code_options import CodeOptions
from retroweave.recipes.debugging_asked import ask_for_calls, asked_bug
from retroweave.recipes.debugging_bugs import (
    bugs_are_all,
    caught,
    dress_once,
    hardest,
    nothing_planted,
    passes_its_tests,
    plant_several,
    suite_is_its_own,
)
from retroweave.recipes.debugging_examples import SUITE, one_bug
from retroweave.recipes.debugging_functions import (
    Functions,
    dress_next,
    is_first_turn,
    is_no_benchmark,
    plant_next,
    write_tests,
    write_tests_with,
)
from retroweave.recipes.debugging_layouts import (
    ANSWERS,
    answers_for_a_models,
    answers_for_none,
    answers_for_one,
    answers_for_several,
    held,
)
from retroweave.recipes.debugging_runs import MEASURED
from retroweave.sources.functions import Notices

__all__ = ["CodeDebugging", "code_debugging"]


class CodeDebugging(CodeOptions):
    shown: int = Field(5, ge=3, le=20)
    """About how many tests a user has; more where fewer do not reach all of the function."""
    hidden: int = Field(12, ge=1, le=40)
    """How many further tests are kept back, at most."""
    sites: int = Field(40, ge=1, le=500)
    """How many broken versions of a function are tried, with its docstring and again without."""
    most: int = Field(8, ge=1, le=50)
    """How many of them are kept, at most; no two behave alike."""
    several: int = Field(3, ge=0, le=20)
    """How many with two or three bugs are kept, about; a function gives no more samples than both together."""
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
    """Weight of answers that say which line is wrong, and what is wrong there, and do not write the code out."""
    in_turns: float = Field(2, ge=0)
    """Of samples with several bugs, weight of those that are mended over several turns; it is 6 for all at once."""

    @property
    def turns(self) -> int:
        """How often a function has its turn, at each of which it gives a sample."""
        return self.most + self.several

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if not any(getattr(self, name) for name in ANSWERS):
            raise ValueError(f"one of the weights {', '.join(ANSWERS)} must be above 0")
        return self


LOG = ("bugs", "sites", "seen", "alone", "bred")
KEPT = ("function", "url", "original", "states", "runs", "shown_tests", "hidden_tests", "bugs", "bred")
MEASURES = (*MEASURED, "told_by", "has_docstring", "statements")


def tested(config: CodeDebugging) -> tuple[Step, ...]:
    """The tests, with calls that a model thought of where there is one."""
    writes = ("suite", "shown_tests", "hidden_tests")
    if config.model is None:
        return (compute(write_tests, writes=writes),)
    wrong = replace(SUITE, hidden=(replace(SUITE.hidden[0], outcome=SUITE.hidden[1].outcome),))
    return (
        compute(ask_for_calls, writes="further"),
        compute(write_tests_with, writes=writes, name="write_tests"),
        held(suite_is_its_own, "suite", suite=wrong),
    )


def dressed(dress: Callable[..., Any] = dress_once) -> tuple[Step, ...]:
    """The function as it is shown when it is right."""
    passing = held(passes_its_tests, "original", original=one_bug()["brought"])
    return compute(dress, writes=("original", "has_docstring")), passing


def is_caught() -> Step:
    return held(caught, seen=replace(one_bug()["seen"], shown=frozenset(), hidden=frozenset()))


def are_all() -> Step:
    return held(bugs_are_all, "bugs", "proved", bugs=[])


def with_one(config: CodeDebugging) -> tuple[Node, ...]:
    planted = corrupt(plant_next, into="brought", log=LOG, many=True)
    return *dressed(dress_next), planted, is_caught(), are_all(), *answers_for_one(config.model_dump())


def with_several(config: CodeDebugging) -> tuple[Node, ...]:
    plant = partial(plant_several, tries=8, turns=config.turns)
    planted = corrupt(plant, into="brought", log=LOG, many=True, name="plant_several")
    pick = partial(hardest, most=1)
    siblings = family(*dressed(), planted, is_caught(), pick=pick, name="plant_several, and see")
    return siblings, are_all(), answers_for_several(config.in_turns)


def with_none() -> tuple[Node, ...]:
    return *dressed(), compute(nothing_planted, writes=("brought", "bugs", "bred")), *answers_for_none()


def by_model(most: int) -> tuple[Node, ...]:
    """The bugs that a model writes, all of them at the first turn."""
    pick = partial(hardest, most=most)
    siblings = family(
        *dressed(),
        asked_bug(),
        is_caught(),
        pick=pick,
        want=most,
        tries=2 * most,
        name="ask a model, and see",
    )
    return held(is_first_turn, turn=1), siblings, are_all(), *answers_for_a_models()


def broken(config: CodeDebugging) -> Mix:
    """At each turn of a function one sample: with one bug, with several, or with none."""
    arms: dict[str, Any] = {"one": (config.most, *with_one(config))}
    if config.several:
        arms["several"] = (config.several, *with_several(config))
    if config.no_bug:
        share = 0.6 * config.no_bug  # of turns; of samples it is more, since a function as it is never fails
        arms["none"] = (config.turns * share / (1 - share), *with_none())
    return mix("bugs", **arms)


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
    code, sandboxes = config.corpus(), config.sandboxes()
    sizes = {name: getattr(config, name) for name in ("shown", "hidden", "sites", "most", "turns", "names")}
    caps = [Cap("obvious", {True: config.obvious}), Cap("easy", {True: config.easy})]
    if config.no_bug:
        caps.append(Cap("layout", {"sound": config.no_bug}))
    rules = broken(config)
    return Pipeline(
        replace(code.source(config.turns), again=False),
        held(is_no_benchmark, function="has_close_elements"),
        *tested(config),
        also("by", rules=(rules,), model=by_model(config.asked)) if config.model else rules,
        models={"breaker": config.model} if config.model else {},
        resources={"functions": Functions(sandboxes, **sizes), "sandboxes": sandboxes, "notices": Notices(code)},
        caps=caps,
        keep=KEPT,
        measures=MEASURES,
        validation=config.validation,
    )
