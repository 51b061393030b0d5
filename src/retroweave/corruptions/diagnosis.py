"""The diagnosis of damage in words: one list item for each operation, in reading order, and the check that it is true.

A diagnosis is written from the record of `damage` and the damaged text alone. `diagnosis_holds` does not write it
again: it takes an item apart by the phrasings it may have been made from and looks up each number and each quote in the
two texts. What nobody could know from the damaged text, the words that an unrecoverable operation took, is never told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import chain, pairwise
from random import Random
from string import Formatter
from typing import Any, NamedTuple

from retroweave.corruptions.damage import OPERATIONS
from retroweave.corruptions.operation import VOICES
from retroweave.corruptions.prose import is_mark, token_around
from retroweave.pipeline.errors import UserError

__all__ = ["STYLES", "diagnose", "diagnosis_holds"]

STYLES = ("offset", "named", "plain")
"""Where an item stands and what it is, by the offset of its quote in code points from 0, by its line from 1, or in a
sentence."""

_MARKERS = ("- ", "* ", "{number}. ")
_FIXED = {
    ("offset", "words"): "offset {offset}: {operation}: “{now}”",
    ("offset", "neighbours"): "offset {offset}: {operation}: between “{before}” and “{after}”",
    ("offset", "pair"): "offset {offset}: {operation}: “{now}” and offset {second_offset}: “{second_now}”",
    ("named", "words"): 'line {line}: {operation}: "{now}"',
    ("named", "neighbours"): 'line {line}: {operation}: between "{before}" and "{after}"',
    ("named", "pair"): 'line {line}: {operation}: "{now}" and line {second_line}: "{second_now}"',
}

QUOTED_WORD = 40
"""How many characters of a word are quoted at each side of an edit; only a text without spaces has more."""
_WORDS_BESIDE = 4
_BESIDE = 48
"""How many characters the words before or after a place take at most, unless one word alone is longer."""
_LONG = 60
"""A longer quote is told by its first and last words."""
_END_OF_LONG = 26
_ELLIPSIS = " … "
_SIGNS = frozenset("+−±×÷=%‰#&@§°′″^~$")
"""What stands glued to a number or a word as part of it, besides the currency signs and symbols beyond ASCII."""
_SPACE = re.compile(r"\s+")

Record = Mapping[str, Any]


# Writing


def diagnose(operations: Sequence[Record], damaged: str, style: str, rng: Random) -> str:
    """One list item for each operation of a `damage` record, in its order, in one of `STYLES`.

    The plain style has a marker and a voice for all its items.
    """
    if style not in STYLES:
        raise UserError(f"There is no diagnosis style {style!r}. There is {', '.join(STYLES)}.")
    if style != "plain":
        return "\n".join(
            f"- {_filled(_FIXED[style, _named_by(record)], _told(record, damaged))}" for record in operations
        )
    marker = rng.choice(_MARKERS)
    phrasings = _drawn(operations, rng)
    return "\n".join(
        marker.replace("{number}", str(number)) + _filled(phrasing, _told(record, damaged))
        for number, (record, phrasing) in enumerate(zip(operations, phrasings, strict=True), 1)
    )


def _drawn(operations: Sequence[Record], rng: Random) -> list[str]:
    """A phrasing for each operation, all of one voice, and none again while that operation has others."""
    voice = rng.randrange(len(VOICES))
    drawn: list[str] = []
    for record in operations:
        own = OPERATIONS[record["operation"]].words[voice]
        drawn.append(rng.choice([phrasing for phrasing in own if phrasing not in drawn] or own))
    return drawn


def _named_by(record: Record) -> str:
    if len(record["edits"]) == 2:
        return "pair"
    return "neighbours" if OPERATIONS[record["operation"]].named_by == "neighbours" else "words"


def _told(record: Record, damaged: str) -> dict[str, str]:
    """All that may be told of an operation, by placeholder."""
    kind = OPERATIONS[record["operation"]]
    first, *others = record["edits"]
    told = {"operation": kind.name, "line": str(first["line"])}
    if kind.named_by == "neighbours":
        told |= {"offset": str(first["at"]), "was": _shown(first["was"])}
        told |= {"before": _before(damaged, first["at"]), "after": _after(damaged, first["at"] + len(first["now"]))}
    else:
        told["offset"], told["now"], told["was"] = _quoted(damaged, first, whole_words=kind.named_by == "words")
    for second in others:
        told["second_line"] = str(second["line"])
        told["second_offset"], told["second_now"], _ = _quoted(damaged, second, whole_words=True)
    if not kind.recoverable:
        del told["was"]
    return told


def _quoted(damaged: str, edit: Record, *, whole_words: bool) -> tuple[str, str, str]:
    """Where the words round an edit begin, these words, and how they should read."""
    at, now = edit["at"], edit["now"]
    start, end = at, at + len(now)
    if whole_words:
        start, end = token_around(damaged, start, end, QUOTED_WORD)
        while start < at and not _belongs_to_a_word(damaged[start]):
            start += 1
        while end > at + len(now) and not (_belongs_to_a_word(damaged[end - 1]) or is_mark(damaged[end - 1])):
            end -= 1
    before, after = damaged[start:at], damaged[at + len(now) : end]
    return str(start), _shown(f"{before}{now}{after}"), _shown(f"{before}{edit['was']}{after}")


def _belongs_to_a_word(char: str) -> bool:
    """Whether a character is quoted with the word it touches: letters, digits and signs as in £3.50, 20% and #4."""
    return char.isalnum() or char in _SIGNS or (not char.isascii() and unicodedata.category(char) in ("Sc", "So"))


