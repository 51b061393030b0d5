"""Whatever a server does, the endpoint says what it means and what mends it, and never tells the key."""

from __future__ import annotations

import asyncio
import gc
import gzip
import re
import socket
import subprocess
import sys
import traceback
import weakref
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.model_server import ModelServer, Raw
from tests.models.asking import CHAT, COMPLETE, EMBED, all_sent, choice, endpoint, refusal, sent

from retroweave.models.connections import LARGEST
from retroweave.models.openai import OpenAI
from retroweave.pipeline import loop
from retroweave.pipeline.model import Answer, Busy, Faulty, ModelSpec, Refused, TooLong, Unusable

KEY = "sk-secret-0123456789abcdef"


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Raw:
    return Raw(status, {"error": {"message": message, **more}}, headers or {})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "9999999999"}, 3600.0),
        ({"Retry-After": "inf"}, 3600.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Date": "Tue, 15 Nov 1994 08:12:31 GMT", "Retry-After": "Tue, 15 Nov 1994 08:13:01 GMT"}, 30.0),
        ({"Date": "Tue, 15 Nov 1994 08:12:31 GMT", "Retry-After": "Tue, 15 Nov 1994 08:12:01 GMT"}, 0.0),
        ({"Date": "Tue, 15 Nov 1994 08:12:31 GMT", "Retry-After": "Tue, 15 Nov 2094 08:12:01 GMT"}, 3600.0),
        ({"Retry-After": "Tue, 15 Nov 1994 08:12:31 GMT"}, 0.0),
        ({"Date": "today", "Retry-After": "Tue, 15 Nov 1994 08:13:01 GMT"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long_to_wait(headers: dict[str, str], seconds: float | None, status: int) -> None:
    busy = refusal(error(status, "Rate limit reached.", headers), Busy)
    assert isinstance(busy, Busy)
    assert busy.retry_after == seconds
    assert f"answered {status}: Rate limit reached" in str(busy)


def test_headers_that_are_not_of_ascii_say_nothing() -> None:
    busy = refusal(error(429, "Rate limit reached.", {"Retry-After": "1½"}), Busy)
    assert isinstance(busy, Busy)
    assert busy.retry_after is None
    date = {"Date": "Mardi, 15 février", "Retry-After": "Tue, 15 Nov 1994 08:13:01 GMT"}
    assert getattr(refusal(error(429, "Rate limit reached.", date), Busy), "retry_after", None) == 0.0
    assert "sends requests on to another URL" in str(refusal(Raw(302, b"", {"Location": "/réponse"}), Unusable))


@pytest.mark.parametrize(
    "response", [error(429, "You exceeded your quota.", code="insufficient_quota"), error(402, "Credits.")]
)
def test_an_account_without_money_is_not_waited_for(response: Raw) -> None:
    assert "no money left" in str(refusal(response, Unusable))


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_wanted_and_was_not_named_is_asked_for(status: int) -> None:
    assert "none was named: put it into an environment variable" in str(refusal(error(status, "No key."), Unusable))


def test_a_key_that_is_wrong_names_the_variable_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "wrong")
    with ModelServer(key=KEY) as server, pytest.raises(Unusable, match="Set MY_KEY, which holds the key"):
        sent(endpoint(server, key="MY_KEY"))


def test_the_right_key_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    with ModelServer(key=KEY) as server:
        assert sent(endpoint(server, key="MY_KEY")).text == "Say yes."


def test_openais_key_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ModelServer() as server:
        sent(endpoint(server))
    assert "authorization" not in server.asked[0].headers
    public = OpenAI(ModelSpec("openai:gpt-small"))
    assert public._read_key() == KEY


@pytest.mark.parametrize(
    ("value", "said"), [("", "is not set"), (" \n", "is not set"), ("a\nb", "no key has"), ("ключ", "no key has")]
)
def test_a_key_that_cannot_be_one_is_told_before_anything_is_sent(
    value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", value)
    with ModelServer() as server, pytest.raises(Unusable, match=said) as caught:
        sent(endpoint(server, key="MY_KEY"))
    assert server.total == 0
    assert "MY_KEY" in str(caught.value)
    assert not value.strip() or value not in str(caught.value)


def leaks(failure: BaseException | None) -> str:
    """All that may be printed of an exception and of those behind it."""
    told = ""
    while failure is not None:
        told += "".join(traceback.format_exception(failure)) + repr(failure) + repr(failure.args) + repr(vars(failure))
        failure = failure.__cause__ or failure.__context__
    return told


@pytest.mark.parametrize(
    "response",
    [
        error(401, f"Incorrect API key provided: {KEY}."),
        error(401, f"Incorrect API key provided: {KEY[:12]}********cdef."),
        error(400, "x" * 290 + KEY),
        error(404, f"No such model for {KEY}", code="model_not_found"),
        error(429, KEY),
        error(500, KEY),
        Raw(502, f"<p>{KEY}</p>".encode()),
        Raw(302, b"", {"Location": f"http://elsewhere.example/?key={KEY}"}),
        Raw(200, {"error": {"message": KEY}}),
        Raw(200, {"choices": [{"message": KEY}]}),
        Raw(200, {"choices": KEY}),
        Raw(200, {"choices": "x" * 70 + KEY + "x" * 20}),
        Raw(200, f"{KEY} is no JSON".encode()),
        "dropped",
        "cut",
        "truncated",
    ],
)
def test_the_key_is_in_no_error(response: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with ModelServer() as server:
        server.script.append(response)
        model = endpoint(server, key="MY_KEY")
        (failure,) = all_sent(model, CHAT)
    assert isinstance(failure, Busy | Faulty | Refused | Unusable)
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY[:12] not in leaks(failure)
    assert KEY[-12:] not in leaks(failure)
    assert KEY not in repr(model) + model.identity + repr(model.left_out)


def test_a_short_key_is_in_no_error_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hush-hush")
    failure = refusal(error(500, "I was told hush-hush."), Faulty, key="MY_KEY")
    assert str(failure).endswith("answered 500: I was told [key]")


def test_a_response_that_is_no_http_tells_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with ModelServer(lambda asked: "\r\n") as server:
        monkeypatch.setattr(server, "respond", lambda *_: (b"NOT HTTP AT ALL\r\n\r\n", 0.0))
        (failure,) = all_sent(endpoint(server, key="MY_KEY"), CHAT)
    assert type(failure) is Faulty
    assert KEY not in leaks(failure)


@pytest.mark.parametrize("status", [400, 422, 413])
def test_a_request_that_is_wrong_is_refused_in_the_servers_words(status: int) -> None:
    kind = TooLong if status == 413 else Refused
    failure = refusal(error(status, "logit_bias must be\n an object. " + "x" * 400), kind)
    assert "logit_bias must be an object. xxx" in str(failure)
    assert len(str(failure)) < 400


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", None),
        (400, "Too much.", "context_length_exceeded"),
        (400, "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it", 400),
        (400, "the input length exceeds the context length", None),
        (400, "prompt is too long: 5000 tokens > 4096 maximum", None),
        (422, "The prompt contains too many tokens", None),
        (500, "the input length exceeds the context length", None),
        (200, "maximum context length exceeded", 400),
    ],
)
def test_a_prompt_longer_than_the_context_is_too_long(status: int, message: str, code: Any) -> None:
    assert message.rstrip(".") in str(refusal(error(status, message, code=code), TooLong))


def test_the_servers_own_context_is_kept_to() -> None:
    with ModelServer(context=30) as server:
        good, bad = all_sent(endpoint(server), CHAT, replace(CHAT, max_tokens=29))
    assert isinstance(good, Answer)
    assert type(bad) is TooLong


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    with (
        ModelServer(models=[f"model-{number}" for number in range(9)]) as server,
        pytest.raises(
            Unusable, match=r"no model 'small'.*It has model-0, model-1, model-2, model-3, model-4 \.\.\."
        ) as caught,
    ):
        sent(endpoint(server))
    assert caught.value.everywhere
    assert server.requests == {"chat": 1, "models": 1}


def test_a_model_that_is_not_there_is_told_without_a_list_too() -> None:
    with ModelServer(models=["other"], lacks=["models"]) as server, pytest.raises(Unusable, match=r"before the @\.$"):
        sent(endpoint(server))


def test_a_router_that_calls_it_a_bad_request_is_understood() -> None:
    failure = refusal(error(400, "small/none is not a valid model ID", code=400), Unusable)
    assert "Correct the model's name" in str(failure)


@pytest.mark.parametrize(
    ("lacks", "request_", "path"), [("completions", COMPLETE, "/completions"), ("embeddings", EMBED, "/embeddings")]
)
def test_what_a_server_does_not_offer_is_unusable_for_that_alone(lacks: str, request_: Any, path: str) -> None:
    with ModelServer(lacks=[lacks]) as server:
        bad, good = all_sent(endpoint(server), request_, CHAT)
    assert isinstance(bad, Unusable)
    assert not bad.everywhere
    assert f"does not offer {path}" in str(bad)
    assert isinstance(good, Answer)


@pytest.mark.parametrize(
    "response",
    [
        error(404, "This is a chat model and not supported in the v1/completions endpoint.", param="model"),
        error(501, "This server does not support completions.", type="not_supported_error"),
    ],
)
def test_a_model_of_another_kind_is_unusable_for_that_alone(response: Raw) -> None:
    failure = refusal(response, Unusable, COMPLETE)
    assert isinstance(failure, Unusable)
    assert not failure.everywhere


def test_a_model_that_is_listed_and_missed_is_there_for_other_requests() -> None:
    with ModelServer(models=["small"]) as server:
        server.script.append(error(404, "The model `small` does not exist.", code="model_not_found"))
        with pytest.raises(Unusable) as caught:
            sent(endpoint(server), COMPLETE)
    assert not caught.value.everywhere


@pytest.mark.parametrize(
    "response",
    [
        Raw(404, b"<html>Not here</html>"),
        Raw(404, {"detail": "Not Found"}),
        Raw(405, b"Method Not Allowed"),
        Raw(400, b"<html>400 The plain HTTP request was sent to HTTPS port</html>"),
        "html",
    ],
)
def test_a_server_of_another_kind_is_told_as_such(response: Any) -> None:
    with ModelServer(lacks=["models"]) as server:
        server.script.append(response)
        with pytest.raises(Unusable, match="not as an OpenAI-compatible server; check the URL, it usually ends in /v1"):
            sent(endpoint(server))


def test_a_forgotten_v1_is_told_as_such() -> None:
    with ModelServer() as server:
        model = OpenAI(ModelSpec(f"openai:small@{server.url.removesuffix('/v1')}"))
        with pytest.raises(Unusable, match="usually ends in /v1"):
            sent(model)


def test_a_redirect_is_not_followed() -> None:
    with ModelServer() as server:
        server.script.append(Raw(307, b"", {"Location": f"{server.url}/chat/completions"}))
        with pytest.raises(Unusable, match="Put the URL that answers itself after the @"):
            sent(endpoint(server))
    assert server.total == 1


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 504, 599])
def test_an_error_of_the_server_is_a_fault(status: int) -> None:
    assert f"answered {status}: Broken" in str(refusal(error(status, "Broken."), Faulty))


