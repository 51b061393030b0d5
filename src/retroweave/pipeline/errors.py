"""Every error that a person may meet, as a tree.

    RetroweaveError            one paragraph for the terminal: what was expected, what was found, where, what mends it
    ├── UserError              the input is wrong (exit code 2): an option, a config key, a recipe file
    │   ├── SourceError        what was to be read cannot be read
    │   └── InvalidPipeline    a rule of evidence is broken
    └── RunStopped             the run could not go on; what was done is kept (exit code 1)

`Drop` stands apart: a step raises it to throw a row away with a reason. It is a decision, not a fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["Drop", "InvalidPipeline", "RetroweaveError", "RunStopped", "SourceError", "UserError", "nearest"]


class RetroweaveError(Exception):
    """What went wrong, in one paragraph that a person can act on."""

    exit_code = 1


class UserError(RetroweaveError):
    """The input is wrong, and the message says how to mend it."""

    exit_code = 2


class SourceError(UserError):
    """A source cannot be read as it was meant to be."""


class InvalidPipeline(UserError):
    """A pipeline breaks rules of evidence; the message lists which, where, and what would mend them."""


class RunStopped(RetroweaveError):
    """A run stopped before its end. Finished rows are in the journal, and the same command goes on."""


class Drop(Exception):
    """Raised by a step to reject the row, with the reason as its message.

    The reason is counted, so let it be the same for the same fault. What a person needs to see of this one row goes
    into notes (`add_note`), which are kept with the reject.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """`Did you mean ...?` with the known word next to `word`, or the list of what there is."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There is {', '.join(names)}." if names else ""
