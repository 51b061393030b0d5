"""A sample walked backwards: from its layout to its source, what judges said and models answered on the way.

It is here because a set is trusted where one can see how a row came about. Prompts and answers are what they are:
hostile text, which stays text, and of which long stretches are left out. It draws nothing but the tree of a search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from retroweave.export.excerpt import shorten
from retroweave.export.tree import tree_drawing

__all__ = ["Answered", "Asked", "Said", "Stop", "has_trace", "trace"]

Call = Mapping[str, Any]

_LONGEST_TURN = 700
_TURNS = 3
"""Of more, the first and the last are shown; those between are mostly few-shot examples."""
_PROMPTS = 3
"""Different prompts of one step that are shown. A judge may have asked thirty questions."""
_ANSWERS = 4
"""Different answers to one prompt."""


@dataclass(frozen=True)
class Said:
    """A text with whoever says it, shortened."""

    role: str
    head: str
    left_out: int = 0
    tail: str = ""


@dataclass(frozen=True)
class Answered:
    """What came back, once or several times."""

    said: Said | None
    end: str
    """How the answer ended, or what went wrong in its place; and the tokens, where they are known."""
    times: int


@dataclass(frozen=True)
class Asked:
    """One prompt, with what came back each time that it was sent."""

    model: str
    prompt: tuple[Said, ...]
    turns_left_out: int
    plain: Said | None
    """What is trained in the prompt's place."""
    answers: Sequence[Answered]
    more: int
    """Other answers, which are not shown."""
    tree: Markup | None


@dataclass(frozen=True)
class Stop:
    """One step on the way back."""

    step: str
    move: str
    verdicts: Sequence[Mapping[str, Any]]
    calls: Sequence[Asked]
    more: int
    """Prompts that are not shown."""


def has_trace(sample: Mapping[str, Any]) -> bool:
    """Whether models had anything to do with a sample."""
    return bool(sample["provenance"].get("calls"))


def trace(sample: Mapping[str, Any], run: Mapping[str, Any]) -> list[Stop]:
    """The steps of a sample, the last one first, with the calls and verdicts of each."""
    provenance = sample["provenance"]
    calls, verdicts = provenance.get("calls", ()), provenance.get("verdicts", ())
    moves = {step["name"]: step["move"] for step in run["steps"]}
    elsewhere = (call["step"] for call in calls if call["step"] not in provenance["steps"])
    way = dict.fromkeys([*elsewhere, *provenance["steps"]])
    return [_stop(step, moves.get(step, ""), calls, verdicts) for step in reversed(way)]


def _stop(step: str, move: str, calls: Sequence[Call], verdicts: Sequence[Mapping[str, Any]]) -> Stop:
    own = sorted((call for call in calls if call["step"] == step), key=lambda call: "tree" not in call)
    prompts: dict[bytes, list[Call]] = {}
    for call in own:
        prompts.setdefault(orjson.dumps([call["model"], call["prompt"]]), []).append(call)
    shown = [_asked(same) for same in list(prompts.values())[:_PROMPTS]]
    return Stop(step, move, [one for one in verdicts if one["step"] == step], shown, len(prompts) - len(shown))


def _asked(calls: Sequence[Call]) -> Asked:
    first = calls[0]
    prompt = first["prompt"]
    turns = [{"role": "document", "content": prompt}] if isinstance(prompt, str) else prompt
    shown = turns if len(turns) <= _TURNS else [*turns[:1], turns[-1]]
    answers = Counter((call.get("answer"), ", ".join(_end(call))) for call in calls)
    ranked = answers.most_common()
    return Asked(
        first["model"],
        tuple(_said(turn["role"], turn["content"]) for turn in shown),
        len(turns) - len(shown),
        _said("plain", first["plain"]) if first.get("plain") else None,
        [Answered(_said("answer", text) if text else None, end, n) for (text, end), n in ranked[:_ANSWERS]],
        sum(count for _, count in ranked[_ANSWERS:]),
        tree_drawing(first["tree"]) if "tree" in first else None,
    )


def _said(role: str, text: str) -> Said:
    return Said(role, *shorten(text.strip(), _LONGEST_TURN))


def _end(call: Call) -> Iterator[str]:
    if error := call.get("error"):
        yield str(error)
    read, wrote = call.get("tokens", (None, None))
    finish = call.get("finish")
    if finish and (finish, wrote) != ("length", 1):  # of a judge no more is wanted than its first token
        yield {"stop": "ended by itself", "length": "cut off"}.get(finish, str(finish))
    if read is not None:
        yield f"{read:,} tokens read"
    if wrote is not None:
        yield f"{wrote:,} written"
