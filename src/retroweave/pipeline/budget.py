"""The budget: what a run may take at most, in calls, tokens and dollars, and how that is held.

A request is let out only while what was spent, what those under way may still take, and what it may itself take, stay
within every limit. So a limit is never exceeded, whatever is answered; now and then a little of it is left.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from retroweave.pipeline.calls import Spent
from retroweave.pipeline.errors import RunStopped, UserError

__all__ = ["Budget", "Ledger", "OutOfBudget", "dollars"]


class OutOfBudget(RunStopped):
    """The next request could exceed a limit. What was paid for is kept, and a larger budget goes on from it."""


@dataclass(frozen=True)
class Budget:
    """Limits on all that a run sends in its life, however often it was stopped; `None` is no limit."""

    calls: int | None = None
    tokens: int | None = None
    """Of prompts and answers together."""
    cost: float | None = None
    """Dollars."""

    def __post_init__(self) -> None:
        for option, limit in (("max-calls", self.calls), ("max-tokens", self.tokens), ("budget", self.cost)):
            if limit is not None and limit < 0:
                raise UserError(f"--{option} is a limit of 0 or more, not {limit}.")


def dollars(text: str) -> float:
    """An amount as a person writes it: `$5`, `2.50`, `0.80 USD`."""
    found = re.fullmatch(r"\s*\$?\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:usd|dollars?)?\s*", text, re.IGNORECASE)
    if not found:
        raise UserError(f"--budget takes an amount of dollars, such as '$5' or 0.50, not {text!r}.")
    return float(found[1])


@dataclass
class Ledger:
    """What a run has spent, by model, with what its requests under way may take at most."""

    budget: Budget = field(default_factory=Budget)
    models: dict[str, Spent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._under_way = 0
        self._freed = asyncio.Event()

    @property
    def spent(self) -> Spent:
        every = self.models.values()
        return Spent(sum(one.calls for one in every), sum(one.tokens for one in every), sum(one.cost for one in every))

    async def reserve(self, model: str, tokens: int, cost: float) -> None:
        """Set aside what a request may take, when those under way have left room for it.

        Raises `OutOfBudget` where they cannot.
        """
        while over := self._over(tokens, cost):
            if not self._under_way or over == "calls":
                raise OutOfBudget(self._message(over, tokens, cost))
            self._freed.clear()
            await self._freed.wait()
        self._under_way += 1
        self._add(model, 1, tokens, cost)

    def settle(self, model: str, reserved: tuple[int, float], took: tuple[int, float], *, known: bool = True) -> None:
        """Give back what a request did not take. Of one of which that is not known, nothing comes back."""
        self._under_way -= 1
        self._add(model, 0, took[0] - reserved[0], took[1] - reserved[1])
        self.models[model].unknown += not known
        self._freed.set()

    def _add(self, model: str, calls: int, tokens: int, cost: float) -> None:
        mine = self.models.setdefault(model, Spent())
        mine.calls += calls
        mine.tokens += tokens
        mine.cost += cost

    def _over(self, tokens: int, cost: float) -> str:
        """The limit that such a request could exceed, if there is one."""
        limits = self.budget
        if limits == Budget():
            return ""
        spent = self.spent
        wanted: Mapping[str, tuple[float, float | None]] = {
            "calls": (spent.calls + 1, limits.calls),
            "tokens": (spent.tokens + tokens, limits.tokens),
            "cost": (spent.cost + cost - 1e-12, limits.cost),
        }
        return next((name for name, (value, limit) in wanted.items() if limit is not None and value > limit), "")

    def _message(self, over: str, tokens: int, cost: float) -> str:
        spent, limits = self.spent, self.budget
        if over == "calls":
            said = f"{spent.calls:,} of {limits.calls:,} calls are made. Pass a larger --max-calls"
        elif over == "tokens":
            used = f"{spent.tokens:,} of {limits.tokens:,} tokens are used"
            said = f"{used}, and the next request may take {tokens:,}. Pass a larger --max-tokens"
        else:
            used = f"${spent.cost:.4f} of ${limits.cost:g} is spent"
            said = f"{used}, and the next request may cost ${cost:.4f}. Pass a larger --budget"
        return f"The budget is used up: {said}, and the same command goes on; what was answered is kept."
