"""The client of one model: the one place where asking it is made safe, cheap and quick.

A request goes through it in this order: is its answer in the journal, or under way already? Then it waits for its place
(`pace`), sets aside what it may take (`budget`), is written down (`calls`), and only then is sent. What fails is tried
again here and nowhere else. An endpoint that gives nothing but errors stops the run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from retroweave.pipeline.budget import Ledger
from retroweave.pipeline.calls import CallJournal
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.model import (
    Abilities,
    Answer,
    Busy,
    Endpoint,
    Faulty,
    Form,
    ModelSpec,
    Price,
    Refused,
    Request,
    Unusable,
)
from retroweave.pipeline.pace import Order, Pace
from retroweave.pipeline.row import digest

__all__ = ["CallFailed", "Client", "Patience"]

TEMPLATE_TOKENS = 64
"""What a chat template may put around the turns, a system prompt of its own among it."""
TURN_TOKENS = 16
"""What it may put around each turn."""
MOST_TOKENS = 1 << 40
"""More than any model reads or writes: a server that says so is wrong, and the journal holds no such sums."""
NOTHING = (0, 0.0)
"""Tokens and dollars."""
FEW = 10
"""Answers after which times are taken for better."""


@dataclass(frozen=True)
class Patience:
    """How long an endpoint is put up with. In seconds, where nothing else is said."""

    tries: int = 5
    """Attempts in a row for one request, each after a longer pause."""
    pause: float = 0.5
    """Before the second attempt; it doubles, and up to half of it is drawn at random."""
    longest: float = 30.0
    salvage_after: float = 20.0
    """A request that failed so often waits this long at most for others to go well; then it is tried as often again."""
    hopeless: float = 30.0
    """An endpoint that gave nothing but errors for so long is given up."""
    hopeless_faults: int = 20
    """If there were as many of them in a row."""
    busy: float = 900.0
    """How long a request puts up with an endpoint that says that it is busy."""
    wind_up: float = 20.0
    """How long a run that was stopped waits for answers under way: they are paid for."""


class CallFailed(Exception):
    """A request got no answer, however often it was sent. Its row is a failure, and is tried again on resume."""


@dataclass(slots=True)
class _UnderWay:
    """A request under way, and all who wait for its answer. One of them may be called off; the request goes on.

    That is what `asyncio.shield` is for, which takes another turn of the loop for each.
    """

    task: asyncio.Task[Answer]
    _askers: list[asyncio.Future[Answer]] = field(default_factory=list)

    def heard(self) -> asyncio.Future[Answer]:
        asker: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        return asker

    def tell(self) -> None:
        """It has ended, and all hear how."""
        error = None if self.task.cancelled() else self.task.exception()
        for asker in self._askers:
            if asker.done():  # called off
                continue
            if self.task.cancelled():
                asker.cancel()
            elif error is not None:
                asker.set_exception(error)
            else:
                asker.set_result(self.task.result())


class Client:
    """Asks one model, for all steps of all rows of a run."""

    def __init__(
        self,
        name: str,
        spec: ModelSpec,
        endpoint: Endpoint,
        calls: CallJournal,
        ledger: Ledger,
        run: str,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.spec = spec
        self.endpoint = endpoint
        self.abilities = endpoint.abilities or Abilities()
        self.in_flight = spec.in_flight or endpoint.in_flight
        """The most requests at once; `pace` finds out how many of them are good."""
        self.pace = Pace(self.in_flight)
        self.cached = 0
        """Answers that the journal had."""
        self.retries = 0
        self.trouble = ""
        """What went wrong last, for whoever waits; empty when answers come again."""
        self._calls = calls
        self._ledger = ledger
        self._run = run
        self._patience = patience or Patience()
        self._clock = clock
        self._price = spec.price or Price()
        self._key = endpoint.identity.encode()
        self._under_way: dict[bytes, _UnderWay] = {}
        self._sent: set[asyncio.Task[Answer]] = set()
        """Those of them whose request is on its way."""
        self._good = 0
        """Answers that came."""
        self._faults = 0
        """Errors in a row."""
        self._first_fault = 0.0
        self._winding_up = False
        self._jitter = random.Random()

    @property
    def form(self) -> Form:
        return self.spec.form or self.endpoint.form

    async def ask(self, request: Request, order: Order = ()) -> Answer:
        """The answer to a request: from the journal, from an equal one under way, or from the model.

        Raises `Refused` where the model will never answer it, `CallFailed` where it did not, and `RunStopped` where
        nothing will be answered any more or the budget is used up. Called off, it is still sent to its end: its answer
        is paid for, and kept.
        """
        key = digest(self._key, request.encoded())
        under_way = self._under_way.get(key)
        if under_way is None:
            if (known := self._calls.get(key)) is not None:
                self.cached += 1
                return known
            if self._winding_up:
                raise CallFailed(f"{self.name} is asked for nothing more: the run is winding up")
            under_way = self._under_way[key] = _UnderWay(asyncio.create_task(self._answered(request, key, order)))
            under_way.task.add_done_callback(partial(self._ended, key))
        return await under_way.heard()

    def _ended(self, key: bytes, task: asyncio.Task[Answer]) -> None:
        self._under_way.pop(key).tell()

    async def _answered(self, request: Request, key: bytes, order: Order) -> Answer:
        faults = refusals = 0
        first_refusal = 0.0
        while True:
            try:
                return await self._attempt(request, key, order)
            except Busy as busy:
                refusals += 1
                first_refusal = first_refusal if refusals > 1 else self._clock()
                if self._winding_up or self._clock() - first_refusal > self._patience.busy:
                    raise CallFailed(f"{self.name} is busy for {self._patience.busy:g} s and more: {busy}") from busy
                await self._rest(refusals if busy.retry_after is None else 0)
            except Faulty as fault:
                faults += 1
                self._give_up_if_hopeless(fault)
                if self._winding_up or faults >= 2 * self._patience.tries:
                    raise CallFailed(f"{self.name} gave no answer in {faults} attempts, the last: {fault}") from fault
                if faults == self._patience.tries:
                    await self._better_times()
                else:
                    await self._rest(faults % self._patience.tries)
            except Unusable as error:
                raise RunStopped(str(error)) from error
            self.retries += 1

    async def _attempt(self, request: Request, key: bytes, order: Order) -> Answer:
        """One request sent, and counted, when it has a place among those under way."""
        await self.pace.enter(order)
        try:
            answer, seconds = await self._accounted(request, key)
        except Busy as busy:
            self.trouble = str(busy)
            self.pace.is_busy(busy.retry_after, self._clock())
            raise
        except Faulty as fault:
            self.trouble = str(fault)
            if not self._faults:
                self._first_fault = self._clock()
            self._faults += 1
            raise
        finally:
            self.pace.leave()
        self._went_well(seconds)
        return answer

    async def _accounted(self, request: Request, key: bytes) -> tuple[Answer, float]:
        """The answer, and the seconds for it. What it may take is set aside and written down before it is sent."""
        reserved = self._at_most(request)
        await self._ledger.reserve(self.name, *reserved)
        took = NOTHING
        try:
            number = await self._calls.begin(self._run, self.name, key, *reserved)
            began = self._clock()
            answer: Answer | None = None
            took = reserved  # whatever becomes of it, unless it is known better
            try:
                answer = await self._send(request, self._under_way[key].task)
                took = self._took(answer, reserved)
            except (Busy, Refused, Unusable):
                took = NOTHING
                raise
            except Faulty as fault:
                took = reserved if fault.charged else NOTHING
                raise
            finally:
                self._calls.settle(number, *took, key, answer, known=took is not reserved)
        finally:
            self._ledger.settle(self.name, reserved, took, known=took is not reserved)
        return answer, self._clock() - began

    async def _send(self, request: Request, task: asyncio.Task[Answer]) -> Answer:
        self._sent.add(task)
        try:
            return await self.endpoint.send(request, self.spec.timeout)
        finally:
            self._sent.discard(task)

    def _went_well(self, seconds: float) -> None:
        self._good += 1
        self._faults = 0
        self.trouble = ""
        self.pace.went_well(seconds, self._clock())

    def _at_most(self, request: Request) -> tuple[int, float]:
        """Tokens and dollars that a request may take: bytes bound tokens."""
        prompt = request.prompt_bytes() + TEMPLATE_TOKENS + TURN_TOKENS * len(request.messages)
        completion = 0 if request.kind == "embed" else request.max_tokens
        return prompt + completion, self._price.of(prompt, completion)

    def _took(self, answer: Answer, reserved: tuple[int, float]) -> tuple[int, float]:
        """What it says that it took; where it does not say, the most that it may have."""
        if answer.prompt_tokens is None or (answer.completion_tokens is None and not answer.vector):
            return reserved
        prompt, completion = min(answer.prompt_tokens, MOST_TOKENS), min(answer.completion_tokens or 0, MOST_TOKENS)
        return prompt + completion, self._price.of(prompt, completion)

    async def _rest(self, times: int) -> None:
        """The pause before another attempt, longer each time and never the same for all; 0 is the first once more."""
        seconds = min(self._patience.longest, self._patience.pause * 2.0 ** min(max(0, times - 1), 60))
        await asyncio.sleep(seconds * (0.5 + self._jitter.random() / 2))

    async def _better_times(self) -> None:
        """Wait until other requests go well again, or long enough: the second round salvages what the first lost."""
        good = self._good
        until = self._clock() + self._patience.salvage_after
        while self._clock() < until and self._good < good + FEW:
            await asyncio.sleep(min(0.25, self._patience.salvage_after))

    def _give_up_if_hopeless(self, fault: Faulty) -> None:
        lasting = self._clock() - self._first_fault
        if self._faults >= self._patience.hopeless_faults and lasting >= self._patience.hopeless:
            raise RunStopped(
                f"The model {self.name!r} ({self.spec.use}) gave nothing but errors for {lasting:.0f} s and "
                f"{self._faults} requests; the last: {fault}. Finished rows and answers are kept: see to the server, "
                "and the same command goes on."
            ) from fault

    async def wind_up(self) -> None:
        """Give answers under way a while to come, for they are paid for; ask for nothing more, and close."""
        self._winding_up = True
        for one in self._under_way.values():
            if one.task not in self._sent:
                one.task.cancel()
        if self._sent:
            await asyncio.wait(self._sent, timeout=self._patience.wind_up)
        left = [one.task for one in self._under_way.values()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.endpoint.close()
