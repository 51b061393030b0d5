"""Plain values as a person reads them in a test: printed as Python source, compared by type, and small.

Plain are None, booleans, numbers, strings, bytes, and lists, tuples, sets and dicts of them, of exactly these types.
A float is printed by its `repr`, which gives it back exactly: what the original computed is what is asked for, and
a comparison that forgave a little would forgive small bugs.
"""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["Unprintable", "call_text", "printed", "rebuilt"]

DEEPEST = 12
_LARGEST_INT = 4000
"""Bits; Python refuses to print what is much larger."""
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}|\b0x7[0-9a-f]{11}\b")


class Unprintable(ValueError):
    """A value that cannot stand in a test; the message says why."""


def printed(value: Any, depth: int = 0) -> str:
    """The source text of a plain value, the same for the same value and other for another type.

    Sets are printed in the order of their members' texts. Raises `Unprintable` for what is not plain, nests deep, holds
    an address, or is a float that has no literal.
    """
    if depth > DEEPEST:
        raise Unprintable("nests too deep")
    kind = type(value)
    if kind is int and value.bit_length() > _LARGEST_INT:
        raise Unprintable("is too long")
    if value is None or kind in (bool, int, bytes):
        return repr(value)
    if kind is str:
        return _string(value)
    if kind is float or kind is complex:
        return _number(value)
    if kind is list:
        return f"[{', '.join(_each(value, depth))}]"
    if kind is tuple:
        return f"({', '.join(_each(value, depth))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        return f"{{{', '.join(f'{printed(k, depth + 1)}: {printed(v, depth + 1)}' for k, v in value.items())}}}"
    if kind is set or kind is frozenset:
        return _set(value, depth)
    raise Unprintable("is not plain")


def _each(values: Any, depth: int) -> list[str]:
    return [printed(one, depth + 1) for one in values]


def _set(value: set[Any] | frozenset[Any], depth: int) -> str:
    members = f"{{{', '.join(sorted(_each(value, depth)))}}}" if value else ""
    if type(value) is frozenset:
        return f"frozenset({members})"
    return members or "set()"


def _string(value: str) -> str:
    if _ADDRESS.search(value):
        raise Unprintable("holds an address")
    return repr(value)


def _number(value: float | complex) -> str:
    parts = (value.real, value.imag)
    if not all(math.isfinite(part) for part in parts):
        raise Unprintable("is not finite")
    if isinstance(value, complex) and any(math.copysign(1, part) < 0 and part == 0 for part in parts):
        raise Unprintable("has no literal")
    return repr(value)


def rebuilt(value: Any, *, backwards: bool = False) -> Any:
    """The same value, its sets filled in the order in which they are printed, or the other way round.

    Where members' hashes collide, a set is gone through in the order in which it was filled, whatever the hash seed.
    """
    kind = type(value)
    if kind is set or kind is frozenset:
        return kind(sorted((rebuilt(one, backwards=backwards) for one in value), key=printed, reverse=backwards))
    if kind is dict:
        return {rebuilt(k, backwards=backwards): rebuilt(v, backwards=backwards) for k, v in value.items()}
    if kind is list or kind is tuple:
        return kind(rebuilt(one, backwards=backwards) for one in value)
    return value


def call_text(function: str, args: tuple[Any, ...], kwargs: Any) -> str:
    """The source text of a call."""
    given = [*(printed(one) for one in args), *(f"{name}={printed(one)}" for name, one in kwargs.items())]
    return f"{function}({', '.join(given)})"
