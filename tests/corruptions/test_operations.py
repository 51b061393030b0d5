"""Each operation does what people, keyboards, scanners, editors and encodings do, and leaves the rest alone."""

from __future__ import annotations

import re
from random import Random

import pytest

from retroweave.corruptions.characters import KEY_NEIGHBOURS, LOOK_ALIKES, decoded_wrongly
from retroweave.corruptions.damage import damage
from retroweave.corruptions.lexicon import CONFUSED_WORDS, HOMOPHONES, PAST_TENSE
from retroweave.pipeline.errors import Drop


def outcomes(name: str, text: str, pool: tuple[str, ...] = ()) -> set[str]:
    """All that one operation of this name makes of a text, over many seeds."""
    found = set()
    for seed in range(150):
        try:
            found.add(damage(text, Random(seed), pool, most=1, kinds={name: 1}, unrecoverable=1)[0])
        except Drop:
            continue
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Their house", {"There house", "They're house"}),
        ("THEIR house", {"THERE house", "THEY'RE house"}),
        ("“You’re it”", {"“Your it”"}),
        ("“Your” isn’t it", {"“You’re” isn’t it"}),
        ("The tail", {"The tale"}),
        ("Look: `their house`, <a their>, https://example.org/their", set()),
    ],
)
def test_a_homophone_keeps_case_and_kind_of_apostrophe_and_leaves_code_alone(text: str, expected: set[str]) -> None:
    assert outcomes("homophone", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Then it rained", {"Than it rained"}),
        ("It could have rained", {"It could of rained"}),
        ("They have rained", set()),
        ("A loose end", {"A lose end"}),
        ("Their tail", set()),
    ],
)
def test_a_confused_word_is_one_that_is_often_taken_for_the_other(text: str, expected: set[str]) -> None:
    assert outcomes("confused_word", text) == expected


LIKE_AND_UNLIKE = [
    (HOMOPHONES, ["its it's", "your you're", "there their", "threw through", "wear where"]),
    (CONFUSED_WORDS, ["of off", "where were", "then than", "quiet quite", "lie lay", "breath breathe", "lose loose",
                      "through thorough", "affect effect", "lead led"]),
]  # fmt: skip


def test_words_that_sound_the_same_are_told_from_words_that_are_only_taken_for_each_other() -> None:
    assert len({frozenset((word, *others)) for word, others in HOMOPHONES.items()}) >= 140
    for (alike, pairs), (other_list, _) in (LIKE_AND_UNLIKE, LIKE_AND_UNLIKE[::-1]):
        for one, other in map(str.split, pairs):
            assert other in alike[one]
            assert one in alike[other]
            assert other not in other_list.get(one, ())
        assert all(word not in others for word, others in alike.items())


