"""How many rows a label stands for, where rows were drawn under other strata than they are counted in.

Within a stratum every row that was drawn in it stands for as many rows as any other. After a change of threshold this
is no longer so: a stratum of today takes in parts of several from before, in which rows were drawn more or less often,
by their number and by how doubtful they were. Taken as equal, the labels would tilt each stratum to where most of them
were given. But a row was drawn by its stratum and by lot, so that among rows of the same old stratum whether it is
right has no part in whether it was drawn. So a stratum is cut where the old ones began, and in each piece its labels
share its rows evenly (post-stratification, Holt and Smith 1979). A piece in which nobody labelled a row goes to its
neighbour.

With unequal weights labels tell as much as fewer equal ones would (Kish 1965), and intervals are of so many.
`tests/review/test_changed_threshold.py` tells how they cover.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Sequence

from retroweave.review.intervals import Counted

__all__ = ["counted", "weights"]


def weights(scores: Sequence[float], labelled: Sequence[float], cuts: Collection[float]) -> list[float]:
    """How many rows of a stratum each labelled one stands for; together they stand for all.

    `scores` are those of all rows, from the lowest, `labelled` those of the rows with a label, and `cuts` the lowest
    scores of the strata in which these were drawn.
    """
    starts = [0, *sorted({bisect_left(scores, cut) for cut in cuts} - {0, len(scores)})]
    if len(starts) == 1:
        return [len(scores) / len(labelled)] * len(labelled)
    bounds = [scores[start] for start in starts[1:]]
    places = [_piece(bounds, score) for score in labelled]
    taken = sorted(set(places))
    sizes = dict.fromkeys(taken, 0)
    for place, (start, end) in enumerate(zip(starts, [*starts[1:], len(scores)], strict=True)):
        below = [one for one in taken if one <= place]
        sizes[below[-1] if below else taken[0]] += end - start
    return [sizes[place] / places.count(place) for place in places]


def _piece(bounds: Sequence[float], score: float) -> int:
    """Which piece a score falls in; a bound belongs to the one above."""
    return sum(bound <= score for bound in bounds)


def counted(size: int, right: Sequence[bool], stands_for: Sequence[float]) -> Counted:
    """What the labels of a stratum tell, as so many equal ones would."""
    if len(set(stands_for)) < 2:
        return Counted(size, sum(right), len(right))
    total = math.fsum(stands_for)
    worth = total * total / math.fsum(one * one for one in stands_for)
    share = math.fsum(one for one, so in zip(stands_for, right, strict=True) if so) / total
    return Counted(size, share * worth, worth)
