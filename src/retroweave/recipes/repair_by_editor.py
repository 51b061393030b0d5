"""Repair by editor: find the damaged file among clean ones, and mend it with tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from pydantic import Field, model_validator

from retroweave import About, Config, Drop, Pipeline, assistant, compute, corrupt, each, recipe, reverse, user, verify
from retroweave.corruptions.damage import damage
from retroweave.corruptions.diagnosis import diagnose, diagnosis_holds
from retroweave.pipeline.layout import tool
from retroweave.pipeline.step import Resource, Side
from retroweave.sources.pool import Pool
from retroweave.sources.texts import passages
from retroweave.text.diffs import git_diff, unified_diff
from retroweave.text.line_ranges import Range, in_turn, ranges
from retroweave.text.variants import recipe_words
from retroweave.text.wrapping import is_wrapped, wrapped
from retroweave.verifiers.editor import Editor, EditorError, lines_of, read_toolsets

__all__ = ["RepairByEditor", "repair_by_editor"]

words = recipe_words(__file__)
TOOLSETS: Final = read_toolsets(Path(__file__).with_suffix("") / "toolsets.yaml")
WIDTHS = (0, 0, 60, 66, 72, 76, 80, 88)
"""How many characters a line of the files has at most; at 0 each paragraph is one line."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

Call = dict[str, Any]
Scene = dict[str, Any]


class RepairByEditor(Config):
    texts: Path | None = None
    """A file or folder of .txt, .md, .jsonl, .parquet, .csv or a MediaWiki dump; the built-in passages if left out."""
    field: str = "text"
    """The field of a .jsonl, .parquet or .csv record that holds the text."""
    license: str | None = None
    """The SPDX licence of your texts, such as CC-BY-4.0, for those that do not name their own."""
    shortest: int = 300
    """The shortest file, in characters."""
    longest: int = 1600
    """The longest file, in characters."""
    fewest: int = Field(1, ge=1, le=20)
    """The fewest operations that damage the file."""
    most: int = Field(4, ge=1, le=20)
    """The most operations that damage the file."""
    lines: float = Field(2, ge=0)
    """Weight of episodes in which ranges of lines are replaced."""
    diffs: float = Field(1, ge=0)
    """Weight of episodes in which unified diffs are applied."""
    named: float = Field(0.25, ge=0, le=1)
    """The share of episodes in which the user names the damaged file."""
    validation: float = Field(0.05, ge=0, lt=1)
    """The share of passages held out for validation."""

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) is more than most ({self.most})")
        if not (self.lines or self.diffs):
            raise ValueError("one of the weights lines and diffs must be above 0")
        return self


def set_scene(
    passage: str, config: Resource[RepairByEditor], pool: Resource[Pool], side: Side, rng: Random
) -> tuple[str, Scene, list[Call], str]:
    """Lay the passage out as a file among two others, and let the user ask: naming it, naming all, or naming none."""
    width = rng.choice(WIDTHS)
    lent = [text for text in pool[side] if text != passage]
    if len(lent) < 2:
        raise Drop("there are not two other passages on this side of the split")
    folder, _, names = rng.choice(words("folders")).partition(": ")
    paths = sorted(rng.sample(names.split(), 3))
    name = rng.choice(paths)
    texts = dict(zip([path for path in paths if path != name], rng.sample(lent, 2), strict=True))
    toolset = rng.choice(sorted(TOOLSETS))
    edits_by = rng.choices(("replace", "patch"), (config.lines, config.diffs))[0]
    ask = "ask_named" if rng.random() < config.named else rng.choice(("ask_any", "ask_some"))
    scene = {
        "paths": paths,
        "name": name,
        "others": {path: wrapped(text, width) for path, text in texts.items()},
        "toolset": toolset,
        "edits_by": edits_by,
        "ask": ask,
        "talk": rng.choice(("silent", "brief", "diagnosing")),
    }
    listed = rng.sample(paths, 3)
    files = f"{listed[0]}, {listed[1]} and {listed[2]}"
    request = rng.choice(words(ask)).format(folder=folder, name=name, files=files)
    return wrapped(passage, width), scene, TOOLSETS[toolset].schemas("list", "open", edits_by), request


