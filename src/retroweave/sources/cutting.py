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


_BREAK = r"(?>\r\n?|\n)"
_BLANK_LINES = re.compile(rf"{_BREAK}(?:[^\S\r\n]*{_BREAK})+")
_LEADING_BLANK_LINES = re.compile(rf"(?:[^\S\r\n]*{_BREAK})*")
# The gap after a sentence is the last group that matched; closing quotation marks and brackets stay with the sentence.
_SENTENCE_END = re.compile(r"""[.!?]["'”’»)\]]*(\s+)|[。！？]["'”’」』）]*(\s*)""")
_SPACE = re.compile(r"\s+")


def cut(text: str, shortest: int, longest: int) -> Iterator[Span]:
    """Spans of `text` in order, none longer than `longest`; one shorter than `shortest` fitted to no neighbour.

    Paragraphs are joined for as long as they fit. A paragraph longer than `longest` is cut at the ends of sentences, a
    sentence that is still too long at spaces, and a word that is, anywhere. Together the spans hold all of the text but
    the white space between them.
    """
    before: list[Span] = []
    now: list[Span] = []
    for piece in _pieces(text, longest):
        fits = not now or piece.span.end - now[0].start <= longest
        if now and (not fits or (piece.opens and _joined(now).length >= shortest)):
            spans, before = _close(before, now, shortest, longest)
            yield from spans
            now = []
        now.append(piece.span)
    if now:
        spans, before = _close(before, now, shortest, longest)
        yield from spans
    if before:
        yield _joined(before)


def _close(before: list[Span], now: list[Span], shortest: int, longest: int) -> tuple[list[Span], list[Span]]:
    """The spans that are final once `now` can grow no more, and the passage that may still lend its last pieces."""
    if _joined(now).length >= shortest:
        return ([_joined(before)] if before else []), now
    for kept in range(len(before) - 1, -1, -1):
        right = Span(before[kept].start, now[-1].end)
        if right.length > longest:
            break
        left_is_long_enough = kept == 0 or before[kept - 1].end - before[0].start >= shortest
        if right.length >= shortest and left_is_long_enough:
            return ([_joined(before[:kept])] if kept else []), before[kept:] + now
    return [_joined(spans) for spans in (before, now) if spans], []


def _joined(spans: list[Span]) -> Span:
    return Span(spans[0].start, spans[-1].end)


def _pieces(text: str, longest: int) -> Iterator[_Piece]:
    leading = _LEADING_BLANK_LINES.match(text)
    whole = Span(leading.end() if leading else 0, len(text.rstrip()))
    for paragraph in _between(_BLANK_LINES, text, whole):
        yield from _whole_or_cut(text, paragraph, longest, [_SENTENCE_END, _SPACE])


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
