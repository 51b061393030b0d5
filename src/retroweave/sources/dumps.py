"""Pages of a MediaWiki XML dump, one after the other: what Wikipedia and thousands of other wikis give away.

A dump may be a hundred gigabytes long and come from anybody, so it is read as a stream: no more is held than one page.
Whatever a dump never has is refused, not worked off: a document type, and with it every entity that could grow or
reach for a file; deep nesting; endless tags. Which pages are no articles is said of each by its reason. What a page's
wikitext says is read in `wikitext`; this neither downloads a dump nor knows its licence.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote
from xml.parsers import expat

from retroweave.pipeline.errors import SourceError
from retroweave.sources.wikitext import read_wikitext

__all__ = ["LONGEST_PAGE", "Page", "pages"]

MIB = 1024 * 1024
CHUNK = 64 * 1024
LONGEST_PAGE = 4 * MIB
"""Characters of wikitext; MediaWiki itself lets a page have two million bytes."""
SILENCE = 8 * MIB
"""Bytes in which nothing begins, ends or is said: one endless tag or comment, which the parser would hold."""
DEEPEST = 16
"""A dump nests five elements deep."""
_FILE, _CATEGORY = "6", "14"
"""Keys of the namespaces whose links show no words in the text."""
_TITLE = 200
"""Characters of a title; MediaWiki lets one have 255 bytes."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, as plain paragraphs."""

    number: int
    title: str
    url: str
    """Where it is read; nothing where the dump does not say where its wiki is."""
    text: str
    skipped: str = ""
    """Why it is no article that can be used."""


def pages(file: BinaryIO, name: str) -> Iterator[Page]:
    """The pages of a dump, in its order; of one with all revisions, the last revision of each.

    Raises `SourceError` that begins with `name`, the file's, where it is no dump, and where it breaks off.
    """
    dump = _Dump(name)
    while True:
        try:
            chunk = file.read(CHUNK)
        except (EOFError, OSError, zlib.error) as error:
            raise SourceError(
                f"{name} cannot be unpacked to its end, after {dump.count} pages: {error}. It is cut off or damaged: "
                "fetch the dump again, and compare its checksum with the one that its site gives."
            ) from error
        yield from dump.feed(chunk)
        if not chunk:
            return


class _Dump:
    """What the XML parser tells, made into pages."""

    def __init__(self, name: str) -> None:
        self.count = 0
        self._name = name
        self._ready: list[Page] = []
        self._path: list[str] = []
        self._said: list[str] | None = None
        self._length = 0
        self._base = ""
        self._silent_names = {"file", "image", "media", "category"}
        self._namespace = ""
        self._page: dict[str, str] = {}
        self._quiet = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes) -> Iterator[Page]:
        """Whatever pages end in this piece of the file; an empty piece is its end."""
        self._quiet += len(chunk)
        if self._quiet > SILENCE:
            raise self._not_a_dump(f"{SILENCE // MIB} MiB go by in which no page goes on")
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise self._broken(error, at_the_end=not chunk) from None
        yield from self._ready
        self._ready.clear()

    def _broken(self, error: expat.ExpatError, *, at_the_end: bool) -> SourceError:
        said = expat.errors.messages.get(error.code, str(error))
        where = f"{self._name}, line {error.lineno}"
        if at_the_end and not self._path and not self.count:
            return SourceError(
                f"{self._name} is empty: a MediaWiki XML dump is expected, which begins with <mediawiki>. Fetch it "
                "again, or take the file away."
            )
        if at_the_end:
            return SourceError(
                f"{where}: the dump breaks off after {self.count} pages, before </mediawiki>. Fetch it again, and "
                "compare its checksum with the one that its site gives."
            )
        return SourceError(
            f"{where}: this is not well-formed XML ({said}), after {self.count} pages. A MediaWiki XML dump is "
            "expected: fetch it again, or take the file away."
        )

    def _not_a_dump(self, found: str) -> SourceError:
        return SourceError(
            f"{self._name}, line {self._parser.CurrentLineNumber}: a MediaWiki XML dump is expected, such as "
            f"pages-articles.xml.bz2 of a wiki, and {found}. Take the file away, or make a .txt or .jsonl file of it."
        )

    def _refuse_doctype(self, *_: object) -> None:
        raise self._not_a_dump("here begins a document type, which no dump has, and which could define anything")

    def _start(self, element: str, attributes: Mapping[str, str]) -> None:
        self._quiet = 0
        if not self._path and element != "mediawiki":
            raise self._not_a_dump(f"it begins with <{element[:40]}>")
        if len(self._path) >= DEEPEST:
            raise self._not_a_dump(f"its elements nest more than {DEEPEST} deep")
        self._path.append(element)
        if element == "page":
            self._page = {}
        elif element == "redirect":
            self._page["redirect"] = "yes"
        elif element == "namespace":
            self._namespace = attributes.get("key", "")
        elif element == "text" and "deleted" in attributes:
            self._page["deleted"] = "yes"
        if element in _READ:
            self._said, self._length = [], 0

    def _text(self, text: str) -> None:
        self._quiet = 0
        if self._said is not None:
            self._length += len(text)
            if self._length <= LONGEST_PAGE:
                self._said.append(text)

    def _end(self, element: str) -> None:
        self._quiet = 0
        said = "".join(self._said) if self._said is not None else ""
        self._said = None
        self._path.pop()
        if element == "base":
            self._base = said.strip().rpartition("/")[0]
        elif element == "namespace" and self._namespace in (_FILE, _CATEGORY):
            self._silent_names.add(said.strip().lower())
        elif element in _OF_PAGES:
            self._page[element] = said
            if element == "text":
                self._page["long"] = "yes" if self._length > LONGEST_PAGE else ""
        elif element == "page":
            self.count += 1
            self._ready.append(self._made(self._page))
            self._page = {}

    def _made(self, page: Mapping[str, str]) -> Page:
        title = " ".join(page.get("title", "").split())[:_TITLE]
        url = f"{self._base}/{quote(title.replace(' ', '_'), safe='/:(),!*@;')}" if self._base and title else ""
        skipped = _no_article(page)
        if skipped:
            return Page(self.count, title, url, "", skipped)
        prose = read_wikitext(page.get("text", ""), frozenset(self._silent_names))
        skipped = "a disambiguation page" if "(disambiguation)" in title else prose.no_article
        return Page(self.count, title, url, "" if skipped else prose.text, skipped)


_OF_PAGES = frozenset({"title", "ns", "model", "text"})
_READ = _OF_PAGES | {"base", "namespace"}


def _no_article(page: Mapping[str, str]) -> str:
    """Why a page is no article, as far as the dump itself says."""
    if page.get("ns", "0").strip() != "0":
        return "no article, but a page of another namespace"
    if "redirect" in page or page.get("text", "")[:20].lstrip().lower().startswith("#redirect"):
        return "a redirect"
    if page.get("model", "wikitext").strip() != "wikitext":
        return "no wikitext"
    if "deleted" in page:
        return "its text was deleted"
    return f"longer than {LONGEST_PAGE // MIB} million characters" if page.get("long") else ""
