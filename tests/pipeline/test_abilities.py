"""What an endpoint can do is found out by asking it, whatever parts of the protocol it leaves out, and then known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.endpoints import Asked, Fake, Reply, asking

from retroweave.pipeline.abilities import greet, probe
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget, OutOfBudget
from retroweave.pipeline.model import Abilities, Answer, Faulty, Refused, Request, Unusable

ALL = Abilities(chat=True, complete=True, logprobs=20, complete_logprobs=20, schema=True, embed=True)
NO_TEMPLATE = Unusable("The model has no chat template.", everywhere=False)


def server(
    chat: Exception | None = None,
    complete: Exception | None = None,
    embed: Exception | None = None,
    logprobs: int = 20,
    bound: int = 20,
    schema: str | Exception = '{"yes": true}',
) -> Fake:
    """A server that can do all but what is said; of more than `bound` log-probabilities it will not hear."""

    def reply(request: Request) -> Reply:
        trouble = {"chat": chat, "complete": complete, "embed": embed}[request.kind]
        if trouble is not None:
            return trouble
        if request.kind == "embed":
            return Answer(prompt_tokens=1, vector=(0.5, 1.0))
        if request.schema is not None:
            return schema
        if request.logprobs > bound:
            return Refused(f"at most {bound} logprobs")
        first = tuple((str(n), -float(n)) for n in range(min(logprobs, request.logprobs)))
        return Answer("yes", "stop", 5, 1, first)

    return Fake(reply, abilities=None)


def ran(endpoint: Fake, tmp_path: Path, work: Callable[[Asked], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def whole() -> Any:
        async with asking(endpoint, tmp_path / "calls.sqlite", **options) as asked:
            return await work(asked)

    return asyncio.run(whole())


def found(endpoint: Fake, tmp_path: Path, **options: Any) -> Any:
    return ran(endpoint, tmp_path, lambda asked: probe(asked.client), **options)


class TestProbe:
    def test_a_server_that_can_do_all_is_known_for_it_after_a_handful_of_tiny_requests(self, tmp_path: Path) -> None:
        endpoint = server()
        assert found(endpoint, tmp_path) == ALL
        assert len(endpoint.sent) <= 8
        spoken = [request for request in endpoint.sent if request.kind != "embed"]
        assert all(request.max_tokens <= 30 and request.temperature == 0 for request in spoken)

    @pytest.mark.parametrize(
        ("endpoint", "able"),
        [
            (
                server(complete=Refused("no such path"), embed=Refused("no such path")),
                replace(ALL, complete=False, complete_logprobs=0, embed=False),
            ),
            (server(chat=NO_TEMPLATE), replace(ALL, chat=False, logprobs=0, schema=False)),
            (server(logprobs=0), replace(ALL, logprobs=0, complete_logprobs=0)),
            (server(logprobs=3), replace(ALL, logprobs=3, complete_logprobs=3)),
            (server(bound=5), replace(ALL, logprobs=5, complete_logprobs=5)),
            (server(bound=0), replace(ALL, logprobs=0, complete_logprobs=0)),
            (server(schema="Yes, of course."), replace(ALL, schema=False)),
            (server(schema='{"yes": "true"}'), replace(ALL, schema=False)),
            (server(schema='["yes"]'), replace(ALL, schema=False)),
            (server(schema=Refused("response_format is not known")), replace(ALL, schema=False)),
            (server(schema=Faulty("500, llama_grammar")), replace(ALL, schema=False)),
            (
                server(chat=Refused("an embedding model"), complete=Refused("an embedding model")),
                Abilities(chat=False, embed=True),
            ),
        ],
        ids=[
            "chat only",
            "completion only",
            "no logprobs",
            "fewer logprobs than asked for",
            "five logprobs",
            "logprobs refused",
            "schema ignored",
            "schema half followed",
            "schema not followed",
            "schema refused",
            "schema that breaks it",
            "embeddings only",
        ],
    )
    def test_what_it_cannot_do_is_known(self, tmp_path: Path, endpoint: Fake, able: Abilities) -> None:
        assert found(endpoint, tmp_path) == able

    def test_one_that_can_do_nothing_is_unusable_and_the_first_reason_is_told(self, tmp_path: Path) -> None:
        endpoint = server(
            chat=Refused("the prompt is haunted"), complete=Refused("nor this"), embed=Refused("nor that")
        )
        with pytest.raises(Unusable, match=r"'model' \(scripted:fake\) refuses the simplest request: the prompt is ha"):
            found(endpoint, tmp_path)

    def test_one_that_breaks_off_whatever_it_is_asked_is_unusable(self, tmp_path: Path) -> None:
        broken = Faulty("502 from the router")
        with pytest.raises(Unusable, match=r"'model' \(scripted:fake\) answers nothing: .*502 from the router"):
            found(server(broken, broken, broken), tmp_path)

    def test_one_that_has_none_of_it_is_told_as_it_said(self, tmp_path: Path) -> None:
        with pytest.raises(Unusable, match="no chat template"):
            found(server(NO_TEMPLATE, Refused("nor this"), Refused("nor that")), tmp_path)

    def test_where_nothing_will_be_answered_little_more_is_asked(self, tmp_path: Path) -> None:
        endpoint = server(chat=Unusable("The key in OPENAI_API_KEY is not accepted."))
        with pytest.raises(Unusable, match="OPENAI_API_KEY"):
            found(endpoint, tmp_path)
        assert len(endpoint.sent) <= 3  # one of each kind, at the same time

    def test_the_requests_count(self, tmp_path: Path) -> None:
        endpoint = server()
        with pytest.raises(OutOfBudget, match="3 of 3 calls"):
            found(endpoint, tmp_path, budget=Budget(calls=3))
        assert len(endpoint.sent) == 3


class TestGreet:
    @staticmethod
    async def greeted(asked: Asked) -> Abilities:
        await greet(Desk({"model": asked.client, "the same": asked.client}), asked.calls)
        return asked.client.abilities

    def test_what_was_found_is_remembered_by_later_runs(self, tmp_path: Path) -> None:
        first, second = (server(bound=5, embed=Refused("no such path")) for _ in range(2))
        able = ran(first, tmp_path, self.greeted)
        assert ran(second, tmp_path, self.greeted) == able
        assert (able.logprobs, able.embed) == (5, False)
        assert second.sent == []  # refusals stand in no journal: what is refused would be asked for again

    def test_what_is_known_without_asking_is_not_asked(self, tmp_path: Path) -> None:
        endpoint = server()
        endpoint.abilities = Abilities(chat=True)
        assert ran(endpoint, tmp_path, self.greeted) == Abilities(chat=True)
        assert endpoint.sent == []

    def test_what_was_not_found_out_to_the_end_is_not_remembered(self, tmp_path: Path) -> None:
        with pytest.raises(OutOfBudget):
            ran(server(), tmp_path, self.greeted, budget=Budget(calls=3))
        endpoint = server()
        assert ran(endpoint, tmp_path, self.greeted) == ALL
        assert len(endpoint.sent) == 3  # the others' answers stand in the journal
