"""The rules of the game: each kind of invalid pipeline is refused by the rule that it breaks, with what mends it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.pipeline.endpoints import Fake, Reply, asking
from tests.pipeline.small import leaves, source

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.errors import Drop, InvalidPipeline, RunStopped, UserError
from retroweave.pipeline.flow import Bench
from retroweave.pipeline.layout import Layout, Variants, assistant, each, layout, reverse, user
from retroweave.pipeline.model import Model, Request, Unusable
from retroweave.pipeline.pipeline import Cap, Node, Pipeline, also, family, mix, over
from retroweave.pipeline.rules import Broken, check, require_judges_hold, require_valid, try_judges
from retroweave.pipeline.step import About, Resource, Step, compute, corrupt, judge, prompt, verify
from retroweave.pipeline.verdict import Score
from retroweave.text.generation import generate
from retroweave.text.prompts import read_prompt

PASSAGES = source({"passage": "The kettle was cold."})


def damage(passage: str) -> tuple[str, str]:
    return passage.replace("was cold", "cold was"), "swapped_words"


def write_patch(damaged: About[str], passage: str) -> str:
    return f"{damaged} > {passage}"


def restores(damaged: About[str], patch: str, passage: str) -> bool:
    return patch == f"{damaged} > {passage}"


def say(operations: About[str]) -> str:
    return f"somebody did {operations}"


def ask(passage: str) -> str:
    return f"What follows from {passage}?"


def write_answer(question: str) -> str:
    return question.upper()


def fits_passage(answer: str, passage: str) -> bool:
    return answer.lower() == passage.lower()


def likes(answer: str) -> bool:
    return bool(answer)


def double(passage: str) -> str:
    return passage * 2


def count(passage: int) -> int:
    return passage


def words(passage: str) -> list[str]:
    return passage.split()


def lend(passage: str, pool: Resource[list[str]]) -> str:
    return passage + pool[0]


def in_pool(passage: str, pool: Resource[list[str]]) -> bool:
    return passage in pool


def frame(patch: str) -> str:
    return f"```\n{patch}\n```"


def tidy(damaged: About[str]) -> str:
    return damaged.strip()


def not_empty(clean: str) -> bool:
    return bool(clean)


def passes(answer: str, tests: About[str]) -> bool:
    return answer == tests


def from_examples(passage: str, examples: str) -> str:
    return passage + examples


def speak_of(examples: About[str]) -> str:
    return f"Like so: {examples}"


def join(asked: list[Any]) -> str:
    return str(asked)


def a_number(rng: random.Random) -> str:
    return str(rng.random())


def looks_elsewhere(question: str, passage: str) -> bool:
    return passage == "a"


def always(passage: str) -> bool:
    return True


GOOD = {"damaged": "b a", "passage": "a b", "patch": "b a > a b"}
DAMAGE = corrupt(damage, into="damaged", log="operations")
PATCH = compute(write_patch, writes="patch")
RESTORES = verify(restores, raises="patch", strength="proved", good=GOOD, spoiled={"patch": "b a > a c"})
REPAIRED = (DAMAGE, PATCH, RESTORES)
MEND = reverse(user("Mend this: {damaged}"), assistant("{patch}"))

ASK = prompt(ask, writes="question")
ANSWER = prompt(write_answer, writes="answer")
FITS_GOOD = {"answer": "A", "passage": "a"}
FITS = verify(fits_passage, raises="answer", good=FITS_GOOD, spoiled={"answer": "B"})
LIKED = judge(likes, raises="answer", good={"answer": "a"}, spoiled={"answer": ""})
ANSWERED = layout(user("{question}"), assistant("{answer}"))
EXAMPLES = compute(double, writes="examples")
FEW_SHOT = prompt(from_examples, writes="question", hidden="examples")


def pipeline(*steps: Node, **rest: Any) -> Pipeline:
    return Pipeline(PASSAGES, *steps, **rest)


def repaired(laid: Layout) -> Pipeline:
    """A patch that is proved, laid out in some way."""
    return pipeline(*REPAIRED, laid)


def answered(*more: Node, checks: Sequence[Node] = (FITS,)) -> Pipeline:
    """A model's answer with some checks, and then something more."""
    return pipeline(ASK, ANSWER, *checks, *more, ANSWERED)


