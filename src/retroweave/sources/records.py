"""Reading texts from files: one record after the other, and a clear word about what cannot be read.

People bring their own texts, so most of this is about what may be wrong with a file. A reader holds one record at a
time (of Parquet a small batch), never a whole collection. It does not repair, guess an encoding or skip what is
broken: a source that quietly lost a part of its rows would be believed.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from retroweave.pipeline.errors import SourceError, nearest
from retroweave.sources.dumps import pages

__all__ = ["ENDINGS", "WHOLE_TEXTS", "Record", "ending", "examine", "readable", "records", "shown", "text_lines"]

MIB = 1024 * 1024
LONGEST_LINE = 16 * MIB
"""More than any text in one line that people train on; a longer line is a file of another kind, or a broken one."""
LARGEST_TEXT = 64 * MIB
"""A .txt or .md file is cut as a whole, and so read as a whole: ten times the longest novel may be."""
ROWS_AT_ONCE = 64
"""Of a Parquet file, whose cells may be long."""
LONGEST_NAME = 300
"""Characters of a title or an address that a record names itself by."""
_HEAD = 4096
"""Bytes of a text that tell whether it is one."""
_BEGINS_DUMP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*<mediawiki[\s>]",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One text as it stands in a file."""

    text: str
    place: str
    """Where in its file: `record 3, line 120, 'Title' (address)`, or nothing where the record is the file."""
    number: int
    """Which record of the file, from 1."""
    license: str = ""
    """The licence that the record itself names."""
    missing: str = ""
    """Why there is no text, where the field is there and empty."""


def records(path: Path, field: str) -> Iterator[Record]:
    """The records of one file, in order. Of a .txt or .md file there is one, and `field` does not matter.

    Raises `SourceError` where the file is not what its ending says, and where it cannot be read any more.
    """
    return _READERS[ending(path)](path, field)


def ending(path: Path) -> str:
    """The ending by which a file is known: that of a packed dump is a double one, in whose midst its part may stand."""
    last = path.suffix.lower()
    return f".xml{last}" if last in _PACKED and ".xml" in path.stem.lower() else last


def examine(path: Path, field: str) -> Record | None:
    """The first record of a file of many, after raising `SourceError` for what can be found wrong by that alone."""
    with readable(path):
        if not path.is_file():
            path.stat()  # says so where there is nothing at all
            raise SourceError(f"{shown(path)} is not a file that can be read, but a device, a pipe or a folder.")
    if ending(path) in WHOLE_TEXTS:
        _require_text(path)
        return None
    return next(records(path, field), None)


def shown(path: Path | str) -> str:
    """A path as it may be printed and stored, also where its bytes are no text."""
    return str(path).encode("utf-8", "backslashreplace").decode()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say of which file it is that the system cannot open or read it."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{shown(path)} cannot be read: {error.strerror or error}. See that the file is there and may be read, and "
            "run the same command again; what was done so far is kept."
        ) from error


def _whole(path: Path, _: str) -> Iterator[Record]:
    _require_text(path)
    yield Record("".join(line for _, line in text_lines(path)), "", 1)


def _json_lines(path: Path, field: str) -> Iterator[Record]:
    number = 0
    for line_number, line in text_lines(path):
        if not line.strip():
            continue
        number += 1
        place = f"record {number}, line {line_number}"
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            found = f"this line is not JSON ({error.msg} at character {error.colno})"
        else:
            found = "" if isinstance(values, dict) else f"this line holds {_kind(values)}"
        if found:
            raise SourceError(
                f'{shown(path)}, {place}: one JSON object a line is expected, such as {{"{field}": "..."}}, and '
                f"{found}. It begins with {line[:60]!r}. Mend the line or take it out; a file that is one JSON list "
                "becomes lines with: jq -c '.[]' OLD > NEW."
            )
        yield _record(path, field, values, place, number)


def _csv(path: Path, field: str) -> Iterator[Record]:
    # Python's own limit of 128 KiB is shorter than a chapter, and can be set for the whole process only.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    rows = csv.reader((line for _, line in text_lines(path)), strict=True)
    header: list[str] | None = None
    number = 0
    while True:
        line_number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            raise SourceError(
                f"{shown(path)}, the record that begins on line {line_number}: comma-separated values are expected, "
                f'with "..." round a text that holds a comma, a line break or a quotation mark, and the mark doubled '
                f"inside of it. This record breaks off at line {rows.line_num}: {error}."
            ) from None
        if header is None:
            header = row
            _require_columns(path, field, header)
        elif row:
            number += 1
            place = f"record {number}, line {line_number}"
            if len(row) != len(header):
                raise SourceError(
                    f"{shown(path)}, {place}: {len(header)} columns are expected, as the first line names them, and "
                    f"there are {len(row)}. A text with a comma or a line break must stand between quotation marks."
                )
            yield _record(path, field, dict(zip(header, row, strict=True)), place, number)
    if header is None:
        raise SourceError(
            f"{shown(path)} is empty: a first line that names the columns is expected, {field!r} among them."
        )


def _parquet(path: Path, field: str) -> Iterator[Record]:
    # Imported here: it takes a fifth of a second, and most sources are not Parquet.
    import pyarrow
    import pyarrow.parquet

    try:
        with readable(path), pyarrow.parquet.ParquetFile(path, buffer_size=MIB, pre_buffer=False) as file:
            names = file.schema_arrow.names
            _require_columns(path, field, names)
            columns = [name for name in dict.fromkeys((field, "license", "title", "url")) if names.count(name) == 1]
            number = 0
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=columns, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield _record(path, field, values, f"record {number}", number)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise SourceError(f"{shown(path)} is not a Parquet file that can be read: {error}") from error


