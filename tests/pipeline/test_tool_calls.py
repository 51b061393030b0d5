"""A turn may call a tool; what stands in the call is held to the same rules as what is said."""

from __future__ import annotations

import random
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.small import leaves, source

from retroweave.pipeline.describe import calls_tools
from retroweave.pipeline.errors import Drop, UserError
from retroweave.pipeline.gate import Gate
from retroweave.pipeline.layout import LEAK_LENGTH, Conversation, Layout, assistant, each, layout, texts, tool, user
from retroweave.pipeline.pipeline import Node, Pipeline
from retroweave.pipeline.row import Leaf
from retroweave.pipeline.rules import check
from retroweave.pipeline.step import About, compute, corrupt, prompt, verify

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "open",
            "parameters": {"properties": {"path": {}, "mode": {}}, "required": ["path"]},
        },
    }
]
ONE_CALL = layout(user("{q}"), assistant("{said}", call="call"), tool("{came}"), assistant("{a}"), tools="tools")


def call(**arguments: Any) -> dict[str, Any]:
    return {"name": "open", "arguments": arguments}


def render(laid: Layout = ONE_CALL, **fields: Any) -> Conversation:
    usual = {"q": "?", "said": "", "call": call(path="a.txt"), "came": "text", "a": "!", "tools": TOOLS}
    return laid.render(usual | fields, random.Random(0))


class TestLayout:
    def test_a_call_stands_in_its_turn_and_the_answer_names_it(self) -> None:
        _, called, answered, last = render(said="Let me see.").messages
        (one,) = called["tool_calls"]
        assert called["content"] == "Let me see."
        assert called["train"]
        assert one["type"] == "function"
        assert one["function"] == {"name": "open", "arguments": {"path": "a.txt"}}
        assert answered == {
            "role": "tool",
            "content": "text",
            "train": False,
            "tool_call_id": one["id"],
            "name": "open",
        }
        assert "tool_calls" not in last

    def test_an_id_is_one_that_every_chat_template_takes(self) -> None:
        one = render().messages[1]["tool_calls"][0]["id"]
        assert len(one) == 9
        assert one.isalnum()

    def test_a_call_need_not_say_anything(self) -> None:
        laid = layout(user("{q}"), assistant(call="call"), tools="tools")
        assert [message["content"] for message in render(laid).messages] == ["?", ""]

    def test_calls_and_their_answers_repeat_together(self) -> None:
        laid = layout(user("{q}"), each(("call", "came"), assistant(call="call"), tool("{came}")), tools="tools")
        turns = render(laid, call=[call(path="a"), call(path="b", mode="r")], came=["1", "2"]).messages
        ids = [turn["tool_calls"][0]["id"] for turn in turns if "tool_calls" in turn]
        assert [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"] == ids
        assert len(set(ids)) == 2

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"name": "shut", "arguments": {}}, "names the tool 'shut', and there is open"),
            (call(), r"of 'open' has the arguments \[\]; path should not be there, or is missing"),
            (call(path="a", colour=1), "colour should not be there"),
            ("open a.txt", "a call is "),
            ({"name": "open"}, "a call is "),
        ],
    )
    def test_a_call_that_no_tool_takes_is_a_fault(self, wrong: Any, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            render(call=wrong)

    @pytest.mark.parametrize(
        "turns",
        [
            (user("{q}"), assistant("{a}"), tool("{came}")),
            (user("{q}"), assistant(call="call"), user("{q}"), assistant("{a}")),
            (tool("{came}"), assistant(call="call")),
            (user("{q}"), each("call", assistant(call="call")), tool("{came}"), assistant("{a}")),
        ],
    )
    def test_a_call_and_its_answer_stand_side_by_side(self, turns: Any) -> None:
        with pytest.raises(UserError, match="tool"):
            layout(*turns, tools="tools")

    def test_calls_come_with_tools_and_tools_with_calls(self) -> None:
        with pytest.raises(UserError, match="without naming them"):
            layout(user("{q}"), assistant(call="call"))
        with pytest.raises(UserError, match="names tools and calls none"):
            layout(user("{q}"), assistant("{a}"), tools="tools")

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=LEAK_LENGTH + 1))
    def test_a_long_argument_that_stands_in_the_question_is_a_leak(self, text: str) -> None:
        with pytest.raises(Drop, match="leak: call stands in an earlier turn"):
            render(q=f"({text})", call=call(path="a", mode=["x", {"deep": text}]))

    def test_a_long_text_in_an_untrained_call_leaks_like_any_other(self) -> None:
        laid = layout(user("{q}"), assistant(call="call", train=False), tool("{came}"), assistant("{a}"), tools="tools")
        with pytest.raises(Drop, match="leak: a stands"):
            render(laid, call=call(path="x" * 50), a="x" * 50)

    @given(TEXT, TEXT)
    def test_all_that_is_said_in_a_call_is_among_its_texts(self, said: str, path: str) -> None:
        found = list(texts(render(said=said, call=call(path=path, mode=[3])).messages[1]))
        assert found == [said, "open", "path", path, "mode", "3"]


