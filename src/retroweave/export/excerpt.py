"""Text of unknown origin, made fit to be shown: control characters visible, long texts shortened, none told twice.

It is here because samples are hostile until shown otherwise, and the card and the report both print them. Where a text
is made visible every character stays one character, so that offsets into it hold. Escaping for Markdown or HTML is not
done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Shown", "shorten", "visible"]

_LONG = 200
"""Characters. What is shorter is read sooner than looked up."""
_BEGINNING = 60

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_REPLACED = [0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)]
_VISIBLE = _PICTURES | dict.fromkeys(_REPLACED, 0xFFFD)


def visible(text: str) -> str:
    """The text with a picture (␀, ␍) for each control character but newline and tab.

    C1 controls, bidirectional overrides (which can reorder a page round them) and lone surrogates become "�".
    """
    return text.translate(_VISIBLE)


def shorten(text: str, limit: int) -> tuple[str, int, str]:
    """Head, number of characters left out after it, and tail: together at most `limit` characters.

    The tail is empty where nothing is left out. Cuts fall at line ends where one is near.
    """
    if len(text) <= limit:
        return text, 0, ""
    half = limit // 2
    near = half // 5
    head_end = text.rfind("\n", half - near, half) + 1 or half
    tail_start = text.find("\n", len(text) - half, len(text) - half + near) + 1 or len(text) - half
    return text[:head_end], tail_start - head_end, text[tail_start:]


class Shown:
    """What a person has before him, so that no long text is put there twice."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def note(self, text: str) -> None:
        """This stands there now."""
        self._texts.append(text)

    def new(self, value: Any) -> str:
        """A text, or a value as Python writes it, of whose lines those that stand there already are left out."""
        text = value if isinstance(value, str) else repr(value)
        if not isinstance(value, str) and not self._stands(text):
            said = repr(self._inside(value))
        else:
            said = self._without_old(text)
        self.note(text)
        return said

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.new(value)
        if type(value) in (list, tuple):
            return type(value)(map(self._inside, value))
        return {key: self._inside(one) for key, one in value.items()} if type(value) is dict else value

    def _without_old(self, text: str) -> str:
        lines, kept = text.split("\n"), list[str]()
        while lines:
            count = self._old_lines(lines)
            run = "\n".join(lines[: count or 1])
            kept.append(_abbreviated(run) if count and len(run) >= _LONG else run)
            del lines[: count or 1]
        return "\n".join(kept)

    def _old_lines(self, lines: Sequence[str]) -> int:
        """How many of these lines, from the first on, stand there in one run that ends in no blank one."""
        count = 0
        while count < len(lines) and self._stands("\n".join(lines[: count + 1])):
            count += 1
        while count and not lines[count - 1]:
            count -= 1
        return count

    def _stands(self, text: str) -> bool:
        return any(text.rstrip() in one for one in self._texts)


def _abbreviated(text: str) -> str:
    beginning = text.strip().partition("\n")[0][:_BEGINNING]
    return f"{beginning} … ({len(text):,} characters, as above)"
