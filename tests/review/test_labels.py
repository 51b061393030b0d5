"""Labels outlive whatever happens after they were given, and nothing that was said is ever lost or changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import RunStopped, UserError
from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Row, Rows
from tests.review.runs import JUDGE, make_run, sample


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with Rows(make_run(tmp_path_factory.mktemp("run"), 40, 10)) as found:
        yield found


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[Labels]:
    with Labels(tmp_path) as found:
        yield found


def _row(rows: Rows, number: int) -> Row:
    return rows.at([number])[0]


def test_a_label_keeps_what_was_known_when_it_was_given(rows: Rows, labels: Labels) -> None:
    row = _row(rows, 3)
    label = labels.add(
        row, " Ann  Lee", "accept", tags=["odd", "odd"], note="fine\n", blind=True, judge=JUDGE, drawn="d"
    )
    assert labels.counting() == [label]
    assert label == Label(
        1,
        row.id,
        "Ann Lee",
        "accept",
        ("odd",),
        "fine\n",
        True,
        JUDGE,
        row.score(JUDGE),
        True,
        "sample",
        "d",
        row.content,
        label.at,
        ("d",),
    )
    assert label.right is True


def test_a_later_label_of_a_person_takes_the_place_of_the_earlier(rows: Rows, labels: Labels) -> None:
    labels.add(_row(rows, 1), "ann", "accept")
    labels.add(_row(rows, 1), "bob", "unsure")
    last = labels.add(_row(rows, 1), "ann", "reject")
    assert [(one.person, one.right) for one in labels.of(_row(rows, 1).id)] == [("bob", None), ("ann", False)]
    assert labels.counting("ann") == [last]
    assert labels.people() == {"ann": 1, "bob": 1}


def test_a_label_keeps_each_lot_by_which_its_row_came_before_that_person(rows: Rows, labels: Labels) -> None:
    row = _row(rows, 1)
    labels.add(row, "ann", "accept", drawn="a|0|samples|own")
    labels.add(row, "bob", "accept", drawn="c|0|samples|own")
    labels.add(row, "ann", "reject", drawn="b|0|samples|own")
    (label,) = labels.counting("ann")
    assert (label.right, label.drawn) == (False, "b|0|samples|own")
    assert label.lots == ("a|0|samples|own", "b|0|samples|own")
    labels.undo("ann")
    assert [one.lots for one in labels.counting("ann")] == [("a|0|samples|own",)]


def test_an_undo_takes_back_the_last_label_of_that_person_and_stays_in_the_file(rows: Rows, labels: Labels) -> None:
    first = labels.add(_row(rows, 1), "ann", "accept")
    labels.add(_row(rows, 1), "ann", "reject")
    labels.add(_row(rows, 2), "bob", "accept")
    undone = labels.undo("ann")
    assert undone is not None
    assert undone.decision == "reject"
    assert labels.of(_row(rows, 1).id) == [first]
    assert labels.undo("ann") == first
    assert labels.undo("ann") is None
    assert labels.people() == {"bob": 1}
    entries = labels._database.execute("select decision from entries order by number").fetchall()
    assert [one for (one,) in entries] == ["accept", "reject", "accept", "undo", "undo"]


SAYS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 4), st.sampled_from(["accept", "reject", "unsure", None]))
)


@given(says=SAYS)
def test_whatever_is_said_and_undone_the_labels_that_count_are_the_last_ones(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, says: list[Any]
) -> None:
    stacks: dict[str, list[tuple[str, str]]] = {"ann": [], "bob": []}
    with Labels(tmp_path_factory.mktemp("labels")) as labels:
        for person, number, decision in says:
            if decision is None:
                undone = labels.undo(person)
                expected = stacks[person].pop() if stacks[person] else None
                assert (undone and (undone.row, undone.decision)) == expected
            else:
                row = _row(rows, number)
                labels.add(row, person, decision)
                stacks[person].append((row.id, decision))
        count = 0
        for person, stack in stacks.items():
            assert {one.row: one.decision for one in labels.counting(person)} == dict(stack)
            count += len(dict(stack))
        assert len(labels) == len(labels.counting()) == count


def test_history_and_tags_begin_with_the_latest_and_the_most_frequent(rows: Rows, labels: Labels) -> None:
    for number in range(5):
        labels.add(_row(rows, number), "ann", "accept", tags=["dull"] if number else ["odd"])
    assert [one.number for one in labels.history(limit=3)] == [5, 4, 3]
    assert labels.history("bob") == []
    assert labels.tags() == ["dull", "odd"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"person": "  "}, "A person's name is 1 to 60 characters"),
        ({"person": "x" * 61}, "A person's name"),
        ({"person": "a\x07b"}, "A person's name"),
        ({"decision": "maybe"}, "one of accept, reject, unsure"),
        ({"tags": ["\u202e"]}, "A tag is"),
        ({"tags": [str(number) for number in range(21)]}, "at most 20 tags"),
        ({"note": "x" * 10_001}, "at most 10,000"),
        ({"note": "\ud800"}, "half a character"),
    ],
)
def test_what_is_no_label_is_refused_and_not_kept(rows: Rows, labels: Labels, given: dict[str, Any], said: str) -> None:
    values: dict[str, Any] = {"person": "ann", "decision": "accept"} | given
    with pytest.raises(UserError, match=said):
        labels.add(_row(rows, 0), values.pop("person"), values.pop("decision"), **values)
    assert len(labels) == 0


def test_a_folder_that_cannot_hold_labels_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunStopped, match="mend the folder's permissions"):
        Labels(tmp_path / "nowhere")


# Each process labels rows of its own and says after each label that it is there.
LABELLING = """
import sys
from pathlib import Path
from retroweave.review.labels import Labels
from retroweave.review.rows import Rows
folder, person, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rows = Rows(folder)
some = rows.at(range(40))
with Labels(folder) as labels:
    for number in range(count):
        labels.add(some[number % 40], person, "accept" if number % 3 else "reject", note=str(number))
        print(number, flush=True)
