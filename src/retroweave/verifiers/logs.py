"""Error logs as a person pastes them: each from a real run behind the sandbox's layers, and none made up.

A log is what the program printed, less what hangs on the machine and the minute: folders, addresses, durations, and the
frames of libraries, whose lines another release numbers otherwise. Where failures are capped, the run itself was told
to stop. With the log comes the program's own report of what failed. That is hostile, as is all that comes out of a
sandbox: the verdict that counts is the suite's (`suites.passes`), and `agrees` says whether a log tells the same.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Protocol

from retroweave.pipeline.errors import Drop, UserError, nearest
from retroweave.pipeline.sandbox import Outcome, SandboxFailed
from retroweave.verifiers.plain import Unprintable, printed
from retroweave.verifiers.suite_files import WRITERS, SuiteFile
from retroweave.verifiers.suites import Test, passes

__all__ = ["NEEDS_TESTS", "STYLES", "Failure", "Log", "Program", "Run", "Told", "agrees", "cleaned", "logs", "told"]


@dataclass(frozen=True, slots=True)
class _Style:
    runner: str
    words: str
    """The command, without the name of the file."""

    @property
    def options(self) -> list[str]:
        return [word for word in self.words.split() if word.startswith("-") and word != "-m"]


_STYLES = {
    "quiet": _Style("pytest", "pytest -q"),
    "short": _Style("pytest", "pytest -q --tb=short"),
    "long": _Style("pytest", "pytest"),
    "verbose": _Style("pytest", "pytest -v --tb=short"),
    "line": _Style("pytest", "pytest -q --tb=line"),
    "native": _Style("pytest", "pytest -q --tb=native"),
    "locals": _Style("pytest", "pytest -q -l --tb=short"),
    "summary": _Style("pytest", "pytest -q --tb=no"),
    "first": _Style("pytest", "pytest -x -q"),
    "unittest": _Style("unittest", "python -m unittest"),
    "doctest": _Style("doctest", "python -m doctest"),
    "script": _Style("script", "python"),
    "repl": _Style("prompt", "python"),
    "itself": _Style("itself", "python"),
}
STYLES: Mapping[str, str] = {name: style.words for name, style in _STYLES.items()}
"""How a person runs the tests, without the name of their file. `itself` runs the module, not the tests: its log is of a
module that cannot be read, or that breaks as it is loaded."""
NEEDS_TESTS = frozenset({"line", "summary"})
"""Styles that name a test and seldom what it calls: nobody can work from them who does not see the tests. Other logs
may hide a call, too; see `Log.shows_calls`."""

_ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
}


class Program(Protocol):
    """`LocalSandbox.run_program`, or what does the same."""

    def __call__(self, argv: Sequence[str], files: Mapping[str, str], seconds: float, **more: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Run:
    """What is run, and how."""

    code: str
    """The module's source."""
    function: str
    tests: tuple[Test, ...]
    style: str
    """One of `STYLES`."""
    most: int = 0
    """After how many failures a run by pytest stops (`--maxfail`), 0 for never; unittest and doctest know 1 (`-f`)."""
    module: str = "solution"
    """What the module is called; its file has this name and `.py`."""
    width: int = 80
    """Columns of the terminal that the run believes in: pytest cuts long lines of its summary."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that fails, as the program says."""

    number: int
    """Which of the tests, counted from 0; -1 where the module cannot even be imported."""
    error: str
    """The exception's name; AssertionError where a value is wrong, or where an exception was waited for in vain."""


@dataclass(frozen=True, slots=True)
class Log:
    """What one run printed, cleaned; it ends with a line break."""

    text: str
    style: str
    command: str
    """As it would be typed: `pytest -q test_solution.py`."""
    file: str
    """The name of the file that was run."""
    tests: str
    """Its text; what is typed, for the interactive interpreter."""
    failed: tuple[Failure, ...]
    whole: bool
    """Whether the run went through all tests, and did not end at a failure."""
    shows_calls: bool
    """Whether the log holds the arguments of each failing call; if not, it takes the tests to understand it."""


