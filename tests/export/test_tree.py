"""The drawing of a search is a list that shows hostile text as text, and leaves out no node without counting it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.export import tree as tree_module
from retroweave.export.tree import tree_drawing
from retroweave.pipeline.errors import UserError
from retroweave.search.weave import Piece, Weave, weave

HOSTILE = '"><script>alert(1)</script>&amp;{{ run }} {0} \x1b\u202e'


class Page(HTMLParser):
    """The tags of a drawing with their classes, and the text in each item; an end tag must close what is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.items: list[tuple[int, list[str], str]] = []
        """How far in, the classes and the text of each item that holds a row or a count."""
        self.feed(str(html))  # of Markup, the parser would take slices that escape what is added to them
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "li":
            self.items.append((self.open.count("ol"), (dict(attrs)["class"] or "").split(), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.items:
            depth, classes, text = self.items[-1]
            self.items[-1] = (depth, classes, text + data)

    def pieces(self) -> list[tuple[int, str]]:
        return [(depth, text) for depth, classes, text in self.items if "piece" in classes]

    def with_class(self, name: str) -> list[str]:
        return [text for _, classes, text in self.items if name in classes]


def made(
    parents: Sequence[int], scores: Sequence[float] = (), chosen: Sequence[int] = (), committed: int = 0, **more: Any
) -> dict[str, Any]:
    """A tree whose node n, counted from 1, says "tn" and has the given parent."""
    given_scores = list(scores) or [0.5] * len(parents)
    nodes: list[dict[str, Any]] = [{"parent": None, "text": "", "tokens": 0}]
    for place, (parent, score) in enumerate(zip(parents, given_scores, strict=True), 1):
        nodes.append({"parent": parent, "text": f" t{place}", "tokens": 2, "score": score})
    found = {"budget": 100, "spent": 2 * len(parents), "rounds": 3, "committed": committed, "chosen": list(chosen)}
    return {**found, "nodes": nodes, **more}


SMALL = made([0, 0, 1, 1, 2, 4], [0.5, 0.4, 0.3, 0.6, 0.9, 0.7], chosen=[6], committed=1)


def test_the_chosen_text_reads_from_top_to_bottom_and_the_rest_stands_further_in() -> None:
    assert Page(tree_drawing(SMALL, "Begin:")).pieces() == [
        (1, "Begin:"),
        (2, "0.40t2"),
        (2, "0.90t5"),
        (1, "0.50t1"),
        (2, "0.30t3"),
        (1, "0.60t4"),
        (1, "0.70t6 (chosen)"),
    ]


def test_what_is_committed_and_what_is_chosen_are_told_apart() -> None:
    page = Page(tree_drawing(SMALL))
    assert [text for text in page.with_class("chosen") if "t" in text] == [
        "the start", "0.50t1", "0.60t4", "0.70t6 (chosen)",
    ]  # fmt: skip
    assert [text for text in page.with_class("committed") if "t" in text] == ["0.50t1"]


def test_several_chosen_are_numbered_and_an_end_is_said() -> None:
    tree = made([0, 0], [0.5, 0.75], chosen=[2, 1])
    tree["nodes"][2]["end"] = True
    assert Page(tree_drawing(tree)).pieces()[1:] == [
        (2, "0.50t1 (chosen, number 2)"),
        (1, "0.75t2 (ends here, chosen, number 1)"),
    ]


def test_hostile_text_stays_text() -> None:
    tree = made([0, 1], chosen=[2])
    tree["nodes"][1]["text"] = HOSTILE
    html = tree_drawing(tree, HOSTILE)
    page = Page(html)
    assert {tag for tag, _ in page.tags} == {"figure", "figcaption", "ol", "li", "div", "span", "i", "small"}
    assert {name for _, attributes in page.tags for name in attributes} == {"class", "title", "style"}
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", html)
    assert page.pieces()[1][1] == '0.50"><script>alert(1)</script>&amp;{{ run }} {0} ␛\ufffd'


def test_a_piece_says_on_how_many_lines_further_down_it_begins_and_is_shortened_where_it_is_long() -> None:
    tree = made([0, 0, 0], chosen=[1])
    for node, text in zip(tree["nodes"][1:], ["\n \n x\ny ", "", "long " * 500], strict=True):
        node["text"] = text
    shown = {text for _, text in Page(tree_drawing(tree)).pieces()}
    assert {"0.50↵↵ x\ny (chosen)", "0.50(nothing)"} <= shown
    assert any("… (2,179 characters) …" in text for text in shown)


def test_of_many_nodes_forty_are_shown_and_the_others_are_counted_where_they_would_stand() -> None:
    scores = [place / 1000 for place in range(1, 101)]
    page = Page(tree_drawing(made([0] * 100, scores, chosen=[7])))
    texts = [text for _, text in page.pieces()]
    assert len(texts) == 40
    assert texts[-1] == "0.01t7 (chosen)"
    assert texts[1:3] == ["0.10t100", "0.10t99"]
    assert page.with_class("more") == ["61 more, the best at 0.06"]


def test_what_stood_beside_the_chosen_path_is_shown_before_better_texts_far_from_it() -> None:
    chain = [0, *range(1, 35)]
    elsewhere = [0, 36, 36, 36, 36, 36, 36]
    tree = made([*chain, *elsewhere, 34], [0.5] * 35 + [0.9] * 7 + [0.1], chosen=[35])
    texts = [text for _, text in Page(tree_drawing(tree)).pieces()]
    assert "0.10t43" in texts
    assert len(texts) == 40


def test_of_a_path_that_is_too_long_the_beginning_and_the_end_are_shown() -> None:
    page = Page(tree_drawing(made([*range(100), 50], chosen=[100])))
    texts = [text for _, text in page.pieces()]
    assert (texts[1], texts[19], texts[20], texts[-1]) == ("0.50t1", "0.50t19", "0.50t81", "0.50t100 (chosen)")
    assert page.with_class("more") == ["1 more, the best at 0.50", "61 pieces left out"]


@pytest.mark.parametrize(
    ("scores", "widths"),
    [([0.25, 1.0], {"25", "100"}), ([0.5, 5.0], {"0", "100"}), ([-3.0, 5.0], {"0", "100"}), ([7.0, 7.0], {"100"})],
)
def test_a_bar_is_measured_from_0_to_1_or_by_the_scores_there_are(scores: list[float], widths: set[str]) -> None:
    html = tree_drawing(made([0, 0], scores, chosen=[1]))
    assert set(re.findall(r'style="width: (\d+)%"', html)) == widths


def test_a_search_that_found_nothing_is_drawn_too() -> None:
    assert Page(tree_drawing(made([], chosen=[0]))).pieces() == [(1, "the start")]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (made([2, 0], chosen=[1]), "node 1 must name one before it as its parent, not 2"),
        (made([0, 2], chosen=[1]), "node 2 must name one before it as its parent, not 2"),
        (made([-1], chosen=[1]), "not -1"),
        (made([0], chosen=[2]), "A search of 2 nodes, counted from 0, has no node 2"),
        (made([0], chosen=[1], committed=9), "has no node 9"),
    ],
)
def test_nodes_that_make_no_tree_are_refused(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        tree_drawing(tree)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(1, 120))
    rng = Random(draw(st.integers(0, 10_000)))
    parents = [rng.randint(max(0, place - rng.choice([1, 3, 200])), place) for place in range(size)]
    leaves = sorted(set(range(1, size + 1)) - set(parents))
    chosen = rng.sample(leaves, min(len(leaves), rng.randint(1, 3)))
    return made(parents, [rng.random() for _ in parents], chosen, committed=parents[chosen[0] - 1])


