"""Six traps into which sandboxes of this kind have fallen, and what else a child must not reach."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.verifiers.sandbox.conftest import IS_ROOT

from retroweave.pipeline.sandbox import Call, Limits, SandboxFailed
from retroweave.verifiers.sandbox.layers import NAMESPACES, NOBODY, USER
from retroweave.verifiers.sandbox.local import LocalSandbox

SLEEP = "import time\ndef f(seconds):\n    time.sleep(seconds)\n    return 1\n"


def processes(root: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return [root, *(pid for child in children for pid in processes(int(child)))]


def slept(pid: int) -> int:
    """How often a process went to sleep."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches:")).split()[1])


def waiting(sandbox: LocalSandbox) -> list[int]:
    """The processes of a sandbox that has nothing to do: last the child that waits for a request with usual limits."""
    sandbox.call(SLEEP, "f", [Call((0,))])
    assert sandbox.pid is not None
    servers = 1 if NAMESPACES in sandbox.missing else 2  # one more stays outside of a namespace
    while len(found := processes(sandbox.pid)) <= servers or slept(found[-1]) == 0:
        time.sleep(0.002)
    return found


@contextmanager
def asleep(sandbox: LocalSandbox) -> Iterator[list[int]]:
    """The processes of a sandbox while a call is under way: the server's, and last the child's."""
    found = waiting(sandbox)
    before = slept(found[-1])
    caller = threading.Thread(target=sandbox.call, args=(SLEEP, "f", [Call((0.5,))]))
    caller.start()
    while slept(found[-1]) == before:
        time.sleep(0.005)
    try:
        yield found
    finally:
        caller.join()


def test_a_child_has_no_descriptor_but_the_one_it_reports_by(each_sandbox: LocalSandbox) -> None:
    source = """
import errno, os
def f():
    found = {}
    for place in range(256):
        try:
            os.get_inheritable(place)
            os.lseek(place, 0, 1)
            found[place] = "file"
        except OSError as error:
            if error.errno != errno.EBADF:
                found[place] = "pipe" if error.errno == errno.ESPIPE else str(error)
    try:
        os.read(3, 1)
    except OSError as error:
        return found, errno.errorcode[error.errno]
"""
    (outcome,) = each_sandbox.call(source, "f", [Call()])
    nothing = "file"  # /dev/null can be wound
    assert outcome.value == ({0: nothing, 1: nothing, 2: nothing, 3: "pipe"}, "EBADF")


def test_what_a_child_writes_beside_its_outcomes_is_a_crash(each_sandbox: LocalSandbox) -> None:
    source = """
import os
def f(text):
    os.write(3, text)
    return 1
"""
    texts = [b"x", b"\n", b'["",{"value":1}]\n', b"[]\n", b"{}\n", b"\xff\n", b"[" * 5000 + b"\n"]
    outcomes = each_sandbox.call(source, "f", [Call((text,)) for text in texts])
    assert {outcome.ended for outcome in outcomes} == {"crashed"}


def test_no_limit_of_another_process_can_be_asked_for_or_set(each_sandbox: LocalSandbox) -> None:
    source = """
import os, resource
def f():
    found = []
    for pid in (1, os.getppid(), os.getpid() - 1):
        try:
            found.append(resource.prlimit(pid or 1, resource.RLIMIT_NOFILE))
        except (OSError, ValueError) as error:
            found.append(type(error).__name__)
    return found
"""
    (outcome,) = each_sandbox.call(source, "f", [Call()])
    assert set(outcome.value) <= {"PermissionError", "ProcessLookupError"}


def test_no_process_of_the_sandbox_that_runs_code_is_the_host_s_root(each_sandbox: LocalSandbox) -> None:
    with asleep(each_sandbox) as found:
        for pid in found[-2:]:  # the server, or within its namespace, and the child
            status = Path(f"/proc/{pid}/status").read_text()
            users = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
            rights = next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1]
            assert set(users) == {str(NOBODY if IS_ROOT else os.getuid())}
            assert int(rights, 16) == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root may look at the environment of processes that hide it")
def test_no_process_of_the_sandbox_has_the_parent_s_environment(each_sandbox: LocalSandbox) -> None:
    assert os.environ["RETROWEAVE_SECRET"]
    with asleep(each_sandbox) as found:
        for pid in found:
            assert Path(f"/proc/{pid}/environ").read_bytes() in (b"", b"PYTHONHASHSEED=0\0LD_BIND_NOW=1\0")


@pytest.mark.parametrize("text", ["b'x' * 65536", "b'[]\\n' * 20000"])
def test_output_without_end_does_not_grow_the_parent(each_sandbox: LocalSandbox, text: str) -> None:
    source = f"import os\ndef f():\n    while True:\n        os.write(3, {text})\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (outcome,) = each_sandbox.call(source, "f", [Call()])
    assert outcome.ended in ("output", "crashed", "steps")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_a_child_that_closes_its_pipe_is_not_taken_for_ended(each_sandbox: LocalSandbox) -> None:
    before = waiting(each_sandbox)
    source = "import os, time\ndef f():\n    os.close(3)\n    time.sleep(100)\n"
    with pytest.raises(SandboxFailed, match="wall clock"):
        each_sandbox.call(source, "f", [Call()], Limits(seconds=0.3))
    assert each_sandbox.pid is not None
    assert len(waiting(each_sandbox)) == len(before)


def test_no_child_ends_the_next_one(each_sandbox: LocalSandbox) -> None:
    """Which would be forked already, if it were forked too early."""
    source = """
import os
def f():
    for pid in range(os.getpid() + 1, os.getpid() + 20):
        try:
            os.kill(pid, 9)
        except OSError:
            pass
    return os.getpid()
"""
    starts = each_sandbox.starts
    found = [each_sandbox.call(source, "f", [Call()])[0].value for _ in range(5)]
    assert len(set(found)) == 5
    assert each_sandbox.starts == starts


def test_a_user_who_has_no_rights_is_told_in_the_manifest(each_sandbox: LocalSandbox) -> None:
    assert each_sandbox.layers["rights"].startswith(USER)
    assert set(each_sandbox.layers) == {"files", "network", "processes", "limits", "rights"}
    assert all("--unsafe" not in held for held in each_sandbox.layers.values())


def test_a_million_forged_outcomes_are_not_read(sandbox: LocalSandbox) -> None:
    source = """
import os, sys
nonce = sys._getframe(1).f_locals["self"]._report._nonce
def f():
    os.write(3, f'["{nonce}"{",{}" * 600_000}]\\n'.encode())
    os._exit(0)
"""
    began = time.process_time()
    outcomes = sandbox.call(source, "f", [Call(), Call()])
    assert [outcome.ended for outcome in outcomes] == ["returned", "crashed"]
    assert time.process_time() - began < 3.0
