"""The labelled sets that judges are measured by are what their page says: balanced, quoted rightly, and unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from retroweave.judges.yes_no import yes_no
from retroweave.recipes import grounded_questions
from retroweave.text.likeness import overlap
from retroweave.text.prompts import Prompt, read_prompt

LABELLED = Path(__file__).resolve().parent.parent / "benchmarks" / "labelled"
RECIPE = Path(grounded_questions.__file__).with_suffix("")


def items(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (LABELLED / f"{name}.jsonl").read_text("utf-8").splitlines()]


FITS, VERSE = items("fits"), items("verse")
SETS = {"fits": FITS, "verse": VERSE}
KEYS = {"fits": {"passage", "question", "answer", "label", "kind"}, "verse": {"text", "label", "kind"}}


def texts(name: str) -> list[str]:
    return [one["passage" if name == "fits" else "text"] for one in SETS[name]]


def words(text: str) -> str:
    """A text without its layout and capitals."""
    return " ".join(text.lower().split())


def examples() -> Iterator[str]:
    """The texts of all few-shot examples, those of the recipe and those beside the sets."""
    for file in [*RECIPE.glob("*.examples.yaml"), *LABELLED.glob("*.examples.yaml")]:
        for one in yaml.safe_load(file.read_text("utf-8")):
            yield one.get("passage") or one["text"]


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_sixty_items_and_as_many_of_each_label(name: str) -> None:
    assert all(one.keys() == KEYS[name] and all(one.values()) for one in SETS[name])
    assert [sum(one["label"] == label for one in SETS[name]) for label in ("yes", "no")] == [30, 30]


def test_each_passage_has_one_question_that_its_answer_fits_and_one_that_it_does_not() -> None:
    labels: dict[str, list[str]] = {}
    for one in FITS:
        labels.setdefault(one["passage"], []).append(one["label"])
    assert set(map(tuple, labels.values())) == {("yes", "no")}


def test_no_item_stands_in_a_set_twice() -> None:
    questions = [words(f"{one['passage']} {one['question']}") for one in FITS]
    for found in (questions, [words(text) for text in texts("verse")]):
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("one", FITS, ids=lambda one: one["question"])
def test_an_answer_stands_in_its_passage_once(one: dict[str, str]) -> None:
    assert one["passage"].count(one["answer"]) == 1


def test_a_question_that_its_answer_fits_does_not_give_it_away() -> None:
    assert [one for one in FITS if one["label"] == "yes" and words(one["answer"]) in words(one["question"])] == []


@pytest.mark.parametrize("name", SETS)
def test_nothing_in_a_set_is_like_an_example_that_the_judge_is_shown(name: str) -> None:
    shown = list(examples())
    assert len(shown) > 30
    assert [text for text in texts(name) for example in shown if overlap(text, example) > 0.5] == []


def share_of_pairs(right: Sequence[float], wrong: Sequence[float]) -> float:
    """The AUC of a judge that knows nothing but these numbers."""
    return sum((a > b) + (a == b) / 2 for a in right for b in wrong) / (len(right) * len(wrong))


@pytest.mark.parametrize("measure", [len, lambda text: text.count("\n"), lambda text: max(map(len, text.split("\n")))])
def test_layout_and_length_do_not_tell_verse_from_what_is_none(measure: Any) -> None:
    sides = [[measure(one["text"]) for one in VERSE if one["label"] == label] for label in ("yes", "no")]
    assert 0.35 < share_of_pairs(sides[0], sides[1]) < 0.65


def test_as_many_of_each_label_stand_in_lines() -> None:
    lined = [one["label"] for one in VERSE if "\n" in one["text"]]
    assert (lined.count("yes"), lined.count("no")) == (20, 20)


@pytest.mark.parametrize("name", ["verse", "poem"])
def test_a_judge_can_ask_with_the_prompts_beside_the_sets_in_both_forms(name: str) -> None:
    prompt = read_prompt(LABELLED / f"{name}.prompt")
    assert yes_no(prompt).prompts == (prompt,)
    assert prompt.document is not None
    assert {section.name for section in prompt.turns} >= {"system", "user", "example user"}
    assert prompt.reads == ("text",)
    assert verdicts(prompt) == {"Yes": 4, "No": 4}


def verdicts(prompt: Prompt) -> dict[str, int]:
    found = [one["verdict"] for one in prompt.examples]
    return {verdict: found.count(verdict) for verdict in found}