def fits(good: dict[str, str] | None, spoiled: dict[str, str] | None = None) -> Pipeline:
    return answered(checks=[verify(fits_passage, raises="answer", good=good, spoiled=spoiled)])


def test_pipelines_that_teach_what_they_have_evidence_for_are_valid() -> None:
    assert check(repaired(MEND)) == []
    assert check(answered()) == []
    require_valid(repaired(MEND), "mend")


class Refused(NamedTuple):
    what: str
    step: str
    field: str | None
    mend: str
    pipeline: Pipeline


FLOW = [
    Refused("a field that nobody writes", "write_patch", "damaged", "write the field first", pipeline(PATCH, MEND)),
    Refused(
        "a field written twice",
        "again",
        "patch",
        "a name of its own",
        pipeline(*REPAIRED, compute(write_patch, writes="patch", name="again"), MEND),
    ),
    Refused(
        "a given field written over",
        "ask",
        "passage",
        "a name of its own",
        pipeline(prompt(ask, writes="passage"), ANSWERED),
    ),
    Refused(
        "a field of another type",
        "count",
        "passage",
        "type hints agree",
        pipeline(*REPAIRED, compute(count, writes="number"), MEND),
    ),
    Refused(
        "a resource that is not there",
        "lend",
        "pool",
        "resources={'pool': ...}",
        pipeline(*REPAIRED, compute(lend, writes="more"), MEND),
    ),
    Refused(
        "a check's resource that is not there",
        "in_pool",
        "pool",
        "resources={'pool': ...}",
        pipeline(*REPAIRED, verify(in_pool, good={"passage": "a"}, spoiled={"passage": ""}), MEND),
    ),
    Refused("a line without a layout", "restores", None, "reverse(...) or layout(...)", pipeline(*REPAIRED)),
    Refused(
        "an arm without a layout",
        "damage",
        None,
        "reverse(...) or layout(...)",
        pipeline(DAMAGE, mix(some=(1, PATCH, RESTORES, MEND), none=(1,))),
    ),
    Refused("nothing at all", "given", None, "reverse(...) or layout(...)", pipeline()),
    Refused("steps behind a layout", "reverse", None, "also(...)", pipeline(*REPAIRED, MEND, ASK)),
    Refused(
        "steps behind a layout in an arm",
        "reverse",
        None,
        "also(...)",
        pipeline(*REPAIRED, mix(one=(1, MEND, ASK))),
    ),
    Refused(
        "two layouts of one name",
        "reverse",
        None,
        "name=...",
        pipeline(*REPAIRED, also(one=(MEND,), two=(MEND,))),
    ),
    Refused(
        "two steps of one name",
        "damage",
        None,
        "name=...",
        pipeline(DAMAGE, corrupt(damage, into="worse"), PATCH, RESTORES, MEND),
    ),
    Refused(
        "two mixes of one name",
        "mix",
        None,
        'mix("another name", ...)',
        pipeline(*REPAIRED, mix(a=(1,), b=(1,)), mix(c=(1, MEND))),
    ),
    Refused(
        "a step named like the source",
        "given",
        None,
        "name=...",
        pipeline(prompt(ask, writes="question", name="given"), ANSWER, FITS, ANSWERED),
    ),
    Refused(
        "a layout in a family",
        "family",
        None,
        "after the family",
        pipeline(*REPAIRED, family(MEND), layout(user("{damaged}"), assistant("{patch}"))),
    ),
    Refused(
        "a check that raises what it does not read",
        "likes",
        "question",
        "as a parameter",
        answered(judge(likes, raises="question", good={"answer": "a"}, spoiled={"answer": ""})),
    ),
    Refused(
        "a field raised from inside a family that it is not of",
        "fits_passage",
        "answer",
        "behind the family",
        answered(checks=[family(EXAMPLES, FITS, into="suites", tries=5)]),
    ),
    Refused(
        "an unfolded table that is none",
        "over passage",
        "passage",
        "into='passage'",
        pipeline(over("passage"), *REPAIRED, MEND),
    ),
    Refused(
        "a table that would be written over",
        "family",
        "question",
        "another field",
        pipeline(ASK, family(ANSWER, into="question"), FITS, ANSWERED),
    ),
    Refused(
        "a shown field that nobody writes",
        "layout",
        "topic",
        "show another field",
        repaired(layout(user("{damaged} {topic}"), assistant("{patch}"))),
    ),
    Refused(
        "words that name a field that nobody writes",
        "layout",
        "topic",
        "show another field",
        repaired(layout(user("{ask} {damaged}"), assistant("{patch}"), ask=Variants.of("ask", ["On {topic}."]))),
    ),
    Refused(
        "turns repeated over what is no list",
        "layout",
        "patch",
        "a list",
        repaired(layout(user("{damaged}"), each("patch", assistant("{patch}")))),
    ),
    Refused(
        "turns repeated over what nobody writes",
        "layout",
        "rounds",
        "a list",
        repaired(layout(user("{damaged}"), each("rounds", assistant("{patch}")))),
    ),
    Refused(
        "a hidden field that the prompt does not read",
        "ask",
        "examples",
        "hidden=",
        pipeline(prompt(ask, writes="question", hidden="examples"), ANSWER, FITS, ANSWERED),
    ),
    Refused(
        "a cap on what is not measured",
        "cap",
        "kind",
        "measures=[",
        pipeline(*REPAIRED, MEND, caps=[Cap("kind", {"x": 0.5})]),
    ),
    Refused(
        "a cap that is no share",
        "cap",
        "operations",
        "from 0 to 1",
        pipeline(*REPAIRED, MEND, measures=["operations"], caps=[Cap("operations", {"x": 50})]),
    ),
    Refused(
        "a cap on a layout that is not there",
        "cap",
        "layout",
        "'reverse'",
        pipeline(*REPAIRED, MEND, caps=[Cap("layout", {"reversed": 0.5})]),
    ),
    Refused(
        "caps that leave no layout for the rest",
        "cap",
        "layout",
        "add up to 1",
        pipeline(*REPAIRED, MEND, caps=[Cap("layout", {"reverse": 0.5})]),
    ),
    Refused(
        "a kept field that nobody writes",
        "reverse",
        "diff",
        "do not keep it",
        pipeline(*REPAIRED, MEND, keep=["diff"]),
    ),
    Refused(
        "a kept field that went into a table",
        "reverse",
        "more.examples",
        "do not keep it",
        pipeline(family(EXAMPLES, into="more"), *REPAIRED, MEND, keep=["more.examples"]),
    ),
    Refused(
        "a measure that nobody writes",
        "reverse",
        "kind",
        "do not keep it",
        pipeline(*REPAIRED, MEND, measures=["kind"]),
    ),
    Refused("all rows held out", "given", None, "below 1", pipeline(*REPAIRED, MEND, validation=1.0)),
]

