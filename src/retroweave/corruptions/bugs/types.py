"""Type bugs: conversions and calls left out, a value wrapped once too often, one thing in the place of another."""

from __future__ import annotations

import ast
import re
import tokenize
from itertools import pairwise

from retroweave.corruptions.bugs.calls import function_span, last_argument, method_of, unwrapped
from retroweave.corruptions.bugs.conditions import is_condition
from retroweave.corruptions.bugs.numbers import is_atom
from retroweave.corruptions.bugs.scope import called_name, functions, imported, kind_of, loads, parameters
from retroweave.corruptions.bugs.site import Edit, Site, Sites, added, change, operator, removed
from retroweave.corruptions.code import Code, Function, Span

__all__: list[str] = []

_CASTS = frozenset({"int", "float", "str", "bytes", "Decimal", "Fraction", "ord", "chr", "dict"})
_IN_PLACE = {"sort", "reverse", "append", "extend", "insert", "update", "add", "remove", "clear", "discard"}
_ARITY = {
    "isinstance": 2, "hasattr": 2, "divmod": 2, "setattr": 3, "map": 2, "filter": 2, "issubclass": 2, "replace": 2,
    "insert": 2, "reduce": 2, "heappush": 2, "pow": 2, "atan2": 2,
}  # fmt: skip
"""How many arguments a function or method must have."""


def _context(code: Code, node: ast.AST) -> Span:
    """What to show of an expression: the operation, comparison, call or statement that it stands in."""
    parent = code.parent(node)
    shows = ast.BinOp | ast.Compare | ast.keyword | ast.Assign | ast.Return | ast.AugAssign | ast.Call
    start, end = code.span(parent if isinstance(parent, shows) else node)
    return (start, end) if end - start <= 70 and "\n" not in code.text[start:end] else code.span(node)


@operator("type", "conversion missing")
def cast_dropped(code: Code) -> Sites:
    """A value is used in the type in which it comes where it should be converted first."""
    for call in code.all(ast.Call):
        name = called_name(code, call) or getattr(call.func, "id", "")
        if name not in _CASTS or isinstance(code.parent(call), ast.Expr) or _is_added_to_text(code, call):
            continue
        if call.args and kind_of(code, call.args[0]) == _MADE_BY.get(name, ""):
            continue
        for site in unwrapped(code, call, _context(code, call)):
            site.facts["function"] = name
            yield site


_MADE_BY = {"int": "number", "float": "number", "str": "str"}


def _is_added_to_text(code: Code, call: ast.Call) -> bool:
    """Whether a call of `str` stands in a sum of texts, which is a bug of its own."""
    parent = code.parent(call)
    return called_name(code, call) == "str" and isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add)


@operator("type", "text and number added")
def text_plus_number(code: Code) -> Sites:
    """A value is joined to a text without being made a text first."""
    for call in code.all(ast.Call):
        if _is_added_to_text(code, call) and call.args and kind_of(code, call.args[0]) != "str":
            yield from unwrapped(code, call, code.span(code.parent(call)))


@operator("type", "number as a text")
def constant_to_string(code: Code) -> Sites:
    """A number stands in quotes and so is a text."""
    for node in code.all(ast.Constant):
        if type(node.value) not in (int, float) or not re.fullmatch(r"[\d.]{1,8}", code.source(node)):
            continue
        parent = code.parent(node)
        if isinstance(parent, ast.Compare | ast.BinOp | ast.keyword | ast.Return | ast.Assign | ast.AugAssign):
            yield change(code.span(node), f'"{code.source(node)}"', _context(code, node))


@operator("type", "text as a number")
def digits_unquoted(code: Code) -> Sites:
    """A text of digits has lost its quotes and so is a number."""
    for node in code.all(ast.Constant):
        digits = isinstance(node.value, str) and re.fullmatch(r"0|[1-9]\d{0,5}", node.value)
        if digits and not isinstance(code.parent(node), ast.Expr):
            yield change(code.span(node), str(node.value), _context(code, node))


@operator("type", "required argument missing", effect="The call raises a TypeError.")
def argument_dropped(code: Code) -> Sites:
    """A call lacks an argument that the function cannot do without."""
    needed = code.places(_needed)
    for call in code.all(ast.Call):
        named, span = function_span(code, call), last_argument(code, call)
        if named is None or span is None or any(isinstance(part, ast.Starred) for part in call.args):
            continue
        name = named[0]
        own = isinstance(call.func, ast.Name) and name in needed
        least = needed[name] if own else _ARITY.get(name)
        if least == len(call.args):
            yield removed(span, code.span(call), argument=code.source(call.args[-1]), function=name)


