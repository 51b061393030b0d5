"""The layers: what each filter lets through, what is refused where a property cannot be had, and what is said."""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import describe_sandbox, kernel, open_sandbox, probe, seccomp
from retroweave.verifiers.sandbox.kernel import MACHINE, NUMBERS
from retroweave.verifiers.sandbox.layers import (
    CAPABILITIES,
    LANDLOCK,
    NAMESPACES,
    RLIMITS,
    ROOT,
    SECCOMP,
    USER,
    is_open_to_all,
)

ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
HERE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}.get(MACHINE, 0)
ALL = {ROOT: "", NAMESPACES: "", LANDLOCK: "", SECCOMP: "", RLIMITS: "", CAPABILITIES: "", USER: ""}

known_machine = pytest.mark.skipif(not NUMBERS, reason="no filter is written for this machine")


def verdict(code: bytes, number: int, *arguments: int, architecture: int = HERE) -> int:
    """What the kernel would do: an interpreter of the few instructions that there are."""
    padded = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    place = loaded = 0
    while True:
        what, met, otherwise, value = struct.unpack_from("<HBBI", code, 8 * place)
        place += 1
        if what == 0x06:
            return int(value)
        if what == 0x20:
            (loaded,) = struct.unpack_from("<I", data, value)
            continue
        holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[what]
        place += met if holds else otherwise


SERVER = seccomp.allow_list(seccomp.CALLS | seccomp.OPENING | seccomp.SERVER).code if NUMBERS else b""
CHILD = seccomp.refuse_list(seccomp.CHILD_REFUSED).code if NUMBERS else b""


@known_machine
@given(st.integers(0, 2**32 - 1))
def test_a_call_that_is_not_on_the_list_is_refused(number: int) -> None:
    names = {name for name, found in NUMBERS.items() if found == number}
    allowed = seccomp.CALLS | seccomp.OPENING | seccomp.SERVER
    expected = ALLOW if names & allowed else ENOSYS if "clone3" in names else EPERM
    if not names & set(seccomp.ARGUMENTS):
        assert verdict(SERVER, number) == expected


@known_machine
@given(st.integers(0, 600), st.integers(0, 2**32 - 1).filter(lambda one: one != HERE))
def test_a_call_by_another_architecture_s_numbers_ends_the_process(number: int, architecture: int) -> None:
    assert verdict(SERVER, number, architecture=architecture) == KILL
    assert verdict(CHILD, number, architecture=architecture) == KILL


