"""Bugs in the text of a function: what may stand there, the broken text, and the record of it.

A bug is an operator at one of its sites, in offsets of the sound text, so that any of several bugs of a function can be
there or not: `planted` writes the text with those that are, and says of each on which line it stands there and what
reads how. The record has the form of that of `damage`, so its `undo` leads back. `is_sound` refuses a site that would
change nothing, break what it should not, or touch a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from retroweave.corruptions.bugs.site import OPERATORS, Edit, Kind, Operator, Site
from retroweave.corruptions.code import Code, Span, meaning
from retroweave.corruptions.damage import undo

__all__ = ["Bug", "are_apart", "is_sound", "planted", "undo"]

LONGEST_QUOTE = 100
"""In characters; what is longer, or stands on several lines, is not quoted."""
_MOST_EDITS = 3


@dataclass(frozen=True)
class Bug:
    """One mistake at one place of a sound function."""

    operator: str
    site: Site

    @property
    def kind(self) -> Kind:
        return OPERATORS[self.operator].kind

    @property
    def title(self) -> str:
        return OPERATORS[self.operator].title

    @property
    def effect(self) -> str | None:
        """What goes wrong at run time, where that is the same for all bugs of the operator."""
        return OPERATORS[self.operator].effect

    def places(self) -> Iterator[Span]:
        """All stretches of the sound text that the bug changes or that its diagnosis quotes."""
        yield from ((edit.start, edit.end) for edit in self.site.edits)
        yield self.site.shown
        yield from self.site.quotes.values()


def are_apart(bugs: Sequence[Bug], other: Bug) -> bool:
    """Whether another bug touches no place of those that are there."""
    taken = [place for bug in bugs for place in bug.places()]
    return all(end < first or last < start for first, last in taken for start, end in other.places())


def planted(source: str, bugs: Iterable[Bug]) -> tuple[str, list[dict[str, Any]]]:
    """The text of a function with some bugs, and the record of them in reading order.

    Each record has `operator`, `kind`, `line`, the one that a diagnosis names, `told`, what a diagnosis may tell by
    placeholder, and `edits`, each with `start` and `end` in the sound text, `was`, `now`, and `at` and `line` (from 1)
    in the broken one.
    """
    ordered = sorted(bugs, key=lambda bug: bug.site.edits[0])
    moved = _Moved(source, [edit for bug in ordered for edit in bug.site.edits])
    return moved.text, [_record(bug, moved) for bug in ordered]


class _Moved:
    """A text with edits, and where the places of the old text stand in it."""

    def __init__(self, source: str, edits: Iterable[Edit]) -> None:
        self.source = source
        self.edits = sorted(edits)
        self.text = self._edited()

    def _edited(self) -> str:
        parts: list[str] = []
        reached = 0
        for start, end, new in self.edits:
            parts += self.source[reached:start], new
            reached = end
        return "".join((*parts, self.source[reached:]))

    def begins(self, place: int) -> int:
        """Where what begins at a place of the old text begins in the new one; what is put in there belongs to it."""
        shift = 0
        for start, end, new in self.edits:
            if start < end <= place or end < place:
                shift += len(new) - (end - start)
            elif start < place:
                return start + shift
        return place + shift

    def ends(self, place: int) -> int:
        """Where what ends at a place of the old text ends in the new one."""
        shift = 0
        for start, end, new in self.edits:
            if end <= place:
                shift += len(new) - (end - start)
            elif start < place:
                return start + shift + len(new)
        return place + shift

    def line(self, place: int) -> int:
        return self.text.count("\n", 0, self.begins(place)) + 1

    def quote(self, start: int, end: int) -> str:
        """What a stretch of the old text reads like in the new one."""
        return self.text[self.begins(start) : self.ends(end)].strip()


def _record(bug: Bug, moved: _Moved) -> dict[str, Any]:
    site, line = bug.site, moved.line(bug.site.at)
    edits = []
    for edit in site.edits:
        at = moved.begins(edit.start)
        place = {"at": at, "line": moved.text.count("\n", 0, at) + 1}
        edits.append({"start": edit.start, "end": edit.end, "was": moved.source[edit.start : edit.end]} | place)
        edits[-1]["now"] = edit.new
    told = {"line": str(line), **_told(site, moved)}
    return {"operator": bug.operator, "kind": bug.kind, "line": line, "told": told, "edits": edits}


def _told(site: Site, moved: _Moved) -> dict[str, str]:
    """What can be said of a site in one line of code each."""
    quotes = {name: moved.quote(*span) for name, span in site.quotes.items()}
    quotes |= {"was": moved.source[slice(*site.shown)].strip(), "now": moved.quote(*site.shown), **site.facts}
    return {name: quote for name, quote in quotes.items() if _can_be_quoted(quote)}


def _can_be_quoted(quote: str) -> bool:
    return 0 < len(quote) <= LONGEST_QUOTE and not any(char in quote for char in "\r\n`")


def is_sound(code: Code, kind: Operator, site: Site) -> bool:
    """Whether a site does what its operator promises, and can be told of."""
    edits = sorted(site.edits)
    if len(edits) > _MOST_EDITS or any(one.end > other.start for one, other in pairwise(edits)):
        return False
    if not all(code.may_change(edit.start, edit.end) and _changes(code, edit) for edit in edits):
        return False
    moved = _Moved(code.text, edits)
    if any(_glues(moved, edit) for edit in edits):
        return False
    if not kind.tells <= {"line", *_told(site, moved)}:
        return False
    result = meaning(moved.text)
    return result is None if kind.kind == "syntax" else result not in (None, code.meaning)


def _glues(moved: _Moved, edit: Edit) -> bool:
    """Whether an edit makes one word of two, as where the parentheses of `not(a)` go."""
    at, text = moved.begins(edit.start), moved.text
    if not edit.new:
        return _in_a_word(text, at) and not _in_a_word(moved.source, edit.start)
    return any(_in_a_word(text, place) for place in (at, at + len(edit.new))) and not (
        _in_a_word(moved.source, edit.start) or _in_a_word(moved.source, edit.end)
    )


def _in_a_word(text: str, place: int) -> bool:
    """Whether a place is between two letters or digits."""
    around = text[place - 1 : place + 1] if place > 0 else ""
    return len(around) == 2 and all(char.isalnum() or char == "_" for char in around)


def _changes(code: Code, edit: Edit) -> bool:
    return code.text[edit.start : edit.end] != edit.new
