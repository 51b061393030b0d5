"""Word parts: the list is clean, both directions say what it says, and a model's parts must lead back to the thing."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.recipe import find_recipe
from retroweave.recipes.word_parts import (
    FORMS,
    HERE,
    are_a_list,
    clues_in,
    give_clues,
    offer,
    only_this,
    parse_parts,
    read_things,
    reads_back,
    things_of,
    word_parts,
)

THINGS = read_things(HERE / "parts.txt")
PART = st.from_regex(r"[a-h][a-h' -]{0,12}[a-h]", fullmatch=True)
PARTS = st.lists(PART, min_size=4, max_size=8, unique=True)

ANSWERS = """
- when: ["oven"]
  answer: toaster
  p_yes: 0.06
- when: ["You check part lists", "ghost"]
  p_yes: 0.2
- when: ["You check part lists"]
  p_yes: 0.9
- when: ["You are told the parts", "sail"]
  answer: Kite
- when: ["You are told the parts", "chamber"]
  answer: the council
- when: ["You write part lists", "kite"]
  answer: "1. Sail\\n2. Tail.\\n- crossed spars\\nreel of string"
- when: ["You write part lists", "parliament"]
  answer: "chamber\\nmembers\\nspeaker\\nbills"
- when: ["You write part lists", "dog"]
  answer: "ghost\\npaws\\ntail\\nmuzzle"
- when: ["although"]
  p_yes: 0.1
- when: ["Text: if"]
  p_yes: 0.1
- when: [""]
  p_yes: 0.9