def logs(runs: Sequence[Run], program: Program, seconds: float = 60.0) -> list[Log]:
    """The logs of some runs, all in one process: quick, and not safe from one another.

    So give those of one row together, and no others; where the process ends early, each run gets its own. The hash seed
    is 0. Raises `SandboxFailed` where time runs out or a run leaves no log, and `Drop`, with a reason that can be
    counted, where a run prints nothing or its tests cannot be put so.
    """
    jobs = [_Job.of(run) for run in runs]
    if find_spec("pytest") is None and any(job.style.runner == "pytest" for job in jobs):
        raise UserError("Logs of pytest come from pytest, which is not installed. Run `pip install pytest`.")
    try:
        return _logs(jobs, program, seconds)
    except SandboxFailed:
        if len(jobs) == 1:
            raise
        return [log for job in jobs for log in _logs([job], program, seconds)]


@dataclass(frozen=True, slots=True)
class _Job:
    run: Run
    style: _Style
    file: SuiteFile
    options: list[str]

    @classmethod
    def of(cls, run: Run) -> _Job:
        if run.style not in _STYLES:
            raise UserError(f"There is no log style {run.style!r}. {nearest(run.style, _STYLES)}")
        if not run.module.isidentifier() or run.module in (*sys.stdlib_module_names, "pytest", "check"):
            raise UserError(f"A tested module has a name of its own, and {run.module!r} is none.")
        style = _STYLES[run.style]
        file = WRITERS[style.runner](run.function, run.tests, run.module)
        return cls(run, style, file, [*style.options, *_stop(style, run.most)])

    def files(self, number: int) -> Iterator[tuple[str, str]]:
        yield f"{number}/{self.run.module}.py", self.run.code
        if self.style.runner not in ("prompt", "itself"):
            yield f"{number}/{self.file.name}", self.file.text

    def asked(self) -> dict[str, Any]:
        wanted = [("", ""), *(("", one.value) if one.raises else (one.value, "") for one in self.run.tests)]
        lines = self.file.text.splitlines() if self.style.runner == "prompt" else []
        return {
            "runner": self.style.runner,
            "options": self.options,
            "file": self.file.name,
            "module": self.run.module,
            "width": self.run.width,
            "lines": [[line, *pair] for line, pair in zip(lines, wanted, strict=False)],
        }

    @property
    def command(self) -> str:
        extra = self.options[len(self.style.options) :]
        return " ".join([self.style.words, *extra, *([self.file.name] if self.file.name else [])])


def _stop(style: _Style, most: int) -> list[str]:
    if not most:
        return []
    if style.runner == "pytest":
        return [f"--maxfail={most}"]
    if style.runner in ("unittest", "doctest") and most == 1:
        return ["-f"]
    raise UserError(f"`{style.words}` cannot be told to stop after {most} failures. Leave `most` out.")


def _logs(jobs: Sequence[_Job], program: Program, seconds: float) -> list[Log]:
    asked = {"jobs.json": json.dumps([job.asked() for job in jobs])}
    put = dict(pair for number, job in enumerate(jobs) for pair in job.files(number))
    wanted = [f"{number}.{kind}" for number in range(len(jobs)) for kind in ("json", "log")]
    driver = (files("retroweave.verifiers") / "log_program.py").read_text(encoding="utf-8")
    argv = [sys.executable, "-c", driver]
    done = program(argv, asked | put, seconds, wanted=wanted, environment=_ENVIRONMENT)
    return [_read(job, done.files.get(f"{n}.json"), done.files.get(f"{n}.log"), done.err) for n, job in enumerate(jobs)]


def _read(job: _Job, said: bytes | None, log: bytes | None, error: str) -> Log:
    """What one run left, of which nothing is trusted."""
    if said is None or log is None:
        raise SandboxFailed(f"A run by `{job.command}` left no log: {error[-400:]}")
    report = _Report.read(said)
    text = cleaned(log.decode(errors="replace"), report.folder, job.run.width)
    if not text.strip():
        raise Drop("the run prints nothing")
    failed = tuple(dict.fromkeys(Failure(_number(job, place), _VAIN.get(name, name)) for place, name in report.failed))
    stops = job.run.most > 0 or job.run.style in ("first", "script")
    whole = not (failed and stops) and all(one.number >= 0 for one in failed)
    shown = all(_arguments(job.run.tests[one.number]) in text for one in failed if one.number >= 0)
    return Log(text, job.run.style, job.command, job.file.name, job.file.text, failed, whole, shown)


