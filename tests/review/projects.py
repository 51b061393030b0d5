"""Runs to review, made by recipes of which a test knows every answer.

`sums` has rows by the hundred, a model that is wrong now and then, and a judge that is wrong now and then: whether a
row is right can be worked out. `reading` has real sentences, for pictures. `hostile` has all that a text may try on a
page.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
import yaml

__all__ = ["HOSTILE", "is_right", "write_hostile", "write_reading", "write_sums"]

RECIPE = '''"""{title}"""

from collections.abc import Iterator
from pathlib import Path

import orjson
from pydantic import Field

from retroweave import Config, Pipeline, assistant, given, judge, layout, prompt, recipe, user
from retroweave.judges.yes_no import yes_no
from retroweave.pipeline.source import SourceRow
from retroweave.text.generation import generate
from retroweave.text.variants import recipe_words

words = recipe_words(__file__)
HERE = Path(__file__).parent


class {config}(Config):
    model: str = f"scripted:{{HERE / '{name}' / 'answers.yaml'}}"
    """The model that writes and judges."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the judge must be."""


def rows() -> Iterator[SourceRow]:
    for number, line in enumerate((HERE / "{name}" / "rows.jsonl").read_bytes().splitlines()):
        yield SourceRow(
            key=str(number), fields=orjson.loads(line), license="CC0-1.0", place=f"rows.jsonl, line {{number + 1}}"
        )


@recipe
def {name}(config: {config}) -> Pipeline:
    """{title}"""
    return Pipeline(
        given(rows, {fields}, licenses=("CC0-1.0",), fingerprint=lambda: "1", again=False),
        prompt(generate(words.prompt("write"), model="writer"), writes="{written}"),
        judge(
            yes_no(words.prompt("fits"), model="judge", threshold=config.sure, about="{about}"),
            raises="{written}",
            score="sure",
            good={good},
            spoiled={spoiled},
            name="fits",
        ),
        layout({turns}, floor="judged"),
        models={{"writer": config.model, "judge": config.model}},
        keep=["{about}"],
        measures=["sure"],
    )
