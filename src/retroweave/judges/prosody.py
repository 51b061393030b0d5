"""Prosody: how well a poem keeps the form that it promises, told by a pronouncing dictionary and not by a model.

A *measure* says what a form promises, line by line:

    iambic 4 3 4 3, ABCB              a ballad: feet of each line, then the rhymes of each stanza
    syllables 5 7 5                   a haiku
    iambic 4, A1 B1 a A1 a b A1 B1    a triolet: a letter with a number is a line that comes again
    AABB                              rhymes alone

A line is read in every way that the dictionary allows, and the reading that fits best counts; the liberties that verse
takes (a foot turned round at the start, an unstressed syllable too many) cost little, and a syllable in the wrong place
costs more. English only, in an American dictionary: what it lacks is estimated by its spelling and said to be unknown.
What is measured is regularity. Whether a poem is any good, nothing here knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product
from statistics import fmean
from typing import Any

from retroweave.judges.extras import extra
from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.verdict import Score

__all__ = [
    "FORMS",
    "Line",
    "Measure",
    "dictionary",
    "measure_of",
    "prosody",
    "read_line",
    "read_measure",
    "rhyme",
    "scan",
    "worse",
]

FORMS = {
    "ballad": "iambic 4 3 4 3, ABCB",
    "blank verse": "iambic 5",
    "cinquain": "syllables 2 4 6 8 2",
    "clerihew": "AABB",
    "haiku": "syllables 5 7 5",
    "heroic couplets": "iambic 5, AA",
    "limerick": "anapaestic 3 3 2 2 3, AABBA",
    "petrarchan sonnet": "iambic 5, ABBAABBA CDECDE",
    "rhymed couplets": "iambic 4, AA",
    "rubai": "iambic 5, AABA",
    "shakespearean sonnet": "iambic 5, ABAB CDCD EFEF GG",
    "tanka": "syllables 5 7 5 7 7",
    "triolet": "iambic 4, A1 B1 a A1 a b A1 B1",
    "villanelle": "iambic 5, A1 b A2 a b A1 a b A2 a b A1 a b A2 a b A1 A2",
}
"""What the well-known forms promise. Others, and other feet, a poem states itself."""

MOST_LINES = 400
MOST_SYLLABLES = 48
"""Of a line. A longer one is no verse, and is not scanned."""
MOST_READINGS = 48
"""Of a line, as its words may be said in several ways."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?")
_SMALL_WORDS = """
a all am an and are as at be been both but by can could did do does each every for from had has have he he'd he's
her here him his how i i'd i'll i'm i've if in is it it's its let like may me might more most must my no nor not of
off on one or our out shall she she'd she's should since so some such than that that's the thee their them then
there there's these they they'd they're this those thou though through thy till to too two up us was we we'd we'll
we're we've were what when where which while who who's whom whose why will with would yet you you'd you'll you're
your
"""
_WEAK = frozenset(_SMALL_WORDS.split())
"""Words of one syllable that may be said with stress or without."""


# How words sound


@dataclass(frozen=True, slots=True)
class Word:
    """How a word may be said."""

    stress: tuple[str, ...]
    """Ways to stress it, by syllables: 1 and 2 stressed, 0 not, m a word of one, f such a small word, ? not known."""
    endings: frozenset[str]
    """Its rhyming parts: the sounds from the last stressed vowel on."""
    known: bool = True


def dictionary() -> Any:
    """The pronouncing dictionary. Raises `UserError` where it is not installed."""
    with extra("prosody", "Prosody needs a dictionary of how words sound"):
        import pronouncing
    pronouncing.init_cmu()
    return pronouncing


@lru_cache(maxsize=65536)
def sound(word: str) -> Word:
    """How a word is said, by the dictionary, by its parts, or else as it is spelt."""
    word = word.lower().replace("’", "'")
    for spelt in _spellings(word):
        if said := dictionary().phones_for_word(spelt):
            return _said(word, tuple(said[:8]))
    return _compound(word) or _spelt(word)


