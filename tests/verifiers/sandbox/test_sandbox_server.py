"""The fork server: it comes back when it dies, goes when its parent goes, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.verifiers.sandbox.conftest import IS_ROOT
from tests.verifiers.sandbox.test_sandbox_traps import SLEEP, processes, slept, waiting

from retroweave.pipeline.sandbox import Call, Limits, SandboxFailed
from retroweave.verifiers.sandbox.assertions import run_tests
from retroweave.verifiers.sandbox.client import Channel, Died
from retroweave.verifiers.sandbox.frames import FRAME
from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox

GIVE = "def f(x):\n    return x\n"


def kill_once_busy(sandbox: LocalSandbox) -> threading.Thread:
    """Kill the fork server in the middle of a call."""
    child = waiting(sandbox)[-1]
    before = slept(child)

    def kill() -> None:
        while slept(child) == before:
            time.sleep(0.002)
        assert sandbox.pid is not None
        os.kill(sandbox.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_a_server_that_is_killed_in_mid_run_is_started_again_and_the_call_is_made() -> None:
    with open_sandbox() as sandbox:
        killer = kill_once_busy(sandbox)
        (outcome,) = sandbox.call(SLEEP, "f", [Call((0.4,))])
        killer.join()
        assert outcome.value == 1
        assert sandbox.starts == 2


def test_a_closed_sandbox_starts_again_when_it_is_called() -> None:
    sandbox = open_sandbox()
    sandbox.close()
    assert sandbox.pid is None or not Path(f"/proc/{sandbox.pid}").exists()
    assert sandbox.call(GIVE, "f", [Call((1,))])[0].value == 1
    sandbox._server.stop()


def gone(pids: list[int]) -> bool:
    """Whether processes have ended, in the moment that it may take."""
    for _ in range(1000):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.01)
    return False


def test_closing_ends_every_process() -> None:
    sandbox = open_sandbox()
    assert sandbox.pid is not None
    found = processes(sandbox.pid)
    sandbox.close()
    assert gone(found)


def test_the_server_and_its_child_go_when_the_parent_is_killed() -> None:
    script = f"""
import sys
from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import open_sandbox
sandbox = open_sandbox()
sandbox.call({SLEEP!r}, "f", [Call((0,))])
print(sandbox.pid, flush=True)
sys.stdin.readline()
sandbox.call({SLEEP!r}, "f", [Call((60,))])
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdin is not None
    with parent.stdout, parent.stdin:
        server = int(parent.stdout.readline())
        while len(found := processes(server)) < 3 or slept(found[-1]) < 1:  # it waits for its request
            time.sleep(0.005)
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        while slept(found[-1]) < 2:  # now it runs
            time.sleep(0.005)
        parent.kill()
        parent.wait()
    assert gone(found)


def test_ctrl_c_leaves_nothing_half_read(sandbox: LocalSandbox) -> None:
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it for us
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sandbox.call(SLEEP, "f", [Call((5,))])
    timer.join()
    signal.signal(signal.SIGINT, before)
    assert sandbox.call(GIVE, "f", [Call((2,))])[0].value == 2


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def resident(pid: int) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def test_neither_descriptors_nor_memory_grow_over_five_hundred_calls(sandbox: LocalSandbox) -> None:
    calls = [Call(([1, 2, 3],)), Call(("x" * 1000,))]
    for _ in range(100):
        sandbox.call(GIVE, "f", calls)
    assert sandbox.pid is not None
    server = waiting(sandbox)[:-1]
    before = descriptors(), resident(os.getpid()), [resident(pid) for pid in server]
    for _ in range(500):
        sandbox.call(GIVE, "f", calls)
    assert descriptors() == before[0]
    assert resident(os.getpid()) - before[1] < 8 << 10
    assert waiting(sandbox)[:-1] == server
    for pid, earlier in zip(server, before[2], strict=True):
        assert resident(pid) - earlier < 2 << 10


