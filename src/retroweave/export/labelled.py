"""What people's labels say of a run: `measured.json`, for its card and its report.

It is written by whoever counted the labels, and belongs to the data that were labelled: where the run was made anew
since, its figures are of another set, and are not repeated. Nothing is reckoned here.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retroweave.export.templates import write_whole
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.row import digest

__all__ = ["Labelled", "Share", "read_labelled", "signature", "write_labelled"]

FILE = "measured.json"
_FOOT = 1 << 16
"""Bytes at a file's end that tell it from others: the footer knows the place and the size of each column."""


class Share(BaseModel):
    """A share, and its 95 % interval."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: float = Field(ge=-1, le=1)
    low: float = Field(ge=-1, le=1)
    high: float = Field(ge=-1, le=1)
    count: int = Field(ge=0)
    """Labelled rows that it was taken from."""

    @property
    def interval(self) -> str:
        """As in "90.1% to 95.6%"."""
        return f"{self.low:.1%} to {self.high:.1%}"


class Labelled(BaseModel):
    """What the labels say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    of: str
    """The signature of the data that were labelled."""
    judge: str = ""
    """Whose rates they are; empty where no judge gave scores."""
    precision: Share
    """The share of the samples that is right."""
    how: str
    """How its interval was reckoned."""
    accepts_right: Share | None = None
    accepts_wrong: Share | None = None
    people: int = Field(ge=1)
    blind: float = Field(ge=0, le=1)
    """The share of the labels that were given without seeing the judge's verdict."""
    unsure: int = Field(0, ge=0)
    """Rows of which people were unsure, or at odds."""
    alpha: Share | None = None
    """Krippendorff's alpha, where several people labelled the same rows."""


def signature(run_dir: Path) -> str:
    """Tells the files of a run's data from any others that a run could leave there, without reading all of them."""
    files = [*sorted((run_dir / "data").glob("*.parquet")), run_dir / "rejects.parquet"]
    return digest(*(part for path in files if path.is_file() for part in (path.name, *_foot(path)))).hex()


def _foot(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _FOOT))
        return size, file.read()


def write_labelled(run_dir: Path, found: Labelled) -> Path:
    """Write `measured.json` and give back its path."""
    return write_whole(run_dir / FILE, found.model_dump_json(indent=2) + "\n")


def read_labelled(run_dir: Path) -> tuple[Labelled | None, bool]:
    """What the labels say, and whether they are of the data as they are now; `None` where there is nothing."""
    path = run_dir / FILE
    if not path.is_file():
        return None, False
    try:
        found = Labelled.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        at = ".".join(map(str, fault["loc"])) or "the whole"
        raise UserError(
            f"{path} is not as it was written ({at}: {fault['msg']}). Delete it, or write it anew: "
            f"retroweave labels {run_dir} --publish"
        ) from error
    return found, found.of == signature(run_dir)
