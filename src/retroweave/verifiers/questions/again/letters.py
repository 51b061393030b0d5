"""Words by their letters, looked at one after the other."""

from __future__ import annotations

from collections.abc import Callable

from retroweave.verifiers.questions.again.answers import (
    AGAIN,
    Answer,
    Values,
    again,
    sentence_at,
    told,
    words_of,
)

__all__: list[str] = []


@again("letter_present")
def _letter_present(text: str, values: Values, found: Values) -> bool | None:
    return any(char in (values["letter"], values["letter"].upper()) for char in text)


def some_word(fits: Callable[[str, Values], bool]) -> Answer:
    """Is there a word that fits? If there is, the reason names one."""

    def answer(text: str, values: Values, found: Values) -> bool | None:
        fitting = [word for word in words_of(text.lower()) if fits(word, values)]
        return None if found and not any(found["found"] in word for word in fitting) else bool(fitting)

    return answer


AGAIN["word_ending"] = some_word(lambda word, values: word[-len(values["ending"]) :] == values["ending"] != word)
AGAIN["double_letter"] = some_word(lambda word, values: values["letters"] in word)


@again("vowel_first")
def _vowel_first(text: str, values: Values, found: Values) -> bool | None:
    first = words_of(sentence_at(text, values["place"]))[0]
    return told(first[0] in "AEIOUaeiou", found, found=first)


@again("any_word_begins")
def _any_word_begins(text: str, values: Values, found: Values) -> bool | None:
    fitting = [word.lower() for word in words_of(sentence_at(text, values["place"]))]
    fitting = [word for word in fitting if word.startswith(values["letter"])]
    return None if found and found["found"] not in fitting else bool(fitting)
