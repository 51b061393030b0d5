"""What comes of a call: values, exceptions, limits, changed arguments, coverage; each the same at every run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retroweave.pipeline.sandbox import Call, Limits, Outcome, Sandbox, SandboxFailed
from retroweave.verifiers.sandbox.local import LocalSandbox


def one(sandbox: LocalSandbox, source: str, *args: object, limits: Limits = Limits()) -> Outcome:  # noqa: B008
    (outcome,) = sandbox.call(source, "f", [Call(args)], limits)
    return outcome


def test_the_sandbox_is_what_pipelines_ask_for(sandbox: LocalSandbox) -> None:
    asked: Sandbox = sandbox
    assert asked.layers["files"]


def test_a_call_returns_a_value(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "def f(x):\n    y = x + 1\n    return y\n", 2)
    assert outcome == Outcome("returned", 3, steps=2)


def test_a_value_that_is_not_plain_is_told_by_its_repr(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "def f():\n    return [range(3)]\n")
    assert (outcome.value, outcome.plain) == ("[range(0, 3)]", False)


def test_a_subclass_is_not_plain_whatever_it_says_of_itself(sandbox: LocalSandbox) -> None:
    source = """
class Int(int):
    __class__ = int
    def __eq__(self, other):
        return True
def f():
    return Int(3)
"""
    assert not one(sandbox, source).plain


def test_an_exception_is_told_with_type_message_and_line(sandbox: LocalSandbox) -> None:
    source = "class Odd(Exception):\n    pass\n\ndef f(x):\n    g(x)\n\ndef g(x):\n    raise Odd('no', x)\n"
    outcome = one(sandbox, source, 1)
    assert (outcome.ended, outcome.error, outcome.message, outcome.line) == ("raised", "Odd", "('no', 1)", 8)


def test_the_line_is_the_last_one_of_the_source_where_a_library_raised(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "import json\ndef f():\n    return json.loads('{')\n")
    assert (outcome.error, outcome.line) == ("JSONDecodeError", 3)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_what_ends_a_program_is_an_exception_like_others(sandbox: LocalSandbox, name: str) -> None:
    outcome = one(sandbox, f"def f():\n    raise {name}('x')\n")
    assert (outcome.ended, outcome.error) == ("raised", name)


def test_an_exception_that_cannot_be_told_has_no_message(sandbox: LocalSandbox) -> None:
    source = "class E(Exception):\n    def __str__(self):\n        raise self\ndef f():\n    raise E\n"
    assert one(sandbox, source) == Outcome("raised", error="E", line=5, steps=1)


def test_a_source_that_does_not_parse_gives_each_call_its_syntax_error(sandbox: LocalSandbox) -> None:
    outcomes = sandbox.call("x = 1\ndef f(:\n", "f", [Call(), Call()])
    assert [(outcome.error, outcome.line) for outcome in outcomes] == [("SyntaxError", 2)] * 2


def test_a_source_that_raises_gives_each_call_what_it_raised(sandbox: LocalSandbox) -> None:
    outcomes = sandbox.call("x = 1\n1 / 0\n", "f", [Call(), Call()])
    assert [(outcome.error, outcome.line) for outcome in outcomes] == [("ZeroDivisionError", 2)] * 2


def test_a_source_without_the_function_is_a_name_error(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "g = 1\n")
    assert (outcome.error, outcome.message) == ("NameError", "The source defines no 'f'.")


def test_a_function_may_be_no_function(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "f = {}\n").message == "'dict' object is not callable"


def test_no_calls_are_no_outcomes(sandbox: LocalSandbox) -> None:
    assert sandbox.call("def f(): pass", "f", []) == []
    assert sandbox.variants([], "f", [Call()]) == []


def test_arguments_that_are_not_plain_are_refused_before_anything_runs(sandbox: LocalSandbox) -> None:
    with pytest.raises(TypeError, match="plain"):
        one(sandbox, "def f(x): pass", object())


# Arguments


def test_each_call_gets_arguments_of_its_own(sandbox: LocalSandbox) -> None:
    shared = [1]
    source = "def f(x):\n    x.append(2)\n    return x\n"
    first, second = sandbox.call(source, "f", [Call((shared,)), Call((shared,))])
    assert first.value == second.value == [1, 2]
    assert shared == [1]


def test_changed_arguments_are_told(sandbox: LocalSandbox) -> None:
    source = "def f(x, y, *, z):\n    x.sort()\n    z['k'] = (1,)\n    if y:\n        raise ValueError\n"
    for raises in (False, True):
        (outcome,) = sandbox.call(source, "f", [Call(([3, 1], raises), {"z": {}})])
        assert outcome.args == ([1, 3], raises)
        assert outcome.kwargs == {"z": {"k": (1,)}}


def test_a_changed_type_is_a_change(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "def f(x):\n    x[0] = True\n", [1]).args == ([True],)


def test_a_changed_order_of_keys_is_a_change(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "def f(x):\n    x['a'] = x.pop('a')\n", {"a": 1, "b": 2})
    assert outcome.args is not None
    assert list(outcome.args[0]) == ["b", "a"]


def test_arguments_made_into_something_else_are_told_by_their_repr(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "def f(x):\n    x.append(range(2))\n", [1]).args == ("[1, range(0, 2)]",)


def test_arguments_that_were_not_changed_are_not_told(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "def f(x):\n    return sorted(x)\n", [3, 1]).args is None


# Limits


def test_the_step_count_ends_a_loop(sandbox: LocalSandbox) -> None:
    outcomes = sandbox.call(
        "def f(n):\n    while n:\n        n += 1\n    return n\n", "f", [Call((1,)), Call((0,))], Limits(steps=1000)
    )
    assert [outcome.ended for outcome in outcomes] == ["steps", "returned"]
    assert outcomes[0].steps == 1000


def test_a_call_of_just_so_many_lines_is_let_through(sandbox: LocalSandbox) -> None:
    source = "def f():\n    for _ in range(10):\n        pass\n    return 1\n"
    steps = one(sandbox, source).steps
    assert one(sandbox, source, limits=Limits(steps=steps)).ended == "returned"
    assert one(sandbox, source, limits=Limits(steps=steps - 1)).ended == "steps"


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "while True:\n        pass",
        "while 1: continue",
        "while not None: ...",
        "while True: pass; pass",
        "for _ in iter(int, 1): pass",
        "[0 for _ in iter(int, 1)]",
        "any(0 for _ in iter(int, 1))",
        "import itertools\n    for _ in itertools.count(): pass",
        "max(iter(lambda: 1, 2))",
    ],
)
def test_every_loop_in_python_runs_lines(sandbox: LocalSandbox, loop: str) -> None:
    assert one(sandbox, f"def f():\n    {loop}\n", limits=Limits(steps=5000, seconds=60.0)).ended == "steps"


def test_lines_of_the_library_count(sandbox: LocalSandbox) -> None:
    source = "import random\ndef f():\n    return random.Random(1).sample(range(100), 50)\n"
    assert one(sandbox, source).steps > 50
    assert one(sandbox, source, limits=Limits(steps=20)).ended == "steps"


def test_a_function_is_counted_though_the_import_system_had_the_same(sandbox: LocalSandbox) -> None:
    twin = "def g():\n    return 1\n"
    source = f"""{twin}