def test_a_prompt_that_a_moderator_dislikes_is_refused() -> None:
    refusal(error(403, "Your input was flagged.", metadata={"reasons": ["violence"]}), Refused)


def test_what_the_provider_behind_a_router_said_is_told() -> None:
    failure = refusal(error(502, "Provider returned error", metadata={"raw": "out of memory"}), Faulty)
    assert "Provider returned error: out of memory" in str(failure)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": 502, "message": "Provider returned error"}}, Faulty),
        ({"error": "overloaded"}, Faulty),
        ({"error": {"code": 429, "message": "slow down"}}, Busy),
        ({"error": {"code": "503", "message": "no provider"}}, Busy),
        ({"choices": [{"error": {"code": 502, "message": "broke off"}, "message": {"content": "half"}}]}, Faulty),
    ],
)
def test_an_error_inside_of_an_answer_is_seen(body: Any, kind: type[Exception]) -> None:
    assert "error in place of an answer" in str(refusal(Raw(200, body), kind))


WRONG: list[Any] = [None, 5, "text", [], {}, [5], {"a": 1}, True]
NO_VECTORS: list[Any] = [None, 5, "text", [], {}, [None], ["1"], [True], [[1.0]]]
WRONG_CHOICES = [
    {"choices": {}},
    {"choices": []},
    {"choices": [5]},
    {"choices": [{"message": "hello"}]},
    {"choices": [{"message": {"content": 5}}]},
    {"choices": [{"message": {"content": ["a"]}}]},
    {"choices": [{"message": {"content": [{"type": "text", "text": 5}]}}]},
    {"choices": [{"message": {"content": "a"}, "finish_reason": 5}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": 5}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"content": 5}}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [5]}}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [{"top_logprobs": 5}]}}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [{"top_logprobs": [5]}]}}]},
    {
        "choices": [
            {"message": {"content": "a"}, "logprobs": {"content": [{"top_logprobs": [{"token": 5, "logprob": 1}]}]}}
        ]
    },
    {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [{"token": "a", "logprob": "1"}]}}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"top_logprobs": 5}}]},
    {"choices": [{"message": {"content": "a"}, "logprobs": {"top_logprobs": [5]}}]},
]


