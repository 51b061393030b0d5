"""A run opened for looking: every row is found, by page, filter, text and id, with an index and without."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.export.conversation import conversation
from retroweave.export.dataset import DatasetWriter, read_rejects, read_samples
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.journal import Journal, encode
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.review.rows import Filter, NoRow, Page, Rows
from tests.review.runs import JUDGE, make_run, reject, run_json, said, sample


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,600 rows in seven row groups of four files."""
    return make_run(tmp_path_factory.mktemp("run"), 2_000, 600, shard_rows=1_000)


@pytest.fixture(scope="module")
def indexed(run_dir: Path) -> Iterator[Rows]:
    with Rows(run_dir) as rows:
        rows.index()
        yield rows


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Rows]:
    """A run without an index."""
    with Rows(make_run(tmp_path / "bare", 130, 70)) as rows:
        yield rows


def _paged(rows: Rows, chosen: Filter, size: int, backwards: bool = False) -> list[str]:
    """All ids under a filter, page after page."""
    found: list[str] = []
    page = rows.page(chosen, size=size, before=rows.count if backwards else None)
    for _ in range(10_000):
        ids = [line.id for line in page.lines]
        found = ids + found if backwards else found + ids
        at = page.before if backwards else page.after
        if at is None:
            return found
        page = rows.page(chosen, size=size, **({"before": at} if backwards else {"after": at}))
    raise AssertionError("the pages have no end")


FILTERS = [
    Filter(),
    Filter(kinds=("sample",)),
    Filter(kinds=("reject",)),
    Filter(kinds=("reject", "sample"), split="validation"),
    Filter(layout="with_text"),
    Filter(step="is_a_question"),
    Filter(reason="scored below 0.5"),
    Filter(least=0.4, most=0.6),
    Filter(judge=JUDGE, verdict="rejected", least=0.3),
    Filter(verdict="accepted", most=0.55),
    Filter(measures=(("kind", "date"), ("hard", "yes"))),
    Filter(kinds=("sample",), most=0.1),
    Filter(text="answer 17"),
    Filter(kinds=("reject",), text="PASSAGE 1001"),
    Filter(layout="with_text", text="passage\x1b, please"),
    Filter(text="no such text"),
]


def _fits(row: dict[str, object], chosen: Filter) -> bool:
    """By hand, what a filter should let through."""
    is_sample = "id" in row
    provenance = row["provenance"] if is_sample else row
    assert isinstance(provenance, dict)
    verdict = next(iter(provenance["verdicts"]), None)
    kind = "sample" if is_sample else row["kind"]
    measures = provenance.get("measures", {})
    told = {name: {True: "yes", False: "no"}.get(value, value) for name, value in measures.items() if name != "sure"}
    turns = row["messages"] if is_sample else ()
    assert isinstance(turns, list | tuple)
    texts = [turn["content"] for turn in turns]
    if not is_sample:
        call = provenance["calls"][0]
        texts = [
            *(one["answer"] for one in provenance["calls"]),
            call["prompt"][0]["content"],
            row["reason"],
            row["source"],
            row["row"],
            row["step"],
        ]
    score = verdict and verdict["score"]
    return (
        (not chosen.kinds or kind in chosen.kinds)
        and (not chosen.split or row.get("split") == chosen.split)
        and (not chosen.layout or row.get("layout") == chosen.layout)
        and (not chosen.step or row.get("step") == chosen.step)
        and (not chosen.reason or row.get("reason") == chosen.reason)
        and (not chosen.verdict or bool(verdict and verdict["passed"] is (chosen.verdict == "accepted")))
        and (chosen.least is None or (score is not None and score >= chosen.least))
        and (chosen.most is None or (score is not None and score <= chosen.most))
        and all(told.get(name) == value for name, value in chosen.measures)
        and (not chosen.text or any(chosen.text.lower() in text.lower() for text in texts))
    )


def _expected(run_dir: Path, chosen: Filter) -> list[str]:
    samples = [row["id"] for row in read_samples(run_dir) if _fits(row, chosen)]
    return samples + [row["row"].replace("/", "-") for row in read_rejects(run_dir) if _fits(row, chosen)]


@pytest.mark.parametrize("chosen", FILTERS, ids=repr)
def test_the_pages_of_a_filter_hold_the_rows_that_fit_it_and_no_others(indexed: Rows, chosen: Filter) -> None:
    expected = _expected(indexed.run_dir, chosen)
    assert _paged(indexed, chosen, 90) == expected
    assert _paged(indexed, chosen, 90, backwards=True) == expected
    if not chosen.text:
        assert indexed.page(chosen).total == len(expected)


