"""What is asked of a model, what comes back, and what may go wrong: where pipeline and models meet.

An `Endpoint` answers one request at a time and does nothing else. It does not try again, count or keep anything: all of
that is done in one place for all kinds of models, the `client`. A recipe's steps see neither, but a `Model`, which is a
client bound to the step and the row that ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import orjson

from retroweave.pipeline.errors import UserError

__all__ = [
    "Abilities",
    "Answer",
    "Busy",
    "Endpoint",
    "Faulty",
    "Form",
    "Message",
    "Model",
    "ModelSpec",
    "Price",
    "Refused",
    "Request",
    "TooLong",
    "Unusable",
]

Kind = Literal["chat", "complete", "embed"]
Form = Literal["chat", "base"]
"""How a model wants to be asked: in turns, or with a document that it goes on with."""
Message = Mapping[str, str]
"""One turn: `role` and `content`."""


@dataclass(frozen=True, slots=True)
class Request:
    """All that is sent: nothing that changes an answer stands anywhere else. It is the key of its answer."""

    kind: Kind
    messages: tuple[Message, ...] = ()
    """The turns of a chat."""
    text: str = ""
    """The document to go on with, or the text to embed."""
    max_tokens: int = 256
    temperature: float = 1.0
    """0 is greedy: equal requests then have one answer."""
    top_p: float = 1.0
    top_k: int = 0
    """0 is off."""
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    logprobs: int = 0
    """Of the first token, how many alternatives to tell with their log-probabilities."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema that the answer must follow, where the endpoint can hold it to one."""

    @property
    def sampled(self) -> bool:
        """Whether another seed may give another answer."""
        return self.kind != "embed" and self.temperature > 0

    def seeded(self, seed: int) -> Request:
        return replace(self, seed=seed)

    def encoded(self) -> bytes:
        """The request as JSON, for keys: the same bytes for what is sent alike. A schema's order is its own."""
        return orjson.dumps(self)

    def prompt_bytes(self) -> int:
        """How long the prompt is: at least as many bytes as a byte-level tokenizer finds tokens in it."""
        turns = sum(len(message["content"].encode()) for message in self.messages)
        schema = len(orjson.dumps(self.schema)) if self.schema is not None else 0  # may be put into it
        return len(self.text.encode()) + turns + schema


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered."""

    text: str = ""
    finish: str = "stop"
    """Why it ended: `stop` by itself or at a stop string, `length` where it was cut off, or what the server says."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """As the server counted them; `None` where it does not say."""
    first: tuple[tuple[str, float], ...] = ()
    """The alternatives for the first token, each with its natural log-probability, the likeliest first."""
    vector: tuple[float, ...] = ()
    """An embedding."""

    def encoded(self) -> bytes:
        return orjson.dumps(
            [self.text, self.finish, self.prompt_tokens, self.completion_tokens, self.first, self.vector]
        )

    @classmethod
    def decoded(cls, data: bytes) -> Answer:
        text, finish, prompt_tokens, completion_tokens, first, vector = orjson.loads(data)
        return cls(
            text,
            finish,
            prompt_tokens,
            completion_tokens,
            tuple((token, logprob) for token, logprob in first),
            tuple(vector),
        )


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an endpoint can do. What it cannot is worked around, or refused by name."""

    chat: bool = True
    complete: bool = False
    """Raw completion: it goes on with a document, and no template of turns is put around it."""
    logprobs: int = 0
    """How many alternatives of the first token of a chat's answer it tells, at most; 0 where it tells none."""
    complete_logprobs: int = 0
    """The same for raw completion."""
    schema: bool = False
    """Whether it holds an answer to a JSON schema."""
    embed: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The price of one call, in dollars."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


