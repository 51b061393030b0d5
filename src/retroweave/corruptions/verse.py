"""Verse that no longer keeps its form: what becomes of a poem when somebody careless passes it on.

It is spoilt in several ways, and each line in one of them, so that the form itself tells what must be undone:

- `broken`: a line ends a word or two too early or too late, and the next begins so;
- `moved`: two lines of a stanza have changed places;
- `turned`: words that rhymed or kept the beat stand the other way about (a band and ribbon, the cat of the captain);
- `unrhymed`: where the verse rhymes, the last word of a line is one that means nearly the same;
- `filled`: a word that says nothing takes up room;
- `unclipped`: contractions are written out;
- what a person wrote for a line: the caller's own lines, under the names that they come with.

The sense stays. Nothing here knows metre: whether enough of the form was lost is for a check to say. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from retroweave.pipeline.errors import Drop

__all__ = ["WAYS", "Worse", "lame"]


class Worse(NamedTuple):
    """A line that somebody wrote to stand in the place of a better one, and the way in which it is worse."""

    way: str
    line: str


class _Change(NamedTuple):
    """Lines from `first` on that others take the place of."""

    first: int
    lines: Sequence[str]


_NEAR = """
    afternoon evening, again once more, away off, beach sand, bed mattress, bell chime, big large, bird sparrow, boat
    ship, bold brave, book volume, boot shoe, boots shoes, boy lad, boys lads, bright shining, brook stream, broom
    brush, brother sibling, brown tan, bucket pail, bus coach, cap hat, chair seat, child youngster, children
    youngsters, clean spotless, coast shore, coat jacket, cold chilly, cook chef, cord rope, cry shout, cup mug, damp
    wet, dark gloomy, dead gone, dish plate, door doorway, drip drop, earth soil, end finish, fall tumble, fast
    quickly, fear dread, feet toes, fen marsh, field meadow, floor ground, foam suds, folk people, garden yard, gift
    present, girl lass, glad happy, go leave, grass lawn, grin smile, groan moan, ground earth, groans sighs, hall
    corridor, hat bonnet, heap pile, heard noticed, hill slope, hot warm, hum buzz, jug pitcher, king monarch, lamp
    lantern, laugh giggle, leave go, leg limb, light lamp, lights lamps, lump bump, man fellow, men fellows, money
    cash, morning dawn, near close, news rumour, night evening, noise sound, pail bucket, pan pot, path way, pen
    pencil, people folk, place spot, pot pan, purse wallet, quick fast, rain drizzle, red scarlet, road street, roof
    rooftop, room chamber, rope cord, sad unhappy, said replied, sand gravel, say declare, sea ocean, seat chair, see
    notice, ship boat, shoes boots, shop store, shore coast, sing hum, sky clouds, slate board, sleep doze, small
    tiny, smoke fumes, snow sleet, soil earth, song tune, sound noise, speak talk, stairs steps, start begin, stay
    remain, stick cane, still quiet, stone rock, stones rocks, stool chair, stop halt, stove oven, stream brook,
    street road, sun sunshine, sweep clean, talk speak, tea brew, things stuff, thought idea, tight firmly, tiles
    slabs, town city, track rails, trains engines, true real, tune song, view sight, wait linger, walk stroll, wall
    fence, warm cosy, way path, weight load, wet damp, wide broad, wind breeze, yard garden, young youthful
