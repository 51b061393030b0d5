"""Models inside this process, by name: `embedded:smollm2`, `embedded:sentences`, or the path of a GGUF file."""

from __future__ import annotations

from retroweave.pipeline.model import Endpoint, ModelSpec

__all__ = ["DEFAULT", "open_embedded"]

DEFAULT = "embedded:smollm2"
"""What a recipe asks where nobody named a model. Good for a first look and for tests, not for data worth keeping."""


def open_embedded(spec: ModelSpec) -> Endpoint:
    """The endpoint of an embedded model. It is loaded when it is first asked."""
    if spec.name == "sentences":
        from retroweave.models.sentences import Sentences

        return Sentences(spec)
    from retroweave.models.llamacpp import LlamaCpp

    return LlamaCpp(spec)
