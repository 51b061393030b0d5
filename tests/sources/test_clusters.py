"""Copies of a function share a cluster, whatever was renamed, and what only looks alike does not."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.sources.clusters import ALIKE, clusters, shingles

FIRST = '''
def mean(values):
    """The mean."""
    total = 0
    for value in values:
        total += value
    if not values:
        raise ValueError("no values")
    return total / len(values)
'''
RENAMED = FIRST.replace("mean", "average").replace("value", "n").replace("The", "Not the") + "    # at the end\n"
OTHER = """
def words(text):
    found = []
    for word in text.split():
        if word.isalpha():
            found.append(word.lower())
    return sorted(found)
"""


def test_a_copy_with_other_names_comments_and_docstring_is_in_the_cluster() -> None:
    found = clusters({"b": FIRST, "c": RENAMED, "a": OTHER})
    assert found == {"b": "b", "c": "b", "a": "a"}


def test_methods_and_builtins_tell_functions_apart() -> None:
    one = "def f(a):\n    b = a.strip().lower()\n    c = sorted(b)\n    return len(c)\n"
    found = clusters({"1": one, "2": one.replace("strip", "split").replace("lower", "copy").replace("sorted", "set")})
    assert len(set(found.values())) == 2


def test_what_is_like_one_of_a_cluster_belongs_to_it() -> None:
    lines = [f"    a{n} = call_{n}(a, {n})\n" for n in range(40)]
    steps = {str(start): "def f(a):\n" + "".join(lines[start : start + 30]) for start in range(0, 11, 5)}
    sets = {key: shingles(code) for key, code in steps.items()}
    first, last = sets["0"], sets["10"]
    assert len(first & last) / len(first | last) < ALIKE
    assert set(clusters(steps).values()) == {"0"}


def test_a_code_of_a_few_tokens_is_like_itself() -> None:
    assert clusters({"a": "x\n", "b": "x\n", "c": "y\n"}) == {"a": "a", "b": "a", "c": "c"}


LINES = st.sampled_from([f"    v{n} = call_{n % 7}(v, {n % 5})\n" for n in range(20)])


@given(st.lists(st.lists(LINES, min_size=1, max_size=12), min_size=2, max_size=8))
def test_every_pair_that_is_alike_is_found(functions: list[list[str]]) -> None:
    codes = {str(n): "def f(v):\n" + "".join(body) for n, body in enumerate(functions)}
    sets = {key: shingles(code) for key, code in codes.items()}
    found = clusters(codes)
    for one, other in combinations(codes, 2):
        if len(sets[one] & sets[other]) >= ALIKE * len(sets[one] | sets[other]):
            assert found[one] == found[other]


@pytest.mark.parametrize("keys", [("a", "b", "c"), ("c", "b", "a")])
def test_the_order_of_the_codes_does_not_matter(keys: tuple[str, ...]) -> None:
    codes = {"a": FIRST, "b": OTHER, "c": RENAMED}
    assert clusters({key: codes[key] for key in keys}) == {"a": "a", "b": "b", "c": "a"}
