"""A real server that speaks the OpenAI API, for tests and benchmarks. The model behind it is a function.

    python tests/model_server.py --port 8000 --latency 0.05 --fault busy=0.01 --fault garbled=0.001

prints its port and serves until it is stopped; `GET /stats` tells what it was asked. In a test it runs in a thread:

    with ModelServer(answer=lambda asked: "yes") as server:
        ...  # server.url, server.total, server.asked

It is written on the bare `asyncio.Protocol`, so that what a benchmark measures is its client. It knows as much HTTP/1.1
as that needs: bodies with a length, connections that stay open.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import importlib.util
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import orjson

KINDS = {b"/v1/chat/completions": "chat", b"/v1/completions": "complete", b"/v1/embeddings": "embed"}

FAULTS = (
    "busy",  # 429
    "busy_for",  # 429 and a Retry-After of a second
    "error",  # 500
    "unavailable",  # 503
    "truncated",  # half of the JSON
    "mistyped",  # JSON of wrong types
    "dropped",  # the connection ends before the response
    "cut",  # the connection ends in the middle of the body
    "stalled",  # nothing comes, for ever
    "garbled",  # an answer of broken characters, which looks like any other
    "html",  # a page in place of JSON
    "error_in_ok",  # 200, and an error inside
)


@dataclass
class Asked:
    """One request as the model sees it."""

    kind: str
    """`chat`, `complete` or `embed`."""
    body: dict[str, Any]
    headers: Mapping[str, str]
    lacks: frozenset[str] = frozenset()

    @property
    def messages(self) -> list[dict[str, str]]:
        return list(self.body.get("messages", ()))

    @property
    def prompt(self) -> str:
        """The last turn of a chat, the document, or the text to embed."""
        if self.kind == "chat":
            return str(self.messages[-1]["content"]) if self.messages else ""
        return str(self.body.get("prompt" if self.kind == "complete" else "input", ""))

    @property
    def seed(self) -> int | None:
        return None if "seed" in self.lacks else self.body.get("seed")

    @property
    def schema(self) -> dict[str, Any] | None:
        """The schema that the answer is to follow, where this server holds to one."""
        wanted = self.body.get("response_format")
        if not wanted or "json_schema" in self.lacks:
            return None
        found: dict[str, Any] = wanted["json_schema"]["schema"]
        return found

    @cached_property
    def rng(self) -> Random:
        """Chance as a model has it: the same for the same prompt and seed, and none at temperature 0."""
        if self.body.get("temperature") == 0:
            return Random(self.prompt)
        return Random(f"{self.seed if self.seed is not None else os.urandom(8).hex()} {self.prompt}")

    @property
    def words(self) -> int:
        """How long the whole prompt is. A token of this server is a word."""
        texts = [str(message["content"]) for message in self.messages] if self.kind == "chat" else [self.prompt]
        return sum(len(text.split()) for text in texts)


@dataclass
class Reply:
    """What the model says."""

    text: str = ""
    first: Mapping[str, float] = field(default_factory=dict)
    """The alternatives of the first token, with their log-probabilities."""
    finish: str | None = None
    """`None`: `length` where the text has as many words as it may have, else `stop`."""
    vector: list[float] | None = None
    seconds: float = 0.0
    """How much longer than others it takes."""


@dataclass
class Raw:
    """A response as it goes over the wire, in place of the model's."""

    status: int = 200
    body: bytes | Any = b""
    """Bytes, or what is written as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Said\r\n{lines}\r\n".encode() + body


Answer = Callable[[Asked], "Reply | Raw | str"]


def echo(asked: Asked) -> Reply:
    """The prompt again, or the least that follows the schema: a model for those who do not care what it says."""
    if asked.schema is not None:
        return Reply(orjson.dumps(least(asked.schema)).decode())
    return Reply(asked.prompt, {"yes": -0.1, "no": -2.4})


def least(schema: dict[str, Any]) -> Any:
    """The simplest value that follows a JSON schema, of the kinds that are asked for here."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        return {name: least(each) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [least(schema.get("items", {}))] * schema.get("minItems", 0)
    return {"string": "", "integer": 0, "number": 0.0, "boolean": True}.get(schema.get("type", ""))


