"""What comes before what, by going through the text from its start."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    Values,
    again,
    paragraphs_of,
    pieces_of,
    same_word,
    sentence_at,
    sentences_of,
    told,
    words_of,
)

__all__: list[str] = []


@again("word_before", "name_first")
def _before(text: str, values: Values, found: Values) -> bool | None:
    words = words_of(text)
    one, other = words.index(values["word"]), words.index(values["other"])
    return told(one < other, found, found=words[min(one, other)])


@again("first_of_three")
def _first_of_three(text: str, values: Values, found: Values) -> bool | None:
    three = values["listed"].replace('"', "").split(", ")
    first = next(word for word in words_of(text) if word in three)
    return told(first == values["word"] and len(three) == 3, found, found=first)


@again("next_word")
def _next_word(text: str, values: Values, found: Values) -> bool | None:
    words = words_of(text)
    following = words[words.index(values["word"]) + 1]
    return told(following == values["other"], found, found=following)


@again("same_sentence")
def _same_sentence(text: str, values: Values, found: Values) -> bool | None:
    return any({values["word"], values["other"]} <= set(words_of(sentence)) for sentence in sentences_of(text))


@again("same_paragraph")
def _same_paragraph(text: str, values: Values, found: Values) -> bool | None:
    return any({values["word"], values["other"]} <= set(pieces_of(one)) for one in paragraphs_of(text))


@again("alphabetical")
def _alphabetical(text: str, values: Values, found: Values) -> bool | None:
    first, *_, last = (word.lower() for word in words_of(sentence_at(text, values["place"])))
    return told(sorted([last, first])[0] == first, found, first=first, last=last)


@again("same_start")
def _same_start(text: str, values: Values, found: Values) -> bool | None:
    one, other = (words_of(sentence_at(text, values[name]))[0] for name in ("place", "place_other"))
    return told(same_word(one, other), found, found=one, found_other=other)
