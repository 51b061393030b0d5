"""`models`: what a model can do, and the weights of those that run inside this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from retroweave.cli.output import print_json

__all__ = ["models"]


@click.group(short_help="Look at models, and get the embedded one.")
def models() -> None:
    """Models: what there is, what one can do, and the weights of those that run inside this process."""


@models.command("get")
@click.argument("name", default="smollm2")
def models_get(name: str) -> None:
    """Fetch the weights of an embedded model into the cache, and check them. Nothing else ever fetches anything."""
    from retroweave.models.weights import fetch

    path = fetch(name, click.echo)
    click.echo(f"{path} is ready. Use it with --model embedded:{name}.")


@models.command("probe")
@click.argument("model")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A YAML file with a table of models.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def models_probe(model: str, config_file: Path | None, as_json: bool) -> None:
    """Ask a model a handful of tiny questions, and say what it can do. MODEL is what --model takes."""
    import secrets
    from dataclasses import asdict

    from retroweave.models.desk import open_desk
    from retroweave.models.licensing import terms_for
    from retroweave.models.named import named, read_table
    from retroweave.pipeline import loop
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.recipe import read_config

    table = read_table(read_config(config_file).get("models", {})) if config_file else {}
    spec = named(model, table)

    async def found() -> dict[str, Any]:
        async with open_desk({"model": spec}, f"probe-{secrets.token_hex(6)}", Budget()) as desk:
            client = desk.clients["model"]
            return {"form": client.form, **asdict(client.abilities), "calls": desk.ledger.spent.calls}

    abilities = loop.run(found())
    if as_json:
        print_json({"use": spec.use, **abilities, "terms": asdict(terms_for(spec))})
        return
    click.echo(f"{spec.use}, asked in the form {abilities.pop('form')!r}")
    calls = abilities.pop("calls")
    for name, can in abilities.items():
        click.echo(f"  {name.replace('_', ' '):18} {can if not isinstance(can, bool) else 'yes' if can else 'no'}")
    click.echo(f"  terms              {terms_for(spec).name}: {terms_for(spec).meaning}")
    click.echo(f"{calls} calls were made to find out." if calls else "That was known before: no call was made.")
