"""Preferences: what a model answered to one prompt and a judge accepted, beside what the judge rejected.

    preference   {"prompt": [message, ...], "chosen": [message], "rejected": [message]}   TRL, conversational
    labelled     {"prompt": [message, ...], "completion": [message], "label": bool}       TRL, unpaired preference

It is here because a run that asks again until a judge is content has both sides of a preference already. The accepted
answer is that of the sample, the rejected ones those of the rejects of the same source row. Their labels are the
judge's: *chosen* means that it accepted, *rejected* that it did not, and neither is worth more than *judged*. What
comes out of here has none of the evidence that a sample's trained turns have: a rejected answer may hold anything, and
a prompt that has no plain form shows what only the generator saw.

An answer counts as rejected where a judge said no to it, and not where it was cut off, where a step failed, where a
program turned it away, or where the judge itself said neither yes nor no. Which step's answers a judge looks at follows
from the fields that it raises, or else reads. Where it looks at those of several steps, it does not say which was at
fault, and where a step's answer was put together from several calls, no call is the answer: such rows are left out.

Two answers make a pair only if both were asked the same. That is so where the plain prompts are equal, or else the last
turns; of a document that a base model goes on with, the last paragraphs. What stands before them, few-shot examples,
may be drawn anew for each try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from retroweave.export.dataset import read_run
from retroweave.export.outcomes import Outcomes, by_source_row
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.verdict import is_bare_no

__all__ = ["ARRANGEMENTS", "Preferences"]

Row = dict[str, Any]
Call = Mapping[str, Any]
Turns = list[dict[str, str]]

_NO_OPINION = "the judge answered neither yes nor no"
"""The reason of a reject whose judge had no opinion; it is no rejected answer."""


@dataclass(frozen=True)
class Answer:
    """What one prompt step's model answered on one row."""

    step: str
    prompt: Turns
    text: str
    asked: str
    """What tells its prompt from another: equal where both were asked the same."""
    form: str
    """What the prompt is made of: `plain`, `turns` or a `document`."""

    @property
    def completion(self) -> Turns:
        return [{"role": "assistant", "content": self.text}]


class Preferences:
    """A finished run's accepted and rejected answers. Its notes are complete when its rows have been read."""

    def __init__(self, run_dir: Path, format: str, split: str | None = None) -> None:
        self.samples = 0
        self._run_dir = run_dir
        self._format = format
        self._split = split
        self._judged = _judged_steps(read_run(run_dir))
        self._left_out: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()

    def rows(self) -> Iterator[Row]:
        """The rows, in the order of the source. Raises `UserError` where no answer was rejected."""
        made = False
        for outcomes in by_source_row(self._run_dir, self._split):
            self.samples += len(outcomes.samples)
            for row in self._of(outcomes):
                made = made or row.get("label") is not True
                yield row
        if not made:
            raise UserError(self._none())

    def notes(self) -> tuple[str, ...]:
        """What a trainer must be told, and what was left out."""
        said = [
            f"In {count:,} {'row' if count == 1 else 'rows'} the prompt {_NOTES[form]}"
            for form, count in sorted(self._forms.items())
            if form in _NOTES
        ]
        return (*said, *(f"Left out: {why}: {count:,}." for why, count in sorted(self._left_out.items())))

    def _of(self, outcomes: Outcomes) -> list[Row]:
        """The rows of one source row's answers, each once."""
        accepted = _unlike(self._accepted(outcomes))
        texts = {(answer.step, answer.asked, answer.text) for answer in accepted}
        rejected = [
            answer
            for answer in _unlike(self._rejected(outcomes))
            if (answer.step, answer.asked, answer.text) not in texts  # it was accepted too: the judge is not sure
        ]
        pairs = ARRANGEMENTS[self._format](accepted, rejected, self._left_out)
        self._forms.update(answer.form for answer, _ in pairs)
        return [row for _, row in pairs]

    def _accepted(self, outcomes: Outcomes) -> Iterator[Answer]:
        for sample in outcomes.samples:
            provenance = sample["provenance"]
            steps = {step for judge in provenance["steps"] for step in self._judged.get(judge, ())}
            yield from filter(None, (self._answer(provenance.get("calls", ()), step) for step in sorted(steps)))

    def _rejected(self, outcomes: Outcomes) -> Iterator[Answer]:
        for reject in outcomes.rejects:
            if not _is_judged(reject, self._judged):
                continue
            steps = self._judged[reject["step"]]
            if self._split is not None and not outcomes.samples:
                self._left_out["rejected answers whose source row has no sample in this split"] += 1
            elif len(steps) > 1:
                self._left_out["rows whose judge looked at the answers of several steps at once"] += 1
            else:
                yield from filter(None, (self._answer(reject["calls"], step) for step in steps))

    def _answer(self, calls: Sequence[Call], step: str) -> Answer | None:
        """What this step answered in the end, if it is one of the calls."""
        own = [call for call in calls if call["step"] == step and "answer" in call]
        own = [call for call in own if "tree" in call] or own  # a search asked its judge too, and notes what it chose
        if not own:
            return None
        first, last = own[0], own[-1]
        if not all(_goes_on(first, call) for call in own[1:]):
            self._left_out["answers that were put together from several calls"] += 1
            return None
        prompt, form = _prompt(first)
        return Answer(step, prompt, last["answer"].strip(), _asked(prompt, form), form)

    def _none(self) -> str:
        why = f" {' '.join(self.notes())}" if self._left_out else ""
        return (
            f"The run in {self._run_dir} holds no answer of a model that a judge rejected beside one that it "
            f"accepted, which the format {self._format!r} is made of.{why} A recipe makes such by asking again until a "
            "judge is content: family(prompt(...), judge(...), want=1, tries=4)."
        )


