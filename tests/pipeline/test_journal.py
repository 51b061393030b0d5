"""The journal keeps what is finished, whatever dies, and says so where it cannot."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.journal import Journal, decode, encode
from retroweave.pipeline.row import Drawn, Leaf


def drawn(index: int, draw: int = 0) -> Drawn:
    return Drawn(draw, index, str(index), f"place {index}", "CC0-1.0", "train", {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.sqlite"


leaf = st.builds(
    Leaf,
    st.sampled_from(["sample", "reject", "failure"]),
    st.lists(st.integers(0, 2**40), min_size=2).map(tuple),
    st.text(),
    st.text(),
    st.text(),
    st.dictionaries(st.text(), st.integers(0, 9) | st.text() | st.booleans() | st.none()),
    st.text(),
)


@given(st.lists(leaf))
def test_leaves_are_read_as_they_were_kept(leaves: list[Leaf]) -> None:
    assert decode(encode(leaves)) == leaves


def test_a_finished_row_is_found_by_draw_and_index(path: Path) -> None:
    journal = Journal(path)
    journal.put([(drawn(3), b"a", False), (drawn(3, draw=1), b"b", False)])
    assert journal.get(drawn(3)) == b"a"
    assert journal.get(drawn(3, draw=1)) == b"b"
    assert journal.get(drawn(4)) is None
    journal.close()


def test_a_failure_is_kept_and_yet_tried_again(path: Path) -> None:
    journal = Journal(path)
    journal.put([(drawn(0), b"failed", True), (drawn(1), b"fine", False)])
    assert journal.get(drawn(0)) is None
    assert len(journal) == 1
    journal.put([(drawn(0), b"mended", False)])
    assert journal.get(drawn(0)) == b"mended"
    assert len(journal) == 2
    journal.close()


def test_beginning_under_another_fingerprint_forgets_the_outcomes(path: Path) -> None:
    journal = Journal(path)
    assert journal.fingerprint() is None
    journal.begin({"seed": 1})
    journal.put([(drawn(0), b"old", False)])
    journal.begin({"seed": 2})
    assert journal.fingerprint() == {"seed": 2}
    assert journal.get(drawn(0)) is None
    journal.close()


def test_what_was_put_outlives_a_process_that_is_killed_in_the_same_moment(path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from retroweave.pipeline.journal import Journal
from retroweave.pipeline.row import Drawn
journal = Journal(Path(sys.argv[1]))
journal.begin({"seed": 1})
for index in range(5):
    journal.put([(Drawn(0, index, "", "", "", "train", {}), b"kept", False)])
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    journal = Journal(path)
    assert journal.fingerprint() == {"seed": 1}
    assert len(journal) == 5
    journal.close()


def test_what_a_full_disk_cut_short_is_taken_back_and_the_next_one_goes_in(path: Path) -> None:
    journal = Journal(path)
    journal.put([(drawn(0), b"small", False)])
    journal._database.execute("pragma max_page_count = 10")
    with pytest.raises(RunStopped, match=r"database or disk is full.*make room.*the same command goes on"):
        journal.put([(drawn(1), b"small", False), (drawn(2), b"x" * 200_000, False)])
    assert journal.get(drawn(1)) is None
    journal.put([(drawn(3), b"small", False)])
    assert len(journal) == 2
    journal.close()


def test_what_an_error_of_the_caller_cut_short_is_taken_back_too(path: Path) -> None:
    def half() -> Iterator[tuple[Drawn, bytes, bool]]:
        yield drawn(0), b"first", False
        raise ValueError("no more")

    journal = Journal(path)
    with pytest.raises(ValueError, match="no more"):
        journal.put(half())
    assert len(journal) == 0
    journal.put([(drawn(1), b"whole", False)])
    assert len(journal) == 1
    journal.close()


def test_a_file_that_is_no_journal_is_an_error_that_names_it(path: Path) -> None:
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(RunStopped, match=r"outcomes\.sqlite' cannot be used: file is not a database"):
        Journal(path)


def test_a_journal_that_is_broken_inside_is_an_error_that_names_it(path: Path) -> None:
    journal = Journal(path)
    journal.put((drawn(index), b"x" * 500, False) for index in range(200))
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    broken = Journal(path)
    with pytest.raises(RunStopped, match=r"outcomes\.sqlite' cannot be used: database disk image is malformed"):
        next(row for row in map(drawn, range(200)) if broken.get(row) is None)
    broken.close()
