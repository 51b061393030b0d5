"""Rubrics: a question, and the yes/no items by which any answer to it can be marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from pydantic import Field

from retroweave import Config, Pipeline, assistant, compute, family, given, judge, layout, prompt, recipe, user, verify
from retroweave.judges.every import every
from retroweave.judges.rubric_text import rubric_in, well_made
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.row import digest
from retroweave.pipeline.source import Source, SourceRow
from retroweave.pipeline.step import Step
from retroweave.sources.line_lists import list_lines
from retroweave.text.generation import generate
from retroweave.text.listed import listed
from retroweave.text.variants import recipe_words

__all__ = ["Rubrics", "rubrics"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")
LICENSE = "CC0-1.0"


class Rubrics(Config):
    themes: Path | None = None
    """A .txt file of themes, one a line, which you put under CC0-1.0; our own 170 if left out."""
    model: str = "embedded:smollm2"
    """The model that writes questions and rubrics: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that tests each item; the one that writes them if left out."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be that an item can be marked, and that its mark is deserved."""
    tries: int = Field(3, ge=1, le=20)
    """How often a question, and then a rubric, is drawn until one passes."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of themes held out for validation."""


def themes(path: Path | None) -> Source:
    """One row for each theme, in the order of the file."""
    file = path or HERE / "themes.txt"
    found = list_lines(file, "themes")

    def rows() -> Iterator[SourceRow]:
        for number, theme in found:
            yield SourceRow(key=theme, fields={"theme": theme}, license=LICENSE, place=f"{file.name}, line {number}")

    def fingerprint() -> str:
        return digest(*(theme for _, theme in found)).hex()

    return given(rows, {"theme": str}, licenses=(LICENSE,), fingerprint=fingerprint, name="themes")


def draw_kind(rng: Random) -> str:
    """What kind of question is wanted: left to itself a model asks how to do things."""
    return rng.choice(words("kinds"))


def is_a_question(question: str) -> bool:
    """One line of six to eighty words, which asks for something and is no rubric itself."""
    return (
        "\n" not in question
        and 6 <= len(question.split()) <= 80
        and question.endswith(("?", ".", "!"))
        and "rubric" not in question.lower()
    )


def items_in(answer: str) -> list[str]:
    """The items in a model's answer, without the boxes."""
    return [re.sub(r"^\[[ xX]?\]\s*", "", item) for item in listed(answer)]


def write_rubric(items: list[str]) -> str:
    """The rubric as a file, which a `rubric(...)` judge reads as it stands."""
    lines = "\n".join(f"- [ ] {item}" for item in items)
    return f"---\njudges: answer\n---\n\n{lines}"


def can_be_used(rubric: str) -> bool:
    """It reads as a rubric of five to ten items, each a question with a weight, none doubled."""
    return well_made(rubric_in(rubric))


ITEMS = [
    "Does it say that the hedge must be cut back? (weight 3)",
    "Does it name a time of year? (weight 2)",
    "Does it give a way to keep some of the screen meanwhile? (weight 3)",
    "Does it say how long the recovery takes? (weight 1)",
    "Does it advise to pull the hedge out? (weight 2, wanted no)",
]
ROW = {
    "question": "My hedge is bare at the bottom. How do I get it thick without losing the screen that it gives us?",
    "items": ITEMS,
    "rubric": write_rubric(ITEMS),
}
"""A row that every check of the recipe accepts."""


def each_item(test: str, config: Rubrics, bad: str) -> Step:
    """The judge that puts one question about each item, by itself; the question that is to be marked is shown too."""
    asked = yes_no(words.prompt(test), model="judge", threshold=config.sure, about="question")
    return judge(
        every(asked, item="items"),
        raises="items",
        accepts_right=0.97**6,  # of a rubric of six items, of which each right one is accepted 97 times in 100,
        accepts_wrong=0.97**5 * 0.15,  # and one wrong one 15 times
        good=ROW,
        spoiled={"items": [bad, *ITEMS[1:]]},
        name=f"each item is {test}",
    )


EXAMPLE = {"model": f"scripted:{HERE / 'example.answers.yaml'}", "validation": 0}


@recipe(example=Rubrics.model_validate(EXAMPLE))
def rubrics(config: Rubrics) -> Pipeline:
    """Write a rubric for the answers to a question: yes/no items, with weights and the answer that is wanted.

    From a theme a model makes a question of a drawn kind, and for the question a marking scheme. What it learns is to
    break "is this a good answer?" into things that can be seen, which is the first half of judging.

    Guaranteed: each rubric is a file that `rubric(...)` reads as it stands: five to ten questions with weights from 1
    to 3, of which some want a no, and none says again what another says. Not guaranteed: that the items are those to
    mark by. A model wrote them; a judge has been asked of each whether it can be marked from an answer alone, and
    whether its mark would be deserved. That is all the evidence there is, so the floor is lowered to *judged*. Nobody
    has marked an answer by these rubrics: whether they tell good answers from bad ones is told by using them.

    After the rubrics of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data, and the weighed yes/no principles
    of his MiniHF, which are what its evaluator is asked.
    """
    return Pipeline(
        themes(config.themes),
        compute(draw_kind, writes="kind"),
        family(
            prompt(generate(words.prompt("question"), model="writer"), writes="question"),
            verify(is_a_question, good=ROW, spoiled={"question": "Hedges"}),
            want=1,
            tries=config.tries,
            name="question until it passes",
        ),
        family(
            prompt(generate(words.prompt("rubric"), model="writer", parse=items_in), writes="items"),
            compute(write_rubric, writes="rubric"),
            verify(can_be_used, good=ROW, spoiled={"rubric": write_rubric([*ITEMS, ITEMS[0]])}),
            each_item("checkable", config, "Is it good? (weight 3)"),
            each_item("deserved", config, "Does it tell the colour of the writer's shoes? (weight 3)"),
            want=1,
            tries=config.tries,
            name="rubric until it passes",
        ),
        layout(user("{ask}"), assistant("{rubric}"), name="rubric", floor="judged", ask=words.variants("ask")),
        models={"writer": config.model, "judge": config.judge or config.model},
        keep=["theme", "question", "items"],
        measures=["kind"],
        validation=config.validation,
    )
