"""Verse as text: the poem in a model's answer, and how two versions of a poem compare line by line.

What can be seen without knowing how words sound; that is for `judges.prosody`.
"""

from __future__ import annotations

import re

from retroweave.pipeline.errors import Drop

__all__ = ["as_long", "copies_little", "verse_in", "verse_lines"]

LONGEST_LINE = 160
RUN = 4
"""Words in a row by which a copy is known."""
_NO_VERSE = re.compile(
    r"^(?:#|\*\*|[-=]{3,}|\(?Note\b|Subject:|Draft\b.*:$|First draft\b|Finished poem\b)", re.MULTILINE
)


def verse_lines(verse: str) -> list[str]:
    """The lines with something on them."""
    return [line.strip() for line in verse.split("\n") if line.strip()]


def verse_in(answer: str) -> str:
    """The poem in a model's answer, without a fence around it and a line that announces it.

    Raises `Drop` where there is more than that: headings, notes, the next exercise.
    """
    fenced = re.search(r"^```\w*\n(.*?)^```", answer, re.DOTALL | re.MULTILINE)
    lines = (fenced[1] if fenced else answer).strip().split("\n")
    if len(lines) > 2 and lines[0].rstrip().endswith(":") and not lines[1].strip():
        lines = lines[2:]
    verse = "\n".join(line.rstrip() for line in lines).strip()
    if not verse or "```" in verse or _NO_VERSE.search(verse):
        raise Drop("the answer is more than a poem")
    return verse


def as_long(verse: str, poem: str) -> bool:
    """It has about as many lines as the poem, and none that goes on for ever."""
    lines, wanted = verse_lines(verse), len(verse_lines(poem))
    return abs(len(lines) - wanted) <= max(1, wanted // 4) and max(map(len, lines), default=0) <= LONGEST_LINE


def copies_little(verse: str, poem: str) -> bool:
    """No more than a third of its runs of four words stand in the other poem, however the lines are broken."""
    runs, others = (_runs(text) for text in (verse, poem))
    return len(runs & others) <= len(runs) / 3


def _runs(text: str) -> set[tuple[str, ...]]:
    found = re.findall(r"[\w'’]+", text.lower())
    return {tuple(found[at : at + RUN]) for at in range(max(1, len(found) - RUN + 1))}
