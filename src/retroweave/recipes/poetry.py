"""Poetry: a good poem, and the two requests that a worse one on another subject leads up to it by."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
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
    corrupt,
    family,
    judge,
    mix,
    prompt,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.corruptions.verse import Worse, lame
from retroweave.judges.nearest import nearest
from retroweave.judges.prosody import measure_of, prosody, worse
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.pipeline import Node
from retroweave.pipeline.step import Step
from retroweave.sources.poems import poems
from retroweave.text.generation import generate
from retroweave.text.likeness import overlap
from retroweave.text.variants import recipe_words
from retroweave.text.verse import as_long, copies_little, verse_in

__all__ = ["Poetry", "poetry"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")


class Poetry(Config):
    poems: Path | None = None
    """A .txt or .jsonl file of poems with their themes, or a folder of such; the built-in poems if left out."""
    license: str | None = None
    """The SPDX licence of your poems, such as CC-BY-4.0, for those that do not name their own."""
    model: str = "embedded:smollm2"
    """The model that writes the worse poems: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that is asked what a poem is about. If left out nobody is asked, and the embedder measures it."""
    embedder: str = "embedded:sentences"
    """The embedding model that tells which theme a poem is nearest to, where no judge is named."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be that a poem is about its theme."""
    gap: float = Field(0.1, gt=0, le=1)
    """By how much, from 0 to 1, a worse poem must keep the form less well than the good one."""
    tries: int = Field(4, ge=1, le=20)
    """How often each of the two worse poems is drawn, until one passes."""
    middle: Literal["untrained", "judged"] = "untrained"
    """The assistant's first answer, which a model wrote: not trained, or trained where a judge finds it obedient."""
    listen: bool = False
    """Whether a model also listens to what the user brings, and must hear that it keeps neither rhyme nor beat."""
    moved: float = Field(1, ge=0)
    """Weight of conversations in which the user brings a worse poem on another theme."""
    mended: float = Field(0, ge=0)
    """Weight of those in which the user brings the poem itself, with its form spoilt by a program; asks no model."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of poems held out for validation."""


def promise(form: str, measure: str) -> str:
    """What the poem's form promises: its own measure, or that of its form's name."""
    return measure or measure_of(form)


def another_theme(poem: str, theme: str, rng: Random) -> str:
    """A theme that the poem has nothing to do with: none of the theme's words stands in it."""
    far = [one for one in words("subjects") if overlap(one, poem) == 0 and overlap(one, theme) == 0]
    if not far:
        raise Drop("the poem touches on every theme that there is")
    return rng.choice(far)


GOOD = """They gave me Harry's Sunday coat
and turnips for a head.
The crows come down to pass the time.
They talk to me of bread."""
WORSE = """I am a scarecrow who is standing in the field all by myself,
I have on an old coat that belonged to Harry,
and the crows come down and sit close to me sometimes.
I often wonder what it is they are talking about."""
MOVED = """I am a diver who is standing on the bottom of the sea all alone,
I have on a heavy helmet that is made of copper,
and the fishes swim up and look in through the glass sometimes.
I often wonder what they think I am."""
ROW = {
    "poem": GOOD,
    "theme": "a scarecrow",
    "promised": measure_of("ballad"),
    "weaker": WORSE,
    "bad": MOVED,
    "other": "a diver on the sea bed",
    "lame": WORSE,
}
"""A row that every check of the recipe accepts."""


def has_theme(field: str, config: Poetry, *, raises: bool = True) -> Step:
    """The judge of whether the poem in `field` is about its theme: a model is asked twice, or an embedder measures."""
    about, rival = ("other", "theme") if field == "bad" else ("theme", "other")
    asked = config.judge is not None
    subject = yes_no([words.prompt("subject"), words.prompt("about")], model="judge", threshold=config.sure)
    return judge(
        subject if asked else nearest(words("subjects")),
        reads={"text": field, "theme": about} if asked else {"text": field, "theme": about, "rival": rival},
        raises=field if raises else (),
        accepts_right=0.9 if asked else 0.7,
        accepts_wrong=0.15 if asked else 0.2,
        good=ROW,
        spoiled={field: "The tide went out and left a chair.\nA gull sat down on it to think."},
        name=f"{field} has its theme",
    )


def less_in_form(field: str, than: str, by: float) -> Step:
    return verify(
        worse(by),
        reads={"verse": field, "than": than, "measure": "promised"},
        good=ROW,
        spoiled={field: GOOD},
        name=f"{field} is worse than {than}",
    )


def length_of(field: str, of: str) -> Step:
    reads = {"verse": field, "poem": of}
    return verify(as_long, reads=reads, good=ROW, spoiled={field: "One line."}, name=f"{field} is as long as {of}")


