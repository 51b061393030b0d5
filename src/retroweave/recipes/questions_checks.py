"""What programs know of a question: its form, what it gives away, and what it draws on.

A judge that is a model is asked about what a program cannot tell, and only then: these come first.
"""

from __future__ import annotations

import re

from retroweave import About
from retroweave.recipes.questions_answers import telling_words, words_of_its_own
from retroweave.text.likeness import overlap

__all__ = [
    "asks_for_its_kind",
    "draws_on_both",
    "is_a_question",
    "is_gone",
    "keeps_the_subject",
    "stands_alone",
    "stands_once",
    "stands_once_in_what_is_shown",
]

_ASKS: dict[str, re.Pattern[str]] = {
    "numeric": re.compile(
        r"\bhow \w+|\b(?:number|percentage|per ?cent|share|proportion|amount|sum|price|cost|rate|age|size|total|weight|"
        r"length|height|width|depth|distance|speed|fraction)\b",
        re.IGNORECASE,
    ),
    "why": re.compile(
        r"\bwhy\b|\bhow come\b|\b(?:reasons?|purpose|cause[ds]?|motives?|explains?)\b|\bwhat (?:made|led|kept|moved|"
        r"drove|brought|forced|stopped|prevented|decided)\b|\bfor what\b|^what\b.* for\?$|\bwhat end\b",
        re.IGNORECASE,
    ),
}
"""How a question of a type asks; the others may ask in any way."""
_SPOKEN_OF = re.compile(
    r"\b(?:passage|the (?:text|author|writer|narrator|article|story|excerpt|document|speaker)|according to)\b"
)


def stands_once(passage: str, answer: str) -> bool:
    """The answer stands in the passage, word for word, and in one place."""
    return passage.count(answer) == 1


def stands_once_in_what_is_shown(shown: str, answer: str) -> bool:
    """So it does in what is shown of the passage, rewritten or not."""
    return shown.count(answer) == 1


def is_a_question(question: str, answer: str) -> bool:
    """One line that ends in a question mark, of four to thirty words, which does not hold the answer."""
    return (
        question.endswith("?")
        and question.count("?") == 1
        and "\n" not in question
        and 4 <= len(question.split()) <= 30
        and answer.lower() not in question.lower()
        and overlap(answer, question) < 0.6
    )


def asks_for_its_kind(question: str, type: str) -> bool:
    """A numeric question asks how much or how many, and one for a reason asks why."""
    return type not in _ASKS or _ASKS[type].search(question) is not None


def draws_on_both(question: str, clue: str, sentence: str) -> bool:
    """It names its matter by the clue: a longer word of that sentence, which the answer's own has not, stands in it."""
    return any(overlap(word, question) == 1 for word in words_of_its_own(clue, sentence))


def stands_alone(question: str) -> bool:
    """The question can be understood without its text: it does not speak of one."""
    return _SPOKEN_OF.search(question.lower()) is None


def is_gone(rest: About[str], answer: str) -> bool:
    """Neither the answer stands in what is left of the text, nor most of its words together in one line of it."""
    return answer.lower() not in rest.lower() and all(
        overlap(answer, line) < 0.75 for line in re.split(r"[.!?\n]", rest)
    )


def keeps_the_subject(rest: About[str], question: str) -> bool:
    """What is left still speaks of what is asked about, so that it takes reading to see that the answer is missing."""
    telling = telling_words(question)
    return sum(overlap(word, rest) for word in telling) >= max(1, 0.4 * len(telling))
