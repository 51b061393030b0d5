"""What holds here: which property is kept by which layers, tried by attacks of our own before anything else runs.

A sandbox is trusted for its properties and not for its parts: files, network, processes and limits each can be held in
more than one way, and one way is enough. A property that no layer holds, or that an attack breaks, is not held,
whatever the layers say of themselves.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from retroweave.verifiers.sandbox.layers import (
    CAPABILITIES,
    LANDLOCK,
    NAMESPACES,
    RLIMITS,
    ROOT,
    SECCOMP,
    USER,
)

__all__ = ["PROBE", "PROPERTIES", "baits", "holders", "mended_by", "not_held"]

PROPERTIES = {
    "files": "reads and writes no file of yours",
    "network": "reaches no network",
    "processes": "sees, signals and starts no process",
    "limits": "takes no more memory and descriptors than it may",
}

PROBE = """
import ctypes, errno, os, resource, sys

libc = ctypes.CDLL(None, use_errno=True)


def attempt(action):
    try:
        return bool(action())
    except BaseException:
        return False


def read(path):
    return lambda: os.read(os.open(path, os.O_RDONLY), 1) and True


def write(path):
    return lambda: os.write(os.open(path, os.O_WRONLY | os.O_CREAT), b"x")


def connect(family, address):
    def action():
        place = libc.socket(family, 1, 0)
        return place >= 0 and libc.connect(place, address, len(address)) == 0
    return action


def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    return True


def limit_of(pid):
    room = (ctypes.c_uint64 * 2)()
    return libc.prlimit(pid, resource.RLIMIT_NOFILE, None, room) == 0


def memory(most):
    return len(bytearray(most)) == most


def descriptors():
    return [os.dup(0) for _ in range(200)]


def attack(bait, folder, pid, port, name, most):
    inet = (2).to_bytes(2, sys.byteorder) + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    unix = (1).to_bytes(2, sys.byteorder) + b"\\0" + name.encode()
    tries = {
        "files": {
            "read a file of its own user": read(bait),
            "list the root folder": lambda: "proc" in os.listdir("/"),
            "write a file": write(folder + "/written"),
            "read the environment of another process": read(f"/proc/{pid}/environ"),
        },
        "network": {
            "reach a port of this machine": connect(2, inet),
            "reach a local socket": connect(1, unix),
        },
        "processes": {
            "signal a process": lambda: os.kill(pid, 0) is None,
            "ask for the limits of a process": lambda: limit_of(pid),
            "start a process": fork,
        },
        "limits": {
            "take more memory than it may": lambda: memory(most),
            "open two hundred descriptors": descriptors,
        },
    }
    return {name: [what for what, action in attacks.items() if attempt(action)] for name, attacks in tries.items()}
"""


@contextmanager
def baits() -> Iterator[tuple[Any, ...]]:
    """What the probe's attacks aim at: a file, a folder, a process, a port and a local socket. All is ours."""
    with tempfile.TemporaryDirectory(prefix="retroweave-probe-") as folder:
        Path(folder).chmod(0o777)
        bait = Path(folder, "bait")
        bait.write_text("bait")
        bait.chmod(0o644)
        with socket.socket(socket.AF_INET) as port, socket.socket(socket.AF_UNIX) as local:
            number, name = 0, f"retroweave-{os.getpid()}-{id(port)}"
            with suppress(OSError):  # a machine without a loopback device: then there is none to reach either
                port.bind(("127.0.0.1", 0))
                port.listen()
                number = port.getsockname()[1]
            with suppress(OSError):
                local.bind(f"\0{name}")
                local.listen()
            yield str(bait), folder, os.getpid(), number, name


def holders(on: Mapping[str, str], blind: bool) -> dict[str, list[str]]:
    """The layers that hold each property, those that are on."""
    held: dict[str, list[str]] = {
        "files": [name for name in (ROOT, LANDLOCK) if name in on],
        "network": [name for name in (NAMESPACES, SECCOMP) if name in on],
        "processes": [name for name in (NAMESPACES, SECCOMP) if name in on],
        "limits": [name for name in (RLIMITS,) if name in on],
    }
    if blind and SECCOMP in on:
        held["files"] = [f"{SECCOMP} (nothing can be opened)"]
    if ROOT not in on and SECCOMP not in on:
        held["network"] = []  # a network namespace does not hold local sockets in the file system
    if SECCOMP not in on:
        held["processes"] = []  # a child shares its namespace with the server
    if CAPABILITIES not in on or (USER not in on and os.geteuid() == 0):
        held = {name: [] for name in held}  # who is root and keeps its rights is held by nothing
    return held


def not_held(held: Mapping[str, list[str]], broken: Mapping[str, list[str]], off: Mapping[str, str]) -> list[str]:
    """A sentence for each property that does not hold."""
    found = []
    for name, meaning in PROPERTIES.items():
        if broken.get(name):
            found.append(f"{name}: that untrusted code {meaning} does not hold, for it could {_and(broken[name])}.")
        elif not held[name]:
            why = "; ".join(f"{layer}: {reason}" for layer, reason in off.items()) or "nothing here holds that"
            found.append(f"{name}: that it {meaning} cannot be had ({why}).")
    return found


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}"


def mended_by(platform: str) -> str:
    """What a person can do about it."""
    if platform == "darwin":
        return "Run it in a Linux container (docker run, podman run). --unsafe runs the code with your own rights."
    if platform == "win32":
        return "Run it in WSL 2 or in a Linux container: there is no fork server here, not even with --unsafe."
    return (
        "Linux 5.13 or newer with Landlock among its security modules (cat /sys/kernel/security/lsm) is enough, in a "
        "container too; or a container that may make user namespaces (docker run --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined). --unsafe runs the code without what is missing."
    )
