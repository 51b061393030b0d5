"""Word parts: what a thing is made of, and which thing is made of that. From a list of our own, or with a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal, Self

from pydantic import Field, model_validator

from retroweave import (
    About,
    Config,
    Pipeline,
    assistant,
    compute,
    family,
    judge,
    layout,
    mix,
    prompt,
    recipe,
    reverse,
    user,
    verify,
)
from retroweave.judges.rubric import rubric
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.layout import Layout
from retroweave.pipeline.model import Model
from retroweave.pipeline.pipeline import Mix, Node
from retroweave.pipeline.step import Resource, Step
from retroweave.sources.things import Parts, read_themes, read_things, things_of
from retroweave.text.clues import clues_in, give_clues, name_words
from retroweave.text.generation import generate
from retroweave.text.listed import FORMS
from retroweave.text.variants import recipe_words

__all__ = ["WordParts", "word_parts"]

words = recipe_words(__file__)
HERE = Path(__file__).with_suffix("")
OWN = HERE / "parts.txt"
Worth = Literal["judged", "tested"]


class WordParts(Config):
    things: Path | None = None
    """A file of things, one a line, with parts (`kite: sail, tail, reel`) or for a model without; else our own list."""
    license: str | None = None
    """The SPDX licence of that file, such as CC-BY-4.0."""
    model: str | None = None
    """A model that finds the parts of the things: openai:NAME@URL, embedded:NAME, or a name from the config file."""
    judge: str | None = None
    """The model that judges them; the one that finds them if left out."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be of the parts."""
    tries: int = Field(3, ge=1, le=20)
    """How often parts are asked for, until they pass."""
    bullets: float = Field(1, ge=0)
    """Weight of samples that break a thing into a list with dashes."""
    numbered: float = Field(1, ge=0)
    """Weight of samples that break it into a numbered list."""
    line: float = Field(1, ge=0)
    """Weight of samples that break it into parts on one line."""
    recognise: float = Field(2, ge=0)
    """Weight of samples that ask for the thing by its parts."""
    choose: float = Field(1, ge=0)
    """Weight of samples that name four things, of which one has the parts; only without a model."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of things held out for validation."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.license and self.things is None:
            raise ValueError("a licence is that of your own things: name their file with things")
        if self.model and self.things is None:
            raise ValueError("a model finds parts for things of yours: name their file with things")
        if not (self.bullets or self.numbered or self.line or self.recognise or (self.choose and not self.model)):
            raise ValueError("one of the weights bullets, numbered, line, recognise and choose must be above 0")
        return self


# Breaking a thing into parts


def write_parts(thing: About[str], parts: list[str], *, form: str) -> str:
    """The parts in the form that is asked for."""
    return FORMS[form].write(parts)


def reads_back(thing: About[str], parts: list[str], written: str, *, form: str) -> bool:
    """Read as what it is, it gives just these parts."""
    return written.count("\n") in (0, len(parts) - 1) and FORMS[form].read(written) == parts


def breaking(form: str, floor: Worth) -> tuple[Node, ...]:
    parts = ["sail", "tail", "string"]
    check = verify(
        partial(reads_back, form=form),
        raises="written",
        strength="proved",
        good={"thing": "kite", "parts": parts, "written": FORMS[form].write(parts)},
        spoiled={"written": FORMS[form].write(["sail", "tail", "keel"])},
        name=f"{form} read back",
    )
    write = compute(partial(write_parts, form=form), writes="written", name=f"write {form}")
    ask = words.variants(f"break_{form}")
    return write, check, layout(user("{ask}"), assistant("{written}"), name=form, floor=floor, ask=ask)


# Naming the thing that has these parts


def only_this(thing: str, clues: About[str], lexicon: Resource[Mapping[str, Parts]]) -> bool:
    """Of all things of the list it is the one that has all these parts."""
    shown = set(clues_in(clues))
    return [one for one, parts in lexicon.items() if shown.issubset(parts)] == [thing]


def offer(
    thing: str,
    clues: About[str],
    lexicon: Resource[Mapping[str, Parts]],
    themes: Resource[Mapping[str, str]],
    rng: Random,
) -> str:
    """The thing among three others, in random order: of those that may stand beside it, first what shares a word."""
    wanted, own = name_words(clues), themes.get(thing, "")
    others = [one for one in lexicon if one != thing and not (own and themes.get(one) == own)]
    rng.shuffle(others)
    apart = [one for one in others if are_apart(thing, one, wanted, lexicon)]
    near = sorted(apart, key=lambda one: -len(wanted & part_words(lexicon[one])))
    four = [thing, *near[:3]]
    rng.shuffle(four)
    return ", ".join(four)


def are_apart(thing: str, other: str, wanted: frozenset[str], lexicon: Mapping[str, Parts]) -> bool:
    """Whether nobody could take the other for the thing: no list of parts is complete, and a helicopter has a fuselage.

    So the clues share one word at most with it, and neither names the other or has it for a part.
    """
    names, other_names = name_words(thing), name_words(other)
    parts, other_parts = part_words(lexicon[thing]), part_words(lexicon[other])
    return len(wanted & other_parts) <= 1 and not names & (other_names | other_parts) and not other_names & parts


def part_words(parts: Parts) -> frozenset[str]:
    return name_words(" ".join(parts))


def stands_among(thing: str, offered: About[str]) -> bool:
    """It is one of the things that are offered."""
    return thing in offered.split(", ")


EXAMPLE_CLUES = {"thing": "bottle", "clues": "punt\ncork or cap\nlabel", "offered": "jar, bottle, barrel, cup"}
CLUES = compute(give_clues, writes="clues")
ONLY_THIS = verify(only_this, raises="thing", strength="proved", good=EXAMPLE_CLUES, spoiled={"thing": "jar"})
OFFERED = verify(stands_among, raises="thing", good=EXAMPLE_CLUES, spoiled={"thing": "tap"})


def naming(name: str, floor: Worth) -> Layout:
    return reverse(
        user("{ask}"), assistant("{thing}"), name=name, floor=floor, extractive=True, ask=words.variants(name)
    )


def both_ways(config: WordParts, floor: Worth, *unique: Step, choose: tuple[Node, ...] = ()) -> Mix:
    """From the thing to its parts, in three forms, and from the parts to the thing."""
    arms: dict[str, tuple[Node, ...]] = {form: breaking(form, floor) for form in FORMS}
    arms["recognise"] = (CLUES, *unique, naming("recognise", floor))
    if choose:
        arms["choose"] = choose
    weighted: dict[str, tuple[float, *tuple[Node, ...]]] = {}
    for name, steps in arms.items():
        weighted[name] = (getattr(config, name), *steps)
    return mix("task", **weighted)


# With a model


def parse_parts(text: str) -> list[str]:
    """The lines of an answer, without what stands before a part."""
    found = [re.sub(r"^\s*(?:[-*•]|\d+[.)])\s*", "", line).strip(" .").lower() for line in text.splitlines()]
    return [part for part in found if part]


def are_a_list(thing: str, parts: list[str]) -> bool:
    """Four to eight short parts, all different, none of which names the thing."""
    fit = all(1 <= len(part.split()) <= 5 and not re.search(r"[,;/:\n]", part) for part in parts)
    named = any(name_words(thing) & name_words(part) for part in parts)
    return fit and not named and 4 <= len(set(parts)) == len(parts) <= 8


async def named_again(thing: str, parts: list[str], judge: Model) -> bool:
    """Told the parts alone, the model names the thing."""
    guess = await generate(words.prompt("guess"), model="judge")(listed="\n".join(parts), judge=judge)
    return name_words(guess.splitlines()[0]) == name_words(thing)


KITE = {"thing": "kite", "parts": ["sail", "crossed spars", "tail", "reel of string"]}


def finding(config: WordParts) -> tuple[Node, ...]:
    """A model's way to the parts: is the thing fit, which parts has it, are they its own, is it known by them?"""
    are_parts = yes_no([words.prompt("are_parts")], model="judge", threshold=config.sure)
    wrong = ["oven", "trumpet", "keel", "landlord"]
    return (
        judge(
            rubric(HERE / "fit.md", model="judge"),
            accepts_right=0.9,
            accepts_wrong=0.15,
            good={"thing": "kite"},
            spoiled={"thing": "although"},
            name="fit",
        ),
        family(
            prompt(generate(words.prompt("find"), model="finder", parse=parse_parts), writes="parts"),
            verify(are_a_list, good=KITE, spoiled={"parts": ["kite tail", "sail", "reel", "spars"]}),
            judge(
                are_parts,
                raises="parts",
                accepts_right=0.9,
                accepts_wrong=0.15,
                good=KITE,
                spoiled={"parts": wrong},
                name="are parts",
            ),
            judge(
                named_again,
                raises="parts",
                accepts_right=0.7,  # told a right list it may say another word for the thing, or a thing that is like
                accepts_wrong=0.2,
                good=KITE,
                spoiled={"parts": wrong},
            ),
            want=1,
            tries=config.tries,
            name="parts until they pass",
        ),
    )


