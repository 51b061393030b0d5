"""What a person sees of a row who labels it blind, found in the calls that were made for it, and a hash of that.

With another threshold a sample becomes a reject, or a reject a sample: it goes by another id then, and has another
content, but who labelled it blind saw nothing else than they would see now. By this hash, of what a blind page shows
and of the place of the source row, their label finds its row again (`standing`). `shown.blind_view` draws what is
found here, and nothing else, so that the two cannot come to differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from retroweave.text.tool_calls import spoken

__all__ = ["Standpoint", "View", "asked_last", "asked_of"]

Call = Mapping[str, Any]


class View(NamedTuple):
    """What stood before a judge when it was asked."""

    written: Call | None
    """The last call before, of a step that judges nothing, that a model answered."""
    judged: Call | None
    """The judge's own call."""

    def hash(self, place: str) -> int | None:
        """Of what is shown of it, for a row of this source place, as 64 bits with a sign; `None` where nothing is."""
        if self.written is None and self.judged is None:
            return None
        asked, answer = ("", "") if self.written is None else (asked_of(self.written), str(self.written["answer"]))
        judged = "" if self.judged is None else f"?{asked_last(self.judged)}"  # an empty question is shown too
        framed = f"{len(place)} {len(asked)} {len(answer)} {place}{asked}{answer}{judged}"
        found = blake2b(framed.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(found, signed=True)


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where a judge stands in its pipeline."""

    judge: str
    writers: frozenset[str] | None
    """The steps before it that judge nothing; `None` where the run does not know the order of its steps."""
    judges: frozenset[str]

    @classmethod
    def of(cls, judge: str, moves: Mapping[str, str]) -> Self:
        """`moves` are those of the run's steps, in order."""
        judges = frozenset(step for step, move in moves.items() if move == "judge")
        if judge not in moves:
            return cls(judge, None, judges)
        order = list(moves)
        return cls(judge, frozenset(order[: order.index(judge)]) - judges, judges)

    def view(self, calls: Sequence[Call], judged: Collection[str]) -> View:
        """Of a row, by what models were asked for it; `judged` are the steps that gave a verdict, later ones too."""
        if self.writers is None:
            return self._by_its_own_call(calls, judged)
        written = own = None
        for call in reversed(calls):
            step = call["step"]
            if step == self.judge:
                own = own or call
            elif written is None and step in self.writers and step not in judged and call.get("answer"):
                written = call
        return View(written, own)

    def _by_its_own_call(self, calls: Sequence[Call], judged: Collection[str]) -> View:
        """Where the order of steps is not known, what came before the judge was first asked."""
        own = [place for place, call in enumerate(calls) if call["step"] == self.judge]
        before = reversed(calls[: own[0]] if own else calls)
        judges = {*self.judges, *judged}
        written = next((call for call in before if call.get("answer") and call["step"] not in judges), None)
        return View(written, calls[own[-1]] if own else None)


def asked_of(call: Call) -> str:
    """What a call asked, as it is shown: the plain prompt where there is one, or the last turn."""
    return call.get("plain") or asked_last(call)


def asked_last(call: Call) -> str:
    """The last turn of what was asked; instructions and examples before it are left out."""
    prompt = call.get("prompt") or ""
    return prompt if isinstance(prompt, str) else spoken(prompt[-1])
