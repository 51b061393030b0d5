"""What a run says of itself, in the order and the words in which its card and its report both show it.

It is here so that the two agree. It reads `run.json` and what the survey counted, and knows neither Markdown nor HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retroweave.export.labelled import Labelled
from retroweave.export.survey import Judged, Survey

__all__ = [
    "MOVES",
    "WORTHS",
    "Evidence",
    "Loss",
    "Measured",
    "ModelUse",
    "Reason",
    "cautions",
    "code_runs",
    "evidence",
    "labelled",
    "losses",
    "measured",
    "models",
    "money",
    "notices",
    "paragraphs",
    "reasons",
    "rests_on",
    "sandbox",
    "spent",
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
    ("rejects", "reject", "thrown away by a check or by another step"),
    ("failures", "failure", "an error stopped a step"),
    ("duplicates", "duplicate", "the same conversation as an earlier sample"),
    ("over_cap", "over_cap", "of a kind whose share of the set was full"),
)

_OFTEN = 20
"""Samples of one source row, on average, above which the set says that it has little text."""
_MANY_FAILURES = 0.1
"""Share of the outcomes above which failures may have changed what is left."""


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


@dataclass(frozen=True)
class Reason:
    """Why outcomes of one kind were lost at one step."""

    kind: str
    step: str
    text: str
    count: int


@dataclass(frozen=True)
class ModelUse:
    """A model that a run asked, and what it took."""

    names: tuple[str, ...]
    """What the recipe calls it."""
    use: str
    asked: str
    calls: int
    tokens: int
    cost: float
    terms: str
    """What its output comes under, as a name."""
    meaning: str
    lacks: tuple[str, ...]
    """What its endpoint cannot do, each in a few words."""
    left_out: tuple[str, ...]
    """Fields of a request that its server does not know."""


@dataclass(frozen=True)
class Measured:
    """What a judge said, as it was counted."""

    step: str
    judged: Judged
    note: str
    """What is to be known of its scores, as it follows "the scores"; mostly there is nothing."""


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
        found.append(Loss(name.replace("_", "-"), kind, meaning, counts[name], left))
    return found


def reasons(run: Run, limit: int) -> list[Reason]:
    """The most frequent reasons for a loss, in words."""
    return [
        Reason(one["kind"].replace("_", "-"), one["step"], _in_words(one["kind"], one["reason"]), one["count"])
        for one in run["reasons"][:limit]
    ]


def _in_words(kind: str, reason: str) -> str:
    is_measure = kind == "over_cap" and re.match(r"\w+ = ", reason)
    return f"more samples with {reason} than the recipe lets in" if is_measure else reason


def cautions(run: Run, found: Survey) -> list[str]:
    """What a reader has to know before all else, a sentence or two an entry; mostly there is nothing."""
    run_cautions = (
        _out_of_budget(run),
        *_of_models(run),
        _unheld(run),
        _many_failures(run),
        _little_text(found),
        _no_validation(run),
    )
    return [caution for caution in run_cautions if caution]


def _out_of_budget(run: Run) -> str:
    if not run.get("out_of_budget"):
        return ""
    counts = run["counts"]
    midway = counts.get("unfinished_rows", 0)
    stopped = f" {midway:,} source {'row' if midway == 1 else 'rows'} stopped midway." if midway else ""
    return (
        f"The run stopped at its budget: {counts['samples']:,} of {run['rows']:,} samples were made. "
        f"{_ended(run['out_of_budget'])}{stopped}"
    )


def _of_models(run: Run) -> Iterator[str]:
    for model in run.get("models", ()):
        called = f"The model {_listed(model['names'])} ({model['use']})"
        if model["use"].startswith("embedded:") and _speaks(model):
            yield (
                f"{called}, which wrote or judged this set, ran inside the process that made it. That is fine for a "
                "first look, and not for data worth keeping."
            )
        terms = model["terms"]
        if terms["verdict"] == "conditions":
            yield f"{called} has terms with conditions, {terms['name']}: {_ended(terms['meaning'])}"
        elif terms["verdict"] == "unknown":
            yield f"{called} has terms that are not known here. Read them before you pass this set on."


def _speaks(model: Mapping[str, Any]) -> bool:
    """Whether a model answers in words; one for embeddings does not."""
    return bool(model["abilities"]["chat"] or model["abilities"]["complete"])


def models(run: Run) -> list[ModelUse]:
    """The models that were asked."""
    return [
        ModelUse(
            tuple(model["names"]),
            model["use"],
            _FORMS.get(model["form"], model["form"]) if _speaks(model) else "for embeddings",
            model["calls"],
            model["tokens"],
            model["cost"],
            model["terms"]["name"],
            _ended(model["terms"]["meaning"]),
            tuple(_lacks(model)),
            tuple(model["left_out"]),
        )
        for model in run.get("models", ())
    ]


_FORMS = {"chat": "in turns", "base": "with documents"}


def _lacks(model: Mapping[str, Any]) -> Iterator[str]:
    can = model["abilities"]
    if not _speaks(model):
        return
    if not can["chat"]:
        yield "no chat"
    if not can["complete"]:
        yield "no raw completion"
    if can["logprobs" if model["form"] == "chat" else "complete_logprobs"] < 2:  # one alternative is no distribution
        yield "no log-probabilities"
    if not can["schema"]:
        yield "no JSON schema"


def spent(run: Run) -> str:
    """What all models took, in a sentence."""
    used = models(run)
    cost = sum(model.cost for model in used)
    samples = run["counts"]["samples"]
    each = f", {money(cost / samples)} for each sample" if cost and samples else ""
    unknown = sum(model.get("unknown", 0) for model in run.get("models", ()))
    lost = (
        f" Of {_counted(unknown, 'call')} among them it is not known what they took, and they are counted at the most."
        if unknown
        else ""
    )
    known = sum(model.get("from_journal", 0) for model in run.get("models", ()))
    kept = f" {_counted(known, 'answer')} stood in the journal of calls already, and cost nothing." if known else ""
    return (
        f"In all {_counted(sum(model.calls for model in used), 'call')} and "
        f"{_counted(sum(model.tokens for model in used), 'token')} for {money(cost)}{each}. That is all that was sent "
        f"for this set, retries and rejected rows included.{lost}{kept} The cost is by the prices that were named; a "
        "model without one counts as free."
    )


def money(cost: float) -> str:
    """Dollars, to a hundredth of a cent where there are few."""
    return (
        f"${cost:,.2f}"
        if cost >= 10
        else "less than $0.0001"
        if 0 < cost < 0.0001
        else f"${cost:.4f}"
        if cost
        else "$0"
    )


def measured(run: Run, found: Survey) -> list[Measured]:
    """What judges that give scores were seen to do, in the order of the steps."""
    order = {step["name"]: place for place, step in enumerate(run["steps"])}
    names = sorted(found.judges, key=lambda name: (order.get(name, len(order)), name))
    return [Measured(name, found.judges[name], _coarse(found.judges[name])) for name in names]


def labelled(found: Labelled | None, fits: bool) -> list[str]:
    """What people's labels say, a paragraph an entry; there are none where nobody labelled anything."""
    if found is None:
        return []
    if not fits:
        return [
            "People labelled an earlier state of this set. Their figures are not those of the rows that stand here."
        ]
    return [" ".join(_precision(found)), *filter(None, (" ".join(_rates(found)), _agreed(found)))]


