"""A prompt file as a step: an answer is taken whole or not at all, and JSON is held to its schema by somebody."""

from __future__ import annotations

import asyncio
import inspect
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Abilities, Answer, Form, Message, Model, Refused, Request
from retroweave.pipeline.step import prompt
from retroweave.pipeline.worth import Worth
from retroweave.text.generation import CUT_OFF, EMPTY, NOT_JSON, Generate, generate
from retroweave.text.prompts import read_prompt

PLAIN = "%% user\nYou write. {{ passage }}\n%% document\nQ: {{ passage }}\nA:\n%% plain\nAsk me about {{ passage }}"
SCHEMA = """---
max_tokens: 90
schema:
  properties:
    question: {type: string}
    hard: {type: boolean}
---
%% user
{{ passage }}
%% document
{{ passage }}
"""
GOOD = '{"hard": true, "question": "Why?"}'


class Asked:
    """A model that answers what it is told to, in turn, and keeps what it was asked."""

    name = "writer"

    def __init__(self, *answers: str | Answer, form: Form = "chat", **abilities: Any) -> None:
        self.form = form
        self.abilities = Abilities(**{"chat": True, "complete": True, **abilities})
        self.requests: list[Request] = []
        self.hidden: list[Sequence[str]] = []
        self.plain: list[str] = []
        self._answers = list(answers)

    async def ask(self, request: Request, hidden: Sequence[str] = (), plain: str = "", *, noted: bool = True) -> Answer:
        self.requests.append(request)
        self.hidden.append(hidden)
        self.plain.append(plain)
        answer = self._answers.pop(0)
        return Answer(answer) if isinstance(answer, str) else answer

    @property
    def last(self) -> Iterable[Message]:
        return self.requests[-1].messages


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Generate]:
    def written(text: str, examples: str = "", **options: Any) -> Generate:
        path = tmp_path / "question.prompt"
        path.write_text(text, "utf-8")
        path.with_suffix(".examples.yaml").write_text(examples, "utf-8")
        return generate(read_prompt(path), **options)

    return written


def asked(function: Generate, model: Asked, **fields: Any) -> Any:
    return asyncio.run(function(**{"passage": "The tram.", "model": model, **fields}))


