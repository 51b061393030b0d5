"""Outline: an essay that is there already, planned backwards: its points, and who might have asked for it."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import Field

from retroweave import (
    Config,
    Drop,
    Pipeline,
    assistant,
    compute,
    family,
    judge,
    mix,
    prompt,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.judges.classifier import similarity
from retroweave.judges.every import every
from retroweave.judges.paired import paired
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.step import Resource, Step
from retroweave.sources.texts import passages
from retroweave.sources.trimmed import trimmed
from retroweave.text.generation import generate
from retroweave.text.listed import listed, numbered
from retroweave.text.outlines import in_order, in_own_words, is_a_request, point_for_each
from retroweave.text.variants import recipe_words

__all__ = ["Outline", "outline"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")


class Outline(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 900
    """The shortest essay, in characters."""
    longest: int = 4000
    """The longest essay, in characters; a longer text is cut at a paragraph."""
    most: int = Field(9, ge=2, le=40)
    """The most paragraphs that an essay may have; each gets a point."""
    model: str = "embedded:smollm2"
    """The model that writes outlines and requests: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that judges them. If left out nobody is asked, and the embedder measures what it can."""
    embedder: str = "embedded:sentences"
    """The embedding model that tells which paragraph a point is nearest to, where no judge is named."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be of each point, and of the request."""
    tries: int = Field(3, ge=1, le=20)
    """How often an outline, and then a request, is drawn until one passes."""
    outlines: Literal["judged", "untrained"] = "judged"
    """Whether outlines are trained. A model wrote them and a judge accepted them; untrained, only essays are learnt."""
    whole: float = Field(2, ge=0)
    """Weight of conversations that go from the request by way of the outline to the essay."""
    plan: float = Field(1, ge=0)
    """Weight of those that end with the outline; none where outlines are untrained."""
    write: float = Field(1, ge=0)
    """Weight of those that begin with the outline."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of essays held out for validation."""


def part(passage: str, config: Resource[Outline]) -> list[str]:
    """The paragraphs, each of which says enough to be a point."""
    found = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", passage)]
    if not 3 <= len(found) <= config.most:
        raise Drop(f"not 3 to {config.most} paragraphs")
    if min(len(paragraph.split()) for paragraph in found) < 20:
        raise Drop("a paragraph of fewer than 20 words: a heading, a list, a line of speech")
    return found


def write_down(points: list[str]) -> str:
    """The points as a numbered list."""
    return numbered(points)


def draw_voice(rng: Random) -> str:
    """Who asks: requests that all sound alike would teach one voice."""
    return rng.choice(words("voices"))


PARAGRAPHS = [
    "Our street had one telephone until 1958, and it stood in the baker's shop between the scales and the till. Who "
    "wished to ring the doctor did so in front of everybody who wanted bread.",
    "So people learned to say things without saying them. My mother had a way of telling her sister that money was "
    "short which sounded like a remark on the weather in Hull.",
    "When the lines were laid to the houses, nobody spoke like that any more. We had our privacy and said whatever "
    "came into our heads; and the baker, who knew less and less about us, sold out within the year.",
]
POINTS = [
    "One telephone for the street, in the baker's shop, so that every call was heard",
    "How people learned to speak in hints, as the mother did about money",
    "Private lines end the hints, and the baker, who hears nothing any more, sells up",
]
ROW = {
    "passage": "\n\n".join(PARAGRAPHS),
    "paragraphs": PARAGRAPHS,
    "points": POINTS,
    "outline": numbered(POINTS),
    "request": "A short memoir, please, of the days when a whole street shared one telephone, and what went with it.",
}
"""A row that every check of the recipe accepts."""
STRANGE_REQUEST = "What are compound interest and inflation? Two worked examples of each."
STRANGE = ["How to prune a quince in winter", *POINTS[1:]]


def points_fit(config: Outline) -> Step:
    """The judge of the outline: a model is asked about each point by itself, or an embedder measures."""
    asked = config.judge is not None
    paragraphs = [one for example in words.prompt("outline").examples for one in example["paragraphs"]]
    covers = yes_no(words.prompt("covers"), model="judge", threshold=config.sure)
    return judge(
        every(covers, point="points", paragraph="paragraphs") if asked else paired("points", "paragraphs", paragraphs),
        raises="points",
        score="sure",
        accepts_right=0.95**4 if asked else 0.65,  # asked: of an outline of four points, of which each right one is
        accepts_wrong=0.95**3 * 0.15 if asked else 0.1,  # accepted 19 times in 20, and one wrong one 3 times in 20
        good=ROW,
        spoiled={"points": STRANGE},
        name="each point fits",
    )