FLOOR = [
    Refused("a model's word", "layout", "answer", "verify or judge", answered(checks=[])),
    Refused("a judged word under a tested floor", "layout", "answer", 'floor="judged"', answered(checks=[LIKED])),
    Refused(
        "a program's word under a given floor",
        "reverse",
        "doubled",
        'floor="tested"',
        pipeline(
            compute(double, writes="doubled"),
            prompt(ask, writes="question", reads={"passage": "doubled"}),
            reverse(user("{question}"), assistant("{doubled}"), floor="given"),
        ),
    ),
]

GROUND = [
    Refused(
        "an answer to nothing",
        "layout",
        None,
        "earlier turn",
        pipeline(layout(user("Write something true."), assistant("{passage}"))),
    ),
    Refused(
        "an answer to words without a field",
        "layout",
        None,
        "earlier turn",
        pipeline(layout(user("{please}"), assistant("{passage}"), please=Variants.of("please", ["Write!", "Say!"]))),
    ),
    Refused(
        "a literal answer",
        "layout",
        None,
        "train a field",
        pipeline(layout(user("{passage}"), assistant("There is no bug here."))),
    ),
    Refused(
        "a layout that trains nothing",
        "layout",
        None,
        "assistant(...)",
        pipeline(ASK, layout(user("{question}"), assistant("{passage}", train=False))),
    ),
    Refused(
        "a statement about what is not shown",
        "layout",
        "patch",
        "{damaged}",
        repaired(layout(user("Mend what {operations} did to {passage}."), assistant("{patch}"))),
    ),
    Refused(
        "a statement in a frame about what is not shown",
        "layout",
        "framed",
        "{damaged}",
        pipeline(
            *REPAIRED,
            compute(frame, writes="framed"),
            layout(user("Mend what {operations} did to {passage}."), assistant("{framed}")),
        ),
    ),
    Refused(
        "a check about tests that nobody sees",
        "layout",
        "answer",
        "{tests}",
        answered(
            checks=[
                prompt(double, writes="tests"),
                verify(
                    passes,
                    raises="answer",
                    strength="proved",
                    good={"answer": "a", "tests": "a"},
                    spoiled={"answer": "b"},
                ),
            ]
        ),
    ),
    Refused(
        "a question that nothing ties to the answer",
        "layout",
        "patch",
        "derive one from the other",
        pipeline(
            *REPAIRED, compute(a_number, writes="number"), layout(user("{damaged} {number}"), assistant("{patch}"))
        ),
    ),
    Refused(
        "a question that does not descend from the answer",
        "reverse",
        "answer",
        "layout(...)",
        pipeline(ASK, ANSWER, FITS, reverse(user("{question}"), assistant("{answer}"))),
    ),
]

