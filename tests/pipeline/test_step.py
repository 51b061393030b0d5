"""A step says what it reads, writes and is worth by its function's signature and the verb that wraps it."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.step import (
    About,
    Resource,
    Side,
    Step,
    compute,
    corrupt,
    fits,
    judge,
    prompt,
    verify,
)
from retroweave.pipeline.verdict import Score
from retroweave.pipeline.worth import Worth


def difference(damaged: About[str], passage: str) -> str:
    return damaged + passage


def lend(passage: str, pool: Resource[list[str]], rng: random.Random, side: Side) -> str:
    return passage + pool[0] + side + str(rng.random())


def damage(passage: str) -> tuple[str, list[int]]:
    return passage[1:], [0]


def restores(damaged: About[str], patch: str, passage: str) -> bool:
    return damaged + patch == passage


async def ask(passage: str) -> str:
    return passage


class Asker:
    """A model's judge is often an object that is configured once and called for each row."""

    async def __call__(self, passage: About[str], answer: str) -> bool:
        return passage == answer


class TestReads:
    def test_the_parameters_are_the_fields_read(self) -> None:
        assert compute(difference, writes="patch").reads == {"damaged": "damaged", "passage": "passage"}

    def test_about_marks_a_read_and_leaves_its_type(self) -> None:
        step = compute(difference, writes="patch")
        assert step.about == {"damaged"}
        assert step.types == {"damaged": str, "passage": str}

    def test_a_rename_reads_another_field_and_keeps_the_mark(self) -> None:
        step = compute(difference, writes="patch", reads={"damaged": "broken"})
        assert step.reads == {"damaged": "broken", "passage": "passage"}
        assert step.about == {"broken"}

    def test_a_field_read_both_as_support_and_as_about_is_a_support(self) -> None:
        step = compute(difference, writes="patch", reads={"damaged": "text", "passage": "text"})
        assert step.about == frozenset()

    def test_a_rename_of_no_parameter_is_refused_with_what_there_is(self) -> None:
        with pytest.raises(UserError, match=r"'patch' renames \['broken'\].*\['damaged', 'passage'\]"):
            compute(difference, writes="patch", name="patch", reads={"broken": "damaged"})

    def test_resources_random_numbers_and_the_side_are_handed_in_and_no_fields(self) -> None:
        step = compute(lend, writes="text")
        assert step.reads == {"passage": "passage"}
        assert step.resources == {"pool": "pool"}
        assert step.services == {"rng": "rng", "side": "side"}

    def test_all_that_a_prompt_reads_is_context(self) -> None:
        assert prompt(difference, writes="answer").about == {"damaged", "passage"}

    def test_a_function_with_arguments_bound_keeps_its_hints(self) -> None:
        step = compute(functools.partial(difference, passage="a"), writes="patch", name="patch")
        assert step.reads == {"damaged": "damaged"}
        assert step.about == {"damaged"}

    def test_a_callable_object_is_read_like_a_function(self) -> None:
        step = judge(Asker(), raises="answer")
        assert step.name == "Asker"
        assert step.about == {"passage"}
        assert step.reads == {"passage": "passage", "answer": "answer"}

    def test_a_hint_that_cannot_be_read_is_an_error_that_names_it(self) -> None:
        def unreadable(passage: str) -> str:
            return passage

        unreadable.__annotations__["passage"] = "Elsewhere"
        with pytest.raises(UserError, match=r"'unreadable' cannot be read.*Elsewhere.*TYPE_CHECKING"):
            compute(unreadable, writes="text")

    @pytest.mark.parametrize(
        "function",
        [lambda *rows: rows, lambda **rows: rows, lambda a, /: a, str.upper],
        ids=["args", "kwargs", "positional", "built in"],
    )
    def test_a_function_that_takes_no_fields_by_name_is_refused(self, function: Callable[..., Any]) -> None:
        with pytest.raises(UserError, match="'upper' takes something else than parameters by name"):
            compute(function, writes="text", name="upper")


