"""Make the hashes by which functions are screened against HumanEval, MBPP and QuixBugs, from local copies of these.

    python tools/benchmark_hashes.py --humaneval HumanEval.jsonl.gz --mbpp mbpp.jsonl --quixbugs QuixBugs

HumanEval (github.com/openai/human-eval) and QuixBugs (github.com/jkoppel/QuixBugs) are under the MIT licence, MBPP
(github.com/google-research/google-research, folder mbpp) under CC-BY-4.0. What is written holds names, numbers of tasks
and hashes, and no text of theirs. `--mbpp` may be given more than once: `sanitized-mbpp.json` words its tasks anew.

The benchmarks' own solutions are run in the sandbox, each with the kinds of arguments that its own tests pass to it.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from retroweave.pipeline.sandbox import Sandbox, SandboxFailed
from retroweave.quality import contamination
from retroweave.quality.behaviour import Kinds, arities, behaviours, kind_of
from retroweave.quality.wording import code_hashes, docstring_hashes
from retroweave.verifiers.sandbox import open_sandbox

T = TypeVar("T")
OUT = Path(contamination.__file__).with_name(contamination.FILE)


@dataclass(frozen=True)
class Task:
    name: str
    function: str
    code: str
    docstring: str
    arguments: tuple[tuple[Any, ...], ...]
    """Those of the calls in the tests that are literals."""
    others: tuple[str, ...] = ()
    """Further codes that belong to the task: the one with the bug."""

    def kinds(self) -> list[Kinds]:
        """The kinds of arguments that the tests pass."""
        every = [[kind_of(one) for one in args] for args in self.arguments]
        found = [tuple(kind for kind in kinds if kind) for kinds in every if None not in kinds]
        return list(dict.fromkeys(kinds for kinds in found if kinds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humaneval", type=Path, required=True, help="HumanEval.jsonl or HumanEval.jsonl.gz")
    parser.add_argument("--mbpp", type=Path, required=True, action="append", help="mbpp.jsonl or sanitized-mbpp.json")
    parser.add_argument("--quixbugs", type=Path, required=True, help="the repository's folder")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    tasks = [*humaneval(options.humaneval), *quixbugs(options.quixbugs)]
    for path in options.mbpp:
        tasks += mbpp(path)
    with open_sandbox() as sandbox:
        found = hashes(tasks, sandbox)
    options.out.write_text(dumped(found), "utf-8")
    count = sum(map(len, found["behaviours"].values()))
    print(
        f"{len(tasks)} tasks: {len(found['codes'])} codes, {len(found['docstrings'])} docstrings, {count} behaviours."
    )


def humaneval(path: Path) -> Iterator[Task]:
    for one in records(path):
        code = one["prompt"] + one["canonical_solution"]
        name = one["entry_point"]
        yield Task(one["task_id"], name, code, docstring_of(code, name), arguments(one["test"], "candidate"))


def mbpp(path: Path) -> Iterator[Task]:
    for one in records(path):
        tests = "\n".join(one["test_list"])
        code = one["code"].replace("\r\n", "\n").expandtabs(4)
        defined = {node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}
        called = [name for name in calls(tests) if name in defined]
        if called:
            text = one.get("text") or one["prompt"]
            yield Task(f"MBPP/{one['task_id']}", called[0], code, text, arguments(tests, called[0]))


def quixbugs(folder: Path) -> Iterator[Task]:
    for path in sorted((folder / "correct_python_programs").glob("*.py")):
        broken = (folder / "python_programs" / path.name).read_text("utf-8")
        code = path.read_text("utf-8")
        if path.stem == "node" or path.stem.endswith("_test"):
            continue
        tests = folder / "json_testcases" / f"{path.stem}.json"
        lines = [json.loads(line) for line in tests.read_text("utf-8").splitlines() if line] if tests.exists() else []
        passed = tuple(tuple(args) for args, *_ in lines if isinstance(args, list))
        yield Task(f"QuixBugs/{path.stem}", path.stem, code, remark(broken), passed, (broken,))


def records(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]


def docstring_of(code: str, function: str) -> str:
    defined = [one for one in ast.parse(code).body if isinstance(one, ast.FunctionDef) and one.name == function]
    return ast.get_docstring(defined[0]) or ""


def remark(code: str) -> str:
    """The string at the end of a program of QuixBugs: its title, then what it does, up to its examples."""
    strings = [one.value for one in ast.parse(code).body if isinstance(one, ast.Expr)]
    texts = [str(one.value) for one in strings if isinstance(one, ast.Constant)]
    return texts[-1].strip().partition("\n")[2].partition("Example")[0] if texts else ""


def calls(tests: str) -> list[str]:
    return [
        one.func.id
        for one in ast.walk(ast.parse(tests))
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    ]


def arguments(tests: str, function: str) -> tuple[tuple[Any, ...], ...]:
    found: list[tuple[Any, ...]] = []
    for one in ast.walk(ast.parse(tests)):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == function:
            try:
                found.append(tuple(ast.literal_eval(argument) for argument in one.args))
            except ValueError:
                continue  # a call whose arguments are worked out says nothing of their kinds without being run
    return tuple(found)


def hashes(tasks: Sequence[Task], sandbox: Sandbox) -> dict[str, Any]:
    names = defaultdict[str, list[str]](list)
    codes = defaultdict[str, list[str]](list)
    docstrings = defaultdict[str, list[list[str]]](list)
    acting = defaultdict[str, defaultdict[str, list[str]]](lambda: defaultdict(list))
    for task in tasks:
        add(names[task.function.lower()], task.name)
        for code in (task.code, *task.others):
            for one in code_hashes(code):
                add(codes[one], task.name)
        if runs := docstring_hashes(task.docstring):
            add(docstrings[task.name], runs)
        for kinds, one in acts(task, sandbox):
            add(acting["; ".join(kinds)][one], task.name)
    return {"names": names, "codes": codes, "docstrings": docstrings, "behaviours": acting}


def acts(task: Task, sandbox: Sandbox) -> list[tuple[Kinds, str]]:
    takes = arities(task.code, task.function)
    every = [kinds for kinds in task.kinds() if len(kinds) in takes]
    try:
        return list(behaviours(task.code, task.function, every, sandbox))
    except SandboxFailed as error:
        print(f"{task.name} says nothing by its behaviour: {error}")
        return []


def add(found: list[T], one: T) -> None:
    if one not in found:
        found.append(one)


def dumped(found: dict[str, Any]) -> str:
    """Sorted, and one entry a line: a change shows as what it is."""
    return json.dumps(found, sort_keys=True, indent=0, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    main()
