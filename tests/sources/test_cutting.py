"""Long texts are cut where a reader would pause, and nothing of them is changed or lost."""

from __future__ import annotations

from itertools import pairwise
from time import thread_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retroweave.sources.cutting import cut

# Letters that the cutter decides by, and a few that it does not.
TEXTS = st.text(st.sampled_from('ab .!?\n\r\t"”。！\u3000é\x0c😀'), max_size=200) | st.text(max_size=200)


def slices(text: str, shortest: int, longest: int) -> list[str]:
    return [text[start:end] for start, end in cut(text, shortest, longest)]


@given(TEXTS, st.integers(1, 20), st.integers(1, 40))
@example("a. b\r\n\r\n\r\nc", 2, 2)
@example("\n\n", 1, 1)
def test_every_span_is_in_order_and_in_range_and_only_white_space_is_left_out(
    text: str, shortest: int, more: int
) -> None:
    longest = shortest + more
    end = 0
    for span in cut(text, shortest, longest):
        assert text[end : span.start].strip() == ""
        assert 0 < span.length <= longest
        assert text[span.start : span.end].strip() != ""
        end = span.end
    assert text[end:].strip() == ""


@given(TEXTS, st.integers(1, 20), st.integers(1, 40))
def test_what_is_too_short_could_not_be_joined_to_a_neighbour(text: str, shortest: int, more: int) -> None:
    longest = shortest + more
    spans = list(cut(text, shortest, longest))
    for left, right in pairwise(spans):
        if left.length < shortest or right.length < shortest:
            assert right.end - left.start > longest


