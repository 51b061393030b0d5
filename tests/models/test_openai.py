"""The OpenAI endpoint sends what a request says, and reads what a server answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.model_server import Asked, ModelServer, Raw, Reply
from tests.models.asking import CHAT, COMPLETE, EMBED, all_sent, choice, endpoint, sent

from retroweave.models.address import address
from retroweave.models.openai import OpenAI
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Answer, Endpoint, Faulty, ModelSpec, Refused, Request

LOCAL = "http://127.0.0.1:8000/v1"
SCHEMA = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (f"qwen@{LOCAL}", ("qwen", LOCAL)),
        (f"qwen@{LOCAL}/", ("qwen", LOCAL)),
        (f"org/model:8b@main@{LOCAL}", ("org/model:8b@main", LOCAL)),
        ("m@HTTPS://host.example/v1", ("m", "HTTPS://host.example/v1")),
        ("gpt-small", ("gpt-small", "https://api.openai.com/v1")),
        ("@cf/some/model", ("@cf/some/model", "https://api.openai.com/v1")),
        ("org@v1.5/model", ("org@v1.5/model", "https://api.openai.com/v1")),
    ],
)
def test_an_address_is_parted_at_the_last_at_that_a_url_follows(name: str, parts: tuple[str, str]) -> None:
    assert address(name) == parts


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "names no model"),
        (f"@{LOCAL}", "names no model"),
        ("m@localhost:8000/v1", "say @http://localhost:8000/v1"),
        ("m@127.0.0.1/v1", "say @http://127.0.0.1/v1"),
        ("m@host.example/v1", "say @http://host.example/v1"),
        ("m@http:///v1", "no URL with a host"),
        ("m@http://a b/v1", "no URL with a host"),
        ("m@http://host:99999/v1", "Port out of range"),
        ("m@http://host/v1?key=1", "no [?] and no #"),
        ("m@http://host/v1/chat/completions", r"without /chat/completions: http://host/v1\."),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        address(name)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="holds a user or a password") as caught:
        address("m@https://me:hush@host.example/v1")
    assert "hush" not in str(caught.value)


def test_its_identity_names_the_model_and_the_server() -> None:
    model: Endpoint = OpenAI(ModelSpec(f"openai:qwen@{LOCAL}/", key="SOME_KEY"))
    assert model.identity == f"openai:qwen@{LOCAL}"
    assert (model.form, model.in_flight, model.abilities) == ("chat", 256, None)


def test_a_spec_says_how_to_ask_it() -> None:
    model = OpenAI(ModelSpec(f"openai:qwen@{LOCAL}", form="base", in_flight=3))
    assert (model.form, model.in_flight) == ("base", 3)


def test_options_are_fields_of_each_request_and_part_of_the_identity() -> None:
    with ModelServer() as server:
        model = endpoint(server, options={"chat_template_kwargs": {"enable_thinking": False}})
        sent(model)
    assert server.bodies[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert model.identity == f'openai:small@{server.url} {{"chat_template_kwargs":{{"enable_thinking":false}}}}'


@pytest.mark.parametrize("name", ["temperature", "n", "stream", "messages", "top_k"])
def test_an_option_cannot_set_what_a_request_says(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' is not one of them"):
        OpenAI(ModelSpec(f"openai:qwen@{LOCAL}", options={name: 1}))


def test_a_chat_says_all_that_changes_its_answer() -> None:
    with ModelServer() as server:
        assert sent(endpoint(server)) == Answer("Say yes.", "stop", 2, 2)
    assert server.bodies == [
        {
            "model": "small",
            "messages": [{"role": "user", "content": "Say yes."}],
            "max_tokens": 20,
            "n": 1,
            "temperature": 1.0,
            "top_p": 1.0,
            "frequency_penalty": 0.0,
            "presence_penalty": 0.0,
            "seed": 0,
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "repeat_penalty": 1.0,
        }
    ]


def test_a_request_is_sent_as_it_is() -> None:
    request = Request(
        "chat",
        messages=CHAT.messages,
        max_tokens=7,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.1,
        frequency_penalty=0.2,
        presence_penalty=0.3,
        stop=("\n", "END"),
        seed=2**40 + 5,
        logprobs=4,
        schema=SCHEMA,
    )
    with ModelServer() as server:
        sent(endpoint(server), request)
    (body,) = server.bodies
    for name in ("max_tokens", "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty"):
        assert body[name] == getattr(request, name)
    assert body["stop"] == ["\n", "END"]
    assert body["seed"] == 5  # within 31 bits
    assert (body["logprobs"], body["top_logprobs"]) == (True, 4)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }


def test_a_document_is_gone_on_with() -> None:
    with ModelServer() as server:
        answer = sent(endpoint(server), replace(COMPLETE, logprobs=3))
    (body,) = server.bodies
    assert answer.text == "One, two,"
    assert (body["prompt"], body["max_tokens"], body["logprobs"]) == ("One, two,", 20, 3)
    assert "messages" not in body
    assert "top_logprobs" not in body


def test_an_embedding_is_a_vector() -> None:
    with ModelServer(lambda asked: Reply(vector=[1, 0.5, -2])) as server:
        answer = sent(endpoint(server), EMBED)
    assert server.bodies == [{"model": "small", "input": "one"}]
    assert answer == Answer(prompt_tokens=1, vector=(1.0, 0.5, -2.0))


def test_an_answer_that_follows_a_schema_is_its_text() -> None:
    with ModelServer() as server:
        assert orjson.loads(sent(endpoint(server), replace(CHAT, schema=SCHEMA)).text) == {"yes": True}


def test_a_prompt_of_any_characters_arrives() -> None:
    text = 'Zwölf "Boxkämpfer"\n\u2028 \U0001f980 \x00 ' * 9000
    with ModelServer() as server:
        answer = sent(endpoint(server), replace(CHAT, messages=({"role": "user", "content": text},)))
    assert answer.text == text


def test_half_a_character_is_refused_before_it_is_sent() -> None:
    with ModelServer() as server, pytest.raises(Refused, match="half a character"):
        sent(endpoint(server), replace(COMPLETE, text="a\ud800"))
    assert server.total == 0


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("eos", "stop"),
        ("max_tokens", "length"),
        (None, "stop"),
        ("content_filter", "content_filter"),
    ],
)
def test_why_it_ended_is_told_in_the_words_of_openai(told: str | None, kept: str) -> None:
    with ModelServer() as server:
        server.script.append(choice(message={"content": "a"}, finish_reason=told))
        assert sent(endpoint(server)).finish == kept


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("", ""),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "b"}], "b"),
    ],
)
def test_content_may_be_nothing_or_in_parts(content: Any, text: str) -> None:
    with ModelServer() as server:
        server.script.append(choice(message={"content": content, "reasoning": "hm", "reasoning_content": "hm"}))
        assert sent(endpoint(server)).text == text


@pytest.mark.parametrize(
    "usage", [None, [], "many", {"prompt_tokens": "3"}, {"prompt_tokens": -1}, {"prompt_tokens": True}]
)
def test_counts_that_are_none_are_not_known(usage: Any) -> None:
    with ModelServer() as server:
        server.script.append(Raw(200, {"choices": [{"message": {"content": "a"}}], "usage": usage}))
        assert sent(endpoint(server)) == Answer("a")


LIKELY = {"yes": -0.5, "no": -1.0, "maybe": -3.0, "never": -9.0}


@pytest.mark.parametrize("request_", [CHAT, COMPLETE])
@pytest.mark.parametrize("content_logprobs", [False, True])
def test_the_alternatives_of_the_first_token_come_likeliest_first(request_: Request, content_logprobs: bool) -> None:
    with ModelServer(lambda asked: Reply("yes", LIKELY), content_logprobs=content_logprobs) as server:
        answer = sent(endpoint(server), replace(request_, logprobs=3))
    assert answer.first == (("yes", -0.5), ("no", -1.0), ("maybe", -3.0))


@pytest.mark.parametrize("request_", [CHAT, COMPLETE])
def test_a_server_without_logprobs_tells_no_alternatives(request_: Request) -> None:
    with ModelServer(lambda asked: Reply("yes", LIKELY), lacks=["logprobs"]) as server:
        assert sent(endpoint(server), replace(request_, logprobs=3)).first == ()


@pytest.mark.parametrize("nothing", [b"null", b"-Infinity", b"NaN"])
def test_what_cannot_happen_is_no_alternative(nothing: bytes) -> None:
    body = b'{"choices":[{"text":"no","logprobs":{"top_logprobs":[{"yes":%b,"no":-0.0,"so":-2}]}}]}' % nothing
    with ModelServer() as server:
        server.script.append(Raw(200, body))
        assert sent(endpoint(server), COMPLETE).first == (("no", -0.0), ("so", -2.0))


@pytest.mark.parametrize(
    "logprobs", [{}, {"content": None}, {"content": []}, {"top_logprobs": []}, {"top_logprobs": [None]}]
)
def test_logprobs_that_tell_nothing_are_none(logprobs: dict[str, Any]) -> None:
    with ModelServer() as server:
        server.script.append(choice(text="a", logprobs=logprobs))
        assert sent(endpoint(server), COMPLETE) == Answer("a")


def test_a_first_token_without_alternatives_is_the_only_one() -> None:
    with ModelServer() as server:
        server.script.append(choice(message={"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -0.25}]}))
        assert sent(endpoint(server)).first == (("a", -0.25),)


SEVERAL = [replace(CHAT, seed=seed) for seed in range(20)]


def test_requests_one_after_another_share_a_connection() -> None:
    with ModelServer() as server:
        assert all(isinstance(found, Answer) for found in all_sent(endpoint(server), *SEVERAL))
    assert server.connections == 1


def test_requests_at_once_are_all_under_way_at_once() -> None:
    async def flood(model: OpenAI) -> None:
        tasks = [asyncio.create_task(model.send(replace(CHAT, seed=seed), 60.0)) for seed in range(300)]
        while server.in_flight < 300 and not any(task.done() for task in tasks):
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await model.close()

    with ModelServer() as server:
        server.script.extend(["stalled"] * 300)
        asyncio.run(flood(endpoint(server)))
    assert server.most_in_flight == 300


def test_a_request_that_is_called_off_does_no_harm_to_others() -> None:
    async def called_off(model: OpenAI) -> Answer:
        task = asyncio.create_task(model.send(CHAT, 60.0))
        while server.in_flight == 0:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answer = await model.send(CHAT, 60.0)
        await model.close()
        return answer

    with ModelServer() as server:
        server.script.append("stalled")
        assert asyncio.run(called_off(endpoint(server))).text == "Say yes."


def test_a_closed_endpoint_opens_again() -> None:
    async def twice(model: OpenAI) -> None:
        for _ in range(2):
            await model.send(CHAT, 20.0)
            await model.close()
        await model.close()

    with ModelServer() as server:
        asyncio.run(twice(endpoint(server)))
    assert (server.total, server.connections) == (2, 2)


def test_cookies_are_not_kept() -> None:
    with ModelServer() as server:
        body = {"choices": [{"message": {"content": "a"}}]}
        server.script.append(Raw(200, body, {"Set-Cookie": "who=me; Path=/"}))
        all_sent(endpoint(server), CHAT, CHAT)
    assert "cookie" not in server.asked[1].headers


def test_what_a_server_does_not_know_is_left_out_from_the_next_request_on() -> None:
    with ModelServer(unknown=["top_k", "min_p"]) as server:
        model = endpoint(server)
        first, second, third = all_sent(model, CHAT, CHAT, CHAT)
    assert isinstance(first, Faulty)
    assert "From now on 'top_k' will be left out" in str(first)
    assert isinstance(second, Faulty)
    assert third == Answer("Say yes.", "stop", 2, 2)
    assert set(model.left_out) == {"top_k", "repeat_penalty", "min_p"}
    assert server.total == 3  # nothing is sent twice by itself
    assert server.bodies[2].keys() & set(model.left_out) == set()
    assert server.bodies[2]["repetition_penalty"] == 1.0


@pytest.mark.parametrize(
    "complaint",
    [
        {"error": {"message": "Unrecognized request arguments supplied: min_p, top_k", "param": None, "code": None}},
        {"error": {"message": "Unknown parameter: 'top_k'.", "param": "top_k", "code": "unknown_parameter"}},
        {"error": {"message": "property 'top_k' is unsupported, did you mean 'top_p'?"}},
        {"object": "error", "message": "[{'loc': ('body', 'top_k'), 'msg': 'Extra inputs are not permitted'}]"},
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]},
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "top_k": Cannot find field.',
                }
            }
        ],
        {"error": "Validation error at #/top_k: Extra inputs are not permitted"},
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_field_that_is_not_known_is_recognised_in_many_wordings(complaint: Any, status: int) -> None:
    with ModelServer() as server:
        server.script.append(Raw(status, complaint))
        model = endpoint(server)
        first, second = all_sent(model, CHAT, CHAT)
    assert isinstance(first, Faulty)
    assert isinstance(second, Answer)
    assert "top_k" in model.left_out
    assert "top_k" not in server.bodies[1]


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_timeout_may_have_no_end(timeout: float) -> None:
    with ModelServer() as server:
        assert sent(endpoint(server), timeout=timeout).text == "Say yes."


def test_a_proxy_of_the_environment_is_not_asked_for_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ModelServer() as server:
        assert sent(endpoint(server)).text == "Say yes."


def test_several_requests_under_way_may_all_meet_the_field_that_is_not_known() -> None:
    async def at_once(model: OpenAI) -> list[Any]:
        found = await asyncio.gather(*(model.send(CHAT, 20.0) for _ in range(5)), return_exceptions=True)
        await model.close()
        return found

    for name in ("top_k", "max_tokens"):
        with ModelServer(unknown=[name]) as server:
            first, *others = map(type, asyncio.run(at_once(endpoint(server))))
        assert first is Faulty
        assert {*others} <= {Faulty, Answer}  # those that were written after its answer had come do without the field


@pytest.mark.parametrize(
    ("name", "value"), [("top_k", 40), ("min_p", 0.1), ("temperature", 0.0), ("presence_penalty", 1.0)]
)
def test_a_request_that_needs_what_the_server_lacks_is_refused_by_name(name: str, value: float) -> None:
    changed: dict[str, Any] = {name: value}
    needy = replace(CHAT, **changed)
    with ModelServer(unknown=[name]) as server:
        found = all_sent(endpoint(server), needy, CHAT, needy)
    assert [type(each) for each in found] == [Refused, Faulty, Refused]
    assert f"Unrecognized request argument supplied: {name}" in str(found[0])
    assert f"does not take '{name}', and this request sets it to {value}" in str(found[2])
    assert server.total == 2  # the last one was not even sent


def test_a_schema_that_the_server_does_not_take_is_refused() -> None:
    with ModelServer(unknown=["response_format"]) as server, pytest.raises(Refused, match="supplied: response_format"):
        sent(endpoint(server), replace(CHAT, schema=SCHEMA))


def test_a_server_without_seeds_is_not_asked_for_them() -> None:
    with ModelServer(unknown=["seed"]) as server:
        model = endpoint(server)
        first, second = all_sent(model, replace(CHAT, seed=3), replace(CHAT, seed=3))
    assert (type(first), type(second)) == (Faulty, Answer)
    assert model.left_out == ("seed",)


def test_a_newer_model_is_told_the_most_tokens_by_their_newer_name() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    error = {"message": said, "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}
    with ModelServer() as server:
        server.script.append(Raw(400, {"error": error}))
        model = endpoint(server)
        first, second = all_sent(model, CHAT, CHAT)
    assert isinstance(first, Faulty)
    assert "sent as max_completion_tokens" in str(first)
    assert isinstance(second, Answer)
    assert "max_tokens" not in server.bodies[1]
    assert server.bodies[1]["max_completion_tokens"] == 20
    assert model.left_out == ()


def test_a_temperature_that_the_model_does_not_have_is_refused_in_its_words() -> None:
    said = (
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
    )
    error = {"message": said, "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}
    with ModelServer() as server:
        server.script.append(Raw(400, {"error": error}))
        with pytest.raises(Refused, match=r"Only the default \(1\) value is supported"):
            sent(endpoint(server), replace(CHAT, temperature=0.0))


def test_openai_is_spared_what_it_does_not_have() -> None:
    model = OpenAI(ModelSpec("openai:gpt-small"))
    body = model._body(CHAT)
    assert model.left_out == ("top_k", "min_p", "repetition_penalty", "repeat_penalty")
    assert body.keys() & {*model.left_out, "max_tokens"} == set()
    assert body["max_completion_tokens"] == 20
    assert model._body(COMPLETE)["max_tokens"] == 20
    with pytest.raises(Refused, match="does not take 'top_k'"):
        model._body(replace(CHAT, top_k=5))


def test_at_openrouter_an_unlimited_top_k_is_zero() -> None:
    assert OpenAI(ModelSpec("openai:a/b@https://openrouter.ai/api/v1"))._body(CHAT)["top_k"] == 0


def test_what_ollama_drops_in_silence_is_noted() -> None:
    with ModelServer(fingerprint="fp_ollama") as server:
        model = endpoint(server)
        good, first, second = all_sent(model, CHAT, replace(CHAT, top_k=3), CHAT)
    assert isinstance(good, Answer)
    assert isinstance(first, Refused)
    assert isinstance(second, Answer)
    assert model.left_out == ("top_k", "min_p", "repetition_penalty", "repeat_penalty")
    assert server.total == 2


def test_an_answer_of_ollama_that_dropped_what_matters_is_not_taken() -> None:
    with ModelServer(fingerprint="fp_ollama") as server, pytest.raises(Refused, match="ignores 'min_p'"):
        sent(endpoint(server), replace(CHAT, min_p=0.2))


def test_a_teacher_may_be_scripted() -> None:
    def teacher(asked: Asked) -> Reply:
        right = asked.rng.random() < 0.8
        return Reply("right" if right else "wrong", {"yes": -0.1} if right else {"no": -0.1})

    with ModelServer(teacher) as server:
        found = all_sent(endpoint(server), *(replace(CHAT, seed=seed) for seed in range(200)))
    assert 140 < sum(isinstance(each, Answer) and each.text == "right" for each in found) < 180
