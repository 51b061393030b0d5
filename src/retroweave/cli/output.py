"""How commands print what a program reads."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["print_json"]


def print_json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
