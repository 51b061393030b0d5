"""A real model inside the process: it answers the same whatever else is asked of it, and it can be stopped."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from retroweave.models import llamacpp
from retroweave.models.llamacpp import LlamaCpp, Options
from retroweave.pipeline.model import Answer, Faulty, ModelSpec, Refused, Request, TooLong, Unusable

SMALL = {"context": 512}
FRANCE = Request("complete", text="The capital of France is", max_tokens=8, temperature=0.0)
LONG = Request("complete", text="Once upon a time there was a mill. " * 40, max_tokens=200)
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def opened(**options: Any) -> LlamaCpp:
    return LlamaCpp(ModelSpec("embedded:smollm2", options=options))


@pytest.fixture(scope="module")
def model(smollm2: Path) -> Iterator[LlamaCpp]:
    found = opened(context=1024)
    yield found
    asyncio.run(found.close())


def answered(model: LlamaCpp, request: Request, timeout: float = 120.0) -> Answer:
    return asyncio.run(model.send(request, timeout))


def answered_together(model: LlamaCpp, requests: Sequence[Request]) -> list[Answer]:
    async def together() -> list[Answer]:
        return await asyncio.gather(*(model.send(request, 120.0) for request in requests))

    return asyncio.run(together())


def varied() -> list[Request]:
    """Requests of many kinds and lengths: were they worked on together, their prompts would be packed in many ways."""
    found = [replace(FRANCE, logprobs=20)]
    for seed, words in enumerate((3, 90, 20)):
        prompt = " ".join(f"{word % (seed + 5)} stones" for word in range(words))
        found.append(Request("complete", text=prompt, max_tokens=8, seed=seed, logprobs=5))
    turn = {"role": "user", "content": "Say something about stones."}
    found += [Request("chat", messages=(turn,), max_tokens=8, seed=seed, logprobs=3) for seed in range(2)]
    return found


def test_an_answer_is_the_same_alone_repeated_and_among_others(model: LlamaCpp) -> None:
    requests = varied()
    alone = [answered(model, request) for request in requests]
    assert answered_together(model, requests[::-1] + requests) == alone[::-1] + alone


ELSEWHERE = """
import asyncio, sys
from retroweave.models.llamacpp import LlamaCpp
from retroweave.pipeline.model import ModelSpec
from tests.models.test_llamacpp import varied

async def together(model):
    return await asyncio.gather(*(model.send(request, 120.0) for request in varied()))

model = LlamaCpp(ModelSpec("embedded:smollm2", options={"context": 900}))
for answer in asyncio.run(together(model)):
    print(answer.encoded().decode())
"""


def python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_answer_is_the_same_in_another_process_and_nothing_else_is_printed(model: LlamaCpp, tmp_path: Path) -> None:
    done = python(ELSEWHERE, TMPDIR=str(tmp_path))  # the model is never closed there: the process ends all the same
    assert (done.returncode, done.stderr) == (0, "")
    here = [answer.encoded().decode() for answer in answered_together(model, varied())]
    assert done.stdout.splitlines() == here
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_the_same_on_more_threads(model: LlamaCpp) -> None:
    request = Request("complete", text="A mill by a river, and a bridge. " * 75, max_tokens=3, logprobs=20, seed=3)
    other = opened(threads=3, context=1024)  # where cores are few each step is slow, so there are only five
    found = answered(other, request)
    asyncio.run(other.close())
    assert found == answered(model, request)


LISTENING = """
import asyncio, os, re, signal, sys
from pathlib import Path
from retroweave.models.llamacpp import LlamaCpp
from retroweave.pipeline.model import ModelSpec

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background is deaf to it
model = LlamaCpp(ModelSpec("embedded:smollm2", options={"slots": 1, "context": 256}))
asyncio.run(model.start())
mine = {os.readlink(name) for name in Path("/proc/self/fd").iterdir() if os.path.islink(name)}
tables = [Path(f"/proc/self/net/{table}").read_text().splitlines()[1:] for table in ("tcp", "tcp6")]
print([line for table in tables for line in table if f"socket:[{line.split()[9]}]" in mine])
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="open ports are looked up in /proc")
def test_a_loaded_model_opens_no_port_and_leaves_the_interrupt_key_alone(smollm2: Path) -> None:
    done = python(LISTENING)
    assert (done.stdout, done.stderr) == ("[]\ninterrupted\n", "")


def test_it_goes_on_with_a_document(model: LlamaCpp) -> None:
    answer = answered(model, FRANCE)
    assert answer.text.startswith(" Paris")
    assert (answer.finish, answer.prompt_tokens, answer.completion_tokens) == ("length", 5, 8)


def test_it_takes_its_turn_in_a_chat_and_ends_it(model: LlamaCpp) -> None:
    turn = {"role": "user", "content": "Say hello."}
    answer = answered(model, Request("chat", messages=(turn,), max_tokens=100, temperature=0.0))
    assert answer.text
    assert answer.finish == "stop"
    assert 0 < (answer.completion_tokens or 0) < 100


