"""The judge that measures whether two lists go together item by item, by embeddings; no language model is asked.

A cosine alone says little, so counterparts compete, as themes do in `nearest`: the first point of an outline must be
nearer to the first paragraph than to paragraphs of other texts, and no two points may go together better with each
other's paragraph than each with its own. That finds a point that belongs elsewhere, or nowhere. It does not find one
that is on the subject and says what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import combinations
from random import Random
from typing import Any

from retroweave.judges.nearest import cosine
from retroweave.judges.reading import fields_and, signature_of
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.verdict import Score

__all__ = ["paired"]


def paired(
    items: str, counterparts: str, strangers: Sequence[str], *, others: int = 8, embed: str = "embedder"
) -> Callable[..., Any]:
    """A judge of two lists of texts, whose items go together in their order.

    Each item must be nearer to its counterpart than to `others` texts drawn from the `strangers`. The score is the
    share of items for which that is so; all must be, and no two items may fit better the other way round.
    """
    if not 1 <= others <= len(strangers):
        raise UserError(
            f"An item is compared with {others} strangers, and {len(strangers)} are given: give more texts."
        )

    async def paired(**given: Any) -> Score:
        """Each item is nearer to its own counterpart than to strangers, and no two fit better the other way round."""
        model: Model = given[embed]
        rng: Random = given["rng"]
        ones, twos = given[items], given[counterparts]
        if not ones or len(ones) != len(twos):
            raise Drop("the lists that are to go together are empty, or of different lengths")
        vectors = await asyncio.gather(*(model.embed(text) for text in (*ones, *twos, *rng.sample(strangers, others))))
        count = len(ones)
        near = [[cosine(one, two) for two in vectors[count:]] for one in vectors[:count]]
        led = [row[place] - max(row[count:]) for place, row in enumerate(near)]
        crossed = any(near[i][i] + near[j][j] < near[i][j] + near[j][i] for i, j in combinations(range(count), 2))
        fit = sum(lead > 0 for lead in led) / count
        reason = "two items fit better the other way round" if crossed else "an item is nearer to a stranger"
        return Score(fit, fit == 1 and not crossed, {"leads": led, "crossed": crossed}, reason)

    paired.__signature__ = signature_of(  # type: ignore[attr-defined]  # a function may have one
        fields_and((items, counterparts), model=embed, draws=True, judge="paired")
    )
    return paired
