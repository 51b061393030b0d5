"""The pace at which an endpoint is asked: how many requests it has at once, found out by what it does with them.

Like TCP: the limit doubles until there is trouble, then grows by one for each round that goes well, and halves when the
endpoint says that it is busy. Where answers are slower than with fewer at once, and no more of them come, it steps back
a little: more would only wait in the endpoint's queue instead of in ours. Those that wait here go on in the order of
their rows, whoever came first, so that little is asked beyond the last row that is needed.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math

__all__ = ["Pace"]

Order = tuple[int, ...]

FIRST = 32
"""Requests at once, to begin with."""
SLOWER = 2.0
"""Answers this many times as slow as in the best round, with no more of them, are a queue."""
VOLLEY = 0.1
"""Seconds in which refusals belong together, at least."""


class Pace:
    """A limit on requests under way, which adapts; and a pause where the endpoint asks for one."""

    def __init__(self, most: int) -> None:
        self.limit = float(min(FIRST, most))
        self.under_way = 0
        self._most = most
        self._waiting: list[tuple[Order, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()
        self._doubling = True
        self._paused_until = 0.0
        self._halved = -math.inf
        self._answers = 0
        self._seconds = 0.0
        self._round_began = 0.0
        self._typical = 0.0
        """Seconds for an answer, in the round before."""
        self._best = (0.0, 0.0, 0.0)
        """Answers a second in the best round, how long one took in it, and the limit that it had."""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def pause_left(self, now: float) -> float:
        """Seconds for which the endpoint asked to be left alone."""
        return max(0.0, self._paused_until - now)

    async def enter(self, order: Order) -> None:
        """Wait for a place among the requests under way; whoever has one gives it back by `leave`."""
        if self._has_room():
            self.under_way += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order, next(self._ticket), place))
        self._let_in()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # let in, and called off in the same moment
                self.under_way -= 1
                self._let_in()
            raise

    def leave(self) -> None:
        self.under_way -= 1
        self._let_in()

    def _has_room(self) -> bool:
        return self.under_way < int(self.limit) and not self._paused_until

    def _let_in(self) -> None:
        while self._waiting and self._has_room():
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self.under_way += 1
                place.set_result(None)

    def went_well(self, seconds: float, now: float) -> None:
        """An answer came after so many seconds."""
        if not self._answers:
            self._round_began = now - seconds
        self._answers += 1
        self._seconds += seconds
        if self._answers >= int(self.limit):
            self._end_round(now)
            self._let_in()

    def _end_round(self, now: float) -> None:
        rate = self._answers / max(now - self._round_began, 1e-6)
        self._typical = self._seconds / self._answers
        self._answers, self._seconds = 0, 0.0
        best_rate, best_typical, best_limit = self._best
        slower = rate < 1.05 * best_rate and self._typical > SLOWER * best_typical
        if slower and self.limit > best_limit:
            self._doubling = False
            self.limit = max(best_limit, self.limit * 0.9)
            return
        if slower:  # with no more at once than then: answers are longer ones now, and no queue
            self._doubling = True
        if slower or rate > best_rate:
            self._best = (rate, self._typical, self.limit)
        self.limit = min(float(self._most), self.limit * 2 if self._doubling else self.limit + 1)

    def is_busy(self, retry_after: float | None, now: float) -> None:
        """The endpoint asks to be left alone. One answer of that kind halves the limit, not each of a volley."""
        self._doubling = False
        if now - self._halved > max(self._typical, VOLLEY):
            self.limit = max(1.0, self.limit / 2)
            self._halved = now
        if retry_after and now + retry_after > self._paused_until:
            self._paused_until = now + retry_after
            asyncio.get_running_loop().call_later(retry_after, self._resume, self._paused_until)

    def _resume(self, until: float) -> None:
        if until == self._paused_until:
            self._paused_until = 0.0
            self._let_in()
