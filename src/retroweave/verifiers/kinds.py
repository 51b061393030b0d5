"""Kinds of plain values, and values of them that a person could have thought of: drawn, changed, related to others.

Small numbers, words, short lists. A function's own literals are drawn often, since that is what its conditions ask for.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from retroweave.verifiers.matching import example
from retroweave.verifiers.oddness import WORDS

__all__ = ["ANY", "Kind", "Literals", "changed", "drawn", "fits", "related"]

_LINES = ("one\ntwo\n", "  one\n  two", "a\n\nb", "\tx\n\ty\n", "  a\n    b\n  c\n", "first line\r\nsecond line", "x\n")
_FOREIGN = ("café", "naïve", "日本", "straße", "Ünï", "–")
_INTS = (0, 1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 25, 42, 64, 99, 100, 255, 1000, -1, -2, -5, -10)
_FLOATS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.25, 10.0, 0.1, 100.0, -1.0, -0.5, -2.5)
_LARGEST = 100_000
"""An exponent or a number of repetitions much beyond it takes a processor minutes."""
_LARGEST_SET = 4
"""A larger one is gone through in an order that hangs on how it grew, and a literal does not grow."""
_SEPARATORS = (" ", " ", " ", ",", ", ", "-", "_", ".", "/", ":", "\n", ";", "=", "")
_FLAVOURS: Mapping[str, tuple[str, ...]] = {
    "path": (
        "a/b/c.txt",
        "/usr/lib",
        "notes.md",
        "src/main.py",
        "../up",
        "/",
        "dir/",
        "archive.tar.gz",
        "C:\\x\\y.txt",
    ),
    "url": ("http://example.org/a", "https://example.org:8080/a/b?x=1&y=2#top", "example.org", "ftp://example.org"),
    "base64": ("aGVsbG8=", "YQ==", "AAAA", "d29ybGQ", "not base64!"),
    "hex": ("00ff", "deadbeef", "7f", "xyz", "0"),
    "ip": ("127.0.0.1", "::1", "fe80::1", "10.0.0.0/8", "256.1.1.1", "192.168.0.1:80", "[::1]"),
    "encoding": ("utf-8", "ascii", "latin-1", "utf-16", "UTF_8", "bogus"),
    "errors": ("strict", "ignore", "replace", "backslashreplace"),
    "date": ("2024-01-31", "2023-12-01", "1999-02-28", "2024-02-29", "12:30", "23:59:59", "2024-01-31T12:30:00"),
    "number": ("0", "1", "12", "-3", "3.14", "007", "1e3", "1,000", "0x1f", "101", "12a", "20240131", "235959"),
    "version": ("1.0", "1.2.3", "2.10.0", "0.9", "1.0rc1", "3", "v1.2", "1.0.dev1"),
    "code": ("x = 1", "def f(a): return a", "if x:\n    pass", "a + b * c", "(1 + 2)", "f(x, y)", "# note", "'text'"),
    "html": ("<p>Hello</p>", "<a href='x'>y</a>", "a & b", "&lt;b&gt;", "<br/>", '<img src="a.png">'),
    "pattern": ("a*b", "[abc]", "*.py", "a.c", "x?", "(a|b)", "^a$"),
    "format": ("%d", "%s and %s", "{}", "{0} {1}", "%Y-%m-%d", "i", "2h", "%5.2f"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of plain values."""

    name: str
    """A type's name, or `choice` for one of `values`."""
    of: tuple[Kind, ...] = ()
    """Of a list or set the kinds of members, of a tuple those of each place, of a dict those of its values."""
    values: tuple[Any, ...] = ()
    """Of a choice its values, of a dict keys that it is asked for."""
    flavour: str = ""
    """What a string or an int is about: a path, a character, an index."""


ANY = (Kind("int"), Kind("str"), Kind("list", (Kind("int"),)), Kind("list", (Kind("str"),)))


@dataclass(frozen=True)
class Literals:
    """The literals that stand in a source, by type."""

    of: Mapping[type, Sequence[Any]] = field(default_factory=dict)
    patterns: Sequence[str] = ()
    """The regular expressions among them."""

    def __getitem__(self, kind: type) -> Sequence[Any]:
        return self.of.get(kind, ())

    def one(self, kind: type, rng: Random, chance: float) -> Any:
        """One of a type by this chance; None otherwise."""
        found = self[kind]
        return rng.choice(found) if found and rng.random() < chance else None