def _spellings(word: str) -> Iterator[str]:
    """The word, then as an American would spell it."""
    yield word
    yield word.rstrip("'")
    if word.endswith("in'"):
        yield f"{word[:-1]}g"
    if word.endswith("'s"):
        yield word[:-2]
    for british, american in (
        ("our", "or"), ("ise", "ize"), ("ising", "izing"), ("lled", "led"), ("lling", "ling"), ("ller", "ler"),
        ("tre", "ter"), ("bre", "ber"), ("ogue", "og"), ("mould", "mold"), ("plough", "plow"), ("grey", "gray"),
    ):  # fmt: skip
        if british in word:
            yield word.replace(british, american)


def _said(word: str, phones: Sequence[str]) -> Word:
    endings = frozenset(_ending(one) for one in phones)
    if any(len(_stresses(one)) == 1 for one in phones):
        small = "f" if word in _WEAK else "m"
        longer = {stress for one in phones for stress in _ways(one) if len(stress) > 1}
        return Word((small, *sorted(longer)), endings)
    return Word(tuple(dict.fromkeys(stress for one in phones for stress in _ways(one))), endings)


def _stresses(phones: str) -> str:
    return "".join(phone[-1] for phone in phones.split() if phone[-1].isdigit())


def _ways(phones: str) -> Iterator[str]:
    """Stresses as the dictionary has them, then with one syllable swallowed: flow'r, ev'ry, op'ning, mem'ries."""
    said = phones.split()
    stress = _one(_stresses(phones))
    yield stress
    if stress.count("1") > 1:  # outside, fourteen: it depends on what stands around it
        first = stress.index("1") + 1
        yield stress[:first] + stress[first:].replace("1", "2")
        yield stress.replace("1", "2", 1)
    for place in range(1, len(said)):
        if _swallowed(said, place):
            yield _one(_stresses(" ".join(said[:place] + said[place + 1 :])))


def _swallowed(said: Sequence[str], place: int) -> bool:
    """Whether a weak vowel may go: an er behind a vowel, or any before r, l, n or m and one more weak vowel."""
    phone, after = said[place], said[place + 1 : place + 3]
    if phone == "ER0":
        return said[place - 1][-1].isdigit() or (bool(after) and after[0].endswith("0"))
    return phone in ("AH0", "IH0") and len(after) == 2 and after[0] in ("R", "L", "N", "M") and after[1].endswith("0")


def _one(stress: str) -> str:
    return "m" if len(stress) == 1 else stress


def _ending(phones: str) -> str:
    """The rhyming part, in which sounds are one that hardly anybody hears apart: sermon and vermin, year and here."""
    part = str(dictionary().rhyming_part(phones)).replace("IH0", "AH0")
    return re.sub(r"\d", "", part).replace("IY R", "IH R")


def _compound(word: str) -> Word | None:
    """Two words in one, such as tidemill: the first is stressed most."""
    for cut in range(len(word) - 3, 2, -1):
        one, other = (dictionary().phones_for_word(part) for part in (word[:cut], word[cut:]))
        if one and other:
            first, second = _stresses(one[0]), _stresses(other[0])
            return Word((first + second.replace("1", "2"),), frozenset({_ending(other[0])}), known=False)
    return None


def _spelt(word: str) -> Word:
    """By its letters: runs of vowels without a silent e, and the letters from the last of them on for a rhyme."""
    letters = re.sub(r"[^\w]", "", word)
    silent = bool(re.search(r"[^aeiouy](?:e|es|ed)$", letters)) and not re.search(
        r"(?:[^aeiouy]les?|[td]ed|[sxzcg]es|ches|shes)$", letters
    )
    count = max(1, len(re.findall(r"[aeiouyäöüéèàùôê]+", letters)) - silent)
    return Word(("m" if count == 1 else "?" * count,), frozenset({_spelt_ending(letters)}), known=False)


def _spelt_ending(word: str) -> str:
    """In hyphens, so that it is not taken for sounds."""
    found = re.search(r"[aeiouy]+[^aeiouy]*(?:e[sd]?)?$", word)
    return f"-{found[0] if found else word}-"


