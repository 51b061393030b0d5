"""What the parameters of a function probably take: guessed from annotations, defaults, use, names and doctests.

A guess is a list of kinds with weights. An annotation or default says most, then what the body does with the argument
(methods, operators, comparisons, functions it is passed to, helpers of the same source), then its name. Guesses are
only where the search for inputs begins: it learns from what comes back which of them hold.
"""

from __future__ import annotations

import ast
import doctest
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.annotations import annotated
from retroweave.verifiers.kinds import ANY, Kind, Literals, fits
from retroweave.verifiers.reading import ABSENT, Reader, literal
from retroweave.verifiers.usage import observe

__all__ = ["Parameter", "Signature"]

_Guess = tuple[tuple[Kind, float], ...]


@dataclass(frozen=True)
class Parameter:
    name: str
    kinds: _Guess
    """What it may take, with weights."""
    optional: bool = False
    """Whether it may be left out."""
    keyword: bool = False
    """Whether it is given by name: what is optional or keyword-only."""

    def likelihood(self, value: Any) -> float:
        """How likely the type of a value is: 1 for the likeliest, whatever its members are."""
        types = defaultdict[str, float](float)
        for kind, weight in self.kinds:
            types[kind.name] += weight
        return min(1.0, sum(weight for kind, weight in self.kinds if fits(value, kind)) / max(types.values()))


@dataclass(frozen=True)
class Signature:
    """What is known of a function before it is called."""

    name: str
    parameters: tuple[Parameter, ...]
    more: _Guess
    """What further arguments may be, where it takes any number."""
    examples: tuple[Call, ...]
    """The calls in its docstring whose arguments are literals."""
    literals: Literals

    @classmethod
    def of(cls, code: str, function: str) -> Signature:
        """The signature of a function at the top level of a source that parses."""
        reader = Reader(ast.parse(code))
        node = reader.functions[function]
        parameters = tuple(_parameters(reader, node))
        return cls(function, parameters, _further(reader, node), tuple(_examples(node)), reader.literals)


def _parameters(reader: Reader, node: ast.FunctionDef) -> Iterator[Parameter]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    for argument, default in zip(positional, defaults, strict=True):
        by_name = default is not None and argument not in arguments.posonlyargs
        yield Parameter(argument.arg, _guess(reader, node, argument, default), default is not None, by_name)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield Parameter(argument.arg, _guess(reader, node, argument, default), default is not None, True)


def _further(reader: Reader, node: ast.FunctionDef) -> _Guess:
    """What `*args` may hold; nothing where there is none."""
    if node.args.vararg is None:
        return ()
    found = _guess(reader, node, node.args.vararg, None)
    members = [(one, weight) for kind, weight in found if kind.name in ("list", "tuple") for one in kind.of]
    return tuple(members) or tuple((kind, 1.0) for kind in ANY)


def _guess(reader: Reader, node: ast.FunctionDef, argument: ast.arg, default: ast.expr | None) -> _Guess:
    said = [] if argument.annotation is None else annotated(argument.annotation)
    if said:
        return tuple((kind, 1.0) for kind in said)
    evidence = observe(reader, node, argument.arg)
    value = ABSENT if default is None else literal(default)
    if value is not ABSENT:
        evidence.see_default(value)
    evidence.see_name(argument.arg)
    return evidence.kinds()


def _examples(node: ast.FunctionDef) -> Iterator[Call]:
    """The calls of a function in its own docstring."""
    for example in _prompts(ast.get_docstring(node) or ""):
        try:
            tree = ast.parse(example)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # a docstring may hold anything
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute):
                name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
                if name == node.name:
                    yield from _as_call(call)


def _prompts(docstring: str) -> list[str]:
    try:
        return [example.source for example in doctest.DocTestParser().get_examples(docstring)]
    except ValueError:  # prompts that are indented amiss
        return []


def _as_call(call: ast.Call) -> Iterator[Call]:
    args = [literal(one) for one in call.args]
    kwargs = {one.arg: literal(one.value) for one in call.keywords if one.arg}
    if not any(one is ABSENT for one in (*args, *kwargs.values())) and len(kwargs) == len(call.keywords):
        yield Call(tuple(args), kwargs)
