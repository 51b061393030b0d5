"""Damage to single characters: what fingers, keyboards, scanners and encodings do.

Each operation picks a word at random and looks for a fitting character in it, so that its cost does not grow with the
passage. None parts a letter from its combining marks.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from random import Random

from retroweave.corruptions.lexicon import ARTICLES, POSSESSIVES, PREPOSITIONS
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose, cuts_a_cluster, pick

__all__ = ["KEY_NEIGHBOURS", "LOOK_ALIKES", "decoded_wrongly"]

_TRIES = 8
"""How many random words an operation looks at before it says that it cannot."""


def _keyboard(*rows: str) -> dict[str, str]:
    """The letters next to each letter: beside it, and the two below and above between which it stands."""
    at = {char: (x, y) for y, row in enumerate(rows) for x, char in enumerate(row)}

    def near(char: str, other: str) -> bool:
        (x, y), (u, v) = at[char], at[other]
        return (v == y and abs(u - x) == 1) or (v == y + 1 and u in (x - 1, x)) or (v == y - 1 and u in (x, x + 1))

    return {char: "".join(other for other in at if near(char, other)) for char in at}


KEY_NEIGHBOURS = _keyboard("qwertyuiop", "asdfghjkl", "zxcvbnm")
"""Neighbours on a QWERTY keyboard."""

LOOK_ALIKES: dict[str, tuple[str, ...]] = {
    "rn": ("m",), "m": ("rn",), "cl": ("d",), "d": ("cl",), "vv": ("w",), "w": ("vv",), "nn": ("rm",), "li": ("h",),
    "ri": ("n",), "tl": ("d",), "ii": ("u",), "u": ("ii",), "h": ("b", "li"), "b": ("h",), "e": ("c",), "c": ("e",),
    "l": ("1", "I"), "I": ("l", "1"), "1": ("l", "I"), "i": ("1", "j"), "O": ("0",), "o": ("0",), "0": ("O", "o"),
    "S": ("5",), "5": ("S",), "B": ("8",), "8": ("B",), "Z": ("2",), "G": ("6",), "f": ("t",), "t": ("f",),
    "n": ("ri",), "fi": ("ﬁ",), "fl": ("ﬂ",), "g": ("q",), "ed": ("cd",), "W": ("VV",), "D": ("O",), "T": ("I",),
}  # fmt: skip
"""What a scanner takes for what."""

STRAY_CHARACTERS = "#$%&*+=@^_~|/\\{}[]<>0123456789"
STRAY_MARKS = "!?."
"""Marks behind which a small letter cannot follow. A colon or a semicolon often may stand where none was."""

_TAGS = (
    "<br>", "<br/>", "<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<em>", "</em>", "<strong>", "</strong>", "<div>",
    "</div>", "<span>", "</span>", "<li>", "</li>", "<td>", "</td>", "<hr>", "<sup>", "</sup>", "<u>", "</u>", "</a>",
    '<span class="text">', '<p align="left">', '<font size="2">', '<a name="top">', '<div id="content">', "</body>",
    "<xml>", "</item>", "<tr>", "</tr>", "<lb/>", '<pb n="12"/>', "<o:p></o:p>", "<![CDATA[", "]]>", "<!-- -->",
)  # fmt: skip
"""None is the name of a part of a recipe's prompt or answer, which a tag of the damage would seem to open or close."""