class TestWrites:
    def test_a_tuple_of_names_takes_the_types_of_a_tuple(self) -> None:
        assert compute(damage, writes=("damaged", "log")).returns == (str, list[int])

    def test_many_takes_the_type_of_the_items(self) -> None:
        def sites(passage: str) -> Iterator[tuple[int, str]]:
            yield 0, passage

        def words(passage: str) -> list[str]:
            return passage.split()

        assert compute(sites, writes=("at", "text"), many=True).returns == (int, str)
        assert compute(words, writes="word", many=True).returns == (str,)

    def test_types_that_the_hint_does_not_say_are_anything(self) -> None:
        def pairs(passage: str) -> tuple[str, ...]:
            return (passage, passage)

        assert compute(pairs, writes=("one", "two")).returns == (Any, Any)
        assert compute(lambda passage: passage, writes="one").returns == (Any,)

    def test_a_corruption_writes_what_it_damages_then_its_log(self) -> None:
        step = corrupt(damage, into="damaged", log="operations")
        assert step.writes == ("damaged", "operations")
        assert step.into == "damaged"

    @pytest.mark.parametrize("name", ["bugs.patch", "", "two words", "{x}"])
    def test_a_field_name_is_an_identifier(self, name: str) -> None:
        with pytest.raises(UserError, match=r"identifier"):
            compute(difference, writes=name)
        with pytest.raises(UserError, match=r"identifier"):
            compute(difference, writes="patch", reads={"damaged": name})

    def test_a_step_that_makes_something_writes_something(self) -> None:
        with pytest.raises(UserError, match="'difference' writes nothing"):
            compute(difference, writes=())


class TestWorth:
    @pytest.mark.parametrize(
        ("step", "strength"),
        [
            (compute(difference, writes="patch"), Worth.tested),
            (corrupt(damage, into="damaged", log="operations"), Worth.tested),
            (prompt(ask, writes="answer"), Worth.prompted),
            (verify(restores, raises="patch"), Worth.tested),
            (verify(restores, raises="patch", strength="proved"), Worth.proved),
            (judge(restores, raises="patch"), Worth.judged),
        ],
        ids=["compute", "corrupt", "prompt", "verify", "verify proved", "judge"],
    )
    def test_each_move_has_its_strength(self, step: Step, strength: Worth) -> None:
        assert step.strength == strength

    @pytest.mark.parametrize("strength", ["given", "judged", "prooved"])
    def test_a_program_proves_or_tests_and_nothing_else(self, strength: Any) -> None:
        with pytest.raises(UserError, match=rf"'restores'.*{strength}.*tested.*proved"):
            verify(restores, raises="patch", strength=strength)

    def test_a_pure_function_does_not_wait_so_one_that_waits_is_worth_no_more_than_a_prompt(self) -> None:
        assert compute(ask, writes="answer").strength == Worth.prompted
        assert corrupt(ask, into="damaged").strength == Worth.prompted

    @pytest.mark.parametrize("rate", [-0.1, 1.1])
    def test_a_judge_declares_probabilities(self, rate: float) -> None:
        with pytest.raises(UserError, match="between 0 and 1"):
            judge(restores, accepts_right=rate)
        with pytest.raises(UserError, match="between 0 and 1"):
            judge(restores, accepts_wrong=rate)

    def test_what_waits_is_known_before_anything_runs(self) -> None:
        assert prompt(ask, writes="answer").awaits
        assert judge(Asker(), raises="answer").awaits
        assert prompt(functools.partial(ask, passage="a"), writes="answer", name="ask").awaits
        assert not compute(difference, writes="patch").awaits


class Shape(TypedDict):
    side: int


