"""Run directories as the engine leaves them, with as many rows as a test wants: samples with scores, and rejects."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from retroweave.export.dataset import DatasetWriter

JUDGE = "answerable"
STEPS = (
    ("given", "passages"),
    ("compute", "fix_answers"),
    ("prompt", "ask"),
    ("verify", "is_a_question"),
    ("judge", JUDGE),
    ("reverse", "with_text"),
)
KINDS = ("name", "number", "date", "quotation")


def sample(number: int, score: float | None = 0.9, **more: Any) -> dict[str, Any]:
    """A sample whose judge gave it a score."""
    provenance = {
        "source": {"key": f"k{number}", "place": f"letters/{number % 7}.txt", "draw": 0, "index": number},
        "seed": 0,
        "steps": ["fix_answers", "ask", "is_a_question", JUDGE, "with_text"],
        "spans": {"answer": [1, 0, len(f"the answer {number}")]},
        "kept": {"passage": f"Passage {number}", "question": f"Question {number}?"},
        "measures": {"kind": KINDS[number % 4], "hard": number % 3 == 0, "sure": score},
        **said(number, score),
    }
    return {
        "id": random.Random(number).randbytes(16).hex(),
        "messages": [
            {"role": "user", "content": f"Question {number} of the Passage\x1b, please?", "train": False},
            {"role": "assistant", "content": f"the answer {number}", "train": True},
        ],
        "recipe": "questions",
        "layout": "with_text" if number % 2 else "without_text",
        "license": "CC0-1.0",
        "variants": {"ask": number % 5},
        "provenance": provenance,
    } | more


def said(number: int, score: float | None, passed: bool = True) -> dict[str, Any]:
    """What a model answered and a judge thought of it."""
    turns = [{"role": "user", "content": f'Ask about "Passage {number}".'}]
    call = {"step": "ask", "model": "writer", "prompt": turns, "answer": f"What {number}?", "finish": "stop"}
    judged = {"step": JUDGE, "model": "judge", "prompt": turns, "answer": "Yes" if passed else "No", "finish": "length"}
    verdict = {"step": JUDGE, "score": score, "passed": passed, "parts": {"method": "logprobs"}}
    asked = [call | {"tokens": [20, 5]}] + ([] if score is None else [judged | {"tokens": [30, 1]}])
    return {"calls": asked, "verdicts": [] if score is None else [verdict]}


def reject(number: int, score: float | None = 0.2, **more: Any) -> dict[str, Any]:
    """A row that the judge turned away; one without a score, a program."""
    at = (JUDGE, "scored below 0.5") if score is not None else ("is_a_question", "is_a_question says no")
    parts = dict(zip(("step", "reason"), at, strict=True)) | said(number, score, passed=False)
    place = f"letters/{number % 7}.txt"
    return {"row": f"0/{number}/0", "kind": "reject", "trace": "", "source": place, **parts} | more


def scored(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Samples with scores from 0.5 to 1."""
    rng = random.Random(seed)
    return (sample(number, 0.5 + rng.random() / 2) for number in range(count))


def turned_away(count: int, first: int = 100_000) -> list[dict[str, Any]]:
    """Rejects with scores below 0.5, and every fourth without one."""
    rng = random.Random(first)
    return [reject(first + number, rng.random() / 2 if number % 4 else None) for number in range(count)]


def make_run(folder: Path, samples: Any = 40, rejects: Any = 20, shard_rows: int = 100_000, **run: Any) -> Path:
    """A finished run; samples and rejects are a number or the rows themselves."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(scored(samples) if isinstance(samples, int) else samples)
    lost = turned_away(rejects) if isinstance(rejects, int) else list(rejects)
    with DatasetWriter(folder, shard_rows) as writer:
        for number, row in enumerate(rows):
            writer.write("validation" if number % 10 == 9 else "train", row)
        for row in lost:
            writer.reject(row)
    (folder / "run.json").write_bytes(orjson.dumps(run_json(len(rows), len(lost)) | run))
    return folder


def run_json(samples: int, rejects: int) -> dict[str, Any]:
    """What `run.json` says of such a run."""
    steps = [
        {"number": str(place), "move": move, "name": name, "text": ""} for place, (move, name) in enumerate(STEPS, 1)
    ]
    counts = {"leaves": samples + rejects, "samples": samples, "rejects": rejects}
    return {
        "retroweave": "0",
        "recipe": "questions",
        "reference": "questions.py",
        "title": "Questions",
        "description": "Questions",
        "config": {},
        "config_changed": {},
        "seed": 0,
        "rows": samples,
        "seconds": 1.0,
        "license": "CC0-1.0",
        "source": {"name": "passages", "fingerprint": "f"},
        "versions": {"python": "3.11"},
        "steps": [step | {"reads": [], "writes": [], "raises": []} for step in steps],
        "evidence": [{"layout": "with_text", "field": "answer", "worth": "judged", "checks": [JUDGE]}],
        "judges": [{"step": JUDGE, "accepts_right": None, "accepts_wrong": None}],
        "models": [],
        "findings": [],
        "out_of_budget": "",
        "counts": counts
        | {"source_rows": samples + rejects, "failures": 0, "duplicates": 0, "over_cap": 0, "surplus_rows": 0},
        "reasons": [],
        "splits": {"train": samples - samples // 10, "validation": samples // 10},
    }
