"""Style transfer: a passage in a style, made plain, so that a model can learn to give the style back."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from pydantic import Field

from retroweave import Config, Drop, Pipeline, compute, family, judge, mix, prompt, recipe, reverse, user, verify
from retroweave.judges.classifier import similarity
from retroweave.judges.programs import reading_ease
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.layout import Layout, assistant
from retroweave.pipeline.step import Resource, Side, Step
from retroweave.sources.companions import Companions
from retroweave.sources.texts import passages
from retroweave.sources.trimmed import trimmed
from retroweave.text.generation import generate
from retroweave.text.likeness import overlap
from retroweave.text.plainness import about_as_long, in_other_words, same_numbers
from retroweave.text.variants import recipe_words

__all__ = ["StyleTransfer", "style_transfer"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")
PLAIN_ENGLISH = 70
"""The reading ease of plain English, by Flesch's own table; who writes so already need not be made plainer."""


class StyleTransfer(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 300
    """The shortest passage, in characters."""
    longest: int = 900
    """The longest passage, in characters; shorter ones leave more of a text to lend as an example of its style."""
    model: str = "embedded:smollm2"
    """The model that writes plain versions and descriptions: openai:NAME@URL, embedded:NAME, or a name of yours."""
    judge: str | None = None
    """The model that compares the facts. If left out nobody is asked, and the embedder measures how near they are."""
    embedder: str = "embedded:sentences"
    """The embedding model that measures whether both say the same, where no judge is named."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be."""
    tries: int = Field(3, ge=1, le=20)
    """How often a plain version, and then a description, is drawn until one passes."""
    described: float = Field(1, ge=0)
    """Weight of samples that describe the style."""
    shown: float = Field(1, ge=0)
    """Weight of samples that show another passage of the same text."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""


def plainer(plain: str, passage: str) -> bool:
    """It is easier to read than the passage, or plain English anyway."""
    return reading_ease(plain) >= min(reading_ease(passage), PLAIN_ENGLISH)


def of_manner(style: str, passage: str) -> bool:
    """Eight to sixty words on how it is written: no name of the passage, and little of what it is about."""
    names = set(re.findall(r"(?<=[a-z,;] )[A-Z]\w+", passage))
    return (
        "\n" not in style
        and 8 <= len(style.split()) <= 60
        and not any(re.search(rf"\b{name}\b", style) for name in names)
        and overlap(style, passage) < 0.4
        and not style.lower().startswith(("the passage", "the style", "this passage"))
    )


def find_example(passage: str, companions: Resource[Companions], side: Side, rng: Random) -> str:
    """Another passage of the same text, from the passage's own side of the split."""
    found = companions.beside(passage, side)
    if not found:
        raise Drop("its text has no other passage on its side of the split")
    return rng.choice(found)


PASSAGE = (
    "The tram, Marta had been given to understand, would come. It did not come; it lay at the depot in a beard of ice, "
    "being admired. So she set out upon those honest feet which her mother had always said would be the making of her, "
    "and in 1903 it was still four miles to Lund."
)
PLAIN = (
    "Marta had been told that there would be a tram. There was none. It was at the depot, covered with ice, and people "
    "looked at it. This was in 1903. She went to Lund on foot, which was four miles. Her mother had always said that "
    "her feet would be good for her future."
)
STYLE = "A narrator with a straight face, in long sentences that stroll along and end in a small joke at nobody's cost."
HARD = (
    "Notwithstanding considerable meteorological adversity, in consequence of which municipal transportation remained "
    "unavailable, Marta accomplished the perambulation to Lund, approximately four miles, unaccompanied, in 1903."
)
ROW = {"passage": PASSAGE, "plain": PLAIN, "style": STYLE}
"""A row that every check of the recipe accepts."""


def says_the_same(config: StyleTransfer) -> Step:
    """The judge of the plain version: a model compares the facts, or an embedder measures how near the two are."""
    same = yes_no(words.prompt("same"), model="judge", threshold=config.sure)
    return judge(
        same if config.judge else similarity("plain", "passage", embed="embedder", least=0.6),
        raises="plain",
        score="sure",
        accepts_right=0.9,
        accepts_wrong=0.15 if config.judge else 0.9,  # an embedder knows what it is about, and not who did what
        good=ROW,
        spoiled={
            "plain": "Marta rode to Lund in the tram, and a parrot on her shoulder said grace in Latin all the way."
        },
        name="says the same",
    )


def suits(config: StyleTransfer) -> list[Step]:
    """The judge of the description, where one is named: an embedder knows nothing of style."""
    if config.judge is None:
        return []
    step = judge(
        yes_no(words.prompt("suits"), model="judge", threshold=config.sure),
        raises="style",
        accepts_right=0.9,
        accepts_wrong=0.15,
        good=ROW,
        spoiled={"style": "A manual, in numbered commands of three words each, with no adjective at all."},
        name="suits",
    )
    return [step]


def asked(form: str) -> Layout:
    return reverse(user("{ask}"), assistant("{passage}"), name=form, ask=words.variants(form))


SCRIPT = f"scripted:{HERE / 'example.answers.yaml'}"
EXAMPLE = {
    "texts": HERE / "example.jsonl",
    "license": "CC0-1.0",
    "shortest": 200,
    "longest": 420,
    "model": SCRIPT,
    "judge": SCRIPT,
    "validation": 0,
}


@recipe(example=StyleTransfer.model_validate(EXAMPLE))
def style_transfer(config: StyleTransfer) -> Pipeline:
    """Write in a given style: from the plain facts, and a description or a sample of the style, to the passage.

    A passage is given, as somebody wrote it. A model says the same in plain words. In reverse the plain version is what
    the user brings, with a note on the style or another passage of the same text, and the answer is the passage. A
    model learns to write like somebody, from how that somebody really wrote.

    Guaranteed: the answer is the source's, word for word; the example is another passage of the same text, from the
    same side of the split. The plain version is about as long, no harder to read, has the same numbers, and takes less
    than a third of its four-word runs from the passage. Not guaranteed: that it says all that the passage says, which a
    judge tells (or, with none named, an embedder guesses), nor that the note on the style fits, which is judged only
    where a judge is named. A model wrote both, and neither is trained. What the plain version leaves out, the answer
    makes up: a model that learns from careless plain versions learns to invent.

    After the style transfer of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data: what is hard to write well
    is given, and what is easy to write is derived from it.
    """
    texts = passages(
        config.texts, field=config.field, license=config.license, shortest=config.shortest, longest=config.longest
    )
    source = trimmed(texts, "passage")
    return Pipeline(
        source,
        family(
            prompt(generate(words.prompt("plain"), model="writer"), writes="plain"),
            verify(about_as_long, good=ROW, spoiled={"plain": "Marta walked to Lund."}),
            verify(plainer, good=ROW, spoiled={"plain": HARD}),
            verify(in_other_words, good=ROW, spoiled={"plain": PASSAGE}),
            verify(same_numbers, good=ROW, spoiled={"plain": PLAIN.replace("1903", "1930")}),
            says_the_same(config),
            want=1,
            tries=config.tries,
            name="plain until it passes",
        ),
        mix(
            "hint",
            described=(
                config.described,
                family(
                    prompt(generate(words.prompt("describe"), model="writer"), writes="style"),
                    verify(of_manner, good=ROW, spoiled={"style": "The story of Marta, who walks to Lund in the ice."}),
                    *suits(config),
                    want=1,
                    tries=config.tries,
                    name="style until it passes",
                ),
                asked("described"),
            ),
            shown=(config.shown, compute(find_example, writes="example"), asked("shown")),
        ),
        resources={"companions": Companions(source, "passage", config.validation)},
        models={"writer": config.model} | ({"judge": config.judge} if config.judge else {"embedder": config.embedder}),
        keep=["plain"],
        measures=["sure"],
        validation=config.validation,
    )
