"""The pace finds out how many requests at once are good, and lets them go in the order of their rows."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.pace import FIRST, VOLLEY, Pace


def rounds(pace: Pace, seconds: float, at: float, count: int = 1, rate: float | None = None) -> float:
    """So many rounds of answers that take so long each, `rate` a second; gives back the time afterwards."""
    for _ in range(count):
        answers = int(pace.limit)
        each = 1 / rate if rate else seconds / answers
        for _ in range(answers):
            at += each
            pace.went_well(seconds, at)
    return at


class TestGrowth:
    def test_the_limit_doubles_with_each_round_that_goes_well(self) -> None:
        pace = Pace(1000)
        assert pace.limit == FIRST
        at = rounds(pace, 1.0, 10.0)
        assert pace.limit == 2 * FIRST
        rounds(pace, 1.0, at)
        assert pace.limit == 4 * FIRST

    def test_it_grows_to_the_most_and_not_above(self) -> None:
        pace = Pace(40)
        rounds(pace, 1.0, 10.0, count=6)
        assert pace.limit == 40

    def test_it_begins_at_the_most_where_that_is_little(self) -> None:
        assert Pace(3).limit == 3

    def test_it_grows_by_one_a_round_once_there_was_trouble(self) -> None:
        async def work() -> float:
            pace = Pace(1000)
            pace.is_busy(None, 10.0)
            at = rounds(pace, 1.0, 20.0)
            rounds(pace, 1.0, at)
            return pace.limit

        assert asyncio.run(work()) == FIRST / 2 + 2


class TestBusy:
    def test_a_volley_of_refusals_halves_the_limit_once(self) -> None:
        pace = Pace(1000)
        for place in range(10):
            pace.is_busy(None, 5.0 + place * VOLLEY / 20)
        assert pace.limit == FIRST / 2
        pace.is_busy(None, 5.0 + 2 * VOLLEY)
        assert pace.limit == FIRST / 4

    def test_the_very_first_refusal_halves_it_whatever_the_clock_shows(self) -> None:
        pace = Pace(1000)
        pace.is_busy(None, 0.0)
        assert pace.limit == FIRST / 2

    def test_a_volley_lasts_as_long_as_an_answer_takes(self) -> None:
        pace = Pace(1000)
        at = rounds(pace, 4.0, 10.0)
        pace.is_busy(None, at)
        pace.is_busy(None, at + 3.9)
        assert pace.limit == FIRST
        pace.is_busy(None, at + 4.1)
        assert pace.limit == FIRST / 2

    def test_it_never_falls_below_one(self) -> None:
        pace = Pace(1000)
        for place in range(20):
            pace.is_busy(None, 5.0 + place)
        assert pace.limit == 1

    def test_a_pause_keeps_all_waiting_and_then_lets_them_go(self) -> None:
        async def work() -> list[str]:
            said: list[str] = []
            pace = Pace(10)
            pace.is_busy(0.05, 100.0)
            assert pace.pause_left(100.0) == pytest.approx(0.05)
            assert pace.pause_left(100.02) == pytest.approx(0.03)
            assert pace.pause_left(200.0) == 0

            async def enter() -> None:
                await pace.enter(())
                said.append("entered")

            task = asyncio.create_task(enter())
            await asyncio.sleep(0.01)
            said.append(f"waiting {pace.waiting}")
            await task
            return said

        assert asyncio.run(work()) == ["waiting 1", "entered"]

    def test_of_two_pauses_the_longer_holds(self) -> None:
        async def work() -> None:
            pace = Pace(10)
            pace.is_busy(0.02, 100.0)
            pace.is_busy(0.2, 100.0)
            pace.is_busy(0.01, 100.0)
            assert pace.pause_left(100.0) == pytest.approx(0.2)
            began = asyncio.get_running_loop().time()
            await pace.enter(())
            assert asyncio.get_running_loop().time() - began > 0.15

        asyncio.run(work())


class TestQueue:
    def test_it_steps_back_where_answers_are_slower_and_no_more_of_them_come(self) -> None:
        pace = Pace(1000)
        at = rounds(pace, 1.0, 10.0)
        before = pace.limit
        rounds(pace, 3.0, at + 10, rate=FIRST)
        assert FIRST <= pace.limit < before

    def test_it_goes_on_where_answers_are_slower_and_more_of_them_come(self) -> None:
        pace = Pace(1000)
        at = rounds(pace, 1.0, 10.0)
        rounds(pace, 3.0, at + 10, rate=FIRST * 20)
        assert pace.limit == 4 * FIRST

    def test_slow_answers_after_quick_ones_are_no_queue(self) -> None:
        """A judge's answers of one token, then a writer's long ones: fewer at once would not make them quicker."""
        pace = Pace(1000)
        at = rounds(pace, 0.1, 10.0, count=2)
        assert pace.limit == 4 * FIRST
        least = pace.limit
        for _ in range(20):
            at = rounds(pace, 5.0, at + 5.0)
            least = min(least, pace.limit)
        assert least >= FIRST
        assert pace.limit == 1000

    @pytest.mark.parametrize("capacity", [4, 40, 400])
    def test_a_server_that_works_on_so_many_at_once_is_used_to_the_full(self, capacity: int) -> None:
        """Answers take a second each while there is room, and wait for their turn beyond it."""
        pace = Pace(1000)
        at = 10.0
        for _ in range(200):
            load = int(pace.limit)
            at = rounds(pace, max(1.0, load / capacity), at, rate=float(min(load, capacity)))
        assert min(capacity, FIRST) <= pace.limit <= max(3 * FIRST, 4 * capacity)


class TestOrder:
    def test_those_that_wait_go_in_the_order_of_their_rows(self) -> None:
        async def work() -> list[tuple[int, ...]]:
            pace = Pace(1)
            said: list[tuple[int, ...]] = []

            async def request(order: tuple[int, ...]) -> None:
                await pace.enter(order)
                said.append(order)
                await asyncio.sleep(0)
                pace.leave()

            await pace.enter(())
            orders = [(0, n) for n in range(9)] + [(0, 4, 1), (1, 0)]
            mixed = random.Random(3).sample(orders, len(orders))
            tasks = [asyncio.create_task(request(order)) for order in mixed]
            await asyncio.sleep(0)
            pace.leave()
            await asyncio.gather(*tasks)
            return said

        found = asyncio.run(work())
        assert found == sorted(found)

    def test_who_comes_while_others_wait_does_not_pass_them(self) -> None:
        async def work() -> list[str]:
            pace = Pace(1)
            said: list[str] = []

            async def request(name: str, order: tuple[int, ...]) -> None:
                await pace.enter(order)
                said.append(name)
                pace.leave()

            await pace.enter(())
            first = asyncio.create_task(request("first", (0, 1)))
            await asyncio.sleep(0)
            pace.leave()
            await asyncio.gather(first, request("second", (0, 2)))
            return said

        assert asyncio.run(work()) == ["first", "second"]

    def test_one_that_is_called_off_in_the_moment_that_it_is_let_in_gives_its_place_back(self) -> None:
        async def work() -> None:
            pace = Pace(1)
            await pace.enter(())
            task = asyncio.create_task(pace.enter((0, 1)))
            other = asyncio.create_task(pace.enter((0, 2)))
            await asyncio.sleep(0)
            pace.leave()
            task.cancel()
            await asyncio.wait_for(other, 20)
            assert task.cancelled()
            assert pace.under_way == 1

        asyncio.run(work())

    def test_one_that_is_called_off_while_it_waits_is_passed_over(self) -> None:
        async def work() -> None:
            pace = Pace(1)
            await pace.enter(())
            task = asyncio.create_task(pace.enter((0, 1)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            pace.leave()
            await asyncio.wait_for(pace.enter((0, 2)), 20)
            assert pace.under_way == 1

        asyncio.run(work())


event = st.tuples(st.sampled_from(["well", "busy", "slow"]), st.floats(0, 5), st.floats(0, 30))


@given(st.integers(1, 300), st.lists(event, max_size=200))
def test_the_limit_stays_between_one_and_the_most(most: int, events: list[tuple[str, float, float]]) -> None:
    pace = Pace(most)
    at = 0.0
    for kind, pause, seconds in events:
        at += pause
        if kind == "busy":
            pace.is_busy(None, at)
        else:
            rounds(pace, seconds if kind == "slow" else 0.5, at)
        assert 1 <= pace.limit <= most
