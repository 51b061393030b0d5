"""Questions that their text does not answer, and what is said then.

Such a question begins as one that is answered: the answer is known, and a judge agrees that it is the answer. Then its
sentence is taken out of the text. So it is no guess that the text does not tell: what told it is gone, a program looks
whether its words are, and a judge is asked about the rest. What is said is put together by program too, and names what
is not there, and often what is there instead.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

from retroweave import About, compute, judge, reverse, user, verify
from retroweave import assistant as answers
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.layout import Variants
from retroweave.recipes.questions_asking import Asking
from retroweave.recipes.questions_checks import is_gone, keeps_the_subject
from retroweave.text.likeness import overlap
from retroweave.text.spans import sentences
from retroweave.text.variants import Words

__all__ = ["SPECIFIC", "Refuse", "nearest_sentence", "refusing", "take_out"]

SPECIFIC: dict[str, str] = {"date": "no_date", "number": "no_number", "name": "no_name", "reason": "no_reason"}
"""The kind of an answer to the pool of refusals that name what is missing."""

REST = (
    "Marta had meant to take the tram. It did not come, for the wires were iced, so she walked. At Lund it was snowing."
)
REPLY = "The text does not say how far."
UNANSWERED = {"rest": REST, "question": "How many miles was it to Lund?", "answer": "four", "reply": REPLY}


def take_out(shown: str, sentence: str) -> str:
    """The text without a sentence, and without the gap that it leaves."""
    before, after = shown.split(sentence)
    begins = not before.strip() or before.endswith("\n\n")
    if not after.strip():
        return f"{before.rstrip()}\n"
    return (
        before + after.lstrip()
        if begins
        else before.rstrip(" ") + ("" if after.startswith("\n") else " ") + after.lstrip(" ")
    )


def nearest_sentence(question: str, rest: str) -> str:
    """The sentence of the text that shares most with the question, if it shares two words in five."""
    every = [" ".join(rest[start:end].split()) for start, end in sentences(rest)]
    best = max(every, key=lambda one: overlap(question, one), default="")
    return best if overlap(question, best) >= 0.4 and not re.search(r"[“”\"]", best) else ""


class Refuse:
    """Says that the text does not tell: in general, or by what is missing; and half the time, what it does tell."""

    def __init__(self, words: Words) -> None:
        self.__name__ = "refuse"
        self._general = words("refusals")
        self._specific = {kind: words(pool) for kind, pool in SPECIFIC.items()}
        self._instead = words("nearest")

    def __call__(self, question: str, rest: About[str], kind: str, rng: Random) -> str:
        pool = self._specific.get(kind, self._general) if rng.random() < 0.5 else self._general
        said = rng.choice(pool)
        near = nearest_sentence(question, rest)
        return f"{said} {rng.choice(self._instead).format(sentence=near)}" if near and rng.random() < 0.5 else said


def refusing(words: Words, asking: Asking, ask: Variants, sure: float) -> tuple[Any, ...]:
    """The steps from an answer that is fixed to the conversation in which its question stays unanswered."""
    frames = Variants.of("frames", [one.replace("{shown", "{rest") for one in words("frames")])
    keeps = verify(keeps_the_subject, good=UNANSWERED, spoiled={"question": "What colour was the door of the church?"})
    return (
        compute(take_out, writes="rest"),
        verify(is_gone, good=UNANSWERED, spoiled={"rest": f"{REST} The walk was one of four miles."}),
        asking.for_what_goes(keeps),
        compute(Refuse(words), writes="reply"),
        judge(
            yes_no(words.prompt("unanswered"), model="judge", threshold=sure, about="passage"),
            raises="reply",
            reads={"passage": "rest"},
            accepts_right=0.9,
            accepts_wrong=0.15,
            good=UNANSWERED,
            spoiled={"reply": "It was four miles to Lund, says the text."},
            name="not answered by the rest",
        ),
        reverse(
            user("{ask}\n\n{frame}"),
            answers("{reply}"),
            name="unanswerable",
            floor="judged",
            ask=ask,
            frame=frames,
        ),
    )
