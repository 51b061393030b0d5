"""Linux system calls by name, for the sandbox's layers: the standard library has few of them.

Nothing is decided here. A refusal of the kernel is an `OSError` that names the call.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

__all__ = ["LINUX", "MACHINE", "NUMBERS", "call", "mount", "prctl", "umount", "unshare"]

LINUX = sys.platform == "linux"
MACHINE = platform.machine()

_BOTH = {  # x86_64, and what arm64 shares with every newer architecture; None where it was left out there
    "access": (21, None),
    "alarm": (37, None),
    "brk": (12, 214),
    "capset": (126, 91),
    "chdir": (80, 49),
    "chmod": (90, None),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "execve": (59, 221),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fchdir": (81, 50),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fcntl": (72, 25),
    "fork": (57, None),
    "fstat": (5, 80),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "futex": (202, 98),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getitimer": (36, 102),
    "getpgrp": (111, None),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getsid": (124, 156),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "ioctl": (16, 29),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "membarrier": (324, 283),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mmap": (9, 222),
    "mount_setattr": (442, 442),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "pidfd_open": (434, 434),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "pivot_root": (155, 41),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "pselect6": (270, 72),
    "pwrite64": (18, 68),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "restart_syscall": (219, 128),
    "rmdir": (84, None),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "select": (23, None),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "setitimer": (38, 103),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statfs": (137, 43),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "umask": (95, 166),
    "uname": (63, 160),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "utimensat": (280, 88),
    "vfork": (58, None),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "write": (1, 64),
    "writev": (20, 66),
    "arch_prctl": (158, None),
}
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(MACHINE) if LINUX else None
NUMBERS: dict[str, int] = (
    {} if _COLUMN is None else {name: number for name, both in _BOTH.items() if (number := both[_COLUMN]) is not None}
)
"""System calls of this machine by name; empty where the machine is not one that we know."""

_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
if _libc is not None and LINUX:
    _libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """A system call by its name."""
    if name not in NUMBERS:
        raise OSError(f"{name} is not known on {sys.platform} {MACHINE}; x86_64 and aarch64 Linux are")
    return _checked(_library().syscall(NUMBERS[name], *arguments), name)


def prctl(option: int, *arguments: Any) -> None:
    numbers = [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments]
    _checked(_library().prctl(option, *numbers, *([ctypes.c_ulong(0)] * (4 - len(numbers)))), f"prctl({option})")


def unshare(flags: int) -> None:
    _checked(_library().unshare(flags), "unshare")


def mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    result = _library().mount(source, target, kind, ctypes.c_ulong(flags), data)
    _checked(result, f"mount on {target.decode(errors='replace')}")


def umount(target: bytes, flags: int) -> None:
    _checked(_library().umount2(target, flags), "umount")


def _library() -> Any:
    if _libc is None or not LINUX:
        raise OSError(f"this is {sys.platform}, and the sandbox's layers are Linux's")
    return _libc


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
