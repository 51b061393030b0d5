"""One question put to a model, and how sure it is of yes: the arithmetic that every yes/no judge stands on.

Where the endpoint tells log-probabilities, one token is asked for. Its alternatives spell yes and no in many ways:
`Yes`, ` yes`, `YES`, `**Yes`, `Yes.`, and with a tokenizer's own marks for a space, `▁Yes` and `Ġyes`. The
probabilities of all spellings of yes are added up, those of no too, and the two are normalised over both; what else the
model might have said changes nothing. A bare `Y` or `N` counts only where no alternative spells either word out: a
model that writes the words out begins something else with that letter (`N/A`).

An alternative that is not told counts as impossible. It is less likely than all that are, so with five or twenty of
them little is lost; one alone is no distribution, and then, as where none is told, answers are sampled and counted.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.text.prompts import Example, Prompt

__all__ = ["NEITHER", "Opinion", "Said", "ask", "counted", "said", "spelling", "usable", "weighed"]

Said = Literal["yes", "no"]

NEITHER = "the judge answered neither yes nor no"

MOST_ALTERNATIVES = 20
"""More are told by few servers, and beyond them there is next to no probability."""
SAMPLED_TOKENS = 4
"""Room for a quotation mark or two stars before the word."""

_MARKS = str.maketrans("▁ĠĊ", "   ")
"""How tokenizers write a space and a new line."""
_DECORATION = " \t\r\n\"'`*_#.,:;!()[]{}<>“”‘’«»-"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model thinks of one question."""

    yes: float | None
    """The probability of yes against no; `None` where it said neither."""
    method: str
    """`logprobs`, or `sampled 8`."""
    mass: float | None = None
    """With logprobs: the probability of saying yes or no at all. Where it is small the question is badly put."""
    unparsed: int = 0
    """Of sampled answers: how many were neither."""

    def of(self, wanted: Said) -> float | None:
        """The probability of the wanted answer."""
        return self.yes if self.yes is None or wanted == "yes" else 1 - self.yes


async def ask(
    model: Model, prompt: Prompt, fields: Mapping[str, Any], examples: Sequence[Example], samples: int
) -> Opinion:
    """Put the question, in the form that suits the model. Raises what asking raises."""
    form = prompt.form_for(model)
    rendered = prompt.render(fields, form, examples)
    told = model.abilities.logprobs if form == "chat" else model.abilities.complete_logprobs
    if told > 1:
        alternatives = min(told, MOST_ALTERNATIVES)
        answer = await model.ask(rendered.request(max_tokens=1, temperature=0.0, logprobs=alternatives))
        if answer.first:
            return weighed(answer.first)
    request = rendered.request(max_tokens=SAMPLED_TOKENS, temperature=1.0)
    answers = await asyncio.gather(*(model.ask(request) for _ in range(samples)))
    return counted([answer.text for answer in answers])


def weighed(alternatives: Iterable[tuple[str, float]]) -> Opinion:
    """Of the alternatives for the first token, each with its natural log-probability."""
    logprobs: dict[str, list[float]] = {}
    for token, logprob in alternatives:
        if math.isfinite(logprob):
            logprobs.setdefault(spelling(token), []).append(logprob)
    words = ("yes", "no") if logprobs.keys() & {"yes", "no"} else ("y", "n")
    yes, no = (_log_sum(logprobs.get(word, [])) for word in words)
    if yes == no == -math.inf:
        return Opinion(None, "logprobs", mass=0.0)
    return Opinion(_against(yes, no), "logprobs", mass=math.exp(min(0.0, _log_sum([yes, no]))))


def spelling(token: str) -> str:
    """A token without spaces, punctuation and capitals."""
    return token.translate(_MARKS).strip(_DECORATION).lower()


def _log_sum(logprobs: Sequence[float]) -> float:
    """The logarithm of the sum of probabilities."""
    most = max(logprobs, default=-math.inf)
    if most == -math.inf:
        return most
    return most + math.log(math.fsum(math.exp(logprob - most) for logprob in logprobs))


def _against(yes: float, no: float) -> float:
    """e^yes / (e^yes + e^no), where neither power need be a number that a float holds."""
    less = math.exp(-abs(yes - no))
    return (1.0 if yes >= no else less) / (1.0 + less)


def counted(answers: Sequence[str]) -> Opinion:
    """Of sampled answers, by Laplace's rule: one more yes and one more no than there were, so that few are not sure."""
    heard = [said(answer) for answer in answers]
    yes, no = heard.count("yes"), heard.count("no")
    sure = (yes + 1) / (yes + no + 2) if yes or no else None
    return Opinion(sure, f"sampled {len(answers)}", unparsed=heard.count(None))


def said(answer: str) -> Said | None:
    """What an answer begins with: yes, no or neither. A bare letter must be all of it."""
    if spelling(answer) in ("y", "n"):
        return "yes" if spelling(answer) == "y" else "no"
    first = re.match(r"[^\W\d_]+", answer.translate(_MARKS).strip(_DECORATION))
    word = first[0].lower() if first else ""
    return "yes" if word == "yes" else "no" if word == "no" else None


def usable(prompt: Prompt) -> Prompt:
    """The prompt, if a yes/no question can be put with it. Raises `UserError`."""
    own = sorted({"schema" if name == "json_schema" else name for name in prompt.settings.model_fields_set})
    if sampling := [name for name in own if name not in ("shots", "balance")]:
        raise UserError(
            f"The prompt {prompt.name!r} sets {', '.join(sampling)}, but a yes/no judge asks for one token at "
            "temperature 0, or samples where it must. Take that out of the prompt's settings."
        )
    if prompt.plain:
        raise UserError(
            f"The prompt {prompt.name!r} has a plain form, but what a judge asks is never trained. Drop it."
        )
    if prompt.settings.shots:
        _require_balance(prompt)
    return prompt


def _require_balance(prompt: Prompt) -> None:
    key = prompt.settings.balance
    if not key:
        raise UserError(
            f"The prompt {prompt.name!r} draws examples without balancing them, and would teach the judge one answer. "
            "Name the key of their answers: `balance: answer`."
        )
    if any(isinstance(example[key], bool) for example in prompt.examples):
        raise UserError(
            f"The examples of {prompt.name!r} have {key}: true or false. YAML reads a bare yes or no so: put them in "
            f'quotes, {key}: "yes".'
        )
