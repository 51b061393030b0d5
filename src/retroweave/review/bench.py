"""The workbench: a run, the labels of it and the recipe that made it, opened once for all views of one server.

It holds what a view may not: which rows a person passed over, and the secret by which a row that is labelled blind goes
under another name than its own. It draws no page.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retroweave.pipeline.errors import UserError
from retroweave.review.comparing import Trial
from retroweave.review.drawing import Drawing, Need, Ticket
from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Rows
from retroweave.review.standing import Standing
from retroweave.review.threshold import default_judge

__all__ = ["Reviewed", "Workbench"]

_GLANCE = 0.02
"""Seconds between two looks at how far the index is."""
_GLANCES = 50
_SOON = 20_000
"""Rows that are counted in less than a second."""
_SOON_GROUPS = 100
"""The same, of a run that has not come to its end."""
_STRIDE = 5


@dataclass
class Reviewed:
    """A run directory, opened."""

    rows: Rows
    labels: Labels
    standing: Standing = field(init=False)
    drawings: dict[tuple[str, bool], Drawing] = field(default_factory=dict)
    _defaults: dict[Sequence[str], str] = field(default_factory=dict)
    _needs: dict[tuple[str, bool, float], tuple[int, Need]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.standing = Standing(self.rows, self.labels)

    @classmethod
    def open(cls, run_dir: Path) -> Reviewed:
        opened = cls(Rows(run_dir), Labels(run_dir))
        threading.Thread(target=opened.rows.index, daemon=True).start()
        return opened

    def judge(self, named: str | None = "") -> str:
        """The judge of that name, or the one that is meant where there is none of it; the recipe is asked once."""
        judges = tuple(self.rows.judges())
        if named in judges:
            return str(named)
        if judges not in self._defaults:
            self._defaults[judges] = default_judge(self.rows)
        return self._defaults[judges]

    def drawing(self, judge: str, rejects: bool) -> Drawing:
        """Raises `NotIndexed` while rows are still counted."""
        if (judge, rejects) not in self.drawings:
            self.drawings[judge, rejects] = Drawing(self.rows, self.labels, judge=judge, rejects=rejects)
        return self.drawings[judge, rejects]

    def need(self, judge: str, rejects: bool, width: float) -> Need:
        """How many labels more would narrow the interval of the precision to `width`, reckoned at every fifth label.

        Reckoned at each, it would tell a person who labels blind what the judge had said of the row before; and it
        takes longer than all else that a label does.
        """
        at = len(self.labels) // _STRIDE
        known = self._needs.get((judge, rejects, width))
        if known is None or known[0] != at:
            known = at, self.drawing(judge, rejects).need(width)
            self._needs[judge, rejects, width] = known
        return known[1]

    async def is_indexed(self) -> bool:
        """Whether all rows are known. Where they will be in a moment that is waited for, and otherwise not at all."""
        soon = _SOON if self.rows.finished else _SOON_GROUPS
        for _ in range(_GLANCES):
            found = self.rows.indexed
            if found.finished or found.of - found.done > soon:
                break
            await asyncio.sleep(_GLANCE)
        return found.finished

    def said(self, ids: Sequence[str]) -> dict[str, list[Label]]:
        """The labels of rows: those that were given to what became of them before, too, when all rows are known."""
        if not self.rows.indexed.finished:
            return {id: self.labels.of(id) for id in ids}
        return {id: self.standing.of(id) for id in ids}

    def close(self) -> None:
        self.rows.close()
        self.labels.close()


class Workbench:
    """What the views of one server look at. Without a run there is only a recipe, whose prompts can be compared."""

    def __init__(
        self,
        reviewed: Reviewed | None,
        trial: Trial | str,
        *,
        heading: str,
        person: str,
        folder: Path,
        config_file: Path,
    ) -> None:
        self._reviewed = reviewed
        self.trial = trial if isinstance(trial, Trial) else None
        """What runs prompts; `None` where the recipe is not to be found, and `no_trial` says why."""
        self.no_trial = trial if isinstance(trial, str) else ""
        self.heading = heading
        self.place = str(folder)
        self.person = person
        """Who labels, where a page does not say."""
        self.folder = folder
        """Where comparisons are kept."""
        self.config_file = config_file
        """What "use this threshold" writes."""
        self._secret = secrets.token_bytes(32)
        self._passed_over: defaultdict[str, list[str]] = defaultdict(list)

    @classmethod
    def of_run(cls, run_dir: Path, *, person: str, config_file: Path | None) -> Workbench:
        """A run directory, with its recipe where that can still be found: a run may be looked at without."""
        reviewed = Reviewed.open(run_dir)
        run = reviewed.rows.run
        return cls(
            reviewed,
            _trial_of(run),
            heading=run["recipe"],
            person=person,
            folder=run_dir,
            config_file=config_file or Path(f"{run['recipe']}.yaml"),
        )

    @property
    def reviewed(self) -> Reviewed:
        """The run as it stands; where it was made anew meanwhile, it is opened again."""
        assert self._reviewed is not None
        if self._reviewed.rows.changed():
            self._reviewed.close()
            self._reviewed = Reviewed.open(self.folder)
        return self._reviewed

    @property
    def has_run(self) -> bool:
        return self._reviewed is not None

    def views(self) -> list[tuple[str, str]]:
        """Address and name of each view there is."""
        of_rows = [("/rows", "Read"), ("/label", "Label"), ("/calibrate", "Calibrate")]
        return [
            *(of_rows if self.has_run else ()),
            ("/compare", "Compare"),
            *([("/export", "Export")] if self.has_run else ()),
        ]

    def ticket(self, drawing: Drawing, person: str) -> Ticket | None:
        """The row that a person is to label now: the next that they did not pass over."""
        passed = self._passed_over[person]
        return next((one for one in drawing.next(person, len(passed) + 1) if one.row not in passed), None)

    def pass_over(self, person: str, row: str) -> None:
        """For as long as this server runs."""
        self._passed_over[person].append(row)

    def passed_over(self, person: str) -> int:
        return len(self._passed_over[person])

    def come_back(self, person: str) -> str | None:
        """To the row that was passed over last."""
        passed = self._passed_over[person]
        return passed.pop() if passed else None

    def alias(self, row: str) -> str:
        """A name for a row that tells nothing of it: ids of samples and of rejects do not look alike."""
        return hmac.new(self._secret, row.encode(), "sha256").hexdigest()[:24]

    def close(self) -> None:
        if self._reviewed:
            self._reviewed.close()


def _trial_of(run: Mapping[str, Any]) -> Trial | str:
    """The run's recipe, set up to run prompts, or why there is none: a run may be looked at without."""
    try:
        return Trial.of_run(run)
    except UserError as error:
        return (
            f"Prompts cannot be run here, because the recipe of this run is not to be found: {error} "
            "Start the review in the folder in which the run was made."
        )
