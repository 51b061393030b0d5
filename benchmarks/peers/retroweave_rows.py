"""The rows by retroweave, through the whole of a run.

A recipe of one prompt step is worked on as `retroweave run` does it: the journal of calls, written before each request
is sent, the budget, the journal of outcomes, the gate, Parquet files, card, report and lints are all in what is
measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from contestant import MAX_TOKENS, MODEL, compete

from retroweave import Config, Pipeline, assistant, given, prompt, recipe, reverse, user
from retroweave.making import make
from retroweave.pipeline.model import Model, ModelSpec
from retroweave.pipeline.source import SourceRow

PROMPTS: list[str] = []
ANSWERS: list[str] = []


class Asking(Config):
    pass


def rows() -> Iterator[SourceRow]:
    for number, text in enumerate(PROMPTS):
        yield SourceRow(str(number), {"number": f"the number {number}", "text": text}, "CC0-1.0", f"row {number}")


async def ask(text: str, number: str, model: Model) -> str:
    """Ask for a sentence about the number."""
    answer = await model.chat([{"role": "user", "content": text}], max_tokens=MAX_TOKENS)
    ANSWERS.append(answer.text)
    return f"{answer.text} ({len(number)})"


@recipe
def asking(config: Asking) -> Pipeline:
    """Name the number that a sentence is about."""
    return Pipeline(
        given(rows, {"number": str, "text": str}, licenses=("CC0-1.0",), fingerprint=lambda: str(len(PROMPTS))),
        prompt(ask, writes="sentence"),
        reverse(user("Which number is this about? {sentence}"), assistant("{number}"), extractive=True),
        models={"model": "benchmark"},
    )


def generate(prompts: list[str], url: str, in_flight: int) -> list[str]:
    PROMPTS[:] = prompts
    spec = ModelSpec(f"openai:{MODEL}@{url}", in_flight=in_flight)
    made = make(asking, Asking(), len(prompts), Path("out"), models={"benchmark": spec})
    if made["counts"]["samples"] != len(prompts):
        raise SystemExit(f"{made['counts']['samples']} of {len(prompts)} rows became samples")
    return ANSWERS


if __name__ == "__main__":
    compete(generate)
