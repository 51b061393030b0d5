"""Logic bugs in calls: a function taken for its sibling, arguments in the wrong order, options and steps left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from retroweave.corruptions.bugs.conditions import is_condition
from retroweave.corruptions.bugs.scope import called_name, functions, kind_of, names_known
from retroweave.corruptions.bugs.site import Edit, Site, Sites, change, operator, removed, swap
from retroweave.corruptions.code import Code, Span

__all__ = ["function_span", "last_argument", "method_of", "unwrapped"]

_FUNCTIONS: dict[str, tuple[str, ...]] = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "sorted": ("reversed", "list"),
    "reversed": ("sorted",), "sum": ("max", "len"), "len": ("sum",), "str": ("repr",), "repr": ("str",),
    "ord": ("chr",), "chr": ("ord",), "int": ("round",), "round": ("int",), "filter": ("map",), "map": ("filter",),
    "set": ("list",), "list": ("set",), "hex": ("bin",), "bin": ("hex",), "oct": ("hex",), "zip": ("enumerate",),
    "abs": ("round",),
}  # fmt: skip
"""Built-ins that are confused. What nobody could tell apart by the result (list and tuple) is not here."""
_MODULE_FUNCTIONS: dict[str, tuple[str, ...]] = {
    "ceil": ("floor",), "floor": ("ceil",), "trunc": ("ceil",), "sin": ("cos",), "cos": ("sin",), "log": ("log10",),
    "log2": ("log",), "log10": ("log",), "gcd": ("lcm",), "lcm": ("gcd",), "radians": ("degrees",), "exp": ("log",),
    "degrees": ("radians",), "match": ("search",), "search": ("match",), "fullmatch": ("match",), "findall": ("split",),
    "basename": ("dirname",), "dirname": ("basename",), "combinations": ("permutations",),
    "permutations": ("combinations",), "bisect_left": ("bisect_right",), "bisect_right": ("bisect_left",),
    "bisect": ("bisect_left",), "insort_left": ("insort_right",), "nlargest": ("nsmallest",),
    "nsmallest": ("nlargest",), "takewhile": ("dropwhile",), "dropwhile": ("takewhile",), "mean": ("median",),
    "median": ("mean",), "pstdev": ("stdev",), "stdev": ("pstdev",), "loads": ("dumps",), "dumps": ("loads",),
    "quote": ("unquote",), "unquote": ("quote",), "heappush": ("heappushpop",), "isfile": ("isdir",), "add": ("sub",),
    "isdir": ("isfile",), "zip_longest": ("chain",), "chain": ("product",),
}  # fmt: skip
"""Functions of the standard library that are confused, called by their own name or through their module."""
_METHODS: dict[str, tuple[str, ...]] = {
    "append": ("extend",), "extend": ("append",), "lstrip": ("rstrip",), "rstrip": ("lstrip",), "find": ("rfind",),
    "strip": ("lstrip", "rstrip"), "rfind": ("find",), "index": ("count",), "keys": ("values",),
    "values": ("keys",), "items": ("keys",), "upper": ("lower",), "lower": ("upper",), "startswith": ("endswith",),
    "endswith": ("startswith",), "partition": ("rpartition",), "rpartition": ("partition",), "pop": ("popleft",),
    "popleft": ("pop",), "appendleft": ("append",), "union": ("intersection",), "ljust": ("rjust",),
    "intersection": ("union", "difference"), "difference": ("intersection",), "issubset": ("issuperset",),
    "issuperset": ("issubset",), "isdigit": ("isalnum", "isalpha"), "isalpha": ("isalnum", "isdigit"),
    "isalnum": ("isalpha",), "isupper": ("islower",), "islower": ("isupper",), "rjust": ("ljust",),
    "title": ("capitalize",), "capitalize": ("title",), "add": ("discard",), "discard": ("remove",),
    "removeprefix": ("removesuffix",), "removesuffix": ("removeprefix",), "sort": ("reverse",), "group": ("groups",),
    "difference_update": ("intersection_update",), "splitlines": ("split",), "setdefault": ("get",),
    "isspace": ("isalpha",),
}  # fmt: skip
_ANY_ORDER = frozenset(
    {
        *("min", "max", "gcd", "lcm", "zip", "print", "hypot", "isclose", "union", "intersection", "add", "update"),
        *("chain", "product", "partial", "set"),
    }
)
"""Functions for which the order of arguments makes no difference, or not one that shows."""
_OPTIONS: dict[str, int] = {
    "round": 1, "int": 1, "sum": 1, "pow": 2, "enumerate": 1, "iter": 1, "split": 0, "rsplit": 0, "strip": 0,
    "lstrip": 0, "rstrip": 0, "replace": 2, "find": 1, "rfind": 1, "index": 1, "count": 1, "sub": 3, "startswith": 1,
    "log": 1, "ljust": 1, "rjust": 1, "center": 1, "to_bytes": 1, "compile": 1, "bisect_left": 2, "bisect_right": 2,
    "accumulate": 1, "zfill": 1, "group": 0, "pop": 0, "splitlines": 0, "islice": 2,
}  # fmt: skip
"""How many arguments a function cannot do without; one more says how the work is done."""
_AS_IF_LEFT_OUT = frozenset({"None", "False", "0"})
_KEYWORDS = frozenset(
    {
        *("reverse", "key", "sep", "end", "maxsplit", "encoding", "errors", "strict", "start", "flags", "fillvalue"),
        *("repeat", "ndigits", "base", "indent", "sort_keys", "separators", "ensure_ascii", "initial", "maxlen", "lo"),
        *("hi", "signed", "newline", "exist_ok", "parents", "recursive", "keepends", "maxsize", "expand", "count"),
    }
)
"""Keyword arguments that a call of the standard library can do without."""
_ANY_KEYWORDS = frozenset({"dict", "format", "partial", "update", "replace", "namedtuple"})
"""What makes of a keyword argument something of that name, whatever it is."""
_STEPS = frozenset({"abs", "sorted", "reversed", "set", "round", "ceil", "floor", "sqrt", "frozenset", "trunc"})
"""Functions whose argument could pass for their result."""
_STEP_METHODS = frozenset(
    {
        *("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "capitalize", "swapcase", "expandtabs"),
        *("removeprefix", "removesuffix", "replace", "zfill"),
    }
)
_COPIES = frozenset({"list", "dict", "copy", "deepcopy"})
_LONGEST_ARGUMENT = 40


def function_span(code: Code, call: ast.Call) -> tuple[str, Span] | None:
    """The name by which a call calls, and where that name stands."""
    end = code.span(call.func)[1]
    if isinstance(call.func, ast.Name):
        return call.func.id, code.span(call.func)
    if isinstance(call.func, ast.Attribute):
        return call.func.attr, (end - len(call.func.attr), end)
    return None


def method_of(node: ast.AST) -> str | None:
    """The method that an expression calls."""
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _is_standard(code: Code, call: ast.Call) -> bool:
    """Whether a call may be of a function of a module: by its own name or through a plain name."""
    return isinstance(call.func, ast.Name) or (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name | ast.Attribute)
    )


@operator("logic", "wrong function called")
def similar_function(code: Code) -> Sites:
    """A function is called that is like the right one in name or use, such as `min` for `max`."""
    for call in code.all(ast.Call):
        named = function_span(code, call)
        if named is None or not _is_standard(code, call):
            continue
        name, span = named
        others = _MODULE_FUNCTIONS.get(name, ()) if isinstance(call.func, ast.Attribute) else ()
        others += _FUNCTIONS.get(name, ()) if called_name(code, call) and _suits(call, name) else ()
        for other in others:
            yield change(span, other, code.span(call), right=name, wrong=other)


def _suits(call: ast.Call, name: str) -> bool:
    """Whether a call of a built-in would show the difference to its sibling."""
    if name in ("sorted", "min", "max", "int", "round", "sum", "set", "list") and not call.args:
        return False
    return not (name in ("int", "round", "list") and len(call.args) + len(call.keywords) > 1)


@operator("logic", "wrong method called")
def similar_method(code: Code) -> Sites:
    """A method is called that is like the right one in name or use, such as `lstrip` for `rstrip`."""
    for call in code.all(ast.Call):
        name = method_of(call)
        if name not in _METHODS or (name in ("splitlines", "pop") and call.args):
            continue
        end = code.span(call.func)[1]
        for other in _METHODS[name]:
            yield change((end - len(name), end), other, code.span(call), right=name, wrong=other)


@operator("logic", "arguments in the wrong order")
def arguments_swapped(code: Code) -> Sites:
    """Two arguments of a call have changed places."""
    for call in code.all(ast.Call):
        named = function_span(code, call)
        if named is None or named[0] in _ANY_ORDER:
            continue
        for first, second in pairwise(call.args):
            if _may_be_swapped(code, first, second):
                yield swap(code, code.span(first), code.span(second), code.span(call), function=named[0])


def _may_be_swapped(code: Code, *arguments: ast.expr) -> bool:
    plain = all(
        not isinstance(argument, ast.Starred | ast.GeneratorExp)
        and len(code.source(argument)) <= _LONGEST_ARGUMENT
        and code.wrapped(argument) == code.span(argument)
        for argument in arguments
    )
    return plain and ast.dump(arguments[0]) != ast.dump(arguments[1])


def last_argument(code: Code, call: ast.Call) -> Span | None:
    """The last argument by position with the comma before it; None where keywords follow or nothing is before it."""
    if call.keywords or not call.args or isinstance(call.args[-1], ast.Starred | ast.GeneratorExp):
        return None
    start, end = code.wrapped(call.args[-1])
    if len(call.args) == 1:
        return start, end
    return code.wrapped(call.args[-2])[1], end


@operator("logic", "keyword argument missing", effect="The call goes by the default.")
def keyword_dropped(code: Code) -> Sites:
    """A call lacks a keyword argument that says how it is to work."""
    for call in code.all(ast.Call):
        named = function_span(code, call)
        if named is None or named[0] in _ANY_KEYWORDS:
            continue
        arguments: list[ast.AST] = [*call.args, *call.keywords]
        for before, keyword in pairwise([call.func, *arguments]):
            if not isinstance(keyword, ast.keyword) or code.source(keyword.value) in _AS_IF_LEFT_OUT:
                continue
            if keyword.arg in _KEYWORDS or _has_default(code, call, keyword.arg):
                yield removed(_with_comma(code, call, before, keyword), code.span(call), argument=code.source(keyword))


def _has_default(code: Code, call: ast.Call, name: str | None) -> bool:
    """Whether a call is of a function of the text that has a default for a parameter."""
    called = code.places(functions).get(call.func.id) if isinstance(call.func, ast.Name) else None
    if called is None:
        return False
    arguments = called.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = [parameter.arg for parameter in positional[len(positional) - len(arguments.defaults) :]]
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        given += [parameter.arg] if default is not None else []
    return name in given


def _with_comma(code: Code, call: ast.Call, before: ast.AST, argument: ast.AST) -> Span:
    """An argument with the comma before it, or, for the first of several, with the comma after it."""
    start, end = code.span(argument)
    if before is not call.func:
        return code.wrapped(before)[1], end
    after = [part for part in (*call.args, *call.keywords) if code.span(part)[0] > start]
    return (start, code.span(after[0])[0]) if after else (start, end)


@operator(
    "logic", "optional argument missing", effect="The call goes by the default, which is not what is wanted here."
)
def option_dropped(code: Code) -> Sites:
    """A call lacks its last argument, and works with the default."""
    for call in code.all(ast.Call):
        named, span = function_span(code, call), last_argument(code, call)
        if named is None or span is None or _OPTIONS.get(named[0]) != len(call.args) - 1:
            continue
        argument = code.source(call.args[-1])
        if argument not in _AS_IF_LEFT_OUT:
            yield removed(span, code.span(call), argument=argument)


def unwrapped(code: Code, call: ast.Call, shown: Span) -> Sites:
    """The site that leaves of a call with one argument only the argument, where that can stand by itself."""
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred | ast.GeneratorExp):
        return
    start, end = code.span(call)
    first, last = code.wrapped(call.args[0])
    tight = isinstance(call.args[0], ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.List | ast.ListComp)
    alone = isinstance(code.parent(call), ast.Assign | ast.Return | ast.keyword)
    if tight or alone or first != code.span(call.args[0])[0]:
        yield Site((Edit(start, first, ""), Edit(last, end, "")), shown, shown[0])


def _shown(code: Code, node: ast.AST) -> Span:
    """What to show of an expression that is left without a step: the assignment or operation that it stands in."""
    parent = code.parent(node)
    shows = ast.Assign | ast.Return | ast.AugAssign | ast.BinOp | ast.Compare | ast.keyword
    return code.span(parent if isinstance(parent, shows) else node)


@operator("logic", "call around a value missing")
def wrapper_dropped(code: Code) -> Sites:
    """A value is used as it is where a function such as `abs`, `sorted` or `set` should be applied first."""
    for call in code.all(ast.Call):
        named = function_span(code, call)
        if named is None or named[0] not in _STEPS or isinstance(code.parent(call), ast.Expr):
            continue
        if isinstance(call.func, ast.Attribute) and code.source(call.func.value) != "math":
            continue
        for site in unwrapped(code, call, _shown(code, call)):
            site.facts["function"] = code.source(call.func)
            yield site


@operator("logic", "cleaning step missing", effect="The text goes on in the form in which it came in.")
def method_dropped(code: Code) -> Sites:
    """A text is used as it is where it should be stripped, lowered or replaced in first."""
    for call in code.all(ast.Call):
        name = method_of(call)
        if name not in _STEP_METHODS or isinstance(code.parent(call), ast.Expr) or call.keywords:
            continue
        assert isinstance(call.func, ast.Attribute)  # as it has a method
        if name == "replace" and len(call.args) != 2:
            continue
        end = code.wrapped(call.func.value)[1]
        yield removed((end, code.span(call)[1]), _shown(code, call), method=f".{name}()")


@operator("logic", "copy missing", effect="Changes reach the value that was to be left alone.")
def copy_dropped(code: Code) -> Sites:
    """A value is used itself where a copy of it should be."""
    for node in code.all(ast.Assign, ast.Return):
        value = node.value
        if isinstance(value, ast.Subscript) and code.source(value.slice) == ":":
            yield removed((code.wrapped(value.value)[1], code.span(value)[1]), code.span(node))
        elif isinstance(value, ast.Call):
            yield from _copies(code, node, value)


def _copies(code: Code, statement: ast.stmt, call: ast.Call) -> Iterator[Site]:
    named = function_span(code, call)
    if named is None or named[0] not in _COPIES:
        return
    if method_of(call) == "copy" and not call.args and isinstance(call.func, ast.Attribute):
        yield removed((code.wrapped(call.func.value)[1], code.span(call)[1]), code.span(statement))
    elif call.args and isinstance(call.args[0], ast.Name | ast.Attribute) and _is_collection(code, call):
        yield from unwrapped(code, call, code.span(statement))


def _is_collection(code: Code, call: ast.Call) -> bool:
    """Whether a call copies: what it is given is no iterator, and is not what its result is assigned to."""
    statement = code.parent(call)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if any(ast.unparse(target) == ast.unparse(call.args[0]) for target in targets):
        return False
    return called_name(code, call) is None or kind_of(code, call.args[0]) == called_name(code, call)


_SEQUENCE_ONLY = frozenset({"list", "tuple"})


@operator("type", "iterator in place of a list")
def list_call_dropped(code: Code) -> Sites:
    """An iterator from `map`, `zip` or the like is kept as it is where a list should be made of it."""
    lazy = {"map", "filter", "zip", "reversed", "enumerate"}
    for call in code.all(ast.Call):
        if called_name(code, call) not in _SEQUENCE_ONLY or is_condition(code, call) or len(call.args) != 1:
            continue
        statement = code.parent(call)
        if called_name(code, call.args[0]) in lazy and isinstance(statement, ast.Return | ast.Assign):
            for site in unwrapped(code, call, code.span(statement)):
                site.facts["function"] = called_name(code, call) or ""
                yield site


_FOREIGN = {
    "append": "push", "extend": "addAll", "startswith": "startsWith", "endswith": "endsWith", "lower": "toLowerCase",
    "upper": "toUpperCase", "strip": "trim", "find": "indexOf", "items": "iteritems", "keys": "iterkeys",
    "values": "itervalues", "isdigit": "isDigit", "lstrip": "trimStart", "rstrip": "trimEnd", "split": "explode",
    "add": "append", "popleft": "shift", "appendleft": "unshift", "update": "merge", "splitlines": "lines",
    "replace": "replaceAll", "insert": "splice", "get": "getOrDefault", "index": "indexOf", "sort": "sorted",
    "reverse": "reversed", "discard": "delete", "groups": "matches", "isalpha": "isLetter", "copy": "clone",
    "remove": "erase", "pop": "removeLast", "format": "sprintf", "join": "implode", "encode": "getBytes",
}  # fmt: skip


@operator("name", "method that does not exist", effect="The call raises an AttributeError.")
def foreign_method(code: Code) -> Sites:
    """A method is called by the name that it has in another language or on another type."""
    for call in code.all(ast.Call):
        name = method_of(call)
        if name in _FOREIGN and _FOREIGN[name] not in code.places(names_known):
            end = code.span(call.func)[1]
            yield change((end - len(name), end), _FOREIGN[name], code.span(call), right=name, wrong=_FOREIGN[name])
