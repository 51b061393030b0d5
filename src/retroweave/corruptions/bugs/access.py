"""Bugs in indices, keys and exceptions: an item beside the right one, one that is not there, errors wrongly met."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from retroweave.corruptions.bugs.calls import last_argument, method_of
from retroweave.corruptions.bugs.numbers import shifted
from retroweave.corruptions.bugs.scope import bound_in, called_name, imported, is_builtin, kind_of
from retroweave.corruptions.bugs.site import Edit, Site, Sites, change, operator, removed, removed_lines
from retroweave.corruptions.code import Code, Span

__all__: list[str] = []

_NARROWER = {
    "Exception": "ValueError", "LookupError": "KeyError", "ArithmeticError": "ZeroDivisionError",
    "OSError": "FileNotFoundError", "BaseException": "Exception", "ValueError": "UnicodeDecodeError",
}  # fmt: skip
_MISTAKEN = {
    "KeyError": "IndexError", "IndexError": "KeyError", "ValueError": "TypeError", "TypeError": "ValueError",
    "AttributeError": "NameError", "ZeroDivisionError": "ValueError", "StopIteration": "IndexError",
    "OverflowError": "ValueError", "UnicodeDecodeError": "UnicodeEncodeError", "ImportError": "AttributeError",
    "UnicodeEncodeError": "UnicodeDecodeError", "RuntimeError": "ValueError", "NotImplementedError": "ValueError",
}  # fmt: skip
_DEFAULTS = {"get": 1, "pop": 1, "getattr": 2, "next": 1, "setdefault": 1}
"""How many arguments stand before the one that is given back where nothing is found."""
_LONGEST_BODY = 3


def _context(code: Code, node: ast.AST) -> Span:
    parent = code.parent(node)
    shows = ast.BinOp | ast.Compare | ast.Assign | ast.Return | ast.AugAssign
    start, end = code.span(parent if isinstance(parent, shows) else node)
    return (start, end) if end - start <= 70 and "\n" not in code.text[start:end] else code.span(node)


# Indices and slices


def _indices(code: Code) -> Iterator[ast.Subscript]:
    """The subscripts by what is or could be a whole number."""
    for node in code.all(ast.Subscript):
        numeric = kind_of(code, node.slice) == "number" or isinstance(node.slice, ast.BinOp)
        if numeric and kind_of(code, node.value) != "dict":
            yield node


@operator("access", "index off by one")
def index_off_by_one(code: Code) -> Sites:
    """The item beside the right one is taken."""
    for node in _indices(code):
        if code.source(node.slice).startswith("-"):
            continue
        yield from shifted(code, node.slice, 1, code.span(node))
        if code.source(node.slice) != "0":
            yield from shifted(code, node.slice, -1, code.span(node))


@operator("access", "wrong end of a sequence", effect="An item is counted from the other end.")
def wrong_end(code: Code) -> Sites:
    """An item is taken from the beginning where the end is meant, or the other way round."""
    for node in code.all(ast.Subscript):
        text = code.source(node.slice)
        if kind_of(code, node.value) == "dict":
            continue
        if re.fullmatch(r"-[1-9]", text):
            yield change(code.span(node.slice), "0" if text == "-1" else text[1:], code.span(node))
        elif text == "0":
            yield change(code.span(node.slice), "-1", code.span(node))


def _slices(code: Code) -> Iterator[tuple[ast.Subscript, ast.Slice]]:
    for node in code.all(ast.Subscript):
        if isinstance(node.slice, ast.Slice):
            yield node, node.slice


@operator("access", "slice off by one")
def slice_off_by_one(code: Code) -> Sites:
    """A slice begins or ends one item too early or too late."""
    for node, part in _slices(code):
        for bound in (part.lower, part.upper):
            if bound is None:
                continue
            shown, text = code.span(node), code.source(bound)
            if text not in ("-1",):
                yield from shifted(code, bound, 1, shown)
            if text not in ("0", "1" if bound is part.lower else ""):
                yield from shifted(code, bound, -1, shown)


@operator("access", "bound of a slice missing")
def slice_bound_dropped(code: Code) -> Sites:
    """A slice has lost one of its bounds and takes in too much."""
    for node, part in _slices(code):
        for bound in (part.lower, part.upper):
            if bound is not None and code.source(bound) != "0":
                yield removed(code.wrapped(bound), code.span(node))
        if code.source(part) == "::-1":
            start = code.span(part)[0]
            yield removed((start, start + 1), code.span(node))


@operator("access", "range beyond the end")
def range_overrun(code: Code) -> Sites:
    """A loop over indices goes one too far."""
    for loop in code.all(ast.For):
        yield from _overruns(code, loop, loop)
    for node in code.all(ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp):
        for part in node.generators:
            yield from _overruns(code, part, node)


def _overruns(code: Code, loop: ast.For | ast.comprehension, holder: ast.AST) -> Sites:
    call = loop.iter
    if called_name(code, call) != "range" or not isinstance(call, ast.Call) or not isinstance(loop.target, ast.Name):
        return
    if 0 < len(call.args) < 3 and not call.keywords and _is_index(holder, loop.target.id):
        stop = call.args[-1]
        if not isinstance(stop, ast.Starred):
            yield from shifted(code, stop, 1, code.span(call))


def _is_index(root: ast.AST, name: str) -> bool:
    """Whether a variable is used to pick an item."""
    return any(
        isinstance(node, ast.Subscript)
        and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node.slice))
        for node in ast.walk(root)
    )


@operator("access", "last index beyond the end", effect="Taking the item raises an IndexError.")
def length_as_index(code: Code) -> Sites:
    """The length of a sequence is used as the index of its last item."""
    for node in code.all(ast.Subscript):
        index, length = node.slice, f"len({code.source(node.value)})"
        if kind_of(code, node.value) == "dict" or not is_builtin(code, "len"):
            continue
        if code.source(index) == f"{length} - 1":
            yield removed((code.span(index)[0] + len(length), code.span(index)[1]), code.span(node))
        elif code.source(index) == "-1" and isinstance(node.value, ast.Name):
            yield change(code.span(index), length, code.span(node))


# Keys


@operator("access", "index in place of get", effect="A key that is not there raises a KeyError.")
def get_to_index(code: Code) -> Sites:
    """A key is looked up as if it were always there."""
    for call in code.all(ast.Call):
        if method_of(call) != "get" or not 1 <= len(call.args) <= 2 or call.keywords or _is_of_a_module(code, call):
            continue
        assert isinstance(call.func, ast.Attribute)  # as it has a method
        if isinstance(call.args[0], ast.Starred):
            continue
        key, base = code.wrapped(call.args[0]), code.wrapped(call.func.value)[1]
        shown = _context(code, call)
        yield Site((Edit(base, key[0], "["), Edit(key[1], code.span(call)[1], "]")), shown, shown[0])


def _is_of_a_module(code: Code, call: ast.Call) -> bool:
    """Whether a method is that of a module, as in requests.get."""
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(base, ast.Name) and base.id in code.places(imported)


@operator("access", "default missing")
def default_dropped(code: Code) -> Sites:
    """A lookup has no value to fall back on where nothing is found."""
    for call in code.all(ast.Call):
        name = method_of(call) or called_name(code, call)
        span = last_argument(code, call)
        if name is None or span is None or _DEFAULTS.get(name) != len(call.args) - 1:
            continue
        default = code.source(call.args[-1])
        if default != "None" or name in ("pop", "getattr", "next"):
            yield removed(span, code.span(call), default=default)
    for found in code.all(ast.Call):
        if called_name(code, found) in ("min", "max") and found.args:
            for keyword in found.keywords[-1:]:
                if keyword.arg == "default":
                    before = found.keywords[-2] if len(found.keywords) > 1 else found.args[-1]
                    cut = code.wrapped(before)[1], code.span(keyword)[1]
                    yield removed(cut, code.span(found), default=code.source(keyword.value))


@operator("access", "wrong key")
def wrong_key(code: Code) -> Sites:
    """Another key of the dict is used than the one that is meant, or one that is not in it."""
    for node in code.all(ast.Subscript, ast.Call):
        found = _key(node)
        if found is None:
            continue
        key, right = found
        quote = code.source(key)[0]
        for other in _other_keys(code, right):
            yield change(code.span(key), f"{quote}{other}{quote}", code.span(node), right=right, wrong=other)


def _key(node: ast.AST) -> tuple[ast.Constant, str] | None:
    """The plain text by which a dict is asked for an item."""
    key: ast.AST | None = None
    if isinstance(node, ast.Subscript):
        key = node.slice
    elif method_of(node) in ("get", "pop", "setdefault") and isinstance(node, ast.Call) and node.args:
        key = node.args[0]
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
        return key, key.value
    return None


def _other_keys(code: Code, key: str) -> list[str]:
    """The other keys that the text uses, and the key in another form."""
    used = (found[1] for node in code.nodes if (found := _key(node)) is not None)
    others = [name for name in dict.fromkeys(used) if name != key][:2]
    return list(dict.fromkeys([*others, _other_number(key)]))


def _other_number(key: str) -> str:
    """The plural of a singular and the other way round, near enough."""
    if key.endswith("s") and len(key) > 3:
        return key[:-1]
    return f"{key[:-1]}ies" if key.endswith("y") else f"{key}s"


@operator("access", "entry not made first")
def missing_entry(code: Code) -> Sites:
    """The check that makes an entry for a key that is not there yet is missing."""
    for node in code.all(ast.If):
        test = node.test
        if node.orelse or len(node.body) != 1 or not isinstance(test, ast.Compare) or len(test.ops) != 1:
            continue
        made = node.body[0]
        if isinstance(test.ops[0], ast.NotIn) and isinstance(made, ast.Assign):
            entry = f"{code.source(test.comparators[0])}[{code.source(test.left)}]"
            if code.source(made.targets[0]) == entry:
                yield from removed_lines(code, node, entry=entry, value=code.source(made.value))


# Exceptions


@operator("access", "error not caught")
def try_removed(code: Code) -> Sites:
    """The `try` around a statement that can fail is not there."""
    for node in code.all(ast.Try):
        names = [_caught(code, handler) for handler in node.handlers]
        if len(names) != 1 or not names[0] or node.orelse or node.finalbody or len(node.body) > _LONGEST_BODY:
            continue
        if all(code.lines_of(part) is not None and _is_single(code, part) for part in node.body):
            start, end = code.span(node)
            lines = f"{code.newline}{code.indent(node)}".join(code.source(part) for part in node.body)
            first = code.source(node.body[0])
            yield Site((Edit(start, end, lines),), (start, end), start, {"error": names[0], "first": first})


def _is_single(code: Code, statement: ast.stmt) -> bool:
    """Whether a statement is on one line and binds nothing that only a handler would bind too."""
    start, end = code.span(statement)
    return "\n" not in code.text[start:end] and (bool(bound_in(statement)) or not hasattr(statement, "body"))


def _caught(code: Code, handler: ast.ExceptHandler) -> str:
    return code.source(handler.type) if handler.type is not None else ""


def _handler(code: Code, handler: ast.ExceptHandler) -> Span:
    """The head of a handler, with its colon."""
    start, first = code.span(handler)[0], code.span(handler.body[0])[0]
    colon = code.token_before(first)
    assert colon is not None  # a body comes after a colon
    return start, colon.end


@operator("access", "too few errors caught")
def except_too_narrow(code: Code) -> Sites:
    """A handler catches fewer kinds of errors than can happen."""
    for handler in code.all(ast.ExceptHandler):
        caught = handler.type
        if isinstance(caught, ast.Tuple) and len(caught.elts) > 1:
            for kept in caught.elts:
                yield change(code.span(caught), code.source(kept), _handler(code, handler))
        elif isinstance(caught, ast.Name) and caught.id in _NARROWER and is_builtin(code, caught.id):
            yield change(code.span(caught), _NARROWER[caught.id], _handler(code, handler))


@operator("access", "wrong error caught")
def wrong_exception_caught(code: Code) -> Sites:
    """A handler catches another kind of error than the one that happens."""
    for handler in code.all(ast.ExceptHandler):
        caught = handler.type
        if isinstance(caught, ast.Name) and caught.id in _MISTAKEN and is_builtin(code, caught.id):
            wrong = _MISTAKEN[caught.id]
            yield change(code.span(caught), wrong, _handler(code, handler), right=caught.id, wrong=wrong)


@operator("access", "too many errors caught", effect="Errors that should reach the caller are swallowed.")
def except_too_broad(code: Code) -> Sites:
    """A handler catches every error, those of the programmer included."""
    for handler in code.all(ast.ExceptHandler):
        caught = handler.type
        if caught is not None and code.source(caught) not in ("Exception", "BaseException"):
            yield change(code.span(caught), "Exception", _handler(code, handler), right=code.source(caught))


@operator("access", "raise missing", effect="The error is made and thrown away, and the function goes on.")
def raise_forgotten(code: Code) -> Sites:
    """An error is made where it should be raised."""
    for node in code.all(ast.Raise):
        if isinstance(node.exc, ast.Call) and node.cause is None:
            yield removed((code.span(node)[0], code.wrapped(node.exc)[0]), code.span(node))


@operator("access", "error returned", effect="The caller gets an error object as if it were the result.")
def exception_returned(code: Code) -> Sites:
    """An error is returned where it should be raised."""
    for node in code.all(ast.Raise):
        if isinstance(node.exc, ast.Call) and node.cause is None:
            start = code.span(node)[0]
            yield change((start, start + 5), "return", code.span(node))


@operator("access", "wrong error raised")
def wrong_exception_raised(code: Code) -> Sites:
    """Another kind of error is raised than the one that callers expect."""
    for node in code.all(ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(raised, ast.Name) and raised.id in _MISTAKEN and is_builtin(code, raised.id):
            wrong = _MISTAKEN[raised.id]
            yield change(code.span(raised), wrong, code.span(node), right=raised.id, wrong=wrong)
