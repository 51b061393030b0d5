"""Runs tests as a person would, many times in one process, and keeps what each run printed: the sandboxed side.

Sent to the interpreter as text (`python -c`), so it imports nothing of ours. The standard output is the log and nothing
else; what failed goes to a file beside it, which the code under test could have written as well.
"""

from __future__ import annotations

import code
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import Any

Job = dict[str, Any]
Failures = list[list[Any]]


def main() -> None:
    with open("jobs.json") as file:  # noqa: PTH123
        jobs = json.load(file)
    os.unlink("jobs.json")  # noqa: PTH108
    top = os.getcwd()  # noqa: PTH109
    known = set(sys.modules)
    for number, job in enumerate(jobs):
        folder = f"{top}/{number}"
        os.chdir(folder)
        sys.path[0] = folder
        os.environ["COLUMNS"] = str(job["width"])
        importlib.invalidate_caches()
        for name in {job["module"], f"test_{job['module']}"} - known:
            sys.modules.pop(name, None)
        with printing_to(f"{top}/{number}.log"):
            failed = RUNNERS[job["runner"]](job)
        with open(f"{top}/{number}.json", "w") as file:  # noqa: PTH123
            json.dump({"failed": failed, "folder": folder}, file)


@contextmanager
def printing_to(path: str) -> Iterator[None]:
    """Both standard outputs go to one file, as on a terminal."""
    kept = os.dup(1), os.dup(2)
    place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _flush()
    os.dup2(place, 1)
    os.dup2(place, 2)
    try:
        yield
    finally:
        _flush()
        for old, standard in zip(kept, (1, 2), strict=True):
            os.dup2(old, standard)
            os.close(old)
        os.close(place)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def by_pytest(job: Job) -> Failures:
    import pytest

    failed: Failures = []

    class Reporter:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_makereport(self, call: Any) -> None:
            if call.excinfo is not None:
                hide_libraries(call.excinfo.value)

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_logreport(self, report: Any) -> Any:
            if report.failed:
                failed.append([report.nodeid, report.error])
            return (yield)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                failed.append(["", "collection"])

    class Named:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(self, call: Any) -> Any:
            report = yield
            report.error = type(call.excinfo.value).__name__ if call.excinfo is not None else ""
            return report

    steady = ["--no-header", "--color=no", "--rootdir=.", "-p", "no:cacheprovider", "-p", "no:warnings"]
    pytest.main([*job["options"], *steady, job["file"]], plugins=[Reporter(), Named()])
    return failed


def hide_libraries(error: BaseException) -> None:
    """Have pytest leave out the frames of libraries, as it leaves out its own."""
    here = os.getcwd()  # noqa: PTH109
    ways: list[BaseException | None] = [error]
    seen: set[int] = set()
    while ways:
        one = ways.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            name = frame.f_code.co_filename
            if not name.startswith((here, "<")):
                frame.f_globals["__tracebackhide__"] = True
        ways += one.__cause__, one.__context__


def show(error: BaseException) -> TracebackType | None:
    """Print an exception as the interpreter does, without the frame in which it was caught; give the next one.

    The interpreter's own printing knows suggestions that `traceback` does not in Python 3.11.
    """
    place = error.__traceback__ and error.__traceback__.tb_next
    error.__traceback__ = place
    sys.__excepthook__(type(error), error, place)
    return place


def by_unittest(job: Job) -> Failures:
    import unittest

    class Result(unittest.TextTestResult):
        def addFailure(self, test: Any, err: Any) -> None:
            failed.append([test.id(), err[0].__name__])
            super().addFailure(test, err)

        def addError(self, test: Any, err: Any) -> None:
            failed.append(["" if "_FailedTest" in test.id() else test.id(), err[0].__name__])
            super().addError(test, err)

    failed: Failures = []
    runner = unittest.TextTestRunner(resultclass=Result, failfast="-f" in job["options"])  # type: ignore[arg-type]
    argv = ["python -m unittest", *job["options"], job["file"].removesuffix(".py")]
    try:
        unittest.main(module=None, argv=argv, exit=False, testRunner=runner)
    except BaseException as error:  # of loading: one that is no ImportError comes through
        show(error)
        failed.append(["", type(error).__name__])
    return failed


