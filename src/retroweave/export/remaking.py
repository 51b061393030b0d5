"""The command that makes a run's samples again, with the config file that it needs, as card and report show them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

__all__ = ["CONFIG_FILE", "command", "model_table"]

Run = Mapping[str, Any]

CONFIG_FILE = "models.yaml"
"""The file that the command names where a model needs more said of it than its name."""
_LONGEST_COMMAND = 100


def model_table(run: Run) -> str:
    """The `models:` of a config file for `command`, of those of which more was said than which model it is; or empty.

    Prices, the form and what a server is asked besides stand in no command line. A key stands nowhere, only the name of
    its variable.
    """
    told = {model["reference"]: model["entry"] for model in run.get("models", ()) if len(model.get("entry", ())) > 1}
    return str(yaml.safe_dump({"models": told}, sort_keys=False, allow_unicode=True)) if told else ""


def command(run: Run) -> str:
    """The command that makes the same samples again, in a POSIX shell; config keys at their defaults are left out."""
    models = run.get("models", ())
    used = {model.get("reference"): model["use"] for model in models if len(model.get("entry", ())) <= 1}
    config = {
        name: used.get(value, value) if isinstance(value, str) else value  # a name of the config file's, spelt out
        for name, value in run.get("config_changed", run["config"]).items()
    }
    words = [
        ["retroweave", "run", run.get("reference", run["recipe"])],
        *([["--config", CONFIG_FILE]] if model_table(run) else ()),
        *(["--set", f"{name}={_flow(value)}"] for name, value in config.items()),
        ["--rows", str(run["rows"]), "--seed", str(run["seed"]), "--out", run["recipe"]],
    ]
    lines = [shlex.join(line) for line in words]
    whole = " ".join(lines)
    return whole if len(whole) <= _LONGEST_COMMAND else " \\\n  ".join(lines)


def _flow(value: Any) -> str:
    """A value as YAML on one line, which `--set` reads."""
    shown = _dumped(value, allow_unicode=True)
    is_lossy = yaml.safe_load(shown) != value  # PyYAML quotes some line ends as they are, and reads them as spaces
    return _dumped(value, allow_unicode=False) if is_lossy else shown


def _dumped(value: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=allow_unicode, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")
