"""Rubrics: what a model writes can be used as one, and each of its items was tested."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import Asked, Reply
from tests.recipes.teacher import Errs, judgement, kind, likely, mark, system, taught

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.judges.rubric import rubric
from retroweave.judges.rubric_file import read_rubric
from retroweave.making import make
from retroweave.recipes.rubrics import ITEMS, can_be_used, is_a_question, items_in, rubrics, words, write_rubric

EXAMPLE: Any = rubrics.example


def test_what_is_trained_is_a_rubric_that_a_judge_can_be_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(rubrics, EXAMPLE, 3, tmp_path / "out", workers=1)
    for sample in read_samples(tmp_path / "out"):
        asks, answers = sample["messages"]
        kept = sample["provenance"]["kept"]
        assert kept["question"] in asks["content"]
        assert [turn["train"] for turn in sample["messages"]] == [False, True]
        (tmp_path / "marking.md").write_text(answers["content"], "utf-8")
        found = read_rubric(tmp_path / "marking.md")
        assert found.judges == "answer"
        assert len(found.items) == len(kept["items"])
        assert {item.wanted for item in found.items} == {"yes", "no"}
        assert rubric(tmp_path / "marking.md").rubric.items == found.items
        judged = [one["step"] for one in sample["provenance"]["verdicts"]]
        assert {"each item is checkable", "each item is deserved"} <= set(judged)


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({0: "Does it say that the hedge must be cut back? (weight 5)"}, False),
        ({0: "Does it say that the hedge must be cut back? (gate)"}, False),
        ({0: "Is it good?"}, False),
        ({0: "[y] Does it say that the hedge must be cut back? (weight 3)"}, False),
        ({0: "does it say that the hedge must be cut back? (weight 3)"}, False),
        ({0: "Does it name a time of the year? (weight 3)"}, False),
        ({4: "Does it spare the hedge? (weight 2)"}, False),
        ({0: "Does it say how? Does it say when?"}, False),
        ({4: ""}, False),
    ],
)
def test_a_rubric_has_questions_with_weights_of_which_none_is_doubled(change: dict[int, str], good: bool) -> None:
    items = [change.get(place, item) for place, item in enumerate(ITEMS)]
    try:
        found = can_be_used(write_rubric([item for item in items if item]))
    except Drop:
        found = False
    assert found is good


@pytest.mark.parametrize(
    "item", ["Is it {{ short }} enough?", "Is it short? `words: {most: 9}`", "Is it {% raw %} so?"]
)
def test_no_template_and_no_program_of_a_model_is_read(item: str) -> None:
    with pytest.raises(Drop, match="braces or backquotes"):
        can_be_used(write_rubric([item, *ITEMS]))


def test_what_does_not_read_as_a_rubric_is_a_reject() -> None:
    for item in ("It must be short", "Is it short? (wait 2)"):
        with pytest.raises(Drop, match="does not read as a rubric"):
            can_be_used(write_rubric([item, *ITEMS]))


def test_items_are_found_with_boxes_and_without() -> None:
    assert items_in("- [ ] Is it short? (weight 2)\n- [x] Is it dull?\n3. Is it true?") == [
        "Is it short? (weight 2)",
        "Is it dull?",
        "Is it true?",
    ]


def test_a_question_is_one_line_that_asks_for_something() -> None:
    assert is_a_question("Is it cheaper to leave the heating on all day?")
    assert not is_a_question("Heating, and whether to leave it on all day or not")
    assert not is_a_question("Write a rubric for an answer about the heating of houses.")


def test_there_are_many_themes_and_kinds_of_question() -> None:
    assert len(set(words("themes"))) == len(words("themes")) >= 150
    assert len(set(words("kinds"))) >= 10


def test_it_is_asked_for_in_many_ways_and_none_gushes() -> None:
    said = words("ask")
    assert len(set(said)) == len(said) >= 25
    openings = Counter(" ".join(re.findall(r"\w+", one)[:2]).lower() for one in said if not one.startswith("{"))
    assert max(openings.values()) <= 3
    for word in ("great", "wonderful", "amazing", "certainly", "of course", "delighted"):
        assert not any(word in one.lower() for one in said)


# A teacher of known quality

RIGHT, ITEM = 0.5, Errs(0.97, 0.15)
ERRS = Errs(ITEM.right**6, ITEM.right**5 * ITEM.wrong)
"""Of a rubric of six items, of which a wrong one has one that is wrong."""
NOUNS = ("hedge", "ladder", "kettle", "violin", "pension", "sandpit")


def marking_scheme(asked: Asked) -> str:
    """A rubric that is right, or else wrong in one item."""
    wrong = None if kind(asked, RIGHT) == "rightly" else asked.rng.randrange(6)
    own = mark(asked)
    return "\n".join(
        f"- [ ] Does it {'wrongly' if place == wrong else 'rightly'} name the {noun} of {own}? "
        f"(weight 2{', wanted no' if place == 5 else ''})"
        for place, noun in enumerate(NOUNS)
    )


def teacher(asked: Asked) -> Reply:
    """Rubrics of six items, of which one in two is right and the rest have one wrong item; a judge of each item."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You make up questions"):
        return Reply(f"What should one know of matter {mark(asked)} before one begins?")
    if told.startswith("You write marking schemes"):
        return Reply(marking_scheme(asked))
    if marked := re.search(r"Does it (rightly|wrongly) name the (\w+ of \w+)", shown):
        test = "deserved" if "rewards" in told else "checkable"
        return judgement(ITEM.accepts(marked[1], test + marked[2]))
    return judgement("Is it good?" not in shown and "shoes" not in shown)


def test_rubrics_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = taught(rubrics, teacher, tmp_path)
    assert [ERRS.declared_by(step) for step in found.judges] == [True, True]
    right_passes, wrong_passes = RIGHT * ERRS.right**2, (1 - RIGHT) * ERRS.wrong**2
    right = sum("wrongly" not in sample["messages"][1]["content"] for sample in found.samples)
    assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    assert likely(500, found.drafts(), right_passes + wrong_passes)
