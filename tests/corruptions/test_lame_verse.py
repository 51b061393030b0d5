"""Verse is spoilt in several ways, so that the sense and the number of lines stay, and the same again each time."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.corruptions.verse import WAYS, Worse, lame
from retroweave.pipeline.errors import Drop

VERSE = """We put to sea at half past three
with porridge in the pan,
and not a soul aboard awake
excepting little Dan."""
BALLAD = "iambic 4 3 4 3, ABCB"


def tried(poem: str, way: str, promised: str = BALLAD) -> set[str]:
    """All that one way makes of a poem."""
    found = set()
    for seed in range(60):
        try:
            spoilt, ways = lame(poem, promised, Random(seed))
        except Drop:
            continue
        if ways == [way]:
            found.add(spoilt)
    return found


def test_lines_stay_lines_and_one_at_least_is_spoilt() -> None:
    for seed in range(60):
        spoilt, ways = lame(VERSE, BALLAD, Random(seed))
        assert spoilt.count("\n") == 3
        assert spoilt != VERSE
        assert ways == sorted(ways)
        assert set(ways) <= WAYS.keys()


def test_the_same_numbers_spoil_it_in_the_same_way() -> None:
    assert lame(VERSE, BALLAD, Random(7)) == lame(VERSE, BALLAD, Random(7))


def test_a_line_that_breaks_in_the_wrong_place_loses_no_word() -> None:
    found = tried("We put to sea at half past three\nwith porridge in the pan", "broken")
    assert "We put to sea at half past\nthree with porridge in the pan" in found
    assert "We put to sea at half past three with\nporridge in the pan" in found
    assert all(" ".join(one.split()) == "We put to sea at half past three with porridge in the pan" for one in found)


def test_lines_change_places_where_each_is_a_whole_and_the_marks_stay() -> None:
    found = tried("it hissed the postman out,\nit took the hens in charge.", "moved")
    assert found == {"it took the hens in charge,\nit hissed the postman out."}
    for hangs in (
        "it took the hens in charge\nit hissed the postman out.",
        "The cat, \nit hissed.",
        "it hissed,\nand sat.",
    ):
        assert not tried(hangs, "moved")


@pytest.mark.parametrize(
    ("line", "turned"),
    [
        ("It smells of chips and feet;", "It smells of feet and chips;"),
        ("For a penny and a bun.", "For a bun and a penny."),
        ("Look to the captain's cat", "Look to the cat of the captain"),
        ("My mother's jam", "The jam of my mother"),
        ("The wind goes round the hut and tries", ""),
        ("It rattles up and down", ""),
        ("The fifth's asleep", ""),
        ("The window's always right", ""),
    ],
)
def test_pairs_and_owners_are_turned_round_where_they_can_be(line: str, turned: str) -> None:
    assert tried(line, "turned") == ({turned} if turned else set())


def test_a_last_word_gives_way_to_a_near_one_only_where_there_is_a_rhyme() -> None:
    assert tried("Bisi saw a cup", "unrhymed") == {"Bisi saw a mug"}
    assert tried("It was a big boat", "unrhymed") == {"It was a big ship"}
    assert not tried("Bisi saw a cup", "unrhymed", "iambic 3")
    assert not tried("Bisi saw a cup", "unrhymed", "")
    assert not tried("Bisi slept at night", "unrhymed")  # nobody sleeps at evening
    assert tried("She sold a boat", "unrhymed", "iambic 4, A1 B1 a A1") == {"She sold a ship"}


def test_an_article_follows_the_word_that_comes_to_stand_behind_it() -> None:
    assert tried("It was a stove", "unrhymed") == {"It was an oven"}
    assert tried("It was an afternoon", "unrhymed") == {"It was an evening"}
    assert not tried("It was an heir", "unrhymed")


def test_a_subject_has_room_behind_it_for_a_word_and_an_object_has_not() -> None:
    assert "Bisi asked and I just slept" in tried("Bisi asked and I slept", "filled")
    assert not any("you " in one and not one.startswith("it") for one in tried("it grinds\nyou into dust", "filled"))


def test_contractions_are_written_out_with_their_capital() -> None:
    assert tried("Don’t go", "unclipped") == {"Do not go"}
    assert tried("isn't that Joe's", "unclipped") == {"is not that Joe's"}


def test_what_a_person_wrote_for_a_line_stands_in_its_place_with_its_indentation() -> None:
    written = {"and not a soul awake": [Worse("cliche", "and all as snug as bugs")]}
    spoilt, ways = lame("  and not a soul awake", "iambic 3", Random(1), written)
    assert (spoilt, ways) == ("  and all as snug as bugs", ["cliche"])


def test_a_poem_that_has_no_other_words_is_dropped() -> None:
    with pytest.raises(Drop):
        lame("frost on a spade", "", Random(0))


@given(st.text(max_size=300), st.sampled_from(["", BALLAD, "iambic 5"]), st.integers(0, 99))
def test_any_text_keeps_its_number_of_lines(text: str, promised: str, seed: int) -> None:
    try:
        assert lame(text, promised, Random(seed))[0].count("\n") == text.count("\n")
    except Drop:
        return


def test_no_way_is_used_much_more_than_another_where_all_could_be() -> None:
    poem = "\n".join(
        f"I know the captain's cat and number {word},\nI don't sit down, I have a cup."
        for word in ("one", "two", "ten")
    )
    used = [way for seed in range(200) for way in lame(poem, BALLAD, Random(seed))[1]]
    assert min(used.count(way) for way in WAYS) > 0.5 * max(used.count(way) for way in WAYS)
