"""Logic bugs in statements: what is left out, out of order, in or out of a loop, or not returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from retroweave.corruptions.bugs.conditions import ends_block
from retroweave.corruptions.bugs.scope import bound_before, bound_in, loads, parameters, target_names
from retroweave.corruptions.bugs.site import Edit, Site, Sites, change, operator, removed, removed_lines, swap
from retroweave.corruptions.code import Code, Function, Loop, Span

__all__ = ["header", "simple"]

_SIMPLE = ast.Assign | ast.AugAssign | ast.Expr | ast.AnnAssign
_TALK = frozenset({"print", "debug", "info", "warning", "warn", "log", "write", "flush", "close"})


def simple(code: Code, statement: ast.AST) -> bool:
    """Whether a statement is on one line of its own, without a comment."""
    if not isinstance(statement, ast.stmt):
        return False
    start, end = code.span(statement)
    return code.line_at(start) == code.line_at(end) and code.lines_of(statement) is not None


def header(code: Code, owner: Loop | ast.If) -> Span:
    """The head of a loop or a branch, with its colon."""
    start = code.span(owner)[0]
    colon = code.token_before(code.span(owner.body[0])[0])
    assert colon is not None  # a body comes after a colon
    return start, colon.end


def _is_talk(statement: ast.stmt) -> bool:
    """Whether a statement only tells somebody something, or nothing at all."""
    if not isinstance(statement, ast.Expr):
        return False
    call = statement.value
    if not isinstance(call, ast.Call):
        return True
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    return name in _TALK


def _stays_bound(code: Code, statement: ast.stmt) -> bool:
    """Whether each name that a statement binds has a value before it."""
    before = bound_before(code, statement)
    return all(name in before for name in bound_in(statement))


@operator("logic", "statement missing")
def statement_deleted(code: Code) -> Sites:
    """A line that does part of the work is not there."""
    for node in code.all(ast.Assign, ast.AugAssign, ast.Expr):
        if not _is_talk(node) and _stays_bound(code, node):
            yield from removed_lines(code, node)


@operator("logic", "statements in the wrong order")
def statements_swapped(code: Code) -> Sites:
    """Two lines of which one needs the other stand in the wrong order."""
    for block in code.blocks:
        for first, second in pairwise(block):
            ordered = isinstance(first, _SIMPLE) and isinstance(second, _SIMPLE) and not _is_talk(first)
            if ordered and simple(code, first) and simple(code, second) and _depend(code, first, second):
                one, other = code.span(first), code.span(second)
                site = swap(code, one, other, one)
                yield Site(site.edits, one, one[0], {"second": code.source(first)})


def _depend(code: Code, first: ast.stmt, second: ast.stmt) -> bool:
    """Whether the order of two statements counts and neither order leaves a name without a value."""
    if not _stays_bound(code, first):
        return False
    one, other = _written(first), _written(second)
    return bool(
        any(loads(second, name) for name in one)
        or any(loads(first, name) for name in other)
        or any(name in other for name in one)
    )


def _written(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.AugAssign):
        return list(target_names(statement.target))
    return bound_in(statement)


# In and out of loops


def _after_loops(code: Code) -> Iterator[tuple[Loop, ast.stmt]]:
    """Each loop, and the simple line straight after it that could be indented into it."""
    for block in code.blocks:
        for loop, after in pairwise(block):
            if isinstance(loop, Loop) and not loop.orelse and simple(code, after) and _has_lines(code, loop):
                yield loop, after


def _has_lines(code: Code, loop: Loop) -> bool:
    """Whether the body of a loop stands on lines of its own."""
    return code.indent(loop.body[0]).isspace() and code.indent(loop.body[-1]).isspace()


def _indented(code: Code, loop: Loop, statement: ast.stmt) -> Site:
    """The site that takes a statement into the loop before it."""
    start, last = code.span(statement)[0], loop.body[-1]
    edit = Edit(code.line_start(start), start, code.indent(last))
    return Site((edit,), code.span(statement), start, quotes={"loop": header(code, loop)})


@operator("logic", "return inside a loop", effect="The function is left in the first round that comes to the return.")
def early_return(code: Code) -> Sites:
    """A `return` that belongs after a loop stands inside it."""
    for loop, after in _after_loops(code):
        if isinstance(after, ast.Return) and not ends_block(loop.body):
            yield _indented(code, loop, after)


@operator("logic", "statement moved into a loop", effect="It is done in each round instead of once.")
def moved_into_loop(code: Code) -> Sites:
    """A line that belongs after a loop stands inside it."""
    for loop, after in _after_loops(code):
        if isinstance(after, _SIMPLE) and not ends_block(loop.body) and not _is_talk(after):
            yield _indented(code, loop, after)


@operator("logic", "starting value set inside the loop", effect="Each round begins anew, and only the last one counts.")
def reset_in_loop(code: Code) -> Sites:
    """A variable gets its starting value inside the loop that builds it up, and not before."""
    for block in code.blocks:
        for first, loop in pairwise(block):
            if not isinstance(first, ast.Assign) or not isinstance(loop, Loop) or not simple(code, first):
                continue
            names = bound_in(first)
            lines, inner = code.lines_of(first), loop.body[0]
            if lines is None or not names or not _has_lines(code, loop) or not _builds_up(loop, names[0]):
                continue
            place, own = code.line_start(code.span(inner)[0]), code.source(first)
            edits = Edit(*lines, ""), Edit(place, place, f"{code.indent(inner)}{own}{code.newline}")
            yield Site(edits, (place, place), place, {"name": names[0]}, {"loop": header(code, loop)})


def _builds_up(loop: Loop, name: str) -> bool:
    """Whether a loop goes on from the value of a variable that its own head does not read."""
    head = loop.test if isinstance(loop, ast.While) else loop.iter
    read = sum(loads(statement, name) for statement in loop.body)
    updated = any(
        isinstance(node, ast.AugAssign) and name in target_names(node.target)
        for statement in loop.body
        for node in ast.walk(statement)
    )
    return (read > 0 or updated) and not loads(head, name)


def _dedented(code: Code, owner: Loop | ast.If) -> Sites:
    """The site that takes the last simple line of a body out of it."""
    last = owner.body[-1]
    if len(owner.body) == 1 or owner.orelse or not isinstance(last, _SIMPLE):
        return
    if _is_talk(last) or not simple(code, last):
        return
    start = code.span(last)[0]
    indent = code.indent(owner) if not code.is_elif(owner) else code.indent(code.parent(owner))
    edit = Edit(code.line_start(start), start, indent)
    yield Site((edit,), code.span(last), start, quotes={"head": header(code, owner)})


@operator("logic", "statement moved out of a loop", effect="It is done once, after the last round, instead of in each.")
def moved_out_of_loop(code: Code) -> Sites:
    """The last line of a loop stands after the loop."""
    for loop in code.all(ast.For, ast.AsyncFor, ast.While):
        yield from _dedented(code, loop)


@operator("logic", "statement moved out of a condition", effect="It is done whether the condition holds or not.")
def moved_out_of_condition(code: Code) -> Sites:
    """The last line under an `if` stands after it."""
    for branch in code.all(ast.If):
        yield from _dedented(code, branch)


@operator("logic", "break and continue confused")
def break_continue(code: Code) -> Sites:
    """A loop goes on where it should stop, or stops where it should go on."""
    for node in code.all(ast.Break):
        yield change(code.span(node), "continue")
    for other in code.all(ast.Continue):
        yield change(code.span(other), "break")


# What is returned


@operator("logic", "return missing", effect="The function, or this way through it, gives None.")
def return_forgotten(code: Code) -> Sites:
    """A value is worked out where it should be returned, and thrown away."""
    for node in code.all(ast.Return):
        worked_out = ast.Call | ast.BinOp | ast.Compare | ast.ListComp | ast.BoolOp | ast.DictComp
        if isinstance(node.value, worked_out):
            yield removed((code.span(node)[0], code.wrapped(node.value)[0]), code.span(node))


@operator("logic", "return missing", effect="The function gives None, or goes on where it should end.")
def return_deleted(code: Code) -> Sites:
    """The line that returns the result is not there."""
    for node in code.all(ast.Return):
        if node.value is not None and code.source(node.value) != "None":
            yield from removed_lines(code, node)


@operator("logic", "values in the wrong order")
def tuple_order(code: Code) -> Sites:
    """Two values that are returned or taken apart together have changed places."""
    for node in code.all(ast.Tuple):
        parent = code.parent(node)
        taken = isinstance(parent, ast.Assign) and node in parent.targets and not isinstance(parent.value, ast.Tuple)
        looped = isinstance(parent, ast.For | ast.comprehension) and node is parent.target
        if len(node.elts) != 2 or not (isinstance(parent, ast.Return) or taken or looped):
            continue
        first, second = node.elts
        if ast.dump(first) != ast.dump(second) and not any(isinstance(part, ast.Starred) for part in node.elts):
            shown = code.span(parent) if not looped else code.span(node)
            yield swap(code, code.wrapped(first), code.wrapped(second), shown)


@operator(
    "logic", "simultaneous assignment taken apart", effect="The second value is worked out from the new first one."
)
def assignment_split(code: Code) -> Sites:
    """Two values that must be assigned at once are assigned one after the other."""
    for node in code.all(ast.Assign):
        target, value = node.targets[0], node.value
        if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple) or not simple(code, node):
            continue
        if len(target.elts) != 2 or len(value.elts) != 2 or not isinstance(target.elts[0], ast.Name):
            continue
        if loads(value.elts[1], target.elts[0].id) and len(node.targets) == 1:
            first, second = (
                f"{code.source(one)} = {code.text[slice(*code.wrapped(other))]}"
                for one, other in zip(target.elts, value.elts, strict=True)
            )
            joint = f"{code.newline}{code.indent(node)}"
            new = f"{first}{joint}{second}"
            yield change(code.span(node), new, first=first, second=second, joint=code.source(node))


# What is shared


@operator(
    "logic", "default value shared between calls", effect="What one call puts into it is still there in the next."
)
def shared_default(code: Code) -> Sites:
    """A list or dict as default value is made once, for all calls, and the call that should make its own does not."""
    for function in code.all(ast.FunctionDef):
        for branch in function.body:
            if isinstance(branch, ast.If) and len(branch.body) == 1 and not branch.orelse:
                yield from _shared(code, function, branch)


def _shared(code: Code, function: Function, branch: ast.If) -> Sites:
    made, lines = branch.body[0], code.lines_of(branch)
    if not isinstance(made, ast.Assign) or lines is None or len(function.body) < 2:
        return
    name, value = code.source(made.targets[0]), code.source(made.value)
    if code.source(branch.test) != f"{name} is None" or value not in ("[]", "{}", "set()", "list()", "dict()"):
        return
    default = _default_of(function, name)
    if isinstance(default, ast.Constant) and default.value is None:
        edits = Edit(*code.span(default), value), Edit(*lines, "")
        start = next(code.span(given)[0] for given in parameters(function) if given.arg == name)
        yield Site(edits, (start, code.span(default)[1]), start, {"name": name})


def _default_of(function: Function, name: str) -> ast.expr | None:
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = zip(reversed(positional), reversed(function.args.defaults), strict=False)
    keyword_only = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return next((default for given, default in (*defaults, *keyword_only) if given.arg == name), None)


@operator("logic", "rows that are one and the same list", effect="A change in one row shows in all of them.")
def shared_rows(code: Code) -> Sites:
    """The rows of a table are made by multiplying one list, and so are all the same list."""
    for node in code.all(ast.ListComp):
        loop, makes_list = node.generators[0], isinstance(node.elt, ast.List | ast.BinOp)
        if len(node.generators) > 1 or loop.ifs or not makes_list or not isinstance(loop.iter, ast.Call):
            continue
        counted = code.source(loop.iter.func) == "range" and len(loop.iter.args) == 1
        names = list(target_names(loop.target))
        inner = node.elt.left if isinstance(node.elt, ast.BinOp) else node.elt
        if counted and isinstance(inner, ast.List) and not any(loads(node.elt, name) for name in names):
            count = loop.iter.args[0]
            times = code.source(count) if isinstance(count, ast.Name | ast.Constant) else f"({code.source(count)})"
            yield change((code.wrapped(node.elt)[1], code.span(node)[1]), f"] * {times}", code.span(node))
