"""Outline: the essay is given, its outline follows it point by point, and the request comes from the outline."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import Asked, Reply
from tests.recipes.teacher import Errs, judgement, kind, likely, mark, system, taught

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.pipeline import walk
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.rules import check
from retroweave.recipes.outline import POINTS, ROW, outline, part, words
from retroweave.sources.texts import passages
from retroweave.text.listed import numbered
from retroweave.text.outlines import in_order, in_own_words, is_a_request, point_for_each

EXAMPLE: Any = outline.example
DEFAULTS: Any = outline.configure({})


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    make(find_recipe("outline"), EXAMPLE.model_copy(update=changes), 3, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


def test_the_conversation_goes_from_the_request_by_the_outline_to_the_essay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    essays = [row.fields["passage"].strip() for row in passages(EXAMPLE.texts, license="CC0-1.0", shortest=300).rows()]
    for sample in made(tmp_path, monkeypatch, whole=1.0, plan=0.0, write=0.0):
        asks, plans, goes_on, writes = sample["messages"]
        kept = sample["provenance"]["kept"]
        assert kept["request"] in asks["content"]
        assert plans["content"] == numbered(kept["points"])
        assert goes_on["content"] in words("go_on")
        assert writes["content"] in essays
        assert len(kept["points"]) == len(re.split(r"\n\s*\n", writes["content"]))
        assert [turn["train"] for turn in sample["messages"]] == [False, True, False, True]


@pytest.mark.parametrize("stage", ["plan", "write"])
def test_each_stage_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    weights = {"whole": 0.0, "plan": 0.0, "write": 0.0, stage: 1.0}
    for sample in made(tmp_path, monkeypatch, **weights):
        asks, answers = sample["messages"]
        points = numbered(sample["provenance"]["kept"]["points"])
        assert (points == answers["content"]) is (stage == "plan")
        assert (points in asks["content"]) is (stage == "write")


def test_where_outlines_are_untrained_every_trained_word_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrained: Any = EXAMPLE.model_copy(update={"outlines": "untrained"})
    pipeline = outline.pipeline(untrained)
    assert check(pipeline) == []
    assert "judged" not in {node.floor.name for node in walk(pipeline.steps) if hasattr(node, "floor")}
    for sample in made(tmp_path, monkeypatch, outlines="untrained", plan=5.0):
        trained = [turn["content"] for turn in sample["messages"] if turn["train"]]
        assert len(trained) == 1
        assert not trained[0].startswith("1. ")


def test_an_essay_has_three_paragraphs_or_more_and_each_says_something() -> None:
    paragraph = "word " * 25
    assert len(part(f"{paragraph}\n\n{paragraph}\n \n{paragraph}", DEFAULTS)) == 3
    for text in (f"{paragraph}\n\n{paragraph}", f"A heading\n\n{paragraph}\n\n{paragraph}", f"{paragraph}\n\n" * 10):
        with pytest.raises(Drop):
            part(text.strip(), DEFAULTS)


def test_a_point_for_each_paragraph_in_order_and_in_other_words() -> None:
    paragraphs: Any = ROW["paragraphs"]
    essay: Any = ROW["passage"]
    assert point_for_each(POINTS, paragraphs)
    assert not point_for_each([*POINTS[:2], POINTS[0]], paragraphs)
    assert not point_for_each([*POINTS[:2], "Yes"], paragraphs)
    assert in_own_words(POINTS, essay)
    assert not in_own_words([*POINTS[:2], "So people learned to say things without saying them"], essay)
    assert in_order(POINTS, paragraphs)
    assert not in_order([POINTS[1], POINTS[0], POINTS[2]], paragraphs)
    assert not in_order(["The use of quinces", *POINTS[1:]], paragraphs)


@pytest.mark.parametrize(
    ("request_", "good"),
    [
        ("Tell me about the days of the one telephone in the street, please.", True),
        ("Write an outline about the days of the one telephone in the street.", False),
        ("One telephone for the street, in the baker's shop, so that it was heard.", False),
        ("Telephones, please.", False),
        ("Tell me about telephones and bakers.\nAnd hints.", False),
    ],
)
def test_a_request_is_one_paragraph_that_does_not_recite_the_outline(request_: str, good: bool) -> None:
    assert is_a_request(request_, POINTS) is good


def test_there_are_many_voices() -> None:
    assert len(set(words("voices"))) >= 25


@pytest.mark.parametrize("pool", ["ask", "go_on", "write"])
def test_each_pool_says_it_in_many_ways_and_none_gushes(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 25
    openings = Counter(" ".join(re.findall(r"\w+", one)[:2]).lower() for one in said if not one.startswith("{"))
    assert max(openings.values()) <= 3
    for word in ("great", "wonderful", "amazing", "certainly", "of course", "delighted", "excellent"):
        assert not any(word in one.lower() for one in said)


# A teacher of known quality

RIGHT, POINT = 0.8, Errs(0.95, 0.15)
ERRS = Errs(POINT.right**4, POINT.right**3 * POINT.wrong)
"""Of an outline of four points, of which a wrong one has one that is wrong."""


def essays(path: Path, count: int) -> None:
    """Essays of four paragraphs, each of which is about one number and no other."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            paragraphs = [
                f"Paragraph about subject{number}x{place}. " + f"It tells of subject{number}x{place} once more. " * 5
                for place in range(4)
            ]
            file.write(json.dumps({"text": "\n\n".join(paragraphs)}) + "\n")


def points(asked: Asked) -> str:
    """An outline that is right, or else wrong in one point."""
    subjects = re.findall(r"^\[\d\] Paragraph about (\w+)", asked.prompt, re.MULTILINE)
    wrong = None if kind(asked, RIGHT) == "rightly" else asked.rng.randrange(4)
    own = mark(asked)
    return numbered(
        [
            f"What {'wrongly' if place == wrong else 'rightly'} {subject} comes to ({own})"
            for place, subject in enumerate(subjects)
        ]
    )


def teacher(asked: Asked) -> Reply:
    """Outlines of which four in five are right and the rest wrong in one point; a judge that errs as is declared."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You take essays apart"):
        return Reply(points(asked))
    if told.startswith("You are given the outline"):
        return Reply(f"I want to read of matter {mark(asked)} and of what it comes to.")
    marked = re.search(r"(rightly|wrongly) (\w+) comes to \((\w+)\)$", shown)
    if told.startswith("You check the outlines") and marked:
        return judgement(POINT.accepts(marked[1], marked[2] + marked[3]))
    return judgement(not any(strange in shown for strange in ("prune a quince", "compound interest")))


def test_outlines_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    essays(tmp_path / "essays.jsonl", 900)
    texts: dict[str, Any] = {"texts": tmp_path / "essays.jsonl", "license": "CC0-1.0", "shortest": 500}
    found = taught(outline, teacher, tmp_path, **texts)
    [fits] = [step for step in found.judges if step.name == "each point fits"]
    assert ERRS.declared_by(fits)
    right_passes, wrong_passes = ERRS.passes(RIGHT)
    right = sum(
        not any("wrongly" in point for point in sample["provenance"]["kept"]["points"]) for sample in found.samples
    )
    assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    assert likely(500, found.drafts("each point fits"), right_passes + wrong_passes)
