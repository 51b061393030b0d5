"""Judges that learn from labels, and one that only measures a distance.

A classifier looks at the embedding of a field, or at its words, and gives the probability that the row is right. One
that is trained here is a logistic regression, kept as JSON: nothing is unpickled, for a pickle is a program. Any other
is handed in as a live object with scikit-learn's `predict_proba`.

`similarity` needs no labels: two texts that belong together are neither far apart nor the same.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retroweave.judges.extras import extra
from retroweave.judges.nearest import cosine
from retroweave.judges.programs import words
from retroweave.judges.reading import fields_and, names, signature_of, within
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.row import digest
from retroweave.pipeline.verdict import Score

__all__ = [
    "EmbeddingJudge",
    "Linear",
    "SimilarityJudge",
    "TextJudge",
    "Trained",
    "classifier",
    "read_classifier",
    "similarity",
    "train_classifier",
]

NEEDED = "Training a classifier needs scikit-learn"

SLOTS = 2**14
"""Into so many numbers the words of a text are hashed."""
FEWEST = 10
"""Labels of each kind. With fewer, what is learnt is those rows."""
FOLDS = 5

Features = Literal["embedding", "words", "text"]


class Linear(BaseModel):
    """A logistic regression, as its file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["retroweave classifier 1"] = "retroweave classifier 1"
    features: Literal["embedding", "words"]
    size: int = Field(ge=1)
    """How many numbers a text becomes."""
    embedding: str = ""
    """The model whose embeddings it was trained on, as its author names it."""
    intercept: float
    coefficients: dict[int, float]
    """Of each number, but for those that are 0."""
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    """What an embedding's numbers are shifted and divided by first."""
    labels: int = Field(ge=0)
    """How many it was trained on."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(not 0 <= place < self.size for place in self.coefficients):
            raise ValueError(f"a coefficient stands beyond its {self.size} numbers")
        if (len(self.mean), len(self.scale)) not in ((0, 0), (self.size, self.size)) or 0.0 in self.scale:
            raise ValueError("mean and scale must have a number for each, and no scale is 0")
        if self.features == "embedding" and not self.mean:
            raise ValueError("a classifier of embeddings has a mean and a scale for each number")
        return self

    def probability(self, numbers: Sequence[float] | dict[int, float]) -> float:
        """That a text with these numbers is right."""
        found = numbers if isinstance(numbers, dict) else dict(enumerate(self._scaled(numbers)))
        return _logistic(self.intercept + math.fsum(self.coefficients.get(at, 0.0) * one for at, one in found.items()))

    def _scaled(self, vector: Sequence[float]) -> Iterator[float]:
        if len(vector) != self.size:
            raise UserError(
                f"The classifier was trained on embeddings of {self.size} numbers"
                f"{f' of {self.embedding}' if self.embedding else ''}, and the model gives {len(vector)}. Name the "
                "embedding model that it was trained with, or train it anew."
            )
        return ((one - mean) / scale for one, mean, scale in zip(vector, self.mean, self.scale, strict=True))

    def save(self, path: Path) -> None:
        path.write_bytes(orjson.dumps(self.model_dump(), option=orjson.OPT_NON_STR_KEYS))


@dataclass(frozen=True)
class Trained:
    """A classifier, and what it said of each label when that was held out: the scores to calibrate it by."""

    classifier: Linear
    held_out: tuple[float, ...]
    """In the order of the labels. What it says of those that it learnt from would flatter it."""


def train_classifier(
    labels: Sequence[bool],
    *,
    texts: Sequence[str] | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
    embedding: str = "",
    strength: float = 1.0,
) -> Trained:
    """Learn from labelled rows, by their `texts` (single words and pairs, hashed) or by their `embeddings`.

    `strength` is the inverse of the regularisation, scikit-learn's C. `embedding` names the embedding model, for
    whoever reads the file. Raises `UserError` where there is too little to learn from.
    """
    if (texts is None) == (embeddings is None):
        raise UserError("A classifier is trained on texts= or on embeddings=: give one of them.")
    _require_labels(labels, len(texts if texts is not None else embeddings or ()))
    if texts is not None:
        return _trained(labels, _matrix([_hashed(text) for text in texts]), "words", embedding, strength)
    return _trained(labels, _dense(embeddings or ()), "embedding", embedding, strength)


def _require_labels(labels: Sequence[bool], rows: int) -> None:
    if len(labels) != rows:
        raise UserError(f"There are {len(labels)} labels for {rows} rows: give one for each, in their order.")
    if any(not isinstance(label, bool) for label in labels):
        raise UserError("A label is True where the row is right and False where it is wrong.")
    right = sum(labels)
    if min(right, len(labels) - right) < FEWEST:
        raise UserError(
            f"Of the labels {right} say right and {len(labels) - right} wrong; a classifier takes {FEWEST} of each, "
            "and does better with a hundred. Label more rows."
        )


def _trained(
    labels: Sequence[bool], numbers: Any, features: Literal["embedding", "words"], embedding: str, strength: float
) -> Trained:
    with extra("calibration", NEEDED):
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

    dense = features == "embedding"
    scaler: Any = StandardScaler() if dense else "passthrough"
    estimator = make_pipeline(scaler, LogisticRegression(C=strength, class_weight="balanced", max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    held_out = cross_val_predict(estimator, numbers, labels, cv=folds, method="predict_proba")[:, 1]
    regression = estimator.fit(numbers, labels)[-1]
    learnt = Linear(
        features=features,
        size=numbers.shape[1],
        embedding=embedding,
        intercept=float(regression.intercept_[0]),
        coefficients={place: float(one) for place, one in enumerate(regression.coef_[0]) if one},
        mean=tuple(map(float, scaler.mean_)) if dense else (),
        scale=tuple(map(float, scaler.scale_)) if dense else (),
        labels=len(labels),
    )
    return Trained(learnt, tuple(map(float, held_out)))


def _dense(embeddings: Sequence[Sequence[float]]) -> Any:
    with extra("calibration", NEEDED):
        import numpy as np
    if len({len(vector) for vector in embeddings}) != 1:
        raise UserError("The embeddings are not all of one length: they come of more than one model.")
    return np.asarray(embeddings, dtype=float)


def _matrix(rows: Sequence[dict[int, float]]) -> Any:
    with extra("calibration", NEEDED):
        from scipy.sparse import csr_array

    data = [(value, row, place) for row, found in enumerate(rows) for place, value in found.items()]
    values, at, places = zip(*data, strict=True) if data else ((), (), ())
    return csr_array((values, (at, places)), shape=(len(rows), SLOTS))


def _hashed(text: str) -> dict[int, float]:
    """A text's words and pairs of words, each at a place of its own hash with a sign of its own, of length 1 in all."""
    single = [word.lower() for word in words(text)]
    found: dict[int, float] = {}
    for token in (*single, *(" ".join(pair) for pair in pairwise(single))):
        number = zlib.crc32(token.encode("utf-8", "surrogatepass"))
        place = number % SLOTS
        found[place] = found.get(place, 0.0) + (1.0 if number & 2**31 else -1.0)
    length = math.sqrt(math.fsum(value * value for value in found.values()))
    return {place: value / length for place, value in sorted(found.items())} if length else {}


