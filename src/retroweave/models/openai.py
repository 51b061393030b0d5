"""Any server that speaks the OpenAI API: vLLM, llama.cpp, Ollama, OpenRouter, OpenAI itself.

An `OpenAI` sends one request and says what became of it. It never sends anything twice by itself, since whoever calls
it counts what is sent and paid: where a server turns out not to know a field, that field is left out from then on, and
the request ends as `Faulty`, to be sent again by the caller.

All that changes an answer is said in every request, since what is left out is filled in by the server: vLLM takes it
from the model's `generation_config.json`, llama.cpp from its command line.
"""

from __future__ import annotations

import os
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from retroweave.models.address import PATHS, PUBLIC, address
from retroweave.models.complaints import Complaint, read_complaint
from retroweave.models.connections import Broken, Connections, Reply
from retroweave.models.replies import read_answer, read_json
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import (
    Abilities,
    Answer,
    Busy,
    Faulty,
    Form,
    ModelSpec,
    Refused,
    Request,
    TooLong,
    Unusable,
)

__all__ = ["OpenAI"]

LONGEST_WAIT = 3600.0
"""Seconds that a server may ask for at once."""
EXTENSIONS = ("top_k", "min_p", "repetition_penalty", "repeat_penalty")
"""Sampling parameters that OpenAI does not have. Where they are not sent, other servers' own defaults apply. The last
is llama.cpp's name for the one before."""
PLAIN: dict[str, float] = {
    "n": 1,
    "temperature": 1.0,
    "top_p": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "repeat_penalty": 1.0,
}
"""With these values a field does nothing: left out of a request, it is not missed. `top_k` and `seed` are such too."""
OWN = frozenset({*PLAIN, "top_k", "seed", "stop", "max_tokens", "max_completion_tokens", "model", "messages", "prompt"})
OWN |= {"input", "logprobs", "top_logprobs", "response_format", "stream", "echo", "best_of"}
"""Fields that a model's options may not set."""


