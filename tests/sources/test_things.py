"""A list of things is read, or refused where it goes wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retroweave.pipeline.errors import SourceError
from retroweave.sources.line_lists import list_lines
from retroweave.sources.things import read_themes, read_things, things_of


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kite: sail, tail", "mine.txt is expected to hold a thing and three parts or more"),
        ("\nkite: sail\n", "Line 2 of"),
        ("\nkite\n", "names 'kite' without its parts. Write them, or name a --model"),
        (": sail, tail, reel", "Line 1 of"),
        ("kite: sail, tail, reel\nkite: sail, reel, spars", "names 'kite' twice"),
        ("kite: sail; tail, reel, string", "with commas and no other mark between them"),
        ("%% toys\n", "names themes, and no things below them"),
        ("\n \n", "is expected to hold things, one a line, and holds none"),
    ],
)
def test_a_list_that_is_none_is_refused_where_it_goes_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.txt").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=re.escape(message)):
        things_of(tmp_path / "mine.txt", "CC0-1.0", with_parts=True)


def test_things_come_with_their_parts_or_without(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kite: sail, tail,  reel\n\nspade\n", "utf-8")
    assert read_things(tmp_path / "mine.txt") == {"kite": ("sail", "tail", "reel"), "spade": ()}
    rows = list(things_of(tmp_path / "mine.txt", "CC-BY-4.0", with_parts=False).rows())
    assert [(row.fields, row.license) for row in rows] == [
        ({"thing": "kite"}, "CC-BY-4.0"),
        ({"thing": "spade"}, "CC-BY-4.0"),
    ]


def test_a_theme_is_that_of_the_things_below_it_and_themes_are_mixed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("ant\n%% toys\nkite\ntop\nball\nyo-yo\n%% tools\nspade\nrake\n", "utf-8")
    themes = read_themes(tmp_path / "mine.txt")
    assert themes["ant"] == ""
    assert (themes["yo-yo"], themes["spade"]) == ("toys", "tools")
    rows = things_of(tmp_path / "mine.txt", "CC0-1.0", with_parts=False).rows()
    assert [row.fields["thing"] for row in rows] == ["kite", "spade", "top", "ant", "ball", "rake", "yo-yo"]


def test_a_file_that_is_no_text_or_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"kite\n\xe9\n")
    with pytest.raises(SourceError, match=r"mine\.txt is not UTF-8 text: byte 5, in line 2"):
        list_lines(tmp_path / "mine.txt", "things")
    with pytest.raises(SourceError, match=r"There is no file .*yours\.txt"):
        list_lines(tmp_path / "yours.txt", "things")
    with pytest.raises(SourceError, match="cannot be read"):
        list_lines(tmp_path, "things")


def test_lines_are_numbered_as_in_the_file_and_a_byte_order_mark_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"\xef\xbb\xbfkite \r\n\r\n spade")
    assert list_lines(tmp_path / "mine.txt", "things") == [(1, "kite"), (3, "spade")]
