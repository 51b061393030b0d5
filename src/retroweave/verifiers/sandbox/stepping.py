"""Counting the lines that run, and noting which: the measure of time that is the same on every machine.

A call that runs more lines than it may is ended there and then, with its process: an exception could be caught by the
code, and the interpreter stops tracing where a tracer raises. Lines of library code count too, those of the import
system do not, since how many they are hangs on what is cached on disk.

A loop inside one C function runs no line: the processor's clock and the wall's are left for that. Code that takes the
tracer off escapes the count, and meets the same clocks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from os.path import dirname
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import ast

__all__ = ["BEGIN", "END", "SOURCE", "Counter", "Mapper", "Tracer", "compiled", "counter", "give_work"]

SOURCE = "<source>"
"""What the source under test is called in its code objects and tracebacks."""
BEGIN, END = 0, -1
_GENERATOR = 0x20 | 0x80 | 0x200
_YIELD, _RESUME = "YIELD_VALUE", "RESUME"
_HERE = dirname(__file__)  # noqa: PTH120
_IMPORTING = "<frozen importlib."

Tracer = Callable[[FrameType, str, Any], Any]


_EMPTY_LOOP = re.compile(r":[ \t]*(?:pass|continue|\.\.\.)")


def compiled(source: str) -> CodeType:
    """The source as code in which each turn of a loop runs a line. Raises what `compile` raises."""
    if has_empty_loop(source):
        import ast  # heavy, and else in each fork

        tree = ast.parse(source, SOURCE)
        give_work(tree)
        return compile(tree, SOURCE, "exec", dont_inherit=True)
    return compile(source, SOURCE, "exec", dont_inherit=True)


def has_empty_loop(source: str) -> bool:
    """Whether there may be a loop such as `while True: pass` on one line."""
    if "while" not in source or not ("pass" in source or "continue" in source or "..." in source):
        return False  # most often, and without the pages of memory that the search touches
    return _EMPTY_LOOP.search(source) is not None


def give_work(tree: ast.AST) -> None:
    """Put something into loops of one line, which else become a jump to itself that no tracer sees."""
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.While) and node.body[0].lineno == node.test.end_lineno:
            work = ast.copy_location(ast.Expr(ast.Name("__name__", ast.Load())), node.body[0])
            node.body.insert(0, ast.fix_missing_locations(work))


def _skipped(code: CodeType) -> bool:
    """Whether a frame is part of the machinery: the import system's, or ours."""
    name = code.co_filename
    return name.startswith((_IMPORTING, _HERE))


class Counter:
    """Counts lines, and calls `full` at the line beyond the limit; `full` must not return."""

    def __init__(self, limit: int, full: Callable[[], NoReturn]) -> None:
        self.limit = limit
        """May be set anew between two calls."""
        self.full = full
        self._reset, self._read, self._tracer = self._closures()

    @property
    def steps(self) -> int:
        """Lines run since the last `start`."""
        return self._read()

    def start(self) -> None:
        self._reset(self.limit)
        sys.settrace(self._tracer)

    def stop(self) -> None:
        sys.settrace(None)

    def _closures(self) -> tuple[Callable[[int], None], Callable[[], int], Any]:
        """Closures and no methods, since they run for each line: to begin anew, to read the count, to trace."""
        steps = limit = 0
        full = self.full
        skip: dict[str, bool] = {}

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal steps
            if event == "line":
                steps += 1
                if steps > limit:
                    full()
            return line

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            name = frame.f_code.co_filename
            skipped = skip.get(name)
            if skipped is None:
                skipped = skip[name] = _skipped(frame.f_code)
            return None if skipped else line

        def reset(most: int) -> None:
            nonlocal steps, limit
            steps, limit = 0, most

        return reset, lambda: steps, enter


