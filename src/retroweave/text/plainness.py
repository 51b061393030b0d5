"""Plain versions of a text: what a program can tell of them, and what it cannot is for a judge.

A plain version says the same in other, easier words. That its numbers are the text's, that it is neither an excerpt nor
a summary, and that it is no harder to read can be counted. Readability is English only.
"""

from __future__ import annotations

import re

from retroweave.text.copying import copied_share

__all__ = ["about_as_long", "in_other_words", "same_numbers"]

_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def same_numbers(plain: str, passage: str) -> bool:
    """Both hold the same numbers in digits, small ones aside, which may as well be written in words."""
    return _large(plain) == _large(passage)


def _large(text: str) -> set[str]:
    return {number for found in _NUMBER.findall(text) if len(number := re.sub(r"[,.]", "", found)) > 1}


def about_as_long(plain: str, passage: str) -> bool:
    """From half as many words to a third more."""
    return 0.5 <= len(plain.split()) / max(1, len(passage.split())) <= 1.33


def in_other_words(plain: str, passage: str) -> bool:
    """At most three in ten of its runs of four words stand in the passage."""
    return copied_share(plain, passage) <= 0.3
