"""Hashes of code and of docstrings by what stays the same when somebody copies a function and makes it his own.

Code loses its names, annotations, comments, docstrings and layout; what is left is its structure, its constants, and
the names of what it did not define itself. Docstrings lose capitals, examples and the words that say nothing, and are
taken as runs of three words, so that a sentence more or a word less leaves most of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from retroweave.pipeline.row import digest

__all__ = ["code_hashes", "docstring_hashes"]

LEAST_NODES = 16
"""Nodes of the syntax tree. A function of fewer (`return a + b`) is nobody's own."""
LEAST_WORDS = 4
"""A docstring of fewer words that say something is nobody's own: `return the absolute value`."""
TOGETHER = 3
_SAYS_NOTHING = frozenset(
    {
        *(
            "a",
            "an",
            "and",
            "are",
            "as",
            "at",
            "be",
            "by",
            "for",
            "from",
            "function",
            "given",
            "has",
            "have",
            "if",
            "in",
        ),
        *("input", "into", "is", "it", "its", "must", "of", "on", "or", "output", "python", "return", "returned"),
        *(
            "returning",
            "returns",
            "should",
            "so",
            "such",
            "takes",
            "that",
            "the",
            "their",
            "then",
            "there",
            "this",
            "to",
        ),
        *("was", "which", "will", "with", "write", "you", "your"),
    }
)
_WORD = re.compile(r"([^\W_]+)(?:['’][^\W_]+)?")
_NO_CODE = frozenset({"type_comment", "type_params", "kind"})
_EXAMPLE = re.compile(r"^[ \t]*>>>.*(?:\n[ \t]*\S.*)*", re.MULTILINE)


def code_hashes(code: str) -> list[str]:
    """One for each function at the top level of a source that parses, but for the very small."""
    tree = ast.parse(code)
    own = _own_names(tree)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [_hash(_Bare(own).visit(node)) for node in functions if sum(1 for _ in ast.walk(node)) >= LEAST_NODES]


def docstring_hashes(docstring: str) -> list[str]:
    """One for each run of three words that say something; none where there are too few."""
    words = _WORD.findall(_EXAMPLE.sub("", docstring).lower())
    telling = [word.removesuffix("s") for word in words if word not in _SAYS_NOTHING]
    if len(telling) < LEAST_WORDS:
        return []
    runs = (telling[start : start + TOGETHER] for start in range(len(telling) - TOGETHER + 1))
    return list(dict.fromkeys(digest(*run)[:6].hex() for run in runs))


def _hash(node: ast.AST) -> str:
    return digest(_written(node))[:8].hex()


def _written(value: object) -> str:
    """A tree as text, the same in every version of Python: `ast.dump` has changed, and trees have gained fields."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = [(name, one) for name, one in ast.iter_fields(value) if one not in (None, []) and name not in _NO_CODE]
    return f"{type(value).__name__}({', '.join(f'{name}={_written(one)}' for name, one in fields)})"


def _own_names(tree: ast.Module) -> frozenset[str]:
    """What the source itself binds, but for what it imports."""
    return frozenset(_bound(tree))


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler) and node.name:
            yield node.name


class _Bare(ast.NodeTransformer):
    """A function whose own names are numbered in the order in which they come, without what only speaks to readers."""

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        self._numbers: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._number(node.name)
        node.returns = None
        node.decorator_list = []
        # A string that stands by itself is a docstring or a comment.
        node.body = [one for one in node.body if not _is_remark(one)] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._number(node.arg))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit(ast.Assign([node.target], node.value))  # type: ignore[no-any-return]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._number(node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._number(node.name) if node.name else None
        return self.generic_visit(node)

    def _number(self, name: str) -> str:
        return self._numbers.setdefault(name, f"v{len(self._numbers)}") if name in self._own else name


def _is_remark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
