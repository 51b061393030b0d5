"""Cutting a long text into passages at the places where a reader would pause.

A passage is an exact slice of its text: a model that learns to repair or continue it must find it as its author left
it. So nothing is normalised, line breaks stay as they are, and only the blank space between two passages is in neither.
This does not read files, and does not judge whether a passage is any good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from retroweave.text.headings import is_heading

__all__ = ["Span", "cut"]


class Span(NamedTuple):
    """A slice of a text, in characters."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class _Piece(NamedTuple):
    """The smallest thing that goes into a passage whole: a paragraph, or part of one that is too long."""

    span: Span
    opens: bool
    """Whether a paragraph that had to be cut begins here: it gets a passage of its own where the one before will do."""
    heads: bool = False
    """Whether it looks like a heading, which belongs with what follows it."""


_BREAK = r"(?>\r\n?|\n)"
_BLANK_LINES = re.compile(rf"{_BREAK}(?:[^\S\r\n]*{_BREAK})+")
_LINE_ENDS = re.compile(rf"{_BREAK}\s*")
_LEADING_BLANK_LINES = re.compile(rf"(?:[^\S\r\n]*{_BREAK})*")
# The gap after a sentence is the last group that matched; closing quotation marks and brackets stay with the sentence.
_SENTENCE_END = re.compile(r"""[.!?]["'”’»)\]]*(\s+)|[。！？]["'”’」』）]*(\s*)""")
_SPACE = re.compile(r"\s+")
_TITLE = 300
"""Within so many characters a blank line may stand under the title of a text that has none otherwise."""
_LONG_LINE = 100
"""Longer lines are paragraphs, and not lines that were broken to a width."""
_HEADINGS = 2
"""How many headings may stand one below the other; more are a list."""


def cut(text: str, shortest: int, longest: int) -> Iterator[Span]:
    """Spans of `text` in order, none longer than `longest`; one shorter than `shortest` fitted to no neighbour.

    Paragraphs are joined for as long as they fit, and a heading goes with what it heads where that fits. Blank lines
    part them, or line ends in a text that has no blank lines and whole paragraphs on its lines. A paragraph longer
    than `longest` is cut at the ends of sentences, a sentence that is still too long at spaces, and a word that is,
    anywhere. Together the spans hold all of the text but the white space between them.
    """
    before: list[_Piece] = []
    now: list[_Piece] = []
    for piece in _pieces(text, longest):
        fits = not now or piece.span.end - now[0].span.start <= longest
        if now and (not fits or (piece.opens and _joined(now).length >= shortest)):
            stays = _before_headings(now, piece, shortest, longest)
            spans, before = _close(before, now[:stays], shortest, longest)
            yield from spans
            now = now[stays:]
        now.append(piece)
    if now:
        spans, before = _close(before, now, shortest, longest)
        yield from spans
    if before:
        yield _joined(before)


def _before_headings(now: list[_Piece], following: _Piece, shortest: int, longest: int) -> int:
    """How many of the pieces stay: those at the end that head what follows go with it, if all lengths allow it."""
    stays = len(now)
    while stays and now[stays - 1].heads:
        stays -= 1
    if not stays or len(now) - stays > _HEADINGS or stays == len(now):
        return len(now)
    fits = following.span.end - now[stays].span.start <= longest
    return stays if fits and _joined(now[:stays]).length >= shortest else len(now)


def _close(before: list[_Piece], now: list[_Piece], shortest: int, longest: int) -> tuple[list[Span], list[_Piece]]:
    """The spans that are final once `now` can grow no more, and the passage that may still lend its last pieces."""
    if _joined(now).length >= shortest:
        return ([_joined(before)] if before else []), now
    for kept in range(len(before) - 1, -1, -1):
        right = Span(before[kept].span.start, now[-1].span.end)
        if right.length > longest:
            break
        left = Span(before[0].span.start, before[kept - 1].span.end) if kept else None
        left_is_whole = left is None or (left.length >= shortest and not before[kept - 1].heads)
        if right.length >= shortest and left_is_whole:
            return ([] if left is None else [left]), before[kept:] + now
    return [_joined(pieces) for pieces in (before, now) if pieces], []


def _joined(pieces: list[_Piece]) -> Span:
    return Span(pieces[0].span.start, pieces[-1].span.end)


def _pieces(text: str, longest: int) -> Iterator[_Piece]:
    leading = _LEADING_BLANK_LINES.match(text)
    whole = Span(leading.end() if leading else 0, len(text.rstrip()))
    for paragraph in _between(_paragraph_gap(text), text, whole):
        if paragraph.length <= longest:
            yield _Piece(paragraph, False, is_heading(text[paragraph.start : paragraph.end]))
        else:
            yield from _whole_or_cut(text, paragraph, longest, [_SENTENCE_END, _SPACE])


def _paragraph_gap(text: str) -> re.Pattern[str]:
    """Blank lines; but line ends where a text has no blank lines, and nearly all of it stands in long whole lines.

    Extractors write paragraphs so, one a line.
    """
    if _BLANK_LINES.search(text, _TITLE):
        return _BLANK_LINES
    lines = text.splitlines()
    long = sum(len(line) for line in lines if len(line) > _LONG_LINE and _SENTENCE_END.search(f"{line[-4:]} "))
    return _LINE_ENDS if len(lines) > 1 and long > 0.8 * len(text) else _BLANK_LINES


def _whole_or_cut(text: str, span: Span, longest: int, gaps: list[re.Pattern[str]]) -> Iterator[_Piece]:
    if span.length <= longest:
        yield _Piece(span, False)
        return
    opens = True
    for part in _between(gaps[0], text, span) if gaps else _even(span, longest):
        for piece in _whole_or_cut(text, part, longest, gaps[1:]):
            yield _Piece(piece.span, piece.opens or opens)
            opens = False


def _between(gap: re.Pattern[str], text: str, span: Span) -> Iterator[Span]:
    """What lies between the gaps within `span`."""
    start = span.start
    for found in gap.finditer(text, span.start, span.end):
        gap_start, gap_end = found.span(found.lastindex or 0)
        if gap_start > start:
            yield Span(start, gap_start)
        start = gap_end
    if start < span.end:
        yield Span(start, span.end)


def _even(span: Span, longest: int) -> Iterator[Span]:
    """Parts of nearly one length, so that no scrap is left at the end."""
    count = -(-span.length // longest)
    bounds = [span.start + span.length * part // count for part in range(count + 1)]
    yield from (Span(start, end) for start, end in pairwise(bounds))
