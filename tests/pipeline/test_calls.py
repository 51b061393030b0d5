"""What left the process stands in the journal of calls before it leaves, and no answer is paid for twice."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.calls import CallJournal, Spent
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.model import Abilities, Answer

ANSWER = Answer("yes", "stop", 10, 5, (("yes", -0.1), ("no", -2.5)), (0.5, 1.0))

finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(exclude_categories=["Cs"]))
count = st.none() | st.integers(0, 2**40)
answers = st.builds(
    Answer,
    words,
    words,
    count,
    count,
    st.lists(st.tuples(words, finite)).map(tuple),
    st.lists(finite).map(tuple),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "calls.sqlite"


@pytest.fixture
def calls(path: Path) -> Iterator[CallJournal]:
    found = CallJournal(path)
    yield found
    found.close()


def rows(path: Path, table: str = "sends") -> list[Any]:
    """What another connection sees of the file."""
    with sqlite3.connect(path) as database:
        found = database.execute(f"select * from {table}").fetchall()
    database.close()
    return found


def ran(work: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        return await work()

    return asyncio.run(whole())


@given(answers)
def test_an_answer_is_read_as_it_was_kept(answer: Answer) -> None:
    assert Answer.decoded(answer.encoded()) == answer


class TestWhatStands:
    def test_a_request_stands_in_the_file_with_what_it_may_take_when_begin_returns(
        self, calls: CallJournal, path: Path
    ) -> None:
        async def work() -> None:
            number = await calls.begin("run", "writer", b"key", 300, 0.25)
            assert rows(path) == [(number, "run", "writer", b"key", 300, 0.25, 0)]
            await calls.begin("run", "writer", b"key", 300, 0.25)

        ran(work)
        assert calls.spent("run") == {"writer": Spent(2, 600, 0.5, unknown=2)}

    def test_an_answer_is_there_at_once_and_stands_in_the_file_a_moment_later(
        self, calls: CallJournal, path: Path
    ) -> None:
        async def work() -> None:
            number = await calls.begin("run", "writer", b"key", 300, 0.25)
            calls.settle(number, 15, 0.01, b"key", ANSWER)
            assert rows(path, "answers") == []
            assert calls.get(b"key") == ANSWER
            await asyncio.sleep(0.05)
            assert len(rows(path, "answers")) == 1

        ran(work)
        assert calls.get(b"key") == ANSWER
        assert calls.get(b"other") is None
        assert calls.spent("run") == {"writer": Spent(1, 15, 0.01)}
        assert calls.spent("another run") == {}

    def test_what_waits_is_written_when_the_journal_is_closed(self, path: Path) -> None:
        calls = CallJournal(path)

        async def work() -> None:
            number = await calls.begin("run", "writer", b"key", 300, 0.0)
            calls.settle(number, 15, 0.0, b"key", ANSWER)

        ran(work)
        calls.close()
        again = CallJournal(path)
        assert again.get(b"key") == ANSWER
        again.close()

    def test_a_request_called_off_before_it_was_sent_took_nothing(self, calls: CallJournal) -> None:
        async def work() -> None:
            waiting = asyncio.create_task(calls.begin("run", "writer", b"key", 300, 0.25))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await calls.begin("run", "writer", b"other", 7, 0.0)

        ran(work)
        assert calls.spent("run")["writer"].tokens == 7

    def test_what_an_endpoint_can_do_is_remembered(self, calls: CallJournal) -> None:
        able = Abilities(chat=False, complete=True, complete_logprobs=5)
        assert calls.abilities("here") is None
        calls.keep_abilities("here", able)
        assert calls.abilities("here") == able
        assert calls.abilities("elsewhere") is None

    def test_the_journal_of_the_working_folder_is_in_a_folder_of_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        CallJournal.here().close()
        assert (tmp_path / ".retroweave" / "calls.sqlite").exists()


def test_what_comes_in_one_moment_is_one_transaction(calls: CallJournal) -> None:
    said: list[str] = []
    calls._database.set_trace_callback(said.append)

    async def work() -> list[int]:
        return list(await asyncio.gather(*(calls.begin("run", "writer", str(n).encode(), n, 0.0) for n in range(100))))

    numbers = ran(work)
    assert len(set(numbers)) == 100
    assert [statement.upper() for statement in said].count("BEGIN IMMEDIATE") == 1
    assert calls.spent("run") == {"writer": Spent(100, sum(range(100)), 0.0, unknown=100)}


WRITER = """
import asyncio, os, signal, sys
from pathlib import Path
from retroweave.pipeline.calls import CallJournal
from retroweave.pipeline.model import Answer

