"""What `import retroweave` gives: few names, each of them there, and each explained where it is written."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import subprocess
import sys
from types import ModuleType

import pytest

import retroweave


def said_under(name: str, module: ModuleType) -> str | None:
    """The string under an assignment: how a name that is no class and no function is documented."""
    body = ast.parse(inspect.getsource(module)).body
    for statement, below in itertools.pairwise(body):
        assigns = isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == [name]
        if assigns and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            return str(below.value.value)
    return None


def home_of(name: str) -> ModuleType:
    """The module that a type checker takes the name from; at run time it is loaded when it is first used."""
    for statement in ast.walk(ast.parse(inspect.getsource(retroweave))):
        if isinstance(statement, ast.ImportFrom) and name in [alias.name for alias in statement.names]:
            return importlib.import_module(str(statement.module))
    raise LookupError(name)


def test_there_are_at_most_twenty_names_in_order() -> None:
    assert len(retroweave.__all__) <= 20
    assert list(retroweave.__all__) == sorted(set(retroweave.__all__))


def test_a_star_gives_just_these_names() -> None:
    space: dict[str, object] = {}
    exec("from retroweave import *", space)  # noqa: S102
    assert space.keys() - {"__builtins__"} == set(retroweave.__all__)


@pytest.mark.parametrize("name", retroweave.__all__)
def test_a_public_name_is_public_in_its_module_too(name: str) -> None:
    home = home_of(name)
    assert getattr(retroweave, name) is getattr(home, name)
    assert name in home.__all__


@pytest.mark.parametrize("name", retroweave.__all__)
def test_a_public_name_is_explained(name: str) -> None:
    found = getattr(retroweave, name)
    own = vars(found).get("__doc__") if inspect.isclass(found) else getattr(found, "__doc__", None)
    said = own if inspect.isclass(found) or inspect.isfunction(found) else said_under(name, home_of(name))
    assert said
    assert said.strip().endswith(".")


@pytest.mark.parametrize("name", [name for name in retroweave.__all__ if inspect.isfunction(getattr(retroweave, name))])
def test_a_public_function_is_typed(name: str) -> None:
    signature = inspect.signature(getattr(retroweave, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conjure'"):
        _ = retroweave.conjure


def test_what_a_recipe_is_written_with_brings_in_no_heavy_library() -> None:
    heavy = {"pyarrow", "pygit2", "rich", "jinja2", "pygal", "datasets", "license_expression", "multiprocessing"}
    script = "import sys; from retroweave import *; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())
