"""How a run is made again: the command, and the config file that it needs; for card, report and review."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

__all__ = ["CONFIG_FILE", "changed", "command", "flow", "model_table", "models", "setting"]

Run = Mapping[str, Any]

CONFIG_FILE = "models.yaml"
"""The file that the command names where a model needs more said of it than its name."""
_LONGEST_COMMAND = 100


def changed(run: Run) -> dict[str, Any]:
    """The config keys that the run set otherwise than its recipe, for a file or a command.

    A model is spelt out, whatever its name in some file was, unless `models` has an entry for it.
    """
    told = models(run)
    used = {model.get("reference"): model["use"] for model in run.get("models", ())}
    values = run.get("config_changed", run["config"])
    return {
        name: used.get(value, value) if isinstance(value, str) and value not in told else value
        for name, value in values.items()
    }


def models(run: Run) -> dict[str, Any]:
    """Entries for `models:` of a config file: of those models of which more was said than which model it is.

    Prices, the form and what a server is asked besides stand in no command line. A key stands nowhere, only the name of
    its variable.
    """
    return {model["reference"]: model["entry"] for model in run.get("models", ()) if len(model.get("entry", ())) > 1}


def model_table(run: Run) -> str:
    """The config file that `command` names; empty where it names none."""
    told = models(run)
    return str(yaml.safe_dump({"models": told}, sort_keys=False, allow_unicode=True)) if told else ""


def command(run: Run) -> str:
    """The command that makes the same samples again, in a POSIX shell; config keys at their defaults are left out."""
    words = [
        ["retroweave", "run", run.get("reference", run["recipe"])],
        *([["--config", CONFIG_FILE]] if models(run) else ()),
        *(setting(name, value) for name, value in changed(run).items()),
        ["--rows", str(run["rows"]), "--seed", str(run["seed"]), "--out", run["recipe"]],
    ]
    lines = [shlex.join(line) for line in words]
    whole = " ".join(lines)
    return whole if len(whole) <= _LONGEST_COMMAND else " \\\n  ".join(lines)


def setting(name: str, value: Any) -> list[str]:
    """The words of a command that set a config key."""
    return ["--set", f"{name}={flow(value)}"]


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    shown = _dumped(value, allow_unicode=True)
    is_lossy = yaml.safe_load(shown) != value  # PyYAML quotes some line ends as they are, and reads them as spaces
    return _dumped(value, allow_unicode=False) if is_lossy else shown


def _dumped(value: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=allow_unicode, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")
