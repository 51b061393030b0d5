"""A budget is never exceeded, and what is left of it is used before a run stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.budget import Budget, Ledger, OutOfBudget, dollars
from retroweave.pipeline.calls import Spent
from retroweave.pipeline.errors import UserError

limits = st.none() | st.integers(0, 60)
budgets = st.builds(Budget, limits, limits, st.none() | st.floats(0, 60))


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, float, int, float, int]:
    """The most that a request may take, what it takes in the end, and how many turns of the loop it is under way."""
    tokens, cost = draw(st.integers(0, 30)), draw(st.floats(0, 30))
    return tokens, cost, draw(st.integers(0, tokens)), draw(st.floats(0, cost)), draw(st.integers(0, 4))


class TestProperty:
    @given(budgets, st.lists(requests(), max_size=25), st.lists(st.integers(0, 3), min_size=25, max_size=25))
    def test_no_limit_is_ever_exceeded_and_nobody_waits_in_vain(
        self, budget: Budget, wanted: list[tuple[int, float, int, float, int]], arrivals: list[int]
    ) -> None:
        ledger = Ledger(budget)
        actual: list[tuple[int, float]] = []
        refused = 0

        def holds() -> None:
            spent = ledger.spent
            assert budget.calls is None or spent.calls <= budget.calls
            assert budget.tokens is None or spent.tokens <= budget.tokens
            assert budget.cost is None or spent.cost <= budget.cost + 1e-9

        async def request(most_tokens: int, most_cost: float, tokens: int, cost: float, turns: int) -> None:
            nonlocal refused
            try:
                await ledger.reserve(f"model {turns % 2}", most_tokens, most_cost)
            except OutOfBudget:
                refused += 1
                return
            holds()
            for _ in range(turns):
                await asyncio.sleep(0)
            ledger.settle(f"model {turns % 2}", (most_tokens, most_cost), (tokens, cost))
            actual.append((tokens, cost))
            holds()

        async def all_of_them() -> None:
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                for one, pause in zip(wanted, arrivals, strict=False):
                    group.create_task(request(*one))
                    for _ in range(pause):
                        await asyncio.sleep(0)

        asyncio.run(all_of_them())
        assert len(actual) + refused == len(wanted)
        spent = ledger.spent
        assert spent.calls == len(actual)
        assert spent.tokens == sum(tokens for tokens, _ in actual)
        assert spent.cost == pytest.approx(sum(cost for _, cost in actual), abs=1e-9)


class TestRoom:
    def test_a_request_waits_for_those_under_way_if_what_they_leave_may_do(self) -> None:
        async def work() -> list[str]:
            said: list[str] = []
            ledger = Ledger(Budget(tokens=100))
            await ledger.reserve("model", 80, 0.0)

            async def second() -> None:
                await ledger.reserve("model", 50, 0.0)
                said.append("let out")

            waiting = asyncio.create_task(second())
            await asyncio.sleep(0)
            said.append("settled")
            ledger.settle("model", (80, 0.0), (50, 0.0))
            await waiting
            return said

        assert asyncio.run(work()) == ["settled", "let out"]

    def test_it_is_refused_where_those_under_way_left_too_little(self) -> None:
        async def work() -> None:
            ledger = Ledger(Budget(tokens=100))
            await ledger.reserve("model", 80, 0.0)
            waiting = [asyncio.create_task(ledger.reserve("model", 50, 0.0)) for _ in range(2)]
            await asyncio.sleep(0)
            ledger.settle("model", (80, 0.0), (60, 0.0))
            found = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(one) for one in found] == [OutOfBudget, OutOfBudget]

        asyncio.run(work())

    def test_a_call_is_never_given_back_so_nobody_waits_for_one(self) -> None:
        async def work() -> None:
            ledger = Ledger(Budget(calls=1))
            await ledger.reserve("model", 1, 0.0)
            with pytest.raises(OutOfBudget, match="calls"):
                await asyncio.wait_for(ledger.reserve("model", 1, 0.0), 20)

        asyncio.run(work())

    def test_a_request_of_the_very_rest_is_let_out(self) -> None:
        async def work() -> None:
            ledger = Ledger(Budget(calls=2, tokens=10, cost=0.3))
            await ledger.reserve("model", 5, 0.1)
            last = ledger.reserve("model", 5, 0.2)  # 0.1 + 0.2 is a little above 0.3, to a machine
            await asyncio.wait_for(last, 20)
            assert ledger.spent.calls == 2

        asyncio.run(work())

    def test_what_earlier_runs_spent_counts(self) -> None:
        ledger = Ledger(Budget(calls=3), {"writer": Spent(2, 10, 0.0), "judge": Spent(1, 10, 0.0)})
        with pytest.raises(OutOfBudget, match="3 of 3 calls"):
            asyncio.run(ledger.reserve("writer", 1, 0.0))

    def test_more_than_was_set_aside_is_counted_as_it_was_told(self) -> None:
        async def work() -> Ledger:
            ledger = Ledger(Budget(tokens=100))
            await ledger.reserve("model", 50, 0.0)
            ledger.settle("model", (50, 0.0), (120, 0.0))
            with pytest.raises(OutOfBudget):
                await ledger.reserve("model", 1, 0.0)
            return ledger

        assert asyncio.run(work()).spent.tokens == 120


class TestWords:
    @pytest.mark.parametrize(
        ("budget", "said"),
        [
            (Budget(calls=0), "0 of 0 calls are made. Pass a larger --max-calls, and the same command goes on"),
            (
                Budget(tokens=900),
                "0 of 900 tokens are used, and the next request may take 1,200. Pass a larger --max-t",
            ),
            (
                Budget(cost=0.5),
                r"\$0.0000 of \$0.5 is spent, and the next request may cost \$0.7500. Pass a larger --b",
            ),
        ],
    )
    def test_the_message_says_which_limit_and_what_goes_on(self, budget: Budget, said: str) -> None:
        with pytest.raises(OutOfBudget, match=said) as caught:
            asyncio.run(Ledger(budget).reserve("model", 1200, 0.75))
        assert "what was answered is kept" in str(caught.value)

    @pytest.mark.parametrize(
        ("limits", "option"),
        [({"calls": -1}, "--max-calls"), ({"tokens": -1}, "--max-tokens"), ({"cost": -0.01}, "--budget")],
    )
    def test_a_limit_below_nothing_is_refused_by_its_option(self, limits: dict[str, Any], option: str) -> None:
        with pytest.raises(UserError, match=f"{option} is a limit of 0 or more, not -"):
            Budget(**limits)

    @pytest.mark.parametrize(
        ("text", "amount"),
        [("$5", 5.0), ("2.50", 2.5), ("0.80 USD", 0.8), (" $ .5 ", 0.5), ("3.", 3.0), ("10 dollars", 10.0), ("0", 0.0)],
    )
    def test_an_amount_is_read_as_a_person_writes_it(self, text: str, amount: float) -> None:
        assert dollars(text) == amount

    @pytest.mark.parametrize("text", ["", "five", "-5", "5 EUR", "$", "1,000", "1e3", "nan", "5$5"])
    def test_what_is_no_amount_of_dollars_is_refused(self, text: str) -> None:
        with pytest.raises(UserError, match=r"--budget takes an amount of dollars, such as '\$5'"):
            dollars(text)
