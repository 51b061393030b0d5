"""Word parts: the list is clean, both directions say what it says, and a model's parts must lead back to the thing."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model_server import Asked, Reply
from tests.recipes.teacher import Errs, judgement, kind, likely, mark, system, taught

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.recipe import find_recipe
from retroweave.recipes.word_parts import (
    OWN,
    are_a_list,
    offer,
    only_this,
    parse_parts,
    reads_back,
    word_parts,
)
from retroweave.sources.things import read_themes, read_things
from retroweave.text.clues import clues_in, give_clues, name_words
from retroweave.text.listed import FORMS

THINGS = read_things(OWN)
THEMES = read_themes(OWN)
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
    lines = [line for line in OWN.read_text("utf-8").splitlines() if not line.startswith("%% ")]
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
    written = FORMS[form].write(parts)
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


@pytest.mark.parametrize("seed", range(2))
def test_what_is_offered_besides_is_of_another_theme_and_nobody_could_take_it_for_the_thing(seed: int) -> None:
    near = 0
    for thing, parts in THINGS.items():
        clues = give_clues(thing, list(parts), random.Random(f"{thing} {seed}"))
        four = offer(thing, clues, THINGS, THEMES, random.Random(thing)).split(", ")
        assert len(set(four)) == 4
        assert thing in four
        for other in set(four) - {thing}:
            assert THEMES[other] != THEMES[thing]
            assert len(name_words(clues) & name_words(" ".join(THINGS[other]))) <= 1
            assert not name_words(thing) & name_words(f"{other} {' '.join(THINGS[other])}")
            near += bool(name_words(clues) & name_words(" ".join(THINGS[other])))
    assert near > 2 * len(THINGS), "most of what is offered shares a word with the clues"


@pytest.mark.parametrize(
    ("thing", "other"), [("aeroplane", "helicopter"), ("suspension bridge", "bridge"), ("wheel", "bicycle")]
)
def test_two_right_answers_never_stand_side_by_side(thing: str, other: str) -> None:
    for seed in range(50):
        rng = random.Random(seed)
        clues = give_clues(thing, list(THINGS[thing]), rng)
        assert other not in offer(thing, clues, THINGS, THEMES, rng).split(", ")


def test_things_without_a_theme_are_offered_beside_each_other_where_they_are_apart() -> None:
    lexicon = {"kite": ("sail", "tail", "reel"), "boat": ("sail", "keel", "oar"), "dog": ("tail", "paw", "fur")}
    lexicon |= {
        "kite string": ("strands", "knot", "end"),
        "raft": ("reel", "sail", "logs"),
        "cup": ("rim", "bowl", "ear"),
    }
    four = offer("kite", "sail, tail, reel", lexicon, {}, random.Random(0)).split(", ")
    assert set(four) == {"kite", "boat", "dog", "cup"}


def test_the_first_twenty_rows_are_of_many_themes(tmp_path: Path) -> None:
    samples = run(tmp_path, 20, choose=0, recognise=0)
    themes = [THEMES[sample["provenance"]["source"]["key"]] for sample in samples]
    assert len(set(themes)) >= 8


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


def test_a_file_that_is_not_there_is_named_before_the_licence_that_is_missing_too(tmp_path: Path) -> None:
    config = word_parts.configure({"things": tmp_path / "mine.txt"})
    with pytest.raises(UserError, match=r"There is no file .*mine\.txt"):
        word_parts.pipeline(config)
    (tmp_path / "mine.txt").write_text("theodolite: telescope, levelling screws, two circles, tripod\n", "utf-8")
    with pytest.raises(UserError, match=r"mine\.txt: no licence is given for this list"):
        word_parts.pipeline(config)


def test_a_licence_without_things_licenses_nothing() -> None:
    with pytest.raises(UserError, match="a licence is that of your own things"):
        word_parts.configure({"license": "CC-BY-4.0"})


def test_one_of_the_tasks_must_have_a_weight() -> None:
    none = {"bullets": 0, "numbered": 0, "line": 0, "recognise": 0, "choose": 0}
    with pytest.raises(UserError, match="one of the weights"):
        word_parts.configure(none)


# A teacher of known quality

RIGHT, FIT, BELONG, NAMED = 0.6, Errs(0.9, 0.15), Errs(0.9, 0.15), Errs(0.7, 0.2)


def strange_words(path: Path, count: int) -> None:
    """Things of which nobody knows anything, in letters."""
    letters = "bcdfghklmnprstvz"
    words = ("".join(letters[number >> shift & 15] for shift in (8, 4, 0)) + "oo" for number in range(count))
    path.write_text("\n".join(words), "utf-8")


def teacher(asked: Asked) -> Reply:
    """Lists of parts of which three in five are right, and three judges that err as is declared, each by itself.

    The parts bear their thing's name backwards, so that no part names it and yet the thing can be told.
    """
    told, shown = system(asked), asked.prompt
    if told.startswith("You write part lists"):
        made, own = f"{kind(asked, RIGHT)} {shown.strip()[::-1]}", mark(asked)
        return Reply("\n".join(f"{part} {made} {own}" for part in ("lid", "rim", "leg", "ear")))
    marked = re.search(r"rim (rightly|wrongly) (oo\w+) (\w+)", shown)
    if told.startswith("You are told the parts"):
        named = marked[2][::-1] if marked else "kite"
        right = NAMED.accepts(marked[1], f"named {marked[3]}") if marked else "sail" in shown
        return Reply(named if right else "something else")
    if told.startswith("You check part lists"):
        return judgement(BELONG.accepts(marked[1], marked[3]) if marked else "oven" not in shown)
    return judgement(FIT.accepts("rightly", found[1]) if (found := re.search(r"(\w+oo)\b", shown)) else "kite" in shown)


def test_parts_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    strange_words(tmp_path / "words.txt", 2400)
    found = taught(word_parts, teacher, tmp_path, things=tmp_path / "words.txt", license="CC0-1.0")
    fit, belong, named = found.judges
    assert (FIT.declared_by(fit), BELONG.declared_by(belong), NAMED.declared_by(named)) == (True, True, True)
    right_passes = RIGHT * BELONG.right * NAMED.right
    wrong_passes = (1 - RIGHT) * BELONG.wrong * NAMED.wrong
    right = sum(any("rightly" in turn["content"] for turn in sample["messages"]) for sample in found.samples)
    assert likely(right, 500, right_passes / (right_passes + wrong_passes))
    assert likely(500, found.drafts(belong.name, named.name), right_passes + wrong_passes)
    assert likely(found.drafts(belong.name, named.name), found.drafts(), FIT.right)
