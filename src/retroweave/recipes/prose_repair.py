"""Prose repair: the guide's "Easy Prose Repair Diffs", with no model and no key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Self

from pydantic import Field, model_validator

from retroweave import About, Config, Pipeline, compute, corrupt, mix, recipe, reverse, user, verify
from retroweave.corruptions.damage import damage
from retroweave.corruptions.diagnosis import STYLES, diagnose, diagnosis_holds
from retroweave.pipeline.layout import Layout, assistant
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.step import Resource, Side, Step
from retroweave.sources.pool import Pool
from retroweave.sources.texts import passages
from retroweave.text.diffs import dmp_patch, git_diff, unified_diff
from retroweave.text.variants import recipe_words
from retroweave.verifiers.patches import dmp_restores, unified_restores

__all__ = ["ProseRepair", "prose_repair"]

words = recipe_words(__file__)


class ProseRepair(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    licenses: tuple[str, ...] | None = None
    """The SPDX licences that are let in, where records name their own; that of the texts if left out."""
    shortest: int = 600
    """The shortest passage, in characters."""
    longest: int = 4000
    """The longest passage, in characters."""
    fewest: int = Field(1, ge=1, le=30)
    """The fewest operations that damage a passage."""
    most: int = Field(10, ge=1, le=30)
    """The most operations that damage a passage."""
    unrecoverable: float = Field(0.05, ge=0, le=1)
    """The largest share of samples with damage that nobody could undo from the damaged text alone."""
    unified: float = Field(4, ge=0)
    """Weight of answers as a GNU unified diff."""
    git: float = Field(3, ge=0)
    """Weight of answers as a git diff."""
    dmp: float = Field(2, ge=0)
    """Weight of answers as a diff-match-patch patch."""
    whole: float = Field(1, ge=0)
    """Weight of answers that write the repaired text out."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) is more than most ({self.most})")
        if not (self.unified or self.git or self.dmp or self.whole):
            raise ValueError("one of the weights unified, git, dmp and whole must be above 0")
        return self


def damage_passage(
    passage: str, config: Resource[ProseRepair], pool: Resource[Pool], side: Side, rng: Random
) -> tuple[str, list[dict[str, Any]]]:
    """Damage the passage in one to ten known ways, each at a place of its own."""
    return damage(passage, rng, pool[side], fewest=config.fewest, most=config.most, unrecoverable=config.unrecoverable)


def diagnose_damage(damaged: About[str], operations: list[dict[str, Any]], rng: Random) -> tuple[str, str]:
    """Say what is wrong, operation by operation, in one of three styles, and how a user asks for that style."""
    style = rng.choice(STYLES)
    return diagnose(operations, damaged, style, rng), rng.choice(words(f"ask_{style}"))


def diagnosis_replays(
    damaged: About[str], operations: About[list[dict[str, Any]]], diagnosis: str, passage: str
) -> bool:
    """The operations, applied to the passage, give the damaged text, and each item of the diagnosis names its place."""
    return diagnosis_holds(diagnosis, operations, damaged, passage)


def difficulty(damaged: About[str], operations: list[dict[str, Any]]) -> tuple[int, int, list[str], bool]:
    """How many operations, their severities summed, their names, and whether all can be undone."""
    return (
        len(operations),
        sum(operation["severity"] for operation in operations),
        [operation["operation"] for operation in operations],
        all(operation["recoverable"] for operation in operations),
    )


def write_unified(damaged: About[str], passage: str) -> str:
    """The repair as `diff -u` writes it."""
    return unified_diff(damaged, passage)


def write_git(damaged: About[str], passage: str) -> str:
    """The repair as `git diff` writes it."""
    return git_diff(damaged, passage)


def write_dmp(damaged: About[str], passage: str) -> str:
    """The repair in diff-match-patch's text format."""
    return dmp_patch(damaged, passage)


def patch_restores(damaged: About[str], patch: str, passage: str) -> bool:
    """Applying the patch to the damaged text gives the passage, character for character."""
    return unified_restores(damaged, patch, passage)


def dmp_patch_restores(damaged: About[str], patch: str, passage: str) -> bool:
    """Applying the patch to the damaged text gives the passage, character for character."""
    return dmp_restores(damaged, patch, passage)


