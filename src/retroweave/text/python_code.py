"""Python code in fewer words: without its docstrings, the examples in them, or its comments, and else untouched.

What is taken out is taken out by its place in the text, so that all that is left stands as its author wrote it. A
docstring that its block cannot do without stays. Nothing here runs code, or says what it does.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import groupby

__all__ = ["function_text", "top_functions", "without_comments", "without_docstrings", "without_examples"]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_EXAMPLE = re.compile(r"^[^\n#]*>>> ", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){3,}")


def without_docstrings(code: str) -> str:
    """Without the docstrings of functions and classes, where another statement stands beside them."""
    return _without(code, _documented(code))


def _without(code: str, documented: list[_Definition]) -> str:
    lines = code.splitlines(keepends=True)
    for node in reversed(documented):
        first, last = _lines_of_docstring(node)
        has_lines_of_its_own = not lines[first - 1][: node.body[0].col_offset].strip()
        if has_lines_of_its_own and len(node.body) > 1 and node.body[1].lineno > last:
            while last < len(lines) and not lines[last].strip():
                last += 1
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "".join(lines)


def without_examples(code: str) -> str:
    """Without what a doctest would run in docstrings, and without the sentences that only lead up to it.

    A docstring that begins or ends with an example, on the line of its quotes, goes as a whole; so does one of which
    nothing is left.
    """
    lines = code.splitlines(keepends=True)
    for node in _documented(code):
        for number in _example_lines(lines, *_lines_of_docstring(node)):
            lines[number] = ""
    left = "".join(lines)
    if _EXAMPLE.search(left):
        return without_docstrings(left)
    return _without(left, [node for node in _documented(left) if not (ast.get_docstring(node) or "").strip()])


def _example_lines(lines: list[str], first: int, last: int) -> Iterator[int]:
    """Indices of lines inside a docstring; its first and its last line, which hold the quotes, stay."""
    before: list[int] = []
    for blank, group in groupby(range(first, last - 1), key=lambda number: not lines[number].strip()):
        paragraph = list(group)
        if blank:
            continue
        if any(_EXAMPLE.match(lines[number]) for number in paragraph):
            if before and lines[before[-1]].rstrip().endswith(":"):
                yield from range(before[0], paragraph[0])
            yield from paragraph
            if paragraph[-1] + 1 < last - 1:
                yield paragraph[-1] + 1
        before = paragraph


def without_comments(code: str) -> str:
    """Without comments, and without the lines that held nothing else."""
    lines = code.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            line = lines[row - 1]
            before, end = line[:column].rstrip(), line[len(line.rstrip("\r\n")) :]
            lines[row - 1] = before + end if before else ""
    return _BLANK_LINES.sub("\n\n\n", "".join(lines)).lstrip("\n")


def top_functions(code: str) -> dict[str, tuple[int, int]]:
    """The functions at the top level, each with its first and last line, decorators among them."""
    return {
        node.name: (min([node.lineno, *(one.lineno for one in node.decorator_list)]), node.end_lineno or node.lineno)
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def function_text(code: str, lines: tuple[int, int]) -> str:
    """The lines of a function."""
    return "".join(code.splitlines(keepends=True)[lines[0] - 1 : lines[1]])


def _documented(code: str) -> list[_Definition]:
    """The functions and classes that have a docstring."""
    nodes = (node for node in ast.walk(ast.parse(code)) if isinstance(node, _Definition))
    return [node for node in nodes if ast.get_docstring(node, clean=False) is not None]


def _lines_of_docstring(node: _Definition) -> tuple[int, int]:
    docstring = node.body[0]
    return docstring.lineno, docstring.end_lineno or docstring.lineno
