"""A run directory comes to the same bytes whatever happens on the way, and says what stopped it."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retroweave.making import _Interrupts
from retroweave.pipeline.errors import RunStopped, UserError
from tests.conftest import Project, processes_at_work

SLOW = """
def ask(number: str, rng: Random) -> str:
    time.sleep(0.01)
    if rng.random() < 0.1:
        raise Drop("unlucky")
    return f"Write the number {number}, please. ({rng.randrange(1000)})"
"""
"""A step that takes long enough to be interrupted; it rejects some rows."""


def step(body: str) -> str:
    return f"def ask(number: str, rng: Random) -> str:\n    {body}"


def finished_rows(out: Path) -> int:
    """How many source rows the journal of a run in another process holds."""
    import sqlite3

    if not (out / "outcomes.sqlite").exists():
        return 0
    database = sqlite3.connect(out / "outcomes.sqlite", timeout=5)
    try:
        return int(database.execute("select count(*) from outcomes").fetchone()[0])
    except sqlite3.OperationalError:  # there is no table yet
        return 0
    finally:
        database.close()


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str] | None = None, seconds: float = 20) -> None:
    """Wait until the condition holds; no longer than the process lives, if one is named."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)


def group(process: int) -> list[int]:
    """The processes of a group that are at work."""
    return [member for member, _, of in processes_at_work() if of == process]


def no_worker_outlives(process: subprocess.Popen[str]) -> None:
    wait_for(lambda: not group(process.pid), seconds=3)


# Exactly N, and the same bytes


def test_it_makes_exactly_n_samples_and_accounts_for_every_leaf(project: Project) -> None:
    recipe = project.counting(SLOW.replace("time.sleep(0.01)", "number = number[-2:]"))
    made = project.make(recipe, 120)
    counts = made["counts"]
    assert counts["samples"] == len(project.samples()) == 120
    kinds = [reject["kind"] for reject in project.rejects()]
    assert (counts["rejects"], counts["duplicates"]) == (kinds.count("reject"), kinds.count("duplicate"))
    assert counts["leaves"] == 120 + len(kinds)
    rows = {sample["provenance"]["source"]["index"] for sample in project.samples()}
    rows |= {int(reject["row"].split("/")[1]) for reject in project.rejects()}
    assert rows == set(range(counts["source_rows"]))
    assert made["counts"] == project.counts()


def test_the_bytes_are_the_same_on_one_worker_two_and_eight_and_others_under_another_seed(project: Project) -> None:
    recipe = project.counting(SLOW.replace("0.01", "0.001"))
    project.make(recipe, 150, "one", workers=1)
    for workers in (2, 8):
        project.make(recipe, 150, str(workers), workers=workers)
        assert project.data(str(workers)) == project.data("one")
    project.make(recipe, 150, "other", seed=1)
    assert project.data("other").keys() == project.data("one").keys()
    assert all(project.data("other")[name] != data for name, data in project.data("one").items())


def test_prose_repair_gives_the_same_bytes_in_this_process_and_on_workers(project: Project) -> None:
    project.make("prose-repair", 40, "one")
    project.make("prose-repair", 40, "two", workers=2)
    assert project.data("two") == project.data("one")
    measures = [sample["provenance"]["measures"] for sample in project.samples("one")]
    assert len(measures) == 40
    assert sum(not measure["recoverable"] for measure in measures) <= 2  # a twentieth, which the recipe caps


def test_steps_that_wait_give_the_same_bytes_as_steps_that_do_not(project: Project) -> None:
    waits = """
async def ask(number: str, rng: Random) -> bool:
    await asyncio.sleep(Random().random() / 100 if WAIT else 0)
    if rng.random() < 0.1:
        raise Drop("unlucky")
    return f"Write the number {number}, please. ({rng.randrange(1000)})"
"""
    for out, wait in (("quick", "False"), ("slow", "True")):
        project.make(project.counting(waits.replace("WAIT", wait), f"{out}/counting.py"), 300, f"{out}/out")
    assert project.data("slow/out") == project.data("quick/out")


# Going on


