"""The loop in which models are asked is uvloop's where that is installed, and asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
import sys

import pytest

from retroweave.pipeline import loop


async def module() -> str:
    return type(asyncio.get_running_loop()).__module__


async def fail() -> None:
    raise ValueError("it was the work")


def test_work_is_done_in_uvloop() -> None:
    pytest.importorskip("uvloop")
    assert loop.run(module()) == "uvloop"


def test_without_uvloop_it_is_done_in_asyncios_own_and_its_errors_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(module()).startswith("asyncio.")
    with pytest.raises(ValueError, match="it was the work") as caught:
        loop.run(fail())
    assert caught.value.__context__ is None
