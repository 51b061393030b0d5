"""Is each sample of a code-debugging run what it says? A second look, by a program that knows nothing of the first.

    python benchmarks/code_debugging.py RUN_DIRECTORY
    python benchmarks/code_debugging.py RUN_DIRECTORY --sample 100 --workers 2 --json

It reads the Parquet files of a finished run and imports nothing of retroweave: not its sandbox, its verdicts, its
cleaning of logs or its patches. For each sample it

1. writes the original and its tests to files and runs plain pytest: shown and hidden tests pass;
2. does the same with the code of each turn: at least one shown and one hidden test fails, but where there is no bug;
3. runs what the log's command says on the same files, and compares what is printed, line by line, less the lines that
   hang on the machine and the minute;
4. makes the edits of the record in the original, and gets the broken code and nothing else; and finds in the answer the
   original, as a whole or by applying the patch.

Then it prints what the run is made of. What is run was broken on purpose by a program and has run in a sandbox already;
here it runs in an empty folder, as nobody where that can be had, with limits on time, memory and the size of files.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

SECONDS = 300
TOGETHER = 10
"""Samples whose runs share one start of pytest."""
NOBODY = 65534
ENVIRONMENT = {
    "COLUMNS": "80",
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
}
SESSION = r"""
import sys
space = {"__name__": "__main__", "__builtins__": __builtins__}
for line in open(sys.argv[1], encoding="utf-8").read().splitlines():
    print(f">>> {line}", flush=True)
    try:
        exec(compile(line, "<stdin>", "single"), space)
    except BaseException as error:
        place = error.__traceback__.tb_next
        sys.stdout.flush()
        sys.__excepthook__(type(error), error.with_traceback(place), place)
        sys.stderr.flush()
"""
"""What is typed at a prompt, with an echo."""


@dataclass
class Verdict:
    """What was found out about one sample."""

    id: str
    layout: str
    faults: list[str] = field(default_factory=list)
    runs: int = 0
    exact: int = 0
    """Logs of which each line came again."""


# Running


def limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))


def run(argv: Sequence[str], folder: Path, user: int | None) -> tuple[int, str]:
    """Exit code, and what was printed on both outputs."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        preexec_fn=limits,
        user=user,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def nobody() -> int | None:
    """The user to run as: nobody, where we may become that and it can start this interpreter."""
    if os.geteuid() != 0:
        return None
    with TemporaryDirectory() as folder:
        try:
            code, _ = run([sys.executable, "-c", "import pytest"], Path(folder), NOBODY)
        except OSError:
            return None
    return NOBODY if code == 0 else None


DRIVER = """
import json, os, resource, sys
import pytest
class WithoutLibraries:
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call):
        place = call.excinfo and call.excinfo.value.__traceback__
        while place:
            if not place.tb_frame.f_code.co_filename.startswith(os.getcwd()):
                place.tb_frame.f_globals["__tracebackhide__"] = True
            place = place.tb_next
for folder, arguments in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
        os.chdir(folder)
        sys.path.insert(0, os.getcwd())
        out = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        code = int(pytest.main(arguments, plugins=[WithoutLibraries()]))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs of pytest, each in a process of its own that has pytest loaded already, with no frames of libraries."""
STEADY = ["-p", "no:cacheprovider", "-p", "no:warnings", "--no-header", "--rootdir=.", "--color=no"]


@dataclass(frozen=True)
class Job:
    """A run: its files, and what is said to pytest or to Python."""

    files: Mapping[str, str]
    arguments: list[str]
    by_pytest: bool = True


