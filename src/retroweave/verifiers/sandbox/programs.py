"""One trusted program on untrusted files, behind the sandbox's layers: the parent's side.

For `python -m pytest` on a generated test file, whose log is wanted and not its verdict: what the program prints and
its exit code are what the code in it chose to print and to exit with. The program sees the interpreter and its
packages, read-only, and a scratch folder that goes with it. It has one process and one thread, and no network.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.sandbox import SandboxFailed
from retroweave.verifiers.sandbox import probe
from retroweave.verifiers.sandbox.client import GRACE, START, Channel, Died, Popen, end, launch
from retroweave.verifiers.sandbox.layers import NOBODY
from retroweave.verifiers.sandbox.local import visible
from retroweave.verifiers.sandbox.program import LENGTH

__all__ = ["ProgramResult", "run_program"]

DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_MOST = 64 << 20


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program left behind. All of it is hostile, the exit code too."""

    code: int
    """Its exit code; minus a signal's number where one ended it."""
    out: str
    err: str
    files: Mapping[str, bytes]
    """Those of the files that were asked for which are plain files."""


def run_program(
    argv: Sequence[str],
    files: Mapping[str, str | bytes],
    seconds: float,
    *,
    wanted: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    memory: int = 2 << 30,
    output: int = 4 << 20,
    room: int = 64 << 20,
    unsafe: bool = False,
    without: Collection[str] = frozenset(),
    popen: Popen = subprocess.Popen,
) -> ProgramResult:
    """Run a program, whose first word is its path, in a folder with these files; bring back those that are `wanted`.

    `UserError` where a property cannot be had; `SandboxFailed` where time or the amount of output ran out.
    """
    request = {
        "argv": list(argv),
        "files": {_inside(name): base64.b64encode(_bytes(text)).decode() for name, text in files.items()},
        "wanted": [_inside(name) for name in wanted],
        "environment": dict(environment or {}),
        "seconds": seconds,
        "memory": memory,
        "output": output,
    }
    with _scratch() as folder:
        settings = {
            "without": sorted(without),
            "visible": [*visible(), *DEVICES],
            "executable": _executable(),
            "scratch": folder,
            "room": room,
        }
        return _result(_answer(settings, request, unsafe, popen), seconds)


def _inside(name: str) -> str:
    """A file's name, which must lie in the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise UserError(f"A program's file lies in its own folder, and {name!r} does not.")
    return str(path)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _executable() -> list[str]:
    """The interpreter with all its packages, and what the system needs to start it."""
    paths = [sys.base_prefix, sys.prefix, "/lib", "/lib64", "/usr/lib", "/usr/lib64"]
    if sys.base_prefix == "/usr":
        paths += ["/usr/bin"]
        paths.remove("/usr")
    paths += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [path for path in dict.fromkeys(paths) if Path(path).exists()]


@contextmanager
def _scratch() -> Iterator[str]:
    """A folder for where no root of its own can be had; the program's user owns it."""
    folder = tempfile.mkdtemp(prefix="retroweave-program-")
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(settings: Mapping[str, Any], request: Mapping[str, Any], unsafe: bool, popen: Popen) -> dict[str, Any]:
    process, stream = launch("program", settings, popen)
    try:
        channel = Channel(stream)
        deadline = time.monotonic() + START
        _require(_heard(channel, deadline), unsafe)
        data = json.dumps(request).encode()
        channel.send(LENGTH.pack(len(data)) + data, deadline)
        return _heard(channel, time.monotonic() + request["seconds"] + GRACE)
    except Died as error:
        raise SandboxFailed(f"The sandbox of a program ended without an answer: {error}.") from error
    finally:
        stream.close()
        end(process)


def _heard(channel: Channel, deadline: float) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(channel.sized(LENGTH, deadline, _MOST))
    if "failed" in answer:
        raise SandboxFailed(f"The sandbox of a program broke: {answer['failed']}")
    return answer


def _require(said: Mapping[str, Any], unsafe: bool) -> None:
    """Before anything runs: a property that nothing holds ends it."""
    lacking = probe.not_held(probe.holders(said["on"], blind=False), {}, said["off"])
    if lacking and not unsafe:
        start = "No program can be run on untrusted code here."
        raise UserError(" ".join([start, *lacking, probe.mended_by(sys.platform)]))


def _result(answer: Mapping[str, Any], seconds: float) -> ProgramResult:
    if answer["reason"] == "time":
        raise SandboxFailed(f"{seconds:g} s of wall clock ran out over a program: a failure, and no verdict.")
    if answer["reason"] == "output":
        raise SandboxFailed("A program wrote more than may be brought back.")
    out, err = (base64.b64decode(answer[name]).decode(errors="replace") for name in ("out", "err"))
    files = {name: base64.b64decode(text) for name, text in answer["files"].items()}
    return ProgramResult(os.waitstatus_to_exitcode(answer["status"]), out, err, files)
