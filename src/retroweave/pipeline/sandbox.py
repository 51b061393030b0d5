"""Running code that nobody trusts: the protocol through which pipelines and sandboxes meet.

A sandbox calls a function of some source many times, and brings back what came of each call as plain data. It passes no
verdict: whoever asked compares, in the process that is trusted. Only arguments go in; what is expected never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

__all__ = ["Call", "Coverage", "Limits", "Outcome", "Sandbox", "SandboxFailed"]

Ended = Literal["returned", "raised", "steps", "depth", "memory", "output", "crashed"]
"""How a call ended: with a value or an exception; at the limit of steps, recursion, memory or output; or with the death
of its process. Each is the same on a slow machine and on a fast one."""


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments of one call: plain values: None, numbers, str, bytes, and lists, tuples, sets and dicts of them."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch of calls may use."""

    steps: int = 200_000
    """Lines run in one call: a verdict, since it is the same on every machine."""
    seconds: float = 10.0
    """Wall clock for the whole batch: no verdict but a failure, since a slow machine may reach it."""
    memory: int = 512 << 20
    """Bytes of address space."""
    output: int = 1 << 20
    """Bytes of all that is brought back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call, as plain data made by the parent from what the child wrote."""

    ended: Ended
    value: Any = None
    """What it returned, of exactly the types that it had."""
    plain: bool = True
    """Whether the value is made of plain values; else `value` is its `repr`, which may hold an address."""
    error: str = ""
    """The exception's type, by its name alone."""
    message: str = ""
    """The exception's message, cut at 1,000 characters."""
    line: int = 0
    """The line of the source in which the exception was raised or passed through last."""
    steps: int = 0
    """Lines run."""
    args: tuple[Any, ...] | None = None
    """The arguments after the call, where it changed any of them; one that is no plain value any more is its `repr`."""
    kwargs: Mapping[str, Any] | None = None
    """Those with a name, likewise."""
    printed: str = ""
    """What it wrote to its standard output, cut at 1,000 characters."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which lines of the source, and which jumps between them, a batch of calls reached."""

    lines: frozenset[int]
    arcs: frozenset[tuple[int, int]]
    """From a line to the next that ran in the same frame; 0 stands for the frame's beginning and -1 for its end."""


class SandboxFailed(Exception):
    """Nothing can be said of the code: the wall clock ran out, or the sandbox itself broke. The row is a failure."""


class Sandbox(Protocol):
    """A place where code may do what it likes, since it can do nothing."""

    layers: Mapping[str, str]
    """What holds here: property (files, network, processes, limits ...) to the mechanisms that hold it."""

    def call(self, source: str, function: str, calls: Sequence[Call], limits: Limits = Limits()) -> list[Outcome]:
        """Run `source` as a module, then call `function` of it, each time with arguments of its own.

        All calls of a batch share one process, and so see what earlier ones changed in the module. A source that does
        not parse or that raises when it is run gives each call the outcome of that. Raises `SandboxFailed`.
        """
        ...

    def covered(
        self, source: str, function: str, calls: Sequence[Call], limits: Limits = Limits()
    ) -> tuple[list[Outcome], list[Coverage]]:
        """The same, with the coverage of each call."""
        ...

    def variants(
        self, sources: Sequence[str], function: str, calls: Sequence[Call], limits: Limits = Limits()
    ) -> list[list[Outcome]]:
        """Many variants of one trusted source, in one process: quick, and not quite safe from one another.

        For mutants only, and every anomaly and every one that is kept is run again by itself.
        """
        ...

    def close(self) -> None: ...
