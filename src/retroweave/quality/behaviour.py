"""What a function does, as one hash: what came of a fixed ladder of arguments of given kinds.

Two functions that do the same have the same hash, however they are written; so a rewritten one is found again. The
arguments are comfortable ones, for on the edges (nothing at all, a negative length, a letter for a number) two authors
go different ways. A hash is given only where the results tell the function from others: enough of them, and different
enough, that two functions would not agree on them by chance.

Kinds are written `int`, `float`, `str`, `bool`, `list[int]`, `tuple[str]`, `set[int]`, `dict[str:int]`, and `(int,str)`
for a tuple of two members of their own kinds; they nest.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from retroweave.pipeline.row import digest
from retroweave.pipeline.sandbox import Call, Limits, Outcome, Sandbox

__all__ = ["Kinds", "arities", "behaviours", "kind_of", "ladder"]

Kinds = tuple[str, ...]
"""One for each argument."""

RUNGS = 24
FIRST = 4
"""Calls that are made before all others: of a function that takes other kinds, all of them fail."""
RETURNED = 0.75
"""The share of calls that must return."""
TELLING = 16.0
"""Bits that the results must hold: of 24 yes or no's that is five of the rarer."""
LIMITS = Limits(steps=20_000, seconds=60)
_FAILED = "!"
_INTS = (7, 12, 1, 25, 3, 18, 10, 28, 5, 22, 2, 121, 9, 6, 13, 24, 11, 36, 4, 100, 15, 8, 153, 17)
_FLOATS = (2.5, 1.0, 7.25, 3.5, 0.5, 12.0, 4.75, 9.0, 1.5, 6.25, 10.5, 2.0, 8.125, 5.0, 3.14, 20.0, 0.25, 15.5)
_STRINGS = (
    *("level", "Hello World", "aabbccd", "(()())", "x1y2z3", "the quick brown fox", "UPPER", "10110", "{[()]}"),
    *("a_b_c", "python is fun", "banana", "(()", "12 7 30", "MixedCase", "abcABC", "noon", "one,two,three", "zebra"),
    *("2024-01-31", "two  spaces here", "]][[", "XIV", "racecar at noon"),
)
_SIZES = (2, 1, 3, 2)


def arities(code: str, function: str) -> range:
    """With how many positional arguments a function at the top level of a source can be called."""
    node = next(one for one in ast.parse(code).body if isinstance(one, ast.FunctionDef) and one.name == function)
    if any(default is None for default in node.args.kw_defaults):
        return range(0)
    most = len(node.args.posonlyargs) + len(node.args.args)
    return range(most - len(node.args.defaults), most + 1)


def behaviours(code: str, function: str, every: Sequence[Kinds], sandbox: Sandbox) -> Iterator[tuple[Kinds, str]]:
    """Each of these kinds of arguments of which enough comes, with the hash of that. Raises `SandboxFailed`."""
    first = sandbox.call(code, function, [call for kinds in every for call in ladder(kinds)[:FIRST]], LIMITS)
    likely = [kinds for place, kinds in enumerate(every) if _returns(first[FIRST * place :][:FIRST])]
    results = list(
        map(_result, sandbox.call(code, function, [call for kinds in likely for call in ladder(kinds)], LIMITS))
    )
    for place, kinds in enumerate(likely):
        own = results[RUNGS * place :][:RUNGS]
        if _tells(ladder(kinds), own):
            yield kinds, digest(*kinds, "|", *own)[:8].hex()


def _returns(outcomes: Sequence[Outcome]) -> bool:
    return 2 * sum(outcome.ended == "returned" for outcome in outcomes) >= len(outcomes)


def _result(outcome: Outcome) -> str:
    """What came of a call, in a form in which 2 is 2.0 and a list of results is a tuple of them."""
    if outcome.ended != "returned" or not outcome.plain:
        return _FAILED
    if outcome.value is None and outcome.args is not None:
        return _shown(outcome.args)  # it works in place
    return _shown(outcome.value)


def _tells(calls: Sequence[Call], results: Sequence[str]) -> bool:
    """Whether the results tell the function from others. To give an argument back, or a first member, says nothing."""
    said = [_echoes(call).get(result, result) for call, result in zip(calls, results, strict=True) if result != _FAILED]
    return len(said) >= RETURNED * len(calls) and _bits(said) >= TELLING


def _echoes(call: Call) -> dict[str, str]:
    """What is an argument again, or a member of it, and which."""
    found: dict[str, str] = {}
    for argument in call.args:
        if isinstance(argument, _HOLDS_MEMBERS):
            found |= {_shown(one): f"member {place}" for place, one in reversed([*enumerate(argument)])}
        found |= {_shown(view): "argument" for view in _views(argument)}
    return found