DAMAGED = [
    Refused(
        "the damaged text",
        "layout",
        "damaged",
        "About[...]",
        pipeline(DAMAGE, layout(user("{passage}"), assistant("{damaged}"))),
    ),
    Refused(
        "what is built on the damaged text",
        "layout",
        "more",
        "About[...]",
        pipeline(
            DAMAGE,
            compute(double, writes="more", reads={"passage": "damaged"}),
            layout(user("{passage}"), assistant("{more}")),
        ),
    ),
    Refused(
        "damage with a check on it",
        "layout",
        "damaged",
        "About[...]",
        pipeline(
            DAMAGE,
            verify(
                fits_passage,
                raises="damaged",
                reads={"answer": "damaged"},
                good={"damaged": "A", "passage": "a"},
                spoiled={"damaged": "B"},
            ),
            layout(user("{passage}"), assistant("{damaged}")),
        ),
    ),
    Refused(
        "an unchecked statement about damage",
        "layout",
        "patch",
        "replays the operations",
        pipeline(DAMAGE, PATCH, layout(user("{damaged}"), assistant("{patch}"))),
    ),
    Refused(
        "an unchecked log",
        "layout",
        "operations",
        "replays the operations",
        pipeline(DAMAGE, layout(user("{damaged}"), assistant("{operations}"))),
    ),
    Refused(
        "an unchecked statement through a computed field",
        "layout",
        "framed",
        "replays the operations",
        pipeline(DAMAGE, PATCH, compute(frame, writes="framed"), layout(user("{damaged}"), assistant("{framed}"))),
    ),
    Refused(
        "an unchecked statement about a log",
        "layout",
        "said",
        "replays the operations",
        pipeline(DAMAGE, compute(say, writes="said"), layout(user("{damaged}"), assistant("{said}"))),
    ),
    Refused(
        "damage tidied up, with a check that looks at nothing",
        "layout",
        "clean",
        "replays the operations",
        pipeline(
            DAMAGE,
            compute(tidy, writes="clean"),
            verify(not_empty, raises="clean", good={"clean": "a"}, spoiled={"clean": ""}),
            layout(user("{damaged}"), assistant("{clean}")),
        ),
    ),
]

LEAK = [
    Refused(
        "the answer in the question",
        "layout",
        "passage",
        "extractive=True",
        pipeline(layout(user("Repeat {passage}"), assistant("{passage}"))),
    ),
    Refused(
        "the answer in the words of the question",
        "layout",
        "passage",
        "extractive=True",
        pipeline(layout(user("{please}"), assistant("{passage}"), please=Variants.of("please", ["Say {passage}"]))),
    ),
    Refused(
        "the answer in the round before",
        "layout",
        "passage",
        "extractive=True",
        pipeline(
            ASK,
            compute(words, writes="rounds"),
            layout(user("{question}"), each("rounds", user("{rounds}"), assistant("{passage}"), user("So {passage}?"))),
        ),
    ),
]

