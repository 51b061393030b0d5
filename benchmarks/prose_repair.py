"""How fast is prose repair, next to how such sets have been made so far?

    python benchmarks/prose_repair.py
    python benchmarks/prose_repair.py --rows 2000 --baseline 10 --json

Four measurements in one run, so that they share the machine and its mood:

1. *Baseline*: for each sample what the script of the first such set did (JD-P/RetroInstruct,
   `EasyProseRepairDiffs`): a git repository in a temporary folder with two commits and a `git diff`, a `diff -u`, and
   a patch by the pure-Python diff-match-patch. Only the writing of the patches is timed, not the damage. It is
   measured as that script ran, one sample after another, and on as many threads as ours has workers; half of the
   samples before ours and half after.
2. *Ours*: `retroweave run prose-repair` as a person calls it, start-up, checks, journal, Parquet, card and report
   included.
3. *Patches*: what each side spends on the patches of a sample, all three formats there and the one that is drawn here,
   applied and compared with the passage; and, like for like, all three formats for the same samples on both sides.
   The second measurement tells what a person waits for.
4. *Breakdown*: the same steps, in this process, one row after another and timed one by one.

A sample of the baseline holds all three patch formats; a sample of ours holds one, drawn by weight, and is
diagnosed, verified and kept. The ratio is of samples and says nothing about their quality.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from diff_match_patch import diff_match_patch

from retroweave.export.dataset import DatasetWriter
from retroweave.export.survey import Survey
from retroweave.pipeline.errors import Drop
from retroweave.pipeline.flow import Bench, advance, drive
from retroweave.pipeline.gate import Gate
from retroweave.pipeline.journal import Journal, decode, encode
from retroweave.pipeline.pipeline import Mix, Node
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.row import Drawn, Leaf, Row, numbers
from retroweave.pipeline.run import draws
from retroweave.pipeline.runner import CHUNK
from retroweave.quality.lint import Habits
from retroweave.text.diffs import dmp_patch, git_diff, unified_diff
from retroweave.verifiers.patches import dmp_restores, unified_restores

RECIPE = "prose-repair"
PATCHING = ("write_unified", "write_git", "write_dmp", "patch_restores", "dmp_patch_restores")
"""The steps that write a sample's patch and apply it to see that it restores the passage."""
Pair = tuple[str, str]
"""The damaged text and the clean one."""

# A person's own git configuration (signing, hooks, no name) must neither slow the baseline nor break it.
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "benchmark" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def baseline(pairs: Sequence[Pair], threads: int) -> float:
    """The seconds that the patches of all pairs take."""
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        patches = list(pool.map(patches_by_processes, pairs))
    seconds = time.perf_counter() - began
    if not all(all(formats) for formats in patches):
        raise RuntimeError("A patch of the baseline is empty. Are git and diff installed?")
    return seconds


def patches_by_processes(pair: Pair) -> tuple[bytes, bytes, str]:
    return _by_git(*pair), _by_diff(*pair), _by_diff_match_patch(*pair)


def _by_git(old: str, new: str) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "passage.txt")
        _call("git", "init", folder=folder)
        for version, text in enumerate((old, new), start=1):
            file.write_bytes(text.encode())
            _call("git", "add", file.name, folder=folder)
            _call("git", "commit", "-m", f"Version {version}", folder=folder)
        return _call("git", "diff", "HEAD~1..HEAD", folder=folder)


def _by_diff(old: str, new: str) -> bytes:
    with TemporaryDirectory() as folder:
        Path(folder, "old").write_bytes(old.encode())
        Path(folder, "new").write_bytes(new.encode())
        return _call("diff", "-u", "old", "new", folder=folder)


def _by_diff_match_patch(old: str, new: str) -> str:
    library = diff_match_patch()
    text: str = library.patch_toText(library.patch_make(old, library.diff_main(old, new)))
    return text


def _call(*command: str, folder: str) -> bytes:
    environment = {**os.environ, **GIT}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).stdout