@given(size=st.integers(1, 60), chosen=st.sampled_from([Filter(), Filter(text="answer 1")]))
def test_without_an_index_rows_come_in_the_same_pages(
    tmp_path_factory: pytest.TempPathFactory, size: int, chosen: Filter
) -> None:
    folder = tmp_path_factory.mktemp("bare") / "run"
    with Rows(make_run(folder, 40, 15)) as rows:
        expected = _expected(folder, chosen)
        assert _paged(rows, chosen, size) == expected
        assert _paged(rows, chosen, size, backwards=True) == expected


def test_a_page_goes_back_to_where_it_came_from(indexed: Rows) -> None:
    first = indexed.page(size=50)
    second = indexed.page(size=50, after=first.after)
    assert first.before is None
    back = indexed.page(size=50, before=second.before)
    assert back.lines == first.lines
    assert indexed.page(size=50, after=back.after).lines == second.lines


def test_lines_are_the_same_from_the_index_and_from_the_files(run_dir: Path, indexed: Rows, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(run_dir / "data")
    for name in ("rejects.parquet", "run.json"):
        (tmp_path / name).symlink_to(run_dir / name)
    with Rows(tmp_path) as bare:
        for after in (None, 990, 1_990, 2_500):
            assert bare.page(after=after).lines == indexed.page(after=after).lines


def test_what_a_line_shows_can_be_seen(bare: Rows) -> None:
    line = bare.page().lines[0]
    assert line.asked == "Question 0 of the Passage␛, please?"
    assert line.answered == "the answer 0"
    assert set(line.scores) == {JUDGE}


def test_a_row_is_found_by_its_id_with_an_index_and_without(bare: Rows) -> None:
    ids = [line.id for line in bare.page(size=200).lines]
    unindexed = [bare.row(id) for id in ids]
    bare.index()
    assert [bare.row(id) for id in ids] == unindexed
    assert [row.id for row in unindexed] == ids


def test_a_row_that_is_not_there_is_an_error_that_says_so(bare: Rows, indexed: Rows) -> None:
    for rows in (bare, indexed):
        with pytest.raises(NoRow, match="no row 'nobody'"):
            rows.row("nobody")
        with pytest.raises(NoRow):
            rows.row("0'; drop table lines; --")


def test_a_row_says_how_it_came_to_be(indexed: Rows) -> None:
    row = indexed.row(sample(3)["id"])
    assert (row.kind, row.layout, row.split) == ("sample", "with_text", "train")
    assert [stop.step for stop in row.stops] == ["with_text", JUDGE, "is_a_question", "ask", "fix_answers"]
    assert row.passed(JUDGE) is True
    assert row.score(JUDGE) == row.provenance["verdicts"][0]["score"]
    assert row.score("nobody") is None
    assert conversation(row.sample()).turns


def test_a_reject_says_what_was_asked_and_where_it_ended(indexed: Rows) -> None:
    row = indexed.row("0-100001-0")
    assert (row.kind, row.step, row.messages) == ("reject", JUDGE, ())
    assert [call["answer"] for call in row.calls] == ["What 100001?", "No"]
    assert row.answered == "What 100001?"
    assert indexed.page(Filter(kinds=("reject",))).lines[1].answered == "What 100001?"
    assert row.passed(JUDGE) is False
    assert [stop.step for stop in row.stops] == [JUDGE, "ask"]


def test_what_a_judge_was_told_is_no_part_of_a_row_though_it_gave_no_score(tmp_path: Path) -> None:
    turned = reject(1)
    turned["verdicts"] = []  # it answered a bare no
    with Rows(make_run(tmp_path / "run", 1, [turned])) as rows:
        assert rows.row("0-1-0").answered == rows.page().lines[1].answered == "What 1?"


def test_neighbours_are_those_of_the_filter(indexed: Rows) -> None:
    chosen = Filter(step="is_a_question")
    ids = [line.id for line in indexed.page(chosen).lines]
    assert indexed.neighbours(ids[1], chosen) == (ids[0], ids[2])
    assert indexed.neighbours(ids[0], chosen) == (None, ids[1])


def test_facets_count_what_there_is(indexed: Rows) -> None:
    facets = {name: {one.value: one.count for one in found} for name, found in indexed.facets().items()}
    assert facets["kind"] == {"sample": 2_000, "reject": 600}
    assert facets["step"] == {JUDGE: 450, "is_a_question": 150}
    assert facets["measure:kind"] == dict.fromkeys(("name", "number", "date", "quotation"), 500)
    assert facets["measure:hard"] == {"yes": 667, "no": 1333}
    assert indexed.judges() == [JUDGE]


def test_reasons_that_differ_in_each_row_are_counted_together(tmp_path: Path) -> None:
    rejects = [reject(number, None, reason=f"line {number} is odd") for number in range(700)]
    with Rows(make_run(tmp_path / "run", 3, rejects)) as rows:
        rows.index()
        reasons = {one.value: one.count for one in rows.facets()["reason"]}
        others = rows.page(Filter(reason="other reasons"))
    assert reasons["other reasons"] == others.total
    assert 190 < reasons["other reasons"] < 210


def test_a_search_that_runs_out_of_patience_goes_on_where_it_stopped(indexed: Rows) -> None:
    found, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = indexed.page(Filter(text="answer 1999"), after=after, patience=0)
        found += [line.id for line in page.lines]
        assert page.looked.of == 2_600
        after, pages = page.after, pages + 1
    assert found == [sample(1999)["id"]]
    assert pages == 5
    assert page.looked.finished


def test_a_search_without_patience_leaves_no_row_out(indexed: Rows) -> None:
    for backwards in (False, True):
        found: list[str] = []
        page = indexed.page(Filter(text="the answer"), size=5_000, patience=0, before=2_600 if backwards else None)
        for _ in range(10):
            ids = [line.id for line in page.lines]
            found = ids + found if backwards else found + ids
            at = page.before if backwards else page.after
            if at is None:
                break
            more = {"before": at} if backwards else {"after": at}
            page = indexed.page(Filter(text="the answer"), size=5_000, patience=0, **more)
        assert found == _expected(indexed.run_dir, Filter(kinds=("sample",)))


def test_a_search_under_a_filter_goes_no_further_than_the_index(tmp_path: Path) -> None:
    """What is not indexed yet may fit the filter: it is not passed over, and the search goes on from there."""
    chosen = Filter(kinds=("sample",), text="the answer")
    with Rows(make_run(tmp_path / "run", 2_500, 0)) as rows:
        page = rows.page(chosen, size=5_000, patience=60)
        assert (page.lines, page.after, page.looked.finished) == ((), -1, False)
        rows.index()
        page = rows.page(chosen, size=5_000, after=page.after, patience=60)
        assert len(page.lines) == 2_500
        assert page.after is None


def test_an_index_of_other_files_is_made_anew(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 20, 5)
    with Rows(folder) as rows:
        rows.index()
        assert not rows.changed()
        make_run(folder, 20, 5)  # the same again
        assert not rows.changed()
        make_run(folder, 30, 5)
        assert rows.changed()
    with Rows(folder) as rows:
        assert not rows.indexed.finished
        rows.index()
        assert rows.page(Filter(kinds=("sample",))).total == 30


def test_an_index_that_is_whole_is_not_made_again(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 20, 5)
    with Rows(folder) as rows:
        rows.index()
    watched: list[object] = []
    with Rows(folder) as rows:
        assert rows.indexed.finished
        rows.index(watched.append)
    assert not watched


def test_an_index_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 20, 5)
    (folder / "review.sqlite").write_bytes(b"SQLite format 3\x00 but not really, for it was cut short here" * 40)
    with Rows(folder) as rows:
        rows.index()
        assert rows.page(Filter(kinds=("sample",))).total == 20


