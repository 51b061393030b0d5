"""Clues: the parts of a thing, written down so that somebody may guess the thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from retroweave.pipeline.errors import Drop

__all__ = ["clues_in", "give_clues", "name_words"]


def give_clues(thing: str, parts: Sequence[str], rng: Random) -> str:
    """The parts in an order of their own, one left out where there are many, written in one of several ways."""
    shown = rng.sample(parts, len(parts) - (len(parts) > 4 and rng.random() < 0.5))
    if any(name_words(thing) & name_words(part) for part in shown):
        raise Drop("a part names the thing")
    bullet, between = rng.choice((("- ", "\n"), ("* ", "\n"), ("", "\n"), ("", ", "), ("", "; "), ("", " / ")))
    return between.join(f"{bullet}{part}" for part in shown)


def clues_in(clues: str) -> list[str]:
    return [re.sub(r"^[-*] ", "", clue) for clue in re.split(r"\n|, |; | / ", clues)]


@lru_cache(4096)
def name_words(text: str) -> frozenset[str]:
    """The words that tell something, without plurals."""
    found = {word.removesuffix("s") for word in re.findall(r"[^\W_]{3,}", text.lower())}
    return frozenset(found - {"the", "and", "that", "for"})
