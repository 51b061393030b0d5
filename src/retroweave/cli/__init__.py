"""The command line.

Each command says what it does in its help text, prints what a person would want to see, and ends with code 0; 1 where
a run could not be finished, 2 where the input is wrong, 130 after Ctrl-C. What is heavy is imported when it is used:
`--help` answers at once.
"""

from __future__ import annotations

import signal
import sys

import click

from retroweave.cli.code import functions, sandbox
from retroweave.cli.finished import export, lint
from retroweave.cli.labels import labels
from retroweave.cli.making import run
from retroweave.cli.models import models
from retroweave.cli.odds import calibrate, odds
from retroweave.cli.recipes import check, new, recipes, show, try_
from retroweave.cli.review import review
from retroweave.cli.variants import variants

__all__ = ["main"]


def main() -> None:
    """The entry point: an error that we know is one paragraph, not a traceback."""
    from retroweave.pipeline.errors import RetroweaveError

    try:
        cli(standalone_mode=False, prog_name="retroweave")
    except RetroweaveError as error:
        from retroweave.export.excerpt import visible

        _hear_no_more()
        click.echo(f"Error: {visible(str(error))}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        _hear_no_more()
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename!r} cannot be used" if error.filename else "The system refused"
        click.echo(f"Error: {where}: {error.strerror or error}. See that the path is right and has room.", err=True)
        sys.exit(2)
    else:
        _hear_no_more()


def _hear_no_more() -> None:
    """It is over: who presses Ctrl-C again while the process ends shall not see a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="retroweave")
def cli() -> None:
    """Build synthetic text data that knows why each trained word is right.

    Begin with: retroweave run prose-repair --rows 100 --out out
    """


_COMMANDS = (
    *(run, recipes, show, check, try_, new, variants),
    *(review, labels, calibrate, odds),
    *(export, lint, models, functions, sandbox),
)
for _command in _COMMANDS:
    cli.add_command(_command)
