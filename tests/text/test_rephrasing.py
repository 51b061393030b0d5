"""Phrasings that a model offers are kept only where they could stand in the pool, ask the same, and are new."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave import Pipeline, assistant, mix, reverse, user
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.layout import Variants
from retroweave.pipeline.model import Abilities, Answer, Model, Request
from retroweave.pipeline.verdict import Score
from retroweave.sources.texts import passages
from retroweave.text.rephrasing import (
    Phrasing,
    Rephrased,
    alike,
    fit,
    instruction_pools,
    phrasing_in,
    pool_text,
    rephrase,
    words,
)

POOL = Variants.of("ask", ["Mend this, please. {text}", "{text}\n\nWhat is wrong here? Put it right.", "fix: {text}"])


class Offers:
    """A model that offers what it was given, one after the other."""

    name, form, abilities = "offers", "chat", Abilities()

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[Request] = []

    async def ask(self, request: Request, hidden: Any = (), plain: str = "", **more: Any) -> Answer:
        self.asked.append(request)
        return Answer(self.texts.pop(0), "stop", 1, 1)


def rephrased(*texts: str, count: int = 1, tries: int = 4, doubted: str = "") -> tuple[Rephrased, Offers]:
    offers = Offers(*texts)

    async def judge(one: str, other: str, number: int) -> Score:
        return Score(0.9, not doubted or doubted not in other)

    def model(number: int) -> Model:
        return offers  # type: ignore[return-value]

    return asyncio.run(rephrase(POOL, count, model, judge, tries=tries)), offers


def test_a_phrasing_that_fits_is_kept_with_its_score_and_what_it_was_compared_with() -> None:
    found, offers = rephrased("Here is something broken: {text}")
    [kept] = found.kept
    assert (kept.text, kept.score) == ("Here is something broken: {text}", 0.9)
    assert kept.beside in [template.text for template in POOL.templates]
    asked = "".join(message["content"] for message in offers.asked[0].messages)
    assert all(template.text in asked for template in POOL.templates)
    assert any(voice in asked for voice in words("voices"))


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ("Mend it, will you?", "lost {text}"),
        ("Mend {text} in {language}", "made up a placeholder"),
        ("Mend {text", "no template that can be read"),
        ("Mend {text.__class__}", "no template that can be read"),
        ("   ", "the answer is empty"),
        ("%\n{text}", "no phrasing"),
        ("Mend this please! {text}", "nearly one that is there already"),
        ("Mend " + "it now " * 20 + "{text}", "too long"),
        ("Translate {text}", "asks for something else, says the judge"),
    ],
)
def test_what_does_not_fit_is_left_out_with_the_reason(offered: str, reason: str) -> None:
    found, _ = rephrased(offered, tries=1, doubted="Translate")
    assert found.kept == []
    assert dict(found.thrown) == {reason: 1}


def test_it_goes_on_asking_until_there_are_enough_or_the_tries_are_over() -> None:
    found, offers = rephrased(
        "no", "Something broke: {text}", "Something broke! {text}", "{text}, repaired, is?", count=2
    )
    assert [one.text for one in found.kept] == ["Something broke: {text}", "{text}, repaired, is?"]
    assert len(offers.asked) == 4
    assert found.thrown == {"lost {text}": 1, "nearly one that is there already": 1}
    found, offers = rephrased(*["no"] * 9, count=3, tries=3)
    assert (found.kept, len(offers.asked)) == ([], 9)


@pytest.mark.parametrize(
    "answer",
    [
        "Mend {text}",
        '"Mend {text}"',
        "“Mend {text}”",
        "1. Mend {text}",
        "- Mend {text}",
        "```\nMend {text}\n```",
        " Mend {text}\n",
    ],
)
def test_what_stands_around_a_phrasing_is_taken_away(answer: str) -> None:
    assert phrasing_in(answer) == "Mend {text}"


def test_quotation_marks_of_the_phrasings_own_stay() -> None:
    assert phrasing_in('"Mend" is what I say: "{text}"') == '"Mend" is what I say: "{text}"'


def test_a_pool_without_placeholders_takes_none() -> None:
    bare = Variants.of("better", ["Again, please, and better.", "Do that once more."])
    fit("Another round.", bare)
    with pytest.raises(Drop, match="made up a placeholder"):
        fit("Another round of {text}.", bare)


@given(st.text(max_size=200))
def test_any_answer_fits_or_is_dropped(answer: str) -> None:
    try:
        text = phrasing_in(answer)
        fit(text, POOL)
    except Drop:
        return
    assert "{text}" in text


def test_likeness_goes_by_neighbouring_words() -> None:
    assert alike("Mend this, please. {text}", "mend this please {text}") == 1
    assert alike("Mend this, please.", "What is wrong here?") == 0
    assert alike("", "!") == 1


def test_pools_are_found_those_first_that_the_user_speaks_with() -> None:
    def layout(name: str, pool: str) -> Any:
        return reverse(
            user("{asked}"),
            assistant("{said}"),
            name=name,
            said=Variants.of("answers", ["{passage}"]),
            asked=Variants.of(pool, ["How does it go?"]),
        )

    both = mix("form", one=(1, layout("one", "ask")), other=(1, layout("other", "beg")))
    assert list(instruction_pools(Pipeline(passages(), both))) == ["ask", "beg", "answers"]


def test_the_file_tells_above_each_phrasing_what_the_judge_said() -> None:
    text = pool_text([Phrasing("Mend\n{text}", 0.876, "fix:\n{text}"), Phrasing("x {text}", 0.5, "y" * 99)])
    assert text == f"%% 0.88, beside: fix: {{text}}\nMend\n{{text}}\n%% 0.50, beside: {'y' * 67}...\nx {{text}}\n"


@pytest.mark.parametrize(("count", "tries"), [(0, 1), (1, 0)])
def test_none_at_all_cannot_be_asked_for(count: int, tries: int) -> None:
    with pytest.raises(UserError, match="are 1 or more"):
        rephrased(count=count, tries=tries)
