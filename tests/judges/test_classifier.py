"""A classifier is trained from labels, kept as JSON, and judges; a similarity has two bounds."""

from __future__ import annotations

import asyncio
import math
import pickle
import random
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judges.models import Scripted

import retroweave
from retroweave.judges.classifier import (
    EmbeddingJudge,
    Linear,
    SimilarityJudge,
    TextJudge,
    Trained,
    classifier,
    read_classifier,
    similarity,
    train_classifier,
)
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.step import judge
from retroweave.pipeline.verdict import Score

RIGHT = [
    "The river rose in spring",
    "She rowed to the island",
    "A heron stood in the reeds",
    "The boat was tarred twice",
]
WRONG = ["As an assistant I cannot", "Sorry, but I cannot help", "As a model I have no boat", "I cannot row, sorry"]


def texts_and_labels() -> tuple[list[str], list[bool]]:
    texts = [f"{text} {number}" for number in range(5) for text in (*RIGHT, *WRONG)]
    return texts, [text[:-2] in RIGHT for text in texts]


def by_words() -> Trained:
    texts, labels = texts_and_labels()
    return train_classifier(labels, texts=texts, strength=10)


def by_embeddings() -> Trained:
    rng = random.Random(0)
    labels = [number % 2 == 0 for number in range(40)]
    embeddings = [[rng.gauss(2.0 if label else -2.0, 1), rng.gauss(5, 3), 7.0] for label in labels]
    return train_classifier(labels, embeddings=embeddings, embedding="tiny-embed")


def judged(judge: EmbeddingJudge | SimilarityJudge, vectors: Mapping[str, Sequence[float]], **fields: str) -> Score:
    return asyncio.run(judge(model=Scripted(vectors=vectors), **fields))


# Trained


def test_a_classifier_of_words_tells_what_it_was_shown_from_what_it_was_not(tmp_path: Path) -> None:
    by_words().classifier.save(tmp_path / "c.json")
    judge = classifier(tmp_path / "c.json", field="answer")
    assert isinstance(judge, TextJudge)
    good, bad = judge(answer="A heron rowed the boat to the island"), judge(answer="Sorry, as a model I cannot")
    assert good.value > 0.5 > bad.value
    assert (good.passed, bad.passed, bad.reason) == (True, False, "scored below 0.5")


def test_a_classifier_of_embeddings_asks_for_them(tmp_path: Path) -> None:
    by_embeddings().classifier.save(tmp_path / "c.json")
    judge = classifier(str(tmp_path / "c.json"), field="answer", threshold=0.8)
    assert isinstance(judge, EmbeddingJudge)
    vectors = {"good": (2.0, 5.0, 7.0), "bad": (-2.0, 5.0, 7.0)}
    assert judged(judge, vectors, answer="good")
    assert not judged(judge, vectors, answer="bad")


def test_a_saved_classifier_is_the_same_and_can_be_read_by_a_person(tmp_path: Path) -> None:
    for trained in (by_words(), by_embeddings()):
        trained.classifier.save(tmp_path / "c.json")
        assert read_classifier(tmp_path / "c.json") == trained.classifier
    found = orjson.loads((tmp_path / "c.json").read_bytes())
    assert (found["embedding"], found["size"], found["labels"], found["features"]) == ("tiny-embed", 3, 40, "embedding")


def test_the_probability_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = random.Random(1)
    labels = [number % 3 == 0 for number in range(60)]
    embeddings = [[rng.gauss(label, 1), rng.gauss(0, 4)] for label in labels]
    theirs = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    theirs.fit(embeddings, labels)
    ours = train_classifier(labels, embeddings=embeddings).classifier
    assert [ours.probability(one) for one in embeddings] == pytest.approx(list(theirs.predict_proba(embeddings)[:, 1]))


def test_held_out_scores_are_not_those_of_the_rows_that_were_learnt() -> None:
    rng = random.Random(0)
    labels = [number % 2 == 0 for number in range(60)]
    noise = [[rng.gauss(0, 1) for _ in range(30)] for _ in labels]
    trained = train_classifier(labels, embeddings=noise, strength=1e3)
    learnt = sum(
        (trained.classifier.probability(one) >= 0.5) == label for one, label in zip(noise, labels, strict=True)
    )
    held_out = sum((score >= 0.5) == label for score, label in zip(trained.held_out, labels, strict=True))
    assert learnt > 50 > held_out


def test_training_twice_gives_the_same() -> None:
    assert by_words() == by_words()


