"""Analogy: the critique is the chain that the argument was made from, and the verdict is what the chain says."""

from __future__ import annotations

import random
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
from retroweave.pipeline.errors import SourceError
from retroweave.pipeline.odds import wilson
from retroweave.pipeline.recipe import find_recipe
from retroweave.recipes.analogy import (
    ROW,
    analogy,
    are_features,
    as_wanted,
    draw_manner,
    is_an_argument,
    positions,
    verdict_of,
    words,
    write_critique,
)

EXAMPLE: Any = analogy.example
CHAIN: Any = {name: ROW[name] for name in ("subject", "position", "reference", "prior", "ground", "bearing")}


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    make(find_recipe("analogy"), EXAMPLE.model_copy(update=changes), rows, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


def test_the_answer_is_the_critique_and_the_verdict_that_follows_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = made(tmp_path, monkeypatch, 4, bare=0.0)
    for sample in samples:
        asks, answers = sample["messages"]
        kept = sample["provenance"]["kept"]
        assert kept["argument"] in asks["content"]
        assert kept["reference"] in answers["content"]
        verdict = "No" if "It does not hold here" in kept["critique"] else "Yes"
        assert answers["content"] == f"{kept['critique']}\n\nGood faith: {verdict}."
        assert {"critique reads it rightly", "verdict is right"} <= {
            one["step"] for one in sample["provenance"]["verdicts"] if one["passed"]
        }
    assert Counter(sample["messages"][1]["content"][-4:-1].strip(" :") for sample in samples) == {"Yes": 2, "No": 2}


def test_the_verdict_alone_is_one_word_and_as_often_yes_as_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [sample["messages"][1]["content"] for sample in made(tmp_path, monkeypatch, 4, traced=0.0)]
    assert Counter(said) == {"Yes": 2, "No": 2}


def test_what_is_not_in_good_faith_is_smooth_and_what_is_may_be() -> None:
    drawn = Counter(draw_manner(random.Random(seed)) for seed in range(2000))
    assert set(drawn) == {("hold", "frank"), ("hold", "smooth"), ("not hold", "smooth")}
    low, high = wilson(drawn["not hold", "smooth"], 2000)
    assert low < 0.5 < high


def test_the_verdict_is_what_the_bearing_says() -> None:
    assert verdict_of("It holds here, since a path is a road.") == "Yes"
    assert verdict_of("It does not hold here: a path is no road.") == "No"
    with pytest.raises(Drop, match="neither"):
        verdict_of("Perhaps it holds here.")
    assert as_wanted("Yes", "hold")
    assert not as_wanted("Yes", "not hold")


def test_every_trace_names_all_links_of_the_chain() -> None:
    said = {write_critique(**CHAIN, rng=random.Random(seed)) for seed in range(100)}
    assert len(said) == len(words("traces")) >= 7
    for critique in said:
        assert "{" not in critique
        for name in ("reference", "ground", "bearing", "prior"):
            assert CHAIN[name] in critique


def test_braces_in_what_a_model_wrote_are_text() -> None:
    assert "{subject.__class__}" in write_critique(**{**CHAIN, "ground": "{subject.__class__}"}, rng=random.Random(1))


@pytest.mark.parametrize(
    ("change", "good"),
    [
        (lambda text: text, True),
        (lambda text: re.sub("gate|public|road|across", "thing", text), False),
        (lambda text: re.sub("wires|path", "thing", text).replace("across", "on"), False),
        (lambda text: text + " It is an analogy.", False),
        (lambda text: text + f" {ROW['bearing']}", False),
        (lambda text: text.replace(". ", ".\n"), False),
        (lambda text: text[:200], False),
    ],
)
def test_an_argument_speaks_of_both_cases_and_does_not_analyse_itself(change: Any, good: bool) -> None:
    known: Any = {name: ROW[name] for name in ("subject", "reference", "bearing", "ground")}
    assert is_an_argument(change(ROW["argument"]), **known) is good


def test_features_are_a_few_short_lines() -> None:
    assert are_features(["a wire is hardly seen", "people run into it"])
    assert not are_features(["a wire is hardly seen"])
    assert not are_features(["a wire is hardly seen", "danger"])


def test_both_sides_of_a_subject_stand_on_one_side_of_the_split() -> None:
    rows = list(positions(None).rows())
    assert len({row.key for row in rows}) == len(rows) >= 70
    assert set(Counter(row.cluster for row in rows).values()) == {2}


def test_a_line_without_a_position_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("dogs | on leads\ncats\n", "utf-8")
    with pytest.raises(SourceError, match=r"Line 2 of .*mine\.txt is 'cats'"):
        list(positions(tmp_path / "mine.txt").rows())


@pytest.mark.parametrize("pool", ["ask_traced", "ask_bare"])
def test_each_pool_says_it_in_many_ways_and_none_gushes(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 25
    openings = Counter(" ".join(re.findall(r"\w+", one)[:2]).lower() for one in said if not one.startswith("{"))
    assert max(openings.values()) <= 3
    for word in ("great", "wonderful", "amazing", "certainly", "of course", "delighted"):
        assert not any(word in one.lower() for one in said)


# A teacher of known quality

RIGHT, ERRS = 0.5, Errs(0.9, 0.15)


def teacher(asked: Asked) -> Reply:
    """Chains of which one in two is right, and two judges that err as is declared, each by itself."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You prepare a debate"):
        return Reply("- it touches many people\n- it costs something\n- it cannot be undone")
    if told.startswith("You look for precedents"):
        holds = "It does not hold here" if "should not hold" in shown else "It holds here"
        return Reply(
            "Reference class: kettles\nPrior argument: Kettles are left alone.\nGround: A kettle is quiet.\n"
            f"Bearing: {holds}, as is {kind(asked, RIGHT)} said in item {mark(asked)}."
        )
    if told.startswith("You write arguments"):
        [subject] = re.findall(r"^Subject: (.*)$", shown, re.MULTILINE)
        return Reply(f"On {subject} I say, think of kettles, all of them, item {mark(asked)}. " * 5)
    if marked := re.search(r"as is (rightly|wrongly) said in item (\w+)", shown):
        step = "holds" if told.startswith("You check verdicts") else "rests"
        return judgement(ERRS.accepts(marked[1], step + marked[2]))
    return judgement("quinces" not in shown and not shown.endswith("as the road.\nGood faith: No"))


def test_verdicts_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = taught(analogy, teacher, tmp_path)
    assert [ERRS.declared_by(step) for step in found.judges] == [True, True]
    right_passes, wrong_passes = RIGHT * ERRS.right**2, (1 - RIGHT) * ERRS.wrong**2
    critiques = [sample["provenance"]["kept"]["critique"] for sample in found.samples]
    right = sum("rightly" in critique for critique in critiques)
    assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    assert sum("does not hold" in critique for critique in critiques) == 250
    assert likely(found.passed, found.drafts(), right_passes + wrong_passes)
