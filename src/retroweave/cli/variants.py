"""`variants`: more phrasings of a recipe's instructions, in a file for a person to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retroweave.cli.configured import RecipeCommand, configured, recipe_options

if TYPE_CHECKING:
    from retroweave.pipeline.asking import Desk
    from retroweave.pipeline.layout import Variants
    from retroweave.text.rephrasing import Judge, Rephrased

__all__ = ["variants"]


@click.command(cls=RecipeCommand, short_help="Ask a model for more phrasings.")
@recipe_options
@click.option("--pool", help="The pool to add to; the first that the user speaks with if left out.")
@click.option("--model", default="embedded:smollm2", show_default=True, help="The model that is asked for phrasings.")
@click.option("--judge", help="The model that judges whether they ask the same; the one that is asked if left out.")
@click.option("--count", type=int, default=20, show_default=True, help="How many to keep.")
@click.option("--tries", type=int, default=4, show_default=True, help="Attempts for each that is to be kept.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="How sure the judge must be.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed asks the same.")
@click.option("--max-calls", type=int, help="How many requests may be sent at most.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def variants(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    pool: str | None,
    model: str,
    judge: str | None,
    count: int,
    tries: int,
    threshold: float,
    seed: int,
    max_calls: int | None,
    to: Path,
    **options: Any,
) -> None:
    """Ask a model for more phrasings of an instruction of RECIPE, and write those that hold to a file.

    Kept is what has the pool's placeholders, is not nearly one of its phrasings, and asks for the same thing, says a
    judge. Read the file before you take anything of it into the recipe's own.
    """
    from retroweave.models.named import named
    from retroweave.pipeline import loop
    from retroweave.pipeline.errors import UserError
    from retroweave.text.rephrasing import pool_text

    if to.exists():
        raise UserError(
            f"{to} is there already, and what somebody may have edited is not written over. Name another file, or take "
            "it away."
        )
    found, config, models = configured(recipe, settings, config_file, preset, options)
    chosen = _pool(found.pipeline(config), pool, found.name)
    specs = {"model": named(model, models), "judge": named(judge or model, models)}
    made = loop.run(_asked(chosen, count, tries, threshold, seed, specs, max_calls))
    reasons = ", ".join(f"{times} {reason}" for reason, times in made.thrown.most_common())
    if not made.kept:
        raise UserError(f"Of {sum(made.thrown.values())} phrasings none was kept: {reasons}. Ask a better model.")
    to.write_text(pool_text(made.kept), "utf-8")
    click.echo(
        f"{len(made.kept)} of {count} phrasings for {chosen.name!r} in {to}. Read them, and take what you would say."
    )
    for reason, times in made.thrown.most_common():
        click.echo(f"  {times} left out: {reason}")


def _pool(pipeline: Any, name: str | None, recipe: str) -> Variants:
    from retroweave.pipeline.errors import UserError, nearest
    from retroweave.text.rephrasing import instruction_pools

    pools = instruction_pools(pipeline)
    if not pools:
        raise UserError(f"The layouts of {recipe!r} draw from no pool of phrasings.")
    if name is None:
        return next(iter(pools.values()))
    if name not in pools:
        raise UserError(f"The recipe {recipe!r} has no pool {name!r}. {nearest(name, pools)}")
    return pools[name]


async def _asked(
    pool: Variants, count: int, tries: int, threshold: float, seed: int, specs: Any, max_calls: int | None
) -> Rephrased:
    import secrets

    from retroweave.models.desk import open_desk
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.row import Drawn, Row
    from retroweave.text.rephrasing import rephrase

    salt = str(seed).encode()

    def row(number: int) -> Row:
        return Row.first(Drawn(0, number, f"{pool.name} {number}", "", "CC0-1.0", "train", {}))

    async with open_desk(specs, f"variants-{secrets.token_hex(6)}", Budget(max_calls)) as desk:
        judge = await _judge(desk, pool, threshold, row, salt)
        return await rephrase(
            pool,
            count,
            lambda number: desk.model("model", "rephrase", row(number), salt),
            judge,
            tries=tries,
            seed=seed,
        )


async def _judge(desk: Desk, pool: Variants, threshold: float, row: Any, salt: bytes) -> Judge:
    """The judge, after it was tried on two phrasings of the pool and on a request for something else."""
    from retroweave.judges.yes_no import yes_no
    from retroweave.pipeline.row import numbers
    from retroweave.text.rephrasing import words

    same = yes_no(words.prompt("same"), model="judge", threshold=threshold)

    async def judge(one: str, other: str, number: int) -> Any:
        rng = numbers(salt, "same", row(number).id)
        return await same(one=one, other=other, judge=desk.model("judge", "same", row(number), salt), rng=rng)

    first, last = pool.templates[0].text, pool.templates[-1].text
    if not await judge(first, last, -1) or await judge(first, "Tell me a joke about tax returns.", -1):
        click.echo(
            "The judge does not tell the same from something else, so read what it lets through with care.", err=True
        )
    return judge
