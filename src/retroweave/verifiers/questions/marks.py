"""Families about marks and form: punctuation, quotation, who speaks, capitals, lists, addresses."""

from __future__ import annotations

import re
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, ordinal
from retroweave.verifiers.questions.reading import Text

__all__: list[str] = []


def mark(text: Text, pattern: str) -> Claims:
    """Is there such a mark?"""
    yield Claim(bool(re.search(pattern, text.shown)))


@family(same=True, weight=4)
def question_mark(text: Text, rng: Random) -> Claims:
    """There is a question mark."""
    return mark(text, r"\?")


@family(same=True, weight=4)
def exclamation_mark(text: Text, rng: Random) -> Claims:
    """There is an exclamation mark."""
    return mark(text, "!")


@family(same=True, weight=2)
def semicolon(text: Text, rng: Random) -> Claims:
    """There is a semicolon."""
    return mark(text, ";")


@family(same=True, weight=2)
def colon(text: Text, rng: Random) -> Claims:
    """There is a colon, and not between digits or in an address."""
    return () if re.search(r"\d:|:\S", text.shown) else mark(text, ":")


@family(same=True, weight=4)
def round_brackets(text: Text, rng: Random) -> Claims:
    """Something stands in round brackets."""
    matched = re.findall(r"\([^()]+\)", text.shown)
    return mark(text, r"\(") if len(matched) == text.shown.count("(") == text.shown.count(")") else ()


@family(same=True, weight=2)
def hyphen(text: Text, rng: Random) -> Claims:
    """There is a word with a hyphen in it."""
    found = re.search(r"(?<![\w-])[A-Za-z]+(?:-[A-Za-z]+)+(?![\w'’-])", text.shown)
    if bool(found) == ("-" in text.shown) and not re.search("[–‐‑−—]", text.shown):
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


@family()
def sentence_comma(text: Text, rng: Random) -> Claims:
    """A certain sentence has a comma in it."""
    for place, sentence in enumerate(text.sentences[:10]):
        if len(text.sentences) > 1:
            yield Claim("," in sentence, {"place": ordinal(place)})


@family(same=True, weight=2)
def quotation(text: Text, rng: Random) -> Claims:
    """Something stands in double quotation marks."""
    if not re.search(r"[‘«»„`]|(?<!\w)'|['’](?!\w)", text.shown) and _balanced(text.shown):
        found = re.search(r"[“\"]\s*([^“”\"\s]+)", text.shown)
        yield Claim(bool(found))


def _balanced(text: str) -> bool:
    if '"' in text:
        return text.count('"') % 2 == 0 and "“" not in text
    return bool(re.fullmatch(r"[^“”]*(?:“[^“”]*”[^“”]*)*", text))


@family(weight=4)
def quoted_word(text: Text, rng: Random) -> Claims:
    """A word stands within quotation marks; if not, then outside of them."""
    if "“" in text.shown and _balanced(text.shown) and not re.search(r"[‘«»„]|(?<!\w)'", text.shown):
        inside = " ".join(re.findall("“([^”]*)”", text.shown)).lower()
        for word in text.plain:
            if text.loose[word] == 1:
                yield Claim(bool(re.search(rf"\b{word}\b", inside)), {"word": word})


@family(weight=4)
def speaker(text: Text, rng: Random) -> Claims:
    """A certain person says words that stand in quotation marks; if not, it is a name that stands there too."""
    said = re.findall(r"“([^“”]{8,80})[,.!?]” (?:said ([A-Z][a-z]+)|([A-Z][a-z]+) said)(?=[,.;])", text.shown)
    names = dict.fromkeys(re.findall(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b", text.shown))
    for words, after, before in said:
        name, start = after or before, " ".join(words.split()[:4])
        if text.shown.count(start) == 1 and _balanced(text.shown):
            yield Claim(True, {"name": name, "words": start}, {"found": name})
            yield from (
                Claim(False, {"name": other, "words": start}, {"found": name}) for other in names if other != name
            )


@family(same=True, weight=4)
def capitals(text: Text, rng: Random) -> Claims:
    """There is a word of three letters or more that is all in capitals."""
    found = re.findall(r"(?<![\w’'-])[A-Z]{3,}(?![\w’'-])", text.shown)
    plain = not any(letter.isupper() and not letter.isascii() for letter in text.shown)
    if plain and len(found) == len(re.findall(r"[A-Z]{2,}|(?:[A-Z]\.){2,}", text.shown)):
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


@family(same=True, weight=4)
def numbered_list(text: Text, rng: Random) -> Claims:
    """Some line begins with a number and a full stop."""
    found = re.search(r"^\d{1,3}\. ", text.shown, re.MULTILINE)
    if bool(found) == bool(re.search(r"^\s*[\W_]*\d", text.shown, re.MULTILINE)):
        yield Claim(bool(found), {}, {"found": found[0].strip()} if found else {})


@family(same=True, weight=4)
def web_address(text: Text, rng: Random) -> Claims:
    """There is a web address, which begins with http:// or https://."""
    found = re.search(r"https?://[\w.-]+", text.shown)
    if bool(found) == bool(re.search(r"(?i)http|www\.|\w\.(?:com|org|net|edu|gov|io)\b|@", text.shown)):
        yield Claim(bool(found), {}, {"found": found[0].rstrip(".")} if found else {})


@family(same=True, weight=4)
def accented(text: Text, rng: Random) -> Claims:
    """There is a letter with an accent or another mark, such as é, ö or ç."""
    letters = [letter for letter in text.shown if letter.isalpha() and not letter.isascii()]
    if set(letters) <= set(_ACCENTED):
        yield Claim(bool(letters), {}, {"found": letters[0]} if letters else {})


_ACCENTED = "áàâäãåéèêëíìîïóòôöõúùûüçñýÿÁÀÂÄÃÅÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÇÑÝšžčřěůőűąęśźżćńğşŠŽČŘŚŹŻĆŃĞŞ"


@family()
def same_paragraph(text: Text, rng: Random) -> Claims:
    """Two words stand in the same paragraph; if not, then in two that follow one another."""
    parts = [set(re.findall(r"[a-z]{4,}", one)) for one in text.paragraphs]
    once = [word for word in text.plain if text.loose[word] == 1]
    if len(parts) > 1:
        for _ in range(24):
            one, other = rng.sample(once, 2) if len(once) > 1 else ("", "")
            homes = [place for place, part in enumerate(parts) for word in (one, other) if word in part]
            if len(homes) == 2 and abs(homes[0] - homes[1]) <= 1:
                yield Claim(homes[0] == homes[1], {"word": one, "other": other})
