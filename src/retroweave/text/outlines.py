"""Outlines of a text: what a program can tell of one, and what it cannot is for a judge.

An outline has a point for each paragraph. That it is one, in words of its own and in the order of the text, and that a
request made from it does not recite it, can be counted; that a point says what its paragraph is about cannot.
"""

from __future__ import annotations

from retroweave.text.copying import copies_run
from retroweave.text.likeness import overlap

__all__ = ["in_order", "in_own_words", "is_a_request", "point_for_each"]


def point_for_each(points: list[str], paragraphs: list[str]) -> bool:
    """As many points as paragraphs, each of three to thirty words, and no two alike."""
    return len({point.lower() for point in points}) == len(paragraphs) == len(points) and all(
        3 <= len(point.split()) <= 30 for point in points
    )


def in_own_words(points: list[str], passage: str) -> bool:
    """No point takes eight words in a row from the essay."""
    return not any(copies_run(point, passage, 8) for point in points)


def in_order(points: list[str], paragraphs: list[str]) -> bool:
    """Each point has words of its own paragraph, and not many more of any other."""
    for place, point in enumerate(points):
        shared = [overlap(point, paragraph) for paragraph in paragraphs]
        if not shared[place] or shared[place] < max(shared) - 0.25:
            return False
    return True


def is_a_request(request: str, points: list[str]) -> bool:
    """One paragraph of six to ninety words, which does not recite the outline."""
    return (
        "\n" not in request
        and 6 <= len(request.split()) <= 90
        and "outline" not in request.lower()
        and not any(copies_run(request, point, 7) for point in points)
    )
