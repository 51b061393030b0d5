"""A suite written out as a pytest file, as a person would have written it: a function for each test, one call in each.

Values are compared with `==`, and True, False and None with `is`. Floats are too: their `repr` gives them back exactly,
and `pytest.approx` would let pass a bug that is off by little. Where the original changes its arguments, the test asks
for that too. `suites.passes` says the same of an outcome without pytest.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence

from retroweave.verifiers.plain import printed
from retroweave.verifiers.suites import Test

__all__ = ["pytest_file"]

_LONGEST_LINE = 100


def pytest_file(function: str, tests: Sequence[Test], module: str = "solution") -> str:
    """The text of a file that imports `function` from `module` and tests it, and calls it in one test after another."""
    errors = {test.value for test in tests if test.raises}
    own = sorted(name for name in errors if not hasattr(builtins, name))
    head = ["import pytest", ""] if errors else []
    head.append(f"from {module} import {', '.join([*own, function])}")
    bodies = (_test(function, number, test) for number, test in enumerate(tests, 1))
    return "\n\n\n".join(["\n".join(head), *bodies]) + "\n"


def _test(function: str, number: int, test: Test) -> str:
    lines = [f"def test_{function.strip('_')}_{number}():"]
    lines += [f"    {line}" for line in _lines(function, test)]
    return "\n".join(lines)


def _lines(function: str, test: Test) -> Iterator[str]:
    call = test.text
    if test.changes_arguments and not test.raises:
        yield f"args = {printed(test.call.args)}"
        yield from [f"kwargs = {printed(dict(test.call.kwargs))}"] if test.call.kwargs else []
        call = f"{function}(*args{', **kwargs' if test.call.kwargs else ''})"
    if test.raises:
        yield f"with pytest.raises({test.value}):"
        yield f"    {call}"
        return
    yield from _assertion(call, test)
    if test.outcome.args is not None:
        yield f"assert args == {printed(test.outcome.args)}"
    if test.outcome.kwargs is not None:
        yield f"assert kwargs == {printed(dict(test.outcome.kwargs))}"


def _assertion(call: str, test: Test) -> Iterator[str]:
    sign = "is" if test.value in ("True", "False", "None") else "=="
    line = f"assert {call} {sign} {test.value}"
    if len(line) <= _LONGEST_LINE:
        yield line
    else:
        yield f"expected = {test.value}"
        yield f"assert {call} == expected"
