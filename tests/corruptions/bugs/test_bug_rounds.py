"""Several bugs are mended in the order in which a person meets them."""

from __future__ import annotations

from random import Random

import pytest

from retroweave.corruptions.bugs.planting import Bug
from retroweave.corruptions.bugs.quotas import chain
from retroweave.corruptions.bugs.rounds import groupings, in_order

SOURCE = """
def table(rows, width=3):
    lines = []
    for row in rows:
        cells = [str(cell).ljust(width) for cell in row]
        if len(cells) > width:
            cells = cells[:width]
        lines.append(" ".join(cells).rstrip())
    if not lines:
        return "nothing"
    return "\\n".join(lines)
"""
STAGES = {"syntax": 0, "name": 1, "type": 1, "access": 1, "logic": 2}


def bugs(seed: int) -> list[Bug]:
    return chain(SOURCE, Random(seed), 3)


@pytest.mark.parametrize("seed", range(30))
def test_what_cannot_be_read_is_mended_before_what_stops_and_that_before_what_is_wrong(seed: int) -> None:
    stages = [STAGES[bug.kind] for bug in in_order(bugs(seed))]
    assert stages == sorted(stages)


@pytest.mark.parametrize("seed", range(10))
def test_every_grouping_holds_each_bug_once_in_order_and_no_group_is_empty(seed: int) -> None:
    found = list(groupings(bugs(seed), Random(seed)))
    assert len(found) == 3
    for groups in found:
        assert len(groups) > 1
        assert all(groups)
        assert [bug for group in groups for bug in group] == in_order(bugs(seed))


def test_one_bug_has_no_grouping() -> None:
    assert list(groupings(bugs(0)[:1], Random(0))) == []


def test_the_order_of_groupings_hangs_on_the_random_numbers_alone() -> None:
    def drawn(seed: int) -> list[list[int]]:
        return [[len(group) for group in groups] for groups in groupings(bugs(0), Random(seed))]

    assert drawn(1) == drawn(1)
    assert len({str(drawn(seed)) for seed in range(20)}) > 1