def printed_by(jobs: Sequence[Job], user: int | None) -> list[tuple[int, str, str]]:
    """Of each run its exit code, what it printed, and the folder in which it ran."""
    with TemporaryDirectory() as place:
        top = Path(place).resolve()
        top.chmod(0o755)
        folders = [top / str(number) for number in range(len(jobs))]
        for folder, job in zip(folders, jobs, strict=True):
            folder.mkdir()
            put(folder, job.files, user)
        told = [(str(folder), job.arguments) for folder, job in zip(folders, jobs, strict=True) if job.by_pytest]
        _, codes = run([sys.executable, "-c", DRIVER, json.dumps(told)], top, user) if told else (0, "")
        code = iter(codes.split())
        found = []
        for folder, job in zip(folders, jobs, strict=True):
            if job.by_pytest:
                found.append((int(next(code)), (folder / "printed.txt").read_text("utf-8", "replace"), str(folder)))
            else:
                found.append((*run([sys.executable, *job.arguments], folder, user), str(folder)))
        return found


def put(folder: Path, files: Mapping[str, str], user: int | None) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    if user is not None:
        os.chown(folder, user, user)


def verdict_on(code: str, tests: Mapping[str, str]) -> Job:
    """The run that tells which files of tests fail."""
    return Job({"solution.py": code, **tests}, [*STEADY, "-q", "--tb=no", "-rfE", *tests])


def failing(tests: Iterable[str], code: int, printed: str) -> set[str]:
    """The files of tests of which some fail."""
    bad = {name for name in tests if re.search(rf"^(FAILED|ERROR) {re.escape(name)}\b", printed, re.MULTILINE)}
    if (code == 0) != (not bad):
        raise RuntimeError(f"pytest ended with {code}:\n{printed}")
    return bad


def again(record: Mapping[str, Any], code: str) -> Job:
    """The run whose log is kept."""
    words = shlex.split(record["command"])
    files = {"solution.py": code, record["file"] or "session.txt": record["tests"]}
    if words[0] == "pytest":
        return Job(files, [*STEADY, *words[1:]])
    if words[:3] == ["python", "-m", "unittest"]:
        return Job(files, [*words[1:-1], words[-1].removesuffix(".py")], by_pytest=False)
    if record["file"]:
        return Job(files, words[1:], by_pytest=False)
    return Job(files | {"prompt.py": SESSION}, ["prompt.py", "session.txt"], by_pytest=False)


# Comparing logs

SECONDS_TAKEN = re.compile(r" in \d+\.\d+s\b( \(\d+:\d\d:\d\d\))?")
ADDRESS = re.compile(r"\bat 0x(?:[0-9a-fA-F]{6,}|\.\.\.)|\bid=(?:\d{6,}|\.\.\.)>")
RULE = re.compile(r"^([=_!.-])\1* (.*?) \1+$")


def lines(text: str, folder: str = "") -> list[str]:
    """The lines of a log in one form, whatever the machine, the minute and the width of a rule."""
    if folder:
        text = text.replace(f"{folder}/", "").replace(folder, ".")
    found = []
    for line in ADDRESS.sub("at 0x...", SECONDS_TAKEN.sub("", text)).split("\n"):
        rule = RULE.match(line)
        found.append(f"--- {rule[2]}" if rule and rule[2] else line.rstrip())
    return [line for line in found if line]


def is_within(some: Sequence[str], all_: Iterable[str]) -> bool:
    """Whether some lines stand among others, in their order."""
    others = iter(all_)
    return all(line in others for line in some)


# Comparing texts


def applied(code: str, patch: str) -> str:
    """The text after a unified diff; every line of it must fit."""
    old, new, at = code.splitlines(keepends=True), [], 0
    body = patch.splitlines(keepends=True)[2:]
    for line in body:
        if line.startswith("@@"):
            start = int(re.match(r"@@ -(\d+)", line)[1])  # type: ignore[index]
            count = re.match(r"@@ -\d+(?:,(\d+))?", line)[1]  # type: ignore[index]
            place = start - 1 if count != "0" else start
            new += old[at:place]
            at = place
        elif line[0] in " -":
            if old[at] != line[1:]:
                raise ValueError(f"line {at + 1} is not {line[1:]!r}")
            new += [old[at]] if line[0] == " " else []
            at += 1
        elif line[0] == "+":
            new.append(line[1:])
        elif not line.startswith("\\"):
            raise ValueError(f"no line of a diff: {line!r}")
    return "".join([*new, *old[at:]])