def is_laid_out(page: str, passage: str) -> bool:
    """The file is the passage, some of whose spaces have become line ends."""
    return is_wrapped(page, passage)


def damage_file(
    page: str, config: Resource[RepairByEditor], pool: Resource[Pool], side: Side, rng: Random
) -> tuple[str, list[dict[str, Any]]]:
    """Damage the file in one to four known ways that a careful reader can undo."""
    damaged, operations = damage(page, rng, pool[side], fewest=config.fewest, most=config.most, unrecoverable=0)
    if not damaged.endswith("\n"):
        raise Drop("the damage took the end of the last line")
    return damaged, operations


def plan_looks(scene: Scene, rng: Random) -> tuple[list[Call], list[str], Call]:
    """Ask for names that are not known, open files in some order up to the damaged one, and that again in the end."""
    tools, name = TOOLSETS[scene["toolset"]], scene["name"]
    looks, said = [], []
    if scene["ask"] == "ask_any":
        looks.append(tools.call("list"))
        said.append(rng.choice(words("first")))
    order = [name] if scene["ask"] == "ask_named" else rng.sample(scene["paths"], 3)
    before, pool = "", "open_only" if order == [name] else "open"
    for path in order[: order.index(name) + 1]:
        looks.append(tools.call("open", path=path))
        said.append(rng.choice(words("onward" if before else pool)).format(name=path, before=before))
        before = path
    return looks, said if scene["talk"] != "silent" else [""] * len(looks), tools.call("open", path=name)


def folder_of(scene: Scene, text: str) -> Editor:
    """The files as they are, with this text for the damaged one."""
    files = {path: text if path == scene["name"] else scene["others"][path] for path in scene["paths"]}
    return Editor(files, TOOLSETS[scene["toolset"]])


def look(damaged: str, scene: Scene, looks: list[Call]) -> list[str]:
    """What the tools answer to the looks."""
    editor = folder_of(scene, damaged)
    return [editor.run(call) for call in looks]


def last_look_shows(seen: list[str], damaged: str, scene: Scene) -> bool:
    """The last file opened is the damaged one, shown whole and as it is."""
    return bool(seen) and TOOLSETS[scene["toolset"]].read(seen[-1], scene["name"]) == damaged


def diagnose_damage(damaged: About[str], operations: list[dict[str, Any]], scene: Scene, rng: Random) -> str:
    """Say what is wrong, operation by operation."""
    style = "plain" if scene["talk"] == "diagnosing" and rng.random() < 0.8 else "named"
    return diagnose(operations, damaged, style, rng)


def diagnosis_replays(damaged: About[str], operations: About[list[dict[str, Any]]], diagnosis: str, page: str) -> bool:
    """The operations lead to the damaged text, and each item names its place."""
    return diagnosis_holds(diagnosis, operations, damaged, page)


def plan_edits(seen: About[list[str]], page: str, scene: Scene, rng: Random) -> list[Call]:
    """The calls that make the file that was seen the clean one, each in the numbering of its moment."""
    tools, name = TOOLSETS[scene["toolset"]], scene["name"]
    text = tools.read(seen[-1], name)
    assert text is not None  # a check has read it before
    wanted = ranges(lines_of(text), lines_of(page), apart=rng.choice((1, 1, 2, 3)))
    one_by_one = list(in_turn(wanted, upwards=rng.random() < 0.3))
    if scene["edits_by"] == "replace":
        return [
            tools.call("replace", path=name, first=start + 1, last=end, text="".join(f"{line}\n" for line in new))
            for start, end, new in one_by_one
        ]
    write = rng.choice((unified_diff, git_diff))
    states = [text, page] if rng.random() < 0.7 else states_of(text, one_by_one)
    return [tools.call("patch", path=name, diff=write(old, new, name)) for old, new in pairwise(states)]


def states_of(text: str, one_by_one: Sequence[Range]) -> Iterator[str]:
    """The text before the first edit, and after each."""
    yield text
    lines = lines_of(text)
    for start, end, new in one_by_one:
        lines[start:end] = new
        yield "".join(f"{line}\n" for line in lines)


