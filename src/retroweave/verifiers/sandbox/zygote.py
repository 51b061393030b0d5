"""The fork server: Python warmed up once and shut in, which forks a child for each request.

It knows nothing of what runs: it reads the length of a request and its limits, forks, passes on what the child writes
and says how it ended. The request itself is read by the child. Standard library only; see `boot.py` for how it starts.
"""

from __future__ import annotations

import gc
import importlib
import json
import marshal
import os
import resource
import select
import signal
import sys
import time
from typing import Any, NamedTuple

from retroweave.verifiers.sandbox import seccomp
from retroweave.verifiers.sandbox.frames import END, FRAME, HEADER
from retroweave.verifiers.sandbox.layers import (
    LANDLOCK,
    NAMESPACES,
    RLIMITS,
    ROOT,
    SECCOMP,
    SERVER_LIMITS,
    Layers,
    is_open_to_all,
    limit,
)

__all__ = ["main"]

CONTROL = 3
REPORT, ORDERS = 3, 4
"""The child's only descriptors beside the three standard ones, which lead to /dev/null."""
_ALWAYS = "bisect collections copy functools heapq itertools json math operator random re string typing"
"""What sources import most. Another one is read from disk by the child that wants it, in a millisecond or some."""
_BEFORE_THE_DOOR_CLOSES = (
    "abc array ast base64 binascii calendar cmath collections.abc contextlib dataclasses datetime decimal difflib enum "
    "fractions graphlib hashlib inspect keyword numbers pprint queue secrets statistics struct textwrap time types "
    "unicodedata uuid zlib"
)
"""Modules to load where none can be read from disk later."""


_CALLING = "retroweave.verifiers.sandbox.calling"
_WITNESS = "retroweave.verifiers.sandbox.witness"
"""Only the server of test code needs it, and what it imports would be in each fork of the others."""


class _Header(NamedTuple):
    length: int
    seconds: float
    processor: int
    memory: int
    output: int
    conversation: int


def main(settings: dict[str, Any]) -> None:
    """Shut this process in, say what holds, and serve until the parent is gone."""
    os.dup2(0, CONTROL)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(CONTROL + 1, 1024)
    try:
        server = _shut_in(settings)
    except BaseException:
        import traceback  # heavy, and else in each fork

        _send(b"f", traceback.format_exc().encode())
        raise
    gc.collect()
    gc.freeze()
    gc.disable()
    server.serve()


def _shut_in(settings: dict[str, Any]) -> _Server:
    os.chdir("/")
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _load(f"{_ALWAYS} {_CALLING} {_WITNESS if settings['testing'] else ''}")
    layers = Layers(settings["without"], before_losing_rights=_load_what_only_root_reads)
    layers.apply(settings["visible"])
    blind = ROOT not in layers.on and LANDLOCK not in layers.on
    if blind:
        _load(_BEFORE_THE_DOOR_CLOSES)
    layers.cap(SERVER_LIMITS)
    refused = set(seccomp.CHILD_REFUSED)
    allowed = seccomp.CALLS | seccomp.OPENING | seccomp.SERVER
    layers.close(allowed)
    on = SECCOMP in layers.on
    if blind and on:
        refused |= seccomp.OPENING
    # In a namespace of its own the server is deaf to its children, which may start none. A filter for each child costs
    # a fifth of a millisecond there, and holds nothing that does not hold already.
    on = on and (blind or NAMESPACES not in layers.on or RLIMITS not in layers.on)
    said = {"on": layers.on, "off": layers.off, "blind": blind, "library": _reads_its_library()}
    _rehearse()
    _send(b"h", json.dumps(said).encode())
    return _Server(seccomp.Loaded(seccomp.refuse_list(refused)) if on else None)


def _rehearse() -> None:
    """Do a few times what each child will do first, on a source of ours.

    What is written here once, each child need not write again, to a page of memory that it then had a copy of: counters
    in code objects, caches, room in the allocator.
    """
    nothing = 1  # standard output leads to /dev/null, which is out of reach by now
    keep = sys.stdout, sys.stdin
    request = {"nonce": "", "output": 1 << 16, "careful": False, "steps": 1000, "mapped": False, "first": 0}
    calls = [marshal.dumps(([[number, str(number), (1.5,)]], {}), 2) for number in range(10)]
    for _ in range(_REHEARSALS):
        sys.modules[_CALLING].run({**request, "sources": [_REHEARSED], "function": "f", "calls": calls}, nothing)
    gc.disable()
    sys.stdout, sys.stdin = keep
    del sys.modules["source"]


_REHEARSALS = 50
_REHEARSED = """
def f(items):
    if items[0] > 8:
        raise ValueError(items)
    found = {}
    for item in items:
        found[item] = [item, str(item)]
    return found
"""


def _load(names: str) -> None:
    """Import modules, but not what they would do in each fork: `random` draws a new seed, and is given one anyway."""
    register = os.register_at_fork
    os.register_at_fork = lambda **hooks: None
    try:
        for name in names.split():
            importlib.import_module(name)
    finally:
        os.register_at_fork = register


def _load_what_only_root_reads() -> None:
    if not is_open_to_all(os.path.dirname(os.__file__)):  # noqa: PTH120
        _load(_BEFORE_THE_DOOR_CLOSES)


def _reads_its_library() -> bool:
    return os.access(os.__file__, os.R_OK)