def edited(code: str, bugs: Iterable[Mapping[str, Any]]) -> str:
    """The text with the edits of a record; each must fit."""
    for edit in sorted((edit for bug in bugs for edit in bug["edits"]), key=lambda edit: -edit["start"]):
        if code[edit["start"] : edit["end"]] != edit["was"]:
            raise ValueError(f"{edit['was']!r} is not at {edit['start']}")
        code = code[: edit["start"]] + edit["now"] + code[edit["end"] :]
    return code


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def answered(sample: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """What is wrong with the answers; nothing where they lead to the original."""
    layout, original, states = sample["layout"], kept["original"], kept["states"]
    trained = [turn["content"] for turn in sample["messages"] if turn["train"]]
    if layout in ("located", "sound"):
        return ""
    if layout == "whole_raw":
        return "" if trained[-1] == original else "the answer is not the original"
    if layout == "function":
        (changed,) = fenced(trained[-1], "python")
        names = [node.name for node in ast.parse(changed).body]  # type: ignore[attr-defined]
        return "" if changed in original and len(names) == 1 else "the function is not one of the original"
    if "patch" in layout or layout == "turns":
        code = states[0]
        for turn, answer in enumerate(trained):
            (patch,) = fenced(answer, "diff")
            code = applied(code, patch)
            if code != [*states[1:], original][turn]:
                return f"the patch of turn {turn + 1} does not lead to the next state"
        return ""
    found = fenced(trained[-1], "python")
    return "" if found[-1:] == [original] else "the code in the answer is not the original"


# Some samples


def looked_at(samples: Sequence[Mapping[str, Any]], user: int | None) -> list[Verdict]:
    """Everything that can be found out about some samples, whose runs share the start of an interpreter."""
    verdicts = [Verdict(sample["id"], sample["layout"]) for sample in samples]
    kept = [json.loads(sample["provenance"])["kept"] for sample in samples]
    jobs = [list(runs_of(one)) for one in kept]
    try:
        found = iter(printed_by([job for some in jobs for job in some], user))
    except (RuntimeError, StopIteration, subprocess.TimeoutExpired) as error:
        if len(samples) > 1:
            return [verdict for sample in samples for verdict in looked_at([sample], user)]
        verdicts[0].faults.append(f"{type(error).__name__}: {error}")
        return verdicts
    for sample, one, verdict, some in zip(samples, kept, verdicts, jobs, strict=True):
        printed = [next(found) for _ in some]
        try:
            verdict.faults += [*texts_at_fault(sample, one), *runs_at_fault(one, printed, verdict)]
        except (ValueError, RuntimeError, KeyError, SyntaxError) as error:
            verdict.faults.append(f"{type(error).__name__}: {error}")
    return verdicts


def tests_of(kept: Mapping[str, Any]) -> dict[str, str]:
    return {"test_shown.py": kept["shown_tests"], "test_hidden.py": kept["hidden_tests"]}


def runs_of(kept: Mapping[str, Any]) -> Iterator[Job]:
    """The tests on the original and on the code of each turn, then the commands of the logs."""
    yield from (verdict_on(code, tests_of(kept)) for code in (kept["original"], *kept["states"]))
    yield from (again(record, state) for record, state in zip(kept["runs"], kept["states"], strict=True))


def texts_at_fault(sample: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the record of the bugs, with what is shown and with the answer."""
    broken = kept["states"][0]
    if edited(kept["original"], kept["bugs"]) != broken:
        yield "the record does not lead to the broken code"
    if (broken == kept["original"]) != (not kept["bugs"]):
        yield "the broken code is the original"
    if broken not in sample["messages"][0]["content"]:
        yield "the broken code is not shown"
    if wrong := answered(sample, kept):
        yield wrong


def runs_at_fault(kept: Mapping[str, Any], printed: Sequence[tuple[int, str, str]], verdict: Verdict) -> Iterator[str]:
    """What is wrong with the tests of the original and of each state, and with the logs."""
    tests = tests_of(kept)
    count = 1 + len(kept["states"])
    for turn, (code, text, _) in enumerate(printed[:count]):
        bad = failing(tests, code, text)
        if turn == 0 and bad:
            yield f"the original fails: {text[-400:]}"
        elif turn and bad != (set(tests) if kept["bugs"] else set()):
            yield f"the code of turn {turn} fails in {sorted(bad) or 'nothing'}"
    for record, (_, text, folder) in zip(kept["runs"], printed[count:], strict=True):
        wanted, got = lines(record["log"]), lines(text, folder)
        verdict.runs += 1
        verdict.exact += wanted == got
        if not is_within(wanted, got):
            missing = next(line for place, line in enumerate(wanted) if not is_within(wanted[: place + 1], got))
            yield f"`{record['command']}` does not print {missing!r}"


# What the run is made of


def read(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted((folder / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def shares(counts: Mapping[Any, int]) -> list[tuple[str, int, str]]:
    total = sum(counts.values())
    return [(str(name), count, f"{count / total:.1%}") for name, count in Counter(counts).most_common()]


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield f"\n{title}\n"
    yield f"| {' | '.join(head)} |"
    yield f"|---{'|--:' * (len(head) - 1)}|"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)


def bucket(share: float) -> str:
    return next(name for bound, name in BUCKETS if share < bound)


BUCKETS = [(0.001, "none"), (0.25, "under a quarter"), (0.5, "under half"), (0.999, "half or more"), (2, "all")]


def tables(folder: Path, samples: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    manifest = json.loads((folder / "run.json").read_text("utf-8"))
    provenance = [json.loads(sample["provenance"]) for sample in samples]
    measures = [one["measures"] for one in provenance]
    kept = [one["kept"] for one in provenance]
    broken = [one for one in measures if one["bug_count"]]
    yield from funnel(manifest)
    yield from table("Layouts", ["layout", "samples", "share"], shares(Counter(one["layout"] for one in samples)))
    functions = Counter(one["source"]["place"] for one in provenance)
    most = max(functions.values())
    yield f"\n{len(functions)} functions gave these {len(samples)} samples, {most} at most of one function."
    yield from kill_rates(provenance)
    kinds = Counter(kind for one in broken for kind in one["kinds"])
    yield from table("Kinds of bugs", ["kind", "samples", "share"], shares(kinds))
    operators = Counter(name for one in broken for name in one["operators"])
    yield from table("Operators, the first twenty", ["operator", "bugs", "share"], shares(operators)[:20])
    yield from table(
        "Tests that fail", ["share", "samples", ""], shares(Counter(bucket(one["failing"]) for one in broken))
    )
    yield from table("How it shows", ["symptom", "samples", "share"], shares(Counter(one["shows"] for one in broken)))
    yield from table(
        "Bugs in one sample", ["bugs", "samples", "share"], shares(Counter(one["bug_count"] for one in measures))
    )
    yield from table("How it is told", ["by", "samples", "share"], shares(Counter(one["told_by"] for one in measures)))
    yield from table("Logs", ["style", "samples", "share"], shares(Counter(one["style"] for one in measures)))
    under = sum(one["failing"] < 0.5 for one in broken) / len(broken)
    obvious = sum(one["obvious"] for one in measures) / len(measures)
    bare = sum(not has_docstring(one["original"], one["function"]) for one in kept) / len(kept)
    yield f"\nFail under half of their tests: {under:.1%} of broken samples. NameError or syntax: {obvious:.1%}."
    yield f"The function has no docstring in {bare:.1%} of the samples."
    several = [one for one in measures if one["bug_count"] > 1]
    at_once = sum(one["turns"] == 1 for one in several)
    if several:
        yield f"Of {len(several)} samples with several bugs {at_once / len(several):.0%} mend all of them in one turn."
    yield from duplicates(kept, [one["source"]["place"] for one in provenance])


def has_docstring(code: str, function: str) -> bool:
    nodes = (node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))
    return any(node.name == function and ast.get_docstring(node) is not None for node in nodes)


def funnel(manifest: Mapping[str, Any]) -> Iterator[str]:
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    for one in manifest["reasons"]:
        lost[one["step"]][f"{one['kind']}: {one['reason'].partition(':')[0]}"] += one["count"]
    counts = manifest["counts"]
    rows: list[tuple[Any, ...]] = [("source rows", "", counts["source_rows"])]
    for step, reasons in lost.items():
        rows += [(step, why, count) for why, count in reasons.most_common(6)]
    rows.append(("samples", "", counts["samples"]))
    yield from table("Funnel", ["step", "why", "outcomes"], rows)


def kill_rates(provenance: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Of all mutants that were tried on the functions of this set, the share that shown and hidden tests catch."""
    tried: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    seen = set()
    for one in provenance:
        bred = json.dumps(one["kept"]["bred"], sort_keys=True)
        if one["kept"]["bred"] and (one["source"]["place"], bred) not in seen:
            seen.add((one["source"]["place"], bred))
            for name, (count, caught) in one["kept"]["bred"].items():
                tried[name] += count
                killed[name] += caught
    rows = [(name, count, f"{killed[name] / count:.0%}") for name, count in tried.most_common()]
    total = f"{sum(killed.values()) / max(1, sum(tried.values())):.1%}"
    yield from table(
        "Kill rate by operator", ["operator", "tried", "caught"], [("all", sum(tried.values()), total), *rows]
    )


def duplicates(kept: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Iterator[str]:
    broken = [one for one in kept if one["bugs"]]
    sound = [one["original"] for one in kept if not one["bugs"]]
    same = len(broken) - len({one["states"][0] for one in broken})
    again = len(sound) - len(set(sound))
    words = {key: frozenset(re.findall(r"\w+", one["original"])) for key, one in zip(keys, kept, strict=True)}
    near = sum(len(a & b) >= 0.7 * len(a | b) for a, b in combinations(words.values(), 2))
    yield f"\nThe same broken code twice: {same}. The same function without a bug twice: {again}."
    yield f"Pairs of different functions whose words are the same to 70 % or more: {near}."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="look at so many samples only, spread evenly")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tables", action="store_true", help="run nothing, print the tables only")
    given = parser.parse_args()
    samples = read(given.run)
    print("\n".join(tables(given.run, samples)))
    if given.tables:
        return 0
    step = max(1, len(samples) // given.sample) if given.sample else 1
    chosen = samples[::step]
    user = nobody()
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(given.workers) as pool:
        chunks = [chosen[start : start + TOGETHER] for start in range(0, len(chosen), TOGETHER)]
        for some in pool.map(lambda chunk: looked_at(chunk, user), chunks):
            verdicts += some
            print(f"\r{len(verdicts)} of {len(chosen)} samples", end="", file=sys.stderr, flush=True)
    bad = [one for one in verdicts if one.faults]
    runs, exact = sum(one.runs for one in verdicts), sum(one.exact for one in verdicts)
    print(f"\n{len(verdicts) - len(bad)} of {len(verdicts)} samples hold, run as {'nobody' if user else 'yourself'}.")
    print(
        f"{runs} logs were made again; {exact} came out line by line the same, the others with lines of libraries more."
    )
    for one in bad[:20]:
        print(f"  {one.id} ({one.layout}): {'; '.join(one.faults)[:600]}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
