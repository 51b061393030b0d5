"""Grounded questions: the answer is taken from a text, and the question is made for it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from retroweave import Config, Pipeline, also, assistant, compute, mix, recipe, reverse, user, verify
from retroweave.pipeline.layout import Variants
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.step import Step
from retroweave.recipes import questions_answers as fixing
from retroweave.recipes import questions_checks as checks
from retroweave.recipes.questions_asking import GOOD, Asking
from retroweave.recipes.questions_refusals import refusing
from retroweave.recipes.questions_rewriting import STYLES, shown_as
from retroweave.sources.texts import passages
from retroweave.text.variants import recipe_words

__all__ = ["GroundedQuestions", "grounded_questions"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")


class GroundedQuestions(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-SA-4.0, for those that do not name their own."""
    shortest: int = 300
    """The shortest passage, in characters."""
    longest: int = 1500
    """The longest passage, in characters."""
    model: str = "embedded:smollm2"
    """The model that writes the questions: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that judges them; the one that writes them if left out."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be, each time that it is asked."""
    factual: int = Field(2, ge=0, le=100)
    """How many names, dates, quotations and whole sentences of a passage are asked for, at most."""
    numeric: int = Field(1, ge=0, le=100)
    """How many of its numbers are asked for, at most."""
    why: int = Field(1, ge=0, le=100)
    """How many of the reasons that it gives are asked for, at most."""
    multi_hop: int = Field(0, ge=0, le=100)
    """How many questions take two of its sentences to answer, at most; the embedded model cannot judge these."""
    unanswerable: int = Field(0, ge=0, le=100)
    """How many questions it does not answer, at most; the embedded model cannot judge these."""
    refusals: float = Field(0.2, ge=0, le=1)
    """The largest share of samples that may say that the text does not answer, where other questions are asked too."""
    styles: str = "as-it-is"
    """The styles in which passages are shown, one drawn for each: as-it-is,easy,encyclopaedic,dialogue,technical."""
    cite: Literal["nothing", "sentence", "place"] = "nothing"
    """Whether the answer is followed by the sentence that it stands in, or by its place."""
    tries: int = Field(3, ge=1, le=20)
    """How many questions are drawn for one answer, until one passes; and how many times a passage is rewritten."""
    with_text: float = Field(1, ge=0)
    """Weight of samples that show the text and ask about it."""
    without_text: float = Field(0, ge=0)
    """Weight of samples that ask the question alone, and so teach what the texts say."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""

    @field_validator("styles", mode="before")
    @classmethod
    def _in_a_row(cls, given: Any) -> Any:
        return ",".join(map(str, given)) if isinstance(given, list | tuple) else given

    @model_validator(mode="after")
    def _asks_something(self) -> GroundedQuestions:
        for style in self.each_style:
            if style not in STYLES:
                raise ValueError(f"{style!r} is no style; there is {', '.join(STYLES)}")
        if not any((self.factual, self.numeric, self.why, self.multi_hop, self.unanswerable)):
            raise ValueError("of no type is a question asked; set factual, or another type, to 1 or more")
        return self

    @property
    def each_style(self) -> tuple[str, ...]:
        """A style that is named twice is drawn twice as often."""
        return tuple(style.strip() for style in self.styles.split(","))


EXAMPLE = {
    "texts": HERE / "example.txt",
    "license": "CC0-1.0",
    "shortest": 80,
    "longest": 320,
    "multi_hop": 1,
    "unanswerable": 1,
    "refusals": 0.5,
    "model": f"scripted:{HERE / 'example.answers.yaml'}",
}


def types(config: GroundedQuestions, ask: Variants) -> dict[str, tuple[Any, ...]]:
    """The steps of each type of question that is wanted. Those of what is not answered end in a layout of their own."""
    several = set(config.each_style) != {"as-it-is"}
    asking = Asking(words, sure=config.sure, tries=config.tries, rewritten=several)
    verbatim = (
        verify(checks.stands_once, raises="answer", strength="proved", good=GOOD, spoiled={"answer": "five miles"}),
        verify(checks.stands_once_in_what_is_shown, good=GOOD, spoiled={"answer": "five miles"}),
    )

    def fix(function: Any, **wanted: Any) -> Step:
        name = function.__name__.replace("_", " ")
        return compute(partial(function, **wanted), writes=fixing.FIELDS, many=True, name=name)

    arms: dict[str, tuple[Any, ...]] = {}
    spans = {name: getattr(config, name) for name in fixing.KINDS}
    if any(spans.values()):
        arms["spans"] = (
            fix(fixing.fix_answers, wanted=spans, whole=config.cite != "sentence"),
            *verbatim,
            asking.for_spans(),
        )
    if config.multi_hop:
        arms["multi_hop"] = (fix(fixing.fix_pairs, count=config.multi_hop), *verbatim, asking.by_two_sentences())
    if config.unanswerable:
        missing = fix(fixing.fix_missing, count=config.unanswerable)
        arms["unanswerable"] = (missing, *verbatim, *refusing(words, asking, ask, config.sure))
    return arms


def answering(config: GroundedQuestions, ask: Variants) -> tuple[Any, ...]:
    """The steps from a question and its answer to a conversation."""
    cited = config.cite != "nothing"
    citing = (
        compute(fixing.quote if config.cite == "sentence" else fixing.tell_place, writes="evidence"),
        verify(
            fixing.cites, raises="evidence", strength="proved", good=GOOD, spoiled={"evidence": "> She had four miles."}
        ),
    )
    pools = {"ask": ask, "frame": words.variants("frames")}
    if cited:
        pools["cited"] = words.variants(f"cited_{config.cite}")
    with_text = reverse(
        user("{ask}\n\n{frame}"),
        assistant("{cited}" if cited else "{answer}"),
        name="with_text",
        extractive=True,
        floor="tested",
        tools="",
        **pools,
    )
    alone = verify(
        checks.stands_alone, good={"question": "Who walked to Lund?"}, spoiled={"question": "Who walks in the text?"}
    )
    return (
        mix(
            "form",
            with_text=(config.with_text, *(citing if cited else ()), with_text),
            without_text=(
                config.without_text,
                alone,
                reverse(user("{question}"), assistant("{answer}"), name="without_text"),
            ),
        ),
    )


@recipe(example=GroundedQuestions.model_validate(EXAMPLE), presets={"all-types": {"multi_hop": 1, "unanswerable": 1}})
def grounded_questions(config: GroundedQuestions) -> Pipeline:
    """Answer questions about a text in the text's own words, and say so where it does not answer them.

    An answer is taken from a passage first (a name, a number, a date, a quotation, a reason, a whole sentence); then a
    model writes the question that it answers. They are laid out in reverse: the passage and the question, then the
    answer. Some questions take two sentences, and some are not answered at all: there the sentence that answers is
    taken out of the text, and what is trained says that the text does not tell. A model learns to find in a text what
    settles a question, to quote it, and to admit that it is not there.

    Guaranteed: each answer stands in its passage word for word, and just once, and the question does not give it away.
    Of a question for two sentences, the answer stands in one of them, and the question draws on the other. A citation
    stands in the text that is shown, with the answer in it. Where the text is said not to answer, the words of the
    answer are no longer in it. Not guaranteed: that the question is a good one. A judge accepts it where the text gives
    this answer to it, where one sentence alone does not, and where the model does not come upon the answer without the
    text; how often the judge errs is told by labels. So an answer is worth *given*, and a refusal *judged*: a judge
    read the rest of the text and found no answer in it. With `styles` a model rewrites the passage first. That is shown
    and never trained, but a citation quotes it: no number and no name in it is new, as far as figures and capitals
    tell, a judge found that it says nothing else, and the answer stands in the original too, which must give it to the
    same question. With `without_text` the passage is left out and a model learns what it says, so use that with texts
    that are true.

    After the grounded questions of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data. That the answer comes
    first, and that questions are kept where they lead back to it, is also the way of Alberti et al., "Synthetic QA
    Corpora Generation with Roundtrip Consistency" (2019); the styles are those of WRAP (Maini et al., 2024), and the
    types of questions those of Genstruct (Nous Research, 2024).
    """
    source = passages(
        config.texts,
        field=config.field,
        license=config.license,
        shortest=config.shortest,
        longest=config.longest,
        whole_lines=True,
    )
    ask = words.variants("ask" if config.cite == "nothing" else f"ask_{config.cite}")
    arms = types(config, ask)
    return Pipeline(
        replace(source, again=False),  # a second draw could take the same answer, and ask for it again
        *shown_as(config.each_style, words, sure=config.sure, tries=config.tries),
        also("types", **arms),
        *answering(config, ask),
        models={"writer": config.model, "judge": config.judge or config.model},
        caps=[Cap("refusal", {True: config.refusals})] if len(arms) > 1 else [],
        keep=["passage"],
        measures=["type", "kind", "style", "sure", "refusal"],
        validation=config.validation,
    )
