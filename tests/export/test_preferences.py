"""A preference is what one judge said of two answers to one prompt, and nothing else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from tests.export.asked import asked_run, call, turned_away, verdict

from retroweave.export import preferences
from retroweave.export.formats import Exported, export_samples
from retroweave.judges import opinion
from retroweave.pipeline.errors import UserError

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]
Export = Callable[..., tuple[list[Any], Exported]]

ASK = "Text: The ferry was late.\n\nWrite a question."


def _user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _assistant(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _document(text: str, answer: str) -> dict[str, Any]:
    return call("ask", "", answer) | {"prompt": text}


@pytest.fixture
def export(make_run: MakeRun, tmp_path: Path) -> Export:
    """`export(format, samples, rejects, split=..., **fields of run.json)`: its rows, read from JSONL."""

    def write(
        format: str, samples: list[Any], rejects: list[Any], split: str | None = None, **fields: Any
    ) -> tuple[list[Any], Exported]:
        to = tmp_path / "preferences.jsonl"
        made = export_samples(make_run(samples, rejects, **asked_run(**fields)), format, to, split=split)
        return [orjson.loads(line) for line in to.read_bytes().splitlines()], made

    return write


def test_each_rejected_answer_stands_beside_the_accepted_one_of_its_source_row(
    export: Export, make_asked: MakeSample
) -> None:
    samples = [make_asked(0, [call("ask", ASK, "Why late?")]), make_asked(1, [call("ask", "Other.", "Who?")])]
    rejects = [
        turned_away("0/0/0", [call("ask", ASK, " What? \n")]),
        turned_away("0/0/1", [call("ask", ASK, "Eh?")]),
        turned_away("0/1/0", [call("ask", "Other.", "Hm?")]),
    ]
    rows, made = export("preference", samples, rejects)
    assert rows == [
        {"prompt": _user(ASK), "chosen": _assistant("Why late?"), "rejected": _assistant("What?")},
        {"prompt": _user(ASK), "chosen": _assistant("Why late?"), "rejected": _assistant("Eh?")},
        {"prompt": _user("Other."), "chosen": _assistant("Who?"), "rejected": _assistant("Hm?")},
    ]
    assert (made.samples, made.rows) == (2, 3)


def test_labelled_has_each_answer_once_with_what_the_judge_said_of_it(export: Export, make_asked: MakeSample) -> None:
    good = [call("ask", ASK, "Why late?")]
    samples = [make_asked(0, good), make_asked(1, good, row=0), make_asked(2, [call("ask", "Other.", "Who?")])]
    rejects = [
        turned_away("0/0/0", [call("ask", ASK, "What?")]),
        turned_away("0/0/1", [call("ask", ASK, "What?")]),
        turned_away("0/5/0", [call("ask", "Third.", "Hm?")]),
    ]
    rows, _ = export("labelled", samples, rejects)
    assert rows == [
        {"prompt": _user(ASK), "completion": _assistant("Why late?"), "label": True},
        {"prompt": _user(ASK), "completion": _assistant("What?"), "label": False},
        {"prompt": _user("Other."), "completion": _assistant("Who?"), "label": True},
        {"prompt": _user("Third."), "completion": _assistant("Hm?"), "label": False},
    ]


NO_VERDICTS: list[Any] = []


@pytest.mark.parametrize(
    "lost",
    [
        {"step": "ask", "reason": "the answer was cut off at max_tokens", "verdicts": NO_VERDICTS},
        {"step": "is_a_question", "reason": "is_a_question says no", "verdicts": NO_VERDICTS},
        {"kind": "failure", "reason": "CallFailed: no answer", "verdicts": NO_VERDICTS},
        {"kind": "duplicate", "step": "reverse", "verdicts": [verdict(0.9, True)]},
        {"reason": "the prompt is longer than the context of judge", "verdicts": NO_VERDICTS},
        {"reason": "the judge answered neither yes nor no", "verdicts": [verdict(0.5, False)]},
        {"step": "reverse", "reason": "a leak", "verdicts": [verdict(0.9, True)]},
        {"reason": "is_good says no", "verdicts": [verdict(0.9, True)]},
        {"kind": "failure", "reason": "is_good says no", "verdicts": NO_VERDICTS},
    ],
)
def test_what_was_lost_for_another_reason_than_a_judges_no_is_no_rejected_answer(
    export: Export, make_asked: MakeSample, lost: dict[str, Any]
) -> None:
    sample = make_asked(0, [call("ask", ASK, "Why late?")])
    with pytest.raises(UserError, match=r"no answer of a model that a judge rejected.*family\(prompt"):
        export("preference", [sample], [turned_away("0/0/0", [call("ask", ASK, "What?")], **lost)])


@pytest.mark.parametrize("reason", ["is_good says no", "not so: It is good"])
def test_a_judge_without_a_score_rejects_too(export: Export, make_asked: MakeSample, reason: str) -> None:
    sample = make_asked(0, [call("ask", ASK, "Why late?")], [])
    rows, _ = export("preference", [sample], [turned_away("0/0", [call("ask", ASK, "x")], [], reason=reason)])
    assert [row["rejected"] for row in rows] == [_assistant("x")]


def test_what_a_judge_without_an_opinion_says_is_what_this_module_takes_for_it() -> None:
    assert opinion.NEITHER == preferences._NO_OPINION


def test_the_plain_prompt_stands_in_the_place_of_the_generators(export: Export, make_asked: MakeSample) -> None:
    def asked(secret: str, answer: str) -> list[Any]:
        return [call("ask", f"{secret} Be clever.", answer, plain="Ask me something.")]

    rows, made = export(
        "preference", [make_asked(0, asked("One.", "Why?"))], [turned_away("0/0/0", asked("Two.", "No?"))]
    )
    assert rows[0]["prompt"] == _user("Ask me something.")
    assert made.notes == ()


def test_examples_that_are_drawn_anew_do_not_part_a_pair_and_another_question_does(
    export: Export, make_asked: MakeSample
) -> None:
    def turns(example: str, last: str) -> list[Any]:
        return [{"role": "system", "content": "Ask."}, *_user(example), *_assistant("So?"), *_user(last)]

    sample = make_asked(0, [call("ask", turns("a", ASK), "Why?")])
    rejects = [
        turned_away("0/0/0", [call("ask", turns("b", ASK), "What?")]),
        turned_away("0/0/1", [call("ask", turns("a", "Text: Another.\n\nWrite a question."), "Who?")]),
    ]
    rows, made = export("preference", [sample], rejects)
    assert [(row["prompt"], row["rejected"]) for row in rows] == [(turns("a", ASK), _assistant("What?"))]
    assert made.notes[0].startswith("In 1 row the prompt is the generator's own")
    assert made.notes[1] == (
        "Left out: rejected answers that were asked something else than the accepted one of their source row: 1."
    )


def test_a_document_is_a_turn_of_the_user_and_the_export_says_so(export: Export, make_asked: MakeSample) -> None:
    one, two = (f"Text: {word}\nQuestion: {word}?\n\nText: ferry\nQuestion:" for word in ("sea", "salt"))
    sample = make_asked(0, [_document(one, " Why?")])
    rows, made = export("preference", [sample], [turned_away("0/0/0", [_document(two, " What?")])])
    assert rows == [{"prompt": _user(one), "chosen": _assistant("Why?"), "rejected": _assistant("What?")}]
    assert "a document that a base model goes on with" in made.notes[0]
    assert "%% plain" in made.notes[0]


def test_only_the_answers_that_the_judge_looks_at_are_paired(export: Export, make_asked: MakeSample) -> None:
    def calls(answer: str) -> list[Any]:
        return [
            call("title", ASK, f"title {answer}"),
            call("ask", ASK, answer),
            call("answerable", ASK, "Yes", "judge"),
        ]

    rows, _ = export("preference", [make_asked(0, calls("Why?"))], [turned_away("0/0/0", calls("What?"))])
    assert [(row["chosen"], row["rejected"]) for row in rows] == [(_assistant("Why?"), _assistant("What?"))]


def test_what_a_judge_reads_beside_the_field_that_it_raises_is_not_judged(
    export: Export, make_asked: MakeSample
) -> None:
    steps = asked_run()["steps"]
    steps[1] = {"move": "prompt", "name": "title", "reads": ["passage"], "writes": ["title"], "raises": []}
    steps[5] |= {"reads": ["title", "question"]}
    before = call("title", ASK, "t")
    sample = make_asked(0, [before, call("ask", ASK, "Why?")])
    rejects = [turned_away("0/0/0", [before, call("ask", ASK, "x")])]
    rows, _ = export("labelled", [sample], rejects, steps=steps)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [("Why?", True), ("x", False)]


def test_answers_that_were_all_accepted_are_no_labelled_set(export: Export, make_asked: MakeSample) -> None:
    with pytest.raises(UserError, match="no answer of a model that a judge rejected"):
        export("labelled", [make_asked(0, [call("ask", ASK, "Why?")])], [])


def test_a_judge_of_several_answers_at_once_does_not_say_which_was_wrong(
    export: Export, make_asked: MakeSample
) -> None:
    steps = asked_run()["steps"]
    steps[1] = {"move": "prompt", "name": "title", "reads": ["passage"], "writes": ["title"], "raises": []}
    steps[5] |= {"raises": [], "reads": ["title", "question"]}
    both = [call("title", ASK, "t"), call("ask", ASK, "Why?")]
    sample = make_asked(0, both)
    with pytest.raises(UserError, match=r"rows whose judge looked at the answers of several steps at once: 1\."):
        export("preference", [sample], [turned_away("0/0/0", [both[0], call("ask", ASK, "x")])], steps=steps)


def test_an_answer_that_was_mended_in_a_further_turn_belongs_to_the_first_prompt(
    export: Export, make_asked: MakeSample
) -> None:
    again = [*_user(ASK), *_assistant("{"), *_user("That is no JSON.")]
    mended = [call("ask", ASK, "{"), call("ask", again, '{"q": 1}')]
    rows, _ = export("preference", [make_asked(0, mended)], [turned_away("0/0/0", [call("ask", ASK, '{"q": 2}')])])
    assert rows[0] == {"prompt": _user(ASK), "chosen": _assistant('{"q": 1}'), "rejected": _assistant('{"q": 2}')}


def test_an_answer_that_was_put_together_from_several_calls_is_left_out(export: Export, make_asked: MakeSample) -> None:
    several = [call("ask", ASK, "one"), call("ask", ASK, "two")]
    sample = make_asked(0, [call("ask", ASK, "Why?")])
    rejects = [turned_away("0/0/0", several), turned_away("0/0/1", [call("ask", ASK, "What?")])]
    rows, made = export("preference", [sample], rejects)
    assert [row["rejected"] for row in rows] == [_assistant("What?")]
    assert "Left out: answers that were put together from several calls: 1." in made.notes


def test_of_a_search_the_text_that_it_chose_is_the_answer(export: Export, make_asked: MakeSample) -> None:
    def searched(answer: str) -> list[Any]:
        return [call("ask", "Is it good?", "Yes", "judge"), _document("Question:", answer) | {"tree": {"nodes": []}}]

    rows, _ = export("preference", [make_asked(0, searched("Why?"))], [turned_away("0/0/0", searched("What?"))])
    assert [(row["chosen"], row["rejected"]) for row in rows] == [(_assistant("Why?"), _assistant("What?"))]


def test_an_answer_that_the_judge_took_once_and_once_not_is_no_rejected_one(
    export: Export, make_asked: MakeSample
) -> None:
    sample = make_asked(0, [call("ask", ASK, "Why?")])
    rejects = [turned_away("0/0/0", [call("ask", ASK, "Why?")]), turned_away("0/0/1", [call("ask", ASK, "x")])]
    rows, _ = export("labelled", [sample], rejects)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [("Why?", True), ("x", False)]


def test_a_sample_that_went_by_no_judge_has_no_accepted_answer(export: Export, make_asked: MakeSample) -> None:
    sample = make_asked(0, [call("ask", ASK, "Why?")])
    sample["provenance"]["steps"].remove("answerable")
    rows, _ = export("labelled", [sample], [turned_away("0/0/0", [call("ask", ASK, "x")])])
    assert [row["label"] for row in rows] == [False]


def test_a_split_has_only_answers_to_its_own_source_rows(export: Export, make_asked: MakeSample) -> None:
    samples = [make_asked(number, [call("ask", f"Text {number}", "Why?")]) for number in range(10)]
    rejects = [turned_away(f"0/{number}/0", [call("ask", f"Text {number}", "x")]) for number in range(11)]
    rows, made = export("labelled", samples, rejects, split="validation")
    assert [row["prompt"] for row in rows] == [_user("Text 9"), _user("Text 9")]
    assert "Left out: rejected answers whose source row has no sample in this split: 10." in made.notes


def test_later_draws_of_the_source_are_rows_of_their_own_in_the_order_of_numbers(
    export: Export, make_asked: MakeSample
) -> None:
    samples = [make_asked(number, [call("ask", f"Text {number}", "Why?")]) for number in (2, 10)]
    later = make_asked(2, [call("ask", "Text 2 again", "Who?")])
    later["provenance"]["source"]["draw"] = 1
    rejects = [turned_away(row, [call("ask", text, "x")]) for row, text in (("0/2/0", "Text 2"), ("0/10/0", "Text 10"))]
    rows, _ = export(
        "preference", [*samples, later], [*rejects, turned_away("1/2/0", [call("ask", "Text 2 again", "y")])]
    )
    assert [row["prompt"][0]["content"] for row in rows] == ["Text 2", "Text 10", "Text 2 again"]


@pytest.mark.parametrize("format", ["preference", "labelled"])
def test_a_run_that_asked_nobody_says_what_would_make_such_answers(
    make_run: MakeRun, tmp_path: Path, format: str
) -> None:
    to = tmp_path / "exports" / "x.parquet"
    with pytest.raises(UserError, match=rf"the format '{format}' is made of\. A recipe makes such by asking again"):
        export_samples(make_run(), format, to)
    assert list(to.parent.iterdir()) == []


def test_parquet_and_jsonl_hold_the_same_preferences_and_a_loader_reads_them(
    make_run: MakeRun, make_asked: MakeSample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    hostile = "</s><|im_end|>\x00{{ x }}\u202e"
    samples = [make_asked(0, [call("ask", ASK, hostile)])]
    directory = make_run(samples, [turned_away("0/0/0", [call("ask", ASK, f"{hostile}!")])], **asked_run())
    for format in ("preference", "labelled"):
        for ending in ("jsonl", "parquet"):
            export_samples(directory, format, tmp_path / f"rows.{ending}")
        lines = [orjson.loads(line) for line in (tmp_path / "rows.jsonl").read_bytes().splitlines()]
        assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == lines
        assert lines[0]["chosen" if format == "preference" else "completion"] == _assistant(hostile)
        cache = str(tmp_path / f"cache-{format}")
        loaded = datasets.load_dataset("json", data_files=str(tmp_path / "rows.jsonl"), split="train", cache_dir=cache)
        assert loaded.to_list() == lines


def test_memory_is_flat(make_run: MakeRun, make_asked: MakeSample, tmp_path: Path) -> None:
    peaks = []
    for rows in (1_500, 4_500):
        samples = [make_asked(number, [call("ask", f"Text {number}", "Why?")]) for number in range(rows)]
        rejects = [turned_away(f"0/{number}/0", [call("ask", f"Text {number}", "x")]) for number in range(rows)]
        directory = make_run(samples, rejects, name=str(rows), **asked_run())
        del samples, rejects
        tracemalloc.start()
        assert export_samples(directory, "preference", tmp_path / "rows.jsonl").rows == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5  # row groups hold a thousand, and the smaller run does not fill all three
