"""Samples in which tools are called, from the files of a run to what trainers and people read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retroweave.export.card import write_card
from retroweave.export.conversation import conversation
from retroweave.export.dataset import TOOL_SCHEMA, DatasetWriter, calls_tools, read_samples
from retroweave.export.formats import FORMATS, export_samples
from retroweave.export.report import write_report
from retroweave.export.survey import Survey
from retroweave.pipeline.errors import UserError

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

TOOLS = [{"type": "function", "function": {"name": "edit", "parameters": {"properties": {"text": {}}}}}]


def turns(text: str = "Once\n") -> list[dict[str, Any]]:
    function = {"name": "edit", "arguments": {"line": 3, "text": text}}
    return [
        {"role": "user", "content": "Mend it.", "train": False},
        {
            "role": "assistant",
            "content": "Line 3.",
            "train": True,
            "tool_calls": [{"id": "abc123def", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "ok", "train": False, "tool_call_id": "abc123def", "name": "edit"},
        {"role": "assistant", "content": "Done.", "train": True},
    ]


@pytest.fixture
def run(make_run: MakeRun, make_sample: MakeSample) -> Path:
    """A run of two samples that call tools, and one that does not."""
    calling = [make_sample(number, messages=turns(), tools=TOOLS) for number in range(2)]
    folder = make_run([*calling, make_sample(2)])
    with DatasetWriter(folder, tools=True) as writer:
        for sample in (*calling, make_sample(2)):
            writer.write("train", sample)
    return folder


def test_what_is_written_is_read_again_with_and_without_tools(run: Path, make_sample: MakeSample) -> None:
    one, _, plain = read_samples(run)
    assert one == make_sample(0, messages=turns(), tools=TOOLS) | {"split": "train"}
    assert plain == make_sample(2) | {"split": "train"}
    assert calls_tools(run)


def test_a_set_without_tools_has_the_columns_that_it_always_had(make_run: MakeRun, make_sample: MakeSample) -> None:
    assert not calls_tools(make_run([make_sample(0)]))


def test_each_turn_in_the_file_is_an_object_with_its_own_keys(run: Path) -> None:
    (path,) = (run / "data").iterdir()
    assert pq.read_schema(path).equals(TOOL_SCHEMA)
    stored = pq.read_table(path).to_pylist()[0]
    assert [orjson.loads(turn) for turn in stored["messages"]] == turns()
    assert [orjson.loads(tool) for tool in stored["tools"]] == TOOLS


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_datasets_gives_the_arguments_as_an_object(text: str) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features.from_arrow_schema(TOOL_SCHEMA)
    assert repr(features["messages"]) == repr(features["tools"]) == "List(Json(decode=True))"
    assert features.decode_example({"messages": [orjson.dumps(turn).decode() for turn in turns(text)], "tools": []})[
        "messages"
    ] == turns(text)


@pytest.mark.parametrize("format", ["messages", "prompt-completion"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_format_that_holds_calls_has_the_tools_beside_them(
    run: Path, tmp_path: Path, format: str, ending: str
) -> None:
    made = export_samples(run, format, tmp_path / f"rows.{ending}")
    if ending == "jsonl":
        row = orjson.loads((tmp_path / "rows.jsonl").read_bytes().splitlines()[0])
    else:
        stored = pq.read_table(tmp_path / "rows.parquet").to_pylist()[0]
        row = {
            name: [orjson.loads(one) for one in value] if isinstance(value, list) else value
            for name, value in stored.items()
        }
    assert row["tools"] == TOOLS
    if format == "messages":
        assert (row["messages"], made.rows) == (turns(), 3)
    else:
        untrained = [{name: value for name, value in turn.items() if name != "train"} for turn in turns()]
        assert (row["prompt"], row["completion"]) == (untrained[:1], untrained[1:2])


@pytest.mark.parametrize("format", [name for name, shape in FORMATS.items() if shape.tools is None])
def test_a_format_that_cannot_hold_a_call_is_refused(run: Path, tmp_path: Path, format: str) -> None:
    with pytest.raises(UserError, match=f"{format} cannot hold a call. Export messages or prompt-completion"):
        export_samples(run, format, tmp_path / "rows.jsonl")
    assert not (tmp_path / "rows.jsonl").exists()


def test_people_see_the_call_argument_by_argument(run: Path) -> None:
    drawn = conversation(next(read_samples(run)))
    said = "".join(one.text for piece in drawn.turns[1].pieces for one in piece.runs)
    assert said == "Line 3.\n\n→ edit\nline: 3\ntext:\nOnce\n"
    assert [one.text for piece in drawn.turns[1].pieces for one in piece.runs if one.is_tag] == ["→ edit"]
    card = write_card(run).read_text("utf-8")
    assert "→ edit\nline: 3\ntext:\nOnce" in card
    assert 'on_mixed_types="use_json"' in card
    assert "Tools are called: `tool_calls` holds them" in card
    assert "→ edit" in write_report(run).read_text("utf-8")


def test_a_diff_in_a_call_is_drawn_as_one(make_sample: MakeSample) -> None:
    diff = "--- a\n+++ a\n@@ -1 +1 @@\n-teh\n+the\n"
    drawn = conversation(make_sample(0, messages=turns(diff)) | {"split": "train"})
    assert [line.kind for piece in drawn.turns[1].pieces for line in piece.lines] == [
        "head",
        "head",
        "place",
        "removed",
        "added",
    ]


def test_what_stands_in_a_call_counts_as_trained(make_sample: MakeSample) -> None:
    found = Survey()
    found.add(make_sample(0, messages=turns("x" * 500), tools=TOOLS))
    assert found.calls_tools
    assert found.answer.total > 500 > found.prompt.total
