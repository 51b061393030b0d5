"""A Python function and its places: its nodes, tokens, comments, blocks and lines, all in characters of its text.

`ast` counts columns in UTF-8 bytes and leaves out parentheses and comments; `tokenize` knows these and no structure.
Here both are one, so that an edit can name the characters that it changes and leave all others as they are. What must
stay is known here too: comments, docstrings, decorators, annotations, all that is outside functions, and the inside of
f-strings, whose positions Python 3.11 gets wrong. What the names of a function mean is in `scope`; this module breaks
nothing.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from itertools import chain
from types import CodeType
from typing import Any, NamedTuple, TypeVar, overload

from retroweave.pipeline.errors import Drop

__all__ = ["Code", "Function", "Loop", "Span", "Token", "meaning"]

T = TypeVar("T")
A = TypeVar("A", bound=ast.AST)
B = TypeVar("B", bound=ast.AST)
C = TypeVar("C", bound=ast.AST)
D = TypeVar("D", bound=ast.AST)
Span = tuple[int, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While
Block = list[ast.stmt]

_CANNOT_BE_READ = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the parser raises: a wrong or a hostile text, a null byte, a lone surrogate, brackets in thousands."""
_NEVER_CALLED = frozenset(keyword.kwlist) - {"None", "True", "False"}
"""Names after which a round bracket groups what it holds."""
_DEEPEST = 200
"""How many nodes may stand in each other: those who walk a tree by recursion must come to its end."""
_BLOCKS = ("body", "orelse", "finalbody")
_OPENING = {"(": ")", "[": "]", "{": "}"}
_LINE_END = re.compile(r"\r?\n")
_LONE_RETURN = re.compile(r"\r(?!\n)")


class Token(NamedTuple):
    """A name, number, string or sign; a whole f-string is one."""

    kind: int
    text: str
    start: int
    end: int


def _read(text: str) -> ast.Module:
    if _LONE_RETURN.search(text):
        raise Drop("the function has a carriage return that ends no line")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings
            tree = ast.parse(text)
    except _CANNOT_BE_READ as error:
        raise Drop(f"the function cannot be parsed: {error}") from None
    if _is_deeper(tree, _DEEPEST):
        raise Drop(f"the function is nested more than {_DEEPEST} deep")
    return tree


def _is_deeper(tree: ast.AST, most: int) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(most):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)


def meaning(text: str) -> object | None:
    """What the compiler makes of a text, without its line numbers; None where it does not compile.

    Two texts of one meaning behave alike. The compiler folds constants and drops what is never reached, so it finds
    some of the changes that change nothing (Papadakis et al., "Trivial Compiler Equivalence", ICSE 2015).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `is` with a literal, a call of a tuple and the like
            compiled = compile(text, "<function>", "exec", dont_inherit=True)
    except _CANNOT_BE_READ:
        return None
    return _essence(compiled)


def _essence(code: CodeType) -> tuple[object, ...]:
    """All that a code object does. Constants by their repr, since 1, 1.0 and True are equal."""
    constants = tuple(
        _essence(value) if isinstance(value, CodeType) else (type(value).__name__, _steady(value))
        for value in code.co_consts
    )
    arguments = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_name, code.co_code, code.co_exceptiontable, constants, arguments, names


def _steady(value: object) -> str:
    """A repr that does not hang on the hash seed."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


