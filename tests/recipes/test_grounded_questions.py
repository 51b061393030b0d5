"""Grounded questions: the answer is the text's own, and the question neither gives it away nor goes without a check."""

from __future__ import annotations

import random
import re
from collections import Counter
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
from retroweave.pipeline.errors import InvalidPipeline, UserError
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.rules import check
from retroweave.quality.lint import lint
from retroweave.recipes.grounded_questions import grounded_questions, words
from retroweave.recipes.questions_answers import (
    KINDS,
    Fixed,
    around,
    cites,
    fix_answers,
    fix_missing,
    fix_pairs,
    quote,
    tell_place,
)
from retroweave.recipes.questions_checks import (
    asks_for_its_kind,
    draws_on_both,
    is_a_question,
    is_gone,
    keeps_the_subject,
    stands_alone,
)
from retroweave.recipes.questions_refusals import SPECIFIC, Refuse, nearest_sentence, take_out
from retroweave.recipes.questions_rewriting import is_rewritten, says_no_new_name
from retroweave.sources.texts import passages
from retroweave.text.headings import is_heading
from retroweave.text.spans import candidates, sentences

PASSAGES = [row.fields["passage"] for row in passages(None, shortest=300, longest=1500).rows()]
EXAMPLE: Any = grounded_questions.example
DEFAULTS: Any = grounded_questions.configure({})
WANTED = {"factual": 2, "numeric": 1, "why": 1}
TYPES = ("factual", "numeric", "why", "multi_hop", "unanswerable")


def fixed(function: Any, passage: str, **wanted: Any) -> list[Fixed]:
    """What is fixed in a passage that is shown as it is; nothing where that is a reject."""
    try:
        found: list[Fixed] = function(passage, passage, random.Random(passage), **wanted)
    except Drop:
        return []
    return found


def every(passage: str) -> list[Fixed]:
    return [
        *fixed(fix_answers, passage, wanted=WANTED),
        *fixed(fix_pairs, passage, count=2),
        *fixed(fix_missing, passage, count=2),
    ]


def test_each_answer_stands_once_in_its_passage_and_in_what_is_shown_around_it() -> None:
    found = [(passage, one) for passage in PASSAGES for one in every(passage)]
    assert {one.type for _, one in found} == set(TYPES)
    for passage, one in found:
        assert passage.count(one.answer) == 1
        assert one.answer in one.sentence in passage
        assert one.answer in one.context
        assert one.refusal is (one.type == "unanswerable")
        assert one.kind in KINDS.get(one.type, ("date", "number", "name", "quotation", "reason"))


def test_of_each_type_as_many_are_fixed_as_are_wanted_and_no_answer_twice() -> None:
    for passage in PASSAGES:
        found = fixed(fix_answers, passage, wanted=WANTED)
        assert all(count <= WANTED[type] for type, count in Counter(one.type for one in found).items())
        assert len({one.answer for one in found}) == len(found)


def test_answers_are_of_as_many_kinds_as_there_are() -> None:
    passage = (
        "In 1871 the smoke-house fell. It had been built by Rob Lundie because the stones were of a handy size. "
        "Nobody in the town could say what had become of the harbour that it was made of."
    )
    kinds = [one.kind for one in fixed(fix_answers, passage, wanted={"factual": 3, "why": 1})]
    assert sorted(kinds) == ["date", "name", "reason", "sentence"]


def test_a_whole_sentence_is_no_answer_where_its_sentence_is_quoted_behind_it() -> None:
    for passage in PASSAGES[::3]:
        found = fixed(fix_answers, passage, wanted={"factual": 9}, whole=False)
        assert "sentence" not in {one.kind for one in found}


def test_what_stands_in_the_original_alone_is_not_asked_for() -> None:
    passage = "In 1871 the smoke-house of Rob Lundie fell down in the storm, and nobody was hurt by it."
    shown = "A storm blew down the smoke-house of Rob Lundie. That was long ago."
    found = fix_answers(passage, shown, random.Random(0), wanted={"factual": 9, "numeric": 9})
    assert [one.answer for one in found] == ["Rob Lundie"]
    assert found[0].sentence == "A storm blew down the smoke-house of Rob Lundie."


