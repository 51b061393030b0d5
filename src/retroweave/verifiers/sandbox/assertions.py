"""Test code that a model wrote, run in one sandboxed process while the function under test runs in another.

The test process tells what it is about to compare; whether that holds is decided here, from values and by this module's
own operators. Its own verdict ("passed", an exit code, an exception) counts for nothing. And since a test process may
lie about what it compares, what stands literally in the test's source is read before any of it runs and must be what is
told; and an assertion is `direct` only where one side is exactly a value that came from the function's process since
the last assertion, as seen here.
"""

from __future__ import annotations

import builtins
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from retroweave.pipeline.sandbox import Call, Limits, Outcome, SandboxFailed
from retroweave.verifiers.sandbox.client import Conversation, Died, Reply
from retroweave.verifiers.sandbox.local import LocalSandbox, early_end, packed, read_lines
from retroweave.verifiers.sandbox.values import Malformed, TooLarge, load, tagged, untagged
from retroweave.verifiers.sandbox.witness import COMPARE

__all__ = ["Assertion", "Deposition", "run_tests"]

MOST_CALLS = 10_000
"""Calls of the function by one test file."""


@dataclass(slots=True)
class Assertion:
    """An assertion of the test code, as it stands there, and what came of it."""

    line: int
    text: str
    sign: str = "true"
    """How it compares: `==`, `in` ..., `raises`, or `true` for a value alone."""
    literal: tuple[Any, ...] = ()
    """The right side, or the value alone, where it stands in the source literally."""
    ran: int = 0
    """How often it was reached."""
    held: bool | None = None
    """Whether it held each time, decided here; None where it never ran, or compares what is no plain value."""
    direct: bool = False
    """Whether one side was exactly what the function had returned or raised since the assertion before, each time."""


@dataclass(slots=True)
class Deposition:
    """What test code did."""

    assertions: list[Assertion]
    """All that stand in the source, those that never ran among them."""
    calls: list[tuple[Call, Outcome]] = field(default_factory=list)
    """What the function was called with, and what came of it: seen here and not told by the tests."""
    tests: list[tuple[str, str, str]] = field(default_factory=list)
    """Each test function, how it says it ended, and the exception that it says ended it. "" is the module itself."""
    ended: str = "returned"
    """How the test process ended: `returned`, `raised` (it does not parse), `steps`, `output`, `crashed`."""
    message: str = ""

    @property
    def stands(self) -> bool:
        """Whether every assertion ran, each held, and each was about what the function did."""
        return bool(self.assertions) and all(one.ran and one.held and one.direct for one in self.assertions)


def run_tests(
    sandbox: LocalSandbox,
    source: str,
    function: str,
    tests: str,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    module: str = "solution",
) -> Deposition:
    """Run test code on a function of some source. It finds the function by its name, and in the module `module`.

    Raises `SandboxFailed` where nothing can be said.
    """
    nonce = secrets.token_hex(8)
    request = {
        "nonce": nonce,
        "test": tests,
        "module": module,
        "function": function,
        "steps": limits.steps,
        "output": limits.output,
    }
    with sandbox.lock:
        try:
            with sandbox.conversation(("tests", request), limits, testing=True) as witness:
                return _Hearing(_Function(sandbox, source, function, limits), witness, nonce).held()
        except Died as error:
            raise SandboxFailed(f"The sandbox's server died while tests ran: {error}.") from error


class _Function:
    """The function under test, in a process that lives for all calls of one test file, or until one ends it."""

    def __init__(self, sandbox: LocalSandbox, source: str, function: str, limits: Limits) -> None:
        self._sandbox = sandbox
        self._source = source
        self._function = function
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._open: Any = None
        self._conversation: Conversation | None = None
        self._nonce = secrets.token_hex(8)

    def call(self, call: Call) -> Outcome:
        text = packed(list(call.args), dict(call.kwargs))
        if self._conversation is None:
            self._begin()
        assert self._conversation is not None
        self._conversation.send(text.hex())
        line = self._conversation.line()
        found, sound = read_lines(b"" if line is None else line + b"\n", self._nonce, 1)
        if len(found) == 1 and sound:
            outcome = found[0][0]
            if outcome.ended in ("steps", "output"):
                self.end()  # it was the last word of that process
            return outcome
        return early_end(found, sound, self.end(), 1, self._limits) or Outcome("crashed")

    def _begin(self) -> None:
        left = self._deadline - time.monotonic()
        limits = Limits(self._limits.steps, max(left, 0.1), self._limits.memory, self._limits.output)
        settings = (self._nonce, limits.output, limits.steps, True)
        request = ("serve", settings, self._source, self._function)
        self._open = self._sandbox.conversation(request, limits, testing=False)
        self._conversation = self._open.__enter__()

    def end(self) -> Reply:
        """End its process, and say how it ended if it had by itself."""
        opened, conversation = self._open, self._conversation
        assert conversation is not None
        self._open = self._conversation = None
        opened.__exit__(None, None, None)
        assert conversation.reply is not None
        return conversation.reply

    def close(self) -> None:
        if self._conversation is not None:
            self.end()


