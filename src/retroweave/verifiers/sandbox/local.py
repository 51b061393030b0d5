"""The sandbox on this machine: calls go in as text, and outcomes are made here of what comes out.

A child is believed in nothing but that it wrote what it wrote. Each line is read strictly; what is missing is a crash,
and a crash is never a value. After a call that ended its process, those that follow go on in a new one.
"""

from __future__ import annotations

import json
import marshal
import os
import secrets
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.sandbox import Call, Coverage, Limits, Outcome, SandboxFailed
from retroweave.verifiers.sandbox.client import Died, Popen, Reply, Request, Server
from retroweave.verifiers.sandbox.values import Malformed, NotPlain, TooLarge, tagged, untagged

__all__ = ["LocalSandbox", "early_end", "open_sandbox", "packed", "read_lines"]

_HOWS = frozenset({"returned", "raised", "steps", "depth", "memory", "output"})
_FATAL = {signal.SIGXCPU, signal.SIGKILL}
"""Signals by which this machine's clocks and memory end a process: no verdict."""
_SLACK = 1 << 16
_NOWHERE = Coverage(frozenset(), frozenset())


class LocalSandbox:
    """A fork server with all the layers that this machine has. One call at a time; threads wait for each other."""

    def __init__(
        self,
        unsafe: bool = False,
        without: frozenset[str] = frozenset(),
        popen: Popen = subprocess.Popen,
        hash_seed: int = 0,
    ) -> None:
        self.layers: Mapping[str, str] = {}
        self.missing: Mapping[str, str] = {}
        """Layers that are not on, and why."""
        self.library = True
        """Whether code can import any module of the standard library, or only those that were loaded at the start."""
        self._unsafe = unsafe
        self._without = without
        self._popen = popen
        settings = {"without": sorted(without), "visible": visible(), "hash_seed": hash_seed}
        self._server = Server(settings | {"testing": False}, popen)
        self._tester = Server(settings | {"testing": True}, popen)
        self._lock = threading.RLock()
        self._close = weakref.finalize(self, _stop, self._server, self._tester)

    def call(self, source: str, function: str, calls: Sequence[Call], limits: Limits = Limits()) -> list[Outcome]:  # noqa: B008 - it is frozen
        (outcomes,) = self.variants([source], function, calls, limits)
        return outcomes

    def covered(
        self,
        source: str,
        function: str,
        calls: Sequence[Call],
        limits: Limits = Limits(),  # noqa: B008
    ) -> tuple[list[Outcome], list[Coverage]]:
        (pairs,) = self._run(_Batch([source], function, texts(calls), limits, mapped=True))
        return [outcome for outcome, _ in pairs], [coverage for _, coverage in pairs]

    def variants(
        self,
        sources: Sequence[str],
        function: str,
        calls: Sequence[Call],
        limits: Limits = Limits(),  # noqa: B008
    ) -> list[list[Outcome]]:
        found = self._run(_Batch(sources, function, texts(calls), limits, mapped=False))
        return [[outcome for outcome, _ in pairs] for pairs in found]

    def close(self) -> None:
        self._close()

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def starts(self) -> int:
        """How often the fork server was started."""
        return self._server.starts

    @property
    def pid(self) -> int | None:
        """The fork server's process; None before it is needed."""
        return self._server.pid

    # One batch

    def _run(self, batch: _Batch) -> list[list[tuple[Outcome, Coverage]]]:
        if not batch.texts or not batch.sources:
            return [[] for _ in batch.sources]
        deadline = time.monotonic() + batch.limits.seconds
        flat: list[tuple[Outcome, Coverage]] = []
        careful = False
        with self._lock:
            while len(flat) < batch.size:
                more = self._part(batch, len(flat), careful, deadline)
                careful = not more
                flat += more
        size = len(batch.texts)
        return [flat[place : place + size] for place in range(0, batch.size, size)]

    def _part(self, batch: _Batch, done: int, careful: bool, deadline: float) -> list[tuple[Outcome, Coverage]]:
        """What one process brings back; nothing where it died and has to be asked again, carefully."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise _out_of_time(batch.limits)
        nonce = secrets.token_hex(8)
        reply = self._ask(batch.request(done, careful, nonce, seconds))
        found, sound = read_lines(reply.data, nonce, batch.size - done, len(batch.texts))
        last = early_end(found, sound, reply, batch.size - done, batch.limits)
        if last is None:
            return found
        return [*found[: batch.size - done - 1], (last, _NOWHERE)] if careful else []

    def _ask(self, request: Request) -> Reply:
        for attempt in (0, 1):
            self.start()
            try:
                return self._server.ask(request)
            except Died as error:
                if attempt:
                    raise SandboxFailed(f"The sandbox's server died twice over one request: {error}.") from error
        raise AssertionError("two attempts end in an answer or an exception")

    # Starting

    def start(self) -> None:
        """Have the server up, with every property tried. Raises `UserError` where one does not hold."""
        if self._server.is_up:
            return
        said = self._server.start()
        try:
            self._examine(said)
        except BaseException:
            self._server.stop()
            raise

    def _examine(self, said: Mapping[str, Any]) -> None:
        from retroweave.verifiers.sandbox import probe

        held = probe.holders(said["on"], said["blind"])
        broken = self._attack()
        lacking = probe.not_held(held, broken, said["off"])
        if lacking and not self._unsafe:
            raise UserError(" ".join(["Untrusted code cannot be run here.", *lacking, probe.mended_by(sys.platform)]))
        layers = {
            name: ", ".join(_worded(layer, said["on"].get(layer, "")) for layer in held[name])
            if held[name] and not broken.get(name)
            else "nothing (--unsafe)"
            for name in probe.PROPERTIES
        }
        self.layers = layers | {"rights": ", ".join(_rights(said["on"]))}
        self.missing = dict(said["off"])
        self.library = said["library"] and not said["blind"]

    def _attack(self) -> dict[str, list[str]]:
        """What attacks of our own could do."""
        from retroweave.verifiers.sandbox import probe

        limits = Limits(seconds=30.0)
        with probe.baits() as bait:
            batch = _Batch([probe.PROBE], "attack", texts([Call((*bait, 2 * limits.memory))]), limits, mapped=False)
            nonce = secrets.token_hex(8)
            try:
                reply = self._server.ask(batch.request(0, False, nonce, limits.seconds))
            except Died as error:
                raise SandboxFailed(f"The sandbox's server died of its own probe: {error}.") from error
        found, _ = read_lines(reply.data, nonce, 1)
        if len(found) != 1 or found[0][0].ended != "returned":
            raise SandboxFailed(f"The sandbox's probe of itself did not end: {found or reply}.")
        broken: dict[str, list[str]] = found[0][0].value
        return broken

    # Conversations, for `assertions.py`

    def conversation(self, request: tuple[Any, ...], limits: Limits, testing: bool) -> Any:
        """A child that is spoken with, in the server of the function or in that of its tests."""
        server = self._tester if testing else self._server
        self.start()
        if not server.is_up:
            said = server.start()
            if sorted(said["off"]) != sorted(self.missing):
                server.stop()
                raise SandboxFailed(f"The second server has other layers than the first: {said['off']}.")
        body = marshal.dumps(request)
        return server.converse(Request(body, limits.seconds, limits.memory, limits.output + _SLACK))

    @property
    def lock(self) -> threading.RLock:
        return self._lock

    # Programs

    def run_program(self, argv: Sequence[str], files: Mapping[str, str], seconds: float, **more: Any) -> Any:
        """See `programs.run_program`."""
        from retroweave.verifiers.sandbox import programs

        return programs.run_program(
            argv, files, seconds, unsafe=self._unsafe, without=self._without, popen=self._popen, **more
        )


def open_sandbox(unsafe: bool = False, without: frozenset[str] = frozenset(), hash_seed: int = 0) -> LocalSandbox:
    """A sandbox that is up and has been attacked in vain.

    `unsafe` goes without what cannot be had here; `without` names layers to switch off, to see what holds then; under
    another `hash_seed` sets of texts have another order, which tells what hangs on it. Raises `UserError`
    with the property that cannot be had, why, and what would mend it.
    """
    from retroweave.verifiers.sandbox import probe

    if sys.platform == "win32" or (sys.platform != "linux" and not unsafe):
        raise UserError(
            f"Untrusted code cannot be run on {sys.platform}: the sandbox is made of Linux's own layers. "
            f"{probe.mended_by(sys.platform)}"
        )
    sandbox = LocalSandbox(unsafe, without, hash_seed=hash_seed)
    sandbox.start()
    return sandbox


def visible() -> list[str]:
    """What a sandboxed interpreter reads: the standard library, and the libraries of the system that it links to."""
    library = sysconfig.get_paths()["stdlib"]
    base = f"{sys.base_prefix}/lib"
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo"]
    paths = [path for path in dict.fromkeys([library, base, *system]) if Path(path).exists()]
    return [path for path in paths if not any(path != other and path.startswith(f"{other}/") for other in paths)]


def texts(calls: Sequence[Call]) -> list[bytes]:
    """The arguments of each call. Raises `TypeError` where one is no plain value."""
    try:
        return [packed(list(call.args), dict(call.kwargs)) for call in calls]
    except (NotPlain, TooLarge) as error:
        raise TypeError("Arguments of a sandboxed call are plain values, at most 100 deep and 16 MB.") from error


def packed(args: list[Any], kwargs: dict[str, Any]) -> bytes:
    """Arguments as a child reads them: plain values, and nothing else that marshal would take."""
    tagged([args, kwargs], [1 << 24])
    return marshal.dumps((args, kwargs), 2)  # as the child writes it, to see whether it was changed


def _stop(*servers: Server) -> None:
    for server in servers:
        server.stop()


def _rights(on: Mapping[str, str]) -> list[str]:
    from retroweave.verifiers.sandbox.layers import CAPABILITIES, USER

    return [_worded(name, on[name]) for name in (USER, CAPABILITIES) if name in on] or ["you, with all your rights"]


def _worded(name: str, detail: str) -> str:
    return f"{name} ({detail})" if detail else name


class _Batch(NamedTuple):
    """Calls of a function of each of several sources."""

    sources: Sequence[str]
    function: str
    texts: Sequence[bytes]
    limits: Limits
    mapped: bool

    @property
    def size(self) -> int:
        return len(self.sources) * len(self.texts)

    def request(self, done: int, careful: bool, nonce: str, seconds: float) -> Request:
        """What is left after so many calls. Where a process died, it is asked to send each line by itself."""
        source, first = divmod(done, len(self.texts))
        limits = self.limits
        settings = (nonce, limits.output, limits.steps, careful, self.mapped)
        body = ("calls", settings, list(self.sources[source:]), self.function, list(self.texts), first)
        most = 2 * limits.output + _SLACK * (1 + self.size)
        return Request(marshal.dumps(body), seconds, limits.memory, most)


def read_lines(data: bytes, nonce: str, most: int, calls: int = 1) -> tuple[list[tuple[Outcome, Coverage]], bool]:
    """The outcomes before the first thing that is none, and whether there was no such thing.

    They come in rounds of so many calls; a zero is the first outcome of the same call once more.
    """
    found: list[tuple[Outcome, Coverage]] = []
    lines = data.split(b"\n")
    for line in lines[:-1]:
        try:
            parts = json.loads(line, parse_constant=float)
            if type(parts) is not list or not parts or parts[0] != nonce:
                return found, False
            for part in parts[1 : most - len(found) + 2]:  # one too many is enough to see that there are
                again = type(part) is int and part == 0 and len(found) >= calls
                found.append(found[len(found) % calls] if again else read_outcome(part))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # whatever a child may have written
            return found[:most], False
    return found[:most], len(found) <= most and not lines[-1]


_TYPES: dict[str, type] = {
    "ended": str,
    "plain": bool,
    "error": str,
    "message": str,
    "line": int,
    "steps": int,
    "printed": str,
    "args": list,
    "kwargs": dict,
    "lines": list,
    "arcs": list,
}


def read_outcome(part: dict[str, Any]) -> tuple[Outcome, Coverage]:
    """An outcome and its coverage. `ValueError`, `TypeError` or `KeyError` where our own code writes none like it."""
    value = untagged(part.pop("value", None))
    if len(part) == 1 and type(part.get("steps")) is int:  # as most are: it returned, and nothing else is to be told
        return Outcome("returned", value, steps=part["steps"]), _NOWHERE
    for name, found in part.items():
        if type(found) is not _TYPES[name]:
            raise Malformed(f"{name} is no {type(found).__name__}.")
    coverage = _NOWHERE
    if "lines" in part or "arcs" in part:
        coverage = _coverage(part.pop("lines"), part.pop("arcs"))
    if part.get("ended", "returned") not in _HOWS:
        raise Malformed("No call ends like that.")
    for name in ("error", "message", "printed"):
        if name in part:
            part[name] = part[name][:1000]
    if "args" in part:
        part["args"] = tuple([untagged(value) for value in part["args"]])
        part["kwargs"] = _named(untagged(part["kwargs"]))
    return Outcome(value=value, **{"ended": "returned", **part}), coverage


def _coverage(lines: list[Any], arcs: list[Any]) -> Coverage:
    if any(type(line) is not int for line in lines):
        raise Malformed("Lines are numbers.")
    for arc in arcs:
        if type(arc) is not list or [*map(type, arc)] != [int, int]:
            raise Malformed("Arcs are pairs of numbers.")
    return Coverage(frozenset(lines), frozenset((before, after) for before, after in arcs))


def _named(found: Any) -> dict[str, Any]:
    if type(found) is not dict or not all(type(name) is str for name in found):
        raise Malformed("Keyword arguments have names.")
    return found


def early_end(
    found: list[tuple[Outcome, Coverage]], sound: bool, reply: Reply, expected: int, limits: Limits
) -> Outcome | None:
    """What came of the call at which the process ended, where it should not have; None where all is well."""
    if reply.reason == "t":
        raise _out_of_time(limits)
    if reply.reason == "o":
        return Outcome("output")
    if os.WIFSIGNALED(reply.status) and os.WTERMSIG(reply.status) in _FATAL and reply.reason != "k":
        name = signal.Signals(os.WTERMSIG(reply.status)).name
        raise SandboxFailed(f"A child was ended by {name}: processor time or memory ran out on this machine.")
    whole = len(found) == expected
    if sound and reply.status == 0 and (whole or (found and found[-1][0].ended in ("steps", "output"))):
        return None
    return Outcome("crashed", message=_how_it_ended(reply, sound))


def _how_it_ended(reply: Reply, sound: bool) -> str:
    if not sound:
        return "it wrote what is no outcome"
    if os.WIFSIGNALED(reply.status):
        return f"ended by {signal.Signals(os.WTERMSIG(reply.status)).name}"
    return f"ended with exit code {os.WEXITSTATUS(reply.status)}"


def _out_of_time(limits: Limits) -> SandboxFailed:
    return SandboxFailed(
        f"{limits.seconds:g} s of wall clock ran out. That is a failure and no verdict: a slower machine reaches it "
        "sooner. Loops in Python are ended by the count of steps before; this one is inside a single operation, or the "
        "machine is overloaded."
    )
