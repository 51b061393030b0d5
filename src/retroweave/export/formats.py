"""A run's samples in the shapes that trainers read, as JSONL or Parquet.

    messages            {"messages": [{"role", "content", "train"}], "id", "recipe", "layout", "license"}
    prompt-completion   {"prompt": [message, ...], "completion": [message]}                  TRL, conversational
    sharegpt            {"conversations": [{"from": "human" | "gpt" | "system", "value"}]}
    alpaca              {"instruction", "input", "output", "system", "history": [[user, assistant], ...]}
    text                {"text": turn, separator, turn, separator, ...}                      as RetroInstruct does it
    preference          {"prompt": [message, ...], "chosen": [message], "rejected": [message]}             TRL
    labelled            {"prompt": [message, ...], "completion": [message], "label": bool}                 TRL

Where tools are called, the first two have `tools` too, and their turns `tool_calls` and `tool_call_id`; the others
cannot hold a call and are refused.

It is here because not every assistant turn may be trained on, and only `messages` can say so turn by turn. Each
other format gives a row for each trained turn, which ends there; what came before is its context. `sharegpt` and
`text` give one row for the whole conversation where every assistant turn is trained. Where a format leaves it to
the trainer not to learn the assistant turns before the last, the export says so in its notes. The last two are no
samples but what models answered and judges said: where they come from is told in `preferences`. Nothing is uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from retroweave.export.dataset import MESSAGE, OBJECTS, calls_tools, read_samples, table_of
from retroweave.export.preferences import ARRANGEMENTS, Preferences
from retroweave.pipeline.errors import UserError, nearest

__all__ = ["FORMATS", "Exported", "export_samples"]

Turn = Mapping[str, Any]
Row = dict[str, Any]
Write = Callable[[list[Row]], None]

_ROWS_AT_A_TIME = 500
_SHAREGPT_NAMES = {"user": "human", "assistant": "gpt", "system": "system"}


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    path: Path
    samples: int
    rows: int
    notes: tuple[str, ...]
    """What a trainer must be told so that it learns the trained turns and no other."""


@dataclass(frozen=True)
class _Format:
    schema: Any
    rows: Callable[[Mapping[str, Any], str], list[Row]]
    whole: bool
    """Whether a conversation stays one row where each of its assistant turns is trained."""
    tools: Any = None
    """Its columns where tools are called; `None` where it cannot hold a call."""
    note: str = ""
    """Said where a row holds assistant turns before the one that it ends with, and whether they are trained is
    the trainer's choice."""


def export_samples(
    run_dir: Path, format: str, to: Path, *, split: str | None = None, separator: str = "<|end|>"
) -> Exported:
    """Write the samples of a finished run to the file `to`, all splits or one, replacing a file that is there."""
    if format in ARRANGEMENTS:
        return _export_preferences(Preferences(run_dir, format, split), _PREFERENCES[format], to)
    if format not in FORMATS:
        raise UserError(f"There is no format {format!r}. {nearest(format, (*FORMATS, *ARRANGEMENTS))}")
    if not separator:
        raise UserError("The separator is empty, and turns could not be told apart. Give one with --separator.")
    shape = FORMATS[format]
    samples = rows = unmarked = 0
    with _writing(to, _schema(run_dir, format)) as write:
        waiting: list[Row] = []
        for sample in read_samples(run_dir, split):
            made = shape.rows(sample, separator)
            waiting += made
            samples += 1
            rows += len(made)
            unmarked += _rows_with_earlier_answers(sample, shape)
            if len(waiting) >= _ROWS_AT_A_TIME:
                write(waiting)
                waiting = []
        write(waiting)
    notes = (f"{unmarked} of {rows} rows {shape.note}",) if unmarked and shape.note else ()
    return Exported(to, samples, rows, notes)


def _schema(run_dir: Path, format: str) -> Any:
    if not calls_tools(run_dir):
        return FORMATS[format].schema
    if FORMATS[format].tools is None:
        able = " or ".join(name for name, shape in FORMATS.items() if shape.tools)
        raise UserError(f"Tools are called in these samples, and {format} cannot hold a call. Export {able}.")
    return FORMATS[format].tools


def _export_preferences(found: Preferences, schema: Any, to: Path) -> Exported:
    rows = found.rows()
    count = 0
    with _writing(to, schema) as write:
        while waiting := list(islice(rows, _ROWS_AT_A_TIME)):
            write(waiting)
            count += len(waiting)
    return Exported(to, found.samples, count, found.notes())


def _trained(turns: list[Turn]) -> list[int]:
    return [place for place, turn in enumerate(turns) if turn["train"]]


def _is_trained_whole(turns: list[Turn]) -> bool:
    return all(turn["train"] == (turn["role"] == "assistant") for turn in turns)


def _ends(turns: list[Turn], shape_is_whole: bool) -> list[int]:
    """Where the rows of a conversation end: after each trained turn, or after the last of all."""
    if shape_is_whole and _is_trained_whole(turns):
        return _trained(turns)[-1:]
    return _trained(turns)


def _rows_with_earlier_answers(sample: Mapping[str, Any], shape: _Format) -> int:
    turns = sample["messages"]
    if shape.whole and _is_trained_whole(turns):
        return 0
    return sum(any(turn["role"] == "assistant" for turn in turns[:end]) for end in _trained(turns))


def _messages(sample: Mapping[str, Any], separator: str) -> list[Row]:
    return [{name: sample[name] for name in ("messages", "id", "recipe", "layout", "license")} | _tools(sample)]


def _tools(sample: Mapping[str, Any]) -> Row:
    return {"tools": sample["tools"]} if "tools" in sample else {}