"""
_UNRHYMED = dict(pair.split(maxsplit=1) for pair in " ".join(_NEAR.split()).split(", "))
"""A last word, and one that means nearly the same and does not rhyme with it."""
_WRITTEN_OUT = {
    "can't": "can not", "couldn't": "could not", "didn't": "did not", "doesn't": "does not", "don't": "do not",
    "hadn't": "had not", "hasn't": "has not", "haven't": "have not", "i'll": "I will", "i'm": "I am", "i've": "I have",
    "isn't": "is not", "it'll": "it will", "mustn't": "must not", "o'er": "over", "shouldn't": "should not",
    "that's": "that is", "there's": "there is", "they'll": "they will", "they're": "they are", "they've": "they have",
    "wasn't": "was not", "we'll": "we will", "we're": "we are", "weren't": "were not", "we've": "we have",
    "what's": "what is", "won't": "will not", "wouldn't": "would not", "you'll": "you will", "you're": "you are",
    "you've": "you have",
}  # fmt: skip
_FILLERS = ("just", "really", "actually", "simply", "sort of", "always", "also")
_TAGS = ("of course", "as usual", "you know", "so to speak", "in the end", "all the same")

_CONTRACTION = re.compile(r"[A-Za-z]+['’][A-Za-z]+")
_END = r"(?P<end>[.,;:!?]?)$"
_LAST = re.compile(rf"(?<!\bat )\b(?P<article>[Aa]n? )?\b(?P<last>[A-Za-z]+){_END}")
_PAIR = re.compile(
    r"\b(?P<first>(?:(?:a|an|the|my|your|his|her|our|their) )?[a-z]{3,}) and "
    rf"(?P<second>(?:(?:a|an|the|my|your|his|her|our|their) )?[a-z]{{3,}}){_END}"
)
_NO_PAIR = frozenset({"down", "out", "off", "away", "then", "round", "over", "back", "here", "there", "now", "again"})
_OF = re.compile(r"\b(?P<whose>(?:the|my|your|his|her|our|their) [a-z]{3,})['’]s (?P<what>[a-z]{3,})\b", re.IGNORECASE)
_NO_THING = re.compile(r".*(?:ed|ing|ly|er)$|(?:asleep|not|been|gone|just|too|the|still|all|self|own|out|always)$")
_ORDINAL = re.compile(r".*(?:th|first|second|third)$")
_SUBJECT = re.compile(
    r"(?P<before>^|[.;:] |, |\b(?:and|but|when|if|till|because) )(?P<who>I|you|we|they|he|she)(?= [a-z])", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[a-z])(?=[.;]$)")
_JOINED = re.compile(r"(?:and|but|or|nor|so|to|for|who|which|that|of|than|as|where|when|just)\b", re.IGNORECASE)


def lame(
    poem: str, promised: str, rng: Random, written: Mapping[str, Sequence[Worse]] | None = None
) -> tuple[str, list[str]]:
    """The poem with a third of its lines or more spoilt, and the ways in which, in the order of the alphabet.

    `promised` is the measure that it keeps, as `judges.prosody` reads it: only where there are letters in it, rhymes
    are there to be lost. `written` has lines that a person wrote in the place of others, by those. Raises `Drop` where
    there is nothing to spoil.
    """
    lines = poem.split("\n")
    found = {way: list(changes(lines, rng)) for way, changes in WAYS.items()}
    if not _rhymed(promised):
        del found["unrhymed"]
    for place, line in enumerate(lines):
        for worse in (written or {}).get(line.strip(), ()):
            found.setdefault(worse.way, []).append(_Change(place, [_indented(worse.line, line)]))
    wanted = max(2, round(sum(map(bool, map(str.strip, lines))) * rng.uniform(0.35, 0.7)))
    ways = _apply(lines, found, wanted, rng)
    if not ways:
        raise Drop("nothing in the poem could be put in other words")
    return "\n".join(lines), sorted(ways)


def _rhymed(promised: str) -> bool:
    """Whether a measure names rhymes, and not feet or syllables alone."""
    return any(not re.search(r"[a-z]{4,} \d", part, re.IGNORECASE) for part in promised.split(",") if part.strip())


def _apply(lines: list[str], found: dict[str, list[_Change]], wanted: int, rng: Random) -> set[str]:
    """Make changes of ways drawn one after the other, each line in one at most, till so many lines are other ones."""
    touched: set[int] = set()
    ways: set[str] = set()
    order = sorted(found)
    rng.shuffle(order)
    while len(touched) < wanted and any(found.values()):
        for way in order:
            free = [one for one in found[way] if not touched & set(range(one.first, one.first + len(one.lines)))]
            found[way] = free
            if free and len(touched) < wanted:
                change = rng.choice(free)
                lines[change.first : change.first + len(change.lines)] = change.lines
                touched |= set(range(change.first, change.first + len(change.lines)))
                ways.add(way)
    return ways


def _indented(line: str, as_this: str) -> str:
    return as_this[: len(as_this) - len(as_this.lstrip())] + line


# Ways that concern two lines


def _pairs(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Each line with the next of its stanza."""
    for place, (one, other) in enumerate(pairwise(lines)):
        if one.strip() and other.strip():
            yield place, one, other


