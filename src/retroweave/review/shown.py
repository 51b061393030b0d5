"""A row as a page shows it: the conversation in pieces, how it came to be, and what may be seen when labelling blind.

A blind label is worth something only where the page gives nothing away. A sample has a conversation and a reject has
none, a sample's id is a hash and a reject's a way, and all that happened after the judge hangs on what it said. So a
blind view is made of one thing alone, in the same way for both: what stood before the judge when it was asked, which is
the last answer that a model wrote before, and the judge's own question. It escapes nothing: texts stay texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from retroweave.export.conversation import Edit, Piece, Run, conversation
from retroweave.export.excerpt import shorten
from retroweave.export.trace import Stop
from retroweave.review.highlight import CodeRun, fences, highlighted, looks_like_python, unfenced
from retroweave.review.rows import Row
from retroweave.review.seen import Standpoint, asked_last, asked_of
from retroweave.text.tool_calls import spoken

__all__ = ["Blind", "Shown", "blind_view", "pieces_of", "shown", "whole_turn", "without_style"]

_LONGEST = 6_000
_STYLE = re.compile(r' style="[^"]*"')


@dataclass(frozen=True, slots=True)
class Drawn:
    """A piece of a turn: prose or a diff as the report has it, or code."""

    plain: Piece | None = None
    code: Sequence[CodeRun] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    train: bool
    pieces: Sequence[Drawn]
    size: int
    """Characters in all."""


@dataclass(frozen=True, slots=True)
class Shown:
    turns: Sequence[Turn]
    edits: Sequence[Edit] = field(default=())


@dataclass(frozen=True, slots=True)
class Blind:
    """What may be seen of a row by who labels it blind."""

    turns: Sequence[Turn]
    question: Sequence[Turn]
    """What the judge was asked; its examples and instructions are left out."""


def shown(row: Row) -> Shown:
    """The row's conversation; of a reject, which has none, the last answer that is no judge's."""
    if not row.messages:
        judges = {verdict["step"] for verdict in row.verdicts}
        answered = [call for call in row.calls if call["step"] not in judges] or row.calls
        return Shown(_answered(answered[-1]) if answered else ())
    drawn = conversation(row.sample())
    turns = zip(drawn.turns, row.messages, strict=True)
    return Shown(
        [Turn(turn.role, turn.train, _coloured(turn.pieces), len(spoken(whole))) for turn, whole in turns], drawn.edits
    )


def whole_turn(row: Row, number: int) -> str | None:
    """All of a turn that was shortened; `None` where there is no such turn."""
    return spoken(row.messages[number]) if 0 <= number < len(row.messages) else None


def blind_view(row: Row, judge: str, moves: Mapping[str, str], *, uniform: bool) -> Blind:
    """The row without what any judge said of it; `moves` are those of the run's steps, in order.

    Where rejects are labelled too, `uniform` asks for what the judge saw; otherwise all rows are samples, and their
    conversations tell nothing.
    """
    if not uniform and row.messages:
        return Blind(shown(row).turns, ())
    view = Standpoint.of(judge, moves).view(row.calls, {verdict["step"] for verdict in row.verdicts})
    turns = _answered(view.written) if view.written else ()
    return Blind(turns, [_turn("the judge was asked", asked_last(view.judged))] if view.judged else ())


def without_style(stops: Sequence[Stop]) -> list[Stop]:
    """The way back, in whose drawn trees the bars have no width of their own: the page's policy forbids it."""
    return [replace(stop, calls=[replace(call, tree=_bare(call.tree)) for call in stop.calls]) for stop in stops]


def pieces_of(text: str) -> list[Drawn]:
    """A text that stands alone, such as a model's answer: shortened where it is long, its code coloured."""
    head, left_out, tail = shorten(text, _LONGEST)
    parts = list(_drawn(head))
    if left_out:
        parts += [Drawn(Piece(left_out=left_out)), *_drawn(tail)]
    return parts


def _bare(tree: Markup | None) -> Markup | None:
    return None if tree is None else Markup(_STYLE.sub("", tree))


def _answered(call: Mapping[str, Any]) -> list[Turn]:
    """A call as a conversation of two turns: the plain prompt, or the last of what was asked, and the answer."""
    turns = [_turn("asked", asked_of(call))]
    if call.get("answer"):
        turns.append(_turn("answered", call["answer"], train=True))
    return turns


def _turn(role: str, text: str, train: bool = False) -> Turn:
    return Turn(role, train, pieces_of(text), len(text))


def _coloured(pieces: Sequence[Piece]) -> list[Drawn]:
    return [drawn for piece in pieces for drawn in _parted(piece)]


def _parted(piece: Piece) -> Iterator[Drawn]:
    """A piece of prose parted at the code in it; a piece in which damage is marked stays whole."""
    if not piece.runs or any(run.edit for run in piece.runs):
        yield Drawn(piece)
        return
    for run in piece.runs:
        if run.is_tag:
            yield Drawn(Piece(runs=[run]))
        else:
            yield from _drawn(run.text)


def _drawn(text: str) -> Iterator[Drawn]:
    for part in fences(text):
        if part.language:
            yield Drawn(code=highlighted(part.text.rstrip("\n"), part.language))
        elif looks_like_python(part.text):
            yield Drawn(code=highlighted(part.text.strip("\n"), "python"))
        else:
            yield from _prose(part.text)


def _prose(text: str) -> Iterator[Drawn]:
    for part in unfenced(text):
        if part.language:
            yield Drawn(code=highlighted(part.text.strip("\n"), part.language))
        elif part.text.strip():
            yield Drawn(Piece(runs=[Run(part.text.strip("\n"))]))
