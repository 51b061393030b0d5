r"""Does a patch turn one text into another, exactly?

This is the checker behind every trained patch, so it is stricter than the tools it stands for. GNU patch
and `git apply` look for a hunk further up or down, take some differing context, pass over what they think is
talk and mend a missing end; diff-match-patch goes by likeness. Here every line of the patch must be
well-formed and every hunk must fit where its header says, or the patch is refused with the line at fault.

It shares no code with `text.diffs` and leans on no library: what writes a patch and what vouches for it must
not be able to be wrong together. It is given texts and not files, so the names in a header mean nothing to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["PatchError", "apply_dmp", "apply_unified", "dmp_restores", "unified_restores"]

_SIGNS = frozenset(" -+")
_NO_NEWLINE = r"\ No newline at end of file"
_HEADER = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@")
# encodeURI leaves these bare. Where they are escaped all the same, JavaScript's decodeURI leaves the escape
# standing and Python's unquote resolves it: one patch, two texts.
_NEVER_ESCAPED = b";/?:@&=+$,#"
_HEX = "0123456789ABCDEFabcdef"
_ESCAPES = {
    (first + second).encode(): byte
    for first in _HEX
    for second in _HEX
    if (byte := bytes.fromhex(first + second)) not in _NEVER_ESCAPED
}


class PatchError(ValueError):
    """The patch is malformed or does not fit the text."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line} of the patch: {problem}")
        self.line = line
        """The patch's line at fault, counted from 1."""


def apply_unified(text: str, patch: str) -> str:
    """The text after a patch for one file in the format of `diff -u` or `git diff`; "" changes nothing.

    PatchError for a patch that is malformed, or that fits only with an offset or not at all.
    """
    if not patch:
        return text
    hunks = list(_unified_hunks(_lines(patch)))
    old = [line + "\n" for line in text.split("\n")]
    if unfinished := old.pop()[:-1]:
        old.append(unfinished)
    new: list[str] = []
    taken = 0
    for hunk in hunks:
        start = hunk.place.old_start
        if not taken <= start <= len(old):
            raise PatchError(
                hunk.number,
                f"the hunk begins after line {start} of the text, which has {len(old)} lines "
                f"and of which the hunks before it have used {taken}.",
            )
        new += old[taken:start]
        if len(new) != hunk.place.new_start:
            raise PatchError(
                hunk.number,
                f"the hunk's place in the new text is said to be after line {hunk.place.new_start}, "
                f"and is after line {len(new)}.",
            )
        taken = start + hunk.place.old_count
        if old[start:taken] != hunk.old:
            raise _line_does_not_fit(hunk, old)
        new += hunk.new
    new += old[taken:]
    if not all(line.endswith("\n") for line in new[:-1]):
        raise _text_goes_on(hunks)
    return "".join(new)


def apply_dmp(text: str, patch: str) -> str:
    """The text after a patch in diff-match-patch's text format; "" changes nothing.

    Positions count code points, in the text that the hunks before have left: both positions in a hunk's
    header are therefore one place. PatchError for a patch that is malformed, that fits elsewhere or not at
    all, or that holds escapes which readers of the format decode in different ways.
    """
    if not patch:
        return text
    for hunk in _dmp_hunks(_lines(patch)):
        start = hunk.place.old_start
        if start != hunk.place.new_start:
            raise PatchError(
                hunk.number,
                f"the hunk begins after character {start} and after character {hunk.place.new_start}; both "
                "must be its place in the text that the hunks before it leave.",
            )
        old = "".join(hunk.old)
        if not text.startswith(old, start):
            raise _characters_do_not_fit(hunk, text)
        text = text[:start] + "".join(hunk.new) + text[start + len(old) :]
    return text


def unified_restores(damaged: str, patch: str, passage: str) -> bool:
    """Whether the patch, as `diff -u` or `git diff` writes it, makes the damaged text exactly the passage."""
    try:
        return apply_unified(damaged, patch) == passage
    except PatchError:
        return False


