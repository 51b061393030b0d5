"""The desk of a run: its models are greeted, held to one budget, and closed whatever happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.endpoints import SWIFT, Fake, greedy

from retroweave.models.desk import open_desk
from retroweave.models.named import read_table
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget, OutOfBudget
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import ModelSpec, Price, Refused, Unusable

QWEN = "openai:qwen3@http://127.0.0.1:8000/v1"
WRITER, JUDGE = ModelSpec("scripted:writer"), ModelSpec("scripted:judge")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Opened:
    """Opens a fake endpoint for each model, and keeps it."""

    def __init__(self, **options: Any) -> None:
        self.endpoints: list[Fake] = []
        self._options = options

    def __call__(self, spec: ModelSpec) -> Fake:
        self.endpoints.append(Fake(identity=spec.use, **self._options))
        return self.endpoints[-1]


async def nothing(desk: Desk) -> None:
    return None


def ran(
    models: dict[str, ModelSpec],
    opened: Opened,
    work: Callable[[Desk], Coroutine[Any, Any, Any]] = nothing,
    budget: Budget | None = None,
    run: str = "run",
) -> Any:
    async def whole() -> Any:
        async with open_desk(models, run, budget or Budget(), opener=opened, patience=SWIFT) as desk:
            return await work(desk)

    return asyncio.run(whole())


def test_a_run_without_models_has_a_desk_without_clients_and_leaves_no_file(folder: Path) -> None:
    async def work(desk: Desk) -> int:
        return len(desk.clients)

    assert ran({}, Opened(), work) == 0
    assert list(folder.iterdir()) == []


def test_two_names_of_one_model_wait_in_one_line() -> None:
    opened = Opened()

    async def work(desk: Desk) -> None:
        assert desk.clients["writer"] is desk.clients["judge"]
        assert desk.clients["critic"] is not desk.clients["judge"]

    ran({"writer": WRITER, "judge": ModelSpec("scripted:writer", price=Price(1, 1)), "critic": JUDGE}, opened, work)
    assert len(opened.endpoints) == 2
    assert [endpoint.closed for endpoint in opened.endpoints] == [1, 1]


def test_one_budget_holds_for_all_models_and_for_all_of_a_runs_life() -> None:
    async def asked(desk: Desk) -> None:
        for name, client in desk.clients.items():
            await client.ask(greedy(f"for {name}, after {desk.ledger.spent.calls}"))

    both = {"writer": WRITER, "judge": JUDGE}
    ran(both, Opened(), asked, Budget(calls=3))
    with pytest.raises(OutOfBudget, match="3 of 3 calls"):
        ran(both, Opened(), asked, Budget(calls=3))
    ran(both, Opened(), asked, Budget(calls=3), run="another")


class TestPrices:
    @pytest.mark.parametrize("spec", [ModelSpec("embedded:smollm2"), WRITER, ModelSpec(QWEN, price=Price(0.1, 0.4))])
    def test_a_model_that_runs_here_or_has_a_price_can_be_held_to_dollars(self, spec: ModelSpec) -> None:
        ran({"writer": spec}, Opened(), budget=Budget(cost=1.0))

    def test_one_that_has_none_is_refused_with_the_lines_to_write(self) -> None:
        opened = Opened()
        with pytest.raises(
            UserError, match="A --budget in dollars needs the price of the model openai:qwen3"
        ) as caught:
            ran({"writer": ModelSpec(QWEN)}, opened, budget=Budget(cost=1.0))
        assert opened.endpoints == []
        lines = re.search(r"`(models: .*)`", str(caught.value))
        assert lines
        table = read_table(yaml.safe_load(lines[1])["models"])
        assert table["mine"].use == QWEN
        ran(table, Opened(), budget=Budget(cost=1.0))

    def test_without_a_limit_in_dollars_no_price_is_needed(self) -> None:
        ran({"writer": ModelSpec(QWEN)}, Opened(), budget=Budget(calls=10, tokens=1000))


class TestTrouble:
    def test_a_model_that_cannot_be_used_is_told_before_the_run_begins_and_all_are_closed(self) -> None:
        opened = Opened(abilities=None, reply=lambda request: Unusable("No server answers at http://127.0.0.1:1."))
        with pytest.raises(Unusable, match="No server answers"):
            ran({"writer": WRITER, "judge": JUDGE}, opened)
        assert [endpoint.closed for endpoint in opened.endpoints] == [1, 1]

    def test_what_is_opened_is_closed_where_the_next_cannot_be_opened(self) -> None:
        opened = Opened()

        def second_fails(spec: ModelSpec) -> Fake:
            if spec is JUDGE:
                raise UserError("no such file")
            return opened(spec)

        async def whole() -> None:
            async with open_desk({"writer": WRITER, "judge": JUDGE}, "run", Budget(), opener=second_fails):
                raise AssertionError

        with pytest.raises(UserError, match="no such file"):
            asyncio.run(whole())
        assert [endpoint.closed for endpoint in opened.endpoints] == [1]

    def test_what_goes_wrong_at_the_desk_leaves_it_closed_and_the_answers_kept(self) -> None:
        opened = Opened()

        async def work(desk: Desk) -> None:
            await desk.clients["writer"].ask(greedy("What is it?"))
            raise RuntimeError("of the recipe's own")

        with pytest.raises(RuntimeError):
            ran({"writer": WRITER}, opened, work)
        again = Opened(reply=lambda request: Refused("asked again"))

        async def known(desk: Desk) -> str:
            return (await desk.clients["writer"].ask(greedy("What is it?"))).text

        assert ran({"writer": WRITER}, again, known) == "yes"
