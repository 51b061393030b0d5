"""How odd a value looks in a test, and values like it that look less odd: what a person would have written.

A search comes to `"12a.river0x1f"` where `"river.txt"` would do as well. Nobody learns more from the first, and its
reader wonders what it is about. This module only has an opinion; whether a plainer value does as well, a call tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

__all__ = ["WORDS", "oddness", "plainer"]

WORDS = (
    *("apple", "river", "stone", "blue", "seven", "cat", "Anna", "Paris", "hello", "world", "kettle", "garden", "a"),
    *("open", "closed", "one", "two", "three", "Monday", "level", "noon", "banana", "x", "data", "value", "end", "b"),
)
_NUMBERS = (0, 1, 2, 3, 4, 5, 10, 12, 20, 100)
_TOKEN = re.compile(r"[^\W_]+|\s+|.", re.DOTALL)
_MOST = 18
"""Characters of a text, and beyond that it is long."""
_RUN = 10
"""Letters of a word, and beyond that it is probably two."""
_MEMBERS = 4


def oddness(value: Any, own: Sequence[str] = ()) -> int:
    """About 0 for what anybody would write; less where it holds one of `own`, the texts that the function is about."""
    look = _LOOK.get(type(value))
    return 0 if look is None else look(value, own)


def _text(value: str, own: Sequence[str]) -> int:
    left = value
    for one in own:
        if _is_word(one):
            left = re.sub(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])", " ", left)
    about = [one for one in own if one in value and not any(map(str.isalnum, one))]
    tokens = _TOKEN.findall(left)
    words = [one for one in tokens if one.isalnum()]
    marks = [one for one in tokens if not one.isalnum() and not one.isspace() and one not in about]
    odd = sum(map(_token, words)) + 2 * max(0, len(marks) - 2) + 2 * marks.count("%")
    odd += max(0, len(value) - _MOST) // 2
    odd += 4 * sum(not " " <= one <= "~" and one not in "\n\t" and one not in "".join(about) for one in left)
    says_nothing = not any(one.isalpha() for one in _TOKEN.findall(value))
    return odd + 3 * says_nothing - 2 * bool(about)


def _is_word(literal: str) -> bool:
    """Whether a person could write it in a text: it is no pattern and no place for something else."""
    return 1 < len(literal) <= _MOST and literal[0].isalnum() and literal[-1].isalnum() and "%" not in literal


def _token(token: str) -> int:
    """A word or a small number is none; letters and digits in one are odd, or words that run together."""
    if token.isdigit():
        return 0 if len(token) < 3 else 2 if len(token) < 4 else 5
    if not token.isalpha():
        return 5
    if token in WORDS:
        return 0
    if token not in (token.lower(), token.upper(), token.title()):
        return 4
    runs_on = len(token) > _RUN or any(word in token for word in WORDS if len(word) > 3)
    return 3 if runs_on or (len(token) > 2 and not re.search(r"(?i)[aeiouy]", token)) else 0


def _bytes(value: bytes, own: Sequence[str]) -> int:
    return 1 + _text(value.decode("latin-1"), own)


def _int(value: int, own: Sequence[str]) -> int:
    size = abs(value)
    if size in _NUMBERS or size < 13:
        return int(value < 0)
    digits = str(size)
    return (value < 0) + (1 if size < 100 or not digits[1:].strip("0") else len(digits))


def _float(value: float, own: Sequence[str]) -> int:
    return _int(int(value), own) + (1 if (2 * value).is_integer() else 2 * min(4, len(repr(value).partition(".")[2])))


def _members(value: Any, own: Sequence[str]) -> int:
    kinds = len({type(one) for one in value})
    return sum(oddness(one, own) for one in value) + 2 * max(0, len(value) - _MEMBERS) + 3 * max(0, kinds - 1)


def _tuple(value: tuple[Any, ...], own: Sequence[str]) -> int:
    return sum(oddness(one, own) for one in value)


def _dict(value: dict[Any, Any], own: Sequence[str]) -> int:
    return _members(list(value), own) + sum(oddness(one, own) for one in value.values())


_LOOK: Mapping[type, Callable[[Any, Sequence[str]], int]] = {
    str: _text,
    bytes: _bytes,
    int: _int,
    float: _float,
    list: _members,
    set: _members,
    frozenset: _members,
    tuple: _tuple,
    dict: _dict,
}


# Plainer values


def plainer(value: Any, rng: Random) -> Any:
    """A value of the same type that has lost something, or has something plain in a part's place."""
    make = _MAKE.get(type(value))
    return value if make is None else make(value, rng)


def _plainer_text(value: str, rng: Random) -> str:
    tokens = _TOKEN.findall(value)
    if not tokens:
        return rng.choice(WORDS)
    place = rng.randrange(len(tokens))
    if rng.random() < 0.5:
        del tokens[place : place + rng.choice((1, 1, 2, 3))]
    else:
        words = [place for place, one in enumerate(tokens) if one.isalnum()]
        place = rng.choice(words) if words else place
        tokens[place] = str(rng.choice(_NUMBERS)) if tokens[place].isdigit() else rng.choice(WORDS)
    return "".join(tokens)


def _plainer_bytes(value: bytes, rng: Random) -> bytes:
    return _plainer_text(value.decode("latin-1"), rng).encode("latin-1")


def _plainer_int(value: int, rng: Random) -> int:
    size = abs(value)
    near = rng.choice([one for one in _NUMBERS if one <= size])
    round_ = size - size % 10 ** (len(str(size)) - 1)
    return rng.choice((near, near, size, size // 10, round_))


def _plainer_float(value: float, rng: Random) -> float:
    return rng.choice((float(round(value)), round(2 * value) / 2, float(_plainer_int(int(value), rng))))


def _plainer_list(value: list[Any], rng: Random) -> list[Any]:
    found = list(value)
    if not found:
        return found
    place = rng.randrange(len(found))
    if rng.random() < 0.4:
        del found[place]
    else:
        found[place] = plainer(found[place], rng)
    return found


def _plainer_tuple(value: tuple[Any, ...], rng: Random) -> tuple[Any, ...]:
    place = rng.randrange(len(value)) if value else 0
    return tuple(plainer(one, rng) if number == place else one for number, one in enumerate(value))


def _plainer_dict(value: dict[Any, Any], rng: Random) -> dict[Any, Any]:
    if not value:
        return {}
    key = rng.choice(list(value))
    if rng.random() < 0.4:
        return {name: one for name, one in value.items() if name != key}
    if rng.random() < 0.5 and type(key) is str:
        return {plainer(name, rng) if name == key else name: one for name, one in value.items()}
    return value | {key: plainer(value[key], rng)}


_MAKE: Mapping[type, Callable[[Any, Random], Any]] = {
    str: _plainer_text,
    bytes: _plainer_bytes,
    int: _plainer_int,
    float: _plainer_float,
    list: _plainer_list,
    tuple: _plainer_tuple,
    dict: _plainer_dict,
}
