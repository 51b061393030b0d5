"""Seven shapes of pipeline that the model must hold, with steps as small as they can be.

Prose repair in four layouts; debugging with a family of mutants, single and several bugs; questions grounded in a text,
drawn again until enough are good; a poem with a weaker middle turn; a walk from one program to another out of an index;
balanced yes and no; two prompts on the same rows. No model is asked: what would ask one waits a moment instead.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from tests.pipeline.small import source

from retroweave import (
    About,
    Drop,
    Pipeline,
    also,
    assistant,
    compute,
    corrupt,
    each,
    family,
    judge,
    layout,
    mix,
    over,
    prompt,
    reverse,
    user,
    verify,
)
from retroweave.pipeline.pipeline import Cap
from retroweave.pipeline.step import Resource, Step

T = TypeVar("T")

WORDS = (
    *("the", "a", "river", "stone", "engineer", "wrote", "letters", "about", "winter", "bread"),
    *("cities", "grow", "old", "people", "read", "books", "slowly"),
)


async def later(answer: T) -> T:
    """An answer from outside: right away or a little later, never twice after the same time."""
    await asyncio.sleep(random.random() / 2000)
    return answer


def passages(count: int) -> list[dict[str, Any]]:
    """Four lines of nine words each."""
    drawn = [random.Random(number) for number in range(count)]
    return [{"passage": "\n".join(" ".join(rng.choices(WORDS, k=9)) for _ in range(4))} for rng in drawn]


# ---------------------------------------------------------------------------------------------- prose repair


Operation = tuple[int, str]
"""The line, and what was done to it."""


def damage(passage: str, pool: Resource[list[str]], rng: random.Random) -> tuple[str, list[Operation]]:
    lines = passage.split("\n")
    operations = []
    for number in sorted(rng.sample(range(len(lines)), 2)):
        words = lines[number].split(" ")
        at = rng.randrange(len(words) - 1)
        foreign = rng.random() < 0.2
        words[at : at + 2] = [rng.choice(pool), words[at + 1]] if foreign else [words[at + 1], words[at]]
        if (damaged := " ".join(words)) != lines[number]:
            lines[number] = damaged
            operations.append((number, "foreign word" if foreign else "swapped words"))
    if not operations:
        raise Drop("the damage undid itself")
    return "\n".join(lines), operations


def diagnose(operations: list[Operation]) -> str:
    return "\n".join(f"line {line}: {name}" for line, name in operations)


def diagnosis_holds(damaged: About[str], diagnosis: str, passage: str) -> bool:
    pairs = enumerate(zip(damaged.split("\n"), passage.split("\n"), strict=True))
    return [item.split(":")[0] for item in diagnosis.split("\n")] == [f"line {n}" for n, (a, b) in pairs if a != b]


def write_lines(damaged: About[str], passage: str) -> str:
    pairs = enumerate(zip(damaged.split("\n"), passage.split("\n"), strict=True))
    return json.dumps({number: right for number, (wrong, right) in pairs if wrong != right})


def lines_restore(damaged: About[str], patch: str, passage: str) -> bool:
    right = json.loads(patch)
    return [right.get(str(n), line) for n, line in enumerate(damaged.split("\n"))] == passage.split("\n")


def write_words(damaged: About[str], passage: str) -> str:
    pairs = enumerate(zip(damaged.split(), passage.split(), strict=True))
    return json.dumps({place: right for place, (wrong, right) in pairs if wrong != right})


def words_restore(damaged: About[str], patch: str, passage: str) -> bool:
    right = json.loads(patch)
    return [right.get(str(n), word) for n, word in enumerate(damaged.split())] == passage.split()


def restoring(check: Callable[..., bool], name: str) -> Step:
    good = {
        "damaged": "b a",
        "passage": "a b",
        "patch": '{"0": "a b"}' if check is lines_restore else '{"0": "a", "1": "b"}',
    }
    return verify(check, raises="patch", strength="proved", good=good, spoiled={"patch": '{"0": "c"}'}, name=name)


def prose_repair() -> Pipeline:
    """A diagnosis that was replayed, and the repair in one of four forms, in proportion."""
    question = user("Repair this.\n\n{damaged}")
    return Pipeline(
        source(*passages(300)),
        corrupt(damage, into="damaged", log="operations"),
        compute(diagnose, writes="diagnosis"),
        verify(
            diagnosis_holds,
            raises="diagnosis",
            good={"damaged": "b a\nc", "passage": "a b\nc", "diagnosis": "line 0: swapped words"},
            spoiled={"diagnosis": "line 1: swapped words"},
        ),
        mix(
            "form",
            lines=(
                4,
                compute(write_lines, writes="patch"),
                restoring(lines_restore, "lines restore"),
                reverse(question, assistant("{diagnosis}\n{patch}"), name="lines"),
            ),
            words=(
                3,
                compute(write_words, writes="patch"),
                restoring(words_restore, "words restore"),
                reverse(question, assistant("{diagnosis}\n{patch}"), name="words"),
            ),
            whole=(2, reverse(question, assistant("{diagnosis}\n{passage}"), name="whole")),
            short=(1, reverse(question, assistant("{diagnosis}"), name="short")),
        ),
        resources={"pool": ["zebra", "quartz", "lantern"]},
        caps=[Cap("layout", {"lines": 0.4, "words": 0.3, "whole": 0.2, "short": 0.1})],
        keep=["operations"],
    )


# ---------------------------------------------------------------------------------------------- debugging

ARITHMETIC = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y, "times": lambda x, y: x * y}

PROGRAMS = [
    f"{first} {n}\n{second} {n + 1}\n{third} 2"
    for first in ARITHMETIC
    for second in ARITHMETIC
    for third in ARITHMETIC
    for n in (2, 3, 5)
]
"""A program is a line for each thing done to a number: `add 2`, `times 3`."""

Tests = list[tuple[int, int]]
Edit = tuple[int, str]


def outcome(program: str, number: int) -> int:
    for line in program.split("\n"):
        name, _, operand = line.partition(" ")
        number = ARITHMETIC[name](number, int(operand))
    return number


def edited(program: str, edit: Edit) -> str:
    at, line = edit
    lines = program.split("\n")
    return "\n".join([*lines[:at], line, *lines[at + 1 :]])


def record_tests(original: str, rng: random.Random) -> Tests:
    return [(number, outcome(original, number)) for number in rng.sample(range(-9, 10), 4)]


def sites(original: str) -> Iterator[Edit]:
    """Each line with another operation, and with a number that is off by one."""
    for at, line in enumerate(original.split("\n")):
        name, _, operand = line.partition(" ")
        yield from ((at, f"{other} {operand}") for other in ARITHMETIC if other != name)
        yield at, f"{name} {int(operand) + 1}"


def break_it(original: str, edit: Edit) -> tuple[str, str]:
    return edited(original, edit), f"line {edit[0]} became {edit[1]}"


def observe(broken: About[str], tests: About[Tests]) -> list[int]:
    return [outcome(broken, number) for number, _ in tests]


def caught(outputs: About[list[int]], tests: About[Tests]) -> bool:
    return outputs != [wanted for _, wanted in tests]


def write_log(outputs: About[list[int]], tests: About[Tests]) -> str:
    pairs = zip(outputs, tests, strict=True)
    return "\n".join(f"f({number}): expected {wanted}, got {got}" for got, (number, wanted) in pairs if wanted != got)


def log_is_real(log: str, broken: About[str], tests: About[Tests]) -> bool:
    return log == write_log(observe(broken, tests), tests)


def one_each_behaviour(bugs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({str(bug["outputs"]): bug for bug in bugs}.values())[:4]


def stack_bugs(
    original: str, bugs: About[list[dict[str, Any]]], tests: About[Tests], rng: random.Random
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Several bugs at once, repaired line by line: the broken program, and for each turn the log and the repair."""
    for _ in range(2):
        chosen = {bug["edit"][0]: bug["edit"] for bug in rng.sample(bugs, min(2, len(bugs)))}
        states = [original]
        for edit in chosen.values():
            states.append(edited(states[-1], edit))
        states.reverse()
        logs = [write_log(observe(state, tests), tests) for state in states[:-1]]
        lines = [original.split("\n")[at] for at in reversed(chosen)]
        if all(logs):
            yield states[0], logs, [f"{at}: {line}" for at, line in zip(reversed(chosen), lines, strict=True)]