_VAIN = {"Failed": "AssertionError"}
"""What pytest raises where an exception was waited for in vain, which other runners call as they call a wrong value."""


def _arguments(test: Test) -> str:
    """What the test's file says of the call."""
    return printed(test.call.args) if test.changes_arguments else test.text


@dataclass(frozen=True, slots=True)
class _Report:
    failed: list[tuple[str | int, str]]
    folder: str

    @classmethod
    def read(cls, said: bytes) -> _Report:
        """A report in its form; anything else is a sandbox that failed."""
        try:
            answer = json.loads(said)
            failed = [(place, str(name)) for place, name in answer["failed"] if isinstance(place, str | int)]
            return cls(failed, str(answer["folder"]))
        except (ValueError, TypeError, KeyError, RecursionError) as wrong:
            raise SandboxFailed(f"The report of a run is not in its form: {wrong!r}") from wrong


def _number(job: _Job, place: str | int) -> int:
    """Which test a report means by a test's name or by a line; -1 where it means none."""
    if isinstance(place, int):
        return next((number for number, lines in enumerate(job.file.lines) if place in lines), -1)
    last = place.rsplit("_", 1)[-1]
    number = int(last) - 1 if last.isascii() and last.isdigit() and len(last) < 5 else -1
    return number if number < len(job.run.tests) else -1


# Cleaning

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
_ID = re.compile(r"\bid=\d{6,}>")
"""As pprint writes of what holds itself: `<Recursion on dict with id=139805500796608>`."""
_SECONDS = re.compile(r" in \d+\.\d+s(?: \(\d+:\d\d:\d\d\))?")
_BANNER = re.compile(r"^=+ (.*?) =+$")
_PYTHON_FRAME = re.compile(r'^( *)File "(?P<path>[^"]+)", line \d+, in ')
_PYTEST_FRAME = re.compile(r"^(?P<path>\S+\.py|<frozen [^>]+>):\d+: in ")
_REPEATED = re.compile(r"^ *\[Previous line repeated \d+ more times?\]$")


def cleaned(text: str, folder: str, width: int = 80) -> str:
    """A log without what hangs on the machine and the minute: folders, addresses, durations, frames of libraries."""
    text = text.replace(f"{folder}/", "").replace(folder, ".")
    lines = [_timeless(line, width) for line in _without_libraries(text.split("\n"))]
    return _ID.sub("id=...>", _ADDRESS.sub("at 0x...", "\n".join(lines))).strip("\n") + "\n"


def _timeless(line: str, width: int) -> str:
    """A line without how long the run took; pytest's last one is centred anew."""
    if not _SECONDS.search(line):
        return line
    if line.startswith("Ran "):
        return re.sub(r"^(Ran \d+ tests?) in \d+\.\d+s$", r"\1", line)
    banner = _BANNER.match(line)
    if not banner:
        return _SECONDS.sub("", line) if re.match(r"^(\d+ \w+(, )?)+ in ", line) else line
    return f" {_SECONDS.sub('', banner[1])} ".center(width, "=")


def _without_libraries(lines: Sequence[str]) -> Iterator[str]:
    """The lines without the frames of files that lie elsewhere, each with the source that is shown below it."""
    inside: int | None = None  # how far a frame that is left out is indented
    for line in lines:
        frame = _PYTHON_FRAME.match(line) or _PYTEST_FRAME.match(line)
        if frame:
            path = frame["path"]
            left_out = path.startswith(("/", "../", "<frozen"))
            inside = len(line) - len(line.lstrip(" ")) if left_out else None
        elif inside is not None and not _REPEATED.match(line) and not _is_deeper(line, inside):
            inside = None
        if inside is None:
            yield line


def _is_deeper(line: str, indent: int) -> bool:
    return line.startswith(" " * (indent + 1))