"""


def _labelling(folder: Path, person: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", LABELLING, str(folder), person, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_several_processes_label_at_once_and_none_loses_a_label(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 40, 0)
    processes = [_labelling(folder, person, 60) for person in ("ann", "bob", "cy")]
    assert [process.wait() for process in processes] == [0, 0, 0]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    with Labels(folder) as labels:
        assert labels.people() == {"ann": 40, "bob": 40, "cy": 40}
        assert labels._database.execute("select count(*) from entries").fetchone() == (180,)


def test_a_process_that_is_killed_loses_no_label_that_it_had_given(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 40, 0)
    told = 0
    for person in ("ann", "bob", "cy"):
        process = _labelling(folder, person, 100_000)
        assert process.stdout is not None
        for _ in range(25):
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
        process.stdout.close()
        process.wait()
        told = int(rest[-1]) if rest else told
        with Labels(folder) as labels:
            notes = {
                int(note)
                for (note,) in labels._database.execute("select note from entries where person = ?", (person,))
            }
            assert set(range(told + 1)) <= notes
            assert labels._database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_every_label_is_synced_to_the_disk(labels: Labels) -> None:
    assert labels._database.execute("pragma synchronous").fetchone() == (2,)
    assert labels._database.execute("pragma journal_mode").fetchone() == ("wal",)


def test_labels_of_another_connection_are_seen(rows: Rows, tmp_path: Path) -> None:
    with Labels(tmp_path) as one, Labels(tmp_path) as other:
        one.add(_row(rows, 1), "ann", "accept")
        assert len(one.counting()) == len(other.counting()) == 1
        other.undo("ann")
        assert one.counting() == other.counting() == []
        other.add(_row(rows, 2), "ann", "accept")
        assert len(one.counting()) == 1


def test_the_hash_of_the_content_is_the_rows_own(labels: Labels, tmp_path: Path) -> None:
    with Rows(make_run(tmp_path / "run", [sample(5)], 0)) as found:
        row = _row(found, 0)
        assert labels.add(row, "ann", "accept").content == row.content
