"""Arrangements of steps: what they hold, which lines lead through them, and how many samples a cap lets in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.small import source

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.layout import assistant, layout, user
from retroweave.pipeline.pipeline import Cap, Family, Pipeline, also, family, lines, mix, over, walk
from retroweave.pipeline.step import Step, compute, prompt


def step(name: str) -> Step:
    return compute(lambda passage: passage, writes=name, name=name)


def laid(name: str) -> Any:
    return layout(user("{passage}"), assistant("{passage}"), name=name)


class TestLines:
    def test_each_arm_is_a_line_that_ends_at_its_layout(self) -> None:
        steps = (step("a"), mix(one=(1, step("b"), laid("x")), two=(1,)), step("c"), laid("y"), step("never"))
        assert [[node.name for node in line] for line in lines(steps)] == [["a", "b", "x"], ["a", "c", "y"]]

    def test_arms_of_arms_and_arms_in_a_row_multiply(self) -> None:
        inner = mix("inner", c=(1, step("c")), d=(1, step("d")))
        steps = (mix("outer", a=(1, step("a"), inner), b=(1, step("b"))), also(x=(laid("x"),), y=(laid("y"),)))
        found = ["".join(node.name for node in line) for line in lines(steps)]
        assert found == ["acx", "acy", "adx", "ady", "bx", "by"]

    def test_a_family_with_a_mix_gives_a_line_for_each_arm(self) -> None:
        steps = (family(mix(a=(1, step("a")), b=(1, step("b"))), into="table"), laid("x"))
        inside = [line[0] for line in lines(steps)]
        assert [[node.name for node in one.steps] for one in inside if isinstance(one, Family)] == [["a"], ["b"]]

    def test_walking_meets_every_node_once(self) -> None:
        steps = (family(step("a"), mix(one=(1, step("b"))), into="t"), over("t"), also(two=(step("c"), laid("x"))))
        names = [node.name for node in walk(steps)]
        assert names == ["family", "a", "mix", "b", "over t", "also", "c", "x"]

    def test_a_pipeline_waits_where_any_of_its_steps_does(self) -> None:
        async def ask(passage: str) -> str:
            return passage

        asked = prompt(ask, writes="answer")
        assert Pipeline(source(), family(mix(one=(1, asked))), laid("x")).awaits
        assert not Pipeline(source(), step("a"), laid("x")).awaits


class TestDeclarations:
    @pytest.mark.parametrize("arms", [{}, {"a": (0, step("a"))}, {"a": (-1, step("a")), "b": (2, step("b"))}])
    def test_a_mix_draws_from_arms_with_weights(self, arms: Any) -> None:
        with pytest.raises(UserError, match=r"'answer' needs arms with weights"):
            mix("answer", **arms)

    @pytest.mark.parametrize("arm", [step("a"), (), ("a", step("a")), (step("a"),)])
    def test_an_arm_of_a_mix_is_its_weight_and_its_steps(self, arm: Any) -> None:
        with pytest.raises(UserError, match=r"arm 'x' of the mix 'mix'.*x=\(weight, step, step, \.\.\.\)"):
            mix(x=arm)

    @pytest.mark.parametrize("arm", [step("a"), "abc", (1, step("a"))])
    def test_an_arm_of_also_is_its_steps(self, arm: Any) -> None:
        with pytest.raises(UserError, match=r"arm 'x' of 'also'.*x=\(step, step, \.\.\.\)"):
            also(x=arm)

    def test_also_has_arms_or_its_rows_would_vanish(self) -> None:
        with pytest.raises(UserError, match="'also' has no arms"):
            also()

    @pytest.mark.parametrize(("tries", "want"), [(0, None), (1, 0), (-1, 3)])
    def test_a_family_tries_and_wants_at_least_one(self, tries: int, want: int | None) -> None:
        with pytest.raises(UserError, match="'family' needs tries and want of at least 1"):
            family(step("a"), tries=tries, want=want)

    def test_a_table_is_a_field(self) -> None:
        with pytest.raises(UserError, match=r"'a\.b'.*identifier"):
            family(step("a"), into="a.b")

    def test_a_pipeline_begins_with_a_source(self) -> None:
        wrong: Any = step("a")
        with pytest.raises(UserError, match=r"begins with a source.*given\(\.\.\.\)"):
            Pipeline(wrong, laid("x"))

    @pytest.mark.parametrize("wrong", [[step("a"), laid("x")], len, user("hello"), source()])
    def test_what_is_no_step_is_refused(self, wrong: Any) -> None:
        for arrange in (lambda: Pipeline(source(), wrong), lambda: family(wrong), lambda: mix(x=(1, wrong))):
            with pytest.raises(UserError, match="is no step"):
                arrange()


class TestCaps:
    def test_a_value_that_is_not_named_falls_under_the_star(self) -> None:
        cap = Cap("kind", {"a": 0.5, "*": 0.1})
        assert [cap.bound(value, 100) for value in ("a", "b", 3)] == [50, 10, 10]
        assert Cap("kind", {"a": 0.5}).bound("b", 100) is None

    def test_no_share_is_no_sample_and_the_whole_is_all(self) -> None:
        assert Cap("kind", {"a": 0.0, "b": 1.0}).bound("a", 7) == 0
        assert Cap("kind", {"a": 0.0, "b": 1.0}).bound("b", 7) == 7

    def test_the_largest_remainders_of_a_whole_are_rounded_up(self) -> None:
        cap = Cap("kind", {"a": 0.45, "b": 0.35, "c": 0.2})
        assert [cap.bound(kind, 7) for kind in "abc"] == [3, 3, 1]

    @given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 10_000))
    def test_shares_that_add_up_leave_room_for_every_sample(self, weights: list[int], rows: int) -> None:
        cap = Cap("kind", {kind: weight / sum(weights) for kind, weight in enumerate(weights)})
        bounds = [cap.bound(kind, rows) for kind in cap.shares]
        assert sum(bound for bound in bounds if bound is not None) >= rows

    @given(
        st.dictionaries(st.sampled_from("abc*"), st.integers(0, 40)), st.sampled_from("abcd"), st.integers(1, 10_000)
    )
    def test_shares_that_leave_a_rest_are_never_rounded_up(
        self, percents: dict[str, int], value: str, rows: int
    ) -> None:
        named = [percent for kind, percent in percents.items() if kind != "*"]
        bound = Cap("kind", {kind: percent / 100 for kind, percent in percents.items()}).bound(value, rows)
        percent = percents.get(value, percents.get("*"))
        if bound is None or percent is None:
            assert bound is percent
        elif sum(named) < 100:
            assert bound == percent * rows // 100
        else:
            assert percent * rows // 100 <= bound <= -(-percent * rows // 100)
