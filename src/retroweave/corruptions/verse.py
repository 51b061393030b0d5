"""Verse that no longer scans: what becomes of a poem when somebody careless retypes it.

Words give way to near ones of another length, contractions are written out, and words come in that only fill a line.
The sense stays and the measure goes, so that a person can see at once what is wrong, and a program can measure it.
Nothing here knows metre: whether enough of it was lost is for a check to say. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from retroweave.pipeline.errors import Drop

__all__ = ["lame"]

Edit = tuple[int, int, str]
"""Start and end in the line, and what comes to stand there."""


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split(maxsplit=1) for pair in " ".join(pairs.split()).split(", "))


_NOUNS = _table(
    """
    armchair chair, attempt try, bed mattress, bench wooden seat, bird feathered friend, boat rowing boat, boats
    rowing boats, book volume, boy little boy, boys little boys, brook stream, brother older brother, brothers two
    brothers, bun currant bun, bus omnibus, buses omnibuses, cap woolly hat, cat pussycat, chair armchair, child
    youngster, children youngsters, clerk assistant, clock timepiece, clocks timepieces, coat overcoat, coins
    pennies, cook chef, cup mug, cups mugs, desk writing desk, desks writing desks, dog doggy, door front door,
    doors doorways, evening night, fen marshland, field meadow, fields meadows, floor floorboards, fork table fork,
    fox fox cub, gate front gate, gift present, girl little girl, goose gander, grass lawn, hall entrance hall, hat
    bonnet, heap pile, hill hillside, house building, jug pitcher, kettle teapot, king monarch, knife kitchen knife,
    lamp lantern, lamps lanterns, letter note, man fellow, melody tune, men fellows, moat ditch with water, money
    cash, moor moorland, morning early morning, mother mum, neighbour person next door, neighbours people next door,
    news latest news, noise sound, noon midday, nurse hospital nurse, oak oak tree, pail bucket, path pathway, peas
    garden peas, pen fountain pen, penny halfpenny, phone telephone, pocket trouser pocket, porridge oatmeal
    porridge, purse little purse, rain rainfall, ring circle, river waterway, road roadway, roof rooftop, room
    chamber, rope piece of rope, rose red rose, sand bits of sand, sea ocean, shed garden shed, ship vessel, ships
    vessels, shoes pairs of shoes, shop little shop, sister younger sister, slate bit of slate, snow snowfall, song
    ditty, soil bit of soil, spade shovel, spoon tablespoon, spoons tablespoons, stairs staircase, step doorstep,
    stone boulder, stones boulders, stool footstool, street roadway, strings bits of string, sun sunshine, table
    tabletop, telephone phone, town village, train railway train, trains railway trains, tree big tree, trees big
    trees, trunk suitcase, tub container, tune melody, wall brick wall, wheel big wheel, wind breeze, window
    windowpane, wood woodland, yard courtyard
    """
)
"""A noun, then a near one of another length or stress. It stands in only behind a determiner: no one goes to ocean."""
_ADJECTIVES = _table(
    """
    ancient old, big enormous, black blackish, blue bluish, bright shining, brown brownish, cold chilly, enormous
    big, green greenish, grey greyish, little small, loud noisy, old ancient, quiet silent, red reddish, small tiny,
    strange peculiar, tiny small, vast enormous, warm cosy, wet soaking, white whitish, wooden wood, yellow
    yellowish
    """
)
"""These only where a word follows: what is a green here is no greenish."""
_OTHERS = _table(
    """
    above over, again once more, almost nearly, attempted tried, began started, begin start, below underneath,
    beneath underneath, beside next to, bought purchased, built constructed, constantly always, heard overheard,
    inside within, laughed giggled, merely only, never never ever, nobody no one at all, often frequently, perhaps
    possibly, rather quite, said remarked, says remarks, shut closed, sometimes now and then, soon before long,
    started began, till until, tried attempted, until till, very extremely, wait hang around, walked wandered,
    whispered said quietly
    """
)

_WRITTEN_OUT = {
    "can't": "can not", "couldn't": "could not", "didn't": "did not", "doesn't": "does not", "don't": "do not",
    "hadn't": "had not", "hasn't": "has not", "haven't": "have not", "i'll": "I will", "i'm": "I am", "i've": "I have",
    "isn't": "is not", "it'll": "it will", "mustn't": "must not", "o'er": "over", "shouldn't": "should not",
    "that's": "that is", "there's": "there is", "they'll": "they will", "they're": "they are", "they've": "they have",
    "wasn't": "was not", "we'll": "we will", "we're": "we are", "weren't": "were not", "we've": "we have",
    "what's": "what is", "won't": "will not", "wouldn't": "would not", "you'll": "you will", "you're": "you are",
    "you've": "you have",
}  # fmt: skip
_FILLERS = ("just", "really", "actually", "sort of", "simply", "quite often", "kind of", "then", "also", "always")
_TAGS = (
    "after all", "all the same", "and so on", "anyway", "as it were", "as usual", "as well", "at the time",
    "by the way", "I suppose", "in a way", "in the end", "more or less", "of course", "or something", "so to speak",
    "somehow", "to be honest", "you know", "you see",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_BEHIND = re.compile(r"\b(?:the|an?|my|your|his|her|its|our|their|this|these|every|each|some|any|no) $", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(^|[.;:] |, |\b(?:and|but|when|if|till|because) )(I|you|we|they|he|she)(?= [a-z])", re.IGNORECASE
)
_WORD_FOLLOWS = re.compile(r" (?!(?:and|as|at|but|in|of|on|or|than|to|with)\b)[a-z]")
_SENTENCE_END = re.compile(r"(?<=[a-z])(?=[.;]$)")


def lame(poem: str, rng: Random) -> str:
    """The poem with the measure spoilt in half of its lines and more. Raises `Drop` where there is nothing to spoil."""
    lines = poem.split("\n")
    full = [number for number, line in enumerate(lines) if line.strip()]
    wanted = max(2, round(len(full) * rng.uniform(0.5, 0.9)))
    touched = 0
    for number in rng.sample(full, len(full)):
        if touched < wanted:
            begins = number == 0 or not lines[number - 1][-1:].isalpha()
            spoilt = _spoilt(lines[number], begins, rng)
            touched += spoilt != lines[number]
            lines[number] = spoilt
    if not touched:
        raise Drop("nothing in the poem could be put in other words")
    return "\n".join(lines)


def _spoilt(line: str, begins: bool, rng: Random) -> str:
    """The line with one change or two. Rather the last word than another: with it goes the rhyme."""
    words, ends = [*_near_words(line), *_subjects(line, begins, rng)], list(_ends(line, rng))
    if not words or (ends and rng.random() < 0.25):
        words = ends
    if not words:
        return line
    last = max(words, key=lambda edit: edit[1])
    chosen = [last if rng.random() < 0.6 else rng.choice(words)]
    others = [edit for edit in words if edit[1] < chosen[0][0] or edit[0] > chosen[0][1]]
    if others and rng.random() < 0.6:
        chosen.append(rng.choice(others))
    for start, end, text in sorted(chosen, reverse=True):
        line = line[:start] + text + line[end:]
    return re.sub(r"\b([Aa])n? (?=([A-Za-z]))", _article, line)


def _article(found: re.Match[str]) -> str:
    return found[1] + ("n " if found[2].lower() in "aeiou" else " ")


def _near_words(line: str) -> Iterator[Edit]:
    for word in _WORD.finditer(line):
        near = _near(word[0].lower().replace("’", "'"), line[: word.start()], line[word.end() :])
        a_name = word[0][0].isupper() and _BEHIND.search(line[: word.start()])
        if near and not a_name:
            yield word.start(), word.end(), near[0].upper() + near[1:] if word[0][0].isupper() else near


def _near(word: str, before: str, after: str) -> str | None:
    if word in _NOUNS:
        return _NOUNS[word] if _BEHIND.search(before) else None
    if word in _ADJECTIVES:
        return _ADJECTIVES[word] if _WORD_FOLLOWS.match(after) else None
    return _OTHERS.get(word) or _WRITTEN_OUT.get(word)


def _subjects(line: str, begins: bool, rng: Random) -> Iterator[Edit]:
    """Behind a subject there is room for a word that says nothing. At a line's start it may be an object yet."""
    for found in _SUBJECT.finditer(line):
        if found[1] or begins:
            yield found.end(2), found.end(2), f" {rng.choice(_FILLERS)}"


def _ends(line: str, rng: Random) -> Iterator[Edit]:
    for found in _SENTENCE_END.finditer(line):
        yield found.start(), found.start(), f", {rng.choice(_TAGS)}"