CLEAN = "The kettle was cold.\n"
DAMAGED = "The kettle cold was.\n"
OPERATIONS = [
    {
        "operation": "swapped_words",
        "severity": 2,
        "recoverable": True,
        "edits": [{"start": 11, "end": 19, "was": "was cold", "now": "cold was", "at": 11, "line": 1}],
    }
]
DIAGNOSED = {
    "passage": CLEAN,
    "damaged": DAMAGED,
    "operations": OPERATIONS,
    "diagnosis": '- line 1: swapped_words: "cold was"',
}
MISDIAGNOSED = {"diagnosis": '- line 2: swapped_words: "cold was"'}


def restoring(check: Callable[..., bool], write: Callable[[str, str], str]) -> Step:
    """The check of a patch format, with a patch that it accepts and one that repairs something else."""
    good = {"passage": CLEAN, "damaged": DAMAGED, "patch": write(DAMAGED, CLEAN)}
    spoiled = {"patch": write(DAMAGED, "The kettle was hot.\n")}
    return verify(check, raises="patch", strength="proved", good=good, spoiled=spoiled)


def repair(answer: str, tag: str, field: str) -> Layout:
    return reverse(
        user("{instruction}\n{request}\n\n{frame}"),
        assistant(f"<diagnosis>\n{{diagnosis}}\n</diagnosis>\n<{tag}>\n{{{field}}}</{tag}>"),
        name=answer,
        instruction=words.variants(answer),
        frame=words.variants("frames"),
    )


@recipe(
    presets={
        "recoverable": {"unrecoverable": 0.0},
        "gentle": {"most": 3, "unrecoverable": 0.0},
        "hard": {"fewest": 5, "unrecoverable": 0.1},
    },
)
def prose_repair(config: ProseRepair) -> Pipeline:
    """Repair damaged prose: diagnose the damage, then write the patch that undoes it.

    Good prose is damaged by ordinary programs, one to ten times in thirty-one ways, from slipped letters and homophones
    to mojibake and lost paragraph breaks. A model learns to say what is wrong and where, and to write the change that
    undoes it: as a GNU unified diff, a git diff, a diff-match-patch patch, or the repaired text.

    Guaranteed: the diagnosis lists just the operations that took effect, in reading order, at places that are right in
    the damaged text; every patch was applied to the damaged text and gave the clean passage exactly. Not guaranteed:
    that the clean passage is the only good repair, nor that all damage can be undone. After a deleted span or a changed
    number nobody can know from the damaged text what stood there, and the repair has it all the same: such samples
    teach to fill in what cannot be known. They are capped to a small share. Diagnoses in sentences say that the text
    cannot prove the repair; those in the style of a log only name the operation. The presets `recoverable` and `gentle`
    have none.

    After the "Easy Prose Repair Diffs" of J. D. Pressman's RetroInstruct Guide to Synthetic Text Data.
    """
    source = passages(
        config.texts,
        field=config.field,
        license=config.license,
        shortest=config.shortest,
        longest=config.longest,
        licenses=config.licenses,
        whole_lines=True,
    )
    return Pipeline(
        source,
        corrupt(damage_passage, into="damaged", log="operations"),
        compute(diagnose_damage, writes=("diagnosis", "request")),
        verify(diagnosis_replays, raises="diagnosis", strength="proved", good=DIAGNOSED, spoiled=MISDIAGNOSED),
        compute(difficulty, writes=("operation_count", "severity", "kinds", "recoverable")),
        mix(
            "answer",
            unified=(
                config.unified,
                compute(write_unified, writes="patch"),
                restoring(patch_restores, unified_diff),
                repair("unified", "diff", "patch"),
            ),
            git=(
                config.git,
                compute(write_git, writes="patch"),
                restoring(patch_restores, git_diff),
                repair("git", "diff", "patch"),
            ),
            dmp=(
                config.dmp,
                compute(write_dmp, writes="patch"),
                restoring(dmp_patch_restores, dmp_patch),
                repair("dmp", "patch", "patch"),
            ),
            whole=(config.whole, repair("whole", "repaired", "passage")),
        ),
        resources={"config": config, "pool": Pool(source, "passage", config.validation)},
        caps=[Cap("recoverable", {False: config.unrecoverable})],
        keep=["operations"],
        measures=["operation_count", "severity", "kinds", "recoverable"],
        validation=config.validation,
    )
