"""Weave as a prompt step: a base model goes on piece by piece, a judge looks on, and the row keeps the tree."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retroweave import Pipeline, assistant, layout, prompt, user
from retroweave.models.desk import open_desk
from retroweave.models.scripted import Scripted
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.flow import Bench, work
from retroweave.pipeline.model import Abilities, Answer, ModelSpec, Request
from retroweave.pipeline.row import Leaf
from retroweave.pipeline.rules import check
from retroweave.pipeline.run import draws
from retroweave.pipeline.source import SourceRow, given
from retroweave.search.weave import Weave
from retroweave.search.weaving import UNFINISHED, Weaving, weaving
from retroweave.text.prompts import read_prompt

SETTINGS = Weave(budget=120, lookahead=2, width=4, beam=2, temperature=0.0)


def share_of_good(song: str, theme: str) -> float:
    """A judge without a model: how many of the words are good ones."""
    words = song.split()
    return sum(word in ("good", theme) for word in words) / len(words) if words else 0.0


def babble(request: Request) -> Answer:
    """Two words, good or bad by chance; after six words it comes to its end."""
    rng = random.Random(f"{request.seed} {request.text}")
    written = request.text.rpartition("Song:")[2].split()
    words = " " + " ".join(rng.choice(["good", "bad", "worse"]) for _ in range(2))
    return Answer(words, "stop" if len(written) >= 4 else "length", len(request.text.split()), 2)


@pytest.fixture
def song(tmp_path: Path) -> Callable[..., Weaving]:
    path = tmp_path / "song.prompt"

    def made(text: str = "%% document\nA song of {{ theme }}.\nSong:", **options: Any) -> Weaving:
        path.write_text(text, "utf-8")
        wanted = {"judge": share_of_good, "field": "song", "settings": SETTINGS, **options}
        return weaving(read_prompt(path), wanted.pop("judge"), **wanted)

    return made


def rows() -> Any:
    for theme in ("rain", "snow", "dust"):
        yield SourceRow(key=theme, fields={"theme": theme}, license="CC0-1.0", place=theme)


def pipeline(step: Weaving) -> Pipeline:
    return Pipeline(
        given(rows, {"theme": str}, licenses=("CC0-1.0",), fingerprint=lambda: "3"),
        prompt(step, writes="song"),
        layout(user("Sing of {theme}."), assistant("{song}"), floor="prompted"),
        models={"model": "scripted:"},
    )


def worked(step: Weaving, endpoint: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Leaf]:
    monkeypatch.chdir(tmp_path)

    async def found() -> list[Leaf]:
        made = pipeline(step)
        spec = {"model": ModelSpec("scripted:babble")}
        async with open_desk(spec, "run", Budget(), opener=lambda _: endpoint) as desk:
            bench = Bench(made, "songs", 0, together=True, desk=desk)
            return [leaf for drawn, _ in zip(draws(made), range(3), strict=False) for leaf in await work(drawn, bench)]

    return asyncio.run(found())


def test_a_search_finds_what_the_judge_likes_and_the_row_keeps_its_tree(
    song: Callable[..., Weaving], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leaves = worked(song(), Scripted(babble, form="base"), monkeypatch, tmp_path)
    assert [leaf.kind for leaf in leaves] == ["sample"] * 3
    for leaf in leaves:
        [note] = leaf.sample["provenance"]["calls"]
        assert leaf.sample["messages"][1]["content"] == note["answer"].strip()
        assert note["prompt"].startswith("A song of")
        assert note["tree"]["spent"] == note["tokens"][1] <= SETTINGS.budget
        assert len(note["tree"]["nodes"]) > 10
    words = " ".join(leaf.sample["messages"][1]["content"] for leaf in leaves).split()
    assert words.count("good") > 0.65 * len(words)  # a third of what was written is good


def test_the_same_row_gets_the_same_tree(
    song: Callable[..., Weaving], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    once, again = (
        worked(song(), Scripted(babble, form="base"), monkeypatch, (tmp_path / name)) for name in folders(tmp_path)
    )
    assert [leaf.sample for leaf in once] == [leaf.sample for leaf in again]


def folders(tmp_path: Path) -> list[str]:
    names = ["one", "two"]
    for name in names:
        (tmp_path / name).mkdir()
    return names


def test_a_search_that_comes_to_no_end_is_a_reject(
    song: Callable[..., Weaving], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = Scripted(lambda request: Answer(" good", "length", 5, 1), form="base")
    leaves = worked(song(), endless, monkeypatch, tmp_path)
    assert {(leaf.kind, leaf.reason) for leaf in leaves} == {("reject", UNFINISHED)}
    assert all(leaf.sample["calls"][0]["tree"] for leaf in leaves)  # it can be looked at all the same


def test_a_model_without_raw_completion_is_refused_by_name(
    song: Callable[..., Weaving], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chatting = Scripted(babble, abilities=Abilities(chat=True, complete=False))
    leaves = worked(song(), chatting, monkeypatch, tmp_path)
    assert {leaf.kind for leaf in leaves} == {"failure"}
    assert "the search with 'song' needs raw completion, which 'model' cannot do" in leaves[0].reason


def test_a_prompt_without_a_document_cannot_be_searched_with(song: Callable[..., Weaving]) -> None:
    with pytest.raises(UserError, match="has no document"):
        song("%% user\nSing of {{ theme }}.")


def test_a_judge_that_would_not_see_the_text_is_refused(song: Callable[..., Weaving]) -> None:
    with pytest.raises(UserError, match=r"takes no 'ballad', only song, theme"):
        song(field="ballad")


def test_what_the_prompt_and_the_judge_read_is_what_the_step_reads(song: Callable[..., Weaving]) -> None:
    step = prompt(song(), writes="song")
    assert step.reads == {"theme": "theme"}
    assert step.models == {"model": "model"}
    assert step.services == {"rng": "rng"}
    assert check(pipeline(song())) == []
