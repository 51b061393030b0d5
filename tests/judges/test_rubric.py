"""A rubric is read from Markdown or YAML, answered by programs and a model, and weighed as it says."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.judges.models import NONE_TOLD, Scripted, a_prompt, sent

from retroweave.judges.rubric import ProgramsJudge, RubricJudge, rubric
from retroweave.judges.rubric_file import Item, Rubric, read_rubric
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Answer, Form
from retroweave.pipeline.step import judge, verify
from retroweave.pipeline.verdict import Score
from retroweave.text.prompts import Section

MARKDOWN = """---
judges: passage
context: [topic]
threshold: 0.7
---
# A passage to read aloud

Nothing of this line is asked.

## It tells a story (weight 2)
- [ ] Does it tell of something that happened?
- [ ] Does it preach
      to its reader? (wanted no, weight 3)

## Can it be read aloud? (gate)

Read it out once, and see.

- [ ] Is it short? `words: {most: 9}`
- Is it easy on the tongue? (threshold 0.8)
    1. Are its sentences short?
    2. Is it about {{ topic }}?
"""

YAML = """
judges: passage
context: topic
threshold: 0.7
title: A passage to read aloud
items:
- question: It tells a story
  weight: 2
  parts:
  - Does it tell of something that happened?
  - {question: 'Does it preach to its reader?', wanted: no, weight: 3}
- question: Can it be read aloud?
  gate: yes
  parts:
  - {question: 'Is it short?', program: {words: {most: 9}}}
  - question: Is it easy on the tongue?
    threshold: 0.8
    parts: ['Are its sentences short?', 'Is it about {{ topic }}?']
