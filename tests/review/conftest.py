"""A real server in a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from retroweave.review.drawing import Drawing
from retroweave.review.labels import Decision, Labels
from retroweave.review.rows import Rows
from tests.review.projects import is_right, write_hostile, write_reading, write_sums

LABELLED = Path(__file__).parents[2] / "benchmarks" / "labelled" / "fits.jsonl"
COMMAND = [sys.executable, "-m", "retroweave", "review"]


@dataclass
class Review:
    """A review that runs, and what its link says."""

    process: subprocess.Popen[str]
    link: str

    @property
    def address(self) -> str:
        return self.link.partition("/?")[0]

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    @property
    def token(self) -> str:
        return self.link.partition("token=")[2]

    @property
    def cookie(self) -> str:
        return f"retroweave-{self.host.partition(':')[2]}={self.token}"

    def wait_for_index(self) -> None:
        """A busy machine may take longer over it than a page waits."""
        while "the index has reached" in self.ask("/rows")[2]:
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> tuple[int, str]:
        """As Ctrl-C does: its exit code, and what it still said."""
        os.killpg(self.process.pid, signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out + err

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        fields: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], str]:
        """A request with just the headers that are given beside those of an honest page; "" leaves one out."""
        host, _, port = self.host.partition(":")
        honest = {"Host": self.host, "Cookie": self.cookie}
        if method == "POST":
            honest |= {"Origin": self.address, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            body = urlencode(fields or {}).encode() if method == "POST" else b""
            for name, value in (honest | (headers or {}) | {"Content-Length": str(len(body))}).items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def text(self, path: str) -> str:
        status, _, body = self.ask(path)
        assert status == 200, f"{status} for {path}: {body[:500]}"
        return body


@dataclass
class Reviews:
    """Starts reviews, and sees that none of them outlives its test."""

    folder: Path
    started: list[Review] = field(default_factory=list)

    def start(self, *arguments: Any, cwd: Path | None = None, indexed: bool = True) -> Review:
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments), "--no-browser", "--as", "ann"],
            cwd=cwd or self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://\S+", line):
                review = Review(process, found[0])
                self.started.append(review)
                if indexed:
                    review.wait_for_index()
                return review
        raise AssertionError(f"no link: {''.join(said)}{process.communicate()[1]}")

    def end(self) -> None:
        for review in self.started:
            if review.process.poll() is None:
                review.kill()
            for stream in (review.process.stdout, review.process.stderr):
                if stream is not None and not stream.closed:
                    stream.close()


@pytest.fixture
def reviews(tmp_path: Path) -> Iterator[Reviews]:
    found = Reviews(tmp_path)
    yield found
    found.end()


def retroweave(*arguments: Any, cwd: Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "retroweave", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert code in (None, done.returncode), f"code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def label_rows(run_dir: Path, count: int, person: str = "ann", wrong_every: int = 0) -> None:
    """As a person would who knows the truth, or errs now and then."""
    with Rows(run_dir) as rows, Labels(run_dir) as labels:
        rows.index()
        drawing = Drawing(rows, labels)
        for number in range(1, count + 1):
            (ticket,) = drawing.next(person)
            row = rows.row(ticket.row)
            sum_ = row.calls[0]["prompt"][-1]["content"].partition(": ")[2].strip()
            right = is_right(sum_, row.calls[0]["answer"]) != bool(wrong_every and number % wrong_every == 0)
            seen = rows.seen(row, "fits")
            decision: Decision = "accept" if right else "reject"
            labels.add(row, person, decision, blind=True, judge="fits", drawn=ticket.key, seen=seen)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of each project, made once: NAME/out. Tests take copies."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("sums", "reading", "hostile"):
        (folder / name).mkdir()
    recipes = {
        "sums": write_sums(folder / "sums"),
        "reading": write_reading(folder / "reading", LABELLED),
        "hostile": write_hostile(folder / "hostile"),
    }
    for name, recipe in recipes.items():  # there are fewer rows than that, so the source runs dry
        retroweave("run", recipe, "--rows", 9999, "--workers", 1, "--out", "out", cwd=folder / name, code=1)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A folder of this test's own, with the recipe `sums.py`, what its models were asked, and a run of it in `out`."""
    return Path(shutil.copytree(made / "sums", tmp_path, dirs_exist_ok=True))


@pytest.fixture
def sums(project: Path) -> Path:
    """400 rows, two in seven of them rejects: the run directory in that folder, where reviews are started."""
    return project / "out"


@pytest.fixture
def hostile(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "hostile" / "out", tmp_path / "hostile"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For a module and no longer: its event loop would be in the way of tests that run one of their own."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        if "CI" in os.environ:
            raise RuntimeError("no chromium in the path: .ci/run installs it")
        pytest.skip("no chromium in the path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@dataclass
class Window:
    """A page, with all that went wrong in it."""

    page: Any
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, review: Review, path: str = "/") -> Any:
        """Come in by the link that the command printed, and go on to `path`."""
        self.page.goto(review.link)
        self.page.wait_for_url(lambda url: "token" not in url)
        self.page.goto(review.address + path)
        return self.page


@pytest.fixture
def windows(browser: Any) -> Iterator[Any]:
    """Opens windows; a script's error or a breach of the page's own policy fails the test."""
    opened: list[tuple[Any, Window]] = []

    def window(**options: Any) -> Window:
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        found = Window(context.new_page())
        found.page.on("console", lambda message: found.wrong.append(message.text) if message.type == "error" else None)
        found.page.on("pageerror", lambda error: found.wrong.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        opened.append((context, found))
        return found

    yield window
    for context, _ in opened:
        context.close()
    assert not [wrong for _, one in opened for wrong in one.wrong]


@pytest.fixture
def window(windows: Any) -> Window:
    found: Window = windows(viewport={"width": 1200, "height": 860})
    return found
