"""The five levels of evidence."""

from __future__ import annotations

import enum

__all__ = ["Worth"]


class Worth(enum.IntEnum):
    """What a model would be trusting if it learnt to write a field, from least to most."""

    prompted = 0
    """A model wrote it."""
    judged = 1
    """A classifier accepted it."""
    tested = 2
    """A program or a test suite of unknown quality says so."""
    given = 3
    """A source that the author vouches for."""
    proved = 4
    """A sound checker ties it to what it claims."""

    def __str__(self) -> str:
        return self.name
