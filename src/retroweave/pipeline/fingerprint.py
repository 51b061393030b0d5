"""The fingerprint: all that the outcome of a source row depends on, part by part.

A journal is valid under one fingerprint. Where it differs, the difference can be named to a person. How many rows are
asked for, on how many workers and under what budget is no part of it: none of that changes an outcome.

Code counts as far as the recipe's functions reach it through what their modules import, outside the standard library
and site-packages; installed packages of ours count by their version.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from retroweave.pipeline import flow
from retroweave.pipeline.describe import outline
from retroweave.pipeline.pipeline import Family, Pipeline, walk
from retroweave.pipeline.recipe import Config, Recipe
from retroweave.pipeline.row import digest
from retroweave.pipeline.step import Step

__all__ = ["differences", "fingerprint"]


def fingerprint(recipe: Recipe, config: Config, pipeline: Pipeline, seed: int, version: str) -> dict[str, Any]:
    """Part to value; each part is JSON, and a changed one names itself."""
    return {
        "recipe": recipe.name,
        "config": config.model_dump(mode="json"),
        "seed": seed,
        "source": pipeline.source.fingerprint(),
        "resources": {name: _resource(value) for name, value in pipeline.resources.items()},
        "pipeline": digest(*outline(pipeline)).hex(),
        "code": _code(recipe, pipeline),
        "retroweave": version,
    }


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What changed, a phrase each: `config.longest: 4000 to 2000`, `the code of my_recipe`."""
    return [
        phrase for part in new if old.get(part) != new[part] for phrase in _difference(part, old.get(part), new[part])
    ]


def _difference(part: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                name = f"the {part} of {key}" if part in ("code", "resources") else f"{part}.{key}"
                yield name if part in ("code", "resources") else f"{name}: {old.get(key)!r} to {new.get(key)!r}"
    elif part in ("source", "pipeline"):
        yield {"source": "the source's text", "pipeline": "the pipeline's steps or words"}[part]
    else:
        yield f"{part}: {old!r} to {new!r}"


def _resource(value: Any) -> str:
    own = getattr(value, "fingerprint", None)
    return str(own()) if callable(own) else digest(repr(value)).hex()


def _code(recipe: Recipe, pipeline: Pipeline) -> dict[str, str]:
    found: dict[str, str] = {}
    for module in _reached([recipe.build.__module__, flow.__name__, *_step_modules(pipeline)]):
        path = Path(module.__file__ or "")
        found[module.__name__] = _hash([path, *_words(path.with_suffix(""))])
    return dict(sorted(found.items()))


def _step_modules(pipeline: Pipeline) -> Iterator[str]:
    yield getattr(pipeline.source.rows, "__module__", "")
    for node in walk(pipeline.steps):
        if isinstance(node, Step):
            yield node.function.__module__
        elif isinstance(node, Family) and node.pick is not None:
            yield node.pick.__module__


def _reached(names: Iterable[str]) -> Iterator[ModuleType]:
    """The modules outside site-packages that these reach through what stands in their namespaces."""
    queue, seen = list(names), set()
    while queue:
        name = queue.pop()
        module = sys.modules.get(name)
        if name in seen or module is None or not _ours(module):
            continue
        seen.add(name)
        yield module
        for value in vars(module).values():
            other = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            # A package holds the submodules that anybody happened to import: those are not what it reaches.
            if isinstance(other, str) and not other.startswith(f"{name}."):
                queue.append(other)


_INSTALLED = {Path(sysconfig.get_paths()[kind]).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")}


def _ours(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return False
    return _INSTALLED.isdisjoint(Path(file).resolve().parents)


def _words(folder: Path) -> list[Path]:
    """A module's words: the files in the folder of its name, or, of a package's `__init__`, beside it."""
    folder = folder.parent if folder.name == "__init__" else folder
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))


def _hash(paths: Iterable[Path]) -> str:
    return digest(*(path.read_bytes() for path in paths)).hex()
