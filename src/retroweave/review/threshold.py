"""A judge's threshold, written into the config file that the next run reads.

Which config key sets a judge's threshold nobody has to say: the recipe is built once more with another value for each
key that could be it, and the key is the one that moves the threshold. Of the file only that value is changed; its other
lines, comments among them, stay as they are, and its text from before is kept beside it.
"""

from __future__ import annotations

import math
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retroweave.export import remaking
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.pipeline import Pipeline, walk
from retroweave.pipeline.recipe import Config, Recipe, find_recipe, read_config
from retroweave.pipeline.step import Step
from retroweave.review.rows import Rows

__all__ = ["Written", "default_judge", "recipe_of", "threshold_key", "use_threshold"]

_PROBES = (0.3125, 0.6875)
"""Thresholds that nobody chooses."""
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Written:
    """What was done to a config file."""

    path: Path
    key: str
    before: float | None
    """`None` where the file did not say."""
    after: float
    backup: Path | None
    """Where the file's text from before stands; `None` where there was no file."""
    command: str
    """What to run next: `retroweave run ... --config FILE`."""


def recipe_of(run: Mapping[str, Any]) -> tuple[Recipe, Config]:
    """The recipe that made a run, and its config. Raises `UserError` where the recipe is not to be found here."""
    recipe = find_recipe(str(run.get("reference") or run["recipe"]))
    return recipe, recipe.configure(run["config"])


def threshold_key(rows: Rows, judge: str) -> str:
    """The config key that sets a judge's threshold. Raises `UserError` that says what mends it where there is none."""
    recipe, config = recipe_of(rows.run)
    now = threshold_of(recipe.pipeline(config), judge)
    for key in _candidates(config):
        if now is not None and _moves(recipe, config, key, judge):
            return key
    raise UserError(
        f"No config key of the recipe {recipe.name!r} sets the threshold of the judge {judge!r}. Give it one, such as "
        f"`sure: float = 0.5`, and pass it on: judge(yes_no(..., threshold=config.sure), ...)."
    )


def default_judge(rows: Rows) -> str:
    """The judge that is meant where none is named: the last with a threshold to set, or else the last; "" without."""
    judges = rows.judges()
    if len(judges) < 2:
        return judges[0] if judges else ""
    return next((judge for judge in reversed(judges) if _has_key(rows, judge)), judges[-1])


def _has_key(rows: Rows, judge: str) -> bool:
    try:
        return bool(threshold_key(rows, judge))
    except UserError:  # there is none, or the recipe is not to be found here
        return False


def threshold_of(pipeline: Pipeline, judge: str) -> float | None:
    """That of a judge as it is built; `None` where it has none that can be read."""
    for node in walk(pipeline.steps):
        if isinstance(node, Step) and node.name == judge:
            found = getattr(node.function, "threshold", None)
            return float(found) if isinstance(found, int | float) else None
    return None


def _candidates(config: Config) -> Iterator[str]:
    for key, value in config:
        if isinstance(value, float) or (type(value) is int and value in (0, 1)):
            yield key


def _moves(recipe: Recipe, config: Config, key: str, judge: str) -> bool:
    """Whether the judge's threshold is what this key says, whatever it says."""
    try:
        built = [recipe.pipeline(recipe.configure({**config.model_dump(), key: probe})) for probe in _PROBES]
    except UserError:  # a key with other bounds than a threshold has
        return False
    return tuple(threshold_of(pipeline, judge) for pipeline in built) == _PROBES


def use_threshold(rows: Rows, judge: str, threshold: float, config_file: Path) -> Written:
    """Write the threshold into a recipe's config file; all else in it, comments too, stays as it is.

    It is rounded down a little, so that a row with this very score still passes. Where there is no such file it is
    written, with all that the run's config sets otherwise than the recipe does. The run's models are written in too,
    where the file has none: their names stand in the command.
    """
    if not 0 <= threshold <= 1:
        raise UserError(f"A threshold is a number from 0 to 1, not {threshold!r}.")
    key = threshold_key(rows, judge)
    value = math.floor(threshold * 10**_DIGITS) / 10**_DIGITS
    before = read_config(config_file) if config_file.exists() else None
    models = {"models": told} if (told := remaking.models(rows.run)) and "models" not in (before or {}) else {}
    if before is None:
        text = yaml.safe_dump({**remaking.changed(rows.run), key: value, **models}, sort_keys=False, allow_unicode=True)
        backup = None
    else:
        text = _with(config_file, before, {key: value, **models})
        backup = _kept(config_file)
    _write(config_file, text)
    was = (before or {}).get(key)
    number = float(was) if isinstance(was, int | float) else None
    return Written(config_file, key, number, value, backup, _command(rows, config_file))


def _with(path: Path, before: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The file's text with other values of some keys, and nothing else changed: it is read again to see."""
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    for key, value in new.items():
        text = _edited(text, key, remaking.flow(value))
    try:
        holds = yaml.safe_load(text) == {**before, **new}
    except yaml.YAMLError:
        holds = False
    if not holds:
        by_hand = ", ".join(f"`{key}: {remaking.flow(value)}`" for key, value in new.items())
        raise UserError(f"{path} is written in a way that cannot be edited safely. Set {by_hand} in it by hand.")
    return text


def _edited(text: str, key: str, value: str) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    line_end = "\r\n" if "\r\n" in text else "\n"
    if not isinstance(root, yaml.MappingNode):  # empty, or comments alone
        return f"{text.rstrip()}{line_end if text.strip() else ''}{key}: {value}{line_end}"
    for name, found in reversed(root.value):
        if name.value == key and found.start_mark.index == found.end_mark.index:  # a key without a value
            colon = text.index(":", name.end_mark.index) + 1
            return f"{text[:colon]} {value}{text[colon:]}"
        if name.value == key:
            return f"{text[: found.start_mark.index]}{value}{text[found.end_mark.index :]}"
    if root.flow_style:
        end = root.end_mark.index - 1
        comma = ", " if root.value else ""
        return f"{text[:end].rstrip()}{comma}{key}: {value}{text[end:]}"
    return f"{text.rstrip()}{line_end}{key}: {value}{line_end}"


def _kept(path: Path) -> Path:
    """A copy of the file as it is, under a name of its own."""
    number = 1
    while (backup := path.with_name(f"{path.name}.{number}.bak")).exists():
        number += 1
    shutil.copy2(path, backup)
    return backup


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, partial)
    partial.replace(path)


def _command(rows: Rows, config_file: Path) -> str:
    """A command line would go before the file, so what the file says is not said there too."""
    run, said = rows.run, read_config(config_file)
    words = ["retroweave", "run", str(run.get("reference") or run["recipe"]), "--config", str(config_file)]
    for key, value in remaking.changed(run).items():
        words += remaking.setting(key, value) if key not in said else ()
    words += ["--rows", str(run.get("rows", 100)), "--seed", str(run["seed"]), "--out", str(rows.run_dir), "--again"]
    return shlex.join(words)
