"""The environments in which the card and the report are rendered: sandboxed, and strict about what is missing.

A value is never taken for a template, so text with braces in it stays text.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from retroweave.export.excerpt import visible

__all__ = ["html", "markdown"]


def html() -> ImmutableSandboxedEnvironment:
    """For HTML: every string is escaped, and its control characters are made visible, but for `Markup`."""
    environment = _environment(autoescape=True, finalize=_shown)
    environment.filters["breakable"] = _breakable
    return environment


def markdown() -> ImmutableSandboxedEnvironment:
    """For Markdown, which has no one way to escape: the template says by filters what each string is."""
    return _environment(autoescape=False)


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(name: str) -> Markup:
    """A name that may go on in the next line after an underscore."""
    return Markup("_<wbr>").join(visible(name).split("_"))


def _environment(**options: Any) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        **options,
        loader=FileSystemLoader(Path(__file__).parent),
        bytecode_cache=_compiled(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


class _Compiled(FileSystemBytecodeCache):
    """As with modules, what cannot be read or kept is compiled anew: a full disk there, a broken file."""

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # whatever its first bytes, a pickle, come to
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _compiled() -> _Compiled | None:
    """Templates stay compiled as this module does, beside its own bytecode, and as long as it is the same.

    To compile them takes longer than to render them.
    """
    folder = Path(__file__).with_name("__pycache__")
    if sys.dont_write_bytecode or not os.access(folder, os.W_OK):
        return None
    return _Compiled(str(folder), f"%s.{Path(__file__).stat().st_mtime_ns:x}.jinja")


def write_whole(path: Path, text: str) -> Path:
    """Write a file so that nothing half-written ever stands under its name, and give back its path."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
    return path
