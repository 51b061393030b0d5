"""Files of Python are read as Python reads them, and what cannot be read has a short reason and stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.sources.python_files import LARGEST, Unreadable, names_below, read_python


def written(folder: Path, data: bytes | str) -> Path:
    path = folder / "module.py"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("x = 'é'\n".encode("utf-8-sig"), "x = 'é'\n"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\nx = 'é'\n"),
        ("#!python\n# vim: set fileencoding=cp1251 :\nx = 'Я'\n".encode("cp1251"), None),
        (b"x = 1\r\ny = 2\ry = 3\n", "x = 1\ny = 2\ny = 3\n"),
        (b"", ""),
    ],
)
def test_a_file_is_decoded_as_its_mark_and_its_cookie_say(tmp_path: Path, data: bytes, text: str | None) -> None:
    found = read_python(written(tmp_path, data)).text
    assert found == text if text is not None else "'Я'" in found


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("print 'hello'\n", "Python 2"),
        ("def f():\n    print x\n", "Python 2"),
        ("try:\n    pass\nexcept ValueError, e:\n    pass\n", "Python 2"),
        ("raise ValueError, 'no'\n", "Python 2"),
        ("x = 1 <> 2\n", "Python 2"),
        ("exec 'x = 1'\n", "Python 2"),
        ("def f(:\n", "syntax"),
        ("x = = 1\n", "syntax"),
        (b"x = '\xe9'\n", "encoding"),
        (b"# coding: no-such-codec\n", "encoding"),
        (b"# coding: rot13\nk = 1\n", "encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding"),
        (b"x = 1\0\n", "no text"),
        ("(" * 5000, "syntax"),
        ("x = " + "-" * 20_000 + "1\n", "nested too deeply"),
        ("x" + ".y" * 20_000 + "\n", "nested too deeply"),
        ("#" * (LARGEST + 1), "larger than 1 MiB"),
    ],
)
def test_what_cannot_be_read_says_why_in_two_words(tmp_path: Path, data: bytes | str, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_python(written(tmp_path, data))
    assert str(error.value) == reason


def test_a_file_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be opened"):
        read_python(tmp_path / "module.py")


def test_an_escape_that_python_warns_of_is_read_in_silence(tmp_path: Path) -> None:
    assert read_python(written(tmp_path, r"x = '\d'")).text == r"x = '\d'"


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused_with_a_reason(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), data)
    try:
        found = read_python(path).text
    except Unreadable as error:
        found = str(error)
    assert "\r" not in found


def test_files_are_found_in_the_order_of_their_paths_without_hidden_and_excluded_folders(tmp_path: Path) -> None:
    for name in ("b.py", "a/c.py", "a/d.txt", ".git/e.py", "tests/f.py", "a/.g.py", "z/h.pyi"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    os.mkfifo(tmp_path / "pipe.py")
    assert names_below(tmp_path, without={"tests"}) == ["a/c.py", "b.py"]
