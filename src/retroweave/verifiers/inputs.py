"""A search for inputs that reach all of a function: guess, call, learn, change what was good, and call again.

Coverage-guided mutation, as fuzzers do it (American Fuzzy Lop; "The Fuzzing Book", Zeller et al.), over values that the
function's parameters probably take. Kinds that make it return gain weight. The search ends when all is reached and
enough calls are at hand, when nothing new comes, or when its calls are used up. What looks odd is then made plainer, as
long as it reaches the same. All of it hangs on the random numbers that it is given and on nothing else, the clock least
of all.

What the function returns is noted and not judged: that is for `suites`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from retroweave.pipeline.sandbox import Call, Limits, Outcome, Sandbox
from retroweave.verifiers.branches import Branches, Goal
from retroweave.verifiers.kinds import changed, drawn, related
from retroweave.verifiers.oddness import oddness, plainer
from retroweave.verifiers.parameters import Parameter, Signature
from retroweave.verifiers.plain import Unprintable, call_text, printed

__all__ = ["LIMITS", "Effort", "Found", "Search", "settled"]

_Drawn = tuple[Call, list[int]]
"""A call, and which of its parameter's kinds each argument was drawn from."""

LIMITS = Limits(steps=100_000)
"""A test that runs longer is no small one; but to compile a regular expression may take half of it."""
LONGEST_OUTPUT = 400
"""Characters of the value that a test compares with."""
LONGEST_CALL = 240
_COMFORTABLE = 50
_NOISE = re.compile(r"\d\.\d{9,}|\de-\d\d")
"""A number that is what rounding made of it: nobody would write it down."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many calls a search may make."""

    calls: int = 4_000
    without_result: int = 600
    """After so many calls of which none returned it is given up."""
    without_news: int = 2_000
    """After so many calls that reached nothing new it is given up."""
    batch: int = 48
    enough: int = 32
    """So many usable calls are wanted, beyond those that reach all."""
    rounds: int = 3
    """How often plainer calls are looked for that reach the same, each time with a batch."""


@dataclass(frozen=True, slots=True)
class Found:
    """A call that can be a test."""

    call: Call
    text: str
    """The call as source."""
    value: str
    """What it returned, as source, or the exception's name."""
    outcome: Outcome
    reached: frozenset[Goal]

    strangeness: int
    """How little the arguments look like what a person would pass."""

    @property
    def result(self) -> str:
        """All that came of it, the changed arguments too, as one text."""
        after = (self.outcome.args, self.outcome.kwargs)
        return self.value if after == (None, None) else f"{self.value} and {after!r}"

    @property
    def cost(self) -> int:
        """How hard it is to read; what is short enough is not made better by being shorter."""
        long = max(0, len(self.text) - _COMFORTABLE) + max(0, len(self.value) - _COMFORTABLE) // 2
        return long + 5 * len(_NOISE.findall(self.value)) + self.strangeness


def settled(call: Call, outcome: Outcome) -> Outcome:
    """The outcome, with arguments only where they are others than before: equal ones of the same types are the same."""
    try:
        args = None if outcome.args is None or printed(outcome.args) == printed(call.args) else outcome.args
        named = None if outcome.kwargs is None else dict(outcome.kwargs)
        kwargs = None if named is None or printed(named) == printed(dict(call.kwargs)) else named
    except Unprintable:
        return outcome
    return replace(outcome, args=args, kwargs=kwargs)


