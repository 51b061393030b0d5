"""A scripted model: answers from a table or a function, for tests, examples and documentation. It knows nothing.

    scripted:answers.yaml

names a YAML list, of which the first entry answers whose `when` stands in what was asked (a text, or several that all
must), with `answer`, and `p_yes`, the probability of a yes, where it is asked for a yes or no:

    - when: ["Which question", "the tide table"]
      answer: When is low water?
    - when: Does the passage answer
      answer: "Yes"
      p_yes: 0.93
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Abilities, Answer, Form, ModelSpec, Refused, Request
from retroweave.pipeline.row import digest

__all__ = ["Scripted", "scripted_from"]

Script = Callable[[Request], Answer | str]


class Scripted:
    """An endpoint that answers what its script says."""

    in_flight = 64

    def __init__(
        self, script: Script, *, abilities: Abilities | None = None, form: Form = "chat", identity: str = "scripted"
    ) -> None:
        self.identity = identity
        self.form: Form = form
        self.abilities: Abilities | None = abilities or Abilities(
            chat=True, complete=True, logprobs=20, complete_logprobs=20, schema=False, embed=False
        )
        self.asked: list[Request] = []
        self._script = script

    async def send(self, request: Request, timeout: float) -> Answer:
        self.asked.append(request)
        answer = self._script(request)
        if isinstance(answer, Answer):
            return answer
        return Answer(answer, "stop", request.prompt_bytes() // 4, len(answer) // 4 + 1)

    async def close(self) -> None:
        return


def scripted_from(spec: ModelSpec) -> Scripted:
    """The model that a YAML file of answers scripts."""
    path = Path(spec.use.partition(":")[2])
    try:
        text = path.read_text("utf-8")
        table = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"The scripted model {spec.use!r} cannot be read: {error}.") from error
    if not isinstance(table, list) or not all(map(_is_entry, table)):
        raise UserError(
            f"{path} must be a list of entries with `when`, a text or several, `answer`, and perhaps `p_yes` above 0 "
            "and below 1."
        )
    identity = f"{spec.use} {digest(text).hex()}"  # edited, it is another model
    return Scripted(lambda request: _answer(request, table), form=spec.form or "chat", identity=identity)


def _is_entry(found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    when, yes = found.get("when"), found.get("p_yes", 0.5)
    texts = when if isinstance(when, list) else [when]
    return all(isinstance(text, str) for text in texts) and isinstance(yes, float) and 0 < yes < 1


def _answer(request: Request, table: Sequence[dict[str, Any]]) -> Answer:
    asked = request.text + "\n".join(message["content"] for message in request.messages)
    for entry in table:
        when = [entry["when"]] if isinstance(entry["when"], str) else entry["when"]
        if all(text in asked for text in when):
            return _scripted(request, entry)
    raise Refused(f"no entry of the script is about: {asked[-200:]!r}")


def _scripted(request: Request, entry: dict[str, Any]) -> Answer:
    text = str(entry.get("answer", ""))
    yes = entry.get("p_yes")
    first = () if yes is None else (("Yes", math.log(yes)), ("No", math.log(1 - yes)))
    return Answer(
        text, str(entry.get("finish", "stop")), request.prompt_bytes() // 4, len(text) // 4 + 1, _sorted(first)
    )


def _sorted(first: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(first, key=lambda one: -one[1]))