async def main(path, run, times, die):
    calls = CallJournal(Path(path))
    for n in range(int(times)):
        key = f"{run} {n}".encode()
        number = await calls.begin(run, "writer", key, 300, 0.25)
        if die == "after-begin" and n == int(times) - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        calls.settle(number, 15, 0.01, key, Answer("yes", "stop", 10, 5))
    calls.close()

asyncio.run(main(*sys.argv[1:]))
"""


def writer(path: Path, run: str, times: int, die: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), run, str(times), die], stderr=subprocess.PIPE)


class TestOtherProcesses:
    def test_a_request_that_died_with_its_process_counts_at_its_worst(self, path: Path) -> None:
        process = writer(path, "run", 3, "after-begin")
        process.communicate()
        assert process.returncode == -9
        calls = CallJournal(path)
        assert calls.spent("run") == {"writer": Spent(3, 15 + 15 + 300, 0.01 + 0.01 + 0.25, unknown=1)}
        assert calls.get(b"run 0") == Answer("yes", "stop", 10, 5)
        assert calls.get(b"run 2") is None
        calls.close()

    def test_two_processes_write_to_one_file(self, path: Path) -> None:
        both = [writer(path, run, 40) for run in ("one", "other")]
        for process in both:
            _, said = process.communicate()
            assert process.returncode == 0, said.decode()
        calls = CallJournal(path)
        for run in ("one", "other"):
            spent = calls.spent(run)["writer"]
            assert (spent.calls, spent.tokens) == (40, 40 * 15)
            assert all(calls.get(f"{run} {n}".encode()) for n in range(40))
        calls.close()


class TestWhereItCannotWrite:
    ADVICE = "make room or mend the folder's permissions, and the same command goes on"

    def test_a_place_that_is_no_folder_is_told_with_what_mends_it(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file")
        with pytest.raises(RunStopped, match=self.ADVICE):
            CallJournal(tmp_path / "taken" / "calls.sqlite")

    def test_a_folder_that_may_not_be_written_is_told(self, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            (tmp_path / "calls.sqlite").mkdir()  # nothing is forbidden to root, but a folder is no file
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(RunStopped, match=self.ADVICE):
                CallJournal(tmp_path / "calls.sqlite")
        finally:
            tmp_path.chmod(0o700)

    def test_a_file_that_is_no_journal_is_told_and_let_go(self, tmp_path: Path) -> None:
        (tmp_path / "calls.sqlite").write_bytes(b"something else entirely, and no database" * 100)
        with pytest.raises(RunStopped, match=r"not a database.*" + self.ADVICE) as caught:
            CallJournal(tmp_path / "calls.sqlite")
        assert caught.value.__cause__ is not None  # which holds on to all that was at hand
        held = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert str(tmp_path / "calls.sqlite") not in held

    def test_a_full_disk_stops_the_run_and_every_request_that_waits(self, calls: CallJournal) -> None:
        (pages,) = calls._database.execute("pragma page_count").fetchone()
        calls._database.execute(f"pragma max_page_count = {pages}")

        async def work() -> list[Any]:
            many = (calls.begin("run", "writer", os.urandom(4000), 1, 0.0) for _ in range(50))
            return await asyncio.gather(*many, return_exceptions=True)

        found = ran(work)
        assert len(found) == 50
        assert all(isinstance(one, RunStopped) and "full" in str(one) and self.ADVICE in str(one) for one in found)
        assert calls.spent("run") == {}
        calls._database.execute("pragma max_page_count = 100000")

    def test_an_answer_that_could_not_be_kept_is_told_to_the_next_request(self, calls: CallJournal) -> None:
        async def work() -> None:
            number = await calls.begin("run", "writer", b"key", 1, 0.0)
            calls._database.execute("pragma query_only = on")
            calls.settle(number, 1, 0.0, b"key", ANSWER)
            await asyncio.sleep(0.05)
            with pytest.raises(RunStopped, match="readonly"):
                await calls.begin("run", "writer", b"next", 1, 0.0)
            calls._database.execute("pragma query_only = off")

        ran(work)
        calls.flush()
        assert calls.get(b"key") == ANSWER

    def test_a_number_that_the_file_cannot_hold_stops_the_run_and_does_not_hang_it(self, path: Path) -> None:
        calls = CallJournal(path)

        async def work() -> None:
            with pytest.raises(RunStopped, match="too large"):
                await asyncio.wait_for(calls.begin("run", "writer", b"key", 2**63, 0.0), 20)

        ran(work)
        with pytest.raises(RunStopped, match="too large"):
            calls.close()

    def test_a_journal_that_broke_meanwhile_is_told_by_a_read(self, calls: CallJournal) -> None:
        calls._database.execute("drop table answers")
        with pytest.raises(RunStopped, match=r"no such table.*" + self.ADVICE):
            calls.get(b"key")
