"""Extracts: the sentences of a text that are worth taking by themselves, and how much of it is made of such.

TextRank finds what a text keeps coming back to. Taken as it ranks them its sentences are often poor company for each
other: two say the same, one hangs on what was left out, one is three words long. So four ordinary things are weighed
with the rank: the text's first sentence and a paragraph's count for more, very short and very long ones for less, one
that says again what was taken for less, and one that points back only together with what it points to. Speech, what
stands inside a quotation, what a named speaker says, items of lists, verse and questions are not taken. Nothing here
knows what a text is about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean

from retroweave.text.spans import sentences
from retroweave.text.textrank import Ranked, rank, telling_words

__all__ = ["extract", "prose_share", "sentences_of"]

_FEWEST_WORDS = 4
_OPENS_TEXT, _OPENS_PARAGRAPH = 1.6, 1.2
_SHORT, _LONG, _OUT_OF_SIZE = 8, 45, 0.6
"""Fewer words than this or more than that, and the rank counts for so much."""
_NOVELTY = 0.8
"""How much of its rank a sentence loses whose words have all been said by those that were taken."""

_WHOLE = re.compile(r"[A-ZÀ-Þ][^\n“”«»\"]*[.!…]")
_IN_SPEECH = frozenset("“”«»\"‘’'")
_QUOTED = (
    re.compile(r"(?P<opens>(?<![^\s(\[—–-])[\"“„«»](?=[\w‘’'(¿¡…])|«(?=\s))|[\"“”„«»]"),
    re.compile(r"(?P<opens>(?<!\w)‘(?=\w))|’(?!\w)"),
)
"""What opens a quotation, and what else closes one: which mark does which hangs on the language and on its place."""
_ITEM = re.compile(r"[ \t]*(?:[-*+•–—>|#]|\(?\w{1,3}(?:\.\d)?[.)]|\d{1,2}\.\d{1,2})[ \t]")
"""What opens an item of a list, a turn of speech, a quotation, a heading or a table."""
_CAPITAL_NAME = re.compile(r"[ \t]*[A-ZÀ-Þ][A-ZÀ-Þ .'’-]+(?: ?\([^()\n]*\))?[.:] ?\S")
_NAME = re.compile(r"[ \t]*([A-ZÀ-Þ][\w.'’-]*(?: [A-ZÀ-Þ][\w.'’-]*)?)(?: ?\([^()\n]*\))?: ?\S")
"""Who speaks, before what is said: KÁLMÁN (rising). Yes. Or, where a name comes again, Anna: Yes."""
_VERSE = 60
"""Lines that are shorter than this, and follow each other without a mark at their ends, are no prose."""
_POINTS_BACK = re.compile(
    r"(?:He|She|It|They|Him|Them|His|Her|Its|Their|This|That|These|Those|Such|But|And|So|Then|Yet|Or|Nor|Both|Neither"
    r"|Either|Here|There|Instead|Otherwise|However|Besides|Moreover|Therefore|Thus|Hence|Still|Meanwhile|Afterwards"
    r"|Later|Next|Finally|First|Second|Secondly|Third|Thirdly|Lastly|Also|Again|Only|Even|Not|Nobody else|No one else"
    r"|The (?:others?|same|former|latter|rest|second|third|next|last)|Another|One of (?:them|these|those))\b"
    r"|(?:How|When|Where|While|As|If|Since|Because|Before|After|Until|Once|Though|Although|By|With|For|Of)"
    r" (?:he|she|it|they|this|that|these|those|him|them|his|her|its|their)\b"
    r"|(?:\w+ ){1,5}(?:of them|of these|of those|of it|again|too|also|either|instead)\b"
    r"|\w+,? (?:(?!the|an?|my|our|no|every|[A-Z])\w+,? ){0,3}(?:he|she|they)\b"  # By radio he asked
    r"|\w+(?: (?!the|an?|my|our|no|every|[A-Z])\w+){0,3}, it\b"  # Sawn lengthwise, it makes
)


def extract(text: str, fits: Callable[[Sequence[Ranked]], bool]) -> list[Ranked]:
    """Central sentences in the order of the text, as many as `fits` lets in, the best first.

    Only whole sentences of running prose are taken: on one line, of four words or more, with no speech in them, and
    none that follows speech. One that points back (`It`, `But`, `The last of them`) is taken along with what it points
    to, or not at all.
    """
    ranked = rank(text)
    words = [telling_words(one.text) for one in ranked]
    worth = [_worth(text, one) for one in ranked]
    whole = _whole(text, ranked)
    groups = {place: _with_what_it_points_to(ranked, place) for place in range(len(ranked))}
    open_ = {place for place, group in groups.items() if group <= whole}
    chosen: set[int] = set()
    while open_:
        said = frozenset[str]().union(*(words[place] for place in chosen))
        best = max(sorted(open_), key=lambda place: fmean(_new(worth[one], words[one], said) for one in groups[place]))
        open_.discard(best)
        more = chosen | groups[best]
        if fits([ranked[one] for one in sorted(more)]):
            chosen = more
            open_ -= chosen
    return [ranked[place] for place in sorted(chosen)]


def _worth(text: str, one: Ranked) -> float:
    """Its rank, weighed by where it stands and how long it is."""
    opens = not text[: one.start].strip()
    paragraph = text[max(0, one.start - 2) : one.start].endswith("\n")
    place = _OPENS_TEXT if opens else _OPENS_PARAGRAPH if paragraph else 1.0
    return one.rank * place * (1.0 if _SHORT <= len(one.text.split()) <= _LONG else _OUT_OF_SIZE)


def _new(worth: float, words: frozenset[str], said: frozenset[str]) -> float:
    """What is left of its worth beside what was said already (after Carbonell and Goldstein, "MMR", 1998)."""
    return worth * (1 - _NOVELTY * len(words & said) / len(words)) if words else 0.0


def prose_share(text: str) -> float:
    """What share of a text's words stands in sentences that could be taken: of a play, a form or a poem a small one."""
    bad = _lines_of_no_prose(text)
    whole = [text[start:end] for start, end in sentences(text) if _is_whole(text, start, text[start:end], bad)]
    return sum(len(said.split()) for said in whole) / max(1, len(text.split()))


