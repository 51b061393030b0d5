"""What a model has to say for a suite: calls that it would make, and assertions that it would write.

It is asked for both and believed in neither. A call is read as literals and no code; what it gives, the original is run
to find out. An assertion stands only where the original passes it, as `run_tests` decides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.plain import Unprintable, printed
from retroweave.verifiers.sandbox.assertions import Deposition

__all__ = ["calls_asserted", "read_calls"]

LONGEST = 2_000
"""Characters of a call."""
MOST = 40


def read_calls(lines: Iterable[str], function: str) -> list[Call]:
    """The calls in lines such as `f([1, 2], key="a")`, no two alike; what is no literal is left out with its call."""
    found: dict[str, Call] = {}
    for line in lines:
        for call in _calls_in(line, function):
            found.setdefault(printed([list(call.args), dict(call.kwargs)]), call)
            if len(found) == MOST:
                return list(found.values())
    return list(found.values())


def _calls_in(line: str, function: str) -> Iterator[Call]:
    if len(line) > LONGEST:
        return
    try:
        node = ast.parse(line.strip().removeprefix(">>>").strip(), mode="eval").body
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != function:
            return
        args = tuple(ast.literal_eval(one) for one in node.args)
        kwargs = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg is not None}
        printed([list(args), kwargs])
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError, Unprintable):
        return
    if len(kwargs) == len(node.keywords):
        yield Call(args, kwargs)


def calls_asserted(heard: Deposition) -> Sequence[Call]:
    """The calls of test code whose assertions all hold on the original; of other test code none.

    One assertion that fails says that the tests were written for another function than this one.
    """
    return [call for call, _ in heard.calls] if heard.stands else []
