"""A text must be nearer to its own theme than to others, by whatever embeddings it is given."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from retroweave.judges.nearest import cosine, nearest
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.verdict import Score

THEMES = [f"theme {number}" for number in range(20)]


class ByWord:
    """An embedder that knows three directions: ships, trees, and the rest."""

    async def embed(self, text: str) -> list[float]:
        return [float("ship" in text), float("tree" in text), 0.1]


def judged(text: str, theme: str, rival: str = "a tree") -> Score:
    judge: Any = nearest(THEMES)
    score: Score = asyncio.run(judge(text=text, theme=theme, rival=rival, embedder=ByWord(), rng=random.Random(0)))
    return score


def test_a_text_on_its_theme_passes_and_one_on_the_rival_does_not() -> None:
    assert judged("the ship went out", "a ship").value == 1
    moved = judged("the tree came down", "a ship")
    assert not moved.passed
    assert moved.reason == "nearer to another theme"
    assert moved.parts["nearest other"] > moved.parts["cosine"]


def test_a_text_on_no_theme_is_no_nearer_to_its_own_than_to_the_others() -> None:
    assert judged("the cat sat down", "a ship").value == 0


def test_the_rival_is_always_among_those_that_it_competes_with() -> None:
    assert judged("the ship and the tree", "a ship").value == pytest.approx(7 / 8)


def test_too_few_themes_are_refused() -> None:
    with pytest.raises(UserError, match="compared with 8 other themes, and 2 are given"):
        nearest(["one", "other", "one"])


def test_the_cosine_is_that_of_the_angle() -> None:
    assert cosine([1, 0], [0, 2]) == 0
    assert cosine([1, 1], [3, 3]) == pytest.approx(1)
    assert cosine([1, 0], [-1, 0]) == -1
    assert cosine([0, 0], [1, 0]) == 0
