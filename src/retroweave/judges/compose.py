"""One judge made of several: all of them, any of them, or their weighted mean.

A judge of judges reads what they read between them, and its score keeps theirs, each under its name. A member is
anything that a `judge` step takes: one of ours, or a function that answers with a `Score` or with a bare yes or no,
which counts as 1 or 0. One that raises `Drop` has said no.

`all_of` stops at the first no and `any_of` at the first yes, so put the cheap judge first; those not asked then stand
in the parts as such. Where each score is wanted for calibration, let the judges be steps of their own.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from retroweave.judges.reading import Hints, Judge, hints_of, merged, name_of, signature_of, within
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.flow import drive
from retroweave.pipeline.row import digest
from retroweave.pipeline.verdict import Score, bare_no

__all__ = ["Composed", "ComposedPrograms", "all_of", "any_of", "weighted"]

Rule = Literal["all", "any", "weighted"]
NOT_ASKED = "not asked"


def all_of(*judges: Judge, **named: Judge) -> Composed | ComposedPrograms:
    """Accepts what each accepts. The score is the least of theirs, and the reason that of the judge that said no."""
    return _composed("all", _named(judges, named))


def any_of(*judges: Judge, **named: Judge) -> Composed | ComposedPrograms:
    """Accepts what one accepts. The score is the greatest of theirs."""
    return _composed("any", _named(judges, named))


def weighted(judges: Mapping[str, tuple[float, Judge]], *, threshold: float = 0.5) -> Composed | ComposedPrograms:
    """Accepts where the weighted mean of their scores is at least `threshold`, whatever each says by itself.

    `judges` are `{name: (weight, judge)}`. Each is asked.
    """
    for name, (weight, _) in judges.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
            raise UserError(f"The weight of the judge {name!r} is a number above 0, not {weight!r}.")
    within(threshold, "The threshold of weighted judges")
    return _composed(
        "weighted",
        {name: judge for name, (_, judge) in judges.items()},
        {name: float(weight) for name, (weight, _) in judges.items()},
        threshold,
    )


def _named(judges: tuple[Judge, ...], named: Mapping[str, Judge]) -> dict[str, Judge]:
    found: dict[str, Judge] = {}
    for name, judge in (*((name_of(judge), judge) for judge in judges), *named.items()):
        if name in found:
            raise UserError(f"Two of the judges are called {name!r}. Name one: all_of(..., again=judge).")
        found[name] = judge
    return found


def _composed(
    rule: Rule, judges: Mapping[str, Judge], weights: Mapping[str, float] | None = None, threshold: float = 0.5
) -> Composed | ComposedPrograms:
    if not judges:
        raise UserError("A judge of judges needs one at least.")
    kind = Composed if any(map(_waits, judges.values())) else ComposedPrograms
    return kind(rule, judges, weights or {}, threshold, merged(judges))


def _waits(judge: Judge) -> bool:
    return inspect.iscoroutinefunction(judge) or inspect.iscoroutinefunction(type(judge).__call__)


class _Members:
    """The judges of a judge, and how their scores become one."""

    def __init__(
        self, rule: Rule, judges: Mapping[str, Judge], weights: Mapping[str, float], threshold: float, hints: Hints
    ) -> None:
        self.rule = rule
        self.judges = dict(judges)
        self.weights = dict(weights)
        self.threshold = threshold
        self.__name__ = f"{rule}_of_{'_'.join(judges)}" if rule != "weighted" else "_".join(judges)
        self.__doc__ = f"{_RULES[rule]}: {', '.join(judges)}."
        self.__signature__ = signature_of(hints)
        self._reads = {name: tuple(hints_of(judge)) for name, judge in judges.items()}

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, as far as the judges can tell."""
        own = {name: getattr(judge, "fingerprint", None) for name, judge in self.judges.items()}
        members = [f"{name}:{tell()}" if callable(tell) else name for name, tell in own.items()]
        return digest(self.rule, repr(sorted(self.weights.items())), repr(self.threshold), *members).hex()

    async def _asked(self, given: Mapping[str, Any]) -> Score:
        scores: dict[str, Score] = {}
        for name, judge in self.judges.items():
            scores[name] = await _score(judge, name, {one: given[one] for one in self._reads[name]})
            if self.rule != "weighted" and scores[name].passed == (self.rule == "any"):
                break
        parts = {name: _part(scores[name]) if name in scores else NOT_ASKED for name in self.judges}
        return _JOINED[self.rule](self, scores, parts)

    def _all(self, scores: Mapping[str, Score], parts: Mapping[str, Any]) -> Score:
        last = list(scores.values())[-1]
        return Score(min(score.value for score in scores.values()), last.passed, parts, last.reason)

    def _any(self, scores: Mapping[str, Score], parts: Mapping[str, Any]) -> Score:
        last = list(scores.values())[-1]
        reason = f"none of {', '.join(self.judges)} accepts it"
        return Score(max(score.value for score in scores.values()), last.passed, parts, reason)

    def _weighted(self, scores: Mapping[str, Score], parts: Mapping[str, Any]) -> Score:
        total = math.fsum(self.weights.values())
        mean = math.fsum(self.weights[name] * score.value for name, score in scores.items()) / total
        value = min(max(mean, 0.0), 1.0)
        return Score(value, value >= self.threshold, parts, f"scored below {self.threshold:g}")


_JOINED: Mapping[Rule, Callable[[_Members, Mapping[str, Score], Mapping[str, Any]], Score]] = {
    "all": _Members._all,
    "any": _Members._any,
    "weighted": _Members._weighted,
}
_RULES: Mapping[Rule, str] = {"all": "All of", "any": "Any of", "weighted": "By the weighted mean of"}


class Composed(_Members):
    """Several judges, one of which waits for a model at least."""

    async def __call__(self, **given: Any) -> Score:
        return await self._asked(given)


class ComposedPrograms(_Members):
    """Several judges that wait for nothing; a step of theirs is worked on in any process."""

    def __call__(self, **given: Any) -> Score:
        return drive(self._asked(given))


async def _score(judge: Judge, name: str, given: Mapping[str, Any]) -> Score:
    try:
        verdict = judge(**given)
        if isinstance(verdict, Awaitable):
            verdict = await verdict
    except Drop as drop:
        return Score(0.0, False, {}, str(drop))
    score = verdict if isinstance(verdict, Score) else Score(float(bool(verdict)), bool(verdict))
    return score if score.passed or score.reason else replace(score, reason=bare_no(judge, name))


def _part(score: Score) -> dict[str, Any]:
    return dict(_told(score))


def _told(score: Score) -> Iterator[tuple[str, Any]]:
    yield "score", score.value
    yield "passed", score.passed
    if not score.passed:
        yield "reason", score.reason
    if score.parts:
        yield "parts", dict(score.parts)
