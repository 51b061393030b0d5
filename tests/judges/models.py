"""A model that answers what a test says, and prompts written on the spot."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retroweave.pipeline.model import Abilities, Answer, Form, Message, Request
from retroweave.text.prompts import Prompt, read_prompt

LOGPROBS = Abilities(chat=True, complete=True, logprobs=20, complete_logprobs=20, embed=True)
NONE_TOLD = Abilities(chat=True, complete=True, embed=True)


@dataclass
class Scripted:
    """A `Model`. `answers` is given all that was sent as one text, and gives an answer, or how probable yes is."""

    answers: Callable[[str], Answer | str | float] = lambda sent: 0.5
    abilities: Abilities = LOGPROBS
    form: Form = "chat"
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    name: str = "model"

    async def chat(self, messages: Sequence[Message], **sampling: Any) -> Answer:
        return await self.ask(Request("chat", messages=tuple(messages), **sampling))

    async def complete(self, document: str, **sampling: Any) -> Answer:
        return await self.ask(Request("complete", text=document, **sampling))

    async def embed(self, text: str) -> tuple[float, ...]:
        return tuple(self.vectors[text])

    async def ask(self, request: Request, hidden: Sequence[str] = (), plain: str = "", *, noted: bool = True) -> Answer:
        self.asked.append(request)
        said = self.answers(sent(request))
        if isinstance(said, float):
            return sure(said)
        return said if isinstance(said, Answer) else Answer(said)

    def note(self, **what: Any) -> None:
        raise NotImplementedError


def sent(request: Request) -> str:
    return request.text + "\n".join(message["content"] for message in request.messages)


def sure(yes: float) -> Answer:
    """An answer whose first token is yes with this probability, and else no."""
    alternatives = [(token, math.log(share)) for token, share in (("Yes", yes), ("No", 1 - yes)) if share > 0]
    return Answer("Yes" if yes >= 0.5 else "No", first=tuple(alternatives))


def a_prompt(
    folder: Path,
    text: str = "%% user\nIs it so? {{ passage }}\n%% document\n{{ passage }} Is it so?",
    name: str = "so",
    examples: str = "",
) -> Prompt:
    path = folder / f"{name}.prompt"
    path.write_text(text, "utf-8")
    if examples:
        path.with_suffix(".examples.yaml").write_text(examples, "utf-8")
    return read_prompt(path)
