"""Namespaces: a process that sees no other processes, no network, and a root folder with nothing but Python in it.

They need root or an unprivileged user namespace; a container forbids both as a rule.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Sequence

from retroweave.verifiers.sandbox.kernel import call, mount, prctl, umount, unshare

__all__ = ["SCRATCH", "enter", "enter_as_user", "follow_parent", "fork_into", "new_root"]

SCRATCH = "/scratch"
"""Where a program may write, in a root of its own."""

_MOUNT, _UTS, _IPC, _USER, _PID, _NET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_ALL = _MOUNT | _UTS | _IPC | _PID | _NET
_READ_ONLY, _NO_SUID, _NO_DEVICES, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_DETACH = 2
_SET_DEATH_SIGNAL = 1
_AT_RECURSIVE = 0x8000
_BASE = "/tmp"
"""What the new root is mounted on. It hides the folder in this namespace alone, and only until it is the root."""


def enter() -> None:
    """Namespaces for root."""
    unshare(_ALL)


def enter_as_user() -> None:
    """Namespaces for anybody, by way of a user namespace in which nothing is mapped but this user."""
    user, group = os.getuid(), os.getgid()
    unshare(_ALL | _USER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _write(path: str, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def fork_into() -> None:
    """Go on as the first process of the new namespace. The process that was stays outside and waits for it.

    The first process of a namespace takes all others with it, and is deaf to the signals that they send.
    """
    inner = os.fork()
    if inner == 0:
        return
    os.closerange(0, 64)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _, status = os.waitpid(inner, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def follow_parent() -> None:
    """Die with the process outside. The kernel forgets this where a user changes: so it is said after that."""
    prctl(_SET_DEATH_SIGNAL, int(signal.SIGKILL))


def new_root(visible: Sequence[str], scratch_bytes: int = 0) -> None:
    """Make a root of these folders and files, read-only, and leave the old one; with a folder to write in, or none."""
    # Held open before anything is mounted: the new root may hide what lies under its base.
    held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in visible if os.path.exists(path)]  # noqa: PTH110
    mount(b"none", b"/", None, _RECURSIVE | _PRIVATE)
    mount(b"tmpfs", _BASE.encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, b"size=256k,mode=755")
    links = {path: f"/proc/self/fd/{place}" for path, place in held}
    for path, link in links.items():
        _show(link, _BASE + path)
    if scratch_bytes:
        os.mkdir(_BASE + SCRATCH)  # noqa: PTH102
        options = f"size={scratch_bytes},nr_inodes=4096,mode=777"
        mount(b"tmpfs", (_BASE + SCRATCH).encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, options.encode())
    for _, place in held:
        os.close(place)
    os.mkdir(_BASE + "/old")  # noqa: PTH102
    os.chdir(_BASE)
    call("pivot_root", b".", b"old")
    os.chdir("/")
    umount(b"/old", _DETACH)
    os.rmdir("/old")  # noqa: PTH106
    mount(None, b"/", None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEVICES)


def _show(source: str, target: str) -> None:
    if os.path.isdir(source):  # noqa: PTH112
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    mount(source.encode(), target.encode(), None, _BIND | _RECURSIVE)
    _make_read_only(target, 0 if target.startswith(_BASE + "/dev/") else _NO_DEVICES)


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns"))


def _make_read_only(target: str, no_devices: int) -> None:
    """With everything that is mounted beneath; before Linux 5.12 the folder alone."""
    wanted = _Attributes(_READ_ONLY | _NO_SUID | no_devices, 0, 0, 0)
    pointer, size = ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted))
    try:
        call("mount_setattr", ctypes.c_int(-100), target.encode(), ctypes.c_uint(_AT_RECURSIVE), pointer, size)
    except OSError:
        had = os.statvfs(target).f_flag & 0x1C0E  # flags that a user namespace may not take off
        kept = (had & 0xE) | (1024 if had & 1024 else 0) | (1 << 21 if had & 4096 else 0)
        flags = _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | no_devices | kept
        mount(None, target.encode(), None, flags)
