"""Evidence: what a field is worth follows from the steps alone, and nothing vouches for itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from retroweave.pipeline.evidence import Evidence, FlowBroken, trace
from retroweave.pipeline.pipeline import Node, family, lines, mix, over
from retroweave.pipeline.step import About, Step, compute, corrupt, judge, prompt, verify
from retroweave.pipeline.worth import Worth

PROMPTED, JUDGED, TESTED, GIVEN, PROVED = Worth

SPOKEN_OF: Any = About[Any]  # type: ignore[misc]  # mypy takes no alias of Annotated as a value


def reading(*supports: str, about: Sequence[str] = (), name: str = "step") -> Callable[..., Any]:
    """A function with these parameters, for tests that are about what is read and not about what is done."""

    def function(**fields: Any) -> Any:
        return next(iter(fields.values()), None)

    function.__name__ = name
    hints = dict.fromkeys(supports, Any) | dict.fromkeys(about, SPOKEN_OF)
    function.__annotations__ = dict(hints)
    by_name = inspect.Parameter.KEYWORD_ONLY
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(parameter, by_name, annotation=hint) for parameter, hint in hints.items()]
    )
    return function


def made(writes: str | tuple[str, ...], *supports: str, about: Sequence[str] = (), many: bool = False) -> Step:
    return compute(reading(*supports, about=about), writes, name=f"make {writes}", many=many)


def asked(writes: str | tuple[str, ...], *reads: str) -> Step:
    return prompt(reading(*reads), writes, name=f"ask for {writes}")


def damaged(into: str, *supports: str, log: str | tuple[str, ...] = (), about: Sequence[str] = ()) -> Step:
    return corrupt(reading(*supports, about=about), into, log=log, name=f"damage {into}")


def proof(raises: str | tuple[str, ...], *supports: str, about: Sequence[str] = (), name: str = "") -> Step:
    every = (*((raises,) if isinstance(raises, str) else raises), *supports)
    return verify(reading(*every, about=about), raises=raises, strength="proved", name=name or f"prove {every}")


def tried(raises: str, *supports: str, about: Sequence[str] = ()) -> Step:
    return verify(reading(raises, *supports, about=about), raises=raises, name=f"try {raises} {supports}")


def judged(raises: str, *supports: str, about: Sequence[str] = ()) -> Step:
    return judge(reading(raises, *supports, about=about), raises=raises, name=f"judge {raises} {supports}")


def follow(*line: Node, given: Sequence[str] = ("passage",)) -> Evidence:
    return trace(dict.fromkeys(given, str), line)


class TestHowAFieldWasMade:
    def test_what_a_source_gives_is_given(self) -> None:
        assert follow().worth("passage") == GIVEN

    def test_a_computed_field_is_worth_the_least_of_tested_and_its_supports(self) -> None:
        evidence = follow(made("reversed", "passage"), asked("answer", "passage"), made("both", "reversed", "answer"))
        assert evidence.worth("reversed") == TESTED
        assert evidence.worth("both") == PROMPTED

    def test_what_a_field_is_about_does_not_lend(self) -> None:
        evidence = follow(asked("answer", "passage"), made("length", about=["answer"]), made("upper", "answer"))
        assert evidence.worth("length") == TESTED
        assert evidence.worth("upper") == PROMPTED

    def test_a_prompted_field_is_prompted_whatever_it_read(self) -> None:
        evidence = follow(
            made("summary", "passage"), proof("summary", "passage"), asked("answer", "summary", "passage")
        )
        assert evidence.worth("answer") == PROMPTED

    def test_the_log_of_a_corruption_is_worth_the_least_of_tested_and_its_supports(self) -> None:
        evidence = follow(damaged("broken", "passage", log="why"))
        assert evidence.worth("why") == TESTED
        evidence = follow(asked("wiki", "passage"), damaged("broken", "wiki", log="why"))
        assert evidence.worth("why") == PROMPTED

    def test_the_log_of_a_corruption_that_a_model_made_is_its_own_word(self) -> None:
        async def spoil(passage: str) -> tuple[str, str]:
            return passage, ""

        assert follow(corrupt(spoil, into="broken", log="why")).worth("why") == PROMPTED

    def test_a_chain_of_computations_never_loses_its_weakest_link(self) -> None:
        links = [made(f"step{number + 1}", f"step{number}") for number in range(20)]
        assert follow(asked("step0", "passage"), *links).worth("step20") == PROMPTED


class TestPlainPrompts:
    """What is trained in the place of a generator's prompt is a program's work, whatever the model answers."""

    def follow(self, *before: Node, reads: Sequence[str] = ("passage", "key"), **step: Any) -> Evidence:
        asked = prompt(reading(*reads, name="ask"), "question", plain="instruction", **step)
        return follow(*before, asked, given=["passage", "key"])

    def test_it_is_worth_what_a_program_makes_of_its_fields_and_the_answer_is_not(self) -> None:
        evidence = self.follow()
        assert evidence.worth("instruction") == TESTED
        assert evidence.worth("question") == PROMPTED
        assert evidence["instruction"].move == "compute"
        assert evidence["question"].about == {"passage", "key"}

    def test_it_rests_on_the_fields_that_it_is_made_of_and_their_ancestors(self) -> None:
        evidence = self.follow(made("short", "passage"), asked("hint", "key"), reads=["short", "hint"])
        assert evidence["instruction"].support == {"short", "hint"}
        assert evidence["instruction"].ancestors == {"short", "hint", "passage", "key"}
        assert evidence.worth("instruction") == PROMPTED

    def test_it_may_carry_what_is_hidden_as_a_models_answer_may_not(self) -> None:
        evidence = self.follow(hidden="key")
        assert "key" in evidence.may_copy("instruction")
        assert "key" not in evidence.may_copy("question")

    def test_it_carries_the_mark_of_damage(self) -> None:
        assert self.follow(damaged("broken", "passage"), reads=["broken"])["instruction"].damaged
        assert not self.follow()["instruction"].damaged

    def test_it_belongs_to_the_answer(self) -> None:
        assert self.follow().tied("instruction", "question")


class TestChecks:
    def test_a_check_gives_the_least_of_its_strength_and_its_other_supports(self) -> None:
        evidence = follow(asked("answer", "passage"), proof("answer", "passage"))
        assert evidence.worth("answer") == GIVEN
        evidence = follow(asked("answer", "passage"), tried("answer", "passage"))
        assert evidence.worth("answer") == TESTED

    def test_a_sound_checker_that_rests_on_nothing_else_proves(self) -> None:
        assert follow(asked("answer", "passage"), proof("answer")).worth("answer") == PROVED

    def test_a_judge_gives_judged_and_never_lowers_what_is_given(self) -> None:
        evidence = follow(asked("answer", "passage"), judged("answer", "passage"), judged("passage"))
        assert evidence.worth("answer") == JUDGED
        assert evidence.worth("passage") == GIVEN

    def test_what_is_raised_lends_its_new_worth(self) -> None:
        evidence = follow(asked("answer", "passage"), made("upper", "answer"), tried("answer", "passage"))
        assert evidence.worth("upper") == TESTED

    def test_tests_that_a_model_wrote_give_tested_and_never_proved(self) -> None:
        evidence = follow(asked("solution", "passage"), asked("tests", "passage"), proof("solution", "tests"))
        assert evidence.worth("solution") == TESTED

    def test_tests_that_a_model_wrote_and_a_judge_liked_still_do_not_prove(self) -> None:
        evidence = follow(
            asked("solution", "passage"), asked("tests", "passage"), judged("tests"), proof("solution", "tests")
        )
        assert evidence.worth("solution") == TESTED

    @pytest.mark.parametrize("about", [False, True], ids=["resting on it", "speaking of it"])
    def test_tests_recorded_from_the_very_code_give_nothing(self, about: bool) -> None:
        recorded = made("tests", about=["solution"]) if about else made("tests", "solution")
        evidence = follow(asked("solution", "passage"), recorded, proof("solution", "tests"))
        assert evidence.worth("solution") == PROMPTED

    def test_tests_written_by_a_model_that_saw_the_code_give_nothing(self) -> None:
        evidence = follow(asked("solution", "passage"), asked("tests", "solution"), proof("solution", "tests"))
        assert evidence.worth("solution") == PROMPTED

    def test_what_an_answer_was_made_from_lends_it_no_more_than_its_own_worth(self) -> None:
        evidence = follow(asked("plan", "passage"), asked("answer", "plan"), proof("answer", "plan"))
        assert evidence.worth("answer") == PROMPTED

    def test_two_fields_parsed_from_one_answer_do_not_vouch_for_each_other(self) -> None:
        evidence = follow(
            asked("text", "passage"), made("question", "text"), made("answer", "text"), proof("answer", "question")
        )
        assert evidence.worth("answer") == PROMPTED

    def test_two_fields_parsed_from_what_an_unknown_program_answered_do_not_either(self) -> None:
        async def fetch(passage: str) -> str:
            return passage

        fetched = compute(fetch, writes="text")
        evidence = follow(
            fetched,
            made("question", "text"),
            made("answer", "text"),
            proof("answer", "question"),
            proof("answer", "text"),
        )
        assert evidence.worth("answer") == PROMPTED

    def test_two_fields_of_one_answer_do_not_vouch_for_each_other_whatever_the_step_is_called(self) -> None:
        twins = prompt(reading("passage"), writes=("question", "answer"), name="given")
        with pytest.raises(FlowBroken, match="'given'"):
            follow(twins, proof("answer", "question"))
        evidence = follow(asked(("question", "answer"), "passage"), proof("answer", "question"))
        assert evidence.worth("answer") == PROMPTED

    def test_two_fields_that_vouch_for_each_other_are_no_better_than_tested(self) -> None:
        evidence = follow(
            asked("code", "passage"),
            asked("tests", "passage"),
            proof("code", "tests"),
            proof("tests", "code"),
        )
        assert evidence.worth("code") == evidence.worth("tests") == TESTED

    def test_a_ring_of_fields_made_from_one_another_stays_prompted(self) -> None:
        evidence = follow(
            asked("plan", "passage"),
            made("code", "plan"),
            made("tests", "code"),
            proof("plan", "tests"),
            proof("code", "plan"),
            proof("tests", "code"),
        )
        assert {evidence.worth(name) for name in ("plan", "code", "tests")} == {PROMPTED}

    def test_many_fields_that_all_vouch_for_one_another_are_weighed_at_once(self) -> None:
        names = [f"answer{number}" for number in range(12)]
        votes = [proof(name, *(other for other in names if other != name)) for name in names]
        evidence = follow(*(asked(name, "passage") for name in names), *votes)
        assert {evidence.worth(name) for name in names} == {TESTED}

    def test_raising_a_field_twice_gives_no_more_than_once(self) -> None:
        once = follow(asked("answer", "passage"), tried("answer", "passage"))
        twice = follow(
            asked("answer", "passage"),
            tried("answer", "passage"),
            verify(reading("answer", "passage"), raises=("answer", "answer"), name="again"),
        )
        assert once.worth("answer") == twice.worth("answer") == TESTED

    def test_fields_raised_together_count_as_each_others_oracle(self) -> None:
        evidence = follow(asked("one", "passage"), asked("two", "passage"), proof(("one", "two"), "passage"))
        assert evidence.worth("one") == evidence.worth("two") == TESTED

    def test_a_damaged_oracle_vouches_for_nothing(self) -> None:
        evidence = follow(damaged("broken", "passage"), asked("answer", "passage"), proof("answer", "broken"))
        assert evidence.worth("answer") == PROMPTED

    def test_a_check_raises_what_it_reads(self) -> None:
        with pytest.raises(FlowBroken, match="raises 'answer' without reading it"):
            follow(asked("answer", "passage"), verify(reading("passage"), raises="answer"))


class TestDamage:
    def test_damage_passes_through_supports_and_not_through_about(self) -> None:
        evidence = follow(
            damaged("broken", "passage", log="why"),
            made("numbered", "broken"),
            made("upper", "numbered"),
            made("patch", "passage", about=["broken"]),
        )
        assert {name for name in evidence.facts if evidence[name].damaged} == {"broken", "numbered", "upper"}

    def test_a_models_words_are_not_marked_by_what_it_was_shown(self) -> None:
        assert not follow(damaged("broken", "passage"), asked("repair", "broken"))["repair"].damaged

    def test_a_check_does_not_wash_the_mark_off(self) -> None:
        evidence = follow(damaged("broken", "passage"), proof("broken", "passage"))
        assert evidence.worth("broken") == GIVEN
        assert evidence["broken"].damaged

    def test_damage_of_damage_is_damage_and_so_is_a_log_that_rests_on_it(self) -> None:
        evidence = follow(
            damaged("broken", "passage", log="why"),
            damaged("worse", "broken", log="how"),
            damaged("worst", about=["worse"], log="said"),
        )
        assert {name for name in evidence.facts if evidence[name].damaged} == {"broken", "worse", "how", "worst"}

    def test_a_step_that_reads_damage_both_ways_is_marked(self) -> None:
        step = compute(reading("text", about=["damaged"]), "clean", reads={"text": "damaged"})
        assert follow(damaged("damaged", "passage"), step)["clean"].damaged

    def test_a_statement_about_damage_wants_a_check(self) -> None:
        evidence = follow(damaged("broken", "passage", log="why"), made("said", "why"), made("short", "said"))
        assert evidence.unchecked_damage("why") == "broken"
        assert evidence.unchecked_damage("short") == "broken"
        assert evidence.unchecked_damage("passage") is None

    def test_a_check_on_the_way_is_enough(self) -> None:
        evidence = follow(
            damaged("broken", "passage", log="why"),
            made("said", "why"),
            proof("why", "passage", about=["broken"]),
        )
        assert evidence.unchecked_damage("said") is None

    def test_a_check_that_looks_neither_at_the_damage_nor_at_what_was_damaged_is_none(self) -> None:
        evidence = follow(damaged("broken", "passage"), made("clean", about=["broken"]), tried("clean"))
        assert evidence.unchecked_damage("clean") == "broken"
        evidence = follow(damaged("broken", "passage"), made("clean", about=["broken"]), tried("clean", "passage"))
        assert evidence.unchecked_damage("clean") is None

    def test_a_models_word_about_damage_wants_a_check_too(self) -> None:
        evidence = follow(damaged("broken", "passage"), asked("repair", "broken"), made("upper", "repair"))
        assert evidence.unchecked_damage("repair") == "broken"
        assert evidence.unchecked_damage("upper") == "broken"
        evidence = follow(damaged("broken", "passage"), asked("repair", "broken"), judged("repair", "passage"))
        assert evidence.unchecked_damage("repair") is None

    def test_what_a_model_or_a_program_says_of_a_models_word_is_not_about_what_that_one_read(self) -> None:
        evidence = follow(
            damaged("broken", "passage"),
            asked("repair", "broken"),
            asked("praise", "repair"),
            made("n", about=["repair"]),
        )
        assert evidence.unchecked_damage("praise") is None
        assert evidence.unchecked_damage("n") is None


class TestGround:
    def test_a_statement_needs_what_it_is_about(self) -> None:
        evidence = follow(damaged("broken", "passage"), made("patch", "passage", about=["broken"]))
        assert evidence.unshown("patch", ["passage"]) == "broken"
        assert evidence.unshown("patch", ["broken"]) is None

    def test_a_step_in_between_does_not_hide_what_a_statement_is_about(self) -> None:
        evidence = follow(
            damaged("broken", "passage"), made("patch", "passage", about=["broken"]), made("framed", "patch")
        )
        assert evidence.unshown("framed", ["passage"]) == "broken"
        assert evidence.unshown("framed", ["broken"]) is None

    def test_a_computed_field_about_shown_things_need_not_be_shown(self) -> None:
        evidence = follow(
            damaged("broken", "passage", log="operations"),
            made("diagnosis", about=["operations"]),
        )
        assert evidence.unshown("diagnosis", ["broken"]) is None
        assert evidence.unshown("diagnosis", ["passage"]) == "broken"

    def test_a_computed_field_that_nothing_shows_is_no_ground(self) -> None:
        evidence = follow(made("start", "passage"), made("moves", "passage", about=["start"]))
        assert evidence.unshown("moves", []) == "start"
        assert evidence.unshown("moves", ["start"]) is None

    def test_what_was_made_of_nothing_is_no_ground_unless_it_is_shown(self) -> None:
        evidence = follow(made("number"), made("parity", about=["number"]))
        assert evidence.unshown("parity", ["passage"]) == "number"
        assert evidence.unshown("parity", ["number"]) is None

    @pytest.mark.parametrize(
        ("steps", "shown"),
        [
            ([made("start", "passage")], "passage"),
            ([made("start", "passage"), made("framed", "start")], "framed"),
            ([made(("start", "drawing"), "passage")], "drawing"),
        ],
        ids=["made from what is shown", "shown in a frame", "written beside what is shown"],
    )
    def test_a_computed_field_may_be_seen_through_another(self, steps: list[Step], shown: str) -> None:
        evidence = follow(*steps, made("moves", "passage", about=["start"]))
        assert evidence.unshown("moves", [shown]) is None

    def test_a_models_words_are_grounded_by_what_they_are_tied_to(self) -> None:
        assert follow(asked("answer", "passage")).unshown("answer", []) is None

    def test_a_check_about_what_nobody_sees_vouches_for_what_nobody_sees(self) -> None:
        evidence = follow(
            asked("tests", "passage"),
            asked("solution", "passage", "tests"),
            proof("solution", about=["tests"], name="passes"),
        )
        assert evidence.unseen_by_checks("solution", ["passage"]) == ("passes", "tests")
        assert evidence.unseen_by_checks("solution", ["passage", "tests"]) is None

    def test_a_check_about_the_unseen_is_not_washed_by_a_copy(self) -> None:
        line = [
            asked("tests", "passage"),
            asked("draft", "passage"),
            proof("draft", about=["tests"], name="passes"),
        ]
        copied = follow(*line, made("solution", "draft"))
        assert copied.unseen_by_checks("solution", ["passage"]) == ("passes", "tests")
        compared = follow(*line, asked("solution", "passage"), proof("solution", "draft"))
        assert compared.unseen_by_checks("solution", ["passage"]) == ("passes", "tests")

    def test_a_shown_field_is_tied_by_descent_by_birth_or_by_a_check(self) -> None:
        evidence = follow(
            asked(("question", "answer"), "passage"),
            made("hint", "answer"),
            asked("riddle", "topic"),
            asked("rhyme", "topic"),
            proof("answer", "riddle"),
            given=("passage", "topic"),
        )
        tied = {name for name in evidence.facts if evidence.tied(name, "answer")}
        assert tied == {"passage", "topic", "question", "answer", "hint", "riddle"}


class TestFamilies:
    def test_a_table_carries_the_marks_and_the_worth_of_its_members(self) -> None:
        evidence = follow(
            family(damaged("broken", "passage", log="why"), into="bugs"),
            family(asked("answer", "passage"), judged("answer", "passage"), into="answers", name="answers"),
            made("best", "answers"),
            made("shortest", "bugs"),
        )
        assert evidence["bugs"].damaged
        assert evidence.worth("answers") == evidence.worth("best") == JUDGED
        assert evidence["shortest"].damaged
        assert not evidence["best"].damaged

    def test_members_are_rows_again_with_all_that_is_known_of_them(self) -> None:
        evidence = follow(
            family(damaged("broken", "passage", log="why"), tried("why", "passage", about=["broken"]), into="bugs"),
            over("bugs"),
        )
        assert evidence["broken"].damaged
        assert not evidence["why"].damaged
        assert evidence["why"].about == {"broken"}
        assert evidence["why"].read_by_checks == {"why", "passage", "broken"}
        assert evidence.unchecked_damage("why") is None

    def test_what_is_known_of_members_stays_true_in_the_table(self) -> None:
        evidence = follow(
            family(
                damaged("broken", "passage"),
                asked("tests", "passage"),
                asked("repair", "broken"),
                proof("repair", "tests", about=["broken"], name="passes"),
                into="bugs",
            ),
            made("best", "bugs"),
        )
        assert evidence.worth("bugs.repair") == TESTED
        assert evidence.worth("bugs") == evidence.worth("best") == PROMPTED
        assert evidence.unseen_by_checks("best", ["passage"]) == ("passes", "bugs.broken")
        assert evidence.unchecked_damage("bugs.repair") is None
        assert evidence["bugs.repair"].ancestors == {"bugs.broken", "passage"}
        assert evidence["bugs.repair"].read_by_checks == {"bugs.repair", "bugs.tests", "bugs.broken"}

    def test_families_in_families_keep_the_worth_of_what_is_inside(self) -> None:
        evidence = follow(
            family(
                asked("question", "passage"),
                family(asked("answer", "question"), judged("answer", "passage"), into="answers", name="answers"),
                into="questions",
            ),
            over("questions"),
            made("first", "answers"),
            over("answers"),
        )
        assert evidence.worth("question") == PROMPTED
        assert evidence.worth("answer") == evidence.worth("first") == JUDGED
        assert "question" in evidence["answer"].ancestors

    def test_a_mix_in_a_family_is_as_weak_as_its_weakest_arm(self) -> None:
        steps: list[Node] = [
            family(
                mix(copied=(1, made("answer", "passage")), asked=(1, asked("answer", "passage"))),
                into="answers",
            ),
            over("answers"),
        ]
        worths = [trace({"passage": str}, line).worth("answer") for line in lines(steps)]
        assert sorted(worths) == [PROMPTED, TESTED]

    def test_two_members_of_one_answer_stay_kin_in_the_table_and_out_of_it(self) -> None:
        evidence = follow(
            family(asked(("question", "answer"), "passage"), into="pairs"),
            over("pairs"),
            proof("answer", "question"),
        )
        assert evidence.worth("answer") == PROMPTED

    def test_a_check_in_a_family_raises_only_what_the_family_wrote(self) -> None:
        drawn_until_it_passes = family(
            asked("tests", "passage"), proof("solution", "tests", name="passes"), into="suites", tries=9
        )
        with pytest.raises(FlowBroken, match=r"'passes', field 'solution'.*outside of the family.*behind the family"):
            follow(asked("solution", "passage"), drawn_until_it_passes)

    def test_unfolding_does_not_overwrite(self) -> None:
        folded = family(made("answer", "passage"), into="answers")
        with pytest.raises(FlowBroken, match=r"field 'answer'.*'ask for answer' wrote already"):
            follow(folded, asked("answer", "passage"), made("copy", "answer"), over("answers"))
        with pytest.raises(FlowBroken, match=r"field 'answer'"):
            follow(folded, over("answers"), over("answers"))

    def test_only_a_family_can_be_unfolded(self) -> None:
        with pytest.raises(FlowBroken, match=r"'passage' is no family's field.*into='passage'"):
            follow(over("passage"))

    def test_a_table_of_statements_is_about_what_they_are_about(self) -> None:
        evidence = follow(
            damaged("broken", "passage"),
            family(made("patch", "passage", about=["broken"]), tried("patch", "passage"), into="patches"),
            made("joined", "patches"),
        )
        assert evidence.unshown("patches", ["passage"]) == "broken"
        assert evidence.unshown("joined", ["passage"]) == "broken"
        assert evidence.unshown("joined", ["broken"]) is None

    def test_a_table_is_something_to_be_about_but_a_corruption_may_choose_from_it(self) -> None:
        family_of_bugs = family(damaged("broken", "passage", log="why"), into="bugs")
        spoken = follow(family_of_bugs, made("patch", "passage", about=["bugs"]))
        assert spoken.unshown("patch", ["passage"]) == "bugs"
        chosen = follow(family_of_bugs, damaged("worst", "passage", log="patch", about=["bugs"]))
        assert chosen.unshown("patch", ["worst"]) is None


# Random lines of steps, held to a second reading of the definition: worth is the least solution of its equations.

FIELDS = [f"f{number}" for number in range(7)]


@st.composite
def random_lines(draw: st.DrawFn) -> list[Step]:
    there = ["g0", "g1"]
    line: list[Step] = []
    for number, name in enumerate(FIELDS):
        reads = draw(st.lists(st.sampled_from(there), max_size=3, unique=True))
        about = [read for read in reads if draw(st.booleans())]
        support = [read for read in reads if read not in about]
        kind = draw(st.sampled_from(["compute", "compute", "prompt", "corrupt"]))
        if kind == "compute":
            line.append(compute(reading(*support, about=about), name, name=f"{kind}{number}"))
        elif kind == "prompt":
            line.append(prompt(reading(*support, about=about), name, name=f"{kind}{number}"))
        else:
            line.append(corrupt(reading(*support, about=about), name, log=f"{name}_log", name=f"{kind}{number}"))
            there.append(f"{name}_log")
        there.append(name)
        if draw(st.booleans()):
            line.append(draw(checks(there, f"check{number}")))
    return line


@st.composite
def checks(draw: st.DrawFn, there: Sequence[str], name: str) -> Step:
    reads = draw(st.lists(st.sampled_from(there), min_size=1, max_size=3, unique=True))
    raised, *others = reads
    about = [read for read in others if draw(st.booleans())]
    function = reading(raised, *(read for read in others if read not in about), about=about)
    if draw(st.booleans()):
        return judge(function, raises=raised, name=name)
    return verify(function, raises=raised, strength=draw(st.sampled_from(["tested", "proved"])), name=name)


def least_solution(line: Sequence[Step]) -> Mapping[str, Worth]:
    """The design's paragraph, solved by raising every field from the bottom until nothing changes."""
    writer = {name: step for step in line for name in step.writes}
    given = ("g0", "g1")

    def supports(step: Step) -> set[str]:
        return set(step.reads.values()) - step.about

    def origins(name: str) -> set[str]:
        found = {name}
        for read in writer[name].reads.values() if name in writer else ():
            found |= origins(read)
        return found

    def marked(name: str) -> bool:
        step = writer.get(name)
        if step is None or step.move == "prompt":
            return False
        return step.into == name or any(marked(read) for read in supports(step))

    def kin(one: str, other: str) -> bool:
        shared = {name for name in origins(one) & origins(other) if name in writer}
        return (
            one in origins(other)
            or (one in writer and writer.get(one) is writer.get(other))
            or any(writer[name].move == "prompt" for name in shared)
        )

    worth = dict.fromkeys((*given, *writer), PROMPTED)

    def lends(oracle: str, raised: str) -> Worth:
        if raised in origins(oracle) or marked(oracle):
            return PROMPTED
        return worth[oracle] if kin(oracle, raised) else max(worth[oracle], TESTED)

    def value(name: str) -> Worth:
        step = writer.get(name)
        found = [GIVEN if step is None else min([step.strength, *(worth[read] for read in supports(step))])]
        for check in line:
            if name in check.raises:
                oracles = supports(check) - {name}
                found.append(min([check.strength, *(lends(oracle, name) for oracle in oracles)]))
        return max(found)

    while True:
        solved = {name: value(name) for name in worth}
        if solved == worth:
            return solved
        worth = solved


