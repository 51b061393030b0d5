"""Damage is exactly what its record says, whatever the text."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retroweave.sources
from retroweave.corruptions.damage import OPERATIONS, WEIGHTS, damage, replay, undo
from retroweave.corruptions.prose import Prose
from retroweave.pipeline.errors import Drop, UserError


def listed(text: str) -> list[str]:
    return text.split()


NAMES = listed("""
foreign_span swapped_spans swapped_halves gibberish_span deleted_span stray_tag deleted_space doubled_word
stray_character shuffled_middle flipped_case stray_punctuation swapped_words changed_number homophone confused_word
wrong_agreement tense_slip dropped_function_word doubled_negative neighbour_key ocr_confusion mojibake run_on
split_sentence lost_paragraph_break stray_paragraph_break mangled_quotes mixed_up_names transposed_letters
dropped_letter
""")
UNRECOVERABLE = {"foreign_span", "gibberish_span", "deleted_span", "changed_number", "mixed_up_names"}

OTHER = "A heron stood in the reeds for most of that afternoon, and no boat came down the river to disturb it. " * 3
STORY = """It was a cold evening in the village, and the children weren't ready to go home. They were playing
at the edge of the forest, where the old road turned towards the sea. “Don’t stay too long,” said Anna’s mother.

She had three hundred reasons to worry, and she did not tell anyone about them. He asked Peter and Anna, and they \
went in and sat. Then \
Anna and Peter walked past the café, where 25 people sat in the window. It was 1984 – “or so”, they said.

