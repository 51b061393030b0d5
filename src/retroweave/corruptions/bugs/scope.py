"""What the names of a function mean: which of them are bound where, and what kind of value each seems to hold.

A bug that takes one variable for another is only worth planting where the other one has a value by then, and is only
hard to see where it holds the like. Kinds of values are guessed from annotations, defaults, assignments and use; a name
of which nothing can be told has none. This is no type checker: a wrong guess makes a bug less likely, not wrong.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from retroweave.corruptions.code import Code, Function

__all__ = [
    "bound_before",
    "bound_in",
    "called_name",
    "functions",
    "guess",
    "imported",
    "is_builtin",
    "kind_of",
    "loads",
    "names_known",
    "parameters",
    "target_names",
]

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_CONSTANTS = {bool: "bool", int: "number", float: "number", complex: "number", str: "str", bytes: "bytes"}
_DISPLAYS: dict[type[ast.AST], str] = {
    ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set",
    ast.SetComp: "set", ast.Tuple: "tuple", ast.JoinedStr: "str", ast.Compare: "bool", ast.Lambda: "function",
    ast.GeneratorExp: "iterator",
}  # fmt: skip
_RESULTS = {
    "int": "number", "len": "number", "float": "number", "abs": "number", "sum": "number", "ord": "number",
    "round": "number", "str": "str", "repr": "str", "chr": "str", "hex": "str", "list": "list", "sorted": "list",
    "dict": "dict", "set": "set", "frozenset": "set", "tuple": "tuple", "bool": "bool", "isinstance": "bool",
    "bytes": "bytes", "range": "range", "zip": "iterator", "map": "iterator", "filter": "iterator",
    "reversed": "iterator", "enumerate": "iterator", "Counter": "dict", "defaultdict": "dict", "deque": "list",
    "any": "bool", "all": "bool",
}  # fmt: skip
_METHODS = {
    "append": "list", "extend": "list", "insert": "list", "sort": "list", "lower": "str", "upper": "str",
    "strip": "str", "split": "str", "startswith": "str", "endswith": "str", "join": "str", "lstrip": "str",
    "rstrip": "str", "splitlines": "str", "isdigit": "str", "isalpha": "str", "format": "str", "partition": "str",
    "items": "dict", "keys": "dict", "values": "dict", "setdefault": "dict", "get": "dict", "add": "set",
}  # fmt: skip
_RETURNED = {
    "split": "list", "rsplit": "list", "splitlines": "list", "lower": "str", "upper": "str", "strip": "str",
    "lstrip": "str", "rstrip": "str", "replace": "str", "join": "str", "format": "str", "title": "str",
    "find": "number", "index": "number", "count": "number", "bit_length": "number", "capitalize": "str",
    "startswith": "bool", "endswith": "bool", "isdigit": "bool", "isalpha": "bool", "decode": "str", "zfill": "str",
    "encode": "bytes",
}  # fmt: skip
_ANNOTATIONS = {
    "int": "number", "float": "number", "str": "str", "bytes": "bytes", "bool": "bool", "list": "list", "List": "list",
    "Sequence": "list", "dict": "dict", "Dict": "dict", "Mapping": "dict", "set": "set", "Set": "set",
    "tuple": "tuple", "Tuple": "tuple", "Callable": "function", "Iterable": "list",
}  # fmt: skip
_ARITHMETIC = ast.Sub | ast.Div | ast.FloorDiv | ast.Pow | ast.BitAnd | ast.LShift | ast.RShift


# Names


def is_builtin(code: Code, name: str) -> bool:
    """Whether a name is a built-in that the text does not bind anew."""
    return hasattr(builtins, name) and name not in code.places(names_bound)


def names_bound(code: Code) -> frozenset[str]:
    """All names that the text binds anywhere."""
    return frozenset(_bound_names(code))


def _bound_names(code: Code) -> Iterator[str]:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, Function | ast.ClassDef | ast.ExceptHandler) and node.name:
            yield node.name


def names_known(code: Code) -> frozenset[str]:
    """All names that stand for something: those bound, those read, the built-ins."""
    read = (node.id for node in ast.walk(code.tree) if isinstance(node, ast.Name))
    return code.places(names_bound) | frozenset(chain(read, dir(builtins)))


def called_name(code: Code, call: ast.AST) -> str | None:
    """The built-in that a call calls by its name."""
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and is_builtin(code, call.func.id):
        return call.func.id
    return None


def functions(code: Code) -> dict[str, Function]:
    """The functions of the text by name, the last one of a name."""
    return {node.name: node for node in ast.walk(code.tree) if isinstance(node, Function)}


def imported(code: Code) -> frozenset[str]:
    """The names under which the text has imported something."""
    found = (node.names for node in ast.walk(code.tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return frozenset((alias.asname or alias.name).split(".")[0] for aliases in found for alias in aliases)


def parameters(function: Function) -> list[ast.arg]:
    """The parameters by position or name, without `*args` and `**kwargs`."""
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def target_names(target: ast.AST) -> Iterator[str]:
    """The names that an assignment to a target binds."""
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def loads(root: ast.AST, name: str) -> int:
    """How often a name is read in a part of the text, f-strings included."""
    return sum(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) for node in ast.walk(root)
    )


def bound_in(statement: ast.stmt) -> list[str]:
    """The names that a statement binds whenever it is done."""
    targets: Iterable[ast.AST | None]
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target] if statement.value is not None else []
    elif isinstance(statement, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in statement.items]
    else:
        return []
    return [name for target in targets if target is not None for name in target_names(target)]


def bound_before(code: Code, node: ast.AST) -> list[str]:
    """The variables of the innermost function that have a value wherever a node is reached, the nearest first."""
    found: list[str] = []
    below = node
    for above in code.above(node):
        if isinstance(above, Comprehension) and below not in above.generators[:1]:
            found += (name for part in above.generators for name in target_names(part.target) if below is not part)
        if isinstance(above, ast.For | ast.AsyncFor) and below in above.body:
            found += target_names(above.target)
        if isinstance(below, ast.stmt):
            block = code.block(below)
            earlier = block[: block.index(below)] if below in block else []
            bound = code.places(_bound_by_statement)
            found += (name for statement in reversed(earlier) for name in bound[statement])
        if isinstance(above, ast.Lambda | ast.ClassDef):
            return []
        if isinstance(above, Function):
            found += (parameter.arg for parameter in parameters(above))
            not_own = code.places(_not_own)[above]
            return [name for name in dict.fromkeys(found) if name not in not_own]
        below = above
    return []


def _bound_by_statement(code: Code) -> dict[ast.stmt, list[str]]:
    return {statement: bound_in(statement) for statement in ast.walk(code.tree) if isinstance(statement, ast.stmt)}


def _not_own(code: Code) -> dict[Function, set[str]]:
    """For each function the names that are no plain variables of its own."""
    return {function: _elsewhere(function) for function in ast.walk(code.tree) if isinstance(function, Function)}


def _elsewhere(function: Function) -> set[str]:
    """Names that a function deletes or takes from another scope, and those that are no choice of its author."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            found |= set(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            found.add(node.id)
    return found | {"_", "self", "cls"}


