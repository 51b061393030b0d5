"""Prompts: what a model is told, as a file that a person can read without the code.

A prompt is a text file beside its recipe. It begins with a few settings in YAML, then come sections, each under a line
`%% name`:

    ---
    max_tokens: 60
    temperature: 0.8
    shots: 3
    ---
    %% system
    You write questions for a reading test.
    %% example user
    {{ example.passage }}
    %% example assistant
    {{ example.question }}
    %% user
    {{ passage }}
    %% document
    {% for example in examples %}Passage: {{ example.passage }}
    Question: {{ example.question }}

    {% endfor %}Passage: {{ passage }}
    Question:
    %% plain
    Ask me a question about this passage: {{ passage }}

`system`, `user` and `assistant` are the turns of a chat, `document` is what a base model goes on with; a file may have
one of the forms or both. `plain` is the instruction that is trained in the place of all that. Sections are Jinja2
templates, in a sandbox, whose names are the row's fields; few-shot examples come from a YAML list beside the file,
drawn for each row anew. What a field holds is text and never a template. Nothing here asks a model.
"""

from __future__ import annotations

import keyword
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.layout import LEAK_LENGTH
from retroweave.pipeline.model import Form, Message, Model, Refused, Request

__all__ = ["Example", "Prompt", "Rendered", "read_prompt"]

Example = Mapping[str, Any]

_SECTION = re.compile(r"^%% *(.*?) *$", re.MULTILINE)
_ROLES = ("system", "user", "assistant")
_SECTIONS = (*_ROLES, "example user", "example assistant", "document", "plain")
_OWN = frozenset({"example", "examples"})
"""Names that are no fields."""

_TEMPLATES = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False, trim_blocks=False
)
_TEMPLATES.globals.clear()  # a field may be called `range`


