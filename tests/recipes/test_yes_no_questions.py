"""Yes or no: each answer is right by a third program too, and nothing but the text tells it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest

from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.recipe import find_recipe
from retroweave.recipes.yes_no import GOOD, found_again, reason_holds, words, yes_no
from retroweave.verifiers.questions import sounds

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "known_answers.py"


def config(**changes: Any) -> Any:
    return yes_no.configure(changes)


def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("known_answers", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["known_answers"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("yes-no") / "out"
    make(find_recipe("yes-no"), config(families="all"), 400, out, workers=1)
    return out


@pytest.fixture(scope="module")
def samples(run: Path) -> list[dict[str, Any]]:
    return list(read_samples(run))


def test_a_third_program_that_reads_the_prompt_alone_agrees_everywhere(run: Path) -> None:
    known = benchmark()
    found = list(known.read(run))
    assert len(found) == 400
    assert [one for one in found if not known.is_right(one)] == []


def test_the_third_program_knows_every_family() -> None:
    assert set(benchmark().PLAIN) == set(yes_no.pipeline(config(families="all")).resources["families"])


def test_yes_and_no_are_equally_frequent_in_all_in_each_family_and_in_each_phrasing(run: Path) -> None:
    known = benchmark()
    found = list(known.read(run))
    for key in (lambda one: "all", lambda one: one.family, lambda one: (one.family, one.phrasing)):
        assert all(count == 2 * yes for count, yes in known.balance(found, key).values())


def test_the_answer_is_one_word_or_a_word_and_a_short_reason(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        answer = sample["messages"][1]["content"]
        if sample["layout"] == "bare":
            assert answer in ("Yes.", "No.")
        else:
            assert answer.startswith(("Yes. ", "No. "))
            assert len(answer) < 120


def test_what_is_asked_about_is_a_stretch_of_the_source(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        start, end = sample["provenance"]["spans"].get("text", [0, 0, 0])[1:]
        text = sample["provenance"]["kept"]["text"]
        assert len(text) >= 60
        assert sample["messages"][0]["content"][start:end] in (text, "")


def test_no_frame_and_no_form_of_answer_is_told_by_the_answer(samples: list[dict[str, Any]]) -> None:
    assert len({sample["variants"]["frame"] for sample in samples}) > 100
    assert len(words("frames")) >= 12
    assert min(len(words("ask_bare")), len(words("ask_reasoned"))) >= 12


@pytest.mark.parametrize(
    ("field", "value"),
    [("answer", "Yes."), ("answer", "no"), ("values", {"number": 2}), ("question", "Is it long?")],
)
def test_an_answer_that_is_not_so_is_found_out(field: str, value: Any) -> None:
    row = {key: GOOD[key] for key in ("text", "question", "family", "values", "answer")}
    assert found_again(**row)
    assert not found_again(**{**row, field: value})


@pytest.mark.parametrize("reason", ["I count three.", "I count 2.", "Two.", ""])
def test_a_reason_that_is_not_so_is_found_out(reason: str) -> None:
    row = {key: GOOD[key] for key in ("text", "family", "values", "found", "answer", "reason")}
    assert reason_holds(**row)
    assert not reason_holds(**{**row, "reason": reason})
    assert not reason_holds(**{**row, "found": {"found": 4}, "reason": "I count four."})


def test_who_wants_a_few_families_gets_those(tmp_path: Path) -> None:
    few = config(families="comma_count, word_before", reasoned=0)
    make(find_recipe("yes-no"), few, 20, tmp_path / "out", workers=1)
    seen = {sample["provenance"]["measures"]["family"] for sample in read_samples(tmp_path / "out")}
    assert seen == {"comma_count", "word_before"}


def test_a_family_that_there_is_not_stops_the_run_before_it_begins() -> None:
    with pytest.raises(UserError, match="no family of questions 'commas'"):
        yes_no.pipeline(config(families="commas"))


def test_without_the_dictionary_the_same_rows_are_made_and_no_warning_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(find_recipe("yes-no"), config(), 30, tmp_path / "with", workers=1)
    monkeypatch.setattr(sounds, "find_spec", lambda name: None)
    with catch_warnings():
        simplefilter("error")
        make(find_recipe("yes-no"), config(), 30, tmp_path / "without", workers=1)
    assert list(read_samples(tmp_path / "with")) == list(read_samples(tmp_path / "without"))


def test_who_wants_all_families_is_told_what_the_dictionary_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"rhyme", "syllables"} <= set(yes_no.pipeline(config(families="all")).resources["families"])
    monkeypatch.setattr(sounds, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install .*\[prosody\]'"):
        yes_no.pipeline(config(families="all"))


def test_one_of_the_forms_must_have_a_weight() -> None:
    with pytest.raises(UserError, match="bare and reasoned"):
        yes_no.configure({"bare": 0, "reasoned": 0})