def test_the_lists_hold_what_people_and_scanners_slip_on() -> None:
    assert {"went", "took", "wrote", "was", "walked"} <= PAST_TENSE.keys()
    assert {("rn", "m"), ("cl", "d"), ("l", "1"), ("O", "0"), ("0", "O"), ("m", "rn")} <= {
        (shape, other) for shape, others in LOOK_ALIKES.items() for other in others
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They were late.", {"They was late."}),
        ("The people have gone.", {"The people has gone."}),
        ("She doesn’t know, I am sure.", {"She don’t know, I am sure.", "She doesn’t know, I is sure."}),
        ("He says that we go.", {"He say that we go.", "He says that we goes."}),
        ("He and I were late. If he were rich, let it go.", set()),
        ("The man with these. Was it? They, were not.", set()),
    ],
)
def test_a_verb_disagrees_only_with_a_clear_subject_right_before_it(text: str, expected: set[str]) -> None:
    assert outcomes("wrong_agreement", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He went home and they took it and sat.", {"He went home and they take it and sat."}),
        ("She goes in and takes it and goes.", {"She goes in and took it and goes."}),
        ("I went in and looked at it and sat.", {"I went in and look at it and sat."}),
        ("It fell. She was wet and went home.", {"It fell. She is wet and went home."}),
        ("She came. The sails went and she sat.", {"She came. The sails go and she sat."}),
        ("She asks for the noise it makes and takes it.", set()),
        ("He asks her and he says it is cold and goes.", set()),
        ("He came to the boy called Tom and went.", set()),
        ("She goes home, it has been cold and she knows it.", set()),
        ("It rained. I was here and it fell.", set()),
        ("They came. I was here and fell.", {"They came. I am here and fell."}),
        ("They came. I was here. It fell.", set()),
        ("He went home.", set()),
        ("He went home and they took it.", set()),
        ("He went home, and he goes home, and went.", set()),
        ("She was right that I lost and went.", set()),
        ("She writes, of which he says nothing, and she keeps it.", set()),
        ("He went in. “They took it,” he said.", set()),
        ("They came in.\n\nThey took it and went.", set()),
        ("If he were a toy made of wood, he had been told.", set()),
        ("He went home." + " A long way off and no less than that" * 8 + " they took it and went.", set()),
    ],
)
def test_a_tense_slips_only_where_verbs_before_and_after_show_the_right_one(text: str, expected: set[str]) -> None:
    assert outcomes("tense_slip", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One of the boats lay at the edge of the sea.", {"One the boats lay at the edge of the sea.",
                                                         "One of the boats lay at edge of the sea.",
                                                         "One of the boats lay at the edge the sea."}),
        ("They began to see, and it may be a dog.", {"They began see, and it may be a dog.",
                                                    "They began to see, and it may a dog."}),
        ("The same sea, one, of the red", set()),
        ("We saw the dogs and of course the cat.", set()),
    ],
)  # fmt: skip
def test_a_function_word_is_dropped_only_where_the_sentence_needs_it(text: str, expected: set[str]) -> None:
    assert outcomes("dropped_function_word", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They had not seen anything there.", {"They had not seen nothing there."}),
        ("Nobody asked Anyone about it.", {"Nobody asked No one about it."}),
        ("They did not see it.", {"They did not never see it."}),
        ("We couldn’t go now.", {"We couldn’t never go now."}),
        ("There was nothing there.", {"There was not nothing there."}),
        ("They had seen anything there. He was not, if anything, tall.", set()),
        ("There came no word whether it held any.", set()),
        ("There he was not\n\nAnything goes", set()),
    ],
)
def test_a_second_negative_comes_only_after_a_first(text: str, expected: set[str]) -> None:
    assert outcomes("doubled_negative", text) == expected


@pytest.mark.parametrize(
    ("text", "was", "now"),
    [
        ("They had not seen\nanything there.", "not seen\nanything", "not seen\nnothing"),
        ("They did not see it.", "did not", "did not never"),
        ("We couldn’t go now.", "couldn’t", "couldn’t never"),
        ("There was no other sound.", "was no", "was not no"),
    ],
)
def test_a_doubled_negative_is_recorded_as_the_stretch_that_holds_both(text: str, was: str, now: str) -> None:
    edit = damage(text, Random(1), (), most=1, kinds={"doubled_negative": 1})[1][0]["edits"][0]
    assert (edit["was"], edit["now"]) == (was, now)


def test_a_doubled_word_is_one_that_cannot_rightly_stand_twice() -> None:
    assert outcomes("doubled_word", "The Boat that had") == {"The the Boat that had"}


def test_swapped_words_stand_on_one_line_with_no_capital_and_no_mark_between() -> None:
    assert outcomes("swapped_words", "She saw it, and\nthen Anna left the room") == {
        "She saw it, and\nthen Anna the left room",
        "She saw it, and\nthen Anna left room the",
    }


def test_a_run_on_needs_a_full_stop_and_a_word_that_is_no_name() -> None:
    text = "It rained all over them. The boat went. Anna stayed with Mr. The. See p. A. Smith. I saw!"
    assert outcomes("run_on", text) == {text.replace(". The boat", " the boat")}


def test_a_sentence_is_split_where_no_sentence_can_end() -> None:
    assert outcomes("split_sentence", "They sat in the house of theirs") == {
        "They sat in the. House of theirs",
        "They sat in the house. Of theirs",
        "They sat in the house of. Theirs",
    }


def test_a_paragraph_break_is_lost_only_where_another_begins_to_speak() -> None:
    text = "# Head\n\n“It rained.”\n\n“They left,” he said.\n\nTrue.\n\n- “one.”\n\n- “two.”\n\n\nThe end."
    assert outcomes("lost_paragraph_break", text) == {text.replace("rained.”\n\n“They", "rained.” “They")}
    assert outcomes("lost_paragraph_break", '"One."\r\n\r\n"Two."') == {'"One." "Two."'}


