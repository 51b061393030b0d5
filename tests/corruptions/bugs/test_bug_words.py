"""Each bug can be told in many ways, and each of them only says what is known."""

from __future__ import annotations

import re
from itertools import chain
from random import Random
from string import Formatter

import pytest

from retroweave.corruptions.bugs.diagnosis import describe
from retroweave.corruptions.bugs.planting import planted
from retroweave.corruptions.bugs.quotas import chain as several
from retroweave.corruptions.bugs.quotas import draw
from retroweave.corruptions.bugs.site import OPERATORS, VOICES
from retroweave.pipeline.errors import UserError

FACTS = {
    "line", "now", "was", "part", "condition", "exit", "name", "right", "wrong", "function", "argument", "method",
    "second", "loop", "head", "first", "joint", "call", "bracket", "default", "entry", "value", "error",
}  # fmt: skip
SOURCE = "def f(first, second):\n    third = first - second\n    return [third, first < second]\n"


def fields(phrasing: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(phrasing) if field is not None}


@pytest.mark.parametrize("name", OPERATORS)
def test_each_operator_has_phrasings_in_every_voice(name: str) -> None:
    voices = OPERATORS[name].words
    phrasings = list(chain(*voices))
    assert len(voices) == len(VOICES)
    assert all(len(voice) >= 2 for voice in voices)
    assert len(set(phrasings)) == len(phrasings) >= 8


@pytest.mark.parametrize("name", OPERATORS)
def test_a_phrasing_is_a_sentence_that_names_the_place(name: str) -> None:
    for phrasing in chain(*OPERATORS[name].words):
        assert re.search(r"^[A-Z`{].*[.?]$", phrasing), phrasing
        assert fields(phrasing) & {"line", "now", "was", "entry", "condition", "name", "wrong", "first", "default"}
        assert fields(phrasing) <= FACTS, phrasing
        assert phrasing.count("`") % 2 == 0, phrasing
        assert not re.search(r"[“”‘’…]|!(?![`=])|  ", phrasing), phrasing


@pytest.mark.parametrize("name", OPERATORS)
def test_code_stands_between_backticks(name: str) -> None:
    for phrasing in chain(*OPERATORS[name].words):
        outside = "".join(phrasing.split("`")[::2])
        assert fields(outside) <= {"line", "was", "now", "function", "right"}, phrasing
        assert "{line}" not in "".join(phrasing.split("`")[1::2]), phrasing


def test_no_two_operators_share_a_phrasing() -> None:
    told: dict[str, str] = {}
    for name, operator in OPERATORS.items():
        for phrasing in chain(*operator.words):
            assert phrasing not in told, (phrasing, name, told.get(phrasing))
            told[phrasing] = name


def test_a_voice_can_be_asked_for() -> None:
    bug = draw(SOURCE, Random(1), {"boundary": 1})
    assert bug is not None
    _, log = planted(SOURCE, [bug])
    for voice, phrasings in zip(VOICES, OPERATORS["boundary"].words, strict=True):
        said = {describe(log, Random(seed), voice)[0] for seed in range(20)}
        assert said == {phrasing.format(**log[0]["told"]) for phrasing in phrasings}
    with pytest.raises(UserError, match="no voice 'poet'"):
        describe(log, Random(1), "poet")


def test_the_bugs_of_one_text_are_told_in_one_voice() -> None:
    for seed in range(20):
        _, log = planted(SOURCE, several(SOURCE, Random(seed), 3))
        said = describe(log, Random(seed))
        voices = [
            {
                voice
                for voice, phrasings in zip(VOICES, OPERATORS[record["operator"]].words, strict=True)
                if sentence in {phrasing.format(**record["told"]) for phrasing in phrasings}
            }
            for record, sentence in zip(log, said, strict=True)
        ]
        assert set.intersection(*voices)


def test_a_phrasing_is_not_used_again_while_there_is_another() -> None:
    bug = draw(SOURCE, Random(1), {"boundary": 1})
    assert bug is not None
    _, log = planted(SOURCE, [bug])
    assert len(set(describe(log * 2, Random(3), "teacher"))) == 2
