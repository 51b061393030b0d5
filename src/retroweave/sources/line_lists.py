"""Lists that a person keeps in a text file, one entry a line: themes, words, positions.

What an entry is made of is for its recipe to say; here is what may be wrong with such a file before it is read.
"""

from __future__ import annotations

from pathlib import Path

from retroweave.pipeline.errors import SourceError
from retroweave.sources.records import shown, text_lines

__all__ = ["list_lines"]


def list_lines(path: Path, of: str) -> list[tuple[int, str]]:
    """The lines with something on them, each with its number from 1. `of` is what the list holds, for the error.

    Raises `SourceError` where there is no such file, or it is no UTF-8, or nothing stands in it.
    """
    if not path.exists():
        raise SourceError(f"There is no file {shown(path)}. See that the path is right.")
    found = [(number, line.strip()) for number, line in text_lines(path) if line.strip()]
    if not found:
        raise SourceError(f"{shown(path)} is expected to hold {of}, one a line, and holds none.")
    return found
