"""Plain values as text, of exactly the types that they had: how arguments go into the sandbox and values come out.

JSON, in which what JSON does not have is an object of one key, its tag:

    null, true, 12, 1.5, "text", [...]      as they are; NaN and Infinity as Python's json writes them
    {"t": [...]}  {"d": [[key, value], ...]}    a tuple, a dict in its order
    {"s": [...]}  {"z": [...]}                  a set, a frozenset: sorted by their text, which is thus always the same
    {"b": "00ff"}  {"c": [1.0, 2.0]}            bytes, a complex number
    {"i": "-ff"}                                an int too long for decimal digits

Types are compared by identity and no method of a value is called, so that nothing which a stranger's class says of
itself is believed, on either side. Reading makes no object but of these types: a text cannot make it do anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

__all__ = ["DEPTH", "Malformed", "NotPlain", "TooLarge", "dump", "encode", "load", "tagged", "untagged"]

DEPTH = 100
"""Values that nest deeper are not plain."""
_DIGITS = 3000
"""Bits above which an int is written by its hexadecimal digits; decimal ones take quadratic time, and are limited."""
_COLLISIONS = 64
"""How many keys of a set or dict may have a hash that another has: more were made to take quadratic time."""


def _encoder() -> Callable[[Any], str]:
    """`json.dumps` without what it makes anew for each value, which costs a child of the fork server memory."""
    whole = json.JSONEncoder(check_circular=False, separators=(",", ":"))
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return whole.encode
    quoted = json.encoder.encode_basestring_ascii
    parts = make(None, whole.default, quoted, None, ":", ",", False, False, True)
    return lambda value: "".join(parts(value, 0))


encode = _encoder()
"""JSON of what `tagged` makes."""
_decode = json.JSONDecoder(parse_constant=float).decode  # each NaN an object of its own, as a set may hold several


class NotPlain(Exception):
    """A value, or one within it, is none of the plain types, or nests too deep."""


class TooLarge(Exception):
    """A value is made of more values than may be brought back."""


class Malformed(ValueError):
    """A text is not what `dump` writes."""


def dump(value: Any, most: int = 1 << 20) -> str:
    """The text of a plain value: the same for equal values of the same types. Raises `NotPlain` and `TooLarge`."""
    return encode(tagged(value, [most], 0))


def load(text: str) -> Any:
    """The value that a text stands for. Raises `Malformed`."""
    try:
        return untagged(_decode(text))
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"This is no JSON: {error}.") from error


def tagged(value: Any, left: list[int], depth: int = 0) -> Any:
    """A plain value as JSON has it; `left` counts down the values that it may be made of."""
    left[0] -= 1
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is str:
        left[0] -= len(value)
        return value if left[0] >= 0 else _refuse()
    if kind is int:
        left[0] -= value.bit_length() >> 2
        if value.bit_length() > _DIGITS:
            return {"i": format(value, "x")} if left[0] >= 0 else _refuse()
        return value
    if left[0] < 0:
        raise TooLarge
    if depth >= DEPTH:
        raise NotPlain
    return _tagged_whole(value, kind, left, depth + 1)


def _refuse() -> Any:
    raise TooLarge


def _tagged_whole(value: Any, kind: type, left: list[int], depth: int) -> Any:
    if kind is list:
        return [tagged(item, left, depth) for item in value]
    if kind is tuple:
        return {"t": [tagged(item, left, depth) for item in value]}
    if kind is dict:
        return {"d": [[tagged(key, left, depth), tagged(item, left, depth)] for key, item in value.items()]}
    if kind is set or kind is frozenset:
        return {"s" if kind is set else "z": sorted((tagged(item, left, depth) for item in value), key=encode)}
    if kind is bytes:
        left[0] -= 2 * len(value)
        return {"b": value.hex()} if left[0] >= 0 else _refuse()
    if kind is complex:
        return {"c": [value.real, value.imag]}
    raise NotPlain


def untagged(found: Any, depth: int = 0) -> Any:
    """The value that a tagged one stands for. Raises `Malformed`."""
    if type(found) is list:
        if depth > DEPTH:
            raise Malformed("The value nests too deep.")
        return [untagged(item, depth + 1) for item in found]
    if type(found) is not dict:
        return found
    if len(found) != 1 or depth > DEPTH:
        raise Malformed("An object of one key, its tag, was expected.")
    ((tag, inner),) = found.items()
    return _untagged_whole(tag, inner, depth + 1)


def _untagged_whole(tag: str, inner: Any, depth: int) -> Any:
    try:
        if tag == "t":
            return tuple([untagged(item, depth) for item in _list(inner)])
        if tag == "d":
            items = [(untagged(key, depth), untagged(item, depth)) for key, item in _list(inner)]
            _refuse_collisions([key for key, _ in items])
            return _unlike(dict(items), inner)
        if tag in ("s", "z"):
            items = [untagged(item, depth) for item in _list(inner)]
            _refuse_collisions(items)
            return _unlike(set(items) if tag == "s" else frozenset(items), inner)
        return _untagged_atom(tag, inner)
    except (TypeError, ValueError) as error:
        raise Malformed(f"No value has the tag {tag!r} and this: {error}.") from error


def _untagged_atom(tag: str, inner: Any) -> Any:
    if tag == "b" and type(inner) is str:
        return bytes.fromhex(inner)
    if tag == "c" and type(inner) is list:
        real, imaginary = inner
        if type(real) is float and type(imaginary) is float:
            return complex(real, imaginary)
    if tag == "i" and type(inner) is str:
        return int(inner, 16)
    raise Malformed(f"No value has the tag {tag!r} and {type(inner).__name__}.")


def _list(inner: Any) -> list[Any]:
    if type(inner) is not list:
        raise Malformed(f"A list was expected, not {type(inner).__name__}.")
    return inner


def _unlike(whole: Any, inner: list[Any]) -> Any:
    """Keys are unlike one another, or the text is not what `dump` writes."""
    if len(whole) != len(inner):
        raise Malformed("Two keys are the same.")
    return whole


def _refuse_collisions(keys: list[Any]) -> None:
    if len(keys) - len({hash(key) for key in keys}) > _COLLISIONS:
        raise Malformed("Too many keys have the same hash.")
