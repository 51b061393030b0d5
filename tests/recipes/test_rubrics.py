"""Rubrics: what a model writes can be used as one, and each of its items was tested."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import Asked, ModelServer, Reply

from retroweave import Drop
from retroweave.export.dataset import read_rejects, read_samples
from retroweave.judges.rubric import rubric
from retroweave.judges.rubric_file import read_rubric
from retroweave.making import make
from retroweave.pipeline.odds import wilson
from retroweave.pipeline.pipeline import walk
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.step import Step
from retroweave.recipes.rubrics import ITEMS, can_be_used, is_a_question, items_in, rubrics, words, write_rubric

EXAMPLE: Any = rubrics.example


def test_what_is_trained_is_a_rubric_that_a_judge_can_be_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(find_recipe("rubrics"), EXAMPLE, 3, tmp_path / "out", workers=1)
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

SURE = 3.5
"""Standard deviations: wide enough that chance fails one run in two thousand, and not one in twenty."""
RIGHT, S, F = 0.5, 0.97, 0.15
NOUNS = ("hedge", "ladder", "kettle", "violin", "pension", "sandpit")


def drawn(key: str, chance: float) -> bool:
    return random.Random(key).random() < chance


def teacher(asked: Asked) -> Reply:
    """Rubrics of six items, of which one in two is right and the rest have one wrong item; a judge of each item."""
    told, shown = "".join(turn["content"] for turn in asked.messages[:1]), asked.prompt
    if told.startswith("You make up questions"):
        return Reply(f"What should one know of matter {asked.rng.randrange(10**9)} before one begins?")
    if told.startswith("You write marking schemes"):
        wrong = None if asked.rng.random() < RIGHT else asked.rng.randrange(6)
        mark = asked.rng.randrange(10**9)
        items = [
            f"- [ ] Does it {'wrongly' if place == wrong else 'rightly'} name the {noun} of {mark}? (weight 2"
            + (", wanted no)" if place == 5 else ")")
            for place, noun in enumerate(NOUNS)
        ]
        return Reply("\n".join(items))
    marked = re.search(r"Does it (rightly|wrongly) name the (\w+) of (\d+)", shown)
    if marked:
        test = "deserved" if "rewards" in told else "checkable"
        accepted = drawn(test + "".join(marked.groups()), S if marked[1] == "rightly" else F)
    else:
        accepted = "Is it good?" not in shown and "shoes" not in shown
    return Reply("Yes" if accepted else "No", {"Yes": -0.1, "No": -2.4} if accepted else {"Yes": -2.4, "No": -0.1})


def test_rubrics_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ModelServer(teacher) as server:
        model = f"openai:teacher@{server.url}"
        config: Any = rubrics.configure({"model": model, "judge": model, "tries": 1})
        run = make(find_recipe("rubrics"), config, 300, tmp_path / "out", workers=1)
    assert run["counts"]["samples"] == 300
    assert run["counts"]["failures"] == 0
    judges = [one for one in walk(rubrics.pipeline(config).steps) if isinstance(one, Step) and one.move == "judge"]
    right_passes, wrong_passes = RIGHT, 1 - RIGHT
    for step in judges:
        assert step.accepts_right == pytest.approx(S**6)
        assert step.accepts_wrong == pytest.approx(S**5 * F)
        right_passes, wrong_passes = right_passes * S**6, wrong_passes * S**5 * F
    right = sum("wrongly" not in sample["messages"][1]["content"] for sample in read_samples(tmp_path / "out"))
    low, high = wilson(right, 300, SURE)
    assert low < right_passes / (right_passes + wrong_passes) < high
    thrown = Counter(one["step"] for one in read_rejects(tmp_path / "out"))
    low, high = wilson(300, 300 + sum(thrown[step.name] for step in judges), SURE)
    assert low < right_passes + wrong_passes < high
