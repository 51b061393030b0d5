"""Each lint finds the habit that it is for, and is silent about samples that have none."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.quality.lint import COUNTERS, FEWEST, Finding, lint

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
    assert (finding.lint, finding.severity) == ("few samples", "note")
    assert f"There are {count} samples" in finding.message


class TestOneOpening:
    def opened(self, share: float, opening: str) -> Iterator[dict[str, Any]]:
        for number in range(100):
            plain = words(number, 10 + number % 40)
            yield sample(number, words(number, 9), f"{opening}{plain}" if number < 100 * share else plain)

    def test_an_opening_in_more_than_half_of_the_answers_is_found(self) -> None:
        finding = only(lint(self.opened(0.51, "Sure, here is the ")), "one opening")
        assert (
            "51 of 100 (51%) of the trained turns of layout 'plain' begin with 'sure, here is the'" in finding.message
        )
        assert finding.examples == ("s0", "s1", "s2")

    def test_an_opening_in_half_of_them_is_not(self) -> None:
        assert lint(self.opened(0.5, "Sure, here is the ")) == []

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
        only(lint(self.opened(1, f"{form}Sure, here is the ")), "one opening")

    def test_each_layout_is_looked_at_by_itself(self) -> None:
        habit = [{**one, "layout": "rare"} for one in self.opened(1, "Sure, here is the ")][:30]
        finding = only(lint([*habit, *(varied(number) for number in range(1000, 1500))]), "one opening")
        assert "30 of 30 (100%) of the trained turns of layout 'rare'" in finding.message

    def test_a_layout_with_few_samples_is_left_alone(self) -> None:
        habit = [{**one, "layout": "rare"} for one in self.opened(1, "Sure, here is the ")][: FEWEST - 1]
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
            only(lint(samples(31)), "one length").message
        )
        assert lint(samples(29)) == []

    def test_lengths_that_hardly_differ_are_found(self) -> None:
        def samples(step: int) -> Iterator[dict[str, Any]]:
            for number in range(100):
                yield sample(number, words(number, 9), words(number, 300)[: 900 + step * (number % 25)])

        finding = only(lint(samples(1)), "one length")
        assert "All 100 longer trained turns of layout 'plain' have nearly one length, 912 char" in finding.message
        only(lint(samples(6)), "one length")
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
        finding = only(lint(self.judged(0.71)), "one verdict")
        assert "71 of 100 (71%) of the trained turns of layout 'plain' are 'yes' and no more" in finding.message
        only(lint(self.judged(1)), "one verdict")

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
        finding = only(lint(self.asked(51, "Please find the faults in this:")), "prompts all alike")
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
        finding = only(lint([*(varied(number) for number in range(100)), copy]), "the answer is a copy")
        assert "In 1 of 101 (1%) of the samples" in finding.message
        assert finding.examples == ("s100",)

    def test_a_long_answer_given_twice_is_found_and_a_short_one_is_not(self) -> None:
        samples = [varied(number) for number in range(100)]
        assert lint([*samples, sample(100, "So?", "yes", "yes")]) == []
        only(lint([*samples, sample(100, "So?", words(0, 30), words(0, 30))]), "the answer is a copy")

    def test_an_answer_that_only_holds_its_prompt_is_not(self) -> None:
        samples = [varied(number) for number in range(100)]
        assert lint([*samples, sample(100, words(0, 30), f"You said: {words(0, 30)}")]) == []


def test_several_habits_are_all_found() -> None:
    assert names(lint(sample(number, "Is it so?", "yes") for number in range(50))) == [
        "one verdict",
        "prompts all alike",
    ]


def test_a_habit_is_found_among_more_different_things_than_are_counted() -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for number in range(5 * COUNTERS):
            habit = number % 20 >= 9
            answer = f"{number} {words(number, 10 + number % 40)}"
            yield sample(number, f"{number} {words(number, 8)}", f"Sure, here is the {answer}" if habit else answer)

    finding = only(lint(samples()), "one opening")
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
