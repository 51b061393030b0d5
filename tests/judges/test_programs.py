"""Programs count and match as they say, take hostile texts in good time, and are refused where they could not fail."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.judges.programs import read_program, reading_ease
from retroweave.pipeline.errors import UserError

POEM = """The kettle sang upon the stove,
  the cat slept on the chair,
and all the things we never wove
  were waiting for us there.
"""


def holds(spec: dict[str, Any], text: str) -> float:
    return read_program(spec, "a rubric")(text)


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"words": {"least": 3}}, "It's well-kept here", 1),
        ({"words": {"least": 4}}, "It's well-kept here", 0),
        ({"words": {"least": 2, "most": 3}}, "one two three four", 0),
        ({"characters": {"most": 4}}, "four", 1),
        ({"sentences": {"least": 3, "most": 3}}, 'He said "No." She left! Why?', 1),
        ({"lines": {"least": 2, "most": 2}}, "one\n\n  two\n", 1),
        ({"paragraphs": {"least": 2, "most": 2}}, "a\nb\n \n\nc", 1),
        ({"matches": "^The"}, "The end", 1),
        ({"matches": "^The"}, "In The", 0),
        ({"count": {"of": "[0-9]+", "least": 2, "most": 2}}, "12 and 7", 1),
        ({"count": {"of": "[0-9]+", "most": 1}}, "12 and 7", 0),
        ({"share": {"of": "^[A-Z]", "among": "lines", "least": 0.5}}, "One\ntwo", 1),
        ({"share": {"of": "^[A-Z]", "among": "lines", "least": 0.6}}, "One\ntwo", 0),
        ({"share": {"of": "^[A-Z]", "among": "words", "least": 0}}, "", 0),
        ({"contains": "in  THE end"}, "It was well,\nin the\nend.", 1),
        ({"contains": ["in", "out"]}, "in", 0),
        ({"lacks": ["delve", "tapestry"]}, "A Tapestry", 0),
        ({"lacks": "delve"}, "A tapestry", 1),
        ({"reading_ease": {"least": 90}}, "The cat sat. The dog ran.", 1),
        ({"reading_ease": {"least": 30}}, "Institutional accountability necessitates organisational transparency.", 0),
    ],
)
def test_a_program_answers_as_it_says(spec: dict[str, Any], text: str, value: float) -> None:
    assert holds(spec, text) == value


def test_rhyme_is_the_share_of_the_pairs_that_the_scheme_calls_for() -> None:
    pytest.importorskip("pronouncing")
    assert holds({"rhymes": "ABAB"}, POEM) == 1
    assert holds({"rhymes": "AABB"}, POEM) == 0
    assert holds({"rhymes": "-A-A"}, POEM.replace("wove", "wrote")) == 1
    assert holds({"rhymes": "ABAB"}, POEM.replace("wove", "wrote")) == 0.5


def test_rhyme_goes_by_sound_and_a_word_does_not_rhyme_with_itself() -> None:
    pytest.importorskip("pronouncing")
    assert holds({"rhymes": "AA"}, "through the dough\nhe must go") == 1
    assert holds({"rhymes": "AA"}, "it is tough\nto knead dough") == 0
    assert holds({"rhymes": "AA"}, "on the chair\nno chair") == 0
    assert holds({"rhymes": "AA"}, "a bright grindlebrock\na grey rindlebrock") == 1  # as they are spelt
    assert holds({"rhymes": "AA"}, "one line") == 0


def test_without_a_dictionary_rhyme_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pronouncing", None)
    with pytest.raises(UserError, match=r"pip install .*\[prosody\]'"):
        read_program({"rhymes": "AA"}, "a rubric")


def test_reading_ease_is_fleschs_formula() -> None:
    # 6 words, 2 sentences, 6 syllables
    assert reading_ease("The cat sat. The dog ran.") == pytest.approx(206.835 - 1.015 * 3 - 84.6)
    assert reading_ease("") == 0


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(.*a){20}$"])
def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_time_in_proportion(pattern: str) -> None:
    """With Python's `re` none of these would end."""
    assert holds({"matches": pattern}, "a" * 100_000 + "b") == 0


@given(st.text())
def test_any_text_at_all_is_answered_from_0_to_1(text: str) -> None:
    for spec in (
        {"words": {"least": 2}},
        {"sentences": {"most": 3}},
        {"paragraphs": {"least": 1}},
        {"share": {"of": "e", "among": "words", "most": 0.5}},
        {"reading_ease": {"least": 50}},
        {"contains": "the"},
    ):
        assert 0 <= holds(spec, text) <= 1


def test_half_a_surrogate_pair_crashes_no_pattern() -> None:
    assert holds({"matches": "^a.b$"}, "a\ud800b") == 1


def test_what_is_no_text_is_a_fault_of_the_recipe() -> None:
    with pytest.raises(TypeError, match="'words' looks at a text, not at a list"):
        read_program({"words": {"least": 1}}, "a rubric")(["no text"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("words", "In r.md, line 3, a program is written `name: arguments`"),
        ({"words": {"least": 1}, "lines": {"least": 1}}, "a program is written"),
        ({"word": {"least": 1}}, "there is no program 'word'. Did you mean 'words'?"),
        ({"words": {"lest": 1}}, "words takes no 'lest'. Did you mean 'least'?"),
        ({"words": {}}, "words: Nothing could fail it: give `least`, `most` or both."),
        ({"words": {"least": 9, "most": 2}}, "words: `least` (9) is more than `most` (2)."),
        ({"words": {"least": "many"}}, "words: A bound is a number, not 'many'."),
        ({"words": {"least": True}}, "words: A bound is a number, not True."),
        ({"count": {"least": 1}}, "count is not told `of`."),
        ({"matches": "(a"}, "matches: '(a' is no pattern of RE2"),
        ({"matches": r"(?=a)"}, "is no pattern of RE2"),
        ({"matches": 7}, "A pattern is a regular expression in quotes, not 7."),
        (
            {"share": {"of": "a", "among": "chapters", "least": 1}},
            "`among` is what the share is taken of, not 'chapters'",
        ),
        ({"contains": []}, "It takes a phrase, or a list of some, not []."),
        ({"lacks": [" "]}, "It takes a phrase"),
        ({"rhymes": "AB"}, "A rhyme scheme has a letter for each line of a stanza"),
        ({"rhymes": "A A"}, "A rhyme scheme"),
    ],
)
def test_a_program_that_is_written_wrongly_is_refused_by_its_place(spec: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_program(spec, "r.md, line 3")
    assert message in str(error.value)
