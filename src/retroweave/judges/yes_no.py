"""The judge that asks a model one question whose answer is yes or no, and reads how sure it is.

Asked in several phrasings, the answer hangs less on the words of any one: their probabilities are averaged. How a
probability is read off a model stands in `opinion`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retroweave.judges.opinion import NEITHER, Opinion, Said, ask, usable
from retroweave.judges.reading import fields_and, names, signature_of, within
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.row import digest
from retroweave.pipeline.verdict import Score
from retroweave.text.prompts import Prompt

__all__ = ["YesNo", "require_samples", "yes_no"]

_OWN = ("mass", "method", "unparsed")
"""Keys of a score's parts that are no phrasings."""


def yes_no(
    prompts: Prompt | Sequence[Prompt],
    *,
    model: str = "model",
    threshold: float = 0.5,
    wanted: Said = "yes",
    samples: int = 8,
    about: str | Sequence[str] = (),
) -> YesNo:
    """A judge that puts one question to `model`, in one phrasing or several:

        judge(yes_no(words.prompt("answerable"), threshold=config.sure), raises="question", good=..., spoiled=...)

    The score is the probability of the `wanted` answer against the other, the mean of all phrasings. Where the endpoint
    tells no log-probabilities, `samples` answers are counted. A model that says neither has no opinion: that phrasing
    is left out of the mean, and where it is the only one, the row is rejected. `about` names the fields that the
    question only speaks of (`About` in a function's hints); all others are supports.
    """
    return YesNo(
        (prompts,) if isinstance(prompts, Prompt) else tuple(prompts), model, threshold, wanted, samples, names(about)
    )


class YesNo:
    """Asks a yes/no question. A step's function, with the signature that its prompts' names give it."""

    def __init__(
        self,
        prompts: Sequence[Prompt],
        model: str,
        threshold: float,
        wanted: Said,
        samples: int,
        about: Sequence[str],
    ) -> None:
        _require_phrasings(prompts)
        if wanted not in ("yes", "no"):
            raise UserError(f"A yes/no judge wants 'yes' or 'no', not {wanted!r}.")
        self.prompts = tuple(usable(prompt) for prompt in prompts)
        self.__name__ = prompts[0].name
        self.__doc__ = f"Ask the model {model!r} whether it is so, with {_listed(prompts)}; {wanted} is wanted."
        self.__signature__ = signature_of(
            fields_and(
                dict.fromkeys(name for prompt in prompts for name in prompt.reads),
                model=model,
                draws=any(prompt.settings.shots for prompt in prompts),
                about=about,
                judge=self.__name__,
            )
        )
        self.threshold = within(threshold, f"The threshold of {self.__name__!r}")
        self._model = model
        self._wanted = wanted
        self._samples = require_samples(samples)

    def reworded(self, before: Prompt, after: Prompt, about: Sequence[str]) -> YesNo:
        """The same with another prompt in the place of one of its own."""
        prompts = [after if one is before else one for one in self.prompts]
        read = {name for one in prompts for name in one.reads}
        spoken_of = tuple(name for name in about if name in read)
        return YesNo(prompts, self._model, self.threshold, self._wanted, self._samples, spoken_of)

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, but for the model."""
        words = (part for prompt in self.prompts for part in (repr(prompt), repr(prompt.examples)))
        return digest(*words, self._wanted, repr(self.threshold), self._samples).hex()

    async def __call__(self, **given: Any) -> Score:
        model: Model = given[self._model]
        shots = [prompt.draw(given.get("rng")) for prompt in self.prompts]
        opinions = await asyncio.gather(
            *(
                ask(model, prompt, given, examples, self._samples)
                for prompt, examples in zip(self.prompts, shots, strict=True)
            )
        )
        return self._score({prompt.name: one for prompt, one in zip(self.prompts, opinions, strict=True)})

    def _score(self, opinions: Mapping[str, Opinion]) -> Score:
        """Of a part it is said how probable the wanted answer is; `None` where a phrasing heard neither."""
        sure = {name: opinion.of(self._wanted) for name, opinion in opinions.items()}
        parts = {**sure, **dict(_told(opinions))}
        heard = [value for value in sure.values() if value is not None]
        if not heard:
            return Score(0.5, False, parts, NEITHER)
        value = math.fsum(heard) / len(heard)
        return Score(value, value >= self.threshold, parts, f"scored below {self.threshold:g}")


def _told(opinions: Mapping[str, Opinion]) -> Iterator[tuple[str, Any]]:
    """How the probabilities were come by."""
    yield "method", ", ".join(dict.fromkeys(opinion.method for opinion in opinions.values()))
    if mass := {name: opinion.mass for name, opinion in opinions.items() if opinion.mass is not None}:
        yield "mass", mass
    if unparsed := {name: opinion.unparsed for name, opinion in opinions.items() if opinion.unparsed}:
        yield "unparsed", unparsed


def _require_phrasings(prompts: Sequence[Prompt]) -> None:
    if not prompts:
        raise UserError("A yes/no judge needs a prompt to ask with: yes_no(words.prompt('answerable')).")
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.name in seen:
            raise UserError(
                f"Two phrasings of a yes/no judge are called {prompt.name!r}; its score tells them by name."
            )
        if prompt.name in _OWN:
            raise UserError(
                f"A phrasing called {prompt.name!r} cannot be told from a score's own parts. Rename its file."
            )
        seen.add(prompt.name)


def require_samples(samples: int) -> int:
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise UserError(
            f"samples is how many answers are counted where logprobs are missing, 1 or more, not {samples!r}."
        )
    return samples


def _listed(prompts: Sequence[Prompt]) -> str:
    quoted = ", ".join(repr(prompt.name) for prompt in prompts)
    return f"the prompt {quoted}" if len(prompts) == 1 else f"the prompts {quoted}"
