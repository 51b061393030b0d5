"""A layout: how a row's fields become a conversation.

Each turn is a template with a role, trained or not. A template names fields in braces; `{field!j}` writes one as a JSON
string. A name may also stand for *words*: a pool of phrasings (`variants`) that the layout lends, of which each sample
draws one, and which may name fields in turn. Templates hold names only: no attribute, no index, no format, so that no
value can reach further than its own text.

A turn may also call a tool, one at a time; `assistant(..., call="edit")` names the field that holds the call, and
`tool(...)` says what came of it. The tools that may be called are a field too, which the layout names. What stands in a
call's arguments is trained like any other text, and the rules hold for it.
"""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    "texts",
    "tool",
    "user",
]

Role = Literal["system", "user", "assistant", "tool"]

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
    call: str = ""
    """The field that holds the call of a tool, `{"name": ..., "arguments": {...}}`, if the turn makes one."""

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


def assistant(text: str = "", *, call: str = "", train: bool = True) -> Turn:
    """What the assistant says, and the field that holds the tool call it makes; trained unless told otherwise."""
    return Turn("assistant", Template(text), train, call)


def tool(text: str) -> Turn:
    """What a tool answers to the call of the turn before; never trained."""
    return Turn("tool", Template(text), train=False)


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
    tools: str = ""
    """The field that holds the JSON schemas of the tools that may be called, if there are any."""

    def fields(self, turn: Turn) -> tuple[str, ...]:
        """The row's fields that a turn shows, itself or through the words that it draws, or calls a tool with."""
        shown: dict[str, None] = {}
        for name in turn.template.names:
            shown.update(dict.fromkeys(self.words[name].names if name in self.words else (name,)))
        if turn.call:
            shown[turn.call] = None
        return tuple(shown)

    def flat(self) -> Iterator[Turn]:
        """The turns in order, those of an `each` once."""
        for turn in self.turns:
            yield from turn.turns

    @cached_property
    def draws(self) -> bool:
        """Whether it needs random numbers: to choose among words, or for the ids of calls."""
        return bool(self.words) or any(turn.call for turn in self.flat())

    def render(self, fields: Mapping[str, Any], rng: random.Random) -> Conversation:
        """The conversation of one row.

        Raises `Drop` where a trained text stands in an earlier untrained turn (rule 5), or where empty lists leave no
        trained turn.
        """
        drawn = {name: rng.randrange(len(words.templates)) for name, words in self.words.items()}
        conversation = Conversation(variants=drawn, tools=list(fields[self.tools]) if self.tools else [])
        for turn in self.turns:
            if isinstance(turn, Each):
                columns = [fields[name] for name in turn.lists]
                for items in zip(*columns, strict=True):
                    scope = {**fields, **dict(zip(turn.lists, items, strict=True))}
                    for inner in turn.turns:
                        self._say(inner, scope, drawn, conversation, rng)
            else:
                self._say(turn, fields, drawn, conversation, rng)
        if not any(message["train"] for message in conversation.messages):
            raise Drop("no turn is trained: the lists that it repeats over are empty")
        return conversation

    def _say(
        self,
        turn: Turn,
        fields: Mapping[str, Any],
        drawn: Mapping[str, int],
        into: Conversation,
        rng: random.Random,
    ) -> None:
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
        message: dict[str, Any] = {"role": turn.role, "content": "".join(pieces), "train": turn.train}
        if turn.call:
            message["tool_calls"] = [self._call(turn, fields[turn.call], into, rng)]
        elif turn.role == "tool":
            (called,) = into.messages[-1]["tool_calls"]
            message |= {"tool_call_id": called["id"], "name": called["function"]["name"]}
        into.messages.append(message)

    def _call(self, turn: Turn, call: Any, into: Conversation, rng: random.Random) -> dict[str, Any]:
        """The call as chat templates read it: the arguments are an object, and not the text of one."""
        _require_call(call, into.tools)
        if turn.train and not self.extractive:
            for text in _strings(call["arguments"]):
                if len(text) > LEAK_LENGTH:
                    into.refuse_leak(turn.call, text)
        function = {"name": call["name"], "arguments": call["arguments"]}
        return {"id": "".join(rng.choices(_ID, k=_ID_LENGTH)), "type": "function", "function": function}

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
    tools: list[dict[str, Any]] = field(default_factory=list)
    """The JSON schemas of the tools that may be called."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    spans: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Where a field's text stands verbatim: turn, start and end in characters."""

    def refuse_leak(self, name: str, text: str) -> None:
        # Its head is escaped and looked for first: that is quick, and it is seldom found.
        head = text[:LEAK_LENGTH]
        escaped_head = _escaped(head)
        for message in self.messages:
            if message["train"]:
                continue
            for said in texts(message):
                if (head in said and text in said) or (escaped_head in said and _escaped(text) in said):
                    raise Drop(f"leak: {name} stands in an earlier turn")


