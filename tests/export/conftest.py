"""A small run as the engine would leave it: damaged passages, patches, rejects and a run.json that adds up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.export.asked import reject, step_line, verdict

from retroweave.export.dataset import DatasetWriter
from retroweave.text.diffs import git_diff, unified_diff

Sample = dict[str, Any]
MakeSample = Callable[..., Sample]
MakeRun = Callable[..., Path]

PASSAGE = """\
Dear Maren,

The ferry was late again, and by the time we had tied up there was nobody left on the quay but the
harbour master and his dog. They had kept their lamp burning for us, which was kind. I had meant to
write from the ship, but the ink froze twice and my fingers once.

You ask whether the north room is still empty. It is. The window sticks, the stove smokes when the
wind is in the east, and the floor has a slope that sends every dropped pencil to the same corner,
so at least we know where the pencils are. Come in March, when the ice goes out. Bring your own
blankets, the good kettle, and a book that you have not read yet.

Your cousin, who counts the days,
Ellis
"""

DAMAGE = (
    ("homophone", 2, True, "their lamp", "there lamp"),
    ("doubled_word", 1, True, "and my fingers", "and my my fingers"),
    ("deleted_space", 1, True, "nobody left", "nobodyleft"),
    ("dropped_function_word", 2, True, "in the east", "in east"),
    ("changed_number", 4, False, "froze twice", "froze nine times"),
    ("deleted_span", 5, False, "Bring your own\nblankets, the good kettle", ""),
    ("transposed_letters", 1, True, "blankets, the good", "blankets, the godo"),
    ("wrong_agreement", 2, True, "pencils are", "pencils is"),
)

STEPS = [
    ("1", "given", "passages", [], ["passage"], [], "rows of passages, under CC0-1.0"),
    ("2", "corrupt", "damage", ["passage"], ["damaged", "diagnosis"], [], "Damage at a few places, each logged."),
    ("3", "compute", "unified_patch", ["damaged", "passage"], ["patch"], [], "The patch, as diff -u writes it."),
    ("4", "verify", "patch_restores", ["damaged", "patch", "passage"], [], ["patch"], "Applying it gives the passage."),
    ("5", "verify", "diagnosis_replays", ["passage", "diagnosis"], [], ["diagnosis"], "Its edits replay the damage."),
    ("6", "mix", "formats", [], [], [], "one of, by weight"),
    ("6a", "arm", "unified", [], [], [], "60% of rows"),
    ("6a.1", "reverse", "unified", ["damaged", "diagnosis", "patch"], [], [], "trains diagnosis, patch; floor tested"),
    ("6b", "arm", "git", [], [], [], "40% of rows"),
    ("6b.1", "reverse", "git", ["damaged", "diagnosis", "patch"], [], [], "trains diagnosis, patch; floor tested"),
]


def _damaged(passage: str, rng: random.Random) -> tuple[str, list[dict[str, Any]]]:
    chosen = sorted(rng.sample(DAMAGE, rng.randint(1, 5)), key=lambda one: passage.index(one[3]))
    text, done, operations = "", 0, []
    for name, severity, recoverable, was, now in chosen:
        start = passage.index(was)
        if start < done:
            continue
        text += passage[done:start]
        edit = {"start": start, "end": start + len(was), "was": was, "now": now, "at": len(text)}
        edit["line"] = text.count("\n") + 1
        text += now
        done = start + len(was)
        operations.append({"operation": name, "severity": severity, "recoverable": recoverable, "edits": [edit]})
    return text + passage[done:], operations


@pytest.fixture
def make_sample() -> MakeSample:
    """`make_sample(number, layout=..., **fields)`: a sample as prose repair makes it."""

    def make(number: int, layout: str = "", passage: str = PASSAGE, **fields: Any) -> Sample:
        rng = random.Random(number)
        layout = layout or rng.choice(["unified", "unified", "git", "asked"])
        damaged, operations = _damaged(passage, rng)
        patch = (git_diff if layout == "git" else unified_diff)(damaged, passage)
        diagnosis = "\n".join(
            f"Line {edit['line']}: “{edit['now']}” should be “{edit['was']}” ({operation['operation']})."
            for operation in operations
            for edit in operation["edits"]
        )
        question = f"Please mend this letter.\n\n<passage>\n{damaged}\n</passage>"
        answer = f"<diagnosis>\n{diagnosis}\n</diagnosis>\n<diff>\n{patch}</diff>"
        messages = [
            {"role": "user", "content": question, "train": False},
            {"role": "assistant", "content": answer, "train": True},
        ]
        if layout == "asked":
            messages[1:1] = [
                {"role": "assistant", "content": "In which format would you like the patch?", "train": False},
                {"role": "user", "content": "As diff -u writes it.", "train": False},
            ]
        at = question.index(damaged)
        kinds = [operation["operation"] for operation in operations]
        return {
            "id": f"{rng.getrandbits(128):032x}",
            "messages": messages,
            "recipe": "prose-repair",
            "layout": layout,
            "variants": {"instruction": number % 7},
            "license": "CC0-1.0",
            "provenance": {
                "source": {"key": f"k{number}", "place": f"builtin:letters/{number}.txt", "draw": 0, "index": number},
                "seed": 0,
                "steps": ["damage", "unified_patch", "patch_restores", layout],
                "spans": {"damaged": [0, at, at + len(damaged)]},
                "kept": {"operations": operations},
                "measures": {
                    "operations": len(operations),
                    "severity": sum(operation["severity"] for operation in operations),
                    "kinds": kinds,
                    "recoverable": all(operation["recoverable"] for operation in operations),
                    "distance": rng.random() * 0.2,
                },
            },
        } | fields

    return make


@pytest.fixture
def make_run(tmp_path: Path, make_sample: MakeSample) -> MakeRun:
    """`make_run(samples, rejects, **fields of run.json)`: a finished run; rejects are a number or a list."""

    def make(
        samples: Iterable[Sample] | None = None,
        rejects: int | list[dict[str, Any]] = 5,
        name: str = "run",
        **fields: Any,
    ) -> Path:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        splits: Counter[str] = Counter()
        with DatasetWriter(directory) as writer:
            for number, sample in enumerate(samples or map(make_sample, range(40))):
                split = "validation" if number % 10 == 9 else "train"
                splits[split] += 1
                writer.write(split, sample)
            thrown_away = list(map(reject, range(rejects))) if isinstance(rejects, int) else rejects
            for one in thrown_away:
                writer.reject(one)
        run = _run(splits, len(thrown_away)) | fields
        (directory / "run.json").write_bytes(orjson.dumps(run))
        return directory

    return make


@pytest.fixture
def make_asked(make_sample: MakeSample) -> MakeSample:
    """`make_asked(number, calls, verdicts, source row=number)`: a sample that models had to do with."""

    def make(
        number: int, calls: list[Any], verdicts: list[Any] | None = None, row: int | None = None, **fields: Any
    ) -> Sample:
        sample = make_sample(number, layout="unified", **fields)
        said = {"calls": calls, "verdicts": [verdict(0.9, True)] if verdicts is None else verdicts}
        sample["provenance"] |= {"steps": ["ask", "question_of", "is_a_question", "answerable", "reverse"], **said}
        index = number if row is None else row
        sample["provenance"]["source"] |= {"index": index, "key": f"k{index}"}
        return sample

    return make


def _run(splits: Counter[str], rejects: int) -> dict[str, Any]:
    samples = splits.total()
    return {
        "retroweave": "0.1.0",
        "recipe": "prose-repair",
        "title": "Repair damaged prose by diagnosing it and writing a patch.",
        "description": (
            "Repair damaged prose by diagnosing it and writing a patch.\n\n"
            "A model learns to read a passage, to say what is wrong with it and where, and to write\n"
            "the smallest patch that mends it.\n\n"
            "Each patch is applied before it is let in; what cannot be known is named and left alone."
        ),
        "config": {"operations": [1, 8], "texts": "builtin", "formats": {"unified": 0.6, "git": 0.4}},
        "seed": 0,
        "rows": samples,
        "seconds": 12.34,
        "license": "CC0-1.0",
        "source": {"name": "passages", "fingerprint": "7f3a" * 8},
        "versions": {"python": "3.11.7", "pyarrow": "26.0.1", "orjson": "3.13.0"},
        "steps": [step_line(*step) for step in STEPS],
        "evidence": [
            {"layout": layout, "field": field, "worth": "proved", "checks": [check]}
            for layout in ("unified", "git")
            for field, check in (("diagnosis", "diagnosis_replays"), ("patch", "patch_restores"))
        ],
        "judges": [],
        "counts": {
            "source_rows": samples + rejects + 3,
            "replayed_rows": 0,
            "leaves": samples + rejects + 4,
            "samples": samples,
            "rejects": rejects,
            "failures": 1,
            "duplicates": 2,
            "over_cap": 1,
            "surplus_rows": 6,
            "surplus_leaves": 0,
        },
        "reasons": [
            {"kind": "reject", "step": "patch_restores", "reason": "the patch does not apply", "count": rejects},
            {"kind": "duplicate", "step": "unified", "reason": "same messages as an earlier sample", "count": 2},
            {"kind": "failure", "step": "damage", "reason": "ValueError: no room for damage", "count": 1},
            {"kind": "over_cap", "step": "git", "reason": "over the cap of layout 'git'", "count": 1},
        ],
        "splits": dict(splits),
        "findings": [
            {
                "lint": "one-opening",
                "severity": "warning",
                "message": "62 % of the answers begin with “<diagnosis>\\nLine”.",
            }
        ],
    }