# Kinds of values


def kind_of(code: Code, node: ast.AST | None) -> str | None:
    """What kind of value an expression seems to have."""
    if isinstance(node, ast.Constant):
        return _CONSTANTS.get(type(node.value))
    if isinstance(node, ast.Name):
        return guess(code, code.function(node), node.id) if node in code.places(_editable) else None
    if isinstance(node, ast.Call):
        return _kind_of_result(node)
    if isinstance(node, ast.BinOp):
        return _kind_of_operation(code, node)
    if isinstance(node, ast.UnaryOp):
        return "bool" if isinstance(node.op, ast.Not) else "number"
    return None if node is None else _DISPLAYS.get(type(node))


def _editable(code: Code) -> frozenset[ast.AST]:
    return frozenset(code.nodes)


def _kind_of_result(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Name):
        return _RESULTS.get(call.func.id)
    return _RETURNED.get(call.func.attr) if isinstance(call.func, ast.Attribute) else None


def _kind_of_operation(code: Code, node: ast.BinOp) -> str | None:
    if isinstance(node.op, ast.Add | ast.Mult | ast.Mod):
        sides = {_shallow(node.left), _shallow(node.right)}
        return next((kind for kind in ("str", "list", "tuple", "number") if kind in sides), None)
    return "number" if isinstance(node.op, _ARITHMETIC) else None