def test_two_sentences_belong_together_and_the_answer_stands_in_one_of_them() -> None:
    found = [(passage, one) for passage in PASSAGES for one in fixed(fix_pairs, passage, count=2)]
    assert len(found) > len(PASSAGES) / 2
    for passage, one in found:
        assert one.clue in passage
        assert one.clue != one.sentence
        assert one.answer not in one.clue
        assert one.context.index(one.clue) != one.context.index(one.sentence)


def test_a_sentence_to_which_the_next_one_points_back_is_not_taken_out() -> None:
    lone = "The mole was begun at Burntisland. It was given up in 1604. The stones were sold. The town forgot."
    assert {one.answer for one in fixed(fix_missing, lone, count=9)} == {"1604"}
    bought = lone.replace("The stones were sold", "Rob Lundie bought its stones")
    assert {one.answer for one in fixed(fix_missing, bought, count=9)} == {"Rob Lundie"}


@given(st.text(max_size=300))
def test_any_text_is_looked_through_without_failing(text: str) -> None:
    for one in every(text):
        assert one.answer in one.sentence


def test_what_is_around_an_answer_ends_with_its_paragraph() -> None:
    passage = "The first paragraph ends here.\n\nThe mole was given up in 1604. It was sold.\n\nA heading\n\nMore."
    [span] = [one for one in candidates(passage) if one.kind == "date"]
    assert around(passage, span) == "The mole was given up in 1604. It was sold."


@given(st.text(max_size=300))
def test_any_text_is_looked_through_without_complaint(text: str) -> None:
    for span in candidates(text):
        assert text[span.start : span.end] in around(text, span)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("It left at 10:40 for Perth.", "40"),
        ("Ratios of 3/4 were seen.", "3"),
        ("In the 1920s it closed.", "1920"),
        ("In February it shut.", "In February"),
    ],
)
def test_a_part_of_a_larger_thing_is_no_answer(text: str, left_out: str) -> None:
    assert left_out not in [text[span.start : span.end] for span in candidates(text)]


@pytest.mark.parametrize(
    ("question", "good"),
    [
        ("Who built the smoke-house at Burntisland?", True),
        ("Who built it?", False),
        ("Rob Lundie built the smoke-house, did he not?", False),
        ("Name the man who built the smoke-house.", False),
        ("Who built it? And when did he do that?", False),
        ("What did Lundie, called Rob, do with all those stones?", False),
    ],
)
def test_a_question_is_one_line_that_does_not_hold_its_answer(question: str, good: bool) -> None:
    assert is_a_question(question, "Rob Lundie") is good


@pytest.mark.parametrize(
    ("question", "type", "good"),
    [
        ("How many bags were sold at Perth?", "numeric", True),
        ("What share of the bags was sold?", "numeric", True),
        ("Who sold the bags at Perth?", "numeric", False),
        ("Why were the bags sold at Perth?", "why", True),
        ("What led the miller to sell the bags?", "why", True),
        ("Where were the bags sold?", "why", False),
        ("Where were the bags sold?", "multi_hop", True),
    ],
)
def test_a_number_is_asked_for_by_how_much_and_a_reason_by_why(question: str, type: str, good: bool) -> None:
    assert asks_for_its_kind(question, type) is good


def test_a_question_for_two_sentences_draws_on_the_one_that_does_not_hold_the_answer() -> None:
    clue, sentence = "The pilot boat was painted by Joost Maas.", "Maas came to the coast in 1931 with a cello."
    assert draws_on_both("When did the painter of the pilot boat come to the coast?", clue, sentence)
    assert not draws_on_both("When did the man with the cello come to the coast?", clue, sentence)


def test_a_question_that_speaks_of_its_text_does_not_stand_alone() -> None:
    assert stands_alone("Who built the smoke-house at Burntisland?")
    assert not stands_alone("What does the author say of the stones?")
    assert not stands_alone("According to the notice, who built the smoke-house?")


# Citations


def test_a_citation_quotes_or_places_the_sentences_on_which_an_answer_rests() -> None:
    for passage in PASSAGES:
        for one in [*fixed(fix_answers, passage, wanted=WANTED), *fixed(fix_pairs, passage, count=2)]:
            quoted = quote(passage, one.sentence, one.clue)
            assert len(quoted.split("\n")) == (2 if one.clue else 1)
            assert cites(quoted, one.answer, passage)
            headings = [text for text in (one.sentence, one.clue) if text and is_heading(text.strip())]
            if len(list(sentences(one.sentence))) == 1 and not headings:
                assert cites(tell_place(passage, one.sentence, one.clue), one.answer, passage)