def _views(value: Any) -> Iterator[Any]:
    """What one call of a builtin makes of a value: functions that were meant for something else do that too."""
    yield from (value, [value], str(value))
    if isinstance(value, str):
        yield from (value.lower(), value.upper())
    if isinstance(value, _HOLDS_MEMBERS):
        yield from (list(value), len(value))
        if all(isinstance(one, str) for one in value):
            yield "".join(value)
        if all(map(_is_scalar, value)):
            yield set(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _bits(symbols: Sequence[str]) -> float:
    counts = Counter(symbols).values()
    return sum(count * math.log2(len(symbols) / count) for count in counts)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return hex(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    if type(value) is int:
        return hex(value)  # Python refuses to write a very long one in decimals
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_shown, value)))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(f'{_shown(key)}: {_shown(one)}' for key, one in value.items()))}}}"
    return repr(value)


def kind_of(value: Any, inside: bool = False) -> str | None:
    """The kind of a plain value; nothing where it is empty, or mixed, and so has none."""
    if isinstance(value, bool | int | float | str):
        return type(value).__name__
    if isinstance(value, dict):
        key, one = _common(value), _common(value.values())
        return f"dict[{key}:{one}]" if key and one else None
    if isinstance(value, tuple) and (inside or _common(value) is None):
        kinds = [kind_of(one, inside=True) for one in value]
        return f"({','.join(kinds)})" if 2 <= len(kinds) <= 4 and all(kinds) else None  # type: ignore[arg-type]
    if isinstance(value, list | tuple | set):
        member = _common(value)
        return f"{type(value).__name__}[{member}]" if member else None
    return None


def _common(values: Any) -> str | None:
    kinds = {kind_of(one, inside=True) for one in values}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else None


@cache
def ladder(kinds: Kinds) -> list[Call]:
    """Calls with arguments of these kinds, always the same."""
    return [Call(tuple(_arguments(kinds, rung))) for rung in range(RUNGS)]


def _arguments(kinds: Kinds, rung: int) -> Iterator[Any]:
    size = 0
    for place, kind in enumerate(kinds):
        if kind == "int" and size:
            # Beside a list a number is mostly an index, a length or a count.
            yield size if rung % 3 == 0 else _SIZES[(rung + place) % len(_SIZES)]
            continue
        value = _value(kind, rung + 7 * place)
        yield value
        if isinstance(value, list | tuple):
            size = size or len(value)


def _value(kind: str, rung: int) -> Any:
    """The argument of a kind on a rung."""
    if kind in _SCALARS:
        pool = _SCALARS[kind]
        return pool[rung % len(pool)]
    if kind.startswith("("):
        return tuple(_value(one, rung + 5 * place) for place, one in enumerate(_split(kind[1:-1], ",")))
    name, _, inner = kind[:-1].partition("[")
    if name == "dict":
        key, value = _split(inner, ":")
        return dict(zip(_members(key, rung, 4), _members(value, rung + 1, 4), strict=True))
    if inner.startswith(("list[", "tuple[")):
        return _CONTAINERS[name](_rows(inner, rung))
    members = _members(inner, rung, 3 + rung % 5)
    return _CONTAINERS[name](sorted(members) if rung % 2 and inner in _SCALARS else members)


def _rows(kind: str, rung: int) -> list[Any]:
    """Rows, mostly of one length: a matrix, and mostly a square one."""
    name, _, inner = kind[:-1].partition("[")
    height = 2 + rung % 2
    width = height + (rung % 4 == 0)
    longer = {5: 0, 11: height - 1}.get(rung % 12)
    widths = [width + (row == longer) for row in range(height)]
    return [_CONTAINERS[name](_members(inner, rung + 3 * row, count)) for row, count in enumerate(widths)]


def _members(kind: str, rung: int, count: int) -> list[Any]:
    places = [place % 3 if rung % 3 == 2 else place for place in range(count)]  # some twice
    members = [_value(kind, 5 * rung + (1 + rung % 3) * place) for place in places]
    if kind == "int" and rung % 4 == 3:
        members[1:3] = [-one for one in members[1:3]]
    return members


def _split(text: str, mark: str) -> list[str]:
    """Parts at the marks that stand in no bracket."""
    parts, depth = [""], 0
    for one in text:
        depth += (one in "[(") - (one in "])")
        if one == mark and not depth:
            parts.append("")
        else:
            parts[-1] += one
    return parts


_SCALARS: dict[str, Sequence[Any]] = {"int": _INTS, "float": _FLOATS, "str": _STRINGS, "bool": (True, False)}
_HOLDS_MEMBERS = (str, list, tuple, set, dict)
_CONTAINERS: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple, "set": set}
