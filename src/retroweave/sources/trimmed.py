"""A source whose texts come without the white space around them.

A passage takes its line's end with it, as a text file does, which is right for a patch. An answer that is learnt should
end where its last sentence ends. Trimmed here, at the source, it is still what was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from retroweave.pipeline.source import Source, SourceRow

__all__ = ["trimmed"]


def trimmed(source: Source, field: str) -> Source:
    """The same rows, in which `field` neither begins nor ends with white space."""

    def rows() -> Iterator[SourceRow]:
        for row in source.rows():
            yield replace(row, fields={**row.fields, field: row.fields[field].strip()})

    return replace(source, rows=rows)