class Settings(BaseModel):
    """What stands above the sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int = Field(256, ge=1)
    temperature: float = Field(1.0, ge=0, le=5)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    shots: int = Field(0, ge=0)
    """How many examples are drawn for each row."""
    balance: str = ""
    """A key of the examples whose values are drawn equally often."""

    def sampling(self) -> dict[str, Any]:
        """The fields of a request that it sets."""
        return self.model_dump(exclude={"json_schema", "shots", "balance"})


@dataclass(frozen=True)
class Section:
    """One part of a prompt: a template."""

    name: str
    text: str
    where: str

    def __post_init__(self) -> None:
        """A template that cannot be read, or filled in, is refused where it is written."""
        for name in self.names:
            if keyword.iskeyword(name):
                raise UserError(
                    f"{self.where}, section {self.name!r}, reads {name!r}, a word of Python's own, by which no step "
                    "can read a field. Give the field another name."
                )
            if name == "example" and not self.name.startswith("example "):
                raise UserError(
                    f"{self.where}, section {self.name!r}, reads `example`, which only stands in `%% example user` and "
                    "`%% example assistant`. Elsewhere say `{% for example in examples %}`."
                )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that it reads, in alphabetical order."""
        try:
            return tuple(sorted(meta.find_undeclared_variables(_TEMPLATES.parse(self.text))))
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            at = f", line {line}" if line else ""
            raise UserError(f"{self.where}, section {self.name!r}{at}, is no template: {error}.") from error

    @cached_property
    def _template(self) -> Any:
        return _TEMPLATES.from_string(self.text)

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The longer lines that stand in it word for word."""
        data = "".join(text if kind == "data" else "\n" for _, kind, text in _TEMPLATES.lex(self.text))
        lines = (line.strip() for line in data.splitlines())
        return tuple(line for line in lines if len(line) > LEAK_LENGTH)

    def render(self, scope: Mapping[str, Any]) -> str:
        try:
            text: str = self._template.render(scope)
        except TemplateError as error:
            raise UserError(f"{self.where}, section {self.name!r}, cannot be filled in: {error}.") from error
        return text


@dataclass(frozen=True)
class Rendered:
    """A prompt for one row."""

    messages: tuple[Message, ...]
    document: str
    hidden: tuple[str, ...]
    """What of it only the generator may see."""

    def request(self, **sampling: Any) -> Request:
        kind: Literal["chat", "complete"] = "chat" if self.messages else "complete"
        return Request(kind, messages=self.messages, text=self.document, **sampling)


@dataclass(frozen=True)
class Prompt:
    """A prompt file, read."""

    name: str
    settings: Settings
    turns: tuple[Section, ...] = ()
    """The turns of a chat, those of an example among them where they stand."""
    document: Section | None = None
    plain: Section | None = None
    examples: tuple[Example, ...] = field(default=(), repr=False)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The fields that it reads in any of its forms, in alphabetical order."""
        sections = [*self.turns, *filter(None, (self.document, self.plain))]
        return tuple(sorted({name for section in sections for name in section.names} - _OWN))

    @cached_property
    def plain_reads(self) -> tuple[str, ...] | None:
        return self.plain.names if self.plain else None

    def form_for(self, model: Model) -> Form:
        """The form in which this model is asked. Raises `Refused` where it can take none that the prompt has."""
        able = {
            "chat": bool(self.turns) and model.abilities.chat,
            "base": self.document is not None and model.abilities.complete,
        }
        wanted: Form = model.form
        other: Form = "base" if wanted == "chat" else "chat"
        for form in (wanted, other):
            if able[form]:
                return form
        needed = " or ".join([*["turns (chat)"] * bool(self.turns), *["raw completion"] * bool(self.document)])
        missing = "" if self.turns and self.document else "document" if self.turns else "user"
        add = f"Add a section `%% {missing}` to the prompt, or choose" if missing else "Choose"
        raise Refused(
            f"the prompt {self.name!r} needs {needed}, which the model {model.name!r} cannot do. {add} another model"
        )

    def draw(self, rng: random.Random | None) -> list[Example]:
        """The examples for one row, in random order; equally many of each value of the key `balance`."""
        if rng is None or not self.settings.shots:
            return []
        if not self.settings.balance:
            return rng.sample(self.examples, self.settings.shots)
        kinds: dict[Any, list[Example]] = {}
        for example in self.examples:
            kinds.setdefault(example[self.settings.balance], []).append(example)
        each, more = divmod(self.settings.shots, len(kinds))
        order = rng.sample(list(kinds), len(kinds))
        drawn = [one for place, kind in enumerate(order) for one in rng.sample(kinds[kind], each + (place < more))]
        rng.shuffle(drawn)
        return drawn

    def render(self, fields: Mapping[str, Any], form: Form, examples: Sequence[Example] = ()) -> Rendered:
        """The prompt of one row, with the examples that were drawn for it."""
        scope = {**fields, "examples": examples}
        hidden = (*self._literals(form), *_long_texts(examples))
        if form == "base":
            assert self.document is not None
            return Rendered((), self.document.render(scope), hidden)
        return Rendered(tuple(self._messages(scope, examples)), "", hidden)

    def _messages(self, scope: Mapping[str, Any], examples: Sequence[Example]) -> Iterator[Message]:
        shown = False
        for section in self.turns:
            if not section.name.startswith("example "):
                yield {"role": section.name, "content": section.render(scope)}
            elif not shown:
                shown = True
                pattern = [one for one in self.turns if one.name.startswith("example ")]
                for example in examples:
                    for one in pattern:
                        content = one.render({**scope, "example": example})
                        yield {"role": one.name.removeprefix("example "), "content": content}

    def render_plain(self, fields: Mapping[str, Any]) -> str:
        """The instruction that is trained in the place of the prompt."""
        assert self.plain is not None
        return self.plain.render(fields)

    def _literals(self, form: Form) -> Iterator[str]:
        """Its own longer lines, but for those that the plain prompt shows too."""
        sections = self.turns if form == "chat" else tuple(filter(None, (self.document,)))
        shown = self.plain.text if self.plain else ""
        return (line for section in sections for line in section.literals if line not in shown)


def _long_texts(examples: Sequence[Example]) -> Iterator[str]:
    for example in examples:
        yield from (value for value in example.values() if isinstance(value, str) and len(value) > LEAK_LENGTH)


