"""What a code would have to be guessed from: its literals that stand nowhere in what was said before it.

Where somebody asks for a function by its head, a sentence and examples, its shape can be worked out, and a coefficient
or a table cannot. A model trained on such an answer learns to make numbers up. What an exception says is left out, for
no test looks at it; so are marks between words, what is only a name for a group or a place, and what everybody knows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

__all__ = ["guessed"]

_SMALL = 12
"""Whole numbers up to it are counted with, not looked up."""
_FAMILIAR = frozenset(
    {
        *(2**power for power in range(17)),
        *(2**power - 1 for power in range(5, 17)),
        *(10**power for power in range(2, 10)),
        *(24, 30, 31, 36, 59, 60, 80, 90, 180, 360, 365, 366, 400, 1440, 1900, 1970, 2000, 3600, 86400),
    }
)
_HALVES = frozenset({0.5, 1.5, 0.25, 0.1})
_WORD = re.compile(r"[^\W\d_]{3,}")
_KNOWN_WORDS = frozenset({"abcdef", "amp", "ascii", "iso", "latin", "none", "quot", "replace", "strict", "utf"})
"""Of texts: entities and encodings."""
_PLACE = re.compile(r"\(\?P[<=]\w+[>)]|%(?:\(\w+\))?[-#0-9.*]*[a-zA-Z]|\{[^{}]*\}|\\[a-zA-Z]")
"""A named group of a pattern, a place that is filled in, an escape."""
_TABLE = 10
"""A text with so many different marks or character codes lists what nobody knows by heart."""
_CODE = re.compile(r"\\x[0-9a-fA-F]{2}|[^\w\s]|[\x00-\x1f]")


def guessed(code: str, said: str) -> list[str]:
    """The literals of a code that parses which stand nowhere in `said`, as source."""
    numbers = set(re.findall(r"\d+(?:\.\d+)?", said))
    found = (one for one in _literals(ast.parse(code)) if not _is_known(one.value, said, numbers))
    return list(dict.fromkeys(repr(one.value) for one in found if not _is_quoted(one, code, said)))


def _literals(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Constant):
        yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Raise):
            yield from _literals(child)


def _is_quoted(literal: ast.Constant, code: str, said: str) -> bool:
    """Whether it was said as it is written: a raw text, an octal number."""
    written = ast.get_source_segment(code, literal)
    return written is not None and re.search(rf"(?<![\w.]){re.escape(written)}(?![\w.])", said) is not None


def _is_known(literal: object, said: str, numbers: set[str]) -> bool:
    if literal is None or literal is ... or isinstance(literal, bool):
        return True
    if isinstance(literal, int):
        return literal <= _SMALL or literal in _FAMILIAR or str(literal) in numbers or hex(literal) in said
    if isinstance(literal, float):
        whole = literal.is_integer() and _is_known(int(literal), said, numbers)
        return whole or literal in _HALVES or repr(literal) in said
    if isinstance(literal, bytes):
        return _is_known_text(repr(literal)[2:-1], said)
    return not isinstance(literal, str) or _is_known_text(literal, said)


def _is_known_text(text: str, said: str) -> bool:
    if text in said or repr(text)[1:-1] in said:
        return True
    spoken = said.lower()
    left = _PLACE.sub(" ", text)
    words = {word.lower() for word in _WORD.findall(left)}
    return len(set(_CODE.findall(text))) < _TABLE and all(word in _KNOWN_WORDS or word in spoken for word in words)
