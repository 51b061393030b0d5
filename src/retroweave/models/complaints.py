"""What a server means when it does not answer: the words and the codes of many servers, in one place.

Each server has its own shape and wording for the same few complaints. This reads them all, and decides nothing about
what to do: `openai` does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["Complaint", "read_complaint"]

_TOO_LONG = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum (prompt|input|model) length|max_model_len|too many tokens"
    r"|(prompt|input)( is)? too (long|large)|(prompt|input) exceeds the (length )?limit|string_above_max_length"
    r"|exceeds the maximum number of tokens|input tokens exceed|token count exceeds",
    re.IGNORECASE,
)
_NOT_KNOWN = re.compile(
    r"unrecogni[sz]ed|unsupported|not supported|does not support|unknown|unexpected|not permitted|not allowed"
    r"|extra_forbidden|cannot find field|additional propert",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(
    r"not exist|not found|no such|unknown model|invalid model|not have access|not a valid model|model_not_found",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What came back in place of an answer."""

    status: int
    words: str
    """What the server says, for a person."""
    codes: frozenset[str] = frozenset()
    """Its codes and types for it, as strings in small letters."""
    param: str = ""
    """The field of the request that it names, where it names one apart from the words."""
    kind: str = "json"
    """`json`, `html` or `text`: a page for a person comes from a server of another kind."""

    @property
    def too_long(self) -> bool:
        """The request does not fit into the context."""
        if self.status == 413:
            return True
        return any(map(_TOO_LONG.search, (self.words, *self.codes)))

    @property
    def broke(self) -> bool:
        """There is no money left; waiting does not help."""
        return self.status == 402 or "insufficient_quota" in self.codes

    @property
    def flagged(self) -> bool:
        """It is about what the prompt says, and not about who asks."""
        return bool(re.search(r"moderation|flagged", self.words, re.IGNORECASE))

    @property
    def no_such_model(self) -> bool:
        if "model_not_found" in self.codes:
            return True
        return "model" in self.words.lower() and bool(_NO_SUCH_MODEL.search(self.words))

    def not_known(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the fields `names` that it says it does not take.

        A field counts where it is named as such: in quotes, in a path, or in a list after a colon. `seed` and `n` are
        common words too.
        """
        if not any(map(_NOT_KNOWN.search, (self.words, *self.codes))):
            return ()
        return tuple(
            name
            for name in names
            if name == self.param or re.search(rf"(?:['\"`/]|[:,] ){re.escape(name)}(?!\w)", self.words)
        )


def read_complaint(status: int, data: bytes) -> Complaint:
    """The complaint in a response's body, of whatever shape; a body of no known shape is its own words."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        kind = "html" if data.lstrip()[:1] == b"<" else "text"
        return Complaint(status, data[:10_000].decode("utf-8", "replace"), kind=kind)
    if isinstance(found, list) and found:  # as Gemini wraps it
        found = found[0]
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict):
        return Complaint(status, _said(error))
    codes = frozenset(str(error[name]).lower() for name in ("code", "type", "status") if error.get(name) is not None)
    param = error.get("param")
    return Complaint(status, _words(error), codes, param if isinstance(param, str) else "")


def _words(error: dict[str, Any]) -> str:
    """The message, with what the provider behind a router said, where that is told too."""
    metadata = error.get("metadata")
    said = [error.get("message") or error.get("detail"), metadata.get("raw") if isinstance(metadata, dict) else None]
    return ": ".join(_said(one) for one in said if one) or _said(error)


def _said(found: Any) -> str:
    return found if isinstance(found, str) else orjson.dumps(found).decode()