def moved(config: Poetry) -> tuple[Node, ...]:
    """From the poem a weaker one on its theme, from that a bad one on another; then backwards."""
    trained = config.middle == "judged"
    heard = judge(
        yes_no(words.prompt("rhymes"), model="judge", wanted="no"),
        reads={"text": "bad"},
        good=ROW,
        spoiled={"bad": GOOD},
        name="bad sounds bad",
    )
    obeyed = judge(
        yes_no(words.prompt("obeyed"), model="judge", threshold=config.sure, about=("bad", "other")),
        reads={"text": "weaker"},
        raises="weaker",
        accepts_right=0.9,
        accepts_wrong=0.15,
        good=ROW,
        spoiled={"weaker": MOVED},
        name="weaker is what was asked for",
    )
    return (
        compute(another_theme, writes="other"),
        has_theme("poem", config, raises=False),
        family(
            prompt(generate(words.prompt("weaken"), model="writer", parse=verse_in), writes="weaker"),
            length_of("weaker", "poem"),
            verify(copies_little, reads={"verse": "weaker"}, good=ROW, spoiled={"weaker": GOOD}),
            less_in_form("weaker", "poem", config.gap),
            has_theme("weaker", config),
            want=1,
            tries=config.tries,
            name="weaker until it passes",
        ),
        family(
            prompt(generate(words.prompt("move"), model="writer", parse=verse_in), writes="bad"),
            length_of("bad", "weaker"),
            less_in_form("bad", "poem", config.gap),
            less_in_form("bad", "weaker", -0.05),
            has_theme("bad", config),
            *([heard] if config.listen else []),
            want=1,
            tries=config.tries,
            name="bad until it passes",
        ),
        *([obeyed] if trained else []),
        reverse(
            user("{ask}"),
            assistant("{answer}", train=trained),  # a model's words: trained only where a judge has raised them
            user("{better}"),
            assistant("{finish}"),
            name="moved",
            floor="judged" if trained else "tested",
            ask=words.variants("ask"),
            answer=words.variants("moved"),
            better=words.variants("better"),
            finish=words.variants("finished"),
        ),
    )


@lru_cache(1)
def written() -> dict[str, list[Worse]]:
    """The worse lines that we wrote for lines of the built-in poems."""
    found: dict[str, list[Worse]] = {}
    for line in "\n".join(words("worse_lines")).split("\n"):
        better, way, worse_line = line.split(" | ")
        found.setdefault(better, []).append(Worse(way, worse_line))
    return found


def spoil(poem: str, promised: str, rng: Random) -> tuple[str, list[str]]:
    """Take the form from a third of its lines or more, in several ways, and leave their words."""
    return lame(poem, promised, rng)


def spoil_lines(poem: str, promised: str, rng: Random) -> tuple[str, list[str]]:
    """The same, and put a duller line in the place of one at least."""
    if not any(line.strip() in written() for line in poem.split("\n")):
        raise Drop("nobody has written a duller line for any of its own")
    while True:
        spoilt, ways = lame(poem, promised, rng, written())
        if REPLACED & set(ways):
            return spoilt, ways


REPLACED = frozenset({"reworded", "cliche"})
"""The ways in which a line is lost, so that to mend it is to write another."""


def mended(config: Poetry) -> tuple[Node, ...]:
    """The poem itself, with its form spoilt by a program, and what is asked for is what was done to it.

    Only lines of the built-in poems have duller ones that were written for them.
    """
    lines = 0 if config.poems else 1.5
    return (
        mix(
            "spoilt",
            form=(1, *mending("mend", spoil, config.gap)),
            lines=(lines, *mending("renew", spoil_lines, config.gap)),
        ),
    )


Spoiling = Callable[[str, str, Random], tuple[str, list[str]]]


def mending(ask: str, spoiling: Spoiling, gap: float) -> tuple[Node, ...]:
    """Spoilt in this way, and asked for and given back in the words of the pools `mend` and `mended`, or others."""
    answer = f"{ask}ed"
    return (
        corrupt(spoiling, into="lame", log="ways"),
        less_in_form("lame", "poem", gap),
        reverse(
            user("{mend}"),
            assistant("{mended}"),
            name=answer,
            mend=words.variants(ask),
            mended=words.variants(answer),
        ),
    )


SCRIPT = f"scripted:{HERE / 'example.answers.yaml'}"
EXAMPLE = {"poems": HERE / "example.txt", "license": "CC0-1.0", "model": SCRIPT, "judge": SCRIPT}


@recipe(
    example=Poetry.model_validate(EXAMPLE),
    presets={"no-model": {"moved": 0, "mended": 1}},
)
def poetry(config: Poetry) -> Pipeline:
    """Make a poem of a bad one: change its theme when asked to, then write it properly.

    It begins with a good poem and goes downhill. A model writes a weaker version on the same theme, then moves that to
    another theme, worse still. In reverse the user brings the bad poem on the wrong theme and asks for the right one;
    the assistant answers with the weaker version; the user asks for it to be better; the assistant gives the good poem.
    So each request is obeyed, and the last answer is as good as the poems that it began with.

    Guaranteed: the last answer is a given poem, which keeps its form by a pronouncing dictionary; the poem that the
    user brings keeps it measurably less well, and so does the assistant's first answer. Not guaranteed: that each poem
    is about its theme, which a judge says, nor that the first answer obeys. A model wrote that one, so it is not
    trained, or with `middle: judged` only where a judge finds that it did as asked. With `mended` no model is asked:
    the user brings the poem itself, after a program has broken lines in wrong places, moved and turned words, padded,
    or put duller lines that we wrote for it, and gets it back. Where lines were replaced, the user asks for better
    ones; else only for the form. Nobody could guess each word of what a dull line hides.

    After the poetry of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data: the rhythm is bad, the theme is
    changed, and in reverse order both are put right.
    """
    asks = config.moved > 0
    models = {"writer": config.model}
    if config.judge is None:
        models["embedder"] = config.embedder
    if config.judge is not None or config.listen or config.middle == "judged":
        models["judge"] = config.judge or config.model
    return Pipeline(
        poems(config.poems, license=config.license),
        compute(promise, writes="promised"),
        verify(
            prosody(0.8),
            reads={"verse": "poem", "measure": "promised"},
            good=ROW,
            spoiled={"poem": WORSE},
            name="poem keeps its form",
        ),
        mix("task", mended=(config.mended, *mended(config)), moved=(config.moved, *moved(config)))
        if asks
        else mix("task", mended=(config.mended, *mended(config))),
        models=models if asks else {},
        keep=["title", "form", "theme", *([] if asks else ["ways"])],
        measures=["form"],
        validation=config.validation,
    )
