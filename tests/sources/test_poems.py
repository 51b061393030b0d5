"""Poems: the built-in ones are as they should be, and a person's own are read or refused by their place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from retroweave.pipeline.errors import RetroweaveError
from retroweave.sources.poems import FIELDS, poems

ONE = """title: On the Step
form: haiku
theme: a snail on a doorstep

the snail takes all night
to cross the step. I take it
in one, with my keys
"""


def test_the_built_in_poems_are_many_in_many_forms_and_each_has_a_theme_of_its_own() -> None:
    rows = list(poems().rows())
    assert len(rows) >= 45
    assert len({row.key for row in rows}) == len({row.cluster for row in rows}) == len(rows)
    assert len({row.fields["theme"] for row in rows}) == len(rows)
    forms = Counter(row.fields["form"] for row in rows)
    assert len(forms) >= 20
    assert max(forms.values()) <= 6
    for row in rows:
        assert row.license == "CC0-1.0"
        assert set(row.fields) == set(FIELDS)
        assert not row.fields["poem"].startswith("\n")
        assert not row.fields["theme"].endswith(".")


def test_an_own_file_is_read_poem_by_poem(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{ONE}%\nlicense: CC-BY-4.0\ntheme: a door\n\nit is shut\n\nand stays shut\n")
    first, second = poems(tmp_path / "a.txt", license="CC0-1.0").rows()
    assert first.fields["poem"].startswith("the snail")
    assert first.fields["measure"] == ""
    assert (first.license, second.license) == ("CC0-1.0", "CC-BY-4.0")
    assert second.fields["poem"] == "it is shut\n\nand stays shut"
    assert second.fields["form"] == "poem"
    assert second.place == "a.txt, line 9"


def test_a_folder_and_json_lines_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": "it is shut", "theme": "a door", "measure": "iambic 2"}\n\n')
    (tmp_path / "a.txt").write_text(ONE)
    (tmp_path / "notes.md").write_text("no poem")
    found = poems(tmp_path, license="CC0-1.0")
    rows = list(found.rows())
    assert [row.key for row in rows] == ["a.txt#1", "b.jsonl#1"]
    assert rows[1].fields["measure"] == "iambic 2"
    before = found.fingerprint()
    (tmp_path / "a.txt").write_text(ONE.replace("keys", "shoes"))
    assert found.fingerprint() != before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "form: haiku\n\nit is shut\n", "poem 1, line 1: the poem has no theme"),
        ("a.txt", f"{ONE}%\ntheme: a door\n", "poem 2, line 9: the poem has no text"),
        ("a.txt", "theme: a door\nthems: x\n\nit is shut\n", "a poem has no 'thems'. Did you mean 'theme'?"),
        ("a.txt", "It is shut\nand stays shut\n\nfor good\n", "above a poem stand lines such as"),
        ("a.txt", "", "holds no poem"),
        ("a.jsonl", "[1]\n", "line 1: a JSON object is expected"),
        ("a.jsonl", '{"text": "x", "theme": "y"}\n{oh', "line 2: a JSON object is expected"),
        ("a.jsonl", '{"text": 7, "theme": "a door"}', "the poem has no text"),
        ("a.txt", f"theme: a door\n\n{'shut ' * 5000}", "20,000 are the most"),
        ("a.csv", "theme,text\n", "is expected to be a folder, or to end in .txt or .jsonl"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RetroweaveError) as error:
        poems(tmp_path / name, license="CC0-1.0")
    assert message in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RetroweaveError, match="There is no file or folder"):
        poems(tmp_path / "none.txt", license="CC0-1.0")
    (tmp_path / "a.txt").write_bytes(b"theme: caf\xe9\n\nshut")
    with pytest.raises(RetroweaveError, match="is expected to be UTF-8"):
        poems(tmp_path / "a.txt", license="CC0-1.0")


def test_own_poems_need_a_licence_and_the_built_in_ones_have_theirs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ONE)
    with pytest.raises(RetroweaveError, match="no licence is given for this poem"):
        poems(tmp_path / "a.txt")
    with pytest.raises(RetroweaveError, match=r"The built-in poems are under CC0-1\.0"):
        poems(license="CC-BY-4.0")
