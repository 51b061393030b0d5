"""The event loop in which models are asked.

Answers come in from a thread of the library that speaks HTTP. uvloop hears of them for less than asyncio's own loop
does, and at once: while the thread is still about to wake that one, the process may end, and then dies by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

T = TypeVar("T")

SETTLING = 0.05
"""Seconds in which that thread comes to rest, where there is no uvloop, as on Windows."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`."""
    factory = _uvloop()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work if factory else _settled(work))


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _settled(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    finally:
        await asyncio.sleep(SETTLING)
