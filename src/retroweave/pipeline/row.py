"""A row under construction, what may become of it, and where its ids and random numbers come from."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from retroweave.pipeline.step import Side

__all__ = ["Drawn", "Leaf", "LeafKind", "Row", "digest", "numbers", "side_of"]

LeafKind = Literal["sample", "reject", "failure"]


def digest(*parts: bytes | str | int) -> bytes:
    """16 bytes that tell `parts` from any others; each part is framed by its length, so no two lists collide."""
    framed = b""
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        framed += b"%d:%b" % (len(data), data)
    return hashlib.blake2b(framed, digest_size=16).digest()


def numbers(salt: bytes, step: str, row: bytes) -> random.Random:
    """The random numbers of one step on one row: they hang on seed and recipe (the salt), step and row alone."""
    return random.Random(int.from_bytes(digest(salt, step, row)))


def side_of(cluster: str, validation: float) -> Side:
    """The side of the split on which every row of a source cluster falls."""
    share = int.from_bytes(digest("split", cluster)[:8], "big") / 2**64
    return "validation" if share < validation else "train"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A source row as it is handed to be worked on."""

    draw: int
    """How many times the source had been drawn from before."""
    index: int
    """Its place in the source, from 0."""
    key: str
    place: str
    license: str
    side: Side
    fields: dict[str, Any]
    reject: str = ""


@dataclass(slots=True)
class Row:
    """Fields under construction."""

    id: bytes
    path: tuple[int, ...]
    """Draw, source index, then the ordinal of each fan-out: the order in which the gate takes leaves."""
    fields: dict[str, Any]
    drawn: Drawn
    trail: tuple[str, ...] = ()
    """The names of the steps behind it."""
    calls: tuple[dict[str, Any], ...] = ()
    """What models were asked for it, and what they answered."""
    verdicts: tuple[dict[str, Any], ...] = ()
    """What judges said of it: step, score, whether it passed, and the score's parts."""
    hidden: tuple[str, ...] = ()
    """Texts that only a generator may see."""
    waits: int = 0
    """How many requests of the step that it is at are under way."""
    crossed: bool = False
    """Whether there were several of them at once: then their answers came in no order of their own."""

    @classmethod
    def first(cls, drawn: Drawn) -> Row:
        return cls(digest(drawn.key, drawn.draw), (drawn.draw, drawn.index), dict(drawn.fields), drawn)

    def child(self, step: str, ordinal: int, fields: dict[str, Any]) -> Row:
        """One of several rows that a step made of this one."""
        return Row(
            digest(self.id, step, ordinal),
            (*self.path, ordinal),
            {**self.fields, **fields},
            self.drawn,
            self.trail,
            self.calls,
            self.verdicts,
            self.hidden,
        )

    def settle_calls(self, before: int) -> None:
        """Bring what the last step asked into an order that is the same whichever answer came first."""
        if self.crossed:
            self.calls = (*self.calls[:before], *sorted(self.calls[before:], key=orjson.dumps))
            self.crossed = False

    @property
    def asked(self) -> dict[str, Any]:
        """What models had to do with it, for its provenance; empty where they had nothing."""
        parts = {"calls": self.calls, "verdicts": self.verdicts}
        return {name: list(value) for name, value in parts.items() if value}


@dataclass(slots=True)
class Leaf:
    """What became of a row in the end."""

    kind: LeafKind
    path: tuple[int, ...]
    step: str = ""
    reason: str = ""
    trace: str = ""
    sample: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    row: Row | None = field(default=None, compare=False, repr=False)
    """The row as it was left, for whoever looks over the engine's shoulder; the journal does not keep it."""