def read_prompt(path: Path) -> Prompt:
    """The prompt in a file. Raises `UserError` that says where the file is wrong, and what mends it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"There is no prompt to read at {path}: {error}. Write it there.") from error
    head, body = _parted(text)
    settings = _settings(head, path)
    sections = _sections(body, path)
    named = {section.name: section for section in sections}
    turns = tuple(section for section in sections if section.name.removeprefix("example ") in _ROLES)
    if not turns and "document" not in named:
        raise UserError(f"{path} has neither turns nor a document. Add a section `%% user` or `%% document`.")
    if turns and not any(section.name == "user" for section in turns):
        raise UserError(f"{path} has turns, but none of the user. Add a section `%% user`.")
    examples = _examples(path, settings)
    _require_keys(examples, set(re.findall(r"\bexample\.(\w+)", body)), path)
    return Prompt(path.stem, settings, turns, named.get("document"), named.get("plain"), examples)


def _parted(text: str) -> tuple[str, str]:
    """The settings and the rest."""
    found = re.match(r"---\n(.*?)^---\n", text, re.DOTALL | re.MULTILINE)
    return (found[1], text[found.end() :]) if found else ("", text)


def _settings(head: str, path: Path) -> Settings:
    try:
        found = yaml.safe_load(head) or {}
    except yaml.YAMLError as error:
        raise UserError(f"The settings of {path} are no YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(found, dict):
        raise UserError(f"The settings of {path} must be `key: value` lines, not a {type(found).__name__}.")
    known = [*(set(Settings.model_fields) - {"json_schema"}), "schema"]
    for key in found:
        if key not in known:
            raise UserError(f"The prompt {path} has no setting {key!r}. {nearest(str(key), known)}")
    try:
        return Settings(**found)
    except ValidationError as error:
        fault = error.errors()[0]
        raise UserError(f"The setting {fault['loc'][0]!r} of {path} is {fault['input']!r}: {fault['msg']}.") from error


def _sections(body: str, path: Path) -> list[Section]:
    pieces = _SECTION.split(body)
    if pieces[0].strip():
        raise UserError(f"{path} has text before its first section. Begin it with a line `%% user` or `%% document`.")
    found: list[Section] = []
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if name not in _SECTIONS:
            raise UserError(f"{path} has a section {name!r}. {nearest(name, _SECTIONS)}")
        if name in ("document", "plain") and name in (section.name for section in found):
            raise UserError(f"{path} has two sections {name!r}; one is enough.")
        found.append(Section(name, text.strip("\n"), str(path)))
    return found


def _examples(path: Path, settings: Settings) -> tuple[Example, ...]:
    beside = path.with_suffix(".examples.yaml")
    if not settings.shots:
        return ()
    try:
        found = yaml.safe_load(beside.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} draws {settings.shots} examples, and there are none at {beside}: {error}.") from error
    except yaml.YAMLError as error:
        raise UserError(f"{beside} is no YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserError(f"{beside} must be a list of examples, each with its `key: value` lines.")
    _require_enough(found, settings, beside)
    return tuple(found)


def _require_keys(examples: Sequence[Example], read: set[str], path: Path) -> None:
    """A key that is misspelt in one example would fail the rows that draw it, and no others."""
    for example in examples:
        if missing := sorted(read - example.keys()):
            meant = nearest(missing[0], map(str, example))
            raise UserError(
                f"{path} shows {missing[0]!r} of its examples, and one has none: {str(dict(example))[:100]}. {meant}"
            )


def _require_enough(found: Sequence[Example], settings: Settings, beside: Path) -> None:
    if len(found) < settings.shots:
        raise UserError(f"{beside} has {len(found)} examples, fewer than the {settings.shots} that are drawn.")
    key = settings.balance
    if not key:
        return
    if without := next((one for one in found if key not in one), None):
        raise UserError(f"An example in {beside} has no {key!r}, by which they are balanced: {str(without)[:80]}.")
    kinds = [one[key] for one in found]
    if odd := next((kind for kind in kinds if isinstance(kind, (list, dict))), None):
        raise UserError(f"The {key!r} of an example in {beside} is {odd!r}; examples are balanced by a plain value.")
    most = -(-settings.shots // len(set(kinds)))
    for kind in set(kinds):
        if kinds.count(kind) < most:
            raise UserError(f"{beside} has {kinds.count(kind)} examples with {key}: {kind!r}; {most} may be drawn.")
