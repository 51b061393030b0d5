"""Counts of a survey are exact, whatever the numbers, and its memory does not grow with the run."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.export.asked import call, turned_away, verdict

from retroweave.export.dataset import DatasetWriter
from retroweave.export.excerpt import shorten, visible
from retroweave.export.survey import Bar, Judged, Sources, Spread, Survey, Tally, survey

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

wholes = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=200)
decimals = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=200)


def _spread(values: list[Any]) -> Spread:
    spread = Spread()
    for value in values:
        spread.add(value)
    return spread


@given(wholes | st.lists(st.integers(0, 30), min_size=1, max_size=300) | decimals)
def test_every_number_stands_in_one_bar(values: list[Any]) -> None:
    bars = _spread(values).bars()
    assert sum(bar.count for bar in bars) == len(values)
    assert 1 <= len(bars) <= 23


@given(st.lists(st.integers(0, 2_000_000), min_size=2, max_size=300))
def test_a_bar_holds_just_the_whole_numbers_that_its_label_names(values: list[int]) -> None:
    for bar in _spread(values).bars():
        low, dash, high = bar.label.replace(",", "").partition("–")
        if low.endswith("+"):
            assert bar.count == sum(value >= int(low.split()[0]) for value in values)
        else:
            assert bar.count == sum(int(low) <= value <= int(high if dash else low) for value in values)


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=300), st.sampled_from([0.25, 0.5, 0.95, 1.0]))
def test_quantiles_are_exact_while_there_are_few_numbers(values: list[int], share: float) -> None:
    ranked = sorted(values)
    expected = next(value for place, value in enumerate(ranked, 1) if place >= share * len(values))
    assert _spread(values).quantile(share) == expected


def test_many_different_numbers_are_counted_in_wider_steps_and_none_is_lost() -> None:
    rng = random.Random(1)
    values = [rng.lognormvariate(8, 2) for _ in range(50_000)]
    spread = _spread(values)
    ranked = sorted(values)
    assert sum(bar.count for bar in spread.bars()) == 50_000
    assert spread.quantile(0.5) == pytest.approx(ranked[25_000], abs=(ranked[-1] - ranked[0]) / 200)
    assert (spread.low, spread.high) == (ranked[0], ranked[-1])


def test_a_far_tail_is_one_bar() -> None:
    bars = _spread([*range(100), *range(100), 1_000_000]).bars()
    assert bars[-1] == Bar("95 +", 11)


def test_one_number_is_one_bar() -> None:
    assert _spread([0.25, 0.25]).bars() == [Bar("0.25", 2)]
    assert [bar.count for bar in _spread([*[0] * 995, *[1] * 5]).bars()] == [995, 5]


@given(st.lists(st.integers(0, 400).map(str), max_size=600), st.integers(2, 40))
def test_a_tally_loses_no_string_and_shows_no_more_bars_than_asked(words: list[str], limit: int) -> None:
    tally = Tally()
    for word in words:
        tally.add(word)
    bars = tally.bars(limit)
    counts = Counter(words)
    assert sum(bar.count for bar in bars) == len(words)
    assert len(bars) <= limit
    assert len(tally.counts) <= 200
    if len(counts) <= limit:
        assert {bar.label: bar.count for bar in bars} == counts


def test_measures_are_numbers_words_lists_of_words_and_yes_or_no(make_run: MakeRun) -> None:
    found = survey(make_run())
    assert set(found.numbers) == {"operations", "severity", "distance"}
    assert set(found.words) == {"kinds", "recoverable"}
    assert found.words["kinds"].total == found.numbers["operations"].total
    assert found.words["recoverable"].total == found.samples == 40
    assert found.origins.counts == {"builtin:letters": 40}
    assert found.trained_last_only


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        ("builtin:letters/x.txt", "builtin:letters"),
        ("builtin:letters/x.txt, line 3, character 9", "builtin:letters"),
        ("builtin:x.txt", "builtin"),
        ("mine/a/b.jsonl, record 3, line 3", "mine/a/b.jsonl"),
        ("crlf.jsonl, record 10, line 10, from character 4", "crlf.jsonl"),
        ("salt, pepper/a.txt, line 1", "salt, pepper/a.txt"),
        ("table/row 7", "table"),
        ("the time 00:00", "the time 00:00"),
    ],
)
def test_places_are_grouped_by_the_file_of_ones_own_and_by_the_folder_of_others(
    make_sample: MakeSample, place: str, origin: str
) -> None:
    found = Survey()
    sample = make_sample(1)
    sample["provenance"]["source"]["place"] = place
    found.add(sample)
    assert found.origins.counts == {origin: 1}


@given(st.lists(st.tuples(st.integers(0, 20).map(str), st.integers(0, 9)), min_size=1))
def test_source_rows_are_counted_once_however_often_they_are_drawn(draws: list[tuple[str, int]]) -> None:
    sources = Sources()
    for key, draw in draws:
        sources.add(key, draw)
    assert sources.count == len({key for key, _ in draws})
    assert sources.passes == 1 + max(draw for _, draw in draws)


def test_the_number_of_source_rows_is_said_in_words() -> None:
    sources = Sources()
    sources.add("a", 0)
    assert str(sources) == "1 source row, drawn once"
    sources.add("b", 11)
    assert str(sources) == "2 source rows, each drawn up to 12 times"
    for number in range(100_000):
        sources.add(str(number), 0)
    assert str(sources) == "more than 100,000 source rows, each drawn up to 12 times"


def test_a_number_that_is_missing_or_no_number_is_left_out(make_sample: MakeSample) -> None:
    found = Survey()
    sample = make_sample(1) | {"split": "train"}
    sample["provenance"]["measures"] = {"score": None, "rate": float("nan"), "far": float("inf")}
    found.add(sample)
    assert (found.numbers, found.words) == ({}, {})


def test_examples_come_from_each_layout_and_readable_ones_first(make_sample: MakeSample) -> None:
    found = Survey()
    long = [{"role": "assistant", "content": "x" * 100_000, "train": True}]
    for number in range(60):
        fields = {"messages": long} if number % 2 else {}
        found.add(make_sample(number, layout=["git", "unified", "asked"][number % 3], **fields) | {"split": "train"})
    chosen = found.choose(6)
    assert Counter(sample["layout"] for sample in chosen) == {"git": 2, "unified": 2, "asked": 2}
    assert all(len(sample["messages"]) > 1 for sample in chosen)
    assert len({sample["id"] for sample in chosen}) == 6


def test_examples_show_their_damage_where_the_layout_has_any_that_do(make_sample: MakeSample) -> None:
    found = Survey()
    for number in range(60):
        sample = make_sample(number, layout=["git", "unified"][number % 2])
        if sample["layout"] == "unified" or number % 10:
            sample["provenance"]["spans"] = {}
        found.add(sample)
    chosen = found.choose(4)
    assert [(one["layout"], bool(one["provenance"]["spans"])) for one in chosen] == [
        ("git", True),
        ("unified", False),
        ("git", True),
        ("unified", False),
    ]


def test_a_hundred_thousand_different_numbers_and_strings_take_little_memory() -> None:
    tracemalloc.start()
    spread, tally = Spread(), Tally()
    for number in range(100_000):
        spread.add(number * 1.7)
        tally.add(str(number))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert tally.bars(3) == [Bar("0", 1), Bar("1", 1), Bar("all others", 99_998)]


def test_memory_is_flat(tmp_path: Path, make_sample: MakeSample) -> None:
    peaks = []
    for rows in (2_000, 8_000):
        directory = tmp_path / str(rows)
        directory.mkdir()
        with DatasetWriter(directory) as writer:
            for number in range(rows):
                one = make_sample(number % 50)
                one["id"] = f"{number:032x}"
                one["provenance"]["measures"] |= {"unique": str(number), "number": number / 7}
                writer.write("train", one)
        tracemalloc.start()
        assert survey(directory).samples == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


@given(st.text())
def test_visible_text_has_as_many_characters_and_no_control_but_newline_and_tab(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown)
    assert not any("\x7f" <= character <= "\x9f" for character in shown)


def test_a_lone_surrogate_and_a_bidirectional_override_become_replacement_characters() -> None:
    assert visible("a\ud800b\u202ec\x00\r\n") == "a\ufffdb\ufffdc␀␍\n"


@given(st.text("ab\n", max_size=300), st.integers(1, 200))
def test_a_shortened_text_is_its_beginning_and_its_end(text: str, limit: int) -> None:
    head, left_out, tail = shorten(text, limit)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + left_out + len(tail) == len(text)
    assert len(head) + len(tail) <= limit
    assert bool(left_out) == (len(text) > limit)


def test_what_a_judge_said_is_counted_over_samples_and_rejects(make_asked: MakeSample, make_run: MakeRun) -> None:
    samples = [make_asked(number, [call("ask", f"{number}", "?")], [verdict(0.9, True)]) for number in range(3)]
    rejects = [
        turned_away("0/0/0", [call("ask", "0", "a")], [verdict(0.45, False)]),
        turned_away("0/0/1", [call("ask", "0", "b")], [verdict(0.0, False), verdict(None, False, "other")]),
    ]
    found = survey(make_run(samples, rejects)).judges
    judged = found["answerable"]
    assert (judged.verdicts, judged.passed, judged.share) == (5, 3, 0.6)
    assert judged.mean == pytest.approx((3 * 0.9 + 0.45) / 5)
    assert {place: n for place, n in enumerate(judged.accepted) if n} == {18: 3}
    assert {place: n for place, n in enumerate(judged.rejected) if n} == {0: 1, 9: 1}
    assert (found["other"].verdicts, found["other"].scored, found["other"].mean) == (1, 0, None)


def test_a_verdict_that_several_rows_have_in_common_is_counted_once_and_equal_ones_are_not_taken_for_it(
    make_asked: MakeSample, make_run: MakeRun
) -> None:
    asked = [call("ask", "0", "Why?"), call("answerable", "0", "Yes", "judge")]
    fanned_out = [make_asked(0, [*asked, call("answer", "0", text)], [verdict(0.9, True)], row=0) for text in "ab"]
    other = [call("ask", "0", "Who?"), call("answerable", "0", "Yes", "judge")]
    rejects = [turned_away("0/0/2", other, [verdict(0.9, True), verdict(0.1, False, "last")])]
    next_row = make_asked(1, asked, [verdict(0.9, True)])
    found = survey(make_run([*fanned_out, next_row], rejects)).judges
    assert found["answerable"].verdicts == 3
    assert found["last"].verdicts == 1


def test_tries_that_were_rejected_alike_are_several_verdicts(make_asked: MakeSample, make_run: MakeRun) -> None:
    same = [turned_away(f"0/0/{number}", [call("ask", "0", "Eh?")]) for number in range(3)]
    assert survey(make_run([make_asked(0, [])], same)).judges["answerable"].verdicts == 4


def test_verdicts_are_counted_alike_in_the_run_and_when_its_files_are_read(
    make_asked: MakeSample, make_run: MakeRun
) -> None:
    samples = [make_asked(number, [call("ask", f"{number}", "?")]) for number in range(30)]
    rejects = [turned_away(f"0/{number}/0", [call("ask", f"{number}", "a")]) for number in range(30)]
    here = Survey()
    for sample, reject in zip(samples, rejects, strict=True):
        here.add(sample)
        here.reject(reject)
    there = survey(make_run(samples, rejects))
    for name in ("verdicts", "passed", "accepted", "rejected", "mean"):
        assert getattr(here.judges["answerable"], name) == getattr(there.judges["answerable"], name)


@pytest.mark.parametrize(
    ("parts", "sampled"),
    [
        ({"method": "logprobs"}, {}),
        ({"method": "sampled 8"}, {8: 1}),
        ({"method": "logprobs, sampled 5"}, {5: 1}),
        ({"fits": {"parts": {"method": "sampled 8"}}, "reads": {"parts": {"method": "sampled 8"}}}, {8: 1}),
        ({"method": 3, "items": [{"method": "sampled 9"}]}, {}),
    ],
)
def test_answers_that_were_sampled_are_found_in_the_parts_of_a_score(
    parts: dict[str, Any], sampled: dict[int, int]
) -> None:
    judged = Judged()
    judged.add(verdict(0.5, True, **parts))
    assert judged.sampled == sampled


@given(st.lists(st.floats(-0.5, 1.5) | st.sampled_from([0.0, 0.05, 0.95, 1.0, float("nan"), float("inf")])))
def test_every_score_stands_in_one_step(scores: list[float]) -> None:
    judged = Judged()
    for score in scores:
        judged.add(verdict(score, score > 0.5))
    assert sum(judged.accepted) + sum(judged.rejected) == judged.scored == sum(map(isfinite, scores))
    assert judged.verdicts == len(scores)
