"""Summaries are extracts as long as was asked, and texts are what they were taken from."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import UserError
from retroweave.quality.lint import lint
from retroweave.recipes.summary import PASSAGE, is_an_extract, summary, words
from retroweave.recipes.summary_lengths import NUMBERS, as_long_as_asked
from retroweave.text.extracts import sentences_of
from retroweave.text.spans import sentences

SHARES = {"a fifth": 0.2, "a quarter": 0.25, "a third": 1 / 3, "half": 0.5}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("summaries") / "out"
    made = make(summary, summary.config_type(), 300, out, workers=1)
    assert made["counts"]["failures"] == 0
    return list(read_samples(out))


def of(samples: list[dict[str, Any]], layout: str) -> list[tuple[dict[str, Any], str, str]]:
    """Samples of one direction, with what is asked and what is answered."""
    return [
        (sample, sample["messages"][0]["content"], sample["messages"][1]["content"])
        for sample in samples
        if sample["layout"] == layout
    ]


def parts(summary: str) -> list[str]:
    return [line.removeprefix("- ") for line in summary.split("\n")]


def test_both_directions_are_there_and_each_length_is_asked_for(samples: list[dict[str, Any]]) -> None:
    asked = Counter((sample["layout"], sample["provenance"]["measures"]["asked_by"]) for sample in samples)
    assert set(asked) == {
        *(("shorten", kind) for kind in ("sentences", "words", "share")),
        *(("expand", kind) for kind in ("words", "paragraphs")),
    }
    assert min(asked.values()) > 20


def test_every_word_of_a_summary_stands_in_its_text_and_in_order(samples: list[dict[str, Any]]) -> None:
    for _, asked, answer in of(samples, "shorten"):
        assert len(answer) < len(asked) / 1.5
        here = iter(asked.split())
        assert all(word in here for part in parts(answer) for word in part.split())


def test_a_summary_is_as_long_as_the_user_asks(samples: list[dict[str, Any]]) -> None:
    kinds: Counter[str] = Counter()
    for sample, asked, answer in of(samples, "shorten"):
        kind = sample["provenance"]["measures"]["asked_by"]
        count = sum(1 for part in parts(answer) for _ in sentences(part))
        length = sum(len(part.split()) for part in parts(answer))
        if kind == "sentences" and (
            told := re.search(rf"\b({'|'.join(NUMBERS[2:6])}) sentences\b", asked, re.IGNORECASE)
        ):
            kinds[kind] += 1
            assert abs(count - NUMBERS.index(told[1].lower())) <= 1  # the text may hold abbreviations
        elif kind == "words":
            kinds[kind] += 1
            told_words = re.findall(r"\b(\d+) words", asked)
            assert any(0.6 * int(number) <= length <= int(number) for number in told_words)
        elif kind == "share":
            kinds[kind] += 1
            share = sample["provenance"]["measures"]["share"]
            assert any(word in asked and 0.55 * most <= share <= most + 0.02 for word, most in SHARES.items())
    assert min(kinds.values()) > 20


def test_a_list_is_asked_for_where_one_is_given(samples: list[dict[str, Any]]) -> None:
    lists = [answer.startswith("- ") for _, _, answer in of(samples, "shorten")]
    assert 0.08 < sum(lists) / len(lists) < 0.35
    for _, asked, answer in of(samples, "shorten"):
        assert any(one.strip() in asked for one in words("as_list")) == answer.startswith("- ")


def test_a_text_that_is_written_out_holds_what_was_brought(samples: list[dict[str, Any]]) -> None:
    for sample, asked, answer in of(samples, "expand"):
        held = [answer[start:end] for start, end in sentences(answer) if answer[start:end] in asked]
        assert held
        assert 0.02 < sample["provenance"]["measures"]["share"] <= 0.34
        assert answer == answer.strip()
        if sample["provenance"]["measures"]["asked_by"] == "words":
            numbers = [int(number) for number in re.findall(r"\b(\d+) (?:words|or so)", asked)]
            assert any(abs(len(answer.split()) - number) <= 0.06 * number for number in numbers)
        else:
            told = re.search(rf"\b({'|'.join(NUMBERS[2:9])}) paragraphs", asked, re.IGNORECASE)
            assert told
            assert len(re.split(r"\n\s*\n", answer)) == NUMBERS.index(told[1].lower())


def test_a_set_teaches_no_habit(samples: list[dict[str, Any]]) -> None:
    assert lint(samples) == []


@pytest.mark.parametrize("layout", ["shorten", "expand"])
def test_a_weight_of_nothing_leaves_a_direction_out(tmp_path: Path, layout: str) -> None:
    config = summary.configure({"shorten": 0, "expand": 0} | {layout: 1})
    make(summary, config, 10, tmp_path / "out", workers=1)
    assert {sample["layout"] for sample in read_samples(tmp_path / "out")} == {layout}


def test_one_direction_there_must_be() -> None:
    with pytest.raises(UserError, match="one of the weights shorten and expand"):
        summary.configure({"shorten": 0, "expand": 0})


def test_a_play_is_no_running_prose(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text("ANNA. No, I did not.\nBERT. Yes, you did.\n" * 30, "utf-8")
    (tmp_path / "prose.txt").write_text("Old Ruben built the mill by the weir. " * 8 + PASSAGE * 8, "utf-8")
    made = make(
        summary,
        summary.configure({"texts": tmp_path, "license": "CC0-1.0", "validation": 0, "shorten": 0}),
        1,
        tmp_path / "out",
        workers=1,
    )
    assert any(reason["reason"] == "it is no running prose" for reason in made["reasons"])


class TestChecks:
    TEXT = "The mole was begun in 1592. It took twelve years. Nobody liked the mole. The money ran out in 1604."

    @pytest.mark.parametrize(
        ("said", "right"),
        [
            ("The mole was begun in 1592. Nobody liked the mole.", True),
            ("- The mole was begun in 1592.\n- Nobody liked the mole.", True),
            ("Nobody liked the mole. The mole was begun in 1592.", False),
            ("The mole was begun.", False),
            ("The mole was begun in 1592. Nobody liked the mole", False),
            ("Nobody liked the mole. Nobody liked the mole.", False),
            ("", False),
        ],
    )
    def test_an_extract_is_whole_sentences_in_order(self, said: str, right: bool) -> None:
        assert is_an_extract(said, self.TEXT) == right

    @pytest.mark.parametrize(
        ("said", "asked", "right"),
        [
            ("Nobody liked the mole.", {"kind": "sentences", "number": 1, "form": "prose"}, True),
            ("Nobody liked the mole.", {"kind": "sentences", "number": 2, "form": "prose"}, False),
            ("- Nobody liked the mole.", {"kind": "sentences", "number": 1, "form": "prose"}, False),
            ("Nobody liked the mole.", {"kind": "sentences", "number": 1, "form": "list"}, False),
            ("- Nobody liked the mole.", {"kind": "words", "number": 4, "form": "list"}, True),
            ("Nobody liked the mole.", {"kind": "words", "number": 3, "form": "prose"}, False),
            ("Nobody liked the mole.", {"kind": "words", "number": 10, "form": "prose"}, False),
            ("It took twelve years.", {"kind": "share", "number": "a quarter", "form": "prose"}, True),
            ("The mole was begun in 1592.", {"kind": "share", "number": "a fifth", "form": "prose"}, False),
            ("It took twelve years.", {"kind": "share", "number": "half", "form": "prose"}, False),
        ],
    )
    def test_a_length_holds_or_not(self, said: str, asked: dict[str, Any], right: bool) -> None:
        assert as_long_as_asked(said, self.TEXT, asked) == right

    def test_sentences_are_told_by_their_place(self) -> None:
        text = "A b. C d. A b."
        assert sentences_of("A b. A b.", text) == [0, 2]
        assert sentences_of("C d. C d.", text) == []


@pytest.mark.parametrize(
    ("pool", "name"),
    [
        *((f"shorten_{kind}", "{length}") for kind in ("sentences", "words", "share")),
        *((f"expand_{kind}", "{length}") for kind in ("words", "paragraphs")),
        ("shorten_one", ""),
        ("as_list", ""),
    ],
)
def test_a_pool_says_how_long_and_nothing_twice(pool: str, name: str) -> None:
    said = words(pool)
    assert len(said) == len(set(said)) >= 8
    assert all(name in one for one in said)
    assert all(one[-1] in ".?!" for one in said if name and pool.startswith("shorten_"))
    assert all(set(re.findall(r"\{\w+\}", one)) == ({name} if name else set()) for one in said)
