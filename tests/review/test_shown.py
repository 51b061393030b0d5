"""How texts become pieces: code in runs, and what may be seen of a row blind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.review.highlight import LANGUAGES, CodeRun, fences, highlighted, looks_like_python, unfenced
from retroweave.review.plots import Frame, curve, ticks
from retroweave.review.rows import Row
from retroweave.review.seen import Standpoint
from retroweave.review.shown import Blind, blind_view, pieces_of, shown

SCRAPS = (
    "a",
    "b",
    " ",
    "\n",
    "`",
    "~",
    "#",
    "'",
    '"',
    "\\",
    "{}",
    "<>&",
    "\x00",
    "é",
    "```python\n",
    "\n```\n",
    "def f(",
    "@@ -1 @@",
)
texts = st.lists(st.sampled_from(SCRAPS), max_size=60).map("".join)


@given(texts, st.sampled_from(sorted(LANGUAGES)))
def test_highlighted_code_is_the_code(text: str, language: str) -> None:
    assert "".join(run.text for run in highlighted(text, language)) == text


@given(texts)
def test_fences_lose_nothing_but_the_fences(text: str) -> None:
    rest = text
    for part in fences(text):
        assert part.text in rest
        rest = rest[rest.index(part.text) + len(part.text) :]
    assert all(part.language in LANGUAGES or not part.language for part in fences(text))


def test_an_unknown_language_and_a_long_text_are_left_plain() -> None:
    assert highlighted("def f(): pass", "klingon") == [CodeRun("", "def f(): pass")]
    assert len(highlighted("x = 1\n" * 10_000, "python")) == 1


def test_python_without_a_fence_is_seen() -> None:
    assert looks_like_python("# about it\n\n@cached\ndef f(x):\n    return x\n")
    assert looks_like_python("import os\n")
    assert not looks_like_python("Important things: define terms, import wine.")


def test_code_in_prose_is_parted_from_it() -> None:
    pieces = pieces_of("Look:\n```python\nreturn 1\n```\nThat is all.")
    assert [bool(piece.code) for piece in pieces] == [False, True, False]
    assert CodeRun("word", "return") in pieces[1].code


CODE = "import os\n\n\n@cached\ndef f(x):\n    if x:\n\n        return 1\n    return 2\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("=== solution.py ===\n", "=== end of code ===\n"),
        ("It fails:\n\n-----\n", "-----\nWhy?"),
        ("The function:\n\n", ""),
    ],
)
def test_code_without_a_fence_is_parted_from_the_prose_around_it(before: str, after: str) -> None:
    found = [
        "".join(run.text for run in (piece.code or (piece.plain.runs if piece.plain else ())))
        for piece in pieces_of(before + CODE + after)
    ]
    assert found == [part.strip("\n") for part in (before, CODE, after) if part]
    assert [bool(piece.code) for piece in pieces_of(before + CODE + after)][:2] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "A word.\nclass war: a struggle\nof classes",
        "Dear all,\n\n    indented,\nfrom me",
        "So\nimport wine\nfrom Spain",
    ],
)
def test_prose_is_not_taken_for_code(text: str) -> None:
    assert not any(piece.code for piece in pieces_of(text))


@given(texts)
def test_parting_unfenced_code_loses_nothing(text: str) -> None:
    assert "".join(part.text for part in unfenced(text)) == text


def test_a_long_text_says_how_much_of_it_is_left_out() -> None:
    pieces = pieces_of("x" * 100_000)
    left_out = [piece.plain.left_out for piece in pieces if piece.plain]
    assert sum(left_out) == 94_000


# Blind


def call(step: str, asked: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"step": step, "model": "m", "prompt": [{"role": "user", "content": asked}], "answer": answer} | more


STEPS = {"write": "prompt", "looks": "judge", "fits": "judge", "later": "prompt", "layout": "reverse"}
REJECT = Row(
    number=1,
    id="0-1",
    kind="reject",
    split="",
    recipe="r",
    layout="",
    license="",
    place="",
    step="fits",
    reason="scored below 0.5",
    trace="",
    messages=(),
    variants={},
    provenance={
        "calls": [call("write", "Write one.", "An answer."), call("fits", "Does it fit?", "No")],
        "verdicts": [{"step": "fits", "score": 0.2, "passed": False}],
    },
    content="",
)
SAMPLE = replace(
    REJECT,
    id="a" * 32,
    kind="sample",
    layout="layout",
    step="",
    reason="",
    messages=({"role": "user", "content": "Plain.", "train": False},),
    provenance={
        "calls": [*REJECT.provenance["calls"][:1], call("fits", "Does it fit?", "Yes"), call("later", "And?", "Fine.")],
        "verdicts": [{"step": "fits", "score": 0.9, "passed": True}],
    },
)


def test_blind_a_sample_and_a_reject_look_the_same() -> None:
    assert blind_view(SAMPLE, "fits", STEPS, uniform=True) == blind_view(REJECT, "fits", STEPS, uniform=True)


def test_blind_tells_nothing_of_what_an_earlier_judge_said() -> None:
    calls = [
        *REJECT.provenance["calls"][:1],
        call("looks", "Does it look well?", "Yes"),
        call("fits", "Does it fit?", "No"),
    ]
    view = str(blind_view(replace(REJECT, provenance={"calls": calls}), "fits", STEPS, uniform=True))
    assert "An answer." in view
    assert "Yes" not in view
    assert "Does it look well?" not in view


def test_blind_shows_the_plain_prompt_in_the_place_of_the_clever_one() -> None:
    clever = replace(REJECT, provenance={"calls": [call("write", "Clever.", "An answer.", plain="Plain.")]})
    assert "Plain." in str(blind_view(clever, "fits", STEPS, uniform=True))
    assert "Clever." not in str(blind_view(clever, "fits", STEPS, uniform=True))


def test_where_only_samples_are_labelled_the_conversation_is_shown() -> None:
    sample = replace(SAMPLE, messages=({"role": "user", "content": "Whole.", "train": False},))
    sample = replace(sample, provenance={**sample.provenance, "source": {"place": ""}, "spans": {}, "kept": {}})
    assert "Whole." in str(blind_view(sample, "fits", STEPS, uniform=False))


def test_of_a_reject_the_answer_is_shown_and_not_what_the_judge_said_of_it() -> None:
    texts = [piece.plain.runs[0].text for turn in shown(REJECT).turns for piece in turn.pieces if piece.plain]
    assert texts == ["Write one.", "An answer."]


def test_a_row_without_calls_shows_nothing() -> None:
    bare = replace(REJECT, provenance={})
    assert not shown(bare).turns
    assert not blind_view(bare, "fits", STEPS, uniform=True).turns


words = st.sampled_from(["", "a", "b", "a b"])
calls = st.lists(st.builds(call, st.sampled_from(["write", "looks", "fits", "later"]), words, words), max_size=4)


@given(calls, calls, st.booleans())
def test_a_hash_of_what_is_seen_is_the_same_where_the_same_is_shown(one: Any, other: Any, known: bool) -> None:
    moves = STEPS if known else {}
    views = [Standpoint.of("fits", moves).view(calls, {"looks", "fits"}) for calls in (one, other)]
    verdicts = [{"step": "looks"}, {"step": "fits"}]
    rows = [replace(REJECT, provenance={"calls": calls, "verdicts": verdicts}) for calls in (one, other)]
    drawn = [blind_view(row, "fits", moves, uniform=True) for row in rows]
    assert (views[0].hash("here") == views[1].hash("here")) is (drawn[0] == drawn[1])
    assert [view.hash("here") is None for view in views] == [view == Blind((), ()) for view in drawn]


def test_a_hash_of_what_is_seen_tells_places_apart_and_holds_half_characters() -> None:
    view = Standpoint.of("fits", STEPS).view([call("write", "a", "b\ud800")], ())
    assert view.hash("here") not in (None, view.hash("there"))


# Plots


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert len(found) <= 8
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in found)


@pytest.mark.parametrize(("value", "x", "y"), [(0, 46, 184), (1, 322, 10), (2, 322, 10), (-1, 46, 184)])
def test_a_value_stays_inside_its_frame(value: float, x: float, y: float) -> None:
    assert (Frame().x(value), Frame().y(value)) == (x, y)


def test_a_curve_draws_its_points_in_order() -> None:
    plot = curve("Yield", "", [(0, 1), (1, 0)], band=[(0, 0.5, 1), (1, 0, 0.5)])
    assert plot.line == "M46.0 10.0 L322.0 184.0"
    assert plot.band == "M46.0 10.0 L322.0 97.0 L322.0 184.0 L46.0 97.0 Z"


def test_blind_a_run_without_its_steps_shows_what_came_before_the_judge() -> None:
    assert blind_view(SAMPLE, "fits", {}, uniform=True) == blind_view(SAMPLE, "fits", STEPS, uniform=True)