def _before(text: str, at: int) -> str:
    """The last words before a place, of any line."""
    window = max(0, at - 2 * _BESIDE)
    words = text[window:at].split()[-_WORDS_BESIDE:]
    while len(words) > 1 and sum(map(len, words)) + len(words) > _BESIDE:
        del words[0]
    return " ".join(words)[-QUOTED_WORD:] if len(words) == 1 else " ".join(words)


def _after(text: str, end: int) -> str:
    words = text[end : end + 2 * _BESIDE].split()[:_WORDS_BESIDE]
    while len(words) > 1 and sum(map(len, words)) + len(words) > _BESIDE:
        words.pop()
    return words[0][:QUOTED_WORD] if len(words) == 1 else " ".join(words)


def _shown(text: str) -> str:
    """A quote on one line, a long one as its first and last words."""
    words = text.split()
    quote = " ".join(words)
    if len(quote) <= _LONG:
        return quote
    head, tail = words[0], words[-1]
    for word in words[1:]:
        if len(head) + len(word) >= _END_OF_LONG:
            break
        head = f"{head} {word}"
    for word in words[-2::-1]:
        if len(tail) + len(word) >= _END_OF_LONG:
            break
        tail = f"{word} {tail}"
    return f"{head[:_END_OF_LONG].rstrip()}{_ELLIPSIS}{tail[-_END_OF_LONG:].lstrip()}"


@cache
def _parts(phrasing: str) -> tuple[tuple[str, str | None], ...]:
    """A phrasing as literal text and the placeholder after it."""
    return tuple((literal, field) for literal, field, _, _ in Formatter().parse(phrasing))


def _filled(phrasing: str, told: Mapping[str, str]) -> str:
    try:
        return "".join(literal if field is None else f"{literal}{told[field]}" for literal, field in _parts(phrasing))
    except KeyError as error:
        raise UserError(
            f"The phrasing {phrasing!r} of {told['operation']} has the placeholder {error}, which that operation "
            f"cannot tell. It can tell {', '.join(sorted(told))}."
        ) from None


# Checking


class _Place(NamedTuple):
    """An edit as the check finds it, in the damaged text and in the passage."""

    at: int
    end: int
    line: int
    clean_start: int
    clean_end: int


