"""Asking for an answer that is fixed: the model writes a question, programs look at its form, and judges at the rest.

Each way of asking is a family: where a question is rejected, another is drawn for the same answer. What the judges are
asked, and how often each is reckoned to err, stands here; what programs know of a question is in `questions_checks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from retroweave import family, judge, prompt, verify
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.model import Model
from retroweave.pipeline.pipeline import Family
from retroweave.pipeline.step import Step
from retroweave.pipeline.verdict import Score
from retroweave.recipes import questions_checks as checks
from retroweave.text.generation import generate
from retroweave.text.likeness import overlap
from retroweave.text.variants import Words, recipe_words

__all__ = ["GOOD", "Asking", "not_known_without"]

GUESS = recipe_words(str(Path(__file__).with_name("grounded_questions.py"))).prompt("guess")
PASSAGE = (
    "Marta had meant to take the tram. It did not come, for the wires were iced, so she walked the four miles to Lund."
)
GOOD = {
    "passage": PASSAGE,
    "shown": PASSAGE,
    "context": PASSAGE,
    "type": "numeric",
    "question": "How far did Marta walk to Lund?",
    "answer": "four miles",
    "evidence": f"> {PASSAGE[34:]}",
}
TWO = "The tram that Ilse drove bore the number 9. Its number was painted by a man called Aske, who had one arm."
HOP = {
    "clue": TWO[:43],
    "sentence": TWO[44:],
    "question": "What was the man called who painted the number on the tram that Ilse drove?",
}
"""Rows that the checks accept."""
DIRECT = "Who painted the number, and had one arm?"
STRANGE = "What colour was the door of the church?"
ODDS: dict[str, Any] = {"accepts_right": 0.9, "accepts_wrong": 0.15}


@dataclass(frozen=True)
class Asking:
    """How questions are drawn until one passes, for each way of asking."""

    words: Words
    sure: float
    """How sure a judge must be."""
    tries: int
    rewritten: bool
    """Whether passages may be shown in other words than their own, so that the original is asked too."""

    def for_spans(self) -> Family:
        return self._drawn("question", known_only_from_it())

    def by_two_sentences(self) -> Family:
        """Both sentences are to be enough, and one not: that in which the answer stands, for no other has it."""
        enough = verify(checks.draws_on_both, good=HOP, spoiled={"question": DIRECT})
        alone = judge(
            yes_no(self.words.prompt("alone"), model="judge", threshold=self.sure, wanted="no"),
            raises="question",
            good=HOP,
            spoiled={"question": DIRECT},
            name="not by one sentence alone",
            **ODDS,
        )
        return self._drawn("multi_hop", enough, alone, known_only_from_it(), read="context")

    def for_what_goes(self, first: Step) -> Family:
        """A question that has an answer, before its sentence is taken out; whether others know it does not matter.

        What is left without the sentence is to be asked about, too, and a program looks at that `first`.
        """
        return self._drawn("question", first=first)

    def _drawn(self, file: str, *more: Step, read: str = "shown", first: Step | None = None) -> Family:
        """Draw from the prompt in a file; the judge reads `read`: all that is shown, or only what is to be enough."""
        return family(
            prompt(generate(self.words.prompt(file), model="writer"), writes="question", reads={"passage": "shown"}),
            verify(checks.is_a_question, good=GOOD, spoiled={"question": "How did Marta walk the four miles to Lund?"}),
            verify(checks.asks_for_its_kind, good=GOOD, spoiled={"question": "Where did Marta walk in the snow?"}),
            *([first] if first else []),
            self._answered(read),
            *([self._answered_by_the_original()] if self.rewritten else []),
            *more,
            want=1,
            tries=self.tries,
            name="question until it passes",
        )

    def _answered(self, read: str) -> Step:
        phrasings = [self.words.prompt("answerable"), self.words.prompt("fits")]
        return judge(
            yes_no(phrasings, model="judge", threshold=self.sure),
            raises="question",
            score="sure",
            reads={"passage": read},
            good=GOOD,
            spoiled={"question": STRANGE},
            name="answerable",
            **ODDS,
        )

    def _answered_by_the_original(self) -> Step:
        asked = yes_no(self.words.prompt("fits"), model="judge", threshold=self.sure)

        async def the_original_agrees(
            passage: str, shown: str, question: str, answer: str, judge: Model, rng: Random
        ) -> Score:
            """Where the passage was rewritten, the original gives this answer to this question too."""
            if shown == passage:
                return Score(1.0, True, {"method": "what is shown is the original"})
            given = {"passage": passage, "context": passage, "question": question, "answer": answer}
            return await asked(**given, judge=judge, rng=rng)

        good = {**GOOD, "shown": f"A story. {PASSAGE}"}
        return judge(the_original_agrees, raises="question", good=good, spoiled={"question": STRANGE}, **ODDS)


def known_only_from_it() -> Step:
    return judge(
        not_known_without,
        good={"question": "Which word had Marta scratched into the lid of the tea tin?", "answer": "Paris"},
        spoiled={"question": "What is the capital of France?"},
        accepts_right=0.95,
        accepts_wrong=0.3,
    )


async def not_known_without(question: str, answer: str, judge: Model) -> Score:
    """Asked without the passage, the model does not come upon the answer."""
    guessed = await generate(GUESS, model="judge")(question=question, judge=judge)
    likeness = overlap(answer, guessed)
    return Score(1 - likeness, likeness < 0.5, {"guess": guessed}, "it is known without the passage")
