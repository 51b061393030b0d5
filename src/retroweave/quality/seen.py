"""A sample as the lints look at it: what is trained, what stood before it, and the first words of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retroweave.pipeline.layout import texts

__all__ = ["SHORT_ANSWER", "Answer", "Seen", "first_words", "last_words"]

SHORT_ANSWER = 20
"""Characters. A whole answer as short as this is a verdict, a number or a name: there are few of them, and alike."""

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
# What a form begins with whatever is said in it: tags, the fence of a code block, the head of a diff.
_FORM = re.compile(
    rf"(?:\s+|{_TAG.pattern}|```[\w+-]*$|(?:diff --git |index [0-9a-f]+\.\.|--- |\+\+\+ |@@ -)[^\n]*$)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of a trained turn that says something; what it calls tools with is no manner of speaking."""

    text: str
    plain: str
    """Without tags, and without the white space around it."""

    @classmethod
    def of(cls, text: str) -> Answer:
        return cls(text, (_TAG.sub("", text) if "<" in text else text).strip())

    @property
    def is_short(self) -> bool:
        return len(self.plain) <= SHORT_ANSWER

    def head(self, length: int) -> str:
        """How it begins, with straight apostrophes."""
        return self.plain[:length].replace("’", "'")

    def tail(self, length: int) -> str:
        return self.plain[-length:].replace("’", "'")


@dataclass(frozen=True, slots=True)
class Seen:
    """One sample. Each lint looks at the same parts of it, so they are made once."""

    id: str
    layout: str
    messages: Sequence[Mapping[str, Any]]
    provenance: Mapping[str, Any]
    measures: Mapping[str, Any]
    answers: tuple[Answer, ...]
    """The trained turns that say something."""
    prompt: str | None
    """What the user says first."""

    @classmethod
    def of(cls, sample: Mapping[str, Any]) -> Seen:
        provenance, messages = sample.get("provenance", {}), sample["messages"]
        answers = [Answer.of(turn["content"]) for turn in messages if turn["train"]]
        prompt = next((turn["content"] for turn in messages if turn["role"] == "user"), None)
        said = tuple(answer for answer in answers if answer.text.strip())
        return cls(sample["id"], sample["layout"], messages, provenance, provenance.get("measures", {}), said, prompt)

    def texts(self, *, train: bool) -> Iterator[str]:
        """All that is said in trained turns, or in the others, in tool calls too."""
        return (text for turn in self.messages if turn["train"] == train for text in texts(turn))


def first_words(text: str, count: int) -> str:
    start = 0
    while found := _FORM.match(text, start):
        start = found.end()
    # As many characters as words may have, so that a long text is not copied for its first few.
    return " ".join(text[start : start + 100 * count].split(maxsplit=count)[:count]).lower()


def last_words(text: str, count: int) -> str:
    end = _without_form(text[-100 * count :].rstrip())
    return " ".join(end.rsplit(maxsplit=count)[-count:]).lower()


def _without_form(end: str) -> str:
    """The text without the tags and the fence that close it."""
    while end:
        tag = end.rfind("<") if end[-1] == ">" else -1
        if tag >= 0 and _TAG.fullmatch(end, tag):
            end = end[:tag].rstrip()
        elif end.endswith("```"):
            end = end[:-3].rstrip()
        else:
            break
    return end
