"""Logic bugs in numbers: constants, bounds, signs, arithmetic and its parentheses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from retroweave.corruptions.bugs.scope import called_name, kind_of, loads, target_names
from retroweave.corruptions.bugs.site import Edit, Site, Sites, added, change, operator, removed, swap
from retroweave.corruptions.code import Code, Loop, Span

__all__ = ["is_atom", "shifted", "takes_a_term"]

_LARGEST = 10**6
_ATOM = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant
_TERM = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant
_OTHER_SIGN = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "//", "**": "*", "//": "%", "&": "|", "|": "&", "^": "|",
    "<<": ">>", ">>": "<<",
}  # fmt: skip
_DIVISION = {"/": "//", "//": "/", "/=": "//=", "//=": "/="}
_ASSOCIATIVE = ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor
_NOT_COMMUTATIVE = ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow | ast.LShift | ast.RShift
_SAME_INSIDE = frozenset({"int", "float", "str", "abs", "bool", "print", "list", "tuple", "set", "iter"})
"""Calls whose argument may take in the next term without a difference that shows every time."""
_NOT_NUMBERS = frozenset({"str", "list", "tuple", "dict", "set", "bytes"})


def is_atom(code: Code, node: ast.AST) -> bool:
    """Whether an operand holds together wherever it is put."""
    return isinstance(node, _ATOM) or code.wrapped(node) != code.span(node)


def takes_a_term(node: ast.AST) -> bool:
    """Whether ` + 1` may be put behind an expression and counts for all of it."""
    return isinstance(node, _TERM) or (isinstance(node, ast.BinOp) and not isinstance(node.op, _LOOSER_THAN_A_SUM))


_LOOSER_THAN_A_SUM = ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift


def shifted(code: Code, node: ast.expr, by: int, shown: Span) -> Sites:
    """The sites that make an expression for a whole number one more or one less, as a person would write it."""
    start, end = code.wrapped(node)
    number = _whole_number(code, node)
    if number is not None:
        yield change((start, end), str(number + by), shown)
    elif isinstance(node, ast.BinOp) and _is_one(node.right) and isinstance(node.op, ast.Sub if by > 0 else ast.Add):
        yield removed((code.wrapped(node.left)[1], code.span(node)[1]), shown)
    elif takes_a_term(node) and not isinstance(node, ast.Constant):
        yield added(code.span(node)[1], " + 1" if by > 0 else " - 1", shown)


def _whole_number(code: Code, node: ast.AST) -> int | None:
    text = code.source(node)
    return int(text) if re.fullmatch(r"-?\d{1,7}", text) else None


def _is_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1 and type(node.value) is int


# Constants


def _constants(code: Code, pattern: str) -> Iterator[tuple[ast.Constant, str]]:
    """The numbers that stand in the text in a form, other than those that pick items or bounds."""
    for node in code.all(ast.Constant):
        text = code.source(node)
        if re.fullmatch(pattern, text) and not _picks(code, node):
            yield node, text


def _picks(code: Code, node: ast.AST) -> bool:
    """Whether a number stands in an index, a slice or a range, whose errors have operators of their own."""
    above = [node, *code.above(node)]
    return any(
        (isinstance(parent, ast.Subscript) and inner is parent.slice)
        or isinstance(parent, ast.Slice)
        or called_name(code, parent) == "range"
        for inner, parent in pairwise(above)
    )


def _context(code: Code, node: ast.AST) -> Span:
    """What to show of a number: the operation, comparison, keyword or assignment that it stands in."""
    parent = code.parent(node)
    if isinstance(parent, ast.UnaryOp):
        parent = code.parent(parent)
    shows = ast.BinOp | ast.Compare | ast.keyword | ast.Assign | ast.Return | ast.AugAssign
    return code.span(parent if isinstance(parent, shows) else node)


@operator("logic", "constant off by one")
def constant_off_by_one(code: Code) -> Sites:
    """A number in the code is one too large or one too small."""
    for node, text in _constants(code, r"\d{1,6}"):
        number, parent = int(text), code.parent(node)
        if _is_start(code, node):
            continue
        divides = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div | ast.FloorDiv | ast.Mod)
        yield change(code.span(node), str(number + 1), _context(code, node))
        if number > (1 if divides else 0):
            yield change(code.span(node), str(number - 1), _context(code, node))


@operator("logic", "mistyped number")
def mistyped_number(code: Code) -> Sites:
    """A number has a digit too few, a nought too many or two digits in the wrong order."""
    for node, text in _constants(code, r"[1-9]\d{1,11}|\d{1,6}\.\d{1,6}"):
        for wrong in _mistyped(text):
            yield change(code.span(node), wrong, _context(code, node))


def _mistyped(text: str) -> Iterator[str]:
    whole, point, fraction = text.partition(".")
    if point:
        yield f"{whole}.0{fraction}"
    else:
        yield whole[:-1]
        if whole.endswith("0"):
            yield f"{whole}0"
        elif whole[-2] not in (whole[-1], "0"):
            yield whole[:-2] + whole[-1] + whole[-2]


# Starts


def _is_start(code: Code, node: ast.AST) -> bool:
    """Whether a constant is what a variable starts with that a loop goes on to change."""
    assign = code.parent(node)
    if not isinstance(assign, ast.Assign) or len(assign.targets) != 1 or not isinstance(assign.targets[0], ast.Name):
        return False
    name, block = assign.targets[0].id, code.block(assign)
    later = block[block.index(assign) + 1 :] if assign in block else []
    loops = (loop for loop in later if isinstance(loop, Loop))
    adds_up = isinstance(node, ast.Constant) and not isinstance(node.value, bool)
    return any(_changes(part, name, adds_up) for loop in loops for part in ast.walk(loop))


def _changes(node: ast.AST, name: str, adds_up: bool) -> bool:
    """Whether a statement binds a name anew, and, where that is asked for, goes by its value."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    if not isinstance(node, ast.Assign) or name not in [*target_names(node)]:
        return False
    return not adds_up or loads(node.value, name) > 0