def drawn(kind: Kind, rng: Random, literals: Literals) -> Any:
    """A value of a kind."""
    return _DRAW[kind.name](kind, rng, literals)


def _none(kind: Kind, rng: Random, literals: Literals) -> None:
    return None


def _bool(kind: Kind, rng: Random, literals: Literals) -> bool:
    return rng.random() < 0.5


def _choice(kind: Kind, rng: Random, literals: Literals) -> Any:
    return rng.choice(kind.values)


def _int(kind: Kind, rng: Random, literals: Literals) -> int:
    if kind.flavour == "index":
        return rng.randint(-1, 5)
    found = literals.one(int, rng, 0.3)
    if found is not None:
        return int(found) + rng.choice((0, 0, 0, 1, -1))
    if rng.random() < 0.6:
        return rng.choice(_INTS)
    return rng.randint(0, rng.choice((10, 30, 100, 1000, 10_000)))


def _float(kind: Kind, rng: Random, literals: Literals) -> float:
    found = literals.one(float, rng, 0.3)
    if found is not None:
        return float(found)
    return rng.choice(_FLOATS) if rng.random() < 0.6 else round(rng.uniform(-10, 100), rng.choice((0, 1, 2)))


def _complex(kind: Kind, rng: Random, literals: Literals) -> complex:
    return complex(rng.choice((0, 1, 2, -1, 3)), rng.choice((1, 2, -1, 3)))


def _str(kind: Kind, rng: Random, literals: Literals) -> str:
    return _STRINGS.get(kind.flavour, _text)(kind, rng, literals)


def _text(kind: Kind, rng: Random, literals: Literals) -> str:
    way = rng.random()
    if way < 0.04:
        return ""
    if kind.flavour in _FLAVOURS and way < 0.5:
        return rng.choice(_FLAVOURS[kind.flavour])
    if literals.patterns and way < 0.35:
        return _matching(rng, literals)
    if literals[str] and way < 0.65:
        return _composed(rng, literals)
    if way < 0.72:
        return rng.choice(_FLAVOURS["number"][:5] if rng.random() < 0.7 else _FLAVOURS["number"])
    if way < 0.77:
        return rng.choice(_LINES if way < 0.75 else _FOREIGN)
    if way < 0.79:
        return "".join(rng.choice(string.ascii_letters + string.digits + " _-.") for _ in range(rng.randint(1, 8)))
    return rng.choice(_SEPARATORS).join(rng.choice(WORDS) for _ in range(rng.choice((1, 1, 2, 3, 4))))


def _composed(rng: Random, literals: Literals) -> str:
    """The source's own strings, alone or with words between them."""
    pieces = [str(rng.choice(literals[str])) for _ in range(rng.choice((1, 1, 2, 3)))]
    words = [rng.choice((*WORDS, *_FLAVOURS["number"][:4], "", "")) for _ in range(len(pieces) + 1)]
    if rng.random() < 0.3:
        return "".join(pieces)
    return words[0] + "".join(piece + word for piece, word in zip(pieces, words[1:], strict=True))