def rhyme(one: str, other: str) -> bool:
    """Whether two words rhyme by their sound. A word does not rhyme with itself.

    Where the dictionary lacks one of them both are looked at as they are spelt.
    """
    one, other = one.lower().replace("’", "'"), other.lower().replace("’", "'")
    if not one or not other or one == other:
        return False
    sounds, others = sound(one), sound(other)
    if sounds.endings & others.endings:
        return True
    spelt = any(ending.startswith("-") for ending in sounds.endings | others.endings)
    return spelt and _spelt_ending(one) == _spelt_ending(other)


# Lines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of verse, read aloud."""

    text: str
    readings: tuple[str, ...]
    """The stresses of its syllables, one string a reading."""
    last: str
    unknown: tuple[str, ...] = ()

    @property
    def syllables(self) -> tuple[int, int]:
        """The fewest and the most that it may have."""
        counts = [len(reading) for reading in self.readings] or [0]
        return min(counts), max(counts)


@lru_cache(maxsize=65536)
def read_line(text: str) -> Line:
    words = _WORD.findall(text.replace("-", " "))[: MOST_SYLLABLES + 1]
    sounds = [sound(word) for word in words]
    readings = dict.fromkeys("".join(way) for way in islice(product(*(one.stress for one in sounds)), MOST_READINGS))
    unknown = tuple(word for word, said in zip(words, sounds, strict=True) if not said.known)
    return Line(text, tuple(readings), words[-1] if words else "", unknown)


# Feet


@dataclass(frozen=True, slots=True)
class _Foot:
    pattern: str
    cost: float
    where: str = ""
    """`first`, `last`, or anywhere."""


_FEET: dict[str, tuple[_Foot, ...]] = {
    "iambic": (
        _Foot("wS", 0),
        _Foot("Sw", 0.1, "first"),
        _Foot("Sw", 0.45),
        _Foot("wwS", 0.25),
        _Foot("S", 0.2, "first"),
    ),
    "trochaic": (_Foot("Sw", 0), _Foot("S", 0, "last"), _Foot("Sww", 0.25), _Foot("wS", 0.45)),
    "anapaestic": (_Foot("wwS", 0), _Foot("wS", 0, "first"), _Foot("S", 0.2, "first"), _Foot("wS", 0.2)),
    "dactylic": (_Foot("Sww", 0), _Foot("Sw", 0, "last"), _Foot("S", 0, "last"), _Foot("Sw", 0.2)),
}
_TAILS = {"iambic": ("w", "ww"), "anapaestic": ("w", "ww")}
"""Unstressed syllables that may follow the last foot: a feminine ending."""
_TAIL = 0.05
_EXTRA = 0.9
"""What a syllable costs that has no place."""
_MISSING = 0.9
"""What a foot costs that is not there."""
_STRICT = 2.2
"""So that verse comes out above 0.85 and prose, cut into lines, at 0.5 or less."""
_SLOTS = {
    "S": {"1": 0.0, "2": 0.0, "m": 0.0, "f": 0.1, "?": 0.05, "0": 0.25},
    "w": {"1": 0.8, "2": 0.2, "m": 0.1, "f": 0.0, "?": 0.05, "0": 0.0},
}


def metre(line: Line, kind: str, feet: int) -> float:
    """How regular a line is, from 0 to 1: one less its cost per foot, in the reading that costs least."""
    fitting = [reading for reading in line.readings if reading and len(reading) <= MOST_SYLLABLES]
    return max((max(0.0, 1 - _STRICT * _cost(reading, kind, feet) / feet) for reading in fitting), default=0.0)


def syllables(line: Line, kind: str, wanted: int) -> float:
    """1 where the line may have so many syllables, half of that where it is off by one."""
    fewest, most = line.syllables
    return max(0.0, 1 - max(fewest - wanted, wanted - most, 0) / 2)