def _pairs(accepted: Sequence[Answer], rejected: Sequence[Answer], left_out: Counter[str]) -> list[tuple[Answer, Row]]:
    """Each rejected answer with the first accepted one that was asked the same."""
    found = []
    for wrong in rejected:
        right = next((one for one in accepted if (one.step, one.asked) == (wrong.step, wrong.asked)), None)
        if right is not None:
            row = {"prompt": right.prompt, "chosen": right.completion, "rejected": wrong.completion}
            found.append((right, row))
        elif any(one.step == wrong.step for one in accepted):
            left_out["rejected answers that were asked something else than the accepted one of their source row"] += 1
        else:
            left_out["rejected answers whose source row has no accepted one"] += 1
    return found


def _labelled(
    accepted: Sequence[Answer], rejected: Sequence[Answer], left_out: Counter[str]
) -> list[tuple[Answer, Row]]:
    """Every answer by itself."""
    return [
        (answer, {"prompt": answer.prompt, "completion": answer.completion, "label": label})
        for answers, label in ((accepted, True), (rejected, False))
        for answer in answers
    ]


ARRANGEMENTS: Final[
    Mapping[str, Callable[[Sequence[Answer], Sequence[Answer], Counter[str]], list[tuple[Answer, Row]]]]
] = {"preference": _pairs, "labelled": _labelled}
"""Format to how it lays out the accepted and the rejected answers of a source row."""

_NOTES = {
    "document": "is a document that a base model goes on with. It stands there as a user's turn, around which a chat "
    "template is put: for a base model, train on its text without a template, or give the prompt a section `%% plain`.",
    "turns": "is the generator's own, with its instructions and examples. Give it a section `%% plain` to have a "
    "user's words in their place.",
}


def _judged_steps(run: Mapping[str, Any]) -> dict[str, set[str]]:
    """Each judge, and the prompt steps whose answers it looks at."""
    writers: dict[str, list[Mapping[str, Any]]] = {}
    for step in run["steps"]:
        for name in step["writes"]:
            writers.setdefault(name, []).append(step)
    names = {judge["step"] for judge in run["judges"]}
    return {
        step["name"]: set(_prompted(step["raises"] or step["reads"], writers))
        for step in run["steps"]
        if step["move"] == "judge" and step["name"] in names
    }


def _prompted(fields: Sequence[str], writers: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """The prompt steps that fields come from, through steps that compute or damage."""
    for step in (one for name in fields for one in writers.get(name, ())):
        if step["move"] == "prompt":
            yield step["name"]
        elif step["move"] in ("compute", "corrupt"):
            yield from _prompted(step["reads"], writers)


def _is_judged(reject: Mapping[str, Any], judges: Mapping[str, set[str]]) -> bool:
    """Whether a judge said no, and looked at what a model answered."""
    if reject["kind"] != "reject" or not judges.get(reject["step"]) or reject["reason"] == _NO_OPINION:
        return False
    last = reject["verdicts"][-1] if reject["verdicts"] else None
    if last is not None and last["step"] == reject["step"]:
        return not last["passed"]
    return is_bare_no(reject["reason"])


def _goes_on(first: Call, call: Call) -> bool:
    """Whether a call asks the same once more, with what was wrong in further turns."""
    before, now = first["prompt"], call["prompt"]
    return isinstance(before, list) and isinstance(now, list) and len(now) > len(before) == len(_common(before, now))


def _common(one: Sequence[Any], other: Sequence[Any]) -> Sequence[Any]:
    count = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[:count]


def _prompt(call: Call) -> tuple[Turns, str]:
    if plain := call.get("plain"):
        return [{"role": "user", "content": plain}], "plain"
    if isinstance(call["prompt"], str):
        return [{"role": "user", "content": call["prompt"]}], "document"
    return [{"role": turn["role"], "content": turn["content"]} for turn in call["prompt"]], "turns"


def _asked(prompt: Turns, form: str) -> str:
    content = prompt[-1]["content"]
    return content.rstrip().rpartition("\n\n")[2] if form == "document" else content


def _unlike(answers: Iterator[Answer]) -> list[Answer]:
    """Each answer once: samples that are laid out in two ways have one answer, and so may two tries."""
    found: dict[tuple[str, str, str], Answer] = {}
    for answer in answers:
        found.setdefault((answer.step, answer.asked, answer.text), answer)
    return list(found.values())
