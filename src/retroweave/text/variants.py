"""Variants: the many ways in which one thing is said, kept as plain text files beside the code that says it.

A data set that says everything in one way teaches that way, so phrasings are data that anybody can add to. This module
reads them; it does not choose among them and does not fill their placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.layout import Variants
from retroweave.text.prompts import Prompt, read_prompt

__all__ = ["Words", "read_variants", "recipe_words"]

_READ: dict[str, tuple[str, ...]] = {}


def read_variants(resource: Traversable) -> tuple[str, ...]:
    """The variants of a UTF-8 file: one a line, or, where a line is `%`, what stands between such lines.

    A line that begins with `%% ` parts them too, and says something to people.
    """
    name = str(resource)  # not every Traversable can be hashed
    if name not in _READ:
        _READ[name] = _parsed(resource)
    return _READ[name]


def _parsed(resource: Traversable) -> tuple[str, ...]:
    try:
        text = resource.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no file of variants at {resource}. Write one: one variant a line.") from None
    lines = text.splitlines()
    if any(map(_is_mark, lines)):
        parts = "\n".join("\0" if _is_mark(line) else line for line in lines).split("\0")
    else:
        parts = lines
    variants = tuple(part.strip("\n") for part in parts if part.strip())
    if not variants:
        raise UserError(f"{resource} holds no variant. Write at least one, one a line.")
    return variants


def _is_mark(line: str) -> bool:
    return line == "%" or line.startswith("%% ")


@dataclass(frozen=True)
class Words:
    """The words of a recipe: the variants files in the folder of its name."""

    folder: Path

    def __call__(self, name: str) -> tuple[str, ...]:
        return read_variants(self.folder / f"{name}.txt")

    def prompt(self, name: str) -> Prompt:
        """The prompt in a file `name.prompt`."""
        return read_prompt(self.folder / f"{name}.prompt")

    def variants(self, name: str) -> Variants:
        """The same for a layout to draw from, placeholders and all."""
        return Variants.of(name, self(name))


def recipe_words(file: str) -> Words:
    """The words of the recipe in `file`: pass `__file__`."""
    return Words(Path(file).with_suffix(""))