def test_another_seed_gives_another_answer_and_any_seed_the_same_again(model: LlamaCpp) -> None:
    seeds = (0, 1, 2**32 - 1, 2**63, -1)
    requests = [replace(FRANCE, temperature=1.5, seed=seed, max_tokens=16) for seed in seeds]
    first = answered_together(model, requests)
    assert answered_together(model, requests) == first
    assert len({answer.text for answer in first[:2]}) == 2


def test_the_likeliest_first_token_is_the_greedy_one(model: LlamaCpp) -> None:
    answer = answered(model, replace(FRANCE, logprobs=100))
    tokens, logprobs = zip(*answer.first, strict=True)
    assert len(tokens) == 100
    assert tokens[0] == " Paris"
    assert list(logprobs) == sorted(logprobs, reverse=True)
    assert 0.8 < sum(map(math.exp, logprobs)) <= 1.0 + 1e-6


def test_the_first_token_is_told_as_it_was_before_sampling(model: LlamaCpp) -> None:
    plain = answered(model, replace(FRANCE, logprobs=5))
    hot = answered(model, replace(FRANCE, logprobs=5, temperature=2.0, top_k=3, seed=4))
    assert hot.first == plain.first


def test_the_first_token_is_told_even_where_the_answer_stops_at_it(model: LlamaCpp) -> None:
    answer = answered(model, replace(FRANCE, logprobs=5, stop=(" Paris",)))
    assert (answer.text, answer.finish) == ("", "stop")
    assert answer.first[0][0] == " Paris"


def test_an_answer_ends_before_its_first_stop_string_wherever_tokens_part_it(model: LlamaCpp) -> None:
    whole = answered(model, FRANCE).text
    stops = [whole[start : start + 4] for start in range(1, len(whole) - 4, 3)]
    answers = answered_together(model, [replace(FRANCE, stop=(stop, "never said", "")) for stop in stops])
    assert [answer.text for answer in answers] == [whole[: whole.find(stop)] for stop in stops]
    assert {answer.finish for answer in answers} == {"stop"}


def test_what_might_have_become_a_stop_string_is_not_lost(model: LlamaCpp) -> None:
    whole = answered(model, FRANCE).text
    answer = answered(model, replace(FRANCE, stop=(f"{whole} and so on",)))
    assert (answer.text, answer.finish) == (whole, "length")


def test_an_answer_follows_its_schema(model: LlamaCpp) -> None:
    requests = [Request("complete", text="x", max_tokens=60, schema=PERSON, seed=seed) for seed in range(4)]
    turn = {"role": "user", "content": "Invent a person."}
    requests.append(Request("chat", messages=(turn,), max_tokens=60, schema=PERSON))
    for answer in answered_together(model, requests):
        assert "\n" not in answer.text
        person = json.loads(answer.text)
        assert set(person) == {"name", "age"}
        assert isinstance(person["name"], str)
        assert isinstance(person["age"], int)


def test_a_schema_that_is_not_understood_is_refused(model: LlamaCpp) -> None:
    with pytest.raises(Refused, match="does not understand the schema"):
        answered(model, replace(FRANCE, schema={"type": "nonsense"}, max_tokens=100, stop=(".",)))


def test_a_prompt_that_is_longer_than_the_context_is_refused_as_such(model: LlamaCpp) -> None:
    with pytest.raises(TooLong, match=r"has 2001 tokens, and the context holds 1024: .*set context:"):
        answered(model, replace(FRANCE, text="word " * 2000))


def test_a_prompt_that_leaves_no_room_for_its_answer_is_refused_as_such(model: LlamaCpp) -> None:
    with pytest.raises(
        TooLong, match=r"A prompt of 1001 tokens leaves room for \d\d in the context, and the answer may have 200"
    ):
        answered(model, replace(FRANCE, text="word " * 1000, max_tokens=200))


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request("embed", text="one"), "embedded:sentences"),
        (Request("complete", text=""), "empty"),
        (Request("chat"), "empty"),
        (replace(FRANCE, logprobs=101), "100 at most"),
        (replace(FRANCE, text="\ud800"), "cannot be written as JSON"),
    ],
)
def test_what_cannot_be_asked_is_refused(model: LlamaCpp, request_: Request, why: str) -> None:
    with pytest.raises(Refused, match=why):
        answered(model, request_)


def test_a_request_that_takes_too_long_is_given_up_and_the_next_one_is_answered(model: LlamaCpp) -> None:
    with pytest.raises(Faulty, match=r"no answer within 0\.01 seconds"):
        answered(model, LONG, timeout=0.01)
    assert answered(model, FRANCE).text.startswith(" Paris")


def test_several_slots_answer_together(smollm2: Path) -> None:
    model = opened(slots=4, context=512)
    requests = [replace(FRANCE, seed=seed, max_tokens=24) for seed in range(6)]
    answers = answered_together(model, requests)
    asyncio.run(model.close())
    assert all(answer.text.startswith(" Paris") for answer in answers)


