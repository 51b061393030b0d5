"""What tests make of mutants: which fail, how it shows, and which mutants are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from retroweave.pipeline.sandbox import Call, Limits, Outcome, SandboxFailed
from retroweave.verifiers.mutants import (
    DOES_NOT_PARSE,
    UNTOLD,
    Behaviour,
    behaviour,
    behaviours,
    each_is_needed,
    made_of,
)
from retroweave.verifiers.sandbox import LocalSandbox, open_sandbox
from retroweave.verifiers.suites import Suite, Test

SOURCE = """
def halves(numbers, limit=100):
    if limit < 0:
        raise ValueError("no limit")
    found = []
    for number in numbers:
        if number < limit:
            found.append(number // 2)
    return found
"""


def case(*args: object, value: object = None, error: str = "") -> Test:
    text = f"halves({', '.join(map(repr, args))})"
    if error:
        return Test(Call(args), text, error, Outcome("raised", error=error, message="no limit", line=4))
    return Test(Call(args), text, repr(value), Outcome("returned", value))


SUITE = Suite(
    "halves",
    (case([4, 200], value=[2]), case([], value=[]), case([1], -1, error="ValueError")),
    (case([100, 7], value=[3]), case([9], 5, value=[])),
    goals=0,
    calls=0,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    with open_sandbox() as opened:
        yield opened


def seen(sandbox: LocalSandbox, old: str, new: str) -> Behaviour:
    assert SOURCE.count(old) == 1
    return behaviour(SOURCE.replace(old, new), SUITE, sandbox)


def failing(one: Behaviour) -> tuple[set[int], set[int]]:
    return set(one.shown), set(one.hidden)


def test_the_source_itself_fails_nothing(sandbox: LocalSandbox) -> None:
    found = behaviour(SOURCE, SUITE, sandbox)
    assert not found.failing
    assert not found.is_caught
    assert (found.share, found.symptom) == (0, "none")


def test_a_wrong_value_is_told_with_the_tests_that_see_it(sandbox: LocalSandbox) -> None:
    found = seen(sandbox, "number // 2", "number // 3")
    assert failing(found) == ({0}, {0})
    assert found.is_caught
    assert (found.share, found.symptom) == (0.4, "wrong value")


def test_a_mutant_that_shown_tests_alone_catch_is_not_caught(sandbox: LocalSandbox) -> None:
    found = seen(sandbox, "limit < 0", "limit < -1")
    assert failing(found) == ({2}, set())
    assert not found.is_caught
    assert found.symptom == "no exception"


@pytest.mark.parametrize(
    ("old", "new", "symptom"),
    [
        ("for number in numbers:", "for number in numbers", DOES_NOT_PARSE),
        ("found.append", "fuond.append", "NameError"),
        ("    for number in numbers:\n", "    while True:\n        number = 1\n", "does not end"),
        ("return found", "return halves(numbers, limit)", "RecursionError"),
    ],
)
def test_how_it_shows_is_told_in_a_word(sandbox: LocalSandbox, old: str, new: str, symptom: str) -> None:
    assert seen(sandbox, old, new).symptom == symptom


def test_a_hidden_call_that_does_not_end_is_told_too(sandbox: LocalSandbox) -> None:
    found = seen(
        sandbox, "    for number in numbers:\n", "    while numbers == [9]:\n        pass\n    for number in numbers:\n"
    )
    assert failing(found) == (set(), {1})
    assert (found.symptom, found.unended) == ("none", "does not end")
    assert seen(sandbox, "number // 2", "number // 3").unended == ""


def test_the_line_of_an_exception_is_told(sandbox: LocalSandbox) -> None:
    assert seen(sandbox, "found = []", "found = None").lines == {8}


def test_two_mutants_of_which_each_call_ends_alike_are_one(sandbox: LocalSandbox) -> None:
    one, same, other = behaviours([SOURCE.replace("// 2", new) for new in ("// 3", "* 2 // 6", "// 4")], SUITE, sandbox)
    assert one.identity == same.identity != other.identity


def test_a_batch_says_the_same_as_each_by_itself(sandbox: LocalSandbox) -> None:
    codes = [SOURCE.replace("100", str(number)) for number in range(90, 130)]
    assert behaviours(codes, SUITE, sandbox) == [behaviour(code, SUITE, sandbox) for code in codes]


def test_one_that_hangs_inside_a_single_operation_spoils_no_other(
    sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retroweave.verifiers.mutants._SECONDS", 1.0)
    hangs = SOURCE.replace("number // 2", "sum(iter(int, 1))")
    wrong, untold, sound = behaviours([SOURCE.replace("// 2", "// 3"), hangs, SOURCE], SUITE, sandbox)
    assert (wrong.symptom, untold.symptom, sound.symptom) == ("wrong value", UNTOLD, "none")


class Hangs:
    """A sandbox whose clock always runs out."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def variants(self, codes: Any, function: str, calls: Any, limits: Limits) -> list[list[Outcome]]:
        self.seconds.append(limits.seconds)
        raise SandboxFailed("out of time")


def test_the_clock_leaves_time_for_the_lines_that_may_run_and_not_for_much_more() -> None:
    short, long = Hangs(), Hangs()
    slow = replace(SUITE, shown=tuple(replace(one, outcome=replace(one.outcome, steps=9_000)) for one in SUITE.shown))
    assert behaviours([SOURCE, SOURCE], SUITE, cast(Any, short)) == behaviours([SOURCE] * 2, slow, cast(Any, long))
    assert len(short.seconds) == len(long.seconds) == 3
    assert max(short.seconds) < 3
    assert max(short.seconds) < min(long.seconds) < 4


def test_the_members_of_a_set_have_no_order_in_what_tells_mutants_apart() -> None:
    letters = [chr(97 + place) for place in range(20)]
    one, other = set(letters), set[str]()
    other.update(reversed(letters))
    suite = Suite("f", (case(1, value=one),), (), 0, 0)
    found = [made_of(suite, [Outcome("returned", value)]) for value in (one, other)]
    assert found[0] == found[1]


def test_a_number_of_thousands_of_digits_can_be_told_apart() -> None:
    suite = Suite("f", (case(1, value=1),), (), 0, 0)
    found = {made_of(suite, [Outcome("returned", 10**digits)]).identity for digits in (5000, 5001)}
    assert len(found) == 2


def bug(shown: set[int], hidden: set[int], identity: str, tests: int = 10) -> Behaviour:
    return Behaviour(frozenset(shown), frozenset(hidden), tests, "wrong value", frozenset(), "", identity)


def test_of_several_bugs_each_must_fail_by_itself() -> None:
    assert each_is_needed([bug({0}, {0}, "a"), bug({1}, {1}, "b")])
    assert not each_is_needed([bug({0}, {0}, "a"), bug({1}, set(), "b")])
    assert not each_is_needed([bug({0}, {0}, "a"), bug(set(), set(), "b")])


def test_of_several_bugs_each_must_fail_a_test_that_no_other_fails() -> None:
    assert not each_is_needed([bug({0, 1}, {0}, "a"), bug({1}, {0}, "b")])
    assert not each_is_needed([bug({0, 2}, {0}, "a"), bug({1, 3}, {0}, "b"), bug({0, 1}, {0}, "c")])


def test_a_bug_that_fails_every_test_hides_others_and_is_not_held_against_them() -> None:
    everything = bug(set(range(5)), set(range(5)), "a")
    assert each_is_needed([everything, bug({1}, {1}, "b")])
    assert not each_is_needed([everything, everything])
