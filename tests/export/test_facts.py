"""What a run says of itself is in plain words, and its command makes the same run again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from retroweave.export import facts
from retroweave.export.dataset import read_run
from retroweave.export.survey import Survey, survey

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
    words = shlex.split(facts.command(run).replace(" \\\n  ", " "))
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
    assert "--set 'operations=[1, 8]' \\\n  --set texts=builtin" in facts.command(read_run(directory))
    assert facts.cautions(read_run(directory), survey(directory)) == []
