"""A command's recipe with its config, from a preset, a file, `--set` and the options that each recipe brings."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from retroweave.pipeline.model import ModelSpec
    from retroweave.pipeline.recipe import Config, Recipe
    from retroweave.quality.lint import Shares

    Models = dict[str, ModelSpec]

__all__ = ["RecipeCommand", "configured", "lint_shares", "recipe_options", "settings_of"]

_OPTIONS = "retroweave.config_options"
FLAGS = (bool, bool | None)
"""Fields whose option may stand alone, `--installed`, for `--installed true`."""


class RecipeCommand(click.Command):
    """A command whose first argument is a recipe; it takes that recipe's config fields as options too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        reference = self._reference(args)
        if reference is not None:
            ctx.meta[_OPTIONS] = _config_options(reference, self._flags() | {"--help"})
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *ctx.meta.get(_OPTIONS, ())]

    def _flags(self) -> set[str]:
        return {flag for param in self.params for flag in param.opts}

    def _reference(self, args: list[str]) -> str | None:
        """The first argument that is neither an option nor an option's value, as those of every recipe have one."""
        alone = {
            flag for param in self.params if isinstance(param, click.Option) and param.is_flag for flag in param.opts
        }
        skip = False
        for arg in args:
            if skip:
                skip = False
            elif arg.startswith("-"):
                skip = "=" not in arg and arg not in alone
            else:
                return arg
        return None


def _config_options(reference: str, taken: set[str]) -> list[click.Parameter]:
    """An option for each config field whose flag is free; its values are checked by the config itself."""
    from retroweave.pipeline.recipe import find_recipe

    options: list[click.Parameter] = []
    for name, field in find_recipe(reference).config_type.model_fields.items():
        flag = "--" + name.replace("_", "-")
        if flag not in taken:
            default = "" if field.default is None else f"  [default: {field.default}]"
            text = (field.description or "") + default
            alone: dict[str, Any] = {"is_flag": False, "flag_value": "true"} if field.annotation in FLAGS else {}
            options.append(click.Option([flag, f"option_{name}"], help=text, metavar="VALUE", **alone))
    return options


def recipe_options(command: Any) -> Any:
    """The options that choose a recipe's config."""
    for option in reversed(
        [
            click.argument("recipe"),
            click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a config key; repeatable."),
            click.option(
                "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file of config keys."
            ),
            click.option("--preset", help="A named set of config values that the recipe brings."),
        ]
    ):
        command = option(command)
    return command


def configured(
    reference: str, settings: tuple[str, ...], config_file: Path | None, preset: str | None, options: dict[str, Any]
) -> tuple[Recipe, Config, Models]:
    """The recipe with its config (the preset, then the file, then --set, then the recipe's own options) and models."""
    from retroweave.pipeline.errors import UserError, nearest
    from retroweave.pipeline.recipe import find_recipe, read_config

    recipe = find_recipe(reference)
    values: dict[str, Any] = {}
    models: Models = {}
    if preset is not None:
        if preset not in recipe.presets:
            known = nearest(preset, recipe.presets) or "It brings none."
            raise UserError(f"The recipe {recipe.name!r} has no preset {preset!r}. {known}")
        values |= recipe.presets[preset]
    if config_file is not None:
        in_file = read_config(config_file)
        if "models" in in_file:
            from retroweave.models.named import read_table

            models = read_table(in_file.pop("models"))
        in_file.pop("lint", None)  # see lint_shares
        values |= in_file
    given = settings_of(settings)
    given |= {name.removeprefix("option_"): value for name, value in options.items() if value is not None}
    try:
        return recipe, recipe.configure(values | {key: _read(value) for key, value in given.items()}), models
    except UserError:
        with suppress(UserError):  # a name of digits or `on` is a number or a flag to YAML, and text to the config
            return recipe, recipe.configure(values | given), models
        raise


def settings_of(settings: tuple[str, ...]) -> dict[str, str]:
    """What `--set` says, by key."""
    from retroweave.pipeline.errors import UserError

    given: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set takes key=value, not {setting!r}.")
        given[key] = value
    return given


def lint_shares(config_file: Path | None) -> Shares:
    """What a config file's `lint` table says: the shares above which lints speak up."""
    if config_file is None:
        return {}
    from retroweave.pipeline.recipe import read_config
    from retroweave.quality.lint import read_shares

    return read_shares(read_config(config_file).get("lint", {}))


def _read(value: str) -> Any:
    """A value from the command line: YAML, or text where it is none."""
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value