@pytest.mark.parametrize("body", [*WRONG, *WRONG_CHOICES])
def test_an_answer_of_wrong_types_is_a_fault_that_says_what_was_expected(body: Any) -> None:
    assert " should be " in str(refusal(Raw(200, body), Faulty))


@pytest.mark.parametrize("body", [*WRONG, {"data": [{}]}, *({"data": [{"embedding": each}]} for each in NO_VECTORS)])
def test_an_embedding_of_wrong_types_is_a_fault(body: Any) -> None:
    assert " should be " in str(refusal(Raw(200, body), Faulty, EMBED))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b'{"choices":[{"message":{"content":"a',
        b'{"choices":[{"message":{"content":"\xff"}}]}',
        rb'{"choices":[{"message":{"content":"\ud800"}}]}',
        rb'{"choices":[{"message":{"content":"\ud800"},"logprobs":NaN}]}',
        b'{"NaN":' + b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_a_fault(body: bytes) -> None:
    refusal(Raw(200, body), Faulty)


@pytest.mark.parametrize("fault", ["dropped", "cut", "truncated", "mistyped", "error", "error_in_ok"])
def test_a_fault_is_a_fault_and_the_next_request_goes_well(fault: str) -> None:
    with ModelServer() as server:
        server.script.extend([None, fault])
        first, second, third = all_sent(endpoint(server), CHAT, CHAT, CHAT)
    assert isinstance(first, Answer)
    assert type(second) is Faulty
    assert isinstance(third, Answer)
    assert server.total == 3  # a connection that broke is not sent on again


