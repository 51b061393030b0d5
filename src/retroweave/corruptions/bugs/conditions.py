"""Logic bugs in conditions: comparisons, their joining, guards, branches and truth values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from retroweave.corruptions.bugs.site import Site, Sites, added, change, operator, removed, removed_lines, swap
from retroweave.corruptions.code import Code, Span

__all__ = ["ends_block", "is_condition"]

_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_NEGATED = {
    "==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in",
    "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_JOINED = {"and": "or", "or": "and"}
_LEAVES = ast.Return | ast.Raise | ast.Continue | ast.Break
_LONGEST_GUARD = 2


def is_condition(code: Code, node: ast.AST) -> bool:
    """Whether only the truth of an expression counts: a test, or a part of one."""
    parent = code.parent(node)
    while isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
        node, parent = parent, code.parent(parent)
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        return node is parent.test
    return isinstance(parent, ast.comprehension) and node in parent.ifs


def ends_block(block: list[ast.stmt]) -> bool:
    """Whether a block is always left at its end by a jump."""
    return bool(block) and isinstance(block[-1], _LEAVES)


def _compared(code: Code, table: dict[str, str]) -> Sites:
    """The comparisons whose sign stands in a table, changed by it."""
    for node in code.all(ast.Compare):
        for left, right in pairwise([node.left, *node.comparators]):
            if ast.dump(left) == ast.dump(right):
                continue
            span = code.between(left, right)
            sign = " ".join(code.text[slice(*span)].split())
            if sign in table:
                yield change(span, table[sign], (code.wrapped(left)[0], code.wrapped(right)[1]))


@operator("logic", "boundary of a comparison", effect="The case in which both sides are equal is decided wrongly.")
def boundary(code: Code) -> Sites:
    """A comparison takes in the equal case where it should leave it out, or the other way round."""
    return _compared(code, _BOUNDARY)


@operator(
    "logic", "negated comparison", effect="The comparison is true where it should be false, and false where true."
)
def negated_comparison(code: Code) -> Sites:
    """A comparison says the opposite of what it should."""
    return (site for site in _compared(code, _NEGATED) if not _is_in_chain(code, site))


def _is_in_chain(code: Code, site: Site) -> bool:
    """Whether a comparison has neighbours: the negation of a part is not that of the whole."""
    start, end = site.edits[0].start, site.edits[0].end
    chains = (code.span(node) for node in code.all(ast.Compare) if len(node.ops) > 1)
    return any(first < start and end < last for first, last in chains)


@operator("logic", "comparison in the wrong direction")
def flipped_comparison(code: Code) -> Sites:
    """Less and greater are confused."""
    return _compared(code, _FLIPPED)


def _operands(code: Code, node: ast.BoolOp) -> Iterator[tuple[Span, Span]]:
    """Each two operands that follow each other, with their parentheses."""
    return pairwise([code.wrapped(value) for value in node.values])


def _is_decided(code: Code, node: ast.BoolOp) -> bool:
    """Whether a chain of `and` and `or` is a condition or the truth that a function returns."""
    if is_condition(code, node):
        return True
    returned = isinstance(code.parent(node), ast.Return)
    return returned and all(isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp) for value in node.values)


@operator("logic", "part of a condition missing")
def condition_part_dropped(code: Code) -> Sites:
    """A condition of several parts has lost one of them."""
    for node in code.all(ast.BoolOp):
        if not _is_decided(code, node):
            continue
        for first, second in _operands(code, node):
            shown = first[0], second[1]
            yield removed((first[1], second[1]), shown, part=code.text[slice(*second)])
        first, second = next(_operands(code, node))
        yield removed((first[0], second[0]), (first[0], second[1]), part=code.text[slice(*first)])


@operator("logic", "part of a chained comparison missing", effect="One of the two bounds is no longer checked.")
def chain_part_dropped(code: Code) -> Sites:
    """A comparison between two bounds has lost one of them."""
    for node in code.all(ast.Compare):
        if len(node.comparators) != 2:
            continue
        first, middle, last = (code.wrapped(part) for part in (node.left, *node.comparators))
        yield removed((first[0], middle[0]), (first[0], last[1]))
        yield removed((middle[1], last[1]), (first[0], last[1]))


@operator("logic", "guard missing")
def guard_deleted(code: Code) -> Sites:
    """An early check that leaves the function or the round of the loop is not there."""
    for node in code.all(ast.If):
        if node.orelse or len(node.body) > _LONGEST_GUARD or not ends_block(node.body):
            continue
        last = node.body[-1]
        if isinstance(last, ast.Continue) and code.block(node)[-1] is node:
            continue
        yield from removed_lines(code, node, condition=code.source(node.test), exit=code.source(last))


@operator("logic", "condition negated", effect="What should happen when the condition holds happens when it does not.")
def negated_condition(code: Code) -> Sites:
    """A condition has a `not` too many or too few."""
    for node in code.all(ast.UnaryOp):
        if isinstance(node.op, ast.Not) and is_condition(code, node):
            yield removed((code.span(node)[0], code.wrapped(node.operand)[0]), code.span(node))
    for value in code.all(ast.Name, ast.Attribute, ast.Call, ast.Subscript):
        if is_condition(code, value) and not _is_negated(code, value):
            yield added(code.span(value)[0], "not ", code.span(value))


def _is_negated(code: Code, node: ast.AST) -> bool:
    parent = code.parent(node)
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)


@operator("logic", "and and or confused")
def and_or_swapped(code: Code) -> Sites:
    """The parts of a condition are joined by `and` where it should be `or`, or the other way round."""
    for node in code.all(ast.BoolOp):
        signs = [code.between(left, right) for left, right in pairwise(node.values)]
        if len(signs) <= 2 and _is_decided(code, node):
            edits = [change(sign, _JOINED[code.text[slice(*sign)]]).edits[0] for sign in signs]
            shown = code.wrapped(node.values[0])[0], code.wrapped(node.values[-1])[1]
            yield Site(tuple(edits), shown, shown[0])


@operator("logic", "if in place of elif")
def elif_to_if(code: Code) -> Sites:
    """A branch that belongs to the `if` before it stands as an `if` of its own."""
    for node in code.all(ast.If):
        if code.is_elif(node) and not all(map(ends_block, _branches_before(code, node))):
            start = code.span(node)[0]
            yield change((start, start + 4), "if", (start, code.wrapped(node.test)[1]))


def _branches_before(code: Code, branch: ast.If) -> Iterator[list[ast.stmt]]:
    node: ast.AST = branch
    while code.is_elif(node):
        node = code.parent(node)
        assert isinstance(node, ast.If)  # the parent of an elif
        yield node.body


@operator("logic", "branches swapped", effect="Each of the two values is taken in the case of the other.")
def branches_swapped(code: Code) -> Sites:
    """The two values of a conditional expression have changed places."""
    for node in code.all(ast.IfExp):
        loose = (ast.IfExp, ast.Lambda, ast.NamedExpr)
        if not isinstance(node.body, loose) and not isinstance(node.orelse, loose):
            yield swap(code, code.wrapped(node.body), code.wrapped(node.orelse), code.span(node))


@operator("logic", "True and False confused")
def boolean_flipped(code: Code) -> Sites:
    """A truth value that is returned, passed on or stored is the wrong one."""
    for node in code.all(ast.Constant):
        parent = code.parent(node)
        if isinstance(node.value, bool) and isinstance(parent, ast.Return | ast.keyword | ast.Call | ast.Assign):
            shown = code.span(parent) if not isinstance(parent, ast.Call) else code.span(node)
            yield change(code.span(node), str(not node.value), shown)
