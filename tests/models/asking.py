"""What the tests of the OpenAI endpoint share: one request sent to a server, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.model_server import ModelServer, Raw

from retroweave.models.openai import OpenAI
from retroweave.pipeline import loop
from retroweave.pipeline.model import Answer, ModelSpec, Request

CHAT = Request("chat", messages=({"role": "user", "content": "Say yes."},), max_tokens=20)
COMPLETE = Request("complete", text="One, two,", max_tokens=20)
EMBED = Request("embed", text="one")


def endpoint(server: ModelServer, name: str = "small", **spec: Any) -> OpenAI:
    return OpenAI(ModelSpec(f"openai:{name}@{server.url}", **spec))


async def each(model: OpenAI, requests: Iterable[Request], timeout: float) -> list[Answer | Exception]:
    """Requests sent one after another; an exception stands for itself."""
    found: list[Answer | Exception] = []
    for request in requests:
        try:
            found.append(await model.send(request, timeout))
        except Exception as error:
            found.append(error)
    await model.close()
    return found


def all_sent(model: OpenAI, *requests: Request, timeout: float = 20.0) -> list[Answer | Exception]:
    return loop.run(each(model, requests, timeout))


def sent(model: OpenAI, request: Request = CHAT, timeout: float = 20.0) -> Answer:
    """The answer; raises what the endpoint raises."""
    (found,) = all_sent(model, request, timeout=timeout)
    if isinstance(found, Exception):
        raise found
    return found


def refusal(response: Raw | str, kind: type[Exception], request: Request = CHAT, **spec: Any) -> Exception:
    """What the endpoint makes of this response; it is to be of that very kind."""
    with ModelServer() as server:
        server.script.append(response)
        with pytest.raises(kind) as caught:
            sent(endpoint(server, **spec), request)
    assert type(caught.value) is kind
    return caught.value


def choice(**fields: Any) -> Raw:
    """An answer with this one choice."""
    return Raw(200, {"choices": [fields]})
