"""`retroweave review` as a person gives it: what it opens, and what it says where it cannot."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from threading import Thread

import pytest

from tests.model_server import ModelServer
from tests.review.conftest import Reviews, retroweave
from tests.review.projects import write_sums

HIDDEN = """
import sys
sys.modules[{name!r}] = None
sys.argv = ["retroweave", "review", "out"]
from retroweave.cli import main
main()
"""


@pytest.mark.parametrize("name", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-c", HIDDEN.format(name=name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert re.search(r"pip install .*\[review\]'", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_prompts_are_compared_ends_it_in_peace(tmp_path: Path, reviews: Reviews, times: int) -> None:
    with ModelServer() as server:
        write_sums(tmp_path)
        recipe = tmp_path / "sums.py"
        recipe.write_text(re.sub(r"model: str = .*", f'model: str = "openai:small@{server.url}"', recipe.read_text()))
        review = reviews.start("sums.py", indexed=False)
        text = "---\nmax_tokens: 20\n---\n%% user\nStall at number {{ number }}.\n"
        fields = {"name": "stalled", "text": text, "standing": "1", "rows": "5"}
        server.faults["stalled"] = 0.5

        def compare() -> None:
            with suppress(OSError, HTTPException):
                review.ask("/compare/prompt?step=write", method="POST", fields=fields)

        person = Thread(target=compare)
        person.start()
        while not server.struck["stalled"]:
            time.sleep(0.01)
        for _ in range(times - 1):
            os.killpg(review.process.pid, signal.SIGINT)
            time.sleep(0.5)
        code, said = review.stop()
        person.join()
    assert (code, said) == (0, "\nEnded. What was labelled is kept.\n")


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    done = retroweave("review", tmp_path, "--no-browser", cwd=tmp_path, code=2)
    assert "holds no" in done.stderr


def test_a_name_that_is_neither_a_folder_nor_a_recipe_is_told(tmp_path: Path) -> None:
    done = retroweave("review", "prose-repiar", "--no-browser", cwd=tmp_path, code=2)
    assert "prose-repair" in done.stderr


def test_a_port_that_is_taken_is_told_in_one_paragraph(sums: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (sums / "review.sqlite").unlink(missing_ok=True)  # the rows are being counted when it ends
        done = retroweave("review", "out", "--no-browser", "--port", port, cwd=sums.parent, code=2)
    assert done.stderr.startswith(f"Error: Port {port} of 127.0.0.1 cannot be had")
    assert "Traceback" not in done.stderr


def test_a_run_whose_recipe_is_gone_can_be_read_and_says_what_cannot_be_done(sums: Path, reviews: Reviews) -> None:
    (sums.parent / "sums.py").unlink()
    review = reviews.start(sums)
    assert "400" in review.text("/rows")
    assert "Start the review in the folder in which the run was made" in review.text("/compare")
    assert review.ask("/compare/prompt?step=write")[0] == 400


def test_a_run_that_is_made_anew_is_opened_again(sums: Path, reviews: Reviews) -> None:
    review = reviews.start(sums)
    assert "<b>400</b> rows" in review.text("/rows")
    retroweave("run", "sums.py", "--rows", 20, "--workers", 1, "--out", "out", "--again", cwd=sums.parent)
    assert "<b>400</b>" not in review.text("/rows")
    assert "Is this row right" in review.text("/label")


def test_a_run_that_has_not_come_to_its_end_can_be_read(sums: Path, reviews: Reviews) -> None:
    (sums / "run.json").unlink()
    review = reviews.start(sums)
    assert "has not come to its end" in review.text("/rows")
