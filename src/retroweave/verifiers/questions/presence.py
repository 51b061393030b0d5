"""Families that look for a word or a phrase. What is not there stands in the sentences next to it, or inside a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal, shuffled
from retroweave.verifiers.questions.reading import Text, agreed_words, kin, these

__all__: list[str] = []


@family()
def word_present(text: Text, rng: Random) -> Claims:
    """A word stands in the text; if not there, then in the sentences around it."""
    yield from (Claim(True, {"word": word}) for word in text.plain)
    yield from (Claim(False, {"word": word}) for word in text.plain_outside)


@family()
def word_absent(text: Text, rng: Random) -> Claims:
    """The text lacks a word."""
    yield from (Claim(True, {"word": word}) for word in text.plain_outside)
    yield from (Claim(False, {"word": word}) for word in text.plain)


@family(same=True)
def whole_word(text: Text, rng: Random) -> Claims:
    """A short word stands there by itself, and not only as a part of a longer one."""
    for word in sorted(_SHORT):
        inside = [longer for longer in text.loose if word in longer and longer != word]
        if any(kin(word, longer) for longer in inside):
            continue
        if word in text.loose and re.search(rf"(?<![\w'’-]){word}(?![\w'’-])", text.shown):
            yield Claim(True, {"word": word})
        elif word not in text.loose and inside:
            yield Claim(False, {"word": word}, {"longer": min(inside)})


_SHORT = these(
    "all and any are art ash ask ate bed bit box boy but can car cat cup cut day dog ear eat end eye far fat few for "
    "fun get got had hat her hen her him his hot how ice ink its jar job key law leg let lid lie low man map met mud "
    "net new nor not now oak off old one our out own pan pen pin pot ran red rest rim rose row rub run sat saw sea see "
    "set she sit sun tea ten the tie tin too top use war was way who win with yes yet you over ever here hear able "
    "land hand ring king thing other round love under each rain late has ship light night right ill will till"
)


@family()
def word_in_sentence(text: Text, rng: Random) -> Claims:
    """A word stands in a certain sentence; if not there, then in the one beside it."""
    for place, own, beside in _neighbours(text):
        for word, other in zip(shuffled(own, rng), shuffled(beside, rng), strict=False):
            yield Claim(True, {"word": word, "place": ordinal(place)})
            yield Claim(False, {"word": other, "place": ordinal(place)})


def _neighbours(text: Text) -> Iterator[tuple[int, list[str], list[str]]]:
    """Of each sentence its place, its words, and those of its neighbours that stand nowhere else."""
    parts = [set(re.findall(r"[^\W\d_]+", sentence.lower())) for sentence in text.sentences[:10]]
    once = [word for word in text.plain if text.loose[word] == 1]
    for place in range(len(parts) if len(parts) > 1 else 0):
        near = [parts[other] for other in (place - 1, place + 1) if 0 <= other < len(parts)]
        own = [word for word in once if word in parts[place]]
        yield place, own, [word for word in once if any(word in one for one in near)]


@family()
def phrase_present(text: Text, rng: Random) -> Claims:
    """Three words stand next to each other; if not in the text, then in the sentences around it."""
    for phrase in _phrases(text.shown, rng):
        yield Claim(True, {"phrase": phrase})
    for phrase in _phrases(text.rest, rng):
        if _spaced(phrase) not in _spaced(text.shown):
            yield Claim(False, {"phrase": phrase})


def _phrases(text: str, rng: Random) -> list[str]:
    return shuffled(re.findall(r"(?<![\w'’-])[a-z]{3,} [a-z]{2,} [a-z]{4,}(?![\w'’-])", text), rng)[:6]


def _spaced(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@family()
def both_words(text: Text, rng: Random) -> Claims:
    """Two words stand in the text, both of them; if not both, then one."""
    for word, other in _pairs(text.plain, text.plain, rng):
        yield Claim(True, {"word": word, "other": other}, {"missing": ""})
    for word, other in _pairs(text.plain, text.plain_outside, rng):
        names = (word, other) if rng.random() < 0.5 else (other, word)
        yield Claim(False, dict(zip(("word", "other"), names, strict=True)), {"missing": other})


@family()
def neither_word(text: Text, rng: Random) -> Claims:
    """Of two words the text has neither; if not so, then it has one."""
    for word, other in _pairs(text.plain_outside, text.plain_outside, rng):
        yield Claim(True, {"word": word, "other": other}, {"present": ""})
    for word, other in _pairs(text.plain, text.plain_outside, rng):
        names = (word, other) if rng.random() < 0.5 else (other, word)
        yield Claim(False, dict(zip(("word", "other"), names, strict=True)), {"present": word})


def _pairs(words: tuple[str, ...], others: tuple[str, ...], rng: Random) -> Iterator[tuple[str, str]]:
    drawn = zip(shuffled(words, rng)[:4], shuffled(others, rng)[:4], strict=False)
    return ((word, other) for word, other in drawn if word != other)


@family()
def first_word(text: Text, rng: Random) -> Claims:
    """The text begins with a word; if not with this one, then one of its sentences does."""
    starts = [_first(sentence) for sentence in text.sentences]
    if starts and all(starts):
        yield Claim(True, {"word": starts[0]}, {"found": starts[0]})
        yield from (
            Claim(False, {"word": word}, {"found": starts[0]})
            for word in starts[1:]
            if word.lower() != starts[0].lower()
        )


@family()
def sentence_begins(text: Text, rng: Random) -> Claims:
    """A certain sentence begins with a word; if not with this one, then another sentence does."""
    starts = [_first(sentence) for sentence in text.sentences[:10]]
    for place, start in enumerate(starts if all(starts) else ()):
        found = {"found": start}
        yield Claim(True, {"word": start, "place": ordinal(place)}, found)
        for other in starts:
            if other.lower() != start.lower():
                yield Claim(False, {"word": other, "place": ordinal(place)}, found)


@family()
def last_word(text: Text, rng: Random) -> Claims:
    """The text ends with a word; if not with this one, then one of its sentences does."""
    ends = [_last(sentence) for sentence in text.sentences]
    if ends and all(ends):
        yield Claim(True, {"word": ends[-1]}, {"found": ends[-1]})
        yield from (
            Claim(False, {"word": word}, {"found": ends[-1]}) for word in ends[:-1] if word.lower() != ends[-1].lower()
        )


@family()
def sentence_ends(text: Text, rng: Random) -> Claims:
    """A certain sentence ends with a word; if not with this one, then another sentence does."""
    ends = [_last(sentence) for sentence in text.sentences[:10]]
    for place, end in enumerate(ends if all(ends) else ()):
        found = {"found": end}
        yield Claim(True, {"word": end, "place": ordinal(place)}, found)
        for other in ends:
            if other.lower() != end.lower():
                yield Claim(False, {"word": other, "place": ordinal(place)}, found)


def _first(sentence: str) -> str:
    found = agreed_words(sentence)
    return found[0] if found and found[0].isalpha() else ""


def _last(sentence: str) -> str:
    found = agreed_words(sentence)
    return found[-1] if found and found[-1].isalpha() else ""


@family()
def word_at(text: Text, rng: Random) -> Claims:
    """A certain word of a certain sentence is this one; if not, then the word beside it is."""
    for place, sentence in enumerate(text.sentences[:6]):
        found = [word.lower() for word in agreed_words(sentence)][:10]
        for at in range(1, len(found) - 1):
            values = {"nth": ordinal(at), "place": ordinal(place)}
            yield Claim(True, {**values, "word": found[at]}, {"found": found[at]})
            beside = found[at + rng.choice((-1, 1))]
            if beside != found[at]:
                yield Claim(False, {**values, "word": beside}, {"found": found[at]})
