"""A layout writes fields into turns, and lets no value reach further than its own text."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.layout import (
    LEAK_LENGTH,
    Conversation,
    Layout,
    Template,
    Turn,
    Variants,
    assistant,
    each,
    layout,
    reverse,
    system,
    user,
)
from retroweave.pipeline.worth import Worth

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HOSTILE = st.one_of(
    TEXT,
    st.sampled_from(
        ["{x}", "{{", "}}", "{", "}", "%s", "%(x)s", "{x!r}", "{x.__class__}", "{0}", "\\{x\\}", "$x", "\0"]
    ),
)


def render(laid: Layout, rng: random.Random | None = None, **fields: Any) -> Conversation:
    return laid.render(fields, rng or random.Random(0))


def contents(laid: Layout, **fields: Any) -> list[str]:
    return [message["content"] for message in render(laid, **fields).messages]


class TestTemplates:
    def test_a_name_in_braces_is_the_fields_text(self) -> None:
        assert contents(layout(user("On {topic}."), assistant("{n}!")), topic="bread", n=3) == ["On bread.", "3!"]

    def test_j_writes_a_json_string(self) -> None:
        assert contents(layout(user("{q}"), assistant('{{"a": {a!j}}}')), q="?", a='say "ä"\n')[1] == (
            '{"a": "say \\"ä\\"\\n"}'
        )

    def test_doubled_braces_are_braces(self) -> None:
        assert contents(layout(user("{{x}} {{{x}}}"), assistant("{x}")), x="1")[0] == "{x} {1}"

    @pytest.mark.parametrize(
        "text", ["{x.__class__}", "{x[0]}", "{x!r}", "{x!s}", "{x:>10}", "{}", "{0}", "{x y}", "{x.a!j}", "{!j}"]
    )
    def test_a_template_holds_names_only(self, text: str) -> None:
        with pytest.raises(UserError, match=r"between braces stands a field's name.*written twice"):
            user(text)

    @pytest.mark.parametrize("text", ["{", "}", "{x", "x}", "{x}}", "{{x}", "{x!}"])
    def test_a_lone_brace_is_refused_where_it_is_written(self, text: str) -> None:
        with pytest.raises(UserError, match="written twice"):
            user(text)

    @given(HOSTILE, HOSTILE)
    def test_a_value_is_never_read_as_a_template(self, x: str, y: str) -> None:
        laid = layout(user("<{x}|{y!j}>"), assistant("{{{y}}}"), extractive=True)
        asked, answered = contents(laid, x=x, y=y)
        assert asked.startswith(f"<{x}|")
        assert asked.endswith(">")
        assert json.loads(asked[len(x) + 2 : -1]) == y
        assert answered == "{" + y + "}"

    def test_a_template_names_each_field_once_in_order(self) -> None:
        assert Template("{b} {a} {b!j} {{c}}").names == ("b", "a")


class TestTurns:
    def test_only_the_assistant_is_trained_and_only_unless_told_otherwise(self) -> None:
        laid = layout(system("{x}"), user("{x}"), assistant("{y}", train=False), assistant("{y}"))
        assert [(m["role"], m["train"]) for m in render(laid, x="1", y="2").messages] == [
            ("system", False),
            ("user", False),
            ("assistant", False),
            ("assistant", True),
        ]

    def test_reverse_promises_more_than_layout(self) -> None:
        turns = (user("{q}"), assistant("{a}"))
        assert reverse(*turns).reversed
        assert not layout(*turns).reversed

    def test_the_floor_is_tested_unless_told_otherwise(self) -> None:
        assert layout(user("{q}"), assistant("{a}")).floor == Worth.tested
        assert reverse(user("{q}"), assistant("{a}"), floor="proved").floor == Worth.proved

    def test_a_floor_that_there_is_not_is_refused_with_the_near_one(self) -> None:
        wrong: Any = "judge"
        with pytest.raises(UserError, match=r"'judge'.*'judged'"):
            layout(user("{q}"), assistant("{a}"), floor=wrong)

    def test_an_option_that_there_is_not_is_refused(self) -> None:
        wrong: Any = "judged"
        with pytest.raises(UserError, match=r"flor='judged'.*Variants"):
            layout(user("{q}"), assistant("{a}"), flor=wrong)

    def test_what_is_no_turn_is_refused(self) -> None:
        wrong: Any = "What is {q}?"
        with pytest.raises(UserError, match=r"'What is \{q\}\?'.*user\(\.\.\.\)"):
            layout(wrong, assistant("{a}"))

    def test_a_field_that_is_not_there_is_no_empty_text(self) -> None:
        with pytest.raises(KeyError):
            render(layout(user("{q}"), assistant("{a}")), q="?")


class TestEach:
    def test_turns_repeat_over_lists_one_item_of_each_at_a_time(self) -> None:
        laid = layout(user("{start}"), each(("wish", "state"), user("{wish} of {start}"), assistant("{state}")))
        assert contents(laid, start="s", wish=["a", "b"], state=["1", "2"]) == ["s", "a of s", "1", "b of s", "2"]

    def test_a_single_list_needs_no_tuple(self) -> None:
        laid = layout(user("{q}"), each("a", assistant("{a}")))
        assert contents(laid, q="?", a=["x", "y"]) == ["?", "x", "y"]

    def test_lists_of_different_lengths_are_a_fault(self) -> None:
        laid = layout(user("{q}"), each(("a", "b"), user("{a}"), assistant("{b}")))
        with pytest.raises(ValueError, match="shorter"):
            render(laid, q="?", a=["1", "2"], b=["1"])

    def test_a_conversation_in_which_nothing_is_trained_is_dropped(self) -> None:
        laid = layout(user("{q}"), each("a", assistant("{a}")))
        with pytest.raises(Drop, match="no turn is trained"):
            render(laid, q="?", a=[])

    @pytest.mark.parametrize(("lists", "turns"), [((), (assistant("{a}"),)), (("a",), ())])
    def test_an_each_repeats_something_over_something(self, lists: tuple[str, ...], turns: tuple[Turn, ...]) -> None:
        with pytest.raises(UserError, match="each"):
            each(lists, *turns)

    def test_the_words_of_a_sample_stay_the_same_in_all_rounds(self) -> None:
        words = Variants.of("ask", [f"ask{n} {{q}}" for n in range(50)])
        laid = layout(each(("q", "a"), user("{ask}"), assistant("{a}")), ask=words)
        spoken = contents(laid, q=["1", "2", "3"], a=["a", "b", "c"])
        assert len({text.split()[0] for text in spoken[::2]}) == 1


class TestWords:
    WORDS = Variants.of("ask", ["Repair {text}.", "{text}: mend it.", "Could you mend {text}?"])

    def test_words_are_drawn_for_each_sample_and_recorded(self) -> None:
        laid = layout(user("{ask}"), assistant("{answer}"), ask=self.WORDS)
        seen = set()
        for seed in range(50):
            conversation = render(laid, random.Random(seed), text="this", answer="that")
            drawn = conversation.variants["ask"]
            assert conversation.messages[0]["content"] == self.WORDS.templates[drawn].text.format(text="this")
            seen.add(drawn)
        assert seen == {0, 1, 2}

    def test_a_turn_shows_what_its_words_name(self) -> None:
        laid = layout(user("{ask} {more}"), assistant("{answer}"), ask=self.WORDS)
        first, last = laid.flat()
        assert laid.fields(first) == ("text", "more")
        assert laid.fields(last) == ("answer",)

    def test_phrasings_that_name_different_fields_are_refused(self) -> None:
        with pytest.raises(UserError, match=r"'ask' must name the same fields.*\['text'\].*'Mend \{txt\}' names"):
            Variants.of("ask", ["Repair {text}", "Mend {txt}"])

    def test_a_pool_without_phrasings_is_refused(self) -> None:
        with pytest.raises(UserError, match="'ask' hold no phrasing"):
            Variants.of("ask", [])

    def test_words_are_no_json(self) -> None:
        with pytest.raises(UserError, match=r"\{ask!j\}"):
            layout(user("{ask!j}"), assistant("{answer}"), ask=self.WORDS)

    @given(HOSTILE)
    def test_a_value_in_drawn_words_is_never_read_as_a_template(self, text: str) -> None:
        laid = layout(user("{ask}"), assistant("{answer}"), ask=Variants.of("ask", ["({text})"]))
        assert contents(laid, text=text, ask="never", answer="!")[0] == f"({text})"


class TestSpans:
    @given(st.lists(HOSTILE, min_size=4, max_size=4), st.integers(0, 99))
    def test_a_span_is_where_the_text_stands(self, values: list[str], seed: int) -> None:
        fields = dict(zip("abcd", values, strict=True))
        words = Variants.of("ask", ["[{a}] {b}", "{b}{a}", "{{{b}}}, {a}, {a}"])
        laid = layout(system("{d}"), user("{ask}\n{c!j}{c}"), assistant("é{d}{a}"), extractive=True, ask=words)
        conversation = laid.render(fields, random.Random(seed))
        assert conversation.spans.keys() == set("abcd")
        for name, (turn, start, end) in conversation.spans.items():
            assert conversation.messages[turn]["content"][start:end] == fields[name]

    def test_an_escaped_text_has_no_span(self) -> None:
        assert render(layout(user("{q}"), assistant("{a!j}")), q="?", a="x").spans == {"q": (0, 0, 1)}


LONG = st.text(st.characters(exclude_categories=["Cs"]), min_size=LEAK_LENGTH + 1, max_size=2 * LEAK_LENGTH)


class TestLeaks:
    @given(LONG, TEXT, TEXT)
    def test_a_long_answer_that_stands_in_the_question_is_dropped(self, answer: str, before: str, after: str) -> None:
        with pytest.raises(Drop, match="leak: a stands in an earlier turn"):
            render(layout(user("{q}"), assistant("{a}")), q=before + answer + after, a=answer)

    @given(LONG)
    def test_an_answer_that_stands_escaped_in_the_question_is_dropped(self, answer: str) -> None:
        with pytest.raises(Drop, match="leak: a"):
            render(layout(user("{q!j}"), assistant("{a}")), q=answer, a=answer)

    @given(LONG)
    def test_an_extract_may_stand_in_what_it_is_taken_from(self, answer: str) -> None:
        laid = layout(user("{q}"), assistant("{a}"), extractive=True)
        assert contents(laid, q=f"({answer})", a=answer) == [f"({answer})", answer]

    def test_forty_characters_are_no_leak_and_forty_one_are(self) -> None:
        laid = layout(user("{q}"), assistant("{a}"))
        assert contents(laid, q="x" * 50, a="x" * 40)
        with pytest.raises(Drop):
            render(laid, q="x" * 50, a="x" * 41)

    @given(LONG, LONG)
    def test_what_was_trained_may_be_said_again_and_what_differs_is_no_leak(self, one: str, other: str) -> None:
        assume(one not in other)
        laid = layout(user("{q}"), assistant("{a}"), user("again"), assistant("{a}"))
        assert len(contents(laid, q=other, a=one)) == 4

    def test_one_item_of_a_list_may_leak(self) -> None:
        laid = layout(each(("q", "a"), user("{q}"), assistant("{a}")))
        with pytest.raises(Drop, match="leak: a"):
            render(laid, q=["?", "x" * 50], a=["!", "x" * 45])
