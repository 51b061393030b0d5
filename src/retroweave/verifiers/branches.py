"""What a test suite must reach of a source: every statement of its functions, and both ways out of every condition.

The source is laid out anew for this, one statement a line, so that `if a: return b` counts as two and an expression
over three lines as one. What a call reached is then told by lines and the jumps between them. A loop's ways out are its
body and what comes after it. Inside of a line, in `a and b` or `x if a else b`, nothing is counted.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

from retroweave.pipeline.errors import Drop
from retroweave.pipeline.sandbox import Coverage, Outcome

__all__ = ["Branches", "Goal"]

Goal = tuple[int, str]
"""A line of the laid-out text and `runs`, or, of a condition, `in` or `out`."""

_END = -1
_CANNOT_BE_LAID_OUT = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Branches:
    """A source laid out, and the goals in it."""

    text: str
    goals: frozenset[Goal]
    raises: dict[int, str]
    """Lines of `raise` statements, and the exception that each names."""
    _bodies: dict[int, int]
    """Lines of conditions, and of the first statement where they hold."""

    @classmethod
    def of(cls, code: str) -> Branches:
        """Raises `Drop` for a source that does not compile or cannot be laid out."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                text = ast.unparse(ast.parse(code)) + "\n"
                tree = ast.parse(text)
                compiled = compile(text, "<source>", "exec", dont_inherit=True)
        except _CANNOT_BE_LAID_OUT as error:
            raise Drop("the source cannot be laid out") from error
        inside = [statement for node in ast.walk(tree) for statement in _body(node)]
        running = {line for one in _functions(compiled) for _, _, line in one.co_lines() if line}
        bodies = {
            node.lineno: line
            for node in inside
            if isinstance(node, ast.If | ast.While | ast.For) and node.lineno in running and not _is_constant(node)
            if (line := _first(node.body, running))
        }
        lines = {(node.lineno, "runs") for node in inside if node.lineno in running}
        ways = {(line, way) for line in bodies for way in ("in", "out")}
        raises = {node.lineno: _named(node) for node in inside if isinstance(node, ast.Raise)}
        return cls(text, frozenset(lines | ways), raises, bodies)

    def reached(self, coverage: Coverage, outcome: Outcome) -> frozenset[Goal]:
        """The goals that one call reached."""
        returned = outcome.ended == "returned"
        ran = {(line, "runs") for line in coverage.lines}
        ways = {
            (start, "in" if end == self._bodies[start] else "out")
            for start, end in coverage.arcs
            # A condition that raises leaves its frame as one that is false on the last line does.
            if start in self._bodies and end != start and (end != _END or returned)
        }
        return frozenset(ran | ways) & self.goals

    def is_meant(self, outcome: Outcome) -> bool:
        """Whether an exception is one that the source itself raises by name, and not an accident."""
        return outcome.error != "" and self.raises.get(outcome.line) == outcome.error


def _body(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements in a function, and in the functions within it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (one for part in node.body for one in ast.walk(part) if isinstance(one, ast.stmt))


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _functions(constant)


def _is_constant(node: ast.If | ast.While | ast.For) -> bool:
    return not isinstance(node, ast.For) and isinstance(node.test, ast.Constant)


def _first(body: Sequence[ast.stmt], running: set[int]) -> int:
    """The line of the first statement that runs; a string or a `global` before it does not."""
    return next((node.lineno for node in body if node.lineno in running), 0)


def _named(node: ast.Raise) -> str:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return raised.id if isinstance(raised, ast.Name) else ""