def dmp_restores(damaged: str, patch: str, passage: str) -> bool:
    """Whether the patch, as diff-match-patch writes it, makes the damaged text exactly the passage."""
    try:
        return apply_dmp(damaged, patch) == passage
    except PatchError:
        return False


class _Place(NamedTuple):
    """How much stands before the hunk, and how much it holds, on both sides: in lines or in characters."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int


_Piece: TypeAlias = tuple[int, str, str]
"""The number of a patch's line, its sign, and the text that follows."""


class _Hunk(NamedTuple):
    number: int
    """The patch's line where the header stands, counted from 1."""
    place: _Place
    pieces: list[_Piece]
    old: list[str]
    """What it takes away or keeps, line by line of the patch."""
    new: list[str]
    """What it keeps or adds."""


def _lines(patch: str) -> list[str]:
    lines = patch.split("\n")
    if lines.pop():
        raise PatchError(len(lines) + 1, "the patch stops in the middle of a line; its last line needs a newline too.")
    return lines


def _place(line: str, number: int, section: bool) -> _Place:
    """What a hunk's header says; `section` lets text follow it, as git adds."""
    match = _HEADER.match(line)
    rest = line[match.end() :] if match else ""
    if not match or (rest and not (section and rest[0] == " ")):
        raise PatchError(number, f"expected a hunk's header, as in '@@ -12,7 +12,8 @@', and found {_shown(line)}.")
    old, old_count, new, new_count = match.groups()
    return _Place(*_range(old, old_count, number), *_range(new, new_count, number))


def _range(start: str, count: str | None, number: int) -> tuple[int, int]:
    """A range is named by its first item, an empty one by the item before it; no count means 1."""
    size = 1 if count is None else int(count)
    before = int(start) - (size > 0)
    if before < 0:
        raise PatchError(number, f"{start} is where only an empty range can begin, and this one has {size}.")
    return before, size


def _unified_hunks(lines: list[str]) -> Iterator[_Hunk]:
    at = _after_file_header(lines)
    while at < len(lines):
        number = at + 1
        place = _place(lines[at], number, section=True)
        pieces, at = _unified_pieces(lines, number, place)
        yield _hunk(number, place, pieces, "lines")
        if at < len(lines) and not lines[at].startswith("@@ "):
            raise PatchError(
                at + 1,
                f"expected another hunk or the end, for the hunk of line {number} already has all that its "
                f"header counts, and found {_shown(lines[at])}.",
            )


def _after_file_header(lines: list[str]) -> int:
    """Where the first hunk begins, counted from 0."""
    at = 0
    if lines[0].startswith("diff --git "):
        at = 2 if len(lines) > 1 and lines[1].startswith("index ") else 1
    for mark in ("--- ", "+++ ", "@@ "):
        found = lines[at] if at < len(lines) else ""
        if not found.startswith(mark):
            raise PatchError(at + 1, f"expected a line that begins with '{mark}' and found {_shown(found)}.")
        at += 1
    return at - 1


def _unified_pieces(lines: list[str], header: int, place: _Place) -> tuple[list[_Piece], int]:
    """The hunk's lines, as many as its header counts, and where they end. A line's text holds its newline."""
    pieces: list[_Piece] = []
    old = new = 0
    at = header
    while old < place.old_count or new < place.new_count:
        if at == len(lines) or lines[at].startswith("@@ "):
            break
        number, sign, text = at + 1, lines[at][:1], lines[at][1:] + "\n"
        if sign not in _SIGNS:
            raise _no_sign(lines[at], number)
        at += 1
        if at < len(lines) and lines[at] == _NO_NEWLINE:
            text = text[:-1]
            at += 1
            if not text:
                raise PatchError(at, "a line that is empty and has no newline is no line.")
        pieces.append((number, sign, text))
        old += sign != "+"
        new += sign != "-"
    return pieces, at


