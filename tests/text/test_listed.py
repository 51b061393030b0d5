"""Lists in a model's answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave import Drop
from retroweave.text.listed import listed, numbered

LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1).filter(
    lambda text: not set("*_`") & set(text)
)


@pytest.mark.parametrize(
    "answer",
    [
        "1. One\n2. Two",
        "- One\n- Two",
        "Here are the points:\n\n1) One\n\n2) Two\n",
        "  * **One**\n  * Two",
        "• One\n• Two",
    ],
)
def test_the_items_are_found_whatever_marks_them(answer: str) -> None:
    assert listed(answer) == ["One", "Two"]


@pytest.mark.parametrize(
    "answer", ["", "One", "1. One\nI hope this helps", "Sure.\n1. One", "1. One\n   and more of it"]
)
def test_more_than_a_list_or_less_is_a_reject(answer: str) -> None:
    with pytest.raises(Drop, match="no list"):
        listed(answer)


@given(st.lists(LINE, min_size=1, max_size=20))
def test_what_is_numbered_is_found_again(items: list[str]) -> None:
    assert listed(numbered(items)) == items
