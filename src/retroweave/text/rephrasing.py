"""More phrasings of one instruction, asked of a model and sifted: for a person to read, and to take or leave.

A phrasing is kept where it can be read as a template, names the pool's own placeholders and no others, is not nearly
one that stands there already, and asks for the same thing, in the opinion of a judge that is handed in. Nothing here
writes into a pool: what a model says that people say is not what people say until somebody has read it.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.layout import Layout, Template, Variants
from retroweave.pipeline.model import Model
from retroweave.pipeline.pipeline import Pipeline, walk
from retroweave.pipeline.verdict import Score
from retroweave.text.generation import generate
from retroweave.text.variants import recipe_words

__all__ = ["Judge", "Phrasing", "Rephrased", "alike", "instruction_pools", "phrasing_in", "pool_text", "rephrase"]

words = recipe_words(__file__)

SHOWN = 4
"""How many phrasings of the pool the model is shown each time."""
NEAR = 0.5
"""From which likeness on two phrasings are nearly one."""

Judge = Callable[[str, str, int], Awaitable[Score]]
"""Whether two phrasings ask for the same thing; the number is that of the attempt."""


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One that was kept."""

    text: str
    score: float
    """How sure the judge is that it asks for the same thing."""
    beside: str
    """The phrasing of the pool that the judge saw beside it."""


@dataclass
class Rephrased:
    """What came of a pool."""

    kept: list[Phrasing] = field(default_factory=list)
    thrown: Counter[str] = field(default_factory=Counter)
    """How many were left out, by the reason."""


def instruction_pools(pipeline: Pipeline) -> dict[str, Variants]:
    """The pools that a pipeline's layouts draw from, by name, with those first that users speak with."""
    found: dict[str, Variants] = {}
    layouts = [node for node in walk(pipeline.steps) if isinstance(node, Layout)]
    for spoken in (True, False):
        for layout in layouts:
            users = {name for turn in layout.flat() if turn.role == "user" for name in turn.template.names}
            for name, pool in layout.words.items():
                if (name in users) is spoken:
                    found.setdefault(pool.name, pool)
    return found


async def rephrase(
    pool: Variants, count: int, model: Callable[[int], Model], judge: Judge, *, tries: int = 4, seed: int = 0
) -> Rephrased:
    """Up to `count` more phrasings of the pool, of at most `tries` times as many attempts.

    `model` gives the model for the attempt of a number, so that each may have a seed of its own. Attempts are judged
    side by side and taken in their order, so that the same answers give the same phrasings.
    """
    if count < 1 or tries < 1:
        raise UserError(f"--count and --tries are 1 or more, not {count} and {tries}.")
    found = Rephrased()
    attempt = 0
    while len(found.kept) < count and attempt < count * tries:
        batch = range(attempt, min(attempt + count - len(found.kept), count * tries))
        for tried in await asyncio.gather(*(_tried(pool, number, model(number), judge, seed) for number in batch)):
            _take(tried, pool, found)
        attempt = batch.stop
    return found


async def _tried(pool: Variants, number: int, model: Model, judge: Judge, seed: int) -> Phrasing | str:
    """One attempt: the phrasing with its score, or why there is none."""
    rng = Random(f"{seed} {pool.name} {number}")
    texts = [template.text for template in pool.templates]
    shown = rng.sample(texts, min(SHOWN, len(texts)))
    ask: Any = generate(words.prompt("rephrase"), parse=phrasing_in)
    try:
        text = await ask(phrasings=shown, places=places(pool), voice=rng.choice(words("voices")), model=model)
        fit(text, pool)
    except Drop as drop:
        return str(drop)
    if any(alike(text, other) >= NEAR for other in texts):
        return "nearly one that is there already"
    score = await judge(shown[0], text, number)
    return Phrasing(text, score.value, shown[0]) if score.passed else "asks for something else, says the judge"


def _take(tried: Phrasing | str, pool: Variants, found: Rephrased) -> None:
    if isinstance(tried, str):
        found.thrown[tried] += 1
    elif any(alike(tried.text, other.text) >= NEAR for other in found.kept):
        found.thrown["nearly one that is there already"] += 1
    else:
        found.kept.append(tried)


def places(pool: Variants) -> str:
    """The pool's placeholders as they are written."""
    return ", ".join(f"{{{name}}}" for name in pool.names)


def phrasing_in(answer: str) -> str:
    """The phrasing in a model's answer, without a fence, a number or quotation marks around it. May raise `Drop`."""
    text = answer.strip()
    if fenced := re.fullmatch(r"```\w*\n(.*?)\n?```", text, re.DOTALL):
        text = fenced[1].strip()
    text = re.sub(r"^(?:\d{1,2}[.)]|[-*•]) +", "", text)
    if len(text) > 1 and (text[0], text[-1]) in {('"', '"'), ("“", "”"), ("'", "'")} and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    if not text or "\0" in text or re.search(r"^%", text, re.MULTILINE):
        raise Drop("no phrasing")
    return text


def fit(text: str, pool: Variants) -> None:
    """Raise `Drop` unless it could stand in the pool: a template with just its placeholders, and no longer than twice
    the longest."""
    try:
        names = Template(text).names
    except UserError:
        raise Drop("no template that can be read") from None
    if lost := sorted(set(pool.names) - set(names)):
        raise Drop(f"lost {{{lost[0]}}}")
    if strange := sorted(set(names) - set(pool.names)):
        raise Drop("made up a placeholder" if strange else "")
    longest = max(len(template.text) for template in pool.templates)
    if len(text) > 2 * longest:
        raise Drop("too long")


def alike(one: str, other: str) -> float:
    """How alike two phrasings are, from 0 to 1: the share that pairs of neighbouring words have in common."""
    pairs, others = (_pairs(text) for text in (one, other))
    return len(pairs & others) / len(pairs | others) if pairs or others else 1.0


def _pairs(text: str) -> set[tuple[str, str]]:
    found = ["", *re.findall(r"\w+", text.lower()), ""]
    return set(itertools.pairwise(found))


def pool_text(found: Sequence[Phrasing]) -> str:
    """A file for a person to read: above each phrasing a line with the judge's score, and what it was compared with."""
    return "".join(f"%% {one.score:.2f}, beside: {_short(one.beside)}\n{one.text}\n" for one in found)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else f"{line[:67]}..."
