"""The answers of grounded questions, taken from the text before anything is asked, and the places where they stand.

All of it is done by program, with the rules of `text.spans`: which spans can be asked for, which two sentences belong
together, which sentence can be taken out of a text so that the rest still reads. No model is asked here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from random import Random
from typing import NamedTuple

from retroweave import About, Drop
from retroweave.text.headings import is_heading
from retroweave.text.likeness import overlap
from retroweave.text.spans import Span, candidates, points_back, sentences

__all__ = [
    "FIELDS",
    "KINDS",
    "Fixed",
    "around",
    "cites",
    "fix_answers",
    "fix_missing",
    "fix_pairs",
    "quote",
    "tell_place",
    "telling_words",
    "words_of_its_own",
]

KINDS: Mapping[str, tuple[str, ...]] = {
    "factual": ("name", "date", "quotation", "sentence"),
    "numeric": ("number",),
    "why": ("reason",),
}
"""A type of question to the kinds of spans that answer it."""
_PLAIN = frozenset(
    {"about", "after", "again", "another", "because", "before", "being", "between", "could", "every", "first", "found"}
    | {
        "might",
        "never",
        "nothing",
        "other",
        "others",
        "people",
        "should",
        "since",
        "something",
        "still",
        "their",
        "them",
    }
    | {"there", "these", "thing", "things", "those", "though", "through", "under", "until", "where", "which", "while"}
    | {"whole", "whose", "without", "would", "years"}
)
"""Longer words that stand in any text, and link no two of its sentences."""
_MEANS_ANOTHER = re.compile(
    r"\b(?:he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those|such|both|the (?:former|latter|same))\b"
)
"""Words by which a sentence may speak of what the one before has named."""
SHORT = ("name", "date", "number", "quotation")
"""Kinds that stand within a sentence and can be asked for by way of another one."""
MISSED = (*SHORT, "reason")
"""Kinds whose sentence may be taken out, so that the question stays without an answer."""


class Fixed(NamedTuple):
    """An answer, and what is known of it: a row of its own from here on."""

    answer: str
    kind: str
    type: str
    sentence: str
    """The sentence of the shown text in which the answer stands."""
    context: str
    """That sentence with its neighbours: what is enough for a small model to ask by."""
    clue: str = ""
    """For a question by way of another sentence, that sentence."""
    refusal: bool = False
    """Whether what is trained will say that the text does not answer."""


FIELDS = Fixed._fields


def fix_answers(passage: str, shown: str, rng: Random, wanted: Mapping[str, int], whole: bool = True) -> list[Fixed]:
    """Spans of both texts, for each type of question as many as are wanted, of as many kinds as there are.

    `whole` lets a sentence be an answer; where the answer is to be followed by its sentence, that would be said twice.
    """
    spans = [span for span in _in_both(passage, shown) if whole or span.kind != "sentence"]
    found = [
        Fixed(_text(shown, span), span.kind, type, _sentence(shown, span), around(shown, span))
        for type, count in wanted.items()
        for span in _in_turn([one for one in spans if one.kind in KINDS[type]], rng)[:count]
    ]
    if not found:
        raise Drop("nothing in the passage could be asked for")
    return found


def fix_pairs(passage: str, shown: str, rng: Random, count: int) -> list[Fixed]:
    """Short spans, each with another sentence from which its own can be reached: by a word that only those two share,
    or because the answer's own sentence points back to it.
    """
    found: list[Fixed] = []
    for span in _in_turn([one for one in _in_both(passage, shown) if one.kind in SHORT], rng):
        sentence = _sentence(shown, span)
        if clue := _clue(shown, sentence):
            both = sorted((clue, sentence), key=shown.index)
            found.append(Fixed(_text(shown, span), span.kind, "multi_hop", sentence, " ".join(both), clue))
        if len(found) == count:
            break
    if not found:
        raise Drop("no two sentences belong together, one with something to ask for")
    return found


def fix_missing(passage: str, shown: str, rng: Random, count: int) -> list[Fixed]:
    """Spans whose sentence can be taken out of what is shown, which then still reads, and says nothing of them."""
    found: list[Fixed] = []
    for span in _in_turn([one for one in _in_both(passage, shown) if one.kind in MISSED], rng):
        sentence = _sentence(shown, span)
        if _can_be_missed(shown, sentence):
            answer = _text(shown, span)
            found.append(Fixed(answer, span.kind, "unanswerable", sentence, around(shown, span), refusal=True))
        if len(found) == count:
            break
    if not found:
        raise Drop("no sentence with something to ask for can be left out of the passage")
    return found


def _in_both(passage: str, shown: str) -> list[Span]:
    """The candidates of a passage that stand in what is shown of it, and there too just once."""
    found = []
    for span in candidates(passage):
        text = _text(passage, span)
        if shown.count(text) == 1:
            start = shown.index(text)
            found.append(Span(start, start + len(text), span.kind))
    return found


def _in_turn(spans: Sequence[Span], rng: Random) -> list[Span]:
    """In random order, a kind at a time."""
    kinds: dict[str, list[Span]] = {}
    for span in spans:
        kinds.setdefault(span.kind, []).append(span)
    for one in kinds.values():
        rng.shuffle(one)
    turns = zip_longest(*(kinds[kind] for kind in rng.sample(sorted(kinds), len(kinds))))
    return [span for turn in turns for span in turn if span is not None]


def _text(passage: str, span: Span) -> str:
    return passage[span.start : span.end]


def _sentence(text: str, span: Span) -> str:
    """The sentence in which the span stands; the sentences, where it reaches over an end."""
    near = [(start, end) for start, end in sentences(text) if start < span.end and span.start < end]
    return text[near[0][0] : max(near[-1][1], span.end)] if near else _text(text, span)


def around(passage: str, span: Span) -> str:
    """The sentence in which the span stands, with the one before and the one after if they are of its paragraph."""
    begin = passage.rfind("\n\n", 0, span.start) + 1
    end = passage.find("\n\n", span.end)
    paragraph = passage[begin : end if end >= 0 else len(passage)]
    bounds = list(sentences(paragraph))
    place = next(place for place, (_, stop) in enumerate(bounds) if span.start - begin < stop)
    near = bounds[max(0, place - 1) : place + 2]
    return paragraph[near[0][0] : max(near[-1][1], span.end - begin)]


def _clue(text: str, sentence: str) -> str:
    """The sentence before, where this one points back to it, or else one that shares a word with this one alone."""
    every = [text[start:end] for start, end in sentences(text)]
    if sentence not in every or not _is_prose(sentence):
        return ""
    place = every.index(sentence)
    if place and points_back(sentence) and len(words_of_its_own(every[place - 1], sentence)) >= 2:
        return every[place - 1]
    held = [set(_long_words(one)) for one in every]
    count = Counter(word for words in held for word in words)
    for other, words in zip(every, held, strict=True):
        linked = any(count[word] == 2 for word in words & held[place])
        if other != sentence and linked and _is_prose(other) and len(words_of_its_own(other, sentence)) >= 2:
            return other
    return ""


def _long_words(text: str) -> Iterator[str]:
    return (word for word in re.findall(r"[^\W\d_]{5,}", text.lower()) if word not in _PLAIN)


def telling_words(question: str) -> set[str]:
    """The words of a question by which its subject is known: the longer ones and the names, in small letters."""
    names = re.findall(r"(?<=\s)[A-Z]\w+", question)
    return {*_long_words(question), *map(str.lower, names)}


def words_of_its_own(clue: str, sentence: str) -> set[str]:
    """The longer words of one sentence that the other has not, in small letters."""
    return {word for word in _long_words(clue) if not overlap(word, sentence)}


def _can_be_missed(text: str, sentence: str) -> bool:
    """Whether a sentence is one of prose, the next does not seem to speak of it, and enough is left without it."""
    if text.count(sentence) != 1 or not _is_prose(sentence):
        return False
    before, after = text.split(sentence)
    follows = next((after[start:end] for start, end in sentences(after)), "")
    return not _MEANS_ANOTHER.search(follows.lower()) and len(list(sentences(before + after))) >= 3


def _is_prose(sentence: str) -> bool:
    """Whether it closes like one and runs on over its lines; those of a list, a letter's head or a bill do not."""
    return (
        re.search(r"[.!?…][\"'”’»)\]]*\Z", sentence) is not None
        and all(len(line) > 40 for line in sentence.split("\n")[:-1])
        and not re.search(r"^\s*(?:[-*•+|>#]|\d+[.)])\s", sentence, re.MULTILINE)
    )