@lru_cache(maxsize=65536)
def _cost(stress: str, kind: str, feet: int) -> float:
    """The cheapest way to make so many feet of these syllables: a walk over syllables and feet at once."""
    size = len(stress)
    cheapest = [[float("inf")] * (size + 1) for _ in range(feet + 1)]
    cheapest[0][0] = 0.0
    for foot in range(feet + 1):
        row = cheapest[foot]
        for at in range(size + 1):
            cost = row[at]
            if cost == float("inf"):
                continue
            if at < size:
                row[at + 1] = min(row[at + 1], cost + _EXTRA)
            if foot < feet:
                onward = cheapest[foot + 1]
                onward[at] = min(onward[at], cost + _MISSING)
                for shape in _shapes(kind, foot, feet):
                    end = at + len(shape.pattern)
                    if end <= size:
                        onward[end] = min(onward[end], cost + shape.cost + _slots(shape.pattern, stress[at:end]))
    tails = [cheapest[feet][size]]
    for tail in _TAILS.get(kind, ()):
        if len(tail) < size:
            tails.append(cheapest[feet][size - len(tail)] + _TAIL * len(tail) + _slots(tail, stress[-len(tail) :]))
    return min(tails)


@lru_cache(maxsize=256)
def _shapes(kind: str, foot: int, feet: int) -> tuple[_Foot, ...]:
    places = {"", *(["first"] if foot == 0 else []), *(["last"] if foot == feet - 1 else [])}
    return tuple(shape for shape in _FEET[kind] if shape.where in places)


def _slots(pattern: str, stress: str) -> float:
    return sum(_SLOTS[slot][syllable] for slot, syllable in zip(pattern, stress, strict=True))


# Measures


@dataclass(frozen=True, slots=True)
class Measure:
    """What a form promises. Lengths and scheme are said anew for each stanza."""

    kind: str = ""
    """The foot, `syllables`, or nothing."""
    lengths: tuple[int, ...] = ()
    """Feet or syllables of each line."""
    scheme: tuple[str, ...] = ()
    """A letter for each line, with a number where the line comes again; - rhymes with nothing."""

    @property
    def stanza(self) -> int:
        return max(len(self.lengths), len(self.scheme), 1)


@lru_cache(maxsize=1024)
def read_measure(text: str) -> Measure:
    """A measure as it is written. Raises `UserError`."""
    measure = Measure()
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, *numbers = part.split()
        if word.lower() in (*_FEET, "syllables"):
            if not numbers or not all(number.isdecimal() and 1 <= int(number) <= 24 for number in numbers):
                raise UserError(
                    f"The measure {text!r} says {part!r}; behind the foot stand numbers, one for each line of a "
                    "stanza, such as `iambic 4 3 4 3`."
                )
            measure = Measure(word.lower(), tuple(map(int, numbers)), measure.scheme)
        else:
            measure = Measure(measure.kind, measure.lengths, _scheme(part, text))
    if measure == Measure():
        raise UserError("A measure is empty. Write what the form promises, such as `iambic 5, ABAB CDCD EFEF GG`.")
    return measure


def _scheme(part: str, text: str) -> tuple[str, ...]:
    marks = re.findall(r"[A-Za-z]\d*|-", part)
    if "".join(marks) != part.replace(" ", "") or not any(_paired(one, other) for one, other in combinations(marks, 2)):
        first = part.split()[0].lower()
        raise UserError(
            f"The measure {text!r} holds {part!r}, which is neither a foot nor rhymes. A scheme has a letter for each "
            f"line, two the same where they rhyme, such as ABAB or -A-A. {nearest(first, (*_FEET, 'syllables'))}"
        )
    return tuple(marks)


def _paired(one: str, other: str) -> bool:
    return one != "-" and one[0].upper() == other[0].upper()


def measure_of(form: str) -> str:
    """What a well-known form promises, or nothing."""
    return FORMS.get(" ".join(form.lower().split()), "")


def _lines(verse: str) -> list[Line]:
    found = (line.strip() for line in verse.splitlines() if _WORD.search(line))
    return [read_line(line) for line in islice(found, MOST_LINES)]


def scan(verse: str, measure: str = "") -> dict[str, Any]:
    """How well the verse keeps the measure: `value` from 0 to 1, the parts that it is the mean of, words not known.

    Without a measure it is told how much the lines rhyme, and how alike in length they are from stanza to stanza: less
    than a form would tell, and enough to see that one version of a poem is less regular than another.
    """
    lines = _lines(verse)
    parts = _promised(lines, read_measure(measure)) if measure else _regularity(lines)
    value = fmean(parts.values()) if lines else 0.0
    return {"value": value, **parts, "unknown": sorted({word for line in lines for word in line.unknown})[:20]}


