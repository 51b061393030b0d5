"""A small recipe whose prompts can be worded otherwise and whose judge has a threshold, as files in a folder."""

from __future__ import annotations

from pathlib import Path

RECIPE = '''
from retroweave import Config, Pipeline, assistant, compute, family, given, judge, layout, prompt, recipe, user
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.source import SourceRow
from retroweave.text.generation import generate
from retroweave.text.variants import recipe_words

words = recipe_words(__file__)
PROVERBS = [
    "A watched pot never boils.", "The early bird catches the worm.", "New brooms sweep clean.", "Haste makes waste."
]


class Proverbs(Config):
    model: str = "scripted:answers.yaml"
    """The model that explains."""
    temperature: float = 0.5
    """Not a threshold."""
    sure: float = 0.5
    """How sure the judge must be."""
    short: int = 12
    """Words at most."""


def rows():
    for proverb in PROVERBS:
        yield SourceRow(key=proverb, fields={"proverb": proverb}, license="CC0-1.0", place=proverb)


def in_two_moods(proverb: str) -> list[str]:
    return ["merry", "solemn"]


def is_short(explanation: str) -> bool:
    return len(explanation.split()) <= 12


@recipe
def proverbs(config: Proverbs) -> Pipeline:
    """Explain a proverb."""
    return Pipeline(
        given(rows, {"proverb": str}, licenses=("CC0-1.0",), fingerprint=lambda: "4", again=False),
        compute(in_two_moods, writes="mood", many=True),
        family(
            prompt(generate(words.prompt("explain"), model="writer"), writes="explanation", plain="question"),
            judge(
                yes_no([words.prompt("clear"), words.prompt("kind")], model="writer", threshold=config.sure),
                raises="explanation",
                good={"explanation": "GOOD", "proverb": "p"},
                spoiled={"explanation": "BAD"},
                name="clear",
                score="clarity",
            ),
            judge(
                is_short,
                raises="explanation",
                good={"explanation": "Help makes work easy."},
                spoiled={"explanation": "so " * 20},
            ),
            want=1,
            tries=3,
        ),
        layout(user("{question}"), assistant("{explanation}"), floor="judged"),
        models={"writer": config.model},
        measures=["clarity", "mood"],
        keep=["proverb", "mood"],
        validation=0,
    )
'''

EXPLAIN = """\
---
max_tokens: 40
temperature: 0.7
shots: 1
---
%% system
You explain proverbs in a {{ mood }} way.
%% example user
{{ example.proverb }}
%% example assistant
{{ example.explanation }}
%% user
{{ proverb }}
%% plain
What does it say? {{ proverb }}
"""

EXAMPLES = """\
# Written by hand.
- proverb: Many hands make light work.
  explanation: A job is easier when everybody helps.
- proverb: Look before you leap.
  explanation: Think first.
"""

ANSWERS = """\
- when: [clear, GOOD]
  p_yes: 0.9
- when: [kind, GOOD]
  p_yes: 0.9
- when: [clear, BAD]
  p_yes: 0.1
- when: [kind, BAD]
  p_yes: 0.1
- {when: [Is it clear, "Waste"], p_yes: 0.3}
- {when: [Is it clear], p_yes: 0.8}
- {when: [Is it kind], p_yes: 0.8}
- {when: [Better yet, "watched pot"], answer: Do something else and it will boil.}
- {when: [Better yet], answer: Do it well and do it soon.}
- {when: ["watched pot", merry], answer: "Waiting is long, ha!"}
- {when: ["watched pot"], answer: Waiting feels longer when you do nothing else.}
- {when: ["early bird"], answer: Who comes first gets the best.}
- {when: ["New brooms", merry], answer: "so so so so so so so so so so so so so so so so so"}
- {when: ["New brooms"], answer: Somebody new works hardest.}
- {when: ["Haste"], answer: Waste comes of haste.}
"""


def write_recipe(folder: Path) -> Path:
    """`proverbs.py` with its words and a scripted model's answers; `folder` is to be the working folder."""
    words = folder / "proverbs"
    words.mkdir()
    (folder / "proverbs.py").write_text(RECIPE)
    (words / "explain.prompt").write_text(EXPLAIN)
    (words / "explain.examples.yaml").write_text(EXAMPLES)
    (words / "clear.prompt").write_text("%% user\nIs it clear? {{ proverb }}: {{ explanation }}\n")
    (words / "kind.prompt").write_text("%% user\nIs it kind? {{ proverb }}: {{ explanation }}\n")
    (folder / "answers.yaml").write_text(ANSWERS)
    return folder / "proverbs.py"
