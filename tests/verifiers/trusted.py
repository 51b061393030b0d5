"""A stand-in for the sandbox, for code that is known to be harmless: it runs in this process, and nothing holds it."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from retroweave.pipeline.sandbox import Call, Coverage, Limits, Outcome

SOURCE = "<source>"
PLAIN = (type(None), bool, int, float, complex, str, bytes)


class TooManySteps(BaseException):
    """Not to be caught by the code that is run."""


@dataclass
class Trusted:
    layers: Mapping[str, str] = field(default_factory=dict)
    called: int = 0
    """How many calls were made."""

    def call(self, source: str, function: str, calls: Sequence[Call], limits: Limits = Limits()) -> list[Outcome]:  # noqa: B008 - it is frozen
        return self.covered(source, function, calls, limits)[0]

    def covered(
        self,
        source: str,
        function: str,
        calls: Sequence[Call],
        limits: Limits = Limits(),  # noqa: B008
    ) -> tuple[list[Outcome], list[Coverage]]:
        space: dict[str, Any] = {"__name__": "source"}
        exec(compile(source, SOURCE, "exec", dont_inherit=True), space)  # noqa: S102
        pairs = [self._one(space[function], call, limits) for call in calls]
        return [outcome for outcome, _ in pairs], [coverage for _, coverage in pairs]

    def variants(
        self,
        sources: Sequence[str],
        function: str,
        calls: Sequence[Call],
        limits: Limits = Limits(),  # noqa: B008
    ) -> list[list[Outcome]]:
        return [self.call(source, function, calls, limits) for source in sources]

    def close(self) -> None:
        pass

    def _one(self, function: Any, call: Call, limits: Limits) -> tuple[Outcome, Coverage]:
        self.called += 1
        args, kwargs = copy.deepcopy(call.args), copy.deepcopy(dict(call.kwargs))
        tracer = Tracer(limits.steps)
        before = sys.gettrace()
        sys.settrace(tracer.enter)
        try:
            value = function(*args, **kwargs)
        except TooManySteps:
            outcome: dict[str, Any] = {"ended": "steps"}
        except Exception as error:
            ended = "depth" if isinstance(error, RecursionError) else "raised"
            outcome = {"ended": ended, "error": type(error).__name__, "message": str(error), "line": line_of(error)}
        else:
            plain = is_plain(value)
            outcome = {"ended": "returned", "value": copy.deepcopy(value) if plain else repr(value), "plain": plain}
        finally:
            sys.settrace(before)
        changed = args if repr(args) != repr(call.args) else None
        lines = frozenset(line for _, line in tracer.arcs if line > 0)
        return Outcome(args=changed, **outcome), Coverage(lines, frozenset(tracer.arcs))


class Tracer:
    """Which lines ran after which, and how many."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.arcs: set[tuple[int, int]] = set()

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != SOURCE:
            return None
        before = 0

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before
            if event == "line":
                self.left -= 1
                if self.left < 0:
                    raise TooManySteps
                self.arcs.add((before, frame.f_lineno))
                before = frame.f_lineno
            elif event == "return":
                self.arcs.add((before, -1))
            return trace

        return trace


def line_of(error: BaseException) -> int:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == SOURCE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return all(is_plain(one) for one in value)
    if kind is dict:
        return all(is_plain(one) for pair in value.items() for one in pair)
    return kind in PLAIN
