"""What an endpoint can do, found out by asking it: a handful of tiny requests, once and for all.

Servers that speak one protocol leave out different parts of it, and the documentation says less than an attempt. What
was found is kept in the journal of calls. The requests count as any others do.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.calls import CallJournal
from retroweave.pipeline.client import CallFailed, Client
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.model import Abilities, Answer, Refused, Request, Unusable

__all__ = ["greet", "probe"]

LOGPROBS = (20, 5)
"""Numbers of alternatives to ask for: most servers bound them at one of these."""
HELLO = ({"role": "user", "content": "Say yes."},)
TURN = Request("chat", messages=HELLO, max_tokens=1, temperature=0.0)
DOCUMENT = Request("complete", text="One, two, three, four,", max_tokens=1, temperature=0.0)
SCHEMA = {
    "type": "object",
    "properties": {"yes": {"type": "boolean"}},
    "required": ["yes"],
    "additionalProperties": False,
}


async def greet(desk: Desk, calls: CallJournal) -> None:
    """Find out what each model of a run can do, unless it is known. Raises `Unusable` where there is none."""
    for client in desk.clients.values():
        if client.endpoint.abilities is not None:
            client.abilities = client.endpoint.abilities
            continue
        identity = client.endpoint.identity
        known = calls.abilities(identity)
        client.abilities = known or await probe(client)
        if known is None:
            calls.keep_abilities(identity, client.abilities)


async def probe(client: Client) -> Abilities:
    """What the endpoint can do. Raises `Unusable`, as a `UserError`, where it answers nothing at all."""
    (chat, trouble), (complete, other), (embedding, _) = await asyncio.gather(
        _tried(client, TURN), _tried(client, DOCUMENT), _tried(client, Request("embed", text="one"))
    )
    can_embed = embedding is not None and bool(embedding.vector)
    if chat is None and complete is None and not can_embed:
        raise trouble or other or Unusable(f"The model {client.name!r} answers no request at all.")
    logprobs, schema, complete_logprobs = await asyncio.gather(
        _logprobs(client, TURN, asked=chat is not None),
        _holds_to_schema(client, asked=chat is not None),
        _logprobs(client, DOCUMENT, asked=complete is not None),
    )
    return Abilities(
        chat=chat is not None,
        complete=complete is not None,
        logprobs=logprobs,
        complete_logprobs=complete_logprobs,
        schema=schema,
        embed=can_embed,
    )


async def _tried(client: Client, request: Request) -> tuple[Answer | None, Exception | None]:
    """An answer, or why there is none. A server that cannot be reached, or a key that is wrong, ends it here."""
    try:
        return await client.ask(request), None
    except Refused as error:
        return None, Unusable(f"The model {client.name!r} ({client.spec.use}) refuses the simplest request: {error}")
    except CallFailed as error:  # some servers break off where they should refuse
        return None, Unusable(f"The model {client.name!r} ({client.spec.use}) answers nothing: {error}")
    except RunStopped as stop:
        if isinstance(stop.__cause__, Unusable):
            if stop.__cause__.everywhere:
                raise stop.__cause__ from None
            return None, stop.__cause__
        raise


async def _logprobs(client: Client, request: Request, *, asked: bool) -> int:
    for count in LOGPROBS if asked else ():
        answer, _ = await _tried(client, replace(request, logprobs=count))
        if answer is not None:
            return min(count, len(answer.first))
    return 0


async def _holds_to_schema(client: Client, *, asked: bool) -> bool:
    if not asked:
        return False
    request = Request("chat", messages=HELLO, max_tokens=30, temperature=0.0, schema=SCHEMA)
    answer, _ = await _tried(client, request)
    if answer is None:
        return False
    try:
        said = json.loads(answer.text)
    except ValueError:
        return False
    return isinstance(said, dict) and isinstance(said.get("yes"), bool)