@operator("logic", "wrong starting value", effect="The loop works with a wrong value from its first round on.")
def wrong_start(code: Code) -> Sites:
    """A variable that a loop builds up starts with the wrong value."""
    others = {"0": "1", "1": "0", "True": "False", "False": "True", "0.0": "1.0", "1.0": "0.0", "-1": "0"}
    for node in code.all(ast.Constant, ast.UnaryOp, ast.Call):
        text = code.source(node).replace("'", '"')
        wrong = "0" if text in ('float("inf")', 'float("-inf")') else others.get(text)
        if wrong is not None and _is_start(code, node):
            assign = code.statement(node)
            assert isinstance(assign, ast.Assign)  # as `_is_start` says
            yield change(code.span(node), wrong, code.span(assign), name=code.source(assign.targets[0]))


# Ranges


@operator("logic", "range with a wrong bound", effect="The loop leaves out its first or last round.")
def range_bound(code: Code) -> Sites:
    """A range begins one too late or ends one too early."""
    for call in code.all(ast.Call):
        if called_name(code, call) != "range" or call.keywords or any(isinstance(a, ast.Starred) for a in call.args):
            continue
        shown, down = code.span(call), _counts_down(code, call)
        if down is None:
            continue
        stop = call.args[1 if len(call.args) > 1 else 0]
        yield from shifted(code, stop, 1 if down else -1, shown)
        if len(call.args) > 1:
            yield from shifted(code, call.args[0], -1 if down else 1, shown)
        elif not isinstance(stop, ast.Constant):
            yield added(code.wrapped(stop)[0], "1, ", shown)


def _counts_down(code: Code, call: ast.Call) -> bool | None:
    """Whether a range counts down; None where that cannot be told."""
    if len(call.args) < 3:
        return False if call.args else None
    step = _whole_number(code, call.args[2])
    return {1: False, -1: True}.get(step or 0)


# Arithmetic


def _is_text(code: Code, *sides: ast.AST) -> bool:
    """Whether an operation is on texts or collections and no arithmetic."""
    if any(isinstance(part, ast.JoinedStr | ast.List | ast.ListComp) for side in sides for part in ast.walk(side)):
        return True
    return any(kind_of(code, side) in _NOT_NUMBERS for side in sides)


def _are_both_constant(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)


@operator("logic", "wrong arithmetic operator")
def wrong_arithmetic(code: Code) -> Sites:
    """A calculation uses another operation than it should, such as minus for plus."""
    for node in code.all(ast.BinOp, ast.AugAssign):
        left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        if _is_text(code, left, right) or (isinstance(node, ast.BinOp) and _are_both_constant(node)):
            continue
        span = code.between(left, right)
        sign = code.text[slice(*span)]
        other = _OTHER_SIGN.get(sign.removesuffix("=")) if not _twice_two(sign, left, right) else None
        if other is not None:
            yield change(span, other + ("=" if sign.endswith("=") else ""), code.span(node))


