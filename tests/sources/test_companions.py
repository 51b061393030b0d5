"""Companions: what is lent is another passage of the same text, from the borrower's own side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from retroweave.pipeline.row import side_of
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.pipeline.step import Side
from retroweave.sources.companions import Companions, text_of
from retroweave.sources.texts import passages
from retroweave.sources.trimmed import trimmed

TEXTS = {f"letter{n}.txt": [f"letter {n}, part {part}\n" for part in range(6)] for n in range(8)}


def rows() -> Iterator[SourceRow]:
    for name, parts in TEXTS.items():
        for place, part in enumerate(parts):
            key = f"{name}#1:{place}"
            yield SourceRow(key=key, fields={"passage": part}, license="CC0-1.0", place=key, cluster=part)


SOURCE = given(rows, {"passage": str}, licenses=("CC0-1.0",), fingerprint=lambda: "8")


@pytest.mark.parametrize("side", ["train", "validation"])
def test_what_is_lent_is_of_the_same_text_and_side(side: Side) -> None:
    companions = Companions(SOURCE, "passage", 0.4)
    lent = 0
    for parts in TEXTS.values():
        for passage in parts:
            found = companions.beside(passage, side)
            assert passage not in found
            assert set(found) <= set(parts)
            assert all(side_of(other, 0.4) == side for other in found)
            lent += len(found)
    assert lent


def test_a_passage_that_the_source_does_not_have_is_lent_nothing() -> None:
    assert not Companions(SOURCE, "passage", 0).beside("a stranger", "train")


def test_the_passages_of_a_file_are_of_one_text() -> None:
    source: Source = passages(None, shortest=300, longest=900)
    companions = Companions(source, "passage", 0)
    first, *others = source.rows()
    second = next(row for row in others if text_of(row) == text_of(first))
    assert second.fields["passage"] in companions.beside(first.fields["passage"], "train")


def test_the_fingerprint_tells_what_is_lent_and_to_whom() -> None:
    assert Companions(SOURCE, "passage", 0.4).fingerprint() == Companions(SOURCE, "passage", 0.4).fingerprint()
    assert Companions(SOURCE, "passage", 0.4).fingerprint() != Companions(SOURCE, "passage", 0.1).fingerprint()


def test_a_trimmed_source_gives_the_same_rows_without_the_white_space_around_them() -> None:
    before, after = list(SOURCE.rows()), list(trimmed(SOURCE, "passage").rows())
    assert [row.key for row in after] == [row.key for row in before]
    assert [row.fields["passage"] for row in after] == [row.fields["passage"].strip() for row in before]
    assert after[0].fields["passage"] == "letter 0, part 0"
