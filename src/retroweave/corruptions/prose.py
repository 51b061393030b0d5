"""A passage and its places: where its words, sentences, paragraphs, numbers and names stand.

The same passage is damaged many times with other random numbers, so what was found in it once is kept: `Prose.of`
gives the same object for the same text. All places are offsets in code points, in arrays (a passage of 2,000 characters
takes some 20 kB with all of them). Inline code, fences, addresses and tags are no words here, so that no operation on
language touches them. This module knows no operation and damages nothing.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cached_property, lru_cache
from random import Random
from typing import Any, TypeVar

__all__ = ["Prose", "cuts_a_cluster", "is_mark", "like", "pick", "token_around"]

T = TypeVar("T")

LONGEST_WORD = 40
_VERBATIM = re.compile(
    r"```.*?```"  # a fenced block
    r"|`[^`\n]+`"  # inline code
    r"|\b(?:https?|ftp)://\S+"
    r"|<[^<>\n]{1,120}>",
    re.DOTALL,
)
_BREAK = re.compile(
    r"\n(?:[^\S\n]*\n)+[^\S\n]*"  # blank lines
    r"|\n(?=[^\S\n]*(?:[-*+•#>|–—]|\d{1,3}[.)])[^\S\n])"  # before an item of a list, a heading, a quotation
)
# The look behind and the possessive counts keep both linear on a page of full stops.
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|\Z)|(?<![。！？])[。！？]++[」』”’)]*+")
_NUMBER = re.compile(r"(?<![^\W_])\d{1,12}(?![^\W_])")
_QUOTE = re.compile("[\"'“”‘’]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

_JOINERS = "\u200c\u200d"
_ZERO_WIDTH_JOINER = "\u200d"


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    """Letters and digits with their combining marks, and what apostrophes and hyphens hold together.

    `re` knows no class of combining marks, so it is made here from the interpreter's own Unicode tables, once.
    """
    marks = [code for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)) if _is_mark_code(code)]
    mark = f"[{_JOINERS}{_ranges(marks)}]"
    letter = r"[^\W_]"
    return re.compile(rf"{letter}+(?:{mark}+{letter}*|['’\-‐‑]{letter}+)*")


def _is_mark_code(code: int) -> bool:
    return unicodedata.category(chr(code)).startswith("M")


def _ranges(codes: Sequence[int]) -> str:
    """Rising code points as the inside of a character class."""
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def is_mark(char: str) -> bool:
    """Whether a character belongs to the one before it: combining mark, joiner, skin tone or variation selector."""
    if char < "\u0300":
        return False
    return _is_mark_code(ord(char)) or char in _JOINERS or "\U0001f3fb" <= char <= "\U0001f3ff"


def cuts_a_cluster(text: str, position: int) -> bool:
    """Whether a cut before `position` would part what a reader sees as one character."""
    if position <= 0 or position >= len(text):
        return False
    return is_mark(text[position]) or text[position - 1] == _ZERO_WIDTH_JOINER


def token_around(text: str, start: int, end: int, limit: int) -> tuple[int, int]:
    """`start` and `end` widened to the whitespace on both sides, by at most `limit` characters each."""
    least, most = max(0, start - limit), min(len(text), end + limit)
    while start > least and not text[start - 1].isspace():
        start -= 1
    while end < most and not text[end].isspace():
        end += 1
    return start, end


def pick(rng: Random, places: Sequence[T]) -> T | None:
    """One of `places`, all alike, or None where there is none."""
    return places[int(rng.random() * len(places))] if places else None


def like(word: str, model: str) -> str:
    """`word` in the case of `model`: their, Their, THEIR."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


