"""What a function does with an argument, and what that says of its kind.

Methods that are called on it, operators, comparisons, loops, functions and helpers that it is passed to: each votes. Of
an argument that holds others the members are looked at likewise.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retroweave.verifiers.annotations import CONTAINERS
from retroweave.verifiers.kinds import ANY, Kind
from retroweave.verifiers.likelihoods import (
    FLAVOURS,
    HAVING,
    LIKELY,
    MATCHING,
    NAMES,
    NUMBERS,
    PASSED,
    PASSED_TO_LIBRARY,
    SAME_TYPE,
    TAKES_TEXT,
    TYPES,
    WRAPPING,
)
from retroweave.verifiers.reading import ABSENT, Reader, last_name, literal

__all__ = ["Evidence", "observe"]

_DEEPEST = 3


def observe(reader: Reader, function: ast.FunctionDef, name: str) -> Evidence:
    """What a function of a source does with the argument of this name."""
    evidence = Evidence()
    _Observer(reader, function, _Subject({name}), evidence).observe()
    return evidence


@dataclass
class _Subject:
    """An argument, or the members of one: by the names that it has in the function."""

    names: set[str]
    of: _Subject | None = None
    """Whose members these are."""

    def is_meant(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Subscript):
            if isinstance(node.slice, ast.Slice):
                return self.is_meant(node.value)
            return self.of is not None and self.of.is_meant(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAME_TYPE:
            return self.is_meant(node.func.value)
        return isinstance(node, ast.BoolOp) and any(self.is_meant(one) for one in node.values)


@dataclass
class Evidence:
    """What speaks for a kind of an argument."""

    votes: Counter[str] = field(default_factory=Counter)
    """For kinds by name, and for flavours of strings."""
    members: Evidence | None = None
    keys: list[Any] = field(default_factory=list)
    choices: list[Any] = field(default_factory=list)
    width: int = 0
    """Of a tuple that is unpacked."""

    def vote(self, votes: Mapping[str, float], weight: float = 1.0) -> None:
        for name, count in votes.items():
            self.votes[name] += weight * count  # type: ignore[assignment]

    def see_value(self, value: Any, weight: float) -> None:
        """The argument is compared with this one."""
        name = "none" if value is None else type(value).__name__
        self.vote({name: weight})
        if value is not None and not isinstance(value, list | dict | set) and value not in self.choices:
            self.choices.append(value)

    def see_default(self, value: Any) -> None:
        self.vote({"none" if value is None else type(value).__name__: 2 if value is None else 6})

    def see_name(self, name: str) -> None:
        for pattern, votes in NAMES:
            if re.search(pattern, name):
                # What a name says is worth less where the body has said much.
                self.vote(votes, 2.0 if sum(self.votes.values()) < 6 else 1.0)
                return

    def kinds(self, depth: int = 0) -> tuple[tuple[Kind, float], ...]:
        """The kinds for which something speaks, with a little for the usual ones, and weights that sum up to 1."""
        votes = Counter(self.votes)
        for kind in ANY[:3]:
            votes[kind.name] += 0.15  # type: ignore[assignment]
        if len(self.choices) > 1:
            votes["choice"] += sum(votes.values()) * 0.4  # type: ignore[assignment]
        likeliest = sorted(votes.items(), key=lambda item: (-item[1], item[0]))[:8]
        total = sum(count for _, count in likeliest)
        # A kind for each sort of members: which of them the function takes is what is to be learnt.
        return tuple(
            (kind, count / total * share) for name, count in likeliest for kind, share in self._kinds(name, depth)
        )

    def _kinds(self, name: str, depth: int) -> list[tuple[Kind, float]]:
        if name not in ("list", "tuple", "set", "frozenset", "dict"):
            return [(self._kind(name), 1.0)]
        members = self._members(depth)
        width = self.width if name == "tuple" else 0
        keys = tuple(self.keys) if name == "dict" else ()
        flavour = "" if width else "many"
        found = [(Kind(name, (kind,) * (width or 1), keys, flavour), weight * 0.9) for kind, weight in members]
        kinds = tuple(kind for kind, _ in members)
        if len(kinds) > 1:
            mixed = (kinds * width)[:width] if width else kinds
            found.append((Kind(name, mixed, keys, flavour), 0.1))
        return found

    def _kind(self, name: str) -> Kind:
        if name == "choice":
            return Kind("choice", values=tuple(self.choices))
        if name in TYPES or name in ("none", "bool"):
            return Kind(name)
        return Kind("int", flavour=name) if name == "index" else Kind("str", flavour=FLAVOURS.get(name, name))

    def _members(self, depth: int) -> list[tuple[Kind, float]]:
        if self.members is None or depth >= _DEEPEST:
            return [(kind, 0.5) for kind in ANY[:2]]
        found = [one for one in self.members.kinds(depth + 1) if one[1] >= 0.04][:5]
        total = sum(weight for _, weight in found)
        return [(kind, weight / total) for kind, weight in found]


class _Observer:
    """Looks at all that a function does with a subject."""

    def __init__(
        self, reader: Reader, function: ast.FunctionDef, subject: _Subject, evidence: Evidence, depth: int = 0
    ) -> None:
        self.reader = reader
        self.function = function
        self.subject = subject
        self.evidence = evidence
        self.depth = depth
        self.unpacked: list[str] = []
        """The names that each member is taken apart into."""

    def observe(self) -> None:
        nodes = [node for part in self.function.body for node in ast.walk(part)]
        self._find_aliases(nodes)
        members = _Subject(set(), self.subject)
        for node in nodes:
            look = getattr(self, f"_see_{type(node).__name__}", None)
            if look is not None:
                look(node, members)
        if self.depth < _DEEPEST and (members.names or _has_members(self.evidence)):
            found = self.evidence.members = self.evidence.members or Evidence()
            if self.unpacked:
                self._see_unpacked(found)
            else:
                _Observer(self.reader, self.function, members, found, self.depth + 1).observe()

    def _see_unpacked(self, found: Evidence) -> None:
        """The members are taken apart into names: they are tuples."""
        found.vote({"tuple": 6})
        found.width = len(self.unpacked)
        found.members = Evidence()
        _Observer(self.reader, self.function, _Subject(set(self.unpacked)), found.members, self.depth + 2).observe()

    def _find_aliases(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.Assign) and self.subject.is_meant(node.value):
                self.subject.names |= {target.id for target in node.targets if isinstance(target, ast.Name)}

    def _is_it(self, node: ast.AST | None) -> bool:
        return node is not None and self.subject.is_meant(node)

    def _see_Attribute(self, node: ast.Attribute, members: _Subject) -> None:
        if self._is_it(node.value):
            having = HAVING.get(node.attr, [])
            self.evidence.vote({name: LIKELY.get(name, 0.3) for name in having}, 3 / max(1, len(having)))

    def _see_Subscript(self, node: ast.Subscript, members: _Subject) -> None:
        if self._is_it(node.slice):
            self._index_of(node.value)
        if not self._is_it(node.value):
            return
        key = literal(node.slice)
        if isinstance(node.slice, ast.Slice):
            self.evidence.vote({"str": 1.5, "list": 1.5, "tuple": 0.5, "bytes": 0.4})
        elif isinstance(key, str):
            self.evidence.vote({"dict": 4})
            self.evidence.keys += [key] if key not in self.evidence.keys else []
        elif isinstance(key, int):
            self.evidence.vote({"list": 1.5, "str": 1, "tuple": 1})
        elif isinstance(node.ctx, ast.Load):
            self.evidence.vote({"list": 1.5, "str": 0.8, "dict": 0.8})
        else:
            self.evidence.vote({"list": 1.5, "dict": 1.5})

    def _index_of(self, node: ast.expr) -> None:
        """It is looked up in a table of the source, whose keys are then what it may be, or in another argument."""
        table = self.reader.constants.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(table, dict) and table:
            for key in list(table)[:20]:
                self.evidence.see_value(key, 0.5)
        else:
            self.evidence.vote({"int": 1, "index": 1, "str": 0.5})

    def _see_Compare(self, node: ast.Compare, members: _Subject) -> None:
        sides = [node.left, *node.comparators]
        for place, sign in enumerate(node.ops):
            left, right = sides[place], sides[place + 1]
            if self._is_it(left):
                self._compared(sign, right)
            if self._is_it(right):
                self._contains(left) if isinstance(sign, ast.In | ast.NotIn) else self._compared(sign, left)

    def _compared(self, sign: ast.cmpop, other: ast.expr) -> None:
        value = literal(other)
        if value is ABSENT and isinstance(other, ast.Name):
            value = self.reader.constants.get(other.id, ABSENT)
        if value is ABSENT:
            if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                self.evidence.vote({"int": 1, "float": 0.5})
        elif isinstance(sign, ast.In | ast.NotIn):
            for one in list(value)[:20] if isinstance(value, str | tuple | list | set | dict | frozenset) else ():
                self.evidence.see_value(one, 1)
        elif isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            self.evidence.vote({type(value).__name__: 3, "float" if isinstance(value, int) else "int": 1})
        else:
            self.evidence.see_value(value, 2)

    def _contains(self, other: ast.expr) -> None:
        value = literal(other)
        if isinstance(value, str):
            self.evidence.vote({"str": 2, "list": 0.7, "dict": 0.7})
            self.evidence.keys += [value] if value not in self.evidence.keys else []
        else:
            self.evidence.vote({"list": 1, "dict": 0.7, "set": 0.7, "str": 0.7})

    def _see_BinOp(self, node: ast.BinOp, members: _Subject) -> None:
        for it, other in ((node.left, node.right), (node.right, node.left)):
            if self._is_it(it):
                self._operand(node.op, literal(other), left=it is node.left)

    def _operand(self, sign: ast.operator, other: Any, *, left: bool) -> None:
        if isinstance(sign, ast.Mod) and not left and isinstance(other, str):
            self.evidence.vote({"str": 1, "int": 1})
        elif isinstance(sign, ast.Add) and other is not ABSENT:
            self.evidence.vote({type(other).__name__: 3})
        elif isinstance(sign, ast.Mult) and isinstance(other, str):
            self.evidence.vote({"int": 3})
        elif isinstance(sign, ast.Add):
            self.evidence.vote({"int": 0.7, "str": 0.7, "list": 0.4, "float": 0.3})
        elif isinstance(sign, ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift):
            self.evidence.vote({"int": 2, "set": 0.3})
        else:
            self.evidence.vote({"int": 1.5, "float": 1})

    def _see_UnaryOp(self, node: ast.UnaryOp, members: _Subject) -> None:
        if self._is_it(node.operand) and not isinstance(node.op, ast.Not):
            self.evidence.vote({"int": 1.5, "float": 0.7})

    def _see_AugAssign(self, node: ast.AugAssign, members: _Subject) -> None:
        if self._is_it(node.target):
            self._operand(node.op, literal(node.value), left=True)
        elif self._is_it(node.value):
            self._operand(node.op, ABSENT, left=False)

    def _see_For(self, node: ast.For | ast.comprehension, members: _Subject) -> None:
        self._iterated(node.iter, node.target, members)

    _see_comprehension = _see_For

    def _iterated(self, source: ast.expr, target: ast.expr, members: _Subject) -> None:
        inner = source
        numbered = False
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "zip":
            targets = target.elts if isinstance(target, ast.Tuple) else []
            for one, bound in zip(source.args, targets, strict=False):
                self._iterated(one, bound, members)
            return
        while (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Name)
            and inner.func.id in WRAPPING
            and inner.args
        ):
            numbered = numbered or inner.func.id == "enumerate"
            inner = inner.args[0]
        pairs = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "items"
        if pairs and isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            inner = inner.func.value
        if not self._is_it(inner):
            return
        if not pairs:
            self.evidence.vote({"list": 2, "str": 0.7, "tuple": 0.4, "set": 0.4, "dict": 0.3})
        if (numbered or pairs) and isinstance(target, ast.Tuple) and len(target.elts) == 2:
            target = target.elts[1]
        self._member(target, members)

    def _member(self, target: ast.expr, members: _Subject) -> None:
        """What a member is bound to: a name, or several where it is itself unpacked."""
        if isinstance(target, ast.Name):
            members.names.add(target.id)
        elif isinstance(target, ast.Tuple):
            self.unpacked = [one.id if isinstance(one, ast.Name) else "" for one in target.elts]

    def _see_Assign(self, node: ast.Assign, members: _Subject) -> None:
        target = node.targets[0]
        if self._is_it(node.value) and isinstance(target, ast.Tuple | ast.List):
            self.evidence.vote({"tuple": 3, "list": 1})
            self.evidence.width = len(target.elts)

    def _see_Call(self, node: ast.Call, members: _Subject) -> None:
        function = node.func
        for place, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred) and self._is_it(argument.value):
                self.evidence.vote({"list": 2})
            if not self._is_it(argument):
                continue
            if isinstance(function, ast.Name):
                self._passed(function.id, place, node)
            elif isinstance(function, ast.Attribute):
                self._passed_to_attribute(function)

    def _passed(self, name: str, place: int, node: ast.Call) -> None:
        if name == "isinstance" and place == 0 and len(node.args) == 2:
            types = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
            names = [last_name(one) for one in types]
            known = [CONTAINERS.get(one, one) for one in names]
            self.evidence.vote({one: 2 for one in known if one in TYPES or one == "bool"})
            self.evidence.vote({"none": 0.3, "int": 0.3, "str": 0.3, "bytes": 0.2})  # for the way out
            return
        helper = self.reader.functions.get(name)
        if helper is not None and helper is not self.function and self.depth < _DEEPEST:
            names = [one.arg for one in (*helper.args.posonlyargs, *helper.args.args)]
            if place < len(names):
                _Observer(self.reader, helper, _Subject({names[place]}), self.evidence, self.depth + 1).observe()
            return
        module = self.reader.imports.get(name, "")
        self._library(name, module) if module else self.evidence.vote(PASSED.get(name, {}))

    def _library(self, name: str, module: str) -> None:
        for pattern, votes in PASSED_TO_LIBRARY:
            if re.fullmatch(pattern, f"{module}.{name}"):
                self.evidence.vote(votes)
                if votes is NUMBERS:
                    self.evidence.members = self.evidence.members or Evidence(Counter({"float": 3, "int": 3}))
                return

    def _passed_to_attribute(self, function: ast.Attribute) -> None:
        base = function.value
        if isinstance(base, ast.Name) and base.id in self.reader.imports:
            self._library(function.attr, self.reader.imports[base.id])
        elif function.attr == "join":
            self.evidence.vote({"list": 3})
            self.evidence.members = self.evidence.members or Evidence(Counter({"str": 4}))
        elif function.attr in MATCHING:
            self.evidence.vote({"str": 3, "bytes": 0.2})
        elif function.attr in TAKES_TEXT:
            self.evidence.vote({"str": 1.5})
        elif function.attr == "get":
            self._index_of(base)


def _has_members(evidence: Evidence) -> bool:
    return any(evidence.votes[name] for name in ("list", "tuple", "dict", "set"))
