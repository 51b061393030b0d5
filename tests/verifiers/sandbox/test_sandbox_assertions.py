"""Test code that a model wrote: which assertions ran and held, decided by the parent and not by the test."""

from __future__ import annotations

import pytest

from retroweave.pipeline.sandbox import Limits, SandboxFailed
from retroweave.verifiers.sandbox.assertions import Deposition, run_tests
from retroweave.verifiers.sandbox.local import LocalSandbox

SOURCE = """
count = 0

def add(a, b=1):
    global count
    count += 1
    if a is None:
        raise ValueError("no number")
    if a == "loop":
        while a: pass
    if a == "die":
        import os
        os._exit(0)
    if a == "count":
        return count
    if a == "odd":
        return range(3)
    return a + b
"""


def heard(sandbox: LocalSandbox, tests: str, source: str = SOURCE) -> Deposition:
    return run_tests(sandbox, source, "add", tests, Limits(steps=20_000, seconds=30.0))


def held(deposition: Deposition) -> list[bool | None]:
    return [one.held for one in deposition.assertions]


def test_assertions_are_told_with_their_line_and_whether_they_held(sandbox: LocalSandbox) -> None:
    found = heard(
        sandbox, "def test_one():\n    assert add(1, 2) == 3\n    assert add(1) == 3\n    assert add(0) == 1\n"
    )
    assert [(one.line, one.text, one.ran, one.held) for one in found.assertions] == [
        (2, "add(1, 2) == 3", 1, True),
        (3, "add(1) == 3", 1, False),
        (4, "add(0) == 1", 0, None),
    ]
    assert not found.stands


def test_tests_that_all_ran_and_held_stand(sandbox: LocalSandbox) -> None:
    found = heard(sandbox, "from solution import add\ndef test_one():\n    assert add(1, 2) == 3\nassert add(1) == 2\n")
    assert found.stands
    assert [outcome.value for _, outcome in found.calls] == [2, 3]


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        ("add(1) != 3", True),
        ("add(1) < 3", True),
        ("add(1) >= 3", False),
        ("add(1) in [1, 2]", True),
        ("add(1) not in {2}", False),
        ("add(1) is None", False),
        ("add(1)", True),
        ("not add(1)", False),
        ("add(0.1, 0.2) == pytest.approx(0.3)", True),
        ("pytest.approx(0.3, abs=0.001) == add(0.1, 0.3)", False),
        ("add(1) == 2.0", True),
        ("add([1], [2]) == [1, 2]", True),
    ],
)
def test_every_kind_of_comparison_is_decided_here(sandbox: LocalSandbox, assertion: str, holds: bool) -> None:
    assert held(heard(sandbox, f"import pytest\nassert {assertion}\n")) == [holds]


def test_an_exception_that_is_expected_holds_by_what_the_function_raised(sandbox: LocalSandbox) -> None:
    tests = """
import pytest
def test_right():
    with pytest.raises(ValueError, match="no"):
        add(None)
def test_wrong():
    with pytest.raises(KeyError):
        add(None)
def test_none():
    with pytest.raises(ValueError):
        add(1)
"""
    found = heard(sandbox, tests)
    assert held(found) == [True, None, None]
    assert [one.direct for one in found.assertions] == [True, False, False]
    assert [name for name, ended, _ in found.tests if ended == "raised"] == ["test_wrong", "test_none"]


def test_cases_and_methods_run(sandbox: LocalSandbox) -> None:
    tests = """
import pytest
@pytest.mark.parametrize("a, b", [(1, 2), (3, 4)])
def test_cases(a, b):
    assert add(a, b) == a + b
@pytest.mark.parametrize("a", [1, 2])
class TestAdd:
    def test_method(self):
        assert add(1) == 2
"""
    found = heard(sandbox, tests)
    assert [one.ran for one in found.assertions] == [2, 1]
    assert found.stands


def test_an_assertion_that_no_call_stands_behind_is_not_direct(sandbox: LocalSandbox) -> None:
    found = heard(sandbox, "add(1)\nassert True\nassert add(1) == 2\nassert 2 == 2\nassert len([add(1)]) == 1\n")
    assert held(found) == [True] * 4
    assert [one.direct for one in found.assertions] == [False, True, False, False]
    assert not found.stands


def test_a_test_file_without_assertions_does_not_stand(sandbox: LocalSandbox) -> None:
    assert not heard(sandbox, "def test_one():\n    add(1)\n").stands


