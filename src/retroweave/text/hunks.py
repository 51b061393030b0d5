"""Where two texts differ, as edits of the older one that can be made or left out, each by itself.

`difflib` finds them line by line; within changed lines what is alike at both ends is left out. Edits are in order and
do not touch, so any of them together give a text too: that is how a change is cut down to the part of it that matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Hunk", "edited", "hunks"]


class Hunk(NamedTuple):
    """What stands from `start` to `end` of the older text, and what stands there in the newer one."""

    start: int
    end: int
    text: str


def hunks(old: str, new: str) -> list[Hunk]:
    """The edits that make `new` of `old`, in order."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    found = []
    for tag, first, last, begin, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "replace" and last - first == end - begin:  # line for line: each may be left out by itself
            for place in range(last - first):
                found.append(_narrow(starts[first + place], before[first + place], after[begin + place]))
        elif tag != "equal":
            found.append(_narrow(starts[first], "".join(before[first:last]), "".join(after[begin:end])))
    return found


def _narrow(start: int, was: str, now: str) -> Hunk:
    """The edit without what is alike at both ends."""
    head = _alike(was, now)
    tail = _alike(was[head:][::-1], now[head:][::-1])
    return Hunk(start + head, start + len(was) - tail, now[head : len(now) - tail])


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def edited(old: str, some: Iterable[Hunk]) -> str:
    """The text with some of the edits made."""
    parts, reached = [], 0
    for start, end, text in some:
        parts += [old[reached:start], text]
        reached = end
    return "".join([*parts, old[reached:]])
