"""Marks, found as characters."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    AGAIN,
    Answer,
    Values,
    again,
    named,
    sentence_at,
    told,
    words_of,
)

__all__: list[str] = []


def has(marks: str) -> Answer:
    return lambda text, values, found: any(mark in text for mark in marks)


AGAIN["question_mark"] = has("?")
AGAIN["exclamation_mark"] = has("!")
AGAIN["semicolon"] = has(";")
AGAIN["colon"] = has(":")
AGAIN["quotation"] = has('“”"')


@again("round_brackets")
def _round_brackets(text: str, values: Values, found: Values) -> bool | None:
    return 0 <= text.find("(") < text.find(")")


AGAIN["hyphen"] = named(lambda text, values: [word for word in words_of(text) if "-" in word])


@again("sentence_comma")
def _sentence_comma(text: str, values: Values, found: Values) -> bool | None:
    return len(sentence_at(text, values["place"]).split(",")) > 1


@again("quoted_word")
def _quoted_word(text: str, values: Values, found: Values) -> bool | None:
    before = text[: text.lower().index(values["word"])]
    return before.count("“") > before.count("”")


@again("speaker")
def _speaker(text: str, values: Values, found: Values) -> bool | None:
    """The name beside `said`, behind the closing mark of what begins with these words."""
    start = next(at for at in range(len(text)) if " ".join(text[at:].split()[:4]).startswith(values["words"]))
    behind = words_of(text[text.index("”", start) :])[:2]
    name = behind[1] if behind[0] == "said" else behind[0]
    return told(name == values["name"] and "said" in behind, found, found=name)


AGAIN["capitals"] = named(
    lambda text, values: [word for word in words_of(text) if len(word) > 2 and word.isalpha() and word.isupper()]
)
AGAIN["numbered_list"] = named(
    lambda text, values: [
        token
        for line in text.split("\n")
        for token in line.split(" ")[:1]
        if token[:-1].isdecimal() and token[-1:] == "."
    ]
)


@again("web_address")
def _web_address(text: str, values: Values, found: Values) -> bool | None:
    there = "http://" in text or "https://" in text
    return None if found and found["found"] not in text else there


AGAIN["accented"] = named(lambda text, values: [char for char in text if char.isalpha() and ord(char) > 127])