# Rules


def name_call(passage: str) -> dict[str, Any]:
    return {"name": "open", "arguments": {"path": passage}}


def list_tools(passage: str) -> list[dict[str, Any]]:
    return TOOLS


def open_it(call: dict[str, Any], passage: str) -> str:
    return passage


def model_calls(passage: str) -> dict[str, Any]:
    return {"name": "open", "arguments": {"path": "x"}}


PASSAGES = source({"passage": "The kettle was cold."})
CALL = compute(name_call, writes="call")
ALL = (compute(list_tools, writes="tools"), CALL, compute(open_it, writes="came"))
EPISODE = layout(user("{passage}"), assistant(call="call"), tool("{came}"), tools="tools")


def broken(*steps: Node, keep: tuple[str, ...] = ()) -> list[tuple[int, str | None]]:
    return [(one.rule, one.field) for one in check(Pipeline(PASSAGES, *steps, keep=keep))]


def test_two_episodes_that_differ_in_a_call_alone_are_no_duplicates() -> None:
    def leaf(path: str) -> Leaf:
        return Leaf("sample", (0, 0), sample={"messages": render(call=call(path=path)).messages, "layout": "x"})

    with closing(Gate([], 10)) as gate:
        assert [gate.take(leaf(path))[0] for path in ("a", "b", "a")] == ["sample", "sample", "duplicate"]


class TestRules:
    def test_an_episode_may_be_valid(self) -> None:
        assert broken(*ALL, EPISODE) == []

    def test_a_trained_call_is_a_trained_field(self) -> None:
        asked = prompt(model_calls, writes="call")
        assert (2, "call") in broken(ALL[0], asked, ALL[2], EPISODE)

    def test_tools_that_nothing_writes_are_named(self) -> None:
        assert broken(*ALL[1:], EPISODE) == [(1, "tools")]

    def test_a_call_that_nothing_writes_is_named(self) -> None:
        laid = layout(user("{passage}"), assistant(call="call"), tools="tools")
        assert (1, "call") in broken(ALL[0], laid)

    def test_a_sample_holds_its_tools_and_the_pipeline_knows_it(self) -> None:
        pipeline = Pipeline(PASSAGES, *ALL, EPISODE)
        (leaf,) = leaves(pipeline)
        assert leaf.sample["tools"] == TOOLS
        assert calls_tools(pipeline)
        plain = Pipeline(PASSAGES, CALL, layout(user("{passage}"), assistant("{call}")))
        assert "tools" not in leaves(plain)[0].sample
        assert not calls_tools(plain)

    def test_hidden_context_does_not_show_in_a_call_either(self) -> None:
        secret = prompt(lambda passage: "s" * 50, writes="secret", name="whisper")
        peek = prompt(lambda secret: {"name": "open", "arguments": {"path": secret}}, writes="call", name="peek")
        laid = layout(user("{passage}"), assistant(call="call"), tools="tools", floor="prompted")
        hidden = prompt(lambda secret: "y", writes="other", name="write", hidden="secret")
        (leaf,) = leaves(Pipeline(PASSAGES, ALL[0], secret, peek, hidden, laid))
        assert (leaf.kind, leaf.reason) == ("reject", "the generator's hidden context shows in the sample")


# What a listing shows


def damage(passage: str) -> tuple[str, str]:
    return passage.upper(), "upper"


def number(damaged: str) -> str:
    return f"1 {damaged}"


def shows(listing: str, damaged: str) -> bool:
    return listing == f"1 {damaged}"


def mend(damaged: About[str], listing: About[str], passage: str) -> str:
    return passage


def mends(mended: str, damaged: About[str], passage: str) -> bool:
    return mended == passage and damaged == passage.upper()


GOOD = {"passage": "a", "damaged": "A", "listing": "1 A", "mended": "a"}
DAMAGE = corrupt(damage, into="damaged", log="how")
LIST = compute(number, writes="listing")
MEND = (
    compute(mend, writes="mended"),
    verify(mends, raises="mended", strength="proved", good=GOOD, spoiled={"mended": "b"}),
)
SHOWS = verify(shows, raises="listing", strength="proved", good=GOOD, spoiled={"listing": "1 B"})
LAID = layout(user("{listing}"), assistant("{mended}"))


class TestListings:
    def test_damage_that_a_proof_finds_in_a_listing_has_been_shown(self) -> None:
        assert broken(DAMAGE, LIST, SHOWS, *MEND, LAID) == []

    def test_without_the_proof_nobody_knows_what_the_listing_holds(self) -> None:
        assert (3, "mended") in broken(DAMAGE, LIST, *MEND, LAID)

    def test_a_test_is_no_proof(self) -> None:
        tested = verify(shows, raises="listing", good=GOOD, spoiled={"listing": "1 B"})
        assert (3, "mended") in broken(DAMAGE, LIST, tested, *MEND, LAID)
