"""Passages of texts: the built-in ones, or a person's own files.

Pipelines that repair, continue or describe prose start here. The passages are exact slices of what the author vouches
for, each with its licence and the place where it is found again. What is not here: choosing between train and
validation, cleaning texts, and judging whether they are good. Own files are read as they stand (`records`) and cut at
paragraphs (`cutting`).
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.licenses import validate
from retroweave.pipeline.row import digest
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.sources.cutting import cut
from retroweave.sources.records import ENDINGS, WHOLE_TEXTS, Record, ending, examine, readable, records, shown

__all__ = ["passages"]

BUILT_IN = Path(__file__).parent / "passages"
BUILT_IN_LICENSE = "CC0-1.0"
CHUNK = 1024 * 1024


def passages(
    texts: Path | str | None = None,
    *,
    field: str = "text",
    license: str | None = None,
    shortest: int = 600,
    longest: int = 4000,
    into: str = "passage",
    licenses: tuple[str, ...] | None = None,
    whole_lines: bool = False,
) -> Source:
    """Passages of `shortest` to `longest` characters, cut at paragraphs, in the order of the files' names; of the
    built-in texts the first of each, then the second of each.

    `texts` is a file or a folder of .txt, .md, .jsonl, .parquet and .csv files, all in UTF-8, and of MediaWiki dumps
    (.xml, .xml.bz2, .xml.gz), whose pages become plain paragraphs; without it the built-in texts are read. `field`
    holds the text of a record, whose `title` and `url`, where it has them, are told with its place. `license` is the
    SPDX expression for what does not name its own in a field `license`. `licenses` are let in; left out, they are
    `license`, or where that is left out too the licence of the first passage: rows under another are rejects. What is
    too short and has no neighbour to join is a reject, and so is a page of a dump that is no article.
    `whole_lines` ends every passage with a line end, as a text file ends, where its text had none of its own.

    Of a folder, hidden files, files with other endings and what lies behind links to folders are left out. Raises
    `SourceError` for what can be found wrong without reading everything; the rest is raised while rows are read.
    """
    _require_range(shortest, longest)
    if texts is None:
        if license is not None:
            raise UserError(
                f"The built-in texts are under {BUILT_IN_LICENSE}, and a licence is given as {license}. Leave it "
                "out, or name your own texts with --texts PATH."
            )
        license = BUILT_IN_LICENSE
    root = BUILT_IN if texts is None else Path(texts).expanduser()
    own = _Texts(
        root=root,
        names=_names(root) if texts is not None else _kinds_in_turn(_names(root)),
        scheme="builtin:" if texts is None else "",
        field=field,
        license="" if license is None else validate(license),
        shortest=shortest,
        longest=longest,
        into=into,
        whole_lines=whole_lines,
    )
    own.examine()
    first = own.first()
    let_in = licenses if licenses is not None else (own.license or first.license,)
    return given(
        own.rows,
        {into: str},
        licenses=tuple(validate(one) for one in let_in),
        fingerprint=own.fingerprint,
        name="passages",
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    root: Path
    """A folder, or the file itself."""
    names: tuple[str, ...]
    """The files below the folder, in order; the name alone where the root is a file."""
    scheme: str
    """What stands before a file's name in a row's place."""
    field: str
    license: str
    shortest: int
    longest: int
    into: str
    whole_lines: bool

    def path(self, name: str) -> Path:
        return self.root / name if self.root.is_dir() else self.root

    def examine(self) -> None:
        """Raise what can be found wrong in each file without reading all of it."""
        for name in self.names:
            path = self.path(name)
            first = examine(path, self.field)
            if first is not None:
                self._license(name, first)
            elif ending(path) in WHOLE_TEXTS:
                self._license(name, Record("", "", 1))

    def first(self) -> SourceRow:
        """The first row that is no reject, or a `SourceError` where there is none."""
        length = 0
        reasons: Counter[str] = Counter()
        for row in self.rows():
            if not row.reject:
                return row
            length = max(length, len(row.fields[self.into]))
            reasons[row.reject] += bool(not row.fields[self.into])
        raise SourceError(self._nothing(length, reasons))

    def _nothing(self, length: int, reasons: Counter[str]) -> str:
        if not length:
            there = "; ".join(f"{count} of its records: {reason}" for reason, count in reasons.most_common(6))
            return (
                f"{shown(self.root)} holds no text at all, and passages of {self.shortest} characters are expected"
                f"{f' ({there})' if there else ''}."
            )
        step = 100 if length >= 200 else 10 if length >= 20 else 1
        return (
            f"No passage of {shown(self.root)} has the {self.shortest} to {self.longest} characters that are expected: "
            f"the longest passage has {length} characters; pass --shortest {length // step * step}."
        )

    def rows(self) -> Iterator[SourceRow]:
        texts = map(self._rows_of, self.names)
        return _in_turn(texts) if self.scheme else itertools.chain.from_iterable(texts)

    def _rows_of(self, name: str) -> Iterator[SourceRow]:
        for record in records(self.path(name), self.field):
            yield from self._passages(shown(name), record)

    def _passages(self, name: str, record: Record) -> Iterator[SourceRow]:
        license = self._license(name, record)
        line, counted, found = 1, 0, False
        for start, end in cut(record.text, self.shortest, self.longest):
            line, counted = line + record.text.count("\n", counted, start), start
            found = True
            text = record.text[start : _with_line_end(record.text, end)]
            if self.whole_lines and not text.endswith("\n"):
                text += "\r\n" if "\r\n" in text else "\n"
            yield self._row(name, record, start, text, license, line)
        if not found:
            yield self._row(name, record, 0, "", license, 1)

    def _row(self, name: str, record: Record, start: int, text: str, license: str, line: int) -> SourceRow:
        too_short = len(text.rstrip("\r\n")) < self.shortest
        return SourceRow(
            key=f"{name}#{record.number}:{start}",
            fields={self.into: text},
            license=license,
            place=self._place(name, record, start, line, start - record.text.rfind("\n", 0, start)),
            cluster=digest(" ".join(text.split()).lower()).hex(),
            reject=record.missing or (f"shorter than {self.shortest} characters" if too_short else ""),
        )

    def _place(self, name: str, record: Record, start: int, line: int, column: int) -> str:
        if record.place:
            inside = f", from character {start + 1}" if start else ""
            return f"{self.scheme}{name}, {record.place}{inside}"
        if self.scheme and (line, column) == (1, 1):
            return f"{self.scheme}{name}"
        return f"{self.scheme}{name}, line {line}" + (f", character {column}" if column > 1 else "")

    def _license(self, name: str, record: Record) -> str:
        file = shown(self.path(name))
        place = f"{file}, {record.place}" if record.place else file
        if not record.license and not self.license:
            raise UserError(
                f"{place}: no licence is given for this text. Pass --license ID with an SPDX id, such as CC-BY-4.0 "
                "or LicenseRef-Mine for what is your own; or give each record its own in a field 'license'."
            )
        try:
            return validate(record.license) if record.license else self.license
        except UserError as error:
            raise SourceError(f"{place}: in the field 'license', {error}") from None

    def fingerprint(self) -> str:
        settings = [self.field, self.license, self.shortest, self.longest, self.into, self.whole_lines]
        state = hashlib.blake2b(orjson.dumps(settings), digest_size=16)
        for name in self.names:
            state.update(digest(os.fsencode(name)) + _digest_of(self.path(name)))
        return state.hexdigest()


def _in_turn(texts: Iterable[Iterator[SourceRow]]) -> Iterator[SourceRow]:
    """The first passage of each text, then the second of each: however few are taken, they are of many kinds.

    So it goes with the built-in texts. Of other people's there may be any number, too many to be read side by side.
    """
    waiting = deque(texts)
    while waiting:
        text = waiting.popleft()
        if (row := next(text, None)) is not None:
            yield row
            waiting.append(text)


def _with_line_end(text: str, end: int) -> int:
    """A passage that ends a line takes the line's end with it: it is a text file like any, and so are its patches."""
    return end + 2 if text.startswith("\r\n", end) else end + text.startswith("\n", end)


