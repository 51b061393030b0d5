"""An extract has whole sentences of running prose that can stand by themselves and do not say the same again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.extracts import extract, prose_share
from retroweave.text.textrank import Ranked

FERRY = (
    "The ferry to Gunnarsholm carries cars, coal and hay. A goat once swam over. The ferry is driven by a cable, which "
    "carries it over the strait. Coal and hay go over on Fridays, when the ferry has room. My aunt keeps bees. It is "
    "said that the cable of the ferry was laid in 1911."
)


def taken(text: str, count: int) -> list[str]:
    return [one.text for one in extract(text, lambda chosen: len(chosen) <= count)]


@given(st.integers(0, 5))
def test_an_extract_is_in_the_order_of_the_text_and_fits(count: int) -> None:
    chosen = extract(FERRY, lambda chosen: len(chosen) <= count)
    assert len(chosen) == min(count, 5)
    assert chosen == sorted(chosen)


def test_what_fits_is_asked_of_the_whole_choice() -> None:
    def few_words(chosen: Sequence[Ranked]) -> bool:
        return sum(len(one.text.split()) for one in chosen) <= 14

    assert sum(len(one.text.split()) for one in extract(FERRY, few_words)) <= 14


def test_a_sentence_that_points_back_brings_what_it_points_to() -> None:
    text = "Old Ruben built the mill by the weir. It burnt down twice by the mill weir. Nobody knows much of hens."
    assert taken(text, 1) == ["Old Ruben built the mill by the weir."]
    assert taken(text, 2) == text.split(" Nobody")[0].replace(". It", ".|It").split("|")


def test_a_sentence_that_points_out_of_its_paragraph_is_not_taken() -> None:
    text = "Old Ruben built the mill by the weir.\n\nIt burnt down twice by the mill weir and was built again."
    assert taken(text, 2) == ["Old Ruben built the mill by the weir."]


@pytest.mark.parametrize(
    "sentence",
    [
        "“The mill burnt down by the weir.”",
        "the mill burnt down by the weir.",
        "The mill burnt down by the weir",
        "The mill burnt.",
        "The mill\nburnt down by the weir.",
        "4. The mill burnt down by the weir.",
    ],
)
def test_only_whole_sentences_are_taken(sentence: str) -> None:
    assert taken(f"{sentence}\n\nOld Ruben built the mill by the weir.", 5) == ["Old Ruben built the mill by the weir."]


def test_what_follows_speech_is_part_of_it() -> None:
    assert taken("“Who burnt the mill down?” Ruben asked them by the weir. Nobody at the mill would say.", 5) == [
        "Nobody at the mill would say."
    ]


@pytest.mark.parametrize(
    "quoted",
    [
        "“The mole fell down. {0} It was never found,” he said. {1}",
        "“The mole fell down in the end.\n\n“Nobody saw it. {0} It was never found.” So ends the letter. {1}",
        '"The mole fell down. {0} It was never found," he said. {1}',
        "‘The mole didn’t stand. {0} It was never found,’ he said. {1}",
        "„Die Mole fiel um. {0} Man fand sie nie“, sagte er. {1}",
        "« La jetée tomba. {0} On ne la trouva pas », dit-il. {1}",
        "»Die Mole fiel um. {0} Man fand sie nie«, sagte er. {1}",
        "(“The mole fell down. {0} It was never found,” he said.) {1}",
    ],
)
def test_what_stands_in_the_midst_of_a_quotation_is_not_taken(quoted: str) -> None:
    inside, outside = (
        "The harbour master keeps the keys of the mole.",
        "The town never paid for the mole of the harbour.",
    )
    text = f"The town built a mole for its harbour. {quoted.format(inside, outside)}"
    taken = " ".join(one.text for one in extract(text, lambda chosen: True))
    assert inside not in taken
    assert outside in taken


def test_little_of_a_play_is_prose_and_all_of_an_essay() -> None:
    assert prose_share(FERRY) == 1.0
    assert prose_share("ANNA. No.\nBERT. Yes, I did.\nANNA. When?\n\n(They leave by the window.)") < 0.4
    assert prose_share("") == 0.0


PLAY = "KÁLMÁN. Then we cut all of it out of the form today.\nTERÉZ (rising). Nobody says that on the wire any more.\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAY,
        "Anna: We burnt the mill down by the weir.\nBert: We did, and the hens with it.\nAnna: And who saw us at it?\n",
        "OH (he takes some time): There was a girl in the town who sold bread.\nRB: There was a boy who baked it.\n",
        "- The mill burnt down by the weir.\n- The hens burnt with the mill.\n",
        "4.1 The mill burnt down by the weir. The hens burnt with it.\n",
        "– The mill burnt down by the weir.\n– The hens burnt with it.\n",
        "The mill burnt down\nbeside the weir\nand all the hens burnt with it.\n",
    ],
)
def test_speakers_lists_and_verse_are_no_prose(text: str) -> None:
    assert prose_share(text) == 0.0
    assert taken(f"{text}\n\nOld Ruben built the mill by the weir.", 5) == ["Old Ruben built the mill by the weir."]


def test_a_colon_behind_a_name_that_comes_but_once_is_prose() -> None:
    assert prose_share("Lund: there it stood, with its mill and its weir. Ruben built the mill.\nLund slept on.") > 0.5


@pytest.mark.parametrize(
    "sentence",
    [
        "The last of them burnt down by the mill weir.",
        "As it burnt, the mill weir sank.",
        "By radio he asked the mill at the weir.",
        "Sawn lengthwise, it made a mill and a weir.",
        "Another mill burnt down by the weir.",
        "Mill and weir burnt down again.",
    ],
)
def test_what_hangs_on_another_sentence_is_not_taken_without_it(sentence: str) -> None:
    text = f"The weir of the mill was built by old Ruben.\n\n{sentence} Nobody knows very much of hens at all."
    assert sentence not in taken(text, 2)


def test_a_question_is_not_taken() -> None:
    assert taken("Who built the mill by the weir? Old Ruben built the mill by the weir.", 1) == [
        "Old Ruben built the mill by the weir."
    ]


def test_the_first_sentence_is_taken_before_others_of_its_rank() -> None:
    text = "The red goat of Lund ate all the hay. The old goat of Lund ate all the bread. Hens sleep under every roof."
    assert taken(text, 1) == ["The red goat of Lund ate all the hay."]


def test_what_was_said_is_not_said_again_while_there_is_something_new() -> None:
    text = (
        "The red goat of Lund ate all the hay in May. The red goat of Lund ate all the hay in June. "
        "The mill at the weir of Lund was built by old Ruben. The hay in the mill burnt in June."
    )
    first, second = taken(text, 2)
    assert "goat" in first
    assert "goat" not in second


def test_a_very_short_sentence_gives_way_to_one_that_says_more() -> None:
    text = "Hens sleep here.\n\nThe goat ate hay. The goat of Lund ate all the hay that was left in the mill of Lund."
    assert taken(text, 1) == ["The goat of Lund ate all the hay that was left in the mill of Lund."]
