"""Teachers of known quality: a writer that is right as often as a test says, and judges that err as a recipe declares.

What such a writer writes says of itself that it is `rightly` or `wrongly` made, and bears a mark of its own; a judge
reads both and draws its verdict by the mark. So a test knows of each row that was accepted whether it is right, and
the precision of the set can be held against what the declared odds make of it. The server is a real one, and the recipe
runs as it would for anybody.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.model_server import Asked, ModelServer, Reply

from retroweave.export.dataset import read_rejects, read_samples
from retroweave.making import make
from retroweave.pipeline.odds import wilson
from retroweave.pipeline.pipeline import walk
from retroweave.pipeline.recipe import Recipe
from retroweave.pipeline.step import Step

__all__ = ["Errs", "Taught", "drawn", "judgement", "kind", "likely", "mark", "system", "taught"]

_SURE = 3.5
"""Standard deviations: wide enough that chance fails one run in two thousand, and not one in twenty."""


def system(asked: Asked) -> str:
    """What the model is told to be, by which a teacher knows which of its parts it plays."""
    return "".join(turn["content"] for turn in asked.messages[:1])


def drawn(key: str, chance: float) -> bool:
    """True in this share of the keys, and for one key always the same."""
    return random.Random(key).random() < chance


def kind(asked: Asked, right: float) -> str:
    """Whether this answer is to be `rightly` or `wrongly` made."""
    return "rightly" if asked.rng.random() < right else "wrongly"


def mark(asked: Asked) -> str:
    """What tells one answer from all others, in letters: a number would be a claim."""
    return "".join(asked.rng.choices("bcdfghklmnprst", k=10))


class Errs(NamedTuple):
    """How often a judge accepts what is right, and what is wrong."""

    right: float
    wrong: float

    def accepts(self, made: str, key: str) -> bool:
        """Its verdict on what is `rightly` or `wrongly` made."""
        return drawn(f"{key} {made}", self.right if made == "rightly" else self.wrong)

    def passes(self, right: float) -> tuple[float, float]:
        """The shares that are right and accepted, and wrong and accepted, where so many are right."""
        return right * self.right, (1 - right) * self.wrong

    def declared_by(self, step: Step) -> bool:
        """Whether a step of the recipe declares just these odds."""
        return (round(step.accepts_right or 0, 9), round(step.accepts_wrong or 0, 9)) == (
            round(self.right, 9),
            round(self.wrong, 9),
        )


def judgement(accepted: bool) -> Reply:
    """Yes or No with its logprobs, as a judge is asked for it."""
    yes, no = (-0.1, -2.4) if accepted else (-2.4, -0.1)
    return Reply("Yes" if accepted else "No", {"Yes": yes, "No": no})


@dataclass(frozen=True)
class Taught:
    """What came of a run with a teacher."""

    samples: Sequence[dict[str, Any]]
    passed: int
    """How many rows all the judges let through, those over a cap among them."""
    thrown: Counter[str]
    """Rejects by the step that threw them out."""
    judges: Sequence[Step]

    def drafts(self, *names: str) -> int:
        """How many rows came to the judges of these names, or of all; each row that passed came to all."""
        return self.passed + sum(self.thrown[name] for name in names or [step.name for step in self.judges])


def taught(recipe: Recipe, teacher: Callable[[Asked], Reply], folder: Path, rows: int = 500, **options: Any) -> Taught:
    """Make so many rows, each draft drawn once, with a teacher in the place of the writer and of the judge."""
    with ModelServer(teacher) as server:
        model = f"openai:teacher@{server.url}"
        config = recipe.configure({"model": model, "judge": model, "tries": 1, **options})
        counts = make(recipe, config, rows, folder / "out", workers=1)["counts"]
    assert (counts["samples"], counts["failures"]) == (rows, 0)
    steps = [step for step in walk(recipe.pipeline(config).steps) if isinstance(step, Step)]
    return Taught(
        samples=list(read_samples(folder / "out")),
        passed=rows + counts["over_cap"],
        thrown=Counter(one["step"] for one in read_rejects(folder / "out")),
        judges=[step for step in steps if step.move == "judge"],
    )


def likely(found: int, of: int, share: float) -> bool:
    """Whether so many of so many are what chance makes of this share."""
    low, high = wilson(found, of, _SURE)
    return low < share < high
