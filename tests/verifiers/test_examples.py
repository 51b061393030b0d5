"""Examples are few, tell a function from what is nearly it, and say just what its tests say."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Sequence
from typing import Any

import pytest

from retroweave.pipeline.errors import Drop
from retroweave.pipeline.sandbox import Call, Outcome
from retroweave.verifiers.examples import STYLES, result, shown, telling
from retroweave.verifiers.mutants import Behaviour
from retroweave.verifiers.suites import Suite, Test


def case(*args: Any, value: Any = None, error: str = "", after: tuple[Any, ...] | None = None) -> Test:
    outcome = Outcome("raised", error=error) if error else Outcome("returned", value, args=after)
    return Test(Call(args), f"f({', '.join(map(repr, args))})", error or repr(value), outcome)


PLAIN = (case(1, value=2), case("a|b", value=None), case([], value=True))
RAISING = (case(1, value=2), case(0, error="ValueError"))
CHANGING = (case([2, 1], value=None, after=([1, 2],)),)


@pytest.mark.parametrize("style", STYLES)
def test_each_style_tells_each_call_and_what_comes_of_it(style: str) -> None:
    for tests in (PLAIN[:1], RAISING):
        text = shown(tests, style)
        assert text is None or all(one.text in text and one.value in text for one in tests)
    assert shown(PLAIN[:1], style)


def test_assertions_hold_for_a_function_that_gives_what_is_shown() -> None:
    text = shown(PLAIN, "asserts")
    assert text
    results = {"1": 2, "'a|b'": None, "[]": True}
    code = text.removeprefix("```python\n").removesuffix("```")
    exec(compile(code, "<examples>", "exec"), {"f": lambda argument: results[repr(argument)]})  # noqa: S102
    with pytest.raises(AssertionError):
        exec(compile(code, "<examples>", "exec"), {"f": lambda argument: 0})  # noqa: S102


def test_a_session_is_one_that_doctest_agrees_with() -> None:
    text = shown((*PLAIN, *RAISING[1:]), "session")
    assert text
    body = text.removeprefix("```pycon\n").removesuffix("\n```")
    assert doctested(body, {"1": 2, "'a|b'": None, "[]": True}) == (4, 0)
    assert doctested(body, {"1": 3, "'a|b'": None, "[]": True}) == (4, 1)


def doctested(session: str, results: dict[str, Any]) -> tuple[int, int]:
    """How many examples were tried of a function with these results, which raises for others, and how many failed."""

    def f(argument: Any) -> Any:
        if repr(argument) not in results:
            raise ValueError("no result")
        return results[repr(argument)]

    session_test = doctest.DocTestParser().get_doctest(session, {"f": f}, "examples", None, 0)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    ran = runner.run(session_test, out=lambda line: None)
    return ran.attempted, ran.failed


def test_a_table_has_no_bar_of_another_meaning() -> None:
    assert shown(PLAIN, "table") is None
    assert shown(PLAIN[:1], "table") == "| call | result |\n| --- | --- |\n| `f(1)` | `2` |"


def test_what_a_call_leaves_is_told_where_there_is_room_for_it() -> None:
    assert result(CHANGING[0]) == "None, and its arguments are then [1, 2]"
    told = {style: shown(CHANGING, style) for style in STYLES}
    assert {style for style, text in told.items() if text} == {"arrows", "comments"}
    assert all("[1, 2]" in text for text in told.values() if text)


def test_code_in_a_comment_still_parses() -> None:
    text = shown((*RAISING, *CHANGING), "comments")
    assert text
    assert len(ast.parse(text.removeprefix("```python\n").removesuffix("```")).body) == 3


def texts(tests: Sequence[Test]) -> set[str]:
    return {one.text for one in tests}


def seen(*failing: int, name: str = "") -> Behaviour:
    """A variant that fails these of the tests below, of which two are shown."""
    shown_ones = frozenset(place for place in failing if place < 2)
    hidden = frozenset(place - 2 for place in failing if place >= 2)
    return Behaviour(
        shown=shown_ones,
        hidden=hidden,
        tests=6,
        symptom="wrong value",
        lines=frozenset(),
        unended="",
        identity=name or str(failing),
    )


TESTS = tuple(case(number, value=number % 3) for number in range(6))
SUITE = Suite("f", TESTS[:2], TESTS[2:], 0, 0)
BOUNDS: dict[str, Any] = {"fewest": 1, "most": 3, "hidden": 2, "share": 0.9}


def test_examples_are_those_that_most_variants_get_wrong() -> None:
    found = telling(SUITE, [seen(0, 4), seen(1, 4), seen(5)], **BOUNDS)
    examples, kept_back = texts(found.shown), texts(found.hidden)
    assert {"f(4)", "f(5)"} <= examples
    assert len(examples) == 3, "each variant is told twice where it can be, as far as there is room"
    assert len(kept_back) == 2
    assert not examples & kept_back


def test_a_function_that_few_examples_do_not_pin_down_is_dropped() -> None:
    variants = [seen(place) for place in range(6)]
    with pytest.raises(Drop, match="3 examples do not pin it down"):
        telling(SUITE, variants, **BOUNDS)
    assert len(telling(SUITE, variants, **BOUNDS | {"most": 6}).shown) == 6


def test_a_suite_that_is_blind_is_dropped() -> None:
    with pytest.raises(Drop, match="blind"):
        telling(SUITE, [seen(0), seen(name="a"), seen(name="b")], **BOUNDS)


def test_there_are_enough_examples_even_where_one_would_tell_all() -> None:
    found = telling(SUITE, [seen(0)], **BOUNDS | {"fewest": 3})
    assert len(found.shown) == 3
    assert len({one.value for one in found.shown}) == 3


def test_examples_that_all_give_the_same_are_dropped() -> None:
    tests = tuple(case(number, value=None) for number in range(6))
    with pytest.raises(Drop, match="all give the same"):
        telling(Suite("f", tests[:2], tests[2:], 0, 0), [seen(0), seen(3)], **BOUNDS)


def test_where_results_are_few_there_are_enough_examples_all_the_same() -> None:
    tests = tuple(case(number, value=number == 3) for number in range(6))
    found = telling(Suite("f", tests[:2], tests[2:], 0, 0), [seen(0)], **BOUNDS | {"fewest": 5})
    assert len(found.shown) == 5
    assert {one.value for one in found.shown} == {"True", "False"}