def carry_out(damaged: str, scene: Scene, edits: list[Call], last_look: Call) -> tuple[list[str], str]:
    """What the tools answer to the edits, and to the look at the result."""
    editor = folder_of(scene, damaged)
    return [editor.run(call) for call in edits], editor.run(last_look)


def edits_restore(edits: list[Call], seen: About[list[str]], scene: About[Scene], page: str) -> bool:
    """Carried out one by one on the file that was seen, the edits give the clean file, and touch no other."""
    name = scene["name"]
    text = TOOLSETS[scene["toolset"]].read(seen[-1], name)
    if text is None:
        return False
    editor = folder_of(scene, text)
    states = [text]
    try:
        for call in edits:
            editor.run(call)
            states.append(editor.files[name])
    except EditorError:
        return False
    return len(set(states)) == len(states) and editor.files == folder_of(scene, page).files


def counted(edits: list[Call], scene: Scene) -> str:
    """How many edits there are, in words: `three edits`, or `one patch` where diffs are applied."""
    number = NUMBERS[len(edits)] if len(edits) < len(NUMBERS) else str(len(edits))
    one, more = ("edit", "edits") if scene["edits_by"] == "replace" else ("patch", "patches")
    return f"{number} {one if len(edits) == 1 else more}"


def fitting(pool: str, scene: Scene) -> tuple[str, ...]:
    """The phrasings of a pool; who named the file is not told which one it is, as who had it searched for may be."""
    searched = f"{pool}_searched"
    if scene["ask"] == "ask_named":
        return words(pool)
    return *words(pool), *words(searched)


def put_into_words(scene: Scene, diagnosis: str, edits: list[Call], rng: Random) -> tuple[list[str], str, str]:
    """What is said to each edit, to the last look, and in the end."""
    told = {"name": scene["name"], "edits": counted(edits, scene), "diagnosis": diagnosis}
    if scene["talk"] == "silent":
        said, again = [""] * len(edits), ""
    else:
        first = "found_diagnosis" if scene["talk"] == "diagnosing" else "found"
        onward = rng.sample(words("next"), min(len(edits) - 1, len(words("next"))))
        said = [rng.choice(fitting(first, scene)), *onward, *[""] * len(edits)][: len(edits)]
        again = rng.choice(words("again"))
    report = "report_diagnosis" if scene["talk"] == "silent" and rng.random() < 0.5 else "report"
    filled = [sentence.format(**told) for sentence in (*said, again, rng.choice(fitting(report, scene)))]
    return filled[:-2], filled[-2], filled[-1]


def report_holds(
    report: str,
    diagnosis: str,
    edits: About[list[Call]],
    scene: About[Scene],
    seen: About[list[str]],
    answers: About[list[str]],
    seen_again: About[str],
    page: str,
) -> bool:
    """The last look shows the clean file, and the report names that file, no other, and what was done or wrong."""
    tools = TOOLSETS[scene["toolset"]]
    named = re.findall("|".join(map(re.escape, scene["paths"])), report)
    return (
        bool(seen and answers)
        and tools.read(seen_again, scene["name"]) == page
        and set(named) == {scene["name"]}
        and (counted(edits, scene) in report or diagnosis in report)
    )


def count_edits(edits: list[Call], looks: list[Call], scene: Scene) -> tuple[int, int, str, str]:
    """How many edits and looks there are, and of what kind."""
    return len(edits), len(looks), TOOLSETS[scene["toolset"]].tools[scene["edits_by"]].name, scene["ask"]


