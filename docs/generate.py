"""Keeps the pages true: runs what they show, and fills in what they take from the code.

    python docs/generate.py [PAGE ...]      rewrite the pages where they are out of date

Each page is run from top to bottom in an empty folder of its own. What its blocks mean:

- A `python` block runs. If its first line is a comment that names a file, `# primes.py`, it is written there first, and
  with `# primes.py, continued` it is added to that file. A `yaml` block may name its file in the same way, and any
  block by a line `<!-- file: words.txt -->` before it.
- A `diff` block after such a line changes that file; its unchanged and removed lines must stand there just once.
- In a `console` block each `$` line is a command, and the lines after it are its output; a command that shows none must
  succeed. A line `...` stands for any lines; how long a run took is not compared. `run` is given one worker.
- Between `<!-- generated: NAME -->` and `<!-- /generated -->` stands what `REGIONS` or `OF_RECIPES` says under that
  name.
- A block after a line `<!-- sketch -->` is not run.

`tests/test_docs.py` fails where a page differs from what this would write. Output is folded to 100 columns, as in a
terminal.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[\w+-]*) *$")
_FILE_COMMENT = re.compile(r"# (?P<name>[\w/.-]+\.\w+)(?P<continued>, continued)?$")
_FILE_MARK = re.compile(r"<!-- file: (?P<name>[\w/.-]+) -->$")
_SKETCH_MARK = "<!-- sketch -->"
_REGION = re.compile(r"(<!-- generated: (?P<name>[\w ]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)
_NOT_COMPARED = re.compile(r"[\d,.]+ s,\s+[\d,]+\s+a\s+(?:second|minute)|for a longer run: [\d,]+ source rows?")
"""How long a run took, and what it had under way at its end, which hangs on the number of workers."""
_ANSI = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


class PageError(Exception):
    """A page shows what does not work: where, and what happened."""


def pages() -> list[Path]:
    """Every page that this keeps true."""
    return [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *_docs()]


def _docs() -> list[Path]:
    return sorted((ROOT / "docs").rglob("*.md"))


def rendered(page: Path) -> str:
    """The page as it should be. Raises `PageError` where something in it does not run."""
    text = _REGION.sub(lambda found: f"{found[1]}{_region(found['name'])}\n{found[3]}", page.read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="docs-") as folder, _desk(Path(folder)):
        return _PageRun(page, Path(folder).resolve(), text.splitlines()).run()


# Blocks


class Block(NamedTuple):
    """A fenced block."""

    start: int
    """The index of its first line of content."""
    end: int
    """The index of the line that closes it."""
    language: str
    indent: str
    mark: str
    """The line before it."""


def blocks(lines: list[str]) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    index = 0
    while index < len(lines):
        opening = _FENCE.match(lines[index])
        index += 1
        if opening is None:
            continue
        closing = f"{opening['indent']}{opening['fence']}"
        start = index
        while lines[index].rstrip() != closing:
            index += 1
            if index == len(lines):
                raise PageError(f"The block that opens in line {start} is never closed with {closing!r}.")
        yield Block(start, index, opening["language"], opening["indent"], lines[start - 2].strip() if start > 1 else "")
        index += 1


@dataclass
class _Command:
    line: int
    text: str
    shown: list[str]


class _PageRun:
    """One page being run in one folder."""

    def __init__(self, page: Path, folder: Path, lines: list[str]) -> None:
        self.page = page
        self.folder = folder
        self.lines = lines
        self.names: dict[str, Any] = {"__name__": "__page__"}
        self.code = 0

    def run(self) -> str:
        made: list[str] = []
        done = 0
        for block in list(blocks(self.lines)):
            made += self.lines[done : block.start]
            made += self._block(block)
            done = block.end
        return "\n".join([*made, *self.lines[done:]]) + "\n"

    def _block(self, block: Block) -> list[str]:
        """Run a block and give back its lines as they should be."""
        shown = self.lines[block.start : block.end]
        if block.mark == _SKETCH_MARK:
            return shown
        content = [line.removeprefix(block.indent) for line in shown]
        try:
            file = _FILE_MARK.match(block.mark) or (_FILE_COMMENT.match(content[0]) if content else None)
            if block.language == "diff" and file:
                self._change(self.folder / file["name"], content)
            elif file:
                self._write(self.folder / file["name"], content, "continued" in file.groupdict() and file["continued"])
            if block.language == "python":
                self._python(content, self.folder / file["name"] if file else None)
            elif block.language == "console":
                return [f"{block.indent}{line}" if line else "" for line in self._console(content, block.start)]
        except PageError as error:
            raise PageError(f"{self.page}, the block in line {block.start}: {error}") from error.__cause__
        return shown

    def _write(self, file: Path, content: list[str], add: Any) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text("utf-8") + "\n\n" if add else ""
        lines = content[1:] if add else content
        file.write_text(before + "\n".join(lines).strip("\n") + "\n", "utf-8")

    def _change(self, file: Path, content: list[str]) -> None:
        text = file.read_text("utf-8")
        for hunk in "\n".join(content).split("\n@@\n"):
            lines = hunk.splitlines()
            old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
            new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
            if text.count(old) != 1:
                raise PageError(f"{file.name} holds {text.count(old)} times what the change wants to find:\n{old}")
            text = text.replace(old, new)
        file.write_text(text, "utf-8")

    def _python(self, content: list[str], file: Path | None) -> None:
        """Run a block: one that is a file with names of its own, the others of a page with the same names."""
        source = file.read_text("utf-8") if file else "\n".join(content)
        names = {"__name__": file.stem, "__file__": str(file)} if file else self.names
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, str(file or self.page), "exec", dont_inherit=True), names)  # noqa: S102
        except Exception as error:
            raise PageError(f"{type(error).__name__}: {error}") from error

    def _console(self, content: list[str], start: int) -> Iterator[str]:
        for command in _commands(content, start):
            yield f"$ {command.text}"
            actual = self._output(command.text)
            if not command.shown and self.code:
                raise PageError(f"`{command.text}` ended with {self.code}:\n" + "\n".join(actual))
            yield from command.shown if not command.shown or _matches(command.shown, actual) else actual

    def _output(self, text: str) -> list[str]:
        """What a command prints, to its output and its errors, and in `code` how it ended."""
        words = shlex.split(text.replace("\\\n", " "), comments=True)
        if words == ["echo", "$?"]:
            return [str(self.code)]
        if words[0] == "retroweave":
            output, self.code = _retroweave(words[1:])
            return _folded(output)
        if words[0] == "python" and len(words) == 2:
            output, self.code = _called(lambda: _script(words[1]), words, drawn=False)
        else:
            done = subprocess.run(text, shell=True, capture_output=True, text=True, cwd=self.folder)
            output, self.code = done.stdout + done.stderr, done.returncode
        return output.splitlines()


def _commands(content: list[str], start: int) -> Iterator[_Command]:
    command: _Command | None = None
    for offset, line in enumerate(content):
        if line.startswith("$ "):
            if command:
                yield command
            command = _Command(start + offset + 1, line[2:], [])
        elif command is None:
            raise PageError("a console block begins with a command, `$ ...`.")
        elif command.text.endswith("\\"):
            command.text += f"\n{line}"
        else:
            command.shown.append(line)
    if command:
        yield command


def _matches(shown: list[str], actual: list[str]) -> bool:
    """Whether the shown lines are the actual ones, where `...` may stand for any."""
    wanted = re.escape(_compared("\0" if line == "..." else line for line in shown))
    pattern = wanted.replace("\0\\\n", "(?:.*\n)*").replace("\\\n\0", "(?:\n.*)*").replace("\0", ".*")
    return re.fullmatch(pattern, _compared(actual)) is not None


def _compared(lines: Iterable[str]) -> str:
    return _NOT_COMPARED.sub("?", "\n".join(line.rstrip() for line in lines))


# Commands


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _retroweave(arguments: list[str]) -> tuple[str, int]:
    """Give a `retroweave` command in this process, as if it were the first: quicker than a process for each."""
    from retroweave.cli import cli, main
    from retroweave.pipeline.recipe import find_recipe

    find_recipe.cache_clear()
    params = {command: list(command.params) for command in cli.commands.values()}
    if arguments[:1] == ["run"] and "--help" not in arguments:
        arguments = [*arguments, "--workers", "1"]
    try:
        return _called(main, ["retroweave", *arguments], drawn=arguments[:1] in (["show"], ["try"]))
    finally:
        for command, own in params.items():
            command.params = own


def _called(function: Callable[[], None], words: list[str], *, drawn: bool) -> tuple[str, int]:
    """What a function prints and the code it ends with; `drawn` where it draws to the width of a terminal."""
    output: io.StringIO = _Terminal() if drawn else io.StringIO()
    before, sys.argv = sys.argv, words
    code: Any = 0
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            function()
    except SystemExit as end:
        code = end.code or 0
    except Exception as error:
        raise PageError(f"`{' '.join(words)}` crashed: {type(error).__name__}: {error}") from error
    finally:
        sys.argv = before
    return _ANSI.sub("", output.getvalue()), code


def _script(file: str) -> None:
    runpy.run_path(file, run_name="__main__")


def _folded(output: str) -> list[str]:
    """The lines of an output, those that are too long folded at a space and indented."""
    lines: list[str] = []
    for line in output.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        long = len(line.rstrip()) > COLUMNS
        lines += _wrapped(line, indent) if long else [line.rstrip()]
    return lines


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


@contextlib.contextmanager
def _desk(folder: Path) -> Iterator[None]:
    """The folder as the place to be, a terminal of 100 columns with no colours, and no compiled files left over."""
    environment = dict(os.environ)
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    os.environ.update(COLUMNS=str(COLUMNS), TERM="xterm", NO_COLOR="1", PATH=path, LC_ALL="C.UTF-8")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "LINES"):
        os.environ.pop(name, None)
    compiled, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loaded = set(sys.modules)
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.dont_write_bytecode = compiled
        for name in set(sys.modules) - loaded:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


# What pages take from the code


def _help_texts() -> str:
    """The help of every command, as a terminal of 100 columns shows it."""
    from retroweave.cli import cli

    parts = [_help([])]
    for name in sorted(cli.commands):
        parts.append(f"## {name}\n\n{_help([name])}")
    return "\n\n".join(parts)


def _help(words: list[str]) -> str:
    output, _ = _retroweave([*words, "--help"])
    command = " ".join(["retroweave", *words, "--help"])
    return f"```console\n$ {command}\n{output.rstrip()}\n```"


def _operations() -> str:
    from retroweave.corruptions.damage import OPERATIONS, WEIGHTS

    rows = ["| operation | what it does | severity | recoverable | weight |", "|---|---|---:|---|---:|"]
    for kind in OPERATIONS.values():
        does = " ".join((kind.function.__doc__ or "").split())
        recoverable = "yes" if kind.recoverable else "**no**"
        rows.append(f"| `{kind.name}` | {does} | {kind.severity} | {recoverable} | {WEIGHTS[kind.name]:g} |")
    return "\n".join(rows)


def _options(recipe: str) -> str:
    from retroweave.pipeline.recipe import find_recipe

    found = find_recipe(recipe)
    rows = ["| option | default | what it is |", "|---|---|---|"]
    for name, field in found.config_type.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `--{name.replace('_', '-')}` | {default} | {field.description} |")
    presets = ["", "| preset | sets |", "|---|---|"]
    presets += [f"| `--preset {name}` | {_set(values)} |" for name, values in found.presets.items()]
    return "\n".join([*rows, *(presets if found.presets else ())])


def _set(values: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}={value}`" for key, value in values.items())


def _answers() -> str:
    from retroweave.recipes.prose_repair import ProseRepair

    writes = {
        "unified": "a patch as `diff -u` writes it",
        "git": "a patch as `git diff` writes it",
        "dmp": "a patch in diff-match-patch's text format",
        "whole": "the repaired text",
    }
    weights = {name: ProseRepair.model_fields[name].default for name in writes}
    rows = ["| answer | what the model writes | share, unless you set the weights |", "|---|---|---:|"]
    rows += [f"| `{name}` | {writes[name]} | {weights[name] / sum(weights.values()):.0%} |" for name in writes]
    return "\n".join(rows)


def _phrasings() -> str:
    from retroweave.corruptions.damage import OPERATIONS
    from retroweave.corruptions.diagnosis import STYLES
    from retroweave.recipes.prose_repair import words

    def listed(counts: Mapping[str, int]) -> str:
        return ", ".join(f"{count} for `{name}`" for name, count in counts.items())

    instructions = {name: len(words(name)) for name in ("unified", "git", "dmp", "whole")}
    styles = {style: len(words(f"ask_{style}")) for style in STYLES}
    return "\n".join(
        [
            f"- instructions for each answer: {listed(instructions)};",
            f"- ways to ask for each style of diagnosis: {listed(styles)};",
            f"- {len(words('frames'))} ways to show the passage: in tags, in a fence, as JSON, as the output of `cat`;",
            f"- {sum(len(kind.words) for kind in OPERATIONS.values())} sentences for the `plain` diagnosis of the "
            f"{len(OPERATIONS)} operations.",
        ]
    )


def _doc(recipe: str) -> str:
    from retroweave.pipeline.recipe import find_recipe

    return find_recipe(recipe).doc


def _lints() -> str:
    from retroweave.quality.lint import LINTS

    lines = [
        "| lint | what it finds | share above which it speaks up | what a model would learn |",
        "|---|---|---|---|",
    ]
    for lint in LINTS.values():
        found = " ".join((lint.__doc__ or "").split())
        taught = lint.teaches.removeprefix("and a model would learn ").removeprefix("which a model would learn ")
        share = f"{lint.share:g}" if lint.share else "0, so any"
        lines.append(f"| `{lint.name}` | {found} | {share} of the {lint.counts} | {taught} |")
    return "\n".join(lines)


REGIONS: Mapping[str, Callable[[], str]] = {
    "help texts": _help_texts,
    "operations": _operations,
    "answers of prose repair": _answers,
    "phrasings of prose repair": _phrasings,
    "lints": _lints,
}
OF_RECIPES: Mapping[str, Callable[[str], str]] = {r"options of ([\w ]+)": _options, r"what ([\w ]+) says": _doc}
"""Regions that the page of any recipe may have, by the recipe's name with spaces."""


def _region(name: str) -> str:
    for pattern, fill in OF_RECIPES.items():
        if found := re.fullmatch(pattern, name):
            return fill(found[1].replace(" ", "-"))
    return REGIONS[name]()


def main(chosen: list[str]) -> None:
    for page in [Path(name).resolve() for name in chosen] or [page for page in pages() if page.exists()]:
        text = rendered(page)
        if text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            print(f"rewrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
