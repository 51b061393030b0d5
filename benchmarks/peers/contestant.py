"""What the contestants of `orchestration.py` have in common: the task, and the line that each prints about itself.

A contestant is one script that is run by the Python of its own environment, so this module needs the standard library
alone. A script imports it before its framework, and gives `compete` a function that asks the model once for each prompt
and returns the answers in any order. The line is JSON with these fields:

    rows                    how many answers came
    seconds                 of that function alone: what making the rows takes once everything is imported
    cpu_seconds             user and system time of the whole process and of its children, imports and all
    generation_cpu_seconds  the same of that function alone
    peak_mb                 the most memory that one process held, this or a child: what several hold is not added up

The seconds of the whole process are measured from outside.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

try:
    import resource
except ImportError as error:
    raise SystemExit("The benchmark needs getrusage, which Windows does not have. Run it on Linux or macOS.") from error

MODEL = "benchmark"
MAX_TOKENS = 64
"""Everybody asks for as many, so that all send the same request."""
PROMPT = "Say in one sentence what is odd about the number {}."
ASKED = re.compile(PROMPT.rstrip(".").format(r"\d+"))

Generate = Callable[[list[str], str, int], list[str]]
"""From the prompts, the server's URL and the number of requests in flight to the answers."""

# Frameworks keep settings, caches and what they made in the home folder. None may find what an earlier run left there,
# and none may leave anything in a person's own. It is set here because some read it while they are imported.
_folder = TemporaryDirectory()
FOLDER = Path(_folder.name)
os.environ.update(HOME=str(FOLDER), XDG_CACHE_HOME=str(FOLDER / ".cache"), HF_HUB_OFFLINE="1")


def compete(generate: Generate) -> None:
    """Run `generate` in an empty folder, see that each row got its own answer, and print the line."""
    parser = argparse.ArgumentParser(description="One contestant of benchmarks/orchestration.py.")
    parser.add_argument("--url", required=True, help="the server, as http://127.0.0.1:8000/v1; it must echo the prompt")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True, help="requests at once")
    options = parser.parse_args()
    prompts = [PROMPT.format(number) for number in range(options.rows)]
    # What a framework prints goes to stderr: stdout is for the line.
    with chdir(FOLDER), redirect_stdout(sys.stderr):
        began, used = time.perf_counter(), cpu_seconds()
        answers = generate(prompts, options.url, options.in_flight)
        seconds, spent = time.perf_counter() - began, cpu_seconds() - used
    check(prompts, answers)
    _folder.cleanup()
    line = {
        "rows": len(answers),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds(),
        "generation_cpu_seconds": spent,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(line), flush=True)


def check(prompts: list[str], answers: list[str]) -> None:
    """The server echoes the prompt, so a row without its own answer is seen. Some echo it as the part of a message."""
    echoes = Counter(f"{found.group()}." for found in map(ASKED.search, answers) if found)
    missing = Counter(prompts) - echoes
    if missing or len(answers) != len(prompts):
        raise SystemExit(
            f"Expected an answer to each of {len(prompts)} prompts that echoes it; found {len(answers)} answers, and "
            f"{missing.total()} prompts without one, as {next(iter(missing), '')!r}. Does the server echo the prompt?"
        )


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mb() -> float:
    held = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return held / (1024 * 1024 if sys.platform == "darwin" else 1024)