TWO = "The mole was begun in 1592.\n\nThe town paid for it. Who gave it up in 1604, nobody knows.\n"


def test_a_heading_is_no_paragraph_when_places_are_counted() -> None:
    text = "Burntisland\n\nThe mole was begun in 1592.\n\nHistory\n\nThe town paid for it. It was given up in 1604.\n"
    assert tell_place(text, "It was given up in 1604.", "") == "paragraph 2, sentence 2"
    with pytest.raises(Drop, match="in a heading"):
        tell_place(text, "Burntisland", "")


@pytest.mark.parametrize(
    ("evidence", "good"),
    [
        ("> Who gave it up in 1604, nobody knows.", True),
        ("> The town paid for it.", False),
        ("> The town gave it up in 1604.", False),
        ("> ", False),
        ("paragraph 2, sentence 2", True),
        ("paragraph 1, sentence 1 and paragraph 2, sentence 2", True),
        ("paragraph 2, sentence 1", False),
        ("paragraph 3, sentence 1", False),
        ("paragraph 2, sentence 2 and paragraph 2, sentence 9", False),
        ("somewhere", False),
        ("", False),
    ],
)
def test_a_citation_of_what_is_not_there_or_without_the_answer_is_refused(evidence: str, good: bool) -> None:
    assert cites(evidence, "1604", TWO) is good


# Questions that are not answered


def test_a_sentence_is_taken_out_and_the_rest_is_left_as_it_is() -> None:
    assert take_out("One is. Two is.\n\nThree is.\n", "Two is.") == "One is.\n\nThree is.\n"
    assert take_out("One is. Two is.\n\nThree is.\n", "One is.") == "Two is.\n\nThree is.\n"
    assert take_out("One is. Two is. Three is.\n", "Two is.") == "One is. Three is.\n"
    assert take_out("One is.\n\nTwo is.\n", "Two is.") == "One is.\n"


@pytest.mark.parametrize("passage", PASSAGES[::4])
def test_what_is_left_holds_every_other_sentence_and_not_the_answer(passage: str) -> None:
    for one in fixed(fix_missing, passage, count=9):
        rest = take_out(passage, one.sentence)
        assert one.answer not in rest
        assert " ".join(passage.replace(one.sentence, "").split()) == " ".join(rest.split())


def test_a_text_that_still_says_it_in_other_words_is_refused() -> None:
    assert is_gone("The mole was begun in winter. It was sold.", "Rob Lundie")
    assert not is_gone("The mole was begun by rob lundie in winter.", "Rob Lundie")
    assert not is_gone("Stones of the handiest sort. A size so handy sold the stones.", "stones of a handy size")


def test_a_question_of_which_nothing_is_left_is_refused() -> None:
    question = "When did they begin to build the mole at Burntisland?"
    assert keeps_the_subject("Nobody would build at Burntisland.", question)
    assert not keeps_the_subject("They build what the provost asked for when they did.", question)
    assert not keeps_the_subject("It was so.", "How was it so?")


def test_refusals_are_many_name_what_is_missing_and_quote_what_is_there() -> None:
    refuse, rest = Refuse(words), "The mole at Burntisland was sold for ballast. The provost laughed."
    question = "When was the mole at Burntisland begun?"
    assert nearest_sentence(question, rest) == "The mole at Burntisland was sold for ballast."
    said = Counter(refuse(question, rest, "date", random.Random(seed)) for seed in range(600))
    assert len(said) > 150
    assert 200 < sum(count for one, count in said.items() if rest[:45] in one) < 400
    assert 150 < sum(count for one, count in said.items() if one.startswith(words("no_date"))) < 450
    assert not any("laughed" in one for one in said)


