"""A module's names: what each is bound to at the top level, and which of them a function takes from there.

Read from the tree and from Python's own symbol table, so that a comprehension's variable, a parameter and a nested
function are told from a name of the module as the compiler would. Nothing is run.
"""

from __future__ import annotations

import ast
import symtable
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeGuard

from retroweave.sources.python_files import Parsed, Unreadable

__all__ = ["Binding", "Function", "Module", "dotted", "is_docstring"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LONGEST_COMMENT = 12
"""Lines right above a definition: a longer block is a licence, or the chapter's introduction."""


class Binding(NamedTuple):
    """How a name comes to be at the top level of a module."""

    node: ast.AST
    """A function, a class, an import, an assignment; any other statement that binds the name somehow inside."""
    alias: ast.alias | None = None
    """Of an import, the part that binds the name."""


@dataclass(frozen=True)
class Module:
    """A parsed file with its lines, and what its names mean."""

    text: str
    tree: ast.Module

    @classmethod
    def of(cls, parsed: Parsed) -> Module:
        return cls(parsed.text, parsed.tree)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def functions(self) -> list[Function]:
        """Those at the top level, in order."""
        return [node for node in self.tree.body if isinstance(node, Function)]

    @cached_property
    def function_count(self) -> int:
        """All of them, methods and nested ones too."""
        return sum(isinstance(node, Function) for node in ast.walk(self.tree))

    @cached_property
    def bindings(self) -> dict[str, list[Binding]]:
        found = defaultdict[str, list[Binding]](list)
        for statement in self.tree.body:
            for name, binding in _bound(statement):
                found[name].append(binding)
        return dict(found)

    @cached_property
    def has_star_import(self) -> bool:
        return "*" in self.bindings

    @cached_property
    def postpones_annotations(self) -> bool:
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.tree.body
        )

    @cached_property
    def filled_later(self) -> frozenset[str]:
        """Names whose values are changed by other statements at the top level: a table that a loop fills."""
        others = [node for node in self.tree.body if not isinstance(node, Function | ast.ClassDef)]
        return frozenset(name for node in others for name in changed_names(node))

    @cached_property
    def _tables(self) -> dict[tuple[str, int], symtable.SymbolTable]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = symtable.symtable(self.text, "<module>", "exec")
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            # The parser lets `return` outside of a function through, and the symbol table does not.
            raise Unreadable("syntax") from error
        return {(child.get_name(), child.get_lineno()): child for child in table.get_children()}

    def table(self, function: Function) -> symtable.Function:
        """The symbols of a function at the top level. Raises `Unreadable`."""
        # A decorated function's table begins with its first decorator.
        line = min((node.lineno for node in function.decorator_list), default=function.lineno)
        found = self._tables.get((function.name, function.lineno)) or self._tables[(function.name, line)]
        assert isinstance(found, symtable.Function)
        return found

    def globals_of(self, function: Function) -> set[str]:
        """The names that a function takes from its module or from the builtins; its annotations and defaults too."""
        outside = [*function.args.defaults, *(one for one in function.args.kw_defaults if one), *_annotations(function)]
        return _globals(self.table(function)) | {name for node in outside for name in names_in(node)}

    def is_alone(self, statement: ast.stmt) -> bool:
        """Whether no other statement stands on a statement's lines."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        others = (other for other in self.tree.body if other is not statement)
        return all((other.end_lineno or other.lineno) < first or other.lineno > last for other in others)

    def source(self, statement: ast.stmt) -> str:
        """The text of a statement at the top level, with the comment right above and comments that end its block."""
        if not self.is_alone(statement):
            return ast.get_source_segment(self.text, statement) or ""
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        return "\n".join(self.lines[self._with_comment(first) : self._with_rest(last)]).rstrip()

    def _with_comment(self, first: int) -> int:
        start = first
        while start and self.lines[start - 1].startswith("#"):
            start -= 1
        comment = "\n".join(self.lines[start:first]).lower()
        is_head = start == 0 or "copyright" in comment or "coding" in comment
        return first if is_head or first - start > _LONGEST_COMMENT else start

    def _with_rest(self, last: int) -> int:
        end = last
        for number in range(last, len(self.lines)):
            line = self.lines[number]
            if line[:1] in (" ", "\t") and line.lstrip().startswith("#"):
                end = number + 1
            elif line.strip():
                break
        return end


def is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def dotted(node: ast.expr) -> tuple[str, ...]:
    """The names of `a.b.c` from the left; empty where it does not begin with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def names_in(node: ast.AST) -> set[str]:
    """All names that are read in an expression. In a string annotation there are none that anybody looks up."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


_CHANGING = frozenset(
    {
        *("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "insert", "pop", "popitem"),
        *("intersection_update", "remove", "reverse", "setdefault", "sort", "symmetric_difference_update", "update"),
    }
)


def changed_names(node: ast.AST) -> Iterator[str]:
    """Names whose values are changed in place: by an item or attribute that is set, or by a method that does it."""
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript | ast.Attribute) and not isinstance(one.ctx, ast.Load):
            yield from _base(one)
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in _CHANGING:
            yield from _base(one.func)


def _base(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _bound(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    if isinstance(statement, Function | ast.ClassDef):
        yield statement.name, Binding(statement)
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0], Binding(statement, alias)
    elif _is_constant(statement):
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            assert isinstance(target, ast.Name)
            yield target.id, Binding(statement)
    else:
        yield from ((name, Binding(ast.Pass())) for name in _bound_inside(statement))


def _is_constant(statement: ast.stmt) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets)
    return isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and bool(statement.value)


def _bound_inside(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement binds that is no plain definition: in a branch, in a loop, by unpacking, by `del`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name


def _annotations(function: Function) -> Iterator[ast.expr]:
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    yield from (one.annotation for one in every if one is not None and one.annotation is not None)
    if function.returns is not None:
        yield function.returns


def _globals(table: symtable.SymbolTable) -> set[str]:
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return own.union(*(_globals(child) for child in table.get_children()))