def _dmp_hunks(lines: list[str]) -> Iterator[_Hunk]:
    at = 0
    while at < len(lines):
        number = at + 1
        place = _place(lines[at], number, section=False)
        pieces: list[_Piece] = []
        at += 1
        while at < len(lines) and lines[at][:1] != "@":
            line = lines[at]
            at += 1
            if line[:1] not in _SIGNS:
                raise _no_sign(line, at)
            if len(line) == 1:
                raise PatchError(at, "nothing follows the sign, so that the line says nothing.")
            pieces.append((at, line[0], _decoded(line[1:], at)))
        yield _hunk(number, place, pieces, "characters")


def _no_sign(line: str, number: int) -> PatchError:
    return PatchError(number, f"a line of a hunk begins with a space, a minus or a plus, and this is {_shown(line)}.")


def _hunk(number: int, place: _Place, pieces: list[_Piece], unit: str) -> _Hunk:
    """The hunk, whose header must count what follows it."""
    old = [text for _, sign, text in pieces if sign != "+"]
    new = [text for _, sign, text in pieces if sign != "-"]
    sizes = (len(old), len(new)) if unit == "lines" else (sum(map(len, old)), sum(map(len, new)))
    if sizes != (place.old_count, place.new_count):
        raise PatchError(
            number,
            f"the header counts {place.old_count} old and {place.new_count} new {unit}, "
            f"and {sizes[0]} and {sizes[1]} follow it.",
        )
    if len(old) == len(new) == len(pieces):
        raise PatchError(number, "the hunk changes nothing.")
    return _Hunk(number, place, pieces, old, new)


def _decoded(text: str, number: int) -> str:
    """What encodeURI was given; unescaped characters stand for themselves."""
    if "%" not in text:
        return text
    try:
        first, *rest = text.encode().split(b"%")
        return b"".join([first, *(_ESCAPES[part[:2]] + part[2:] for part in rest)]).decode()
    except KeyError as error:
        raise PatchError(
            number,
            f"%{error.args[0].decode(errors='replace')} is no escape, or one of a character that encodeURI "
            "leaves bare and that readers of the format decode in different ways.",
        ) from error
    except UnicodeError as error:
        raise PatchError(number, "the escapes are not the UTF-8 of any text.") from error


def _line_does_not_fit(hunk: _Hunk, old: Sequence[str]) -> PatchError:
    at = hunk.place.old_start
    for number, sign, line in hunk.pieces:
        if sign == "+":
            continue
        if at >= len(old):
            return PatchError(number, f"this line should be line {at + 1} of the text, which has only {len(old)}.")
        if line != old[at]:
            return PatchError(
                number, f"this line and line {at + 1} of the text are not the same: {_differ(line, old[at])}"
            )
        at += 1
    raise AssertionError("the hunk fits")


def _characters_do_not_fit(hunk: _Hunk, text: str) -> PatchError:
    at = hunk.place.old_start
    for number, sign, characters in hunk.pieces:
        if sign == "+":
            continue
        found = text[at : at + len(characters)]
        if found != characters:
            return PatchError(
                number,
                f"these characters and those from character {at + 1} of the text on are not the same: "
                f"{_differ(characters, found)}",
            )
        at += len(characters)
    return PatchError(hunk.number, f"the hunk begins after character {at} of a text that has {len(text)}.")


def _text_goes_on(hunks: Sequence[_Hunk]) -> PatchError:
    added = (number for hunk in hunks for number, sign, line in hunk.pieces if sign != "-" and line[-1:] != "\n")
    # If none of the hunks has the line, it is the text's own last one, and lines were added after it.
    return PatchError(
        next(added, hunks[-1].number),
        "a line without its newline would stand before other lines of the new text.",
    )


def _differ(patch: str, text: str) -> str:
    pairs = zip(patch, text, strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(patch), len(text)))
    return f"after {same} characters the patch has {_shown(patch[same:])} and the text {_shown(text[same:])}."


def _shown(text: str) -> str:
    if not text:
        return "nothing"
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."