def _matching(rng: Random, literals: Literals) -> str:
    """What the source's regular expressions match, alone or among other words."""
    pieces = [example(rng.choice(literals.patterns), rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    between = rng.choice(("", "", " ", rng.choice(_SEPARATORS)))
    if rng.random() < 0.3:
        pieces.insert(rng.randint(0, len(pieces)), rng.choice(WORDS))
    return between.join(pieces)[:100]


def _character(kind: Kind, rng: Random, literals: Literals) -> str:
    found = [one for one in literals[str] if len(one) == 1]
    if found and rng.random() < 0.5:
        return str(rng.choice(found))
    code = literals.one(int, rng, 0.4)
    if code is not None and 0 < code + 1 < 0xD800:
        return chr(code + rng.choice((0, 1)))
    return rng.choice("abcxyzABZ019 .,-_/:#\"'\n\té")


def _word(kind: Kind, rng: Random, literals: Literals) -> str:
    found = literals.one(str, rng, 0.4)
    return str(found) if found is not None else rng.choice(WORDS)


_STRINGS: dict[str, Callable[[Kind, Random, Literals], str]] = {"character": _character, "word": _word}


def _bytes(kind: Kind, rng: Random, literals: Literals) -> bytes:
    way = rng.random()
    if literals[bytes] and way < 0.45:
        pieces = [bytes(rng.choice(literals[bytes])) for _ in range(rng.choice((1, 1, 2, 3)))]
        return b"".join(pieces) + (rng.choice(WORDS).encode() if way < 0.15 else b"")
    if way < 0.7:
        return bytes(rng.choice((0, 1, 255, rng.randrange(256))) for _ in range(rng.choice((1, 2, 3, 4, 5, 8))))
    return _text(kind, rng, literals).encode()


def _member(kind: Kind, rng: Random, literals: Literals) -> Any:
    return drawn(rng.choice(kind.of or ANY[:2]), rng, literals)


def _members(kind: Kind, rng: Random, literals: Literals) -> list[Any]:
    """A few members, mostly of one kind."""
    kinds = kind.of or ANY[:2]
    one = rng.choice(kinds)
    mixed = rng.random() < 0.1
    return [
        drawn(rng.choice(kinds) if mixed else one, rng, literals) for _ in range(rng.choice((0, 1, 2, 3, 3, 4, 5, 6)))
    ]


def _list(kind: Kind, rng: Random, literals: Literals) -> list[Any]:
    found = _members(kind, rng, literals)
    if found and rng.random() < 0.3:  # equal ones and neighbours are what many conditions are about
        found.insert(rng.randrange(len(found)), rng.choice(found))
    if rng.random() < 0.2 and len({type(one) for one in found}) == 1 and type(found[0]) in (int, str, float):
        found.sort()
    return found


def _tuple(kind: Kind, rng: Random, literals: Literals) -> tuple[Any, ...]:
    if kind.flavour == "many":
        return tuple(_members(kind, rng, literals))
    return tuple(drawn(one, rng, literals) for one in kind.of)


def _set(kind: Kind, rng: Random, literals: Literals) -> set[Any]:
    return _small({one for one in _members(kind, rng, literals) if _is_hashable(one)})


def _small(values: set[Any]) -> set[Any]:
    return set(sorted(values, key=repr)[:_LARGEST_SET])


def _frozenset(kind: Kind, rng: Random, literals: Literals) -> frozenset[Any]:
    return frozenset(_set(kind, rng, literals))


def _dict(kind: Kind, rng: Random, literals: Literals) -> dict[Any, Any]:
    known = [key for key in kind.values if rng.random() < 0.7]
    more = rng.choice((0, 0, 1) if kind.values else (0, 1, 2, 3))
    words = [_word(kind, rng, literals) if rng.random() < 0.9 else rng.randint(0, 9) for _ in range(more)]
    return {key: _member(kind, rng, literals) for key in (*known, *words)}


_DRAW: dict[str, Callable[[Kind, Random, Literals], Any]] = {
    "none": _none,
    "bool": _bool,
    "choice": _choice,
    "int": _int,
    "float": _float,
    "complex": _complex,
    "str": _str,
    "bytes": _bytes,
    "list": _list,
    "tuple": _tuple,
    "set": _set,
    "frozenset": _frozenset,
    "dict": _dict,
}


def _is_hashable(value: Any) -> bool:
    if type(value) is tuple:
        return all(_is_hashable(one) for one in value)
    return type(value) not in (list, dict, set)


def fits(value: Any, kind: Kind) -> bool:
    """Whether a value is of a kind, as far as its own type goes."""
    if kind.name == "choice":
        return any(type(one) is type(value) and one == value for one in kind.values)
    return type(value).__name__ == ("NoneType" if kind.name == "none" else kind.name)


def related(kind: Kind, others: Sequence[Any], rng: Random, literals: Literals) -> Any:
    """A value that has to do with another argument: a part of it, its length, a key of it; None where there is none."""
    other = rng.choice(others)
    size = len(other) if type(other) in (str, bytes, list, tuple, dict, set) else 0
    if kind.name == "int" and size:
        return rng.choice((size, size - 1, size + 1, size // 2))
    if kind.name == type(other).__name__ and kind.name in ("int", "float"):
        return other + rng.choice((0, 1, -1))
    if kind.name == "str" and type(other) is str and rng.random() < 0.4:
        around = [literals.one(str, rng, 0.6) or rng.choice(("", "", *WORDS)) for _ in range(2)]
        return f"{around[0]}{other}{around[1]}"
    if kind.name == type(other).__name__ and kind.name in ("str", "bytes", "list") and size:
        start = rng.randrange(size)
        return other[start : rng.randint(start, size)] if rng.random() < 0.6 else other
    members = (
        sorted(other, key=repr) if type(other) is set else list(other) if type(other) in (list, tuple, dict) else []
    )
    found = [one for one in members if fits(one, kind)]
    return rng.choice(found) if found else None


def changed(value: Any, rng: Random, literals: Literals) -> Any:
    """A value near another one, mostly of its type."""
    change = _CHANGE.get(type(value))
    return change(value, rng, literals) if change else value


def _change_bool(value: bool, rng: Random, literals: Literals) -> bool:
    return not value


def _change_int(value: int, rng: Random, literals: Literals) -> int:
    found = literals.one(int, rng, 0.25)
    if found is not None:
        return int(found)
    near = rng.choice((value + 1, value - 1, value * 2, value // 2, -value, 0, value + 10, value * 10))
    return near if abs(near) <= _LARGEST else value % 100


def _change_float(value: float, rng: Random, literals: Literals) -> float:
    return float(rng.choice((value + 1, value - 1, value * 2, value / 2, -value, 0.0, round(value))))


def _change_str(value: str, rng: Random, literals: Literals) -> str:
    start = rng.randint(0, len(value))
    end = min(len(value), start + rng.randint(0, 3))
    ways: list[Callable[[], str]] = [
        lambda: value[:start] + (literals.one(str, rng, 0.8) or rng.choice(WORDS)) + value[start:],
        lambda: value[:start] + (literals.one(str, rng, 0.8) or rng.choice(_SEPARATORS)) + value[end:],
        lambda: value[:start] + value[end:],
        lambda: value[:start] + value[start:end] * 2 + value[end:],
        lambda: value + rng.choice(string.punctuation + string.digits + " \n"),
        lambda: rng.choice(string.punctuation + string.digits + " aZ\n") + value,
        lambda: rng.choice((value.upper(), value.lower(), value[::-1], value.strip(), value * 2)),
        lambda: value[:start] + rng.choice(_FLAVOURS["number"]) + value[start:],
    ]
    return rng.choice(ways)()[:120]


def _change_bytes(value: bytes, rng: Random, literals: Literals) -> bytes:
    start = rng.randint(0, len(value))
    piece = literals.one(bytes, rng, 0.5) or bytes([rng.randrange(256)])
    return rng.choice((value[:start] + piece + value[start:], value[:start] + value[start + 1 :], value + piece))[:120]


def _change_list(value: list[Any], rng: Random, literals: Literals) -> list[Any]:
    found = list(value)
    way = rng.random()
    if not found or way < 0.2:
        found.append(changed(rng.choice(found), rng, literals) if found else drawn(rng.choice(ANY[:2]), rng, literals))
    elif way < 0.4:
        del found[rng.randrange(len(found))]
    elif way < 0.75:
        place = rng.randrange(len(found))
        found[place] = changed(found[place], rng, literals)
    elif way < 0.85:
        found.insert(rng.randrange(len(found)), rng.choice(found))
    else:
        rng.shuffle(found)
    return found[:12]


def _change_tuple(value: tuple[Any, ...], rng: Random, literals: Literals) -> tuple[Any, ...]:
    if not value:
        return value
    place = rng.randrange(len(value))
    return (*value[:place], changed(value[place], rng, literals), *value[place + 1 :])


def _change_set(value: set[Any], rng: Random, literals: Literals) -> set[Any]:
    return _small({one for one in _change_list(sorted(value, key=repr), rng, literals) if _is_hashable(one)})


def _change_dict(value: dict[Any, Any], rng: Random, literals: Literals) -> dict[Any, Any]:
    found = dict(value)
    way = rng.random()
    if not found or way < 0.25:
        like = rng.choice(list(found.values())) if found else rng.choice((1, "apple"))
        found[literals.one(str, rng, 0.7) or rng.choice(WORDS)] = changed(like, rng, literals)
    elif way < 0.5:
        del found[rng.choice(list(found))]
    else:
        key = rng.choice(list(found))
        found[key] = changed(found[key], rng, literals)
    return found


_CHANGE: dict[type, Callable[[Any, Random, Literals], Any]] = {
    bool: _change_bool,
    int: _change_int,
    float: _change_float,
    str: _change_str,
    bytes: _change_bytes,
    list: _change_list,
    tuple: _change_tuple,
    set: _change_set,
    dict: _change_dict,
}
