"""A step's model: each draw has a seed of its own, and what was asked and answered is noted on the row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.endpoints import Asked, Fake, Reply, asking

from retroweave.pipeline.asking import BoundModel, Desk
from retroweave.pipeline.errors import Drop
from retroweave.pipeline.model import Answer, Refused, Request, TooLong
from retroweave.pipeline.row import Drawn, Row

TURNS = ({"role": "user", "content": "What is it?"},)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def row(key: str = "a") -> Row:
    return Row.first(Drawn(0, 0, key, "row", "CC0-1.0", "train", {}))


def ran(endpoint: Fake, path: Path, work: Callable[[Asked], Coroutine[Any, Any, Any]]) -> Any:
    async def whole() -> Any:
        async with asking(endpoint, path) as asked:
            return await work(asked)

    return asyncio.run(whole())


def bound(asked: Asked, step: str = "write", of: Row | None = None, salt: bytes = b"salt") -> BoundModel:
    return Desk({"writer": asked.client}).model("writer", step, of or row(), salt)


def seeds(path: Path, *draws: Callable[[Asked], BoundModel], times: int = 1, **sampling: Any) -> list[int]:
    """The seed of each request that these models send when each is asked the same so many times."""
    endpoint = Fake()

    async def work(asked: Asked) -> None:
        for draw in draws:
            model = draw(asked)
            for _ in range(times):
                await model.chat(TURNS, **sampling)

    ran(endpoint, path, work)
    return [request.seed for request in endpoint.sent]


class TestSeeds:
    def test_rows_steps_runs_and_draws_differ(self, path: Path) -> None:
        found = seeds(
            path,
            lambda asked: bound(asked),
            lambda asked: bound(asked, of=row("b")),
            lambda asked: bound(asked, step="judge"),
            lambda asked: bound(asked, salt=b"another seed"),
            lambda asked: bound(asked, of=row().child("family", 1, {})),
            times=3,
        )
        assert len(found) == 15
        assert len(set(found)) == 15
        assert all(0 <= seed < 2**31 for seed in found)

    def test_they_are_the_same_in_each_run(self, tmp_path: Path) -> None:
        one, other = (seeds(tmp_path / name, bound, times=3) for name in ("one.sqlite", "other.sqlite"))
        assert one == other

    def test_a_resumed_row_gets_the_answers_that_it_had(self, path: Path) -> None:
        assert len(seeds(path, bound, times=3)) == 3
        assert seeds(path, bound, times=3) == []

    def test_greedy_requests_have_none_and_are_shared_by_all_rows(self, path: Path) -> None:
        others = (lambda asked: bound(asked), lambda asked: bound(asked, of=row("b")))
        assert seeds(path, *others, times=3, temperature=0.0) == [0]

    def test_embeddings_have_none(self, path: Path) -> None:
        endpoint = Fake(lambda request: Answer(vector=(0.5, 1.0)))

        async def work(asked: Asked) -> None:
            assert await bound(asked).embed("one") == (0.5, 1.0)

        ran(endpoint, path, work)
        assert endpoint.sent == [Request("embed", text="one")]


class TestNotes:
    def noted(self, path: Path, reply: Reply, ask: Callable[[BoundModel], Coroutine[Any, Any, Any]]) -> Row:
        found = row()

        async def work(asked: Asked) -> None:
            try:
                await ask(bound(asked, of=found))
            except (Drop, Refused):
                return

        ran(Fake(lambda request: reply), path, work)
        return found

    def test_a_chat_is_noted_with_its_answer(self, path: Path) -> None:
        found = self.noted(path, Answer("A cat.", "length", 7, 3), lambda model: model.chat(TURNS))
        assert found.calls == (
            {
                "step": "write",
                "model": "writer",
                "prompt": list(TURNS),
                "answer": "A cat.",
                "finish": "length",
                "tokens": [7, 3],
            },
        )

    def test_a_completion_is_noted_with_its_document(self, path: Path) -> None:
        found = self.noted(path, "four", lambda model: model.complete("One, two, three,", max_tokens=3))
        assert found.calls[0]["prompt"] == "One, two, three,"

    def test_the_plain_prompt_is_noted_and_what_is_hidden_is_kept_with_the_row(self, path: Path) -> None:
        request = Request("chat", messages=TURNS)
        found = self.noted(path, "yes", lambda model: model.ask(request, ("a secret",), "Ask me."))
        assert found.calls[0]["plain"] == "Ask me."
        assert found.hidden == ("a secret",)

    def test_a_request_may_be_left_out_and_what_came_of_many_be_noted(self, path: Path) -> None:
        async def many(model: BoundModel) -> None:
            for _ in range(3):
                await model.ask(Request("chat", messages=TURNS), noted=False)
            model.note(asked=3)

        assert self.noted(path, "yes", many).calls == ({"step": "write", "model": "writer", "asked": 3},)

    def test_an_embedding_is_not_noted(self, path: Path) -> None:
        assert self.noted(path, Answer(vector=(0.5,)), lambda model: model.embed("one")).calls == ()

    def test_a_prompt_that_is_too_long_drops_the_row_and_says_for_whom(self, path: Path) -> None:
        found = row()

        async def work(asked: Asked) -> None:
            with pytest.raises(Drop, match="the prompt is longer than the context of writer"):
                await bound(asked, of=found).chat(TURNS)

        ran(Fake(lambda request: TooLong("5,000 tokens of 4,096")), path, work)
        assert found.calls[0]["error"] == "5,000 tokens of 4,096"
        assert "answer" not in found.calls[0]

    def test_a_refusal_is_noted_and_raised(self, path: Path) -> None:
        found = self.noted(path, Refused("no logprobs here"), lambda model: model.chat(TURNS, logprobs=5))
        assert found.calls[0]["error"] == "no logprobs here"


def test_it_has_its_own_name_and_says_how_to_ask_it(path: Path) -> None:
    async def work(asked: Asked) -> tuple[str, str, bool]:
        model = bound(asked)
        return model.name, model.form, model.abilities.embed

    assert ran(Fake(form="base"), path, work) == ("writer", "base", True)
