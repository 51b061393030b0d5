"""Of code transformation: what the user says, turn by turn, and the code that answers it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from retroweave import Drop
from retroweave.pipeline.sandbox import Outcome, Sandbox
from retroweave.pipeline.step import Resource
from retroweave.recipes.transform_ways import State, called
from retroweave.text.python_code import without_comments, without_docstrings, without_examples
from retroweave.text.variants import Words
from retroweave.verifiers.examples import STYLES, shown
from retroweave.verifiers.guessing import guessed
from retroweave.verifiers.plain import Unprintable, call_text, printed
from retroweave.verifiers.sandbox.shared import Sandboxes
from retroweave.verifiers.suites import Test

__all__ = [
    "Change",
    "Forms",
    "Phrases",
    "all_changes",
    "dress",
    "run_before",
    "words",
    "write_answers",
    "write_requests",
]

words = Words(Path(__file__).with_name("code_transform"))


@dataclass(frozen=True)
class Forms:
    """The weights of what is said of a function besides its head and its examples."""

    docstring: float
    sentence: float
    examples: float


def dress(path: list[State], forms: Resource[Forms], rng: Random) -> tuple[str, list[str]]:
    """Choose how the functions are told of, such that nothing would have to be guessed, and write their code so.

    All are without comments, and have their docstring only where it is told; never with its own examples.
    """
    weights = asdict(forms)
    while any(weights.values()):
        form = rng.choices(list(weights), list(weights.values()))[0]
        codes = [_bare(one, form) for one in path]
        if _is_pinned_down(path, codes, form):
            return form, codes
        weights[form] = 0
    raise Drop("an answer holds what nobody could know")


def _bare(one: State, form: str) -> str:
    return without_comments((without_examples if form == "docstring" else without_docstrings)(one.code))


def _is_pinned_down(path: Sequence[State], codes: Sequence[str], form: str) -> bool:
    said = codes[0]
    for one, code in zip(path[1:], codes[1:], strict=True):
        told = {"docstring": one.docstring, "sentence": _sentence(one.docstring)}.get(form, "")
        said += " ".join([one.signature, told, *(f"{test.text} {test.value}" for test in one.suite.shown)])
        if guessed(code, said):
            return False
        said += code
    return True


def write_answers(path: list[State], codes: list[str], rng: Random) -> list[str]:
    """The code of each function that is asked for, now and then after a few words."""
    return [
        (_filled(rng.choice(words("leads")), old=one.name, new=other.name) + "\n\n" if rng.random() < 0.25 else "")
        + f"```python\n{code}```"
        for (one, other), code in zip(pairwise(path), codes[1:], strict=True)
    ]


Change = tuple[str, str, str, str]
"""A call of the function before, what it gives, the same call of the one that is asked for, and what that gives."""


def run_before(path: list[State], codes: list[str], sandboxes: Resource[Sandboxes]) -> list[list[Change]]:
    """For each turn the examples that the function before gives another value for: both calls, and both values."""
    return all_changes(path, codes, sandboxes.one)


def all_changes(path: list[State], codes: list[str], sandbox: Sandbox) -> list[list[Change]]:
    return [
        _changes(one, other, called(code, one.name, other.suite.shown, sandbox))
        for (one, other), code in zip(pairwise(path), codes[:-1], strict=True)
    ]


def _changes(one: State, other: State, outcomes: Sequence[Outcome]) -> list[Change]:
    found: list[Change] = []
    for test, outcome in zip(other.suite.shown, outcomes, strict=True):
        if outcome.ended != "returned" or not outcome.plain or outcome.args or outcome.kwargs or outcome.printed:
            continue
        if test.raises or test.changes_arguments:
            continue
        try:
            change = (
                call_text(one.name, test.call.args, test.call.kwargs),
                printed(outcome.value),
                test.text,
                test.value,
            )
        except Unprintable:
            continue  # it cannot be shown; the other examples are
        if change[1] != test.value and not any("`" in part for part in change) and sum(map(len, change)) < 240:
            found.append(change)
    return found


def write_requests(
    path: list[State],
    codes: list[str],
    told_by: str,
    changes: list[list[Change]],
    rng: Random,
) -> list[str]:
    """Ask for each function in turn: its name, its head, what is said of it, and examples of what it gives."""
    requests: list[str] = []
    say = Phrases(rng)
    for place, (one, other) in enumerate(pairwise(path)):
        asked = say(_pool(place, len(path) - 1, rng), old=one.name, new=other.name)
        parts = [_specified(other, codes[place + 1], told_by, say), *_exemplified(other, changes[place], say, rng)]
        if place == 0:
            frame = say("code_frames", code=codes[0])
            parts = [asked, frame, *parts] if rng.random() < 0.6 else [frame, asked, *parts]
        else:
            parts = [asked, *parts]
        requests.append("\n\n".join(part.rstrip() for part in parts))
    return requests


class Phrases:
    """Phrasings of the recipe's pools, none of them twice in a conversation."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._left: dict[str, list[str]] = {}

    def __call__(self, pool: str, **values: str) -> str:
        if not self._left.get(pool):
            self._left[pool] = self._rng.sample(words(pool), len(words(pool)))
        return _filled(self._left[pool].pop(), **values)


