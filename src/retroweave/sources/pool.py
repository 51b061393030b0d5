"""A pool: passages that lend text to other rows, kept apart by side.

A span that is pasted into a training passage must not come from a validation passage, or the split leaks; so each side
lends to its own. What is not let in for its licence lends nothing either. The pool is a sample of the source, not the
whole of it: it stays small however large the source is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice

from retroweave.pipeline.row import digest, side_of
from retroweave.pipeline.source import Source
from retroweave.pipeline.step import Side

__all__ = ["Pool"]


class Pool:
    """The first passages of a source, by side."""

    def __init__(self, source: Source, field: str, validation: float, *, size: int = 1000) -> None:
        """`validation` is the pipeline's share, by which rows fall on their side; `size` rows are looked at."""
        self._source = source
        self._field = field
        self._validation = validation
        self._size = size

    @cached_property
    def _texts(self) -> dict[Side, tuple[str, ...]]:
        texts: dict[Side, list[str]] = {"train": [], "validation": []}
        for row in islice(self._source.rows(), self._size):
            if not row.reject and row.license in self._source.licenses:
                texts[side_of(row.cluster or row.key, self._validation)].append(row.fields[self._field])
        return {side: tuple(found) for side, found in texts.items()}

    def __getitem__(self, side: Side) -> Sequence[str]:
        return self._texts[side]

    def fingerprint(self) -> str:
        """A hash of what is lent, and to whom."""
        return digest(*self._texts["train"], "|", *self._texts["validation"]).hex()
