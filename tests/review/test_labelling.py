"""Labelling in a real browser: by keys, without a script, blind, and through the death of the server."""

from __future__ import annotations

import re
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

from retroweave.review.labels import Labels
from retroweave.review.rows import Row, Rows
from tests.review.conftest import Review, Reviews, Window
from tests.review.projects import is_right


def labels_of(run_dir: Path, person: str = "ann") -> list[Any]:
    """What stands on the disk, read by another process than the server's."""
    with Labels(run_dir) as labels:
        return labels.counting(person)


def shown_is_right(page: Any) -> bool:
    """Whether the row in the window is right, by what a person can read there."""
    text = page.inner_text("article")
    found = re.search(r"number \d+: (\d+ \+ \d+) *\n.*?\n(\d+)\n", text, re.DOTALL)
    assert found, text
    return is_right(found[1], found[2])


def press(page: Any, key: str, count: int) -> None:
    """Press a key, and wait until the row after it is there."""
    page.keyboard.press(key)
    page.wait_for_selector(f"[data-count='{count}']:not([aria-busy])")
    page.wait_for_function("!document.body.hasAttribute('aria-busy')")


def label_some(page: Any, first: int, last: int) -> list[float]:
    """Label rows by keys, rightly, and say how long each took, in seconds."""
    times = []
    for count in range(first + 1, last + 1):
        key = "a" if shown_is_right(page) else "r"
        began = time.perf_counter()
        press(page, key, count)
        times.append(time.perf_counter() - began)
    return times


def test_fifty_rows_are_labelled_by_keys_and_all_are_on_the_disk(
    sums: Path, reviews: Reviews, window: Window, record_property: Any
) -> None:
    page = window.open(reviews.start(sums), "/label")
    times = label_some(page, 0, 50)
    found = labels_of(sums)
    assert len({label.row for label in found}) == 50
    with Rows(sums) as rows:
        for label in found:
            call = rows.row(label.row).calls[0]
            right = is_right(call["prompt"][-1]["content"].partition(": ")[2].strip(), call["answer"])
            assert label.decision == ("accept" if right else "reject")
            assert label.blind
            assert label.drawn
    record_property("median_ms_of_a_label", round(1000 * statistics.median(times)))
    print(f"median time of a label, key to next row: {1000 * statistics.median(times):.0f} ms")


def test_a_server_that_is_killed_between_two_labels_loses_none(sums: Path, reviews: Reviews, windows: Any) -> None:
    first = reviews.start(sums)
    page = windows().open(first, "/label")
    label_some(page, 0, 7)
    first.kill()
    assert len(labels_of(sums)) == 7
    page = windows().open(reviews.start(sums), "/label")
    assert page.get_attribute(".labelling", "data-count") == "7"
    label_some(page, 7, 9)
    assert len(labels_of(sums)) == 9


def test_a_label_that_cannot_be_kept_leaves_its_row_in_the_window(sums: Path, reviews: Reviews, browser: Any) -> None:
    review = reviews.start(sums)
    page = Window(browser.new_page()).open(review, "/label")
    before = page.inner_text("article")
    review.kill()
    page.keyboard.press("a")
    page.wait_for_selector("[role=alert]")
    assert "Nothing was saved" in page.inner_text("[role=alert]")
    assert page.inner_text("article") == before
    page.context.close()