def _shallow(node: ast.AST) -> str | None:
    """The kind of an expression without looking up names."""
    if isinstance(node, ast.Constant):
        return _CONSTANTS.get(type(node.value))
    if isinstance(node, ast.Call):
        return _kind_of_result(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _shallow(node.left) or _shallow(node.right)
    return _DISPLAYS.get(type(node))


def guess(code: Code, function: Function, name: str) -> str | None:
    """What kind of value a variable of a function seems to hold."""
    return code.places(_guesses).get(function, {}).get(name)


def _guesses(code: Code) -> dict[Function, dict[str, str]]:
    return {function: _guessed(function) for function in ast.walk(code.tree) if isinstance(function, Function)}


def _guessed(function: Function) -> dict[str, str]:
    """The kind that most signs speak for, by name; the first of those that tie."""
    signs: dict[str, Counter[str]] = {}
    for name, kind, weight in chain(_declared(function), _assigned(function), _used(function)):
        if kind is not None:
            signs.setdefault(name, Counter())[kind] += weight
    return {name: max(found, key=lambda kind: found[kind]) for name, found in signs.items()}


Sign = tuple[str, str | None, int]


def _declared(function: Function) -> Iterator[Sign]:
    arguments = function.args
    for parameter in parameters(function):
        yield parameter.arg, _annotated(parameter.annotation), 8
    positional = [*arguments.posonlyargs, *arguments.args]
    for parameter, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        yield parameter.arg, _shallow(default), 3


def _annotated(annotation: ast.expr | None) -> str | None:
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Attribute):
        return _ANNOTATIONS.get(annotation.attr)
    return _ANNOTATIONS.get(annotation.id) if isinstance(annotation, ast.Name) else None


def _assigned(function: Function) -> Iterator[Sign]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bindings(target, node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, _shallow(node.value), 1
        elif isinstance(node, ast.For | ast.comprehension):
            yield from _counted(node.target, node.iter)


def _bindings(target: ast.expr, value: ast.expr) -> Iterator[Sign]:
    if isinstance(target, ast.Name):
        yield target.id, _shallow(value), 3
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _bindings(one, other)


def _counted(target: ast.expr, iterated: ast.expr) -> Iterator[Sign]:
    """The variable of a loop that counts."""
    if not isinstance(iterated, ast.Call) or not isinstance(iterated.func, ast.Name):
        return
    if iterated.func.id == "range" and isinstance(target, ast.Name):
        yield target.id, "number", 3
    if iterated.func.id == "enumerate" and isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name):
        yield target.elts[0].id, "number", 3


def _used(function: Function) -> Iterator[Sign]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, _METHODS.get(node.attr), 2
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, "function", 2
        elif isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC):
            yield from ((side.id, "number", 1) for side in (node.left, node.right) if isinstance(side, ast.Name))
        elif isinstance(node, ast.Compare):
            yield from _compared(node)


def _compared(node: ast.Compare) -> Iterator[Sign]:
    sides = [node.left, *node.comparators]
    kinds = [kind for kind in map(_shallow, sides) if kind in ("number", "str")]
    for side in sides:
        if isinstance(side, ast.Name) and kinds:
            yield side.id, kinds[0], 1
