"""What a run says of itself is in plain words, and its command makes the same run again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.export.asked import asked_run, model, verdict

from retroweave.export import facts, remaking
from retroweave.export.dataset import read_run
from retroweave.export.survey import Survey, survey
from retroweave.models.terms import Verdict

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab: '", max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), values, max_size=6))
def test_a_shell_reads_from_the_command_just_the_values_that_were_changed(changed: dict[str, Any]) -> None:
    run = {"recipe": "a b", "config": {"x": 1}, "config_changed": changed, "rows": 10, "seed": 3}
    words = shlex.split(remaking.command(run).replace(" \\\n  ", " "))
    settings = [words[place + 1].partition("=") for place, word in enumerate(words) if word == "--set"]
    assert {name: yaml.safe_load(value) for name, _, value in settings} == changed
    assert words[:3] == ["retroweave", "run", "a b"]
    assert words[-6:] == ["--rows", "10", "--seed", "3", "--out", "a b"]


def _cautions(failures: int, samples: int, sources: int = 1_000, validation: int = 1) -> list[str]:
    run = {
        "counts": {"failures": failures, "leaves": failures + samples},
        "reasons": [
            {"kind": "reject", "step": "reads_well", "reason": "no", "count": 9_999},
            {"kind": "failure", "step": "ask", "reason": "ValueError: too  long", "count": failures},
        ],
        "splits": {"train": samples - validation, "validation": validation},
    }
    found = Survey(samples=samples)
    for number in range(sources):
        found.sources.add(str(number), 0)
    return facts.cautions(run, found)


def test_a_set_without_a_fault_has_no_caution() -> None:
    assert _cautions(failures=0, samples=100) == []


def test_more_than_a_tenth_of_failures_is_said_with_their_first_reason() -> None:
    assert _cautions(failures=10, samples=90) == []
    [caution] = _cautions(failures=11, samples=89)
    assert caution.startswith("11% of the outcomes (11 of 100) are failures")
    assert "at step ask: ValueError: too long." in caution
    assert "may be biased" in caution


def test_more_than_twenty_samples_of_a_source_row_are_little_text() -> None:
    assert _cautions(failures=0, samples=60, sources=3) == []
    [caution] = _cautions(failures=0, samples=61, sources=3)
    assert "61 samples come from 3 source rows" in caution


def test_a_set_without_validation_samples_says_so() -> None:
    [caution] = _cautions(failures=0, samples=10, validation=0)
    assert caution.startswith("No sample is held out for validation")


@pytest.mark.parametrize(
    ("kind", "reason", "shown"),
    [
        ("over_cap", "recoverable = False", "more samples with recoverable = False than the recipe lets in"),
        ("over_cap", "other reasons", "other reasons"),
        ("reject", "x = 1", "x = 1"),
    ],
)
def test_a_cap_that_was_full_is_said_in_words(kind: str, reason: str, shown: str) -> None:
    run = {"reasons": [{"kind": kind, "step": "s", "reason": reason, "count": 2}]}
    [said] = facts.reasons(run, 5)
    assert (said.kind, said.text, said.count) == (kind.replace("_", "-"), shown, 2)


def test_a_run_of_an_older_version_gives_its_whole_config(make_run: MakeRun) -> None:
    directory = make_run()
    assert "--set 'operations=[1, 8]' \\\n  --set texts=builtin" in remaking.command(read_run(directory))
    assert facts.cautions(read_run(directory), survey(directory)) == []


def _told(*models: dict[str, Any], **fields: Any) -> list[str]:
    run = asked_run(models=list(models), rows=40, splits={"validation": 1}, reasons=[], **fields)
    run["counts"] = {"failures": 0, "leaves": 20, "samples": 20, "unfinished_rows": 2}
    return facts.cautions(run, Survey())


def test_models_whose_terms_are_open_need_no_caution() -> None:
    assert _told(model("writer"), model("judge", terms={"verdict": "free"})) == []


def test_a_run_that_stopped_at_its_budget_says_so_first() -> None:
    unknown = model("writer", terms={"verdict": "unknown"})
    first, second = _told(unknown, out_of_budget="$1 of $1 is spent. Pass a larger --budget")
    assert first.startswith("The run stopped at its budget: 20 of 40 samples were made. $1 of $1 is spent.")
    assert first.endswith("Pass a larger --budget. 2 source rows stopped midway.")
    assert "terms that are not known" in second


@pytest.mark.parametrize(
    ("abilities", "cautioned"),
    [({}, True), ({"chat": False}, True), ({"chat": False, "complete": False, "embed": True}, False)],
)
def test_an_embedded_model_that_speaks_is_for_a_first_look(abilities: dict[str, bool], cautioned: bool) -> None:
    told = _told(model("writer", "judge", use="embedded:smollm2", abilities=abilities))
    assert [" ".join(one.split()[:6]) for one in told] == ["The model writer and judge (embedded:smollm2),"] * cautioned
    assert all("not for data worth keeping" in one for one in told)


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_of_terms_those_with_conditions_are_told_in_full_and_unknown_ones_named(verdict: str) -> None:
    meaning = f"Name it{' so' * 100}."
    told = _told(model("writer", terms={"name": "Llama", "meaning": meaning, "verdict": verdict}))
    expected = {
        "conditions": [f"has terms with conditions, Llama: {meaning}"],
        "unknown": ["has terms that are not known here. Read them before you pass this set on."],
    }.get(verdict, [])
    assert [caution.partition("/v1) ")[2] for caution in told] == expected


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({}, ()),
        ({"abilities": {"logprobs": 1, "schema": False}}, ("no log-probabilities", "no JSON schema")),
        ({"abilities": {"complete_logprobs": 0}}, ()),
        ({"form": "base", "abilities": {"chat": False, "complete_logprobs": 0}}, ("no chat", "no log-probabilities")),
        ({"abilities": {"chat": False, "complete": False, "logprobs": 0, "embed": True}}, ()),
    ],
)
def test_what_an_endpoint_lacks_is_told_as_far_as_its_form_wants_it(
    fields: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    [used] = facts.models(asked_run(models=[model("writer", **fields)]))
    assert used.lacks == lacks


@pytest.mark.parametrize(
    ("cost", "shown"),
    [(0, "$0"), (1e-6, "less than $0.0001"), (0.00012, "$0.0001"), (0.25, "$0.2500"), (1234.5, "$1,234.50")],
)
def test_money_is_shown_to_what_matters(cost: float, shown: str) -> None:
    assert facts.money(cost) == shown


def test_what_was_spent_is_summed_up() -> None:
    said = facts.spent(asked_run(counts={"samples": 21}))
    assert said.startswith("In all 150 calls and 46,500 tokens for $0.2625, $0.0125 for each sample.")
    free = facts.spent(asked_run(models=[model("a", calls=1, tokens=1)], counts={"samples": 0}))
    assert free.startswith("In all 1 call and 1 token for $0. ")


def test_scores_that_were_counted_from_samples_are_called_coarse() -> None:
    found = Survey()
    for method in ("sampled 8", "sampled 8", "logprobs"):
        found.judges["answerable"].add(verdict(0.5, True, method=method))
    [one] = facts.measured(asked_run(), found)
    assert one.note.startswith("are coarse in 2 verdicts: those were counted from 8 sampled answers each")
    found.judges["b"].add(verdict(0.5, True, method="sampled 4"))
    assert [(one.step, one.note[:23]) for one in facts.measured(asked_run(), found)][1] == (
        "b",
        "are coarse: they were c",
    )
