"""A benchmark's function is found again however it is written, and one that is nobody's is left alone."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verifiers.trusted import Trusted

from retroweave.quality.behaviour import RUNGS, Kinds, arities, behaviours, kind_of, ladder
from retroweave.quality.contamination import Benchmarks, Match, screen, shipped
from retroweave.quality.wording import code_hashes, docstring_hashes
from retroweave.verifiers.sandbox import LocalSandbox, open_sandbox

# These are ours, written for the tasks of benchmarks and not after their solutions.
FACTORS = '''
def split_into_primes(number):
    """Take a number apart."""
    found, candidate = [], 2
    while candidate * candidate <= number:
        if number % candidate:
            candidate += 1
            continue
        found += [candidate]
        number //= candidate
    return found + [number] if number > 1 else found
'''
MOST_FREQUENT = """
def favourite(text, _counts=None):
    counts = dict.fromkeys(text, 0)
    for letter in text:
        counts[letter] += 1
    best = max(counts.values())
    return next(letter for letter in text if counts[letter] == best)
"""
MIDDLE = """
def centre(values: list[float]) -> float:
    ordered = sorted(values)
    half, odd = divmod(len(ordered), 2)
    if odd:
        return ordered[half]
    return sum(ordered[half - 1 : half + 1]) / 2
"""
ONES = """
def ones(   value: int) -> int:   # as Kernighan did it
    '''How many there are.'''
    total: int = 0
    while value:
        value &= value - 1
        total += 1
    return total
"""
UNRELATED = '''
def shelf_label(width: int, depth: int = 3) -> str:
    """The label of a shelf in the northern store, by its width and depth in feet."""
    rows = width * 7 // depth + 2
    side = "left" if rows % 2 else "right"
    return f"N{rows:03}-{side}-{width}"
'''
TRIPLE = """
def {name}({a}, {b}):
    for {c} in range({a}):
        {b} = {b} * 3 + {c} - len(str({b}))
    return {b}