@dataclass(frozen=True)
class ModelSpec:
    """Which model, where, and on what terms: what `--model` names, with what the config file says of it."""

    use: str
    """`openai:NAME@URL`, `embedded:NAME` or `scripted:NAME`."""
    form: Form | None = None
    """How to ask it; where it is not said, as suits the kind of model."""
    price: Price | None = None
    """`None` where nobody named one; a model that runs here is free."""
    key: str = ""
    """The name of the environment variable that holds the key; the key itself stands nowhere."""
    in_flight: int | None = None
    """The most requests at once; the client finds out how many of them are good."""
    timeout: float = 120.0
    """Seconds for one request."""
    terms: str = ""
    """The SPDX licence or the name of the terms that the model's output comes under, where there are any."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else this kind of model takes."""

    @property
    def kind(self) -> str:
        return self.use.partition(":")[0]

    @property
    def name(self) -> str:
        """The model's own name, without the server that it runs on."""
        called = self.use.partition(":")[2]
        return re.split(r"@(?=https?://)(?!.*@https?://)", called, maxsplit=1, flags=re.IGNORECASE)[0]

    def identity(self) -> dict[str, Any]:
        """What answers depend on, for the fingerprint of a run: not how fast it may be asked, or what it costs."""
        return {"use": self.use, "form": self.form, "options": dict(self.options)}


class Model(Protocol):
    """A model that a step may ask. A parameter annotated so is handed the model of its name in the pipeline:

    async def translate(passage: str, writer: Model) -> str:
        answer = await writer.chat([{"role": "user", "content": f"Say it in French: {passage}"}])
        return answer.text
    """

    @property
    def name(self) -> str: ...

    @property
    def abilities(self) -> Abilities:
        """What the endpoint can do."""
        ...

    @property
    def form(self) -> Form:
        """How it is to be asked: in turns, or with a document to go on with."""
        ...

    async def chat(self, messages: Sequence[Message], **sampling: Any) -> Answer:
        """The next turn. `sampling` are fields of `Request`: max_tokens, temperature, stop, logprobs, schema ..."""
        ...

    async def complete(self, document: str, **sampling: Any) -> Answer:
        """What the model goes on with after `document`."""
        ...

    async def embed(self, text: str) -> tuple[float, ...]:
        """The text's embedding."""
        ...

    async def ask(self, request: Request, hidden: Sequence[str] = (), plain: str = "", *, noted: bool = True) -> Answer:
        """The answer to a request, which is noted on the row.

        `hidden` is context that only the generator may see; where its text shows in the sample, the row is dropped
        (rule 6). `plain` is the prompt that is trained in its place, for the note. A step that asks many times for one
        text leaves the single requests out (`noted`), and notes what came of them. Raises `Drop` where the prompt is
        longer than the model can take.
        """
        ...

    def note(self, **what: Any) -> None:
        """Note on the row what was asked and answered; `what` is JSON values."""
        ...


class Endpoint(Protocol):
    """A model that answers. One attempt a call: whoever calls it decides what to do about a failure."""

    identity: str
    """What its answers are kept under: whatever can change an answer, and no secret."""
    in_flight: int
    """The most requests that are worth having under way at once."""
    abilities: Abilities | None
    """What it can do, where that is known without asking it; else it is probed."""
    form: Form
    """How it wants to be asked."""

    async def send(self, request: Request, timeout: float) -> Answer:
        """One answer within `timeout` seconds. Raises `Busy`, `Faulty`, `Refused` or `Unusable`."""
        ...

    async def close(self) -> None: ...


class Busy(Exception):
    """It asks to be left alone for a while (429, 503). Nothing was made, and nothing charged."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """Seconds that it asks to wait, where it says so."""


class Faulty(Exception):
    """No answer that can be used, though the request was right: an error of the server, or a broken connection.

    Another attempt may do better.
    """

    def __init__(self, reason: str, *, charged: bool = True) -> None:
        super().__init__(reason)
        self.charged = charged
        """Whether it may have been paid for; `False` where the server turned it down before it did anything."""


class Refused(Exception):
    """This request will never be answered: it is too long, or asks for what the server cannot do."""


class TooLong(Refused):
    """The prompt is longer than the model's context."""


class Unusable(UserError):
    """Nothing will be answered: no server, no such model, a wrong key. The message says how to mend it."""

    def __init__(self, message: str, *, everywhere: bool = True) -> None:
        super().__init__(message)
        self.everywhere = everywhere
        """Whether it holds for every kind of request; `False` where another kind may be answered all the same."""
