"""How sure a model is of yes is read off all spellings of its first token, or counted from sampled answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.judges.opinion import counted, said, spelling, weighed

logprob = st.floats(-50, 0)
yes_tokens = st.sampled_from(["Yes", " yes", "YES", "▁Yes", "Ġyes", "**Yes", "Yes.", '"Yes'])
no_tokens = st.sampled_from(["No", " no", "NO", "▁No", "Ġno", "**No", "No.", '"No'])
other_tokens = st.text(max_size=6).filter(lambda token: spelling(token) not in ("yes", "no"))


def alternatives(*shares: tuple[str, float]) -> list[tuple[str, float]]:
    return [(token, math.log(share)) for token, share in shares]


# Weighed


def test_all_spellings_of_a_word_are_added_up_and_normalised_over_both_words() -> None:
    found = weighed(alternatives(("Yes", 0.2), (" yes", 0.1), ("▁YES", 0.1), ("No", 0.08), ("Ġno", 0.02), ("The", 0.5)))
    assert found.yes == pytest.approx(0.4 / 0.5)
    assert found.mass == pytest.approx(0.5)
    assert found.method == "logprobs"


@pytest.mark.parametrize(
    "token",
    ["Yes", "yes", "YES", " Yes", "\nYes", "▁Yes", "Ġyes", "ĊYes", "Yes.", "Yes,", '"Yes', "“Yes", "**Yes", "'yes'"],
)
def test_a_spelling_of_yes_is_known_whatever_stands_around_it(token: str) -> None:
    assert weighed([(token, -0.1)]).yes == 1


@pytest.mark.parametrize(
    "token", ["Yesterday", "Ye", "not", "None", "Nope", "Y/N", "N/A", "", " ", "True", "oui", "ｙｅｓ"]
)
def test_what_is_no_spelling_counts_for_neither(token: str) -> None:
    found = weighed([(token, -0.1)])
    assert (found.yes, found.mass) == (None, 0)


def test_a_bare_letter_counts_where_no_word_is_spelt_out() -> None:
    assert weighed(alternatives((" Y", 0.3), ("N", 0.1), ("The", 0.6))).yes == pytest.approx(0.75)


@pytest.mark.parametrize("word", ["Yes", "No"])
def test_a_bare_letter_counts_for_nothing_beside_either_word(word: str) -> None:
    spelt = weighed(alternatives((word, 0.3), ("Y", 0.3), ("N", 0.3)))
    assert spelt.yes == weighed(alternatives((word, 0.3))).yes


@given(st.dictionaries(st.text(max_size=8) | yes_tokens | no_tokens, logprob))
def test_the_probability_is_between_0_and_1_or_there_is_none(found: dict[str, float]) -> None:
    opinion = weighed(found.items())
    assert opinion.yes is None or 0 <= opinion.yes <= 1
    assert opinion.mass is not None
    assert 0 <= opinion.mass <= 1


@given(
    st.dictionaries(yes_tokens, logprob, min_size=1),
    st.dictionaries(no_tokens, logprob, min_size=1),
    st.dictionaries(other_tokens, logprob),
)
def test_what_else_might_have_been_said_changes_nothing(
    yes: dict[str, float], no: dict[str, float], other: dict[str, float]
) -> None:
    assert weighed([*yes.items(), *no.items(), *other.items()]).yes == weighed([*yes.items(), *no.items()]).yes


@given(logprob, logprob, st.floats(-30, 30))
def test_only_the_ratio_of_the_two_matters(yes: float, no: float, shift: float) -> None:
    one, other = weighed([("yes", yes), ("no", no)]), weighed([("yes", yes + shift), ("no", no + shift)])
    assert one.yes == pytest.approx(other.yes)


@given(logprob, logprob)
def test_the_wanted_no_mirrors_the_wanted_yes(yes: float, no: float) -> None:
    straight, swapped = weighed([("yes", yes), ("no", no)]), weighed([("yes", no), ("no", yes)])
    assert straight.of("no") == pytest.approx(swapped.of("yes"))


@pytest.mark.parametrize("hostile", [math.nan, math.inf, -math.inf])
def test_a_logprob_that_is_no_number_is_left_out(hostile: float) -> None:
    assert weighed([("Yes", hostile), ("No", -1.0)]).yes == 0
    assert weighed([("Yes", hostile)]).yes is None


def test_logprobs_beyond_what_a_float_can_raise_e_to_do_not_crash() -> None:
    found = weighed([("Yes", 1e300), ("No", -1e300)])
    assert (found.yes, found.mass) == (1, 1)


# Counted


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        ("Yes", "yes"),
        (" no, because", "no"),
        ("**Yes**", "yes"),
        ('"No."', "no"),
        ("y", "yes"),
        ("N.", "no"),
        ("N/A", None),
        ("Nothing", None),
        ("Yesterday", None),
        ("The answer is yes", None),
        ("", None),
    ],
)
def test_an_answer_is_what_its_first_word_says(answer: str, heard: str | None) -> None:
    assert said(answer) == heard


def test_sampled_answers_are_smoothed_and_those_that_say_neither_are_counted_apart() -> None:
    found = counted(["Yes", "yes.", "No", "Perhaps", "Yes!"])
    assert found.yes == pytest.approx((3 + 1) / (3 + 1 + 2))
    assert (found.method, found.unparsed, found.mass) == ("sampled 5", 1, None)


def test_answers_that_all_say_neither_are_no_opinion() -> None:
    assert counted(["Perhaps"] * 3).yes is None


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_sampled_answers_are_never_quite_sure(yes: int, no: int, neither: int) -> None:
    found = counted(["yes"] * yes + ["no"] * no + ["hm"] * neither).yes
    assert found is None if yes == no == 0 else found is not None and 0 < found < 1