def _letters(prose: Prose, rng: Random, least: int) -> tuple[int, int] | None:
    """Start and end of a random word of nothing but letters, at least so many."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        start, end = prose.starts[index], prose.ends[index]
        if end - start >= least and prose.text[start:end].isalpha() and not cuts_a_cluster(prose.text, end):
            return start, end
    return None


@operation(severity=2)
def neighbour_key(prose: Prose, rng: Random) -> list[Edit] | None:
    """A finger hit the key beside."""
    word = _letters(prose, rng, 4)
    if word is None:
        return None
    place = rng.randrange(*word)
    letter = prose.text[place]
    near = pick(rng, KEY_NEIGHBOURS.get(letter.lower(), ""))
    if near is None:
        return None
    return [Edit(place, place + 1, near.upper() if letter.isupper() else near)]


@operation(severity=2)
def transposed_letters(prose: Prose, rng: Random) -> list[Edit] | None:
    """Two fingers came in the wrong order. A capital stays where it is."""
    word = _letters(prose, rng, 4)
    if word is None:
        return None
    place = rng.randrange(word[0], word[1] - 1)
    first, second = prose.text[place], prose.text[place + 1]
    if first.isupper() != second.isupper():
        return None
    return [Edit(place, place + 2, second + first)]


@operation(severity=2)
def dropped_letter(prose: Prose, rng: Random) -> list[Edit] | None:
    """A key was not hit hard enough; it is neither the first letter of a word nor the last."""
    word = _letters(prose, rng, 4)
    if word is None:
        return None
    place = rng.randrange(word[0] + 1, word[1] - 1)  # a book and books are both right
    return None if _spelt_so_elsewhere(prose.text[slice(*word)], place - word[0]) else [Edit(place, place + 1, "")]


def _spelt_so_elsewhere(word: str, place: int) -> bool:
    """Whether a word without this letter is what other people write: colour, travelled, judgement."""
    left, letter, right = word[:place].lower(), word[place].lower(), word[place + 1 :].lower()
    if letter == "u":
        return left.endswith("o") and right.startswith("r")
    if letter == "l":
        return left.endswith("l") or right.startswith("l")
    return letter == "e" and left.endswith("g") and right.startswith("ment")


@operation(severity=3)
def shuffled_middle(prose: Prose, rng: Random) -> list[Edit] | None:
    """The first and last letter stand, the others are in disorder."""
    word = _letters(prose, rng, 5)
    if word is None:
        return None
    start, end = word[0] + 1, word[1] - 1
    middle = list(prose.text[start:end])
    rng.shuffle(middle)
    return [Edit(start, end, "".join(middle))]


_WITH_A_CAPITAL_OR_WITHOUT = words(
    """
    earth sun moon god heaven king queen prince princess pope president lord lady church state parliament government
    court north south east west bible internet web mum dad mother father granny grandmother grandfather aunt uncle
    captain doctor professor sir madam spring summer autumn winter company union
    """
)
_ITEM = re.compile(r"(?:^|\n)[ \t]*(?:[-*+•–—]|\(?\w{1,3}[.)])[ \t]*\Z")


@operation(severity=1)
def flipped_case(prose: Prose, rng: Random) -> list[Edit] | None:
    """The shift key came too early, too late or by mistake."""
    word = _letters(prose, rng, 2)
    if word is None or prose.text[slice(*word)].lower() in _WITH_A_CAPITAL_OR_WITHOUT:
        return None
    place = word[0] if rng.random() < 0.5 else rng.randrange(*word)
    if place == word[0] and _ITEM.search(prose.text[max(0, place - 12) : place]):
        return None  # an item of a list may begin with either
    letter = prose.text[place]
    flipped = letter.swapcase()
    if len(flipped) != 1 or flipped.swapcase() != letter:
        return None  # ß, dotless ı and the like have no single other case that leads back
    return [Edit(place, place + 1, flipped)]


@operation(severity=2)
def stray_character(prose: Prose, rng: Random) -> list[Edit] | None:
    """A key was hit that nobody meant: beside a letter, or a symbol or digit."""
    word = _letters(prose, rng, 2)
    if word is None:
        return None
    place = rng.randint(*word)
    if rng.random() < 0.4 and place < word[1]:  # behind a word, a letter may make another form of it: bird, birds
        stray = pick(rng, KEY_NEIGHBOURS.get(prose.text[max(place - 1, word[0])].lower(), ""))
    else:
        stray = pick(rng, STRAY_CHARACTERS)
    return None if stray is None else [Edit(place, place, stray)]


_NO_PAUSE = ARTICLES | POSSESSIVES | (PREPOSITIONS - {"in", "on", "over", "up", "down", "by", "before", "after"})
"""Words after which no comma can stand."""


@operation(severity=1)
def stray_punctuation(prose: Prose, rng: Random) -> list[Edit] | None:
    """A mark where the sentence goes on: any after a word that needs its next, else one that clearly ends too early."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if prose.spaced(index) and prose.lowered[index + 1].isalpha() and prose.word(index + 1).islower():
            marks = ",,-';:" + STRAY_MARKS if prose.lowered[index] in _NO_PAUSE else STRAY_MARKS
            end = prose.ends[index]
            return [Edit(end, end, rng.choice(marks))]
    return None


