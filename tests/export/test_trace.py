"""A sample walked backwards shows each step with what was asked, answered and judged at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.export.asked import asked_run, call, verdict

from retroweave.export.trace import has_trace, trace

MakeSample = Callable[..., dict[str, Any]]


def test_the_last_step_comes_first_and_each_has_its_own(make_asked: MakeSample) -> None:
    calls = [call("ask", "A question?", "Why?", plain="Ask me."), call("answerable", "Is it?", "Yes", "judge")]
    stops = trace(make_asked(0, calls, [verdict(0.9, True)]), asked_run())
    assert [(stop.move, stop.step) for stop in stops] == [
        ("reverse", "reverse"),
        ("judge", "answerable"),
        ("verify", "is_a_question"),
        ("compute", "question_of"),
        ("prompt", "ask"),
    ]
    assert [len(stop.calls) for stop in stops] == [0, 1, 0, 0, 1]
    assert [len(stop.verdicts) for stop in stops] == [0, 1, 0, 0, 0]
    [asked] = stops[-1].calls
    assert (asked.model, asked.prompt[0].head, asked.plain and asked.plain.head) == ("writer", "A question?", "Ask me.")
    [answered] = asked.answers
    assert (answered.said and answered.said.head, answered.end) == (
        "Why?",
        "ended by itself, 12 tokens read, 3 written",
    )


def test_equal_prompts_are_shown_once_with_how_often_each_answer_came(make_asked: MakeSample) -> None:
    calls = [call("answerable", "Is it?", answer) for answer in ("Yes", "No", "Yes", "Yes", *map(str, range(5)))]
    stop = trace(make_asked(0, calls), asked_run())[1]
    [asked] = stop.calls
    assert [(one.said and one.said.head, one.times) for one in asked.answers][:2] == [("Yes", 3), ("No", 1)]
    assert sum(one.times for one in asked.answers) + asked.more == 9
    assert len(asked.answers) == 4


def test_of_many_questions_and_turns_and_long_texts_a_part_is_shown_and_the_rest_counted(
    make_asked: MakeSample,
) -> None:
    turns = [{"role": "user", "content": f"{number} " + "word " * 1_000} for number in range(8)]
    calls = [call("answerable", turns, "Yes"), *(call("answerable", str(number), "Yes") for number in range(9))]
    stop = trace(make_asked(0, calls), asked_run())[1]
    assert (len(stop.calls), stop.more) == (3, 7)
    first = stop.calls[0]
    assert ([said.head[0] for said in first.prompt], first.turns_left_out) == (["0", "7"], 6)
    assert all(said.left_out and len(said.head) + len(said.tail) <= 700 for said in first.prompt)


def test_an_error_stands_in_the_place_of_an_answer(make_asked: MakeSample) -> None:
    calls = [call("ask", "A question?", None, error="too long")]
    [answered] = trace(make_asked(0, calls), asked_run())[-1].calls[0].answers
    assert (answered.said, answered.end) == (None, "too long")


def test_a_judge_that_is_asked_for_one_token_was_not_cut_off(make_asked: MakeSample) -> None:
    calls = [call("answerable", "Is it?", "Yes", finish="length", tokens=[9, 1])]
    [answered] = trace(make_asked(0, calls), asked_run())[1].calls[0].answers
    assert answered.end == "9 tokens read, 1 written"


def test_a_search_comes_before_what_it_asked_its_judge_and_is_drawn(make_asked: MakeSample) -> None:
    node = {"parent": None, "text": "", "tokens": 0, "end": False, "score": None, "perturbed": None, "expanded": 1}
    leaf = node | {"parent": 0, "text": "<b>Why?", "tokens": 3, "end": True, "score": 0.5}
    tree = {"budget": 9, "spent": 3, "rounds": 1, "committed": 0, "chosen": [1], "nodes": [node, leaf]}
    searched = call("ask", "", "Why?", tokens=[None, 3]) | {"prompt": "Question:", "tree": tree}
    stop = trace(make_asked(0, [call("ask", "Is it good?", "Yes", "judge"), searched]), asked_run())[-1]
    drawn, other = stop.calls
    assert drawn.prompt[0].role == "document"
    assert drawn.tree is not None
    assert "&lt;b&gt;Why?" in drawn.tree
    assert drawn.answers[0].end == "ended by itself, 3 written"
    assert other.tree is None


def test_what_a_step_outside_the_sample_s_own_way_asked_comes_last(make_asked: MakeSample) -> None:
    stops = trace(make_asked(0, [call("elsewhere", "x", "y")]), asked_run())
    assert [stop.step for stop in stops if stop.calls] == ["elsewhere"]
    assert (stops[-1].step, stops[-1].move) == ("elsewhere", "")


def test_a_sample_that_no_model_had_to_do_with_has_no_trace(make_sample: MakeSample, make_asked: MakeSample) -> None:
    assert not has_trace(make_sample(1))
    assert not has_trace(make_asked(1, []))
    assert has_trace(make_asked(1, [call("ask", "x", "y")]))
