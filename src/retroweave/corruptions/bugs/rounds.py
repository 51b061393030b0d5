"""In what order a person mends several bugs: what keeps the code from being read, what ends it, what is wrong in it.

The interpreter tells of the first kind before anything runs, and of the second before a value comes out. So the bugs of
one kind are mended together or one after the other, and those of a later kind never before those of an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random

from retroweave.corruptions.bugs.planting import Bug
from retroweave.corruptions.bugs.site import Kind

__all__ = ["groupings", "in_order"]

_STAGE: dict[Kind, int] = {"syntax": 0, "name": 1, "type": 1, "access": 1, "logic": 2}


def in_order(bugs: Sequence[Bug]) -> list[Bug]:
    """The bugs as they are met: by stage, and within one from top to bottom."""
    return sorted(bugs, key=lambda bug: (_STAGE[bug.kind], bug.site.edits[0]))


def groupings(bugs: Sequence[Bug], rng: Random) -> Iterator[list[list[Bug]]]:
    """All ways to mend bugs in two turns or more, in a drawn order: one at a time, or some of them together."""
    ordered = in_order(bugs)
    cuts = [cut for count in range(1, len(ordered)) for cut in combinations(range(1, len(ordered)), count)]
    for cut in rng.sample(cuts, len(cuts)):
        ends = [*cut, len(ordered)]
        yield [ordered[start:end] for start, end in zip([0, *cut], ends, strict=True)]
