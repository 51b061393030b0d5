"""Habits of sets in which something is mended: damage that is learnt, and mending as little as one can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retroweave.quality.habits import Counted
from retroweave.quality.seen import Seen

__all__ = ["OneBugAtATime", "TrainedDamage"]

AROUND = 24
"""Characters on both sides of a place of damage. A diagnosis quotes the words of the place and no more."""


class TrainedDamage(Counted):
    """Trained turns that hold damaged text as it stands in the question, and not as what is taken away."""

    name = "trained-damage"
    share = 0.0
    fewest = 1
    counts = "samples of a layout with recorded damage"
    what = "of the samples of layout {layout} have damage in a trained turn"
    teaches = "and a model would learn to write it"
    mend = "train the clean field; in a patch damage stands in lines that begin with a minus, and nowhere else"

    def hits(self, sample: Seen) -> Iterator[str | None]:
        operations = sample.provenance.get("kept", {}).get("operations")
        span = sample.provenance.get("spans", {}).get("damaged")
        if not isinstance(operations, list) or not span:
            return
        damaged = sample.messages[span[0]]["content"][span[1] : span[2]]
        answers = [_kept(text) for text in sample.texts(train=True)]
        for operation in operations:
            if any(_is_in(window, answers) for window in _windows(damaged, operation)):
                yield str(operation.get("operation", "damage")).replace("_", " ")
                return
        yield None


def _kept(text: str) -> str:
    """A text without the lines that a diff in it takes away."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("-"))


def _windows(damaged: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """Each place of damage with what stands round it on its lines, unless the clean text reads the same there."""
    for edit in operation.get("edits", ()):
        start, end = edit["at"], edit["at"] + len(edit["now"])
        before = damaged[max(0, start - AROUND) : start].rpartition("\n")[2]
        after = damaged[end : end + AROUND].partition("\n")[0]
        if len(before) + len(after) >= AROUND and edit["now"] not in (before, after) and edit["now"].strip():
            yield f"{before}{edit['now']}{after}"


def _is_in(window: str, answers: Sequence[str]) -> bool:
    return any(window in answer for answer in answers)


class OneBugAtATime(Counted):
    """Conversations with several bugs in which each turn mends just one, by the measures `bug_count` and `turns`."""

    name = "one-bug-at-a-time"
    share = 0.5
    counts = "samples of a layout with more bugs than one"
    what = "of the samples of layout {layout} with several bugs mend them one a turn, as the last log shows them"
    teaches = "and a model would learn to stop at the first thing that it sees"
    mend = "let more of them mend everything in one turn, or several bugs in some turns"

    def hits(self, sample: Seen) -> Iterator[str | None]:
        bugs, turns = sample.measures.get("bug_count"), sample.measures.get("turns")
        if isinstance(bugs, int) and isinstance(turns, int) and bugs > 1:
            yield f"{bugs} bugs in {turns} turns" if turns >= bugs else None