@pytest.mark.parametrize("pool", ["refusals", "nearest", *SPECIFIC.values()])
def test_a_refusal_neither_grovels_nor_promises(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 10
    for word in ("sorry", "unfortunately", "apolog", "afraid", "as an ai", "i cannot", "i can't", "unable", "happy to"):
        assert not any(word in one.lower() for one in said)


@pytest.mark.parametrize("pool", ["ask", "ask_sentence", "ask_place"])
def test_each_instruction_is_put_in_many_ways_and_none_gushes(pool: str) -> None:
    said = words(pool)
    assert len(set(said)) == len(said) >= 16
    assert max(Counter(one.split()[0].lower() for one in said).values()) <= 4
    for word in ("great", "wonderful", "certainly", "delighted", "excellent"):
        assert not any(word in one.lower() for one in said)


# Rewriting


def test_a_rewritten_text_brings_no_number_and_no_name() -> None:
    passage = "Rob Lundie roofed it in 1604, said the Provost."
    assert says_no_new_name(passage, "It was in 1604. Then Rob Lundie roofed it.")
    assert says_no_new_name(passage, "A: When?\nB: In 1604. The Provost says that Lundie roofed it.")
    assert not says_no_new_name(passage, "In 1605 Rob Lundie roofed it.")
    assert not says_no_new_name(passage, "It was roofed by Rob Lundie of Perth.")


def test_a_rewritten_text_is_no_copy_and_of_about_its_length() -> None:
    passage = "one two three four five six seven eight nine ten " * 4
    assert is_rewritten(passage, "ten nine eight seven six five four three two one " * 4)
    assert not is_rewritten(passage, passage)
    assert not is_rewritten(passage, "ten nine")


# Runs


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int = 4, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    config = EXAMPLE.model_copy(update=changes)
    make(find_recipe("grounded-questions"), config, rows, tmp_path / "out", workers=1)
    return list(read_samples(tmp_path / "out"))


ONLY = dict.fromkeys(TYPES, 0)


def test_the_sample_is_the_question_and_the_text_and_then_the_texts_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sample in made(tmp_path, monkeypatch, unanswerable=0):
        asked, answered = sample["messages"]
        assert not asked["train"]
        assert answered["train"]
        kept = sample["provenance"]["kept"]["passage"]
        assert kept.count(answered["content"]) == 1
        calls = sample["provenance"]["calls"]
        question = [call["answer"] for call in calls if call["step"] in ("question", "multi_hop")][-1]
        assert question in asked["content"]
        assert {"answerable", "not_known_without"} <= {one["step"] for one in sample["provenance"]["verdicts"]}


@pytest.mark.parametrize("type", TYPES)
def test_each_type_can_be_had_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type: str) -> None:
    config = grounded_questions.configure({**EXAMPLE.model_dump(), **ONLY, type: 2})
    assert check(grounded_questions.pipeline(config)) == []
    samples = made(tmp_path, monkeypatch, rows=1, **{**ONLY, type: 2, "refusals": 0.2})
    assert [one["provenance"]["measures"]["type"] for one in samples] == [type]


def test_a_question_for_two_sentences_is_tried_with_one_of_them_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sample in made(tmp_path, monkeypatch, rows=2, **{**ONLY, "multi_hop": 1}):
        assert "not by one sentence alone" in {one["step"] for one in sample["provenance"]["verdicts"]}


def test_a_refusal_is_asked_for_in_the_same_words_as_an_answer_and_is_known_as_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [sample] = made(tmp_path, monkeypatch, rows=1, **{**ONLY, "unanswerable": 3, "refusals": 1})
    asked, refused = sample["messages"]
    assert asked["content"].startswith(words("ask"))
    assert sample["provenance"]["measures"]["refusal"] is True
    assert "not answered by the rest" in {one["step"] for one in sample["provenance"]["verdicts"]}
    passage = sample["provenance"]["kept"]["passage"]
    gone = [text for text in (passage[a:b] for a, b in sentences(passage)) if text not in asked["content"]]
    assert len(gone) == 1
    assert gone[0] not in refused["content"]
    like = [{**sample, "id": str(number)} for number in range(30)]
    assert "refusals" not in {finding.lint for finding in lint(like)}


@pytest.mark.parametrize(("share", "most"), [(0, 0), (0.25, 1)])
def test_no_more_than_a_share_of_the_samples_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, most: int
) -> None:
    samples = made(tmp_path, monkeypatch, rows=4, **{**ONLY, "unanswerable": 3, "why": 3, "numeric": 3}, refusals=share)
    assert sum(one["provenance"]["measures"]["refusal"] for one in samples) == most


def test_without_the_text_the_question_is_all_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sample in made(tmp_path, monkeypatch, with_text=0.0, without_text=1.0, unanswerable=0):
        assert sample["layout"] == "without_text"
        assert sample["messages"][0]["content"].endswith("?")
        assert "\n" not in sample["messages"][0]["content"]


