"""Plain paragraphs of MediaWiki's wikitext: the prose of a page, without what only its site can show.

Formatting, links, references, tables, lists and boxes go, and what is left must still be what the page says. So a
template is either known to say nothing (a footnote), or known to say its own words (`{{convert|3|mi}}`), or leaves a
hole; and **a paragraph with a hole in it is left out whole**, as is one with markup left over. What remains may be
less than the page, and not other than it.

It goes through a text once, whatever is in it: pages are other people's, and the parser that everybody uses takes
minutes for a page of unclosed tags. It expands no templates and follows no links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Prose", "read_wikitext"]

HOLE = "\ufffc"
"""Stands where a page shows something that this does not know."""
DEEPEST = 40
"""Links in templates in references nest a few deep; what goes deeper stays as it is, and its paragraph is left out."""

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|^[ :]*\{\||^\|\}(?!\})|</?([a-zA-Z]+)\b[^<>]*>|__[A-Z]{3,20}__", re.MULTILINE)
_CLOSES = {"}}": "{{", "]]": "[[", "|}": "{|"}
_HIDDEN = frozenset({"ref", "references", "gallery", "templatestyles", "section", "indicator", "imagemap", "timeline"})
"""Tags that show nothing within the text where they stand."""
_SHOWN_ELSEHOW = frozenset(
    {"math", "chem", "ce", "code", "syntaxhighlight", "source", "pre", "nowiki", "poem", "score", "hiero", "table"}
    | {"sup", "graph", "mapframe", "maplink", "ol", "ul", "dl"}
)
"""Tags whose content is no plain words; an exponent would change its number."""
_BREAKS = frozenset({"p", "div", "blockquote", "center", "hr", "noinclude", "onlyinclude"})
_PLAIN = frozenset(
    {"b", "i", "em", "strong", "small", "big", "u", "s", "span", "sub", "abbr", "bdi", "bdo", "cite", "q", "font"}
    | {"var", "dfn", "ins", "mark", "time", "tt", "kbd", "samp", "wbr"}
)
_ORDINAL = re.compile(r"\s*(?:st|nd|rd|th|er|e|o|a)\s*")
_SILENT = frozenset(
    {"sfn", "sfnp", "sfnm", "efn", "refn", "rp", "r", "cn", "fact", "citation needed", "cite needed", "who", "when"}
    | {"which", "clarify", "dubious", "by whom", "page needed", "better source needed", "failed verification", "harvnb"}
    | {"ipac-en", "ipa", "ipa-en", "ipac-fr", "ipac-de", "respell", "anchor", "pronunciation", "audio", "use dmy dates"}
    | {
        "use mdy dates",
        "use british english",
        "short description",
        "clear",
        "-",
        "update inline",
        "unreferenced section",
    }
)
_SAYS: dict[str, str] = {
    "convert": "{1} {2}",
    "cvt": "{1} {2}",
    "lang": "{2}",
    "transl": "{2}",
    "nowrap": "{1}",
    "nobr": "{1}",
    "abbr": "{1}",
    "small": "{1}",
    "em": "{1}",
    "circa": "c. {1}",
    "c.": "c. {1}",
    "as of": "As of {1}",
    "ship": "{1} {2}",
    "ndash": "–",
    "snd": " – ",
    "spnd": " – ",
    "spaced ndash": " – ",
    "mdash": "—",
    "nbsp": " ",
    "'": "'",
    "sic": "{1}",
    "formatnum:": "{1}",
}
"""Templates that say their own words; a parameter that is not there makes a hole."""
_UNITS = {
    "km": "kilometres",
    "m": "metres",
    "cm": "centimetres",
    "mm": "millimetres",
    "mi": "miles",
    "ft": "feet",
    "yd": "yards",
    "kg": "kilograms",
    "lb": "pounds",
    "t": "tonnes",
    "acre": "acres",
    "ha": "hectares",
}
_DISAMBIGUATES = frozenset(
    {"disambiguation", "disambig", "disamb", "dab", "hndis", "geodis", "human name disambiguation", "surname"}
    | {
        "given name",
        "set index article",
        "begriffsklärung",
        "homonymie",
        "desambiguación",
        "disambigua",
        "doorverwijzing",
    }
)
_APPENDED = frozenset(
    {"see also", "references", "external links", "further reading", "notes", "bibliography", "sources", "citations"}
    | {"footnotes", "notes and references", "works cited", "references and notes", "einzelnachweise", "weblinks"}
    | {"literatur", "siehe auch", "voir aussi", "liens externes", "notes et références", "références", "bibliographie"}
    | {"véase también", "referencias", "enlaces externos", "bibliografía"}
)
"""Sections that hold no prose of the article's own."""
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*")
_EXTERNAL = re.compile(r"\[(?:https?:|ftp:)?//[^\s\[\]]+([^\[\]\n]*)\]")
_QUOTES = re.compile(r"'{5}|'{3}|'{2}")
_HEADING = re.compile(r"(={2,6})([^\n]*?[^=\n])\1\s*")
_LEFT_OVER = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|</?[a-zA-Z]|\[\w*:?//")
_ENDS = re.compile(r"[.!?…][\"'”’»)\]]*\Z")


@dataclass(frozen=True, slots=True)
class Prose:
    """What a page says, and what its templates say of the page."""

    text: str
    no_article: str
    """Why the page is no article worth reading: it only leads elsewhere, or its site calls it a stub."""


def read_wikitext(text: str, silent: frozenset[str] = frozenset({"file", "image", "category"})) -> Prose:
    """The paragraphs and headings of a page, parted by blank lines; `silent` are namespaces whose links show no words.

    A paragraph is one line, in plain characters, and closes like a sentence.
    """
    scan = _Scan(silent)
    shown = scan.run(_without_comments(text))
    return Prose("\n\n".join(_blocks(shown)), scan.no_article)


def _without_comments(text: str) -> str:
    kept, at = [], 0
    while (begin := text.find("<!--", at)) >= 0:
        kept.append(text[at:begin])
        end = text.find("-->", begin)
        if end < 0:  # it hides the rest of the page, as it does on the site
            return "".join(kept)
        at = end + 3
    return "".join([*kept, text[at:]])


@dataclass
class _Open:
    """Something that has begun and not ended."""

    kind: str
    literal: str
    pieces: list[str] = field(default_factory=list)


class _Scan:
    """One pass over a text, with what is open on a stack."""

    def __init__(self, silent: frozenset[str]) -> None:
        self.no_article = ""
        self._silent = silent
        self._stack = [_Open("", "")]

    def run(self, text: str) -> str:
        at = 0
        for token in _TOKEN.finditer(text):
            self._say(text[at : token.start()])
            at = token.end()
            self._take(token[0], (token[1] or "").lower())
        self._say(text[at:])
        while len(self._stack) > 1:
            self._give_up()
        return "".join(self._stack[0].pieces)

    def _say(self, text: str) -> None:
        self._stack[-1].pieces.append(text)

    def _take(self, token: str, tag: str) -> None:
        bare = token.lstrip(" :")
        if tag:
            self._tag(token, tag)
        elif bare in ("{{", "[[", "{|"):
            self._open(bare, token)
        elif token in _CLOSES:
            self._close(_CLOSES[token], token)
        # what is left is a switch such as __NOTOC__, which shows nothing

    def _tag(self, token: str, tag: str) -> None:
        if tag in _PLAIN:
            return
        if tag in _BREAKS:
            self._say("\n\n")
        elif tag == "br":
            self._say(" ")
        elif tag not in _HIDDEN and tag not in _SHOWN_ELSEHOW:
            self._say(HOLE)
        elif token.startswith("</"):
            self._close(tag, "")
        elif token.endswith("/>"):
            self._say("" if tag in _HIDDEN else HOLE)
        else:
            self._open(tag, token)

    def _open(self, kind: str, token: str) -> None:
        if len(self._stack) > DEEPEST:
            self._say(token)
        else:
            self._stack.append(_Open(kind, token))

    def _close(self, kind: str, token: str) -> None:
        """Close the innermost of its kind; what was opened inside of it and never closed is plain text."""
        if all(one.kind != kind for one in self._stack):
            self._say(token)
            return
        while self._stack[-1].kind != kind:
            self._give_up()
        self._say(self._shown(kind, "".join(self._stack.pop().pieces)))

    def _give_up(self) -> None:
        last = self._stack.pop()
        self._stack[-1].pieces += [last.literal, *last.pieces]

    def _shown(self, kind: str, content: str) -> str:
        if kind == "{{":
            return self._template(content)
        if kind == "[[":
            return self._link(content)
        if kind == "sup" and _ORDINAL.fullmatch(content):
            return content.strip()
        if kind in _HIDDEN:
            return ""
        return f"\n{HOLE}\n" if kind in ("{|", "table") else HOLE

    def _template(self, content: str) -> str:
        parts = [part.strip() for part in content.split("|")]
        name = parts[0].lower().replace("_", " ")
        if name in _DISAMBIGUATES or name.endswith(" disambiguation"):
            self.no_article = "a disambiguation page"
        elif name.endswith("stub") and not self.no_article:
            self.no_article = "a stub"
        if name in _SILENT or name.startswith("defaultsort"):
            return ""
        if name.startswith("formatnum:"):
            name, parts = "formatnum:", ["", name.removeprefix("formatnum:")]
        said = _SAYS.get(name)
        if said is None:
            return HOLE
        given = [part for part in parts[1:] if "=" not in part]
        for place in (1, 2):
            value = given[place - 1] if len(given) >= place else HOLE
            if name in ("convert", "cvt") and place == 2:
                value = _UNITS.get(value, HOLE)
            said = said.replace(f"{{{place}}}", value)
        return said

    def _link(self, content: str) -> str:
        target, bar, label = content.partition("|")
        prefix = target.partition(":")[0].strip().lower() if ":" in target else ""
        if prefix and (prefix in self._silent or (_INTERLANGUAGE.fullmatch(prefix) and not bar)):
            return ""
        return label if bar else target.strip().removeprefix(":")


def _blocks(text: str) -> Iterator[str]:
    """Headings and paragraphs; a heading only where a paragraph stands under it."""
    pending: list[tuple[int, str]] = []
    skipped = 0
    for block in _paragraphs(text):
        if heading := _HEADING.fullmatch(block):
            level, title = len(heading[1]), _plain(heading[2])
            if skipped and level > skipped:
                continue
            skipped = level if title.lower() in _APPENDED else 0
            pending = [one for one in pending if one[0] < level]
            if title and not skipped and not _unusable(title):
                pending.append((level, title))
        elif not skipped and not _unusable(block) and _ENDS.search(paragraph := _plain(block)):
            yield from (title for _, title in pending)
            yield paragraph
            pending = []


def _paragraphs(text: str) -> Iterator[str]:
    """Runs of plain lines, joined, and headings as they are; lists, rows of tables and boxes are none."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        is_heading = bool(_HEADING.fullmatch(line))
        if is_heading or not line.strip() or line[0] in "*#:;|! " or line.startswith("----"):
            if lines:
                yield " ".join(lines)
            lines = []
            if is_heading:
                yield line.strip()
        elif line.strip(f"{HOLE} "):
            lines.append(line)


def _unusable(block: str) -> bool:
    return HOLE in block or _LEFT_OVER.search(_EXTERNAL.sub("", block)) is not None


def _plain(block: str) -> str:
    """A line without its last marks: quotation marks of emphasis, addresses, character references."""
    shown = " ".join(html.unescape(_QUOTES.sub("", _EXTERNAL.sub(lambda link: link[1], block))).split())
    shown = re.sub(r"\( ?[;,]? ?\)", "", shown)
    shown = re.sub(r"\( ?[;,] ?", "(", shown)
    return " ".join(re.sub(r" ([,.;)])", r"\1", shown).split())