def repairs_restore(first: About[str], repairs: list[str], original: str) -> bool:
    for repair in repairs:
        at, _, line = repair.partition(": ")
        first = edited(first, (int(at), line))
    return first == original


def debugging() -> Pipeline:
    """Mutants that the tests catch, mended one by one, foreseen, or several in one conversation."""
    bug = {"broken": "add 3", "tests": [(1, 3)], "outputs": [4], "log": "f(1): expected 3, got 4"}
    return Pipeline(
        source(*({"original": program} for program in PROGRAMS)),
        compute(record_tests, writes="tests"),
        family(
            compute(sites, writes="edit", many=True),
            corrupt(break_it, into="broken", log="why"),
            compute(observe, writes="outputs"),
            verify(caught, good=bug, spoiled={"outputs": [3]}),
            compute(write_log, writes="log"),
            verify(log_is_real, raises="log", good=bug, spoiled={"log": "f(1): expected 3, got 5"}),
            into="bugs",
            pick=one_each_behaviour,
            name="mutants",
        ),
        also(
            single=(
                over("bugs"),
                mix(
                    "turns",
                    fix=(2, reverse(user("{broken}\n{log}"), assistant("{original}"), name="fix")),
                    foresee=(
                        1,
                        layout(
                            user("{broken}\nTests: {tests}"),
                            assistant("{log}"),
                            user("Now mend it."),
                            assistant("{original}"),
                            name="foresee",
                        ),
                    ),
                ),
            ),
            several=(
                corrupt(stack_bugs, into="first", log=("logs", "repairs"), many=True),
                verify(
                    repairs_restore,
                    raises="repairs",
                    good={"first": "add 3", "repairs": ["0: add 2"], "original": "add 2"},
                    spoiled={"repairs": []},
                ),
                layout(
                    user("{first}"), each(("logs", "repairs"), user("{logs}"), assistant("{repairs}")), name="several"
                ),
            ),
        ),
        measures=["original"],
    )


