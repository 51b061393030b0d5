"""Yes or no: questions whose answer a program knows, to boot a model that judges. No model, no key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Self

from pydantic import Field, model_validator

from retroweave import About, Config, Pipeline, assistant, compute, mix, recipe, reverse, user, verify
from retroweave.pipeline.layout import Layout, Variants
from retroweave.pipeline.step import Resource
from retroweave.sources.texts import passages
from retroweave.text.variants import recipe_words
from retroweave.verifiers.questions.again import answered_again
from retroweave.verifiers.questions.asking import askable, draw_pairs, phrasings, put, reason, reasons_for
from retroweave.verifiers.questions.family import Claim

__all__ = ["YesNo", "yes_no"]

words = recipe_words(__file__)
ANSWERS = {True: "Yes.", False: "No."}


class YesNo(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 300
    """The shortest passage, in characters; what is shown is a stretch of one."""
    longest: int = 1500
    """The longest passage, in characters."""
    families: str | None = None
    """Families of questions, with commas between them, or `all`; if left out, all but those of rhyme and syllables."""
    questions: int = Field(1, ge=1, le=20)
    """How many families are asked about a passage at a time; each gives a question with yes and one with no."""
    bare: float = Field(2, ge=0)
    """Weight of answers that are one word."""
    reasoned: float = Field(1, ge=0)
    """Weight of answers with the reason in a short sentence."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if not (self.bare or self.reasoned):
            raise ValueError("one of the weights bare and reasoned must be above 0")
        return self


Drawn = tuple[str, str, dict[str, Any], dict[str, Any], str, int]


def draw_questions(
    passage: str, config: Resource[YesNo], families: Resource[list[str]], rng: Random
) -> Iterator[Drawn]:
    """Fix the answers first: for each family a yes and a no about stretches of the passage, to be asked alike."""
    for family, *pair in draw_pairs(passage, families, config.questions, rng):
        phrasing = rng.randrange(len(phrasings(family.name)))
        for text, claim in pair:
            answer = ANSWERS[claim.answer]
            yield text, family.name, dict(claim.values), dict(claim.found), answer, phrasing


def ask_it(family: str, values: dict[str, Any], phrasing: int) -> str:
    """The question to which that is the answer."""
    return put(phrasings(family)[phrasing], values)


def give_reason(family: str, values: dict[str, Any], found: dict[str, Any], answer: str, rng: Random) -> str:
    """What the program knows besides, in a short sentence."""
    return reason(family, Claim(answer == "Yes.", values, found), rng)


def found_again(
    text: About[str], question: About[str], family: About[str], values: About[dict[str, Any]], answer: str
) -> bool:
    """A second program, which shares nothing with the first, gives the same answer to what the question says."""
    again = answered_again(family, text, values, {})
    asks = question in [put(phrasing, values) for phrasing in phrasings(family)]
    return asks and again is not None and answer == ANSWERS[again]


def reason_holds(
    text: About[str],
    family: About[str],
    values: About[dict[str, Any]],
    found: About[dict[str, Any]],
    answer: str,
    reason: str,
) -> bool:
    """What the reason names is so, by the second program, and the reason names that and no more."""
    claim = Claim(answer == "Yes.", values, found)
    return answered_again(family, text, values, found) is claim.answer and reason in reasons_for(family, claim)


GOOD: dict[str, Any] = {
    "text": "A heron stood in the reeds. Nobody had seen it come.",
    "question": "Are there exactly three sentences in the text?",
    "family": "sentence_count",
    "values": {"number": 3},
    "found": {"found": 2},
    "answer": "No.",
    "reason": "I count two.",
}


def answered(form: str, answer: str) -> Layout:
    """Text and question in every frame, with every way to say how the answer is to look."""
    frames = [frame.replace("{ask}", ask) for frame in words("frames") for ask in words(f"ask_{form}")]
    return reverse(user("{frame}"), assistant(answer), name=form, frame=Variants.of("frame", frames))


@recipe
def yes_no(config: YesNo) -> Pipeline:
    """Answer yes or no to questions about a text, of which a program knows the answer.

    Some eighty families of questions: counts, presence, order, the shape of sentences, letters, numbers and years,
    small words and their classes, punctuation, who speaks, rhyme. For each passage a family gives two questions, one
    for each answer, in the same words; what is wrong is nearly right: one more, one less, the word of the neighbouring
    sentence, a word inside a word. A model learns to look before it says yes, which is what a judge must do.

    Guaranteed: each answer, and each reason, was found twice, by programs that share no code; where there are two ways
    of counting or reading that differ, nothing is asked. Yes and no are equally frequent, in all, in each family and in
    each phrasing. Not guaranteed: that such questions are those that your judge will be asked. They are about what
    stands in a text and not about what it is worth. The families of rhyme and syllables need `retroweave[prosody]`, and
    are asked only where they are named, or with `--families all`: what is installed does not change what is made.

    After the evaluator of J. D. Pressman's MiniHF and RetroInstruct, which is asked yes/no questions and read by its
    log-odds. A model that has learnt to answer what can be known may be asked what can only be judged.
    """
    chosen = config.families.replace(" ", "").split(",") if config.families is not None else ()
    source = passages(
        config.texts, field=config.field, license=config.license, shortest=config.shortest, longest=config.longest
    )
    return Pipeline(
        source,
        compute(draw_questions, writes=("text", "family", "values", "found", "answer", "phrasing"), many=True),
        compute(ask_it, writes="question"),
        compute(give_reason, writes="reason"),
        verify(found_again, raises="answer", strength="proved", good=GOOD, spoiled={"answer": "Yes."}),
        verify(reason_holds, raises="reason", strength="proved", good=GOOD, spoiled={"reason": "I count four."}),
        mix(
            "form",
            bare=(config.bare, answered("bare", "{answer}")),
            reasoned=(config.reasoned, answered("reasoned", "{answer} {reason}")),
        ),
        resources={"config": config, "families": askable(chosen)},
        keep=["text", "question", "family", "values"],
        measures=["family", "answer"],
        validation=config.validation,
    )