def _twice_two(sign: str, left: ast.AST, right: ast.AST) -> bool:
    """Whether the other operation could give the same number each time: x ** 1, x * 0, x + 0."""
    numbers = [side.value for side in (left, right) if isinstance(side, ast.Constant)]
    return (sign.startswith("*") and 1 in numbers) or (sign[0] in "+-" and 0 in numbers)


@operator("logic", "true division and integer division confused")
def wrong_division(code: Code) -> Sites:
    """A division rounds down where it should not, or does not where it should."""
    for node in code.all(ast.BinOp, ast.AugAssign):
        left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        span = code.between(left, right)
        sign = code.text[slice(*span)]
        if sign in _DIVISION and not _is_text(code, left, right):
            yield change(span, _DIVISION[sign], code.span(node))


@operator("logic", "operands swapped")
def operands_swapped(code: Code) -> Sites:
    """The two sides of a subtraction, a division or the like have changed places."""
    for node in code.all(ast.BinOp):
        ordered = isinstance(node.op, _NOT_COMMUTATIVE) and not _is_text(code, node.left)
        joined = isinstance(node.op, ast.Add) and _is_text(code, node.left, node.right)
        apart = ast.dump(node.left) != ast.dump(node.right) and not _are_both_constant(node)
        if (ordered or joined) and apart and is_atom(code, node.left) and is_atom(code, node.right):
            yield swap(code, code.wrapped(node.left), code.wrapped(node.right), code.span(node))


@operator("logic", "parentheses missing", effect="The parts are worked out in another order.")
def parentheses_dropped(code: Code) -> Sites:
    """Parentheses that decide what is worked out first are not there."""
    for node in code.all(ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp):
        start, end = code.wrapped(node)
        parent = code.parent(node)
        if start == code.span(node)[0] or not isinstance(parent, ast.BinOp | ast.BoolOp | ast.UnaryOp | ast.Compare):
            continue
        if not _is_the_same_without(node, parent):
            edits = Edit(start, start + 1, ""), Edit(end - 1, end, "")
            shown = code.span(parent)
            yield Site(edits, shown, shown[0])


def _is_the_same_without(node: ast.AST, parent: ast.AST) -> bool:
    """Whether an operation may be worked out in any order: a + (b + c), a + (b - c), a and (b and c)."""
    if isinstance(node, ast.BinOp) and isinstance(parent, ast.BinOp):
        if isinstance(parent.op, ast.Add | ast.Mult) and isinstance(node.op, ast.Sub | ast.Div):
            return isinstance(parent.op, ast.Add) == isinstance(node.op, ast.Sub)
        return isinstance(parent.op, _ASSOCIATIVE) and type(node.op) is type(parent.op)
    return isinstance(node, ast.BoolOp) and isinstance(parent, ast.BoolOp) and type(node.op) is type(parent.op)


@operator("logic", "closing parenthesis in the wrong place", effect="The call gets another argument than it should.")
def misplaced_parenthesis(code: Code) -> Sites:
    """A call is closed one term too late or one term too early."""
    for node in code.all(ast.BinOp):
        yield from _closed_late(code, node)
        yield from _closed_early(code, node)


def _closed_late(code: Code, node: ast.BinOp) -> Sites:
    """len(a) - 1 becomes len(a - 1)."""
    call, right = node.left, node.right
    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords or not isinstance(right, _ATOM):
        return
    if called_name(code, call) in _SAME_INSIDE or isinstance(call.args[0], ast.GeneratorExp | ast.Starred):
        return
    end, last = code.span(call)[1], code.span(right)[1]
    if code.wrapped(call)[1] == end and code.wrapped(right)[1] == last:
        shown = code.span(node)
        yield Site((Edit(end - 1, end, ""), Edit(last, last, ")")), shown, shown[0])


def _closed_early(code: Code, node: ast.BinOp) -> Sites:
    """int(a / b) becomes int(a) / b."""
    call = code.parent(node)
    if not isinstance(call, ast.Call) or not call.args or call.args[-1] is not node or call.keywords:
        return
    if not isinstance(node.right, _ATOM) or called_name(code, call) in ("print", "list", "range", None):
        return
    after, end = code.wrapped(node.left)[1], code.span(call)[1]
    if code.wrapped(node) == code.span(node):
        shown = code.span(call)
        yield Site((Edit(after, after, ")"), Edit(end - 1, end, "")), shown, shown[0])


@operator("logic", "assignment in place of an update", effect="What the variable held before is lost each time.")
def update_to_assignment(code: Code) -> Sites:
    """A value is assigned where it should be added to what is there (`=` for `+=`)."""
    for node in code.all(ast.AugAssign):
        span = code.between(node.target, node.value)
        yield change(span, "=", code.span(node), name=code.source(node.target))
