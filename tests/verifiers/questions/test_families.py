"""Every family: it asks in many ways, gives both answers, and is right about any text by two programs."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retroweave.sources.texts import passages
from retroweave.verifiers.questions.again import AGAIN, answered_again
from retroweave.verifiers.questions.asking import askable, phrasings, put, reasons_for
from retroweave.verifiers.questions.family import FAMILIES, Claim, Family, Question, contrast, windows
from retroweave.verifiers.questions.reading import Text

NAMES = askable(["all"])
PASSAGES = [row.fields["passage"] for row in passages(None, shortest=300, longest=1500).rows()]
LETTER = """RENT OF THE MILL

Dear Mr Obuya, the mill was let in 1871 for 40 pounds, and in 1904 for 65. “It is too much!” said Marta in March. Peter
thinks so too; Ines, who has been there since 1862, does not.

“Who pays for it now?” said Peter. We (the heirs) will not. If the noon train is late on Friday, call Ines or me.

1. The roof leaks.
2. The wheel-house has no door. See https://example.org/mill for the façade.

Nobody came on Monday. Nine men had been asked. Did anybody see the level of the river? It was low. It was so low that
the BBC sent a crew.
"""
"""A bit of everything, for the families that few passages allow."""


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def made(family: Family, tries: int = 40) -> tuple[Question, Question]:
    for number, passage in enumerate([*PASSAGES[:tries:2], LETTER, LETTER, LETTER]):
        pair = contrast(passage, family, random.Random(number))
        if pair:
            return pair
    for passage in PASSAGES:
        pair = contrast(passage, family, random.Random(passage))
        if pair:
            return pair
    pytest.skip(f"no passage allows {family.name}")


def test_no_stretch_ends_on_a_heading_while_something_follows_it() -> None:
    letter = f"{'Nobody came to the mill in the rain of that long spring. ' * 2}\n\nThe rent\n\nIt was never paid."
    shown = [text.shown for number in range(20) for text in windows(letter, random.Random(number))]
    assert any("The rent" in text for text in shown)
    assert not any(text.endswith("The rent") for text in shown)


def test_there_are_more_than_forty_families() -> None:
    assert len(FAMILIES) >= 80
    assert FAMILIES.keys() == AGAIN.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_family_asks_in_six_ways_and_more_that_all_name_the_same(name: str) -> None:
    pool = phrasings(name)
    assert len(set(pool)) == len(pool) >= 6
    assert len({frozenset(named(phrasing)) for phrasing in pool}) == 1
    assert len({phrasing.split()[0] for phrasing in pool}) >= 3
    assert FAMILIES[name].about.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_family_gives_a_yes_and_a_no_whose_questions_and_reasons_can_be_said(name: str) -> None:
    yes, no = made(FAMILIES[name])
    assert yes.claim.answer
    assert not no.claim.answer
    assert set(yes.claim.values) == set(no.claim.values) == named(phrasings(name)[0])
    for question in (yes, no):
        assert all("{" not in put(phrasing, question.claim.values) for phrasing in phrasings(name))
        assert all(reason.endswith(".") and len(reason) < 120 for reason in reasons_for(name, question.claim))
        assert answered_again(name, question.text, question.claim.values, question.claim.found) is question.claim.answer


@pytest.mark.parametrize("name", NAMES)
def test_what_is_turned_round_is_found_out(name: str) -> None:
    for question in made(FAMILIES[name]):
        claim = question.claim
        assert answered_again(name, question.text, claim.values, {}) is claim.answer
        false = {fact: value + 1 if isinstance(value, int) else f"{value}q" for fact, value in claim.found.items()}
        if false and name not in ("words_more", "words_fewer"):  # theirs is a bound, and a bound may be loose
            assert answered_again(name, question.text, claim.values, false) is not claim.answer


@pytest.mark.parametrize("passage", PASSAGES[::12])
def test_both_programs_give_the_same_answer_to_all_that_is_asked_about_a_passage(passage: str) -> None:
    for name in NAMES:
        pair = contrast(passage, FAMILIES[name], random.Random(name))
        for text, claim in pair or ():
            assert text in passage
            assert answered_again(name, text, claim.values, claim.found) is claim.answer, (name, text, claim)


WORDS = st.sampled_from(
    [
        "the",
        "a",
        "of",
        "and",
        "he",
        "she",
        "it",
        "was",
        "is",
        "noon",
        "level",
        "Anna",
        "Bob",
        "mill-wheel",
        "don’t",
        "cannot",
        "12",
        "1871",
        "3.5",
        "1904",
        "rain",
        "train",
        "will",
        "if",
        "but",
        "what",
        "no",
        "not",
        "never",
        "two",
        "“quick”",
        "(slow)",
        "see,",
        "seen;",
        "word",
        "words",
        "Monday",
        "July",
        "BBC",
        "ox",
        "I",
        "We",
        "us",
        "—",
        "–",
        "-",
        "e.g.",
        "Mr.",
        "St.",
        "…",
        "&",
        "é",
    ]
)
SENTENCES = st.builds(
    lambda words, end: f"{' '.join(words)}{end}", st.lists(WORDS, min_size=1, max_size=12), st.sampled_from(".!?,:;”")
)
TEXTS = st.builds(
    lambda pieces, gap: gap.join(pieces),
    st.lists(SENTENCES, min_size=1, max_size=7),
    st.sampled_from([" ", " ", "\n", "\n\n", "\n- ", "\n1. "]),
)


@settings(max_examples=150)
@given(TEXTS | st.text(max_size=200), st.integers(0, 9))
def test_of_any_text_both_programs_say_the_same(text: str, seed: int) -> None:
    rng = random.Random(seed)
    for name in NAMES:
        for claim in FAMILIES[name].claims(Text(text, "It rained all of June, and nobody minded."), rng):
            assert answered_again(name, text, claim.values, claim.found) is claim.answer, (name, claim)


def test_the_two_questions_of_a_family_differ_by_little() -> None:
    yes, no = made(FAMILIES["sentence_count"])
    assert yes.claim.values == no.claim.values
    assert abs(yes.claim.found["found"] - no.claim.found["found"]) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sentence_count", "He met Mr. Obuya. They talked."),
        ("sentence_count", "THE MILL\n\nIt was old. It leaked."),
        ("sentence_words", "The smoke-house stood on a hill. It fell in the year 1871."),
        ("paragraph_count", "The roof leaks,\nand so does the wheel.\n\nIt rained."),
        ("numbers_sum", "Of 1,207 lamps 76 were electric and 9 were blind."),
        ("month_named", "You may call in March."),
        ("quotation", "The dogs' bowls were 'empty'."),
        ("colon", "It left at 10:40 for Perth."),
        ("number_word", "Two hundred came."),
    ],
)
def test_nothing_is_asked_where_people_would_count_in_two_ways(name: str, text: str) -> None:
    assert list(FAMILIES[name].claims(Text(text), random.Random(0))) == []


def test_a_word_inside_a_word_is_the_no_to_the_whole_word() -> None:
    found = list(FAMILIES["whole_word"].claims(Text("He threw the start of it into the party."), random.Random(0)))
    assert Claim(False, {"word": "art"}, {"longer": "party"}) in found
    assert all(claim.values["word"] not in ("part", "hero") for claim in found)


def test_the_word_that_is_not_there_stands_in_the_sentences_around() -> None:
    text = Text("The heron stood still.", "A farmer had mended the wheel.")
    absent = {one.values["word"] for one in FAMILIES["word_present"].claims(text, random.Random(0)) if not one.answer}
    assert absent == {"farmer", "mended", "wheel"}


def test_another_form_of_a_word_is_not_asked_for() -> None:
    text = Text("He walked home.", "They walk and talk slowly.")
    absent = {one.values["word"] for one in FAMILIES["word_present"].claims(text, random.Random(0)) if not one.answer}
    assert "walk" not in absent
    assert "slowly" in absent
