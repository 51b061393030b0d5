"""Are the answers of a finished yes-no set right, and can they be guessed without reading?

    retroweave run yes-no --rows 5000 --out out && python benchmarks/known_answers.py out

A third set of answers, which knows nothing of the recipe but its phrasings. What the question names is read out of the
words of the prompt, and each question is answered by the plainest program that one would write: `len(text.split())` for
the number of words. A recipe that asks nothing doubtful must agree with it everywhere; each answer that differs is
printed. The reason, where there is one, is not looked at.

Then, what a model could learn without reading: how often yes is the answer, in each family, layout and phrasing, and
how well a classifier of words does that sees the question alone, on passages that it was not trained on (AUC; 0.5 is
chance; it needs `retroweave[calibration]`).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retroweave.export.dataset import read_samples
from retroweave.verifiers.questions.asking import SPELT, phrasings

PLACES = "first second third fourth fifth sixth seventh eighth ninth tenth".split()  # noqa: SIM905  as one reads it
Values = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A sample, as somebody sees it who has the conversation alone."""

    family: str
    form: str
    text: str
    question: str
    phrasing: int
    values: Values
    answer: str
    passage: str


def read(run: Path) -> Iterator[Asked]:
    for sample in read_samples(run):
        kept = sample["provenance"]["kept"]
        prompt, answer = (message["content"] for message in sample["messages"])
        shown = [json.dumps(kept[name], ensure_ascii=False)[1:-1] for name in ("text", "question")]
        if not all(kept[name] in prompt or escaped in prompt for name, escaped in zip(kept, shown, strict=False)):
            sys.exit(f"Sample {sample['id']} does not show what it asks about.")
        phrasing, values = understood(kept["family"], kept["question"])
        place = sample["provenance"]["source"]["key"]
        yield Asked(kept["family"], sample["layout"], kept["text"], kept["question"], phrasing, values, answer, place)


def understood(family: str, question: str) -> tuple[int, Values]:
    """Which phrasing it is, and what it names."""
    for number, phrasing in enumerate(phrasings(family)):
        pattern = re.sub(r"\\\{(\w+)\\\}", _group(set()), re.escape(phrasing))
        if found := re.fullmatch(pattern, question):
            return number, found.groupdict()
    sys.exit(f"No phrasing of {family} reads {question!r}.")


def _group(seen: set[str]) -> Callable[[re.Match[str]], str]:
    """A name stands for itself where it was met before."""

    def group(name: re.Match[str]) -> str:
        again = name[1] in seen
        seen.add(name[1])
        return f"(?P={name[1]})" if again else f"(?P<{name[1]}>.+?)"

    return group


def number(values: Values) -> int:
    return SPELT.index(values["number"]) if values["number"] in SPELT else int(values["number"])


# The plainest answers


def sentences(text: str) -> list[str]:
    return re.findall(r".+?[.!?][”\"’')]*(?=\s|$)", text, re.DOTALL)


def sentence(text: str, values: Values, name: str = "place") -> str:
    return sentences(text)[PLACES.index(values[name])].strip()


def tokens(text: str) -> list[str]:
    return [token for token in re.sub(r"[^\w\s'’-]|(?<!\w)['’-]|['’-](?!\w)", " ", text).split() if token.strip("_")]


