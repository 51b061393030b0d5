"""Bugs that a model wrote: what is taken from its answer, and what of it is the bug.

A model that is asked to break a function also renames, reorders and reformats. Of all that it changed only what is
needed is kept: an edit without which the code behaves just the same is taken back. What is left is the bug, and the
repair is no longer than it has to be. How the code behaves is not for this module to say; it asks.

A model's own name for its bug is no more than that, and is told to nobody.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from retroweave.corruptions.code import meaning
from retroweave.pipeline.errors import Drop
from retroweave.text.hunks import Hunk, edited, hunks
from retroweave.text.python_code import function_text, top_functions

__all__ = ["BY_MODEL", "broken_by", "code_in", "least", "put_into"]

BY_MODEL = "by_model"
"""Stands in a record in the place of an operator."""
MOST_HUNKS = 12
"""Who changed more than so many places wrote another function."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w+.-]*[ \t]*\n(.*?)^[ \t]*(?:```|~~~)", re.DOTALL | re.MULTILINE)

Behaves = Callable[[Sequence[str]], Sequence[Hashable]]
"""What some texts do: equal for those that do the same."""


def code_in(answer: str) -> str:
    """The Python in a model's answer: its first fenced block that defines something, or else the answer from there on.

    A base model goes on after the function; what is no part of it any more is cut off. Raises `Drop` where there is no
    function at all.
    """
    for found in (*_FENCE.findall(answer), answer):
        start = re.search(r"^(?:async )?def |^(?:from|import|class|@)\b|^\w+ *=", found, re.MULTILINE)
        if start and "def " in found:
            return _whole(found[start.start() :])
    raise Drop("there is no function in the answer")


def _whole(text: str) -> str:
    """As much of a text, from its beginning and by whole lines, as can be parsed; all of it where nothing can."""
    lines = text.rstrip().split("\n")
    for count in range(len(lines), 0, -1):
        begun = lines[count:] and lines[count][:1] in (" ", "\t", ")", "]", "}")
        if not begun and _parses("\n".join(lines[:count])):
            return "\n".join(lines[:count]).rstrip() + "\n"
    return text.rstrip() + "\n"


def _parses(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in tree.body)


def put_into(original: str, answer: str) -> str:
    """The original with those of its functions replaced that stand in an answer; what else stands there is let go.

    Raises `Drop` where the answer cannot be parsed, or has none of them.
    """
    try:
        there = top_functions(answer)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Drop("it does not parse") from None
    here = top_functions(original)
    lines = original.splitlines(keepends=True)
    common = sorted((place, name) for name, place in here.items() if name in there)
    if not common:
        raise Drop("the function is not there any more")
    for (first, last), name in reversed(common):
        lines[first - 1 : last] = [function_text(answer, there[name]).rstrip("\n") + "\n"]
    return "".join(lines)


def least(original: str, rewritten: str, function: str, behaves: Behaves) -> list[Hunk]:
    """The edits that a rewritten function needs to behave as it does.

    Raises `Drop` for what is not this function broken: it is not there, takes other parameters, says or does the same,
    or is another function altogether.
    """
    _require_same_form(original, rewritten, function)
    kept = hunks(original, rewritten)
    if len(kept) > MOST_HUNKS:
        raise Drop("it is written anew, and not broken")
    wanted, sound = behaves([rewritten, original])
    if wanted == sound:
        raise Drop("no test tells it from the original")
    for hunk in reversed(kept.copy()):
        rest = [one for one in kept if one is not hunk]
        if rest and behaves([edited(original, rest)])[0] == wanted:
            kept = rest
    return kept


def _require_same_form(original: str, rewritten: str, function: str) -> None:
    if meaning(rewritten) is None:
        raise Drop("it does not parse")
    before, after = _parameters(original, function), _parameters(rewritten, function)
    if after is None:
        raise Drop("the function is not there any more")
    if before != after:
        raise Drop("it takes other parameters")
    if meaning(original) == meaning(rewritten):
        raise Drop("it says the same as the original")


def _parameters(code: str, function: str) -> str | None:
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            return ast.dump(node.args)
    return None


def broken_by(original: str, some: Sequence[Hunk]) -> tuple[str, list[dict[str, Any]]]:
    """The text of the function with a model's edits, and their record, in the form of `planted`."""
    text = edited(original, some)
    edits, moved = [], 0
    for start, end, new in some:
        at = start + moved
        moved += len(new) - (end - start)
        line = text.count("\n", 0, at) + 1
        edits.append({"start": start, "end": end, "was": original[start:end], "at": at, "line": line, "now": new})
    first = edits[0]["line"]
    return text, [{"operator": BY_MODEL, "kind": "logic", "line": first, "told": {"line": str(first)}, "edits": edits}]
