"""A layout: how a row's fields become a conversation.

Each turn is a template with a role, trained or not. A template names fields in braces; `{field!j}` writes one as a JSON
string. A name may also stand for *words*: a pool of phrasings (`variants`) that the layout lends, of which each sample
draws one, and which may name fields in turn. Templates hold names only: no attribute, no index, no format, so that no
value can reach further than its own text.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import orjson

from retroweave.pipeline.errors import Drop, UserError, nearest
from retroweave.pipeline.worth import Worth

__all__ = [
    "LEAK_LENGTH",
    "Each",
    "Layout",
    "Template",
    "Turn",
    "Variants",
    "assistant",
    "each",
    "layout",
    "reverse",
    "system",
    "user",
]

Role = Literal["system", "user", "assistant"]

LEAK_LENGTH = 40
"""A trained text longer than this, in characters, may not stand in an untrained turn before it (rule 5)."""


class Part(NamedTuple):
    """A stretch of literal text, then the name that follows it, if any."""

    literal: str
    name: str | None
    json: bool = False


@dataclass(frozen=True)
class Template:
    """Text with names in braces."""

    text: str

    def __post_init__(self) -> None:
        _ = self.parts  # a text that cannot be read is refused where it is written

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        try:
            parsed = list(string.Formatter().parse(self.text))
        except ValueError as error:
            raise UserError(
                f"The template {_short(self.text)} cannot be read: {error}. A literal brace is written twice: {{{{."
            ) from error
        return tuple(self._part(*piece) for piece in parsed)

    def _part(self, literal: str, name: str | None, form: str | None, conversion: str | None) -> Part:
        if name is not None and (not name.isidentifier() or form or conversion not in (None, "j")):
            raise UserError(
                f"The template {_short(self.text)} holds {{{name}}}; between braces stands a field's name, or "
                "name!j for a JSON string, and nothing else. A literal brace is written twice: {{."
            )
        return Part(literal, name, conversion == "j")

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.parts if part.name))


@dataclass(frozen=True)
class Variants:
    """A pool of phrasings, one of which each sample draws; all name the same fields."""

    name: str
    templates: tuple[Template, ...]

    @classmethod
    def of(cls, name: str, texts: Sequence[str]) -> Variants:
        if not texts:
            raise UserError(f"The variants {name!r} hold no phrasing.")
        templates = tuple(Template(text) for text in texts)
        first = set(templates[0].names)
        for template in templates:
            if set(template.names) != first:
                raise UserError(
                    f"All phrasings of {name!r} must name the same fields: the first names {sorted(first)}, "
                    f"but {_short(template.text)} names {sorted(template.names)}."
                )
        return cls(name, templates)

    @property
    def names(self) -> tuple[str, ...]:
        return self.templates[0].names


@dataclass(frozen=True)
class Turn:
    role: Role
    template: Template
    train: bool

    @property
    def turns(self) -> tuple[Turn, ...]:
        return (self,)


@dataclass(frozen=True)
class Each:
    """Turns repeated over lists of the same length, one item of each list at a time."""

    lists: tuple[str, ...]
    turns: tuple[Turn, ...]


def system(text: str) -> Turn:
    """What the system says; never trained."""
    return Turn("system", Template(text), train=False)


def user(text: str) -> Turn:
    """What the user says; never trained."""
    return Turn("user", Template(text), train=False)


def assistant(text: str, *, train: bool = True) -> Turn:
    """What the assistant says; trained unless told otherwise."""
    return Turn("assistant", Template(text), train)


def each(lists: str | tuple[str, ...], *turns: Turn) -> Each:
    """Repeat `turns` over the items of the fields named in `lists`."""
    if not lists or not turns:
        raise UserError(f"An each repeats turns over lists: name the lists and the turns, not {lists!r} and {turns!r}.")
    return Each((lists,) if isinstance(lists, str) else tuple(lists), turns)


@dataclass(frozen=True)
class Layout:
    """The end of a pipeline, or of an arm of it."""

    turns: tuple[Turn | Each, ...]
    name: str
    floor: Worth
    reversed: bool
    """Whether the question is promised to descend from the answer, or from what it rests on."""
    extractive: bool
    """Whether the answer may stand in the question: an extract, a choice."""
    words: Mapping[str, Variants] = field(default_factory=dict)

    def fields(self, turn: Turn) -> tuple[str, ...]:
        """The row's fields that a turn shows, itself or through the words that it draws."""
        shown: dict[str, None] = {}
        for name in turn.template.names:
            shown.update(dict.fromkeys(self.words[name].names if name in self.words else (name,)))
        return tuple(shown)

    def flat(self) -> Iterator[Turn]:
        """The turns in order, those of an `each` once."""
        for turn in self.turns:
            yield from turn.turns

    def render(self, fields: Mapping[str, Any], rng: random.Random) -> Conversation:
        """The conversation of one row.

        Raises `Drop` where a trained text stands in an earlier untrained turn (rule 5), or where empty lists leave no
        trained turn.
        """
        drawn = {name: rng.randrange(len(words.templates)) for name, words in self.words.items()}
        conversation = Conversation(variants=drawn)
        for turn in self.turns:
            if isinstance(turn, Each):
                columns = [fields[name] for name in turn.lists]
                for items in zip(*columns, strict=True):
                    scope = {**fields, **dict(zip(turn.lists, items, strict=True))}
                    for inner in turn.turns:
                        self._say(inner, scope, drawn, conversation)
            else:
                self._say(turn, fields, drawn, conversation)
        if not any(message["train"] for message in conversation.messages):
            raise Drop("no turn is trained: the lists that it repeats over are empty")
        return conversation

    def _say(self, turn: Turn, fields: Mapping[str, Any], drawn: Mapping[str, int], into: Conversation) -> None:
        pieces: list[str] = []
        at = 0
        for part in self._unfolded(turn.template, drawn):
            pieces.append(part.literal)
            at += len(part.literal)
            if part.name is None:
                continue
            value = fields[part.name]
            text = value if isinstance(value, str) else str(value)
            if turn.train and not self.extractive and len(text) > LEAK_LENGTH:
                into.refuse_leak(part.name, text)
            if part.json:
                text = orjson.dumps(text).decode()
            else:
                into.spans[part.name] = (len(into.messages), at, at + len(text))
            pieces.append(text)
            at += len(text)
        into.messages.append({"role": turn.role, "content": "".join(pieces), "train": turn.train})

    def _unfolded(self, template: Template, drawn: Mapping[str, int]) -> Iterator[Part]:
        for part in template.parts:
            if part.name is not None and part.name in self.words:
                yield Part(part.literal, None)
                yield from self.words[part.name].templates[drawn[part.name]].parts
            else:
                yield part


