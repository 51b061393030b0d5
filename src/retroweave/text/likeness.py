"""How alike two short texts are, by their words."""

from __future__ import annotations

import re

__all__ = ["overlap"]

_SMALL = frozenset({"a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "to"})
"""Words that say nothing of what a text is about."""


def overlap(wanted: str, found: str) -> float:
    """The share of the words of `wanted` that stand in `found`, from 0 to 1; small words and endings do not count."""
    needed = _stems(wanted)
    return len(needed & _stems(found)) / len(needed) if needed else 0.0


def _stems(text: str) -> set[str]:
    """Words without capitals and plurals; all of them, where there are none but small ones."""
    found = re.findall(r"[^\W_]+", text.lower())
    large = {word for word in found if word not in _SMALL} or set(found)
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in large}
