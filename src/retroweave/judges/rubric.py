"""The judge that goes through a rubric: many questions of yes or no, weighed.

A question that a program answers is not put to a model. A model is asked all others at once, each by itself, so that no
answer leans on another. An item made of parts is worth their weighted mean, and so is the whole; where a gate fails,
what it is a part of is worth nothing. Gates that programs alone decide come first: where one fails, no model is asked.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retroweave.judges.opinion import NEITHER, Opinion, ask, usable
from retroweave.judges.reading import fields_and, names, signature_of, within
from retroweave.judges.rubric_file import Item, Rubric, read_rubric
from retroweave.judges.yes_no import require_samples
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.row import digest
from retroweave.pipeline.verdict import Score
from retroweave.text.prompts import Prompt, read_prompt

__all__ = ["ProgramsJudge", "RubricJudge", "rubric"]

PROMPT = Path(__file__).parent / "words" / "rubric.prompt"
_OFFERED = ("context", "label", "question", "text")
"""What a rubric's prompt is filled in with."""


def rubric(
    source: Path | str | Rubric,
    *,
    judges: str | None = None,
    model: str = "model",
    threshold: float | None = None,
    prompt: Prompt | None = None,
    samples: int = 8,
    about: str | Sequence[str] = (),
) -> RubricJudge | ProgramsJudge:
    """A judge that goes through the rubric in a file (its two forms are told in `rubric_file`):

        judge(rubric(Path(__file__).parent / "read_aloud.md"), raises="passage", good=..., spoiled=...)

    `judges` names the field that it looks at, and `threshold` the least score that passes, where the file does not; a
    threshold given here goes before the file's. `prompt` words the question otherwise than we do: it is filled in with
    `question`, `text`, `label` (the field's name) and `context`, pairs of name and text. A rubric of programs alone
    takes no model, and may as well stand in a `verify` step.
    """
    read = source if isinstance(source, Rubric) else read_rubric(Path(source), judges)
    least = within(
        next(value for value in (threshold, read.threshold, 0.5) if value is not None),
        f"The threshold of {read.name!r}",
    )
    if all(leaf.program for leaf in read.leaves()):
        return ProgramsJudge(read, least, names(about))
    return RubricJudge(read, least, names(about), prompt or read_prompt(PROMPT), model, require_samples(samples))


