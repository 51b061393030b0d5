"""A diagnosis names every place truly, and its check tells a true one from a spoiled one."""

from __future__ import annotations

import copy
import re
from itertools import chain
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retroweave.sources
from retroweave.corruptions.damage import OPERATIONS, damage
from retroweave.corruptions.diagnosis import STYLES, diagnose, diagnosis_holds
from retroweave.corruptions.operation import VOICES
from retroweave.pipeline.errors import Drop, UserError

STORY = """It was a cold evening in the village, and the children weren't ready to go home. They were playing
at the edge of the forest, where the old road turned towards the sea. “Don’t stay too long,” said Anna’s mother.

She had three hundred reasons to worry, and she did not tell anyone about them. He asked Peter and Anna, and they \
went in and sat. Then \
Anna and Peter walked past the café,
where 25 people sat in the window. It was 1984 – “or so”, they said.

"You're late," he said. Their shadows were longer than the trees, and one of the horses was gone. They have a lamp. \
Nobody had ever seen anything like it. The stars began to shine; the sky was clear.
"""
OTHER = "A heron stood in the reeds for most of that afternoon, and no boat came down the river to disturb it. " * 3
PASSAGES = [
    path.read_bytes().decode()
    for path in sorted((Path(retroweave.sources.__file__).parent / "passages").rglob("*.txt"))
]
MAY_BE_TOLD = {
    "foreign_span": {"now"},
    "swapped_spans": {"now", "second_now", "second_line"},
    "swapped_halves": {"now", "was"},
    "gibberish_span": {"now"},
    "deleted_span": {"before", "after"},
    "stray_tag": {"now"},
    "changed_number": {"now"},
    "dropped_function_word": {"before", "after", "was"},
    "lost_paragraph_break": {"before", "after"},
    "stray_paragraph_break": {"before", "after"},
    "mixed_up_names": {"now"},
}

Log = list[dict[str, Any]]


def damaged_story(seed: int, **options: Any) -> tuple[str, Log]:
    return damage(STORY, Random(seed), [OTHER], unrecoverable=0.5, **options)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_has_many_phrasings_that_tell_only_what_can_be_known(name: str) -> None:
    voices = OPERATIONS[name].words
    phrasings = list(chain(*voices))
    assert len(voices) == len(VOICES)
    assert all(len(voice) >= 4 for voice in voices)
    assert len(set(phrasings)) == len(phrasings)
    allowed = {"line"} | MAY_BE_TOLD.get(name, {"now", "was"})
    for phrasing in phrasings:
        fields = {field for _, field, _, _ in Formatter().parse(phrasing) if field is not None}
        assert "line" in fields
        assert fields <= allowed
        assert fields & {"now", "before", "after"}


QUOTES = {"neutral": ("“", "”"), "imperative": ('"', '"'), "conversational": ("‘", "’")}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_voice_has_its_own_quotation_marks(name: str) -> None:
    for voice, phrasings in zip(VOICES, OPERATIONS[name].words, strict=True):
        opening, closing = QUOTES[voice]
        for phrasing in phrasings:
            bare = re.sub(f"{opening}{{(?:now|was|before|after|second_now)}}{closing}", "", phrasing)
            assert not re.search('[“”‘’"`«»‹›\\[\\]]|{(?!line}|second_line})', bare), phrasing


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_phrasing_is_a_sentence_and_no_log_line(name: str) -> None:
    for phrasing in chain(*OPERATIONS[name].words):
        assert re.search(r"^[A-Z“\"‘].*[.?!]$", phrasing), phrasing
        assert not re.search(r"[-=]>|<->|\b[Ll]\.? ?{", phrasing), phrasing


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_phrasing_is_another_with_right_and_wrong_changed_round(name: str) -> None:
    phrasings = set(chain(*OPERATIONS[name].words))
    for one, other in (("{now}", "{was}"), ("{before}", "{after}"), ("{now}", "{second_now}")):
        for phrasing in phrasings:
            turned = phrasing.replace(one, "\0").replace(other, one).replace("\0", other)
            assert turned == phrasing or turned not in phrasings, phrasing


