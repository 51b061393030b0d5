"""The fork server's work: a child for each request, forked before it comes, and what goes to it and comes from it.

It knows nothing of what runs: it reads the length of a request and its limits, passes the request on to a child, passes
on what that writes and says how it ended. The request itself is read by the child. Standard library only.

Most of what a child costs is pages of memory: each that it or the server writes to for the first time after a fork is
copied, at two microseconds, and to use an object is to write to it, for Python counts who holds it. So what runs for
every request uses few objects: functions of `os` by names of their own, tuples without names, few functions.
"""

from __future__ import annotations

import os
import sys
from marshal import loads
from os import WNOHANG, _exit, close, closerange, dup2, fork, pipe, read, readv, waitpid, write
from resource import RLIMIT_AS, RLIMIT_CPU, RLIMIT_NPROC, setrlimit
from select import POLLIN, POLLOUT, poll
from signal import SIGKILL
from time import monotonic, sleep
from typing import Any

from retroweave.verifiers.sandbox import seccomp
from retroweave.verifiers.sandbox.calling import Worker
from retroweave.verifiers.sandbox.frames import END, FRAME, HEADER, LENGTH
from retroweave.verifiers.sandbox.layers import limit

__all__ = ["CONTROL", "REPORT", "Server"]

CONTROL = 3
"""The server's descriptor that leads to the parent."""
REPORT, ORDERS = 3, 4
"""The child's only descriptors beside the standard ones, which lead to /dev/null. The second is closed once the
request is read, unless the child is spoken with."""
_NOWHERE = 1
"""Standard output leads to /dev/null, which is out of reach by now."""
_WITNESS = "retroweave.verifiers.sandbox.witness"
_ROOM = 1 << 16
_FRAME, _HEADER, _LENGTH = FRAME.size, HEADER.size, LENGTH.size
_header, _length = HEADER.unpack, LENGTH.unpack
_ABOVE_ALL = 1024

_Child = tuple[int, int, int]
"""A child that waits for its request, or runs: its process, and the pipes of what it reports and what it is told."""


class Server:
    """Forks a child while the parent looks at what the last one found: it has closed itself up when its request comes.

    Such a spare is as confined as it will ever be, is used for one request, and inherits nothing of another: what goes
    through here is wiped. There is never more than one child: one that ran could end another.
    """

    def __init__(self, child_filter: seccomp.Loaded | None) -> None:
        self._filter = child_filter
        self._worker = Worker(_NOWHERE)
        self._relay = _Relay()

    def rehearse(self, body: bytes, times: int) -> None:
        """Do a few times here what each child will do from its request on.

        What is written once, no child need write again, to a page that it then had a copy of: counters in code objects,
        caches, room in the allocator.
        """
        for _ in range(times):
            order, orders = pipe()
            if order != ORDERS:
                dup2(order, ORDERS)
                close(order)
            write(orders, LENGTH.pack(len(body)) + body)
            close(orders)
            self._do(loads(_request()))
        self._worker.report_to(REPORT)

    def serve(self) -> None:
        spare, held = None, (0, 0)
        while True:
            length, seconds, processor, memory, most, conversation = _header(_receive(_HEADER))
            deadline = monotonic() + seconds
            limits = (memory, processor)
            if spare is None or held != limits:
                _dismiss(spare)
                spare, held = self._fork(memory, processor), limits
            child, reports, orders = spare
            self._relay.hand_over(length, orders)
            if conversation:
                reason = _Conversation(self._relay, reports, orders, deadline, most).until_end()
            else:
                reason = self._relay.until_end(reports, deadline, most)
            reason, status = _end(child, reason, deadline)
            self._relay.send(END.pack(reason, status))
            close(reports)
            close(orders)
            if conversation and reason != b"k":
                _drain()
            spare = self._fork(memory, processor)

    def _fork(self, memory: int, processor: int) -> _Child:
        reports, report = pipe()
        order, orders = pipe()
        child = fork()
        if child == 0:
            self._be_child(memory, processor, report, order)
        close(report)
        close(order)
        return child, reports, orders

    def _be_child(self, memory: int, processor: int, report: int, order: int) -> None:
        """The child, which never comes back from here. It closes itself up before it hears what to do."""
        code = 70
        try:
            dup2(report, REPORT)
            dup2(order, ORDERS)
            closerange(ORDERS + 1, _ABOVE_ALL)
            for what, most in ((RLIMIT_AS, memory), (RLIMIT_CPU, processor), (RLIMIT_NPROC, 0)):
                try:
                    setrlimit(what, (most, most))
                except (OSError, ValueError):  # there is a lower one; what a system does not know, the probe tells
                    limit(what, most)
            if self._filter is not None:
                self._filter.load()
            self._do(loads(_request()))
            code = 0
        finally:
            _exit(code)

    def _do(self, request: tuple[Any, ...]) -> None:
        role, settings, *asked = request
        if role == "tests":
            sys.modules[_WITNESS].run(settings, REPORT, ORDERS)
            return
        self._worker.begin(*settings)
        if role == "serve":
            source, function = asked
            self._worker.serve(source, function, ORDERS)
        else:
            close(ORDERS)
            self._worker.run(*asked)


