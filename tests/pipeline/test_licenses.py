"""Licences add up, or the message says which two do not."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.licenses import combine, validate

USUAL = [
    "0BSD",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "LGPL-2.1-or-later",
    "LicenseRef-Mine",
    "MIT",
    "MPL-2.0",
    "ODC-By-1.0",
    "ODbL-1.0",
    "Unlicense",
]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("mit", "MIT"),
        (" cc-by-sa-4.0\n", "CC-BY-SA-4.0"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("(MIT OR Apache-2.0) AND CC-BY-4.0", "(MIT OR Apache-2.0) AND CC-BY-4.0"),
        ("gpl-2.0-only with classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("LicenseRef-Our-House", "LicenseRef-Our-House"),
        ("MIT AND LicenseRef-Our-House", "MIT AND LicenseRef-Our-House"),
        ("artistic-2.0", "Artistic-2.0"),
    ],
)
def test_an_spdx_expression_comes_back_in_its_canonical_spelling(written: str, canonical: str) -> None:
    assert validate(written) == canonical
    assert validate(canonical) == canonical


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("CC0", "CC0-1.0"),
        ("GPLv3", "GPL-3.0-only"),
        ("Apache 2.0", "Apache-2.0"),
        ("CC-BY-SA", "CC-BY-SA-"),
        ("MIT OR Artistic-2", "Artistic-2.0"),
        ("MIT OR", "MIT"),
        ("MIT Apache-2.0", "Apache-2.0"),
        ("MIT WITH Apache-2.0", "Apache-2.0"),
    ],
)
def test_what_is_not_spdx_is_refused_with_the_nearest_id(wrong: str, meant: str) -> None:
    with pytest.raises(UserError) as refused:
        validate(wrong)
    assert f"Did you mean {meant}" in str(refused.value)


@pytest.mark.parametrize("wrong", ["", "  ", "public domain", "unknown", "x" * 20_000, "MIT\0", "((MIT", "AND"])
def test_what_no_licence_is_near_to_is_refused_in_a_short_paragraph(wrong: str) -> None:
    with pytest.raises(UserError, match="SPDX") as refused:
        validate(wrong)
    assert len(str(refused.value)) < 600


def test_a_usual_licence_is_known_without_loading_the_spdx_index() -> None:
    program = (
        "import sys; from retroweave.pipeline.licenses import combine, validate; "
        "validate('mit'); combine(['MIT', 'CC0-1.0']); sys.exit('license_expression' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (["CC0-1.0"], "CC0-1.0"),
        (["Unlicense", "0BSD", "PDDL-1.0"], "CC0-1.0"),
        (["MIT", "CC0-1.0"], "MIT"),
        (["MIT", "Apache-2.0", "CC0-1.0", "CC-BY-4.0"], "Apache-2.0 AND CC-BY-4.0 AND MIT"),
        (["MIT AND CC-BY-4.0", "MIT"], "CC-BY-4.0 AND MIT"),
        (["CC-BY-SA-4.0", "MIT", "CC-BY-3.0", "CC0-1.0"], "CC-BY-SA-4.0"),
        (["CC-BY-SA-3.0"], "CC-BY-SA-3.0"),
        (["CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-SA-2.5"], "CC-BY-SA-4.0"),
        (["CC-BY-SA-4.0", "GPL-3.0-only"], "GPL-3.0-only"),
        (["GPL-2.0-or-later", "GPL-3.0-only"], "GPL-3.0-only"),
        (["GPL-2.0-or-later", "GPL-2.0-only"], "GPL-2.0-only"),
        (["LGPL-2.1-only", "GPL-3.0-or-later", "MPL-2.0"], "GPL-3.0-or-later"),
        (["Apache-2.0", "GPL-3.0-or-later"], "GPL-3.0-or-later"),
        (["Apache-2.0", "GPL-2.0-or-later"], "GPL-3.0-or-later"),
        (["ODbL-1.0", "ODC-By-1.0"], "ODbL-1.0"),
        (["CC-BY-NC-4.0", "CC0-1.0"], "CC-BY-NC-4.0"),
        (["CC-BY-NC-4.0", "MIT"], "CC-BY-NC-4.0 AND MIT"),
        (["CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "MIT"], "CC-BY-NC-SA-4.0"),
        (["Artistic-2.0", "Artistic-2.0"], "Artistic-2.0"),
        (["LicenseRef-Mine"], "LicenseRef-Mine"),
        (["LicenseRef-Mine AND MIT"], "LicenseRef-Mine AND MIT"),
    ],
)
def test_licences_that_fit_together_add_up_to_one(rows: list[str], whole: str) -> None:
    assert combine(rows) == whole


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (["MIT OR GPL-3.0-only"], "MIT"),
        (["GPL-3.0-only OR CC0-1.0", "MIT"], "MIT"),
        (["CC-BY-SA-4.0 OR GFDL-1.3-or-later"], "CC-BY-SA-4.0"),
        (["CC-BY-ND-4.0 OR CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
        (["Artistic-2.0 AND (MIT OR GPL-3.0-only)"], "Artistic-2.0 AND MIT"),
        (["(MIT AND CC-BY-4.0) OR Apache-2.0"], "Apache-2.0"),
    ],
)
def test_of_a_choice_the_freest_is_taken(rows: list[str], whole: str) -> None:
    assert combine(rows) == whole


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("CC-BY-SA-4.0", "GPL-2.0-only"),
        ("CC-BY-SA-3.0", "GPL-3.0-only"),
        ("GPL-2.0-only", "GPL-3.0-only"),
        ("GPL-2.0-only", "Apache-2.0"),
        ("GPL-3.0-only", "CC-BY-3.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("GPL-3.0-only", "CC-BY-NC-4.0"),
        ("ODbL-1.0", "CC-BY-4.0"),
        ("ODbL-1.0", "CC-BY-SA-4.0"),
        ("Artistic-2.0", "MIT"),
        ("LicenseRef-Mine", "CC0-1.0"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "MIT"),
        ("LicenseRef-Mine", "LicenseRef-Mine AND MIT"),
    ],
)
def test_two_licences_that_do_not_fit_are_both_named_with_what_mends_it(a: str, b: str) -> None:
    with pytest.raises(UserError) as refused:
        combine([a, b])
    message = str(refused.value)
    assert a in message
    assert b.split(" AND ")[-1] in message
    assert "two sets" in message


@pytest.mark.parametrize("name", ["CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "MIT AND CC-BY-ND-2.0"])
def test_no_derivatives_is_refused_even_alone(name: str) -> None:
    with pytest.raises(UserError, match=r"-ND-.*every sample is one.*Leave"):
        combine([name])


def test_no_rows_have_no_licence() -> None:
    with pytest.raises(UserError, match="no rows"):
        combine([])


def _combined(rows: list[str]) -> str:
    try:
        return combine(rows)
    except UserError:
        return "refused"


@given(st.lists(st.sampled_from(USUAL), min_size=1, max_size=5), st.randoms())
def test_neither_order_nor_repetition_changes_the_sum(rows: list[str], random: object) -> None:
    shuffled = sorted(rows * 2, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert _combined(shuffled) == _combined(rows)


@given(st.lists(st.sampled_from(USUAL), min_size=2, max_size=5))
def test_a_set_is_refused_only_where_two_of_its_licences_are_refused_by_themselves(rows: list[str]) -> None:
    if _combined(rows) == "refused":
        assert any(_combined(list(pair)) == "refused" for pair in combinations(rows, 2))


@given(st.lists(st.sampled_from(USUAL), min_size=1, max_size=5))
def test_the_sum_is_a_licence_that_rows_may_come_under_again(rows: list[str]) -> None:
    whole = _combined(rows)
    if whole != "refused":
        assert validate(whole) == whole
        assert _combined([whole, *rows]) == whole or "LicenseRef" in whole