class OpenAI:
    """One model on one server. It lives in one event loop: the one in which it first sends something."""

    def __init__(self, spec: ModelSpec) -> None:
        self.name, self.url = address(spec.use.partition(":")[2])
        self.form: Form = spec.form or "chat"
        self.in_flight = spec.in_flight or 256
        self.abilities: Abilities | None = None
        clash = OWN & spec.options.keys()
        if clash:
            raise UserError(
                f"The options of the model {self.name!r} are sent as further fields of each request; "
                f"{sorted(clash)[0]!r} is not one of them: retroweave sets it itself."
            )
        self._options = dict(spec.options)
        self.identity = f"openai:{self.name}@{self.url}"
        if self._options:
            self.identity += f" {orjson.dumps(self._options, option=orjson.OPT_SORT_KEYS).decode()}"
        host = urlsplit(self.url).hostname
        public = host == urlsplit(PUBLIC).hostname
        self.left_out: tuple[str, ...] = EXTENSIONS if public else ()
        """Fields that the server does not take, or takes and ignores: its own defaults apply."""
        self._limit = "max_completion_tokens" if public else "max_tokens"
        self._top_k_off = 0 if host == "openrouter.ai" else -1  # there it is 0 or more; old vLLM wants -1
        self._key_variable = spec.key or ("OPENAI_API_KEY" if public else "")
        self._key = ""
        self._connections: Connections | None = None
        self._answered = False

    async def send(self, request: Request, timeout: float) -> Answer:
        """One answer within `timeout` seconds, from one HTTP request and no more.

        Raises `Busy`, `Faulty`, `Refused` (`TooLong` where the context is too small) or `Unusable`. A field that the
        server does not know, and that does nothing in this request, is left out of later ones and named in `left_out`;
        this request is `Faulty`: send it again. Only to explain a 404 it also asks for the list of models.
        """
        body = self._body(request)
        try:
            data = orjson.dumps(body)
        except TypeError as error:
            raise Refused(f"The prompt cannot be sent as JSON: {error}. It may hold half a character.") from error
        server = self._connections or self._open()
        reply = await server.post(PATHS[request.kind], data, timeout)
        if isinstance(reply, Broken):
            raise self._failure(reply, timeout)
        if not 200 <= reply.status < 300:
            raise await self._refusal(reply, request, body)
        return self._answer(request, reply.body)

    async def close(self) -> None:
        """Close the connections. What is under way ends as `Faulty`.

        As when it is called off, the server is not told: the library keeps that connection until the request's time is
        out, or the process ends.
        """
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.close()

    def _body(self, request: Request) -> dict[str, Any]:
        """The fields of a request, without those that the server does not take."""
        body: dict[str, Any] = {"model": self.name, **self._options}
        if request.kind == "embed":
            body["input"] = request.text
            return body
        if request.kind == "chat":
            body["messages"] = [dict(message) for message in request.messages]
            body[self._limit] = request.max_tokens
        else:
            body["prompt"] = request.text
            body["max_tokens"] = request.max_tokens
        body["n"] = 1
        body["temperature"] = request.temperature
        body["top_p"] = request.top_p
        body["frequency_penalty"] = request.frequency_penalty
        body["presence_penalty"] = request.presence_penalty
        body["seed"] = request.seed % 2**31  # what every server can hold
        body["top_k"] = request.top_k or self._top_k_off
        body["min_p"] = request.min_p
        body["repetition_penalty"] = body["repeat_penalty"] = 1.0
        if request.stop:
            body["stop"] = request.stop
        if request.logprobs:
            _ask_for_logprobs(body, request)
        if request.schema is not None:
            wanted = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        for name in self.left_out:
            self._leave_out(name, body)
        return body

    def _leave_out(self, name: str, body: dict[str, Any]) -> None:
        """Take a field out of the request. Raises `Refused` where it would be missed."""
        if name in body and not self._is_plain(name, body[name]):
            raise Refused(
                f"The server at {self.url} does not take {name!r}, and this request sets it to {body[name]!r}. Leave "
                "it at its default, or use another server."
            )
        body.pop(name, None)

    def _is_plain(self, name: str, value: Any) -> bool:
        """Whether the field does nothing. A seed makes answers repeatable, and these are kept anyway."""
        if name == "top_k":
            return bool(value <= 0)
        return name == "seed" or PLAIN.get(name) == value

    def _open(self) -> Connections:
        self._key = self._read_key()
        self._connections = Connections(self.url, self._key)
        return self._connections

    def _read_key(self) -> str:
        if not self._key_variable:
            return ""
        key = os.environ.get(self._key_variable, "").strip()
        if not key:
            raise Unusable(
                f"The model {self.name!r} needs a key, and the environment variable {self._key_variable} that is to "
                f"hold it is not set. Set it, e.g. export {self._key_variable}=..."
            )
        if not key.isascii() or not key.isprintable():
            raise Unusable(
                f"The environment variable {self._key_variable} holds characters that no key has: letters, digits and "
                "signs of ASCII are expected. Set it anew."
            )
        return key

    def _answer(self, request: Request, data: bytes) -> Answer:
        if not self._answered and data.lstrip()[:1] == b"<":
            raise Unusable(self._not_compatible())
        try:
            found = read_json(data)
            self._raise_error_in(found)
            answer = read_answer(request.kind, found)
        except Faulty as fault:
            repeats = self._key and self._key.encode() in data  # of which a glimpse may show any part
            said = "The server's answer is malformed, and repeats the key" if repeats else self._said(str(fault), 500)
        else:
            self._answered = True
            if found.get("system_fingerprint") == "fp_ollama":
                self._note_what_ollama_drops(request)
            return answer
        raise Faulty(f"{said}.")  # not while the other one is handled: that may hold the key

    def _raise_error_in(self, found: Any) -> None:
        """A router that had begun to answer can tell an error only inside of an answer."""
        if type(found) is not dict:
            return
        choices = found.get("choices")
        first = choices[0] if type(choices) is list and choices else None
        error = found.get("error") or (first.get("error") if type(first) is dict else None)
        if not error:
            return
        complaint = read_complaint(200, orjson.dumps({"error": error}))
        words = f"The server at {self.url} sent an error in place of an answer: {self._said(complaint.words)}"
        if {"429", "503"} & complaint.codes:
            raise Busy(words)
        raise TooLong(words) if complaint.too_long else Faulty(words)

    def _note_what_ollama_drops(self, request: Request) -> None:
        """Ollama takes any field, and drops in silence those that it does not know. It is known by its fingerprint."""
        self._learn(EXTENSIONS)
        if request.top_k or request.min_p:
            name = "top_k" if request.top_k else "min_p"
            raise Refused(
                f"Ollama, at {self.url}, ignores {name!r}, and this request sets it. Leave it at its default, or use "
                "another server."
            )

    def _learn(self, names: tuple[str, ...]) -> None:
        self.left_out = tuple(dict.fromkeys((*self.left_out, *names)))

    def _failure(self, broken: Broken, timeout: float) -> Exception:
        """What it means that there was no response, or not a whole one."""
        if broken.timed_out:
            return Faulty(f"The server at {self.url} sent no whole answer within {timeout:g} s.")
        why = self._said(broken.why)
        if broken.found_nobody and not self._answered:
            return Unusable(f"There is no server at {self.url}: {why}. Start it, or correct the URL after the @.")
        return Faulty(f"The connection to {self.url} broke: {why}.")

    async def _refusal(self, reply: Reply, request: Request, body: dict[str, Any]) -> Exception:
        """What a response means that is no success."""
        complaint = read_complaint(reply.status, reply.body)
        status = complaint.status
        words = f"The server at {self.url} answered {status}: {self._said(complaint.words) or 'no reason given'}"
        if 300 <= status < 400:
            return Unusable(self._redirected(reply))
        if complaint.broke:
            return Unusable(f"{words}. The account has no money left: add some, or use another model.")
        if status in (429, 503, 529):
            return Busy(words, _wait(reply))
        if status in (401, 403):
            return Refused(words) if complaint.flagged else Unusable(self._locked(words))
        if status in (404, 405, 501):
            return await self._missing(complaint, words, request)
        if status in (400, 413, 422, 500) and complaint.too_long:
            return TooLong(words)
        if status >= 500 or status in (408, 409, 425):
            return Faulty(words)
        return self._refused(complaint, words, body)

    def _refused(self, complaint: Complaint, words: str, body: dict[str, Any]) -> Exception:
        """A request that the server does not want: learn what it is about, where it can do without."""
        if complaint.kind == "html" and not self._answered:
            return Unusable(self._not_compatible())
        if complaint.no_such_model and complaint.param in ("", "model"):
            return Unusable(f"{words}. Correct the model's name before the @.")
        if "messages" in body and "max_tokens" in body and complaint.not_known(("max_tokens",)):
            self._limit = "max_completion_tokens"
            return Faulty(f"{words}. From now on it is sent as max_completion_tokens.", charged=False)
        names = complaint.not_known(body.keys() & {*PLAIN, "top_k", "seed"})
        missed = [name for name in names if not self._is_plain(name, body[name])]
        if not names or missed:
            return Refused(words)
        self._learn(names)
        if set(names) & set(EXTENSIONS):
            self._learn(("repeat_penalty",))  # who knows not all of the others knows none of llama.cpp's own
        return Faulty(f"{words}. From now on {', '.join(map(repr, names))} will be left out.", charged=False)

    async def _missing(self, complaint: Complaint, words: str, request: Request) -> Unusable:
        """A path or a model that is not there: the list of models tells which."""
        path = PATHS[request.kind]
        if complaint.kind == "json" and complaint.status == 501:
            return Unusable(f"{words}. It does not offer {path}.", everywhere=False)
        models = await self._models()
        if complaint.kind == "json" and complaint.no_such_model and self.name not in (models or ()):
            there = f" It has {', '.join(models[:5])}{' ...' if len(models) > 5 else ''}." if models else ""
            return Unusable(f"{words}. There is no model {self.name!r}: correct the name before the @.{there}")
        if models is not None:
            return Unusable(f"{words}. It does not offer {path} for {self.name!r}.", everywhere=False)
        return Unusable(self._not_compatible())

    async def _models(self) -> list[str] | None:
        """What the server lists, `None` where it answers with no list at once."""
        server = self._connections or self._open()
        reply = await server.get("/models", 3.0)
        try:
            found = None if isinstance(reply, Broken) or reply.status != 200 else read_json(reply.body)
        except Faulty:
            return None  # this only explains an error that is told anyway
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            return None
        return [self._said(str(each.get("id")), 80) for each in listed if isinstance(each, dict)]

    def _locked(self, words: str) -> str:
        if self._key_variable:
            return f"{words}. Set {self._key_variable}, which holds the key, to one that may use {self.name!r}."
        return (
            f"{words}. It wants a key, and none was named: put it into an environment variable, and the variable's "
            "name under `key:` in the config's models table."
        )

    def _redirected(self, reply: Reply) -> str:
        target = self._said(reply.header("Location") or "another URL")
        return f"The server at {self.url} sends requests on to {target}. Put the URL that answers itself after the @."

    def _not_compatible(self) -> str:
        return (
            f"The server at {self.url} answers, but not as an OpenAI-compatible server; check the URL, it usually ends "
            "in /v1."
        )

    def _said(self, text: str, length: int = 300) -> str:
        """A server's words on one line, trimmed, and without the key: some repeat it, whole or its beginning."""
        if self._key:
            text = text.replace(self._key, "[key]")
            if len(self._key) >= 16:
                text = re.sub(re.escape(self._key[:8]) + r"[^\s\"']*", "[key]", text)
        text = " ".join(text.split()).rstrip(".")
        return text if len(text) <= length else f"{text[:length]}…"


def _ask_for_logprobs(body: dict[str, Any], request: Request) -> None:
    if request.kind == "chat":
        body["logprobs"] = True
        body["top_logprobs"] = request.logprobs
    else:
        body["logprobs"] = request.logprobs


def _wait(reply: Reply) -> float | None:
    """Seconds of a `Retry-After`, which is a number or a date; `None` where it says nothing that makes sense."""
    told = reply.header("Retry-After")
    if told is None:
        return None
    try:
        seconds = float(told)
    except ValueError:
        date = reply.header("Date")
        try:
            seconds = _moment(told) - (time.time() if date is None else _moment(date))
        except (ValueError, OverflowError):
            return None
    return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else None  # nan is no number


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
