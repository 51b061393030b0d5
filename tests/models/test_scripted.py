"""A scripted model answers what its file says, and is another model when the file is another one."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from retroweave.models.scripted import Scripted, scripted_from
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Abilities, Answer, ModelSpec, Refused, Request

SCRIPT = """
- when: ["Which question", "the tide table"]
  answer: When is low water?
- when: Does the passage answer
  answer: "Yes"
  p_yes: 0.25
- when: Tell me all
  answer: It goes on and
  finish: length
- when: Nothing
"""


def scripted(folder: Path, text: str = SCRIPT, **spec: object) -> Scripted:
    (folder / "answers.yaml").write_text(text, "utf-8")
    return scripted_from(ModelSpec(f"scripted:{folder / 'answers.yaml'}", **spec))  # type: ignore[arg-type]


def answer(model: Scripted, text: str) -> Answer:
    return asyncio.run(model.send(Request("chat", messages=({"role": "user", "content": text},)), 1.0))


def test_the_first_entry_answers_whose_texts_were_all_asked(tmp_path: Path) -> None:
    model = scripted(tmp_path)
    found = answer(model, "Which question fits the tide table? Does the passage answer it?")
    assert (found.text, found.finish) == ("When is low water?", "stop")
    assert found.prompt_tokens
    assert found.completion_tokens
    assert answer(model, "Tell me all!").finish == "length"
    assert answer(model, "Nothing").text == ""
    assert len(model.asked) == 3


def test_a_document_is_looked_through_as_turns_are(tmp_path: Path) -> None:
    found = asyncio.run(scripted(tmp_path).send(Request("complete", text="... Tell me all: "), 1.0))
    assert found.text == "It goes on and"


def test_the_probability_of_a_yes_is_told_as_logprobs_the_likelier_first(tmp_path: Path) -> None:
    found = answer(scripted(tmp_path), "Does the passage answer it?")
    assert found.first == (("No", math.log(0.75)), ("Yes", math.log(0.25)))


def test_what_no_entry_is_about_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no entry of the script is about: 'Who are you"):
        answer(scripted(tmp_path), "Who are you?")


def test_an_edited_script_is_another_model(tmp_path: Path) -> None:
    """Else the journal of calls would go on answering for it."""
    assert scripted(tmp_path).identity == scripted(tmp_path).identity
    assert scripted(tmp_path).identity != scripted(tmp_path, SCRIPT.replace("low", "high")).identity


def test_it_is_asked_in_the_form_that_the_config_names(tmp_path: Path) -> None:
    assert scripted(tmp_path).form == "chat"
    assert scripted(tmp_path, form="base").form == "base"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "must be a list of entries with `when`"),
        ("- answer: hi", "must be a list of entries with `when`"),
        ("- just text", "must be a list"),
        ("- when: 5", "`when`, a text or several"),
        ("- when: [a, 5]", "`when`, a text or several"),
        ("- {when: a, p_yes: 1.0}", "`p_yes` above 0 and below 1"),
        ("- {when: a, p_yes: 0}", "`p_yes` above 0 and below 1"),
        ("- {when: a, p_yes: sure}", "`p_yes` above 0 and below 1"),
        ("- [", "cannot be read"),
    ],
)
def test_a_script_that_is_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        scripted(tmp_path, text)


def test_a_script_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'scripted:.*none\.yaml' cannot be read"):
        scripted_from(ModelSpec(f"scripted:{tmp_path / 'none.yaml'}"))


def test_a_function_may_be_the_script() -> None:
    able = Abilities(chat=True)
    model = Scripted(lambda request: Answer("as it is"), abilities=able, form="base", identity="mine")
    assert answer(model, "anything") == Answer("as it is")
    assert (model.abilities, model.form, model.identity) == (able, "base", "mine")
    asyncio.run(model.close())