def test_a_confused_word_is_never_said_to_sound_like_the_other() -> None:
    sound = re.compile("sound|hear|voice|pronounc|aloud|spoken|speak|homophon|homonym|dictat|\\bears?\\b|\\bsay")
    for phrasing in chain(*OPERATIONS["confused_word"].words):
        assert not sound.search(phrasing), phrasing


def test_a_diagnosis_in_plain_words_does_not_repeat_itself() -> None:
    for seed in range(60):
        damaged, log = damaged_story(seed, fewest=3, most=4, kinds={"dropped_letter": 1})
        items = diagnose(log, damaged, "plain", Random(seed)).split("\n")
        wordings = {
            phrasing
            for phrasing in chain(*OPERATIONS["dropped_letter"].words)
            if any(re.search(re.sub(r"\\{\w+\\}", ".+", re.escape(phrasing)) + "$", item) for item in items)
        }
        assert len(wordings) == len(items)


def test_a_diagnosis_in_plain_words_speaks_in_one_voice() -> None:
    voices = {
        phrasing: voice for kind in OPERATIONS.values() for voice, own in enumerate(kind.words) for phrasing in own
    }
    seen = set()
    for seed in range(60):
        damaged, log = damaged_story(seed, fewest=4)
        items = [
            re.sub(r"^(?:[-*]|\d+\.) ", "", item) for item in diagnose(log, damaged, "plain", Random(seed)).split("\n")
        ]
        spoken = [
            {
                voice
                for phrasing, voice in voices.items()
                if phrasing in chain(*OPERATIONS[own["operation"]].words)
                and re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(phrasing)), item)
            }
            for own, item in zip(log, items, strict=True)
        ]
        common = set.intersection(*spoken)
        assert common
        seen |= common
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_diagnosis_of_each_operation_in_each_style_holds(name: str, style: str) -> None:
    for seed in range(40):
        damaged, log = damaged_story(seed, kinds={name: 1}) if OPERATIONS[name].recoverable else lossy(name, seed)
        diagnosis = diagnose(log, damaged, style, Random(seed))
        assert diagnosis_holds(diagnosis, log, damaged, STORY), diagnosis


def lossy(name: str, seed: int) -> tuple[str, Log]:
    return damage(STORY, Random(seed), [OTHER], unrecoverable=1, kinds={name: 1})


def test_a_diagnosis_of_every_passage_holds() -> None:
    assert PASSAGES
    for number, passage in enumerate(PASSAGES * 3):
        rng = Random(number)
        damaged, log = damage(passage, rng, PASSAGES, unrecoverable=0.3)
        diagnosis = diagnose(log, damaged, STYLES[number % 3], rng)
        assert diagnosis_holds(diagnosis, log, damaged, passage), diagnosis
        assert len(diagnosis.split("\n")) == len(log)


PIECES = """
the of to their its you're they were was she said walked did not anything one edge house go Anna Peter 1984 three
don’t “cold” "cold" ('tis) café e\u0301te\u0301 שלום 中文日本語 हिन्दी 👩‍👩‍👧 [...] … {now} `a` x-y well-known \u200b
"""
GAPS = [" ", " ", " ", " ", ". ", ", ", "\n", "\r\n", "\n\n", "\r\n\r\n", "  ", "—", "", " … ", "\u00a0", "\x85"]


@settings(max_examples=400, deadline=None)
@given(
    text=st.one_of(
        st.lists(
            st.tuples(st.sampled_from([*PIECES.split(), "\u2028", "\x1c"]), st.sampled_from(GAPS)),
            min_size=5,
            max_size=80,
        ).map(lambda pairs: "".join(word + gap for word, gap in pairs)),
        st.text(max_size=200),
    ),
    style=st.sampled_from(STYLES),
    seed=st.integers(0, 2**32),
)
def test_a_diagnosis_of_any_text_holds(text: str, style: str, seed: int) -> None:
    rng = Random(seed)
    try:
        damaged, log = damage(text, rng, [OTHER], unrecoverable=0.3, most=20)
    except Drop:
        return
    diagnosis = diagnose(log, damaged, style, rng)
    assert diagnosis_holds(diagnosis, log, damaged, text), diagnosis


