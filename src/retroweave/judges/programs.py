"""Programs that answer an item of a rubric: counts, patterns, readability, rhyme.

What a program can tell, a model should not be asked: it costs nothing and is the same each time. Each program takes a
text and answers with a number from 0 to 1. A rubric names one with its arguments, as YAML: `words: {least: 120}`.

The text is hostile. So patterns are RE2's, by way of pyarrow: they take time in proportion to the text, whatever it
holds, and know neither look-around nor back-references. The counts split at white space and marks and know no language;
reading ease and rhyme are for English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from itertools import combinations
from typing import Any

from retroweave.judges.prosody import dictionary, rhyme
from retroweave.pipeline.errors import UserError, nearest

__all__ = ["PROGRAMS", "Program", "read_program", "reading_ease"]

Test = Callable[[str], float]
"""How far a text is as it should be, from 0 to 1."""
Maker = Callable[..., Test]
"""Makes a test of a program's arguments."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s|$)")


@dataclass(frozen=True)
class Program:
    """A program with its arguments."""

    name: str
    arguments: Mapping[str, Any]
    test: Test

    def __call__(self, text: str) -> float:
        if not isinstance(text, str):
            raise TypeError(f"the program {self.name!r} looks at a text, not at a {type(text).__name__}")
        return self.test(text)

    def as_json(self) -> dict[str, Any]:
        return {self.name: dict(self.arguments)}


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """What ends with a full stop or another end mark before white space; an abbreviation's point is taken for one."""
    return [piece for piece in _SENTENCE_END.split(text) if _WORD.search(piece)]