def _precision(found: Labelled) -> Iterator[str]:
    precision = found.precision
    who = "one person" if found.people == 1 else f"{found.people:,} people"
    yield f"By what {who} said of {_counted(precision.count, 'sample')} drawn at random,"
    yield f"{precision.value:.1%} of this set is right (95% interval: {precision.interval})."
    yield _ended(found.how)
    if not found.blind:
        yield "All labels were given in sight of what the judge had said."
    elif found.blind < 1:
        yield f"{found.blind:.0%} of the labels were given without seeing what the judge had said."
    if found.unsure:
        yield f"{_counted(found.unsure, 'row')} of which they were unsure or at odds are left out."


def _rates(found: Labelled) -> Iterator[str]:
    if found.accepts_right is None or found.accepts_wrong is None:
        return
    right, wrong = found.accepts_right, found.accepts_wrong
    yield f"Rows that the judge {found.judge} rejected were labelled too. It accepts {right.value:.1%} of right rows"
    yield f"({right.interval}) and {wrong.value:.1%} of wrong ones ({wrong.interval})."


def _agreed(found: Labelled) -> str:
    if found.alpha is None:
        return ""
    alpha = found.alpha
    return (
        f"On {_counted(alpha.count, 'row')} that several people labelled, Krippendorff's alpha is {alpha.value:.2f} "
        f"({alpha.low:.2f} to {alpha.high:.2f}); 1 is full agreement, and 0 what chance would give."
    )


