"""One row: as a list shows it, and all of it, whichever file it is stored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from retroweave.export.trace import Stop, trace
from retroweave.review.indexing import Told, beginnings, last_answer, said_of
from retroweave.review.shelf import Stored

__all__ = ["SHOWN", "Line", "Row", "indexed_line", "line_of", "row_of"]

SHOWN = ("kind", "split", "layout", "step", "reason")
"""Sorts of words that a line shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row as a list shows it."""

    number: int
    """Its place in the run, from 0; it changes when the run is made anew, and the id does not. In a run that has not
    come to its end numbers have gaps."""
    id: str
    """Permanent, and safe in a URL: a sample's own id, or a reject's way with hyphens, `0-17-2`."""
    kind: str
    split: str
    layout: str
    step: str
    reason: str
    scores: Mapping[str, float]
    """By judge."""
    asked: str
    """How what is not trained begins, on one line (200 characters at most, control characters made visible)."""
    answered: str
    """How what is trained begins; of a reject, the last answer of a model that is no judge's."""


@dataclass(frozen=True, slots=True)
class Row:
    """All of a row."""

    number: int
    id: str
    kind: str
    split: str
    recipe: str
    layout: str
    license: str
    place: str
    """Where a person finds the source row."""
    step: str
    reason: str
    trace: str
    """Of a failure, the traceback; of a reject, what its step noted."""
    messages: tuple[Mapping[str, Any], ...]
    """role, content, train, and `tool_calls` and the like where tools are called; none of a reject."""
    variants: Mapping[str, Any]
    provenance: Mapping[str, Any]
    """Of a sample as it is stored; of a reject its `calls` and `verdicts`."""
    content: str
    """A hash of what a person judges: labels that were given to another content are stale."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """The schemas of the tools that a sample may call."""
    answered: str = ""
    """Of a reject, what a model answered last that is a part of the row, and no judge's yes or no."""
    stops: tuple[Stop, ...] = ()
    """How it came to be, walked backwards: `export.trace.trace`. Texts are shortened there, and whole in `calls`."""

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        """step, model, prompt (a text, or turns), plain, answer, finish, tokens, error: as far as there are any."""
        found: Sequence[Mapping[str, Any]] = self.provenance.get("calls", ())
        return found

    @property
    def verdicts(self) -> Sequence[Mapping[str, Any]]:
        """step, score, passed, parts."""
        found: Sequence[Mapping[str, Any]] = self.provenance.get("verdicts", ())
        return found

    def score(self, judge: str) -> float | None:
        """The judge's last score of it."""
        return said_of(self.verdicts).get(judge, (None, False))[0]

    def passed(self, judge: str) -> bool | None:
        """What the judge said last of it; `None` where it said nothing."""
        return said_of(self.verdicts).get(judge, (None, None))[1]

    def sample(self) -> dict[str, Any]:
        """As `export.conversation.conversation` takes it; only of a row with messages."""
        named = {name: getattr(self, name) for name in ("id", "recipe", "layout", "license", "split")}
        tools = {"tools": list(self.tools)} if self.tools else {}
        return {
            **named,
            **tools,
            "messages": list(self.messages),
            "variants": self.variants,
            "provenance": self.provenance,
        }


def indexed_line(row: tuple[Any, ...], words: Mapping[str, Mapping[int, str]], judges: Sequence[str]) -> Line:
    """What `Index.lines` gave of a row; `words` are those of each sort in `SHOWN`, by number."""
    number, id, asked, answered, *rest = row
    kind, split, layout, step, reason = (words[sort].get(one, "") for sort, one in zip(SHOWN, rest, strict=False))
    scores = {judge: score for judge, score in zip(judges, rest[len(SHOWN) :], strict=False) if score is not None}
    return Line(number, id, kind, split, layout, step, reason, scores, asked, answered)


def line_of(stored: Stored, judges: frozenset[str]) -> Line:
    """A stored row of which the index knows nothing yet."""
    told = Told.of(stored)
    scores = {judge: score for judge, (score, _) in said_of(told.verdicts).items() if score is not None}
    own = (stored.kind, stored.split, stored.layout, stored.step, stored.reason)
    return Line(stored.number, stored.id, *own, scores, *beginnings(told, judges))


def row_of(stored: Stored, run: Mapping[str, Any], judges: frozenset[str]) -> Row:
    """All of a stored row. `judges` are the steps that judge, as far as they are known."""
    provenance = _provenance(stored)
    recipe = stored.recipe or str(run.get("recipe", ""))
    row = Row(
        stored.number,
        stored.id,
        stored.kind,
        stored.split,
        recipe,
        stored.layout,
        stored.license,
        stored.place,
        stored.step,
        stored.reason,
        stored.trace,
        tuple(stored.turns),
        orjson.loads(stored.variants) if stored.variants else {},
        provenance,
        stored.content.hex(),
        tuple(orjson.loads(tool) for tool in stored.tools),
        "" if stored.turns else last_answer(provenance["calls"], provenance["verdicts"], judges),
    )
    steps = provenance.get("steps") or _steps(row)
    return replace(row, stops=tuple(trace({"provenance": {**provenance, "steps": steps}}, run)))


def _provenance(stored: Stored) -> dict[str, Any]:
    if stored.provenance:
        found: dict[str, Any] = orjson.loads(stored.provenance)
        return found
    return {name: orjson.loads(getattr(stored, name) or "[]") for name in ("calls", "verdicts")}


def _steps(row: Row) -> list[str]:
    """The steps that a reject is known to have come by: those that said something, and the one where it ended."""
    said = [one["step"] for one in (*row.calls, *row.verdicts)]
    return list(dict.fromkeys([step for step in said if step != row.step] + [row.step]))
