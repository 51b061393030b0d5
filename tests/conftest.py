"""What the tests of the engine and of the command line share: a person's folder, with recipes in it, and a shell."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings

from retroweave.export.dataset import read_rejects, read_samples
from retroweave.making import make
from retroweave.models.weights import fetch
from retroweave.pipeline.model import Unusable
from retroweave.pipeline.recipe import find_recipe

# A slow machine is no failure; and where a change is let in, the same tests run twice give the same answer.
settings.register_profile(
    "retroweave",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("retroweave")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one switch that keeps tests off the network: a connection leaves this machine in none of them."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"A test tried to reach {address[0]!r}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


MAKING = ("seed", "workers", "again", "watch", "budget", "models")
"""What `make` takes beside a config."""

ASK = """
def ask(number: str, rng: Random) -> str:
    return f"Write the number {number}, please. ({rng.randrange(1000)})"
"""

COUNTING = '''"""Numbers asked for and answered: a recipe of tiny rows, whose one step a test may replace."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from retroweave import Config, Drop, Pipeline, assistant, compute, given, recipe, reverse, user
from retroweave.pipeline.source import SourceRow


class Counting(Config):
    count: int = 1000
    """How many numbers there are."""
    again: bool = True
    """Whether they may be asked for again."""

ASK

def rows(count: int) -> Iterator[SourceRow]:
    for n in range(count):
        yield SourceRow(key=str(n), fields={"number": str(n)}, license="CC0-1.0", place=f"number {n}")


@recipe
def counting(config: Counting) -> Pipeline:
    """Write the number that was asked for."""
    return Pipeline(
        given(
            lambda: rows(config.count),
            {"number": str},
            licenses=("CC0-1.0",),
            fingerprint=lambda: str(config.count),
            again=config.again,
        ),
        compute(ask, writes="question"),
        reverse(user("{question}"), assistant("{number}")),
        keep=["question"],
    )
'''


@dataclass
class Project:
    """A folder with recipes in it. Commands run in it as a person would give them, each in a process of its own."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def counting(self, ask: str = ASK, name: str = "counting.py") -> str:
        """Write the recipe with this step into the folder."""
        return self.write(name, COUNTING.replace("ASK", ask.strip()))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return str(path)

    def retroweave(self, *arguments: Any, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Give a command and wait for its end, which is to be `code`."""
        done = subprocess.run(self._command(arguments), cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert code in (None, done.returncode), f"code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: Any) -> subprocess.Popen[str]:
        """Give a command that goes on by itself, in a process group of its own."""
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def _command(self, arguments: tuple[Any, ...]) -> list[str]:
        return [sys.executable, "-m", "retroweave", *map(str, arguments)]

    def make(self, recipe: str, rows: int, out: str = "out", **options: Any) -> dict[str, Any]:
        """Run a recipe in this process; with config values by their name."""
        find_recipe.cache_clear()  # the file may be another one by now
        found = find_recipe(recipe)
        made = {name: options.pop(name) for name in MAKING if name in options}
        return make(found, found.configure(options), rows, self.folder / out, **{"workers": 1, **made})

    def data(self, out: str = "out") -> dict[str, bytes]:
        """What promise 4 is about: the files whose bytes are the same."""
        paths = [*(self.folder / out / "data").iterdir(), self.folder / out / "rejects.parquet"]
        return {path.name: path.read_bytes() for path in sorted(paths)}

    def counts(self, out: str = "out") -> dict[str, int]:
        found: dict[str, int] = orjson.loads((self.folder / out / "run.json").read_bytes())["counts"]
        return found

    def samples(self, out: str = "out") -> list[dict[str, Any]]:
        return list(read_samples(self.folder / out))

    def rejects(self, out: str = "out") -> list[dict[str, Any]]:
        return list(read_rejects(self.folder / out))


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The weights of embedded:smollm2, in the user's cache. Where they cannot be had, only CI calls it a failure."""
    try:
        return fetch("smollm2", lambda progress: None)
    except Unusable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"no weights for the embedded model: {error}")


@pytest.fixture
def no_collection() -> Iterator[None]:
    """For whoever measures time: what other tests left would be looked through meanwhile, and take most of it."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    found = Project(tmp_path)
    yield found
    find_recipe.cache_clear()
    for process in found.started:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.communicate()


def processes_at_work() -> Iterator[tuple[int, int, int]]:
    """Each process with its parent and its group, those left out that are dead and only waited for."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent, group = rest.split()[:3]
        if state != "Z":
            yield int(name.split()[0]), int(parent), int(group)
