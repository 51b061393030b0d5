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
from tests.verifiers.sandbox.test_sandbox_traps import SLEEP, processes

from retroweave.pipeline.sandbox import Call, Limits, SandboxFailed
from retroweave.verifiers.sandbox.client import Channel, Died
from retroweave.verifiers.sandbox.frames import FRAME
from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox

GIVE = "def f(x):\n    return x\n"


def kill_once_busy(sandbox: LocalSandbox, times: int) -> threading.Thread:
    """Kill the fork server, as often as said, in the middle of a call."""

    def kill() -> None:
        for _ in range(times):
            pid = sandbox.pid
            assert pid is not None
            idle = 2 if len(processes(pid)) > 1 else 1
            while len(processes(pid)) <= idle:
                time.sleep(0.002)
            os.kill(pid, signal.SIGKILL)
            while sandbox.pid == pid or sandbox.pid is None:
                time.sleep(0.002)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_a_server_that_is_killed_in_mid_run_is_started_again_and_the_call_is_made() -> None:
    with open_sandbox() as sandbox:
        killer = kill_once_busy(sandbox, 1)
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
import threading
from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import open_sandbox
sandbox = open_sandbox()
print(sandbox.pid, flush=True)
sandbox.call({SLEEP!r}, "f", [Call((60,))])
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        server = int(parent.stdout.readline())
    idle = len(processes(server))
    while len(found := processes(server)) == idle and parent.poll() is None:
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
    server = processes(sandbox.pid)
    before = descriptors(), resident(os.getpid()), [resident(pid) for pid in server]
    for _ in range(500):
        sandbox.call(GIVE, "f", calls)
    assert descriptors() == before[0]
    assert resident(os.getpid()) - before[1] < 8 << 10
    assert processes(sandbox.pid) == server
    for pid, earlier in zip(server, before[2], strict=True):
        assert resident(pid) - earlier < 2 << 10


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
