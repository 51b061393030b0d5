"""Variants are read from plain text files, and a file that cannot be right is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from retroweave.pipeline.errors import UserError
from retroweave.text.variants import read_variants


def written(folder: Path, text: str) -> Path:
    file = folder / "ways.txt"
    file.write_bytes(text.encode())
    return file


def test_a_variant_is_a_line_and_blank_lines_are_none(tmp_path: Path) -> None:
    assert read_variants(written(tmp_path, "One “way”\n\n two {now}\r\n100 % so\n")) == (
        "One “way”",
        " two {now}",
        "100 % so",
    )


def test_where_a_line_is_a_percent_sign_variants_may_have_several_lines(tmp_path: Path) -> None:
    assert read_variants(written(tmp_path, "%\nOne\nway\n%\n\nTwo\n\nways\n%\n%\n")) == ("One\nway", "Two\n\nways")


def test_a_line_that_parts_variants_may_say_something_to_people(tmp_path: Path) -> None:
    assert read_variants(written(tmp_path, "%% 0.91, beside: Mend\nOne\nway\n%% 0.8\n% two\n")) == ("One\nway", "% two")


@pytest.mark.parametrize("text", ["", "\n  \n", "%\n%\n"])
def test_a_file_without_a_variant_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"holds no variant\. Write at least one"):
        read_variants(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file of variants at .*gone\.txt\. Write one"):
        read_variants(tmp_path / "gone.txt")
