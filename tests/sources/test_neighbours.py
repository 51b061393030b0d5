"""Functions of one meaning are near each other, and ways between them come nearer with each step."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.row import side_of
from retroweave.sources.functions import functions
from retroweave.sources.neighbours import MOST, Neighbour, Neighbours, nearness, vectors

CODE = '''
def loudest(calls: list[int]) -> int:
    """The loudest of the calls of a bird, in decibels."""
    found = 0
    for call in calls:
        if call > found:
            found = call
    return found


def softest(calls: list[int]) -> int:
    """The softest of the calls of a bird, in decibels."""
    found = calls[0]
    for call in calls:
        if call < found:
            found = call
    return found


def loud_calls(calls: list[int], limit: int) -> int:
    """How many of the calls of a bird are louder than a limit, in decibels."""
    count = 0
    for call in calls:
        if call > limit:
            count += 1
    return count


def initials(name: str) -> str:
    """The first letters of a person's names."""
    letters = [word[:1].upper() for word in name.split()]
    joined = ".".join(letters)
    return joined + "." if joined else ""
'''
OTHER = CODE[: CODE.index("def softest")].replace("loudest", "loudest_of_all")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "birds.py").write_text(CODE, "utf-8")
    return tmp_path


def read(folder: Path, validation: float = 0.0) -> tuple[Neighbours, dict[str, Neighbour]]:
    source = functions(folder, license="MIT")
    found = Neighbours(source, validation)
    rows = [row.fields for row in source.rows()]
    return found, {row["function"]: found.of(row["code"], row["function"]) for row in rows}


def test_functions_of_one_meaning_are_near_and_others_far(folder: Path) -> None:
    neighbours, named = read(folder)
    near = neighbours.nearness(named["loudest"], named["softest"])
    assert near > 3 * neighbours.nearness(named["loudest"], named["initials"])
    assert [one.name for one in neighbours.near(named["loudest"], 0.1)] == ["softest", "loud_calls"]


def test_one_is_as_near_to_the_other_as_the_other_to_it(folder: Path) -> None:
    neighbours, named = read(folder)
    one, other = named["loudest"], named["loud_calls"]
    assert neighbours.nearness(one, other) == pytest.approx(neighbours.nearness(other, one))
    assert 0 < neighbours.nearness(one, other) < 1


@given(st.text("abcdefgh ", max_size=60), st.text("abcdefgh ", max_size=60))
def test_nearness_is_between_0_and_1(first: str, second: str) -> None:
    code = "def f(a):\n    return a + 1\n"
    found = vectors({"one": (code, "f", first), "other": (code, "f", second)})
    assert 0 <= nearness(found["one"], found["other"]) <= 1 + 1e-9


def test_one_rare_word_in_common_makes_no_neighbours() -> None:
    counted = "def count_of(a):\n    return len(a) - 1\n"
    sized = "def count_to_size(b):\n    if b < 7:\n        return 1\n    return 2\n"
    many = {
        str(number): (f"def f{number}(x):\n    while x:\n        x = x % 3\n", f"f{number}", "") for number in range(9)
    }
    found = vectors({"one": (counted, "count_of", ""), "other": (sized, "count_to_size", ""), **many})
    shared = found["one"].keys() & found["other"].keys()
    assert "word count" in shared
    assert nearness(found["one"], found["other"]) <= MOST * len(shared)
    assert nearness(found["one"], found["other"]) < 0.2


def test_a_way_comes_nearer_with_each_step_and_each_is_between_neighbours(folder: Path) -> None:
    neighbours, named = read(folder)
    target = named["loudest"]
    ways = list(neighbours.paths(target, 0.05, 3, lambda one, other: True))
    assert {len(way) for way in ways} == {2, 3}
    for way in ways:
        assert way[-1] is target
        assert len(set(way)) == len(way)
        to_target = [neighbours.nearness(one, target) for one in way[:-1]]
        assert to_target == sorted(to_target)
        assert all(neighbours.nearness(*pair) >= 0.05 for pair in pairwise(way))


def test_a_step_that_is_refused_is_on_no_way(folder: Path) -> None:
    neighbours, named = read(folder)
    ways = neighbours.paths(named["loudest"], 0.05, 3, lambda one, other: one.name != "softest")
    assert [[one.name for one in way] for way in ways] == [["loud_calls", "loudest"]]


def test_a_way_has_no_more_steps_than_asked_for(folder: Path) -> None:
    neighbours, named = read(folder)
    assert {len(way) for way in neighbours.paths(named["loudest"], 0.05, 1, lambda one, other: True)} == {2}


def test_functions_under_another_licence_are_no_neighbours(folder: Path) -> None:
    (folder / "others.py").write_text(f"# SPDX-License-Identifier: BSD-3-Clause\n{dedent(OTHER)}", "utf-8")
    source = functions(folder, license="MIT", licenses=("MIT", "BSD-3-Clause"))
    neighbours = Neighbours(source, 0)
    licensed = {row.fields["function"]: row.license for row in source.rows()}
    assert licensed["loudest_of_all"] == "BSD-3-Clause"
    for row in source.rows():
        one = neighbours.of(row.fields["code"], row.fields["function"])
        assert all(other.license == row.license for other in neighbours.near(one, 0))


def test_functions_on_the_other_side_of_the_split_are_no_neighbours(folder: Path) -> None:
    neighbours, named = read(folder, 0.5)
    sides = {one.name: one.side for one in named.values()}
    assert set(sides.values()) == {"train", "validation"}
    rows = {row.fields["function"]: row for row in functions(folder, license="MIT").rows()}
    assert all(side_of(rows[name].cluster, 0.5) == side for name, side in sides.items())
    for one in named.values():
        assert all(other.side == one.side for other in neighbours.near(one, 0))


def test_what_is_known_of_a_source_is_told_by_the_source(folder: Path) -> None:
    first = read(folder)[0].fingerprint()
    assert first == read(folder)[0].fingerprint()
    (folder / "more.py").write_text(OTHER, "utf-8")
    assert read(folder)[0].fingerprint() != first
