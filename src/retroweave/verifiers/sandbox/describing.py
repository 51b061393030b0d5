"""What holds on this machine, in words: for `retroweave sandbox`."""

from __future__ import annotations

import time
from collections.abc import Iterator

from retroweave.pipeline.sandbox import Call, Sandbox
from retroweave.verifiers.sandbox.local import open_sandbox
from retroweave.verifiers.sandbox.probe import PROPERTIES

__all__ = ["SUITE", "describe_sandbox", "suites_a_second"]

SUITE = '''
def longest_run(numbers, step=1):
    """The longest run of numbers that each are a step from the one before."""
    best, run = [], []
    for number in numbers:
        if run and number - run[-1] == step:
            run.append(number)
        else:
            run = [number]
        if len(run) > len(best):
            best = list(run)
    return best


def summary(numbers):
    run = longest_run(numbers)
    if not run:
        return {"length": 0, "first": None, "total": 0}
    total = sum(run)
    return {"length": len(run), "first": run[0], "total": total}
'''
"""A function of twenty lines, as those that are tested."""
CALLS = [Call(([*range(size), 50, 51, *range(90, 90 + size // 2)],)) for size in range(10)]


def suites_a_second(sandbox: Sandbox, seconds: float = 1.0) -> float:
    """How many suites of ten calls this sandbox runs, one after another, each in a process of its own."""
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        sandbox.call(SUITE, "summary", CALLS)
        count += 1
    return count / spent


def describe_sandbox(unsafe: bool = False, seconds: float = 1.0) -> Iterator[str]:
    """Lines that say what holds here, what does not and why. Raises `UserError` where code cannot be run safely."""
    sandbox = open_sandbox(unsafe)
    try:
        yield "Untrusted code runs here, and"
        for name, meaning in PROPERTIES.items():
            yield f"  {meaning}: {sandbox.layers[name]}"
        yield f"It runs as {sandbox.layers['rights']}, and imports {_library(sandbox.library)}."
        for layer, reason in sandbox.missing.items():
            yield f"Not on: {layer} ({reason})."
        rate = suites_a_second(sandbox, seconds)
        yield f"{rate:,.0f} suites a second on one core, each of 20 lines and 10 calls in a process of its own."
    finally:
        sandbox.close()


def _library(whole: bool) -> str:
    return "any module of the standard library" if whole else "only modules that were loaded at the start"
