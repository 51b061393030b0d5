"""The parent's side of the fork server: starting it, talking to it, and ending it whatever it does.

What comes back is bytes and a reason, counted and bounded; what they mean is for `local.py`. A server that dies is
started again; one that does not answer in time is killed.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from retroweave.pipeline.sandbox import SandboxFailed
from retroweave.verifiers.sandbox.frames import END, FRAME, HEADER, LENGTH

__all__ = ["Channel", "Conversation", "Died", "Popen", "Reply", "Request", "Server", "end", "launch"]

Popen = Callable[..., "subprocess.Popen[bytes]"]
GRACE = 5.0
"""Seconds beyond a request's own in which the server must have answered."""
START = 60.0
"""Seconds in which a server must be up, however slow the machine."""
_MOST_FRAME = 1 << 16


class Died(Exception):
    """The server is gone, or speaks nonsense."""


class Request(NamedTuple):
    """What a child is to do, and what it may use."""

    body: bytes
    seconds: float
    memory: int
    output: int


class Reply(NamedTuple):
    """What a child wrote, and how it ended."""

    data: bytes
    reason: str
    """x of itself, t at the wall clock, o with too much output, k on order."""
    status: int
    """As `os.waitpid` gives it."""


def launch(role: str, settings: Mapping[str, Any], popen: Popen) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A process of the sandbox, and the socket to it.

    Its environment is a fixed hash seed, and the word to find functions of libraries now and not in each child.
    """
    ours, theirs = socket.socketpair()
    boot = Path(__file__).with_name("boot.py")
    with theirs:
        process = popen(
            # -I would set the hash seed aside with the rest of the environment, in which there is nothing else.
            [_interpreter(), "-P", "-s", "-S", "-B", "-W", "ignore", str(boot), role, json.dumps(settings)],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PYTHONHASHSEED": str(settings.get("hash_seed", 0)), "LD_BIND_NOW": "1"},
            start_new_session=True,
        )
    return process, ours


def _interpreter() -> str:
    """The interpreter beneath a virtual environment: of that one the sandbox wants nothing."""
    return getattr(sys, "_base_executable", None) or sys.executable


class Channel:
    """Frames over a socket, each read until a deadline."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._held = bytearray()
        stream.setblocking(False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(stream, select.POLLIN)
        self._writable.register(stream, select.POLLOUT)

    def send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[self._stream.send(rest) :]
                except BlockingIOError:
                    self._writable.poll(_left(deadline) * 1000)
        except OSError as error:
            raise Died(f"the server took no request: {error}") from error

    def frame(self, deadline: float, most: int = _MOST_FRAME) -> tuple[bytes, bytes]:
        kind, length = FRAME.unpack(self._exactly(FRAME.size, deadline))
        if length > most:
            raise Died(f"a frame of {length:,} bytes, where {most:,} is the most")
        return kind, self._exactly(length, deadline)

    def sized(self, prefix: struct.Struct, deadline: float, most: int) -> bytes:
        """Bytes whose number stands before them."""
        (length,) = prefix.unpack(self._exactly(prefix.size, deadline))
        if length > most:
            raise Died(f"an answer of {length:,} bytes, where {most:,} is the most")
        return self._exactly(length, deadline)

    def _exactly(self, length: int, deadline: float) -> bytes:
        while len(self._held) < length:
            self._held += self._more(deadline)
        data = bytes(self._held[:length])
        del self._held[:length]
        return data

    def _more(self, deadline: float) -> bytes:
        try:
            while not self._readable.poll(_left(deadline) * 1000):
                pass
            more = self._stream.recv(1 << 16)
        except OSError as error:
            raise Died(f"the server did not answer: {error}") from error
        if not more:
            raise Died("the server is gone")
        return more


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return left


class Server:
    """A fork server, which is started when it is first needed."""

    def __init__(self, settings: Mapping[str, Any], popen: Popen = subprocess.Popen) -> None:
        self._settings = settings
        self._popen = popen
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: socket.socket | None = None
        self._owner = 0
        self.starts = 0
        """How often it was started."""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> dict[str, Any]:
        """Start it, and return what it says of its layers."""
        self._process, self._stream = launch("zygote", self._settings, self._popen)
        self._owner = os.getpid()
        self._channel = Channel(self._stream)
        self.starts += 1
        try:
            kind, data = self._channel.frame(time.monotonic() + START, 1 << 20)
            if kind != b"h":
                raise Died(data.decode(errors="replace"))
            said: dict[str, Any] = json.loads(data)
            return said
        except (Died, ValueError) as error:
            self.stop()
            raise SandboxFailed(f"The sandbox's server did not start: {error}") from error

    @property
    def is_up(self) -> bool:
        """Whether it was started, by this very process and not by one that this was forked from."""
        return self._stream is not None and self._owner == os.getpid()

    def ask(self, request: Request) -> Reply:
        """Have a child do it. Raises `Died`, and has ended the server then."""
        with self._exchange(request, conversation=False) as deadline:
            data = bytearray()
            while True:
                kind, frame = self._channel.frame(deadline)
                if kind == b"e":
                    return _reply(bytes(data), frame)
                data += frame

    @contextmanager
    def converse(self, request: Request) -> Iterator[Conversation]:
        """A child that is spoken with. It is ended with the block."""
        with self._exchange(request, conversation=True) as deadline:
            conversation = Conversation(self._channel, deadline)
            try:
                yield conversation
            finally:
                conversation.end()

    @contextmanager
    def _exchange(self, request: Request, conversation: bool) -> Iterator[float]:
        deadline = time.monotonic() + request.seconds + GRACE
        processor = math.ceil(request.seconds) + 2  # a whole number, for which the server has a child ready
        body = LENGTH.pack(len(request.body)) + request.body
        limits = (request.seconds, processor, request.memory, request.output, conversation)
        try:
            self._channel.send(HEADER.pack(len(body), *limits) + body, deadline)
            yield deadline
        except BaseException:
            self.stop()  # whatever is left in the pipes belongs to no later request
            raise

    def stop(self) -> None:
        """End it, for good or until the next start."""
        process, stream, mine = self._process, self._stream, self._owner == os.getpid()
        self._process = self._stream = None
        if stream is not None:
            stream.close()
        if process is not None and mine:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and wait for it, on a handle that cannot come to mean another one."""
    try:
        handle = os.pidfd_open(process.pid)
    except (OSError, AttributeError):
        process.kill()
        process.wait()
        return
    try:
        if process.poll() is None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll()
        process.wait()
    finally:
        os.close(handle)


class Conversation:
    """Lines to and from a child."""

    def __init__(self, channel: Channel, deadline: float) -> None:
        self._channel = channel
        self._deadline = deadline
        self._held = b""
        self.reply: Reply | None = None
        """How it ended, once it has."""

    def send(self, line: str) -> None:
        data = line.encode() + b"\n"
        self._channel.send(FRAME.pack(b"d", len(data)) + data, self._deadline)

    def line(self) -> bytes | None:
        """The next line, or None where the child has ended."""
        while b"\n" not in self._held:
            if self.reply is not None:
                return None
            kind, frame = self._channel.frame(self._deadline)
            if kind == b"e":
                self.reply = _reply(b"", frame)
            else:
                self._held += frame
        line, _, self._held = self._held.partition(b"\n")
        return line

    def end(self) -> Reply:
        """End the child if it has not ended, and say how it did."""
        self._channel.send(FRAME.pack(b"k", 0), self._deadline)
        while self.reply is None:
            kind, frame = self._channel.frame(self._deadline)
            if kind == b"e":
                self.reply = _reply(b"", frame)
        return self.reply


def _reply(data: bytes, frame: bytes) -> Reply:
    reason, status = END.unpack(frame)
    return Reply(data, reason.decode("ascii", "replace"), status)
