"""Poetry: each request is obeyed, the last answer is the given poem, and what came before it is measurably worse."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.model_server import Asked, Reply
from tests.recipes.teacher import Errs, judgement, kind, likely, mark, system, taught

from retroweave import Pipeline, assistant, reverse, user
from retroweave.corruptions.verse import WAYS
from retroweave.export.dataset import read_rejects, read_samples
from retroweave.judges.prosody import scan
from retroweave.making import make
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.rules import check
from retroweave.pipeline.step import Step
from retroweave.recipes.poetry import another_theme, moved, poetry, promise, words, written
from retroweave.sources.poems import poems
from retroweave.text.likeness import overlap

EXAMPLE: Any = poetry.example
POEMS = {row.fields["poem"]: row.fields for row in poems().rows()}
WITHOUT_MODEL: Any = poetry.configure(poetry.presets["no-model"])


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int = 3, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    config = EXAMPLE.model_copy(update=changes)
    make(find_recipe("poetry"), config, rows, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


def worth(poem: str, form: str) -> float:
    return float(scan(poem, promise(form, ""))["value"])


def test_both_themes_stand_in_the_users_words_and_the_last_answer_is_the_poem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {row.fields["poem"]: row.fields for row in poems(EXAMPLE.poems, license="CC0-1.0").rows()}
    for sample in made(tmp_path, monkeypatch):
        brings, answers, wants, finishes = sample["messages"]
        [poem] = [poem for poem in given if poem in finishes["content"]]
        assert given[poem]["theme"] in brings["content"]
        assert any(theme in brings["content"] for theme in words("subjects"))
        assert "{" not in "".join(turn["content"] for turn in sample["messages"])
        assert [turn["train"] for turn in sample["messages"]] == [False, False, False, True]
        form = given[poem]["form"]
        assert max(worth(turn["content"], form) for turn in (brings, answers)) < worth(poem, form) - 0.1
        judged = {one["step"] for one in sample["provenance"]["verdicts"] if one["passed"]}
        assert {"poem has its theme", "weaker has its theme", "bad has its theme"} <= judged
        assert wants["content"] in words("better")


def test_the_middle_turn_is_trained_only_where_it_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sample in made(tmp_path, monkeypatch, middle="judged"):
        assert [turn["train"] for turn in sample["messages"]] == [False, True, False, True]
        assert "weaker is what was asked for" in {one["step"] for one in sample["provenance"]["verdicts"]}


def test_the_rules_notice_a_middle_turn_that_is_trained_and_was_only_prompted() -> None:
    whole = poetry.pipeline(EXAMPLE)
    steps = [step for step in moved(EXAMPLE) if isinstance(step, Step) or step.name.endswith("until it passes")]
    unjudged = reverse(user("{bad} {other} {theme}"), assistant("{weaker}"), user("More."), assistant("{poem}"))
    broken = check(Pipeline(whole.source, *whole.steps[:1], *steps, unjudged, models=whole.models))
    assert "it is trained and worth only judged; the floor is tested" in " ".join(map(str, broken))
    assert {one.field for one in broken if one.rule == 2} == {"weaker"}


def test_who_listens_too_asks_whether_it_keeps_its_rhyme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sample in made(tmp_path, monkeypatch, listen=True):
        assert "bad sounds bad" in {one["step"] for one in sample["provenance"]["verdicts"]}


def test_the_other_theme_has_nothing_to_do_with_the_poem() -> None:
    for poem, fields in POEMS.items():
        for seed in range(5):
            other = another_theme(poem, fields["theme"], random.Random(seed))
            assert overlap(other, poem) == overlap(other, fields["theme"]) == 0


def asked_from(request: str) -> set[str]:
    """The pools that have a request like this one, whatever the poem in it."""
    return {
        pool
        for pool in ("mend", "renew")
        for before, after in (one.split("{lame}") for one in words(pool))
        if request.startswith(before) and request.endswith(after)
    }


def test_without_a_model_a_thousand_poems_are_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = make(find_recipe("poetry"), WITHOUT_MODEL, 1000, tmp_path / "out", workers=1)
    assert run["counts"]["samples"] == 1000
    assert run["counts"]["failures"] == 0
    assert not (tmp_path / ".retroweave").exists()
    finished: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    for sample in read_samples(tmp_path / "out"):
        ways.update(sample["provenance"]["kept"]["ways"])
        replaced = bool({"reworded", "cliche"} & set(sample["provenance"]["kept"]["ways"]))
        assert sample["layout"] == ("renewed" if replaced else "mended")
        assert asked_from(sample["messages"][0]["content"]) == {"renew" if replaced else "mend"}
        asked, answered = sample["messages"]
        [poem] = [poem for poem in POEMS if poem in answered["content"]]
        assert poem not in asked["content"]
        finished[poem] += 1
    assert len(finished) >= 45
    reasons = {(one["step"], one["reason"]) for one in read_rejects(tmp_path / "out") if one["kind"] != "duplicate"}
    assert {step for step, _ in reasons} == {"poem keeps its form", "lame is worse than poem"}
    assert set(ways) == {*WAYS, "reworded", "cliche"}
    assert min(ways.values()) > 150
    assert max(ways.values()) < 900


def test_poems_of_your_own_lose_only_their_form_and_get_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = WITHOUT_MODEL.model_copy(update={"poems": EXAMPLE.poems, "license": "CC0-1.0"})
    make(find_recipe("poetry"), config, 20, tmp_path / "out", workers=1)
    samples = list(read_samples(tmp_path / "out"))
    assert {sample["layout"] for sample in samples} == {"mended"}


def test_a_request_is_in_one_pool_only() -> None:
    assert not set(words("mend")) & set(words("renew"))


def test_each_worse_line_stands_for_a_line_of_a_built_in_poem_and_most_keep_its_measure_less_well() -> None:
    lines = {line.strip() for poem in POEMS for line in poem.split("\n")}
    found = written()
    assert set(found) <= lines
    told = [worse for each in found.values() for worse in each]
    assert len({worse.line for worse in told}) == len(told) >= 150
    assert {worse.way for worse in told} == {"reworded", "cliche"}
    assert not {worse.line for worse in told} & lines
    lost = 0
    for poem, fields in POEMS.items():
        for line in filter(None, map(str.strip, poem.split("\n"))):
            for worse in found.get(line, ()):
                promised = promise(fields["form"], fields["measure"])
                lost += scan(poem.replace(line, worse.line), promised)["value"] < scan(poem, promised)["value"]
    assert lost > 0.9 * len(told)


@pytest.mark.parametrize("pool", ["ask", "better", "moved", "finished", "mend", "mended", "renew", "renewed"])
def test_each_pool_says_it_in_many_ways_and_none_gushes(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 25
    openings = Counter(" ".join(re.findall(r"\w+", one)[:2]).lower() for one in said if not one.startswith("{"))
    assert max(openings.values()) <= 3
    for word in (
        "great",
        "wonderful",
        "beautiful",
        "certainly",
        "of course",
        "happy to",
        "sorry for",
        "!",
        "delighted",
    ):
        assert not any(word in one.lower() for one in said)


# A teacher of known quality

RIGHT, ERRS = 0.8, Errs(0.9, 0.15)


def workshop(asked: Asked) -> Reply:
    """A writer that keeps to the theme four times in five, and a judge that errs as the recipe declares."""
    shown = asked.prompt
    if "You prepare exercises" in system(asked):
        lines = [line for line in shown.split("\n\n", 1)[1].split("\n\nOther subject")[0].split("\n") if line.strip()]
        said = f"which is {kind(asked, RIGHT)} on the subject of item {mark(asked)}"
        return Reply("\n".join(f"and this is the clumsy old line {said}" for _ in lines))
    if marked := re.search(r"(rightly|wrongly) on the subject of item (\w+)", shown):
        return judgement(ERRS.accepts(marked[1], marked[2]))
    return judgement("The tide went out" not in shown)


def test_five_hundred_rows_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = taught(poetry, workshop, tmp_path)
    assert [ERRS.declared_by(step) for step in found.judges] == [True, True, True]
    right_passes, wrong_passes = ERRS.passes(RIGHT)
    for turn in (0, 1):
        right = sum("rightly" in sample["messages"][turn]["content"] for sample in found.samples)
        assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    both = (right_passes + wrong_passes) ** 2
    assert likely(500, found.drafts("weaker has its theme", "bad has its theme"), both)
