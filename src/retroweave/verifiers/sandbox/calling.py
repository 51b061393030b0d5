"""Runs in a child of the fork server: a stranger's source, its function called with many arguments, what came of each.

Nothing here is trusted once the source runs: it may find and change these very objects. So nothing here decides, and
what the source can reach by that is to report a value, which it could have returned.

What goes out is lines of JSON, each a list of the request's nonce and of outcomes: objects with the fields of
`pipeline.sandbox.Outcome` that are not as usual. A call that is at its limit ends the process with its outcome; the
parent goes on after it in another one. Arguments come in by marshal, from a parent that is trusted; nothing goes out
that way.
"""

from __future__ import annotations

import gc
import io
import marshal
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from retroweave.verifiers.sandbox.stepping import SOURCE, Counter, Mapper, compiled, counter
from retroweave.verifiers.sandbox.values import NotPlain, TooLarge, encode, tagged

__all__ = ["MESSAGE", "WITHOUT_REFERENCES", "Printed", "Report", "Worker", "lines_of"]

MESSAGE = 1_000
"""Characters of a message, and of what is printed."""
_REPR = 10_000
_DEEP = 10_000
"""Frames that our own last words may stand on, where the code's are used up."""
WITHOUT_REFERENCES = 2
"""The version of marshal whose bytes do not tell who else holds a value."""
_NAME = type.__dict__["__name__"].__get__
"""The name of a class, whatever its metaclass says."""
_EXHAUSTED: dict[type[BaseException], str] = {MemoryError: "memory", RecursionError: "depth"}
_exit, _write, _read, _set_recursion_limit = os._exit, os.write, os.read, sys.setrecursionlimit


class Report:
    """What goes out: together where nothing goes wrong, one by one where it did before."""

    def __init__(self, descriptor: int, nonce: str = "", most: int = 0, careful: bool = False) -> None:
        self.descriptor = descriptor
        self._held: list[Any] = []
        self.begin(nonce, most, careful)

    def begin(self, nonce: str, most: int, careful: bool) -> None:
        self._nonce = nonce
        self.left = most
        """How much more may be brought back."""
        self._careful = careful

    def put(self, outcome: Any) -> None:
        self._held.append(outcome)
        if self._careful:
            self.flush()

    def flush(self) -> None:
        if not self._held:
            return
        data = memoryview((encode([self._nonce, *self._held]) + "\n").encode())
        self._held.clear()
        while data:
            data = data[_write(self.descriptor, data) :]

    def end(self, outcome: Any) -> NoReturn:
        """The last words of this process, which may stand at the limit of recursion."""
        _set_recursion_limit(_DEEP)
        self._held.append(outcome)
        self.flush()
        _exit(0)


class Printed(io.TextIOBase):
    """Standard output: the beginning is kept, the rest is counted."""

    def __init__(self, most: int, full: Callable[[], NoReturn]) -> None:
        self.most = most
        self._full = full
        self.kept: list[str] = []
        self._length = 0

    def clear(self) -> None:
        self.kept.clear()
        self._length = 0

    def write(self, text: str, /) -> int:
        if type(text) is not str:
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._length < MESSAGE:
            self.kept.append(text[: MESSAGE - self._length])
        self._length += len(text)
        if self._length > self.most:
            self._full()
        return len(text)

    def writable(self) -> bool:
        return True