def lower(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def figures(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", text)]


def first(text: str) -> str:
    return tokens(text)[0].lower()


def last(text: str) -> str:
    return tokens(text)[-1].lower()


def has_word(*wanted: str) -> Callable[[str, Values], bool]:
    return lambda text, values: bool(re.search(rf"(?i)(?<![^\W_])(?:{'|'.join(wanted)})(?![^\W_])", text))


def index(text: str) -> float:
    return (
        4.71 * len(re.findall(r"[^\W_]", text)) / len(tokens(text))
        + len(tokens(text)) / len(sentences(text)) / 2
        - 21.43
    )


def sounds(word: str) -> list[str]:
    import pronouncing

    found: list[str] = pronouncing.phones_for_word(word.lower())
    return found


def rhyme(one: str, other: str) -> bool:
    import pronouncing

    return other.lower() in pronouncing.rhymes(one.lower())


CLASS_OF: Mapping[str, str] = {
    **dict.fromkeys(("a", "an", "the"), "an article"),
    **dict.fromkeys(("and", "or", "nor", "because", "although", "unless", "whereas"), "a conjunction"),
    **dict.fromkeys(("he", "she", "they", "we", "him", "them", "us"), "a pronoun"),
    **dict.fromkeys(("itself", "himself", "herself", "themselves"), "a pronoun"),
    **dict.fromkeys(("of", "from", "with", "into", "at", "among", "upon"), "a preposition"),
    **dict.fromkeys(("towards", "beside", "despite"), "a preposition"),
}
PLAIN: dict[str, Callable[[str, Values], bool]] = {
    "sentence_count": lambda text, v: len(sentences(text)) == number(v),
    "sentences_more": lambda text, v: len(sentences(text)) > number(v),
    "words_more": lambda text, v: len(text.split()) > number(v),
    "words_fewer": lambda text, v: len(text.split()) < number(v),
    "sentence_words": lambda text, v: len(tokens(sentence(text, v))) == number(v),
    "paragraph_count": lambda text, v: len(re.split(r"\n\s*\n", text.strip())) == number(v),
    "word_times": lambda text, v: len(re.findall(rf"(?i)\b{v['word']}\b", text)) == number(v),
    "letter_times": lambda text, v: len(re.findall(f"(?i){v['letter']}", sentence(text, v))) == number(v),
    "comma_count": lambda text, v: text.count(",") == number(v),
    "capital_words": lambda text, v: sum(token[0].isupper() for token in tokens(sentence(text, v))) == number(v),
    "question_count": lambda text, v: len(re.findall(r"\?[”\"’')]*(?=\s|$)", text)) == number(v),
    "word_present": lambda text, v: has_word(v["word"])(text, v),
    "word_absent": lambda text, v: not has_word(v["word"])(text, v),
    "whole_word": lambda text, v: has_word(v["word"])(text, v),
    "word_in_sentence": lambda text, v: has_word(v["word"])(sentence(text, v), v),
    "phrase_present": lambda text, v: v["phrase"] in text,
    "both_words": lambda text, v: has_word(v["word"])(text, v) and has_word(v["other"])(text, v),
    "neither_word": lambda text, v: not has_word(v["word"], v["other"])(text, v),
    "first_word": lambda text, v: first(text) == v["word"].lower(),
    "last_word": lambda text, v: last(text) == v["word"].lower(),
    "sentence_begins": lambda text, v: first(sentence(text, v)) == v["word"].lower(),
    "sentence_ends": lambda text, v: last(sentence(text, v)) == v["word"].lower(),
    "word_at": lambda text, v: tokens(sentence(text, v))[PLACES.index(v["nth"])].lower() == v["word"].lower(),
    "word_before": lambda text, v: bool(re.search(rf"(?s)\b{v['word']}\b.*\b{v['other']}\b", text)),
    "name_first": lambda text, v: bool(re.search(rf"(?s)\b{v['word']}\b.*\b{v['other']}\b", text)),
    "first_of_three": lambda text, v: (
        min(re.findall(r'"(\w+)"', v["listed"]), key=lambda word: tokens(text).index(word)) == v["word"]
    ),
    "next_word": lambda text, v: bool(re.search(rf"\b{v['word']}\W+{v['other']}(?![\w’'])", text)),
    "same_sentence": lambda text, v: any(
        has_word(v["word"])(one, v) and has_word(v["other"])(one, v) for one in sentences(text)
    ),
    "same_paragraph": lambda text, v: any(
        has_word(v["word"])(one, v) and has_word(v["other"])(one, v) for one in re.split(r"\n\s*\n", text)
    ),
    "alphabetical": lambda text, v: first(sentence(text, v)) < last(sentence(text, v)),
    "same_start": lambda text, v: first(sentence(text, v)) == first(sentence(text, v, "place_other")),
    "longer_sentence": lambda text, v: len(tokens(sentence(text, v))) > len(tokens(sentence(text, v, "place_other"))),
    "longest_sentence": lambda text, v: max(map(len, map(tokens, sentences(text)))) == len(tokens(sentence(text, v))),
    "longest_word": lambda text, v: max(tokens(sentence(text, v)), key=len).lower() == v["word"].lower(),
    "word_of_length": lambda text, v: bool(re.search(rf"[^\W\d_]{{{number(v) + 1},}}", sentence(text, v))),
    "repeated_word": lambda text, v: max(Counter(token.lower() for token in tokens(sentence(text, v))).values()) > 1,
    "alliteration": lambda text, v: bool(
        re.search(r"(?:^| )(\S)\S* \1", " ".join(token.lower() for token in tokens(sentence(text, v))))
    ),
    "acrostic": lambda text, v: "".join(tokens(one)[0][0] for one in sentences(text)).upper() == v["letters"],
    "palindrome": lambda text, v: any(len(word) > 2 and word == word[::-1] for word in lower(text)),
    "readability": lambda text, v: index(text) > number(v),
    "is_question": lambda text, v: "?" in sentence(text, v)[-3:],
    "letter_present": lambda text, v: v["letter"].lower() in text.lower(),
    "word_ending": lambda text, v: bool(re.search(rf"(?i)\w{v['ending']}\b", text)),
    "double_letter": lambda text, v: v["letters"] in text.lower(),
    "vowel_first": lambda text, v: first(sentence(text, v))[0] in "aeiou",
    "any_word_begins": lambda text, v: bool(re.search(rf"(?i)(?<![\w’'-]){v['letter']}", sentence(text, v))),
    "has_digit": lambda text, v: bool(re.search(r"\d", text)),
    "number_present": lambda text, v: number(v) in figures(text),
    "number_above": lambda text, v: max(figures(text)) > number(v),
    "largest_number": lambda text, v: max(figures(text)) == number(v),
    "numbers_sum": lambda text, v: sum(figures(text)) == number(v),
    "number_order": lambda text, v: (
        text.index(v["number"]) < text.index(v["other"])
        if v["number"] not in v["other"] and v["other"] not in v["number"]
        else figures(text).index(number(v)) < figures(text).index(int(v["other"]))
    ),
    "earlier_year": lambda text, v: min(figures(text)) == int(v["year"]),
    "years_apart": lambda text, v: max(figures(text)) - min(figures(text)) == number(v),
    "first_even": lambda text, v: figures(text)[0] % 2 == 0,
    "number_word": has_word(*SPELT[2:]),
    "month_named": has_word("January", "February", "July", "September", "October", "November", "December"),
    "weekday_named": has_word(*(f"{day}days?" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"))),
    "word_class": lambda text, v: (
        v["class_name"] == CLASS_OF[tokens(sentence(text, v))[PLACES.index(v["nth"])].lower()]
    ),
    "first_person": has_word("i", "me", "my", "we", "us", "our"),
    "second_person": has_word("you", "your", "yours"),
    "third_person": has_word("he", "him", "his", "she", "her"),
    "negation": lambda text, v: has_word("no", "not", "never", "nothing", "nobody", r"\w+n['’]t")(text, v),
    "past_marker": has_word("was", "were", "had"),
    "present_marker": has_word("is", "are", "has", "have"),
    "future_marker": has_word("will", "shall"),
    "condition": has_word("if", "unless"),
    "contrast_word": has_word("but", "although", "though", "however"),
    "question_word": has_word("who", "what", "when", "where", "why", "how"),
    "question_mark": lambda text, v: "?" in text,
    "exclamation_mark": lambda text, v: "!" in text,
    "semicolon": lambda text, v: ";" in text,
    "colon": lambda text, v: ":" in text,
    "round_brackets": lambda text, v: "(" in text,
    "hyphen": lambda text, v: bool(re.search(r"\w-\w", text)),
    "sentence_comma": lambda text, v: "," in sentence(text, v),
    "quotation": lambda text, v: bool(re.search('[“"]', text)),
    "quoted_word": lambda text, v: bool(re.search(rf"“[^”]*\b{v['word']}\b", text)),
    "speaker": lambda text, v: bool(
        re.search(rf"“{re.escape(v['words'])}[^”]*” (?:said {v['name']}|{v['name']} said)", re.sub(r"\s+", " ", text))
    ),
    "capitals": lambda text, v: any(len(token) > 2 and token.isupper() and token.isalpha() for token in tokens(text)),
    "numbered_list": lambda text, v: bool(re.search(r"(?m)^\d+\.\s", text)),
    "web_address": lambda text, v: bool(re.search(r"https?://", text)),
    "accented": lambda text, v: any(char.isalpha() and not char.isascii() for char in text),
    "rhyme": lambda text, v: rhyme(last(sentence(text, v)), v["word"]),
    "syllables": lambda text, v: len(re.findall(r"\d", sounds(last(sentence(text, v)))[0])) == number(v),
}
# What is found


def is_right(asked: Asked) -> bool:
    said = asked.answer.split(" ")[0]
    return said == ("Yes." if PLAIN[asked.family](asked.text, asked.values) else "No.")


def balance(found: list[Asked], key: Callable[[Asked], Any]) -> dict[Any, tuple[int, int]]:
    """How many, and how many of them are answered with yes."""
    counts = Counter(key(one) for one in found)
    yes = Counter(key(one) for one in found if one.answer.startswith("Yes"))
    return {name: (counts[name], yes[name]) for name in sorted(counts)}


def question_alone(found: list[Asked]) -> float:
    """The AUC of a classifier that sees the question and not the text."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(HashingVectorizer(ngram_range=(1, 2), n_features=2**16), LogisticRegression(C=0.3))
    right = [one.answer.startswith("Yes") for one in found]
    said = cross_val_predict(
        model,
        [one.question for one in found],
        right,
        groups=[one.passage for one in found],
        cv=GroupKFold(5),
        method="predict_proba",
    )
    return float(roc_auc_score(right, said[:, 1]))


KEYS: Mapping[str, Callable[[Asked], Any]] = {
    "families": lambda one: one.family,
    "layouts": lambda one: one.form,
    "phrasings": lambda one: (one.family, one.phrasing),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Answer a finished yes-no set again, and see what can be guessed.")
    parser.add_argument("run", type=Path, help="the folder of the run")
    options = parser.parse_args()
    found = list(read(options.run))
    wrong = [one for one in found if not is_right(one)]
    for one in wrong[:20]:
        print(f"{one.family}: {one.question!r} is answered {one.answer!r} of\n    {one.text!r}\n")
    print(f"{len(wrong)} of {len(found)} answers are wrong.")
    for names, key in KEYS.items():
        counted = balance(found, key)
        uneven = max(abs(2 * yes - count) for count, yes in counted.values())
        print(f"{len(counted)} {names}; in each of them yes and no differ by at most {uneven}.")
    for name, (count, yes) in balance(found, lambda one: one.family).items():
        print(f"  {name:18} {count:5}  {yes / count:.2f} yes")
    print(f"From the question alone the answer is told with an AUC of {question_alone(found):.3f}.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
