"""Where rows come from: `given`, the first of a pipeline's steps.

A source yields `SourceRow`s in an order that never changes, each with a key that is its own. It reads; it does not
choose between train and validation, draw random numbers or repair what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Source", "SourceRow", "given"]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One item of a source, with where it comes from."""

    key: str
    """Unique in the source, the same in every run: the row's random numbers hang on it."""
    fields: dict[str, Any]
    license: str
    """The SPDX expression under which this row came."""
    place: str
    """Where a person finds it again: a file and a place in it."""
    cluster: str = ""
    """Rows of one cluster never stand on both sides of the train and validation split; the key where it is empty."""
    reject: str = ""
    """Why the source itself throws this row away; it is kept among the rejects."""


@dataclass(frozen=True)
class Source:
    """What a pipeline starts from: fields that the author vouches for, with their licences."""

    name: str
    fields: Mapping[str, Any]
    """Field name to type, as in a function's annotations."""
    rows: Callable[[], Iterator[SourceRow]]
    licenses: tuple[str, ...]
    """The SPDX licences that are let in; a row under another one is a reject."""
    fingerprint: Callable[[], str]
    """A hash of all that `rows` would read: a run that goes on must find the same source."""
    again: bool = True
    """Whether the source may be drawn from more than once, with new random numbers each time."""


def given(
    rows: Callable[[], Iterator[SourceRow]],
    fields: Mapping[str, Any],
    *,
    licenses: tuple[str, ...],
    fingerprint: Callable[[], str],
    name: str = "given",
    again: bool = True,
) -> Source:
    """Declare a source of your own.

    `rows` yields them anew whenever it is called, always in one order; `fields` are the names and types of what they
    hold. A row under another licence than `licenses` is a reject. `fingerprint` gives a text that changes when the rows
    would: a hash of the files that are read, with the settings that choose among them. Where a row may serve only once,
    say `again=False`, and a run ends when all have been drawn.
    """
    return Source(name, dict(fields), rows, licenses, fingerprint, again)
