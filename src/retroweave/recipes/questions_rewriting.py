"""The passage in other styles before anything is asked of it: easy, encyclopaedic, a dialogue, technical.

A model rewrites, and two things keep it to what the passage says. A program lets in no number and no name that the
passage has not; and a judge is asked whether the rewritten text says anything else. What is rewritten is shown and
never trained. After the styles of Maini et al., "Rephrasing the Web" (2024), which they call WRAP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from retroweave import compute, family, judge, mix, prompt, verify
from retroweave.judges.yes_no import yes_no
from retroweave.text.copying import copies_run
from retroweave.text.generation import generate
from retroweave.text.variants import Words

__all__ = ["STYLES", "is_rewritten", "says_no_new_name", "shown_as"]

STYLES = ("as-it-is", "easy", "encyclopaedic", "dialogue", "technical")

PASSAGE = (
    "Marta had meant to take the tram. It did not come, for the wires were iced, so she walked the four miles to Lund, "
    "and was there by 9 o'clock."
)
GOOD = {
    "passage": PASSAGE,
    "shown": "Marta wanted to take the tram. There was ice on its wires and it did not come. She walked to Lund, which "
    "is four miles. She was there by 9 o'clock.",
}
STRAYED = "Marta wanted to take the bus, but it was full. She stayed at home all day, and Lund was four miles away."


def shown_as(styles: Sequence[str], words: Words, *, sure: float, tries: int) -> tuple[Any, ...]:
    """The steps that write `shown`, what is shown of the passage, and its `style`, drawn from `styles`."""
    plain = (compute(partial(_named, "as-it-is"), writes="style", name="style"), compute(as_it_is, writes="shown"))
    arms = {style: _rewritten(style, words, sure, tries) if style != "as-it-is" else plain for style in styles}
    if list(arms) == ["as-it-is"]:
        return plain
    weighted: dict[str, Any] = {name.replace("-", "_"): (styles.count(name), *steps) for name, steps in arms.items()}
    return (mix("style", **weighted),)


def as_it_is(passage: str) -> str:
    return passage


def _named(style: str) -> str:
    return style


def _rewritten(style: str, words: Words, sure: float, tries: int) -> tuple[Any, ...]:
    return (
        compute(partial(_named, style), writes="style", name="style"),
        family(
            prompt(
                generate(words.prompt(f"rewrite_{style}"), model="writer", parse=with_line_end),
                writes="shown",
                name="rewrite",
            ),
            verify(is_rewritten, good=GOOD, spoiled={"shown": PASSAGE}),
            verify(says_no_new_name, good=GOOD, spoiled={"shown": f"{GOOD['shown']} Her sister Ilse came at 11."}),
            judge(
                yes_no(words.prompt("faithful"), model="judge", threshold=sure),
                raises="shown",
                accepts_right=0.9,
                accepts_wrong=0.15,
                good=GOOD,
                spoiled={"shown": STRAYED},
                name="says nothing else",
            ),
            want=1,
            tries=tries,
            name="rewritten until it passes",
        ),
    )


def with_line_end(text: str) -> str:
    """As a passage ends, so that both stand in the same frames."""
    return f"{text.strip()}\n"


def is_rewritten(passage: str, shown: str) -> bool:
    """Of about the passage's length, and not copied from it for 25 words on end."""
    return 0.4 <= len(shown) / len(passage) <= 2.5 and not copies_run(shown, passage, 25)


def says_no_new_name(passage: str, shown: str) -> bool:
    """Each number in figures, and each word with a capital that does not only begin a sentence, is the passage's."""
    known = set(re.findall(r"\w+", passage.lower()))
    names = re.findall(r"(?<=[a-z,;] )[A-Z]\w*[a-z]\w*", shown)
    new_numbers = set(re.findall(r"\d+", shown)) - set(re.findall(r"\d+", passage))
    return not new_numbers and all(name.lower() in known for name in names)
