"""Bugs in names: one variable or attribute for another, names that are misspelt, missing or taken twice."""

from __future__ import annotations

import ast
from collections import Counter
from difflib import SequenceMatcher

from retroweave.corruptions.bugs.scope import (
    bound_before,
    bound_in,
    guess,
    loads,
    names_known,
    parameters,
    target_names,
)
from retroweave.corruptions.bugs.site import Edit, Site, Sites, change, operator, removed_lines
from retroweave.corruptions.code import Code, Function, Loop, Span

__all__: list[str] = []

_MOST_OTHERS = 3
"""How many other variables a use may be taken for."""
_SHORTEST_MISSPELT = 4
_LONGEST_SHOWN = 70
_MOST_EDITS = 3


def _loads(code: Code) -> list[ast.Name]:
    """The uses of local variables, other than those that are called."""
    return [
        node
        for node in code.all(ast.Name)
        if isinstance(node.ctx, ast.Load) and getattr(code.parent(node), "func", None) is not node
    ]


def _others(code: Code, node: ast.Name) -> list[str]:
    """The variables that one could be taken for: those that hold the like, the most similar names first."""
    bound = bound_before(code, node)
    if node.id not in bound:
        return []
    function = code.function(node)
    kind = guess(code, function, node.id)
    alike = [name for name in bound if name != node.id and _may_be_taken(guess(code, function, name), kind)]
    alike.sort(key=lambda name: (guess(code, function, name) != kind, -_similarity(name, node.id)))
    return alike[:_MOST_OTHERS]


def _may_be_taken(kind: str | None, other: str | None) -> bool:
    return kind is None or other is None or kind == other


def _similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _expression(code: Code, node: ast.AST) -> Span:
    """What to show of a name: the expression or short statement that it stands in."""
    best = code.span(node)
    for above in code.above(node):
        if not isinstance(above, ast.expr | ast.keyword | ast.Return | ast.Assign | ast.AugAssign):
            break
        start, end = code.span(above)
        if end - start > _LONGEST_SHOWN or isinstance(above, ast.JoinedStr) or "\n" in code.text[start:end]:
            break
        best = start, end
    return best


def _taken_for(code: Code, node: ast.Name) -> Sites:
    for other in _others(code, node):
        if not _is_compared_with(code, node, other):
            yield change(code.span(node), other, _expression(code, node), right=node.id, wrong=other)


def _is_compared_with(code: Code, node: ast.Name, other: str) -> bool:
    """Whether the other variable is already the other operand, so that x - y would become x - x."""
    parent = code.parent(node)
    sides = [getattr(parent, "left", None), getattr(parent, "right", None), *getattr(parent, "comparators", [])]
    return any(isinstance(side, ast.Name) and side.id == other for side in sides)


_OPERATIONS = ast.BinOp | ast.Compare | ast.AugAssign | ast.BoolOp | ast.UnaryOp


@operator("name", "wrong variable")
def wrong_variable(code: Code) -> Sites:
    """Another variable of the function is used than the one that is meant."""
    for node in _loads(code):
        if not isinstance(code.parent(node), _OPERATIONS | ast.Return):
            yield from _taken_for(code, node)


@operator("name", "wrong operand")
def wrong_operand(code: Code) -> Sites:
    """A calculation or comparison is done with another variable than the one that is meant."""
    for node in _loads(code):
        if isinstance(code.parent(node), _OPERATIONS):
            yield from _taken_for(code, node)


@operator("name", "wrong variable returned", effect="The caller gets another value than the result.")
def wrong_variable_returned(code: Code) -> Sites:
    """Another variable is returned than the one that holds the result."""
    for node in _loads(code):
        if isinstance(code.parent(node), ast.Return):
            yield from _taken_for(code, node)


_ATTRIBUTES: dict[str, str] = {
    "start": "end", "end": "start", "x": "y", "y": "x", "left": "right", "right": "left", "first": "last",
    "last": "first", "width": "height", "height": "width", "year": "month", "month": "day", "day": "month",
    "hour": "minute", "minute": "second", "second": "minute", "real": "imag", "imag": "real",
    "numerator": "denominator",
    "denominator": "numerator", "prev": "next", "next": "prev", "days": "seconds", "seconds": "days", "row": "col",
    "col": "row", "min": "max", "max": "min", "scheme": "netloc", "netloc": "path", "query": "fragment",
    "ascii_lowercase": "ascii_uppercase", "ascii_uppercase": "ascii_lowercase", "ascii_letters": "ascii_lowercase",
    "digits": "hexdigits", "hexdigits": "digits", "lineno": "col_offset", "key": "value", "value": "key",
    "stdout": "stderr", "stderr": "stdout", "name": "value", "rows": "cols", "columns": "rows",
    "IGNORECASE": "MULTILINE",
}  # fmt: skip
"""Attributes whose values are alike, and the one that each is taken for."""


@operator("name", "wrong attribute")
def wrong_attribute(code: Code) -> Sites:
    """Another attribute of the right object is used than the one that is meant."""
    for node in code.all(ast.Attribute):
        if not isinstance(node.ctx, ast.Load):
            continue
        end, called = code.span(node)[1], _is_called(code, node)
        others = [] if called else _attributes_of(code, node)
        if not others and node.attr in _ATTRIBUTES:
            others = [_ATTRIBUTES[node.attr]]
        for other in others[:2]:
            shown = _expression(code, node)
            yield change((end - len(node.attr), end), other, shown, right=node.attr, wrong=other)