def test_the_styles_look_as_a_reader_is_told() -> None:
    clean = "The kettle was cold.\nIt sang to itself for a while."
    log: Log = [
        record("swapped_words", edit(11, 19, "was cold", "cold was", 11, 1)),
        record("deleted_span", edit(38, 50, " for a while", "", 38, 2)),
    ]
    damaged = clean[:11] + "cold was" + clean[19:38] + clean[50:]
    assert diagnose(log, damaged, "offset", Random(1)) == (
        "- offset 11: swapped_words: “cold was”\n- offset 38: deleted_span: between “It sang to itself” and “.”"
    )
    assert diagnose(log, damaged, "named", Random(1)) == (
        '- line 1: swapped_words: "cold was"\n- line 2: deleted_span: between "It sang to itself" and "."'
    )
    plain = diagnose(log, damaged, "plain", Random(1))
    assert "cold was" in plain
    assert "for a while" not in plain
    with pytest.raises(UserError, match="There is no diagnosis style 'terse'"):
        diagnose(log, damaged, "terse", Random(1))


def record(name: str, *edits: dict[str, Any]) -> dict[str, Any]:
    kind = OPERATIONS[name]
    return {"operation": name, "severity": kind.severity, "recoverable": kind.recoverable, "edits": list(edits)}


def edit(start: int, end: int, was: str, now: str, at: int, line: int) -> dict[str, Any]:
    return {"start": start, "end": end, "was": was, "now": now, "at": at, "line": line}


LONG_NOW = "seven eight nine ten eleven twelve thirteen one two three four\nfive six"


@pytest.mark.parametrize(
    ("name", "text", "quote"),
    [
        ("neighbour_key", "He said (“t[h|g]ere”), so.", "tgere"),
        ("dropped_letter", "A—t[h|]ere, so.", "A—tere"),
        ("doubled_word", "It is the[| the] end.", "the the"),
        ("mangled_quotes", "It is “so,[”|?] he said.", "so,?"),
        ("stray_tag", "It is [|<b>]so.", "<b>"),
        ("split_sentence", "It is\nso[ h|. H]ere, today.", "so. Here"),
        ("transposed_letters", "cafe\u0301s, c[ae|ea]s, there", "ceas"),
        ("dropped_letter", "so, c[a|]fe\u0301, there", "cfe\u0301"),
        ("swapped_words", "It is (£[3.50 the|the 3.50] pot).", "£the 3.50"),
        ("swapped_words", "It is [the 20|20 the]%, so.", "20 the%"),
        ("flipped_case", "It is (€5[m|M]), so.", "€5M"),
        ("neighbour_key", "To “#o[n|m]e”, so.", "#ome"),
        ("swapped_halves", f"x [one two|{LONG_NOW}] y", "seven eight nine ten … two three four five six"),
    ],
)
def test_a_quote_is_the_whole_words_round_the_edit_and_is_told_at_its_own_offset(
    name: str, text: str, quote: str
) -> None:
    before, was, now, after = re.split(r"[\[|\]]", text)
    clean, damaged = before + was + after, before + now + after
    line = before.count("\n") + 1
    log = [record(name, edit(len(before), len(before) + len(was), was, now, len(before), line))]
    found = re.fullmatch(f"- offset (\\d+): {name}: “(.*)”", diagnose(log, damaged, "offset", Random(1)))
    assert found is not None
    assert found[2] == quote
    assert damaged[int(found[1]) :].startswith(quote.split(" … ")[0])
    assert diagnosis_holds(found[0], log, damaged, clean)


def test_plain_items_vary_their_marker_by_sample_and_number_in_order() -> None:
    damaged, log = damaged_story(3, fewest=3)
    markers = set()
    for seed in range(40):
        items = diagnose(log, damaged, "plain", Random(seed)).split("\n")
        marks = [item.split(" ")[0] for item in items]
        assert marks in (["-"] * len(log), ["*"] * len(log), [f"{number}." for number in range(1, len(log) + 1)])
        markers.add(marks[0])
    assert markers == {"-", "*", "1."}


# What must be rejected


def samples(style: str) -> list[tuple[str, Log, str, int]]:
    found = []
    for seed in range(150):
        damaged, log = damaged_story(seed, fewest=2)
        diagnosis = diagnose(log, damaged, style, Random(seed))
        assert diagnosis_holds(diagnosis, log, damaged, STORY)
        found.append((damaged, log, diagnosis, seed))
    return found