def _logistic(logit: float) -> float:
    less = math.exp(-abs(logit))
    return (1.0 if logit >= 0 else less) / (1.0 + less)


def read_classifier(path: Path) -> Linear:
    """The classifier in a file that `Linear.save` wrote."""
    try:
        return Linear.model_validate(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise UserError(
            f"There is no classifier at {path}: {error}. Train one with train_classifier and save it."
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        at = f" at {'.'.join(map(str, fault['loc']))}" if fault["loc"] else ""
        raise UserError(f"{path} is no classifier of ours{at}: {fault['msg']}. Train it anew and save it.") from error
    except orjson.JSONDecodeError as error:
        raise UserError(
            f"{path} is no JSON: {error}. A classifier is kept as JSON and never as a pickle, which is a program that "
            "reading it would run. Where you trust its maker, load it in your recipe and hand the object in."
        ) from error


def classifier(
    source: Path | str | Linear | Any,
    *,
    field: str,
    embed: str = "model",
    threshold: float = 0.5,
    features: Features = "embedding",
    right: Any = True,
    about: str | Sequence[str] = (),
) -> EmbeddingJudge | TextJudge:
    """A judge by a classifier of `field`: a file that `Linear.save` wrote, or a live object with `predict_proba`.

    A live one is given the field's embedding, or with `features="text"` the text itself, as a pipeline that begins with
    a vectorizer takes it; its class `right` is the one whose probability counts. `embed` names the embedding model.
    """
    known = read_classifier(Path(source)) if isinstance(source, (str, Path)) else source
    if not isinstance(known, Linear):
        known = _Live(known, right, features)
    within(threshold, f"The threshold of the classifier of {field!r}")
    if known.features == "embedding":
        return EmbeddingJudge(known, field, embed, threshold, names(about))
    return TextJudge(known, field, threshold, names(about))


class _Live:
    """Somebody's own classifier."""

    def __init__(self, estimator: Any, right: Any, features: Features) -> None:
        if not callable(getattr(estimator, "predict_proba", None)) or not hasattr(estimator, "classes_"):
            raise UserError(
                f"A classifier is the path of one, or an object with predict_proba that is trained already, not "
                f"{type(estimator).__name__}."
            )
        if features not in ("embedding", "text"):
            raise UserError(f"A live classifier is given the features 'embedding' or 'text', not {features!r}.")
        classes = list(estimator.classes_)
        if right not in classes:
            raise UserError(
                f"The classifier knows the classes {classes}, and not {right!r}. Say right=... which counts."
            )
        self.features = features
        self.estimator = estimator
        self.place = classes.index(right)

    def probability(self, value: Any) -> float:
        probability = float(self.estimator.predict_proba([value])[0][self.place])
        return within(probability, f"A probability of {type(self.estimator).__name__}")

    def digest(self) -> bytes:
        """Written as a pickle only to be hashed; none is ever read."""
        from pickle import PicklingError, dumps

        try:
            return hashlib.blake2b(dumps(self.estimator, protocol=4)).digest()
        except (PicklingError, AttributeError, TypeError) as error:
            raise UserError(
                f"The classifier {type(self.estimator).__name__} cannot be told from another one: {error}. Give its "
                "parts names at the top of a module."
            ) from error


class _Classifies:
    """What judges by a classifier have in common."""

    def __init__(self, known: Linear | _Live, field: str, threshold: float) -> None:
        self.known = known
        self.field = field
        self.threshold = threshold
        self.__name__ = f"{field}_classifier"

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, but for the embedding model."""
        own = self.known.digest() if isinstance(self.known, _Live) else self.known.model_dump_json()
        return digest(own, self.field, repr(self.threshold)).hex()

    def _score(self, value: float) -> Score:
        return Score(value, value >= self.threshold, {"method": "classifier"}, f"scored below {self.threshold:g}")


class EmbeddingJudge(_Classifies):
    """A classifier of embeddings."""

    def __init__(self, known: Linear | _Live, field: str, embed: str, threshold: float, about: Sequence[str]) -> None:
        super().__init__(known, field, threshold)
        self.__doc__ = f"Classify {field} by its embedding."
        self.__signature__ = signature_of(fields_and((field,), model=embed, about=about, judge=self.__name__))
        self._embed = embed

    async def __call__(self, **given: Any) -> Score:
        model: Model = given[self._embed]
        return self._score(self.known.probability(await model.embed(given[self.field])))


class TextJudge(_Classifies):
    """A classifier of words."""

    def __init__(self, known: Linear | _Live, field: str, threshold: float, about: Sequence[str]) -> None:
        super().__init__(known, field, threshold)
        self.__doc__ = f"Classify {field} by its words."
        self.__signature__ = signature_of(fields_and((field,), about=about, judge=self.__name__))

    def __call__(self, **given: Any) -> Score:
        text = given[self.field]
        return self._score(self.known.probability(_hashed(text) if isinstance(self.known, Linear) else text))


def similarity(
    one: str,
    other: str,
    *,
    embed: str = "model",
    least: float | None = None,
    most: float | None = None,
    about: str | Sequence[str] = (),
) -> SimilarityJudge:
    """A judge by the cosine of two fields' embeddings: at `least` near enough, at `most` not too near.

    The score is the cosine, and 0 where that is negative. What is near depends on the embedding model: look at some
    pairs first.
    """
    if least is None and most is None:
        raise UserError(f"The similarity of {one!r} and {other!r} has no bound: give least=, most= or both.")
    for bound, name in ((least, "least"), (most, "most")):
        if bound is not None:
            within(bound, f"The bound {name} of a similarity")
    if least is not None and most is not None and least > most:
        raise UserError(
            f"The similarity of {one!r} and {other!r} is at least {least:g} and at most {most:g}: no pair is."
        )
    return SimilarityJudge(one, other, embed, least, most, names(about))


class SimilarityJudge:
    """How near two fields are."""

    def __init__(
        self, one: str, other: str, embed: str, least: float | None, most: float | None, about: Sequence[str]
    ) -> None:
        self.fields = (one, other)
        self.bounds = (least, most)
        self.__name__ = f"{one}_near_{other}"
        self.__doc__ = f"Measure how near {one} and {other} are, by their embeddings."
        self.__signature__ = signature_of(fields_and(self.fields, model=embed, about=about, judge=self.__name__))
        self._embed = embed

    def fingerprint(self) -> str:
        """A hash of what its verdicts hang on, but for the embedding model."""
        return digest(*self.fields, repr(self.bounds)).hex()

    async def __call__(self, **given: Any) -> Score:
        model: Model = given[self._embed]
        vectors = [await model.embed(given[name]) for name in self.fields]
        angle = cosine(*vectors)
        least, most = self.bounds
        far, near = least is not None and angle < least, most is not None and angle > most
        parts = {"cosine": angle, "least": least, "most": most}
        return Score(max(0.0, angle), not (far or near), parts, "too far apart" if far else "too near")
