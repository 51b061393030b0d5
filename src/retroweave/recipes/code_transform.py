"""Code transformation: one function is turned into another over several turns, and passes its tests at each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Self

from pydantic import Field, model_validator

from retroweave import About, Drop, Pipeline, assistant, compute, each, recipe, reverse, user, verify
from retroweave.pipeline.sandbox import Call, Outcome
from retroweave.pipeline.step import Resource, Step
from retroweave.recipes.code_options import CodeOptions
from retroweave.recipes.transform_ways import State, Tested, Wanted, called, find_ways
from retroweave.recipes.transform_words import (
    Change,
    Forms,
    all_changes,
    dress,
    run_before,
    write_answers,
    write_requests,
)
from retroweave.sources.functions import Notices
from retroweave.sources.neighbours import Neighbours
from retroweave.text.python_code import top_functions
from retroweave.verifiers.guessing import guessed
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Suite, Test, failing

__all__ = ["CodeTransform", "code_transform"]

HERE = Path(__file__).with_suffix("")


class CodeTransform(CodeOptions):
    near: float = Field(0.2, gt=0, le=1)
    """How near in meaning each function must be to the next, from 0 to 1."""
    fewest: int = Field(1, ge=1, le=10)
    """The fewest turns; a way of one is taken only where no longer one leads to the function."""
    longest: int = Field(4, ge=1, le=10)
    """The most turns."""
    ways: int = Field(3, ge=1, le=50)
    """How many ways lead to one function, at most; each begins at another one."""
    examples: int = Field(8, ge=5, le=20)
    """How many examples a request gives, at most."""
    pinned: float = Field(0.9, ge=0, le=1)
    """The share of broken versions of a function that its examples must tell from it, of those that any test tells."""
    hidden: int = Field(12, ge=1, le=40)
    """How many further tests each function must pass, at most."""
    with_docstring: float = Field(2, ge=0)
    """Weight of conversations that show the docstrings, and have them in the answers."""
    with_sentence: float = Field(2, ge=0)
    """Weight of those that say in a sentence what each function does."""
    by_example: float = Field(1, ge=0)
    """Weight of those that give signatures and examples alone."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fewest > self.longest:
            raise ValueError(f"fewest is {self.fewest} and longest {self.longest}: make longest at least as large")
        if not self.with_docstring + self.with_sentence + self.by_example:
            raise ValueError("one of the weights with_docstring, with_sentence and by_example must be above 0")
        return self


# Checks


def examples_are_true(
    path: list[State],
    codes: list[str],
    changes: list[list[Change]],
    requests: list[str],
    sandboxes: Resource[Sandboxes],
) -> bool:
    """Run anew under another hash seed, each example that a request gives is what comes of the call."""
    return changes == all_changes(path, codes, sandboxes.other) and all(
        not failing(one.suite.shown, called(code, one.name, one.suite.shown, sandboxes.other))
        and all(test.text in request and (test.value in request or test.value == "None") for test in one.suite.shown)
        for one, code, request in zip(path[1:], codes[1:], requests, strict=True)
    )


def nothing_is_guessed(codes: list[str], requests: list[str]) -> bool:
    """Each number and each text of an answer stands somewhere before it, or is one that everybody knows."""
    said = ""
    for code, request in zip(codes[1:], requests, strict=True):
        said += request
        if guessed(code, said):
            raise Drop("an answer holds what nobody could know")
        said += code
    return True


def answers_pass(
    path: list[State], answers: list[str], requests: About[list[str]], sandboxes: Resource[Sandboxes]
) -> bool:
    """Each answer is what its request names, and passes the shown and the hidden tests, under two hash seeds."""
    return all(
        one.name in request
        and one.name in top_functions(_code_in(answer))
        and not failing(one.tests, called(_code_in(answer), one.name, one.tests, sandbox))
        for one, request, answer in zip(path[1:], requests, answers, strict=True)
        for sandbox in (sandboxes.one, sandboxes.other)
    )


def _code_in(answer: str) -> str:
    return answer.partition("```python\n")[2].removesuffix("```")


