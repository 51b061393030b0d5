"""Screening functions against the benchmarks that code models are examined on: HumanEval, MBPP and QuixBugs.

A model that was trained on what it is examined on says nothing by passing. So a function that is a benchmark's is
found: by its code without names, layout and comments, by its docstring, by what it does on a fixed ladder of arguments,
and by its name. What ships is hashes and names, made by `tools/benchmark_hashes.py` from a local copy; no text of a
benchmark is in it.

What does the same by another way is found where its parameters are those of the benchmark's own function, and where its
results tell it from others. A task solved with other parameters, or with a result of another shape, is not found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

from retroweave.pipeline.row import digest
from retroweave.pipeline.sandbox import Sandbox
from retroweave.quality.behaviour import Kinds, arities, behaviours
from retroweave.quality.wording import code_hashes, docstring_hashes

__all__ = ["Benchmarks", "By", "Match", "screen"]

By = Literal["code", "docstring", "behaviour", "name"]
SHARED = 0.6
"""The share of the runs of words of a benchmark's docstring that stand in another one, from which it is the same."""
FILE = "benchmarks.json"


@dataclass(frozen=True, slots=True)
class Match:
    """A task of a benchmark that a function is the solution of, and by what that was told."""

    task: str
    """Such as HumanEval/12."""
    by: By

    @property
    def reason(self) -> str:
        """The same of every function of one benchmark, so that rejects can be counted by it."""
        return f"a benchmark's: {self.task.partition('/')[0]} by its {self.by}"

    def __str__(self) -> str:
        return f"{self.task} by its {self.by}"


def screen(
    code: str,
    function: str,
    docstring: str = "",
    sandbox: Sandbox | None = None,
    *,
    names: bool = True,
    benchmarks: Benchmarks | None = None,
) -> Match | None:
    """The benchmark's task that a function of a source solves, or nothing where none was found.

    The surest sign is told where there are several. Without a sandbox nothing is run, and behaviour is not compared.
    A name alone is the weakest sign (`flatten` is nobody's), but it is what others look for when they examine a set,
    and it costs 1 to 3 functions in 100: so it counts, unless `names` says otherwise. Raises `SandboxFailed`.
    """
    known = benchmarks or shipped()
    return (
        known.by_code(code)
        or known.by_docstring(docstring)
        or (known.by_behaviour(code, function, sandbox) if sandbox else None)
        or (known.by_name(function) if names else None)
    )


@dataclass(frozen=True)
class Benchmarks:
    """What is known of benchmarks: hashes of their functions, and the functions' names."""

    names: Mapping[str, Sequence[str]]
    """Name to tasks."""
    codes: Mapping[str, Sequence[str]]
    """Hash of a function without names, layout and comments, to tasks."""
    docstrings: Mapping[str, Sequence[Sequence[str]]]
    """Task to the hashes of the runs of words of its docstring, in each of its tellings."""
    behaviours: Mapping[str, Mapping[str, Sequence[str]]]
    """Kinds of arguments, to the hash of what comes of them, to tasks."""

    @classmethod
    def read(cls, text: str) -> Benchmarks:
        """From the JSON that `tools/benchmark_hashes.py` writes."""
        found = json.loads(text)
        return cls(found["names"], found["codes"], found["docstrings"], found["behaviours"])

    def fingerprint(self) -> str:
        """A hash of all that is known."""
        return digest(json.dumps([self.names, self.codes, self.docstrings, self.behaviours], sort_keys=True)).hex()

    def by_name(self, function: str) -> Match | None:
        return _match(self.names.get(function.lower()), "name")

    def by_code(self, code: str) -> Match | None:
        """A function that the source defines, the one in question or a helper, is a benchmark's word for word."""
        for one in code_hashes(code):
            if one in self.codes:
                return _match(self.codes[one], "code")
        return None

    def by_docstring(self, docstring: str) -> Match | None:
        """The docstring holds most of what a benchmark's says."""
        own = set(docstring_hashes(docstring))
        tasks = {task for one in own for task in self._runs.get(one, ())}
        shares = {task: max(_share(own, runs) for runs in self.docstrings[task]) for task in tasks}
        likely = sorted((-share, task) for task, share in shares.items() if share >= SHARED)
        return _match([task for _, task in likely], "docstring")

    def by_behaviour(self, code: str, function: str, sandbox: Sandbox) -> Match | None:
        """Called with the arguments of a benchmark's kinds, the function gives what the benchmark's own gives."""
        takes = arities(code, function)
        every = [kinds for kinds in self._kinds if len(kinds) in takes]
        for kinds, one in behaviours(code, function, every, sandbox):
            if one in self._kinds[kinds]:
                return _match(self._kinds[kinds][one], "behaviour")
        return None

    @cached_property
    def _runs(self) -> dict[str, list[str]]:
        """Hash of a run of words to the tasks whose docstring holds it."""
        runs: dict[str, list[str]] = {}
        for task, tellings in self.docstrings.items():
            for one in {one for telling in tellings for one in telling}:
                runs.setdefault(one, []).append(task)
        return runs

    @cached_property
    def _kinds(self) -> dict[Kinds, Mapping[str, Sequence[str]]]:
        return {tuple(kinds.split("; ")): known for kinds, known in self.behaviours.items()}


def _share(own: set[str], runs: Sequence[str]) -> float:
    return len(own.intersection(runs)) / len(runs)


def _match(tasks: Sequence[str] | None, by: By) -> Match | None:
    return Match(tasks[0], by) if tasks else None


@cache
def shipped() -> Benchmarks:
    """What ships with retroweave."""
    return Benchmarks.read(files(__package__).joinpath(FILE).read_text("utf-8"))
