"""What some judges need and the core does not bring: told by the command that installs it, where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.installing import install_command

__all__ = ["extra"]


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Around the imports of an extra. Raises `UserError` where one of them cannot be had."""
    try:
        yield
    except ImportError as error:
        raise UserError(f"{what}, which is not installed ({error}): {install_command(name)}.") from error
