"""The standalone filter: what passes runs by itself, in its author's words; what does not has the right reason."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from retroweave.sources.modules import Module
from retroweave.sources.python_files import Unreadable, names_below, parse, read_python
from retroweave.sources.standalone import REASONS, NotStandalone, Standalone, standalone

BODY = "\n    x = a + 1\n    y = x * 2\n    return y\n"
"""Three statements that need nothing."""


def module_of(text: str) -> Module:
    text = dedent(text)
    return Module(text, parse(text))


def taken(text: str, name: str = "f") -> Standalone:
    module = module_of(text)
    (function,) = [one for one in module.functions if one.name == name]
    return standalone(module, function)


def reason(text: str, name: str = "f") -> str:
    with pytest.raises(NotStandalone) as dropped:
        taken(text, name)
    return dropped.value.reason


def run(found: Standalone) -> Any:
    """The function, its text run with nothing around it."""
    space: dict[str, Any] = {}
    exec(found.code, space)  # noqa: S102 - the tests' own text
    return space[found.name]


class TestText:
    def test_what_is_needed_comes_along_in_the_words_and_order_of_the_module(self) -> None:
        found = taken(
            '''
            """A module."""
            from __future__ import annotations

            import os, re

            UNUSED = open("/")
            # How wide a tab is.
            WIDTH = (  4,
                       5 )

            # A helper,
            # explained.
            def helper(a):  # beside
                return re.sub("x",  "y", a)

            class Wrong(ValueError):
                """It is wrong."""

            def f(a: str) -> str:
                """Do it."""
                if not a:
                    raise Wrong( a )
                # inside
                b = helper(a)
                return b * WIDTH[0]
                # after the end

            def g(a):
                return os.getcwd()
            '''
        )
        assert found.code == dedent(
            '''\
            from __future__ import annotations

            import re
            # How wide a tab is.
            WIDTH = (  4,
                       5 )


            # A helper,
            # explained.
            def helper(a):  # beside
                return re.sub("x",  "y", a)


            class Wrong(ValueError):
                """It is wrong."""


            def f(a: str) -> str:
                """Do it."""
                if not a:
                    raise Wrong( a )
                # inside
                b = helper(a)
                return b * WIDTH[0]
                # after the end
            '''
        )
        assert (found.signature, found.docstring, found.statements) == ("def f(a: str) -> str:", "Do it.", 4)
        assert run(found)("x") == "yyyy"

    def test_a_constant_that_shares_its_line_is_cut_out(self) -> None:
        found = taken(f"A = 1; B = open\ndef f(a):{BODY}    return A\n")
        assert found.code.startswith("A = 1\n\n\ndef f")

    def test_constants_may_be_made_of_one_another_and_of_pure_calls(self) -> None:
        found = taken(
            """
            import re, string
            LETTERS = set(string.ascii_letters)
            PATTERN = re.compile("|".join(sorted(LETTERS)))
            TABLE = {name: len(name) for name in ("a", "bb")}

            def f(a):
                if PATTERN.match(a):
                    return TABLE.get(a)
                return None
            """
        )
        assert run(found)("a") == 1

    def test_a_module_of_one_alias_is_imported_under_it(self) -> None:
        found = taken("import urllib.parse as up, os\ndef f(a):\n    x = up.quote(a)\n    y = x\n    return y\n")
        assert found.code.startswith("import urllib.parse as up\n\n\n")

    def test_helpers_that_call_one_another_are_taken_once(self) -> None:
        text = """
            def even(n):
                return True if n == 0 else odd(n - 1)

            def odd(n):
                return False if n == 0 else even(n - 1)

            def f(n):
                x = even(n)
                y = not x
                return y
            """
        assert taken(text).code.count("def even") == 1
        assert run(taken(text))(4) is False

    def test_a_licence_above_the_first_function_is_no_comment_of_it(self) -> None:
        assert taken(f"# About this file.\ndef f(a):{BODY}").code.startswith("def f")
        assert taken(f"x = 1\n# Copyright somebody.\ndef f(a):{BODY}").code.startswith("def f")

    def test_names_that_are_local_are_not_taken_for_the_modules(self) -> None:
        text = f"import os\nitem = os.sep\ndef f(a):\n    x = [item for item in a]\n    def os(b): return b\n{BODY}"
        assert "import" not in taken(text).code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"async def f(a):{BODY}", "async"),
        ("def f(a):\n    x = 1\n    y = 2\n    yield a\n", "generator"),
        (f"@staticmethod\ndef f(a):{BODY}", "decorated"),
        ("def f():\n    a = 1\n    b = 2\n    return a + b\n", "no arguments"),
        ("def f(*args, **kwargs):\n    a = 1\n    b = 2\n    return a + b\n", "varargs only"),
        (f"def f(self, a):{BODY}", "method"),
        (f"def test_f(a):{BODY}", "test"),
        ("def f(a):\n    '''Doc.'''\n    x = 1\n    return x\n", "short"),
        ("def f(a):\n" + "    x = a\n" * 80, "long"),
        ("TABLE = {\n" + "    1: 2,\n" * 200 + f"}}\ndef f(a):{BODY}    return TABLE\n", "long"),
        ("def f(a):\n    class B: pass\n    b = B()\n    return b\n", "class"),
        (f"class B:\n    def x(self): pass\ndef f(a):{BODY}    return B()\n", "class"),
        (f"n = 0\ndef f(a):\n    global n\n    n += a\n    return n\n{BODY}", "module state"),
        (f"seen = []\ndef f(a):\n    seen.append(a)\n{BODY}", "module state"),
        (f"seen = {{}}\ndef f(a):\n    seen[a] = 1\n{BODY}", "module state"),
        (f"def f(a):\n    print(a)\n{BODY}", "input or output"),
        (f"def f(a):\n    b = open(a)\n{BODY}", "input or output"),
        (f"def f(a):\n    b = eval(a)\n{BODY}", "dynamic code"),
        (f"def f(a):\n    b = getattr(a, 'x')\n{BODY}", "dynamic code"),
        (f"def f(a):\n    b = (1).__class__\n{BODY}", "dynamic code"),
        (f"def f(a):\n    b = __name__\n{BODY}", "unknown name"),
        (f"def f(a):\n    b = hash(a)\n{BODY}", "state of the process"),
        (f"import decimal\ndef f(a):\n    decimal.getcontext().prec = 2\n{BODY}", "state of the process"),
        (f"import random\ndef f(a):\n    b = random.random()\n{BODY}", "clock or chance"),
        (f"from datetime import datetime\ndef f(a):\n    b = datetime.now()\n{BODY}", "clock or chance"),
        (f"def f(a):\n    import datetime\n    b = datetime.date.today()\n{BODY}", "clock or chance"),
        (f"import os\ndef f(a):\n    b = os.sep\n{BODY}", "import"),
        (f"from . import w\ndef f(a):\n    b = w\n{BODY}", "import"),
        (f"import io\ndef f(a):\n    b = io.open(a)\n{BODY}", "import"),
        (f"def f(a):\n    import io\n    b = io.open(a)\n{BODY}", "import"),
        (f"import sys\ndef f(a):\n    b = sys\n{BODY}", "import"),
        (f"import re\ndef f(a):\n    b = [re]\n{BODY}", "import"),
        (f"def f(a):\n    b = unicode(a)\n{BODY}", "unknown name"),
        (f"if 1:\n    B = 1\ndef f(a):\n    b = B\n{BODY}", "bound somehow"),
        (f"B, C = 1, 2\ndef f(a):\n    b = B\n{BODY}", "bound somehow"),
        (f"from w import *\ndef f(a):\n    b = B\n{BODY}", "bound somehow"),
        (f"T = {{}}\nfor i in range(3): T[i] = i\ndef f(a):\n    b = T[a]\n{BODY}", "bound somehow"),
        (f"try:\n    import re\nexcept ImportError:\n    re = None\ndef f(a):\n    b = re\n{BODY}", "bound somehow"),
        (f"def f(a):\n    b = a.children\n{BODY}", "object"),
        (f"def f(a):\n    a.x = 1\n{BODY}", "object"),
        (f"def f(a, g):\n    b = g(a)\n{BODY}", "callable"),
    ],
)
def test_each_function_that_is_dropped_has_its_reason(text: str, expected: str) -> None:
    name = "test_f" if "test_f" in text else "f"
    assert reason(text, name) == expected
    assert expected in REASONS


def test_every_reason_is_tried() -> None:
    (mark,) = test_each_function_that_is_dropped_has_its_reason.pytestmark  # type: ignore[attr-defined]
    assert {expected for _, expected in mark.args[1]} == REASONS.keys()


def test_one_that_is_bound_twice_is_dropped_both_times() -> None:
    module = module_of(f"def f(a):{BODY}\ndef f(a):{BODY}")
    for function in module.functions:
        with pytest.raises(NotStandalone, match="bound somehow"):
            standalone(module, function)


def test_an_argument_that_is_bound_anew_may_be_asked_for_anything() -> None:
    assert taken("import re\ndef f(a):\n    a = re.match('x', a)\n    b = a.span()\n    return b\n").statements == 3


def test_a_module_that_deletes_files_when_it_is_imported_is_read_and_not_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("still here")
    path = tmp_path / "hostile.py"
    path.write_text(f"import os\nos.remove({str(victim)!r})\ndef f(a):{BODY}")
    module = Module.of(read_python(path))
    assert run(standalone(module, module.functions[0]))(1) == 4
    assert victim.read_text() == "still here"


def test_what_the_parser_lets_through_and_the_compiler_does_not_is_a_file_that_cannot_be_read() -> None:
    module = module_of(f"return 1\ndef f(a, b):{BODY}    nonlocal z\n")
    with pytest.raises(Unreadable, match="syntax"):
        standalone(module, module.functions[0])


LIBRARY = Path(sysconfig.get_paths()["stdlib"])
SOME = ("textwrap.py", "difflib.py", "statistics.py", "html/__init__.py", "urllib/parse.py", "tarfile.py", "base64.py")


def sorted_out(module: Module) -> tuple[list[Standalone], set[str]]:
    """The functions of a module that stand alone, and the reasons for which others were dropped."""
    found: list[Standalone] = []
    reasons: set[str] = set()
    for function in module.functions:
        try:
            found.append(standalone(module, function))
        except NotStandalone as dropped:
            reasons.add(dropped.reason)
    return found, reasons


@pytest.mark.parametrize("name", SOME)
def test_what_is_taken_from_the_library_defines_the_function_by_itself(name: str) -> None:
    module = Module.of(read_python(LIBRARY / name))
    found, reasons = sorted_out(module)
    assert reasons <= REASONS.keys()
    assert found
    for one in found:
        assert callable(run(one))
        defined = {node.name: node for node in ast.parse(one.code).body if isinstance(node, ast.FunctionDef)}
        original = {node.name: node for node in module.functions if node.name in defined}
        assert {name: ast.dump(node) for name, node in defined.items()} == {
            name: ast.dump(node) for name, node in original.items()
        }
        assert all(line in module.text for line in one.code.splitlines() if not line.startswith(("import", "from")))


def test_no_file_of_the_library_stops_the_filter() -> None:
    read = 0
    for name in names_below(LIBRARY, without={"site-packages"})[::25]:
        try:
            _, reasons = sorted_out(Module.of(read_python(LIBRARY / name)))
        except Unreadable:
            continue
        read += 1
        assert reasons <= REASONS.keys()
    assert read > 20
