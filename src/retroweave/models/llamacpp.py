"""A language model inside this process: llama.cpp, by way of the package `xllamacpp`.

It is here so that everything can be tried, tested and shown with a real model where there is no server, key, hub or
GPU. It runs on one thread unless told otherwise, and loads when it is first asked.

The same request gets the same bytes, whatever else is asked meanwhile, on any number of threads, and after a restart;
on another kind of processor the last digits may differ. For that requests are answered one after another: llama.cpp
multiplies a single row by another routine than several, so that a prompt which is packed together with others comes out
a little differently. Flash attention is off, for its sums depend on the number of threads, and no prompt is remembered.
All of it costs a third of the speed at most, and nothing where answers are short. `slots` buys it back, and gives up
the promise.

Nothing here reaches a network. llama.cpp insists on a listener, which gets a socket in a private folder that is gone
before the first request.

It does not fetch weights (`weights` does), and makes no embeddings (`sentences` does).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from retroweave.models.weights import EXTRA, digest, find
from retroweave.pipeline.errors import nearest
from retroweave.pipeline.installing import install_command
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

__all__ = ["LlamaCpp", "Options"]

LOGPROBS = 100
"""Alternatives of a token. llama.cpp would tell the whole vocabulary; beyond a hundred there is only noise."""
READ_AT_ONCE = 256
"""Tokens of a prompt between two looks at whether its answer is still wanted: two thirds of a second of one thread."""
ONE_LINE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""How JSON is laid out. A small model that may choose its white space loses itself in it."""
RANDOM_SEED = 0xFFFFFFFF
"""With this seed llama.cpp takes a random one, so no request gets it."""
SAMPLERS = ("penalties", "temperature", "min_p", "top_k", "top_p")
"""In the order of vLLM. llama.cpp's own puts the temperature last, which gives other samples for equal numbers."""
RANGES = {"threads": (1, 256), "slots": (1, 64), "context": (256, 1 << 20)}


@dataclass(frozen=True, slots=True)
class Options:
    """How the model is run."""

    threads: int = 1
    """Threads that compute; answers do not depend on them. On a busy machine two may be slower than one."""
    slots: int = 1
    """Answers that are worked on together. With more than one, their last digits depend on each other."""
    context: int = 4096
    """Tokens of a prompt with its answer, in each slot. For SmolLM2 a thousand of them take 23 MB."""

    @classmethod
    def read(cls, stated: Mapping[str, Any]) -> Options:
        """The options of a config file. Raises `Unusable` for an unknown one, or one out of its range."""
        names = [field.name for field in fields(cls)]
        for name, value in stated.items():
            if name not in names:
                raise Unusable(f"An embedded model has no option {name!r}. {nearest(name, names)}")
            low, high = RANGES[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise Unusable(f"The option {name} of an embedded model is {value!r}; it is {low} to {high}.")
        return cls(**stated)


class LlamaCpp:
    """The endpoint of `embedded:NAME`, where NAME is known to `weights` or the path of a GGUF file."""

    def __init__(self, spec: ModelSpec) -> None:
        """Finds and hashes the weights; loads nothing. Raises `Unusable` where they or the runtime are missing."""
        runtime = _runtime_version()
        self.options = Options.read(spec.options)
        self.path = find(spec.use.partition(":")[2])
        shared = "/shared" if self.options.slots > 1 else ""
        self.identity = f"embedded:{self.path.stem}#{digest(self.path)[:16]}/xllamacpp-{runtime}{shared}"
        self.in_flight = spec.in_flight or 2 * self.options.slots
        self.abilities: Abilities | None = Abilities(
            chat=True, complete=True, logprobs=LOGPROBS, complete_logprobs=LOGPROBS, schema=True, embed=False
        )
        self.form: Form = spec.form or "base"
        self._threads = ThreadPoolExecutor(self.options.slots, "llama.cpp")
        self._loading = threading.Lock()
        self._calls: set[_Call] = set()
        self._server: list[Any] = []
        """The server once it is loaded, and nobody else holds it: when this is emptied, it ends."""
        weakref.finalize(self, self._server.clear)  # also at the end of the process

    async def start(self) -> None:
        """Load the model, where it is not loaded yet. Raises `Unusable` where that fails."""
        if not self._server:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._load)

    def _load(self) -> None:
        with self._loading:
            if not self._server:
                self._server.append(_served(self.path, self.options))

    async def send(self, request: Request, timeout: float) -> Answer:
        """One answer within `timeout` seconds, which begin when the model is loaded.

        Raises `Refused` (`TooLong` where prompt and answer do not fit the context), `Faulty` or `Unusable`.
        """
        _require_possible(request)
        await self.start()
        body = _body(request)
        call = _Call(request)
        self._calls.add(call)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().run_in_executor(self._threads, self._run, call, body)
        except TimeoutError:
            raise Faulty(
                f"{self.path.name} gave no answer within {timeout:g} seconds. Give it more (timeout: in the config's "
                "table of models), or fewer requests at once (in_flight:)."
            ) from None
        finally:
            call.abandoned = True
            self._calls.discard(call)
        return call.answer()

    def _run(self, call: _Call, body: bytes) -> None:
        if call.abandoned:
            return
        chat = call.request.kind == "chat"
        (self._server[0].handle_chat_completions if chat else self._server[0].handle_completions)(body, call.hear)

    async def close(self) -> None:
        """End what is under way (its senders get `Faulty`), the threads and the model."""
        for call in self._calls:
            call.abandoned = True
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._threads.shutdown()
        self._server.clear()


