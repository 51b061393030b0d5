"""What is done with a finished run: written in another format, looked through for bad habits."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from retroweave.cli.configured import settings_of
from retroweave.cli.output import print_json

__all__ = ["export", "lint"]


@click.command(short_help="Write a run's samples in another format.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["messages", "prompt-completion", "sharegpt", "alpaca", "text", "preference", "labelled"]),
    default="messages",
    show_default=True,
)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A .jsonl or .parquet file.")
@click.option("--split", type=click.Choice(["train", "validation"]), help="One side only; both if left out.")
@click.option("--separator", default="<|end|>", show_default=True, help="What ends each turn in the text format.")
def export(run_dir: Path, form: str, to: Path, split: str | None, separator: str) -> None:
    """Write a finished run's samples in another format.

    preference and labelled hold what models answered and judges accepted and rejected, as preference trainers read it.
    """
    from retroweave.export.formats import export_samples

    made = export_samples(run_dir, form, to, split=split, separator=separator)
    click.echo(f"{made.rows:,} rows of {form} in {to}.")
    for note in made.notes:
        click.echo(note)


@click.command(short_help="Look for what a set teaches besides its task.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="LINT=SHARE",
    help="The share above which a lint speaks up, or off; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def lint(run_dir: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Look for what a finished set would teach besides its task. Ends with 1 where there is a warning.

    The shares are those that the run was made with, unless --set says otherwise.
    """
    from dataclasses import asdict

    from retroweave.export.dataset import read_run, read_samples
    from retroweave.quality import lint as quality

    given = {name: _share(value) for name, value in settings_of(settings).items()}
    shares = read_run(run_dir).get("lint", {}) | quality.read_shares(given)
    findings = quality.lint(read_samples(run_dir), shares)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding.lint}: {finding.message}")
            if finding.examples:
                click.echo(f"  Look at {', '.join(finding.examples)}.")
            for label, count in finding.bars if len(finding.bars) > 1 else ():
                click.echo(f"  {count:>7,} {label}")
        if not findings:
            click.echo("No bad habit found.")
    if any(finding.severity == "warning" for finding in findings):
        sys.exit(1)


def _share(value: str) -> float | str:
    """A number where it is one; what else it may be, the lint says."""
    try:
        return float(value)
    except ValueError:
        return value