def test_requests_that_are_cancelled_are_broken_off_and_make_room_for_others(model: LlamaCpp) -> None:
    async def cancelled() -> Answer:
        await model.start()
        tasks = [asyncio.create_task(model.send(replace(LONG, seed=seed), 120.0)) for seed in range(30)]
        await asyncio.sleep(0.1)
        calls = list(model._calls)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}
        answer = await model.send(FRANCE, 120.0)
        assert {call._finish for call in calls} == {""}
        return answer

    assert asyncio.run(cancelled()).text.startswith(" Paris")


def threads_of_models() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("llama.cpp")}


def test_closing_ends_what_is_under_way_and_every_thread(smollm2: Path) -> None:
    before = threads_of_models()
    model = opened(**SMALL)

    async def closed() -> list[Answer | BaseException]:
        await model.start()
        tasks = [asyncio.create_task(model.send(replace(LONG, seed=seed), 120.0)) for seed in range(8)]
        await asyncio.sleep(0.1)
        await model.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    for end in asyncio.run(closed()):
        assert isinstance(end, Faulty)
        assert "closed before it had answered" in str(end)
    assert threads_of_models() == before
    asyncio.run(model.close())  # once more does no harm


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_opening_and_closing_again_leaves_no_thread_behind(model: LlamaCpp) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    others = [opened(context=256) for _ in range(4)]

    async def once(other: LlamaCpp) -> Answer:
        try:
            return await other.send(FRANCE, 120.0)
        finally:
            await other.close()

    answered(model, FRANCE)  # so that it is loaded before threads are counted
    before = threads()
    answers = [asyncio.run(once(other)) for other in others]
    deadline = time.monotonic() + 60
    while threads() >= before + len(answers):  # those of the listener take a moment to end
        assert time.monotonic() < deadline, "as many threads are left as there were models"
        time.sleep(0.05)
    assert {answered(model, FRANCE), *answers} == {answers[0]}  # the model that stayed open still answers


def test_nothing_is_loaded_before_it_is_asked_for(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    model = opened(**SMALL)
    with pytest.raises(Unusable, match=r"does not load.*pip install .*\[embedded\]'"):
        asyncio.run(model.start())
    asyncio.run(model.close())


def test_its_identity_tells_the_weights_and_the_runtime_but_not_how_it_is_run(smollm2: Path) -> None:
    other, usual = opened(threads=2, context=512), opened()
    assert other.identity == usual.identity
    assert usual.identity.startswith("embedded:smollm2-135m-instruct-q8_0#0c1d3326cd9793cf/xllamacpp-20")


def test_answers_that_may_depend_on_each_other_are_kept_under_another_identity(smollm2: Path) -> None:
    assert opened(slots=2).identity == f"{opened().identity}/shared"


def test_it_is_asked_as_a_base_model_unless_the_spec_says_otherwise(smollm2: Path) -> None:
    assert opened().form == "base"
    assert LlamaCpp(ModelSpec("embedded:smollm2", form="chat")).form == "chat"


def test_twice_as_many_requests_are_under_way_as_there_are_slots(smollm2: Path) -> None:
    assert opened().in_flight == 2
    assert opened(slots=3).in_flight == 6
    assert LlamaCpp(ModelSpec("embedded:smollm2", in_flight=2)).in_flight == 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"threads": 0}, "threads of an embedded model is 0; it is 1 to 256"),
        ({"threads": 257}, "it is 1 to 256"),
        ({"slots": 65}, "slots of an embedded model is 65; it is 1 to 64"),
        ({"slots": -1}, "it is 1 to 64"),
        ({"context": 100}, "it is 256 to 1048576"),
        ({"threads": "2"}, "is '2'"),
        ({"threads": True}, "is True"),
        ({"thread": 2}, "no option 'thread'. Did you mean 'threads'?"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(Unusable) as refused:
        Options.read(options)
    assert why in str(refused.value)


def test_where_the_runtime_is_missing_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(llamacpp, "version", missing)
    with pytest.raises(Unusable, match=r"xllamacpp, which is not installed: pip install .*\[embedded\]'"):
        opened()


def test_a_broken_file_is_refused_when_it_is_loaded(smollm2: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    with smollm2.open("rb") as whole:
        broken.write_bytes(whole.read(4 << 20))
    model = LlamaCpp(ModelSpec(f"embedded:{broken}", options=SMALL))
    begun = time.monotonic()
    for _ in range(2):
        with pytest.raises(Unusable, match=r"cannot load .*broken\.gguf: the file is broken"):
            answered(model, FRANCE)
    assert time.monotonic() - begun < 60
    asyncio.run(model.close())


def test_a_model_goes_by_the_path_of_its_file(smollm2: Path, tmp_path: Path) -> None:
    mine = tmp_path / "of@mine.gguf"
    mine.symlink_to(smollm2)
    assert LlamaCpp(ModelSpec(f"embedded:{mine}")).identity.startswith("embedded:of@mine#0c1d3326cd9793cf/")