"""

PASSAGE = "The ferry was late, and nobody minded."


def written(folder: Path, text: str, name: str = "aloud.md") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def questions(items: tuple[Item, ...]) -> list[Any]:
    """What a rubric says, without the places where it says it."""
    return [
        (
            item.question.text,
            item.weight,
            item.wanted,
            item.gate,
            item.threshold,
            item.program.as_json() if item.program else None,
            questions(item.parts),
        )
        for item in items
    ]


def asked(judge: RubricJudge | ProgramsJudge, model: Scripted, passage: str = PASSAGE, **fields: Any) -> Score:
    given = {"passage": passage, "topic": "ferries"} | fields
    if isinstance(judge, ProgramsJudge):
        return judge(passage=passage)
    return asyncio.run(judge(model=model, rng=random.Random(0), **given))


def by_question(answers: dict[str, float | Answer], otherwise: float = 0.5) -> Scripted:
    def answer(sent: str) -> Answer | float:
        put = sent.rpartition("A question about the ")[2]
        return next((said for words, said in answers.items() if words in put), otherwise)

    return Scripted(answer)


# The file


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    one, other = (read_rubric(written(tmp_path, text, name)) for text, name in ((MARKDOWN, "a.md"), (YAML, "a.yaml")))
    assert questions(one.items) == questions(other.items)
    assert (one.judges, one.context, one.threshold, one.title) == (
        other.judges,
        other.context,
        other.threshold,
        other.title,
    )


def test_a_markdown_rubric_is_read_as_it_looks(tmp_path: Path) -> None:
    story, aloud = read_rubric(written(tmp_path, MARKDOWN)).items
    assert (story.question.text, story.weight, story.gate) == ("It tells a story", 2, False)
    assert [part.question.text for part in story.parts] == [
        "Does it tell of something that happened?",
        "Does it preach to its reader?",
    ]
    assert (story.parts[1].wanted, story.parts[1].weight) == ("no", 3)
    assert aloud.gate
    short, easy = aloud.parts
    assert short.program is not None
    assert short.program.as_json() == {"words": {"most": 9}}
    assert (easy.threshold, len(easy.parts)) == (0.8, 2)


def test_questions_need_no_heading_and_a_heading_may_be_a_question(tmp_path: Path) -> None:
    text = "---\njudges: passage\n---\n- Is it one?\n\n## Is it two? (gate)\nA note.\n### Three\n- Is it four?\n"
    one, two = read_rubric(written(tmp_path, text)).items
    assert one.question.text == "Is it one?"
    assert (two.question.text, two.gate, [part.question.text for part in two.parts]) == ("Is it two?", True, ["Three"])
    assert two.parts[0].parts[0].question.text == "Is it four?"


def test_a_bracket_that_is_part_of_a_question_stays_there(tmp_path: Path) -> None:
    text = "---\njudges: passage\n---\n## It is old (or looks so)\n- Is it old (by a year)?\n"
    (item,) = read_rubric(written(tmp_path, text)).items
    assert item.question.text == "It is old (or looks so)"
    assert item.parts[0].question.text == "Is it old (by a year)?"


def test_a_bare_yaml_list_will_do_where_the_recipe_says_what_is_judged(tmp_path: Path) -> None:
    path = written(tmp_path, "- Is it so?\n- program: {words: {least: 2}}\n", "r.yaml")
    read = read_rubric(path, judges="passage")
    assert read.judges == "passage"
    assert [item.question.text for item in read.items] == ["Is it so?", "words"]


HEAD = "---\njudges: passage\n---\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.md", HEAD, "The rubric {path} has no items. Write one a line, in Markdown: `- [ ] Does it tell a story?"),
        ("r.yaml", "judges: passage\nitems: []", "has no items"),
        ("r.yaml", "", "must be a list of items"),
        ("r.yaml", "judges: passage\nitems: 7", "must be a list"),
        ("r.md", "- Is it so?", "{path} does not say which field it judges. Begin it with `judges: passage`"),
        ("r.txt", "", "{path} is neither .md nor .yaml"),
        ("r.md", "---\njudge: passage\n---\n- Is it so?", "{path} has a key 'judge'. Did you mean 'judges'?"),
        (
            "r.md",
            "---\njudges: passage\nthreshold: 7\n---\n- Is it?",
            "In {path}, threshold is 7: Input should be less",
        ),
        ("r.md", "---\n- a\n---\n- Is it?", "The header of {path} must be `key: value` lines"),
        ("r.md", "---\na: [\n---\n- Is it?", "The header of {path} is no YAML"),
        ("r.md", HEAD + "- Is it? (wieght 2)", "{path}, line 4, has an option 'wieght'. Did you mean 'weight'?"),
        ("r.md", HEAD + "## Good (wieght 2)\n- Is it?", "{path}, line 4, has an option 'wieght'"),
        ("r.md", HEAD + "- Is it? (weight 0)", "{path}, line 4: weight is '0': Input should be greater than 0"),
        ("r.md", HEAD + "- Is it? (weight -1)", "weight is '-1': Input should be greater than 0"),
        ("r.md", HEAD + "- Is it? (weight inf)", "weight is 'inf'"),
        ("r.md", HEAD + "- Is it? (wanted maybe)", "wanted is 'maybe': Input should be 'yes' or 'no'"),
        ("r.md", HEAD + "- Is it? (gate twice)", "says 'gate twice': `gate` stands alone"),
        (
            "r.md",
            HEAD + "- Is it? (urgent)",
            "{path}, line 4, has an option 'urgent'. There is gate, threshold, wanted",
        ),
        ("r.md", HEAD + "- Short", "{path}, line 4, is no question: 'Short'. End it with a question mark"),
        ("r.md", HEAD + "## Notes\nSome prose.", "{path}, line 4, is no question: 'Notes'"),
        ("r.md", HEAD + "- Is it? `words: {lest: 1}`", "In {path}, line 4, words takes no 'lest'"),
        ("r.md", HEAD + "- Is it? `words: {`", "The program in {path}, line 4, is no YAML"),
        ("r.md", HEAD + "- Is it {{ one ?", "{path}, line 4, section 'question', line 1, is no template"),
        (
            "r.yaml",
            "judges: p\nitems: [{questions: 'Is it?'}]",
            "{path}, item 1, has a key 'questions'. Did you mean 'question'?",
        ),
        ("r.yaml", "judges: p\nitems: [Is it?]", "is no YAML: while parsing"),
        ("r.yaml", "judges: p\nitems: [{weight: 2}]", "{path}, item 1, asks nothing"),
        ("r.yaml", "judges: p\nitems: [['Is it?']]", "{path}, item 1, is no question but ['Is it?']"),
        ("r.yaml", "judges: p\nitems: [{parts: ['Is it?', {weight: x}]}]", "{path}, item 1.2: weight is 'x'"),
        (
            "r.yaml",
            "judges: p\nitems: [{program: {words: {least: 1}}, parts: ['Is it?']}]",
            "a program and parts as well",
        ),
    ],
)
def test_a_rubric_that_is_written_wrongly_says_where_and_what_mends_it(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(UserError) as error:
        read_rubric(path)
    assert message.replace("{path}", str(path)) in str(error.value)


def test_a_rubric_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no rubric to read at"):
        read_rubric(tmp_path / "none.md")


def test_a_file_and_a_recipe_that_judge_different_fields_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="judges 'passage', and the recipe says 'title'"):
        rubric(written(tmp_path, MARKDOWN), judges="title")


# The score


def test_a_score_is_the_weighted_mean_and_keeps_its_parts(tmp_path: Path) -> None:
    model = by_question({"happened": 0.9, "preach": 0.2, "sentences": 1.0, "about ferries": 0.6})
    score = asked(rubric(written(tmp_path, MARKDOWN)), model)
    story, aloud = score.parts["items"]
    assert story["value"] == pytest.approx((0.9 + 3 * 0.8) / 4)
    assert aloud["value"] == pytest.approx((1 + 0.8) / 2)
    assert score.value == pytest.approx((2 * story["value"] + aloud["value"]) / 3)
    assert score.passed
    assert score.parts["method"] == "logprobs"
    assert story["parts"][1] == {
        "question": "Does it preach to its reader?",
        "value": pytest.approx(0.8),
        "weight": 3,
        "passed": True,
        "wanted": "no",
    }
    assert aloud["parts"][0] == {
        "question": "Is it short?",
        "value": 1,
        "weight": 1,
        "passed": True,
        "program": {"words": {"most": 9}},
    }
    assert aloud["parts"][1]["passed"]
    assert len(model.asked) == 4


def test_a_failed_gate_makes_the_score_0_whatever_else_is_good(tmp_path: Path) -> None:
    score = asked(
        rubric(written(tmp_path, HEAD + "- Is it good? (weight 9)\n- Is it true? (gate)\n")),
        by_question({"good": 1.0, "true": 0.4}),
    )
    assert (score.value, score.passed, score.reason) == (0, False, "fails 'Is it true?'")
    assert [item["value"] for item in score.parts["items"]] == [1, pytest.approx(0.4)]


def test_a_gate_among_parts_fails_the_item_that_they_make_up(tmp_path: Path) -> None:
    text = HEAD + "## One (wanted no)\n- Is it a? (gate)\n- Is it b?\n## Two\n- Is it c?\n"
    score = asked(rubric(written(tmp_path, text)), by_question({"a?": 0.1, "b?": 1.0, "c?": 1.0}))
    assert [(item["value"], item["passed"]) for item in score.parts["items"]] == [(0, False), (1, True)]
    assert score.value == pytest.approx(0.5)


def test_an_item_of_which_no_is_wanted_mirrors_what_its_parts_say_between_them(tmp_path: Path) -> None:
    text = HEAD + "## It preaches (wanted no)\n- Is it a sermon?\n- Is it a lecture?\n"
    score = asked(rubric(written(tmp_path, text)), by_question({"sermon": 0.9, "lecture": 0.5}))
    assert score.value == pytest.approx(0.3)


def test_where_a_program_fails_a_gate_no_model_is_asked(tmp_path: Path) -> None:
    model = Scripted()
    text = HEAD + "- Is it good?\n- Is it short? `words: {most: 2}` (gate)\n"
    score = asked(rubric(written(tmp_path, text)), model)
    assert model.asked == []
    assert (score.value, score.reason) == (0, "fails 'Is it short?'")
    good, short = score.parts["items"]
    assert (good["value"], good["passed"], short["passed"]) == (None, None, False)


def test_a_question_without_an_answer_has_failed_whichever_was_wanted(tmp_path: Path) -> None:
    dumb = Answer("Hm", first=(("Hm", -0.1),))
    text = HEAD + "- Is it good?\n- Is it bad? (wanted no)\n- Is it dull? (wanted no)\n"
    score = asked(rubric(written(tmp_path, text)), by_question({"good": 1.0, "bad": dumb, "dull": 0.0}))
    assert [item["passed"] for item in score.parts["items"]] == [True, False, True]
    assert score.parts["items"][1]["answer"] == "neither yes nor no"
    assert score.value == pytest.approx(2 / 3)


def test_a_model_that_answers_nothing_rejects_by_that_reason(tmp_path: Path) -> None:
    dumb = Answer("Hm", first=(("Hm", -0.1),))
    text = HEAD + "- Is it good?\n- Is it short? `words: {most: 90}` (weight 9)\n"
    score = asked(rubric(written(tmp_path, text)), Scripted(lambda sent: dumb))
    assert (score.passed, score.reason) == (False, "the judge answered neither yes nor no")


leaves = st.builds(
    lambda weight, wanted, gate: Item(Section("question", "Is it?", "here"), weight, "no" if wanted else "yes", gate),
    st.floats(1e-3, 1e3),
    st.booleans(),
    st.booleans(),
)
trees = st.recursive(
    leaves,
    lambda parts: st.builds(
        lambda weight, gate, inner: Item(Section("question", "All", "here"), weight, "yes", gate, parts=tuple(inner)),
        st.floats(1e-3, 1e3),
        st.booleans(),
        st.lists(parts, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@given(st.lists(trees, min_size=1, max_size=4), st.integers(0, 1000))
def test_a_score_lies_between_the_least_and_the_greatest_of_its_items(items: list[Item], seed: int) -> None:
    rng = random.Random(seed)
    score = asked(rubric(Rubric("r", "passage", tuple(items))), Scripted(lambda sent: rng.random()))
    values = [item["value"] for item in score.parts["items"]]
    assert 0 <= score.value <= 1
    if any(item.get("gate") and not item["passed"] for item in score.parts["items"]):
        assert (score.value, score.passed) == (0, False)
    else:
        assert min(values) - 1e-9 <= score.value <= max(values) + 1e-9


def test_the_threshold_of_the_recipe_goes_before_that_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "---\njudges: passage\nthreshold: 0.7\n---\n- Is it good?\n")
    assert [rubric(path, threshold=least).threshold for least in (None, 0.2, 0.0)] == [0.7, 0.2, 0.0]
    score = asked(rubric(path), by_question({"good": 0.6}))
    assert (score.passed, score.reason) == (False, "scored below 0.7")


# What is asked


@pytest.mark.parametrize("form", ["chat", "base"])
def test_a_model_is_shown_the_text_the_context_and_one_question(tmp_path: Path, form: Form) -> None:
    model = Scripted(form=form)
    asked(rubric(written(tmp_path, MARKDOWN)), model)
    for request in model.asked:
        assert PASSAGE in sent(request)
        assert "ferries" in sent(request)
    put = [
        sent(request).rpartition("Question:" if form == "base" else "A question about")[2] for request in model.asked
    ]
    assert ["preach" in one for one in put] == [False, True, False, False]
    assert "Is it about ferries?" in put[3]


def test_a_base_model_is_shown_examples_of_both_answers(tmp_path: Path) -> None:
    model = Scripted(form="base")
    asked(rubric(written(tmp_path, HEAD + "- Is it good?\n")), model)
    document = model.asked[0].text
    assert document.count("Answer: yes") == document.count("Answer: no") == 2
    assert document.endswith("Question: Is it good?\nAnswer:")


def test_a_text_is_no_template(tmp_path: Path) -> None:
    model = Scripted()
    asked(rubric(written(tmp_path, HEAD + "- Is it good?\n")), model, passage="{{ topic }} {% if %}")
    assert "{{ topic }} {% if %}" in sent(model.asked[0])


def test_another_prompt_may_word_the_question(tmp_path: Path) -> None:
    model = Scripted()
    prompt = a_prompt(tmp_path, "%% user\n{{ text }} -- {{ question }}")
    asked(rubric(written(tmp_path, HEAD + "- Is it good?\n"), prompt=prompt), model)
    assert model.asked[0].messages[0]["content"] == f"{PASSAGE} -- Is it good?"


def test_a_prompt_that_reads_something_else_is_refused(tmp_path: Path) -> None:
    prompt = a_prompt(tmp_path, "%% user\n{{ passage }} {{ question }}")
    with pytest.raises(UserError, match="reads 'passage', but a rubric's prompt is filled in with context, label"):
        rubric(written(tmp_path, HEAD + "- Is it good?\n"), prompt=prompt)


def test_without_logprobs_answers_are_counted_and_the_score_says_so(tmp_path: Path) -> None:
    model = Scripted(lambda sent: "Yes", abilities=NONE_TOLD)
    score = asked(rubric(written(tmp_path, HEAD + "- Is it good?\n"), samples=3), model)
    assert score.parts["method"] == "sampled 3"
    assert score.value == pytest.approx(0.8)


# The step


def test_it_reads_the_judged_field_its_context_and_what_the_questions_name(tmp_path: Path) -> None:
    text = HEAD + "- Is it what {{ author }} would write?\n- Is it short? `words: {most: 9}`\n"
    step = judge(rubric(written(tmp_path, text), about="author"), raises="passage")
    assert step.reads == {"passage": "passage", "author": "author"}
    assert step.about == {"author"}
    assert step.models == {"model": "model"}
    assert step.awaits


def test_a_rubric_of_programs_takes_no_model_and_may_verify(tmp_path: Path) -> None:
    made = rubric(written(tmp_path, HEAD + "- Is it short? `words: {most: 9}`\n- `lines: {most: 1}`\n"))
    step = verify(made, raises="passage", good={"passage": "x"}, spoiled={"passage": "x\n" * 20})
    assert (step.reads, step.models, step.services, step.awaits) == ({"passage": "passage"}, {}, {}, False)
    assert isinstance(made, ProgramsJudge)
    assert made(passage="x")
    assert made(passage="x\ny").value == 0.5
    assert not made(passage="x\n" * 20)


def test_the_fingerprint_is_of_what_its_verdicts_hang_on(tmp_path: Path) -> None:
    def of(text: str, **options: Any) -> str:
        return rubric(written(tmp_path, text), **options).fingerprint()

    assert of(MARKDOWN) == of(MARKDOWN.replace("Nothing of this", "Something like this"))
    others = [
        MARKDOWN.replace(*change) for change in (("weight 2", "weight 3"), ("gate", "weight 1"), ("most: 9", "most: 8"))
    ]
    assert len({of(text) for text in (MARKDOWN, *others)} | {of(MARKDOWN, threshold=0.1), of(MARKDOWN, samples=2)}) == 6


def test_our_own_words_are_balanced_and_in_quotes() -> None:
    from retroweave.judges import rubric as module

    examples = yaml.safe_load(module.PROMPT.with_suffix(".examples.yaml").read_text("utf-8"))
    assert sorted(example["answer"] for example in examples) == ["no"] * 4 + ["yes"] * 4
