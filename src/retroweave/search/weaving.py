"""Weave as the function of a prompt step: a model writes a text piece by piece, and a judge is asked on the way.

    prompt(
        weaving(words.prompt("ballad"), yes_no(words.prompt("rhymes")), field="ballad", settings=Weave(budget=2000)),
        writes="ballad",
    )

The prompt is a document that a base model goes on with. The judge is any that a judge step takes: it is shown the text
so far as the field `field`, and its score guides the search (`weave`). The tree is kept with the row.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable, Sequence
from typing import Any

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.model import Model, Refused, Request
from retroweave.search.weave import Piece, Weave, weave
from retroweave.text.prompts import Prompt, Rendered

__all__ = ["Weaving", "weaving"]

UNFINISHED = "the search came to no end within its budget"


def weaving(prompt: Prompt, judge: Callable[..., Any], *, field: str, settings: Weave, model: str = "model") -> Weaving:
    """The function of a prompt step: search for a text that `judge` scores high.

    `field` is the parameter by which the judge takes the text. The step reads what the prompt reads, and what else the
    judge does.
    """
    return Weaving(prompt, judge, field, settings, model)


class Weaving:
    """Searches with a prompt's document for a start. It has the signature of its prompt and its judge together."""

    def __init__(self, prompt: Prompt, judge: Callable[..., Any], field: str, settings: Weave, model: str) -> None:
        if prompt.document is None:
            raise UserError(
                f"The prompt {prompt.name!r} has no document, and a search goes on with texts that are not finished. "
                "Add a section `%% document`."
            )
        judged = dict(inspect.signature(judge).parameters)
        if field not in judged:
            raise UserError(f"The judge takes no {field!r}, only {', '.join(judged)}: it would not see the text.")
        del judged[field]
        self.prompt = prompt
        self.__name__ = prompt.name
        self.__doc__ = f"Search with the prompt {prompt.name!r} for a text that the judge scores high."
        self.__signature__ = _joined([*prompt.reads], judged, model)
        self._judge = judge
        self._judged = tuple(judged)
        self._field = field
        self._settings = settings
        self._model = model

    async def __call__(self, **given: Any) -> str:
        model: Model = given[self._model]
        if not model.abilities.complete:
            raise Refused(f"the search with {self.prompt.name!r} needs raw completion, which {model.name!r} cannot do")
        rng: random.Random = given["rng"]
        rendered = self.prompt.render(given, "base", self.prompt.draw(rng))

        async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
            return await asyncio.gather(*(self._continued(model, rendered, text, count) for text in texts))

        async def score(texts: Sequence[str]) -> list[float]:
            return await asyncio.gather(*(self._scored(text, given) for text in texts))

        tree = await weave("", expand, score, self._settings, rng)
        ended = tree.nodes[tree.chosen[0]].end
        model.note(
            prompt=rendered.document,
            answer=tree.texts[0],
            finish="stop" if ended else "length",
            tokens=[None, tree.spent],
            tree=tree.as_json(),
        )
        if not ended:
            raise Drop(UNFINISHED)
        return tree.texts[0].strip()

    async def _continued(self, model: Model, start: Rendered, text: str, count: int) -> list[Piece]:
        settings = {**self.prompt.settings.sampling(), "max_tokens": self._settings.lookahead}
        request = Request("complete", text=start.document + text, **settings)
        answers = await asyncio.gather(*(model.ask(request, start.hidden, noted=False) for _ in range(count)))
        return [
            Piece(answer.text, answer.finish != "length", answer.completion_tokens or self._settings.lookahead)
            for answer in answers
        ]

    async def _scored(self, text: str, given: dict[str, Any]) -> float:
        arguments = {name: given[name] for name in self._judged}
        verdict = self._judge(**arguments, **{self._field: text.strip()})
        verdict = await verdict if inspect.isawaitable(verdict) else verdict
        return float(getattr(verdict, "value", verdict))


def _joined(reads: Sequence[str], judged: dict[str, inspect.Parameter], model: str) -> inspect.Signature:
    hints: dict[str, Any] = dict.fromkeys(reads, Any)
    hints |= {name: parameter.annotation for name, parameter in judged.items() if name not in hints}
    hints |= {"rng": random.Random, model: Model}
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [inspect.Parameter(name, kind, annotation=hint) for name, hint in hints.items()], return_annotation=str
    )
