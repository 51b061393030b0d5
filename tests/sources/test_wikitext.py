"""Wikitext becomes prose that says what its page says, or less, and never other than it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.sources.wikitext import HOLE, read_wikitext


def shown(text: str) -> str:
    return read_wikitext(text).text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'''Salt''' is ''white'' and '''''fine'''''.", "Salt is white and fine."),
        ("It is [[salt]], or [[Salt|grains]], for [[salt]]ing [[:A:B]].", "It is salt, or grains, for salting A:B."),
        ("It is white.<ref name=a>{{cite|b=[[c]]}} d</ref> It is fine.<ref name=a/>", "It is white. It is fine."),
        ("It lay {{convert|3|mi|km|0}} off, {{circa|1840}}.", "It lay 3 miles off, c. 1840."),
        ("The {{lang|fr|''sel''}} of {{nowrap|old men}}{{sfn|Fell|1840}} is grey.", "The sel of old men is grey."),
        ("It is white.<!-- or\n\ngrey --> So it is.", "It is white. So it is."),
        ("It is &quot;white&quot;&nbsp;&ndash; 5&nbsp;grains of it.", 'It is "white" – 5 grains of it.'),
        ("See [https://salt.example its page] and no other.", "See its page and no other."),
        ("It is white[[de:Salz]][[File:A.jpg|thumb|A [[b]]]] and fine.__NOTOC__", "It is white and fine."),
        ("The 4<sup>th</sup> grain of H<sub>2</sub>O.", "The 4th grain of H2O."),
        ("It is white ({{IPA-en|sɔːlt}}; of old) and fine ().", "It is white (of old) and fine."),
        ("It is white\nand fine.", "It is white and fine."),
        ("{{Infobox\n|a=[[b]]\n|c={{d|\n}}}}\nIt is white.", "It is white."),
        ("One is white.\n<blockquote>Two is not.</blockquote>\nThree is.", "One is white.\n\nTwo is not.\n\nThree is."),
    ],
)  # fmt: skip
def test_what_shows_on_the_page_is_kept_and_nothing_else(written: str, read: str) -> None:
    assert shown(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "It has {{population of|Salt}} people.",
        "It has {{convert|3}} of wall.",
        "It has {{convert|3|furlong}} of wall.",
        "It has 10<sup>6</sup> grains.",
        "It is <math>x^2</math> in all.",
        "It is <nowiki>[[so]]</nowiki> and not so.",
        "It is <blink>white</blink> at night.",
        "It is [[white at night.",
        "It is white]] at night.",
        "It is {{white at night.",
        "It is <ref>white at night.",
        f"It is {HOLE} at night.",
        "These are white:",
        "A caption without an end",
        "* It is an item.",
        "{| class=a\n| It is a cell.\n|}",
        ": It is an aside.",
        " It is typed as it stands.",
    ],
)
def test_a_paragraph_with_a_hole_in_it_or_none_of_prose_is_left_out(written: str) -> None:
    assert shown(f"{written}\n\nThe next one stays.") == "The next one stays."


def test_headings_stay_where_prose_stands_under_them_and_appendices_go() -> None:
    text = """Salt is white.
== Empty ==
== Use ==
=== At table ===
It is eaten.
=== Lists ===
* one
== References ==
It is not read.
=== Books ===
Nor is this.
== Trade ==
It is sold."""
    assert shown(text) == "Salt is white.\n\nUse\n\nAt table\n\nIt is eaten.\n\nTrade\n\nIt is sold."


@pytest.mark.parametrize(
    ("template", "why"),
    [("Salt-stub", "a stub"), ("stub", "a stub"), ("hndis|Fell", "a disambiguation page")],
)
def test_a_page_says_by_its_templates_that_it_is_no_article(template: str, why: str) -> None:
    assert read_wikitext(f"It is white.\n{{{{{template}}}}}").no_article == why


MARKS = ("{{", "}}", "[[", "]]", "{|", "|}", "|", "<ref>", "</ref>", "<b>", "''", "==", "\n", "<!--", "-->")
MARKUP = st.lists(st.sampled_from(MARKS) | st.text(max_size=8), max_size=40).map("".join)


@given(MARKUP)
def test_any_text_is_read_and_no_mark_is_left_in_it(text: str) -> None:
    for paragraph in shown(text).split("\n\n"):
        assert not any(left in paragraph for left in ("{{", "}}", "[[", "]]", HOLE, "\n"))


@pytest.mark.parametrize("unit", [*MARKS, "{{a|", "[[a|b", "''a", "== a ==\n", "[http://", "( ", "=", "&#", "<a "])
def test_the_time_does_not_grow_faster_than_a_hostile_page(unit: str, no_collection: None) -> None:
    def seconds(count: int) -> float:
        begun = time.thread_time()
        shown(unit * count)
        return time.thread_time() - begun

    seconds(1_000)
    assert seconds(30_000) < 40 * seconds(3_000) + 1
