"""Reading rows in a real browser: filters, permanent links, and texts that try to be more than text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from retroweave.export.excerpt import visible
from retroweave.review.rows import Rows
from tests.review.conftest import Reviews, Window, label_rows
from tests.review.projects import HOSTILE
from tests.review.runs import make_run, reject, sample


def test_the_list_is_filtered_by_outcome_score_and_text(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/rows")
    assert "400 rows" in page.inner_text("main")
    page.select_option("#f-kind", "reject")
    page.wait_for_url("**/rows?*kind=reject*")
    assert page.locator(".rows .outcome.reject").count() == 40
    page.fill("input[name=least]", "0.4")
    page.click("form.sieve button")
    page.wait_for_url("**least=0.4*")
    scores = [float(text) for text in page.locator(".rows .score .figure").all_inner_texts()]
    assert scores
    assert all(0.395 <= score <= 0.5 for score in scores)
    page.goto(page.url.partition("?")[0] + "?text=number+017:")
    assert page.locator(".rows > li").count() == 1


def test_pages_follow_each_other_and_lose_no_row(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/rows")
    seen: list[str] = []
    while True:
        seen += [link.get_attribute("href") for link in page.locator(".rows a").all()]
        if not page.locator("a[rel=next]").count():
            break
        with page.expect_navigation():
            page.click("a[rel=next]")
    assert len(seen) == len(set(seen)) == 400


def test_a_row_has_a_link_of_its_own_that_holds_over_servers(sums: Path, reviews: Reviews, windows: Any) -> None:
    with Rows(sums) as rows:
        lines = [*rows.lines([3]), *rows.lines([rows.count - 1])]
    first, second = reviews.start(sums), reviews.start(sums)
    for line in lines:
        texts = [windows().open(review, f"/rows/{line.id}").inner_text("main") for review in (first, second)]
        assert texts[0] == texts[1]
        assert line.answered in texts[0]


def test_a_row_is_walked_backwards_with_prompt_answer_verdict_and_score(
    sums: Path, reviews: Reviews, window: Window
) -> None:
    review = reviews.start(sums)
    page = window.open(review, "/rows?kind=sample")
    with page.expect_navigation():
        page.click(".rows a >> nth=0")
    steps = page.locator(".trace > li").all_inner_texts()
    assert [text.split("\n")[0].split()[1] for text in steps] == ["layout", "fits", "write"]
    assert "accepted, 0." in steps[1]
    assert "Is it right?" in steps[1]
    assert "Work out number" in steps[2]


def test_a_row_that_is_not_there_is_told(sums: Path, reviews: Reviews) -> None:
    review = reviews.start(sums)
    for id in ("0" * 32, "9-9-9", "..", "<script>", "%2e%2e%2fetc"):
        status, _, body = review.ask(f"/rows/{id}")
        assert status == 404
        assert "<script>alert" not in body


def test_what_an_address_spells_wrongly_is_left_out(sums: Path, reviews: Reviews) -> None:
    review = reviews.start(sums)
    for query in (
        "least=x",
        "after=-1",
        "after=99999999999999999999",
        "kind=nothing",
        "judge=nobody",
        "verdict=1",
        "m.=",
        "least=nan",
    ):
        assert review.ask(f"/rows?{query}")[0] == 200


# Hostile texts


def every_hostile_page(run_dir: Path) -> list[str]:
    with Rows(run_dir) as rows:
        ids = [line.id for line in rows.lines(range(rows.count))]
    return ["/rows", "/label", "/label?verdicts=shown", "/calibrate", *(f"/rows/{id}" for id in ids)]


def test_a_hostile_text_is_shown_as_text_and_does_nothing(hostile: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(hostile)
    window.open(review)
    seen = ""
    for path in every_hostile_page(hostile):
        page = window.page
        page.goto(review.address + path)
        assert "retroweave review" in page.title()
        assert (
            page.locator("main script, main img, main iframe, main [onerror], main a[href^='javascript']").count() == 0
        )
        seen += page.evaluate("document.getElementById('main').textContent")
    for text in HOSTILE[:6]:
        assert visible(text) in seen
    assert "49" not in "".join(line for line in seen.splitlines() if "7*7" in line).replace("${7*7}", "")
    assert all(url.startswith(review.address) for url in window.asked)


def test_a_line_of_a_megabyte_is_survived_and_can_be_had_whole(hostile: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(hostile)
    with Rows(hostile) as rows:
        row = next(
            row for row in rows.at(range(rows.count)) if row.messages and len(row.messages[0]["content"]) > 900_000
        )
    page = window.open(review, f"/rows/{row.id}")
    assert len(page.content()) < 100_000
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with page.expect_navigation():
        page.click("text=all of it as text")
    assert len(page.inner_text("body")) > 1_000_000
    status, headers, body = review.ask(f"/rows/{row.id}/turns/0")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body == row.messages[0]["content"]


def test_code_is_coloured_and_a_diff_is_a_diff(hostile: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(hostile)
    found: dict[str, list[str]] = {"word": [], "added": [], "removed": []}
    window.open(review)
    for path in every_hostile_page(hostile):
        window.page.goto(review.address + path)
        for kind, texts in found.items():
            texts += window.page.locator(f"pre .{kind}").all_inner_texts()
    assert {"def", "return"} <= set(found["word"])
    assert "-<i>old</i>" in "".join(found["removed"])
    assert "+<script>new()</script>" in "".join(found["added"])


def test_all_that_is_stored_is_text(hostile: Path, reviews: Reviews) -> None:
    review = reviews.start(hostile)
    with Rows(hostile) as rows:
        line = next(line for line in rows.lines(range(rows.count)) if "<script>" in line.answered)
    _, headers, body = review.ask(f"/rows/{line.id}/everything")
    assert headers["content-type"].startswith("text/plain")
    assert "<script>document.title" in body


# What everybody needs


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_no_view_is_wider_than_its_window(
    sums: Path, hostile: Path, reviews: Reviews, windows: Any, width: int, scheme: str
) -> None:
    for run in (sums, hostile):
        review = reviews.start(run)
        window = windows(viewport={"width": width, "height": 800}, color_scheme=scheme)
        window.open(review)
        for path in [*every_hostile_page(run)[:8], "/export", "/compare"]:
            window.page.goto(review.address + path)
            wide = window.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} is {wide} px too wide at {width}"


def test_each_view_has_its_landmarks_and_each_field_its_label(sums: Path, reviews: Reviews, window: Window) -> None:
    review = reviews.start(sums)
    window.open(review)
    for path in [*every_hostile_page(sums)[:6], "/export", "/compare"]:
        page = window.page
        page.goto(review.address + path)
        assert page.locator("header, main, nav[aria-label]").count() >= 3
        assert page.locator("h1").count() == 1
        assert page.locator("[aria-current=page]").count() == 1
        bare = page.evaluate(
            "[...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]"
            ".filter(one => !one.labels.length && !one.getAttribute('aria-label')).map(one => one.outerHTML)"
        )
        assert not bare
        repeated = page.evaluate(
            "[...document.querySelectorAll('[id]')].map(one => one.id).filter((id, at, all) => all.indexOf(id) !== at)"
        )
        assert not repeated


def test_keys_alone_lead_through_a_page_and_focus_is_seen(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


CONTRAST = """
() => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = one => {
    for (let at = one; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility() || one.closest(".unseen, .skip, button[disabled]")) continue;
    const style = getComputedStyle(one);
    const ink = light(numbers(one.closest("svg") ? style.fill : style.color)), paper = light(ground(one));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) pale.push(`${one.outerHTML.slice(0, 80)} ${ratio.toFixed(2)}`);
  }
  return pale;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(sums: Path, reviews: Reviews, windows: Any, scheme: str) -> None:
    """By the contrast that WCAG asks of text at level AA, 4.5 to 1."""
    label_rows(sums, 60)
    review = reviews.start(sums)
    window = windows(viewport={"width": 1200, "height": 860}, color_scheme=scheme)
    window.open(review)
    for path in [*every_hostile_page(sums)[:6], "/export", "/compare", "/compare/prompt?step=write"]:
        window.page.goto(review.address + path)
        assert not window.page.evaluate(CONTRAST), path


def test_going_back_brings_the_filter_back(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/rows")
    page.focus("#f-kind")
    page.select_option("#f-kind", "reject")
    page.wait_for_url("**/rows?kind=reject")
    page.wait_for_function("document.activeElement.id === 'f-kind'")
    page.go_back()
    page.wait_for_selector(".rows .outcome.sample")
    assert page.input_value("#f-kind") == ""


def test_a_rows_page_lists_what_else_came_of_its_row_in_the_source(tmp_path: Path, reviews: Reviews) -> None:
    tries = [reject(3, row=f"0/3/{number}") for number in range(20)]
    review = reviews.start(make_run(tmp_path / "run", [sample(3), sample(4)], tries))
    page = review.text(f"/rows/{sample(3)['id']}?kind=sample").partition("Of the same source row")[2]
    assert re.findall(r'href="(/rows/[^"]+)"', page)[:12] == [f"/rows/0-3-{n}?kind=sample" for n in range(12)]
    assert "stopped at answerable" in page
    assert "And 8 more." in page
    assert "Of the same source row" not in review.text(f"/rows/{sample(4)['id']}")
    assert "Of the same source row" not in review.text("/label") + review.text("/label?verdicts=shown")