def _pool(place: int, turns: int, rng: Random) -> str:
    if place == 0:
        return "first_of_several" if turns > 1 and rng.random() < 0.2 else "first"
    return "last" if place == turns - 1 and rng.random() < 0.6 else "later"


def _specified(one: State, code: str, told_by: str, say: Phrases) -> str:
    """The head of a function, with what is said of it besides."""
    if stub := _stub(code, one.name):
        return f"{say('stub')}\n\n```python\n{stub}```"
    signature = one.signature.removesuffix(":")
    sentence = _sentence(one.docstring)
    if told_by == "sentence" and sentence:
        return say("sentence", signature=signature, sentence=sentence)
    return say("signature", signature=signature)


def _stub(code: str, name: str) -> str:
    """The lines of a function down to the end of its docstring; nothing where it has none."""
    node = next(one for one in ast.parse(code).body if isinstance(one, ast.FunctionDef) and one.name == name)
    if not ast.get_docstring(node):
        return ""
    return "".join(code.splitlines(keepends=True)[node.lineno - 1 : node.body[0].end_lineno]).rstrip() + "\n"


def _sentence(docstring: str) -> str:
    """The first sentence, on one line; nothing where it is too short to say much."""
    paragraph = " ".join(docstring.partition(">>>")[0].partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z])", paragraph)[0].replace("`", "'").replace('"', "'")
    if len(sentence.split()) < 4:
        return ""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence.rstrip(':;,')}."


def _exemplified(one: State, changes: Sequence[Change], say: Phrases, rng: Random) -> list[str]:
    """The examples, of which some may be told as what changes; all of them stand there."""
    parts: list[str] = []
    tests = list(one.suite.shown)
    if changes and rng.random() < 0.5:
        told = rng.sample(changes, min(len(changes), rng.choice((1, 2, 2, 3))))
        line = rng.choice(words("change"))
        lines = [_filled(line, old=old, had=had, new=new, want=want) for old, had, new, want in told]
        parts.append("\n".join([say("before"), *lines]))
        tests = [test for test in tests if test.text not in {new for _, _, new, _ in told}]
    if tests:
        parts.append(f"{say('examples')}\n\n{_listed(tests, rng)}")
    return parts[:: rng.choice((1, -1))]


def _listed(tests: Sequence[Test], rng: Random) -> str:
    styles = rng.sample(list(STYLES), len(STYLES))
    return next(text for text in (shown(tests, style) for style in styles) if text is not None)


def _filled(phrase: str, **values: str) -> str:
    """A phrasing with its values, which may hold braces of their own."""
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], phrase).rstrip("\n")