def diagnosis_holds(diagnosis: str, operations: Sequence[Record], damaged: str, passage: str) -> bool:
    """Whether the operations lead from the passage to the damaged text, and each item tells the truth about its own.

    There must be one item for each operation, in order. Each number in it must be the line or offset of that
    operation's place, and each quote must stand there: in the damaged text, or, where the item says how it should read,
    in the passage.
    """
    places = _retraced(operations, damaged, passage)
    items = _items(diagnosis)
    if places is None or items is None or len(items) != len(operations):
        return False
    return all(
        _item_holds(item, record, own, damaged, passage)
        for item, record, own in zip(items, operations, places, strict=True)
    )


def _retraced(operations: Sequence[Record], damaged: str, passage: str) -> list[list[_Place]] | None:
    """The places of each operation, worked out anew; None where the operations do not lead to the damaged text.

    They do where both texts are the same up to an edit, there hold what it replaced and what it put, and go on alike.
    """
    edits = [
        (edit["start"], edit["was"], edit["now"], order) for order, op in enumerate(operations) for edit in op["edits"]
    ]
    places: list[list[_Place]] = [[] for _ in operations]
    clean, reached, line = 0, 0, 1
    for start, was, now, order in sorted(edits):
        same = passage[clean:start]
        if start < clean or not passage.startswith(was, start) or not damaged.startswith(same + now, reached):
            return None
        at = reached + len(same)
        line += same.count("\n")
        clean, reached = start + len(was), at + len(now)
        places[order].append(_Place(at, reached, line, start, clean))
        line += now.count("\n")
    if passage[clean:] != damaged[reached:]:
        return None
    in_order = all(one[0].at <= then[0].at for one, then in pairwise(places))
    return places if in_order else None


def _items(diagnosis: str) -> list[str] | None:
    """The items of a list without their markers; None where it is no list, or of mixed markers."""
    lines = diagnosis.split("\n")
    for marker in _MARKERS:
        markers = [marker.replace("{number}", str(number)) for number in range(1, len(lines) + 1)]
        if all(map(str.startswith, lines, markers)):
            return [line[len(own) :] for line, own in zip(lines, markers, strict=True)]
    return None


