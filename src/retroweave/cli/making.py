"""`run`: make a dataset, or estimate what making one would take."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retroweave.cli.configured import RecipeCommand, configured, lint_shares, recipe_options

if TYPE_CHECKING:
    from retroweave.cli.configured import Models
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.recipe import Config, Recipe

__all__ = ["run"]


@click.command(cls=RecipeCommand, short_help="Make a dataset.")
@recipe_options
@click.option("--rows", type=int, required=True, help="How many accepted samples to make: exactly so many.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The run directory.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--workers", type=int, help="Worker processes; as many as there are cores if left out.")
@click.option("--again", is_flag=True, help="Make the rows anew where something that they depend on changed.")
@click.option("--budget", metavar="DOLLARS", help="What models may cost at most, such as '$5'.")
@click.option("--max-calls", type=int, help="How many requests may be sent to models at most.")
@click.option("--max-tokens", type=int, help="How many tokens models may read and write at most.")
@click.option("--estimate", is_flag=True, help="Work on 20 rows only, and say what --rows would take.")
def run(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    rows: int,
    out: Path | None,
    seed: int,
    workers: int | None,
    again: bool,
    budget: str | None,
    max_calls: int | None,
    max_tokens: int | None,
    estimate: bool,
    **options: Any,
) -> None:
    """Make a dataset: RECIPE is a name (see `retroweave recipes`) or your own .py file.

    A run that was stopped goes on with the same command; a larger --rows goes on from a finished one.
    """
    found, config, models = configured(recipe, settings, config_file, preset, options)
    from retroweave.making import make
    from retroweave.pipeline.budget import Budget, dollars
    from retroweave.terminal import Progress, console_for, counted, show_summary

    limits = Budget(max_calls, max_tokens, None if budget is None else dollars(budget))
    if estimate:
        _estimate(found, config, models, rows, seed, limits)
        return
    if out is None:
        raise click.UsageError("Missing option '--out'. Name the folder that the dataset is made in.")
    before = _samples_in(out)
    with Progress(console_for(sys.stderr), rows).shown() as progress:
        made = make(
            found,
            config,
            rows,
            out,
            seed=seed,
            workers=workers,
            again=again,
            budget=limits,
            models=models,
            shares=lint_shares(config_file),
            watch=progress.watch,
            meet=progress.meet,
        )
    show_summary(console_for(), made, str(out))
    if rows < before and not again:
        click.echo(
            f"{counted(before, 'sample')} stood here before. Their rows are in the journal: --rows {before} brings "
            "them back, and makes none anew."
        )
    if made["out_of_budget"]:
        from retroweave.pipeline.errors import RunStopped

        raise RunStopped(f"{made['counts']['samples']:,} of {rows:,} samples stand in {out}. {made['out_of_budget']}")
    if made["counts"]["samples"] < rows:
        from retroweave.pipeline.errors import RunStopped

        raise RunStopped(
            f"The source ran dry: {made['counts']['samples']:,} of {rows:,} samples. What there is stands in {out}; "
            "give the recipe more text, or loosen what rejects it (see rejects.parquet)."
        )


def _estimate(recipe: Recipe, config: Config, models: Models, rows: int, seed: int, budget: Budget) -> None:
    from retroweave.estimating import estimate
    from retroweave.pipeline import loop
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, show_estimate

    pipeline = recipe.pipeline(config)
    require_valid(pipeline, recipe.name)
    show_estimate(console_for(), loop.run(estimate(pipeline, recipe.name, seed, rows, budget, models)))


def _samples_in(out: Path) -> int:
    """How many samples a finished run in this folder has; 0 where there is none."""
    from retroweave.export.dataset import read_run
    from retroweave.pipeline.errors import UserError

    try:
        return int(read_run(out)["counts"]["samples"])
    except (UserError, KeyError):
        return 0
