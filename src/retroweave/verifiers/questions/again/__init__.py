"""The second answers: each question once more, by other means.

What was found by patterns is found here by going through the text a character or a word at a time, and the other way
round. Nothing is imported from the families, so that a mistake there is not made again here. Where a claim is made, its
reason is looked at too: `None` is the answer where the reason is not true.

These answers are simple, for they may be: a text of which there are two readings has no question asked about it. Each
file answers the families of the same name.
"""

from __future__ import annotations

from retroweave.verifiers.questions.again import (  # noqa: F401  each enters its answers
    counts,
    grammar,
    letters,
    marks,
    numbers,
    order,
    presence,
    sentences,
    sounds,
)
from retroweave.verifiers.questions.again.answers import AGAIN, Values

__all__ = ["AGAIN", "answered_again"]


def answered_again(name: str, text: str, values: Values, found: Values) -> bool | None:
    """The answer to the family's question, found anew; `None` where the reason that was given is not true."""
    return AGAIN[name](text, values, found)