def test_a_run_in_a_folder_that_cannot_be_written_is_indexed_elsewhere(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 20, 5)
    (folder / "review.sqlite").mkdir()  # what no permission forbids to root
    with Rows(folder) as rows:
        rows.index()
        assert rows.page(Filter(kinds=("sample",))).total == 20
        elsewhere = rows._index._path
        assert elsewhere.parent != folder
    assert not elsewhere.parent.exists()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(indexed: Rows, wrong: float) -> None:
    with pytest.raises(UserError, match="a number such as"):
        indexed.page(Filter(least=wrong))


def test_two_that_make_the_index_at_once_make_one(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", 3_000, 100)
    with Rows(folder) as one, Rows(folder) as other:
        threads = [threading.Thread(target=rows.index) for rows in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.page(Filter(kinds=("sample",))).total == 3_000
        assert {facet.value: facet.count for facet in other.facets()["kind"]} == {"sample": 3_000, "reject": 100}


def test_closing_ends_the_making_of_the_index(tmp_path: Path) -> None:
    rows = Rows(make_run(tmp_path / "run", 5_000, 0))
    rows.index(lambda progress: rows.close())
    with sqlite3.connect(tmp_path / "run" / "review.sqlite") as database:
        assert database.execute("select count(*) from done").fetchone() == (1,)
    database.close()


def test_a_folder_without_a_run_is_an_error_that_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="retroweave run RECIPE"):
        Rows(tmp_path)


def test_an_empty_run_is_one_page_without_rows(tmp_path: Path) -> None:
    with Rows(make_run(tmp_path / "run", 0, 0)) as rows:
        assert rows.page() == Page((), None, None, 0, rows.indexed)
        rows.index()
        assert rows.indexed.finished
        assert rows.page(Filter(text="x")).lines == ()


def test_rows_of_other_content_have_other_hashes(tmp_path: Path) -> None:
    changed = sample(2, 0.6)
    changed["messages"][1]["content"] = "another answer"
    one, other = (
        make_run(tmp_path / "a", [sample(1), sample(2)], 0),
        make_run(tmp_path / "b", [sample(1, 0.55), changed], 0),
    )
    with Rows(one) as before, Rows(other) as after:
        same, altered = sample(1)["id"], sample(2)["id"]
        assert before.row(same).content == after.row(same).content
        assert before.row(altered).content != after.row(altered).content


def test_a_run_that_has_not_come_to_its_end_is_read_from_its_journal(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "outcomes.sqlite")) as journal:
        journal.begin({"recipe": "questions", "config": {"sure": 0.5}, "seed": 3})
        journal.put([_outcome(number) for number in range(450)])
        with Rows(tmp_path) as rows:
            assert not rows.finished
            assert rows.run["config"] == {"sure": 0.5}
            assert len(_paged(rows, Filter(), 70)) == 900
            rows.index()
            journal.put([_outcome(450)])  # it goes on meanwhile
            assert rows.count == 900
            ids = _paged(rows, Filter(kinds=("reject",)), 70)
            assert ids == [f"0-{number}-1" for number in range(450)]
            assert _paged(rows, Filter(text="answer 449"), 70) == [sample(449)["id"]]
            assert rows.row("0-7-1").reason == "scored below 0.5"
            assert rows.row(sample(7)["id"]).messages[1]["content"] == "the answer 7"
        with Rows(tmp_path) as rows:
            assert not rows.indexed.finished
            assert len(_paged(rows, Filter(), 200)) == 902


