"""Generation: a prompt file as the function of a prompt step.

    prompt(generate(words.prompt("question")), writes="question")

asks the model for each row, and gives its answer as a field; with `parse` something made of it, several fields even.
An answer that was cut off is no answer. Where the prompt has a schema, the answer is its JSON, held to it by the
endpoint, or else by us: mended where that is easy, asked for once more where it is not.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Answer, Message, Model, Request
from retroweave.text.prompts import Prompt, Rendered

__all__ = ["CUT_OFF", "Generate", "generate", "signature"]

CUT_OFF = "the answer was cut off at max_tokens"
EMPTY = "the answer is empty"
NOT_JSON = "the answer is not the JSON that was asked for"


def generate(prompt: Prompt, *, model: str = "model", parse: Callable[[str], Any] | None = None) -> Generate:
    """The function of a prompt step: ask `model` with a prompt file.

    `parse` makes a field of the answer's text, or a tuple of several, or raises `Drop`. Without it the field is the
    text without the white space around it; with a schema it is the value of its one property, or the values of all, in
    their order.
    """
    return Generate(prompt, model, parse)


def signature(reads: Sequence[str], model: str, examples: bool) -> inspect.Signature:
    """That of a function which reads these fields, asks this model, and draws examples."""
    hints: dict[str, Any] = dict.fromkeys(reads, Any)
    if examples:
        hints["rng"] = random.Random
    hints[model] = Model
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint) for name, hint in hints.items()
    ]
    return inspect.Signature(parameters, return_annotation=Any)


class Generate:
    """Asks a model with a prompt file. A step's function, with the signature that the prompt's names give it."""

    def __init__(self, prompt: Prompt, model: str, parse: Callable[[str], Any] | None) -> None:
        self.prompt = prompt
        self.__name__ = prompt.name
        self.__doc__ = f"Ask the model {model!r}, with the prompt {prompt.name!r}."
        self.__signature__ = signature(prompt.reads, model, bool(prompt.settings.shots))
        self.plain_reads = prompt.plain_reads
        self._model = model
        self._schema = prompt.settings.json_schema
        self._conforms = _validator(self._schema, prompt.name) if self._schema is not None else None
        self._parse = parse or (self._values if self._schema is not None else str.strip)
        if model in prompt.reads:
            raise UserError(f"The prompt {prompt.name!r} reads a field {model!r}, which is the name of its model.")

    def reworded(self, prompt: Prompt) -> Generate:
        """The same with another prompt."""
        own = self._parse in (str.strip, self._values)
        return Generate(prompt, self._model, None if own else self._parse)

    async def __call__(self, **given: Any) -> Any:
        """The parsed answer, and after it the plain prompt where there is one."""
        model: Model = given[self._model]
        form = self.prompt.form_for(model)
        return await self._answered(self.prompt.render(given, form, self.prompt.draw(given.get("rng"))), given)

    async def plainly(self, **given: Any) -> Any:
        """The same, asked with the plain prompt, as a user would."""
        model: Model = given[self._model]
        text = self.prompt.render_plain(given)
        turns = ({"role": "user", "content": text},) if model.abilities.chat and model.form == "chat" else ()
        return await self._answered(Rendered(turns, "" if turns else f"{text}\n\n", ()), given)

    async def _answered(self, prompt: Rendered, given: Mapping[str, Any]) -> Any:
        model: Model = given[self._model]
        request = prompt.request(**self.prompt.settings.sampling())
        plain = self.prompt.render_plain(given) if self.prompt.plain else ""
        if self._schema is None:
            text = _whole(await model.ask(request, prompt.hidden, plain))
        else:
            text = await self._json(model, request, prompt.hidden, plain)
        value = self._parse(text)
        if not self.prompt.plain:
            return value
        return (*(value if isinstance(value, tuple) else (value,)), plain)

    async def _json(self, model: Model, request: Request, hidden: Sequence[str], plain: str) -> str:
        """JSON that follows the schema, by force of the endpoint, by mending, or by one more turn."""
        if model.abilities.schema and request.kind == "chat":
            request = replace(request, schema=self._schema)
        text = _whole(await model.ask(request, hidden, plain))
        fault = self._fault(text)
        if fault and request.kind == "chat":
            again: tuple[Message, ...] = (
                {"role": "assistant", "content": text},
                {"role": "user", "content": f"{fault} Answer again, with the JSON object and nothing else."},
            )
            text = _whole(await model.ask(replace(request, messages=(*request.messages, *again)), hidden, plain))
            fault = self._fault(text)
        if fault:
            raise Drop(NOT_JSON)
        return text

    def _fault(self, text: str) -> str:
        """What is wrong with an answer, in words for the model; empty where it follows the schema."""
        assert self._conforms is not None
        try:
            self._conforms(_json_in(text))
        except orjson.JSONDecodeError as error:
            return f"That is no JSON: {error}."
        except ValueError as error:
            return f"That JSON is not as it should be: {error}."
        return ""

    def _values(self, text: str) -> Any:
        found = _json_in(text)
        values = tuple(found[name] for name in (self._schema or {}).get("properties", {}))
        return values[0] if len(values) == 1 else values


def _validator(schema: Mapping[str, Any], name: str) -> Callable[[Any], Any]:
    """Raises `ValueError` for what does not follow the schema."""
    import fastjsonschema

    if not schema.get("properties"):
        raise UserError(f"The schema of the prompt {name!r} has no properties: each becomes a field. Name one or more.")
    try:
        compiled: Callable[[Any], Any] = fastjsonschema.compile(
            {**schema, "type": "object", "required": list(schema["properties"])},
            handlers=dict.fromkeys(("http", "https", "ftp"), _not_fetched),
            use_default=False,
        )
    except Exception as error:  # it raises whatever its own code stumbles over
        raise UserError(f"The schema of the prompt {name!r} is none: {error}.") from error
    return compiled


def _not_fetched(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, and nothing is fetched; write that part out")


def _whole(answer: Answer) -> str:
    if answer.finish == "length":
        raise Drop(CUT_OFF)
    if not answer.text.strip():
        raise Drop(EMPTY)
    return answer.text


def _json_in(text: str) -> Any:
    """The JSON in an answer, with what models put around it taken away. Raises `ValueError`."""
    inner = re.search(r"^```(?:json)?\s*\n(.*?)^\s*```", text, re.DOTALL | re.MULTILINE)
    candidate = (inner[1] if inner else text).strip()
    begin, end = candidate.find("{"), candidate.rfind("}")
    braced = candidate[begin : end + 1] if 0 <= begin < end else candidate
    for attempt in (text, candidate, braced):
        with suppress(ValueError):
            return orjson.loads(attempt)
    return orjson.loads(re.sub(r",(\s*[}\]])", r"\1", braced))  # last, since a text in it may hold `,]` too
