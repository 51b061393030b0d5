"""Tool calls as a person reads them.

In the data a call is an object (`tool_calls`), and its long arguments would stand in one line of JSON. Card, report and
terminal show it as it is written here; no model is trained on this form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

__all__ = ["spoken"]


def spoken(message: Mapping[str, Any]) -> str:
    """All that a turn says: its content, then its tool calls, each argument beside its name or below it."""
    if not message.get("tool_calls"):
        return message["content"] or ""
    calls = [_written(call["function"]) for call in message["tool_calls"]]
    return "\n\n".join(filter(None, (message["content"], *calls)))


def _written(function: Mapping[str, Any]) -> str:
    return "\n".join([f"→ {function['name']}", *_arguments(function["arguments"])])


def _arguments(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, value in arguments.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        yield f"{name}:\n{text}" if "\n" in text else f"{name}: {text}"
