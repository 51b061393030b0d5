"""A recipe: a named pipeline with a frozen config, found by name or by file.

Our own recipes come in by the door that anybody's use, the entry point group `retroweave.recipes`. A recipe never
holds state: its function builds the same pipeline from the same config in every process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints, overload

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from retroweave.pipeline.errors import RetroweaveError, UserError, nearest
from retroweave.pipeline.pipeline import Pipeline

__all__ = ["Config", "Recipe", "find_recipe", "installed_recipes", "read_config", "recipe"]

GROUP = "retroweave.recipes"


class Config(BaseModel):
    """What a recipe lets a person choose. A field's docstring stands under the field and becomes its help text."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def fingerprint(self) -> str:
        """As a resource a config says nothing of its own: its values are in the run's fingerprint by name already."""
        return "the config"


@dataclass(frozen=True)
class Recipe:
    name: str
    build: Callable[[Any], Pipeline]
    config_type: type[Config]
    doc: str
    """What the model learns, what is guaranteed and what is not."""
    example: Config
    """A config whose pipeline runs offline in seconds, with no model named."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name to the config values that it sets."""
    reference: str = ""
    """What finds the recipe again from another process: its name, or its file."""

    @property
    def title(self) -> str:
        return self.doc.partition("\n\n")[0].replace("\n", " ")

    @property
    def called(self) -> str:
        """What a person calls it by on the command line: its name, or its file's."""
        return Path(self.reference).name or self.name

    def pipeline(self, config: Config) -> Pipeline:
        """The pipeline of a config. Raises `UserError` where the recipe's own code fails."""
        try:
            built = self.build(config)
        except RetroweaveError:
            raise
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise UserError(
                f"The recipe {self.name!r} cannot be built: {type(error).__name__}: {error} (in line {frame.lineno} of "
                f"{frame.filename})."
            ) from error
        if not isinstance(built, Pipeline):
            raise UserError(
                f"The recipe {self.name!r} gives {type(built).__name__}, where a Pipeline is expected: end its "
                "function with `return Pipeline(...)`."
            )
        return built

    def configure(self, values: Mapping[str, Any]) -> Config:
        """The config with `values`. Raises `UserError` that names each key that is wrong, and the near one."""
        for key in values:
            if key not in self.config_type.model_fields:
                raise UserError(
                    f"The recipe {self.name!r} has no config key {key!r}. "
                    f"{nearest(key, self.config_type.model_fields)} `retroweave show {self.called}` lists them."
                )
        try:
            return self.config_type(**values)
        except ValidationError as error:
            faults = "; ".join(_fault(fault) for fault in error.errors())
            raise UserError(f"The config of {self.name!r} does not fit: {faults}.") from error


def _fault(fault: Any) -> str:
    said: str = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:  # it is of several keys together
        return said
    return f"{'.'.join(map(str, fault['loc']))}: {said} (it is {fault['input']!r})"


@overload
def recipe(function: Callable[[Any], Pipeline]) -> Recipe: ...


@overload
def recipe(
    *,
    name: str | None = None,
    example: Config | None = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[Callable[[Any], Pipeline]], Recipe]: ...


