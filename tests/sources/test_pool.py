"""A pool lends what may be lent, and to its own side."""

from __future__ import annotations

from collections.abc import Iterator

from retroweave.pipeline.row import side_of
from retroweave.pipeline.source import SourceRow, given
from retroweave.pipeline.step import Side
from retroweave.sources.pool import Pool


def pool(*rows: SourceRow, size: int = 1000) -> Pool:
    def read() -> Iterator[SourceRow]:
        yield from rows

    source = given(read, {"text": str}, licenses=("CC0-1.0",), fingerprint=lambda: "rows")
    return Pool(source, "text", 0.5, size=size)


def row(key: str, license: str = "CC0-1.0", cluster: str = "", reject: str = "") -> SourceRow:
    return SourceRow(key, {"text": f"text of {key}"}, license, f"place of {key}", cluster, reject)


def test_each_side_is_lent_its_own_texts_and_a_cluster_stays_together() -> None:
    found = pool(*(row(str(number), cluster=str(number // 3)) for number in range(60)))
    for number in range(60):
        side = side_of(str(number // 3), 0.5)
        other: Side = "train" if side == "validation" else "validation"
        assert f"text of {number}" in found[side]
        assert f"text of {number}" not in found[other]


def test_what_is_not_let_in_is_not_lent() -> None:
    found = pool(row("a"), row("b", license="CC-BY-SA-4.0"), row("c", reject="too short"))
    assert [*found["train"], *found["validation"]] == ["text of a"]


def test_it_looks_at_the_first_rows_only() -> None:
    found = pool(*(row(str(number)) for number in range(9)), size=4)
    assert len(found["train"]) + len(found["validation"]) == 4


def test_its_fingerprint_tells_what_is_lent_to_whom() -> None:
    assert pool(row("a"), row("b")).fingerprint() != pool(row("a"), row("c")).fingerprint()
    assert pool(row("a"), row("b")).fingerprint() == pool(row("a"), row("b")).fingerprint()
