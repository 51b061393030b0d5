"""What a run says of itself, in the order and the words in which its card and its report both show it.

It is here so that the two agree. It reads `run.json` and nothing else, and knows neither Markdown nor HTML.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "MOVES",
    "WORTHS",
    "Evidence",
    "Loss",
    "code_runs",
    "command",
    "evidence",
    "losses",
    "paragraphs",
    "rests_on",
    "title",
]

Run = Mapping[str, Any]

WORTHS = {
    "proved": "A sound checker ties it to what it claims, and what failed the check is not in this set.",
    "given": "It is the source's own text or was checked against it, and the recipe's author vouches for the source.",
    "tested": "A program says so: it is right as far as that program or its tests are.",
    "judged": "A classifier accepted it; how often a classifier errs stands under the odds.",
    "prompted": "A model wrote it, and nothing has checked it.",
}
"""Each level of evidence, from most to least, and what a model trusts that learns such a field."""

MOVES = {
    "given": "rows from a source, with their licence",
    "compute": "a pure function",
    "corrupt": "deliberate damage, which is logged",
    "verify": "a program decides, or the row is thrown away",
    "judge": "a classifier decides, or the row is thrown away",
    "prompt": "a model writes a field",
    "reverse": "the answer first, the question derived from it; laid out in reading order",
    "layout": "fields become a conversation",
}
"""What the moves of the steps are."""

_LOSSES = (
    ("rejects", "reject", "a step threw the row away"),
    ("failures", "failure", "an error stopped the row"),
    ("duplicates", "duplicate", "the same as an earlier sample"),
    ("over_cap", "over_cap", "more of one kind than the recipe lets in"),
)


@dataclass(frozen=True)
class Evidence:
    """A trained field, and why a model may learn it."""

    field: str
    layouts: tuple[str, ...]
    worth: str
    checks: tuple[str, ...]
    """The steps that vouch for it."""


@dataclass(frozen=True)
class Loss:
    """Outcomes of one kind that did not become samples."""

    name: str
    kind: str
    """As the reasons in `run.json` name it."""
    meaning: str
    count: int
    left: int
    """Outcomes left after this loss and those before it."""


def title(run: Run) -> str:
    """The recipe's first line, as a heading."""
    return " ".join(run["title"].split()).removesuffix(".") or str(run["recipe"])


def paragraphs(run: Run) -> list[str]:
    """The recipe's docstring without its first line, a paragraph an entry."""
    found = [" ".join(part.split()) for part in re.split(r"\n\s*\n", run["description"])]
    if found and found[0].removesuffix(".") == title(run):
        found = found[1:]
    return [part for part in found if part]


def code_runs(text: str) -> list[tuple[bool, str]]:
    """A docstring's text in runs, the first of each pair saying whether it stood in backquotes."""
    parts = re.split(r"`+", text)
    if len(parts) % 2 == 0:  # an odd backquote: nothing is code
        return [(False, text)]
    return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]


def evidence(run: Run) -> list[Evidence]:
    """The trained fields, those with the same worth and checks in several layouts as one, most trusted first."""
    layouts: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for entry in run["evidence"]:
        key = (entry["field"], entry["worth"], tuple(entry.get("checks", ())))
        layouts.setdefault(key, []).append(entry["layout"])
    found = [Evidence(field, tuple(names), worth, checks) for (field, worth, checks), names in layouts.items()]
    levels = list(WORTHS)
    return sorted(found, key=lambda one: levels.index(one.worth) if one.worth in levels else len(levels))


def rests_on(run: Run) -> list[tuple[str, list[str]]]:
    """Each level of evidence that occurs, with its fields."""
    fields: dict[str, dict[str, None]] = {}
    for one in evidence(run):
        fields.setdefault(one.worth, {})[one.field] = None
    return [(worth, list(names)) for worth, names in fields.items()]


def losses(run: Run) -> list[Loss]:
    """From all outcomes to the samples: what was lost on the way, in the order in which the run counts it."""
    counts = run["counts"]
    left = counts["leaves"]
    found = []
    for name, kind, meaning in _LOSSES:
        left -= counts[name]
        found.append(Loss(name.replace("_", " "), kind, meaning, counts[name], left))
    return found


def command(run: Run) -> str:
    """The command that makes the same samples again, where the config stands in `config.yaml`."""
    recipe = shlex.quote(run.get("reference", run["recipe"]))
    config = " --config config.yaml" if run["config"] else ""
    out = shlex.quote(run["recipe"])
    return f"retroweave run {recipe}{config} --rows {run['rows']} --seed {run['seed']} --out {out}"
