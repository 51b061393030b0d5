"""The client of a model asks each thing once, tries again what failed, and leaves nothing that was paid for behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.endpoints import SWIFT, Asked, Clock, Fake, Reply, asking, chat, greedy, settled

from retroweave.pipeline.budget import Budget, OutOfBudget
from retroweave.pipeline.client import MOST_TOKENS, CallFailed, Patience
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.model import Answer, Busy, Faulty, Price, Refused, Request, TooLong, Unusable

Work = Callable[[Asked], Coroutine[Any, Any, Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def ran(endpoint: Fake, path: Path, work: Work, **options: Any) -> Any:
    async def whole() -> Any:
        async with asking(endpoint, path, **options) as asked:
            return await work(asked)

    return asyncio.run(whole())


def replies(*given: Reply) -> Callable[[Request], Reply]:
    """One after another, and the last of them for ever."""
    left = list(given)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def once(text: str = "What is it?") -> Work:
    return lambda asked: asked.client.ask(greedy(text))


class TestOneAnswerForOneQuestion:
    def test_an_answer_that_stands_is_never_asked_again_not_after_a_restart_either(self, path: Path) -> None:
        endpoint = Fake()

        async def twice(asked: Asked) -> tuple[Answer, Answer, int]:
            found = await asked.client.ask(greedy("What is it?")), await asked.client.ask(greedy("What is it?"))
            return *found, asked.client.cached

        one, other, cached = ran(endpoint, path, twice)
        assert one == other
        assert cached == 1
        assert ran(endpoint, path, once()) == one
        assert endpoint.texts == ["What is it?"]

    def test_equal_requests_under_way_are_one(self, path: Path) -> None:
        endpoint = Fake()

        async def together(asked: Asked) -> list[Answer]:
            return list(await asyncio.gather(*(asked.client.ask(greedy("What is it?")) for _ in range(20))))

        assert len(set(map(id, ran(endpoint, path, together)))) == 1
        assert len(endpoint.sent) == 1

    def test_an_equal_request_is_not_sent_before_the_answer_stands_in_the_file(self, path: Path) -> None:
        endpoint = Fake()

        async def in_the_same_moment(asked: Asked) -> None:
            await asked.client.ask(greedy("What is it?"))
            await asyncio.sleep(0)  # the first is done with, and waits to be written
            await asked.client.ask(greedy("What is it?"))

        ran(endpoint, path, in_the_same_moment)
        assert len(endpoint.sent) == 1

    @pytest.mark.parametrize(
        "other",
        [
            chat("What is it?", temperature=0.0, max_tokens=21),
            chat("What is it?", temperature=0.1, max_tokens=20),
            chat("What is it?", temperature=0.0, max_tokens=20, stop=("\n",)),
            chat("What is it?", temperature=0.0, max_tokens=20, seed=1),
            Request("complete", text="What is it?", temperature=0.0, max_tokens=20),
            Request("embed", text="What is it?", temperature=0.0, max_tokens=20),
        ],
    )
    def test_whatever_may_change_the_answer_makes_it_another_request(self, path: Path, other: Request) -> None:
        endpoint = Fake()

        async def both(asked: Asked) -> None:
            await asked.client.ask(greedy("What is it?"))
            await asked.client.ask(other)

        ran(endpoint, path, both)
        assert len(endpoint.sent) == 2

    def test_a_schema_in_another_order_is_another_request(self, path: Path) -> None:
        """A model that must write its reasons before its verdict may come to another one."""
        endpoint = Fake()
        reason, verdict = ("reason", {"type": "string"}), ("verdict", {"type": "boolean"})

        async def both(asked: Asked) -> None:
            for properties in (dict([reason, verdict]), dict([verdict, reason])):
                await asked.client.ask(chat("Is it?", temperature=0.0, schema={"properties": properties}))

        ran(endpoint, path, both)
        assert len(endpoint.sent) == 2

    def test_another_endpoint_has_answers_of_its_own(self, path: Path) -> None:
        ran(Fake(identity="one"), path, once())
        other = Fake(lambda request: "no", identity="other")
        assert ran(other, path, once()).text == "no"


class TestTryingAgain:
    def test_an_error_is_tried_again_and_each_attempt_is_a_call(self, path: Path) -> None:
        endpoint = Fake(replies(Faulty("broken pipe"), Faulty("broken pipe"), Faulty("broken pipe"), "yes"))

        async def work(asked: Asked) -> tuple[str, int, int]:
            answer = await asked.client.ask(greedy("What is it?"))
            return answer.text, asked.ledger.spent.calls, asked.client.retries

        assert ran(endpoint, path, work) == ("yes", 4, 3)

    def test_an_error_counts_at_its_worst_unless_it_was_turned_down_at_once(self, path: Path) -> None:
        endpoint = Fake(replies(Faulty("broken pipe"), Faulty("an unknown field", charged=False), "yes"))

        async def work(asked: Asked) -> int:
            await asked.client.ask(greedy("What is it?"))
            return asked.ledger.spent.tokens

        worst = len("What is it?") + 64 + 16 + 20
        assert ran(endpoint, path, work) == worst + 15

    def test_an_error_that_nobody_foresaw_counts_at_its_worst_too(self, path: Path) -> None:
        async def work(asked: Asked) -> int:
            with pytest.raises(KeyError):
                await asked.client.ask(greedy("What is it?"))
            return asked.ledger.spent.tokens

        assert ran(Fake(replies(KeyError("usage"))), path, work) == len("What is it?") + 64 + 16 + 20

    def test_after_as_many_attempts_again_the_request_has_failed(self, path: Path) -> None:
        endpoint = Fake(replies(Faulty("502 from the router")))
        with pytest.raises(CallFailed, match="gave no answer in 4 attempts, the last: 502 from the router"):
            ran(endpoint, path, once())
        assert len(endpoint.sent) == 4

    def test_what_failed_waits_until_others_go_well_before_its_second_round(self, path: Path) -> None:
        clock = Clock()
        down = True

        def reply(request: Request) -> Reply:
            return Faulty("overloaded") if down and "lost" in request.messages[0]["content"] else "yes"

        endpoint = Fake(reply)

        async def work(asked: Asked) -> tuple[int, str]:
            nonlocal down
            lost = asyncio.create_task(asked.client.ask(greedy("lost")))
            while endpoint.texts.count("lost") < 2:
                await settled(1)
            await settled()
            before = endpoint.texts.count("lost")
            down = False
            await asyncio.gather(*(asked.client.ask(greedy(str(n))) for n in range(10)))
            return before, (await asyncio.wait_for(lost, 20)).text

        patience = Patience(tries=2, pause=0.0, salvage_after=1000.0)
        assert ran(endpoint, path, work, patience=patience, clock=clock) == (2, "yes")

    def test_the_pauses_get_longer_and_are_not_all_alike(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        sleep = asyncio.sleep

        async def noted(seconds: float) -> None:
            slept.append(seconds)
            await sleep(0)

        monkeypatch.setattr("retroweave.pipeline.client.asyncio.sleep", noted)
        endpoint = Fake(replies(Faulty("broken pipe")))
        patience = Patience(tries=6, pause=1.0, longest=6.0, salvage_after=0.0)
        with pytest.raises(CallFailed):
            ran(endpoint, path, once(), patience=patience)
        paused = [seconds for seconds in slept if seconds]
        assert len(paused) == 10
        for seconds, most in zip(paused, [1, 2, 4, 6, 6] * 2, strict=True):
            assert most / 2 <= seconds <= most
        assert paused[3] != paused[4]

    def test_what_the_model_will_never_answer_is_not_tried_again(self, path: Path) -> None:
        endpoint = Fake(replies(TooLong("4,097 tokens")))

        async def work(asked: Asked) -> tuple[int, int]:
            with pytest.raises(Refused, match="4,097 tokens"):
                await asked.client.ask(greedy("What is it?"))
            return asked.ledger.spent.calls, asked.ledger.spent.tokens

        assert ran(endpoint, path, work) == (1, 0)

    def test_an_endpoint_that_cannot_be_used_stops_the_run(self, path: Path) -> None:
        endpoint = Fake(replies(Unusable("No server answers at http://127.0.0.1:1.")))
        with pytest.raises(RunStopped, match="No server answers") as caught:
            ran(endpoint, path, once())
        assert isinstance(caught.value.__cause__, Unusable)

    def test_what_went_wrong_last_is_told_until_it_goes_well_again(self, path: Path) -> None:
        endpoint = Fake(replies(Faulty("broken pipe"), "yes"), gate=asyncio.Event())

        async def work(asked: Asked) -> list[str]:
            assert endpoint.gate is not None
            said = [asked.client.trouble]
            task = asyncio.create_task(asked.client.ask(greedy("What is it?")))
            endpoint.gate.set()
            while not endpoint.done:
                await asyncio.sleep(0)
            endpoint.gate.clear()
            await settled()
            said.append(asked.client.trouble)
            endpoint.gate.set()
            await task
            return [*said, asked.client.trouble]

        assert ran(endpoint, path, work) == ["", "broken pipe", ""]


class TestBusy:
    def test_a_busy_endpoint_is_left_alone_for_as_long_as_it_asks(self, path: Path) -> None:
        endpoint = Fake(replies(Busy("429", retry_after=0.1), "yes"))

        async def work(asked: Asked) -> tuple[float, float, int]:
            began = asyncio.get_running_loop().time()
            await asked.client.ask(greedy("What is it?"))
            spent = asked.ledger.spent
            assert spent.tokens == 15
            return asyncio.get_running_loop().time() - began, asked.client.pace.limit, spent.calls

        seconds, limit, calls = ran(endpoint, path, work)
        assert seconds >= 0.09
        assert (limit, calls) == (8, 2)

    def test_a_volley_of_refusals_halves_the_limit_once(self, path: Path) -> None:
        refused = 0

        def reply(request: Request) -> Reply:
            nonlocal refused
            refused += 1
            return Busy("429") if refused <= 16 else "yes"

        endpoint = Fake(reply)

        async def work(asked: Asked) -> float:
            await asyncio.gather(*(asked.client.ask(greedy(str(n))) for n in range(16)))
            return asked.client.pace.limit

        assert ran(endpoint, path, work) == 9  # 8, and a round of 8 that went well

    def test_being_busy_is_put_up_with_for_a_while_that_begins_with_it(self, path: Path) -> None:
        """Not with the request: it may have waited for its place for an hour."""
        clock = Clock()
        first = asyncio.Event()

        def reply(request: Request) -> Reply:
            if "busy" in request.messages[0]["content"]:
                clock.now += 40
                return Busy("429")
            return "yes"

        endpoint = Fake(reply, gate=first)

        async def work(asked: Asked) -> None:
            before = asyncio.create_task(asked.client.ask(greedy("first")))
            await settled()
            task = asyncio.create_task(asked.client.ask(greedy("busy")))
            await settled()
            clock.now += 5000
            first.set()
            await before
            with pytest.raises(CallFailed, match="is busy for 100 s and more: 429"):
                await task

        patience = Patience(pause=0.0, busy=100.0)
        ran(endpoint, path, work, patience=patience, clock=clock, in_flight=1)
        assert endpoint.texts.count("busy") == 4

    def test_where_it_does_not_say_how_long_the_pauses_grow(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        sleep = asyncio.sleep

        async def noted(seconds: float) -> None:
            slept.append(seconds)
            await sleep(0)

        monkeypatch.setattr("retroweave.pipeline.client.asyncio.sleep", noted)
        given = [Busy("429") for _ in range(1200)]  # 2 ** 1200 is no float any more
        endpoint = Fake(replies(*given, "yes"))
        ran(endpoint, path, once(), patience=Patience(pause=1.0, longest=8.0, busy=1e9))
        paused = [seconds for seconds in slept if seconds]
        assert len(paused) == 1200
        assert paused[0] <= 1 < paused[2] <= 4 <= min(paused[5:]) < max(paused) <= 8


class TestHopeless:
    def test_an_endpoint_that_gives_nothing_but_errors_for_long_stops_the_run(self, path: Path) -> None:
        clock = Clock()

        def reply(request: Request) -> Reply:
            clock.now += 2
            return Faulty("502 from the router")

        endpoint = Fake(reply)

        async def work(asked: Asked) -> list[Any]:
            many = (asked.client.ask(greedy(str(n))) for n in range(30))
            return await asyncio.gather(*many, return_exceptions=True)

        patience = Patience(tries=4, pause=0.0, salvage_after=0.0, hopeless=30.0, hopeless_faults=20)
        found = ran(endpoint, path, work, patience=patience, clock=clock)
        assert all(isinstance(one, RunStopped) for one in found)
        assert re.search(
            r"\(scripted:fake\) gave nothing but errors for \d+ s and \d\d+ requests; the last: 502 from the router",
            str(found[0]),
        )
        assert len(endpoint.sent) < 70

    def test_one_answer_among_the_errors_is_hope(self, path: Path) -> None:
        clock = Clock()
        count = 0

        def reply(request: Request) -> Reply:
            nonlocal count
            count += 1
            clock.now += 10
            return "yes" if count % 5 == 0 else Faulty("502 from the router")

        async def work(asked: Asked) -> list[Any]:
            many = (asked.client.ask(greedy(str(n))) for n in range(30))
            return await asyncio.gather(*many, return_exceptions=True)

        patience = Patience(tries=40, pause=0.0, salvage_after=0.0, hopeless=30.0, hopeless_faults=20)
        found = ran(Fake(reply), path, work, patience=patience, clock=clock)
        assert all(isinstance(one, Answer) for one in found)


class TestCalledOff:
    def test_what_is_sent_comes_to_its_end_and_is_kept(self, path: Path) -> None:
        endpoint = Fake(gate=asyncio.Event())

        async def work(asked: Asked) -> Answer:
            assert endpoint.gate is not None
            asker = asyncio.create_task(asked.client.ask(greedy("What is it?")))
            while not endpoint.sent:
                await settled(1)
            asker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asker
            endpoint.gate.set()
            await settled()
            return await asked.client.ask(greedy("What is it?"))

        assert ran(endpoint, path, work).text == "yes"
        assert len(endpoint.sent) == 1

    def test_a_fault_that_nobody_hears_of_any_more_is_no_fault(self, path: Path) -> None:
        endpoint = Fake(replies(Refused("never")), gate=asyncio.Event())

        async def work(asked: Asked) -> None:
            assert endpoint.gate is not None
            asker = asyncio.create_task(asked.client.ask(greedy("What is it?")))
            while not endpoint.sent:
                await settled(1)
            asker.cancel()
            endpoint.gate.set()
            await settled()

        ran(endpoint, path, work)

    def test_one_of_two_askers_that_is_called_off_leaves_the_other_its_answer(self, path: Path) -> None:
        endpoint = Fake(gate=asyncio.Event())

        async def work(asked: Asked) -> Answer:
            assert endpoint.gate is not None
            one, other = (asyncio.create_task(asked.client.ask(greedy("What is it?"))) for _ in range(2))
            await settled()
            one.cancel()
            endpoint.gate.set()
            return await other

        assert ran(endpoint, path, work).text == "yes"


class TestWindUp:
    def test_what_is_sent_is_waited_for_and_what_is_queued_is_called_off(self, path: Path) -> None:
        endpoint = Fake(gate=asyncio.Event())

        async def work(asked: Asked) -> list[Any]:
            assert endpoint.gate is not None
            tasks = [asyncio.create_task(asked.client.ask(greedy(str(n)), (0, n))) for n in range(5)]
            while len(endpoint.sent) < 2:
                await settled(1)
            winding = asyncio.create_task(asked.client.wind_up())
            await settled()
            assert not winding.done()
            endpoint.gate.set()
            await winding
            return await asyncio.gather(*tasks, return_exceptions=True)

        found = ran(endpoint, path, work, in_flight=2)
        assert [type(one) for one in found] == [Answer, Answer] + [asyncio.CancelledError] * 3
        assert endpoint.texts == ["0", "1"]
        assert endpoint.closed
        ran(endpoint, path, once("0"))
        assert endpoint.texts == ["0", "1"]

    def test_what_is_queued_is_not_sent_while_others_are_waited_for(self, path: Path) -> None:
        class Uneven(Fake):
            slow: asyncio.Event

            async def send(self, request: Request, timeout: float) -> Answer:
                answer = await super().send(request, timeout)
                if request.messages[0]["content"] == "0":
                    await self.slow.wait()
                return answer

        endpoint = Uneven(gate=asyncio.Event())

        async def work(asked: Asked) -> None:
            assert endpoint.gate is not None
            endpoint.slow = asyncio.Event()
            tasks = [asyncio.create_task(asked.client.ask(greedy(str(n)), (0, n))) for n in range(5)]
            while len(endpoint.sent) < 2:
                await settled(1)
            winding = asyncio.create_task(asked.client.wind_up())
            await settled(1)
            endpoint.gate.set()
            await settled()
            assert not winding.done()
            endpoint.slow.set()
            await winding
            await asyncio.gather(*tasks, return_exceptions=True)

        ran(endpoint, path, work, in_flight=2)
        assert endpoint.texts == ["0", "1"]

    @pytest.mark.parametrize("trouble", [Faulty("broken pipe"), Busy("429")])
    def test_nothing_is_tried_again(self, path: Path, trouble: Exception) -> None:
        endpoint = Fake(replies(trouble), gate=asyncio.Event())

        async def work(asked: Asked) -> None:
            assert endpoint.gate is not None
            task = asyncio.create_task(asked.client.ask(greedy("What is it?")))
            while not endpoint.sent:
                await settled(1)
            winding = asyncio.create_task(asked.client.wind_up())
            await settled()
            endpoint.gate.set()
            await winding
            with pytest.raises(CallFailed):
                await task

        ran(endpoint, path, work)
        assert len(endpoint.sent) == 1

    def test_nothing_new_is_asked_and_what_is_known_is_told(self, path: Path) -> None:
        endpoint = Fake()

        async def work(asked: Asked) -> None:
            await asked.client.ask(greedy("known"))
            await asked.client.wind_up()
            assert (await asked.client.ask(greedy("known"))).text == "yes"
            with pytest.raises(CallFailed, match="winding up"):
                await asked.client.ask(greedy("new"))

        ran(endpoint, path, work)
        assert endpoint.texts == ["known"]

    def test_an_answer_that_does_not_come_is_not_waited_for_without_end(self, path: Path) -> None:
        endpoint = Fake(gate=asyncio.Event())

        async def work(asked: Asked) -> int:
            task = asyncio.create_task(asked.client.ask(greedy("What is it?")))
            while not endpoint.sent:
                await settled(1)
            await asyncio.wait_for(asked.client.wind_up(), 20)
            assert task.cancelled() or task.done()
            return asked.ledger.spent.tokens

        patience = Patience(wind_up=0.01)
        assert ran(endpoint, path, work, patience=patience) == len("What is it?") + 64 + 16 + 20


class TestBudget:
    def test_a_request_beyond_the_budget_is_not_sent(self, path: Path) -> None:
        endpoint = Fake()

        async def work(asked: Asked) -> list[Any]:
            many = (asked.client.ask(greedy(str(n))) for n in range(5))
            return await asyncio.gather(*many, return_exceptions=True)

        found = ran(endpoint, path, work, budget=Budget(calls=3))
        assert sorted(type(one).__name__ for one in found) == ["Answer"] * 3 + ["OutOfBudget"] * 2
        assert len(endpoint.sent) == 3

    def test_a_larger_budget_goes_on_and_pays_for_nothing_twice(self, path: Path) -> None:
        endpoint = Fake()

        async def work(asked: Asked) -> list[Any]:
            many = (asked.client.ask(greedy(str(n)), (0, n)) for n in range(5))
            return await asyncio.gather(*many, return_exceptions=True)

        ran(endpoint, path, work, budget=Budget(calls=3))
        found = ran(endpoint, path, work, budget=Budget(calls=5))
        assert all(isinstance(one, Answer) for one in found)
        assert sorted(endpoint.texts) == ["0", "1", "2", "3", "4"]

    def test_attempts_count_so_that_an_endpoint_in_trouble_cannot_exceed_it(self, path: Path) -> None:
        endpoint = Fake(replies(Faulty("broken pipe")))
        with pytest.raises(OutOfBudget):
            ran(endpoint, path, once(), budget=Budget(calls=3))
        assert len(endpoint.sent) == 3

    def test_what_it_took_is_reckoned_with_the_price(self, path: Path) -> None:
        endpoint = Fake(lambda request: Answer("yes", "stop", 1000, 200))

        async def work(asked: Asked) -> float:
            await asked.client.ask(greedy("What is it?"))
            return asked.ledger.spent.cost

        cost = ran(endpoint, path, work, price=Price(0.5, 2.0))
        assert cost == pytest.approx((1000 * 0.5 + 200 * 2.0) / 1e6)

    @pytest.mark.parametrize(
        ("answer", "request_", "tokens"),
        [
            (Answer("yes", "stop", None, None), greedy("abc"), 3 + 64 + 16 + 20),
            (Answer("yes", "stop", 7, None), greedy("abc"), 3 + 64 + 16 + 20),
            (Answer("yes", "stop", 7, 2), greedy("abc"), 9),
            (Answer(prompt_tokens=7, vector=(0.5,)), Request("embed", text="abc"), 7),
            (Answer("yes", "stop", 2**64 - 1, 2**64 - 1), greedy("abc"), 2 * MOST_TOKENS),
        ],
    )
    def test_it_is_told_by_the_server_or_else_it_was_the_most(
        self, path: Path, answer: Answer, request_: Request, tokens: int
    ) -> None:
        async def work(asked: Asked) -> tuple[int, int]:
            await asked.client.ask(request_)
            await settled()
            return asked.ledger.spent.tokens, asked.calls.spent("run")["model"].tokens

        assert ran(Fake(lambda request: answer), path, work) == (tokens, tokens)


def test_waiting_requests_go_in_the_order_of_their_rows(path: Path) -> None:
    endpoint = Fake(gate=asyncio.Event())

    async def work(asked: Asked) -> None:
        assert endpoint.gate is not None
        orders = [5, 2, 9, 1, 7, 3]
        tasks = [asyncio.create_task(asked.client.ask(greedy(f"row {n}"), (0, n))) for n in orders]
        await settled()
        endpoint.gate.set()
        await asyncio.gather(*tasks)

    ran(endpoint, path, work, in_flight=1)
    assert endpoint.texts == [f"row {n}" for n in (5, 1, 2, 3, 7, 9)]


def test_no_more_requests_are_under_way_than_are_let(path: Path) -> None:
    at_once: list[int] = []

    class Counting(Fake):
        under_way = 0

        async def send(self, request: Request, timeout: float) -> Answer:
            self.under_way += 1
            at_once.append(self.under_way)
            try:
                return await super().send(request, timeout)
            finally:
                self.under_way -= 1

    async def work(asked: Asked) -> None:
        await asyncio.gather(*(asked.client.ask(greedy(str(n))) for n in range(40)))

    ran(Counting(), path, work, in_flight=3)
    assert max(at_once) == 3


def test_a_place_is_given_back_whatever_becomes_of_a_request(path: Path) -> None:
    fates: Iterator[Reply] = iter(
        [Refused("never"), KeyError("x"), Busy("429"), "yes", Faulty("broken pipe"), "yes", "yes"]
    )
    endpoint = Fake(lambda request: next(fates))

    async def work(asked: Asked) -> int:
        for n in range(5):
            await asyncio.wait([asyncio.create_task(asked.client.ask(greedy(str(n))))])
        return asked.client.pace.under_way

    assert ran(endpoint, path, work, in_flight=1, patience=SWIFT) == 0