@pytest.mark.skipif(not IS_ROOT, reason="only root may look into the memory of processes that hide it")
def test_a_child_that_waits_holds_nothing_of_the_calls_before_it(each_sandbox: LocalSandbox) -> None:
    marks = [f"-{part}-{os.urandom(8).hex()}-" for part in ("source", "argument", "value")]
    source = f"mark = {marks[0]!r}\ndef f(x):\n    return x[:3] + {marks[2]!r}[3:], mark\n"
    for _ in range(20):
        each_sandbox.call(source, "f", [Call((marks[1],))])
    run_tests(each_sandbox, source, "f", f"def test_f():\n    assert f({marks[1]!r})[1] == {marks[0]!r}\n")
    server, child = waiting(each_sandbox)[-2:]
    for pid in (server, child):
        held = memory(pid)
        assert b"retroweave" in held
        texts = [mark[1:].encode() for mark in marks]
        assert [text for text in texts if text in held or text.hex().encode() in held] == []


def memory(pid: int) -> bytes:
    """What a process may write to."""
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            start, end = (int(number, 16) for number in place.split("-"))
            if rights.startswith("rw"):
                file.seek(start)
                parts.append(file.read(end - start))
    return b"".join(parts)


def test_each_request_has_a_child_with_limits_of_its_own(sandbox: LocalSandbox) -> None:
    source = "def f(size):\n    return len(bytearray(size))\n"
    call = [Call((200 << 20,))]
    for most, ended in ((512, "returned"), (128, "memory"), (512, "returned"), (512, "returned"), (128, "memory")):
        assert sandbox.call(source, "f", call, Limits(memory=most << 20))[0].ended == ended


def test_a_child_that_is_killed_as_it_waits_is_a_failure_and_no_verdict(sandbox: LocalSandbox) -> None:
    os.kill(waiting(sandbox)[-1], signal.SIGKILL)
    with pytest.raises(SandboxFailed, match="SIGKILL"):
        sandbox.call(GIVE, "f", [Call((1,))])
    assert sandbox.call(GIVE, "f", [Call((1,))])[0].value == 1


def test_a_request_larger_than_a_pipe_arrives_whole(sandbox: LocalSandbox) -> None:
    text = "".join(map(chr, range(97, 123))) * 20_000
    (outcome,) = sandbox.call("def f(x):\n    return len(x), x[-1]\n", "f", [Call((text,))])
    assert outcome.value == (len(text), "z")


def test_threads_take_turns(sandbox: LocalSandbox) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: sandbox.call(GIVE, "f", [Call((n,))])[0].value, range(40)))
    assert found == list(range(40))


def test_a_process_that_is_forked_off_gets_a_server_of_its_own(sandbox: LocalSandbox) -> None:
    assert sandbox.call(GIVE, "f", [Call((1,))])[0].value == 1
    server = sandbox.pid
    child = os.fork()
    if child == 0:
        try:
            fine = sandbox.call(GIVE, "f", [Call((2,))])[0].value == 2 and sandbox.pid != server
            sandbox.close()
            os._exit(0 if fine else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert sandbox.call(GIVE, "f", [Call((3,))])[0].value == 3
    assert sandbox.pid == server


def test_a_deadline_holds_for_a_whole_batch_though_its_calls_die(sandbox: LocalSandbox) -> None:
    source = "import os, time\ndef f():\n    time.sleep(0.15)\n    os._exit(1)\n"
    with pytest.raises(SandboxFailed, match="wall clock"):
        sandbox.call(source, "f", [Call()] * 20, Limits(seconds=0.4))


def test_a_frame_that_is_too_large_is_refused_before_it_is_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(FRAME.pack(b"d", 1 << 30))
        with pytest.raises(Died, match="1,073,741,824"):
            Channel(ours).frame(time.monotonic() + 10)


def test_a_server_that_says_nothing_is_not_waited_for_without_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(Died, match="did not answer"):
        Channel(ours).frame(time.monotonic() + 0.05)


def test_a_server_that_cannot_start_is_a_failure_with_its_own_words() -> None:
    def popen(command: list[str], **known: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command[:-1], '{"without": [], "visible": 3, "testing": false}'], **known)  # type: ignore[call-overload,no-any-return]

    with pytest.raises(SandboxFailed, match="TypeError"):
        LocalSandbox(popen=popen).start()