def _promised(lines: Sequence[Line], measure: Measure) -> dict[str, float]:
    """The parts of the score: only what the form promises."""
    parts = {"lines": _count_kept(len(lines), measure)}
    if measure.kind and lines:
        wanted = [measure.lengths[place % len(measure.lengths)] for place in range(len(lines))]
        fits = syllables if measure.kind == "syllables" else metre
        parts["metre"] = fmean(fits(line, measure.kind, length) for line, length in zip(lines, wanted, strict=True))
    if measure.scheme and lines:
        parts["rhyme"] = _rhyme_kept(lines, measure.scheme)
    return parts


def _count_kept(count: int, measure: Measure) -> float:
    """Whether there are whole stanzas; else how near the number of lines is to one."""
    if not count:
        return 0.0
    off = min(count % measure.stanza, -count % measure.stanza) if count > measure.stanza else measure.stanza - count
    return max(0.0, 1 - off / measure.stanza)


def _rhyme_kept(lines: Sequence[Line], scheme: Sequence[str]) -> float:
    """The share of the pairs of lines that the scheme calls for and that rhyme, or come again."""
    kept = []
    for start in range(0, len(lines), len(scheme)):
        stanza = list(zip(lines[start : start + len(scheme)], scheme, strict=False))
        for (one, mark), (other, same) in combinations(stanza, 2):
            if _paired(mark, same):
                kept.append(_comes_again(one, other) if mark == same and len(mark) > 1 else rhyme(one.last, other.last))
    return fmean(kept) if kept else 0.0


def _comes_again(one: Line, other: Line) -> bool:
    """A refrain: the same last word, and most of the others."""
    words, others = ({word.lower() for word in _WORD.findall(line.text)} for line in (one, other))
    return one.last.lower() == other.last.lower() and len(words & others) >= 0.6 * max(len(words), len(others))


def _regularity(lines: Sequence[Line]) -> dict[str, float]:
    ends = [line.last for line in lines]
    rhymed = [any(rhyme(end, other) for other in _near(ends, place)) for place, end in enumerate(ends)]
    return {"rhyme": fmean(rhymed) if rhymed else 0.0, "length": _evenness([max(line.syllables) for line in lines])}


def _near(ends: Sequence[str], place: int) -> Sequence[str]:
    return [*ends[max(0, place - 4) : place], *ends[place + 1 : place + 5]]


def _evenness(counts: Sequence[int]) -> float:
    """How alike in length lines are to those one, two or four on, whichever is the most alike."""
    found = []
    for step in (1, 2, 4):
        pairs = list(zip(counts, counts[step:], strict=False))
        if pairs:
            found.append(1 - fmean(abs(one - other) / max(one, other, 1) for one, other in pairs))
    return max(found, default=0.0)


# Judges


def prosody(threshold: float = 0.75, *, unmeasured: float = 0.65) -> Callable[..., Score]:
    """A judge of `verse` by its `measure`, an empty one where its form is not known:

        verify(prosody(0.8), reads={"verse": "poem"}, good=..., spoiled=...)

    Without a measure a ballad comes to 0.7, half of whose lines rhyme, and free verse to 0.4: the threshold is then
    `unmeasured`.
    """

    def keeps_form(verse: str, measure: str) -> Score:
        """The verse keeps its form."""
        found, least = scan(verse, measure), threshold if measure else unmeasured
        return Score(found["value"], found["value"] >= least, found, f"its form is kept below {least:g}")

    return keeps_form


def worse(by: float = 0.1) -> Callable[..., Score]:
    """A judge that wants `verse` to keep the measure less well than the verse `than` does, by so much at least.

    Where `by` is below 0 it may keep it better, by so much at most.
    """

    def is_worse(verse: str, than: str, measure: str) -> Score:
        """The verse keeps the form less well than the other."""
        found, other = scan(verse, measure), scan(than, measure)
        less = other["value"] - found["value"]
        return Score(min(1.0, max(0.0, 0.5 + less / 2)), less >= by, {"verse": found, "than": other}, "no worse")

    return is_worse
