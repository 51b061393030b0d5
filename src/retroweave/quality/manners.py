"""Habits of answers: how they begin and end, how long they are, what they always say, how they behave.

They are looked for in each layout by itself, for a layout has its own form, and a model can tell by the prompt which
one is asked for. The phrases of good and bad manners are English ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

from retroweave.quality.habits import BARS, FEWEST, Counted, Finding, Lint, share_of
from retroweave.quality.seen import Answer, Seen, first_words, last_words
from retroweave.quality.tallies import EXAMPLES, Spread, Tally
from retroweave.text.languages import language_of

__all__ = ["Apologies", "LanguageMix", "OneClosing", "OneLength", "OneOpening", "OneVerdict", "Praise", "Refusals"]

OPENING_WORDS = 4
"""Enough to tell a phrase (`Sure, here is the`) from an ordinary first word (`The`)."""
LENGTH_VARIATION = 0.05
"""Standard deviation by mean. Texts that people write to one purpose vary by a third and more."""
HEAD = 100
TAIL = 160
"""Characters at an answer's end in which a closing phrase stands."""


class _Same(Lint):
    """Answers of a layout that have one thing in common, as a text: that which most of them have is told."""

    counts = "trained turns of a layout"
    have: ClassVar[str]
    """How they have it, with {thing} for the text."""

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._all: defaultdict[str, int] = defaultdict(int)

    def thing(self, answer: Answer) -> str:
        """Empty where an answer has none."""
        raise NotImplementedError

    def see(self, sample: Seen) -> None:
        for answer in sample.answers:
            self._all[sample.layout] += 1
            if thing := self.thing(answer):
                self._tallies[sample.layout].add(thing, sample.id)

    def findings(self) -> Iterator[Finding]:
        for layout, tally in self._tallies.items():
            thing, count, ids = tally.most_common()
            of = self._all[layout]
            if of >= FEWEST and count > self.limit * of:
                has = self.have.format(thing=repr(thing))
                what = f"{share_of(count, of)} of the trained turns of layout {layout!r} {has}"
                yield self.found(what, ids, tally.bars(BARS), of)


class OneOpening(_Same):
    """Answers that begin with the same four words; tags, fences and the heads of diffs are no beginning."""

    name = "one-opening"
    share = 0.5
    have = "begin with {thing}"
    teaches = "which a model would learn to say whatever it is asked"
    mend = "vary the wording of the layout or of the step that writes the answer"

    def thing(self, answer: Answer) -> str:
        # The opening of a verdict says nothing that the verdict does not.
        return "" if answer.is_short else first_words(answer.text, OPENING_WORDS)


class OneClosing(_Same):
    """Answers that end with the same four words."""

    name = "one-closing"
    share = 0.5
    have = "end with {thing}"
    teaches = "which a model would learn to close everything with"
    mend = "vary the wording of the layout or of the step that writes the answer, or leave it out"

    def thing(self, answer: Answer) -> str:
        return "" if answer.is_short else last_words(answer.text, OPENING_WORDS)


class OneVerdict(_Same):
    """Short answers, such as yes and no, of which one is nearly always given."""

    name = "one-verdict"
    # A verdict with two outcomes may be as uneven as the world is; beyond this always saying it is a good strategy.
    share = 0.7
    have = "are {thing} and no more"
    teaches = "which a model would learn to say always"
    mend = "add rows with other answers, or cap this one"

    def thing(self, answer: Answer) -> str:
        return " ".join(answer.plain.lower().split()) if answer.is_short else ""


class OneLength(Lint):
    """Longer answers that have just one number of characters, or nearly one."""

    name = "one-length"
    # Among answers longer than a verdict the same number of characters is chance; for three in ten it is a mould.
    share = 0.3
    counts = "longer trained turns of a layout"
    teaches = "which a model would learn to fill whatever there is to say"
    mend = "take sources of other lengths, or look whether answers are cut off"

    def __init__(self, share: float | None = None) -> None:
        super().__init__(share)
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._spreads: defaultdict[str, Spread] = defaultdict(Spread)
        self._ids: defaultdict[str, list[str]] = defaultdict(list)

    def see(self, sample: Seen) -> None:
        for answer in sample.answers:
            if answer.is_short:
                continue
            self._tallies[sample.layout].add(str(len(answer.text)), sample.id)
            self._spreads[sample.layout].add(len(answer.text))
            if len(self._ids[sample.layout]) < EXAMPLES:
                self._ids[sample.layout].append(sample.id)

    def findings(self) -> Iterator[Finding]:
        for layout, spread in self._spreads.items():
            length, count, ids = self._tallies[layout].most_common()
            if spread.count < FEWEST:
                continue
            bars = tuple((f"{length} characters", count) for length, count in self._tallies[layout].bars(BARS))
            if count > self.limit * spread.count:
                what = f"{share_of(count, spread.count)} of the trained turns of layout {layout!r} have just {length} "
                yield self.found(f"{what}characters", ids, bars, spread.count)
            elif self.limit < 1 and spread.variation < LENGTH_VARIATION:
                what = f"All {spread.count} longer trained turns of layout {layout!r} have nearly one length, "
                what += f"{spread.mean:.0f} characters give or take {spread.variation:.1%}"
                yield self.found(what, self._ids[layout], bars, spread.count)