# Agreement


def agrees(log: Log, tests: Sequence[Test], outcomes: Sequence[Outcome]) -> bool:
    """Whether a log tells of just the failures that the sandbox's outcomes make out, in order, with their exceptions.

    A log that stops early must tell of the first of them, and of no others.
    """
    wanted = [
        Failure(number, _error(outcome))
        for number, (test, outcome) in enumerate(zip(tests, outcomes, strict=True))
        if not passes(test, outcome)
    ]
    if any(one.number < 0 for one in log.failed):
        # Nothing was called, and each call ended with the error of the module.
        return len(wanted) == len(tests) and len({(one.ended, one.error, one.message) for one in outcomes}) == 1
    told = sorted(log.failed, key=lambda one: one.number)
    if not log.whole:
        wanted = wanted[: len(told)]
    return bool(told or log.whole) and told == wanted


def _error(outcome: Outcome) -> str:
    if outcome.ended == "raised":
        return outcome.error
    if outcome.ended == "returned":
        return "AssertionError"
    return {"depth": "RecursionError", "memory": "MemoryError"}.get(outcome.ended, "")


# What a user says

_UNREAD = re.compile(r"(?P<message>.+) \(<source>, line (?P<line>\d+)\)")
"""The message of an error in the sandbox's own reading of a source."""


@dataclass(frozen=True, slots=True)
class Told:
    """The facts of a failure as a user tells it: the pool of phrasings that has these fields, and the fields."""

    pool: str
    fields: Mapping[str, str]


def told(test: Test, outcome: Outcome, longest: int = 160) -> Told | None:
    """What a user could say of a failure in their own words; None where that would take more than `longest` characters.

    Pools: `said_value` (call, wanted, came), `said_error` (call, wanted, error, message), `said_bare_error` (call,
    wanted, error), `said_not_raised` (call, wanted, came), `said_other_error` (call, wanted, error), `said_arguments`
    (call, wanted, came), `said_endless` (call, wanted). `wanted` is a value as source, or an exception's name. Where
    the module cannot be read, whatever is called: `said_syntax` (line, message).
    """
    said = _told(test, outcome)
    if said is None or sum(map(len, said.fields.values())) > longest:
        return None
    return said if all(value.isprintable() for value in said.fields.values()) else None


def _told(test: Test, outcome: Outcome) -> Told | None:
    facts = {"call": test.text, "wanted": test.value}
    if outcome.ended == "steps":
        return None if test.raises else Told("said_endless", facts)
    if outcome.ended in ("raised", "depth"):
        return _told_error(test, outcome, facts)
    if outcome.ended != "returned" or not outcome.plain:
        return None
    try:
        came = printed(outcome.value)
        if not test.raises and came == test.value:
            return _told_arguments(test, outcome)
    except Unprintable:
        return None
    return Told("said_not_raised" if test.raises else "said_value", {**facts, "came": came})


def _told_error(test: Test, outcome: Outcome, facts: Mapping[str, str]) -> Told:
    error = {**facts, "error": _error(outcome)}
    unread = _UNREAD.fullmatch(outcome.message)
    if unread:
        return Told("said_syntax", {"line": unread["line"], "message": unread["message"]})
    if test.raises:
        return Told("said_other_error", error)
    if outcome.ended == "depth" or not outcome.message:
        return Told("said_bare_error", error)
    return Told("said_error", {**error, "message": _ADDRESS.sub("at 0x...", outcome.message).removesuffix(".")})


def _told_arguments(test: Test, outcome: Outcome) -> Told | None:
    """Where the value is right and the arguments are not."""
    wanted, call = test.outcome.args, test.call
    if wanted is None or outcome.args == wanted or test.outcome.kwargs is not None or call.kwargs:
        return None
    came = call.args if outcome.args is None else outcome.args
    pairs = [pair for pair in zip(wanted, came, strict=True) if pair[0] != pair[1]]
    if len(pairs) != 1:
        return None
    return Told("said_arguments", {"call": test.text, "wanted": printed(pairs[0][0]), "came": printed(pairs[0][1])})
