"""Code in fewer words does what it did, and all that is left stands as it stood."""

from __future__ import annotations

import ast
from collections.abc import Callable
from textwrap import dedent

import pytest

from retroweave.text.python_code import (
    function_text,
    top_functions,
    without_comments,
    without_docstrings,
    without_examples,
)

TALKATIVE = '''\
# What a grade is.
LIMIT = 50  # of a hundred


def _rounded(points):
    """To the nearest five."""

    return 5 * round(points / 5)  # ties to even


def grade(points):
    """Whether it is enough.

    Points are rounded first, so that

    >>> grade(48)
    'enough'

    is what comes, and below that it is not enough:

    >>> grade(12)
    'not # enough'
    >>> grade(0)
    'not # enough'

    Nobody has 51.
    """
    # Rounded, then compared.
    if _rounded(points) >= LIMIT:
        return "enough"
    return "not # enough"
'''


def bare(code: str) -> str:
    """The syntax tree of a code without docstrings, as text."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


@pytest.mark.parametrize("shorten", [without_comments, without_docstrings, without_examples])
def test_what_the_code_does_stays(shorten: Callable[[str], str]) -> None:
    shorter = shorten(TALKATIVE)
    assert len(shorter) < len(TALKATIVE)
    assert bare(shorter) == bare(TALKATIVE)
    lines = iter(TALKATIVE.splitlines())
    assert all(any(line in other for other in lines) for line in shorter.splitlines())


def test_comments_go_and_what_looks_like_one_stays() -> None:
    shorter = without_comments(TALKATIVE)
    assert shorter.startswith("LIMIT = 50\n")
    assert "ties to even" not in shorter
    assert "    if _rounded(points) >= LIMIT:\n" in shorter
    assert shorter.count("not # enough") == TALKATIVE.count("not # enough")


def test_docstrings_go_with_the_empty_line_below_them() -> None:
    shorter = without_docstrings(TALKATIVE)
    assert '"""' not in shorter
    assert "def _rounded(points):\n    return" in shorter
    assert "def grade(points):\n    # Rounded" in shorter


def test_a_docstring_that_is_all_that_a_block_holds_stays() -> None:
    code = 'class TooMuch(ValueError):\n    """More than there is."""\n'
    assert without_docstrings(code) == code


def test_a_docstring_on_the_line_of_its_function_stays() -> None:
    code = 'def f(x): "of x"; return x\n'
    assert without_docstrings(code) == code


def test_examples_go_with_the_sentence_that_ends_in_a_colon_before_them() -> None:
    docstring = ast.get_docstring(ast.parse(without_examples(TALKATIVE)).body[-1])  # type: ignore[arg-type]
    assert docstring == dedent(
        """\
        Whether it is enough.

        Points are rounded first, so that

        Nobody has 51."""
    )


def test_a_docstring_of_examples_alone_goes_as_a_whole() -> None:
    code = 'def f(x):\n    """\n    >>> f(1)\n    2\n    """\n    return x + 1\n'
    assert without_examples(code) == "def f(x):\n    return x + 1\n"


def test_a_docstring_that_begins_with_an_example_goes_as_a_whole() -> None:
    code = 'def f(x):\n    """>>> f(1)\n    2\n    """\n    return x + 1\n'
    assert without_examples(code) == "def f(x):\n    return x + 1\n"


def test_code_without_any_words_stays_as_it_is() -> None:
    code = "def f(x):\n\n    return x\n"
    assert without_comments(code) == without_docstrings(code) == without_examples(code) == code


def test_functions_are_found_with_their_decorators() -> None:
    code = "import functools\n\n\n@functools.cache\ndef f(x):\n    return x\n\n\ndef g(x):\n    return f(x)\n"
    found = top_functions(code)
    assert found == {"f": (4, 6), "g": (9, 10)}
    assert function_text(code, found["f"]) == "@functools.cache\ndef f(x):\n    return x\n"
