"""Models by name: what `--model` takes, and what a config file says of each.

openai:NAME@URL      any OpenAI-compatible server: vLLM, llama.cpp, Ollama, OpenRouter, OpenAI itself
embedded:NAME        a model inside this process: smollm2, sentences, or the path of a GGUF file
scripted:FILE        answers from a table, for tests and examples
a name of your own   an entry of `models:` in the config file, where price, key and terms stand too
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retroweave.pipeline.errors import UserError, nearest
from retroweave.pipeline.model import Endpoint, ModelSpec, Price

__all__ = ["KINDS", "entry_of", "named", "open_endpoint", "read_table"]

KINDS = ("openai", "embedded", "scripted")


class PriceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: float = Field(ge=0, allow_inf_nan=False)
    completion: float = Field(ge=0, allow_inf_nan=False)


class Entry(BaseModel):
    """One model of the table `models:` in a config file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: str
    form: Literal["chat", "base"] | None = None
    price: PriceEntry | None = None
    key: str = ""
    in_flight: int | None = Field(None, ge=1, le=10_000)
    timeout: float = Field(120.0, gt=0)
    terms: str = ""
    options: dict[str, Any] = Field(default_factory=dict)

    def spec(self) -> ModelSpec:
        price = Price(self.price.prompt, self.price.completion) if self.price else None
        return ModelSpec(
            self.use, self.form, price, self.key, self.in_flight, self.timeout, self.terms, dict(self.options)
        )


def read_table(table: Any) -> dict[str, ModelSpec]:
    """The models that a config file names. Raises `UserError` that says which entry is wrong, and how."""
    if not isinstance(table, dict):
        raise UserError(f"`models:` in a config file holds `name:` entries, each with its `use:`, not {table!r}.")
    return {str(name): _entry(str(name), values) for name, values in table.items()}


def entry_of(spec: ModelSpec) -> dict[str, Any]:
    """What an entry of the table says of a model: `use`, and whatever is not as it is where nothing is said."""
    return Entry(**asdict(spec)).model_dump(mode="json", exclude_defaults=True)


def _entry(name: str, values: Any) -> ModelSpec:
    values = {"use": values} if isinstance(values, str) else values
    if not isinstance(values, dict):
        raise UserError(f"The model {name!r} in the config file is {values!r}; it has lines such as `use: openai:...`.")
    for key in values:
        if key not in Entry.model_fields:
            raise UserError(f"The model {name!r} has no setting {key!r}. {nearest(str(key), Entry.model_fields)}")
    key = values.get("key", "")
    if key and not (isinstance(key, str) and key.isidentifier()):  # which may be the key itself: it is not shown
        raise UserError(
            f"`key:` of the model {name!r} is the name of an environment variable, such as OPENROUTER_API_KEY, and "
            "what stands there is none. If it is the key itself, put it into a variable: files are passed around."
        )
    try:
        spec = Entry(**values).spec()
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise UserError(f"The model {name!r}: {where} is {fault['input']!r}: {fault['msg']}.") from error
    _require_kind(spec, f"The model {name!r} uses")
    return spec


def named(reference: str, table: Mapping[str, ModelSpec]) -> ModelSpec:
    """The model that `--model` names."""
    if reference in table:
        return table[reference]
    spec = ModelSpec(reference)
    if ":" not in reference:
        known = f"The config file names {', '.join(sorted(table))}. " if table else ""
        raise UserError(
            f"There is no model {reference!r}. {known}Others go by openai:NAME@URL, such as "
            "openai:qwen3@http://127.0.0.1:8000/v1, or embedded:smollm2."
        )
    _require_kind(spec, "--model is")
    return spec


def _require_kind(spec: ModelSpec, what: str) -> None:
    if spec.kind not in KINDS or not spec.name:
        raise UserError(
            f"{what} {spec.use!r}, which is no model. A model goes by openai:NAME@URL, such as "
            "openai:qwen3@http://127.0.0.1:8000/v1, or embedded:smollm2."
        )


def open_endpoint(spec: ModelSpec) -> Endpoint:
    """The endpoint of a model. Nothing is asked of it yet."""
    if spec.kind == "openai":
        from retroweave.models.openai import OpenAI

        return OpenAI(spec)
    if spec.kind == "scripted":
        from retroweave.models.scripted import scripted_from

        return scripted_from(spec)
    from retroweave.models.embedded import open_embedded

    return open_embedded(spec)