@pytest.mark.parametrize("cite", ["sentence", "place"])
def test_an_answer_is_followed_by_its_citation_where_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cite: str
) -> None:
    for sample in made(tmp_path, monkeypatch, cite=cite, unanswerable=0, without_text=0.0):
        asked, answered = (turn["content"] for turn in sample["messages"])
        assert asked.startswith(words(f"ask_{cite}"))
        assert ("> " in answered) is (cite == "sentence")
        assert ("sentence " in answered) is (cite == "place")
        quoted = [line.removeprefix("> ") for line in answered.split("\n") if line.startswith("> ")]
        assert all(one in asked for one in quoted)


def test_a_rewritten_passage_is_shown_and_the_answer_stands_in_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sample in made(tmp_path, monkeypatch, styles="easy", unanswerable=0, multi_hop=0):
        asked, answered = (turn["content"] for turn in sample["messages"])
        passage = sample["provenance"]["kept"]["passage"]
        assert passage not in asked
        assert passage.count(answered) == asked.count(answered) == 1
        judged = {one["step"] for one in sample["provenance"]["verdicts"]}
        assert {"says nothing else", "the_original_agrees"} <= judged
        assert sample["provenance"]["measures"]["style"] == "easy"


def test_styles_are_named_in_a_row_and_others_are_refused() -> None:
    config: Any = grounded_questions.configure({"styles": "as-it-is, easy,easy"})
    assert config.each_style == ("as-it-is", "easy", "easy")
    assert check(grounded_questions.pipeline(config)) == []
    assert grounded_questions.configure({"styles": ["easy", "dialogue"]}) == grounded_questions.configure(
        {"styles": "easy,dialogue"}
    )
    with pytest.raises(UserError, match="'noble' is no style; there is as-it-is, easy, encyclopaedic, dialogue, tech"):
        grounded_questions.configure({"styles": "noble"})
    with pytest.raises(UserError, match="set factual, or another type"):
        grounded_questions.configure(ONLY)


@pytest.mark.parametrize("style", ["easy", "encyclopaedic", "dialogue", "technical"])
def test_the_examples_of_a_style_keep_to_what_the_style_is_held_to(style: str) -> None:
    examples = words.prompt(f"rewrite_{style}").examples
    assert len(examples) >= 3
    for example in examples:
        assert says_no_new_name(example["passage"], example["shown"])
        assert is_rewritten(example["passage"], example["shown"])


def test_the_examples_for_two_sentences_keep_to_what_such_questions_are_held_to() -> None:
    for one in words.prompt("multi_hop").examples:
        assert one["passage"].count(one["answer"]) == 1
        assert is_a_question(one["question"], one["answer"])
        assert draws_on_both(one["question"], one["clue"], one["sentence"])


def test_who_wants_the_judge_surer_than_it_is_of_its_own_example_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidPipeline, match="step 'answerable': it rejects its own good row"):
        made(tmp_path, monkeypatch, sure=0.99)


# A teacher of known quality

RIGHT, ERRS = 0.8, Errs(0.9, 0.15)
TOLD_AGAIN = "All of that is told once more in the last chapter."
STRANGE = ("What colour was the door", "Who painted the number", "Marta wanted to take the bus", "It was four miles")


def harbours(folder: Path, count: int) -> Path:
    """Texts about a boat each, of which one in five says again what one of its sentences says."""
    rng = random.Random(0)
    for number in range(count):
        boat, maker, keeper = (
            "".join(rng.choices("bdfgklmnprstvz", k=7)).capitalize() + ending for ending in ("ia", "us", "o")
        )
        text = (
            f"The boat called {boat} was made by {maker} for the harbour. It cost {rng.randrange(100, 9999)} pounds "
            f"because the timber was scarce in the winter of {keeper}. Another keeper lived in the tower. On most days "
            f"the harbour was empty, and the tower was dark.{f' {TOLD_AGAIN}' if number % 5 == 0 else ''}"
        )
        (folder / f"{number:04}.txt").write_text(text)
    return folder


