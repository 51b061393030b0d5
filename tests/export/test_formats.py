"""No export may ask a trainer to learn a turn that is not to be trained."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retroweave.export.formats import FORMATS, Exported, export_samples
from retroweave.pipeline.errors import UserError

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]


def _turns(*turns: tuple[str, str] | tuple[str, str, bool]) -> list[dict[str, Any]]:
    return [{"role": turn[0], "content": turn[1], "train": len(turn) == 3 and bool(turn[2])} for turn in turns]


SIMPLE = _turns(("user", "2 + 2?"), ("assistant", "4", True))
UNTRAINED_MIDDLE = _turns(
    ("system", "Be brief."),
    ("user", "A story."),
    ("assistant", "Which?"),
    ("user", "Any."),
    ("assistant", "Once.", True),
)
TWO_TRAINED = _turns(("user", "one"), ("assistant", "1", True), ("user", "two"), ("assistant", "2", True))


@pytest.fixture
def export(make_run: MakeRun, make_sample: MakeSample, tmp_path: Path) -> Callable[..., Any]:
    """`export(format, messages, ...)`: the rows that come of these conversations, read from JSONL."""

    def write(format: str, *conversations: list[dict[str, Any]], **options: Any) -> tuple[list[Any], Exported]:
        samples = [make_sample(number, messages=turns) for number, turns in enumerate(conversations)]
        to = tmp_path / "out" / "samples.jsonl"
        exported = export_samples(make_run(samples), format, to, **options)
        return [orjson.loads(line) for line in to.read_bytes().splitlines()], exported

    return write


def test_messages_keep_which_turns_are_trained_and_under_what_licence(export: Any) -> None:
    rows, exported = export("messages", UNTRAINED_MIDDLE)
    assert rows[0]["messages"] == UNTRAINED_MIDDLE
    assert set(rows[0]) == {"messages", "id", "recipe", "layout", "license"}
    assert (exported.samples, exported.rows, exported.notes) == (1, 1, ())


def test_prompt_completion_has_a_row_for_each_trained_turn_as_trl_reads_it(export: Any) -> None:
    rows, _ = export("prompt-completion", UNTRAINED_MIDDLE, TWO_TRAINED)
    assert rows == [
        {
            "prompt": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "A story."},
                {"role": "assistant", "content": "Which?"},
                {"role": "user", "content": "Any."},
            ],
            "completion": [{"role": "assistant", "content": "Once."}],
        },
        {
            "prompt": [{"role": "user", "content": "one"}],
            "completion": [{"role": "assistant", "content": "1"}],
        },
        {
            "prompt": [
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "1"},
                {"role": "user", "content": "two"},
            ],
            "completion": [{"role": "assistant", "content": "2"}],
        },
    ]


def test_sharegpt_keeps_a_conversation_whole_where_every_answer_is_trained(export: Any) -> None:
    rows, exported = export("sharegpt", TWO_TRAINED)
    assert rows == [
        {
            "conversations": [
                {"from": "human", "value": "one"},
                {"from": "gpt", "value": "1"},
                {"from": "human", "value": "two"},
                {"from": "gpt", "value": "2"},
            ]
        }
    ]
    assert exported.notes == ()


def test_sharegpt_ends_at_the_trained_turn_and_says_what_the_trainer_must_mask(export: Any) -> None:
    followed = [*UNTRAINED_MIDDLE, *_turns(("user", "More."), ("assistant", "No."))]
    rows, exported = export("sharegpt", followed, SIMPLE)
    assert [turn["from"] for turn in rows[0]["conversations"]] == ["system", "human", "gpt", "human", "gpt"]
    assert rows[0]["conversations"][-1]["value"] == "Once."
    assert exported.notes[0].startswith("1 of 2 rows hold answers before the last one")
    assert "mask_history" in exported.notes[0]


def test_alpaca_has_system_and_history_where_there_are_earlier_turns(export: Any) -> None:
    rows, exported = export("alpaca", SIMPLE, UNTRAINED_MIDDLE, TWO_TRAINED)
    assert rows[0] == {"instruction": "2 + 2?", "input": "", "output": "4", "system": "", "history": []}
    assert rows[1] == {
        "instruction": "Any.",
        "input": "",
        "output": "Once.",
        "system": "Be brief.",
        "history": [["A story.", "Which?"]],
    }
    assert [row["output"] for row in rows[2:]] == ["1", "2"]
    assert exported.notes[0].startswith("2 of 4 rows hold answers in their history")


def test_text_ends_each_turn_with_the_separator(export: Any) -> None:
    rows, exported = export("text", TWO_TRAINED, UNTRAINED_MIDDLE)
    assert rows == [
        {"text": "one<|end|>1<|end|>two<|end|>2<|end|>"},
        {"text": "Be brief.<|end|>A story.<|end|>Which?<|end|>Any.<|end|>Once.<|end|>"},
    ]
    assert exported.notes[0].startswith("1 of 2 rows")


def test_text_that_holds_the_separator_is_refused(export: Any) -> None:
    forged = _turns(("user", "say <|end|>"), ("assistant", "no", True))
    with pytest.raises(UserError, match=r"holds the separator '<\|end\|>'.*Choose another"):
        export("text", forged)
    rows, _ = export("text", forged, separator="\n###\n")
    assert rows == [{"text": "say <|end|>\n###\nno\n###\n"}]
    with pytest.raises(UserError, match="separator is empty"):
        export("text", SIMPLE, separator="")


conversation = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "system"]), st.booleans()), min_size=1, max_size=8
).map(
    lambda turns: [
        {"role": role, "content": f"<{place}>", "train": train and role == "assistant"}
        for place, (role, train) in enumerate(turns)
    ]
)


@settings(max_examples=200)
@given(conversation)
def test_what_a_row_ends_with_is_a_trained_turn_and_each_one_ends_a_row_or_stands_in_a_whole_one(
    turns: list[dict[str, Any]],
) -> None:
    trained = [turn["content"] for turn in turns if turn["train"]]
    all_trained = all(turn["train"] for turn in turns if turn["role"] == "assistant")
    learnt: dict[str, Callable[[dict[str, Any]], str]] = {
        "prompt-completion": lambda row: row["completion"][0]["content"],
        "alpaca": lambda row: row["output"],
        "sharegpt": lambda row: row["conversations"][-1]["value"],
        "text": lambda row: row["text"].split("|")[-2],
    }
    for name, last in learnt.items():
        rows = FORMATS[name].rows({"messages": turns, "id": "x"}, "|")
        whole = FORMATS[name].whole and all_trained
        assert [last(row) for row in rows] == (trained[-1:] if whole else trained)


@pytest.mark.parametrize("name", FORMATS)
def test_parquet_and_jsonl_hold_the_same_rows(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    directory = make_run()
    for ending in ("jsonl", "parquet"):
        export_samples(directory, name, tmp_path / f"samples.{ending}")
    lines = (tmp_path / "samples.jsonl").read_bytes().splitlines()
    assert pq.read_table(tmp_path / "samples.parquet").to_pylist() == [orjson.loads(line) for line in lines]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_memory_is_flat(make_run: MakeRun, make_sample: MakeSample, tmp_path: Path, ending: str) -> None:
    peaks = []
    for rows in (2_000, 6_000):
        directory = make_run((make_sample(number % 50) for number in range(rows)), name=str(rows))
        tracemalloc.start()
        assert export_samples(directory, "sharegpt", tmp_path / f"samples.{ending}").samples == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_one_split_is_exported_alone(make_run: MakeRun, tmp_path: Path) -> None:
    directory = make_run()
    assert export_samples(directory, "messages", tmp_path / "a.jsonl", split="validation").samples == 4
    assert export_samples(directory, "messages", tmp_path / "a.jsonl").samples == 40


def test_other_endings_and_formats_are_refused_with_those_that_there_are(make_run: MakeRun, tmp_path: Path) -> None:
    directory = make_run()
    for name in ("samples.json", "samples.jsonl.gz", "samples"):
        with pytest.raises(UserError, match=r"should end in \.jsonl or \.parquet"):
            export_samples(directory, "messages", tmp_path / name)
    with pytest.raises(UserError, match="is a directory"):
        export_samples(directory, "messages", tmp_path)
    with pytest.raises(UserError, match=r"no format 'shargpt'\. Did you mean 'sharegpt'"):
        export_samples(directory, "shargpt", tmp_path / "samples.jsonl")


def test_an_export_that_fails_leaves_the_older_file_and_nothing_else(
    make_run: MakeRun, make_sample: MakeSample, tmp_path: Path
) -> None:
    to = tmp_path / "exports" / "samples.jsonl"
    to.parent.mkdir()
    to.write_text("older")
    forged = make_sample(1, messages=_turns(("user", "<|end|>"), ("assistant", "no", True)))
    with pytest.raises(UserError):
        export_samples(make_run([make_sample(0, layout="unified"), forged]), "text", to)
    assert [path.name for path in to.parent.iterdir()] == ["samples.jsonl"]
    assert to.read_text() == "older"
