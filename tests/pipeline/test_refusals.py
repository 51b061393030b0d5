"""Ten pipelines that look reasonable and teach something wrong. Each is refused by the rule that it breaks.

Three of them break nothing under the usual floor, and are refused where the recipe asks for more than `tested`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pytest
from tests.pipeline.small import source

from retroweave.pipeline.layout import assistant, layout, reverse, user
from retroweave.pipeline.pipeline import Node, Pipeline
from retroweave.pipeline.rules import check
from retroweave.pipeline.step import About, compute, corrupt, judge, prompt, verify

PASSAGE = source({"passage": "a b\n"})
TOPIC = source({"topic": "bread"})
SPEC = source({"spec": "add two numbers"})
ORIGINAL = source({"original": "def f(): ..."})


def swap_words(passage: str) -> tuple[str, str]:
    return " ".join(reversed(passage.split())) + "\n", "swapped words"


def write_patch(damaged: About[str], passage: str) -> str:
    return "\n".join(difflib.ndiff(damaged.splitlines(), passage.splitlines()))


def restores(damaged: About[str], patch: str, passage: str) -> bool:
    delta = patch.split("\n")
    return [list(difflib.restore(delta, side)) for side in (1, 2)] == [damaged.splitlines(), passage.splitlines()]


def differs(damaged: str, patch: str, passage: str) -> bool:
    return damaged != passage


def spell_backward(passage: str) -> str:
    return passage[::-1]


async def ask_for(answer: str) -> str:
    return f"What gives {answer}?"


async def write_about(topic: str) -> str:
    return f"All about {topic}."


async def write_code(spec: str) -> str:
    return f"code for {spec}"


async def write_tests(spec: str) -> str:
    return f"tests for {spec}"


async def good_tests(tests: str) -> bool:
    return bool(tests)


def record_tests(solution: str) -> str:
    return f"tests that {solution} passes"


def passes(solution: str, tests: str) -> bool:
    return solution == "code" and tests == "tests"


def strip(damaged: About[str]) -> str:
    return damaged.strip()


DAMAGE = corrupt(swap_words, into="damaged", log="operations")
PATCH = compute(write_patch, writes="patch")
GOOD = {"damaged": "b a", "passage": "a b", "patch": "- b a\n+ a b"}
SPOILED = {"patch": "- b a\n+ a c"}
RESTORES = verify(restores, raises="patch", strength="proved", good=GOOD, spoiled=SPOILED)
MEND = reverse(user("Repair this.\n\n{damaged}"), assistant("{patch}"))
BACKWARD = compute(spell_backward, writes="answer")
CODE = prompt(write_code, writes="solution")
PASSES = verify(
    passes,
    raises="solution",
    strength="proved",
    good={"solution": "code", "tests": "tests"},
    spoiled={"solution": "bad"},
)


def the_only(pipeline: Pipeline) -> tuple[int, str, str | None, str]:
    """The rule that is broken, where, and what is said of it; a second broken rule is a fault of the test."""
    (broken,) = check(pipeline)
    return broken.rule, broken.step, broken.field, str(broken)


def test_the_pipeline_that_the_bad_ones_are_made_from_is_valid() -> None:
    assert check(Pipeline(PASSAGE, DAMAGE, PATCH, RESTORES, MEND)) == []


def test_a_program_makes_no_knowledge_even_with_a_question_derived_from_its_result() -> None:
    turns = (user("{question}"), assistant("{answer}"))
    steps = (BACKWARD, prompt(ask_for, writes="question"))
    rule, step, field, said = the_only(Pipeline(PASSAGE, *steps, reverse(*turns, floor="given")))
    assert (rule, step, field) == (2, "reverse", "answer")
    assert "worth only tested; the floor is given" in said
    assert "raise it with a verify" in said
    assert check(Pipeline(PASSAGE, *steps, reverse(*turns))) == []


def test_a_computed_field_is_not_as_good_as_its_input() -> None:
    turns = (user("{passage}"), assistant("{answer}"))
    rule, step, field, said = the_only(Pipeline(PASSAGE, BACKWARD, layout(*turns, floor="given")))
    assert (rule, step, field) == (2, "layout", "answer")
    assert "worth only tested; the floor is given" in said
    assert 'floor="tested"' in said
    assert check(Pipeline(PASSAGE, BACKWARD, layout(*turns))) == []


@pytest.mark.parametrize("trained", ["passage", "patch"])
def test_an_answer_is_not_learnt_from_nothing(trained: str) -> None:
    laid = layout(user("Repair this."), assistant(f"{{{trained}}}"))
    broken = check(Pipeline(PASSAGE, DAMAGE, PATCH, RESTORES, laid))
    assert {(one.rule, one.step) for one in broken} == {(3, "layout")}
    assert "show in an earlier turn" in str(broken[0])


def test_a_patch_needs_the_text_that_it_patches() -> None:
    laid = layout(user("Repair what {operations} did."), assistant("{patch}"))
    rule, step, field, said = the_only(Pipeline(PASSAGE, DAMAGE, PATCH, RESTORES, laid))
    assert (rule, step, field) == (3, "layout", "patch")
    assert "show {damaged} in an earlier turn" in said


def test_a_check_that_looks_at_everything_but_the_field_lifts_nothing() -> None:
    vacuous = verify(differs, raises="patch", strength="proved", good=GOOD, spoiled=SPOILED)
    broken = check(Pipeline(PASSAGE, DAMAGE, PATCH, vacuous, MEND))
    assert [(one.rule, one.step, one.field) for one in broken] == [(7, "differs", "patch")]
    assert "make the check look at the field" in str(broken[0])


def test_a_patch_of_a_models_passage_is_the_models_word() -> None:
    steps: Sequence[Node] = (prompt(write_about, writes="passage"), DAMAGE, PATCH, RESTORES, MEND)
    rule, step, field, said = the_only(Pipeline(TOPIC, *steps))
    assert (rule, step, field) == (2, "reverse", "patch")
    assert "worth only prompted; the floor is tested" in said
    assert "whose other supports are worth as much" in said


def test_tests_that_a_judge_liked_do_not_prove_a_models_code() -> None:
    tests = prompt(write_tests, writes="tests")
    liked = judge(good_tests, raises="tests", good={"tests": "tests"}, spoiled={"tests": ""})
    steps = (CODE, tests, liked, PASSES)
    turns = (user("{spec}"), assistant("{solution}"))
    rule, step, field, said = the_only(Pipeline(SPEC, *steps, layout(*turns, floor="proved")))
    assert (rule, step, field) == (2, "layout", "solution")
    assert "worth only tested; the floor is proved" in said
    assert 'floor="tested"' in said
    assert check(Pipeline(SPEC, *steps, layout(*turns))) == []


def test_tests_recorded_from_the_very_code_test_nothing() -> None:
    recorded = compute(record_tests, writes="tests")
    laid = layout(user("{spec}"), assistant("{solution}"))
    rule, step, field, said = the_only(Pipeline(SPEC, CODE, recorded, PASSES, laid))
    assert (rule, step, field) == (2, "layout", "solution")
    assert "worth only prompted" in said
    assert "whose other supports are worth as much" in said


def test_a_literal_verdict_has_no_evidence() -> None:
    laid = layout(user("{original}"), assistant("There is no bug here."))
    rule, step, field, said = the_only(Pipeline(ORIGINAL, laid))
    assert (rule, step, field) == (3, "layout", None)
    assert "'There is no bug here.'" in said
    assert "train a field that a step wrote and a check raised" in said


def test_damage_is_not_washed_off_by_speaking_of_it() -> None:
    laid = layout(user("Repair this.\n\n{damaged}"), assistant("{clean}"))
    rule, step, field, said = the_only(Pipeline(PASSAGE, DAMAGE, compute(strip, writes="clean"), laid))
    assert (rule, step, field) == (4, "layout", "clean")
    assert "'damaged'" in said
    assert "verify(..., raises=...)" in said
