"""Damage is marked where it stands, and no character of a sample is lost or added by drawing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.export.conversation import Conversation, Piece, conversation

MakeSample = Callable[..., dict[str, Any]]


def _text(piece: Piece) -> str:
    return "".join(run.text for run in piece.runs) + "".join(line.text for line in piece.lines)


def _kinds(drawn: Conversation) -> list[tuple[str, str]]:
    return [
        (line.kind, line.text.rstrip("\n")) for turn in drawn.turns for piece in turn.pieces for line in piece.lines
    ]


def _sample(*contents: str, spans: dict[str, Any] | None = None, kept: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": "x",
        "layout": "unified",
        "split": "train",
        "messages": [{"role": "user", "content": content, "train": False} for content in contents],
        "provenance": {"source": {"place": "p"}, "spans": spans or {}, "kept": kept or {}},
    }


@pytest.mark.parametrize("number", range(30))
def test_each_edit_is_marked_with_what_stands_there_now(make_sample: MakeSample, number: int) -> None:
    sample = make_sample(number) | {"split": "train"}
    drawn = conversation(sample)
    marked = [
        (run.edit.number, run.edit.operation.replace(" ", "_"), run.text)
        for piece in drawn.turns[0].pieces
        for run in piece.runs
        if run.edit
    ]
    kept = sample["provenance"]["kept"]["operations"]
    assert marked == [
        (place, operation["operation"], edit["now"])
        for place, operation in enumerate(kept, 1)
        for edit in operation["edits"]
    ]
    assert all(not run.edit for turn in drawn.turns[1:] for piece in turn.pieces for run in piece.runs)


@pytest.mark.parametrize("number", range(30))
def test_the_pieces_of_a_turn_are_its_text(make_sample: MakeSample, number: int) -> None:
    sample = make_sample(number) | {"split": "train"}
    for turn, drawn in zip(sample["messages"], conversation(sample).turns, strict=True):
        assert "".join(map(_text, drawn.pieces)) == turn["content"]


@given(st.lists(st.sampled_from(["@@ -1 +1 @@", "--- a", "+++ b", "diff --git a b", "+x", "-x", " x", "x", ""])))
def test_lines_of_any_order_are_drawn_whole(lines: list[str]) -> None:
    content = "\n".join(lines)
    [turn] = conversation(_sample(content)).turns
    assert "".join(map(_text, turn.pieces)) == content


def test_added_and_removed_lines_are_told_from_the_head_of_a_diff() -> None:
    diff = "Here:\n<diff>\n--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n</diff>\n- no diff\n+ nor this"
    assert _kinds(conversation(_sample(diff))) == [
        ("head", "--- a"),
        ("head", "+++ b"),
        ("place", "@@ -1,2 +1,2 @@"),
        ("same", " same"),
        ("removed", "-old"),
        ("added", "+new"),
    ]


def test_what_looks_like_a_diff_within_the_damaged_passage_is_prose() -> None:
    passage = "@@ -1 +1 @@\n-teh\n"
    edit = {"at": 13, "now": "teh", "was": "the", "line": 2}
    kept = {"operations": [{"operation": "transposed_letters", "edits": [edit]}]}
    drawn = conversation(_sample(f"Mend:\n{passage}", spans={"damaged": [0, 6, 6 + len(passage)]}, kept=kept))
    assert _kinds(drawn) == []
    assert [run.text for piece in drawn.turns[0].pieces for run in piece.runs if run.edit] == ["teh"]


def test_an_edit_that_does_not_stand_where_it_should_is_not_marked() -> None:
    kept = {"operations": [{"operation": "x", "edits": [{"at": 2, "now": "zzz", "was": "", "line": 1}]}]}
    assert conversation(_sample("abcdef", spans={"damaged": [0, 0, 6]}, kept=kept)).edits == []


def test_edits_that_overlap_are_not_marked_twice() -> None:
    edits = [{"at": at, "now": "abcdef"[at : at + 3], "was": "", "line": 1} for at in (0, 1, 3)]
    kept = {"operations": [{"operation": "x", "edits": edits}]}
    [turn] = conversation(_sample("abcdef", spans={"damaged": [0, 0, 6]}, kept=kept)).turns
    assert [run.text for piece in turn.pieces for run in piece.runs] == ["abc", "def"]


def test_a_very_long_turn_is_shortened_and_its_marks_stay_in_place() -> None:
    passage = "word " * 100_000 + "teh end"
    edit = {"at": 500_000, "now": "teh", "was": "the", "line": 1}
    kept = {"operations": [{"operation": "transposed_letters", "edits": [edit]}]}
    drawn = conversation(_sample(passage, spans={"damaged": [0, 0, len(passage)]}, kept=kept))
    pieces = drawn.turns[0].pieces
    assert [piece.left_out > 490_000 for piece in pieces] == [False, True, False]
    assert [run.text for run in pieces[2].runs][-2:] == ["teh", " end"]
    assert sum(len(_text(piece)) for piece in pieces) <= 6_000


def test_a_line_that_is_a_tag_is_told_from_prose() -> None:
    [turn] = conversation(_sample('<document name="a">\na <b> c\n</document>')).turns
    assert [run.text for piece in turn.pieces for run in piece.runs if run.is_tag] == [
        '<document name="a">',
        "</document>",
    ]