class _Phrasing:
    """A phrasing read backwards: from an item to what its placeholders stood for."""

    def __init__(self, text: str) -> None:
        self.parts = _parts(text)
        self.longest = max((literal for literal, _ in self.parts), key=len)
        """What an item in these words must hold: looking for it is quicker than matching all of the pattern."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        seen: set[str] = set()
        pattern = ""
        for literal, field in self.parts:
            pattern += re.escape(literal)
            if field is not None:
                pattern += f"(?P={field})" if field in seen else f"(?P<{field}>.+?)"
                seen.add(field)
        return re.compile(pattern, re.DOTALL)


@cache
def _phrasings(operation: str, pair: bool) -> tuple[_Phrasing, ...]:
    """All ways in which an item of an operation may be put, in any style."""
    kind = OPERATIONS[operation]
    named_by = "pair" if pair else "neighbours" if kind.named_by == "neighbours" else "words"
    fixed = [_FIXED[style, named_by] for style in STYLES if style != "plain"]
    return tuple(_Phrasing(text) for text in (*fixed, *chain(*kind.words)))


def _item_holds(item: str, record: Record, places: Sequence[_Place], damaged: str, passage: str) -> bool:
    """Whether an item can be read by a phrasing of its operation so that all that it says is true."""
    for phrasing in _phrasings(record["operation"], len(places) == 2):
        if phrasing.longest in item:
            found = phrasing.pattern.fullmatch(item)
            if found and _tells_the_truth(found.groupdict(), record, places, damaged, passage):
                return True
    return False


def _tells_the_truth(
    found: Mapping[str, str], record: Record, places: Sequence[_Place], damaged: str, passage: str
) -> bool:
    """Whether each thing that an item says of its places is so."""
    first, second = places[0], places[-1]
    neighbours = OPERATIONS[record["operation"]].named_by == "neighbours"
    for field, value in found.items():
        if field == "line":
            true = value == str(first.line)
        elif field == "second_line":
            true = value == str(second.line)
        elif field == "operation":
            true = value == record["operation"]
        elif field == "now":
            true = _stands(value, damaged, first.at, first.end, found.get("offset"))
        elif field == "second_now":
            true = _stands(value, damaged, second.at, second.end, found.get("second_offset"))
        elif field == "before":
            true = _ends_with(damaged[max(0, first.at - 200) : first.at], value)
        elif field == "after":
            true = _starts_with(damaged[first.end : first.end + 200], value)
        elif field == "was" and not record["recoverable"]:
            true = False
        elif field == "was" and neighbours:
            true = value == passage[first.clean_start : first.clean_end].strip()
        elif field == "was":
            true = _stands(value, passage, first.clean_start, first.clean_end, None)
        elif field == "offset" and neighbours:
            true = value == str(first.at)
        else:
            true = field in ("offset", "second_offset")  # looked at with their quotes
        if not true:
            return False
    return True


def _stands(quote: str, text: str, at: int, end: int, offset: str | None) -> bool:
    """Whether a quote is the words round `text[at:end]`, and begins at the offset, if one is told.

    The quote must hold all of the place, reach beyond it by parts of the same words only, and begin and end with a
    whole word. Whitespace counts as one space, and an ellipsis may stand for what is between the first and last words.
    """
    inside = _SPACE.sub(" ", text[at:end])
    before, after = text[max(0, at - QUOTED_WORD) : at], text[end : end + QUOTED_WORD]
    before = "" if before[-1:].isspace() or not before else before.rsplit(maxsplit=1)[-1]
    after = "" if after[:1].isspace() or not after else after.split(maxsplit=1)[0]
    seen = f"{before}{inside}{after}"
    first, last = len(before), len(before) + len(inside)

    def begins(start: int) -> bool:
        reach = first - start
        told = offset is None or offset == str(at - reach)
        return told and (reach == QUOTED_WORD or not _parts_a_word(text, at - reach))

    def ends(stop: int) -> bool:
        reach = stop - last
        return reach == QUOTED_WORD or not _parts_a_word(text, end + reach)

    start = seen.find(quote)
    while 0 <= start <= first:
        stop = start + len(quote)
        if stop >= last and begins(start) and ends(stop):
            return True
        start = seen.find(quote, start + 1)
    if _ELLIPSIS not in quote:
        return False
    starts = [start for start in range(first + 1) if begins(start)]
    stops = [stop for stop in range(last, len(seen) + 1) if ends(stop)]
    return any(_abridges(quote, seen[start:stop]) for start in starts for stop in stops)


def _abridges(quote: str, whole: str) -> bool:
    """Whether a quote is the first and last words of a long text, with an ellipsis between."""
    cuts = (ellipsis.span() for ellipsis in re.finditer(re.escape(_ELLIPSIS), quote))
    return len(whole) > _LONG and any(
        start > 0 and end < len(quote) and whole.startswith(quote[:start]) and whole.endswith(quote[end:])
        for start, end in cuts
    )


def _parts_a_word(text: str, position: int) -> bool:
    """Whether a position is between letters, or between a letter and a sign glued to it."""
    if not 0 < position < len(text):
        return False
    before, after = text[position - 1], text[position]
    if before.isalnum():
        return _belongs_to_a_word(after)
    return after.isalnum() and _belongs_to_a_word(before)


def _ends_with(text: str, words: str) -> bool:
    line = " ".join(text.split())
    whole = len(words) >= QUOTED_WORD or len(line) == len(words) or line[-len(words) - 1 :].startswith(" ")
    return whole and line.endswith(words)


def _starts_with(text: str, words: str) -> bool:
    line = " ".join(text.split())
    return line.startswith(words) and (len(words) >= QUOTED_WORD or line[len(words) :][:1] in ("", " "))