def _runtime_version() -> str:
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        raise Unusable(
            f"Embedded models need the package xllamacpp, which is not installed: {install_command(EXTRA)}"
        ) from None


def _served(path: Path, options: Options) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise Unusable(
            f"The package xllamacpp does not load: {error}. Install it anew: {install_command(EXTRA)}"
        ) from error
    with TemporaryDirectory(prefix="retroweave-") as folder:
        parameters = _parameters(xllamacpp, path, options)
        if os.name == "posix":
            parameters.hostnames = [f"{folder}/llama.sock"]  # what ends so is a socket of Unix, and no port is opened
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise Unusable(
                f"llama.cpp (xllamacpp {_runtime_version()}) cannot load {path}: the file is broken, of a kind that is "
                "newer than this version (pip install -U xllamacpp), or too large for the memory, of which less is "
                f"taken with fewer slots than {options.slots} or a shorter context than {options.context}."
            ) from error


def _parameters(xllamacpp: Any, path: Path, options: Options) -> Any:
    made = xllamacpp.CommonParams()
    made.model.path = str(path)
    made.n_parallel = options.slots
    made.n_ctx = options.slots * options.context
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = options.threads
    made.n_batch = made.n_ubatch = READ_AT_ONCE
    # Answers must not depend on what came before, or on the threads, the memory or the devices that there are.
    made.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    made.kv_unified = made.cache_prompt = made.cache_idle_slots = made.ctx_shift = made.fit_params = False
    made.cache_ram_mib = made.n_ctx_checkpoints = made.n_gpu_layers = 0
    made.no_extra_bufts = True  # weights stay mapped from the file: repacked ones are no faster here
    # Nobody else is to be served, and nothing to be said on the terminal.
    made.api_keys = [secrets.token_hex(16)]
    made.ui = made.endpoint_slots = made.warmup = False
    made.offline = True
    made.n_threads_http = 1
    made.verbosity = -1
    return made


def _require_possible(request: Request) -> None:
    if request.kind == "embed":
        raise Refused("This embedded model makes no embeddings. The one that does is embedded:sentences.")
    if request.logprobs > LOGPROBS:
        raise Refused(f"{request.logprobs} alternatives of a token were asked for; there are {LOGPROBS} at most.")
    if not request.text and not request.messages:
        raise Refused("The prompt is empty. Begin it with at least one character.")


def _body(request: Request) -> bytes:
    """The request in llama.cpp's words. All that bears on the answer is sent, for a default may change."""
    body: dict[str, Any] = {
        "stream": True,
        "timings_per_token": True,
        "return_progress": True,
        "cache_prompt": False,
        "samplers": SAMPLERS,
        "seed": request.seed % RANDOM_SEED,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "repeat_penalty": 1.0,
        "repeat_last_n": 64,
    }
    if request.schema is not None:
        body["grammar"] = _grammar(request.schema)
    if request.kind == "chat":
        body["messages"] = request.messages
        if request.logprobs:
            body |= {"logprobs": True, "top_logprobs": request.logprobs}
    else:
        body["prompt"] = request.text
        if request.logprobs:
            body["logprobs"] = request.logprobs
    try:
        return orjson.dumps(body)
    except TypeError as error:
        raise Refused(f"The request cannot be written as JSON: {error}.") from error


