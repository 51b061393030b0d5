"""A heading is told by its look."""

from __future__ import annotations

import pytest

from retroweave.text.headings import is_heading


@pytest.mark.parametrize(
    "line", ["Waiver and form", "What has changed:", "## Title", "2. The weir", "A" * 80, "Überblick"]
)
def test_a_short_line_that_closes_with_no_mark_is_a_heading(line: str) -> None:
    assert is_heading(line)


@pytest.mark.parametrize(
    "line",
    ["Here it ends.", "- an item", "A line of verse,", "“Go.”", "One\nTwo", "small", "***", "1592", "A" * 81, ""],
)
def test_a_sentence_an_item_a_verse_and_what_has_no_letter_are_none(line: str) -> None:
    assert not is_heading(line)
