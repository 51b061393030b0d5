"""A text as the families read it: sentences and words, but only where every reasonable reading agrees.

What is a word in "smoke-house", a sentence in a heading, the end of one after "St."? People differ, so there is no
answer to vouch for. Here a text is cut by several definitions. Where they give different sentences or words, there are
none, and a family that needs them asks about another text.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from retroweave.text.spans import sentences as cut_sentences

__all__ = ["Text", "agreed_sentences", "agreed_words", "kin", "these"]

_JOINED = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNHYPHENED = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LETTERS_ONLY = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LOOSE = re.compile(r"[^\W\d_]+")

_STOPS = re.compile(r"[.!?]+")
_GAP = re.compile(r"(?<=[.!?])([”\"’')]*)\s+")
_DISPUTED = re.compile(
    r"…|\.\.|[.!?][!?.]|(?<!\n)\n(?!\n)|^\s*(?:\d+[.)]|[-*•–—#>])\s|[_*`|\\<>{}\[\]]|["
    r"=+&@]",
    re.MULTILINE,
)
"""Where it is anybody's guess what a sentence is: dots, line breaks inside a paragraph, lists, markup."""
_SHORTENED = re.compile(
    r"\b(?:[A-Z]|[A-Z][a-z]{1,2}|Capt|Prof|Messrs|Inst|Corp|Dept|Univ|etc|vs|approx|ca|cf|pp|ed|eds|vol|vols|fig|al"
    r"|no|nos|[a-z])\.[”\"’')]*(?=\s|$)"
)
_ENDED = re.compile(r"[.!?][”\"’')]*$")


def these(listed: str) -> frozenset[str]:
    """Words, written one after another."""
    return frozenset(listed.split())


def agreed_sentences(text: str) -> tuple[str, ...]:
    """The sentences, where three ways of finding them agree; else none."""
    if _DISPUTED.search(text) or _SHORTENED.search(text):
        return ()
    paragraphs = [piece.strip() for piece in re.split(r"\n{2,}", text) if piece.strip()]
    if not all(_ENDED.search(one) for one in paragraphs):
        return ()
    found = tuple(text[start:end] for start, end in cut_sentences(text))
    cut = tuple(piece for one in paragraphs for piece in _cut(one))
    stops = sum(len(_STOPS.findall(one)) for one in paragraphs)
    return found if found == cut and len(found) == stops and all(map(_whole, found)) else ()


def _cut(paragraph: str) -> list[str]:
    """Cut after each mark that ends a sentence."""
    pieces = _GAP.sub(lambda gap: f"{gap[1]}\0", paragraph).split("\0")
    return [piece for piece in pieces if piece]


def _whole(sentence: str) -> bool:
    """It begins as a sentence does, and what is opened in it is closed in it."""
    return (
        bool(re.match(r"[“\"‘'(]?[A-Z]", sentence))
        and len(_LOOSE.findall(sentence)) >= 2
        and sentence.count("“") == sentence.count("”")
        and sentence.count('"') % 2 == 0
        and sentence.count("(") == sentence.count(")")
        and not re.search(r"[:;,-]$", sentence.rstrip("”\"’')"))
    )


def agreed_words(piece: str) -> tuple[str, ...]:
    """The words, where hyphens, numbers and lone marks leave no doubt about what is one; else none."""
    joined = tuple(_JOINED.findall(piece))
    others = (
        tuple(_UNHYPHENED.findall(piece)),
        tuple(_LETTERS_ONLY.findall(piece)),
        tuple(re.sub(r"^[\W_]+|[\W_]+$", "", token) for token in piece.split() if not re.fullmatch("[–—-]+", token)),
    )
    return joined if all(other == joined for other in others) else ()


def kin(one: str, other: str) -> bool:
    """Whether two words may be forms of one word, so that asking for the one might be thought to find the other."""
    shorter, longer = sorted((one, other), key=len)
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(shorter))
    return same == len(shorter) or (same >= 4 and same >= len(longer) - 4) or (same == 3 and len(longer) <= 5)


@dataclass(frozen=True)
class Text:
    """What is shown, and the rest of the passage that it was taken from."""

    shown: str
    rest: str = ""

    @cached_property
    def paragraphs(self) -> tuple[str, ...]:
        """What blank lines part; none where a line break inside of one leaves room for doubt."""
        pieces = tuple(piece for piece in re.split(r"\n[^\S\n]*\n\s*", self.shown.strip()) if piece)
        return () if any("\n" in piece or not _ENDED.search(piece) for piece in pieces) else pieces

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        return agreed_sentences(self.shown)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return agreed_words(self.shown)

    @cached_property
    def word_range(self) -> tuple[int, int]:
        """How many words there are, by the reading that finds the fewest and by the one that finds the most."""
        counts = (
            len(_UNHYPHENED.findall(self.shown)),
            len(_LETTERS_ONLY.findall(self.shown)),
            len([token for token in self.shown.split() if re.search(r"[^\W_]", token)]),
            len(self.shown.split()),
            len(_LOOSE.findall(self.shown)),
        )
        return min(counts), max(counts)

    @cached_property
    def loose(self) -> Counter[str]:
        """Every run of letters, small, of the text: what can be taken for a word by anybody."""
        return Counter(_LOOSE.findall(self.shown.lower()))

    @cached_property
    def outside(self) -> Counter[str]:
        """The same of the rest of the passage."""
        return Counter(_LOOSE.findall(self.rest.lower()))

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """Words of the text that stand in it in small letters, by themselves, and in no other form."""
        return plain_words(self.shown, self.loose)

    @cached_property
    def plain_outside(self) -> tuple[str, ...]:
        """Words of the rest that nobody could find in the text."""
        return tuple(word for word in plain_words(self.rest, self.outside) if self.lacks(word))

    def lacks(self, word: str) -> bool:
        """Whether no word of the text is this one, or a form of it."""
        return word not in self.loose and not any(kin(word, other) for other in self._by_start[word[:3]])

    @cached_property
    def _by_start(self) -> Mapping[str, list[str]]:
        return by_start(self.loose)


_ALONE = re.compile(r"(?:(?<!.)|(?<=\s)|(?<=\s[“\"(]))[a-z]{4,}(?=[.,;:!?”\"’)]*(?:\s|\Z))", re.DOTALL)
"""A small word with white space around it, and at most the marks of prose between: what stands in code is none."""


def plain_words(text: str, loose: Counter[str]) -> tuple[str, ...]:
    """Words of four letters and more, by themselves at each place, without a second form beside them."""
    alone, near = Counter(_ALONE.findall(text)), by_start(loose)
    return tuple(
        word
        for word, count in alone.items()
        if loose[word] == count
        and word not in _SMALL
        and not any(other != word and kin(word, other) for other in near[word[:3]])
    )


def by_start(words: Iterable[str]) -> Mapping[str, list[str]]:
    """Words of three letters and more by their first three, which words of one kin share."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        if len(word) > 2:
            found[word[:3]].append(word)
    return found


_SMALL = these(
    "that with this from have been were they them their there what when which would could should into than then some "
    "such only also very more most over will shall about after before where while upon each does done your whom whose "
    "these those here ours being other because"
)
"""Words so frequent that nobody asks for them."""