def recipe(
    function: Callable[[Any], Pipeline] | None = None,
    *,
    name: str | None = None,
    example: Config | None = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recipe | Callable[[Callable[[Any], Pipeline]], Recipe]:
    """Declare a recipe: a function of its config that gives a pipeline, with a docstring that says what it teaches."""

    def declare(build: Callable[[Any], Pipeline]) -> Recipe:
        config_type = _config_type(build)
        doc = inspect.getdoc(build)
        if not doc:
            raise UserError(f"The recipe {build.__name__!r} has no docstring; it says what a model would learn.")
        for preset, values in (presets or {}).items():
            for key in values.keys() - config_type.model_fields.keys():
                raise UserError(
                    f"The preset {preset!r} of {build.__name__!r} sets {key!r}, which its config does not have. "
                    f"{nearest(key, config_type.model_fields)}"
                )
        return Recipe(
            name or build.__name__.replace("_", "-"),
            build,
            config_type,
            doc,
            example if example is not None else _defaults(build, config_type),
            dict(presets or {}),
        )

    return declare if function is None else declare(function)


def _defaults(build: Callable[..., Pipeline], config_type: type[Config]) -> Config:
    needed = [key for key, field in config_type.model_fields.items() if field.is_required()]
    if needed:
        raise UserError(
            f"The config of the recipe {build.__name__!r} has no default for {', '.join(needed)}, so the recipe needs "
            f"an example to be tried on: @recipe(example={config_type.__name__}({needed[0]}=...))."
        )
    return config_type()


def _config_type(build: Callable[..., Pipeline]) -> type[Config]:
    parameters = list(inspect.signature(build).parameters)
    hint = get_type_hints(build).get(parameters[0]) if len(parameters) == 1 else None
    if not (isinstance(hint, type) and issubclass(hint, Config)):
        raise UserError(
            f"The recipe {build.__name__!r} takes one parameter, its config, annotated with a subclass of "
            "retroweave.Config."
        )
    return hint


def installed_recipes() -> dict[str, EntryPoint]:
    """Name to entry point, ours and other people's, in order of name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


@cache
def find_recipe(reference: str) -> Recipe:
    """The recipe of a name or a `.py` file. Raises `UserError` that says where the file is wrong."""
    if reference.endswith(".py") or "/" in reference:
        return _from_file(Path(reference))
    entries = installed_recipes()
    if reference not in entries:
        raise UserError(
            f"There is no recipe {reference!r}. {nearest(reference, entries)} "
            "A recipe of your own goes by its file, such as ./my_recipe.py; `retroweave new NAME` writes one."
        )
    try:
        found = entries[reference].load()
    except Exception as error:
        raise UserError(
            f"The entry point {reference!r} ({entries[reference].value}) cannot be loaded: {type(error).__name__}: "
            f"{error}. Install or upgrade the package that it comes from."
        ) from error
    if not isinstance(found, Recipe):
        raise UserError(f"The entry point {reference!r} ({entries[reference].value}) is no retroweave recipe.")
    return _located(found, reference)


def _from_file(path: Path) -> Recipe:
    if not path.is_file():
        raise UserError(f"There is no recipe file {str(path)!r}. `retroweave new NAME` writes one.")
    if path.suffix != ".py":
        raise UserError(f"{str(path)!r} is no recipe: a recipe is a .py file. `retroweave new NAME` writes one.")
    module = _load(path.resolve())
    recipes = {id(value): value for value in vars(module).values() if isinstance(value, Recipe)}
    own = [found for found in recipes.values() if found.build.__module__ == module.__name__]
    if len(own) != 1:
        names = ", ".join(found.name for found in own) or "none"
        raise UserError(f"A recipe file holds one function marked @recipe; {str(path)!r} holds {names}.")
    return _located(own[0], str(path.resolve()))


def _load(path: Path) -> ModuleType:
    """Import a file under a name of its own, the same in every process."""
    name = f"{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _unloadable(path, error) from error
    return module


def _unloadable(path: Path, error: BaseException) -> UserError:
    """Why a recipe file cannot be loaded, and in which of its lines; a module that it imports may be at fault."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = (error.text or "").strip()
        return UserError(
            f"The recipe file {str(path)!r} has a syntax error in line {error.lineno}: {error.msg}: {line}"
        )
    at = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f" in line {at[-1].lineno}" if at else ""
    return UserError(f"The recipe file {str(path)!r} cannot be loaded: {type(error).__name__}{where}: {error}")


def _located(found: Recipe, reference: str) -> Recipe:
    return Recipe(
        found.name,
        found.build,
        found.config_type,
        found.doc,
        found.example,
        found.presets,
        reference=reference,
    )


def read_config(path: Path) -> dict[str, Any]:
    """A config file: YAML, a mapping of keys to values."""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The config file {str(path)!r} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise UserError(f"The config file {str(path)!r} is no YAML: {' '.join(str(error).split())}.") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UserError(f"The config file {str(path)!r} must hold `key: value` lines, not a {type(found).__name__}.")
    return {str(key): value for key, value in found.items()}
