"""Words of a class, by short lists."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    AGAIN,
    PLACES,
    Values,
    again,
    among,
    sentence_at,
    told,
    words_of,
)

__all__: list[str] = []

CLASSES = {
    "an article": "a an the",
    "a preposition": "of from with into at among upon towards beside despite",
    "a pronoun": "he she they we him them us itself himself herself themselves",
    "a conjunction": "and or nor because although unless whereas",
}


@again("word_class")
def _word_class(text: str, values: Values, found: Values) -> bool | None:
    word = words_of(sentence_at(text, values["place"]))[PLACES.index(values["nth"])]
    own = [name for name, members in CLASSES.items() if word.lower() in members.split()]
    return told([values["class_name"]] == own, found, word=word, own=own[0])


AGAIN["first_person"] = among("i me my we us our")
AGAIN["second_person"] = among("you your yours")
AGAIN["third_person"] = among("he him his she her")
AGAIN["past_marker"] = among("was were had")
AGAIN["present_marker"] = among("is are has have")
AGAIN["future_marker"] = among("will shall")
AGAIN["condition"] = among("if unless")
AGAIN["contrast_word"] = among("but although though however")
AGAIN["question_word"] = among("who what when where why how")


@again("negation")
def _negation(text: str, values: Values, found: Values) -> bool | None:
    small = [word.lower().replace("’", "'") for word in words_of(text)]
    denying = [word for word in small if word in ("no", "not", "never", "nothing", "nobody") or word[-3:] == "n't"]
    return None if found and found["found"] not in denying else bool(denying)