HIDDEN = [
    Refused(
        "a hidden field",
        "layout",
        "examples",
        "plain instruction",
        pipeline(EXAMPLES, FEW_SHOT, layout(user("{examples}"), assistant("{passage}"))),
    ),
    Refused(
        "a hidden field through a computed one",
        "layout",
        "more",
        "plain instruction",
        pipeline(
            EXAMPLES,
            FEW_SHOT,
            compute(double, writes="more", reads={"passage": "examples"}, name="double again"),
            layout(user("{question} {more}"), assistant("{passage}")),
        ),
    ),
    Refused(
        "a hidden field through a computed one that only speaks of it",
        "layout",
        "shot",
        "plain instruction",
        pipeline(
            EXAMPLES,
            FEW_SHOT,
            compute(speak_of, writes="shot"),
            layout(user("{question} {shot}"), assistant("{passage}")),
        ),
    ),
    Refused(
        "a hidden field out of a table",
        "layout",
        "joined",
        "plain instruction",
        pipeline(
            family(EXAMPLES, FEW_SHOT, into="asked"),
            compute(join, writes="joined"),
            layout(user("{joined}"), assistant("{passage}")),
        ),
    ),
]

CAN_FAIL = [
    Refused("a check without a good row", "fits_passage", None, "good={...}", fits(None)),
    Refused(
        "a good row that lacks a field", "fits_passage", None, "good={...}", fits({"answer": "a"}, {"answer": "b"})
    ),
    Refused(
        "a raised field that is never spoiled",
        "fits_passage",
        "answer",
        "spoiled={field: value}",
        fits(FITS_GOOD, {"passage": "b"}),
    ),
    Refused(
        "a check that does not look at the field",
        "looks_elsewhere",
        "question",
        "look at the field",
        answered(
            verify(
                looks_elsewhere,
                raises="question",
                good={"question": "?", "passage": "a"},
                spoiled={"question": ""},
            )
        ),
    ),
    Refused(
        "a check that rejects its own good row",
        "fits_passage",
        None,
        "mend the check or the row",
        fits({"answer": "x", "passage": "a"}, {"answer": "b"}),
    ),
    Refused(
        "a filter that brings no row to reject",
        "always",
        None,
        "spoiled={field: value}",
        answered(verify(always, good={"passage": "a"})),
    ),
    Refused(
        "a filter that cannot reject",
        "always",
        "passage",
        "look at the field",
        answered(verify(always, good={"passage": "a"}, spoiled={"passage": ""})),
    ),
    Refused(
        "a check that spoils what it does not read",
        "fits_passage",
        "question",
        "spoil a field that it reads",
        fits(FITS_GOOD, {"answer": "b", "question": "?"}),
    ),
    Refused("a judge without rows", "likes", None, "good={...}", answered(judge(likes))),
    Refused(
        "a check in a family in an arm",
        "likes",
        None,
        "good={...}",
        pipeline(ASK, ANSWER, FITS, mix(one=(1, family(EXAMPLES, verify(likes)), ANSWERED))),
    ),
]


def licensed(*licenses: str) -> Pipeline:
    return Pipeline(replace(PASSAGES, licenses=licenses), *REPAIRED, MEND)


LICENCES = [
    Refused("no licence at all", "given", None, 'licenses=("CC0-1.0",)', licensed()),
    Refused(
        "licences that forbid one another", "given", None, "in one dataset", licensed("CC-BY-SA-4.0", "GPL-2.0-only")
    ),
    Refused("a licence that there is not", "given", None, "in one dataset", licensed("GPLv9")),
]

RULES = enumerate([FLOW, FLOOR, GROUND, DAMAGED, LEAK, HIDDEN, CAN_FAIL, LICENCES], 1)