def test_the_function_keeps_its_module_between_calls(sandbox: LocalSandbox) -> None:
    assert held(heard(sandbox, "add(1)\nadd(1)\nassert add('count') == 3\n")) == [True]


def test_a_call_that_ends_its_process_ends_the_test_and_not_the_file(sandbox: LocalSandbox) -> None:
    for word, how in (("loop", "steps"), ("die", "crashed"), ("odd", "not plain")):
        tests = f"""
def test_one():
    try:
        add({word!r})
    except BaseException:
        raise
    assert add(1) == 2
def test_two():
    assert add(2) == 3
"""
        found = heard(sandbox, tests)
        assert held(found) == [None, True]
        assert found.tests[1][1] == how


PUPPET = """
import gc
watcher = next(found for found in gc.get_objects() if type(found).__name__ == "Watcher")
def tell(place, sign, left, right):
    watcher._tell("assert", place, sign, left, right, True)
"""
"""Gives test code the very words of the watcher, so that it can lie to the parent as fluently as that."""
SILENT = "globals()['__watch__'] = lambda *_: None\n"
LIES = {
    "say nothing": "globals()['__watch__'] = lambda *_: None\nassert add(1) == 3\n",
    "leave before": "import os\nos._exit(0)\nassert add(1) == 3\n",
    "catch it": "try:\n    assert add(1) == 3\nexcept AssertionError:\n    pass\n",
    "replace the function": "add = lambda a: 3\nassert add(1) == 3\n",
    "tell other values": f"{PUPPET}tell(0, '==', 3, 3)\nassert add(1) == 3\n",
    "tell other values later": f"{PUPPET}add(1)\ntell(0, '==', 3, 3)\n{SILENT}assert add(1) == 3\n",
    "tell another right side": f"{PUPPET}add(1)\ntell(0, '==', 2, 2)\n{SILENT}assert add(1) == 3\n",
    "tell another comparison": f"{PUPPET}add(1)\ntell(0, '!=', 2, 3)\n{SILENT}assert add(1) == 3\n",
    "tell a truth": f"{PUPPET}add(1)\ntell(0, 'true', 2, None)\n{SILENT}assert add(1) == 3\n",
    "tell that it is near": f"{PUPPET}add(1)\ntell(0, 'approx', 2, [2, 9])\n{SILENT}assert add(1) == 3\n",
    "write another plan": (
        f"{PUPPET}watcher._tell('plan', [[1, 'add(1) == 2', '==', [2]]])\nadd(1)\ntell(0, '==', 2, 2)\n"
        f"{SILENT}assert add(1) == 3\n"
    ),
    "skip": "if False:\n    assert add(1) == 3\n",
}


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_of_the_test_code_makes_a_wrong_assertion_stand(sandbox: LocalSandbox, lie: str) -> None:
    assert not heard(sandbox, LIES[lie]).stands


@pytest.mark.parametrize(
    ("tests", "ended"),
    [
        ("def test(:", "raised"),
        ("while True: pass", "steps"),
        ("import os\nos._exit(3)", "crashed"),
        ("import os\nos.write(3, b'x\\n')\n", "crashed"),
        ("import ctypes\nctypes.string_at(0)", "crashed"),
        ("print('x' * (2 << 20))", "steps"),
        ("1 / 0", "returned"),
    ],
)
def test_how_the_test_code_itself_ended_is_told(sandbox: LocalSandbox, tests: str, ended: str) -> None:
    assert heard(sandbox, tests).ended == ended
    assert heard(sandbox, "assert add(1) == 2").stands


def test_a_source_that_does_not_parse_raises_in_each_call(sandbox: LocalSandbox) -> None:
    found = heard(sandbox, "assert add(1) == 2", source="def add(:")
    assert [outcome.error for _, outcome in found.calls] == ["SyntaxError"]
    assert held(found) == [None]


def test_the_clock_of_the_tests_is_a_failure_too(sandbox: LocalSandbox) -> None:
    with pytest.raises(SandboxFailed, match="wall clock"):
        run_tests(sandbox, SOURCE, "add", "import time\ntime.sleep(100)\n", Limits(seconds=0.3))
    assert heard(sandbox, "assert add(1) == 2").stands


def test_test_code_cannot_touch_the_machine(sandbox: LocalSandbox) -> None:
    tests = "import os\ntry:\n    open('/etc/passwd')\nexcept OSError as error:\n    assert add(1) == 2\n"
    assert heard(sandbox, tests).stands
