"""What the tests of the sandbox share: sandboxes with different layers, and baits for attacks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from tests.verifiers.sandbox.ordinary import as_ordinary_user

from retroweave.pipeline.errors import UserError
from retroweave.verifiers.sandbox.layers import LANDLOCK, NAMESPACES, NOBODY, ROOT
from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox

IS_ROOT = os.geteuid() == 0

WAYS = ("root", "user", "no namespaces", "no Landlock", "user without namespaces", "neither files layer")


def made(way: str) -> LocalSandbox:
    """A sandbox as it comes about in one way, or a skip that says why it cannot here."""
    if way == "root" and not IS_ROOT:
        pytest.skip("the tests do not run as root")
    without = {
        "no namespaces": {NAMESPACES},
        "user without namespaces": {NAMESPACES},
        "no Landlock": {LANDLOCK},
        "neither files layer": {NAMESPACES, ROOT, LANDLOCK},
    }.get(way, set())
    popen = as_ordinary_user if way.startswith("user") else subprocess.Popen
    sandbox = LocalSandbox(without=frozenset(without), popen=popen)
    try:
        sandbox.start()
    except (UserError, subprocess.SubprocessError) as error:
        sandbox.close()
        if "does not hold" in str(error):
            raise  # the layers are there, and an attack of the sandbox's own came through them
        pytest.skip(f"this machine lacks a layer: {error}")
    return sandbox


@pytest.fixture(scope="session", params=WAYS)
def each_sandbox(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    """A sandbox of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROWEAVE_SECRET", "secret")
        with made(request.param) as sandbox:
            yield sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    """The sandbox as everybody gets it."""
    try:
        opened = open_sandbox()
    except UserError as error:
        pytest.skip(str(error))
    with opened:
        yield opened


@dataclass
class Bait:
    """What attacks aim at."""

    folder: str
    file: str
    victim: str
    marker: str
    """What an attack may leave to show that it worked."""
    pid: int
    port: int
    port6: int
    local: str
    abstract: str


@contextmanager
def baited() -> Iterator[Bait]:
    """Files and a process of the very user that the attack runs as, so that nothing but the sandbox protects them."""
    folder = Path(tempfile.mkdtemp(prefix="bait-"))
    for name, text in (("file", "secret"), ("victim", "precious"), ("planted.py", "VALUE = 'secret'\n")):
        (folder / name).write_text(text)
    victim = subprocess.Popen(
        ["/bin/sleep", "60"], start_new_session=True, user=NOBODY if IS_ROOT else None, env={"SECRET": "x"}
    )
    places = [socket.socket(socket.AF_INET), socket.socket(socket.AF_INET6), *_local_sockets(folder)]
    try:
        for place, host in zip(places, ("127.0.0.1", "::1"), strict=False):
            place.bind((host, 0))
            place.listen()
        if IS_ROOT:
            for path in (folder, *folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        yield Bait(
            str(folder),
            str(folder / "file"),
            str(folder / "victim"),
            str(folder / "marker"),
            victim.pid,
            places[0].getsockname()[1],
            places[1].getsockname()[1],
            str(folder / "local"),
            places[3].getsockname()[1:].decode(),
        )
    finally:
        victim.kill()
        victim.wait()
        for place in places:
            place.close()
        shutil.rmtree(folder)


def _local_sockets(folder: Path) -> list[socket.socket]:
    """One with a file, and one without."""
    places = []
    for address in (str(folder / "local"), f"\0{folder.name}"):
        place = socket.socket(socket.AF_UNIX)
        place.bind(address)
        place.listen()
        places.append(place)
    return places


def took_effect(bait: Bait) -> bool:
    """Whether an attack left its mark, or killed the bait's process, in the moment that a signal takes."""
    time.sleep(0.002)
    state = Path(f"/proc/{bait.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return os.path.lexists(bait.marker) or state in "ZX"


def told(bait: Bait) -> dict[str, str | int]:
    """The bait as an argument of a call."""
    return asdict(bait)
