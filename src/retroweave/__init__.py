"""retroweave: synthetic text data for training language models that knows why each trained word is right.

These are the names that a recipe is written with. They are loaded when first used, so that `retroweave --help` answers
at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retroweave.pipeline.errors import Drop
    from retroweave.pipeline.layout import assistant, each, layout, reverse, user
    from retroweave.pipeline.pipeline import Pipeline, also, family, mix, over
    from retroweave.pipeline.recipe import Config, recipe
    from retroweave.pipeline.source import given
    from retroweave.pipeline.step import About, compute, corrupt, judge, prompt, verify

__all__ = [
    "About",
    "Config",
    "Drop",
    "Pipeline",
    "also",
    "assistant",
    "compute",
    "corrupt",
    "each",
    "family",
    "given",
    "judge",
    "layout",
    "mix",
    "over",
    "prompt",
    "recipe",
    "reverse",
    "user",
    "verify",
]

_HOMES = {
    "errors": ("Drop",),
    "layout": ("assistant", "each", "layout", "reverse", "user"),
    "pipeline": ("Pipeline", "also", "family", "mix", "over"),
    "recipe": ("Config", "recipe"),
    "source": ("given",),
    "step": ("About", "compute", "corrupt", "judge", "prompt", "verify"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"retroweave.pipeline.{module}"), name)
    raise AttributeError(f"module 'retroweave' has no attribute {name!r}")
