"""Asking: what stands behind the `Model` that a step is handed.

Each request that samples has a seed of its own, from the run's seed, the step, the row and what is asked, so that a
thousand rows with one prompt get a thousand answers, and the same run the same ones. What was asked and answered is
noted on the row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retroweave.pipeline.budget import Ledger
from retroweave.pipeline.client import Client
from retroweave.pipeline.errors import Drop
from retroweave.pipeline.model import Abilities, Answer, Form, Message, Refused, Request, TooLong
from retroweave.pipeline.row import Row, digest

__all__ = ["BoundModel", "Desk"]


class BoundModel:
    """A `Model`: a client bound to the step and the row that ask."""

    def __init__(self, name: str, client: Client, step: str, row: Row, salt: bytes) -> None:
        self._name = name
        self._client = client
        self._step = step
        self._row = row
        self._salt = salt
        self._asked: Counter[bytes] = Counter()

    @property
    def name(self) -> str:
        return self._name

    @property
    def abilities(self) -> Abilities:
        return self._client.abilities

    @property
    def form(self) -> Form:
        return self._client.form

    async def chat(self, messages: Sequence[Message], **sampling: Any) -> Answer:
        return await self.ask(Request("chat", messages=tuple(messages), **sampling))

    async def complete(self, document: str, **sampling: Any) -> Answer:
        return await self.ask(Request("complete", text=document, **sampling))

    async def embed(self, text: str) -> tuple[float, ...]:
        return (await self.ask(Request("embed", text=text))).vector

    async def ask(self, request: Request, hidden: Sequence[str] = (), plain: str = "", *, noted: bool = True) -> Answer:
        if request.sampled:
            request = request.seeded(self._seed(request))
        self._row.hidden = (*self._row.hidden, *hidden)
        try:
            answer = await self._waited_for(request)
        except TooLong as error:
            self._note(request, plain, error=str(error))
            raise Drop(f"the prompt is longer than the context of {self.name}") from error
        except Refused as error:
            self._note(request, plain, error=str(error))
            raise
        if noted and request.kind != "embed":
            self._note(request, plain, answer)
        return answer

    async def _waited_for(self, request: Request) -> Answer:
        row = self._row
        row.waits += 1
        row.crossed = row.crossed or row.waits > 1
        try:
            return await self._client.ask(request, row.path)
        finally:
            row.waits -= 1

    def _seed(self, request: Request) -> int:
        """31 bits. Equal requests of one step on one row are numbered: they are draws, and differ."""
        content = request.encoded()
        self._asked[content] += 1
        seed = digest(self._salt, self._step, self.name, self._row.id, self._asked[content], content)
        return int.from_bytes(seed[:4], "big") >> 1

    def _note(self, request: Request, plain: str, answer: Answer | None = None, error: str = "") -> None:
        note: dict[str, Any] = {"prompt": list(request.messages) if request.kind == "chat" else request.text}
        if plain:
            note["plain"] = plain
        if answer is not None:
            note |= {
                "answer": answer.text,
                "finish": answer.finish,
                "tokens": [answer.prompt_tokens, answer.completion_tokens],
            }
        if error:
            note["error"] = error
        self.note(**note)

    def note(self, **what: Any) -> None:
        self._row.calls = (*self._row.calls, {"step": self._step, "model": self.name, **what})


@dataclass
class Desk:
    """The clients of a run, by the names that its pipeline gives the models."""

    clients: Mapping[str, Client] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    def model(self, name: str, step: str, row: Row, salt: bytes) -> BoundModel:
        return BoundModel(name, self.clients[name], step, row, salt)