"""


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with open_sandbox() as opened:
        yield opened


@pytest.mark.parametrize(
    ("code", "function", "benchmarks"),
    [
        (FACTORS, "split_into_primes", {"HumanEval", "QuixBugs"}),
        (MOST_FREQUENT, "favourite", {"MBPP"}),
        (MIDDLE, "centre", {"HumanEval"}),
    ],
)
def test_a_task_solved_in_other_words_is_found_by_what_it_does(
    code: str, function: str, benchmarks: set[str], sandbox: LocalSandbox
) -> None:
    assert screen(code, function) is None, "neither its name nor its words give it away"
    found = screen(code, function, "", sandbox)
    assert found
    assert found.by == "behaviour"
    assert found.task.partition("/")[0] in benchmarks


def test_a_solution_with_new_names_and_another_layout_is_found_by_its_code() -> None:
    assert screen(ONES, "ones") == Match("QuixBugs/bitcount", "code")


def test_a_solution_that_is_only_a_helper_is_found_too() -> None:
    code = ONES + "\n\ndef weight(bits):\n    total = ones(bits) * 17\n    return total + 1\n"
    assert screen(code, "weight") == Match("QuixBugs/bitcount", "code")


def test_a_function_of_nobodys_is_left_alone(sandbox: LocalSandbox) -> None:
    docstring = "The label of a shelf in the northern store, by its width and depth in feet."
    assert screen(UNRELATED, "shelf_label", docstring, sandbox) is None


def test_a_name_counts_unless_it_is_told_not_to() -> None:
    code = UNRELATED.replace("shelf_label", "median")
    assert str(screen(code, "median")) == "HumanEval/47 by its name"
    assert screen(code, "median", names=False) is None


def test_rejects_can_be_counted_by_benchmark_and_sign() -> None:
    assert Match("MBPP/12", "docstring").reason == Match("MBPP/700", "docstring").reason
    assert "MBPP" in Match("MBPP/12", "docstring").reason


WORDS = "Count the letters of a parcel's label, and add one kopeck of postage for each that is a vowel."
OURS = Benchmarks(
    names={},
    codes={},
    docstrings={"Ours/1": [["none of it"], docstring_hashes(WORDS)]},
    behaviours={},
)


@pytest.mark.parametrize(
    "docstring",
    [
        WORDS,
        WORDS.upper(),
        "Postage.\n\n    count letters of the parcel label, add one kopeck of postage for\n    each that's a vowel!",
        WORDS + "\n\n>>> postage('Riga')\n2\n\nSee the tariff of 1911 for what a consonant costs.",
    ],
)
def test_a_docstring_is_found_by_most_of_its_words(docstring: str) -> None:
    assert screen(UNRELATED, "shelf_label", docstring, benchmarks=OURS) == Match("Ours/1", "docstring")


@pytest.mark.parametrize(
    "docstring", ["", "Count the letters of a label.", "Add one kopeck for each parcel on the pile."]
)
def test_a_docstring_that_shares_a_few_words_is_another(docstring: str) -> None:
    assert screen(UNRELATED, "shelf_label", docstring, benchmarks=OURS) is None


def test_a_docstring_of_a_few_words_is_nobodys() -> None:
    assert docstring_hashes("Return the string rotated left.") == []


names = st.sampled_from(["alpha", "beta", "x", "left", "_n", "rows", "value2"])


@given(st.lists(names, min_size=4, max_size=4, unique=True))
def test_code_has_one_hash_whatever_its_names_are(chosen: list[str]) -> None:
    name, a, b, c = chosen
    plain = TRIPLE.format(name="f", a="a", b="b", c="c")
    assert code_hashes(TRIPLE.format(name=name, a=a, b=b, c=c)) == code_hashes(plain) != []


@pytest.mark.parametrize(("old", "new"), [("3", "4"), ("+", "-"), ("range", "list"), ("len(str(b))", "len(str(a))")])
def test_code_that_does_something_else_has_another_hash(old: str, new: str) -> None:
    plain = TRIPLE.format(name="f", a="a", b="b", c="c")
    assert code_hashes(plain.replace(old, new)) != code_hashes(plain)


def test_code_that_is_very_small_has_no_hash() -> None:
    assert code_hashes("def add(a, b):\n    '''Add two numbers.'''\n    return a + b\n") == []


def acts(code: str, *kinds: str) -> list[tuple[Kinds, str]]:
    return list(behaviours(code, "f", [kinds], Trusted()))


def test_what_does_the_same_has_one_hash_whatever_type_it_answers_in() -> None:
    one = "def f(a):\n    return [float(x * x + 1) for x in a]\n"
    other = "def f(a):\n    return tuple(map(lambda x: x ** 2 + 1, a))\n"
    assert acts(one, "list[int]") == acts(other, "list[int]") != []


def test_what_works_in_place_is_told_by_what_it_leaves() -> None:
    one = "def f(a):\n    a.sort(reverse=True)\n    a.append(a[0])\n"
    other = "def f(a):\n    a[:] = sorted(a)[::-1]\n    a += [max(a)]\n"
    assert acts(one, "list[int]") == acts(other, "list[int]") != []


@pytest.mark.parametrize(
    "body",
    [
        "return a",
        "return a[0]",
        "return [a]",
        "return list(a)",
        "return set(a)",
        "return str(a)",
        "return len(a) > 99",
        "return None",
        "return a.fly()",
    ],
)
def test_what_many_functions_do_by_accident_has_no_hash(body: str) -> None:
    assert acts(f"def f(a):\n    {body}\n", "list[str]") == []


@pytest.mark.parametrize("body", ["return list(a)", "return len(a)", "return a.upper()", "return set(a)"])
def test_what_a_builtin_makes_of_a_text_has_no_hash(body: str) -> None:
    assert acts(f"def f(a):\n    {body}\n", "str") == []


def test_a_yes_or_no_tells_something_where_both_are_given() -> None:
    assert acts("def f(a):\n    return a % 3 == 1\n", "int") != []


def test_a_function_that_never_ends_tells_nothing() -> None:
    assert acts("def f(a):\n    while a:\n        a += 1\n", "int") == []


def test_a_function_is_called_with_as_many_arguments_as_it_takes() -> None:
    assert list(arities("def f(a, b=1, *, c=2): ...", "f")) == [1, 2]
    assert list(arities("def f(a, *, c): ...", "f")) == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, "int"),
        (True, "bool"),
        ([1, 2.5], "float list"),
        ([[1], [2, 3]], "list[list[int]]"),
        ([(1, "a"), (2, "b")], "list[(int,str)]"),
        ((1, 2, 3), "tuple[int]"),
        ((1, "a"), "(int,str)"),
        ({"a": [1]}, "dict[str:list[int]]"),
        ({1, 2}, "set[int]"),
        ([], None),
        ([1, "a"], None),
        (None, None),
    ],
)
def test_values_have_kinds(value: Any, kind: str | None) -> None:
    assert kind_of(value) == ("list[float]" if kind == "float list" else kind)


@pytest.mark.parametrize("kinds", sorted(shipped().behaviours))
def test_the_arguments_of_a_kind_are_of_that_kind(kinds: str) -> None:
    calls = ladder(tuple(kinds.split("; ")))
    assert len(calls) == RUNGS
    assert len({repr(call.args) for call in calls}) > RUNGS // 2 or kinds == "bool"
    for call in calls:
        found = [kind_of(argument) for argument in call.args]
        assert found == kinds.split("; ")


def test_what_ships_is_hashes_and_names_and_no_text() -> None:
    text = files("retroweave.quality").joinpath("benchmarks.json").read_text("utf-8")
    words = {word for value in strings(json.loads(text)) for word in value.split()}
    assert max(map(len, words)) < 70, "a name of a function is the longest word"
    assert not {"return", "def", "Write", "function"} & words


def strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (key, *strings(one))
    else:
        for one in value:
            yield from strings(one)


def test_what_ships_knows_all_three_benchmarks() -> None:
    tasks = {task.partition("/")[0] for tasks in shipped().codes.values() for task in tasks}
    assert tasks == {"HumanEval", "MBPP", "QuixBugs"}
    assert len(shipped().docstrings) > 1100
    assert len(shipped().fingerprint()) == 32
