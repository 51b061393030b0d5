"""Analogy: an argument by precedent, made from its own analysis, so that the analysis can be learnt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from pydantic import Field

from retroweave import (
    Config,
    Drop,
    Pipeline,
    assistant,
    compute,
    family,
    given,
    judge,
    mix,
    prompt,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.errors import SourceError
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.row import digest
from retroweave.pipeline.source import Source, SourceRow
from retroweave.sources.line_lists import list_lines
from retroweave.text.copying import copies_run
from retroweave.text.generation import generate
from retroweave.text.labelled import labelled
from retroweave.text.likeness import overlap
from retroweave.text.listed import listed
from retroweave.text.variants import recipe_words

__all__ = ["Analogy", "analogy"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")
LICENSE = "CC0-1.0"
LABELS = ("Reference class", "Prior argument", "Ground", "Bearing")
HOLDS, FAILS = "It holds here", "It does not hold here"


class Analogy(Config):
    positions: Path | None = None
    """A .txt file of lines `subject | position`, which you put under CC0-1.0; our own 72 if left out."""
    model: str = "embedded:smollm2"
    """The model that finds precedents and argues: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that checks analysis and verdict; the one that argues if left out."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be."""
    tries: int = Field(3, ge=1, le=20)
    """How often each of the model's steps is drawn, until one passes."""
    traced: float = Field(2, ge=0)
    """Weight of answers that give the analysis and then the verdict."""
    bare: float = Field(1, ge=0)
    """Weight of answers that are the verdict alone, as a judge gives it."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of subjects held out for validation."""


def positions(path: Path | None) -> Source:
    """A row for each position; those on one subject stand on one side of the split."""
    file = path or HERE / "positions.txt"
    lines = list_lines(file, "lines `subject | position`")

    def rows() -> Iterator[SourceRow]:
        for number, line in lines:
            subject, bar, position = (part.strip() for part in line.partition("|"))
            if not (subject and bar and position):
                raise SourceError(f"Line {number} of {file} is {line!r}; write `subject | position`.")
            fields = {"subject": subject, "position": position}
            yield SourceRow(line, fields, LICENSE, f"{file.name}, line {number}", cluster=subject)

    def fingerprint() -> str:
        return digest(*(line for _, line in lines)).hex()

    fields = {"subject": str, "position": str}
    return given(rows, fields, licenses=(LICENSE,), fingerprint=fingerprint, name="positions")


def draw_manner(rng: Random) -> tuple[str, str]:
    """Whether the precedent is to bear on the subject, and how the argument is to be made from it.

    Smoothness must not give the verdict away, so half of what is in good faith is smooth too.
    """
    return rng.choice([("hold", "frank"), ("hold", "smooth"), ("not hold", "smooth"), ("not hold", "smooth")])


def are_features(features: list[str]) -> bool:
    """Two to four, of three to twenty words each."""
    return 2 <= len(features) <= 4 and all(3 <= len(feature.split()) <= 20 for feature in features)


def verdict_of(bearing: str) -> str:
    """Yes where the model says that the ground holds, and No where it says that it does not."""
    if bearing.startswith(FAILS):
        return "No"
    if bearing.startswith(HOLDS):
        return "Yes"
    raise Drop("the bearing says neither that the ground holds nor that it does not")


def as_wanted(faith: str, wanted: str) -> bool:
    return faith == {"hold": "Yes", "not hold": "No"}[wanted]


def is_an_argument(argument: str, subject: str, reference: str, bearing: str, ground: str) -> bool:
    """A paragraph of 50 to 180 words that speaks of both cases, and does not analyse itself."""
    return (
        "\n" not in argument
        and 50 <= len(argument.split()) <= 180
        and overlap(subject, argument) >= 0.3
        and overlap(reference, argument) >= 0.3
        and not any(copies_run(argument, said, 7) for said in (bearing, ground))
        and not re.search(r"good faith|analog|precedent|reference class", argument, re.IGNORECASE)
    )


def write_critique(
    subject: str, position: str, reference: str, prior: str, ground: str, bearing: str, rng: Random
) -> str:
    """The chain that the argument was made from, as a trace of reasoning."""
    reference = reference.rstrip(".")
    said = {"subject": subject, "position": position, "prior": prior, "ground": ground, "bearing": bearing}
    return rng.choice(words("traces")).format(reference=reference, **said)


