"""A literal that stands nowhere is guessed, unless everybody knows it."""

from __future__ import annotations

import pytest

from retroweave.verifiers.guessing import guessed


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0.59 * a", ""),
        ("a % 2741", ""),
        ("a + 61", "a + 610"),
        ("{'alpha': 1, 'beta': 2}[a]", "alpha"),
        ("a.strip('<>@,;:=/[]?()')", ""),
        (r"re.search(r'[\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c]', a)", ""),
        ("'no more than you can carry'", ""),
        ("b'parcel' + a", ""),
    ],
)
def test_what_stands_nowhere_is_guessed(expression: str, said: str) -> None:
    assert guessed(f"def f(a):\n    return {expression}\n", said)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0.59 * a", "the weight of green is 0.59"),
        ("a % 2741", "f(2742) -> 1 and 2741 gives 0"),
        ("a + 7 - 12 * 256 % 1000 + 3600 - 65535", ""),
        ("a / 2.0 + 0.5", ""),
        ("'-' + a + '\\n'", ""),
        ("'%s=%r' % a", ""),
        ("'{:>8} {name}'.format(a)", ""),
        ("a.replace('&', '&amp;')", ""),
        ("a.encode('latin-1', 'strict')", ""),
        ("a or 'Monday'", "f('') gives 'monday'"),
        ("re.search(r'(?P<whole>\\d+)\\.', a)", ""),
        ("None if a is True else ...", ""),
        (r"a.strip(r'<>@,;:=/[]?()\ ')", r"MARKS = r'<>@,;:=/[]?()\ '"),
        ("a & 0o160000", "LINK = 0o160000  # a link"),
    ],
)
def test_what_was_said_or_is_known_is_not_guessed(expression: str, said: str) -> None:
    assert guessed(f"def f(a):\n    return {expression}\n", said) == []


def test_what_an_exception_says_is_free() -> None:
    assert guessed("def f(a):\n    raise ValueError('the parcel is too heavy by 4711 grams')\n", "") == []


def test_a_docstring_is_to_be_told_too() -> None:
    code = 'def f(a):\n    """Weigh the parcel\n    twice."""\n    return a\n'
    assert guessed(code, "")
    assert guessed(code, "The docstring says: weigh the parcel twice.") == []


def test_each_is_named_once() -> None:
    assert guessed("def f(a):\n    return a * 4711 + 4711 + 0.123\n", "") == ["4711", "0.123"]
