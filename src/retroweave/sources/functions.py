"""Python functions that stand alone: of a person's own code, of the standard library, of installed distributions.

Pipelines about code start here. Each row is a function with the few lines of its module that it needs, in its author's
words, with the licence, the file, the lines and the address where it is found again. Code is read and never run, so a
row says nothing of what its function does: who wants to know runs it in a sandbox.

Rows come in an order drawn from their keys, so that the first hundred are taken from everywhere. What the standalone
filter drops is counted and no row, since it is most of all functions; a file that cannot be read is a reject.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.licenses import validate
from retroweave.pipeline.row import digest
from retroweave.pipeline.source import Source, SourceRow, given
from retroweave.sources.clusters import clusters
from retroweave.sources.distributions import Notice, Skipped, installed_distributions, is_permissive
from retroweave.sources.modules import Module
from retroweave.sources.python_files import Unreadable, names_below, read_python
from retroweave.sources.records import readable, shown
from retroweave.sources.standalone import REASONS, NotStandalone, Standalone, standalone

__all__ = ["Corpus", "Notices", "Survey", "functions"]

T = TypeVar("T")

FIELDS = {"code": str, "function": str, "signature": str, "docstring": str, "statements": int, "url": str}

_NO_LIBRARY = frozenset(
    {
        *("__pycache__", "dist-packages", "site-packages", "test", "tests", "idle_test", "idlelib", "lib2to3"),
        *("turtledemo", "ensurepip", "encodings", "pydoc_data", "msilib", "this.py", "antigravity.py"),
    }
)
"""Folders of the standard library that hold tests, programs, tables and other people's code."""
_TERMS = {
    "Permission to use, copy": "ISC",
    "Permission is hereby granted": "MIT",
    "Redistribution and use": "BSD-",
    "Licensed under the Apache": "Apache-",
    "General Public License": "GPL",
    "Mozilla Public License": "MPL",
}
"""What a file says that brings its terms with it, and the licences whose words these are."""
_SPDX = re.compile(r"^\W*SPDX-License-Identifier:\s*([^\n]+?)\s*(?:-->|\*/)?$", re.MULTILINE)
_HEAD = 4000
"""Characters in which a file's terms stand."""
_UNNAMED = "the code"
"""A folder that has no name of its own."""
_NOTICE_FILES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


def functions(
    code: Path | str | None = None,
    *,
    license: str | None = None,
    standard: bool | None = None,
    installed: bool = False,
    licenses: tuple[str, ...] | None = None,
) -> Source:
    """The standalone functions of all that is named, as rows with the fields of `FIELDS`.

    `code` is a folder or a .py file, under the SPDX expression `license` where a file does not say
    `SPDX-License-Identifier` itself. `standard` takes in the standard library: so it is where nothing else is named.
    `installed` takes in each installed distribution that is permissive by its metadata. `licenses` are let in; left
    out, those of the sources are. A file under another one is a reject. Raises `SourceError` where there is no code.
    """
    return Corpus.of(code, license=license, standard=standard, installed=installed, licenses=licenses).source()


@dataclass(frozen=True)
class Notices:
    """The texts that must be passed on with the code of a corpus: a resource that a run writes beside its samples."""

    corpus: Corpus

    def fingerprint(self) -> str:
        """Nothing of its own: no outcome hangs on them."""
        return "the notices"

    def manifest(self) -> dict[str, Any]:
        """What they belong to, for the card."""
        found = self.corpus.notices()
        return {"notices": [{"of": one.origin or _UNNAMED, "license": one.license, "file": one.file} for one in found]}

    def notice(self) -> str:
        """All of them as one text; one that belongs to several bodies of code stands there once."""
        texts = {one.text: one for one in reversed(self.corpus.notices())}
        return "\n\n".join(
            f"{one.origin or _UNNAMED} ({one.license})\n\n{text.strip()}\n" for text, one in reversed(texts.items())
        )


