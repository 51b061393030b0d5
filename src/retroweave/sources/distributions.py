"""Installed distributions whose metadata says that their code may be passed on, and the notices that go with it.

Licences are read from metadata and from nothing else: the SPDX expression where there is one, and otherwise the old
field and the classifiers, where these name one licence and its version beyond doubt. A distribution that leaves a doubt
is skipped and named. This is not legal advice, and no licence text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution as Metadata
from importlib.metadata import distributions
from pathlib import Path

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.licenses import combine, validate
from retroweave.pipeline.row import digest

__all__ = ["Distribution", "Notice", "Skipped", "installed_distributions", "is_permissive"]

VENDORED = frozenset({"_vendor", "_vendored", "vendor", "vendored", "extern", "externals", "_bundled", "third_party"})
"""Folders in which other people's code stands, under licences of its own."""
TESTS = frozenset({"test", "tests", "testing", "_tests", "conftest.py"})

_CLASSIFIERS = {
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "Zero-Clause BSD (0BSD)": "0BSD",
    "zlib/libpng License": "Zlib",
}
_FAMILIES = {"Apache Software License": re.compile(r"Apache-"), "BSD License": re.compile(r"BSD-|0BSD")}
"""Classifiers that leave open which version of a licence they mean: the field must say it."""
_OSI_ALONE = "License :: OSI Approved"

_FIELD = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software 2.0": "Apache-2.0",
    "apache version 2.0": "Apache-2.0",
    "2-clause bsd": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "expat": "MIT",
    "mit": "MIT",
    "mit (mit)": "MIT",
    "python software foundation": "PSF-2.0",
}
"""The field as people fill it in, in small letters, without commas and the words `the`, `license` and `licence`."""
_NOTICE_NAME = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)", re.IGNORECASE)
_SOURCE_LABELS = ("source", "source code", "repository", "code", "github", "homepage", "home")


@dataclass(frozen=True, slots=True)
class Notice:
    """A text that must be passed on with code."""

    origin: str
    """What it belongs to: name and version of a distribution."""
    license: str
    file: str
    text: str

    @property
    def hash(self) -> str:
        return digest(self.text).hex()


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution that is let in."""

    name: str
    version: str
    license: str
    """An SPDX expression."""
    url: str
    """Where its source is kept, or its home page; empty where it names neither."""
    root: Path
    files: tuple[str, ...]
    """Its Python files, by their paths below the root, without tests and what is vendored."""
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An installed distribution that is not let in."""

    name: str
    why: str


class _Doubt(Exception):
    """Why a distribution is skipped."""


def installed_distributions(path: Sequence[str] | None = None) -> tuple[list[Distribution], list[Skipped]]:
    """The distributions that are let in, in the order of their names, and those that are not, each with the reason.

    `path` is where to look; `sys.path` if left out.
    """
    found: dict[str, Metadata] = {}
    skipped: list[Skipped] = []
    for metadata in distributions() if path is None else distributions(path=list(path)):
        try:
            found.setdefault(_name(metadata), metadata)  # the first on the path is the one that is imported
        except (OSError, UnicodeDecodeError) as error:
            skipped.append(Skipped("(no name)", f"its metadata cannot be read: {error}"))
    let_in: list[Distribution] = []
    for name in sorted(found):
        try:
            let_in.append(_distribution(name, found[name]))
        except _Doubt as doubt:
            skipped.append(Skipped(name, str(doubt)))
    return let_in, skipped


def is_permissive(expression: str) -> bool:
    """Whether code under an SPDX expression may be passed on in any set for no more than keeping its notice."""
    try:
        # A share-alike licence would take the MIT's place; one that share-alike cannot take in asks for more.
        return "MIT" in combine([expression, "MIT"]) and combine([expression, "CC-BY-SA-4.0"]) == "CC-BY-SA-4.0"
    except UserError:
        return False


def _name(metadata: Metadata) -> str:
    """The name, which broken metadata may lack, in one spelling."""
    return re.sub(r"[-_.]+", "-", _entry(metadata, "Name") or "unnamed").lower()


def _distribution(name: str, metadata: Metadata) -> Distribution:
    license = _license(metadata)
    if not is_permissive(license):
        raise _Doubt(f"{license} asks for more than to keep a notice")
    files = _python_files(metadata)
    if not files:
        raise _Doubt("it has no Python files in the place where it is installed")
    notices = tuple(_notices(f"{name} {metadata.version}", license, metadata))
    if not notices and combine([license]) != "CC0-1.0":
        raise _Doubt(f"{license} asks to keep its notice, and none is installed with it")
    root = Path(str(metadata.locate_file("")))
    return Distribution(name, metadata.version, license, _url(metadata), root, files, notices)


def _license(metadata: Metadata) -> str:
    expression = _entry(metadata, "License-Expression")
    if expression:
        return _validated(expression) or _raise(f"its expression {expression[:60]!r} is not SPDX")
    field = _from_field(_entry(metadata, "License"))
    named = [field] if field else []
    for classifier in metadata.metadata.get_all("Classifier") or []:
        if classifier.startswith("License ::") and classifier != _OSI_ALONE:
            named.append(_from_classifier(classifier.rpartition(" :: ")[2], field))
    if not named:
        raise _Doubt("its metadata names no licence that is known beyond doubt")
    return " AND ".join(sorted({f"({one})" if " OR " in one else one for one in named}))


def _from_classifier(label: str, field: str) -> str:
    family = _FAMILIES.get(label)
    if family is not None:
        return field if family.match(field) else _raise(f"the classifier {label!r} does not say which version")
    return _CLASSIFIERS.get(label) or _raise(f"the classifier {label!r} is not known as permissive")


def _from_field(field: str) -> str:
    """What the old free-text field says; empty where it is empty, a whole licence's text, or not clear."""
    if len(field) > 100:
        return ""
    words = re.sub(r"\b(the|license|licence|,)\b|,", " ", field.lower()).split()
    return _FIELD.get(" ".join(words), "") or _validated(field)


def _validated(expression: str) -> str:
    try:
        return validate(expression)
    except UserError:
        return ""


def _raise(why: str) -> str:
    raise _Doubt(why)


def _python_files(metadata: Metadata) -> tuple[str, ...]:
    names = (file.as_posix() for file in metadata.files or () if file.suffix == ".py")
    return tuple(sorted(name for name in names if _is_own(name) and Path(str(metadata.locate_file(name))).is_file()))


def _is_own(name: str) -> bool:
    parts = name.split("/")
    return ".." not in parts and not name.startswith("/") and VENDORED.isdisjoint(parts) and TESTS.isdisjoint(parts)


def _notices(origin: str, license: str, metadata: Metadata) -> Iterator[Notice]:
    for file in sorted(metadata.files or (), key=str):
        folder = file.parts[0]
        if folder.endswith((".dist-info", ".egg-info")) and _NOTICE_NAME.match(file.name):
            path = Path(str(metadata.locate_file(file)))
            if path.is_file():
                yield Notice(origin, license, file.as_posix(), path.read_text("utf-8", "replace"))


def _url(metadata: Metadata) -> str:
    labelled = (entry.partition(",")[::2] for entry in metadata.metadata.get_all("Project-URL") or ())
    urls = {label.strip().lower(): url.strip() for label, url in labelled}
    return next((urls[label] for label in _SOURCE_LABELS if label in urls), "") or _entry(metadata, "Home-page")


def _entry(metadata: Metadata, name: str) -> str:
    return next(iter(metadata.metadata.get_all(name) or ()), "")
