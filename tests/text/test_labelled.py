"""Answers of several labelled lines."""

from __future__ import annotations

import pytest

from retroweave import Drop
from retroweave.text.labelled import labelled

PARSE = labelled("Case", "Ground of it")


@pytest.mark.parametrize(
    "answer",
    [
        "Case: a gate\nGround of it: the right of way",
        "\n Case:   a gate \n\n Ground of it: the right of way\n",
        "**Case:** a gate\n**Ground of it:** the right of way",
    ],
)
def test_the_texts_behind_the_labels_are_the_fields(answer: str) -> None:
    assert PARSE(answer) == ("a gate", "the right of way")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Case: a gate",
        "Case:\nGround of it: the right of way",
        "Ground of it: the right of way\nCase: a gate",
        "Case: a gate\nGround of it: the right of way\nI hope this helps.",
        "Case: a gate\nand a wire\nGround of it: the right of way",
    ],
)
def test_an_answer_with_less_or_more_is_a_reject(answer: str) -> None:
    with pytest.raises(Drop, match="has not the lines Case, Ground of it"):
        PARSE(answer)