@dataclass
class Conversation:
    """The turns of one sample as they are being laid out."""

    variants: dict[str, int]
    """Which phrasing was drawn of each of the layout's words."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    spans: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Where a field's text stands verbatim: turn, start and end in characters."""

    def refuse_leak(self, name: str, text: str) -> None:
        # Its head is escaped and looked for first: that is quick, and it is seldom found.
        head = text[:LEAK_LENGTH]
        escaped_head = _escaped(head)
        for message in self.messages:
            content = message["content"]
            if not message["train"] and (
                (head in content and text in content) or (escaped_head in content and _escaped(text) in content)
            ):
                raise Drop(f"leak: {name} stands in an earlier turn")


def _escaped(text: str) -> str:
    """As it stands in a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def layout(
    *turns: Turn | Each,
    name: str = "layout",
    floor: Literal["prompted", "judged", "tested", "given", "proved"] = "tested",
    extractive: bool = False,
    **words: Variants,
) -> Layout:
    """Lay fields out as a conversation. `words` name pools of phrasings that the templates may draw from.

    `floor` is the least that a trained field may be worth.
    """
    return _laid_out(turns, name, floor, words, reversed=False, extractive=extractive)


def reverse(
    *turns: Turn | Each,
    name: str = "reverse",
    floor: Literal["prompted", "judged", "tested", "given", "proved"] = "tested",
    extractive: bool = False,
    **words: Variants,
) -> Layout:
    """Lay fields out in reverse order: the question, which was derived from the answer, comes first.

    Promises more than `layout`: `check` holds it to the question's descent from the answer or from what that rests on.
    """
    return _laid_out(turns, name, floor, words, reversed=True, extractive=extractive)


def _laid_out(
    turns: Sequence[Turn | Each],
    name: str,
    floor: str,
    words: Mapping[str, Variants],
    *,
    reversed: bool,
    extractive: bool,
) -> Layout:
    if floor not in Worth.__members__:
        raise UserError(f"The layout {name!r} has the floor {floor!r}. {nearest(floor, Worth.__members__)}")
    for word, pool in words.items():
        if not isinstance(pool, Variants):
            raise UserError(
                f"The layout {name!r} was given {word}={pool!r}, which is none of its options and no Variants, a pool "
                "of phrasings to draw from."
            )
    for turn in turns:
        if not isinstance(turn, (Turn, Each)):
            raise UserError(f"The layout {name!r} holds {turn!r}; say who says it: user(...) or assistant(...).")
    laid = Layout(tuple(turns), name, Worth[floor], reversed=reversed, extractive=extractive, words=words)
    for part in (part for turn in laid.flat() for part in turn.template.parts):
        if part.json and part.name in words:
            raise UserError(
                f"The layout {name!r} writes {{{part.name}!j}}, but words are drawn as they are: drop the !j."
            )
    return laid


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
