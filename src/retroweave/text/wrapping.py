"""Lines of prose cut to a width, as in a text file that a person typed.

It changes spaces to line ends and nothing else, so that the text is the same for who reads it, and can be had back.
"""

from __future__ import annotations

__all__ = ["is_wrapped", "wrapped"]

_PROSE_BEGINS = frozenset("“\"‘'(")


def wrapped(text: str, width: int) -> str:
    """The text with line ends in the place of some spaces, so that lines of prose are no wider than `width`.

    At 0 it stays as it is. Lists, headings, tables and whatever else begins with a mark or white space do so too.
    """
    if not width:
        return text
    return "\n".join(_folded(line, width) if _is_prose(line) else line for line in text.split("\n"))


def _is_prose(line: str) -> bool:
    return line[:1].isalnum() or line[:1] in _PROSE_BEGINS or (line[:1] in "*_" and line[1:2].isalnum())


def _folded(line: str, width: int) -> str:
    at = 0
    while len(line) - at > width:
        space = line.rfind(" ", at + 1, at + width + 1)
        if space < 0 and (space := line.find(" ", at + width)) < 0:
            break
        line = f"{line[:space]}\n{line[space + 1 :]}"
        at = space + 1
    return line


def is_wrapped(page: str, text: str) -> bool:
    """Whether the page is the text, some of whose spaces have become line ends."""
    return len(page) == len(text) and all(
        there == here or (there, here) == ("\n", " ") for there, here in zip(page, text, strict=True)
    )