def quote(shown: About[str], sentence: str, clue: str) -> str:
    """The sentences on which the answer rests, as they stand there and in that order, marked as a quotation."""
    rests_on = sorted(filter(None, (clue, sentence)), key=shown.index)
    return "\n".join(f"> {' '.join(one.split())}" for one in rests_on)


def tell_place(shown: About[str], sentence: str, clue: str) -> str:
    """Where those sentences stand: paragraph and sentence, counted from 1."""
    rests_on = sorted(filter(None, (clue, sentence)), key=shown.index)
    places = {" ".join(text.split()): place for place, text in _counted(shown)}
    found = [places.get(" ".join(one.split())) for one in rests_on]
    if None in found:
        raise Drop("the answer stands in a heading, or reaches over the end of its sentence")
    return " and ".join(f"paragraph {place[0]}, sentence {place[1]}" for place in found if place)


def _counted(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Each sentence with its place; a heading is no paragraph."""
    parts = (one.strip() for one in re.split(r"\n\s*\n", text))
    paragraphs = [one for one in parts if one and not is_heading(one)]
    for number, paragraph in enumerate(paragraphs, 1):
        for place, (start, end) in enumerate(sentences(paragraph), 1):
            yield (number, place), paragraph[start:end]


def cites(evidence: str, answer: str, shown: About[str]) -> bool:
    """All that is quoted stands in the text, or each place is one of it; and the answer stands in one of them."""
    if evidence.startswith("> "):
        told = [line.removeprefix("> ") for line in evidence.split("\n")]
        known = " ".join(shown.split())
        stands = all(one and one in known for one in told)
    else:
        sentence_at = {f"paragraph {number}, sentence {place}": text for (number, place), text in _counted(shown)}
        told = [" ".join(sentence_at.get(one, "").split()) for one in evidence.split(" and ")]
        stands = all(told)
    return stands and any(" ".join(answer.split()) in one for one in told)