def _is_called(code: Code, node: ast.AST) -> bool:
    return getattr(code.parent(node), "func", None) is node


def _attributes_of(code: Code, node: ast.Attribute) -> list[str]:
    """The other attributes, not called, that the function uses of the same object."""
    base = code.source(node.value)
    function = code.function(node)
    used = (
        other.attr
        for other in code.all(ast.Attribute)
        if not _is_called(code, other) and code.function(other) is function and code.source(other.value) == base
    )
    return [name for name in dict.fromkeys(used) if name != node.attr]


@operator(
    "name",
    "variable not initialised",
    effect="The first use of the name raises an UnboundLocalError or another NameError.",
)
def missing_initialisation(code: Code) -> Sites:
    """The line that gives a variable its first value is not there."""
    for node in code.all(ast.Assign, ast.AnnAssign):
        names = bound_in(node)
        if len(names) != 1 or not _is_bound_elsewhere(code, node, names[0]):
            continue
        if names[0] not in bound_before(code, node) and _is_needed(code, node, names[0]):
            yield from removed_lines(code, node, name=names[0])


def _is_needed(code: Code, statement: ast.stmt, name: str) -> bool:
    """Whether what comes after a statement in its block reads a name before it binds it."""
    block = code.block(statement)
    for after in block[block.index(statement) + 1 :] if statement in block else []:
        if isinstance(after, ast.AugAssign) and name in target_names(after.target):
            return True
        if loads(after, name):
            return True
        if isinstance(after, Loop) and name in _updated(after):
            return True
        if name in bound_in(after):
            return False
    return False


def _updated(loop: ast.stmt) -> list[str]:
    return [name for node in ast.walk(loop) if isinstance(node, ast.AugAssign) for name in target_names(node.target)]


def _is_bound_elsewhere(code: Code, statement: ast.stmt, name: str) -> bool:
    """Whether the function binds a name in other places too, so that the name stays one of its own."""
    return code.places(_bindings)[code.function(statement)][name] > list(target_names(statement)).count(name)


def _bindings(code: Code) -> dict[Function, Counter[str]]:
    """How often each function binds each name."""
    functions = (node for node in ast.walk(code.tree) if isinstance(node, Function))
    return {function: Counter(target_names(function)) for function in functions}


@operator("name", "misspelt name", effect="Reaching it raises a NameError.")
def misspelt_name(code: Code) -> Sites:
    """A variable or function is written with a letter too few or two in the wrong order."""
    known = code.places(names_known)
    for node in code.all(ast.Name):
        if not isinstance(node.ctx, ast.Load) or len(node.id) < _SHORTEST_MISSPELT or not node.id.isascii():
            continue
        for wrong in _misspelt(node.id):
            if wrong not in known and wrong.isidentifier():
                yield change(code.span(node), wrong, _expression(code, node), right=node.id, wrong=wrong)


def _misspelt(name: str) -> list[str]:
    """A name without a letter of its second half, and with two letters changed round."""
    at = len(name) // 2
    found = [name[:at] + name[at + 1 :], name[:at] + name[at + 1] + name[at] + name[at + 2 :]]
    return [wrong for wrong in found if wrong != name]


_FOREIGN_CONSTANTS = {"None": ("null", "nil"), "True": ("true",), "False": ("false",)}


@operator("name", "constant from another language", effect="Reaching it raises a NameError.")
def foreign_constant(code: Code) -> Sites:
    """None, True or False is written as another language writes it."""
    for node in code.all(ast.Constant):
        for wrong in _FOREIGN_CONSTANTS.get(code.source(node), ()):
            if wrong not in code.places(names_known):
                shown = _expression(code, node)
                yield change(code.span(node), wrong, shown, right=code.source(node), wrong=wrong)


@operator("name", "parameter overwritten", effect="What the caller passed is lost before its last use.")
def shadowed_parameter(code: Code) -> Sites:
    """A loop takes the name of a parameter for its own variable, and the parameter is needed later."""
    for loop in code.all(ast.For):
        function, block = code.function(loop), code.block(loop)
        if not isinstance(loop.target, ast.Name) or loop not in block:
            continue
        after = block[block.index(loop) + 1 :]
        uses = [node for node in code.all(ast.Name) if node.id == loop.target.id and code.function(node) is function]
        inside = set(ast.walk(loop))
        if len(uses) > _MOST_EDITS or any(node not in inside for node in uses) or _hidden_uses(code, loop, uses):
            continue
        for given in parameters(function):
            if any(loads(statement, given.arg) for statement in after) and not _names(loop, given.arg):
                edits = tuple(Edit(*code.span(node), given.arg) for node in uses)
                shown = code.span(loop.target)[0], code.span(loop.iter)[1]
                yield Site(edits, shown, shown[0], {"name": given.arg, "right": loop.target.id})


def _hidden_uses(code: Code, loop: ast.For, uses: list[ast.Name]) -> bool:
    """Whether a loop uses its variable where it cannot be edited, as inside an f-string."""
    assert isinstance(loop.target, ast.Name)  # the caller looked
    return sum(isinstance(node, ast.Name) and node.id == loop.target.id for node in ast.walk(loop)) != len(uses)


def _names(loop: ast.For, name: str) -> bool:
    """Whether the body of a loop names something."""
    return any(
        isinstance(node, ast.Name) and node.id == name for statement in loop.body for node in ast.walk(statement)
    )
