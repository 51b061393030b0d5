"""How many test suites a second does the sandbox run, next to how they are mostly run?

    python benchmarks/sandbox.py
    python benchmarks/sandbox.py --seconds 2 --json
    python benchmarks/sandbox.py --where

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

`--where` tells instead where the time of a suite goes: processor time and page faults of each process, by the kernel's
own count, next to what the same work costs in one warm process.
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
from retroweave.verifiers.sandbox.stepping import SOURCE as SOURCE_NAME
from retroweave.verifiers.sandbox.stepping import counter

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


# Where the time goes

PROCESSES = ("this process", "fork server", "child")


def spent() -> dict[str, tuple[float, int]]:
    """Processor microseconds and page faults so far: of this process, of the fork server, and of all its children."""
    server = opened().pid
    assert server is not None
    inner = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    if "namespaces" in opened().layers["processes"]:
        server = int(inner[0])
    ours, theirs = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in ("self", server))
    tick = 1e6 / os.sysconf("SC_CLK_TCK")
    return {
        name: (sum(map(int, fields[time : time + 2])) * tick, int(fields[faults]))
        for name, fields, time, faults in zip(PROCESSES, (ours, theirs, theirs), (11, 11, 13), (7, 7, 8), strict=True)
    }


def where(judge: Judge, count: int) -> dict[str, tuple[float, float]]:
    """The same for one suite."""
    judge([mutant(number) for number in range(BATCH)])
    sources = [mutant(number) for number in range(count)]
    before = spent()
    judge(sources)
    after = spent()
    return {
        name: ((after[name][0] - processor) / count, (after[name][1] - faults) / count)
        for name, (processor, faults) in before.items()
    }


def warm(action: Callable[[str], Any], count: int) -> float:
    """Processor microseconds of something done with a source, in this process."""
    sources = [mutant(number) for number in range(count)]
    began = time.process_time()
    for source in sources:
        action(source)
    return 1e6 * (time.process_time() - began) / count


def counted(source: str) -> None:
    """The suite in this process, its lines counted as in the sandbox."""
    names: dict[str, Any] = {}
    exec(compile(source, SOURCE_NAME, "exec"), names)  # noqa: S102 - the sources are our own
    lines = counter(1 << 20, sys.exit)
    for call in CALLS:
        lines.start()
        names["numerals"](*call.args)
        lines.stop()


def show_where(count: int = 800) -> None:
    one, many = where(singly, count), where(in_batches, count)
    print(f"{'microseconds a suite':32}{'singly':>10}{'faults':>10}{'in batches':>14}{'faults':>10}")
    for name in PROCESSES:
        print(f"{name:32}{one[name][0]:>10,.0f}{one[name][1]:>10,.0f}{many[name][0]:>14,.0f}{many[name][1]:>10,.1f}")
    both = [sum(found[name][0] for name in PROCESSES) for found in (one, many)]
    print(f"{'all':32}{both[0]:>10,.0f}{'':10}{both[1]:>14,.0f}")
    print("\nin a warm process")
    plain = warm(lambda source: in_process([source]), count)
    compiling = warm(lambda source: compile(source, SOURCE_NAME, "exec"), count)
    print(f"{'  compile':32}{compiling:>10,.0f}\n{'  run':32}{plain - compiling:>10,.0f}")
    print(f"{'  count lines':32}{warm(counted, count) - plain:>10,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Suites a second: the sandbox next to a bare subprocess.")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each contestant runs in a round")
    parser.add_argument("--rounds", type=int, default=5, help="how often each has its turn")
    parser.add_argument("--workers", type=int, default=2, help="how many run at once in the second column")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--where", action="store_true", help="tell where the time of a suite goes")
    options = parser.parse_args()
    if options.where:
        show_where()
        return
    found = measure(options.seconds, options.rounds, options.workers)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
