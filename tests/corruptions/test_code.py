"""The places of a function are those of its text, in characters, and what must stay is known."""

from __future__ import annotations

import ast

import pytest

from retroweave.corruptions.bugs.scope import bound_before, guess
from retroweave.corruptions.code import Code, meaning

SOURCE = '''import functools
LIMIT = 3

@functools.lru_cache(maxsize=3)
def größe(ß: int = 3, *, naïve: "list[int]" = ()) -> int:
    """Of é."""
    def inner(q):
        return q + ß  # größer
    if (n := len(naïve)) > ((ß)) and (not(ß) or "é" < f"{ß}{n + 1}é"):
        return (n + 1) * 2
    return inner(  # why
        ß
    )
'''


def sources(kind: type[ast.AST]) -> list[str]:
    code = Code.of(SOURCE)
    return [code.source(node) for node in code.all(kind)]


def test_a_node_is_found_where_characters_take_several_bytes() -> None:
    assert sources(ast.NamedExpr) == ["n := len(naïve)"]
    assert sources(ast.BinOp) == ["q + ß", "(n + 1) * 2", "n + 1"]
    assert sources(ast.Return) == ["return q + ß", "return (n + 1) * 2", "return inner(  # why\n        ß\n    )"]


def test_the_inside_of_an_f_string_is_left_alone() -> None:
    assert "{ß}" not in "".join(sources(ast.FormattedValue))
    assert sources(ast.JoinedStr) == ['f"{ß}{n + 1}é"']
    tokens = [token.text for token in Code.of(SOURCE).tokens if token.text.startswith("f")]
    assert tokens == ["functools", "functools", 'f"{ß}{n + 1}é"']


def test_a_group_is_told_from_a_call() -> None:
    code = Code.of(SOURCE)
    wrapped = {code.text[slice(*code.wrapped(node))] for node in code.all(ast.Name)}
    assert {"((ß))", "(ß)", "ß", "naïve"} <= wrapped
    assert "(naïve)" not in wrapped
    compared = next(code.all(ast.Compare))
    assert code.text[slice(*code.between(compared.left, compared.comparators[0]))] == ">"


@pytest.mark.parametrize(
    "kept", ["import", "LIMIT", "lru_cache", "maxsize", "int = 3", "Of é", "größer", "list[int]", "int:", "# why"]
)
def test_what_must_stay_may_not_change(kept: str) -> None:
    start = SOURCE.index(kept)
    assert not Code.of(SOURCE).may_change(start, start + 3)


@pytest.mark.parametrize("free", ["= 3, *", "= ()", "q + ß", "n + 1) * 2", "return inner"])
def test_the_rest_of_a_function_may_change(free: str) -> None:
    start = SOURCE.index(free)
    assert Code.of(SOURCE).may_change(start, start + len(free))


def test_the_nodes_outside_functions_are_not_there() -> None:
    assert all("LIMIT" not in source and "cache" not in source for source in sources(ast.AST))


def test_a_statement_has_lines_where_nothing_else_stands_on_them() -> None:
    code = Code.of("def f(a):\n    b = 1; c = 2\n    d = 3  # why\n    if a: e = 4\n    return (\n        a)\n")
    lines = {code.source(node): code.lines_of(node) for node in code.nodes if isinstance(node, ast.stmt)}
    free = [source for source, span in lines.items() if span is not None and source.count("\n") < 2]
    assert free == ["if a: e = 4", "return (\n        a)"]
    assert code.text[slice(*(lines["if a: e = 4"] or (0, 0)))] == "    if a: e = 4\n"


def test_a_loop_is_that_of_the_same_function() -> None:
    code = Code.of("def f(a):\n    for x in a:\n        def g(b):\n            return b\n        c = x\n    return a\n")
    found = {code.source(node): code.loop(node) for node in code.all(ast.Return, ast.Assign)}
    assert {source: loop is not None for source, loop in found.items()} == {
        "return b": False,
        "c = x": True,
        "return a": False,
    }


def test_two_texts_of_one_meaning_are_told_from_two_of_different_ones() -> None:
    assert meaning("def f(a):\n    return (a)\n") == meaning("def f(a):\n\n    # so\n    return a\n")
    assert meaning("def f(a):\n    return 1\n") != meaning("def f(a):\n    return True\n")
    assert meaning("def f(a):\n    return a < 1\n") != meaning("def f(a):\n    return a <= 1\n")
    assert meaning("def f(a):\n    break\n") is None


def test_a_variable_is_bound_before_only_where_it_always_has_a_value() -> None:
    code = Code.of(
        "def f(a, *rest, b=1):\n    c = a\n    if a:\n        d = 1\n    for e in rest:\n        g(e)\n"
        "    global h\n    h = 2\n    return [i for i in a if i]\n"
    )
    returned = [node for node in code.all(ast.Name) if node.id == "i" and isinstance(node.ctx, ast.Load)]
    assert bound_before(code, returned[0]) == ["i", "c", "a", "b"]
    inside = next(node for node in code.all(ast.Name) if node.id == "e" and isinstance(node.ctx, ast.Load))
    assert bound_before(code, inside) == ["e", "c", "a", "b"]


def test_the_kind_of_a_variable_is_guessed_from_what_is_done_with_it() -> None:
    code = Code.of(
        "def f(a: int, b, c='x', d=None):\n    e = [1]\n    for i in range(3):\n        b.append(i)\n"
        "    g, h = 1, 'y'\n    return a\n"
    )
    function = next(code.all(ast.FunctionDef))
    kinds = {name: guess(code, function, name) for name in "abcdeighx"}
    assert kinds == {
        "a": "number", "b": "list", "c": "str", "d": None, "e": "list", "i": "number", "g": "number", "h": "str",
        "x": None,
    }  # fmt: skip