def test_a_finished_run_is_rendered_again_quickly_and_a_larger_one_goes_on_from_it(project: Project) -> None:
    recipe = project.counting(SLOW.replace("0.01", "0.002"))
    project.make(recipe, 60)
    first = project.data()
    again = project.make(recipe, 60)
    assert project.data() == first
    assert again["counts"]["replayed_rows"] == again["counts"]["source_rows"]
    larger = project.make(recipe, 100)
    assert larger["counts"]["replayed_rows"] >= again["counts"]["source_rows"]
    project.make(recipe, 100, "fresh")
    assert project.data() == project.data("fresh")
    assert project.make(recipe, 60)["counts"]["samples"] == 60
    assert project.data() == first


def test_a_run_killed_again_and_again_comes_to_the_bytes_of_one_that_was_not(project: Project) -> None:
    recipe = project.counting(SLOW)
    command = ("run", recipe, "--rows", 400, "--out", "out", "--workers", 2)
    chance = random.Random(1)
    reached = 0
    for _ in range(3):
        process = project.start(*command)
        while finished_rows(project.folder / "out") == reached:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        time.sleep(chance.random() / 2)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        no_worker_outlives(process)
        reached = finished_rows(project.folder / "out")
        assert not (project.folder / "out" / "run.json").exists()
    assert 0 < reached < 400
    project.retroweave(*command)
    assert project.counts()["replayed_rows"] >= reached - 32
    project.make(project.counting(SLOW.replace("0.01", "0")), 400, "whole")
    assert project.data() == project.data("whole")


def interrupt(process: subprocess.Popen[str], everybody: bool = False, times: int = 1) -> None:
    """Ctrl-C: a terminal sends it to the whole group, a supervisor to the parent alone."""
    for _ in range(times):
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("everybody", "times"), [(True, 3), (False, 1)], ids=["the whole group, three times", "the parent alone"]
)
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(project: Project, everybody: bool, times: int) -> None:
    recipe = project.counting(SLOW)
    command = ("run", recipe, "--rows", 200, "--out", "out", "--workers", 2)
    process = project.start(*command)
    wait_for(lambda: finished_rows(project.folder / "out") > 20, process)
    interrupt(process, everybody, times)
    began = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert said.startswith("Error: Stopped by Ctrl-C. ")
    assert "the same command goes on from there" in said
    assert len(said.splitlines()) == 1
    no_worker_outlives(process)
    done = finished_rows(project.folder / "out")
    assert project.make(recipe, 200)["counts"]["replayed_rows"] >= min(done, 200)
    project.make(project.counting(SLOW.replace("0.01", "0")), 200, "whole")
    assert project.data() == project.data("whole")


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.3])
def test_ctrl_c_while_workers_start_says_so_in_one_line(project: Project, moment: float) -> None:
    process = project.start("run", project.counting(SLOW), "--rows", 500, "--out", "out", "--workers", 4)
    wait_for(lambda: len(group(process.pid)) > 1, process)
    time.sleep(moment)
    interrupt(process, everybody=True)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.startswith("Error: Stopped by Ctrl-C. ")
    assert len(said.splitlines()) == 1
    no_worker_outlives(process)


def test_ctrl_c_stops_a_run_in_one_process_too(project: Project) -> None:
    process = project.start("run", project.counting(SLOW), "--rows", 5000, "--out", "out", "--workers", 1)
    wait_for(lambda: finished_rows(project.folder / "out") > 20, process)
    interrupt(process)
    _, said = process.communicate(timeout=5)
    assert process.returncode == 130
    assert said.startswith("Error: Stopped by Ctrl-C. ")


def test_a_run_of_steps_that_wait_stops_in_the_midst_of_them(project: Project) -> None:
    waits = """
async def ask(number: str) -> str:
    await asyncio.sleep(0 if int(number) < 50 else 60)
    return f"Write the number {number}, please."
"""
    process = project.start("run", project.counting(waits), "--rows", 100, "--out", "out")
    wait_for(lambda: finished_rows(project.folder / "out") == 50, process)
    interrupt(process)
    _, said = process.communicate(timeout=5)
    assert process.returncode == 130
    assert said.startswith("Error: Stopped by Ctrl-C. 50 source rows are finished")