class Mapper(Counter):
    """Counts lines, and notes which of the source ran and from which they were reached in the same frame."""

    arcs: set[tuple[int, int]]

    def lines(self) -> set[int]:
        return {line for _, line in self.arcs if line > 0}

    def _closures(self) -> tuple[Callable[[int], None], Callable[[], int], Any]:
        steps = limit = 0
        full = self.full
        arcs = self.arcs = set()

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal steps
            if event == "line":
                steps += 1
                if steps > limit:
                    full()
            return line

        def mapped(frame: FrameType) -> Tracer:
            before = frame.f_lineno if _resumes(frame) else BEGIN

            def trace(frame: FrameType, event: str, argument: Any) -> Any:
                nonlocal steps, before
                if event == "line":
                    steps += 1
                    arcs.add((before, frame.f_lineno))
                    before = frame.f_lineno
                    if steps > limit:
                        full()
                elif event == "return" and not _yields(frame):
                    arcs.add((before, END))
                return trace

            return trace

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            if frame.f_code.co_filename == SOURCE:
                return mapped(frame)
            return None if _skipped(frame.f_code) else line

        def reset(most: int) -> None:
            nonlocal steps, limit
            steps, limit = 0, most
            arcs.clear()

        return reset, lambda: steps, enter


def _resumes(frame: FrameType) -> bool:
    """Whether a frame that is entered goes on after a `yield`: it stands at the RESUME that follows."""
    return bool(frame.f_code.co_flags & _GENERATOR) and _after_yield(frame.f_code, frame.f_lasti)


def _yields(frame: FrameType) -> bool:
    """Whether a frame that is left is only paused: at its `yield`, or from Python 3.13 on at the RESUME after."""
    if not frame.f_code.co_flags & _GENERATOR:
        return False
    return _opcode(frame.f_code, frame.f_lasti) == _YIELD or _after_yield(frame.f_code, frame.f_lasti)


def _after_yield(code: CodeType, place: int) -> bool:
    return _opcode(code, place) == _RESUME and _opcode(code, place - 2) == _YIELD


def _opcode(code: CodeType, place: int) -> str:
    from opcode import opname

    return opname[code.co_code[place]] if 0 <= place < len(code.co_code) else ""


if sys.version_info >= (3, 12):
    _MONITORING = sys.monitoring
    _LINE, _JUMP, _START = _MONITORING.events.LINE, _MONITORING.events.JUMP, _MONITORING.events.PY_START
    _TOOL = 4

    class _Monitor(Counter):
        """The same count by `sys.monitoring`, at a third of the price.

        A loop on one line has no line events there: its jumps back are counted. And Python 3.13.0 tells the lines of a
        function that C code calls only where beginnings of functions are told too.
        """

        def start(self) -> None:
            self._reset(self.limit)
            if _MONITORING.get_tool(_TOOL) is None:
                _MONITORING.use_tool_id(_TOOL, "retroweave")
            line, jump = self._tracer
            _MONITORING.register_callback(_TOOL, _LINE, line)
            _MONITORING.register_callback(_TOOL, _JUMP, jump)
            _MONITORING.register_callback(_TOOL, _START, _nothing)
            _MONITORING.set_events(_TOOL, _LINE | _JUMP | _START)

        def stop(self) -> None:
            _MONITORING.set_events(_TOOL, 0)

        def _closures(self) -> tuple[Callable[[int], None], Callable[[], int], Any]:
            steps = limit = 0
            full, off = self.full, _MONITORING.DISABLE

            def line(code: CodeType, number: int) -> Any:
                nonlocal steps
                if _skipped(code):
                    return off
                steps += 1
                if steps > limit:
                    full()
                return None

            def jump(code: CodeType, here: int, there: int) -> Any:
                return line(code, 0) if there <= here and _on_one_line(code, here, there) else off

            def reset(most: int) -> None:
                nonlocal steps, limit
                steps, limit = 0, most

            return reset, lambda: steps, (line, jump)


def _nothing(code: CodeType, place: int) -> None:
    """A function begins."""


def _on_one_line(code: CodeType, one: int, other: int) -> bool:
    lines = [line for start, end, line in code.co_lines() for place in (one, other) if start <= place < end]
    return len(set(lines)) == 1


def counter(limit: int, full: Callable[[], NoReturn]) -> Counter:
    """The quickest counter that this Python has."""
    if sys.version_info >= (3, 12):
        return _Monitor(limit, full)
    return Counter(limit, full)
