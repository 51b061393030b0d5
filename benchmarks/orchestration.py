"""How much does a framework add to a row that is one call of a model?

    python benchmarks/peers/set_up.py
    python benchmarks/orchestration.py
    python benchmarks/orchestration.py --rounds 5 --peer-rows 2000 --json orchestration.json

The contestants are retroweave, and those of aiohttp alone, bespokelabs-curator, data-designer and distilabel that
`set_up.py` has installed. Each makes its rows by one chat completion a row, at one local server, which answers at once
or after 50 ms, and with as many requests in flight as all the others. What each does with an answer is its own affair:
retroweave journals it, passes its gate and writes Parquet, card and report; aiohttp drops it. The files in `peers/` say
how each is set up, and why.

The runs are interleaved, in another order each round, so that all of them share the machine and its mood; a number is
the median of its runs. Each run is a process of its own, with an empty home folder and nothing cached, and the server
counts that as many requests came as there are rows.

- *rows/s* is of making the rows, everything imported; *of process* counts imports and the end of it too.
- *CPU* is the user and system time of a contestant and its children, without the server's: of the whole process, and,
  where a contestant tells it, of making the rows.
- *peak* is what the largest of its processes held; a framework of many processes holds more.
- *spread* is how far the slowest and the fastest run lie apart, of the median.

Fewer rows for the peers (`--peer-rows`) spare minutes, and make what they do once weigh more: curator imports half of
its code with its first row.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from peers.set_up import BARE, PEERS, PEERS_FOLDER, python_of

HERE = Path(__file__).parent
SERVER = HERE.parent / "tests" / "model_server.py"
OURS = "retroweave"

HEADS = (
    ("", "", "", "rows/s of", "CPU ms", "making", "peak", "", "of", "ours"),
    ("", "rows", "rows/s", "process", "a row", "the rows", "MB", "spread", "aiohttp", "to it"),
)
Run = dict[str, float]
"""What a contestant says of one run, and `process_seconds`."""


class Failed(Exception):
    """A contestant did not make its rows."""


@dataclass(frozen=True)
class Contestant:
    name: str
    version: str
    python: Path
    rows: int

    def run(self, port: int, in_flight: int) -> Run:
        """Make the rows once, and see that each was asked for."""
        script = HERE / "peers" / f"{self.name.replace('-', '_')}_rows.py"
        command = [str(self.python), str(script), "--url", f"http://127.0.0.1:{port}/v1"]
        before, began = served(port), time.perf_counter()
        ended = subprocess.run(
            [*command, "--rows", str(self.rows), "--in-flight", str(in_flight)],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds, asked = time.perf_counter() - began, served(port) - before
        if ended.returncode:
            raise Failed(f"it ended with {ended.returncode}: {ended.stderr.strip()[-2000:]}")
        if asked < self.rows:
            raise Failed(f"expected a request for each of {self.rows} rows, found {asked}: does it have a cache?")
        return {**json.loads(ended.stdout.splitlines()[-1]), "process_seconds": seconds, "requests": asked}


def contestants(folder: Path, rows: int, peer_rows: int) -> Iterator[Contestant]:
    """Ours, and those that are installed; the others are named."""
    here = Path(sys.executable)
    yield Contestant(OURS, version_of(OURS, here), here, rows)
    for name, (framework, *_) in PEERS.items():
        python = python_of(folder / name)
        version = version_of(framework.partition("==")[0].partition("[")[0], python) if python.exists() else ""
        if version:
            yield Contestant(name, version, python, rows if name == BARE else peer_rows)
        else:
            print(f"{name} is not in {folder} and is left out. `set_up.py --into {folder} {name}` installs it.\n")


def version_of(package: str, python: Path) -> str:
    """Empty where it is not installed."""
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    asked = subprocess.run([str(python), "-c", code, package], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


@contextmanager
def serving(milliseconds: float) -> Iterator[int]:
    """The port of a server in its own process."""
    command = [sys.executable, str(SERVER), "--port", "0", "--latency", str(milliseconds / 1000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            told = server.stdout.readline()
            if not told:
                raise SystemExit(f"The server did not start: {' '.join(command)}")
            yield int(told.strip().rpartition(":")[2].partition("/")[0])
        finally:
            server.terminate()


def served(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as response:
        total: int = json.load(response)["total"]
    return total


def measure(entered: Sequence[Contestant], latencies: Sequence[float], rounds: int, in_flight: int) -> list[Any]:
    """A measurement of each contestant at each latency; one that fails is not tried again, and told with its reason."""
    runs: dict[tuple[float, str], list[Run]] = {(each, one.name): [] for each in latencies for one in entered}
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        ports = {latency: stack.enter_context(serving(latency)) for latency in latencies}
        for number, latency in ((number, latency) for number in range(rounds) for latency in latencies):
            for one in _turned(entered, number):
                if one.name in failures:
                    continue
                _tell(f"round {number + 1} of {rounds}, {latency:g} ms: {one.name}")
                try:
                    runs[latency, one.name].append(one.run(ports[latency], in_flight))
                except Failed as failure:
                    failures[one.name] = str(failure)
    _tell("")
    return [
        summary(one, latency, runs[latency, one.name], failures.get(one.name, ""))
        for latency in latencies
        for one in entered
    ]


def _turned(entered: Sequence[Contestant], number: int) -> Sequence[Contestant]:
    """In the round's order: another begins each time, so that nobody always follows the same one."""
    first = number % len(entered)
    return [*entered[first:], *entered[:first]]


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def summary(one: Contestant, latency: float, runs: Sequence[Run], failure: str) -> dict[str, Any]:
    found: dict[str, Any] = {"contestant": one.name, "version": one.version, "latency_ms": latency, "rows": one.rows}
    if failure:
        return {**found, "failure": failure}
    middle = {name: median(run[name] for run in runs) for name in runs[0]}
    seconds = [run["seconds"] for run in runs]
    return {
        **found,
        "rows_a_second": one.rows / middle["seconds"],
        "rows_a_second_of_the_process": one.rows / middle["process_seconds"],
        "cpu_ms_a_row": 1000 * middle["cpu_seconds"] / one.rows,
        "generation_cpu_ms_a_row": _or_none(middle.get("generation_cpu_seconds"), 1000 / one.rows),
        "peak_mb": middle["peak_mb"],
        "spread": (max(seconds) - min(seconds)) / middle["seconds"],
        "runs": list(runs),
    }