def request_fits(config: Outline) -> Step:
    asked = config.judge is not None
    asks = yes_no(words.prompt("asks"), model="judge", threshold=config.sure)
    return judge(
        asks if asked else similarity("request", "outline", embed="embedder", least=0.25),
        raises="request",
        accepts_right=0.9,
        accepts_wrong=0.15,
        good=ROW,
        spoiled={"request": STRANGE_REQUEST},
        name="request asks for it",
    )


SCRIPT = f"scripted:{HERE / 'example.answers.yaml'}"
EXAMPLE = {
    "texts": HERE / "example.jsonl",
    "license": "CC0-1.0",
    "shortest": 300,
    "longest": 1500,
    "model": SCRIPT,
    "judge": SCRIPT,
}


@recipe(
    example=Outline.model_validate(EXAMPLE),
    presets={"essays-only": {"outlines": "untrained"}},
)
def outline(config: Outline) -> Pipeline:
    """Plan an essay, then write it: from a request to an outline, and from the outline to the text.

    An essay is given. A model says in a line what each of its paragraphs is about, and from those lines alone what
    somebody might have asked for. Laid out in reverse it is a piece of work: the request, the outline, the essay; or
    either half of it. A model learns to plan before it writes, and to keep to the plan.

    Guaranteed: the essay is the source's, word for word. The outline has a point for each of its paragraphs, short, in
    other words than the essay's, and in the essay's order as far as the words that they share can tell. Not guaranteed:
    that a point says what its paragraph is about. A model wrote it and a judge accepted it, point by point (or, with no
    judge named, an embedder found it nearer to its paragraph than to others). So outlines are worth *judged*, and the
    floor is lowered to that; with `outlines: untrained` they are shown and not learnt, and every trained word is given.
    The request is prompted and judged, and never trained. Nor is it guaranteed that no other essay would fit the
    outline: of course others would.

    After the outlines of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data: the text comes first, its plan is
    drawn from it, and the request from the plan.
    """
    essays = passages(
        config.texts, field=config.field, license=config.license, shortest=config.shortest, longest=config.longest
    )
    trained = config.outlines == "judged"
    floor: Literal["judged", "tested"] = "judged" if trained else "tested"
    asked = words.variants("ask")
    arms = {
        "whole": (
            config.whole,
            reverse(
                user("{ask}"),
                assistant("{outline}", train=trained),
                user("{go_on}"),
                assistant("{passage}"),
                name="whole",
                floor=floor,
                ask=asked,
                go_on=words.variants("go_on"),
            ),
        ),
        "write": (
            config.write,
            reverse(user("{write}"), assistant("{passage}"), name="write", write=words.variants("write")),
        ),
    }
    if trained:
        arms["plan"] = (
            config.plan,
            reverse(user("{ask}"), assistant("{outline}"), name="plan", floor="judged", ask=asked),
        )
    return Pipeline(
        trimmed(essays, "passage"),
        compute(part, writes="paragraphs"),
        family(
            prompt(generate(words.prompt("outline"), model="writer", parse=listed), writes="points"),
            verify(point_for_each, good=ROW, spoiled={"points": POINTS[:2]}),
            verify(in_own_words, good=ROW, spoiled={"points": [PARAGRAPHS[0][:80], *POINTS[1:]]}),
            verify(in_order, good=ROW, spoiled={"points": POINTS[::-1]}),
            points_fit(config),
            want=1,
            tries=config.tries,
            name="outline until it passes",
        ),
        compute(write_down, writes="outline"),
        compute(draw_voice, writes="voice"),
        family(
            prompt(generate(words.prompt("request"), model="writer"), writes="request"),
            verify(is_a_request, good=ROW, spoiled={"request": f"Write this: {POINTS[0]}."}),
            request_fits(config),
            want=1,
            tries=config.tries,
            name="request until it passes",
        ),
        mix("stage", **arms),
        resources={"config": config},
        models={"writer": config.model} | ({"judge": config.judge} if config.judge else {"embedder": config.embedder}),
        keep=["points", "request"],
        measures=["sure"],
        validation=config.validation,
    )
