"""Landlock: which files a process and its children may read, said by the process itself and for good.

It holds where namespaces are not to be had, as in most containers. It does not hide names: whether a file is there can
still be asked (`stat`), its content cannot be had. From its fourth version on it holds TCP too, from the sixth signals
and abstract sockets.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from retroweave.verifiers.sandbox.kernel import call

__all__ = ["restrict", "version"]

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ABI_1 = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_TCP, _SCOPES = 0b11, 0b11
_PATH_BENEATH = 1
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
"""The rights that a rule about a single file may name."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Which Landlock the kernel has. `OSError` where it has none."""
    return call("landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint32(1))


def restrict(readable: Iterable[str], executable: Iterable[str] = (), writable: Iterable[str] = ()) -> int:
    """From here on nothing but these folders and files can be opened; the version that holds. Raises `OSError`."""
    abi = version()
    every = _ABI_1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL if abi >= 5 else 0)
    rules = _Ruleset(every, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = ctypes.c_size_t(24 if abi >= 6 else 16 if abi >= 4 else 8)
    ruleset = call("landlock_create_ruleset", ctypes.byref(rules), size, ctypes.c_uint32(0))
    try:
        for paths, rights in (
            (readable, _READ_FILE | _READ_DIR),
            (executable, _READ_FILE | _READ_DIR | _EXECUTE),
            (writable, every & ~(_EXECUTE | _IOCTL)),
        ):
            for path in paths:
                _allow(ruleset, path, rights & every)
        call("landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return  # what this user cannot reach needs no rule
    try:
        rights = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112 - pathlib is heavy, and forked
        rule = _PathBeneath(rights, place)
        call("landlock_add_rule", ctypes.c_int(ruleset), _PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(place)
