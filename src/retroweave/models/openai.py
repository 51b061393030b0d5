"""Any server that speaks the OpenAI API: vLLM, llama.cpp, Ollama, OpenRouter, OpenAI itself.

An `OpenAI` sends one request and says what became of it. It never sends anything twice by itself, since whoever calls
it counts what is sent and paid: where a server turns out not to know a field, that field is left out from then on, and
the request ends as `Faulty`, to be sent again by the caller.

All that changes an answer is said in every request, since what is left out is filled in by the server: vLLM takes it
from the model's `generation_config.json`, llama.cpp from its command line.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from retroweave.models.complaints import Complaint, read_complaint
from retroweave.models.connections import room
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

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.response import Response

__all__ = ["OpenAI", "address"]

PUBLIC = "https://api.openai.com/v1"
LARGEST = 32 << 20
"""Bytes of a response; an answer has a few thousand."""
LONGEST_WAIT = 3600.0
"""Seconds that a server may ask for at once."""
IDLE = 4.0
"""Seconds for which an unused connection is kept. uvicorn, Node and llama.cpp close theirs after 5; a request that is
sent just then is lost, and may have been paid for."""

OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL}
"""Why this machine itself cannot connect: it has too many connections."""

_SYSTEM_ERROR = re.compile(r" \(os error (\d+)\)")

PATHS = {"chat": "/chat/completions", "complete": "/completions", "embed": "/embeddings"}
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


def address(name: str) -> tuple[str, str]:
    """The model's name and the base URL of `NAME@URL`; without `@URL`, that of OpenAI.

    The name itself may hold `@`, `/` and `:`. Raises `UserError` where it is none.
    """
    model, at, url = _parted(name)
    if not model:
        raise UserError(
            f"'openai:{name}' names no model. Say openai:NAME@URL, e.g. openai:qwen@http://127.0.0.1:8000/v1."
        )
    if not at:
        _no_bare_host(name)
        return model, PUBLIC
    return model, _checked(url, name)


def _parted(name: str) -> tuple[str, str, str]:
    places = [found.start() for found in re.finditer(r"@(?=https?://)", name, re.IGNORECASE)]
    return (name[: places[-1]], "@", name[places[-1] + 1 :]) if places else (name, "", "")


def _no_bare_host(name: str) -> None:
    """A host without `http://` would be taken for a part of the name, and the name be sent to OpenAI."""
    after = name.rpartition("@")[2]
    if "@" in name and re.fullmatch(
        r"(localhost|[\w.-]+:\d+|\d+(\.\d+){3}|([\w-]+\.)+[a-z]{2,}(?=/))(:\d+)?(/.*)?", after
    ):
        raise UserError(f"'openai:{name}': the URL after the @ begins with http:// or https://: say @http://{after}.")


def _checked(url: str, name: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise UserError(f"'openai:{name}': {url!r} is no URL: {error}.") from error
    if not host or re.search(r"\s", url):
        raise UserError(f"'openai:{name}': {url!r} is no URL with a host, like http://127.0.0.1:8000/v1.")
    if parts.username or parts.password:
        raise UserError(
            f"The URL of the model {name.partition('@')[0]!r} holds a user or a password. Put the key into an "
            "environment variable, and its name under `key:` in the config's models table."
        )
    if parts.query or parts.fragment:
        raise UserError(f"'openai:{name}': a base URL has no ? and no #; it usually ends in /v1.")
    base = url.rstrip("/")
    for path in PATHS.values():
        if base.endswith(path):
            raise UserError(f"'openai:{name}': the base URL is wanted, without {path}: {base.removesuffix(path)}.")
    return base


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
        self._client: Client | None = None
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
        status, headers, found = await self._post(request.kind, data, timeout)
        if not 200 <= status < 300:
            raise await self._refusal(read_complaint(status, found), headers, request, body)
        return self._answer(request, found)

    async def close(self) -> None:
        """Close the connections. What is under way ends as `Faulty`.

        As when it is called off, the server is not told: the library keeps that connection until the request's time is
        out, or the process ends.
        """
        client, self._client = self._client, None
        if client is not None:
            await client.close()

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

    async def _post(self, kind: str, data: bytes, timeout: float) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the response. Where there is none, it says why not."""
        from pyreqwest.exceptions import PyreqwestError

        client = self._client or self._open()
        request = client.post(self._urls[kind]).body_bytes(data).timeout(timedelta(seconds=timeout)).build_streamed()
        try:
            async with request as response:
                return response.status, response.headers, await _read(response)
        except (PyreqwestError, ValueError) as error:
            failure = self._broken(error, timeout)
        try:
            raise failure  # outside of the handler: what the library's errors hold comes along no further
        finally:
            del failure  # a failure that holds itself holds the connection too, until the garbage collector comes by

    def _open(self) -> Client:
        from pyreqwest.client import ClientBuilder
        from pyreqwest.exceptions import BuilderError
        from pyreqwest.http import Url

        self._key = self._read_key()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            self._urls = {kind: Url(self.url + path) for kind, path in PATHS.items()}
        except ValueError as error:
            raise Unusable(f"{self.url} is no URL that can be asked: {error}. Correct the URL after the @.") from error
        builder = (
            ClientBuilder()
            .user_agent("retroweave")
            .default_headers(headers)
            .follow_redirects(enable=False)
            .no_proxy()
            .max_connections(room())
            .pool_idle_timeout(timedelta(seconds=IDLE))
            # No certificate is looked at over http:, and so a machine without any can do that.
            .danger_accept_invalid_certs(urlsplit(self.url).scheme == "http")
        )
        try:
            self._client = builder.build()
        except BuilderError as error:
            raise Unusable(
                f"No connection to {self.url} can be made from this machine: {_why(error)[0]}. Install its "
                "certificates (the package ca-certificates), or name their file in SSL_CERT_FILE."
            ) from error
        return self._client

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

    def _broken(self, error: Exception, timeout: float) -> Exception:
        """What it means that there was no response, or not a whole one."""
        if isinstance(error, TimeoutError):
            return Faulty(f"The server at {self.url} sent no whole answer within {timeout:g} s.")
        why, code = _why(error)
        said = self._said(why)
        if _found_no_server(error) and not self._answered and code not in OURS:
            return Unusable(f"There is no server at {self.url}: {said}. Start it, or correct the URL after the @.")
        return Faulty(f"The connection to {self.url} broke: {said}.")

    async def _refusal(
        self, complaint: Complaint, headers: Mapping[str, str], request: Request, body: dict[str, Any]
    ) -> Exception:
        """What a response means that is no success."""
        status = complaint.status
        words = f"The server at {self.url} answered {status}: {self._said(complaint.words) or 'no reason given'}"
        if 300 <= status < 400:
            return Unusable(self._redirected(headers))
        if complaint.broke:
            return Unusable(f"{words}. The account has no money left: add some, or use another model.")
        if status in (429, 503, 529):
            return Busy(words, _wait(headers))
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
        from pyreqwest.exceptions import PyreqwestError

        client = self._client or self._open()
        request = client.get(f"{self.url}/models").timeout(timedelta(seconds=3)).build_streamed()
        try:
            async with request as response:
                found = read_json(await _read(response)) if response.status == 200 else None
        except (PyreqwestError, ValueError, Faulty):
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

    def _redirected(self, headers: Mapping[str, str]) -> str:
        target = self._said(_header(headers, "Location") or "another URL")
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


