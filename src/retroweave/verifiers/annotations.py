"""What an annotation says that a parameter takes, as kinds of plain values."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from retroweave.verifiers.kinds import Kind
from retroweave.verifiers.reading import last_name

__all__ = ["CONTAINERS", "annotated"]

_DEEPEST = 3
_NAMED = {
    **{name: (Kind(name),) for name in ("int", "float", "str", "bytes", "bool", "complex")},
    "None": (Kind("none"),),
    "bytearray": (Kind("bytes"),),
    "ByteString": (Kind("bytes"),),
    "AnyStr": (Kind("str"),),
    "Text": (Kind("str"),),
    "Hashable": (Kind("str"), Kind("int")),
    "Number": (Kind("int"), Kind("float")),
    "Real": (Kind("int"), Kind("float")),
    "SupportsFloat": (Kind("float"),),
    "SupportsInt": (Kind("int"),),
    "SupportsIndex": (Kind("int"),),
}
_SPELLINGS = {
    "list": ("list", "List", "Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "Reversible"),
    "set": ("set", "Set", "AbstractSet", "MutableSet"),
    "frozenset": ("frozenset", "FrozenSet"),
    "dict": ("dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "OrderedDict"),
}
CONTAINERS = {name: kind for kind, names in _SPELLINGS.items() for name in names}


def annotated(node: ast.expr, depth: int = 0) -> list[Kind]:
    """The kinds that an annotation names; none where it says nothing that is known."""
    if depth > _DEEPEST:
        return []
    if isinstance(node, ast.Constant):
        return _quoted(node.value, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*annotated(node.left, depth), *annotated(node.right, depth)]
    name = last_name(node)
    if not isinstance(node, ast.Subscript):
        container = CONTAINERS.get(name)
        return [Kind(container)] if container else list(_NAMED.get(name, ()))
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return _generic(name, inner, depth)


def _generic(name: str, inner: Sequence[ast.expr], depth: int) -> list[Kind]:
    if name in ("Union", "Optional"):
        found = [kind for one in inner for kind in annotated(one, depth + 1)]
        return [*found, Kind("none")] if name == "Optional" and found else found
    if name == "Literal":
        return [Kind("choice", values=tuple(one.value for one in inner if isinstance(one, ast.Constant)))]
    if name in ("Annotated", "Final"):
        return annotated(inner[0], depth + 1)
    if name in ("tuple", "Tuple"):
        return _tuple_of(inner, depth)
    container = CONTAINERS.get(name)
    if container is None:
        return []
    members = annotated(inner[-1], depth + 1)
    if container == "dict" and len(inner) == 2 and any(one.name == "int" for one in annotated(inner[0], depth + 1)):
        return [Kind("dict", tuple(members), values=(1, 2, 3, 5))]
    return [Kind(container, tuple(members))]


def _tuple_of(inner: Sequence[ast.expr], depth: int) -> list[Kind]:
    if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
        return [Kind("tuple", tuple(annotated(inner[0], depth + 1)), flavour="many")]
    places = [annotated(one, depth + 1) for one in inner]
    return [Kind("tuple", tuple(place[0] for place in places))] if all(places) else []


def _quoted(value: Any, depth: int) -> list[Kind]:
    if value is None:
        return [Kind("none")]
    if not isinstance(value, str):
        return []
    try:
        return annotated(ast.parse(value, mode="eval").body, depth + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
