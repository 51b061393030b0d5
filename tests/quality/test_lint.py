"""Each lint finds the habit that it is for, and is silent about samples that have none."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.quality import sameness
from retroweave.quality.lint import COUNTERS, FEWEST, LINTS, Finding, Habits, lint, read_shares

WORDS = ["ash", "birch", "cedar", "elm", "fir", "gorse", "hazel", "ivy", "juniper", "larch", "maple", "oak", "rowan"]


def words(number: int, count: int) -> str:
    return " ".join(random.Random(f"{number} {count}").choices(WORDS, k=count))


def sample(number: int, prompt: str, *answers: str, layout: str = "plain") -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief.", "train": False}]
    for answer in answers:
        messages.append({"role": "user", "content": prompt, "train": False})
        messages.append({"role": "assistant", "content": answer, "train": True})
    return {
        "id": f"s{number}",
        "messages": messages,
        "recipe": "trees",
        "layout": layout,
        "license": "CC0-1.0",
        "provenance": {},
    }


def varied(number: int, layout: str = "plain") -> dict[str, Any]:
    """A sample of a set without habits."""
    return sample(number, words(number, 9), words(number, 10 + number % 40), layout=layout)


def names(findings: list[Finding]) -> list[str]:
    return [finding.lint for finding in findings]


def only(findings: list[Finding], lint: str) -> Finding:
    assert names(findings) == [lint]
    assert findings[0].severity == "warning"
    assert 0 < len(findings[0].examples) <= 3
    return findings[0]


@pytest.mark.parametrize("count", [20, 100, 1000])
def test_a_set_without_habits_has_no_findings(count: int) -> None:
    assert lint(varied(number) for number in range(count)) == []


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_too_few_samples_get_a_note_and_nothing_else(count: int) -> None:
    (finding,) = lint(sample(number, "Is it so?", "yes") for number in range(count))
    assert (finding.lint, finding.severity) == ("few-samples", "note")
    assert f"There are {count} samples" in finding.message


class TestOneOpening:
    def opened(self, share: float, opening: str) -> Iterator[dict[str, Any]]:
        for number in range(100):
            plain = words(number, 10 + number % 40)
            yield sample(number, words(number, 9), f"{opening}{plain}" if number < 100 * share else plain)

    def test_an_opening_in_more_than_half_of_the_answers_is_found(self) -> None:
        finding = only(lint(self.opened(0.51, "Here you will find the ")), "one-opening")
        assert (
            "51 of 100 (51%) of the trained turns of layout 'plain' begin with 'here you will find'" in finding.message
        )
        assert finding.examples == ("s0", "s1", "s2")

    def test_an_opening_in_half_of_them_is_not(self) -> None:
        assert lint(self.opened(0.5, "Here you will find the ")) == []

    @pytest.mark.parametrize(
        "form",
        [
            "<diagnosis>\n",
            "<answer id='3'> <diagnosis>\n\n",
            "```python\n",
            "diff --git a/text b/text\nindex 0a1b2c..3d4e5f 100644\n--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n",
        ],
    )
    def test_the_form_of_an_answer_is_no_opening_and_does_not_hide_one(self, form: str) -> None:
        assert lint(self.opened(1, form)) == []
        only(lint(self.opened(1, f"{form}Here you will find the ")), "one-opening")

    def test_each_layout_is_looked_at_by_itself(self) -> None:
        habit = [{**one, "layout": "rare"} for one in self.opened(1, "Here you will find the ")][:30]
        finding = only(lint([*habit, *(varied(number) for number in range(1000, 1500))]), "one-opening")
        assert "30 of 30 (100%) of the trained turns of layout 'rare'" in finding.message

    def test_a_layout_with_few_samples_is_left_alone(self) -> None:
        habit = [{**one, "layout": "rare"} for one in self.opened(1, "Here you will find the ")][: FEWEST - 1]
        assert lint([*habit, *(varied(number) for number in range(1000, 1500))]) == []

    def test_one_layout_alone_is_no_fault(self) -> None:
        assert lint(varied(number, "first" if number < 990 else "second") for number in range(1000)) == []


class TestOneLength:
    def test_one_exact_length_in_more_than_three_of_ten_is_found(self) -> None:
        def samples(same: int) -> Iterator[dict[str, Any]]:
            for number in range(100):
                answer = words(number, 60)[:200] if number < same else words(number, 10 + number % 40)
                yield sample(number, words(number, 9), answer)

        assert "31 of 100 (31%) of the trained turns of layout 'plain' have just 200 characters" in (
            only(lint(samples(31)), "one-length").message
        )
        assert lint(samples(29)) == []

    def test_lengths_that_hardly_differ_are_found(self) -> None:
        def samples(step: int) -> Iterator[dict[str, Any]]:
            for number in range(100):
                yield sample(number, words(number, 9), words(number, 300)[: 900 + step * (number % 25)])

        finding = only(lint(samples(1)), "one-length")
        assert "All 100 longer trained turns of layout 'plain' have nearly one length, 912 char" in finding.message
        only(lint(samples(6)), "one-length")
        assert lint(samples(8)) == []

    def test_verdicts_may_be_of_one_length(self) -> None:
        assert (
            lint(sample(number, words(number, 9), random.Random(number).choice(WORDS)) for number in range(200)) == []
        )


class TestOneVerdict:
    def judged(self, share: float) -> Iterator[dict[str, Any]]:
        for number in range(100):
            yield sample(number, words(number, 9), "<verdict>Yes</verdict>" if number < 100 * share else "no")

    def test_always_yes_is_found_whatever_markup_it_stands_in(self) -> None:
        finding = only(lint(self.judged(0.71)), "one-verdict")
        assert "71 of 100 (71%) of the trained turns of layout 'plain' are 'yes' and no more" in finding.message
        only(lint(self.judged(1)), "one-verdict")

    def test_an_uneven_verdict_is_not(self) -> None:
        assert lint(self.judged(0.7)) == []

    def test_short_answers_among_long_ones_are_no_verdict_for_all(self) -> None:
        samples = [sample(number, words(number, 9), "yes") for number in range(50)]
        assert lint([*samples, *(varied(number) for number in range(50, 100))]) == []


class TestPromptsAllAlike:
    def asked(self, same: int, instruction: str) -> Iterator[dict[str, Any]]:
        for number in range(100):
            prompt = f"{instruction} {words(number, 9)}" if number < same else words(number, 9)
            yield sample(number, prompt, words(number, 10 + number % 40), layout=f"layout {number % 2}")

    def test_one_instruction_for_more_than_half_is_found_across_layouts(self) -> None:
        finding = only(lint(self.asked(51, "Please find the faults in this:")), "prompts-alike")
        assert "51 of 100 (51%) of the prompts begin with 'please find the faults in this:'" in finding.message
        assert "variants" in finding.message

    def test_one_instruction_for_half_is_not(self) -> None:
        assert lint(self.asked(50, "Please find the faults in this:")) == []

    def test_a_few_words_alike_or_a_tag_are_not(self) -> None:
        assert lint(self.asked(100, "Please find the faults:")) == []
        assert lint(self.asked(100, "<passage>")) == []

    def test_samples_without_a_prompt_are_left_out(self) -> None:
        samples = [varied(number) for number in range(100)]
        for one in samples:
            one["messages"] = one["messages"][2:]
        assert lint(samples) == []


class TestTheAnswerIsACopy:
    def test_a_single_answer_that_repeats_its_prompt_is_found(self) -> None:
        copy = sample(100, words(0, 30), f"{words(0, 30)}\n")
        finding = only(lint([*(varied(number) for number in range(100)), copy]), "copies")
        assert "1 of 101 (1%) of the samples of layout 'plain'" in finding.message
        assert finding.examples == ("s100",)

    def test_a_long_answer_given_twice_is_found_and_a_short_one_is_not(self) -> None:
        samples = [varied(number) for number in range(100)]
        assert lint([*samples, sample(100, "So?", "yes", "yes")]) == []
        only(lint([*samples, sample(100, "So?", words(0, 30), words(0, 30))]), "copies")

    def test_an_answer_that_only_holds_its_prompt_is_not(self) -> None:
        samples = [varied(number) for number in range(100)]
        assert lint([*samples, sample(100, words(0, 30), f"You said: {words(0, 30)}")]) == []


class TestOneClosing:
    def closed(self, share: float, closing: str) -> Iterator[dict[str, Any]]:
        for number in range(100):
            plain = words(number, 10 + number % 40)
            yield sample(number, words(number, 9), f"{plain} {closing}" if number < 100 * share else plain)

    def test_a_closing_of_more_than_half_of_the_answers_is_found(self) -> None:
        finding = only(lint(self.closed(0.51, "And that is all.")), "one-closing")
        assert "51 of 100 (51%) of the trained turns of layout 'plain' end with 'and that is all.'" in finding.message
        assert finding.bars == (("and that is all.", 51),)
        assert finding.of == 100

    def test_a_closing_of_half_of_them_is_not(self) -> None:
        assert lint(self.closed(0.5, "And that is all.")) == []

    @pytest.mark.parametrize("form", ["</answer>", "\n```", "</diff>\n</answer>\n"])
    def test_the_form_of_an_answer_is_no_closing_and_does_not_hide_one(self, form: str) -> None:
        assert lint(self.closed(1, form)) == []
        finding = only(lint(self.closed(1, f"And that is all.{form}")), "one-closing")
        assert "end with 'and that is all.'" in finding.message


class TestManners:
    def said(self, count: int, begin: str = "", end: str = "", **measures: Any) -> list[dict[str, Any]]:
        found = []
        for number in range(1000):
            habit = number < count
            answer = f"{begin if habit else ''}{words(number, 10 + number % 40)}{end if habit else ''}"
            found.append(sample(number, words(number, 9), answer))
            found[-1]["provenance"] = {"measures": measures}
        return found

    @pytest.mark.parametrize(
        ("begin", "end"),
        [
            ("Great question! ", ""),
            ("Certainly! ", ""),
            ("I'd be happy to help. ", ""),
            ("I’m so excited to ", ""),
            ("What a lovely poem! ", ""),
            ("", " I hope this helps!"),
            ("", " Let me know if you have questions."),
            ("<answer>Sure, ", "</answer>"),
        ],
    )
    def test_praise_and_gushing_are_found(self, begin: str, end: str) -> None:
        finding = only(lint(self.said(21, begin, end)), "praise")
        assert "21 of 1000 (2%) of the trained turns of layout 'plain' praise or gush" in finding.message
        assert sum(count for _, count in finding.bars) == 21
        assert lint(self.said(20, begin, end)) == []

    @pytest.mark.parametrize("begin", ["The question is a good one to ask, ", "Surely ", "She was happy to leave. "])
    def test_ordinary_words_are_no_praise(self, begin: str) -> None:
        assert lint(self.said(300, begin)) == []

    @pytest.mark.parametrize("begin", ["I'm sorry, but ", "I apologize for that: ", "My apologies. ", "Sorry, "])
    def test_apologies_are_found(self, begin: str) -> None:
        finding = only(lint(self.said(21, begin)), "apologies")
        assert "apologise, and a model would learn to be sorry where nothing is amiss" in finding.message
        assert lint(self.said(20, begin)) == []

    def test_a_person_in_a_text_may_be_sorry(self) -> None:
        assert lint(self.said(300, "It was late. Nobody was sorry, ")) == []

    @pytest.mark.parametrize(
        "begin",
        ["I cannot help with that. ", "As an AI, I have no view. ", "I'm unable to see it. ", "I won't answer this: "],
    )
    def test_refusals_are_found(self, begin: str) -> None:
        finding = only(lint(self.said(6, begin)), "refusals")
        assert finding.examples == ("s0", "s1", "s2")
        assert lint(self.said(5, begin)) == []

    def test_a_refusal_that_is_meant_is_not_counted(self) -> None:
        assert lint(self.said(300, "I cannot answer that from the text. ", refusal=True)) == []
        assert names(lint(self.said(300, "I cannot answer that from the text. ", refusal=False))) == ["refusals"]


ENGLISH = "It was the third day of the storm, and they had not seen the coast for two of them, nor had they a pump. "
FRENCH = "C'est le troisième jour de la tempête, et ils ne voient plus la côte depuis deux jours, ni les oiseaux. "


class TestLanguageMix:
    def spoken(self, mixed: int, asked: str, answered: str) -> Iterator[dict[str, Any]]:
        for number in range(100):
            plain = f"{words(number, 5)} {asked}"
            yield sample(number, plain, f"{words(number, 5)} {answered if number < mixed else asked}")

    @pytest.mark.parametrize(("asked", "answered"), [(ENGLISH, FRENCH), (FRENCH, ENGLISH), (ENGLISH, "Хорошо " * 30)])
    def test_answers_in_another_language_than_their_question_are_found(self, asked: str, answered: str) -> None:
        found = [one for one in lint(self.spoken(3, asked, answered)) if one.lint == "language-mix"]
        assert "3 of 100 (3%) of the samples of layout 'plain' answer in another language" in found[0].message
        assert "language-mix" not in names(lint(self.spoken(2, asked, answered)))

    def test_a_set_in_several_languages_is_no_fault(self) -> None:
        samples = [sample(number, (text := (ENGLISH, FRENCH)[number % 2]), text + "x") for number in range(100)]
        assert "language-mix" not in names(lint(samples))


class TestAnswerInQuestion:
    def asked(self, count: int, **provenance: Any) -> Iterator[dict[str, Any]]:
        for number in range(100):
            answer = words(number, 10 + number % 40)
            one = sample(number, f"Is it {answer}, or not?" if number < count else words(number, 9), answer)
            yield one | {"provenance": provenance}

    def test_an_answer_that_stands_in_the_question_is_found(self) -> None:
        finding = only(lint(self.asked(3)), "answer-in-question")
        assert "3 of 100 (3%) of the samples of layout 'plain' have an answer that stands in" in finding.message
        assert lint(self.asked(2)) == []

    def test_an_extract_may_stand_there(self) -> None:
        assert lint(self.asked(100, extractive=True)) == []

    def test_a_short_answer_may_stand_there(self) -> None:
        verdicts = ["yes", "no", "perhaps", "never"]
        samples = [sample(n, f"{words(n, 9)}: yes, no, perhaps, never?", verdicts[n % 4]) for n in range(100)]
        assert lint(samples) == []


EXAMPLE = "When did the ferry of Balestrand carry its first motor car over the fjord and who drove it?"
RULES = "Write one question that this passage answers and that cannot be answered by anybody who has not read it."


class TestWhatOnlyTheGeneratorSaw:
    def asked(self, question: str, count: int, *, document: bool = False, plain: str = "") -> Iterator[dict[str, Any]]:
        for number in range(100):
            passage = words(number, 60)
            turns = [
                {"role": "system", "content": RULES},
                {"role": "user", "content": "The ferry came."},
                {"role": "assistant", "content": EXAMPLE},
                {"role": "user", "content": f"Passage: {passage}"},
            ]
            whole = f"{RULES}\n\nThe ferry came.\nQ: {EXAMPLE}\n\n{passage}\nQ:"
            call = {"step": "ask", "model": "writer", "prompt": whole if document else turns, "answer": "?"}
            asked = question if number < count else words(number + 1000, 20)
            one = sample(number, f"{passage}\n{asked}", words(number + 2000, 10 + number % 40))
            source = {"key": f"k{number}"}
            yield one | {"provenance": {"calls": [call | ({"plain": plain} if plain else {})], "source": source}}

    @pytest.mark.parametrize("at", [1, 100])
    def test_an_example_that_is_repeated_is_found(self, at: int) -> None:
        finding = only(lint(self.asked(EXAMPLE, at)), "copied-examples")
        assert f"{at} of 100 ({at}%) of the samples that 'ask' had a part in repeat an example" in finding.message
        assert "'when did the ferry of balestrand carry its'" in finding.message

    def test_instructions_that_show_are_found(self) -> None:
        finding = only(lint(self.asked(RULES, 2)), "hidden-context")
        assert "2 of 100 (2%) of the samples that 'ask' had a part in show words of its instructions" in finding.message

    def test_in_a_document_instructions_and_examples_are_one(self) -> None:
        only(lint(self.asked(EXAMPLE, 2, document=True)), "copied-examples")

    def test_the_text_of_the_row_may_show(self) -> None:
        assert lint(self.asked("What became of it?", 0)) == []

    def test_what_stands_in_the_plain_prompt_is_not_hidden(self) -> None:
        assert lint(self.asked(RULES, 100, plain=RULES)) == []

    def test_seven_words_in_a_row_are_chance(self) -> None:
        assert lint(self.asked("When did the ferry of Balestrand carry two of them?", 50)) == []

    def test_two_prompts_are_too_few_to_know_a_template(self) -> None:
        samples = [varied(number) for number in range(50)]
        assert lint([*samples, *list(self.asked(EXAMPLE, 100))[:2]]) == []


class TestTrainedDamage:
    def mended(self, answer: str, count: int = 1) -> Iterator[dict[str, Any]]:
        damaged = "The kettle was cold and teh fire was out\nNobody had come."
        edit = {"start": 24, "end": 27, "was": "the", "now": "teh", "at": 24, "line": 1}
        for number in range(100):
            prompt = f"{words(number, 9)}: {damaged}"
            one = sample(number, prompt, answer if number < count else words(number, 10 + number % 40))
            kept = {"operations": [{"operation": "transposed_letters", "edits": [edit]}]}
            start = prompt.index(damaged)
            yield one | {"provenance": {"kept": kept, "spans": {"damaged": [1, start, len(prompt)]}}}

    def test_an_answer_that_repeats_the_damage_is_found(self) -> None:
        finding = only(
            lint(self.mended("Here: The kettle was cold and teh fire was out\nNobody had come")), "trained-damage"
        )
        assert "1 of 100 (1%) of the samples of layout 'plain' have damage in a trained turn" in finding.message
        assert finding.bars == (("transposed letters", 1),)

    @pytest.mark.parametrize(
        "answer",
        [
            "Here: The kettle was cold and the fire was out",
            "- The kettle was cold and teh fire was out\n+ The kettle was cold and the fire was out",
            "Line 1: “teh” should be “the”, as in “and teh fire”.",
        ],
    )
    def test_a_repair_a_patch_and_a_diagnosis_are_not(self, answer: str) -> None:
        assert lint(self.mended(answer)) == []

    def test_damage_in_the_arguments_of_a_tool_call_is_found(self) -> None:
        samples = list(self.mended("", 0))
        function = {"name": "write", "arguments": {"text": "The kettle was cold and teh fire was out\n"}}
        samples[0]["messages"][-1] |= {"content": "", "tool_calls": [{"id": "x", "function": function}]}
        only(lint(samples), "trained-damage")


class TestOneBugAtATime:
    def repaired(self, one_a_turn: int, bugs: int = 3) -> Iterator[dict[str, Any]]:
        for number in range(100):
            turns = bugs if number < one_a_turn else 1
            yield varied(number) | {"provenance": {"measures": {"bug_count": bugs, "turns": turns}}}

    def test_mending_what_the_log_shows_and_no_more_is_found(self) -> None:
        finding = only(lint(self.repaired(51)), "one-bug-at-a-time")
        assert "51 of 100 (51%)" in finding.message
        assert "stop at the first thing that it sees" in finding.message
        assert finding.bars == (("3 bugs in 3 turns", 51),)

    def test_half_of_them_may(self) -> None:
        assert lint(self.repaired(50)) == []

    def test_a_single_bug_is_always_mended_in_one_turn(self) -> None:
        assert lint(self.repaired(100, bugs=1)) == []


class TestNearDuplicates:
    def alike(self, pairs: int, changed: int = 1, same_source: bool = False) -> Iterator[dict[str, Any]]:
        for number in range(1000):
            twin = number - 500 if 500 <= number < 500 + pairs else number
            tokens = [f"{word}{twin}" for word in words(twin, 100).split()]
            if twin != number:
                tokens[-changed:] = ["changed"] * changed
            source = {"key": f"k{twin if same_source else number}"}
            yield sample(number, words(twin, 9), " ".join(tokens[: 90 + twin % 11])) | {
                "provenance": {"source": source}
            }

    def test_samples_of_different_rows_that_are_nearly_the_same_are_found(self) -> None:
        finding = only(lint(self.alike(40)), "near-duplicates")
        assert "of the samples are nearly the same as another one" in finding.message
        assert 30 <= int(finding.message.split()[0]) <= 40
        assert len(set(finding.examples)) == 3

    def test_one_in_fifty_is_let_pass(self) -> None:
        assert lint(self.alike(20)) == []

    def test_samples_of_one_source_row_may_be_alike(self) -> None:
        assert lint(self.alike(400, same_source=True)) == []

    def test_texts_that_share_half_of_their_words_are_not_nearly_the_same(self) -> None:
        assert lint(self.alike(400, changed=40)) == []

    def test_short_samples_are_not_compared(self) -> None:
        samples = [sample(number, words(number, 9), words(number % 500, 12)) for number in range(1000)]
        assert "near-duplicates" not in names(lint(samples))

    def test_where_few_are_kept_their_number_is_reckoned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sameness, "KEPT", 100)
        (finding,) = [one for one in lint(self.alike(400)) if one.lint == "near-duplicates"]
        assert finding.message.startswith("About ")
        assert 200 <= int(finding.message.split()[1]) <= 600


class TestSameQuestionOtherAnswer:
    def asked(self, others: int, right: str = "Yes.", wrong: str = "no") -> Iterator[dict[str, Any]]:
        """A thousand questions, some of which come twice and are answered otherwise the second time."""
        for number in range(1000):
            yield sample(number, words(number, 12), right if number % 2 else wrong)
        for number in range(others):
            yield sample(2000 + number, words(number, 12), wrong if number % 2 else right)

    def test_questions_that_are_answered_otherwise_later_on_are_found(self) -> None:
        finding = only(lint(self.asked(20)), "same-question-other-answer")
        assert finding.message.startswith("20 of 1020 (2%) of the samples with short answers are asked what an earlier")
        assert finding.examples == ("s0", "s2000", "s1")
        assert finding.bars == (("no | yes", 20),)

    def test_one_in_a_hundred_is_let_pass(self) -> None:
        assert lint(self.asked(10)) == []

    @pytest.mark.parametrize("again", ["Yes.", "yes", "**YES**", " yes \n"])
    def test_an_answer_that_is_written_otherwise_is_none(self, again: str) -> None:
        samples = [sample(number, words(number % 100, 12), "Yes." if number < 100 else again) for number in range(200)]
        assert "same-question-other-answer" not in names(lint(samples))

    def test_what_was_said_before_belongs_to_the_question(self) -> None:
        samples = list(self.asked(0))
        for number in range(100):
            other = sample(2000 + number, words(number, 12), "no" if number % 2 else "yes")
            other["messages"][0]["content"] = "Say the opposite of what is so."
            samples.append(other)
        assert lint(samples) == []

    def test_what_answers_nothing_is_no_answer(self) -> None:
        turns = [{"role": "assistant", "content": word, "train": True} for word in WORDS * 5]
        samples = [sample(number, "") | {"messages": [turn]} for number, turn in enumerate(turns)]
        assert lint(samples) == []

    def test_longer_answers_may_differ(self) -> None:
        samples = [sample(number, "Write about trees.", words(number, 10 + number % 40)) for number in range(100)]
        assert "same-question-other-answer" not in names(lint(samples))

    def test_where_few_are_kept_their_number_is_reckoned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sameness, "KEPT", 200)
        finding = only(lint(self.asked(400)), "same-question-other-answer")
        assert finding.message.startswith("About ")
        assert 200 <= int(finding.message.split()[1]) <= 600


class TestShares:
    def test_a_share_of_ones_own_takes_the_place_of_the_usual_one(self) -> None:
        samples = list(TestOneClosing().closed(0.3, "And that is all."))
        assert lint(samples) == []
        only(lint(samples, read_shares({"one-closing": 0.2})), "one-closing")

    def test_a_lint_can_be_switched_off(self) -> None:
        samples = list(TestOneClosing().closed(1, "And that is all."))
        assert (
            lint(samples, read_shares({"one-closing": False}))
            == lint(samples, read_shares({"one-closing": "off"}))
            == []
        )
        assert "one-closing" not in [one.name for one in Habits(read_shares({"one-closing": "off"})).lints]

    def test_a_share_of_nothing_is_a_share(self) -> None:
        assert read_shares({"praise": 0}) == {"praise": 0.0}
        assert next(one.limit for one in Habits({"praise": 0.0}).lints if one.name == "praise") == 0.0

    def test_on_is_the_usual_share(self) -> None:
        assert read_shares({"praise": True}) == {"praise": 0.02}

    @pytest.mark.parametrize(
        ("table", "told"),
        [
            ({"prase": 0.1}, "no lint 'prase'.*'praise'"),
            ({"praise": 2}, "share from 0 to 1, or off, and not 2"),
            ({"praise": "often"}, "not 'often'"),
            (["praise"], "names of lints and shares"),
        ],
    )
    def test_what_is_no_share_is_refused(self, table: Any, told: str) -> None:
        with pytest.raises(UserError, match=told):
            read_shares(table)

    @pytest.mark.parametrize("name", sorted(LINTS))
    def test_each_lint_says_what_it_looks_for_and_what_a_model_would_learn(self, name: str) -> None:
        made = LINTS[name]
        assert made.name == name
        assert (made.__doc__ or "").endswith(".")
        assert made.teaches
        assert made.mend
        assert made.counts
        assert 0 <= made.share < 1


def test_tool_calls_are_no_manner_of_speaking() -> None:
    samples = [varied(number) for number in range(100)]
    function = {"name": "open_file", "arguments": {"path": "a.txt"}}
    for one in samples:
        call = {"role": "assistant", "content": "", "train": True, "tool_calls": [{"id": "x", "function": function}]}
        one["messages"][2:2] = [call, {"role": "tool", "content": "ok", "train": False, "tool_call_id": "x"}]
    assert lint(samples) == []


def test_several_habits_are_all_found() -> None:
    assert names(lint(sample(number, "Is it so?", "yes") for number in range(50))) == [
        "one-verdict",
        "prompts-alike",
    ]


def test_a_habit_is_found_among_more_different_things_than_are_counted() -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for number in range(5 * COUNTERS):
            habit = number % 20 >= 9
            answer = f"{number} {words(number, 10 + number % 40)}"
            yield sample(
                number, f"{number} {words(number, 8)}", f"Here you will find the {answer}" if habit else answer
            )

    finding = only(lint(samples()), "one-opening")
    assert "(55%)" in finding.message


def test_a_long_set_is_read_in_constant_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            lint(sample(number, f"{number} b c d e f", f"{number} tells of one tree") for number in range(count))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(5 * COUNTERS) < 1.5 * peak(2 * COUNTERS)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=30), st.booleans()), max_size=3),
        max_size=40,
    )
)
def test_any_samples_are_read_without_a_fault(conversations: list[list[tuple[str, str, bool]]]) -> None:
    samples = [
        {
            "id": f"s{number}",
            "layout": "any",
            "messages": [{"role": role, "content": text, "train": train} for role, text, train in turns],
        }
        for number, turns in enumerate(conversations)
    ]
    for finding in lint(samples):
        assert finding.message.count("\n") == 0
        assert finding.message.endswith(".")
