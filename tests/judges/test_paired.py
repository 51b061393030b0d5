"""Lists that go together: each item is nearest to its own counterpart, measured by the embedder."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from retroweave.judges.paired import paired
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.step import judge

AXES = ("bees", "boats", "bread", "bells")


class Embedder:
    """A direction for each of four words."""

    async def embed(self, text: str) -> list[float]:
        return [float(text.split().count(axis)) for axis in AXES]


STRANGERS = ["bread and bread", "bells", "bread", "bells and bread"]


def said(points: list[str], paragraphs: list[str], others: int = 4) -> Any:
    measured = paired("points", "paragraphs", STRANGERS, others=others)
    return asyncio.run(measured(points=points, paragraphs=paragraphs, embedder=Embedder(), rng=random.Random(0)))


def test_items_that_are_nearest_to_their_own_pass() -> None:
    score = said(["bees", "boats"], ["of bees bees and boats", "of boats"])
    assert score.passed
    assert score.value == 1


def test_an_item_that_belongs_nowhere_is_refused() -> None:
    score = said(["bees", "bread"], ["of bees", "of boats"])
    assert not score.passed
    assert score.value == 0.5
    assert score.reason == "an item is nearer to a stranger"


def test_two_items_that_fit_better_the_other_way_round_are_refused() -> None:
    score = said(["boats and bees", "bees bees boats"], ["of bees bees boats", "of boats bees"])
    assert not score.passed
    assert score.reason == "two items fit better the other way round"


@pytest.mark.parametrize(("points", "paragraphs"), [([], []), (["bees"], ["bees", "boats"])])
def test_lists_that_cannot_go_together_are_a_reject(points: list[str], paragraphs: list[str]) -> None:
    with pytest.raises(Drop, match="different lengths"):
        said(points, paragraphs)


def test_too_few_strangers_are_an_error() -> None:
    with pytest.raises(UserError, match="compared with 5 strangers, and 4 are given"):
        said(["bees"], ["bees"], others=5)


def test_a_step_reads_the_lists_and_the_embedder() -> None:
    step = judge(paired("points", "paragraphs", STRANGERS, others=2))
    assert set(step.reads.values()) == {"points", "paragraphs"}
    assert list(step.models) == ["embedder"]