def _needed(code: Code) -> dict[str, int]:
    """How many arguments by position each function of the text needs."""
    own = code.places(functions).items()
    return {name: _least(function) for name, function in own if not function.args.kwonlyargs}


def _least(function: Function) -> int:
    return len(parameters(function)) - len(function.args.defaults)


@operator("type", "method not called", effect="The method itself takes the place of its result.")
def call_parentheses_dropped(code: Code) -> Sites:
    """A method is named where it should be called."""
    for call in code.all(ast.Call):
        if call.args or call.keywords or not isinstance(call.func, ast.Attribute):
            continue
        base = call.func.value
        if not isinstance(base, ast.Name) or base.id not in code.places(imported):
            yield removed((code.span(call.func)[1], code.span(call)[1]), _context(code, call), call=_short(code, call))


def _short(code: Code, call: ast.Call) -> str:
    """A call of a method without the object."""
    return f"{method_of(call)}()"


@operator("type", "call in place of an index", effect="The call raises a TypeError.")
def called_instead_of_indexed(code: Code) -> Sites:
    """An item is asked for with round brackets instead of square ones."""
    for node in code.all(ast.Subscript):
        if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice | ast.Tuple):
            continue
        opening, end = code.token_after(code.wrapped(node.value)[1]), code.span(node)[1]
        if opening is not None and opening.text == "[":
            edits = Edit(opening.start, opening.end, "("), Edit(end - 1, end, ")")
            yield Site(edits, code.span(node), code.span(node)[0])


@operator("type", "result of a method that works in place", effect="None takes the place of the object.")
def in_place_result(code: Code) -> Sites:
    """What a method that changes a list or set in place returns is kept, and that is None."""
    for node in code.all(ast.Expr):
        call = node.value
        if method_of(call) in _IN_PLACE and isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            name = code.source(call.func.value)
            if isinstance(call.func.value, ast.Name):
                yield added(code.span(node)[0], f"{name} = ", code.span(node), method=f"{call.func.attr}()")
    for sort in code.all(ast.Call):
        plain = len(sort.args) == 1 and isinstance(sort.args[0], ast.Name)
        if plain and called_name(code, sort) == "sorted" and kind_of(code, sort.args[0]) == "list":
            yield from _sorted_in_place(code, sort)


def _sorted_in_place(code: Code, call: ast.Call) -> Sites:
    """sorted(a, key=f) becomes a.sort(key=f)."""
    if not isinstance(code.parent(call), ast.Return | ast.Assign):
        return
    name, end = code.source(call.args[0]), code.span(call.args[0])[1]
    options = code.span(call.keywords[0])[0] if call.keywords else end
    shown = code.span(code.parent(call))
    yield change((code.span(call)[0], options), f"{name}.sort(", shown, method="sort()")


@operator("type", "range over an object", effect="The call of range raises a TypeError.")
def range_over_object(code: Code) -> Sites:
    """A range is made of a list itself instead of its length."""
    for call in code.all(ast.Call):
        if called_name(code, call) == "range":
            for argument in call.args:
                if called_name(code, argument) == "len" and isinstance(argument, ast.Call):
                    yield from unwrapped(code, argument, code.span(call))


@operator("type", "loop over a number", effect="The loop raises a TypeError, since a number cannot be gone through.")
def range_dropped(code: Code) -> Sites:
    """A loop goes over a number where it should go over the range up to it."""
    for loop in code.all(ast.For):
        if called_name(code, loop.iter) == "range" and isinstance(loop.iter, ast.Call) and len(loop.iter.args) == 1:
            shown = code.span(loop.target)[0], code.span(loop.iter)[1]
            yield from unwrapped(code, loop.iter, shown)


@operator("type", "length not taken")
def length_dropped(code: Code) -> Sites:
    """A list or text itself is compared or calculated with, instead of its length."""
    for call in code.all(ast.Call):
        parent = code.parent(call)
        if called_name(code, call) == "len" and isinstance(parent, ast.Compare | ast.BinOp):
            yield from unwrapped(code, call, code.span(parent))


