"""Style transfer: the answer is the given passage, and what the user brings says the same in plain words."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import Asked, Reply
from tests.recipes.teacher import Errs, Taught, judgement, kind, likely, mark, system, taught

from retroweave.export.dataset import read_samples
from retroweave.judges.programs import reading_ease
from retroweave.making import make
from retroweave.pipeline.pipeline import walk
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.row import side_of
from retroweave.pipeline.rules import check
from retroweave.recipes.style_transfer import HARD, PASSAGE, PLAIN, of_manner, plainer, style_transfer, words
from retroweave.sources.texts import passages
from retroweave.text.copying import copied_share

EXAMPLE: Any = style_transfer.example


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int = 4, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    make(find_recipe("style-transfer"), EXAMPLE.model_copy(update=changes), rows, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


def source() -> list[str]:
    found = passages(EXAMPLE.texts, license="CC0-1.0", shortest=EXAMPLE.shortest, longest=EXAMPLE.longest)
    return [row.fields["passage"].strip() for row in found.rows()]


@pytest.mark.parametrize("hint", ["described", "shown"])
def test_the_user_brings_the_plain_version_and_a_hint_and_the_answer_is_the_passage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hint: str
) -> None:
    weights = {"described": 0.0, "shown": 0.0, hint: 1.0}
    for sample in made(tmp_path, monkeypatch, 4, **weights):
        asks, answers = sample["messages"]
        plain = sample["provenance"]["kept"]["plain"]
        assert answers["content"] in source()
        assert plain in asks["content"]
        assert copied_share(plain, answers["content"]) < 0.3
        assert reading_ease(plain) >= min(70, reading_ease(answers["content"]))
        others = [passage for passage in source() if passage in asks["content"]]
        assert len(others) == (hint == "shown")
        assert answers["content"] not in others
        assert [turn["train"] for turn in sample["messages"]] == [False, True]


def test_with_no_judge_named_the_note_on_style_is_held_by_programs_alone() -> None:
    config: Any = EXAMPLE.model_copy(update={"judge": None})
    pipeline = style_transfer.pipeline(config)
    assert check(pipeline) == []
    assert "suits" not in {node.name for node in walk(pipeline.steps)}
    assert set(pipeline.models) == {"writer", "embedder"}


def test_the_example_is_lent_from_the_rows_own_side_of_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    letters(tmp_path / "letters.jsonl", 40)
    found = of_letters(tmp_path, 60, validation=0.4, described=0.0)
    sides = {row.fields["passage"].strip(): side_of(row.cluster, 0.4) for row in letters_of(tmp_path).rows()}
    assert len(set(sides.values())) == 2
    seen = Counter[str]()
    for sample in found.samples:
        asks, answers = sample["messages"]
        [lent] = [passage for passage in sides if passage in asks["content"]]
        assert sides[lent] == sides[answers["content"]]
        assert lent.split()[1] == answers["content"].split()[1]  # the same letter's number
        seen[sides[lent]] += 1
    assert len(seen) == 2


def test_plainer_is_easier_to_read_or_plain_english_anyway() -> None:
    assert plainer(PLAIN, PASSAGE)
    assert not plainer(HARD, PASSAGE)
    assert plainer("I sat down on the wall and had an apple.", "I sat. I ate.")


@pytest.mark.parametrize(
    ("style", "good"),
    [
        ("A narrator with a straight face, in long sentences that end in a small joke.", True),
        ("Dry and funny.", False),
        ("The passage is told by a narrator with a straight face, in long sentences.", False),
        ("A narrator with a straight face who makes fun of how she goes to Lund.", False),
        ("About a tram at the depot in a beard of ice, admired, on honest feet.", False),
    ],
)
def test_a_note_on_style_says_nothing_of_the_subject(style: str, good: bool) -> None:
    assert of_manner(style, PASSAGE) is good


@pytest.mark.parametrize("pool", ["described", "shown"])
def test_each_pool_says_it_in_many_ways_and_none_gushes(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 25
    openings = Counter(" ".join(re.findall(r"\w+", one)[:2]).lower() for one in said if not one.startswith("{"))
    assert max(openings.values()) <= 3
    for word in ("great", "wonderful", "amazing", "beautiful", "certainly", "of course", "delighted"):
        assert not any(word in one.lower() for one in said)


# A teacher of known quality

RIGHT, ERRS = 0.8, Errs(0.9, 0.15)


def letters(path: Path, count: int) -> None:
    """Letters of four passages, each of which says whose it is."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            body = "The weather continues uncommonly disagreeable and the barometer deteriorates. " * 4
            parts = [f"Correspondent writer{number} communicates matter{number}x{place}. {body}" for place in range(4)]
            file.write(json.dumps({"text": "\n\n".join(parts)}) + "\n")


def letters_of(folder: Path) -> Any:
    return passages(folder / "letters.jsonl", license="CC0-1.0", shortest=300, longest=400)


def teacher(asked: Asked) -> Reply:
    """Plain versions of which four in five keep to the facts, and a judge that errs as is declared."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You rewrite passages"):
        [matter] = re.findall(r"matter\w+", shown)[:1]
        return Reply(f"It says {kind(asked, RIGHT)} of {matter} in item {mark(asked)}. " + "It is bad out. " * 8)
    if told.startswith("You tell writers"):
        return Reply(f"A stiff clerk, called {mark(asked)}, in a voice of grey felt and long nouns.")
    marked = re.search(r"It says (rightly|wrongly) of (\w+) in item (\w+)", shown)
    if told.startswith("You compare a passage") and marked:
        return judgement(ERRS.accepts(marked[1], marked[2] + marked[3]))
    return judgement(not any(strange in shown for strange in ("said grace in Latin", "three words each")))


def of_letters(folder: Path, rows: int, **changes: Any) -> Taught:
    texts = {"texts": folder / "letters.jsonl", "license": "CC0-1.0", "longest": 400}
    return taught(style_transfer, teacher, folder, rows, **texts, **changes)


def test_plain_versions_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    letters(tmp_path / "letters.jsonl", 200)
    found = of_letters(tmp_path, 500)
    [same] = [step for step in found.judges if step.name == "says the same"]
    assert ERRS.declared_by(same)
    right_passes, wrong_passes = ERRS.passes(RIGHT)
    right = sum("rightly" in sample["provenance"]["kept"]["plain"] for sample in found.samples)
    assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    assert likely(500, found.drafts("says the same"), right_passes + wrong_passes)
