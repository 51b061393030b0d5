"""What labels say, in a real browser: the slider moves its figures together, and the next run uses its threshold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import yaml

from retroweave.review.drawing import Drawing
from retroweave.review.labels import Labels
from retroweave.review.rows import Rows
from tests.review.conftest import Reviews, Window, label_rows, retroweave
from tests.review.runs import make_run
from tests.review.test_drawing import label_some


def readings(page: Any) -> dict[str, str]:
    return {one.get_attribute("data-reading"): one.inner_text() for one in page.locator("[data-reading]").all()}


def test_the_threshold_is_written_to_the_config_and_used_by_the_next_run(
    project: Path, reviews: Reviews, window: Window
) -> None:
    label_rows(project / "out", 80)
    (project / "mine.yaml").write_text("# what we agreed on\nsure: 0.5\n")
    page = window.open(reviews.start("out", "--config", "mine.yaml"), "/calibrate")
    before = readings(page)
    page.fill("#d-number", "0.8")
    after = readings(page)
    assert float(after["precision"].rstrip("%")) > float(before["precision"].rstrip("%"))
    assert float(after["yield"].rstrip("%")) < float(before["yield"].rstrip("%"))
    assert page.input_value("#d-range") == "0.8"
    page.click("text=Use this threshold")
    page.wait_for_selector("[role=status] p")
    text = (project / "mine.yaml").read_text()
    assert text.startswith("# what we agreed on")
    assert yaml.safe_load(text) == {"sure": 0.8}
    retroweave("run", "sums.py", "--config", "mine.yaml", "--rows", 60, "--workers", 1, "--out", "next", cwd=project)
    run = orjson.loads((project / "next" / "run.json").read_bytes())
    assert run["config"]["sure"] == 0.8
    with Rows(project / "next") as rows:
        kept = [row for row in rows.at(range(rows.count)) if row.kind == "sample"]
    assert kept
    assert all((row.score("fits") or 0) >= 0.8 for row in kept)


def test_the_slider_moves_precision_yield_and_the_marks_together(sums: Path, reviews: Reviews, window: Window) -> None:
    label_rows(sums, 80)
    page = window.open(reviews.start(sums), "/calibrate")
    marks = "[...document.querySelectorAll('circle[data-mark]')].map(one => one.getAttribute('cx')).join()"
    seen = set()
    for _ in range(4):
        page.focus("#d-range")
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        found = readings(page)
        row = page.locator("[data-thresholds] tr").filter(has_text=found["precision"]).filter(has_text=found["yield"])
        assert row.count() >= 1
        seen.add((found["precision"], found["yield"], page.evaluate(marks)))
    assert len(seen) == 4


def test_the_figures_are_those_of_the_exact_threshold_and_not_of_the_sliders_notch(
    sums: Path, reviews: Reviews, window: Window
) -> None:
    label_rows(sums, 80)
    page = window.open(reviews.start(sums), "/calibrate")
    places = "[...document.querySelectorAll('[data-threshold]')].map(one => one.dataset.threshold)"
    below = [place for place in page.evaluate(places) if round(float(place), 2) > float(place)]
    wanted = below[len(below) // 2]
    page.goto(page.url.split("?")[0] + f"?threshold={wanted}")
    assert page.input_value("#d-number") == wanted
    line = page.locator(f"[data-threshold='{wanted}'] td").all_text_contents()
    assert list(readings(page).values()) == line
    page.fill("#d-number", "0.1")
    page.fill("#d-number", wanted)
    assert list(readings(page).values()) == line
    assert page.get_attribute("#d-range", "aria-valuetext") == wanted


def test_a_chart_that_stands_alone_is_as_wide_as_one_among_others(sums: Path, reviews: Reviews, windows: Any) -> None:
    label_rows(sums, 80)
    page = windows(viewport={"width": 1600, "height": 900}).open(reviews.start(sums), "/calibrate")
    charts = page.locator("section[aria-labelledby=judge-title] .plot")
    page.evaluate("document.querySelector('section[aria-labelledby=judge-title] .plot:last-child').remove()")
    assert charts.count() == 1
    assert charts.bounding_box()["width"] < 600


def test_without_a_script_a_threshold_is_chosen_from_the_table_and_used(
    sums: Path, reviews: Reviews, windows: Any
) -> None:
    label_rows(sums, 80)
    review = reviews.start(sums)
    page = windows(java_script_enabled=False).page
    page.goto(review.link)
    page.wait_for_url(lambda url: "token" not in url)
    page.goto(f"{review.address}/calibrate")
    assert not page.is_visible("#d-range")
    page.click("text=As a table")
    with page.expect_navigation():
        page.locator("[data-thresholds] a").nth(30).click()
    wanted = float(page.input_value("#d-number"))
    with page.expect_navigation():
        page.click("text=Use this threshold")
    assert abs(yaml.safe_load((reviews.folder / "sums.yaml").read_text())["sure"] - wanted) < 0.001


def test_figures_of_people_are_kept_apart_and_their_agreement_is_shown(
    sums: Path, reviews: Reviews, window: Window
) -> None:
    label_rows(sums, 60)
    label_rows(sums, 60, person="bob", wrong_every=3)
    page = window.open(reviews.start(sums), "/calibrate")
    assert "Do they agree?" in page.inner_text("main")
    assert "kappa" in page.inner_text("main")
    everybody = page.inner_text(".figures >> nth=0")
    page.select_option("#c-as", "ann")
    page.wait_for_url("**as=ann*")
    page.wait_for_function("!document.body.hasAttribute('aria-busy')")
    assert page.inner_text(".figures >> nth=0") != everybody


def test_both_pages_say_so_where_there_are_fewer_rows_than_it_takes(tmp_path: Path, reviews: Reviews) -> None:
    folder = make_run(tmp_path / "few", 11, 4)
    with Rows(folder) as rows, Labels(folder) as labels:
        rows.index()
        label_some(Drawing(rows, labels), "ann", 8)
    review = reviews.start(folder)
    for path in ("/calibrate", "/label"):
        source = review.text(path)
        assert "fewer rows than it takes to tell the precision to within ± 5 points" in source, path
        assert not re.search(r"About <b>[\d,]+</b>", source), path


def test_before_the_first_label_the_page_says_what_to_do(sums: Path, reviews: Reviews, window: Window) -> None:
    page = window.open(reviews.start(sums), "/calibrate")
    assert "Nobody has labelled a row yet" in page.inner_text("main")
    page.click("text=Label some rows")
    page.wait_for_selector(".labelling")


def test_labels_are_exported_as_calibrate_reads_them(sums: Path, reviews: Reviews) -> None:
    label_rows(sums, 60)
    review = reviews.start(sums)
    labels = [orjson.loads(line) for line in review.text("/export/labels.jsonl").splitlines()]
    assert len(labels) == 60
    assert {label["person"] for label in labels} == {"ann"}
    (reviews.folder / "calibration.jsonl").write_text(review.text("/export/calibration.jsonl"))
    assert "accepts-right" in retroweave("calibrate", "calibration.jsonl", cwd=reviews.folder).stdout
    texts = [orjson.loads(line) for line in review.text("/export/classifier.jsonl").splitlines()]
    assert {type(one["right"]) for one in texts} == {bool}
    assert all(one["text"].isdigit() for one in texts)


def test_the_figures_are_put_on_the_card_and_the_report(sums: Path, reviews: Reviews, window: Window) -> None:
    label_rows(sums, 60)
    page = window.open(reviews.start(sums), "/calibrate")
    precision = page.inner_text(".figures dd b >> nth=0")
    page.click("text=Put these figures on the card")
    page.wait_for_selector("[role=status] p")
    assert precision.rstrip("%").split(".")[0] in (sums / "README.md").read_text()
    assert (sums / "measured.json").exists()
