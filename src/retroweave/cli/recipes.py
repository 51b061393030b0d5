"""Look at recipes, try one in the open, hold it to the rules, begin one of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from retroweave.cli.configured import RecipeCommand, configured, recipe_options
from retroweave.cli.output import print_json

__all__ = ["check", "new", "recipes", "show", "try_"]


@click.command(short_help="List the installed recipes.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def recipes(as_json: bool) -> None:
    """List the recipes that are installed, ours and other people's."""
    from retroweave.pipeline.recipe import find_recipe, installed_recipes

    found = [(name, find_recipe(name).title) for name in installed_recipes()]
    if as_json:
        print_json([{"name": name, "title": title} for name, title in found])
        return
    for name, title in found:
        click.echo(f"{name:20} {title}")


@click.command(cls=RecipeCommand, short_help="Draw a recipe's pipeline.")
@recipe_options
@click.option("--mermaid", "as_mermaid", is_flag=True, help="The graph, as Mermaid text.")
def show(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    as_mermaid: bool,
    **options: Any,
) -> None:
    """Draw a recipe's pipeline: its steps, what each reads and writes, and what each trained field is worth."""
    from retroweave.pipeline.describe import describe
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, mermaid, show_pipeline

    found, config, _ = configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    if as_mermaid:
        click.echo(mermaid(describe(pipeline)))
        return
    require_valid(pipeline, found.name)
    console = console_for()
    console.print(found.name, style="bold")
    console.print(found.doc, markup=False)
    console.print()
    show_pipeline(console, pipeline)
    console.print("\nconfig (--set key=value, or as an option)", style="dim")
    for name, field in found.config_type.model_fields.items():
        console.print(f"  {name} = {getattr(config, name)!r}  {field.description or ''}", markup=False)
    for name, values in found.presets.items():
        console.print(f"  --preset {name}: {values}", markup=False)


@click.command(cls=RecipeCommand, short_help="Hold a recipe to the rules of evidence.")
@recipe_options
def check(recipe: str, settings: tuple[str, ...], config_file: Path | None, preset: str | None, **options: Any) -> None:
    """Hold a recipe to the rules of evidence, without running it. Ends with 2 where a rule is broken."""
    from retroweave.pipeline.describe import trained_fields, untyped
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, show_evidence

    found, config, _ = configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    require_valid(pipeline, found.name)
    console = console_for()
    console.print(f"{found.name} is valid: rules 1 to 8 hold.", style="green")
    console.print("Rule 9 looks at the finished set: in each run, and by retroweave lint.", style="dim")
    show_evidence(console, trained_fields(pipeline))
    for step, unsaid in untyped(pipeline).items():
        click.echo(
            f"note: the function of step {step!r} does not say the type of {' and '.join(unsaid)}, so rule 1 cannot "
            "look whether it fits; annotate it."
        )


@click.command("try", cls=RecipeCommand, short_help="Work on a few rows in the open.")
@recipe_options
@click.option("--rows", type=int, default=3, show_default=True, help="How many source rows to work on.")
@click.option("--seed", type=int, default=0, show_default=True)
def try_(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    rows: int,
    seed: int,
    **options: Any,
) -> None:
    """Work on a few rows and print each step's output, backwards from the sample. Writes no file."""
    import secrets
    from collections import defaultdict

    from retroweave.export.excerpt import Shown
    from retroweave.models.desk import open_desk
    from retroweave.models.named import named
    from retroweave.pipeline import loop
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.errors import UserError
    from retroweave.pipeline.rules import require_valid
    from retroweave.pipeline.trial import trial
    from retroweave.terminal import console_for, show_walk

    if rows < 1:
        raise UserError(f"--rows is how many source rows to work on, 1 or more, not {rows}.")
    found, config, models = configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    require_valid(pipeline, found.name)
    console = console_for()

    async def walk_on() -> None:
        specs = {name: named(reference, models) for name, reference in pipeline.models.items()}
        async with open_desk(specs, f"try-{secrets.token_hex(6)}", Budget()) as desk:
            shown: dict[tuple[int, ...], Shown] = defaultdict(Shown)
            async for walk in trial(pipeline, found.name, seed, rows, desk):
                show_walk(console, walk, shown[walk.leaf.path[:2]])

    loop.run(walk_on())


@click.command(short_help="Write a recipe file to begin from.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), help="Where to write it.")
def new(name: str, folder: Path) -> None:
    """Write a recipe file of your own that runs as it is, to be changed."""
    from retroweave.starter import write_starter

    path = write_starter(name, folder)
    click.echo(f"Wrote {path}. Look at it with:")
    click.echo(f"  retroweave check {path}")
    click.echo(f"  retroweave try {path} --rows 3")
    click.echo(f"  retroweave run {path} --rows 20 --out out-{path.stem}")