@known_machine
@pytest.mark.parametrize("flag", [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_no_clone_makes_a_namespace(flag: int) -> None:
    assert verdict(SERVER, NUMBERS["clone"], 17) == ALLOW
    assert verdict(SERVER, NUMBERS["clone"], 17 | flag) == EPERM
    assert verdict(CHILD, NUMBERS["clone"], 17) == EPERM


@known_machine
def test_a_process_changes_its_own_limits_and_no_others() -> None:
    assert verdict(SERVER, NUMBERS["prlimit64"], 0) == ALLOW
    assert verdict(SERVER, NUMBERS["prlimit64"], 1) == EPERM
    assert verdict(CHILD, NUMBERS["prlimit64"], 0) == EPERM


@known_machine
def test_no_descriptor_is_made_to_send_signals() -> None:
    assert verdict(SERVER, NUMBERS["fcntl"], 3, 1) == ALLOW
    for command in (8, 10, 15, 1024, 1026):  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
        assert verdict(SERVER, NUMBERS["fcntl"], 3, command) == EPERM


@known_machine
@pytest.mark.skipif(MACHINE != "x86_64", reason="only x86_64 has a second set of numbers")
def test_the_other_abi_of_x86_64_is_refused() -> None:
    assert verdict(SERVER, NUMBERS["read"] | 0x40000000) == EPERM


def headers(path: str) -> dict[str, int]:
    text = Path(path).read_text()
    found = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    named = re.findall(r"#define __NR_(\w+)\s+__NR3264_(\w+)", text)
    return found | {name: found[other] for name, other in named if other in found}


@pytest.mark.parametrize(
    ("column", "path"), [(0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), (1, "/usr/include/asm-generic/unistd.h")]
)
def test_system_calls_have_the_numbers_of_the_kernel_s_headers(column: int, path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"{path} is not installed")
    found = headers(path)
    assert {name: found.get(name) for name in kernel._BOTH} == {
        name: both[column] for name, both in kernel._BOTH.items()
    }


# Properties


@pytest.mark.parametrize(
    ("missing", "property"),
    [
        ({ROOT, LANDLOCK}, "files"),
        ({NAMESPACES, SECCOMP}, "network"),
        ({SECCOMP}, "processes"),
        ({RLIMITS}, "limits"),
        ({CAPABILITIES}, "files"),
    ],
)
def test_a_property_that_no_layer_holds_is_told_with_the_reason(missing: set[str], property: str) -> None:
    on = {name: how for name, how in ALL.items() if name not in missing}
    told = probe.not_held(probe.holders(on, blind=False), {}, dict.fromkeys(missing, "EPERM of it"))
    assert any(one.startswith(f"{property}:") and "EPERM of it" in one for one in told)


@pytest.mark.parametrize("missing", [set(), {NAMESPACES, ROOT}, {LANDLOCK}, {NAMESPACES, ROOT, "x"}])
def test_one_layer_of_two_is_enough(missing: set[str]) -> None:
    on = {name: how for name, how in ALL.items() if name not in missing}
    assert not probe.not_held(probe.holders(on, blind=False), {}, {})


def test_where_nothing_can_be_opened_files_are_held_by_that() -> None:
    on = {name: how for name, how in ALL.items() if name not in (NAMESPACES, ROOT, LANDLOCK)}
    assert not probe.not_held(probe.holders(on, blind=True), {}, {})


def test_a_property_that_an_attack_breaks_is_not_held_whatever_the_layers_say() -> None:
    told = probe.not_held(probe.holders(ALL, blind=False), {"network": ["reach a port"]}, {})
    assert told == ["network: that untrusted code reaches no network does not hold, for it could reach a port."]


def test_a_sandbox_without_a_property_is_refused_with_what_would_mend_it() -> None:
    with pytest.raises(UserError) as caught:
        open_sandbox(without=frozenset({SECCOMP}))
    for part in ("processes", "switched off", "docker run", "--unsafe"):
        assert part in str(caught.value)


def test_the_attacks_of_the_start_find_what_is_open() -> None:
    with open_sandbox(unsafe=True, without=frozenset(ALL)) as sandbox:
        broken = sandbox._attack()
    assert {name for name, attacks in broken.items() if attacks} == set(probe.PROPERTIES)


def test_unsafe_goes_without_and_says_so() -> None:
    with open_sandbox(unsafe=True, without=frozenset({SECCOMP, RLIMITS})) as sandbox:
        assert sandbox.layers["limits"] == sandbox.layers["processes"] == "nothing (--unsafe)"
        assert "nothing" not in sandbox.layers["files"]
        assert sandbox.call("def f():\n    return 1\n", "f", [Call()])[0].value == 1


@pytest.mark.parametrize("platform", ["darwin", "win32", "freebsd14"])
def test_other_systems_are_told_where_it_runs(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(UserError, match=r"container|WSL"):
        open_sandbox()


def test_windows_has_no_unsafe_sandbox_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UserError, match="WSL 2"):
        open_sandbox(unsafe=True)


def test_the_description_names_every_property_and_what_is_missing() -> None:
    lines = list(describe_sandbox(seconds=0.05))
    for meaning in probe.PROPERTIES.values():
        assert any(meaning in line for line in lines)
    assert "suites a second" in lines[-1]


def test_a_folder_is_open_to_all_only_where_those_above_it_are(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    assert is_open_to_all("/usr/lib")
    (tmp_path / "closed").chmod(0o700)
    assert not is_open_to_all(str(inner))
