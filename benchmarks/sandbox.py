"""How many test suites a second does the sandbox run, next to how they are mostly run?

    python benchmarks/sandbox.py
    python benchmarks/sandbox.py --seconds 2 --json

A suite is a function of 20 lines and ten assertions. No two sources are the same: each is a mutant of one function, as
recipes make them, so that nothing is gained by keeping what was compiled. Four contestants share one run, and take
turns in short rounds, so that they share the machine and its mood too:

1. *subprocess*: `subprocess.run([python, "-I", file])` on a file with the source and its assertions, judged by the exit
   code, as most generators do it; with no protection at all.
2. *singly*: `sandbox.call`, a process and all layers for each suite, steps counted, values compared in the parent.
3. *in batches*: `sandbox.variants`, 16 mutants a process, likewise.
4. *in process*: `exec` in this very process, which is what the work itself costs.

Each is measured one after another, and by as many at once as `--workers` says, each with a sandbox of its own. The
ratios are of medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import LocalSandbox, open_sandbox

BATCH = 16
SOURCE = '''
def numeral(number):
    """A number in Roman numerals."""
    signs = [
        (10, "x"), (9, "ix"),
        (5, "v"), (4, "iv"), (1, "i"),
    ]
    if number <= 0:
        raise ValueError("no numeral")
    text = ""
    for value, sign in signs:
        while number >= value:
            text += sign
            number -= value
    return text


def numerals(numbers):
    found = []
    for number in numbers:
        found.append(numeral(number))
    return " ".join(found)
'''
SUITE = [(1, "i"), (2, "ii"), (3, "iii"), (4, "iv"), (5, "v"), (6, "vi"), (7, "vii"), (8, "viii"), (9, "ix"), (10, "x")]
CALLS = [Call(([number],)) for number, _ in SUITE]
ASSERTIONS = "".join(f"assert numerals([{number}]) == {expected!r}\n" for number, expected in SUITE)
Judge = Callable[[Sequence[str]], list[bool]]
"""From sources to whether each passes its suite."""

_sandbox: LocalSandbox | None = None


def mutant(number: int) -> str:
    """A source that is like no other; one in four is wrong, and shows it in one of the calls."""
    source = SOURCE.replace("no numeral", f"no numeral {number}")
    return source.replace('(9, "ix")', f'(9, "{"x" * (2 + number % 3)}")') if number % 4 == 0 else source


def by_subprocess(sources: Sequence[str]) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "suite.py")
        right = []
        for source in sources:
            file.write_text(source + ASSERTIONS)
            done = subprocess.run([sys.executable, "-I", file], capture_output=True, timeout=60, check=False)
            right.append(done.returncode == 0)
    return right


def singly(sources: Sequence[str]) -> list[bool]:
    sandbox = opened()
    return [passes(sandbox.call(source, "numerals", CALLS)) for source in sources]


def in_batches(sources: Sequence[str]) -> list[bool]:
    sandbox = opened()
    batches = [sources[start : start + BATCH] for start in range(0, len(sources), BATCH)]
    return [passes(outcomes) for batch in batches for outcomes in sandbox.variants(batch, "numerals", CALLS)]


def in_process(sources: Sequence[str]) -> list[bool]:
    right = []
    for source in sources:
        names: dict[str, Any] = {}
        exec(source, names)  # noqa: S102 - the sources are our own
        right.append([names["numerals"](*call.args) for call in CALLS] == [expected for _, expected in SUITE])
    return right


def passes(outcomes: Sequence[Any]) -> bool:
    """By values, of exactly the types that are expected."""
    return all(
        outcome.ended == "returned" and outcome.plain and type(outcome.value) is str and outcome.value == expected
        for outcome, (_, expected) in zip(outcomes, SUITE, strict=True)
    )


def opened() -> LocalSandbox:
    """This process's own sandbox."""
    global _sandbox
    if _sandbox is None:
        _sandbox = open_sandbox()
    return _sandbox


CONTESTANTS: dict[str, tuple[Judge, int]] = {
    "subprocess": (by_subprocess, 1),
    "singly": (singly, 1),
    "in batches": (in_batches, BATCH),
    "in process": (in_process, BATCH),
}


def rate(name: str, seconds: float, first: int = 0) -> float:
    """Suites a second, over about so many seconds."""
    judge, least = CONTESTANTS[name]
    judge([mutant(1)])
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        numbers = range(first + count, first + count + least)
        right = judge([mutant(number) for number in numbers])
        if right != [number % 4 != 0 for number in numbers]:
            raise RuntimeError(f"{name} took a wrong mutant for right, or a right one for wrong.")
        count += least
    return count / spent


def measure(seconds: float, rounds: int, workers: int) -> dict[str, Any]:
    alone: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    together: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for _ in range(rounds):
            for name in CONTESTANTS:
                alone[name].append(rate(name, seconds))
                shares = [pool.submit(rate, name, seconds, 1_000_000 * place) for place in range(workers)]
                together[name].append(sum(share.result() for share in shares))
    layers = dict(opened().layers)
    opened().close()
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "workers": workers,
        "layers": layers,
        "one_at_a_time": {name: statistics.median(rates) for name, rates in alone.items()},
        "together": {name: statistics.median(rates) for name, rates in together.items()},
    }


def show(found: dict[str, Any]) -> None:
    print(f"{found['cores']} cores, Python {found['python']}, load {found['load']:.1f}")
    for name, held in found["layers"].items():
        print(f"  {name}: {held}")
    print(f"\n{'suites a second':20}{'one at a time':>16}{'ratio':>8}{found['workers']:>12} at once{'ratio':>8}")
    for name in CONTESTANTS:
        alone, together = found["one_at_a_time"], found["together"]
        print(
            f"{name:20}{alone[name]:>16,.0f}{alone[name] / alone['subprocess']:>8.1f}"
            f"{together[name]:>20,.0f}{together[name] / together['subprocess']:>8.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Suites a second: the sandbox next to a bare subprocess.")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each contestant runs in a round")
    parser.add_argument("--rounds", type=int, default=5, help="how often each has its turn")
    parser.add_argument("--workers", type=int, default=2, help="how many run at once in the second column")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    found = measure(options.seconds, options.rounds, options.workers)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
