"""Text of unknown origin, made fit to be shown: control characters visible, long texts shortened in the middle.

It is here because samples are hostile until shown otherwise, and the card and the report both print them. Every
character stays one character, so that offsets into the text hold. Escaping for Markdown or HTML is not done here.
"""

from __future__ import annotations

__all__ = ["shorten", "visible"]

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
