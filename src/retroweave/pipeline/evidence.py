"""Evidence: what each field is worth, and why, worked out from the steps alone.

Nothing runs here. `trace` follows one straight line of steps and notes for each field what it rests on, what it is
about, which checks vouch for it and whether it is damaged; `Evidence.worth` weighs that. The rules are in `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from retroweave.pipeline.errors import nearest
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


GIVEN = "given"
"""What stands for a step where a field comes from the source; no step may be called so."""


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
    about: frozenset[str]
    """What the vote is a statement about: it vouches for the field beside these, and for nothing without them."""


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
    hidden: bool = False
    """Whether only the generator may see it."""
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

    @property
    def fields(self) -> list[str]:
        """The fields that a row has by name: members of a family are none until they are unfolded."""
        return sorted(name for name in self.facts if "." not in name)

    def worth(self, name: str) -> Worth:
        """The worth of a field: the greater of how it was made and what its checks say."""
        return self._worths()[name]

    def _worths(self) -> dict[str, Worth]:
        """Every field's worth, raised from the bottom until nothing changes: a ring that vouches for itself stays."""
        worths = dict.fromkeys(self.facts, Worth.prompted)
        while True:
            raised = {name: self._weighed(name, worths) for name in worths}
            if raised == worths:
                return worths
            worths = raised

    def _weighed(self, name: str, worths: Mapping[str, Worth]) -> Worth:
        fact = self[name]
        made = min([fact.worth, *(worths[other] for other in fact.support)])
        votes = [
            min([check.strength, *(self._vouches(other, name, worths) for other in check.oracle)])
            for check in fact.checks
        ]
        return max([made, *votes])

    def _vouches(self, oracle: str, name: str, worths: Mapping[str, Worth]) -> Worth:
        """What an oracle's word is worth: its own worth, and at least `tested` if its origin is independent.

        What was made from the field, or is known to be wrong, says nothing for it.
        """
        if self[oracle].damaged or name in self.origins(oracle):
            return Worth.prompted
        return worths[oracle] if self._kin(oracle, name) else max(worths[oracle], Worth.tested)

    def _kin(self, oracle: str, name: str) -> bool:
        """Whether both come from one step, or from one answer of a model, which either of them may be."""
        if self[oracle].step == self[name].step != GIVEN:
            return True
        return any(self[shared].worth == Worth.prompted for shared in self.origins(oracle) & self.origins(name))

    def origins(self, name: str) -> frozenset[str]:
        return self[name].ancestors | {name}

    def rests_on(self, name: str) -> frozenset[str]:
        """The field and all that it rests on, through any number of steps."""
        return self._closure(name, lambda fact: fact.support)

    def may_copy(self, name: str) -> frozenset[str]:
        """The field and all whose text a program may have carried into it; a model's answer is its own."""
        return self._closure(name, lambda fact: frozenset() if fact.move == "prompt" else fact.about | fact.support)

    def _closure(self, name: str, onward: Callable[[Fact], frozenset[str]]) -> frozenset[str]:
        found = {name}
        queue = [name]
        while queue:
            new = onward(self[queue.pop()]) - found
            found |= new
            queue += new
        return frozenset(found)

    def unshown(self, name: str, shown: Iterable[str]) -> str | None:
        """The first thing that `name`, or what it rests on, makes a statement about and that no earlier turn shows.

        A model's words are grounded by what they are tied to, not by all that it was shown. A corruption's log is about
        the damage; a family's table or a program's product that it chose from is its material.
        """
        fact = self[name]
        if fact.move in ("prompt", "given"):
            return None
        visible = frozenset(shown)
        for other in sorted(fact.about - fact.support):
            if unseen := self._unseen(other, visible, material=fact.move == "corrupt"):
                return unseen
        return next(filter(None, (self.unshown(other, visible) for other in sorted(fact.support - visible))), None)

    def _unseen(self, name: str, shown: frozenset[str], material: bool = False) -> str | None:
        """What is missing to see `name`: nothing if it is shown itself, or made of, into or beside what is shown."""
        fact = self[name]
        if name in shown or self._held_by(name, shown):
            return None
        if (fact.damaged and fact.move != "family") or fact.move in ("prompt", "given"):
            return name
        if fact.about:
            return next(filter(None, (self._unseen(other, shown, material) for other in sorted(fact.about))), None)
        programs = [self[other] for other in shown if self[other].move == "compute"]
        if material or any(name in other.support or other.step == fact.step for other in programs):
            return None
        return None if fact.support and fact.support <= shown else name

    def _held_by(self, name: str, shown: frozenset[str]) -> bool:
        """Whether damaged text stands in something that is shown, as a proof says: in a listing of the file, say."""
        made_of_it = (self[other] for other in shown if self[name].damaged and name in self[other].support)
        checks = (check for other in made_of_it for check in other.checks)
        return any(check.strength == Worth.proved and name in check.oracle for check in checks)

    def unseen_by_checks(self, name: str, shown: Iterable[str]) -> tuple[str, str] | None:
        """A check that `name` owes its worth to, and what it is about that no earlier turn shows, if any."""
        visible = frozenset(shown)
        for owed in sorted(self._closure(name, lambda fact: fact.support.union(*(c.oracle for c in fact.checks)))):
            for check in self[owed].checks:
                for other in sorted(check.about):
                    if unseen := self._unseen(other, visible):
                        return check.step, unseen
        return None

    def unchecked_damage(self, name: str) -> str | None:
        """The damaged field that `name` speaks of with no check behind it, if any.

        A check that looks neither at the damage nor at what was damaged is none.
        """
        fact = self[name]
        for other in sorted(fact.about | fact.support):
            spoken = other in fact.about
            if spoken and self[other].move == "prompt":
                continue  # what is said of a model's words is not said of all that it was shown
            damaged = other if spoken and self[other].damaged else self.unchecked_damage(other)
            if damaged and not fact.read_by_checks & self.origins(damaged):
                return damaged
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
    evidence = Evidence({name: Fact(GIVEN, "given", hint, Worth.given) for name, hint in given.items()})
    _follow(line, evidence, {}, frozenset())
    return evidence


