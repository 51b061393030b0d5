"""Licences add up: what may be published of rows that came under several licences.

A finished set holds rows from many places, and its own licence follows from theirs (rule 8 of the design). This
module checks that an expression is SPDX, and works out the one expression under which a set made of such rows may
be published, or says which two licences stand in each other's way.

It is a small table and not legal advice: it covers the licences that texts and code usually come under, and what
is not clearly allowed it refuses. It does not read licence texts, guess a licence from a file, or look at the
terms of models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum
from functools import lru_cache
from itertools import combinations
from typing import Any

from retroweave.pipeline.errors import UserError

__all__ = ["combine", "validate"]


class _Kind(IntEnum):
    """What a licence asks of those who pass a changed text on, the freest first."""

    PUBLIC_DOMAIN = 0
    ATTRIBUTION = 1
    SHARE_ALIKE = 2
    NON_COMMERCIAL = 3
    UNKNOWN = 4
    NO_DERIVATIVES = 5


_PUBLIC_DOMAIN = frozenset({"0BSD", "CC-PDDC", "CC-PDM-1.0", "CC0-1.0", "PDDL-1.0", "Unlicense"})

# Software licences that ask for their notice and nothing else; the FSF lists each as compatible with every GPL.
_NOTICE = frozenset(
    {"BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "MIT-0", "NCSA", "PSF-2.0", "X11", "Zlib"}
)
_ATTRIBUTION = _NOTICE | {
    "Apache-2.0",
    "CC-BY-2.0",
    "CC-BY-2.5",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CDLA-Permissive-2.0",
    "ODC-By-1.0",
    "OGL-UK-3.0",
    "PostgreSQL",
    "Python-2.0",
    "etalab-2.0",
}
_NON_COMMERCIAL = frozenset(f"CC-BY-NC-{version}" for version in ("2.0", "2.5", "3.0", "4.0"))

_GPL_3 = frozenset({"GPL-3.0-only", "GPL-3.0-or-later"})
_GPL = frozenset({"GPL-2.0-only", "GPL-2.0-or-later"}) | _GPL_3
_LGPL_3 = frozenset({"LGPL-3.0-only", "LGPL-3.0-or-later"})
_LGPL = frozenset({"LGPL-2.1-only", "LGPL-2.1-or-later"}) | _LGPL_3
_AGPL = frozenset({"AGPL-3.0-only", "AGPL-3.0-or-later"})


def _later_versions(name: str) -> dict[str, frozenset[str]]:
    """Share-alike of Creative Commons lets adaptations go under a later version, from 2.0 on."""
    versions = [f"{name}-{version}" for version in ("2.0", "2.5", "3.0", "4.0")]
    return {version: frozenset(versions[index:]) for index, version in enumerate(versions)}


# Share-alike: the licences under which a work that takes such a text in may be published.
_GOES_UNDER: dict[str, frozenset[str]] = {
    **_later_versions("CC-BY-SA"),
    **_later_versions("CC-BY-NC-SA"),
    # Creative Commons lists GPLv3, and that version only, as compatible with BY-SA 4.0, in this direction.
    "CC-BY-SA-4.0": frozenset({"CC-BY-SA-4.0", "GPL-3.0-only"}),
    "GPL-2.0-only": frozenset({"GPL-2.0-only"}),
    "GPL-2.0-or-later": _GPL,
    "GPL-3.0-only": frozenset({"GPL-3.0-only"}),
    "GPL-3.0-or-later": _GPL_3,
    # LGPL 2.1, section 3: any copy may be turned into one under GPL 2 or a later version.
    "LGPL-2.1-only": _GPL | {"LGPL-2.1-only"},
    "LGPL-2.1-or-later": _GPL | _LGPL,
    "LGPL-3.0-only": frozenset({"LGPL-3.0-only", "GPL-3.0-only"}),
    "LGPL-3.0-or-later": _LGPL_3 | _GPL_3,
    "AGPL-3.0-only": frozenset({"AGPL-3.0-only"}),
    "AGPL-3.0-or-later": _AGPL,
    # MPL 2.0, section 3.3: the "secondary licences" and their later versions.
    "MPL-2.0": _GPL | _LGPL | _AGPL | {"MPL-2.0"},
    "ODbL-1.0": frozenset({"ODbL-1.0"}),
}

_TABLE = {name.lower(): name for name in (*_PUBLIC_DOMAIN, *_ATTRIBUTION, *_NON_COMMERCIAL, *_GOES_UNDER)}

# What version 2 "or later" becomes where only version 3 fits.
_VERSION_3 = {"GPL-2.0-or-later": "GPL-3.0-or-later", "LGPL-2.1-or-later": "LGPL-3.0-or-later"}

# SPDX keeps this form for licences that its list does not have.
_OWN_LICENSE = re.compile(r"(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")


def validate(expression: str) -> str:
    """The SPDX expression in its canonical spelling, or a UserError with the ids that are nearest to it."""
    return _canonical(expression.strip())


def combine(expressions: Iterable[str]) -> str:
    """The SPDX expression under which a set of rows that came under `expressions` may be published.

    Of `A OR B` the freest is taken. Public domain gives CC0-1.0; attribution licences add up to `A AND B`; a
    share-alike licence takes in what it is compatible with and is the licence of the whole. No-derivatives licences
    are refused, for a sample is a changed text; so is a licence outside of our table, unless all rows are under it.
    A UserError says which two licences forbid it and what would mend that. This is not legal advice.
    """
    rows = {_freest(_canonical(expression.strip())) for expression in set(expressions)}
    if not rows:
        raise UserError(
            "There are no rows, and so no licence follows from them. Let rows in before a licence is asked for."
        )
    licenses = sorted({name for row in rows for name in row})
    _refuse_no_derivatives(licenses)
    if any(_kind(name) is _Kind.UNKNOWN for name in licenses):
        return _alone(rows, licenses)
    licenses = [name for name in licenses if name not in _PUBLIC_DOMAIN]
    return _sum(licenses) if licenses else "CC0-1.0"


@lru_cache(maxsize=4096)
def _canonical(expression: str) -> str:
    known = _TABLE.get(expression.lower())
    if known or _OWN_LICENSE.fullmatch(expression):
        return known or expression
    return str(_parsed(expression))


def _parsed(expression: str) -> Any:
    # Imported here: most runs need only the table, and never load the index of all SPDX licences.
    from license_expression import ExpressionError, get_spdx_licensing

    licensing = get_spdx_licensing()
    try:
        node = licensing.parse(expression, strict=True)
    except ExpressionError as error:
        raise UserError(_not_spdx(expression, [expression], licensing.known_symbols, str(error))) from None
    if node is None:
        raise UserError(
            "A licence is expected, as an SPDX expression such as CC-BY-4.0 or MIT OR Apache-2.0, and none is given."
        )
    unknown = [key for key in licensing.unknown_license_keys(node) if not _OWN_LICENSE.fullmatch(key)]
    if unknown:
        raise UserError(_not_spdx(expression, unknown, licensing.known_symbols, ""))
    return node


def _not_spdx(expression: str, unknown: list[str], known: Iterable[str], why: str) -> str:
    others = {name.lower(): name for name in known if "exception" not in name and "LicenseRef" not in name}
    close = [name for word in unknown for name in _nearest_id(word.lower(), others)]
    return " ".join(
        [
            f"{expression[:100]!r} is not an SPDX licence expression{f' ({why[:200]})' if why else ''}.",
            f"Did you mean {' or '.join(close)}?" if close else "Usual ones are MIT, CC-BY-4.0, CC0-1.0.",
            "The ids are listed at https://spdx.org/licenses; for a licence of your own write LicenseRef-Name.",
        ]
    )


def _nearest_id(word: str, others: dict[str, str]) -> list[str]:
    """The usual licences come first: `GPLv3` means GPL-3.0-only, not a rare id that is as short as it."""
    dashed = re.sub(r"[\s_]*v?(?=\d)", "-", word, count=1)
    for spelling, ids, cutoff in ((word, _TABLE, 0.6), (dashed, _TABLE, 0.55), (word, others, 0.6)):
        if close := get_close_matches(spelling, ids, n=1, cutoff=cutoff):
            return [ids[close[0]]]
    return []


@lru_cache(maxsize=4096)
def _freest(expression: str) -> frozenset[str]:
    """The licences that a row under `expression` must be passed on with, taking the freest where there is a choice."""
    if expression.lower() in _TABLE or _OWN_LICENSE.fullmatch(expression):
        return frozenset({expression})
    return _freest_of(_parsed(expression))


def _freest_of(node: Any) -> frozenset[str]:
    operator = getattr(node, "operator", "").strip()
    if operator == "AND":
        return frozenset[str]().union(*(_freest_of(part) for part in node.args))
    if operator == "OR":
        return min((_freest_of(part) for part in node.args), key=_burden)
    return frozenset({str(node)})


def _burden(licenses: frozenset[str]) -> tuple[int, int]:
    return max(_kind(name) for name in licenses), len(licenses)


def _kind(name: str) -> _Kind:
    if name in _PUBLIC_DOMAIN:
        return _Kind.PUBLIC_DOMAIN
    if name in _ATTRIBUTION:
        return _Kind.ATTRIBUTION
    if name in _NON_COMMERCIAL or (name.startswith("CC-BY-NC-SA-") and name in _GOES_UNDER):
        return _Kind.NON_COMMERCIAL
    if name in _GOES_UNDER:
        return _Kind.SHARE_ALIKE
    return _Kind.NO_DERIVATIVES if re.match(r"CC-BY-(NC-)?ND-", name) else _Kind.UNKNOWN


def _refuse_no_derivatives(licenses: list[str]) -> None:
    for name in licenses:
        if _kind(name) is _Kind.NO_DERIVATIVES:
            raise UserError(
                f"Rows under {name} cannot be published in a set: it forbids passing a changed text on, and every "
                f"sample is one. Leave {name} out of the licences that the source lets in."
            )


def _alone(rows: set[frozenset[str]], licenses: list[str]) -> str:
    if len(rows) == 1:
        return " AND ".join(licenses)
    unknown = next(name for name in licenses if _kind(name) is _Kind.UNKNOWN)
    other = next(name for name in licenses if name != unknown)
    raise UserError(
        f"Rows under {unknown} and rows under {other} cannot be put in one set: what {unknown} allows beside others is "
        f"not in retroweave's table, so it is taken alone only. Let only one of the two in, or make two sets."
    )


def _sum(licenses: list[str]) -> str:
    whole = _whole(licenses)
    if whole is None:
        a, b = next(pair for pair in combinations(licenses, 2) if _whole(pair) is None)
        raise UserError(
            f"Rows under {a} and rows under {b} cannot be published in one set: one passes its own terms on to the "
            f"whole, and it is not clear that the other allows that. Leave {a} or {b} out of the licences that the "
            f"sources let in, or make two sets."
        )
    return whole


def _whole(licenses: Sequence[str]) -> str | None:
    """The share-alike licence among them, or the later version that one of them allows, which takes all others in."""
    share_alike = [name for name in licenses if name in _GOES_UNDER]
    if not share_alike:
        return " AND ".join(licenses)
    for whole in (*share_alike, *(_VERSION_3[name] for name in share_alike if name in _VERSION_3)):
        if all(whole in _GOES_UNDER[name] if name in _GOES_UNDER else name in _takes_in(whole) for name in licenses):
            return whole
    return None


def _takes_in(whole: str) -> frozenset[str]:
    """Which licences without share-alike a work under `whole` may hold."""
    if whole.startswith("CC-BY-SA-"):
        return _ATTRIBUTION
    if whole.startswith("CC-BY-NC-SA-"):
        return _ATTRIBUTION | _NON_COMMERCIAL
    if whole == "ODbL-1.0":
        # OpenStreetMap found that CC-BY texts need a waiver to go under it; the sister licence does not.
        return _NOTICE | {"Apache-2.0", "ODC-By-1.0"}
    # Apache 2.0 asks for things that version 2 of the GNU licences forbids to add; version 3 was made to fit it.
    apache = {"Apache-2.0"} if whole in _GPL_3 | _LGPL_3 | _AGPL | {"MPL-2.0"} else set()
    return _NOTICE | {"CC-BY-4.0"} | apache