def lines(text: str) -> list[str]:
    """Those with something on them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def paragraphs(text: str) -> list[str]:
    found: list[str] = []
    parted = True
    for line in text.splitlines():
        if line.strip() and not parted:
            found[-1] += f"\n{line}"
        elif line.strip():
            found.append(line)
        parted = not line.strip()
    return found


UNITS: Mapping[str, Callable[[str], Sequence[str]]] = {
    "words": words,
    "sentences": sentences,
    "lines": lines,
    "paragraphs": paragraphs,
}


def _counting(parted: Callable[[str], Sequence[str]]) -> Maker:
    def maker(least: float | None = None, most: float | None = None) -> Test:
        fits = _between(least, most)
        return lambda text: fits(len(parted(text)))

    return maker


def _matches(pattern: str) -> Test:
    found = _Pattern(pattern)
    return lambda text: float(found.in_all([text])[0])


def _count(of: str, least: float | None = None, most: float | None = None) -> Test:
    found, fits = _Pattern(of), _between(least, most)
    return lambda text: fits(found.times(text))


def _share(of: str, among: str, least: float | None = None, most: float | None = None) -> Test:
    if among not in UNITS:
        raise UserError(f"`among` is what the share is taken of, not {among!r}. {nearest(str(among), UNITS)}")
    found, fits, parted = _Pattern(of), _between(least, most), UNITS[among]

    def test(text: str) -> float:
        pieces = parted(text)
        return fits(sum(found.in_all(pieces)) / len(pieces)) if pieces else 0.0

    return test


def _contains(phrases: str | list[str]) -> Test:
    wanted = _phrases(phrases)
    return lambda text: float(all(phrase in _plain(text) for phrase in wanted))


def _lacks(phrases: str | list[str]) -> Test:
    unwanted = _phrases(phrases)
    return lambda text: float(not any(phrase in _plain(text) for phrase in unwanted))


def _reading_ease(least: float | None = None, most: float | None = None) -> Test:
    fits = _between(least, most)
    return lambda text: fits(reading_ease(text))


def _rhymes(scheme: str) -> Test:
    """The share of the pairs of lines that the scheme calls for and that rhyme; it is said anew for each stanza."""
    if not isinstance(scheme, str) or not re.fullmatch(r"[A-Za-z-]+", scheme) or not list(_pairs(scheme, len(scheme))):
        raise UserError(
            f"A rhyme scheme has a letter for each line of a stanza, two the same where they rhyme and - where nothing "
            f"does, such as AABB or -A-A, not {scheme!r}."
        )
    dictionary()  # where it is missing that is said now, and not at the first poem

    def test(text: str) -> float:
        ends = [found[-1] if (found := words(line)) else "" for line in lines(text)]
        called_for = list(_pairs(scheme, len(ends)))
        return sum(rhyme(ends[one], ends[other]) for one, other in called_for) / len(called_for) if called_for else 0.0

    return test


PROGRAMS: Mapping[str, Maker] = {
    "characters": _counting(lambda text: text),
    **{name: _counting(parted) for name, parted in UNITS.items()},
    "matches": _matches,
    "count": _count,
    "share": _share,
    "contains": _contains,
    "lacks": _lacks,
    "reading_ease": _reading_ease,
    "rhymes": _rhymes,
}


def read_program(spec: Any, where: str) -> Program:
    """A program as a rubric names it: `{name: arguments}`, or `{name: argument}` for its first one."""
    if not isinstance(spec, dict) or len(spec) != 1:
        raise UserError(
            f"In {where}, a program is written `name: arguments`, as `words: {{least: 120}}`, not {spec!r}."
        )
    ((name, given),) = spec.items()
    if name not in PROGRAMS:
        raise UserError(f"In {where}, there is no program {name!r}. {nearest(str(name), PROGRAMS)}")
    parameters = signature(PROGRAMS[name]).parameters
    arguments = given if isinstance(given, dict) else {next(iter(parameters)): given}
    for argument in arguments:
        if argument not in parameters:
            raise UserError(f"In {where}, {name} takes no {argument!r}. {nearest(str(argument), parameters)}")
    if missing := [one.name for one in parameters.values() if one.default is one.empty and one.name not in arguments]:
        raise UserError(f"In {where}, {name} is not told `{missing[0]}`.")
    try:
        return Program(name, arguments, PROGRAMS[name](**arguments))
    except UserError as error:
        raise UserError(f"In {where}, {name}: {error}") from error


def _between(least: float | None, most: float | None) -> Callable[[float], float]:
    """1 where a number is within the bounds."""
    for bound in (least, most):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
            raise UserError(f"A bound is a number, not {bound!r}.")
    if least is None and most is None:
        raise UserError("Nothing could fail it: give `least`, `most` or both.")
    if least is not None and most is not None and least > most:
        raise UserError(f"`least` ({least:g}) is more than `most` ({most:g}).")
    return lambda number: float((least is None or number >= least) and (most is None or number <= most))


def _phrases(given: str | list[str]) -> list[str]:
    phrases = [given] if isinstance(given, str) else given
    if not isinstance(phrases, list) or not phrases or not all(isinstance(one, str) and one.strip() for one in phrases):
        raise UserError(f"It takes a phrase, or a list of some, not {given!r}.")
    return [_plain(phrase) for phrase in phrases]


def _plain(text: str) -> str:
    """In lower case, each run of white space one space."""
    return " ".join(text.lower().split())


class _Pattern:
    """A pattern of RE2. It is looked for anywhere in a text."""

    def __init__(self, pattern: str) -> None:
        if not isinstance(pattern, str) or not pattern:
            raise UserError(f"A pattern is a regular expression in quotes, not {pattern!r}.")
        self.pattern = pattern
        import pyarrow as pa

        try:
            self.times("")
        except pa.ArrowInvalid as error:
            raise UserError(f"{pattern!r} is no pattern of RE2: {error}.") from error

    def in_all(self, texts: Sequence[str]) -> list[bool]:
        import pyarrow.compute as pc

        found: list[bool] = pc.match_substring_regex(_array(texts), self.pattern).to_pylist()
        return found

    def times(self, text: str) -> int:
        import pyarrow.compute as pc

        found: list[int] = pc.count_substring_regex(_array([text]), self.pattern).to_pylist()
        return found[0]


def _array(texts: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.large_string())


# English


def reading_ease(text: str) -> float:
    """Flesch's formula (1948): about 100 is very easy, 60 plain English, 30 and less hard. 0 for a text without words.

    Syllables are counted by the spelling, and come out one off in about one word of ten.
    """
    found = words(text)
    if not found:
        return 0.0
    syllables = sum(map(_syllables, found))
    return 206.835 - 1.015 * len(found) / max(1, len(sentences(text))) - 84.6 * syllables / len(found)


def _syllables(word: str) -> int:
    """Runs of vowels, without a silent e at the end."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    silent = bool(re.search(r"[^aeiouy](?:e|es|ed)$", letters)) and not re.search(
        r"(?:[^aeiouy]le|[^aeiouy]les|[td]ed|[sxzcg]es|ches|shes)$", letters
    )
    return max(1, len(re.findall(r"[aeiouy]+", letters)) - silent)


LONGEST_POEM = 2000
"""Lines. In a longer one only the first so many are looked at."""


def _pairs(scheme: str, count: int) -> Iterator[tuple[int, int]]:
    """The places of the lines that should rhyme."""
    for start in range(0, min(count, LONGEST_POEM), len(scheme)):
        stanza = [(start + place, letter) for place, letter in enumerate(scheme) if start + place < count]
        for (one, letter), (other, same) in combinations(stanza, 2):
            if letter == same != "-":
                yield one, other