# ---------------------------------------------------------------------------------------------- grounded questions


def parse(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split("|"):
        question, _, answer = pair.partition(" = ")
        yield question, answer


async def stands_in(question: About[str], answer: str, chunk: str) -> bool:
    return await later(f"weighs {answer}." in chunk)


async def not_too_easy(question: About[str]) -> bool:
    return await later("easy" not in question)


def grounded_questions(version: str = "v1") -> Pipeline:
    """Two questions of a text, whose answers a judge found in it, drawn again until there are two."""

    async def ask_questions(chunk: str, rng: random.Random) -> str:
        stone, weight = chunk.split()[1], int(chunk.split()[3].rstrip("."))
        asked = [f"[{version}] {rng.choice(['easy', 'hard'])} {rng.random():.4f}: stone {stone}?" for _ in range(3)]
        return await later("|".join(f"{question} = {weight + (rng.random() < 0.3)}" for question in asked))

    return Pipeline(
        source(*({"chunk": f"Stone {number} weighs {number * number}."} for number in range(200))),
        family(
            prompt(ask_questions, writes="text"),
            compute(parse, writes=("question", "answer"), many=True),
            judge(
                stands_in,
                raises="answer",
                good={"question": "stone 2?", "answer": "4", "chunk": "Stone 2 weighs 4."},
                spoiled={"answer": "5"},
            ),
            judge(not_too_easy, good={"question": "hard?"}, spoiled={"question": "easy?"}),
            want=2,
            tries=4,
            name="questions",
        ),
        layout(user("{question}"), assistant("{answer}"), floor="judged", name="closed book"),
    )


# ---------------------------------------------------------------------------------------------- poetry


async def change(poem: str, theme: str, rng: random.Random) -> str:
    return await later(f"{poem} and {theme if rng.random() < 0.8 else 'nothing'}")


async def spoil(changed: str, rng: random.Random) -> str:
    return await later("".join(letter for letter in changed if rng.random() < 0.9))


async def keeps_theme(changed: str, theme: str) -> bool:
    return await later(theme in changed)


def worse(changed: About[str], bad: About[str]) -> bool:
    return bad != changed


def poetry(middle: Literal["judged", "unjudged", "masked"] = "judged") -> Pipeline:
    """A bad poem, a better one by a model, and the good one: the middle turn is judged, or not, or not trained."""
    judged = judge(
        keeps_theme, raises="changed", good={"changed": "bread and sea", "theme": "sea"}, spoiled={"changed": "bread"}
    )
    themes = ["sea", "war", "bread"]
    return Pipeline(
        source(*({"poem": f"Poem {number}, it rhymes", "theme": themes[number % 3]} for number in range(120))),
        prompt(change, writes="changed"),
        *((judged,) if middle == "judged" else ()),
        corrupt(spoil, into="bad"),
        verify(worse, good={"changed": "ab", "bad": "a"}, spoiled={"bad": "ab"}),
        layout(
            user("Make it about {theme}.\n{bad}"),
            assistant("{changed}", train=middle != "masked"),
            user("Better?"),
            assistant("{poem}"),
            floor="judged",
            name="poetry",
        ),
    )


# ---------------------------------------------------------------------------------------------- transformation


def nearest_program(target: str, index: Resource[list[str]]) -> str:
    lines = target.split("\n")

    def distance(other: str) -> int:
        return sum(one != two for one, two in zip(lines, other.split("\n"), strict=True))

    return min((other for other in index if other != target), key=distance)


def states_between(start: About[str], target: str) -> list[str]:
    """The programs on the way, one line changed at a time."""
    states = [start]
    for at, line in enumerate(target.split("\n")):
        if (changed := edited(states[-1], (at, line))) != states[-1]:
            states.append(changed)
    return states[1:]


def reaches(states: list[str], target: str) -> bool:
    return bool(states) and states[-1] == target


def write_wishes(start: About[str], states: list[str]) -> list[str]:
    pairs = zip([start, *states], states, strict=False)
    return [next(b for a, b in zip(one.split("\n"), two.split("\n"), strict=True) if a != b) for one, two in pairs]


def transformation() -> Pipeline:
    """From the nearest other program to this one, a wish and a program a turn."""
    return Pipeline(
        source(*({"target": program} for program in PROGRAMS)),
        compute(nearest_program, writes="start"),
        compute(states_between, writes="states"),
        verify(reaches, raises="states", good={"states": ["add 1"], "target": "add 1"}, spoiled={"states": ["add 2"]}),
        compute(write_wishes, writes="wishes"),
        layout(
            user("{start}"),
            each(("wishes", "states"), user("Let a line be: {wishes}"), assistant("{states}")),
            name="transformation",
        ),
        resources={"index": PROGRAMS},
    )


# ---------------------------------------------------------------------------------------------- yes and no


def ask_for_word(passage: About[str], rng: random.Random) -> tuple[str, str]:
    word = rng.choice(WORDS)
    return f"Does the word {word!r} stand in it?", word


def truth(passage: About[str], word: About[str]) -> Literal["yes", "no"]:
    return "yes" if word in passage.split() else "no"


def yes_or_no() -> Pipeline:
    """Half yes and half no, though one comes more often than the other."""
    return Pipeline(
        source(*passages(100)),
        compute(ask_for_word, writes=("question", "word")),
        compute(truth, writes="label"),
        layout(user("{passage}\n{question}"), assistant("{label}"), name="yes or no"),
        measures=["label"],
        caps=[Cap("label", {"yes": 0.5, "no": 0.5})],
    )


SHAPES: dict[str, tuple[Callable[[], Pipeline], int]] = {
    "prose repair": (prose_repair, 61),
    "debugging": (debugging, 150),
    "grounded questions": (grounded_questions, 61),
    "grounded questions, another prompt": (lambda: grounded_questions("v2"), 61),
    "poetry": (poetry, 41),
    "poetry, masked": (lambda: poetry("masked"), 41),
    "transformation": (transformation, 70),
    "yes or no": (yes_or_no, 61),
}
"""Name to the pipeline and to how many samples it is asked for."""
