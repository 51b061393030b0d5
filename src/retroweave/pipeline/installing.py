"""How a part of this package that is not installed is had: the command for it, as the package itself was installed."""

from __future__ import annotations

import json
import os
import shlex
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["install_command"]

NAME = "retroweave"


def install_command(extra: str) -> str:
    """`pip install 'retroweave[review]'`, or from the folder that this package was installed from.

    Whoever works in a clone has no package of that name to install.
    """
    origin: dict[str, Any] = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")  # PEP 610
    url = urlsplit(origin.get("url", ""))
    if url.scheme != "file":
        return f"pip install '{NAME}[{extra}]'"
    editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
    folder = Path(url2pathname(url.path))
    shown = "." if folder == Path.cwd() else os.fspath(folder)
    return f"pip install {editable}{shlex.quote(f'{shown}[{extra}]')}"
