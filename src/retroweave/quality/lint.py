"""What a finished set would teach besides its task.

A model learns whatever is the same in all its samples, whether or not anybody meant it: one opening phrase, one length,
one verdict. The lints read the samples once, in constant memory, and say which habit they would leave (rule 9 of the
design). Each is a count that a person can check, and speaks up above a share that a config may set. They do not judge
whether answers are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from retroweave.pipeline.errors import UserError, nearest
from retroweave.quality.habits import FEWEST, Finding, Lint
from retroweave.quality.leaks import AnswerInQuestion, CopiedExamples, Copies, HiddenContext
from retroweave.quality.manners import (
    Apologies,
    LanguageMix,
    OneClosing,
    OneLength,
    OneOpening,
    OneVerdict,
    Praise,
    Refusals,
)
from retroweave.quality.repairs import OneBugAtATime, TrainedDamage
from retroweave.quality.sameness import NearDuplicates, OtherAnswers, PromptsAlike
from retroweave.quality.seen import Seen
from retroweave.quality.tallies import COUNTERS

__all__ = ["COUNTERS", "FEWEST", "LINTS", "Finding", "Habits", "Lint", "Shares", "lint", "read_shares"]

_ALL: tuple[type[Lint], ...] = (
    *(OneOpening, OneClosing, OneLength, OneVerdict, PromptsAlike),
    *(Praise, Apologies, Refusals, LanguageMix),
    *(Copies, AnswerInQuestion, HiddenContext, CopiedExamples),
    *(TrainedDamage, OneBugAtATime, NearDuplicates, OtherAnswers),
)
LINTS: Mapping[str, type[Lint]] = {made.name: made for made in _ALL}
"""By name, in the order in which findings come."""

AT_ONCE = 128
"""Samples that are looked at together."""

Shares = Mapping[str, float | None]
"""By the name of a lint, the share above which it is a finding; None switches it off. Others stay as they are."""


def lint(samples: Iterable[Mapping[str, Any]], shares: Shares | None = None) -> list[Finding]:
    """The habits of the samples, read once, each with `id`, `layout` and `messages` of `role`, `content`, `train`."""
    habits, rest = Habits(shares), iter(samples)
    while some := list(islice(rest, AT_ONCE)):
        habits.see(some)
    return list(habits.findings())


class Habits:
    """All lints, in one pass."""

    def __init__(self, shares: Shares | None = None) -> None:
        set_to = dict.fromkeys(LINTS) | dict(shares or {})
        off = {name for name, share in (shares or {}).items() if share is None}
        self.samples = 0
        self.lints = [made(set_to[name]) for name, made in LINTS.items() if name not in off]

    def see(self, samples: Sequence[Mapping[str, Any]]) -> None:
        """The next samples. One lint sees all of them before the next does, which is quicker than the other way."""
        self.samples += len(samples)
        seen = [Seen.of(sample) for sample in samples]
        for one in self.lints:
            for sample in seen:
                one.see(sample)

    def findings(self) -> Iterator[Finding]:
        if self.samples < FEWEST:
            yield Finding(
                "few-samples",
                "note",
                f"There are {self.samples} samples, and habits are looked for from {FEWEST} on, because of fewer a "
                "share says little; make more to have the set linted.",
            )
            return
        for one in self.lints:
            yield from one.findings()


def read_shares(table: Any) -> dict[str, float | None]:
    """The `lint` table of a config file: names of lints to shares from 0 to 1, or `off`."""
    if not isinstance(table, Mapping):
        raise UserError(f"`lint` holds names of lints and shares, as in `one-opening: 0.6`, and not {table!r}.")
    return {str(name): _read(str(name), share) for name, share in table.items()}


def _read(name: str, share: Any) -> float | None:
    if name not in LINTS:
        raise UserError(f"There is no lint {name!r}. {nearest(name, LINTS)}")
    if share is False or share == "off":
        return None
    if share is True or share == "on":
        return LINTS[name].share
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise UserError(f"The lint {name!r} takes a share from 0 to 1, or off, and not {share!r}.")
    return float(share)
