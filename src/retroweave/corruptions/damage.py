"""Damage to prose with an exact record of it, so that the right repair and the right diagnosis are known.

All operations of one sample choose their places in the clean text. Their places stay apart: between two of them
stands whitespace that nothing touched, and no word is in two. All edits are applied at once. So no operation moves the
place that another reported, nothing is ever found by searching for its text, and an operation that would change nothing
is not counted. `replay` and `undo` lead from the passage to the damaged text and back by the record alone.

What is damaged how often is here; what each operation does is in `characters`, `language` and `spans`; how the record
is put into words is in `diagnosis`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Any

from retroweave.corruptions import characters, language, spans  # noqa: F401  (they register their operations)
from retroweave.corruptions.operation import OPERATIONS, Edit, Operation, operation
from retroweave.corruptions.prose import Prose, token_around
from retroweave.pipeline.errors import Drop, UserError, nearest

__all__ = ["OPERATIONS", "WEIGHTS", "Edit", "Operation", "Prose", "damage", "operation", "replay", "undo"]

WEIGHTS: dict[str, float] = {
    # Slips of the hand
    "neighbour_key": 8, "transposed_letters": 8, "dropped_letter": 8, "deleted_space": 5, "flipped_case": 4,
    "stray_character": 4, "stray_punctuation": 5, "shuffled_middle": 3,
    # Slips of the pen
    "homophone": 6, "confused_word": 4, "wrong_agreement": 6, "tense_slip": 3, "dropped_function_word": 8,
    "doubled_word": 6, "swapped_words": 6, "doubled_negative": 3, "run_on": 4, "split_sentence": 4,
    # Machines
    "ocr_confusion": 5, "mojibake": 4, "mangled_quotes": 4, "stray_tag": 3,
    # Editing
    "lost_paragraph_break": 3, "stray_paragraph_break": 3, "swapped_halves": 3, "swapped_spans": 3,
    # What nobody can restore: weighed among themselves, in the share of samples that holds any
    "deleted_span": 4, "changed_number": 4, "mixed_up_names": 4, "foreign_span": 2, "gibberish_span": 2,
}  # fmt: skip
"""How often each operation is drawn, as people meet it."""

_CHARACTERS_AN_OPERATION = 60
"""A passage gets at most one operation for so many characters."""
_TRIES = 3
"""How often an operation may look for another place before another operation is drawn."""
_DRAWS = 6
"""How many operations are drawn for one that is wanted before the sample makes do with fewer."""
_SECOND_UNRECOVERABLE = 0.25
_TOKEN = 80
"""How far in characters the word of an edit reaches at most: twice what a diagnosis would quote of it."""

Wheel = tuple[tuple[Operation, ...], tuple[float, ...]]
"""Operations and their running total of weights, to draw from."""


def damage(
    passage: str,
    rng: Random,
    pool: Sequence[str],
    *,
    most: int = 10,
    fewest: int = 1,
    unrecoverable: float = 0.05,
    kinds: Mapping[str, float] | None = None,
) -> tuple[str, list[dict[str, Any]]]:
    """A passage damaged in `fewest` to `most` places (a short one in fewer), and the record in reading order.

    `pool` holds other passages, for foreign text. `unrecoverable` is the share of samples that hold one or two
    operations whose damage nobody can undo. `kinds` are weights to draw by in place of `WEIGHTS`; what they do not name
    is not drawn. Each record has `operation`, `severity`, `recoverable` and `edits`, each with `start` and `end` in the
    passage, `was`, `now`, and `at` and `line` (from 1) in the damaged text. Raises `Drop` where too little could be
    damaged.
    """
    prose = Prose.of(passage)
    if not prose.has_letters:
        raise Drop("the passage has no letters")
    repairable, hopeless = _wheels(None if kinds is None else tuple(kinds.items()))
    room = len(passage) // _CHARACTERS_AN_OPERATION
    count = rng.randint(fewest, max(fewest, min(most, room)))
    lost = 0
    if hopeless[0] and rng.random() < unrecoverable:
        lost = 2 if count > 1 and rng.random() < _SECOND_UNRECOVERABLE else 1
    taken = _Taken(passage)
    done: list[tuple[Operation, list[Edit]]] = []
    for place in range(count):
        found = _one(hopeless if place < lost else repairable, prose, rng, pool, taken)
        if found is not None:
            done.append(found)
    if len(done) < fewest:
        raise Drop("the passage has too few places for the damage asked for")
    damaged, log = _apply(passage, done)
    if damaged == passage:
        raise Drop("the damage undid itself")
    return damaged, log


@lru_cache(maxsize=64)
def _wheels(kinds: tuple[tuple[str, float], ...] | None) -> tuple[Wheel, Wheel]:
    """What to draw from, recoverable and unrecoverable, in an order that does not hang on that of `kinds`."""
    weights = WEIGHTS if kinds is None else dict(kinds)
    for name, weight in weights.items():
        if name not in OPERATIONS:
            raise UserError(f"There is no damage operation {name!r}. {nearest(name, OPERATIONS)}")
        if weight < 0:
            raise UserError(f"The weight of {name!r} is {weight}. A weight is 0 (never) or more.")
    drawn = [OPERATIONS[name] for name in sorted(weights) if weights[name] > 0]
    if not drawn:
        raise UserError("No damage operation has a weight above 0. Give one to at least one.")
    return _wheel(weights, drawn, recoverable=True), _wheel(weights, drawn, recoverable=False)


def _wheel(weights: Mapping[str, float], drawn: Iterable[Operation], *, recoverable: bool) -> Wheel:
    chosen = tuple(kind for kind in drawn if kind.recoverable is recoverable)
    return chosen, tuple(accumulate(weights[kind.name] for kind in chosen))


def _one(
    wheel: Wheel, prose: Prose, rng: Random, pool: Sequence[str], taken: _Taken
) -> tuple[Operation, list[Edit]] | None:
    """One operation that could be done, and its edits, whose places are then taken."""
    kinds, totals = wheel
    if not kinds:
        return None
    for _ in range(_DRAWS):
        # As `rng.choices` draws, which takes four times as long for one.
        kind = kinds[bisect_right(totals, rng.random() * totals[-1], 0, len(kinds) - 1)]
        for _ in range(_TRIES):
            edits = kind.find(prose, rng, pool)
            if edits and taken.take(edits, with_neighbours=kind.named_by == "neighbours"):
                return kind, edits
    return None


class _Taken:
    """The places that the operations of a sample hold, each with the whole words round it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places: list[tuple[int, int]] = []
        """In order, and no two touch."""

    def take(self, edits: list[Edit], *, with_neighbours: bool) -> bool:
        """Take the places of all edits, or none where one changes nothing or would touch a place that is taken."""
        text = self.text
        places = self.places.copy()
        for edit in edits:
            if text[edit.start : edit.end] == edit.new:
                return False
            start, end = token_around(text, edit.start, edit.end, _TOKEN)
            if with_neighbours:
                start, end = self._before(start), self._after(end)
            index = bisect_right(places, (start, end))
            if (index > 0 and start <= places[index - 1][1]) or (index < len(places) and places[index][0] <= end):
                return False
            places.insert(index, (start, end))
        self.places = places
        return True

    def _before(self, start: int) -> int:
        """The start of the word before a place, by which its damage is named."""
        while start > 0 and self.text[start - 1].isspace():
            start -= 1
        return token_around(self.text, start, start, _TOKEN)[0]

    def _after(self, end: int) -> int:
        while end < len(self.text) and self.text[end].isspace():
            end += 1
        return token_around(self.text, end, end, _TOKEN)[1]