def f(name):
    names = {{}}
    exec(compile({twin!r}, name, "exec"), names)
    names["g"]()
    return g()
"""
    steps = {name: one(sandbox, source, name).steps for name in ("<frozen importlib.twin>", "elsewhere")}
    assert steps == {"<frozen importlib.twin>": 5, "elsewhere": 7}


def test_a_source_that_never_ends_is_ended_by_its_lines(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "x = 1\nwhile x:\n    x += 1\n", limits=Limits(steps=1000)).ended == "steps"


def test_the_clock_is_a_failure_and_no_verdict(sandbox: LocalSandbox) -> None:
    with pytest.raises(SandboxFailed, match=r"0\.2 s of wall clock ran out"):
        one(sandbox, "def f():\n    return sum(iter(int, 1))\n", limits=Limits(seconds=0.2))
    assert one(sandbox, "def f():\n    return 1\n").value == 1


def test_recursion_without_end_ends_in_depth(sandbox: LocalSandbox) -> None:
    outcome = one(sandbox, "def f(x):\n    return f(x + 1)\n", 0)
    assert (outcome.ended, outcome.error, outcome.line) == ("depth", "RecursionError", 2)


def test_too_much_memory_ends_in_memory(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "def f():\n    return len(bytearray(1 << 30))\n").ended == "memory"


def test_a_value_too_large_to_bring_back_ends_in_output(sandbox: LocalSandbox) -> None:
    outcomes = sandbox.call("def f(n):\n    return 'x' * n\n", "f", [Call((2 << 20,)), Call((3,))])
    assert [outcome.ended for outcome in outcomes] == ["output", "returned"]


def test_what_is_brought_back_is_bounded_for_all_calls_together(sandbox: LocalSandbox) -> None:
    calls = [Call((600,)) for _ in range(4)]
    outcomes = sandbox.call("def f(n):\n    return 'x' * n\n", "f", calls, Limits(output=1500))
    assert "output" in {outcome.ended for outcome in outcomes}


def test_a_death_is_told_and_the_other_calls_go_on(sandbox: LocalSandbox) -> None:
    source = """
import ctypes, os
def f(n):
    if n == 1:
        ctypes.string_at(0)
    if n == 2:
        os._exit(7)
    return n
