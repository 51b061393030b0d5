"""The server that the tests of models speak to does what it says: its faults are real, and its counts are right."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import model_server
from tests.model_server import Asked, ModelServer, Reply, least


def posted(url: str, path: str, body: dict[str, Any]) -> Any:
    """One request over a connection of its own, by another client than the one that is tested with this server."""
    request = urllib.request.Request(url + path, orjson.dumps(body), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return orjson.loads(response.read())


def chat(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": 5, **fields}


def outcome(server: ModelServer, text: str) -> str:
    """The answer, the status of an error, or what kind of trouble there was."""
    try:
        return str(posted(server.url, "/chat/completions", chat(text))["choices"][0]["message"]["content"])
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)
    except (OSError, ValueError) as error:
        return type(error).__name__


@contextmanager
def in_its_own_process(*arguments: str) -> Iterator[str]:
    """The server as a benchmark starts it; its URL."""
    command = [sys.executable, str(model_server.__file__), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def test_it_speaks_chats_documents_embeddings_and_models() -> None:
    with ModelServer(models=["m"]) as server:
        said = posted(server.url, "/chat/completions", chat("Hello there"))
        assert said["choices"][0]["message"]["content"] == "Hello there"
        assert said["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
        document = posted(server.url, "/completions", {"model": "m", "prompt": "One, two,", "max_tokens": 2})
        assert (document["choices"][0]["text"], document["choices"][0]["finish_reason"]) == ("One, two,", "length")
        vectors = [
            posted(server.url, "/embeddings", {"model": "m", "input": "a"})["data"][0]["embedding"] for _ in "ab"
        ]
        assert vectors[0] == vectors[1]
        with urllib.request.urlopen(f"{server.url}/models", timeout=30) as response:
            assert [each["id"] for each in orjson.loads(response.read())["data"]] == ["m"]
    assert server.requests == {"chat": 1, "complete": 1, "embed": 2, "models": 1}
    assert server.total == 4


def test_its_faults_are_those_of_the_requests_and_not_of_their_order() -> None:
    texts = [f"text {number}" for number in range(60)]
    faults = {"busy": 0.1, "error": 0.1, "truncated": 0.1, "dropped": 0.1}
    found = []
    for order in (texts, texts[::-1]):
        with ModelServer(faults=faults, seed=3) as server:
            found.append({text: outcome(server, text) for text in order})
    assert found[0] == found[1]
    assert {"429", "500", "JSONDecodeError", "RemoteDisconnected"} <= set(found[0].values())
    assert sum(server.struck.values()) == sum(said != text for text, said in found[0].items())


def test_a_request_that_comes_again_is_drawn_for_anew() -> None:
    with ModelServer(faults={"error": 0.5}) as server:
        found = {outcome(server, "the same") for _ in range(30)}
    assert found == {"the same", "500"}


def test_a_scripted_model_sees_the_request() -> None:
    def model(asked: Asked) -> Reply:
        return Reply(f"{asked.kind} {asked.prompt} {asked.seed} {asked.headers['content-type']}")

    with ModelServer(model) as server:
        said = posted(server.url, "/chat/completions", chat("hi", seed=4))
    assert said["choices"][0]["message"]["content"] == "chat hi 4 application/json"


def test_a_scripted_model_that_fails_is_told_in_the_answer() -> None:
    def model(asked: Asked) -> str:
        raise LookupError("no script for this")

    with ModelServer(model) as server:
        assert outcome(server, "hi") == "500"


def test_the_same_seed_gives_the_same_chance_and_no_seed_another() -> None:
    def draw(lacks: tuple[str, ...], body: dict[str, Any]) -> float:
        return Asked("chat", body, {}, frozenset(lacks)).rng.random()

    assert draw((), chat("a", seed=1)) == draw((), chat("a", seed=1)) != draw((), chat("a", seed=2))
    assert draw((), chat("a", seed=1, temperature=0)) == draw((), chat("a", seed=2, temperature=0))
    assert draw(("seed",), chat("a", seed=1)) != draw(("seed",), chat("a", seed=1))


def test_the_least_value_follows_its_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"enum": ["a", "b"]},
            "fixed": {"const": 7},
            "marks": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        },
    }
    assert least(schema) == {"name": "", "kind": "a", "fixed": 7, "marks": [0, 0]}


def test_a_fault_that_there_is_not_is_no_option() -> None:
    with pytest.raises(AssertionError, match="no such fault"):
        ModelServer(faults={"earthquake": 0.1})


def test_in_its_own_process_it_tells_what_it_was_asked(tmp_path: Path) -> None:
    script = tmp_path / "judge.py"
    script.write_text("from model_server import Reply\n\ndef judge(asked):\n    return Reply('yes', {'yes': -0.1})\n")
    with in_its_own_process("--answer", f"{script}:judge", "--latency", "0.01", "--lacks", "usage") as url:
        said = posted(f"{url}/v1", "/chat/completions", chat("right?", logprobs=True, top_logprobs=2))
        with urllib.request.urlopen(f"{url}/stats", timeout=30) as response:
            stats = orjson.loads(response.read())
    assert said["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["token"] == "yes"
    assert "usage" not in said
    assert (stats["total"], stats["requests"], stats["most_in_flight"]) == (1, {"chat": 1}, 1)
    assert stats["bodies"][0]["messages"][0]["content"] == "right?"


def test_above_its_bound_it_is_busy() -> None:
    with ModelServer(busy_above=1) as server:
        server.in_flight = 1  # as if another were under way
        assert outcome(server, "hi") == "429"
        server.in_flight = 0
        assert outcome(server, "hi") == "hi"