class _Marked:
    """What both judges have in common: an item's place in the rubric, and what it is worth."""

    def __init__(self, rubric: Rubric, threshold: float) -> None:
        self.rubric = rubric
        self.threshold = threshold
        self.__name__ = rubric.name
        self._leaves = list(_leaves(rubric.items))

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, but for the model."""
        return digest(*_written(self.rubric.items), repr(self.threshold), *self._more()).hex()

    def _more(self) -> Iterator[str]:
        yield from (self.rubric.judges, *self.rubric.context)

    def _by_programs(self, given: Mapping[str, Any]) -> dict[Place, float | None]:
        text = given[self.rubric.judges]
        return {place: item.program(text) for place, item in self._leaves if item.program}

    def _score(self, notes: Sequence[dict[str, Any]], parts: Mapping[str, Any]) -> Score:
        """The whole, of what its items are worth."""
        value = _mean(notes)
        failed = next((note for note in notes if note.get("gate") and note["passed"] is False), None)
        reason = f"fails {failed['question']!r}" if failed else f"scored below {self.threshold:g}"
        return Score(value, value >= self.threshold and not failed, {"items": notes, **parts}, reason)


class ProgramsJudge(_Marked):
    """A rubric that programs answer."""

    def __init__(self, rubric: Rubric, threshold: float, about: Sequence[str]) -> None:
        super().__init__(rubric, threshold)
        self.__doc__ = f"Measure {rubric.judges} by the rubric {rubric.title or rubric.name!r}."
        self.__signature__ = signature_of(fields_and((rubric.judges,), about=about, judge=rubric.name))

    def __call__(self, **given: Any) -> Score:
        return self._score(_noted(self.rubric.items, self._by_programs(given)), {})


class RubricJudge(_Marked):
    """A rubric that a model answers, and programs where they can."""

    def __init__(
        self, rubric: Rubric, threshold: float, about: Sequence[str], prompt: Prompt, model: str, samples: int
    ) -> None:
        super().__init__(rubric, threshold)
        if unknown := [name for name in prompt.reads if name not in _OFFERED]:
            raise UserError(
                f"The prompt {prompt.name!r} reads {unknown[0]!r}, but a rubric's prompt is filled in with "
                f"{', '.join(_OFFERED)}. Name that field under `context`, or in the question itself."
            )
        self.prompt = usable(prompt)
        self.__doc__ = f"Ask the model {model!r} about {rubric.judges} by the rubric {rubric.title or rubric.name!r}."
        asked = [item.question.names for _, item in self._leaves if item.program is None]
        reads = dict.fromkeys([rubric.judges, *rubric.context, *(name for found in asked for name in found)])
        self.__signature__ = signature_of(
            fields_and(reads, model=model, draws=bool(prompt.settings.shots), about=about, judge=rubric.name)
        )
        self._model = model
        self._samples = samples

    def _more(self) -> Iterator[str]:
        yield from super()._more()
        yield from (repr(self.prompt), repr(self.prompt.examples), str(self._samples))

    async def __call__(self, **given: Any) -> Score:
        answered = self._by_programs(given)
        early = _noted(self.rubric.items, answered)
        if any(note.get("gate") and note["passed"] is False for note in early):
            return self._score(early, {"method": "programs"})
        opinions = await self._asked(given)
        answered |= {place: opinion.yes for place, opinion in opinions.items()}
        method = ", ".join(dict.fromkeys(opinion.method for opinion in opinions.values()))
        score = self._score(_noted(self.rubric.items, answered), {"method": method})
        if all(opinion.yes is None for opinion in opinions.values()):
            return replace(score, passed=False, reason=NEITHER)
        return score

    async def _asked(self, given: Mapping[str, Any]) -> dict[Place, Opinion]:
        """What the model says to each question, all put at once."""
        places = [(place, item) for place, item in self._leaves if item.program is None]
        shots = [self.prompt.draw(given.get("rng")) for _ in places]
        opinions = await asyncio.gather(
            *(
                ask(given[self._model], self.prompt, self._filled(item, given), examples, self._samples)
                for (_, item), examples in zip(places, shots, strict=True)
            )
        )
        return {place: opinion for (place, _), opinion in zip(places, opinions, strict=True)}

    def _filled(self, item: Item, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "text": given[self.rubric.judges],
            "label": self.rubric.judges,
            "context": [(name, given[name]) for name in self.rubric.context],
            "question": item.question.render(given),
        }


Place = tuple[int, ...]
"""Where an item stands: 0 for the first, (0, 2) for its third part."""


def _leaves(items: Sequence[Item], above: Place = ()) -> Iterator[tuple[Place, Item]]:
    for number, item in enumerate(items):
        if not item.parts:
            yield (*above, number), item
        yield from _leaves(item.parts, (*above, number))


def _noted(items: Sequence[Item], answered: Mapping[Place, float | None], above: Place = ()) -> list[dict[str, Any]]:
    """What became of each item: its question, weight and value, whether it passed, and the same of its parts.

    What was not asked has no value yet and has neither passed nor failed; what got neither yes nor no has failed.
    """
    return [_note(item, answered, (*above, number)) for number, item in enumerate(items)]


def _note(item: Item, answered: Mapping[Place, float | None], place: Place) -> dict[str, Any]:
    parts = _noted(item.parts, answered, place)
    value = _value(item, parts, answered, place)
    note: dict[str, Any] = {
        "question": item.question.text,
        "value": value,
        "weight": item.weight,
        "passed": None if value is None else value >= item.threshold and not _gate_failed(parts),
    }
    if item.wanted == "no":
        note["wanted"] = "no"
    if item.gate:
        note["gate"] = True
    if item.program:
        note["program"] = item.program.as_json()
    elif not parts and value is not None and answered[place] is None:
        note["passed"], note["answer"] = False, "neither yes nor no"
    return note | ({"parts": parts} if parts else {})


def _value(
    item: Item, parts: Sequence[dict[str, Any]], answered: Mapping[Place, float | None], place: Place
) -> float | None:
    """From 0 to 1, the higher the more as it is wanted; `None` where it is not known yet."""
    if not parts:
        if place not in answered:
            return None
        yes = answered[place]
        return 0.0 if yes is None else yes if item.wanted == "yes" else 1.0 - yes
    if _gate_failed(parts):
        return 0.0
    if any(part["value"] is None for part in parts):
        return None
    return _mean(parts) if item.wanted == "yes" else 1.0 - _mean(parts)


def _gate_failed(notes: Sequence[Mapping[str, Any]]) -> bool:
    return any(note.get("gate") and note["passed"] is False for note in notes)


def _mean(notes: Sequence[Mapping[str, Any]]) -> float:
    """By weight; 0 where a gate failed. The bounds are held against the last digit."""
    if _gate_failed(notes):
        return 0.0
    total = math.fsum(note["weight"] for note in notes)
    mean = math.fsum(note["weight"] * note["value"] for note in notes) / total
    return min(max(mean, 0.0), 1.0)


def _written(items: Sequence[Item]) -> Iterator[str]:
    for item in items:
        program = item.program.as_json() if item.program else None
        yield repr((item.question.text, item.weight, item.wanted, item.gate, item.threshold, program, "{"))
        yield from _written(item.parts)
        yield "}"
