"""Before data is made of code: which functions stand alone, and what holds where untrusted code runs."""

from __future__ import annotations

from pathlib import Path

import click

from retroweave.cli.output import print_json

__all__ = ["functions", "sandbox"]


@click.command(short_help="Count the functions that stand alone, and why others do not.")
@click.argument("code", required=False, type=click.Path(path_type=Path))
@click.option("--stdlib", is_flag=True, help="The standard library; what is counted where nothing is named.")
@click.option("--installed", is_flag=True, help="Every installed distribution that is permissive by its metadata.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with what it was for each reason.")
def functions(code: Path | None, stdlib: bool, installed: bool, as_json: bool) -> None:
    """Count the Python functions that stand alone, and say why the others were dropped. Nothing is run.

    CODE is a folder or a .py file. To count, no licence is needed; to make data of it, one is.
    """
    from retroweave.sources.functions import Corpus
    from retroweave.terminal import console_for, show_functions

    corpus = Corpus.of(
        code,
        license="LicenseRef-Unnamed" if code is not None else None,
        standard=True if stdlib else None,
        installed=installed,
        licenses=() if code is not None else None,
    )
    survey = corpus.survey()
    if as_json:
        print_json(survey.as_json())
        return
    show_functions(console_for(), survey)


@click.command(short_help="Say what holds where untrusted code runs.")
@click.option("--unsafe", is_flag=True, help="Go without what cannot be had here.")
def sandbox(unsafe: bool) -> None:
    """Say which layers hold here for code that nobody trusts, why others do not, and how many suites run a second."""
    from retroweave.verifiers.sandbox import describe_sandbox

    for line in describe_sandbox(unsafe):
        click.echo(line)
