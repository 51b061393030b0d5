"""Evidence: what each field is worth, and why, worked out from the steps alone.

Nothing runs here. `trace` follows one straight line of steps and notes for each field what it rests on, what it is
about, which checks vouch for it and whether it is damaged; `Evidence.worth` weighs that. The rules are in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from retroweave.pipeline.layout import Layout
from retroweave.pipeline.pipeline import Family, Node, Over
from retroweave.pipeline.step import Step, fits
from retroweave.pipeline.worth import Worth

__all__ = ["Broken", "Check", "Evidence", "Fact", "trace"]

RULES = {
    1: "flow",
    2: "floor",
    3: "ground",
    4: "no damage is taught",
    5: "no leak",
    6: "no hidden context",
    7: "checks can fail",
    8: "licences add up",
    9: "no bad habit",
}


@dataclass(frozen=True)
class Broken:
    """A broken rule: which, at which step, for which field, and what would mend it."""

    rule: int
    step: str
    field: str | None
    problem: str
    mend: str

    def __str__(self) -> str:
        where = f"step {self.step!r}" + (f", field {self.field!r}" if self.field else "")
        return f"Rule {self.rule} ({RULES[self.rule]}), {where}: {self.problem} To mend it: {self.mend}"


class FlowBroken(Exception):
    """The line cannot be followed further."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(str(broken))
        self.broken = broken


@dataclass(frozen=True)
class Check:
    """One vote for a field: its strength, and the other fields that the vote rests on."""

    step: str
    strength: Worth
    oracle: frozenset[str]


@dataclass
class Fact:
    """What is known of a field before anything runs."""

    step: str
    move: str
    type: Any
    worth: Worth
    """What the step that made it is good for, at most."""
    support: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()
    ancestors: frozenset[str] = frozenset()
    damaged: bool = False
    checks: list[Check] = field(default_factory=list)
    read_by_checks: set[str] = field(default_factory=set)


class Evidence:
    """The facts of one line of steps."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self.facts = dict(facts)

    def __contains__(self, name: str) -> bool:
        return name in self.facts

    def __getitem__(self, name: str) -> Fact:
        return self.facts[name]

    def worth(self, name: str, seen: frozenset[str] = frozenset()) -> Worth:
        """The worth of a field: the greater of how it was made and what its checks say."""
        fact = self[name]
        seen |= {name}
        made = min([fact.worth, *(self._lends(other, seen) for other in fact.support)])
        return max(
            [
                made,
                *(
                    min([check.strength, *(self._vouches(other, name, seen) for other in check.oracle)])
                    for check in fact.checks
                ),
            ]
        )

    def _lends(self, name: str, seen: frozenset[str]) -> Worth:
        return Worth.prompted if name in seen else self.worth(name, seen)

    def _vouches(self, oracle: str, name: str, seen: frozenset[str]) -> Worth:
        """What an oracle's word is worth: its own worth, and at least `tested` if its origin is independent."""
        worth = self._lends(oracle, seen)
        return worth if self._kin(oracle, name) else max(worth, Worth.tested)

    def _kin(self, one: str, other: str) -> bool:
        """Whether one descends from the other, or both from one answer of a model."""
        first, second = self.origins(one), self.origins(other)
        if one in second or other in first or self[one].step == self[other].step != "given":
            return True
        return any(self[shared].move == "prompt" for shared in first & second)

    def origins(self, name: str) -> frozenset[str]:
        return self[name].ancestors | {name}

    def rests_on(self, name: str) -> frozenset[str]:
        """The field and all that it rests on, through any number of steps."""
        found = {name}
        queue = [name]
        while queue:
            for other in self[queue.pop()].support - found:
                found.add(other)
                queue.append(other)
        return frozenset(found)

    def unshown(self, name: str, shown: Iterable[str]) -> str | None:
        """The first thing that `name` makes a statement about and that no earlier turn shows, if any.

        What is shown itself will do, and so will a computed field that is itself about shown things. A model's words
        are grounded by what they are tied to, not by all that it was shown.
        """
        if self[name].move in ("prompt", "given", "family"):
            return None
        return self._unshown(name, frozenset(shown), frozenset())

    def _unshown(self, name: str, shown: frozenset[str], seen: frozenset[str]) -> str | None:
        fact = self[name]
        for other in sorted(fact.about - fact.support - shown - seen):
            behind = self[other]
            if behind.move == "family":
                continue  # the material that a choice was made from; what was made of it answers for itself
            if behind.damaged or behind.move in ("prompt", "given"):
                return other
            if deeper := self._unshown(other, shown, seen | {name}):
                return deeper
        return None

    def unchecked_damage(self, name: str, seen: frozenset[str] = frozenset()) -> str | None:
        """The damaged field that `name` speaks of with no check behind it, if any."""
        fact = self[name]
        if fact.checks or fact.move in ("prompt", "given") or name in seen:
            return None
        for other in sorted(fact.about | fact.support):
            if other in fact.about and self[other].damaged:
                return other
            if deeper := self.unchecked_damage(other, seen | {name}):
                return deeper
        return None

    def tied(self, shown: str, trained: str) -> bool:
        """Whether an untrained field has to do with the answer: kin, a sibling, or read by a check of it."""
        fact = self[trained]
        if trained in self[shown].ancestors:
            return True
        makers = fact.ancestors | fact.read_by_checks | {trained}
        return any(shown == maker or self[shown].step == self[maker].step for maker in makers if maker in self)