class Worker:
    """Calls functions and says what came of each. Made in the fork server, so that no child has to make it."""

    def __init__(self, descriptor: int) -> None:
        self._report = Report(descriptor)
        self._map: Mapper | None = None
        self._counter: Counter = counter(0, self._at_limit)
        self._printed = Printed(0, self._too_much)
        self._renew()
        sys.stdout = self._printed
        sys.stdin = io.StringIO()

    def _renew(self) -> None:
        """What each source finds: a module of its own, and random numbers that begin where they always do."""
        random.seed(0)
        self._module: ModuleType | None = ModuleType("source")
        sys.modules["source"] = self._module

    def report_to(self, descriptor: int) -> None:
        """Begin anew, with another place for what is found."""
        self._report.descriptor = descriptor
        self._renew()

    def begin(self, nonce: str, most: int, steps: int, careful: bool, mapped: bool = False) -> None:
        self._report.begin(nonce, most, careful)
        if mapped:
            self._counter = self._map = Mapper(0, self._at_limit)
        self._counter.limit = steps
        self._printed.most = most

    def _at_limit(self) -> NoReturn:
        _set_recursion_limit(_DEEP)
        self._report.end(self._outcome({"ended": "steps", "steps": self._counter.limit}))

    def _too_much(self) -> NoReturn:
        self._report.end(self._outcome({"ended": "output"}))

    def _outcome(self, known: dict[str, Any]) -> dict[str, Any]:
        """With what is told of a call however it ended."""
        if self._printed.kept:
            known["printed"] = "".join(self._printed.kept)
        if self._map is not None:
            known["lines"], known["arcs"] = sorted(self._map.lines()), sorted(self._map.arcs)
        return known

    def load(self, source: str, function: str) -> Any:
        """The function, or what came of running the source: a dict, which is no function."""
        self._printed.clear()
        if self._module is None:
            self._renew()
        names, self._module = self._module.__dict__, None
        self._counter.start()
        try:
            exec(compiled(source), names)  # noqa: S102 - it is what this process is for
            self._counter.stop()
        except BaseException as error:
            self._counter.stop()
            return self._raised(error, sys.exc_info()[2])
        found: Any = names.get(function)
        if found is None:
            message = f"The source defines no {function!r}."
            return {"ended": "raised", "error": "NameError", "message": message}
        return _no_function if type(found) is dict else found

    def call(self, function: Callable[..., Any], text: bytes) -> dict[str, Any]:
        """What came of one call. `text` is its arguments, and they are made anew for it."""
        args, kwargs = given = marshal.loads(text)
        if self._printed.kept:
            self._printed.clear()
        self._counter.start()
        try:
            value = function(*args, **kwargs)
            self._counter.stop()
        except BaseException as error:
            self._counter.stop()
            outcome = self._raised(error, sys.exc_info()[2])
        else:
            outcome = self._returned(value)
        if _text(given) != text:
            self._tell_arguments(outcome, args, kwargs)
        if self._report.left < 0:
            self._report.end({"ended": "output"})
        return outcome

    def _returned(self, value: Any) -> dict[str, Any]:
        steps = self._counter.steps
        left = [self._report.left]
        try:
            outcome = self._outcome({"value": tagged(value, left), "steps": steps})
        except NotPlain:
            return self._shown(value, steps)
        except TooLarge:
            return self._outcome({"ended": "output", "steps": steps})
        except MemoryError:
            return self._outcome({"ended": "memory", "steps": steps})
        self._report.left = left[0]
        return outcome

    def _shown(self, value: Any, steps: int) -> dict[str, Any]:
        outcome = self._outcome({"plain": False, "steps": steps})
        outcome["value"] = self._told(repr, value, _REPR) or f"<{_NAME(type(value))}>"
        return outcome

    def _raised(self, error: BaseException, trace: TracebackType | None) -> dict[str, Any]:
        how = _EXHAUSTED.get(type(error), "raised")
        line = _line_of(error, trace)
        outcome = self._outcome({"ended": how, "error": _NAME(type(error)), "steps": self._counter.steps, "line": line})
        outcome["message"] = self._told(str, error, MESSAGE)
        return outcome

    def _told(self, tell: Callable[[Any], str], value: Any, most: int) -> str:
        """What a stranger's object says of itself, under the same limit as a call; nothing where it cannot."""
        self._counter.start()
        try:
            text = str.__str__(tell(value))[:most]
        except BaseException:
            text = ""
        finally:
            self._counter.stop()
        self._report.left -= len(text)
        return text

    def _tell_arguments(self, outcome: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> None:
        outcome["args"] = [self._plain(value) for value in args]
        outcome["kwargs"] = {"d": [[name, self._plain(value)] for name, value in kwargs.items()]}

    def _plain(self, value: Any) -> Any:
        left = [self._report.left]
        try:
            told = tagged(value, left)
        except (NotPlain, TooLarge, MemoryError):
            return self._told(repr, value, _REPR) or f"<{_NAME(type(value))}>"
        self._report.left = left[0]
        return told

    def run(self, sources: Sequence[str], function: str, texts: Sequence[bytes], first: int) -> None:
        """Every call of every source, from the call on that is the first.

        An outcome that is the same as the first one of its call is a zero: most mutants differ in few.
        """
        calls = list(enumerate(texts))[first:]
        firsts: dict[int, bytes] = {}
        alone = len(sources) == 1
        gc.enable()
        for source in sources:
            found = self.load(source, function)
            for number, text in calls:
                outcome = found if type(found) is dict else self.call(found, text)
                told = b"" if alone else marshal.dumps(outcome, WITHOUT_REFERENCES)
                earlier = firsts.setdefault(number, told)
                self._report.put(0 if earlier is not told and earlier == told else outcome)
            calls = list(enumerate(texts))
        self._report.flush()

    def serve(self, source: str, function: str, orders: int) -> None:
        """One source, and calls as they come, a line each, in hexadecimal digits."""
        gc.enable()
        found = self.load(source, function)
        for text in lines_of(orders):
            self._report.put(found if type(found) is dict else self.call(found, bytes.fromhex(text)))


def _no_function(*args: Any, **kwargs: Any) -> NoReturn:
    """In the place of a dict, by which `load` says what came of a source."""
    raise TypeError("'dict' object is not callable")


def _text(given: Any) -> bytes | None:
    """Arguments as bytes that differ where they do; None where they are no plain values any more."""
    try:
        return marshal.dumps(given, WITHOUT_REFERENCES)
    except (ValueError, MemoryError):
        return None


def _line_of(error: BaseException, trace: TracebackType | None) -> int:
    """The last line of the source that the exception passed; of what does not parse, the line at fault."""
    if type(error) in (SyntaxError, IndentationError, TabError) and getattr(error, "filename", None) == SOURCE:
        number = getattr(error, "lineno", None)
        return number if type(number) is int else 0
    line = 0
    while trace is not None:
        code = trace.tb_frame.f_code
        # The tracer itself may be the call too deep: then it is as if the frame had not been entered.
        entering = type(error) is RecursionError and trace.tb_lineno == code.co_firstlineno
        if code.co_filename == SOURCE and not entering:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def lines_of(descriptor: int) -> Iterator[str]:
    """Lines as they come in, without their ends."""
    held = b""
    while data := _read(descriptor, 65536):
        *whole, held = (held + data).split(b"\n")
        for line in whole:
            yield line.decode()
