"""A suite written out as other files than pytest's: for unittest, for doctest, as a script, as a session at a prompt.

Each says what `pytest_files` says of the same tests, as far as its form can. Doctest and the prompt compare what is
printed, so they are refused what is not printed the same each time.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retroweave.pipeline.errors import Drop
from retroweave.verifiers.plain import printed
from retroweave.verifiers.pytest_files import pytest_file
from retroweave.verifiers.suites import Test

__all__ = ["WRITERS", "SuiteFile"]

_SINGLETONS = ("True", "False", "None")


@dataclass(frozen=True, slots=True)
class SuiteFile:
    name: str
    text: str
    lines: tuple[tuple[int, ...], ...] = ()
    """For each test the lines, from 1, that are its own, where a report names lines and not tests."""


def pytest_suite(function: str, tests: Sequence[Test], module: str) -> SuiteFile:
    return SuiteFile(f"test_{module}.py", pytest_file(function, tests, module))


def unittest_suite(function: str, tests: Sequence[Test], module: str) -> SuiteFile:
    """A test case with a method for each test."""
    name = function.strip("_")
    lines = ["import unittest", "", _import(function, tests, module), "", ""]
    lines.append(f"class Test{''.join(part.capitalize() for part in name.split('_'))}(unittest.TestCase):")
    for number, test in enumerate(tests, 1):
        lines += [f"    def test_{name}_{number}(self):", *(f"        {line}" for line in _method(function, test)), ""]
    lines += ["", 'if __name__ == "__main__":', "    unittest.main()"]
    return SuiteFile(f"test_{module}.py", "\n".join(lines) + "\n")


def _method(function: str, test: Test) -> list[str]:
    if test.raises:
        return [f"with self.assertRaises({test.value}):", f"    {test.text}"]
    lines, call = _arguments(function, test)
    if test.value == "None":
        lines.append(f"self.assertIsNone({call})")
    else:
        lines.append(f"self.assert{'Is' if test.value in _SINGLETONS else 'Equal'}({call}, {test.value})")
    return lines + [f"self.assertEqual({name}, {value})" for name, value in _changed(test)]


def script_suite(function: str, tests: Sequence[Test], module: str) -> SuiteFile:
    """Assertions one below the other, as in a file that somebody tries things out in."""
    lines = [_import(function, tests, module), ""]
    own: list[tuple[int, ...]] = []
    for test in tests:
        first = len(lines) + 1
        lines += _statements(function, test)
        own.append(tuple(range(first, len(lines) + 1)))
    lines += ["", 'print("all checks passed")']
    return SuiteFile("check.py", "\n".join(lines) + "\n", tuple(own))


def _statements(function: str, test: Test) -> list[str]:
    if test.raises:
        error = f"raise AssertionError({f'{test.text} did not raise {test.value}'!r})"
        return ["try:", f"    {test.text}", f"except {test.value}:", "    pass", "else:", f"    {error}"]
    lines, call = _arguments(function, test)
    lines.append(f"assert {call} {'is' if test.value in _SINGLETONS else '=='} {test.value}")
    return lines + [f"assert {name} == {value}" for name, value in _changed(test)]


def itself(_function: str, _tests: Sequence[Test], module: str) -> SuiteFile:
    """The module, run as a script: it says something only where it cannot be read, or breaks as it is loaded."""
    return SuiteFile(f"{module}.py", "")


def doctest_suite(function: str, tests: Sequence[Test], module: str) -> SuiteFile:
    """Examples with what they print, in a text file.

    Raises `Drop` where what a test wants is not printed the same each time, or hangs on more than it wants.
    """
    lines = [f">>> {_import(function, tests, module)}"]
    own: list[tuple[int, ...]] = []
    for test in tests:
        _require_steady(test)
        if test.raises and not hasattr(builtins, test.value):
            raise Drop("an exception of a module's own is not tested by its full name")
        lines.append("")
        first = len(lines) + 1
        lines += _examples(function, test)
        own.append(tuple(range(first, len(lines) + 1)))
    return SuiteFile(f"test_{module}.txt", "\n".join(lines) + "\n", tuple(own))


def _examples(function: str, test: Test) -> list[str]:
    if test.raises:
        message = f": {test.outcome.message}" if test.outcome.message else ""
        return [f">>> {test.text}", "Traceback (most recent call last):", "    ...", f"{test.value}{message}"]
    lines, call = _arguments(function, test)
    wanted = [] if test.value == "None" else [test.value]
    lines = [f">>> {line}" for line in (*lines, call)] + wanted
    return lines + [part for name, value in _changed(test) for part in (f">>> {name}", value)]


def prompt_suite(function: str, tests: Sequence[Test], module: str) -> SuiteFile:
    """What is typed at Python's prompt, with what should come of it in a comment."""
    lines = [_import(function, [], module)]
    own: list[tuple[int, ...]] = []
    for test in tests:
        if test.changes_arguments:
            raise Drop("tests that look at the arguments after the call are not typed at a prompt")
        _require_steady(test)
        lines.append(f"{test.text}  # should {'raise' if test.raises else 'be'} {test.value}")
        own.append((len(lines),))
    return SuiteFile("", "\n".join(lines) + "\n", tuple(own))


def _require_steady(test: Test) -> None:
    outcome = test.outcome
    if outcome.printed:
        raise Drop("a function that prints is not tested by what is printed")
    if test.raises and (not outcome.message.isprintable() or " at 0x" in outcome.message):
        raise Drop("the exception's message does not stand on one line")
    if any(_has_set(value) for value in (outcome.value, outcome.args, outcome.kwargs)):
        raise Drop("a set is not tested by how it is printed")


def _has_set(value: Any) -> bool:
    """Whether a value holds a set of more than one member, whose order is anybody's."""
    if isinstance(value, set | frozenset):
        return len(value) > 1
    if isinstance(value, Mapping):
        return any(_has_set(one) for pair in value.items() for one in pair)
    return isinstance(value, list | tuple) and any(_has_set(one) for one in value)


def _import(function: str, tests: Sequence[Test], module: str) -> str:
    own = sorted({test.value for test in tests if test.raises and not hasattr(builtins, test.value)})
    return f"from {module} import {', '.join([*own, function])}"


def _arguments(function: str, test: Test) -> tuple[list[str], str]:
    """Assignments of the arguments, where they are looked at after the call, and the call."""
    if not test.changes_arguments:
        return [], test.text
    lines = [f"args = {printed(test.call.args)}"]
    lines += [f"kwargs = {printed(dict(test.call.kwargs))}"] if test.call.kwargs else []
    return lines, f"{function}(*args{', **kwargs' if test.call.kwargs else ''})"


def _changed(test: Test) -> list[tuple[str, str]]:
    """What the arguments must be after the call, where the original changed them."""
    outcome = test.outcome
    changed = [("args", printed(outcome.args))] if outcome.args is not None else []
    return changed + ([("kwargs", printed(dict(outcome.kwargs)))] if outcome.kwargs is not None else [])


Writer = Callable[[str, Sequence[Test], str], SuiteFile]

WRITERS: Mapping[str, Writer] = {
    "pytest": pytest_suite,
    "unittest": unittest_suite,
    "doctest": doctest_suite,
    "script": script_suite,
    "prompt": prompt_suite,
    "itself": itself,
}
