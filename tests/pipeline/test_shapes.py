"""Seven shapes of pipeline are valid, and give the same samples whatever is under way at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from tests.pipeline.shapes import PROGRAMS, SHAPES, edited, grounded_questions, poetry

from retroweave.pipeline.describe import trained_fields
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.gate import Verdict
from retroweave.pipeline.journal import Journal
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.rules import check, try_judges
from retroweave.pipeline.run import Tally, run
from retroweave.pipeline.runner import InProcess

WINDOWS = (1, 8, 64)


class Made(NamedTuple):
    tally: Tally
    taken: list[tuple[Verdict, str, Leaf]]
    """What passed the gate, in order."""

    @property
    def samples(self) -> list[dict[str, Any]]:
        return [leaf.sample for verdict, _, leaf in self.taken if verdict == "sample"]

    @property
    def texts(self) -> list[list[str]]:
        return [[message["content"] for message in sample["messages"]] for sample in self.samples]


@cache
def made(shape: str, window: int) -> Made:
    declare, rows = SHAPES[shape]
    pipeline = declare()
    bench = Bench(pipeline, shape, 3, together=pipeline.awaits)
    runner = InProcess(bench)
    runner.window = window
    taken: list[tuple[Verdict, str, Leaf]] = []

    def take(verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> None:
        taken.append((verdict, reason, leaf))

    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "outcomes.sqlite")
        try:
            return Made(asyncio.run(run(bench, rows, journal, runner, take)), taken)
        finally:
            journal.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_valid_and_its_judges_hold(shape: str) -> None:
    declare, _ = SHAPES[shape]
    assert check(declare()) == []
    assert asyncio.run(try_judges(declare())) == []


def test_an_unjudged_middle_turn_is_refused_by_the_floor() -> None:
    (broken,) = check(poetry("unjudged"))
    assert (broken.rule, broken.step, broken.field) == (2, "poetry", "changed")
    assert "worth only prompted; the floor is judged" in broken.problem
    assert "train=False" in broken.mend


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_there_are_exactly_as_many_samples_as_were_asked_for(shape: str, window: int) -> None:
    found, (_, rows) = made(shape, window), SHAPES[shape]
    assert found.tally.samples == len(found.samples) == rows
    assert not found.tally.exhausted


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_leaf_is_a_sample_or_says_why_not(shape: str, window: int) -> None:
    found = made(shape, window)
    verdicts = Counter(verdict for verdict, _, _ in found.taken)
    assert verdicts == found.tally.verdicts
    assert verdicts.keys() <= {"sample", "reject", "failure", "duplicate", "over_cap"}
    assert sum(verdicts.values()) == found.tally.leaves == len(found.taken)
    assert verdicts["failure"] == 0
    assert all(reason for verdict, reason, _ in found.taken if verdict != "sample")


@pytest.mark.parametrize("window", WINDOWS[1:])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_leaves_pass_whatever_is_under_way(shape: str, window: int) -> None:
    alone, together = made(shape, 1), made(shape, window)
    assert together.taken == alone.taken
    assert together.tally.source_rows == alone.tally.source_rows


@pytest.mark.parametrize("shape", SHAPES)
def test_paths_come_in_order_and_no_conversation_twice(shape: str) -> None:
    rows = [leaf.path[:2] for _, _, leaf in made(shape, 8).taken]
    assert rows == sorted(rows)
    texts = [tuple(text) for text in made(shape, 8).texts]
    assert len(set(texts)) == len(texts)
    assert len({sample["id"] for sample in made(shape, 8).samples}) == len(texts)


def test_prose_is_repaired_in_four_forms_in_proportion() -> None:
    forms = Counter(sample["layout"] for sample in made("prose repair", 8).samples)
    assert forms == {"lines": 25, "words": 18, "whole": 12, "short": 6}
    worths = {(trained.field, trained.worth) for trained in trained_fields(SHAPES["prose repair"][0]())}
    assert worths == {("diagnosis", "tested"), ("patch", "given"), ("passage", "given")}


def test_a_debugging_conversation_ends_in_the_original() -> None:
    found = made("debugging", 8)
    assert Counter(sample["layout"] for sample in found.samples).keys() == {"fix", "foresee", "several"}
    for sample, texts in zip(found.samples, found.texts, strict=True):
        original = sample["provenance"]["measures"]["original"]
        if sample["layout"] == "several":
            program = texts[0]
            for repair in texts[2::2]:
                at, _, line = repair.partition(": ")
                program = edited(program, (int(at), line))
            assert program == original
        else:
            assert texts[-1] == original
        assert "expected" in texts[0] + texts[1]


def test_a_family_of_mutants_keeps_what_it_rejected() -> None:
    rejects = Counter(
        (leaf.step, reason) for verdict, reason, leaf in made("debugging", 8).taken if verdict == "reject"
    )
    assert rejects.keys() <= {("caught", "caught says no"), ("stack_bugs", "gave no rows")}


def test_a_chunk_gives_two_good_questions_or_as_many_as_came() -> None:
    found = made("grounded questions", 8)
    per_chunk = Counter(sample["provenance"]["source"]["key"] for sample in found.samples)
    assert max(per_chunk.values()) == 2
    assert {leaf.step for verdict, _, leaf in found.taken if verdict == "reject"} == {"stands_in", "not_too_easy"}
    for question, answer in found.texts:
        stone = int(question.rpartition(" ")[2].rstrip("?"))
        assert int(answer) == stone * stone


def test_two_prompts_on_the_same_rows_can_be_told_apart() -> None:
    first, second = made("grounded questions", 8), made("grounded questions, another prompt", 8)
    rows = [{sample["provenance"]["source"]["key"] for sample in found.samples} for found in (first, second)]
    assert len(rows[0] & rows[1]) > 20
    assert not {question for question, _ in first.texts} & {question for question, _ in second.texts}
    assert check(grounded_questions("v3")) == []


def test_a_poem_trains_the_better_turn_only_where_it_was_judged() -> None:
    for shape, trained in (("poetry", [False, True, False, True]), ("poetry, masked", [False, False, False, True])):
        assert all([m["train"] for m in sample["messages"]] == trained for sample in made(shape, 8).samples)
    assert all(
        len(texts) == 4 and texts[0].split()[3].rstrip(".") in texts[1].split()[-1] for texts in made("poetry", 8).texts
    )


def test_a_transformation_walks_to_its_target_a_line_at_a_time() -> None:
    for texts in made("transformation", 8).texts:
        assert texts[-1] in PROGRAMS
        programs = [texts[0], *texts[2::2]]
        for before, after, wish in zip(programs, programs[1:], texts[1::2], strict=False):
            changed = [b for a, b in zip(before.split("\n"), after.split("\n"), strict=True) if a != b]
            assert wish == f"Let a line be: {changed[0]}"
            assert len(changed) == 1


def test_yes_and_no_balance_though_one_is_more_frequent() -> None:
    found = made("yes or no", 8)
    assert sorted(Counter(texts[-1] for texts in found.texts).values()) == [30, 31]
    assert found.tally.verdicts["over_cap"] > 0
