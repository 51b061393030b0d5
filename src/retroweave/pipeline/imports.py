"""What code a module stands on: the modules that it imports, and those that they import.

A row's outcome hangs on code that may be edited between two runs. Which modules that is must come out the same whatever
else a process has imported, so it is read from the import statements, those inside functions too. Modules of the
standard library and of installed packages are not read: they change with their version.
"""

from __future__ import annotations

import ast
import importlib.util
import platform
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

__all__ = ["reached", "versions"]

_INSTALLED = {Path(sysconfig.get_paths()[kind]).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
_PACKAGES = {"site-packages", "dist-packages"}


def reached(names: Iterable[str]) -> tuple[dict[str, Path], list[str]]:
    """The modules that these reach with their files, and the top-level names of installed packages among them."""
    queue, found, installed = list(names), dict[str, Path](), set[str]()
    while queue:
        name = queue.pop()
        top = name.partition(".")[0]
        if name in found or top in installed or top in sys.stdlib_module_names:
            continue
        path = _file(name)
        if path is None:
            continue
        if _is_installed(path):
            installed.add(top)
        elif path.suffix == ".py":
            found[name] = path
            queue.append(name.rpartition(".")[0])
            queue += _imported(name, path)
    return dict(sorted(found.items())), sorted(installed)


def versions(installed: Iterable[str]) -> dict[str, str]:
    """Python's version and those of the packages that these top-level names come from."""
    brought = _brought()
    named = {one.metadata["Name"]: one.version for top in installed for one in brought.get(top, ())}
    python = ".".join(platform.python_version_tuple()[:2])
    # A package's own spelling of its name, with _ or -, differs from one Python's wheel to the next.
    return {"Python": python, **{name.replace("_", "-"): named[name] for name in sorted(named)}}


@cache
def _brought() -> Mapping[str, list[Distribution]]:
    """Top-level name to the packages that bring it.

    As `packages_distributions` has it, which looks at every file of every package and takes ten times as long.
    """
    found: dict[str, list[Distribution]] = {}
    for one in distributions():
        for top in _tops(one):
            found.setdefault(top, []).append(one)
    return found


def _tops(one: Distribution) -> set[str]:
    """The top-level names of a package: those that it lists, or else those in which its files stand."""
    if listed := one.read_text("top_level.txt"):
        return set(listed.split())
    return {line.partition(",")[0].partition("/")[0].partition(".")[0] for line in _files_of(one)}


def _files_of(one: Distribution) -> list[str]:
    return (one.read_text("RECORD") or "").splitlines()


def _file(name: str) -> Path | None:
    """The file of a module; `None` for what is none."""
    parent = name.rpartition(".")[0]
    if parent:
        folder = _file(parent)
        if folder is None or folder.name != "__init__.py":
            return None
    module = sys.modules.get(name)
    try:
        spec = module.__spec__ if module is not None else importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin and spec.has_location else None


def _is_installed(path: Path) -> bool:
    parents = path.resolve().parents
    return not _INSTALLED.isdisjoint(parents) or any(parent.name in _PACKAGES for parent in parents)


def _imported(name: str, path: Path) -> Iterator[str]:
    """The names in the import statements of a module. Some are no modules but what stands in one."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _statements(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node. What stands in an expression is not looked at: no import can stand there."""
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):
        for statement in getattr(node, part, ()):
            yield statement
            yield from _statements(statement)