def test_a_second_ctrl_c_ends_a_step_that_does_not_come_back(project: Project) -> None:
    begun = project.folder / "begun"
    recipe = project.counting(step(f"Path({str(begun)!r}).touch(); time.sleep(60)"))
    process = project.start("run", recipe, "--rows", 3, "--out", "out", "--workers", 1)
    wait_for(begun.exists, process)
    interrupt(process, times=2)
    time.sleep(2.1)
    assert process.poll() is None
    interrupt(process)
    _, said = process.communicate(timeout=5)
    assert process.returncode == 130
    assert said.startswith("Error: Stopped by Ctrl-C. 0 source rows are finished")
    assert len(said.splitlines()) == 1


def test_where_a_loop_runs_already_a_set_is_made_beside_it(project: Project) -> None:
    async def cell() -> dict[str, Any]:
        return project.make(project.counting(), 5)

    assert asyncio.run(cell())["counts"]["samples"] == 5
    assert len(project.samples()) == 5


def test_an_error_of_a_run_is_told_without_the_loop_that_there_was_not(project: Project) -> None:
    recipe = project.counting()
    project.make(recipe, 5)
    with pytest.raises(UserError, match="was made otherwise") as caught:
        project.make(recipe, 5, seed=1)
    assert caught.value.__context__ is None


def test_ctrl_c_stops_what_is_made_beside_a_loop(project: Project) -> None:
    async def cell() -> None:
        project.make(project.counting(SLOW), 5000)

    def press_soon() -> None:
        wait_for(lambda: finished_rows(project.folder / "out") > 20)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    press = threading.Thread(target=press_soon)
    press.start()
    with pytest.raises(RunStopped, match="Stopped by Ctrl-C"):
        asyncio.run(cell())
    press.join()


def test_a_second_ctrl_c_that_bounces_is_heard_once() -> None:
    closed = []

    async def stubborn() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            time.sleep(0.6)
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGINT)
                closed.append("in peace")

    interrupts = _Interrupts()
    interrupts.PATIENCE = 0.5
    with interrupts.heard(), pytest.raises(KeyboardInterrupt):
        interrupts.run(stubborn())
    assert closed == ["in peace"]


def test_ctrl_c_while_a_finished_command_leaves_is_not_heard(project: Project) -> None:
    leaves = step("__import__('atexit').register(lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(0.1)))")
    done = project.retroweave("run", project.counting(leaves), "--rows", 3, "--out", "out", "--workers", 1)
    assert "Traceback" not in done.stderr
    assert project.counts()["samples"] == 3


# The directory


def test_of_two_runs_into_one_folder_the_second_ends_at_once_and_the_first_is_unharmed(project: Project) -> None:
    go = project.folder / "go"
    waits = f"while number == '20' and not Path({str(go)!r}).exists():\n        time.sleep(0.01)"
    recipe = project.counting(step(f"{waits}\n    return number"))
    command = ("run", recipe, "--rows", 40, "--out", "out", "--workers", 1)
    first = project.start(*command)
    wait_for(lambda: finished_rows(project.folder / "out") > 0, first)
    second = project.retroweave(*command, code=2)
    assert "Another run is working in 'out'" in second.stderr
    assert first.poll() is None
    go.touch()
    assert first.wait(30) == 0
    project.make(recipe, 40, "whole")
    assert project.data() == project.data("whole")


def test_a_folder_with_something_else_in_it_is_refused_and_left_as_it_was(project: Project) -> None:
    kept = Path(project.write("mine/thesis.txt", "years of work"))
    refused = project.retroweave("run", project.counting(), "--rows", 3, "--out", "mine", code=2)
    assert "is not empty and holds no run of ours (there is 'thesis.txt')" in refused.stderr
    assert [path.name for path in kept.parent.iterdir()] == ["thesis.txt"]
    assert kept.read_text() == "years of work"


def test_data_of_somebody_else_in_a_run_is_not_replaced(project: Project) -> None:
    recipe = project.counting()
    project.make(recipe, 5)
    kept = Path(project.write("out/data/mine.txt", "years of work"))
    with pytest.raises(UserError, match=r"mine\.txt"):
        project.make(recipe, 5)
    assert kept.read_text() == "years of work"


