"""Of the recipes about code: which code is taken in, and where it may run. Each recipe adds options of its own."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from retroweave import Config
from retroweave.sources.functions import Corpus
from retroweave.verifiers.sandbox.shared import Sandboxes

__all__ = ["CodeOptions"]


class CodeOptions(Config):
    code: Path | None = None
    """A folder or a .py file of your own code; the standard library if left out."""
    license: str | None = None
    """The SPDX licence of your code, such as MIT, for files that do not name their own."""
    installed: bool = False
    """Whether to take in each installed distribution that is permissive by its metadata."""
    standard: bool | None = None
    """Whether to take in the standard library; so it is where nothing else is named."""
    unsafe: bool = False
    """Whether to run code even where the sandbox lacks a property that it needs."""
    names: bool = True
    """Whether a function that is called like one of a benchmark is left out for its name alone."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of functions held out for validation, near-duplicates together."""

    def corpus(self) -> Corpus:
        return Corpus.of(self.code, license=self.license, standard=self.standard, installed=self.installed)

    def sandboxes(self) -> Sandboxes:
        return Sandboxes(self.unsafe)
