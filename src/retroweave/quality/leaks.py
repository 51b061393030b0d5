"""What stands in a sample that should not: the answer in its question, a copy, the generator's own instructions.

What only the generator saw is found as what all prompts of a step have in common: its template. Whatever differs from
row to row (the passage, the answer that a question is made for) is the row's own, and may well show in the sample.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from retroweave.quality.habits import Counted, Finding, Lint, share_of
from retroweave.quality.seen import SHORT_ANSWER, Seen
from retroweave.quality.tallies import EXAMPLES

__all__ = ["AnswerInQuestion", "CopiedExamples", "Copies", "HiddenContext"]

RUN = 8
"""Words in a row. Two people who write of one thing seldom share as many by chance."""
PROMPTS = 3
"""How many prompts of a step are compared to find its template."""
WAITING = 64
"""How many samples wait for a step's template to be known."""
LONGEST = 20_000
"""Characters of a prompt that are looked at."""
_WORD = re.compile(r"\w+")


class Copies(Counted):
    """Trained turns that are the same as an earlier turn; two short verdicts may well be."""

    name = "copies"
    share = 0.0
    fewest = 1
    counts = "samples of a layout"
    what = "of the samples of layout {layout} have a trained turn that is the same as an earlier turn"
    teaches = "and a model would learn to repeat what it reads"
    mend = "drop rows in which nothing is left to do, or see whether the layout has the wrong field"

    def hits(self, sample: Seen) -> Iterator[str | None]:
        given: set[str] = set()
        answered: set[str] = set()
        for message in sample.messages:
            content = message["content"].strip()
            if not message["train"]:
                given.add(content)
                continue
            if content and (content in given or (content in answered and len(content) > SHORT_ANSWER)):
                yield "a question" if content in given else "an answer"
                return
            answered.add(content)
        yield None


class AnswerInQuestion(Counted):
    """Longer answers that stand word for word in the question, where the layout does not say that it is extractive."""

    name = "answer-in-question"
    share = 0.02
    counts = "samples of a layout"
    what = "of the samples of layout {layout} have an answer that stands in the question word for word"
    teaches = "and a model would learn to look for the answer instead of working it out"
    mend = "take it out of the question, or say extractive=True in the layout where copying is the task"

    def hits(self, sample: Seen) -> Iterator[str | None]:
        if sample.provenance.get("extractive"):
            return
        asked: list[str] = []
        for message in sample.messages:
            if not message["train"]:
                asked.append(message["content"])
            elif _stands_in(message["content"], asked):
                yield "in the question"
                return
        yield None


def _stands_in(answer: str, asked: Sequence[str]) -> bool:
    said = answer.strip()
    # What is the same is a copy, and another lint's.
    return len(said) > SHORT_ANSWER and any(said in text and said != text.strip() for text in asked)


@dataclass
class _Template:
    """What the prompts of one step have in common, and the samples that wait for it."""

    prompts: int = 0
    sources: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    begins: set[str] = field(default_factory=set)
    """The first words of the runs, once they are known."""
    plain: set[str] = field(default_factory=set)
    """Runs of the plain prompts that are trained in the place of the clever ones."""
    waiting: list[tuple[str, str, list[str]]] = field(default_factory=list)

    @property
    def known(self) -> bool:
        return self.prompts >= PROMPTS

    def learn(self, source: str, prompt: str, plain: str) -> None:
        """Prompts for one source row have its text in common: they are no comparison."""
        if source in self.sources or not prompt:
            return
        self.sources.add(source)
        runs = set(_runs(prompt[:LONGEST]))
        self.runs = runs & self.runs if self.prompts else runs
        self.plain |= set(_runs(plain))
        self.prompts += 1
        if self.known:
            self.runs -= self.plain
            self.begins = {run.partition(" ")[0] for run in self.runs}

    def first_in(self, texts: Sequence[str]) -> str | None:
        """The first of its runs in the texts. Most words begin none, and so no run is made of them."""
        found = (run for text in texts for run in _runs(text, self.begins) if run in self.runs)
        return next(found, None) if self.runs else None


class _Told(Lint):
    """Runs of words that stand in a sample and in what all prompts of a step have in common."""

    share = 0.0
    counts = "samples that models had a part in"

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._templates: defaultdict[str, _Template] = defaultdict(_Template)
        self._of: dict[str, int] = defaultdict(int)
        self._hits: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._count: dict[str, int] = defaultdict(int)

    def told(self, prompt: str | Sequence[Mapping[str, Any]]) -> str:
        """The part of a prompt that this lint is about."""
        raise NotImplementedError

    def what(self, step: str, run: str) -> str:
        raise NotImplementedError

    def see(self, sample: Seen) -> None:
        calls = sample.provenance.get("calls", ())
        said = [turn["content"] for turn in sample.messages] if calls else []
        source = str(sample.provenance.get("source", {}).get("key", sample.id))
        for step, call in {call["step"]: call for call in calls if call.get("prompt")}.items():
            template = self._templates[step]
            if not template.known:
                template.learn(source, self.told(call["prompt"]), call.get("plain", ""))
                if len(template.waiting) < WAITING:
                    template.waiting.append((sample.id, sample.layout, said))
            else:
                self._look(step, sample.id, said)

    def _look(self, step: str, id: str, said: Sequence[str]) -> None:
        self._of[step] += 1
        if (run := self._templates[step].first_in(said)) is not None:
            self._count[step] += 1
            if len(self._hits[step]) < EXAMPLES:
                self._hits[step].append((id, run))

    def findings(self) -> Iterator[Finding]:
        for step, template in self._templates.items():
            waiting, template.waiting = template.waiting if template.known else [], []
            for id, _, said in waiting:
                self._look(step, id, said)
            count, of = self._count[step], self._of[step]
            if count and count > self.limit * of:
                ids = [id for id, _ in self._hits[step]]
                yield self.found(f"{share_of(count, of)} {self.what(step, self._hits[step][0][1])}", ids, (), of)


def _runs(text: str, begins: Set[str] | None = None) -> Iterator[str]:
    """Its runs of words; of those only that begin with one of some words, where they are named."""
    words = _WORD.findall(text.lower())
    for start in range(len(words) - RUN + 1):
        if begins is None or words[start] in begins:
            yield " ".join(words[start : start + RUN])


class HiddenContext(_Told):
    """Words that only a generator's instructions hold, and that show in a sample: eight in a row."""

    name = "hidden-context"
    teaches = "and a model would learn to speak of what no user of it has said"
    mend = "ask the model for less of it, reject such rows, or train the plain prompt in its place"

    def told(self, prompt: str | Sequence[Mapping[str, Any]]) -> str:
        if isinstance(prompt, str):
            return ""  # a document is instructions and examples in one, and counted with those
        return "\n".join(turn["content"] for turn in prompt if turn["role"] == "system" or turn is prompt[-1])

    def what(self, step: str, run: str) -> str:
        return f"of the samples that {step!r} had a part in show words of its instructions, such as {run!r}"


class CopiedExamples(_Told):
    """Few-shot examples of a prompt that show in a sample word for word: eight words in a row."""

    name = "copied-examples"
    teaches = "and a model would learn a few examples by heart"
    mend = "give the prompt more examples, or other ones for each row, and reject rows that copy them"

    def told(self, prompt: str | Sequence[Mapping[str, Any]]) -> str:
        if isinstance(prompt, str):
            return prompt
        return "\n".join(turn["content"] for turn in prompt[:-1] if turn["role"] != "system")

    def what(self, step: str, run: str) -> str:
        return f"of the samples that {step!r} had a part in repeat an example of its prompt, such as {run!r}"
