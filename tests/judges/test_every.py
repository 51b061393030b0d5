"""A judge of lists: each item is asked about by itself, and one no is enough."""

from __future__ import annotations

import asyncio
import math
import random
from typing import Any

import pytest

from retroweave.judges.every import every
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Abilities, Answer
from retroweave.pipeline.step import judge
from retroweave.text.prompts import Prompt, read_prompt


class Reader:
    """Says yes to what holds the word "good", with the probability that stands in it, and keeps what it was asked."""

    name, form, abilities = "reader", "chat", Abilities(logprobs=20)

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, request: Any, hidden: Any = (), **more: Any) -> Answer:
        said = request.messages[-1]["content"]
        self.asked.append(said)
        yes = 0.9 if "good" in said else 0.2
        return Answer("Yes", first=(("Yes", math.log(yes)), ("No", math.log(1 - yes))))


@pytest.fixture
def covers(tmp_path: Any) -> Prompt:
    path = tmp_path / "covers.prompt"
    path.write_text("%% user\n{{ title }}: is {{ point }} in {{ paragraph }}?\n", "utf-8")
    return read_prompt(path)


def asked(prompt: Prompt, points: list[str], paragraphs: list[str]) -> tuple[Any, list[str]]:
    model = Reader()
    judged = every(yes_no(prompt), point="points", paragraph="paragraphs")
    return asyncio.run(judged(title="T", points=points, paragraphs=paragraphs, model=model)), model.asked


def test_each_item_is_asked_about_with_its_own_counterpart(covers: Prompt) -> None:
    score, questions = asked(covers, ["a good one", "another good one"], ["first", "second"])
    assert questions == ["T: is a good one in first?", "T: is another good one in second?"]
    assert score.passed
    assert score.value == pytest.approx(0.9)


def test_one_wrong_item_is_enough_and_the_score_is_its(covers: Prompt) -> None:
    score, _ = asked(covers, ["a good one", "a bad one", "a good third"], ["1", "2", "3"])
    assert not score.passed
    assert score.value == pytest.approx(0.2)
    assert [part["passed"] for part in score.parts["each"]] == [True, False, True]


@pytest.mark.parametrize(("points", "paragraphs"), [([], []), (["a"], ["b", "c"])])
def test_lists_that_do_not_go_together_are_a_reject(covers: Prompt, points: list[str], paragraphs: list[str]) -> None:
    with pytest.raises(Drop, match="different lengths"):
        asked(covers, points, paragraphs)


def test_a_step_reads_the_lists_and_what_is_the_same_for_all(covers: Prompt) -> None:
    found = judge(every(yes_no(covers, about="paragraph"), point="points", paragraph="paragraphs"), raises="points")
    assert set(found.reads.values()) == {"title", "points", "paragraphs"}
    assert found.about == {"paragraphs"}
    assert list(found.models) == ["model"]
    assert found.types["points"] is list


def test_a_list_for_what_the_judge_does_not_read_is_an_error(covers: Prompt) -> None:
    with pytest.raises(UserError, match="is given lists for pint"):
        every(yes_no(covers), pint="points")
    with pytest.raises(UserError, match="is given lists for nothing"):
        every(yes_no(covers))


def test_examples_are_drawn_anew_for_each_item(tmp_path: Any) -> None:
    turns = "%% example user\n{{ example.word }}\n%% example assistant\n{{ example.verdict }}\n%% user\n{{ point }}\n"
    (tmp_path / "shown.prompt").write_text(f"---\nshots: 2\nbalance: verdict\n---\n{turns}", "utf-8")
    examples = [f"- {{word: w{n}, verdict: '{'Yes' if n % 2 else 'No'}'}}\n" for n in range(50)]
    (tmp_path / "shown.examples.yaml").write_text("".join(examples), "utf-8")
    seen: list[str] = []

    class Watching(Reader):
        async def ask(self, request: Any, hidden: Any = (), **more: Any) -> Answer:
            seen.append(request.messages[0]["content"])
            return await super().ask(request, hidden, **more)

    model: Any = Watching()
    judged = every(yes_no(read_prompt(tmp_path / "shown.prompt")), point="points")
    asyncio.run(judged(points=["good"] * 6, model=model, rng=random.Random(3)))
    assert len(set(seen)) == 6
