"""Runs in a child of the fork server: test code that a model wrote, watched at each of its assertions.

The function under test is not here but in another process; a stand-in asks the parent for each call. What an assertion
compares goes to the parent, which decides by itself whether it holds. Once the test code runs it may change anything
here, so only the plan, which goes out before, is this module's own word.

Plain `assert` statements, `pytest.raises`, `pytest.approx` of a number and `pytest.mark.parametrize` are understood, in
functions `test_*`, in methods of classes `Test*` and at the top. Fixtures and unittest's classes are not.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import json
import operator
import random
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from retroweave.verifiers.sandbox.calling import MESSAGE, Printed, Report, lines_of
from retroweave.verifiers.sandbox.stepping import SOURCE, counter, give_work
from retroweave.verifiers.sandbox.values import NotPlain, TooLarge, dump, tagged, untagged

__all__ = ["COMPARE", "run"]

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
    "is": operator.is_,
    "is not": operator.is_not,
}
_SIGNS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_WATCH = "__watch__"


class Unanswered(BaseException):
    """The function under test gave neither value nor exception: no test goes on from there, whatever it catches."""


class Rewriter(ast.NodeTransformer):
    """Puts a call of the watcher in the place of each assertion, and writes the plan of them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.plan: list[list[Any]] = []

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        self.generic_visit(node)
        test = node.test
        sign, parts = "true", [test]
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            sign, parts = _SIGNS[type(test.ops[0])], [test.left, test.comparators[0]]
        where = [ast.Constant(self._planned(node, test, sign, parts[-1])), ast.Constant(sign)]
        watcher = ast.Call(ast.Name(_WATCH, ast.Load()), [*where, *parts], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(watcher), node))

    def visit_With(self, node: ast.With) -> ast.AST:
        for item in node.items:
            called = item.context_expr
            if isinstance(called, ast.Call) and ast.unparse(called.func).split(".")[-1] == "raises":
                place = self._planned(node, called, "raises", called)
                called.keywords.append(ast.keyword("__place__", ast.Constant(place)))
                ast.fix_missing_locations(called)
        self.generic_visit(node)
        return node

    def _planned(self, node: ast.stmt, shown: ast.expr, sign: str, last: ast.expr) -> int:
        text = ast.get_source_segment(self._source, shown) or ""
        self.plan.append([node.lineno, text[:MESSAGE], sign, _literal(last)])
        return len(self.plan) - 1


def _literal(node: ast.expr) -> list[Any]:
    """A list of the value that stands there literally, or an empty one."""
    try:
        return [tagged(ast.literal_eval(node), [1 << 16])]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, NotPlain, TooLarge):
        return []


class Approximate:
    """A number within a tolerance, as pytest has it."""

    def __init__(self, expected: float, rel: float | None = None, abs: float | None = None) -> None:
        self.expected, self.rel, self.abs = expected, rel, abs

    def __eq__(self, other: Any) -> bool:
        least = 1e-12 if self.abs is None else self.abs
        share = (1e-6 if self.abs is None else 0.0) if self.rel is None else self.rel
        self.tolerance = max(least, share * abs(self.expected))
        return bool(abs(self.expected - other) <= self.tolerance)

    __hash__ = None  # type: ignore[assignment]


class Watcher:
    """Tells the parent what happens, and asks it for calls."""

    def __init__(self, report: Report, answers: Iterator[str]) -> None:
        self._report = report
        self._answers = answers

    def check(self, place: int, sign: str, left: Any, right: Any = None) -> None:
        if sign == "==" and isinstance(left, Approximate):
            left, right = right, left
        holds = bool(left) if sign == "true" else bool(COMPARE[sign](left, right))
        if isinstance(right, Approximate):
            sign, right = "approx", [right.expected, right.tolerance]
        self._tell("assert", place, sign, *_plain(left, right))
        if not holds:
            raise AssertionError(f"line {place}")

    def raises(self, place: int, expected: tuple[Any, ...], error: BaseException) -> None:
        self._tell("assert", place, "raises", *_plain([kind.__name__ for kind in expected], type(error).__name__))

    def ask(self, *args: Any, **kwargs: Any) -> Any:
        """The function under test, as the test code sees it."""
        try:
            text = dump([list(args), kwargs])
        except (NotPlain, TooLarge) as error:
            raise TypeError("Only plain values can be passed to the function under test.") from error
        self._tell("call", text)
        answer = json.loads(next(self._answers))
        if answer["ended"] == "returned":
            return untagged(answer["value"])
        if answer["ended"] == "raised":
            raise _exception(answer["error"])(answer["message"])
        raise Unanswered(answer["ended"])

    def _tell(self, *what: Any) -> None:
        self._report.put(list(what))
        self._report.flush()