def measure(path: list[State]) -> tuple[int, list[str], list[str], list[list[str]]]:
    """How many turns there are, and of the functions their names, where they are found, and all their tests."""
    tests = [[f"{test.text} -> {test.value}" for test in one.tests] for one in path]
    return len(path) - 1, [one.name for one in path], [one.url for one in path], tests


# An example for the checks


def _state(name: str, body: str, *results: tuple[int, int]) -> State:
    signature = f"def {name}(weight: int) -> int:"
    tests = [Test(Call((one,)), f"{name}({one})", str(value), Outcome("returned", value)) for one, value in results]
    return State(name, signature, "", f"{signature}\n    return {body}\n", "", Suite(name, tuple(tests), (), 0, 0))


@cache
def examples() -> dict[str, Any]:
    """A row that every check accepts."""
    path = [_state("single", "weight", (1, 1), (4, 4)), _state("double", "2 * weight", (1, 2), (4, 8))]
    codes = [one.code for one in path]
    changes: list[list[Change]] = [[("single(1)", "1", "double(1)", "2"), ("single(4)", "4", "double(4)", "8")]]
    rng = Random(0)
    requests = write_requests(path, codes, "examples", changes, rng)
    answers = write_answers(path, codes, rng)
    return {"path": path, "codes": codes, "changes": changes, "requests": requests, "answers": answers}


def held(check: Callable[..., bool], raises: str | tuple[str, ...] = (), **spoiled: Any) -> Step:
    return verify(check, raises=raises, good=examples(), spoiled=spoiled)


EXAMPLE = {"code": HERE / "example", "license": "CC0-1.0", "validation": 0}


@recipe(example=CodeTransform.model_validate(EXAMPLE))
def code_transform(config: CodeTransform) -> Pipeline:
    """Turn one Python function into another over several turns.

    Functions that are near each other in meaning are found by an embedding of their code. A user has one, and asks for
    another by way of those between them: for each turn's function by its head, by what its author says it does, and by
    examples. A model learns to write what such a request pins down, starting from code that is there, and to go on from
    what it wrote before.

    Guaranteed: each answer is a function that somebody wrote, and passes tests that reach all of it, the shown and
    further hidden ones, in a sandbox and under two hash seeds; each turn comes nearer to the last one; each example in
    a request is what comes of that call; no number or text in an answer would have had to be guessed. Not guaranteed:
    that a request pins down all that its function does, or that the way is one that a person would go. Another answer
    may be as good. The tests were recorded from the functions, so the evidence is `tested`.

    After the code transformation that J. D. Pressman's RetroInstruct Guide to Synthetic Text Data proposes for
    dialogues of several turns.
    """
    sandboxes = config.sandboxes()
    tested = Tested(sandboxes, examples=config.examples, hidden=config.hidden, pinned=config.pinned, names=config.names)
    code = config.corpus()
    source = code.source()
    return Pipeline(
        replace(source, again=False),  # a second draw could take the same ways
        compute(find_ways, writes=("path", "nearness"), many=True),
        compute(dress, writes=("told_by", "codes")),
        compute(run_before, writes="changes"),
        compute(write_requests, writes="requests"),
        held(examples_are_true, "requests", requests=["Turn `single` into `double`: `double(1)` gives `3`."]),
        held(nothing_is_guessed, codes=["", "def double(weight: int) -> int:\n    return weight * 2741\n"]),
        compute(write_answers, writes="answers"),
        held(answers_pass, "answers", answers=["```python\ndef double(weight):\n    return 3 * weight\n```"]),
        compute(measure, writes=("turns", "functions", "urls", "tests")),
        reverse(each(("requests", "answers"), user("{requests}"), assistant("{answers}"))),
        resources={
            "sandboxes": sandboxes,
            "notices": Notices(code),
            "neighbours": Neighbours(source, config.validation),
            "wanted": Wanted(config.near, config.fewest, config.longest, config.ways),
            "tested": tested,
            "forms": Forms(config.with_docstring, config.with_sentence, config.by_example),
        },
        keep=["functions", "urls", "tests"],
        measures=["turns", "told_by", "nearness", "statements"],
        validation=config.validation,
    )