ROW = {
    "subject": "wires across paths",
    "position": "owners should not stretch any",
    "features": ["a wire is hardly seen", "people run into it who have a right to be there"],
    "reference": "gates across public roads",
    "prior": "Nobody may shut a gate across a public road, because others have a right to go there.",
    "ground": "Whoever owns the land does not own the right of way.",
    "bearing": "It holds here, since the path is as public as the road, whoever owns the field beside it.",
    "wanted": "hold",
    "faith": "Yes",
    "argument": (
        "My neighbour would not dream of hanging a gate across the public road, though his fields lie on both sides of "
        "it. He knows that the road is not his to shut, whatever he owns to the left and right. Yet he stretches wires "
        "across the path behind the barn, where people have walked for two hundred years and have every right to. A "
        "path is a narrow road. If he may not shut the one, then owners should not put wires across the other."
    ),
    "critique": (
        "Wires across paths are compared with gates across public roads. What that rests on: whoever owns the land "
        "does not own the right of way. It holds here, since the path is as public as the road."
    ),
}
"""A row that every check of the recipe accepts."""
STRANGE = "It compares with the pruning of quinces. What it rests on is that fruit must ripen. It does not hold here."


EXAMPLE = {
    "positions": HERE / "example.txt",
    "model": f"scripted:{HERE / 'example.answers.yaml'}",
    "validation": 0,
}


@recipe(example=Analogy.model_validate(EXAMPLE))
def analogy(config: Analogy) -> Pipeline:
    """Take an argument by comparison apart: what it compares with, what that rests on, and whether it holds here.

    For a position on a subject a model names features of the subject, finds a reference class that shares some, says
    what is argued there and on what ground, and whether the ground is there in the subject too. A program has drawn
    beforehand which it shall be. From that the argument is written: smoothly where the ground does not hold, and where
    it does, in half of the cases frankly. In reverse the argument comes first, and the chain that it was made from is
    its critique, with a verdict. Good faith means here that what the argument rests on is there in its own case. A
    model learns to look for the ground before it likes or dislikes the conclusion.

    Guaranteed: as many arguments are in good faith as not, on both sides of each subject; the verdict is what the
    analysis says; the argument speaks of both cases and does not recite its analysis. Not guaranteed: that analysis and
    verdict are right. Everything but the positions is a model's, and what stands behind it is two judges: one finds
    that the analysis reads the argument rightly, the other that the verdict is right. So the floor is lowered to
    *judged*. That a model argued smoothly because it was told to is no proof that a reader would be deceived.

    After the analogical translations of J. D. Pressman's RetroInstruct: subject, position, features, reference class,
    prior argument, translation, and back again.
    """
    return Pipeline(
        positions(config.positions),
        compute(draw_manner, writes=("wanted", "manner")),
        family(
            prompt(generate(words.prompt("features"), model="writer", parse=listed), writes="features"),
            verify(are_features, good=ROW, spoiled={"features": ["wires"]}),
            want=1,
            tries=config.tries,
            name="features until they pass",
        ),
        family(
            prompt(
                generate(words.prompt("reading"), model="writer", parse=labelled(*LABELS)),
                writes=("reference", "prior", "ground", "bearing"),
            ),
            compute(verdict_of, writes="faith"),
            verify(as_wanted, good=ROW, spoiled={"faith": "No"}),
            want=1,
            tries=config.tries,
            name="precedent until it passes",
        ),
        compute(write_critique, writes="critique"),
        family(
            prompt(generate(words.prompt("argument"), model="writer"), writes="argument"),
            verify(is_an_argument, good=ROW, spoiled={"argument": "Owners should not stretch wires across paths."}),
            want=1,
            tries=config.tries,
            name="argument until it passes",
        ),
        judge(
            yes_no(words.prompt("rests"), model="judge", threshold=config.sure, about="argument"),
            raises="critique",
            accepts_right=0.9,
            accepts_wrong=0.15,
            good=ROW,
            spoiled={"critique": STRANGE},
            name="critique reads it rightly",
        ),
        judge(
            yes_no(words.prompt("holds"), model="judge", threshold=config.sure, about="argument"),
            raises=("critique", "faith"),
            score="sure",
            accepts_right=0.9,
            accepts_wrong=0.15,
            good=ROW,
            spoiled={"critique": STRANGE, "faith": "No"},
            name="verdict is right",
        ),
        mix(
            "answer",
            traced=(
                config.traced,
                reverse(
                    user("{ask}"),
                    assistant("{critique}\n\nGood faith: {faith}."),
                    name="traced",
                    floor="judged",
                    ask=words.variants("ask_traced"),
                ),
            ),
            bare=(
                config.bare,
                reverse(
                    user("{ask}"), assistant("{faith}"), name="bare", floor="judged", ask=words.variants("ask_bare")
                ),
            ),
        ),
        models={"writer": config.model, "judge": config.judge or config.model},
        caps=[Cap("faith", {"Yes": 0.5, "No": 0.5})],
        keep=["subject", "position", "reference", "argument", "critique"],
        measures=["faith", "sure"],
        validation=config.validation,
    )