def test_a_stray_paragraph_break_has_the_line_end_of_its_text() -> None:
    assert outcomes("stray_paragraph_break", "It rained\nAnd On") == {"It\n\nrained\nAnd On"}
    assert outcomes("stray_paragraph_break", "It rained\r\nX") == {"It\r\n\r\nrained\r\nX"}


@pytest.mark.parametrize(
    ("char", "garbled"),
    [
        ("é", "Ã©"),
        ("’", "â€™"),
        ("“", "â€œ"),
        ("–", "â€“"),
        ("—", "â€”"),
        ("€", "â‚¬"),
        ("ß", "ÃŸ"),
        ("😀", "ðŸ˜€"),
    ],
)
def test_mojibake_is_what_the_bytes_of_the_character_look_like_in_windows_1252(char: str, garbled: str) -> None:
    assert decoded_wrongly(char) == garbled
    assert outcomes("mojibake", f"It is {char} here") == {f"It is {garbled} here"}
    assert garbled.encode("cp1252").decode() == char


def test_what_a_wrong_decoding_would_lose_a_byte_of_is_left_alone() -> None:
    assert outcomes("mojibake", "so” it 😁 is Ý here") == set()


def test_what_a_wrong_decoding_makes_invisible_is_left_alone() -> None:
    assert outcomes("mojibake", "à Á í and\u00a0so ‍👩‍👩‍👧 e\u0301 👍🏽") == set()


def test_quotes_are_mangled_one_at_a_time() -> None:
    assert {"He said “no&#8217;, “he’s”", "He said &ldquo;no’, “he’s”"} <= outcomes(
        "mangled_quotes", "He said “no’, “he’s”"
    )
    assert "He said &quot;no" in outcomes("mangled_quotes", 'He said "no')
    assert outcomes("mangled_quotes", "A `'code'` here") == set()


def test_a_number_becomes_another_number_with_as_many_digits_in_its_own_script() -> None:
    for damaged in outcomes("changed_number", "In 1984, A4 and `12` it was"):
        digits = damaged.removeprefix("In ").removesuffix(", A4 and `12` it was")
        assert len(digits) == 4
        assert digits.isdecimal()
        assert digits[0] != "0"
        assert digits != "1984"
    assert all("٠" <= damaged[-1] <= "٩" for damaged in outcomes("changed_number", "In the year ١٩٨٤"))
    assert "The four of us" in outcomes("changed_number", "The three of us")


def test_names_are_mixed_up_only_where_two_recur() -> None:
    text = "Then Anna saw Peter. And Anna told Peter. The boat, the Boat."
    assert outcomes("mixed_up_names", text) == {
        "Then Peter saw Peter. And Anna told Peter. The boat, the Boat.",
        "Then Anna saw Anna. And Anna told Peter. The boat, the Boat.",
        "Then Anna saw Peter. And Peter told Peter. The boat, the Boat.",
        "Then Anna saw Peter. And Anna told Anna. The boat, the Boat.",
    }
    assert "The Anna’s of Peter and the Peter of Peter" in outcomes(
        "mixed_up_names", "The Anna’s of Peter and the Anna of Peter"
    )
    assert "The Peter’s of Peter and the Anna of Peter" in outcomes(
        "mixed_up_names", "The Anna’s of Peter and the Anna of Peter"
    )
    assert outcomes("mixed_up_names", "Then Anna saw Peter. And Anna left.") == set()


def test_neighbours_on_the_keyboard_are_next_to_each_other() -> None:
    assert set(KEY_NEIGHBOURS) == set("abcdefghijklmnopqrstuvwxyz")
    assert set(KEY_NEIGHBOURS["g"]) == set("tyfhvb")
    assert set(KEY_NEIGHBOURS["q"]) == set("wa")
    assert all(char in KEY_NEIGHBOURS[other] for char, others in KEY_NEIGHBOURS.items() for other in others)


