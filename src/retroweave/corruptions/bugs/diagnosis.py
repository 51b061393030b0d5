"""The diagnosis of bugs in words: a sentence or two for each, in one of four voices, and the check that it is true.

A diagnosis is written from the record of `planted` alone, whose lines and quotes are those of the broken text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from random import Random
from typing import Any

from retroweave.corruptions.bugs.site import OPERATORS, VOICES
from retroweave.pipeline.errors import UserError

__all__ = ["describe", "description_holds"]

Record = Mapping[str, Any]


def describe(records: Sequence[Record], rng: Random, voice: str | None = None) -> list[str]:
    """What is wrong, for each bug of a record of `planted`: all in one of `VOICES`, drawn where none is named.

    No phrasing is used again while its operator has others.
    """
    if voice is not None and voice not in VOICES:
        raise UserError(f"There is no voice {voice!r} in a diagnosis of bugs. There is {', '.join(VOICES)}.")
    group = VOICES.index(voice) if voice else rng.randrange(len(VOICES))
    drawn: list[str] = []
    for record in records:
        own = OPERATORS[record["operator"]].words[group]
        drawn.append(rng.choice([phrasing for phrasing in own if phrasing not in drawn] or own))
    return [phrasing.format(**record["told"]) for phrasing, record in zip(drawn, records, strict=True)]


def description_holds(description: str, record: Record, broken: str) -> bool:
    """Whether a description is a phrasing of the operator, and the line that it names is as it says."""
    told = record["told"]
    phrasings = chain(*OPERATORS[record["operator"]].words)
    if told["line"] != str(record["line"]) or description not in (phrasing.format(**told) for phrasing in phrasings):
        return False
    lines = broken.split("\n")
    return 1 <= record["line"] <= len(lines) and told.get("now", "") in lines[record["line"] - 1]