def _grammar(schema: Mapping[str, Any]) -> str:
    """What llama.cpp makes of a schema. Where it is handed the schema itself, a chat's white space is free again."""
    from xllamacpp import json_schema_to_grammar

    try:
        return str(json_schema_to_grammar({"x-guidance": ONE_LINE, **schema}))
    except (RuntimeError, TypeError) as error:
        raise Refused(f"llama.cpp does not understand the schema: {error}.") from error


class _Call:
    """One answer as it comes, token by token, so that it can end when it is no longer wanted.

    Stop strings are looked for here: llama.cpp keeps back what may be the beginning of one, and when the tokens run
    out just then it is lost from a stream.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.abandoned = False
        """Whether nobody waits for it any more."""
        self._text = ""
        self._finish = ""
        self._first: tuple[tuple[str, float], ...] = ()
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._complaint: Mapping[str, Any] | None = None
        self._fault: Exception | None = None

    def hear(self, data: bytes) -> bool:
        """Take in one event; true ends the answer. What were raised here would be lost on the way through C++."""
        try:
            self._take(orjson.loads(data))
        except Exception as error:
            self._fault = error
        return self.abandoned or self._fault is not None or self._finish == "stop"

    def _take(self, event: Mapping[str, Any]) -> None:
        self._complaint = event.get("error", self._complaint)
        if timings := event.get("timings"):
            self._prompt_tokens, self._completion_tokens = timings["prompt_n"], timings["predicted_n"]
        for choice in event.get("choices", ()):
            if not self._first and choice.get("logprobs"):
                self._first = _alternatives(choice["logprobs"]["content"][0]["top_logprobs"])
            self._go_on(choice.get("text") or (choice.get("delta") or {}).get("content") or "")
            self._finish = self._finish or choice.get("finish_reason") or ""

    def _go_on(self, text: str) -> None:
        stops = [stop for stop in self.request.stop if stop]
        seen = max(0, len(self._text) - max(map(len, stops), default=0))
        self._text += text
        places = [place for stop in stops if (place := self._text.find(stop, seen)) >= 0]
        if places:
            self._text = self._text[: min(places)]
            self._finish = "stop"

    def answer(self) -> Answer:
        """The whole of it, or why there is none."""
        if self._complaint is not None:
            raise _failure(self._complaint)
        if self._fault is not None:
            raise Faulty(f"llama.cpp said something that is not understood: {self._fault!r}") from self._fault
        if not self._finish:
            raise Faulty("The embedded model was closed before it had answered.")
        self._require_whole()
        return Answer(self._text, self._finish, self._prompt_tokens, self._completion_tokens, self._first)

    def _require_whole(self) -> None:
        made = self._completion_tokens or 0
        if self._finish == "length" and made < self.request.max_tokens:
            raise TooLong(
                f"A prompt of {self._prompt_tokens} tokens leaves room for {made} in the context, and the answer may "
                f"have {self.request.max_tokens}. Shorten it, ask for fewer, or set context: in the model's options."
            )
        if self.request.schema is not None and self._finish == "stop":
            _require_json(self._text)


def _alternatives(found: list[dict[str, Any]]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(((one["token"], one["logprob"]) for one in found), key=lambda one: -one[1]))


def _require_json(text: str) -> None:
    """llama.cpp answers freely, and says nothing of it, where it does not understand a schema."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(
            "The answer is no JSON: either a stop string cut it, or llama.cpp does not understand the schema. Write it "
            "with plain types, properties, required, enum and items."
        ) from None


def _failure(complaint: Mapping[str, Any]) -> Exception:
    code, words = complaint.get("code", 500), str(complaint.get("message", complaint))[:500]
    if complaint.get("type") == "exceed_context_size_error":
        long, room = complaint.get("n_prompt_tokens"), complaint.get("n_ctx")
        return TooLong(
            f"The prompt has {long} tokens, and the context holds {room}: shorten it, or set context: in the model's "
            "options."
        )
    if code == 503:
        return Busy(words)
    return Refused(words) if 400 <= code < 500 or code == 501 else Faulty(words)