@dataclass(frozen=True, slots=True)
class _Origin:
    """A body of code under one licence."""

    key: str
    """What its rows' keys begin with."""
    title: str
    """Name and version, as a person would say it; empty for a folder of one's own."""
    license: str
    """An SPDX expression; empty where each file must name its own."""
    root: Path
    files: tuple[str, ...]
    url: Callable[[str, int, int], str]
    """The address of lines of a file."""
    notices: Callable[[], tuple[Notice, ...]]

    def place(self, file: str, lines: str = "") -> str:
        return (f"{self.title}: " if self.title else "") + shown(file) + lines


@dataclass(frozen=True, slots=True)
class _Found:
    origin: _Origin
    file: str
    license: str
    function: Standalone

    @property
    def key(self) -> str:
        return f"{self.origin.key}{self.file}::{self.function.name}"


@dataclass
class Survey:
    """What was read, what was found and what was dropped, in numbers."""

    files: int = 0
    functions: int = 0
    """All of them, methods and nested ones too."""
    top_level: int = 0
    standalone: int = 0
    clusters: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why functions at the top level were dropped."""
    details: dict[str, Counter[str]] = field(default_factory=dict)
    """What it was, by reason: the modules that were imported, the names that were not found."""
    unread: Counter[str] = field(default_factory=Counter)
    """Why files were not read."""
    licenses: Counter[str] = field(default_factory=Counter)
    """Standalone functions by licence."""
    skipped: tuple[Skipped, ...] = ()
    """The installed distributions that were not let in."""

    def as_json(self) -> dict[str, Any]:
        """The counts as plain values, the largest first."""
        counts = {
            name: dict(value.most_common()) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }
        details = {reason: dict(found.most_common()) for reason, found in self.details.items()}
        return counts | {"details": details, "skipped": {one.name: one.why for one in self.skipped}}


@dataclass(frozen=True)
class Corpus:
    """Bodies of code, read once when they are first asked for."""

    origins: tuple[_Origin, ...]
    skipped: tuple[Skipped, ...]
    licenses: tuple[str, ...]

    @classmethod
    def of(
        cls,
        code: Path | str | None = None,
        *,
        license: str | None = None,
        standard: bool | None = None,
        installed: bool = False,
        licenses: tuple[str, ...] | None = None,
    ) -> Corpus:
        """See `functions`. Where `licenses` is empty all are let in: for whoever only counts, and makes no rows."""
        origins: list[_Origin] = []
        skipped: tuple[Skipped, ...] = ()
        if code is not None:
            origins.append(_folder(Path(code).expanduser(), validate(license) if license else ""))
        elif license is not None:
            raise UserError(f"A licence is given as {license}, and no code that is under it. Name it with --code DIR.")
        if standard or (standard is None and code is None and not installed):
            origins.append(_standard_library())
        if installed:
            found, skipped = _installed()
            origins += found
        if not origins:
            raise UserError("No code is named. Pass --code DIR, --stdlib or --installed.")
        let_in = licenses if licenses is not None else _let_in(origins)
        return cls(tuple(origins), skipped, tuple(validate(one) for one in let_in))

    def source(self, turns: int = 0) -> Source:
        """The functions as rows; with `turns` so many times, and then with a field `turn` that counts them from 0.

        Each function has its first turn before any has its second, so that a small set is of many functions.
        """
        if not any(origin.files for origin in self.origins):
            raise SourceError(f"There is no .py file in {', '.join(shown(one.root) for one in self.origins)}.")
        rows, fields = (partial(self._turns, turns), FIELDS | {"turn": int}) if turns else (self._once, FIELDS)
        return given(rows, fields, licenses=self.licenses, fingerprint=self.fingerprint, name="functions")

    def survey(self) -> Survey:
        survey = self._read[2]
        survey.clusters = len({row.cluster for row in self._rows if not row.reject})
        return survey

    def notices(self) -> list[Notice]:
        """The notices of all code that gave a function, in the order of the sources."""
        used = {found.origin.key for found in self._read[0]}
        return [notice for origin in self.origins if origin.key in used for notice in origin.notices()]

    def fingerprint(self) -> str:
        """A hash of the licences and of all files that are read."""
        state = hashlib.blake2b(digest(*self.licenses), digest_size=16)
        for origin in self.origins:
            state.update(digest(origin.key, origin.title, origin.license))
            for name in origin.files:
                with readable(origin.root / name):
                    state.update(digest(name, (origin.root / name).read_bytes()))
        return state.hexdigest()

    def _once(self) -> Iterator[SourceRow]:
        if not self._read[0]:
            raise SourceError(self._nothing())
        return iter(self._rows)

    def _turns(self, turns: int) -> Iterator[SourceRow]:
        for turn in range(turns):
            for row in self._once():
                if not (turn and row.reject):
                    key = f"{row.key}, turn {turn + 1}" if turn else row.key
                    yield replace(row, key=key, fields=row.fields | {"turn": turn}, cluster=row.cluster or row.key)

    def _nothing(self) -> str:
        """That no function stands alone: where was looked, why each was dropped, and what mends it."""
        _, unread, survey = self._read
        where = " and ".join(shown(one.root) for one in self.origins[:3]) + " and others" * (len(self.origins) > 3)
        inside = survey.functions - survey.top_level
        reasons = [f"{count:,} {reason} ({REASONS[reason]})" for reason, count in survey.reasons.most_common()]
        reasons += [f"{inside:,} inside a class or another function"] if inside else []
        told = f" Dropped: {'; '.join(reasons)}." if reasons else ""
        if unread:
            origin, file, why = unread[0]
            told += f" Not read: {_files(len(unread))}, such as {origin.place(file)}: {why}."
        count = f"{survey.functions:,} function{'s' * (survey.functions != 1)}"
        return (
            f"{where}: looked at {_files(survey.files)} with {count}, and none stands alone, which is to need nothing "
            f"but its arguments.{told} Name more code, or take in the standard library too (`--standard`) or what is "
            "installed (`--installed`); `retroweave functions` counts before you run."
        )

    @cached_property
    def _rows(self) -> list[SourceRow]:
        found, unread, _ = self._read
        cluster = clusters({one.key: one.function.code for one in found})
        rows = [_row(one, cluster[one.key]) for one in found]
        rows += [_reject(origin, file, why) for origin, file, why in unread]
        return sorted(rows, key=lambda row: digest(row.key))

    @cached_property
    def _read(self) -> tuple[list[_Found], list[tuple[_Origin, str, str]], Survey]:
        """The functions that stand alone, the files that are not read, and the counts."""
        found: list[_Found] = []
        unread: list[tuple[_Origin, str, str]] = []
        survey = Survey(skipped=self.skipped)
        for origin in self.origins:
            for file in origin.files:
                survey.files += 1
                try:
                    found += self._functions(origin, file, survey)
                except Unreadable as reason:
                    unread.append((origin, file, str(reason)))
                    survey.unread[str(reason)] += 1
        survey.standalone = len(found)
        survey.licenses.update(one.license for one in found)
        return found, unread, survey

    def _functions(self, origin: _Origin, file: str, survey: Survey) -> list[_Found]:
        module = Module.of(read_python(origin.root / file))
        license = _license(origin, module.text[:_HEAD])
        if self.licenses and license not in self.licenses:
            raise Unreadable("another licence")
        found: list[_Found] = []
        counts: Counter[tuple[str, str]] = Counter()
        for function in module.functions:
            try:
                found.append(_Found(origin, file, license, standalone(module, function)))
            except NotStandalone as dropped:
                counts[dropped.reason, dropped.detail] += 1
        survey.functions += module.function_count
        survey.top_level += len(module.functions)
        for (reason, detail), count in counts.items():
            survey.reasons[reason] += count
            survey.details.setdefault(reason, Counter())[detail] += count
        return found


def _files(count: int) -> str:
    return f"{count:,} file{'s' * (count != 1)}"


def _row(found: _Found, cluster: str) -> SourceRow:
    one = found.function
    return SourceRow(
        key=found.key,
        fields={
            "code": one.code,
            "function": one.name,
            "signature": one.signature,
            "docstring": one.docstring,
            "statements": one.statements,
            "url": found.origin.url(found.file, one.line, one.last_line),
        },
        license=found.license,
        place=found.origin.place(found.file, f", lines {one.line}-{one.last_line}"),
        cluster=cluster,
    )


def _reject(origin: _Origin, file: str, why: str) -> SourceRow:
    return SourceRow(
        key=f"{origin.key}{file}",
        fields={name: kind() for name, kind in FIELDS.items()},
        license=origin.license or "LicenseRef-unknown",
        place=origin.place(file),
        reject=f"the file is not read: {why}",
    )


def _license(origin: _Origin, head: str) -> str:
    """The licence of a file: its own where it names one. Raises `Unreadable` where that cannot be told."""
    named = _SPDX.search(head)
    if named:
        try:
            return validate(named[1])
        except UserError as error:
            raise Unreadable("another licence") from error
    if not origin.license:
        raise Unreadable("no licence")
    # One's own code may well say its terms in each file; in a library, other terms are a sign of a third person.
    if origin.title and any(words in head and name not in origin.license for words, name in _TERMS.items()):
        raise Unreadable("terms of its own")
    return origin.license


def _let_in(origins: list[_Origin]) -> tuple[str, ...]:
    """The licences of the sources; where each file names its own, those of them that are permissive."""
    found = {origin.license for origin in origins if origin.license}
    for origin in origins:
        if not origin.license:
            found |= _named_in(origin)
    if not found:
        raise UserError(
            f"{shown(origins[0].root)}: no licence is given for this code, and no file of it names a permissive one as "
            "SPDX-License-Identifier. Pass --license ID with an SPDX id, such as MIT, or LicenseRef-Mine for what is "
            "your own."
        )
    return tuple(sorted(found))


def _named_in(origin: _Origin) -> set[str]:
    found: set[str] = set()
    for file in origin.files:
        with readable(origin.root / file), (origin.root / file).open(encoding="utf-8", errors="replace") as opened:
            named = _SPDX.search(opened.read(_HEAD))
        if named and is_permissive(named[1]):
            found.add(validate(named[1]))
    return found


def _folder(root: Path, license: str) -> _Origin:
    """A person's own code."""
    with readable(root):
        if not root.exists():
            raise SourceError(
                f"There is no file or folder {shown(root)} (looked for at {shown(root.absolute())}). "
                "See that the path is right."
            )
        files = names_below(root) if root.is_dir() else [root.name]
    folder = root if root.is_dir() else root.parent
    if not files or (not root.is_dir() and root.suffix != ".py"):
        raise SourceError(f"{shown(root)} is expected to be a .py file or a folder that holds some, and is none.")
    return _Origin(
        "", "", license, folder, tuple(files), _always(""), lambda: tuple(_notice_files(folder, "", license))
    )