"""


def run(tmp_path: Path, rows: int, **changes: Any) -> list[dict[str, Any]]:
    made = make(find_recipe("word-parts"), word_parts.configure(changes), rows, tmp_path / "out", workers=1)
    assert made["counts"]["failures"] == 0
    return list(read_samples(tmp_path / "out"))


# The list


def test_the_list_has_more_than_five_hundred_things_each_with_four_parts_or_more() -> None:
    assert len(THINGS) > 600
    lines = (HERE / "parts.txt").read_text("utf-8").splitlines()
    assert len(lines) == len(THINGS), "a thing stands in the list twice"
    for thing, parts in THINGS.items():
        assert len(set(parts)) == len(parts) >= 4, thing
        assert all(part == part.strip() and not re.search(r"[;/:|]", part) for part in parts), thing


@pytest.mark.parametrize("seed", range(3))
def test_whichever_parts_are_shown_the_thing_is_the_only_one_that_has_them(seed: int) -> None:
    for thing, parts in THINGS.items():
        clues = give_clues(thing, list(parts), random.Random(f"{thing} {seed}"))
        assert only_this(thing, clues, THINGS), (thing, clues)


def test_no_part_names_its_thing() -> None:
    with pytest.raises(Drop, match="a part names the thing"):
        give_clues("fire engine", ["engine", "ladder", "hoses", "siren"], random.Random(0))
    for thing, parts in THINGS.items():
        assert give_clues(thing, list(parts), random.Random(thing))


# Both directions


@pytest.mark.parametrize("form", FORMS)
@given(parts=PARTS)
def test_a_written_list_reads_back_as_its_parts(form: str, parts: list[str]) -> None:
    written = FORMS[form][0](parts)
    assert reads_back("thing", parts, written, form=form)
    assert not reads_back("thing", [*parts, "zz"], written, form=form)


@given(PARTS, st.integers())
def test_clues_are_parts_and_at_most_one_is_left_out(parts: list[str], seed: int) -> None:
    clues = clues_in(give_clues("zzz", parts, random.Random(seed)))
    assert set(clues) <= set(parts)
    assert len(clues) >= max(4, len(parts) - 1)


def test_parts_that_two_things_have_are_no_question() -> None:
    lexicon = {"broom": ("head", "handle", "bristles"), "brush": ("head", "handle", "bristles", "back")}
    assert only_this("brush", "back, handle, head", lexicon)
    assert not only_this("brush", "bristles, handle, head", lexicon)
    assert not only_this("broom", "bristles, handle, head", lexicon)


def test_what_is_offered_besides_is_what_shares_most_parts() -> None:
    four = offer("violin", "bow\nbridge\nchin rest\npegs", THINGS, random.Random(0)).split(", ")
    assert len(set(four)) == 4
    assert "violin" in four
    assert set(four) & {
        "harp",
        "guitar",
        "spectacles",
        "nose",
        "tent",
        "bow and arrow",
        "doll's house",
        "suspension bridge",
    }


def test_a_thousand_rows_are_right_by_the_list_itself(tmp_path: Path) -> None:
    for sample in run(tmp_path, 1000):
        asked, answered = (message["content"] for message in sample["messages"])
        if sample["layout"] in ("recognise", "choose"):
            assert answered in THINGS
            shown = [part for part in THINGS[answered] if part in asked]
            assert len(shown) >= 4
            assert [one for one, parts in THINGS.items() if set(shown) <= set(parts)] == [answered]
            assert (answered in asked) is (sample["layout"] == "choose") or sample["layout"] == "recognise"
        else:
            parts = [re.sub(r"^(?:- |\d+\. )", "", part) for part in re.split(r"\n|, ", answered)]
            named = [thing for thing, own in THINGS.items() if list(own) == parts]
            assert any(re.search(rf"(?<!\w){re.escape(thing)}(?!\w)", asked) for thing in named)


def test_a_list_of_your_own_is_used_and_our_own_still_tells_whether_it_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("theodolite: telescope, levelling screws, two circles, tripod\n", "utf-8")
    samples = run(tmp_path, 3, things=tmp_path / "mine.txt", license="CC-BY-4.0")
    assert {sample["license"] for sample in samples} == {"CC-BY-4.0"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kite: sail, tail", "Line 1 of mine.txt is expected to hold a thing and three parts or more"),
        ("\nkite\n", "names 'kite' without its parts. Write them, or name a --model"),
        (": sail, tail, reel", "Line 1 of mine.txt"),
        ("kite: sail, tail, reel\nkite: sail, reel, spars", "names a thing twice"),
        ("kite: sail; tail, reel, string", "with commas and no other mark between them"),
        ("", "is expected to hold things, one a line, and holds none"),
    ],
)
def test_a_list_that_is_none_is_refused_where_it_goes_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.txt").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=re.escape(message)):
        things_of(tmp_path / "mine.txt", "CC0-1.0", with_parts=True)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"mine.txt cannot be read"):
        read_things(tmp_path / "mine.txt")


# With a model


def test_the_parts_that_a_model_finds_pass_four_checks(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(ANSWERS, "utf-8")
    (tmp_path / "mine.txt").write_text("kite\nalthough\nparliament\ndog\n", "utf-8")
    changes = {"things": tmp_path / "mine.txt", "model": f"scripted:{tmp_path / 'answers.yaml'}", "license": "CC0-1.0"}
    samples = run(tmp_path, 4, **changes)
    assert {sample["provenance"]["source"]["key"] for sample in samples} == {"kite"}
    for sample in samples:
        asked, answered = (message["content"] for message in sample["messages"])
        if sample["layout"] == "recognise":
            assert answered == "kite"
            assert set(FORMS) & {"bullets"}
        else:
            assert re.sub(r"- |\d\. |\n|,|\s", "", answered) == "sailtailcrossedsparsreelofstring"
            assert "kite" in asked


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("- Sail\n- Tail", ["sail", "tail"]),
        ("1. sail\n2) tail.\n\n* reel", ["sail", "tail", "reel"]),
        ("  • sail  ", ["sail"]),
        ("", []),
    ],
)
def test_an_answer_is_read_as_a_list(answer: str, parts: list[str]) -> None:
    assert parse_parts(answer) == parts


@pytest.mark.parametrize(
    "parts",
    [
        ["sail", "tail", "reel"],
        ["sail", "tail", "reel", "reel"],
        ["kite tail", "sail", "reel", "spars"],
        ["sail, tail", "reel", "spars", "string"],
        ["the part of it that is in the wind", "reel", "spars", "string"],
        [f"part {number}" for number in range(9)],
    ],
)
def test_what_is_no_list_of_parts_is_thrown_away(parts: list[str]) -> None:
    assert are_a_list("kite", ["sail", "tail", "reel", "spars"])
    assert not are_a_list("kite", parts)


def test_a_model_needs_things_of_yours_to_look_at() -> None:
    with pytest.raises(UserError, match="name their file with things"):
        word_parts.configure({"model": "scripted:answers.yaml"})


def test_the_licence_of_your_things_is_yours_to_say() -> None:
    with pytest.raises(UserError, match="things and license are given together"):
        word_parts.configure({"things": "mine.txt"})


def test_one_of_the_tasks_must_have_a_weight() -> None:
    none = {"bullets": 0, "numbered": 0, "line": 0, "recognise": 0, "choose": 0}
    with pytest.raises(UserError, match="one of the weights"):
        word_parts.configure(none)