class ModelServer:
    """The server, its model, its faults, and what it was asked."""

    def __init__(
        self,
        answer: Answer = echo,
        *,
        latency: float = 0.0,
        models: Iterable[str] = (),
        key: str = "",
        context: int = 0,
        lacks: Iterable[str] = (),
        unknown: Iterable[str] = (),
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        busy_above: int = 0,
        content_logprobs: bool = False,
        fingerprint: str = "fp_test",
        keep: int = 100,
    ) -> None:
        """
        models: names that it has; any where none is given.
        context: words that prompt and answer may have together; 0 is no limit.
        lacks: of chat, completions, embeddings, models, logprobs, json_schema, seed, usage.
        unknown: fields that it rejects, as OpenAI does.
        faults: how likely each is. Which request it hits follows from `seed` and the request, not from the order.
        busy_above: requests at once from which on it answers 429.
        content_logprobs: raw completions tell them as chats do, which is llama.cpp's way.
        keep: how many of the last requests are kept in `asked`.
        """
        self.answer = answer
        self.latency = latency
        self.models = tuple(models)
        self.key = key
        self.context = context
        self.lacks = frozenset(lacks)
        self.unknown = tuple(unknown)
        self.faults = dict(faults or {})
        strange = self.faults.keys() - set(FAULTS)
        assert not strange, f"no such fault: {strange}"
        self.seed = seed
        self.busy_above = busy_above
        self.content_logprobs = content_logprobs
        self.fingerprint = fingerprint
        self.script: deque[str | Raw | Reply | None] = deque()
        """What becomes of the next requests: a fault by its name, a response, or `None` for nothing special."""
        self.requests: Counter[str] = Counter()
        """How many there were of each kind."""
        self.struck: Counter[str] = Counter()
        """How often each fault struck."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.connections = 0
        self.asked: deque[Asked] = deque(maxlen=keep)
        self.port = 0
        self._seen: Counter[bytes] = Counter()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread: threading.Thread | None = None
        self._open: set[Connection] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def total(self) -> int:
        """Requests for answers; lists of models and statistics do not count."""
        return sum(self.requests[kind] for kind in KINDS.values())

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [asked.body for asked in self.asked]

    def stats(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "requests": dict(self.requests),
            "struck": dict(self.struck),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "connections": self.connections,
            "bodies": self.bodies,
        }

    async def serve(self, port: int = 0, started: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self, loop), "127.0.0.1", port, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        started()
        try:
            await loop.create_future()
        finally:
            server.close()
            for connection in list(self._open):
                connection.end()

    def __enter__(self) -> ModelServer:
        self._started.clear()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self._thread.start()
        assert self._started.wait(30), "the model server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections and the port; a connection is refused until it is entered again, at the same port."""
        if self._thread is not None and self._thread.is_alive():
            assert self._loop is not None
            assert self._task is not None
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(30)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self.serve(self.port, self._note_start))

    def _note_start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._started.set()

    def respond(self, path: bytes, headers: bytes, data: bytes) -> tuple[bytes | None, float]:
        """The response to a POST, `None` where there is to be none, and after how many seconds."""
        kind = KINDS.get(path)
        if kind is None or self._lacks_path(kind):
            return Raw(404, {"detail": "Not Found"}).encoded(), 0.0
        body = orjson.loads(data)
        self.requests[kind] += 1
        asked = Asked(kind, body, _Headers(headers), self.lacks)
        self.asked.append(asked)
        planned = self.script.popleft() if self.script else None
        if isinstance(planned, Raw):
            return planned.encoded(), self.latency
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal.encoded(), 0.0
        fault = planned if isinstance(planned, str) else self._drawn(data)
        if fault:
            self.struck[fault] += 1
        reply = planned if isinstance(planned, Reply) else self.answer(asked)
        if isinstance(reply, Raw):
            return reply.encoded(), self.latency
        if isinstance(reply, str):
            reply = Reply(reply)
        return self._with_fault(fault, asked, reply), self.latency + reply.seconds

    def _lacks_path(self, kind: str) -> bool:
        return {"chat": "chat", "complete": "completions", "embed": "embeddings"}[kind] in self.lacks

    def _refusal(self, asked: Asked) -> Raw | None:
        """What a healthy server says to a request that it does not like."""
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            given = asked.headers.get("authorization", "").removeprefix("Bearer ")
            return _error(401, f"Incorrect API key provided: {given}.", code="invalid_api_key")
        if self.busy_above and self.in_flight > self.busy_above:
            return _error(429, "Rate limit reached.", code="rate_limit_exceeded")
        name = asked.body.get("model")
        if self.models and name not in self.models:
            return _error(404, f"The model `{name}` does not exist.", code="model_not_found", param="model")
        for field_ in self.unknown:
            if field_ in asked.body:
                return _error(400, f"Unrecognized request argument supplied: {field_}")
        wanted = asked.words + (asked.body.get("max_tokens") or 0)
        if self.context and wanted > self.context:
            return _error(
                400,
                f"This model's maximum context length is {self.context} tokens. However, you requested {wanted}.",
                code="context_length_exceeded",
                param="messages",
            )
        return None

    def _drawn(self, data: bytes) -> str:
        """The fault that strikes this request. The same requests meet the same faults, in whatever order they come."""
        if not self.faults:
            return ""
        again = self._seen[data]
        self._seen[data] += 1
        drawn = int.from_bytes(hashlib.blake2b(b"%d %d " % (self.seed, again) + data, digest_size=8).digest()) / 2**64
        for name, likely in self.faults.items():
            drawn -= likely
            if drawn < 0:
                return name
        return ""

    def _with_fault(self, fault: str, asked: Asked, reply: Reply) -> bytes | None:
        if not fault:
            return _ok(orjson.dumps(self._found(asked, reply)))
        if fault == "busy":
            return _error(429, "Rate limit reached.", code="rate_limit_exceeded").encoded()
        if fault == "busy_for":
            return _error(429, "Rate limit reached.", headers={"Retry-After": "1"}).encoded()
        if fault == "error":
            return _error(500, "Something broke.").encoded()
        if fault == "unavailable":
            return _error(503, "Loading model").encoded()
        if fault == "html":
            return Raw(200, b"<html><body>Welcome!</body></html>", {"Content-Type": "text/html"}).encoded()
        if fault == "error_in_ok":
            return Raw(200, {"error": {"code": 502, "message": "Provider returned error"}}).encoded()
        if fault == "mistyped":
            return Raw(200, {"choices": [{"message": "hello", "text": 5}], "data": {}}).encoded()
        if fault == "stalled":
            return None
        if fault == "garbled":
            reply = Reply("".join(asked.rng.choices("ÃƒÂ¤�\u200b¿½ï»", k=40)), reply.first)
            return _ok(orjson.dumps(self._found(asked, reply)))
        whole = orjson.dumps(self._found(asked, reply))
        if fault == "truncated":
            return _ok(whole[: len(whole) // 2])
        return b"" if fault == "dropped" else _ok(whole)[: -len(whole) // 2]

    def _found(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        """An answer in the shape of its kind."""
        found: dict[str, Any] = {"id": "x-1", "object": asked.kind, "created": 0, "model": asked.body.get("model")}
        found["system_fingerprint"] = self.fingerprint
        if asked.kind == "embed":
            vector = embedding(asked.prompt) if reply.vector is None else reply.vector
            found["data"] = [{"object": "embedding", "index": 0, "embedding": vector}]
            completion = 0
        else:
            completion = len(reply.text.split())
            limit = asked.body.get("max_tokens") or asked.body.get("max_completion_tokens") or 0
            finish = reply.finish or ("length" if limit and completion >= limit else "stop")
            said = (
                {"message": {"role": "assistant", "content": reply.text}}
                if asked.kind == "chat"
                else {"text": reply.text}
            )
            found["choices"] = [{"index": 0, **said, "finish_reason": finish, "logprobs": self._logprobs(asked, reply)}]
        if "usage" not in self.lacks:
            usage = found["usage"] = {"prompt_tokens": asked.words, "total_tokens": asked.words + completion}
            if asked.kind != "embed":
                usage["completion_tokens"] = completion
        return found

    def _logprobs(self, asked: Asked, reply: Reply) -> dict[str, Any] | None:
        wanted = asked.body.get("top_logprobs" if asked.kind == "chat" else "logprobs")
        if not wanted or "logprobs" in self.lacks:
            return None
        likeliest = sorted(reply.first.items(), key=lambda pair: -pair[1])[:wanted]
        token = likeliest[0][0] if likeliest else ""
        if asked.kind == "complete" and not self.content_logprobs:
            return {"tokens": [token], "token_logprobs": [0.0], "top_logprobs": [dict(likeliest)]}
        told = [{"token": each, "logprob": logprob, "bytes": None} for each, logprob in likeliest]
        return {"content": [{"token": token, "logprob": 0.0, "bytes": None, "top_logprobs": told}]}

    def get(self, path: bytes) -> bytes:
        if path == b"/stats":
            return _ok(orjson.dumps(self.stats()))
        if path == b"/v1/models" and "models" not in self.lacks:
            self.requests["models"] += 1
            return _ok(orjson.dumps({"object": "list", "data": [{"id": name} for name in self.models or ("any",)]}))
        return Raw(404, b"<html>Not here</html>", {"Content-Type": "text/html"}).encoded()


def embedding(text: str, size: int = 8) -> list[float]:
    """A vector of length 1 that is the same for the same text."""
    rng = Random(text)
    vector = [rng.gauss(0, 1) for _ in range(size)]
    length = sum(number * number for number in vector) ** 0.5
    return [number / length for number in vector]


class _Headers(Mapping[str, str]):
    """Headers by their name in small letters, read when somebody asks for one."""

    def __init__(self, lines: bytes) -> None:
        self._lines = lines

    @cached_property
    def _known(self) -> dict[str, str]:
        pairs = (line.partition(":") for line in self._lines.decode("latin-1").split("\r\n")[1:])
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._known[name]

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Raw:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Raw(status, {"error": error}, headers or {})


class Connection(asyncio.Protocol):
    """One connection: one request after another."""

    def __init__(self, server: ModelServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._unread = b""
        self._working = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._server.connections += 1
        self._server._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._done()

    def end(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if data[:1] == b"\x16":  # TLS says hello
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            self._transport.close()
        elif not self._working:
            self._next()

    def _next(self) -> None:
        """Answer the next request, if it is here whole."""
        head, gap, rest = self._unread.partition(b"\r\n\r\n")
        if not gap:
            return
        length = _length(head)
        if len(rest) < length:
            return
        self._unread = rest[length:]
        method, path, _ = head[: head.index(b"\r\n")].split(b" ", 2)
        if method == b"GET":
            self._transport.write(self._server.get(path))
        else:
            self._post(path, head, rest[:length])

    def _post(self, path: bytes, head: bytes, data: bytes) -> None:
        server = self._server
        self._working = True
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        try:
            response, seconds = server.respond(path, head, data)
        except Exception as error:
            response, seconds = _error(500, f"the test's model failed: {error!r}").encoded(), 0.0
        if response is None:
            return  # it stalls until the client goes
        if seconds:
            self._timer = self._loop.call_later(seconds, self._write, response)
        else:
            self._write(response)

    def _write(self, response: bytes) -> None:
        self._done()
        self._transport.write(response)
        if not response or len(response.partition(b"\r\n\r\n")[2]) < _length(response.partition(b"\r\n\r\n")[0]):
            self._transport.close()  # less than was promised
        elif self._unread:
            self._next()

    def _done(self) -> None:
        if self._working:
            self._working = False
            self._server.in_flight -= 1


def _length(head: bytes) -> int:
    place = head.lower().find(b"\r\ncontent-length:")
    return int(head[place + 17 :].partition(b"\r\n")[0]) if place >= 0 else 0


def _loaded(where: str) -> Answer:
    """The function `name` of a file: `path.py:name`."""
    path, _, name = where.rpartition(":")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None, f"no module at {path}"
    assert spec.loader is not None, f"no module at {path}"
    module = importlib.util.module_from_spec(spec)
    sys.modules["model_server"] = sys.modules["__main__"]  # so that it can import this file's classes
    spec.loader.exec_module(module)
    found: Answer = getattr(module, name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--model", action="append", default=[], help="a name that it has; any where none is given")
    parser.add_argument("--key", default="", help="the key that it wants")
    parser.add_argument("--context", type=int, default=0, help="words of prompt and answer")
    parser.add_argument("--lacks", action="append", default=[], help="what it cannot do")
    parser.add_argument("--unknown", action="append", default=[], help="a field that it rejects")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=PROBABILITY", help=", ".join(FAULTS))
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--busy-above", type=int, default=0, help="requests at once from which on it answers 429")
    parser.add_argument("--answer", default="", metavar="FILE.py:FUNCTION", help="the model")
    given = parser.parse_args()
    server = ModelServer(
        _loaded(given.answer) if given.answer else echo,
        latency=given.latency,
        models=given.model,
        key=given.key,
        context=given.context,
        lacks=given.lacks,
        unknown=given.unknown,
        faults={name: float(likely) for name, _, likely in (fault.partition("=") for fault in given.fault)},
        seed=given.seed,
        busy_above=given.busy_above,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(given.port, lambda: print(server.port, flush=True)))


if __name__ == "__main__":
    main()
