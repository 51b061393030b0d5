"""Attacks: each is shown to work against a bare subprocess, and does not in the sandbox, whatever it is made of."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.verifiers.sandbox.attacks import ATTACKS, Attack
from tests.verifiers.sandbox.cheats import CASES, CHEATS, JUDGES, Cheat
from tests.verifiers.sandbox.conftest import Bait, baited, told, took_effect

from retroweave.pipeline.sandbox import Call, Limits, SandboxFailed
from retroweave.verifiers.sandbox.local import LocalSandbox

BARE = """
import json, sys
names = {}
exec(compile(open(sys.argv[1]).read(), "attack", "exec"), names)
print("WORKED" if names["attack"](json.loads(sys.argv[2])) is True else "FAILED", flush=True)
"""
FLOOD = 4 << 20
"""Bytes of output that nobody wanted."""
WORKED: dict[str, bool] = {}
"""Attacks by name, and whether they work here without a sandbox."""


def bounded() -> None:
    """Whatever an attack does, it shall not harm the machine that the tests run on."""
    for what, most in (
        (resource.RLIMIT_AS, 2 << 30),
        (resource.RLIMIT_CPU, 10),
        (resource.RLIMIT_FSIZE, 2 * FLOOD),
    ):
        resource.setrlimit(what, (most, most))


def works_bare(attack: Attack, folder: Path) -> bool:
    """Whether an attack works where nothing is done against it."""
    if attack.name not in WORKED:
        with baited() as bait:
            WORKED[attack.name] = _tried(attack, bait, folder) or took_effect(bait)
    return WORKED[attack.name]


def _tried(attack: Attack, bait: Bait, folder: Path) -> bool:
    (folder / "attack.py").write_text(attack.source)
    inherited = os.open(bait.file, os.O_RDWR)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", BARE, str(folder / "attack.py"), json.dumps(told(bait))],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={"RETROWEAVE_SECRET": "secret"},
            pass_fds=[inherited],
            preexec_fn=bounded,
        )
    os.close(inherited)
    try:
        process.wait(0.5 if attack.shows == "for ever" else 20.0)
    except subprocess.TimeoutExpired:
        return attack.shows == "for ever"
    finally:
        process.kill()
        process.wait()
    if attack.shows == "flood":
        return (folder / "out").stat().st_size >= FLOOD
    return (folder / "out").read_bytes().endswith(b"WORKED\n")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_that_works_without_the_sandbox_fails_in_it(
    attack: Attack, each_sandbox: LocalSandbox, tmp_path: Path
) -> None:
    if not works_bare(attack, tmp_path):
        pytest.skip("it does not work here without a sandbox either")
    with baited() as bait:
        call = Call((told(bait),))
        try:
            (outcome,) = each_sandbox.call(attack.source, "attack", [call], Limits(seconds=attack.seconds))
        except SandboxFailed:
            assert attack.shows in ("for ever", "flood"), "only what runs for ever may meet the clock"
        else:
            assert outcome.value is not True
        assert not took_effect(bait)
        assert Path(bait.victim).read_text() == "precious"


def test_at_least_45_attacks_work_without_the_sandbox(tmp_path: Path) -> None:
    assert sum(works_bare(attack, tmp_path) for attack in ATTACKS) >= 45


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.seconds > 1 and one.shows == "for ever"], ids=str)
def test_a_loop_for_ever_is_ended_by_the_count_of_lines(attack: Attack, sandbox: LocalSandbox) -> None:
    (outcome,) = sandbox.call(attack.source, "attack", [Call(({},))], Limits(seconds=60.0))
    assert outcome.ended == "steps"
    assert outcome.steps == Limits().steps


# Verdicts


def judged(cheat: Cheat, judge: str) -> bool:
    """Whether a judge in the same process says that the solution is right."""
    script = f"SOURCE = {cheat.source!r}\nCASES = {CASES!r}\n{JUDGES[judge]}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, timeout=20, preexec_fn=bounded, check=False
    )
    lines = done.stdout.decode().splitlines()
    if judge == "exit code":
        return done.returncode == 0
    if judge == "printed":
        return "passed" in lines and "failed" not in lines
    return done.returncode == 0 and any('"right": true' in line for line in lines)


@pytest.mark.parametrize(
    ("cheat", "judge"), [(cheat, judge) for cheat in CHEATS for judge in cheat.fools], ids=lambda one: str(one)[:60]
)
def test_a_cheat_fools_a_judge_in_its_own_process(cheat: Cheat, judge: str) -> None:
    assert judged(cheat, judge)


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_a_cheat_does_not_fool_whoever_compares_values(cheat: Cheat, each_sandbox: LocalSandbox) -> None:
    outcomes = each_sandbox.call(cheat.source, "double", [Call((number,)) for number, _ in CASES])
    right = [
        outcome.ended == "returned" and outcome.plain and outcome.value == expected
        for outcome, (_, expected) in zip(outcomes, CASES, strict=True)
    ]
    assert right == [False] * len(CASES)
