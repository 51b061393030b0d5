"""The outcomes of a finished run by their source row: its samples and its rejects, side by side.

It is here because what a judge accepted and what it rejected of one source row stand in two files, and both the survey
and the preference pairs want them together. Both files are in path order, so they are read as streams and merged; no
more than one source row's outcomes are in memory. It looks into none of them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from retroweave.export.dataset import SPLITS, read_rejects, read_samples

__all__ = ["Outcomes", "SourceRow", "by_source_row", "source_row"]

SourceRow = tuple[int, int]
"""How often the source had been drawn from before, and the row's place in it."""


@dataclass(frozen=True)
class Outcomes:
    """All that came of one source row; where one split is read, the samples are those of this split."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)


def by_source_row(run_dir: Path, split: str | None = None) -> Iterator[Outcomes]:
    """The outcomes of each source row that has any, in the order in which the rows were drawn.

    Of rejects it is not known which split they would have come to, so they are all there.
    """
    splits = SPLITS if split is None else (split,)
    streams = [*(read_samples(run_dir, name) for name in splits), read_rejects(run_dir)]
    for _, same in groupby(heapq.merge(*streams, key=source_row), key=source_row):
        found = Outcomes()
        for outcome in same:
            (found.rejects if "row" in outcome else found.samples).append(outcome)
        yield found


def source_row(outcome: Mapping[str, Any]) -> SourceRow:
    """Where an outcome comes from: a sample says so in its provenance, a reject in the beginning of its path."""
    if "row" in outcome:
        draw, index, *_ = outcome["row"].split("/")
        return int(draw), int(index)
    source = outcome["provenance"]["source"]
    return source["draw"], source["index"]