def _or_none(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def rate(measured: Iterable[dict[str, Any]], name: str) -> float | None:
    return next((one.get("rows_a_second") for one in measured if one["contestant"] == name), None)


def show(found: dict[str, Any]) -> None:
    print(
        f"{found['cores']} cores, which the server and a contestant share; Python {found['python']}, "
        f"{found['platform']}. {found['in_flight']} requests in flight, medians of {found['rounds']} runs."
    )
    for latency in sorted({one["latency_ms"] for one in found["measurements"]}):
        measured = [one for one in found["measurements"] if one["latency_ms"] == latency]
        print(f"\nThe server answers after {latency:g} ms")
        for heads in HEADS:
            print(f"{heads[0]:22}" + "".join(f"{head:>10}" for head in heads[1:]))
        for one in measured:
            print(_line(one, rate(measured, OURS), rate(measured, BARE)))
        print(_verdict(measured))


def _line(one: dict[str, Any], ours: float | None, bare: float | None) -> str:
    name = f"{one['contestant']} {one['version']}"
    if "failure" in one:
        return f"{name:22}  failed: {one['failure'].splitlines()[-1]}"
    speed, making = one["rows_a_second"], one["generation_cpu_ms_a_row"]
    figures = (
        f"{one['rows']:,}",
        f"{speed:,.0f}",
        f"{one['rows_a_second_of_the_process']:,.0f}",
        f"{one['cpu_ms_a_row']:.2f}",
        _figure(making, ".2f"),
        f"{one['peak_mb']:,.0f}",
        f"{one['spread']:.0%}",
        _figure(bare and speed / bare, ".0%"),
        _figure(ours and ours / speed, ".1f"),
    )
    return f"{name:22}" + "".join(f"{figure:>10}" for figure in figures)


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _verdict(measured: Sequence[dict[str, Any]]) -> str:
    """Ours beside the fastest peer and the bare client, where they were measured."""
    ours = next((one for one in measured if one["contestant"] == OURS and "failure" not in one), None)
    if ours is None:
        return "retroweave was not measured."
    speed = ours["rows_a_second"]
    peers = [one for one in measured if one["contestant"] in PEERS.keys() - {BARE} and "failure" not in one]
    best = max(peers, key=lambda one: one["rows_a_second"], default=None)
    bare = rate(measured, BARE)
    told = [f"{ours['cpu_ms_a_row']:.2f} ms of CPU a row"]
    if best is not None:
        told.append(f"{speed / best['rows_a_second']:.1f} times the fastest peer, {best['contestant']}")
    if bare is not None:
        told.append(f"{speed / bare:.0%} of aiohttp alone")
    return f"retroweave: {', '.join(told)}."


def main() -> None:
    parser = argparse.ArgumentParser(description="One call a row: rows a second, CPU and memory, beside the peers.")
    parser.add_argument("--rows", type=int, default=10_000, help="rows that retroweave and aiohttp make")
    parser.add_argument("--peer-rows", type=int, help="rows that a peer makes; as many where it is not said")
    parser.add_argument("--in-flight", type=int, default=100, help="requests at once, for all")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant at each latency")
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 50], help="of the server, in ms")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {', '.join((OURS, *PEERS))}")
    parser.add_argument("--peers", type=Path, default=PEERS_FOLDER, help="where set_up.py installed them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there, each single run included")
    options = parser.parse_args()
    entered = [
        one
        for one in contestants(options.peers, options.rows, options.peer_rows or options.rows)
        if options.only is None or one.name in options.only
    ]
    if not entered:
        parser.error("there is nobody to measure")
    found = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "in_flight": options.in_flight,
        "rounds": options.rounds,
        "measurements": measure(entered, options.latency, options.rounds, options.in_flight),
    }
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    failures = {one["contestant"]: one["failure"] for one in found["measurements"] if "failure" in one}
    if failures:
        raise SystemExit("\n".join(f"\n{name} failed: {reason}" for name, reason in failures.items()))


if __name__ == "__main__":
    main()
