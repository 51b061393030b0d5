"""How the word lists are read: words apart by spaces, and what belongs together on one line."""

from __future__ import annotations

__all__ = ["each_to_the_others", "sets", "words"]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def sets(text: str) -> list[list[str]]:
    """Words that belong together, a line for each set."""
    return [line.split() for line in text.strip().splitlines()]


def each_to_the_others(text: str) -> dict[str, tuple[str, ...]]:
    others: dict[str, tuple[str, ...]] = {}
    for found in sets(text):
        for word in found:
            others[word] = others.get(word, ()) + tuple(other for other in found if other != word)
    return others
