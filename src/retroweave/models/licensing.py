"""The terms of the models that a run asks: what its output may be used for (rule 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from retroweave.models.terms import Terms, terms_of
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import ModelSpec

__all__ = ["require_terms", "terms_for"]


def terms_for(spec: ModelSpec) -> Terms:
    """What is known of a model's terms; what the config file says of them goes before."""
    known = terms_of(spec.name)
    if spec.terms:
        return replace(known, name=spec.terms, meaning="The config file says so.", verdict="stated")
    if spec.kind == "scripted":
        return replace(known, name="no model", meaning="A person wrote its answers down.", verdict="free")
    return known


def require_terms(models: Mapping[str, ModelSpec]) -> None:
    """Raise `UserError` where a model's terms forbid what a dataset is for, unless the config file says otherwise."""
    for name, spec in models.items():
        terms = terms_for(spec)
        if terms.verdict == "refuse":
            raise UserError(
                f"The model {name!r} ({spec.use}) is under {terms.name}. {terms.meaning} Choose another model; or, "
                "where you have other terms for it, state them in the config file, under the model's name in "
                "`models:`, as `terms: ...`."
            )
