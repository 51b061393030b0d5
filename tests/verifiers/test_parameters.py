"""What an argument is told by annotations, defaults, use and names; and what examples and literals a source holds."""

from __future__ import annotations

from collections import Counter
from textwrap import dedent

import pytest

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.kinds import Kind
from retroweave.verifiers.parameters import Parameter, Signature


def signature(code: str) -> Signature:
    return Signature.of(dedent(code), "f")


def likeliest(code: str) -> str:
    """The name of the kind that weighs most; of lists there may be several, for each sort of members one."""
    weights = Counter[str]()
    for kind, weight in signature(code).parameters[0].kinds:
        weights[kind.name] += weight  # type: ignore[assignment]
    return weights.most_common(1)[0][0]


@pytest.mark.parametrize(
    ("annotation", "kinds"),
    [
        ("int", [Kind("int")]),
        ("'str'", [Kind("str")]),
        ("str | None", [Kind("str"), Kind("none")]),
        ("Optional[float]", [Kind("float"), Kind("none")]),
        ("typing.Union[int, str]", [Kind("int"), Kind("str")]),
        ("list[int]", [Kind("list", (Kind("int"),))]),
        ("Iterable[str]", [Kind("list", (Kind("str"),))]),
        ("dict[str, list[int]]", [Kind("dict", (Kind("list", (Kind("int"),)),))]),
        ("tuple[int, str]", [Kind("tuple", (Kind("int"), Kind("str")))]),
        ("Tuple[int, ...]", [Kind("tuple", (Kind("int"),), flavour="many")]),
        ("Literal['a', 2]", [Kind("choice", values=("a", 2))]),
        ("Annotated[bytes, 'x']", [Kind("bytes")]),
    ],
)
def test_an_annotation_says_all(annotation: str, kinds: list[Kind]) -> None:
    (parameter,) = signature(f"def f(a: {annotation}):\n    return a.strip()\n").parameters
    assert [kind for kind, _ in parameter.kinds] == kinds


@pytest.mark.parametrize(
    "annotation", ["Any", "object", "'not ( code'", "Foo[int]", "None.x", "'" + "list[" * 90 + "'"]
)
def test_an_annotation_that_says_nothing_leaves_it_to_the_use(annotation: str) -> None:
    assert likeliest(f"def f(a: {annotation}):\n    return a.split().index(a.lower())\n") == "str"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return a.split()", "str"),
        ("return a.items()", "dict"),
        ("return a['key']", "dict"),
        ("return range(a)", "int"),
        ("return a % 2", "int"),
        ("return a + 'x'", "str"),
        ("b = a\n    return b.upper()", "str"),
        ("return a[1:].upper()", "str"),
        ("return ''.join(a)", "list"),
        ("return helper(a)", "str"),
        ("return isinstance(a, bytes)", "bytes"),
        ("return PATTERN.match(a)", "str"),
        ("return a in ('x', 'y')", "str"),
        ("return sum(b for b in a)", "list"),
        ("return a < 3", "int"),
        ("return ord(a)", "str"),
        ("a.append(1)", "list"),
    ],
)
def test_use_tells_what_an_argument_is(body: str, name: str) -> None:
    code = f"import re\nPATTERN = re.compile('x')\ndef helper(z):\n    return z.strip()\ndef f(a):\n    {body}\n"
    assert likeliest(code) == name


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ("for b in a: b.strip()", "str"),
        ("for i, b in enumerate(a): b.strip()", "str"),
        ("for b, c in zip(a, a): b % 2", "int"),
        ("return [b.lower() for b in a]", "str"),
        ("return a[0].strip() + a[-1].upper()", "str"),
        ("for b, c in a: pass", "tuple"),
    ],
)
def test_use_tells_what_is_in_an_argument(body: str, member: str) -> None:
    kinds = signature(f"def f(a):\n    a.append(1)\n    {body}\n").parameters[0].kinds
    lists = [(kind, weight) for kind, weight in kinds if kind.name == "list" and len(kind.of) == 1]
    assert max(lists, key=lambda pair: pair[1])[0].of[0].name == member


@pytest.mark.parametrize(
    ("name", "kind"), [("count", "int"), ("text", "str"), ("path", "str"), ("is_open", "bool"), ("items", "list")]
)
def test_where_nothing_else_tells_the_name_does(name: str, kind: str) -> None:
    assert likeliest(f"def f({name}):\n    return {name}\n") == kind


def test_a_value_is_the_less_likely_the_less_its_type_is_the_likeliest() -> None:
    numbers, words = Kind("list", (Kind("int"),)), Kind("list", (Kind("str"),))
    parameter = Parameter("x", ((numbers, 0.3), (Kind("str"), 0.2), (words, 0.1)))
    assert parameter.likelihood([1]) == parameter.likelihood(["a"]) == 1
    assert parameter.likelihood("a") == pytest.approx(0.5)
    assert parameter.likelihood(1.5) == 0


def test_values_that_an_argument_is_compared_with_are_choices() -> None:
    code = "def f(a):\n    if a == 'left':\n        return 1\n    elif a in ('right', 'up'):\n        return 2\n"
    kinds = [kind for kind, _ in signature(code).parameters[0].kinds]
    assert Kind("choice", values=("left", "right", "up")) in kinds


def test_keys_of_a_table_are_choices() -> None:
    kinds = [kind for kind, _ in signature("T = {'x': 1, 'y': 2}\ndef f(a):\n    return T[a]\n").parameters[0].kinds]
    assert Kind("choice", values=("x", "y")) in kinds


def test_what_may_be_left_out_is_given_by_name() -> None:
    found = signature("def f(a, b=1, /, c=2, *, d, e=4):\n    return a\n").parameters
    assert [(one.name, one.optional, one.keyword) for one in found] == [
        ("a", False, False),
        ("b", True, False),
        ("c", True, True),
        ("d", False, True),
        ("e", True, True),
    ]
    assert all(isinstance(one, Parameter) and sum(weight for _, weight in one.kinds) > 0 for one in found)


def test_calls_with_literals_are_taken_from_the_docstring() -> None:
    code = '''
        def f(a, b=1):
            """Do it.

            >>> f([1, 2], b=-1)
            3
            >>> sorted(f("x"))
            >>> mod.f({'a': (1, None)})
            >>> f(a) + f(*b) + g(1)
            >>> x ==
            """
            return a
        '''
    assert signature(code).examples == (Call(([1, 2],), {"b": -1}), Call(("x",)), Call(({"a": (1, None)},)))


def test_a_docstring_that_is_no_doctest_gives_no_calls() -> None:
    assert signature("def f(a):\n    '''\n    >>>f(1)\n  x\n    '''\n    return a\n").examples == ()


def test_literals_are_kept_without_messages_docstrings_and_patterns() -> None:
    code = '''
        """Not this."""
        import re
        SIZE = 1 << 20
        def f(a):
            """Nor this."""
            if a == "yes" or re.match("no+", a):
                raise ValueError("nor that")
            return [a, 2.5, True, "yes"]
        '''
    found = signature(code).literals
    assert found[str] == ["yes"]
    assert sorted(found[int]) == [1, 20, 1 << 20]
    assert found[float] == [2.5]
    assert found.patterns == ("no+",)