@pytest.mark.parametrize("place", ["file/out", "file"])
def test_a_folder_that_cannot_be_made_is_a_wrong_input(project: Project, place: str) -> None:
    project.write("file", "no folder")
    refused = project.retroweave("run", project.counting(), "--rows", 3, "--out", place, code=2)
    assert "file" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_written_is_a_wrong_input(project: Project) -> None:
    folder = project.folder / "sealed"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting takes rights that this process has not")
    try:
        refused = project.retroweave("run", project.counting(), "--rows", 3, "--out", "sealed", code=2)
    finally:
        subprocess.run(["umount", folder], check=True)
    assert "'sealed' cannot be written: Read-only file system" in refused.stderr


def test_while_the_data_are_replaced_nothing_calls_the_run_finished(project: Project) -> None:
    """The mark of a finished run goes before its data do."""
    project.make(project.counting(), 20)
    assert (project.folder / "out" / "run.json").exists()
    with pytest.raises(RunStopped, match="No sample"):
        project.make(project.counting(step("raise Drop('never')"), "none.py"), 20, again=True)
    assert not (project.folder / "out" / "run.json").exists()
    assert project.samples() == []


# What changed


def test_a_changed_seed_or_config_is_refused_and_named(project: Project) -> None:
    recipe = project.counting()
    project.make(recipe, 5)
    before = project.data()
    with pytest.raises(UserError, match=r"What changed: seed: 0 to 7\. Pass --again"):
        project.make(recipe, 5, seed=7)
    with pytest.raises(UserError, match=r"What changed: config\.count: 1000 to 500; the source's text\."):
        project.make(recipe, 5, count=500)
    assert project.data() == before


def test_another_count_of_rows_or_workers_is_no_change(project: Project) -> None:
    recipe = project.counting()
    project.make(recipe, 5)
    assert project.make(recipe, 6, workers=2)["counts"]["replayed_rows"] == 5


def test_a_changed_recipe_file_is_refused_and_named_and_again_makes_the_rows_anew(project: Project) -> None:
    project.make(project.counting(), 5)
    before = project.data()
    recipe = project.counting(step("return f'What follows {int(number) - 1}? ({number})'"))
    refused = project.retroweave("run", recipe, "--rows", 5, "--out", "out", "--workers", 1, code=2)
    assert "What changed: the code of counting.py. Pass --again" in refused.stderr
    assert project.data() == before
    assert project.make(recipe, 5, again=True)["counts"]["replayed_rows"] == 0
    assert project.samples()[0]["messages"][0]["content"].startswith("What follows -1?")


def test_changed_words_beside_a_recipe_file_are_refused(project: Project) -> None:
    recipe = project.counting(step("return Path(__file__).with_suffix('').joinpath('ask.txt').read_text() + number"))
    project.write("counting/ask.txt", "Write ")
    project.make(recipe, 5)
    project.write("counting/ask.txt", "Say ")
    with pytest.raises(UserError, match=r"What changed: the code of counting\.py"):
        project.make(recipe, 5)


def texts(project: Project, count: int) -> Path:
    """A folder of texts, each a passage."""
    for index in range(count):
        words = " ".join(f"word{index}x{n}" for n in range(30))
        project.write(f"texts/{index:03}.txt", f"{words}.\n")
    return project.folder / "texts"


PASSAGES: dict[str, Any] = {"shortest": 100, "longest": 2000, "license": "CC0-1.0"}


def test_a_changed_text_is_refused(project: Project) -> None:
    folder = texts(project, 5)
    project.make("prose-repair", 3, texts=folder, **PASSAGES)
    (folder / "004.txt").write_text("Another text. " * 20)
    with pytest.raises(UserError, match=r"What changed: the source's text"):
        project.make("prose-repair", 3, texts=folder, **PASSAGES)


# What goes wrong