def _standard_library() -> _Origin:
    root = Path(sysconfig.get_paths()["stdlib"])
    version = platform.python_version()
    title = f"Python {version}"
    names = names_below(root, without=_NO_LIBRARY)
    return _Origin(
        key="stdlib/",
        title=title,
        license="PSF-2.0",
        root=root,
        # The file of this build's settings holds paths of the machine.
        files=tuple(name for name in names if name not in _NO_LIBRARY and "_sysconfigdata" not in name),
        url=lambda file, first, last: f"https://github.com/python/cpython/blob/v{version}/Lib/{file}#L{first}-L{last}",
        notices=lambda: tuple(_notice_files(root, title, "PSF-2.0")) or (Notice(title, "PSF-2.0", "", sys.copyright),),
    )


def _notice_files(folder: Path, title: str, license: str) -> Iterator[Notice]:
    for path in sorted({path for pattern in _NOTICE_FILES for path in folder.glob(pattern)}):
        if path.is_file():
            yield Notice(title, license, path.name, path.read_text("utf-8", "replace"))


def _installed() -> tuple[list[_Origin], tuple[Skipped, ...]]:
    found, skipped = installed_distributions()
    origins = [
        _Origin(
            key=f"{one.name}/",
            title=f"{one.name} {one.version}",
            license=one.license,
            root=one.root,
            files=one.files,
            url=_always(one.url),
            notices=_always(one.notices),
        )
        for one in found
    ]
    return origins, tuple(skipped)


def _always(value: T) -> Callable[..., T]:
    return lambda *_: value
