"""Things and their parts, from a list that a person keeps: `kite: sail, tail, string, reel`, one thing a line.

A part is known by the commas round it, so that no other mark may part a list of them. A line that begins with `%% `
names the theme of the things below it. Whether the parts are right, nothing here knows.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from retroweave.pipeline.errors import SourceError
from retroweave.pipeline.licenses import validate
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.sources.line_lists import list_lines
from retroweave.sources.records import shown

__all__ = ["Parts", "read_themes", "read_things", "things_of"]

Parts = tuple[str, ...]

_THEME = "%% "
_PARTING = re.compile(r"; | / |[,:] *[-*] ")
"""What parts a list of clues, and may not stand within a part."""


def read_things(path: Path) -> dict[str, Parts]:
    """The things of a file, each with its parts, or with none. Raises `SourceError` where a line is no such thing."""
    return {thing: parts for thing, (parts, _) in _read(path).items()}


def read_themes(path: Path) -> dict[str, str]:
    """The theme of each thing of a file, which is empty where none stands above it."""
    return {thing: theme for thing, (_, theme) in _read(path).items()}


def _read(path: Path) -> dict[str, tuple[Parts, str]]:
    found: dict[str, tuple[Parts, str]] = {}
    theme = ""
    for number, line in list_lines(path, "things"):
        if line.startswith(_THEME):
            theme = line.removeprefix(_THEME).strip()
            continue
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
        found[thing] = parts, theme
    if not found:
        raise SourceError(f"{shown(path)} names themes, and no things below them. Write things, one a line.")
    return found


def _mixed(themes: Mapping[str, str]) -> list[str]:
    """The things in an order in which each theme is spread over all of it; as they stand where there are no themes."""
    sizes = Counter(themes.values())
    seen: Counter[str] = Counter()
    places: dict[str, float] = {}
    for thing, theme in themes.items():
        places[thing] = (seen[theme] + 0.5) / sizes[theme]
        seen[theme] += 1
    return sorted(places, key=places.__getitem__)


def things_of(path: Path, license: str | None, *, with_parts: bool) -> Source:
    """Rows of things, their themes mixed; with their parts, where those are not to be found by a model.

    Raises `SourceError` for a file that cannot be used, and then for a licence that is missing.
    """
    things = read_things(path)
    found = {thing: things[thing] for thing in _mixed(read_themes(path))}
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