def test_a_page_in_place_of_an_answer_is_a_fault_once_there_were_answers() -> None:
    with ModelServer() as server:
        server.script.extend([None, "html"])
        _, second = all_sent(endpoint(server), CHAT, CHAT)
    assert type(second) is Faulty


def test_a_server_that_stalls_is_given_up() -> None:
    with ModelServer() as server:
        server.script.append("stalled")
        (found,) = all_sent(endpoint(server), CHAT, timeout=0.3)
    assert type(found) is Faulty
    assert "no whole answer within 0.3 s" in str(found)


def test_a_garbled_answer_looks_like_any_other() -> None:
    with ModelServer() as server:
        server.script.append("garbled")
        assert sent(endpoint(server)).text != "Say yes."


def test_an_answer_without_end_is_cut_short() -> None:
    assert "longer than 32 MiB" in str(refusal(Raw(200, b" " * (LARGEST + (1 << 20))), Faulty))


def test_a_packed_answer_is_read_and_one_that_unpacks_without_end_is_not() -> None:
    good = gzip.compress(orjson.dumps({"choices": [{"message": {"content": "packed"}}]}))
    bomb = gzip.compress(b" " * (LARGEST + (64 << 20)))
    with ModelServer() as server:
        server.script.extend(Raw(200, body, {"Content-Encoding": "gzip"}) for body in (good, bomb, b"no gzip"))
        first, second, third = all_sent(endpoint(server), CHAT, CHAT, CHAT)
    assert isinstance(first, Answer)
    assert first.text == "packed"
    assert type(second) is Faulty
    assert type(third) is Faulty


def nowhere() -> str:
    """A port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def test_no_server_is_told_with_its_url() -> None:
    url = nowhere()
    with pytest.raises(Unusable, match=rf"no server at {url}: .*Start it, or correct the URL after the @"):
        sent(OpenAI(ModelSpec(f"openai:small@{url}")))


NONE_LEFT = """
import resource, sys
from retroweave.models.openai import OpenAI
from retroweave.pipeline import loop
from retroweave.pipeline.model import ModelSpec, Request

HELLO = Request("chat", messages=({"role": "user", "content": "Hello."},))

async def main():
    first, second = (OpenAI(ModelSpec(f"openai:small@{sys.argv[1]}")) for _ in range(2))
    await first.send(HELLO, 20.0)
    second._open()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 1000))
    try:
        await second.send(HELLO, 20.0)
    except Exception as error:
        print(type(error).__name__, error)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
    await first.close()
    await second.close()

loop.run(main())
"""


def test_a_machine_that_has_no_connection_left_does_not_blame_the_server() -> None:
    with ModelServer() as server:
        command = [sys.executable, "-c", NONE_LEFT, server.url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.match("Faulty The connection to .* broke: Too many open files", said)


FEW_FILES = """
import asyncio, resource, sys
from retroweave.models.openai import OpenAI
from retroweave.pipeline import loop
from retroweave.pipeline.model import ModelSpec, Request

