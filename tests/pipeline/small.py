"""Small sources and runs that the tests of the pipeline's model share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retroweave.pipeline.flow import Bench, work
from retroweave.pipeline.pipeline import Pipeline
from retroweave.pipeline.row import Leaf
from retroweave.pipeline.run import draws
from retroweave.pipeline.source import Source, SourceRow, given


def source(
    *rows: Mapping[str, Any], licenses: Sequence[str] = ("CC0-1.0",), again: bool = True, **fields: Any
) -> Source:
    """Rows in memory, keyed by their place; `fields` are names and types, those of the first row if left out."""

    def each_row() -> Iterator[SourceRow]:
        for index, row in enumerate(rows):
            yield SourceRow(str(index), dict(row), licenses[0], f"row {index}")

    types = fields or {name: type(value) for row in rows[:1] for name, value in row.items()}
    return given(each_row, types, licenses=tuple(licenses), fingerprint=lambda: repr(rows), again=again)


def leaves(pipeline: Pipeline, seed: int = 0, recipe: str = "small", draw: int = 0) -> list[Leaf]:
    """What becomes of one draw of the source's rows, one row after the other."""

    async def worked() -> list[Leaf]:
        bench = Bench(pipeline, recipe, seed, together=pipeline.awaits)
        upto = itertools.takewhile(lambda drawn: drawn.draw <= draw, draws(pipeline))
        return [leaf for drawn in upto if drawn.draw == draw for leaf in await work(drawn, bench)]

    return asyncio.run(worked())