def _apply(passage: str, done: list[tuple[Operation, list[Edit]]]) -> tuple[str, list[dict[str, Any]]]:
    """Apply all edits at once and write down where each stands in the damaged text."""
    edits = sorted((edit.start, edit.end, edit.new, order) for order, (_, own) in enumerate(done) for edit in own)
    records: dict[int, dict[str, Any]] = {}
    parts: list[str] = []
    clean, at, line = 0, 0, 1
    for start, end, new, order in edits:
        same = passage[clean:start]
        parts += same, new
        at += len(same)
        line += same.count("\n")
        was = passage[start:end]
        edit = {"start": start, "end": end, "was": was, "now": new, "at": at, "line": line}
        record = records.get(order)
        if record is None:
            kind = done[order][0]
            records[order] = {
                "operation": kind.name,
                "severity": kind.severity,
                "recoverable": kind.recoverable,
                "edits": [edit],
            }
        else:
            record["edits"].append(edit)
        at += len(new)
        line += new.count("\n")
        clean = end
    parts.append(passage[clean:])
    return "".join(parts), list(records.values())


def replay(passage: str, log: Iterable[Mapping[str, Any]]) -> str:
    """The damaged text that a record leads to. ValueError where the passage is not the one it was made for."""
    edits = (edit for record in log for edit in record["edits"])
    return _replaced(passage, [(edit["start"], edit["was"], edit["now"]) for edit in edits])


def undo(damaged: str, log: Iterable[Mapping[str, Any]]) -> str:
    """The passage that a damaged text came from. ValueError where the text is not the one of the record."""
    edits = (edit for record in log for edit in record["edits"])
    return _replaced(damaged, [(edit["at"], edit["now"], edit["was"]) for edit in edits])


def _replaced(text: str, changes: list[tuple[int, str, str]]) -> str:
    parts: list[str] = []
    reached = 0
    for start, old, new in sorted(changes):
        if start < reached or not text.startswith(old, start):
            raise ValueError(f"the record does not fit the text: {old!r} is not at {start}")
        parts += text[reached:start], new
        reached = start + len(old)
    return "".join((*parts, text[reached:]))