def by_doctest(job: Job) -> Failures:
    import doctest

    failed: Failures = []
    kept = doctest.DocTestRunner.report_failure, doctest.DocTestRunner.report_unexpected_exception

    def failure(self: Any, out: Any, test: Any, example: Any, got: str) -> None:
        failed.append([example.lineno + 1, mismatch(example, got)])
        kept[0](self, out, test, example, got)

    def unexpected(self: Any, out: Any, test: Any, example: Any, exc_info: Any) -> None:
        failed.append([example.lineno + 1, exc_info[0].__name__])
        kept[1](self, out, test, example, exc_info)

    doctest.DocTestRunner.report_failure = failure  # type: ignore[method-assign]
    doctest.DocTestRunner.report_unexpected_exception = unexpected  # type: ignore[method-assign]
    flags = doctest.FAIL_FAST if "-f" in job["options"] else 0
    doctest.master = None
    try:
        doctest.testfile(job["file"], module_relative=False, optionflags=flags)
    finally:
        doctest.DocTestRunner.report_failure = kept[0]  # type: ignore[method-assign]
        doctest.DocTestRunner.report_unexpected_exception = kept[1]  # type: ignore[method-assign]
    return failed


def mismatch(example: Any, got: str) -> str:
    """What to call it where an example prints something else: where it raised something else, that."""
    if not example.exc_msg:
        return "AssertionError"
    last = got.rstrip("\n").rsplit("\n", 1)[-1]
    return last.split(":")[0].rsplit(".", 1)[-1] if got.startswith("Traceback") else "AssertionError"


def by_running(job: Job) -> Failures:
    """As `python FILE` does, whose first frame is the file's."""
    path = os.path.abspath(job["file"])  # noqa: PTH100
    main_module, argv = sys.modules["__main__"], sys.argv
    own = ModuleType("__main__")
    own.__file__ = path
    sys.modules["__main__"], sys.argv = own, [job["file"]]
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
        exec(compile(text, path, "exec"), own.__dict__)  # noqa: S102
    except BaseException as error:
        place = show(error)
        return [[place.tb_lineno if place else 0, type(error).__name__]]
    finally:
        sys.modules["__main__"], sys.argv = main_module, argv
    return []


class Prompt(code.InteractiveInterpreter):
    """Python's prompt, which remembers what came of a line."""

    def __init__(self) -> None:
        super().__init__({"__name__": "__main__", "__builtins__": __builtins__})
        self.error = ""
        self.shown: list[str] = []
        self.ended = False

    def showtraceback(self) -> None:
        self._show()

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        self._show()

    def _show(self) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            self.error = type(error).__name__
            show(error)

    def enter(self, line: str) -> None:
        print(f">>> {line}", flush=True)
        self.error, self.shown = "", []
        try:
            self.runsource(line, "<stdin>", "single")
        except SystemExit:
            self.ended = True


def by_typing(job: Job) -> Failures:
    failed: Failures = []
    prompt = Prompt()
    kept = sys.displayhook

    def display(value: Any) -> None:
        prompt.shown.append(repr(value))
        kept(value)

    sys.displayhook = display
    try:
        for number, (line, wanted, error) in enumerate(job["lines"]):
            prompt.enter(line)
            if prompt.ended:
                failed.append([number + 1, "SystemExit"])
                break
            if prompt.error != error:
                failed.append([number + 1, prompt.error or "AssertionError"])
            elif not error and number and (prompt.shown or ["None"])[0] != wanted:
                failed.append([number + 1, "AssertionError"])
            if prompt.error and not number:
                break
    finally:
        sys.displayhook = kept
    return failed


RUNNERS: dict[str, Callable[[Job], Failures]] = {
    "pytest": by_pytest,
    "unittest": by_unittest,
    "doctest": by_doctest,
    "script": by_running,
    "prompt": by_typing,
    "itself": by_running,
}

if __name__ == "__main__":
    main()
