"""Labels held against the rows as they are now: which row a label is of, and which labels are of none any more.

A label is of the row that has its id, where that row has the content that was labelled. Where it has not, the label may
still be of a row: with another threshold a sample has become a reject, or a reject a sample, and whoever labelled it
blind saw nothing then that they would not see now. Such a label is found again by what was seen (`seen`), if just one
row of the run shows it.

A label that was given with the verdict in sight is not carried over: its person saw that the judge accepted the row,
and that is no longer so. Nor is one that was given to a whole conversation, where only samples were labelled: a reject
has none, and what later steps made of the row may be what the person meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from retroweave.review.labels import Label, Labels
from retroweave.review.rows import Rows

__all__ = ["Standing"]


class Standing:
    """The labels of a run, each with the row that it is of by now. To be asked when the index is whole."""

    def __init__(self, rows: Rows, labels: Labels) -> None:
        self._rows = rows
        self._labels = labels
        self._places: dict[int, tuple[str, str] | None] = {}
        """Of each entry the id and content of its row; `None` where it has none."""
        self._up_to = -1
        self._found: list[Label] = []
        self._by_row: Mapping[str, list[Label]] = {}

    def labels(self, person: str | None = None) -> list[Label]:
        """Those that count, in the order of entry, each with id and content of its row as they are now.

        Of several labels of one person that have come to be of one row, the last counts, with the lots of all.
        """
        self._read()
        return [one for one in self._found if person in (None, one.person)]

    def of(self, row: str) -> list[Label]:
        """The labels of a row, one a person at most."""
        self._read()
        return list(self._by_row.get(row, ()))

    def is_stale(self, label: Label) -> bool:
        """Whether it is of no row any more."""
        self._locate([label])
        return self._places[label.number] is None

    def _read(self) -> None:
        newest = self._labels.newest
        if newest == self._up_to:
            return
        given = self._labels.counting()
        self._locate(given)
        latest: dict[tuple[str, str], Label] = {}
        for label in given:
            place = self._places[label.number]
            if place is not None:
                earlier = latest.pop((place[0], label.person), None)
                lots = label.lots if earlier is None else tuple(sorted({*label.lots, *earlier.lots}))
                latest[place[0], label.person] = replace(label, row=place[0], content=place[1], lots=lots)
        by_row: dict[str, list[Label]] = {}
        for (row, _), label in latest.items():
            by_row.setdefault(row, []).append(label)
        self._found, self._by_row, self._up_to = list(latest.values()), by_row, newest

    def _locate(self, labels: Sequence[Label]) -> None:
        """Look up the rows of labels that were not looked up before: entries never change, and these rows do not."""
        new = [label for label in labels if label.number not in self._places]
        known = self._rows.contents([label.row for label in new])
        same = {label.number for label in new if known.get(label.row, (0, ""))[1] == label.content}
        seen = self._rows.showing([label.seen for label in new if label.number not in same and label.seen])
        for label in new:
            here = (label.row, label.content)
            self._places[label.number] = here if label.number in same else seen.get(label.seen)
