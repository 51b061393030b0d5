"""Tool calls are written out for people: an argument a line, a text of many lines below its name."""

from __future__ import annotations

from retroweave.text.tool_calls import spoken


def test_a_turn_without_calls_is_its_content() -> None:
    assert spoken({"role": "user", "content": "a → b"}) == "a → b"


def test_a_call_stands_below_what_is_said() -> None:
    function = {"name": "edit", "arguments": {"file": "a.txt", "start": 3, "lines": ["x", "y"], "new": "one\ntwo\n"}}
    turn = {"role": "assistant", "content": "Now.", "tool_calls": [{"function": function}]}
    assert spoken(turn) == 'Now.\n\n→ edit\nfile: a.txt\nstart: 3\nlines: ["x","y"]\nnew:\none\ntwo\n'


def test_a_call_of_which_nothing_is_said_stands_alone() -> None:
    assert spoken({"content": "", "tool_calls": [{"function": {"name": "ls", "arguments": {}}}]}) == "→ ls"
