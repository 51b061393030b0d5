"""Grounded questions: the answer is the text's own, and the question neither gives it away nor goes without a check."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import InvalidPipeline
from retroweave.pipeline.recipe import find_recipe
from retroweave.recipes.grounded_questions import (
    around,
    fix_answers,
    grounded_questions,
    is_a_question,
    stands_alone,
    stands_once,
)
from retroweave.sources.texts import passages
from retroweave.text.spans import candidates

PASSAGES = [row.fields["passage"] for row in passages(None, shortest=300, longest=1500).rows()]
EXAMPLE = grounded_questions.example
DEFAULTS: Any = grounded_questions.configure({})


@pytest.mark.parametrize("passage", PASSAGES[::5])
def test_each_answer_stands_once_in_its_passage_and_in_what_is_shown_around_it(passage: str) -> None:
    try:
        found = fix_answers(passage, DEFAULTS, random.Random(passage))
    except Drop:
        return
    assert 1 <= len(found) <= 4
    assert len({answer for answer, _, _ in found}) == len(found)
    for answer, kind, context in found:
        assert stands_once(passage, answer)
        assert answer in context
        assert context in passage
        assert kind in ("date", "number", "name", "quotation", "reason", "sentence")


def test_answers_are_of_as_many_kinds_as_there_are() -> None:
    passage = (
        "In 1871 the smoke-house fell. It had been built by Rob Lundie because the stones were of a handy size. "
        "Nobody in the town could say what had become of the harbour that it was made of."
    )
    kinds = [kind for _, kind, _ in fix_answers(passage, DEFAULTS, random.Random(0))]
    assert len(set(kinds)) == len(kinds) == 4


def test_what_is_around_an_answer_ends_with_its_paragraph() -> None:
    passage = "The first paragraph ends here.\n\nThe mole was given up in 1604. It was sold.\n\nA heading\n\nMore."
    [span] = [one for one in candidates(passage) if one.kind == "date"]
    assert around(passage, span) == "The mole was given up in 1604. It was sold."


@given(st.text(max_size=300))
def test_any_text_is_looked_through_without_complaint(text: str) -> None:
    for span in candidates(text):
        assert text[span.start : span.end] in around(text, span)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [("It left at 10:40 for Perth.", "40"), ("Ratios of 3/4 were seen.", "3"), ("In the 1920s it closed.", "1920")],
)
def test_a_part_of_a_larger_thing_is_no_answer(text: str, left_out: str) -> None:
    assert left_out not in [text[span.start : span.end] for span in candidates(text)]


@pytest.mark.parametrize(
    ("question", "good"),
    [
        ("Who built the smoke-house at Burntisland?", True),
        ("Who built it?", False),
        ("Rob Lundie built the smoke-house, did he not?", False),
        ("Name the man who built the smoke-house.", False),
        ("Who built it? And when did he do that?", False),
        ("What did Lundie, called Rob, do with all those stones?", False),
    ],
)
def test_a_question_is_one_line_that_does_not_hold_its_answer(question: str, good: bool) -> None:
    assert is_a_question(question, "Rob Lundie") is good


def test_a_question_that_speaks_of_its_text_does_not_stand_alone() -> None:
    assert stands_alone("Who built the smoke-house at Burntisland?")
    assert not stands_alone("What does the author say of the stones?")


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    config = EXAMPLE.model_copy(update=changes)
    make(find_recipe("grounded-questions"), config, 4, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


def test_the_sample_is_the_question_and_the_text_and_then_the_texts_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sample in made(tmp_path, monkeypatch):
        asked, answered = sample["messages"]
        assert not asked["train"]
        assert answered["train"]
        kept = sample["provenance"]["kept"]["passage"]
        assert kept.count(answered["content"]) == 1
        calls = sample["provenance"]["calls"]
        question = [call["answer"] for call in calls if call["step"] == "question"][-1]
        assert question in asked["content"]
        assert {"answerable", "not_known_without"} == {one["step"] for one in sample["provenance"]["verdicts"]}


def test_without_the_text_the_question_is_all_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sample in made(tmp_path, monkeypatch, with_text=0.0, without_text=1.0):
        assert sample["layout"] == "without_text"
        assert sample["messages"][0]["content"].endswith("?")
        assert "\n" not in sample["messages"][0]["content"]


def test_who_wants_the_judge_surer_than_it_is_of_its_own_example_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidPipeline, match="step 'answerable': it rejects its own good row"):
        made(tmp_path, monkeypatch, sure=0.99)