@pytest.mark.parametrize(
    ("rule", "refused"),
    [pytest.param(rule, refused, id=f"{rule} {refused.what}") for rule, table in RULES for refused in table],
)
def test_what_breaks_one_rule_is_refused_by_it_alone(rule: int, refused: Refused) -> None:
    found = check(refused.pipeline)
    assert [(broken.rule, broken.step, broken.field) for broken in found] == [(rule, refused.step, refused.field)]
    (broken,) = found
    assert refused.mend in broken.mend
    for part in (f"Rule {rule} (", repr(refused.step), refused.field or "", "To mend it: ", refused.mend):
        assert part in str(broken)


def test_what_breaks_on_several_lines_is_told_once() -> None:
    arms = {name: (1.0, layout(user("{question}"), assistant("{answer}"), name=name)) for name in "ab"}
    steps = (ASK, ANSWER, verify(likes, raises="answer"), mix("ways", **arms))
    assert [(broken.rule, broken.step) for broken in check(pipeline(*steps))] == [(7, "likes")]


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = pipeline(ASK, ANSWER, verify(likes), layout(user("{question} {topic}"), assistant("{answer}")))
    with pytest.raises(InvalidPipeline) as caught:
        require_valid(wrong, "my-recipe")
    assert "The pipeline of 'my-recipe' breaks rules of evidence:" in str(caught.value)
    assert [line.split("(")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  - Rule 1 ",
        "  - Rule 2 ",
        "  - Rule 7 ",
    ]


def test_an_arm_that_is_wrong_is_refused_though_another_is_right() -> None:
    ways = mix(
        right=(1, MEND), wrong=(0, layout(user("Mend what {operations} did to {passage}."), assistant("{patch}")))
    )
    assert [broken.rule for broken in check(pipeline(*REPAIRED, ways))] == [3]


def test_both_arms_of_a_mix_in_a_family_must_have_evidence() -> None:
    drawn = family(mix(checked=(9, ANSWER, FITS), not_checked=(1, ANSWER)), name="answers", into="answers")
    found = check(pipeline(ASK, drawn, over("answers"), ANSWERED))
    assert [(broken.rule, broken.field) for broken in found] == [(2, "answer")]


def test_what_one_round_shows_the_next_one_may_train_anew() -> None:
    said_back = each("rounds", user("Next."), assistant("{rounds}"), user("You said {rounds}."))
    laid = layout(user("{passage}"), said_back)
    assert check(pipeline(compute(words, writes="rounds"), laid)) == []


def test_two_alsos_need_no_names_of_their_own() -> None:
    inner = also(one=(layout(user("{damaged}"), assistant("{patch}"), name="one"),))
    assert check(pipeline(*REPAIRED, also(two=(inner,), three=(MEND,)))) == []


