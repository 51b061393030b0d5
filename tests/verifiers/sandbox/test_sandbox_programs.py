"""One trusted program on files that nobody trusts: its log comes back, and nothing else gets out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.verifiers.sandbox.conftest import IS_ROOT, baited
from tests.verifiers.sandbox.ordinary import as_ordinary_user

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.sandbox import SandboxFailed
from retroweave.verifiers.sandbox.layers import LANDLOCK, NAMESPACES, ROOT, SECCOMP
from retroweave.verifiers.sandbox.local import LocalSandbox
from retroweave.verifiers.sandbox.programs import ProgramResult, run_program

WAYS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "user": {"popen": as_ordinary_user},
    "no Landlock": {"without": {LANDLOCK}},
    "user without namespaces": {"popen": as_ordinary_user, "without": {NAMESPACES}},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    return WAYS[request.param]


def python(script: str, way: dict[str, Any], **known: Any) -> ProgramResult:
    files = {"script.py": script, **known.pop("files", {})}
    return run_program([sys.executable, "script.py"], files, known.pop("seconds", 30.0), **way, **known)


def test_a_program_reads_its_files_and_writes_others(way: dict[str, Any]) -> None:
    script = """
import sys, tempfile
from inner import mod
open('out', 'w').write(mod.X)
sys.stderr.write('err')
print(tempfile.mkdtemp()[:4])
sys.exit(3)
"""
    done = python(script, way, files={"inner/mod.py": "X = 'x'\n"}, wanted=["out", "missing"])
    assert (done.code, done.err, done.files) == (3, "err", {"out": b"x"})
    assert done.out in ("/scr\n", "/tmp\n")


def test_pytest_runs_and_its_log_comes_back(sandbox: LocalSandbox) -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    files = {
        "it.py": "def f(x):\n    return x\n",
        "test_it.py": "from it import f\ndef test_f():\n    assert f(1) == 2\n",
    }
    done = sandbox.run_program(argv, files, 60.0, environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert done.code == 1
    assert "E       assert 1 == 2" in done.out


ATTACKS = {
    "read a file": "open({file!r})",
    "read users": "open('/etc/passwd')",
    "list the root": "import os\nassert {folder!r}[5:] in os.listdir('/tmp')",
    "write a file": "open({marker!r}, 'w')",
    "write to the library": "import os\nopen(os.__file__, 'a')",
    "signal": "import os\nos.kill({pid}, 9)",
    "fork": "import os\nos.fork()",
    "start a program": "import subprocess\nsubprocess.run(['/bin/true'])",
    "start a thread": "import _thread\n_thread.start_new_thread(print, ())",
    "connect": "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
    "connect to a local socket": "import socket\nsocket.socket(socket.AF_UNIX).connect({local!r})",
    "find processes": "import os\nassert '{pid}' in os.listdir('/proc')",
    "read the environment": "import os\nprint(os.environ['RETROWEAVE_SECRET'])",
    "take memory": "bytearray(3 << 30)",
    "fill the disk": "for n in range(100):\n    open(str(n), 'wb').write(bytes(8 << 20))",
    "make a user namespace": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "keep a descriptor": "import os\nos.write(3, b'x')",
}


@pytest.mark.parametrize("attack", [name for name in ATTACKS if name != "fill the disk"])
def test_an_attack_by_a_program_fails(attack: str, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROWEAVE_SECRET", "secret")
    with baited() as bait:
        script = ATTACKS[attack].format(**vars(bait))
        done = python(f"{script}\nprint('WORKED')\n", way)
        assert "WORKED" not in done.out
        assert "Error" in done.err
        assert not os.path.lexists(bait.marker)


def test_a_scratch_folder_of_its_own_has_an_end() -> None:
    assert "No space left" in python(ATTACKS["fill the disk"], {}).err


def test_only_plain_files_are_brought_back(way: dict[str, Any]) -> None:
    script = "import os\nos.mkdir('folder')\nos.symlink('/etc/passwd', 'link') if hasattr(os, 'symlink') else 0\n"
    done = python(f"try:\n    exec({script!r})\nexcept OSError:\n    pass\n", way, wanted=["folder", "link"])
    assert done.files == {}


def test_a_program_that_never_ends_is_a_failure() -> None:
    with pytest.raises(SandboxFailed, match=r"0\.5 s"):
        python("while True: pass", {}, seconds=0.5)


def test_a_program_that_closes_its_output_and_stays_is_a_failure() -> None:
    with pytest.raises(SandboxFailed, match="wall clock"):
        python("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(100)", {}, seconds=1.0)


def test_a_program_that_writes_without_end_is_a_failure() -> None:
    with pytest.raises(SandboxFailed, match="more than"):
        python("while True: print('x' * 1000)", {}, output=1 << 20)


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "", "a/../../b"])
def test_a_file_lies_in_the_program_s_folder(name: str) -> None:
    with pytest.raises(UserError, match="its own folder"):
        run_program([sys.executable], {name: "x"}, 1.0)


def test_where_a_property_cannot_be_had_no_program_is_started() -> None:
    with pytest.raises(UserError, match="processes"):
        python("print(1)", {"without": {SECCOMP}})
    with pytest.raises(UserError, match="files"):
        python("print(1)", {"without": {ROOT, LANDLOCK}})


def test_a_program_that_is_not_there_says_so() -> None:
    assert "could not be started" in run_program(["/no/such/program"], {}, 10.0).err


def test_no_folder_is_left_behind(way: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    if IS_ROOT and "without" in way:
        pytest.skip("the folders above this one are root's")
    assert python("print(1)", way).out == "1\n"
    assert list(tmp_path.iterdir()) == []
