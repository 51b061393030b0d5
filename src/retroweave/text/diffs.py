r"""How a change from one text to another is written down: as GNU diff, git or diff-match-patch writes it.

Each function gives the patch `old` -> `new` in a format that people and tools already read. Patches are
written in memory by libgit2 and by diff-match-patch's C++ port, so that tens of thousands can be made in a
second, and hold nothing that changes from one run to the next: no timestamp, no path of this machine, no blob
hash. Two texts that are the same give the empty patch.

A line ends at "\n" and nowhere else, as it does for diff, git and patch: a lone carriage return, a form feed
or U+2028 stands inside its line. Nothing here applies a patch or says if it is right; `verifiers.patches`
does, with code of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from diff_match_patch import diff_match_patch
from fast_diff_match_patch import diff
from pygit2 import Patch
from pygit2.enums import DiffOption

__all__ = ["dmp_patch", "git_diff", "unified_diff"]

_REFERENCE = diff_match_patch()
_SIGNS = {"-": _REFERENCE.DIFF_DELETE, "=": _REFERENCE.DIFF_EQUAL, "+": _REFERENCE.DIFF_INSERT}

# Text with a NUL in it is still text here; `git diff` and `diff -u` would print the same if given --text.
_LIKE_GNU = DiffOption.FORCE_TEXT
# `git diff` slides a change that could stand in several places to where indentation and blank lines make it
# easiest to read; GNU diff does not.
_LIKE_GIT = DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC


def unified_diff(old: str, new: str, name: str = "passage.txt") -> str:
    """The patch as `diff -u --label NAME --label NAME` prints it, with three lines of context.

    Where two patches would do, this one and GNU diff's may differ, and both apply. ValueError for a text that
    holds a lone surrogate, or for a name that a header would have to quote.
    """
    hunks = _hunks(old, new, _LIKE_GNU)
    return f"--- {_plain(name)}\n+++ {name}\n{hunks}" if hunks else ""


def git_diff(old: str, new: str, name: str = "passage.txt") -> str:
    """The patch as `git diff` prints it, but for the `index` line and any text after a hunk's second `@@`.

    `git apply` needs neither. The first is a hash of the whole text, which no reader could write; the second
    is the beginning of some earlier line, cut at 80 bytes, which may be in the middle of a character. Errors
    are `unified_diff`'s.
    """
    hunks = _hunks(old, new, _LIKE_GIT)
    header = f"diff --git a/{_plain(name)} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return header + hunks if hunks else ""


def dmp_patch(old: str, new: str) -> str:
    """The patch in the text format of diff-match-patch (its `patch_toText`); positions count code points.

    Each hunk's positions are those in the text that the hunks before it have left. The format is described
    at https://github.com/google/diff-match-patch/wiki/Unidiff. ValueError for a text with a lone surrogate.
    """
    _encoded(old)
    _encoded(new)
    # The fast library compares; the reference one writes, since the fast one's patches for changes of a character or
    # two that lie side by side do not always restore the text.
    changes = [(_SIGNS[sign], text) for sign, text in diff(old, new, timelimit=0, checklines=False, counts_only=False)]
    patch: str = _REFERENCE.patch_toText(_REFERENCE.patch_make(old, changes))
    return patch


def _hunks(old: str, new: str, options: DiffOption) -> str:
    """The patch from its first `@@` on."""
    # libgit2 reads both texts again as it prints the patch, and neither it nor the Patch keeps them alive
    # (libgit2 issue 7318): as temporaries they would be freed by then, and the patch hold whatever lies there.
    old_bytes, new_bytes = _encoded(old), _encoded(new)
    patch: bytes = Patch.create_from(old_bytes, new_bytes, "old", "new", options).data
    # A line of content begins with a space, a sign or a backslash, so only a hunk's header begins with an @.
    _, *hunks = patch.split(b"\n@@ ")
    if not hunks:
        return ""
    return b"\n".join(_without_section(hunks)).decode()


def _without_section(hunks: list[bytes]) -> Iterator[bytes]:
    for hunk in hunks:
        ranges = hunk.index(b" @@")
        yield b"@@ " + hunk[: ranges + 3] + hunk[hunk.index(b"\n", ranges) :]


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start + 1} of the text is the lone surrogate U+{ord(text[error.start]):04X}, "
            "which no file can hold. Leave this text out, or read its source as UTF-8 with errors='replace'."
        ) from error


def _plain(name: str) -> str:
    if not name or not name.isascii() or not name.isprintable() or any(mark in name for mark in ' "\\'):
        raise ValueError(
            f"{name!r} cannot be the name in a patch's header: the tools would quote it, each in its own "
            "way. Use printable ASCII without spaces, quotation marks and backslashes."
        )
    return name