CLEAN = "The kettle was cold.\nNobody had lit the fire.\n"
DAMAGED = "The kettle cold was.\nNobody had lit the fire.\n"
OPERATIONS = [
    {
        "operation": "swapped_words",
        "severity": 2,
        "recoverable": True,
        "edits": [{"start": 11, "end": 19, "was": "was cold", "now": "cold was", "at": 11, "line": 1}],
    }
]
SCENE: Final[Scene] = {
    "paths": ["a.txt", "b.txt"],
    "name": "b.txt",
    "others": {"a.txt": "All is well.\n"},
    "toolset": "plain",
    "edits_by": "replace",
}
PLAIN = TOOLSETS["plain"]
EXAMPLE: Final[dict[str, Any]] = {
    "passage": CLEAN.replace("\n", " ", 1),
    "page": CLEAN,
    "damaged": DAMAGED,
    "operations": OPERATIONS,
    "scene": SCENE,
    "seen": [PLAIN.show(DAMAGED)],
    "diagnosis": '- line 1: swapped_words: "cold was"',
    "edits": [PLAIN.call("replace", path="b.txt", first=1, last=1, text="The kettle was cold.\n")],
    "answers": ["Replaced lines 1 to 1 of b.txt, which now has 2 lines."],
    "seen_again": PLAIN.show(CLEAN),
    "report": "b.txt is mended. It took one edit.",
}
SPOILT_EDITS: Final = {"edits": [PLAIN.call("replace", path="b.txt", first=2, last=2, text="The kettle was cold.\n")]}


@recipe
def repair_by_editor(config: RepairByEditor) -> Pipeline:
    """Find the damaged file among clean ones, and mend it with an editor's tools.

    Good prose is damaged in known ways, as in prose-repair, and laid among two clean texts. The user asks for the
    repair, and names the file, all three, or none; the assistant lists and opens files until it comes upon the damaged
    one, edits it by ranges of lines or by unified diffs, looks at it again, and reports. A model learns to look before
    it edits, to change what is wrong and nothing else, and to keep count of lines that move under its hands.

    Guaranteed: every tool's answer is what came of carrying the call out; the edits, one after the other, give the
    clean file exactly and touch no other; what is said of the damage is true, place by place, and so is the number of
    edits in a report; the last look shows the clean file. All damage can be undone by a careful reader. Not guaranteed:
    that the clean text is the only good repair, or that the edits are the fewest. The tools never fail here, so that a
    model learns nothing about failures.

    After the repair of prose in J. D. Pressman's RetroInstruct Guide to Synthetic Text Data, as an episode with tools.
    """
    source = passages(
        config.texts,
        field=config.field,
        license=config.license,
        shortest=config.shortest,
        longest=config.longest,
        whole_lines=True,
    )
    return Pipeline(
        source,
        compute(set_scene, writes=("page", "scene", "tools", "request")),
        verify(is_laid_out, raises="page", strength="proved", good=EXAMPLE, spoiled={"page": DAMAGED}),
        corrupt(damage_file, into="damaged", log="operations"),
        compute(plan_looks, writes=("looks", "look_words", "last_look")),
        compute(look, writes="seen"),
        verify(last_look_shows, raises="seen", strength="proved", good=EXAMPLE, spoiled={"seen": [PLAIN.show(CLEAN)]}),
        compute(diagnose_damage, writes="diagnosis"),
        verify(
            diagnosis_replays,
            raises="diagnosis",
            strength="proved",
            good=EXAMPLE,
            spoiled={"diagnosis": '- line 2: swapped_words: "cold was"'},
        ),
        compute(plan_edits, writes="edits"),
        compute(carry_out, writes=("answers", "seen_again")),
        verify(edits_restore, raises="edits", strength="proved", good=EXAMPLE, spoiled=SPOILT_EDITS),
        compute(put_into_words, writes=("edit_words", "last_words", "report")),
        verify(
            report_holds,
            raises="report",
            strength="proved",
            good=EXAMPLE,
            spoiled={"report": "a.txt is mended. It took one edit."},
        ),
        compute(count_edits, writes=("edit_count", "look_count", "edited_with", "asked")),
        reverse(
            user("{request}"),
            each(("look_words", "looks", "seen"), assistant("{look_words}", call="looks"), tool("{seen}")),
            each(("edit_words", "edits", "answers"), assistant("{edit_words}", call="edits"), tool("{answers}")),
            assistant("{last_words}", call="last_look"),
            tool("{seen_again}"),
            assistant("{report}"),
            name="episode",
            tools="tools",
            extractive=True,  # a line that lost what was added to it stands in the damaged one, word for word
        ),
        resources={"config": config, "pool": Pool(source, "passage", config.validation)},
        keep=["operations"],
        measures=["edit_count", "look_count", "edited_with", "asked"],
        validation=config.validation,
    )
