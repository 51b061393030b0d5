"""Near-duplicates: functions that were copied from one another, and changed a little.

Two of them on both sides of a split would let a model be examined on what it has learnt. Likeness is the Jaccard index
of the sets of five tokens that follow one another, without comments, docstrings and layout, and with one name for all
variables (Jaccard of at least 0.7, as the deduplication of code corpora does it: Allamanis, "The adverse effects of
code duplication", 2019). Who is like one of a cluster belongs to it.

All pairs are found, not most: candidates come from an index of each function's rarest shingles, of which two alike ones
must share one (prefix filtering: Bayardo et al., "Scaling up all pairs similarity search", WWW 2007). That is quick for
the tens of thousands of functions that a corpus has; for millions there is MinHash.
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from retroweave.pipeline.row import digest
from retroweave.sources.modules import is_docstring

__all__ = ["clusters", "shingles"]

ALIKE = 0.7
TOGETHER = 5
"""Tokens to a shingle: fewer make all short functions alike, more let one change touch too many."""
_LAYOUT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.ENDMARKER})


def clusters(codes: Mapping[str, str]) -> dict[str, str]:
    """For each key the least key among all that its code is alike to, directly or through others.

    Two codes of the same shingles are one cluster whatever the threshold; a code too short for a shingle has its own.
    """
    sets = {key: shingles(code) for key, code in codes.items()}
    leaders = {key: key for key in sets}
    for one, other in _pairs(sets):
        first, second = sorted((_leader(leaders, one), _leader(leaders, other)))
        leaders[second] = first
    return {key: _leader(leaders, key) for key in sets}


def shingles(code: str) -> frozenset[bytes]:
    """The shingles of a code that parses."""
    tokens = list(_tokens(code))
    runs = (tokens[start : start + TOGETHER] for start in range(max(1, len(tokens) - TOGETHER + 1)))
    return frozenset(digest(*run)[:8] for run in runs)


def _tokens(code: str) -> Iterator[str]:
    """Its tokens without layout; the variables that it binds are all `v`, other names stay."""
    tree = ast.parse(code)
    own = _own_names(tree)
    docstrings = _docstring_places(tree)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in _LAYOUT or token.start in docstrings:
            continue
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            yield "<" if token.type == tokenize.INDENT else ">"
        elif token.type == tokenize.NAME and token.string in own:
            yield "v"
        else:
            yield token.string


def _own_names(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


def _docstring_places(tree: ast.Module) -> set[tuple[int, int]]:
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]
    return {(body[0].lineno, body[0].col_offset) for body in bodies if body and is_docstring(body[0])}


def _pairs(sets: Mapping[str, frozenset[bytes]]) -> Iterator[tuple[str, str]]:
    """All pairs that are alike, each once; the order hangs on keys and sizes alone."""
    counts = Counter(shingle for found in sets.values() for shingle in found)
    rarest = {key: sorted(found, key=lambda one: (counts[one], one)) for key, found in sets.items()}
    index = defaultdict[bytes, list[str]](list)
    for key in sorted(sets, key=lambda key: (len(sets[key]), key)):
        prefix = _prefix(rarest[key])
        for other in sorted({other for shingle in prefix for other in index[shingle]}):
            if _alike(sets[key], sets[other]):
                yield other, key
        for shingle in prefix:
            index[shingle].append(key)


def _prefix(rarest: Sequence[bytes]) -> Sequence[bytes]:
    """So many of the rarest that two sets which share none of them cannot be alike."""
    return rarest[: len(rarest) - math.ceil(ALIKE * len(rarest)) + 1]


def _alike(one: frozenset[bytes], other: frozenset[bytes]) -> bool:
    if min(len(one), len(other)) < ALIKE * max(len(one), len(other)):
        return False
    shared = len(one & other)
    return shared >= ALIKE * (len(one) + len(other) - shared)


def _leader(leaders: dict[str, str], key: str) -> str:
    while leaders[key] != key:
        leaders[key] = leaders[leaders[key]]
        key = leaders[key]
    return key