def _request() -> bytes:
    """What a child is to do. A spare that is not needed any more ends here."""
    prefix = read(ORDERS, _LENGTH)
    if not prefix:
        _exit(0)
    (left,) = _length(prefix)
    data = read(ORDERS, left)
    while len(data) < left:
        more = read(ORDERS, left - len(data))
        if not more:
            _exit(0)
        data += more
    return data


def _dismiss(spare: _Child | None) -> None:
    """End a child that nobody needs."""
    if spare is not None:
        child, reports, orders = spare
        close(reports)
        close(orders)
        os.kill(child, SIGKILL)
        waitpid(child, 0)


class _Relay:
    """The one place through which requests and reports go. It is wiped at once, since the next child inherits it."""

    def __init__(self) -> None:
        size = _FRAME + _ROOM + _FRAME + END.size
        self._room, self._zeros = memoryview(bytearray(size)), bytes(size)
        self._held = 0
        self._poll = poll()
        self._poll.register(CONTROL, 0)

    def hand_over(self, length: int, orders: int) -> None:
        """A request, from the parent to a child."""
        while length:
            taken = _some(readv(CONTROL, [self._room[: min(length, _ROOM)]]))
            _write_unless_gone(orders, self._room[:taken])
            self._room[:taken] = self._zeros[:taken]
            length -= taken

    def until_end(self, reports: int, deadline: float, most: int) -> bytes:
        """Take what a child writes until it ends or may not go on, and say why."""
        self._poll.register(reports, POLLIN)
        reason = b""
        while not reason:
            left = deadline - monotonic()
            events = self._poll.poll(left * 1000 + 1) if left > 0 else []
            if not events:
                reason = b"t"
            elif events[0][0] != reports:
                reason = b"g"  # the parent is gone
            else:
                size = self.take(reports)
                most -= size
                reason = b"x" if not size else b"o" if most < 0 else b""
        self._poll.unregister(reports)
        return reason

    def take(self, reports: int) -> int:
        """What a child wrote, as far as there is room for it. The number of bytes, of which none is the end."""
        if self._held == _ROOM:
            self.send(b"")
        taken = readv(reports, [self._room[_FRAME + self._held : _FRAME + _ROOM]])
        self._held += taken
        return taken

    def send(self, end: bytes) -> None:
        """All that was taken, to the parent, and how the child ended where it has."""
        room, size = self._room, 0
        if self._held:
            FRAME.pack_into(room, 0, b"d", self._held)
            size = _FRAME + self._held
        if end:
            FRAME.pack_into(room, size, b"e", len(end))
            size += _FRAME
            room[size : size + len(end)] = end
            size += len(end)
        _write(CONTROL, room[:size])
        room[:size] = self._zeros[:size]
        self._held = 0