class Code:
    """The text of one or more functions, with the module's imports and constants if they are there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = _read(text)
        self._found: dict[Callable[[Code], Any], Any] = {}

    @staticmethod
    @lru_cache(maxsize=256)
    def of(text: str) -> Code:
        """The `Code` of a text, the same one as before where the text was seen lately. `Drop` where it is no Python."""
        return Code(text)

    def places(self, find: Callable[[Code], T]) -> T:
        """What `find`, a function of a module, finds in this text; it looks once."""
        try:
            found: T = self._found[find]
        except KeyError:
            found = self._found[find] = find(self)
        return found

    @cached_property
    def meaning(self) -> object | None:
        return meaning(self.text)

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    # Positions

    @cached_property
    def line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @cached_property
    def _lines(self) -> list[bytes]:
        ends = [*self.line_starts[1:], len(self.text)]
        return [self.text[start:end].encode() for start, end in zip(self.line_starts, ends, strict=True)]

    def _offset(self, line: int, column: int) -> int:
        """Where a column in bytes of a line from 1 stands in the text."""
        return self.line_starts[line - 1] + len(self._lines[line - 1][:column].decode())

    def span(self, node: ast.AST) -> Span:
        """Start and end of a node, without parentheses around it."""
        place: Any = node
        return self._offset(place.lineno, place.col_offset), self._offset(place.end_lineno, place.end_col_offset)

    def source(self, node: ast.AST) -> str:
        return self.text[slice(*self.span(node))]

    def line_at(self, offset: int) -> int:
        """The number, from 1, of the line on which an offset stands."""
        return bisect_right(self.line_starts, offset)

    def line_start(self, offset: int) -> int:
        return self.line_starts[self.line_at(offset) - 1]

    def indent(self, statement: ast.AST) -> str:
        """What stands on a line before a statement."""
        start = self.span(statement)[0]
        return self.text[self.line_start(start) : start]

    # Tokens

    @cached_property
    def _tokenized(self) -> tuple[list[Token], list[Token]]:
        found: list[Token] = []
        comments: list[Token] = []
        try:
            raw = list(tokenize.generate_tokens(io.StringIO(self.text, newline="").readline))
        except (tokenize.TokenError, SyntaxError) as error:
            raise Drop(f"the function cannot be cut into tokens: {error}") from None
        starts: list[int] = []  # of the f-strings that are open, which are tokens of their own from Python 3.12 on
        for token in raw:
            start, end = (self.line_starts[row - 1] + column for row, column in (token.start, token.end))
            kind = tokenize.tok_name[token.type]
            if kind == "FSTRING_START":
                starts.append(start)
            elif kind == "FSTRING_END":
                start = starts.pop()
                if not starts:
                    found.append(Token(tokenize.STRING, self.text[start:end], start, end))
            elif not starts and kind in ("NAME", "NUMBER", "STRING", "OP"):
                found.append(Token(token.type, token.string, start, end))
            elif kind == "COMMENT":
                comments.append(Token(token.type, token.string, start, end))
        return found, comments

    @cached_property
    def tokens(self) -> list[Token]:
        """Names, numbers, strings and signs, in order."""
        return self._tokenized[0]

    @cached_property
    def comments(self) -> list[Token]:
        return self._tokenized[1]

    @cached_property
    def _token_starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    def tokens_in(self, start: int, end: int) -> list[Token]:
        """The tokens that begin between two offsets."""
        return self.tokens[bisect_left(self._token_starts, start) : bisect_left(self._token_starts, end)]

    def token_after(self, offset: int) -> Token | None:
        index = bisect_left(self._token_starts, offset)
        return self.tokens[index] if index < len(self.tokens) else None

    def token_before(self, offset: int) -> Token | None:
        index = bisect_left(self._token_starts, offset) - 1
        return self.tokens[index] if index >= 0 else None

    @cached_property
    def brackets(self) -> dict[int, int]:
        """Where each bracket that opens is closed."""
        pairs: dict[int, int] = {}
        opened: list[Token] = []
        for token in self.tokens:
            if token.text in _OPENING:
                opened.append(token)
            elif token.text in (")", "]", "}"):
                pairs[opened.pop().start] = token.start
        return pairs

    def wrapped(self, node: ast.AST) -> Span:
        """Start and end of a node with the parentheses that group it."""
        start, end = self.span(node)
        while True:
            before, after = self.token_before(start), self.token_after(end)
            if before is None or after is None or before.text != "(" or self.brackets[before.start] != after.start:
                return start, end
            if self._is_called(before):
                return start, end
            start, end = before.start, after.end

    def _is_called(self, bracket: Token) -> bool:
        """Whether a round bracket opens the arguments of a call or a definition."""
        before = self.token_before(bracket.start)
        if before is None:
            return False
        if before.kind == tokenize.NAME:
            return before.text not in _NEVER_CALLED
        return before.kind == tokenize.STRING or before.text in (")", "]", "}")

    def between(self, left: ast.AST, right: ast.AST) -> Span:
        """The operator between two operands."""
        signs = [
            token for token in self.tokens_in(self.span(left)[1], self.span(right)[0]) if token.text not in ("(", ")")
        ]
        return signs[0].start, signs[-1].end

    # Structure

    @cached_property
    def _walked(self) -> tuple[list[ast.AST], dict[ast.AST, ast.AST], list[Span]]:
        """The nodes that may be edited, the parent of each, and the spans inside functions that must stay."""
        nodes: list[ast.AST] = []
        parents: dict[ast.AST, ast.AST] = {}
        kept: list[Span] = []
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            stays = _what_stays(node)
            kept += (self.span(part) for part in stays)
            for child in ast.iter_child_nodes(node):
                parents[child] = node
                outside = isinstance(node, ast.Module) and not isinstance(child, Function | ast.ClassDef)
                if child not in stays and not outside and not isinstance(node, ast.JoinedStr):
                    waiting.append(child)
            if hasattr(node, "lineno") and self._in_a_function(node, parents):
                nodes.append(node)
        nodes.sort(key=self._reading_order)
        return nodes, parents, sorted(kept)

    def _in_a_function(self, node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
        above: ast.AST | None = node
        while above is not None and not isinstance(above, Function):
            above = parents.get(above)
        return above is not None

    def _reading_order(self, node: ast.AST) -> tuple[int, int]:
        start, end = self.span(node)
        return start, -end

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of functions that may be edited, in reading order, the outer before the inner."""
        return self._walked[0]

    @overload
    def all(self, kind: type[A], /) -> Iterator[A]: ...
    @overload
    def all(self, kind: type[A], second: type[B], /) -> Iterator[A | B]: ...
    @overload
    def all(self, kind: type[A], second: type[B], third: type[C], /) -> Iterator[A | B | C]: ...
    @overload
    def all(self, kind: type[A], second: type[B], third: type[C], last: type[D], /) -> Iterator[A | B | C | D]: ...
    def all(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """The nodes of some kinds, in reading order."""
        return (node for node in self.nodes if isinstance(node, kinds))

    def parent(self, node: ast.AST) -> ast.AST:
        """The node that holds another; the module's is itself."""
        return self._walked[1].get(node, self.tree)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold another, from the inside outward, without the module."""
        while (node := self.parent(node)) is not self.tree:
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node of a function is or stands in."""
        return next(above for above in chain((node,), self.above(node)) if isinstance(above, ast.stmt))

    def function(self, node: ast.AST) -> Function:
        """The innermost function that a node of a function stands in."""
        return next(above for above in self.above(node) if isinstance(above, Function))

    def loop(self, node: ast.AST) -> Loop | None:
        """The innermost loop of the same function whose body holds a node."""
        below = node
        for above in self.above(node):
            if isinstance(above, Function | ast.Lambda | ast.ClassDef):
                return None
            if isinstance(above, Loop) and below in above.body:
                return above
            below = above
        return None

    def block(self, statement: ast.stmt) -> Block:
        """The statements among which one stands."""
        parent = self.parent(statement)
        blocks = (getattr(parent, name, []) for name in _BLOCKS)
        return next((block for block in blocks if isinstance(block, list) and statement in block), [])

    @cached_property
    def blocks(self) -> list[Block]:
        """The bodies in functions, in reading order."""
        found = (getattr(node, name, None) for node in self.nodes for name in _BLOCKS)
        return [block for block in found if isinstance(block, list) and block]

    def is_elif(self, statement: ast.AST) -> bool:
        return isinstance(statement, ast.If) and self.text.startswith("elif", self.span(statement)[0])

    def lines_of(self, first: ast.stmt, last: ast.stmt | None = None) -> Span | None:
        """The whole lines of a statement, or of several; None where anything else stands on them."""
        start, end = self.span(first)[0], self.span(last or first)[1]
        line = self.line_start(start)
        rest = re.compile(r"[^\S\r\n]*(?:\r?\n|\Z)").match(self.text, end)
        if self.text[line:start].strip() or rest is None or self.is_elif(first):
            return None
        return line, rest.end()

    # What must stay

    @cached_property
    def _functions(self) -> list[Span]:
        """The functions, from `def` to the end of the last line."""
        spans = (self.span(node) for node in self.all(ast.FunctionDef, ast.AsyncFunctionDef))
        return [(start, self._line_end(end)) for start, end in spans]

    def _line_end(self, offset: int) -> int:
        line = self.line_at(offset)
        return self.line_starts[line] if line < len(self.line_starts) else len(self.text)

    def may_change(self, start: int, end: int) -> bool:
        """Whether an edit of a stretch leaves alone all that must stay."""
        if not any(first <= start and end <= last for first, last in self._functions):
            return False
        kept = ((comment.start, comment.end) for comment in self.comments)
        return not any(start < last and first < end for first, last in chain(kept, self._walked[2]))


def _what_stays(node: ast.AST) -> list[ast.AST]:
    """The children of a node that are not to be edited: annotations, decorators, the docstring."""
    stays: list[ast.AST | None] = []
    if isinstance(node, Function | ast.ClassDef):
        stays += node.decorator_list
        stays += node.body[:1] if ast.get_docstring(node, clean=False) is not None else []
    if isinstance(node, Function):
        stays.append(node.returns)
    if isinstance(node, ast.arg | ast.AnnAssign):
        stays.append(node.annotation)
    return [part for part in stays if part is not None]
