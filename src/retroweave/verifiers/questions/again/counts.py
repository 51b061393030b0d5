"""How many there are, counted one by one."""

from __future__ import annotations

from collections.abc import Callable

from retroweave.verifiers.questions.again.answers import (
    AGAIN,
    CLOSING,
    Answer,
    Values,
    again,
    bare,
    paragraphs_of,
    sentence_at,
    sentences_of,
    told,
    words_of,
)

__all__: list[str] = []


def count_is(count: Callable[[str, Values], int]) -> Answer:
    return lambda text, values, found: told(count(text, values) == values["number"], found, found=count(text, values))


AGAIN["sentence_count"] = count_is(lambda text, values: len(sentences_of(text)))
AGAIN["sentence_words"] = count_is(
    lambda text, values: sum(any(map(str.isalnum, token)) for token in sentence_at(text, values["place"]).split())
)
AGAIN["paragraph_count"] = count_is(lambda text, values: len(paragraphs_of(text)))
AGAIN["word_times"] = count_is(lambda text, values: [bare(token) for token in words_of(text)].count(values["word"]))
AGAIN["letter_times"] = count_is(
    lambda text, values: sentence_at(text, values["place"]).lower().count(values["letter"])
)
AGAIN["comma_count"] = count_is(lambda text, values: len(text.split(",")) - 1)
AGAIN["capital_words"] = count_is(
    lambda text, values: sum(word[0] != word[0].lower() for word in words_of(sentence_at(text, values["place"])))
)
AGAIN["question_count"] = count_is(
    lambda text, values: sum(one.rstrip(CLOSING)[-1] == "?" for one in sentences_of(text))
)


@again("sentences_more")
def _sentences_more(text: str, values: Values, found: Values) -> bool | None:
    count = len(sentences_of(text))
    return told(count > values["number"], found, found=count)


@again("words_more")
def _words_more(text: str, values: Values, found: Values) -> bool | None:
    """The reason is a bound: on the near side of the number, where the count is beyond it."""
    more, count = len(words_of(text)) > values["number"], len(words_of(text))
    bound = found.get("found", count)
    return more if (values["number"] < bound <= count if more else count <= bound <= values["number"]) else None


@again("words_fewer")
def _words_fewer(text: str, values: Values, found: Values) -> bool | None:
    fewer, count = len(words_of(text)) < values["number"], len(words_of(text))
    bound = found.get("found", count)
    return fewer if (count <= bound < values["number"] if fewer else values["number"] <= bound <= count) else None
