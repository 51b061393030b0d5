"""Prosody agrees with lines that were scanned by hand, tells verse from prose, and says where it only guesses."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.judges.prosody import FORMS, measure_of, metre, prosody, read_line, read_measure, rhyme, scan, worse
from retroweave.pipeline.errors import UserError
from retroweave.sources.poems import poems

pytest.importorskip("pronouncing")

VERSE = """They gave me Harry's Sunday coat
and turnips for a head.
The crows come down to pass the time.
They talk to me of bread."""
PROSE = """I am a scarecrow who is standing in the field by myself,
I have on an old coat that belonged to Harry,
and the crows come down and sit close to me sometimes.
I often wonder what it is they are talking about."""

# By hand: x is an unstressed syllable, / a stressed one.
SCANNED = [
    ("iambic", 5, "The range wants riddling twice a day, at six"),  # x / x / x / x / x /
    ("iambic", 5, "at somebody's old poster. No one rings."),  # x / x x x / x / x /
    ("iambic", 5, "paraffin, rope, the oil they used on clocks."),  # / x x / x / x / x /
    ("iambic", 4, "and wipes the counter with a cloth"),  # x / x / x / x /
    ("iambic", 3, "he'd never seen a river"),  # x / x / x / x
    ("trochaic", 4, "Polly Parrow had a whistle"),  # / x / x / x / x
    ("trochaic", 4, "In the pail she kept a whale"),  # / x / x / x /
    ("anapaestic", 3, "and a girl who just lets out a groan"),  # x x / x x / x x /
    ("anapaestic", 3, "A spider who lived in our phone"),  # x / x x / x x /
    ("anapaestic", 2, "where, at bar nine or ten"),  # x x / x x /
    ("dactylic", 4, "One for the heron and two for the rook"),  # / x x / x x / x x /
]


@pytest.mark.parametrize(("kind", "feet", "line"), SCANNED)
def test_a_line_that_scans_by_hand_scans_best_in_its_own_metre(kind: str, feet: int, line: str) -> None:
    read = read_line(line)
    others = [(other, count) for other in ("iambic", "trochaic", "anapaestic", "dactylic") for count in (2, 3, 4, 5)]
    found = {one: metre(read, *one) for one in others}
    assert found[kind, feet] >= 0.7
    assert found[kind, feet] == max(found.values())


@pytest.mark.parametrize(
    "line",
    [
        "The committee will meet again on Thursday afternoon",
        "He was born in a small town near the Hungarian border",
        "Nobody in the office had thought of ordering more paper",
        "Several passengers complained about the heating",
    ],
)
def test_a_line_of_prose_does_not_pass_for_a_pentameter(line: str) -> None:
    assert metre(read_line(line), "iambic", 5) < 0.7


@pytest.mark.parametrize(
    ("line", "syllables"),
    [
        ("the snail takes all night", (5, 5)),
        ("every flower", (3, 5)),  # ev'ry flow'r, or each of their syllables
        ("fire", (1, 2)),
        ("a half-open door", (5, 5)),
        ("the neighbour's grey colour", (6, 6)),  # British spellings are looked up as American ones
        ("", (0, 0)),
    ],
)
def test_syllables_are_counted_from_the_fewest_to_the_most_that_there_may_be(
    line: str, syllables: tuple[int, int]
) -> None:
    assert read_line(line).syllables == syllables


def test_a_word_that_the_dictionary_lacks_is_estimated_and_said_to_be_unknown() -> None:
    line = read_line("the grindlebrock was smeckered by the tidemill")
    assert line.unknown == ("grindlebrock", "smeckered", "tidemill")
    assert line.syllables == (11, 11)
    assert scan("a frumious grindlebrock", "iambic 3")["unknown"] == ["frumious", "grindlebrock"]


@pytest.mark.parametrize(
    ("one", "other", "rhymes"),
    [
        ("through", "shoe", True),
        ("tough", "dough", False),
        ("vermin", "sermon", True),
        ("Year", "here", True),
        ("again", "rain", True),
        ("again", "ten", True),
        ("window", "shadow", False),
        ("chair", "chair", False),
        ("sprat", "cat", True),  # the dictionary has no sprat
        ("grindlebrock", "rindlebrock", True),
        ("", "cat", False),
    ],
)
def test_rhyme_goes_by_sound_and_by_spelling_where_there_is_none(one: str, other: str, rhymes: bool) -> None:
    assert rhyme(one, other) is rhymes
    assert rhyme(other, one) is rhymes


@pytest.mark.parametrize("row", list(poems().rows()), ids=lambda row: row.fields["title"])
def test_each_built_in_poem_keeps_what_its_form_promises(row: Any) -> None:
    measure = row.fields["measure"] or measure_of(row.fields["form"])
    if not measure:
        assert row.fields["form"] in ("free verse", "prose poem")
        return
    found = scan(row.fields["poem"], measure)
    assert found["lines"] == 1
    assert found.get("rhyme", 1) == 1
    assert found.get("metre", 1) >= (1 if "syllables" in measure else 0.88)


def test_the_same_said_in_prose_keeps_the_form_measurably_less_well() -> None:
    measure = FORMS["ballad"]
    assert scan(VERSE, measure)["value"] > 0.95
    assert scan(PROSE, measure)["value"] < 0.6
    assert worse(0.1)(verse=PROSE, than=VERSE, measure=measure)
    assert not worse(0.1)(verse=VERSE, than=VERSE, measure=measure)
    assert not worse(0.1)(verse=VERSE, than=PROSE, measure=measure)
    assert worse(-0.1)(verse=VERSE, than=VERSE, measure=measure)


def test_without_a_measure_rhyme_and_length_tell_verse_from_prose() -> None:
    assert scan(VERSE)["value"] > scan(PROSE)["value"] + 0.2
    assert set(scan(VERSE)) == {"value", "rhyme", "length", "unknown"}


def test_a_poem_whose_form_nobody_named_is_held_to_a_lower_threshold_and_free_verse_to_none_that_it_reaches() -> None:
    rows = [row.fields for row in poems().rows()]
    free = [one["poem"] for one in rows if one["form"] in ("free verse", "prose poem")]
    ballads = [one["poem"] for one in rows if one["form"] == "ballad"]
    assert not any(prosody(0.8)(verse=poem, measure="") for poem in free)
    assert all(prosody(0.8)(verse=poem, measure="") for poem in [*ballads, VERSE])
    assert not prosody(0.8)(verse=PROSE, measure="")


def test_each_part_of_a_form_falls_by_itself() -> None:
    whole = scan(VERSE, FORMS["ballad"])
    unrhymed = scan(VERSE.replace("bread", "cheese"), FORMS["ballad"])
    assert (whole["rhyme"], unrhymed["rhyme"]) == (1, 0)
    assert unrhymed["metre"] == whole["metre"]
    longer = scan(VERSE.replace("turnips", "vegetables"), FORMS["ballad"])
    assert longer["metre"] < whole["metre"]
    short = scan(VERSE.rpartition("\n")[0], FORMS["ballad"])
    assert short["lines"] == 0.75


def test_a_refrain_must_come_again_and_is_no_rhyme() -> None:
    lines = ["My mother's jam was mostly stones", "we ate it on our bread"]
    again = "\n".join([*lines, lines[0], "and took the rest to bed"])
    assert scan(again, "A1 B A1 B")["rhyme"] == 1
    assert scan(again, "A B A B")["rhyme"] == 0.5
    assert scan(again.replace(lines[0], "The moon is made of stones", 1), "A1 B A1 B")["rhyme"] == 0.5


def test_a_scheme_is_said_anew_for_each_stanza() -> None:
    assert scan("a cat\na hat\n\na dog\na log", "AA")["rhyme"] == 1
    assert scan("a cat\na dog\n\na hat\na log", "AA")["rhyme"] == 0


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("", "A measure is empty"),
        (" , ", "A measure is empty"),
        ("iambic", "behind the foot stand numbers"),
        ("iambic five", "behind the foot stand numbers"),
        ("iambic 0", "behind the foot stand numbers"),
        ("ABCD", "neither a foot nor rhymes"),
        ("iambc 5", "Did you mean 'iambic'?"),
        ("iambic 5, A?A", "neither a foot nor rhymes"),
    ],
)
def test_a_measure_that_is_written_wrongly_is_refused(measure: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_measure(measure)
    assert message in str(error.value)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_a_measure_that_can_be_read(form: str) -> None:
    assert read_measure(measure_of(form.title())).stanza >= 1
    assert measure_of("no form at all") == ""


def test_a_judge_tells_its_threshold_and_its_parts() -> None:
    good = prosody(0.8)(verse=VERSE, measure=FORMS["ballad"])
    bad = prosody(0.8)(verse=PROSE, measure=FORMS["ballad"])
    assert good.passed
    assert not bad.passed
    assert bad.reason == "its form is kept below 0.8"
    assert set(bad.parts) == {"value", "lines", "metre", "rhyme", "unknown"}


@given(st.text(max_size=400), st.sampled_from(["", *FORMS.values()]))
def test_any_text_at_all_is_scored_from_0_to_1(text: str, measure: str) -> None:
    assert 0 <= scan(text, measure)["value"] <= 1


def test_a_line_without_end_takes_no_time_without_end() -> None:
    found = scan("every flower " * 50_000 + "\n" + "a\n" * 5000, "iambic 5, ABAB")
    assert found["value"] < 0.7


def test_without_the_dictionary_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from retroweave.judges import prosody as module

    monkeypatch.setitem(sys.modules, "pronouncing", None)
    module.sound.cache_clear()
    module.read_line.cache_clear()
    with pytest.raises(UserError, match=r"pip install .*\[prosody\]'"):
        scan("a line", "iambic 1")
