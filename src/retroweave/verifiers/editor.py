"""A text editor for episodes in which a model mends files with tools: it lists, opens, replaces lines, applies diffs.

What a tool is called, how it takes its arguments and how it answers is a toolset's, so that a model does not learn the
manners of one editor; what it does is here, and its answers are what came of really doing it. Files are texts by name
in memory; nothing is written anywhere. Lines end at a newline and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from retroweave.pipeline.errors import UserError
from retroweave.verifiers.patches import PatchError, apply_unified

__all__ = ["Editor", "EditorError", "Toolset", "lines_of", "read_toolsets"]

TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "list": (),
    "open": ("path",),
    "replace": ("path", "first", "last", "text"),
    "patch": ("path", "diff"),
}
"""What each tool does, and what it must be told for that."""
_TYPES = {"path": "string", "first": "integer", "last": "integer", "text": "string", "diff": "string"}


class EditorError(ValueError):
    """A call that cannot be carried out: no such tool, file or line, or a diff that does not apply."""


@dataclass(frozen=True)
class Tool:
    name: str
    says: str
    answer: str
    """A template of what it answers: of `{path}`, `{files}`, `{lines}`, `{count}`, `{first}`, `{last}`."""
    arguments: Mapping[str, tuple[str, str]]
    """What it must be told, by the name of the argument and what the schema says of it."""
    in_lines: bool = False
    """Whether a text is given as an array of lines, and not as one string in which each line ends with a newline."""


@dataclass(frozen=True)
class Toolset:
    """The tools of one editor."""

    name: str
    numbered: str
    """How a line is shown: a template of `{number}` and `{line}`."""
    tools: Mapping[str, Tool]

    def schemas(self, *does: str) -> list[dict[str, Any]]:
        """The JSON schemas of the tools that do this, as the `tools` of a chat template."""
        return [_schema(self.tools[what]) for what in does]

    def call(self, does: str, **told: Any) -> dict[str, Any]:
        """A call of the tool that does this."""
        tool = self.tools[does]
        if tool.in_lines and "text" in told:
            told["text"] = lines_of(told["text"])
        return {"name": tool.name, "arguments": {tool.arguments[what][0]: value for what, value in told.items()}}

    def show(self, text: str) -> str:
        """A text with its lines numbered from 1, as this editor shows it."""
        numbered = (self.numbered.format(number=number, line=line) for number, line in enumerate(lines_of(text), 1))
        return "\n".join(numbered)

    def read(self, shown: str, path: str) -> str | None:
        """The text behind the answer to opening `path`; None where its numbers are not those of its lines."""
        before, _, after = self.tools["open"].answer.partition("{lines}")
        frame = [re.sub(r"\\{\w+\\}", r"[^\\n]*", re.escape(part.replace("{path}", path))) for part in (before, after)]
        found = re.fullmatch(f"{frame[0]}(.*){frame[1]}", shown, re.DOTALL)
        lines = [] if found is None else found[1].split("\n")
        text = [line.removeprefix(self.numbered.format(number=n, line="")) for n, line in enumerate(lines, 1)]
        again = "".join(f"{line}\n" for line in text)
        return again if found and self.show(again) == found[1] else None


class Editor:
    """Files, and the tools that change them."""

    def __init__(self, files: Mapping[str, str], toolset: Toolset) -> None:
        self.files = dict(files)
        self._toolset = toolset
        self._does = {tool.name: what for what, tool in toolset.tools.items()}

    def run(self, call: Mapping[str, Any]) -> str:
        """Carry out a call, and give back the tool's answer. Raises `EditorError`, and then nothing has changed."""
        if call["name"] not in self._does:
            raise EditorError(f"there is no tool {call['name']!r}; there is {', '.join(self._does)}")
        does = self._does[call["name"]]
        told = self._told(does, call["arguments"])
        told |= getattr(self, f"_{does}")(**told)
        return self._toolset.tools[does].answer.format(**told)

    def _told(self, does: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        tool = self._toolset.tools[does]
        names = {tool.arguments[what][0]: what for what in TAKES[does]}
        if names.keys() != arguments.keys():
            raise EditorError(f"{tool.name} takes {', '.join(names) or 'nothing'}, and not {', '.join(arguments)}")
        told = {names[name]: value for name, value in arguments.items()}
        if "path" in told and told["path"] not in self.files:
            raise EditorError(f"there is no file {told['path']!r}; there is {', '.join(self.files)}")
        return told

    def _list(self) -> dict[str, Any]:
        return {"files": "\n".join(self.files), "count": len(self.files)}

    def _open(self, path: str) -> dict[str, Any]:
        return {"lines": self._toolset.show(self.files[path]), "count": len(lines_of(self.files[path]))}

    def _replace(self, path: str, first: int, last: int, text: str | Sequence[str]) -> dict[str, Any]:
        lines = lines_of(self.files[path])
        if not 1 <= first <= last <= len(lines):
            raise EditorError(f"{path} has lines 1 to {len(lines)}, and {first} to {last} is no part of them")
        new = lines_of(text) if isinstance(text, str) else list(text)
        return self._changed(path, "".join(f"{line}\n" for line in [*lines[: first - 1], *new, *lines[last:]]))

    def _patch(self, path: str, diff: str) -> dict[str, Any]:
        try:
            return self._changed(path, apply_unified(self.files[path], diff))
        except PatchError as error:
            raise EditorError(f"the diff does not apply to {path}: {error}") from error

    def _changed(self, path: str, text: str) -> dict[str, Any]:
        self.files[path] = text
        return {"count": len(lines_of(text))}


def lines_of(text: str) -> list[str]:
    """Its lines without their newlines; a last line that has none is a line too."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _schema(tool: Tool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for what, (name, says) in tool.arguments.items():
        kind: dict[str, Any] = {"type": _TYPES[what]}
        if what == "text" and tool.in_lines:
            kind = {"type": "array", "items": {"type": "string"}}
        properties[name] = kind | {"description": says}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": tool.name, "description": tool.says, "parameters": parameters}}


def read_toolsets(path: Path) -> dict[str, Toolset]:
    """The toolsets of a YAML file, by name."""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return {name: _toolset(name, told) for name, told in found.items()}
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} holds no toolsets: {type(error).__name__}: {error}.") from error


def _toolset(name: str, told: Mapping[str, Any]) -> Toolset:
    return Toolset(name, told["numbered"], {does: _tool(does, told[does]) for does in TAKES})


def _tool(does: str, told: Mapping[str, Any]) -> Tool:
    arguments = dict(_arguments(does, told))
    return Tool(told["name"], told["says"], told["answer"], arguments, told.get("in_lines", False))


def _arguments(does: str, told: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for what in TAKES[does]:
        name, says = told[what]
        yield what, (name, says)
