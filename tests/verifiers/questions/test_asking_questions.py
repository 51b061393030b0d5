"""Which families are asked, and how their questions are put."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from retroweave.pipeline.errors import UserError
from retroweave.sources.texts import passages
from retroweave.verifiers.questions import asking, sounds
from retroweave.verifiers.questions.asking import askable, draw_pairs, missing, phrasings, put, reasons_for
from retroweave.verifiers.questions.family import FAMILIES, Claim

PASSAGES = [row.fields["passage"] for row in passages(None, shortest=300, longest=1500).rows()]


@pytest.mark.parametrize("names", [["rhyme"], ["comma_count", "syllables"], ["all"]])
def test_where_the_dictionary_is_missing_whoever_asks_for_its_families_is_told_what_to_install(
    names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert missing() == []
    assert set(askable(names)) & {"rhyme", "syllables"}
    monkeypatch.setattr(sounds, "find_spec", lambda name: None)
    assert missing() == ["rhyme", "syllables"]
    with pytest.raises(UserError, match=r"'(rhyme|syllables)' needs .* pip install .*\[prosody\]'"):
        askable(names)


def test_where_none_is_named_the_families_are_the_same_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = askable()
    monkeypatch.setattr(sounds, "find_spec", lambda name: None)
    assert askable() == installed == sorted(FAMILIES.keys() - {"rhyme", "syllables"})


def test_all_is_every_family() -> None:
    assert askable(["all"]) == sorted(FAMILIES)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_ways_to_ask_differ_and_give_number_its_whole_name(name: str) -> None:
    said = phrasings(name)
    assert len(set(said)) == len(said) >= 6
    assert not any("figures" in one for one in said if name.startswith("number")), "a figure may be a single digit"


def test_an_unknown_family_is_answered_with_the_near_one() -> None:
    with pytest.raises(UserError, match=r"'coma_count'.*comma_count"):
        askable(["coma_count"])


def test_as_many_families_are_drawn_as_are_wanted_each_once() -> None:
    names = [family.name for family, _, _ in draw_pairs(PASSAGES[0], askable(), 5, random.Random(0))]
    assert len(set(names)) == len(names) == 5


def test_a_family_that_few_passages_allow_is_drawn_more_often_than_by_chance() -> None:
    drawn = Counter(
        family.name
        for number, passage in enumerate(PASSAGES)
        for family, _, _ in draw_pairs(passage, ["question_mark", "comma_count"], 1, random.Random(number))
    )
    assert drawn["question_mark"] > 0.12 * len(PASSAGES)


def test_small_counts_are_spelt_and_figures_of_the_text_stay() -> None:
    assert put("{number} of them", {"number": 7}) == "seven of them"
    assert put("{number} of them", {"number": 40}) == "40 of them"
    assert put("{number} of them", {"number": "7"}) == "7 of them"


def test_what_a_text_holds_is_put_in_as_it_is() -> None:
    assert put('Is "{word}" there?', {"word": "{number}"}) == 'Is "{number}" there?'


def test_the_reason_of_each_answer_is_its_own() -> None:
    yes = reasons_for("quotation", Claim(True))
    no = reasons_for("quotation", Claim(False))
    assert not set(yes) & set(no)


def test_every_family_has_reasons_and_no_reason_lacks_a_family() -> None:
    assert set(asking.reasons()) == set(FAMILIES)