def test_a_tag_and_a_note_are_kept_and_undo_takes_all_back(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label")
    row = page.inner_text("article")
    page.keyboard.press("t")
    page.keyboard.type("carry, off by ten")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.keyboard.type("aur: a r u z s are letters here, <b>&amp;</b>")
    page.keyboard.press("Enter")
    assert not labels_of(sums)
    press(page, "u", 1)
    (label,) = labels_of(sums)
    assert (label.decision, label.tags) == ("unsure", ("carry", "off by ten"))
    assert label.note == "aur: a r u z s are letters here, <b>&amp;</b>"
    assert page.inner_text("article") != row
    press(page, "z", 0)
    assert page.inner_text("article") == row
    assert not labels_of(sums)


def test_a_row_that_is_passed_over_comes_back_by_undo(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label")
    first = page.inner_text("article")
    page.keyboard.press("s")
    page.wait_for_selector("[data-over='1']")
    assert page.inner_text("article") != first
    page.keyboard.press("z")
    page.wait_for_selector("[data-over='0']")
    assert page.inner_text("article") == first
    assert not labels_of(sums)


def test_two_windows_cannot_label_the_same_row_twice(sums: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(sums)
    page = window.open(review, "/label")
    fields = {"row": page.get_attribute("input[name=row]", "value"), "act": "reject", "as": "ann"}
    assert review.ask("/label", method="POST", fields=fields)[0] == 303
    page.keyboard.press("a")
    page.wait_for_selector("[role=alert]")
    assert [label.decision for label in labels_of(sums)] == ["reject"]


def test_people_are_kept_apart(sums: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(sums)
    page = window.open(review, "/label")
    label_some(page, 0, 3)
    page.click("summary")
    page.fill("#s-as", "bob")
    page.click("text=Use")
    page.wait_for_selector("[data-count='0']")
    label_some(page, 0, 2)
    assert (len(labels_of(sums)), len(labels_of(sums, "bob"))) == (3, 2)


# Blind


def every_blind_page(review: Review, run_dir: Path, count: int) -> list[tuple[Row, str]]:
    """The source of the page of each row, in the order of drawing, with what the row truly is."""
    pages = []
    for _ in range(count):
        source = review.text("/label")
        alias = re.search(r'name="row" value="([^"]+)"', source)
        assert alias
        pages.append(source)
        review.ask("/label", method="POST", fields={"row": alias[1], "act": "unsure", "as": "ann"})
    with Rows(run_dir) as rows:
        return [(rows.row(label.row), source) for label, source in zip(labels_of(run_dir), pages, strict=True)]


def bare(row: Row, source: str) -> str:
    """The page without what a row says and without what counts labels."""
    asked, judged = row.calls[0], row.calls[-1]
    for text in (asked["prompt"][-1]["content"], judged["prompt"][-1]["content"]):
        assert text.strip() in source
        source = source.replace(text.strip(), "TEXT")
    source = re.sub(r'<div class="prose">\d+</div>', "ANSWER", source)
    source = re.sub(r'name="row" value="[0-9a-f]{24}"', "ALIAS", source)
    return re.sub(r'(Row |data-count="|big">|About <b>)\d+', "COUNT", source)


def test_a_blind_page_is_the_same_whatever_the_judge_said(sums: Path, reviews: Reviews) -> None:
    """Two pages differ in the row's own words and in counts, and in nothing else: not in length, order or headers."""
    pages = every_blind_page(reviews.start(sums), sums, 60)
    kinds = {row.kind for row, _ in pages}
    assert kinds == {"sample", "reject"}
    assert len({bare(row, source) for row, source in pages}) == 1


def test_a_blind_page_holds_neither_id_nor_score_nor_verdict(sums: Path, reviews: Reviews) -> None:
    for row, source in every_blind_page(reviews.start(sums), sums, 40):
        score = row.score("fits")
        assert score is not None
        words = source.partition("<article")[2]
        for told in (row.id, f"{score:.2f}", f"{score:.3f}"[1:], "scored below", "accepted", "rejected", row.place):
            assert told not in words, told


def test_a_blind_page_names_no_row_that_can_be_looked_up(sums: Path, reviews: Reviews) -> None:
    review = reviews.start(sums)
    source = review.text("/label")
    alias = re.search(r'name="row" value="([^"]+)"', source)
    assert alias
    assert review.ask(f"/rows/{alias[1]}")[0] == 404
    assert "/rows/" not in source


def test_the_verdict_is_shown_to_who_asks_for_it(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label?verdicts=shown")
    assert re.search(r"(accepted|rejected), 0\.\d\d", page.inner_text(".tally"))
    page.keyboard.press("u")
    page.wait_for_selector("[data-count='1']")
    (label,) = labels_of(sums)
    assert not label.blind


# Without a script


def go(page: Any, what: str) -> None:
    """Click, and wait for the page that comes."""
    with page.expect_navigation():
        page.click(what)


def test_all_of_it_works_without_a_script(sums: Path, reviews: Reviews, windows: Any) -> None:
    window = windows(java_script_enabled=False)
    review = reviews.start(sums)
    page = window.page
    page.goto(review.link)
    page.wait_for_url(lambda url: "token" not in url)
    page.goto(f"{review.address}/label")
    page.fill("#note", "by hand")
    go(page, "button.accept")
    go(page, "button.reject")
    found = labels_of(sums)
    assert [label.decision for label in found] == ["accept", "reject"]
    assert [label.note for label in found] == ["by hand", ""]
    go(page, "text=Undo")
    assert len(labels_of(sums)) == 1
    page.goto(f"{review.address}/rows")
    page.select_option("#f-kind", "reject")
    go(page, "form.sieve button")
    assert page.locator(".rows > li").count() == 40
    assert page.locator(".rows .sample").count() == 0


def test_what_is_labelled_stands_in_a_file_that_others_can_read(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label")
    label_some(page, 0, 1)
    with sqlite3.connect(f"file:{sums / 'labels.sqlite'}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_letters_are_no_verdicts_where_keys_are_off(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label?keys=off")
    page.keyboard.press("a")
    page.click("button.reject")
    page.wait_for_selector("[data-count='1']")
    assert [label.decision for label in labels_of(sums)] == ["reject"]
