"""While a run's rows are counted nobody waits: the page says so, and goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from retroweave.review.bench import Reviewed
from retroweave.review.rows import Progress, Rows
from tests.review.conftest import Reviews

NEVER = """
delete from facts where name = 'whole';
create trigger never before insert on facts when new.name = 'whole' begin select raise(ignore); end;
"""
"""An index that is not whole, and does not come to be so."""
NOW = "drop trigger never; insert into facts values ('whole', '');"


@dataclass
class Counting:
    """Rows of which more are known at each look."""

    at: list[Progress]
    finished: bool = True
    looks: list[Progress] = field(default_factory=list)

    @property
    def indexed(self) -> Progress:
        self.looks.append(self.at[min(len(self.looks), len(self.at) - 1)])
        return self.looks[-1]


def _is_indexed(rows: Counting) -> bool:
    opened: Any = Reviewed.__new__(Reviewed)
    opened.rows = rows
    return bool(asyncio.run(opened.is_indexed()))


def test_many_rows_are_not_waited_for() -> None:
    rows = Counting([Progress(10_000, 900_000)])
    assert not _is_indexed(rows)
    assert len(rows.looks) == 1
    journal = Counting([Progress(1, 500)], finished=False)  # groups of a run that goes on
    assert not _is_indexed(journal)
    assert len(journal.looks) == 1


def test_few_rows_are() -> None:
    rows = Counting([Progress(0, 4_000), Progress(1_000, 4_000), Progress(4_000, 4_000)])
    assert _is_indexed(rows)
    assert len(rows.looks) == 3


def _of_index(run_dir: Path, script: str) -> None:
    with closing(sqlite3.connect(run_dir / "review.sqlite", timeout=20)) as database:
        database.executescript(script)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("path", ["/label", "/calibrate"])
def test_a_page_that_counts_goes_on_by_itself_with_a_script_and_without(
    sums: Path, reviews: Reviews, windows: Any, script: bool, path: str
) -> None:
    with Rows(sums) as rows:
        rows.index()
    _of_index(sums, NEVER)
    window = windows(java_script_enabled=script)
    page = window.open(reviews.start(sums, indexed=False), path)
    assert page.inner_text("h1") == "Counting the rows"
    entries = page.evaluate("history.length") if script else 0
    page.wait_for_timeout(2_500)
    assert page.inner_text("h1") == "Counting the rows"
    _of_index(sums, NOW)
    page.wait_for_selector("button.accept" if path == "/label" else "text=No sample has been labelled yet")
    if script:
        assert page.evaluate("history.length") == entries


def test_a_label_of_a_row_whose_run_is_counted_anew_is_not_kept_and_the_page_says_so(
    sums: Path, reviews: Reviews
) -> None:
    with Rows(sums) as rows:
        rows.index()
    _of_index(sums, NEVER)
    review = reviews.start(sums, indexed=False)
    status, headers, _ = review.ask("/label", method="POST", fields={"row": "x", "act": "accept", "as": "ann"})
    assert (status, headers["location"].endswith("told=anew")) == (303, True)
    assert "Counting the rows" in review.text(headers["location"])
    _of_index(sums, NOW)
    assert "the run was made anew meanwhile" in review.text(headers["location"])
