"""Pictures of each view, of a run that was labelled and compared: for the docs, and to be looked at.

    RETROWEAVE_PICTURES=docs/images pytest tests/review/test_pictures.py

writes them, with as few colours as they need (for that it wants Pillow: pip install pillow); otherwise they are taken
and thrown away. Each view is waited for by what it must have.
"""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from retroweave.export.conversation import damage_span
from retroweave.review.drawing import Drawing
from retroweave.review.labels import Labels
from retroweave.review.rows import Rows
from tests.review.conftest import LABELLED, Review, Reviews, retroweave

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 120_000
"""Bytes of a picture."""
WIDE, NARROW = {"width": 1200, "height": 860}, {"width": 400, "height": 860}
PROMPT = (
    "---\nmax_tokens: 60\n---\n%% system\nYou write questions for a reading test.\n%% user\n{{ passage }}\n\n"
    "Ask for this, in one question: {{ answer }}\nDo not give the answer away. {{ tone }}\n"
)
PEOPLE = {"ann": 60, "bea": 40}
"""Name to labels."""


@pytest.fixture(scope="module")
def truth() -> dict[tuple[str, str], bool]:
    """Whether a question fits its answer."""
    lines = [orjson.loads(line) for line in LABELLED.read_bytes().splitlines()]
    return {(one["question"], one["answer"]): one["label"] == "yes" for one in lines}


@pytest.fixture
def reading(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "reading", tmp_path, dirs_exist_ok=True)) / "out"


def label_as(run_dir: Path, person: str, count: int, truth: dict[tuple[str, str], bool]) -> None:
    """As a person would: mostly right, now and then unsure. Bea is stricter."""
    with Rows(run_dir) as rows, Labels(run_dir) as labels:
        rows.index()
        drawing = Drawing(rows, labels)
        for number in range(count):
            (ticket,) = drawing.next(person)
            row = rows.row(ticket.row)
            question, asked = row.calls[0]["answer"], row.calls[0]["prompt"][-1]["content"]
            right = truth[question, asked.partition("answered by: ")[2].partition("\n")[0]]
            strict = person == "bea" and number % 7 == 3
            decision = "unsure" if number % 19 == 11 else "accept" if right and not strict else "reject"
            seen = rows.seen(row, "fits")
            labels.add(row, person, decision, blind=True, judge="fits", drawn=ticket.key, seen=seen)  # type: ignore[arg-type]


def judge_versions(page: Any, truth: dict[tuple[str, str], bool], count: int, after: int = 0) -> None:
    for place in range(after, after + count):
        page.wait_for_selector(f"[data-head^='Row {place + 1} of']")
        answer = page.inner_text(".given-fields dd >> nth=1").strip()
        sides = {
            one.locator("h2").inner_text(): one.locator(".answer").inner_text().strip()
            for one in page.locator(".side").all()
        }
        good = [letter for letter, question in sides.items() if truth[question, answer]]
        for letter in sides:
            button = f"button[value='{'passes' if letter in good else 'fails'} {letter}']"
            page.click(button)
            page.wait_for_selector(f"{button}[aria-pressed=true]")
        page.keyboard.press(good[0].lower() if len(good) == 1 else "0")
    page.wait_for_selector(f"[data-head^='Row {after + count + 1} of'], [data-head=Results]")


def folder(tmp_path: Path) -> Path:
    """Where pictures go: to the docs only if that was asked for."""
    found = Path(os.environ.get("RETROWEAVE_PICTURES", tmp_path / "pictures"))
    found.mkdir(parents=True, exist_ok=True)
    return found


def take(page: Any, review: Review, path: str, wanted: str, to: Path) -> None:
    page.goto(review.address + path)
    page.wait_for_selector(wanted)
    page.screenshot(path=to)
    if "RETROWEAVE_PICTURES" in os.environ:
        image = import_module("PIL.Image").open(to).convert("RGB")
        image.quantize(128, method=2, dither=0).save(to, optimize=True)


def test_every_view_has_its_picture(
    reading: Path, reviews: Reviews, windows: Any, truth: dict[tuple[str, str], bool], tmp_path: Path
) -> None:
    for person, count in PEOPLE.items():
        label_as(reading, person, count, truth)
    review, to = reviews.start("out"), folder(tmp_path)
    light, dark = windows(viewport=WIDE), windows(viewport=WIDE, color_scheme="dark")
    narrow = windows(viewport=NARROW, color_scheme="dark")
    for one in (light, dark, narrow):
        one.open(review)
    take(light.page, review, "/rows", ".rows .score svg", to / "review-read.png")
    take(light.page, review, "/export", "a[href='/export/labels.jsonl']", to / "review-export.png")
    take(dark.page, review, "/label?as=cas", "button.accept", to / "review-label.png")
    take(narrow.page, review, "/label?as=cas", "button.accept", to / "review-label-narrow.png")
    light.page.set_viewport_size({"width": 1200, "height": 1640})
    take(light.page, review, "/calibrate", ".plot svg", to / "review-calibrate.png")
    light.page.set_viewport_size(WIDE)
    take(narrow.page, review, "/calibrate", ".plot svg", to / "review-calibrate-narrow.png")
    page = light.page
    page.goto(f"{review.address}/compare/prompt?step=write")
    page.fill("textarea", PROMPT)
    page.fill("#v-name-1", "no giveaways")
    page.fill("#v-rows", "24")
    page.click("form button.main")
    page.wait_for_url("**/compare/seen/*", wait_until="load")
    path = page.url.removeprefix(review.address).partition("?")[0]
    done = 0
    while done < 4 or "say the same" in page.inner_text("main"):
        judge_versions(page, truth, 1, after=done)
        done += 1
    take(page, review, path, ".versus", to / "review-compare.png")
    judge_versions(page, truth, 24 - done, after=done)
    page.set_viewport_size({"width": 1200, "height": 715})  # below stands a path of this machine
    take(page, review, f"{path}/results", ".interval", to / "review-results.png")


def test_damage_and_patch_have_their_picture(reviews: Reviews, windows: Any, tmp_path: Path) -> None:
    retroweave("run", "prose-repair", "--rows", 30, "--workers", 1, "--out", "out", cwd=tmp_path)
    review = reviews.start("out")
    with Rows(tmp_path / "out") as rows:
        found = [row for row in rows.at(range(rows.count)) if row.layout == "unified" and damage_span(row.sample())]
    shortest = min(found, key=lambda row: len(row.messages[0]["content"]))
    page = windows(viewport={"width": 1200, "height": 1560}).open(review)
    take(page, review, f"/rows/{shortest.id}", ".diff .added", folder(tmp_path) / "review-row.png")


def test_the_page_shows_every_picture_and_no_other() -> None:
    text = (DOCS / "review.md").read_text("utf-8")
    assert all(path.stat().st_size < LARGEST for path in (DOCS / "images").iterdir())
    kept = {path.name for path in (DOCS / "images").glob("review-*.png")}
    assert kept
    assert {name for name in kept if f"(images/{name})" in text} == kept
    assert text.count("(images/review-") == len(kept)