@for_all(random_lines())
def test_worth_is_what_the_definition_says(line: list[Step]) -> None:
    evidence = follow(*line, given=("g0", "g1"))
    assert {name: evidence.worth(name) for name in evidence.facts} == least_solution(line)


@for_all(random_lines(), st.data())
def test_adding_a_check_never_lowers_a_worth(line: list[Step], data: st.DataObject) -> None:
    before = follow(*line, given=("g0", "g1"))
    after = follow(*line, data.draw(checks(sorted(before.facts), "added")), given=("g0", "g1"))
    assert all(after.worth(name) >= before.worth(name) for name in before.facts)


@for_all(random_lines())
def test_without_a_check_nothing_is_worth_more_than_what_it_rests_on(line: list[Step]) -> None:
    evidence = follow(*(step for step in line if not step.checks), given=("g0", "g1"))
    for name in evidence.facts:
        assert evidence.worth(name) == min(evidence[other].worth for other in evidence.rests_on(name))


@for_all(random_lines())
def test_no_order_of_words_makes_a_model_proved_without_a_sound_checker(line: list[Step]) -> None:
    weak = [step for step in line if not (step.checks and step.strength == PROVED)]
    evidence = follow(*weak, given=("g0", "g1"))
    assert all(evidence.worth(name) <= TESTED for name in evidence.facts if evidence[name].move == "prompt")
