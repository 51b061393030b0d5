"""A MediaWiki dump becomes articles in plain paragraphs; what is no dump, or a hostile one, does no harm."""

from __future__ import annotations

import bz2
import gzip
import io
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.source import SourceRow
from retroweave.sources.dumps import LONGEST_PAGE, SILENCE, Page, pages
from retroweave.sources.texts import passages

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Saltpedia</sitename>
    <base>https://salt.example/wiki/Main_Page</base>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">Picture</namespace>
      <namespace key="14" case="first-letter">Kind</namespace>
    </namespaces>
  </siteinfo>
"""
SALT = """{{Infobox thing|name=Salt cellar}}
A '''salt cellar''' is a small vessel for [[salt]] at table.<ref>A book.</ref> At [[Ann Fell|Mrs Fell's]] it was of \
pewter, and stood by the bread.

[[Picture:Cellar.jpg|thumb|A ''cellar'']]
== Use ==
Whoever sat below it had no say in the matter of pudding. This was the custom until 1840.
* one
* two

== See also ==
* [[Pepper]]
[[Kind:Vessels]]
"""


def page(title: str, text: str, ns: int = 0, more: str = "", model: str = "wikitext", older: str = "") -> str:
    revisions = "".join(
        f"<revision><id>1</id><contributor><username>Ann</username></contributor><model>{model}</model>"
        f'<text bytes="1" xml:space="preserve">{escape(one)}</text></revision>'
        for one in filter(None, (older, text))
    )
    return f"  <page><title>{escape(title)}</title><ns>{ns}</ns><id>7</id>{more}{revisions}</page>\n"


def dump(*written: str) -> str:
    return f"{HEAD}{''.join(written)}</mediawiki>\n"


SMALL = dump(
    page("Salt cellar", SALT),
    page("Cellar (salt)", "#REDIRECT [[Salt cellar]]", more=f"<redirect title={quoteattr('Salt cellar')} />"),
    page("Talk:Salt cellar", "I doubt it.", ns=1),
    page("Cellar", "A '''cellar''' may be one of these:\n* [[Salt cellar]]\n{{disambig}}"),
    page("Cellar (disambiguation)", "See there."),
    page("Spoon", "A spoon is a spoon.\n{{Cutlery-stub}}"),
    page("Spoon.css", "a { b: c }", model="css"),
    page('Æ & "B"?', "It is what it is, and has been so for as long as anybody knows.", older="It was not."),
)


def read(text: str | bytes) -> list[Page]:
    return list(pages(io.BytesIO(text.encode() if isinstance(text, str) else text), "salt.xml"))


def refused(text: str | bytes) -> str:
    with pytest.raises(SourceError) as error:
        read(text)
    message = str(error.value)
    assert message.startswith("salt.xml")
    assert "\n" not in message
    return message


def write(path: Path, text: str) -> Path:
    pack: dict[str, Any] = {".bz2": bz2.compress, ".gz": gzip.compress}
    path.write_bytes(pack.get(path.suffix.lower(), bytes)(text.encode()))
    return path


def rows_of(path: Path, **options: Any) -> list[SourceRow]:
    return list(passages(path, **{"license": "CC-BY-SA-4.0", "shortest": 40, "longest": 900, **options}).rows())


class TestPages:
    def test_an_article_is_its_prose_under_its_headings(self) -> None:
        first = read(SMALL)[0]
        assert (first.number, first.title, first.skipped) == (1, "Salt cellar", "")
        assert first.url == "https://salt.example/wiki/Salt_cellar"
        assert first.text == (
            "A salt cellar is a small vessel for salt at table. At Mrs Fell's it was of pewter, and stood by the "
            "bread.\n\nUse\n\nWhoever sat below it had no say in the matter of pudding. This was the custom until 1840."
        )

    def test_what_is_no_article_is_skipped_and_says_why(self) -> None:
        skipped = {one.title: one.skipped for one in read(SMALL) if one.skipped}
        assert skipped == {
            "Cellar (salt)": "a redirect",
            "Talk:Salt cellar": "no article, but a page of another namespace",
            "Cellar": "a disambiguation page",
            "Cellar (disambiguation)": "a disambiguation page",
            "Spoon": "a stub",
            "Spoon.css": "no wikitext",
        }
        assert not any(one.text for one in read(SMALL) if one.skipped)

    def test_of_several_revisions_the_last_is_read_and_an_address_is_quoted(self) -> None:
        last = read(SMALL)[-1]
        assert last.text.startswith("It is what it is")
        assert last.url == "https://salt.example/wiki/%C3%86_%26_%22B%22%3F"

    def test_a_dump_that_does_not_say_where_its_wiki_is_gives_titles_alone(self) -> None:
        assert read(f"<mediawiki>{page('Salt', SALT)}</mediawiki>")[0].url == ""

    def test_a_page_longer_than_any_is_skipped_without_being_held(self) -> None:
        text = dump(page("Long", "x" * (4 * LONGEST_PAGE))).encode()
        tracemalloc.start()
        [one] = read(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (one.text, one.skipped) == ("", "longer than 4 million characters")
        assert peak < 3 * LONGEST_PAGE

    def test_memory_does_not_grow_with_the_dump(self) -> None:
        class Endless(io.RawIOBase):
            """A dump of many megabytes that is never there as a whole."""

            def __init__(self, count: int) -> None:
                self._pieces: Iterator[bytes] = iter(
                    [HEAD.encode(), *[page("Salt", SALT * 20).encode()] * count, b"</mediawiki>", b""]
                )

            def read(self, size: int = -1) -> bytes:
                return next(self._pieces)

        peaks = []
        for count in (50, 500):
            tracemalloc.start()
            read_one_by_one: Any = Endless(count)
            assert sum(bool(one.text) for one in pages(read_one_by_one, "salt.xml")) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.5 * peaks[0]


class TestRows:
    @pytest.mark.parametrize(
        "name", ["salt.xml", "salt.xml.bz2", "salt.xml.gz", "SALT.XML.GZ", "salt-articles1.xml-p1p99.bz2"]
    )
    def test_every_recipe_reads_a_dump_packed_or_not(self, tmp_path: Path, name: str) -> None:
        rows = rows_of(write(tmp_path / name, SMALL))
        used = [row for row in rows if not row.reject]
        assert [row.place.partition(", ")[2] for row in used] == [
            "page 1, 'Salt cellar' (https://salt.example/wiki/Salt_cellar)",
            "page 8, 'Æ & \"B\"?' (https://salt.example/wiki/%C3%86_%26_%22B%22%3F)",
        ]
        assert {row.license for row in used} == {"CC-BY-SA-4.0"}

    def test_skipped_pages_are_rejects_with_their_reason(self, tmp_path: Path) -> None:
        rows = rows_of(write(tmp_path / "salt.xml", SMALL))
        assert Counter(row.reject for row in rows if row.reject) == {
            "a redirect": 1,
            "no article, but a page of another namespace": 1,
            "a disambiguation page": 2,
            "a stub": 1,
            "no wikitext": 1,
        }

    def test_a_long_article_is_cut_at_its_headings_and_paragraphs(self, tmp_path: Path) -> None:
        rows = rows_of(write(tmp_path / "salt.xml", dump(page("Salt cellar", SALT))), longest=130)
        assert [row.fields["passage"].split()[0] for row in rows] == ["A", "Use"]
        assert rows[1].place.endswith("(https://salt.example/wiki/Salt_cellar), from character 109")

    def test_a_licence_is_demanded(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"page 1, 'Salt cellar'.*no licence is given.*--license"):
            passages(write(tmp_path / "salt.xml", SMALL), shortest=40)

    def test_a_dump_without_one_article_says_what_there_was(self, tmp_path: Path) -> None:
        path = write(tmp_path / "salt.xml", dump(page("Talk:A", "x", ns=1), page("Talk:B", "x", ns=1)))
        with pytest.raises(SourceError, match=r"no text at all.*2 of its records: no article, but a page of another"):
            rows_of(path)


class TestWhatIsRefused:
    def test_billion_laughs_and_files_from_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("secret")
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
        for declared in (f'<!ENTITY l0 "ha">{laughs}', f'<!ENTITY l11 SYSTEM "{tmp_path / "secret.txt"}">'):
            text = f'<?xml version="1.0"?><!DOCTYPE mediawiki [{declared}]>{dump(page("A", "x"))}'
            message = refused(text.replace(">x<", ">&l11;<"))
            assert "a document type, which no dump has" in message
        assert "secret" not in refused('<!DOCTYPE a SYSTEM "https://salt.example/a.dtd"><mediawiki/>')

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is empty: a MediaWiki XML dump is expected"),
            ("<rss><channel/></rss>", "it begins with <rss>"),
            ("\n\n{}", "not well-formed XML"),
            (SMALL[:-200], "breaks off after 7 pages"),
            (SMALL.replace("<ns>1", "<ns>&nbsp;1"), "not well-formed XML (undefined entity), after 2 pages"),
            (HEAD + "<a>" * 40, "nest more than 16 deep"),
            (HEAD + "<!--" + "x" * (SILENCE + 100_000), "8 MiB go by in which no page goes on"),
            (b"\xff\xfe" + SMALL.encode(), "not well-formed XML"),
        ],
    )
    def test_what_is_no_dump_is_told_in_one_paragraph(self, text: str | bytes, said: str) -> None:
        assert said in refused(text)

    def test_an_empty_dump_is_told_apart_from_a_broken_one(self, tmp_path: Path) -> None:
        assert read(dump()) == []
        with pytest.raises(SourceError, match="holds no text at all"):
            rows_of(write(tmp_path / "salt.xml", dump()))

    @pytest.mark.parametrize("ending", [".xml.bz2", ".xml.gz"])
    def test_a_packed_dump_that_is_cut_off_or_damaged(self, tmp_path: Path, ending: str) -> None:
        path = write(tmp_path / f"salt{ending}", SMALL * 3)
        whole = path.read_bytes()
        for broken in (whole[: len(whole) // 2], b"no archive at all" + whole):
            path.write_bytes(broken)
            with pytest.raises(SourceError, match=r"cannot be unpacked to its end, after \d pages.*checksum") as error:
                rows_of(path)
            assert "\n" not in str(error.value)


def test_records_of_an_extractor_keep_title_and_address(tmp_path: Path) -> None:
    path = tmp_path / "wiki.jsonl"
    path.write_text(
        '{"id": "3", "url": "https://salt.example/wiki?curid=3", "title": "Salt", "text": "Salt is eaten."}\n'
        '{"id": "4", "url": 7, "title": null, "text": "It is white, and is not eaten."}\n'
    )
    first, second = rows_of(path, shortest=10)
    assert first.place == "wiki.jsonl, record 1, line 1, 'Salt' (https://salt.example/wiki?curid=3)"
    assert second.place == "wiki.jsonl, record 2, line 2"
