"""Looking at rows as a person: the review page."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retroweave.review.bench import Workbench

__all__ = ["review"]

WORKING_FOLDER = Path(".retroweave")


@click.command(short_help="Read, label and compare rows in the browser.")
@click.argument("target", metavar="DIR|RECIPE")
@click.option("--as", "person", metavar="NAME", help="Who labels; your login name if left out.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The config file that a threshold is written to; RECIPE.yaml if left out.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; one that is free if left out.")
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
def review(target: str, person: str | None, config_file: Path | None, port: int, no_browser: bool) -> None:
    """Open a page on this machine to read a run's rows, label them, and see how precise the set is.

    DIR is a run directory. With a RECIPE in its place there are no rows to look at, and its prompts can be compared.
    """
    from retroweave.judges.extras import extra

    with extra("review", "The review page is served by Starlette and uvicorn"):
        import starlette.applications  # noqa: F401  # asked for here, so that it is told in one paragraph
        import uvicorn  # noqa: F401
    from retroweave.review.app import application
    from retroweave.review.server import serve

    bench = _bench(target, person or _login(), config_file)

    def tell(link: str) -> None:
        click.echo(f"Reviewing {bench.heading}. Open this link, if no page opens by itself; Ctrl-C ends it.\n{link}")

    try:
        serve(application(bench), port=port, browser=not no_browser, tell=tell)
    finally:
        bench.close()
    click.echo("\nEnded. What was labelled is kept.")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "me"


def _bench(target: str, person: str, config_file: Path | None) -> Workbench:
    """A folder is a run; everything else is the name or the file of a recipe."""
    from retroweave.pipeline.errors import UserError
    from retroweave.pipeline.recipe import find_recipe
    from retroweave.review.bench import Workbench
    from retroweave.review.comparing import Trial

    if not Path(target).is_dir():
        try:
            recipe = find_recipe(target)
        except UserError as error:
            raise UserError(f"There is no run folder {target!r}, and as a recipe: {error}") from error
        trial = Trial(recipe, recipe.configure({}))
        return Workbench(
            None,
            trial,
            heading=recipe.name,
            person=person,
            folder=WORKING_FOLDER,
            config_file=config_file or Path(f"{recipe.name}.yaml"),
        )
    return Workbench.of_run(Path(target), person=person, config_file=config_file)