class Prose:
    """A text and the places in it, each kind found when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: dict[Callable[[Prose], Any], Any] = {}

    @staticmethod
    @lru_cache(maxsize=1024)
    def of(text: str) -> Prose:
        """The `Prose` of a text, the same one as before where the text was seen lately."""
        return Prose(text)

    def places(self, find: Callable[[Prose], T]) -> T:
        """What `find`, a function of a module, finds in this passage; it looks once."""
        try:
            found: T = self._found[find]
        except KeyError:
            found = self._found[find] = find(self)
        return found

    @cached_property
    def has_letters(self) -> bool:
        return any(char.isalpha() for char in self.text)

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    # Words

    @cached_property
    def _words(self) -> tuple[array[int], array[int]]:
        starts, ends = array("I"), array("I")
        for match in _word_pattern().finditer(self.text):
            start, end = match.span()
            if end - start <= LONGEST_WORD and not self.is_verbatim(start):
                starts.append(start)
                ends.append(end)
        return starts, ends

    @cached_property
    def starts(self) -> array[int]:
        """Where each word begins."""
        return self._words[0]

    @cached_property
    def ends(self) -> array[int]:
        """Where each word ends."""
        return self._words[1]

    @cached_property
    def lowered(self) -> tuple[str, ...]:
        """Each word in lower case with straight apostrophes, as word lists have it."""
        text = self.text
        spans = zip(self.starts, self.ends, strict=True)
        return tuple(sys.intern(text[start:end].lower().replace("’", "'")) for start, end in spans)

    def word(self, index: int) -> str:
        return self.text[self.starts[index] : self.ends[index]]

    def spaced(self, index: int) -> bool:
        """Whether a word and its next stand with nothing but one space between them."""
        if not 0 <= index < len(self.starts) - 1:
            return False
        end = self.ends[index]
        return self.starts[index + 1] == end + 1 and self.text[end] == " "

    def between(self, first: int, last: int) -> str:
        """All that stands between two words."""
        return self.text[self.ends[first] : self.starts[last]]

    def pick_word(self, rng: Random) -> int | None:
        return int(rng.random() * len(self.starts)) if self.starts else None

    def grouped(self, wanted: Container[str], indexes: Iterable[int] | None = None) -> tuple[array[int], ...]:
        """The words that are `wanted`, grouped by word: a rare one is then as likely to be picked as a common one."""
        groups: dict[str, array[int]] = {}
        for index in range(len(self.lowered)) if indexes is None else indexes:
            word = self.lowered[index]
            if word in wanted:
                groups.setdefault(word, array("I")).append(index)
        return tuple(groups.values())

    # What is not prose

    @cached_property
    def _verbatim(self) -> tuple[array[int], array[int]]:
        starts, ends = array("I"), array("I")
        for match in _VERBATIM.finditer(self.text):
            starts.append(match.start())
            ends.append(match.end())
        return starts, ends

    def is_verbatim(self, position: int) -> bool:
        """Whether a position stands in code, an address or a tag."""
        starts, ends = self._verbatim
        if not starts:
            return False
        index = bisect_right(starts, position) - 1
        return index >= 0 and position < ends[index]

    # Paragraphs and sentences

    @cached_property
    def breaks(self) -> tuple[tuple[int, int], ...]:
        """What stands between paragraphs, list items and headings: blank lines, or one line end."""
        found = []
        for match in _BREAK.finditer(self.text):
            start, end = match.span()
            start -= start > 0 and self.text[start - 1] == "\r"
            if start > 0 and end < len(self.text):
                found.append((start, end))
        return tuple(found)

    def paragraph_at(self, position: int) -> tuple[int, int]:
        """Start and end of the paragraph around a position."""
        index = bisect_right(self.breaks, (position, len(self.text)))
        start = self.breaks[index - 1][1] if index else 0
        end = self.breaks[index][0] if index < len(self.breaks) else len(self.text)
        return start, end

    def words_of_line(self, index: int) -> tuple[int, int]:
        """The first and the last word of the line on which a word stands."""
        place = self.starts[index]
        start = self.text.rfind("\n", 0, place) + 1
        end = self.text.find("\n", place)
        return bisect_left(self.starts, start), bisect_left(self.starts, end if end >= 0 else len(self.text)) - 1

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """The sentences that end in a mark, with it and its closing quotes, none across paragraphs."""
        found = []
        start, border = -1, -1
        for match in _SENTENCE_END.finditer(self.text):
            paragraph = self.paragraph_at(match.start())[0]
            if paragraph != border:
                start = border = paragraph
            while start < match.start() and self.text[start].isspace():
                start += 1
            if start < match.start():
                found.append((start, match.end()))
            start = match.end()
        return tuple(found)

    # Characters

    @cached_property
    def numbers(self) -> tuple[tuple[int, int], ...]:
        return tuple(match.span() for match in _NUMBER.finditer(self.text) if not self.is_verbatim(match.start()))

    @cached_property
    def quotes(self) -> array[int]:
        """Where quotation marks and apostrophes stand."""
        return array("I", (m.start() for m in _QUOTE.finditer(self.text) if not self.is_verbatim(m.start())))

    @cached_property
    def not_ascii(self) -> array[int]:
        return array("I", (m.start() for m in _NOT_ASCII.finditer(self.text) if not self.is_verbatim(m.start())))
