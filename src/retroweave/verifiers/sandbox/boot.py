"""Where the sandbox's processes begin: `python -P -s -S boot.py ROLE SETTINGS`, with their socket as standard input.

The package itself is not imported (its models, its data, other people's packages): the sandbox gets stand-ins of the
packages above it, and finds the few modules that it needs, which lean on the standard library alone.
"""

from __future__ import annotations

import importlib
import json
import sys
from os.path import dirname
from types import ModuleType


def stand_in() -> None:
    folder = dirname(__file__)  # noqa: PTH120 - pathlib is heavy, and would be in each fork
    for name in ("retroweave.verifiers.sandbox", "retroweave.verifiers", "retroweave"):
        package = ModuleType(name)
        package.__path__ = [folder]
        sys.modules[name] = package
        folder = dirname(folder)  # noqa: PTH120


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    stand_in()
    importlib.import_module(f"retroweave.verifiers.sandbox.{sys.argv[1]}").main(json.loads(sys.argv[2]))