HELLO = Request("chat", messages=({"role": "user", "content": "Hello."},))

async def main():
    model = OpenAI(ModelSpec(f"openai:small@{sys.argv[1]}", in_flight=2000))
    answers = [asyncio.create_task(model.send(HELLO, 60.0)) for _ in range(400)]
    await asyncio.wait(answers[:1])
    with open("/dev/null"):
        await asyncio.gather(*answers)
    await model.close()

resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[3])))
loop.run(main())
"""


@pytest.mark.parametrize(("soft", "hard", "at_least", "at_most"), [(256, 256, 50, 128), (256, 1500, 257, 400)])
def test_a_process_of_few_files_keeps_some_for_itself(soft: int, hard: int, at_least: int, at_most: int) -> None:
    with ModelServer(latency=0.5) as server:
        command = [sys.executable, "-c", FEW_FILES, server.url, str(soft), str(hard)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.stderr == ""
    assert server.total == 400
    assert at_least <= server.most_in_flight <= at_most


def test_a_machine_without_certificates_can_do_without_tls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/there/is/none")
    with ModelServer() as server:
        assert sent(endpoint(server)).text
    with pytest.raises(Unusable, match=r"No CA certificates .*Install its certificates"):
        sent(OpenAI(ModelSpec("openai:small@https://127.0.0.1/v1")))


@pytest.mark.parametrize("host", ["256.256.256.256", "a^b", "xn--"])
def test_a_host_that_can_be_none_is_told(host: str) -> None:
    with pytest.raises(Unusable, match=f"{re.escape(host)}/v1 is no URL that can be asked: invalid .*Correct the URL"):
        sent(OpenAI(ModelSpec(f"openai:small@http://{host}/v1")))


def test_a_host_without_an_address_is_told() -> None:
    host = f"{'a' * 64}.invalid"  # too long for a name, so that no question for it leaves this machine
    with pytest.raises(Unusable, match=f"There is no server at http://{host}/v1: .*Start it"):
        sent(OpenAI(ModelSpec(f"openai:small@http://{host}/v1")))


def test_a_server_without_tls_is_told() -> None:
    with ModelServer() as server, pytest.raises(Unusable, match="There is no server at https://"):
        sent(OpenAI(ModelSpec(f"openai:small@{server.url.replace('http:', 'https:')}")))


def test_a_server_that_goes_away_in_the_middle_is_a_fault() -> None:
    async def go_away(model: OpenAI) -> list[Any]:
        found: list[Any] = [await model.send(CHAT, 20.0)]
        await asyncio.to_thread(server.stop)
        for _ in range(2):
            found.extend(await asyncio.gather(model.send(CHAT, 20.0), return_exceptions=True))
        with server:
            found.append(await model.send(CHAT, 20.0))
            await model.close()
        return found

    with ModelServer() as server:
        found = asyncio.run(go_away(endpoint(server)))
    assert [type(each) for each in found] == [Answer, Faulty, Faulty, Answer]


def test_what_is_under_way_when_it_is_closed_is_a_fault() -> None:
    async def closed(model: OpenAI) -> list[Any]:
        task = asyncio.create_task(model.send(CHAT, 20.0))
        while server.in_flight == 0:
            await asyncio.sleep(0.01)
        await model.close()
        return list(await asyncio.gather(task, return_exceptions=True))

    with ModelServer() as server:
        server.script.append("stalled")
        (found,) = asyncio.run(closed(endpoint(server)))
    assert type(found) is Faulty
    assert str(found).endswith("broke: Client was closed.")


def test_a_failure_that_nobody_holds_holds_no_connection() -> None:
    async def failed(model: OpenAI) -> weakref.ref[Faulty]:
        try:
            await model.send(CHAT, 20.0)
        except Faulty as fault:
            return weakref.ref(fault)
        finally:
            await model.close()
        raise AssertionError("it went well")

    gc.disable()
    try:
        with ModelServer() as server:
            server.script.append("cut")
            fault = loop.run(failed(endpoint(server)))
        assert fault() is None
    finally:
        gc.enable()


def test_a_choice_with_an_empty_error_is_an_answer() -> None:
    with ModelServer() as server:
        server.script.append(choice(error=None, message={"content": "a"}))
        assert sent(endpoint(server)).text == "a"