def _plain(left: Any, right: Any) -> list[Any]:
    """Both sides as the parent can read them, and whether it can."""
    try:
        return [tagged(left, [1 << 18]), tagged(right, [1 << 18]), True]
    except (NotPlain, TooLarge):
        return [None, None, False]


def _exception(name: str) -> type[BaseException]:
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found if found not in (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError) else UnicodeError
    return type(name, (Exception,), {})


class _Raises:
    """`pytest.raises` as a context."""

    def __init__(self, watcher: Watcher, place: int, expected: Any, match: str | None) -> None:
        self._watcher = watcher
        self._place = place
        self._expected = expected if isinstance(expected, tuple) else (expected,)
        self._match = match
        self.value: BaseException | None = None

    def __enter__(self) -> _Raises:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        import re

        if error is None:
            raise AssertionError(f"did not raise {self._expected}")
        if not isinstance(error, self._expected):
            return False
        self.value = error
        if self._match is not None and not re.search(self._match, str(error)):
            raise AssertionError(f"{self._match!r} does not match {str(error)!r}")
        self._watcher.raises(self._place, self._expected, error)
        return True


def _stand_in_for_pytest(watcher: Watcher) -> ModuleType:
    module = ModuleType("pytest")
    mark = ModuleType("mark")

    def raises(expected: Any, *, match: str | None = None, __place__: int = -1) -> _Raises:
        return _Raises(watcher, __place__, expected, match)

    def parametrize(names: Any, cases: Any, **known: Any) -> Callable[[Any], Any]:
        def note(function: Any) -> Any:
            wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
            rows = cases if len(wanted) > 1 else [(case,) for case in cases]
            function.__cases__ = [dict(zip(wanted, row, strict=True)) for row in rows]
            return function

        return note

    module.__dict__.update(raises=raises, approx=Approximate, mark=mark)
    mark.__dict__.update(parametrize=parametrize)
    return module


def _tests(names: dict[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The test functions of a module, with their cases."""
    for name, found in list(names.items()):
        if name.startswith("test") and type(found) is FunctionType:
            yield from _cases(name, found, found)
        elif name.startswith("Test") and isinstance(found, type):
            for method, function in list(vars(found).items()):
                if method.startswith("test") and type(function) is FunctionType:
                    yield from _cases(f"{name}.{method}", function, getattr(found(), method))


def _cases(name: str, function: Any, bound: Callable[..., Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    for case in getattr(function, "__cases__", [{}]):
        yield name, functools.partial(bound, **case)


def run(request: dict[str, Any], descriptor: int, orders: int) -> None:
    gc.enable()
    report = Report(descriptor, request["nonce"], request["output"], careful=True)
    full = lambda: report.end(["ended", "steps", "", "", 0])  # noqa: E731 - it is two arguments below
    count = counter(request["steps"], full)
    watcher = Watcher(report, lines_of(orders))
    sys.stdout = Printed(request["output"], full)
    sys.modules["pytest"] = _stand_in_for_pytest(watcher)
    stand_in = ModuleType(request["module"])
    stand_in.__dict__[request["function"]] = watcher.ask
    sys.modules[request["module"]] = stand_in
    random.seed(0)

    def attempt(name: str, action: Callable[[], Any]) -> None:
        count.start()
        try:
            action()
            count.stop()
            report.put(["test", name, "returned", "", ""])
        except BaseException as error:
            count.stop()
            ended = str(error) if type(error) is Unanswered else "raised"
            report.put(["test", name, ended, type(error).__name__, str(error)[:MESSAGE]])

    names: dict[str, Any] = {"__name__": "tests", request["function"]: watcher.ask, _WATCH: watcher.check}

    def module() -> None:
        exec(code, names)  # noqa: S102 - it is what this process is for

    try:
        rewriter = Rewriter(request["test"])
        tree = rewriter.visit(ast.parse(request["test"], SOURCE))
        give_work(tree)
        code = compile(tree, SOURCE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        report.put(["plan", []])
        report.end(["ended", "raised", type(error).__name__, str(error)[:MESSAGE], getattr(error, "lineno", 0) or 0])
    report.put(["plan", rewriter.plan])
    attempt("", module)
    for name, action in _tests(names):
        attempt(name, action)
    report.end(["ended", "returned", "", "", 0])