def test_a_row_that_fails_is_kept_with_step_reason_and_trace_and_the_run_goes_on(project: Project) -> None:
    made = project.make(project.counting(step("return number if number != '3' else str(1 // 0)")), 6)
    [failure] = project.rejects()
    assert "1 // 0" in failure.pop("trace")
    reason = "ZeroDivisionError: integer division or modulo by zero"
    where = {"kind": "failure", "row": "0/3", "step": "ask", "reason": reason, "source": "number 3"}
    assert failure == {**where, "calls": [], "verdicts": []}
    assert made["counts"]["failures"] == 1
    assert made["counts"]["source_rows"] == 7


def test_a_row_whose_step_works_again_is_no_failure_any_more(project: Project) -> None:
    down = project.folder / "down"
    down.touch()
    recipe = project.counting(
        f"DOWN = Path({str(down)!r})\n\n\n"
        + step("assert number not in ('3', '5') or not DOWN.exists(), 'down'; return number")
    )
    assert project.make(recipe, 6)["counts"]["failures"] == 2
    down.unlink()
    mended = project.make(recipe, 6)
    assert mended["counts"]["failures"] == 0
    assert mended["counts"]["replayed_rows"] == 4
    assert [sample["messages"][1]["content"] for sample in project.samples()] == list("012345")


def test_a_row_that_kills_its_worker_is_a_failure_and_the_run_goes_on(project: Project) -> None:
    ends = "{'40': lambda: os._exit(3), '70': lambda: os.kill(os.getpid(), 9)}"
    recipe = project.counting(step(f"return {ends}.get(number, lambda: number)()"))
    made = project.make(recipe, 100, workers=2)
    assert made["counts"]["failures"] == 2
    assert made["counts"]["samples"] == 100
    reasons = [(reject["row"], reject["step"], reject["reason"]) for reject in project.rejects()]
    assert reasons == [
        ("0/40", "worker", "the worker process died on this row: it ended with code 3"),
        ("0/70", "worker", "the worker process died on this row: signal 9 (Killed), perhaps for want of memory"),
    ]


def test_a_run_whose_rows_all_fail_stops_and_shows_the_first_error(project: Project) -> None:
    recipe = project.counting(step("return int('x' + number)"))
    stopped = project.retroweave("run", recipe, "--rows", 500, "--out", "out", "--workers", 2, code=1)
    assert "failed, the first at step 'ask': ValueError: invalid literal for int() with base 10: 'x0'" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_a_run_without_a_sample_says_why(project: Project) -> None:
    recipe = project.counting(step("raise Drop('odd' if int(number) % 2 else 'even')"))
    stopped = project.retroweave("run", recipe, "--rows", 5, "--out", "out", "--workers", 1, "--count", 9, code=1)
    assert "No sample was accepted of" in stopped.stderr
    assert "reject at 'ask': even; " in stopped.stderr
    assert "reject at 'ask': odd." in stopped.stderr
    assert "`retroweave review out` shows what was thrown away" in stopped.stderr
    assert len(project.rejects()) >= 9


def test_a_source_that_runs_dry_ends_with_what_there_is(project: Project) -> None:
    command = ("run", project.counting(), "--rows", 50, "--out", "out", "--workers", 1, "--count", 20)
    dry = project.retroweave(*command, "--set", "again=false", code=1)
    assert "The source ran dry: 20 of 50 samples." in dry.stderr
    assert len(project.samples()) == project.counts()["samples"] == 20
    assert (project.folder / "out" / "README.md").exists()


@pytest.mark.parametrize("value", ["'\\ud800'", "{1, 2}"])
def test_a_value_that_cannot_be_written_is_a_failure_that_says_so(project: Project, value: str) -> None:
    recipe = project.counting(step(f"return {value} if number == '2' else number"))
    project.make(recipe, 5)
    [failure] = project.rejects()
    assert (failure["kind"], failure["step"], failure["row"]) == ("failure", "journal", "0/2")
    assert failure["reason"].startswith("a field of the sample cannot be written as JSON: ")


