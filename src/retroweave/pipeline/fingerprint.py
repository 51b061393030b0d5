"""The fingerprint: all that the outcome of a source row depends on, part by part.

A journal is valid under one fingerprint. Where it differs, the difference can be named to a person. How many rows are
asked for, on how many workers and under what budget is no part of it: none of that changes an outcome.

Code counts as far as the recipe's functions reach it through what their modules import (`imports`), with the words that
lie beside it; installed packages count by their version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from retroweave.pipeline import flow
from retroweave.pipeline.describe import outline
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.imports import reached, versions
from retroweave.pipeline.journal import JOURNAL
from retroweave.pipeline.model import ModelSpec
from retroweave.pipeline.pipeline import Family, Pipeline, walk
from retroweave.pipeline.recipe import Config, Recipe
from retroweave.pipeline.row import digest
from retroweave.pipeline.step import Step

__all__ = ["differences", "fingerprint"]


def fingerprint(
    recipe: Recipe,
    config: Config,
    pipeline: Pipeline,
    seed: int,
    version: str,
    models: Mapping[str, ModelSpec] | None = None,
) -> dict[str, Any]:
    """Part to value; each part is JSON, and a changed one names itself."""
    modules, installed = reached([recipe.build.__module__, flow.__name__, *_step_modules(pipeline)])
    return {
        "recipe": recipe.name,
        "config": config.model_dump(mode="json"),
        "seed": seed,
        "source": pipeline.source.fingerprint(),
        "resources": {name: _resource(name, value) for name, value in pipeline.resources.items()},
        "models": {name: spec.identity() for name, spec in (models or {}).items()},
        "pipeline": digest(*outline(pipeline)).hex(),
        "code": {_shown(name, path, recipe): _hash([path, *_words(path)]) for name, path in modules.items()},
        "versions": {"retroweave": version, **versions(installed)},
    }


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What changed, a phrase each: `config.longest: 4000 to 2000`, `the code of my_recipe`."""
    parts = [part for part in new if old.get(part) != new[part]]
    if "recipe" in parts:  # nothing else is comparable
        return [f"the recipe, {old.get('recipe')!r} to {new['recipe']!r}"]
    if "config" in parts:  # it gives another pipeline, and names other models; to tell of both would tell it twice
        parts = [part for part in parts if part not in ("pipeline", "models")]
    return [phrase for part in parts for phrase in _difference(part, old.get(part), new[part])]


def _difference(part: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        for key in sorted(before.keys() | new.keys()):
            if before.get(key) != new.get(key):
                change = f"{part}.{key}: {before.get(key)!r} to {new.get(key)!r}"
                yield f"the {part} of {key}" if part in ("code", "resources") else change
    elif part in ("source", "pipeline"):
        yield {"source": "the source's text", "pipeline": "the pipeline's steps or words"}[part]
    else:
        yield f"{part}: {old!r} to {new!r}"


def _resource(name: str, value: Any) -> str:
    """What a resource says of itself, or a hash of its value."""
    own = getattr(value, "fingerprint", None)
    if callable(own):
        return str(own())
    text = _written(value)
    if " at 0x" in text:
        raise UserError(
            f"The resource {name!r} cannot be told from another one: it is written as {text[:80]}, with an address "
            "that differs in each process. Give its class a method `fingerprint` that returns a hash of what it holds."
        )
    return digest(text).hex()


def _written(value: Any) -> str:
    """Like `repr`, but a set is in order: its own order differs in each process."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(_written, value))) + "}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(_written, value))})"
    return repr(value)


def _step_modules(pipeline: Pipeline) -> Iterator[str]:
    yield _module(pipeline.source.rows)
    for node in walk(pipeline.steps):
        if isinstance(node, Step):
            yield _module(node.function)
        elif isinstance(node, Family) and node.pick is not None:
            yield _module(node.pick)


def _module(function: Callable[..., Any]) -> str:
    return _module(function.func) if isinstance(function, functools.partial) else str(function.__module__)


def _shown(name: str, path: Path, recipe: Recipe) -> str:
    """A module as a person knows it: a recipe's file goes by its own name, wherever it lies."""
    return path.name if name == recipe.build.__module__ and recipe.reference.endswith(".py") else name


def _words(path: Path) -> list[Path]:
    """A module's words: the files in the folder of its name; of a package, those in it that are no module's own."""
    if path.name != "__init__.py":
        return _files(path.with_suffix(""))
    beside = list(path.parent.iterdir())
    folders = [
        other
        for other in beside
        if other.is_dir() and not (other / "__init__.py").exists() and not other.with_suffix(".py").exists()
    ]
    return sorted([*filter(_is_word, beside), *(word for folder in folders for word in _files(folder))])


def _files(folder: Path) -> list[Path]:
    """A run may stand in a folder of the recipe's name, and changes with every row: it is no word of the recipe's."""
    if (folder / JOURNAL).exists():
        return []
    return sorted(path for path in folder.rglob("*") if _is_word(path))


def _is_word(path: Path) -> bool:
    """Whether a file holds words of a recipe; why a prompt was chosen (`NAME.evidence.json`) changes no outcome."""
    is_code = path.suffix in (".py", ".pyc")
    return path.is_file() and not is_code and not path.name.startswith(".") and not path.name.endswith(".evidence.json")


def _hash(paths: Iterable[Path]) -> str:
    return digest(*(part for path in paths for part in (path.name, path.read_bytes()))).hex()
