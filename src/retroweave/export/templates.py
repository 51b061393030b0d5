"""The environment in which the card and the report are rendered: sandboxed, and strict about what is missing.

A value is never taken for a template, so text with braces in it stays text.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["environment"]


def environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    """An environment over the templates in this package; `autoescape` for HTML."""
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
