"""What a source says before it runs: its functions, its constants and imports, its literals and regular expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from retroweave.verifiers.kinds import Literals

__all__ = ["ABSENT", "Reader", "last_name", "literal"]

ABSENT = object()
"""What is no literal."""
_LONGEST_LITERAL = 60
_LONGEST_PATTERN = 2_000


class Reader:
    """A source: its functions, and the constants of its module that are literals."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def constants(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = literal(node.value)
                if value is not ABSENT:
                    found[node.targets[0].id] = value
        return found

    @cached_property
    def literals(self) -> Literals:
        """The literals of the source, without docstrings and messages, each once and in order."""
        no_inputs = {id(value) for node in ast.walk(self.tree) for value in _no_inputs(node)}
        found: dict[type, list[Any]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and id(node) not in no_inputs:
                _keep(node.value, found)
            elif isinstance(node, ast.BinOp):
                _keep(_folded(node), found)
        patterns = tuple(dict.fromkeys(self._patterns()))
        # A pattern is not what a function that uses it is given, but what it matches is.
        found[str] = [value for value in found.get(str, ()) if value not in patterns]
        for value in found[str]:
            _keep(value.encode("utf-8", "replace"), found)
        return Literals(found, patterns)

    def _patterns(self) -> Iterator[str]:
        """The regular expressions of the source: what functions of `re` are given first."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and node.args and self._module_of(node.func) == "re":
                first = node.args[0]
                value = self.constants.get(first.id) if isinstance(first, ast.Name) else literal(first)
                if isinstance(value, str | bytes) and len(value) <= _LONGEST_PATTERN:
                    yield value if isinstance(value, str) else value.decode("latin-1")

    @cached_property
    def imports(self) -> dict[str, str]:
        """Names that are imported, and the module that each is or comes from."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {alias.asname or alias.name: node.module or "" for alias in node.names}
        return found

    def _module_of(self, function: ast.expr) -> str:
        name = function.value if isinstance(function, ast.Attribute) else function
        return self.imports.get(name.id, "") if isinstance(name, ast.Name) else ""


def _no_inputs(node: ast.AST) -> Iterator[ast.AST]:
    """Literals that say something to people: docstrings, and what is in a `raise`."""
    if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value
    elif isinstance(node, ast.Raise | ast.Assert):
        yield from (one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _keep(value: Any, found: dict[type, list[Any]]) -> None:
    kind = type(value)
    if kind is bool or (kind in (str, bytes) and not 0 < len(value) <= _LONGEST_LITERAL):
        return
    if kind is int and abs(value) >= 2**65:
        return
    values = found.setdefault(kind, [])
    if value not in values:
        values.append(value)


def literal(node: ast.AST) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ABSENT


def _folded(node: ast.BinOp) -> Any:
    """What an expression such as `1 << 32` or `24 * 60` comes to; None for others."""
    left, right = literal(node.left), literal(node.right)
    if type(left) is not int or type(right) is not int or not (0 <= right <= 128 and abs(left) <= 2**32):
        return None
    fold = _FOLD.get(type(node.op))
    return None if fold is None else fold(left, right)


_FOLD: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
    ast.Add: operator.add,
}


def last_name(node: ast.expr) -> str:
    node = node.value if isinstance(node, ast.Subscript) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
