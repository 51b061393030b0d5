"""Python files as their authors left them: found below a folder, decoded, parsed, and never imported or run.

People's folders hold files of other Python versions, other encodings and other trades, so what cannot be read is
counted by a short reason and left; it stops nothing. This does not look at what the code does.
"""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LARGEST", "Parsed", "Unreadable", "names_below", "parse", "read_python"]

LARGEST = 1024 * 1024
"""Bytes. A larger file is a table that a program wrote, or an attack on the parser."""

_PYTHON_2_ERROR = re.compile(r"Missing parentheses in call to|multiple exception types must be|leading zeros in dec")
_PYTHON_2_CODE = re.compile(
    r"^\s*(print\s+[\"'%\w]|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.]+\s*,\s*\w+\s*:)|[^\w\"']ur[\"']|<>|`\w+`",
    re.MULTILINE,
)


class Unreadable(Exception):
    """A file that is not read; the message is a short reason that can be counted."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's text, with line feeds for line ends, and its tree."""

    text: str
    tree: ast.Module


def read_python(path: Path) -> Parsed:
    """A file decoded as Python itself would and parsed. Raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable("cannot be opened") from error
    if len(data) > LARGEST:
        raise Unreadable("larger than 1 MiB")
    text = _decoded(data)
    return Parsed(text, parse(text))


def parse(text: str) -> ast.Module:
    """The tree of a source text. Raises `Unreadable`."""
    if "\0" in text:
        raise Unreadable("no text")
    try:
        with _quiet():
            return ast.parse(text)
    except SyntaxError as error:
        is_python_2 = _PYTHON_2_ERROR.search(error.msg) or _PYTHON_2_CODE.search(error.text or "")
        raise Unreadable("Python 2" if is_python_2 else "syntax") from error
    except (RecursionError, MemoryError) as error:  # the parser says either where brackets go too deep
        raise Unreadable("nested too deeply") from error
    except ValueError as error:  # lone surrogates that a strange codec let through
        raise Unreadable("no text") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """What the parser warns of, such as an escape that is none, is for the code's author."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decoded(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, LookupError, ValueError) as error:  # SyntaxError: the cookie and the bytes do not agree
        raise Unreadable("encoding") from error
    return re.sub(r"\r\n?", "\n", text)


def names_below(root: Path, *, without: Collection[str] = ()) -> list[str]:
    """The .py files below a folder by their paths in it, in order; hidden folders and those named are left out."""
    names: list[str] = []
    for folder, folders, files in os.walk(root, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in without]
        paths = (Path(folder, name) for name in files if name.endswith(".py") and not name.startswith("."))
        names += [path.relative_to(root).as_posix() for path in paths if path.is_file()]
    return sorted(names)


def _raise(error: OSError) -> None:
    raise error