class _Said(Counted):
    """Answers in which a phrase stands at the beginning, or at the end."""

    counts = "trained turns of a layout"
    opening: ClassVar[re.Pattern[str]]
    closing: ClassVar[re.Pattern[str] | None] = None
    head: ClassVar[int] = HEAD

    def hits(self, sample: Seen) -> Iterator[str | None]:
        for answer in sample.answers:
            found = self.opening.search(answer.head(self.head))
            if found is None and self.closing is not None:
                found = self.closing.search(answer.tail(TAIL))
            yield None if found is None else " ".join(found[0].lower().split())


class Praise(_Said):
    """Answers that praise the question, are delighted to help, or hope that this helps."""

    name = "praise"
    share = 0.02
    what = "of the trained turns of layout {layout} praise or gush"
    teaches = "and a model would learn to flatter before it answers"
    mend = "take such phrases out of the step or the words that bring them in, or reject rows that have them"
    opening = re.compile(
        r"\b(?:great|good|excellent|fantastic|wonderful|interesting|thoughtful|insightful|lovely|amazing) "
        r"(?:question|point|idea|choice|request|observation|start|work|job)\b"
        r"|^(?:certainly|absolutely|of course|sure|sure thing|definitely|gladly|great|perfect|wonderful)\s*[!,]"
        r"|\bI(?:'d| would| am|'m|'ll| will)(?: be)?(?: so| very| more than)? "
        r"(?:happy|glad|delighted|thrilled|excited) to\b"
        r"|\bwhat an? (?:great|lovely|wonderful|excellent|beautiful|interesting|fascinating) ",
        re.IGNORECASE,
    )
    closing = re.compile(
        r"\bI hope (?:this|that|it) (?:helps|is helpful)|\b(?:let me know|feel free to \w+)(?: me)? (?:if|for|with)\b"
        r"|\b(?:happy|glad) to help\b|\bgood luck!|\bkeep up the (?:good|great) work|\byou've got this\b",
        re.IGNORECASE,
    )


class Apologies(_Said):
    """Answers that begin by being sorry."""

    name = "apologies"
    share = 0.02
    what = "of the trained turns of layout {layout} apologise"
    teaches = "and a model would learn to be sorry where nothing is amiss"
    mend = "take the phrase out of the step that brings it in, or reject rows that have it"
    opening = re.compile(
        r"\bI(?:'m| am)(?: so| very| really| terribly| deeply)? sorry\b|\bI apologi[sz]e\b|\b(?:my|our) apologies\b"
        r"|^(?:apologies|sorry)\b",
        re.IGNORECASE,
    )


class Refusals(_Said):
    """Answers that refuse, or speak of being an AI; a recipe that means it says so in a measure `refusal`."""

    name = "refusals"
    share = 0.005
    what = "of the trained turns of layout {layout} refuse"
    teaches = "and a model would learn to refuse what it could do"
    mend = (
        "reject such rows where a model wrote them; where the refusal is the right answer, let the recipe say so in a "
        "measure `refusal`"
    )
    head = 200
    opening = re.compile(
        r"\bI (?:can(?:not|'t| not)|could(?: not|n't)|won't|will not|must decline)(?: to)? "
        r"(?:help|assist|provide|comply|answer|fulfil\w*|create|write|generate|continue|share|do (?:that|this))\b"
        r"|\bI(?:'m| am) (?:unable|not able) to\b|\bas an? (?:AI|(?:large )?language model)\b"
        r"|\bI(?:'m| am)(?: just| only)? an AI\b"
        r"|\bagainst my (?:guidelines|policy|programming)",
        re.IGNORECASE,
    )

    def hits(self, sample: Seen) -> Iterator[str | None]:
        return iter(()) if sample.measures.get("refusal") is True else super().hits(sample)


class LanguageMix(Counted):
    """Answers in another language than their prompt, where both can be told."""

    name = "language-mix"
    share = 0.02
    counts = "samples of a layout whose languages can be told"
    what = "of the samples of layout {layout} answer in another language than they are asked in"
    teaches = "and a model would learn to change the language unasked"
    mend = "reject such rows; where translation is the task, switch this lint off"

    def hits(self, sample: Seen) -> Iterator[str | None]:
        if sample.prompt is None or not sample.answers:
            return
        short, long = sorted((sample.prompt, sample.answers[-1].plain), key=len)
        # Of a short text nothing can be told, at once.
        if (one := language_of(short)) and (other := language_of(long)):
            asked, answered = (one, other) if short is sample.prompt else (other, one)
            yield None if asked == answered else f"{asked}, then {answered}"