@given(st.lists(st.text("abc\n", min_size=1, max_size=30).map(lambda t: t.replace("\n\n", "a").strip() or "a")))
def test_a_paragraph_that_fits_is_never_cut(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    bounds = {bound for span in cut(text, 20, 40) for bound in span}
    place = 0
    for paragraph in paragraphs:
        assert not bounds & set(range(place + 1, place + len(paragraph)))
        place += len(paragraph) + 2


def test_paragraphs_are_joined_for_as_long_as_they_fit() -> None:
    text = "\n\n".join(["a" * 30, "b" * 30, "c" * 30, "d" * 30])
    assert slices(text, 40, 70) == ["a" * 30 + "\n\n" + "b" * 30, "c" * 30 + "\n\n" + "d" * 30]


def test_blank_lines_at_the_borders_are_left_out_and_all_others_stay_as_they_are() -> None:
    text = "\r\n \t\r\n  Indented.\r\n\r\n\r\nNext line  \r\nends.\r\n\r\n"
    assert slices(text, 1, 100) == ["  Indented.\r\n\r\n\r\nNext line  \r\nends."]


@pytest.mark.parametrize("blank", ["\n\n", "\r\n\r\n", "\r\r", "\n \t\n", "\n\x0c\n"])
def test_every_kind_of_blank_line_ends_a_paragraph(blank: str) -> None:
    assert slices(f"one two{blank}six ten", 5, 8) == ["one two", "six ten"]


def test_one_carriage_return_and_line_feed_are_no_blank_line() -> None:
    assert slices("one\r\n\r\ntwo\r\nsix", 1, 10) == ["one", "two\r\nsix"]


def test_a_paragraph_that_is_too_long_is_cut_after_sentences_with_their_closing_quotation_marks() -> None:
    text = '"Go now!" She went away. It is 3.14 now. (Or not?) The end.'
    assert slices(text, 3, 16) == ['"Go now!"', "She went away.", "It is 3.14 now.", "(Or not?)", "The end."]


def test_chinese_and_japanese_sentences_end_without_a_space() -> None:
    assert slices("「行こう。」と言った。外は雨だ！傘は？", 3, 12) == ["「行こう。」と言った。", "外は雨だ！傘は？"]


def test_a_sentence_that_is_too_long_is_cut_at_a_space_and_a_word_anywhere() -> None:
    assert slices("one two three four five", 3, 13) == ["one two three", "four five"]
    assert slices("a" * 25, 3, 10) == ["a" * 8, "a" * 8, "a" * 9]


def test_a_paragraph_that_must_be_cut_begins_a_passage_where_the_one_before_is_long_enough() -> None:
    long = "Bbbbb bbb. Cccc cccc. Dddd dddd."
    assert slices(f"Aaaaaaaaaa.\n\n{long}", 10, 25)[0] == "Aaaaaaaaaa."
    assert slices(f"Aa.\n\n{long}", 10, 25)[0] == "Aa.\n\nBbbbb bbb."


def test_a_short_rest_takes_the_last_paragraphs_of_the_passage_before() -> None:
    text = "\n\n".join(["a" * 20, "b" * 20, "c" * 20, "d" * 5])
    assert slices(text, 20, 64) == ["a" * 20 + "\n\n" + "b" * 20, "c" * 20 + "\n\n" + "d" * 5]


@pytest.mark.parametrize("heading", ["Waiver and form", "What has changed:", "# Title\n\nA subtitle", "2. The weir"])
def test_a_heading_goes_with_what_it_heads(heading: str) -> None:
    first, second = "Aaaa aaaa. " * 4 + "A.", "Bbbb bbbb. " * 4 + "B."
    assert slices(f"{first}\n\n{heading}\n\n{second}", 40, 90) == [first, f"{heading}\n\n{second}"]
    assert slices(f"{first}\n\n{heading}", 40, 90) == [f"{first}\n\n{heading}"]


@pytest.mark.parametrize(
    "line", ["Here it ends.", "- an item", "A line of verse,", '"Go."', "One\nTwo", "A\n\nB\n\nC", "small", "***"]
)
def test_what_is_no_heading_stays_with_what_is_before_it(line: str) -> None:
    first, second = "Aaaa aaaa. " * 4 + "A.", "Bbbb bbbb. " * 4 + "B."
    assert slices(f"{first}\n\n{line}\n\n{second}", 40, 90) == [f"{first}\n\n{line}", second]


def test_a_heading_stays_where_too_little_would_be_left_or_what_it_heads_is_too_long() -> None:
    long = "Bbbb bbbb. " * 6 + "B."
    assert slices(f"Aaaaaaaaaa.\n\nA title\n\n{long}", 15, 70) == ["Aaaaaaaaaa.\n\nA title", long]
    assert slices(f"{long[:-3]}\n\nA title\n\n{long}", 15, 75) == [f"{long[:-3]}\n\nA title", long]


def test_a_text_with_a_paragraph_on_each_line_and_no_blank_lines_is_cut_at_line_ends() -> None:
    first, second = "Aaaa aaaa aaaa. " * 9 + "A.", "Bbbb bbbb bbbb. " * 9 + "B."
    assert slices(f"Salt\n\n{first}\nTrade\n{second}\n", 100, 160) == [f"Salt\n\n{first}", f"Trade\n{second}"]
    broken_to_a_width = "\n".join(["aaaa aaaa. Bbbb bbbb bbbb. Aaaa aaaa"] * 12) + "."
    assert all(one.endswith(".") for one in slices(broken_to_a_width, 90, 180))


def test_a_short_sentence_joins_the_paragraph_before_where_it_fits_no_other() -> None:
    assert slices(f"Aaaaaaaaaa.\n\nBb. {'c' * 24}.", 10, 25) == ["Aaaaaaaaaa.\n\nBb.", "c" * 24 + "."]


def test_a_short_rest_that_no_neighbour_can_take_is_a_span_of_its_own() -> None:
    assert slices("a" * 60 + "\n\n" + "b" * 5, 20, 64) == ["a" * 60, "b" * 5]
    assert slices("b" * 5 + "\n\n" + "a" * 60, 20, 64) == ["b" * 5, "a" * 60]


@pytest.mark.parametrize("part", ["\n" + " " * 50, ". " * 30, "\r\n", '."""', "word ", "。", "x", " \n"])
def test_the_time_grows_with_the_length_and_not_with_its_square(part: str, no_collection: None) -> None:
    def seconds(length: int) -> float:
        began = thread_time()
        for _ in cut(part * (length // len(part)), 600, 4000):
            pass
        return thread_time() - began

    assert seconds(320_000) < 8 * seconds(80_000) + 0.2