"""
    outcomes = sandbox.call(source, "f", [Call((n,)) for n in range(4)])
    assert [outcome.ended for outcome in outcomes] == ["returned", "crashed", "crashed", "returned"]
    assert outcomes[1].message == "ended by SIGSEGV"
    assert outcomes[2].message == "ended with exit code 7"


def test_a_source_that_dies_is_a_crash_of_each_call(sandbox: LocalSandbox) -> None:
    outcomes = sandbox.call("import os\nos._exit(0)\n", "f", [Call(), Call()])
    assert [outcome.ended for outcome in outcomes] == ["crashed", "crashed"]


def test_printing_is_kept_and_cut(sandbox: LocalSandbox) -> None:
    source = "def f(n):\n    print('a' * n)\n"
    assert one(sandbox, source, 3).printed == "aaa\n"
    assert one(sandbox, source, 5000).printed == "a" * 1000
    assert one(sandbox, source, 2 << 20).ended == "output"


def test_there_is_nothing_to_read_from_standard_input(sandbox: LocalSandbox) -> None:
    assert one(sandbox, "def f():\n    return input()\n").error == "EOFError"


# The same at every run

BUSY = """
import random, re

def f(words):
    found = {word: random.random() for word in set(words)}
    return [re.sub("a", "b", word) for word in found], sum(found.values())
"""


@settings(max_examples=25)
@given(st.lists(st.text(), max_size=8))
def test_a_call_gives_the_same_at_every_run(sandbox: LocalSandbox, words: list[str]) -> None:
    calls = [Call((words,)), Call((words[::-1],))]
    first = sandbox.call(BUSY, "f", calls)
    assert sandbox.call(BUSY, "f", calls) == first
    assert first[0].steps > 0


def test_outcomes_do_not_hang_on_the_parent_s_hash_seed() -> None:
    script = f"""
from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import open_sandbox
with open_sandbox() as sandbox:
    print(sandbox.call({BUSY!r}, "f", [Call((list("abcdefgh"),))]))
"""
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_calls_of_a_batch_see_what_earlier_ones_did(sandbox: LocalSandbox) -> None:
    source = "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)\n"
    assert [outcome.value for outcome in sandbox.call(source, "f", [Call()] * 3)] == [1, 2, 3]
    assert one(sandbox, source).value == 1


# Variants


def test_variants_have_modules_of_their_own(sandbox: LocalSandbox) -> None:
    sources = [f"seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen) * {n}\n" for n in range(5)]
    found = sandbox.variants(sources, "f", [Call((1,)), Call((2,))])
    assert [[outcome.value for outcome in outcomes] for outcomes in found] == [[n, 2 * n] for n in range(5)]


def test_a_variant_gives_what_it_gives_alone_though_others_never_end_or_die(sandbox: LocalSandbox) -> None:
    bodies = ["return x", "while x: pass", "import os; os._exit(1)", "return x / 0", "def", "return f(x)", "return [x]"]
    sources = [f"def f(x):\n    {body}\n" for body in bodies]
    calls = [Call((1,)), Call((2,))]
    limits = Limits(steps=2000)
    assert sandbox.variants(sources, "f", calls, limits) == [sandbox.call(one, "f", calls, limits) for one in sources]


# Coverage


def test_coverage_tells_lines_and_jumps_of_each_call(sandbox: LocalSandbox) -> None:
    source = "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y\n"
    outcomes, covered = sandbox.covered(source, "f", [Call((1,)), Call((0,))])
    assert [outcome.value for outcome in outcomes] == [1, 2]
    assert covered[0].lines == {2, 3, 6}
    assert covered[0].arcs == {(0, 2), (2, 3), (3, 6), (6, -1)}
    assert covered[1].arcs == {(0, 2), (2, 5), (5, 6), (6, -1)}


def test_coverage_of_a_generator_goes_on_where_it_paused(sandbox: LocalSandbox) -> None:
    source = "def g():\n    yield 1\n    x = 2\n    yield x\n\ndef f():\n    return list(g())\n"
    _, (covered,) = sandbox.covered(source, "f", [Call()])
    assert {arc for arc in covered.arcs if 0 < arc[1] < 5 or arc[0] in (2, 3, 4)} >= {(0, 2), (2, 3), (3, 4), (4, -1)}
    assert (2, -1) not in covered.arcs
    assert (0, 3) not in covered.arcs


def test_coverage_of_a_call_that_raises_ends_where_it_raised(sandbox: LocalSandbox) -> None:
    _, (covered,) = sandbox.covered("def f():\n    x = 1\n    raise ValueError\n", "f", [Call()])
    assert covered.arcs == {(0, 2), (2, 3), (3, -1)}


def test_coverage_counts_the_same_steps(sandbox: LocalSandbox) -> None:
    calls = [Call((list("hello"),))]
    (counted,) = sandbox.call(BUSY, "f", calls)
    (mapped,), _ = sandbox.covered(BUSY, "f", calls)
    assert counted == mapped


def test_a_loop_that_is_ended_has_coverage_too(sandbox: LocalSandbox) -> None:
    (outcome,), (covered,) = sandbox.covered("def f(x):\n    while x:\n        x += 1\n", "f", [Call((1,))])
    assert outcome.ended == "steps"
    assert covered.lines == {2, 3}