def test_words_are_hashed_to_the_same_places_in_another_process_and_in_another_year() -> None:
    """A classifier that was saved knows its words by these places alone."""
    ones = Linear(features="words", size=2**14, intercept=0, coefficients={2985: 1.0}, labels=0)
    judge = classifier(ones, field="answer")
    assert isinstance(judge, TextJudge)
    logit = -1 / math.sqrt(3)  # of three numbers, "grey", "heron" and the pair, and this one's sign is minus
    assert judge(answer="Grey heron").value == pytest.approx(1 / (1 + math.exp(-logit)))
    assert judge(answer="Grey stork").value == 0.5


@given(st.text())
def test_any_text_has_a_probability(text: str) -> None:
    assert 0 <= WORDS(answer=text).value <= 1


WORDS: Any = classifier(
    Linear(features="words", size=2**14, intercept=0.1, coefficients={n: (-1.0) ** n for n in range(100)}, labels=0),
    field="answer",
)


@pytest.mark.parametrize(
    ("labels", "given_", "message"),
    [
        ([True] * 20, {"texts": ["a"] * 20}, "20 say right and 0 wrong; a classifier takes 10 of each"),
        ([True] * 10 + [False] * 9, {"texts": ["a"] * 19}, "10 say right and 9 wrong"),
        ([True, False], {"texts": ["a"]}, "There are 2 labels for 1 rows"),
        ([1, 0], {"texts": ["a", "b"]}, "A label is True where the row is right"),
        ([True], {}, "trained on texts= or on embeddings=: give one of them"),
        ([True], {"texts": ["a"], "embeddings": [[1.0]]}, "give one of them"),
        ([True, False] * 10, {"embeddings": [[1.0], [1.0, 2.0]] * 10}, "not all of one length"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(labels: list[Any], given_: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_classifier(labels, **given_)


@pytest.mark.parametrize("module", ["sklearn.linear_model", "scipy.sparse"])
def test_without_scikit_learn_training_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=r"needs scikit-learn.*pip install .*\[calibration\]'"):
        by_words()


# Read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "is no classifier of ours at kind"),
        ({"coefficients": {"9": 1.0}}, "a coefficient stands beyond its 3 numbers"),
        ({"scale": [1.0, 0.0, 1.0]}, "no scale is 0"),
        ({"mean": []}, "must have a number for each"),
        ({"mean": [], "scale": []}, "has a mean and a scale for each number"),
        ({"intercept": None}, "at intercept"),
        ({"pickle": "x"}, "at pickle: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_no_classifier_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "c.json"
    by_embeddings().classifier.save(path)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | change))
    with pytest.raises(UserError, match=message):
        read_classifier(path)


class Program:
    """What a pickle may be."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_no_module_of_ours_reads_a_pickle() -> None:
    """Nor what is one by another name."""
    reads = re.compile(
        r"\b(pickle|dill|cloudpickle|joblib|shelve)\.(loads?|open)\b|\bUnpickler\b|allow_pickle=True"
        r"|from (pickle|dill|cloudpickle|joblib|shelve) import[^\n]*\b(loads?|open)\b"
    )
    ours = Path(retroweave.__file__).parent
    assert [str(path) for path in ours.rglob("*.py") if reads.search(path.read_text("utf-8"))] == []


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):  # the first of them are texts
        for name in ("c.pkl", "c.joblib", "c.json"):
            path = tmp_path / name
            path.write_bytes(pickle.dumps(Program(ran), protocol=protocol))
            with pytest.raises(UserError, match=r"is no JSON.*kept as JSON and never as a pickle"):
                classifier(path, field="answer")
    assert not ran.exists()
    pickle.loads(path.read_bytes())  # noqa: S301  # our own: whoever reads it runs it
    assert ran.exists()
    with pytest.raises(UserError, match="There is no classifier at"):
        classifier(tmp_path / "none.json", field="answer")


def test_an_embedding_of_another_model_is_told_by_its_length() -> None:
    judge = classifier(by_embeddings().classifier, field="answer")
    assert isinstance(judge, EmbeddingJudge)
    with pytest.raises(UserError, match="embeddings of 3 numbers of tiny-embed, and the model gives 2"):
        judged(judge, {"x": (1.0, 2.0)}, answer="x")


# Somebody's own


class Estimator:
    """As scikit-learn's classifiers are."""

    def __init__(self, classes: Sequence[Any], *shares: float) -> None:
        self.classes_ = list(classes)
        self.shares = shares

    def predict_proba(self, rows: Sequence[Any]) -> list[Sequence[float]]:
        self.seen = list(rows)
        return [self.shares for _ in rows]


def test_a_live_classifier_is_given_the_embedding() -> None:
    estimator = Estimator([False, True], 0.3, 0.7)
    judge = classifier(estimator, field="answer")
    assert isinstance(judge, EmbeddingJudge)
    assert judged(judge, {"x": (1.0, 2.0)}, answer="x").value == 0.7
    assert estimator.seen == [(1.0, 2.0)]


def test_a_live_classifier_may_be_given_the_text_and_its_own_classes() -> None:
    estimator = Estimator(["dull", "good"], 0.9, 0.1)
    judge = classifier(estimator, field="answer", features="text", right="dull")
    assert isinstance(judge, TextJudge)
    assert judge(answer="x").value == 0.9
    assert estimator.seen == ["x"]


def test_a_pipeline_of_scikit_learn_judges_texts() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = texts_and_labels()
    judge = classifier(
        make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels), field="a", features="text"
    )
    assert isinstance(judge, TextJudge)
    assert judge(a="The heron rowed the boat")
    assert not judge(a="Sorry, I cannot")


@pytest.mark.parametrize(
    ("estimator", "options", "message"),
    [
        (object(), {}, "an object with predict_proba that is trained already, not object"),
        (Estimator([0, 2], 1, 0), {}, r"knows the classes \[0, 2\], and not True"),
        (Estimator([0, 1], 1, 0), {"features": "words"}, "given the features 'embedding' or 'text', not 'words'"),
        (Estimator([0, 1], 1, 0), {"threshold": 2}, "is a number from 0 to 1, not 2"),
    ],
)
def test_what_cannot_classify_is_refused(estimator: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        classifier(estimator, field="answer", **options)


def test_a_live_classifier_that_gives_no_probability_is_refused() -> None:
    judge = classifier(Estimator([0, 1], 0.0, float("nan")), field="a", features="text")
    with pytest.raises(UserError, match="A probability of Estimator is a number from 0 to 1, not nan"):
        judge(a="x")


def test_fingerprints_tell_classifiers_apart() -> None:
    def of(source: Any, **options: Any) -> str:
        return classifier(source, field="answer", **options).fingerprint()

    one, other = by_words().classifier, by_embeddings().classifier
    assert of(one) == of(one) != of(other)
    assert of(one, threshold=0.6) != of(one)
    assert of(Estimator([0, 1], 1, 0)) == of(Estimator([0, 1], 1, 0)) != of(Estimator([0, 1], 0, 1))


def test_a_live_classifier_that_cannot_be_told_from_another_is_refused_where_that_matters() -> None:
    estimator: Any = Estimator([0, 1], 1, 0)
    estimator.key = lambda: 1
    with pytest.raises(UserError, match="cannot be told from another one"):
        classifier(estimator, field="answer").fingerprint()


# Similarity

vectors = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3)


@pytest.mark.parametrize(
    ("other", "passed", "reason"),
    [((1.0, 1.0), True, ""), ((0.0, 1.0), False, "too far apart"), ((1.0, 0.1), False, "too near")],
)
def test_two_fields_are_near_but_not_the_same(other: Sequence[float], passed: bool, reason: str) -> None:
    judge = similarity("question", "answer", least=0.3, most=0.95)
    score = judged(judge, {"q": (1.0, 0.0), "a": other}, question="q", answer="a")
    assert score.passed is passed
    assert passed or score.reason == reason
    assert (score.parts["least"], score.parts["most"]) == (0.3, 0.95)
    assert score.value == pytest.approx(score.parts["cosine"])


@given(vectors, vectors)
def test_a_similarity_scores_from_0_to_1_whatever_the_vectors(one: list[float], other: list[float]) -> None:
    score = judged(similarity("a", "b", most=0.5), {"x": one, "y": other}, a="x", b="y")
    assert 0 <= score.value <= 1
    assert -1 <= score.parts["cosine"] <= 1


def test_opposites_score_0_and_their_cosine_is_kept() -> None:
    score = judged(similarity("a", "b", least=0.1), {"x": (1.0, 0.0), "y": (-2.0, 0.0)}, a="x", b="y")
    assert (score.value, score.parts["cosine"]) == (0, -1)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "has no bound: give least=, most= or both"),
        ({"least": 0.9, "most": 0.1}, r"is at least 0\.9 and at most 0\.1: no pair is"),
        ({"least": -0.5}, "The bound least of a similarity is a number from 0 to 1"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        similarity("a", "b", **bounds)


def test_they_are_steps_that_read_their_fields() -> None:
    near = judge(similarity("question", "answer", embed="embedder", most=0.9, about="question"))
    assert near.reads == {"question": "question", "answer": "answer"}
    assert near.about == {"question"}
    assert near.models == {"embedder": "embedder"}
    words = judge(classifier(by_words().classifier, field="answer"), raises="answer")
    assert (words.name, words.reads, words.models, words.awaits) == (
        "answer_classifier",
        {"answer": "answer"},
        {},
        False,
    )