class HasName(Protocol):
    name: str


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (str, str),
        (bool, int),
        (int, float),
        (str, Any),
        (Any, str),
        (str, object),
        (str, str | None),
        (str | None, str | int | None),
        (Literal["yes", "no"], str),
        (Literal["yes"], Literal["yes", "no"]),
        (list[str], Sequence[str]),
        (list[str], Iterable[object]),
        (list, list[str]),
        (list[str], list),
        (list[int], list[float]),
        (dict[str, int], Mapping[str, int]),
        (tuple[int, int], tuple[int, ...]),
        (tuple[int, ...], Sequence[int]),
        (Shape, dict),
        (list[Shape], list[dict[str, Any]]),
        (dict, Shape),
        (dict[str, int], HasName),
    ],
    ids=str,
)
def test_a_type_fits_where_it_may_be_read(found: Any, expected: Any) -> None:
    assert fits(found, expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (str, int),
        (float, int),
        (str | None, str),
        (str, Literal["yes", "no"]),
        (Literal["yes", "maybe"], Literal["yes", "no"]),
        (list[int], list[str]),
        (list[str], str),
        (str, list[str]),
        (tuple[int, str], tuple[int, ...]),
        (dict[str, int], dict[str, str]),
        (list, Shape),
    ],
    ids=str,
)
def test_a_type_does_not_fit_where_it_would_surprise(found: Any, expected: Any) -> None:
    assert not fits(found, expected)


PLAIN = st.sampled_from([str, int, bool, float, list, dict, list[str], dict[str, int], tuple[int, str], type(None)])


@given(PLAIN, PLAIN)
def test_every_type_fits_itself_its_unions_and_anything(one: Any, other: Any) -> None:
    assert fits(one, one)
    assert fits(one, one | other)
    assert fits(one, Any)
    assert fits(list[one], list[one | other])


class TestModels:
    async def translate(self, passage: str, writer: Model, judge: Model) -> str:
        return passage

    def test_a_parameter_annotated_so_is_a_model_of_its_name_and_no_field(self) -> None:
        step = prompt(self.translate, writes="french")
        assert step.models == {"writer": "writer", "judge": "judge"}
        assert step.reads == {"passage": "passage"}

    def test_a_model_cannot_be_renamed_as_a_field_is(self) -> None:
        with pytest.raises(
            UserError, match=r"'translate' renames \['writer'\], but its function has no such parameter"
        ):
            prompt(self.translate, writes="french", reads={"writer": "critic"})


class TestScores:
    def test_a_judges_score_is_a_field_that_it_writes(self) -> None:
        step = judge(restores, raises="patch", score="fit")
        assert (step.writes, step.returns, step.score) == (("fit",), (float,), "fit")

    def test_without_one_it_writes_nothing(self) -> None:
        assert judge(restores, raises="patch").writes == ()

    def test_a_score_that_is_no_field_name_is_refused(self) -> None:
        with pytest.raises(UserError, match="identifier"):
            judge(restores, score="the fit")

    def test_a_score_means_whether_it_is_enough(self) -> None:
        assert Score(0.1, passed=True)
        assert not Score(0.9, passed=False)


class Substituting:
    """A function that substitutes a prompt, and says what the plain one is made of."""

    plain_reads: tuple[str, ...] | None = ("passage",)

    async def __call__(self, passage: str, examples: str) -> tuple[str, str]:
        return passage, examples


class WithoutPlain(Substituting):
    plain_reads = None


class TestPlainPrompts:
    def test_the_plain_prompt_is_a_field_after_the_others_made_of_what_the_function_says(self) -> None:
        step = prompt(Substituting(), writes=("question", "why"), plain="instruction", reads={"passage": "text"})
        assert step.writes == ("question", "why", "instruction")
        assert step.plain_reads == {"text"}

    def test_a_function_that_does_not_say_makes_it_of_all_that_it_reads(self) -> None:
        assert prompt(difference, writes="patch", plain="ask").plain_reads == {"damaged", "passage"}

    def test_without_one_nothing_is_made_of_anything(self) -> None:
        assert prompt(difference, writes="patch").plain_reads == frozenset()

    def test_a_plain_form_that_goes_nowhere_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"has a plain form, and nothing says into which field it goes"):
            prompt(Substituting(), writes="question", name="ask")

    def test_a_field_for_a_plain_form_that_there_is_not_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"into 'instruction', but its prompt has none"):
            prompt(WithoutPlain(), writes="question", plain="instruction", name="ask")
