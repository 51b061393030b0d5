"""Companions: the other passages of the same text, for those who want an example of how its author writes.

What is lent to another row comes from that row's own side of the split, as in `pool`. A text whose other passages all
fell on the other side lends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice

from retroweave.pipeline.row import digest, side_of
from retroweave.pipeline.source import Source, SourceRow
from retroweave.pipeline.step import Side

__all__ = ["Companions", "text_of"]


def text_of(row: SourceRow) -> str:
    """Which text a passage was cut from: the file and the record, as its key begins."""
    return row.key.rpartition(":")[0]


class Companions:
    """The first passages of a source, by side and by text."""

    def __init__(
        self,
        source: Source,
        field: str,
        validation: float,
        *,
        size: int = 10_000,
        text: Callable[[SourceRow], str] = text_of,
    ) -> None:
        """`validation` is the pipeline's share; `size` rows are looked at; `text` tells rows of one text apart."""
        self._source = source
        self._field = field
        self._validation = validation
        self._size = size
        self._text = text

    @cached_property
    def _found(self) -> tuple[dict[str, list[tuple[Side, str]]], dict[str, str]]:
        """The passages of each text, and each passage's text."""
        of_text: dict[str, list[tuple[Side, str]]] = {}
        texts: dict[str, str] = {}
        for row in islice(self._source.rows(), self._size):
            if not row.reject:
                passage = row.fields[self._field]
                side = side_of(row.cluster or row.key, self._validation)
                of_text.setdefault(self._text(row), []).append((side, passage))
                texts.setdefault(passage, self._text(row))
        return of_text, texts

    def beside(self, passage: str, side: Side) -> Sequence[str]:
        """The other passages of its text that stand on this side, in the order of the text."""
        of_text, texts = self._found
        others = of_text.get(texts.get(passage, ""), [])
        return [other for fallen, other in others if fallen == side and other != passage]

    def fingerprint(self) -> str:
        """A hash of what is lent, and to whom."""
        of_text, _ = self._found
        return digest(*(part for found in of_text.values() for one in found for part in one), "|").hex()
