"""What a finished set would teach besides its task.

A model learns whatever is the same in all its samples, whether or not anybody meant it: one opening phrase, one length,
one verdict. These lints read the samples once and say which habit they would leave (rule 9 of the design). Each is a
count that a person can check. They do not judge whether answers are right, and they do not look for duplicates or for
the test sets of others.

Habits of answers are looked for in each layout by itself, for a layout has its own form and a model can tell by the
prompt which one is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal

__all__ = ["Finding", "Habits", "lint"]

Sample = Mapping[str, Any]

FEWEST = 20
"""Below this many a share means little: of 20 coins 11 or more fall heads up two times in five."""
OPENING_WORDS = 4
"""Enough to tell a phrase (`Sure, here is the`) from an ordinary first word (`The`)."""
OPENING_SHARE = 0.5
"""When more than half of all answers begin alike, that beginning is the model's best guess for any prompt."""
PROMPT_WORDS = 6
"""Instructions begin alike more easily than answers do (`Please correct the following`), so more words are compared."""
PROMPT_SHARE = 0.5
"""When more than half of all prompts begin alike, the task may be learned as the reply to one phrase."""
SHORT_ANSWER = 20
"""Characters. A whole answer as short as this is a verdict, a number or a name: there are few of them, and alike."""
VERDICT_SHARE = 0.7
"""A verdict with two outcomes may be as uneven as the world is; beyond 70 % always saying it is a good strategy."""
LENGTH_VARIATION = 0.05
"""Standard deviation by mean. Texts that people write to one purpose vary by a third and more."""
LENGTH_SHARE = 0.3
"""Among answers longer than a verdict the same number of characters is chance; for three in ten it is a mould."""
COUNTERS = 4096
"""How many different openings, answers or lengths are counted at once."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A habit that the samples have in common, with samples to look at."""

    lint: str
    severity: Literal["warning", "note"]
    message: str
    examples: tuple[str, ...] = ()
    """Ids of samples."""


def lint(samples: Iterable[Sample]) -> list[Finding]:
    """The habits of the samples, read once, each with `id`, `layout` and `messages` of `role`, `content`, `train`."""
    habits = Habits()
    for sample in samples:
        habits.see(sample)
    return list(habits.findings())


class _Tally:
    """How often each of many things was seen, in bounded memory.

    Where more than `COUNTERS` are under way all counts are lowered by one and those at zero forgotten (Misra and Gries
    1982), so that a count is at most a 4096th of all things seen too low and what is frequent is never missed.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._counts: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}

    def add(self, thing: str, id: str) -> None:
        self.seen += 1
        if thing not in self._counts and len(self._counts) >= COUNTERS:
            self._lower()
            return
        self._counts[thing] = self._counts.get(thing, 0) + 1
        ids = self._ids.setdefault(thing, [])
        if len(ids) < EXAMPLES and id not in ids:
            ids.append(id)

    def _lower(self) -> None:
        self._counts = {thing: count - 1 for thing, count in self._counts.items() if count > 1}
        self._ids = {thing: self._ids[thing] for thing in self._counts}

    def most_common(self) -> tuple[str, int, tuple[str, ...]]:
        """What was seen most often, how often, and in which samples; nothing where nothing was seen."""
        if not self._counts:
            return "", 0, ()
        thing = max(self._counts, key=self._counts.__getitem__)
        return thing, self._counts[thing], tuple(self._ids[thing])


@dataclass(slots=True)
class _Spread:
    """Mean and standard deviation of numbers seen one by one (Welford 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, number: int) -> None:
        self.count += 1
        off = number - self.mean
        self.mean += off / self.count
        self.squares += off * (number - self.mean)

    @property
    def variation(self) -> float:
        return sqrt(self.squares / self.count) / self.mean


