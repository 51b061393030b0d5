"""What is taken from a model's answer, and what of it is the bug."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from retroweave.corruptions.damage import replay, undo
from retroweave.corruptions.rewriting import BY_MODEL, broken_by, code_in, least, put_into
from retroweave.pipeline.errors import Drop
from retroweave.text.hunks import edited

TOTAL = '''import math

LIMIT = 10


def total(items):
    """The sum of the items, none above the limit."""
    found = 0
    for item in items:
        found += min(item, LIMIT)
    return math.floor(found)
'''
BROKEN = TOTAL.replace("found = 0", "found = 1")


def behaves(texts: Sequence[str]) -> list[str]:
    """What a few calls give: the sources are our own."""
    found = []
    for text in texts:
        names: dict[str, object] = {}
        exec(text, names)  # noqa: S102
        total = names["total"]
        assert callable(total)
        found.append(repr([total(items) for items in ([], [1, 2], [99])]))
    return found


@pytest.mark.parametrize(
    "answer",
    [
        BROKEN,
        f"```python\n{BROKEN}```",
        f"Here it is, broken:\n\n```python\n{BROKEN}```\n\nThe sum begins at 1.",
        f"It begins at 1.\n~~~\n{BROKEN}~~~\n",
        f"   \n\n{BROKEN}\n\nThat was the code! And more: prose.",
        f"```py\n{BROKEN}```\nand the old one:\n```py\n{TOTAL}```",
    ],
)
def test_code_is_found_in_an_answer_whatever_stands_around_it(answer: str) -> None:
    assert code_in(answer) == BROKEN


def test_an_answer_without_a_function_is_dropped() -> None:
    with pytest.raises(Drop, match="no function in the answer"):
        code_in("I would rather not break this code.")


def test_what_cannot_be_parsed_is_given_back_whole() -> None:
    assert code_in("def f(:\n    pass") == "def f(:\n    pass\n"


def test_only_functions_of_the_original_are_taken_over_and_what_stands_around_them_stays() -> None:
    answer = 'def total(items):\n    return 0\n\n\ndef another():\n    return 1\n\n\nprint("hello")\n'
    assert put_into(TOTAL, answer) == TOTAL[: TOTAL.index("def total")] + "def total(items):\n    return 0\n"


@pytest.mark.parametrize(
    ("answer", "why"),
    [("def f(:\n", "does not parse"), ("def sum_up(items):\n    return 0\n", "not there any more")],
)
def test_an_answer_that_has_none_of_them_is_dropped(answer: str, why: str) -> None:
    with pytest.raises(Drop, match=why):
        put_into(TOTAL, answer)


def test_edits_that_change_nothing_of_what_the_code_does_are_taken_back() -> None:
    rewritten = BROKEN.replace("The sum of the items", "Adds it all up").replace(
        "math.floor(found)", "math.floor(+found)"
    )
    some = least(TOTAL, rewritten, "total", behaves)
    assert edited(TOTAL, some) == BROKEN


def test_of_two_mistakes_that_show_both_stay() -> None:
    rewritten = BROKEN.replace("min(item, LIMIT)", "item")
    assert edited(TOTAL, least(TOTAL, rewritten, "total", behaves)) == rewritten


@pytest.mark.parametrize(
    ("rewritten", "why"),
    [
        (TOTAL.replace("The sum", "A sum"), "no test tells it"),
        (TOTAL.replace("found = 0", "found = 0  # so it begins"), "says the same"),
        (TOTAL.replace("(items)", "(items, start=0)"), "other parameters"),
        (TOTAL.replace("def total", "def totals"), "not there any more"),
        (TOTAL.replace("found = 0", "found ="), "does not parse"),
    ],
)
def test_what_is_no_broken_version_of_this_function_is_dropped(rewritten: str, why: str) -> None:
    with pytest.raises(Drop, match=why):
        least(TOTAL, rewritten, "total", behaves)


def test_a_function_that_differs_in_many_places_is_another_one() -> None:
    old = "def total(items):\n" + "".join(f"    a{n} = {n}\n    items\n" for n in range(20)) + "    return 5\n"
    new = "def total(items):\n" + "".join(f"    a{n} = {n + 1}\n    items\n" for n in range(20)) + "    return 5\n"
    with pytest.raises(Drop, match="written anew"):
        least(old, new, "total", lambda texts: texts)


def test_the_record_leads_from_the_original_to_the_broken_text_and_back() -> None:
    rewritten = BROKEN.replace("min(item, LIMIT)", "item").replace("found = 1", "found = 1000")
    text, record = broken_by(TOTAL, least(TOTAL, rewritten, "total", behaves))
    assert text == rewritten
    assert replay(TOTAL, record) == rewritten
    assert undo(rewritten, record) == TOTAL
    assert [one["operator"] for one in record] == [BY_MODEL]
    assert [edit["line"] for edit in record[0]["edits"]] == [8, 10]