def texts(message: Mapping[str, Any]) -> Iterator[str]:
    """All that a turn says: its content, and what stands in the arguments of its tool calls."""
    yield message["content"]
    for call in message.get("tool_calls") or ():
        yield call["function"]["name"]
        yield from _strings(call["function"]["arguments"])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)
    else:
        yield value if isinstance(value, str) else orjson.dumps(value).decode()


_ID = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 9
"""Mistral's chat templates refuse any other length, and the others take all."""


def _require_call(call: Any, tools: Iterable[Mapping[str, Any]]) -> None:
    """Raise `ValueError` where a call names a tool that there is not, or has not the arguments that it takes."""
    try:
        name, given = call["name"], set(call["arguments"])
    except (TypeError, KeyError) as error:
        raise ValueError(f'a call is {{"name": ..., "arguments": {{...}}}}, and not {_short(repr(call))}') from error
    functions = {one["function"]["name"]: one["function"].get("parameters", {}) for one in tools}
    if name not in functions:
        raise ValueError(f"the call names the tool {name!r}, and there is {', '.join(functions) or 'none'}")
    known, needed = set(functions[name].get("properties", ())), set(functions[name].get("required", ()))
    if wrong := sorted((given - known) | (needed - given)):
        raise ValueError(
            f"the call of {name!r} has the arguments {sorted(given)}; {', '.join(wrong)} should not be there, or is "
            f"missing: it takes {sorted(known)} and needs {sorted(needed)}"
        )


def _escaped(text: str) -> str:
    """As it stands in a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def layout(
    *turns: Turn | Each,
    name: str = "layout",
    floor: Literal["prompted", "judged", "tested", "given", "proved"] = "tested",
    extractive: bool = False,
    tools: str = "",
    **words: Variants,
) -> Layout:
    """Lay fields out as a conversation. `words` name pools of phrasings that the templates may draw from.

    `floor` is the least that a trained field may be worth. `tools` names the field that holds the JSON schemas of the
    tools that its turns call.
    """
    return _laid_out(turns, name, floor, words, reversed=False, extractive=extractive, tools=tools)


def reverse(
    *turns: Turn | Each,
    name: str = "reverse",
    floor: Literal["prompted", "judged", "tested", "given", "proved"] = "tested",
    extractive: bool = False,
    tools: str = "",
    **words: Variants,
) -> Layout:
    """Lay fields out in reverse order: the question, which was derived from the answer, comes first.

    Promises more than `layout`: `check` holds it to the question's descent from the answer or from what that rests on.
    """
    return _laid_out(turns, name, floor, words, reversed=True, extractive=extractive, tools=tools)


def _laid_out(
    turns: Sequence[Turn | Each],
    name: str,
    floor: str,
    words: Mapping[str, Variants],
    *,
    reversed: bool,
    extractive: bool,
    tools: str,
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
    laid = Layout(tuple(turns), name, Worth[floor], reversed=reversed, extractive=extractive, words=words, tools=tools)
    _require_answered(laid)
    for part in (part for turn in laid.flat() for part in turn.template.parts):
        if part.json and part.name in words:
            raise UserError(
                f"The layout {name!r} writes {{{part.name}!j}}, but words are drawn as they are: drop the !j."
            )
    return laid


def _require_answered(laid: Layout) -> None:
    """A call comes with tools, and right behind it, in the same each, stands what came of it."""
    for part in laid.turns:
        if isinstance(part, Each) and (part.turns[0].role == "tool" or part.turns[-1].call):
            raise UserError(f"The layout {laid.name!r} repeats half of a call: let each(...) hold its tool(...) too.")
    turns = list(laid.flat())
    if turns and turns[0].role == "tool":
        raise UserError(
            f"The layout {laid.name!r} begins with tool(...), which answers nothing: call the tool before it."
        )
    if any(turn.call for turn in turns) != bool(laid.tools):
        raise UserError(
            f"The layout {laid.name!r} calls tools without naming them, or names tools and calls none: tools= takes "
            "the field that holds their JSON schemas, and assistant(..., call=...) a field that holds a call."
        )
    for turn, after in itertools.pairwise(turns):
        if bool(turn.call) != (after.role == "tool"):
            raise UserError(
                f"In the layout {laid.name!r} a {turn.role} turn is followed by {after.role}: tool(...) stands behind "
                "each call, and nowhere else."
            )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
