"""The standalone filter: functions that need nothing but their arguments, and the text that each needs to run alone.

A function can be tested and broken on purpose where it works values out and does no more, and where the few lines
that it leans on can be shown with it: helpers, constants, exceptions and imports of its own module. All is found out
from the source; nothing is run. Each function that is dropped gets a reason that can be counted. Whether one that
passes is any good, and whether it ends, is for those to find out who run it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from retroweave.sources.modules import Binding, Function, Module, changed_names, dotted, is_docstring, names_in
from retroweave.sources.purity import PLAIN_ATTRIBUTES, allows, builtin_problem, forbidden_attributes, module_problem

__all__ = ["REASONS", "NotStandalone", "Standalone", "standalone"]

FEWEST_STATEMENTS = 3
LONGEST_FUNCTION = 80
LONGEST_CODE = 160
"""Lines, of the function and of all that it brings along: more than that nobody reads in a prompt."""

REASONS: Mapping[str, str] = {
    "async": "it waits for something",
    "generator": "its result is a generator, which is no plain value",
    "decorated": "a decorator makes something else of it",
    "no arguments": "it takes none, so that there is nothing to vary",
    "varargs only": "it takes nothing but *args and **kwargs",
    "method": "its first argument is self or cls",
    "test": "it is a test by its name, and a test runner would take it for one",
    "short": f"fewer than {FEWEST_STATEMENTS} statements",
    "long": f"more than {LONGEST_FUNCTION} lines, or {LONGEST_CODE} with what it needs",
    "class": "it defines a class, or needs one that is more than an exception's name",
    "module state": "it changes what other calls see: a global name, or a table of the module",
    "input or output": "it opens, prints or asks",
    "dynamic code": "it makes or finds names while it runs: exec, getattr, dunder attributes",
    "state of the process": "it reads or sets what differs between processes: id, hash, a locale, a context",
    "clock or chance": "it reads the clock or draws random numbers",
    "import": "it needs a module that is not among the pure ones",
    "unknown name": "it uses a name that nobody binds, such as Python 2's unicode",
    "bound somehow": "it needs a name bound twice, in a branch, by unpacking or by a star import",
    "object": "it asks an argument for an attribute that no plain value has",
    "callable": "it calls an argument",
}
"""Why functions are dropped, and what each word means."""


class NotStandalone(Exception):
    """The function is dropped; the message is one of `REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        """What it was: a name, a module."""


@dataclass(frozen=True, slots=True)
class Standalone:
    """A function by itself."""

    name: str
    code: str
    """Imports, constants and helpers that it needs, and itself, in the order and the words of its module."""
    signature: str
    docstring: str
    line: int
    last_line: int
    """Where it stands in its file."""
    statements: int


def standalone(module: Module, function: Function) -> Standalone:
    """What a function at a module's top level is by itself. Raises `NotStandalone`, or `Unreadable` for the file."""
    _check_shape(module, function)
    need = _Need(module)
    need.function(function)
    code = need.text()
    if code.count("\n") > LONGEST_CODE:
        raise NotStandalone("long", "with what it needs")
    return Standalone(
        name=function.name,
        code=code,
        signature=_signature(function),
        docstring=ast.get_docstring(function) or "",
        line=function.lineno,
        last_line=function.end_lineno or function.lineno,
        statements=_statements(function),
    )


def _check_shape(module: Module, function: Function) -> None:
    arguments = function.args
    named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if not named:
        raise NotStandalone("varargs only" if arguments.vararg or arguments.kwarg else "no arguments")
    if named[0] in ("self", "cls"):
        raise NotStandalone("method")
    if function.name.startswith("test"):
        raise NotStandalone("test")
    if _yields(function):
        raise NotStandalone("generator")
    if _statements(function) < FEWEST_STATEMENTS:
        raise NotStandalone("short")
    if (function.end_lineno or function.lineno) - function.lineno >= LONGEST_FUNCTION:
        raise NotStandalone("long")
    _check_arguments(module, function, named)


def _check_arguments(module: Module, function: Function, named: list[str]) -> None:
    """No argument is asked for what a plain value cannot give; those that are bound anew may have become anything."""
    table = module.table(function)
    unchanged = {name for name in named if not table.lookup(name).is_assigned()}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and _is_one_of(node.value, unchanged):
            if node.attr not in PLAIN_ATTRIBUTES or not isinstance(node.ctx, ast.Load):
                raise NotStandalone("object", node.attr)
        elif isinstance(node, ast.Call) and _is_one_of(node.func, unchanged):
            raise NotStandalone("callable")


def _is_one_of(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


@dataclass
class _Need:
    """What a function needs of its module, gathered by following names."""

    module: Module
    statements: set[ast.stmt] = field(default_factory=set)
    """Functions, classes and constants."""
    aliases: set[ast.alias] = field(default_factory=set)
    """Parts of import statements."""

    def function(self, node: Function) -> None:
        if node in self.statements:
            return
        if isinstance(node, ast.AsyncFunctionDef):
            raise NotStandalone("async")
        if node.decorator_list:
            raise NotStandalone("decorated", ast.unparse(node.decorator_list[0]))
        if any(binding.node is not node for binding in self.module.bindings[node.name]):
            raise NotStandalone("bound somehow", node.name)
        self.statements.add(node)
        names = self.module.globals_of(node)
        self._check(node, names)
        for name in sorted(names):
            self._name(name)

    def _check(self, node: ast.AST, names: set[str]) -> None:
        """What may not stand in a function or constant, whatever its names are bound to."""
        for one in ast.walk(node):
            if isinstance(one, ast.Global):
                raise NotStandalone("module state", one.names[0])
            if isinstance(one, ast.ClassDef):
                raise NotStandalone("class", one.name)
            if isinstance(one, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                raise NotStandalone("async")
            if isinstance(one, ast.Attribute):
                self._check_attribute(one)
            elif isinstance(one, ast.Import | ast.ImportFrom):
                _check_import(one, one.names)
        for name in changed_names(node):
            if name in names and name in self.module.bindings:
                raise NotStandalone("module state", name)

    def _check_attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("__") and node.attr.endswith("__"):
            raise NotStandalone("dynamic code", node.attr)

    def _name(self, name: str) -> None:
        bindings = self.module.bindings.get(name)
        if bindings is None:
            # A star import could bind a builtin's name anew; what stands alone has the builtin in any case.
            problem = builtin_problem(name)
            _raise_for("bound somehow" if problem == "unknown name" and self.module.has_star_import else problem, name)
            return
        if all(isinstance(binding.node, ast.Import | ast.ImportFrom) for binding in bindings):
            self._imported(name, bindings)
        elif len(bindings) > 1 or name in self.module.filled_later:
            raise NotStandalone("bound somehow", name)
        else:
            self._defined(name, bindings[0].node)

    def _defined(self, name: str, node: ast.AST) -> None:
        if isinstance(node, Function):
            self.function(node)
        elif isinstance(node, ast.ClassDef):
            self._exception(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            self._constant(node)
        else:
            raise NotStandalone("bound somehow", name)

    def _constant(self, node: ast.Assign | ast.AnnAssign) -> None:
        if node in self.statements:
            return
        self.statements.add(node)
        parts = [node.value, node.annotation] if isinstance(node, ast.AnnAssign) else [node.value]
        own = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        names = {name for part in parts if part is not None for name in names_in(part)}
        self._check(node, names)
        for name in sorted(names):
            # A comprehension's variable is stored in the same expression; a name of the module may be called the same.
            if name not in own:
                self._name(name)

    def _exception(self, node: ast.ClassDef) -> None:
        """An exception that has a name and no more than that."""
        if node in self.statements:
            return
        body_is_empty = all(is_docstring(one) or isinstance(one, ast.Pass) for one in node.body)
        if node.decorator_list or node.keywords or not body_is_empty or len(node.bases) != 1:
            raise NotStandalone("class", node.name)
        base = node.bases[0]
        if not isinstance(base, ast.Name):
            raise NotStandalone("class", node.name)
        self.statements.add(node)
        if base.id in self.module.bindings:
            self._name(base.id)
        elif not _is_exception(base.id):
            raise NotStandalone("class", node.name)

    def _imported(self, name: str, bindings: list[Binding]) -> None:
        alone = len(bindings) == 1
        for node, alias in bindings:
            assert alias is not None
            assert isinstance(node, ast.Import | ast.ImportFrom)
            if not alone and (alias.asname or isinstance(node, ast.ImportFrom)):
                raise NotStandalone("bound somehow", name)
            _check_import(node, [alias])
            self.aliases.add(alias)

    def text(self) -> str:
        """What was gathered, in the module's order, once all uses of the imported modules are found to be allowed."""
        self._check_uses()
        pieces: list[tuple[str, bool]] = []
        if self.module.postpones_annotations:
            pieces.append(("from __future__ import annotations\n", False))
        for statement in self.module.tree.body:
            if statement in self.statements:
                is_definition = isinstance(statement, Function | ast.ClassDef)
                pieces.append((self.module.source(statement), is_definition))
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                wanted = [alias for alias in statement.names if alias in self.aliases]
                if wanted:
                    pieces.append((self._import(statement, wanted), False))
        return _joined(pieces)

    def _import(self, statement: ast.Import | ast.ImportFrom, wanted: list[ast.alias]) -> str:
        if len(wanted) == len(statement.names):
            return self.module.source(statement)
        if isinstance(statement, ast.Import):
            return ast.unparse(ast.Import(wanted))
        return ast.unparse(ast.ImportFrom(statement.module, wanted, 0))

    def _check_uses(self) -> None:
        """Of what is imported only what is pure may be used, however it is spelled."""
        modules = dict(self._modules())
        forbidden = forbidden_attributes(path for _, path in self._modules(whole=False))
        for statement in self.statements:
            chains = {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
            for node in ast.walk(statement):
                if isinstance(node, ast.Attribute):
                    _raise_for(forbidden.get(node.attr, ""), node.attr)
                    _check_chain(dotted(node), modules)
                elif isinstance(node, ast.Name) and node.id in modules and id(node) not in chains:
                    raise NotStandalone("import", node.id)

    def _modules(self, *, whole: bool = True) -> Iterator[tuple[str, str]]:
        """Local name and path of the modules that are imported; with those from which names are."""
        outer = [
            (node, alias)
            for statement in self.module.tree.body
            for node in ([statement] if isinstance(statement, ast.Import | ast.ImportFrom) else ())
            for alias in node.names
            if alias in self.aliases
        ]
        inner = [
            (node, alias)
            for statement in self.statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ]
        for node, alias in (*outer, *inner):
            yield from _module_names(node, alias, whole)


def _module_names(node: ast.Import | ast.ImportFrom, alias: ast.alias, whole: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        local = alias.asname or alias.name.partition(".")[0]
        yield local, alias.name if alias.asname else local
        if not whole:
            yield local, alias.name
        return
    path = f"{node.module}.{alias.name}"
    if allows(path):
        yield alias.asname or alias.name, path
    if not whole:
        yield alias.asname or alias.name, node.module or ""


def _check_import(node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> None:
    for alias in aliases:
        if isinstance(node, ast.Import):
            if not allows(alias.name):
                raise NotStandalone(module_problem(alias.name, "") or "import", alias.name)
        elif node.level or not node.module:
            raise NotStandalone("import", "relative")
        elif node.module != "__future__" and not allows(f"{node.module}.{alias.name}"):
            _raise_for(module_problem(node.module, alias.name), f"{node.module}.{alias.name}")


def _check_chain(names: tuple[str, ...], modules: Mapping[str, str]) -> None:
    """`a.b.c`, where `a` is a module: the longest module in it must be one that allows what comes next."""
    if not names or names[0] not in modules:
        return
    path = (*modules[names[0]].split("."), *names[1:])
    for length in range(len(path) - 1, 0, -1):
        module = ".".join(path[:length])
        if allows(module):
            _raise_for(module_problem(module, path[length]), f"{module}.{path[length]}")
            return
    if (
        not allows(".".join(path))
        and len(path) > 1
        and not any(one.startswith(f"{path[0]}.") for one in modules.values())
    ):
        raise NotStandalone("import", ".".join(path))


def _raise_for(problem: str, detail: str) -> None:
    if problem:
        raise NotStandalone(problem, detail)


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, Exception)


def _yields(function: Function) -> bool:
    """Whether it is a generator itself; functions in it may be."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False


def _statements(function: Function) -> int:
    """How many there are in its body, nested ones too and docstrings not."""
    every = (node for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.stmt))
    return sum(not is_docstring(node) for node in every)


def _signature(function: Function) -> str:
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"def {function.name}({ast.unparse(function.args)}){returns}:"


def _joined(pieces: list[tuple[str, bool]]) -> str:
    text = ""
    before = False
    for source, is_definition in pieces:
        if text:
            text += "\n\n\n" if is_definition or before else "\n"
        text += source
        before = is_definition
    return text + "\n"