def _prompt_completion(sample: Mapping[str, Any], separator: str) -> list[Row]:
    turns = [{name: value for name, value in turn.items() if name != "train"} for turn in sample["messages"]]
    ends = _ends(sample["messages"], False)
    return [{"prompt": turns[:end], "completion": [turns[end]], **_tools(sample)} for end in ends]


def _sharegpt(sample: Mapping[str, Any], separator: str) -> list[Row]:
    turns = [{"from": _SHAREGPT_NAMES[turn["role"]], "value": turn["content"]} for turn in sample["messages"]]
    return [{"conversations": turns[: end + 1]} for end in _ends(sample["messages"], True)]


def _alpaca(sample: Mapping[str, Any], separator: str) -> list[Row]:
    turns = sample["messages"]
    return [_alpaca_row(turns[:end], turns[end]["content"]) for end in _ends(turns, False)]


def _alpaca_row(before: list[Turn], output: str) -> Row:
    """Every row has every key: loaders that guess columns from the first rows drop or refuse late ones."""
    history: list[list[str]] = []
    asked: list[str] = []
    for turn in before:
        if turn["role"] == "user":
            asked.append(turn["content"])
        elif turn["role"] == "assistant":
            history.append(["\n\n".join(asked), turn["content"]])
            asked = []
    return {
        "instruction": "\n\n".join(asked),
        "input": "",
        "output": output,
        "system": "\n\n".join(turn["content"] for turn in before if turn["role"] == "system"),
        "history": history,
    }


def _text(sample: Mapping[str, Any], separator: str) -> list[Row]:
    turns = sample["messages"]
    if any(separator in turn["content"] for turn in turns):
        raise UserError(
            f"A turn of sample {sample['id']} holds the separator {separator!r}, which would end the turn early. "
            "Choose another with --separator."
        )
    return [{"text": "".join(turn["content"] + separator for turn in turns[: end + 1])} for end in _ends(turns, True)]


_UNTRAINED_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])

FORMATS: Final[Mapping[str, _Format]] = {
    "messages": _Format(
        pa.schema(
            [
                ("messages", pa.list_(MESSAGE)),
                *((name, pa.string()) for name in ("id", "recipe", "layout", "license")),
            ]
        ),
        _messages,
        whole=True,
        tools=pa.schema(
            [
                ("messages", OBJECTS),
                *((name, pa.string()) for name in ("id", "recipe", "layout", "license")),
                ("tools", OBJECTS),
            ]
        ),
    ),
    "prompt-completion": _Format(
        pa.schema([("prompt", pa.list_(_UNTRAINED_MESSAGE)), ("completion", pa.list_(_UNTRAINED_MESSAGE))]),
        _prompt_completion,
        whole=False,
        tools=pa.schema([("prompt", OBJECTS), ("completion", OBJECTS), ("tools", OBJECTS)]),
    ),
    "sharegpt": _Format(
        pa.schema([("conversations", pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())])))]),
        _sharegpt,
        whole=True,
        note="hold answers before the last one, and only the last one is to be learnt: train on the last turn "
        "alone (LLaMA-Factory: mask_history: true), or export prompt-completion.",
    ),
    "alpaca": _Format(
        pa.schema(
            [
                *((name, pa.string()) for name in ("instruction", "input", "output", "system")),
                ("history", pa.list_(pa.list_(pa.string()))),
            ]
        ),
        _alpaca,
        whole=False,
        note="hold answers in their history, which are context and not to be learnt again: train on the last "
        "turn alone (LLaMA-Factory: mask_history: true), or export prompt-completion.",
    ),
    "text": _Format(
        pa.schema([("text", pa.string())]),
        _text,
        whole=True,
        note="hold answers before the last one that are not to be learnt, and plain text cannot say so: mask "
        "them, or export prompt-completion.",
    ),
}
"""Name to format of samples, as `export_samples` takes it."""

_TURNS = pa.list_(_UNTRAINED_MESSAGE)
_PREFERENCES: Final[Mapping[str, Any]] = {
    "preference": pa.schema([("prompt", _TURNS), ("chosen", _TURNS), ("rejected", _TURNS)]),
    "labelled": pa.schema([("prompt", _TURNS), ("completion", _TURNS), ("label", pa.bool_())]),
}


def _writing(to: Path, schema: Any) -> AbstractContextManager[Write]:
    if to.is_dir():
        raise UserError(f"{to} is a directory. Give the name of a file that ends in .jsonl or .parquet.")
    if to.suffix == ".jsonl":
        return _writing_jsonl(to)
    if to.suffix == ".parquet":
        return _writing_parquet(to, schema)
    raise UserError(f"An export is JSONL or Parquet, by its name: {to} should end in .jsonl or .parquet.")


@contextmanager
def _writing_jsonl(to: Path) -> Iterator[Write]:
    with _replacing(to) as partial, partial.open("wb") as file:
        yield lambda rows: file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


@contextmanager
def _writing_parquet(to: Path, schema: Any) -> Iterator[Write]:
    with _replacing(to) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as file:
        yield lambda rows: file.write_table(table_of(_stored(rows, schema), schema))


def _stored(rows: list[Row], schema: Any) -> list[Row]:
    """The rows with the text of each object in the columns that hold objects."""
    objects = [name for name in schema.names if schema.field(name).type.equals(OBJECTS)]
    return [row | {name: [orjson.dumps(one).decode() for one in row.get(name, ())] for name in objects} for row in rows]


@contextmanager
def _replacing(to: Path) -> Iterator[Path]:
    """A path to write to that becomes `to` when all went well, and goes away when not."""
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.partial")
    try:
        yield partial
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)
