"""What a function may lean on and still give the same answer to the same arguments, on any machine, at any time.

A list of modules and builtins, made by hand: each only works out values. It keeps a corpus clean and is no
wall against anybody: code that means harm gets through it, and runs in the sandbox all the same.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping

__all__ = ["BUILTINS", "PLAIN_ATTRIBUTES", "allows", "builtin_problem", "forbidden_attributes", "module_problem"]

_WHOLE = frozenset(
    {
        *("ast", "base64", "binascii", "bisect", "calendar", "cmath", "collections", "collections.abc", "colorsys"),
        *("copy", "dataclasses", "datetime", "decimal", "difflib", "enum", "errno", "fnmatch", "fractions"),
        *("functools", "graphlib", "hashlib", "heapq", "hmac", "html", "html.entities", "ipaddress", "itertools"),
        *("json", "keyword", "math", "numbers", "operator", "pprint", "quopri", "re", "reprlib", "shlex", "statistics"),
        *("string", "stringprep", "struct", "textwrap", "token", "typing", "unicodedata", "urllib.parse", "zlib"),
    }
)
"""Modules of which all is allowed but what `_NOT` names."""

_NOT: Mapping[str, frozenset[str]] = {
    # What hangs on the clock and on where the machine stands.
    "datetime": frozenset({"now", "today", "utcnow", "fromtimestamp", "astimezone", "timestamp"}),
    # The week's first day and the context of decimals are settings of the whole process.
    "calendar": frozenset({"setfirstweekday", "LocaleTextCalendar", "LocaleHTMLCalendar"}),
    "decimal": frozenset({"getcontext", "setcontext", "localcontext"}),
    # Attributes by their names, which no reader of the source can follow.
    "operator": frozenset({"attrgetter", "methodcaller"}),
    "functools": frozenset({"cached_property", "lru_cache", "cache", "singledispatch"}),
    "hashlib": frozenset({"file_digest"}),
}

_ONLY: Mapping[str, frozenset[str]] = {
    "codecs": frozenset({"BOM_UTF8", "BOM_UTF16_LE", "BOM_UTF16_BE", "BOM_UTF32_LE", "BOM_UTF32_BE"}),
    "contextlib": frozenset({"suppress"}),
    "io": frozenset({"BytesIO", "StringIO"}),
    "sys": frozenset({"maxsize", "maxunicode", "float_info"}),
}
"""Modules of which only these names are allowed."""

CLOCK_OR_CHANCE = frozenset({"random", "secrets", "time", "uuid", "zoneinfo"}) | {"numpy.random"}
"""Modules whose answers differ from one call to the next."""

_INPUT_OR_OUTPUT = frozenset({"breakpoint", "exit", "help", "input", "open", "print", "quit"})
_DYNAMIC = frozenset(
    {
        *("__build_class__", "__import__", "classmethod", "compile", "delattr", "dir", "eval", "exec", "getattr"),
        *("globals", "hasattr", "locals", "property", "setattr", "staticmethod", "super", "vars"),
    }
)
_OF_THE_PROCESS = frozenset({"__debug__", "hash", "id", "memoryview", "object"})

BUILTINS = (
    frozenset(name for name in vars(builtins) if not name.startswith("_"))
    - _INPUT_OR_OUTPUT
    - _DYNAMIC
    - _OF_THE_PROCESS
    - {"copyright", "credits", "license"}
)
"""The builtins that are allowed, exceptions among them."""

PLAIN_ATTRIBUTES = frozenset(
    name
    for kind in (bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple)
    for name in dir(kind)
    if not name.startswith("_")
)
"""Attributes that some plain value has; who asks an argument for another one wants an object."""


def allows(module: str) -> bool:
    """Whether anything of a module may be used."""
    return module in _WHOLE or module in _ONLY


def module_problem(module: str, name: str) -> str:
    """Why `name` of a module may not be used: a reason that can be counted; nothing where it may."""
    if module.partition(".")[0] in CLOCK_OR_CHANCE or module in CLOCK_OR_CHANCE:
        return "clock or chance"
    if module not in _WHOLE and name not in _ONLY.get(module, ()):
        return "import"
    if name in _NOT.get(module, ()):
        return "clock or chance" if module == "datetime" else "state of the process"
    return ""


def forbidden_attributes(modules: Iterable[str]) -> dict[str, str]:
    """Attribute names that may not be used beside these modules, whatever object has them, and why not."""
    return {name: module_problem(module, name) for module in modules for name in _NOT.get(module, ())}


def builtin_problem(name: str) -> str:
    """Why a builtin may not be used; nothing where it may."""
    if name in BUILTINS:
        return ""
    if name in _INPUT_OR_OUTPUT:
        return "input or output"
    if name in _DYNAMIC:
        return "dynamic code"
    return "state of the process" if name in _OF_THE_PROCESS else "unknown name"
