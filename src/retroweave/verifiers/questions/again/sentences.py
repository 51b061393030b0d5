"""Sentences by length, form and first letters, each cut at its mark."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    PLACES,
    Values,
    again,
    pieces_of,
    sentence_at,
    sentences_of,
    told,
    words_of,
)

__all__: list[str] = []


def word_counts(text: str) -> list[int]:
    return [len(words_of(sentence)) for sentence in sentences_of(text)]


@again("longer_sentence")
def _longer_sentence(text: str, values: Values, found: Values) -> bool | None:
    one, other = (word_counts(text)[PLACES.index(values[name])] for name in ("place", "place_other"))
    return told(one - other > 0, found, found=one, found_other=other)


@again("longest_sentence")
def _longest_sentence(text: str, values: Values, found: Values) -> bool | None:
    counts = word_counts(text)
    longest = PLACES[counts.index(max(counts))]
    return told(longest == values["place"] and counts.count(max(counts)) == 1, found, found=longest)


@again("longest_word")
def _longest_word(text: str, values: Values, found: Values) -> bool | None:
    words = set(words_of(sentence_at(text, values["place"])))
    longest = max(words, key=len)
    rivals = [word for word in words if word != longest and len(word) == len(longest)]
    return told(longest == values["word"] and not rivals, found, found=longest)


@again("word_of_length")
def _word_of_length(text: str, values: Values, found: Values) -> bool | None:
    longest = max(words_of(sentence_at(text, values["place"])), key=len)
    return told(len(longest) > values["number"], found, longest=longest, letters=len(longest))


@again("repeated_word")
def _repeated_word(text: str, values: Values, found: Values) -> bool | None:
    words = [word.lower() for word in words_of(sentence_at(text, values["place"]))]
    repeated = len(set(words)) < len(words)
    return None if found and words.count(found["twice"]) < 2 else repeated


@again("alliteration")
def _alliteration(text: str, values: Values, found: Values) -> bool | None:
    words = words_of(sentence_at(text, values["place"]))
    pairs = [" ".join(words[at : at + 2]) for at in range(len(words) - 1)]
    alike = [pair for pair in pairs if pair[0].lower() == pair.split(" ")[1][0].lower()]
    return None if found and f"{found['one']} {found['other']}" not in alike else bool(alike)


@again("acrostic")
def _acrostic(text: str, values: Values, found: Values) -> bool | None:
    initials = "".join(next(char for char in sentence if char.isalpha()) for sentence in sentences_of(text)).upper()
    return told(initials == values["letters"], found, found=initials)


@again("palindrome")
def _palindrome(text: str, values: Values, found: Values) -> bool | None:
    mirrored = [word for word in pieces_of(text) if len(word) > 2 and word == "".join(reversed(word))]
    return None if found and found["found"] not in mirrored else bool(mirrored)


@again("readability")
def _readability(text: str, values: Values, found: Values) -> bool | None:
    characters = sum(len("".join(filter(str.isalnum, token))) for token in text.split())
    words, sentences = len(words_of(text)), len(sentences_of(text))
    index = 4.71 * (characters / words) + 0.5 * (words / sentences) - 21.43
    return told(index > values["number"], found, found=f"{index:.1f}")


@again("is_question")
def _is_question(text: str, values: Values, found: Values) -> bool | None:
    last = [char for char in sentence_at(text, values["place"]) if char in ".!?"][-1]
    return last == "?"
