"""Things and their parts, from a list that a person keeps: `kite: sail, tail, string, reel`, one thing a line.

A part is known by the commas round it, so that no other mark may part a list of them. Whether the parts are right,
nothing here knows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from retroweave.pipeline.errors import SourceError
from retroweave.pipeline.licenses import validate
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.sources.line_lists import list_lines
from retroweave.sources.records import shown

__all__ = ["Parts", "read_things", "things_of"]

Parts = tuple[str, ...]

_PARTING = re.compile(r"; | / |[,:] *[-*] ")
"""What parts a list of clues, and may not stand within a part."""


def read_things(path: Path) -> dict[str, Parts]:
    """The things of a file, each with its parts, or with none. Raises `SourceError` where a line is no such thing."""
    found: dict[str, Parts] = {}
    for number, line in list_lines(path, "things"):
        name, colon, written = line.partition(":")
        thing, parts = name.strip(), tuple(filter(None, map(str.strip, written.split(","))))
        if not thing or (colon and len(parts) < 3) or _PARTING.search(written):
            raise SourceError(
                f"Line {number} of {shown(path)} is expected to hold a thing and three parts or more, as "
                f"`kite: sail, tail, string`, with commas and no other mark between them, and holds {line[:60]!r}."
            )
        if thing in found:
            raise SourceError(
                f"{shown(path)} names {thing!r} twice. Each thing stands on one line, with all its parts."
            )
        found[thing] = parts
    return found


def things_of(path: Path, license: str | None, *, with_parts: bool) -> Source:
    """Rows of things; with their parts, where those are not to be found by a model.

    Raises `SourceError` for a file that cannot be used, and then for a licence that is missing.
    """
    found = read_things(path)
    for thing, parts in found.items():
        if with_parts and not parts:
            raise SourceError(f"{shown(path)} names {thing!r} without its parts. Write them, or name a --model.")
    if license is None:
        raise SourceError(
            f"{shown(path)}: no licence is given for this list. Pass --license ID with an SPDX id, such as CC-BY-4.0 "
            "or LicenseRef-Mine for what is your own."
        )
    under = validate(license)

    def rows() -> Iterator[SourceRow]:
        for thing, parts in found.items():
            fields = {"thing": thing, **({"parts": list(parts)} if with_parts else {})}
            yield SourceRow(key=thing, fields=fields, license=under, place=f"{path.name}, {thing}")

    fields = {"thing": str, **({"parts": list[str]} if with_parts else {})}
    digest = hashlib.sha256(repr((found, under)).encode()).hexdigest
    return given(rows, fields, licenses=(under,), fingerprint=digest, name="things")