@pytest.mark.parametrize("style", ["named", "plain"])
def test_a_wrong_line_number_is_rejected(style: str) -> None:
    for damaged, log, diagnosis, seed in samples(style):
        for number in range(len(log)):
            for order in range(len(log[number]["edits"])):
                wrong = copy.deepcopy(log)
                wrong[number]["edits"][order]["line"] += 1 if seed % 2 else -1
                spoiled = diagnose(wrong, damaged, style, Random(seed))
                assert spoiled != diagnosis
                assert not diagnosis_holds(spoiled, log, damaged, STORY), spoiled


def test_a_wrong_offset_is_rejected() -> None:
    for damaged, log, diagnosis, _ in samples("offset"):
        for offset in re.finditer(r"(?<=offset )\d+", diagnosis):
            for wrong in (int(offset[0]) + 1, int(offset[0]) - 1, 0):
                if wrong != int(offset[0]):
                    spoiled = diagnosis[: offset.start()] + str(wrong) + diagnosis[offset.end() :]
                    assert not diagnosis_holds(spoiled, log, damaged, STORY), spoiled


@pytest.mark.parametrize("style", STYLES)
def test_a_missing_or_an_added_item_is_rejected(style: str) -> None:
    for damaged, log, diagnosis, _ in samples(style):
        items = diagnosis.split("\n")
        for number in range(len(items)):
            assert not diagnosis_holds("\n".join(items[:number] + items[number + 1 :]), log, damaged, STORY)
            assert not diagnosis_holds(
                "\n".join(items[:number] + items[number:][:1] + items[number:]), log, damaged, STORY
            )
        assert not diagnosis_holds("", log, damaged, STORY)
        assert not diagnosis_holds(diagnosis + "\n", log, damaged, STORY)


@pytest.mark.parametrize("style", STYLES)
def test_swapped_items_are_rejected(style: str) -> None:
    swaps = 0
    for damaged, log, diagnosis, _ in samples(style):
        items = [re.sub(r"^\d+\. ", "- ", item) for item in diagnosis.split("\n")]
        if items[0][0] == "*":
            continue
        assert diagnosis_holds("\n".join(items), log, damaged, STORY)
        for number in range(len(items) - 1):
            if style == "plain" and log[number]["operation"] == log[number + 1]["operation"]:
                continue  # the same words may have been damaged alike twice on one line
            swapped = [*items[:number], items[number + 1], items[number], *items[number + 2 :]]
            if swapped != items:
                swaps += 1
                assert not diagnosis_holds("\n".join(swapped), log, damaged, STORY), swapped
    assert swaps > 200


@pytest.mark.parametrize("style", STYLES)
def test_a_changed_quote_is_rejected(style: str) -> None:
    """Quote from a text in which one letter of the quoted words is another."""
    changed = 0
    for damaged, log, diagnosis, seed in samples(style):
        for number in range(len(log)):
            for place in (log[number]["edits"][0]["at"], log[number]["edits"][0]["at"] - 1):
                if damaged[place].isspace():
                    continue
                other = damaged[:place] + ("Q" if damaged[place] != "Q" else "X") + damaged[place + 1 :]
                spoiled = diagnose(log, other, style, Random(seed)).split("\n")
                items = diagnosis.split("\n")
                if spoiled[number] != items[number]:
                    changed += 1
                    items[number] = spoiled[number]
                    assert not diagnosis_holds("\n".join(items), log, damaged, STORY), items[number]
    assert changed > 500


@pytest.mark.parametrize("style", STYLES)
def test_a_quote_with_a_word_or_a_letter_less_or_more_is_rejected(style: str) -> None:
    for damaged, log, _, seed in samples(style)[:60]:
        for number, own in enumerate(log):
            if own["operation"] not in ("homophone", "tense_slip", "wrong_agreement", "swapped_words"):
                continue
            place = own["edits"][0]
            for now in (place["now"][:-1], place["now"][1:], place["now"] + " Q", place["now"] + "s"):
                wrong = copy.deepcopy(log)
                wrong[number]["edits"][0]["now"] = now
                at = place["at"]
                other = damaged[:at] + now + damaged[at + len(place["now"]) :]
                item = diagnose(wrong[number : number + 1], other, style, Random(seed))
                if now + " " in item + " " or style != "plain":
                    assert not diagnosis_holds(item, log[number : number + 1], damaged, STORY)