def _coarse(judged: Judged) -> str:
    if not (sampled := judged.sampled):
        return ""
    each = " or ".join(f"{number:,}" for number in sorted(sampled))
    some = min(sum(sampled.values()), judged.verdicts)
    where, which = ("", "they") if some == judged.verdicts else (f" in {_counted(some, 'verdict')}", "those")
    return (
        f"are coarse{where}: {which} were counted from {each} sampled answers each, since no log-probabilities were "
        "told, and other draws would have given somewhat other ones"
    )


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sandbox(run: Run) -> list[tuple[str, str]]:
    """What held code that nobody trusts: each property with the layers that held it; nothing where none was run."""
    return [
        (name, layers) for told in run.get("resources", {}).values() for name, layers in told.get("layers", {}).items()
    ]


def notices(run: Run) -> list[str]:
    """Whose notices stand in the file NOTICE, each once, with its licence."""
    told = (one for each in run.get("resources", {}).values() for one in each.get("notices", ()))
    return list(dict.fromkeys(f"{one['of']} ({one['license']})" for one in told))


def _unheld(run: Run) -> str:
    missing = [name for name, layers in sandbox(run) if layers.startswith("nothing")]
    if not missing:
        return ""
    return (
        f"Code that nobody trusts was run with nothing that held its {_listed(missing)} (`unsafe`). What it did to the "
        "machine, and to this set, is not known."
    )


def _many_failures(run: Run) -> str:
    failures, outcomes = run["counts"]["failures"], run["counts"]["leaves"]
    if failures <= _MANY_FAILURES * outcomes:
        return ""
    first = next((one for one in reasons(run, len(run["reasons"])) if one.kind == "failure"), None)
    why = f" The most frequent one, at step {first.step}: {_sentence(first.text)}" if first else ""
    return (
        f"{failures / outcomes:.0%} of the outcomes ({failures:,} of {outcomes:,}) are failures: an error stopped them."
        f"{why} What is left may be biased towards rows that do not fail."
    )


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return _ended(line if len(line) <= 200 else f"{line[:199]}…")


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _little_text(found: Survey) -> str:
    sources = found.sources
    if sources.more or found.samples <= _OFTEN * sources.count:
        return ""
    mean = found.samples / sources.count
    return (
        f"There is little text in this set: {found.samples:,} samples come from {sources.count:,} "
        f"source {'row' if sources.count == 1 else 'rows'}, which is {mean:,.0f} of each on average. "
        "A model may learn those texts by heart; give more text, or ask for fewer samples."
    )


def _no_validation(run: Run) -> str:
    if run["splits"].get("validation"):
        return ""
    return (
        "No sample is held out for validation, so this set cannot show whether a model learns the task or only "
        "remembers the texts."
    )
