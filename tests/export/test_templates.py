"""Templates that stay compiled are a convenience: a run does without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from retroweave.export.templates import _Compiled


def rendered(folder: Path) -> str:
    kept = _Compiled(str(folder), "%s.jinja")
    return (
        Environment(loader=DictLoader({"page": "1 + 1 = {{ 1 + 1 }}"}), bytecode_cache=kept)
        .get_template("page")
        .render()
    )


def test_they_are_kept(tmp_path: Path) -> None:
    assert rendered(tmp_path) == "1 + 1 = 2"
    assert [path.suffix for path in tmp_path.iterdir()] == [".jinja"]


def test_where_they_cannot_be_kept_they_are_compiled_each_time(tmp_path: Path) -> None:
    assert rendered(tmp_path / "nowhere") == "1 + 1 = 2"


@pytest.mark.parametrize("size", [0, 5, 60, 200])
def test_one_that_broke_is_compiled_anew(tmp_path: Path, size: int) -> None:
    rendered(tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:size])
    assert rendered(tmp_path) == "1 + 1 = 2"
    assert kept.read_bytes() == whole
