"""Lengths of summaries and of texts: how one is asked for, and whether an answer has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from retroweave import Drop
from retroweave.text.extracts import sentences_of
from retroweave.text.spans import sentences
from retroweave.text.textrank import Ranked
from retroweave.text.variants import Words

__all__ = [
    "FEWEST_SENTENCES",
    "NUMBERS",
    "Asked",
    "as_long_as_asked",
    "count_words",
    "has_the_length",
    "more",
    "no_longer_than",
    "room",
    "shorter",
]

words = Words(Path(__file__).with_name("summary"))

Asked = dict[str, Any]
"""What is asked for: `kind` (sentences, words, share, paragraphs), `number`, and `form` (prose, list)."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SHARES: Final[Mapping[str, float]] = {"a fifth": 1 / 5, "a quarter": 1 / 4, "a third": 1 / 3, "half": 1 / 2}
FEWEST_SENTENCES = 6
FILLED = 0.6
"""The least share of the words asked for that an extract must have."""
CLOSE = 0.06
"""How far off the length of a text may be of which about so many words are asked for."""


def count_words(summary: str) -> int:
    """The words of a summary, without the dashes of a list."""
    return len(re.sub(r"^- ", "", summary, flags=re.MULTILINE).split())


# A summary


def shorter(text: str, lists: float, rng: Random) -> tuple[Asked, str]:
    """A length to ask for (a number of sentences or of words, or a share of the text), and the request.

    A share `lists` of summaries are asked for as a list. Raises `Drop` for a text of few sentences.
    """
    kind = rng.choice(("sentences", "sentences", "words", "share"))
    form = "list" if rng.random() < lists else "prose"
    number, told = _drawn(kind, text, rng)
    if number == 1:
        form = "prose"
    request = rng.choice(words("shorten_one" if number == 1 else f"shorten_{kind}")).format(length=told)
    in_form = rng.choice(words("as_list")) if form == "list" else ""
    return {"kind": kind, "number": number, "form": form}, f"{request}{in_form}"


def _drawn(kind: str, text: str, rng: Random) -> tuple[Any, str]:
    """How much is asked for, and how that is said."""
    count = _required_sentences(text)
    if kind == "sentences":
        number = min(rng.choice((1, 2, 2, 3, 3, 4, 5)), count // 2)
        return number, "one sentence" if number == 1 else f"{NUMBERS[number]} sentences"
    if kind == "words":
        number = 10 * rng.randint(3, max(3, min(12, len(text.split()) // 20)))
        return number, f"{number} words"
    share = rng.choice(sorted(SHARES))
    return share, share


def _required_sentences(text: str) -> int:
    count = len(list(sentences(text)))
    if count < FEWEST_SENTENCES:
        raise Drop(f"fewer than {FEWEST_SENTENCES} sentences")
    return count


def no_longer_than(most: float) -> Callable[[Sequence[Ranked]], bool]:
    """Whether sentences have so many words at most."""
    return lambda chosen: sum(len(one.text.split()) for one in chosen) <= most


def room(asked: Asked, text: str) -> Callable[[Sequence[Ranked]], bool]:
    """Whether sentences are no more than was asked for."""
    if asked["kind"] == "sentences":
        return lambda chosen: len(chosen) <= asked["number"]
    return no_longer_than(_most_words(asked, text))


def _most_words(asked: Asked, text: str) -> float:
    return asked["number"] if asked["kind"] == "words" else SHARES[asked["number"]] * len(text.split())


def as_long_as_asked(summary: str, text: str, asked: Asked) -> bool:
    """As many sentences as were asked for, or at most so many words and not far fewer; as a list where one was."""
    if (asked["form"] == "list") != all(line.startswith("- ") for line in summary.split("\n")):
        return False
    if asked["kind"] == "sentences":
        number: int = asked["number"]
        return len(sentences_of(summary, text)) == number
    most = _most_words(asked, text)
    return FILLED * most <= count_words(summary) <= most


# A text


def more(text: str, rng: Random) -> tuple[Asked, str]:
    """The length of a text, in words or in paragraphs, and the request for it. Raises `Drop` as `shorter` does."""
    _required_sentences(text)
    length, paragraphs = len(text.split()), len(re.split(r"\n\s*\n", text))
    kind = "paragraphs" if 2 <= paragraphs <= 8 and rng.random() < 0.5 else "words"
    number = paragraphs if kind == "paragraphs" else round(length, -1)
    told = f"{NUMBERS[number]} paragraphs" if kind == "paragraphs" else f"{number} words"
    return {"kind": kind, "number": number}, rng.choice(words(f"expand_{kind}")).format(length=told)


def has_the_length(text: str, asked: Asked) -> bool:
    """As many paragraphs as were asked for, or about as many words."""
    number: int = asked["number"]
    if asked["kind"] == "paragraphs":
        return len(re.split(r"\n\s*\n", text)) == number
    return abs(len(text.split()) - number) <= CLOSE * number