@given(trees())
def test_each_node_is_shown_once_or_counted_once(tree: dict[str, Any]) -> None:
    page = Page(tree_drawing(tree))
    shown = [text for _, text in page.pieces()]
    assert len(shown) <= 40
    assert len(set(shown)) == len(shown)
    counted = sum(int(text.split()[0].replace(",", "")) for text in page.with_class("more"))
    assert len(shown) + counted == len(tree["nodes"])
    assert any("(chosen" in text for text in shown)


def test_a_tree_as_a_search_gives_it_can_be_drawn() -> None:
    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece(letter, len(text) > 5, 1) for letter in "ab"[:count]] for text in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        return [text.count("a") / 10 for text in texts]

    found = asyncio.run(weave("", expand, score, Weave(30, lookahead=1, temperature=0, commit=3), Random(0)))
    page = Page(tree_drawing(found.as_json()))
    assert [text for text in page.with_class("chosen") if "a" in text][-1].endswith("a (ends here, chosen)")
    titles = [attributes["title"] for _, attributes in page.tags if "title" in attributes]
    assert "1 token; 0.10 with noise; gone on with in round 2" in titles


def test_every_class_of_the_drawing_has_a_look_and_every_look_a_class() -> None:
    css = Path(tree_module.__file__).with_suffix(".css").read_text("utf-8")
    styled = set(re.findall(r"\.([a-z]+)", re.sub(r"/\*.*?\*/|\{[^}@]*\}", "", css, flags=re.DOTALL)))
    tree = made([0] * 60 + [1], chosen=[61, 2], committed=1)
    tree["nodes"][3]["end"] = True
    tree["nodes"][61]["end"] = True
    used = {name for _, attributes in Page(tree_drawing(tree)).tags for name in _classes(attributes)}
    assert used == styled


def _classes(attributes: Mapping[str, str | None]) -> list[str]:
    return (attributes.get("class") or "").split()