def _follow(line: Sequence[Node], evidence: Evidence, named: dict[str, Node], outside: frozenset[str]) -> None:
    """Follow the steps of a pipeline, or of a family; `outside` are the fields that stood before the family."""
    for node in line:
        if isinstance(node, (Step, Family)) and (named.setdefault(node.name, node) is not node or node.name == GIVEN):
            problem = "two steps on one line have this name." if node.name != GIVEN else "this is the source's name."
            mend = "give one of them a name of its own, name=...; random numbers and ids hang on it."
            raise FlowBroken(Broken(1, node.name, None, problem, mend))
        if isinstance(node, Step):
            _read(node, evidence)
            _write(node, evidence)
            _vote(node, evidence, outside)
        elif isinstance(node, Family):
            _fold(node, evidence, named)
        elif isinstance(node, Over):
            _unfold(node, evidence)


def _meant(name: str, evidence: Evidence) -> str:
    meant = nearest(name, evidence.fields)
    return f"{meant} Else " if meant.startswith("Did you mean") else ""


_SERVICES = {
    "rng": "annotate the parameter, rng: random.Random, and it is handed the row's random numbers.",
    "side": "annotate the parameter, side: Side, and it is handed the row's side of the split.",
}
"""What mends the read of a name that the engine would hand in, if only its type were given."""


def _read(step: Step, evidence: Evidence) -> None:
    for name in step.reads.values():
        if name not in evidence:
            there = ", ".join(evidence.fields)
            problem = f"it reads {name!r}, which no earlier step writes; there is {there}."
            mend = _SERVICES.get(name) or (
                f"{_meant(name, evidence)}write the field first, or name the parameter like a field that is there, or "
                'rename it with reads={"parameter": "field"}.'
            )
            raise FlowBroken(Broken(1, step.name, name, problem, mend))
        found, expected = evidence[name].type, step.types.get(name, Any)
        if not fits(found, expected):
            writer = evidence[name].step
            problem = f"it reads {name!r} as {_type(expected)}, but {writer!r} writes it as {_type(found)}."
            raise FlowBroken(Broken(1, step.name, name, problem, "make the two type hints agree."))
    for name in sorted(step.hidden):
        if name not in step.reads.values():
            problem = f"it hides {name!r}, which it does not read."
            mend = "let the function take it as a parameter, or take it out of hidden=...."
            raise FlowBroken(Broken(1, step.name, name, problem, mend))
        evidence[name].hidden = True


def _write(step: Step, evidence: Evidence) -> None:
    reads = frozenset(step.reads.values())
    support = reads - step.about
    tainted = any(evidence[name].damaged for name in support)
    for name, hint in zip(step.writes, step.returns, strict=True):
        if name in evidence:
            problem = f"it writes {name!r}, which {evidence[name].step!r} wrote already."
            raise FlowBroken(Broken(1, step.name, name, problem, "give the new field a name of its own."))
        if name == step.plain:  # a program writes it, whatever the model answers
            made_of = step.plain_reads
            evidence.facts[name] = Fact(
                step.name,
                "compute",
                str,
                Worth.tested,
                support=made_of,
                ancestors=made_of.union(*(evidence[read].ancestors for read in made_of)),
                damaged=any(evidence[read].damaged for read in made_of),
            )
            continue
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


def _vote(step: Step, evidence: Evidence, outside: frozenset[str]) -> None:
    reads = frozenset(step.reads.values())
    for name in step.raises:
        if name not in reads:
            problem = f"it raises {name!r} without reading it."
            mend = f"let the function take {name!r} as a parameter and look at it, or raise a field that it reads."
            raise FlowBroken(Broken(1, step.name, name, problem, mend))
        if name in outside:
            problem = (
                f"it raises {name!r}, which stands outside of the family: members that it rejects are drawn again."
            )
            raise FlowBroken(Broken(1, step.name, name, problem, "move the check behind the family."))
        evidence[name].checks.append(Check(step.name, step.strength, reads - step.about - {name}, step.about - {name}))
        evidence[name].read_by_checks |= reads


def _fold(node: Family, evidence: Evidence, named: dict[str, Node]) -> None:
    for inner in node.steps:
        if isinstance(inner, Layout):
            problem = f"the layout {inner.name!r} stands inside the family."
            raise FlowBroken(Broken(1, node.name, None, problem, "put the layout after the family."))
    before = frozenset(evidence.facts)
    _follow(node.steps, evidence, named, outside=before)
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
        if name in evidence:
            problem = f"it unfolds {name!r}, which {evidence[name].step!r} wrote already."
            raise FlowBroken(Broken(1, node.name, name, problem, "give one of the two fields a name of its own."))
        evidence.facts[name] = _renamed(evidence[member], members)


def _renamed(fact: Fact, names: Mapping[str, str]) -> Fact:
    def moved(fields: Iterable[str]) -> frozenset[str]:
        return frozenset(names.get(name, name) for name in fields)

    return replace(
        fact,
        support=moved(fact.support),
        about=moved(fact.about),
        ancestors=moved(fact.ancestors),
        checks=[replace(check, oracle=moved(check.oracle), about=moved(check.about)) for check in fact.checks],
        read_by_checks=set(moved(fact.read_by_checks)),
    )


def _type(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not getattr(hint, "__args__", ()) else str(hint)
