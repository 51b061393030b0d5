"""Poems: the built-in ones, or a person's own, each with its form and with what it is about.

A file of poems is one that a person writes in any editor. Above each poem stand lines of `name: value`, then comes an
empty line; a line that is just `%` parts one poem from the next:

    title: On the Step
    form: haiku
    theme: a snail on a doorstep

    the snail takes all night
    to cross the step. I take it
    in one, with my keys

`theme` is a phrase that may follow "about". `measure` may say what the form promises, where its name does not
(`iambic 4 3 4 3, ABCB`; see `judges.prosody`), and `license` names the poem's own. A `.jsonl` file has the same names,
and `text`. Nothing here looks whether a poem keeps its form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from retroweave.pipeline.errors import SourceError, UserError, nearest
from retroweave.pipeline.licenses import validate
from retroweave.pipeline.row import digest
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.sources.records import readable, shown

__all__ = ["FIELDS", "poems"]

BUILT_IN = Path(__file__).parent / "poems"
BUILT_IN_LICENSE = "CC0-1.0"
FIELDS = {"poem": str, "title": str, "form": str, "theme": str, "measure": str}
_NAMES = ("title", "form", "theme", "measure", "license", "text")
_NEEDED = ("theme", "text")
_HEAD = re.compile(r"([a-z]+): *(.*)")
LONGEST = 20_000
"""Characters. What is longer is no poem that a model should be asked to write in one answer."""


def poems(texts: Path | str | None = None, *, license: str | None = None) -> Source:
    """One row a poem, in the order of the files' names: `poem`, and its `title`, `form`, `theme` and `measure`.

    `texts` is a .txt or .jsonl file of poems, or a folder of such; without it the built-in ones are read. `license` is
    the SPDX expression of those that do not name their own. Raises `SourceError` for a poem without a theme or a text.
    """
    if texts is None and license is not None:
        raise UserError(
            f"The built-in poems are under {BUILT_IN_LICENSE}, and a licence is given as {license}. Leave it out, or "
            "name your own poems with --poems PATH."
        )
    if texts is None:
        found = _Poems(BUILT_IN, "builtin:", BUILT_IN_LICENSE)
    else:
        found = _Poems(Path(texts).expanduser(), "", validate(license) if license else "")
    licenses = dict.fromkeys(row.license for row in found.rows())
    if not licenses:
        raise SourceError(f"{shown(found.root)} holds no poem. Write one: `theme: ...`, an empty line, and the poem.")
    return given(found.rows, FIELDS, licenses=tuple(licenses), fingerprint=found.fingerprint, name="poems")


@dataclass(frozen=True, slots=True)
class _Poems:
    root: Path
    scheme: str
    license: str

    def files(self) -> list[Path]:
        if not self.root.exists():
            raise SourceError(f"There is no file or folder {shown(self.root)}. See that the path is right.")
        if not self.root.is_dir():
            return [self.root]
        found = sorted(path for path in self.root.rglob("*") if path.suffix in _READERS and path.is_file())
        return [path for path in found if not path.name.startswith(".")]

    def rows(self) -> Iterator[SourceRow]:
        for path in self.files():
            if path.suffix not in _READERS:
                raise SourceError(f"{shown(path)} is expected to be a folder, or to end in .txt or .jsonl.")
            name = path.relative_to(self.root).as_posix() if path != self.root else path.name
            for number, (line, values) in enumerate(_READERS[path.suffix](path), 1):
                yield self._row(f"{name}#{number}", f"{shown(path)}, poem {number}, line {line}", name, line, values)

    def _row(self, key: str, where: str, name: str, line: int, values: Mapping[str, Any]) -> SourceRow:
        _require(values, where)
        text = str(values["text"]).strip("\n")
        license = str(values.get("license") or "")
        if not license and not self.license:
            raise UserError(
                f"{where}: no licence is given for this poem. Pass --license ID with an SPDX id, such as CC-BY-4.0 or "
                "LicenseRef-Mine for what is your own; or write `license: ID` above the poem."
            )
        fields = {name: str(values.get(name) or "").strip() for name in FIELDS if name != "poem"}
        return SourceRow(
            key=key,
            fields={"poem": text, **fields, "form": fields["form"] or "poem"},
            license=validate(license) if license else self.license,
            place=f"{self.scheme}{name}, line {line}",
            cluster=digest(" ".join(text.split()).lower()).hex(),
        )

    def fingerprint(self) -> str:
        state = hashlib.blake2b(self.license.encode(), digest_size=16)
        for path in self.files():
            with readable(path):
                state.update(digest(path.name, path.read_bytes()))
        return state.hexdigest()


def _require(values: Mapping[str, Any], where: str) -> None:
    for name in values:
        if name not in _NAMES:
            raise SourceError(f"{where}: a poem has no {name!r}. {nearest(name, _NAMES)}")
    for name in _NEEDED:
        if not isinstance(values.get(name), str) or not values[name].strip():
            raise SourceError(
                f"{where}: the poem has no {name}. A {name} is expected"
                f"{', a phrase that may follow `about`: `theme: a snail on a doorstep`' if name == 'theme' else ''}."
            )
    if len(values["text"]) > LONGEST:
        raise SourceError(f"{where}: the poem has {len(values['text']):,} characters, and {LONGEST:,} are the most.")


def _text(path: Path) -> str:
    with readable(path):
        try:
            return path.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(f"{shown(path)} is expected to be UTF-8, and is not: {error}.") from None


def _by_percent(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each poem of a .txt file with the line on which it begins."""
    line = 1
    for part in re.split(r"^%[ \t]*\n", _text(path), flags=re.MULTILINE):
        if part.strip():
            yield line, _headed(part.strip("\n"), f"{shown(path)}, line {line}")
        line += part.count("\n") + 1


def _headed(part: str, where: str) -> dict[str, Any]:
    head, _, text = part.partition("\n\n")
    values: dict[str, Any] = {"text": text}
    for line in head.splitlines():
        found = _HEAD.fullmatch(line.strip())
        if found is None:
            raise SourceError(
                f"{where}: above a poem stand lines such as `theme: a snail on a doorstep`, then an empty line; this "
                f"one is {line[:60]!r}."
            )
        values[found[1]] = found[2]
    return values


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise SourceError(f"{shown(path)}, line {number}: a JSON object is expected: {error}.") from None
        if not isinstance(values, dict):
            raise SourceError(f'{shown(path)}, line {number}: a JSON object is expected, such as {{"text": ...}}.')
        yield number, values


_READERS = {".txt": _by_percent, ".jsonl": _json_lines}
