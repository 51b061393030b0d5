"""Rubrics that are not files yet: what a model wrote, held to the form that `rubric_file` reads.

A program can tell that a text is a rubric and that its items are few, short and different. Whether they are worth
marking by is for a judge. The text is hostile: a rubric's questions are templates, and its programs are programs, so
neither braces nor backquotes are let in.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from retroweave.judges.rubric_file import Item, Rubric, rubric_of
from retroweave.pipeline.errors import Drop, UserError
from retroweave.text.likeness import overlap

__all__ = ["rubric_in", "well_made"]

DOUBLED = 0.85
"""The share of an item's words that stand in another one from which on both ask the same."""


def rubric_in(text: str) -> Rubric:
    """The rubric in a text of the form that a .md file has. Raises `Drop` where it is none."""
    if any(mark in text for mark in "{}`"):
        raise Drop("the rubric holds braces or backquotes")
    try:
        return rubric_of(text, Path("rubric.md"))
    except UserError as error:
        raise Drop("it does not read as a rubric") from error


def well_made(rubric: Rubric, least: int = 5, most: int = 10) -> bool:
    """Its items are questions of at most forty words, weighed from 1 to 3, none doubled; some want yes and some no."""
    items = rubric.items
    return (
        least <= len(items) <= most
        and all(_plain(item) for item in items)
        and {item.wanted for item in items} == {"yes", "no"}
        and not any(overlap(one.question.text, other.question.text) >= DOUBLED for one, other in permutations(items, 2))
    )


def _plain(item: Item) -> bool:
    """One question and its marks: no parts, no gate, no program, and nothing before the question."""
    return (
        item.question.text[:1].isupper()
        and not set("[]") & set(item.question.text)
        and not item.parts
        and not item.gate
        and item.program is None
        and item.weight in (1, 2, 3)
        and item.question.text.count("?") == 1
        and 4 <= len(item.question.text.split()) <= 40
    )
