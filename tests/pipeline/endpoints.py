"""Models for tests: endpoints in this process that answer, stumble and wait as they are told, and a clock to match."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retroweave.pipeline.budget import Budget, Ledger
from retroweave.pipeline.calls import CallJournal
from retroweave.pipeline.client import Client, Patience
from retroweave.pipeline.model import Abilities, Answer, Form, ModelSpec, Price, Request

ALL = Abilities(chat=True, complete=True, logprobs=20, complete_logprobs=20, schema=True, embed=True)
SWIFT = Patience(tries=2, pause=0.0, salvage_after=0.0, hopeless=1e9, busy=1e9, wind_up=5.0)
"""No pause at all, and no end to hope: a test that is about either says so."""

Reply = Answer | str | Exception


@dataclass
class Clock:
    """Time as a test says."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Fake:
    """An endpoint that answers what `reply` says, when `gate` is open."""

    reply: Callable[[Request], Reply] = lambda request: "yes"
    abilities: Abilities | None = ALL
    identity: str = "fake"
    form: Form = "chat"
    in_flight: int = 16
    gate: asyncio.Event | None = None
    sent: list[Request] = field(default_factory=list)
    done: int = 0
    closed: int = 0

    async def send(self, request: Request, timeout: float) -> Answer:
        self.sent.append(request)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        reply = self.reply(request)
        self.done += 1
        if isinstance(reply, Exception):
            raise reply
        return Answer(reply, "stop", 10, 5) if isinstance(reply, str) else reply

    async def close(self) -> None:
        self.closed += 1

    @property
    def texts(self) -> list[str]:
        """What it was asked, without what is around it."""
        return [request.text or request.messages[-1]["content"] for request in self.sent]


def chat(text: str, **sampling: object) -> Request:
    return Request("chat", messages=({"role": "user", "content": text},), **sampling)  # type: ignore[arg-type]


def greedy(text: str) -> Request:
    return chat(text, temperature=0.0, max_tokens=20)


@dataclass
class Asked:
    """A client with all that stands behind it."""

    client: Client
    calls: CallJournal
    ledger: Ledger


@asynccontextmanager
async def asking(
    endpoint: Fake,
    path: Path,
    budget: Budget | None = None,
    patience: Patience = SWIFT,
    clock: Callable[[], float] | None = None,
    price: Price | None = None,
    in_flight: int | None = None,
) -> AsyncIterator[Asked]:
    """A client of this endpoint for the run `run`, whose journal is the file at `path`."""
    calls = CallJournal(path)
    ledger = Ledger(budget or Budget(), calls.spent("run"))
    spec = ModelSpec("scripted:fake", price=price, in_flight=in_flight)
    client = Client("model", spec, endpoint, calls, ledger, "run", patience, clock or Clock())
    try:
        yield Asked(client, calls, ledger)
    finally:
        await client.wind_up()
        calls.close()


async def settled(turns: int = 20) -> None:
    """Let all that can go on go on."""
    for _ in range(turns):
        await asyncio.sleep(0.001)
