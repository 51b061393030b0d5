"""A sample as a person reads it: turns in pieces, with the damage marked and the patches told apart from prose.

It is here because the report shows real samples. It finds where each edit stands, which lines are a diff, and what
of a very long turn is left out; how that looks is the page's part. All text in its pieces is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from retroweave.export.excerpt import shorten, visible
from retroweave.text.tool_calls import spoken

__all__ = ["Conversation", "Edit", "Line", "Piece", "Run", "Turn", "conversation", "damage_span"]

_LONGEST_TURN = 6_000
_DIFF_BEGINS = re.compile(r"diff --git |--- [^\n]*\n\+\+\+ |@@ -\d+(,\d+)? \+\d+(,\d+)? @@")
_TAG_LINE = re.compile(r"^(</?[A-Za-z][\w-]*(?: [^<>\n]*)?>|→ [\w.-]+)$", re.MULTILINE)
_DIFF_GOES_ON = ("+", "-", " ", "@@", "\\", "diff --git ", "index ")


@dataclass(frozen=True)
class Edit:
    """One place of damage."""

    number: int
    """Counts the sample's operations from 1; an operation at two places gives two edits one number."""
    operation: str
    was: str
    now: str
    line: str
    start: int
    """Offset in the turn."""

    @property
    def end(self) -> int:
        return self.start + len(self.now)


@dataclass(frozen=True)
class Run:
    """A stretch of text, damaged by `edit` or not; or a line that is a tag, such as <passage>, or a tool's name."""

    text: str
    edit: Edit | None = None
    is_tag: bool = False


@dataclass(frozen=True)
class Line:
    """A line of a diff, its newline included."""

    kind: Literal["added", "removed", "place", "head", "same"]
    text: str


@dataclass(frozen=True)
class Piece:
    """Prose as runs, a diff as lines, or a number of characters that are left out."""

    runs: Sequence[Run] = ()
    lines: Sequence[Line] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Turn:
    role: str
    train: bool
    pieces: Sequence[Piece]


@dataclass(frozen=True)
class Conversation:
    id: str
    layout: str
    split: str
    place: str
    turns: Sequence[Turn]
    edits: Sequence[Edit] = field(default=())
    """All that are marked, in reading order."""


def damage_span(sample: Mapping[str, Any]) -> Sequence[int] | None:
    """Turn, start and end of the damaged text, where it stands as it is; in JSON, say, it cannot be marked."""
    span: Sequence[int] | None = sample["provenance"]["spans"].get("damaged")
    return span


def conversation(sample: Mapping[str, Any]) -> Conversation:
    """A sample, ready to be drawn."""
    span = damage_span(sample)
    edits = _edits(sample, span) if span else []
    turns = []
    for place, turn in enumerate(sample["messages"]):
        marked, quoted = (edits, range(span[1], span[2])) if span and span[0] == place else ([], range(0))
        pieces = list(_pieces(spoken(turn), quoted, marked))
        turns.append(Turn(turn["role"], turn["train"], pieces))
    place = sample["provenance"]["source"]["place"]
    return Conversation(sample["id"], sample["layout"], sample["split"], place, turns, edits)


def _edits(sample: Mapping[str, Any], span: Sequence[int]) -> list[Edit]:
    """The edits that stand where the provenance says, in reading order."""
    content = sample["messages"][span[0]]["content"]
    found = []
    for number, operation in enumerate(sample["provenance"]["kept"].get("operations", ()), 1):
        for edit in operation["edits"]:
            start = span[1] + edit["at"]
            if content.startswith(edit["now"], start):
                name = operation["operation"].replace("_", " ")
                found.append(Edit(number, name, edit["was"], edit["now"], str(edit["line"]), start))
    return sorted(found, key=lambda edit: (edit.start, edit.end))


def _pieces(content: str, quoted: range, edits: Sequence[Edit]) -> Iterator[Piece]:
    head, left_out, tail = shorten(content, _LONGEST_TURN)
    yield from _window(content, 0, len(head), quoted, edits)
    if left_out:
        yield Piece(left_out=left_out)
        yield from _window(content, len(content) - len(tail), len(content), quoted, edits)


def _window(content: str, start: int, end: int, quoted: range, edits: Sequence[Edit]) -> Iterator[Piece]:
    """The text between two offsets: stretches of prose and of diff, in turn. What is quoted is prose."""
    prose_from = start
    for diff_from, diff_to in _diffs(content, start, end, quoted):
        if diff_from > prose_from:
            yield Piece(runs=list(_runs(content, prose_from, diff_from, edits)))
        yield Piece(lines=list(_lines(content[diff_from:diff_to])))
        prose_from = diff_to
    if prose_from < end:
        yield Piece(runs=list(_runs(content, prose_from, end, edits)))


def _diffs(content: str, start: int, end: int, quoted: range) -> Iterator[tuple[int, int]]:
    begun: int | None = None
    at = start
    for line in _split(content[start:end]):
        if begun is None and at not in quoted and _DIFF_BEGINS.match(content, at):
            begun = at
        elif begun is not None and not line.startswith(_DIFF_GOES_ON):
            yield begun, at
            begun = None
        at += len(line)
    if begun is not None:
        yield begun, end


def _split(text: str) -> list[str]:
    """Lines with their newlines; unlike `splitlines`, a line ends at a newline and nowhere else."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _lines(diff: str) -> Iterator[Line]:
    in_hunk = False
    for line in _split(diff):
        if line.startswith(("@@", "diff --git ")):
            in_hunk = line.startswith("@@")
            yield Line("place" if in_hunk else "head", visible(line))
        elif not in_hunk:
            yield Line("head", visible(line))
        elif line.startswith("+"):
            yield Line("added", visible(line))
        elif line.startswith("-"):
            yield Line("removed", visible(line))
        else:
            yield Line("same", visible(line))


def _runs(content: str, start: int, end: int, edits: Sequence[Edit]) -> Iterator[Run]:
    at = start
    for edit in edits:
        if edit.start < at or edit.start >= end:  # in another stretch, or over an earlier mark
            continue
        yield from _plain(content[at : edit.start])
        stop = min(edit.end, end)
        yield Run(visible(content[edit.start : stop]), edit)
        at = stop
    yield from _plain(content[at:end])


def _plain(text: str) -> Iterator[Run]:
    for place, part in enumerate(_TAG_LINE.split(text)):
        if part:
            yield Run(visible(part), is_tag=place % 2 == 1)
