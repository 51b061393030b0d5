"""The report is one page that asks for nothing, runs nothing, and shows hostile text as text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from tests.export.asked import asked_run, call, model, turned_away, verdict

from retroweave.export.charts import bar_chart, histogram, stacked_histogram
from retroweave.export.dataset import read_run
from retroweave.export.report import write_report
from retroweave.export.survey import Bar, survey

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
HOSTILE = (
    '<script>alert("1")</script></pre></style>--> {{ run }} {% raw %} &amp; \x00\x1b\u202e\r\n@@ -1 +1 @@\n-<b>\n+<i>'
)


class Page(HTMLParser):
    """The tags of a page, their attributes and its text; an end tag that closes another element is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def _html(directory: Path) -> str:
    return write_report(directory).read_text(encoding="utf-8")


def test_the_page_asks_for_nothing_and_runs_nothing(make_run: MakeRun) -> None:
    html = _html(make_run())
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            target = attributes.get(name)
            assert target is None or target.startswith("#"), (tag, target)
    assert not re.search(r"url\(|@import|fonts\.googleapis", html)
    policy = page.named("meta")[1]["content"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def test_the_same_run_gives_the_same_page(make_run: MakeRun) -> None:
    directory = make_run()
    assert _html(directory) == _html(directory)
    assert _html(directory) == write_report(directory, survey(directory)).read_text(encoding="utf-8")
    assert not [path.name for path in directory.iterdir() if path.name.endswith(".partial")]


def test_hostile_text_stays_text(make_run: MakeRun, make_sample: MakeSample) -> None:
    sample = make_sample(1, layout=HOSTILE)
    sample["messages"] = [
        {"role": "user", "content": HOSTILE, "train": False},
        {"role": "assistant", "content": HOSTILE, "train": True},
    ]
    edit = {"start": 0, "end": 8, "was": HOSTILE, "now": HOSTILE[:8], "at": 0, "line": 1}
    sample["provenance"] |= {
        "source": {"key": "k", "place": f"{HOSTILE}/{HOSTILE}", "draw": 0, "index": 0},
        "spans": {"damaged": [0, 0, len(HOSTILE)]},
        "kept": {"operations": [{"operation": HOSTILE, "severity": 1, "recoverable": True, "edits": [edit]}]},
        "measures": {HOSTILE: [HOSTILE], f"n{HOSTILE}": 3},
    }
    directory = make_run([sample, make_sample(2)])
    run = read_run(directory)
    run |= {"title": HOSTILE, "description": f"{HOSTILE}\n\n`{HOSTILE}`", "recipe": HOSTILE}
    run["steps"] = [run["steps"][0] | {"name": HOSTILE, "text": HOSTILE, "move": HOSTILE, "writes": [HOSTILE]}]
    run["evidence"] = [{"layout": HOSTILE, "field": HOSTILE, "worth": HOSTILE, "checks": [HOSTILE]}]
    run["reasons"] = [{"kind": "reject", "step": HOSTILE, "reason": HOSTILE, "count": 3}]
    run["findings"] = [{"lint": HOSTILE, "severity": HOSTILE, "message": HOSTILE}]
    run["config"] = {HOSTILE: HOSTILE}
    run["judges"] = [{"step": HOSTILE, "accepts_right": 0.9, "accepts_wrong": None}]
    (directory / "run.json").write_bytes(orjson.dumps(run))

    html = _html(directory)
    page = Page(html)
    known = {tag for tag, _ in Page(_html(make_run(name="plain", judges=run["judges"], splits={"train": 40}))).tags}
    assert {tag for tag, _ in page.tags} <= known
    assert "script" not in known
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    shown = "".join(page.text)
    assert '<script>alert("1")</script></pre></style>--> {{ run }} {% raw %} &amp; ␀␛\ufffd␍\n' in shown


def test_damage_is_marked_and_trained_turns_are_told_apart(make_run: MakeRun, make_sample: MakeSample) -> None:
    samples = [make_sample(number) for number in range(6)]
    page = Page(_html(make_run(samples)))
    assert "damage is underlined and numbered." in "".join(page.text)
    edits = sum(len(one["edits"]) for sample in samples for one in sample["provenance"]["kept"]["operations"])
    assert len(page.named("mark")) == edits > 6
    turns = [attributes["class"] for attributes in page.named("section") if "turn" in (attributes.get("class") or "")]
    assert turns.count("turn trained") == 6
    assert len(turns) == sum(len(sample["messages"]) for sample in samples)
    assert {line.get("class") for line in page.named("span")} >= {"added", "removed", "head", "place", "same"}


def test_the_counts_are_shown_as_a_sum(make_run: MakeRun) -> None:
    html = _html(make_run())
    [table] = re.findall(r'<table class="funnel">.*?</table>', html, re.DOTALL)
    counts = [int(count.replace("− ", "-").replace("= ", "")) for count in re.findall(r'"n">([−= \d]+)</td>', table)]
    assert counts[0::2] == [49, -5, -1, -2, -1, 40]
    assert counts[1::2] == [49, 44, 43, 41, 40]


def test_what_a_reader_must_know_first_stands_above_the_figures(make_run: MakeRun, make_sample: MakeSample) -> None:
    html = _html(make_run([make_sample(1)]))
    caution = html.index("No sample is held out for validation")
    assert caution < html.index('class="figures"')
    assert 'class="cautions"' not in _html(make_run(name="whole"))


def test_a_long_name_of_code_may_go_on_in_the_next_line_after_an_underscore(make_run: MakeRun) -> None:
    assert "<code>diagnosis_<wbr>replays</code>" in _html(make_run())


def test_a_row_that_is_stacked_on_a_narrow_screen_names_each_of_its_cells(make_run: MakeRun) -> None:
    judges = [{"step": "reads_well", "accepts_right": 0.8, "accepts_wrong": 0.2}]
    tables = re.findall(r'<table class="stack.*?</table>', _html(make_run(judges=judges)), re.DOTALL)
    assert len(tables) >= 5
    for table in tables:
        assert all("data-label" in cell for cell in re.findall(r"<td[^>]*>", table))


def test_headings_are_in_order_and_landmarks_are_there_once(make_run: MakeRun) -> None:
    page = Page(_html(make_run()))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for landmark in ("header", "main", "footer", "nav"):
        assert len(page.named(landmark)) == 1
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    assert {link["href"] for link in page.named("a")} <= {f"#{name}" for name in names}
    assert all(cell.get("scope") in ("row", "col") for cell in page.named("th"))
    assert page.named("html")[0]["lang"] == "en"


def test_each_measure_has_a_chart_and_a_table_that_says_the_same(make_run: MakeRun) -> None:
    page = Page(_html(make_run()))
    names = [svg["aria-label"] for svg in page.named("svg")]
    assert names == [
        "Layouts", "Recoverable", "Kinds", "Prompt", "Answer", "Operations", "Severity", "Distance", "Reasons",
    ]  # fmt: skip


def test_a_sample_of_a_megabyte_is_shortened(make_run: MakeRun, make_sample: MakeSample) -> None:
    long = [{"role": "assistant", "content": "word " * 200_000, "train": True}]
    html = _html(make_run([make_sample(1, messages=long)]))
    assert len(html) < 60_000
    assert re.search(r"994,\d{3} characters left out", html)


def test_a_run_without_rejects_measures_findings_or_config_has_a_whole_page(
    make_run: MakeRun, make_sample: MakeSample
) -> None:
    bare = make_sample(1, layout="unified")
    bare["provenance"] |= {"measures": {}, "kept": {}, "spans": {}}
    html = _html(make_run([bare], rejects=0, reasons=[], findings=[], config={}, description="x"))
    text = "".join(Page(html).text)
    assert "Nothing: every outcome became a sample." in text
    assert "Nothing: no habit besides the task was found" in text
    assert "No judged step stands in this set" in text
    assert "How hard it is" not in text
    assert "damage is underlined" not in text


@pytest.mark.parametrize("draw", [bar_chart, histogram])
def test_a_chart_is_plain_svg_and_the_same_each_time(draw: Callable[..., str]) -> None:
    bars = [Bar("<b>&\x00", 3), Bar("", 1), Bar("long " * 30, 12_000), *(Bar(str(n), n) for n in range(20))]
    svg = draw('a "name" & <more>', bars)
    root = ElementTree.fromstring(svg)
    assert {node.tag.rpartition("}")[2] for node in root.iter()} <= {"svg", "g", "rect", "text", "path"}
    assert root.get("aria-label") == 'a "name" & <more>'
    assert svg == draw('a "name" & <more>', bars)
    assert "id" not in root.attrib
    rects = [node for node in root.iter() if "reactive" in node.get("class", "")]
    assert len(rects) == len(bars)


def _asked(make_asked: MakeSample, text: str = "Why?", **more: Any) -> tuple[list[Any], list[Any]]:
    asked = [call("ask", text, text, **more), call("answerable", text, text, "judge")]
    samples = [make_asked(number, asked, [verdict(0.9, True)]) for number in range(10)]
    return samples, [turned_away(f"0/{number}/0", [], [verdict(0.3, False)]) for number in range(4)]


def test_a_run_that_asked_no_model_has_no_section_of_them(make_run: MakeRun) -> None:
    assert 'id="models"' not in _html(make_run())
    assert "#models" not in _html(make_run(name="none", models=[], out_of_budget=""))


def test_models_scores_and_one_sample_walked_backwards_are_shown(make_run: MakeRun, make_asked: MakeSample) -> None:
    page = Page(_html(make_run(*_asked(make_asked), **asked_run())))
    text = " ".join("".join(page.text).split())
    assert "In all 150 calls and 46,500 tokens for $0.2625" in text
    assert "Apache-2.0. Its output is free." in text
    assert "accepted 10 of 14, 71.4%; mean score 0.73" in text
    assert "Scores of answerable" in [svg["aria-label"] for svg in page.named("svg")]
    assert [item.get("class") for item in page.named("li") if "#" not in str(item)].count("told") == 2
    assert "judge answerable accepted, 0.90" in text
    assert {"href": "#models"} in page.named("a")
    assert {link["href"] for link in page.named("a")} <= {f"#{one['id']}" for _, one in page.tags if "id" in one}


def test_where_judges_gave_scores_and_no_model_was_asked_the_section_is_of_judges(
    make_run: MakeRun, make_asked: MakeSample
) -> None:
    samples = [make_asked(number, []) for number in range(3)]
    text = "".join(Page(_html(make_run(samples, **asked_run(models=[])))).text)
    assert "What judges said" in text
    assert "walked backwards" not in text
    assert "tokens for $" not in text


def test_what_models_say_stays_text(make_run: MakeRun, make_asked: MakeSample) -> None:
    node = {"parent": None, "text": "", "tokens": 0, "end": False, "score": None, "perturbed": None, "expanded": 1}
    nodes = [node, node | {"parent": 0, "text": HOSTILE, "score": 0.5, "end": True}]
    tree = {"budget": 9, "spent": 3, "rounds": 1, "committed": 0, "chosen": [1], "nodes": nodes}
    samples, rejects = _asked(make_asked, HOSTILE, plain=HOSTILE, finish=HOSTILE, error=HOSTILE, tree=tree)
    samples[0]["provenance"]["verdicts"] += [verdict(0.5, True, HOSTILE, method=HOSTILE)]
    terms = {"name": HOSTILE, "meaning": HOSTILE, "verdict": "conditions"}
    used = model(HOSTILE, use=f"embedded:{HOSTILE}", form=HOSTILE, terms=terms, left_out=[HOSTILE])
    html = _html(make_run(samples, rejects, **asked_run(models=[used], out_of_budget=HOSTILE)))
    page = Page(html)
    tame = asked_run(out_of_budget="x", models=[model("a", left_out=["b_c"])])
    plain = Page(_html(make_run(*_asked(make_asked, plain="x", tree=tree), name="plain", **tame)))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    assert "".join(page.text).count('<script>alert("1")</script></pre></style>--> {{ run }} {% raw %}') > 10


def test_a_stacked_histogram_holds_both_counts_and_is_the_same_each_time() -> None:
    svg = stacked_histogram('a "name"', ["0.00", "0.05", "0.10"], [3, 0, 1], [1, 2, 0])
    root = ElementTree.fromstring(svg)
    assert {node.tag.rpartition("}")[2] for node in root.iter()} <= {"svg", "g", "rect", "text", "path"}
    assert svg == stacked_histogram('a "name"', ["0.00", "0.05", "0.10"], [3, 0, 1], [1, 2, 0])
    series = [node for node in root.iter() if re.search(r"\bserie-\d", node.get("class", ""))]
    heights = [
        [float(rect.get("height", "0")) for rect in one.iter() if "reactive" in rect.get("class", "")]
        for one in series[:2]
    ]
    assert heights[0][0] == pytest.approx(3 * heights[1][0], rel=0.01)
    assert heights[1][1] == pytest.approx(2 * heights[1][0], rel=0.01)