'''

SUMS = {
    "title": "Sums, worked out.",
    "name": "sums",
    "config": "Sums",
    "fields": '{"number": str, "sum": str}',
    "written": "result",
    "about": "sum",
    "good": '{"number": "good", "sum": "1 + 1", "result": "2"}',
    "spoiled": '{"result": "three"}',
    "turns": 'user("Number {number}: what is {sum}?"), assistant("{result}")',
}

READING = {
    "title": "Questions for a reading test.",
    "name": "reading",
    "config": "Reading",
    "fields": '{"passage": str, "answer": str, "tone": str}',
    "written": "question",
    "about": "passage",
    "good": (
        '{"passage": "Marta walked the four miles to Lund.", "answer": "four miles", '
        '"question": "How far did Marta walk?"}'
    ),
    "spoiled": '{"question": "What colour was the door?"}',
    "turns": 'user("{passage}\\n\\nWrite a question that is answered by: {answer}"), assistant("{question}")',
}


def is_right(sum_: str, result: str) -> bool:
    first, _, second = sum_.partition(" + ")
    return result == f"{int(first) + int(second)}"


def write_sums(folder: Path, count: int = 400) -> str:
    """Write the recipe, its rows and its model's answers; seven of ten are right, and the judge sees it mostly.

    Asked to "Reckon" and not to "Work out", the model is right each time.
    """
    drawn = random.Random(7)
    rows, answers = [], GOOD_SUM.copy()
    for number in range(count):
        first, second = drawn.randrange(10, 90), drawn.randrange(10, 90)
        right = drawn.random() < 0.7
        result = first + second + (0 if right else drawn.choice([-10, -1, 1, 10]))
        place = f"number {number:03}:"
        rows.append({"number": f"{number:03}", "sum": f"{first} + {second}"})
        answers.append(_says("Work out", place, answer=str(result)))
        answers.append(_says("Reckon", place, answer=str(first + second)))
        answers.append(_judges("Is it right", place, sure=drawn.gauss(0.75 if right else 0.35, 0.2)))
    prompts = {
        "write": "---\nmax_tokens: 20\n---\n%% user\nWork out number {{ number }}: {{ sum }}\n",
        "fits": "%% user\nIs it right? number {{ number }}: {{ sum }} = {{ result }}\n",
    }
    return _write(folder, SUMS, rows, answers, prompts)


def write_reading(folder: Path, labelled: Path) -> str:
    """Write the recipe over a file of labelled questions: the model asks each of them.

    Told not to give the answer away, it asks a better one where there is one.
    """
    drawn = random.Random(3)
    known = [orjson.loads(line) for line in labelled.read_bytes().splitlines()]
    better = {(one["passage"], one["answer"]): one["question"] for one in known if one["label"] == "yes"}
    rows = []
    answers = [
        _judges("Does this answer", "Marta", "What colour", sure=0.05),
        _judges("Does this answer", "Marta walked the four", sure=0.93),
    ]
    for number, found in enumerate(known):
        tone = f"Keep it to one line ({number})."
        asked = better.get((found["passage"], found["answer"]), found["question"])
        judged = f"Q: {found['question']}\nA: {found['answer']}"
        rows.append({"passage": found["passage"], "answer": found["answer"], "tone": tone})
        answers.append(_says("Do not give the answer away", tone, answer=asked))
        answers.append(_says("Write the one question", tone, answer=found["question"]))
        sure = drawn.gauss(0.76 if found["label"] == "yes" else 0.42, 0.17)
        answers.append(_judges("Does this answer", found["passage"], judged, sure=sure))
    answers.append(_says("Write the one question", answer="What does the passage say?"))
    answers.append(_judges("Does this answer", sure=0.3))
    prompts = {
        "write": (
            "---\nmax_tokens: 60\n---\n%% system\nYou write questions for a reading test.\n%% user\n"
            "{{ passage }}\n\nWrite the one question that is answered by: {{ answer }}\n{{ tone }}\n"
        ),
        "fits": "%% user\n{{ passage }}\n\nDoes this answer fit this question?\nQ: {{ question }}\nA: {{ answer }}\n",
    }
    return _write(folder, READING, rows, answers, prompts)


HOSTILE = (
    "<script>document.title = 'owned'</script>",
    '<img src="https://example.org/x.png" onerror="document.title=1">',
    '"><a href="javascript:alert(1)">click</a>',
    "{{ config }} {% for x in y %} ${7*7} {0.__class__}",
    "</textarea></template><!-- --> <![CDATA[ &lt;script&gt;",
    "a\x00b\x07c\x1b[31md\u202ee\u2066f\x85g",
    "```python\ndef f(x):\n    return '<b>' + x\n```",
    "--- a.txt\n+++ a.txt\n@@ -1,1 +1,1 @@\n-<i>old</i>\n+<script>new()</script>\n",
    "x" * 1_000_000,
)


def write_hostile(folder: Path) -> str:
    """Rows that hold what a text may try, in the prompt and in the model's answer."""
    rows, answers = [], GOOD_SUM.copy()
    for number, text in enumerate(HOSTILE):
        place = f"number {number:03}:"
        rows.append({"number": f"{number:03}", "sum": text})
        answers.append(_says("Work out", place, answer=f"Answer:\n{text[:5000]}"))
        answers.append(_judges("Is it right", place, sure=0.2 if number in (1, 4) else 0.9))
    prompts = {
        "write": "---\nmax_tokens: 5000\n---\n%% user\nWork out number {{ number }}: {{ sum }}\n",
        "fits": "%% user\nIs it right? number {{ number }}:\n{{ sum }}\n{{ result }}\n",
    }
    turns = 'user("Number {number}:\\n{sum}"), assistant("{result}")'
    return _write(folder, SUMS | {"turns": turns}, rows, answers, prompts)


def _says(*when: str, answer: str) -> dict[str, Any]:
    """An entry of the scripted model."""
    return {"when": list(when), "answer": answer}


def _judges(*when: str, sure: float) -> dict[str, Any]:
    return _says(*when, answer="Yes") | {"p_yes": round(min(max(sure, 0.02), 0.98), 3)}


GOOD_SUM = [
    _judges("Is it right", "number good:", "three", sure=0.04),
    _judges("Is it right", "number good:", sure=0.96),
]


def _write(
    folder: Path, recipe: dict[str, str], rows: list[dict[str, str]], answers: object, prompts: dict[str, str]
) -> str:
    words = folder / recipe["name"]
    words.mkdir(parents=True, exist_ok=True)
    (words / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    (words / "answers.yaml").write_text(yaml.safe_dump(answers, allow_unicode=True, width=10**7), "utf-8")
    for name, text in prompts.items():
        (words / f"{name}.prompt").write_text(text, "utf-8")
    path = folder / f"{recipe['name']}.py"
    path.write_text(RECIPE.format(**recipe), "utf-8")
    return str(path)
