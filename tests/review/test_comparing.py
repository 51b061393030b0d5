"""Comparing prompts in a real browser: a version is written, run, judged with its name hidden, and saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.review.conftest import Review, Reviews, Window, retroweave
from tests.review.projects import is_right

RECKON = "---\nmax_tokens: 20\n---\n%% user\nReckon number {{ number }}: {{ sum }}\n"


def write_version(page: Any, review: Review, text: str = RECKON, name: str = "reckon") -> None:
    page.goto(f"{review.address}/compare")
    page.click(".steps-list a:text-is('write')")
    page.fill("textarea", text)
    page.fill("#v-name-1", name)


def sides(page: Any) -> dict[str, bool]:
    """Letter to whether its answer is right."""
    sum_ = page.inner_text(".given-fields dd >> nth=1").strip()
    letters = page.locator(".side").all()
    return {
        one.locator("h2").inner_text(): is_right(sum_, one.locator(".answer").inner_text().strip()) for one in letters
    }


def judge_all(page: Any, count: int) -> None:
    """Pick the right answer of each row, and mark both."""
    for place in range(count):
        page.wait_for_selector(f"[data-head='Row {place + 1} of {count}']")
        found = sides(page)
        for letter, right in found.items():
            page.click(f"button[value='{'passes' if right else 'fails'} {letter}']")
            page.wait_for_selector(f"button[value='{'passes' if right else 'fails'} {letter}'][aria-pressed=true]")
        good = [letter for letter, right in found.items() if right]
        page.keyboard.press(good[0].lower() if len(good) == 1 else "0")
    page.wait_for_selector("[data-head='Results']")


def test_the_better_of_two_prompts_is_found_with_names_hidden_and_saved(
    project: Path, reviews: Reviews, window: Window
) -> None:
    review = reviews.start("out")
    window.open(review)
    page = window.page
    write_version(page, review)
    page.click("form button.main")
    page.wait_for_url("**/compare/seen/*", wait_until="load")
    judge_all(page, 10)
    table = {row.split("\t")[0]: row for row in page.locator("main table >> nth=0").inner_text().splitlines()}
    assert "100%" in table["reckon"]
    assert "100%" not in table["as it is"].split("\t")[2]
    page.select_option("#w-version", "reckon")
    page.click("text=Save the winner")
    page.wait_for_selector("[role=status] p")
    assert (project / "sums" / "write.prompt").read_text() == RECKON
    evidence = next(project.glob("sums/*.evidence.json"))
    assert "reckon" in json.dumps(json.loads(evidence.read_text()))
    made = retroweave("run", "sums.py", "--rows", 50, "--workers", 1, "--out", "new", cwd=project)
    assert "50 samples" in made.stdout


def test_while_it_is_judged_no_page_tells_which_version_is_which(sums: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(sums)
    window.open(review)
    page = window.page
    write_version(page, review)
    page.click("form button.main")
    page.wait_for_url("**/compare/seen/*", wait_until="load")
    place: set[str] = set()
    for number in range(10):
        page.wait_for_selector(f"[data-head='Row {number + 1} of 10']")
        source = review.text(page.url.removeprefix(review.address).partition("?")[0])
        for told in ("reckon", "Reckon", "Work out", "as it is", "free", "cached", "scored below"):
            assert told not in source, told
        place |= {letter for letter, right in sides(page).items() if not right}
        page.keyboard.press("0")
    assert place <= {"A", "B"}


def test_answers_stream_in_one_by_one_and_what_is_known_costs_nothing(project: Path, reviews: Reviews) -> None:
    review = reviews.start("out")
    fields = {"name": "reckon", "text": RECKON, "standing": "1", "rows": "5"}
    headers = {"Accept": "application/x-ndjson"}
    status, got, body = review.ask("/compare/prompt?step=write", method="POST", fields=fields, headers=headers)
    lines = [json.loads(line) for line in body.splitlines()]
    assert (status, got["content-type"]) == (200, "application/x-ndjson")
    assert len(lines) == 11
    assert re.fullmatch(r"/compare/seen/\w+\?told=10\+answers%3A\+5\+stood\+in\+the\+journal.*", lines[-1]["next"])
    assert {name for line in lines[:-1] for name in line} == {"place", "text"}
    assert "reckon" not in body


def test_a_prompt_that_reads_what_is_not_there_is_told_and_kept_in_the_page(
    sums: Path, reviews: Reviews, window: Window
) -> None:
    review = reviews.start(sums)
    window.open(review)
    page = window.page
    write_version(page, review, RECKON.replace("sum", "sums"))
    page.click("form button.main")
    page.wait_for_selector("[role=alert]")
    assert "sums" in page.inner_text("[role=alert]")
    assert "{{ sums }}" in page.input_value("textarea")


def test_a_comparison_works_without_a_script(sums: Path, reviews: Reviews, windows: Any) -> None:
    review = reviews.start(sums)
    page = windows(java_script_enabled=False).page
    page.goto(review.link)
    page.wait_for_url(lambda url: "token" not in url)
    write_version(page, review)
    page.fill("#v-rows", "2")
    with page.expect_navigation(url="**/compare/seen/*"):
        page.click("form button.main")
    for letter in "AB":
        with page.expect_navigation():
            page.click(f"button[value='better {letter}']")
    assert "How the versions did" in page.inner_text("h1")


def test_a_recipe_without_a_run_has_its_prompts_compared(project: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start("sums.py")
    page = window.open(review)
    assert page.locator("nav[aria-label=Views] a").all_inner_texts() == ["Compare"]
    write_version(page, review)
    page.click("form button.main")
    page.wait_for_url("**/compare/seen/*", wait_until="load")
    assert review.ask("/rows")[0] == 404


def test_the_results_say_of_how_many_choices_their_shares_are(project: Path, reviews: Reviews) -> None:
    review = reviews.start("out")
    fields = {"name": "reckon", "text": RECKON, "standing": "1", "rows": "5"}
    status, got, _ = review.ask("/compare/prompt?step=write", method="POST", fields=fields)
    assert status == 303
    seen = got["location"].partition("?")[0]
    told = _words(review.text(f"{seen}/results"))
    assert "Nobody has chosen between the answers yet." in told
    for row, act in (("0-0", "better A"), ("0-1", "better B"), ("0-2", "better "), ("0-3", "better ")):
        review.ask(seen, method="POST", fields={"row": row, "act": act, "as": "ann"})
    told = _words(review.text(f"{seen}/results"))
    assert re.search(r"[012] of 2 \d+ to \d+ %", told)
    assert "Preferred is of the 2 choices in which one answer was the better; in 2 more none was." in told


def _words(source: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", source).split()).replace(" ;", ";")