class TestChecksAreTried:
    def test_a_check_that_crashes_on_its_own_example_is_an_error(self) -> None:
        def divides(answer: str) -> bool:
            return bool(1 / 0)

        wrong = answered(verify(divides, good={"answer": "a"}, spoiled={"answer": ""}))
        with pytest.raises(UserError, match=r"'divides' crashed on the example that it brings: ZeroDivisionError"):
            check(wrong)

    def test_a_check_may_reject_by_dropping_the_row(self) -> None:
        def drops(answer: str) -> bool:
            if not answer:
                raise Drop("empty")
            return True

        assert check(answered(verify(drops, good={"answer": "a"}, spoiled={"answer": ""}))) == []

    def test_a_check_is_handed_its_resources(self) -> None:
        held = verify(in_pool, good={"passage": "a"}, spoiled={"passage": "b"})
        assert check(pipeline(*REPAIRED, held, MEND, resources={"pool": ["a"]})) == []

    def test_the_good_row_and_the_spoiled_one_get_the_same_random_numbers(self) -> None:
        def sometimes(answer: str, rng: random.Random) -> bool:
            return rng.random() > 0.8

        tried = [verify(sometimes, good={"answer": "a"}, spoiled={"answer": ""}, name=f"try {n}") for n in range(9)]
        problems = [broken.problem for broken in check(answered(*tried))]
        assert len(set(problems)) == 1

    def test_a_judge_is_not_tried_before_the_run(self) -> None:
        calls = []

        async def asks(answer: str) -> bool:
            calls.append(answer)
            return True

        wrong = answered(judge(asks, good={"answer": "a"}, spoiled={"answer": ""}))
        assert check(wrong) == []
        assert calls == []
        (broken,) = asyncio.run(try_judges(wrong))
        assert (broken.rule, broken.step, broken.field) == (7, "asks", "answer")
        assert calls == ["a", ""]

    def test_a_program_that_waits_is_tried_with_the_judges(self) -> None:
        async def in_the_sandbox(answer: str) -> bool:
            return answer == "a"

        step = verify(in_the_sandbox, good={"answer": "a"}, spoiled={"answer": ""})
        assert check(answered(step)) == []
        assert asyncio.run(try_judges(answered(step))) == []
        rejecting = verify(in_the_sandbox, good={"answer": "b"}, spoiled={"answer": ""})
        assert [broken.field for broken in asyncio.run(try_judges(answered(rejecting)))] == [None]

    def test_what_a_check_says_of_its_good_row_is_told(self) -> None:
        async def dropping(answer: str) -> bool:
            raise Drop("the prompt is longer than the context of small")

        async def scoring(answer: str) -> Score:
            return Score(0.2, False, reason="scored below 0.5")

        for one, reason in (
            (dropping, "the prompt is longer than the context of small"),
            (scoring, "scored below 0.5"),
        ):
            (broken,) = asyncio.run(try_judges(answered(judge(one, good={"answer": "a"}, spoiled={"answer": ""}))))
            assert f"it rejects its own good row: {reason}." in str(broken)

    def test_programs_that_do_not_wait_are_not_tried_again_with_the_judges(self) -> None:
        assert asyncio.run(try_judges(fits({"answer": "x", "passage": "a"}, {"answer": "b"}))) == []


