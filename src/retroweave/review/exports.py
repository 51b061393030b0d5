"""Labels handed on: to the calibration of a judge, to the training of a classifier, to a prompt as few-shot
examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from retroweave.export.templates import write_whole
from retroweave.pipeline.errors import UserError
from retroweave.review.drawing import Drawing, NotIndexed, majority
from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Row, Rows
from retroweave.review.standing import Standing
from retroweave.text.tool_calls import spoken

__all__ = [
    "Exported",
    "calibration_rows",
    "classifier_rows",
    "example_rows",
    "label_rows",
    "write_examples",
    "write_jsonl",
]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written."""

    path: Path
    rows: int
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


def label_rows(labels: Labels) -> Iterator[dict[str, Any]]:
    """Each label that counts, a line for each person and row, with all that was known when it was given."""
    return map(_label_row, labels.counting())


def calibration_rows(drawing: Drawing) -> Iterator[dict[str, Any]]:
    """A line for each row that came by lot and has a score, as `retroweave calibrate` and `odds --labels` read it.

    `right` is what most persons say, `weight` how many rows it stands for. Where the labels say why, they say it too.
    """
    strata = drawing.strata()
    judged = [one for one in drawing.judged() if one.right is not None]
    lines = drawing.rows.lines([one.number for one in judged])
    for one, line in zip(judged, lines, strict=True):
        score = line.scores.get(drawing.judge)
        if score is None or not 0 <= score <= 1:
            continue
        stratum = strata[one.stratum]
        yield {
            "score": score,
            "right": one.right,
            "accepted": stratum.passed,
            "weight": one.stands_for,
            "id": one.row,
            "judge": drawing.judge,
            "labels": [_label_row(label) for label in one.labels],
        }


def _label_row(label: Label) -> dict[str, Any]:
    return {
        "id": label.row,
        "kind": label.kind,
        "person": label.person,
        "decision": label.decision,
        "tags": list(label.tags),
        "note": label.note,
        "blind": label.blind,
        "judge": label.judge,
        "score": label.score,
        "drawn": label.drawn,
        "content": label.content,
        "seen": label.seen,
        "at": label.at,
    }


def classifier_rows(rows: Rows, labels: Labels, field: str = "") -> Iterator[dict[str, Any]]:
    """`text`, `right` and `id` of each labelled row on which most persons agree, as `train_classifier` takes them.

    `text` is that of a field (`spans`, `kept` or `measures` of the provenance), or of the trained turns; of a reject
    the last answer of a model. Rows that have no such text are left out.
    """
    for row, found in _labelled(rows, labels):
        right = majority(found)
        text = _field(row, field) if field else _answer(row)
        if right is not None and isinstance(text, str) and text:
            yield {"text": text, "right": right, "id": row.id}


def example_rows(rows: Rows, labels: Labels, prompt: Path, most: int = 8) -> list[dict[str, Any]]:
    """The best rows as a prompt file's few-shot examples: those that most persons accept and nobody rejects.

    First those that more persons accepted, then those of a higher score; no two with the same values. The keys are
    those that the prompt shows. Raises `UserError` where a key is nowhere to be found in an accepted row.
    """
    keys = _shown(prompt)
    found = [(row, given) for row, given in _labelled(rows, labels) if row.messages and _is_best(given)]
    found.sort(key=lambda one: (-len(one[1]), -max((label.score or 0.0) for label in one[1]), one[0].id))
    examples: list[dict[str, Any]] = []
    for row, _ in found:
        example = {key: _field(row, key) for key in keys}
        missing = [key for key, value in example.items() if value is None]
        if missing:
            raise UserError(
                f"{prompt} shows {missing[0]!r} of its examples, and the sample {row.id} does not tell it. Keep that "
                f"field in the recipe: Pipeline(..., keep=[{missing[0]!r}])."
            )
        if example not in examples:
            examples.append(example)
        if len(examples) == most:
            break
    return examples


def _is_best(given: Sequence[Label]) -> bool:
    said = [label.right for label in given]
    return True in said and False not in said


def _shown(prompt: Path) -> list[str]:
    try:
        text = prompt.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"There is no prompt to read at {prompt}: {error}.") from error
    keys = list(dict.fromkeys(re.findall(r"\bexample\.(\w+)", text)))
    if not keys:
        raise UserError(
            f"{prompt} shows no examples. Let it show some: `shots: 3` in its settings, and sections `%% example user` "
            "and `%% example assistant` with names such as {{ example.question }}."
        )
    return keys


def _labelled(rows: Rows, labels: Labels) -> Iterator[tuple[Row, list[Label]]]:
    """Each row that has labels as it is now, with them, in the order of the run. Raises `NotIndexed`."""
    if not rows.indexed.finished:
        raise NotIndexed("The run's rows are being indexed. Labels can be written out when that is done.")
    standing = Standing(rows, labels)
    places = rows.contents(list({label.row: None for label in standing.labels()}))
    for id, (number, _) in sorted(places.items(), key=lambda one: one[1]):
        yield rows.at([number])[0], standing.of(id)


def _field(row: Row, name: str) -> Any:
    """A field of a sample, from the conversation or from what its provenance keeps; `None` where it tells nothing."""
    provenance = row.provenance
    if name in provenance.get("spans", {}):
        turn, start, end = provenance["spans"][name][:3]
        return row.messages[turn]["content"][start:end]
    for part in ("kept", "measures"):
        if name in provenance.get(part, {}):
            return provenance[part][name]
    return None


def _answer(row: Row) -> str:
    if row.messages:
        return "\n\n".join(spoken(turn) for turn in row.messages if turn["train"])
    return row.answered


def write_jsonl(path: Path, found: Iterable[Mapping[str, Any]]) -> Exported:
    """A line for each; nothing half-written stands under the name."""
    lines = [orjson.dumps(one).decode() for one in found]
    write_whole(path, "".join(f"{line}\n" for line in lines))
    return Exported(path, len(lines))


def write_examples(path: Path, found: Sequence[Mapping[str, Any]]) -> Exported:
    """As `NAME.examples.yaml`, after those that stand there already; what stands there is not changed."""
    text = path.read_text("utf-8") if path.exists() else ""
    there = yaml.safe_load(text) or []
    if not isinstance(there, list):
        raise UserError(f"{path} must be a list of examples, each with its `key: value` lines.")
    new = [dict(one) for one in found if dict(one) not in there]
    if new:
        added = yaml.safe_dump(new, sort_keys=False, allow_unicode=True, width=100)
        together = f"{text.rstrip()}\n{added}" if text.strip() else added
        if yaml.safe_load(together) != [*there, *new]:
            raise UserError(f"{path} is written in a way that cannot be added to safely. Write it as a block list.")
        write_whole(path, together)
    left = len(found) - len(new)
    return Exported(path, len(new), (f"{left} stand there already.",) if left else ())
