"""Summary: a text's central sentences, and the text that they came from."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Self

from pydantic import Field, model_validator

from retroweave import Config, Drop, Pipeline, assistant, compute, mix, recipe, reverse, user, verify
from retroweave.pipeline.step import Resource
from retroweave.recipes.summary_lengths import (
    Asked,
    as_long_as_asked,
    count_words,
    has_the_length,
    more,
    no_longer_than,
    room,
    shorter,
)
from retroweave.sources.texts import passages
from retroweave.text.extracts import extract, prose_share, sentences_of
from retroweave.text.variants import recipe_words

__all__ = ["Summary", "summary"]

words = recipe_words(__file__)

PROSE = 0.6
"""The least share of a text's words that must stand in sentences which can stand by themselves."""


class Summary(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 500
    """The shortest passage, in characters."""
    longest: int = 3000
    """The longest passage, in characters."""
    shorten: float = Field(2, ge=0)
    """Weight of samples that go from the text to its central sentences."""
    expand: float = Field(1, ge=0)
    """Weight of samples that go from the central sentences to the text."""
    lists: float = Field(0.25, ge=0, le=1)
    """The share of summaries that are asked for as a list."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if not (self.shorten or self.expand):
            raise ValueError("one of the weights shorten and expand must be above 0")
        return self


def trim(passage: str) -> str:
    """The passage without the line end behind it. Raises `Drop` where it is no running prose."""
    if prose_share(passage) < PROSE:
        raise Drop("it is no running prose")
    return passage.strip()


def is_trimmed(text: str, passage: str) -> bool:
    """Nothing is missing but white space at the ends."""
    return text == passage.strip()


def ask_for_less(text: str, config: Resource[Summary], rng: Random) -> tuple[Asked, str]:
    """Choose a length to ask for: a number of sentences, a number of words, or a share of the text."""
    return shorter(text, config.lists, rng)


def take_sentences(text: str, asked: Asked) -> str:
    """The central sentences, as many as were asked for, in the order of the text."""
    chosen = [sentence.text for sentence in extract(text, room(asked, text))]
    if not chosen:
        raise Drop("no sentence of it can stand alone and is short enough")
    return "\n".join(f"- {sentence}" for sentence in chosen) if asked["form"] == "list" else " ".join(chosen)


def is_an_extract(summary: str, text: str) -> bool:
    """Whole sentences of the text, word for word and in its order."""
    return bool(sentences_of(summary, text))


def take_some(text: str, rng: Random) -> str:
    """The central sentences, a tenth to a third of the text, and two of them or more."""
    for most in (rng.uniform(0.1, 1 / 3) * len(text.split()), len(text.split()) / 3):
        chosen = extract(text, no_longer_than(most))
        if len(chosen) > 1:
            return " ".join(sentence.text for sentence in chosen)
    raise Drop("no two sentences of it can stand alone and are short enough")


def measure(text: str, summary: str, asked: Asked) -> tuple[str, float]:
    """What length was asked for, and what share of the text's words the summary has."""
    return asked["kind"], round(count_words(summary) / len(text.split()), 3)


PASSAGE = "The mole was begun in 1592. It took twelve years. Nobody liked the mole. The money ran out in 1604."
SHORT = {
    "text": PASSAGE,
    "summary": "The mole was begun in 1592. Nobody liked the mole.",
    "asked": {"kind": "sentences", "number": 2, "form": "prose"},
}


@recipe
def summary(config: Summary) -> Pipeline:
    """Shorten a text to its central sentences, and write a text out around them.

    TextRank, an ordinary program, ranks the sentences of a passage by what they share with the others; those that say
    the same again, hang on another or are out of size count for less, and the first for more. One way, the user brings
    the passage and a length (three sentences, at most 60 words, a third) and the answer is the central sentences in
    their order. The other way, the user brings those sentences and a length, and the answer is the passage. A model
    learns to tell what a text keeps coming back to, to quote it exactly and to keep to a length; and, the other way, to
    write prose as people wrote it with given sentences in it.

    Guaranteed: a summary is whole sentences of its text, word for word and in order, and as long as was asked; a text
    that is written out holds all the sentences that were brought, is as its author wrote it, and has the length asked
    for. Not guaranteed: that these are the sentences that a person would choose. A program that counts words in common
    misses what a text says but once. Nothing is put in other words, so that a model does not learn to paraphrase; and
    what is written out says things that the sentences do not: use that direction where invention is wanted.

    After the back-translated summaries of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data. The algorithm is
    that of Mihalcea and Tarau, "TextRank: Bringing Order into Texts" (2004).
    """
    return Pipeline(
        passages(
            config.texts,
            field=config.field,
            license=config.license,
            shortest=config.shortest,
            longest=config.longest,
        ),
        compute(trim, writes="text"),
        verify(
            is_trimmed,
            raises="text",
            strength="proved",
            good={"passage": f"{PASSAGE}\n", "text": PASSAGE},
            spoiled={"text": PASSAGE[:-1]},
        ),
        mix(
            "direction",
            shorten=(
                config.shorten,
                compute(ask_for_less, writes=("asked", "request")),
                compute(take_sentences, writes="summary"),
                verify(
                    is_an_extract,
                    raises="summary",
                    strength="proved",
                    good=SHORT,
                    spoiled={"summary": "The mole was begun in 1592. Nobody liked it."},
                ),
                verify(as_long_as_asked, good=SHORT, spoiled={"summary": "Nobody liked the mole."}),
                compute(measure, writes=("asked_by", "share")),
                reverse(
                    user("{frame}"),
                    assistant("{summary}"),
                    name="shorten",
                    extractive=True,
                    frame=words.variants("frames"),
                ),
            ),
            expand=(
                config.expand,
                compute(more, writes=("asked", "request")),
                verify(
                    has_the_length,
                    good={"text": PASSAGE, "asked": {"kind": "words", "number": 20}},
                    spoiled={"asked": {"kind": "words", "number": 40}},
                ),
                compute(take_some, writes="summary"),
                verify(
                    is_an_extract,
                    raises="summary",
                    strength="proved",
                    good=SHORT,
                    spoiled={"summary": "The money ran out in 1604. Nobody liked the mole."},
                    name="holds_the_sentences",
                ),
                compute(measure, writes=("asked_by", "share")),
                reverse(
                    user("{frame}"),
                    assistant("{text}"),
                    name="expand",
                    frame=words.variants("frames_expand"),
                ),
            ),
        ),
        resources={"config": config},
        measures=["asked_by", "share"],
        validation=config.validation,
    )
