"""Plain values go in and come out with exactly the types that they had, and text that is none of ours does no harm."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox.local import LocalSandbox
from retroweave.verifiers.sandbox.values import DEPTH, Malformed, NotPlain, TooLarge, dump, encode, load, tagged

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(codec=None))
    | st.binary()
)
keys = st.recursive(atoms, lambda inner: st.frozensets(inner, max_size=4) | st.tuples(inner, inner), max_leaves=6)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(keys, inner, max_size=5)
        | st.sets(keys, max_size=5)
        | st.frozensets(keys, max_size=5)
    ),
    max_leaves=20,
)


def shape(value: Any) -> Any:
    """The value with the type of each part beside it, where NaN and the sign of zero are told apart."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, [shape(item) for item in value]
    if kind is dict:
        return kind, [(shape(key), shape(item)) for key, item in value.items()]
    if kind in (set, frozenset):
        return kind, sorted((shape(item) for item in value), key=repr)
    return kind, repr(value)


@given(values)
def test_a_plain_value_is_read_as_it_was_written(value: Any) -> None:
    assert shape(load(dump(value))) == shape(value)


@given(values)
def test_a_value_has_one_text(value: Any) -> None:
    assert dump(load(dump(value))) == dump(value)


@settings(max_examples=60)
@given(st.lists(values, min_size=1, max_size=4), st.dictionaries(st.text("abc", min_size=1), values, max_size=2))
def test_arguments_and_results_keep_their_types_through_the_sandbox(
    sandbox: LocalSandbox, args: list[Any], kwargs: dict[str, Any]
) -> None:
    source = "def give(*args, **kwargs):\n    return [args, kwargs]\n"
    (outcome,) = sandbox.call(source, "give", [Call(tuple(args), kwargs)])
    assert outcome.ended == "returned"
    assert outcome.plain
    assert shape(outcome.value) == shape([tuple(args), kwargs])
    assert outcome.args is None


@pytest.mark.parametrize("number", [10**5000, -(2**40_000), 1 << 3001, -(1 << 3000)], ids=int.bit_length)
def test_an_int_of_any_length_comes_through(number: int) -> None:
    assert load(dump([number])) == [number]


class Lying(int):
    pass


@pytest.mark.parametrize("value", [Lying(1), bytearray(b"x"), object(), int, range(3), [Lying(1)], {"a": Lying(1)}])
def test_a_value_of_another_type_is_not_plain(value: Any) -> None:
    with pytest.raises(NotPlain):
        dump(value)


def test_a_value_that_holds_itself_is_not_plain() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotPlain):
        dump(value)


def test_a_value_of_few_objects_and_endless_parts_is_too_large() -> None:
    value: list[Any] = []
    for _ in range(DEPTH - 1):
        value = [value, value]
    with pytest.raises(TooLarge):
        dump(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 1}',
        '{"t": 1}',
        '{"t": [], "s": []}',
        "{}",
        '{"d": [[1]]}',
        '{"d": [[[], 1]]}',
        '{"s": [[1]]}',
        '{"s": [1, 1]}',
        '{"d": [[1, 2], [1, 3]]}',
        '{"b": 1}',
        '{"b": "0"}',
        '{"c": [1, 2]}',
        '{"c": "1j"}',
        '{"i": "q"}',
        "[" * 5000 + "]" * 5000,
        '{"t":[' * 500 + "]}" * 500,
        "[" * 200 + "]" * 200,
        "1" * 5000,
        "",
        "nul",
    ],
)
def test_a_text_that_no_value_has_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        load(text)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_read_or_refused(found: Any) -> None:
    try:
        value = load(json.dumps(found))
    except Malformed:
        return
    assert shape(load(dump(value))) == shape(value)


def test_keys_made_to_collide_are_refused_at_once() -> None:
    modulus = 2**61 - 1
    text = json.dumps({"s": [number * modulus for number in range(1, 30_000)]})
    began = time.process_time()
    with pytest.raises(Malformed, match="hash"):
        load(text)
    assert time.process_time() - began < 2.0


def test_nans_stay_apart() -> None:
    value = load(dump({float("nan"), float("nan")}))
    assert len(value) == 2
    assert all(math.isnan(number) for number in value)


def test_another_hash_seed_gives_sets_of_texts_another_order() -> None:
    source = "def order(n):\n    return list({str(i) for i in range(n)})\n"
    orders = []
    for seed in (0, 1):
        sandbox = LocalSandbox(hash_seed=seed)
        try:
            orders.append([sandbox.call(source, "order", [Call((40,))])[0].value for _ in range(2)])
        finally:
            sandbox.close()
    (first, again), (other, _) = orders
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)


@given(values)
def test_json_is_written_as_the_library_writes_it(value: Any) -> None:
    told = tagged(value, [1 << 20])
    assert encode(told) == json.dumps(told, separators=(",", ":"))
