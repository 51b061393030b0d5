"""Starting the sandbox as an ordinary user where the tests run as root.

The user has nothing but what any user has. Where root keeps the interpreter or this repository in folders of its own,
they are shown to the user in a mount namespace of that one process, which changes nothing for anybody else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import retroweave
from retroweave.verifiers.sandbox.kernel import mount, unshare
from retroweave.verifiers.sandbox.layers import NOBODY, is_open_to_all

__all__ = ["as_ordinary_user", "become_ordinary"]

_MOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x20000, 4096, 16384, 1 << 18


def as_ordinary_user(command: list[str], **known: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen`, as a user without rights."""
    if os.geteuid() != 0:
        return subprocess.Popen(command, **known)
    return subprocess.Popen(command, preexec_fn=become_ordinary, **known)


def become_ordinary() -> None:
    """Between fork and exec."""
    needed = [sys.base_prefix, sys.prefix, str(Path(retroweave.__file__).parent)]
    closed = [path for path in needed if not is_open_to_all(path)]
    if closed:
        unshare(_MOUNT)
        mount(b"none", b"/", None, _RECURSIVE | _PRIVATE)
        held = {path: os.open(path, os.O_PATH) for path in closed}
        for folder in {_first_closed(path) for path in closed}:
            mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"mode=755,size=256k")
        for path, place in held.items():
            Path(path).mkdir(parents=True, exist_ok=True)
            mount(f"/proc/self/fd/{place}".encode(), path.encode(), None, _BIND | _RECURSIVE)
            os.close(place)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _first_closed(path: str) -> str:
    """The outermost folder on the way to this one that others may not enter."""
    folders = [str(folder) for folder in reversed([Path(path), *Path(path).parents])]
    return next(folder for folder in folders if not Path(folder).stat().st_mode & 1)
