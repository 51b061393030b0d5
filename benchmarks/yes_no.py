"""What is a model worth as a yes/no judge? Its AUC on labelled sets, as base and chat, with and without examples.

    python benchmarks/yes_no.py
    python benchmarks/yes_no.py --form base
    python benchmarks/yes_no.py --model openai:qwen3@http://127.0.0.1:8000/v1 --json

Two sets lie in `labelled/`, which says how they were made: does an answer that was quoted from a passage fit its
question (`fits`), and is a text verse (`verse`)? The third, `strangers`, is made of the first and is easy: its wrong
questions belong to other passages. It tells a judge that is too weak for a hard set from one that sees nothing at all.

They are asked as a recipe asks: by `retroweave.judges.yes_no`, through a desk with its journal. Each question is put in
two phrasings; a judge is each phrasing by itself, and both averaged. *Few-shot* shows the examples that the prompt
draws, others for each row, and *zero-shot* the same prompt without any.

- *AUC* is the probability that a right row scores higher than a wrong one; 0.5 is chance. Its 95 % interval is the
  bootstrap's (percentiles of 2,000 resamples). The two questions of a passage are drawn together, for they are not
  independent. The difference of few-shot and zero-shot is taken on the same resamples.
- *correct*, *accepts-right* and *accepts-wrong* are at the threshold 0.5.
- *for 0.9* is the threshold that `retroweave calibrate` finds for a precision of 0.9: one whose interval reaches it or,
  marked with a question mark, one whose figure alone does. Such a threshold was picked among many.
- *mass* is the median probability of saying yes or no at all. Where it is small, the question is badly put.

With `--out` the answers are kept there, so that the same command asks nothing again, and so are labels for
`retroweave calibrate`, a file for each judge. The embedded model takes a quarter of an hour of one core, and half of it
for one form.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import platform
import random
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from retroweave.judges.calibration import Calibration, Label, calibrate
from retroweave.judges.yes_no import YesNo, yes_no
from retroweave.models.desk import open_desk
from retroweave.models.embedded import DEFAULT
from retroweave.models.named import named
from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Form
from retroweave.pipeline.row import Drawn, Row, numbers
from retroweave.pipeline.verdict import Score
from retroweave.recipes import grounded_questions
from retroweave.text.prompts import Prompt, read_prompt

LABELLED = Path(__file__).resolve().parent / "labelled"
RECIPE = Path(grounded_questions.__file__).with_suffix("")
FITS = (RECIPE / "answerable.prompt", RECIPE / "fits.prompt")
PROMPTS: Mapping[str, tuple[Path, Path]] = {
    "fits": FITS,
    "strangers": FITS,
    "verse": (LABELLED / "verse.prompt", LABELLED / "poem.prompt"),
}
FORMS: tuple[Form, ...] = ("base", "chat")
SHOTS = ("zero", "few")
BOTH = "both averaged"
STEP = "yes_no"
AWAY = 7
"""How many passages further on a stranger's question is taken from."""
PRECISION = 0.9
RESAMPLES = 2000


@dataclass(frozen=True)
class Item:
    """One labelled row."""

    fields: Mapping[str, str]
    right: bool
    group: str
    """What it shares with the items that are resampled along with it."""


@dataclass(frozen=True)
class Judged:
    """A judge, and what it said of each item of its set."""

    set: str
    form: Form
    shots: str
    phrasing: str
    labels: tuple[Label, ...]
    mass: float

    @property
    def name(self) -> str:
        return "-".join((self.set, self.form, self.shots, self.phrasing.replace(" ", "-")))