def _whole(text: str, ranked: Sequence[Ranked]) -> set[int]:
    bad = _lines_of_no_prose(text)
    return {place for place, one in enumerate(ranked) if _is_whole(text, one.start, one.text, bad)}


def _is_whole(text: str, start: int, sentence: str, bad: set[int]) -> bool:
    if text.count("\n", 0, start) in bad or text[max(0, start - 2) : start].rstrip()[-1:] in _IN_SPEECH:
        return False
    if _is_quoted(text[text.rfind("\n\n", 0, start) + 1 : start]):
        return False
    return len(sentence.split()) >= _FEWEST_WORDS and _WHOLE.fullmatch(sentence) is not None


def _is_quoted(before: str) -> bool:
    """Whether what stands before a place in its paragraph opens a quotation and does not close it.

    One that goes on over paragraphs is opened anew in each.
    """
    found = ([*marks.finditer(before)] for marks in _QUOTED)
    return any(bool(marks) and marks[-1]["opens"] is not None for marks in found)


def _lines_of_no_prose(text: str) -> set[int]:
    """The numbers of lines, from 0, that are said by a named speaker, are items of a list, or are verse."""
    lines = text.split("\n")
    names = Counter(found[1] for line in lines if (found := _NAME.match(line)))
    speakers = max(names.values(), default=0) > 1
    numbers = {
        number
        for number, line in enumerate(lines)
        if _ITEM.match(line) or _CAPITAL_NAME.match(line) or (speakers and _NAME.match(line))
    }
    for number, (line, after) in enumerate(pairwise(lines)):
        if _runs_on(line) and after.strip():
            numbers |= {number, number + 1}
    return numbers


def _runs_on(line: str) -> bool:
    """Whether a line is short and stops without a mark, as verse does, and headings and addresses."""
    return 0 < len(line.strip()) < _VERSE and line.rstrip()[-1:] not in ".!?…:"


def sentences_of(extract: str, text: str) -> list[int]:
    """Which sentences of a text an extract consists of, by place, in its order; none where anything else stands in it.

    It knows nothing of ranks. Sentences may stand on lines of their own, behind dashes.
    """
    own = [text[start:end] for start, end in sentences(text)]
    places: list[int] = []
    rest = re.sub(r"^- ", "", extract, flags=re.MULTILINE).replace("\n", " ")
    while rest:
        after = range(places[-1] + 1 if places else 0, len(own))
        place = next((one for one in after if rest == own[one] or rest.startswith(f"{own[one]} ")), None)
        if place is None:
            return []
        places.append(place)
        rest = rest[len(own[place]) + 1 :]
    return places


def _with_what_it_points_to(ranked: Sequence[Ranked], place: int) -> set[int]:
    """The sentence and those of its paragraph before it that it cannot do without; -1 where they are not there."""
    wanted = {place}
    while _POINTS_BACK.match(ranked[place].text):
        if place == 0 or ranked[place].start - ranked[place - 1].end > 1:
            return {-1}
        place -= 1
        wanted.add(place)
    return wanted
