"""retroweave: synthetic text data for training language models that knows why each trained word is right."""

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
