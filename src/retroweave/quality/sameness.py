"""Prompts that all begin alike, samples that are nearly the same, and questions that are answered now so, now so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from retroweave.pipeline.row import digest
from retroweave.quality.habits import BARS, FEWEST, Finding, Lint, share_of
from retroweave.quality.seen import Seen, first_words
from retroweave.quality.tallies import COUNTERS, EXAMPLES, Tally

__all__ = ["NearDuplicates", "OtherAnswers", "PromptsAlike"]

PROMPT_WORDS = 6
"""Instructions begin alike more easily than answers do (`Please correct the following`), so more words are compared."""
ALIKE = 0.85
"""The share of three-word runs in common from which two texts are nearly the same."""
PERMUTATIONS = 64
ROWS = 8
"""Values of a signature in a band. Eight bands of eight find 93 of 100 pairs at 0.85, and 1 of 300 at 0.5."""
KEPT = 20_000
"""Signatures kept to compare with, at most; beyond that of every other sample only, then of every fourth, and so on."""
WORDS = 250
"""Words of a sample that are compared, the trained ones first."""
FEWEST_WORDS = 30


class PromptsAlike(Lint):
    """Prompts that begin with the same six words, over all layouts."""

    name = "prompts-alike"
    share = 0.5
    counts = "samples with a prompt"
    teaches = "and a model would learn the task for that phrase alone"
    mend = "give the layout more variants of its instruction"

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._tally = Tally()

    def see(self, sample: Seen) -> None:
        if sample.prompt is not None:
            self._tally.add(first_words(sample.prompt, PROMPT_WORDS), sample.id)

    def findings(self) -> Iterator[Finding]:
        opening, count, ids = self._tally.most_common()
        of = self._tally.seen
        if opening and of >= FEWEST and count > self.limit * of:
            yield self.found(
                f"{share_of(count, of)} of the prompts begin with {opening!r}", ids, self._tally.bars(BARS), of
            )


class NearDuplicates(Lint):
    """Samples nearly all of whose words stand in one sample of another source row too, in the same order."""

    name = "near-duplicates"
    share = 0.02
    counts = "samples of thirty words or more"
    teaches = "and a model would learn some by heart, or be tested on what it has learnt from"
    mend = "drop near-duplicates from the source"

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._of = 0
        self._hits = 0.0
        self._ids: list[str] = []
        self._thinned = 0
        self._kept: dict[int, tuple[bytes, str, bytes]] = {}
        """Signature, id and source key of the samples that are kept, by their number."""
        self._bands: dict[bytes, int] = {}

    def see(self, sample: Seen) -> None:
        runs = _runs_of(sample)
        if not runs:
            return
        self._of += 1
        signature = _signature(runs)
        source = digest(str(sample.provenance.get("source", {}).get("key", sample.id)))
        bands = [bytes([band]) + signature[4 * ROWS * band :][: 4 * ROWS] for band in range(PERMUTATIONS // ROWS)]
        twin = next(filter(None, (self._twin(band, signature, source) for band in bands)), None)
        if twin is not None:
            self._hits += 2.0**self._thinned
            self._ids += [one for one in (twin, sample.id) if one not in self._ids][: max(0, 4 - len(self._ids))]
        self._keep(sample.id, signature, source, bands)

    def _twin(self, band: bytes, signature: bytes, source: bytes) -> str | None:
        kept = self._kept.get(self._bands.get(band, -1))
        if kept is None or kept[2] == source or _alike(kept[0], signature) < ALIKE:
            return None
        return kept[1]

    def _keep(self, id: str, signature: bytes, source: bytes, bands: list[bytes]) -> None:
        if self._of % 2**self._thinned:
            return
        self._kept[self._of] = (signature, id, source)
        self._bands |= {band: self._of for band in bands if band not in self._bands}
        if len(self._kept) > KEPT:
            self._thinned += 1
            self._kept = {number: kept for number, kept in self._kept.items() if number % 2**self._thinned == 0}
            self._bands = {band: number for band, number in self._bands.items() if number in self._kept}

    def findings(self) -> Iterator[Finding]:
        if self._of >= FEWEST and self._hits > self.limit * self._of:
            about = "About " if self._thinned else ""
            what = f"{about}{share_of(round(self._hits), self._of)} of the samples are nearly the same as another one"
            yield self.found(what, self._ids[:EXAMPLES], (), self._of)


class OtherAnswers(Lint):
    """Short answers to what an earlier sample, which shows the same word for word, answers otherwise."""

    name = "same-question-other-answer"
    # Of labels that people gave one in a hundred may be a slip.
    share = 0.01
    counts = "samples with short answers"
    teaches = "and a model would learn to guess"
    mend = "find out which is right, and reject the other; where several answers are right, switch this lint off"

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._of = 0
        self._hits = 0.0
        self._ids: list[str] = []
        self._bars: Counter[str] = Counter()
        self._thinned = 0
        self._kept: dict[int, tuple[str, str]] = {}
        """Answer and id of the first sample of each question, by a hash of what that shows."""

    def see(self, sample: Seen) -> None:
        if sample.prompt is None or not _answers_shortly(sample):
            return
        self._of += 1
        question = int.from_bytes(digest(*sample.texts(train=False))[:8], "little")
        if question % 2**self._thinned:
            return
        said = " / ".join(spelling for answer in sample.answers if (spelling := _spelt(answer.plain)))
        before, id = self._kept.setdefault(question, (said, sample.id))
        if before != said:
            self._hits += 2.0**self._thinned
            self._ids += [one for one in (id, sample.id) if one not in self._ids][: max(0, EXAMPLES - len(self._ids))]
            pair = " | ".join(sorted((before, said)))
            if pair in self._bars or len(self._bars) < COUNTERS:
                self._bars[pair] += 1
        elif len(self._kept) > KEPT:
            self._thinned += 1
            self._kept = {one: first for one, first in self._kept.items() if one % 2**self._thinned == 0}

    def findings(self) -> Iterator[Finding]:
        if self._of >= FEWEST and self._hits > self.limit * self._of:
            about = "About " if self._thinned else ""
            some = f"{about}{share_of(round(self._hits), self._of)}"
            what = f"{some} of the samples with short answers are asked what an earlier one is, and answer otherwise"
            yield self.found(what, self._ids, tuple(self._bars.most_common(BARS)), self._of)


def _answers_shortly(sample: Seen) -> bool:
    """Longer answers may all be right, each in its own words, and so may the ways to go about a task with tools."""
    calls = any(turn["train"] and turn.get("tool_calls") for turn in sample.messages)
    return bool(sample.answers) and not calls and all(answer.is_short for answer in sample.answers)


def _spelt(answer: str) -> str:
    """An answer without capitals, and without the marks around it."""
    return " ".join(answer.lower().split()).strip(" .!*_`\"'")


def _runs_of(sample: Seen) -> list[str]:
    """The runs of three words of a sample, its trained turns first; none where it says too little to be compared."""
    words: list[str] = []
    for train in (True, False):
        for text in sample.texts(train=train):
            if len(words) < WORDS:
                words += text[: 10 * WORDS].lower().split()
    words = words[:WORDS]
    return (
        [f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)]
        if len(words) >= FEWEST_WORDS
        else []
    )


def _signature(runs: list[str]) -> bytes:
    from rensa import RMinHash  # type: ignore[import-untyped]

    made = RMinHash(num_perm=PERMUTATIONS, seed=1)
    made.update(runs)
    return b"".join(value.to_bytes(4, "little") for value in made.digest())


def _alike(one: bytes, other: bytes) -> float:
    """About the share of runs that two samples have in common."""
    same = sum(one[place : place + 4] == other[place : place + 4] for place in range(0, 4 * PERMUTATIONS, 4))
    return same / PERMUTATIONS
