"""Texts that a regular expression matches, drawn at random: what a function that parses wants to be given.

Python's own parser of regular expressions is asked what a pattern is made of. What it says that is not known here
(looking around, conditions) stands for nothing, so a text that comes out need not match: it is a guess like any other.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any

__all__ = ["example"]

_MOST_REPEATS = 3
_SAMPLES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_NOT_DIGIT": "abX_ -",
    "CATEGORY_SPACE": "  \t\n",
    "CATEGORY_NOT_SPACE": "abcXYZ019_-.",
    "CATEGORY_WORD": "abcxyzABZ0189_",
    "CATEGORY_NOT_WORD": " .,-:/",
}
_ANY = "abcxyzABZ0189 .,-_:/"


def example(pattern: str, rng: Random) -> str:
    """A text that `pattern` probably matches; empty for what is no pattern."""
    parts = _parsed(pattern)
    groups: dict[int, str] = {}
    return "" if parts is None else _text(parts, rng, groups)


@lru_cache(maxsize=1024)
def _parsed(pattern: str) -> Any:
    # The parser is a part of `re` without a promise; where a later Python has it elsewhere, patterns give no texts.
    try:
        return importlib.import_module("re._parser").parse(pattern)
    except (ImportError, re.error, RecursionError, OverflowError):
        return None


def _text(parts: Any, rng: Random, groups: dict[int, str]) -> str:
    return "".join(_part(str(name), value, rng, groups) for name, value in parts)


def _part(name: str, value: Any, rng: Random, groups: dict[int, str]) -> str:
    write = _WRITE.get(name)
    return write(value, rng, groups) if write else ""


def _literal(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return chr(value)


def _other(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return rng.choice([one for one in _ANY if ord(one) != value])


def _any(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return rng.choice(_ANY)


def _one_in(value: Any, rng: Random, groups: dict[int, str]) -> str:
    if str(value[0][0]) == "NEGATE":
        excluded = {one for name, part in value[1:] for one in _members(str(name), part)}
        return rng.choice([one for one in _ANY if one not in excluded] or [""])
    name, part = rng.choice(value)
    return rng.choice(_members(str(name), part) or [""])


def _members(name: str, part: Any) -> list[str]:
    if name == "LITERAL":
        return [chr(part)]
    if name == "RANGE":
        low, high = part
        return [chr(one) for one in range(low, min(high, low + 64) + 1)]
    return list(_SAMPLES.get(str(part), ""))


def _category(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return rng.choice(_SAMPLES.get(str(value), "a"))


def _repeated(value: Any, rng: Random, groups: dict[int, str]) -> str:
    low, high, parts = value
    count = rng.randint(low, max(low, min(int(high), low + _MOST_REPEATS)))
    return "".join(_text(parts, rng, groups) for _ in range(min(count, 64)))


def _branch(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return _text(rng.choice(value[1]), rng, groups)


def _group(value: Any, rng: Random, groups: dict[int, str]) -> str:
    text = _text(value[-1], rng, groups)
    if value[0] is not None:
        groups[value[0]] = text
    return text


def _again(value: Any, rng: Random, groups: dict[int, str]) -> str:
    return groups.get(value, "")


_WRITE: dict[str, Callable[[Any, Random, dict[int, str]], str]] = {
    "LITERAL": _literal,
    "NOT_LITERAL": _other,
    "ANY": _any,
    "IN": _one_in,
    "CATEGORY": _category,
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
    "BRANCH": _branch,
    "SUBPATTERN": _group,
    "GROUPREF": _again,
}
