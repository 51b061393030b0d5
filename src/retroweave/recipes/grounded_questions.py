"""Grounded questions: the answer is taken from a text, and the question is made for it."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
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
    judge,
    mix,
    prompt,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.model import Model
from retroweave.pipeline.step import Resource
from retroweave.pipeline.verdict import Score
from retroweave.sources.texts import passages
from retroweave.text.generation import generate
from retroweave.text.likeness import overlap
from retroweave.text.spans import Span, candidates, sentences
from retroweave.text.variants import recipe_words

__all__ = ["GroundedQuestions", "grounded_questions"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")


class GroundedQuestions(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet or .csv to ask about; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 300
    """The shortest passage, in characters."""
    longest: int = 1500
    """The longest passage, in characters."""
    model: str = "embedded:smollm2"
    """The model that writes the questions: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that judges them; the one that writes them if left out."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be that the text gives this answer to this question."""
    answers: int = Field(4, ge=1, le=100)
    """How many answers are taken from one passage, at most; each is asked for once."""
    tries: int = Field(3, ge=1, le=20)
    """How many questions are drawn for one answer, until one passes."""
    with_text: float = Field(1, ge=0)
    """Weight of samples that show the text and ask about it."""
    without_text: float = Field(0, ge=0)
    """Weight of samples that ask the question alone, and so teach what the texts say."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""


def fix_answers(passage: str, config: Resource[GroundedQuestions], rng: Random) -> list[tuple[str, str, str]]:
    """Fix the answers first: spans of the passage, of as many kinds as there are, each with the sentences around it."""
    kinds: dict[str, list[Span]] = {}
    for span in candidates(passage):
        kinds.setdefault(span.kind, []).append(span)
    if not kinds:
        raise Drop("nothing in the passage could be asked for")
    for spans in kinds.values():
        rng.shuffle(spans)
    in_turn = zip_longest(*(kinds[kind] for kind in rng.sample(sorted(kinds), len(kinds))))
    chosen = [span for spans in in_turn for span in spans if span is not None][: config.answers]
    return [(passage[span.start : span.end], span.kind, around(passage, span)) for span in chosen]


def around(passage: str, span: Span) -> str:
    """The sentence in which the span stands, with the one before and the one after if they are of its paragraph."""
    begin = passage.rfind("\n\n", 0, span.start) + 1
    end = passage.find("\n\n", span.end)
    paragraph = passage[begin : end if end >= 0 else len(passage)]
    bounds = list(sentences(paragraph))
    place = next(place for place, (_, stop) in enumerate(bounds) if span.start - begin < stop)
    near = bounds[max(0, place - 1) : place + 2]
    return paragraph[near[0][0] : max(near[-1][1], span.end - begin)]


def stands_once(passage: str, answer: str) -> bool:
    """The answer stands in the passage, word for word, and in one place."""
    return passage.count(answer) == 1


def is_a_question(question: str, answer: str) -> bool:
    """One line that ends in a question mark, of four to thirty words, which does not hold the answer."""
    return (
        question.endswith("?")
        and question.count("?") == 1
        and 4 <= len(question.split()) <= 30
        and answer.lower() not in question.lower()
        and overlap(answer, question) < 0.6
    )


def stands_alone(question: str) -> bool:
    """The question can be understood without its text: it does not speak of one."""
    spoken = question.lower()
    return not any(word in spoken for word in ("passage", "the text", "the author", "the writer", "the story"))


async def not_known_without(question: str, answer: str, judge: Model) -> Score:
    """Asked without the passage, the model does not come upon the answer."""
    guessed = await generate(GUESS, model="judge")(question=question, judge=judge)
    likeness = overlap(answer, guessed)
    return Score(1 - likeness, likeness < 0.5, {"guess": guessed}, "it is known without the passage")


GUESS = words.prompt("guess")
PASSAGE = (
    "Marta had meant to take the tram. It did not come, for the wires were iced, so she walked the four miles to Lund."
)
GOOD = {"passage": PASSAGE, "context": PASSAGE, "question": "How far did Marta walk to Lund?", "answer": "four miles"}


EXAMPLE = {
    "texts": HERE / "example.txt",
    "license": "CC0-1.0",
    "shortest": 80,
    "longest": 250,
    "model": f"scripted:{HERE / 'example.answers.yaml'}",
}


@recipe(example=GroundedQuestions.model_validate(EXAMPLE))
def grounded_questions(config: GroundedQuestions) -> Pipeline:
    """Answer questions about a text in the text's own words.

    An answer is taken from a passage first (a name, a number, a date, a quotation, a reason, a whole sentence); then a
    model writes the question that it answers. They are laid out in reverse: the passage and the question, then the
    answer. A model learns to find in a text what settles a question, and to quote it.

    Guaranteed: each answer stands in its passage word for word, and just once; the question does not give it away. Not
    guaranteed: that the question is a good one. A judge accepts it where the passage gives this answer to it, and where
    the model does not come upon the answer without the passage; how often the judge errs is told by labels. With
    `without_text` the passage is left out and a model learns what it says, so use that with texts that are true.

    After the grounded questions of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data. That the answer comes
    first, and that questions are kept where they lead back to it, is also the way of Alberti et al., "Synthetic QA
    Corpora Generation with Roundtrip Consistency" (2019).
    """
    source = passages(
        config.texts,
        field=config.field,
        license=config.license,
        shortest=config.shortest,
        longest=config.longest,
        whole_lines=True,
    )
    return Pipeline(
        replace(source, again=False),  # a second draw could take the same answer, and ask for it again
        compute(fix_answers, writes=("answer", "kind", "context"), many=True),
        verify(stands_once, raises="answer", strength="proved", good=GOOD, spoiled={"answer": "five miles"}),
        family(
            prompt(generate(words.prompt("question"), model="writer"), writes="question"),
            verify(is_a_question, good=GOOD, spoiled={"question": "How did Marta walk the four miles to Lund?"}),
            judge(
                yes_no([words.prompt("answerable"), words.prompt("fits")], model="judge", threshold=config.sure),
                raises="question",
                score="sure",
                good=GOOD,
                spoiled={"question": "What colour was the door of the church?"},
                name="answerable",
            ),
            judge(
                not_known_without,
                good={"question": "Which word had Marta scratched into the lid of the tea tin?", "answer": "Paris"},
                spoiled={"question": "What is the capital of France?"},
            ),
            want=1,
            tries=config.tries,
            name="question until it passes",
        ),
        mix(
            "form",
            with_text=(
                config.with_text,
                reverse(
                    user("{ask}\n\n{frame}"),
                    assistant("{answer}"),
                    name="with_text",
                    extractive=True,
                    ask=words.variants("ask"),
                    frame=words.variants("frames"),
                ),
            ),
            without_text=(
                config.without_text,
                verify(
                    stands_alone,
                    good={"question": "Who walked to Lund?"},
                    spoiled={"question": "Who walks in the text?"},
                ),
                reverse(user("{question}"), assistant("{answer}"), name="without_text"),
            ),
        ),
        resources={"config": config},
        models={"writer": config.model, "judge": config.judge or config.model},
        keep=["passage"],
        measures=["kind", "sure"],
        validation=config.validation,
    )