class _Hearing:
    """One test process, listened to until it ends."""

    def __init__(self, function: _Function, witness: Conversation, nonce: str) -> None:
        self._function = function
        self._witness = witness
        self._nonce = nonce
        self._fresh: list[Outcome] = []
        """What the function gave back since the last assertion."""

    def held(self) -> Deposition:
        found = Deposition([])
        try:
            self._listen(found)
        finally:
            self._function.close()
        return found

    def _listen(self, found: Deposition) -> None:
        planned = False
        while (line := self._witness.line()) is not None:
            try:
                for what, *told in self._read(line):
                    if what == "plan" and not planned:
                        planned = True
                        found.assertions = _planned(told)
                    elif self._take(found, what, told):
                        return
            except (ValueError, TypeError, KeyError, IndexError, RecursionError):
                found.ended, found.message = "crashed", "it wrote what is no report"
                return
        self._ended_early(found)

    def _read(self, line: bytes) -> Sequence[Any]:
        parts = json.loads(line, parse_constant=float)
        if type(parts) is not list or parts[0] != self._nonce:
            raise Malformed("A line without the nonce.")
        return parts[1:]

    def _take(self, found: Deposition, what: str, told: list[Any]) -> bool:
        """Take one report; whether it was the last."""
        if what == "call":
            self._call(found, told[0])
        elif what == "assert":
            self._assert(found.assertions[_number(told[0])], *told[1:])
        elif what == "test":
            name, ended, error = (str(part)[:200] for part in told[:3])
            found.tests.append((name, ended, error))
        elif what == "ended":
            found.ended, found.message = str(told[0])[:20], str(told[2])[:1000]
            return True
        else:
            raise Malformed(f"No report is called {what!r:.40}.")
        return False

    def _call(self, found: Deposition, text: str) -> None:
        args, kwargs = load(text)
        if type(args) is not list or type(kwargs) is not dict or len(found.calls) >= MOST_CALLS:
            raise Malformed("No call, or too many.")
        call = Call(tuple(args), kwargs)
        outcome = self._function.call(call)
        found.calls.append((call, outcome))
        self._fresh.append(outcome)
        self._witness.send(_answer(outcome))

    def _assert(self, assertion: Assertion, sign: str, left: Any, right: Any, plain: bool) -> None:
        holds: bool | None = None
        direct = False
        if sign != assertion.sign and (sign, assertion.sign) != ("approx", "=="):
            raise Malformed("The assertion compares in another way.")
        if plain is True:
            one, other = untagged(left), untagged(right)
            if assertion.literal and _same(one if sign == "true" else other) != _same(assertion.literal[0]):
                raise Malformed("The assertion compares with another value.")
            holds = _holds(sign, one, other)
            direct = any(_is_about(outcome, sign, one, other) for outcome in self._fresh)
        first = assertion.ran == 0
        assertion.ran += 1
        assertion.held = holds if first else (None if None in (holds, assertion.held) else holds and assertion.held)
        assertion.direct = direct and (first or assertion.direct)
        self._fresh.clear()

    def _ended_early(self, found: Deposition) -> None:
        reply = self._witness.reply
        assert reply is not None
        limits = self._function._limits
        last = early_end([], True, reply, 1, limits)
        found.ended, found.message = (last.ended, last.message) if last else ("crashed", "")


def _planned(told: list[Any]) -> list[Assertion]:
    """The assertions as they stand in the source: told before any of it runs."""
    (plan,) = told
    return [
        Assertion(_number(number), str(text)[:1000], str(sign), tuple(untagged(value) for value in literal))
        for number, text, sign, literal in plan
    ]


def _number(found: Any) -> int:
    if type(found) is not int or found < 0:
        raise Malformed("A number was expected.")
    return found


def _answer(outcome: Outcome) -> str:
    answer: dict[str, Any] = {"ended": outcome.ended, "error": outcome.error, "message": outcome.message}
    if outcome.ended == "returned" and outcome.plain:
        try:
            answer["value"] = tagged(outcome.value, [1 << 20])
        except TooLarge:
            answer["ended"] = "output"
    elif outcome.ended == "returned":
        answer["ended"] = "not plain"
    return json.dumps(answer)


def _holds(sign: str, left: Any, right: Any) -> bool | None:
    """Whether plain values compare as the assertion says; None where they cannot be compared."""
    try:
        if sign == "true":
            return bool(left)
        if sign == "approx":
            expected, tolerance = right
            return bool(abs(left - expected) <= tolerance)
        if sign == "raises":
            return any(_is_a(right, name) for name in left)
        if sign in ("is", "is not") and not any(one is None or type(one) is bool for one in (left, right)):
            return None  # of other values the identity was lost on the way
        return bool(COMPARE[sign](left, right))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def _is_a(error: Any, expected: Any) -> bool:
    """Whether an exception of one name is caught by another, as far as they are Python's own."""
    if error == expected:
        return True
    found, wanted = (getattr(builtins, str(name), None) for name in (error, expected))
    return isinstance(found, type) and isinstance(wanted, type) and issubclass(found, wanted)


def _is_about(outcome: Outcome, sign: str, left: Any, right: Any) -> bool:
    """Whether an assertion is about this outcome itself."""
    if sign == "raises":
        return outcome.ended == "raised" and outcome.error == right
    if outcome.ended != "returned" or not outcome.plain:
        return False
    text = _same(outcome.value)
    return text == _same(left) or (sign not in ("true", "approx") and text == _same(right))


def _same(value: Any) -> str:
    return json.dumps(tagged(value, [1 << 22]))