def test_a_neighbour_key_keeps_the_case_of_the_letter() -> None:
    assert "Xold" in outcomes("neighbour_key", "Cold")
    assert "XOLD" in outcomes("neighbour_key", "COLD")
    assert all(damaged[1:].islower() or damaged[0] == "C" for damaged in outcomes("neighbour_key", "Cold"))


def test_letters_change_places_inside_a_word_and_a_capital_stays() -> None:
    assert outcomes("transposed_letters", "Cold ox") == {"Clod ox", "Codl ox"}
    assert outcomes("dropped_letter", "Cold ox") == {"Cld ox", "Cod ox"}
    assert outcomes("shuffled_middle", "Noise ox") == {
        f"N{middle}e ox" for middle in ("osi", "ios", "iso", "sio", "soi")
    }
    assert outcomes("flipped_case", "no ß") == {"No ß", "nO ß"}


def test_scanner_confusions_cover_one_and_two_letters() -> None:
    found = outcomes("ocr_confusion", "modern clay")
    assert {"modem clay", "modern day", "rnodern clay", "modern c1ay"} <= found


def test_a_space_is_deleted_only_between_letters() -> None:
    assert outcomes("deleted_space", "a lot, of\nit 3 4") == {"alot, of\nit 3 4"}


def test_a_stray_mark_stands_where_the_sentence_goes_on() -> None:
    found = outcomes("stray_punctuation", "of it, Anna")
    assert found == {f"of{mark} it, Anna" for mark in ",-';:!?."}
    assert outcomes("stray_punctuation", "house was") == {f"house{mark} was" for mark in "!?."}


def test_a_stray_character_stands_in_or_beside_a_word_of_letters() -> None:
    found = outcomes("stray_character", "12 cold")
    assert all(damaged.startswith("12 ") and len(damaged) == 8 for damaged in found)
    assert len(found) > 40


def test_a_stray_tag_touches_a_word() -> None:
    found = outcomes("stray_tag", "cold night")
    assert not re.findall("text>|passage|document|diagnosis|diff|patch|repaired", " ".join(found))
    tag = r"(?:<.+>|]]>|<!\[CDATA\[)"
    assert len(found) > 60
    assert all(re.fullmatch(f"{tag}?cold{tag}? {tag}?night{tag}?", damaged) for damaged in found)


LINES = "It was cold. The boat lay still in the reeds and the wind was gone. Nobody spoke at all. Then it rained."


def test_a_foreign_span_is_whole_words_of_one_paragraph_of_another_passage() -> None:
    foreign = "one two three four five six\n\nseven eight nine ten eleven twelve thirteen fourteen"
    found = outcomes("foreign_span", LINES, (foreign,))
    assert found
    known = set(re.findall(r"\w+", LINES + foreign))
    for damaged in found:
        words = set(re.findall(r"\w+", damaged))
        assert words <= known
        assert not {"six", "seven"} <= words
    assert outcomes("foreign_span", LINES) == outcomes("foreign_span", LINES, (LINES,)) == set()


@pytest.mark.parametrize("name", ["deleted_span", "gibberish_span", "swapped_spans", "swapped_halves", "foreign_span"])
def test_a_span_is_never_the_whole_text_and_never_crosses_a_paragraph(name: str) -> None:
    text = f"{LINES}\n\n{LINES.upper()}\n\n- one two three four five\n- six seven eight nine ten"
    other = "the kettle and the heron and the lamp and the rope and the bell and so on " * 3
    for seed in range(150):
        try:
            _, log = damage(text, Random(seed), [other], most=1, kinds={name: 1}, unrecoverable=1)
        except Drop:
            continue
        for edit in log[0]["edits"]:
            assert 0 < edit["start"] < edit["end"] < len(text)
            assert "\n" not in edit["was"]
            assert len(edit["was"]) <= len(text) / 2


@pytest.mark.parametrize("name", ["swapped_spans", "swapped_halves"])
def test_what_was_swapped_is_all_still_there(name: str) -> None:
    found = outcomes(name, LINES)
    assert found
    assert all(sorted(damaged) == sorted(LINES) for damaged in found)


def test_gibberish_keeps_the_spaces() -> None:
    for damaged in outcomes("gibberish_span", LINES):
        assert [i for i, char in enumerate(damaged) if char == " "] == [
            i for i, char in enumerate(LINES) if char == " "
        ]
