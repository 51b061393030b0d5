"""What a person sees in the terminal."""

from __future__ import annotations

import asyncio
import io

import pytest
from click.testing import CliRunner

from retroweave import Pipeline, also, assistant, compute, given, reverse, user, verify
from retroweave.cli import cli
from retroweave.export.excerpt import Shown
from retroweave.pipeline.pipeline import Node
from retroweave.pipeline.source import SourceRow
from retroweave.pipeline.trial import trial
from retroweave.terminal import _pace, console_for, show_walk

HOSTILE = "\x1b[2Jgone\x07 \x9b31m[bold]red[/]"
PARAGRAPHS = [f"Paragraph {number}: {'the tide came in and went out again. ' * 6}" for number in range(3)]
PASSAGE = "\n\n".join(PARAGRAPHS)


def reversed_text(text: str) -> str:
    return text[::-1]


def trimmed(text: str) -> tuple[str, dict[str, list[str]]]:
    return text.strip(), {"paragraphs": text.strip().split("\n\n")}


def walked(text: str, *steps: Node) -> str:
    """What is printed of one row."""
    row = SourceRow(key="a", fields={"text": text}, license="CC0-1.0", place="a\x1b[1m")
    source = given(lambda: iter([row]), {"text": str}, licenses=("CC0-1.0",), fingerprint=lambda: "1")
    out, shown = io.StringIO(), Shown()

    async def walk_on() -> None:
        async for walk in trial(Pipeline(source, *steps), "small", 0, 1):
            show_walk(console_for(out), walk, shown)

    asyncio.run(walk_on())
    return out.getvalue()


def test_a_row_that_would_steer_the_terminal_is_walked_as_text() -> None:
    reverse_it = compute(reversed_text, writes="question")
    out = walked(HOSTILE, reverse_it, reverse(user("{question}"), assistant("{text}")))
    assert not set(out) & {"\x1b", "\x07", "\x9b"}
    assert "␛[2Jgone␇ \ufffd31m[bold]red[/]" in out


def test_a_text_that_goes_on_from_step_to_step_is_printed_once() -> None:
    steps = (compute(trimmed, writes=("trimmed", "parts")), verify(lambda text: False, name="never"))
    out = walked(f"{PASSAGE}\n", *steps)
    assert [out.count(paragraph.strip()) for paragraph in PARAGRAPHS] == [1, 1, 1]
    assert f"wrote text\nParagraph 0: {PARAGRAPHS[0][13:60]} … ({len(PASSAGE):,} characters, as above)" in out


def test_what_two_samples_of_a_row_have_in_common_is_printed_with_the_first() -> None:
    one, two = (reverse(user(f"Go on, {name}."), assistant("Well."), name=name) for name in ("one", "two"))
    out = walked(PASSAGE, also(one=(one,), two=(two,)))
    assert out.count("wrote text") == 2
    assert [out.count(paragraph.strip()) for paragraph in PARAGRAPHS] == [1, 1, 1]


def test_a_sample_is_printed_to_the_ends_of_its_lines_whoever_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = walked(PASSAGE, reverse(user("Go on."), assistant("{text}")))
    told = " ".join(" ".join(line.strip("│ ") for line in out.splitlines()).split())
    assert " ".join(PASSAGE.split()) in told


def test_the_options_of_one_recipe_are_not_those_of_the_next_call() -> None:
    help_of_a_recipe = CliRunner().invoke(cli, ["show", "prose-repair", "--help"])
    help_of_none = CliRunner().invoke(cli, ["show", "--help"])
    assert "--unrecoverable" in help_of_a_recipe.output
    assert "--unrecoverable" not in help_of_none.output


@pytest.mark.parametrize(
    ("samples", "seconds", "pace"),
    [(20, 48.9, "25 a minute"), (2, 2.0, "1 a second"), (5000, 2.5, "2,000 a second"), (3, 0.0, "300 a second")],
)
def test_a_pace_is_told_in_a_unit_in_which_it_is_no_zero(samples: int, seconds: float, pace: str) -> None:
    assert _pace(samples, seconds) == pace