def read_set(name: str) -> list[Item]:
    """The items of a set, with the fields that prompts read."""
    if name == "strangers":
        return list(strangers([item for item in read_set("fits") if item.right]))
    found = [json.loads(line) for line in (LABELLED / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [_item(one) for one in found]


def _item(found: dict[str, str]) -> Item:
    text = found.get("passage") or found["text"]
    fields = {key: value for key, value in found.items() if key not in ("label", "kind")}
    return Item({**fields, "context": text}, found["label"] == "yes", text)


def strangers(right: Sequence[Item]) -> Iterator[Item]:
    """Each right item, and the same with the question of another passage."""
    for place, item in enumerate(right):
        question = right[(place + AWAY) % len(right)].fields["question"]
        yield from (item, replace(item, fields={**item.fields, "question": question}, right=False))


def prompts_of(name: str, shots: str) -> list[Prompt]:
    prompts = [read_prompt(path) for path in PROMPTS[name]]
    return prompts if shots == "few" else [without_examples(prompt) for prompt in prompts]


def without_examples(prompt: Prompt) -> Prompt:
    return replace(prompt, settings=prompt.settings.model_copy(update={"shots": 0, "balance": ""}), examples=())


async def all_judged(model: str, forms: Sequence[Form], seed: int) -> list[Judged]:
    """Each set, in each of the forms that the model can take."""
    spec = named(model, {})
    found: list[Judged] = []
    for form in forms:
        async with open_desk({"model": replace(spec, form=form)}, f"yes-no-{form}", Budget()) as desk:
            for name in PROMPTS:
                for shots in SHOTS:
                    found += await judged(name, form, shots, desk, seed)
    return found


async def judged(name: str, form: Form, shots: str, desk: Desk, seed: int) -> list[Judged]:
    """Both phrasings and their mean; nothing where the model cannot be asked in this form."""
    items, prompts = read_set(name), prompts_of(name, shots)
    judge, salt, rows = yes_no(prompts), str(seed).encode(), [_as_row(item) for item in items]
    models = [desk.model("model", STEP, row, salt) for row in rows]
    if any(prompt.form_for(models[0]) != form for prompt in prompts):
        print(f"{models[0].name} is not asked in the form {form!r}, which it cannot take.", file=sys.stderr)
        return []
    began = time.monotonic()
    scores: list[Score] = await asyncio.gather(
        *(
            judge(**item.fields, model=model, rng=numbers(salt, STEP, row.id))
            for item, model, row in zip(items, models, rows, strict=True)
        )
    )
    print(f"{name}, {form}, {shots}-shot: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return [
        Judged(name, form, shots, *one)
        for one in [*_phrasings(judge, items, scores), (BOTH, _labels(items, scores), _mass(scores, judge))]
    ]


def _as_row(item: Item) -> Row:
    """Known by what it holds, so that an item of two sets is shown the same examples, and asked once."""
    return Row.first(Drawn(0, 0, json.dumps(item.fields), "", "CC0-1.0", "train", dict(item.fields)))


def _phrasings(
    judge: YesNo, items: Sequence[Item], scores: Sequence[Score]
) -> Iterator[tuple[str, tuple[Label, ...], float]]:
    """Each phrasing as if it had been asked alone; one that was answered by neither word rejects."""
    for prompt in judge.prompts:
        heard = [score.parts[prompt.name] for score in scores]
        alone = [
            replace(score, value=0.5 if value is None else value, passed=value is not None and value >= 0.5)
            for score, value in zip(scores, heard, strict=True)
        ]
        yield prompt.name, _labels(items, alone), _mass(scores, judge, prompt.name)


def _labels(items: Sequence[Item], scores: Sequence[Score]) -> tuple[Label, ...]:
    return tuple(
        Label(score.value, item.right, score.passed, method=score.parts["method"])
        for item, score in zip(items, scores, strict=True)
    )


def _mass(scores: Sequence[Score], judge: YesNo, *names: str) -> float:
    """The median over rows and phrasings; not a number where answers were sampled."""
    names = names or tuple(prompt.name for prompt in judge.prompts)
    by_name = [score.parts.get("mass", {}) for score in scores]
    told: list[float] = [masses[name] for masses in by_name for name in names if name in masses]
    return median(told or [math.nan])


# What the scores tell


def resamples(items: Sequence[Item]) -> list[list[int]]:
    """Places of items, whole groups drawn with replacement; the same for each judge of a set."""
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(item.group, []).append(place)
    rng = random.Random(0)
    drawn = (rng.choices(list(groups.values()), k=len(groups)) for _ in range(RESAMPLES))
    return [[place for group in groups for place in group] for groups in drawn]


def auc(labels: Sequence[Label], places: Sequence[int]) -> float:
    right = [labels[place].score for place in places if labels[place].right]
    wrong = sorted(labels[place].score for place in places if not labels[place].right)
    wins = sum(bisect_left(wrong, score) + bisect_right(wrong, score) for score in right)
    return wins / (2 * len(right) * len(wrong))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 %."""
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered))]


def table(found: Sequence[Judged]) -> list[dict[str, Any]]:
    drawn = {name: resamples(read_set(name)) for name in PROMPTS}
    return [_row(one, drawn[one.set]) for one in found]


def _row(one: Judged, drawn: Sequence[Sequence[int]]) -> dict[str, Any]:
    told = calibrate(one.labels, target=PRECISION)
    return {
        **{key: getattr(one, key) for key in ("set", "form", "shots", "phrasing")},
        "auc": told.auc,
        "auc_interval": interval([auc(one.labels, places) for places in drawn]),
        "correct": sum(label.accepted == label.right for label in one.labels) / len(one.labels),
        "accepts_right": told.accepts_right.value,
        "accepts_wrong": told.accepts_wrong.value,
        "for_precision": _threshold(told),
        "mass": one.mass,
        "method": one.labels[0].method,
    }


def _threshold(told: Calibration) -> dict[str, Any] | None:
    if told.chosen is None:
        return None
    return {"threshold": told.chosen.threshold, "yield": told.chosen.yield_, "sure": told.at_low is not None}


def differences(found: Sequence[Judged]) -> list[dict[str, Any]]:
    """What examples add to the AUC of both phrasings averaged."""
    by_name = {(one.set, one.form, one.shots): one.labels for one in found if one.phrasing == BOTH}
    made = []
    for name in PROMPTS:
        drawn = resamples(read_set(name))
        for form in FORMS:
            zero, few = (by_name.get((name, form, shots)) for shots in SHOTS)
            if zero and few:
                whole = range(len(zero))
                added = interval([auc(few, places) - auc(zero, places) for places in drawn])
                made.append({"set": name, "form": form, "added": auc(few, whole) - auc(zero, whole), "interval": added})
    return made


def measure(model: str, forms: Sequence[Form], seed: int, out: Path | None) -> dict[str, Any]:
    began, busy = time.monotonic(), time.process_time()
    with contextlib.ExitStack() as stack:
        folder = out.resolve() if out else Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(folder):
            found = asyncio.run(all_judged(model, forms, seed))
            if out:
                _write_labels(found)
    return {
        "model": model,
        "seed": seed,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - busy,
        "items": {name: len(read_set(name)) for name in PROMPTS},
        "judges": table(found),
        "few_less_zero": differences(found),
    }


def _write_labels(found: Sequence[Judged]) -> None:
    """Into the working folder."""
    for one in found:
        lines = [
            {"score": label.score, "right": label.right, "accepted": label.accepted, "method": label.method}
            for label in one.labels
        ]
        Path(f"{one.name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


# Shown


def show(found: dict[str, Any]) -> None:
    took = f"{found['seconds']:.0f} s, of which {found['cpu_seconds']:.0f} s of CPU"
    print(f"{found['model']}, {found['cores']} cores ({found['machine']}), Python {found['python']}: {took}\n")
    heads = f"{'correct':>9}{'acc.-right':>12}{'acc.-wrong':>12}{'for 0.9':>9}{'yield':>7}{'mass':>7}"
    print(f"{'set':11}{'form':6}{'shots':7}{'phrasing':15}{'AUC':6}{'95 %':14}{heads}")
    for row in found["judges"]:
        low, high = row["auc_interval"]
        names = f"{row['set']:11}{row['form']:6}{row['shots']:7}{row['phrasing']:15}"
        rates = f"{row['correct']:>9.0%}{row['accepts_right']:>12.0%}{row['accepts_wrong']:>12.0%}"
        area = f"{row['auc']:.2f}  {f'{low:.2f} to {high:.2f}':14}"
        print(f"{names}{area}{rates}{_shown(row['for_precision'])}{row['mass']:>7.2f}")
    print()
    for row in found["few_less_zero"]:
        added, (low, high) = row["added"], row["interval"]
        print(f"Examples add {added:+.2f} ({low:+.2f} to {high:+.2f}) to the AUC of {row['set']}, {row['form']}.")


def _shown(choice: dict[str, Any] | None) -> str:
    if choice is None:
        return f"{'none':>9}{'':7}"
    doubt = "" if choice["sure"] else "?"
    return f"{choice['threshold']:.2f}{doubt}".rjust(9) + f"{choice['yield']:.0%}".rjust(7)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a model is worth as a yes/no judge.")
    parser.add_argument("--model", default=DEFAULT, help="the model that is asked; a file is named by its whole path")
    parser.add_argument("--form", choices=FORMS, help="ask in this form only; in both if left out")
    parser.add_argument("--seed", type=int, default=0, help="which examples are drawn")
    parser.add_argument("--out", type=Path, help="a folder to keep answers and labels in; none are kept if left out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    try:
        found = measure(options.model, (options.form,) if options.form else FORMS, options.seed, options.out)
    except UserError as error:
        sys.exit(f"Error: {error}")
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
