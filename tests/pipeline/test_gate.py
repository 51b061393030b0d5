"""The gate drops duplicates, holds caps and stops at N, by the order of paths alone."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.gate import Gate, Seen, Verdict
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.row import Leaf


def sample(text: str, index: int = 0, layout: str = "layout", **measures: Any) -> Leaf:
    messages = [{"role": "user", "content": text, "train": False}]
    found = {"messages": messages, "layout": layout, "provenance": {"measures": measures}}
    return Leaf("sample", (0, index), layout, sample=found)


def passed(leaves: Sequence[Leaf], caps: Sequence[Cap], rows: int) -> list[tuple[Verdict, str]]:
    with closing(Gate(caps, rows)) as gate:
        return list(taken(gate, leaves))


def taken(gate: Gate, leaves: Sequence[Leaf]) -> Iterator[tuple[Verdict, str]]:
    for leaf in leaves:
        if not gate.full:
            yield gate.take(leaf)


def verdicts(leaves: Sequence[Leaf], caps: Sequence[Cap] = (), rows: int = 100) -> list[Verdict]:
    return [verdict for verdict, _ in passed(leaves, caps, rows)]


def test_a_conversation_that_stands_already_is_a_duplicate_whatever_else_differs() -> None:
    twin = sample("a", layout="other", kind=2)
    assert verdicts([sample("a", kind=1), twin, sample("b", kind=1)]) == ["sample", "duplicate", "sample"]


def test_the_same_words_cut_into_other_turns_are_no_duplicate() -> None:
    one, two = sample(""), sample("")
    one.sample["messages"] = [{"role": "user", "content": "ab"}, {"role": "user", "content": "c"}]
    two.sample["messages"] = [{"role": "user", "content": "a"}, {"role": "user", "content": "bc"}]
    assert verdicts([one, two]) == ["sample", "sample"]


def test_a_reject_and_a_failure_pass_with_their_reason() -> None:
    leaves = [Leaf("reject", (0, 0), "step", "too short"), Leaf("failure", (0, 1), "step", "ValueError: no")]
    assert passed(leaves, [], 1) == [("reject", "too short"), ("failure", "ValueError: no")]


def test_the_gate_is_full_at_n_samples_and_counts_nothing_else() -> None:
    with closing(Gate([], 2)) as gate:
        for leaf in (sample("a"), Leaf("reject", (0, 1)), sample("a"), sample("b")):
            assert not gate.full
            gate.take(leaf)
        assert gate.full


def test_a_sample_over_a_cap_takes_no_room_and_says_which_cap() -> None:
    cap = Cap("kind", {"rare": 0.5})
    leaves = [sample("a", kind="rare"), sample("b", kind="rare"), sample("c", kind="common"), sample("b", kind="other")]
    assert passed(leaves, [cap], 2) == [("sample", ""), ("over_cap", "kind = rare"), ("sample", "")]


def test_a_star_caps_each_value_that_is_not_named() -> None:
    cap = Cap("layout", {"*": 0.25, "main": 1.0})
    leaves = [sample(str(n), layout=layout) for n, layout in enumerate(["a", "a", "b", "main", "main", "b"])]
    assert verdicts(leaves, [cap], 4) == ["sample", "over_cap", "sample", "sample", "sample"]


def test_a_cap_that_leaves_a_rest_is_never_rounded_up() -> None:
    cap = Cap("kind", {"rare": 0.05})
    assert [cap.bound("rare", rows) for rows in (10, 30, 39, 40, 100)] == [0, 1, 1, 2, 5]
    assert Cap("kind", {"rare": 0.29}).bound("rare", 100) == 29


def test_a_balance_leaves_room_for_every_sample_of_an_odd_number() -> None:
    leaves = [sample(str(n), kind="yes" if n % 2 else "no") for n in range(8)]
    assert verdicts(leaves, [Cap("kind", {"yes": 0.5, "no": 0.5})], 5).count("sample") == 5


def test_a_measure_that_is_a_list_counts_under_each_value_in_it() -> None:
    cap = Cap("kinds", {"x": 0.2, "y": 0.4})
    kinds = [["x", "y"], ["x"], ["z", "y"], ["y"], ["z", "z"], []]
    leaves = [sample(str(n), kinds=kind) for n, kind in enumerate(kinds)]
    assert passed(leaves, [cap], 5) == [
        ("sample", ""),
        ("over_cap", "kinds = x"),
        ("sample", ""),
        ("over_cap", "kinds = y"),
        ("sample", ""),
        ("sample", ""),
    ]


def test_two_caps_on_one_measure_count_a_sample_once() -> None:
    caps = [Cap("kind", {"x": 0.5}), Cap("kind", {"y": 0.5})]
    leaves = [sample(str(n), kind="xy"[n % 2]) for n in range(4)]
    assert verdicts(leaves, caps, 4) == ["sample"] * 4


shares = st.dictionaries(st.sampled_from(["x", "y", "*"]), st.floats(0, 1))
drawn_leaves = st.lists(
    st.builds(
        lambda text, kind, layout: sample(text, kind=kind, layout=layout),
        st.integers(0, 30).map(str),
        st.sampled_from("xyz"),
        st.sampled_from(["one", "two"]),
    )
    | st.just(Leaf("reject", (0, 0), "step", "no")),
    max_size=60,
)


@given(drawn_leaves, shares, shares, st.integers(1, 20))
def test_no_cap_and_no_count_is_ever_exceeded(
    leaves: list[Leaf], kinds: Mapping[str, float], layouts: Mapping[str, float], rows: int
) -> None:
    found = passed(leaves, [Cap("kind", kinds), Cap("layout", layouts)], rows)
    samples = [leaf for leaf, (verdict, _) in zip(leaves, found, strict=False) if verdict == "sample"]
    assert len(samples) <= rows
    assert len({leaf.sample["messages"][0]["content"] for leaf in samples}) == len(samples)
    for kind, count in Counter(leaf.sample["provenance"]["measures"]["kind"] for leaf in samples).items():
        assert count <= (rows if (bound := Cap("kind", kinds).bound(kind, rows)) is None else bound)
    for name, count in Counter(leaf.sample["layout"] for leaf in samples).items():
        assert count <= (rows if (bound := Cap("layout", layouts).bound(name, rows)) is None else bound)


def test_a_full_temporary_folder_stops_the_run_and_says_what_mends_it() -> None:
    script = """
import resource
from retroweave.pipeline.errors import RunStopped
from retroweave.pipeline.gate import Seen
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
seen = Seen()
seen._database.execute("pragma cache_size = 10")
try:
    for number in range(100_000):
        seen.add(number.to_bytes(200, "big"))
except RunStopped as stop:
    print(stop)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cannot be noted in the folder for temporary files" in done.stdout
    assert "SQLITE_TMPDIR" in done.stdout


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=80), st.integers(1, 5))
def test_what_was_seen_is_the_same_in_memory_and_on_disk(steps: list[tuple[bool, int]], newest: int) -> None:
    known: set[int] = set()
    with closing(Seen()) as seen, pytest.MonkeyPatch.context() as patched:
        patched.setattr(Seen, "NEWEST", newest)
        for forget, number in steps:
            if forget:
                seen.forget(bytes([number]))
                known.discard(number)
            else:
                assert seen.add(bytes([number])) == (number not in known)
                known.add(number)


@pytest.mark.parametrize("rows", [1, 3])
def test_an_empty_gate_is_not_full(rows: int) -> None:
    with closing(Gate([], rows)) as gate:
        assert not gate.full