class TestSignature:
    def test_it_reads_the_fields_of_the_prompt_and_asks_the_model_of_its_name(
        self, made: Callable[..., Generate]
    ) -> None:
        function = made("%% user\n{{ passage }} {{ place }}", model="writer")
        step = prompt(function, writes="question")
        assert (step.name, step.reads) == ("question", {"passage": "passage", "place": "place"})
        assert step.models == {"writer": "writer"}
        assert step.awaits
        assert step.strength is Worth.prompted
        assert step.services == {}

    def test_one_that_draws_examples_is_handed_the_numbers_of_the_row(self, made: Callable[..., Generate]) -> None:
        function = made("---\nshots: 1\n---\n%% user\n{{ passage }}", "- a: 1")
        assert prompt(function, writes="question").services == {"rng": "rng"}
        assert inspect.signature(function).parameters["model"].annotation is Model

    def test_a_field_with_the_name_of_the_model_is_refused(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(UserError, match="'question' reads a field 'writer', which is the name of its model"):
            made("%% user\n{{ writer }}", model="writer")


class TestAnswers:
    def test_the_text_without_white_space_around_it_is_the_field(self, made: Callable[..., Generate]) -> None:
        model = Asked("\n Why did it not come? \n")
        assert asked(made("---\ntemperature: 0.5\n---\n%% user\n{{ passage }}"), model) == "Why did it not come?"
        assert model.requests == [
            Request("chat", messages=({"role": "user", "content": "The tram."},), temperature=0.5)
        ]

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [(Answer("Why did it", "length"), CUT_OFF), (" \n ", EMPTY), (Answer(finish="stop"), EMPTY)],
    )
    def test_one_that_was_cut_off_or_is_empty_is_none(
        self, made: Callable[..., Generate], answer: Answer | str, reason: str
    ) -> None:
        with pytest.raises(Drop, match=reason):
            asked(made("%% user\n{{ passage }}"), Asked(answer))

    def test_parse_makes_something_of_it_or_drops_it(self, made: Callable[..., Generate]) -> None:
        def both(text: str) -> tuple[str, str]:
            question, bar, answer = text.partition("|")
            if not bar:
                raise Drop("no answer with the question")
            return question, answer

        function = made("%% user\n{{ passage }}", parse=both)
        assert asked(function, Asked("Why?|So.")) == ("Why?", "So.")
        with pytest.raises(Drop, match="no answer with the question"):
            asked(function, Asked("Why?"))

    def test_examples_are_drawn_by_the_numbers_of_the_row_and_are_hidden(self, made: Callable[..., Generate]) -> None:
        long = "a text that is long enough to be known again: number"
        examples = "\n".join(f"- text: {long.replace(':', ',')} {n}" for n in range(9))
        function = made("---\nshots: 2\n---\n%% example user\n{{ example.text }}\n%% user\n{{ passage }}", examples)
        model = Asked("one", "two")
        for _ in range(2):
            asked(function, model, rng=random.Random(7))
        assert model.requests[0] == model.requests[1]
        shown = [turn["content"] for turn in model.last][:-1]
        assert len(shown) == 2
        assert list(model.hidden[0]) == shown

    def test_a_base_model_goes_on_with_the_document(self, made: Callable[..., Generate]) -> None:
        model = Asked("Why?", form="base")
        asked(made(PLAIN), model)
        assert (model.requests[0].kind, model.requests[0].text) == ("complete", "Q: The tram.\nA:")

    def test_a_model_that_can_take_no_form_is_refused_by_name(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(Refused, match=r"'question' needs turns \(chat\), which the model 'writer' cannot do"):
            asked(made("%% user\n{{ passage }}"), Asked(chat=False))


class TestPlain:
    def test_the_plain_prompt_comes_after_the_answer_and_is_noted(self, made: Callable[..., Generate]) -> None:
        model = Asked("Why?")
        assert asked(made(PLAIN), model) == ("Why?", "Ask me about The tram.")
        assert model.plain == ["Ask me about The tram."]

    def test_it_comes_after_several_fields_too(self, made: Callable[..., Generate]) -> None:
        function = made(PLAIN, parse=lambda text: tuple(text.split()))
        assert asked(function, Asked("Why then")) == ("Why", "then", "Ask me about The tram.")

    @pytest.mark.parametrize(
        ("form", "turns", "document"),
        [
            ("chat", ({"role": "user", "content": "Ask me about The tram."},), ""),
            ("base", (), "Ask me about The tram.\n\n"),
        ],
    )
    def test_asked_plainly_a_model_gets_what_a_user_would_say(
        self, made: Callable[..., Generate], form: Form, turns: tuple[Message, ...], document: str
    ) -> None:
        model = Asked("Why?", form=form)
        found = asyncio.run(made(PLAIN).plainly(passage="The tram.", model=model))
        assert found == ("Why?", "Ask me about The tram.")
        assert (model.requests[0].messages, model.requests[0].text) == (turns, document)
        assert model.hidden == [()]

    def test_a_plain_prompt_without_a_field_to_go_into_is_refused(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(UserError, match=r'a plain form, and nothing says into which field.*plain="instruction"'):
            prompt(made(PLAIN), writes="question")

    def test_a_field_for_a_plain_prompt_that_there_is_not_is_refused(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(UserError, match="into 'instruction', but its prompt has none: add a section `%% plain`"):
            prompt(made("%% user\n{{ passage }}"), writes="question", plain="instruction")

    def test_several_rows_with_one_plain_prompt_are_refused(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(UserError, match=r"gives several rows, and its prompt file a plain form for one.*family"):
            prompt(made(PLAIN), writes="question", plain="instruction", many=True)


class TestJson:
    def test_an_endpoint_that_can_hold_an_answer_to_a_schema_does(self, made: Callable[..., Generate]) -> None:
        model = Asked(GOOD, schema=True)
        assert asked(made(SCHEMA), model) == ("Why?", True)
        (request,) = model.requests
        assert request.schema is not None
        assert list(request.schema["properties"]) == ["question", "hard"]

    def test_where_it_cannot_the_schema_is_not_sent(self, made: Callable[..., Generate]) -> None:
        model = Asked(GOOD)
        assert asked(made(SCHEMA), model) == ("Why?", True)
        assert model.requests[0].schema is None

    @pytest.mark.parametrize(
        "answer",
        [
            f"```json\n{GOOD}\n```",
            f"```\n{GOOD}\n```",
            f"Here it is:\n```json\n{GOOD}\n```\nI hope that it helps!",
            f"Here it is: {GOOD} I hope that it helps!",
            '{"hard": true, "question": "Why?",}',
            'Sure. {"hard": true, "question": "Why?" , }',
            f"  {GOOD}\n\n",
        ],
    )
    def test_what_models_put_around_json_is_taken_away(self, made: Callable[..., Generate], answer: str) -> None:
        model = Asked(answer)
        assert asked(made(SCHEMA), model) == ("Why?", True)
        assert len(model.requests) == 1

    @pytest.mark.parametrize("question", ["a list [1, 2,] of two", "{a, }", "```\\nrun()\\n```"])
    @pytest.mark.parametrize("around", ["{}", "Here: {}", "```json\n{}\n```"])
    def test_mending_leaves_the_texts_in_it_as_they_are(
        self, made: Callable[..., Generate], question: str, around: str
    ) -> None:
        answer = around.replace("{}", f'{{"hard": true, "question": "{question}"}}')
        assert asked(made(SCHEMA), Asked(answer))[0] == question.replace("\\n", "\n")

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ("I cannot do that.", "That is no JSON"),
            ('{"question": "Why?"}', "That JSON is not as it should be: data must contain .*hard"),
            ('{"question": "Why?", "hard": "yes"}', "data.hard must be boolean"),
            ('["Why?", true]', "data must be object"),
            ('"Why?"', "data must be object"),
        ],
    )
    def test_json_that_cannot_be_mended_is_asked_for_once_more(
        self, made: Callable[..., Generate], bad: str, said: str
    ) -> None:
        model = Asked(bad, GOOD)
        assert asked(made(SCHEMA), model) == ("Why?", True)
        first, second = model.requests
        assert second.messages[: len(first.messages)] == first.messages
        again, complaint = second.messages[-2:]
        assert again == {"role": "assistant", "content": bad}
        assert complaint["role"] == "user"
        assert complaint["content"].endswith("Answer again, with the JSON object and nothing else.")
        assert re.search(said, complaint["content"])

    def test_it_is_not_asked_for_a_third_time(self, made: Callable[..., Generate]) -> None:
        model = Asked("no", "no", GOOD)
        with pytest.raises(Drop, match=NOT_JSON):
            asked(made(SCHEMA), model)
        assert len(model.requests) == 2

    def test_a_base_model_is_not_talked_to(self, made: Callable[..., Generate]) -> None:
        model = Asked("no", GOOD, form="base", schema=True)
        with pytest.raises(Drop, match=NOT_JSON):
            asked(made(SCHEMA), model)
        assert len(model.requests) == 1
        assert model.requests[0].schema is None

    def test_json_that_was_cut_off_is_none(self, made: Callable[..., Generate]) -> None:
        with pytest.raises(Drop, match=CUT_OFF):
            asked(made(SCHEMA), Asked(Answer(GOOD, "length")))
        with pytest.raises(Drop, match=CUT_OFF):
            asked(made(SCHEMA), Asked("no", Answer(GOOD, "length")))

    def test_one_property_is_a_field_by_itself(self, made: Callable[..., Generate]) -> None:
        function = made("---\nschema: {properties: {tags: {type: array}}}\n---\n%% user\n{{ passage }}")
        assert asked(function, Asked('{"tags": ["a"], "more": 1}')) == ["a"]

    def test_parse_may_make_something_of_the_json(self, made: Callable[..., Generate]) -> None:
        assert asked(made(SCHEMA, parse=len), Asked(GOOD)) == len(GOOD)

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ("{type: object}", "The schema of the prompt 'question' has no properties: each becomes a field"),
            ("{properties: {a: {type: strnig}}}", "The schema of the prompt 'question' is none: Unknown type"),
            ("{properties: {a: {$ref: 'https://x.org/a'}}}", "is none: it refers to https://x.org/a, and nothing is"),
        ],
    )
    def test_a_schema_that_is_none_is_refused_before_anything_is_asked(
        self, made: Callable[..., Generate], schema: str, said: str
    ) -> None:
        with pytest.raises(UserError, match=said):
            made(f"---\nschema: {schema}\n---\n%% user\n{{{{ passage }}}}")