def _dump(path: Path, _: str) -> Iterator[Record]:
    unpacked = _PACKED.get(path.suffix.lower(), open)
    with readable(path), unpacked(path, "rb") as file:
        for page in pages(file, shown(path)):
            place = f"page {page.number}{_named(page.title, page.url)}"
            yield Record(page.text, place, page.number, missing=page.skipped)


_PACKED: Mapping[str, Callable[..., Any]] = {".bz2": bz2.open, ".gz": gzip.open}
_READERS: dict[str, Callable[[Path, str], Iterator[Record]]] = {
    ".txt": _whole,
    ".md": _whole,
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".parquet": _parquet,
    ".xml": _dump,
    ".xml.bz2": _dump,
    ".xml.gz": _dump,
}
ENDINGS = tuple(_READERS)
WHOLE_TEXTS = frozenset({".txt", ".md"})


def _record(path: Path, field: str, values: Mapping[str, Any], place: str, number: int) -> Record:
    where = f"{shown(path)}, {place}"
    _require(field, values, where)
    text, license = values[field], values.get("license")
    place += _named(values.get("title"), values.get("url"))
    if not isinstance(license, str | None):
        raise SourceError(
            f"{where}: the field 'license' must hold one SPDX expression, such as CC-BY-4.0, and holds "
            f"{_kind(license)}."
        )
    license = (license or "").strip()
    if text is None:
        return Record("", place, number, license, f"the field {field!r} is null")
    if not isinstance(text, str):
        raise SourceError(
            f"{where}: the field {field!r} must hold a string, the text itself, and holds {_kind(text)}. "
            "Name the field that holds the text with --field NAME."
        )
    return Record(text, place, number, license)


def _named(title: Any, url: Any) -> str:
    """What a record calls itself, as the end of its place: extractors of wikis give title and address."""
    said, address = (" ".join(one.split())[:LONGEST_NAME] if isinstance(one, str) else "" for one in (title, url))
    return (f", {said!r}" if said else "") + (f" ({address})" if address else "")


def _require_columns(path: Path, field: str, names: list[str]) -> None:
    _require(field, names, f"{shown(path)}, its columns")
    for name in (field, "license"):
        if names.count(name) > 1:
            raise SourceError(
                f"{shown(path)}: there are {names.count(name)} columns named {name!r}. Rename all but one."
            )


def _require(field: str, names: Collection[str], where: str) -> None:
    if field in names:
        return
    near = nearest(field, names)
    raise SourceError(
        f"{where}: the field {field!r} is expected to hold the text, and is not there. "
        f"{near + ' ' if near.startswith('Did') else ''}The fields there are: {', '.join(names) or 'none'}. "
        "Name the one that holds the text with --field NAME."
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers and their ends as they are; a byte order mark is left out."""
    offset = 0
    with readable(path), path.open("rb") as file:
        for number in count(1):
            line = file.readline(LONGEST_LINE + 1)
            if not line:
                return
            if len(line) > LONGEST_LINE:
                raise SourceError(
                    f"{shown(path)}, line {number} is longer than {LONGEST_LINE // MIB} MiB. It is not read, for it "
                    "would fill the memory: break the text into lines or records."
                )
            text = _decoded(line, path, number, offset)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            offset += len(line)


def _decoded(line: bytes, path: Path, number: int, offset: int) -> str:
    if offset == 0 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(
            f"{shown(path)} is not UTF-8 text but UTF-16: byte 0, in line 1, begins its mark. {_iconv(path, 'UTF-16')}"
        )
    if b"\0" in line:
        raise SourceError(
            f"{shown(path)} is not text but binary: byte {offset + line.index(0)}, in line {number}, is NUL. "
            f"Take the file away or convert it to one of {', '.join(ENDINGS)}."
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{shown(path)} is not UTF-8 text: byte {offset + error.start}, in line {number}, is "
            f"0x{line[error.start]:02x} ({error.reason}). Old files are mostly Windows-1252. "
            f"{_iconv(path, 'WINDOWS-1252')}"
        ) from None


def _iconv(path: Path, encoding: str) -> str:
    new = path.with_name(f"{path.stem}.utf8{path.suffix}")
    return (
        f"Convert it with: iconv -f {encoding} -t UTF-8 {shlex.quote(shown(path))} > {shlex.quote(shown(new))} "
        "and take the old file away."
    )


def _require_text(path: Path) -> None:
    """Raise what is wrong with a text that is to be read as a whole, before it is read."""
    with readable(path), path.open("rb") as file:
        head, size = file.read(_HEAD), os.fstat(file.fileno()).st_size
    if _BEGINS_DUMP.match(head):
        new = path.with_name(f"{path.stem.removesuffix('.xml')}.xml")
        raise SourceError(
            f"{shown(path)} begins with <mediawiki> and is a MediaWiki dump, of which all markup would be taken for "
            "prose. Its pages are read from a file that ends in .xml. Rename it: "
            f"mv {shlex.quote(shown(path))} {shlex.quote(shown(new))}"
        )
    if size > LARGEST_TEXT:
        names = f"{shlex.quote(shown(path))} {shlex.quote(shown(path.stem))}-"
        raise SourceError(
            f"{shown(path)} has {size // MIB} MiB, and a text is read as a whole up to {LARGEST_TEXT // MIB} MiB. "
            f"Break it at line ends with: split -C 60M --additional-suffix={path.suffix} {names} "
            "and take the old file away, or make a .jsonl file of its texts."
        )
