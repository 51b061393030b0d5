"""Whatever a server sends is an answer, or a fault, or a complaint: no exception of another kind comes of it."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.models.complaints import read_complaint
from retroweave.models.replies import read_answer, read_json
from retroweave.pipeline.model import Answer, Faulty, Kind

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
WELL_FORMED: dict[str, Any] = {
    "choices": [
        {
            "text": "a",
            "message": {"content": [{"type": "text", "text": "a"}]},
            "finish_reason": "stop",
            "logprobs": {
                "content": [{"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "a", "logprob": -1.0}]}],
                "top_logprobs": [{"a": -1.0}],
            },
        }
    ],
    "data": [{"embedding": [1.0, 2.0]}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


def places(found: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value in it."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [way, *(place for key, value in inner for place in places(value, (*way, key)))]


def spoiled(way: tuple[Any, ...], value: Any) -> Any:
    """The well-formed answer with this value in this place."""
    if not way:
        return value
    found = orjson.loads(orjson.dumps(WELL_FORMED))
    inside = found
    for key in way[:-1]:
        inside = inside[key]
    inside[way[-1]] = value
    return found


def is_sound(answer: Answer) -> bool:
    """It holds what its types say, and can be kept."""
    logprobs = [logprob for _, logprob in answer.first]
    return (
        isinstance(answer.text, str)
        and isinstance(answer.finish, str)
        and all(isinstance(token, str) for token, _ in answer.first)
        and all(map(math.isfinite, (*logprobs, *answer.vector)))
        and logprobs == sorted(logprobs, reverse=True)
        and Answer.decoded(answer.encoded()) == answer
    )


@pytest.mark.parametrize("kind", ["chat", "complete", "embed"])
def test_the_well_formed_answer_is_read(kind: Kind) -> None:
    answer = read_answer(kind, WELL_FORMED)
    assert is_sound(answer)
    assert (answer.text or answer.vector) in ("a", (1.0, 2.0))


@given(st.sampled_from(places(WELL_FORMED)), JSON, st.sampled_from(["chat", "complete", "embed"]))
def test_an_answer_with_anything_in_any_place_is_sound_or_a_fault(way: tuple[Any, ...], value: Any, kind: Kind) -> None:
    try:
        answer = read_answer(kind, read_json(orjson.dumps(spoiled(way, value))))
    except Faulty:
        return
    assert is_sound(answer)


@given(st.binary())
def test_any_bytes_are_json_or_a_fault(data: bytes) -> None:
    try:
        found = read_json(data)
    except Faulty:
        return
    assert orjson.loads(orjson.dumps(found)) == found


def test_what_is_shown_of_a_wrong_value_is_a_glimpse() -> None:
    with pytest.raises(Faulty) as caught:
        read_answer("chat", {"choices": [{"message": {"content": {"a" * 10_000: ["b" * 10_000] * 1000}}}]})
    assert len(str(caught.value)) < 300
    assert "..." in str(caught.value)


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("Unknown parameter: 'top_k'.", ("top_k",)),
        ("Unrecognized request arguments supplied: n, top_k", ("n", "top_k")),
        ("property 'name' is unsupported", ()),
        ("the seed is unknown to me, and so is n", ()),
        ("'top_k' is 5", ()),
    ],
)
def test_a_field_is_meant_only_where_it_is_named_as_one(words: str, known: tuple[str, ...]) -> None:
    complaint = read_complaint(400, orjson.dumps({"error": {"message": words}}))
    assert complaint.not_known(["n", "seed", "top_k"]) == known


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "so it is"}},
        {"error": "so it is"},
        {"object": "error", "message": "so it is", "code": 400},
        {"detail": "so it is"},
        [{"error": {"message": "so it is"}}],
    ],
)
def test_a_complaint_of_any_shape_has_its_words(body: Any) -> None:
    assert read_complaint(400, orjson.dumps(body)).words == "so it is"


@given(st.integers(100, 599), JSON.map(orjson.dumps) | st.binary())
def test_any_body_of_an_error_is_a_complaint(status: int, data: bytes) -> None:
    complaint = read_complaint(status, data)
    assert isinstance(complaint.words, str)
    assert not complaint.not_known(["top_k"]) or "top_k" in complaint.words + complaint.param


@given(JSON, JSON, JSON)
def test_any_error_is_a_complaint(message: Any, code: Any, metadata: Any) -> None:
    error = {"message": message, "code": code, "type": code, "param": metadata, "metadata": metadata}
    complaint = read_complaint(400, orjson.dumps({"error": error}))
    assert isinstance(complaint.too_long, bool)
    assert isinstance(complaint.no_such_model, bool)
    if isinstance(message, str):
        assert message in complaint.words or not message
