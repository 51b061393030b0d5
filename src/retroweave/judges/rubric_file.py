"""Rubrics as files: a list of questions whose answer is yes or no, in Markdown or YAML.

In Markdown a heading is an item made of the questions under it, and a question may be broken into others by indenting
them. Whatever else stands there is for people:

    ---
    judges: passage
    threshold: 0.7
    ---
    # A passage to read aloud

    ## It tells a story (weight 2)
    - [ ] Does it tell of something that happened, and not of how things are in general?
    - [ ] Does it preach? (wanted no)

    ## It can be read aloud (gate)
    - [ ] Is it read in two to six minutes? `words: {least: 250, most: 900}`
    - [ ] Is it free of what cannot be spoken? `lacks: ["http", "|"]`

The same in YAML: a mapping with the header's keys and `items`, a list whose items are a question alone, or a mapping
with `question`, and as needed `weight`, `wanted`, `gate`, `threshold`, `program` and `parts`, which are items again.
A bare list will do where the recipe says what is judged.

What a question says is a template whose names are fields of the row. Nothing here asks it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from retroweave.judges.opinion import Said
from retroweave.judges.programs import Program, read_program
from retroweave.pipeline.errors import UserError, nearest
from retroweave.text.prompts import Section

__all__ = ["Item", "Rubric", "read_rubric", "rubric_of"]

HOW = (
    "Write one a line, in Markdown: `- [ ] Does it tell a story? (weight 2)`; or in YAML, under `items:`, "
    "`- question: Does it tell a story?`."
)


@dataclass(frozen=True)
class Item:
    """One question, with what its answer counts."""

    question: Section
    weight: float = 1.0
    wanted: Said = "yes"
    gate: bool = False
    """Where it fails, what it is a part of is worth nothing."""
    threshold: float = 0.5
    """From where on it passes."""
    program: Program | None = None
    """What answers it; a model where there is none, and no parts either."""
    parts: tuple[Item, ...] = ()
    """The questions that answer it between them; it is then not asked itself."""

    def leaves(self) -> Iterator[Item]:
        """The questions that are answered."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class Rubric:
    """A rubric, read."""

    name: str
    judges: str
    """The field that it looks at."""
    items: tuple[Item, ...]
    context: tuple[str, ...] = ()
    """Fields that a model is shown beside it."""
    threshold: float | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if not self.items:
            raise UserError(f"The rubric {self.name!r} has no items. {HOW}")

    def leaves(self) -> Iterator[Item]:
        for item in self.items:
            yield from item.leaves()


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    judges: str = ""
    context: tuple[str, ...] = ()
    threshold: float | None = Field(None, ge=0, le=1)
    title: str = ""

    @field_validator("context", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = ""
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    wanted: Literal["yes", "no"] = "yes"
    gate: bool = False
    threshold: float = Field(0.5, ge=0, le=1)
    program: Any = None
    parts: list[Any] = Field(default_factory=list)

    @field_validator("wanted", mode="before")
    @classmethod
    def _as_yaml_reads_it(cls, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


@dataclass
class _Raw:
    """An item as it is written, and where."""

    where: str
    values: dict[str, Any]
    parts: list[_Raw] = field(default_factory=list)


def read_rubric(path: Path, judges: str | None = None) -> Rubric:
    """The rubric in a .md or .yaml file; `judges` names the field that it looks at, where the file does not.

    Raises `UserError` that says where the file is wrong, and what mends it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"There is no rubric to read at {path}: {error}. Write it there.") from error
    return rubric_of(text, path, judges)


def rubric_of(text: str, path: Path, judges: str | None = None) -> Rubric:
    """The rubric in a text; `path` tells its form, by its ending, and is named in errors."""
    if path.suffix == ".md":
        head, raw = _markdown(text, path)
    elif path.suffix in (".yaml", ".yml"):
        head, raw = _yaml(text, path)
    else:
        raise UserError(f"{path} is neither .md nor .yaml, the two forms of a rubric. Rename it.")
    header = _header(head, path)
    field_name = header.judges or judges
    if not field_name:
        raise UserError(
            f"{path} does not say which field it judges. Begin it with `judges: passage` between two `---`."
        )
    if judges is not None and header.judges not in ("", judges):
        raise UserError(f"{path} judges {header.judges!r}, and the recipe says {judges!r}. Drop one.")
    if not raw:
        raise UserError(f"The rubric {path} has no items. {HOW}")
    items = tuple(_item(one) for one in raw)
    return Rubric(path.stem, field_name, items, header.context, header.threshold, header.title)


# YAML


def _yaml(text: str, path: Path) -> tuple[dict[str, Any], list[_Raw]]:
    found = _loaded(text, str(path), " Between brackets a question stands in quotes.")
    if isinstance(found, list):
        found = {"items": found}
    if not isinstance(found, dict):
        raise UserError(f"{path} must be a list of items, or `key: value` lines with `items:` among them. {HOW}")
    items = found.pop("items", None) or []
    if not isinstance(items, list):
        raise UserError(f"The items of {path} must be a list. {HOW}")
    return found, _listed(items, f"{path}, item ")


def _listed(items: Sequence[Any], prefix: str) -> list[_Raw]:
    return [_raw(one, f"{prefix}{number}") for number, one in enumerate(items, 1)]


def _raw(one: Any, where: str) -> _Raw:
    if isinstance(one, str):
        return _Raw(where, {"question": one})
    if not isinstance(one, dict):
        raise UserError(f"{where}, is no question but {one!r}. Write `- question: Does it tell a story?`.")
    parts = one.get("parts") or []
    if not isinstance(parts, list):
        raise UserError(f"{where}: parts must be a list of items, not {parts!r}.")
    return _Raw(where, one, _listed(parts, f"{where}."))


def _loaded(text: str, where: str, hint: str = "") -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{where} is no YAML: {' '.join(str(error).split())}.{hint}") from error


# Markdown

_HEAD = re.compile(r"\s*---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"(?P<level>#+)[ \t]+(?P<text>.*?)[ \t#]*$")
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]?\][ \t]*)?(?P<text>\S.*)$")
_OPTIONS = re.compile(r"(?P<before>.*?)\s*\((?P<options>[^()]*)\)$")
_PROGRAM = re.compile(r"(?P<before>.*?)\s*`(?P<program>[^`]+)`$")
_OPTION_KEYS = ("gate", "threshold", "wanted", "weight")


@dataclass
class _Line:
    """A heading or a bullet of Markdown, with the lines that go on with it."""

    number: int
    depth: tuple[int, int]
    """Headings come before bullets; then how deep it is."""
    text: str


def _markdown(text: str, path: Path) -> tuple[dict[str, Any], list[_Raw]]:
    found = _HEAD.match(text)
    head = _loaded(found[1], f"The header of {path}") if found else None
    if head is not None and not isinstance(head, dict):
        raise UserError(f"The header of {path} must be `key: value` lines, as `judges: passage`.")
    skipped = found[0].count("\n") if found else 0
    body = text[found.end() :] if found else text
    values: dict[str, Any] = dict(head or {})
    raw: list[_Raw] = []
    open_: list[tuple[tuple[int, int], _Raw]] = []
    for line in _marked(body, skipped):
        if line.depth == (0, 1):
            values.setdefault("title", line.text)
            continue
        while open_ and open_[-1][0] >= line.depth:
            open_.pop()
        one = _Raw(f"{path}, line {line.number}", _parsed(line, path))
        (open_[-1][1].parts if open_ else raw).append(one)
        open_.append((line.depth, one))
    return values, raw


def _marked(body: str, skipped: int) -> Iterator[_Line]:
    """The headings and bullets. An indented line after a bullet goes on with it; others are notes."""
    last: _Line | None = None
    for number, line in enumerate(body.expandtabs(4).splitlines(), skipped + 1):
        heading, bullet = _HEADING.match(line), _BULLET.match(line)
        if not (heading or bullet) and last is not None and last.depth[0] and line.startswith(" ") and line.strip():
            last.text += f" {line.strip()}"
            continue
        if last is not None:
            yield last
        last = None
        if heading:
            last = _Line(number, (0, len(heading["level"])), heading["text"].strip())
        elif bullet:
            last = _Line(number, (1, len(bullet["indent"])), bullet["text"].strip())
    if last is not None:
        yield last


def _parsed(line: _Line, path: Path) -> dict[str, Any]:
    """A question, its program and its options: ``Is it short? `words: {most: 90}` (weight 2, gate)``."""
    where = f"{path}, line {line.number}"
    text, values = line.text, {}
    if (found := _OPTIONS.match(text)) and _means_options(found["before"], found["options"]):
        text = found["before"]
        values = _options(found["options"], where)
    if found := _PROGRAM.match(text):
        text = found["before"]
        values["program"] = _loaded(found["program"], f"The program in {where},")
    return {"question": text, **values}


def _means_options(before: str, inside: str) -> bool:
    """Whether a bracket at the end tells how an item counts, and is no part of what it asks."""
    if before.endswith(("?", "`")):
        return True
    firsts = [part.split()[0] for part in inside.split(",") if part.split()]
    return any(difflib.get_close_matches(word, _OPTION_KEYS, n=1, cutoff=0.7) for word in firsts)


def _options(inside: str, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in inside.split(","):
        key, _, value = part.strip().partition(" ")
        if key not in _OPTION_KEYS:
            raise UserError(f"{where}, has an option {key!r}. {nearest(key, _OPTION_KEYS)}")
        if key == "gate" and value.strip():
            raise UserError(f"{where}, says {part.strip()!r}: `gate` stands alone.")
        values[key] = True if key == "gate" else value.strip()
    return values


# Both


def _header(head: Mapping[str, Any], path: Path) -> _Header:
    for key in head:
        if key not in _Header.model_fields:
            raise UserError(
                f"The rubric {path} has a key {key!r}. {nearest(str(key), (*_Header.model_fields, 'items'))}"
            )
    try:
        return _Header(**head)
    except ValidationError as error:
        raise UserError(f"In {path}, {_fault(error)}") from error


def _item(raw: _Raw) -> Item:
    for key in raw.values:
        if key not in _Entry.model_fields:
            raise UserError(f"{raw.where}, has a key {key!r}. {nearest(str(key), _Entry.model_fields)}")
    try:
        entry = _Entry(**raw.values)
    except ValidationError as error:
        raise UserError(f"{raw.where}: {_fault(error)}") from error
    _require_answer(entry, raw)
    program = None if entry.program is None else read_program(entry.program, raw.where)
    question = entry.question.strip() or (program.name if program else "")
    return Item(
        Section("question", question, raw.where),
        entry.weight,
        entry.wanted,
        entry.gate,
        entry.threshold,
        program,
        tuple(_item(part) for part in raw.parts),
    )


def _require_answer(entry: _Entry, raw: _Raw) -> None:
    """That an item is answered, and in one way."""
    if entry.program is not None and raw.parts:
        raise UserError(f"{raw.where}, has a program and parts as well; either answers it. Make the program a part.")
    if raw.parts or entry.program is not None:
        return
    if not entry.question.strip():
        raise UserError(f"{raw.where}, asks nothing. Give it a question, a program or parts.")
    if not entry.question.rstrip().endswith("?"):
        raise UserError(
            f"{raw.where}, is no question: {entry.question.strip()[:80]!r}. End it with a question mark, or put the "
            "questions that make it up under it, as `- [ ] ...?`."
        )


def _fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{fault['loc'][0]} is {fault['input']!r}: {fault['msg']}."
