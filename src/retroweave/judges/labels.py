"""Labels of rows that a judge has scored, and the JSONL files that they stand in."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from retroweave.judges.reading import within
from retroweave.pipeline.errors import UserError, nearest

__all__ = ["Label", "label_of", "read_labels", "require_numbers"]


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one row that a judge has scored."""

    score: float
    right: bool
    accepted: bool | None = None
    """Whether the judge let it through; by the threshold where it is not said."""
    weight: float = 1.0
    """How many rows it stands for."""
    method: str = ""
    """How the judge came by its score, as its parts tell: `logprobs`, `sampled 8`."""


def read_labels(path: Path) -> list[Label]:
    """The labels of a JSONL file, each line `{"score": 0.83, "right": true}`.

    A line may have `accepted`, `weight` and `method` too, and whatever else its writer wants to keep. Raises
    `UserError` with the line that is wrong.
    """
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, and labels are a JSONL file. Those of a run are written by "
            f"`retroweave labels {path} --to labels.jsonl`."
        )
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f"There are no labels to read at {path}: {error}.") from error
    return [_label(line, f"{path}, line {number}") for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]


def _label(line: bytes, where: str) -> Label:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(f"{where}, is no JSON: {error}. Each line is one label, {_LIKE}.") from error
    if not isinstance(found, dict):
        raise UserError(f"{where}, is a {type(found).__name__}. Each line is one label, {_LIKE}.")
    return label_of(found, where)


def label_of(found: Mapping[str, Any], where: str) -> Label:
    """A label from its keys, each of the type that it should have."""
    for key in found:
        if key not in _KEYS and difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.8):
            raise UserError(f"{where}, has a key {key!r}. {nearest(key, _KEYS)}")
    for key in ("score", "right"):
        if key not in found:
            raise UserError(f"{where}, has no {key!r}. A label is like {_LIKE}.")
    for key, (kind, called) in _KEYS.items():
        value = found.get(key)
        if key in found and (type(value) not in kind):
            raise UserError(f"{where}: {key} is {called}, not {value!r}.")
    label = Label(**{key: value for key, value in found.items() if key in _KEYS})
    require_numbers(label, where)
    return label


_LIKE = '{"score": 0.83, "right": true}'
_KEYS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "score": ((int, float), "a number from 0 to 1"),
    "right": ((bool,), "true or false"),
    "accepted": ((bool,), "true or false"),
    "weight": ((int, float), "a number above 0"),
    "method": ((str,), "a text"),
}


def require_numbers(label: Label, where: str) -> None:
    within(label.score, f"{where}: a score")
    if not 0 < label.weight < math.inf:
        raise UserError(f"{where}: a weight is a number above 0, not {label.weight!r}.")