def _digest_of(path: Path) -> bytes:
    state = hashlib.blake2b(digest_size=16)
    with readable(path), path.open("rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return state.digest()


def _require_range(shortest: int, longest: int) -> None:
    if shortest < 1 or shortest >= longest:
        raise SourceError(
            f"A passage is to have from shortest={shortest} to longest={longest} characters: shortest must be at "
            "least 1 and less than longest. Set them with --shortest N and --longest N."
        )


def _names(root: Path) -> tuple[str, ...]:
    """The files to read: one name for a file, all known ones below a folder, in order."""
    if root.is_dir():
        return _names_below(root)
    if not root.exists():
        raise SourceError(
            f"There is no file or folder {shown(root)} (looked for at {shown(root.absolute())}). "
            "See that the path is right."
        )
    if ending(root) not in ENDINGS:
        raise SourceError(
            f"{shown(root)} is expected to end in {_list(ENDINGS)}, and ends in {root.suffix or 'nothing'!r}. "
            "Convert the file, or rename it where it is one of these."
        )
    return (root.name,)


def _kinds_in_turn(names: Iterable[str]) -> tuple[str, ...]:
    """A file of each folder, then the next of each."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.partition("/")[0], []).append(name)
    rounds = itertools.zip_longest(*folders.values())
    return tuple(name for one in rounds for name in one if name is not None)


def _names_below(root: Path) -> tuple[str, ...]:
    names: list[str] = []
    endings: Counter[str] = Counter()
    with readable(root):
        for folder, folders, files in os.walk(root, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for path in (Path(folder, name) for name in files if not name.startswith(".")):
                endings[ending(path) or "no ending"] += 1
                if ending(path) in ENDINGS:
                    names.append(path.relative_to(root).as_posix())
    if not names:
        found = ", ".join(f"{count} with {ending}" for ending, count in endings.most_common(8))
        raise SourceError(
            f"The folder {shown(root)} is expected to hold files that end in {_list(ENDINGS)}, and "
            f"{f'holds none: {found}' if found else 'is empty'}. Convert the files, or name another folder."
        )
    return tuple(sorted(names))


def _raise(error: OSError) -> None:
    raise error


def _list(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