def test_a_text_that_vanishes_on_the_way_stops_the_run_and_loses_nothing(project: Project) -> None:
    folder = texts(project, 300)
    command = ["run", "prose-repair", "--texts", folder, "--rows", 290, "--out", "out", "--workers", 1]
    command += [part for name, value in PASSAGES.items() for part in (f"--{name}", value)]
    process = project.start(*command)
    wait_for(lambda: finished_rows(project.folder / "out") > 30, process)
    text = (folder / "299.txt").read_text()
    (folder / "299.txt").unlink()
    (folder / "200.txt").rename(folder / "200.bak")
    _, said = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    assert "200.txt" in said
    assert "Traceback" not in said
    done = finished_rows(project.folder / "out")
    assert done > 30
    (folder / "299.txt").write_text(text)
    (folder / "200.bak").rename(folder / "200.txt")
    project.retroweave(*command)
    assert project.counts()["replayed_rows"] >= done


def limit_files(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_limited(project: Project, size: int, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """A command in whose process no file may grow beyond `size`, as on a disk that is full."""
    return subprocess.run(
        [sys.executable, "-m", "retroweave", *map(str, arguments)],
        cwd=project.folder,
        capture_output=True,
        text=True,
        preexec_fn=limit_files(size),
        timeout=60,
    )


@pytest.mark.parametrize("size", [20_000, 400_000])
def test_a_full_disk_stops_the_run_and_loses_nothing_of_what_was_done(project: Project, size: int) -> None:
    recipe = project.counting(step("return number + ' ' + rng.randbytes(600).hex()"))
    command = ("run", recipe, "--rows", 600, "--out", "out", "--workers", 1)
    stopped = run_limited(project, size, *command)
    assert stopped.returncode == 1, stopped.stderr
    assert "same command goes on" in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
    done = finished_rows(project.folder / "out")
    assert project.make(recipe, 600)["counts"]["replayed_rows"] == min(done, 600)
    project.make(recipe, 600, "whole")
    assert project.data() == project.data("whole")


def test_a_disk_that_is_full_when_the_files_are_written_keeps_the_older_ones_and_no_half(project: Project) -> None:
    recipe = project.counting(step("return number + ' ' + rng.randbytes(600).hex()"))
    project.make(recipe, 400)
    before = project.data()
    stopped = run_limited(project, 100_000, "run", recipe, "--rows", 400, "--out", "out", "--workers", 1)
    assert stopped.returncode == 1
    assert "File too large. Finished rows are kept. Make room, and the same command goes on." in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
    assert project.data() == before
    assert not (project.folder / "out" / ".rendering").exists()
    assert project.make(recipe, 400)["counts"]["replayed_rows"] == 400
    assert project.data() == before


@pytest.fixture
def small_disk(project: Project) -> Iterator[Path]:
    folder = project.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting takes rights that this process has not")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_run_on_a_disk_that_fills_up_goes_on_when_there_is_room(project: Project, small_disk: Path) -> None:
    recipe = project.counting(step("return number + ' ' + rng.randbytes(600).hex()"))
    command = ("run", recipe, "--rows", 600, "--out", "disk/out", "--workers", 1)
    stopped = project.retroweave(*command, code=1)
    assert "same command goes on" in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
    assert shutil.disk_usage(small_disk).free < 300_000
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    project.retroweave(*command)
    project.make(recipe, 600, "whole")
    assert project.data("disk/out") == project.data("whole")


# Memory

PEAK = """
import resource
from retroweave.cli import main

if __name__ == "__main__":
    try:
        main()
    finally:
        own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print("peak", own, children)
"""


def peak(project: Project, recipe: str, rows: int, workers: int) -> tuple[int, int]:
    """The most memory that a run took, in this process and in the largest of its workers."""
    command = ["run", recipe, "--rows", rows, "--out", f"out-{rows}", "--workers", workers, "--count", rows + 1000]
    done = subprocess.run(
        [sys.executable, project.write("peak.py", PEAK), *map(str, command)],
        cwd=project.folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    own, children = done.stdout.splitlines()[-1].split()[1:]
    return int(own), int(children)


def test_ten_times_the_rows_take_no_more_memory(project: Project) -> None:
    recipe = project.counting()
    few, many = (peak(project, recipe, rows, workers=2) for rows in (5_000, 50_000))
    assert many[0] < 1.2 * few[0]
    assert many[1] < 1.2 * few[1]