def test_right_words_that_were_not_there_are_rejected() -> None:
    checked = 0
    for damaged, log, diagnosis, seed in samples("plain"):
        items = diagnosis.split("\n")
        for number, own in enumerate(log):
            wrong = copy.deepcopy(log)
            wrong[number]["edits"][0]["was"] += "q"
            spoiled = diagnose(wrong, damaged, "plain", Random(seed)).split("\n")[number]
            if spoiled != items[number]:
                assert own["recoverable"]
                checked += 1
                assert not diagnosis_holds(
                    "\n".join([*items[:number], spoiled, *items[number + 1 :]]), log, damaged, STORY
                )
    assert checked > 100


@pytest.mark.parametrize("quote", ["tger", "gere", "g", "gere, so", "said tgere", "tgere, so", "tgtere", "tg … ere"])
def test_a_quote_of_less_or_more_than_the_whole_word_is_rejected(quote: str) -> None:
    clean, damaged = "He said there, so.", "He said tgere, so."
    log = [record("neighbour_key", edit(9, 10, "h", "g", 9, 1))]
    assert diagnosis_holds('- line 1: neighbour_key: "tgere"', log, damaged, clean)
    assert not diagnosis_holds(f'- line 1: neighbour_key: "{quote}"', log, damaged, clean)


def test_a_quote_without_the_sign_of_its_number_is_rejected() -> None:
    clean, damaged = "It is a £3.50 pot.", "It is a £3.5O pot."
    log = [record("ocr_confusion", edit(12, 13, "0", "O", 12, 1))]
    assert diagnosis_holds('- line 1: ocr_confusion: "£3.5O"', log, damaged, clean)
    assert not diagnosis_holds('- line 1: ocr_confusion: "3.5O"', log, damaged, clean)


def test_a_phrasing_that_would_tell_what_nobody_can_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged, log = lossy("changed_number", 1)
    monkeypatch.setitem(OPERATIONS["changed_number"].__dict__, "words", (("line {line}: not {was}",),) * 3)
    with pytest.raises(UserError, match="the placeholder 'was', which that operation cannot tell"):
        diagnose(log, damaged, "plain", Random(1))


def test_now_and_was_told_the_wrong_way_round_are_rejected() -> None:
    clean, damaged = "The knight was dark.", "The night was dark."
    log = [record("homophone", edit(4, 10, "knight", "night", 4, 1))]
    for phrasing in chain(*OPERATIONS["homophone"].words):
        right = "- " + phrasing.replace("{line}", "1").replace("{now}", "night").replace("{was}", "knight")
        wrong = "- " + phrasing.replace("{line}", "1").replace("{now}", "knight").replace("{was}", "night")
        assert diagnosis_holds(right, log, damaged, clean)
        assert not diagnosis_holds(wrong, log, damaged, clean)


def test_an_item_in_words_that_no_phrasing_has_is_rejected() -> None:
    clean, damaged = "The knight was dark.", "The night was dark."
    log = [record("homophone", edit(4, 10, "knight", "night", 4, 1))]
    assert diagnosis_holds('- line 1: homophone: "night"', log, damaged, clean)
    for spoiled in (
        '- line 1: tense_slip: "night"',
        '+ line 1: homophone: "night"',
        'line 1: homophone: "night"',
        "- offset 4: homophone: “night”\n",
        '2. line 1: homophone: "night"',
        "- Something is wrong with “night” in line 1.",
    ):
        assert not diagnosis_holds(spoiled, log, damaged, clean)


def test_operations_that_do_not_lead_to_the_damaged_text_are_rejected() -> None:
    for damaged, log, diagnosis, _ in samples("named")[:30]:
        assert not diagnosis_holds(diagnosis, log, damaged + " ", STORY)
        assert not diagnosis_holds(diagnosis, log, damaged, STORY + " ")
        assert not diagnosis_holds(diagnosis, log, STORY, STORY)
        moved = copy.deepcopy(log)
        moved[0]["edits"][0]["start"] += 1
        assert not diagnosis_holds(diagnosis, moved, damaged, STORY)
        backward = diagnose(log[::-1], damaged, "named", Random(1))
        assert not diagnosis_holds(backward, log[::-1], damaged, STORY)
