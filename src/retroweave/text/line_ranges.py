"""Where two texts differ, as ranges of lines that an editor would replace.

`diffs` writes patches for programs; this is for edits that are made one after the other, each in the numbering that
the edits before it have left. Lines end at a newline and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Range", "in_turn", "ranges"]


class Range(NamedTuple):
    """Lines from `start` up to but not including `end`, counted from 0, and what is to stand in their place."""

    start: int
    end: int
    new: tuple[str, ...]


def ranges(old: Sequence[str], new: Sequence[str], *, apart: int = 1) -> list[Range]:
    """The ranges of `old` whose replacement gives `new`, in order.

    Ranges with fewer than `apart` unchanged lines between them are one. No range is empty: where lines were lost, it
    takes in the line before them, or at the beginning the one behind. Nothing can be put into no lines at all, so that
    `old` must have one.
    """
    matched = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: list[tuple[int, int, int, int]] = []
    for tag, start, end, new_start, new_end in matched:
        if tag == "equal":
            continue
        if start == end and start > 0:
            start, new_start = start - 1, new_start - 1
        elif start == end:
            end, new_end = end + 1, new_end + 1
        if found and start - found[-1][1] < apart:
            first, _, new_first, _ = found.pop()
            start, new_start = first, new_first
        found.append((start, end, new_start, new_end))
    return [Range(start, end, tuple(new[first:last])) for start, end, first, last in found]


def in_turn(wanted: Sequence[Range], *, upwards: bool = False) -> Iterator[Range]:
    """The same ranges one after the other, each where its lines stand when those before it have been replaced."""
    if upwards:
        yield from reversed(wanted)
        return
    moved = 0
    for start, end, new in wanted:
        yield Range(start + moved, end + moved, new)
        moved += len(new) - (end - start)
