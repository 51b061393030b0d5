"""What stands in a text and where, looked up word by word."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    PLACES,
    Values,
    again,
    bare,
    pieces_of,
    same_word,
    sentence_at,
    told,
    words_of,
)

__all__: list[str] = []


@again("word_present")
def _word_present(text: str, values: Values, found: Values) -> bool | None:
    return values["word"] in map(bare, text.replace("—", " ").split())


@again("word_absent")
def _word_absent(text: str, values: Values, found: Values) -> bool | None:
    return values["word"] not in map(bare, text.replace("—", " ").split())


@again("whole_word")
def _whole_word(text: str, values: Values, found: Values) -> bool | None:
    word, pieces = values["word"], pieces_of(text)
    if found and not (found["longer"] in pieces and word in found["longer"] and word != found["longer"]):
        return None
    return word in pieces


@again("word_in_sentence")
def _word_in_sentence(text: str, values: Values, found: Values) -> bool | None:
    if values["word"] not in pieces_of(text):
        return None
    return values["word"] in pieces_of(sentence_at(text, values["place"]))


@again("phrase_present")
def _phrase_present(text: str, values: Values, found: Values) -> bool | None:
    return values["phrase"] in " ".join(text.split())


@again("both_words")
def _both_words(text: str, values: Values, found: Values) -> bool | None:
    missing = [word for word in (values["word"], values["other"]) if word not in pieces_of(text)]
    return told(not missing, found, missing=missing[0] if len(missing) == 1 else "")


@again("neither_word")
def _neither_word(text: str, values: Values, found: Values) -> bool | None:
    present = [word for word in (values["word"], values["other"]) if word in pieces_of(text)]
    return told(not present, found, present=present[0] if len(present) == 1 else "")


@again("first_word")
def _first_word(text: str, values: Values, found: Values) -> bool | None:
    first = words_of(text)[0]
    return told(same_word(first, values["word"]), found, found=first)


@again("last_word")
def _last_word(text: str, values: Values, found: Values) -> bool | None:
    last = words_of(text)[-1]
    return told(same_word(last, values["word"]), found, found=last)


@again("sentence_begins")
def _sentence_begins(text: str, values: Values, found: Values) -> bool | None:
    first = words_of(sentence_at(text, values["place"]))[0]
    return told(same_word(first, values["word"]), found, found=first)


@again("sentence_ends")
def _sentence_ends(text: str, values: Values, found: Values) -> bool | None:
    last = words_of(sentence_at(text, values["place"]))[-1]
    return told(same_word(last, values["word"]), found, found=last)


@again("word_at")
def _word_at(text: str, values: Values, found: Values) -> bool | None:
    word = words_of(sentence_at(text, values["place"]))[PLACES.index(values["nth"])].lower()
    return told(word == values["word"], found, found=word)