@dataclass
class Search:
    """Inputs for one function."""

    signature: Signature
    branches: Branches
    rng: Random
    effort: Effort = field(default_factory=Effort)
    found: list[Found] = field(default_factory=list)
    """The usable calls, in the order in which they were made; no two alike."""
    calls: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Why calls cannot be tests."""
    missing: set[Goal] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.missing = set(self.branches.goals)
        self._seen: set[str] = set()
        self._corpus: list[Found] = []
        self._news = 0
        kinds = [len(parameter.kinds) for parameter in self.signature.parameters]
        literals = self.signature.literals
        self._own = [*literals[str], *(one.decode("latin-1") for one in literals[bytes])]
        self._good = [[1.0] * count for count in kinds]
        self._tried = [[2.0] * count for count in kinds]

    def run(self, sandbox: Sandbox) -> None:
        """Raises `SandboxFailed`."""
        while not self._is_over():
            batch = self._batch()
            if not batch:
                break
            self._make(batch, sandbox)
        if not self.missing:
            for _ in range(self.effort.rounds):
                self._make(self._plainer(), sandbox)

    def _make(self, batch: Sequence[_Drawn], sandbox: Sandbox) -> None:
        calls = [call for call, _ in batch]
        if not calls:
            return
        outcomes, coverages = sandbox.covered(self.branches.text, self.signature.name, calls, LIMITS)
        for (call, kinds), given, coverage in zip(batch, outcomes, coverages, strict=True):
            outcome = settled(call, given)
            self.calls += 1
            self._learn(kinds, outcome)
            problem = self._problem(call, outcome)
            if problem:
                self.refused[problem] += 1
            else:
                self._keep(call, outcome, self.branches.reached(coverage, outcome))

    def _is_over(self) -> bool:
        if not self.missing and len(self.found) >= self.effort.enough:
            return True
        used = self.calls
        return (
            used >= self.effort.calls
            or (not self.found and used >= self.effort.without_result)
            or used - self._news >= (self.effort.without_news if self.missing else 4 * self.effort.batch)
        )

    def _learn(self, kinds: Sequence[int], outcome: Outcome) -> None:
        """A kind is good where calls with it return, or raise what they were meant to."""
        good = outcome.ended == "returned" or self.branches.is_meant(outcome)
        for place, kind in enumerate(kinds):
            if kind >= 0:
                self._good[place][kind] += good
                self._tried[place][kind] += 1

    def _problem(self, call: Call, outcome: Outcome) -> str:
        """Why this call cannot be a test; nothing where it can."""
        if outcome.ended == "raised":
            return "" if self.branches.is_meant(outcome) else "accidental exception"
        if outcome.ended != "returned":
            return f"limit: {outcome.ended}"
        if not outcome.plain:
            return "output is not plain"
        if outcome.printed:
            return "prints"
        try:
            long = len(printed(outcome.value)) > LONGEST_OUTPUT
            printed(outcome.args or ())
            printed(dict(outcome.kwargs or {}))
        except Unprintable as error:
            return f"output {error}"
        return "output is too long" if long else ""

    def _keep(self, call: Call, outcome: Outcome, reached: frozenset[Goal]) -> None:
        value = printed(outcome.value) if outcome.ended == "returned" else outcome.error
        text = call_text(self.signature.name, call.args, call.kwargs)
        one = Found(call, text, value, outcome, reached, self._strangeness(call))
        self.found.append(one)
        if not self.missing.isdisjoint(reached):
            self.missing -= reached
            self._corpus.append(one)
            self._news = self.calls

    def _strangeness(self, call: Call) -> int:
        if call in self.signature.examples:
            return 0
        given = zip(self.signature.parameters, call.args, strict=False)
        unlikely = sum(1 - parameter.likelihood(value) for parameter, value in given)
        looks = sum(oddness(one, self._own) for one in (*call.args, *call.kwargs.values()))
        return round(40 * unlikely) + 2 * looks

    def _plainer(self) -> list[_Drawn]:
        """Calls like the plainest that reach this or that, in which something is plainer still."""
        plainest: dict[frozenset[Goal], Found] = {}
        for one in sorted(self.found, key=lambda one: one.cost):
            plainest.setdefault(one.reached, one)
        odd = [one for one in plainest.values() if one.cost]
        wanted = self.effort.batch if odd else 0
        return self._new(((_simpler(self.rng.choice(odd).call, self.rng), []) for _ in range(4 * wanted)), wanted)

    def _batch(self) -> list[_Drawn]:
        """Calls that were not made before, with the kinds of their arguments; few at first, for many need no more."""
        wanted = self.effort.batch if self.calls else self.effort.batch // 2
        examples: list[_Drawn] = [(call, []) for call in self.signature.examples] if not self.calls else []
        return self._new(self._candidates(examples, 6 * wanted), wanted)

    def _new(self, candidates: Iterable[_Drawn], wanted: int) -> list[_Drawn]:
        """As many as are wanted of calls that were not made before, and that are short."""
        batch: list[_Drawn] = []
        for call, kinds in candidates:
            try:
                text = call_text("", call.args, call.kwargs)
            except Unprintable:
                continue  # a literal of the source may be no value for a test
            if len(text) <= LONGEST_CALL and text not in self._seen:
                self._seen.add(text)
                batch.append((call, kinds))
                if len(batch) == wanted:
                    break
        return batch

    def _candidates(self, examples: list[_Drawn], most: int) -> Iterator[_Drawn]:
        yield from examples
        for _ in range(most):
            if self._corpus and self.rng.random() < 0.5:
                yield self._changed(), []
            else:
                yield self._drawn()

    def _drawn(self) -> _Drawn:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        kinds: list[int] = []
        for place, parameter in enumerate(self.signature.parameters):
            if parameter.optional and self.rng.random() < 0.4:
                if not parameter.keyword:
                    break  # what comes after it by position is optional too
                kinds.append(-1)
                continue
            kind = self._kind(place, parameter)
            kinds.append(kind)
            value = self._value(place, kind, [*args, *kwargs.values()])
            if parameter.keyword:
                kwargs[parameter.name] = value
            else:
                args.append(value)
        more = self.signature.more
        if more and not kwargs and len(args) == len(kinds) and self.rng.random() < 0.7:
            weights = [weight for _, weight in more]
            further = self.rng.choices(more, weights)[0][0]
            args += [drawn(further, self.rng, self.signature.literals) for _ in range(self.rng.choice((1, 2, 2, 3, 4)))]
        return Call(tuple(args), kwargs), kinds

    def _kind(self, place: int, parameter: Parameter) -> int:
        good, tried = self._good[place], self._tried[place]
        weights = [weight * good[at] / tried[at] for at, (_, weight) in enumerate(parameter.kinds)]
        return self.rng.choices(range(len(weights)), weights)[0]

    def _value(self, place: int, kind: int, others: list[Any]) -> Any:
        wanted = self.signature.parameters[place].kinds[kind][0]
        if others and self.rng.random() < 0.2:
            value = related(wanted, others, self.rng, self.signature.literals)
            if value is not None:
                return value
        return drawn(wanted, self.rng, self.signature.literals)

    def _changed(self) -> Call:
        """A good call with one argument changed or two, or with arguments of another good call."""
        # What reached something last is nearest to what is still missing.
        one = self._corpus[-1] if self.rng.random() < 0.4 else self.rng.choice(self._corpus)
        args, kwargs = list(one.call.args), dict(one.call.kwargs)
        if self.rng.random() < 0.15:
            other = self.rng.choice(self._corpus).call
            args = [self.rng.choice(pair) for pair in zip(args, other.args, strict=False)]
            args += list(one.call.args)[len(args) :]
            return Call(tuple(args), kwargs | dict(other.kwargs))
        places: list[int | str] = [*range(len(args)), *kwargs]
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            if not places:
                break
            place = self.rng.choice(places)
            target: Any = kwargs if isinstance(place, str) else args
            if isinstance(place, int) and place < len(self.signature.parameters) and self.rng.random() < 0.1:
                kind = self._kind(place, self.signature.parameters[place])
                args[place] = self._value(place, kind, [*args, *kwargs.values()])
            else:
                target[place] = changed(target[place], self.rng, self.signature.literals)
        return Call(tuple(args), kwargs)


def _simpler(call: Call, rng: Random) -> Call:
    """The call with one argument made plainer, or two, or without one that is given by name."""
    args, kwargs = list(call.args), dict(call.kwargs)
    places: list[int | str] = [*range(len(args)), *kwargs]
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 2)))):
        if isinstance(place, int):
            args[place] = plainer(args[place], rng)
        elif rng.random() < 0.3:
            del kwargs[place]
        else:
            kwargs[place] = plainer(kwargs[place], rng)
    return Call(tuple(args), kwargs)
