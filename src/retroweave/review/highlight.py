"""Code coloured on the server: runs of text, each of one of five kinds, and no markup.

It is here because the page may hold no script of others and no inline style: a run's kind is a class, and its text is
escaped like any other. Only languages on a short list are read, and no more than a few pages of them: a lexer is a heap
of regular expressions, and what they are given was written by a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

__all__ = ["CodeRun", "Fenced", "fences", "highlighted", "looks_like_python", "unfenced"]

Kind = Literal["", "word", "string", "number", "remark", "name"]

LANGUAGES = {
    "python": "python", "py": "python", "pycon": "pycon", "json": "json", "jsonl": "json", "yaml": "yaml",
    "toml": "toml", "sh": "bash", "bash": "bash", "console": "console", "sql": "sql", "javascript": "javascript",
    "js": "javascript", "typescript": "typescript", "c": "c", "cpp": "cpp", "rust": "rust", "go": "go",
    "java": "java", "html": "html", "xml": "xml", "css": "css", "lisp": "common-lisp", "scheme": "scheme",
    "smt2": "common-lisp",
}  # fmt: skip
"""What stands after a fence, and the lexer that reads it."""
_LONGEST = 20_000
_FENCE = re.compile(r"^(`{3,}|~{3,})([\w+-]{1,20})[ \t]*\n(.*?)^\1[ \t]*$\n?", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(
    r"\s*(?:#[^\n]*\n\s*|\"\"\"|@\w+[^\n]*\n\s*)*(?:(?:async )?def \w+\(|class \w+[:(]|import \w|from [\w.]+ import )"
)
_UNFENCED = re.compile(
    r"^(?:(?:@\w|import \w|from [\w.]+ import )[^\n]*\n{1,3}){0,20}"
    r"(?:(?:async )?def \w+\(|class \w+[:(])[^\n]*\n(?=[ \t])"
    r"(?:(?:[ \t)\]}@]|(?:async )?def \w+\(|class \w+[:(]|from [\w.]+ import |assert |[A-Z_]+ = )[^\n]*\n?|\n)*",
    re.MULTILINE,
)
"""A function or a class at the margin, with what is indented below it and more of the kind."""


@dataclass(frozen=True, slots=True)
class CodeRun:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """A stretch of text: code of a language, or prose where there is none."""

    language: str
    text: str


def fences(text: str) -> Iterator[Fenced]:
    """Prose and fenced code in turn. A fence that names no language may hold prose, and is left as it is."""
    at = 0
    for found in _FENCE.finditer(text):
        if found[2].lower() in LANGUAGES:
            if found.start() > at:
                yield Fenced("", text[at : found.start()])
            yield Fenced(found[2].lower(), found[3])
            at = found.end()
    if at < len(text):
        yield Fenced("", text[at:])


def unfenced(text: str) -> Iterator[Fenced]:
    """Prose, and the functions and classes of Python that stand in it, in turn."""
    at = 0
    for found in _UNFENCED.finditer(text):
        if found.start() > at:
            yield Fenced("", text[at : found.start()])
        yield Fenced("python", found[0])
        at = found.end()
    if at < len(text):
        yield Fenced("", text[at:])


def looks_like_python(text: str) -> bool:
    """Whether it begins as a module or a function does."""
    return _PYTHON.match(text[:2_000]) is not None


def highlighted(text: str, language: str) -> list[CodeRun]:
    """The text as runs, in order and complete; one plain run where the language is unknown or the text is long.

    Also where the lexer would not give the text back as it was, as some do that read the sessions of a shell.
    """
    name = LANGUAGES.get(language)
    if name is None or len(text) > _LONGEST:
        return [CodeRun("", text)]
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    tokens = [(_kind(token), value) for _, token, value in lexer.get_tokens_unprocessed(text)]
    if "".join(value for _, value in tokens) != text:
        return [CodeRun("", text)]
    return [CodeRun(kind, "".join(value for _, value in same)) for kind, same in groupby(tokens, lambda one: one[0])]


def _kind(token: Any) -> Kind:
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    kinds: tuple[tuple[Any, Kind], ...] = (
        (Comment, "remark"), (Keyword, "word"), (Operator.Word, "word"), (String, "string"), (Number, "number"),
        (Name.Function, "name"), (Name.Class, "name"), (Name.Decorator, "name"), (Name.Tag, "word"),
        (Name.Attribute, "name"), (Name.Builtin, "name"),
    )  # fmt: skip
    return next((kind for wide, kind in kinds if token in wide), "")