def trace(given: Mapping[str, Any], line: Sequence[Node]) -> Evidence:
    """Follow a line of steps. Raises `FlowBroken` at the first read or write that cannot be."""
    evidence = Evidence({name: Fact("given", "given", hint, Worth.given) for name, hint in given.items()})
    steps: dict[str, Step] = {}
    _follow(line, evidence, steps)
    return evidence


def _follow(line: Sequence[Node], evidence: Evidence, steps: dict[str, Step]) -> None:
    for node in line:
        if isinstance(node, Step):
            if steps.setdefault(node.name, node) is not node:
                problem = "two steps on one line have this name."
                mend = "give one of them a name of its own, name=...; random numbers and ids hang on it."
                raise FlowBroken(Broken(1, node.name, None, problem, mend))
            _read(node, evidence)
            _write(node, evidence)
            _vote(node, evidence)
        elif isinstance(node, Family):
            _fold(node, evidence, steps)
        elif isinstance(node, Over):
            _unfold(node, evidence)


def _read(step: Step, evidence: Evidence) -> None:
    for name in step.reads.values():
        if name not in evidence:
            there = ", ".join(sorted(evidence.facts))
            problem = f"it reads {name!r}, which no earlier step writes; there is {there}."
            mend = (
                "write the field first, or name the parameter like a field that is there, or rename it with "
                'reads={"parameter": "field"}.'
            )
            raise FlowBroken(Broken(1, step.name, name, problem, mend))
        found, expected = evidence[name].type, step.types.get(name, Any)
        if not fits(found, expected):
            writer = evidence[name].step
            problem = f"it reads {name!r} as {_type(expected)}, but {writer!r} writes it as {_type(found)}."
            raise FlowBroken(Broken(1, step.name, name, problem, "make the two type hints agree."))


def _write(step: Step, evidence: Evidence) -> None:
    reads = frozenset(step.reads.values())
    support = reads - step.about
    tainted = step.move != "prompt" and any(evidence[name].damaged for name in support)
    for name, hint in zip(step.writes, step.returns, strict=True):
        if name in evidence:
            problem = f"it writes {name!r}, which {evidence[name].step!r} wrote already."
            raise FlowBroken(Broken(1, step.name, name, problem, "give the new field a name of its own."))
        is_log = step.into is not None and name != step.into
        evidence.facts[name] = Fact(
            step.name,
            step.move,
            hint,
            step.strength,
            support=support,
            about=step.about | ({step.into} if is_log and step.into else set()),
            ancestors=reads.union(*(evidence[read].ancestors for read in reads)),
            damaged=tainted or name == step.into,
        )


def _vote(step: Step, evidence: Evidence) -> None:
    reads = frozenset(step.reads.values())
    for name in step.raises:
        if name not in reads:
            problem = f"it raises {name!r} without reading it."
            mend = f"let the function take {name!r} as a parameter and look at it, or raise a field that it reads."
            raise FlowBroken(Broken(1, step.name, name, problem, mend))
        evidence[name].checks.append(Check(step.name, step.strength, reads - step.about - {name}))
        evidence[name].read_by_checks |= reads


def _fold(node: Family, evidence: Evidence, steps: dict[str, Step]) -> None:
    for inner in node.steps:
        if isinstance(inner, Layout):
            problem = f"the layout {inner.name!r} stands inside the family."
            raise FlowBroken(Broken(1, node.name, None, problem, "put the layout after the family."))
    before = set(evidence.facts)
    _follow(node.steps, evidence, steps)
    if node.into is None:
        return
    if node.into in evidence:
        problem = f"it folds into {node.into!r}, which stands already."
        raise FlowBroken(Broken(1, node.name, node.into, problem, "name another field."))
    members = {name: f"{node.into}.{name}" for name in set(evidence.facts) - before}
    for name, member in members.items():
        evidence.facts[member] = _renamed(evidence.facts[name], members)
    for name in members:
        del evidence.facts[name]
    inside = members.values()
    evidence.facts[node.into] = Fact(
        node.name,
        "family",
        list,
        Worth.proved,
        support=frozenset(inside),
        ancestors=frozenset(inside).union(*(evidence[member].ancestors for member in inside)),
        damaged=any(evidence[member].damaged for member in inside),
    )


def _unfold(node: Over, evidence: Evidence) -> None:
    members = {
        name: name.removeprefix(f"{node.table}.") for name in evidence.facts if name.startswith(f"{node.table}.")
    }
    if not members:
        problem = f"{node.table!r} is no family's field."
        mend = f"fold a family into it before: family(..., into={node.table!r})."
        raise FlowBroken(Broken(1, node.name, node.table, problem, mend))
    for member, name in members.items():
        evidence.facts[name] = _renamed(evidence[member], members)


def _renamed(fact: Fact, names: Mapping[str, str]) -> Fact:
    def moved(fields: Iterable[str]) -> frozenset[str]:
        return frozenset(names.get(name, name) for name in fields)

    return replace(
        fact,
        support=moved(fact.support),
        about=moved(fact.about),
        ancestors=moved(fact.ancestors),
        checks=[replace(check, oracle=moved(check.oracle)) for check in fact.checks],
        read_by_checks=set(moved(fact.read_by_checks)),
    )


def _type(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not getattr(hint, "__args__", ()) else str(hint)
