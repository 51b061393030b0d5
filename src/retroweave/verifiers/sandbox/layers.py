"""The layers of the sandbox, laid on in the one order in which each still can be, and what came of each.

A layer that cannot be had is no error here: it is written down with the kernel's reason, and the parent decides whether
what is left holds (see `probe.py`). Runs in the fork server, before it has seen anything that is not trusted.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import stat
from collections.abc import Callable, Iterable, Sequence

from retroweave.verifiers.sandbox import landlock, namespaces, seccomp
from retroweave.verifiers.sandbox.kernel import LINUX, MACHINE, NUMBERS, call, prctl

__all__ = [
    "CAPABILITIES",
    "LANDLOCK",
    "NAMESPACES",
    "RLIMITS",
    "ROOT",
    "SECCOMP",
    "USER",
    "Layers",
    "is_open_to_all",
    "limit",
]

USER = "unprivileged user"
NAMESPACES = "namespaces"
ROOT = "root folder of its own"
CAPABILITIES = "no capabilities"
LANDLOCK = "Landlock"
SECCOMP = "seccomp"
RLIMITS = "rlimits"

NOBODY = 65534
DESCRIPTORS = 32
_STACK = 8 << 20
_DROP_BOUNDING, _CLEAR_AMBIENT, _NO_NEW_PRIVILEGES, _DUMPABLE = 24, (47, 4), 38, 4
_CAPABILITY_VERSION = 0x20080522


class Layers:
    """What is on, with a word about how, and what is not, with the reason."""

    def __init__(self, without: Iterable[str], before_losing_rights: Callable[[], None]) -> None:
        self.on: dict[str, str] = {}
        self.off: dict[str, str] = {}
        self._without = frozenset(without)
        self._before_losing_rights = before_losing_rights

    def attempt(self, name: str, lay: Callable[[], str]) -> None:
        """Lay a layer on; `lay` says how, in a word, or why it cannot, in an `OSError`."""
        if name in self._without:
            self.off[name] = "switched off"
            return
        try:
            self.on[name] = lay()
        except (OSError, ValueError) as error:
            self.off[name] = str(error)

    def apply(self, visible: Sequence[str], executable: Sequence[str] = (), scratch: str = "", room: int = 0) -> None:
        """Everything but the filter of system calls, which comes last: see `close`.

        `room` is how many bytes of scratch space a root folder of its own shall have, and `scratch` the folder to write
        in where there is no such root.
        """
        self.attempt(NAMESPACES, self._enter_namespaces)
        if NAMESPACES in self.on:
            self.attempt(ROOT, lambda: _new_root([*visible, *executable], room))
        else:
            self.off[ROOT] = f"namespaces: {self.off[NAMESPACES]}"
        self.attempt(USER, self._stay_nobody)
        self.attempt(CAPABILITIES, _drop_capabilities)
        if NAMESPACES in self.on:
            namespaces.follow_parent()
        places = [path for path in visible if path.startswith("/dev/")]
        if ROOT in self.on and room:
            places.append(namespaces.SCRATCH)
        elif scratch:
            places.append(scratch)
        self.attempt(LANDLOCK, lambda: f"version {landlock.restrict(visible, executable, places)}")

    def _enter_namespaces(self) -> str:
        try:
            if os.getuid() != 0:
                raise PermissionError("this is not root")
            namespaces.enter()
        except OSError:
            self._become_nobody()  # before the user namespace: root mapped into one is the host's root still
            namespaces.enter_as_user()
        namespaces.fork_into()
        return "mount, pid, network, ipc, uts"

    def _become_nobody(self) -> None:
        if os.getuid() != 0 or USER in self._without:
            return
        if ROOT not in self.on:
            self._before_losing_rights()
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        if LINUX:
            prctl(_DUMPABLE, 1)  # else /proc/self, where a user namespace is set up, would be root's

    def _stay_nobody(self) -> str:
        if os.getuid() == 0:
            _drop_bounding_set()
            self._become_nobody()
        return f"user {os.getuid()}"

    def cap(self, sizes: Sequence[tuple[int, int]]) -> None:
        """The limits that are the same for every child."""
        self.attempt(RLIMITS, lambda: _limit_all(sizes))

    def close(self, names: Iterable[str]) -> None:
        """Lay the filter of system calls on: from here on nothing of the above can be done."""
        self.attempt(SECCOMP, lambda: _filter(names))


def _new_root(visible: Sequence[str], room: int) -> str:
    namespaces.new_root(visible, room)
    return ""


def _drop_capabilities() -> str:
    prctl(*_CLEAR_AMBIENT)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
    prctl(_DUMPABLE, 0)  # nobody of the same user may trace it or read its /proc
    prctl(_NO_NEW_PRIVILEGES, 1)
    return ""


def _limit_all(sizes: Sequence[tuple[int, int]]) -> str:
    for what, most in sizes:
        limit(what, most)
    return ""


def _filter(names: Iterable[str]) -> str:
    if not NUMBERS:
        raise OSError(f"the system calls of {MACHINE} are not known here; those of x86_64 and aarch64 are")
    seccomp.allow_list(names).load()
    return ""


def _drop_bounding_set() -> None:
    for capability in range(64):
        with contextlib.suppress(OSError):  # beyond the last that this kernel has
            prctl(_DROP_BOUNDING, capability)


def limit(what: int, most: int) -> None:
    """Set a limit, or leave a lower one that stands already."""
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


SERVER_LIMITS: tuple[tuple[int, int], ...] = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_NOFILE, DESCRIPTORS),
    (resource.RLIMIT_STACK, _STACK),
)


def is_open_to_all(folder: str) -> bool:
    """Whether any user may read this folder, by the rights of it and of those above it."""
    while True:
        if not os.stat(folder).st_mode & stat.S_IXOTH:  # noqa: PTH116
            return False
        if folder == "/":
            return True
        folder = os.path.dirname(folder)  # noqa: PTH120
