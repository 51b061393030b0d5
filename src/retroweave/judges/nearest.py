"""The judge that measures which of several themes a text is nearest to, by embeddings; no language model is asked.

A cosine alone says little: a plain sentence is near to everything, and a poem to nothing. So the theme that a text is
held to be about competes with others, and must come first. That tells a text on another theme from one on its own; it
does not tell a good treatment of the theme from a mention of it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.verdict import Score

__all__ = ["cosine", "nearest"]


def nearest(themes: Sequence[str], *, others: int = 8) -> Callable[..., Any]:
    """A judge of `text`, which must be nearer to its `theme` than to a `rival`, and to `others` - 1 of the `themes`.

    The score is the share of them that its theme is nearer than. A text about nothing in particular passes by luck in
    one case of `others` + 1. The embeddings are those of the pipeline's model `embedder`.
    """
    if others < 1 or len(set(themes)) < others + 2:
        raise UserError(
            f"A text is compared with {others} other themes, and {len(set(themes))} are given: give at least "
            f"{max(others, 1) + 2}."
        )

    async def nearest(text: str, theme: str, rival: str, embedder: Model, rng: Random) -> Score:
        """Of several themes the text is nearest to its own."""
        drawn = rng.sample([one for one in themes if one not in (theme, rival)], others - 1)
        own, *vectors = await asyncio.gather(*(embedder.embed(one) for one in (text, theme, rival, *drawn)))
        near, *far = (cosine(own, vector) for vector in vectors)
        beaten = sum(near > one for one in far) / len(far)
        return Score(beaten, beaten == 1, {"cosine": near, "nearest other": max(far)}, "nearer to another theme")

    return nearest


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """From -1 to 1; 0 where one of them has no direction."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if not lengths:
        return 0.0
    return min(1.0, max(-1.0, math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths))