def patches_in_process(pairs: Sequence[Pair]) -> float:
    """The seconds that ours takes to write and to verify all three patches of each pair."""
    began = time.perf_counter()
    right = [
        unified_restores(old, unified_diff(old, new), new)
        and unified_restores(old, git_diff(old, new), new)
        and dmp_restores(old, dmp_patch(old, new), new)
        for old, new in pairs
    ]
    seconds = time.perf_counter() - began
    if not all(right):
        raise RuntimeError("A patch of ours does not restore its passage.")
    return seconds


def end_to_end(rows: int, workers: int, out: Path) -> dict[str, Any]:
    """The command as a person calls it, into an empty folder."""
    command = [sys.executable, "-m", "retroweave", "run", RECIPE, "--rows", str(rows), "--out", str(out)]
    began = time.perf_counter()
    subprocess.run([*command, "--workers", str(workers)], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    seconds = json.loads((out / "run.json").read_bytes())["seconds"]
    return {"wall_seconds": wall, "run_json_seconds": seconds, "samples_a_second": rows / wall}


@dataclass
class Clock:
    """Seconds and calls by name."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - began
        self.calls[name] += 1


def breakdown(rows: int, folder: Path, clock: Clock) -> list[Row]:
    """Work on rows as a run does, but one by one and timed; the rows that became samples, with all their fields."""
    recipe = find_recipe(RECIPE)
    pipeline = recipe.pipeline(recipe.config_type())
    bench = Bench(pipeline, recipe.name, seed=0)
    gate = Gate(pipeline.caps, rows)
    folder.mkdir()
    journal = Journal(folder / "outcomes.sqlite")
    journal.begin({})
    samples: list[Row] = []
    source = draws(pipeline)
    writer, survey, habits = DatasetWriter(folder), Survey(), Habits()
    while not gate.full:
        with clock.time("source"):
            drawn = list(islice(source, CHUNK))
        made = [(one, *_worked(one, bench, clock)) for one in drawn]
        with clock.time("journal: insert and read"):
            journal.put((one, record, False) for one, record, _ in made)
            for one in drawn:
                journal.get(one)
        for one, record, row in made:
            if _pass(one, record, gate, writer, survey, habits, clock):
                samples.append(row)
    with clock.time("parquet: write"):
        writer.close()
    journal.close()
    return samples


def _worked(drawn: Drawn, bench: Bench, clock: Clock) -> tuple[bytes, Row]:
    row = Row.first(drawn)
    try:
        leaf = _flow(bench.pipeline.steps, row, bench, clock)
    except Drop as drop:
        leaf = Leaf("reject", row.path, reason=str(drop), place=drawn.place)
    with clock.time("journal: encode"):
        return encode([leaf]), row


def _flow(steps: Sequence[Node], row: Row, bench: Bench, clock: Clock) -> Leaf:
    """As `flow.flow` where each node gives one row, with each node timed."""
    for node in steps:
        if isinstance(node, Mix):
            rng = numbers(bench.salt, node.name, row.id)
            (arm,) = rng.choices(node.arms, [arm.weight for arm in node.arms])
            return _flow(arm.steps, row, bench, clock)
        with clock.time(node.name):
            (outcome,) = drive(advance(node, row, bench))
        if isinstance(outcome, Leaf):
            return outcome
    raise RuntimeError("The pipeline ends without a layout.")


def _pass(
    drawn: Drawn, record: bytes, gate: Gate, writer: DatasetWriter, survey: Survey, habits: Habits, clock: Clock
) -> bool:
    if gate.full:
        return False
    with clock.time("journal: decode"):
        (leaf,) = decode(record)
    with clock.time("gate"):
        verdict, _ = gate.take(leaf)
    if verdict == "sample":
        with clock.time("parquet: write"):
            writer.write(drawn.side, leaf.sample)
        with clock.time("survey, for card and report"):
            survey.add({**leaf.sample, "split": drawn.side})
        with clock.time("lints"):
            habits.see(leaf.sample)
    return verdict == "sample"


def measure(rows: int, workers: int, baseline_samples: int, breakdown_samples: int) -> dict[str, Any]:
    steps = Clock()
    with TemporaryDirectory() as folder:
        samples = breakdown(max(breakdown_samples, baseline_samples), Path(folder, "breakdown"), steps)
        pairs = [(row.fields["damaged"], row.fields["passage"]) for row in samples[:baseline_samples]]
        half = len(pairs) // 2
        alone, together = baseline(pairs[:half], 1), baseline(pairs[:half], workers)
        ours = end_to_end(rows, workers, Path(folder, "run"))
        alone, together = alone + baseline(pairs[half:], 1), together + baseline(pairs[half:], workers)
        patches = patches_in_process(pairs)
    own = sum(steps.seconds[name] for name in PATCHING) / len(samples)
    spent = sorted(steps.seconds.items(), key=lambda item: -item[1])
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "workers": workers,
        "baseline": {"samples": len(pairs), "seconds": alone, "seconds_on_threads": together},
        "retroweave": {"samples": rows, **ours},
        "patching": {"seconds_a_sample": own, "ratio": alone / len(pairs) / own},
        "patches_alone": {"samples": len(pairs), "seconds": patches, "ratio": alone / patches},
        "ratio": ours["samples_a_second"] * alone / len(pairs),
        "ratio_on_threads": ours["samples_a_second"] * together / len(pairs),
        "microseconds_a_sample": {name: 1e6 * seconds / len(samples) for name, seconds in spent},
        "microseconds_a_call": {name: 1e6 * seconds / steps.calls[name] for name, seconds in spent},
    }


def show(found: dict[str, Any]) -> None:
    theirs, ours = found["baseline"], found["retroweave"]
    print(f"{found['cores']} cores, Python {found['python']}\n")
    print(f"{'':32}{'samples':>10}{'samples/s':>12}{'ours to it':>12}")
    for name, seconds, ratio in (
        ("baseline, one at a time", theirs["seconds"], found["ratio"]),
        (f"baseline, {found['workers']} threads", theirs["seconds_on_threads"], found["ratio_on_threads"]),
    ):
        print(f"{name:32}{theirs['samples']:>10,}{theirs['samples'] / seconds:>12,.1f}{ratio:>12,.1f}")
    ours_name = f"retroweave run, {found['workers']} workers"
    print(f"{ours_name:32}{ours['samples']:>10,}{ours['samples_a_second']:>12,.1f}\n")
    patches, patching = found["patches_alone"], found["patching"]
    print(
        f"The patches of a sample as each makes them: all three by the baseline, "
        f"{1e6 * theirs['seconds'] / theirs['samples']:,.0f} us; the one that is drawn by ours, verified, "
        f"{1e6 * patching['seconds_a_sample']:,.0f} us: {patching['ratio']:,.0f} times as fast."
    )
    print(
        f"All three patches alone: {1e6 * theirs['seconds'] / theirs['samples']:,.0f} us by the baseline, "
        f"{1e6 * patches['seconds'] / patches['samples']:,.0f} us by ours and verified: "
        f"{patches['ratio']:,.0f} times as fast."
    )
    print(
        f"The run took {ours['wall_seconds']:.1f} s from the call to the prompt; run.json says "
        f"{ours['run_json_seconds']:.1f} s for the rows."
    )
    total = sum(found["microseconds_a_sample"].values())
    print(f"\n{'one process, a sample':28}{'us':>8}{'share':>8}{'us a call':>12}")
    for name, spent in found["microseconds_a_sample"].items():
        print(f"{name:28}{spent:>8.0f}{spent / total:>8.0%}{found['microseconds_a_call'][name]:>12.0f}")
    print(f"{'all':28}{total:>8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Prose repair: how fast, and where the time goes.")
    parser.add_argument("--rows", type=int, default=20_000, help="samples that `retroweave run` makes")
    parser.add_argument("--workers", type=int, default=2, help="its workers, and the baseline's threads")
    parser.add_argument("--baseline", type=int, default=40, help="samples that the baseline makes")
    parser.add_argument("--breakdown", type=int, default=8_000, help="samples that are timed step by step")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    found = measure(options.rows, options.workers, options.baseline, options.breakdown)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