"You're late," he said. Their shadows were longer than the trees, and one of the horses was gone. They have a lamp. \
Nobody had ever seen anything like it. The stars began to shine; the sky was clear.
"""
PASSAGES = [
    path.read_bytes().decode()
    for path in sorted((Path(retroweave.sources.__file__).parent / "passages").rglob("*.txt"))
]

WORDS = listed(
    "the a of to in their There its it's your they were was he has have She says walked said went and not did anything "
    "never wanted one end edge house houses want go Anna Peter Anna's three 1984 25 3,000 12th x don't don’t “cold” "
    '"cold" \'tis café cafe\u0301 e\u0301te\u0301 naïve über ß İstanbul ﬁne שלום العربية हिन्दी '
    "中文 日本語。 😀 👩‍👩‍👧 👍🏽 ❤️ `code` ``` "
    "https://example.org/their/there <b> </b> well-known e.g. Mr. & % {now} {{ }} \\ � \u200b \ufeff"
)
PHRASES = [
    "they were", "she has", "at the edge of the", "one of the boats", "began to walk", "did not see anything",
    "asked Anna and Peter", "with Peter and Anna’s", "it rained. The boat", "the end.\n\nNow it",
]  # fmt: skip
GAPS = [" ", " ", " ", " ", ". ", ", ", "; ", "\n", "\r\n", "\n\n", "\r\n\r\n", "\n\n\n", "  ", "\t", "—", "", "\u00a0"]
patchwork = st.lists(st.tuples(st.sampled_from(WORDS + PHRASES), st.sampled_from(GAPS)), max_size=80).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
texts = st.one_of(patchwork, patchwork, st.text(max_size=200), st.sampled_from([STORY, STORY.replace("\n", "\r\n")]))


def assert_the_record_is_exact(passage: str, damaged: str, log: list[dict[str, Any]]) -> None:
    """Walk through both texts at once: what the record does not name is the same, and apart."""
    assert replay(passage, log) == damaged
    assert undo(damaged, log) == passage
    assert damaged != passage
    assert json.loads(json.dumps(log)) == log
    clean = at = 0
    edits = sorted((edit for record in log for edit in record["edits"]), key=lambda edit: edit["start"])
    for order, edit in enumerate(edits):
        untouched = passage[clean : edit["start"]]
        assert untouched == damaged[at : edit["at"]]
        assert order == 0 or untouched
        assert passage[edit["start"] : edit["end"]] == edit["was"] != edit["now"]
        assert damaged[edit["at"] : edit["at"] + len(edit["now"])] == edit["now"]
        assert edit["line"] == len(damaged[: edit["at"]].split("\n"))
        clean, at = edit["end"], edit["at"] + len(edit["now"])
    assert passage[clean:] == damaged[at:]
    firsts = [record["edits"][0]["at"] for record in log]
    assert firsts == sorted(firsts)
    for record in log:
        kind = OPERATIONS[record["operation"]]
        assert (record["severity"], record["recoverable"]) == (kind.severity, kind.recoverable)


def test_the_operations_are_those_that_phrasings_are_written_for() -> None:
    assert set(OPERATIONS) == set(NAMES) == set(WEIGHTS)
    assert {name for name, kind in OPERATIONS.items() if not kind.recoverable} == UNRECOVERABLE
    assert all(1 <= kind.severity <= 5 for kind in OPERATIONS.values())


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None)
@given(text=texts, seed=st.integers(0, 2**32))
def test_an_operation_does_exactly_what_its_record_says_or_says_that_it_cannot(name: str, text: str, seed: int) -> None:
    try:
        damaged, log = damage(text, Random(seed), [OTHER], kinds={name: 1}, unrecoverable=1)
    except Drop:
        return
    assert {record["operation"] for record in log} == {name}
    assert all(len(record["edits"]) == (2 if name == "swapped_spans" else 1) for record in log)
    assert_the_record_is_exact(text, damaged, log)
    assert damage(text, Random(seed), [OTHER], kinds={name: 1}, unrecoverable=1) == (damaged, log)


@settings(max_examples=300, deadline=None)
@given(text=texts, seed=st.integers(0, 2**32))
def test_many_operations_together_do_exactly_what_their_record_says(text: str, seed: int) -> None:
    try:
        damaged, log = damage(text, Random(seed), [OTHER, text], most=30, fewest=1, unrecoverable=0.5)
    except Drop:
        return
    assert_the_record_is_exact(text, damaged, log)


def belongs_to_the_one_before(text: str, position: int) -> bool:
    return (
        unicodedata.combining(text[position]) > 0
        or text[position] in "\u200d\ufe0f🏽"
        or text[position - 1] == "\u200d"
    )


@settings(max_examples=300, deadline=None)
@given(text=texts, seed=st.integers(0, 2**32))
def test_no_edit_parts_a_letter_from_its_marks_or_an_emoji_from_its_parts(text: str, seed: int) -> None:
    try:
        _, log = damage(text, Random(seed), [OTHER], most=30)
    except Drop:
        return
    for edit in (edit for record in log for edit in record["edits"]):
        for position in (edit["start"], edit["end"]):
            assert position in (0, len(text)) or not belongs_to_the_one_before(text, position)


@pytest.mark.parametrize("name", NAMES)
def test_each_operation_can_act_on_passages_as_they_come(name: str) -> None:
    assert PASSAGES
    acted = 0
    for number, passage in enumerate(PASSAGES):
        try:
            damaged, log = damage(passage, Random(number), PASSAGES, kinds={name: 1}, unrecoverable=1)
        except Drop:
            continue
        assert_the_record_is_exact(passage, damaged, log)
        acted += 1
    assert acted > len(PASSAGES) / (8 if name in ("tense_slip", "lost_paragraph_break") else 4)


def test_two_operations_are_never_in_one_word() -> None:
    for seed in range(300):
        _, log = damage(STORY, Random(seed), [OTHER], most=30, fewest=5)
        edits = sorted((edit for record in log for edit in record["edits"]), key=lambda edit: edit["start"])
        for one, then in pairwise(edits):
            assert any(char.isspace() for char in STORY[one["end"] : then["start"]])


def test_a_passage_that_repeats_itself_is_damaged_where_the_record_says_and_not_at_the_first_match() -> None:
    sentence = "They were at the edge of the wood. "
    starts = set()
    for seed in range(200):
        passage = sentence * 20
        damaged, log = damage(passage, Random(seed), [], most=3, kinds={"homophone": 1, "swapped_words": 1})
        assert_the_record_is_exact(passage, damaged, log)
        starts |= {edit["start"] // len(sentence) for record in log for edit in record["edits"]}
    assert starts == set(range(20))


def test_an_operation_that_would_change_nothing_is_not_counted() -> None:
    with pytest.raises(Drop):
        damage("so so so so so so so so", Random(1), [], kinds={"swapped_words": 1})
    for seed in range(100):
        _, log = damage(
            "aaaaaa bbbbbb " * 10 + "abcdef", Random(seed), [], kinds={"shuffled_middle": 1, "flipped_case": 1}
        )
        assert all(edit["was"] != edit["now"] for record in log for edit in record["edits"])


def test_a_recorded_place_is_true_in_the_damaged_text_after_all_other_operations() -> None:
    moved = 0
    for seed in range(200):
        damaged, log = damage(STORY, Random(seed), [OTHER], fewest=5)
        for edit in (edit for record in log for edit in record["edits"]):
            assert damaged.startswith(edit["now"], edit["at"])
            moved += edit["at"] != edit["start"]
    assert moved > 400


def test_damage_to_one_text_leaves_no_trace_in_the_next() -> None:
    others = [STORY.upper(), OTHER, STORY.replace("Anna", "Zita"), STORY.replace("\n", "\r\n")]
    Prose.of.cache_clear()
    alone = [damage(STORY, Random(seed), []) for seed in range(30)]
    Prose.of.cache_clear()
    for seed in range(30):
        for other in others:
            damage(other, Random(seed), [STORY])
        assert damage(STORY, Random(seed), []) == alone[seed]


def test_the_number_of_operations_is_spread_evenly() -> None:
    counts = Counter(len(damage(STORY * 3, Random(seed), [OTHER])[1]) for seed in range(1000))
    assert set(counts) == set(range(1, 11))
    assert all(60 <= count <= 140 for count in counts.values())


def test_a_short_passage_gets_few_operations() -> None:
    short = "They were at the edge of the wood, and it was getting dark quite fast. They had not eaten all day."
    assert {len(damage(short, Random(seed), [])[1]) for seed in range(100)} == {1}


def test_the_fewest_and_the_most_operations_are_kept() -> None:
    counts = {len(damage(STORY, Random(seed), [], fewest=3, most=5)[1]) for seed in range(200)}
    assert counts == {3, 4, 5}


def test_a_passage_with_fewer_places_than_the_fewest_operations_is_dropped() -> None:
    assert len(damage("Their son and your tail.", Random(1), [], fewest=2, kinds={"homophone": 1})[1]) == 2
    with pytest.raises(Drop, match="too few places"):
        damage("Their cat and their dog.", Random(1), [], fewest=3, kinds={"homophone": 1})


def test_the_words_by_which_a_gap_is_named_are_there_and_no_other_operation_touches_them() -> None:
    gaps = 0
    for seed in range(300):
        damaged, log = damage(STORY, Random(seed), [OTHER], most=40, fewest=10, unrecoverable=0.5)
        for record in log:
            if OPERATIONS[record["operation"]].named_by == "neighbours":
                gaps += 1
                edit = record["edits"][0]
                end = edit["at"] + len(edit["now"])
                assert damaged[: edit["at"]].split()[-1] == STORY[: edit["start"]].split()[-1]
                assert damaged[end:].split()[0] == STORY[edit["end"] :].split()[0]
    assert gaps > 300


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_samples_with_unrecoverable_damage_is_kept(share: float) -> None:
    held = 0
    for seed in range(1000):
        _, log = damage(STORY, Random(seed), [OTHER], unrecoverable=share)
        lost = sum(not record["recoverable"] for record in log)
        assert lost <= 2
        held += lost > 0
    assert abs(held / 1000 - share) <= 0.04 * (0 < share < 1)


def test_only_the_kinds_with_a_weight_are_drawn_and_by_it() -> None:
    drawn: Counter[str] = Counter()
    for seed in range(300):
        _, log = damage(STORY, Random(seed), [], kinds={"dropped_letter": 9, "flipped_case": 3, "homophone": 0})
        drawn.update(record["operation"] for record in log)
    assert set(drawn) == {"dropped_letter", "flipped_case"}
    assert 2 < drawn["dropped_letter"] / drawn["flipped_case"] < 4


def test_the_order_in_which_kinds_are_written_does_not_matter() -> None:
    one = damage(STORY, Random(3), [], kinds={"dropped_letter": 1, "flipped_case": 2, "homophone": 3})
    assert one == damage(STORY, Random(3), [], kinds={"homophone": 3, "flipped_case": 2, "dropped_letter": 1})


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"homophones": 1}, "Did you mean 'homophone'?"),
        ({"homophone": -1}, "A weight is 0"),
        ({"homophone": 0}, "Give one to at least one"),
    ],
)
def test_kinds_that_cannot_be_drawn_by_are_refused(kinds: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        damage(STORY, Random(1), [], kinds=kinds)


@pytest.mark.parametrize("text", ["", " \n\n ", "1984, 25 — 3.5!", "😀 👩‍👩‍👧", "…\r\n…", "x" * 100_000])
def test_a_text_that_cannot_be_damaged_is_dropped(text: str) -> None:
    with pytest.raises(Drop):
        damage(text, Random(1), [OTHER])


@pytest.mark.parametrize(
    "text",
    [
        "They were at the edge of the wood and it was late " * 2_000,
        "." * 50_000 + " They were late. " + "?!" * 25_000,
        "They were late" + " " * 100_000 + "\nand cold",
        "` <a " * 20_000 + "they were late",
        "they were late" + "." * 100_000 + "x" + "”" * 50_000 + "x",
        "中文" * 50_000 + " they were late",
        "e" + "\u0301" * 100_000 + " they were late",
    ],
    ids=["words", "full stops", "spaces", "openings", "no end", "no spaces", "marks"],
)
def test_a_line_of_a_hundred_thousand_characters_takes_no_long_time(text: str) -> None:
    begun = process_time()
    for name in NAMES:
        try:
            damaged, log = damage(text, Random(1), [text], kinds={name: 1}, unrecoverable=1)
        except Drop:
            continue
        assert_the_record_is_exact(text, damaged, log)
    assert process_time() - begun < 5


def test_a_record_does_not_fit_another_text() -> None:
    damaged, log = damage(STORY, Random(1), [])
    with pytest.raises(ValueError, match="does not fit"):
        replay(STORY.replace("e", "ee"), log)
    with pytest.raises(ValueError, match="does not fit"):
        undo(damaged[::-1], log)
    with pytest.raises(ValueError, match="does not fit"):
        replay(STORY, [*log, *log])