@recipe
def word_parts(config: WordParts) -> Pipeline:
    """Break a thing into its parts, and tell by the parts which thing it is.

    A bicycle has a frame, a saddle, pedals, a chain; a loan has a lender, a borrower, interest. From one list of things
    and their parts both directions are made: from the thing to the parts, in three forms of list, and from the parts,
    in any order, to the thing, with or without four to choose from. A model learns to take ideas apart and to put them
    together.

    Guaranteed: the parts in an answer are those of the list, in the form that was asked for; of the things in the list,
    only the one in the answer has all the parts in the question, and no part names it; what is offered beside it shares
    one word with them at most, and is never of its theme. Not guaranteed: that nothing outside of the list has them
    too, or that the parts are all there are. The built-in list (more than 650 things, in twenty themes) is our own
    writing. With `--model` the parts of your own things are found by a model: a rubric filters the things, a judge the
    parts, and the model must name the thing by them; that is worth *judged*.

    After the part lists for dictionary words of J. D. Pressman's RetroInstruct: made by breaking down, where a model is
    reliable, and trained in both directions.
    """
    path, license = (config.things, config.license) if config.things else (OWN, "CC0-1.0")
    if config.model:
        return Pipeline(
            things_of(path, license, with_parts=False),
            *finding(config),
            both_ways(config, "judged"),
            models={"finder": config.model, "judge": config.judge or config.model},
            validation=config.validation,
        )
    lexicon = {**read_things(OWN), **read_things(path)}
    themes = read_themes(OWN) | {thing: theme for thing, theme in read_themes(path).items() if theme}
    choose = (CLUES, ONLY_THIS, compute(offer, writes="offered"), OFFERED, naming("choose", "tested"))
    return Pipeline(
        things_of(path, license, with_parts=True),
        both_ways(config, "tested", ONLY_THIS, choose=choose),
        resources={"lexicon": lexicon, "themes": themes},
        validation=config.validation,
    )
