"""Words of Python that tell what an argument is: methods, functions that it is passed to, names that people give.

Tables made by hand, of kinds by name with votes for each; `usage` counts them. A word that is not here says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "FLAVOURS",
    "HAVING",
    "LIKELY",
    "MATCHING",
    "NAMES",
    "NUMBERS",
    "PASSED",
    "PASSED_TO_LIBRARY",
    "SAME_TYPE",
    "TAKES_TEXT",
    "TYPES",
    "WRAPPING",
]

TYPES: Mapping[str, type] = {
    "str": str,
    "list": list,
    "dict": dict,
    "int": int,
    "float": float,
    "bytes": bytes,
    "set": set,
    "tuple": tuple,
    "complex": complex,
    "frozenset": frozenset,
}
LIKELY = {"str": 2.0, "list": 2.0, "dict": 1.5, "int": 1.5, "float": 0.7, "bytes": 0.4, "set": 0.7, "tuple": 0.7}
HAVING: Mapping[str, list[str]] = {
    attribute: [name for name, kind in TYPES.items() if hasattr(kind, attribute)]
    for kind in TYPES.values()
    for attribute in dir(kind)
}
"""The types that have an attribute."""

PASSED: Mapping[str, Mapping[str, float]] = {
    "len": {"list": 2, "str": 2, "dict": 0.5, "tuple": 0.5, "bytes": 0.3},
    "range": {"int": 4},
    "chr": {"int": 4},
    "bin": {"int": 4},
    "hex": {"int": 4},
    "oct": {"int": 4},
    "divmod": {"int": 3, "float": 1},
    "pow": {"int": 3, "float": 1},
    "abs": {"int": 2, "float": 2},
    "round": {"float": 2, "int": 1},
    "ord": {"character": 4},
    "int": {"str": 1.5, "int": 1, "float": 1, "digits": 2},
    "float": {"digits": 2, "int": 1, "float": 1},
    "complex": {"complex": 2, "float": 1},
    "sum": {"list": 3, "tuple": 0.5},
    "dict": {"dict": 3},
    "bytes": {"bytes": 2},
    "Decimal": {"digits": 2, "int": 1},
    "Fraction": {"int": 2},
    **{name: {"list": 2, "str": 0.7, "tuple": 0.6, "set": 0.5, "dict": 0.4} for name in ("sorted", "list", "tuple")},
    **{name: {"list": 2, "str": 0.7, "tuple": 0.6, "set": 0.5, "dict": 0.4} for name in ("set", "frozenset", "iter")},
    **{name: {"list": 2, "str": 0.7, "tuple": 0.6, "dict": 0.3} for name in ("enumerate", "reversed", "zip", "map")},
    **{name: {"list": 2, "tuple": 0.6, "int": 0.7, "float": 0.5} for name in ("min", "max")},
    **{name: {"list": 2, "tuple": 0.6} for name in ("any", "all", "filter", "chain", "Counter", "deque")},
}
"""What builtins take, and some classes."""
NUMBERS: Mapping[str, float] = {"list": 4}
PASSED_TO_LIBRARY: tuple[tuple[str, Mapping[str, float]], ...] = (
    (r"math\.(fsum|prod|dist|hypot|sumprod)|statistics\..*", NUMBERS),
    (r"math\..*|operator\..*", {"int": 2, "float": 2}),
    (r"cmath\..*", {"complex": 2, "float": 1}),
    (r"json\..*", {"str": 2, "dict": 0.5, "list": 0.5}),
    (r"(bisect|heapq|itertools|collections)\..*", {"list": 3}),
    (r"binascii\.(a2b|unhexlify).*|base64\..*decode", {"base64": 2, "hex": 1, "bytes": 1}),
    (r"(base64|binascii|hashlib|zlib)\..*", {"bytes": 3, "str": 0.5}),
    (r"struct\..*", {"bytes": 2, "int": 1, "str": 1}),
    (r"html\..*", {"html": 3}),
    (r"datetime\..*fromisoformat|datetime\..*strptime", {"date": 3}),
    (r"datetime\..*", {"int": 3}),
    (r"unicodedata\..*", {"character": 2, "str": 1}),
    (r"urllib\.parse\..*|urllib\..*", {"url": 3, "str": 1}),
    (r"fnmatch\..*", {"str": 2, "pattern": 1}),
    (r"ipaddress\..*", {"ip": 3}),
    (r"decimal\..*|fractions\..*", {"number": 2, "int": 2}),
    (r"(re|shlex|textwrap|string|keyword)\..*", {"str": 3}),
)
"""What functions of the standard library take, the first that fits."""
FLAVOURS = {"digits": "number"}

NAMES: tuple[tuple[str, Mapping[str, float]], ...] = (
    (
        r"^(n|m|k|num|count|size|length|len|width|height|depth|level|limit|year|month|day|hour|minute|port|bits?)$",
        {"int": 2},
    ),
    (r"^(i|j|idx|index|pos|position|start|end|stop|offset|lo|hi|low|high|begin)$", {"index": 1.5, "int": 1}),
    (r"(_count|_size|_len|_length|num_.*|n_.*|_width|_level|max_.*|min_.*|_index|_pos|tabsize|indent)$", {"int": 1.5}),
    (r"(encoding|charset|codec)$", {"encoding": 3}),
    (r"^errors$", {"errors": 3}),
    (r"(^|_)ip(_|$|v4|v6|addr)|address$", {"ip": 2}),
    (r"(path|file|filename|fname|dirname|directory|folder|filepath|pathname)s?$", {"path": 2}),
    (r"(url|uri|link|host|netloc|domain)$", {"url": 2}),
    (r"(html|xml|markup)", {"html": 2}),
    (r"(date|time|timestamp)(_?str)?$", {"date": 1.5, "int": 0.5}),
    (r"version", {"version": 2}),
    (r"(pattern|regex|glob|pat)$", {"pattern": 1.5, "str": 0.5}),
    (r"(fmt|format|template|spec)$", {"format": 1.5, "str": 0.5}),
    (r"^(c|ch|char|character)$", {"character": 2, "int": 0.3}),
    (r"(source|code|expr|expression|src|statement)$", {"code": 1, "str": 1}),
    (r"^(is_|has_|use_|with_|allow|enable|strict|verbose|flag|reverse|ignore|skip)", {"bool": 1.5}),
    (r"(matrix|grid|table|rows|board)$", {"list": 2}),
    (r"^(d|dct|dict|mapping|config|options|params|kwargs|attrs|env|headers|opts|settings)$", {"dict": 2}),
    (
        r"(items|list|lst|arr|array|nums|numbers|values|seq|sequence|elements|args|names|words|lines|parts|tokens)$",
        {"list": 2},
    ),
    (r"^(data|buf|buffer|raw|payload|b)$", {"bytes": 1, "str": 0.7, "list": 0.5}),
    (r"(s|str|string|text|line|word|name|msg|message|title|label|prefix|suffix|sep|key|value|content)$", {"str": 1}),
    (r"^(x|y|z|a|b|p|q|r|v|val|value|amount|price|rate|ratio)$", {"int": 0.7, "float": 0.7}),
)
"""What names say, the first that fits."""


MATCHING = frozenset({"match", "search", "fullmatch", "findall", "finditer", "sub", "subn"})
TAKES_TEXT = frozenset(
    {
        "split",
        "rsplit",
        "startswith",
        "endswith",
        "replace",
        "find",
        "rfind",
        "partition",
        "rpartition",
        "strip",
        "count",
    }
)
SAME_TYPE = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "replace", "copy", "casefold", "title", "expandtabs"}
)
WRAPPING = frozenset({"enumerate", "sorted", "reversed", "set", "list", "tuple", "iter", "filter"})
