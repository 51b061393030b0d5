"""Asking: which families there are, how their questions are drawn for a passage, and how they are put into words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.installing import install_command
from retroweave.text.variants import read_variants
from retroweave.verifiers.questions import (  # noqa: F401  each registers its families
    counts,
    grammar,
    letters,
    marks,
    numbers,
    order,
    presence,
    sentences,
    sounds,
)
from retroweave.verifiers.questions.family import FAMILIES, Claim, Family, Question, contrast

__all__ = ["askable", "draw_pairs", "missing", "phrasings", "put", "reason", "reasons_for"]

ALL = "all"
WORDS = files("retroweave.verifiers.questions") / "words"
SPELT = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def askable(names: Sequence[str] = ()) -> list[str]:
    """The families of these names; of none named, all that need no extra, so that they are the same everywhere.

    The one name `all` stands for each family that there is. Raises `UserError` for a name that is unknown, and for a
    family that lacks what it needs.
    """
    if not names:
        return sorted(name for name, one in FAMILIES.items() if not one.extra)
    wanted = sorted(FAMILIES) if list(names) == [ALL] else sorted(set(names))
    for name in wanted:
        if name not in FAMILIES:
            raise UserError(f"There is no family of questions {name!r}. {nearest(name, FAMILIES)}")
        if name in missing():
            raise UserError(
                f"The family {name!r} needs a dictionary of how words sound, which is not installed: "
                f"{install_command(FAMILIES[name].extra)}, or leave it out of the families."
            )
    return wanted


def missing() -> list[str]:
    """The families that cannot be asked here, for want of an extra."""
    return [] if sounds.can_be_asked() else sorted(name for name, one in FAMILIES.items() if one.extra)


def draw_pairs(
    passage: str, names: Sequence[str], want: int, rng: random.Random
) -> Iterator[tuple[Family, Question, Question]]:
    """For up to `want` families a question with yes and one with no. What few passages allow is tried first."""
    keyed = sorted(names, key=lambda name: rng.random() ** (1 / FAMILIES[name].weight), reverse=True)
    found = 0
    for name in keyed:
        pair = contrast(passage, FAMILIES[name], rng)
        if pair is not None:
            yield FAMILIES[name], *pair
            found += 1
        if found == want:
            return


def phrasings(name: str) -> tuple[str, ...]:
    """The ways to ask a family's question."""
    return read_variants(WORDS / f"{name}.txt")


@cache
def reasons() -> Mapping[str, Mapping[str, Sequence[str]]]:
    found: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load((WORDS / "reasons.yaml").read_text("utf-8"))
    return found


def put(phrasing: str, values: Mapping[str, Any]) -> str:
    """The question in words."""
    return phrasing.format_map(_shown(values))


def reasons_for(name: str, claim: Claim) -> list[str]:
    """The ways to say why the answer is what it is, each in one short sentence."""
    shown = _shown({**claim.values, **claim.found})
    return [said.format_map(shown) for said in reasons()[name]["yes" if claim.answer else "no"]]


def reason(name: str, claim: Claim, rng: random.Random) -> str:
    """One of them."""
    return rng.choice(reasons_for(name, claim))


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    """Counts up to twelve in letters; what the text itself gives in digits is a string already, and stays."""
    return {
        name: SPELT[value] if isinstance(value, int) and 0 <= value < len(SPELT) else str(value)
        for name, value in values.items()
    }