class _Server:
    def __init__(self, child_filter: seccomp.Loaded | None) -> None:
        self._filter = child_filter

    def serve(self) -> None:
        while True:
            header = _Header(*HEADER.unpack(_receive(HEADER.size)))
            reason = self._request(header, _receive(header.length))
            if header.conversation and reason != b"k":
                _drain()

    def _request(self, header: _Header, body: bytes) -> bytes:
        deadline = time.monotonic() + header.seconds
        read, write = os.pipe()
        orders_read, orders_write = os.pipe() if header.conversation else (-1, -1)
        child = os.fork()
        if child == 0:
            self._be_child(header, body, write, orders_read)
        os.close(write)
        if header.conversation:
            os.close(orders_read)
            os.set_blocking(orders_write, False)
        try:
            watch = _Watch(read, orders_write, deadline, header.output)
            reason, status = _end(child, watch.until_end(), deadline)
            watch.frames += FRAME.pack(b"e", END.size) + END.pack(reason, status)
            watch.send()
            return reason
        finally:
            os.close(read)
            if header.conversation:
                os.close(orders_write)

    def _be_child(self, header: _Header, body: bytes, report: int, orders: int) -> None:
        """The child, which never comes back from here."""
        code = 70
        try:
            last = self._close_up(header, report, orders)
            request = marshal.loads(body)
            if request["role"] == "calls":
                sys.modules[_CALLING].run(request, REPORT)
            elif request["role"] == "serve":
                sys.modules[_CALLING].serve(request, REPORT, last)
            else:
                sys.modules[_WITNESS].run(request, REPORT, last)
            code = 0
        finally:
            os._exit(code)

    def _close_up(self, header: _Header, report: int, orders: int) -> int:
        """Keep nothing open but what is needed, and go under the limits of a child."""
        os.dup2(report, REPORT)
        last = REPORT
        if orders >= 0:
            last = ORDERS
            os.dup2(orders, ORDERS)
        os.closerange(last + 1, 1024)
        _limit(resource.RLIMIT_AS, header.memory)
        _limit(resource.RLIMIT_CPU, header.processor)
        _limit(resource.RLIMIT_NPROC, 0)
        if self._filter is not None:
            self._filter.load()
        return last


def _limit(what: int, most: int) -> None:
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):  # there is a lower one; what a system does not know at all, the probe tells
        limit(what, most)


class _Watch:
    """Passes on what a child writes, and in a conversation what the parent says, until one of them ends it."""

    def __init__(self, read: int, write: int, deadline: float, most: int) -> None:
        self._read, self._write = read, write
        self._deadline = deadline
        self._left = most
        self._waiting = bytearray()
        self.frames = bytearray()
        """What is not sent yet: all together, unless somebody waits for it."""
        self._poll = select.poll()
        self._poll.register(read, select.POLLIN)
        self._poll.register(CONTROL, select.POLLIN if write >= 0 else 0)

    def until_end(self) -> bytes:
        while True:
            seconds = self._deadline - time.monotonic()
            if seconds <= 0:
                return b"t"
            for place, event in self._poll.poll(seconds * 1000 + 1):
                reason = self._happens(place, event)
                if reason:
                    return reason

    def _happens(self, place: int, event: int) -> bytes:
        if place == self._read:
            return self._pass_on()
        if place == CONTROL:
            return self._obey(event)
        self._hand_over()
        return b""

    def _pass_on(self) -> bytes:
        data = os.read(self._read, 65536)
        self._left -= len(data)
        if not data or self._left < 0:
            return b"o" if data else b"x"
        self.frames += FRAME.pack(b"d", len(data)) + data
        if self._write >= 0 or len(self.frames) > 1 << 20:
            self.send()
        return b""

    def send(self) -> None:
        _write(self.frames)
        self.frames.clear()

    def _obey(self, event: int) -> bytes:
        if self._write < 0 or not event & select.POLLIN:
            return b"g"  # the parent is gone
        kind, length = FRAME.unpack(_receive(FRAME.size))
        if kind == b"k":
            return b"k"
        self._waiting += _receive(length)
        self._poll.register(self._write, select.POLLOUT)
        return b""

    def _hand_over(self) -> None:
        """As much as the child takes now. One that is gone is seen by the other pipe."""
        try:
            del self._waiting[: os.write(self._write, self._waiting)]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._waiting.clear()
        if not self._waiting:
            self._poll.unregister(self._write)


def _end(child: int, reason: bytes, deadline: float) -> tuple[bytes, int]:
    """Wait for the child, which may live on after it closed its pipe, until the deadline; then it is killed."""
    if reason == b"x" and not _ends(child, deadline):
        reason = b"t"
    if reason != b"x":
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if reason == b"g":
        os._exit(0)
    return reason, status


def _ends(child: int, deadline: float) -> bool:
    if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        return True
    try:
        handle = os.pidfd_open(child)
    except (OSError, AttributeError):  # an old kernel, gVisor, macOS
        return _ends_in_time(child, deadline)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
    finally:
        os.close(handle)


def _ends_in_time(child: int, deadline: float) -> bool:
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.001)
    return False


def _drain() -> None:
    """Take what the parent said before it knew that the child had ended."""
    kind = b""
    while kind != b"k":
        kind, length = FRAME.unpack(_receive(FRAME.size))
        _receive(length)


def _receive(length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        more = os.read(CONTROL, min(length - len(data), 1 << 20))
        if not more:
            sys.exit(0)
        data += more
    return bytes(data)


def _send(kind: bytes, data: bytes) -> None:
    _write(FRAME.pack(kind, len(data)) + data)


def _write(data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(CONTROL, rest) :]
    rest.release()
