"""The desk of a run, opened: its models found, greeted, held to a budget, and closed when all is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing

from retroweave.models.named import open_endpoint
from retroweave.pipeline.abilities import greet
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget, Ledger
from retroweave.pipeline.calls import CallJournal
from retroweave.pipeline.client import Client, Patience
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Endpoint, ModelSpec

__all__ = ["open_desk"]


@asynccontextmanager
async def open_desk(
    models: Mapping[str, ModelSpec],
    run: str,
    budget: Budget,
    *,
    opener: Callable[[ModelSpec], Endpoint] = open_endpoint,
    patience: Patience | None = None,
    meet: Callable[[Desk], None] = lambda desk: None,
) -> AsyncIterator[Desk]:
    """The clients of `models`, by name, for the run of this id: what it spent before counts against its budget.

    `meet` is handed them before they are asked anything. Raises `UserError` where a model cannot be used, or where the
    budget is in dollars and a model has no price.
    """
    if not models:
        yield Desk()
        return
    _require_prices(models, budget)
    with closing(CallJournal.here()) as calls:
        ledger = Ledger(budget, calls.spent(run))
        clients: dict[str, Client] = {}
        opened: dict[str, Client] = {}
        try:
            for name, spec in models.items():
                same = repr(spec.identity())
                if same not in opened:  # two names of one model wait in one line
                    opened[same] = Client(name, spec, opener(spec), calls, ledger, run, patience)
                clients[name] = opened[same]
            desk = Desk(clients, ledger)
            meet(desk)
            await greet(desk, calls)
            yield desk
        finally:
            for client in opened.values():
                await client.wind_up()


def _require_prices(models: Mapping[str, ModelSpec], budget: Budget) -> None:
    if budget.cost is None:
        return
    for spec in models.values():
        if spec.price is None and spec.kind == "openai":
            raise UserError(
                f"A --budget in dollars needs the price of the model {spec.use}, and none is named. Put it into the "
                "table of models in the config file, in dollars for a million tokens, and name the model by its entry: "
                f"`models: {{mine: {{use: '{spec.use}', price: {{prompt: 0.10, completion: 0.40}}}}}}`. "
                "Or hold the run to --max-calls or --max-tokens."
            )