def _causes(error: Exception) -> list[str]:
    """What an error of the library says of its causes, the last one the first in time."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def _why(error: Exception) -> tuple[str, int]:
    """The first cause of an error, in words, and the number of the system's error, 0 where it was none."""
    said = str(error.args[0]) if error.args else ""  # behind it stand the details, once more
    words = (_causes(error) or [said or type(error).__name__])[-1]
    number = _SYSTEM_ERROR.search(words)
    return _SYSTEM_ERROR.sub("", words), int(number[1]) if number else 0


def _found_no_server(error: Exception) -> bool:
    """Whether no connection came about; the library's class for that counts those too that break soon after."""
    return "client error (Connect)" in _causes(error)


def _ask_for_logprobs(body: dict[str, Any], request: Request) -> None:
    if request.kind == "chat":
        body["logprobs"] = True
        body["top_logprobs"] = request.logprobs
    else:
        body["logprobs"] = request.logprobs


async def _read(response: Response) -> bytes:
    """The body, unpacked, as far as it has a size that an answer may have."""
    data = bytes(await response.body_reader.read(LARGEST + 1) or b"")
    if len(data) > LARGEST:
        raise Faulty(f"The server's answer is longer than {LARGEST >> 20} MiB.")
    return data


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After`, which is a number or a date; `None` where it says nothing that makes sense."""
    told = _header(headers, "Retry-After")
    if told is None:
        return None
    try:
        seconds = float(told)
    except ValueError:
        date = _header(headers, "Date")
        try:
            seconds = _moment(told) - (time.time() if date is None else _moment(date))
        except (ValueError, OverflowError):
            return None
    return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else None  # nan is no number


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """What a header says. One that is not of ASCII says nothing: the library does not tell it."""
    try:
        return headers.get(name)
    except ValueError:
        return None


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