@operator("type", "stray comma", effect="The value becomes a tuple of one item.")
def stray_comma(code: Code) -> Sites:
    """A comma at the end of a line makes a tuple of the value."""
    for node in code.all(ast.Assign, ast.Return):
        value = node.value
        if value is not None and not isinstance(value, ast.Tuple | ast.Yield | ast.Await):
            yield added(code.span(node)[1], ",", code.span(node))


@operator("type", "comma of a tuple missing", effect="The value is the item itself and no tuple.")
def tuple_comma_dropped(code: Code) -> Sites:
    """The comma that makes a tuple of one item is not there."""
    for node in code.all(ast.Tuple):
        if len(node.elts) == 1:
            comma = code.token_after(code.wrapped(node.elts[0])[1])
            if comma is not None and comma.text == ",":
                yield removed((comma.start, comma.end), code.span(node))


@operator("type", "list wrapped once too often", effect="The result is a list within a list.")
def wrapped_twice(code: Code) -> Sites:
    """A list is put into another list."""
    for call in code.all(ast.Call):
        only = len(call.args) == 1 and not call.keywords
        if called_name(code, call) == "list" and only and not isinstance(call.args[0], ast.GeneratorExp | ast.Starred):
            start, end = code.span(call)
            inner = code.wrapped(call.args[0])
            edits = Edit(start, inner[0], "["), Edit(inner[1], end, "]")
            yield Site(edits, _context(code, call), _context(code, call)[0])
    for node in code.all(ast.Return, ast.Assign):
        if isinstance(node.value, ast.Name | ast.List | ast.ListComp) and _holds_a_list(code, node.value):
            start, end = code.wrapped(node.value)
            shown = code.span(node)
            yield Site((Edit(start, start, "["), Edit(end, end, "]")), shown, shown[0])


def _holds_a_list(code: Code, node: ast.AST) -> bool:
    return kind_of(code, node) == "list" and code.source(node) != "[]"


@operator("type", "comma between texts missing", effect="The two texts become one.")
def joined_strings(code: Code) -> Sites:
    """Two texts of a list run together because the comma between them is not there."""
    for node in code.all(ast.List, ast.Tuple, ast.Set, ast.Call):
        parts = node.args if isinstance(node, ast.Call) else node.elts
        for first, second in pairwise(parts):
            if _is_text(first) and _is_text(second):
                comma = code.token_after(code.wrapped(first)[1])
                shown = code.span(first)[0], code.span(second)[1]
                if comma is not None and comma.text == ",":
                    yield removed((comma.start, comma.end), shown)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@operator("logic", "f of an f-string missing", effect="The braces and names stand in the text as they are.")
def f_prefix_dropped(code: Code) -> Sites:
    """A text with values to fill in has lost the `f` before its quote."""
    for token in code.tokens:
        prefix = re.match(r"[A-Za-z]*", token.text)
        if token.kind == tokenize.STRING and prefix is not None and "{" in token.text:
            at = prefix[0].lower().find("f")
            if at >= 0:
                yield removed((token.start + at, token.start + at + 1), (token.start, token.end))


@operator("type", "generator in place of a list")
def generator_for_list(code: Code) -> Sites:
    """Round brackets make a generator where a list is wanted."""
    for node in code.all(ast.ListComp):
        parent = code.parent(node)
        kept = isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name)
        if isinstance(parent, ast.Return) or (kept and loads(code.function(node), code.source(_target(parent))) > 1):
            start, end = code.span(node)
            shown = code.span(parent)
            yield Site((Edit(start, start + 1, "("), Edit(end - 1, end, ")")), shown, shown[0])


def _target(node: ast.AST) -> ast.AST:
    return node.targets[0] if isinstance(node, ast.Assign) else node


@operator("type", "dict in place of a set", effect="Empty braces are a dict, which has no methods of a set.")
def braces_for_set(code: Code) -> Sites:
    """An empty set is written as empty braces."""
    for call in code.all(ast.Call):
        if called_name(code, call) == "set" and not call.args and not is_condition(code, call):
            yield change(code.span(call), "{}", _context(code, call))


@operator("type", "text in place of bytes", effect="Bytes and text meet, which never are equal and do not join.")
def bytes_prefix_dropped(code: Code) -> Sites:
    """A literal of bytes has lost its `b` and is a text."""
    for node in code.all(ast.Constant):
        source = code.source(node)
        if isinstance(node.value, bytes) and is_atom(code, node) and source[:1] in "bB":
            start = code.span(node)[0]
            yield removed((start, start + 1), _context(code, node))