class TestModelsAndPrompts:
    PLAIN = "%% user\nTake care: {{ passage }} {{ key }}\n%% plain\nWhat follows from {{ passage }}?"

    def prompted(self, folder: Path, text: str, *steps: Node, hidden: str = "") -> Pipeline:
        (folder / "ask.prompt").write_text(text, "utf-8")
        step = prompt(
            generate(read_prompt(folder / "ask.prompt")), writes="question", plain="instruction", hidden=hidden or ()
        )
        laid = layout(user("{instruction}"), assistant("{answer}"))
        given = source({"passage": "The kettle was cold.", "key": "k"})
        return Pipeline(given, step, ANSWER, FITS, *steps, laid, models={"model": "x"})

    def test_a_prompt_of_the_fields_that_there_are_is_valid(self, tmp_path: Path) -> None:
        assert check(self.prompted(tmp_path, self.PLAIN)) == []

    def test_a_template_that_reads_an_unknown_field_is_refused_with_the_near_one(self, tmp_path: Path) -> None:
        (broken,) = check(self.prompted(tmp_path, self.PLAIN.replace("care: {{ passage", "care: {{ pasage")))
        assert (broken.rule, broken.step, broken.field) == (1, "ask", "pasage")
        assert broken.mend.startswith("Did you mean 'passage'?")

    def test_a_plain_prompt_that_shows_what_is_hidden_is_refused(self, tmp_path: Path) -> None:
        assert check(self.prompted(tmp_path, self.PLAIN, hidden="key")) == []
        (broken,) = check(self.prompted(tmp_path, f"{self.PLAIN} {{{{ key }}}}", hidden="key"))
        assert (broken.rule, broken.field) == (6, "instruction")

    def test_a_model_that_the_pipeline_does_not_have_is_refused_with_what_to_pass(self) -> None:
        async def asks(passage: str, writer: Model) -> str:
            return passage

        (broken,) = check(pipeline(prompt(asks, writes="question"), ANSWER, FITS, ANSWERED))
        assert (broken.rule, broken.step, broken.field) == (1, "asks", "writer")
        assert broken.mend == "name it: Pipeline(..., models={'writer': config.model})."

    def judges(self, *steps: Step, reply: Callable[[Request], Reply], path: Path) -> list[Broken]:
        async def tried() -> list[Broken]:
            async with asking(Fake(reply), path / "calls.sqlite") as asked:
                desk = Desk({"model": asked.client})
                found = await try_judges(answered(*steps), desk)
                assert await try_judges(answered(*steps), desk) == found
                assert asked.ledger.spent.calls == 2 * len(steps)  # the second time they are known
                return found

        return asyncio.run(tried())

    async def likes_it(self, answer: str, model: Model) -> Score:
        said = await model.chat([{"role": "user", "content": f"Is it good? {answer}"}])
        return Score(0.5, said.text == "Yes")

    def test_a_models_judge_is_tried_on_its_good_row_and_on_the_spoiled_one(self, tmp_path: Path) -> None:
        step = judge(self.likes_it, raises="answer", good={"answer": "fine"}, spoiled={"answer": "awful"})
        good = lambda request: "Yes" if "fine" in request.messages[0]["content"] else "No"  # noqa: E731
        assert self.judges(step, reply=good, path=tmp_path) == []

    def test_one_that_says_always_the_same_is_refused(self, tmp_path: Path) -> None:
        steps = [
            judge(self.likes_it, raises="answer", good={"answer": good}, spoiled={"answer": "b"}, name=good)
            for good in ("fine", "well")
        ]
        nods = self.judges(*steps, reply=lambda request: "Yes", path=tmp_path)
        assert [(broken.rule, broken.step, broken.field) for broken in nods] == [
            (7, "fine", "answer"),
            (7, "well", "answer"),
        ]
        grumbles = self.judges(steps[0], reply=lambda request: "No", path=tmp_path / "other")
        assert [(broken.step, broken.field) for broken in grumbles] == [("fine", None)]

    def test_what_stops_the_run_is_no_fault_of_the_judges(self, tmp_path: Path) -> None:
        step = judge(self.likes_it, raises="answer", good={"answer": "fine"}, spoiled={"answer": "awful"})
        with pytest.raises(RunStopped, match="no server"):
            self.judges(step, reply=lambda request: Unusable("no server"), path=tmp_path)

    def test_a_judge_that_crashes_on_an_answer_is_told_with_it(self, tmp_path: Path) -> None:
        async def reads_a_number(answer: str, model: Model) -> bool:
            return float((await model.chat([{"role": "user", "content": answer}])).text) > 0.5

        step = judge(reads_a_number, raises="answer", good={"answer": "fine"}, spoiled={"answer": "awful"})
        with pytest.raises(UserError, match="'reads_a_number' crashed on the example that it brings: ValueError"):
            self.judges(step, reply=lambda request: "quite", path=tmp_path)

    def test_judges_that_do_not_hold_are_listed(self, tmp_path: Path) -> None:
        step = judge(always, good={"passage": "a"}, spoiled={"passage": "b"})
        with pytest.raises(InvalidPipeline, match=r"The judges of 'small' were tried, and do not hold.*:\n  - Rule 7"):
            asyncio.run(require_judges_hold(Bench(answered(step), "small", 0)))


class TestLeaksAtRunTime:
    TEXT = "A trained text of more than forty characters."

    def laid(self, extractive: bool) -> Pipeline:
        def copied(passage: str) -> str:
            return passage[2:]

        text = compute(copied, writes="copied")
        return Pipeline(
            source({"passage": "> " + self.TEXT}),
            text,
            layout(user("{passage}"), assistant("{copied}"), extractive=extractive),
        )

    def test_a_long_answer_that_stands_in_the_question_is_a_reject(self) -> None:
        assert check(self.laid(extractive=False)) == []
        (leaf,) = leaves(self.laid(extractive=False))
        assert (leaf.kind, leaf.step, leaf.reason) == ("reject", "layout", "leak: copied stands in an earlier turn")

    def test_an_extractive_layout_lets_it_pass(self) -> None:
        (leaf,) = leaves(self.laid(extractive=True))
        assert leaf.kind == "sample"
        assert leaf.sample["messages"][1]["content"] == self.TEXT


def test_a_step_may_stand_on_several_lines() -> None:
    arms = {name: (1.0, RESTORES, layout(user("{damaged}"), assistant("{patch}"), name=name)) for name in "ab"}
    assert check(pipeline(DAMAGE, PATCH, mix("ways", **arms))) == []
