"""Do the tools that people have agree with us? GNU patch, git apply and diff-match-patch over thousands of patches.

Our patches are proved by our own appliers (`verifiers.patches`). Here the same patches go to the tools that a
reader of the dataset would use, which must make the clean text of the damaged one byte for byte, with no
offset, no fuzz and no word of complaint:

    python benchmarks/real_tools.py --samples 10000

The texts are the built-in passages, damaged as the recipe prose-repair damages them. Every other pair is then
made awkward: CRLF, emoji, combining marks, right to left, characters that other programs take for line ends, a
line of 20,000 characters; and among all of them a final newline is missing or a text is empty. This measures
agreement and not speed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from diff_match_patch import diff_match_patch

from retroweave.corruptions.damage import damage
from retroweave.pipeline.errors import Drop
from retroweave.text.diffs import dmp_patch, git_diff, unified_diff
from retroweave.verifiers.patches import dmp_restores, unified_restores

Pair = tuple[str, str]
"""The damaged text and the clean one."""
Write = Callable[..., str]
"""One of ours, which takes the damaged text, the clean one and a name; or one spoiled, to see a tool complain."""
Tool = Callable[[Sequence[Pair]], list[str]]
"""Makes the clean texts of the damaged ones with the patches between them, and says what went wrong."""

BATCH = 500
PASSAGES = Path(__file__).parent.parent / "src/retroweave/sources/passages"

SHAPES: dict[str, Callable[[str], str]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "emoji": lambda text: text.replace(" ", " \U0001f469\u200d\U0001f469\u200d\U0001f467\ufe0f "),
    "combining marks": lambda text: text.replace("e", "e\u0301").replace("o", "o\u0328\u0304"),
    "right to left": lambda text: "".join(f"\u202b\u05d0\u05d1 \u0627\u0644{line}\u202c" for line in text.split(".")),
    "line ends that are none": lambda text: text.replace(", ", "\u2028").replace(" a", "\r").replace(" t", "\x0c\x85"),
    "NUL": lambda text: text.replace(" a", "\0"),
    "tabs and signs": lambda text: text.replace(" ", "\t").replace("\n", "\n--- @@ +% \\ "),
    "a line of 20,000 characters": lambda text: f"{text}\n{text.replace(chr(10), ' ')}".ljust(20_000, "x"),
}


def with_edges(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs, every other one in the next awkward shape, and some without final newline or without any text."""
    shapes = list(SHAPES.values())
    for number, (damaged, clean) in enumerate(pairs):
        if number % 2:
            shape = shapes[number // 2 % len(shapes)]
            damaged, clean = shape(damaged), shape(clean)
        ends = {3: ("\n", ""), 5: ("", "\n"), 8: ("", "")}.get(number % 10)
        if ends:
            damaged, clean = damaged.rstrip("\r\n") + ends[0], clean.rstrip("\r\n") + ends[1]
        yield "" if number % 100 == 49 else damaged, "" if number % 100 == 99 else clean


def by_gnu_patch(pairs: Sequence[Pair], write: Write = unified_diff) -> list[str]:
    command = ["patch", "--strip=0", "--fuzz=0", "--input=all.patch"]
    return _in_a_folder(pairs, write, command, chatter="patching file ")


def by_git_apply(pairs: Sequence[Pair], write: Write = git_diff) -> list[str]:
    command = ["git", "apply", "--verbose", "--whitespace=nowarn", "all.patch"]
    return _in_a_folder(pairs, write, command, chatter=("Checking patch ", "Applied patch "))


def by_diff_match_patch(pairs: Sequence[Pair], write: Write = dmp_patch) -> list[str]:
    reference = diff_match_patch()
    complaints = []
    for number, (damaged, clean) in enumerate(pairs):
        patch = write(damaged, clean)
        made, fits = reference.patch_apply(reference.patch_fromText(patch), damaged)
        if made != clean or not all(fits):
            complaints.append(f"sample {number}: {fits.count(False)} of {len(fits)} hunks do not fit\n{patch}")
    return complaints


def by_our_own(pairs: Sequence[Pair]) -> list[str]:
    return [
        f"sample {number}: {write.__name__}'s patch is refused"
        for number, (damaged, clean) in enumerate(pairs)
        for write, restores in (
            (unified_diff, unified_restores),
            (git_diff, unified_restores),
            (dmp_patch, dmp_restores),
        )
        if not restores(damaged, write(damaged, clean), clean)
    ]


TOOLS: dict[str, Tool] = {
    "GNU patch": by_gnu_patch,
    "git apply": by_git_apply,
    "diff-match-patch": by_diff_match_patch,
    "retroweave": by_our_own,
}
NEEDS = {"GNU patch": "patch", "git apply": "git"}


def _in_a_folder(pairs: Sequence[Pair], write: Write, command: list[str], chatter: str | tuple[str, ...]) -> list[str]:
    """All damaged texts as files of one folder, all patches in one file, and one call of the tool."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, f"damaged-{number:05}.txt") for number in range(len(pairs))]
        patches = []
        for file, (damaged, clean) in zip(files, pairs, strict=True):
            file.write_bytes(damaged.encode())
            patches.append(write(damaged, clean, file.name))
        Path(folder, "all.patch").write_bytes("".join(patches).encode())
        # Neither a person's git configuration nor a repository around the folder may have a say.
        environment = {
            **os.environ,
            "LC_ALL": "C",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(Path(folder).parent),
        }
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
        said = (ran.stdout + ran.stderr).decode(errors="replace").splitlines()
        complaints = [line for line in said if not line.startswith(chatter)]
        if ran.returncode and not complaints:
            complaints = [f"{command[0]} ended with exit code {ran.returncode}"]
        for file, (_, clean) in zip(files, pairs, strict=True):
            if (file.read_bytes() if file.exists() else b"") != clean.encode():
                complaints.append(f"{file.name} is not the clean text")
        return complaints


def damaged_passages(seed: int) -> Iterator[Pair]:
    """Damaged and clean, without end: every built-in passage in turn, damaged anew each time."""
    passages = [file.read_bytes().decode() for file in sorted(PASSAGES.rglob("*.txt"))]
    rng = random.Random(seed)
    for passage in cycle(passages):
        with suppress(Drop):
            yield damage(passage, rng, passages)[0], passage


def main() -> int:
    parser = argparse.ArgumentParser(description="Apply our patches with the tools that people have.")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = list(islice(with_edges(damaged_passages(options.seed)), options.samples))
    failed = False
    for name, tool in TOOLS.items():
        if name in NEEDS and not shutil.which(NEEDS[name]):
            print(f"{name:<18} not installed, left out")
            failed = True
            continue
        start = time.perf_counter()
        complaints = [line for at in range(0, len(pairs), BATCH) for line in tool(pairs[at : at + BATCH])]
        seconds = time.perf_counter() - start
        print(f"{name:<18} {len(pairs):>6} patches  {len(complaints)} complaints  {seconds:.1f} s")
        print(*(f"    {line}" for line in complaints[:5]), sep="\n", end="")
        failed = failed or bool(complaints)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