@dataclass(slots=True)
class _Answers:
    """What the trained turns of one layout have in common."""

    count: int = 0
    openings: _Tally = field(default_factory=_Tally)
    verdicts: _Tally = field(default_factory=_Tally)
    lengths: _Tally = field(default_factory=_Tally)
    spread: _Spread = field(default_factory=_Spread)
    ids: list[str] = field(default_factory=list)

    def see(self, answer: str, id: str) -> None:
        self.count += 1
        if len(self.ids) < EXAMPLES:
            self.ids.append(id)
        plain = _TAG.sub("", answer).strip()
        if len(plain) <= SHORT_ANSWER:
            # Its length and its opening are as few as the verdicts, and say nothing that those do not.
            self.verdicts.add(" ".join(plain.lower().split()), id)
            return
        self.lengths.add(str(len(answer)), id)
        self.spread.add(len(answer))
        words = _first_words(answer, OPENING_WORDS)
        if words:
            self.openings.add(words, id)

    def findings(self, layout: str) -> Iterator[Finding]:
        if self.count >= FEWEST:
            yield from self._one_opening(layout)
            yield from self._one_verdict(layout)
        if self.spread.count >= FEWEST:
            yield from self._one_length(layout)

    def _one_opening(self, layout: str) -> Iterator[Finding]:
        opening, count, ids = self.openings.most_common()
        if count > OPENING_SHARE * self.count:
            yield Finding(
                "one opening",
                "warning",
                f"{_share(count, self.count)} of the trained turns of layout {layout!r} begin with {opening!r}, which "
                "a model would learn to say whatever it is asked; vary the wording of the layout or of the step that "
                "writes the answer.",
                ids,
            )

    def _one_verdict(self, layout: str) -> Iterator[Finding]:
        verdict, count, ids = self.verdicts.most_common()
        if count > VERDICT_SHARE * self.count:
            yield Finding(
                "one verdict",
                "warning",
                f"{_share(count, self.count)} of the trained turns of layout {layout!r} are {verdict!r} and no more, "
                "so that a model would do well by always saying it; add rows with other answers, or cap this one.",
                ids,
            )

    def _one_length(self, layout: str) -> Iterator[Finding]:
        length, count, ids = self.lengths.most_common()
        long = self.spread.count
        if count > LENGTH_SHARE * long:
            found = f"{_share(count, long)} of the trained turns of layout {layout!r} have just {length} characters"
        elif self.spread.variation < LENGTH_VARIATION:
            ids = tuple(self.ids)
            found = (
                f"All {long} longer trained turns of layout {layout!r} have nearly one length, {self.spread.mean:.0f} "
                f"characters give or take {self.spread.variation:.1%}"
            )
        else:
            return
        yield Finding(
            "one length",
            "warning",
            f"{found}, which a model would learn to fill whatever there is to say; take sources of other lengths, or "
            "look whether answers are cut off.",
            ids,
        )


class Habits:
    """All that is counted of a set, a sample at a time, in constant memory."""

    def __init__(self) -> None:
        self.samples = 0
        self.answers: dict[str, _Answers] = {}
        self.prompts = _Tally()
        self.copies = 0
        self.copied: list[str] = []

    def see(self, sample: Sample) -> None:
        self.samples += 1
        id, messages = sample["id"], sample["messages"]
        prompt = next((message["content"] for message in messages if message["role"] == "user"), None)
        if prompt is not None:
            self.prompts.add(_first_words(prompt, PROMPT_WORDS), id)
        answers = self.answers.setdefault(sample["layout"], _Answers())
        for message in messages:
            if message["train"]:
                answers.see(message["content"], id)
        if _copies(messages):
            self.copies += 1
            self.copied += [id] if len(self.copied) < EXAMPLES else []

    def findings(self) -> Iterator[Finding]:
        if self.samples < FEWEST:
            yield Finding(
                "few samples",
                "note",
                f"There are {self.samples} samples, and habits are looked for from {FEWEST} on, because of fewer a "
                "share says little; make more to have the set linted.",
            )
            return
        for layout, answers in self.answers.items():
            yield from answers.findings(layout)
        yield from self._prompts_alike()
        yield from self._copied_answers()

    def _prompts_alike(self) -> Iterator[Finding]:
        opening, count, ids = self.prompts.most_common()
        if opening and self.prompts.seen >= FEWEST and count > PROMPT_SHARE * self.prompts.seen:
            yield Finding(
                "prompts all alike",
                "warning",
                f"{_share(count, self.prompts.seen)} of the prompts begin with {opening!r}, so that a model may learn "
                "the task for that phrase alone; give the layout more variants of its instruction.",
                ids,
            )

    def _copied_answers(self) -> Iterator[Finding]:
        if self.copies:
            yield Finding(
                "the answer is a copy",
                "warning",
                f"In {_share(self.copies, self.samples)} of the samples a trained turn is the same as an earlier turn, "
                "and a model would learn to repeat what it reads; drop rows in which nothing is left to do, or see "
                "whether the layout has the wrong field.",
                tuple(self.copied),
            )


_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
# What a form begins with whatever is said in it: tags, the fence of a code block, the head of a diff.
_FORM = re.compile(
    rf"(?:\s+|{_TAG.pattern}|```[\w+-]*$|(?:diff --git |index [0-9a-f]+\.\.|--- |\+\+\+ |@@ -)[^\n]*$)", re.MULTILINE
)


def _first_words(text: str, count: int) -> str:
    start = 0
    while found := _FORM.match(text, start):
        start = found.end()
    # As many characters as words may have, so that a long text is not copied for its first few.
    return " ".join(text[start : start + 100 * count].split(maxsplit=count)[:count]).lower()


def _copies(messages: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a trained turn repeats an earlier one; two short verdicts may well be the same."""
    given: set[str] = set()
    answered: set[str] = set()
    for message in messages:
        content = message["content"].strip()
        if not message["train"]:
            given.add(content)
            continue
        if content and (content in given or (content in answered and len(content) > SHORT_ANSWER)):
            return True
        answered.add(content)
    return False


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({count / of:.0%})"