@operation(severity=2)
def deleted_space(prose: Prose, rng: Random) -> list[Edit] | None:
    """The space bar was missed."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        end = prose.ends[index]
        if prose.spaced(index) and prose.text[end - 1].isalpha() and prose.text[end + 1].isalpha():
            if _written_as_one(*prose.lowered[index : index + 2]):
                continue
            return [Edit(end, end + 1, "")]
    return None


_AS_ONE = {
    "for": {"ever"}, "any": {"more", "way", "time", "one", "body", "where", "thing"}, "on": {"to", "line"},
    "in": {"to", "side", "stead"}, "can": {"not"}, "per": {"cent"}, "all": {"right", "ready", "together"},
    "some": {"day", "one", "time", "times", "where", "how", "body", "thing", "what"}, "under": {"way", "ground"},
    "up": {"on", "stairs", "hill"}, "down": {"stairs", "hill", "town"}, "every": {"one", "day", "where", "body"},
    "may": {"be"}, "a": {"while", "way", "part", "head"}, "good": {"bye", "will"}, "over": {"all", "night"},
    "what": {"ever"}, "how": {"ever"}, "where": {"ever"}, "mean": {"while", "time"}, "no": {"where", "body"},
    "out": {"side", "doors"}, "with": {"in", "out"}, "to": {"day", "night", "morrow"}, "week": {"end", "day"},
}  # fmt: skip
_SECOND_HALVES = words(
    """
    back bed board boat book box cup day field fire ground hand head hill hole house keeper land light line maker man
    master mate men mill paper path place post room side ship shop stairs step stone table time top town tree water
    way wood work yard
    """
)


def _written_as_one(first: str, second: str) -> bool:
    """Whether two words may as well be one: for ever, in to, wind mill, sea bed."""
    if second in _AS_ONE.get(first, ()):
        return True
    small = ARTICLES | POSSESSIVES | PREPOSITIONS
    return (second in _SECOND_HALVES or second.removesuffix("s") in _SECOND_HALVES) and first not in small


@operation(severity=2)
def ocr_confusion(prose: Prose, rng: Random) -> list[Edit] | None:
    """A scanner took one shape for another."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        start, end = prose.starts[index], prose.ends[index]
        if end - start < 3:
            continue
        size = 2 if rng.random() < 0.6 else 1  # single letters stand in every word, the telling pairs in few
        place = rng.randrange(start, end - size + 1)
        taken_for = LOOK_ALIKES.get(prose.text[place : place + size])
        if taken_for is not None and not cuts_a_cluster(prose.text, place + size):
            return [Edit(place, place + size, rng.choice(taken_for))]
    return None


def decoded_wrongly(char: str) -> str:
    """A character as it looks when its UTF-8 bytes are read as Windows-1252; empty where that shows nothing sensible.

    It is empty too where one of the bytes has no reading in Windows-1252, such as the last of ”: with that byte lost,
    nobody could read the character back.
    """
    try:
        garbled = char.encode("utf-8").decode("cp1252")
    except UnicodeError:
        return ""  # an unread byte, or a lone surrogate, which no file can hold
    return garbled if len(garbled) > 1 and garbled.isprintable() and " " not in garbled else ""


def mojibake_places(prose: Prose) -> array[int]:
    """Where single characters stand that a wrong decoding garbles into something visible."""
    text = prose.text
    return array(
        "I",
        (
            place
            for place in prose.not_ascii
            if decoded_wrongly(text[place]) and not text[place].isspace() and not is_part_of_cluster(text, place)
        ),
    )


def is_part_of_cluster(text: str, place: int) -> bool:
    """Whether the character at `place` and its neighbours are one to the reader."""
    return cuts_a_cluster(text, place) or cuts_a_cluster(text, place + 1) or unicodedata.category(text[place]) == "Cf"


@operation(severity=2)
def mojibake(prose: Prose, rng: Random) -> list[Edit] | None:
    """UTF-8 read as Windows-1252: é as Ã©, ’ as â€™."""
    place = pick(rng, prose.places(mojibake_places))
    if place is None:
        return None
    return [Edit(place, place + 1, decoded_wrongly(prose.text[place]))]


MANGLED_QUOTES: dict[str, tuple[str, ...]] = {
    "’": ("?", "'", "&#8217;", "&rsquo;", "\ufffd", "´"),
    "‘": ("?", "'", "`", "&#8216;", "&lsquo;", "\ufffd"),
    "“": ('"', "?", "&#8220;", "&ldquo;", "\ufffd", "``", ",,"),
    "”": ('"', "?", "&#8221;", "&rdquo;", "\ufffd", "''"),
    '"': ("&quot;", "?", "&#34;", '\\"', "''", "\ufffd"),
    "'": ("&#39;", "?", "&apos;", "\\'", "\ufffd", "`"),
}
"""What encodings, escapes and old typewriters' habits make of quotation marks."""


@operation(severity=1)
def mangled_quotes(prose: Prose, rng: Random) -> list[Edit] | None:
    """A quotation mark or apostrophe came through an encoding or an escape too many."""
    place = pick(rng, prose.quotes)
    if place is None or is_part_of_cluster(prose.text, place):
        return None
    return [Edit(place, place + 1, rng.choice(MANGLED_QUOTES[prose.text[place]]))]


@operation(severity=2, named_by="itself")
def stray_tag(prose: Prose, rng: Random) -> list[Edit] | None:
    """A tag of HTML or XML was left in, against the start or the end of a word."""
    index = prose.pick_word(rng)
    if index is None:
        return None
    place = prose.starts[index] if rng.random() < 0.5 else prose.ends[index]
    if cuts_a_cluster(prose.text, place):
        return None
    return [Edit(place, place, rng.choice(_TAGS))]
