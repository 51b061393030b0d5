"""What `retroweave new` writes: a small recipe that runs as it is, to be changed step by step."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path

from retroweave.pipeline.errors import UserError

__all__ = ["write_starter"]


def write_starter(name: str, folder: Path) -> Path:
    """Write the recipe `name` into `folder` and give back its path. Never overwrites a file."""
    identifier = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", identifier) or keyword.iskeyword(identifier):
        raise UserError(
            f"A recipe's name is lower-case letters, digits and hyphens, beginning with a letter, and no word of "
            f"Python's own; it is not {name!r}."
        )
    path = folder / f"{identifier}.py"
    text = (files("retroweave") / "starter_recipe.txt").read_text("utf-8")
    text = text.replace("STARTER_NAME", identifier.replace("_", "-")).replace("starter_name", identifier)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"There is a file {str(path)!r} already. Choose another name, or another --dir.") from None
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be written: {error.strerror}.") from error
    return path
