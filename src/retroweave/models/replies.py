"""What a good answer looks like in the OpenAI API, read with distrust.

Whatever is of another type than it should be is `Faulty`, with what was expected and found; what only some servers send
(reasoning, fingerprints, timings) is left aside. Nothing here speaks to a server.
"""

from __future__ import annotations

import json
import reprlib
from typing import Any

import orjson

from retroweave.pipeline.model import Answer, Faulty, Kind

__all__ = ["read_answer", "read_json"]

_FINISH = {
    None: "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
}
"""What servers say in place of OpenAI's own `stop` and `length`."""

_GLIMPSE = reprlib.Repr()
_GLIMPSE.maxstring = _GLIMPSE.maxother = 80
_GLIMPSE.maxlevel = 2

First = tuple[tuple[str, float], ...]


def read_json(data: bytes) -> Any:
    """The body of a response. Some servers in Python write `-Infinity` and `NaN`, which JSON has not: they are null."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if b"Infinity" not in data and b"NaN" not in data:
            raise Faulty(f"The server's answer is not JSON: {error}; it begins {_shown(data)}.") from None
    try:
        return orjson.loads(orjson.dumps(json.loads(data)))
    except (ValueError, TypeError, RecursionError) as error:
        raise Faulty(f"The server's answer is not JSON: {error}; it begins {_shown(data)}.") from None


def read_answer(kind: Kind, found: Any) -> Answer:
    """The answer in a parsed body; raises `Faulty` for all that is none."""
    reply = _dict(found, "the answer")
    prompt_tokens, completion_tokens = _usage(reply.get("usage"))
    if kind == "embed":
        return Answer(prompt_tokens=prompt_tokens, vector=_vector(_first(reply, "data")))
    choice = _first(reply, "choices")
    if kind == "chat":
        text = _content(_dict(choice.get("message"), "choices[0].message").get("content"))
    else:
        text = _text(choice.get("text"), "choices[0].text")
    return Answer(text, _finish(choice), prompt_tokens, completion_tokens, _alternatives(choice.get("logprobs")))


def _dict(found: Any, place: str) -> dict[str, Any]:
    if type(found) is not dict:
        raise _wrong(place, "an object", found)
    return found


def _first(reply: dict[str, Any], name: str) -> dict[str, Any]:
    found = reply.get(name)
    if type(found) is not list or not found:
        raise _wrong(name, "a list with one item or more", found)
    return _dict(found[0], f"{name}[0]")


def _text(found: Any, place: str) -> str:
    if found is None:
        return ""
    if type(found) is not str:
        raise _wrong(place, "a string", found)
    return found


def _content(found: Any) -> str:
    """A message's text; of parts, the text parts."""
    if type(found) is not list:
        return _text(found, "choices[0].message.content")
    parts = [_dict(part, "a part of choices[0].message.content") for part in found]
    return "".join(
        _text(part.get("text"), "the text of a part") for part in parts if part.get("type", "text") == "text"
    )


def _finish(choice: dict[str, Any]) -> str:
    found = choice.get("finish_reason")
    if found is not None and type(found) is not str:
        raise _wrong("choices[0].finish_reason", "a string", found)
    return str(_FINISH.get(found, found))[:40]


def _usage(found: Any) -> tuple[int | None, int | None]:
    """The counts of tokens; what is no count is not known, since an answer is good without."""
    if type(found) is not dict:
        return None, None
    return _count(found.get("prompt_tokens")), _count(found.get("completion_tokens"))


def _count(found: Any) -> int | None:
    return found if type(found) is int and found >= 0 else None


def _alternatives(found: Any) -> First:
    """The first token's alternatives: a list in `content` in chats and llama.cpp, a dictionary in completions."""
    if found is None:
        return ()
    logprobs = _dict(found, "choices[0].logprobs")
    if logprobs.get("content"):
        first = _first(logprobs, "content")
        told = first.get("top_logprobs") or [first]
        if type(told) is not list:
            raise _wrong("top_logprobs", "a list", told)
        return _likeliest(
            [(each.get("token"), each.get("logprob")) for each in (_dict(one, "top_logprobs") for one in told)]
        )
    told = logprobs.get("top_logprobs")
    if not told:
        return ()
    if type(told) is not list:
        raise _wrong("top_logprobs", "a list", told)
    return _likeliest(list(_dict(told[0], "top_logprobs[0]").items())) if told[0] is not None else ()


def _likeliest(pairs: list[tuple[Any, Any]]) -> First:
    """Sorted, and without those that cannot happen: their log-probability, -inf, is null in JSON."""
    known: list[tuple[str, float]] = []
    for token, logprob in pairs:
        if type(token) is not str:
            raise _wrong("a token in logprobs", "a string", token)
        if logprob is None:
            continue
        if type(logprob) not in (float, int):
            raise _wrong(f"the log-probability of {token!r}", "a number", logprob)
        known.append((token, float(logprob)))
    return tuple(sorted(known, key=lambda pair: (-pair[1], pair[0])))


def _vector(item: dict[str, Any]) -> tuple[float, ...]:
    found = item.get("embedding")
    if type(found) is not list or not found or any(type(number) not in (float, int) for number in found):
        raise _wrong("data[0].embedding", "a list of numbers", found)
    return tuple(map(float, found))


def _wrong(place: str, expected: str, found: Any) -> Faulty:
    return Faulty(f"In the server's answer {place} should be {expected}, and is {_shown(found)}.")


def _shown(found: Any) -> str:
    """A glimpse of it: what a server sends may be of any size."""
    text = _GLIMPSE.repr(found[:80] if isinstance(found, bytes) else found)
    return text if len(text) <= 120 else f"{text[:120]}…"