class _Conversation:
    """Passes on what a child writes, and what the parent says to it, until one of them ends it."""

    def __init__(self, relay: _Relay, reports: int, orders: int, deadline: float, most: int) -> None:
        self._relay = relay
        self._reports, self._orders = reports, orders
        self._deadline = deadline
        self._left = most
        self._waiting: list[memoryview] = []
        os.set_blocking(orders, False)
        self._poll = poll()
        self._poll.register(reports, POLLIN)
        self._poll.register(CONTROL, POLLIN)

    def until_end(self) -> bytes:
        while True:
            seconds = self._deadline - monotonic()
            if seconds <= 0:
                return b"t"
            for place, event in self._poll.poll(seconds * 1000 + 1):
                reason = self._happens(place, event)
                if reason:
                    return reason

    def _happens(self, place: int, event: int) -> bytes:
        if place == self._reports:
            return self._pass_on()
        if place == CONTROL:
            return self._obey(event)
        self._hand_over()
        return b""

    def _pass_on(self) -> bytes:
        size = self._relay.take(self._reports)
        self._left -= size
        if not size or self._left < 0:
            return b"o" if size else b"x"
        self._relay.send(b"")
        return b""

    def _obey(self, event: int) -> bytes:
        if not event & POLLIN:
            return b"g"  # the parent is gone
        kind, length = FRAME.unpack(_receive(_FRAME))
        if kind == b"k":
            return b"k"
        self._waiting.append(_received(length))
        self._poll.register(self._orders, POLLOUT)
        return b""

    def _hand_over(self) -> None:
        """As much as the child takes now. One that is gone is seen by the other pipe."""
        line = self._waiting[0]
        try:
            taken = write(self._orders, line)
        except BlockingIOError:
            return
        except BrokenPipeError:
            taken = len(line)
        line[:taken] = bytes(taken)
        self._waiting[:1] = [line[taken:]] if taken < len(line) else []
        if not self._waiting:
            self._poll.unregister(self._orders)


def _end(child: int, reason: bytes, deadline: float) -> tuple[bytes, int]:
    """Wait for the child, which may live on after it closed its pipe, until the deadline; then it is killed."""
    if reason == b"x":
        ended, status = waitpid(child, WNOHANG)
        if ended:
            return reason, status
        if not _ends(child, deadline):
            reason = b"t"
    if reason != b"x":
        os.kill(child, SIGKILL)
    _, status = waitpid(child, 0)
    if reason == b"g":
        _exit(0)
    return reason, status


def _ends(child: int, deadline: float) -> bool:
    try:
        handle = os.pidfd_open(child)
    except (OSError, AttributeError):  # an old kernel, gVisor, macOS
        return _ends_in_time(child, deadline)
    try:
        watch = poll()
        watch.register(handle, POLLIN)
        return bool(watch.poll(max(0.0, deadline - monotonic()) * 1000))
    finally:
        close(handle)


def _ends_in_time(child: int, deadline: float) -> bool:
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if monotonic() >= deadline:
            return False
        sleep(0.001)
    return True


def _drain() -> None:
    """Take what the parent said before it knew that the child had ended."""
    kind = b""
    while kind != b"k":
        kind, length = FRAME.unpack(_receive(_FRAME))
        _received(length)[:] = bytes(length)


def _received(length: int) -> memoryview:
    """What the parent says to a child, in memory that can be wiped."""
    data = memoryview(bytearray(length))
    rest = data
    while rest:
        rest = rest[_some(readv(CONTROL, [rest])) :]
    return data


def _some(size: int) -> int:
    if not size:
        sys.exit(0)  # the parent is gone
    return size


def _receive(length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = read(CONTROL, length - len(data))
        _some(len(more))
        data += more
    return data


def _write(place: int, data: memoryview) -> None:
    while data:
        data = data[write(place, data) :]


def _write_unless_gone(place: int, data: memoryview) -> None:
    try:
        _write(place, data)
    except BrokenPipeError:
        return  # the child is gone already, as its other pipe tells
