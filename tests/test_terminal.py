"""What a person sees in the terminal."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator

from click.testing import CliRunner

from retroweave import Pipeline, assistant, compute, given, reverse, user
from retroweave.cli import cli
from retroweave.pipeline.source import SourceRow
from retroweave.pipeline.trial import trial
from retroweave.terminal import console_for, show_walk

HOSTILE = "\x1b[2Jgone\x07 \x9b31m[bold]red[/]"


def rows() -> Iterator[SourceRow]:
    yield SourceRow(key="a", fields={"text": HOSTILE}, license="CC0-1.0", place="a\x1b[1m")


def reversed_text(text: str) -> str:
    return text[::-1]


def test_a_row_that_would_steer_the_terminal_is_walked_as_text() -> None:
    pipeline = Pipeline(
        given(rows, {"text": str}, licenses=("CC0-1.0",), fingerprint=lambda: "1"),
        compute(reversed_text, writes="question"),
        reverse(user("{question}"), assistant("{text}")),
    )
    out = io.StringIO()

    async def walk_on() -> None:
        async for walk in trial(pipeline, "hostile", 0, 1):
            show_walk(console_for(out), walk)

    asyncio.run(walk_on())
    assert not set(out.getvalue()) & {"\x1b", "\x07", "\x9b"}
    assert "␛[2Jgone␇ \ufffd31m[bold]red[/]" in out.getvalue()


def test_the_options_of_one_recipe_are_not_those_of_the_next_call() -> None:
    help_of_a_recipe = CliRunner().invoke(cli, ["show", "prose-repair", "--help"])
    help_of_none = CliRunner().invoke(cli, ["show", "--help"])
    assert "--unrecoverable" in help_of_a_recipe.output
    assert "--unrecoverable" not in help_of_none.output