def _outcome(number: int) -> tuple[Drawn, bytes, bool]:
    drawn = Drawn(0, number, f"k{number}", "here", "CC0-1.0", "train", {})
    lost = said(number, 0.2, passed=False)
    leaves = [
        Leaf("sample", (0, number, 0), "with_text", sample=sample(number), place="here"),
        Leaf("reject", (0, number, 1), JUDGE, "scored below 0.5", sample=lost, place="here"),
    ]
    return drawn, encode(leaves), False


def test_a_set_that_calls_tools_is_read_and_searched_like_any_other(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    call = {"type": "function", "function": {"name": "look", "arguments": {"where": 'the "north" room'}}}
    turns = [
        {"role": "user", "content": "Is it empty?", "train": False},
        {"role": "assistant", "content": "", "train": True, "tool_calls": [call]},
        {"role": "tool", "name": "look", "content": "a stove", "train": False},
    ]
    with DatasetWriter(tmp_path, tools=True) as writer:
        writer.write("train", sample(1, messages=turns, tools=tools))
        writer.write("train", sample(2, messages=turns[:1], tools=[]))
    (tmp_path / "run.json").write_bytes(orjson.dumps(run_json(2, 0)))
    with Rows(tmp_path) as rows:
        row = rows.row(sample(1)["id"])
        assert row.sample()["messages"] == turns
        assert row.sample()["tools"] == tools
        assert "tools" not in rows.row(sample(2)["id"]).sample()
        assert _paged(rows, Filter(text='THE "north"'), 5) == [row.id]
        assert rows.page().lines[0].answered == '→ look where: the "north" room'


# Other outcomes


def test_a_row_knows_what_else_came_of_its_row_in_the_source(tmp_path: Path) -> None:
    other = sample(3, id="other", layout="another")
    again = sample(3, id="again")
    again["provenance"]["source"]["draw"] = 1
    unknown = sample(4, id="unknown")
    del unknown["provenance"]["source"]["index"]
    tries = [reject(3, row=f"0/3/{number}") for number in range(3)]
    folder = make_run(tmp_path / "run", [again, sample(3), other, sample(4), unknown], [*tries, reject(13)])
    with Rows(folder) as rows:
        assert rows.beside(1, 10) == ([], 0)  # nothing is known of it yet
        rows.index()
        lines, count = rows.beside(rows.row(sample(3)["id"]).number, 10)
        assert [line.id for line in lines] == ["other", "0-3-0", "0-3-1", "0-3-2", "again"]
        assert count == 5
        lines, count = rows.beside(rows.row("0-3-1").number, 2)
        assert ([line.id for line in lines], count) == ([sample(3)["id"], "other"], 5)
        for alone in ("unknown", sample(4)["id"], "0-13-0"):
            assert rows.beside(rows.row(alone).number, 10) == ([], 0)


@pytest.mark.parametrize("index", [None, "3", -1, 3.0, 1 << 50])
def test_a_source_that_is_none_has_no_other_outcomes(tmp_path: Path, index: object) -> None:
    odd = sample(3)
    odd["provenance"]["source"]["index"] = index
    with Rows(make_run(tmp_path / "run", [odd, sample(4)], [reject(3, row="a/b"), reject(3, row="5")])) as rows:
        rows.index()
        assert [rows.beside(number, 10) for number in range(4)] == [([], 0)] * 4