def teacher(asked: Asked) -> Reply:
    """Questions of which four in five are right, and judges that err as often as is declared."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You write"):
        return Reply(f"Why and how was the empty tower of the harbour {kind(asked, RIGHT)} meant by {mark(asked)}?")
    if told.startswith("Answer the question as briefly"):
        return Reply("Paris" if "France" in shown else "nobody knows")
    question = re.search(r"harbour (rightly|wrongly) meant by (\w+)", shown)
    if question is None or any(strange in shown for strange in STRANGE):
        wrong = any(strange in shown for strange in STRANGE)
        return judgement(wrong if told.startswith("You are shown one sentence") else not wrong)
    if told.startswith("You are shown one sentence"):
        return judgement(not ERRS.accepts(question[1], f"alone {question[2]}"))
    if told.startswith("You check replies"):
        return judgement(ERRS.accepts("wrongly" if TOLD_AGAIN in shown else "rightly", f"reply {question[2]}"))
    return judgement(ERRS.accepts(question[1], question[2]))


def rewriter(asked: Asked) -> Reply:
    """The same, where passages are rewritten first, four in five of them rightly."""
    told, shown = system(asked), asked.prompt
    if told.startswith("You rewrite"):
        return Reply(re.sub(r"(?<=\.) ", f" Now, as is {kind(asked, RIGHT)} told by {mark(asked)}: ", shown))
    retold = re.search(r"as is (rightly|wrongly) told by (\w+)", shown)
    if told.startswith("You compare") and retold:
        return judgement(ERRS.accepts(retold[1], retold[2]))
    question = re.search(r"harbour (rightly|wrongly) meant by (\w+)", shown)
    if told.startswith("A pupil") and question and not retold:
        return judgement(ERRS.accepts(question[1], f"original {question[2]}"))
    return teacher(asked)


def is_right(sample: dict[str, Any]) -> bool:
    asked = sample["messages"][0]["content"]
    return "rightly" in asked and not (sample["layout"] == "unanswerable" and TOLD_AGAIN in asked)


def test_a_teacher_of_known_quality_makes_sets_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    texts: dict[str, Any] = {"texts": harbours(tmp_path / "texts", 400), "license": "CC0-1.0", "shortest": 100}
    found = taught(grounded_questions, teacher, tmp_path, multi_hop=2, unanswerable=1, refusals=0.4, **texts)
    declared = {step.name: step for step in found.judges if step.name != "not_known_without"}
    assert set(declared) == {"answerable", "not by one sentence alone", "not answered by the rest"}
    assert all(ERRS.declared_by(step) for step in declared.values())
    right, wrong = ERRS.passes(RIGHT)
    twice = Errs(ERRS.right**2, ERRS.wrong**2).passes(RIGHT)
    answered = right / (right + wrong)
    refused = answered * right / (right + wrong)  # of the texts too four in five are right: they do not say it again
    by_type = {type: [one for one in found.samples if one["provenance"]["measures"]["type"] == type] for type in TYPES}
    spans = [one for type in KINDS for one in by_type[type]]
    for samples, precision in (
        (spans, answered),
        (by_type["multi_hop"], twice[0] / sum(twice)),
        (by_type["unanswerable"], refused),
    ):
        assert len(samples) > 30
        assert likely(sum(map(is_right, samples)), len(samples), precision)


def test_rewritten_texts_of_a_teacher_of_known_quality_are_as_right_as_the_declared_odds_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    texts: dict[str, Any] = {"texts": harbours(tmp_path / "texts", 400), "license": "CC0-1.0", "shortest": 100}
    found = taught(grounded_questions, rewriter, tmp_path, 250, styles="easy", **texts)
    declared = {step.name: step for step in found.judges if step.name != "not_known_without"}
    assert set(declared) == {"says nothing else", "answerable", "the_original_agrees"}
    assert all(ERRS.declared_by(step) for step in declared.values())
    right, wrong = ERRS.passes(RIGHT)
    asked = Errs(ERRS.right**2, ERRS.wrong**2).passes(RIGHT)
    of_texts, of_questions = right / (right + wrong), asked[0] / sum(asked)
    shown = [sample["messages"][0]["content"] for sample in found.samples]
    assert likely(sum("harbour rightly meant" in one for one in shown), len(shown), of_questions)
    told = {retold.groups() for retold in (re.search(r"as is (\w+) told by (\w+)", one) for one in shown) if retold}
    assert len(told) > 50
    assert likely(sum(how == "rightly" for how, _ in told), len(told), of_texts)
