"""Bugs are drawn as often as is said, and the same ones each time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from retroweave.corruptions.bugs.planting import planted
from retroweave.corruptions.bugs.quotas import CAPPED, WEIGHTS, chain, draw
from retroweave.corruptions.bugs.site import KINDS, OPERATORS
from retroweave.pipeline.errors import Drop, UserError

SOURCE = '''def totals(rows, limit=10, key=None):
    """The totals of some rows, up to a limit."""
    if not rows:
        raise ValueError("no rows")
    out, count = [], 0
    for row in sorted(rows, key=key):
        name, amount = row["name"].strip(), int(row.get("amount", 0))
        if amount < 0 or name == "":
            continue  # nothing to add
        count += 1
        if len(out) >= limit and count > 1:
            break
        out.append(f"{name}: {amount - 1}")
    return out[:limit]
'''


def test_operators_are_drawn_by_their_weights() -> None:
    rng = Random(1)
    drawn = Counter(bug.operator for _ in range(1500) if (bug := draw(SOURCE, rng)) is not None)
    assert sum(drawn.values()) == 1500
    assert sum(drawn[name] for name in CAPPED) / 1500 < 0.15
    kinds = Counter(dict.fromkeys(KINDS, 0))
    for name, number in drawn.items():
        kinds[OPERATORS[name].kind] += number
    assert all(kinds.values())
    assert drawn["wrong_variable"] > drawn["negated_comparison"] > 0


def test_what_is_capped_stays_within_fifteen_in_a_hundred() -> None:
    assert sum(WEIGHTS[name] for name in CAPPED) / sum(WEIGHTS.values()) < 0.12
    plain = "def f(a):\n    return a\n"
    drawn = [draw(plain, Random(seed)) for seed in range(400)]
    capped = [bug for bug in drawn if bug is not None and bug.operator in CAPPED]
    assert 0 < len(capped) / len(drawn) < 0.15


def test_weights_for_operators_and_kinds_take_the_place_of_the_usual_ones() -> None:
    rng = Random(2)
    drawn = [draw(SOURCE, rng, {"syntax": 1, "boundary": 1}) for _ in range(200)]
    names = Counter(bug.operator for bug in drawn if bug is not None)
    assert 60 < names["boundary"] < 140
    assert {OPERATORS[name].kind for name in names if name != "boundary"} == {"syntax"}


def test_where_only_syntax_is_drawn_another_one_is_found_for_one_without_a_site() -> None:
    plain = "def f(a):\n    return a\n"
    assert all(draw(plain, Random(seed), {"syntax": 1}) is not None for seed in range(50))


def test_weights_that_cannot_be_drawn_by_are_refused() -> None:
    with pytest.raises(UserError, match="Did you mean 'boundary'"):
        draw(SOURCE, Random(1), {"boundery": 1})
    with pytest.raises(UserError, match="weight of 'logic' is -1"):
        draw(SOURCE, Random(1), {"logic": -1})
    with pytest.raises(UserError, match="Give one to at least one"):
        draw(SOURCE, Random(1), {"logic": 0})


def test_no_bug_is_drawn_where_none_fits() -> None:
    assert draw("def f():\n    pass\n", Random(1), {"logic": 1}) is None
    assert draw("x = 1\n", Random(1)) is None
    assert chain("x = 1\n", Random(1), 3) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n",
        "def f():\n    return '\0'\n",
        "def f():\r    pass\n",
        "(" * 5000,
        "\udcff = 1\n",
        "x" + " + x" * 900,
        "\ufeffx = 1\n",
    ],
)
def test_a_text_that_is_no_python_is_dropped(text: str) -> None:
    with pytest.raises(Drop):
        draw(text, Random(1))


def test_a_chain_has_bugs_of_different_operators_that_leave_each_other_alone() -> None:
    for seed in range(40):
        bugs = chain(SOURCE, Random(seed), 5)
        assert len(bugs) >= 3
        assert len({bug.operator for bug in bugs}) == len(bugs)
        text, log = planted(SOURCE, bugs)
        assert [record["operator"] for record in log] == [bug.operator for bug in bugs]
        for record in log:
            assert record["told"].get("now", "") in text.split("\n")[record["line"] - 1]


PRINTS = """
import sys
from random import Random
from retroweave.corruptions.bugs.diagnosis import describe
from retroweave.corruptions.bugs.planting import planted
from retroweave.corruptions.bugs.quotas import chain
source = sys.stdin.read()
for seed in range(25):
    rng = Random(seed)
    text, log = planted(source, chain(source, rng, 3))
    print(ascii(text), ascii(describe(log, rng)))
"""


def test_bugs_do_not_hang_on_the_hash_seed() -> None:
    said = {printed_with(seed) for seed in ("0", "1", "4242")}
    assert len(said) == 1
    assert said.pop().count("\n") == 25


def printed_with(seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-c", PRINTS], input=SOURCE, capture_output=True, text=True, check=True, env=environment
    ).stdout
