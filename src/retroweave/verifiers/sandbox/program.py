"""Runs one program behind the sandbox's layers, with a scratch folder to itself: the process that shuts itself in.

It stays beside the program, reads what it writes, ends it at its deadline, and brings back files from the scratch
folder. Everything that the program left there is hostile: only plain files are read, never through a link. Standard
library only; see `boot.py` for how it starts.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import select
import signal
import stat
import struct
import time
from typing import Any

from retroweave.verifiers.sandbox import namespaces, seccomp
from retroweave.verifiers.sandbox.layers import ROOT, SECCOMP, Layers, limit

__all__ = ["LENGTH", "main"]

CONTROL = 3
LENGTH = struct.Struct("<I")
_WRITTEN = 16 << 20
"""Bytes of the largest file that a program may write."""


def main(settings: dict[str, Any]) -> None:
    """Shut this process in, say what holds, and run what the parent then asks for, if it does."""
    os.dup2(0, CONTROL)
    os.set_inheritable(CONTROL, False)
    try:
        layers = Layers(settings["without"], before_losing_rights=lambda: None)
        layers.apply(settings["visible"], settings["executable"], settings["scratch"], settings["room"])
        layers.cap([(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, _WRITTEN), (resource.RLIMIT_NOFILE, 256)])
        scratch = namespaces.SCRATCH if ROOT in layers.on else settings["scratch"]
        os.chdir(scratch)
        layers.close(seccomp.PROGRAM | seccomp.SERVER)
        _say({"on": layers.on, "off": layers.off})
        (length,) = LENGTH.unpack(_receive(LENGTH.size))
        request = json.loads(_receive(length))
        for name, text in request["files"].items():
            _put(name, base64.b64decode(text))
        os.makedirs("tmp", exist_ok=True)  # noqa: PTH103
        _say(_run(request, scratch, SECCOMP in layers.on))
    except BaseException:
        import traceback

        _say({"failed": traceback.format_exc()})


def _say(answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    _write(CONTROL, LENGTH.pack(len(data)) + data)


def _put(name: str, data: bytes) -> None:
    folder = os.path.dirname(name)  # noqa: PTH120
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        _write(file, data)
    finally:
        os.close(file)


def _run(request: dict[str, Any], scratch: str, filtered: bool) -> dict[str, Any]:
    refuse = seccomp.Loaded(seccomp.refuse_list(seccomp.PROGRAM_REFUSED)) if filtered else None
    outputs = [os.pipe(), os.pipe()]
    child = os.fork()
    if child == 0:
        _become(request, scratch, outputs, refuse)
    for _, write in outputs:
        os.close(write)
    deadline = time.monotonic() + request["seconds"]
    texts, reason = _read_all([read for read, _ in outputs], deadline, request["output"])
    if reason or not _ends(child, deadline):
        reason = reason or "time"
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    out, err = (base64.b64encode(text).decode() for text in texts)
    return {"reason": reason, "status": status, "out": out, "err": err, "files": _collected(request)}


def _become(
    request: dict[str, Any], scratch: str, outputs: list[tuple[int, int]], refuse: seccomp.Loaded | None
) -> None:
    """The child, which becomes the program."""
    try:
        nothing = os.open("/dev/null", os.O_RDONLY)
        for standard, place in enumerate((nothing, outputs[0][1], outputs[1][1])):
            os.dup2(place, standard)
        os.closerange(3, 1024)
        limit(resource.RLIMIT_AS, request["memory"])
        limit(resource.RLIMIT_CPU, int(request["seconds"]) + 2)
        if refuse is not None:
            refuse.load()
        environment = {"HOME": scratch, "TMPDIR": f"{scratch}/tmp", "PATH": "", "LANG": "C.UTF-8"}
        python = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        os.execve(request["argv"][0], request["argv"], environment | python | request["environment"])
    except BaseException as error:
        os.write(2, f"{request['argv'][0]} could not be started: {error}\n".encode())
    finally:
        os._exit(127)


def _read_all(places: list[int], deadline: float, most: int) -> tuple[list[bytes], str]:
    """What the program writes to each, and why it was not read to the end."""
    texts = {place: bytearray() for place in places}
    poll = select.poll()
    for place in places:
        poll.register(place, select.POLLIN)
    poll.register(CONTROL, 0)
    reading, reason = len(places), ""
    while reading and not reason:
        left = deadline - time.monotonic()
        events = poll.poll(left * 1000 + 1) if left > 0 else []
        if not events:
            reason = "time"
        for place, _ in events:
            if place == CONTROL:
                reason = "gone"
                continue
            data = os.read(place, 65536)
            texts[place] += data
            if not data:
                poll.unregister(place)
                reading -= 1
            elif sum(map(len, texts.values())) > most:
                reason = "output"
    return [bytes(text[:most]) for text in texts.values()], reason


def _ends(child: int, deadline: float) -> bool:
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _collected(request: dict[str, Any]) -> dict[str, str]:
    """The plain files that are asked for, as far as they are there and together not too large."""
    found: dict[str, str] = {}
    left = request["output"]
    for name in request["wanted"]:
        with contextlib.suppress(OSError):
            data = _plain_file(name, left)
            left -= len(data)
            found[name] = base64.b64encode(data).decode()
    return found


def _plain_file(name: str, most: int) -> bytes:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(f"{name} is no plain file")
        with os.fdopen(os.dup(file), "rb") as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise OSError(f"{name} is too large")
        return data
    finally:
        os.close(file)


def _receive(length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        more = os.read(CONTROL, length - len(data))
        if not more:
            raise EOFError("the parent is gone")
        data += more
    return bytes(data)


def _write(place: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(place, rest) :]
