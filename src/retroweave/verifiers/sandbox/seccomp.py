"""The system calls that are left: filters of seccomp, assembled by hand into the kernel's packet-filter instructions.

The fork server has a list of what is allowed; everything else, known and unknown, fails with EPERM. Each child gets a
second filter on top that takes the rest away which only the server needs. The kernel goes by the strictest of all
filters that a process has, and no filter can be taken off again.

Pointers cannot be looked behind: a filter sees the number of a call and its arguments as numbers, so which file is
opened is for the mount namespace and Landlock to decide.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from retroweave.verifiers.sandbox.kernel import MACHINE, NUMBERS, prctl

__all__ = [
    "CALLS",
    "CHILD_REFUSED",
    "OPENING",
    "PROGRAM",
    "PROGRAM_REFUSED",
    "SERVER",
    "Filter",
    "Loaded",
    "allow_list",
    "refuse_list",
]

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32 = 0x40000000
"""Numbers from here on are those of x86_64's other ABI, by which a list of numbers could be passed by."""
_NEW_NAMESPACE = 0x7E020080

CALLS = frozenset(
    """read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 readv
    writev poll ppoll select pselect6 sched_yield mremap madvise dup dup2 dup3 nanosleep clock_nanosleep
    restart_syscall getitimer setitimer alarm getpid getppid gettid getuid geteuid getgid getegid uname
    gettimeofday clock_gettime clock_getres getrusage sysinfo times sigaltstack futex sched_getaffinity
    set_robust_list getrandom rseq membarrier exit exit_group pipe pipe2 close_range arch_prctl
    """.split()  # noqa: SIM905 - as a table it reads better than as eighty strings
)
"""What any Python needs, and what harms nobody."""
OPENING = frozenset(
    """open openat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd
    """.split()  # noqa: SIM905
)
"""Looking at files: for the mount namespace or Landlock to hold; where neither is had, it is taken away."""
SERVER = frozenset({"clone", "fork", "vfork", "wait4", "waitid", "pidfd_open", "set_tid_address"})
CHILD_REFUSED = SERVER | {"kill", "prctl", "prlimit64", "close_range"}
"""`close_range` could close what the child reports by; that is no danger, and no need either."""
PROGRAM = (
    CALLS
    | OPENING
    | frozenset(
        """execve set_tid_address chdir fchdir mkdir mkdirat rename renameat renameat2 rmdir unlink unlinkat umask
    ftruncate fsync utimensat getpgrp getsid statfs pwrite64 chmod fchmod fchmodat getrlimit
    """.split()  # noqa: SIM905
    )
)
"""What one program needs that may write in a folder of its own, but start no other."""
PROGRAM_REFUSED = (CHILD_REFUSED - {"set_tid_address", "close_range", "prlimit64"}) | {"setitimer", "alarm"}

_COMMANDS = (0, 1, 2, 3, 4, 1030)
"""fcntl: copies, flags. Not F_SETOWN, by which the kernel sends signals to any process of the same user."""
_TERMINAL = (0x5401, 0x5421, 0x5450, 0x5451)
"""ioctl: is it a terminal; blocking or not; close-on-exec. Not those that type into a terminal."""
ARGUMENTS: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "fcntl": (1, _COMMANDS),
    "ioctl": (1, _TERMINAL),
    "prlimit64": (0, (0,)),  # its own limits: those of the server are those of the next child
    "kill": (1, (9,)),  # the server ends a child and knows no other signal
    "prctl": (0, (22,)),  # one more filter
}
"""Calls that are allowed where one argument, by its place, is among these values."""


class Filter(NamedTuple):
    """Instructions for the kernel."""

    code: bytes

    def load(self) -> None:
        """Put it on this process, for good."""
        Loaded(self).load()


class Loaded:
    """A filter laid out in memory once, for a child to put on by a single call."""

    def __init__(self, instructions: Filter) -> None:
        self._code = ctypes.create_string_buffer(instructions.code, len(instructions.code))
        self._program = _Program(len(instructions.code) // 8, ctypes.cast(self._code, ctypes.c_char_p))
        self._pointer = ctypes.byref(self._program)

    def load(self) -> None:
        prctl(22, 2, self._pointer)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _does(code: int, value: int, met: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; `met` and `otherwise` say how many are skipped after a comparison."""
    return struct.pack("=HBBI", code, met, otherwise, value)


def _argument(place: int) -> bytes:
    """Load the low half of an argument. All that we ask about are of 32 bits to the kernel."""
    return _does(_LOAD, 16 + 8 * place)


def _preamble() -> list[bytes]:
    """A call by another architecture's numbers ends the process."""
    lines = [
        _does(_LOAD, 4),
        _does(_EQUAL, _AUDIT[MACHINE], met=1),
        _does(_RETURN, _KILL),
        _does(_LOAD, 0),
    ]
    if MACHINE == "x86_64":
        lines += [_does(_AT_LEAST, _X32, otherwise=1), _does(_RETURN, _EPERM)]
    return lines


def _on(number: int, block: list[bytes]) -> list[bytes]:
    """The block, for the call of this number. The block returns in any case."""
    return [_does(_EQUAL, number, otherwise=len(block)), *block]


def _if_argument(place: int, values: Iterable[int]) -> list[bytes]:
    lines = [_argument(place)]
    for value in values:
        lines += [_does(_EQUAL, value, otherwise=1), _does(_RETURN, _ALLOW)]
    return [*lines, _does(_RETURN, _EPERM)]


def allow_list(names: Iterable[str]) -> Filter:
    """What is not named fails with EPERM; the calls of `ARGUMENTS` pass with the right argument."""
    known = {name: NUMBERS[name] for name in sorted(set(names)) if name in NUMBERS}
    # The C library asks for clone3 first, whose flags lie behind a pointer, and takes clone where there is none.
    lines = [*_preamble(), *_on(NUMBERS["clone3"], [_does(_RETURN, _ENOSYS)])]
    clone = known.pop("clone", None)
    if clone is not None:
        same = [_argument(0), _does(_ANY_BIT, _NEW_NAMESPACE, otherwise=1), _does(_RETURN, _EPERM)]
        lines += _on(clone, [*same, _does(_RETURN, _ALLOW)])
    for name, (place, values) in ARGUMENTS.items():
        lines += _on(NUMBERS[name], _if_argument(place, values))
    for number in sorted(known.values()):
        lines += _on(number, [_does(_RETURN, _ALLOW)])
    return Filter(b"".join([*lines, _does(_RETURN, _EPERM)]))


def refuse_list(names: Iterable[str]) -> Filter:
    """What is named fails with EPERM; of the rest the filters below decide."""
    lines = _preamble()
    for number in sorted({NUMBERS[name] for name in names if name in NUMBERS}):
        lines += _on(number, [_does(_RETURN, _EPERM)])
    return Filter(b"".join([*lines, _does(_RETURN, _ALLOW)]))
