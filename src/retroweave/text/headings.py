"""What looks like a heading: a short line that stands alone and closes with no mark.

A text that is cut behind one ends on the name of what is missing. This goes by the look only: the name under a letter
looks the same, so whoever cuts must ask what follows.
"""

from __future__ import annotations

import re

__all__ = ["is_heading"]

# A colon may end a heading; a comma and a dash go on, as a line of verse does, and a dash in front makes an item.
_HEADING = re.compile(r"(?![-*•+>]\s)(?=.*[^\W\d_])[^\r\n]{0,79}[^\r\n.!?…,;—–。！？\"'”’»)\]]")


def is_heading(paragraph: str) -> bool:
    """Whether the paragraph is one line of at most 80 characters, with a letter, and no sentence, item or verse."""
    return not paragraph[:1].islower() and _HEADING.fullmatch(paragraph) is not None
