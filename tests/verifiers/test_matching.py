"""Texts are made that a regular expression matches."""

from __future__ import annotations

import re
from random import Random

import pytest

from retroweave.verifiers.matching import example

PATTERNS = (
    r"(\d{4})-(\d\d)-(\d\d)",
    r"[A-Za-z_][A-Za-z0-9_]*",
    r"^\s*(?P<key>\w+)\s*=\s*(?P<value>[^#]*?)\s*$",
    r"(['\"])abc\1",
    r"a|bc+|d??",
    r"[^\d\s]{2,3}x*",
    r".\.\*",
    r"\W\D\S",
    r"(?:ab){2}(?i:c)",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_made_matches(pattern: str) -> None:
    texts = [example(pattern, Random(seed)) for seed in range(40)]
    assert all(re.fullmatch(pattern, text) for text in texts)
    assert len(set(texts)) > 1 or pattern in (PATTERNS[3], PATTERNS[8])


@pytest.mark.parametrize(
    "pattern", ["(", "[", "*", "a{99999999999}", "(?<=a)b(?=c)", "", "(?P<x>a)(?(x)b|c)", "x" * 5000]
)
def test_what_is_no_pattern_or_too_clever_stops_nothing(pattern: str) -> None:
    assert isinstance(example(pattern, Random(0)), str)


def test_repetitions_are_few() -> None:
    assert len(example(r"(a{1000}){1000}", Random(0))) <= 64 * 64