def _broken(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    """A word or two of one line stand on the other."""
    for place, one, other in _pairs(lines):
        words = [*one.split(), *other.split()]
        cut = len(one.split()) + rng.choice((-2, -1, -1, 1, 1, 2))
        if 1 < cut < len(words):
            yield _Change(place, [_indented(" ".join(words[:cut]), one), _indented(" ".join(words[cut:]), other)])


def _moved(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    """Two lines, each of them a whole, have changed places; the marks behind them have not."""
    for place, one, other in _pairs(lines):
        (first, mark), (second, other_mark) = _parted(one), _parted(other)
        before = lines[place - 1].rstrip()[-1:] if place else ""
        ends = mark and other_mark and not before.isalnum()
        if ends and _can_move(first) and _can_move(second) and _capital(first) == _capital(second):
            yield _Change(place, [f"{second}{mark}", f"{first}{other_mark}"])


def _can_move(text: str) -> bool:
    """Whether a line is no part of speech and hangs on no line before it."""
    return bool(text.strip()) and not set(text) & set('"“”()—') and not _JOINED.match(text.lstrip())


def _capital(text: str) -> bool:
    return text.lstrip()[:1].isupper()


def _parted(line: str) -> tuple[str, str]:
    text = line.rstrip(".,;:!?")
    return text, line[len(text) :]


# Ways that concern one


def _each(lines: Sequence[str], other: Callable[[str], str | None]) -> Iterator[_Change]:
    for place, line in enumerate(lines):
        new = other(line) if line.strip() else None
        if new and new != line:
            yield _Change(place, [new])


def _turned(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    """What is joined at the end of a line, or what is whose, is said the other way about."""

    def pair(found: re.Match[str]) -> str:
        only_one_has_an_article = " " in found["first"] and " " not in found["second"]  # round the hut and tries
        if only_one_has_an_article or {found["first"], found["second"]} & _NO_PAIR:
            return found[0]
        return f"{found['second']} and {found['first']}{found['end']}"

    def whose(found: re.Match[str]) -> str:
        if _NO_THING.match(found["what"]) or _ORDINAL.match(found["whose"]):
            return found[0]
        article = "The" if found[0][0].isupper() else "the"
        return f"{article} {found['what']} of {found['whose'][0].lower()}{found['whose'][1:]}"

    yield from _each(lines, lambda line: _PAIR.sub(pair, line))
    yield from _each(lines, lambda line: _OF.sub(whose, line, count=1))


def _unrhymed(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    def near(found: re.Match[str]) -> str:
        word = _UNRHYMED.get(found["last"])
        if word is None:
            return found[0]
        article = found["article"] and found["article"][0] + ("n " if word[0] in "aeiou" else " ")
        return f"{article or ''}{word}{found['end']}"

    yield from _each(lines, lambda line: _LAST.sub(near, line))


def _filled(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    """Behind a subject there is room for a word that says nothing, and so there is, less often, at a sentence's end."""
    for place, line in enumerate(lines):
        begins = place == 0 or not lines[place - 1][-1:].isalpha()  # else it may be an object yet
        subjects = [found for found in _SUBJECT.finditer(line) if found["before"] or begins]
        end = _SENTENCE_END.search(line)
        if subjects:
            at = rng.choice(subjects).end("who")
            yield _Change(place, [f"{line[:at]} {rng.choice(_FILLERS)}{line[at:]}"])
        elif end and rng.random() < 0.25:
            yield _Change(place, [f"{line[: end.start()]}, {rng.choice(_TAGS)}{line[end.start() :]}"])


def _unclipped(lines: Sequence[str], rng: Random) -> Iterator[_Change]:
    def written(found: re.Match[str]) -> str:
        full = _WRITTEN_OUT.get(found[0].lower().replace("’", "'"), found[0])
        return full[0].upper() + full[1:] if found[0][0].isupper() else full

    yield from _each(lines, lambda line: _CONTRACTION.sub(written, line))


WAYS: Mapping[str, Callable[[Sequence[str], Random], Iterator[_Change]]] = {
    "broken": _broken,
    "filled": _filled,
    "moved": _moved,
    "turned": _turned,
    "unclipped": _unclipped,
    "unrhymed": _unrhymed,
}
"""What a program does to any poem, by name: all the changes that it could make."""
